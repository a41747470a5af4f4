// The reader's own pictures: from files, dropped, pasted or from the camera, to features.

import { load } from "../engine/client.js";
import { button, fill, h } from "../kit.js";
import { cameraPart } from "../photo/camera.js";
import { pixelsOf } from "../photo/decode.js";
import { KINDS } from "../photo/header.js";
import { complaint, dropAndPaste } from "../photo/given.js";
import { bySource, COLORS, framed, shrunk, smalls, STAGES, vectorsOf } from "./maths.js";
import { chooser, CLASSES } from "./parts.js";
import { readersItem } from "./pool.js";
import { TEXT } from "./text.js";

/** A picture in its sizes: 224, for its button, and 32 x 32, that plain and in both frames. */
export function sizesOf(pixels) {
  return { pixels, thumb: shrunk(pixels, 112), small: smalls(pixels) };
}

/** Look at one picture: its pixels, and what stages and the last layer give, as it is and in both frames. */
async function itemOf(model, pixels) {
  const net = await load(model);
  const taps = STAGES.map(([, tap]) => tap);
  const three = [];
  for (const color of COLORS) three.push(vectorsOf(await net.run({ pixels: framed(pixels, color), taps })));
  return readersItem({ ...sizesOf(pixels), ...bySource(three) });
}

/**
 * The row of tools for own pictures. `ask(item)` gets one to ask about; `into(number)` gives what takes those for a class,
 * one after the other, and `changed()` follows the last. `busy(on)` says whether the network works. Nothing is taken
 * before `ready()`.
 */
export function readerPart(view, model, { ready, ask, into, changed, busy, newClass }) {
  const wrong = complaint(view);
  let queue = Promise.resolve();

  async function one(coming, name, use) {
    try {
      const item = await itemOf(model, await coming());
      if (!view.signal.aborted) use(item);
    } catch (error) {
      const said = TEXT.photo[error.kind] ?? TEXT.failures[error.kind] ?? TEXT.failures.failed;
      wrong.say(fill(said, { name: name || TEXT.photo.nameless, kinds: KINDS.join(", ") }));
    }
  }
  /** Take sources of pixels, one after the other. */
  function take(sources, use, then = () => {}) {
    if (!ready()) return wrong.say(TEXT.wrongs.early);
    const work = async () => {
      busy(true);
      for (const [coming, name] of sources) if (!view.signal.aborted) await one(coming, name, use);
      busy(false);
      if (!view.signal.aborted) then();
    };
    queue = queue.then(work);
  }
  const takeFiles = (files, number) =>
    take(
      files.map((file) => [() => pixelsOf(file), file.name]),
      ...(number === null ? [ask] : [into(number), changed]),
    );
  const files = chooser(view, { accept: "image/*" }, (given) => takeFiles(given, null));
  const camera = cameraPart(view, TEXT.photo, { accept: (coming) => take([[() => coming, ""]], ask), say: wrong.say });
  const another = button(TEXT.newClass, newClass);
  const node = h(
    "div",
    { class: "bb-te-tools", hidden: true },
    button(TEXT.photo.file, files.open),
    files.node,
    ...(camera ? [camera.node, camera.box] : []),
    another,
    h("span", {}, TEXT.privacy),
  );
  dropAndPaste(view, node, (given, target) => {
    const row = target?.closest?.(".bb-te-row") ?? node.closest(".bb-widget").querySelector(".bb-te-row:hover");
    const number = row?.dataset.number;
    if (number === undefined) takeFiles(given.slice(0, 1), null);
    else takeFiles(given, Number(number));
  });
  const update = (loaded, count) => {
    node.hidden = !loaded;
    another.disabled = count >= CLASSES;
  };
  return { node, update, wrong, takeFiles };
}
