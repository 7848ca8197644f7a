// One picture on one stage: what fingers, pen, mouse and wheel do to where it lies and how bright it is. Buttons and keys
// come through the methods; `shared` is what the stages of a page have in common: the tool in hand, and the link between two.
import { actual, fitting, kept, matrix, mirrored, onPicture, smallest, turned, upsideDown, zoomed } from "./xray-geometry.js";
import { drawAll } from "./xray-marks.js";
import { pen } from "./xray-pen.js";
import { picture } from "./xray-picture.js";

const STILL = 6; // CSS pixels that a tap may tremble
const FLAT = { x: 0, y: 0, scale: 1, turn: 0, flip: false };

export function stage(element, shared) {
  const film = element.querySelector("[data-film]");
  const svg = element.querySelector("[data-overlay]");
  const spacing = JSON.parse(film.dataset.spacing);
  const words = { ...shared.words, length: film.dataset.length };
  const shown = picture(film);
  const fingers = new Map();
  let [view, fits, action, frame] = [{ ...FLAT }, true, null, 0];

  const room = () => ({ width: element.clientWidth, height: element.clientHeight });
  const place = (event) => {
    const box = element.getBoundingClientRect();
    return [event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2];
  };
  const point = (at) => onPicture(matrix(view, shown), at);
  const us = {
    element, picture: shown, spacing, drafts: [], saved: [], cross: null, areMarksShown: true,
    get view() { return view; },
    get isFlat() { return view.turn === 0 && !view.flip; },
    point,
    draw, set, zoom, pan, fit, release,
    whole(at) { set(actual(view, devicePixelRatio, at)); },
    turn(by) { set(turned(view, by), fits); },
    mirror() { set(mirrored(view), fits); },
    upside() { set(upsideDown(view), fits); },
    place({ turn, flip }) { set({ ...FLAT, turn, flip }, true); },
    toggleWhole(at) { if (fits) us.whole(at); else fit(); },
  };
  us.pen = pen((mark) => { us.cross = null; shared.drawn(us, mark); });

  function draw() {
    const numbers = matrix(view, shown);
    if (Math.abs(view.scale * devicePixelRatio - 1) < 1e-6) { // one to one: no pixel lies between two of the screen
      const box = element.getBoundingClientRect();
      const whole = (value, from) => Math.round((value + from) * devicePixelRatio) / devicePixelRatio - from;
      numbers[4] = whole(numbers[4], box.left + box.width / 2);
      numbers[5] = whole(numbers[5], box.top + box.height / 2);
    }
    film.style.transform = `matrix(${numbers.join(",")})`;
    const marks = us.areMarksShown ? [...us.saved, ...us.drafts, us.pen.mark].filter(Boolean) : [];
    drawAll(svg, marks, numbers, { spacing, words, stage: room(), cross: us.cross });
    shared.changed(us);
  }

  function set(wanted, isFitted = false) {
    fits = isFitted;
    view = kept(isFitted ? fitting(wanted, shown, room()) : wanted, shown, room());
    draw();
  }

  function fit() { set(view, true); }

  function zoom(factor, at = [0, 0], isLinked = false) {
    const before = view.scale;
    set(zoomed(view, factor, at, smallest(view, shown, room())));
    if (!isLinked) shared.moved(us, (other) => other.zoom(view.scale / before, at, true));
  }

  function pan(x, y, isLinked = false) {
    set({ ...view, x: view.x + x, y: view.y + y });
    if (!isLinked) shared.moved(us, (other) => other.pan(x, y, true));
  }

  function begin(event, at) {
    const tool = event.button === 1 ? "move" : shared.tool();
    if (tool === "move") return { move: ([x, y], [fx, fy]) => pan(x - fx, y - fy) };
    if (tool === "tone") return shading(at);
    us.pen.down(tool, point(at));
    return {
      move: (to) => { us.pen.move(point(to)); draw(); },
      end: (to) => { us.pen.up(point(to), Math.hypot(to[0] - at[0], to[1] - at[1]) < STILL); draw(); },
      stop: () => { us.pen.cancel(); draw(); },
    };
  }

  function shading([fx, fy]) {
    const from = { ...shown.tone };
    let wanted = from;
    const paint = (isQuick) => { frame = 0; shown.set(wanted, isQuick); shared.changed(us); };
    const stop = () => { cancelAnimationFrame(frame); paint(false); };
    return {
      move: ([x, y]) => { wanted = shown.dragged(from, x - fx, fy - y); frame ||= requestAnimationFrame(() => paint(true)); },
      end: stop,
      stop,
    };
  }

  // Two fingers hold two points of the picture: the middle between them moves it, the way between them zooms.
  function pinching() {
    const [a, b] = fingers.values();
    return { middle: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2], way: Math.hypot(a[0] - b[0], a[1] - b[1]) };
  }

  function down(event) {
    if (event.button > 1 || event.target.closest("form, button, a")) return;
    event.preventDefault();
    element.focus({ preventScroll: true });
    shared.touched(us);
    element.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, place(event));
    if (fingers.size === 1) action = begin(event, place(event));
    else if (action) { action.stop?.(); action = null; }
  }

  function move(event) {
    const [before, at] = [fingers.get(event.pointerId), place(event)];
    if (!before) {
      if (us.pen.mark) { us.pen.move(point(at)); draw(); }
      return;
    }
    const pinched = fingers.size === 2 ? pinching() : null;
    fingers.set(event.pointerId, at);
    if (pinched) {
      const now = pinching();
      zoom(now.way / pinched.way, pinched.middle);
      pan(now.middle[0] - pinched.middle[0], now.middle[1] - pinched.middle[1]);
    } else action?.move(at, before);
  }

  function up(event) {
    if (!fingers.delete(event.pointerId)) return;
    if (fingers.size === 0) { (event.type === "pointerup" ? action?.end : action?.stop)?.(place(event)); action = null; }
    else if (fingers.size === 1) action = { move: ([x, y], [fx, fy]) => pan(x - fx, y - fy) };
  }

  function wheel(event) {
    event.preventDefault();
    shared.touched(us);
    const notches = event.deltaY * (event.deltaMode ? 33 : 1); // some browsers count lines
    zoom(Math.exp(-notches * (event.ctrlKey ? 0.01 : 0.002)), place(event));
  }

  function release() {
    watch.disconnect();
    cancelAnimationFrame(frame);
    shown.release();
  }

  const watch = new ResizeObserver(() => set(view, fits));
  for (const [name, hear] of Object.entries({ pointerdown: down, pointermove: move, pointerup: up, pointercancel: up })) element.addEventListener(name, hear);
  element.addEventListener("wheel", wheel, { passive: false });
  element.addEventListener("dblclick", (event) => { if (shared.tool() === "move") us.toggleWhole(place(event)); });
  film.style.setProperty("--xv-w", shown.width);
  film.style.setProperty("--xv-h", shown.height);
  element.dataset.on = "";
  fit();
  watch.observe(element);
  return us;
}
