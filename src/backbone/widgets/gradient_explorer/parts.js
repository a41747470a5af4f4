import { choice, clamp, compact, controls, drag, dropdown, fill, fold, h, hint, pathOf, percent } from "../kit.js";
import { powerOfTen, question, range, setting, show, sliderKeys, svg, table, write } from "../kit.js";
import { BINS, GAIN_STEPS, heightOf, HIGH, histogram, layerAt, LOW, MAX_DEPTH } from "./maths.js";
import { middleSize, nearest, summary, toGain, toStep } from "./maths.js";
import { TEXT } from "./text.js";

const TALL = 258; // pixels of the axis
const POWERS = [10, 5, 0, -5, -10, -15, -20, -25, -30, -35];
const ANSWERS = POWERS.slice(0, -1);
const still = { "vector-effect": "non-scaling-stroke" };
const shared = (log) => compact(10 ** log, { digits: 2, from: 0.01, to: 999.5 });
const tickOf = (power) => (power ? powerOfTen(power) : "1");
const place = (log) => `${TALL * (1 - heightOf(log))}px`;

// ---- The bars -----------------------------------------------------------------------------------------------

/** Nine powers of ten where they stand on the axis: its ticks, and the answers to how much will be left. */
export function axisPart(view) {
  const faces = Object.fromEntries(ANSWERS.map((power) => [String(power), tickOf(power)]));
  const asked = question(view, "answer", "", faces);
  const ticks = POWERS.map((power) => {
    const tick = h("span", { class: "bb-grad-tick", "aria-hidden": "true" }, tickOf(power));
    const node = asked.buttons.get(String(power));
    node?.classList.add("bb-grad-answer");
    node?.setAttribute("aria-label", fill(TEXT.answer, { power: tickOf(power) }));
    for (const one of [tick, node]) if (one) one.style.top = place(power);
    return { power: String(power), tick, node };
  });
  /** `arrived`: the gradient is at layer 1, and the truth may be seen. */
  const update = ({ open, answer: given, depth, arrived, log }) => {
    const truth = String(nearest(ANSWERS, log));
    write(asked.node, open ? fill(TEXT.question, { depth }) : TEXT.lead);
    asked.update(given, arrived ? truth : "");
    for (const { power, tick, node } of ticks) {
      const offered = Boolean(node && open && (!given || power === given || (arrived && power === truth)));
      if (node) node.hidden = !offered;
      tick.hidden = offered;
    }
    return given === truth;
  };
  const nodes = ticks.flatMap(({ tick, node }) => (node ? [tick, node] : [tick]));
  return { line: asked.node, node: h("div", { class: "bb-grad-axis" }, ...nodes), buttons: asked.buttons, update };
}

/** A bar for each layer, layer 1 on the left. They are lit as far back as the line is, which is the handle. */
export function chartPart(view, read, go) {
  const [feet, lit, usual] = ["feet", "lit", "usual"].map((name) =>
    svg("path", { class: `bb-grad-${name}`, ...still }),
  );
  const one = svg("path", { class: "bb-grad-one", ...still });
  const picture = svg(
    "svg",
    { preserveAspectRatio: "none", height: TALL, "aria-hidden": "true" },
    feet,
    lit,
    one,
    usual,
  );
  const [front, words, named] = [
    h("span", { class: "bb-grad-front" }),
    h("span", { class: "bb-grad-words" }),
    h("span", { class: "bb-grad-named" }, TEXT.usual),
  ];
  const look = { class: "bb-grad-chart", role: "slider", tabindex: 0, "aria-label": TEXT.chart, "aria-valuemin": 1 };
  const inside = h("span", { class: "bb-grad-inside" }, picture, named, front, words);
  const box = h("div", { ...look, "data-part": "bars" }, inside); // the line's knob needs room beside the bars
  chartHandle(view, box, inside, read, go);
  let drawn = null;
  /** What only another network, or another kind of bars, changes. */
  const draw = (now) => {
    const { logs, other, depth } = (drawn = now);
    picture.setAttribute("viewBox", `0 0 ${depth} 1`);
    const bar = (top, l) => `M${l + 0.1} 1V${(1 - top).toFixed(5)}h.8V1z`;
    feet.setAttribute("d", logs.map((_, l) => bar(0.008, l)).join(""));
    lit.setAttribute("d", logs.map((log, l) => bar(heightOf(log), l)).join(""));
    one.setAttribute("d", `M0 ${1 - heightOf(0)}H${depth}`);
    const points = (other ?? []).map((log, l) => [l + 0.5, 1 - heightOf(log)]);
    usual.setAttribute("d", pathOf(points, 4));
    named.hidden = !other;
    if (other) named.style.top = place(other[Math.floor(depth * 0.3)]);
    box.setAttribute("aria-valuemax", depth + 1);
  };
  const update = (now, step) => {
    if (drawn !== now) draw(now);
    const { logs, depth } = now;
    const across = 100 * (1 - step / depth);
    const layer = layerAt(step, depth);
    const log = logs[layer - 1];
    const share = shared(log);
    lit.style.clipPath = `inset(0 0 0 ${across}%)`;
    front.style.left = words.style.left = `${across}%`;
    words.classList.toggle("bb-grad-right", across > 45);
    words.style.top = place(Math.max(log, LOW + 2));
    const kind = log > HIGH ? "above" : log < LOW ? "below" : "on";
    write(words, step < 1 ? TEXT.values.loss : fill(TEXT.fronts[kind], { share }));
    box.setAttribute("aria-valuenow", step < 1 ? depth + 1 : layer);
    box.setAttribute("aria-valuetext", step < 1 ? TEXT.values.loss : fill(TEXT.values.layer, { layer, share }));
  };
  return { node: box, update };
}

/** The line is dragged, or moved by keys: layers count from 1 on the left, and the loss is one beyond the last. */
function chartHandle(view, box, inside, read, go) {
  drag(view, box, (event) => {
    const area = inside.getBoundingClientRect();
    const { depth } = read();
    const step = Math.round(depth * (1 - (event.clientX - area.left) / area.width));
    go(clamp(step, 0, depth));
  });
  const place = () => read().depth + 1 - Math.floor(read().step);
  const limits = {
    low: 1,
    step: 1,
    get high() {
      return read().depth + 1;
    },
  };
  sliderKeys(view, box, limits, place, (to) => {
    const { depth } = read();
    go(clamp(depth + 1 - to, 0, depth));
  });
}

/** What stands under the bars. */
export function feetPart() {
  const last = h("span");
  const words = [h("span", {}, TEXT.axis.first), h("span", { class: "bb-grad-way" }, TEXT.axis.way), last];
  const update = (depth) => write(last, fill(TEXT.axis.last, { depth }));
  return { node: h("p", { class: "bb-grad-feet", "aria-hidden": "true" }, ...words), update };
}

/** What is seen now, in words. */
export function sentenceOf({ sizes, logs, depth, bars }, step, rung, right) {
  const layer = layerAt(step, depth);
  const { ratio, factor } = summary(sizes);
  const said = { layer, depth, share: shared(logs[layer - 1]), factor: show(factor, 3), what: TEXT.kindsAre[bars] };
  if (step < 1) return fill(TEXT.says.loss, said);
  if (layer === depth) return fill(TEXT.says.start, said);
  if (layer > 1) return fill(TEXT.says.way, said);
  if (rung) return fill(right ? TEXT.yes : TEXT.no, { ...said, why: TEXT.why[rung] });
  return fill(TEXT.says[ratio < 1e-3 ? "vanishes" : ratio > 1e3 ? "explodes" : "holds"], said);
}

// ---- Controls -----------------------------------------------------------------------------------------------

export function gainPart(change) {
  const slider = range(TEXT.gain, { min: -GAIN_STEPS, max: GAIN_STEPS, step: 1 }, (step) =>
    change({ gain: toGain(step) }),
  );
  return { node: slider.node, update: ({ gain }) => slider.set(toStep(gain), show(gain, 2)) };
}

/** The networks of the ladder in a list. */
export function networkPart(pick) {
  const options = [...Object.entries(TEXT.networks), ["own", TEXT.own]];
  return dropdown(TEXT.network, options, pick);
}

/** All that a network may be, and what the bars show. */
export function morePart(view, change) {
  const depth = range(TEXT.depth, { min: 2, max: MAX_DEPTH, step: 1 }, (value) => change({ depth: value }));
  const list = (name, texts) => dropdown(TEXT[name], Object.entries(texts), (value) => change({ [name]: value }));
  const [activation, init] = [list("activation", TEXT.activations), list("init", TEXT.inits)];
  const pick = (label, texts, put) => choice(label, Object.keys(texts), (name) => texts[name], put);
  const normalization = pick(TEXT.normalization, TEXT.normalizations, (name) =>
    change({ normalization: name === "none" ? null : name }),
  );
  const residual = pick(TEXT.residual, TEXT.residuals, (name) => change({ residual: name === "yes" }));
  const bars = setting(view, "bars", TEXT.bars, TEXT.kinds);
  const block = h("p", { class: "bb-hint bb-grad-block" });
  const rows = [
    [depth, bars],
    [activation, init],
    [normalization, residual],
  ];
  const update = (now, kind) => {
    depth.set(now.depth, String(now.depth));
    activation.set(now.activation);
    init.set(now.init);
    normalization.set(now.normalization ?? "none");
    residual.set(now.residual ? "yes" : "no");
    bars.set(kind);
    write(block, blockText(now));
  };
  const node = fold(TEXT.more, ...rows.map((row) => controls(...row.map((one) => one.node))), block);
  return { node, update };
}

/** What a network's layers compute. */
function blockText({ normalization, residual }) {
  const norm = { batch: (z) => `BN(${z})`, layer: (z) => `LN(${z})` }[normalization] ?? ((z) => z);
  const plain = (input) => `φ(${norm(`W ${input}`)})`;
  const step = residual ? `W φ(${norm("h")})` : plain("h");
  return fill(residual ? TEXT.skipping : TEXT.plain, { step, first: plain("x") });
}

// ---- One layer ----------------------------------------------------------------------------------------------

/** The values of one layer as bars from minus to plus the largest. */
function bars(kind) {
  const path = svg("path", { class: "bb-grad-lit" });
  const zero = svg("path", { class: "bb-grad-one", d: `M${BINS / 2} 0V100`, ...still });
  const look = { viewBox: `0 0 ${BINS} 100`, preserveAspectRatio: "none", "aria-hidden": "true", height: 76 };
  const box = h("div", { class: "bb-grad-hist", role: "img" }, svg("svg", look, zero, path));
  const title = h("div", { class: "bb-caption" });
  const ends = [h("span"), h("span", {}, "0"), h("span")];
  const update = (values, layer) => {
    const { limit, counts } = histogram(values);
    const most = Math.max(...counts);
    const bar = (count, i) => (count ? `M${i + 0.06} 100V${(100 - (98 * count) / most).toFixed(2)}h.88V100z` : "");
    const said = { title: fill(TEXT.histograms[kind], { layer }), low: compact(-limit), high: compact(limit) };
    path.setAttribute("d", counts.map(bar).join(""));
    write(title, said.title);
    write(ends[0], said.low);
    write(ends[2], said.high);
    box.setAttribute("aria-label", fill(TEXT.histogramLabel, { ...said, middle: compact(middleSize(values)) }));
  };
  return { node: h("div", { class: "bb-panel" }, title, box, h("p", { class: "bb-grad-feet" }, ...ends)), update };
}

/** The layer at the line: its gradients, its signal, and both spread out. Written only while it is open. */
export function layerPart(count) {
  const names = Object.keys(TEXT.rows);
  const numbers = table(TEXT.look, [TEXT.look], Object.values(TEXT.rows)); // update writes the column's name
  const [signal, grad] = [bars("h"), bars("grad")];
  const head = numbers.node.querySelector("thead th:last-child");
  const pair = h("div", { class: "bb-pair" }, signal.node, grad.node);
  const node = fold(TEXT.look, numbers.node, pair, hint(fill(TEXT.terms, { count })));
  const update = (found, layer) => {
    if (!node.open) return;
    const texts = names.map((name) => {
      const value = found[name][layer - 1];
      return [["saturated", "dead"].includes(name) ? percent(value, 0, 1) : compact(value)];
    });
    write(head, fill(TEXT.atLayer, { layer }));
    numbers.update(texts);
    signal.update(found.h[layer - 1], layer);
    grad.update(found.grad[layer - 1], layer);
  };
  return { node, update };
}
