// What the feature map explorer computes: pure functions, tested against PyTorch.
import { largestAt, lenetForward, lenetParameters } from "../lenet.js";

export const SIDE = 28;
const KERNEL = 5;
const TRACED = 5; // terms of a fully connected unit that are joined by lines
// Of each layer: how many units, the side of their maps, and what it reads. Between conv and pool stands ReLU.
export const LAYERS = {
  input: { units: 1, side: SIDE },
  conv1: { units: 6, side: 28, before: "input", padding: 2 },
  pool1: { units: 6, side: 14, before: "conv1" },
  conv2: { units: 16, side: 10, before: "pool1", padding: 0 },
  pool2: { units: 16, side: 5, before: "conv2" },
  fc1: { units: 120, side: 1, before: "pool2" },
  fc2: { units: 84, side: 1, before: "fc1" },
  fc3: { units: 10, side: 1, before: "fc2" },
};
export const NAMES = Object.keys(LAYERS).slice(1);

/** The networks' parameters, [{ "conv1.weight": Float32Array, ... }, ...]. */
export function networksOf(shapes, weights, vectors) {
  return weights.map((own, i) => lenetParameters(shapes, own, vectors[i]));
}

/** Pixels from 0 to 255 as the network takes them. */
export function standardized(pixels, [mean, std]) {
  return new Float64Array(pixels).map((pixel) => (pixel / 255 - mean) / std);
}

/** LeNet's outputs by the names of `LAYERS`; fc1 and fc2 are after ReLU, conv1 and conv2 before it. */
export function forward(network, input) {
  const maps = lenetForward(network, input);
  return { ...maps, input, fc1: maps.relu3, fc2: maps.relu4 };
}

const span = (count, start = 0) => Array.from({ length: count }, (_, i) => start + i);

/** Row and column of a unit's largest value. */
export function strongestPlace(maps, layer, unit) {
  const { side } = LAYERS[layer];
  const at = largestAt(maps[layer].subarray(unit * side * side, (unit + 1) * side * side));
  return [Math.floor(at / side), at % side];
}

export function valueAt(maps, layer, unit, [row, column]) {
  const { side } = LAYERS[layer];
  return maps[layer][(unit * side + row) * side + column];
}

// ---- What a unit reads --------------------------------------------------------------------------------------

/** The places of the layer before that a box of places reads, cut off at the border. */
function windowOf(layer, { top, left, height, width }) {
  const { before, padding } = LAYERS[layer];
  const { side } = LAYERS[before];
  const along = (start, size) => {
    const [from, to] = layer.startsWith("pool")
      ? [2 * start, 2 * (start + size)]
      : [start - padding, start + size + KERNEL - 1 - padding];
    return [Math.max(from, 0), Math.min(to, side)];
  };
  const [rows, columns] = [along(top, height), along(left, width)];
  return { top: rows[0], left: columns[0], height: rows[1] - rows[0], width: columns[1] - columns[0] };
}

/** What a unit of a layer with weights adds up at a place: where each number lies, the number, its weight. */
export function termsOf(network, maps, layer, unit, [row, column]) {
  const { before, padding } = LAYERS[layer];
  const { units, side } = LAYERS[before];
  const weight = network[`${layer}.weight`];
  const [kernel, top, left] = layer.startsWith("fc") ? [side, 0, 0] : [KERNEL, row - padding, column - padding];
  const terms = [];
  for (let c = 0; c < units; c++)
    for (let k = 0; k < kernel * kernel; k++) {
      const place = [top + Math.floor(k / kernel), left + (k % kernel)];
      if (place.some((at) => at < 0 || at >= side)) continue; // padding
      const value = valueAt(maps, before, c, place);
      terms.push({ unit: c, place, value, weight: weight[(unit * units + c) * kernel * kernel + k] });
    }
  return terms;
}

export const biasOf = (network, layer, unit) => network[`${layer}.bias`][unit];

/** The terms with the largest products, by size. */
export function largestTerms(terms, count) {
  const size = ({ value, weight }) => Math.abs(value * weight);
  return [...terms].sort((one, other) => size(other) - size(one)).slice(0, count);
}

/** What each map of the layer before adds to a convolution's sum. */
export function partsOf(terms, units) {
  const sums = new Float64Array(units);
  for (const { unit, value, weight } of terms) sums[unit] += value * weight;
  return sums;
}

/**
 * The way from a unit back to the picture: a step a layer, { layer, boxes, links }. A box is a part of a map that is
 * read. A link leads from a box of the step before to one of this step; its value is what comes over it, where that
 * can be told. Of a fully connected unit the terms that count most are followed, and the first of them further back.
 */
export function trace(network, maps, layer, unit, place) {
  let box = { unit, top: place[0], left: place[1], height: 1, width: 1 };
  let at = place; // the place whose sum is told: behind a pooling, the largest of its four
  const steps = [{ layer, boxes: [box], links: [] }];
  for (let name = layer; name !== "input"; name = LAYERS[name].before) {
    const from = steps.at(-1).boxes;
    const { before } = LAYERS[name];
    const step = { layer: before, ...readBy(network, maps, name, from, at) };
    steps.push(step);
    box = step.boxes[0];
    at = placeIn(maps, before, box);
  }
  return steps;
}

/** The place of the largest value in a box. */
function placeIn(maps, layer, { unit, top, left, height, width }) {
  const places = span(height * width).map((i) => [top + Math.floor(i / width), left + (i % width)]);
  return places[largestAt(places.map((place) => valueAt(maps, layer, unit, place)))];
}

function readBy(network, maps, layer, from, at) {
  const [first] = from;
  if (layer.startsWith("fc")) {
    const terms = largestTerms(termsOf(network, maps, layer, first.unit, [0, 0]), TRACED);
    const boxes = terms.map(({ unit, place: [top, left] }) => ({ unit, top, left, height: 1, width: 1 }));
    return { boxes, links: terms.map(({ value, weight }, to) => ({ from: 0, to, value: value * weight })) };
  }
  const window = windowOf(layer, first);
  if (layer !== "conv2") {
    // A pooling reads the map of its own number, the first convolution the one picture.
    const kept = layer === "pool2" ? [first] : from;
    const boxes = layer === "conv1" ? [{ unit: 0, ...window }] : kept.map(({ unit }) => ({ unit, ...window }));
    return { boxes, links: kept.map((_, i) => ({ from: i, to: layer === "conv1" ? 0 : i })) };
  }
  const parts = partsOf(termsOf(network, maps, layer, first.unit, at), LAYERS.pool1.units);
  const boxes = span(LAYERS.pool1.units).map((unit) => ({ unit, ...window }));
  return { boxes, links: boxes.map((_, to) => ({ from: 0, to, value: parts[to] })) };
}

// ---- Numbers that add up ------------------------------------------------------------------------------------

/** Whole numbers near `values` that add up to `target`: rounded, then those moved that were nearest to the other side. */
export function apportion(values, target) {
  const parts = values.map((value) => Math.round(value) + 0);
  let gap = target - parts.reduce((sum, part) => sum + part, 0);
  const step = Math.sign(gap);
  const order = span(values.length).sort((i, j) => (values[j] - parts[j] - values[i] + parts[i]) * step);
  for (let k = 0; gap && order.length; k++, gap -= step) parts[order[k % order.length]] += step;
  return parts;
}

// ---- The picture that the hand changes ----------------------------------------------------------------------

/** The picture with a square of one gray in it. */
export function coveredBy(pixels, [row, column], size, gray) {
  const out = Uint8Array.from(pixels);
  for (let y = row; y < row + size; y++) out.fill(gray, y * SIDE + column, y * SIDE + column + size);
  return out;
}

// ---- Where everything stands --------------------------------------------------------------------------------

/** Cells in a grid, from a corner. */
function cells(x, y, size, count, columns, [gapX, gapY]) {
  return span(count).map((i) => ({
    x: x + (i % columns) * (size + gapX),
    y: y + Math.floor(i / columns) * (size + gapY),
    size,
  }));
}

const NARROW = 544; // pixels; widget.css has the same width, 34rem

/** The places of the picture, of every unit and of the names, for a width in CSS pixels. */
export function layout(width) {
  return width < NARROW ? tall(width) : wide(width);
}

/** From left to right: picture, maps, linear layers, answers. */
function wide(width) {
  const s = width / 688;
  const [top, body] = [34, 366 * s];
  const grids = {
    conv1: [56, 1],
    pool1: [40, 1],
    conv2: [42, 2],
    pool2: [30, 2],
    fc1: [366 / 30, 4],
    fc2: [366 / 28, 3],
  };
  const gap = 14 * s;
  let x = 148 * s + gap;
  const layers = {};
  for (const [name, [side, columns]] of Object.entries(grids)) {
    const rows = LAYERS[name].units / columns;
    const size = side * s;
    const down = body / rows - size;
    const across = name.startsWith("fc") ? 0 : 4 * s;
    const own = cells(x, top + down / 2, size, LAYERS[name].units, columns, [across, down]);
    layers[name] = { x, y: top - 20, cells: own };
    x += columns * size + (columns - 1) * across + gap;
  }
  const row = body / 10;
  const answers = span(10).map((i) => ({ x, y: top + i * row, width: width - x, height: row }));
  layers.fc3 = { x, y: top - 20, cells: answers };
  return { height: top + body, picture: { x: 0, y: top, size: 148 * s }, layers, upright: false };
}

/** From top to bottom, for a phone. */
function tall(width) {
  const picture = Math.min(104, 0.32 * width);
  const grids = { conv1: [6, 5], pool1: [6, 5], conv2: [16, 2], pool2: [16, 2], fc1: [60, 0], fc2: [60, 0] };
  const share = { pool1: 0.6, pool2: 0.75 }; // smaller maps, each under its own
  const layers = {};
  let y = picture + 8;
  for (const [name, [columns, gap]] of Object.entries(grids)) {
    const pitch = (width + gap) / columns;
    const size = (pitch - gap) * (share[name] ?? 1);
    const { units } = LAYERS[name];
    const rows = Math.ceil(units / columns);
    const x = name === "fc2" ? (width - 42 * pitch) / 2 : (pitch - gap - size) / 2;
    const own = cells(x, y + 15, size, units, name === "fc2" ? 42 : columns, [pitch - size, 0]);
    layers[name] = { x: 0, y, cells: own };
    y += 15 + rows * size + 7;
  }
  const half = (width - 12) / 2;
  const answers = span(10).map((i) => ({
    x: Math.floor(i / 5) * (half + 12),
    y: y + (i % 5) * 20,
    width: half,
    height: 20,
  }));
  layers.fc3 = { x: 0, y, cells: answers };
  return { height: y + 100, picture: { x: 0, y: 0, size: picture }, layers, upright: true };
}

/** The unit under a point and the place in its map; null where there is none. */
export function unitAt(plan, x, y) {
  for (const [layer, { cells }] of Object.entries(plan.layers)) {
    for (const [unit, cell] of cells.entries()) {
      const [width, height] = [cell.width ?? cell.size, cell.height ?? cell.size];
      const [right, down] = [(x - cell.x) / width, (y - cell.y) / height];
      if (right < 0 || right >= 1 || down < 0 || down >= 1) continue;
      const { side } = LAYERS[layer];
      return { layer, unit, place: [down, right].map((at) => Math.floor(at * side)) };
    }
  }
  return null;
}
