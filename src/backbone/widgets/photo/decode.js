// From a file or a camera to the numbers that a network sees.

import { kindOf, sizeOf } from "./header.js";
import { cut, resizer } from "./resize.js";

const MOST = 178_956_970; // pixels that a file may have, as Pillow has it
const BAND = 1 << 16; // pixels that are read at once: a few milliseconds, and a canvas that every browser can hold
const HEAD = 1 << 20; // bytes in which a picture says how large it is

/** What a browser shall leave as it is: colors, which Python does not translate either. The camera's turn it undoes. */
const AS_IT_IS = { imageOrientation: "from-image", colorSpaceConversion: "none" };

function wrong(kind) {
  return Object.assign(new Error(kind), { kind });
}

const WORK = 8; // ms of it, then the page has its turn

/** Let the page do what waits; timers would come a second apart where the page is not seen. */
function breath() {
  const { port1, port2 } = new MessageChannel();
  return new Promise((done) => {
    port1.onmessage = () => (port1.close(), done());
    port2.postMessage(null);
  });
}

/**
 * The central square of a bitmap, over white: 224 x 224 x 3 numbers from 0 to 255. It is read band by band, with time for
 * the page between two, and let go.
 */
export async function squareOf(bitmap) {
  const { left, top, side } = cut(bitmap.width, bitmap.height);
  const [square, height] = [resizer(side), Math.min(side, Math.ceil(BAND / side))];
  const canvas = Object.assign(document.createElement("canvas"), { width: side, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff";
  try {
    for (let y = 0, due = performance.now() + WORK; y < side; y += height) {
      const rows = Math.min(height, side - y);
      if (performance.now() > due) await breath().then(() => (due = performance.now() + WORK));
      context.fillRect(0, 0, side, height);
      context.drawImage(bitmap, left, top + y, side, rows, 0, 0, side, rows);
      square.add(context.getImageData(0, 0, side, rows).data);
    }
  } finally {
    bitmap.close();
  }
  return square.result();
}

/** A browser that does not know the wishes says so with a TypeError. */
async function bitmapOf(blob) {
  try {
    return await createImageBitmap(blob, AS_IT_IS);
  } catch (error) {
    if (error instanceof TypeError) return createImageBitmap(blob);
    throw error;
  }
}

/** The same of a file. It fails with an error whose `kind` is "telephone", "unknown", "damaged" or "large". */
export async function pixelsOf(blob) {
  let kind = "";
  try {
    const head = new Uint8Array(await blob.slice(0, HEAD).arrayBuffer());
    kind = kindOf(head);
    const [width, height] = sizeOf(head) ?? [0, 0];
    if (width * height > MOST) throw wrong("large");
    return await squareOf(await bitmapOf(blob));
  } catch (error) {
    throw error.kind ? error : wrong(kind === "telephone" ? kind : kind ? "damaged" : "unknown");
  }
}

/** Show on a canvas what a network sees. */
export function paintPhoto(canvas, pixels) {
  const side = Math.sqrt(pixels.length / 3);
  const image = new ImageData(side, side);
  const { data } = image; // asked for once: each time costs as much as a pixel
  data.fill(255);
  for (let from = 0, to = 0; from < pixels.length; to++) for (let c = 0; c < 3; c++) data[to++] = pixels[from++];
  canvas.width = canvas.height = side;
  canvas.getContext("2d").putImageData(image, 0, 0);
}
