// Where a picture lies on the stage: pure arithmetic. A view is { x, y, scale, turn, flip }: the way from the stage's
// middle to the picture's in CSS pixels, how many of them a pixel of the picture takes, quarter turns to the right, and
// then perhaps mirrored from left to right. Points on the stage count from its middle.
const LARGEST = 32;
const IN_SIGHT = 48; // CSS pixels of the picture that no panning takes away
const COS = [1, 0, -1, 0];
const SIN = [0, 1, 0, -1];

const clamp = (value, least, most) => Math.min(Math.max(value, least), most);
const quarter = (turn) => ((turn % 4) + 4) % 4;

// Width and height as they are seen.
export function extent(view, size) {
  return view.turn % 2 ? { width: size.height, height: size.width } : { width: size.width, height: size.height };
}

// The six numbers of CSS's matrix(): from a pixel of the picture to a point of the stage.
export function matrix(view, size) {
  const { scale, turn, flip } = view;
  const sign = flip ? -1 : 1;
  const [a, b, c, d] = [sign * scale * COS[turn], scale * SIN[turn], -sign * scale * SIN[turn], scale * COS[turn]];
  return [a, b, c, d, view.x - (a * size.width + c * size.height) / 2, view.y - (b * size.width + d * size.height) / 2];
}

export function onStage([a, b, c, d, e, f], [x, y]) {
  return [a * x + c * y + e, b * x + d * y + f];
}

export function onPicture([a, b, c, d, e, f], [x, y]) {
  const det = a * d - b * c;
  return [(d * (x - e) - c * (y - f)) / det, (a * (y - f) - b * (x - e)) / det];
}

export function fitting(view, size, stage) {
  const seen = extent(view, size);
  return { ...view, x: 0, y: 0, scale: Math.min(stage.width / seen.width, stage.height / seen.height) };
}

// One pixel of the picture on one of the screen, whose pixels are `ratio` to a CSS pixel. What was in the middle stays.
export function actual(view, ratio, at = [0, 0]) {
  return zoomed(view, 1 / ratio / view.scale, at, 0);
}

// The point under the pointer stays under the pointer.
export function zoomed(view, factor, [x, y], least) {
  const scale = clamp(view.scale * factor, least, LARGEST);
  const by = scale / view.scale;
  return { ...view, scale, x: x - (x - view.x) * by, y: y - (y - view.y) * by };
}

// The smallest scale: half of what fits.
export function smallest(view, size, stage) {
  return Math.min(fitting(view, size, stage).scale, 1) / 2;
}

// Something of the picture is always in sight.
export function kept(view, size, stage) {
  const seen = extent(view, size);
  const far = (picture, room) => Math.max(0, (picture * view.scale + room) / 2 - IN_SIGHT);
  const [x, y] = [far(seen.width, stage.width), far(seen.height, stage.height)];
  return { ...view, x: clamp(view.x, -x, x), y: clamp(view.y, -y, y) };
}

// As it is seen: a mirrored picture turns the other way round.
export function turned(view, quarters = 1) {
  const by = quarter(quarters);
  const [x, y] = [COS[by] * view.x - SIN[by] * view.y, SIN[by] * view.x + COS[by] * view.y];
  return { ...view, x, y, turn: quarter(view.turn + (view.flip ? -by : by)) };
}

export function mirrored(view) {
  return { ...view, x: -view.x, flip: !view.flip };
}

export function upsideDown(view) {
  return { ...view, y: -view.y, flip: !view.flip, turn: quarter(view.turn + 2) };
}

// A way on the picture: in millimetres where a pixel's size is known ([row, column], in that order), else in pixels.
export function length([ax, ay], [bx, by], spacing) {
  const [row, column] = spacing ?? [1, 1];
  return Math.hypot((bx - ax) * column, (by - ay) * row);
}

// Degrees between the two legs of an angle, 0 to 180.
export function angle([ax, ay], [vx, vy], [bx, by], spacing) {
  const [row, column] = spacing ?? [1, 1];
  const [px, py, qx, qy] = [(ax - vx) * column, (ay - vy) * row, (bx - vx) * column, (by - vy) * row];
  return (Math.atan2(Math.abs(px * qy - py * qx), px * qx + py * qy) * 180) / Math.PI;
}
