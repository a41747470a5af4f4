import { button, choice, clamp, controls, drag, dropdown, enlarged, fill, fixed, fold, grouped, h } from "../kit.js";
import { hint, keys, percent, question, svg, table, write } from "../kit.js";
import { layout, LIMITS, reached, ribbonPath, savings, STEP, unitOf } from "./maths.js";
import { TEXT } from "./text.js";

export const millions = (amount) => `${fixed(amount / 1e6, 1)} M`;
const BRANCH_OF = [0, 1, 1, 2, 2, 3]; // of each width

/** Put the numbers of a box into the attributes of a rectangle. */
function place(rect, { x, y, width, height }) {
  for (const [name, value] of Object.entries({ x, y, width, height })) rect.setAttribute(name, value.toFixed(1));
}

// ---- The module ---------------------------------------------------------------------------------------------

/** A block whose lower edge is the handle of one width. */
function blockPart(view, slot, actions) {
  const rect = svg("rect", { rx: 2 });
  const edge = svg("rect", { class: "bb-inc-edge", height: 4 });
  const hit = svg("rect", { class: "bb-inc-hit" });
  const label = svg("text", { "text-anchor": "middle" });
  const look = slot === null ? {} : { tabindex: 0, role: "slider", "aria-label": TEXT.sliders[slot] };
  const node = svg(
    "g",
    { class: `bb-inc-block bb-inc-${slot === null ? 3 : BRANCH_OF[slot]}`, ...look },
    rect,
    hit,
    edge,
    label,
  );
  if (slot !== null) handle(view, node, slot, actions);
  const update = (box) => {
    node.toggleAttribute("hidden", !box);
    if (!box) return;
    const tall = Math.max(box.height, 26);
    const middle = box.y + box.height / 2;
    place(rect, box);
    place(hit, { ...box, y: middle - tall / 2, height: tall });
    place(edge, { ...box, y: box.y + box.height - 2, height: 4 });
    label.setAttribute("x", (box.x + box.width / 2).toFixed(1));
    // Over a block that is too low for it, and over its edge, which is thicker than a block of no maps.
    label.setAttribute("y", (box.height < 16 ? Math.min(box.y, box.y + box.height - 2) - 4 : middle + 4).toFixed(1));
    write(label, fill(TEXT.maps, { name: slot === null ? TEXT.pool : TEXT.names[slot], maps: box.maps }));
    if (slot === null) return;
    const [low, high] = LIMITS[slot];
    const now = { "aria-valuemin": low, "aria-valuemax": high, "aria-valuenow": box.maps };
    for (const [name, value] of Object.entries(now)) node.setAttribute(name, value);
  };
  return { node, update };
}

/** Drag a block's edge, or use the keys of a slider on it. */
function handle(view, node, slot, { widths, unit, change }) {
  const [low, high] = LIMITS[slot];
  const put = (maps) => change(slot, clamp(STEP * Math.round(maps / STEP), low, high));
  let from;
  drag(
    view,
    node,
    (event) => put(from.maps + (2 * (event.clientY - from.y)) / (from.unit * enlarged(node))), // the block grows both ways
    (event) => (from = { maps: widths()[slot], y: event.clientY, unit: unit() }),
  );
  const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageUp: 4, PageDown: -4 };
  keys(view, node, ({ key }) => {
    if (key === "Home" || key === "End") return put(key === "Home" ? low : high);
    if (!steps[key]) return false;
    put(widths()[slot] + STEP * steps[key]);
  });
}

/** The module: what goes in, the blocks of the four branches, and their maps in one pile. */
export function modulePart(view, [channels], read, change) {
  let unit = 0.55;
  const actions = { widths: () => read().widths, unit: () => unit, change };
  const ribbons = TEXT.branches.map((_, i) => [0, 1, 2].map(() => svg("path", { class: `bb-inc-ribbon bb-inc-${i}` })));
  const piles = TEXT.branches.map((_, i) => svg("rect", { class: `bb-inc-pile bb-inc-${i}` }));
  const input = svg("rect", { class: "bb-inc-input", rx: 2 });
  const blocks = [0, 1, 2, 3, 4, 5, null].map((slot) => [slot, blockPart(view, slot, actions)]);
  const [inward, outward] = [svg("text"), svg("text", { "text-anchor": "end" })];
  const nodes = [...ribbons.flat(), input, ...piles, ...blocks.map(([, { node }]) => node), inward, outward];
  const node = svg("svg", { class: "bb-inc-module" }, ...nodes);
  let drawn = null;
  const update = () => {
    const { widths, reduced } = read();
    const width = node.clientWidth || 688;
    unit = unitOf(channels, widths, reduced);
    drawn = layout(channels, widths, reduced, width, unit);
    node.setAttribute("height", drawn.height);
    place(input, drawn.input);
    drawn.parts.forEach((part, i) => place(piles[i], part));
    const boxes = new Map(drawn.lanes.flat().map((box) => [box.slot, box]));
    for (const [slot, block] of blocks) block.update(boxes.get(slot));
    drawn.ribbons.forEach((row, i) =>
      ribbons[i].forEach((path, j) => path.setAttribute("d", row[j + 1] ? ribbonPath(row[j], row[j + 1]) : "")),
    );
    write(inward, fill(TEXT.input, { channels }));
    write(outward, fill(TEXT.output, { maps: Math.round(drawn.output.height / unit) }));
    inward.setAttribute("y", drawn.input.y - 6);
    outward.setAttribute("y", Math.max(14, drawn.output.y - 6));
    outward.setAttribute("x", width - 2); // a letter reaches a little beyond its own width
    return boxes;
  };
  return { node, update };
}

// ---- The question -------------------------------------------------------------------------------------------

/** Six buttons beside the blocks; after the answer each says what it would have saved. */
export function questionPart(view, shape, start) {
  const answers = Object.fromEntries(TEXT.names.map((_, slot) => [slot, fill(TEXT.answer, { step: STEP })]));
  const asked = question(view, "answer", TEXT.question, answers);
  const saved = savings(shape, start.widths, start.reduced);
  const truth = String(saved.indexOf(Math.max(...saved)));
  for (const [slot, node] of asked.buttons) {
    node.classList.add("bb-inc-answer");
    node.setAttribute("aria-label", fill(TEXT.answerLabel, { name: TEXT.sliders[slot], step: STEP }));
  }
  const update = (given, boxes, { widths, reduced }) => {
    const away = widths.reduce((sum, width, i) => sum + Math.abs(width - start.widths[i]), 0);
    const open = away <= (given ? STEP : 0) && reduced.every(Boolean);
    asked.update(given, truth);
    for (const [slot, node] of asked.buttons) {
      const box = boxes.get(Number(slot));
      node.hidden = !open || !box;
      if (node.hidden) continue;
      if (given) write(node, fill(TEXT.saving, { count: millions(saved[slot]) }));
      node.style.left = `${box.x + box.width + 1}px`;
      node.style.top = `${box.y + box.height / 2 - 13}px`;
    }
    return open && given && asked.fresh() ? fill(given === truth ? TEXT.yes : TEXT.no, { maps: start.widths[2] }) : "";
  };
  return { node: asked.node, buttons: [...asked.buttons.values()], update };
}

// ---- The bars -----------------------------------------------------------------------------------------------

/** A bar of one piece a branch, up to `end`; `limit` draws a line. */
function barPart(title) {
  const pieces = TEXT.branches.map((_, i) => h("span", { class: `bb-inc-piece bb-inc-${i}` }));
  const mark = h("span", { class: "bb-inc-budget" });
  const box = h("div", { class: "bb-inc-bar", role: "img" }, ...pieces, mark);
  const total = h("strong");
  const update = ({ branches, cost }, text, end, limit) => {
    write(total, text);
    branches.forEach((branch, i) => {
      pieces[i].style.width = `${(100 * branch.cost) / end}%`;
      write(pieces[i], branch.cost > 0.12 * end ? TEXT.branches[i] : "");
    });
    mark.hidden = !limit || limit >= end; // the end of the bar is a line already
    mark.style.left = `${(100 * limit) / end}%`;
    const parts = branches.filter((one) => one.cost).map((one) => `${TEXT.branches[one.index]} ${millions(one.cost)}`);
    const words = { title, total: millions(cost), parts: parts.join(", "), end: millions(end) };
    box.setAttribute("aria-label", fill(TEXT.barLabel, words));
  };
  return { node: h("div", { class: "bb-inc-row" }, h("p", {}, `${title} `, total), box), update };
}

/** What the module costs, over what its naive twin costs, on one scale. */
export function barsPart() {
  const [own, twin] = [barPart(TEXT.bars.cost), barPart(TEXT.bars.twin)];
  const update = (now, other, budget) => {
    const end = Math.max(now.cost, other.cost, budget ?? 0, 1);
    const words = { cost: millions(now.cost), most: millions(budget ?? 0) };
    own.update(now, budget ? fill(TEXT.budget, words) : words.cost, end, budget);
    twin.update(other, millions(other.cost), end);
  };
  return { node: h("div", { "data-part": "cost" }, own.node, twin.node), update };
}

/** What is read aloud and stands under the picture. */
export function summaryOf(now, twin) {
  const [cost, out] = [millions(now.cost), now.out];
  if (now.cost === 0) return TEXT.nothing;
  if (twin.cost === 0) return fill(TEXT.sayPool, { cost, out });
  if (now.cost === twin.cost && now.out === twin.out) return fill(TEXT.saySame, { cost, out });
  const most = now.branches.reduce((a, b) => (b.cost > a.cost ? b : a));
  const shares = { share: percent(now.cost / twin.cost), most: percent(most.cost / now.cost) };
  return fill(TEXT.say, { cost, out, branch: TEXT.branches[most.index], ...shares });
}

// ---- The folds ----------------------------------------------------------------------------------------------

/** All reductions at once: with them, or the naive module. */
export function kindPart(move) {
  const all = (on) => [on, on, on];
  const kinds = choice(
    TEXT.kind,
    Object.keys(TEXT.kinds),
    (kind) => TEXT.kinds[kind],
    (kind) => move({ reduced: all(kind === "reduced") }),
  );
  const update = (reduced) => kinds.set(reduced.every(Boolean) ? "reduced" : reduced.some(Boolean) ? "" : "naive");
  return { node: kinds.node, update };
}

/** Each 1x1 by itself, and puzzles whose goals are checked while the widths move. */
export function puzzlePart(model, shape, { move, jump }) {
  const puzzles = model.get("puzzles");
  const toggles = TEXT.toggles.map((text, i) => {
    const flip = () => move({ reduced: model.get("reduced").map((one, j) => (i === j ? input.checked : one)) });
    const input = h("input", { type: "checkbox", onchange: flip });
    return { input, node: h("label", { class: "bb-inc-toggle" }, input, h("span", {}, text)) };
  });
  const names = dropdown(TEXT.puzzle, Object.entries(TEXT.puzzles), (puzzle) =>
    jump({ puzzle, ...puzzles[puzzle].start }),
  );
  const now = () => puzzles[model.get("puzzle")];
  const buttons = [
    button(TEXT.start, () => jump(now().start)),
    button(TEXT.solution, () => jump(now().solution)),
    button(TEXT.paper, () => jump(model.get("paper"))),
  ];
  const [words, goals] = [h("p", { class: "bb-inc-task" }), h("ul", { class: "bb-inc-goals" })];
  const [verdict, score] = [h("strong", { class: "bb-inc-verdict" }), h("span", { class: "bb-inc-score" })];
  const foot = h("p", {}, verdict, " ", score);
  const update = (counted, { widths, reduced, puzzle, shown, solved }) => {
    toggles.forEach(({ input }, i) => (input.checked = reduced[i]));
    names.set(puzzle);
    write(words, TEXT.questions[puzzle]);
    const met = reached(shape, puzzles[puzzle], widths, reduced);
    goals.replaceChildren(...puzzles[puzzle].goals.map((goal, i) => goalLine(goalText(goal, counted), met[i])));
    write(verdict, !met.every(Boolean) ? TEXT.notYet : shown === puzzle ? TEXT.seen : TEXT.done);
    write(score, fill(TEXT.score, { count: solved.length, all: Object.keys(puzzles).length }));
  };
  const rows = [controls(...toggles.map(({ node }) => node)), controls(names.node, ...buttons), words, goals, foot];
  return { node: fold(TEXT.more, ...rows), update };
}

function goalLine(text, met) {
  const sign = h("span", { "aria-hidden": "true" }, met ? "✓" : "○");
  const heard = h("span", { class: "bb-hidden" }, ` (${met ? TEXT.met : TEXT.open})`);
  return h("li", { class: met ? "bb-inc-met" : "" }, sign, ` ${text}`, heard);
}

/** A goal of a puzzle in words, with where the module stands now. */
function goalText({ kind, maps, most, least, branch }, now) {
  const words = TEXT.goals;
  if (kind === "out") return fill(words.out, { maps, now: now.out });
  if (kind === "cost") return fill(words.cost, { most: millions(most), now: millions(now.cost) });
  if (kind === "least") {
    const alike = new Set(maps).size === 1;
    return fill(alike ? words.each : words.four, { maps: alike ? maps[0] : maps.join(", ") });
  }
  if (kind !== "share") return words[kind];
  const share = percent(now.out ? now.branches[branch].maps / now.out : 0);
  return fill(words.share, { least: percent(least), branch: TEXT.branches[branch], now: share });
}

/** The branches in numbers. */
export function numbersPart([, side]) {
  const cells = table(TEXT.numbers, TEXT.columns, [...TEXT.branches, TEXT.total]);
  const update = (now, twin) => {
    const share = (cost) => (now.cost ? percent(cost / now.cost) : "–");
    const line = (one, other) => [
      one.maps,
      grouped(one.weights),
      millions(one.cost),
      share(one.cost),
      millions(other.cost),
    ];
    const lines = now.branches.map((one, i) => line(one, twin.branches[i]));
    cells.update([...lines, line({ ...now, maps: now.out }, twin)].map((row) => row.map(String)));
  };
  return { node: fold(TEXT.numbers, cells.node, hint(fill(TEXT.note, { places: side * side }))), update };
}
