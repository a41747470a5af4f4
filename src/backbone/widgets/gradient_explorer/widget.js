import {
  array,
  body,
  button,
  choice,
  compact,
  controls,
  drag,
  dropdown,
  fill,
  h,
  hint,
  keys,
  lineChart,
  percent,
  powerOfTen,
  range,
  setting,
  show,
  speaker,
  svg,
  widget,
  write,
} from "../kit.js";
import { activationFunctions, steepest } from "../activations.js";

const TEXT = {
  title: "Gradient explorer: how large gradients are in a deep network, layer by layer",
  names: { a: "A", b: "B" },
  ladder: "Predict, then look: 50 layers",
  rungs: {
    sigmoid: "sigmoid, Xavier",
    tanh: "tanh, Xavier",
    xavier: "ReLU, Xavier",
    he: "ReLU, He",
    batch: "+ BatchNorm",
    skips: "+ skips",
    both: "+ both",
  },
  invite: "Choose a network. Guess how much of the gradient reaches its first layer. Then let its curve appear.",
  question:
    "A has {depth} layers now, and its curve is hidden. |∂L/∂h| of layer 1 is that of layer {depth}, times 10 to the power of …",
  guess: "Your guess: the power of ten",
  reveal: "Reveal",
  right: "You said {guess}. It is {ratio}: the right power of ten.",
  outcomes: {
    less: "You said {guess}. It is {ratio}: 1 power of ten less.",
    more: "You said {guess}. It is {ratio}: 1 power of ten more.",
    muchLess: "You said {guess}. It is {ratio}: {away} powers of ten less.",
    muchMore: "You said {guess}. It is {ratio}: {away} powers of ten more.",
  },
  edit: "Change",
  copy: "Copy {from} to {to}",
  swap: "Swap A and B",
  reset: "Start again",
  depth: "Layers",
  gain: "Gain: factor on the weights",
  activation: "Activation φ",
  activations: {
    none: "none (linear)",
    sigmoid: "sigmoid",
    tanh: "tanh",
    relu: "ReLU",
    leaky_relu: "leaky ReLU",
    elu: "ELU",
    gelu: "GELU",
    silu: "SiLU",
  },
  init: "First weights",
  inits: { normal: "N(0, 0.01²)", xavier: "Xavier", he: "He" },
  normalization: "Normalization",
  normalizations: { none: "none", batch: "batch", layer: "layer" },
  residual: "Skips",
  residuals: { no: "none", yes: "h + …" },
  plain: "Each layer: h′ = {step}. Layer 1, on the pictures x: h = {first}.",
  skipping:
    "Each layer is a block, pre-activation: h′ = h + {step}. Layer 1, on the pictures x, has no skip: h = {first}.",
  setting: "{name}: {settings}",
  layers: "{depth} layers",
  gained: "gain {gain}",
  norms: { batch: "BatchNorm", layer: "LayerNorm" },
  skips: "skips",
  curves: { gradH: "|∂L/∂h|", gradW: "|∂L/∂W|" },
  chartLabel: "Layer looked at",
  hint: "The vertical line is the layer looked at. Drag it, or use the arrow keys on the left chart.",
  axis: { left: "layer 1", right: "layer {layer}", way: "← the way back" },
  above: "{name} ↑ {value}",
  below: "{name} ↓ {value}",
  hiddenTag: "A ?",
  guessTag: "your guess",
  hidden: "hidden",
  rows: {
    factor: "|∂L/∂h|: one layer back",
    ratio: "|∂L/∂h|: layer 1 / last layer",
    ratioW: "|∂L/∂W|: layer 1 / last layer",
    at: "At layer {layer}",
    gradH: "|∂L/∂h|",
    gradW: "|∂L/∂W|",
    mean: "h: mean",
    std: "h: standard deviation",
    saturated: "saturated",
    dead: "dead units",
  },
  terms:
    "|·| is the size of a typical entry, the root of the mean square. L is the mean loss of {count} pictures. Saturated: φ′ is below 1 % of its largest value. Dead: φ′ is 0 for all {count} pictures.",
  histograms: { h: "{name}: values h of layer {layer}", grad: "{name}: ∂L/∂h of layer {layer}" },
  histogramLabel: "{title}. From {low} to {high}; half of them lie within {middle} of 0.",
  verdicts: {
    vanishes: "Vanishes: |∂L/∂h| of layer 1 is {ratio} times that of layer {depth}.",
    explodes: "Explodes: |∂L/∂h| of layer 1 is {ratio} times that of layer {depth}.",
    holds: "Holds: |∂L/∂h| of layer 1 is {ratio} times that of layer {depth}.",
    level:
      "|∂L/∂W| differs less: in layer 2 it is {ratio} times that of the last, because the spread of h is {from} in layer 1, {to} in the last.",
    hidden: "Hidden until you have guessed.",
  },
  curveLabel: "{title} of each layer, logarithmic from 10⁻⁴⁰ to 10¹². {parts}",
  curvePart: "{name}: {last} in layer {depth}, {first} in layer 1.",
};
const SETTINGS = ["a", "b", "edit", "layer", "asked", "guess", "answers"];
const SIDES = ["a", "b"];
const [MAX_DEPTH, WIDTH, CLASSES] = [60, 24, 10];
const [LOW, HIGH] = [-40, 12]; // the powers of ten at the ends of the axis
const [EPSILON, SATURATED] = [1e-5, 0.01];
const BINS = 31;
const GAIN_STEPS = 32; // of the slider, on either side of 1

// ---- Maths: pure functions, tested against PyTorch -----------------------------------------------------------
// A matrix is a Float64Array, row by row. N pictures, WIDTH units.

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

// ---- Charts: lines in an SVG that fills its box, words as elements over it ----------------------------------------

const heightOf = (value) => (Math.max(Math.log10(value), -400) - LOW) / (HIGH - LOW); // on the axis, 0 to 1
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** A curve for each network over the layers. `pick` is told the layer that is pointed at. */
function chart(view, title, attributes, pick) {
  const right = h("span");
  const [left, way] = [h("span", {}, TEXT.axis.left), h("span", { class: "bb-grad-way" }, TEXT.axis.way)];
  const feet = h("div", { class: "bb-grad-feet" }, left, way, right);
  const ticks = [10, 0, -10, -20, -30, -40].map((exponent) => [heightOf(10 ** exponent), powerOfTen(exponent)]);
  const { node, box, draw } = lineChart("bb-grad", h("div", { class: "bb-caption" }, title), ticks, feet);
  for (const [name, value] of Object.entries(attributes)) box.setAttribute(name, value);
  const tag = (name) => h("span", { class: `bb-grad-tag bb-grad-tag-${name}`, "aria-hidden": "true" });
  const tags = { a: tag("a"), b: tag("b") };
  const mark = h("span", { class: "bb-grad-guess", "aria-hidden": "true" }, TEXT.guessTag);
  box.append(mark, ...Object.values(tags));
  let last = 2;
  const point = (event) => {
    const area = box.getBoundingClientRect();
    pick(clamp(1 + Math.round(((event.clientX - area.left) / area.width) * (last - 1)), 1, last));
  };
  drag(view, box, point);
  const update = ({ curves, to, layer, guess }) => {
    last = to;
    write(right, fill(TEXT.axis.right, { layer: to }));
    const across = (l) => l / (to - 1);
    const points = (sizes) => sizes.map((value, l) => [across(l), heightOf(value)]);
    const tops = {};
    for (const side of SIDES) {
      const { sizes, hidden } = curves[side];
      // The name stands at the end of the curve, or says where it ends when that lies beyond the axis.
      const top = 1 - heightOf(sizes[hidden ? sizes.length - 1 : 0]);
      const [name, value] = [TEXT.names[side], compact(sizes[0])];
      const beyond = top < 0 || top > 1 ? fill(sizes[0] > 1 ? TEXT.above : TEXT.below, { name, value }) : name;
      write(tags[side], hidden ? TEXT.hiddenTag : beyond);
      tags[side].classList.toggle("bb-grad-start", hidden);
      tags[side].style.left = hidden ? `${100 * across(sizes.length - 1)}%` : "0.3rem";
      tops[side] = clamp(100 * top, 5, 95);
    }
    // Two names do not stand on each other.
    const gap = tops.b - tops.a;
    const push = Math.abs(gap) < 9 && !curves.a.hidden ? (9 - Math.abs(gap)) / 2 : 0;
    const sign = gap < 0 ? 1 : -1;
    const shift = clamp(0, 5 - Math.min(tops.a, tops.b) + push, 95 - Math.max(tops.a, tops.b) - push);
    tags.a.style.top = `${tops.a + sign * push + shift}%`;
    tags.b.style.top = `${tops.b - sign * push + shift}%`;
    // The same factor in each layer is a straight line.
    const end = curves.a.sizes.length - 1;
    const straight =
      guess === null
        ? []
        : [
            [0, heightOf(guess)],
            [across(end), heightOf(curves.a.sizes[end])],
          ];
    mark.hidden = guess === null;
    if (guess !== null) {
      mark.style.left = `${50 * across(end)}%`;
      mark.style.top = `${clamp(100 - 50 * (straight[0][1] + straight[1][1]), 8, 92)}%`;
    }
    const at = across(Math.min(layer, to) - 1);
    const curve = (side) => ({
      look: `bb-grad-${side}`,
      points: curves[side].hidden ? [] : points(curves[side].sizes),
    });
    const upright = {
      look: "bb-grad-at",
      points: [
        [at, 1],
        [at, 0],
      ],
    };
    draw([upright, curve("b"), { look: "bb-grad-guessed", points: straight }, curve("a")]);
  };
  return { node, box, update };
}

/** The values of one layer of one network as bars from minus to plus the largest. */
function bars(side) {
  const path = svg("path", { class: `bb-grad-bars bb-grad-bars-${side}` });
  const picture = svg("svg", { viewBox: `0 0 ${BINS} 100`, preserveAspectRatio: "none", "aria-hidden": "true" });
  picture.append(
    svg("path", { class: "bb-grad-rule", d: `M${BINS / 2} 0V100`, "vector-effect": "non-scaling-stroke" }),
    path,
  );
  const title = h("div", { class: "bb-caption" });
  const ends = [h("span"), h("span", {}, "0"), h("span")];
  const box = h("div", { class: "bb-grad-hist", role: "img" }, picture);
  let drawn = [];
  const update = (...now) => {
    if (now.every((one, i) => one === drawn[i])) return; // the other network moved, not this one
    drawn = now;
    const [name, values, hidden] = now;
    const { limit, counts } = histogram(values);
    const most = Math.max(...counts);
    const bar = (count, i) => (count ? `M${i + 0.06} 100V${(100 - (98 * count) / most).toFixed(2)}h.88V100z` : "");
    write(title, hidden ? `${name}: ?` : name);
    path.setAttribute("d", hidden ? "" : counts.map(bar).join(""));
    write(ends[0], hidden ? "" : compact(-limit));
    write(ends[2], hidden ? "" : compact(limit));
    box.setAttribute(
      "aria-label",
      hidden
        ? `${name}: ${TEXT.hidden}`
        : fill(TEXT.histogramLabel, {
            title: name,
            low: compact(-limit),
            high: compact(limit),
            middle: compact(middleSize(values)),
          }),
    );
  };
  return {
    node: h("div", { class: "bb-panel" }, title, box, h("div", { class: "bb-grad-feet bb-grad-ends" }, ...ends)),
    update,
  };
}

/** What a network's layers compute. */
function blockText({ normalization, residual }) {
  const norm = { batch: (z) => `BN(${z})`, layer: (z) => `LN(${z})` }[normalization] ?? ((z) => z);
  const plain = (input) => `φ(${norm(`W ${input}`)})`;
  const step = residual ? `W φ(${norm("h")})` : plain("h");
  return fill(residual ? TEXT.skipping : TEXT.plain, { step, first: plain("x") });
}

function settingText({ depth, activation, init, gain, normalization, residual }) {
  const parts = [
    fill(TEXT.layers, { depth }),
    TEXT.activations[activation],
    TEXT.inits[init],
    gain === 1 ? "" : fill(TEXT.gained, { gain: show(gain, 2) }),
    TEXT.norms[normalization],
    residual ? TEXT.skips : "",
  ];
  return parts.filter(Boolean).join(", ");
}

/** How far a guess lies from the ratio, both powers of ten. */
function outcomeText(guess, ratio) {
  const away = Math.abs(guess - Math.round(Math.log10(ratio)));
  const [less, more] = away === 1 ? ["less", "more"] : ["muchLess", "muchMore"];
  const words = away ? TEXT.outcomes[guess > Math.log10(ratio) ? less : more] : TEXT.right;
  return fill(words, { guess: powerOfTen(guess), ratio: compact(ratio), away });
}

// ---- The view -----------------------------------------------------------------------------------------------

export default widget(SETTINGS, (view, model) => {
  const labels = model.get("labels");
  const noise = Float64Array.from(array(model, "noise").data);
  const [mean, std] = model.get("statistics");
  const x = Float64Array.from(array(model, "pixels").data, (pixel) => (pixel - mean) / std);
  const inputs = x.length / labels.length;
  const ladder = model.get("ladder");
  const opening = Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)]));
  const found = {}; // side -> what was measured, and for which setting
  /** Change the setting that is being edited. Whoever changes what was asked about gives the question up. */
  const change = (changes) => {
    const side = model.get("edit");
    view.set({ [side]: { ...model.get(side), ...changes }, ...(side === "a" ? { asked: "" } : {}) });
  };
  const measured = (side) => {
    const now = model.get(side);
    const key = JSON.stringify(now);
    if (found[side]?.key !== key) found[side] = { key, ...measure(weightsOf(noise, inputs, now), now, x, labels) };
    return found[side];
  };

  // ---- Controls

  const rungs = Object.entries(TEXT.rungs).map(([key, text]) => [
    key,
    button(text, () => view.set({ asked: key, a: { ...ladder[key] }, edit: "a", guess: 0 }), {
      "aria-pressed": "false",
    }),
  ]);
  const guess = range(TEXT.guess, { min: LOW, max: HIGH, step: 1 }, (value) => view.set({ guess: value }));
  const reveal = button(TEXT.reveal, () => {
    const asked = model.get("asked");
    view.set({ answers: { ...model.get("answers"), [asked]: model.get("guess") }, asked: "" });
    rungs.find(([key]) => key === asked)[1].focus();
  });
  const question = h("p", { class: "bb-grad-question" });
  const quiz = h("div", { class: "bb-grad-quiz" }, question, controls(guess.node, reveal));

  const edit = setting(view, "edit", TEXT.edit, TEXT.names);
  const depth = range(TEXT.depth, { min: 2, max: MAX_DEPTH, step: 1 }, (value) => change({ depth: value }));
  const gain = range(TEXT.gain, { min: -GAIN_STEPS, max: GAIN_STEPS, step: 1 }, (step) =>
    change({ gain: toGain(step) }),
  );
  const activation = dropdown(TEXT.activation, Object.entries(TEXT.activations), (value) =>
    change({ activation: value }),
  );
  const init = dropdown(TEXT.init, Object.entries(TEXT.inits), (value) => change({ init: value }));
  const normalization = choice(
    TEXT.normalization,
    Object.keys(TEXT.normalizations),
    (name) => TEXT.normalizations[name],
    (name) => change({ normalization: name === "none" ? null : name }),
  );
  const residual = choice(
    TEXT.residual,
    Object.keys(TEXT.residuals),
    (name) => TEXT.residuals[name],
    (name) => change({ residual: name === "yes" }),
  );
  const copy = button("", () => {
    const side = model.get("edit");
    const other = side === "a" ? "b" : "a";
    view.set({ [other]: { ...model.get(side) }, ...(other === "a" ? { asked: "" } : {}) });
  });
  const swap = button(TEXT.swap, () => view.set({ a: model.get("b"), b: model.get("a"), asked: "" }));
  const reset = button(TEXT.reset, () => view.set(opening));
  const block = h("p", { class: "bb-hint bb-grad-block" });

  const pick = (layer) => view.set({ layer });
  const slider = { role: "slider", tabindex: 0, "aria-valuemin": 1, "aria-orientation": "horizontal" };
  const charts = {
    gradH: chart(view, TEXT.curves.gradH, slider, pick),
    gradW: chart(view, TEXT.curves.gradW, { role: "img" }, pick),
  };
  keys(view, charts.gradH.box, ({ key }) => {
    const last = Math.max(...SIDES.map((side) => model.get(side).depth));
    const now = Math.min(model.get("layer"), last);
    const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageUp: 10, PageDown: -10 };
    const target = { Home: 1, End: last }[key] ?? (key in steps ? now + steps[key] : null);
    if (target === null) return false;
    pick(clamp(target, 1, last));
  });

  const cells = {};
  const row = (name) => {
    cells[name] = [
      h("th", { scope: "row" }, TEXT.rows[name]),
      h("td", { class: `bb-grad-${name}` }),
      h("td", { class: `bb-grad-${name}` }),
    ];
    return h("tr", {}, ...cells[name]);
  };
  const settings = SIDES.map(() => h("p", { class: "bb-grad-setting" }));
  const heads = () => SIDES.map((side) => h("th", { scope: "col", class: `bb-grad-head-${side}` }, TEXT.names[side]));
  const corner = h("th", { scope: "col" });
  const numbers = (head, ...rows) =>
    h(
      "table",
      { class: "bb-grad-numbers" },
      h("thead", {}, h("tr", {}, head, ...heads())),
      h("tbody", {}, ...rows.map(row)),
    );
  const whole = numbers(h("td"), "factor", "ratio", "ratioW");
  const inLayer = numbers(corner, "gradH", "gradW", "mean", "std", "saturated", "dead");
  const histograms = SIDES.map((side) => ({ side, h: bars(side), grad: bars(side) }));
  const says = SIDES.map(() => h("p", { class: "bb-grad-say" }));
  const live = speaker(view);

  // ---- Painting

  const paint = () => {
    const asked = model.get("asked");
    const layer = model.get("layer");
    const now = SIDES.map((side) => ({
      side,
      setting: model.get(side),
      ...measured(side),
      hidden: side === "a" && asked !== "",
    }));
    const known = answeredRung(now[0].setting, asked);
    paintCharts(now, layer, asked ? model.get("guess") : known ? model.get("answers")[known] : null);
    paintNumbers(now, layer);
    paintHistograms(now, layer);
    paintQuiz(now[0], asked, known);
    paintControls();
    now.forEach((one, i) => write(says[i], one.hidden ? TEXT.verdicts.hidden : verdict(one)));
    const told = now.map((one, i) => `${TEXT.names[one.side]}: ${says[i].textContent}`);
    live.say([asked || known ? question.textContent : "", ...told].join(" "));
  };
  const paintCharts = (now, layer, guessed) => {
    const to = Math.ceil(Math.max(...now.map(({ setting }) => setting.depth)) / 10) * 10;
    for (const [name, { box, update }] of Object.entries(charts)) {
      const sizes = now[0][name];
      const guess = name === "gradH" && guessed !== null ? sizes.at(-1) * 10 ** guessed : null;
      update({
        to,
        layer,
        guess,
        curves: Object.fromEntries(now.map((one) => [one.side, { sizes: one[name], hidden: one.hidden }])),
      });
      const shown = now.filter(({ hidden }) => !hidden);
      const parts = shown.map((one) =>
        fill(TEXT.curvePart, {
          name: TEXT.names[one.side],
          last: compact(one[name].at(-1)),
          depth: one[name].length,
          first: compact(one[name][0]),
        }),
      );
      const words = fill(TEXT.curveLabel, { title: TEXT.curves[name], parts: parts.join(" ") });
      box.setAttribute("aria-label", name === "gradH" ? `${TEXT.chartLabel}. ${words}` : words);
    }
    const last = Math.max(...now.map(({ setting }) => setting.depth));
    const { box } = charts.gradH;
    box.setAttribute("aria-valuemax", last);
    box.setAttribute("aria-valuenow", Math.min(layer, last));
    const values = now
      .filter(({ hidden }) => !hidden)
      .map((one) => `${TEXT.names[one.side]} ${compact(one.gradH[Math.min(layer, one.setting.depth) - 1])}`);
    box.setAttribute("aria-valuetext", `${Math.min(layer, last)}: ${values.join(", ")}`);
  };
  const paintNumbers = (now, layer) => {
    const last = Math.max(...now.map(({ setting }) => setting.depth));
    write(corner, fill(TEXT.rows.at, { layer: Math.min(layer, last) }));
    now.forEach((one, i) => {
      const l = Math.min(layer, one.setting.depth) - 1;
      const { ratio, factor } = summary(one.gradH);
      const texts = {
        factor: `×${compact(factor)}`,
        ratio: compact(ratio),
        ratioW: compact(summary(one.gradW).ratio),
        gradH: compact(one.gradH[l]),
        gradW: compact(one.gradW[l]),
        mean: compact(one.mean[l]),
        std: compact(one.std[l]),
        saturated: percent(one.saturated[l], 0, 1),
        dead: percent(one.dead[l], 0, 1),
      };
      for (const [name, text] of Object.entries(texts)) write(cells[name][i + 1], one.hidden ? "?" : text);
      write(settings[i], fill(TEXT.setting, { name: TEXT.names[one.side], settings: settingText(one.setting) }));
    });
  };
  const paintHistograms = (now, layer) => {
    now.forEach((one, i) => {
      const l = Math.min(layer, one.setting.depth);
      for (const kind of ["h", "grad"])
        histograms[i][kind].update(
          fill(TEXT.histograms[kind], { name: TEXT.names[one.side], layer: l }),
          one[kind][l - 1],
          one.hidden,
        );
    });
  };
  const paintQuiz = (a, asked, known) => {
    const answer = known ? model.get("answers")[known] : model.get("guess");
    const { ratio } = summary(a.gradH);
    for (const [key, node] of rungs) node.setAttribute("aria-pressed", key === (asked || known));
    guess.set(answer, asked || known ? powerOfTen(answer) : "");
    guess.input.disabled = reveal.disabled = !asked;
    if (asked) write(question, fill(TEXT.question, { depth: a.setting.depth }));
    else write(question, known ? outcomeText(answer, ratio) : TEXT.invite);
  };
  /** The rung that A stands on, where the reader has guessed it before. */
  const answeredRung = (setting, asked) => {
    const same = (rung) => Object.keys(rung).every((key) => rung[key] === setting[key]);
    return asked ? undefined : Object.keys(model.get("answers")).find((key) => same(ladder[key]));
  };
  const paintControls = () => {
    const side = model.get("edit");
    const now = model.get(side);
    edit.set(side);
    depth.set(now.depth, String(now.depth));
    gain.set(toStep(now.gain), show(now.gain, 2));
    activation.set(now.activation);
    init.set(now.init);
    normalization.set(now.normalization ?? "none");
    residual.set(now.residual ? "yes" : "no");
    const [from, to] = side === "a" ? SIDES : SIDES.toReversed();
    write(copy, fill(TEXT.copy, { from: TEXT.names[from], to: TEXT.names[to] }));
    write(block, blockText(now));
  };
  /** In words, what a curve shows. */
  const verdict = ({ setting, gradH, gradW, std }) => {
    const { ratio } = summary(gradH);
    const kind = ratio < 1e-3 ? "vanishes" : ratio > 1e3 ? "explodes" : "holds";
    const inner = gradW[1] / gradW.at(-1); // the first layer's weight has other inputs
    const [far, farW, spreads] = [ratio, inner, std.at(-1) / std[0]].map(Math.log10);
    const level =
      !setting.normalization && Math.abs(far) > 3 && Math.abs(farW) < Math.abs(far) / 2 && spreads * far > 0;
    const words = fill(TEXT.verdicts[kind], { ratio: compact(ratio), depth: setting.depth });
    if (!level) return words;
    const spread = { ratio: compact(inner), from: compact(std[0]), to: compact(std.at(-1)) };
    return `${words} ${fill(TEXT.verdicts.level, spread)}`;
  };

  const root = body(
    "bb-grad",
    TEXT.title,
    h(
      "div",
      { class: "bb-controls bb-grad-ladder", role: "group", "aria-label": TEXT.ladder },
      h("span", { class: "bb-grad-lead", "aria-hidden": "true" }, TEXT.ladder),
      ...rungs.map(([, node]) => node),
    ),
    quiz,
    h("div", { class: "bb-pair" }, charts.gradH.node, charts.gradW.node),
    hint(TEXT.hint),
    controls(edit.node, depth.node, gain.node),
    controls(activation.node, init.node, normalization.node, residual.node),
    block,
    controls(copy, swap, reset),
    h(
      "div",
      { class: "bb-grad-settings" },
      ...SIDES.map((side, i) => h("div", { class: `bb-grad-side bb-grad-side-${side}` }, settings[i], says[i])),
    ),
    h("div", { class: "bb-grad-tables" }, whole, inLayer),
    hint(fill(TEXT.terms, { count: labels.length })),
    h("div", { class: "bb-pair" }, histograms[0].h.node, histograms[1].h.node),
    h("div", { class: "bb-pair" }, histograms[0].grad.node, histograms[1].grad.node),
    live.node,
  );
  return { root, paint };
});
