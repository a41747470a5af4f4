import { button, controls, fill, fixed, fold, grouped, h, keys, setting, show, svg, table, ticksOf } from "../kit.js";
import { write } from "../kit.js";
import { BARS, binned } from "./maths.js";
import { TEXT } from "./text.js";

const [HEAD, TALL, RADIUS] = [24, 288, 12]; // pixels
const DECIMALS = 3;
export const number = (value) => (Number.isNaN(value) ? "–" : fixed(value, DECIMALS));

// ---- The network and its outputs ----------------------------------------------------------------------------

/** Where things stand: the columns of the network, the axis of the outputs behind them, and heights. */
function layoutOf(width, inputs, units, { low, high }) {
  const even = (count, i) => HEAD + ((i + 0.5) * (TALL - HEAD)) / count;
  return {
    width,
    columns: { inputs: 12, hidden: 0.26 * width, axis: 0.53 * width },
    input: (i) => even(inputs, i),
    unit: (j) => even(units, j),
    y: (value) => TALL - 8 - ((value - low) / (high - low)) * (TALL - HEAD - 16),
  };
}

/** Show elements, [tag, attributes, text] each, in those of the last time where the tags are the same. */
function redraw(group, elements) {
  elements.forEach(([tag, attributes, text = ""], i) => {
    const old = group.children[i];
    const node = old?.tagName === tag ? old : svg(tag);
    for (const [name, value] of Object.entries(attributes))
      if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
    write(node, text);
    if (!old) group.append(node);
    else if (old !== node) old.replaceWith(node);
  });
  while (group.children.length > elements.length) group.lastChild.remove();
}

function wires({ columns, input, unit, y }, { weight, output_weight }, { kept, own }) {
  const most = Math.max(...weight.flat().map(Math.abs), ...output_weight.map(Math.abs), 1e-9);
  const wire = (x1, y1, x2, y2, w, alive) => [
    "line",
    {
      class: `${w < 0 ? "bb-do-minus" : "bb-do-plus"}${alive ? "" : " bb-do-dead"}`,
      ...{ x1, y1, x2, y2 },
      "stroke-width": (0.5 + (3.5 * Math.abs(w)) / most).toFixed(2),
    },
  ];
  return [
    ...weight.flatMap((row, j) =>
      row.map((w, i) => wire(columns.inputs, input(i), columns.hidden, unit(j), w, kept[j])),
    ),
    ...output_weight.map((w, j) => wire(columns.hidden, unit(j), columns.axis, y(own), w, kept[j])),
    ...weight[0].map((_, i) => ["circle", { class: "bb-do-node", cx: columns.inputs, cy: input(i), r: 7 }]),
  ];
}

/** Bars from the axis to the right, one for each bin of outputs, and the numbers of the axis at its end. */
function bars({ width, columns: { axis }, y }, outputs, { low, high }) {
  const counts = binned(outputs, low, high, BARS);
  const thick = (y(low) - y(high)) / BARS;
  const long = (width - axis - 34) / Math.max(...counts);
  const rects = counts.map((count, i) => [
    "rect",
    {
      class: "bb-do-bar",
      ...{
        x: axis,
        y: y(low) - (i + 1) * thick + 0.5,
        width: count ? Math.max(2, count * long) : 0,
        height: thick - 1,
      },
      "data-count": count,
    },
  ]);
  const ticks = ticksOf(low, high, 6).map((value) => [
    "text",
    { class: "bb-do-tick", x: width, y: y(value) + 4 },
    show(value),
  ]);
  return [...rects, ...ticks, ["line", { class: "bb-do-axis", x1: axis, x2: axis, y1: y(high), y2: y(low) }]];
}

/** The lines of the mean and of test time, with their names: the upper one over its line, the lower one under it. */
function lines({ width, columns: { axis }, y }, { mean, test }) {
  const found = { test, mean }; // the dashes of the mean lie on the line of test time
  return Object.keys(found).flatMap((name) => {
    const over = name === "test" ? test >= mean : mean > test;
    const at = y(found[name]);
    const place = { x: width - 34, y: over ? Math.max(at - 5, HEAD + 8) : Math.min(at + 14, TALL - 4) };
    return [
      ["line", { class: `bb-do-${name}`, x1: axis, x2: width - 30, y1: at, y2: at, "data-value": found[name] }],
      ["text", { class: "bb-do-word", "data-part": name, ...place }, TEXT[name]],
    ];
  });
}

/** A hidden unit: pressed, it is dropped or kept. */
function unitPart(view, j, toggle) {
  const cross = svg("path", { d: "M-5-5L5 5M-5 5L5-5" });
  const node = svg("g", { class: "bb-do-unit", role: "button", tabindex: 0 }, svg("circle", { r: RADIUS }), cross);
  view.listen(node, "click", () => toggle(j));
  keys(view, node, ({ key }) => (key === "Enter" || key === " " ? toggle(j) : false));
  const update = (kept, x, y) => {
    node.setAttribute("transform", `translate(${x} ${y})`);
    node.setAttribute("aria-pressed", kept);
    node.setAttribute("aria-label", fill(kept ? TEXT.kept : TEXT.dropped, { number: j + 1 }));
    node.classList.toggle("bb-do-lost", !kept);
  };
  return { node, update };
}

/** The network, its output as a dot on an axis, and the outputs of all runs as bars along it. */
export function picturePart(view, net, toggle) {
  const units = net.bias.map((_, j) => unitPart(view, j, toggle));
  const [back, front] = [svg("g"), svg("g", { "aria-hidden": "true" })];
  const dot = svg("circle", { class: "bb-do-own", r: 7 });
  const heads = Object.keys(TEXT.columns).map(() => svg("text", { y: 12 }));
  const node = svg("svg", { role: "group", height: TALL }, back, ...units.map((one) => one.node), front, dot, ...heads);
  const update = (now, words) => {
    const width = node.clientWidth;
    if (!width) return;
    const { all, test, own, mean, outputs, kept } = now;
    const ends = [Math.min(all.low, test, own, mean), Math.max(all.high, test, own, mean)];
    const room = (ends[1] - ends[0] || 1) * 0.03;
    const range = { low: ends[0] - room, high: ends[1] + room };
    const layout = layoutOf(width, net.weight[0].length, units.length, range);
    const { inputs, hidden, axis } = layout.columns;
    redraw(back, [...wires(layout, net, now), ...bars(layout, outputs, range)]);
    redraw(front, lines(layout, now));
    units.forEach((unit, j) => unit.update(kept[j], hidden, layout.unit(j)));
    for (const [key, value] of Object.entries({ cx: axis, cy: layout.y(own), "data-value": own }))
      dot.setAttribute(key, value);
    const places = [
      [inputs - 8, "start"],
      [hidden, "middle"],
      [axis - 8, "start"],
    ];
    Object.values(TEXT.columns).forEach((text, i) => {
      write(heads[i], fill(text, words));
      heads[i].setAttribute("x", places[i][0]);
      heads[i].style.textAnchor = places[i][1];
    });
    node.setAttribute("aria-label", fill(TEXT.picture, words));
  };
  return { node, update };
}

// ---- Words and numbers --------------------------------------------------------------------------------------

/** The numbers of the sentence and of the picture. */
export const wordsOf = ({ mean, error, test, own }, count) => ({
  runs: count === 1 ? TEXT.run : fill(TEXT.runs, { count: grouped(count) }),
  mean: number(mean),
  error: number(error),
  test: number(test),
  own: number(own),
});

/** From the kept units to the output, with all numbers. */
function equation(template, sum, factor, bias, head) {
  const z = sum * factor + bias;
  const whole = factor === 1 ? number(sum) : `${number(sum)} × ${number(factor)}`;
  const added = `${bias < 0 ? "−" : "+"} ${number(Math.abs(bias))}`;
  const line = fill(template, { sum: whole, bias: added, z: number(z) });
  return head === "relu" ? fill(TEXT.relu, { line, y: number(Math.max(z, 0)) }) : line;
}

/** The fold "Numbers": what came out, and the arithmetic unit by unit. */
export function numbersPart(net) {
  const units = net.bias.length;
  const total = grouped(2 ** units);
  const scores = table(
    TEXT.numbers,
    [""],
    Object.values(TEXT.rows).map((text) => fill(text, { total })),
  );
  const names = net.bias.map((_, j) => fill(TEXT.unit, { number: j + 1 }));
  const rows = table(TEXT.units, Object.values(TEXT.unitColumns), names);
  const sums = [h("p"), h("p")];
  const update = (
    { mean, error, deviation, test, all, seen, hidden, products, kept, sums: { own, full }, factors },
    head,
  ) => {
    const texts = [`${number(mean)} ± ${number(error)}`, ...[deviation, test, all.mean].map(number)];
    scores.update([...texts, fill(TEXT.of, { seen: grouped(seen), total })].map((text) => [text]));
    const product = (j) => `${show(hidden[j], DECIMALS)} × ${show(net.output_weight[j], DECIMALS)}`;
    rows.update(products.map((value, j) => [product(j), kept[j] ? number(value) : TEXT.out]));
    write(sums[0], equation(TEXT.now, own, factors.train, net.output_bias, head));
    write(sums[1], equation(TEXT.then, full, factors.test, net.output_bias, head));
  };
  return { node: fold(TEXT.numbers, scores.node, rows.node, ...sums), update };
}

/** The fold "More". */
export function morePart(view, names, seeds, now) {
  const sample = setting(view, "sample", TEXT.sample, names, { kept: [] });
  const scaling = setting(view, "scaling", TEXT.scaling, TEXT.scalings);
  const others = button(TEXT.others, () => view.set({ seed: (now().seed + 1) % seeds, kept: [] }));
  const last = button(TEXT.last, () => view.set({ kept: [] }));
  const update = (settings) => {
    sample.set(settings.sample);
    scaling.set(settings.scaling);
    last.disabled = !settings.kept.length;
  };
  return { node: fold(TEXT.more, controls(sample.node, scaling.node, others, last)), update };
}
