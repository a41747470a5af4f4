import { button, choice, compact, h, percent, powerOfTen, scope, show, svg, write } from "../kit.js";

const TEXT = {
  title: "Residual explorer: a residual network and its plain twin, as recorded",
  kinds: { plain: "plain", residual: "residual" },
  heads: {
    depth: "Training error by depth",
    gradient: "Gradients by layer",
    block: "Blocks of 20 layers, switched off",
  },
  questions: {
    depth: (deep) =>
      `Predict: the plain network of ${deep} layers. How does its training error end, against that of the plain one of 20?`,
    gradient: (deep) =>
      `Predict: the plain network of ${deep} layers, before training. How large is its gradient |∂L/∂h| near the pictures, against that of the last block?`,
    block: () => "Predict: block 5 is left out of both trained networks, and hands on its input. Which one loses more?",
  },
  answers: {
    depth: { lower: "lower", alike: "within a point", higher: "higher" },
    gradient: { smaller: "smaller", alike: "within 10 times", larger: "larger" },
    block: { residual: "the residual one", alike: "within 5 points", plain: "the plain one" },
  },
  verdict: (right, said) => (right ? "Yes. " : `You said: ${said}. No. `),
  outcomes: {
    depth: ({ deep, from, to }) =>
      `The plain network of 20 layers ends with ${from} of the training pictures wrong, that of ${deep} with ${to}. That is no overfitting: these are the pictures it was trained on.`,
    gradient: ({ deep, ratio, other }) =>
      `In the plain network of ${deep} layers it is ${ratio} times that of the last block, in the residual one ${other} times. Now look at 50 steps.`,
    block: ({ plain, residual }) =>
      `The plain network goes from ${plain.join(" to ")} wrong, the residual one from ${residual.join(" to ")}. Now find the block that each can spare best.`,
  },
  again: "Ask again",
  depth: "Layers",
  error: "Error on",
  errors: { train: "training pictures", test: "test pictures" },
  size: "Layers",
  steps: "Trained for",
  stepNames: (steps) => (steps ? `${steps} steps` : "nothing yet"),
  what: "Gradient",
  whats: { grad_h: "|∂L/∂h|, blocks", grad_w: "|∂L/∂W|, convolutions" },
  passes: ["pass 1", (last) => `pass ${last}`],
  places: ["the pictures’ end", () => "the last"],
  legend: { plain: "plain", residual: "residual", faint: { depth: "thin: 20 layers", gradient: "thin: single seeds" } },
  curveNote:
    "One run each, of a few passes, on pictures stored as JPEG. The training error is counted while the network learns.",
  columns: {
    depth: ["", "training error", "test error"],
    gradient: ["", "first / last", "least to most", "loss"],
    block: ["", "wrong", "whole", "lost"],
  },
  chart: {
    depth: (depth, which, parts) =>
      `${which === "train" ? "Training" : "Test"} error over the passes, ${depth} layers. ${parts.join(" ")}`,
    gradient: (size, steps, parts) =>
      `Size of the gradient from the pictures on, ${size} layers, ${steps ? `after ${steps} steps` : "before training"}. ${parts.join(" ")}`,
    part: (kind, from, to) => `${kind}: from ${from} to ${to}.`,
  },
  stage: (number, channels) => `Stage ${number}: ${channels} channels`,
  order: (stage, on) => `${stage}. On, in this order: ${on.length ? on.join(", ") : "none"}.`,
  blockLabel: (number, on) => `Block ${number}, ${on ? "on" : "off"}`,
  otherOrder: "Other order",
  orderLabel: (number) => `Another order of the blocks of stage ${number}`,
  whole: "All on, in order",
  rule: "A block that is off hands on its input. Blocks 4 and 7 change the shape: without them every other pixel goes on, and zeros fill the new channels. They stay in front; the others of a stage may change places.",
  guessing: "| all blocks on   ¦ guessing, 90 %",
  spoken: (plain, residual) => `Wrong: plain ${plain}, residual ${residual}.`,
  barLabel: (kind, wrong, whole) => `${kind}: ${wrong} of the test pictures wrong; ${whole} with all blocks.`,
};
const KINDS = ["plain", "residual"];
const NETWORKS = { plain: "plain", residual: "resnet" };
const WHOLE = "123 456 789";
const ANSWER_POINTS = { depth: 0.01, block: 0.05 };
const LOW = -8; // powers of ten at the ends of the axis of gradients
const HIGH = 2;
const [WIDE, TALL] = [1000, 400];

// ---- What is read off the records: pure functions, tested against Python --------------------------------------

/** The way with one block more or one less. A block comes back in front of the first that has a larger number. */
function toggle(way, block) {
  const stages = way.split(" ").map((stage) => stage.replace("-", ""));
  const at = Math.floor((block - 1) / 3);
  const digit = String(block);
  if (stages[at].includes(digit)) stages[at] = stages[at].replace(digit, "");
  else {
    const place = [...stages[at]].findIndex((one) => one > digit);
    stages[at] = place < 0 ? stages[at] + digit : stages[at].slice(0, place) + digit + stages[at].slice(place);
  }
  return stages.map((stage) => stage || "-").join(" ");
}

/** The blocks of a stage (0, 1, 2) that may change places: all of the first; of the others not the one that strides. */
function freeBlocks(way, stage) {
  const blocks = [...way.split(" ")[stage].replace("-", "")];
  return stage ? blocks.filter((one) => Number(one) !== 3 * stage + 1) : blocks;
}

/** The way with the next order of a stage's blocks, as in a dictionary; the first one follows the last. */
function reorder(way, stage) {
  const free = freeBlocks(way, stage);
  const sorted = [...free].sort();
  let i = free.length - 2;
  while (i >= 0 && free[i] > free[i + 1]) i--;
  let next = sorted;
  if (i >= 0) {
    let j = free.length - 1;
    while (free[j] < free[i]) j--;
    next = [...free];
    [next[i], next[j]] = [next[j], next[i]];
    next = [...next.slice(0, i + 1), ...next.slice(i + 1).reverse()];
  }
  const stages = way.split(" ");
  const first = stage && stages[stage].includes(String(3 * stage + 1)) ? String(3 * stage + 1) : "";
  stages[stage] = first + next.join("") || "-";
  return stages.join(" ");
}

/** The geometric mean over seeds at each place, and of first over last the mean, the least and the most. */
function profile(rows, what) {
  const seeds = rows.map((row) => row[what]);
  const middle = (values) => Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
  const ratios = seeds.map((sizes) => sizes[0] / sizes.at(-1));
  return {
    seeds,
    sizes: seeds[0].map((_, place) => middle(seeds.map((sizes) => sizes[place]))),
    ratio: middle(ratios),
    least: Math.min(...ratios),
    most: Math.max(...ratios),
    loss: rows.reduce((sum, row) => sum + row.loss, 0) / rows.length,
  };
}

/** The right answers, from the records alone. */
function truths({ curves, gradients, wrong }) {
  const depths = Object.keys(curves.plain);
  const more = curves.plain[depths.at(-1)].train.at(-1) - curves.plain[depths[0]].train.at(-1);
  const size = Math.max(...gradients.map((row) => row.depth));
  const { ratio } = profile(
    gradients.filter((row) => row.network === "plain" && row.depth === size && row.steps === 0),
    "grad_h",
  );
  const lost = (kind) => wrong(kind, toggle(WHOLE, 5)) - wrong(kind, WHOLE);
  const between = lost("plain") - lost("residual");
  return {
    depth: Math.abs(more) <= ANSWER_POINTS.depth ? "alike" : more > 0 ? "higher" : "lower",
    gradient: ratio > 10 ? "larger" : ratio < 0.1 ? "smaller" : "alike",
    block: Math.abs(between) <= ANSWER_POINTS.block ? "alike" : between > 0 ? "plain" : "residual",
  };
}

/** Two digits: "4100", "0.15", "8.5×10⁻⁶". */
const brief = (value) => compact(value, { digits: 2, from: 0.01, to: 99999 });

/** A share of wrong answers. */
const rate = (share) => percent(share, 1);

// ---- Parts of the page ----------------------------------------------------------------------------------------

/** Lines over places; `ticks` are pairs of a height (0 at the foot, 1 at the top) and its text. */
function lineChart(ticks, legend) {
  const picture = svg("svg", { viewBox: `0 0 ${WIDE} ${TALL}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const still = { "vector-effect": "non-scaling-stroke" };
  const rules = ticks.map(([height]) =>
    svg("path", { class: "bb-res-rule", d: `M0 ${TALL * (1 - height)}H${WIDE}`, ...still }),
  );
  const lines = svg("g");
  picture.append(...rules, lines);
  const labels = ticks.map(([height, text]) => {
    const node = h("span", { class: "bb-res-tick" }, text);
    node.style.top = `${100 * (1 - height)}%`;
    return node;
  });
  const box = h("div", { class: "bb-res-plot", role: "img" }, picture);
  const feet = [h("span"), h("span")];
  const node = h(
    "div",
    { class: "bb-panel" },
    h(
      "div",
      { class: "bb-res-legend", "aria-hidden": "true" },
      ...KINDS.map((kind) => h("span", { class: `bb-res-key bb-res-key-${kind}` }, TEXT.legend[kind])),
      h("span", {}, legend),
    ),
    h("div", { class: "bb-res-frame" }, h("div", { class: "bb-res-ticks", "aria-hidden": "true" }, ...labels), box),
    h("div", { class: "bb-res-feet", "aria-hidden": "true" }, ...feet),
  );
  const update = (drawn, ends, label) => {
    lines.replaceChildren(
      ...drawn.map(({ heights, look }) => {
        const across = (i) => (WIDE * i) / Math.max(1, heights.length - 1);
        const d = heights
          .map((height, i) => `${i ? "L" : "M"}${across(i).toFixed(1)} ${(TALL * (1 - height)).toFixed(2)}`)
          .join("");
        return svg("path", { class: `bb-res-line ${look}`, d, ...still });
      }),
    );
    ends.forEach((text, i) => write(feet[i], text));
    box.setAttribute("aria-label", label);
  };
  return { node, update };
}

/** A table with a row for each kind. */
function kindTable(columns) {
  const cells = {};
  const rows = KINDS.map((kind) => {
    cells[kind] = columns.slice(1).map(() => h("td"));
    return h(
      "tr",
      {},
      h("th", { scope: "row", class: `bb-res-key bb-res-key-${kind}` }, TEXT.kinds[kind]),
      ...cells[kind],
    );
  });
  const head = h("tr", {}, ...columns.map((text) => (text ? h("th", { scope: "col" }, text) : h("td"))));
  const node = h("table", { class: "bb-res-numbers" }, h("thead", {}, head), h("tbody", {}, ...rows));
  return { node, set: (kind, texts) => texts.forEach((text, i) => write(cells[kind][i], text)) };
}

/** A question with its answers; what is behind it opens when one is given. */
function quiz(name, words, given) {
  const question = h("p", { class: "bb-res-question" }, words);
  const says = h("p", { class: "bb-res-say" });
  const answers = Object.entries(TEXT.answers[name]).map(([key, text]) => [
    key,
    button(text, () => given(key), { "aria-pressed": "false" }),
  ]);
  const again = button(TEXT.again, () => (given(null), answers[0][1].focus()));
  const node = h(
    "div",
    { class: "bb-res-quiz" },
    question,
    h("div", { class: "bb-controls" }, ...answers.map(([, one]) => one), again),
    says,
  );
  const set = (answer, truth, outcome) => {
    for (const [key, one] of answers) {
      one.setAttribute("aria-pressed", key === answer);
      one.disabled = answer !== undefined && key !== answer;
    }
    again.disabled = answer === undefined;
    write(says, answer === undefined ? "" : TEXT.verdict(answer === truth, TEXT.answers[name][answer]) + outcome);
  };
  return { node, set, text: () => says.textContent };
}

function render({ model, el }) {
  const view = scope(model);
  const names = ["depth", "error", "size", "steps", "what", "way", "answers"];
  const [curves, gradients, ways, right, count] = ["curves", "gradients", "ways", "right", "count"].map((name) =>
    model.get(name),
  );
  const places = new Map(ways.map((way, i) => [way, i]));
  const wrong = (kind, way) => 1 - right[kind][places.get(way)] / count;
  const truth = truths({ curves, gradients, wrong });
  const depths = Object.keys(curves.plain)
    .map(Number)
    .sort((a, b) => a - b);
  const sizes = [...new Set(gradients.map((row) => row.depth))].sort((a, b) => a - b);
  const moments = [...new Set(gradients.map((row) => row.steps))].sort((a, b) => a - b);
  const set = (changes) => {
    for (const [name, value] of Object.entries(changes)) model.set(name, value);
    model.save_changes();
  };
  const answer = (name, key, opened, closed) => {
    const { [name]: _, ...others } = model.get("answers");
    set({ answers: key === null ? others : { ...others, [name]: key }, ...(key === null ? closed : opened) });
  };

  // ---- Controls

  const deep = depths.at(-1);
  const large = sizes.at(-1);
  const quizzes = {
    depth: quiz("depth", TEXT.questions.depth(deep), (key) =>
      answer("depth", key, { depth: deep, error: "train" }, { depth: depths[0] }),
    ),
    gradient: quiz("gradient", TEXT.questions.gradient(large), (key) =>
      answer("gradient", key, { size: large, steps: 0, what: "grad_h" }, { size: sizes[0], steps: 0 }),
    ),
    block: quiz("block", TEXT.questions.block(), (key) =>
      answer("block", key, { way: toggle(WHOLE, 5) }, { way: WHOLE }),
    ),
  };
  const depth = choice(
    TEXT.depth,
    depths.map(String),
    (one) => one,
    (one) => set({ depth: Number(one) }),
  );
  const which = choice(
    TEXT.error,
    ["train", "test"],
    (one) => TEXT.errors[one],
    (one) => set({ error: one }),
  );
  const layers = choice(
    TEXT.size,
    sizes.map(String),
    (one) => one,
    (one) => set({ size: Number(one) }),
  );
  const moment = choice(
    TEXT.steps,
    moments.map(String),
    (one) => TEXT.stepNames(Number(one)),
    (one) => set({ steps: Number(one) }),
  );
  const what = choice(
    TEXT.what,
    ["grad_h", "grad_w"],
    (one) => TEXT.whats[one],
    (one) => set({ what: one }),
  );

  const lines = {
    depth: lineChart(
      [0, 25, 50, 75, 100].map((one) => [one / 100, `${one} %`]),
      TEXT.legend.faint.depth,
    ),
    gradient: lineChart(
      [-8, -6, -4, -2, 0, 2].map((one) => [(one - LOW) / (HIGH - LOW), powerOfTen(one)]),
      TEXT.legend.faint.gradient,
    ),
  };
  const tables = Object.fromEntries(Object.entries(TEXT.columns).map(([name, columns]) => [name, kindTable(columns)]));

  const tiles = [0, 1, 2].map((stage) => {
    const blocks = new Map(
      [1, 2, 3].map((i) => {
        const number = 3 * stage + i;
        return [
          String(number),
          button(String(number), () => set({ way: toggle(model.get("way"), number) }), {
            class: "bb-button bb-res-block",
          }),
        ];
      }),
    );
    const order = button(TEXT.otherOrder, () => set({ way: reorder(model.get("way"), stage) }), {
      "aria-label": TEXT.orderLabel(stage + 1),
    });
    const row = h("div", { class: "bb-res-blocks" }, ...blocks.values());
    const node = h(
      "div",
      { class: "bb-res-stage", role: "group", "aria-label": TEXT.stage(stage + 1, 16 * 2 ** stage) },
      h("div", { class: "bb-res-name", "aria-hidden": "true" }, TEXT.stage(stage + 1, 16 * 2 ** stage)),
      row,
      order,
    );
    return { blocks, order, node };
  });
  const whole = button(TEXT.whole, () => set({ way: WHOLE }));
  const bars = Object.fromEntries(
    KINDS.map((kind) => {
      const [fill, mark] = [
        h("span", { class: `bb-res-fill bb-res-fill-${kind}` }),
        h("span", { class: "bb-res-mark" }),
      ];
      const track = h("div", { class: "bb-res-track", role: "img" }, fill, mark, h("span", { class: "bb-res-chance" }));
      return [
        kind,
        {
          fill,
          mark,
          track,
          node: h("div", { class: "bb-res-bar" }, h("span", { "aria-hidden": "true" }, TEXT.kinds[kind]), track),
        },
      ];
    }),
  );
  const live = h("p", { class: "bb-hidden", role: "status" });
  let speaking = null;

  // ---- Painting

  const paint = () => {
    const answers = model.get("answers");
    paintCurves(answers.depth);
    paintGradients(answers.gradient);
    paintBlocks(answers.block);
    clearTimeout(speaking);
    const words = KINDS.map((kind) => rate(wrong(kind, model.get("way"))));
    const spoken = [...Object.values(quizzes).map((one) => one.text()), answers.block ? TEXT.spoken(...words) : ""];
    if (speaking !== null) speaking = setTimeout(() => write(live, spoken.filter(Boolean).join(" ")), 500);
    else speaking = undefined; // nothing is said before something happens
  };
  const paintCurves = (answered) => {
    const now = answered ? model.get("depth") : depths[0];
    const error = model.get("error");
    const line = (kind, layers, look = "") => ({
      heights: curves[kind][layers][error],
      look: `bb-res-${kind} ${look}`,
    });
    const faint = now === depths[0] ? [] : KINDS.map((kind) => line(kind, depths[0], "bb-res-faint"));
    const parts = KINDS.map((kind) =>
      TEXT.chart.part(TEXT.kinds[kind], rate(curves[kind][now][error][0]), rate(curves[kind][now][error].at(-1))),
    );
    const passes = curves.plain[now].train.length;
    lines.depth.update(
      [...faint, ...KINDS.map((kind) => line(kind, now))],
      [TEXT.passes[0], TEXT.passes[1](passes)],
      TEXT.chart.depth(now, error, parts),
    );
    for (const kind of KINDS)
      tables.depth.set(
        kind,
        ["train", "test"].map((one) => rate(curves[kind][now][one].at(-1))),
      );
    depth.set(String(now));
    which.set(error);
    depth.node.disabled = !answered;
    const ends = [depths[0], deep].map((one) => rate(curves.plain[one].train.at(-1)));
    quizzes.depth.set(answered, truth.depth, TEXT.outcomes.depth({ deep, from: ends[0], to: ends[1] }));
  };
  const found = (kind, size, steps, name) =>
    profile(
      gradients.filter((row) => row.network === NETWORKS[kind] && row.depth === size && row.steps === steps),
      name,
    );
  const paintGradients = (answered) => {
    const now = answered ? model.get("size") : sizes[0];
    const [steps, name] = [model.get("steps"), model.get("what")];
    const height = (value) => (Math.log10(value) - LOW) / (HIGH - LOW);
    const shown = Object.fromEntries(KINDS.map((kind) => [kind, found(kind, now, steps, name)]));
    const drawn = [true, false].flatMap((single) =>
      KINDS.flatMap((kind) => {
        const values = single ? shown[kind].seeds : [shown[kind].sizes];
        return values.map((one) => ({
          heights: one.map(height),
          look: `bb-res-${kind} ${single ? "bb-res-faint" : ""}`,
        }));
      }),
    );
    const parts = KINDS.map((kind) =>
      TEXT.chart.part(TEXT.kinds[kind], brief(shown[kind].sizes[0]), brief(shown[kind].sizes.at(-1))),
    );
    lines.gradient.update(drawn, [TEXT.places[0], TEXT.places[1]()], TEXT.chart.gradient(now, steps, parts));
    for (const kind of KINDS) {
      const { ratio, least, most, loss } = shown[kind];
      tables.gradient.set(kind, [brief(ratio), `${brief(least)} – ${brief(most)}`, loss.toFixed(2)]);
    }
    layers.set(String(now));
    moment.set(String(steps));
    what.set(name);
    layers.node.disabled = !answered;
    const [plain, residual] = KINDS.map((kind) => brief(found(kind, large, 0, "grad_h").ratio));
    quizzes.gradient.set(
      answered,
      truth.gradient,
      TEXT.outcomes.gradient({ deep: large, ratio: plain, other: residual }),
    );
  };
  const paintBlocks = (answered) => {
    const way = answered ? model.get("way") : WHOLE;
    tiles.forEach(({ blocks, order, node: group }, stage) => {
      const on = [...way.split(" ")[stage].replace("-", "")];
      group.setAttribute("aria-label", TEXT.order(TEXT.stage(stage + 1, 16 * 2 ** stage), on));
      const off = [...blocks.keys()].filter((one) => !on.includes(one));
      // Blocks stand in their order; those that are off stay at their own place.
      const standing = [...blocks.keys()].map((one) => (off.includes(one) ? one : on.shift()));
      standing.forEach((one, i) => (blocks.get(one).style.order = i));
      for (const [one, node] of blocks) {
        const here = !off.includes(one);
        node.setAttribute("aria-pressed", here);
        node.setAttribute("aria-label", TEXT.blockLabel(one, here));
        node.disabled = !answered;
      }
      order.disabled = !answered || freeBlocks(way, stage).length < 2;
    });
    whole.disabled = !answered;
    for (const kind of KINDS) {
      const [now, before] = [wrong(kind, way), wrong(kind, WHOLE)];
      tables.block.set(kind, [rate(now), rate(before), `${show(100 * (now - before), 1)} points`]);
      bars[kind].fill.style.width = rate(now).replace(" ", "");
      bars[kind].mark.style.left = rate(before).replace(" ", "");
      bars[kind].track.setAttribute("aria-label", TEXT.barLabel(TEXT.kinds[kind], rate(now), rate(before)));
    }
    const pair = (kind) => [WHOLE, toggle(WHOLE, 5)].map((one) => rate(wrong(kind, one)));
    quizzes.block.set(answered, truth.block, TEXT.outcomes.block({ plain: pair("plain"), residual: pair("residual") }));
  };

  const part = (name, ...nodes) =>
    h(
      "section",
      { class: "bb-res-part", "aria-label": TEXT.heads[name] },
      h("div", { class: "bb-res-head", "aria-hidden": "true" }, TEXT.heads[name]),
      quizzes[name].node,
      ...nodes,
      tables[name].node,
    );
  const controls = (...nodes) => h("div", { class: "bb-controls" }, ...nodes);
  const root = h(
    "div",
    { class: "bb-widget bb-res", role: "group", "aria-label": TEXT.title },
    part("depth", controls(depth.node, which.node), lines.depth.node, h("p", { class: "bb-hint" }, TEXT.curveNote)),
    part("gradient", controls(layers.node, moment.node, what.node), lines.gradient.node),
    part(
      "block",
      h("div", { class: "bb-res-stages" }, ...tiles.map(({ node }) => node)),
      controls(whole),
      h("p", { class: "bb-hint" }, TEXT.rule),
      ...KINDS.map((kind) => bars[kind].node),
      h(
        "div",
        { class: "bb-res-bar", "aria-hidden": "true" },
        h("span"),
        h("div", { class: "bb-res-under" }, h("span", {}, TEXT.guessing)),
      ),
    ),
    live,
  );
  el.append(root);
  view.onChange(names, () => view.soon(paint));
  view.signal.addEventListener("abort", () => clearTimeout(speaking));
  paint();
  return () => {
    view.dispose();
    root.remove();
  };
}

export { brief, freeBlocks, profile, reorder, toggle, truths };
export default { render };
