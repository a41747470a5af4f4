import {
  body,
  button,
  compact,
  controls,
  evenly,
  fill,
  h,
  hint,
  lineChart,
  percent,
  powerOfTen,
  setting,
  show,
  speaker,
  widget,
  write,
} from "../kit.js";

const TEXT = {
  title: "Residual explorer: a residual network and its plain twin, as recorded",
  kinds: { plain: "plain", residual: "residual" },
  heads: {
    depth: "Training error by depth",
    gradient: "Gradients by layer",
    block: "Blocks of 20 layers, switched off",
  },
  questions: {
    depth:
      "Predict: the plain network of {layers} layers. How does its training error end, against that of the plain one of 20?",
    gradient:
      "Predict: the plain network of {layers} layers, before training. How large is its gradient |∂L/∂h| near the pictures, against that of the last block?",
    block: "Predict: block 5 is left out of both trained networks, and hands on its input. Which one loses more?",
  },
  answers: {
    depth: { lower: "lower", alike: "within a point", higher: "higher" },
    gradient: { smaller: "smaller", alike: "within 10 times", larger: "larger" },
    block: { residual: "the residual one", alike: "within 5 points", plain: "the plain one" },
  },
  yes: "Yes. {outcome}",
  no: "You said: {said}. No. {outcome}",
  outcomes: {
    depth:
      "The plain network of 20 layers ends with {from} of the training pictures wrong, that of {layers} with {to}. That is no overfitting: these are the pictures it was trained on.",
    gradient:
      "In the plain network of {layers} layers it is {ratio} times that of the last block, in the residual one {other} times. Now look at 50 steps.",
    block:
      "The plain network goes from {plain} to {plainOff} wrong, the residual one from {residual} to {residualOff}. Now find the block that each can spare best.",
  },
  again: "Ask again",
  depth: "Layers",
  error: "Error on",
  errors: { train: "training pictures", test: "test pictures" },
  size: "Layers",
  steps: "Trained for",
  untrained: "nothing yet",
  trained: "{steps} steps",
  what: "Gradient",
  whats: { grad_h: "|∂L/∂h|, blocks", grad_w: "|∂L/∂W|, convolutions" },
  passes: ["pass 1", "pass {last}"],
  places: ["the pictures’ end", "the last"],
  legend: { plain: "plain", residual: "residual", faint: { depth: "thin: 20 layers", gradient: "thin: single seeds" } },
  curveNote:
    "One run each, of a few passes, on pictures stored as JPEG. The training error is counted while the network learns.",
  columns: {
    depth: ["", "training error", "test error"],
    gradient: ["", "first / last", "least to most", "loss"],
    block: ["", "wrong", "whole", "lost"],
  },
  chart: {
    train: "Training error over the passes, {depth} layers. {parts}",
    test: "Test error over the passes, {depth} layers. {parts}",
    before: "Size of the gradient from the pictures on, {size} layers, before training. {parts}",
    after: "Size of the gradient from the pictures on, {size} layers, after {steps} steps. {parts}",
    part: "{kind}: from {from} to {to}.",
  },
  stage: "Stage {number}: {channels} channels",
  order: "{stage}. On, in this order: {blocks}.",
  none: "none",
  on: "Block {number}, on",
  off: "Block {number}, off",
  otherOrder: "Other order",
  orderLabel: "Another order of the blocks of stage {number}",
  whole: "All on, in order",
  rule: "A block that is off hands on its input. Blocks 4 and 7 change the shape: without them every other pixel goes on, and zeros fill the new channels. They stay in front; the others of a stage may change places.",
  guessing: "| all blocks on   ¦ guessing, 90 %",
  spoken: "Wrong: plain {plain}, residual {residual}.",
  barLabel: "{kind}: {wrong} of the test pictures wrong; {whole} with all blocks.",
  lost: "{points} points",
};
const KINDS = ["plain", "residual"];
const NETWORKS = { plain: "plain", residual: "resnet" };
const WHOLE = "123 456 789";
const ANSWER_POINTS = { depth: 0.01, block: 0.05 };
const LOW = -8; // powers of ten at the ends of the axis of gradients
const HIGH = 2;

// ---- What is read off the records: pure functions, tested against Python --------------------------------------

/** The way with one block more or one less. A block comes back in front of the first that has a larger number. */
export function toggle(way, block) {
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
export function freeBlocks(way, stage) {
  const blocks = [...way.split(" ")[stage].replace("-", "")];
  return stage ? blocks.filter((one) => Number(one) !== 3 * stage + 1) : blocks;
}

/** The way with the next order of a stage's blocks, as in a dictionary; the first one follows the last. */
export function reorder(way, stage) {
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
export function profile(rows, what) {
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
export function truths({ curves, gradients, wrong }) {
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
export const brief = (value) => compact(value, { digits: 2, from: 0.01, to: 99999 });

/** A share of wrong answers. */
const rate = (share) => percent(share, 1);

// ---- Parts of the page ----------------------------------------------------------------------------------------

/** A chart with the legend of both kinds. */
function kindChart(ticks, faint) {
  const keys = KINDS.map((kind) => h("span", { class: `bb-res-key bb-res-key-${kind}` }, TEXT.legend[kind]));
  const legend = h("div", { class: "bb-res-legend", "aria-hidden": "true" }, ...keys, h("span", {}, faint));
  const feet = h("div", { class: "bb-res-feet", "aria-hidden": "true" }, h("span"), h("span"));
  const { node, box, draw } = lineChart("bb-res", legend, ticks, feet);
  box.setAttribute("role", "img");
  const update = (drawn, ends, label) => {
    draw(drawn);
    ends.forEach((text, i) => write(feet.children[i], text));
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
    const words = answer === truth ? TEXT.yes : TEXT.no;
    write(says, answer === undefined ? "" : fill(words, { said: TEXT.answers[name][answer], outcome }));
  };
  return { node, set, text: () => says.textContent };
}

export default widget(["depth", "error", "size", "steps", "what", "way", "answers"], (view, model) => {
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
  const answer = (name, key, opened, closed) => {
    const { [name]: _, ...others } = model.get("answers");
    view.set({ answers: key === null ? others : { ...others, [name]: key }, ...(key === null ? closed : opened) });
  };

  // ---- Controls

  const deep = depths.at(-1);
  const large = sizes.at(-1);
  const quizzes = {
    depth: quiz("depth", fill(TEXT.questions.depth, { layers: deep }), (key) =>
      answer("depth", key, { depth: deep, error: "train" }, { depth: depths[0] }),
    ),
    gradient: quiz("gradient", fill(TEXT.questions.gradient, { layers: large }), (key) =>
      answer("gradient", key, { size: large, steps: 0, what: "grad_h" }, { size: sizes[0], steps: 0 }),
    ),
    block: quiz("block", TEXT.questions.block, (key) =>
      answer("block", key, { way: toggle(WHOLE, 5) }, { way: WHOLE }),
    ),
  };
  const depth = setting(view, "depth", TEXT.depth, depths);
  const which = setting(view, "error", TEXT.error, TEXT.errors);
  const layers = setting(view, "size", TEXT.size, sizes);
  const stepNames = moments.map((steps) => [steps, steps ? fill(TEXT.trained, { steps }) : TEXT.untrained]);
  const moment = setting(view, "steps", TEXT.steps, stepNames);
  const what = setting(view, "what", TEXT.what, TEXT.whats);

  const lines = {
    depth: kindChart(
      [0, 25, 50, 75, 100].map((one) => [one / 100, `${one} %`]),
      TEXT.legend.faint.depth,
    ),
    gradient: kindChart(
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
          button(String(number), () => view.set({ way: toggle(model.get("way"), number) }), {
            class: "bb-button bb-res-block",
          }),
        ];
      }),
    );
    const order = button(TEXT.otherOrder, () => view.set({ way: reorder(model.get("way"), stage) }), {
      "aria-label": fill(TEXT.orderLabel, { number: stage + 1 }),
    });
    const row = h("div", { class: "bb-res-blocks" }, ...blocks.values());
    const name = fill(TEXT.stage, { number: stage + 1, channels: 16 * 2 ** stage });
    const node = h(
      "div",
      { class: "bb-res-stage", role: "group", "aria-label": name },
      h("div", { class: "bb-res-name", "aria-hidden": "true" }, name),
      row,
      order,
    );
    return { blocks, order, node, name };
  });
  const whole = button(TEXT.whole, () => view.set({ way: WHOLE }));
  const barOf = (kind) => {
    const length = h("span", { class: `bb-res-fill bb-res-fill-${kind}` });
    const mark = h("span", { class: "bb-res-mark" });
    const track = h("div", { class: "bb-res-track", role: "img" }, length, mark, h("span", { class: "bb-res-chance" }));
    const name = h("span", { "aria-hidden": "true" }, TEXT.kinds[kind]);
    return { length, mark, track, node: h("div", { class: "bb-res-bar" }, name, track) };
  };
  const bars = Object.fromEntries(KINDS.map((kind) => [kind, barOf(kind)]));
  const live = speaker(view);

  // ---- Painting

  const paint = () => {
    const answers = model.get("answers");
    paintCurves(answers.depth);
    paintGradients(answers.gradient);
    paintBlocks(answers.block);
    const [plain, residual] = KINDS.map((kind) => rate(wrong(kind, model.get("way"))));
    const spoken = Object.values(quizzes).map((one) => one.text());
    if (answers.block) spoken.push(fill(TEXT.spoken, { plain, residual }));
    live.say(spoken.filter(Boolean).join(" "));
  };
  const partsOf = (from, to) =>
    KINDS.map((kind) => fill(TEXT.chart.part, { kind: TEXT.kinds[kind], from: from(kind), to: to(kind) })).join(" ");
  const paintCurves = (answered) => {
    const now = answered ? model.get("depth") : depths[0];
    const error = model.get("error");
    const line = (kind, layers, look = "") => ({
      points: evenly(curves[kind][layers][error]),
      look: `bb-res-${kind} ${look}`,
    });
    const faint = now === depths[0] ? [] : KINDS.map((kind) => line(kind, depths[0], "bb-res-faint"));
    const curve = (kind) => curves[kind][now][error];
    const parts = partsOf(
      (kind) => rate(curve(kind)[0]),
      (kind) => rate(curve(kind).at(-1)),
    );
    const passes = curves.plain[now].train.length;
    lines.depth.update(
      [...faint, ...KINDS.map((kind) => line(kind, now))],
      TEXT.passes.map((text) => fill(text, { last: passes })),
      fill(TEXT.chart[error], { depth: now, parts }),
    );
    for (const kind of KINDS)
      tables.depth.set(
        kind,
        ["train", "test"].map((one) => rate(curves[kind][now][one].at(-1))),
      );
    depth.set(now);
    which.set(error);
    depth.node.disabled = !answered;
    const [from, to] = [depths[0], deep].map((one) => rate(curves.plain[one].train.at(-1)));
    quizzes.depth.set(answered, truth.depth, fill(TEXT.outcomes.depth, { layers: deep, from, to }));
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
          points: evenly(one.map(height)),
          look: `bb-res-${kind} ${single ? "bb-res-faint" : ""}`,
        }));
      }),
    );
    const parts = partsOf(
      (kind) => brief(shown[kind].sizes[0]),
      (kind) => brief(shown[kind].sizes.at(-1)),
    );
    const label = fill(steps ? TEXT.chart.after : TEXT.chart.before, { size: now, steps, parts });
    lines.gradient.update(drawn, TEXT.places, label);
    for (const kind of KINDS) {
      const { ratio, least, most, loss } = shown[kind];
      tables.gradient.set(kind, [brief(ratio), `${brief(least)} – ${brief(most)}`, loss.toFixed(2)]);
    }
    layers.set(now);
    moment.set(steps);
    what.set(name);
    layers.node.disabled = !answered;
    const [ratio, other] = KINDS.map((kind) => brief(found(kind, large, 0, "grad_h").ratio));
    quizzes.gradient.set(answered, truth.gradient, fill(TEXT.outcomes.gradient, { layers: large, ratio, other }));
  };
  const paintBlocks = (answered) => {
    const way = answered ? model.get("way") : WHOLE;
    tiles.forEach(({ blocks, order, node: group, name }, stage) => {
      const on = [...way.split(" ")[stage].replace("-", "")];
      group.setAttribute("aria-label", fill(TEXT.order, { stage: name, blocks: on.join(", ") || TEXT.none }));
      const off = [...blocks.keys()].filter((one) => !on.includes(one));
      // Blocks stand in their order; those that are off stay at their own place.
      const standing = [...blocks.keys()].map((one) => (off.includes(one) ? one : on.shift()));
      standing.forEach((one, i) => (blocks.get(one).style.order = i));
      for (const [one, node] of blocks) {
        const here = !off.includes(one);
        node.setAttribute("aria-pressed", here);
        node.setAttribute("aria-label", fill(here ? TEXT.on : TEXT.off, { number: one }));
        node.disabled = !answered;
      }
      order.disabled = !answered || freeBlocks(way, stage).length < 2;
    });
    whole.disabled = !answered;
    for (const kind of KINDS) {
      const [now, before] = [wrong(kind, way), wrong(kind, WHOLE)];
      tables.block.set(kind, [rate(now), rate(before), fill(TEXT.lost, { points: show(100 * (now - before), 1) })]);
      bars[kind].length.style.width = rate(now).replace(" ", "");
      bars[kind].mark.style.left = rate(before).replace(" ", "");
      bars[kind].track.setAttribute(
        "aria-label",
        fill(TEXT.barLabel, { kind: TEXT.kinds[kind], wrong: rate(now), whole: rate(before) }),
      );
    }
    const [plain, plainOff, residual, residualOff] = KINDS.flatMap((kind) =>
      [WHOLE, toggle(WHOLE, 5)].map((one) => rate(wrong(kind, one))),
    );
    const outcome = fill(TEXT.outcomes.block, { plain, plainOff, residual, residualOff });
    quizzes.block.set(answered, truth.block, outcome);
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
  const root = body(
    "bb-res",
    TEXT.title,
    part("depth", controls(depth.node, which.node), lines.depth.node, hint(TEXT.curveNote)),
    part("gradient", controls(layers.node, moment.node, what.node), lines.gradient.node),
    part(
      "block",
      h("div", { class: "bb-res-stages" }, ...tiles.map(({ node }) => node)),
      controls(whole),
      hint(TEXT.rule),
      ...KINDS.map((kind) => bars[kind].node),
      h(
        "div",
        { class: "bb-res-bar", "aria-hidden": "true" },
        h("span"),
        h("div", { class: "bb-res-under" }, h("span", {}, TEXT.guessing)),
      ),
    ),
    live.node,
  );
  return { root, paint };
});
