import { body, button, controls, fill, fold, grouped, h, hint, keys, setting, speaker, widget, write } from "../kit.js";
import { cellAfter, rowSums, scoreOf } from "./maths.js";
import { comparisonPart, galleryPart, gridPart, guessesPart, numbersPart, opened, quizPart } from "./parts.js";
import { readData } from "./parts.js";
import { TEXT } from "./text.js";

const SETTINGS = ["guesses", "over", "network", "numbers", "cell", "pair"];

/** The sentence about the pictures that were asked for: before the first, after each, after the last. */
function askedWords({ asked, labels, classes, networks }, { guesses, over }) {
  const [{ name, called }] = networks;
  const wrong = asked.filter((one) => called[one] !== labels[one]).length;
  if (!guesses.length) return fill(TEXT.start, { name, wrong, count: asked.length });
  const picture = asked[guesses.length - 1];
  const [truth, mine, its] = [labels[picture], guesses.at(-1), called[picture]].map((k) => classes[k]);
  const score = scoreOf(asked, guesses, labels, called);
  return fill(over ? TEXT.result : TEXT.given, { name, truth, mine, its, count: guesses.length, ...score });
}

/** The sentence about the open cell, or the open part of the comparison. */
function openWords({ classes, labels, networks }, { count, chosen }, { cell: [i, j], pair }) {
  const [first, second] = networks.map(({ name }) => name);
  const total = pair ? labels.length : rowSums(chosen.matrix)[i];
  const template = pair ? TEXT.pairOpened[pair] : i === j ? TEXT.hit : TEXT.miss;
  const words = { truth: classes[i], called: classes[j], name: chosen.name, first, second };
  return fill(template, { ...words, count, total: grouped(total) });
}

/** The fold "More": another network, both compared, and the pictures once more. */
function othersPart(view, model, data) {
  const names = data.networks.map(({ name }) => name);
  const network = setting(view, "network", TEXT.network, names, { pair: "" });
  const pick = (pair) => view.set({ over: true, pair: model.get("pair") === pair ? "" : pair });
  const pairs = names.length === 2 ? comparisonPart(data, pick) : null;
  const again = button(TEXT.again, () => view.set({ guesses: [], over: false, pair: "", network: names[0] }));
  network.node.hidden = names.length < 2;
  const update = (settings) => {
    network.set(settings.network);
    pairs?.update(settings);
  };
  return {
    node: fold(TEXT.others, controls(network.node, again), ...(pairs ? [pairs.node] : []), hint(TEXT.carried)),
    update,
  };
}

/** The keys of the matrix, once its cells are open. */
function moveBy(view, model, grid, last, open) {
  keys(view, grid, ({ key }) => {
    const target = cellAfter(key, model.get("cell"), last);
    return target && model.get("over") ? open(...target) : false;
  });
}

export default widget(SETTINGS, (view, model) => {
  const data = readData(model);
  let [page, last, result] = [0, "", false]; // another cell begins at its first page
  const finish = (changes) => {
    const inside = quiz.node.contains(quiz.node.getRootNode().activeElement);
    view.set({ ...changes, over: true });
    paint();
    if (inside) matrix.focus(model.get("cell"));
  };
  const give = (k) => {
    const guesses = [...model.get("guesses"), k];
    if (guesses.length < data.asked.length) return view.set({ guesses });
    result = true;
    finish({ guesses });
  };
  const open = (i, j) => {
    if (!model.get("over")) return;
    result = false;
    view.set({ cell: [i, j], pair: "" });
    paint();
    matrix.focus([i, j]);
  };
  const asking = h("p", { class: "bb-question" });
  const quiz = quizPart(data, give, () => finish({}));
  const matrix = gridPart(data, open);
  const named = guessesPart(data, matrix.cells);
  const shelf = galleryPart(data, (by) => ((page += by), view.repaint()));
  const says = speaker(view);
  const numbers = numbersPart(view, data);
  const others = othersPart(view, model, data);
  moveBy(view, model, matrix.grid, data.classes.length - 1, open);

  const paint = () => {
    const settings = Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)]));
    const { guesses, over, network, cell, pair } = settings;
    const shown = opened(data, settings);
    const key = JSON.stringify([network, cell, pair]);
    if (key !== last) [page, result] = [0, false];
    last = key;
    const place = { number: guesses.length + 1, count: data.asked.length };
    write(asking, fill(over ? TEXT.opened : TEXT.question, place));
    quiz.node.style.visibility = over ? "hidden" : "";
    shelf.node.style.visibility = over ? "" : "hidden";
    quiz.update(guesses.length);
    matrix.update(shown, settings);
    named(guesses);
    shelf.update(shown, settings, page);
    numbers.update(shown, settings.numbers);
    others.update(settings);
    says.say(over && !result ? openWords(data, shown, settings) : askedWords(data, settings));
  };

  const panel = h("div", { class: "bb-cm-panel" }, quiz.node, shelf.node);
  const both = h("div", { class: "bb-cm-both" }, panel, matrix.node);
  return { root: body("bb-cm", TEXT.title, asking, both, says.node, numbers.node, others.node), paint };
});
