// One weight: the real loss along it, and the tangent at the place where the gradient was measured.
import { clamp, drag, fill, fold, show, sliderKeys, table, write } from "../kit.js";
import { sheet, spot } from "../canvas.js";
import { dot, fine, stroke, word } from "./parts.js";
import { TEXT } from "./text.js";

const PAD = { left: 66, right: 12, top: 10, bottom: 22 };
const plus = (value) => (value > 0 ? `+${fine(value)}` : fine(value));

export function nameOf([layer, to, from], depth) {
  const neuron = (number, l) => fill(TEXT.neuron, { number, layer: l });
  const target = layer === depth ? TEXT.output : neuron(to + 1, layer + 1);
  if (from < 0) return fill(TEXT.biasOf, { to: target });
  return fill(TEXT.weightOf, { from: layer ? neuron(from + 1, layer) : TEXT.input[from], to: target });
}

/** A number with as many decimals as it takes to tell the two ends of a range apart. */
function tick(value, range) {
  return Math.abs(value) >= 1000 ? fine(value) : show(value, Math.max(0, Math.ceil(-Math.log10(range)) + 1));
}

/** From weight and loss to a place in the picture: with room for the tangent, but not so much that the curve is flat. */
function scaleOf(width, height, { curve, loss, gradient, value, reach }) {
  const losses = [...curve.map(([, y]) => y), loss].filter(Number.isFinite);
  const [lowest, highest] = [Math.min(...losses), Math.max(...losses)];
  const [spare, steep] = [0.4 * (highest - lowest), Math.abs(gradient) * reach];
  const low = Math.min(lowest, Math.max(loss - steep, lowest - spare));
  const high = Math.max(highest, Math.min(loss + steep, highest + spare));
  const room = Math.max((high - low) * 0.08, 1e-4);
  const [foot, top] = [low - room, high + room];
  const [wide, tall] = [width - PAD.left - PAD.right, height - PAD.top - PAD.bottom];
  const at = ([x, y]) => [
    PAD.left + ((x - value + reach) / (2 * reach)) * wide,
    PAD.top + ((top - clamp(y, foot - 9 * (top - foot), top + 9 * (top - foot))) / (top - foot)) * tall,
  ];
  return { at, foot, top };
}

function paintPlot(context, width, height, colors, probe) {
  const { value, gradient, loss, real, promised, curve, moved, reach } = probe;
  const { at, foot, top } = scaleOf(width, height, probe);
  const line = (points, ...look) => stroke(context, points.map(at), ...look);
  const tangent = (shift) => [value + shift, loss + gradient * shift];
  context.globalAlpha = 0.4;
  line(
    [
      [value - reach, top],
      [value - reach, foot],
      [value + reach, foot],
    ],
    colors.ink,
    1,
  );
  context.globalAlpha = 1;
  context.save();
  context.beginPath();
  context.rect(PAD.left, 0, width - PAD.left, height - PAD.bottom + 1);
  context.clip();
  line(curve, colors.ink, 2);
  line([tangent(-reach), tangent(reach)], colors.mark, 2, [6, 4]);
  line(
    [
      [value + moved, promised],
      [value + moved, real],
    ],
    colors.positive,
    3,
  );
  dot(context, at([value, loss]), colors.ink, 4);
  dot(context, at(tangent(moved)), colors.mark, 5);
  dot(context, at([value + moved, real]), colors.ink, 8);
  context.restore();
  context.fillStyle = colors.ink;
  paintWords(context, width, height, colors, { ...probe, at, foot, top, tangent });
}

function paintWords(context, width, height, colors, { at, foot, top, tangent, value, reach, curve, moved }) {
  for (const [loss, y] of [
    [top, PAD.top + 8],
    [foot, height - PAD.bottom],
  ])
    word(context, tick(loss, top - foot), [PAD.left - 5, y], "right");
  for (const [shift, align] of [
    [-reach, "left"],
    [0, "center"],
    [reach, "right"],
  ])
    word(context, tick(value + shift, reach), [at([value + shift, foot])[0], height - 6], align);
  // Each name stands at its line, on the side where the point is not, and the two on different sides of the lines.
  const side = moved > 0 ? -1 : 1;
  const inside = ([, loss]) => loss > foot && loss < top;
  const shift = [0.75, 0.5, 0.3, 0.15].map((share) => side * share * reach).find((one) => inside(tangent(one))) ?? 0;
  const real = curve[Math.round(((shift / reach + 1) / 2) * (curve.length - 1))];
  const above = tangent(shift)[1] > real[1];
  const put = (text, place, up, color) => {
    const [x, y] = at(place);
    context.fillStyle = color;
    word(
      context,
      text,
      [clamp(x, PAD.left + 36, width - 36), clamp(y + (up ? -9 : 18), 14, height - PAD.bottom - 6)],
      "center",
    );
  };
  context.font = `600 ${context.font}`;
  put(TEXT.tangent, tangent(shift), above, colors.mark);
  put(TEXT.curve, real, !above, colors.ink);
}

/** The plot; its point is the handle. */
export function plotPart(view, read, move) {
  let shown;
  const look = { class: "bb-play-plot", tabindex: 0, role: "slider", "data-part": "tangent" };
  const { canvas, draw } = sheet(look, "auto", (...given) => paintPlot(...given, shown));
  const put = (share) => move(Number((clamp(share, -1, 1) * read().reach).toPrecision(6)));
  drag(view, canvas, (event) => {
    const { x, width } = spot(canvas, event);
    const share = (x - PAD.left) / (width - PAD.left - PAD.right);
    put(Math.round((2 * share - 1) * 100) / 100);
  });
  sliderKeys(view, canvas, { low: -1, high: 1, step: 0.01 }, () => read().moved / read().reach, put);
  const update = (probe, name) => {
    shown = probe;
    canvas.setAttribute("aria-label", fill(TEXT.plot, { name }));
    const now = { "aria-valuemin": -probe.reach, "aria-valuemax": probe.reach, "aria-valuenow": probe.moved };
    for (const [key, text] of Object.entries(now)) canvas.setAttribute(key, text);
    canvas.setAttribute("aria-valuetext", plus(probe.moved));
    draw();
  };
  return { node: canvas, update };
}

/** What is seen now, as a sentence. */
export function promiseOf({ gradient, loss, real, promised, moved }, name) {
  if (!moved) return fill(TEXT.rest, { name, gradient: plus(gradient) });
  return fill(TEXT.promise, { name, moved: plus(moved), promised: plus(promised - loss), real: plus(real - loss) });
}

export function cellsPart() {
  const cells = table(TEXT.numbers, [""], Object.values(TEXT.cells));
  const first = cells.node.querySelector("tbody th");
  const update = ({ at, value, gradient, loss, real, moved }, rate) => {
    write(first, at[2] < 0 ? TEXT.bias : TEXT.cells.value);
    const texts = [show(value + moved), plus(gradient), fine(loss), fine(real), plus(-rate * gradient || 0)];
    cells.update(texts.map((text) => [text]));
  };
  return { node: fold(TEXT.numbers, cells.node), update };
}
