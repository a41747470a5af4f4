import { powerOfTen } from "../kit.js";
import { steepest } from "../activations.js";
// What the activation explorer computes: pure functions, tested against Python.

export const DEEPEST = 50;
export const REACH = 4; // of the values that come in
export const FOOT = -1.4; // of the values that go out, at the lower edge of the picture
export const TOP = 2.6;
export const TINY = -40; // of products, as powers of 10
export const HUGE = 12;

/** The way of one input: what comes into each layer, the factors, and log10 of the product's size after each. */
export function wayOf({ value, derivative }, input, layers, weight, bias) {
  const way = { values: [input], factors: [], logs: [0] };
  for (let n = 0; n < layers; n++) {
    const sum = weight * way.values[n] + bias;
    const slope = derivative(sum);
    way.factors.push(weight * slope);
    way.logs.push(way.logs[n] + Math.log10(Math.abs(weight * slope)));
    way.values.push(value(sum));
  }
  return way;
}

/** The slope below which a neuron is saturated: a tenth of the activation's largest. */
const flatBelow = (functions) => steepest(functions) / 10;

/** All inputs through `layers`: for each depth the values, log10 of the products, and what is saturated there. */
export function spread(functions, inputs, layers, weight, bias) {
  const { value, derivative } = functions;
  const least = flatBelow(functions);
  const count = inputs.length;
  const depths = [{ values: inputs, logs: new Float64Array(count), flat: new Uint8Array(count) }];
  for (let n = 0; n < layers; n++) {
    const last = depths[n];
    const next = { values: new Float64Array(count), logs: new Float64Array(count), flat: new Uint8Array(count) };
    for (let i = 0; i < count; i++) {
      const sum = weight * last.values[i] + bias;
      const slope = Math.abs(derivative(sum));
      next.values[i] = value(sum);
      next.logs[i] = last.logs[i] + Math.log10(weight * slope);
      next.flat[i] = slope < least ? 1 : 0;
    }
    depths.push(next);
  }
  return depths;
}

/** Some quantiles of numbers, -Infinity among them, without a mean of two. */
export function quantiles(numbers, shares) {
  const sorted = Float64Array.from(numbers).sort();
  return shares.map((share) => sorted[Math.floor(share * (sorted.length - 1))]);
}

/** A number by the logarithm of its size: "0.213", "−1.30", "2.1×10⁻¹³". */
export function written(log, sign = 1) {
  const minus = sign < 0 ? "−" : "";
  if (log === -Infinity) return "0";
  if (log > -2.0005 && log < 4) return minus + plain(10 ** log);
  let power = Math.floor(log);
  let digits = (10 ** (log - power)).toFixed(1);
  if (digits === "10.0") [digits, power] = ["1.0", power + 1];
  return `${minus}${digits}×${powerOfTen(power)}`;
}

/** Three digits of a number of moderate size. */
function plain(size) {
  return size >= 100 ? size.toFixed(0) : size.toFixed(size >= 10 ? 1 : size >= 0.9995 ? 2 : 3);
}

/** Any number, as `written`. */
export const number = (value) => written(Math.log10(Math.abs(value)), value);

/** The first factors and the last. */
export function listed(factors) {
  const texts = factors.map(number);
  return (texts.length > 5 ? [...texts.slice(0, 3), "…", texts.at(-1)] : texts).join(" × ");
}

/** The layer over [-4, 4], and the stretches of it where the neuron is saturated. */
export function layerCurve(functions, weight, bias) {
  const { value, derivative } = functions;
  const [steps, least] = [320, flatBelow(functions)];
  const flat = [];
  let last = false;
  const curve = Array.from({ length: steps + 1 }, (_, i) => {
    const at = -REACH + (2 * REACH * i) / steps;
    const now = Math.abs(derivative(weight * at + bias)) < least;
    if (now && last) flat.at(-1)[1] = at;
    else if (now) flat.push([at, at]);
    last = now;
    return [at, value(weight * at + bias)];
  });
  return { curve, flat };
}

/**
 * Where a number is that went in as values[0], after `layers`: at a whole one on the curve, over what came in, as high as
 * what went out. On its way to the next it moves aside until in is what was out, and then to the curve.
 */
export function placeAt(values, layers) {
  const whole = Math.floor(layers);
  const share = layers - whole;
  const out = values[whole];
  const next = values[Math.min(whole + 1, values.length - 1)];
  if (!whole) return [out, FOOT + share * (next - FOOT)];
  const came = values[whole - 1];
  return share < 0.5 ? [came + 2 * share * (out - came), out] : [out, out + (2 * share - 1) * (next - out)];
}

/** The corners of the way to that place. */
export function wayTo(values, layers) {
  const corners = [[values[0], FOOT]];
  for (let n = 1; n <= layers; n++) corners.push([values[n - 1], values[n]], [values[n], values[n]]);
  if (Number.isInteger(layers) && layers) corners.pop();
  else if (layers > 1 && layers % 1 < 0.5) corners.pop();
  return [...corners, placeAt(values, layers)];
}

/** Whether a place lies in the picture. */
export const inView = ([across, up]) => Math.abs(across) <= REACH && up >= FOOT && up <= TOP;
