// The figure that shows where a score comes from: a map that adds up to it, beside what covering costs.

import { answersPart } from "../engine/answers.js";
import { networkPart } from "../engine/parts.js";
import { array, body, button, controls, entries, fill, fixed, fold, glide, h, hint, invitation } from "../kit.js";
import { question, remember, speaker, stage, table, write } from "../kit.js";
import { photographPart } from "../photo/picker.js";
import { correlation, coveredPixels, filledIn, localScores, meanUnder, PLACES } from "./maths.js";
import { placesInOrder, strongestPlace, writtenOut } from "./maths.js";
import { answersFrom, lossesOf, mapPart, notebook, placeWords, recordedAnswers, squaresOf } from "./parts.js";
import { TEXT } from "./text.js";

const SAID = TEXT.evidence;
const ALL = PLACES * PLACES;
const WEAK = 2; // a score that covering lowers by less never gets the full color

/** What was recorded of a photograph at hand, for one of its first answers. */
function recordedEvidence(model) {
  const answers = recordedAnswers(model);
  const [local, scores, biases, firsts] = ["local", "scores", "biases", "firsts"].map((n) => entries(array(model, n)));
  const classes = model.get("classes");
  return (photo, rank) => ({
    answers: answers.of("as it is", photo).answers,
    local: local[photo].subarray(49 * rank, 49 * (rank + 1)),
    bias: biases[photo][rank],
    score: scores[photo][rank],
    covered: (place) => scores[photo][4 * (place + 1) + rank],
    first: (place) => classes[firsts[photo][place]],
  });
}

/** The same of the reader's own photograph, as far as the network has answered; it asks for what comes next. */
function ownEvidence(model, book) {
  const classes = model.get("classes");
  const read = ({ logits }) => ({ logits, first: answersFrom(logits, classes).answers[0].name });
  return {
    of(rank) {
      const whole = book.known("whole");
      if (!whole) return undefined;
      const { answers } = whole;
      const row = book.known(`row ${answers[rank].at}`);
      return {
        answers,
        local: row?.local,
        bias: row?.bias,
        score: whole.logits[answers[rank].at],
        covered: (place) => book.known(`place ${place}`)?.logits[answers[rank].at],
        first: (place) => book.known(`place ${place}`).first,
      };
    },
    ask(found, rank, places) {
      const taps = ["_relu1"];
      if (!found) {
        const readWhole = ({ logits, taps: { _relu1: map } }) => ({ logits, map, ...answersFrom(logits, classes) });
        return book.ask("whole", (pixels) => ({ pixels, taps }), readWhole);
      }
      if (!found.local) {
        const [row, { map }] = [found.answers[rank].at, book.known("whole")];
        const readRow = ({ row: { weights, bias } }) => ({ local: localScores(map, weights), bias });
        return book.ask(`row ${row}`, (pixels) => ({ pixels, row }), readRow);
      }
      const next = places.find((place) => !book.known(`place ${place}`));
      if (next !== undefined) book.ask(`place ${next}`, (pixels) => ({ pixels: coveredPixels(pixels, next) }), read);
    },
  };
}

/** How far map and covering go together; undefined while some place is not known. */
function agreementOf({ local, score, covered }) {
  const losses = Array.from({ length: ALL }, (_, place) => score - covered(place));
  if (losses.some(Number.isNaN)) return undefined;
  return correlation(
    losses.map((_, place) => meanUnder(local, place)),
    losses,
  );
}

/** What is seen, in words. */
function evidenceSentence(found, rank, place, all) {
  const { name } = found.answers[rank];
  const score = fixed(found.score, 2);
  if (place < 0 || found.covered(place) === undefined) {
    const bias = Math.round(100 * found.bias);
    const mean = fixed((Math.round(100 * found.score) - bias) / 100, 2);
    return fill(SAID.says.sum, { mean, bias: fixed(bias / 100, 2), name, score });
  }
  const [first, other] = [found.first(place), fixed(found.covered(place), 2)];
  const said = fill(first === found.answers[0].name ? SAID.says.kept : SAID.says.lost, { name, score, other, first });
  const agreement = all ? agreementOf(found) : undefined;
  if (agreement === undefined) return said;
  return said + SAID.agrees[agreement > 0.6 ? "well" : agreement > 0.3 ? "partly" : "hardly"];
}

/** The fold "Numbers": all local scores, and how they add up. */
function sumsPart() {
  const lines = Array.from({ length: 7 }, (_, i) => i + 1);
  const found = table(
    TEXT.numbers,
    lines.map(String),
    lines.map((row) => fill(SAID.row, { row })),
  );
  const [sums, both] = [hint(), hint()];
  const update = remember((one, rank) => {
    const written = writtenOut(one.local, one.bias);
    found.update(lines.map((row) => written.cells.slice(7 * (row - 1), 7 * row).map((cell) => fixed(cell, 2))));
    const { name } = one.answers[rank];
    const [mean, bias, score] = ["mean", "bias", "score"].map((part) => fixed(written[part], 3));
    write(sums, fill(SAID.sum, { sum: fixed(written.sum, 2), mean, bias, score, name }));
    const r = agreementOf(one);
    both.hidden = r === undefined;
    if (both.hidden) return;
    const first = one.answers[0].name;
    const kept = Array.from({ length: ALL }, (_, place) => one.first(place)).filter((other) => other === first).length;
    write(both, fill(SAID.both, { r: fixed(r, 2), kept, first }));
  });
  return { node: fold(TEXT.numbers, sums, found.node, hint(SAID.field), both), update };
}

/** Both pictures, with their captions; the square is dragged on either. */
function picturesPart(view, now, move, over) {
  const plain = { role: "img", "data-part": "map" };
  const handle = { role: "slider", tabindex: 0, "aria-label": SAID.handle, "data-part": "cover" };
  handle["aria-valuemin"] = 1;
  handle["aria-valuemax"] = ALL;
  const map = mapPart(view, plain, () => now().map, move);
  const cover = mapPart(view, handle, () => now().cover, move);
  const [caption, other] = [h("p", { class: "bb-caption" }), h("p", { class: "bb-caption" }, SAID.cover)];
  const left = h("div", { class: "bb-panel" }, map.node, caption);
  const right = h("div", { class: "bb-panel" }, stage(cover.node, invitation(SAID.invitation), over), other);
  const update = (name, place) => {
    const text = fill(SAID.map, { name });
    write(caption, text);
    map.node.setAttribute("aria-label", text);
    cover.node.setAttribute("aria-valuenow", place + 1);
    cover.node.setAttribute("aria-valuetext", placeWords(place));
    map.update();
    cover.update();
  };
  return { nodes: [left, right], update };
}

/** The squares that are known, as far as they are shown. */
function shownLosses({ score, covered }, count) {
  const values = [];
  for (const place of placesInOrder().slice(0, count)) {
    const other = covered(place);
    if (other !== undefined) values[place] = score - other;
  }
  return filledIn(values);
}

/** The question about the first photograph, and what its answer is. */
function askedPart(view, model, recorded) {
  const start = recorded(0, 0);
  const place = strongestPlace(start.local);
  const { name } = start.answers[0];
  const truth = start.first(place) === name ? "kept" : "lost";
  const asked = question(view, "answer", fill(SAID.question, { name }), SAID.options);
  const verdict = () => {
    const answer = model.get("answer");
    if (!answer || !asked.fresh()) return "";
    return answer === truth ? SAID[truth === "kept" ? "right" : "rightLost"] : SAID[truth];
  };
  return { ...asked, place, truth, verdict };
}

/** What is known of the photograph shown: recorded, or asked of the network, with all places where `toggle` says so. */
function sourcePart(view, model, network, photograph) {
  const recorded = recordedEvidence(model);
  const own = ownEvidence(model, notebook(network, photograph, view.repaint));
  let [running, of, version] = [false, null, 0];
  function now(rank, place) {
    const { name, pixels, own: isOwn } = photograph.now();
    if (of !== pixels) [of, running, version] = [pixels, false, version + 1];
    if (!isOwn) return recorded(model.get("photos").indexOf(name), rank);
    const found = own.of(rank);
    own.ask(found, rank, [Math.max(place, 0), ...(running ? placesInOrder() : [])]);
    if (running && placesInOrder().every((one) => found?.covered(one) !== undefined)) running = false;
    return found;
  }
  const toggle = () => ((running = !running), view.repaint());
  return { recorded, now, toggle, running: () => running, version: () => version };
}

/** The largest size of some values, of which not all need be known. */
const largest = (values) => values.reduce((most, value) => Math.max(most, Math.abs(value ?? 0)), 0);

/** What the two pictures show. */
function picturesOf(pixels, found, losses, place) {
  const cells = found?.local ? squaresOf(found.local) : null;
  const map = { pixels, cells, limit: cells ? largest(found.local) : 1, place, solid: 0 };
  const limit = Math.max(WEAK, largest(losses ?? []));
  return { map, cover: { pixels, cells: losses && lossesOf(losses), limit, place, solid: losses ? 0.4 : 1 } };
}

export function evidenceFigure(view, model) {
  const network = networkPart(view, model, TEXT, view.repaint);
  const photograph = photographPart(view, model, TEXT, view.repaint);
  const source = sourcePart(view, model, network, photograph);
  const asked = askedPart(view, model, source.recorded);
  let [count, shown] = [ALL, { map: {}, cover: {} }];
  view.onChange(["answer"], () => {
    if (!model.get("answer")) return;
    view.set({ photo: model.get("photos")[0], rank: 0, place: asked.place });
    glide(view, 1.5, (share) => ((count = Math.round(ALL * share)), view.repaint()));
  });
  const all = button("", source.toggle, { class: "bb-button bb-sh-over" });
  const pictures = picturesPart(
    view,
    () => shown,
    (place) => view.set({ place }),
    all,
  );
  const answers = answersPart(TEXT, (rank) => view.set({ rank }), SAID.explain);
  const sums = sumsPart();
  const says = speaker(view);

  function paint() {
    const [answer, rank, place] = ["answer", "rank", "place"].map((trait) => model.get(trait));
    const { pixels, own } = photograph.now();
    asked.update(answer, asked.truth);
    if (!pixels) return;
    const found = source.now(rank, place);
    const open = Boolean(answer) || place >= 0 || own;
    const losses = open ? (found?.local ? shownLosses(found, count) : []) : null;
    shown = picturesOf(pixels, found, losses, Math.max(place, 0));
    const known = (losses ?? []).filter((_, one) => found.covered(one) !== undefined).length;
    all.disabled = !own || !found?.local || known === ALL;
    all.classList.toggle("bb-sh-none", all.disabled);
    write(all, source.running() ? SAID.stop : SAID.all);
    pictures.update(found?.answers[rank].name ?? "", Math.max(place, 0));
    answers.update(found?.answers ?? [], !found, rank);
    if (!found?.local) return says.say(network.loaded() ? TEXT.says.working : TEXT.says.own);
    sums.update(`${source.version()} ${rank} ${known}`, found, rank);
    if (source.running()) return says.say(fill(SAID.says.some, { count: known }));
    const verdict = asked.verdict();
    const whole = open && count === ALL && !verdict; // then the whole map of losses is spoken of
    says.say(verdict + evidenceSentence(found, rank, place, whole));
  }

  const top = h("div", { class: "bb-sh-evidence" }, ...pictures.nodes, answers.node);
  const figure = [asked.node, controls(...asked.buttons.values()), photograph.node, top, says.node];
  return { root: body("bb-sh", SAID.title, ...figure, network.node, sums.node), paint };
}
