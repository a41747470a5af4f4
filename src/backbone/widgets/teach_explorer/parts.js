import { button, controls, fill, fold, h, hint, percent, table, told, write } from "../kit.js";
import { paintPhoto } from "../photo/decode.js";
import { COLORS, drawOf, firstOf, framed, frameOf, scoreOf } from "./maths.js";
import { askedOf, examplesOf, taughtOf } from "./pool.js";
import { TEXT } from "./text.js";

export const CLASSES = 5;
const COUNTS = [1, 2, 5]; // pictures a class in the fold of numbers
const DRAWS = 20;

/** Paint a picture in its frame, where that has changed. */
function paintItem(canvas, pixels, frame) {
  if (canvas.shows === pixels && canvas.frame === frame) return;
  [canvas.shows, canvas.frame] = [pixels, frame];
  if (pixels) paintPhoto(canvas, framed(pixels, COLORS[frame]));
  else canvas.width = canvas.height = 1; // one of a file, which holds no pictures
}

/** The name of a picture for those who do not see it. */
export function titleOf(item, pool) {
  if (item.photo) return told(item.photo);
  if (!item.pixels) return TEXT.nameless;
  return fill(TEXT.mine, { number: 1 + pool.items.filter(({ photo }) => !photo).indexOf(item) });
}

/** The pictures of one class that are taught, or asked, as buttons: `ask(item)`. */
function stripPart(label, ask) {
  const made = new Map();
  const node = h("div", { class: "bb-te-strip", role: "group" });
  const thumb = (item) => {
    const canvas = h("canvas", { width: 1, height: 1 });
    return { canvas, node: button(canvas, () => ask(item), { class: "bb-button bb-part bb-te-thumb" }) };
  };
  const update = (items, name, describe) => {
    node.setAttribute("aria-label", `${told(name)}, ${label}`);
    const nodes = items.map((item) => {
      if (!made.has(item)) made.set(item, thumb(item));
      const { canvas, node: face } = made.get(item);
      const { frame, text, shown, wrong } = describe(item);
      paintItem(canvas, item.thumb, frame);
      face.title = text; // and the name
      face.setAttribute("aria-pressed", shown);
      face.classList.toggle("bb-te-wrong", wrong);
      return face;
    });
    if (nodes.length !== node.children.length || nodes.some((one, i) => one !== node.children[i]))
      node.replaceChildren(...nodes);
  };
  return { node, update };
}

/** A file chooser without a face: `open()`. */
export function chooser(view, attributes, take) {
  const node = h("input", { type: "file", hidden: true, ...attributes });
  view.listen(node, "change", () => {
    if (node.files.length) take([...node.files]);
    node.value = ""; // so that the same file can be given once more
  });
  return { node, open: () => node.click() };
}

/** One class: its name, and its pictures. */
function rowPart(view, number, acts) {
  const name = h("input", {
    class: "bb-te-name",
    maxlength: 24,
    "aria-label": fill(TEXT.name, { number: number + 1 }),
  });
  view.listen(name, "change", () => acts.rename(number, name));
  const files = chooser(view, { accept: "image/*", multiple: true }, (given) => acts.add(number, given));
  const sign = (text) => h("span", { "aria-hidden": "true" }, text); // the title is the name
  const add = button(sign("+"), files.open);
  const remove = button(sign("×"), () => acts.remove(number));
  const [taught, asked] = [TEXT.taughtOnes, TEXT.askedOnes].map((label) => stripPart(label, acts.ask));
  const head = h("div", { class: "bb-te-head" }, name, add, remove, files.node);
  const node = h("div", { class: "bb-te-row", "data-number": number }, head, taught.node, asked.node);
  const update = ({ pool, loaded, describe }) => {
    const one = pool.classes[number];
    node.hidden = !one;
    if (!one) return;
    if (document.activeElement !== name) name.value = one.name;
    add.hidden = !loaded;
    for (const [face, label] of [
      [add, TEXT.add],
      [remove, TEXT.remove],
    ])
      face.title = fill(label, one);
    remove.hidden = pool.classes.length < 3;
    taught.update(taughtOf(pool, one), one.name, (item) => describe(item, number, false));
    asked.update(askedOf(pool, one), one.name, (item) => describe(item, number, true));
  };
  return { node, update };
}

/** All classes: `acts` are rename(number, input), add(number, files), remove(number) and ask(item). */
export function classesPart(view, acts) {
  const rows = Array.from({ length: CLASSES }, (_, number) => rowPart(view, number, acts));
  const heads = ["", TEXT.taughtOnes, TEXT.askedOnes].map((text) => h("span", {}, text));
  const node = h(
    "div",
    { class: "bb-te-classes", role: "group", "aria-label": TEXT.classes, "data-part": "classes" },
    h("div", { class: "bb-te-row bb-te-top", "aria-hidden": "true" }, ...heads),
    ...rows.map((row) => row.node),
  );
  return { node, update: (state) => rows.forEach((row) => row.update(state)) };
}

/** The picture asked about, and how likely each class is. `teach(number)` says what it is; `again` stands below. */
export function askedPart(teach, again) {
  const canvas = h("canvas", { class: "bb-photograph", role: "img", "data-part": "photograph" });
  const rows = Array.from({ length: CLASSES }, (_, number) => {
    const [name, bar, value] = [h("span", { class: "bb-answer-name" }), h("i", {}), h("span", {})];
    const press = button(TEXT.teach, () => teach(number));
    return {
      name,
      bar,
      value,
      press,
      node: h("li", {}, name, h("span", { class: "bb-track-thin" }, bar), value, press),
    };
  });
  const list = h("ol", { class: "bb-answer-list bb-te-shares", "aria-label": TEXT.shares, "data-part": "answers" });
  list.append(...rows.map((row) => row.node));
  const update = ({ pool, item, frame, shares }) => {
    paintItem(canvas, item.pixels, frame);
    canvas.setAttribute("aria-label", `${TEXT.shown}: ${titleOf(item, pool)}`);
    const most = shares && firstOf(shares);
    rows.forEach(({ node, name, bar, value, press }, number) => {
      const one = pool.classes[number];
      node.hidden = !one;
      if (!one) return;
      write(name, one.name);
      node.classList.toggle("bb-te-most", number === most);
      write(value, shares ? percent(shares[number]) : TEXT.missing);
      bar.style.width = `${shares ? 100 * shares[number] : 0}%`;
      const taught = item.at === one;
      write(press, taught ? TEXT.taught : TEXT.teach);
      press.setAttribute("aria-pressed", taught);
      press.setAttribute("aria-label", fill(taught ? TEXT.takeOut : TEXT.teachAs, one));
      press.disabled = !item.features;
    });
  };
  return { node: h("div", { class: "bb-seen bb-te-seen" }, canvas, h("div", {}, list, again)), update };
}

/** The fold "Numbers": how often a head is right, over draws of what it is taught; computed bit by bit while it is open. */
export function numbersPart(view, now) {
  const rows = [...COUNTS.map((count) => [count, "none"]), [COUNTS.at(-1), "swapped"]];
  const names = rows.map(([count, frames]) =>
    frames === "swapped"
      ? fill(TEXT.rows.swapped, { count })
      : fill(count === 1 ? TEXT.rows.one : TEXT.rows.many, { count }),
  );
  const sources = Object.keys(TEXT.columns);
  const found = table(TEXT.numbers, Object.values(TEXT.columns), names);
  const node = fold(TEXT.numbers, hint(fill(TEXT.note, { draws: DRAWS })), found.node);
  let wish = 0;

  async function compute() {
    const mine = ++wish;
    const texts = rows.map(() => sources.map(() => TEXT.missing));
    found.update(texts);
    for (const [i, [count, frames]] of rows.entries())
      for (const [j, source] of sources.entries()) {
        const scores = [];
        const { classes, all } = every(now(), source, frames);
        const labels = all.map(({ label }) => label);
        if (![...new Set(labels)].every((label) => labels.filter((one) => one === label).length > count)) continue;
        for (let seed = 0; seed < DRAWS; seed++) {
          await new Promise((done) => setTimeout(done)); // the page goes first
          if (mine !== wish || view.signal.aborted) return;
          const vectors = ["teach", "ask"].map((way) => all.map((one) => one[way]));
          scores.push(scoreOf(drawOf(labels, count, seed), ...vectors, labels, classes.length));
        }
        const mean = scores.reduce((sum, score) => sum + score, 0) / DRAWS;
        const [low, high] = [Math.min(...scores), Math.max(...scores)];
        const whole = (score) => String(Math.round(100 * score));
        texts[i][j] = fill(TEXT.cell, { mean: whole(mean), low: whole(low), high: whole(high) });
        found.update(texts);
      }
  }
  const update = () => node.open && compute();
  view.listen(node, "toggle", update);
  return { node, update };
}

/** All pictures of which a class is known. */
function every(pool, source, frames) {
  const { taught, asked } = examplesOf(pool, source, frames);
  return { classes: pool.classes, all: [...taught, ...asked] };
}

/** The fold "More": as at first, empty, save, open, and the lines of Python. */
export function morePart(view, acts) {
  const files = chooser(view, { accept: ".json,application/json" }, ([file]) => acts.open(file));
  const row = controls(
    button(TEXT.over, acts.over),
    button(TEXT.empty, acts.empty),
    button(TEXT.save, acts.save),
    button(TEXT.open, files.open),
    files.node,
  );
  const code = h("pre", { class: "bb-te-code", tabindex: 0 }, TEXT.code);
  return fold(TEXT.more, row, hint(TEXT.python), code);
}

/** The frame in which a picture is shown. */
export const frameAt = (number, frames, asked) => (number < 0 ? 0 : frameOf(number, frames, asked));
