import { array, body, clock, entries, fill, grouped, h, invitation, percent, question } from "../kit.js";
import { speaker, stage, widget } from "../kit.js";
import { stroke } from "../brush.js";
import { softmax } from "../engine/maths.js";
import { largestAt } from "../lenet.js";
import { adopt, begin, rightOf, scoresOf, settled, unpack, work } from "./maths.js";
import { answersPart, GUESS, heldPart, layersPart, lossPart, morePart, numbersPart, padPart } from "./parts.js";
import { rowPart } from "./parts.js";
import { TEXT } from "./text.js";

const SETTINGS = ["rate", "seed", "weights", "drawing", "picture", "answer"];
const SLICE = 10; // milliseconds of a frame for painting and learning: the rest is for what the reader does
const PAUSE = 60; // milliseconds from one painting to the next while it works: most frames are for that
const RADIUS = 2; // of the pen, in pixels
const LAYERS = { conv1: "conv1", conv2: "conv2", fc1: "fc1", fc2: "fc2", fc3: "fc3" };

/** What does not change: pictures as they are and as the network takes them, and their labels. */
function dataOf(model) {
  const of = (names) => Object.fromEntries(names.map((name) => [name, model.get(name)]));
  const { train_labels: labels, held_labels: heldLabels } = of(["train_labels", "held_labels"]);
  const rest = of(["classes", "shapes", "rates", "batch", "passes", "statistics"]);
  const [train, apart] = ["train_pixels", "held_pixels"].map((name) => entries(array(model, name)));
  const [held, grays] = [rest.statistics, [0, 1]].map((scale) => apart.map((bytes) => unpack(bytes, 4, scale)));
  const input = (i) => unpack(train[i], 2, rest.statistics); // only when it is needed: all at once would hold up the page
  return { ...rest, labels, heldLabels, held, grays, input };
}

/** Call `step` until it answers false or the frame's slice is over: once at least, where painting took all of it. */
function fillFrame(step) {
  const end = document.timeline.currentTime + SLICE;
  while (step() && performance.now() < end);
}

/**
 * The network in training, a slice of every frame. It learns on the page's own thread: a slice is short, stops where it
 * is not seen, and needs no second script. What it has learned is told to the model when it rests.
 */
function labOf(view, model, data, painted) {
  const lab = { net: null, goal: 0, playing: false, painted: 0 };
  let telling = false;
  const tell = (weights) => {
    telling = true;
    const bytes = new DataView(Float32Array.from(weights).buffer);
    view.set({ weights: { dtype: "float32", shape: [weights.length], data: bytes } });
    telling = false;
  };
  const start = () => {
    lab.net = begin(data, model.get("seed"));
    lab.goal = data.passes * data.labels.length;
    take();
  };
  const take = () => {
    const { data: weights } = array(model, "weights");
    if (weights.length) adopt(lab.net, weights);
    settle();
  };
  const slice = () => {
    const rate = lab.playing ? model.get("rate") : 0;
    const busy = () => !settled(lab.net) || (rate && going());
    fillFrame(() => busy() && (work(lab.net, rate), true));
  };
  const going = () => lab.net.seen < lab.goal && !lab.net.lost;
  let settling = 0;
  const settle = () => (settling ||= requestAnimationFrame(turn)); // until all that is shown is of one moment
  const turn = () => {
    settling = 0;
    if (view.signal.aborted || lab.playing) return;
    slice();
    shown();
    if (!settled(lab.net)) settle();
  };
  const shown = () => {
    const [now, more] = [performance.now(), lab.playing ? going() : !settled(lab.net)];
    if (more && now - lab.painted < PAUSE) return;
    painted();
    lab.painted = now;
  };
  const step = () => (shown(), going() || !settled(lab.net));
  const rest = () => {
    lab.playing = false;
    settle();
    if (lab.net.seen && !lab.net.lost && !view.signal.aborted) tell(lab.net.weights);
  };
  const { play, run, running } = clock(view, TEXT, step, { work: slice, rest });
  play.addEventListener("click", () => {
    lab.playing = running();
    view.acted = true;
    if (lab.playing && lab.net.seen >= lab.goal) lab.goal += data.passes * data.labels.length;
  });
  const again = () => (run(false), tell(new Float32Array(0)), start(), painted());
  view.onChange(["seed"], again);
  view.onChange(["weights"], () => telling || (array(model, "weights").data.length ? take() : (run(false), start())));
  start();
  return Object.assign(lab, { play, again });
}

/** What the reader's hand does on the picture. The first stroke on a picture that is no drawing begins on black. */
function handOf(view, model) {
  const put = (pixels) => {
    const data = new DataView(Uint8Array.from(pixels).buffer);
    model.set("drawing", { dtype: "uint8", shape: [28, 28], data });
    model.set("picture", -1);
  };
  const drawn = () => array(model, "drawing").data;
  const own = () => model.get("picture") < 0 && drawn().some((one, i) => one !== array(model, "sketch").data[i]);
  const settle = () => model.save_changes();
  return {
    drawn,
    settled: settle,
    paint(from, to) {
      const pixels = own() ? Uint8Array.from(drawn()) : new Uint8Array(28 * 28);
      stroke(pixels, from, to, RADIUS, "white");
      put(pixels);
    },
    clear: () => (put(new Uint8Array(28 * 28)), settle()),
    shoe: () => (put(array(model, "sketch").data), settle()),
  };
}

/** What is seen now, or what the answer was worth. */
function sentence(data, { net, goal }, { answer, fresh, top, share }) {
  if (answer && fresh && net.start) {
    const first = Object.keys(LAYERS)[largestAt(net.start)];
    const part = net.start[Object.keys(LAYERS).indexOf(answer)] / Math.max(...net.start);
    const why = TEXT.whys[first];
    return fill(answer === first ? TEXT.yes : TEXT.no, { given: answer, first, why, share: percent(part) });
  }
  if (net.lost) return TEXT.lost;
  if (net.seen > 2 * data.labels.length && net.loss > GUESS - 0.1) return TEXT.stuck;
  const text = net.seen >= goal ? TEXT.done : net.seen ? TEXT.going : net.given ? TEXT.given : TEXT.untrained;
  const said = { name: data.classes[top], share: percent(share) };
  const layer = Object.keys(LAYERS)[largestAt(net.sizes ?? [0])];
  const counts = { layer, seen: grouped(net.seen), total: grouped(net.weights.length) };
  return fill(text, { ...said, ...counts, right: rightOf(net), count: data.heldLabels.length });
}

export default widget(SETTINGS, (view, model) => {
  const data = dataOf(model);
  const [mean, std] = data.statistics;
  const hand = handOf(view, model);
  const asked = question(view, "answer", TEXT.question, LAYERS);
  const lab = labOf(view, model, data, view.repaint);
  const pad = padPart(view, hand);
  const answers = answersPart(data.classes);
  const held = heldPart(view, data.grays, data.heldLabels, (picture) => view.set({ picture }));
  const loss = lossPart(view, data.labels.length);
  const layers = layersPart(data.shapes, asked.buttons);
  const row = rowPart(view, data.rates, lab.play, lab.again);
  const more = morePart(view, { shoe: hand.shoe, weights: () => lab.net.weights });
  const numbers = numbersPart(data.shapes, data);
  const says = speaker(view);
  view.listen(numbers.node, "toggle", view.repaint);

  const paint = () => {
    const { net, goal } = lab;
    const [picture, answer] = [model.get("picture"), model.get("answer")];
    const gray = picture < 0 ? hand.drawn() : data.grays[picture].map((value) => 255 * value);
    const input = Float32Array.from(gray, (value) => (value / 255 - mean) / std);
    const shares = softmax(scoresOf(net, input));
    const top = largestAt(shares);
    asked.update(answer, net.start ? Object.keys(LAYERS)[largestAt(net.start)] : "");
    pad.update(gray, picture < 0 ? TEXT.yours : data.classes[data.heldLabels[picture]]);
    answers.update(shares, top);
    held.update(net.says, picture, rightOf(net));
    loss.update({ curve: net.curve, loss: net.loss ?? GUESS, last: goal / data.labels.length });
    layers.update(net, Boolean(answer || net.seen));
    row.update(model.get("rate"));
    more.update(model.get("seed"));
    numbers.update(net);
    says.say(sentence(data, lab, { answer, fresh: asked.fresh(), top, share: shares[top] }));
  };
  const seen = h("div", { class: "bb-train-seen" }, pad.node, answers.node, loss.node, held.node, layers.node);
  const whole = stage(seen, invitation(TEXT.invitation));
  return { root: body("bb-train", TEXT.title, asked.node, whole, row.node, says.node, more.node, numbers.node), paint };
});
