// What the first bytes of a file say of it: backbone.data.photo_from tells files apart by the same.

export const KINDS = ["JPEG", "PNG", "WEBP", "GIF", "BMP"];
/** What HEIC and AVIF write into the ninth to twelfth byte; a film has other names there. */
export const TELEPHONES = ["heic", "heix", "heim", "heis", "hevc", "mif1", "msf1", "avif", "avis"];
const HEADS = { JPEG: "\xff\xd8\xff", PNG: "\x89PNG\r\n\x1a\n", GIF: "GIF8", BMP: "BM" };

const letters = (bytes, from, to) => String.fromCharCode(...bytes.subarray(from, to));

/** One of KINDS, "telephone" for HEIC and AVIF, or "" for what is no picture of a kind known here. */
export function kindOf(bytes) {
  const start = letters(bytes, 0, 12);
  if (start.slice(4, 8) === "ftyp" && TELEPHONES.includes(start.slice(8))) return "telephone";
  if (start.startsWith("RIFF") && start.endsWith("WEBP")) return "WEBP";
  return Object.keys(HEADS).find((kind) => start.startsWith(HEADS[kind])) ?? "";
}

/** Width and height that a JPEG names in the first of its segments that begins a picture. */
function sizeOfJpeg(view) {
  for (let at = 2; at + 9 <= view.byteLength && view.getUint8(at) === 0xff;) {
    const mark = view.getUint8(at + 1);
    if (mark === 0xff) at++; // a byte that fills
    else if (mark >= 0xc0 && mark <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(mark))
      return [view.getUint16(at + 7), view.getUint16(at + 5)];
    else at += 2 + view.getUint16(at + 2);
  }
  return null;
}

/** The same of a WebP, of which there are three sorts. */
function sizeOfWebp(view, sort) {
  if (sort === "VP8 ") return [26, 28].map((at) => view.getUint16(at, true) & 0x3fff);
  const bits = view.getUint32(21, true);
  if (sort === "VP8L") return [0, 14].map((at) => ((bits >> at) & 0x3fff) + 1);
  return [24, 27].map((at) => view.getUint16(at, true) + (view.getUint8(at + 2) << 16) + 1);
}

/** Width and height as a file names them, before it is turned; null where they are not to be found. */
export function sizeOf(bytes) {
  if (bytes.length < 30) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (kindOf(bytes)) {
    case "JPEG":
      return sizeOfJpeg(view);
    case "PNG":
      return [view.getUint32(16), view.getUint32(20)];
    case "GIF":
      return [view.getUint16(6, true), view.getUint16(8, true)];
    case "BMP":
      return [view.getInt32(18, true), Math.abs(view.getInt32(22, true))]; // below zero: it begins at the top
    case "WEBP":
      return sizeOfWebp(view, letters(bytes, 12, 16));
  }
  return null;
}
