// What a network says of a picture, for the figures that show its first answers.

import { button, h, percent, write } from "../kit.js";

const COUNT = 4;

/**
 * The first four answers as bars. `update([{ name, share }])`, with `old` true where they are not of what is shown now. Where
 * `pick(i)` is given an answer can be pressed, for what `why` says, and `update` takes which one is.
 */
export function answersPart(text, pick = null, why = "") {
  const rows = Array.from({ length: COUNT }, (_, i) => {
    const [name, value, bar] = [h("span", { class: "bb-answer-name" }), h("span", {}), h("i", {})];
    const press = pick ? button(name, () => pick(i), { class: "bb-answer-pick", title: why }) : name;
    return { node: h("li", {}, press, h("span", { class: "bb-track-thin" }, bar), value), name, value, bar, press };
  });
  const node = h("ol", { class: "bb-answer-list", "aria-label": text.answers, "data-part": "answers" });
  node.append(...rows.map((row) => row.node));
  const update = (answers, old = false, pressed = 0) => {
    node.classList.toggle("bb-old", old);
    rows.forEach(({ press }, i) => pick && press.setAttribute("aria-pressed", i === pressed));
    answers.slice(0, COUNT).forEach(({ name, share }, i) => {
      // A class of ImageNet stays in the words of its data.
      if (rows[i].name.textContent !== name) rows[i].name.textContent = name;
      write(rows[i].value, percent(share));
      rows[i].bar.style.width = `${100 * share}%`;
    });
  };
  return { node, update };
}
