import {
  array,
  body,
  button,
  choice,
  controls,
  diverging,
  drag,
  dropdown,
  entries,
  fill,
  fixed,
  gray,
  h,
  hint,
  keys,
  numberCell,
  paintPixels,
  parseNumber,
  player,
  remember,
  setting,
  show,
  speaker,
  widget,
  write,
} from "../kit.js";
import { sheet } from "../canvas.js";

const TEXT = {
  title: "Convolution explorer",
  pictures: "Photograph",
  color: "Channels",
  colors: { false: "gray", true: "color" },
  mode: "What to do",
  modes: { look: "Look", slide: "Slide", guess: "Guess", shift: "Shift" },
  filter: "Filter",
  custom: "your own",
  size: "Size",
  stride: "Stride",
  padding: "Padding",
  dilation: "Dilation",
  after: "Then",
  afters: { nothing: "nothing", relu: "ReLU", relu_pool: "ReLU, pool 2×2" },
  turn: "Turn by 180°",
  sumToOne: "Sum to 1",
  random: "Random",
  reset: "Start again",
  inputCaption: "photograph, {height} × {width}",
  colorCaption: "photograph, {height} × {width} × {channels}",
  outputCaption: "feature map, {height} × {width}",
  differenceCaption: "difference, {height} × {width}",
  noOutput: "no feature map",
  inputLabel: "Photograph. Drag, or use the arrow keys, to move the window.",
  inputShiftLabel: "Photograph. Use the arrow keys to move the picture.",
  outputLabel: "Feature map. Drag, or use the arrow keys, to choose an output pixel.",
  hints: {
    look: "Drag over either picture, or use the arrow keys. Type in the filter, or use arrow keys or the wheel there.",
    slide: "Play, and watch the window fill the map row by row.",
    guess:
      "The marked output pixel is hidden. Work out its sum, on the gray picture. Fill in the products too, and wrong ones are marked.",
    shift:
      "Move the picture with the buttons, or with arrow keys on it. The map shows (shift, then filter) minus (filter, then shift).",
  },
  player: { play: "Play", pause: "Pause", step: "Step", speed: "Speed", slow: "slow", medium: "medium", fast: "fast" },
  arrows: { ArrowLeft: "Move left", ArrowUp: "Move up", ArrowDown: "Move down", ArrowRight: "Move right" },
  channels: ["red", "green", "blue"],
  channel: "One filter, three squares of weights, one map: choose the square to see",
  channelSums: "red {red}, green {green}, blue {blue}: added up, they are one output pixel.",
  window: "pixels in the window",
  weights: "filter",
  products: "products",
  productsOf: "products, in units of 1/{unit}",
  sum: "Output at row {row}, column {column} {sum}",
  relu: "{sum}; ReLU makes it {value}",
  pool: "{sum}; the largest of its 2 × 2 is {value}",
  weight: "Weight, row {row}, column {column}",
  product: "Your product, row {row}, column {column}",
  pad: "padding: always 0",
  squareSize: "output size = {height}",
  sizes: "output height = {height};  output width = {width}",
  pooled: "{sizes}; after pooling {height} × {width}",
  tooLarge:
    "The window reaches over {reach} pixels, but the padded photograph has only {size}. Lower the dilation or add padding.",
  yourSum: "Your sum",
  check: "Check",
  reveal: "Show me",
  another: "Another pixel",
  guessEmpty: "Type a number first, such as −0.25.",
  guesses: {
    right: "Right: the sum is {sum}.",
    turned: "That is the sum with the filter turned by 180°. Here the filter lies on the picture as it is.",
    positive: "That is the sum without the minus signs. Negative weights take away.",
    mean: "That is the sum divided by the number of weights. Leave it a sum.",
    wrong: "Not yet. Fill in the products to find out where it goes wrong.",
  },
  guessAdd: "Every product is right. Add them up once more; mind the signs.",
  guessMarked: "Not yet. One product is wrong: look for dashed frames.",
  guessManyMarked: "Not yet. {count} products are wrong: look for dashed frames.",
  guessShown: "The sum is {sum}.",
  moved: {
    up: { left: "Moved {rows} up, {columns} left.", right: "Moved {rows} up, {columns} right." },
    down: { left: "Moved {rows} down, {columns} left.", right: "Moved {rows} down, {columns} right." },
  },
  shiftNone: "Move the picture by a pixel.",
  shiftSame: "Inside both orders agree: the largest difference is 0. At the border it is {border}.",
  shiftBroken:
    "The orders differ by up to {inside} inside. One step of the map is {steps} pixels, so a shift that is no multiple of {steps} lands between two outputs; a shift by {steps} restores the map.",
};
const STEPS = 100; // pixels come as hundredths
const LUMA = [2125, 7154, 721]; // of a color pixel, in ten-thousandths, as in Python
const MARGIN = 3; // room for the largest padding, so that the picture never changes its scale
const LARGEST_WEIGHT = 99;
const LARGEST_UNIT = 512;
const LARGEST_SIZE = 7;
const LARGEST_SHIFT = 8;

// ---- Maths: pure functions, tested against Python -------------------------------------------------------------

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

/** A plane moved down and right; what comes in at the border is `fill`. */
export function shifted(pixels, height, width, [down, right], fill = 0) {
  const moved = new Float64Array(height * width).fill(fill);
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
  return { data, height: map.height, width: map.width, inside, border, step };
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

/** What a guessed sum says: "right", or the mistake that leads to it, or "wrong". */
export function judge(guess, values, kernel) {
  const near = (sum) => Math.abs(guess - sum) < 0.006;
  const { result } = arithmetic(values, kernel);
  if (near(result)) return "right";
  if (near(arithmetic(values, turned(kernel)).result)) return "turned";
  const positive = kernel.map((row) => row.map(Math.abs));
  if (near(arithmetic(values, positive).result)) return "positive";
  if (kernel.length > 1 && near(result / kernel.length ** 2)) return "mean";
  return "wrong";
}

const span = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** How many decimals the products need so that none is rounded: two for whole weights, four at most. */
function decimals(products) {
  const exact = (digits) =>
    products.flat(2).every((value) => Math.abs(value * 10 ** digits - Math.round(value * 10 ** digits)) < 1e-6);
  return [2, 3, 4].find(exact) ?? 4;
}

/** A product with its column's decimals; 0 stays short, so that the weights that do nothing stand back. */
function productText(value, digits) {
  return value === 0 ? "0" : fixed(value, digits);
}

/** "= 1.24" where four decimals say it all, "≈ 0.4789" where they do not. */
function equals(value) {
  return (Math.abs(value * 1e4 - Math.round(value * 1e4)) < 1e-6 ? "= " : "≈ ") + show(value, 4);
}

// ---- What is shown ------------------------------------------------------------------------------------------

const GEOMETRY = ["stride", "padding", "dilation"];
const SETTINGS = ["image", "color", "kernel", ...GEOMETRY, "after", "point", "mode", "shift"];

/** The pictures as the model sends them: name -> { gray, color: three planes or null }, values in [0, 1]. */
function readPictures(model) {
  const hundredths = entries(array(model, "pixels"));
  const scaled = (plane) => Float64Array.from(plane, (value) => value / STEPS);
  return new Map(
    model.get("names").map((name, i) => {
      const planes = hundredths.splice(0, model.get("channels")[i]);
      const whole = planes.length === 3 ? luma(planes.map((plane) => Array.from(plane))) : planes[0];
      return [name, { gray: scaled(whole), color: planes.length === 3 ? planes.map(scaled) : null }];
    }),
  );
}

/** A function that computes everything on the screen from the model's settings; maps only when they change. */
function reader(model, pictures, height, width) {
  const makeMap = remember((planes, kernel, settings) => conv2d(planes, height, width, kernel, settings));
  const makeResult = remember((map, after) => follow(map, after));
  const makeDifference = remember((planes, kernel, settings) =>
    shiftDifference(planes, height, width, kernel, settings, settings.shift),
  );
  return () => {
    const settings = Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)]));
    const picture = pictures.get(settings.image);
    const inColor = settings.color && settings.mode !== "guess" && picture.color; // one square is enough to guess
    const planes = inColor ? picture.color : [picture.gray];
    const kernel = planes.map((_, c) => settings.kernel[Math.min(c, settings.kernel.length - 1)]);
    const key = JSON.stringify([settings.image, planes.length, kernel, GEOMETRY.map((name) => settings[name])]);
    const map = makeMap(key, planes, kernel, settings);
    const result = makeResult(key + settings.after, map, settings.after);
    const differs = settings.mode === "shift" && result.height && result.width;
    const differenceKey = key + settings.after + settings.shift;
    const difference = differs ? makeDifference(differenceKey, planes, kernel, settings) : null;
    const row = Math.min(Math.max(settings.point[0], 0), Math.max(map.height - 1, 0));
    const column = Math.min(Math.max(settings.point[1], 0), Math.max(map.width - 1, 0));
    const size = kernel[0].length;
    const values = planes.map((pixels) => field(pixels, height, width, size, row, column, settings));
    const unit = unitOf(kernel);
    const sums = values.map((window, c) => arithmetic(window, kernel[c], unit));
    return {
      ...settings,
      picture,
      planes,
      kernel,
      key,
      map,
      result,
      difference,
      differenceKey,
      height,
      width,
      row,
      column,
      size,
      values,
      unit,
      sums,
      factor: settings.after === "relu_pool" ? 2 : 1,
      empty: !result.height || !result.width,
      total: sums.reduce((all, { result: part }) => all + part, 0),
      drawn: difference ?? result,
    };
  };
}

// ---- The two pictures ---------------------------------------------------------------------------------------

/** A picture the reader can point into: canvas, caption, and `draw`, which paints what `current()` gives. */
function mapPanel(label, paint, current, height, width) {
  const caption = h("div", { class: "bb-caption" });
  const buffer = h("canvas");
  let painted; // what the buffer holds; a drag moves frames over it without painting it again
  const buffered = (key, work) => {
    if (painted !== key) work(buffer);
    painted = key;
    return buffer;
  };
  const [wide, tall] = [width + 2 * MARGIN, height + 2 * MARGIN];
  const attributes = { tabindex: 0, role: "application", "aria-label": label };
  const { canvas, draw } = sheet(attributes, `${wide} / ${tall}`, (context, _width, _height, colors) => {
    context.imageSmoothingEnabled = false;
    context.setTransform(canvas.width / wide, 0, 0, canvas.height / tall, 0, 0);
    context.translate(MARGIN, MARGIN); // from here on one unit is one input pixel
    paint(context, buffered, current(), canvas, colors.mark);
  });
  return { node: h("div", { class: "bb-panel" }, canvas, caption), canvas, caption, draw };
}

function paintPicture(canvas, planes, height, width) {
  paintPixels(canvas, planes[0], height, width, gray(1));
  if (planes.length === 1) return;
  const context = canvas.getContext("2d");
  const image = context.getImageData(0, 0, width, height);
  planes.forEach((plane, c) => plane.forEach((value, i) => (image.data[4 * i + c] = 255 * value)));
  context.putImageData(image, 0, 0);
}

function drawInput(context, buffered, shown, canvas, color) {
  const { height, width, padding, stride, dilation, size, row, column, planes, mode } = shown;
  if (padding) {
    context.fillStyle = "#000"; // padding is zeros, and zero is black in a photograph
    context.fillRect(-padding, -padding, width + 2 * padding, height + 2 * padding);
  }
  const moved = mode === "shift" && shown.shift.some(Boolean);
  const key = `${shown.image} ${planes.length} ${moved ? shown.shift : ""}`;
  const whole = moved ? () => planes.map((plane) => shifted(plane, height, width, shown.shift)) : () => planes;
  const picture = buffered(key, (buffer) => paintPicture(buffer, whole(), height, width));
  context.drawImage(picture, 0, 0);
  if (padding) outline(context, 0, 0, width, height, 0.75, "#888");
  if (shown.empty || mode === "shift") return;
  const reach = dilation * (size - 1) + 1;
  const [left, top] = [column * stride - padding, row * stride - padding];
  mark(context, color, left, top, reach, reach);
  if (dilation === 1) return;
  context.fillStyle = color;
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) context.fillRect(left + j * dilation, top + i * dilation, 1, 1);
  }
}

function drawOutput(context, buffered, shown, canvas, color) {
  const { drawn, mode, factor } = shown;
  if (shown.empty) return;
  const key = mode === "shift" ? shown.differenceKey : shown.key + shown.after;
  const buffer = buffered(key, (target) =>
    paintPixels(target, drawn.data, drawn.height, drawn.width, scaleOf(shown, canvas)),
  );
  const [x, y] = corner(shown);
  const [row, column] = [Math.floor(shown.row / factor), Math.floor(shown.column / factor)];
  if (mode === "slide") {
    // Full rows above, then the row that the window is in.
    if (row) context.drawImage(buffer, 0, 0, drawn.width, row, x, y, drawn.width, row);
    context.drawImage(buffer, 0, row, column + 1, 1, x, y + row, column + 1, 1);
  } else context.drawImage(buffer, x, y);
  outline(context, x, y, drawn.width, drawn.height, 0.75, "#888");
  if (mode === "shift") return;
  const frame = mark(context, color, x + Math.min(column, drawn.width - 1), y + Math.min(row, drawn.height - 1), 1, 1);
  if (mode !== "guess") return;
  context.fillStyle = color;
  context.fillRect(...frame);
}

/** Where the map lies in its panel, at the photograph's own scale: in the middle. */
function corner({ drawn, height, width }) {
  return [Math.round((width - drawn.width) / 2), Math.round((height - drawn.height) / 2)];
}

/** Without negative weights the result is a photograph again and is painted as one. */
function isPhotograph({ kernel, mode }) {
  return mode !== "shift" && kernel.flat(2).every((weight) => weight >= 0);
}

function limitOf(shown) {
  let limit = 0;
  for (const value of shown.drawn.data) limit = Math.max(limit, Math.abs(value));
  return isPhotograph(shown) ? Math.max(limit, 1) : limit;
}

function scaleOf(shown, node) {
  const limit = limitOf(shown);
  return isPhotograph(shown) ? gray(limit) : diverging(node, limit);
}

function outline(context, x, y, width, height, thickness, color) {
  context.lineWidth = (thickness * (devicePixelRatio || 1)) / context.getTransform().a;
  context.strokeStyle = color;
  context.strokeRect(x, y, width, height);
}

/** A frame that shows on every ground, with a light line outside a dark one, and never smaller than 9 px. */
function mark(context, color, x, y, width, height) {
  const pixel = (devicePixelRatio || 1) / context.getTransform().a;
  const grow = Math.max(0, (9 * pixel - Math.min(width, height)) / 2);
  const frame = [x - grow, y - grow, width + 2 * grow, height + 2 * grow];
  outline(context, ...frame, 5, "#fff");
  outline(context, ...frame, 2.5, color);
  return frame;
}

function drawLegend(node, shown) {
  const limit = fixed(limitOf(shown), 2);
  const photograph = isPhotograph(shown);
  node.hidden = shown.empty;
  node.classList.toggle("bb-legend-gray", photograph);
  const labels = photograph ? ["0", limit] : [`−${limit}`, "0", `+${limit}`];
  const bar = h("span", { class: "bb-ramp", "aria-hidden": "true" });
  node.replaceChildren(bar, ...labels.map((label) => h("span", {}, label)));
}

// ---- The arithmetic -----------------------------------------------------------------------------------------

/** The size formula with the numbers put in. */
function sizeFormula({ height, width, size, stride, padding, dilation, map, result, after }) {
  if (!map.height || !map.width) {
    const [reach, pixels] = [dilation * (size - 1) + 1, Math.min(height, width) + 2 * padding];
    return fill(TEXT.tooLarge, { reach, size: pixels });
  }
  const one = (pixels, count) =>
    `⌊(${pixels} + 2·${padding} − ${dilation}·(${size} − 1) − 1) / ${stride}⌋ + 1 = ${count}`;
  const formulas = { height: one(height, map.height), width: one(width, map.width) };
  const sizes = fill(height === width ? TEXT.squareSize : TEXT.sizes, formulas);
  if (after !== "relu_pool") return sizes;
  return fill(TEXT.pooled, { sizes, height: result.height, width: result.width });
}

/** "Output at row 3, column 4 = 0.10 + 0.20 − 0.05 = 0.25", then what follows the convolution. */
function sumText(shown) {
  const { sums, unit, total } = shown;
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
  let text = fill(TEXT.sum, { row: shown.row, column: shown.column, sum: steps.join(" ") });
  if (shown.after !== "nothing") text = fill(TEXT.relu, { sum: text, value: show(Math.max(total, 0)) });
  if (shown.after === "relu_pool" && !shown.empty) {
    const [row, column] = [shown.row, shown.column].map((at) => Math.floor(at / 2));
    const value = shown.result.data[row * shown.result.width + column];
    const inside = row < shown.result.height && column < shown.result.width;
    if (inside) text = fill(TEXT.pool, { sum: text, value: show(value) });
  }
  return text;
}

/** The longest sum this filter can have at any place. Room for it is kept, so that nothing jumps while one moves. */
function longestSum(shown) {
  const { kernel, map, unit } = shown;
  // 1.11 gives all its decimals to each product, and minus signs are the widest.
  const sums = kernel.map((plane) => {
    const negative = plane.map((row) => row.map((weight) => -Math.abs(weight)));
    const pixels = plane.map((row) => row.map(() => 1.11));
    return arithmetic(pixels, negative, unit);
  });
  const total = Math.floor(sums.reduce((all, { result }) => all + result, 0)) - 0.12345;
  return sumText({ ...shown, row: map.height - 1, column: map.width - 1, sums, total });
}

/** Window, filter and products as three grids with the sum below; the filter's cells can be edited. */
function equation(changeKernel) {
  const grids = h("div", { class: "bb-equation" });
  const text = h("span");
  const result = h("p", { class: "bb-result" }, text);
  const node = h("div", {}, grids, result);
  let cells = {};

  const grid = (label, size, make) => {
    const caption = h("div", { class: "bb-caption" }, label);
    const all = span(0, size * size - 1).map((at) => make(Math.floor(at / size), at % size));
    const square = h("div", { class: size > 4 ? "bb-grid bb-fine" : "bb-grid" }, ...all);
    square.style.setProperty("--bb-size", size);
    return { node: h("div", { class: "bb-panel", role: "group", "aria-label": label }, caption, square), caption, all };
  };
  const rebuild = (size, guessing) => {
    const plain = () => h("span", { class: "bb-cell" });
    const weightCells = [];
    const pixels = grid(TEXT.window, size, plain);
    const weights = grid(TEXT.weights, size, (i, j) => {
      const label = fill(TEXT.weight, { row: i + 1, column: j + 1 });
      const cell = numberCell(label, LARGEST_WEIGHT, (weight) => changeKernel(i, j, weight));
      weightCells.push(cell);
      return cell.node;
    });
    const blank = (i, j) => {
      const label = fill(TEXT.product, { row: i + 1, column: j + 1 });
      return h("input", { class: "bb-cell", type: "text", autocomplete: "off", "aria-label": label });
    };
    const products = grid(TEXT.products, size, guessing ? blank : plain);
    // A sign and the grid behind it stay together where the line is too short for all three.
    const after = (sign, { node: panel }) =>
      h("div", { class: "bb-term" }, h("span", { class: "bb-operator", "aria-hidden": "true" }, sign), panel);
    grids.replaceChildren(pixels.node, after("×", weights), after("=", products));
    cells = { size, guessing, pixels, weightCells, products };
  };
  const tintAll = (nodes, values) => {
    const largest = Math.max(...values.map(Math.abs));
    values.forEach((value, i) => tint(nodes[i], value, largest));
  };
  const update = (shown, channel) => {
    const guessing = shown.mode === "guess";
    if (shown.size !== cells.size || guessing !== cells.guessing) rebuild(shown.size, guessing);
    const { unit } = shown;
    const { products } = shown.sums[channel];
    const weights = shown.kernel[channel].flat();
    shown.values[channel].flat().forEach((pixel, i) => drawPixelCell(cells.pixels.all[i], pixel));
    weights.forEach((weight, i) => cells.weightCells[i].set(weightText(weight, unit)));
    const nodes = cells.weightCells.map((cell) => cell.node);
    tintAll(nodes, weights);
    node.hidden = shown.empty || shown.mode === "shift";
    result.hidden = guessing;
    if (guessing) return write(cells.products.caption, TEXT.products);
    const digits = decimals(shown.sums.map((sum) => sum.products));
    const texts = products.flat().map((product) => productText(product, digits));
    texts.forEach((text, i) => write(cells.products.all[i], text));
    grids.style.setProperty("--bb-chars", Math.max(shown.size > 4 ? 4.4 : 6, ...texts.map(({ length }) => length)));
    tintAll(cells.products.all, products.flat());
    write(cells.products.caption, unit === 1 ? TEXT.products : fill(TEXT.productsOf, { unit }));
    write(text, sumText(shown));
    result.dataset.longest = longestSum(shown);
  };
  return {
    node,
    update,
    refresh: () => cells.weightCells?.forEach((cell) => cell.refresh()),
    products: () => (cells.guessing ? cells.products.all : []),
  };
}

function drawPixelCell(cell, pixel) {
  write(cell, fixed(pixel ?? 0, 2));
  cell.classList.toggle("bb-pad", pixel === null);
  cell.title = pixel === null ? TEXT.pad : "";
  const level = Math.round(255 * (pixel ?? 0));
  cell.style.background = pixel === null ? "" : `rgb(${level} ${level} ${level})`;
  cell.style.color = pixel === null ? "" : level > 117 ? "#000" : "#fff";
}

/** Color a cell by its sign and size; at most half strength, so that the number on it stays easy to read. */
function tint(cell, value, largest) {
  const strength = largest ? (45 * Math.abs(value)) / largest : 0;
  cell.style.background = `color-mix(in srgb, var(--bb-${value < 0 ? "negative" : "positive"}) ${strength}%, transparent)`;
}

// ---- What stands under the pictures in each mode ------------------------------------------------------------

/** Guess the pixel: the sum of a hidden output cell, and its products if the reader likes. */
function guessBar(current, another, products) {
  const input = h("input", { class: "bb-cell bb-answer", type: "text", autocomplete: "off" });
  const verdict = h("p", { role: "status" });
  const check = () => {
    const guess = parseNumber(input.value);
    if (guess === null) return write(verdict, TEXT.guessEmpty);
    const shown = current();
    const { products: right, unit, total } = shown.sums[0];
    const filled = products().map((cell, i) => [cell, parseNumber(cell.value), right.flat()[i] / unit]);
    const good = (typed, truth) => Math.abs(typed - truth) < 0.006 || Math.abs(typed - truth * unit) < 0.006;
    const wrong = filled.filter(([, typed, truth]) => typed !== null && !good(typed, truth));
    for (const [cell, typed, truth] of filled) markProduct(cell, typed === null ? null : good(typed, truth));
    const kind = judge(guess, shown.values[0], shown.kernel[0]);
    const all = filled.every(([, typed, truth]) => typed !== null && good(typed, truth));
    const marked = wrong.length === 1 ? TEXT.guessMarked : fill(TEXT.guessManyMarked, { count: wrong.length });
    const said = fill(TEXT.guesses[kind], { sum: show(total / unit) });
    write(verdict, kind === "right" ? said : wrong.length ? marked : all ? TEXT.guessAdd : said);
  };
  const reveal = () => {
    const { sums, unit } = current();
    const digits = decimals(sums[0].products);
    products().forEach((cell, i) => {
      cell.value = productText(sums[0].products.flat()[i] / unit, unit === 1 ? digits : 4);
      markProduct(cell, true);
    });
    input.value = show(sums[0].result);
    write(verdict, fill(TEXT.guessShown, { sum: show(sums[0].result) }));
  };
  input.addEventListener("keydown", (event) => event.key === "Enter" && check());
  const clear = () => {
    input.value = "";
    write(verdict, "");
    products().forEach((cell) => ((cell.value = ""), markProduct(cell, null)));
  };
  const field = h("label", { class: "bb-field" }, h("span", {}, TEXT.yourSum), input);
  const buttons = [button(TEXT.check, check), button(TEXT.reveal, reveal), button(TEXT.another, another)];
  return { node: h("div", {}, controls(field, ...buttons), verdict), clear };
}

function markProduct(cell, right) {
  cell.classList.toggle("bb-wrong", right === false);
  cell.classList.toggle("bb-right", right === true);
  if (right === false) cell.setAttribute("aria-invalid", "true");
  else cell.removeAttribute("aria-invalid");
}

function shiftBar(move) {
  const verdict = h("p", { role: "status" });
  const signs = { ArrowLeft: "←", ArrowUp: "↑", ArrowDown: "↓", ArrowRight: "→" };
  const buttons = Object.entries(signs).map(([key, sign]) =>
    button(sign, () => move(key, 1), { "aria-label": TEXT.arrows[key] }),
  );
  const update = ({ difference, shift, empty }) => {
    if (empty || !difference) return write(verdict, "");
    const { inside, border, step } = difference;
    const exact = shift.every((pixels) => pixels % step === 0);
    const found =
      exact || inside < 1e-9
        ? fill(TEXT.shiftSame, { border: show(border, 2) })
        : fill(TEXT.shiftBroken, { inside: show(inside, 2), steps: step });
    const moved = TEXT.moved[shift[0] < 0 ? "up" : "down"][shift[1] < 0 ? "left" : "right"];
    const by = fill(moved, { rows: Math.abs(shift[0]), columns: Math.abs(shift[1]) });
    write(verdict, `${by} ${shift.some(Boolean) ? found : TEXT.shiftNone}`);
  };
  return { node: h("div", {}, controls(...buttons), verdict), update };
}

const DIRECTIONS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** The squares of a color filter, each with the map it gives alone; the chosen one is shown below. */
function channelStrip(pick) {
  const canvases = new Map(TEXT.channels.map((name) => [name, h("canvas", { role: "img", "aria-label": name })]));
  const face = (name) => h("span", {}, canvases.get(name), name);
  const strip = choice(TEXT.channel, TEXT.channels, face, (name) => pick(TEXT.channels.indexOf(name)), "pictures");
  const sums = hint();
  const node = h("div", { class: "bb-channels" }, strip.node, sums);
  let painted;
  const update = (shown, channel) => {
    node.hidden = shown.planes.length === 1 || shown.empty || shown.mode === "shift";
    if (node.hidden) return;
    strip.set(TEXT.channels[channel]);
    const [red, green, blue] = shown.sums.map(({ result }) => show(result, 4));
    write(sums, fill(TEXT.channelSums, { red, green, blue }));
    if (painted === shown.key) return;
    painted = shown.key;
    shown.planes.forEach((plane, c) => {
      const part = conv2d([plane], shown.height, shown.width, [shown.kernel[c]], shown);
      const color = scaleOf({ ...shown, drawn: part }, node);
      paintPixels(canvases.get(TEXT.channels[c]), part.data, part.height, part.width, color);
    });
  };
  return { node, update };
}

// ---- The view -----------------------------------------------------------------------------------------------

export default widget(SETTINGS, (view, model) => {
  const [, height, width] = model.get("pixels").shape;
  const pictures = readPictures(model);
  const read = reader(model, pictures, height, width);
  const opening = Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)]));
  let shown = read();
  let channel = 0;

  // The pictures.
  const thumbnail = (name) => {
    const canvas = h("canvas", { role: "img", "aria-label": name });
    const { color, gray: plane } = pictures.get(name);
    paintPicture(canvas, color ?? [plane], height, width);
    return canvas;
  };
  const image = choice(TEXT.pictures, [...pictures.keys()], thumbnail, (name) => view.set({ image: name }), "pictures");
  const colors = Object.entries(TEXT.colors).map(([on, text]) => [on === "true", text]);
  const inColor = setting(view, "color", TEXT.color, colors);
  const mode = choice(
    TEXT.mode,
    Object.keys(TEXT.modes),
    (name) => TEXT.modes[name],
    (name) => setMode(name),
  );
  const input = mapPanel(TEXT.inputLabel, drawInput, () => shown, height, width);
  const output = mapPanel(TEXT.outputLabel, drawOutput, () => shown, height, width);
  const legend = h("div", { class: "bb-legend" });
  output.node.append(legend);

  // What to do with them.
  const advice = hint();
  const moveTo = (row, column) => {
    const { empty, map } = read();
    if (empty) return;
    const inside = (at, size) => Math.min(Math.max(at, 0), size - 1);
    view.set({ point: [inside(row, map.height), inside(column, map.width)] });
  };
  const slide = player(view, TEXT.player, (count) => advance(read(), count, view.set));
  // From the model as it is now: a reader may type into two cells within one frame.
  const sum = equation((i, j, weight) => view.set({ kernel: edited(read(), channel, i, j, weight) }));
  const guess = guessBar(
    () => shown,
    () => view.set({ point: tellingPoint(shown) }),
    sum.products,
  );
  const move = (key, pixels) => {
    const moved = model.get("shift").map((at, axis) => at + DIRECTIONS[key][axis] * pixels);
    view.set({ shift: moved.map((at) => Math.min(Math.max(at, -LARGEST_SHIFT), LARGEST_SHIFT)) });
  };
  const shift = shiftBar(move);
  const bars = { slide: slide.node, guess: guess.node, shift: shift.node };
  let aside = {}; // the reader's own point, put back after Slide and Guess, which choose theirs
  const setMode = (name) => {
    slide.stop();
    const before = { point: model.get("point"), ...aside };
    const own = { slide: { point: [0, 0] }, guess: { point: tellingPoint(shown) } }[name];
    view.set({ ...aside, ...own, mode: name });
    aside = own ? before : {};
  };

  // The filter and its geometry.
  const kernels = Object.fromEntries(model.get("kernels"));
  const named = [...Object.keys(kernels).map((name) => [name, name]), ["", TEXT.custom]];
  const filter = dropdown(TEXT.filter, named, (name) => name && view.set({ kernel: [kernels[name]] }));
  const number = (name, from, to) =>
    choice(TEXT[name], span(from, to), String, (value) =>
      view.set({ point: keptPlace(shown, { [name]: value }), [name]: value }),
    );
  const geometry = {
    stride: number("stride", 1, 4),
    padding: number("padding", 0, 3),
    dilation: number("dilation", 1, 3),
  };
  const size = choice(TEXT.size, span(1, LARGEST_SIZE), String, (value) =>
    view.set({
      point: keptPlace(shown, { size: value }),
      kernel: model.get("kernel").map((plane) => resized(plane, value)),
    }),
  );
  const after = dropdown(TEXT.after, Object.entries(TEXT.afters), (name) => view.set({ after: name }));
  const toOne = button(TEXT.sumToOne, () => view.set({ kernel: summedToOne(read().kernel) ?? read().kernel }));
  const turn = button(TEXT.turn, () => view.set({ kernel: model.get("kernel").map(turned) }));
  const random = button(TEXT.random, () =>
    view.set({ kernel: read().kernel.map((plane) => plane.map((row) => row.map(randomWeight))) }),
  );
  const reset = button(TEXT.reset, () => (slide.stop(), (channel = 0), view.set(opening), sum.refresh()));
  const formula = h("p", { class: "bb-formula" });
  const strip = channelStrip((index) => ((channel = index), paint()));
  const live = speaker(view);
  let asked;

  const paint = () => {
    shown = read();
    if (shown.planes.length <= channel) channel = 0;
    image.set(shown.image);
    inColor.set(shown.color && Boolean(shown.picture.color));
    inColor.node.hidden = !shown.picture.color || shown.mode === "guess";
    mode.set(shown.mode);
    for (const key of GEOMETRY) geometry[key].set(shown[key]);
    size.set(shown.size);
    after.set(shown.after);
    filter.set(Object.keys(kernels).find((name) => shown.kernel.every((plane) => same(plane, kernels[name]))) ?? "");
    toOne.disabled = !summedToOne(shown.kernel);
    for (const [name, bar] of Object.entries(bars)) bar.hidden = name !== shown.mode;
    write(advice, TEXT.hints[shown.mode]);
    write(formula, sizeFormula(shown));
    input.canvas.setAttribute("aria-label", shown.mode === "shift" ? TEXT.inputShiftLabel : TEXT.inputLabel);
    const inputCaption = shown.planes.length > 1 ? TEXT.colorCaption : TEXT.inputCaption;
    write(input.caption, fill(inputCaption, { height, width, channels: shown.planes.length }));
    const outputCaption = shown.mode === "shift" ? TEXT.differenceCaption : TEXT.outputCaption;
    write(output.caption, shown.empty ? TEXT.noOutput : fill(outputCaption, shown.drawn));
    input.draw();
    output.draw();
    drawLegend(legend, shown);
    strip.update(shown, channel);
    sum.update(shown, channel);
    shift.update(shown);
    // A new question empties the answers to the old one.
    const question = `${shown.mode} ${shown.key} ${shown.row} ${shown.column}`;
    if (question !== asked) guess.clear();
    asked = question;
    live.say(shown.mode === "look" ? spoken(shown) : "");
  };

  const root = body(
    "bb-conv",
    TEXT.title,
    controls(image.node, inColor.node),
    controls(mode.node),
    h("div", { class: "bb-pair" }, input.node, output.node),
    h("div", { class: "bb-mode" }, advice, bars.slide, bars.shift),
    controls(filter.node, size.node, turn, toOne, random),
    controls(geometry.stride.node, geometry.padding.node, geometry.dilation.node, after.node, reset),
    formula,
    strip.node,
    sum.node,
    bars.guess, // under the products, so that the answer stands where the sum would
    live.node,
  );
  for (const panel of [input, output]) {
    view.onResize(panel.canvas, panel.draw);
    steer(view, panel, read, { moveTo, move, height, width, isOutput: panel === output });
  }
  return { root, paint };
});

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
const randomWeight = () => Math.round(Math.random() * 20 - 10) / 10;
const spoken = (shown) =>
  shown.empty ? sizeFormula(shown) : fill(TEXT.sum, { row: shown.row, column: shown.column, sum: equals(shown.total) });

/** The kernel with one weight changed; a color picture has a square of weights for each channel. */
function edited({ kernel }, channel, i, j, weight) {
  return kernel.map((plane, c) =>
    plane.map((row, y) => row.map((old, x) => (c === channel && y === i && x === j ? weight : old))),
  );
}

/** Move the window on by `count` outputs, row by row; false at the end. From the end it begins again. */
function advance({ map, row, column, empty }, count, set) {
  if (empty) return false;
  const last = map.height * map.width - 1;
  const before = row * map.width + column;
  const at = before === last ? 0 : Math.min(before + count, last);
  set({ point: [Math.floor(at / map.width), at % map.width] });
  return at < last;
}

/** An output pixel worth asking for: among a handful of random ones, that with the strongest answer. */
function tellingPoint({ map }) {
  const tries = span(1, 12).map(() => Math.floor(Math.random() * map.data.length));
  const at = tries.reduce(
    (best, next) => (Math.abs(map.data[next]) > Math.abs(map.data[best]) ? next : best),
    tries[0],
  );
  return map.data.length ? [Math.floor(at / map.width), at % map.width] : [0, 0];
}

/** The output position whose middle weight lies on about the same pixel after a change of geometry. */
function keptPlace(before, changes) {
  const after = { ...before, ...changes };
  const moved = (at) => {
    const middle = at * before.stride - before.padding + (before.size >> 1) * before.dilation;
    return Math.max(0, Math.round((middle + after.padding - (after.size >> 1) * after.dilation) / after.stride));
  };
  return [moved(before.row), moved(before.column)];
}

/** Let the reader point into a picture, by pointer and by keys; in the mode "shift" the keys move the picture. */
function steer(view, { canvas }, current, { moveTo, move, height, width, isOutput }) {
  const pointTo = (event) => {
    const shown = current();
    if (shown.mode === "shift") return;
    const box = canvas.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * (width + 2 * MARGIN) - MARGIN;
    const y = ((event.clientY - box.top) / box.height) * (height + 2 * MARGIN) - MARGIN;
    if (isOutput) {
      const [left, top] = corner(shown);
      return moveTo(Math.floor(y - top) * shown.factor, Math.floor(x - left) * shown.factor);
    }
    // In the photograph the window's middle follows the pointer.
    const half = (shown.dilation * (shown.size - 1) + 1) / 2;
    const at = (place) => Math.round((place + shown.padding - half) / shown.stride);
    return moveTo(at(y), at(x));
  };
  drag(view, canvas, pointTo);
  keys(view, canvas, ({ key, shiftKey }) => {
    const { row, column, map, mode } = current();
    const step = shiftKey ? 10 : 1;
    const direction = DIRECTIONS[key];
    const corners = {
      Home: [row, 0],
      End: [row, map.width - 1],
      PageUp: [0, column],
      PageDown: [map.height - 1, column],
    };
    const target = direction ? [row + step * direction[0], column + step * direction[1]] : corners[key];
    if (!target) return false;
    if (mode !== "shift") moveTo(...target);
    else if (direction) move(key, 1);
  });
}
