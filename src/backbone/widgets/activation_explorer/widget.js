import { array, body, clamp, controls, film, invitation, remember, speaker, stage, widget } from "../kit.js";
import { activationFunctions } from "../activations.js";
import { DEEPEST, layerCurve, quantiles, REACH, spread, wayOf } from "./maths.js";
import { controlsPart, numbersPart, placesOf, plotPart, sentenceOf, stripPart, wordsOf } from "./parts.js";
import { TEXT } from "./text.js";

const SETTINGS = ["activation", "layers", "weight", "bias", "input"];
const SECONDS = 20; // for all layers

/** What the chain does to all inputs, layer by layer. */
function chainOf(inputs) {
  return remember(({ activation, weight, bias }) => {
    const functions = activationFunctions[activation];
    const depths = spread(functions, inputs, DEEPEST, weight, bias);
    const middles = depths.map(({ logs }) => quantiles(logs, [0.5])[0]);
    return { ...functions, depths, middles, ...layerCurve(functions, weight, bias) };
  });
}

export default widget(SETTINGS, (view, model) => {
  const titles = model.get("titles");
  const chain = chainOf(array(model, "inputs").data);
  const read = () => Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)]));
  const go = (layers) => view.set({ layers });
  const player = film(view, TEXT.film, { last: DEEPEST, seconds: SECONDS, now: () => read().layers, go });
  const put = (input) => view.set({ input: Number(clamp(input, -REACH, REACH).toFixed(2)) });
  const plot = plotPart(view, read, put);
  const strip = stripPart(view, read, (layers) => (player.stop(), go(layers)));
  const chosen = controlsPart(view, titles);
  const says = speaker(view);
  const numbers = numbersPart();

  const paint = () => {
    const now = read();
    const { activation, weight, bias, input, layers } = now;
    const all = chain([activation, weight, bias].join(), now);
    const way = wayOf(all, input, DEEPEST, weight, bias);
    const state = { ...all, ...now, way, last: all.depths[Math.floor(layers)], name: new Map(titles).get(activation) };
    const shown = { ...state, ...placesOf(state) };
    const words = wordsOf(shown);
    plot.update(shown, words);
    strip.update(shown, words);
    chosen.update(now);
    numbers.update(words);
    says.say(sentenceOf(words, layers));
  };

  const picture = stage(plot.node, strip.node, invitation(TEXT.invitation));
  const rows = [picture, controls(player.play, ...chosen.nodes), says.node, chosen.more, numbers.node];
  return { root: body("bb-ac", TEXT.title, ...rows), paint };
});
