import { ARROWS, button, choice, clamp, controls, diverging, drag, fill, fixed, fold, gray, h, keys } from "../kit.js";
import { paintPixels, percent, setting, table, told, write } from "../kit.js";
import { brushPart } from "../brush.js";
import { sheet, spot } from "../canvas.js";
import { apportion, biasOf, largestTerms, LAYERS, layout, NAMES, partsOf, SIDE, strongestPlace } from "./maths.js";
import { termsOf, unitAt, valueAt } from "./maths.js";
import { TEXT } from "./text.js";

const RADII = { thin: 0.8, thick: 2 };
export const COVER = 8; // pixels along its sides
const TERMS = 6; // rows of the sum

/** "99.7 %"; never 100 or 0 where it is not quite. */
export function shareText(share) {
  if (share > 0.9995 && share < 1) return `>${percent(0.999, 1)}`;
  return share < 0.0005 && share > 0 ? `<${percent(0.001, 1)}` : percent(share, 1);
}

// ---- The picture ------------------------------------------------------------------------------------------------

/** The picture, which the hand draws on, or covers: `paint(from, to)` draws a stroke, `cover(place)` moves the square. */
export function picturePart(view, shown, pen, { paint, cover, settled }) {
  const buffer = h("canvas");
  const look = { class: "bb-maps-picture", tabindex: 0, role: "application", "data-part": "picture" };
  const { canvas, draw } = sheet(look, "1", (context, width, _, colors) => {
    const { image, covers, coverAt, way } = shown();
    const scale = width / SIDE;
    paintPixels(buffer, image, SIDE, SIDE, gray(255));
    context.imageSmoothingEnabled = false;
    context.drawImage(buffer, 0, 0, width, width);
    context.strokeStyle = colors.mark;
    context.lineWidth = 2;
    const mark = ({ top, left, height, width: wide }) => {
      context.strokeRect(left * scale, top * scale, wide * scale, height * scale);
    };
    const square = ([top, left], side) => mark({ top, left, height: side, width: side });
    mark(way.at(-1).boxes[0]); // what the lit unit reads
    context.strokeStyle = colors.positive;
    if (covers) square(coverAt, COVER);
    else if (brush.cursor()) square(brush.cursor(), 1);
  });
  const brush = brushPart(view, canvas, SIDE, {
    paint: (from, to) => paint(from, to, pen()),
    settled,
    draw,
    other: () =>
      shown().covers && {
        point: (place) => cover(place.map((at) => Math.round(at - COVER / 2))),
        go: (step) => cover(shown().coverAt.map((at, axis) => at + step[axis])),
      },
  });
  const update = () => {
    canvas.setAttribute("aria-label", shown().covers ? TEXT.cover : TEXT.picture);
    draw();
  };
  return { node: canvas, update };
}

// ---- The network ------------------------------------------------------------------------------------------------

/** All units of the network on one canvas, and on them what the chosen one reads, back to the picture. */
export function networkPart(view, classes, shown, { point, pick }) {
  const buffers = Object.fromEntries(NAMES.map((name) => [name, h("canvas")]));
  let plan = layout(688);
  const look = { class: "bb-maps-network", tabindex: 0, role: "application", "aria-label": TEXT.network };
  const { canvas, draw } = sheet({ ...look, "data-part": "network" }, "", (context, width, height, colors) => {
    const now = shown();
    context.imageSmoothingEnabled = false;
    for (const name of NAMES) {
      const { x, y } = plan.layers[name];
      context.fillStyle = colors.ink;
      context.textBaseline = "top";
      if (name !== "fc3" || !plan.upright) context.fillText(TEXT.layers[name], x, y);
      if (name === "fc3") paintAnswers(context, plan.layers.fc3.cells, classes, now, colors);
      else paintLayer(context, buffers[name], plan.layers[name].cells, name, now, canvas);
    }
    paintWay(context, plan, now.way, colors);
  });
  const found = (event) => {
    const { x, y } = spot(canvas, event);
    return unitAt(plan, x, y);
  };
  const press = (event) => {
    const unit = found(event);
    if (unit) pick(unit);
  };
  drag(view, canvas, press);
  view.listen(canvas, "pointermove", (event) => {
    if (event.pointerType !== "touch" && !canvas.hasPointerCapture(event.pointerId)) point(found(event));
  });
  view.listen(canvas, "pointerleave", () => point(null));
  keys(view, canvas, (event) => steerNetwork(event, shown(), pick));
  const resize = (place) => {
    if (!canvas.clientWidth) return;
    plan = layout(canvas.clientWidth);
    canvas.style.height = `${plan.height}px`;
    place(plan);
    draw();
  };
  return { node: canvas, resize };
}

/** Arrow keys: the next layer or unit; with Shift the place in its map. */
function steerNetwork({ key, shiftKey }, { maps, chosen }, pick) {
  const { layer, unit, place } = chosen;
  const { side, units } = LAYERS[layer];
  if (key === "Home") return pick({ ...chosen, place: strongestPlace(maps, layer, unit) });
  if (!ARROWS[key]) return false;
  const [down, right] = ARROWS[key];
  if (shiftKey) {
    const moved = [place[0] + down, place[1] + right].map((at) => clamp(at, 0, side - 1));
    return pick({ ...chosen, place: moved });
  }
  const name = NAMES[clamp(NAMES.indexOf(layer) + right, 0, NAMES.length - 1)];
  const next = name === layer ? (unit + down + units) % units : Math.min(unit, LAYERS[name].units - 1);
  pick({ layer: name, unit: next, place: strongestPlace(maps, name, next) });
}

/** The maps of a layer, each in its cell; of a fully connected layer a number is a cell. */
function paintLayer(context, buffer, cells, name, { maps, limits }, node) {
  const { units, side } = LAYERS[name];
  paintPixels(buffer, maps[name], units * side, side, diverging(node, limits[name]));
  context.lineWidth = 0.75;
  context.strokeStyle = "#888";
  cells.forEach(({ x, y, size }, unit) => {
    context.globalAlpha = 1;
    context.drawImage(buffer, 0, unit * side, side, side, x, y, size, size);
    context.globalAlpha = side > 1 ? 1 : 0.4;
    context.strokeRect(x, y, size, size);
  });
  context.globalAlpha = 1;
}

/** The ten names, each over a bar as long as its probability. */
function paintAnswers(context, cells, classes, { probabilities, top }, { ink, mark }) {
  const { font } = context;
  cells.forEach(({ x, y, width, height }, unit) => {
    const bar = Math.min(6, height - 16);
    context.fillStyle = ink;
    context.font = unit === top ? `bold ${font}` : font;
    context.textBaseline = "top";
    context.fillText(told(classes[unit]), x + 4, y + 1);
    context.globalAlpha = 0.12;
    context.fillRect(x + 4, y + 15, width - 8, bar);
    context.globalAlpha = 1;
    context.fillStyle = unit === top ? mark : ink;
    context.fillRect(x + 4, y + 15, (width - 8) * probabilities[unit], bar);
  });
  context.font = font;
}

/** Where a box of a map lies on the canvas. */
function placed(plan, layer, { unit, top, left, height, width }) {
  const cell = layer === "input" ? plan.picture : plan.layers[layer].cells[unit];
  const { side } = LAYERS[layer];
  const [wide, tall] = [cell.width ?? cell.size, cell.height ?? cell.size].map((size) => size / side);
  return { x: cell.x + left * wide, y: cell.y + top * tall, width: width * wide, height: height * tall };
}

/** The lines of the way back, as strong as what comes over them, then the boxes that they join. */
function paintWay(context, plan, way, { ink, positive, negative, mark }) {
  const boxes = way.map(({ layer, boxes }) => boxes.map((box) => placed(plan, layer, box)));
  way.forEach(({ links }, step) => {
    const most = Math.max(...links.map(({ value }) => Math.abs(value ?? 0)));
    for (const { from, to, value } of links) {
      const [late, early] = [boxes[step - 1][from], boxes[step][to]];
      context.strokeStyle = value === undefined ? ink : value < 0 ? negative : positive;
      context.lineWidth = value === undefined || !most ? 1 : 0.75 + (2.5 * Math.abs(value)) / most;
      context.globalAlpha = plan.upright && way[step - 1].layer === "fc3" ? 0.4 : 1; // they cross the names
      context.beginPath();
      if (plan.upright) {
        context.moveTo(early.x + early.width / 2, early.y + early.height);
        context.lineTo(late.x + late.width / 2, late.y);
      } else {
        context.moveTo(early.x + early.width, early.y + early.height / 2);
        context.lineTo(late.x, late.y + late.height / 2);
      }
      context.stroke();
    }
  });
  context.globalAlpha = 1;
  for (const { x, y, width, height } of boxes.flat()) {
    const grow = Math.max(0, (5 - Math.min(width, height)) / 2);
    context.strokeStyle = mark;
    context.lineWidth = 2;
    context.strokeRect(x - grow, y - grow, width + 2 * grow, height + 2 * grow);
  }
}

// ---- The folds ----------------------------------------------------------------------------------------------

/** Pictures to choose, the two networks, and what the hand does on the picture. */
export function morePart(view, model, { pictures, names, drawing }) {
  const yours = h("canvas", { role: "img", "aria-label": TEXT.yours });
  const face = (name) => {
    const at = names.indexOf(name);
    if (at < 0) return yours;
    const canvas = h("canvas", { role: "img", "aria-label": name });
    paintPixels(canvas, pictures[at], SIDE, SIDE, gray(255));
    return canvas;
  };
  const put = (name) => view.set({ picture: names.indexOf(name) });
  const choices = choice(TEXT.pictures, [...names, TEXT.yours], face, put, "pictures");
  const network = setting(view, "network", TEXT.nets, model.get("networks"));
  const tool = setting(view, "tool", TEXT.tool, TEXT.tools);
  const cover = setting(view, "cover_fill", TEXT.fill, TEXT.fills);
  const pen = { brush: "thick", ink: "white" };
  const [brush, ink] = [
    ["brush", TEXT.brushes],
    ["ink", TEXT.inks],
  ].map(([name, texts]) => {
    const part = choice(
      TEXT[name],
      Object.keys(texts),
      (value) => texts[value],
      (value) => (pen[name] = value),
    );
    part.set(pen[name]);
    return part.node;
  });
  const update = ({ picture, network: { name }, covers, cover_fill }) => {
    choices.set(names[picture] ?? TEXT.yours);
    network.set(name);
    tool.set(covers ? "cover" : "draw");
    cover.set(cover_fill);
    paintPixels(yours, drawing(), SIDE, SIDE, gray(255));
  };
  const rows = [controls(choices.node), controls(network.node, tool.node, cover.node, brush, ink)];
  return { node: fold(TEXT.more, ...rows), update, pen: () => ({ radius: RADII[pen.brush], ink: pen.ink }) };
}

const thousandths = (whole) => fixed(whole / 1000, 3);

/** The rows of a unit's sum, which add up as they are shown: name, value, weight, product. */
export function rowsOf(network, maps, { layer, unit, place }) {
  const { before } = LAYERS[layer];
  const sourceName = (one) =>
    LAYERS[before].side > 1
      ? fill(TEXT.placeName, { layer: before, unit: one.unit, row: one.place[0], column: one.place[1] })
      : fill(TEXT.unitName, { layer: before, unit: one.unit });
  if (layer.startsWith("pool")) {
    const four = [0, 1, 2, 3].map((i) => ({ unit, place: [2 * place[0] + (i >> 1), 2 * place[1] + (i & 1)] }));
    const rows = four.map((one) => [sourceName(one), fixed(valueAt(maps, before, unit, one.place), 3), "", ""]);
    const result = Math.max(...four.map((one) => valueAt(maps, before, unit, one.place)), 0);
    return [...rows, [TEXT.largest, "", "", fixed(result, 3)]];
  }
  const terms = termsOf(network, maps, layer, unit, place);
  const chosen = largestTerms(terms, TERMS);
  const products = chosen.map(({ value, weight }) => value * weight);
  const all = partsOf(terms, LAYERS[before].units).reduce((sum, part) => sum + part, 0);
  const rest = all - products.reduce((sum, product) => sum + product, 0);
  const bias = biasOf(network, layer, unit);
  const total = Math.round(1000 * (all + bias));
  const whole = apportion(
    [...products, rest, bias].map((value) => 1000 * value),
    total,
  ).map(thousandths);
  const rows = chosen.map((one, i) => [sourceName(one), fixed(one.value, 3), fixed(one.weight, 3), whole[i]]);
  const relu = layer === "fc3" ? [] : [[TEXT.relu, "", "", thousandths(Math.max(total, 0))]];
  const sums = [
    [TEXT.rest, whole.at(-2)],
    [TEXT.bias, whole.at(-1)],
    [TEXT.sum, thousandths(total)],
  ];
  return [...rows, ...sums.map(([name, value]) => [name, "", "", value]), ...relu];
}

/** How the chosen number comes about, a convolution's weights, and the ten answers. */
export function numbersPart(classes) {
  const title = h("p", { class: "bb-maps-title" });
  const box = h("div");
  const weights = h("canvas", { class: "bb-maps-weights", role: "img", "aria-label": TEXT.weights });
  const name = h("p", { class: "bb-maps-title" }, TEXT.weights);
  const answers = table(TEXT.answersTable, Object.values(TEXT.answerColumns), classes);
  const node = fold(TEXT.numbers, title, box, name, weights, answers.node);
  const update = ({ network, maps, chosen, probabilities }) => {
    if (!node.open) return;
    const { layer, unit, place } = chosen;
    const template = LAYERS[layer].side > 1 ? TEXT.placeName : TEXT.unitName;
    const unitName = layer === "fc3" ? classes[unit] : fill(template, { layer, unit, row: place[0], column: place[1] });
    write(title, fill(TEXT.sumOf, { unit: unitName }));
    const rows = rowsOf(network.parameters, maps, chosen);
    const terms = table(
      TEXT.numbers,
      Object.values(TEXT.columns),
      rows.map(([text]) => text),
    );
    terms.update(rows.map((row) => row.slice(1)));
    box.replaceChildren(terms.node);
    const kernels = layer.startsWith("conv");
    weights.hidden = name.hidden = !kernels;
    if (kernels) paintKernels(weights, network.parameters, layer, unit);
    answers.update(classes.map((_, i) => [fixed(maps.fc3[i], 2), shareText(probabilities[i])]));
  };
  return { node, update };
}

/** The 5 × 5 weights of a unit for each map that it reads, side by side. */
function paintKernels(canvas, parameters, layer, unit) {
  const { units } = LAYERS[LAYERS[layer].before];
  const own = parameters[`${layer}.weight`].subarray(unit * units * 25, (unit + 1) * units * 25);
  const most = own.reduce((all, one) => Math.max(all, Math.abs(one)), 0);
  const wide = 6 * units - 1;
  const values = Array.from({ length: 5 * wide }, (_, i) => {
    const [row, column] = [Math.floor(i / wide), i % wide];
    return column % 6 === 5 ? 0 : own[Math.floor(column / 6) * 25 + row * 5 + (column % 6)];
  });
  paintPixels(canvas, values, 5, wide, diverging(canvas, most));
  canvas.style.width = `${0.75 * wide}rem`;
}

/** Under the picture: an empty one, or the first drawing again. */
export function drawButtons(clear, again) {
  return h("div", { class: "bb-maps-tools" }, button(TEXT.clear, clear), button(TEXT.again, again));
}
