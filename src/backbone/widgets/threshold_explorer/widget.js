import {
  array,
  body,
  button,
  controls,
  drag,
  fill,
  fixed,
  grouped,
  h,
  hint,
  percent,
  range,
  show,
  sliderKeys,
  speaker,
  ticksOf,
  widget,
  write,
} from "../kit.js";
import { sheet } from "../canvas.js";

const TEXT = {
  title: "Threshold explorer",
  histogram: "Scores, {score}. Drag, or use the arrow keys, to move the threshold.",
  threshold: "Threshold {value} ({score})",
  hint: "Drag the green line, or use the arrow keys on it.",
  prevalence: "Prevalence: how common {positive} are among all pictures",
  prevalenceValue: "{share}, one in {count}",
  measured: "As measured",
  best: "Best F1",
  called: "called {positive} →",
  notCalled: "← not called",
  others: "all others",
  per: "Of {total} pictures",
  counts: ["{positive}, found", "{positive}, missed", "others, called so", "others, left alone"],
  recallBar: "All {positive}: found or missed",
  precisionBar: "All that are called {positive}: right or wrong",
  nothingCalled: "nothing is called",
  recall: "recall",
  precision: "precision",
  f1: "F1",
  accuracy: "accuracy",
  alarms: "false positive rate",
  rocCaption: "ROC, area {area}",
  prCaption: "precision–recall, average {area}",
  rocLabel: "ROC curve. The point is at false positive rate {alarms}, recall {recall}.",
  prLabel: "Precision-recall curve. The point is at recall {recall}, precision {precision}.",
  spoken: "Threshold {threshold}: recall {recall}, precision {precision}.",
  never: "A network that finds none of the {positive}, and raises no alarm, has an accuracy of {accuracy}.",
};
const TOTAL = 10000; // the counts are for so many pictures, so that one in a thousand is ten whole ones
const BINS = 48;
const [RAREST, MOST] = [0.001, 0.9];
const STEPS = 200; // of the prevalence slider

// ---- Maths: pure functions, tested against Python -------------------------------------------------------------

/** How many of the falling scores are at or above the threshold. */
export function countAbove(scores, threshold) {
  let [low, high] = [0, scores.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (scores[middle] >= threshold) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Rates at one threshold, and what follows from them at a prevalence. 0 / 0 of the precision is 1, as on its curve. */
export function scoresAt(positives, negatives, threshold, prevalence) {
  const recall = countAbove(positives, threshold) / positives.length;
  const alarms = countAbove(negatives, threshold) / negatives.length;
  const [hits, falseAlarms] = [recall * prevalence, alarms * (1 - prevalence)];
  const precision = hits + falseAlarms ? hits / (hits + falseAlarms) : 1;
  return {
    recall,
    alarms,
    precision,
    f1: (2 * hits) / (hits + falseAlarms + prevalence),
    accuracy: hits + 1 - prevalence - falseAlarms,
    // found, missed, called so, left alone
    shares: [hits, prevalence - hits, falseAlarms, 1 - prevalence - falseAlarms],
  };
}

/** Every distinct score as a threshold, from strict to lenient, the first above all of them. */
export function curveOf(positives, negatives) {
  const points = [{ threshold: Infinity, recall: 0, alarms: 0 }];
  let [i, j] = [0, 0];
  while (i < positives.length || j < negatives.length) {
    const threshold = Math.max(positives[i] ?? -Infinity, negatives[j] ?? -Infinity);
    while (positives[i] === threshold) i++;
    while (negatives[j] === threshold) j++;
    points.push({ threshold, recall: i / positives.length, alarms: j / negatives.length });
  }
  return points;
}

/** The curve with its precisions at a prevalence. */
export function withPrecision(curve, prevalence) {
  return curve.map(({ recall, alarms }) => {
    const [hits, wrong] = [recall * prevalence, alarms * (1 - prevalence)];
    return hits + wrong ? hits / (hits + wrong) : 1;
  });
}

/** Area under the ROC curve, by trapezoids. */
export function areaOf(curve) {
  return curve
    .slice(1)
    .reduce((sum, { alarms, recall }, i) => sum + ((alarms - curve[i].alarms) * (recall + curve[i].recall)) / 2, 0);
}

/** Average precision: no straight lines between the points. */
export function averageOf(curve, precisions) {
  return curve.slice(1).reduce((sum, { recall }, i) => sum + (recall - curve[i].recall) * precisions[i + 1], 0);
}

/** The threshold with the largest F1 at a prevalence, in the middle between two scores where that changes nothing. */
export function bestF1(curve, prevalence) {
  const f1 = ({ recall, alarms }) =>
    (2 * recall * prevalence) / (recall * prevalence + alarms * (1 - prevalence) + prevalence);
  let best = 1;
  curve.forEach((point, i) => i && f1(point) > f1(curve[best]) && (best = i));
  const next = curve[best + 1];
  return next ? (curve[best].threshold + next.threshold) / 2 : curve[best].threshold;
}

/** Shares of the scores in bins of equal width; the last bin holds its upper edge. */
export function binned(scores, low, high, count) {
  const bins = new Float64Array(count);
  for (const score of scores)
    bins[Math.min(count - 1, Math.max(0, Math.floor(((score - low) / (high - low)) * count)))] += 1 / scores.length;
  return bins;
}

/** Whole counts that sum to the total: shares rounded down, the largest rests first. */
export function wholeCounts(shares, total) {
  const counts = shares.map((share) => Math.floor(share * total + 1e-9));
  const rest = shares.map((share, i) => [share * total - counts[i], i]).sort(([one], [other]) => other - one);
  let left = total - counts.reduce((all, count) => all + count, 0);
  for (const [, i] of rest) if (left-- > 0) counts[i]++;
  return counts;
}

/** The slider of the prevalence is logarithmic in the odds, for the rare shares are the ones that matter. */
const odds = (share) => Math.log(share / (1 - share));
export const toStep = (share) => (STEPS * (odds(share) - odds(RAREST))) / (odds(MOST) - odds(RAREST));
export function toShare(step) {
  const share = 1 / (1 + Math.exp(-(odds(RAREST) + (step / STEPS) * (odds(MOST) - odds(RAREST)))));
  const digits = share < 0.01 ? 4 : 3; // shares that can be read
  return Math.min(MOST, Math.max(RAREST, Number(share.toFixed(digits))));
}

/** "12.3 %", with more digits where little is left. */
const rate = (share) => percent(share, 1, 2);

// ---- Drawing ------------------------------------------------------------------------------------------------

/** Positives upward, negatives downward, on one axis of scores; what lies left of the threshold fades. */
function paintHistogram(context, width, height, colors, { bars, low, high, threshold, positive }) {
  const foot = height - 18;
  const middle = 0.62 * foot;
  const top = Math.max(...bars.positives, ...bars.negatives);
  const x = (score) => ((score - low) / (high - low)) * width;
  const line = Math.min(Math.max(x(threshold), 1), width - 1);
  const draw = (shares, color, sign) => {
    context.fillStyle = color;
    shares.forEach((share, i) => {
      if (!share) return;
      const tall = Math.max(1.5, (share / top) * (middle - 16));
      const [left, right] = [(i * width) / BINS + 0.5, ((i + 1) * width) / BINS - 0.5];
      const cut = Math.min(Math.max(line, left), right);
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
  context.fillText(positive, 4, 2);
  context.textBaseline = "bottom";
  context.fillText(TEXT.others, 4, foot - 2);
  context.textBaseline = "alphabetic";
  for (const tick of ticksOf(low, high, 6)) {
    context.textAlign = "center";
    const at = Math.min(Math.max(x(tick), 10), width - 10);
    context.fillText(show(tick), at, height - 3);
    context.globalAlpha = 0.5;
    context.fillRect(x(tick) - 0.5, foot - 3, 1, 4);
    context.globalAlpha = 1;
  }
  context.fillStyle = colors.mark;
  context.fillRect(line - 1.25, 0, 2.5, foot);
  context.beginPath();
  context.arc(line, middle, 8, 0, 2 * Math.PI);
  context.fill();
  context.textBaseline = "top";
  const wide = (text) => context.measureText(text).width;
  const called = fill(TEXT.called, { positive });
  const place = beside(line, width, wide(positive), wide(called), wide(TEXT.notCalled));
  context.textAlign = place.called ? "left" : "right";
  context.fillStyle = colors.ink;
  context.fillText(place.called ? called : TEXT.notCalled, place.x, 2);
  context.textAlign = "left";
}

/** Where the word beside the threshold stands: to its right while there is room, and never on the name of the positives. */
export function beside(line, width, name, called, notCalled) {
  const right = Math.max(line + 8, name + 16);
  if (right + called <= width) return { called: true, x: right };
  return { called: false, x: Math.max(line - 8, name + 16 + notCalled) };
}

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

// ---- The view -----------------------------------------------------------------------------------------------

/** A bar in two parts, each with its share written on it. */
function splitBar(label, first, second) {
  const name = h("div", { class: "bb-th-barname" });
  const [one, other] = [h("span", { class: `bb-th-${first}` }), h("span", { class: `bb-th-${second}` })];
  const node = h("div", {}, name, h("div", { class: "bb-th-bar" }, one, other));
  const update = (share, text, empty) => {
    write(name, `${label}${text}`);
    one.style.flexGrow = empty ? 0 : share;
    other.style.flexGrow = empty ? 0 : 1 - share;
  };
  return { node, update };
}

export default widget(["threshold", "prevalence"], (view, model) => {
  const [positives, negatives] = ["positives", "negatives"].map((name) => array(model, name).data);
  const [positive, score] = [model.get("positive"), model.get("score")];
  const curve = curveOf(positives, negatives);
  const area = areaOf(curve);
  const measured = positives.length / (positives.length + negatives.length);
  const ends = [Math.min(positives.at(-1), negatives.at(-1)), Math.max(positives[0], negatives[0])];
  const room = (ends[1] - ends[0] || 1) * 0.02;
  const [low, high] = [ends[0] - room, ends[1] + room];
  const bars = { positives: binned(positives, low, high, BINS), negatives: binned(negatives, low, high, BINS) };
  const step = Number(((high - low) / 200).toPrecision(1));
  let shown; // what the canvases paint
  const moveTo = (threshold) =>
    view.set({ threshold: Math.min(Math.max(Number(threshold.toPrecision(4)), low), high) });

  const histogram = sheet(
    {
      class: "bb-th-histogram",
      tabindex: 0,
      role: "slider",
      "aria-label": fill(TEXT.histogram, { score }),
      "aria-valuemin": low.toFixed(5),
      "aria-valuemax": high.toFixed(5),
    },
    "684 / 170",
    (context, width, height, colors) =>
      paintHistogram(context, width, height, colors, { bars, low, high, positive, threshold: shown.threshold }),
  );
  const roc = sheet({ role: "img" }, "1 / 0.78", (context, width, height, colors) =>
    paintCurve(context, width, height, colors, {
      points: curve.map(({ alarms, recall }) => [alarms, recall]),
      point: [shown.at.alarms, shown.at.recall],
      xLabel: TEXT.alarms,
      yLabel: TEXT.recall,
      level: [0, 1],
    }),
  );
  const pr = sheet({ role: "img" }, "1 / 0.78", (context, width, height, colors) =>
    paintCurve(context, width, height, colors, {
      // Steps: from one point to the next, the precision of the later one.
      points: curve.flatMap(({ recall }, i) =>
        i
          ? [
              [curve[i - 1].recall, shown.precisions[i]],
              [recall, shown.precisions[i]],
            ]
          : [],
      ),
      point: [shown.at.recall, shown.at.precision],
      xLabel: TEXT.recall,
      yLabel: TEXT.precision,
      level: [shown.prevalence, shown.prevalence],
    }),
  );
  const place = h("p", { class: "bb-th-place" });
  const prevalence = range(fill(TEXT.prevalence, { positive }), { min: 0, max: STEPS, step: 1 }, (at) =>
    view.set({ prevalence: toShare(at) }),
  );
  const asMeasured = button(TEXT.measured, () => view.set({ prevalence: Math.min(Math.max(measured, RAREST), MOST) }));
  const best = button(TEXT.best, () => view.set({ threshold: bestF1(curve, model.get("prevalence")) }));
  const cells = [0, 1, 2, 3].map((i) => h("td", { class: `bb-th-${["found", "missed", "alarm", "rest"][i]}` }));
  const label = (i) => h("th", { scope: "row" }, fill(TEXT.counts[i], { positive }));
  const counts = h(
    "table",
    { class: "bb-th-counts" },
    h("caption", {}, fill(TEXT.per, { total: grouped(TOTAL) })),
    h("tbody", {}, ...[0, 1, 2, 3].map((i) => h("tr", {}, label(i), cells[i]))),
  );
  const numbers = Object.fromEntries(
    ["recall", "precision", "f1", "accuracy", "alarms"].map((name) => [name, h("strong")]),
  );
  const list = h(
    "div",
    { class: "bb-th-numbers" },
    ...Object.entries(numbers).map(([name, node]) => h("p", {}, `${TEXT[name]} `, node)),
  );
  const recallBar = splitBar(fill(TEXT.recallBar, { positive }), "found", "missed");
  const precisionBar = splitBar(fill(TEXT.precisionBar, { positive }), "found", "alarm");
  const never = hint();
  const live = speaker(view);
  const captions = { roc: h("div", { class: "bb-caption" }), pr: h("div", { class: "bb-caption" }) };

  const paint = () => {
    const share = model.get("prevalence");
    const at = scoresAt(positives, negatives, model.get("threshold"), share);
    const precisions = withPrecision(curve, share);
    shown = { threshold: model.get("threshold"), prevalence: share, at, precisions };
    const empty = at.recall + at.alarms === 0;
    const [alarms, recall, precision] = [at.alarms, at.recall, at.precision].map(rate);
    write(place, fill(TEXT.threshold, { value: fixed(shown.threshold, 2), score }));
    histogram.canvas.setAttribute("aria-valuenow", shown.threshold.toFixed(5));
    histogram.canvas.setAttribute("aria-valuetext", show(shown.threshold, 2));
    prevalence.set(toStep(share), fill(TEXT.prevalenceValue, { share: rate(share), count: show(1 / share, 1) }));
    wholeCounts(at.shares, TOTAL).forEach((count, i) => write(cells[i], grouped(count)));
    const texts = {
      recall,
      precision: empty ? "–" : precision,
      f1: at.f1.toFixed(3),
      accuracy: rate(at.accuracy),
      alarms,
    };
    for (const [name, node] of Object.entries(numbers)) write(node, texts[name]);
    recallBar.update(at.recall, `: ${recall}`, false);
    precisionBar.update(at.precision, `: ${empty ? TEXT.nothingCalled : precision}`, empty);
    write(never, fill(TEXT.never, { positive, accuracy: rate(1 - share) }));
    write(captions.roc, fill(TEXT.rocCaption, { area: area.toFixed(4) }));
    write(captions.pr, fill(TEXT.prCaption, { area: averageOf(curve, precisions).toFixed(4) }));
    roc.canvas.setAttribute("aria-label", fill(TEXT.rocLabel, { alarms, recall }));
    pr.canvas.setAttribute("aria-label", fill(TEXT.prLabel, { recall, precision }));
    for (const { draw } of [histogram, roc, pr]) draw();
    live.say(fill(TEXT.spoken, { threshold: show(shown.threshold, 2), recall, precision }));
  };

  drag(view, histogram.canvas, (event) => {
    const box = histogram.canvas.getBoundingClientRect();
    moveTo(low + ((event.clientX - box.left) / box.width) * (high - low));
  });
  sliderKeys(view, histogram.canvas, { low, high, step }, () => model.get("threshold"), moveTo);
  for (const { canvas, draw } of [histogram, roc, pr]) view.onResize(canvas, draw);

  const panel = (canvas, caption) => h("div", { class: "bb-panel" }, canvas, caption);
  const root = body(
    "bb-th",
    TEXT.title,
    histogram.canvas,
    h("div", { class: "bb-controls bb-th-under" }, place, best, hint(TEXT.hint)),
    controls(prevalence.node, asMeasured),
    recallBar.node,
    precisionBar.node,
    h("div", { class: "bb-th-middle" }, counts, h("div", {}, list, never)),
    h("div", { class: "bb-pair" }, panel(roc.canvas, captions.roc), panel(pr.canvas, captions.pr)),
    live.node,
  );
  return { root, paint };
});
