// From a file or a camera to the numbers that a network sees.

import { kindOf, sizeOf } from "./header.js";
import { cut, prepare } from "./resize.js";

const MOST = 178_956_970; // pixels that a file may have, as Pillow has it
const LARGEST = 4096; // side of a square that every browser can hold; of a larger one a network sees no more
const HEAD = 1 << 20; // bytes in which a picture says how large it is

/** What a browser shall leave as it is: colors, which Python does not translate either. The camera's turn it undoes. */
const AS_IT_IS = { imageOrientation: "from-image", colorSpaceConversion: "none" };

function wrong(kind) {
  return Object.assign(new Error(kind), { kind });
}

/** The central square of a picture or of what a camera shows, over white: 224 x 224 x 3 numbers from 0 to 255. */
export function squareOf(source, width, height) {
  const { left, top, side } = cut(width, height);
  const size = Math.min(side, LARGEST);
  const canvas = Object.assign(document.createElement("canvas"), { width: size, height: size });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, size, size);
  context.imageSmoothingQuality = "high";
  context.drawImage(source, left, top, side, side, 0, 0, size, size);
  return prepare(context.getImageData(0, 0, size, size).data, size, size);
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
    const bitmap = await bitmapOf(blob);
    try {
      return squareOf(bitmap, bitmap.width, bitmap.height);
    } finally {
      bitmap.close();
    }
  } catch (error) {
    throw error.kind ? error : wrong(kind === "telephone" ? kind : kind ? "damaged" : "unknown");
  }
}

/** Show on a canvas what a network sees. */
export function paintPhoto(canvas, pixels) {
  const side = Math.sqrt(pixels.length / 3);
  const image = new ImageData(side, side);
  image.data.fill(255);
  for (let from = 0, to = 0; from < pixels.length; to++) for (let c = 0; c < 3; c++) image.data[to++] = pixels[from++];
  canvas.width = canvas.height = side;
  canvas.getContext("2d").putImageData(image, 0, 0);
}
