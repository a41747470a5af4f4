import { topOf } from "../engine/maths.js";
import { networkPart, photographPart } from "../engine/parts.js";
import {
  array,
  body,
  controls,
  fill,
  grouped,
  h,
  invitation,
  percent,
  question,
  speaker,
  stage,
  widget,
} from "../kit.js";
import { levels, liveliest, paintedSide } from "./maths.js";
import { stageName, placePart, stagePart, stripPart } from "./parts.js";
import { TEXT } from "./text.js";

const PHOTOGRAPH = 3 * 224 * 224; // numbers
const SHOWN = 5;

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
  return fill(TEXT.says, { ...taps[at], stage: stageName(taps, at), name, share: percent(share) });
}

export default widget(["stage", "answer"], (view, model) => {
  const taps = model.get("taps");
  const most = grouped(taps[0].side ** 2 * taps[0].channels);
  let place = [0.5, 0.5]; // on the photograph, down and across
  const asked = question(view, "answer", fill(TEXT.question, { count: grouped(PHOTOGRAPH) }), TEXT.options);
  // The answer is shown by a movement: to the stem.
  view.onChange(["answer"], () => model.get("answer") && view.set({ stage: 0 }));
  const network = networkPart(view, model, TEXT, () => paint());
  const photograph = photographPart(view, model, TEXT, () => paint());
  const handle = placePart(
    view,
    photograph.canvas,
    () => place,
    (to) => ((place = to), mark()),
  );
  const source = sourceOf(model, taps, () => paint());
  const [strip, maps, says] = [stripPart(view, taps), stagePart(taps, SHOWN), speaker(view, false)];

  function mark() {
    const at = model.get("stage");
    handle.mark(taps[at].side);
    strip.mark(place);
    maps.mark(at, place);
  }
  function paint() {
    const [at, answer] = ["stage", "answer"].map((name) => model.get(name));
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
  const top = [asked.node, controls(...asked.buttons.values()), photograph.node];
  return { root: body("bb-st", TEXT.title, ...top, figure, says.node, network.node), paint };
});
