import { topOf } from "../engine/maths.js";
import { networkPart } from "../engine/parts.js";
import { array, body, controls, fill, glide, grouped, h, invitation, percent, question, speaker } from "../kit.js";
import { stage, widget } from "../kit.js";
import { photographPart } from "../photo/picker.js";
import { levels, liveliest, paintedSide, wayRound } from "./maths.js";
import { stageName, placePart, stagePart, stripPart } from "./parts.js";
import { TEXT } from "./text.js";

const PHOTOGRAPH = 3 * 224 * 224; // numbers
const SHOWN = 5;
const SECONDS = 5; // of the way through the stages

/** What was recorded of each photograph: maps by taps, and the first answer. */
function recordedOf(model, taps) {
  const [channels, maps, first, shares] = ["channels", "maps", "first", "shares"].map((name) => array(model, name));
  const [photos, classes] = ["photos", "classes"].map((name) => model.get(name));
  const sizes = taps.map(({ side }) => paintedSide(side) ** 2);
  let at = 0;
  const found = photos.map((name, photo) => {
    const seen = sizes.map((size, tap) =>
      Array.from({ length: SHOWN }, (_, i) => {
        at += size;
        const channel = channels.data[(photo * taps.length + tap) * SHOWN + i];
        return { channel, bytes: maps.data.subarray(at - size, at) };
      }),
    );
    const top = photo * first.shape[1];
    return [name, { seen, answer: { name: classes[first.data[top]], share: shares.data[top] } }];
  });
  return new Map(found);
}

/** The same of what the network has just computed. */
function computedOf(found, taps, classes) {
  const seen = taps.map(({ name }) =>
    liveliest(found.taps[name], SHOWN).map((channel) => ({ channel, bytes: levels(found.taps[name], channel) })),
  );
  return { seen, answer: topOf(found.logits, classes, 1)[0] };
}

/**
 * What is seen of the photograph at hand: recorded, or computed for the reader's own, or null while it is not known.
 * `changed()` is called once that is.
 */
function sourceOf(model, taps, changed) {
  const recorded = recordedOf(model, taps);
  const [photos, classes] = ["photos", "classes"].map((name) => model.get(name));
  let [own, of] = [null, null];
  return ({ name, pixels, own: mine }, network) => {
    if (!mine) return recorded.get(name ?? photos[0]);
    if (of === pixels) return own;
    own = null;
    if (network.loaded()) {
      of = pixels;
      network.run({ pixels, taps: taps.map((tap) => tap.name) }, (found) => {
        if (of !== pixels) return;
        own = computedOf(found, taps, classes);
        changed();
      });
    }
    return own;
  };
}

/** The verdict on the reader's prediction, and what is seen, in words. */
function sentenceOf(taps, at, shown, loaded) {
  if (!shown) return loaded ? TEXT.working : TEXT.waiting;
  const { name, share } = shown.answer;
  const channels = grouped(taps[at].channels);
  return fill(TEXT.says, { ...taps[at], channels, stage: stageName(taps, at), name, share: percent(share) });
}

/**
 * The way through the stages with which the figure on the front page opens, until the reader acts. `look` gets the stage,
 * or null at the end, and the place, which goes once round the photograph.
 */
function tour(view, taps, look) {
  glide(view, SECONDS, (share) => {
    if (view.acted) return;
    look(share < 1 ? Math.floor(share * taps.length) : null, wayRound(share));
  });
}

export default widget(["stage", "answer"], (view, model) => {
  const [taps, front] = [model.get("taps"), model.get("show") === "front"];
  const most = grouped(taps[0].side ** 2 * taps[0].channels);
  let place = [0.5, 0.5]; // on the photograph, down and across
  let passed = null; // the stage that is shown in passing, on the way through all of them
  const asked = question(view, "answer", fill(TEXT.question, { count: grouped(PHOTOGRAPH) }), TEXT.options);
  // The answer is shown by a movement: to the stem.
  view.onChange(["answer"], () => model.get("answer") && view.set({ stage: 0 }));
  const network = networkPart(view, model, TEXT, () => paint());
  const photograph = photographPart(view, model, TEXT, () => paint());
  const handle = placePart(
    view,
    photograph.canvas,
    () => place,
    (to) => {
      view.acted = true;
      place = to;
      if (passed === null) return mark();
      passed = null;
      view.repaint();
    },
  );
  const source = sourceOf(model, taps, () => paint());
  const stageNow = () => passed ?? model.get("stage");
  const [strip, maps, says] = [stripPart(view, taps), stagePart(taps, SHOWN), speaker(view)];

  function mark() {
    const at = stageNow();
    handle.mark(taps[at].side);
    strip.mark(place);
    maps.mark(at, place);
  }
  function paint() {
    if (view.acted) passed = null;
    const [at, answer] = [stageNow(), model.get("answer")];
    const shown = source(photograph.now(), network);
    asked.update(answer, "more");
    if (shown) {
      strip.update(shown.seen, at, place);
      maps.update(shown.seen, at, place);
    }
    figure.classList.toggle("bb-st-old", !shown);
    mark();
    const verdict = answer && asked.fresh() ? fill(answer === "more" ? TEXT.yes : TEXT.no, { count: most }) : "";
    says.say(verdict + sentenceOf(taps, at, shown, network.loaded()));
  }

  const seen = h("div", { class: "bb-st-seen" }, handle.node, maps.node);
  const figure = stage(seen, strip.node, invitation(TEXT.invitation));
  const questions = front ? [] : [asked.node, controls(...asked.buttons.values())];
  const top = [...questions, photograph.node];
  if (front)
    tour(view, taps, (at, where) => {
      const same = at === passed;
      [passed, place] = [at, where];
      if (same) mark();
      else view.repaint();
    });
  return { root: body("bb-st", TEXT.title, ...top, figure, says.node, network.node), paint };
});
