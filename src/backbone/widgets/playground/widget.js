import { array, body, button, choice, clamp, clock, controls, dropdown, fill, fold, h, invitation } from "../kit.js";
import { percent, range, remember, speaker, stage, widget } from "../kit.js";
import { begin, flatten, learn, MAX_DEPTH, MAX_WIDTH, movedBy, probeOf, recall, STARTS, stateOf } from "./maths.js";
import { steepest } from "./maths.js";
import { dataPart, fine, mapsPart, netPart, numbersPart, stripPart, surfacePart } from "./parts.js";
import { cellsPart, nameOf, plotPart, promiseOf } from "./tangent.js";
import { TEXT } from "./text.js";

const TRIES = {
  linear: { dataset: "circles", depth: 4, width: 4, activation: "none", rate: 0.1, initialization: "random" },
  zero: { dataset: "moons", depth: 2, width: 4, activation: "tanh", rate: 0.3, initialization: "zero" },
  equal: { dataset: "moons", depth: 1, width: 8, activation: "tanh", rate: 0.3, initialization: "equal" },
  fast: { dataset: "moons", depth: 2, width: 8, activation: "relu", rate: 10, initialization: "random" },
};
const BUDGET = 6; // milliseconds of a frame for learning
const SPEED = 60; // steps a second
const MAKING = ["dataset", "depth", "width", "activation", "initialization", "start", "parameters", "step"];
const SETTINGS = [...MAKING, "rate", "weight", "moved", "reach"];

/** The sets of points: name -> what trains and what is held out, and how far the plane reaches. */
function readSets(model) {
  const [points, labels] = ["points", "labels"].map((name) => array(model, name).data);
  let first = 0;
  return new Map(
    model.get("names").map((name, index) => {
      const [train, total] = model.get("counts")[index];
      const part = (from, to) => ({
        columns: [0, total].map((shift) => points.slice(2 * first + shift + from, 2 * first + shift + to)),
        labels: labels.slice(first + from, first + to),
      });
      const set = { train: part(0, train), held: part(train, total), reach: 0 };
      set.reach = 1.08 * Math.max(...points.slice(2 * first, 2 * (first + total)).map(Math.abs));
      first += total;
      return [name, set];
    }),
  );
}

/** The network in training. What the reader sets makes another one; what it learns is told to the model once it rests. */
function labOf(view, model) {
  const [sets, noise] = [readSets(model), array(model, "noise").data];
  const read = () => Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)]));
  let [net, writing, saving] = [null, false, 0];
  const now = () => (net ??= begin(read(), sets.get(model.get("dataset")), noise));
  view.onChange(MAKING, () => writing || (net = null));
  view.signal.addEventListener("abort", () => clearTimeout(saving));
  const changed = () => {
    clearTimeout(saving);
    saving = setTimeout(() => {
      writing = true;
      view.set({ parameters: flatten(now().now.layers), step: now().now.step });
      writing = false;
    }, 200);
    view.acted = true;
    view.repaint();
  };
  /** Learn; false where it cannot go on. */
  const advance = (count, budget = BUDGET) => {
    const end = performance.now() + budget;
    let more = true;
    for (let i = 0; i < count && more && performance.now() < end; i++) more = learn(now(), model.get("rate"));
    changed();
    return more;
  };
  const restart = (changes) => {
    clearTimeout(saving);
    view.set({ ...changes, parameters: [], step: 0 });
    net = null; // even where the model still was at step 0
    view.repaint();
  };
  return { sets, read, now, advance, restart, recall: (step) => (recall(now(), step), changed()) };
}

/** The fold "More": all other settings, single steps, and the experiments. */
function morePart(view, model, lab, stop) {
  const opening = lab.read();
  let asked = "";
  const restart = (changes, question = "") => {
    stop();
    asked = question;
    lab.restart(changes);
  };
  const tries = Object.entries(TRIES)
    .filter(([, { dataset }]) => lab.sets.has(dataset))
    .map(([key, changes]) => button(TEXT.tries[key], () => restart(changes, key)));
  const names = (texts) => [Object.keys(texts), (name) => texts[name]];
  const numbers = Array.from({ length: MAX_DEPTH + 1 }, (_, i) => i);
  const depth = choice(TEXT.depth, numbers, String, (value) => restart({ depth: value }));
  const activation = choice(TEXT.activation, ...names(TEXT.activations), (name) => restart({ activation: name }));
  const rates = model.get("rates").map((value) => [value, String(value)]);
  const rate = dropdown(TEXT.rate, rates, (value) => view.set({ rate: Number(value) }));
  const first = dropdown(TEXT.initialization, Object.entries(TEXT.initializations), (name) =>
    restart({ initialization: name }),
  );
  const another = button(TEXT.another, () =>
    restart({ initialization: "random", start: (model.get("start") + 1) % STARTS }),
  );
  const steps = Object.entries(TEXT.steps).map(([count, text]) =>
    button(text, () => (stop(), lab.advance(Number(count), Infinity))),
  );
  const back = button(TEXT.back, () => restart({}));
  const reset = button(TEXT.reset, () => (restart({}), view.set(opening)));
  const lead = h("span", { class: "bb-play-lead", "aria-hidden": "true" }, TEXT.try);
  const node = fold(
    TEXT.more,
    h("div", { class: "bb-controls", role: "group", "aria-label": TEXT.try }, lead, ...tries),
    controls(depth.node, activation.node),
    controls(rate.node, first.node, another),
    controls(...steps, back, reset),
  );
  const update = (net) => {
    depth.set(net.depth);
    activation.set(net.activation);
    rate.set(String(model.get("rate")));
    first.set(net.initialization);
    another.disabled = net.initialization !== "random";
  };
  return { node, update, restart, question: () => asked };
}

function sentenceOf(net, state, asked) {
  const { step, train } = net.now;
  if (asked && step === 0) return TEXT.predictions[asked];
  const words = { step, loss: fine(train.loss), accuracy: percent(train.accuracy) };
  return fill(TEXT.states[state.is], { ...words, layers: net.depth + 1, width: net.width, layer: state.layer });
}

/** The network in training, and its answer. */
function trainingView(view, model) {
  const lab = labOf(view, model);
  let owed = 1;
  const { play, run } = clock(view, TEXT.film, (passed) => {
    owed += passed * SPEED;
    const due = Math.floor(owed);
    owed -= due;
    return !due || lab.advance(due);
  });
  const stop = () => run(false);
  const more = morePart(view, model, lab, stop);
  const maps = mapsPart();
  const [net, surface] = [netPart(view, maps), surfacePart(maps)];
  const strip = stripPart(view, lab.now, (step) => (stop(), lab.recall(step)));
  const data = dataPart(lab.sets, (name) => more.restart({ dataset: name }));
  const width = range(TEXT.width, { min: 1, max: MAX_WIDTH, step: 1 }, (value) => more.restart({ width: value }));
  const says = speaker(view);
  const numbers = numbersPart();

  const paint = () => {
    const made = lab.now();
    const state = stateOf(made);
    const seen = { ...made, layers: made.now.layers };
    maps.update(surface.node, seen);
    net.update(seen);
    surface.update(seen);
    strip.update();
    data.update(made.dataset);
    width.set(made.width);
    more.update(made);
    numbers.update({ ...made, ...state });
    says.say(sentenceOf(made, state, more.question()));
  };
  const legend = h("div", { class: "bb-play-legend" }, TEXT.legend);
  const panels = h("div", { class: "bb-play-panels" }, h("div", { class: "bb-panel" }, surface.node, legend), net.node);
  const picture = stage(panels, strip.node, invitation(TEXT.invitation));
  const row = h("div", { class: "bb-controls bb-play-row" }, play, data.node, width.node);
  const root = body("bb-play", TEXT.title, picture, row, says.node, more.node, numbers.node);
  view.onResize(root, view.repaint);
  return { root, paint };
}

/** One weight of the network, and what its tangent promises. */
function tangentView(view, model) {
  const lab = labOf(view, model);
  const maps = mapsPart();
  const choose = (at) => at && view.set({ weight: at, moved: 0 });
  const net = netPart(view, maps, choose);
  const plot = plotPart(view, lab.read, (moved) => view.set({ moved }));
  const steep = button(TEXT.steepest, () => choose(steepest(lab.now())));
  const also = (name) => view.set({ reach: Number(name), moved: clamp(model.get("moved"), -name, Number(name)) });
  const reach = choice(TEXT.reach, Object.keys(TEXT.reaches).sort(), (name) => TEXT.reaches[name], also);
  const says = speaker(view);
  const cells = cellsPart();
  const probed = remember(probeOf);

  const paint = () => {
    const made = lab.now();
    const now = lab.read();
    const along = probed(JSON.stringify({ ...now, moved: 0 }), made, now.weight, now.reach);
    const probe = { ...along, ...movedBy(made, along, now.moved) };
    const seen = { ...made, layers: probe.layers, at: probe.at };
    const name = nameOf(probe.at, made.depth);
    maps.update(plot.node, seen);
    net.update(seen);
    plot.update(probe, name);
    reach.set(String(now.reach));
    cells.update(probe, now.rate);
    says.say(promiseOf(probe, name));
  };
  const panels = h(
    "div",
    { class: "bb-play-panels bb-play-tangent" },
    h("div", { class: "bb-panel" }, plot.node),
    net.node,
  );
  const picture = stage(panels, invitation(TEXT.drag));
  const root = body("bb-play", TEXT.tangentTitle, picture, controls(steep, reach.node), says.node, cells.node);
  view.onResize(root, view.repaint);
  return { root, paint };
}

export default widget(SETTINGS, (view, model) =>
  (model.get("show") === "tangent" ? tangentView : trainingView)(view, model),
);
