import { clamp, drag, dropdown, enlarged, fill, gray, h, paintPixels, percent, sliderKeys, table } from "../kit.js";
import { write } from "../kit.js";
import { amount, boxOf } from "./maths.js";
import { TEXT } from "./text.js";

const TALL = 44; // pixels of the longest bar

export const stageName = ({ kind, number }) => fill(TEXT.kinds[kind], { number });
const shortName = ({ kind, number }) => fill(TEXT.short[kind], { number });
export const shareText = (share) => percent(share, 0, 1);

function rgb({ data, shape: [height, width] }) {
  const canvas = h("canvas", { class: "bb-arch-map" });
  const pixel = (_, bytes, at) => {
    for (const i of [0, 1, 2]) bytes[at + i] = data[(3 * at) / 4 + i];
    bytes[at + 3] = 255;
  };
  paintPixels(canvas, new Uint8Array(height * width), height, width, pixel);
  return canvas;
}

/** The photograph, whose size is the handle: dragged to the right or down it grows. */
export function photoPart(view, photograph, [least, most, step], now, moveTo) {
  const picture = rgb(photograph);
  const [size, width] = ["long", "short"].map((look) => h("span", { class: `bb-arch-${look}` }));
  const node = h(
    "div",
    {
      class: "bb-arch-photo",
      role: "slider",
      tabindex: 0,
      "data-part": "photograph",
      "aria-label": TEXT.photograph,
      "aria-valuemin": least,
      "aria-valuemax": most,
    },
    h("span", { class: "bb-arch-print" }, picture, h("span", { class: "bb-arch-grip" })),
    h("span", { class: "bb-arch-name" }, size, width),
  );
  const put = (to) => moveTo(clamp(step * Math.round(to / step), least, most));
  let start;
  const begin = ({ clientX, clientY }) => (start = { at: clientX + clientY, size: now() });
  const moved = ({ clientX, clientY }) => (clientX + clientY - start.at) / enlarged(node);
  drag(view, node, (event) => put(start.size + 3 * moved(event)), begin);
  sliderKeys(view, node, { low: least, high: most, step }, now, put);
  const update = (side) => {
    picture.style.setProperty("--side", boxOf(side, 1, most).side);
    write(size, fill(TEXT.square, { side }));
    write(width, String(side));
    node.setAttribute("aria-valuenow", side);
    node.setAttribute("aria-valuetext", size.textContent);
  };
  return { node, update };
}

/** What the colors of the bars mean. */
export function keyPart() {
  const entry = (key) => h("span", {}, h("span", { class: `bb-arch-bar bb-arch-${key}` }), TEXT[key]);
  return h("p", { class: "bb-arch-key" }, entry("parameters"), entry("cost"));
}

/** A stage: a box with a map in it, its name, and two bars under it. */
function boxPart(press) {
  const canvas = h("canvas", { class: "bb-arch-map" });
  const box = h("span", { class: "bb-arch-box" }, canvas);
  const [long, short] = ["long", "short"].map((look) => h("span", { class: `bb-arch-${look}` }));
  const name = h("span", { class: "bb-arch-name" }, long, short);
  const bars = ["parameters", "cost"].map((key) => h("span", { class: `bb-arch-bar bb-arch-${key}` }));
  const foot = h("span", { class: "bb-arch-bars" }, ...bars);
  const node = h("button", { type: "button", class: "bb-arch-stage", onclick: press }, box, name, foot);
  const update = (stage, map, most, bounds, words) => {
    if (map) paintPixels(canvas, map.pixels, map.height, map.width, gray(255));
    box.classList.toggle("bb-arch-vector", !map);
    const { side, depth } = boxOf(stage.side, stage.maps, most);
    box.style.setProperty("--side", side);
    box.style.setProperty("--depth", depth);
    write(long, stageName(stage));
    write(short, shortName(stage));
    ["parameters", "cost"].forEach((key, i) => {
      bars[i].style.height = `${(TALL * stage[key]) / bounds[key]}px`;
    });
    node.setAttribute("aria-label", words);
  };
  return { node, update };
}

/** One network: the list to choose it from, the photograph, and its stages in a row. */
export function stripPart(view, model, { side, names, photo, most, toggle }) {
  const choose = dropdown(
    TEXT[side],
    names.map((name) => [name, name]),
    (name) => view.set({ [side]: name, chosen: "" }),
  );
  const row = h("div", { class: "bb-arch-row" }, photo.node);
  let boxes = [];
  const update = (whole, maps, bounds) => {
    const name = model.get(side);
    choose.set(name);
    while (boxes.length < whole.stages.length) {
      const key = `${side}${boxes.length}`;
      boxes.push(boxPart(() => toggle(key)));
      row.append(boxes.at(-1).node);
    }
    boxes.forEach(({ node }, i) => (node.hidden = i >= whole.stages.length));
    whole.stages.forEach((stage, i) => {
      const values = { ...stage, name, stage: stageName(stage) };
      const words = fill(stage.side ? TEXT.box : TEXT.headBox, {
        ...values,
        parameters: amount(stage.parameters),
        cost: amount(stage.cost),
      });
      boxes[i].update(stage, maps[i], most, bounds, words);
      boxes[i].node.setAttribute("aria-pressed", model.get("chosen") === `${side}${i}`);
    });
  };
  const node = h("div", { class: "bb-arch-strip", "data-part": side }, choose.node, row);
  return { node, update };
}

/** The layers of what is chosen, as a table, written anew where that changes. */
export function layersPart() {
  const node = h("div", { class: "bb-arch-layers" });
  let [built, shown] = ["", null];
  const update = (key, layers) => {
    if (key !== built) {
      shown = table(
        TEXT.layers,
        Object.values(TEXT.columns),
        layers.map(({ name }) => name),
      );
      node.replaceChildren(shown.node);
      built = key;
    }
    const square = (side) => (side ? fill(TEXT.square, { side }) : "");
    shown.update(
      layers.map(({ kernel, before, after, side, parameters, cost }) => [
        square(kernel),
        fill(TEXT.change, { before, after }),
        square(side),
        amount(parameters),
        amount(cost),
      ]),
    );
  };
  return { node, update };
}
