// Draws rulers, angles, arrows and words over a picture. Marks know the picture's pixels, the drawing is made anew for
// each place of the picture on the stage: lines stay thin and words stay readable. The words come from the page.
import { angle, length, onStage } from "./xray-geometry.js";

const SVG = "http://www.w3.org/2000/svg";
const POINTS = { text: 1, arrow: 2, ruler: 2, angle: 3 };
const HEAD = 12; // CSS pixels of an arrow's head
const LETTER = 9; // and, about, of a letter

export const pointsOf = (kind) => POINTS[kind] ?? 0;

// "12.3 mm", or "340 px" when nobody knows how large a pixel is.
export function measured(mark, spacing, words) {
  const lang = document.documentElement.lang;
  const say = (value, digits) => value.toLocaleString(lang, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  if (mark.kind === "ruler") {
    return words.length.replace("{n}", say(length(...mark.points, spacing), spacing ? 1 : 0));
  }
  return mark.kind === "angle" ? words.degrees.replace("{n}", say(angle(...mark.points, spacing), 1)) : mark.text ?? "";
}

function add(parent, name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}

// Twice: a dark line under the bright one is seen on enamel and on air.
function line(group, points) {
  const d = "M" + points.map(([x, y]) => `${x.toFixed(2)} ${y.toFixed(2)}`).join("L");
  add(group, "path", { d, class: "xv-under" });
  add(group, "path", { d, class: "xv-over" });
}

function head(group, [tx, ty], [x, y]) {
  const way = Math.atan2(y - ty, x - tx);
  const wing = (by) => [x - HEAD * Math.cos(way + by), y - HEAD * Math.sin(way + by)];
  line(group, [wing(0.45), [x, y], wing(-0.45)]);
}

// Words keep clear of the line, and within the stage.
function label(group, text, [x, y], stage) {
  const [side, top] = [stage.width / 2 - 8, 22 - stage.height / 2];
  const left = Math.max(-side, Math.min(x + 10, side - text.length * LETTER));
  add(group, "text", { x: left, y: Math.max(y - 10, top), class: "xv-words", direction: "ltr" }, text);
}

function draw(svg, mark, matrix, spacing, words, stage) {
  const group = add(svg, "g", { class: `xv-mark${mark.id ? "" : " xv-new"}`, "data-kind": mark.kind });
  const points = mark.points.map((point) => onStage(matrix, point));
  const isWhole = points.length === POINTS[mark.kind];
  if (mark.kind === "text") add(group, "circle", { cx: points[0][0], cy: points[0][1], r: 3.5, class: "xv-dot" });
  else if (points.length > 1) line(group, points);
  if (mark.kind === "arrow" && isWhole) head(group, points[0], points[1]);
  if (mark.kind === "ruler" || mark.kind === "angle") {
    for (const [cx, cy] of points) add(group, "circle", { cx, cy, r: 3.5, class: "xv-dot" });
  }
  const text = isWhole ? measured(mark, spacing, words) : "";
  if (text) label(group, text, points[mark.kind === "arrow" ? 0 : points.length > 1 ? 1 : 0], stage);
}

// `cross` is the point that the keyboard moves, on the stage.
export function drawAll(svg, marks, matrix, { spacing, words, stage, cross }) {
  svg.replaceChildren();
  svg.setAttribute("viewBox", `${-stage.width / 2} ${-stage.height / 2} ${stage.width} ${stage.height}`);
  for (const mark of marks) if (mark.points) draw(svg, mark, matrix, spacing, words, stage);
  if (cross) {
    const [x, y] = cross;
    const group = add(svg, "g", { class: "xv-cross" });
    line(group, [[x - 14, y], [x + 14, y]]);
    line(group, [[x, y - 14], [x, y + 14]]);
  }
}
