import {
  body,
  button,
  controls,
  dropdown,
  fill,
  fixed,
  grouped,
  h,
  hint,
  percent,
  speaker,
  widget,
  write,
} from "../kit.js";

const TEXT = {
  title: "Inception explorer: the widths of a module, and what they cost",
  puzzle: "Puzzle",
  puzzles: {
    step: "1. One step",
    naive: "2. Out of the naive module",
    half: "3. Half the budget",
    wide: "4. Look wide",
    plain: "5. Without reductions",
  },
  questions: {
    step: "This is module 3a of the paper. Make one of its six widths smaller by 8, just one: which saves most?",
    naive:
      "The same branches without any 1×1 before or after them. Bring the module within the budget, and keep what the branches give.",
    half: "Module 3a again, with half of its budget. Every branch has to give at least 16 maps.",
    wide: "Half of the maps shall come from the 5×5, within 64 M. How narrow does its 1×1 become?",
    plain: "No 1×1 before the 3×3 and the 5×5. Which branches can give the maps now?",
  },
  goals: {
    out: "{maps} maps out (now {now})",
    cost: "at most {most} multiply-adds (now {now})",
    each: "at least {maps} maps from each branch",
    four: "at least {maps} maps from the four branches",
    share: "at least {least} of the maps from the {branch} (now {now})",
    plain: "no 1×1 before the 3×3 and the 5×5",
    step: "one width smaller by 8, all others as in 3a",
    saved: "at least {least} saved (now {now})",
  },
  met: "reached",
  open: "open",
  done: "Solved.",
  notYet: "Not solved yet.",
  seen: "Solved, but shown.",
  score: "{count} of {all} puzzles solved",
  restart: "Start of the puzzle",
  solution: "Show a solution",
  paper: "Module 3a",
  input: "{channels} maps of {side} × {side} go into every branch",
  branches: ["1×1", "3×3", "5×5", "pool"],
  sliders: [
    "1×1: maps out",
    "1×1 before the 3×3: maps",
    "3×3: maps out",
    "1×1 before the 5×5: maps",
    "5×5: maps out",
    "1×1 after pooling: maps out",
  ],
  short: ["maps out", "1×1 before", "maps out", "1×1 before", "maps out", "maps out"],
  toggles: ["1×1 before", "1×1 before", "1×1 after"],
  toggleLabels: ["1×1 before the 3×3", "1×1 before the 5×5", "1×1 after pooling"],
  all: "all {channels}",
  none: "no branch",
  bars: { maps: "Maps out, by what they have seen", cost: "Multiply-adds", twin: "Its naive twin" },
  barLabel: "{title}: {total}. {parts}. The bar ends at {end}.",
  asked: "{maps}, asked {asked}",
  budget: "{cost}, budget {most}",
  columns: ["branch", "maps", "weights", "multiply-adds", "share", "naive twin"],
  table: "The branches in numbers",
  total: "total",
  note: "Each weight is used once at each of {places} places: multiply-adds are weights times {places}.",
  say: "{cost} multiply-adds, {share} of the naive twin's {twin}, which gives {maps} maps. The largest part, {most}, is the {branch} branch.",
  saySame: "{cost} multiply-adds: this is the naive module, and it gives {maps} maps.",
  nothing: "No branch is left but the pooling, which has no multiply-adds of its own.",
};
const KERNELS = [1, 9, 25]; // places of a 1x1, a 3x3 and a 5x5
const [STEP, MOST_OUT, MOST_INTO] = [8, 256, 192];
const LIMITS = [
  [0, MOST_OUT],
  [STEP, MOST_INTO],
  [0, MOST_OUT],
  [STEP, MOST_INTO],
  [0, MOST_OUT],
  [STEP, MOST_OUT],
];

const millions = (count) => `${fixed(count / 1e6, 1)} M`;

// ---- Maths: pure functions, tested against PyTorch -----------------------------------------------------------

/** Maps and weights of each branch (1x1, 3x3, 5x5, pool) of a module. A branch that gives no maps has no weights. */
export function branchesOf(channels, widths, reduced) {
  const conv = (kernel, maps, into) =>
    maps === 0 ? 0 : into === null ? kernel * channels * maps : channels * into + kernel * into * maps;
  const [one, intoThree, three, intoFive, five, pooled] = widths;
  return [
    { maps: one, weights: conv(KERNELS[0], one, null) },
    { maps: three, weights: conv(KERNELS[1], three, reduced[0] ? intoThree : null) },
    { maps: five, weights: conv(KERNELS[2], five, reduced[1] ? intoFive : null) },
    reduced[2] ? { maps: pooled, weights: channels * pooled } : { maps: channels, weights: 0 },
  ];
}

/** The same with multiply-adds and totals; a module keeps height and width, so each weight is used at each place. */
export function count([channels, side], widths, reduced) {
  const branches = branchesOf(channels, widths, reduced).map((one, index) => ({
    ...one,
    index,
    cost: one.weights * side * side,
  }));
  const sum = (name) => branches.reduce((total, one) => total + one[name], 0);
  return { branches, out: sum("maps"), weights: sum("weights"), cost: sum("cost") };
}

/** Which goals of a puzzle hold, one true or false for each. */
export function reached(shape, { start, goals }, widths, reduced) {
  const now = count(shape, widths, reduced);
  const before = count(shape, start.widths, start.reduced);
  const steps = widths.map((width, i) => start.widths[i] - width).filter((step) => step !== 0);
  const holds = {
    out: ({ maps }) => now.out === maps,
    cost: ({ most }) => now.cost <= most,
    least: ({ maps }) => maps.every((least, i) => now.branches[i].maps >= least),
    share: ({ branch, least }) => now.out > 0 && now.branches[branch].maps >= least * now.out,
    plain: () => !reduced[0] && !reduced[1],
    step: () => steps.length === 1 && steps[0] === STEP && reduced.every((one, i) => one === start.reduced[i]),
    saved: ({ least }) => before.cost - now.cost >= least,
  };
  return goals.map((goal) => holds[goal.kind](goal));
}

/** A round number of multiply-adds at which the bars may end. */
export function scaleEnd(cost) {
  const unit = 10 ** Math.floor(Math.log10(Math.max(cost, 1)));
  return [1, 2, 4, 6, 8, 10].map((step) => step * unit).find((end) => end >= cost);
}

// ---- The view --------------------------------------------------------------------------------------------------

/** A bar of four parts; `parts` holds share, text and label of each. */
function stackedBar(title) {
  const pieces = TEXT.branches.map((name, i) => h("span", { class: `bb-inc-piece bb-inc-${i}` }));
  const mark = h("span", { class: "bb-inc-budget", hidden: true });
  const box = h("div", { class: "bb-inc-bar", role: "img" }, ...pieces, mark);
  const head = h("p", { class: "bb-inc-head" }, h("span", {}, title), h("strong", {}));
  const scale = h("p", { class: "bb-inc-ends", "aria-hidden": "true" }, h("span", {}, "0"), h("span", {}));
  return {
    node: h("div", { class: "bb-inc-row" }, head, box, scale),
    update(total, parts, limit, end) {
      write(head.lastChild, total);
      write(scale.lastChild, end);
      parts.forEach(({ share, text }, i) => {
        pieces[i].style.width = `${100 * share}%`;
        write(pieces[i], share > 0.09 ? text : "");
      });
      mark.hidden = limit === null || limit >= 1; // the end of the bar is a line already
      if (limit !== null) mark.style.left = `${100 * limit}%`;
      const labels = parts.filter(({ share }) => share > 0).map(({ label }) => label);
      box.setAttribute("aria-label", fill(TEXT.barLabel, { title, total, parts: labels.join(", "), end }));
    },
  };
}

/** A goal of a puzzle in words, with where the module stands now. */
function goalText({ kind, maps, most, least, branch }, now) {
  const words = TEXT.goals;
  if (kind === "out") return fill(words.out, { maps, now: now.out });
  if (kind === "cost") return fill(words.cost, { most: millions(most), now: millions(now.cost) });
  if (kind === "saved") return fill(words.saved, { least: millions(least), now: millions(now.saved) });
  if (kind === "least") {
    const alike = new Set(maps).size === 1;
    return fill(alike ? words.each : words.four, { maps: alike ? maps[0] : maps.join(", ") });
  }
  if (kind !== "share") return words[kind];
  const share = percent(now.branches[branch].maps / now.out);
  return fill(words.share, { least: percent(least), branch: TEXT.branches[branch], now: share });
}

export default widget(["widths", "reduced", "puzzle", "solved", "shown"], (view, model) => {
  const [puzzles, shape] = [model.get("puzzles"), model.get("shape")];
  const [channels, side, outMaps] = shape;
  const solves = ({ widths = model.get("widths"), reduced = model.get("reduced"), puzzle = model.get("puzzle") }) =>
    reached(shape, puzzles[puzzle], widths, reduced).every(Boolean);
  /** The reader moved a control. It counts, unless a solution of this puzzle was shown since its start. */
  const move = (changes) => {
    const [name, solved] = [model.get("puzzle"), model.get("solved")];
    const wins = solves(changes) && !solved.includes(name) && model.get("shown") !== name;
    view.set(wins ? { ...changes, solved: [...solved, name] } : changes);
  };
  /** A button set everything: a solution that comes so is shown, not found. */
  const jump = (changes) =>
    view.set({ ...changes, shown: solves(changes) ? (changes.puzzle ?? model.get("puzzle")) : "" });
  const replaced = (list, place, value) => list.map((one, i) => (i === place ? value : one));

  // ---- Controls

  const puzzle = dropdown(TEXT.puzzle, Object.entries(TEXT.puzzles), (name) =>
    jump({ puzzle: name, ...puzzles[name].start }),
  );
  const restart = button(TEXT.restart, () => jump(puzzles[model.get("puzzle")].start));
  const solution = button(TEXT.solution, () => jump(puzzles[model.get("puzzle")].solution));
  const paper = button(TEXT.paper, () => jump(puzzles.step.start));
  const score = h("span", { class: "bb-inc-score" });
  const question = h("p", { class: "bb-inc-question" });
  const goals = h("ul", { class: "bb-inc-goals" });
  const verdict = h("strong", { class: "bb-inc-verdict" });

  const sliders = LIMITS.map(([min, max], i) => {
    const input = h("input", {
      type: "range",
      min,
      max,
      step: STEP,
      "aria-label": TEXT.sliders[i],
      oninput: () => move({ widths: replaced(model.get("widths"), i, Number(input.value)) }),
    });
    const value = h("output", {});
    return {
      input,
      value,
      node: h("div", { class: "bb-inc-slider" }, h("span", { "aria-hidden": "true" }, TEXT.short[i]), value, input),
    };
  });
  const toggles = TEXT.toggles.map((text, i) => {
    const input = h("input", {
      type: "checkbox",
      "aria-label": TEXT.toggleLabels[i],
      onchange: () => move({ reduced: replaced(model.get("reduced"), i, input.checked) }),
    });
    return { input, node: h("label", { class: "bb-inc-toggle" }, input, h("span", {}, text)) };
  });
  const inner = [
    [sliders[0].node],
    [toggles[0].node, sliders[1].node, sliders[2].node],
    [toggles[1].node, sliders[3].node, sliders[4].node],
    [toggles[2].node, sliders[5].node],
  ];
  const costs = TEXT.branches.map(() => h("p", { class: "bb-inc-cost" }));
  const cards = TEXT.branches.map((name, i) =>
    h(
      "div",
      { class: "bb-inc-card", role: "group", "aria-label": name },
      h("p", { class: `bb-inc-name bb-inc-name-${i}` }, name),
      ...inner[i],
      costs[i],
    ),
  );
  const bars = Object.fromEntries(Object.entries(TEXT.bars).map(([name, title]) => [name, stackedBar(title)]));
  const rows = [...TEXT.branches, TEXT.total].map((name) =>
    h("tr", {}, h("th", { scope: "row" }, name), ...Array.from({ length: 5 }, () => h("td", {}))),
  );
  const table = h(
    "table",
    { class: "bb-inc-table" },
    h("thead", {}, h("tr", {}, ...TEXT.columns.map((text) => h("th", { scope: "col" }, text)))),
    h("tbody", {}, ...rows),
  );
  const say = h("p", { class: "bb-inc-say" });
  const live = speaker(view);

  // ---- Painting

  const paint = () => {
    const [widths, reduced, name] = [model.get("widths"), model.get("reduced"), model.get("puzzle")];
    const now = count(shape, widths, reduced);
    const twin = count(shape, widths, [false, false, false]);
    paintPuzzle(
      name,
      { ...now, saved: count(shape, puzzles[name].start.widths, puzzles[name].start.reduced).cost - now.cost },
      widths,
      reduced,
    );
    paintControls(widths, reduced, now);
    const goal = (kind) => puzzles[name].goals.find((one) => one.kind === kind) ?? {};
    paintBars(now, twin, goal("out").maps ?? null, goal("cost").most ?? null);
    paintTable(now, twin);
    write(say, summary(now, twin));
    live.say(`${verdict.textContent} ${say.textContent}`);
  };
  const summary = (now, twin) => {
    const [cost, maps] = [millions(now.cost), now.out];
    if (now.cost === 0) return TEXT.nothing;
    if (now.cost === twin.cost && now.out === twin.out) return fill(TEXT.saySame, { cost, maps });
    const most = now.branches.reduce((a, b) => (b.cost > a.cost ? b : a));
    return fill(TEXT.say, {
      cost,
      share: percent(now.cost / twin.cost),
      twin: millions(twin.cost),
      maps: twin.out,
      most: percent(most.cost / now.cost),
      branch: TEXT.branches[most.index],
    });
  };
  const paintPuzzle = (name, now, widths, reduced) => {
    puzzle.set(name);
    write(question, TEXT.questions[name]);
    const met = reached(shape, puzzles[name], widths, reduced);
    const items = puzzles[name].goals.map((goal, i) =>
      h(
        "li",
        { class: met[i] ? "bb-inc-met" : "" },
        h("span", { "aria-hidden": "true" }, met[i] ? "✓" : "○"),
        ` ${goalText(goal, now)}`,
        h("span", { class: "bb-hidden" }, ` (${met[i] ? TEXT.met : TEXT.open})`),
      ),
    );
    goals.replaceChildren(...items);
    write(verdict, !met.every(Boolean) ? TEXT.notYet : model.get("shown") === name ? TEXT.seen : TEXT.done);
    write(score, fill(TEXT.score, { count: model.get("solved").length, all: Object.keys(puzzles).length }));
  };
  const paintControls = (widths, reduced, now) => {
    sliders.forEach(({ input, value }, i) => {
      if (Number(input.value) !== widths[i]) input.value = widths[i];
      const off = { 1: !reduced[0], 3: !reduced[1], 5: !reduced[2] }[i] ?? false;
      input.disabled = off;
      const text = off ? fill(TEXT.all, { channels }) : String(widths[i]);
      write(value, text);
      input.setAttribute("aria-valuetext", text);
    });
    toggles.forEach(({ input }, i) => (input.checked = reduced[i]));
    now.branches.forEach(({ maps, cost }, i) => write(costs[i], maps === 0 ? TEXT.none : millions(cost)));
  };
  const paintBars = (now, twin, asked, budget) => {
    const end = scaleEnd(Math.max(now.cost, twin.cost, budget ?? 0));
    const whole = `${end / 1e6} M`;
    const widest = Math.max(now.out, outMaps);
    const parts = (one, name, whole, form) =>
      one.branches.map((branch, i) => ({
        share: branch[name] / whole,
        text: TEXT.branches[i],
        label: `${TEXT.branches[i]} ${form(branch[name])}`,
      }));
    bars.maps.update(
      asked === null ? String(now.out) : fill(TEXT.asked, { maps: now.out, asked }),
      parts(now, "maps", widest, String),
      asked === null ? null : asked / widest,
      String(widest),
    );
    bars.cost.update(
      budget === null ? millions(now.cost) : fill(TEXT.budget, { cost: millions(now.cost), most: millions(budget) }),
      parts(now, "cost", end, millions),
      budget === null ? null : budget / end,
      whole,
    );
    bars.twin.update(millions(twin.cost), parts(twin, "cost", end, millions), null, whole);
  };
  const paintTable = (now, twin) => {
    const share = (cost) => (now.cost ? percent(cost / now.cost) : "–");
    const line = (one, other) => [
      String(one.maps),
      grouped(one.weights),
      millions(one.cost),
      share(one.cost),
      millions(other.cost),
    ];
    const lines = [...now.branches.map((one, i) => line(one, twin.branches[i])), line({ ...now, maps: now.out }, twin)];
    lines.forEach((cells, r) => cells.forEach((text, c) => write(rows[r].children[c + 1], text)));
  };

  const root = body(
    "bb-inc",
    TEXT.title,
    controls(puzzle.node, restart, solution, paper),
    h("div", { class: "bb-inc-task" }, question, goals, h("p", { class: "bb-inc-foot" }, verdict, score)),
    hint(fill(TEXT.input, { channels, side })),
    h("div", { class: "bb-inc-cards" }, ...cards),
    ...Object.values(bars).map(({ node }) => node),
    say,
    h("div", { class: "bb-inc-scroll", tabindex: 0, role: "region", "aria-label": TEXT.table }, table),
    hint(fill(TEXT.note, { places: side * side })),
    live.node,
  );
  return { root, paint };
});
