// A small network, its training, and where it is drawn: pure functions, tested against PyTorch.
// `columns`: the inputs, one array of N numbers for each of x1 and x2. `layers`: [{ weight: rows, bias }].

export const MAX_DEPTH = 4;
export const MAX_WIDTH = 8;
export const STARTS = 8;
export const GRID = 40; // places along each side of the plane where the network is asked
const MEMORY = 600; // states that are remembered; beyond, every second one

export const sigmoid = (z) => 1 / (1 + Math.exp(-z));

/** Each activation, and its slope from its argument z and its value a. */
const ACTIVATIONS = {
  none: { value: (z) => z, slope: () => 1 },
  relu: { value: (z) => Math.max(z, 0), slope: (z) => (z > 0 ? 1 : 0) },
  tanh: { value: Math.tanh, slope: (z, a) => 1 - a * a },
  sigmoid: { value: sigmoid, slope: (z, a) => a * (1 - a) },
};

/** All weighted sums, and the values behind the activation; the last layer has none, its sum is the logit. */
export function forward(layers, activation, columns) {
  const { value } = ACTIVATIONS[activation];
  const [sums, values] = [[], [columns]];
  layers.forEach(({ weight, bias }, l) => {
    const inputs = values[l];
    const sum = bias.map((b, to) => {
      const z = new Float64Array(inputs[0].length).fill(b);
      weight[to].forEach((w, from) => {
        const x = inputs[from];
        for (let i = 0; i < z.length; i++) z[i] += w * x[i];
      });
      return z;
    });
    sums.push(sum);
    values.push(l === layers.length - 1 ? sum : sum.map((z) => z.map(value)));
  });
  return { sums, values, logits: sums.at(-1)[0] };
}

/** The mean cross-entropy of logits with labels 0 and 1: log(1 + exp(z)) - y z, safe for large z. */
export function crossEntropy(logits, labels) {
  let total = 0;
  for (let i = 0; i < logits.length; i++) {
    const z = logits[i];
    total += Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))) - labels[i] * z;
  }
  return total / logits.length;
}

/** The loss and how it changes with each weight and bias: backpropagation. */
export function gradients(layers, activation, columns, labels) {
  const { slope } = ACTIVATIONS[activation];
  const { sums, values, logits } = forward(layers, activation, columns);
  const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
  let errors = [logits.map((z, i) => (sigmoid(z) - labels[i]) / logits.length)]; // of each sum of the layer
  const found = [];
  for (let l = layers.length - 1; l >= 0; l--) {
    const { weight } = layers[l];
    found[l] = {
      weight: errors.map((error) => values[l].map((input) => dot(error, input))),
      bias: errors.map((error) => error.reduce((sum, e) => sum + e, 0)),
    };
    if (l === 0) break;
    errors = values[l].map((value, from) => {
      const z = sums[l - 1][from];
      return value.map((a, i) => {
        let error = 0;
        for (let to = 0; to < weight.length; to++) error += weight[to][from] * errors[to][i];
        return error * slope(z[i], a);
      });
    });
  }
  return { loss: crossEntropy(logits, labels), layers: found };
}

/** The layers after one step of gradient descent. */
function descended(layers, found, rate) {
  return layers.map(({ weight, bias }, l) => ({
    weight: weight.map((row, to) => row.map((w, from) => w - rate * found[l].weight[to][from])),
    bias: bias.map((b, to) => b - rate * found[l].bias[to]),
  }));
}

/** Loss, and the share of points on the right side. */
export function score(layers, activation, columns, labels) {
  const { logits } = forward(layers, activation, columns);
  const right = logits.reduce((count, z, i) => count + (z > 0 === (labels[i] === 1)), 0);
  return { loss: crossEntropy(logits, labels), accuracy: right / labels.length };
}

/** The layers with one weight (or, at input -1, one bias) replaced. */
export function withWeight(layers, [layer, to, from], value) {
  return layers.map(({ weight, bias }, l) => {
    if (l !== layer) return { weight, bias };
    const put = (list, at) => list.map((old, i) => (i === at ? value : old));
    if (from < 0) return { weight, bias: put(bias, to) };
    return { weight: weight.map((row, i) => (i === to ? put(row, from) : row)), bias };
  });
}

const weightAt = ({ [0]: layer, [1]: to, [2]: from }, layers) =>
  from < 0 ? layers[layer].bias[to] : layers[layer].weight[to][from];

/** A stack of linear layers as one: its weights for x1 and x2, and its bias. */
export function collapsed(layers) {
  let [weight, bias] = [
    [
      [1, 0],
      [0, 1],
    ],
    [0, 0],
  ];
  for (const layer of layers) {
    bias = layer.weight.map((row, to) => row.reduce((sum, w, k) => sum + w * bias[k], layer.bias[to]));
    weight = layer.weight.map((row) => [0, 1].map((j) => row.reduce((sum, w, k) => sum + w * weight[k][j], 0)));
  }
  return [...weight[0], bias[0]];
}

/** The first hidden layer whose neurons are all alike, in what they take and in what is taken from them; or -1. */
export function twins(layers) {
  const alike = (one, other) => Math.abs(one - other) <= 1e-9 * Math.max(1, Math.abs(one));
  return layers.slice(0, -1).findIndex(({ weight, bias }, l) => {
    const same = (row, to) => row.every((w, k) => alike(w, weight[0][k])) && alike(bias[to], bias[0]);
    return (
      bias.length > 1 && weight.every(same) && layers[l + 1].weight.every((row) => row.every((w) => alike(w, row[0])))
    );
  });
}

/** Where training begins, as `Playground.first_layers` in Python. */
export function firstLayers(noise, { depth, width, activation, initialization, start }) {
  const sizes = [2, ...Array(depth).fill(width), 1];
  return sizes.slice(1).map((outputs, l) => {
    const inputs = sizes[l];
    const scale = Math.sqrt((activation === "relu" ? 2 : 1) / inputs);
    const value = (to, from) => {
      if (initialization !== "random") return initialization === "zero" ? 0 : 0.5;
      return scale * noise[((start * (MAX_DEPTH + 1) + l) * MAX_WIDTH + to) * MAX_WIDTH + from];
    };
    const rows = Array.from({ length: outputs }, (_, to) =>
      Array.from({ length: inputs }, (_, from) => value(to, from)),
    );
    return { weight: rows, bias: Array(outputs).fill(0) };
  });
}

export const flatten = (layers) => layers.flatMap(({ weight, bias }) => [...weight.flat(), ...bias]);

/** Layers from their numbers in a row; null where there are too many or too few. */
export function unflatten(numbers, like) {
  if (numbers.length !== flatten(like).length) return null;
  let at = 0;
  const take = (count) => numbers.slice(at, (at += count));
  return like.map(({ weight, bias }) => ({ weight: weight.map((row) => take(row.length)), bias: take(bias.length) }));
}

/** Every weight and bias, in the order in which keys step through them. */
export function addresses(layers) {
  return layers.flatMap(({ weight }, l) =>
    weight.flatMap((row, to) => [...row.map((_, from) => [l, to, from]), [l, to, -1]]),
  );
}

/** The places of the plane where the network is asked, row by row from the top. */
export function gridOf(reach) {
  const at = (i) => reach * ((2 * (i + 0.5)) / GRID - 1);
  const every = (value) => Float64Array.from({ length: GRID * GRID }, (_, i) => value(i % GRID, Math.floor(i / GRID)));
  return [every((column) => at(column)), every((_, row) => -at(row))];
}

/** Where the squares of the network stand: the middle of each, and the side of a square. */
export function placesOf(depth, width, clientWidth, clientHeight) {
  const counts = [2, ...Array(depth).fill(width), 1];
  const step = Math.min(56, clientHeight / Math.max(...counts));
  const side = Math.min(0.84 * step, (clientWidth / counts.length) * 0.62);
  const columns = counts.map((count, c) =>
    Array.from({ length: count }, (_, row) => ({
      x: ((c + 0.5) * clientWidth) / counts.length,
      y: clientHeight / 2 + (row - (count - 1) / 2) * step,
    })),
  );
  return { columns, side };
}

/** The weight whose line, or the bias whose square, lies under a place; null where there is none near. */
export function hit({ columns, side }, x, y) {
  for (const [c, column] of columns.entries()) {
    const row = column.findIndex((place) => Math.max(Math.abs(x - place.x), Math.abs(y - place.y)) <= side / 2);
    if (row >= 0) return c ? [c - 1, row, -1] : null;
  }
  let [best, nearest] = [null, 10];
  for (let c = 1; c < columns.length; c++) {
    columns[c].forEach((end, to) =>
      columns[c - 1].forEach((start, from) => {
        const along = (x - start.x) / (end.x - start.x);
        if (along < 0 || along > 1) return;
        const slope = (end.y - start.y) / (end.x - start.x);
        const away = Math.abs(y - start.y - along * (end.y - start.y)) / Math.hypot(1, slope);
        if (away < nearest) [best, nearest] = [[c - 1, to, from], away];
      }),
    );
  }
  return best;
}

// ---- A network in training ----------------------------------------------------------------------------------

/** A network at its beginning, or with the numbers that it had before. `now`: step, layers, and both scores. */
export function begin(settings, set, noise) {
  const first = firstLayers(noise, settings);
  const kept = unflatten(settings.parameters, first);
  const net = { ...settings, set, every: 1, diverged: false, history: [] };
  record(net, kept ? settings.step : 0, kept ?? first);
  if (!kept) for (let i = 0; i < settings.step; i++) learn(net, settings.rate);
  return net;
}

function record(net, step, layers) {
  const of = ({ columns, labels }) => score(layers, net.activation, columns, labels);
  net.now = { step, layers, train: of(net.set.train), held: of(net.set.held) };
  if (step % net.every && net.history.length) return;
  net.history.push(net.now);
  if (net.history.length <= MEMORY) return;
  net.every *= 2;
  net.history = net.history.filter((one, i) => !i || one.step % net.every === 0);
}

/** One step of gradient descent from where the network is; false where it leads out of the numbers. */
export function learn(net, rate) {
  const { columns, labels } = net.set.train;
  const { step, layers } = net.now;
  while (net.history.at(-1)?.step > step) net.history.pop();
  const next = descended(layers, gradients(layers, net.activation, columns, labels).layers, rate);
  const after = [...flatten(next), score(next, net.activation, columns, labels).loss].every(Number.isFinite);
  net.diverged = !after;
  if (after) record(net, step + 1, next);
  return after;
}

/** Go back to the remembered state that is nearest to a step. */
export function recall(net, step) {
  const away = (one) => Math.abs(one.step - step);
  net.now = net.history.reduce((best, one) => (away(one) < away(best) ? one : best));
  net.diverged = false;
}

// ---- One weight ---------------------------------------------------------------------------------------------

const CURVE = 61; // weights at which the real loss is computed

/** One weight: its gradient, and the loss along it. */
export function probeOf({ now: { layers }, activation, set }, weight, reach) {
  const { columns, labels } = set.train;
  const all = addresses(layers);
  const at = all.find((one) => one.join() === weight.join()) ?? all[0];
  const found = gradients(layers, activation, columns, labels);
  const value = weightAt(at, layers);
  const values = Array.from({ length: CURVE }, (_, i) => value + reach * ((2 * i) / (CURVE - 1) - 1));
  const curve = values.map((x) => [x, score(withWeight(layers, at, x), activation, columns, labels).loss]);
  return { at, value, gradient: weightAt(at, found.layers), loss: found.loss, curve, reach };
}

/** What the tangent promises for a move of the weight, and what becomes of the loss. */
export function movedBy({ now: { layers }, activation, set }, { at, value, loss, gradient }, moved) {
  const next = withWeight(layers, at, value + moved);
  const real = score(next, activation, set.train.columns, set.train.labels).loss;
  return { moved, layers: next, promised: loss + gradient * moved, real };
}

/** The address of the weight with the largest gradient. */
export function steepest({ now: { layers }, activation, set }) {
  const { layers: found } = gradients(layers, activation, set.train.columns, set.train.labels);
  const size = (at) => Math.abs(weightAt(at, found));
  return addresses(layers).reduce((best, at) => (size(at) > size(best) ? at : best));
}

/** What is special about a network: which of its gradients are 0, or which of its layers are one. */
export function stateOf({ now: { layers }, activation, depth, initialization, set, diverged }) {
  if (diverged) return { is: "diverged" };
  const line = ["single", "two"][depth] ?? "all";
  if (depth === 0 || (activation === "none" && initialization === "random")) return { is: line };
  const { layers: found } = gradients(layers, activation, set.train.columns, set.train.labels);
  const moving = addresses(layers).filter((at) => Math.abs(weightAt(at, found)) > 1e-15);
  if (!moving.length) return { is: "still" };
  if (moving.every(([layer, , from]) => layer === depth && from < 0)) return { is: "flat" };
  const layer = twins(layers);
  if (layer >= 0) return { is: "twins", layer: layer + 1 };
  return { is: activation === "none" ? line : "plain" };
}
