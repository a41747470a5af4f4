import { body, choice, controls, dropdown, fill, h, hint, percent, speaker, svg, widget, write } from "../kit.js";

const TEXT = {
  title: "Architecture explorer: two networks to scale, and what their parts cost",
  networks: { a: "Network A", b: "Network B" },
  size: "Picture",
  square: "{side} × {side}",
  task: "Task",
  tasks: {
    size: "1. A larger picture",
    parameters: "2. More than half of the parameters",
    arithmetic: "3. Half the arithmetic",
    deep: "4. Down to one layer",
    pair: "5. As large, not as dear",
  },
  questions: {
    size: "ResNet-50 gets a picture with sides twice as long, 448 in place of 224. By what factor do its parameters grow, and its multiply-adds? Answer first, then move the slider.",
    parameters:
      "One single layer of AlexNet holds more than half of its parameters. Open its parts, and choose the layer.",
    arithmetic: "Bring VGG-16 to at most half of the multiply-adds that it has at 224 × 224, and keep every parameter.",
    deep: "Where is most of ResNet-152's arithmetic? Choose the stage with the most, in it the blocks with the most, and in these the layer with the most.",
    pair: "Find two networks whose parameters differ by less than 2 %, but whose multiply-adds differ more than tenfold.",
  },
  factors: ["Parameters", "Multiply-adds"],
  factor: "× {times}",
  verdicts: {
    done: "Solved.",
    open: "Not solved yet.",
    both: "Two answers are missing.",
    one: "One answer is missing.",
    size: "From {before} to {after} multiply-adds.",
    wrong: "Not both are right. Move the slider from 224 to 448, and look.",
    parameters: "The chosen layer holds {share} of all parameters.",
    cost: "The chosen layer does {share} of the work of what is open.",
    shrink: "Now {now}; at most {limit}.",
    missing: "Choose {name} as network A or B.",
    pair: "Parameters differ by {share}, multiply-adds by a factor of {factor}.",
  },
  score: "{count} of {all} tasks solved",
  whole: "whole network",
  depth: "{layers} layers deep",
  measures: { parameters: "parameters", cost: "multiply-adds" },
  parts: {
    stem: "stem",
    head: "head",
    stage: "stage {number}",
    module: "module {name}",
    block: "block {number}",
    blocks: "blocks {number}–{last}",
    conv: "conv {number}",
    convs: "conv {number}–{last}",
    branch: "branch {number}",
    linear: "fully connected",
    shortcut: "shortcut",
  },
  alike: "{count} alike",
  window: "{kernel} × {kernel}, {into} → {maps}",
  strided: "{kernel} × {kernel}, {into} → {maps}, /{stride}",
  vector: "{into} → {maps}",
  shape: "{maps} × {side} × {side}",
  share: "{amount}, {share}",
  path: "Where you are in {name}",
  list: "Parts of {name}",
  named: "{name}, {depth}",
  overview:
    "{name}: {layers} layers one after the other. From {size} × {size} pixels and 3 channels to {maps} maps of {side} × {side} before the head.",
  caption:
    "Each column is a layer or block, as wide as it is deep. Above the line: the side of its maps, in pixels. Below: how many maps. Both networks have one scale.",
  note: "Pooling and activations have no parameters and count no multiply-adds: they are not listed. Bars of one color in both lists have one scale; the percentages are of the whole network.",
  say: "{name}: {parameters} parameters, {cost} multiply-adds at {size} pixels.",
};
const FACTORS = [1, 2, 4, 8];
const [TOP, BOTTOM, MOST_MAPS] = [58, 42, 4096]; // heights of the overview's two halves
const SIDES = ["a", "b"];

/** Three digits with a unit: 138 M, 15.5 G. */
export function amount(value) {
  const [unit, name] = [
    [1e9, " G"],
    [1e6, " M"],
    [1e3, " K"],
  ].find(([unit]) => value >= 0.9995 * unit) ?? [1, ""];
  const scaled = value / unit;
  return `${unit === 1 ? scaled : scaled.toFixed(scaled >= 99.95 ? 0 : scaled >= 9.995 ? 1 : 2)}${name}`;
}

/** A share in %; a small one is not rounded to nothing. */
export function shareText(share) {
  return share > 0 && share < 0.005 ? "< 1 %" : percent(share);
}

// ---- Maths: pure functions, tested against PyTorch -----------------------------------------------------------

/** How many places a window has along a side, as PyTorch counts. */
export function placesOf(side, { kernel, stride, padding, ceil }) {
  const steps = (side + 2 * padding - kernel) / stride;
  let places = (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
  // A window that is taken although it does not fit has to begin inside the map or its padding on the left.
  if (ceil && (places - 1) * stride >= side + padding) places -= 1;
  return places;
}

/** The side of each map for a picture of another size: side as it was counted -> side now. */
export function sidesAt({ side, windows }, size) {
  const sides = new Map([[side, size]]);
  for (const window of windows) sides.set(window.after, placesOf(sides.get(window.before), window));
  return sides;
}

/** Parts with what all that they stand for has: parameters, multiply-adds and the side of the maps at this size. */
export function counted(network, size) {
  const sides = sidesAt(network, size);
  const walk = (part) => {
    const side = part.side ? sides.get(part.side) : 0;
    if (!part.parts) {
      const places = side ? side * side : 1;
      return { ...part, side, parameters: part.count * part.parameters, cost: part.count * part.each * places };
    }
    const parts = part.parts.map(walk);
    return {
      ...part,
      side,
      parts,
      parameters: part.count * total(parts, "parameters"),
      cost: part.count * total(parts, "cost"),
    };
  };
  const parts = network.tree.map(walk);
  return {
    parts,
    parameters: total(parts, "parameters"),
    cost: total(parts, "cost"),
    depth: parts.reduce((sum, part) => sum + part.count * part.depth, 0),
  };
}

function total(parts, name) {
  return parts.reduce((sum, part) => sum + part[name], 0);
}

/** Go down a path: the part that it ends in, and the last one on the way that has parts of its own. */
export function follow(whole, path) {
  let [end, open, steps] = [whole, whole, 0];
  for (const index of path) {
    const next = end.parts?.[index];
    if (!next) break;
    end = next;
    if (end.parts) [open, steps] = [end, steps + 1];
  }
  return { end, open, steps };
}

/** The columns of the overview, from left to right: every layer or block as often as it is there. */
export function columns(parts, path = []) {
  return parts.flatMap((part, index) => {
    const deep = part.parts && !["block", "module"].includes(part.kind);
    const found = deep
      ? columns(part.parts, [...path, index])
      : [{ depth: part.depth, maps: part.maps, side: part.side || 1, path: [...path, index] }];
    return Array.from({ length: part.count }, () => found).flat();
  });
}

/** What is known about a task: whether it is solved, and the numbers that say how far one is. */
export function judged(task, networks, { a, b, size, paths, guess }) {
  if (task.kind === "size") {
    const [before, after] = task.sizes.map((one) => counted(networks[task.network], one));
    const factors = [after.parameters / before.parameters, after.cost / before.cost];
    const nearest = factors.map((factor) =>
      FACTORS.reduce((best, one) => (Math.abs(one - factor) < Math.abs(best - factor) ? one : best)),
    );
    return {
      solved: guess.every((one, i) => one === nearest[i]),
      missing: guess.filter((one) => !one).length,
      before: before.cost,
      after: after.cost,
    };
  }
  if (task.kind === "pair") {
    const [one, other] = [a, b].map((name) => counted(networks[name], size));
    const apart = Math.abs(one.parameters - other.parameters) / Math.max(one.parameters, other.parameters);
    const factor = Math.max(one.cost, other.cost) / Math.min(one.cost, other.cost);
    return { solved: a !== b && apart < task.parameters && factor > task.factor, apart, factor };
  }
  const shown = [a, b].flatMap((name, i) => (name === task.network ? [paths[i]] : []));
  if (!shown.length) return { solved: false, absent: task.network };
  if (task.kind === "shrink") {
    const [now, before] = [size, networks[task.network].side].map((one) => counted(networks[task.network], one).cost);
    return { solved: now <= task.share * before, now, limit: task.share * before };
  }
  const whole = counted(networks[task.network], size);
  const ends = shown.map((path) => ({ ...follow(whole, path), whole })).filter(({ end }) => end.id);
  const right = ends.find(({ end }) => end.id === task.layer);
  return { solved: Boolean(right), chosen: right ?? ends[0] ?? null };
}

// ---- The view --------------------------------------------------------------------------------------------------

/** What stands on a row: the name of a part, and what comes out of it. */
function faceOf(part) {
  const { kind, number, count, side, maps } = part;
  const key = part.branch ? "branch" : count > 1 && `${kind}s` in TEXT.parts ? `${kind}s` : kind;
  const name = fill(TEXT.parts[key], { number: part.branch ?? number, last: number + count - 1, name: part.name });
  const square = side ? fill(TEXT.square, { side }) : "";
  if (!part.id) {
    const out = side ? fill(TEXT.shape, { maps, side }) : String(maps);
    return { name, more: count > 1 ? fill(TEXT.alike, { count }) : "", out };
  }
  const learned = "kernel" in part ? (part.stride > 1 ? TEXT.strided : TEXT.window) : TEXT.vector;
  return { name, more: fill(learned, part), out: square };
}

/** A bar of parameters or of multiply-adds, with its number. */
function bar(name) {
  const length = h("span", { class: `bb-arch-fill bb-arch-${name}` });
  const text = h("span", { class: "bb-arch-number" });
  const node = h(
    "span",
    { class: "bb-arch-bar" },
    h("span", { class: "bb-arch-track" }, length),
    text,
    h("span", { class: "bb-hidden" }, ` ${TEXT.measures[name]}. `),
  );
  return {
    node,
    update(value, most, words) {
      length.style.width = `${most ? (100 * value) / most : 0}%`;
      write(text, words);
    },
  };
}

/** One of the two networks: its totals, the way down, and the parts that are open. */
function panel(open) {
  const name = h("strong", {});
  const depth = h("span", {});
  const measures = Object.keys(TEXT.measures);
  const bars = Object.fromEntries(measures.map((measure) => [measure, bar(measure)]));
  const totals = measures.map((measure) =>
    h(
      "div",
      { class: "bb-arch-total" },
      h("span", { "aria-hidden": "true" }, TEXT.measures[measure]),
      bars[measure].node,
    ),
  );
  const crumbs = h("nav", { class: "bb-arch-crumbs" });
  const list = h("ul", { class: "bb-arch-list" });
  const node = h(
    "div",
    { class: "bb-arch-panel" },
    h("p", { class: "bb-arch-name" }, name, depth),
    ...totals,
    crumbs,
    list,
  );

  const crumb = (words, path, last) =>
    h(
      "li",
      {},
      h(
        "button",
        { type: "button", class: "bb-arch-crumb", onclick: () => open(path), "aria-current": last ? "true" : null },
        words,
      ),
    );
  const row = (path) => {
    const face = [h("strong", {}), h("span", {}), h("span", { class: "bb-arch-out" })];
    const pair = measures.map(bar);
    const arrow = h("span", { "aria-hidden": "true" });
    const press = h(
      "button",
      { type: "button", class: "bb-arch-row", onclick: () => open(path) },
      h("span", { class: "bb-arch-face" }, face[0], face[1], face[2], arrow),
      ...pair.map((one) => one.node),
    );
    return { node: h("li", {}, press), press, face, pair, arrow };
  };
  let [built, rows] = ["", []];
  return {
    node,
    /** `most` holds the largest number of each measure: of whole networks, and of the parts that are open. */
    update(title, whole, path, most) {
      const { open: shown, end, steps } = follow(whole, path);
      const way = path.slice(0, steps);
      write(name, title);
      write(depth, fill(TEXT.depth, { layers: whole.depth }));
      measures.forEach((measure) => bars[measure].update(whole[measure], most.whole[measure], amount(whole[measure])));
      const key = JSON.stringify([title, way]);
      if (key !== built) {
        const places = [
          [TEXT.whole, []],
          ...way.map((_, i) => [faceOf(follow(whole, way.slice(0, i + 1)).end).name, way.slice(0, i + 1)]),
        ];
        const focused = node.contains(document.activeElement);
        crumbs.replaceChildren(
          h("ol", {}, ...places.map(([words, to], i) => crumb(words, to, i === places.length - 1))),
        );
        crumbs.setAttribute("aria-label", fill(TEXT.path, { name: title }));
        rows = shown.parts.map((_, i) => row([...way, i]));
        list.replaceChildren(...rows.map((one) => one.node));
        list.setAttribute("aria-label", fill(TEXT.list, { name: places.at(-1)[0] }));
        if (focused) rows[0].press.focus({ preventScroll: true });
        built = key;
      }
      shown.parts.forEach((part, i) => {
        const { name: words, more, out } = faceOf(part);
        [words, more, out].forEach((text, j) => write(rows[i].face[j], text));
        measures.forEach((measure, j) => {
          const texts = { amount: amount(part[measure]), share: shareText(part[measure] / whole[measure]) };
          rows[i].pair[j].update(part[measure], most.open[measure], fill(TEXT.share, texts));
        });
        write(rows[i].arrow, part.parts ? " ›" : "");
        if (!part.parts) rows[i].press.setAttribute("aria-pressed", part === end);
      });
    },
  };
}

/** A network as columns from left to right; columns of the open part are marked. */
function overview() {
  const drawing = svg("svg", {
    viewBox: "0 0 100 100",
    preserveAspectRatio: "none",
    class: "bb-arch-overview",
    role: "img",
  });
  const title = h("p", { class: "bb-arch-over" });
  return {
    node: h("div", {}, title, drawing),
    update(name, whole, path, size, largest, deepest) {
      const found = columns(whole.parts);
      const gap = 0.0022 * deepest;
      let at = 0;
      const rects = found.flatMap(({ depth, side, maps, path: own }) => {
        const inside = path.length > 0 && path.every((step, i) => i >= own.length || own[i] === step);
        const look = { x: at, width: depth - gap, class: inside ? "bb-arch-inside" : "bb-arch-column" };
        at += depth;
        const [up, down] = [(TOP * side) / largest, (BOTTOM * maps) / MOST_MAPS];
        return [
          svg("rect", { ...look, y: TOP - up, height: up }),
          svg("rect", { ...look, y: TOP, height: down, opacity: 0.6 }),
        ];
      });
      drawing.setAttribute("viewBox", `0 0 ${deepest} 100`);
      drawing.replaceChildren(...rects, svg("line", { x1: 0, x2: deepest, y1: TOP, y2: TOP, class: "bb-arch-axis" }));
      const last = found.filter(({ side }) => side > 1).at(-1) ?? found[0];
      const layers = whole.depth;
      drawing.setAttribute("aria-label", fill(TEXT.overview, { name, layers, size, maps: last.maps, side: last.side }));
      write(title, fill(TEXT.named, { name, depth: fill(TEXT.depth, { layers }) }));
    },
  };
}

export default widget(["a", "b", "size", "path_a", "path_b", "task", "guess", "solved"], (view, model) => {
  const [networks, tasks, [least, most, step]] = [model.get("networks"), model.get("tasks"), model.get("sizes")];
  // A built page keeps its state with sorted keys: both orders are made here.
  const names = Object.keys(networks).sort((one, other) => one.localeCompare(other, "en", { numeric: true }));
  const asked = Object.keys(TEXT.tasks).filter((name) => name in tasks);

  const state = (changes = {}) => {
    const now = Object.fromEntries(
      ["a", "b", "size", "path_a", "path_b", "guess", "task"].map((name) => [name, changes[name] ?? model.get(name)]),
    );
    return { ...now, paths: [now.path_a, now.path_b] };
  };
  const set = (changes, counts = true) => {
    const next = state(changes);
    const solved = model.get("solved");
    if (counts && tasks[next.task] && !solved.includes(next.task) && judged(tasks[next.task], networks, next).solved)
      changes.solved = [...solved, next.task];
    view.set(changes);
  };
  const start = (name) => {
    const wanted = tasks[name].network;
    const absent = wanted && model.get("a") !== wanted && model.get("b") !== wanted;
    set(
      {
        task: name,
        guess: [0, 0],
        path_a: [],
        path_b: [],
        size: networks[wanted]?.side ?? model.get("size"),
        ...(absent ? { a: wanted } : {}),
      },
      false,
    );
  };

  // ---- Controls

  const picks = SIDES.map((side) =>
    dropdown(
      TEXT.networks[side],
      names.map((name) => [name, name]),
      (name) => set({ [side]: name, [`path_${side}`]: [] }),
    ),
  );
  const value = h("output", {});
  const slider = h("input", {
    type: "range",
    min: least,
    max: most,
    step,
    "aria-label": TEXT.size,
    oninput: () => set({ size: Number(slider.value) }),
  });
  const task = dropdown(
    TEXT.task,
    asked.map((name) => [name, TEXT.tasks[name]]),
    start,
  );
  const guesses = TEXT.factors.map((label, i) =>
    choice(
      label,
      FACTORS,
      (times) => fill(TEXT.factor, { times }),
      (factor) => set({ guess: model.get("guess").map((old, j) => (i === j ? factor : old)) }),
    ),
  );
  const answers = h("div", { class: "bb-arch-answers" }, ...guesses.map((one) => one.node));
  const question = h("p", { class: "bb-arch-question" });
  const verdict = h("span", {});
  const score = h("span", {});
  const panels = SIDES.map((side) => panel((path) => set({ [`path_${side}`]: path })));
  const drawings = SIDES.map(overview);
  const live = speaker(view);

  // ---- Painting

  const paint = () => {
    const now = state();
    const wholes = [now.a, now.b].map((name) => counted(networks[name], now.size));
    const shown = wholes.map((whole, i) => follow(whole, now.paths[i]).open.parts);
    const top = (parts) => ({
      parameters: Math.max(...parts.map((part) => part.parameters)),
      cost: Math.max(...parts.map((part) => part.cost)),
    });
    const bounds = { whole: top(wholes), open: top(shown.flat()) };
    const deepest = Math.max(...wholes.map((whole) => whole.depth));
    wholes.forEach((whole, i) => {
      const name = [now.a, now.b][i];
      picks[i].set(name);
      panels[i].update(name, whole, now.paths[i], bounds);
      drawings[i].update(name, whole, now.paths[i], now.size, most, deepest);
    });
    if (Number(slider.value) !== now.size) slider.value = now.size;
    write(value, fill(TEXT.square, { side: now.size }));
    slider.setAttribute("aria-valuetext", value.textContent);
    if (tasks[now.task]) paintTask(now);
    const totals = wholes.map(({ parameters, cost }, i) => {
      const name = [now.a, now.b][i];
      return fill(TEXT.say, { name, parameters: amount(parameters), cost: amount(cost), size: now.size });
    });
    live.say([verdict.textContent, ...totals].join(" "));
  };
  const paintTask = (now) => {
    task.set(now.task);
    write(question, TEXT.questions[now.task]);
    answers.classList.toggle("bb-arch-away", tasks[now.task].kind !== "size");
    guesses.forEach((one, i) => one.set(now.guess[i]));
    const found = judged(tasks[now.task], networks, now);
    write(verdict, `${found.solved ? TEXT.verdicts.done : TEXT.verdicts.open} ${detail(tasks[now.task], found)}`);
    write(score, fill(TEXT.score, { count: model.get("solved").length, all: Object.keys(tasks).length }));
  };
  const detail = (asked, found) => {
    const say = TEXT.verdicts;
    const { absent, now, limit, apart, factor, before, after, chosen } = found;
    if (absent) return fill(say.missing, { name: absent });
    if (asked.kind === "shrink") return fill(say.shrink, { now: amount(now), limit: amount(limit) });
    if (asked.kind === "pair") return fill(say.pair, { share: shareText(apart), factor: factor.toFixed(1) });
    if (asked.kind === "size") {
      if (!found.solved) return [say.wrong, say.one, say.both][found.missing];
      return fill(say.size, { before: amount(before), after: amount(after) });
    }
    if (!chosen) return "";
    const { end, open, whole } = chosen;
    // What is open may stand for many alike, of which the page lists one.
    return asked.measure === "cost"
      ? fill(say.cost, { share: shareText((end.cost * (open.count ?? 1)) / open.cost) })
      : fill(say.parameters, { share: shareText(end.parameters / whole.parameters) });
  };

  const root = body(
    "bb-arch",
    TEXT.title,
    controls(
      ...picks.map((one) => one.node),
      h("div", { class: "bb-field bb-arch-size" }, h("span", { "aria-hidden": "true" }, TEXT.size, " ", value), slider),
    ),
    h(
      "div",
      { class: "bb-arch-task", hidden: Object.keys(tasks).length === 0 },
      task.node,
      question,
      answers,
      h("p", { class: "bb-arch-foot" }, verdict, score),
    ),
    ...drawings.map((one) => one.node),
    hint(TEXT.caption),
    h("div", { class: "bb-arch-panels" }, ...panels.map((one) => one.node)),
    hint(TEXT.note),
    live.node,
  );
  return { root, paint };
});
