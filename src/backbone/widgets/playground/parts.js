import { choice, clamp, compact, drag, fill, fold, h, hint, keys, paintPixels, paletteColor, percent } from "../kit.js";
import { show, signed, sliderKeys, table, write } from "../kit.js";
import { sheet, spot } from "../canvas.js";
import { addresses, collapsed, forward, GRID, gridOf, hit, placesOf, sigmoid } from "./maths.js";
import { TEXT } from "./text.js";

/** A number of any size with three digits that count. */
export const fine = (value) => compact(value, { from: 1e-4, to: 1e6 });

export function stroke(context, points, color, thick, dash = []) {
  Object.assign(context, { strokeStyle: color, lineWidth: thick });
  context.setLineDash(dash);
  context.beginPath();
  points.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.stroke();
  context.setLineDash([]);
}

export function dot(context, [x, y], color, radius) {
  context.fillStyle = color;
  context.beginPath();
  context.arc(x, y, radius, 0, 7);
  context.fill();
}

export function word(context, text, [x, y], align = "left") {
  context.textAlign = align;
  context.fillText(text, x, y);
}

// ---- What each neuron computes, over the plane --------------------------------------------------------------

/** Small canvases, `at(column, row)`; `update` paints them where the weights have changed. */
export function mapsPart() {
  const maps = [];
  const at = (c, r) => ((maps[c] ??= [])[r] ??= h("canvas"));
  let painted;
  const update = (node, { layers, activation, set }) => {
    if (painted === layers) return;
    painted = layers;
    const [positive, negative] = ["positive", "negative"].map((name) => paletteColor(node, name));
    const { values } = forward(layers, activation, (set.grid ??= gridOf(set.reach)));
    values.forEach((column, c) => {
      const last = c === values.length - 1;
      const shown = last ? column.map((z) => z.map((one) => sigmoid(one) - 0.5)) : column;
      // One scale a layer, so that a faint neuron looks faint.
      const largest = shown.reduce((most, map) => map.reduce((m, v) => Math.max(m, Math.abs(v)), most), 0);
      const color = signed(last ? 0.5 : largest, positive, negative);
      shown.forEach((map, r) => paintPixels(at(c, r), map, GRID, GRID, color));
    });
  };
  return { at, update };
}

// ---- The answer ---------------------------------------------------------------------------------------------

/** Draw points: filled where they train, rings where they are held out. */
function paintPoints(context, parts, reach, side, radius, colors) {
  for (const { labels, columns, ring } of parts) {
    labels.forEach((label, i) => {
      const [x, y] = columns.map((column) => column[i] / reach);
      const color = label ? colors.positive : colors.negative;
      context.beginPath();
      context.arc(((x + 1) * side) / 2, ((1 - y) * side) / 2, radius - (ring ? 0.5 : 0), 0, 7);
      Object.assign(context, { fillStyle: ring ? "#fff" : color, strokeStyle: ring ? color : "#fff" });
      context.lineWidth = ring ? 1.5 : 1;
      context.fill();
      context.stroke();
    });
  }
}

/** The plane in the colors of the network's answer, with the points. */
export function surfacePart(maps) {
  let shown;
  const { canvas, draw } = sheet(
    { class: "bb-play-surface", role: "img", "data-part": "answer" },
    1,
    (context, side, _, colors) => {
      const { set, layers } = shown;
      context.globalAlpha = 0.6;
      context.drawImage(maps.at(layers.length, 0), 0, 0, side, side);
      context.globalAlpha = 1;
      paintPoints(context, [{ ...set.held, ring: true }, set.train], set.reach, side, 4, colors);
    },
  );
  const update = (now) => {
    shown = now;
    canvas.setAttribute("aria-label", fill(TEXT.surface, { name: now.dataset }));
    draw();
  };
  return { node: canvas, update };
}

/** The sets of points as small pictures to choose from. */
export function dataPart(sets, pick) {
  const face = (name) => {
    const set = sets.get(name);
    const { canvas, draw } = sheet({ role: "img", "aria-label": name }, 1, (context, side, _, colors) =>
      paintPoints(context, [set.train], set.reach, side, 2, colors),
    );
    faces.push(draw);
    return canvas;
  };
  const faces = [];
  const chosen = choice(TEXT.data, [...sets.keys()], face, pick, "pictures");
  const update = (name) => {
    chosen.set(name);
    for (const draw of faces) draw();
  };
  return { node: chosen.node, update };
}

// ---- The network --------------------------------------------------------------------------------------------

function paintNet(context, [width, height], colors, maps, { layers, depth, width: count, at }) {
  const { columns, side } = placesOf(depth, count, width, height);
  const line = ([l, to, from], color, thick) => {
    const [start, end] = [columns[l][from], columns[l + 1][to]];
    stroke(
      context,
      [
        [start.x, start.y],
        [end.x, end.y],
      ],
      color,
      thick,
    );
  };
  for (const one of addresses(layers)) {
    const [l, to, from] = one;
    const w = from < 0 ? 0 : layers[l].weight[to][from];
    const size = Math.min(Math.abs(w) / 2, 1);
    context.globalAlpha = 0.3 + 0.7 * size;
    if (from >= 0) line(one, w < 0 ? colors.negative : colors.positive, 1 + 4 * size);
  }
  context.globalAlpha = 1;
  if (at?.[2] >= 0) {
    line(at, "#fff", 8);
    line(at, colors.mark, 5);
  }
  columns.forEach((column, c) =>
    column.forEach(({ x, y }, row) => {
      const box = [x - side / 2, y - side / 2, side, side];
      const own = at && at[2] < 0 && at[0] === c - 1 && at[1] === row;
      context.clearRect(...box);
      context.drawImage(maps.at(c, row), ...box);
      Object.assign(context, { strokeStyle: own ? colors.mark : "#888", lineWidth: own ? 4 : 1 });
      context.strokeRect(...box);
    }),
  );
}

/** The network. With `choose` its lines and squares are picked, by pointer and keys. */
export function netPart(view, maps, choose) {
  let shown;
  const look = choose
    ? { tabindex: 0, role: "application", "aria-label": `${TEXT.net} ${TEXT.pick}` }
    : { role: "img", "aria-label": TEXT.net };
  const { canvas, draw } = sheet(
    { class: "bb-play-net", "data-part": "network", ...look },
    "auto",
    (context, width, height, colors) => paintNet(context, [width, height], colors, maps, shown),
  );
  const heads = h("div", { class: "bb-play-heads", "aria-hidden": "true" });
  // At once, not when it is painted: a second key may come before the next frame.
  const pick = (at) => {
    if (at) shown = { ...shown, at };
    choose(at);
  };
  if (choose) pickable(view, canvas, () => shown, pick);
  const update = (now) => {
    shown = now;
    const { inputs, layer, number, output } = TEXT.columns;
    const layers = Array.from({ length: now.depth }, (_, i) => fill(now.depth > 2 ? number : layer, { number: i + 1 }));
    const texts = [inputs, ...layers, output];
    if (heads.textContent !== texts.join("")) heads.replaceChildren(...texts.map((text) => h("span", {}, text)));
    draw();
  };
  return { node: h("div", { class: "bb-panel" }, canvas, heads), update };
}

function pickable(view, canvas, shown, choose) {
  view.listen(canvas, "click", (event) => {
    const { depth, width } = shown();
    const at = spot(canvas, event);
    choose(hit(placesOf(depth, width, at.width, at.height), at.x, at.y));
  });
  keys(view, canvas, ({ key }) => {
    const { layers, at } = shown();
    const inLayer = (layer) => addresses(layers).filter(([l]) => l === layer);
    const own = inLayer(at[0]);
    const now = own.findIndex((one) => one.join() === at.join());
    const others = { ArrowLeft: inLayer(at[0] - 1)[0], ArrowRight: inLayer(at[0] + 1)[0] };
    const known = { ...others, ArrowUp: own[now - 1], ArrowDown: own[now + 1], Home: own[0], End: own.at(-1) };
    return key in known ? choose(known[key]) : false;
  });
}

// ---- The loss, step by step, which is the slider of the training --------------------------------------------

function paintStrip(context, width, height, colors, { history, now }) {
  const [left, right, foot] = [36, width - 8, height - 16];
  const losses = (part) =>
    [...history.filter(({ step }) => step <= now.step), now].map((one) => [one.step, one[part].loss]);
  const last = Math.max(history.at(-1).step, now.step, 20);
  const all = history.map(({ train }) => train.loss);
  const top = Math.max(0.75, ...all);
  const place = ([step, loss]) => [
    left + (step / last) * (right - left),
    foot - (Math.min(loss, top) / top) * (foot - 8),
  ];
  context.globalAlpha = 0.4;
  stroke(
    context,
    [
      [left, 4],
      [left, foot],
      [right, foot],
    ],
    colors.ink,
    1,
  );
  stroke(
    context,
    history.map((one) => place([one.step, one.train.loss])),
    colors.ink,
    1,
  );
  context.globalAlpha = 1;
  stroke(context, losses("train").map(place), colors.ink, 2);
  const [x, y] = place([now.step, now.train.loss]);
  dot(context, [x, y], colors.mark, 7);
  context.fillStyle = colors.ink;
  word(context, TEXT.loss, [2, 12]);
  word(context, fine(top), [left - 4, 26], "right");
  word(context, "0", [left - 4, foot], "right");
  const text = fill(TEXT.stepNow, { step: now.step });
  const half = context.measureText(text).width / 2;
  word(context, text, [clamp(x, left + half, right - half), height - 2], "center");
}

export function stripPart(view, read, go) {
  const look = {
    class: "bb-play-strip",
    tabindex: 0,
    role: "slider",
    "aria-label": TEXT.strip,
    "aria-valuemin": 0,
    "data-part": "loss",
  };
  const { canvas, draw } = sheet(look, "auto", (...given) => paintStrip(...given, read()));
  const end = () => read().history.at(-1).step;
  drag(view, canvas, (event) => {
    const { x, width } = spot(canvas, event);
    go(((x - 36) / (width - 44)) * Math.max(end(), 20));
  });
  const place = () => read().history.findLastIndex(({ step }) => step <= read().now.step);
  const goTo = (at) => go(read().history[clamp(at, 0, read().history.length - 1)].step);
  sliderKeys(view, canvas, { low: 0, high: Infinity, step: 1 }, place, goTo);
  const update = () => {
    canvas.setAttribute("aria-valuemax", end());
    canvas.setAttribute("aria-valuenow", read().now.step);
    canvas.setAttribute("aria-valuetext", fill(TEXT.stepNow, { step: read().now.step }));
    draw();
  };
  return { node: canvas, update };
}

// ---- Words and numbers --------------------------------------------------------------------------------------

export function numbersPart() {
  const scores = table(TEXT.numbers, Object.values(TEXT.scores), Object.values(TEXT.parts));
  const formula = hint();
  const term = (value) => `${value < 0 ? "−" : "+"} ${show(Math.abs(value), 2)}`;
  const update = ({ now, is }) => {
    const loss = (value) => (value < 1000 ? value.toFixed(3) : fine(value));
    scores.update(Object.keys(TEXT.parts).map((part) => [loss(now[part].loss), percent(now[part].accuracy)]));
    const [a, b, c] = collapsed(now.layers);
    formula.hidden = !["single", "two", "all"].includes(is);
    write(formula, fill(TEXT.formula, { a: show(a, 2), b: term(b), c: term(c) }));
  };
  return { node: fold(TEXT.numbers, scores.node, formula), update };
}
