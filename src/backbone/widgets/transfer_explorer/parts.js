import { clamp, drag, dropdown, entries, fill, gray, h, keys, paintPixels, percent, sliderKeys } from "../kit.js";
import { ticksOf, told } from "../kit.js";
import { sheet, spot } from "../canvas.js";
import { drawsOf, pictureAt } from "./maths.js";
import { TEXT } from "./text.js";

const SIDES = { left: "positive", right: "negative" };
const PAD = { left: 44, right: 14, top: 8, bottom: 42 };
const RATIO = "5 / 3"; // of five classes with three pictures each

/** Every test picture as a canvas of its own, to be painted again and again. */
export function canvasesOf(pictures) {
  const [, height, width] = pictures.shape;
  return entries(pictures).map((pixels) => {
    const canvas = h("canvas");
    paintPixels(canvas, pixels, height, width, gray(15));
    return canvas;
  });
}

/** Pictures column by column; those answered wrong fade, under the name of the answer. */
function paintPane(context, width, height, colors, { side, canvases, truths, answers, names, each, picked }) {
  const columns = canvases.length / each;
  const size = Math.min(width / columns, height / each);
  context.imageSmoothingEnabled = false;
  context.font = context.font.replace(/^\d+px/, "12px");
  canvases.forEach((canvas, i) => {
    const [x, y] = [Math.floor(i / each) * size, (i % each) * size];
    const right = answers[i] === truths[i];
    context.globalAlpha = right ? 1 : 0.3;
    context.drawImage(canvas, x + 2, y + 2, size - 4, size - 4);
    context.globalAlpha = 1;
    context.lineWidth = i === picked ? 4 : right ? 2 : 0;
    context.strokeStyle = i === picked ? colors.mark : colors[SIDES[side]];
    if (context.lineWidth && (right || i === picked)) context.strokeRect(x + 2, y + 2, size - 4, size - 4);
    if (!right && size > 56) {
      context.textAlign = "center";
      context.fillText(told(names[answers[i]]), x + size / 2, y + size / 2 + 4, size - 6);
    }
  });
}

/** One network: its name, which is a list to choose from, and its answers to the pictures. */
export function panePart(view, model, { side, ways, nameOf, pick, each }) {
  const choose = dropdown(
    TEXT[side],
    ways.map((way) => [way, nameOf(way)]),
    (way) => view.set({ [side]: way }),
  );
  let shown;
  const look = { class: "bb-tr-pane", role: "img", tabindex: 0, "data-part": side };
  const { canvas, draw } = sheet(look, RATIO, (...sheetOf) => shown && paintPane(...sheetOf, { ...shown, side, each }));
  const over = (event) => {
    const box = canvas.getBoundingClientRect();
    const place = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    pick(pictureAt(...place, shown.canvases.length / each, each));
  };
  view.listen(canvas, "pointermove", over);
  view.listen(canvas, "pointerdown", over);
  view.listen(canvas, "pointerleave", () => pick(null));
  keys(view, canvas, ({ key }) => {
    const step = { ArrowUp: -1, ArrowDown: 1, ArrowLeft: -each, ArrowRight: each }[key];
    if (key === "Escape") return pick(null);
    if (!step) return false;
    const next = (shown.picked ?? -step) + step;
    if (next in shown.canvases) shown.picked = next; // at once: a second key may come before the next frame
    pick(shown.picked);
  });
  view.onResize(canvas, draw);
  const update = (now) => {
    shown = now;
    choose.set(model.get(side));
    const right = now.answers.filter((answer, i) => answer === now.truths[i]).length;
    const told = { way: nameOf(model.get(side)), right, count: now.truths.length };
    canvas.setAttribute("aria-label", fill(TEXT.pane, told));
    draw();
  };
  return { node: h("div", { class: "bb-panel" }, choose.node, canvas), update };
}

/** The accuracy of both networks by labels a class, this draw's lines thick; the line that is dragged. */
function paintChart(context, width, height, colors, { accuracy, counts, at, draw, ways, range }) {
  const [wide, foot] = [width - PAD.left - PAD.right, height - PAD.bottom];
  const x = (i) => PAD.left + (i / (counts.length - 1)) * wide;
  const y = (value) => foot - ((value - range[0]) / (range[1] - range[0])) * (foot - PAD.top);
  context.textAlign = "end";
  for (const tick of ticksOf(...range, 3)) {
    context.globalAlpha = 0.25;
    context.fillRect(PAD.left, y(tick) - 0.5, wide, 1);
    context.globalAlpha = 1;
    context.fillText(percent(tick / 100), PAD.left - 5, y(tick) + 4);
  }
  context.textAlign = "center";
  counts.forEach((count, i) => context.fillText(count, x(i), foot + 21));
  context.fillText(TEXT.chart, PAD.left + wide / 2, height - 5);
  context.fillStyle = colors.mark;
  context.fillRect(x(at) - 1.25, PAD.top, 2.5, foot - PAD.top);
  context.beginPath();
  context.arc(x(at), foot, 8, 0, 2 * Math.PI);
  context.fill();
  context.lineJoin = "round";
  for (const [side, color] of Object.entries(SIDES)) {
    const rows = counts.map((_, i) => drawsOf(accuracy, ways[side], i));
    context.strokeStyle = context.fillStyle = colors[color];
    rows[0].forEach((_, one) => {
      context.lineWidth = one === draw ? 3 : 1;
      context.globalAlpha = one === draw ? 1 : 0.3;
      context.beginPath();
      rows.forEach((row, i) => context[i ? "lineTo" : "moveTo"](x(i), y(row[one])));
      context.stroke();
    });
    context.globalAlpha = 1;
    context.beginPath();
    context.arc(x(at), y(rows[at][draw]), 5, 0, 2 * Math.PI);
    context.fill();
  }
}

/** The handle, how many labels a class, on the curves of both networks. */
export function chartPart(view, { accuracy, counts }, now, moveTo) {
  const values = accuracy.data;
  const range = [Math.floor(Math.min(...values) / 10) * 10, Math.min(100, Math.ceil(Math.max(...values) / 10) * 10)];
  const last = counts.length - 1;
  const look = { class: "bb-tr-chart", role: "slider", tabindex: 0, "aria-label": TEXT.chart, "data-part": "labels" };
  let shown;
  const paint = (...sheetOf) => shown && paintChart(...sheetOf, { ...shown, accuracy, counts, range });
  const { canvas, draw } = sheet({ ...look, "aria-valuemin": 0, "aria-valuemax": last }, "auto", paint);
  const put = (at) => moveTo(clamp(Math.round(at), 0, last));
  drag(view, canvas, (event) => {
    const { x, width } = spot(canvas, event);
    put(((x - PAD.left) / (width - PAD.left - PAD.right)) * last);
  });
  sliderKeys(view, canvas, { low: 0, high: last, step: 1 }, now, put);
  view.onResize(canvas, draw);
  const update = (state, text) => {
    shown = state;
    canvas.setAttribute("aria-valuenow", state.at);
    canvas.setAttribute("aria-valuetext", text);
    draw();
  };
  return { node: canvas, update };
}
