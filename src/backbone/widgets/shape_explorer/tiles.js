// The figure in which a reader changes the photograph.

import { answersPart } from "../engine/answers.js";
import { networkPart } from "../engine/parts.js";
import { body, button, controls, fill, fold, h, hint, invitation, percent, question } from "../kit.js";
import { remember, speaker, stage, table } from "../kit.js";
import { paintPhoto } from "../photo/decode.js";
import { photographPart } from "../photo/picker.js";
import { changedPixels } from "./maths.js";
import { answersFrom, notebook, recordedAnswers, stripPart } from "./parts.js";
import { TEXT } from "./text.js";

const WORDS = TEXT.tiles;

/** What the network says under a change: `of(change, shuffle)`, recorded or computed, undefined while it is not known. */
function changesPart(model, recorded, book, photograph) {
  const [photos, classes, orders] = ["photos", "classes", "orders"].map((name) => model.get(name));
  const orderOf = (change, shuffle) => orders[change]?.[shuffle] ?? null;
  const caseOf = (change, shuffle) => (orders[change] ? `${change} ${shuffle}` : change);
  const of = (change, shuffle) => {
    const [name, at] = [caseOf(change, shuffle), photos.indexOf(photograph.now().name)];
    if (at >= 0) return recorded.of(name, at);
    const [whole, logits] = [book.known("as it is"), book.known(name)];
    return whole && logits && answersFrom(logits, classes, whole);
  };
  const ask = (change, shuffle) => {
    if (photos.includes(photograph.now().name)) return;
    for (const one of ["as it is", change]) {
      const name = caseOf(one, shuffle);
      if (book.known(name)) continue;
      const question = (pixels) => ({ pixels: changedPixels(pixels, one, orderOf(one, shuffle)) });
      return book.ask(name, question, ({ logits }) => logits);
    }
  };
  /** How many keep the first answer, of the shuffles of one photograph, and of all. */
  const count = (change, only) => {
    const shuffles = orders[change] ? orders[change].map((_, i) => i) : [0];
    const all = photos.flatMap((_, at) => (only === undefined || only === at ? [at] : []));
    const kept = all.flatMap((at) => shuffles.map((n) => recorded.kept(caseOf(change, n), at)));
    return { kept: kept.filter(Boolean).length, count: kept.length };
  };
  return { of, ask, count, orderOf, tiled: (change) => Boolean(orders[change]) };
}

/** Of the changes that are asked about, the one that leaves the first photograph's answer the least likely. */
function truthOf(recorded, asked, changes) {
  const was = (change) => recorded.of(changes.tiled(change) ? `${change} 0` : change, 0).was;
  return asked.reduce((least, change) => (was(change) < was(least) ? change : least));
}

/** What is seen, in words. */
function sentenceOf(change, found, whole, shuffles) {
  const values = {
    change: WORDS.phrases[change],
    now: found.answers[0].name,
    share: percent(found.answers[0].share),
    before: whole.answers[0].name,
    was: percent(found.was),
  };
  if (change === "as it is") return fill(WORDS.says.whole, values);
  const said = fill(found.kept ? WORDS.says.kept : WORDS.says.lost, values);
  return shuffles ? said + fill(WORDS.says.shuffles, { ...shuffles, before: values.before }) : said;
}

/** The fold "Numbers". */
function countsPart(list, changes, count) {
  const rows = list.filter((change) => change !== "as it is");
  const found = table(
    TEXT.numbers,
    Object.values(WORDS.columns),
    rows.map((change) => WORDS.phrases[change]),
  );
  const words = (counted) => fill(WORDS.of, counted);
  const shown = remember((photo) =>
    found.update(
      rows.map((change) => [
        photo < 0 ? WORDS.unknown : words(changes.count(change, photo)),
        words(changes.count(change)),
      ]),
    ),
  );
  const update = (photo) => shown(photo, photo);
  return { node: fold(TEXT.numbers, hint(fill(WORDS.note, { count })), found.node), update };
}

/** The verdict on the reader's answer, as long as it is fresh. */
function verdictOf(answer, truth, options) {
  if (answer === truth) return WORDS.yes;
  return fill(WORDS.no, { truth: options[truth] }) + (truth === "16 tiles" ? WORDS.why : "");
}

export function tilesFigure(view, model) {
  const recorded = recordedAnswers(model);
  const [photos, list] = ["photos", "changes"].map((name) => model.get(name));
  const network = networkPart(view, model, TEXT, view.repaint);
  const photograph = photographPart(view, model, TEXT, view.repaint);
  const changes = changesPart(model, recorded, notebook(network, photograph, view.repaint), photograph);
  const truth = truthOf(recorded, Object.keys(WORDS.options), changes);
  const name = recorded.of("as it is", 0).answers[0].name;
  const asked = question(view, "answer", fill(WORDS.question, { name }), WORDS.options);
  view.onChange(["answer"], () => {
    if (model.get("answer")) view.set({ photo: photos[0], change: truth, shuffle: 0 });
  });
  const again = button(WORDS.again, () => view.set({ shuffle: (model.get("shuffle") + 1) % 10 }));
  const strip = stripPart(list, changes.orderOf, (change) => view.set({ change }));
  const answers = answersPart(TEXT);
  const counts = countsPart(list, changes, recorded.count);
  const says = speaker(view);
  again.classList.add("bb-sh-over");

  let painted = [];
  /** The photograph as the network sees it; without pixels there is nothing yet. */
  function show(change, shuffle) {
    const { pixels, own, name: photo } = photograph.now();
    const alt = own ? TEXT.photo.own : model.get("alts")[photos.indexOf(photo)];
    const tiles = changes.orderOf(change, shuffle);
    if (painted[0] !== pixels || painted[1] !== change || painted[2] !== tiles)
      paintPhoto(photograph.canvas, changedPixels(pixels, change, tiles));
    painted = [pixels, change, tiles];
    photograph.canvas.setAttribute("aria-label", fill(WORDS.alt, { alt, change: WORDS.phrases[change] }));
    strip.paint(pixels, shuffle);
  }

  function paint() {
    const [answer, change, shuffle] = ["answer", "change", "shuffle"].map((trait) => model.get(trait));
    const { name: photo, pixels, own } = photograph.now();
    asked.update(answer, truth);
    strip.set(change);
    again.classList.toggle("bb-sh-none", !changes.tiled(change));
    again.disabled = !changes.tiled(change);
    if (!pixels) return;
    show(change, shuffle);
    changes.ask(change, shuffle);
    strip.mark(new Map(list.map((one) => [one, changes.of(one, shuffle)])));
    strip.node.classList.toggle("bb-sh-closed", !answer && !own);
    counts.update(photos.indexOf(photo));
    const [found, whole] = [changes.of(change, shuffle), changes.of("as it is", shuffle)];
    answers.update((found ?? whole)?.answers ?? [], !found);
    const verdict = answer && asked.fresh() ? verdictOf(answer, truth, WORDS.options) : "";
    const shuffles = changes.tiled(change) && !own && !verdict ? changes.count(change, photos.indexOf(photo)) : null;
    if (found) says.say(verdict + sentenceOf(change, found, whole, shuffles));
    else says.say(network.loaded() ? TEXT.says.working : TEXT.says.own);
  }

  const changed = stage(photograph.canvas, again);
  const top = h("div", { class: "bb-seen" }, changed, answers.node);
  const picture = stage(strip.node, invitation(WORDS.invitation));
  const figure = [asked.node, controls(...asked.buttons.values()), photograph.node, top, picture, says.node];
  return { root: body("bb-sh", WORDS.title, ...figure, network.node, counts.node), paint };
}
