// One picture on its canvas: first the small copy that stands in the page, then every pixel, then whatever tone is asked
// for. The bytes of the stored values come by fetch, which nothing else in the house uses: no form and no swap can carry
// them. The canvas and the values take the most memory of all, so `release` gives them back.
import { AS_THEY_ARE, dragged, shade, shadeColors, table, usualTone } from "./xray-window.js";

const SMOOTH = 1_200_000; // pixels that a cheap tablet shades within a frame; while dragging, not more are shaded

export function picture(film) {
  const small = film.querySelector("img");
  const canvas = film.querySelector("canvas");
  const quick = film.querySelector("canvas[data-quick]");
  const [width, height] = [Number(film.dataset.width), Number(film.dataset.height)];
  const facts = JSON.parse(film.dataset.facts);
  const leaving = new AbortController();
  let [values, colors, usual, tone] = [null, null, { ...AS_THEY_ARE }, { ...AS_THEY_ARE }];

  async function load() {
    if (film.dataset.depth) await loadDepth();
    if (!values) await loadWhole();
    canvas.hidden = false;
    small.hidden = true; // it lay in the same place, in the same size
  }

  async function loadDepth() {
    try {
      const answer = await fetch(film.dataset.depth, { signal: leaving.signal });
      const bytes = answer.ok ? await answer.arrayBuffer() : null;
      if (bytes?.byteLength !== width * height * 2) return;
      values = new Uint16Array(bytes);
    } catch (error) {
      if (leaving.signal.aborted) throw error;
      return; // the eight bits of the other copy are better than nothing
    }
    usual = usualTone(facts, values);
    tone = { ...usual };
    paint();
  }

  async function loadWhole() {
    const whole = new Image();
    whole.src = film.dataset.full;
    await whole.decode();
    if (leaving.signal.aborted) throw leaving.signal.reason;
    size(canvas, width, height).drawImage(whole, 0, 0, width, height);
  }

  // Only a changed tone needs the values of a picture of eight bits; grey ones are kept in a quarter of the room.
  function take() {
    if (values || colors) return;
    const bytes = canvas.getContext("2d").getImageData(0, 0, width, height).data;
    const grey = new Uint8Array(width * height);
    for (let at = 0, from = 0; at < grey.length; at += 1, from += 4) {
      grey[at] = bytes[from];
      if (bytes[from] !== bytes[from + 1] || bytes[from] !== bytes[from + 2]) { colors = bytes; return; }
    }
    values = grey;
  }

  function size(target, columns, rows) {
    if (target.width !== columns || target.height !== rows) Object.assign(target, { width: columns, height: rows });
    return target.getContext("2d", { alpha: false });
  }

  function paint(isQuick = false) {
    const step = isQuick ? Math.max(1, Math.ceil(Math.sqrt((width * height) / SMOOTH))) : 1;
    const target = step > 1 ? quick : canvas;
    const [columns, rows] = [Math.floor(width / step), Math.floor(height / step)];
    const context = size(target, columns, rows);
    const image = context.createImageData(columns, rows);
    const words = values instanceof Uint16Array ? table(tone, facts) : table(tone, {}, 256);
    (colors ? shadeColors : shade)(colors ?? values, width, words, new Uint32Array(image.data.buffer), columns, step);
    context.putImageData(image, 0, 0);
    quick.hidden = step === 1;
  }

  return {
    film,
    width,
    height,
    load,
    get tone() { return tone; },
    get usual() { return usual; },
    get isReady() { return !canvas.hidden; },
    get isAsItWas() { return ["center", "width", "invert"].every((name) => tone[name] === usual[name]); },
    // `isQuick` while a finger drags: fewer pixels, until it is up.
    set(wanted, isQuick = false) {
      if (canvas.hidden) return;
      take();
      tone = { ...tone, ...wanted };
      paint(isQuick);
    },
    dragged(from, right, up) {
      return dragged(from, right, up, usual, Boolean(values instanceof Uint16Array && facts.inverted) !== from.invert);
    },
    release() {
      leaving.abort();
      for (const each of [canvas, quick]) Object.assign(each, { width: 0, height: 0 });
      values = colors = null;
    },
  };
}
