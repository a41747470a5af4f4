import { button, fill, h, svg } from "../kit.js";
import { TEXT } from "./text.js";

/** The arc over a block. */
function arc() {
  const look = { viewBox: "0 0 100 50", preserveAspectRatio: "none", "aria-hidden": "true" };
  return svg("svg", look, svg("path", { d: "M6 50C6 0 94 0 94 50", "vector-effect": "non-scaling-stroke" }));
}

/** One block: what is inside, and the shortcut over it where it has one. */
function blockOf({ number, adds, size }, press) {
  const look = { class: "bb-bl-unit", style: `--size: ${size}` };
  if (!adds) {
    const label = fill(TEXT.fixed, { block: number });
    const still = h("span", { class: "bb-bl-box bb-bl-still", role: "img", title: label });
    return { node: h("div", look, still), update() {} };
  }
  const shown = h("span", { "aria-hidden": "true" }, String(number)); // the title is the name
  const toggles = { skip: ["bb-bl-skip", arc()], branch: ["bb-bl-box", shown] };
  const made = Object.entries(toggles).map(([part, [kind, face]]) => {
    const label = fill(TEXT[part], { block: number });
    return [part, button(face, () => press(number, part), { class: `bb-button bb-part ${kind}`, title: label })];
  });
  const update = (cut) => made.forEach(([part, node]) => node.setAttribute("aria-pressed", cut === part));
  return { node: h("div", look, ...made.map(([, node]) => node)), update };
}

/** All blocks on one wire; `between` stands between its two ends. */
export function chainPart(blocks, press, between) {
  const made = blocks.map((block) => blockOf(block, press));
  const row = h("div", { class: "bb-bl-row" }, ...made.map(({ node }) => node));
  const node = h(
    "div",
    { role: "group", "aria-label": TEXT.network, "data-part": "network" },
    row,
    h("div", { class: "bb-bl-ends" }, h("span", {}, TEXT.from), between, h("span", {}, TEXT.to)),
  );
  const update = (cuts) => made.forEach(({ update: mark }, i) => mark(cuts[blocks[i].number]));
  return { node, update };
}
