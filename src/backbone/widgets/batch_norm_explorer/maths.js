// What the batch normalization explorer computes: pure functions, tested against PyTorch.

import { clamp } from "../kit.js";

export const LIMIT = 9; // of the inputs' axis

/** Keep a value on the axis, in tenths. */
export function snap(value) {
  return Math.round(10 * clamp(value, -LIMIT, LIMIT)) / 10;
}

/** Sum, mean, sum of squared deviations, and both variances; the unbiased one of a single value is NaN. */
export function statistics(x) {
  const sum = x.reduce((all, value) => all + value, 0);
  const mean = sum / x.length;
  const squares = x.reduce((all, value) => all + (value - mean) ** 2, 0);
  return { sum, mean, squares, biased: squares / x.length, unbiased: squares / (x.length - 1) };
}

/** The mean and the variance to normalize by: the batch's in training, the running ones in evaluation. */
export function used(x, { training, mean, variance }) {
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

/** An equation in pieces: those that are computed are kept apart, so that only they are rewritten. */
export const equals = (value, digits) => (Number(value.toFixed(digits)) === Number(value.toPrecision(12)) ? "=" : "≈");
