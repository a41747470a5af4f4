import { answersPart } from "../engine/answers.js";
import { topOf } from "../engine/maths.js";
import { networkPart } from "../engine/parts.js";
import { array, body, button, controls, entries, fill, fold, h, hint, invitation, percent, question } from "../kit.js";
import { speaker, stage, table, widget } from "../kit.js";
import { photographPart } from "../photo/picker.js";
import { allOf, keptOf, keyOf, partsOf, pressed, withoutOf } from "./maths.js";
import { chainPart } from "./parts.js";
import { TEXT } from "./text.js";

/** The cuts in words. */
function wordsOf(cuts, all) {
  const { branch, skip } = partsOf(cuts);
  const said = [];
  for (const [part, blocks] of Object.entries({ branch, skip })) {
    if (!blocks.length) continue;
    if (blocks.length === all) said.push(part === "branch" ? TEXT.cut.allBranch : TEXT.cut.allSkip);
    else
      said.push(
        fill(TEXT.cut[blocks.length > 1 ? (part === "branch" ? "branches" : "skips") : part], {
          blocks: blocks.join(", "),
        }),
      );
  }
  return said.length > 1 ? fill(TEXT.cut.and, { one: said[0], other: said[1] }) : said[0];
}

/** What was recorded: the first answers for each case and photograph. */
function recordedOf(model) {
  const [first, shares] = ["first", "shares"].map((name) => array(model, name));
  const [, count, top] = first.shape;
  const cases = model.get("cases");
  const classes = model.get("classes");
  const answers = (at, photo) =>
    Array.from({ length: top }, (_, i) => {
      const place = (at * count + photo) * top + i;
      return { name: classes[first.data[place]], share: shares.data[place] };
    });
  return {
    cases,
    count,
    answers,
    firsts: entries(first).map((one) => Array.from({ length: count }, (_, i) => one[i * top])),
  };
}

/** The fold "Numbers": how many photographs keep their answer. */
function numbersPart(view, { cases, count, firsts }, blocks) {
  const columns = ["branch", "skip"];
  const rows = blocks.map((block) => fill(TEXT.row, { block }));
  const found = table(TEXT.numbers, Object.values(TEXT.columns), rows);
  found.update(blocks.map((block) => columns.map((part) => String(keptOf(firsts, cases.indexOf(`${block} ${part}`))))));
  const cutAll = (text, part) => button(text, () => view.set({ cuts: allOf(blocks, part) }));
  const all = controls(cutAll(TEXT.branches, "branch"), cutAll(TEXT.skips, "skip"));
  return fold(TEXT.numbers, all, hint(fill(TEXT.note, { count })), found.node);
}

/** The answers under some cuts: recorded, computed for the photograph at hand, or undefined while they are not known. */
function answersOf(model, recorded, network, photograph, changed) {
  let [computed, of] = [new Map(), null];
  return (cuts) => {
    const { name, pixels } = photograph.now();
    if (of !== pixels) [computed, of] = [new Map(), pixels];
    const key = keyOf(cuts);
    const at = recorded.cases.indexOf(key);
    const photo = model.get("photos").indexOf(name);
    if (at >= 0 && photo >= 0) return recorded.answers(at, photo);
    if (!computed.has(key) && pixels && network.loaded()) {
      const mine = computed;
      network.run({ pixels, without: withoutOf(cuts) }, ({ logits }) => {
        mine.set(key, topOf(logits, model.get("classes")));
        changed();
      });
    }
    return computed.get(key);
  };
}

/** What is seen, in words. */
function sentenceOf(cuts, found, whole, { all, loaded, own }) {
  if (!found || !whole) return loaded ? TEXT.says.working : own ? TEXT.says.own : TEXT.says.unknown;
  const values = { now: found[0].name, share: percent(found[0].share), before: whole[0].name };
  if (!Object.keys(cuts).length) return fill(TEXT.says.whole, values);
  return fill(found[0].name === whole[0].name ? TEXT.says.kept : TEXT.says.lost, {
    ...values,
    cuts: wordsOf(cuts, all),
  });
}

export default widget(["cuts", "answer"], (view, model) => {
  const recorded = recordedOf(model);
  const blocks = model.get("blocks");
  const open = blocks.filter(({ adds }) => adds).map(({ number }) => number);
  const asked = question(view, "answer", TEXT.question, TEXT.options);
  // The answer is shown by a movement: one shortcut goes.
  view.onChange(["answer"], () => model.get("answer") && view.set({ cuts: { [open[3]]: "skip" } }));
  const whole = button(TEXT.whole, () => view.set({ cuts: {} }));
  const chain = chainPart(blocks, (block, part) => view.set({ cuts: pressed(model.get("cuts"), block, part) }), whole);
  const network = networkPart(view, model, TEXT, () => paint());
  const photograph = photographPart(view, model, TEXT, () => paint());
  const answers = answersPart(TEXT);
  const answersTo = answersOf(model, recorded, network, photograph, () => paint());
  const says = speaker(view);

  function paint() {
    const [cuts, answer] = ["cuts", "answer"].map((name) => model.get(name));
    const [before, found] = [answersTo({}), answersTo(cuts)];
    asked.update(answer, "changes");
    chain.update(cuts);
    whole.disabled = !Object.keys(cuts).length;
    answers.update(found ?? before ?? [], !found);
    const verdict = answer && asked.fresh() ? (answer === "changes" ? TEXT.yes : TEXT.no) : "";
    const at = { all: open.length, loaded: network.loaded(), own: photograph.now().own };
    says.say(verdict + sentenceOf(cuts, found, before, at));
  }

  const picture = stage(chain.node, invitation(TEXT.invitation));
  const top = h("div", { class: "bb-seen" }, photograph.canvas, answers.node);
  const figure = [asked.node, controls(...asked.buttons.values()), photograph.node, top, picture, says.node];
  return { root: body("bb-bl", TEXT.title, ...figure, network.node, numbersPart(view, recorded, open)), paint };
});
