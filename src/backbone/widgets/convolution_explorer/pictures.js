import { ARROWS, clamp, diverging, drag, enlarged, fill, gray, h, keys, paintPixels, paintPlanes } from "../kit.js";
import { write } from "../kit.js";
import { sheet } from "../canvas.js";
import { shifted } from "./maths.js";
import { isPhotograph, limitOf } from "./shown.js";
import { TEXT } from "./text.js";
// The photograph and the map: how they are drawn, and how the reader points into them.

const MARGIN = 3; // room for the largest padding, so that the picture never changes its scale
const LARGEST_SHIFT = 8;

/**
 * A picture with its caption, by default one that the reader can point into: canvas, caption, and `draw`, which paints what
 * `current()` gives.
 */
function panel(part, paint, current, attributes = { tabindex: 0, role: "application", "data-part": part }) {
  const caption = h("div", { class: "bb-caption" });
  const buffer = h("canvas");
  let painted; // what the buffer holds; a move draws frames over it without painting it again
  const buffered = (key, work) => {
    if (painted !== key) work(buffer);
    painted = key;
    return buffer;
  };
  const { height, width } = current();
  const [wide, tall] = [width + 2 * MARGIN, height + 2 * MARGIN];
  const { canvas, draw } = sheet(attributes, `${wide} / ${tall}`, (context, _width, _height, colors) => {
    context.imageSmoothingEnabled = false;
    context.setTransform(canvas.width / wide, 0, 0, canvas.height / tall, 0, 0);
    context.translate(MARGIN, MARGIN); // from here on one unit is one input pixel
    paint(context, buffered, current(), canvas, colors);
  });
  return { node: h("div", { class: `bb-panel bb-conv-${part}` }, canvas, caption), canvas, caption, draw };
}

function drawInput(context, buffered, shown, _canvas, colors) {
  const { height, width, padding, stride, dilation, size, row, column, planes, shift, made } = shown;
  if (padding) {
    context.fillStyle = "#000"; // padding is zeros, and zero is black in a photograph
    context.fillRect(-padding, -padding, width + 2 * padding, height + 2 * padding);
  }
  const moved = shown.show === "shift";
  const whole = () => (moved ? planes.map((plane) => shifted(plane, height, width, shift)) : planes);
  const picture = buffered(`${shown.image} ${planes.length} ${moved && shift}`, (buffer) =>
    paintPlanes(buffer, whole(), height, width, 1),
  );
  context.drawImage(picture, 0, 0);
  if (padding) outline(context, 0, 0, width, height, 0.75, "#888");
  if (shown.empty || moved) return;
  const reach = dilation * (size - 1) + 1;
  const [left, top] = [column * stride - padding, row * stride - padding];
  const passed = made ? (made.last - made.first) * stride : 0;
  mark(context, colors.mark, left - passed, top, reach + passed, reach);
  if (dilation === 1) return;
  context.fillStyle = colors.mark;
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) context.fillRect(left + j * dilation + 0.25, top + i * dilation + 0.25, 0.5, 0.5);
  }
}

function drawOutput(context, buffered, shown, canvas, colors) {
  const { drawn, factor, made, drawnKey } = shown;
  if (shown.empty) return;
  const work = (target) => paintPixels(target, drawn.data, drawn.height, drawn.width, scaleOf(shown, canvas));
  const buffer = buffered(drawnKey + colors.positive, work);
  const [x, y] = corner(shown);
  const [row, column] = [Math.floor(shown.row / factor), Math.floor(shown.column / factor)];
  if (made) {
    // Full rows above, then the row that the window is in.
    if (row) context.drawImage(buffer, 0, 0, drawn.width, row, x, y, drawn.width, row);
    context.drawImage(buffer, 0, row, column + 1, 1, x, y + row, column + 1, 1);
  } else context.drawImage(buffer, x, y);
  outline(context, x, y, drawn.width, drawn.height, 0.75, "#888");
  const passed = made ? made.last - made.first : 0;
  const [right, down] = [Math.min(column, drawn.width - 1), Math.min(row, drawn.height - 1)];
  mark(context, colors.mark, x + right - passed, y + down, 1 + passed, 1);
}

/** A map of the figure "shift", as large as the photograph whatever its stride: what has moved lies at one place in all. */
function drawOrder(valuesOf) {
  return (context, buffered, shown, canvas, colors) => {
    const { empty, difference, drawnKey, height, width } = shown;
    if (empty) return;
    const size = [difference.height, difference.width];
    const work = (target) => paintPixels(target, valuesOf(difference), ...size, scaleOf(shown, canvas));
    context.drawImage(buffered(drawnKey + colors.positive, work), 0, 0, width, height);
    outline(context, 0, 0, width, height, 0.75, "#888");
  };
}

/** Where the map lies in its panel, at the photograph's own scale: in the middle. */
function corner({ drawn, height, width }) {
  return [Math.round((width - drawn.width) / 2), Math.round((height - drawn.height) / 2)];
}

/** A photograph's grays, or two colors: full from half of the strongest value on, since most values are small. */
export function scaleOf(shown, node) {
  const limit = limitOf(shown);
  return isPhotograph(shown) ? gray(limit) : diverging(node, limit / 2);
}

/** Of how many of its points a canvas makes one pixel of the figure. */
const pixelOf = (canvas) => (devicePixelRatio || 1) * enlarged(canvas);

function outline(context, x, y, width, height, thickness, color) {
  context.lineWidth = (thickness * pixelOf(context.canvas)) / context.getTransform().a;
  context.strokeStyle = color;
  context.strokeRect(x, y, width, height);
}

/** A frame that shows on every ground, with a light line outside a dark one, and never smaller than 9 px. */
function mark(context, color, x, y, width, height) {
  const pixel = pixelOf(context.canvas) / context.getTransform().a;
  const [wider, taller] = [width, height].map((side) => Math.max(0, (9 * pixel - side) / 2));
  const frame = [x - wider, y - taller, width + 2 * wider, height + 2 * taller];
  outline(context, ...frame, 5, "#fff");
  outline(context, ...frame, 2.5, color);
}

/**
 * The photograph and the map, and for `shift` the two orders between them. What the reader points at goes to `hover` and
 * `press`, a move of the picture to `shift`.
 */
export function picturesPart(view, current, acts) {
  const moves = current().show === "shift";
  const result = moves ? drawOrder(({ data }) => data) : drawOutput;
  const [input, output] = [panel("photograph", drawInput, current), panel("map", result, current)];
  const orders = moves ? TEXT.orders.map((name, i) => orderPanel(view, current, name, i)) : [];
  const ramp = h("span", { class: "bb-conv-ramp" });
  const legend = h("span", { class: "bb-conv-legend", title: TEXT.legend, "aria-hidden": "true" }, "−", ramp, "+");
  output.node.append(h("div", { class: "bb-conv-named" }, output.caption, legend));
  input.canvas.setAttribute("aria-label", moves ? TEXT.moveLabel : TEXT.inputLabel);
  output.canvas.setAttribute("aria-label", moves ? TEXT.differenceLabel : TEXT.outputLabel);
  for (const one of [input, output]) {
    view.onResize(one.canvas, one.draw);
    (moves ? pushed : steered)(view, one.canvas, current, one === output, acts);
  }
  const update = (shown) => {
    const sized = (name, size) => (shown.show === "size" ? fill(TEXT.sized, { name, ...size }) : name);
    write(input.caption, sized(moves ? TEXT.moved : TEXT.input, shown));
    const name = moves ? TEXT.difference : TEXT.output;
    write(output.caption, shown.empty ? TEXT.noOutput : sized(name, shown.drawn));
    legend.classList.toggle("bb-conv-none", shown.empty || isPhotograph(shown));
    for (const one of [input, ...orders, output]) one.draw();
  };
  return { nodes: [input, ...orders, output].map(({ node }) => node), update };
}

/** One of the two maps whose difference is seen. */
function orderPanel(view, current, name, i) {
  const look = { role: "img", "aria-label": name };
  const made = panel(
    "order",
    drawOrder(({ orders }) => orders[i]),
    current,
    look,
  );
  write(made.caption, name);
  view.onResize(made.canvas, made.draw);
  return made;
}

/** Hovering shows what is under the pointer; a press, a drag and the keys leave the window there. */
function steered(view, canvas, current, isOutput, { hover, press }) {
  const placeOf = (event) => {
    const shown = current();
    const { height, width, map, factor } = shown;
    const box = canvas.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * (width + 2 * MARGIN) - MARGIN;
    const y = ((event.clientY - box.top) / box.height) * (height + 2 * MARGIN) - MARGIN;
    const [left, top] = corner(shown);
    // In the photograph the window's middle follows the pointer.
    const half = (shown.dilation * (shown.size - 1) + 1) / 2;
    const under = (place) => Math.round((place + shown.padding - half) / shown.stride);
    const found = isOutput ? [Math.floor(y - top) * factor, Math.floor(x - left) * factor] : [under(y), under(x)];
    return [inside(found[0], map.height), inside(found[1], map.width)];
  };
  const still = (event) => event.buttons || event.pointerType === "touch" || !(event.movementX || event.movementY);
  view.listen(canvas, "pointermove", (event) => still(event) || hover(placeOf(event))); // a page that scrolls is no hand
  view.listen(canvas, "pointerleave", () => hover(null));
  drag(view, canvas, (event) => current().empty || press(placeOf(event)));
  keys(view, canvas, ({ key, shiftKey }) => {
    const { row, column, map, empty } = current();
    const step = shiftKey ? 10 : 1;
    const [down, right] = ARROWS[key] ?? [0, 0];
    const ends = { Home: [row, 0], End: [row, map.width - 1], PageUp: [0, column], PageDown: [map.height - 1, column] };
    const target = ARROWS[key] ? [row + step * down, column + step * right] : ends[key];
    if (!target || empty) return false;
    press([inside(target[0], map.height), inside(target[1], map.width)]);
  });
}

const inside = (at, size) => clamp(at, 0, size - 1);

/** The picture itself is moved, by the pointer and by the keys. */
function pushed(view, canvas, current, _isOutput, { shift }) {
  let start;
  const begin = (event) => (start = { x: event.clientX, y: event.clientY, shift: current().shift });
  drag(
    view,
    canvas,
    (event) => {
      const unit = canvas.getBoundingClientRect().width / (current().width + 2 * MARGIN);
      const by = [event.clientY - start.y, event.clientX - start.x].map((pixels) => Math.round(pixels / unit));
      shift(limited(start.shift, by));
    },
    begin,
  );
  keys(view, canvas, ({ key }) => (ARROWS[key] ? shift(limited(current().shift, ARROWS[key])) : false));
}

/** A shift by so many rows and columns more, as far as the picture may be moved. */
const limited = (from, by) => from.map((at, axis) => clamp(at + by[axis], -LARGEST_SHIFT, LARGEST_SHIFT) + 0);

/** The same by buttons. */
export function arrowButtons(button, current, shift) {
  const signs = { ArrowLeft: "←", ArrowUp: "↑", ArrowDown: "↓", ArrowRight: "→" };
  return Object.entries(signs).map(([key, sign]) =>
    button(sign, () => shift(limited(current().shift, ARROWS[key])), { "aria-label": TEXT.arrows[key] }),
  );
}
