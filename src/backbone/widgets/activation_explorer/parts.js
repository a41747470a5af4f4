import { clamp, drag, dropdown, fill, fold, h, hint, percent, powerOfTen, range, show, sliderKeys } from "../kit.js";
import { table, write } from "../kit.js";
import { sheet, spot } from "../canvas.js";
import { DEEPEST, FOOT, HUGE, inView, listed, number, placeAt, REACH, TINY, TOP, wayTo, written } from "./maths.js";
import { TEXT } from "./text.js";

const PAD = { left: 36, right: 12, top: 6, bottom: 22 };
const ABOVE = 22; // of the strip, where the product stands over bars that are cut
const circle = (context, [x, y], radius) => {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
};

function lineTo(context, points, color, thickness, dash = []) {
  context.strokeStyle = color;
  context.lineWidth = thickness;
  context.lineJoin = "round";
  context.setLineDash(dash);
  context.beginPath();
  points.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.stroke();
  context.setLineDash([]);
}

function label(context, text, [x, y], align = "center") {
  context.textAlign = align;
  context.fillText(text, x, y);
}

// ---- The curve with the inputs ------------------------------------------------------------------------------

function scaleOf(width, height) {
  const [wide, tall] = [width - PAD.left - PAD.right, height - PAD.top - PAD.bottom];
  const far = 1e4; // a canvas does not like numbers without end
  const near = (value) => clamp(value, -far, far);
  return ([across, up]) => [
    PAD.left + ((near(across) + REACH) / (2 * REACH)) * wide,
    PAD.top + ((TOP - near(up)) / (TOP - FOOT)) * tall,
  ];
}

/** The axes, the dashed line on which out is in, and gray where the neuron is saturated. */
function paintGround(context, at, ink, { flat }) {
  context.textBaseline = "alphabetic";
  for (const [from, to] of flat) {
    const [[left, top], [right, foot]] = [at([from, TOP]), at([to, FOOT])];
    context.globalAlpha = 0.09;
    context.fillRect(left, top, right - left, foot - top);
    context.globalAlpha = 0.8;
    if (right - left > 70) label(context, TEXT.axis.saturated, [(left + right) / 2, at([0, -0.75])[1]]);
  }
  context.globalAlpha = 0.3;
  lineTo(context, [at([-REACH, 0]), at([REACH, 0])], ink, 1);
  lineTo(context, [at([-REACH, 1]), at([REACH, 1])], ink, 1);
  lineTo(context, [at([-REACH, FOOT]), at([REACH, FOOT])], ink, 1);
  context.globalAlpha = 0.6;
  lineTo(context, [at([FOOT, FOOT]), at([TOP, TOP])], ink, 1, [4, 4]);
  context.globalAlpha = 1;
  label(
    context,
    TEXT.axis.same,
    at([TOP - 0.25, TOP - 0.25]).map((one, i) => one + [6, 8][i]),
    "left",
  );
  for (const tick of [-4, -2, 0, 2, 4]) label(context, show(tick), [at([tick, 0])[0], at([0, FOOT])[1] + 16]);
  label(context, TEXT.axis.in, [at([3, 0])[0], at([0, FOOT])[1] + 16]);
  label(context, TEXT.axis.out, [PAD.left + 4, PAD.top + 14], "left");
  context.textBaseline = "middle";
  for (const tick of [-1, 0, 1, 2]) label(context, show(tick), [PAD.left - 6, at([0, tick])[1]], "right");
}

/** All inputs at the foot and where they are now; what lies beyond the picture is counted at its edge. */
function paintInputs(context, at, width, { depths, places }) {
  const foot = at([0, FOOT])[1];
  context.globalAlpha = 0.35;
  for (const value of depths[0].values) context.fillRect(at([value, 0])[0], foot - 5, 1, 5);
  context.globalAlpha = 0.22;
  for (const place of places) if (inView(place)) circle(context, at(place), 4.5);
  context.globalAlpha = 1;
  const count = places.filter((place) => !inView(place)).length;
  context.textBaseline = "alphabetic";
  if (count) label(context, fill(TEXT.beyond, { count }), [width - PAD.right - 4, PAD.top + 40], "right");
}

/** The way of the chosen input, its dot, and the curve's slope there. */
function paintWay(context, at, colors, { way, layers, own, slope }) {
  context.globalAlpha = 0.8;
  lineTo(context, wayTo(way.values, layers).map(at), colors.mark, 1.5);
  context.globalAlpha = 1;
  context.fillStyle = colors.mark;
  if (inView(own)) circle(context, at(own), 7);
  context.fillStyle = colors.ink;
  if (slope === null || !inView(own)) return;
  const reach = 0.7 / Math.hypot(1, slope);
  const ends = [-reach, reach].map((step) => at([own[0] + step, own[1] + slope * step]));
  lineTo(context, ends, colors.positive, 3.5);
  context.textBaseline = "middle";
  const [x, y] = at(own);
  label(context, fill(TEXT.slope, { slope: number(slope) }), [x + 12, y + (slope < 0 ? -14 : 18)], "left");
}

/** One layer as a curve, and on it the inputs. Your own is dragged, or moved by keys. */
export function plotPart(view, read, moveTo) {
  let shown;
  const look = { class: "bb-ac-plot", tabindex: 0, role: "slider", "data-part": "curve" };
  const limits = { "aria-valuemin": -REACH, "aria-valuemax": REACH };
  const { canvas, draw } = sheet({ ...look, ...limits }, "auto", (context, width, height, colors) => {
    const at = scaleOf(width, height);
    paintGround(context, at, colors.ink, shown);
    context.save();
    context.beginPath();
    context.rect(PAD.left - 8, PAD.top, width - PAD.left - PAD.right + 16, height - PAD.top - PAD.bottom + 8);
    context.clip();
    lineTo(context, shown.curve.map(at), colors.ink, 1.5);
    paintInputs(context, at, width, shown);
    paintWay(context, at, colors, shown);
    context.restore();
  });
  drag(view, canvas, (event) => {
    const { x, width } = spot(canvas, event);
    moveTo(-REACH + ((x - PAD.left) / (width - PAD.left - PAD.right)) * 2 * REACH);
  });
  sliderKeys(view, canvas, { low: -REACH, high: REACH, step: 0.05 }, () => read().input, moveTo);
  view.onResize(canvas, () => shown && draw());
  const update = (now, words) => {
    shown = now;
    canvas.setAttribute("aria-label", fill(TEXT.plot, words));
    canvas.setAttribute("aria-valuenow", now.input);
    canvas.setAttribute("aria-valuetext", words.input);
    draw();
  };
  return { node: canvas, update };
}

// ---- The strip of the products ------------------------------------------------------------------------------

const up = (log) => clamp((log - TINY) / (HUGE - TINY), 0, 1);

/** A bar for the product after each layer, on a logarithmic axis, and a dash at the median of all inputs. */
function paintStrip(context, width, height, colors, { way, layers, middles, words }) {
  const wide = width - PAD.left - PAD.right;
  const lines = wide > 400 ? 1 : 2; // of words under it
  const foot = height - PAD.bottom - 15 * (lines - 1);
  const tall = foot - ABOVE;
  const x = (n) => PAD.left + (n / DEEPEST) * wide;
  const y = (log) => foot - up(log) * tall;
  context.textBaseline = "middle";
  for (const power of [0, -20, -40]) {
    label(context, power ? powerOfTen(power) : "1", [PAD.left - 4, y(power)], "right");
    context.globalAlpha = 0.35;
    lineTo(
      context,
      [
        [PAD.left, y(power)],
        [PAD.left + wide, y(power)],
      ],
      colors.ink,
      1,
      power ? [] : [4, 4],
    );
    context.globalAlpha = 1;
  }
  const whole = Math.floor(layers);
  for (let n = 1; n <= whole; n++) {
    const [log, left, bar] = [way.logs[n], x(n - 1) + 1, x(1) - x(0) - 2];
    context.fillStyle = colors.positive;
    if (log > -Infinity) context.fillRect(left, y(log), bar, Math.max(foot - y(log), 2));
    context.fillStyle = colors.ink;
    if (log > HUGE) context.fillRect(left + bar / 2 - 1, ABOVE - 6, 2, 5); // cut: it goes on
    context.fillRect(left, y(middles[n]) - 1, bar, 2);
  }
  paintFeet(context, foot + 16, wide, lines);
  context.fillStyle = colors.mark;
  context.fillRect(x(layers) - 1, ABOVE, 2, tall);
  circle(context, [x(layers), foot], 7);
  context.fillStyle = colors.ink;
  const left = layers > DEEPEST * 0.6;
  const highest = Math.max(way.logs[whole], way.logs[left ? whole - 9 : whole]); // over the bars behind it
  const place = [x(layers) + (left ? -10 : 10), y(highest) - (highest > HUGE ? 14 : 11)];
  context.textBaseline = "middle";
  if (whole)
    label(context, way.logs[whole] > HUGE ? fill(TEXT.cut, words) : words.product, place, left ? "right" : "left");
}

function paintFeet(context, line, wide, lines) {
  context.textBaseline = "alphabetic";
  label(context, TEXT.first, [PAD.left, line], "left");
  label(context, fill(TEXT.last, { count: DEEPEST }), [PAD.left + wide, line], "right");
  label(context, `${TEXT.product} (${TEXT.middle})`, [PAD.left + wide / 2, line + 15 * (lines - 1)]);
}

/** The strip is the film's slider. */
export function stripPart(view, read, go) {
  let shown;
  const limits = { "aria-valuemin": 0, "aria-valuemax": DEEPEST };
  const look = { class: "bb-ac-strip", tabindex: 0, role: "slider", "aria-label": TEXT.strip, "data-part": "product" };
  const { canvas, draw } = sheet({ ...look, ...limits }, "auto", (...given) => paintStrip(...given, shown));
  const put = (layers) => go(clamp(Math.round(layers), 0, DEEPEST));
  drag(view, canvas, (event) => {
    const { x, width } = spot(canvas, event);
    put(((x - PAD.left) / (width - PAD.left - PAD.right)) * DEEPEST);
  });
  sliderKeys(view, canvas, { low: 0, high: DEEPEST, step: 1 }, () => Math.floor(read().layers), put);
  view.onResize(canvas, () => shown && draw());
  const update = (now, words) => {
    shown = { ...now, words };
    canvas.setAttribute("aria-valuenow", Math.floor(now.layers));
    canvas.setAttribute("aria-valuetext", `${words.layers}: ${words.product}`);
    draw();
  };
  return { node: canvas, update };
}

// ---- Words and numbers --------------------------------------------------------------------------------------

/** All that is said of what is seen now. */
export function wordsOf({ way, layers, input, name, last, middles, own }) {
  const whole = Math.floor(layers);
  const sign = way.factors.slice(0, whole).reduce((product, factor) => product * Math.sign(factor), 1);
  const count = last.values.length;
  const zero = last.logs.filter((log) => log === -Infinity).length;
  return {
    name,
    input: show(input, 2),
    layers: whole === 1 ? TEXT.layer : fill(TEXT.manyLayers, { count: whole }),
    out: number(way.values[whole]),
    each: whole ? `×${written(way.logs[whole] / whole)}` : "–",
    product: written(way.logs[whole], sign),
    middle: written(middles[whole]),
    zero: percent(zero / count, 1),
    saturated: whole ? percent(last.flat.reduce((sum, is) => sum + is, 0) / count, 1) : "–",
    list: whole ? listed(way.factors.slice(0, whole)) : "1",
    inside: whole === 0 || inView(own),
  };
}

export function sentenceOf(words, layers) {
  if (layers < 1) return TEXT.none;
  return fill(TEXT.says, words) + (words.inside ? "" : ` ${TEXT.off}`);
}

export function numbersPart() {
  const names = Object.keys(TEXT.rows);
  const rows = table(TEXT.numbers, [TEXT.numbers], Object.values(TEXT.rows)); // update writes the column's name
  const head = rows.node.querySelector("thead th:last-child");
  const factors = h("p", { class: "bb-ac-factors" });
  const update = (words) => {
    write(head, fill(TEXT.columns, words));
    rows.update(names.map((name) => [words[name]]));
    write(factors, fill(TEXT.factors, words));
  };
  return { node: fold(TEXT.numbers, rows.node, factors, hint(TEXT.note)), update };
}

/** The activation and the weight, and in a fold the bias. */
export function controlsPart(view, titles) {
  const activation = dropdown(TEXT.activation, titles, (name) => view.set({ activation: name }));
  const weight = range(TEXT.weight, { min: 0.1, max: 6, step: 0.1 }, (value) => view.set({ weight: value }));
  const bias = range(TEXT.bias, { min: -4, max: 4, step: 0.1 }, (value) => view.set({ bias: value }));
  const update = (now) => {
    activation.set(now.activation);
    weight.set(now.weight, show(now.weight, 2));
    bias.set(now.bias, show(now.bias, 2));
  };
  return { nodes: [activation.node, weight.node], more: fold(TEXT.more, bias.node), update };
}

/** Where the inputs are now, and your own with the slope of the curve under it. */
export function placesOf({ depths, layers, way, derivative, weight, bias }) {
  const whole = Math.floor(layers);
  const [from, came, next] = [depths[0], depths[Math.max(whole - 1, 0)], depths[Math.min(whole + 1, DEEPEST)]];
  const out = depths[whole];
  // `placeAt` needs three of the values alone, so it is given those.
  const start = Math.max(whole - 1, 0);
  const places = Array.from(from.values, (_, i) => {
    const three = whole ? [came.values[i], out.values[i], next.values[i]] : [out.values[i], next.values[i]];
    return placeAt(three, layers - start);
  });
  const own = placeAt(way.values, layers);
  const lies = whole && layers === whole;
  return { places, own, slope: lies ? weight * derivative(weight * own[0] + bias) : null };
}
