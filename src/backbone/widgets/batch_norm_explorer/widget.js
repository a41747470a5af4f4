import {
  body,
  button,
  choice,
  controls,
  drag,
  dropdown,
  fill,
  fixed,
  h,
  hint,
  powerOfTen,
  range,
  setting,
  show,
  sliderKeys,
  speaker,
  svg,
  widget,
  write,
} from "../kit.js";

const TEXT = {
  title: "Batch normalization explorer",
  mode: "Mode",
  modes: { train: "train", eval: "eval" },
  size: "Batch size",
  preset: "Try",
  presets: {
    start: "the first batch",
    equal: "all equal",
    outlier: "one far away",
    groups: "two groups",
    own: "as you moved them",
  },
  hint: "Drag a dot of the upper line, or choose one and use the arrow keys.",
  inputs: "x, what comes in",
  outputs: "y, what goes out",
  input: "Input {number}",
  chart: "The batch and its outputs",
  batchBar: "batch",
  runningBar: "running",
  moved: "Input {number} has moved, and with it {count} of {size} outputs. Rings show where they were.",
  unmoved: "Input {number} has moved, and no output with it, to three decimals.",
  still: "{size} inputs, {size} outputs. Move one, and see which outputs move.",
  clipped: "Some outputs lie beyond the scale; they stand at its ends.",
  refused:
    "One value a channel: its variance is 0, so the output would be β whatever x is. PyTorch raises an error here.",
  columns: ["", "x", "x − mean", "x̂", "y", "∂y{number}/∂x"],
  table:
    "Last column: how much output {number} changes with each input. The upper dots are colored by it, orange up, blue down.",
  batch: {
    mean: "mean = ({terms}) / {size} = {sum} / {size} = {mean}",
    variance: "variance = Σ(x − mean)² / {size} = {squares} / {size} {equals} {variance}",
  },
  running: {
    mean: "mean {equals} {mean}, the running one",
    variance: "variance {equals} {variance}, the running one",
  },
  gamma: "γ, the scale",
  beta: "β, the shift",
  eps: "ε",
  momentum: "Momentum",
  afterOne: "Running averages after 1 batch",
  afterMany: "Running averages after {count} batches",
  now: "mean {mean}, variance {variance}",
  run: "Run the batch",
  run10: "Run it 10 times",
  reset: "Start again",
  frozen: "In eval, running a batch moves neither average.",
  nextMean: "The next run: mean: {sum}",
  nextVariance: "variance: {sum}",
  spoken: "Input {number} is {x}, output {y}.",
};
const LIMIT = 9; // of the inputs' axis
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

// ---- Maths: pure functions, tested against PyTorch ------------------------------------------------------------

/** Keep a value on the axis, in tenths. */
export function snap(value) {
  return Math.round(10 * Math.min(Math.max(value, -LIMIT), LIMIT)) / 10;
}

/** Sum, mean, sum of squared deviations, and both variances; the unbiased one of a single value is NaN. */
export function statistics(x) {
  const sum = x.reduce((all, value) => all + value, 0);
  const mean = sum / x.length;
  const squares = x.reduce((all, value) => all + (value - mean) ** 2, 0);
  return { sum, mean, squares, biased: squares / x.length, unbiased: squares / (x.length - 1) };
}

/** The mean and the variance to normalize by: the batch's in training, the running ones in evaluation. */
function used(x, { training, mean, variance }) {
  const batch = statistics(x);
  return training ? { mean: batch.mean, variance: batch.biased } : { mean, variance };
}

/** x̂ and y of each value. */
export function normalize(x, settings) {
  const { mean, variance } = used(x, settings);
  const scale = 1 / Math.sqrt(variance + settings.eps);
  const hats = x.map((value) => (value - mean) * scale);
  return { hats, outputs: hats.map((hat) => settings.gamma * hat + settings.beta), scale, mean, variance };
}

/** How much output j changes with each input. In training all inputs share the mean and the variance. */
export function slopes(x, j, settings) {
  const { hats, scale } = normalize(x, settings);
  return hats.map((hat, i) => {
    const own = i === j ? 1 : 0;
    return settings.gamma * scale * (settings.training ? own - (1 + hat * hats[j]) / x.length : own);
  });
}

/** The running averages after one more batch. Momentum is the weight of the new one, and the unbiased variance is kept. */
export function updated({ mean, variance, batches }, x, momentum) {
  const batch = statistics(x);
  return {
    mean: (1 - momentum) * mean + momentum * batch.mean,
    variance: (1 - momentum) * variance + momentum * batch.unbiased,
    batches: batches + 1,
  };
}

/** Levels for dots on a line: 0 on the line, 1 and more above those that they would cover. */
export function levels(places, width) {
  const order = places.map((_, i) => i).sort((one, other) => places[one] - places[other] || one - other);
  const result = Array(places.length).fill(0);
  order.forEach((i, rank) => {
    const near = order
      .slice(0, rank)
      .filter((k) => places[i] - places[k] < width)
      .map((k) => result[k]);
    while (near.includes(result[i])) result[i]++;
  });
  return result;
}

// ---- Drawing ------------------------------------------------------------------------------------------------

function place(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
}

const HIGH = { input: 112, output: 266, all: 296 }; // where the two lines lie, and the height of the whole
const STEP = 21; // from one level to the next
const RADIUS = 9;
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
  EDGE + ((Math.min(Math.max(value, -reach), reach) + reach) / (2 * reach)) * (width - 2 * EDGE);

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

// ---- The view -----------------------------------------------------------------------------------------------

/** An equation in pieces: those that are computed are kept apart, so that only they are rewritten. */
const bracket = (value) => (value < 0 ? `(${show(value)})` : show(value));
/** With its last digits where it is rounded, without zeros where it is exact. */
const trimmed = (value, digits) => (equals(value, digits) === "=" ? show(value, digits) : fixed(value, digits));
const equals = (value, digits) => (Number(value.toFixed(digits)) === Number(value.toPrecision(12)) ? "=" : "≈");

const SETTINGS = [
  "values",
  "training",
  "size",
  "gamma",
  "beta",
  "eps",
  "momentum",
  "running_mean",
  "running_var",
  "batches",
  "selected",
];

export default widget(SETTINGS, (view, model) => {
  const first = model.get("values"); // where "Try" and "Start again" lead back to
  const batch = () => model.get("values").slice(0, model.get("size"));
  const settings = () => ({
    training: model.get("training"),
    gamma: model.get("gamma"),
    beta: model.get("beta"),
    eps: model.get("eps"),
    mean: model.get("running_mean"),
    variance: model.get("running_var"),
  });
  const running = () => ({
    mean: model.get("running_mean"),
    variance: model.get("running_var"),
    batches: model.get("batches"),
  });
  let before = null; // the batch as it was when the reader took hold of a dot, and which
  const move = (i, value) => {
    const values = [...model.get("values")];
    if (values[i] === snap(value)) return;
    values[i] = snap(value);
    view.set({ values });
  };
  const hold = (i) => (before = { i, x: batch(), settings: JSON.stringify(settings()) });
  /** Whether nothing but that one input has changed since: only then do the rings tell what it has moved. */
  const holds = () => {
    const x = batch();
    const alone = before?.x.length === x.length && x.every((value, k) => k === before.i || value === before.x[k]);
    return alone && before.settings === JSON.stringify(settings());
  };
  const run = (times) => {
    if (!model.get("training") || model.get("size") < 2) return;
    let now = running();
    for (let i = 0; i < times; i++) now = updated(now, batch(), model.get("momentum"));
    view.set({ running_mean: now.mean, running_var: now.variance, batches: now.batches });
  };

  const mode = choice(
    TEXT.mode,
    Object.keys(TEXT.modes),
    (name) => TEXT.modes[name],
    (name) => view.set({ training: name === "train" }),
  );
  const size = choice(TEXT.size, SIZES, String, (count) =>
    view.set({ size: count, selected: Math.min(model.get("selected"), count - 1) }),
  );
  const preset = dropdown(
    TEXT.preset,
    Object.entries(TEXT.presets),
    (name) => name !== "own" && view.set({ values: [...(PRESETS[name] ?? first)] }),
  );
  const epsilons = EPS.map((value) => [value, value === 1e-5 ? powerOfTen(-5) : show(value)]);
  const eps = setting(view, "eps", TEXT.eps, epsilons);
  const momentum = setting(view, "momentum", TEXT.momentum, MOMENTA);
  const gamma = range(TEXT.gamma, { min: -3, max: 3, step: 0.1 }, (value) => view.set({ gamma: value }));
  const beta = range(TEXT.beta, { min: -3, max: 3, step: 0.1 }, (value) => view.set({ beta: value }));

  // The chart: the two lines, a thread from each input to its output, rings where outputs were, the dots.
  const [above, below] = [axis(HIGH.input, LIMIT, 3, TEXT.inputs), axis(HIGH.output, REACH, 1.5, TEXT.outputs)];
  const bars = { batch: bar(14, TEXT.batchBar), running: bar(32, TEXT.runningBar) };
  const dots = first.map((_, i) => {
    const label = () => svg("text", { "text-anchor": "middle", y: 4.5 }, String(i + 1));
    const input = svg(
      "g",
      {
        class: "bb-bn-dot bb-bn-in",
        tabindex: 0,
        role: "slider",
        "aria-label": fill(TEXT.input, { number: i + 1 }),
        "aria-valuemin": -LIMIT,
        "aria-valuemax": LIMIT,
      },
      svg("circle", { r: 13, class: "bb-bn-hit" }),
      svg("circle", { r: RADIUS }),
      label(),
    );
    const output = svg(
      "g",
      { class: "bb-bn-dot bb-bn-out", "aria-hidden": "true" },
      svg("circle", { r: RADIUS }),
      label(),
    );
    const thread = svg("line", { class: "bb-bn-thread", "aria-hidden": "true" });
    const ring = svg("circle", { r: RADIUS, class: "bb-bn-ring", "aria-hidden": "true" });
    return { input, output, thread, ring };
  });
  const chart = svg(
    "svg",
    { class: "bb-bn-chart", role: "group", "aria-label": TEXT.chart, height: HIGH.all },
    above.node,
    below.node,
    bars.batch.node,
    bars.running.node,
    ...["thread", "ring", "output", "input"].flatMap((part) => dots.map((dot) => dot[part])),
  );
  const note = h("p", { class: "bb-hint bb-bn-note" });
  const lines = Object.fromEntries(
    ["mean", "variance", "hat", "output"].map((name) => [name, h("p", { class: `bb-bn-${name}` })]),
  );
  const heads = TEXT.columns.map((name) => (name ? h("th", { scope: "col" }) : h("td")));
  const rows = first.map((_, i) => {
    const cells = heads.slice(1).map(() => h("td"));
    return { node: h("tr", {}, h("th", { scope: "row" }, String(i + 1)), ...cells), cells };
  });
  const caption = h("caption");
  const table = h(
    "table",
    { class: "bb-bn-table" },
    caption,
    h("thead", {}, h("tr", {}, ...heads)),
    h("tbody", {}, ...rows.map(({ node }) => node)),
  );
  const title = h("p", { class: "bb-bn-title" });
  const [now, nextMean, nextVariance] = ["now", "mean", "var"].map((name) =>
    h("p", { class: `bb-bn-running-${name}` }),
  );
  const buttons = [
    button(TEXT.run, () => run(1)),
    button(TEXT.run10, () => run(10)),
    button(TEXT.reset, () => view.set({ running_mean: 0, running_var: 1, batches: 0 })),
  ];
  const live = speaker(view);

  const paintChart = (x, now_, pull) => {
    const width = chart.clientWidth;
    if (!width) return;
    const [selected, training] = [model.get("selected"), model.get("training")];
    const stats = statistics(x);
    above.at(width, 58);
    below.at(width, 160);
    bars.batch.at(stats.mean, Math.sqrt(stats.biased), width, training);
    bars.running.at(model.get("running_mean"), Math.sqrt(model.get("running_var")), width, !training);
    const ins = x.map((value) => across(value, LIMIT, width));
    const outs = now_.outputs.map((value) => across(value, REACH, width));
    const [up, lift] = [levels(ins, 2 * RADIUS), levels(outs, 2 * RADIUS)];
    const past = holds() && now_.outputs.length ? normalize(before.x, settings()).outputs : null;
    const moves = now_.outputs.map((value, i) => past !== null && Math.abs(past[i] - value) > SEEN);
    dots.forEach(({ input, output, thread, ring }, i) => {
      const [shown, out] = [i < x.length, i < x.length && outs.length > 0];
      for (const node of [input, output, thread, ring])
        node.style.display = shown && (node === input || out) ? "" : "none";
      if (!shown) return;
      const [top, foot] = [
        HIGH.input - 11 - up[i] * Math.min(STEP, 44 / Math.max(1, ...up)),
        HIGH.output - 11 - (lift[i] ?? 0) * Math.min(STEP, 66 / Math.max(1, ...lift)),
      ];
      place(input, { transform: `translate(${ins[i]} ${top})`, "aria-valuenow": x[i], "aria-valuetext": show(x[i]) });
      for (const node of [input, output]) node.classList.toggle("bb-bn-selected", i === selected);
      const [shade, most] = [pull[i] ?? 0, Math.max(...pull.map(Math.abs))];
      const face = input.children[1];
      face.style.fill = shade
        ? `color-mix(in srgb, var(--bb-${shade < 0 ? "negative" : "positive"}) ${Math.round((70 * Math.abs(shade)) / most)}%, Canvas)`
        : "";
      if (!out) return;
      place(output, { transform: `translate(${outs[i]} ${foot})` });
      output.classList.toggle("bb-bn-beyond", Math.abs(now_.outputs[i]) > REACH);
      place(thread, { x1: ins[i], y1: HIGH.input, x2: outs[i], y2: foot - RADIUS });
      ring.style.display = moves[i] ? "" : "none";
      if (moves[i]) place(ring, { cx: across(past[i], REACH, width), cy: HIGH.output - 11 });
    });
    const count = moves.filter(Boolean).length;
    const changed = past && before.x[before.i] !== x[before.i];
    const told = { number: before?.i + 1, count, size: x.length };
    const after = count ? TEXT.moved : TEXT.unmoved;
    const template = !now_.outputs.length ? TEXT.refused : changed ? after : TEXT.still;
    const beyond = now_.outputs.some((value) => Math.abs(value) > REACH);
    write(note, `${fill(template, told)}${beyond ? ` ${TEXT.clipped}` : ""}`);
  };

  const paint = () => {
    const [x, given] = [batch(), settings()];
    const j = Math.min(model.get("selected"), x.length - 1);
    const stats = statistics(x);
    const refused = given.training && x.length < 2;
    const result = refused ? { hats: [], outputs: [], ...used(x, given) } : normalize(x, given);
    const { mean, variance, hats, outputs } = result;
    mode.set(given.training ? "train" : "eval");
    size.set(x.length);
    eps.set(given.eps);
    momentum.set(model.get("momentum"));
    gamma.set(given.gamma);
    beta.set(given.beta);
    const same = [["start", first], ...Object.entries(PRESETS)].find(
      ([, values]) => String(values) === String(model.get("values")),
    );
    preset.set(same ? same[0] : "own");
    const pull = refused ? [] : slopes(x, j, given);
    paintChart(x, result, pull);

    // Exact as printed: x in tenths, so the sum, the mean and the sum of squares end after at most 5 decimals.
    const terms = x.map(bracket).join(" + ");
    const fine = variance < 1 ? 7 : 4; // decimals: a small variance makes much of the last digit
    const [meanText, varText] = [trimmed(mean, fine), trimmed(variance, fine)];
    const inBrackets = (value) => (value < 0 ? `(${trimmed(value, 4)})` : trimmed(value, 4));
    const template = given.training ? TEXT.batch : TEXT.running;
    const parts = { terms, size: x.length, sum: show(stats.sum, 1), squares: show(stats.squares, 5) };
    write(lines.mean, fill(template.mean, { ...parts, equals: equals(mean, fine), mean: meanText }));
    write(lines.variance, fill(template.variance, { ...parts, equals: equals(variance, fine), variance: varText }));
    const name = sub(j + 1);
    write(
      lines.hat,
      refused
        ? ""
        : `x̂${name} = (${show(x[j])} − ${mean < 0 ? `(${meanText})` : meanText}) / √(${varText} + ${show(given.eps, 5)}) ${equals(hats[j], 4)} ${trimmed(hats[j], 4)}`,
    );
    write(
      lines.output,
      refused
        ? ""
        : `y${name} = γ x̂${name} + β ≈ ${bracket(given.gamma)} · ${inBrackets(hats[j])} + ${bracket(given.beta)} ≈ ${fixed(outputs[j], 3)}`,
    );
    write(caption, fill(TEXT.table, { number: j + 1 }));
    TEXT.columns.forEach((text, i) => write(heads[i], fill(text, { number: name })));
    rows.forEach(({ node, cells }, i) => {
      node.hidden = i >= x.length;
      if (node.hidden) return;
      node.classList.toggle("bb-bn-selected", i === j);
      const numbers = [
        show(x[i]),
        given.training ? show(x[i] - mean, 4) : fixed(x[i] - mean, 3),
        ...[hats, outputs, pull].map((list) => (list.length ? fixed(list[i], Math.abs(list[i]) < 99.9 ? 3 : 1) : "–")),
      ];
      numbers.forEach((text, k) => write(cells[k], text));
    });

    const past = running();
    write(title, past.batches === 1 ? TEXT.afterOne : fill(TEXT.afterMany, { count: past.batches }));
    write(now, fill(TEXT.now, { mean: trimmed(past.mean, 4), variance: trimmed(past.variance, 4) }));
    const share = model.get("momentum");
    const next = updated(past, x, share);
    const step = (old, text, result_) =>
      `${show(1 - share)} · ${inBrackets(old)} + ${show(share)} · ${text} ${equals(result_, 4)} ${trimmed(result_, 4)}`;
    const unbiased = `${show(stats.squares, 5)} / ${x.length - 1}`;
    const meanLine = fill(TEXT.nextMean, { sum: step(past.mean, inBrackets(stats.mean), next.mean) });
    write(nextMean, !given.training ? TEXT.frozen : refused ? TEXT.refused : meanLine);
    const varianceLine = fill(TEXT.nextVariance, { sum: step(past.variance, unbiased, next.variance) });
    write(nextVariance, given.training && !refused ? varianceLine : "");
    const y = outputs.length ? fixed(outputs[j], 3) : "–";
    live.say(fill(TEXT.spoken, { number: j + 1, x: show(x[j]), y }));
  };

  dots.forEach(({ input }, i) => {
    let shift = 0; // from the pointer to the dot's middle
    const atPointer = (event) => {
      const box = chart.getBoundingClientRect();
      return ((event.clientX - box.left - EDGE) / (box.width - 2 * EDGE)) * 2 * LIMIT - LIMIT;
    };
    drag(
      view,
      input,
      (event) => move(i, atPointer(event) + shift),
      (event) => {
        hold(i);
        shift = model.get("values")[i] - atPointer(event);
        view.set({ selected: i });
      },
    );
    view.listen(input, "focus", () => {
      if (before?.i !== i || !holds()) hold(i);
      if (model.get("selected") !== i) view.set({ selected: i });
    });
    const now = () => model.get("values")[i];
    sliderKeys(view, input, { low: -LIMIT, high: LIMIT, step: 0.1 }, now, (value) => {
      if (before?.i !== i || !holds()) hold(i);
      move(i, value);
    });
  });

  const root = body(
    "bb-bn",
    TEXT.title,
    controls(mode.node, size.node, preset.node),
    hint(TEXT.hint),
    chart,
    note,
    controls(gamma.node, beta.node, eps.node),
    h("div", { class: "bb-bn-sums" }, ...Object.values(lines)),
    table,
    title,
    now,
    nextMean,
    nextVariance,
    h("div", { class: "bb-controls bb-bn-run" }, momentum.node, ...buttons),
    live.node,
  );
  view.onResize(chart, view.repaint);
  return { root, paint };
});
