// What the figure reads off the record: pure functions, tested against Python.

/** One number a draw: of a way and a label count, both as places in `accuracy` (ways, counts, draws). */
export function drawsOf({ data, shape: [, counts, draws] }, way, count) {
  const start = (way * counts + count) * draws;
  return data.subarray(start, start + draws);
}

/** Arithmetic mean. */
export function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The second row minus the first, draw by draw: mean, and the ends of an interval of `factor` standard errors. */
export function paired(first, second, factor) {
  const differences = Array.from(second, (value, i) => value - first[i]);
  const middle = mean(differences);
  const spread = Math.sqrt(mean(differences.map((one) => (one - middle) ** 2)) / (differences.length - 1));
  return { mean: middle, low: middle - factor * spread, high: middle + factor * spread };
}

/** Which side is ahead by a paired difference: "left", "right", or "" where the interval holds 0. */
export function aheadOf({ low, high }) {
  return low > 0 ? "right" : high < 0 ? "left" : "";
}

/** The answers of a way at a count in one draw, a class each, from `answers` (ways, counts, draws, pictures). */
export function answersOf({ data, shape: [, counts, draws, pictures] }, way, count, draw) {
  const start = ((way * counts + count) * draws + draw) * pictures;
  return data.subarray(start, start + pictures);
}

/** The picture at a point of a grid, both from 0 to 1, or null outside. */
export function pictureAt(x, y, columns, rows) {
  const [column, row] = [Math.floor(x * columns), Math.floor(y * rows)];
  return column >= 0 && column < columns && row >= 0 && row < rows ? column * rows + row : null;
}
