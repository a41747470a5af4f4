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
    const first = Math.max(Math.trunc(center - 2 * wide + 0.5), 0);
    const end = Math.min(Math.trunc(center + 2 * wide + 0.5), from);
    const weights = Float64Array.from({ length: end - first }, (_, j) => cubic((first + j - center + 0.5) / wide));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

/** Narrow one row of pixels, three numbers each, and write it from place `at` on. */
function narrow(row, places, target, at) {
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

/**
 * Cut the central square out of a picture, width x height x 4 bytes with its opacity, and resize it, bicubic and
 * antialiased. What is transparent becomes white. Returns 224 x 224 x 3 numbers from 0 to 255, row by row.
 */
export function prepare(pixels, width, height) {
  const { left, top, side } = cut(width, height);
  const places = looks(side, SIDE);
  const line = 3 * SIDE;
  const row = new Float32Array(3 * side);
  const rows = new Float32Array(side * line);
  const same = side === SIDE; // then each filter is 1 at its place and 0 beside it
  for (let y = 0; y < side; y++) {
    for (let x = 0, from = 4 * ((top + y) * width + left); x < side; x++, from += 4) {
      const opacity = pixels[from + 3] / 255;
      for (let c = 0; c < 3; c++) row[3 * x + c] = 255 + opacity * (pixels[from + c] - 255);
    }
    if (same) rows.set(row, y * line);
    else narrow(row, places, rows, y * line);
  }
  if (same) return rows;
  const result = new Float32Array(SIDE * line);
  const sums = new Float64Array(line);
  places.forEach(({ first, weights }, y) => {
    sums.fill(0);
    weights.forEach((weight, j) => {
      for (let i = 0, from = (first + j) * line; i < line; i++) sums[i] += weight * rows[from + i];
    });
    for (let i = 0; i < line; i++) result[y * line + i] = Math.min(Math.max(sums[i], 0), 255); // bicubic can pass both
  });
  return result;
}
