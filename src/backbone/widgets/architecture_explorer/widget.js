import { array, body, compact, controls, fill, fold, glide, hint, invitation } from "../kit.js";
import { question, speaker, stage, widget } from "../kit.js";
import { amount, counted, mapsOf } from "./maths.js";
import { keyPart, layersPart, photoPart, shareText, stageName, stripPart } from "./parts.js";
import { TEXT } from "./text.js";

const SIDES = ["a", "b"];

/** What is said: of the chosen stage its shares, else how the two networks compare. */
function sentence(chosen, names, wholes) {
  const [one, other] = wholes;
  if (!chosen) {
    if (names[0] === names[1])
      return fill(TEXT.alone, { name: names[0], parameters: amount(one.parameters), cost: amount(one.cost) });
    const [parameters, cost] = ["parameters", "cost"].map((key) => compact(one[key] / other[key], { digits: 2 }));
    return fill(TEXT.all, { name: names[0], other: names[1], parameters, cost });
  }
  const whole = wholes[SIDES.indexOf(chosen[0])];
  const part = whole.stages[chosen[1]];
  const [parameters, cost] = ["parameters", "cost"].map((key) => shareText(part[key] / whole[key]));
  return fill(TEXT.one, { name: names[SIDES.indexOf(chosen[0])], stage: stageName(part), parameters, cost });
}

export default widget(["a", "b", "size", "chosen", "answer"], (view, model) => {
  const [names, networks, sizes] = ["names", "networks", "sizes"].map((name) => model.get(name));
  const [, most] = sizes;
  const photograph = array(model, "photograph");
  const maps = mapsOf(array(model, "maps").data, names, networks);
  const counts = networks[names[0]].side;
  const size = () => model.get("size");
  const asked = question(view, "answer", fill(TEXT.question, { before: counts, after: 2 * counts }), TEXT.answers);
  const toggle = (key) => view.set({ chosen: model.get("chosen") === key ? "" : key });
  const photos = SIDES.map(() => photoPart(view, photograph, sizes, size, (to) => view.set({ size: to })));
  const strips = SIDES.map((side, i) => stripPart(view, model, { side, names, photo: photos[i], most, toggle }));
  const says = speaker(view);
  const layers = layersPart();
  // The answer is shown by a movement: the sides grow to twice their length.
  const reveal = () => {
    if (!model.get("answer")) return;
    view.set({ chosen: "" });
    const step = sizes[2];
    glide(view, 1.5, (share) => view.set({ size: step * Math.round((counts * (1 + share)) / step) }));
  };
  view.onChange(["answer"], reveal);

  const paint = () => {
    const [answer, now] = [model.get("answer"), size()];
    const shown = SIDES.map((side) => model.get(side));
    const wholes = shown.map((name) => counted(networks[name], now));
    // The scale of the bars is that of the largest picture, so that they grow with it.
    const largest = shown.flatMap((name) => counted(networks[name], 2 * counts).stages);
    const bounds = Object.fromEntries(
      ["parameters", "cost"].map((key) => [key, Math.max(...largest.map((part) => part[key]))]),
    );
    const [side, place] = model.get("chosen");
    const chosen = side && wholes[SIDES.indexOf(side)].stages[place] ? model.get("chosen") : "";
    photos.forEach((photo) => photo.update(now));
    strips.forEach((strip, i) => strip.update(wholes[i], maps[shown[i]], bounds));
    asked.update(answer, "cost");
    const whole = wholes[Math.max(0, SIDES.indexOf(side))];
    const list = chosen ? whole.stages[place].layers : whole.stages.flatMap((part) => part.layers);
    layers.update([shown, chosen].join(), list);
    const verdict = answer && asked.fresh() && now === 2 * counts ? (answer === "cost" ? TEXT.yes : TEXT.no) : "";
    says.say(verdict || sentence(chosen, shown, wholes));
  };
  const picture = stage(...strips.map(({ node }) => node), invitation(TEXT.invitation));
  const numbers = fold(TEXT.numbers, layers.node, hint(TEXT.scale));
  const rows = [asked.node, controls(...asked.buttons.values(), keyPart()), picture, says.node, numbers];
  return { root: body("bb-arch", TEXT.title, ...rows), paint };
});
