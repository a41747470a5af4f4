import {
  body,
  button,
  controls,
  fill,
  grouped,
  h,
  hint,
  pathOf,
  setting,
  show,
  speaker,
  svg,
  ticksOf,
  widget,
  write,
} from "../kit.js";

const TEXT = {
  title: "Dropout explorer",
  sample: "Input",
  head: "Output",
  heads: { linear: "linear", relu: "ReLU" },
  scaling: "Scaling",
  scalings: { inverted: "in training", "test time": "at test time (2014)", none: "none" },
  p: "p, the probability of being dropped",
  more: { 1: "1 run", 10: "10 runs", 100: "100 runs", 1000: "1,000 runs" },
  again: "Start over",
  others: "Other masks",
  last: "Mask of the last run",
  lead: "Run with new masks",
  byHand: "Thinned network, set by hand",
  ofRun: "Thinned network of run {run}",
  netHint: "Click a unit to drop or keep it.",
  columns: ["unit", "value × weight", "adds"],
  kept: "Unit {number}: kept. Press to drop it.",
  dropped: "Unit {number}: dropped. Press to keep it.",
  out: "out",
  sum: "sum of the kept",
  now: "This run: {sum} {bias} = {z}",
  test: "Test time: {sum} {bias} = {z}",
  relu: "{line}, and after ReLU {y}",
  histogram: "Outputs of {runs}",
  run: "1 run",
  runs: "{count} runs",
  meanTag: "mean",
  testTag: "test time",
  thisTag: "this network",
  running: "Mean after 1, 2, 3, … runs ± its standard error",
  numbers: {
    mean: "mean ± standard error",
    deviation: "standard deviation",
    test: "test time, all units",
    exact: "mean over all {total} masks",
    seen: "different masks so far",
  },
  of: "{seen} of {total}",
  same: "p is 0: every run is the full network.",
  gone: "p is 1: every unit is out in every run. No factor brings back what is gone.",
  exact: "Over all masks, the mean is the value at test time. Everything behind the mask is linear.",
  noKink:
    "Over all masks, the mean is the value at test time. No mask takes the sum across 0, so ReLU never bends anything here.",
  kink: "Over all masks, the mean is {mean}; at test time it is {test}. The sums agree on average, their ReLUs do not: what falls below 0 counts as 0 and no longer evens out what lies above.",
  unscaled:
    "Over all masks, the mean is {mean}; at test time it is {test}. Nothing makes up for the units that were out.",
  curveAt: "Recorded beforehand: {measure}. At p = {p}:",
  curveOff: "Recorded beforehand: {measure}. Nearest recorded p: {p}:",
  histogramLabel: "Histogram of the outputs of {runs}. Mean {mean}, standard error {error}; test time {test}.",
  runningLabel:
    "Mean of the outputs against the number of runs. After {runs} it is {mean}; the line of test time lies at {test}.",
  curveLabel: "{measure} against p. {parts}",
  spoken: "p {p}, {runs}: mean {mean}, standard error {error}, test time {test}. {words}",
};
const MOST = 5000;
const SEEDS = 1000;
const BARS = 37;
const DECIMALS = 3;

// ---- Maths: pure functions, tested against Python -------------------------------------------------------------

/** Number `index` of a seed's sequence, from 0 to 1, 1 left out: mulberry32 (Tommy Ettinger, public domain). */
export function uniform(seed, index) {
  const state = (Math.imul(seed, 0x9e3779b9) + Math.imul(index + 1, 0x6d2b79f5)) >>> 0;
  let out = Math.imul(state ^ (state >>> 15), state | 1);
  out ^= out + Math.imul(out ^ (out >>> 7), out | 61);
  return ((out ^ (out >>> 14)) >>> 0) / 2 ** 32;
}

/** Which units run number `run` (from 0) keeps. A smaller p keeps all that a larger one keeps. */
export function maskOf(seed, run, units, p) {
  return Array.from({ length: units }, (_, j) => uniform(seed, run * units + j) >= p);
}

/** The hidden units' values before dropout. */
export function hiddenOf({ weight, bias }, x) {
  return weight.map((row, j) =>
    Math.max(
      row.reduce((sum, w, i) => sum + w * x[i], bias[j]),
      0,
    ),
  );
}

/** What a kept unit is multiplied with in training, and each unit at test time. */
export function factorsOf(scaling, p) {
  if (scaling === "inverted") return { train: p < 1 ? 1 / (1 - p) : 1, test: 1 };
  return { train: 1, test: scaling === "test time" ? 1 - p : 1 };
}

/** From a sum over units to the output. */
export function headOf(sum, factor, bias, head) {
  const z = sum * factor + bias;
  return head === "relu" ? Math.max(z, 0) : z;
}

/** The sum of the kept units' products; `kept(j)` says whether unit j is kept. */
export function sumOf(products, kept) {
  return products.reduce((sum, product, j) => (kept(j) ? sum + product : sum), 0);
}

/** The outputs of the first `count` runs, and the masks as numbers, unit 0 the lowest bit. */
export function runAll(products, { p, scaling, head, seed, count, bias }) {
  const { train } = factorsOf(scaling, p);
  const units = products.length;
  const outputs = new Float64Array(count);
  const masks = new Uint16Array(count);
  for (let run = 0; run < count; run++) {
    let [sum, mask] = [0, 0];
    for (let j = 0; j < units; j++) {
      if (uniform(seed, run * units + j) < p) continue;
      sum += products[j];
      mask |= 1 << j;
    }
    outputs[run] = headOf(sum, train, bias, head);
    masks[run] = mask;
  }
  return { outputs, masks };
}

/** Every mask once: the mean with its probabilities, the smallest and largest output, and whether sums have two signs. */
export function overAll(products, { p, scaling, head, bias }) {
  const { train } = factorsOf(scaling, p);
  const units = products.length;
  let [mean, low, high, below, above] = [0, Infinity, -Infinity, false, false];
  for (let mask = 0; mask < 1 << units; mask++) {
    let [sum, chance] = [0, 1];
    for (let j = 0; j < units; j++) {
      const kept = (mask >> j) & 1;
      if (kept) sum += products[j];
      chance *= kept ? 1 - p : p;
    }
    if (!chance) continue;
    const z = sum * train + bias;
    const y = headOf(sum, train, bias, head);
    mean += chance * y;
    [low, high] = [Math.min(low, y), Math.max(high, y)];
    [below, above] = [below || z < 0, above || z > 0];
  }
  return { mean, low, high, bent: below && above };
}

/** The mean of the first k numbers and its standard error, for every k; of one number the error is not known. */
export function runningMeans(values) {
  const means = new Float64Array(values.length);
  const errors = new Float64Array(values.length);
  let [mean, squares] = [0, 0];
  values.forEach((value, i) => {
    const from = value - mean;
    mean += from / (i + 1);
    squares += from * (value - mean); // Welford's way: no large numbers are subtracted
    means[i] = mean;
    errors[i] = i ? Math.sqrt(squares / i / (i + 1)) : NaN;
  });
  return { means, errors };
}

/** Counts in bins of equal width; the last bin holds its upper edge. */
export function binned(values, low, high, count) {
  const bins = new Array(count).fill(0);
  for (const value of values)
    bins[Math.min(count - 1, Math.max(0, Math.floor(((value - low) / (high - low)) * count)))]++;
  return bins;
}

/** The place of the recorded p that is nearest. */
export function nearest(ps, p) {
  return ps.reduce((best, one, i) => (Math.abs(one - p) < Math.abs(ps[best] - p) - 1e-9 ? i : best), 0);
}

// ---- Drawing ------------------------------------------------------------------------------------------------

const number = (value) => (Math.abs(value) < 5e-4 ? 0 : value).toFixed(DECIMALS).replace("-", "−");
const joined = (value) => `${value < 0 && number(value) !== "0.000" ? "−" : "+"} ${number(Math.abs(value))}`;

/** A drawing whose units are the page's pixels: `draw(width, height)` gives its elements. */
function sheet(name, height) {
  const node = svg("svg", { class: `bb-do-${name}`, role: "img", height });
  return {
    node,
    draw(label, elements) {
      const width = node.clientWidth;
      if (!width) return;
      node.setAttribute("viewBox", `0 0 ${width} ${height}`);
      if (label) node.setAttribute("aria-label", label);
      node.replaceChildren(...elements(width, height));
    },
  };
}

/** A word beside an upright line, on the side where it has room and, if there is one, where no line at `others` crosses it. */
function tag(text, x, y, width, name, others = []) {
  const long = 6 + text.length * 6.8;
  const free = (from, to) => from >= 0 && to < width && others.every((one) => one < from || one > to || one === x);
  const right = free(x, x + long) || (!free(x - long, x) && x + long < width);
  return svg("text", { x: x + (right ? 5 : -5), y, "text-anchor": right ? "start" : "end", class: name }, text);
}

function histogramParts(width, height, { bins, low, high, mean, test, own, ticks }) {
  const [top, foot] = [48, height - 18];
  const x = (value) => 4 + ((value - low) / (high - low)) * (width - 8);
  const most = Math.max(...bins, 1);
  const wide = (width - 8) / bins.length;
  const bars = bins.map((count, i) => {
    const tall = count ? Math.max(1.5, (count / most) * (foot - top)) : 0;
    return svg("rect", {
      class: "bb-do-bar",
      x: 4 + i * wide + 0.5,
      y: foot - tall,
      width: Math.max(wide - 1, 0.5),
      height: tall,
      "data-count": count,
    });
  });
  return [
    ...bars,
    svg("line", { class: "bb-do-axis", x1: 0, x2: width, y1: foot, y2: foot }),
    ...ticks.map((value) =>
      svg("text", { class: "bb-do-tick", x: Math.min(Math.max(x(value), 12), width - 12), y: height - 4 }, show(value)),
    ),
    svg("line", { class: "bb-do-test", x1: x(test), x2: x(test), y1: 2, y2: foot, "data-value": test }),
    tag(TEXT.testTag, x(test), 12, width, "bb-do-word"),
    svg("line", { class: "bb-do-mean", x1: x(mean), x2: x(mean), y1: 18, y2: foot, "data-value": mean }),
    tag(TEXT.meanTag, x(mean), 28, width, "bb-do-word", [x(test)]),
    svg("path", { class: "bb-do-own", d: `M${x(own)},${foot} l-5,-9 h10 z`, "data-value": own }),
    tag(TEXT.thisTag, x(own), 44, width, "bb-do-word bb-do-faint", [x(test), x(mean)]),
  ];
}

function runningParts(width, height, { means, errors, test }) {
  const [left, right, top, foot] = [46, 6, 6, height - 18];
  const count = means.length;
  // Evenly on the logarithmic axis: more points than pixels would show nothing more.
  const picked = [...new Set(Array.from({ length: 120 }, (_, i) => Math.round(count ** (i / 119)) - 1))];
  const spread = (i) => (Number.isNaN(errors[i]) ? 0 : errors[i]);
  const drawn = picked.flatMap((i) => [means[i] - spread(i), means[i] + spread(i)]);
  const [least, most] = [Math.min(test, ...drawn), Math.max(test, ...drawn)];
  const room = (most - least || 1) * 0.06;
  const [low, high] = [least - room, most + room];
  const x = (i) => left + (count > 1 ? Math.log(i + 1) / Math.log(count) : 0.5) * (width - left - right);
  const y = (value) => foot - ((value - low) / (high - low)) * (foot - top);
  const line = picked.map((i) => [x(i), y(means[i])]);
  const band = [...picked.map((i) => [i, 1]), ...picked.toReversed().map((i) => [i, -1])].map(([i, sign]) => [
    x(i),
    y(means[i] + sign * spread(i)),
  ]);
  const powers = [1, 10, 100, 1000].filter((power) => power <= count);
  return [
    svg("path", { class: "bb-do-band", d: `${pathOf(band, 1)}Z` }),
    svg("line", { class: "bb-do-test", x1: left, x2: width - right, y1: y(test), y2: y(test), "data-value": test }),
    svg("path", { class: "bb-do-line bb-do-line-0", d: pathOf(line, 1) }),
    svg("circle", {
      class: "bb-do-dot",
      cx: x(count - 1),
      cy: y(means[count - 1]),
      r: 4,
      "data-value": means[count - 1],
    }),
    svg("line", { class: "bb-do-axis", x1: left, x2: left, y1: top, y2: foot }),
    ...ticksOf(low, high, 4).map((value) =>
      svg("text", { class: "bb-do-tick bb-do-end", x: left - 5, y: y(value) + 4 }, show(value)),
    ),
    ...powers.map((power) =>
      svg(
        "text",
        { class: "bb-do-tick", x: Math.min(Math.max(x(power - 1), left + 4), width - 16), y: height - 4 },
        grouped(power),
      ),
    ),
  ];
}

function curveParts(width, height, { curves, p }) {
  const [left, right, top, foot] = [40, 10, 8, height - 18];
  const values = curves.flatMap(({ mean, spread }) =>
    mean.flatMap((value, i) => [value - spread[i], value + spread[i]]),
  );
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const x = (value) => left + value * (width - left - right);
  const y = (value) => foot - ((value - low) / (high - low || 1)) * (foot - top);
  return [
    ...ticksOf(low, high, 4).map((value) =>
      svg("text", { class: "bb-do-tick bb-do-end", x: left - 6, y: y(value) + 4 }, show(value)),
    ),
    ...[0, 0.25, 0.5, 0.75, 1].map((value) =>
      svg("text", { class: "bb-do-tick", x: x(value), y: height - 4 }, show(value)),
    ),
    svg("line", { class: "bb-do-axis", x1: left, x2: width - right, y1: foot, y2: foot }),
    svg("line", { class: "bb-do-here", x1: x(p), x2: x(p), y1: top, y2: foot, "data-value": p }),
    ...curves.flatMap(({ p: ps, mean, spread }, number) => [
      ...ps.map((at, i) =>
        svg("line", {
          class: `bb-do-whisker bb-do-line-${number}`,
          x1: x(at),
          x2: x(at),
          y1: y(mean[i] - spread[i]),
          y2: y(mean[i] + spread[i]),
        }),
      ),
      svg("path", {
        class: `bb-do-line bb-do-line-${number}`,
        d: pathOf(ps.map((at, i) => [x(at), y(mean[i])])),
      }),
    ]),
  ];
}

const ROW = 30; // of the table beside the network, so that units and rows stand at one height
const HEAD = 26;

function netParts(width, { weight, output_weight, kept }) {
  const units = weight.length;
  const inputs = weight[0].length;
  const tall = units * ROW;
  const row = (j) => HEAD + (j + 0.5) * ROW;
  const at = (i) => HEAD + ((i + 0.5) * tall) / inputs;
  const [first, middle, last] = [12, width / 2, width - 12];
  const most = Math.max(...weight.flat().map(Math.abs), ...output_weight.map(Math.abs), 1e-9);
  const wire = (x1, y1, x2, y2, w, alive) =>
    svg("line", {
      x1,
      y1,
      x2,
      y2,
      class: `bb-do-wire ${w < 0 ? "bb-do-minus" : "bb-do-plus"}${alive ? "" : " bb-do-dead"}`,
      "stroke-width": (0.4 + (2.6 * Math.abs(w)) / most).toFixed(2),
    });
  return [
    ...weight.flatMap((values, j) => values.map((w, i) => wire(first, at(i), middle, row(j), w, kept[j]))),
    ...output_weight.map((w, j) => wire(middle, row(j), last, HEAD + tall / 2, w, kept[j])),
    ...weight[0].map((_, i) => svg("circle", { class: "bb-do-node", cx: first, cy: at(i), r: 6 })),
    svg("circle", { class: "bb-do-node", cx: last, cy: HEAD + tall / 2, r: 8 }),
    ...weight.map((_, j) =>
      svg("circle", {
        class: `bb-do-unit${kept[j] ? "" : " bb-do-lost"}`,
        cx: middle,
        cy: row(j),
        r: 10,
        "data-unit": j,
      }),
    ),
  ];
}

// ---- The view -----------------------------------------------------------------------------------------------

export default widget(["sample", "p", "scaling", "head", "runs", "seed", "kept"], (view, model) => {
  const net = Object.fromEntries(
    ["weight", "bias", "output_weight", "output_bias"].map((name) => [name, model.get(name)]),
  );
  const units = net.bias.length;
  const total = grouped(2 ** units);
  const names = model.get("names");
  const curves = model.get("curves");
  let shown; // what is painted: settings and what follows from them
  const current = () => {
    const [p, scaling, head, seed, count] = ["p", "scaling", "head", "seed", "runs"].map((name) => model.get(name));
    const settings = { p, scaling, head, seed, count, bias: net.output_bias };
    const hidden = hiddenOf(net, model.get("inputs")[names.indexOf(model.get("sample"))]);
    const products = hidden.map((value, j) => value * net.output_weight[j]);
    const hand = model.get("kept");
    const kept = hand.length ? hand : maskOf(seed, count - 1, units, p);
    return { ...settings, hidden, products, kept, hand: hand.length > 0, factors: factorsOf(scaling, p) };
  };

  // ---- Controls

  const sample = setting(view, "sample", TEXT.sample, names, { kept: [] });
  const head = setting(view, "head", TEXT.head, TEXT.heads);
  const scaling = setting(view, "scaling", TEXT.scaling, TEXT.scalings);
  const slider = h("input", {
    type: "range",
    min: 0,
    max: 1,
    step: 0.05,
    "aria-label": TEXT.p,
    oninput: () => view.set({ p: Number(slider.value), kept: [] }),
  });
  const pValue = h("span", { class: "bb-do-p" });
  const range = h(
    "label",
    { class: "bb-field bb-do-range" },
    h("span", {}, TEXT.p),
    h("span", { class: "bb-do-track" }, slider, pValue),
  );
  const more = Object.entries(TEXT.more).map(([count, text]) =>
    button(text, () => view.set({ runs: Math.min(MOST, model.get("runs") + Number(count)), kept: [] })),
  );
  const again = button(TEXT.again, () => view.set({ runs: 1, kept: [] }));
  const others = button(TEXT.others, () => view.set({ seed: (model.get("seed") + 1) % SEEDS, kept: [] }));
  const last = button(TEXT.last, () => view.set({ kept: [] }));

  const toggle = (j) => view.set({ kept: shown.kept.map((one, i) => (i === j ? !one : one)) });
  const picture = sheet("net", HEAD + units * ROW);
  picture.node.setAttribute("aria-hidden", "true"); // the table beside it says the same
  const rows = Array.from({ length: units }, (_, j) => {
    const press = button("", () => toggle(j), { class: "bb-button bb-do-press" });
    const cells = [h("td", {}), h("td", {})];
    return { press, cells, node: h("tr", {}, h("th", { scope: "row" }, press), ...cells) };
  });
  const sum = h("td", {});
  const table = h(
    "table",
    { class: "bb-do-table" },
    h("thead", {}, h("tr", {}, ...TEXT.columns.map((text) => h("th", { scope: "col" }, text)))),
    h("tbody", {}, ...rows.map(({ node }) => node)),
    h("tfoot", {}, h("tr", {}, h("th", { scope: "row", colspan: 2 }, TEXT.sum), sum)),
  );
  const netTitle = h("p", { class: "bb-do-title" });
  const [now, test] = [h("p", { class: "bb-do-now" }), h("p", { class: "bb-do-then" })];
  const histogram = sheet("histogram", 170);
  const running = sheet("running", 130);
  const histogramTitle = h("p", { class: "bb-do-title" });
  const cells = Object.fromEntries(
    Object.keys(TEXT.numbers).map((name) => [name, h("strong", { class: `bb-do-${name}-value` })]),
  );
  const numbers = h(
    "div",
    { class: "bb-do-numbers" },
    ...Object.entries(cells).map(([name, node]) => h("p", {}, `${fill(TEXT.numbers[name], { total })} `, node)),
  );
  const say = h("p", { class: "bb-do-say" });
  const chart = sheet("curves", 190);
  const curveWords = h("p", { class: "bb-do-title" });
  const keys = curves.map(({ name }, number) => {
    const value = h("strong", {});
    return { value, node: h("p", { class: `bb-do-key bb-do-key-${number}` }, `${name} `, value) };
  });
  const live = speaker(view);

  // ---- Painting

  const paint = () => {
    shown = current();
    const { outputs, masks } = runAll(shown.products, shown);
    const all = overAll(shown.products, shown);
    const { means, errors } = runningMeans(outputs);
    const full = sumOf(shown.products, () => true);
    const result = {
      all,
      means,
      errors,
      full,
      outputs,
      mean: means.at(-1),
      error: errors.at(-1),
      seen: new Set(masks).size,
      own: sumOf(shown.products, (j) => shown.kept[j]),
      test: headOf(full, shown.factors.test, net.output_bias, shown.head),
    };
    paintControls();
    paintNet(result);
    const texts = textsOf(result);
    paintCharts(result, texts);
    paintWords(result, texts);
    if (curves.length) paintCurves();
  };
  const paintControls = () => {
    sample.set(model.get("sample"));
    head.set(shown.head);
    scaling.set(shown.scaling);
    if (Number(slider.value) !== shown.p) slider.value = shown.p;
    write(pValue, shown.p.toFixed(2));
    slider.setAttribute("aria-valuetext", shown.p.toFixed(2));
    for (const node of more) node.disabled = shown.count >= MOST;
    last.disabled = !shown.hand;
  };
  const sentence = (template, sum, factor) => {
    const z = sum * factor + net.output_bias;
    const whole = factor === 1 ? number(sum) : `${number(sum)} × ${number(factor)}`;
    const line = fill(template, { sum: whole, bias: joined(net.output_bias), z: number(z) });
    return shown.head === "relu" ? fill(TEXT.relu, { line, y: number(Math.max(z, 0)) }) : line;
  };
  const textsOf = ({ mean, error, test }) => ({
    p: shown.p.toFixed(2),
    runs: shown.count === 1 ? TEXT.run : fill(TEXT.runs, { count: grouped(shown.count) }),
    mean: number(mean),
    error: errorText(error),
    test: number(test),
  });
  const paintNet = ({ own, full }) => {
    write(netTitle, shown.hand ? TEXT.byHand : fill(TEXT.ofRun, { run: grouped(shown.count) }));
    rows.forEach(({ press, cells, node }, j) => {
      const kept = shown.kept[j];
      write(press, String(j + 1));
      press.setAttribute("aria-pressed", kept);
      press.setAttribute("aria-label", fill(kept ? TEXT.kept : TEXT.dropped, { number: j + 1 }));
      node.classList.toggle("bb-do-off", !kept);
      write(cells[0], `${show(shown.hidden[j], DECIMALS)} × ${show(net.output_weight[j], DECIMALS)}`);
      write(cells[1], kept ? number(shown.products[j]) : TEXT.out);
    });
    write(sum, number(own));
    write(now, sentence(TEXT.now, own, shown.factors.train));
    write(test, sentence(TEXT.test, full, shown.factors.test));
    picture.draw(null, (width) => netParts(width, { ...net, kept: shown.kept }));
  };
  const paintCharts = ({ all, outputs, means, errors, mean, test, own }, texts) => {
    const mine = headOf(own, shown.factors.train, net.output_bias, shown.head);
    const ends = [Math.min(all.low, test, mine), Math.max(all.high, test, mine)];
    const room = (ends[1] - ends[0] || 1) * 0.03;
    const [low, high] = [ends[0] - room, ends[1] + room];
    write(histogramTitle, fill(TEXT.histogram, texts));
    const drawn = {
      bins: binned(outputs, low, high, BARS),
      low,
      high,
      mean,
      test,
      own: mine,
      ticks: ticksOf(low, high, 6),
    };
    histogram.draw(fill(TEXT.histogramLabel, texts), (width, height) => histogramParts(width, height, drawn));
    running.draw(fill(TEXT.runningLabel, texts), (width, height) =>
      runningParts(width, height, { means, errors, test }),
    );
  };
  const errorText = (error) => (Number.isNaN(error) ? "–" : number(error));
  const paintWords = ({ all, error, test, seen }, texts) => {
    write(cells.mean, `${texts.mean} ± ${texts.error}`);
    write(cells.deviation, Number.isNaN(error) ? "–" : number(error * Math.sqrt(shown.count)));
    write(cells.test, texts.test);
    write(cells.exact, number(all.mean));
    write(cells.seen, fill(TEXT.of, { seen: grouped(seen), total }));
    const words = verdict(all, test);
    write(say, words);
    live.say(fill(TEXT.spoken, { ...texts, words }));
  };
  const verdict = (all, test) => {
    if (shown.p === 0) return TEXT.same;
    if (Math.abs(all.mean - test) < 1e-9 * (1 + Math.abs(test)))
      return shown.head === "linear" || all.bent ? TEXT.exact : TEXT.noKink;
    if (shown.p === 1) return TEXT.gone;
    const template = shown.scaling === "none" ? TEXT.unscaled : TEXT.kink;
    return fill(template, { mean: number(all.mean), test: number(test) });
  };
  const paintCurves = () => {
    const found = curves.map(({ p }) => nearest(p, shown.p));
    const at = curves[0].p[found[0]];
    const measure = model.get("measure");
    write(curveWords, fill(Math.abs(at - shown.p) < 1e-9 ? TEXT.curveAt : TEXT.curveOff, { measure, p: show(at) }));
    keys.forEach(({ value }, number) => {
      const { mean, spread } = curves[number];
      write(value, `${mean[found[number]].toFixed(1)} ± ${spread[found[number]].toFixed(1)}`);
    });
    const parts = keys.map(({ node }) => node.textContent).join("; ");
    chart.draw(fill(TEXT.curveLabel, { measure, parts }), (width, height) =>
      curveParts(width, height, { curves, p: shown.p }),
    );
  };

  const root = body(
    "bb-do",
    TEXT.title,
    controls(head.node, scaling.node, sample.node),
    controls(range),
    h(
      "div",
      { class: "bb-controls", role: "group", "aria-label": TEXT.lead },
      h("span", { class: "bb-do-lead", "aria-hidden": "true" }, TEXT.lead),
      ...more,
      again,
      others,
    ),
    h(
      "div",
      { class: "bb-do-stage" },
      h(
        "div",
        {},
        netTitle,
        h("div", { class: "bb-do-thin" }, picture.node, table),
        h("div", { class: "bb-do-under" }, hint(TEXT.netHint), last),
      ),
      h("div", {}, histogramTitle, histogram.node, h("p", { class: "bb-do-title" }, TEXT.running), running.node),
    ),
    h("div", { class: "bb-do-sums" }, now, test),
    numbers,
    say,
    ...(curves.length
      ? [
          h(
            "div",
            { class: "bb-do-recorded" },
            curveWords,
            h("div", { class: "bb-do-keys" }, ...keys.map(({ node }) => node)),
            chart.node,
          ),
        ]
      : []),
    live.node,
  );
  view.listen(picture.node, "click", (event) => {
    const box = picture.node.getBoundingClientRect();
    const j = Math.floor((event.clientY - box.top - HEAD) / ROW);
    if (j >= 0 && j < units && Math.abs(event.clientX - box.left - box.width / 2) < 22) toggle(j);
  });
  view.onResize(root, view.repaint);
  return { root, paint };
});
