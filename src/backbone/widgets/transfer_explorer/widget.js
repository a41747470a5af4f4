import { array, body, button, controls, fill, fixed, fold, glide, h, hint, invitation } from "../kit.js";
import { question, speaker, stage, table, widget } from "../kit.js";
import { aheadOf, answersOf, drawsOf, mean, paired } from "./maths.js";
import { canvasesOf, chartPart, panePart } from "./parts.js";
import { TEXT } from "./text.js";

const SETTINGS = ["left", "right", "labels", "draw", "answer"];

const nameOf = (way) => (way === "scratch" ? TEXT.scratch : way === "0" ? TEXT.none : fill(TEXT.some, { count: way }));
const labelsText = (count) => (count === 1 ? TEXT.label : fill(TEXT.labels, { count }));

/** The fold: the means of all ways, and the paired difference of the two that are compared. */
function numbersPart(ways, counts, means, draws) {
  const columns = counts.map(String);
  const all = table(fill(TEXT.accuracy, { draws }), columns, ways.map(nameOf));
  const pairs = table(TEXT.difference, columns, Object.values(TEXT.rows));
  all.update(means.map((row) => row.map((value) => fixed(value, 1))));
  const update = (found) => pairs.update(Object.keys(TEXT.rows).map((key) => found.map((one) => fixed(one[key], 1))));
  const node = fold(TEXT.numbers, hint(fill(TEXT.accuracy, { draws })), all.node, hint(TEXT.difference), pairs.node);
  return { node, update };
}

/** What the view is given, and what it reads off it. */
function given(model) {
  const [ways, counts, names, second, factor] = ["ways", "counts", "names", "second", "factor"].map((name) =>
    model.get(name),
  );
  const [accuracy, answers, pictures] = ["accuracy", "answers", "pictures"].map((name) => array(model, name));
  const canvases = canvasesOf(pictures);
  const each = canvases.length / names.length;
  const rowsOf = (way) => counts.map((_, i) => drawsOf(accuracy, ways.indexOf(way), i));
  const differences = (left, right) => {
    const rows = rowsOf(right);
    return rowsOf(left).map((row, i) => paired(row, rows[i], factor));
  };
  /** The pictures of a draw, class by class, and what they show. */
  const shownIn = (draw) => {
    const places = second[draw].flatMap((one) => Array.from({ length: each }, (_, i) => one * each + i));
    return { canvases: places.map((i) => canvases[i]), truths: second[draw].flatMap((one) => Array(each).fill(one)) };
  };
  return { ways, counts, names, draws: second.length, accuracy, answers, each, rowsOf, differences, shownIn };
}

/** The question, and what is said once it is answered. */
function questionPart(view, { ways, counts, draws, differences }) {
  const last = ways.at(-1);
  const most = counts.at(-1);
  const found = differences("scratch", last).at(-1);
  const truth = { left: "scratch", right: "frozen" }[aheadOf(found)] ?? "even";
  const asked = question(view, "answer", fill(TEXT.question, { most }), TEXT.answers);
  const told = fill(TEXT.truth[truth], { most, draws, mean: fixed(Math.abs(found.mean), 1) });
  const verdict = (answer) => (answer === truth ? TEXT.yes : TEXT.no) + told;
  return { ...asked, truth, verdict, update: (answer) => asked.update(answer, truth) };
}

export default widget(SETTINGS, (view, model) => {
  const data = given(model);
  const { ways, counts, names, draws, answers, each } = data;
  const asked = questionPart(view, data);
  const at = () => counts.indexOf(model.get("labels"));
  let picked = null;
  const pick = (picture) => {
    if (picture !== picked) [picked, view.acted] = [picture, true];
    view.repaint();
  };
  const panes = ["left", "right"].map((side) => panePart(view, model, { side, ways, nameOf, pick, each }));
  const chart = chartPart(view, data, at, (i) => view.set({ labels: counts[i] }));
  const another = button(TEXT.another, () => view.set({ draw: (model.get("draw") + 1) % draws }), {
    class: "bb-button bb-tr-another",
  });
  const says = speaker(view);
  const means = ways.map((way) => data.rowsOf(way).map(mean));
  const numbers = numbersPart(ways, counts, means, draws);
  // The answer is shown by a movement: the labels grow, and the pictures turn.
  const reveal = () => {
    if (!model.get("answer")) return;
    view.set({ left: "scratch", right: ways.at(-1) });
    const start = at();
    const step = (share) => view.set({ labels: counts[Math.round(start + share * (counts.length - 1 - start))] });
    glide(view, 1.2, step);
  };
  view.onChange(["answer"], reveal);

  const line = (draw, labels, now) => {
    const { canvases, truths } = now;
    const said = panes.map((_, i) => names[now.answers[i][picked]]);
    const same = model.get("left") === model.get("right");
    if (picked !== null && picked in canvases) {
      const template = same ? TEXT.pickedSame : TEXT.picked;
      return fill(template, { truth: names[truths[picked]], left: said[0], right: said[1] });
    }
    const found = data.differences(model.get("left"), model.get("right"))[labels];
    const [left, right] = now.rows.map((row) => fixed(row[labels][draw], 0));
    const ahead = aheadOf(found);
    const after = same ? TEXT.same : fill(ahead ? TEXT.ahead[ahead] : TEXT.unsettled, { draws });
    return fill(TEXT.says, { labels: labelsText(counts[labels]), left, right }) + after;
  };
  const paint = () => {
    const [draw, answer, labels] = [model.get("draw"), model.get("answer"), at()];
    const places = ["left", "right"].map((side) => ways.indexOf(model.get(side)));
    const now = { ...data.shownIn(draw), names, picked };
    now.answers = places.map((way) => answersOf(answers, way, labels, draw));
    now.rows = ["left", "right"].map((side) => data.rowsOf(model.get(side)));
    panes.forEach((pane, i) => pane.update({ ...now, answers: now.answers[i] }));
    chart.update({ at: labels, draw, ways: { left: places[0], right: places[1] } }, labelsText(counts[labels]));
    numbers.update(data.differences(model.get("left"), model.get("right")));
    asked.update(answer);
    const revealed = answer && asked.fresh() && picked === null && labels === counts.length - 1;
    says.say(revealed ? asked.verdict(answer) : line(draw, labels, now));
  };
  const top = controls(...asked.buttons.values(), another);
  const picture = stage(chart.node, invitation(TEXT.invitation));
  const pair = h("div", { class: "bb-pair" }, ...panes.map(({ node }) => node));
  return { root: body("bb-tr", TEXT.title, asked.node, top, pair, picture, says.node, numbers.node), paint };
});
