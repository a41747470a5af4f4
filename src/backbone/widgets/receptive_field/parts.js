import { ARROWS, drag, fill, h, keys, paintPixels, paletteColor, svg } from "../kit.js";
import { fieldAt, boxAt, strengths } from "./maths.js";
import { sheet } from "../canvas.js";
import { TEXT } from "./text.js";

const VEIL = 0.62; // how much of the picture fades where the unit sees nothing
const STRONGEST = 0.72; // opacity of the largest gradient

/** A canvas of the gradient's sizes, in one color. */
function glowOf(profile, color) {
  const canvas = h("canvas");
  const values = strengths(profile);
  paintPixels(canvas, values, profile.length, profile.length, (value, bytes, at) => {
    bytes.set([...color, 255 * STRONGEST * value], at);
  });
  return canvas;
}

/** The photograph as a canvas, to be painted again and again. */
function photoOf({ pixels, side }) {
  const canvas = h("canvas");
  paintPixels(canvas, pixels, side, side, (value, bytes, at) => bytes.set([value, value, value, 255], at));
  return canvas;
}

function outline(context, { top, left, side }, look, width, dash = []) {
  context.setLineDash(dash);
  for (const [color, thick] of [
    ["#000", width + 2],
    [look, width],
  ]) {
    context.strokeStyle = color;
    context.lineWidth = thick;
    context.strokeRect(left, top, side, side);
  }
  context.setLineDash([]);
}

/** The photograph, which is the handle: a square of what one unit sees, tinted by the gradient; before it, smaller fields. */
export function picturePart(view, data, now, { moveTo, go }) {
  const photo = photoOf(data);
  const glows = new Map(); // by layer and color
  const glow = (at, node) => {
    const color = paletteColor(node, "positive");
    const key = `${at} ${color}`;
    if (!glows.has(key)) glows.set(key, glowOf(data.profiles[at], color));
    return glows.get(key);
  };
  const look = { class: "bb-rf-picture", tabindex: 0, role: "application", "aria-label": TEXT.picture };
  const { canvas, draw } = sheet({ ...look, "data-part": "field" }, "1", (context, width, _, colors) => {
    const { step, place } = now();
    const scale = width / data.side;
    const scaled = ({ top, left, side }) => ({ top: top * scale, left: left * scale, side: side * scale });
    const box = scaled(boxAt(data.fields, step, place));
    context.drawImage(photo, 0, 0, width, width);
    veil(context, width, box);
    context.drawImage(glow(Math.round(step), canvas), box.left, box.top, box.side, box.side);
    outline(
      context,
      middleOf(box, data.most[Math.round(step)] / data.fields[Math.round(step)].size),
      "#fff",
      1.5,
      [5, 4],
    );
    context.globalAlpha = 0.55;
    for (const at of data.stages.filter((one) => one < step)) {
      outline(context, scaled(fieldAt(data.fields[at], place)), "#fff", 0.75);
    }
    context.globalAlpha = 1;
    outline(context, box, colors.mark, 2.5);
  });
  drag(view, canvas, (event) => {
    const { left, top, width } = canvas.getBoundingClientRect();
    moveTo([event.clientY - top, event.clientX - left].map((at) => (at / width) * data.side));
  });
  keys(view, canvas, ({ key, shiftKey }) => {
    const { step, place } = now();
    const turn = { PageUp: 1, PageDown: -1 }[key];
    if (turn) return go(Math.round(step) + turn);
    if (!ARROWS[key]) return false;
    // At least one unit: behind a pooling the next one is several pixels away.
    const stride = Math.max(data.fields[Math.round(step)].jump, 2) * (shiftKey ? 8 : 1);
    moveTo(place.map((at, axis) => at + stride * ARROWS[key][axis]));
  });
  view.onResize(canvas, draw);
  return { node: canvas, update: draw };
}

/** The middle of a box, a share of its side wide. */
function middleOf({ top, left, side }, share) {
  const edge = (side * (1 - share)) / 2;
  return { top: top + edge, left: left + edge, side: side * share };
}

/** Fade what lies outside a box. */
function veil(context, width, { top, left, side }) {
  context.fillStyle = `rgba(255, 255, 255, ${VEIL})`;
  context.beginPath();
  context.rect(0, 0, width, width);
  context.rect(left, top, side, side);
  context.fill("evenodd");
}

/** One bar a layer, as high as its field, in a plot as high as the picture: a drag along it goes through the layers. */
export function chartPart(view, data, now, go) {
  const count = data.fields.length;
  const bar = (share, kind) => svg("rect", { y: 1 - share, height: share, width: 0.72, class: `bb-rf-${kind}` });
  const columns = data.fields.map(({ size }, i) => {
    const kind = data.stages.includes(i) ? "pool" : "field";
    const parts = [bar(size / data.side, kind), bar(data.most[i] / data.side, "most")];
    return svg("g", { transform: `translate(${i + 0.14} 0)` }, ...parts);
  });
  const look = { class: "bb-rf-bars", viewBox: `0 0 ${count} 1`, preserveAspectRatio: "none", role: "img" };
  const chart = svg("svg", look, ...columns);
  const marker = h("i", { class: "bb-rf-marker" });
  const legend = ["theoretical", "effective"].map((kind) => {
    return h("p", { class: `bb-rf-${kind}`, "data-part": kind === "effective" ? "most" : null }, TEXT[kind]);
  });
  const starts = data.stages.map((end, k) => [k ? data.stages[k - 1] + 1 : 0, end]);
  const names = starts.map(([from, to]) => {
    const name = h("span", {}, data.names[from].split("_")[0]);
    name.style.flexGrow = to - from + 1;
    return name;
  });
  const plot = h("div", { class: "bb-rf-plot" }, chart, marker, h("div", { class: "bb-rf-legend" }, ...legend));
  const node = h("div", { class: "bb-rf-chart" }, plot, h("div", { class: "bb-rf-names" }, ...names));
  drag(view, plot, (event) => {
    const { left, width } = plot.getBoundingClientRect();
    go(Math.floor(((event.clientX - left) / width) * count));
  });
  const update = () => {
    const { step } = now();
    const at = Math.round(step);
    marker.style.insetInlineStart = `${(100 * step) / count}%`;
    marker.style.width = `${100 / count}%`;
    columns.forEach((column, i) => column.classList.toggle("bb-rf-now", i === at));
    const words = { layer: data.names[at], size: data.fields[at].size };
    chart.setAttribute("aria-label", fill(TEXT.chart, words));
  };
  return { node, update };
}

/** What stands in the fold: one row a layer. */
export function rowsOf({ fields, most }) {
  const pixels = (count) => fill(TEXT.pixels, { count });
  return fields.map(({ size, jump, count }, i) => [pixels(size), pixels(most[i]), pixels(jump), String(count)]);
}
