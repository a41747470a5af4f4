import { button, choice, dropdown, fill, fixed, fold, h, hint, numberCell, paintPixels, paintPlanes } from "../kit.js";
import { setting, show, write } from "../kit.js";
import { conv2d, decimals, edited, keptPlace, productText, resized, span, summedToOne, turned } from "./maths.js";
import { cellText, weightText, unitOf } from "./maths.js";
import { scaleOf } from "./pictures.js";
import { GEOMETRY, strongestOf, sumsOf, sumText } from "./shown.js";
import { TEXT } from "./text.js";
// What stands around the two pictures.

const LARGEST_WEIGHT = 99;
const LARGEST_SIZE = 5;
const RANGES = { stride: [1, 4], padding: [0, 3], dilation: [1, 3] };

/** Color a cell by its sign and size; at most half strength, so that the number on it stays easy to read. */
function tint(cells, values) {
  const largest = Math.max(...values.map(Math.abs));
  values.forEach((value, i) => {
    const strength = largest ? (45 * Math.abs(value)) / largest : 0;
    const color = `color-mix(in srgb, var(--bb-${value < 0 ? "negative" : "positive"}) ${strength}%, transparent)`;
    cells[i].style.background = color;
  });
}

/** A square of cells that `make(row, column)` gives; `role` is that of the whole, and where it is a table it has rows. */
function square(role, label, size, make) {
  const cells = span(0, size * size - 1).map((at) => make(Math.floor(at / size), at % size));
  const row = (i) => h("div", { role: "row" }, ...cells.slice(i * size, (i + 1) * size));
  const parts = role === "table" ? span(0, size - 1).map(row) : cells;
  const node = h("div", { class: "bb-conv-square", role, "aria-label": label }, ...parts);
  node.style.setProperty("--bb-size", size);
  return { node, cells };
}

// ---- The filter ---------------------------------------------------------------------------------------------

/** The filter's name and its cells, which the reader edits. `change` gets the whole kernel. */
export function filterPart(current, look, kernels, change) {
  const named = [...Object.keys(kernels).map((name) => [name, name]), ["", TEXT.custom]];
  const filter = dropdown(TEXT.filter, named, (name) => name && change([kernels[name]]));
  const place = h("div", { class: "bb-conv-cells" });
  let cells = [];
  const rebuild = (size) => {
    cells = [];
    const made = square("group", TEXT.weights, size, (i, j) => {
      const label = fill(TEXT.weight, { row: i, column: j });
      const cell = numberCell(label, LARGEST_WEIGHT, (weight) =>
        change(edited(current().kernel, look.channel, i, j, weight)),
      );
      cells.push(cell);
      return cell.node;
    });
    place.replaceChildren(made.node);
  };
  const update = ({ kernel, size }) => {
    if (cells.length !== size * size) rebuild(size);
    const weights = kernel[look.channel].flat();
    const unit = unitOf(kernel);
    weights.forEach((weight, i) => cells[i].set(cellText(weight, unit, size)));
    tint(
      cells.map((cell) => cell.node),
      weights,
    );
    const same = (name) => kernel.every((plane) => JSON.stringify(plane) === JSON.stringify(kernels[name]));
    filter.set(Object.keys(kernels).find(same) ?? "");
  };
  const node = h("div", { class: "bb-conv-filter", "data-part": "filter" }, filter.node, place);
  return { node, update, refresh: () => cells.forEach((cell) => cell.refresh()) };
}

/** The squares of a color filter, each with the map it gives alone; the chosen one stands in the cells. */
export function channelStrip(look, repaint) {
  const canvases = new Map(TEXT.channels.map((name) => [name, h("canvas", { "aria-hidden": "true" })]));
  const face = (name) => h("span", {}, canvases.get(name), name);
  const pick = (name) => ((look.channel = TEXT.channels.indexOf(name)), repaint());
  const strip = choice(TEXT.channel, TEXT.channels, face, pick, "pictures");
  const node = h("div", { class: "bb-conv-strip", "data-part": "squares" }, strip.node);
  let painted;
  const update = (shown) => {
    node.classList.toggle("bb-conv-none", shown.planes.length === 1 || shown.empty);
    strip.set(TEXT.channels[look.channel]);
    if (painted === shown.drawnKey || shown.planes.length === 1 || shown.empty) return;
    painted = shown.drawnKey;
    shown.planes.forEach((plane, c) => {
      const part = conv2d([plane], shown.height, shown.width, [shown.kernel[c]], shown);
      const color = scaleOf({ ...shown, drawn: part }, node);
      paintPixels(canvases.get(TEXT.channels[c]), part.data, part.height, part.width, color);
    });
  };
  return { node, update };
}

// ---- The fold "Numbers" -------------------------------------------------------------------------------------

/** Window, filter and products as three squares, with the sum in all its steps. */
export function numbersPart(view, look) {
  const [terms, sum, strongest] = [h("div", { class: "bb-conv-equation" }), hint(), hint()];
  sum.classList.add("bb-conv-sum");
  const node = fold(TEXT.numbers, terms, sum, strongest);
  view.listen(node, "toggle", view.repaint);
  let squares = [];
  const rebuild = (size) => {
    const make = () => h("span", { class: "bb-cell", role: "cell" });
    squares = [TEXT.window, TEXT.weights, TEXT.products].map((name) => {
      const caption = h("div", { class: "bb-caption", "aria-hidden": "true" }, name); // the table says it
      const made = square("table", name, size, make);
      return { ...made, caption, panel: h("div", { class: "bb-panel" }, caption, made.node) };
    });
    terms.replaceChildren(...squares.map(({ panel }) => panel));
  };
  const update = (shown) => {
    if (shown.empty) return;
    if (squares[0]?.cells.length !== shown.size ** 2) rebuild(shown.size);
    const [pixels, weights, products] = squares;
    const found = sumsOf(shown);
    const { unit } = found;
    found.values[look.channel].flat().forEach((pixel, i) => drawPixel(pixels.cells[i], pixel));
    const filter = shown.kernel[look.channel].flat();
    filter.forEach((weight, i) => write(weights.cells[i], weightText(weight, unit)));
    tint(weights.cells, filter);
    const own = found.sums[look.channel].products.flat();
    const digits = decimals(found.sums.map((one) => one.products));
    own.forEach((product, i) => write(products.cells[i], productText(product, digits)));
    tint(products.cells, own);
    const name = unit === 1 ? TEXT.products : fill(TEXT.productsOf, { unit });
    write(products.caption, name);
    products.node.setAttribute("aria-label", name);
    write(sum, sumText(shown, found));
    write(strongest, fill(TEXT.strongest, { value: show(strongestOf(shown), 2) }));
  };
  return { node, update };
}

function drawPixel(cell, pixel) {
  write(cell, fixed(pixel ?? 0, 2));
  cell.classList.toggle("bb-pad", pixel === null);
  cell.title = pixel === null ? TEXT.pad : "";
  const level = Math.round(255 * (pixel ?? 0));
  cell.style.background = pixel === null ? "" : `rgb(${level} ${level} ${level})`;
  cell.style.color = pixel === null ? "" : level > 117 ? "#000" : "#fff";
}

// ---- Settings -----------------------------------------------------------------------------------------------

/** A picture of each photograph, to choose from. */
export function photographs(view, pictures, height, width) {
  const face = (name) => {
    const canvas = h("canvas", { role: "img", "aria-label": name });
    const { color, gray } = pictures.get(name);
    paintPlanes(canvas, color ?? [gray], height, width, 1);
    return canvas;
  };
  const pick = (image) => view.set({ image });
  const image = choice(TEXT.pictures, [...pictures.keys()], face, pick, "pictures");
  return { node: image.node, update: (shown) => image.set(shown.image) };
}

/** Stride, padding and dilation, by name; the window keeps its place. */
function geometryPart(view, current, name) {
  const one = choice(TEXT[name], span(...RANGES[name]), String, (value) =>
    view.set({ point: keptPlace(current(), { [name]: value }), [name]: value }),
  );
  return { node: one.node, update: (shown) => one.set(shown[name]) };
}

/** How many cells a side of the filter has. */
export function sizePart(view, current) {
  const size = choice(TEXT.size, span(1, LARGEST_SIZE), String, (value) => {
    const kernel = current().kernel.map((plane) => resized(plane, value));
    view.set({ point: keptPlace(current(), { size: value }), kernel });
  });
  return { node: size.node, update: (shown) => size.set(shown.size) };
}

/** Gray or color, and what follows the convolution. */
export function layerPart(view) {
  const colors = Object.entries(TEXT.colors).map(([on, text]) => [on === "true", text]);
  const color = setting(view, "color", TEXT.color, colors);
  const after = dropdown(TEXT.after, Object.entries(TEXT.afters), (name) => view.set({ after: name }));
  const update = (shown) => {
    color.set(shown.color && shown.planes.length > 1);
    color.node.disabled = !shown.picture.color;
    after.set(shown.after);
  };
  return { nodes: [color.node, after.node], update };
}

const randomWeight = () => Math.round(Math.random() * 20 - 10) / 10;

/** What can be done to a whole filter. */
export function filterButtons(current, change) {
  const each = (edit) => () => change(current().kernel.map(edit));
  const toOne = button(TEXT.sumToOne, () => change(summedToOne(current().kernel) ?? current().kernel));
  const random = each((plane) => plane.map((row) => row.map(randomWeight)));
  const update = ({ kernel }) => (toOne.disabled = !summedToOne(kernel));
  return { nodes: [button(TEXT.turn, each(turned)), toOne, button(TEXT.random, random)], update };
}

/** Parts that one fold holds. */
export function folded(view, parts) {
  const rows = parts.map((row) =>
    h("div", { class: "bb-controls" }, ...row.flatMap((part) => part.nodes ?? part.node)),
  );
  const update = (shown) => parts.flat().forEach((part) => part.update?.(shown));
  return { node: fold(TEXT.more, ...rows), update };
}

export const geometry = (view, current) => GEOMETRY.map((name) => geometryPart(view, current, name));
