import { array, body, button, controls, entries, fill, glide, h, idle, invitation, percent } from "../kit.js";
import { question, show, speaker, stage, widget } from "../kit.js";
import { lenetParameters } from "../lenet.js";
import { ANSWERS, best, changed, classify, firstWrong, nearest, TURNS } from "./maths.js";
import { dotPart, morePart, picturePart, scoresPart, stripPart, thumbnailsPart, toolsPart } from "./parts.js";
import { TEXT } from "./text.js";

const SETTINGS = ["picture", "turn", "push", "erased", "also", "strength", "seed", "answer"];
const AT_ONCE = 4; // turns of the strip in one frame: each is a pass through the net
const REVEAL = 1.5; // seconds

/** What was done to the picture, in words. */
function movesOf({ turn, push: [down, right], erased, also }) {
  const parts = [
    down && fill(down > 0 ? TEXT.down : TEXT.up, { count: Math.abs(down) }),
    right && fill(right > 0 ? TEXT.rightward : TEXT.leftward, { count: Math.abs(right) }),
  ].filter(Boolean);
  const moves = [
    turn && fill(TEXT.turned, { degrees: show(turn) }),
    parts.length && fill(TEXT.moved, { parts: parts.join(TEXT.and) }),
    erased.length && TEXT.erased,
    also !== "nothing" && TEXT.changes[also],
  ].filter(Boolean);
  const text = moves.join(TEXT.and);
  return text ? text[0].toUpperCase() + text.slice(1) : TEXT.still;
}

/** The points of the strip, computed a few in each frame, anew when anything but the turn has changed. */
function curveOf(view, pointAt, painted) {
  let [key, points, running, start] = ["", [], false, (first) => idle().then(first)];
  const step = () => {
    running = points.length < TURNS.length && !view.signal.aborted;
    if (!running) return;
    for (let i = 0; i < AT_ONCE && points.length < TURNS.length; i++) points.push(pointAt(TURNS[points.length]));
    painted();
    requestAnimationFrame(step);
  };
  const all = () => TURNS.slice(points.length).forEach((turn) => points.push(pointAt(turn)));
  view.endings.add(all); // paper does not wait
  return {
    points: () => points,
    update(next) {
      if (next === key) return;
      [key, points] = [next, []];
      if (!running) start(step); // the picture comes first, at the beginning the page around it, too
      [running, start] = [true, requestAnimationFrame];
    },
  };
}

/** The net and its pictures, as the model sends them. */
function netOf(model) {
  const [weights, vectors] = ["weights", "vectors"].map((name) => array(model, name).data);
  const parameters = lenetParameters(model.get("shapes"), weights, vectors);
  const standard = model.get("standard");
  const pictures = entries(array(model, "pixels")).map((bytes) => new Float64Array(bytes).map((byte) => byte / 255));
  return { pictures, say: (x) => classify(parameters, standard, x) };
}

/** The question, about the picture with which the figure opens; its answer is shown by a turn. */
function askedPart(view, model, { pictures, say }, [labels, classes]) {
  const opening = model.get("picture");
  const plain = { turn: 0, push: [0, 0], erased: [], also: "nothing", strength: 0, seed: 0 };
  const called = (turn) => best(say(changed(pictures[opening], { ...plain, turn })));
  let found; // it takes a dozen passes through the net, and nobody needs it before an answer
  const degrees = () => (found ??= firstWrong(called, labels[opening]));
  const faces = Object.entries(TEXT.answers).map(([name, text]) => [name, fill(text, { degrees: ANSWERS[name] })]);
  const words = fill(TEXT.question, { label: classes[labels[opening]] });
  const asked = question(view, "answer", words, Object.fromEntries(faces));
  view.onChange(["answer"], () => {
    if (!model.get("answer")) return;
    view.set({ ...plain, picture: opening });
    glide(view, REVEAL, (share) => view.set({ turn: Math.round(share * degrees()) }));
  });
  const verdict = ({ answer, picture, turn, push }) => {
    if (!answer || !asked.fresh() || picture !== opening || turn !== degrees() || push.some(Boolean)) return "";
    return fill(answer === nearest(degrees()) ? TEXT.yes : TEXT.no, { degrees: degrees() });
  };
  return { ...asked, verdict, update: (answer) => asked.update(answer, answer && nearest(degrees())) };
}

export default widget(SETTINGS, (view, model) => {
  const net = netOf(model);
  const [labels, classes] = ["labels", "classes"].map((name) => model.get(name));
  const now = () => Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)]));
  const x = () => net.pictures[model.get("picture")];
  const label = () => labels[model.get("picture")];
  let tool = "push";
  const tools = toolsPart((name) => ((tool = name), view.repaint()));
  const asked = askedPart(view, model, net, [labels, classes]);
  const picture = picturePart(view, now, () => tool);
  const dot = dotPart(view, picture.node, () => model.get("turn"));
  picture.node.append(dot.node);
  const scores = scoresPart(classes);
  const curve = curveOf(
    view,
    (turn) => {
      const shares = net.say(changed(x(), { ...now(), turn }));
      return { share: shares[label()], right: best(shares) === label() };
    },
    () => strip.update(classes[label()]),
  );
  const strip = stripPart(view, () => ({ points: curve.points(), turn: model.get("turn"), label: classes[label()] }));
  const thumbnails = thumbnailsPart(net.pictures, labels, classes, (k) => view.set({ picture: k }));
  const says = speaker(view);
  const more = morePart(view, now, net.say, x);

  const paint = () => {
    const settings = now();
    const { picture: index, turn, answer, ...rest } = settings;
    const name = classes[label()];
    const result = changed(x(), settings);
    const shares = net.say(result);
    const chosen = best(shares);
    picture.update(result, name);
    dot.update(turn);
    scores.update(shares, label());
    curve.update(JSON.stringify([index, rest]));
    strip.update(name);
    thumbnails.set(index);
    tools.set(tool);
    more.update({ label: label(), classes });
    asked.update(answer);
    const said = { moves: movesOf(settings), name: classes[chosen], share: percent(shares[chosen]) };
    says.say(asked.verdict(settings) + fill(chosen === label() ? TEXT.right : TEXT.says, said));
  };

  const reset = button(TEXT.reset, () => view.set({ turn: 0, push: [0, 0], erased: [], also: "nothing", strength: 0 }));
  const invite = invitation(TEXT.invitation);
  const both = h("div", { class: "bb-aug-both" }, stage(picture.node, invite), scores.node);
  const rows = [controls(...asked.buttons.values()), both, controls(tools.node, reset), strip.node, thumbnails.node];
  return { root: body("bb-aug", TEXT.title, asked.node, ...rows, says.node, more.node), paint };
});
