import { clamp, drag, fill, gray, h, paintPixels, percent, show, sliderKeys, ticksOf, told, write } from "../kit.js";
import { sheet } from "../canvas.js";
import { averageOf, beside, binned, countAbove, rankOf } from "./maths.js";
import { TEXT } from "./text.js";

const BINS = 48;
const FACES = 46; // pixels of height for the pictures under the scores

/** "12.3 %", with more digits where little is left. */
export const rate = (share) => percent(share, 1, 2);

// ---- The scores ---------------------------------------------------------------------------------------------

/** Positives upward, negatives downward, on one axis of scores; what lies left of the threshold fades. */
function paintHistogram(context, width, height, colors, { bars, low, high, positive, score }, line) {
  const foot = height - 18;
  const middle = 0.62 * foot;
  const top = Math.max(...bars.positives, ...bars.negatives);
  const x = (score) => ((score - low) / (high - low)) * width;
  const draw = (shares, color, sign) => {
    context.fillStyle = color;
    shares.forEach((share, i) => {
      if (!share) return;
      const tall = Math.max(1.5, (share / top) * (middle - 16));
      const [left, right] = [(i * width) / BINS + 0.5, ((i + 1) * width) / BINS - 0.5];
      const cut = clamp(line, left, right);
      const y = sign > 0 ? middle - tall : middle;
      context.globalAlpha = 0.3;
      context.fillRect(left, y, cut - left, tall);
      context.globalAlpha = 1;
      context.fillRect(cut, y, right - cut, tall);
    });
  };
  draw(bars.positives, colors.positive, 1);
  draw(bars.negatives, colors.negative, -1);
  context.fillStyle = colors.ink;
  context.fillRect(0, middle - 0.5, width, 1);
  context.textBaseline = "top";
  context.fillText(told(positive), 4, 2);
  context.textBaseline = "bottom";
  context.fillText(TEXT.others, 4, foot - 2);
  const name = fill(TEXT.axis, { score });
  const ends = line > width - 16 - context.measureText(name).width ? line - 8 : width - 4; // not across the line
  context.textAlign = "right";
  context.fillText(name, ends, foot - 2);
  context.textBaseline = "alphabetic";
  for (const tick of ticksOf(low, high, 6)) {
    context.textAlign = "center";
    const at = clamp(x(tick), 10, width - 10);
    context.fillText(show(tick), at, height - 3);
    context.globalAlpha = 0.5;
    context.fillRect(x(tick) - 0.5, foot - 3, 1, 4);
    context.globalAlpha = 1;
  }
  context.textBaseline = "top";
  paintSides(context, width, line, positive);
}

function paintSides(context, width, line, positive) {
  const wide = (text) => context.measureText(text).width;
  const called = fill(TEXT.called, { positive });
  const place = beside(line, width, wide(told(positive)), wide(called), wide(TEXT.notCalled));
  context.textAlign = place.called ? "left" : "right";
  context.fillText(place.called ? called : TEXT.notCalled, place.x, 2);
  context.textAlign = "left";
}

/** Pictures in the order of their scores, each with a thread to its own, those at or above the threshold to the right. */
function paintFaces(context, top, width, colors, { faces, threshold, line, low, high }) {
  const rank = rankOf(faces.scores, threshold);
  const size = FACES - 10;
  context.imageSmoothingEnabled = false;
  faces.canvases.forEach((face, i) => {
    const x = line - (i + 0.5 - rank) * (size + 6) - size / 2;
    if (x < -size || x > width) return;
    const called = i < countAbove(faces.scores, threshold);
    const place = ((faces.scores[i] - low) / (high - low)) * width;
    context.globalAlpha = 0.3;
    context.lineWidth = 1;
    context.strokeStyle = colors.ink;
    context.stroke(new Path2D(`M${place} ${top - 18}L${x + size / 2} ${top + 4}`));
    context.globalAlpha = called ? 1 : 0.45;
    context.drawImage(face, x, top + 4, size, size);
    context.strokeStyle = faces.truth[i] ? colors.positive : colors.negative;
    context.lineWidth = 3;
    context.strokeRect(x, top + 4, size, size);
    context.globalAlpha = 1;
  });
}

function paintLine(context, line, middle, foot, color) {
  context.fillStyle = color;
  context.fillRect(line - 1.25, 0, 2.5, foot);
  context.beginPath();
  context.arc(line, middle, 9, 0, 2 * Math.PI);
  context.fill();
}

/** A picture as a canvas of its own, to be painted again and again. */
function canvasOf(pixels, [, height, width]) {
  const canvas = h("canvas");
  paintPixels(canvas, pixels, height, width, gray(255));
  return canvas;
}

/** The scores with their line, which is the handle, and the pictures that cross it. */
export function scoresPart(view, { positives, negatives, positive, score, faces }, moveTo, now) {
  const ends = [Math.min(positives.at(-1), negatives.at(-1)), Math.max(positives[0], negatives[0])];
  const room = (ends[1] - ends[0] || 1) * 0.02;
  const [low, high] = [ends[0] - room, ends[1] + room];
  const bars = { positives: binned(positives, low, high, BINS), negatives: binned(negatives, low, high, BINS) };
  const strip = { ...faces, canvases: faces.pixels.map((pixels) => canvasOf(pixels, faces.shape)) };
  const under = strip.canvases.length ? FACES : 0;
  const look = {
    class: "bb-th-scores",
    tabindex: 0,
    role: "slider",
    "data-part": "line",
    "aria-label": fill(TEXT.histogram, { score }),
    "aria-valuemin": low.toFixed(5),
    "aria-valuemax": high.toFixed(5),
  };
  const { canvas, draw } = sheet(look, under ? "684 / 216" : "684 / 170", (context, width, height, colors) => {
    const threshold = now();
    const line = clamp(((threshold - low) / (high - low)) * width, 1, width - 1);
    const tall = height - under;
    paintHistogram(context, width, tall, colors, { bars, low, high, positive, score }, line);
    paintFaces(context, tall, width, colors, { faces: strip, threshold, line, low, high });
    paintLine(context, line, 0.62 * (tall - 18), height, colors.mark);
  });
  const put = (threshold) => moveTo(clamp(Number(threshold.toPrecision(4)), low, high));
  drag(view, canvas, (event) => {
    const box = canvas.getBoundingClientRect();
    put(low + ((event.clientX - box.left) / box.width) * (high - low));
  });
  sliderKeys(view, canvas, { low, high, step: Number(((high - low) / 200).toPrecision(1)) }, now, put);
  view.onResize(canvas, draw);
  const update = () => {
    canvas.setAttribute("aria-valuenow", now().toFixed(5));
    canvas.setAttribute("aria-valuetext", show(now(), 2));
    draw();
  };
  return { node: canvas, update };
}

// ---- The two bars -------------------------------------------------------------------------------------------

/** A bar of two parts, each with its name on it. */
export function barPart(title, [one, other], part) {
  const halves = [one, other].map(([look, text]) => h("span", { class: `bb-th-${look}` }, text));
  const node = h(
    "div",
    { "data-part": part },
    h("span", { class: "bb-th-barname" }, title),
    h("div", { class: "bb-th-bar" }, ...halves),
  );
  const update = (share, empty = false) => {
    [share, 1 - share].forEach((size, i) => (halves[i].style.flexGrow = empty ? 0 : size));
    node.classList.toggle("bb-th-none", empty);
  };
  return { node, update };
}

// ---- The curves ---------------------------------------------------------------------------------------------

const PAD = { left: 30, right: 8, top: 8, bottom: 34 };

/** A curve in the unit square with its point; `stepped` where no straight line may be drawn. */
function paintCurve(context, width, height, colors, { points, point, xLabel, yLabel, level }) {
  const [wide, tall] = [width - PAD.left - PAD.right, height - PAD.top - PAD.bottom];
  const x = (value) => PAD.left + value * wide;
  const y = (value) => PAD.top + (1 - value) * tall;
  context.globalAlpha = 0.3;
  context.lineWidth = 1;
  context.strokeRect(x(0), y(1), wide, tall);
  context.setLineDash([4, 4]);
  context.globalAlpha = 0.6;
  context.beginPath();
  context.moveTo(x(0), y(level[0]));
  context.lineTo(x(1), y(level[1]));
  context.stroke();
  context.setLineDash([]);
  context.globalAlpha = 1;
  context.textBaseline = "top";
  for (const [at, text] of [
    [0, "0"],
    [1, "1"],
  ]) {
    context.textAlign = at ? "right" : "left";
    context.fillText(text, x(at), height - PAD.bottom + 3);
  }
  context.textAlign = "center";
  context.fillText(xLabel, x(0.5), height - 16);
  context.textAlign = "right";
  context.textBaseline = "middle";
  context.fillText("1", PAD.left - 4, y(1) + 5);
  context.save();
  context.translate(9, y(0.5));
  context.rotate(-Math.PI / 2);
  context.textAlign = "center";
  context.fillText(yLabel, 0, 0);
  context.restore();
  context.strokeStyle = colors.ink;
  context.lineWidth = 2;
  context.lineJoin = "round";
  context.beginPath();
  points.forEach(([right, up], i) => (i ? context.lineTo(x(right), y(up)) : context.moveTo(x(right), y(up))));
  context.stroke();
  context.fillStyle = colors.mark;
  context.beginPath();
  context.arc(x(point[0]), y(point[1]), 6.5, 0, 2 * Math.PI);
  context.fill();
  context.textAlign = "left";
}

/** Both curves with their points, redrawn when `update` gives what is now. */
export function curvesPart(view, curve, area) {
  let shown;
  const plot = (kind) => sheet({ role: "img" }, "1 / 0.7", (...sheetOf) => paintCurve(...sheetOf, kind(shown)));
  const roc = plot(({ at }) => ({
    points: curve.map(({ alarms, recall }) => [alarms, recall]),
    point: [at.alarms, at.recall],
    xLabel: TEXT.alarms,
    yLabel: TEXT.recall,
    level: [0, 1],
  }));
  const pr = plot(({ at, precisions, prevalence }) => ({
    points: stepsOf(curve, precisions),
    point: [at.recall, at.precision],
    xLabel: TEXT.recall,
    yLabel: TEXT.precision,
    level: [prevalence, prevalence],
  }));
  const captions = [h("div", { class: "bb-caption" }), h("div", { class: "bb-caption" })];
  for (const { canvas, draw } of [roc, pr]) view.onResize(canvas, () => shown && draw());
  const panels = [roc, pr].map(({ canvas }, i) => h("div", { class: "bb-panel" }, canvas, captions[i]));
  const update = (now) => {
    shown = now;
    const [alarms, recall, precision] = [now.at.alarms, now.at.recall, now.at.precision].map(rate);
    write(captions[0], fill(TEXT.rocCaption, { area: area.toFixed(4) }));
    write(captions[1], fill(TEXT.prCaption, { area: averageOf(curve, now.precisions).toFixed(4) }));
    roc.canvas.setAttribute("aria-label", fill(TEXT.rocLabel, { alarms, recall }));
    pr.canvas.setAttribute("aria-label", fill(TEXT.prLabel, { recall, precision }));
    roc.draw();
    pr.draw();
  };
  return { node: h("div", { class: "bb-pair" }, ...panels), update };
}

/** Steps: from one point to the next, the precision of the later one. */
function stepsOf(curve, precisions) {
  return curve.slice(1).flatMap(({ recall }, i) => [
    [curve[i].recall, precisions[i + 1]],
    [recall, precisions[i + 1]],
  ]);
}
