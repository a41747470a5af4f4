import { choice, dropdown, h, scope, write } from "../kit.js";

const TEXT = {
  title: "Architecture explorer: two networks to scale, and what their parts cost",
  networks: { a: "Network A", b: "Network B" },
  size: "Picture",
  pixels: (size) => `${size} × ${size}`,
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
  factor: (times) => `× ${times}`,
  verdicts: {
    done: "Solved.",
    open: "Not solved yet.",
    both: "Two answers are missing.",
    one: "One answer is missing.",
    size: (before, after) => `From ${amount(before)} to ${amount(after)} multiply-adds.`,
    wrong: "Not both are right. Move the slider from 224 to 448, and look.",
    parameters: (share) => `The chosen layer holds ${shareText(share)} of all parameters.`,
    cost: (share) => `The chosen layer does ${shareText(share)} of the work of what is open.`,
    shrink: (now, limit) => `Now ${amount(now)}; at most ${amount(limit)}.`,
    missing: (name) => `Choose ${name} as network A or B.`,
    pair: (parameters, factor) =>
      `Parameters differ by ${shareText(parameters)}, multiply-adds by a factor of ${factor.toFixed(1)}.`,
  },
  score: (count, all) => `${count} of ${all} tasks solved`,
  whole: "whole network",
  depth: (layers) => `${layers} layers deep`,
  measures: { parameters: "parameters", cost: "multiply-adds" },
  parts: {
    stem: "stem",
    head: "head",
    stage: (number) => `stage ${number}`,
    module: (name) => `module ${name}`,
    block: (number, count) => (count > 1 ? `blocks ${number}–${number + count - 1}` : `block ${number}`),
    conv: (number, count) => (count > 1 ? `conv ${number}–${number + count - 1}` : `conv ${number}`),
    branch: (number) => `branch ${number}`,
    linear: "fully connected",
    shortcut: "shortcut",
  },
  alike: (count) => `${count} alike`,
  window: ({ kernel, into, maps, stride }) =>
    `${kernel} × ${kernel}, ${into} → ${maps}${stride > 1 ? `, /${stride}` : ""}`,
  vector: ({ into, maps }) => `${into} → ${maps}`,
  shape: (maps, side) => (side ? `${maps} × ${side} × ${side}` : `${maps}`),
  places: (side) => (side ? `${side} × ${side}` : ""),
  share: (value, whole) => `${amount(value)}, ${shareText(value / whole)}`,
  path: (name) => `Where you are in ${name}`,
  list: (name) => `Parts of ${name}`,
  overview: (name, depth, size, last) =>
    `${name}: ${depth} layers one after the other. From ${size} × ${size} pixels and 3 channels to ${last.maps} maps of ${last.side} × ${last.side} before the head.`,
  caption:
    "Each column is a layer or block, as wide as it is deep. Above the line: the side of its maps, in pixels. Below: how many maps. Both networks have one scale.",
  note: "Pooling and activations have no parameters and count no multiply-adds: they are not listed. Bars of one color in both lists have one scale; the percentages are of the whole network.",
  say: (name, parameters, cost, size) =>
    `${name}: ${amount(parameters)} parameters, ${amount(cost)} multiply-adds at ${size} pixels.`,
};
const FACTORS = [1, 2, 4, 8];
const [TOP, BOTTOM, MOST_MAPS] = [58, 42, 4096]; // heights of the overview's two halves
const SIDES = ["a", "b"];

/** Three digits with a unit: 138 M, 15.5 G. */
function amount(value) {
  const [unit, name] = [
    [1e9, " G"],
    [1e6, " M"],
    [1e3, " K"],
  ].find(([unit]) => value >= 0.9995 * unit) ?? [1, ""];
  const scaled = value / unit;
  return `${unit === 1 ? scaled : scaled.toFixed(scaled >= 99.95 ? 0 : scaled >= 9.995 ? 1 : 2)}${name}`;
}

/** A share in %; a small one is not rounded to nothing. */
function shareText(share) {
  return share > 0 && share < 0.005 ? "< 1 %" : `${Math.round(100 * share)} %`;
}

// ---- Maths: pure functions, tested against PyTorch -----------------------------------------------------------

/** How many places a window has along a side, as PyTorch counts. */
function placesOf(side, { kernel, stride, padding, ceil }) {
  const steps = (side + 2 * padding - kernel) / stride;
  let places = (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
  // A window that is taken although it does not fit has to begin inside the map or its padding on the left.
  if (ceil && (places - 1) * stride >= side + padding) places -= 1;
  return places;
}

/** The side of each map for a picture of another size: side as it was counted -> side now. */
function sidesAt({ side, windows }, size) {
  const sides = new Map([[side, size]]);
  for (const window of windows) sides.set(window.after, placesOf(sides.get(window.before), window));
  return sides;
}

/** Parts with what all that they stand for has: parameters, multiply-adds and the side of the maps at this size. */
function counted(network, size) {
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
function follow(whole, path) {
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
function columns(parts, path = []) {
  return parts.flatMap((part, index) => {
    const deep = part.parts && !["block", "module"].includes(part.kind);
    const found = deep
      ? columns(part.parts, [...path, index])
      : [{ depth: part.depth, maps: part.maps, side: part.side || 1, path: [...path, index] }];
    return Array.from({ length: part.count }, () => found).flat();
  });
}

/** What is known about a task: whether it is solved, and the numbers that say how far one is. */
function judged(task, networks, { a, b, size, paths, guess }) {
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

const SVG = "http://www.w3.org/2000/svg";

function shape(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

/** What stands on a row: the name of a part, and what comes out of it. */
function faceOf(part) {
  const { kind, number, count } = part;
  const learned = part.id ? ("kernel" in part ? TEXT.window(part) : TEXT.vector(part)) : "";
  const named = part.branch
    ? TEXT.parts.branch(part.branch)
    : kind === "module"
      ? TEXT.parts.module(part.name)
      : TEXT.parts[kind];
  const name = typeof named === "function" ? named(number, count) : named;
  const times = count > 1 && !part.id ? TEXT.alike(count) : "";
  return { name, more: learned || times, out: part.id ? TEXT.places(part.side) : TEXT.shape(part.maps, part.side) };
}

/** A bar of parameters or of multiply-adds, with its number. */
function bar(name) {
  const fill = h("span", { class: `bb-arch-fill bb-arch-${name}` });
  const text = h("span", { class: "bb-arch-number" });
  const node = h(
    "span",
    { class: "bb-arch-bar" },
    h("span", { class: "bb-arch-track" }, fill),
    text,
    h("span", { class: "bb-hidden" }, ` ${TEXT.measures[name]}. `),
  );
  return {
    node,
    update(value, most, words) {
      fill.style.width = `${most ? (100 * value) / most : 0}%`;
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
      write(depth, TEXT.depth(whole.depth));
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
        crumbs.setAttribute("aria-label", TEXT.path(title));
        rows = shown.parts.map((_, i) => row([...way, i]));
        list.replaceChildren(...rows.map((one) => one.node));
        list.setAttribute("aria-label", TEXT.list(places.at(-1)[0]));
        if (focused) rows[0].press.focus({ preventScroll: true });
        built = key;
      }
      shown.parts.forEach((part, i) => {
        const { name: words, more, out } = faceOf(part);
        [words, more, out].forEach((text, j) => write(rows[i].face[j], text));
        measures.forEach((measure, j) =>
          rows[i].pair[j].update(part[measure], most.open[measure], TEXT.share(part[measure], whole[measure])),
        );
        write(rows[i].arrow, part.parts ? " ›" : "");
        if (!part.parts) rows[i].press.setAttribute("aria-pressed", part === end);
      });
    },
  };
}

/** A network as columns from left to right; columns of the open part are marked. */
function overview() {
  const drawing = shape("svg", {
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
          shape("rect", { ...look, y: TOP - up, height: up }),
          shape("rect", { ...look, y: TOP, height: down, opacity: 0.6 }),
        ];
      });
      drawing.setAttribute("viewBox", `0 0 ${deepest} 100`);
      drawing.replaceChildren(...rects, shape("line", { x1: 0, x2: deepest, y1: TOP, y2: TOP, class: "bb-arch-axis" }));
      const last = found.filter(({ side }) => side > 1).at(-1) ?? found[0];
      drawing.setAttribute("aria-label", TEXT.overview(name, whole.depth, size, last));
      write(title, `${name}, ${TEXT.depth(whole.depth)}`);
    },
  };
}

function render({ model, el }) {
  const view = scope(model);
  const [networks, tasks, [least, most, step]] = [model.get("networks"), model.get("tasks"), model.get("sizes")];
  // A built page keeps its state with sorted keys: both orders are made here.
  const names = Object.keys(networks).sort((one, other) => one.localeCompare(other, "en", { numeric: true }));
  const asked = Object.keys(TEXT.tasks).filter((name) => name in tasks);
  let speaking = null;

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
    for (const [name, value] of Object.entries(changes)) model.set(name, value);
    model.save_changes();
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
    choice(label, FACTORS, TEXT.factor, (factor) =>
      set({ guess: model.get("guess").map((old, j) => (i === j ? factor : old)) }),
    ),
  );
  const answers = h("div", { class: "bb-arch-answers" }, ...guesses.map((one) => one.node));
  const question = h("p", { class: "bb-arch-question" });
  const verdict = h("span", {});
  const score = h("span", {});
  const panels = SIDES.map((side) => panel((path) => set({ [`path_${side}`]: path })));
  const drawings = SIDES.map(overview);
  const live = h("p", { class: "bb-hidden", role: "status" });

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
    write(value, TEXT.pixels(now.size));
    slider.setAttribute("aria-valuetext", TEXT.pixels(now.size));
    if (tasks[now.task]) paintTask(now);
    clearTimeout(speaking);
    if (speaking !== null)
      speaking = setTimeout(
        () =>
          write(
            live,
            [
              verdict.textContent,
              ...wholes.map((whole, i) => TEXT.say([now.a, now.b][i], whole.parameters, whole.cost, now.size)),
            ].join(" "),
          ),
        600,
      );
  };
  const paintTask = (now) => {
    task.set(now.task);
    write(question, TEXT.questions[now.task]);
    answers.classList.toggle("bb-arch-away", tasks[now.task].kind !== "size");
    guesses.forEach((one, i) => one.set(now.guess[i]));
    const found = judged(tasks[now.task], networks, now);
    write(verdict, `${found.solved ? TEXT.verdicts.done : TEXT.verdicts.open} ${detail(tasks[now.task], found)}`);
    write(score, TEXT.score(model.get("solved").length, Object.keys(tasks).length));
  };
  const detail = (asked, found) => {
    const say = TEXT.verdicts;
    if (found.absent) return say.missing(found.absent);
    if (asked.kind === "shrink") return say.shrink(found.now, found.limit);
    if (asked.kind === "pair") return say.pair(found.apart, found.factor);
    if (asked.kind === "size")
      return found.solved ? say.size(found.before, found.after) : [say.wrong, say.one, say.both][found.missing];
    if (!found.chosen) return "";
    const { end, open, whole } = found.chosen;
    // What is open may stand for many alike, of which the page lists one.
    return asked.measure === "cost"
      ? say.cost((end.cost * (open.count ?? 1)) / open.cost)
      : say.parameters(end.parameters / whole.parameters);
  };

  const root = h(
    "div",
    { class: "bb-widget bb-arch", role: "group", "aria-label": TEXT.title },
    h(
      "div",
      { class: "bb-controls" },
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
    h("p", { class: "bb-hint" }, TEXT.caption),
    h("div", { class: "bb-arch-panels" }, ...panels.map((one) => one.node)),
    h("p", { class: "bb-hint" }, TEXT.note),
    live,
  );
  el.append(root);
  view.onChange(["a", "b", "size", "path_a", "path_b", "task", "guess", "solved"], () => {
    speaking ??= 0; // nothing is said before the reader acts
    view.soon(paint);
  });
  view.signal.addEventListener("abort", () => clearTimeout(speaking));
  paint();
  return () => {
    view.dispose();
    root.remove();
  };
}

export { amount, columns, counted, follow, judged, placesOf, shareText, sidesAt };
export default { render };
