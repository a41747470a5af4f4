import { array, body, clamp, fill, film, fold, h, invitation, speaker, stage, table, widget } from "../kit.js";
import { fieldAt } from "./maths.js";
import { chartPart, picturePart, rowsOf } from "./parts.js";
import { TEXT } from "./text.js";

const SECONDS = 9; // the whole way through the layers

/** What does not change. */
function given(model) {
  const [names, most, stages] = ["names", "most", "stages"].map((name) => model.get(name));
  const picture = array(model, "pixels");
  const fields = model.get("fields").map(([size, jump, start, count]) => ({ size, jump, start, count }));
  const shares = array(model, "shares").data;
  let seen = 0;
  const profiles = fields.map(({ size }) => shares.subarray(seen, (seen += size)));
  return { names, most, stages, fields, profiles, pixels: picture.data, side: picture.shape[0] };
}

export default widget(["step", "place"], (view, model) => {
  const data = given(model);
  const last = data.fields.length - 1;
  const now = () => ({ step: model.get("step"), place: model.get("place") });
  const go = (step) => view.set({ step: clamp(step, 0, last) });
  const moveTo = (place) => view.set({ place: place.map((at) => clamp(at, 0, data.side)) });
  const reel = film(view, TEXT, { last, seconds: SECONDS, now: () => model.get("step"), go });
  const stop = (act) => (given) => (reel.stop(), act(given));
  const picture = picturePart(view, data, now, { moveTo, go: stop(go) });
  const chart = chartPart(view, data, now, stop(go));
  const says = speaker(view);
  const numbers = table(TEXT.numbers, Object.values(TEXT.columns), data.names);
  numbers.update(rowsOf(data));
  const paint = () => {
    const { step, place } = now();
    const at = Math.round(step);
    const { top, left, side } = fieldAt(data.fields[at], place);
    const beyond = Math.min(top, left) < 0 || Math.max(top, left) + side > data.side;
    reel.set(at, data.names[at]);
    picture.update();
    chart.update();
    const words = { layer: data.names[at], size: side, most: data.most[at] };
    says.say(fill(TEXT.says, words) + (beyond ? ` ${TEXT.beyond}` : ""));
  };
  const whole = h("div", { class: "bb-rf-whole" }, stage(picture.node, invitation(TEXT.invitation)), chart.node);
  return { root: body("bb-rf", TEXT.title, reel.node, whole, says.node, fold(TEXT.numbers, numbers.node)), paint };
});
