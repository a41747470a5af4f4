// Which maps are shown, and how they are painted: as in Python.

import { clamp } from "../kit.js";

const KEPT = 56; // pixels of a map's side that are kept

/** Which of the maps vary most from place to place. `data` is channels last. */
export function liveliest({ data, channels }, count) {
  const places = data.length / channels;
  const [sums, squares] = [new Float64Array(channels), new Float64Array(channels)];
  for (let p = 0, at = 0; p < places; p++) for (let c = 0; c < channels; c++, at++) sums[c] += data[at];
  for (let p = 0, at = 0; p < places; p++)
    for (let c = 0; c < channels; c++, at++) squares[c] += (data[at] - sums[c] / places) ** 2;
  const order = Array.from(squares.keys()).sort((one, other) => squares[other] - squares[one] || one - other);
  return order.slice(0, count);
}

/** One map as bytes: 128 is zero, its own largest size 1 or 255. A large map is averaged down. */
export function levels({ data, side, channels }, channel) {
  const step = Math.ceil(side / KEPT);
  const small = side / step;
  const sums = new Float64Array(small * small);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++)
      sums[Math.floor(y / step) * small + Math.floor(x / step)] +=
        data[(y * side + x) * channels + channel] / step ** 2;
  const largest = sums.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  return Uint8Array.from(sums, (value) => 128 + roundEven((127 * value) / largest));
}

/** Rounded as NumPy does: halves to the even neighbor. */
function roundEven(value) {
  const low = Math.floor(value);
  if (value - low !== 0.5) return Math.round(value);
  return low % 2 ? low + 1 : low;
}

/** The side of a map as it is painted. */
export const paintedSide = (side) => side / Math.ceil(side / KEPT);

/** Where on the photograph the place is after a share of its way once round the middle, where it begins and ends. */
export function wayRound(share) {
  const [turn, far] = [2 * Math.PI * (share % 1), 0.33 * Math.sin(Math.PI * (share % 1)) ** 0.5];
  return [0.5 - far * Math.cos(turn), 0.5 + far * Math.sin(turn)];
}

/** The place of a map under a point of the photograph, both from 0 to 1: its row and column, and its frame in shares. */
export function cellAt(side, [y, x]) {
  const at = (share) => clamp(Math.floor(share * side), 0, side - 1);
  return { row: at(y), column: at(x), top: at(y) / side, left: at(x) / side, size: 1 / side };
}
