import { body, button, choice, controls, glide, invitation, question, speaker, stage, widget } from "../kit.js";
import { snap, updated } from "./maths.js";
import { chartPart, holder, morePart, moved, numbersPart, resultOf, runningPart, sentence } from "./parts.js";
import { TEXT } from "./text.js";

const SETTINGS = [
  "values",
  "training",
  "size",
  "gamma",
  "beta",
  "eps",
  "momentum",
  "running_mean",
  "running_var",
  "batches",
  "selected",
  "answer",
];
const [ASKED, FROM, TO] = [7, 7, 8.4]; // the dot of the question, and how it moves

/** The batch, what it is normalized with, and what has been chosen. */
function stateOf(model) {
  const values = model.get("values");
  const [size, selected] = [model.get("size"), model.get("selected")];
  const given = {
    ...Object.fromEntries(["training", "gamma", "beta", "eps"].map((name) => [name, model.get(name)])),
    mean: model.get("running_mean"),
    variance: model.get("running_var"),
  };
  const [batches, momentum] = [model.get("batches"), model.get("momentum")];
  return { values, x: values.slice(0, size), given, selected: Math.min(selected, size - 1), batches, momentum };
}

/** What the reader's hand does. */
function actionsOf(view, model, hold) {
  const value = (i) => model.get("values")[i];
  const move = (i, to) => value(i) !== snap(to) && view.set({ values: moved(model.get("values"), i, to) });
  const select = (i) => model.get("selected") !== i && view.set({ selected: i });
  const run = (times) => {
    const { x, given, batches, momentum } = stateOf(model);
    if (!given.training || x.length < 2) return;
    let now = { mean: given.mean, variance: given.variance, batches };
    for (let i = 0; i < times; i++) now = updated(now, x, momentum);
    view.set({ running_mean: now.mean, running_var: now.variance, batches: now.batches });
  };
  /** The answer is shown by a movement: the first batch again, and its last dot goes to the right. */
  const reveal = (first) => {
    view.set({
      values: moved(first, ASKED, FROM),
      training: true,
      size: first.length,
      gamma: 1,
      beta: 0,
      selected: ASKED,
    });
    hold.again(ASKED);
    glide(view, 1.2, (share) => move(ASKED, FROM + share * (TO - FROM)));
  };
  return { value, move, select, run, reveal, hold };
}

export default widget(SETTINGS, (view, model) => {
  const first = model.get("values"); // where "Try" leads back to
  const state = () => stateOf(model);
  const hold = holder(state);
  const actions = actionsOf(view, model, hold);
  const asked = question(view, "answer", TEXT.question, TEXT.answers);
  const chart = chartPart(view, first.length, state, actions);
  const mode = choice(
    TEXT.mode,
    Object.keys(TEXT.modes),
    (name) => TEXT.modes[name],
    (name) => view.set({ training: name === "train" }),
  );
  const says = speaker(view);
  const running = runningPart(view, actions.run);
  const more = morePart(view, first, running);
  const numbers = numbersPart(first.length);
  view.onChange(["answer"], () => model.get("answer") && actions.reveal(first));

  const paint = () => {
    const [now, answer] = [state(), model.get("answer")];
    const result = resultOf(now);
    const past = hold.past();
    const before = past && result.outputs.length ? resultOf({ ...now, x: past.x }).outputs : [];
    asked.update(answer, "apart");
    mode.set(now.given.training ? "train" : "eval");
    chart.update(result.outputs, numbers.node.open ? result.pull : [], before);
    for (const part of [running, more]) part.update(now);
    numbers.update(now, result, result.pull);
    const told = answer && asked.fresh() && past?.i === ASKED && past.changed && now.given.training;
    const verdict = told ? (answer === "apart" ? TEXT.yes : TEXT.no) + TEXT.why : "";
    says.say(verdict || sentence(now, result.outputs, past));
  };
  view.listen(numbers.node, "toggle", view.repaint);
  view.onResize(chart.node, view.repaint);

  const picture = stage(chart.node, invitation(TEXT.invitation));
  const run = button(TEXT.run10, () => actions.run(10));
  const rows = [controls(...asked.buttons.values()), picture, controls(mode.node, run)];
  return { root: body("bb-bn", TEXT.title, asked.node, ...rows, says.node, more.node, numbers.node), paint };
});
