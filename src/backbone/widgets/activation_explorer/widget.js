import {
  array,
  body,
  controls,
  drag,
  fill,
  h,
  percent,
  powerOfTen,
  range,
  setting,
  show,
  sliderKeys,
  speaker,
  widget,
  write,
} from "../kit.js";
import { sheet } from "../canvas.js";
import { activationFunctions, steepest } from "../activations.js";

const TEXT = {
  title: "Activation explorer: the same neuron again and again",
  activation: "Activation φ",
  layers: "Layers n",
  weight: "Weight w",
  bias: "Bias b",
  map: "One layer with {name}: value out and factor against value in. Drag, or use the arrow keys, to move the input, now {input}.",
  captions: {
    map: "One layer, over what comes in. Drag!",
    depth: "The product, layer by layer",
    values: "The signal after {layers}",
    products: "The product after {layers}",
  },
  first: "The signal before the first layer",
  layer: "1 layer",
  manyLayers: "{count} layers",
  legend: {
    out: "comes out: φ(w·in + b)",
    factor: "factor: w·φ′(w·in + b)",
    way: "your input, and where it comes in later",
    one: "dashed: factor 1, nothing is lost",
    gray: "gray: saturated",
  },
  middle: "median of all inputs, with 10 to 90 %",
  own: "your input",
  saturated: "saturated: φ′ below a tenth of its largest",
  beyond: "The bars at the ends also count what lies beyond.",
  factors: "Factors on the way of your input: {list} = {product}",
  none: "No layer yet: the product is 1.",
  numbers: {
    out: "your input comes out as",
    each: "its factor a layer",
    product: "its product",
    middle: "median of all products",
    saturated: "saturated at the end",
    zero: "product exactly 0",
  },
  depthLabel:
    "Size of the product over 50 layers on a logarithmic axis. After {layers} the median of all inputs is {middle}.",
  valuesLabel: "Histogram of the signal after {layers}, between {low} and {high}.",
  productsLabel:
    "Histogram of the product after {layers} on a logarithmic axis: the median is {middle}, {zero} are exactly 0.",
  spoken: "After {layers}: value {out}, product {product}.",
};
const DEEPEST = 50;
const REACH = 4; // of values that are shown
const [TINY, HUGE] = [-40, 12]; // of products, as powers of 10
const VALUE_BINS = 40;

// ---- Maths: pure functions, tested against Python -------------------------------------------------------------

/** The way of one input: what comes into each layer, the factors, and log10 of the product's size after each. */
export function wayOf({ value, derivative }, input, layers, weight, bias) {
  const way = { values: [input], factors: [], logs: [0] };
  for (let n = 0; n < layers; n++) {
    const sum = weight * way.values[n] + bias;
    const slope = derivative(sum);
    way.factors.push(weight * slope);
    way.logs.push(way.logs[n] + Math.log10(Math.abs(weight * slope)));
    way.values.push(value(sum));
  }
  return way;
}

/** The slope below which a neuron is saturated: a tenth of the activation's largest. */
export const flatBelow = (functions) => steepest(functions) / 10;

/** All inputs through `layers`: for each depth the values, log10 of the products, and what is saturated there. */
export function spread(functions, inputs, layers, weight, bias) {
  const { value, derivative } = functions;
  const least = flatBelow(functions);
  const count = inputs.length;
  const depths = [{ values: inputs, logs: new Float64Array(count), flat: new Uint8Array(count) }];
  for (let n = 0; n < layers; n++) {
    const last = depths[n];
    const next = { values: new Float64Array(count), logs: new Float64Array(count), flat: new Uint8Array(count) };
    for (let i = 0; i < count; i++) {
      const sum = weight * last.values[i] + bias;
      const slope = Math.abs(derivative(sum));
      next.values[i] = value(sum);
      next.logs[i] = last.logs[i] + Math.log10(weight * slope);
      next.flat[i] = slope < least ? 1 : 0;
    }
    depths.push(next);
  }
  return depths;
}

/** Some quantiles of numbers, -Infinity among them, without a mean of two. */
export function quantiles(numbers, shares) {
  const sorted = Float64Array.from(numbers).sort();
  return shares.map((share) => sorted[Math.floor(share * (sorted.length - 1))]);
}

/** How many lie in each bin; the first and the last bin also hold what lies beyond. `weigh` counts only some. */
export function counted(numbers, low, high, bins, weigh = () => 1) {
  const found = new Float64Array(bins);
  numbers.forEach((number, i) => {
    const at = Math.floor(((number - low) / (high - low)) * bins);
    if (number !== -Infinity) found[Math.min(Math.max(at, 0), bins - 1)] += weigh(i);
  });
  return found;
}

/** A number by the logarithm of its size: "0.213", "−1.30", "2.1 × 10⁻¹³". */
export function written(log, sign = 1) {
  const minus = sign < 0 ? "−" : "";
  if (log === -Infinity) return "0";
  if (log > -2.0005 && log < 4) return minus + plain(10 ** log);
  let power = Math.floor(log);
  let digits = (10 ** (log - power)).toFixed(1);
  if (digits === "10.0") [digits, power] = ["1.0", power + 1];
  return `${minus}${digits} × ${powerOfTen(power)}`;
}

/** Three digits of a number of moderate size. */
function plain(size) {
  return size >= 100 ? size.toFixed(0) : size.toFixed(size >= 10 ? 1 : size >= 0.9995 ? 2 : 3);
}

/** Any number, as `written`. */
export const number = (value) => written(Math.log10(Math.abs(value)), value);

/** The first factors and the last. */
export function listed(factors) {
  const texts = factors.map(number);
  return (texts.length > 5 ? [...texts.slice(0, 3), "…", texts.at(-1)] : texts).join(" × ");
}

// ---- Drawing ------------------------------------------------------------------------------------------------

const PAD = { left: 42, right: 8, top: 8, bottom: 20 };

/** Scales of a picture whose axes run from x0 to x1 and from y0 to y1. */
function scales(width, height, [x0, x1], [y0, y1]) {
  const [wide, tall] = [width - PAD.left - PAD.right, height - PAD.top - PAD.bottom];
  return {
    x: (value) => PAD.left + ((value - x0) / (x1 - x0)) * wide,
    y: (value) => PAD.top + ((y1 - value) / (y1 - y0)) * tall,
  };
}

function ruler(context, { x, y }, height, across, up, label = show) {
  context.textBaseline = "alphabetic";
  context.textAlign = "center";
  for (const tick of across) context.fillText(label(tick), x(tick), height - 5);
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (const [tick, text] of up) context.fillText(text, PAD.left - 5, y(tick));
}

function rule(context, from, to, dash = [], alpha = 0.5) {
  context.save();
  context.globalAlpha = alpha;
  context.setLineDash(dash);
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
  context.restore();
}

function line(context, points, color, thickness) {
  context.strokeStyle = color;
  context.lineWidth = thickness;
  context.lineJoin = "round";
  context.beginPath();
  points.forEach(([right, down], i) => (i ? context.lineTo(right, down) : context.moveTo(right, down)));
  context.stroke();
}

function dot(context, right, down, radius, alpha = 1) {
  context.globalAlpha = alpha;
  context.beginPath();
  context.arc(right, down, radius, 0, 2 * Math.PI);
  context.fill();
  context.globalAlpha = 1;
}

function inside(context, width, height, paint) {
  context.save();
  context.beginPath();
  context.rect(PAD.left - 1, PAD.top - 1, width - PAD.left - PAD.right + 2, height - PAD.top - PAD.bottom + 2);
  context.clip();
  paint();
  context.restore();
}

/** One layer as a function of what comes in, its factor, and the places that the chosen input visits. */
function paintMap(context, width, height, colors, { curve, way, range, flat }) {
  const { x, y } = scales(width, height, [-REACH, REACH], range);
  const whole = [];
  for (let tick = Math.ceil(range[0]); tick <= range[1]; tick++) whole.push([tick, show(tick)]);
  context.globalAlpha = 0.09;
  for (const [from, to] of flat) context.fillRect(x(from), PAD.top, x(to) - x(from), height - PAD.top - PAD.bottom);
  context.globalAlpha = 1;
  ruler(context, { x, y }, height, [-4, -2, 0, 2, 4], whole);
  rule(context, [x(-REACH), y(0)], [x(REACH), y(0)]);
  rule(context, [x(0), PAD.top], [x(0), height - PAD.bottom]);
  rule(context, [x(-REACH), y(1)], [x(REACH), y(1)], [4, 4], 0.8);
  inside(context, width, height, () => {
    const over = (name) => curve.map((point) => [x(point.at), y(point[name])]);
    line(context, over("factor"), colors.positive, 2.5);
    line(context, over("out"), colors.ink, 2);
    context.fillStyle = colors.mark;
    rule(context, [x(way.values[0]), PAD.top], [x(way.values[0]), height - PAD.bottom], [2, 3], 1);
    way.factors.forEach((factor, n) => {
      const [at, out] = [way.values[n], way.values[n + 1]];
      dot(context, x(at), y(factor), n ? 3 : 6, n ? 0.6 : 1);
      dot(context, x(at), y(out), n ? 3 : 6, n ? 0.6 : 1);
    });
  });
}

const EXACT = TINY - 4; // where an exact 0 is drawn on the logarithmic axis
const within = (log) => (log === -Infinity ? EXACT : Math.min(Math.max(log, TINY), HUGE));
const POWERS = [-40, -30, -20, -10, 0, 10];
const tickOf = (power) => (power ? powerOfTen(power) : "1");

/** The product over the layers so far: the band and the middle of all inputs, and the way of one. */
function paintDepth(context, width, height, colors, { bands, way }) {
  const { x, y } = scales(width, height, [0, DEEPEST], [EXACT - 1, HUGE]);
  const powers = POWERS.map((power) => [power, tickOf(power)]);
  ruler(context, { x, y }, height, [0, 10, 20, 30, 40, 50], [...powers, [EXACT, "0"]]);
  rule(context, [x(0), y(0)], [x(DEEPEST), y(0)], [4, 4], 0.8);
  rule(context, [x(0), y(TINY)], [x(DEEPEST), y(TINY)], [], 0.3);
  const points = (logs) => logs.map((log, n) => [x(n), y(within(log))]);
  const [lower, middle, upper] = [0, 1, 2].map((i) => points(bands.map((band) => band[i])));
  context.fillStyle = colors.positive;
  context.globalAlpha = 0.25;
  context.beginPath();
  [...upper, ...lower.reverse()].forEach((point) => context.lineTo(...point));
  context.fill();
  context.globalAlpha = 1;
  line(context, middle, colors.positive, 2.5);
  line(context, points(way.logs), colors.mark, 1.5);
  context.fillStyle = colors.positive;
  dot(context, ...middle.at(-1), 4.5);
  context.fillStyle = colors.mark;
  dot(context, ...points(way.logs).at(-1), 3.5);
}

/** Bars over an axis; `parts` are drawn on top of each other. `mark` is where the chosen input is. */
function paintBars(context, width, height, colors, { parts, range, ticks, label, mark, zero = null }) {
  const left = zero === null ? 6 : 34;
  const foot = height - PAD.bottom;
  const bins = parts[0].bars.length;
  const top = Math.max(...parts[0].bars, zero ?? 0);
  const x = (value) => left + ((value - range[0]) / (range[1] - range[0])) * (width - left - 6);
  const bar = (from, to, share, color, alpha) => {
    const tall = share && Math.max(1.5, (share / top) * (foot - 14));
    context.fillStyle = color;
    context.globalAlpha = alpha;
    context.fillRect(from + 0.5, foot - tall, Math.max(to - from - 1, 1), tall);
    context.globalAlpha = 1;
  };
  for (const { bars, color, alpha } of parts) {
    bars.forEach((share, i) =>
      bar(left + (i * (width - left - 6)) / bins, left + ((i + 1) * (width - left - 6)) / bins, share, color, alpha),
    );
  }
  if (zero !== null) bar(6, 24, zero, parts[0].color, 1);
  context.fillStyle = colors.ink;
  context.fillRect(left, foot, width - left - 6, 1);
  context.textAlign = "center";
  context.textBaseline = "alphabetic";
  for (const tick of ticks)
    context.fillText(label(tick), Math.min(Math.max(x(tick), left + 6), width - 14), height - 5);
  if (zero !== null) {
    context.fillRect(6, foot, 18, 1);
    context.fillText("0", 15, height - 5);
  }
  context.fillStyle = colors.mark;
  const at = mark === -Infinity ? 15 : Math.min(Math.max(x(mark), left), width - 6);
  context.beginPath();
  context.moveTo(at, foot);
  context.lineTo(at - 6, foot + 9);
  context.lineTo(at + 6, foot + 9);
  context.fill();
}

// ---- The view -----------------------------------------------------------------------------------------------

/** The layer over [-4, 4], and the stretches of it where the neuron is saturated. */
export function layerCurve(functions, weight, bias) {
  const { value, derivative } = functions;
  const [steps, least] = [320, flatBelow(functions)];
  const curve = Array.from({ length: steps + 1 }, (_, i) => {
    const at = -REACH + (2 * REACH * i) / steps;
    const slope = derivative(weight * at + bias);
    return { at, out: value(weight * at + bias), factor: weight * slope, flat: Math.abs(slope) < least };
  });
  const flat = [];
  curve.forEach(({ at, flat: is }, i) => {
    if (!is) return;
    if (i && curve[i - 1].flat) flat.at(-1)[1] = at;
    else flat.push([at, at]);
  });
  const all = curve.flatMap(({ out, factor }) => [out, factor]);
  const range = [Math.max(Math.min(...all, 0) - 0.15, -2), Math.min(Math.max(...all, 1) + 0.25, 6.3)];
  return { curve, flat, range };
}

const SETTINGS = ["activation", "layers", "weight", "bias", "input"];

export default widget(SETTINGS, (view, model) => {
  const inputs = array(model, "inputs").data;
  const titles = Object.fromEntries(model.get("titles"));
  let [shown, all, key] = [null, null, ""];
  const picked = setting(view, "activation", TEXT.activation, titles);
  const sliders = {
    layers: range(TEXT.layers, { min: 0, max: DEEPEST, step: 1 }, (layers) => view.set({ layers })),
    weight: range(TEXT.weight, { min: 0.1, max: 6, step: 0.1 }, (weight) => view.set({ weight })),
    bias: range(TEXT.bias, { min: -4, max: 4, step: 0.1 }, (bias) => view.set({ bias })),
  };
  const ratio = "336 / 210";
  const map = sheet(
    { class: "bb-ac-map", tabindex: 0, role: "slider", "aria-valuemin": -REACH, "aria-valuemax": REACH },
    ratio,
    (context, width, height, colors) => paintMap(context, width, height, colors, shown),
  );
  const depth = sheet({ role: "img", class: "bb-ac-depth" }, ratio, (context, width, height, colors) =>
    paintDepth(context, width, height, colors, shown),
  );
  const values = sheet({ role: "img", class: "bb-ac-values" }, "336 / 130", (context, width, height, colors) =>
    paintBars(context, width, height, colors, {
      parts: [
        { bars: shown.bars.all, color: colors.ink, alpha: 0.35 },
        { bars: shown.bars.flat, color: colors.ink, alpha: 0.75 },
      ],
      range: [-REACH, REACH],
      ticks: [-4, -2, 0, 2, 4],
      label: show,
      mark: shown.way.values.at(-1),
    }),
  );
  const products = sheet({ role: "img", class: "bb-ac-products" }, "336 / 130", (context, width, height, colors) =>
    paintBars(context, width, height, colors, {
      parts: [{ bars: shown.bars.products, color: colors.positive, alpha: 1 }],
      range: [TINY, HUGE],
      ticks: POWERS,
      label: tickOf,
      mark: shown.way.logs.at(-1),
      zero: shown.bars.zero,
    }),
  );
  const swatch = (kind, text) => h("span", { class: `bb-ac-key bb-ac-${kind}` }, text);
  const captions = Object.fromEntries(
    ["map", "depth", "values", "products"].map((name) => [name, h("p", { class: "bb-ac-head" })]),
  );
  const figure = (name, canvas, ...keys) =>
    h("div", { class: "bb-panel" }, captions[name], canvas, h("p", { class: "bb-ac-keys" }, ...keys));
  const factors = h("p", { class: "bb-ac-factors" });
  const numbers = Object.fromEntries(Object.keys(TEXT.numbers).map((name) => [name, h("strong")]));
  const list = h(
    "div",
    { class: "bb-ac-numbers" },
    ...Object.entries(numbers).map(([name, node]) => h("p", {}, `${TEXT.numbers[name]} `, node)),
  );
  const live = speaker(view);
  const paint = () => {
    const [activation, layers, weight, bias, input] = SETTINGS.map((name) => model.get(name));
    const functions = activationFunctions[activation];
    const wanted = [activation, weight, bias].join();
    if (wanted !== key || all.depths.length <= layers) {
      const depths = spread(functions, inputs, layers, weight, bias);
      all = {
        depths,
        bands: depths.map(({ logs }) => quantiles(logs, [0.1, 0.5, 0.9])),
        ...layerCurve(functions, weight, bias),
      };
      key = wanted;
    }
    const last = all.depths[layers];
    const way = wayOf(functions, input, layers, weight, bias);
    const zero = last.logs.filter((log) => log === -Infinity).length;
    shown = {
      ...all,
      way,
      bands: all.bands.slice(0, layers + 1),
      bars: {
        all: counted(last.values, -REACH, REACH, VALUE_BINS),
        flat: counted(last.values, -REACH, REACH, VALUE_BINS, (i) => last.flat[i]),
        products: counted(last.logs, TINY, HUGE, HUGE - TINY),
        zero,
      },
    };
    const [low, high] = quantiles(last.values, [0, 1]).map(number);
    const sign = way.factors.reduce((product, factor) => product * Math.sign(factor), 1);
    const texts = {
      out: `${show(input, 2)} → ${number(way.values[layers])}`,
      each: layers ? `×${written(way.logs[layers] / layers)}` : "–",
      product: written(way.logs[layers], sign),
      middle: written(all.bands[layers][1]),
      saturated: layers ? percent(last.flat.reduce((sum, is) => sum + is, 0) / inputs.length, 1) : "–",
      zero: percent(zero / inputs.length, 1),
    };
    for (const [name, text] of Object.entries(texts)) write(numbers[name], text);
    const said = {
      ...texts,
      layers: layers === 1 ? TEXT.layer : fill(TEXT.manyLayers, { count: layers }),
      low,
      high,
      out: number(way.values[layers]),
      name: titles[activation],
      input: show(input, 2),
      list: listed(way.factors),
    };
    write(factors, layers ? fill(TEXT.factors, said) : TEXT.none);
    for (const [name, node] of Object.entries(captions))
      write(node, name === "values" && !layers ? TEXT.first : fill(TEXT.captions[name], said));
    picked.set(activation);
    for (const [name, slider] of Object.entries(sliders)) {
      const number = { layers, weight, bias }[name];
      slider.set(number, show(number, 2));
    }
    map.canvas.setAttribute("aria-label", fill(TEXT.map, said));
    map.canvas.setAttribute("aria-valuenow", input);
    map.canvas.setAttribute("aria-valuetext", said.input);
    depth.canvas.setAttribute("aria-label", fill(TEXT.depthLabel, said));
    values.canvas.setAttribute("aria-label", fill(TEXT.valuesLabel, said));
    products.canvas.setAttribute("aria-label", fill(TEXT.productsLabel, said));
    for (const { draw } of [map, depth, values, products]) draw();
    live.say(fill(TEXT.spoken, said));
  };

  const moveTo = (input) => view.set({ input: Number(Math.min(Math.max(input, -REACH), REACH).toFixed(2)) });
  drag(view, map.canvas, (event) => {
    const box = map.canvas.getBoundingClientRect();
    moveTo(-REACH + ((event.clientX - box.left - PAD.left) / (box.width - PAD.left - PAD.right)) * 2 * REACH);
  });
  sliderKeys(view, map.canvas, { low: -REACH, high: REACH, step: 0.05 }, () => model.get("input"), moveTo);
  for (const { canvas, draw } of [map, depth, values, products]) view.onResize(canvas, draw);

  const root = body(
    "bb-ac",
    TEXT.title,
    controls(picked.node),
    controls(...Object.values(sliders).map(({ node }) => node)),
    h(
      "div",
      { class: "bb-ac-figures" },
      figure("map", map.canvas, ...Object.entries(TEXT.legend).map(([kind, text]) => swatch(kind, text))),
      figure("depth", depth.canvas, swatch("factor", TEXT.middle), swatch("way", TEXT.own)),
      figure("values", values.canvas, swatch("flat", TEXT.saturated), h("span", {}, TEXT.beyond)),
      figure("products", products.canvas, swatch("way", TEXT.own)),
    ),
    factors,
    list,
    live.node,
  );
  return { root, paint };
});
