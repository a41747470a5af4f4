import { array, body, entries, fill, h, invitation, paintPlanes, speaker, stage, widget } from "../kit.js";
import { kindOf, largest, measures, seen } from "./maths.js";
import { mapPart, morePart, numbersPart, patchesPart, seenBy, tilesPart } from "./parts.js";
import { TEXT } from "./text.js";

const SETTINGS = ["image", "network", "filter", "order", "stretched"];
const OFF = 1e-3; // of the strongest filter: what is weaker holds rounding errors, and no color or form to speak of

/** The filters of a network with what is measured of them. */
function filtersOf(weights, name) {
  const filters = weights.map((own) => ({ weights: Array.from(own), ...measures(own) }));
  const limit = Math.max(...filters.map((one) => largest(one.weights)));
  const strongest = Math.max(...filters.map((one) => one.strength));
  for (const one of filters) {
    one.off = one.strength < OFF * strongest;
    one.peak = one.off ? limit : largest(one.weights);
  }
  return { name, filters, limit };
}

/** What does not change: photographs, filters, and how they move. */
function given(model) {
  const [pixels, weights] = ["pixels", "weights"].map((name) => array(model, name));
  const [, height, width] = pixels.shape;
  const [, count, , kernel] = weights.shape;
  const [stride, mean, std] = ["stride", "mean", "std"].map((name) => model.get(name));
  const channels = entries(pixels);
  const pictures = new Map();
  model.get("names").forEach((name, number) => {
    const planes = channels.splice(0, model.get("channels")[number]);
    const canvas = h("canvas");
    paintPlanes(canvas, planes, height, width, 255);
    pictures.set(name, { canvas, numbers: seen(planes, mean, std) });
  });
  const all = entries({ data: weights.data, shape: [weights.shape[0] * count] });
  const networks = model.get("networks").map((name, at) => filtersOf(all.slice(at * count, (at + 1) * count), name));
  return { height, width, kernel, stride, pictures, networks };
}

export default widget(SETTINGS, (view, model) => {
  const data = given(model);
  const pick = (network) => (filter) => view.set({ network, filter });
  const tiles = data.networks.map((network) => tilesPart(network, data.kernel, pick(network.name)));
  const map = mapPart(data);
  const patches = patchesPart(data, (image) => view.set({ image }));
  const says = speaker(view);
  const [more, numbers] = [morePart(view), numbersPart(data.kernel)];
  let begun = 0;
  const paint = () => {
    const settings = Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)]));
    const { filters, limit } = data.networks.find(({ name }) => name === settings.network);
    const own = filters[settings.filter];
    const seenNow = seenBy(data, own, settings.image);
    const shown = { ...settings, own, limit: settings.stretched ? own.peak : limit, seen: seenNow };
    const words = { number: settings.filter, network: settings.network };
    says.say(own.off ? fill(TEXT.saysOff, words) : fill(TEXT.says, { ...words, kind: TEXT.kinds[kindOf(own)] }));
    for (const part of [...tiles, more, numbers]) part.update(shown);
    // What has to be laid out before it can be drawn comes, at first, with the frame that lays it out.
    const draw = () => [patches, map].forEach((part) => part.update(shown));
    if (begun) return draw();
    begun = requestAnimationFrame(() => view.signal.aborted || draw());
  };
  const left = stage(...tiles.map(({ node }) => node), invitation(TEXT.invitation));
  const whole = h("div", { class: "bb-whole" }, left, h("div", { class: "bb-made" }, map.node, patches.node));
  view.onResize(map.node, () => map.fit());
  view.listen(numbers.node, "toggle", view.repaint);
  return { root: body("bb-filters", TEXT.title, whole, says.node, more.node, numbers.node), paint };
});
