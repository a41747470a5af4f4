// Parts that the figures with a network share.

import { button, h, write } from "../kit.js";
import { paintPhoto } from "../photo/decode.js";
import { photoPicker } from "../photo/picker.js";
import { asked, load } from "./client.js";

/**
 * The button that loads the network, and what became of it. `changed()` is called once it is there. `run(question, done)`
 * answers the newest question: those that were asked while it worked are passed over but the last.
 */
export function networkPart(view, model, text, changed) {
  let [net, busy, next] = [null, false, null];
  const license = h("a", { href: model.get("license"), target: "_blank", rel: "noopener" }, text.license);
  const status = h("span", { role: "status", tabindex: -1 });
  const start = button(text.load, begin, { class: "bb-button bb-primary" });
  const note = h("span", {}, text.runsHere, license);
  const node = h("div", { class: "bb-network" }, start, note, status);

  async function begin() {
    const held = document.activeElement === start;
    // A button that cannot be pressed, or is gone, takes a key's place on the page with it.
    const hold = (node) => held && [document.body, start].includes(document.activeElement) && node.focus();
    start.disabled = true;
    note.hidden = true;
    write(status, text.loading);
    try {
      net = await load(model);
      start.hidden = true;
      write(status, net.fast ? text.ready : text.slow);
      hold(status);
      if (!view.signal.aborted) changed();
    } catch (error) {
      fail(error);
      hold(start);
    }
  }
  function fail(error) {
    console.warn(error);
    start.disabled = false;
    write(status, text.failures[error.kind] ?? text.failures.failed);
  }
  async function work() {
    busy = true;
    while (next && !view.signal.aborted) {
      const [question, done] = next;
      next = null;
      try {
        const found = await net.run(question);
        if (!next) done(found);
      } catch (error) {
        fail(error);
      }
    }
    busy = false;
  }
  const run = (question, done) => {
    next = [question, done];
    if (!busy) work();
  };
  if (asked(model)) begin();
  return { node, run, loaded: () => Boolean(net) };
}

/**
 * The first answers as bars. `update([{ name, share }])`, with `old` true where they are not of what is shown now. Where
 * `pick(i)` is given an answer can be pressed, for what `why` says, and `update` takes which one is.
 */
export function answersPart(text, count = 5, pick = null, why = "") {
  const rows = Array.from({ length: count }, (_, i) => {
    const [name, value, bar] = [h("span", { class: "bb-answer-name" }), h("span", {}), h("i", {})];
    const press = pick ? button(name, () => pick(i), { class: "bb-answer-pick", title: why }) : name;
    return { node: h("li", {}, press, h("span", { class: "bb-track-thin" }, bar), value), name, value, bar, press };
  });
  const node = h("ol", { class: "bb-answer-list", "aria-label": text.answers, "data-part": "answers" });
  node.append(...rows.map((row) => row.node));
  const update = (answers, old = false, pressed = 0) => {
    node.classList.toggle("bb-old", old);
    rows.forEach(({ press }, i) => pick && press.setAttribute("aria-pressed", i === pressed));
    answers.slice(0, count).forEach(({ name, share }, i) => {
      write(rows[i].name, name);
      write(rows[i].value, `${Math.round(100 * share)} %`);
      rows[i].bar.style.width = `${100 * share}%`;
    });
  };
  return { node, update };
}

/**
 * The photograph on its canvas, and the row in which a reader chooses one. `changed()` is called once another is there;
 * `now()` is { name, pixels, own }, with null for the pixels until the first is.
 */
export function photographPart(view, model, text, changed) {
  const canvas = h("canvas", { class: "bb-photograph", role: "img", "data-part": "photograph" });
  let shown = { name: null, pixels: null, own: false };
  const pick = (picked) => {
    shown = picked;
    paintPhoto(canvas, picked.pixels);
    const alt = picked.own ? text.photo.own : model.get("alts")[model.get("photos").indexOf(picked.name)];
    canvas.setAttribute("aria-label", alt);
    changed();
  };
  const { node } = photoPicker(view, model, text.photo, { pick });
  return { canvas, node, now: () => shown };
}
