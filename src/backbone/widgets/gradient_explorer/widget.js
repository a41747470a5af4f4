import { array, body, controls, film, h, invitation, remember, speaker, stage, widget } from "../kit.js";
import { logsOf, layerAt, measure, weightsOf } from "./maths.js";
import { axisPart, chartPart, feetPart, gainPart, layerPart, morePart, networkPart, sentenceOf } from "./parts.js";
import { TEXT } from "./text.js";

const SETTINGS = ["setting", "step", "bars", "answer"];
const SECONDS = 4; // of the whole way back

/** What is measured of a network, as the page needs it. */
function measurer(model) {
  const labels = model.get("labels");
  const noise = Float64Array.from(array(model, "noise").data);
  const [mean, std] = model.get("statistics");
  const x = Float64Array.from(array(model, "pixels").data, (pixel) => (pixel - mean) / std);
  const of = (setting) => measure(weightsOf(noise, x.length / labels.length, setting), setting, x, labels);
  const [own, usual] = [remember(of), remember(of)];
  return remember((setting, bars) => {
    const { gain, depth } = setting;
    const found = own(JSON.stringify(setting), setting);
    const without = { ...setting, gain: 1 };
    const other = gain === 1 ? null : logsOf(usual(JSON.stringify(without), without)[bars]);
    return { found, sizes: found[bars], logs: logsOf(found[bars]), other, depth, bars };
  });
}

/** The network of the ladder that a setting is, whatever its gain. */
const rungOf = (ladder, setting) => {
  const same = (rung) => Object.keys(rung).every((key) => key === "gain" || rung[key] === setting[key]);
  return Object.keys(ladder).find((name) => same(ladder[name]));
};

export default widget(SETTINGS, (view, model) => {
  const [ladder, look] = [model.get("ladder"), measurer(model)];
  const read = () => {
    const [setting, bars] = [model.get("setting"), model.get("bars")];
    const step = Math.min(model.get("step"), setting.depth);
    return { setting, step, bars, depth: setting.depth, answer: model.get("answer") };
  };
  const change = (changes) => {
    const setting = { ...read().setting, ...changes };
    view.set({ setting, answer: "", step: setting.depth });
  };
  const pick = (name) => name !== "own" && view.set({ setting: ladder[name], answer: "", bars: "gradH", step: 1 });
  const go = (step) => view.set({ step });
  const axis = axisPart(view);
  const chart = chartPart(view, read, (step) => (player.stop(), go(step)));
  const feet = feetPart();
  const network = networkPart(pick);
  const gain = gainPart(change);
  const more = morePart(view, change);
  const layer = layerPart(model.get("labels").length);
  const says = speaker(view);
  const share = () => read().step / read().depth;
  const player = film(view, TEXT.film, { last: 1, seconds: SECONDS, now: share, go: (at) => go(at * read().depth) });
  // The answer is shown by a movement.
  for (const node of axis.buttons.values()) view.listen(node, "click", () => (chart.node.focus(), player.start()));

  const paint = () => {
    const { setting, step, bars, depth, answer } = read();
    const now = look(JSON.stringify([setting, bars]), setting, bars);
    const rung = rungOf(ladder, setting);
    const open = Boolean(rung && setting.gain === 1 && bars === "gradH" && (answer || step <= 1));
    const right = axis.update({ open, answer, depth, arrived: step >= depth, log: now.logs[0] });
    chart.update(now, step);
    feet.update(depth);
    network.set(rung ?? "own");
    gain.update(setting);
    more.update(setting, bars);
    layer.update(now.found, layerAt(step, depth));
    says.say(sentenceOf(now, step, open && answer && rung, right));
  };
  view.listen(layer.node, "toggle", view.repaint);

  const field = h("div", { class: "bb-grad-field" }, axis.node, chart.node);
  const picture = stage(field, feet.node, invitation(TEXT.invitation));
  const rows = [picture, controls(player.play, network.node, gain.node), says.node, layer.node, more.node];
  return { root: body("bb-grad", TEXT.title, axis.line, ...rows), paint };
});
