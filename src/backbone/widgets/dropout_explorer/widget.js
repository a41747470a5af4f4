import { body, controls, fill, film, invitation, range, setting, speaker, stage, widget } from "../kit.js";
import { resultOf, RUNS, stepOf, verdictOf } from "./maths.js";
import { morePart, numbersPart, picturePart, wordsOf } from "./parts.js";
import { TEXT } from "./text.js";

const SETTINGS = ["sample", "p", "scaling", "head", "runs", "seed", "kept"];
const SEEDS = 1000;
const SECONDS = 11; // for all runs: five or six pictures a second, so that each can be seen

/** The film of the runs. Between two of its steps nothing changes, so it remembers where it is. */
function runsPart(view, model) {
  let [at, runs] = [0, 0];
  const now = () => {
    if (model.get("runs") !== runs) [at, runs] = [stepOf(model.get("runs")), model.get("runs")];
    return at;
  };
  const go = (step) => {
    [at, runs] = [step, RUNS[Math.floor(step)]];
    if (runs !== model.get("runs")) view.set({ runs, kept: [] });
  };
  const player = film(view, TEXT.film, { last: RUNS.length - 1, seconds: SECONDS, now, go });
  return { ...player, update: (text) => player.set(Math.floor(now()), text) };
}

export default widget(SETTINGS, (view, model) => {
  const net = Object.fromEntries(
    ["weight", "bias", "output_weight", "output_bias"].map((name) => [name, model.get(name)]),
  );
  const names = model.get("names");
  const read = () => Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)]));
  let shown;
  const toggle = (j) => view.set({ kept: shown.kept.map((one, i) => (i === j ? !one : one)) });
  const picture = picturePart(view, net, (j) => (runs.stop(), toggle(j)));
  const runs = runsPart(view, model);
  const p = range(TEXT.p, { min: 0, max: 1, step: 0.05 }, (value) => view.set({ p: value, kept: [] }));
  const head = setting(view, "head", TEXT.output, TEXT.heads);
  const says = speaker(view);
  const more = morePart(view, names, SEEDS, read);
  const numbers = numbersPart(net);

  const paint = () => {
    const now = read();
    const x = model.get("inputs")[names.indexOf(now.sample)];
    shown = resultOf(net, x, { ...now, count: now.runs }, now.kept);
    const words = wordsOf(shown, now.runs);
    picture.update(shown, words);
    runs.update(words.runs);
    p.set(now.p, now.p.toFixed(2));
    head.set(now.head);
    more.update(now);
    numbers.update(shown, now.head);
    const opening = now.kept.length ? TEXT.hand : now.runs === 1 ? TEXT.one : TEXT.means;
    says.say(fill(opening, words) + TEXT.verdicts[verdictOf(now, shown)]);
  };
  view.onResize(picture.node, view.repaint);

  const stages = stage(picture.node, invitation(TEXT.invitation));
  const rows = [stages, runs.node, controls(p.node, head.node), says.node, more.node, numbers.node];
  return { root: body("bb-do", TEXT.title, ...rows), paint };
});
