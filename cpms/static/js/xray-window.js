// From stored values to grey: DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3, through a table of all 65,536 values, by the same
// steps as the server's copies. A tone is { center, width, invert }; a picture's facts say how a stored value becomes the
// one that the window is about, and by which function: LINEAR unless they name another.
const ALL = 65536;
const OPAQUE = 0xff000000; // as a little-endian word of four bytes: red, green, blue, alpha

// The window that shows eight-bit values as they are.
export const AS_THEY_ARE = { center: 128, width: 256, invert: false };

// 0 to 255. The division comes last, so that whole numbers are rounded exactly.
export function grey(value, { center, width }, kind = "LINEAR") {
  if (kind === "SIGMOID") return Math.floor(255 / (1 + Math.exp((-4 * (value - center)) / width)) + 0.5);
  const span = kind === "LINEAR_EXACT" ? width : width - 1;
  const from = (kind === "LINEAR_EXACT" ? center : center - 0.5) - span / 2;
  if (value <= from) return 0;
  if (value > from + span) return 255;
  return Math.floor(((value - from) * 255) / span + 0.5);
}

// For every stored value the four bytes of its pixel. `size` is 256 for pictures of eight bits.
export function table(tone, { slope = 1, intercept = 0, offset = 0, inverted = false, function: kind } = {}, size = ALL) {
  const turns = Boolean(inverted) !== Boolean(tone.invert);
  const words = new Uint32Array(size);
  for (let stored = 0; stored < size; stored += 1) {
    const shade = grey((stored + offset) * slope + intercept, tone, kind);
    words[stored] = OPAQUE | ((turns ? 255 - shade : shade) * 0x010101);
  }
  return words;
}

// Every `step`th value of every `step`th row, for as many pixels as `pixels` has room for.
export function shade(values, width, words, pixels, columns, step = 1) {
  if (step === 1) {
    for (let at = 0; at < pixels.length; at += 1) pixels[at] = words[values[at]];
    return;
  }
  for (let at = 0, row = 0; at < pixels.length; row += step) {
    for (let column = 0, from = row * width; column < columns; column += 1, at += 1) pixels[at] = words[values[from + column * step]];
  }
}

// The same for a picture in colours, each of which goes through the table by itself.
export function shadeColors(bytes, width, words, pixels, columns, step = 1) {
  for (let at = 0, row = 0; at < pixels.length; row += step) {
    for (let column = 0; column < columns; column += 1, at += 1) {
      const from = (row * width + column * step) * 4;
      pixels[at] = OPAQUE | (words[bytes[from]] & 0xff) | (words[bytes[from + 1]] & 0xff00) | (words[bytes[from + 2]] & 0xff0000);
    }
  }
}

// What a file says, or from its darkest to its brightest value.
export function usualTone({ center, width, slope = 1, intercept = 0, offset = 0 }, values) {
  if (Number.isFinite(center) && width > 0) return { center, width, invert: false };
  let [least, most] = [ALL, 0];
  for (const value of values) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  const ends = [least, most].map((value) => (value + offset) * slope + intercept).sort((a, b) => a - b);
  const span = ends[1] - ends[0] + 1;
  return { center: ends[0] + span / 2, width: span, invert: false };
}

// To the right: more contrast. Up: brighter. `usual` says how far the whole screen leads.
export function dragged(tone, right, up, usual, isDark) {
  const least = usual.width < 1 ? usual.width / 256 : 1; // only other functions than LINEAR know windows below 1
  const width = Math.max(least, tone.width * 2 ** (-right / 160));
  const brighter = (up / 400) * usual.width * (isDark ? -1 : 1);
  return { ...tone, width, center: tone.center - brighter };
}
