// What is done to a photograph, and how a score is the mean of local ones.

import { clamp } from "../kit.js";
import { SIDE } from "../photo/resize.js";

const MOVED = 16 / SIDE; // share of the side
const LUMA = [0.2125, 0.7154, 0.0721]; // as Python mixes gray
const [PATCH, STEP, CELL] = [56, 24, SIDE / 7]; // of what covers: its side and step; and a place of the map, in pixels
const GRAY = 127; // 0 to the network

/** So many places a side has the patch that covers. */
export const PLACES = 8;

/** Where the patch lies, in pixels. */
export const patchAt = (place) => ({
  top: STEP * Math.floor(place / PLACES),
  left: STEP * (place % PLACES),
  side: PATCH,
});

/** The place whose patch has its middle nearest to a point, in pixels. */
export function placeNear(y, x) {
  const [row, column] = [y, x].map((at) => clamp(Math.round((at - PATCH / 2) / STEP), 0, PLACES - 1));
  return row * PLACES + column;
}

/** The patch's place after a step; it stays inside. */
export function placeBeside(place, down, right) {
  const inside = (at) => clamp(at, 0, PLACES - 1);
  return inside(Math.floor(place / PLACES) + down) * PLACES + inside((place % PLACES) + right);
}

/** The cell of the occlusion map that stands for a place: the middle of its patch. */
export function cellAt(place) {
  const { top, left } = patchAt(place);
  const inset = (PATCH - STEP) / 2;
  return { top: top + inset, left: left + inset, side: STEP };
}

/** What moves pixels: for each row and column of the new picture the place in the old one, counted row by row. */
function moveOf(change, side, order) {
  const last = side - 1;
  if (order) {
    const tiles = Math.sqrt(order.length);
    const size = side / tiles;
    return (y, x) => {
      const tile = order[Math.floor(y / size) * tiles + Math.floor(x / size)];
      return (Math.floor(tile / tiles) * size + (y % size)) * side + (tile % tiles) * size + (x % size);
    };
  }
  const right = Math.round(MOVED * side);
  return {
    mirrored: (y, x) => y * side + last - x,
    "upside down": (y, x) => (last - y) * side + x,
    moved: (y, x) => y * side + Math.max(x - right, 0),
  }[change];
}

/** A picture, side x side x 3 numbers from 0 to 255, changed; `order` says which tile stands at each place, or is null. */
export function changedPixels(pixels, change, order = null) {
  const side = Math.sqrt(pixels.length / 3);
  const move = moveOf(change, side, order);
  if (change === "negative") return pixels.map((value) => 255 - value);
  if (change === "as it is") return pixels;
  const result = new Float32Array(pixels.length);
  for (let y = 0, to = 0; y < side; y++)
    for (let x = 0; x < side; x++, to += 3) {
      const from = move ? 3 * move(y, x) : to;
      const [red, green, blue] = [pixels[from], pixels[from + 1], pixels[from + 2]];
      const luma = LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue;
      result[to] = move ? red : luma;
      result[to + 1] = move ? green : luma;
      result[to + 2] = move ? blue : luma;
    }
  return result;
}

/** A picture `by` times smaller, each pixel the mean of a square. */
export function smallerPixels(pixels, by) {
  const side = Math.sqrt(pixels.length / 3);
  const small = side / by;
  const result = new Float32Array(small * small * 3);
  for (let y = 0, from = 0; y < side; y++) {
    const row = Math.floor(y / by) * small;
    for (let x = 0; x < side; x++, from += 3) {
      const to = 3 * (row + Math.floor(x / by));
      for (let c = 0; c < 3; c++) result[to + c] += pixels[from + c];
    }
  }
  return result.map((sum) => sum / (by * by));
}

/** The photograph with the gray patch at a place. */
export function coveredPixels(pixels, place) {
  const result = pixels.slice();
  const { top, left, side } = patchAt(place);
  for (let y = top; y < top + side; y++) result.fill(GRAY, 3 * (y * SIDE + left), 3 * (y * SIDE + left + side));
  return result;
}

/** All places, every second of every second row first. */
export function placesInOrder() {
  const all = Array.from({ length: PLACES * PLACES }, (_, place) => place);
  const coarse = (place) => place % 2 === 0 && Math.floor(place / PLACES) % 2 === 0;
  return [...all.filter(coarse), ...all.filter((place) => !coarse(place))];
}

/** The values of all places; where one is not known yet, that of the coarse place that stands for it, or undefined. */
export function filledIn(values) {
  return Array.from({ length: PLACES * PLACES }, (_, place) => {
    const [row, column] = [Math.floor(place / PLACES), place % PLACES];
    return values[place] ?? values[(row - (row % 2)) * PLACES + column - (column % 2)];
  });
}

/** Scores of the 49 places for a class: the last map's features times the class's weights. */
export function localScores({ data, channels }, weights) {
  return Float64Array.from({ length: data.length / channels }, (_, place) => {
    let sum = 0;
    for (let c = 0, at = place * channels; c < channels; c++) sum += weights[c] * data[at + c];
    return sum;
  });
}

/** The mean of local scores over what the patch covers. */
export function meanUnder(local, place) {
  const { top, left, side } = patchAt(place);
  const overlap = (from, cell) => Math.max(0, Math.min(from + side, (cell + 1) * CELL) - Math.max(from, cell * CELL));
  let sum = 0;
  for (let y = 0; y < 7; y++) for (let x = 0; x < 7; x++) sum += local[7 * y + x] * overlap(top, y) * overlap(left, x);
  return sum / (side * side);
}

/** The place where the map is strongest under the patch. */
export function strongestPlace(local) {
  const means = Array.from({ length: PLACES * PLACES }, (_, place) => meanUnder(local, place));
  return means.indexOf(Math.max(...means));
}

/** Pearson's correlation. */
export function correlation(ones, others) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const away = [ones, others].map((values) => {
    const middle = mean(values);
    return values.map((value) => value - middle);
  });
  const dot = (one, other) => one.reduce((sum, value, i) => sum + value * other[i], 0);
  return dot(...away) / Math.sqrt(dot(away[0], away[0]) * dot(away[1], away[1]));
}

/** Numbers as they are written out: local scores in hundredths and what follows from these, so that they add up exactly. */
export function writtenOut(local, bias) {
  const cells = Array.from(local, (score) => Math.round(100 * score));
  const sum = cells.reduce((total, cell) => total + cell, 0);
  const [mean, rest] = [Math.round((10 * sum) / cells.length), Math.round(1000 * bias)];
  return {
    cells: cells.map((cell) => cell / 100),
    sum: sum / 100,
    mean: mean / 1000,
    bias: rest / 1000,
    score: (mean + rest) / 1000,
  };
}
