import { networkPart } from "../engine/parts.js";
import { array, body, button, choice, controls, entries, fill, fixed, h, idle, invitation, percent } from "../kit.js";
import { question, setting, speaker, stage, told, widget } from "../kit.js";
import { pixelsOf } from "../photo/decode.js";
import { contentFrom, contentOf, contentOfFile } from "./file.js";
import { firstOf, sharesOf, STEPS, WIDE } from "./maths.js";
import { askedPart, classesPart, frameAt, morePart, numbersPart, titleOf } from "./parts.js";
import { adopted, askedOf, emptied, examplesOf, freeName, fresh, FULL, leftOut, ownPictures } from "./pool.js";
import { taughtOf } from "./pool.js";
import { readerPart, sizesOf } from "./reader.js";
import { TEXT } from "./text.js";
import { savedHead, trainingPart } from "./training.js";

/** The names of the figure's own classes, as the page says them. */
const kindsOf = (model) => model.get("names").map(told);

/** The figure's own pictures; their pixels come soon after the start, `changed()` is called once all are there. */
function ownOf(view, model, changed) {
  const features = array(model, "features");
  const [variants, count, size] = features.shape;
  const rows = entries({ data: features.data, shape: [variants * count, size] });
  const sheets = Array.from({ length: variants }, (_, i) => rows.slice(i * count, (i + 1) * count));
  const own = ownPictures(kindsOf(model), model.get("photos"), sheets);
  // The figure first, and the page around it: twenty pictures take as long as all the rest.
  const ready = idle();
  const read = async (item, file) => {
    await ready;
    Object.assign(item, sizesOf(await pixelsOf(new Blob([file]))));
    view.repaint();
  };
  Promise.all(own.map((item, i) => read(item, model.get("files")[i]))).then(() => view.signal.aborted || changed());
  return { own, size: size - WIDE };
}

/** What is seen, in words. */
function sentenceOf({ training, examples, busy, frames, item, pool, shares, right, left }) {
  if (busy) return TEXT.says.working;
  if (!training.head()) return left ? fill(TEXT.says.left, { count: left }) : TEXT.says.one;
  if (training.running())
    return fill(TEXT.says.step, { step: training.steps(), steps: STEPS, loss: fixed(training.loss(), 2) });
  const counted = { count: examples.taught.length, right, asked: examples.asked.length };
  const loo = training.loo();
  const whole = examples.asked.length ? fill(TEXT.says[frames], counted) : loo ? fill(TEXT.says.loo, loo) : "";
  const said = left ? `${fill(TEXT.says.left, { count: left })} ${whole}` : whole;
  if (!shares) return said;
  const at = firstOf(shares);
  const found = { found: pool.classes[at].name, share: percent(shares[at]) };
  const own = !item.photo && item.pixels;
  return said + fill(own ? TEXT.says.own : TEXT.says.shown, { name: titleOf(item, pool), ...found });
}

/** What the reader does to classes and pictures; `changed()` follows where that bears on the head. */
function actsOf({ state, say, now, changed }) {
  const put = (item, one) => {
    if (taughtOf(state.pool, one).length >= FULL) return say(fill(TEXT.wrongs.full, { most: FULL }));
    item.at = one;
    if (!state.pool.items.includes(item)) state.pool.items.push(item);
  };
  const drop = (item) => {
    item.at = null;
    if (!item.photo) state.pool.items = state.pool.items.filter((other) => other !== item);
  };
  return {
    teach(number) {
      const [item, one] = [now(), state.pool.classes[number]];
      if (item.at === one) drop(item);
      else put(item, one);
      changed();
    },
    into(number) {
      const one = state.pool.classes[number];
      return (item) => state.pool.classes.includes(one) && put(item, one);
    },
    rename(number, input) {
      const one = state.pool.classes[number];
      const name = freeName(state.pool, input.value, one);
      if (!name && input.value.trim()) say(fill(TEXT.wrongs.name, { name: input.value.trim() }));
      if (name) one.name = name;
      input.value = one.name;
      changed();
    },
    remove(number) {
      const [one] = state.pool.classes.splice(number, 1);
      taughtOf(state.pool, one).forEach(drop);
      changed();
    },
    newClass() {
      let number = state.pool.classes.length + 1;
      const name = () => fill(TEXT.newName, { number });
      while (!freeName(state.pool, name())) number++;
      state.pool.classes.push({ name: name(), kind: null });
      changed();
    },
  };
}

/** What replaces all of it: as at first, empty, or from a file; and what saves it. */
function filesOf(model, { state, own, home, size, say, changed }) {
  const names = kindsOf(model);
  const replace = (pool) => {
    state.pool = pool;
    changed();
  };
  return {
    over: () => replace(fresh(names, own, model.get("first"))),
    empty() {
      const numbered = ["1", "2"].map((number) => fill(TEXT.newName, { number }));
      replace(emptied(numbered, own));
    },
    save() {
      const content = savedOf(state.pool, model, home);
      if (!content) return say(TEXT.says.one);
      const href = URL.createObjectURL(new Blob([JSON.stringify(content)], { type: "application/json" }));
      h("a", { href, download: TEXT.file }).click();
      setTimeout(() => URL.revokeObjectURL(href), 1000);
    },
    async open(file) {
      try {
        replace(adopted(contentOfFile(await file.text(), home, size), names, own));
      } catch (error) {
        say(fill(TEXT.wrongs[error.kind] ?? TEXT.wrongs.altered, { name: file.name }));
      }
    },
  };
}

/** What is taught, as a file holds it; null while there is no head. */
function savedOf(pool, model, home) {
  const saved = savedHead(pool, model.get("frames"));
  return saved && contentOf(home, saved.given, saved.head);
}

/** Keep the setting `taught` and the pool alike. `tell()` writes it, for Python and for a reload. */
function taughtSetting(view, model, { state, own, home, size, retrain, say }) {
  let lastTold = null;
  const read = (content) => adopted(contentFrom(content, home, size), kindsOf(model), own);
  const adopt = () => {
    const content = model.get("taught");
    if (content === lastTold || !content?.format) return false;
    try {
      state.pool = read(content);
      return true;
    } catch (error) {
      say(fill(TEXT.wrongs[error.kind] ?? TEXT.wrongs.altered, { name: TEXT.file }));
    }
    return false;
  };
  view.onChange(["taught"], () => adopt() && retrain(false));
  const tell = () => {
    lastTold = savedOf(state.pool, model, home) ?? {};
    view.set({ taught: lastTold });
  };
  return { adopt, tell };
}

/** What the head says of the pictures asked about, and of the one that is looked at. */
function answersOf(model, { pool, examples }, head, item) {
  const [frames, source] = ["frames", "source"].map((name) => model.get(name));
  const found = new Map(head ? examples.asked.map((one) => [one.item, firstOf(sharesOf(head, one.ask))]) : []);
  /** How a picture in the row of a class looks. */
  const describe = (one, number, asked) => {
    const [name, at] = [titleOf(one, pool), found.get(one)];
    const known = asked && found.has(one);
    const wrong = known && at !== number;
    const text = wrong ? fill(TEXT.wrong, { name, found: pool.classes[at].name }) : known ? TEXT.right : name;
    return { frame: frameAt(number, frames, asked), text: fill(text, { name }), shown: one === item, wrong };
  };
  const number = pool.classes.findIndex((one) => one === item.at || (!item.at && askedOf(pool, one).includes(item)));
  const frame = frameAt(number, frames, !item.at);
  const vector = item[source]?.[frame];
  const shares = head && vector ? sharesOf(head, vector) : null;
  const right = examples.asked.filter((one) => found.get(one.item) === one.label).length;
  return { describe, frame, shares, right };
}

/** A source on its button: of the strides after the first the number alone is seen, the whole name is read aloud. */
function faceOf(source) {
  const short = TEXT.short[source];
  if (!short) return TEXT.sources[source];
  return h(
    "span",
    {},
    h("span", { "aria-hidden": "true" }, short),
    h("span", { class: "bb-hidden" }, TEXT.sources[source]),
  );
}

/** The controls over the picture: `update()` shows the settings, `verdict()` says what became of the prediction. */
function settingsPart(view, model) {
  const asking = question(view, "answer", TEXT.question, TEXT.options);
  const frames = setting(view, "frames", TEXT.frames, TEXT.framesOf);
  const pick = (value) => view.set({ source: value });
  const source = choice(TEXT.source, Object.keys(TEXT.sources), faceOf, pick);
  const answer = () => model.get("answer");
  // The answer is shown by a movement: the frames are swapped, and pictures turn wrong.
  view.onChange(["answer"], () => answer() && view.set({ source: "features", frames: "swapped" }));
  const update = () => {
    asking.update(answer(), "both");
    frames.set(model.get("frames"));
    source.set(model.get("source"));
  };
  const verdict = () => (answer() && asking.fresh() ? (answer() === "both" ? TEXT.yes : TEXT.no[answer()]) : "");
  const nodes = [asking.node, controls(...asking.buttons.values()), controls(frames.node, source.node)];
  return { nodes, update, verdict };
}

/** Which pictures are taught and asked, and the head over them. `retrain(animated, tell)` begins anew. */
function lessonOf(view, model, { own, paint, done }) {
  const state = { pool: fresh(kindsOf(model), own, model.get("first")), mine: null, busy: false, examples: null };
  let telling = false;
  const training = trainingPart(view, paint, () => done(telling));
  const retrain = (animated, tell = false) => {
    telling = tell;
    state.examples = examplesOf(state.pool, model.get("source"), model.get("frames"));
    training.start(state.examples, state.pool.classes.length, animated);
  };
  view.onChange(["frames", "source"], () => retrain(true, true));
  const now = () => own.find(({ photo }) => photo === model.get("photo")) ?? state.mine ?? own[0];
  const ask = (item) => {
    if (!item.photo) state.mine = item;
    view.set({ photo: item.photo });
    view.repaint();
  };
  const changed = () => {
    view.acted = true;
    view.use();
    retrain(true, true);
    view.repaint();
  };
  if (!model.get("photo")) model.set("photo", own[model.get("first")].photo); // the reader's own went with the page
  return { state, training, retrain, now, ask, changed };
}

/** All parts, in their order. */
function rootOf({ settings, classes, seen, says, network, reader }, folds) {
  const picture = stage(classes.node, invitation(TEXT.invitation));
  const foot = h("div", { class: "bb-te-foot" }, network.node, reader.node, reader.wrong.node);
  return body("bb-te", TEXT.title, ...settings.nodes, picture, seen.node, says.node, foot, ...folds);
}

export default widget(["frames", "source", "answer", "photo"], (view, model) => {
  const home = { network: model.get("network"), crc: model.get("crc") };
  const { own, size } = ownOf(view, model, () => model.get("source") === "small" && lesson.retrain(false));
  let started = false;
  const done = (tell) => {
    if (!started) return;
    if (tell) kept.tell();
    view.repaint();
    numbers.update();
  };
  const lesson = lessonOf(view, model, { own, paint, done });
  const { state, training, retrain, now, ask, changed } = lesson;
  const all = { ...lesson, own, home, size, say: (text) => reader.wrong.say(text) };
  const kept = taughtSetting(view, model, all);
  const acts = actsOf(all);
  const settings = settingsPart(view, model);
  const network = networkPart(view, model, TEXT, () => paint());
  const busy = (on) => ((state.busy = on), view.repaint());
  const reader = readerPart(view, model, { ...acts, ask, busy, ready: network.loaded, changed });
  const classes = classesPart(view, { ...acts, ask, add: (number, files) => reader.takeFiles(files, number) });
  const seen = askedPart(
    acts.teach,
    button(TEXT.again, () => retrain(true)),
  );
  const numbers = numbersPart(view, () => state.pool);
  const says = speaker(view);

  function paint() {
    const [{ pool, examples }, item, loaded] = [state, now(), network.loaded()];
    const { describe, frame, shares, right } = answersOf(model, state, training.head(), item);
    settings.update();
    classes.update({ pool, loaded, describe });
    seen.update({ pool, item, frame, shares });
    network.node.hidden = loaded;
    reader.update(loaded, pool.classes.length);
    const coming = model.get("source") === "small" && !own[0].small; // pixels that are on their way
    const at = {
      training,
      examples,
      busy: state.busy || coming,
      frames: model.get("frames"),
      item,
      pool,
      shares,
      right,
      left: leftOut(pool, model.get("source")),
    };
    says.say(settings.verdict() + sentenceOf(at));
  }

  kept.adopt();
  retrain(false);
  started = true;
  const folds = [morePart(view, filesOf(model, all)), numbers.node];
  return { root: rootOf({ settings, classes, seen, says, network, reader }, folds), paint };
});
