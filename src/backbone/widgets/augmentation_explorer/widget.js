import {
  array,
  body,
  button,
  choice,
  controls,
  dropdown,
  entries,
  fill,
  gray,
  h,
  hint,
  numberCell,
  paintPixels,
  percent,
  show,
  widget,
  write,
} from "../kit.js";
import { sheet } from "../canvas.js";
import { lenetForward, lenetParameters, softmax } from "../lenet.js";

const TEXT = {
  title: "Augmentation explorer",
  pictures: "Picture",
  augmentation: "Change",
  names: {
    mirror: "mirror",
    upside_down: "turn upside down",
    shift: "shift",
    rotate: "rotate",
    zoom: "zoom",
    brightness: "darken",
    contrast: "lower contrast",
    noise: "add noise",
    erase: "erase a square",
    blur: "blur",
  },
  amounts: {
    mirror: "mirrored",
    upside_down: "upside down",
    shift: "{amount} pixels",
    rotate: "{amount}°",
    zoom: "× {amount}",
    brightness: "{amount} % darker",
    contrast: "{amount} % less",
    noise: "deviation {amount}",
    erase: "{amount} × {amount} pixels",
    blur: "deviation {amount} pixels",
  },
  strength: "Strength",
  still: "Still “{name}”, to you?",
  answers: { yes: "yes", no: "no" },
  reset: "Start again",
  before: "as it is",
  scores: "What the net says",
  beforeLabel: "{name}, as it is",
  afterLabel: "{name}, {change}: {amount}",
  curve: "Probability the net gives to the label, by strength: 0 % at the lower line, 100 % at the upper",
  curveLabel: "The net's probability of {name} against strength: {from} at zero, {to} at the largest.",
  shadedKey: "shaded: the net's first choice is another",
  youKey: "dashed: you said no",
  says: "The net says {name}, {share}.",
  at: "at {amount}",
  when: "when {amount}",
  turns: "It first changes its mind {when}, to {name}.",
  never: "It never changes its mind here.",
  wrongAtOnce: "It is wrong from the start: it takes the picture for {name}.",
  youFirst: "You said no {when}, before the net.",
  netFirst: "You said no {when}, after the net.",
  netNever: "You said no {when}. The net goes on as if nothing had happened.",
  youSame: "You and the net changed your minds together, {when}.",
  draws: "Random draws, up to this strength",
  again: "Draw again",
  seed: "Seed",
  kept: "The net gives the label in {right} of {total}.",
  right: "✓",
  wrong: "✗",
};

const SIDE = 28;
const PIXELS = SIDE * SIDE;
const DRAWS = 6;
const LARGEST_SEED = 9999;

// ---- Maths: pure functions, tested against Python -------------------------------------------------------------

/** Uniform numbers in [0, 1) from a seed (mulberry32). */
export function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Standard normal numbers (Box and Muller). */
export function normals(random, count) {
  return Float64Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  );
}

/** A picture built by fetching: the value at (row, column) is `fetch(row, column)`. */
function built(fetch) {
  return Float64Array.from({ length: PIXELS }, (_, at) => fetch(Math.floor(at / SIDE), at % SIDE));
}

/** The pixel at a place; black outside. */
function pixel(x, row, column) {
  return row < 0 || column < 0 || row >= SIDE || column >= SIDE ? 0 : x[row * SIDE + column];
}

/** Fetch each pixel from where a 2 x 2 matrix sends it, seen from the center, mixing the four neighbors. */
function sampled(x, [a, b, c, d]) {
  const center = (SIDE - 1) / 2;
  return built((i, j) => {
    const [v, u] = [i - center, j - center];
    const [column, row] = [center + a * u + b * v, center + c * u + d * v];
    const [left, top] = [Math.floor(column), Math.floor(row)];
    const [fx, fy] = [column - left, row - top];
    return (
      (1 - fy) * ((1 - fx) * pixel(x, top, left) + fx * pixel(x, top, left + 1)) +
      fy * ((1 - fx) * pixel(x, top + 1, left) + fx * pixel(x, top + 1, left + 1))
    );
  });
}

const clamped = (value) => Math.min(Math.max(value, 0), 1);
const mean = (x) => x.reduce((sum, value) => sum + value, 0) / x.length;

/** A Gaussian blur, first along the rows, then along the columns; black outside. */
function blurred(x, deviation) {
  if (!deviation) return x;
  const reach = Math.floor(3 * deviation + 0.5);
  const bell = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-0.5 * ((i - reach) / deviation) ** 2));
  const total = bell.reduce((sum, weight) => sum + weight, 0);
  const along = (from, down, right) =>
    built((i, j) =>
      bell.reduce(
        (sum, weight, k) => sum + (weight / total) * pixel(from, i + down * (k - reach), j + right * (k - reach)),
        0,
      ),
    );
  return along(along(x, 0, 1), 1, 0);
}

/** What each change does to a picture, given its settings. The strength runs from 0 to `largest` in steps. */
export const CHANGES = {
  mirror: { largest: 1, step: 1, apply: (x, { on }) => (on ? built((i, j) => pixel(x, i, SIDE - 1 - j)) : x) },
  upside_down: { largest: 1, step: 1, apply: (x, { on }) => (on ? built((i, j) => pixel(x, SIDE - 1 - i, j)) : x) },
  shift: { largest: 20, step: 1, apply: (x, { down, right }) => built((i, j) => pixel(x, i - down, j - right)) },
  rotate: {
    largest: 180,
    step: 3,
    apply: (x, { degrees }) => {
      const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
      return sampled(x, [cos, -sin, sin, cos]);
    },
  },
  zoom: { largest: 2, step: 0.05, apply: (x, { factor }) => sampled(x, [1 / factor, 0, 0, 1 / factor]) },
  brightness: { largest: 1, step: 0.02, apply: (x, { factor }) => x.map((value) => clamped(value * factor)) },
  contrast: {
    largest: 1,
    step: 0.02,
    apply: (x, { factor }) => {
      const middle = mean(x);
      return x.map((value) => clamped(middle + factor * (value - middle)));
    },
  },
  noise: {
    largest: 1,
    step: 0.02,
    apply: (x, { deviation, noise }) => x.map((value, at) => clamped(value + deviation * noise[at])),
  },
  erase: {
    largest: 28,
    step: 1,
    apply: (x, { row, column, size }) => {
      const [top, left] = [row - Math.floor(size / 2), column - Math.floor(size / 2)];
      const inside = (i, j) => i >= top && i < top + size && j >= left && j < left + size;
      return built((i, j) => (inside(i, j) ? 0 : x[i * SIDE + j]));
    },
  },
  blur: { largest: 6, step: 0.1, apply: (x, { deviation }) => blurred(x, deviation) },
};

/** The settings of the one large picture: the full strength, always to the same side. */
export function fixedSettings(name, strength, seed) {
  const factor = { zoom: 2 ** strength, brightness: 1 - strength, contrast: 1 - strength }[name];
  return {
    on: strength > 0,
    down: 0,
    right: strength,
    degrees: -strength, // so that it turns clockwise
    factor,
    deviation: strength,
    noise: name === "noise" ? normals(generator(seed), PIXELS) : null,
    row: SIDE / 2,
    column: SIDE / 2,
    size: strength,
  };
}

/** The settings of one random draw. What is drawn does not depend on the strength, which only scales it. */
export function drawnSettings(name, strength, seed, number) {
  // Neighboring seeds give neighboring first numbers; the factor sends them far apart.
  const random = generator(Math.imul(seed * 64 + number + 1, 0x9e3779b1));
  const [one, other] = [random(), random()];
  const signedShare = 2 * one - 1;
  const whole = (share) => Math.min(Math.floor(share * (2 * strength + 1)), 2 * strength) - strength;
  const factor = {
    zoom: 2 ** (strength * signedShare),
    brightness: 1 + strength * signedShare,
    contrast: 1 + strength * signedShare,
  }[name];
  return {
    on: strength > 0 && one < 0.5,
    down: whole(one),
    right: whole(other),
    degrees: strength * signedShare,
    factor,
    deviation: name === "noise" ? strength : strength * one,
    noise: name === "noise" ? normals(random, PIXELS) : null,
    row: Math.floor(one * SIDE),
    column: Math.floor(other * SIDE),
    size: strength,
  };
}

/** The picture after the change. */
export function augment(name, x, settings) {
  return CHANGES[name].apply(x, settings);
}

/** The net's probabilities for a picture with values in [0, 1]. */
export function classify(parameters, [average, deviation], x) {
  const input = x.map((value) => (value - average) / deviation);
  return softmax(lenetForward(parameters, input).fc3);
}

const best = (shares) => shares.indexOf(Math.max(...shares));

/** All strengths of a change, from none to the largest. */
export function strengths(name) {
  const { largest, step } = CHANGES[name];
  return Array.from({ length: Math.round(largest / step) + 1 }, (_, i) => Number((i * step).toFixed(4)));
}

/** The first point at which the net's choice is not the label; it may come back to the label later. */
function firstTurn(curve, label) {
  return curve.find(({ choice: chosen }) => chosen !== label) ?? null;
}

/** What a reader has said so far, after one more answer at a strength. */
export function judged({ yes, no }, answer, strength) {
  if (answer === "no")
    return { no: Math.min(no ?? Infinity, strength), yes: yes !== null && yes < strength ? yes : null };
  return { yes: Math.max(yes ?? 0, strength), no: no !== null && no > strength ? no : null };
}

/** The answer a reader has given for a strength, by saying yes to more or no to less. */
export function answerAt({ yes, no }, strength) {
  if (no !== null && strength >= no) return "no";
  return yes !== null && strength <= yes ? "yes" : null;
}

// ---- Parts of the view ----------------------------------------------------------------------------------------

const isSwitch = ({ step, largest }) => step === largest; // on or off

/** A strength in words. */
function amountOf(name, strength) {
  if (!strength && isSwitch(CHANGES[name])) return TEXT.before;
  const value = { zoom: 2 ** strength, brightness: 100 * strength, contrast: 100 * strength }[name] ?? strength;
  const digits = { brightness: 0, contrast: 0, blur: 1 }[name] ?? 2;
  return fill(TEXT.amounts[name], { amount: show(value, digits) });
}

function paintGray(canvas, x) {
  paintPixels(canvas, x, SIDE, SIDE, gray(1));
}

/** A picture with a line under it. */
function pictureBox(kind) {
  const canvas = h("canvas", { role: "img" });
  const caption = h("div", { class: "bb-caption" });
  const update = (x, text, spoken) => {
    paintGray(canvas, x);
    write(caption, text);
    canvas.setAttribute("aria-label", spoken);
  };
  return { node: h("div", { class: `bb-panel ${kind}` }, canvas, caption), caption, update };
}

/** One bar for each class. The label's name is framed, the net's choice has the strong color. */
function scoreBars(classes) {
  const rows = classes.map((name) => {
    const bar = h("span", { class: "bb-aug-bar" });
    const share = h("span", { class: "bb-aug-share" });
    return {
      node: h("li", {}, h("span", { class: "bb-aug-name" }, name), h("span", { class: "bb-aug-track" }, bar), share),
      bar,
      share,
    };
  });
  const node = h("ol", { class: "bb-aug-scores", "aria-label": TEXT.scores }, ...rows.map((row) => row.node));
  const update = (shares, label) => {
    const chosen = best(shares);
    rows.forEach(({ node: row, bar, share }, k) => {
      bar.style.width = `${100 * shares[k]}%`;
      write(share, percent(shares[k]));
      row.classList.toggle("bb-aug-label", k === label);
      row.classList.toggle("bb-aug-chosen", k === chosen);
    });
  };
  return { node, update };
}

/** The label's probability against strength. It stands over the slider, and both begin and end at the same places. */
function curvePanel(shown) {
  const { canvas, draw } = sheet({ role: "img" }, "", (context, width, height, colors) => {
    paintCurve(context, width, height, colors, shown());
    const { curve, label, name } = shown();
    const [from, to] = [curve[0], curve.at(-1)].map((point) => percent(point.shares[label]));
    canvas.setAttribute("aria-label", fill(TEXT.curveLabel, { name, from, to }));
  });
  const notes = h("div", { class: "bb-aug-keys" }, h("span", {}, TEXT.shadedKey), h("span", {}, TEXT.youKey));
  const node = h("div", { class: "bb-aug-curve" }, h("div", { class: "bb-caption" }, TEXT.curve), canvas, notes);
  return { node, canvas, draw };
}

function paintCurve(context, width, height, colors, { curve, label, change, strength, marks }) {
  const x = (s) => THUMB / 2 + (s / change.largest) * (width - THUMB);
  const y = (share) => 4 + (1 - share) * (height - 8);
  const level = (share) => [0, width].map((at) => [at, y(share)]);
  shade(context, wrongRuns(curve, label), x, height, change.step);
  rule(context, level(0), 1, 0.4);
  rule(context, level(1), 1, 0.2);
  context.strokeStyle = context.fillStyle = colors.negative;
  const places = curve.map((point) => [x(point.strength), y(point.shares[label])]);
  if (curve.length > 2) rule(context, places, 2, 1);
  else places.forEach((place) => dot(context, place, 4)); // a change that is on or off has nothing in between
  context.strokeStyle = colors.ink;
  const no = [0, height].map((at) => [x(marks.no), at]);
  if (marks.no !== null) rule(context, no, 2, 1, [4, 3]);
  context.fillStyle = colors.mark;
  const now = curve.find((point) => point.strength >= strength - 1e-9) ?? curve.at(-1);
  dot(context, [x(strength), y(now.shares[label])], 5);
}

const THUMB = 20; // of the slider, in CSS pixels: its middle stops this much inside, half on each side

/** From where to where the net's choice is another than the label: pairs of strengths. */
export function wrongRuns(curve, label) {
  const runs = [];
  curve.forEach(({ strength, choice: chosen }, i) => {
    if (chosen === label) return;
    if (i && curve[i - 1].choice !== label) runs.at(-1)[1] = strength;
    else runs.push([strength, strength]);
  });
  return runs;
}

function shade(context, runs, x, height, step) {
  context.globalAlpha = 0.13;
  for (const [from, to] of runs) {
    const left = x(Math.max(0, from - step / 2));
    context.fillRect(left, 0, x(to + step / 2) - left, height);
  }
  context.globalAlpha = 1;
}

function dot(context, [x, y], radius) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}

function rule(context, points, width, alpha, dashes = []) {
  context.globalAlpha = alpha;
  context.lineWidth = width;
  context.setLineDash(dashes);
  context.beginPath();
  points.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.stroke();
  context.setLineDash([]);
  context.globalAlpha = 1;
}

/** What the net and the reader have decided, in words. */
function verdict({ shares, classes, label, curve, marks, kind, change }) {
  const when = (strength) => fill(isSwitch(change) ? TEXT.when : TEXT.at, { amount: amountOf(kind, strength) });
  const says = fill(TEXT.says, { name: classes[best(shares)], share: percent(Math.max(...shares)) });
  const turn = firstTurn(curve, label);
  const name = turn && classes[turn.choice];
  if (turn?.strength === 0) return `${says} ${fill(TEXT.wrongAtOnce, { name })}`;
  const net = turn ? fill(TEXT.turns, { when: when(turn.strength), name }) : TEXT.never;
  if (marks.no === null) return `${says} ${net}`;
  const no = { when: when(marks.no) };
  if (!turn) return `${says} ${fill(TEXT.netNever, no)}`;
  const order = marks.no < turn.strength ? TEXT.youFirst : marks.no > turn.strength ? TEXT.netFirst : TEXT.youSame;
  return `${says} ${net} ${fill(order, no)}`;
}

// ---- The view -------------------------------------------------------------------------------------------------

const SETTINGS = ["picture", "augmentation", "strength", "seed"];

export default widget(SETTINGS, (view, model) => {
  const [weights, vectors] = ["weights", "vectors"].map((name) => array(model, name).data);
  const parameters = lenetParameters(model.get("shapes"), weights, vectors);
  const [labels, classes, standard] = ["labels", "classes", "standard"].map((name) => model.get(name));
  const pictures = entries(array(model, "pixels")).map((bytes) => Float64Array.from(bytes, (byte) => byte / 255));
  const opening = Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)]));
  const curves = new Map(); // a curve takes tens of passes through the net: it is kept
  const judgements = new Map();

  const curveOf = (picture, name, seed) => {
    const key = `${picture} ${name} ${name === "noise" ? seed : ""}`;
    if (!curves.has(key)) {
      const points = strengths(name).map((strength) => {
        const changed = augment(name, pictures[picture], fixedSettings(name, strength, seed));
        const shares = classify(parameters, standard, changed);
        return { strength, shares, choice: best(shares) };
      });
      curves.set(key, points);
    }
    return curves.get(key);
  };
  const judgementKey = () => `${model.get("picture")} ${model.get("augmentation")}`;
  const marksNow = () => judgements.get(judgementKey()) ?? { yes: null, no: null };

  const thumbnail = (k) => {
    const canvas = h("canvas", { role: "img", "aria-label": classes[labels[k]] });
    paintGray(canvas, pictures[k]);
    return canvas;
  };
  const picture = choice(
    TEXT.pictures,
    labels.map((_, k) => k),
    thumbnail,
    (k) => view.set({ picture: k }),
    "pictures",
  );
  picture.node.querySelectorAll("label").forEach((label, k) => (label.title = classes[labels[k]]));
  let share = opening.strength / CHANGES[opening.augmentation].largest;
  const kind = dropdown(TEXT.augmentation, Object.entries(TEXT.names), (name) => {
    // The same share of the way, so that the slider does not jump. A change that is only on or off has no say.
    const [old, { step, largest }] = [CHANGES[model.get("augmentation")], CHANGES[name]];
    if (!isSwitch(old)) share = model.get("strength") / old.largest;
    view.set({
      augmentation: name,
      strength: largest === step ? largest : Number((Math.round((share * largest) / step) * step).toFixed(4)),
    });
  });
  const slider = h("input", { type: "range", min: 0, "aria-label": TEXT.strength, class: "bb-aug-slider" });
  const ends = [h("span"), h("span")]; // of the slider and of the curve above it
  const amount = h("output", { class: "bb-aug-amount" });
  view.listen(slider, "input", () => view.set({ strength: Number(Number(slider.value).toFixed(4)) }));
  const still = choice(
    "",
    Object.keys(TEXT.answers),
    (name) => TEXT.answers[name],
    (answer) => {
      judgements.set(judgementKey(), judged(marksNow(), answer, model.get("strength")));
      view.repaint();
    },
  );
  const question = still.node.querySelector("legend");
  const before = pictureBox("bb-aug-before");
  const after = pictureBox("bb-aug-after");
  const bars = scoreBars(classes);
  const curve = curvePanel(() => shown);
  const said = h("p", { role: "status", class: "bb-aug-verdict" });
  const draws = Array.from({ length: DRAWS }, () => pictureBox("bb-aug-draw"));
  const kept = hint();
  const seed = numberCell(TEXT.seed, LARGEST_SEED, (value) => view.set({ seed: Math.round(Math.abs(value)) }));
  const again = button(TEXT.again, () => view.set({ seed: (model.get("seed") + 1) % (LARGEST_SEED + 1) }));
  const reset = button(TEXT.reset, () => {
    judgements.clear();
    view.set(opening);
    view.repaint();
  });

  const read = () => {
    const [index, name, strength, seedNow] = SETTINGS.map((key) => model.get(key));
    const change = CHANGES[name];
    const capped = Math.min(strength, change.largest);
    const label = labels[index];
    const x = pictures[index];
    const changed = augment(name, x, fixedSettings(name, capped, seedNow));
    return {
      index,
      kind: name,
      seed: seedNow,
      change,
      strength: capped,
      label,
      x,
      changed,
      classes,
      name: classes[label],
      shares: classify(parameters, standard, changed),
      curve: curveOf(index, name, seedNow),
      marks: marksNow(),
    };
  };
  const paintDraws = (shown) => {
    let right = 0;
    draws.forEach((box, number) => {
      const drawn = augment(shown.kind, shown.x, drawnSettings(shown.kind, shown.strength, shown.seed, number));
      const shares = classify(parameters, standard, drawn);
      const chosen = best(shares);
      right += chosen === shown.label;
      const sure = percent(shares[chosen]).replace(" ", "\u00a0"); // not broken into two lines
      const text = `${chosen === shown.label ? TEXT.right : TEXT.wrong} ${classes[chosen]} ${sure}`;
      box.update(drawn, text, text);
      box.node.classList.toggle("bb-aug-missed", chosen !== shown.label);
    });
    write(kept, fill(TEXT.kept, { right, total: DRAWS }));
  };
  let shown;
  const paint = () => {
    shown = read();
    picture.set(shown.index);
    kind.set(shown.kind);
    Object.assign(slider, { max: shown.change.largest, step: shown.change.step, value: shown.strength });
    const now = amountOf(shown.kind, shown.strength);
    slider.setAttribute("aria-valuetext", now);
    write(amount, now);
    [0, shown.change.largest].forEach((end, i) => write(ends[i], amountOf(shown.kind, end)));
    write(question, fill(TEXT.still, shown));
    still.set(answerAt(shown.marks, shown.strength));
    seed.set(String(shown.seed));
    before.update(shown.x, TEXT.before, fill(TEXT.beforeLabel, shown));
    const words = { name: shown.name, change: TEXT.names[shown.kind], amount: now };
    after.update(shown.changed, now, fill(TEXT.afterLabel, words));
    bars.update(shown.shares, shown.label);
    curve.draw();
    write(said, verdict(shown));
    paintDraws(shown);
  };

  view.onResize(curve.canvas, curve.draw);
  const root = body(
    "bb-augment",
    TEXT.title,
    controls(picture.node),
    h("div", { class: "bb-aug-stage" }, h("div", { class: "bb-aug-pictures" }, before.node, after.node), bars.node),
    controls(kind.node, h("div", { class: "bb-field bb-aug-strength" }, h("span", {}, TEXT.strength), amount), reset),
    curve.node,
    slider,
    h("div", { class: "bb-aug-ends", "aria-hidden": "true" }, ...ends),
    h("div", { class: "bb-aug-judge" }, still.node, said),
    h(
      "div",
      { class: "bb-aug-row" },
      h("span", { class: "bb-aug-heading" }, TEXT.draws),
      again,
      h("label", { class: "bb-aug-seed" }, TEXT.seed, seed.node),
    ),
    h("div", { class: "bb-aug-draws" }, ...draws.map((box) => box.node)),
    kept,
  );
  return { root, paint };
});
