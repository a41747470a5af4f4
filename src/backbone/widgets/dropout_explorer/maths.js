// What dropout does to a small network: pure functions, tested against Python.

import { clamp } from "../kit.js";

export const BARS = 37;
const MOST = 5000;
/** How many runs there are after each step of the film: one more at first, then an eighth more. */
export const RUNS = [1];
while (RUNS.at(-1) < MOST) RUNS.push(Math.min(MOST, Math.max(RUNS.at(-1) + 1, Math.round(RUNS.at(-1) * 1.125))));

/** The last step of the film with no more than so many runs. */
export const stepOf = (runs) => RUNS.findLastIndex((count) => count <= runs);

/** Number `index` of a seed's sequence, from 0 to 1, 1 left out: mulberry32 (Tommy Ettinger, public domain). */
export function uniform(seed, index) {
  const state = (Math.imul(seed, 0x9e3779b9) + Math.imul(index + 1, 0x6d2b79f5)) >>> 0;
  let out = Math.imul(state ^ (state >>> 15), state | 1);
  out ^= out + Math.imul(out ^ (out >>> 7), out | 61);
  return ((out ^ (out >>> 14)) >>> 0) / 2 ** 32;
}

/** Which units run number `run` (from 0) keeps. A smaller p keeps all that a larger one keeps. */
function maskOf(seed, run, units, p) {
  return Array.from({ length: units }, (_, j) => uniform(seed, run * units + j) >= p);
}

/** The hidden units' values before dropout. */
function hiddenOf({ weight, bias }, x) {
  return weight.map((row, j) =>
    Math.max(
      row.reduce((sum, w, i) => sum + w * x[i], bias[j]),
      0,
    ),
  );
}

/** What a kept unit is multiplied with in training, and each unit at test time. */
function factorsOf(scaling, p) {
  if (scaling === "inverted") return { train: p < 1 ? 1 / (1 - p) : 1, test: 1 };
  return { train: 1, test: scaling === "test time" ? 1 - p : 1 };
}

/** From a sum over units to the output. */
export function headOf(sum, factor, bias, head) {
  const z = sum * factor + bias;
  return head === "relu" ? Math.max(z, 0) : z;
}

/** The sum of the kept units' products; `kept(j)` says whether unit j is kept. */
export function sumOf(products, kept) {
  return products.reduce((sum, product, j) => (kept(j) ? sum + product : sum), 0);
}

/** The outputs of the first `count` runs, and the masks as numbers, unit 0 the lowest bit. */
export function runAll(products, { p, scaling, head, seed, count, bias }) {
  const { train } = factorsOf(scaling, p);
  const units = products.length;
  const outputs = new Float64Array(count);
  const masks = new Uint16Array(count);
  for (let run = 0; run < count; run++) {
    let [sum, mask] = [0, 0];
    for (let j = 0; j < units; j++) {
      if (uniform(seed, run * units + j) < p) continue;
      sum += products[j];
      mask |= 1 << j;
    }
    outputs[run] = headOf(sum, train, bias, head);
    masks[run] = mask;
  }
  return { outputs, masks };
}

/** Every mask once: the mean with its probabilities, the smallest and largest output, and whether sums have two signs. */
function overAll(products, { p, scaling, head, bias }) {
  const { train } = factorsOf(scaling, p);
  const units = products.length;
  let [mean, low, high, below, above] = [0, Infinity, -Infinity, false, false];
  for (let mask = 0; mask < 1 << units; mask++) {
    let [sum, chance] = [0, 1];
    for (let j = 0; j < units; j++) {
      const kept = (mask >> j) & 1;
      if (kept) sum += products[j];
      chance *= kept ? 1 - p : p;
    }
    if (!chance) continue;
    const z = sum * train + bias;
    const y = headOf(sum, train, bias, head);
    mean += chance * y;
    [low, high] = [Math.min(low, y), Math.max(high, y)];
    [below, above] = [below || z < 0, above || z > 0];
  }
  return { mean, low, high, bent: below && above };
}

/** Mean, standard deviation and the mean's standard error; of one number the last two are not known. */
export function statistics(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const deviation = values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : NaN;
  return { mean, deviation, error: deviation / Math.sqrt(values.length) };
}

/** Counts in bins of equal width; the last bin holds its upper edge. */
export function binned(values, low, high, count) {
  const bins = new Array(count).fill(0);
  for (const value of values) bins[clamp(Math.floor(((value - low) / (high - low)) * count), 0, count - 1)]++;
  return bins;
}

/** All that follows from the settings. `hand` are units kept by hand, or none. */
export function resultOf(net, x, settings, hand) {
  const { p, scaling, head, seed, count } = settings;
  const bias = net.output_bias;
  const hidden = hiddenOf(net, x);
  const products = hidden.map((value, j) => value * net.output_weight[j]);
  const kept = hand.length ? hand : maskOf(seed, count - 1, products.length, p);
  const { outputs, masks } = runAll(products, { ...settings, bias });
  const factors = factorsOf(scaling, p);
  const sums = { own: sumOf(products, (j) => kept[j]), full: sumOf(products, () => true) };
  return {
    hidden,
    products,
    kept,
    outputs,
    factors,
    sums,
    all: overAll(products, { ...settings, bias }),
    ...statistics(outputs),
    seen: new Set(masks).size,
    own: headOf(sums.own, factors.train, bias, head),
    test: headOf(sums.full, factors.test, bias, head),
  };
}

/** Why the mean over all masks is the value at test time, or is not. */
export function verdictOf({ p, scaling, head }, { all, test }) {
  if (p === 0) return "same";
  if (Math.abs(all.mean - test) < 1e-9 * (1 + Math.abs(test))) return head === "linear" || all.bent ? "exact" : "flat";
  if (p === 1) return "gone";
  return scaling === "none" ? "unscaled" : "bent";
}
