// The photographs at hand.

export const SIDE = 224;

/** A photograph of the model as numbers, 0 to 255: red, green, blue. */
export async function photographOf(model, name) {
  const file = model.get("files")[model.get("photos").indexOf(name)];
  const bitmap = await createImageBitmap(new Blob([file], { type: "image/jpeg" }));
  const canvas = new OffscreenCanvas(SIDE, SIDE);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  return colorsOf(context.getImageData(0, 0, SIDE, SIDE).data);
}

/** Without the opacity behind each pixel. */
function colorsOf(bytes) {
  return Float32Array.from({ length: 3 * SIDE * SIDE }, (_, i) => bytes[i + Math.floor(i / 3)]);
}

/** Paint a picture on a canvas, one pixel each. */
export function paintPicture(canvas, pixels) {
  canvas.width = canvas.height = SIDE;
  const image = new ImageData(SIDE, SIDE);
  for (let i = 0; i < SIDE * SIDE; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = pixels[3 * i + c];
    image.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}
