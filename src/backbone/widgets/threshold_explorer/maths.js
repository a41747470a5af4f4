// What the threshold explorer computes: pure functions, tested against Python.

import { clamp } from "../kit.js";

export const RAREST = 0.001;
export const MOST = 0.9;
export const STEPS = 200; // of the prevalence slider

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
    bins[clamp(Math.floor(((score - low) / (high - low)) * count), 0, count - 1)] += 1 / scores.length;
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
  return clamp(Number(share.toFixed(digits)), RAREST, MOST);
}

/** Where among falling scores a threshold lies: how many are at or above it, and how far on the way to the next. */
export function rankOf(scores, threshold) {
  const above = countAbove(scores, threshold);
  const [over, under] = [scores[above - 1], scores[above]];
  if (over === undefined || under === undefined) return above;
  return above + (over - threshold) / (over - under) - 0.5;
}

/** Where the word beside the threshold stands: to its right while there is room, and never on the name of the positives. */
export function beside(line, width, name, called, notCalled) {
  const right = Math.max(line + 8, name + 16);
  if (right + called <= width) return { called: true, x: right };
  return { called: false, x: Math.max(line - 8, name + 16 + notCalled) };
}
