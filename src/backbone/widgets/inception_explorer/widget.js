import { body, controls, invitation, speaker, stage, widget } from "../kit.js";
import { count, reached } from "./maths.js";
import { barsPart, kindPart, modulePart, numbersPart, puzzlePart, questionPart, summaryOf } from "./parts.js";
import { TEXT } from "./text.js";

const SETTINGS = ["widths", "reduced", "puzzle", "solved", "shown", "answer"];

/** What the reader's hand does: a move counts for the puzzle, a jump to a solution only shows it. */
function actionsOf(view, model, shape) {
  const puzzles = model.get("puzzles");
  const solves = ({ widths = model.get("widths"), reduced = model.get("reduced"), puzzle = model.get("puzzle") }) =>
    reached(shape, puzzles[puzzle], widths, reduced).every(Boolean);
  const move = (changes) => {
    const [name, solved] = [model.get("puzzle"), model.get("solved")];
    const wins = solves(changes) && !solved.includes(name) && model.get("shown") !== name;
    view.set(wins ? { ...changes, solved: [...solved, name] } : changes);
  };
  const jump = (changes) =>
    view.set({ ...changes, shown: solves(changes) ? (changes.puzzle ?? model.get("puzzle")) : "" });
  const change = (slot, maps) => move({ widths: model.get("widths").map((one, i) => (i === slot ? maps : one)) });
  return { move, jump, change };
}

export default widget(SETTINGS, (view, model) => {
  const [shape, puzzles] = [model.get("shape"), model.get("puzzles")];
  const read = () => Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)]));
  const actions = actionsOf(view, model, shape);
  const paper = model.get("paper");
  const asked = questionPart(view, shape, paper);
  const module = modulePart(view, shape, read, actions.change);
  const kind = kindPart(actions.move);
  const bars = barsPart();
  const says = speaker(view);
  const puzzle = puzzlePart(model, shape, actions);
  const numbers = numbersPart(shape);
  // The answer is shown by a movement: that width becomes smaller, in the module of the paper.
  view.onChange(["answer"], () => {
    const slot = Number(model.get("answer"));
    if (model.get("answer")) view.set({ ...paper, widths: paper.widths.map((one, i) => one - (i === slot ? 8 : 0)) });
  });

  const paint = () => {
    const settings = read();
    const { widths, reduced, answer } = settings;
    const [now, twin] = [reduced, [false, false, false]].map((kind) => count(shape, widths, kind));
    const verdict = asked.update(answer, module.update(), settings);
    const budget = puzzles[settings.puzzle].goals.find((goal) => goal.kind === "cost").most;
    kind.update(reduced);
    bars.update(now, twin, puzzle.node.open ? budget : null);
    puzzle.update(now, settings);
    numbers.update(now, twin);
    says.say(verdict || summaryOf(now, twin));
  };
  view.listen(puzzle.node, "toggle", view.repaint);
  view.onResize(module.node, paint);

  const picture = stage(module.node, ...asked.buttons, invitation(TEXT.invitation));
  const figure = [asked.node, picture, controls(kind.node), bars.node, says.node, puzzle.node, numbers.node];
  return { root: body("bb-inc", TEXT.title, ...figure), paint };
});
