// What a webcam's picture is like, measured on a few thousand of its points: light, sharpness, stillness, and
// how large the face is. Hints for who stands before it; whether a picture is good is judged by the appliance.

/** The middle of a picture, where the oval is drawn: its share of width and height. */
export const OVAL = { x: 0.305, y: 0.137, width: 0.39, height: 0.693 };

const DARK = 65;
const BRIGHT = 205;
const GLARE = 0.12;
const BLURRED = 0.012;
const MOVING = 5;
const SKIN_LEAST = 0.08;
const COLOURED = 0.15;
const NEAR = 0.92;
const FAR = 0.4;

/**
 * Brightness of each point, 0 to 255.
 * @param {Uint8ClampedArray} rgba Four bytes for each point.
 */
export function gray(rgba) {
  const found = new Float32Array(rgba.length / 4);
  for (let from = 0, to = 0; to < found.length; from += 4, to += 1) {
    found[to] = 0.299 * rgba[from] + 0.587 * rgba[from + 1] + 0.114 * rgba[from + 2];
  }
  return found;
}

/** Whether there is too little light, too much, or enough: `dark`, `bright`, `good`. */
export function light(points) {
  let sum = 0;
  let glaring = 0;
  for (const each of points) {
    sum += each;
    glaring += each > 250;
  }
  const mean = sum / points.length;
  if (mean < DARK) return "dark";
  return mean > BRIGHT || glaring / points.length > GLARE ? "bright" : "good";
}

/** How sharp a picture is: how much points differ from their neighbours, beside how much they differ at all. */
export function sharpness(points, width) {
  const height = points.length / width;
  let sum = 0;
  let squares = 0;
  let edges = 0;
  let counted = 0;
  for (let y = 1; y < height - 1; y += 1) {
    for (let x = 1; x < width - 1; x += 1) {
      const at = y * width + x;
      const edge = 4 * points[at] - points[at - 1] - points[at + 1] - points[at - width] - points[at + width];
      sum += points[at];
      squares += points[at] ** 2;
      edges += edge ** 2;
      counted += 1;
    }
  }
  const spread = squares / counted - (sum / counted) ** 2;
  return spread < 1 ? 0 : edges / counted / spread;
}

/** Whether that is sharp enough. */
export function sharp(points, width) {
  return sharpness(points, width) >= BLURRED;
}

/** How much two pictures of one size differ, in brightness per point. */
export function difference(points, before) {
  let sum = 0;
  for (let at = 0; at < points.length; at += 1) sum += Math.abs(points[at] - before[at]);
  return sum / points.length;
}

/** Whether whoever stands there holds still. */
export function still(points, before) {
  return before !== null && before.length === points.length && difference(points, before) < MOVING;
}

/**
 * How far away a face is, from how much of the oval's width has the colour of skin: `near`, `far`, `good`; or
 * `unknown`, where the light has a colour of its own or nobody is there. A hint; it never stands in the way.
 * @param {Uint8ClampedArray} rgba Of the whole picture, `width` points wide.
 */
export function distance(rgba, width) {
  const height = rgba.length / 4 / width;
  const left = Math.round(OVAL.x * width);
  const right = Math.round((OVAL.x + OVAL.width) * width);
  const top = Math.round((OVAL.y + 0.2 * OVAL.height) * height);
  const bottom = Math.round((OVAL.y + 0.8 * OVAL.height) * height);
  const rows = bottom - top;
  if (sides(rgba, width, top, bottom) > COLOURED) return "unknown";
  let skin = 0;
  let columns = 0;
  for (let x = left; x < right; x += 1) {
    let found = 0;
    for (let y = top; y < bottom; y += 1) found += isSkin(rgba, 4 * (y * width + x));
    skin += found;
    columns += found > 0.35 * rows;
  }
  if (skin / rows / (right - left) < SKIN_LEAST) return "unknown";
  const share = columns / (right - left);
  if (share > NEAR && beside(rgba, width, left, right, top, bottom)) return "near";
  return share < FAR ? "far" : "good";
}

/** How much of what lies far to the left and right has the colour of skin: a curtain, a wooden wall. */
function sides(rgba, width, top, bottom) {
  const strip = Math.round(0.2 * width);
  let found = 0;
  for (let y = top; y < bottom; y += 1) {
    for (let x = 0; x < strip; x += 1) found += isSkin(rgba, 4 * (y * width + x)) + isSkin(rgba, 4 * (y * width + width - 1 - x));
  }
  return found / (2 * strip * (bottom - top));
}

/** Whether what has the colour of skin goes on beyond the oval. */
function beside(rgba, width, left, right, top, bottom) {
  const strip = Math.max(1, Math.round(0.06 * width));
  let found = 0;
  for (let y = top; y < bottom; y += 1) {
    for (let x = 0; x < strip; x += 1) {
      found += isSkin(rgba, 4 * (y * width + left - 1 - x)) + isSkin(rgba, 4 * (y * width + right + x));
    }
  }
  return found / (2 * strip * (bottom - top)) > 0.6;
}

/** By its share of red and blue, which hardly depends on how dark a skin is (Chai and Ngan, 1999). */
function isSkin(rgba, at) {
  const red = rgba[at];
  const green = rgba[at + 1];
  const blue = rgba[at + 2];
  const cb = 128 - 0.169 * red - 0.331 * green + 0.5 * blue;
  const cr = 128 + 0.5 * red - 0.419 * green - 0.081 * blue;
  return cb > 77 && cb < 127 && cr > 135 && cr < 175 ? 1 : 0;
}
