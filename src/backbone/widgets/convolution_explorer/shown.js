import { array, clamp, entries, fill, remember, show } from "../kit.js";
import { arithmetic, conv2d, decimals, equals, field, follow, luma, productText, shiftDifference } from "./maths.js";
import { strip, unitOf } from "./maths.js";
import { TEXT } from "./text.js";
// What is shown, computed from the settings, and the sentences that say it.

const STEPS = 100; // pixels come as hundredths
const LONGEST = 84; // letters of a sum that is written out under the pictures

export const GEOMETRY = ["stride", "padding", "dilation"];
export const SETTINGS = ["image", "color", "kernel", ...GEOMETRY, "after", "point", "shift", "answer"];

/** The pictures as the model sends them: name -> { gray, color: three planes or null }, values in [0, 1]. */
export function readPictures(model) {
  const hundredths = entries(array(model, "pixels"));
  const scaled = (plane) => new Float64Array(plane).map((value) => value / STEPS);
  return new Map(
    model.get("names").map((name, i) => {
      const planes = hundredths.splice(0, model.get("channels")[i]);
      const whole = planes.length === 3 ? luma(planes.map((plane) => Array.from(plane))) : planes[0];
      return [name, { gray: scaled(whole), color: planes.length === 3 ? planes.map(scaled) : null }];
    }),
  );
}

/**
 * A function that computes all that is on the screen; maps only where they change. `look` is what the reader does without
 * setting anything: `hover`, the output under the pointer, `sweep`, the outputs a sweep made first and last in a frame.
 */
export function reader(model, pictures, look) {
  const [, height, width] = model.get("pixels").shape;
  const name = model.get("show");
  const makeMap = remember((planes, kernel, settings) => conv2d(planes, height, width, kernel, settings));
  const makeResult = remember((map, after) => follow(map, after));
  const makeDifference = remember((planes, kernel, settings) =>
    shiftDifference(planes, height, width, kernel, settings, settings.shift),
  );
  return () => {
    const settings = Object.fromEntries(SETTINGS.map((one) => [one, model.get(one)]));
    const picture = pictures.get(settings.image);
    const planes = settings.color && picture.color ? picture.color : [picture.gray];
    const kernel = planes.map((_, c) => settings.kernel[Math.min(c, settings.kernel.length - 1)]);
    const key = JSON.stringify([settings.image, planes.length, kernel, GEOMETRY.map((one) => settings[one])]);
    const map = makeMap(key, planes, kernel, settings);
    const result = makeResult(key + settings.after, map, settings.after);
    const empty = !result.height || !result.width;
    const drawnKey = key + settings.after + (name === "shift" ? settings.shift : "");
    const difference = name === "shift" && !empty ? makeDifference(drawnKey, planes, kernel, settings) : null;
    const made = look.sweep && !empty ? strip(...look.sweep, map.width) : null;
    const at = made ? [made.row, made.last] : (look.hover ?? settings.point);
    const row = clamp(at[0], 0, Math.max(map.height - 1, 0));
    const column = clamp(at[1], 0, Math.max(map.width - 1, 0));
    const factor = settings.after === "relu_pool" ? 2 : 1;
    const drawn = difference ?? result;
    const size = kernel[0].length;
    const found = { show: name, picture, planes, kernel, map, result, difference, drawn, drawnKey, made, empty };
    return { ...settings, ...found, height, width, row, column, size, factor };
  };
}

/** The sum at the window: pixels, products and total of each channel. */
export function sumsOf({ planes, kernel, height, width, size, row, column, ...settings }) {
  const unit = unitOf(kernel);
  const values = planes.map((pixels) => field(pixels, height, width, size, row, column, settings));
  const sums = values.map((window, c) => arithmetic(window, kernel[c], unit));
  return { unit, values, sums, total: sums.reduce((all, { result }) => all + result, 0) };
}

/** Without negative weights the result is a photograph again and is painted as one. */
export const isPhotograph = ({ kernel, difference }) => !difference && kernel.flat(2).every((weight) => weight >= 0);

/** The largest size of a value of the map; for `shift` of the map that was moved, then filtered: one scale for all. */
export function strongestOf(shown) {
  let strongest = 0;
  for (const value of shown.difference?.orders[0] ?? shown.drawn.data) strongest = Math.max(strongest, Math.abs(value));
  return strongest;
}

/** Where the scale of colors ends. */
export const limitOf = (shown) => (isPhotograph(shown) ? Math.max(strongestOf(shown), 1) : strongestOf(shown));

/** "Output at row 3, column 4 = 0.10 + 0.20 − 0.05 = 0.25", then what follows the convolution. */
export function sumText(shown, { sums, unit, total }) {
  const digits = decimals(sums.map(({ products }) => products));
  const parts =
    sums.length > 1 ? sums.map((sum) => sum.total) : sums[0].products.flat().filter((product) => product !== 0);
  const terms = parts.map((part, i) => {
    if (!i) return productText(part, digits);
    return (part < 0 ? " − " : " + ") + productText(Math.abs(part), digits);
  });
  const steps = [equals(total)];
  if (unit > 1) steps.unshift(`= ${show(total * unit)} / ${unit}`);
  if (terms.length > 1) steps.unshift(unit > 1 ? `= (${terms.join("")}) / ${unit}` : `= ${terms.join("")}`);
  return fill(TEXT.sum, { row: shown.row, column: shown.column, sum: steps.join(" ") });
}

/** What ReLU and pooling make of the sum, behind it. */
function followed(text, { after, result, row, column, empty }, total) {
  if (after === "nothing") return text;
  const relu = fill(TEXT.relu, { sum: text, value: show(Math.max(total, 0)) });
  const [down, right] = [row >> 1, column >> 1];
  if (after === "relu" || empty || down >= result.height || right >= result.width) return relu;
  return fill(TEXT.pool, { sum: relu, value: show(result.data[down * result.width + right]) });
}

/** The sum as a sentence. It is written out where that is short at every place, so that nothing jumps. */
export function sumSentence(shown) {
  if (shown.empty) return sizeSentence(shown);
  const found = sumsOf(shown);
  // 1.11 gives all its decimals to each product, and minus signs are the widest.
  const longest = shown.kernel.map((plane) => {
    const pixels = plane.map((row) => row.map(() => 1.11));
    return arithmetic(
      pixels,
      plane.map((row) => row.map((weight) => -Math.abs(weight))),
      found.unit,
    );
  });
  const short = fill(TEXT.sum, { row: shown.row, column: shown.column, sum: equals(found.total) });
  const whole = sumText(shown, { sums: longest, unit: found.unit, total: longest[0].result }).length <= LONGEST;
  const count = shown.kernel.length * shown.size ** 2;
  const text = whole ? sumText(shown, found) : fill(TEXT.manyProducts, { sum: short, count });
  return fill(TEXT.stop, { sum: followed(text, shown, found.total) });
}

/** The size formula with the numbers put in. */
export function sizeSentence({ height, width, size, stride, padding, dilation, map, result, after }) {
  if (!map.height || !map.width) {
    const [reach, pixels] = [dilation * (size - 1) + 1, Math.min(height, width) + 2 * padding];
    return fill(TEXT.tooLarge, { reach, size: pixels });
  }
  const one = (pixels, count) =>
    `⌊(${pixels} + 2·${padding} − ${dilation}·(${size} − 1) − 1) / ${stride}⌋ + 1 = ${count}`;
  const square = height === width;
  const formula = one(height, map.height);
  const sizes = fill(square ? TEXT.squareSize : TEXT.sizes, {
    formula,
    height: map.height,
    width: one(width, map.width),
  });
  if (after !== "relu_pool") return sizes;
  return fill(TEXT.pooled, { sizes, height: result.height, width: result.width });
}

/** What moving before and after the filter make of the picture. */
export function shiftSentence(shown) {
  const { difference, shift } = shown;
  if (!difference) return sizeSentence(shown);
  if (!shift.some(Boolean)) return TEXT.shiftNone;
  const { inside, border, step } = difference;
  const by = TEXT.shifts[shift[0] < 0 ? "up" : "down"][shift[1] < 0 ? "left" : "right"];
  const moved = fill(by, { rows: Math.abs(shift[0]), columns: Math.abs(shift[1]) });
  const exact = inside < 1e-9 || shift.every((pixels) => pixels % step === 0);
  if (exact) return fill(TEXT.shiftSame, { moved, border: show(border, 2) });
  return fill(TEXT.shiftBroken, { moved, inside: show(inside, 2), steps: step });
}
