// ConvolutionExplorer. The kit stands in front of this file (base.py).

const TEXT = {
  title: "Convolution explorer",
  pictures: "Photograph",
  filter: "Filter",
  custom: "your own",
  stride: "Stride",
  padding: "Padding",
  dilation: "Dilation",
  reset: "Start again",
  input: (height, width) => `photograph, ${height} × ${width}`,
  output: (height, width) => `feature map, ${height} × ${width}`,
  noOutput: "no feature map",
  inputLabel: "Photograph. Drag, or use the arrow keys, to move the window.",
  outputLabel: "Feature map. Drag, or use the arrow keys, to choose an output pixel.",
  hint: "Drag over either picture, or use the arrow keys. Type in the filter to change it.",
  window: "pixels in the window",
  weights: "filter",
  products: "products",
  productsOf: (unit) => `products, in units of 1/${unit}`,
  sumAt: (row, column) => `Output at row ${row}, column ${column}`,
  weight: (row, column) => `Weight, row ${row}, column ${column}`,
  pad: "padding: always 0",
  size: (name) => `output ${name} = `,
  height: "height",
  width: "width",
  side: "size",
  tooLarge: (reach, size) =>
    `The window reaches over ${reach} pixels, but the padded photograph has only ${size}. ` +
    "Lower the dilation or add padding.",
};
const STEPS = 100; // pixels come as hundredths
const MARGIN = 3; // room for the largest padding, so that the picture never changes its scale
const LARGEST_WEIGHT = 99;
const LARGEST_UNIT = 512;

// ---- Maths: pure functions, tested against Python -------------------------------------------------------------

/** Output pixels along one axis; 0 or less where the window does not fit. */
function outputSize(size, kernel, stride, padding, dilation) {
  return Math.floor((size + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;
}

/** Cross-correlation of one channel. `pixels`: height * width numbers, `kernel`: rows of weights. */
function conv2d(pixels, height, width, kernel, { stride, padding, dilation }) {
  const size = kernel.length;
  const outHeight = Math.max(0, outputSize(height, size, stride, padding, dilation));
  const outWidth = Math.max(0, outputSize(width, size, stride, padding, dilation));
  const output = new Float64Array(outHeight * outWidth);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      const weight = kernel[i][j];
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
          output[target + column] += weight * pixels[source + column * stride];
        }
      }
    }
  }
  return { data: output, height: outHeight, width: outWidth };
}

/** The pixels under the window at an output position, row by row; null where the window lies on padding. */
function field(pixels, height, width, size, row, column, { stride, padding, dilation }) {
  const at = (y, x) => (y < 0 || x < 0 || y >= height || x >= width ? null : pixels[y * width + x]);
  return Array.from({ length: size }, (_, i) =>
    Array.from({ length: size }, (_, j) =>
      at(row * stride - padding + i * dilation, column * stride - padding + j * dilation),
    ),
  );
}

/** The smallest whole number that makes every weight whole: 9 for a 3x3 mean. 1 where two decimals do. */
function unitOf(kernel) {
  const whole = (scale) => kernel.flat().every((weight) => Math.abs(weight * scale - Math.round(weight * scale)) < 1e-9);
  if (whole(100)) return 1;
  for (let unit = 2; unit <= LARGEST_UNIT; unit++) if (whole(unit)) return unit;
  return 1;
}

/** A weight as it is typed: 0.25 where two decimals say all weights of its filter, else 1/9. */
function weightText(weight, unit = unitOf([[weight]])) {
  if (unit === 1) return show(weight, 3);
  let [top, bottom] = [Math.round(weight * unit), unit];
  for (let divisor = 2; divisor <= bottom; divisor++) {
    while (top % divisor === 0 && bottom % divisor === 0) [top, bottom] = [top / divisor, bottom / divisor];
  }
  return bottom === 1 ? show(top) : `${show(top)}/${bottom}`;
}

/** The written-out sum: products in units of 1/unit, their total, and the result, each as the page prints it. */
function arithmetic(values, kernel) {
  const unit = unitOf(kernel);
  const products = kernel.map((row, i) => row.map((weight, j) => (values[i][j] ?? 0) * weight * unit));
  const total = products.flat().reduce((sum, product) => sum + product, 0);
  return { unit, products, total, result: total / unit };
}

/** How many decimals the products need so that none is rounded: two for whole weights, four at most. */
function decimals(products) {
  const exact = (digits) => products.flat().every((value) => Math.abs(value * 10 ** digits - Math.round(value * 10 ** digits)) < 1e-6);
  return [2, 3, 4].find(exact) ?? 4;
}

/** A product with its column's decimals; 0 stays short, so that the weights that do nothing stand back. */
function productText(value, digits) {
  return value === 0 ? "0" : value.toFixed(digits).replace("-", "−");
}

/** " = 1.24" where four decimals say it all, " ≈ 0.4789" where they do not. */
function equals(value) {
  return (Math.abs(value * 1e4 - Math.round(value * 1e4)) < 1e-6 ? "= " : "≈ ") + show(value, 4);
}

// ---- The view -----------------------------------------------------------------------------------------------

const GEOMETRY = ["stride", "padding", "dilation"];
const SETTINGS = ["image", "kernel", ...GEOMETRY, "point"];

function render({ model, el }) {
  const view = scope(model);
  const [, height, width] = model.get("shape");
  const stack = Float64Array.from(array(model, "pixels"), (hundredths) => hundredths / STEPS);
  const pictures = new Map(
    model.get("names").map((name, i) => [name, stack.subarray(i * height * width, (i + 1) * height * width)]),
  );
  const opening = Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)]));
  const parts = build(model, pictures, height, width, opening);
  const root = h("div", { class: "bb-widget bb-conv", role: "group", "aria-label": TEXT.title }, ...parts.nodes);
  el.append(root);

  let shown; // what the last paint computed
  const repaint = () => {
    shown = compute(model, pictures, height, width);
    parts.update(shown);
  };
  view.onChange(SETTINGS, () => view.soon(repaint));
  for (const map of [parts.input, parts.output]) {
    view.onResize(map.canvas, () => map.draw(shown));
    steer(view, map, model, () => shown);
  }
  repaint();
  return () => {
    view.dispose();
    root.remove();
  };
}

/** The index nearest to `at` on an axis of `size` pixels. */
const inside = (at, size) => Math.max(0, Math.min(at, size - 1));

/** Everything on the screen, from the model's settings. */
function compute(model, pictures, height, width) {
  const settings = Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)]));
  const pixels = pictures.get(settings.image);
  const map = conv2d(pixels, height, width, settings.kernel, settings);
  const empty = !map.height || !map.width;
  const [row, column] = [inside(settings.point[0], map.height), inside(settings.point[1], map.width)];
  const size = settings.kernel.length;
  const values = field(pixels, height, width, size, row, column, settings);
  return { ...settings, pixels, height, width, map, empty, row, column, size, values };
}

/** Make the controls and panels once; `update` writes into them. */
function build(model, pictures, height, width, opening) {
  const set = (changes) => {
    for (const [name, value] of Object.entries(changes)) model.set(name, value);
    model.save_changes();
  };
  const thumbnail = (name) => {
    const canvas = h("canvas", { role: "img", "aria-label": name });
    paintPixels(canvas, pictures.get(name), height, width, gray(1));
    return canvas;
  };
  const kernels = model.get("kernels");
  const image = choice(TEXT.pictures, [...pictures.keys()], thumbnail, (name) => set({ image: name }), "pictures");
  const named = [...Object.keys(kernels).map((name) => [name, name]), ["", TEXT.custom]];
  const filter = dropdown(TEXT.filter, named, (name) => name && set({ kernel: kernels[name] }));
  const number = (name, from, to) =>
    choice(TEXT[name], span(from, to), String, (value) => set({ ...keepPlace(model, name, value), [name]: value }));
  const geometry = { stride: number("stride", 1, 4), padding: number("padding", 0, 3), dilation: number("dilation", 1, 3) };
  const input = mapPanel(TEXT.inputLabel, drawInput, height, width);
  const output = mapPanel(TEXT.outputLabel, drawOutput, height, width);
  const legend = h("div", { class: "bb-legend" });
  output.node.append(legend);
  const formula = h("p", { class: "bb-formula" });
  const sum = equation((i, j, weight) =>
    set({ kernel: model.get("kernel").map((row, y) => row.map((old, x) => (y === i && x === j ? weight : old))) }),
  );
  const live = h("p", { class: "bb-hidden", role: "status" });
  let speaking = null; // the timer of what is to be said next; nothing is said before the reader acts
  const reset = h("button", { type: "button", class: "bb-button", onclick: () => (set(opening), sum.refresh()) }, TEXT.reset);

  const update = (shown) => {
    image.set(shown.image);
    const name = Object.keys(kernels).find((key) => JSON.stringify(kernels[key]) === JSON.stringify(shown.kernel));
    filter.set(name ?? "");
    for (const key of GEOMETRY) geometry[key].set(shown[key]);
    write(formula, sizeFormula(shown));
    input.draw(shown);
    output.draw(shown);
    write(input.caption, TEXT.input(shown.height, shown.width));
    write(output.caption, shown.empty ? TEXT.noOutput : TEXT.output(shown.map.height, shown.map.width));
    drawLegend(legend, shown);
    sum.update(shown);
    clearTimeout(speaking);
    speaking = speaking === null ? 0 : setTimeout(() => write(live, sum.spoken(shown)), 300);
  };
  const controls = h("div", { class: "bb-controls" }, filter.node, ...GEOMETRY.map((key) => geometry[key].node), reset);
  return {
    nodes: [image.node, h("div", { class: "bb-pair" }, input.node, output.node), h("p", { class: "bb-hint" }, TEXT.hint), controls, formula, sum.node, live],
    input,
    output,
    update,
  };
}

const span = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** The output position that explains about the same place in the photograph after a change of geometry. */
function keepPlace(model, name, value) {
  const before = Object.fromEntries(GEOMETRY.map((key) => [key, model.get(key)]));
  const after = { ...before, [name]: value };
  const half = (model.get("kernel").length - 1) / 2;
  const moved = (at) => {
    const center = at * before.stride - before.padding + half * before.dilation;
    return Math.max(0, Math.round((center + after.padding - half * after.dilation) / after.stride));
  };
  return { point: model.get("point").map(moved) };
}

/** A picture the reader can point into: canvas, caption, and `draw`. */
function mapPanel(label, paint, height, width) {
  const canvas = h("canvas", { tabindex: 0, role: "application", "aria-label": label });
  canvas.style.aspectRatio = `${width + 2 * MARGIN} / ${height + 2 * MARGIN}`;
  const caption = h("div", { class: "bb-caption" });
  const buffer = h("canvas");
  const draw = (shown) => {
    if (!shown || !canvas.clientWidth) return;
    const ratio = devicePixelRatio || 1;
    canvas.width = Math.round(canvas.clientWidth * ratio);
    canvas.height = Math.round(canvas.clientHeight * ratio);
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.scale(canvas.width / (width + 2 * MARGIN), canvas.height / (height + 2 * MARGIN));
    context.translate(MARGIN, MARGIN); // from here on one unit is one input pixel
    paint(context, buffer, shown, canvas);
  };
  return { node: h("div", { class: "bb-panel" }, canvas, caption), canvas, caption, draw, height, width, isOutput: paint === drawOutput };
}

function drawInput(context, buffer, shown, canvas) {
  const { height, width, padding, stride, dilation, size, row, column } = shown;
  if (padding) {
    context.fillStyle = "#000"; // padding is zeros, and zero is black in a photograph
    context.fillRect(-padding, -padding, width + 2 * padding, height + 2 * padding);
  }
  paintPixels(buffer, shown.pixels, height, width, gray(1));
  context.drawImage(buffer, 0, 0);
  if (padding) outline(context, canvas, 0, 0, width, height, 0.75, "#888");
  if (shown.empty) return;
  const reach = dilation * (size - 1) + 1;
  const [left, top] = [column * stride - padding, row * stride - padding];
  mark(context, canvas, left, top, reach, reach);
  if (dilation === 1) return;
  context.fillStyle = getComputedStyle(canvas).getPropertyValue("--bb-mark");
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) context.fillRect(left + j * dilation, top + i * dilation, 1, 1);
  }
}

function drawOutput(context, buffer, shown, canvas) {
  const { map, row, column } = shown;
  if (shown.empty) return;
  paintPixels(buffer, map.data, map.height, map.width, scaleOf(shown, canvas));
  const [x, y] = outputCorner(shown);
  context.drawImage(buffer, x, y);
  outline(context, canvas, x, y, map.width, map.height, 0.75, "#888");
  mark(context, canvas, x + column, y + row, 1, 1);
}

/** Where the output lies in its panel, at the photograph's own scale: in the middle. */
function outputCorner({ map, height, width }) {
  return [Math.round((width - map.width) / 2), Math.round((height - map.height) / 2)];
}

/** Without negative weights the result is a photograph again and is painted as one. */
function isPhotograph(shown) {
  return shown.kernel.flat().every((weight) => weight >= 0);
}

function limitOf(shown) {
  let limit = 0;
  for (const value of shown.map.data) limit = Math.max(limit, Math.abs(value));
  return isPhotograph(shown) ? Math.max(limit, 1) : limit;
}

function scaleOf(shown, node) {
  const limit = limitOf(shown);
  return isPhotograph(shown) ? gray(limit) : signed(limit, paletteColor(node, "positive"), paletteColor(node, "negative"));
}

function outline(context, canvas, x, y, width, height, thickness, color) {
  const unit = context.getTransform().a;
  context.lineWidth = (thickness * (devicePixelRatio || 1)) / unit;
  context.strokeStyle = color;
  context.strokeRect(x, y, width, height);
}

/** A frame that shows on every ground, with a light line outside a dark one, and never smaller than 9 px. */
function mark(context, canvas, x, y, width, height) {
  const pixel = (devicePixelRatio || 1) / context.getTransform().a;
  const grow = Math.max(0, (9 * pixel - Math.min(width, height)) / 2);
  const frame = [x - grow, y - grow, width + 2 * grow, height + 2 * grow];
  outline(context, canvas, ...frame, 5, "#fff");
  outline(context, canvas, ...frame, 2.5, getComputedStyle(canvas).getPropertyValue("--bb-mark"));
}

function drawLegend(node, shown) {
  const limit = limitOf(shown).toFixed(2);
  const photograph = isPhotograph(shown);
  node.hidden = shown.empty;
  node.classList.toggle("bb-legend-gray", photograph);
  const labels = photograph ? ["0", limit] : [`−${limit}`, "0", `+${limit}`];
  const bar = h("span", { class: "bb-ramp", "aria-hidden": "true" });
  node.replaceChildren(bar, ...labels.map((label) => h("span", {}, label)));
}

/** The size formula with the numbers put in. */
function sizeFormula({ height, width, size, stride, padding, dilation, map }) {
  const one = (name, pixels, result) =>
    `${TEXT.size(name)}⌊(${pixels} + 2·${padding} − ${dilation}·(${size} − 1) − 1) / ${stride}⌋ + 1 = ${Math.max(result, 0)}`;
  if (!map.height || !map.width) {
    return TEXT.tooLarge(dilation * (size - 1) + 1, Math.min(height, width) + 2 * padding);
  }
  if (height === width) return one(TEXT.side, height, map.height);
  return `${one(TEXT.height, height, map.height)};  ${one(TEXT.width, width, map.width)}`;
}

/** Window, filter and products as three grids with the sum below; the filter's cells can be edited. */
function equation(changeWeight) {
  const grids = h("div", { class: "bb-equation" });
  const text = h("span");
  const result = h("p", { class: "bb-result" }, text);
  const node = h("div", {}, grids, result);
  let cells = { size: 0 };

  const rebuild = (size) => {
    const kernelCells = [];
    const grid = (label, make) => {
      const caption = h("div", { class: "bb-caption" }, label);
      const all = [];
      const body = h("div", { class: "bb-grid" });
      body.style.setProperty("--bb-size", size);
      for (let i = 0; i < size; i++) {
        for (let j = 0; j < size; j++) {
          all.push(make(i, j));
          body.append(all.at(-1));
        }
      }
      return { node: h("div", { class: "bb-panel", role: "group", "aria-label": label }, caption, body), caption, all };
    };
    const plain = () => h("span", { class: "bb-cell" });
    const pixels = grid(TEXT.window, plain);
    const weights = grid(TEXT.weights, (i, j) => {
      const cell = numberCell(TEXT.weight(i + 1, j + 1), LARGEST_WEIGHT, (weight) => changeWeight(i, j, weight));
      kernelCells.push(cell);
      return cell.node;
    });
    const products = grid(TEXT.products, plain);
    // A sign and the grid behind it stay together where the line is too short for all three.
    const after = (sign, { node }) =>
      h("div", { class: "bb-term" }, h("span", { class: "bb-operator", "aria-hidden": "true" }, sign), node);
    grids.replaceChildren(pixels.node, after("×", weights), after("=", products));
    cells = { size, pixels, kernelCells, products };
  };

  const update = (shown) => {
    if (shown.size !== cells.size) rebuild(shown.size);
    const { unit, products, total, result: value } = arithmetic(shown.values, shown.kernel);
    shown.values.flat().forEach((pixel, i) => drawPixelCell(cells.pixels.all[i], pixel));
    shown.kernel.flat().forEach((weight, i) => {
      cells.kernelCells[i].set(weightText(weight, unit));
      tint(cells.kernelCells[i].node, weight, Math.max(...shown.kernel.flat().map(Math.abs)));
    });
    const digits = decimals(products);
    const largest = Math.max(...products.flat().map(Math.abs));
    products.flat().forEach((product, i) => {
      write(cells.products.all[i], productText(product, digits));
      tint(cells.products.all[i], product, largest);
    });
    write(cells.products.caption, unit === 1 ? TEXT.products : TEXT.productsOf(unit));
    grids.hidden = result.hidden = shown.empty;
    write(text, sumText(shown, products, unit, total, value));
    result.dataset.longest = shown.empty ? "" : longestSum(shown);
  };
  const spoken = (shown) =>
    shown.empty ? sizeFormula(shown) : `${TEXT.sumAt(shown.row, shown.column)} ${equals(arithmetic(shown.values, shown.kernel).result)}`;
  return { node, update, spoken, refresh: () => cells.kernelCells?.forEach((cell) => cell.refresh()) };
}

/** "Output at row 3, column 4 = 0.1 + 0.2 − 0.05 = 0.25": the products that are not zero, and their sum. */
function sumText(shown, products, unit, total, value) {
  const digits = decimals(products);
  const terms = products
    .flat()
    .filter((product) => product !== 0)
    .map((product, i) => (i ? (product < 0 ? " − " : " + ") + productText(Math.abs(product), digits) : productText(product, digits)));
  const sum = terms.length ? terms.join("") : "0";
  const place = TEXT.sumAt(shown.row, shown.column);
  if (unit > 1) return `${place} = ${terms.length > 1 ? `(${sum}) / ${unit} = ` : ""}${show(total)} / ${unit} ${equals(value)}`;
  return terms.length > 1 ? `${place} = ${sum} ${equals(value)}` : `${place} ${equals(value)}`;
}

/** The longest sum this filter can have at any place. Room for it is kept, so that nothing jumps while one moves. */
function longestSum({ kernel, map }) {
  const long = 1.11; // a pixel that gives all its decimals to each product
  const { unit, products, total, result } = arithmetic(
    kernel.map((row) => row.map(() => long)),
    kernel.map((row) => row.map((weight) => -Math.abs(weight))),
  );
  return sumText({ row: map.height - 1, column: map.width - 1 }, products, unit, total, Math.floor(result) - 0.12345);
}

function drawPixelCell(cell, pixel) {
  write(cell, (pixel ?? 0).toFixed(2));
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

/** Let the reader point into a picture, by pointer and by keys. */
function steer(view, map, model, shown) {
  const moveTo = (row, column) => {
    const { map: output, empty } = shown();
    if (empty) return;
    model.set("point", [inside(row, output.height), inside(column, output.width)]);
    model.save_changes();
  };
  const pointTo = (event) => {
    const box = map.canvas.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * (map.width + 2 * MARGIN) - MARGIN;
    const y = ((event.clientY - box.top) / box.height) * (map.height + 2 * MARGIN) - MARGIN;
    const now = shown();
    if (map.isOutput) {
      const [left, top] = outputCorner(now);
      return moveTo(Math.floor(y - top), Math.floor(x - left));
    }
    // In the photograph the window's middle follows the pointer.
    const half = (now.dilation * (now.size - 1) + 1) / 2;
    const at = (place) => Math.round((place + now.padding - half) / now.stride);
    return moveTo(at(y), at(x));
  };
  const canvas = map.canvas;
  view.listen(canvas, "pointerdown", (event) => {
    if (event.button) return;
    canvas.setPointerCapture(event.pointerId);
    pointTo(event);
  });
  view.listen(canvas, "pointermove", (event) => canvas.hasPointerCapture(event.pointerId) && pointTo(event));
  view.listen(canvas, "keydown", (event) => {
    const { map: output } = shown();
    const point = model.get("point"); // not the one shown: two keys may come in one frame
    const [row, column] = [inside(point[0], output.height), inside(point[1], output.width)];
    const step = event.shiftKey ? 10 : 1;
    const target = {
      ArrowUp: [row - step, column],
      ArrowDown: [row + step, column],
      ArrowLeft: [row, column - step],
      ArrowRight: [row, column + step],
      Home: [row, 0],
      End: [row, output.width - 1],
      PageUp: [0, column],
      PageDown: [output.height - 1, column],
    }[event.key];
    if (!target || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    moveTo(...target);
  });
}

export { arithmetic, conv2d, field, outputSize, unitOf, weightText };
export default { render };
