import { ARROWS, choice, clamp, diverging, drag, fill, grouped, h, keys, paintPixels, write } from "../kit.js";
import { cellAt, paintedSide } from "./maths.js";
import { TEXT } from "./text.js";

const STEP = 1 / 28; // of the photograph, for an arrow key

/** A stage in words. */
export function stageName(taps, at) {
  if (at === 0) return TEXT.stem;
  return at === taps.length - 1 ? TEXT.head : fill(TEXT.stage, taps[at]);
}

/** Put a frame around a cell; it keeps a size that is seen, and stays on its picture. */
function putFrame(frame, { top, left, size }) {
  const inside = (share) => `min(${100 * share}%, 100% - 6px)`;
  Object.assign(frame.style, { top: inside(top), left: inside(left), width: `${100 * size}%` });
}

/** A map on its canvas, with the frame of one place on it. */
function mapPart(look) {
  const canvas = h("canvas", look);
  const frame = h("i", { class: "bb-st-frame" });
  const node = h("span", { class: "bb-st-map" }, canvas, frame);
  const paint = (bytes, side) => {
    const color = diverging(node, 127);
    paintPixels(
      canvas,
      Array.from(bytes, (level) => level - 128),
      side,
      side,
      color,
    );
  };
  const mark = (side, place) => putFrame(frame, cellAt(side, place));
  return { node, canvas, paint, mark };
}

/** All stages, each with its liveliest map, to choose from. */
export function stripPart(view, taps) {
  const most = Math.max(...taps.map(({ side, channels }) => side * side * channels));
  const faces = taps.map(({ side, channels }, at) => {
    const map = mapPart({ "aria-hidden": "true" }); // the words beside it name it
    const count = side * side * channels;
    const bar = h("span", { class: "bb-st-bar", title: fill(TEXT.numbers, { count: grouped(count) }) });
    bar.style.setProperty("--share", count / most);
    const size = [fill(TEXT.side, { side }), fill(TEXT.channels, { channels: grouped(channels) })];
    return {
      map,
      node: h(
        "span",
        { class: "bb-st-stage" },
        h("b", {}, stageName(taps, at)),
        map.node,
        bar,
        ...size.map((text) => h("span", { class: "bb-st-count" }, text)),
      ),
    };
  });
  const pick = (at) => view.set({ stage: at });
  const stages = choice(TEXT.stages, [...taps.keys()], (at) => faces[at].node, pick, "st-stages");
  const update = (seen, stage, place) => {
    stages.set(stage);
    faces.forEach(({ map }, at) => {
      map.paint(seen[at][0].bytes, paintedSide(taps[at].side));
      map.mark(taps[at].side, place);
    });
  };
  return { node: stages.node, update, mark: (place) => faces.forEach(({ map }, at) => map.mark(taps[at].side, place)) };
}

/** The maps of the stage that is looked at. */
export function stagePart(taps, count) {
  const maps = Array.from({ length: count }, () => mapPart({ role: "img" }));
  const title = h("span");
  const titles = taps.map(({ channels }) => fill(TEXT.maps, { channels: grouped(channels) }));
  const longest = titles.reduce((a, b) => (b.length > a.length ? b : a));
  const node = h(
    "div",
    { "data-part": "maps" },
    h("p", { class: "bb-hint", "data-longest": longest }, title),
    h("div", { class: "bb-st-maps" }, ...maps.map((map) => map.node)),
  );
  const update = (seen, stage, place) => {
    write(title, titles[stage]);
    maps.forEach((map, i) => {
      map.paint(seen[stage][i].bytes, paintedSide(taps[stage].side));
      map.canvas.setAttribute(
        "aria-label",
        fill(TEXT.map, { channel: seen[stage][i].channel, stage: stageName(taps, stage) }),
      );
      map.mark(taps[stage].side, place);
    });
  };
  return { node, update, mark: (stage, place) => maps.forEach((map) => map.mark(taps[stage].side, place)) };
}

/** The photograph as a handle: a place on it, moved by the pointer or by keys, is framed in all maps. */
export function placePart(view, canvas, now, moveTo) {
  const frame = h("i", { class: "bb-st-frame" });
  const node = h("span", { class: "bb-st-map", tabindex: 0, role: "group" }, canvas, frame);
  const inside = (share) => clamp(share, 0, 0.999);
  const go = (event) => {
    const box = canvas.getBoundingClientRect();
    view.use();
    moveTo([inside((event.clientY - box.top) / box.height), inside((event.clientX - box.left) / box.width)]);
  };
  drag(view, node, go);
  const moves = ({ movementX, movementY }) => movementX || movementY; // a page that scrolls is no hand
  view.listen(node, "pointermove", (event) => event.pointerType === "mouse" && moves(event) && go(event));
  keys(view, node, ({ key }) => {
    if (!ARROWS[key]) return false;
    moveTo(now().map((share, axis) => inside(share + STEP * ARROWS[key][axis])));
  });
  const mark = (side) => {
    const { row, column, ...cell } = cellAt(side, now());
    putFrame(frame, cell);
    node.setAttribute("aria-label", fill(TEXT.place, { row, column }));
  };
  return { node, mark };
}
