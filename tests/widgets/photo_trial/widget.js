import { body, h, speaker, stage, widget } from "../../../src/backbone/widgets/kit.js";
import { paintPhoto } from "../../../src/backbone/widgets/photo/decode.js";
import { photoPicker } from "../../../src/backbone/widgets/photo/picker.js";
import { PHOTO_TEXT } from "../../../src/backbone/widgets/photo/text.js";

export default widget([], (view, model) => {
  const canvas = h("canvas", { class: "bb-trial", role: "img", "aria-label": "What the network sees" });
  canvas.style.width = "224px";
  const says = speaker(view);
  let seen = null;
  const pick = (picked) => {
    (globalThis.picks ??= []).push((seen = picked));
    view.repaint();
  };
  const picker = photoPicker(view, model, PHOTO_TEXT, { pick });
  const paint = () => {
    if (!seen) return;
    paintPhoto(canvas, seen.pixels);
    says.say(seen.own ? "Your picture." : `This is ${seen.name}.`);
  };
  return { root: body("bb-trial", "A trial", picker.node, stage(canvas), says.node), paint };
});
