import { button, choice, clamp, controls, drag, dropdown, enlarged, fill, fixed, fold, h, hint } from "../kit.js";
import { powerOfTen, range, setting, show, sliderKeys, svg, table, write } from "../kit.js";
import { equals, levels, LIMIT, normalize, slopes, snap, statistics, updated, used } from "./maths.js";
import { TEXT } from "./text.js";

const REACH = 4.5; // of the outputs' axis
const SIZES = [1, 2, 4, 8];
const SEEN = 1e-4; // a smaller move of an output shows neither on the line nor in the table
const EPS = [1e-5, 0.01, 1];
const MOMENTA = [0.01, 0.1, 0.5, 1];
const PRESETS = {
  equal: [2, 2, 2, 2, 2, 2, 2, 2],
  outlier: [-0.5, -0.2, -0.1, 0.1, 0.2, 0.3, 0.5, 8.5],
  groups: [-4.4, -4, -3.5, -2.9, 4.1, 4.6, 5, 5.8],
};
const sub = (number) => String(number).replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]);
const bracket = (value) => (value < 0 ? `(${show(value)})` : show(value));
/** With its last digits where it is rounded, without zeros where it is exact. */
const trimmed = (value, digits) => (equals(value, digits) === "=" ? show(value, digits) : fixed(value, digits));
const inBrackets = (value) => (value < 0 ? `(${trimmed(value, 4)})` : trimmed(value, 4));

// ---- The chart ----------------------------------------------------------------------------------------------

function place(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
}

const HIGH = { input: 108, output: 254, all: 280 }; // where the two lines lie, and the height of the whole
const STEP = 21; // from one level to the next
const RADIUS = 9;
const NAMED = 56; // half the width of what names the bars
const EDGE = 18; // room for a dot and half a number at both ends of an axis

/** An axis with its numbers; `at(width)` lays it out. */
function axis(y, reach, every, title) {
  const line = svg("line", { y1: y, y2: y, class: "bb-bn-axis" });
  const numbers = [];
  for (let value = -Math.floor(reach / every) * every; value <= reach; value += every) numbers.push(value);
  const marks = numbers.map((value) => [
    value,
    svg("line", { y1: y, y2: y + 5, class: "bb-bn-axis" }),
    svg("text", { y: y + 19, "text-anchor": "middle" }, show(value)),
  ]);
  const name = svg("text", { x: 2, class: "bb-bn-name" }, title);
  return {
    node: svg("g", { "aria-hidden": "true" }, line, name, ...marks.flatMap(([, tick, text]) => [tick, text])),
    at(width, top) {
      place(line, { x1: 0, x2: width });
      place(name, { y: top });
      for (const [value, tick, text] of marks) {
        const x = across(value, reach, width);
        place(tick, { x1: x, x2: x });
        place(text, { x });
      }
    },
  };
}

/** A value's place on an axis that leaves room for a dot at both ends. */
const across = (value, reach, width) =>
  EDGE + ((clamp(value, -reach, reach) + reach) / (2 * reach)) * (width - 2 * EDGE);

/** A bar from one deviation below a mean to one above. */
function bar(y, label) {
  const [line, dot, text] = [
    svg("line", { y1: y, y2: y }),
    svg("line", { y1: y - 6, y2: y + 6 }),
    svg("text", { y: y + 4 }, label),
  ];
  const node = svg("g", { class: "bb-bn-bar", "aria-hidden": "true" }, line, dot, text);
  return {
    node,
    at(mean, deviation, width, inUse) {
      const [left, middle, right] = [-deviation, 0, deviation].map((shift) => across(mean + shift, LIMIT, width));
      place(line, { x1: left, x2: right });
      place(dot, { x1: middle, x2: middle });
      const fits = right + 60 < width;
      place(text, { x: fits ? right + 6 : left - 6, "text-anchor": fits ? "start" : "end" });
      node.classList.toggle("bb-bn-used", inUse);
    },
  };
}

/** What the reader took hold of, and whether nothing but that one input has changed since: only then do rings tell. */
export function holder(state) {
  let before = null;
  const now = () => JSON.stringify(state().given);
  const holds = () => {
    const { x } = state();
    const alone = before?.x.length === x.length && x.every((value, k) => k === before.i || value === before.x[k]);
    return alone && before.given === now();
  };
  return {
    take(i) {
      if (before?.i !== i || !holds()) before = { i, x: state().x, given: now() };
    },
    again: (i) => (before = { i, x: state().x, given: now() }),
    /** The outputs as they were, with the input that has moved since; null where that cannot be told. */
    past: () => (holds() ? { i: before.i, changed: before.x[before.i] !== state().x[before.i], x: before.x } : null),
  };
}

/** The nodes of one example: its dots on both lines, the thread between them, and a ring where its output was. */
function dotNodes(i) {
  const label = () => svg("text", { "text-anchor": "middle", y: 4.5 }, String(i + 1));
  const look = {
    class: "bb-bn-dot bb-bn-in",
    tabindex: 0,
    role: "slider",
    "aria-label": fill(TEXT.input, { number: i + 1 }),
    "aria-valuemin": -LIMIT,
    "aria-valuemax": LIMIT,
  };
  const still = { "aria-hidden": "true" };
  return {
    input: svg("g", look, svg("circle", { r: 13, class: "bb-bn-hit" }), svg("circle", { r: RADIUS }), label()),
    output: svg("g", { class: "bb-bn-dot bb-bn-out", ...still }, svg("circle", { r: RADIUS }), label(), svg("path")),
    thread: svg("line", { class: "bb-bn-thread", ...still }),
    ring: svg("circle", { r: RADIUS, class: "bb-bn-ring", ...still }),
  };
}

/** An input's dot is its handle: dragged, or moved by the keys of a slider. */
function dotHandle(view, chart, node, i, { value, move, hold, select }) {
  let shift = 0; // from the pointer to the dot's middle
  const atPointer = (event) => {
    const box = chart.getBoundingClientRect();
    const edge = EDGE * enlarged(chart);
    return ((event.clientX - box.left - edge) / (box.width - 2 * edge)) * 2 * LIMIT - LIMIT;
  };
  const start = (event) => {
    hold.again(i);
    shift = value(i) - atPointer(event);
    select(i);
  };
  drag(view, node, (event) => move(i, atPointer(event) + shift), start);
  view.listen(node, "focus", () => (hold.take(i), select(i)));
  const steps = { low: -LIMIT, high: LIMIT, step: 0.1 };
  sliderKeys(
    view,
    node,
    steps,
    () => value(i),
    (next) => (hold.take(i), move(i, next)),
  );
}

/** The two lines, a thread from each input to its output, rings where outputs were, two bars of mean and deviation. */
export function chartPart(view, count, state, actions) {
  const scaled = fill(TEXT.outputs, { times: show(LIMIT / REACH) });
  const [above, below] = [axis(HIGH.input, LIMIT, 3, TEXT.inputs), axis(HIGH.output, REACH, 1.5, scaled)];
  const bars = { batch: bar(24, TEXT.batchBar), running: bar(38, TEXT.runningBar) };
  const dots = Array.from({ length: count }, (_, i) => dotNodes(i));
  const layers = ["thread", "ring", "output", "input"].flatMap((part) => dots.map((dot) => dot[part]));
  const barsName = svg("text", { y: 13, "text-anchor": "middle", "aria-hidden": "true" }, TEXT.bars);
  const nodes = [above.node, below.node, barsName, bars.batch.node, bars.running.node, ...layers];
  const look = { class: "bb-bn-chart", role: "group", "aria-label": TEXT.chart, height: HIGH.all };
  const node = svg("svg", look, ...nodes);
  dots.forEach(({ input }, i) => dotHandle(view, node, input, i, actions));
  const update = (outputs, pull, past) => {
    const width = node.clientWidth || 688;
    const { x, given, selected } = state();
    const stats = statistics(x);
    above.at(width, 56);
    below.at(width, 154);
    bars.batch.at(stats.mean, Math.sqrt(stats.biased), width, given.training);
    bars.running.at(given.mean, Math.sqrt(given.variance), width, !given.training);
    const middle = across(given.training ? stats.mean : given.mean, LIMIT, width);
    place(barsName, { x: clamp(middle, NAMED, width - NAMED) });
    const [ins, outs] = [placed(x, LIMIT, HIGH.input, 44, width), placed(outputs, REACH, HIGH.output, 62, width)];
    dots.forEach((dot, i) => {
      paintDot(dot, { x: x[i], output: outputs[i], selected: i === selected, at: ins[i], out: outs[i] });
      paintRing(dot.ring, past[i], outputs[i], width);
      paintPull(dot.input, pull[i] ?? 0, Math.max(...pull.map(Math.abs)));
    });
  };
  return { node, update };
}

/** Where values stand on a line, those that would cover others above them. */
function placed(values, reach, foot, room, width) {
  const places = values.map((value) => across(value, reach, width));
  const up = levels(places, 2 * RADIUS);
  const step = Math.min(STEP, room / Math.max(1, ...up));
  return places.map((left, i) => ({ left, top: foot - 11 - up[i] * step }));
}

function paintDot({ input, output, thread }, { x, output: value, selected, at, out }) {
  for (const node of [input, output, thread]) node.style.display = (node === input ? at : out) ? "" : "none";
  if (!at) return;
  const now = { "aria-valuenow": x, "aria-valuetext": show(x) };
  place(input, { transform: `translate(${at.left} ${at.top})`, ...now });
  for (const node of [input, output]) node.classList.toggle("bb-bn-selected", selected);
  if (!out) return;
  place(output, { transform: `translate(${out.left} ${out.top})` });
  const end = Math.sign(value) * (RADIUS + 3); // where an arrow tells that the value lies beyond
  const arrow = `M${end} -5L${end + Math.sign(value) * 5} 0L${end} 5`;
  output.lastChild.setAttribute("d", Math.abs(value) > REACH ? arrow : "");
  place(thread, { x1: at.left, y1: HIGH.input, x2: out.left, y2: out.top - RADIUS });
}

function paintRing(ring, past, value, width) {
  const moved = past !== undefined && value !== undefined && Math.abs(past - value) > SEEN;
  ring.style.display = moved ? "" : "none";
  if (moved) place(ring, { cx: across(past, REACH, width), cy: HIGH.output - 11 });
}

/** Color an input by how much it changes the chosen output. */
function paintPull(input, pull, most) {
  const color = `var(--bb-${pull < 0 ? "negative" : "positive"})`;
  const strength = Math.round((70 * Math.abs(pull)) / most);
  input.children[1].style.fill = pull ? `color-mix(in srgb, ${color} ${strength}%, Canvas)` : "";
}

// ---- The sentence -------------------------------------------------------------------------------------------

/** What has moved since the reader took hold of a dot, or where the chosen one stands. */
export function sentence({ x, given, selected }, outputs, past) {
  if (!outputs.length) return TEXT.refused;
  const before = past?.changed ? normalize(past.x, given).outputs : outputs;
  const count = outputs.filter((value, i) => Math.abs(before[i] - value) > SEEN).length;
  const beyond = outputs.some((value) => Math.abs(value) > REACH) ? ` ${TEXT.clipped}` : "";
  if (past?.changed) {
    return fill(count ? TEXT.moved : TEXT.unmoved, { number: past.i + 1, count, size: x.length }) + beyond;
  }
  const plain = given.training && given.gamma === 1 && given.beta === 0 && given.eps < 0.01;
  const words = { number: selected + 1, x: show(x[selected]), y: fixed(outputs[selected], 2) };
  return fill(plain ? TEXT.still : TEXT.stillAny, words) + beyond;
}

// ---- The folds ----------------------------------------------------------------------------------------------

/** Other batches, the two learned numbers, and ε. */
export function morePart(view, first, running) {
  let chosen = 0;
  const size = choice(TEXT.size, SIZES, String, (count) =>
    view.set({ size: count, selected: Math.min(chosen, count - 1) }),
  );
  const put = (name) => name !== "own" && view.set({ values: [...(PRESETS[name] ?? first)] });
  const preset = dropdown(TEXT.preset, Object.entries(TEXT.presets), put);
  const epsilons = EPS.map((value) => [value, value === 1e-5 ? powerOfTen(-5) : show(value)]);
  const eps = setting(view, "eps", TEXT.eps, epsilons);
  const [gamma, beta] = ["gamma", "beta"].map((name) =>
    range(TEXT[name], { min: -3, max: 3, step: 0.1 }, (value) => view.set({ [name]: value })),
  );
  const known = [["start", first], ...Object.entries(PRESETS)].map(([name, values]) => [name, String(values)]);
  const update = ({ values, x, given, selected }) => {
    chosen = selected;
    size.set(x.length);
    eps.set(given.eps);
    gamma.set(given.gamma);
    beta.set(given.beta);
    preset.set((known.find(([, texts]) => texts === String(values)) ?? ["own"])[0]);
  };
  const rows = [controls(size.node, preset.node, eps.node), controls(gamma.node, beta.node)];
  return { node: fold(TEXT.more, ...rows, ...running.nodes), update };
}

/** The running averages, and what the next run will make of them. */
export function runningPart(view, run) {
  const momentum = setting(view, "momentum", TEXT.momentum, MOMENTA);
  const reset = () => view.set({ running_mean: 0, running_var: 1, batches: 0 });
  const title = h("p", { class: "bb-bn-title" });
  const [now, mean, variance] = ["now", "mean", "var"].map((name) => h("p", { class: `bb-bn-running-${name}` }));
  const row = controls(
    momentum.node,
    button(TEXT.run, () => run(1)),
    button(TEXT.reset, reset),
  );
  const update = ({ x, given, batches, momentum: share }) => {
    momentum.set(share);
    const past = { mean: given.mean, variance: given.variance, batches };
    const [stats, next] = [statistics(x), updated(past, x, share)];
    write(title, batches === 1 ? TEXT.afterOne : fill(TEXT.afterMany, { count: batches }));
    write(now, fill(TEXT.now, { mean: trimmed(past.mean, 4), variance: trimmed(past.variance, 4) }));
    const step = (old, text, result) =>
      `${show(1 - share)} · ${inBrackets(old)} + ${show(share)} · ${text} ${equals(result, 4)} ${trimmed(result, 4)}`;
    const sums = [
      fill(TEXT.nextMean, { sum: step(past.mean, inBrackets(stats.mean), next.mean) }),
      fill(TEXT.nextVariance, {
        sum: step(past.variance, `${show(stats.squares, 5)} / ${x.length - 1}`, next.variance),
      }),
    ];
    const texts = !given.training ? [TEXT.frozen, ""] : x.length < 2 ? [TEXT.refused, ""] : sums;
    [mean, variance].forEach((node, i) => write(node, texts[i]));
  };
  return { nodes: [title, now, mean, variance, row], update };
}

/** The arithmetic of the chosen example, written out. Exact as printed: x in tenths, so sums end after 5 decimals. */
function sumsPart() {
  const lines = Object.fromEntries(
    ["mean", "variance", "hat", "output"].map((name) => [name, h("p", { class: `bb-bn-${name}` })]),
  );
  const update = ({ x, given }, { mean, variance, hats, outputs }, j) => {
    const stats = statistics(x);
    const fine = variance < 1 ? 7 : 4; // decimals: a small variance makes much of the last digit
    const [meanText, varText] = [trimmed(mean, fine), trimmed(variance, fine)];
    const template = given.training ? TEXT.batch : TEXT.running;
    const sums = { size: x.length, sum: show(stats.sum, 1), squares: show(stats.squares, 5) };
    const parts = { terms: x.map(bracket).join(" + "), ...sums };
    write(lines.mean, fill(template.mean, { ...parts, equals: equals(mean, fine), mean: meanText }));
    write(lines.variance, fill(template.variance, { ...parts, equals: equals(variance, fine), variance: varText }));
    const [name, none] = [sub(j + 1), !outputs.length];
    const over = `(${show(x[j])} − ${mean < 0 ? `(${meanText})` : meanText}) / √(${varText} + ${show(given.eps, 5)})`;
    write(lines.hat, none ? "" : `x̂${name} = ${over} ${equals(hats[j], 4)} ${trimmed(hats[j], 4)}`);
    const scaled = none ? "" : `${bracket(given.gamma)} · ${inBrackets(hats[j])} + ${bracket(given.beta)}`;
    write(lines.output, none ? "" : `y${name} = γ x̂${name} + β ≈ ${scaled} ≈ ${fixed(outputs[j], 3)}`);
  };
  return { node: h("div", { class: "bb-bn-sums" }, ...Object.values(lines)), update };
}

/** All numbers: the sums of the chosen example, and a row an example. */
export function numbersPart(count) {
  const sums = sumsPart();
  const names = Array.from({ length: count }, (_, i) => String(i + 1));
  const cells = table(TEXT.numbers, TEXT.columns, names);
  const [last, rows] = [cells.node.querySelector("thead th:last-child"), [...cells.node.querySelectorAll("tbody tr")]];
  const note = hint();
  const update = (state, result, pull) => {
    const { x, given, selected: j } = state;
    sums.update(state, result, j);
    write(note, fill(TEXT.note, { number: j + 1 }));
    write(last, fill(TEXT.columns.at(-1), { number: sub(j + 1) }));
    const number = (list, i) => (list.length ? fixed(list[i], Math.abs(list[i]) < 99.9 ? 3 : 1) : "–");
    const away = (value) => (given.training ? show(value - result.mean, 4) : fixed(value - result.mean, 3));
    const line = (value, i) => [
      show(value),
      away(value),
      ...[result.hats, result.outputs, pull].map((list) => number(list, i)),
    ];
    cells.update(names.map((_, i) => (i < x.length ? line(x[i], i) : TEXT.columns.map(() => ""))));
    rows.forEach((row, i) => {
      row.hidden = i >= x.length;
      row.classList.toggle("bb-bn-selected", i === j);
    });
  };
  return { node: fold(TEXT.numbers, sums.node, cells.node, note), update };
}

/** What comes out, or nothing where there is one value in training; and how the chosen output hangs on each input. */
export function resultOf({ x, given, selected }) {
  if (given.training && x.length < 2) return { hats: [], outputs: [], pull: [], ...used(x, given) };
  return { ...normalize(x, given), pull: slopes(x, selected, given) };
}

export const moved = (values, i, value) => values.map((one, k) => (k === i ? snap(value) : one));
