// The row in which a reader chooses a picture: one at hand, a file, what is dropped or pasted, or one from the camera.

import { button, choice, fill, grouped, h, told } from "../kit.js";
import { cameraPart } from "./camera.js";
import { paintPhoto, pixelsOf } from "./decode.js";
import { complaint, dropAndPaste } from "./given.js";
import { KINDS } from "./header.js";

/** Of several files the first that is a picture; that of an unknown kind may be one. */
function pictureIn(files) {
  return files.find(({ type }) => type.startsWith("image/")) ?? files[0];
}

/** The pictures at hand and, once there is one, the reader's own: radio buttons, `show(name, pixels)` paints one. */
function thumbnails(model, text, put) {
  const [names, alts] = ["photos", "alts"].map((trait) => model.get(trait));
  const face = (alt) => h("canvas", { role: "img", "aria-label": alt });
  const faces = new Map([...names.map((name, i) => [name, face(alts[i])]), ["", face(text.own)]]);
  const group = choice(text.pictures, [...faces.keys()], (name) => faces.get(name), put, "pictures");
  group.node.querySelector("legend").className = "bb-hidden";
  const own = faces.get("").closest("label");
  own.classList.add("bb-photo-none"); // it keeps its place
  own.control.disabled = true;
  for (const canvas of faces.values()) canvas.closest("label").title = canvas.getAttribute("aria-label");
  const show = (name, pixels) => {
    paintPhoto(faces.get(name), pixels);
    if (name) return;
    own.classList.remove("bb-photo-none");
    own.control.disabled = false;
  };
  return { ...group, show };
}

/**
 * The row in which a reader chooses a picture of a `NetworkWidget`, or gives one: from a file, dropped on the figure, pasted
 * or from the camera. `text` is PHOTO_TEXT. `pick({ name, pixels, own })` is called with the first picture, soon after the
 * start, and with each that is chosen: `pixels` are 224 x 224 x 3 numbers from 0 to 255, `name` is one of `photos`, or ""
 * for the reader's own. Of that nothing is kept but here; the setting `photo` says "".
 */
export function photoPicker(view, model, text, { pick }) {
  const [names, files] = ["photos", "files"].map((trait) => model.get(trait));
  if (!model.get("photo")) model.set("photo", names[0]); // the reader's own went with the page
  const wrong = complaint(view);
  const pictures = thumbnails(model, text, (name) => view.set({ photo: name }));
  const known = new Map(names.map((name, i) => [name, pixelsOf(new Blob([files[i]]))]));
  for (const [name, coming] of known) coming.then((pixels) => pictures.show(name, pixels));
  let wish = 0;

  async function show() {
    const name = model.get("photo");
    const pixels = await known.get(name);
    if (!pixels || view.signal.aborted || model.get("photo") !== name) return;
    pictures.set(name);
    pick({ name, pixels, own: !name });
  }
  function accept(pixels) {
    view.acted = true;
    known.set("", pixels);
    pictures.show("", pixels);
    if (model.get("photo")) view.set({ photo: "" });
    else show();
  }
  async function take(coming, name) {
    const mine = ++wish;
    try {
      const pixels = await coming;
      if (mine === wish && !view.signal.aborted) accept(pixels);
    } catch ({ kind = "damaged" }) {
      if (mine === wish) wrong.say(fill(text[kind], { name: name || text.nameless, kinds: KINDS.join(", ") }));
    }
  }
  const takeFile = (file) => take(pixelsOf(file), file.name);

  const input = h("input", { type: "file", accept: "image/*", hidden: true });
  view.listen(input, "change", () => {
    if (input.files.length) takeFile(input.files[0]);
    input.value = ""; // so that the same file can be given once more
  });
  const camera = cameraPart(view, text, { accept: take, say: wrong.say });
  const buttons = h(
    "div",
    { class: "bb-photo-buttons" },
    button(text.file, () => input.click()),
    input,
  );
  if (camera) buttons.append(camera.node, camera.box);
  const note = h("p", { class: "bb-photo-note" }, fill(text.note, { count: grouped(model.get("classes").length) }));
  const node = h("div", { class: "bb-photo" }, pictures.node, buttons, note, wrong.node);
  dropAndPaste(view, node, (given) => takeFile(pictureIn(given)));
  view.onChange(["photo"], () => {
    wish++; // what is still on its way comes too late
    view.acted = true;
    show();
  });
  show();
  return { node };
}

/**
 * The photograph on its canvas, and the row in which a reader chooses one. `changed()` is called once another is there;
 * `now()` is { name, pixels, own }, with null for the pixels until the first is.
 */
export function photographPart(view, model, text, changed) {
  const canvas = h("canvas", { class: "bb-photograph", role: "img", "data-part": "photograph" });
  let shown = { name: null, pixels: null, own: false };
  const pick = (picked) => {
    shown = picked;
    paintPhoto(canvas, picked.pixels);
    const alt = picked.own ? text.photo.own : model.get("alts")[model.get("photos").indexOf(picked.name)];
    canvas.setAttribute("aria-label", told(alt));
    changed();
  };
  const { node } = photoPicker(view, model, text.photo, { pick });
  return { canvas, node, now: () => shown };
}
