import { body, button, choice, controls, fill, fold, hint, invitation, percent, question, speaker } from "../kit.js";
import { stage, table, widget } from "../kit.js";
import { ASKED, BLOCKS, numbersOf, rightOf, setOf, toggled, truthOf } from "./maths.js";
import { given, KINDS, networkPart, picturesPart, seenOf } from "./parts.js";
import { TEXT } from "./text.js";

/** The fold "Numbers": both networks with all blocks, without each one, and as they are cut now, for each seed. */
function numbersPart({ right, count }) {
  const columns = [TEXT.columns.none];
  for (let block = 1; block <= BLOCKS; block++) columns.push(fill(TEXT.columns.one, { block }));
  columns.push(TEXT.columns.now);
  const rows = table(
    TEXT.numbers,
    columns,
    right.map(({ network, seed }) => fill(TEXT.rows[network], { seed })),
  );
  const cell = (one) => (one === null ? TEXT.missing : ((100 * one) / count).toFixed(1));
  const update = (cuts) => rows.update(right.map((row) => numbersOf(row.right, cuts).map(cell)));
  return { node: fold(TEXT.numbers, hint(TEXT.note), rows.node), update };
}

const NAMED = 3; // so many cuts are named, more are counted

/** The cuts in words. */
function wordsOf(cuts) {
  if (!cuts.length) return TEXT.none;
  if (cuts.length > NAMED) return fill(TEXT.more, { number: cuts.length });
  return fill(cuts.length > 1 ? TEXT.many : TEXT.one, { blocks: cuts.join(", ") });
}

export default widget(["cuts", "skips", "answer"], (view, model) => {
  const data = given(model);
  const count = data.labels.length;
  const [before, after] = KINDS.map((kind) => rightOf(seenOf(data, kind, ASKED)));
  const truth = truthOf(before, after);
  const words = { block: ASKED[0], right: before, count };
  const asked = question(view, "answer", fill(TEXT.question, words), TEXT.answers);
  // The answer is shown by a movement: the skips go.
  view.onChange(["answer"], () => model.get("answer") && view.set({ skips: false, cuts: ASKED }));
  const network = networkPart((block) => view.set({ cuts: toggled(model.get("cuts"), block) }));
  const kind = choice(
    TEXT.network,
    KINDS,
    (one) => TEXT.kinds[one],
    (one) => view.set({ skips: one === "residual" }),
  );
  const pictures = picturesPart(data);
  const says = speaker(view);
  const numbers = numbersPart(data);
  const share = (name, cuts) => percent(data.right.find((row) => row.network === name).right[setOf(cuts)] / data.count);

  const paint = () => {
    const [cuts, skips, answer] = ["cuts", "skips", "answer"].map((name) => model.get(name));
    const name = skips ? "residual" : "plain";
    const answers = seenOf(data, name, cuts);
    asked.update(answer, truth);
    network.update(name, cuts);
    kind.set(name);
    pictures.update(answers);
    numbers.update(cuts);
    const said = {
      cuts: wordsOf(cuts),
      right: rightOf(answers),
      count,
      now: share(name, cuts),
      whole: share(name, []),
    };
    const verdict = answer === truth ? TEXT.yes : TEXT.no;
    const revealed = answer && asked.fresh() && !skips && setOf(cuts) === setOf(ASKED);
    says.say(fill(revealed ? verdict : TEXT.says[name], said));
  };

  const picture = stage(network.node, invitation(TEXT.invitation));
  const back = button(TEXT.whole, () => view.set({ cuts: [] }));
  const figure = [asked.node, controls(...asked.buttons.values()), picture, controls(kind.node, back), pictures.node];
  return { root: body("bb-res", TEXT.title, ...figure, says.node, numbers.node), paint };
});
