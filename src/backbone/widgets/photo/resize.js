// A picture of any size as a network of ImageNet wants to see it: what backbone.pretrained.prepare does with crop=1.

export const SIDE = 224; // of what a network sees, in pixels

/** The central square of a picture, in pixels. */
export function cut(width, height) {
  const side = Math.min(width, height);
  return { left: Math.floor((width - side) / 2), top: Math.floor((height - side) / 2), side };
}

/** Keys's cubic with a = -1/2, as PyTorch's antialiased "bicubic" has it. */
function cubic(x) {
  const t = Math.abs(x);
  if (t < 1) return (1.5 * t - 2.5) * t * t + 1;
  return t < 2 ? ((-0.5 * t + 2.5) * t - 4) * t + 2 : 0;
}

/** For each of the new places in a line: the first old one that it looks at, and the weights of those from there. */
function looks(from, to) {
  const scale = from / to;
  const wide = Math.max(scale, 1); // a filter that is widened as the picture shrinks lets no frequency pass for another
  return Array.from({ length: to }, (_, i) => {
    const center = scale * (i + 0.5);
    const weightOf = (place) => cubic((place - center + 0.5) / wide);
    let first = Math.max(Math.trunc(center - 2 * wide + 0.5), 0);
    let end = Math.min(Math.trunc(center + 2 * wide + 0.5), from);
    while (!weightOf(first)) first++; // where nothing shrinks, one place is left of five
    while (!weightOf(end - 1)) end--;
    const weights = Float64Array.from({ length: end - first }, (_, j) => weightOf(first + j));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

/** Narrow one row of pixels, three numbers each. */
function narrow(row, places, target) {
  let at = 0;
  for (const { first, weights } of places) {
    let [red, green, blue] = [0, 0, 0];
    for (let j = 0, from = 3 * first; j < weights.length; j++) {
      red += weights[j] * row[from++];
      green += weights[j] * row[from++];
      blue += weights[j] * row[from++];
    }
    target[at++] = red;
    target[at++] = green;
    target[at++] = blue;
  }
}

/** Lay one row of pixels, four bytes each with their opacity, over white: three numbers each. */
function overWhite(bytes, from, row) {
  for (let to = 0; to < row.length; from += 4) {
    const opacity = bytes[from + 3] / 255;
    for (let c = 0; c < 3; c++) row[to++] = 255 + opacity * (bytes[from + c] - 255);
  }
}

/**
 * Resize a square, bicubic and antialiased, that comes in bands from the top down. What is transparent becomes white.
 * `add(bytes)` takes the next rows, side x 4 bytes each with their opacity; `result()` is 224 x 224 x 3 numbers from 0 to
 * 255, row by row.
 */
export function resizer(side) {
  const places = looks(side, SIDE);
  const line = 3 * SIDE;
  const [row, narrowed, sums] = [new Float32Array(3 * side), new Float32Array(line), new Float64Array(SIDE * line)];
  let [y, top] = [0, 0]; // the next row, and the first of the new ones that still looks at it
  const add = (bytes) => {
    for (let from = 0; from < bytes.length; from += 4 * side, y++) {
      overWhite(bytes, from, row);
      narrow(row, places, narrowed);
      while (top < SIDE && places[top].first + places[top].weights.length <= y) top++;
      for (let to = top; to < SIDE && places[to].first <= y; to++) {
        const weight = places[to].weights[y - places[to].first] ?? 0;
        for (let i = 0; i < line; i++) sums[to * line + i] += weight * narrowed[i];
      }
    }
  };
  const result = () => Float32Array.from(sums, (sum) => Math.min(Math.max(sum, 0), 255)); // bicubic can pass both
  return { add, result };
}
