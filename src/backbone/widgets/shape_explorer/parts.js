import { sheet } from "../canvas.js";
import { softmax, topOf } from "../engine/maths.js";
import { array, ARROWS, choice, drag, fill, h, keys } from "../kit.js";
import { paintPhoto } from "../photo/decode.js";
import { SIDE } from "../photo/resize.js";
import { cellAt, changedPixels, patchAt, placeBeside, placeNear, smallerPixels } from "./maths.js";
import { TEXT } from "./text.js";

const SMALLER = 2; // the thumbnails
const VEIL = 0.8; // opacity of the strongest place of a map

/** What was recorded: the first answers and the share of the whole's first one, for each case and photograph. */
export function recordedAnswers(model) {
  const [first, shares, before] = ["first", "shares", "before"].map((name) => array(model, name));
  const [, count, top] = first.shape;
  const [cases, classes] = ["cases", "classes"].map((name) => model.get(name));
  const kept = (name, photo) => {
    const at = cases.indexOf(name) * count + photo;
    return first.data[at * top] === first.data[photo * top];
  };
  return {
    count,
    kept,
    of(name, photo) {
      const at = cases.indexOf(name) * count + photo;
      if (photo < 0 || at < photo) return undefined;
      const answers = Array.from({ length: top }, (_, i) => {
        const number = first.data[at * top + i];
        return { at: number, name: classes[number], share: shares.data[at * top + i] };
      });
      return { answers, was: before.data[at], kept: kept(name, photo) };
    },
  };
}

/** The same from logits. */
export function answersFrom(logits, classes, whole = logits) {
  const [answers, first] = [topOf(logits, classes, 4), whole.indexOf(Math.max(...whole))];
  return { answers, was: softmax(logits)[first], kept: answers[0].at === first };
}

/**
 * What the network has said of the photograph shown, by the name of a question. `known(name)` is what it said; `ask(name,
 * question, read)` asks unless that is on its way, and keeps `read` of what comes. Another photograph begins anew.
 */
export function notebook(network, photograph, changed) {
  let [found, of, open] = [new Map(), null, ""];
  const turn = () => {
    const { pixels } = photograph.now();
    if (of !== pixels) [found, of, open] = [new Map(), pixels, ""];
  };
  const known = (name) => (turn(), found.get(name));
  const ask = (name, question, read) => {
    turn();
    if (!network.loaded() || !of || open === name) return;
    open = name;
    const mine = found;
    network.run(question(of), (result) => {
      mine.set(name, read(result));
      if (open === name) open = "";
      changed();
    });
  };
  return { known, ask };
}

/** All changes as small pictures to choose from, with bars that say how likely the first answer still is. */
export function stripPart(changes, orderOf, pick) {
  const made = new Map(
    changes.map((change) => [change, { canvas: h("canvas", { "aria-hidden": "true" }), bar: h("i", {}) }]),
  );
  const face = (change) => {
    const { canvas, bar } = made.get(change);
    const track = h("span", { class: "bb-track-thin", title: TEXT.tiles.bar }, bar);
    return h("span", { class: "bb-sh-change" }, canvas, h("span", {}, TEXT.tiles.names[change]), track);
  };
  const group = choice(TEXT.tiles.changes, changes, face, pick, "sh-strip");
  group.node.querySelector("legend").className = "bb-hidden";
  let painted = {};
  const paint = (pixels, shuffle) => {
    if (painted.pixels === pixels && painted.shuffle === shuffle) return;
    const known = painted.pixels === pixels;
    const small = known ? painted.small : smallerPixels(pixels, SMALLER);
    painted = { pixels, shuffle, small };
    for (const [change, { canvas }] of made) {
      const tiles = orderOf(change, shuffle);
      if (known && !tiles) continue; // only tiles are shuffled
      paintPhoto(canvas, changedPixels(small, change, tiles));
    }
  };
  const mark = (states) => {
    for (const [change, { bar }] of made) {
      const state = states.get(change);
      bar.style.width = `${100 * (state?.was ?? 0)}%`;
      bar.classList.toggle("bb-sh-kept", Boolean(state?.kept));
    }
  };
  return { node: group.node, set: group.set, paint, mark };
}

/** Rectangles in one of the two colors, as opaque as their values are large. */
function tint(context, scale, cells, limit, colors) {
  for (const { top, left, side, value } of cells) {
    if (value === undefined) continue;
    context.globalAlpha = VEIL * Math.min(1, Math.abs(value) / limit);
    context.fillStyle = value < 0 ? colors.negative : colors.positive;
    context.fillRect(left * scale, top * scale, side * scale, side * scale);
  }
  context.globalAlpha = 1;
}

/** The outline of the patch. */
function frame(context, scale, { top, left, side }, color) {
  for (const [style, width] of [
    ["#000", 4],
    [color, 2],
  ]) {
    context.strokeStyle = style;
    context.lineWidth = width;
    context.strokeRect(left * scale + 1, top * scale + 1, side * scale - 2, side * scale - 2);
  }
}

/**
 * A photograph under a map. `now()` is { pixels, cells, limit, place, solid }: the picture in gray where there are cells, the
 * map's rectangles, the patch's place or -1, and how opaque the patch is. `move(place)` is called where it is dragged.
 */
export function mapPart(view, look, now, move) {
  const photo = h("canvas");
  let painted = null;
  const { canvas, draw } = sheet({ class: "bb-sh-map", ...look }, "1", (context, width, _, colors) => {
    const { pixels, cells, limit, place, solid } = now();
    if (!pixels) return;
    if (painted?.pixels !== pixels || painted.plain !== !cells) {
      painted = { pixels, plain: !cells };
      paintPhoto(photo, cells ? changedPixels(pixels, "gray") : pixels);
    }
    const scale = width / SIDE;
    context.drawImage(photo, 0, 0, width, width);
    tint(context, scale, cells ?? [], limit, colors);
    if (place < 0) return;
    const { top, left, side } = patchAt(place);
    context.fillStyle = `rgba(127, 127, 127, ${solid})`;
    context.fillRect(left * scale, top * scale, side * scale, side * scale);
    frame(context, scale, { top, left, side }, colors.mark);
  });
  drag(view, canvas, (event) => {
    const { left, top, width } = canvas.getBoundingClientRect();
    move(placeNear(((event.clientY - top) / width) * SIDE, ((event.clientX - left) / width) * SIDE));
  });
  keys(view, canvas, ({ key }) => {
    if (!ARROWS[key]) return false;
    move(placeBeside(Math.max(now().place, 0), ...ARROWS[key]));
  });
  view.onResize(canvas, draw);
  return { node: canvas, update: draw };
}

/** The map's 49 squares with their values. */
export const squaresOf = (local) =>
  Array.from(local, (value, at) => {
    const side = SIDE / 7;
    return { top: side * Math.floor(at / 7), left: side * (at % 7), side, value };
  });

/** What covering costs, as squares of the occlusion map. */
export const lossesOf = (losses) => losses.map((value, place) => ({ ...cellAt(place), value }));

/** Where the patch is, in words. */
export const placeWords = (place) =>
  fill(TEXT.evidence.at, { row: Math.floor(place / 8) + 1, column: (place % 8) + 1 });
