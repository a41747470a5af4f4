// What a head is given, and the head: a linear layer with softmax, trained by gradient descent on the whole of what is taught.

import { softmax } from "../engine/maths.js";

export const STEPS = 200;
const RATE = 3; // below 4 the loss can only fall: no vector is longer than 1 once `trainerOf` has scaled it
const DECAY = 0.001; // of the weights, per step and rate: L2

const dot = (one, other) => {
  let sum = 0;
  for (let i = 0; i < one.length; i++) sum += one[i] * other[i];
  return sum;
};

/** The mean of vectors, one for each feature. */
function meanOf(vectors) {
  const mean = new Float64Array(vectors[0].length);
  for (const vector of vectors) for (let i = 0; i < mean.length; i++) mean[i] += vector[i] / vectors.length;
  return mean;
}

/**
 * A head in training. The mean of the taught vectors is taken off, and what remains is scaled so that the longest has
 * length 1: vectors that lie close together are learned in as few steps as others. Its weights begin at 0 and move by
 * gradients, which are sums of the taught vectors; so it is enough to keep how much of each vector is in them, and a step
 * costs as many products as there are pairs of pictures.
 */
export function trainerOf(vectors, labels, classes) {
  const [count, mean] = [vectors.length, meanOf(vectors)];
  const apart = vectors.map((vector) => Float64Array.from(vector, (value, i) => value - mean[i]));
  const size = Math.sqrt(Math.max(...apart.map((vector) => dot(vector, vector)))) || 1;
  const centered = apart.map((vector) => vector.map((value) => value / size));
  const products = centered.map(() => new Float64Array(count));
  for (let i = 0; i < count; i++)
    for (let j = 0; j <= i; j++) products[i][j] = products[j][i] = dot(centered[i], centered[j]);
  const parts = vectors.map(() => new Float64Array(classes));
  const bias = new Float64Array(classes);
  let [steps, loss] = [0, Math.log(classes)];

  const logits = (i) =>
    Array.from(bias, (value, k) => parts.reduce((sum, part, j) => sum + part[k] * products[i][j], value));
  /** How far each share is from what it should be. */
  function errors() {
    loss = 0;
    return labels.map((label, i) => {
      const shares = softmax(logits(i));
      loss -= Math.log(shares[label]) / count;
      shares[label] -= 1;
      return shares;
    });
  }
  function step() {
    errors().forEach((error, i) => {
      for (let k = 0; k < classes; k++) {
        parts[i][k] -= RATE * (error[k] / count + DECAY * parts[i][k]);
        bias[k] -= (RATE * error[k]) / count;
      }
    });
    steps++;
  }
  /** The weights of each class and its bias, for vectors as they come. */
  function head() {
    const weights = Array.from({ length: classes }, (_, k) => {
      const row = new Float64Array(mean.length);
      for (let i = 0; i < count; i++)
        for (let d = 0; d < row.length; d++) row[d] += (parts[i][k] * centered[i][d]) / size;
      return row;
    });
    return { weights, bias: weights.map((row, k) => bias[k] - dot(row, mean)) };
  }
  return { step, head, steps: () => steps, loss: () => (errors(), loss) };
}

/** How likely each class is. */
export const sharesOf = ({ weights, bias }, vector) => softmax(weights.map((row, k) => dot(row, vector) + bias[k]));

/** The likeliest class. */
export const firstOf = (shares) => shares.indexOf(Math.max(...shares));

/** A head after all its steps. */
export function headOf(vectors, labels, classes, steps = STEPS) {
  const trainer = trainerOf(vectors, labels, classes);
  while (trainer.steps() < steps) trainer.step();
  return trainer.head();
}

/** Of each label `count` places at random to teach, the same ones for one seed; all others are asked. */
export function drawOf(labels, count, seed) {
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0; // Numerical Recipes' generator
    return state / 2 ** 32;
  };
  for (let i = 0; i < 8; i++) random();
  const keyed = labels.map((label, at) => ({ label, at, key: random() })).sort((one, other) => one.key - other.key);
  const left = new Map();
  const [taught, asked] = [[], []];
  for (const { label, at } of keyed) {
    const before = left.get(label) ?? 0;
    left.set(label, before + 1);
    (before < count ? taught : asked).push(at);
  }
  return { taught, asked };
}

/** The share of right answers of a head that is taught at some places and asked at others, where vectors may differ. */
export function scoreOf({ taught, asked }, teaching, asking, labels, classes) {
  const pick = (all, places) => places.map((at) => all[at]);
  const head = headOf(pick(teaching, taught), pick(labels, taught), classes);
  return asked.filter((at) => firstOf(sharesOf(head, asking[at])) === labels[at]).length / asked.length;
}

/** A vector at length 1. */
export function unit(vector) {
  const length = Math.sqrt(dot(vector, vector)) || 1;
  const result = new Float32Array(vector);
  for (let i = 0; i < result.length; i++) result[i] /= length;
  return result;
}

/** The stages of the network, each with the module whose output is its last, and how many channels that has. */
export const STAGES = [
  ["stride 4", "_blocks.2", 24],
  ["stride 8", "_blocks.4", 40],
  ["stride 16", "_blocks.10", 112],
  ["stride 32", "_blocks.15", 320],
];
export const WIDE = STAGES.reduce((sum, [, , count]) => sum + count, 0); // numbers that all of them give

/** The mean of each channel of a map, channels last, over all places. */
function meansOf({ data, channels }) {
  const sums = new Float64Array(channels);
  for (let i = 0; i < data.length;) for (let c = 0; c < channels; c++) sums[c] += data[i++];
  return sums.map((sum) => (sum * channels) / data.length);
}

/** What a head can be given of the network's answer, by source, each at length 1. */
export function vectorsOf({ features, taps }) {
  const stages = STAGES.map(([source, tap]) => [source, unit(meansOf(taps[tap]))]);
  return Object.fromEntries([...stages, ["features", unit(features)]]);
}

/** The same from one row of numbers, which has the sources one after the other. */
export function vectorsIn(row) {
  let at = 0;
  const stages = STAGES.map(([source, , count]) => [source, row.subarray(at, (at += count))]);
  return Object.fromEntries([...stages, ["features", row.subarray(at)]]);
}

/** Of what is known plain and in both frames: source -> all three. */
export const bySource = (three) =>
  Object.fromEntries(Object.keys(three[0]).map((source) => [source, three.map((one) => one[source])]));

/** Of the frames, red, green and blue: of none, of the first and of the second class. */
export const COLORS = [null, [0, 114, 178], [240, 228, 66]];

/** A picture, 0 to 255 and channels last, with a frame over its edge, an eighth of its side wide. */
export function framed(pixels, color) {
  if (!color) return pixels;
  const side = Math.sqrt(pixels.length / 3);
  const edge = side / 8;
  const result = pixels.slice();
  const paint = (y, from, to) => {
    for (let i = 3 * (y * side + from), end = 3 * (y * side + to); i < end; i += 3)
      for (let c = 0; c < 3; c++) result[i + c] = color[c];
  };
  for (let y = 0; y < side; y++) {
    if (y < edge || y >= side - edge) paint(y, 0, side);
    else {
      paint(y, 0, edge);
      paint(y, side - edge, side);
    }
  }
  return result;
}

/** A picture whose side is `to`: the means of blocks. */
export function shrunk(pixels, to) {
  const side = Math.sqrt(pixels.length / 3);
  const block = side / to;
  const result = new Float32Array(3 * to * to);
  for (let y = 0, i = 0; y < side; y++) {
    const row = 3 * to * Math.floor(y / block);
    for (let x = 0; x < side; x++) {
      const at = row + 3 * Math.floor(x / block);
      for (let c = 0; c < 3; c++) result[at + c] += pixels[i++] / (block * block);
    }
  }
  return result;
}

/** A picture at 32 x 32, gray at zero, at length 1, plain and in both frames: the rival of the features. */
export function smalls(pixels) {
  const tiny = shrunk(pixels, 32); // of which a frame covers whole blocks
  return COLORS.map((color) => unit(framed(tiny, color).map((value) => value / 255 - 0.5)));
}

/** Which frame a class has, of COLORS. `swapped` changes the two. */
export const frameOf = (label, frames, asked) =>
  frames === "none" || label > 1 ? 0 : asked && frames === "swapped" ? 2 - label : 1 + label;
