import { array, body, button, entries, fill, fixed, fold, grouped, h, hint, invitation } from "../kit.js";
import { question, range, show, speaker, stage, table, widget, write } from "../kit.js";
import { areaOf, bestF1, curveOf, MOST, RAREST, scoresAt, STEPS, toShare, toStep, wholeCounts } from "./maths.js";
import { withPrecision } from "./maths.js";
import { barPart, curvesPart, rate, scoresPart } from "./parts.js";
import { TEXT } from "./text.js";

const TOTAL = 10000; // the counts are for so many pictures, so that one in a thousand is ten whole ones
const RARER = 10;

/** What the view is given, as plain numbers. */
function given(model) {
  const [positives, negatives, scores] = ["positives", "negatives", "face_scores"].map(
    (name) => array(model, name).data,
  );
  const faces = array(model, "faces");
  const pixels = scores.length ? entries(faces) : [];
  return {
    positives,
    negatives,
    positive: model.get("positive"),
    score: model.get("score"),
    faces: { scores, pixels, shape: faces.shape, truth: array(model, "face_truth").data },
  };
}

/** The fold "Numbers": counts of whole pictures, and the other scores. */
function numbersPart(positive) {
  const names = Object.values(TEXT.rows).map((text) => fill(text, { positive }));
  const counts = table(TEXT.numbers, [fill(TEXT.column, { total: grouped(TOTAL) })], names);
  const never = hint();
  const update = ({ at, prevalence }) => {
    const whole = wholeCounts(at.shares, TOTAL).map(grouped);
    counts.update([...whole, at.f1.toFixed(3), rate(at.accuracy), rate(at.alarms)].map((text) => [text]));
    write(never, fill(TEXT.never, { positive, accuracy: rate(1 - prevalence) }));
  };
  return { node: fold(TEXT.numbers, counts.node, never), update };
}

export default widget(["threshold", "prevalence", "answer"], (view, model) => {
  const data = given(model);
  const { positives, negatives, positive, score } = data;
  const curve = curveOf(positives, negatives);
  const measured = positives.length / (positives.length + negatives.length);
  const within = (share) => Math.min(Math.max(share, RAREST), MOST);

  const words = (texts) =>
    Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, fill(text, { positive })]));
  const asked = question(view, "answer", fill(TEXT.question, { positive }), words(TEXT.answers));
  const scores = scoresPart(
    view,
    data,
    (threshold) => view.set({ threshold }),
    () => model.get("threshold"),
  );
  const recall = barPart(
    fill(TEXT.recallBar, { positive }),
    [
      ["found", TEXT.found],
      ["missed", TEXT.missed],
    ],
    "recall",
  );
  const precision = barPart(
    fill(TEXT.precisionBar, { positive }),
    [
      ["found", TEXT.right],
      ["alarm", TEXT.wrong],
    ],
    "precision",
  );
  const common = range(fill(TEXT.prevalence, { positive }), { min: 0, max: STEPS, step: 1 }, (at) =>
    view.set({ prevalence: toShare(at) }),
  );
  const says = speaker(view, false);
  const numbers = numbersPart(positive);
  const curves = curvesPart(view, curve, areaOf(curve));
  const asMeasured = button(TEXT.measured, () => view.set({ prevalence: within(measured) }));
  const best = button(TEXT.best, () => view.set({ threshold: bestF1(curve, model.get("prevalence")) }));
  // The answer is shown by a movement: the prevalence falls, and with it one bar.
  view.onChange(
    ["answer"],
    () => model.get("answer") && view.set({ prevalence: within(model.get("prevalence") / RARER) }),
  );

  const paint = () => {
    const [threshold, prevalence, answer] = ["threshold", "prevalence", "answer"].map((name) => model.get(name));
    const at = scoresAt(positives, negatives, threshold, prevalence);
    const now = { threshold, prevalence, at, precisions: withPrecision(curve, prevalence) };
    const empty = at.recall + at.alarms === 0;
    scores.update();
    recall.update(at.recall);
    precision.update(at.precision, empty);
    common.set(
      toStep(prevalence),
      fill(TEXT.prevalenceValue, { share: rate(prevalence), count: show(1 / prevalence, 1) }),
    );
    numbers.update(now);
    curves.update(now);
    asked.update(answer, "precision");
    const verdict = answer ? fill(answer === "precision" ? TEXT.yes : TEXT.no, { positive }) : "";
    const values = {
      threshold: fixed(threshold, 2),
      score,
      positive,
      recall: rate(at.recall),
      precision: rate(at.precision),
    };
    says.say(verdict + fill(empty ? TEXT.saysNothing : TEXT.says, values));
  };

  const answers = h("div", { class: "bb-controls" }, ...asked.buttons.values());
  const picture = stage(scores.node, invitation(view, TEXT.invitation, ["threshold"]));
  const more = fold(TEXT.more, h("div", { class: "bb-controls" }, best, asMeasured), curves.node);
  const figure = [
    asked.node,
    answers,
    picture,
    recall.node,
    precision.node,
    common.node,
    says.node,
    numbers.node,
    more,
  ];
  return { root: body("bb-th", TEXT.title, ...figure), paint };
});
