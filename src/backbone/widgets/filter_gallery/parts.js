import { button, choice, controls, diverging, enlarged, fill, fold, h, hint, paintPixels, percent } from "../kit.js";
import { setting, show, table, told, write } from "../kit.js";
import { bestPlace, colors, largest, response, sorted } from "./maths.js";
import { TEXT } from "./text.js";

const AROUND = 4; // pixels shown around a patch
const ZOOM = 8; // canvas pixels a pixel there
// A picture put down a pixel aside each way, at its place last, leaves its edge around itself.
const AROUND_FIRST = [-1, 1, 0].flatMap((dy) => [-1, 1, 0].map((dx) => [dx, dy]));

/** Three decimals where they count, whole numbers where not. */
export const short = (value) => show(value, Math.abs(value) < 0.1 ? 3 : Math.abs(value) < 10 ? 2 : 1);

/** A filter's map over a photograph, and the best place in it. */
export function seenBy({ height, width, kernel, stride, pictures }, filter, image) {
  const map = response(pictures.get(image).numbers, height, width, filter.weights, stride);
  return { map, best: bestPlace(map, height, width, kernel, stride) };
}

function drawColors(canvas, weights, limit, kernel) {
  canvas.width = canvas.height = kernel;
  canvas.getContext("2d").putImageData(new ImageData(colors(weights, limit), kernel, kernel), 0, 0);
}

/** A frame that is seen on any picture: light in dark. */
function frame(context, x, y, side, line) {
  for (const [color, width] of [
    ["#000", 2.5 * line],
    ["#fff", line],
  ]) {
    context.strokeStyle = color;
    context.lineWidth = width;
    context.strokeRect(x, y, side, side);
  }
}

// ---- The filters --------------------------------------------------------------------------------------------

/**
 * All filters of a network in one picture, each with its edge once more around it: neighbors do not mix where it is
 * enlarged. A canvas for each would be 64 surfaces and more for a browser to hand over before the figure shows.
 */
function sheetOf(filters, kernel, limitOf) {
  const [cell, canvas] = [kernel + 2, h("canvas")];
  canvas.width = filters.length * cell;
  canvas.height = cell;
  const context = canvas.getContext("2d");
  filters.forEach((filter, at) => {
    const image = new ImageData(colors(filter.weights, limitOf(filter)), kernel, kernel);
    for (const [dx, dy] of AROUND_FIRST) context.putImageData(image, at * cell + 1 + dx, 1 + dy);
  });
  return `url(${canvas.toDataURL()})`;
}

/** Where a filter stands on the sheet, as a share of what the sheet is wider than its place. */
const placeOf = (at, count, kernel) => (at * (kernel + 2) + 1) / (count * (kernel + 2) - kernel);

/** The filters of one network, to choose from. */
export function tilesPart({ name, filters, limit }, kernel, pick) {
  const options = filters.map((_, number) => fill(TEXT.filter, { number }));
  const faces = options.map((label, at) => {
    const place = `${100 * placeOf(at, options.length, kernel)}% 50%`;
    return h("div", { role: "img", "aria-label": label, class: "bb-tile", style: `background-position: ${place}` });
  });
  const face = (option) => faces[options.indexOf(option)];
  const grid = choice(
    fill(TEXT.filters, { network: name }),
    options,
    face,
    (one) => pick(options.indexOf(one)),
    "pictures",
  );
  grid.node.classList.add("bb-tiles");
  const wide = 100 * (1 + 2 / kernel);
  grid.node.style.setProperty("--bb-wide", `${wide * options.length}% ${wide}%`);
  grid.node.querySelector("legend").classList.add("bb-hidden");
  const labels = [...grid.node.querySelectorAll("label")];
  const node = h("div", { "data-part": name }, h("p", { class: "bb-whose" }, name), grid.node);
  let done = "";
  const update = ({ order, stretched, network, filter }) => {
    grid.set(network === name ? options[filter] : null);
    if (done === `${order} ${stretched}`) return;
    done = `${order} ${stretched}`;
    const sheet = sheetOf(filters, kernel, ({ peak }) => (stretched ? peak : limit));
    grid.node.style.setProperty("--bb-sheet", sheet);
    grid.node.append(...sorted(filters, order).map((at) => labels[at]));
  };
  return { node, update };
}

// ---- What the chosen one does --------------------------------------------------------------------------------

/** The chosen filter, the photograph, and the map beside it; frames tell where it fits best. */
export function mapPart(data) {
  const large = h("canvas", { role: "img", class: "bb-large" });
  const photo = h("canvas", { role: "img", class: "bb-picture" });
  const map = h("canvas", { role: "img", class: "bb-map", "data-part": "map" });
  const [name, image] = [h("p", { class: "bb-name" }), h("p", { class: "bb-caption" })];
  large.width = large.height = data.kernel; // all have their form before they are drawn
  [photo, map].forEach((canvas) => Object.assign(canvas, { width: data.width, height: data.height }));
  const panel = (canvas, caption) => h("div", { class: "bb-panel" }, canvas, caption);
  const chosen = h("div", { class: "bb-chosen" }, large, name);
  const node = h(
    "div",
    { class: "bb-row" },
    chosen,
    panel(photo, image),
    panel(map, h("p", { class: "bb-caption" }, TEXT.map)),
  );
  let [drawn, scale] = [null, 0];
  const draw = () => drawMap(map, drawn.seen, drawn.own.off, (scale = scaleOf(map, drawn.seen)));
  const update = (shown) => {
    const { network, filter, own, seen } = (drawn = shown);
    write(name, `${fill(TEXT.filter, { number: filter })}, ${told(network)}`);
    write(image, shown.image);
    drawColors(large, own.weights, own.peak, data.kernel); // what it looks for, however weak it is
    large.setAttribute("aria-label", fill(TEXT.large, { number: filter, network }));
    photo.setAttribute("aria-label", told(shown.image));
    drawPhoto(photo, data, shown);
    draw();
    const values = { from: short(Math.min(...seen.map.data)), to: short(Math.max(...seen.map.data)) };
    map.setAttribute("aria-label", fill(TEXT.mapLabel, { number: filter, network, image: shown.image, ...values }));
  };
  const fit = () => !drawn || scaleOf(map, drawn.seen) === scale || draw();
  return { node, update, fit };
}

function drawPhoto(canvas, { pictures, kernel, width, height }, { image, seen, own }) {
  const zoom = 4;
  canvas.width = width * zoom;
  canvas.height = height * zoom;
  const context = canvas.getContext("2d");
  context.drawImage(pictures.get(image).canvas, 0, 0, canvas.width, canvas.height);
  if (!own.off && seen.best) frame(context, (seen.best.x - 2) * zoom, (seen.best.y - 2) * zoom, (kernel + 4) * zoom, 3);
}

/** How many of a screen's pixels wide a value of a map is drawn. */
const scaleOf = (canvas, { map }) =>
  Math.max(1, Math.round((canvas.clientWidth * devicePixelRatio * enlarged(canvas)) / map.width));

/** A map, each value a square, and a ring around its best place. */
function drawMap(canvas, { map, best }, off, scale) {
  const small = h("canvas");
  paintPixels(small, map.data, map.height, map.width, diverging(canvas, off ? Infinity : largest(map.data)));
  canvas.width = map.width * scale;
  canvas.height = map.height * scale;
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
  delete canvas.dataset.marked;
  if (off || !best) return;
  canvas.dataset.marked = `${best.row} ${best.column}`;
  context.strokeStyle = getComputedStyle(canvas).getPropertyValue("--bb-mark");
  context.lineWidth = Math.max(2, scale);
  context.beginPath();
  context.arc((best.column + 0.5) * scale, (best.row + 0.5) * scale, 3 * scale, 0, 2 * Math.PI);
  context.stroke();
}

/** Of each photograph the piece that fits best, the best photograph first; a press shows it with its map. */
export function patchesPart(data, pick) {
  const patches = [...data.pictures.keys()].map((_, rank) => {
    const canvas = h("canvas", { "aria-hidden": "true" }); // its title would be read after the button's name
    canvas.width = canvas.height = (data.kernel + 2 * AROUND) * ZOOM;
    return { canvas, node: button(canvas, () => pick(current[rank].image), { class: "bb-patch" }) };
  });
  let [current, done] = [[], null];
  const caption = h("p", { class: "bb-caption" });
  const node = h("div", {}, h("div", { class: "bb-patches" }, ...patches.map((patch) => patch.node)), caption);
  const update = ({ own, image }) => {
    node.classList.toggle("bb-off", own.off);
    write(caption, own.off ? TEXT.patchesOff : fill(TEXT.patches, { count: patches.length }));
    if (done !== own) {
      done = own;
      const places = [...data.pictures.keys()].map((one) => ({ image: one, ...seenBy(data, own, one).best }));
      current = places.sort((one, other) => other.score - one.score);
      patches.forEach((patch, rank) => drawPatch(patch, data, current[rank]));
    }
    patches.forEach((patch, rank) => patch.node.setAttribute("aria-pressed", current[rank].image === image));
  };
  return { node, update };
}

/** A piece of a picture with the window in a frame. Where the picture ends there is nothing. */
function drawPatch({ canvas, node }, { pictures, kernel }, place) {
  const source = pictures.get(place.image).canvas;
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  const side = kernel + 2 * AROUND;
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.drawImage(source, place.x - AROUND, place.y - AROUND, side, side, 0, 0, side * ZOOM, side * ZOOM);
  frame(context, AROUND * ZOOM - 3, AROUND * ZOOM - 3, kernel * ZOOM + 6, 2.5);
  const words = { image: place.image, row: place.y, column: place.x, score: short(place.score) };
  node.setAttribute("aria-label", fill(TEXT.patch, words));
  canvas.title = told(place.image);
}

// ---- The folds ----------------------------------------------------------------------------------------------

/** In which order the filters stand, and their scale of colors. */
export function morePart(view) {
  const order = setting(view, "order", TEXT.order, TEXT.orders);
  const texts = Object.entries(TEXT.scales).map(([on, text]) => [on === "true", text]);
  const stretched = setting(view, "stretched", TEXT.scale, texts);
  const advice = hint();
  const update = (shown) => {
    order.set(shown.order);
    stretched.set(shown.stretched);
    write(advice, TEXT.orderHints[shown.order]);
  };
  return { node: fold(TEXT.more, controls(order.node, stretched.node), advice), update };
}

/** What is measured of the chosen filter, and its weights, a picture a channel. */
export function numbersPart(kernel) {
  const facts = table(TEXT.numbers, [""], Object.values(TEXT.rows));
  const planes = Object.values(TEXT.channels).map((channel) => ({ channel, canvas: h("canvas", { role: "img" }) }));
  const panels = planes.map(({ channel, canvas }) => {
    return h("div", { class: "bb-panel" }, canvas, h("span", { class: "bb-caption" }, channel));
  });
  const node = fold(TEXT.numbers, facts.node, hint(TEXT.about), h("div", { class: "bb-planes" }, ...panels));
  const update = ({ own, limit, seen }) => {
    if (!node.open) return;
    const share = (value) => (own.off ? TEXT.unknown : percent(value));
    const ends = [Math.min(...seen.map.data), Math.max(...seen.map.data)];
    facts.update([short(own.strength), share(own.color), share(own.edges), ...ends.map(short)].map((text) => [text]));
    planes.forEach(({ channel, canvas }, c) => {
      const plane = own.weights.slice(c * kernel ** 2, (c + 1) * kernel ** 2);
      paintPixels(canvas, plane, kernel, kernel, diverging(node, limit));
      canvas.setAttribute("aria-label", fill(TEXT.weights, { channel, rows: plane.map(short).join(", ") }));
    });
  };
  return { node, update };
}
