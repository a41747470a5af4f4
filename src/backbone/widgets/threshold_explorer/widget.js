import { array, body, button, clamp, controls, entries, fill, fixed, fold, grouped, hint, invitation } from "../kit.js";
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

/** All parts of the figure; `words` puts the name of the positives into a text. */
function partsOf(view, model, data, words) {
  const { positive } = data;
  const texts = (table) => Object.fromEntries(Object.entries(table).map(([key, text]) => [key, words(text)]));
  const scores = scoresPart(
    view,
    data,
    (threshold) => view.set({ threshold }),
    () => model.get("threshold"),
  );
  const halves = (found, other) => [["found", found], other];
  return {
    asked: question(view, "answer", words(TEXT.question), texts(TEXT.answers)),
    scores,
    recall: barPart(words(TEXT.recallBar), halves(TEXT.found, ["missed", TEXT.missed]), "recall"),
    precision: barPart(words(TEXT.precisionBar), halves(TEXT.right, ["alarm", TEXT.wrong]), "precision"),
    common: range(words(TEXT.prevalence), { min: 0, max: STEPS, step: 1 }, (at) =>
      view.set({ prevalence: toShare(at) }),
    ),
    says: speaker(view),
    numbers: numbersPart(positive),
  };
}

/** The fold with two buttons that set, and the two curves. */
function morePart(view, model, curves, curve, measured) {
  const asMeasured = button(TEXT.measured, () => view.set({ prevalence: measured }));
  const best = button(TEXT.best, () => view.set({ threshold: bestF1(curve, model.get("prevalence")) }));
  return fold(TEXT.more, controls(best, asMeasured), curves.node);
}

export default widget(["threshold", "prevalence", "answer"], (view, model) => {
  const data = given(model);
  const { positives, negatives, positive, score } = data;
  const words = (text) => fill(text, { positive });
  const curve = curveOf(positives, negatives);
  const within = (share) => clamp(share, RAREST, MOST);
  const measured = within(positives.length / (positives.length + negatives.length));
  const curves = curvesPart(view, curve, areaOf(curve));
  const { asked, scores, recall, precision, common, says, numbers } = partsOf(view, model, data, words);
  // The answer is shown by a movement: the prevalence falls, and with it one bar.
  view.onChange(
    ["answer"],
    () => model.get("answer") && view.set({ prevalence: within(model.get("prevalence") / RARER) }),
  );

  const sentence = ({ threshold, at, answer }, empty) => {
    const verdict = answer && asked.fresh() ? words(answer === "precision" ? TEXT.yes : TEXT.no) : "";
    const [found, right] = [at.recall, at.precision].map(rate);
    const values = { threshold: fixed(threshold, 2), score, positive, recall: found, precision: right };
    return verdict + fill(empty ? TEXT.saysNothing : TEXT.says, values);
  };
  const paint = () => {
    const [threshold, prevalence, answer] = ["threshold", "prevalence", "answer"].map((name) => model.get(name));
    const at = scoresAt(positives, negatives, threshold, prevalence);
    const now = { threshold, prevalence, answer, at, precisions: withPrecision(curve, prevalence) };
    const empty = at.recall + at.alarms === 0;
    scores.update();
    recall.update(at.recall);
    precision.update(at.precision, empty);
    const often = fill(TEXT.prevalenceValue, { share: rate(prevalence), count: show(1 / prevalence, 1) });
    common.set(toStep(prevalence), often);
    numbers.update(now);
    curves.update(now);
    asked.update(answer, "precision");
    says.say(sentence(now, empty));
  };

  const picture = stage(scores.node, invitation(TEXT.invitation));
  const more = morePart(view, model, curves, curve, measured);
  const figure = [asked.node, controls(...asked.buttons.values()), picture, recall.node, precision.node, common.node];
  return { root: body("bb-th", TEXT.title, ...figure, says.node, numbers.node, more), paint };
});
