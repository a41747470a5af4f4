import { array, button, entries, fill, gray, h, paintPixels, svg, write } from "../kit.js";
import { answersOf, BLOCKS } from "./maths.js";
import { TEXT } from "./text.js";

export const KINDS = ["residual", "plain"];
const PAD = 40; // before the first block and behind the last one, of a width of 1000
const STEP = (1000 - 2 * PAD) / BLOCKS;
const WIRE = 76; // the height of the wire, from the top, of 100

/** What the view is given, as plain numbers. */
export function given(model) {
  const [called, percents, labels] = ["called", "percents", "labels"].map((name) => array(model, name).data);
  const pixels = array(model, "pixels");
  const [right, count, classes] = ["right", "count", "classes"].map((name) => model.get(name));
  return { called, percents, labels, faces: entries(pixels), side: pixels.shape.slice(1), right, count, classes };
}

// ---- The network ----------------------------------------------------------------------------------------------

/** The wires of one block: straight on through it, over it, and the point where both are added. */
function wiresOf(number) {
  const [from, to] = [PAD + STEP * number, PAD + STEP * (number + 1)];
  const still = { "vector-effect": "non-scaling-stroke" };
  const line = (look, d) => svg("path", { class: `bb-res-${look}`, d, ...still });
  const through = line("wire", `M${from} ${WIRE}H${to}`);
  const skip = line("skip", `M${from + 4} ${WIRE}C${from + 4} -18 ${to - 12} -18 ${to - 12} ${WIRE}`);
  const sum = line("sum", `M${to - 12} ${WIRE}h0.01`);
  return { through, skip, sum };
}

/** The nine blocks, each a button, on their wires. `press(block)` cuts one or puts it back. */
export function networkPart(press) {
  const wires = Array.from({ length: BLOCKS }, (_, i) => wiresOf(i));
  const ends = svg("path", {
    class: "bb-res-wire",
    d: `M0 ${WIRE}H${PAD + 4}M${1000 - PAD - 12} ${WIRE}H1000`,
    "vector-effect": "non-scaling-stroke",
  });
  const look = { viewBox: "0 0 1000 100", preserveAspectRatio: "none", "aria-hidden": "true" };
  const nodes = wires.flatMap(({ through, skip, sum }) => [through, skip, sum]);
  const blocks = wires.map((_, i) =>
    button(String(i + 1), () => press(i + 1), {
      class: `bb-button bb-part bb-res-block bb-res-stage${Math.floor(i / 3)}`,
    }),
  );
  const row = h("div", { class: "bb-res-row" }, ...blocks);
  const words = h(
    "p",
    { class: "bb-res-ends", "aria-hidden": "true" },
    h("span", {}, TEXT.from),
    h("span", {}, TEXT.to),
  );
  const node = h(
    "div",
    { class: "bb-res-net", role: "group", "data-part": "network" },
    svg("svg", look, ends, ...nodes),
    row,
    words,
  );
  const update = (kind, cuts) => {
    node.setAttribute("aria-label", fill(TEXT.net, { kind: TEXT.kinds[kind] }));
    node.classList.toggle("bb-res-plain", kind === "plain");
    blocks.forEach((block, i) => {
      const gone = cuts.includes(i + 1);
      block.setAttribute("aria-pressed", gone);
      block.setAttribute("aria-label", fill(gone ? TEXT.off : TEXT.on, { block: i + 1 }));
      wires[i].through.style.opacity = gone && kind === "residual" ? 0 : 1;
    });
  };
  return { node, update };
}

// ---- The pictures ---------------------------------------------------------------------------------------------

/** The pictures; under each what the network answers, and how sure it is. */
export function picturesPart({ faces, side, labels, classes }) {
  const [height, width] = side;
  const slots = faces.map((pixels, i) => {
    const canvas = h("canvas", { role: "img", "aria-label": "" });
    paintPixels(canvas, pixels, height, width, gray(15));
    const word = h("span", { class: "bb-res-word" });
    const bar = h("span", { class: "bb-res-sure" });
    const node = h("li", {}, canvas, h("span", { class: "bb-res-track" }, bar), word);
    return { canvas, word, bar, node, truth: classes[labels[i]] };
  });
  const node = h("ol", { class: "bb-res-pictures", "aria-label": TEXT.pictures, "data-part": "answers" });
  node.append(...slots.map((slot) => slot.node));
  const update = (answers) =>
    answers.forEach(({ called, percent, right }, i) => {
      const { canvas, word, bar, node: slot, truth } = slots[i];
      slot.className = right ? "bb-res-right" : "bb-res-wrong";
      bar.style.width = `${percent}%`;
      write(word, fill(right ? TEXT.right : TEXT.wrong, { called: classes[called] }));
      canvas.setAttribute("aria-label", fill(TEXT.picture, { truth, percent }));
    });
  return { node, update };
}

/** What is seen of a network after some cuts. */
export function seenOf(data, kind, cuts) {
  return answersOf(data, KINDS.indexOf(kind), cuts);
}
