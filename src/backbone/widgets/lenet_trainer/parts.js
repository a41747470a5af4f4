import { ARROWS, button, clamp, controls, drag, fill, fixed, fold, gray, grouped, h, keys } from "../kit.js";
import { paintPixels, paletteColor, pathOf, percent, range, show, signed, table, write } from "../kit.js";
import { brushPart } from "../brush.js";
import { sheet } from "../canvas.js";
import { boundsOf, npyOf, sizesOf, viewsOf } from "./maths.js";
import { TEXT } from "./text.js";

const SIDE = 28;
const ROWS = 5; // of the pictures kept apart
const [WIDE, TALL] = [120, 20]; // numbers in a strip
export const GUESS = Math.log(10);

/** The picture that the hand draws on. `paint(from, to)` draws a bit of a stroke, `settled()` follows at its end. */
export function padPart(view, { paint, settled, clear }) {
  const buffer = h("canvas");
  let shown = null;
  const look = { class: "bb-train-pad", tabindex: 0, role: "application", "data-part": "picture" };
  const { canvas, draw } = sheet(look, "1", (context, width, _, colors) => {
    if (!shown) return;
    paintPixels(buffer, shown, SIDE, SIDE, gray(255));
    context.imageSmoothingEnabled = false;
    context.drawImage(buffer, 0, 0, width, width);
    context.strokeStyle = colors.positive;
    context.lineWidth = 2;
    const cursor = brush.cursor()?.map((at) => (at * width) / SIDE);
    if (cursor) context.strokeRect(cursor[1], cursor[0], width / SIDE, width / SIDE);
  });
  const brush = brushPart(view, canvas, SIDE, { paint, settled, draw });
  keys(view, canvas, ({ key }) => (key === "Delete" ? clear() : false));
  view.onResize(canvas, draw);
  const update = (pixels, name) => {
    shown = pixels;
    canvas.setAttribute("aria-label", fill(TEXT.picture, { name }));
    draw();
  };
  const tool = button(TEXT.clear, clear, { class: "bb-button bb-train-clear" });
  return { node: h("div", { class: "bb-train-picture" }, canvas, tool), update };
}

/** The ten names, each over a bar as long as its probability. */
export function answersPart(classes) {
  const bars = classes.map(() => h("span", { class: "bb-train-bar" }));
  const rows = classes.map((name, i) => h("div", { class: "bb-train-answer" }, h("span", {}, name), bars[i]));
  const node = h("div", { class: "bb-train-answers", role: "img" }, ...rows);
  const update = (shares, top) => {
    bars.forEach((bar, i) => bar.style.setProperty("--bb-share", shares[i].toFixed(4)));
    rows.forEach((row, i) => row.classList.toggle("bb-train-top", i === top));
    node.setAttribute("aria-label", fill(TEXT.answers, { name: classes[top], share: percent(shares[top]) }));
  };
  return { node, update };
}

/** Where picture `i` of those kept apart stands: column by column, class by class. */
const placeOf = (i) => [Math.floor(i / ROWS), i % ROWS];

/** All pictures kept apart; those named right are framed, the others fade. A press looks at one. */
export function heldPart(view, pictures, labels, pick) {
  const [all, area] = [h("canvas"), SIDE * SIDE]; // one under the other
  const pixels = new Float32Array(pictures.length * area);
  pictures.forEach((one, i) => pixels.set(one, i * area));
  paintPixels(all, pixels, pictures.length * SIDE, SIDE, gray(1));
  const columns = labels.length / ROWS;
  const [order, local] = [[...labels.keys()].sort((a, b) => labels[a] - labels[b]), { says: [], picture: -1 }];
  const look = { class: "bb-train-held", tabindex: 0, role: "application", "data-part": "held" };
  const { canvas, draw } = sheet(look, `${columns} / ${ROWS}`, (context, width, _, colors) => {
    const size = width / columns;
    order.forEach((picture, i) => {
      const [x, y] = placeOf(i).map((at) => at * size);
      const right = local.says[picture] === labels[picture];
      context.globalAlpha = right ? 1 : 0.35;
      context.drawImage(all, 0, picture * SIDE, SIDE, SIDE, x + 1, y + 1, size - 2, size - 2);
      context.globalAlpha = 1;
      context.strokeStyle = picture === local.picture ? colors.positive : colors.mark;
      context.lineWidth = picture === local.picture ? 3 : 1.5;
      if (right || picture === local.picture) context.strokeRect(x + 1, y + 1, size - 2, size - 2);
    });
  });
  const choose = (at) => {
    local.picture = order[clamp(at, 0, order.length - 1)]; // at once: a second key may come before the next frame
    pick(local.picture);
  };
  drag(view, canvas, (event) => {
    const { left, top, width } = canvas.getBoundingClientRect();
    const [column, row] = [event.clientX - left, event.clientY - top].map((at) => Math.floor((at / width) * columns));
    choose(ROWS * clamp(column, 0, columns - 1) + clamp(row, 0, ROWS - 1));
  });
  keys(view, canvas, ({ key }) => {
    if (!ARROWS[key]) return false;
    const [down, right] = ARROWS[key];
    choose(local.picture < 0 ? 0 : order.indexOf(local.picture) + down + ROWS * right);
  });
  view.onResize(canvas, draw);
  const caption = h("p", { class: "bb-caption" });
  const update = (says, picture, right) => {
    Object.assign(local, { says, picture });
    const state = fill(TEXT.held, { right, count: labels.length });
    write(caption, state);
    canvas.setAttribute("aria-label", fill(TEXT.heldPicture, { state }));
    draw();
  };
  return { node: h("div", { class: "bb-train-apart" }, caption, canvas), update };
}

/** The loss of each step so far, and that of guessing. */
export function lossPart(view, count) {
  let shown = { curve: [], loss: GUESS, last: 1 };
  const { canvas, draw } = sheet({ class: "bb-train-loss", role: "img", "data-part": "loss" }, "auto", (...all) =>
    paintLoss(...all, shown, count),
  );
  view.onResize(canvas, draw);
  const update = (now) => {
    shown = now;
    const told = { count: grouped(count), loss: fixed(now.loss, 2), guess: fixed(GUESS, 2) };
    canvas.setAttribute("aria-label", fill(TEXT.lossChart, told));
    draw();
  };
  return { node: canvas, update };
}

function paintLoss(context, width, height, colors, { curve, loss, last }, count) {
  const [left, foot, head, top] = [22, height - 30, 8, 2.6];
  const x = (pass) => left + (pass / last) * (width - left - 12);
  const y = (value) => foot - (Math.min(value, top) / top) * (foot - head);
  context.textAlign = "end";
  for (const tick of [0, 1, 2]) context.fillText(tick, left - 6, y(tick) + 4);
  context.textAlign = "center";
  context.fillText(0, x(0), foot + 13);
  context.fillText(last, x(last), foot + 13);
  context.fillText(fill(TEXT.passes, { count: grouped(count) }), (x(0) + x(last)) / 2, height - 4, width - left - 30);
  context.textAlign = "start";
  context.font = `600 ${context.font}`;
  context.fillText(TEXT.loss, left + 6, foot - 6);
  context.font = context.font.replace("600 ", "");
  context.textAlign = "end";
  context.fillText(TEXT.guess, width - 8, y(GUESS) - 4);
  context.globalAlpha = 0.5;
  context.fillRect(left, foot, width - left, 1);
  context.setLineDash([4, 4]);
  context.stroke(new Path2D(`M${left} ${y(GUESS)}H${width}`));
  context.setLineDash([]);
  context.globalAlpha = 1;
  context.strokeStyle = context.fillStyle = colors.mark;
  context.lineWidth = 2.5;
  context.lineJoin = "round";
  context.stroke(new Path2D(pathOf(curve.map(([pass, value]) => [x(pass), y(value)]))));
  context.beginPath();
  context.arc(x(curve.at(-1)?.[0] ?? 0), y(loss), 5, 0, 2 * Math.PI);
  context.fill();
}

/** A layer's numbers in a strip of 120 x 20: its filters side by side, or the first of its rows. */
function stripOf(weights, [units, inputs, ...window]) {
  if (!window.length) {
    const [wide, tall] = [Math.min(inputs, WIDE), Math.min(units, TALL)];
    const value = (_, i) => weights[Math.floor(i / wide) * inputs + (i % wide)];
    return { wide, tall, values: Float32Array.from({ length: wide * tall }, value) };
  }
  const wide = 5 * Math.min(units * inputs, WIDE / 5);
  const tall = weights.length / wide;
  const value = (_, i) => {
    const [row, column] = [Math.floor(i / wide), i % wide];
    const filter = (Math.floor(row / 5) * wide) / 5 + Math.floor(column / 5);
    return weights[filter * 25 + (row % 5) * 5 + (column % 5)];
  };
  return { wide, tall, values: Float32Array.from({ length: wide * tall }, value) };
}

/** A row a layer: its name, which is an answer, some of its numbers, and how large its gradient is beside the others'. */
export function layersPart(shapes, buttons) {
  const weights = shapes.filter(([, sizes]) => sizes.length > 1);
  const bounds = [...boundsOf(shapes).values()];
  const strips = weights.map(([name]) => {
    const label = fill(TEXT.strip, { name: name.split(".")[0] });
    return h("canvas", { class: "bb-train-strip", role: "img", "aria-label": label });
  });
  const bars = weights.map(() => h("span", { class: "bb-train-bar" }));
  const rows = weights.flatMap((_, i) => [[...buttons.values()][i], strips[i], bars[i]]);
  const head = [h("span"), h("span", { class: "bb-train-head" }, TEXT.numbersOf), h("span", {}, TEXT.gradientOf)];
  const wait = h("p", { class: "bb-train-wait" }, TEXT.waiting);
  const node = h("div", { class: "bb-train-layers", "data-part": "gradients" }, ...head, ...rows, wait);
  const update = ({ parameters, sizes }, known) => {
    wait.hidden = known;
    const most = Math.max(...(sizes ?? [1]));
    const colors = ["positive", "negative"].map((name) => paletteColor(node, name)); // read before anything is written
    weights.forEach(([name, shape], i) => {
      const { wide, tall, values } = stripOf(parameters[name], shape);
      paintPixels(strips[i], values, tall, wide, signed(2.5 * bounds[i], ...colors));
      bars[i].classList.toggle("bb-train-hidden", !known);
      bars[i].classList.toggle("bb-train-most", known && sizes?.[i] === most);
      bars[i].style.setProperty("--bb-share", known && sizes ? (sizes[i] / most).toFixed(4) : 1);
    });
  };
  return { node, update };
}

/** The learning rate, and the way back to the first weights. */
export function rowPart(view, rates, play, again) {
  const rate = range(TEXT.rate, { min: 0, max: rates.length - 1, step: 1 }, (at) => view.set({ rate: rates[at] }));
  const update = (now) => rate.set(rates.indexOf(now), show(now));
  return { node: controls(play, rate.node, button(TEXT.again, again)), update };
}

/** What the figure can do besides. */
export function morePart(view, { shoe, weights }) {
  const seed = range(TEXT.seed, { min: 0, max: 9, step: 1 }, (at) => view.set({ seed: at }));
  const save = () => {
    const link = h("a", { href: URL.createObjectURL(npyOf(weights())), download: "lenet.npy" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  const row = controls(seed.node, button(TEXT.shoe, shoe), button(TEXT.download, save));
  const look = { class: "bb-numbers", role: "group", tabindex: 0, "aria-label": TEXT.codeLabel };
  const code = h("div", look, h("pre", { class: "bb-train-code" }, TEXT.code));
  return { node: fold(TEXT.more, row, code), update: (now) => seed.set(now) };
}

/** A row a layer: how many numbers, their gradient before the first step and now, and how far they have moved. */
export function numbersPart(shapes, { batch, statistics }) {
  const weights = shapes.filter(([, sizes]) => sizes.length > 1);
  const names = weights.map(([name]) => name.split(".")[0]);
  const rows = table(TEXT.numbers, Object.values(TEXT.columns), names);
  const [mean, std] = statistics.map((one) => show(one));
  const note = h("p", {}, fill(TEXT.note, { batch, mean, std }));
  const node = fold(TEXT.numbers, rows.node, note);
  const update = ({ parameters, first, start, sizes, weights: flat }) => {
    if (!node.open) return;
    const moved = sizesOf(
      viewsOf(
        shapes,
        flat.map((one, i) => one - first[i]),
      ),
    );
    rows.update(
      weights.map(([name], i) => [
        grouped(parameters[name].length),
        ...[start?.[i], sizes?.[i], moved[i]].map((one) => (one === undefined ? "" : fixed(one, 4))),
      ]),
    );
  };
  return { node, update };
}
