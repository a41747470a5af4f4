import {
  array,
  body,
  button,
  choice,
  compact,
  controls,
  dropdown,
  fill,
  h,
  keys,
  paintPixels,
  paletteColor,
  pathOf,
  percent,
  player,
  show,
  signed,
  speaker,
  svg,
  widget,
  write,
} from "../kit.js";

const TEXT = {
  title: "Playground: a small network that learns",
  data: "Points",
  try: "Try",
  tries: {
    linear: "No activation",
    zero: "All weights zero",
    equal: "All weights equal",
    fast: "Rate too large",
  },
  predictions: {
    linear: "Four layers, no activation. Can they part the disc from the ring around it? Guess, then press Play.",
    zero: "Every weight is 0. Which neuron will learn first? Guess, then press Play.",
    equal: "Eight neurons, all weights 0.5. What can eight do that one cannot? Guess, then press Play.",
    fast: "Each step is ten times the gradient. Will the loss fall faster? Guess, then take single steps.",
  },
  reset: "Start again",
  depth: "Hidden layers",
  width: "Neurons in each",
  activation: "Activation",
  activations: { none: "none", relu: "ReLU", tanh: "tanh", sigmoid: "sigmoid" },
  rate: "Learning rate",
  initialization: "Weights at first",
  initializations: { random: "random", zero: "all 0", equal: "all 0.5" },
  another: "Other random weights",
  player: {
    play: "Play",
    pause: "Pause",
    step: "1 step",
    speed: "Speed",
    slow: "slow",
    medium: "medium",
    fast: "fast",
  },
  more: { 10: "10 steps", 100: "100 steps" },
  back: "Back to step 0",
  netLabel:
    "Network. Click a line to choose a weight, a square to choose a bias. " +
    "Arrow keys: up and down within a layer, left and right to another layer.",
  columns: { inputs: "x₁, x₂", layer: "layer {number}", number: "{number}", output: "output" },
  surface:
    'Decision surface on the points "{name}": orange where the network says 1, blue where it says 0. {accuracy} of the training points are right.',
  legend: { one: "class 1", zero: "class 0", held: "rings: held out" },
  scores: "Step {step}",
  part: { train: "training", held: "held out" },
  loss: "loss",
  accuracy: "accuracy",
  lossTitle: "Loss, step by step",
  steps: "steps",
  probeTitle: "One weight: the tangent and the truth",
  weightOf: "Weight from {from} to {to}",
  biasOf: "Bias of {to}",
  input: ["x₁", "x₂"],
  neuron: "neuron {number} of layer {layer}",
  output: "the output",
  previous: "Previous weight",
  next: "Next weight",
  steepest: "Steepest",
  zoom: "Range of the slider",
  zooms: { 0.1: "±0.1", 1: "±1", 4: "±4" },
  slider: "Move this weight",
  here: "Measure here",
  undo: "Put back",
  curve: "real loss",
  tangent: "tangent",
  cells: {
    value: "weight",
    gradient: "gradient",
    moved: "moved by",
    predicted: "tangent predicts",
    real: "loss changed by",
    step: "one step adds",
  },
  probeLabel:
    "{name}: the gradient is {gradient}. Moved by {moved}: the tangent predicts a change of the loss of {predicted}, the real change is {real}.",
  lossLabel: "Loss over {step} steps: now {train} on the training points, {held} on those held out.",
  plain:
    "The loss is measured on the training points. Each line is a weight: orange above zero, blue below, thick where it is large.",
  flat: "Only the output's bias has a gradient. All other gradients are 0: those weights stay as they are.",
  still: "Every gradient is 0: the network rests here for ever.",
  twins:
    "The {width} neurons of layer {layer} have equal weights. They get equal gradients and stay equal: {width} neurons do the work of one.",
  two: "Without an activation, the hidden layer and the output are one neuron: logit = {a}·x₁ {b}·x₂ {c}. Its border is a straight line.",
  all: "Without an activation, all {layers} layers together are one neuron: logit = {a}·x₁ {b}·x₂ {c}. Its border is a straight line.",
  single: "No hidden layer, one neuron: logit = {a}·x₁ {b}·x₂ {c}. Its border is a straight line.",
  spoken: "{step}. {statement} {probe}",
  diverged:
    "The weights have left the range of numbers: the rate is too large. Go back to step 0 and choose a smaller one.",
};
const TRIES = {
  linear: { dataset: "circles", depth: 4, width: 4, activation: "none", rate: 0.1, initialization: "random" },
  zero: { dataset: "moons", depth: 2, width: 4, activation: "tanh", rate: 0.3, initialization: "zero" },
  equal: { dataset: "moons", depth: 1, width: 8, activation: "tanh", rate: 0.3, initialization: "equal" },
  fast: { dataset: "moons", depth: 2, width: 8, activation: "relu", rate: 10, initialization: "random" },
};
const [MAX_DEPTH, MAX_WIDTH, STARTS] = [4, 8, 8];
const GRID = 40; // places along each side of the plane where the network is asked
const [CURVE, ROUGH] = [61, 21]; // weights at which the real loss is computed, at rest and while playing
const MEMORY = 600; // steps that the loss curve remembers; beyond, it keeps every second one
const BUDGET = 6; // milliseconds of a frame for learning
const NET_HEIGHT = 304;
const SETTINGS = [
  "dataset",
  "depth",
  "width",
  "activation",
  "rate",
  "initialization",
  "start",
  "weight",
  "parameters",
  "step",
];

// ---- Maths: pure functions, tested against PyTorch -----------------------------------------------------------
// `columns`: the inputs, one array of N numbers for each of x1 and x2. `layers`: [{ weight: rows, bias }].

const sigmoid = (z) => 1 / (1 + Math.exp(-z));

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
export function descended(layers, found, rate) {
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

/** The loss for each of `values` of one weight, the others as they are. */
export function lossAlong(layers, activation, columns, labels, at, values) {
  const [layer, to, from] = at;
  const { values: before, sums } = forward(layers, activation, columns);
  const old = weightAt(at, layers);
  const last = layer === layers.length - 1;
  // Only one sum of the layer changes, and what comes after it.
  return values.map((value) => {
    const sum = sums[layer][to].map((z, i) => z + (value - old) * (from < 0 ? 1 : before[layer][from][i]));
    if (last) return crossEntropy(sum, labels);
    const inputs = before[layer + 1].map((input, k) => (k === to ? sum.map(ACTIVATIONS[activation].value) : input));
    return crossEntropy(forward(layers.slice(layer + 1), activation, inputs).logits, labels);
  });
}

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

const finite = (layers) => flatten(layers).every(Number.isFinite);

// ---- What is shown ------------------------------------------------------------------------------------------

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** A number of any size with three digits that count. */
export const fine = (value) => compact(value, { from: 1e-4, to: 1e6 });

/** A number with as many decimals as it takes to tell the two ends of a range apart. */
function tick(value, range) {
  return Math.abs(value) >= 1000 ? fine(value) : show(value, Math.max(0, Math.ceil(-Math.log10(range)) + 1));
}
export const plus = (value) => (value > 0 ? `+${fine(value)}` : fine(value));
const term = (value) => `${value < 0 ? "−" : "+"} ${show(Math.abs(value), 2)}`;

function nameOf([layer, to, from], depth) {
  const neuron = (number, l) => fill(TEXT.neuron, { number, layer: l });
  const target = layer === depth ? TEXT.output : neuron(to + 1, layer + 1);
  if (from < 0) return fill(TEXT.biasOf, { to: target });
  return fill(TEXT.weightOf, { from: layer ? neuron(from + 1, layer) : TEXT.input[from], to: target });
}

/** The sets of points: name -> what trains and what is held out, and how far the plane reaches. */
function readSets(model) {
  const [points, labels] = ["points", "labels"].map((name) => array(model, name).data);
  let first = 0;
  return new Map(
    model.get("names").map((name, index) => {
      const [train, total] = model.get("counts")[index];
      const part = (from, to) => ({
        columns: [0, total].map((shift) => points.slice(2 * first + shift + from, 2 * first + shift + to)),
        labels: labels.slice(first + from, first + to),
      });
      const set = { train: part(0, train), held: part(train, total), reach: 0 };
      set.reach = 1.08 * Math.max(...points.slice(2 * first, 2 * (first + total)).map(Math.abs));
      first += total;
      return [name, set];
    }),
  );
}

/** The places of the plane where the network is asked, row by row from the top. */
function gridOf(reach) {
  const at = (i) => reach * ((2 * (i + 0.5)) / GRID - 1);
  const every = (value) => Float64Array.from({ length: GRID * GRID }, (_, i) => value(i % GRID, Math.floor(i / GRID)));
  return [every((column) => at(column)), every((_, row) => -at(row))];
}

/** Fit a canvas to its size on the page and return its context in CSS pixels; null where it has no size. */
function fitted(canvas) {
  const [width, height, ratio] = [canvas.clientWidth, canvas.clientHeight, devicePixelRatio || 1];
  if (!width || !height) return null;
  const size = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
  const context = canvas.getContext("2d");
  context.setTransform(size[0] / width, 0, 0, size[1] / height, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

/** Draw points: filled where they train, rings where they are held out. */
function drawPoints(context, set, side, radius, colors) {
  for (const [part, ring] of [
    [set.held, true],
    [set.train, false],
  ]) {
    part.labels.forEach((label, i) => {
      const [x, y] = part.columns.map((column) => column[i] / set.reach);
      context.beginPath();
      context.arc(((x + 1) * side) / 2, ((1 - y) * side) / 2, radius - (ring ? 0.5 : 0), 0, 7);
      context.fillStyle = ring ? "#fff" : colors[label];
      context.strokeStyle = ring ? colors[label] : "#fff";
      context.lineWidth = ring ? 1.5 : 1;
      context.fill();
      context.stroke();
    });
  }
}

/** Where the squares of the network stand: the middle of each, and the side of a square. */
export function placesOf(depth, width, clientWidth) {
  const counts = [2, ...Array(depth).fill(width), 1];
  const step = Math.min(56, NET_HEIGHT / Math.max(...counts));
  const side = Math.min(0.84 * step, (clientWidth / counts.length) * 0.62);
  const columns = counts.map((count, c) =>
    Array.from({ length: count }, (_, row) => ({
      x: ((c + 0.5) * clientWidth) / counts.length,
      y: NET_HEIGHT / 2 + (row - (count - 1) / 2) * step,
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

function drawNet(canvas, pictures, shown, colors) {
  const context = fitted(canvas);
  if (!context) return;
  const { layers, at, depth, width } = shown;
  const places = placesOf(depth, width, canvas.clientWidth);
  const { columns, side } = places;
  const line = ([l, to, from], color, thick, opacity) => {
    const [start, end] = [columns[l][from], columns[l + 1][to]];
    Object.assign(context, { strokeStyle: color, lineWidth: thick, globalAlpha: opacity });
    context.beginPath();
    context.moveTo(start.x, start.y);
    context.lineTo(end.x, end.y);
    context.stroke();
  };
  layers.forEach(({ weight }, l) =>
    weight.forEach((row, to) =>
      row.forEach((w, from) => {
        if (!Number.isFinite(w)) return;
        const size = Math.min(Math.abs(w) / 2, 1);
        line([l, to, from], w < 0 ? colors[0] : colors[1], 1 + 4 * size, 0.3 + 0.7 * size);
      }),
    ),
  );
  if (at[2] >= 0) {
    line(at, "#fff", 7, 1);
    line(at, colors[2], 4, 1);
  }
  context.globalAlpha = 1;
  columns.forEach((column, c) =>
    column.forEach(({ x, y }, row) => {
      const box = [x - side / 2, y - side / 2, side, side];
      context.clearRect(...box);
      context.drawImage(pictures[c][row], ...box);
      Object.assign(context, { strokeStyle: "#888", lineWidth: 1 });
      context.strokeRect(...box);
      if (at[2] >= 0 || at[0] !== c - 1 || at[1] !== row) return;
      for (const [color, thick] of [
        ["#fff", 6],
        [colors[2], 3.5],
      ]) {
        Object.assign(context, { strokeStyle: color, lineWidth: thick });
        context.strokeRect(...box);
      }
    }),
  );
}

// ---- Plots: lines in an SVG that fills its box, words and dots as elements over it ------------------------------

/** A plot with named lines. `update({ x, y, lines, dots, ticks, label })`: ranges, points by name, texts. */
function plot(kind, title, names, dots) {
  const picture = svg("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true" });
  const paths = names.map((name, i) =>
    picture.appendChild(svg("path", { class: `bb-line bb-line-${i}`, "vector-effect": "non-scaling-stroke" })),
  );
  const marks = dots.map((name) => h("span", { class: `bb-dot bb-dot-${name}` }));
  const tags = names.map((name, i) => h("span", { class: `bb-tag bb-tag-${i}` }, name));
  const ticks = ["top", "bottom", "left", "middle", "right"].map((side) =>
    h("span", { class: `bb-tick bb-tick-${side}` }),
  );
  const box = h("div", { class: `bb-plot bb-plot-${kind}`, role: "img" }, picture, ...marks, ...tags, ...ticks);
  const margins = kind === "loss" ? [30, 100] : [13, 87]; // between which labels stay inside the plot
  const update = ({ x, y, lines, places, labels, above, texts }) => {
    const across = (value) => (100 * (value - x[0])) / (x[1] - x[0] || 1);
    const down = (value) => Math.min(Math.max(100 - (100 * (value - y[0])) / (y[1] - y[0]), -200), 300);
    const put = (node, [left, top]) => {
      node.hidden = !(Number.isFinite(left) && top >= 0 && top <= 100);
      node.style.left = `${left}%`;
      node.style.top = `${top}%`;
    };
    lines.forEach((points, i) => {
      const seen = points.map(([at, value]) => [across(at), down(value)]);
      paths[i].setAttribute("d", pathOf(seen.filter((place) => place.every(Number.isFinite))));
    });
    places.forEach(([at, value], i) => put(marks[i], [across(at), down(value)]));
    const within = (value, [low, high]) => Math.min(Math.max(value, low), high);
    const tops = labels.map(([, value], i) => within(down(value), above[i] ? [14, 84] : [0, 86]));
    labels.forEach(([at], i) => {
      // Where both names stand at the end, the lower one stays below the upper one.
      const top = kind === "loss" && !above[i] ? Math.max(tops[i], tops[1 - i]) : tops[i];
      put(tags[i], [within(across(at), margins), top]);
      tags[i].classList.toggle("bb-below", !above[i]);
    });
    texts.forEach((text, i) => write(ticks[i], text));
  };
  return { node: h("div", { class: "bb-panel" }, h("div", { class: "bb-caption" }, title), box), box, update };
}

/** The two lines of losses with a label at the end of each. */
function drawLoss(chart, { steps, train, held }, shown) {
  const top = Math.max(0.75, ...train.filter(Number.isFinite), ...held.filter(Number.isFinite));
  const last = steps.length - 1;
  chart.update({
    x: [0, Math.max(steps[last], 10)],
    y: [0, top * 1.05],
    lines: [train.map((loss, i) => [steps[i], loss]), held.map((loss, i) => [steps[i], loss])],
    places: [],
    labels: [
      [steps[last], train[last]],
      [steps[last], held[last]],
    ],
    above: [train[last] > held[last], train[last] <= held[last]],
    texts: [fine(top), "0", "0", TEXT.steps, String(Math.max(steps[last], 10))],
  });
  chart.box.setAttribute(
    "aria-label",
    fill(TEXT.lossLabel, { step: shown.step, train: fine(shown.train.loss), held: fine(shown.held.loss) }),
  );
}

/** The real loss along the weight, and the tangent at the place where the gradient was measured. */
function drawProbe(chart, { value, loss, gradient, moved, curve, reach }, real) {
  const finiteLosses = [...curve.map(([, y]) => y), loss].filter(Number.isFinite);
  const tangent = (shift) => [value + shift, loss + gradient * shift];
  // Room for the tangent too, but not so much that the curve becomes flat.
  const [lowest, highest] = [Math.min(...finiteLosses), Math.max(...finiteLosses)];
  const [spare, steep] = [0.4 * (highest - lowest), Math.abs(gradient) * reach];
  const [low, high] = [
    Math.min(lowest, Math.max(loss - steep, lowest - spare)),
    Math.max(highest, Math.min(loss + steep, highest + spare)),
  ];
  const room = Math.max((high - low) * 0.12, 1e-4);
  const y = [low - room, high + room];
  // Labels stand where their line leaves the picture: the tangent's at the end that stays longer inside.
  const inside = (shift) => tangent(shift)[1] > y[0] && tangent(shift)[1] < y[1];
  const ends = [0.9, -0.9, 0.6, -0.6, 0.3, -0.3].map((share) => share * reach);
  const side = ends.find(inside) ?? 0.15 * reach;
  const curveAt = (share) => curve[Math.round((curve.length - 1) * share)];
  const other = curveAt(side > 0 ? 0.12 : 0.88);
  chart.update({
    x: [value - reach, value + reach],
    y,
    lines: [curve, [tangent(-reach), tangent(reach)]],
    places: [[value, loss], tangent(moved), [value + moved, loss + real]],
    labels: [other, tangent(side)],
    above: [other[1] >= tangent(other[0] - value)[1], curveAt((side / reach + 1) / 2)[1] < tangent(side)[1]],
    texts: [
      ...[y[1], y[0]].map((end) => tick(end, y[1] - y[0])),
      ...[-reach, 0, reach].map((shift) => tick(value + shift, reach)),
    ],
  });
}

// ---- The view -----------------------------------------------------------------------------------------------

export default widget([], (view, model) => {
  const sets = readSets(model);
  const noise = array(model, "noise").data;
  const settings = () => Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)]));
  const opening = settings();
  let net; // the network as it is now: settings, layers, step, history
  let probe = null; // the weight looked at, measured where it was last trained or asked for
  let stale = true; // the model has settings that the network does not have yet
  let writing = false; // the changes that come now are our own
  let saving = 0;
  let playing = false; // steps follow each other: the curve is drawn with fewer points
  let chosen = ""; // the experiment under "Try" whose question stands there
  let reach = 1; // how far the slider moves the weight
  let version = 0; // counts the changes of the network, so that pictures are painted once for each

  /** Settings that make another network: it begins again at step 0. */
  const restart = (changes, question = "") => {
    bar.stop();
    chosen = question;
    clearTimeout(saving);
    view.set({ ...changes, parameters: [], step: 0 });
    stale = true;
    acted();
  };
  /** After a step or a move: tell the model where the network is, once it rests. */
  const save = () => {
    clearTimeout(saving);
    saving = setTimeout(() => {
      if (playing) [playing, probe] = [false, null];
      view.repaint();
      if (!finite(net.layers)) return;
      writing = true;
      view.set({ parameters: flatten(net.layers), step: net.step });
      writing = false;
    }, 200);
  };
  const acted = () => {
    view.acted = true;
    view.repaint();
  };

  // ---- The network

  const load = () => {
    stale = false;
    const now = settings();
    const first = firstLayers(noise, now);
    const kept = unflatten(now.parameters, first);
    net = {
      ...now,
      set: sets.get(now.dataset),
      layers: kept ?? first,
      step: kept ? now.step : 0,
      every: 1,
      diverged: false,
    };
    net.history = { steps: [], train: [], held: [] };
    version += 1;
    remember();
    if (!kept) for (let i = 0; i < now.step; i++) learn();
    probe = null;
  };
  const remember = () => {
    net.train = score(net.layers, net.activation, net.set.train.columns, net.set.train.labels);
    net.held = score(net.layers, net.activation, net.set.held.columns, net.set.held.labels);
    const { history } = net;
    if (net.step % net.every) return;
    history.steps.push(net.step);
    history.train.push(net.train.loss);
    history.held.push(net.held.loss);
    if (history.steps.length <= MEMORY) return;
    net.every *= 2;
    for (const name of Object.keys(history))
      history[name] = history[name].filter((_, i) => history.steps[i] % net.every === 0 || name === "steps");
    history.steps = history.steps.filter((step) => step % net.every === 0);
  };
  /** One step of gradient descent; false where it leads out of the numbers. */
  const learn = () => {
    const { columns, labels } = net.set.train;
    const next = descended(
      net.layers,
      gradients(net.layers, net.activation, columns, labels).layers,
      model.get("rate"),
    );
    const after = finite(next) && Number.isFinite(score(next, net.activation, columns, labels).loss);
    net.diverged = !after;
    if (!after) return false;
    net.layers = next;
    net.step += 1;
    version += 1;
    remember();
    return true;
  };
  const advance = (count, budget = BUDGET) => {
    const end = performance.now() + budget;
    playing = budget === BUDGET;
    let more = true;
    for (let i = 0; i < count && more && performance.now() < end; i++) more = learn();
    probe = null;
    save();
    acted();
    return more;
  };
  /** Measure loss and gradient at the chosen weight, and the real loss along it. */
  const measure = () => {
    const { columns, labels } = net.set.train;
    const all = addresses(net.layers);
    const at = all.find((one) => same(one, model.get("weight"))) ?? all[0];
    const found = gradients(net.layers, net.activation, columns, labels);
    const value = weightAt(at, net.layers);
    const count = playing ? ROUGH : CURVE;
    const values = Array.from({ length: count }, (_, i) => value + reach * ((2 * i) / (count - 1) - 1));
    const losses = lossAlong(net.layers, net.activation, columns, labels, at, values);
    const curve = values.map((x, i) => [x, losses[i]]);
    probe = {
      at,
      value,
      loss: found.loss,
      gradient: weightAt(at, found.layers),
      found: found.layers,
      moved: 0,
      curve,
      reach,
    };
  };
  const choose = (at) => {
    if (!at) return;
    probe = null;
    view.set({ weight: at });
    acted();
  };
  const moveTo = (moved) => {
    bar.stop();
    playing = false;
    if (!probe) measure();
    probe.moved = moved;
    net.layers = withWeight(net.layers, probe.at, probe.value + moved);
    version += 1;
    net.train = score(net.layers, net.activation, net.set.train.columns, net.set.train.labels);
    net.held = score(net.layers, net.activation, net.set.held.columns, net.set.held.labels);
    save();
    acted();
  };
  const stepTo = (by) => {
    if (!probe) measure();
    const all = addresses(net.layers);
    choose(all[(all.findIndex((one) => same(one, probe.at)) + by + all.length) % all.length]);
  };
  const steepest = () => {
    if (!probe) measure();
    const size = (at) => Math.abs(weightAt(at, probe.found));
    choose(addresses(net.layers).reduce((best, at) => (size(at) > size(best) ? at : best)));
  };

  // ---- Controls

  const thumbnails = new Map(
    [...sets.keys()].map((name) => [name, h("canvas", { role: "img", "aria-label": name, width: 104, height: 104 })]),
  );
  const data = choice(
    TEXT.data,
    [...sets.keys()],
    (name) => thumbnails.get(name),
    (name) => restart({ dataset: name }),
    "pictures",
  );
  const tries = Object.entries(TRIES)
    .filter(([, { dataset }]) => sets.has(dataset))
    .map(([key, changes]) => button(TEXT.tries[key], () => restart({ ...changes, weight: [0, 0, 0] }, key)));
  const reset = button(TEXT.reset, () => {
    restart({});
    reach = 1;
    view.set(opening);
  });
  const numbers = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
  const depth = choice(TEXT.depth, numbers(0, MAX_DEPTH), String, (value) => restart({ depth: value }));
  const width = choice(TEXT.width, numbers(1, MAX_WIDTH), String, (value) => restart({ width: value }));
  const activation = choice(
    TEXT.activation,
    Object.keys(TEXT.activations),
    (name) => TEXT.activations[name],
    (name) => restart({ activation: name }),
  );
  const rate = dropdown(
    TEXT.rate,
    model.get("rates").map((value) => [value, String(value)]),
    (value) => (view.set({ rate: Number(value) }), acted()),
  );
  const initialization = dropdown(TEXT.initialization, Object.entries(TEXT.initializations), (name) =>
    restart({ initialization: name }),
  );
  const another = button(TEXT.another, () =>
    restart({ initialization: "random", start: (model.get("start") + 1) % STARTS }),
  );
  const bar = player(view, TEXT.player, (count) => advance(count));
  const more = Object.entries(TEXT.more).map(([count, text]) =>
    button(text, () => (bar.stop(), advance(Number(count), Infinity))),
  );
  const back = button(TEXT.back, () => restart({}));
  bar.node.append(...more, back);

  const canvas = h("canvas", { class: "bb-net", tabindex: 0, role: "application", "aria-label": TEXT.netLabel });
  const heads = h("div", { class: "bb-heads", "aria-hidden": "true" });
  const surface = h("canvas", { class: "bb-surface", role: "img" });
  const key = (name, text) => h("span", { class: `bb-key bb-key-${name}` }, text);
  const legend = h(
    "div",
    { class: "bb-keys" },
    key("one", TEXT.legend.one),
    key("zero", TEXT.legend.zero),
    key("held", TEXT.legend.held),
  );
  const lossChart = plot("loss", TEXT.lossTitle, [TEXT.part.train, TEXT.part.held], []);
  const probeChart = plot("probe", TEXT.probeTitle, [TEXT.curve, TEXT.tangent], ["anchor", "guess", "real"]);
  const cell = (name, text) => {
    const value = h("strong", { class: `bb-${name}` });
    return { node: h("div", {}, h("span", {}, text), value), value };
  };
  const cells = Object.fromEntries(Object.entries(TEXT.cells).map(([name, text]) => [name, cell(name, text)]));
  const slider = h("input", {
    type: "range",
    class: "bb-slider",
    "aria-label": TEXT.slider,
    oninput: () => moveTo(Number(slider.value)),
  });
  const zoom = choice(
    TEXT.zoom,
    Object.keys(TEXT.zooms).sort(),
    (name) => TEXT.zooms[name],
    (name) => {
      reach = Number(name);
      probe = null;
      acted();
    },
  );
  const here = button(TEXT.here, () => ((probe = null), acted()));
  const undo = button(TEXT.undo, () => moveTo(0));
  const which = h("p", { class: "bb-which" });
  const previous = button("‹", () => stepTo(-1), { "aria-label": TEXT.previous, title: TEXT.previous });
  const next = button("›", () => stepTo(1), { "aria-label": TEXT.next, title: TEXT.next });
  const steep = button(TEXT.steepest, steepest);

  const scoreStep = h("strong");
  const scoreCells = {};
  const row = (part) => {
    scoreCells[part] = [h("td"), h("td")];
    return h("tr", {}, h("th", { scope: "row" }, TEXT.part[part]), ...scoreCells[part]);
  };
  const head = h(
    "tr",
    {},
    h("th", { scope: "col" }, scoreStep),
    h("th", { scope: "col" }, TEXT.loss),
    h("th", { scope: "col" }, TEXT.accuracy),
  );
  const scores = h("table", { class: "bb-scores" }, h("thead", {}, head), h("tbody", {}, row("train"), row("held")));
  const say = h("p", { class: "bb-say" });
  const live = speaker(view);

  // ---- Painting

  const pictured = []; // one small canvas for each neuron, made once
  const pictureAt = (c, r) => ((pictured[c] ??= [])[r] ??= h("canvas"));
  let painted = -1; // the version that the pictures show
  const paintPictures = (colors) => {
    if (painted === version) return;
    painted = version;
    const { values } = forward(net.layers, net.activation, (net.grid ??= gridOf(net.set.reach)));
    values.forEach((column, c) => {
      const last = c === values.length - 1;
      const shown = last ? column.map((z) => z.map((one) => sigmoid(one) - 0.5)) : column;
      // One scale a layer, so that a faint neuron looks faint.
      const largest = shown.reduce((most, map) => map.reduce((m, v) => Math.max(m, Math.abs(v)), most), 0);
      const limit = last ? 0.5 : largest;
      shown.forEach((map, r) => paintPixels(pictureAt(c, r), map, GRID, GRID, signed(limit, colors[1], colors[0])));
    });
  };
  const paint = () => {
    if (stale) load();
    if (!probe) measure();
    const names = ["negative", "positive", "mark"];
    const style = getComputedStyle(root);
    const colors = names.map((name) => style.getPropertyValue(`--bb-${name}`).trim());
    paintPictures(names.map((name) => paletteColor(root, name)));
    const shown = { ...net, at: probe.at };
    drawNet(
      canvas,
      net.layers.reduce(
        (all, { bias }, l) => [...all, bias.map((_, r) => pictureAt(l + 1, r))],
        [[pictureAt(0, 0), pictureAt(0, 1)]],
      ),
      shown,
      colors,
    );
    paintSurface(colors);
    drawLoss(lossChart, withNow(net), net);
    paintProbe();
    paintWords();
    paintControls(colors);
  };
  /** The history with the present at its end, wherever a weight was moved to. */
  const withNow = ({ history, step, train, held }) => ({
    steps: [...history.steps, step],
    train: [...history.train, train.loss],
    held: [...history.held, held.loss],
  });
  const paintSurface = (colors) => {
    const context = fitted(surface);
    if (!context) return;
    const side = surface.clientWidth;
    Object.assign(context, { globalAlpha: 0.6, imageSmoothingEnabled: true });
    context.drawImage(pictureAt(net.layers.length, 0), 0, 0, side, side);
    context.globalAlpha = 1;
    drawPoints(context, net.set, side, 4, colors);
    surface.setAttribute(
      "aria-label",
      fill(TEXT.surface, { name: net.dataset, accuracy: percent(net.train.accuracy) }),
    );
  };
  const paintProbe = () => {
    const real = net.train.loss - probe.loss;
    const predicted = probe.gradient * probe.moved;
    drawProbe(probeChart, probe, real);
    slider.min = -reach;
    slider.max = reach;
    slider.step = reach / 100;
    if (document.activeElement !== slider || !probe.moved) slider.value = probe.moved;
    const value = probe.value + probe.moved;
    slider.setAttribute("aria-valuetext", show(value));
    write(cells.value.value, show(value));
    const texts = {
      gradient: plus(probe.gradient),
      moved: plus(probe.moved),
      predicted: plus(predicted),
      real: plus(real),
      step: plus(-model.get("rate") * probe.gradient || 0),
    };
    for (const [name, text] of Object.entries(texts)) write(cells[name].value, text);
    const name = nameOf(probe.at, net.depth);
    write(which, name);
    probeChart.box.setAttribute("aria-label", fill(TEXT.probeLabel, { name, ...texts }));
  };
  const statement = () => {
    if (net.diverged) return TEXT.diverged;
    if (chosen && net.step === 0) return TEXT.predictions[chosen];
    const [a, b, c] = collapsed(net.layers);
    const whole = [TEXT.single, TEXT.two][net.depth] ?? TEXT.all;
    const line = fill(whole, { layers: net.depth + 1, a: show(a, 2), b: term(b), c: term(c) });
    if (net.depth === 0 || (net.activation === "none" && net.initialization === "random")) return line;
    const sizes = addresses(net.layers).map((at) => [at, Math.abs(weightAt(at, probe.found))]);
    const moving = sizes.filter(([, size]) => size > 1e-15);
    if (!moving.length) return TEXT.still;
    if (moving.every(([at]) => at[0] === net.depth && at[2] < 0)) return TEXT.flat;
    const layer = twins(net.layers);
    if (layer >= 0) return fill(TEXT.twins, { width: net.width, layer: layer + 1 });
    return net.activation === "none" ? line : TEXT.plain;
  };
  const paintWords = () => {
    const step = fill(TEXT.scores, { step: net.step });
    write(scoreStep, step);
    for (const part of ["train", "held"]) {
      write(scoreCells[part][0], net[part].loss < 1000 ? net[part].loss.toFixed(3) : fine(net[part].loss));
      write(scoreCells[part][1], percent(net[part].accuracy));
    }
    write(say, statement());
    live.say(fill(TEXT.spoken, { step, statement: say.textContent, probe: probeChart.box.getAttribute("aria-label") }));
  };
  const paintControls = (colors) => {
    data.set(net.dataset);
    depth.set(net.depth);
    width.set(net.width);
    activation.set(net.activation);
    rate.set(String(model.get("rate")));
    initialization.set(net.initialization);
    zoom.set(String(reach));
    another.disabled = net.initialization !== "random";
    undo.disabled = here.disabled = !probe.moved;
    const { inputs, layer, number, output } = TEXT.columns;
    const layers = numbers(1, net.depth).map((at) => fill(net.depth > 2 ? number : layer, { number: at }));
    const texts = [inputs, ...layers, output];
    if (heads.textContent !== texts.join("")) heads.replaceChildren(...texts.map((text) => h("span", {}, text)));
    for (const [name, node] of thumbnails) {
      if (node.dataset.drawn) continue;
      node.dataset.drawn = "yes";
      const context = node.getContext("2d");
      context.scale(2, 2);
      drawPoints(context, { ...sets.get(name), held: { labels: [], columns: [] } }, 52, 2, colors);
    }
  };

  const labelled = (label, ...nodes) =>
    h(
      "div",
      { class: "bb-controls", role: "group", "aria-label": label },
      h("span", { class: "bb-lead", "aria-hidden": "true" }, label),
      ...nodes,
    );
  const root = body(
    "bb-play",
    TEXT.title,
    labelled(TEXT.try, ...tries),
    controls(data.node),
    controls(depth.node, width.node, reset),
    controls(activation.node, rate.node, initialization.node, another),
    bar.node,
    h(
      "div",
      { class: "bb-stage" },
      h("div", { class: "bb-panel" }, canvas, heads),
      h("div", { class: "bb-panel" }, surface, legend),
    ),
    say,
    h(
      "div",
      { class: "bb-stage" },
      h(
        "div",
        { class: "bb-probe" },
        controls(which, previous, next, steep),
        probeChart.node,
        slider,
        h("div", { class: "bb-cells" }, ...Object.values(cells).map(({ node }) => node)),
        controls(zoom.node, here, undo),
      ),
      h("div", {}, lossChart.node, scores),
    ),
    live.node,
  );

  // ---- Pointer and keys in the network

  view.listen(canvas, "click", (event) => {
    const box = canvas.getBoundingClientRect();
    choose(hit(placesOf(net.depth, net.width, box.width), event.clientX - box.left, event.clientY - box.top));
  });
  keys(view, canvas, ({ key }) => {
    const inLayer = (layer) => addresses(net.layers).filter(([l]) => l === layer);
    if (!probe) measure();
    const layer = probe.at[0];
    const own = inLayer(layer);
    const now = own.findIndex((at) => same(at, probe.at));
    const others = { ArrowLeft: inLayer(layer - 1)[0], ArrowRight: inLayer(layer + 1)[0] };
    const within = { ArrowUp: own[now - 1], ArrowDown: own[now + 1], Home: own[0], End: own.at(-1) };
    const known = { ...others, ...within };
    if (!(key in known)) return false;
    choose(known[key]);
  });
  view.onChange(
    SETTINGS.filter((name) => !["rate", "weight"].includes(name)),
    () => {
      if (writing) return;
      stale = true;
      view.repaint();
    },
  );
  view.onChange(["rate", "weight"], () => {
    if (probe && !same(probe.at, model.get("weight"))) probe = null;
    view.repaint();
  });
  view.onResize(root, view.repaint);
  view.signal.addEventListener("abort", () => clearTimeout(saving));
  return { root, paint };
});
