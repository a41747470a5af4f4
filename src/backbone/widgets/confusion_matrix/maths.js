// What the confusion matrix computes: pure functions, tested against Python.

import { clamp } from "../kit.js";

export const PAIRS = ["both", "first", "second", "neither"];

/** Counts: a row for each true class, a column for each called one. */
export function countMatrix(labels, called, size) {
  const matrix = Array.from({ length: size }, () => new Array(size).fill(0));
  labels.forEach((truth, i) => matrix[truth][called[i]]++);
  return matrix;
}

export const rowSums = (matrix) => matrix.map((row) => row.reduce((all, count) => all + count, 0));
const columnSums = (matrix) => matrix.map((_, j) => matrix.reduce((all, row) => all + row[j], 0));

/** Hits over totals, class by class; null where it is 0 / 0. */
export const recallOf = (matrix) => rowSums(matrix).map((sum, i) => (sum ? matrix[i][i] / sum : null));
export const precisionOf = (matrix) => columnSums(matrix).map((sum, i) => (sum ? matrix[i][i] / sum : null));

/** What stands in the cells: counts, or percent of the row or of the column; null where that is 0 / 0. */
export function cellValues(matrix, numbers) {
  if (numbers === "counts") return matrix;
  const [rows, columns] = [rowSums(matrix), columnSums(matrix)];
  return matrix.map((row, i) =>
    row.map((count, j) => {
      const total = numbers === "rows" ? rows[i] : columns[j];
      return total ? (100 * count) / total : null;
    }),
  );
}

/** How strong each cell's color is, 0 to 1: on the diagonal the recall, elsewhere the share of the largest error. */
export function strengths(matrix) {
  const recalls = recallOf(matrix);
  const largest = Math.max(1, ...matrix.flatMap((row, i) => row.filter((_, j) => i !== j)));
  return matrix.map((row, i) => row.map((count, j) => (i === j ? (recalls[i] ?? 0) : count / largest)));
}

/** For each picture: both, first, second or neither is right. */
export function pairing(labels, first, second) {
  return Array.from(labels, (truth, i) => PAIRS[(first[i] === truth ? 0 : 2) + (second[i] === truth ? 0 : 1)]);
}

/** Of the pictures asked and answered so far, how many the reader and the network tell right. */
export function scoreOf(asked, guesses, labels, called) {
  const answered = asked.slice(0, guesses.length);
  return {
    right: answered.filter((picture, i) => guesses[i] === labels[picture]).length,
    itsRight: answered.filter((picture) => called[picture] === labels[picture]).length,
  };
}

/** McNemar's exact two-sided p-value: the binomial distribution with one half. Logarithms, for 2^n overflows. */
export function exactP(b, c) {
  const n = b + c;
  let [term, tail] = [-n * Math.LN2, 0];
  for (let i = 0; i <= Math.min(b, c); i++) {
    if (i) term += Math.log((n - i + 1) / i);
    tail += Math.exp(term);
  }
  return Math.min(1, 2 * tail);
}

/** Gray levels from bytes that hold two each, the first in the high half. */
export function unpacked(bytes) {
  const levels = new Uint8Array(2 * bytes.length);
  bytes.forEach((byte, i) => {
    levels[2 * i] = byte >> 4;
    levels[2 * i + 1] = byte & 15;
  });
  return levels;
}

/** The cell that a key leads to from a cell, among 0 to `last`; undefined where the key means nothing. */
export function cellAfter(key, [i, j], last) {
  const targets = {
    ArrowUp: [i - 1, j],
    ArrowDown: [i + 1, j],
    ArrowLeft: [i, j - 1],
    ArrowRight: [i, j + 1],
    Home: [i, 0],
    End: [i, last],
    PageUp: [0, j],
    PageDown: [last, j],
    Enter: [i, j],
    " ": [i, j],
  };
  return targets[key]?.map((at) => clamp(at, 0, last));
}
