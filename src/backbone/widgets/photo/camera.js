// A picture from the reader's camera.

import { button, controls, h, svg } from "../kit.js";
import { squareOf } from "./decode.js";

const REASONS = { NotAllowedError: "refused", SecurityError: "refused", NotFoundError: "missing" };
const FINE = { width: { ideal: 1280 }, height: { ideal: 960 } }; // a network sees less

const stopAll = (stream) => stream?.getTracks().forEach((track) => track.stop());

/** What the camera sees, in `video` while it is on. `start` says whether there is a second one. */
function cameraOf(video) {
  let [stream, wish] = [null, 0];
  const stop = () => {
    wish++;
    stopAll(stream);
    stream = video.srcObject = null;
  };
  async function start(facingMode) {
    stop();
    const mine = wish;
    const coming = await navigator.mediaDevices.getUserMedia({ video: { facingMode, ...FINE } });
    if (mine !== wish) return stopAll(coming);
    stream = video.srcObject = coming;
    const { facingMode: facing } = coming.getVideoTracks()[0].getSettings();
    video.classList.toggle("bb-photo-mirror", facing !== "environment"); // as in a mirror, where one looks at oneself
    const devices = await navigator.mediaDevices.enumerateDevices();
    return devices.filter(({ kind }) => kind === "videoinput").length > 1;
  }
  return { start, stop };
}

/**
 * A button, and the window it opens: `accept(coming)` gets the promise of a picture, `say(text)` what went wrong. Null
 * without a camera.
 */
export function cameraPart(view, text, { accept, say }) {
  if (!navigator.mediaDevices?.getUserMedia) return null; // nor has a page that came unprotected
  const video = h("video", { autoplay: true, playsinline: true, "aria-label": text.view });
  const camera = cameraOf(video);
  let facing = "environment";
  const start = async () => {
    take.disabled = true;
    try {
      const more = await camera.start(facing);
      if (more !== undefined) turn.hidden = !more;
    } catch (error) {
      box.close();
      say(text[REASONS[error.name] ?? "silent"]);
    }
  };
  const take = button(text.take, async () => {
    take.disabled = true;
    try {
      accept(squareOf(await createImageBitmap(video)));
    } catch {
      say(text.silent);
    }
    box.close();
  });
  take.classList.add("bb-primary");
  const turn = button(text.turn, () => {
    facing = facing === "user" ? "environment" : "user";
    start();
  });
  turn.hidden = true;
  const close = button(text.close, () => box.close());
  const box = h("dialog", { class: "bb-photo-camera", "aria-label": text.camera }, video, controls(take, turn, close));
  view.listen(video, "loadeddata", () => (take.disabled = false));
  view.listen(box, "close", camera.stop);
  view.signal.addEventListener("abort", camera.stop);
  const d = "M3 7h4l2-3h6l2 3h4v12H3z M12 9.2a3.8 3.8 0 1 0 0 7.6a3.8 3.8 0 1 0 0-7.6z";
  const icon = svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d }));
  const open = () => (box.showModal(), start());
  return { node: button(icon, open, { title: text.camera }), box };
}
