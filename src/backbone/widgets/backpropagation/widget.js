import { body, fill, film, fold, invitation, setting, speaker, stage, widget } from "../kit.js";
import { FORWARD, pathTo, reached, run, STEPS, WAY } from "./maths.js";
import { graphPart, sentenceOf } from "./parts.js";
import { TEXT } from "./text.js";

const SETTINGS = ["given", "activation", "step", "picked"];
const SECONDS = 12; // for all steps

export default widget(SETTINGS, (view, model) => {
  const go = (step) => view.set({ step });
  const change = (name, value) => {
    const picked = name === "t" ? {} : { picked: name };
    view.set({ given: { ...model.get("given"), [name]: value }, ...picked });
  };
  const graph = graphPart(view, (name) => model.get("given")[name], change);
  const player = film(view, TEXT.film, { last: STEPS, seconds: SECONDS, now: () => model.get("step"), go });
  const activation = setting(view, "activation", TEXT.activation, TEXT.activations);
  const says = speaker(view);

  const paint = () => {
    const [given, kind, step, picked] = SETTINGS.map((name) => model.get(name));
    const now = { given, step, picked, activation: TEXT.activations[kind], ...run(given, kind), seen: reached(step) };
    graph.update({ ...now, path: step === STEPS ? pathTo(picked) : [] });
    activation.set(kind);
    const back = step >= FORWARD.length;
    const at = Math.floor(step) - (back ? FORWARD.length : 0);
    player.set(step, fill(back ? TEXT.back : TEXT.forward, { at, all: (back ? WAY : FORWARD).length }));
    says.say(sentenceOf(now));
  };
  view.onResize(graph.node, view.repaint);

  const picture = stage(graph.node, invitation(TEXT.invitation));
  const rows = [picture, player.node, says.node, fold(TEXT.more, activation.node)];
  return { root: body("bb-bp", TEXT.title, ...rows), paint };
});
