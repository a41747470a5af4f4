import {
  array,
  body,
  button,
  choice,
  controls,
  diverging,
  drag,
  entries,
  fill,
  fixed,
  gray,
  h,
  hint,
  keys,
  paintPixels,
  percent,
  powerOfTen,
  remember,
  setting,
  show,
  speaker,
  widget,
  write,
} from "../kit.js";
import { sheet } from "../canvas.js";
import { lenetForward, lenetParameters, softmax } from "../lenet.js";

const TEXT = {
  title: "Feature map explorer",
  pictures: "Picture",
  yours: "your drawing",
  network: "Network",
  scale: "Color scale",
  scales: { same: "same for all", own: "its own" },
  tool: "On the picture",
  tools: { look: "Look", cover: "Cover", draw: "Draw" },
  hints: {
    look: "Choose a unit in the strip. Point at its map, or at the picture, to move its field.",
    cover: "Move the square over the picture: click, drag, or use the arrow keys.",
    draw: "Paint a filled shape. Keys: arrows move, space paints, Enter sets or lifts the pen.",
  },
  coverSize: "Size of the square",
  coverFill: "Filled with",
  fills: { gray: "gray", black: "black", mean: "data mean" },
  toLowest: "To the lowest",
  brush: "Brush",
  brushes: { thin: "thin", thick: "thick" },
  ink: "Ink",
  inks: { white: "white", black: "black" },
  clear: "Clear",
  copy: "Start from {name}",
  fieldCaption: "input, 28 × 28\nfield of {reach} × {reach} marked",
  wholeCaption: "input, 28 × 28\nall of it is seen",
  coverCaption: "input, covered\nrows {top}–{bottom}, columns {left}–{right}",
  drawCaption: "input, yours to draw\nrow {row}, column {column}",
  penCaption: "input, yours to draw\nrow {row}, column {column}, pen down",
  drawIdle: "input, yours to draw\n28 × 28",
  inputLabels: {
    look: "Input picture. Arrow keys move the field of the chosen unit.",
    cover: "Input picture. Arrow keys move the cover.",
    draw: "Drawing. Arrow keys move the cursor, space paints, Enter sets the pen down or lifts it.",
  },
  mapLabel: "Map of the chosen unit. Arrow keys move the place, Home goes to the strongest.",
  termsLabel: "Contributions to the chosen unit.",
  unit: "{layer}, unit {unit}",
  place: "{layer}, unit {unit}, row {row}, column {column}",
  caption: "{unit}\nrow {row}, column {column}: {value}",
  sumCaption: "what adds up to {unit}\n{value}",
  contribution: "{source}: {value} × {weight} = {product}",
  contributionCaption: "{source}\n{value} × {weight} = {product}",
  bestPatches: "its nine best patches\nin the data",
  bestPictures: "its nine best pictures\nin the data",
  bestNone: "There are no best patches for this network.",
  bestPacked: "This browser cannot unpack the best patches; a newer one can.",
  patch: "{rank}: {name}, field from row {top}, column {left}",
  wholePatch: "{rank}: {name}",
  heat: "probability of {name}\nhere {share}",
  heatBusy: "probability of {name}\n{share} of the places tried",
  heatLabel: "Probability for every place of the cover. Arrow keys move the cover, Home goes to the lowest place.",
  layers: {
    conv1: "conv1",
    relu1: "ReLU",
    pool1: "pool",
    conv2: "conv2",
    relu2: "ReLU",
    pool2: "pool",
    fc1: "fc1",
    fc2: "fc2",
    fc3: "scores",
  },
  names: {
    conv1: "conv1",
    relu1: "ReLU after conv1",
    pool1: "pool1",
    conv2: "conv2",
    relu2: "ReLU after conv2",
    pool2: "pool2",
    fc1: "fc1",
    fc2: "fc2",
    fc3: "score",
  },
  mapSizes: ["{units} maps", "{side} × {side}"],
  unitSizes: ["{units} units", "with ReLU"],
  oneScale: "One color scale for the maps of a stage, for all pictures. The strongest 1 in 200 share its last color.",
  layerLabel: "{name}, {units} units. Arrow keys choose one.",
  strongest: "To its strongest place",
  verdict: "{name}, {share}.",
  right: "The label says {name}: right.",
  wrong: "The label says {name}: wrong.",
  noTruth: "A drawing has no true class.",
  entropy: "Entropy {bits} of at most {most} bits, as in a blind choice among {classes} classes.",
  scribble:
    "A drawing always gets a class, and so does an empty square: “none of these” is not among the ten. Confidence on a scribble is not knowledge.",
  covered: "Probability of {name}: {now} with the cover, {before} without.",
  sure: "Low entropy says that the network is sure, not that it is right.",
  unsure: "Nearly every class is equally likely: this network cannot tell what it sees, and a right answer is luck.",
  between: "The network hesitates. Look which classes share the probability.",
  sureAndWrong: "Sure and wrong: entropy measures how sure the network is, not whether it is right.",
  unsureAndWrong: "Wrong, and not sure either. Look which classes share the probability.",
  arithmetic: "How this number comes about",
  values: { conv1: "standardized pixels", conv2: "pool1, unit {unit}", fc1: "pool2, unit {unit}" },
  weights: "weights",
  products: "products",
  channel: "Every input map gives a part of the sum: choose one to see its products",
  part: "unit {unit}",
  bias: "{value} (bias)",
  sum: "{where} = {terms} = {total}.",
  rounded: "Rounded so that what is shown adds up.",
  relu: "{where}. ReLU: the larger of {value} and 0 is {result}.",
  reluThen: "ReLU makes it {result}.",
  pool: "{where}. The largest of the four is {result}.",
  poolLabel: "{name}, 2 × 2",
  terms: "Its largest terms; press one to open that unit",
  rest: "{value} (the other {count})",
  softmax: "Softmax: e^{score} divided by the sum of all ten, {sum}, is {share}.",
  spoken: "{where}: {value}. {name}, {share}, entropy {bits} bits",
};
const SIDE = 28;
const MARGIN = 2; // in pixels of the input: fields reach over its border
const KERNEL = 5;
const UNIT = 1000; // sums are written in thousandths
const TOP_TERMS = 6;
const PATCHES = 9;
const NARROW = 544; // pixels; widget.css has the same width, 34rem
const SLICE = 8; // milliseconds of work between two chances for the page to answer
const COVER_SIZES = [4, 8, 12];
const RADII = { thin: 0.8, thick: 2.2 };
// The strip. A unit's place (row, column) sees the pixels from start + jump * row on, `reach` of them.
const LAYERS = {
  conv1: { units: 6, side: 28, start: -2, jump: 1, reach: 5, stage: 0 },
  relu1: { units: 6, side: 28, start: -2, jump: 1, reach: 5, stage: 0, before: "conv1" },
  pool1: { units: 6, side: 14, start: -2, jump: 2, reach: 6, stage: 0, before: "relu1" },
  conv2: { units: 16, side: 10, start: -2, jump: 2, reach: 14, stage: 1, before: "pool1" },
  relu2: { units: 16, side: 10, start: -2, jump: 2, reach: 14, stage: 1, before: "conv2" },
  pool2: { units: 16, side: 5, start: -2, jump: 4, reach: 16, stage: 1, before: "relu2" },
  fc1: { units: 120, side: 1, start: 0, jump: 0, reach: SIDE, stage: 2, before: "pool2" },
  fc2: { units: 84, side: 1, start: 0, jump: 0, reach: SIDE, stage: 3, before: "fc1" },
  fc3: { units: 10, side: 1, start: 0, jump: 0, reach: SIDE, stage: 4, before: "fc2" },
};
const NAMES = Object.keys(LAYERS);
const SEARCHED = NAMES.filter((name) => !name.startsWith("relu"));
const STAGES = [["conv1", "relu1", "pool1"], ["conv2", "relu2", "pool2"], ["fc1"], ["fc2"]];
const DIRECTIONS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const SETTINGS = [
  "picture",
  "drawing",
  "network",
  "scale",
  "layer",
  "unit",
  "position",
  "tool",
  "cover",
  "cover_size",
  "cover_fill",
];

// ---- Maths: pure functions, tested against PyTorch --------------------------------------------------------------

/** The networks' parameters, [{ "conv1.weight": Float32Array, ... }, ...]. */
export function networksOf(model) {
  const [weights, vectors] = ["weights", "vectors"].map((name) => entries(array(model, name)));
  return weights.map((own, i) => lenetParameters(model.get("shapes"), own, vectors[i]));
}

/** Pixels from 0 to 255 as the network takes them. */
export function standardized(pixels, [mean, std]) {
  return Float64Array.from(pixels, (pixel) => (pixel / 255 - mean) / std);
}

/** LeNet's maps of a standardized picture, by the names of the strip: there fc1 and fc2 are after ReLU. */
export function forward(network, input) {
  const maps = lenetForward(network, input);
  return { ...maps, input, fc1: maps.relu3, fc2: maps.relu4 };
}

/** In bits; 0 for a certain class, log2(10) = 3.32 for ten equal ones. */
export function entropy(probabilities) {
  return probabilities.reduce((bits, p) => (p > 0 ? bits - p * Math.log2(p) : bits), 0);
}

const largestAt = (values) => values.reduce((best, value, i) => (value > values[best] ? i : best), 0);

/** The pixels that a place of a layer sees: first row, first column, and how many along each side. */
export function fieldOf(layer, row, column) {
  const { start, jump, reach } = LAYERS[layer];
  return [start + jump * row, start + jump * column, reach];
}

/** The place of a layer whose field has its middle nearest to a point of the picture. */
export function placeAt(layer, y, x) {
  const { start, jump, reach, side } = LAYERS[layer];
  const at = (point) => (jump ? Math.min(Math.max(Math.round((point - start - reach / 2) / jump), 0), side - 1) : 0);
  return [at(y), at(x)];
}

/** The picture with a square of one gray in it. */
export function coveredBy(pixels, [row, column], size, gray) {
  const out = Uint8Array.from(pixels);
  for (let y = row; y < row + size; y++) out.fill(gray, y * SIDE + column, y * SIDE + column + size);
  return out;
}

/** Paint a soft dot, white or black; paint that is there stays. `y` and `x` are pixel centers at whole numbers. */
export function dab(pixels, y, x, radius, ink) {
  const reach = Math.ceil(radius + 1);
  for (let row = Math.max(0, Math.floor(y) - reach); row <= Math.min(SIDE - 1, Math.ceil(y) + reach); row++) {
    for (
      let column = Math.max(0, Math.floor(x) - reach);
      column <= Math.min(SIDE - 1, Math.ceil(x) + reach);
      column++
    ) {
      const strength = Math.min(Math.max(radius + 0.7 - Math.hypot(row - y, column - x), 0), 1) * 255;
      const at = row * SIDE + column;
      pixels[at] = ink === "white" ? Math.max(pixels[at], strength) : Math.min(pixels[at], 255 - strength);
    }
  }
}

/** Dots along a line, close enough to be one stroke. */
export function stroke(pixels, [y0, x0], [y1, x1], radius, ink) {
  const steps = Math.max(1, Math.ceil(2 * Math.hypot(y1 - y0, x1 - x0)));
  for (let i = 0; i <= steps; i++) dab(pixels, y0 + ((y1 - y0) * i) / steps, x0 + ((x1 - x0) * i) / steps, radius, ink);
}

/** What a unit adds up: groups of values and weights, one group an input map, and the bias. */
export function summands(network, maps, layer, unit, row, column) {
  const weight = network[`${layer}.weight`];
  const bias = network[`${layer}.bias`][unit];
  const group = (values, first) => ({ values, weights: values.map((_, i) => weight[first + i]) });
  if (layer === "fc2" || layer === "fc3") {
    const input = Array.from(maps[LAYERS[layer].before]);
    return { groups: [group(input, unit * input.length)], bias };
  }
  const { units: channels, side } = layer === "conv1" ? { units: 1, side: SIDE } : LAYERS[LAYERS[layer].before];
  const source = layer === "conv1" ? maps.input : maps[LAYERS[layer].before];
  const [top, left] = layer === "conv1" ? [row - 2, column - 2] : [row, column];
  const groups = span(channels).map((c) => {
    const values = span(KERNEL * KERNEL).map((k) => {
      const [y, x] = [top + Math.floor(k / KERNEL), left + (k % KERNEL)];
      return y < 0 || x < 0 || y >= side || x >= side ? null : source[(c * side + y) * side + x];
    });
    return group(values, (unit * channels + c) * KERNEL * KERNEL);
  });
  return { groups, bias };
}

/** Whole numbers near `values` that add up to `target`: rounded, then those moved that were nearest to the other side. */
export function apportion(values, target) {
  const parts = values.map((value) => Math.round(value) + 0);
  let gap = target - parts.reduce((sum, part) => sum + part, 0);
  const step = Math.sign(gap);
  const loss = (i) => (values[i] - parts[i]) * step;
  const order = span(values.length)
    .filter((i) => values[i] !== 0)
    .sort((i, j) => loss(j) - loss(i));
  for (let k = 0; gap && order.length; k++, gap -= step) parts[order[k % order.length]] += step;
  return parts;
}

/** Products, their sums by group, bias and total, in whole thousandths that add up exactly. */
export function ledger({ groups, bias }) {
  const exact = groups.map(({ values, weights }) => values.map((value, i) => (value ?? 0) * weights[i] * UNIT));
  const sums = exact.map((products) => products.reduce((sum, product) => sum + product, 0));
  const total = Math.round(sums.reduce((all, sum) => all + sum, 0) + bias * UNIT) + 0;
  const shownBias = Math.round(bias * UNIT) + 0;
  const shownSums = apportion(sums, total - shownBias);
  return {
    products: exact.map((products, g) => apportion(products, shownSums[g])),
    sums: shownSums,
    bias: shownBias,
    total,
  };
}

/** The largest terms of a long sum, and what is left, in whole thousandths that add up. */
export function largestTerms({ products: [products] }, count) {
  const order = span(products.length).sort((i, j) => Math.abs(products[j]) - Math.abs(products[i]) || i - j);
  const top = order.slice(0, count);
  const rest = order.slice(count).reduce((sum, i) => sum + products[i], 0);
  return { top, rest };
}

/** A number not below `value` that is short to print: two figures, or none behind the point. */
export function tidy(value) {
  if (!(value > 0)) return 1;
  const digits = Math.max(0, 1 - Math.floor(Math.log10(value)));
  return Number((Math.ceil(value * 10 ** digits - 1e-9) / 10 ** digits).toFixed(digits));
}

/** In each stage, the size that 1 number in 200 exceeds, over all pictures: the end of the stage's color scale. */
export function limitsOf(network, inputs) {
  const all = inputs.map((input) => forward(network, input));
  return STAGES.map(([name]) => {
    const sizes = Float64Array.from(all.flatMap((maps) => Array.from(maps[name], Math.abs))).sort();
    return sizes[Math.floor(0.995 * (sizes.length - 1))];
  });
}

const span = (count) => Array.from({ length: count }, (_, i) => i);

// ---- Words for numbers ------------------------------------------------------------------------------------------

const thousandths = (whole) => fixed(whole / UNIT, 3);

/** With three decimals, or 2.782 · 10⁶. */
function large(value) {
  if (value < 1e5) return fixed(value, 3);
  const power = Math.floor(Math.log10(value));
  return `${fixed(value / 10 ** power, 3)} · ${powerOfTen(power)}`;
}

/** "99.7 %"; never 100 or 0 where it is not quite. */
export function shareText(share) {
  if (share > 0.9995 && share < 1) return ">99.9 %";
  if (share < 0.0005 && share > 0) return "<0.1 %";
  return percent(share, 1);
}

function signedSum(terms) {
  return terms.map((text, i) => (i ? (text.startsWith("−") ? ` − ${text.slice(1)}` : ` + ${text}`) : text)).join("");
}

// ---- What is shown ----------------------------------------------------------------------------------------------

/** What does not change: pictures, networks, and the ends of their color scales. */
function readContent(model) {
  const labels = model.get("labels");
  const classes = model.get("classes");
  const names = model.get("networks");
  const statistics = model.get("statistics");
  const networks = networksOf(model);
  const pictures = entries(array(model, "pixels"));
  const inputs = pictures.map((picture) => standardized(picture, statistics));
  const own = networks.map((network) => limitsOf(network, inputs));
  const same = own[0].map((_, stage) => Math.max(...own.map((limits) => limits[stage])));
  return { labels, classes, names, statistics, networks, pictures, own, same };
}

/** Unpack the best patches: a function that gives those of a unit, each as the label, pixels and field of its picture. */
async function unpackBank(model) {
  const stream = new Blob([array(model, "bank").data]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const names = model.get("searched");
  const labels = model.get("bank_labels");
  const units = SEARCHED.reduce((sum, layer) => sum + LAYERS[layer].units, 0);
  const count = names.length * units * PATCHES;
  const indices = new Uint16Array(bytes.buffer, 0, count);
  const cells = bytes.subarray(2 * count, 4 * count);
  const grays = bytes.subarray(4 * count).map((gray) => gray * 17);
  return (name, layer, unit) => {
    if (!names.includes(name)) return [];
    const key = layer.startsWith("relu") ? LAYERS[layer].before : layer;
    const before = SEARCHED.slice(0, SEARCHED.indexOf(key)).reduce((sum, other) => sum + LAYERS[other].units, 0);
    const first = (names.indexOf(name) * units + before + unit) * PATCHES;
    return span(PATCHES).map((k) => {
      const [picture, at] = [indices[first + k], 2 * (first + k)];
      const pixels = grays.subarray(picture * SIDE * SIDE, (picture + 1) * SIDE * SIDE);
      return { label: labels[picture], pixels, field: fieldOf(key, cells[at], cells[at + 1]) };
    });
  };
}

/** A function that computes everything on the screen from the model's settings; maps only when they change. */
function reader(model, content) {
  const run = remember((network, image) => forward(network, standardized(image, content.statistics)));
  const runPlain = remember((network, image) => softmax(forward(network, standardized(image, content.statistics)).fc3));
  return () => {
    const settings = Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)]));
    const number = content.names.indexOf(settings.network);
    const network = content.networks[number];
    const drawn = settings.picture < 0;
    const plain = drawn ? array(model, "drawing").data : content.pictures[settings.picture];
    const size = settings.cover_size;
    const cover = settings.cover.map((at) => Math.min(at, SIDE - size));
    const gray = { gray: 128, black: 0, mean: Math.floor(255 * content.statistics[0] + 0.5) }[settings.cover_fill];
    const covers = settings.tool === "cover";
    const image = covers ? coveredBy(plain, cover, size, gray) : plain;
    const plainKey = `${number} ${drawn ? plain.join() : settings.picture}`;
    const key = plainKey + (covers ? ` ${cover} ${size} ${gray}` : "");
    const maps = run(key, network, image);
    const { units, side, stage } = LAYERS[settings.layer];
    const unit = Math.min(settings.unit, units - 1);
    const position = settings.position.map((at) => (side > 1 ? Math.min(Math.max(at, 0), side - 1) : 0));
    const probabilities = softmax(maps.fc3);
    const plainly = covers ? runPlain(plainKey, network, plain) : probabilities;
    const limits = (settings.scale === "own" ? content.own[number] : content.same).map(tidy);
    return {
      ...settings,
      number,
      net: network,
      drawn,
      plain,
      plainKey,
      cover,
      gray,
      image,
      key,
      maps,
      unit,
      position,
      side,
      stage,
      limits,
      probabilities,
      plainly,
      bits: entropy(probabilities),
      top: largestAt(probabilities),
      // The class whose probability a cover is judged by: the true one; a drawing has none, so the one it gets.
      judged: drawn ? largestAt(plainly) : content.labels[settings.picture],
      value: valueAt(maps, settings.layer, unit, ...position),
    };
  };
}

function valueAt(maps, layer, unit, row, column) {
  const { side } = LAYERS[layer];
  return maps[layer][(unit * side + row) * side + column];
}

/** The place of a unit's largest value. */
function strongestPlace({ maps, layer, unit, side }) {
  const at = largestAt(maps[layer].subarray(unit * side * side, (unit + 1) * side * side));
  return [Math.floor(at / side), at % side];
}

// ---- Canvases ---------------------------------------------------------------------------------------------------

/** A frame that shows on every ground: a light line outside a dark one. Never smaller than 7 px. */
function frame(context, node, x, y, width, height, dashed = false) {
  const grow = Math.max(0, (7 - Math.min(width, height)) / 2);
  const box = [x - grow, y - grow, width + 2 * grow, height + 2 * grow];
  context.setLineDash(dashed ? [4, 3] : []);
  const draw = (thickness, color) => {
    context.lineWidth = thickness;
    context.strokeStyle = color;
    context.strokeRect(...box);
  };
  draw(4, "#fff");
  draw(2, getComputedStyle(node).getPropertyValue("--bb-mark"));
  context.setLineDash([]);
}

function outline(context, x, y, width, height) {
  context.lineWidth = 0.75;
  context.strokeStyle = "#888";
  context.strokeRect(x, y, width, height);
}

/** A square canvas that stands for the picture and a margin around it; `draw(context, scale)` paints it. */
function square(view, label, draw) {
  const given = { class: "bb-square", tabindex: 0, role: "application", "aria-label": label };
  const { canvas, draw: paint } = sheet(given, "", (context, width) => {
    const scale = width / (SIDE + 2 * MARGIN);
    context.imageSmoothingEnabled = false;
    context.translate(MARGIN * scale, MARGIN * scale);
    draw(context, scale, canvas);
  });
  const caption = h("div", { class: "bb-caption" });
  const node = h("div", { class: "bb-panel" }, canvas, caption);
  /** Where an event lies, in pixels of the picture: row and column, with fractions. */
  const locate = (event) => {
    const box = canvas.getBoundingClientRect();
    const at = (place, start, size) => ((place - start) / size) * (SIDE + 2 * MARGIN) - MARGIN;
    return [at(event.clientY, box.top, box.height), at(event.clientX, box.left, box.width)];
  };
  view.onResize(canvas, paint);
  return { node, canvas, caption, paint, locate };
}

/** Pointer and arrow keys on a canvas. `point(event, first)` while pressed; `move(down, right)` and `key(name)` for keys. */
function steer(view, canvas, { point, hover, leave, move, key }) {
  drag(
    view,
    canvas,
    (event) => point(event, false),
    (event) => point(event, true),
  );
  view.listen(canvas, "pointermove", (event) => {
    if (!canvas.hasPointerCapture(event.pointerId) && event.pointerType !== "touch") hover?.(event);
  });
  view.listen(canvas, "pointerleave", () => leave?.());
  keys(view, canvas, (event) => {
    const direction = DIRECTIONS[event.key];
    const step = event.shiftKey ? 4 : 1;
    if (!direction) return Boolean(key?.(event.key));
    move(step * direction[0], step * direction[1]);
  });
}

// ---- The strip of layers ----------------------------------------------------------------------------------------

/** How the units of each layer stand: columns, rows, the size of one and the gap, for a width in CSS pixels. */
export function layout(width) {
  const gap = 2;
  const narrow = width < NARROW;
  const third = (width - 16) / 3; // where it is narrow the three layers of a stage stand side by side
  const conv = narrow ? [2, 3, Math.floor((third - gap) / 2)] : [1, 6, Math.floor((width - 165) / 11.2)];
  const tall = 6 * conv[2] + 5 * gap;
  const deep = narrow ? [4, 4, Math.floor((third - 3 * gap) / 4)] : [2, 8, Math.floor((tall - 7 * gap) / 8)];
  const size = (columns, units) => (narrow ? Math.floor((width - 16) / 2 / columns) : (tall * columns) / units);
  const cells = (columns, units) => [columns, units / columns, size(columns, units)];
  const [first, second] = narrow ? [cells(12, 120), cells(12, 84)] : [cells(5, 120), cells(4, 84)];
  const named = ([columns, rows, cell], space) => ({ columns, rows, cell, gap: space });
  const of = { 0: named(conv, gap), 1: named(deep, gap), 2: named(first, 0), 3: named(second, 0) };
  return Object.fromEntries(STAGES.flat().map((name) => [name, of[LAYERS[name].stage]]));
}

/** One layer of the strip: all its units on one canvas. */
function layerCanvas(view, name, current, pick) {
  const { units, side } = LAYERS[name];
  const label = fill(TEXT.layerLabel, { name: TEXT.names[name], units });
  const attributes = { class: "bb-units", tabindex: 0, role: "application", "aria-label": label };
  const { canvas, draw: paint } = sheet(attributes, "", (context) => shown && paintUnits(context));
  const sizes = (side > 1 ? TEXT.mapSizes : TEXT.unitSizes).map((size) => h("span", {}, fill(size, { units, side })));
  const node = h(
    "div",
    { class: "bb-layer" },
    h("div", { class: "bb-layer-name" }, h("b", {}, TEXT.layers[name]), ...sizes),
    canvas,
  );
  const buffer = h("canvas");
  let grid;
  let shown;
  let painted; // what the canvas shows: a drag over a map leaves the strip as it is
  let hovered = null;
  const place = (unit) => {
    const { columns, cell, gap } = grid;
    return [(unit % columns) * (cell + gap), Math.floor(unit / columns) * (cell + gap)];
  };
  const paintUnits = (context) => {
    context.imageSmoothingEnabled = false;
    const { cell, gap } = grid;
    const color = diverging(canvas, shown.limits[LAYERS[name].stage]);
    paintPixels(buffer, shown.maps[name], units * side, side, color);
    for (let unit = 0; unit < units; unit++) {
      const [x, y] = place(unit);
      const inner = gap ? cell : cell - 1;
      context.drawImage(buffer, 0, unit * side, side, side, x, y, inner, inner);
      context.globalAlpha = gap ? 1 : 0.4;
      outline(context, x + 0.5, y + 0.5, inner - 1, inner - 1);
      context.globalAlpha = 1;
    }
    if (hovered !== null) frame(context, canvas, ...place(hovered).map((at) => at + 2), cell - 4, cell - 4, true);
    if (shown.layer === name) frame(context, canvas, ...place(shown.unit).map((at) => at + 2), cell - 4, cell - 4);
  };
  const unitAt = (event) => {
    const box = canvas.getBoundingClientRect();
    const { columns, rows, cell, gap } = grid;
    const at = (point, start, count) => Math.min(Math.max(Math.floor((point - start) / (cell + gap)), 0), count - 1);
    return at(event.clientY, box.top, rows) * columns + at(event.clientX, box.left, columns);
  };
  const setHover = (unit) => {
    if (hovered === unit) return;
    hovered = unit;
    canvas.title = unit === null ? "" : fill(TEXT.unit, { layer: TEXT.names[name], unit });
    paint();
  };
  steer(view, canvas, {
    point: (event) => pick(name, unitAt(event)),
    hover: (event) => setHover(unitAt(event)),
    leave: () => setHover(null),
    move: (down, right) => {
      const { layer, unit } = current();
      if (layer !== name) return pick(name, 0);
      const { columns } = grid;
      const [row, column] = [Math.floor(unit / columns) + down, (unit % columns) + right];
      // Where there is but one column, both pairs of arrows go along it.
      const next = columns === 1 ? unit + down + right : row * columns + column;
      const inside = columns === 1 || (column >= 0 && column < columns);
      if (inside && next >= 0 && next < units) pick(name, next);
    },
    key: (key) => (key === " " || key === "Enter") && (current().layer === name || pick(name, 0), true),
  });
  const update = (next, sizes) => {
    shown = next;
    const { columns, rows, cell, gap } = sizes[name];
    if (grid?.cell !== cell || grid?.columns !== columns) {
      grid = sizes[name];
      canvas.style.width = `${columns * cell + (columns - 1) * gap}px`;
      canvas.style.height = `${rows * cell + (rows - 1) * gap}px`;
    }
    const looks = `${shown.key} ${shown.scale} ${shown.layer === name ? shown.unit : ""} ${cell} ${devicePixelRatio}`;
    if (painted !== looks) paint();
    painted = looks;
  };
  return { node, update, canvas };
}

/** From input to scores: four stages, each with its color scale, and the ten classes. */
function layerStrip(view, content, current, pick) {
  const layers = {};
  const ramps = [];
  const stages = STAGES.map((names, stage) => {
    for (const name of names) layers[name] = layerCanvas(view, name, current, pick);
    ramps[stage] = [h("span"), h("span")];
    const ramp = h("span", { class: stage < 2 ? "bb-ramp" : "bb-ramp bb-ramp-positive", "aria-hidden": "true" });
    const scale = h("div", { class: "bb-legend" }, ramp, ...ramps[stage]);
    const row = h("div", { class: "bb-layers" }, ...names.map((name) => layers[name].node));
    return h("div", { class: "bb-stage" }, row, scale);
  });
  const scores = scoreList(content, (unit) => pick("fc3", unit));
  const node = h("div", { class: "bb-strip" }, ...stages, scores.node);
  const update = (shown) => {
    if (!node.clientWidth) return; // not on the page yet
    const sizes = layout(node.clientWidth);
    for (const name of STAGES.flat()) layers[name].update(shown, sizes);
    ramps.forEach(([low, high], stage) => {
      const limit = show(shown.limits[stage]);
      write(low, stage < 2 ? `−${limit}` : "0");
      write(high, `${stage < 2 ? "+" : ""}${limit}`);
    });
    scores.update(shown);
  };
  return { node, update };
}

/** The ten classes with their probabilities. */
function scoreList(content, pick) {
  const bars = [];
  const face = (unit) => {
    const [bar, share] = [h("i"), h("span", { class: "bb-share" })];
    bars[unit] = [bar, share];
    const name = h("span", { class: "bb-class" }, content.classes[unit]);
    return h("span", { class: "bb-score" }, name, share, h("span", { class: "bb-bar" }, bar));
  };
  const list = choice(TEXT.layers.fc3, span(10), face, pick, "scores");
  const update = (shown) => {
    list.set(shown.layer === "fc3" ? shown.unit : -1);
    shown.probabilities.forEach((share, unit) => {
      bars[unit][0].style.width = `${100 * share}%`;
      write(bars[unit][1], shareText(share));
      bars[unit][1].parentNode.classList.toggle("bb-top", unit === shown.top);
    });
  };
  return { node: list.node, update };
}

// ---- The best patches, and the cover tried everywhere --------------------------------------------------------------

function patchGrid(model, content) {
  const canvases = span(PATCHES).map(() => h("canvas", { role: "img" }));
  const none = hint(TEXT.bestNone);
  const caption = h("div", { class: "bb-caption" });
  const node = h("div", { class: "bb-panel" }, h("div", { class: "bb-patches" }, ...canvases), none, caption);
  let placesOf = null; // until the bank is unpacked
  const refused = () => {
    write(none, TEXT.bestPacked);
    return () => [];
  };
  let looks;
  let shown;
  const update = (next) => {
    shown = next;
    const key = `${shown.network} ${shown.layer} ${shown.unit}`;
    write(caption, shown.side === 1 ? TEXT.bestPictures : TEXT.bestPatches);
    if (looks === key || !placesOf) return;
    looks = key;
    const places = placesOf(shown.network, shown.layer, shown.unit);
    none.hidden = places.length > 0;
    caption.hidden = canvases[0].parentNode.hidden = !places.length;
    places.forEach(({ label, pixels, field: [top, left, reach] }, k) => {
      paintPatch(canvases[k], pixels, top, left, reach);
      const name = content.classes[label];
      const template = reach < SIDE ? TEXT.patch : TEXT.wholePatch;
      canvases[k].setAttribute("aria-label", fill(template, { rank: k + 1, name, top, left }));
      canvases[k].title = name;
    });
  };
  none.hidden = true;
  if (!model.get("searched").length) placesOf = () => [];
  else
    unpackBank(model)
      .catch(refused)
      .then((found) => ((placesOf = found), shown && update(shown)));
  return { node, update };
}

/** A square of a picture; what lies outside it stays empty. */
function paintPatch(canvas, pixels, top, left, reach) {
  const values = span(reach * reach).map((i) => {
    const [row, column] = [top + Math.floor(i / reach), left + (i % reach)];
    return row < 0 || column < 0 || row >= SIDE || column >= SIDE ? -1 : pixels[row * SIDE + column];
  });
  const shade = gray(255);
  paintPixels(canvas, values, reach, reach, (value, bytes, at) => value >= 0 && shade(value, bytes, at));
}

/** Tries the cover at every place, a slice at a time; `changed` is called after each slice. */
function coverSearch(content, changed) {
  let found = null;
  let timer = 0;
  const work = () => {
    const { shown, size, values, side } = found;
    const end = performance.now() + SLICE;
    while (found.done < values.length && performance.now() < end) {
      // 101 is prime to every count, so the steps reach each place once, all over the picture.
      const at = (found.done * 101) % values.length;
      const image = coveredBy(shown.plain, [Math.floor(at / side), at % side], size, shown.gray);
      values[at] = softmax(forward(shown.net, standardized(image, content.statistics)).fc3)[shown.judged];
      found.done++;
    }
    timer = found.done < values.length ? setTimeout(work, 0) : 0;
    changed();
  };
  return {
    /** The probabilities for the picture shown: begun where they are not there, NaN where they are yet to come. */
    ask(shown) {
      const key = `${shown.plainKey} ${shown.cover_size} ${shown.gray}`;
      if (found?.key === key) return found;
      const side = SIDE - shown.cover_size + 1;
      clearTimeout(timer);
      found = { key, shown, size: shown.cover_size, side, values: new Float64Array(side * side).fill(NaN), done: 0 };
      timer = setTimeout(work, 0);
      return found;
    },
    stop() {
      clearTimeout(timer);
      if (found && found.done < found.values.length) found = null;
    },
  };
}

/** The place where the cover leaves the least; null before all were tried. */
function lowestPlace({ values, side, done }) {
  if (done < values.length) return null;
  const at = values.reduce((best, value, i) => (value < values[best] ? i : best), 0);
  return [Math.floor(at / side), at % side];
}

// ---- The arithmetic ---------------------------------------------------------------------------------------------

/** A grid of numbers with a caption. */
function numberGrid(size) {
  const cells = span(size * size).map(() => h("span", { class: "bb-cell" }));
  const caption = h("div", { class: "bb-caption" });
  const grid = h("div", { class: size > 4 ? "bb-grid bb-fine" : "bb-grid" }, ...cells);
  grid.style.setProperty("--bb-size", size);
  const node = h("div", { class: "bb-panel", role: "group" }, caption, grid);
  const set = (label, values, text, marked = -1) => {
    write(caption, label);
    node.setAttribute("aria-label", label);
    const largest = Math.max(...values.map((value) => Math.abs(value ?? 0)));
    cells.forEach((cell, i) => {
      write(cell, text(values[i], i));
      cell.classList.toggle("bb-pad", values[i] === null);
      cell.classList.toggle("bb-right", i === marked);
      tint(cell, values[i] ?? 0, largest);
    });
  };
  return { node, set };
}

/** Color a cell by its number: the sign chooses the color, the size its strength. */
function tint(cell, value, largest) {
  const share = largest ? Math.round((45 * Math.abs(value)) / largest) : 0;
  cell.style.background = share
    ? `color-mix(in srgb, var(--bb-${value < 0 ? "negative" : "positive"}) ${share}%, transparent)`
    : "";
}

/** Everything under the strip: how the number of the chosen place comes about. */
function arithmetic(content, open) {
  const [values, weights, products, four] = [numberGrid(KERNEL), numberGrid(KERNEL), numberGrid(KERNEL), numberGrid(2)];
  const after = (sign, { node }) =>
    h("div", { class: "bb-term" }, h("span", { class: "bb-operator", "aria-hidden": "true" }, sign), node);
  const grids = h("div", { class: "bb-equation" }, values.node, after("×", weights), after("=", products));
  const small = h("div", { class: "bb-equation" }, four.node);
  const parts = { conv2: partChoice("conv2", 6), fc1: partChoice("fc1", 16) };
  const terms = span(TOP_TERMS).map((k) => button("", () => open(targets[k])));
  const list = h("div", { class: "bb-terms" }, hint(TEXT.terms), ...terms);
  const text = h("p", { class: "bb-result" });
  const note = h("p", { class: "bb-hint bb-center" }, TEXT.rounded);
  const node = h(
    "section",
    { class: "bb-arithmetic", "aria-label": TEXT.arithmetic },
    h("p", { class: "bb-heading" }, TEXT.arithmetic),
    parts.conv2.node,
    parts.fc1.node,
    grids,
    small,
    list,
    text,
    note,
  );
  let channel = 0;
  let targets = [];
  let last;

  function partChoice(layer, count) {
    const faces = [];
    const face = (c) => {
      faces[c] = [h("canvas", { role: "img", "aria-label": fill(TEXT.part, { unit: c }) }), h("span")];
      return h("span", {}, ...faces[c]);
    };
    const list = choice(TEXT.channel, span(count), face, (c) => ((channel = c), update(last)), "pictures");
    list.node.classList.add("bb-parts");
    const set = (shown, sums) => {
      list.set(channel);
      const source = LAYERS[layer].before;
      const { side } = LAYERS[source];
      faces.forEach(([canvas, sum], c) => {
        const plane = shown.maps[source].subarray(c * side * side, (c + 1) * side * side);
        paintPixels(canvas, plane, side, side, diverging(canvas, shown.limits[LAYERS[source].stage]));
        write(sum, thousandths(sums[c]));
      });
    };
    return { node: list.node, set };
  }
  const writeGrids = (shown, { groups }, { products: shownProducts }) => {
    const { values: numbers, weights: factors } = groups[channel];
    const label = fill(TEXT.values[shown.layer], { unit: channel });
    values.set(label, numbers, (value) => (value === null ? "0" : fixed(value, 2)));
    weights.set(TEXT.weights, factors, (weight) => fixed(weight, 3));
    products.set(TEXT.products, shownProducts[channel], (product, i) => (numbers[i] ? thousandths(product) : "0"));
  };
  const writeTerms = (shown, { groups }, book) => {
    const { top, rest } = largestTerms(book, TOP_TERMS);
    const layer = LAYERS[shown.layer].before;
    targets = top.map((unit) => ({ layer, unit }));
    top.forEach((unit, k) => {
      const [value, weight] = [groups[0].values[unit], groups[0].weights[unit]].map((number) => fixed(number, 3));
      const source = fill(TEXT.unit, { layer, unit });
      const product = thousandths(book.products[0][unit]);
      write(terms[k], fill(TEXT.contribution, { source, value, weight, product }));
    });
    const others = { value: thousandths(rest), count: groups[0].values.length - top.length };
    return [...top.map((unit) => thousandths(book.products[0][unit])), fill(TEXT.rest, others)];
  };
  const writeSum = (shown) => {
    const { layer, unit, position, net, maps } = shown;
    const sum = summands(net, maps, layer, unit, ...position);
    const book = ledger(sum);
    channel = Math.min(channel, sum.groups.length - 1);
    const long = layer === "fc2" || layer === "fc3";
    if (!long) writeGrids(shown, sum, book);
    parts[layer]?.set(shown, book.sums);
    const terms = long ? writeTerms(shown, sum, book) : book.sums.map(thousandths);
    const summed = signedSum([...terms, fill(TEXT.bias, { value: thousandths(book.bias) })]);
    const where = layer === "fc3" ? content.classes[unit] : whereOf(shown);
    const score = thousandths(book.total);
    let line = fill(TEXT.sum, { where, terms: summed, total: score });
    if (layer === "fc1" || layer === "fc2")
      line += ` ${fill(TEXT.reluThen, { result: thousandths(Math.max(book.total, 0)) })}`;
    if (layer === "fc3") {
      const sum = large(maps.fc3.reduce((all, one) => all + Math.exp(one), 0));
      line += ` ${fill(TEXT.softmax, { score, sum, share: shareText(shown.probabilities[unit]) })}`;
    }
    write(text, line);
  };
  const update = (shown) => {
    last = shown;
    const { layer, unit, maps } = shown;
    const [row, column] = shown.position;
    const [where, result] = [whereOf(shown), fixed(shown.value, 3)];
    const isPool = layer.startsWith("pool");
    const isRelu = layer.startsWith("relu");
    const long = layer === "fc2" || layer === "fc3";
    parts.conv2.node.hidden = layer !== "conv2";
    parts.fc1.node.hidden = layer !== "fc1";
    grids.hidden = isPool || isRelu || long;
    small.hidden = !isPool;
    list.hidden = !long;
    note.hidden = isPool || isRelu;
    const { before } = LAYERS[layer];
    if (isRelu) {
      const value = valueAt(maps, before, unit, row, column);
      write(text, fill(TEXT.relu, { where, value: fixed(value, 3), result }));
    } else if (isPool) {
      const found = span(4).map((i) => valueAt(maps, before, unit, 2 * row + (i >> 1), 2 * column + (i & 1)));
      const label = fill(TEXT.poolLabel, { name: TEXT.names[before] });
      four.set(label, found, (value) => fixed(value, 3), largestAt(found));
      write(text, fill(TEXT.pool, { where, result }));
    } else writeSum(shown);
  };
  return { node, update };
}

/** "conv2, unit 3"; a score has the name of its class. */
function unitName({ layer, unit }, content) {
  return layer === "fc3" ? content.classes[unit] : fill(TEXT.unit, { layer: TEXT.names[layer], unit });
}

function whereOf({ layer, unit, position: [row, column], side }) {
  return fill(side > 1 ? TEXT.place : TEXT.unit, { layer: TEXT.names[layer], unit, row, column });
}

// ---- The verdict ------------------------------------------------------------------------------------------------

function verdict(content) {
  const lines = [h("p", { class: "bb-says" }), h("p"), hint()];
  const node = h("div", { class: "bb-verdict" }, ...lines);
  const most = fixed(Math.log2(10), 2);
  const update = (shown) => {
    const { top, bits, probabilities, drawn, judged } = shown;
    const right = top === judged;
    const name = content.classes[judged];
    const says = fill(TEXT.verdict, { name: content.classes[top], share: shareText(probabilities[top]) });
    write(lines[0], `${says} ${drawn ? TEXT.noTruth : fill(right ? TEXT.right : TEXT.wrong, { name })}`);
    write(lines[1], fill(TEXT.entropy, { bits: fixed(bits, 2), most, classes: fixed(2 ** bits, 1) }));
    const [sure, unsure] = right ? [TEXT.sure, TEXT.between] : [TEXT.sureAndWrong, TEXT.unsureAndWrong];
    const about = bits > 3 ? TEXT.unsure : bits > 1 ? unsure : sure;
    const [now, before] = [probabilities, shown.plainly].map((shares) => shareText(shares[judged]));
    const covered = fill(TEXT.covered, { name, now, before });
    write(lines[2], shown.tool === "cover" ? covered : drawn ? TEXT.scribble : about);
  };
  return { node, update };
}

// ---- The view ---------------------------------------------------------------------------------------------------

/** A name for each picture: its class, numbered where a class comes more than once. */
function pictureNames({ labels, classes }) {
  return labels.map((label, i) => {
    const before = labels.slice(0, i).filter((other) => other === label).length;
    return classes[label] + (before ? ` ${before + 1}` : "");
  });
}

/** What the input canvas shows: the picture, and the field, the cover or the cursor. */
function inputPainter(look) {
  const buffer = h("canvas");
  return (context, scale, canvas) => {
    const { shown, hovered, cursor, focused } = look();
    if (!shown) return;
    paintPixels(buffer, shown.image, SIDE, SIDE, gray(255));
    context.drawImage(buffer, 0, 0, SIDE * scale, SIDE * scale);
    outline(context, 0, 0, SIDE * scale, SIDE * scale);
    const mark = (top, left, size, dashed) =>
      frame(context, canvas, left * scale, top * scale, size * scale, size * scale, dashed);
    if (hovered) return mark(...fieldOf(shown.layer, ...hovered), true);
    if (shown.tool === "look") return mark(...fieldOf(shown.layer, ...shown.position));
    if (shown.tool === "cover") return mark(...shown.cover, shown.cover_size);
    return focused && mark(...cursor, 1);
  };
}

/** What the middle canvas shows: the unit's map, or, where it has none, what adds up to its number. */
function mapPainter(look) {
  const buffer = h("canvas");
  return (context, scale, canvas) => {
    const { shown, hovered } = look();
    if (!shown) return;
    const { layer, unit, side, maps, limits, stage, position } = shown;
    if (side > 1) {
      const plane = maps[layer].subarray(unit * side * side, (unit + 1) * side * side);
      paintPixels(buffer, plane, side, side, diverging(canvas, limits[stage]));
      const step = (SIDE * scale) / side;
      context.drawImage(buffer, 0, 0, SIDE * scale, SIDE * scale);
      outline(context, 0, 0, SIDE * scale, SIDE * scale);
      frame(context, canvas, position[1] * step, position[0] * step, step, step);
      if (hovered) frame(context, canvas, hovered[1] * step, hovered[0] * step, step, step, true);
      return;
    }
    const { products, largest } = contributionsOf(shown);
    paintPixels(buffer, products, products.length, 1, diverging(canvas, largest));
    products.forEach((_, i) => {
      const [x, y, size] = termPlace(layer, i).map((at) => at * scale);
      context.drawImage(buffer, 0, i, 1, 1, x, y, size, size);
      context.globalAlpha = 0.4;
      outline(context, x, y, size, size);
      context.globalAlpha = 1;
    });
    if (hovered) {
      const [x, y, size] = termPlace(layer, hovered[0]).map((at) => at * scale);
      frame(context, canvas, x, y, size, size, true);
    }
  };
}

/** The products of a fully connected unit, flat, and the largest size among them. */
function contributionsOf({ net, maps, layer, unit }) {
  const { groups } = summands(net, maps, layer, unit, 0, 0);
  const products = groups.flatMap(({ values, weights }) => values.map((value, i) => value * weights[i]));
  return { groups, products, largest: products.reduce((most, product) => Math.max(most, Math.abs(product)), 0) };
}

/** Where a product stands in the middle canvas, in pixels of the picture: x, y, size. */
function termPlace(layer, i) {
  if (layer === "fc1") {
    const [map, cell] = [Math.floor(i / 25), i % 25]; // 16 maps of 5 x 5
    return [7 * (map % 4) + 1.3 * (cell % 5), 7 * Math.floor(map / 4) + 1.3 * Math.floor(cell / 5), 1.2];
  }
  const columns = layer === "fc2" ? 11 : 10;
  const size = SIDE / columns;
  return [size * (i % columns), size * Math.floor(i / columns), size - 0.3];
}

/** The product under a point of the middle canvas; null where there is none. */
function termAt(layer, y, x) {
  const { units, side } = LAYERS[LAYERS[layer].before];
  const found = span(units * side * side).find((i) => {
    const [left, top, size] = termPlace(layer, i);
    return x >= left && x <= left + size + 0.2 && y >= top && y <= top + size + 0.2;
  });
  return found ?? null;
}

export default widget(SETTINGS, (view, model) => {
  const content = readContent(model);
  const read = reader(model, content);
  let shown = read();
  const local = {
    hovered: null,
    mapHover: null,
    cursor: [14, 14],
    focused: false,
    down: false,
    brush: "thick",
    ink: "white",
  };

  // Picture, network, tool.
  const names = pictureNames(content);
  const thumbnails = new Map();
  const thumbnail = (name) => {
    const canvas = h("canvas", { role: "img", "aria-label": name });
    thumbnails.set(name, canvas);
    paintPixels(canvas, content.pictures[names.indexOf(name)] ?? new Uint8Array(SIDE * SIDE), SIDE, SIDE, gray(255));
    return name === TEXT.yours ? h("span", { class: "bb-pen" }, canvas) : canvas;
  };
  const picture = choice(
    TEXT.pictures,
    [...names, TEXT.yours],
    thumbnail,
    (name) => {
      const index = names.indexOf(name);
      const tool = model.get("tool");
      view.set({ picture: index, tool: index < 0 ? "draw" : tool === "draw" ? "look" : tool });
    },
    "pictures",
  );
  const network = setting(view, "network", TEXT.network, content.names);
  const scale = setting(view, "scale", TEXT.scale, TEXT.scales);
  const tool = choice(
    TEXT.tool,
    Object.keys(TEXT.tools),
    (name) => TEXT.tools[name],
    (name) => view.set(name === "draw" ? { tool: name, picture: -1 } : { tool: name }),
  );

  // Cover and draw.
  const coverSize = choice(TEXT.coverSize, COVER_SIZES, String, (size) => {
    const middle = model.get("cover").map((at) => at + model.get("cover_size") / 2);
    view.set({ cover_size: size, cover: coverAround(middle, size) });
  });
  const coverFill = setting(view, "cover_fill", TEXT.coverFill, TEXT.fills);
  const toLowest = () => {
    const place = lowestPlace(search.ask(shown)); // null while it is searched for
    if (place) view.set({ cover: place });
    return true;
  };
  const lowest = button(TEXT.toLowest, toLowest);
  const pen = (name, texts) =>
    choice(
      TEXT[name],
      Object.keys(texts),
      (value) => texts[value],
      (value) => (local[name] = value),
    );
  const [brush, ink] = [pen("brush", TEXT.brushes), pen("ink", TEXT.inks)];
  brush.set(local.brush);
  ink.set(local.ink);
  const setDrawing = (pixels) =>
    model.set("drawing", { dtype: "uint8", shape: [SIDE, SIDE], data: new DataView(Uint8Array.from(pixels).buffer) });
  const clear = button(TEXT.clear, () => (setDrawing(new Uint8Array(SIDE * SIDE)), model.save_changes()));
  let source = Math.max(shown.picture, 0); // the picture that a drawing may start from
  const copy = button("", () => (setDrawing(content.pictures[source]), model.save_changes()));
  const strongest = button(TEXT.strongest, () => view.set({ position: strongestPlace(read()) }));
  const bars = {
    look: controls(strongest),
    cover: controls(coverSize.node, coverFill.node, lowest),
    draw: controls(brush.node, ink.node, clear, copy),
  };
  const advice = hint();

  // The three squares.
  const look = () => ({ shown, hovered: local.hovered, cursor: local.cursor, focused: local.focused });
  const input = square(view, TEXT.inputLabels.look, inputPainter(look));
  const map = square(
    view,
    TEXT.mapLabel,
    mapPainter(() => ({ shown, hovered: local.mapHover })),
  );
  const patches = patchGrid(model, content);
  const search = coverSearch(content, view.repaint);
  const buffer = h("canvas");
  const heat = square(view, TEXT.heatLabel, (context, size, canvas) => {
    const { values, side } = search.ask(shown);
    const color = diverging(canvas, 1);
    paintPixels(buffer, values, side, side, (value, bytes, at) => value >= 0 && color(value, bytes, at));
    // A place is painted where the middle of its cover lies.
    const first = (shown.cover_size - 1) / 2;
    context.drawImage(buffer, first * size, first * size, side * size, side * size);
    outline(context, first * size, first * size, side * size, side * size);
    frame(context, canvas, (first + shown.cover[1]) * size, (first + shown.cover[0]) * size, size, size);
  });
  const legend = (kind, ...ends) =>
    h("div", { class: "bb-legend" }, h("span", { class: kind, "aria-hidden": "true" }), ...ends);
  const end = (text = "") => h("span", {}, text);
  heat.node.append(legend("bb-ramp bb-ramp-positive", end(percent(0)), end(percent(1))));
  const ends = [end(), end("0"), end()];
  map.node.append(legend("bb-ramp", ...ends));

  const says = verdict(content);
  const pick = (layer, unit) => {
    const now = read(); // not what is painted: two keys may fall into one frame
    const { side } = LAYERS[layer];
    const [top, left, reach] = fieldOf(now.layer, ...now.position);
    const kept = () =>
      now.side > 1 ? placeAt(layer, top + reach / 2, left + reach / 2) : strongestPlace({ ...now, layer, unit, side });
    const position = side === 1 ? [0, 0] : kept();
    local.mapHover = local.hovered = null;
    view.set({ layer, unit, position });
  };
  const strip = layerStrip(view, content, read, pick);
  const sum = arithmetic(content, ({ layer, unit }) => pick(layer, unit));
  const live = speaker(view);

  const moveCover = (down, right) => {
    const size = model.get("cover_size");
    const [row, column] = insideCover(model.get("cover"), size);
    view.set({ cover: insideCover([row + down, column + right], size) });
  };
  const moveTo = ([row, column]) => {
    const inside = (at) => Math.min(Math.max(at, 0), read().side - 1);
    view.set({ position: [inside(row), inside(column)] });
  };
  const movePlace = (down, right) => {
    const { position, side } = read();
    const [row, column] = position;
    if (side > 1) moveTo([row + down, column + right]);
  };
  steerInput(view, input, model, local, { moveTo, movePlace, moveCover, setDrawing });
  steerMap(view, map, local, { shown: read, moveTo, movePlace, pick });
  steer(view, heat.canvas, {
    point: (event) => {
      view.set({ cover: coverAround(heat.locate(event), model.get("cover_size")) });
    },
    move: moveCover,
    key: (key) => key === "Home" && toLowest(),
  });

  const paintHeat = () => {
    const found = search.ask(shown);
    const done = found.done === found.values.length;
    lowest.disabled = !done;
    const value = found.values[shown.cover[0] * found.side + shown.cover[1]];
    const name = content.classes[shown.judged];
    const share = shareText(done ? value : found.done / found.values.length);
    write(heat.caption, fill(done ? TEXT.heat : TEXT.heatBusy, { name, share }));
    heat.paint();
  };
  const paintSquares = () => {
    const { layer, unit, side, position, value } = shown;
    const [row, column] = local.mapHover && side > 1 ? local.mapHover : position;
    input.canvas.setAttribute("aria-label", TEXT.inputLabels[shown.tool]);
    input.canvas.classList.toggle("bb-drawing", shown.tool === "draw");
    const { reach } = LAYERS[layer];
    const [top, left] = shown.cover;
    const corners = { top, left, bottom: top + shown.cover_size - 1, right: left + shown.cover_size - 1 };
    const [cursorRow, cursorColumn] = local.cursor;
    const pen = fill(local.down ? TEXT.penCaption : TEXT.drawCaption, { row: cursorRow, column: cursorColumn });
    const captions = {
      look: fill(reach < SIDE ? TEXT.fieldCaption : TEXT.wholeCaption, { reach }),
      cover: fill(TEXT.coverCaption, corners),
      draw: local.focused ? pen : TEXT.drawIdle,
    };
    write(input.caption, captions[shown.tool]);
    const name = unitName(shown, content);
    map.canvas.setAttribute("aria-label", side > 1 ? TEXT.mapLabel : TEXT.termsLabel);
    const there = side > 1 ? fixed(valueAt(shown.maps, layer, unit, row, column), 3) : "";
    const placed = { unit: name, row, column, value: there };
    const caption =
      side > 1 ? fill(TEXT.caption, placed) : fill(TEXT.sumCaption, { unit: name, value: fixed(value, 3) });
    write(map.caption, side === 1 && local.mapHover ? termCaption(shown, local.mapHover[0]) : caption);
    const limit = side > 1 ? show(shown.limits[shown.stage]) : fixed(contributionsOf(shown).largest, 2);
    write(ends[0], `−${limit}`);
    write(ends[2], `+${limit}`);
    input.paint();
    map.paint();
  };
  const paint = () => {
    shown = read();
    if (shown.picture >= 0) source = shown.picture;
    picture.set(names[shown.picture] ?? TEXT.yours);
    if (shown.drawn) paintPixels(thumbnails.get(TEXT.yours), shown.plain, SIDE, SIDE, gray(255));
    network.set(shown.network);
    scale.set(shown.scale);
    tool.set(shown.tool);
    coverSize.set(shown.cover_size);
    coverFill.set(shown.cover_fill);
    write(copy, fill(TEXT.copy, { name: names[source] }));
    write(advice, TEXT.hints[shown.tool]);
    for (const [name, bar] of Object.entries(bars)) bar.classList.toggle("bb-away", name !== shown.tool);
    strongest.disabled = shown.side === 1;
    const covers = shown.tool === "cover";
    heat.node.hidden = !covers;
    patches.node.hidden = covers;
    if (covers) paintHeat();
    else search.stop();
    paintSquares();
    patches.update(shown);
    says.update(shown);
    strip.update(shown);
    sum.update(shown);
    const { top, probabilities, bits } = shown;
    const spoken = {
      where: whereOf(shown),
      value: fixed(shown.value, 3),
      name: content.classes[top],
      share: shareText(probabilities[top]),
      bits: fixed(bits, 2),
    };
    live.say(fill(TEXT.spoken, spoken));
  };

  const root = body(
    "bb-maps",
    TEXT.title,
    controls(picture.node),
    controls(network.node, scale.node),
    h("div", { class: "bb-tools" }, tool.node, h("div", { class: "bb-stack" }, ...Object.values(bars))),
    advice,
    h("div", { class: "bb-squares" }, input.node, map.node, patches.node, heat.node),
    says.node,
    strip.node,
    hint(TEXT.oneScale),
    sum.node,
    live.node,
  );
  view.onResize(strip.node, () => strip.update(shown));
  view.signal.addEventListener("abort", search.stop);
  return { root, paint };
});

/** What a product under the pointer is made of. */
function termCaption(shown, term) {
  const { groups, products } = contributionsOf(shown);
  const size = groups[0].values.length;
  const [g, i] = [Math.floor(term / size), term % size];
  const source = fill(TEXT.unit, { layer: LAYERS[shown.layer].before, unit: shown.layer === "fc1" ? g : i });
  const factors = { value: fixed(groups[g].values[i], 3), weight: fixed(groups[g].weights[i], 3) };
  return fill(TEXT.contributionCaption, { source, ...factors, product: fixed(products[term], 3) });
}

/** Where a square cover lies whose middle is nearest to a point of the picture. */
function coverAround(middle, size) {
  return insideCover(
    middle.map((at) => Math.round(at - size / 2)),
    size,
  );
}

function insideCover(place, size) {
  return place.map((at) => Math.min(Math.max(at, 0), SIDE - size));
}

/** Pointer and keys on the input: move the field, move the cover, or draw. */
function steerInput(view, input, model, local, { moveTo, movePlace, moveCover, setDrawing }) {
  let last = null;
  const paintAt = (from, to) => {
    const pixels = array(model, "drawing").data;
    stroke(pixels, from, to, RADII[local.brush], local.ink);
    setDrawing(pixels);
  };
  const draw = (event, first) => {
    const events = first ? [] : (event.getCoalescedEvents?.() ?? []);
    for (const one of events.length ? events : [event]) {
      const place = input.locate(one).map((at) => at - 0.5); // centers of pixels lie at whole numbers
      paintAt(first ? place : (last ?? place), place);
      last = place;
    }
    local.cursor = last.map((at) => Math.min(Math.max(Math.round(at), 0), SIDE - 1));
  };
  const point = (event, first) => {
    const tool = model.get("tool");
    if (tool === "draw") return draw(event, first);
    const [y, x] = input.locate(event);
    const size = model.get("cover_size");
    if (tool === "cover") return view.set({ cover: coverAround([y, x], size) });
    return moveTo(placeAt(model.get("layer"), y, x));
  };
  const moveCursor = (down, right) => {
    const before = local.cursor;
    local.focused = true;
    local.cursor = [before[0] + down, before[1] + right].map((at) => Math.min(Math.max(at, 0), SIDE - 1));
    if (local.down) {
      paintAt(before, local.cursor);
      model.save_changes();
    }
    view.repaint();
  };
  steer(view, input.canvas, {
    point,
    move: (down, right) => ({ draw: moveCursor, cover: moveCover, look: movePlace })[model.get("tool")](down, right),
    key: (key) => {
      if (model.get("tool") !== "draw" || (key !== " " && key !== "Enter")) return false;
      local.focused = true;
      if (key === "Enter") local.down = !local.down;
      if (key === " " || local.down) {
        paintAt(local.cursor, local.cursor);
        model.save_changes();
      }
      view.repaint();
      return true;
    },
  });
  view.listen(input.canvas, "pointerup", () => ((last = null), model.get("tool") === "draw" && model.save_changes()));
  view.listen(input.canvas, "focus", () => ((local.focused = input.canvas.matches(":focus-visible")), view.repaint()));
  view.listen(input.canvas, "blur", () => ((local.focused = local.down = false), view.repaint()));
}

/** Pointer and keys on the middle square: a place of the map, or a term of the sum. */
function steerMap(view, map, local, { shown, moveTo, movePlace, pick }) {
  const placeUnder = (event) => {
    const { side, layer } = shown();
    const at = map.locate(event);
    if (side === 1) {
      const term = termAt(layer, ...at);
      return term === null ? null : [term];
    }
    return at.map((point) => Math.min(Math.max(Math.floor((point * side) / SIDE), 0), side - 1));
  };
  const setHover = (place) => {
    if (String(place) === String(local.mapHover)) return;
    local.mapHover = place;
    local.hovered = place && shown().side > 1 ? place : null;
    view.repaint();
  };
  steer(view, map.canvas, {
    point: (event, first) => {
      const { side, layer } = shown();
      const place = placeUnder(event);
      if (side > 1) return (setHover(null), moveTo(place));
      if (!first || !place) return;
      // A term leads to the unit that it comes from.
      if (layer === "fc1") pick("pool2", Math.floor(place[0] / 25));
      else pick(LAYERS[layer].before, place[0]);
    },
    hover: (event) => setHover(placeUnder(event)),
    leave: () => setHover(null),
    move: movePlace,
    key: (key) => key === "Home" && shown().side > 1 && (view.set({ position: strongestPlace(shown()) }), true),
  });
}
