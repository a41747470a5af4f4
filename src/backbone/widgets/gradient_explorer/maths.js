// What the gradient explorer computes: pure functions, tested against PyTorch.
// A matrix is a Float64Array, row by row. N pictures, WIDTH units.
import { clamp } from "../kit.js";
import { activationFunctions, steepest } from "../activations.js";

export const MAX_DEPTH = 60;
const [WIDTH, CLASSES] = [24, 10];
export const LOW = -36; // the powers of ten at the ends of the axis
export const HIGH = 12;
const [EPSILON, SATURATED] = [1e-5, 0.01];
export const BINS = 31;
export const GAIN_STEPS = 32; // of the slider, on either side of 1

const FUNCTIONS = { none: { value: (z) => z, derivative: () => 1 }, ...activationFunctions };

/** An activation's values and slopes at all z. */
function activate(name, z) {
  const { value, derivative } = FUNCTIONS[name];
  const [values, slopes] = [new Float64Array(z.length), new Float64Array(z.length)];
  for (let i = 0; i < z.length; i++) {
    values[i] = value(z[i]);
    slopes[i] = derivative(z[i]);
  }
  return [values, slopes];
}

const spread = (init, inputs, outputs) =>
  ({ normal: 0.01, xavier: Math.sqrt(2 / (inputs + outputs)), he: Math.sqrt(2 / inputs) })[init];

/** The weights of a setting, (WIDTH, inputs) for each hidden layer and (CLASSES, WIDTH) last. */
export function weightsOf(noise, inputs, { depth, init, gain }) {
  const weights = [];
  for (let layer = 0, start = 0; layer < depth; layer++) {
    const fan = layer ? WIDTH : inputs;
    const scale = spread(init, fan, WIDTH);
    weights.push(noise.subarray(start, start + WIDTH * fan).map((unit) => unit * scale * gain));
    start += WIDTH * fan;
  }
  const scale = spread("xavier", WIDTH, CLASSES);
  return [...weights, noise.subarray(noise.length - CLASSES * WIDTH).map((unit) => unit * scale)];
}

/** A B with (rows, inner) and (inner, columns). A is read in steps, so that it may lie transposed in memory. */
function product(A, rowStep, innerStep, B, rows, inner, columns) {
  const out = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const to = row * columns;
    // Four rows of B at a time, so that each sum is fetched and stored a quarter as often.
    for (let k = 0; k < inner; k += 4) {
      const at = row * rowStep + k * innerStep;
      const from = k * columns;
      const left = inner - k;
      const a0 = A[at];
      const a1 = left > 1 ? A[at + innerStep] : 0;
      const a2 = left > 2 ? A[at + 2 * innerStep] : 0;
      const a3 = left > 3 ? A[at + 3 * innerStep] : 0;
      const b1 = left > 1 ? from + columns : from;
      const b2 = left > 2 ? from + 2 * columns : from;
      const b3 = left > 3 ? from + 3 * columns : from;
      for (let c = 0; c < columns; c++)
        out[to + c] += a0 * B[from + c] + a1 * B[b1 + c] + (a2 * B[b2 + c] + a3 * B[b3 + c]);
    }
  }
  return out;
}

/** h W^T: (N, inputs) and (outputs, inputs) give (N, outputs). */
function forwards(h, weight, N) {
  const inputs = h.length / N;
  const outputs = weight.length / inputs;
  const turned = new Float64Array(weight.length); // (inputs, outputs)
  for (let o = 0; o < outputs; o++) for (let i = 0; i < inputs; i++) turned[i * outputs + o] = weight[o * inputs + i];
  return product(h, inputs, 1, turned, N, inputs, outputs);
}

/** g W: the gradient of what came in, (N, inputs), from that of what went out, (N, outputs). */
function backwards(g, weight, N) {
  const outputs = g.length / N;
  return product(g, outputs, 1, weight, N, outputs, weight.length / outputs);
}

/** g^T h: the gradient of the weight, (outputs, inputs). */
function weightGradient(g, h, N) {
  return product(g, 1, g.length / N, h, g.length / N, N, h.length / N);
}

/** Where the groups lie that are normalized together: each unit over the pictures, or each picture over its units. */
function groupsOf(kind, N) {
  return kind === "batch"
    ? { groups: WIDTH, jump: 1, size: N, stride: WIDTH }
    : { groups: N, jump: WIDTH, size: WIDTH, stride: 1 };
}

/** z with mean 0 and variance 1 in each group, and the number that each group was divided by. */
function normalize(z, kind, N) {
  const { groups, jump, size, stride } = groupsOf(kind, N);
  const [out, scales] = [new Float64Array(z.length), new Float64Array(groups)];
  for (let group = 0; group < groups; group++) {
    const start = group * jump;
    let [mean, variance] = [0, 0];
    for (let i = 0; i < size; i++) mean += z[start + i * stride];
    mean /= size;
    for (let i = 0; i < size; i++) {
      const away = z[start + i * stride] - mean;
      variance += away * away;
    }
    scales[group] = Math.sqrt(variance / size + EPSILON);
    for (let i = 0; i < size; i++) out[start + i * stride] = (z[start + i * stride] - mean) / scales[group];
  }
  return { out, scales };
}

/** The way back through it: mean and variance depend on z too, so what only moves or stretches a group is taken out. */
function normalizeBack(g, z, scales, kind, N) {
  const { groups, jump, size, stride } = groupsOf(kind, N);
  const out = new Float64Array(g.length);
  for (let group = 0; group < groups; group++) {
    const start = group * jump;
    let [moved, stretched] = [0, 0];
    for (let i = 0; i < size; i++) {
      moved += g[start + i * stride];
      stretched += g[start + i * stride] * z[start + i * stride];
    }
    for (let i = 0, at = start; i < size; i++, at += stride) {
      out[at] = (g[at] - moved / size - (z[at] * stretched) / size) / scales[group];
    }
  }
  return out;
}

/** The mean cross-entropy, and its gradient with respect to the logits. */
function crossEntropy(logits, labels) {
  const grad = new Float64Array(logits.length);
  const N = labels.length;
  let loss = 0;
  for (let n = 0; n < N; n++) {
    const row = logits.subarray(n * CLASSES, (n + 1) * CLASSES);
    const top = Math.max(...row);
    const total = row.reduce((sum, z) => sum + Math.exp(z - top), 0);
    loss -= (row[labels[n]] - top - Math.log(total)) / N;
    for (let c = 0; c < CLASSES; c++)
      grad[n * CLASSES + c] = (Math.exp(row[c] - top) / total - (c === labels[n] ? 1 : 0)) / N;
  }
  return { loss, grad };
}

function add(one, other) {
  const out = new Float64Array(one.length);
  for (let i = 0; i < out.length; i++) out[i] = one[i] + other[i];
  return out;
}

function times(one, other) {
  const out = new Float64Array(one.length);
  for (let i = 0; i < out.length; i++) out[i] = one[i] * other[i];
  return out;
}

/** The root of the mean square, safe where squares leave the range of numbers. */
export function rms(values) {
  let [largest, total] = [0, 0];
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]));
  if (!largest) return 0;
  for (let i = 0; i < values.length; i++) {
    const share = values[i] / largest;
    total += share * share;
  }
  return largest * Math.sqrt(total / values.length);
}

/** Forward and back through a network; what is kept of each layer has its name in `measure`. */
export function trace(weights, { activation, normalization, residual }, x, labels) {
  const N = labels.length;
  const layers = [];
  let h = x;
  for (const [l, weight] of weights.slice(0, -1).entries()) {
    const adds = residual && l > 0;
    const sums = adds ? h : forwards(h, weight, N);
    const { out: z, scales } = normalization ? normalize(sums, normalization, N) : { out: sums };
    const [value, slope] = activate(activation, z);
    const next = adds ? add(h, forwards(value, weight, N)) : value;
    layers.push({ adds, input: h, z, scales, value, slope, h: next });
    h = next;
  }
  const { loss, grad } = crossEntropy(forwards(h, weights.at(-1), N), labels);
  let g = backwards(grad, weights.at(-1), N);
  for (let l = layers.length - 1; l >= 0; l--) {
    const layer = layers[l];
    layer.grad = g;
    const through = times(layer.adds ? backwards(g, weights[l], N) : g, layer.slope);
    const gradSums = normalization ? normalizeBack(through, layer.z, layer.scales, normalization, N) : through;
    layer.gradW = layer.adds ? weightGradient(g, layer.value, N) : weightGradient(gradSums, layer.input, N);
    if (l > 0) g = layer.adds ? add(g, gradSums) : backwards(gradSums, weights[l], N);
  }
  return { loss, layers };
}

/** One number for each layer, as in Python's GradientProfile; and the values themselves, for the histograms. */
export function measure(weights, setting, x, labels) {
  const { loss, layers } = trace(weights, setting, x, labels);
  const least = SATURATED * steepest(FUNCTIONS[setting.activation]);
  const spreads = layers.map(({ h }) => meanAndStd(h));
  return {
    loss,
    gradH: layers.map(({ grad }) => rms(grad)),
    gradW: layers.map(({ gradW }) => rms(gradW)),
    mean: spreads.map(({ mean }) => mean),
    std: spreads.map(({ std }) => std),
    saturated: layers.map(({ slope }) => smallShare(slope, least)),
    dead: layers.map(({ slope }) => deadShare(slope, labels.length)),
    h: layers.map(({ h }) => h),
    grad: layers.map(({ grad }) => grad),
  };
}

function meanAndStd(values) {
  let mean = 0;
  for (let i = 0; i < values.length; i++) mean += values[i] / values.length;
  const away = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) away[i] = values[i] - mean;
  return { mean, std: rms(away) };
}

function smallShare(slopes, least) {
  let count = 0;
  for (let i = 0; i < slopes.length; i++) if (Math.abs(slopes[i]) < least) count++;
  return count / slopes.length;
}

/** The share of the units whose slope is 0 for every picture. */
function deadShare(slope, N) {
  let count = 0;
  for (let unit = 0; unit < WIDTH; unit++) {
    let n = 0;
    while (n < N && slope[n * WIDTH + unit] === 0) n++;
    if (n === N) count++;
  }
  return count / WIDTH;
}

/** What is left of a gradient on its way from the last layer to the first, and the mean factor of one layer. */
export function summary(sizes) {
  const ratio = sizes[0] / sizes.at(-1);
  return { ratio, factor: ratio ** (1 / (sizes.length - 1)) };
}

/** Counts in equal bins from -limit to limit, the largest size. */
export function histogram(values) {
  let limit = 0;
  for (const value of values) limit = Math.max(limit, Math.abs(value));
  const counts = new Array(BINS).fill(0);
  for (const value of values) {
    const at = limit ? Math.floor(((value / limit + 1) / 2) * BINS) : (BINS - 1) / 2;
    counts[Math.min(at, BINS - 1)]++;
  }
  return { limit, counts };
}

/** The size that half of the values do not exceed. */
export function middleSize(values) {
  const sizes = Float64Array.from(values, Math.abs).sort();
  return (sizes[(sizes.length >> 1) - 1] + sizes[sizes.length >> 1]) / 2;
}

/** Gain and place on its slider: 0.25 to 4, 1 in the middle. */
export const toGain = (step) => Number((4 ** (step / GAIN_STEPS)).toPrecision(3));
export const toStep = (gain) => Math.round((GAIN_STEPS * Math.log(gain)) / Math.log(4));

/** Each layer's size as a power of ten of the last layer's. */
export const logsOf = (sizes) => sizes.map((size) => Math.log10(size / sizes.at(-1)));

/** A power of ten's height on the axis, from 0 to 1; what lies beyond is cut. */
export const heightOf = (log) => clamp((log - LOW) / (HIGH - LOW), 0, 1);

/** The layer that a gradient has come back to after so many steps; at the loss, the last. */
export const layerAt = (step, depth) => Math.min(depth, depth - Math.floor(step) + 1);

/** The answer that lies nearest to a power of ten. */
export const nearest = (answers, log) =>
  answers.reduce((best, one) => (Math.abs(one - log) < Math.abs(best - log) ? one : best));
