// LeNet learns in the page: pure functions, tested against PyTorch.

import { softmax } from "../engine/maths.js";
import { largestAt, lenetForward, lenetPadded } from "../lenet.js";

const KEEP = 0.9; // of the velocity, at each step
const CALM = 0.9; // of what is shown of losses and gradients, which jump from batch to batch
const CHECK = 20; // steps from one look at the held-out pictures to the next
const PROBE = 100; // pictures for the gradient before the first step

/** Parts of one flat array by the parameters' names; `shapes` are [[name, sizes], ...]. */
export function viewsOf(shapes, flat) {
  let at = 0;
  const part = (sizes) => flat.subarray(at, (at += sizes.reduce((product, size) => product * size, 1)));
  return Object.fromEntries(shapes.map(([name, sizes]) => [name, part(sizes)]));
}

/** A picture out of bytes that hold several pixels each, the first in the highest bits: (gray - mean) / std, gray 0 to 1. */
export function unpack(bytes, bits, [mean, std] = [0, 1]) {
  const [each, top] = [8 / bits, 2 ** bits - 1];
  const values = Array.from({ length: top + 1 }, (_, gray) => (gray / top - mean) / std);
  const picture = new Float32Array(bytes.length * each);
  for (let i = 0; i < picture.length; i++)
    picture[i] = values[(bytes[Math.floor(i / each)] >> (8 - bits * (1 + (i % each)))) & top];
  return picture;
}

/** Number `i` of a random sequence, from 0 to 1: mulberry32, which Python has too. */
function drawAt(seed, i) {
  let t = (seed + Math.imul(i + 1, 0x6d2b79f5)) | 0;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

/** How far the first weights of each layer reach: one over the root of the inputs of a unit, as in PyTorch. */
export function boundsOf(shapes) {
  const inputs = ([, ...sides]) => sides.reduce((product, side) => product * side, 1);
  return new Map(
    shapes.filter(([, { length }]) => length > 1).map(([name, sizes]) => [name.split(".")[0], inputs(sizes) ** -0.5]),
  );
}

/** The first weights, in one flat array. */
function firstWeights(shapes, seed, Type) {
  const bounds = boundsOf(shapes);
  const sizeOf = ([, sizes]) => sizes.reduce((product, size) => product * size, 1);
  const flat = new Type(shapes.reduce((sum, shape) => sum + sizeOf(shape), 0));
  let at = 0;
  for (const shape of shapes) {
    const [bound, end] = [bounds.get(shape[0].split(".")[0]), at + sizeOf(shape)];
    for (; at < end; at++) flat[at] = Math.fround((2 * drawAt(seed, at) - 1) * bound);
  }
  return flat;
}

/** The order of the pictures in one pass: by random numbers, which stand behind those of the first weights. */
export function orderOf(seed, pass, count, behind) {
  const rank = Float64Array.from({ length: count }, (_, i) => drawAt(seed, behind + pass * count + i));
  return Uint32Array.from(rank.keys()).sort((a, b) => rank[a] - rank[b]);
}

/** What a linear layer passes back to its inputs, which come out of a ReLU; `back` is what it gets from above. */
function linearBack(values, back, weight, weightGradient, biasGradient) {
  const count = values.length;
  const passed = new Float64Array(count);
  for (let o = 0; o < back.length; o++) {
    const g = back[o];
    if (!g) continue;
    biasGradient[o] += g;
    for (let i = 0, at = o * count; i < count; i++, at++) {
      weightGradient[at] += g * values[i];
      passed[i] += g * weight[at];
    }
  }
  return closed(passed, values);
}

/** A gradient ends where a ReLU gave zero. */
function closed(passed, values) {
  for (let i = 0; i < values.length; i++) if (!(values[i] > 0)) passed[i] = 0;
  return passed;
}

/** The place in a map that won its window of 2 x 2; the first where several are equal. */
function winner(relu, largest, side, at) {
  const half = side / 2;
  const first = 2 * Math.floor(at / half) * side + 2 * (at % half);
  return [first, first + 1, first + side].find((place) => relu[place] === largest) ?? first + side + 1;
}

/**
 * Back through pooling, ReLU and a convolution of 5 x 5. Only winners pass anything on: a quarter of the places at most.
 * `passed` takes what goes to the inputs, `maps`, whose rows are `wide` long; null where nobody asks.
 */
function convolutionBack({ maps, wide, channels, side, relu, pooled, back }, weight, weightGradient, bias, passed) {
  for (let at = 0; at < back.length; at++) {
    const g = back[at];
    if (!g) continue;
    const place = winner(relu, pooled[at], side, at);
    const o = Math.floor(place / (side * side));
    const [i, j] = [Math.floor(place / side) % side, place % side];
    bias[o] += g;
    for (let c = 0; c < channels; c++) {
      for (let u = 0; u < 5; u++) {
        const [source, w] = [(c * wide + i + u) * wide + j, ((o * channels + c) * 5 + u) * 5];
        for (let v = 0; v < 5; v++) weightGradient[w + v] += g * maps[source + v];
        if (passed) for (let v = 0; v < 5; v++) passed[source + v] += g * weight[w + v];
      }
    }
  }
}

/** Add the gradient of one picture's loss to `gradients`; returns the loss. */
export function backward(parameters, picture, label, gradients) {
  const layers = lenetForward(parameters, picture);
  const of = (name) => [parameters[`${name}.weight`], gradients[`${name}.weight`], gradients[`${name}.bias`]];
  const { relu1, pool1, relu2, pool2, relu3, relu4, fc3 } = layers;
  const shares = softmax(fc3);
  let back = Float64Array.from(shares, (share, i) => share - (i === label));
  back = linearBack(relu4, back, ...of("fc3"));
  back = linearBack(relu3, back, ...of("fc2"));
  back = linearBack(pool2, back, ...of("fc1"));
  const passed = new Float64Array(pool1.length);
  const second = { maps: pool1, wide: 14, channels: 6, side: 10, relu: relu2, pooled: pool2, back };
  convolutionBack(second, ...of("conv2"), passed);
  const maps = lenetPadded(picture, 28, 1, 2);
  const first = { maps, wide: 32, channels: 1, side: 28, relu: relu1, pooled: pool1, back: closed(passed, pool1) };
  convolutionBack(first, ...of("conv1"), null);
  return -Math.log(shares[label]);
}

/** A step of gradient descent with momentum; `gradients` are sums over `size` pictures, and are emptied. */
export function descend(weights, velocity, gradients, size, rate) {
  for (let i = 0; i < weights.length; i++) {
    velocity[i] = KEEP * velocity[i] + gradients[i] / size;
    weights[i] -= rate * velocity[i];
  }
  gradients.fill(0);
}

/** The root of the mean square over the weights of each layer, conv1 first. */
export function sizesOf(parameters, scale = 1) {
  const weights = Object.entries(parameters).filter(([name]) => name.endsWith("weight"));
  return weights.map(
    ([, values]) => scale * Math.sqrt(values.reduce((sum, one) => sum + one * one, 0) / values.length),
  );
}

/**
 * A network before its first step. `data`: `input(i)` is picture `i` to learn from, with `labels`; `held` are those held out,
 * with `heldLabels`.
 */
export function begin(data, seed, Type = Float32Array) {
  const weights = firstWeights(data.shapes, seed, Type);
  const gradients = new Type(weights.length);
  return {
    ...{ data, seed, weights, gradients, parameters: viewsOf(data.shapes, weights) },
    ...{ first: weights.slice(), velocity: new Type(weights.length), slopes: viewsOf(data.shapes, gradients) },
    ...{
      seen: 0,
      batchLoss: 0,
      loss: null,
      curve: [],
      sizes: null,
      start: null,
      order: null,
      lost: false,
      given: false,
    },
    ...{ says: new Int8Array(data.heldLabels.length).fill(-1), checked: 0, probed: 0 },
  };
}

/** Put other weights into a network; it looks at the held-out pictures again. */
export function adopt(net, weights) {
  net.weights.set(weights);
  net.velocity.fill(0);
  net.given = true;
  net.checked = 0;
}

/** Whether the held-out pictures and the first gradient are done, so that what is shown is of one moment. */
export const settled = (net) => net.checked === net.data.heldLabels.length && net.start !== null;

/** One picture's work: first those held out and the gradient before the first step, then learning, where `rate` is given. */
export function work(net, rate = 0) {
  const { data, parameters, slopes } = net;
  if (net.checked < data.heldLabels.length) {
    net.says[net.checked] = largestAt(scoresOf(net, data.held[net.checked]));
    net.checked += 1;
  } else if (!net.start) {
    const count = Math.min(PROBE, data.labels.length);
    const at = Math.floor((net.probed * data.labels.length) / count); // they stand class by class
    backward(parameters, data.input(at), data.labels[at], slopes);
    net.probed += 1;
    if (net.probed < count) return;
    net.sizes = net.start = sizesOf(slopes, 1 / net.probed);
    net.gradients.fill(0);
  } else if (rate && !net.lost) learn(net, rate);
}

/** Learn from the next picture; the last of a batch makes the step. */
function learn(net, rate) {
  const { data, parameters, slopes, weights, velocity, gradients, seen } = net;
  const [count, { batch }] = [data.labels.length, data];
  if (seen % count === 0) net.order = orderOf(net.seed, seen / count, count, weights.length);
  const at = net.order[seen % count];
  net.batchLoss += backward(parameters, data.input(at), data.labels[at], slopes) / batch;
  net.seen += 1;
  if (net.seen % batch) return;
  const blend = (before, now) => (before === null ? now : CALM * before + (1 - CALM) * now);
  net.loss = blend(net.loss, net.batchLoss);
  net.sizes = sizesOf(slopes, 1 / batch).map((size, i) => Math.sqrt(blend(net.sizes[i] ** 2, size ** 2)));
  net.batchLoss = 0;
  descend(weights, velocity, gradients, batch, rate);
  net.lost = !Number.isFinite(net.loss) || !Number.isFinite(net.sizes[0]);
  if (!net.lost) net.curve.push([net.seen / count, net.loss]);
  if (net.seen % (CHECK * batch) === 0) net.checked = 0;
}

/** How many held-out pictures are named right. */
export const rightOf = ({ says, data }) => says.reduce((sum, one, i) => sum + (one === data.heldLabels[i]), 0);

/** Weights as a file that numpy.load reads: format 1.0, float32, one row. */
export function npyOf(weights) {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${weights.length},), }`;
  const header = new TextEncoder().encode(`\x00NUMPY\x01\x00\x00\x00${text.padEnd(117)}\n`);
  header[0] = 0x93;
  header[8] = 118;
  return new Blob([header, Float32Array.from(weights)]);
}

/** The ten scores of a picture. */
export const scoresOf = ({ parameters }, picture) => lenetForward(parameters, picture).fc3;
