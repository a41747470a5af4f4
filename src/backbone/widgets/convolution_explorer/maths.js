// What the convolution explorer computes: pure functions, tested against Python.
import { fixed, show } from "../kit.js";

const LUMA = [2125, 7154, 721]; // of a color pixel, in ten-thousandths, as in Python
const LARGEST_UNIT = 512;

/** Output pixels along one axis; 0 or less where the window does not fit. */
export function outputSize(size, kernel, stride, padding, dilation) {
  return Math.floor((size + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;
}

/** Cross-correlation. `planes`: the channels, height * width numbers each; `kernel`: one square of weights a channel. */
export function conv2d(planes, height, width, kernel, { stride, padding, dilation }) {
  const size = kernel[0].length;
  const outHeight = Math.max(0, outputSize(height, size, stride, padding, dilation));
  const outWidth = Math.max(0, outputSize(width, size, stride, padding, dilation));
  const data = new Float64Array(outHeight * outWidth);
  planes.forEach((pixels, c) => {
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        const weight = kernel[c][i][j];
        if (weight === 0) continue;
        // One weight meets a shifted copy of the whole picture; positions outside it are zeros and are left out.
        const top = i * dilation - padding;
        const left = j * dilation - padding;
        const firstRow = Math.max(0, Math.ceil(-top / stride));
        const lastRow = Math.min(outHeight - 1, Math.floor((height - 1 - top) / stride));
        const firstColumn = Math.max(0, Math.ceil(-left / stride));
        const lastColumn = Math.min(outWidth - 1, Math.floor((width - 1 - left) / stride));
        for (let row = firstRow; row <= lastRow; row++) {
          const source = (row * stride + top) * width + left;
          const target = row * outWidth;
          for (let column = firstColumn; column <= lastColumn; column++) {
            data[target + column] += weight * pixels[source + column * stride];
          }
        }
      }
    }
  });
  return { data, height: outHeight, width: outWidth };
}

/** What follows the convolution: "nothing", "relu", or "relu_pool" with a maximum over 2 x 2. */
export function follow(map, after) {
  if (after === "nothing") return map;
  const data = map.data.map((value) => Math.max(value, 0));
  if (after === "relu") return { ...map, data };
  const [height, width] = [map.height >> 1, map.width >> 1];
  const pooled = new Float64Array(height * width);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const at = 2 * row * map.width + 2 * column;
      pooled[row * width + column] = Math.max(data[at], data[at + 1], data[at + map.width], data[at + map.width + 1]);
    }
  }
  return { data: pooled, height, width };
}

/** A plane moved down and right; what comes in at the border is 0. */
export function shifted(pixels, height, width, [down, right]) {
  const moved = new Float64Array(height * width);
  for (let row = Math.max(0, down); row < Math.min(height, height + down); row++) {
    for (let column = Math.max(0, right); column < Math.min(width, width + right); column++) {
      moved[row * width + column] = pixels[(row - down) * width + column - right];
    }
  }
  return moved;
}

/**
 * Shift, then filter, minus filter, then shift. The map moves by the nearest whole number of its own steps. `inside`
 * is the largest difference where both orders see nothing but the picture, `border` the largest elsewhere.
 */
export function shiftDifference(planes, height, width, kernel, settings, shift) {
  const whole = (pixels) => follow(conv2d(pixels, height, width, kernel, settings), settings.after);
  const step = settings.stride * (settings.after === "relu_pool" ? 2 : 1);
  const steps = shift.map((pixels) => Math.round(pixels / step));
  const first = whole(planes.map((pixels) => shifted(pixels, height, width, shift)));
  const map = whole(planes);
  const second = shifted(map.data, map.height, map.width, steps);
  const data = first.data.map((value, i) => value - second[i]);
  // The pixels that one output looks at, as an interval along each axis.
  const reach = settings.dilation * (kernel[0].length - 1) + (step / settings.stride - 1) * settings.stride;
  const within = (at, size, moved, movedSteps, count) => {
    const start = at * step - settings.padding;
    const other = (at - movedSteps) * step - settings.padding;
    const [low, high] = [Math.max(0, moved), Math.min(size, size + moved) - 1];
    return start >= low && start + reach <= high && other >= 0 && other + reach < size && at - movedSteps < count;
  };
  let [inside, border] = [0, 0];
  data.forEach((value, i) => {
    const [row, column] = [Math.floor(i / map.width), i % map.width];
    const clean =
      within(row, height, shift[0], steps[0], map.height) && within(column, width, shift[1], steps[1], map.width);
    if (clean) inside = Math.max(inside, Math.abs(value));
    else border = Math.max(border, Math.abs(value));
  });
  return { data, orders: [first.data, second], height: map.height, width: map.width, inside, border, step };
}

/** The pixels under the window at an output position, row by row; null where the window lies on padding. */
export function field(pixels, height, width, size, row, column, { stride, padding, dilation }) {
  const at = (y, x) => (y < 0 || x < 0 || y >= height || x >= width ? null : pixels[y * width + x]);
  return Array.from({ length: size }, (_, i) =>
    Array.from({ length: size }, (_, j) =>
      at(row * stride - padding + i * dilation, column * stride - padding + j * dilation),
    ),
  );
}

/** The luma of three planes of whole hundredths, in whole hundredths, rounded as in Python. */
export function luma([red, green, blue]) {
  return red.map((value, i) => Math.floor((LUMA[0] * value + LUMA[1] * green[i] + LUMA[2] * blue[i] + 5000) / 10000));
}

/** The smallest whole number that makes every weight whole: 9 for a 3x3 mean. 1 where two decimals do. */
export function unitOf(kernel) {
  const whole = (scale) =>
    kernel.flat(2).every((weight) => Math.abs(weight * scale - Math.round(weight * scale)) < 1e-9);
  if (whole(100)) return 1;
  for (let unit = 2; unit <= LARGEST_UNIT; unit++) if (whole(unit)) return unit;
  return 1;
}

/** A weight as it is typed: 0.25 where two decimals say all weights of its filter, else 1/9. */
export function weightText(weight, unit = unitOf([weight])) {
  if (unit === 1) return show(weight, 3);
  let [top, bottom] = [Math.round(weight * unit), unit];
  for (let divisor = 2; divisor <= bottom; divisor++) {
    while (top % divisor === 0 && bottom % divisor === 0) [top, bottom] = [top / divisor, bottom / divisor];
  }
  return bottom === 1 ? show(top) : `${show(top)}/${bottom}`;
}

/** A weight in a cell: of five in a row none has room for more than five letters. */
export function cellText(weight, unit, size) {
  const text = weightText(weight, unit);
  return size > 4 && text.length > 5 ? show(weight, 2) : text;
}

/** The written-out sum: products in units of 1/unit, their total, and the result, each as the page prints it. */
export function arithmetic(values, kernel, unit = unitOf(kernel)) {
  const products = kernel.map((row, i) => row.map((weight, j) => (values[i][j] ?? 0) * weight * unit));
  const total = products.flat().reduce((sum, product) => sum + product, 0);
  return { unit, products, total, result: total / unit };
}

/** A square of weights in another size: cut, or filled up with zeros, around its middle. */
export function resized(plane, size) {
  const offset = Math.floor(plane.length / 2) - Math.floor(size / 2);
  return span(0, size - 1).map((i) => span(0, size - 1).map((j) => plane[i + offset]?.[j + offset] ?? 0));
}

/** Turned by 180 degrees. */
export const turned = (plane) => plane.map((row) => [...row].reverse()).reverse();

/** Divided by the sum of all weights; null where that sum is 0 and no factor can make it 1. */
export function summedToOne(planes) {
  const sum = planes.flat(2).reduce((all, weight) => all + weight, 0);
  return Math.abs(sum) < 1e-9 ? null : planes.map((plane) => plane.map((row) => row.map((weight) => weight / sum)));
}

export const span = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** How many decimals the products need so that none is rounded: two for whole weights, four at most. */
export function decimals(products) {
  const exact = (digits) =>
    products.flat(2).every((value) => Math.abs(value * 10 ** digits - Math.round(value * 10 ** digits)) < 1e-6);
  return [2, 3, 4].find(exact) ?? 4;
}

/** A product with its column's decimals; 0 stays short, so that the weights that do nothing stand back. */
export function productText(value, digits) {
  return value === 0 ? "0" : fixed(value, digits);
}

/** "= 1.24" where four decimals say it all, "≈ 0.4789" where they do not. */
export function equals(value) {
  return (Math.abs(value * 1e4 - Math.round(value * 1e4)) < 1e-6 ? "= " : "≈ ") + show(value, 4);
}

/** The kernel with one weight changed. */
export function edited(kernel, channel, i, j, weight) {
  return kernel.map((plane, c) =>
    plane.map((row, y) => row.map((old, x) => (c === channel && y === i && x === j ? weight : old))),
  );
}

/** The output position whose middle weight lies on about the same pixel after a change of geometry. */
export function keptPlace(before, changes) {
  const after = { ...before, ...changes };
  const moved = (at) => {
    const middle = at * before.stride - before.padding + (before.size >> 1) * before.dilation;
    return Math.max(0, Math.round((middle + after.padding - (after.size >> 1) * after.dilation) / after.stride));
  };
  return [moved(before.row), moved(before.column)];
}

/** How many of `count` outputs are made after a share of the sweep, which starts slowly so that its steps are seen. */
export const swept = (share, count) => Math.min(count - 1, Math.floor(count * share ** 3));

/** The outputs that a sweep came over on its way from one to another, in the row of the last: first and last column. */
export function strip(from, to, width) {
  const row = Math.floor(to / width);
  if (Math.floor(from / width) === row) return { row, first: from % width, last: to % width };
  return { row, first: 0, last: width - 1 };
}
