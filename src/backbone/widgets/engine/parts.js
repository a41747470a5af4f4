// The button that loads a network, which all figures with one have.

import { button, h, write } from "../kit.js";
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
