// What was taught as plain values, for a file and for Python: names, features, what stages give, head, and no picture.

import { STAGES, WIDE } from "./maths.js";

export const FORMAT = "backbone taught classes";
export const VERSION = 1;
const LIMITS = [2, 5]; // classes

/** Numbers as base64 of float32. */
export function packed(numbers) {
  const bytes = new Uint8Array(Float32Array.from(numbers).buffer);
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
}

/** So many numbers, or an error of the kind "altered". */
function unpacked(text, count) {
  try {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const numbers = new Float32Array(bytes.buffer);
    if (numbers.length === count && numbers.every(Number.isFinite)) return numbers;
  } catch {
    // No base64, or of an odd length: the same to the reader.
  }
  throw flaw("altered");
}

const flaw = (kind) => Object.assign(new Error(kind), { kind });

/**
 * `pictures` are names of the figure's own pictures, "" for a reader's; `vectors` are the features as they were taught, and
 * `stages` a row of what all stages give, zeros where nothing is known.
 */
export function contentOf({ network, crc }, { classes, labels, pictures, vectors, stages }, { weights, bias }) {
  const rows = (list) => packed(list.flatMap((row) => [...row]));
  const texts = { features: rows(vectors), stages: rows(stages), weights: rows(weights), bias: packed(bias) };
  return { format: FORMAT, version: VERSION, network, crc, classes, labels, pictures, ...texts };
}

/** What stages give, of one row: source -> vector; nothing for a row of zeros. */
function stagesIn(row) {
  let at = 0;
  const all = STAGES.map(([source, , count]) => [source, row.slice(at, (at += count))]);
  return row.some(Boolean) ? Object.fromEntries(all) : {};
}

/** Read it again: { classes, labels, pictures, vectors, stages }. Old files have no stages. It fails with an error whose `kind` says what is wrong. */
export function contentFrom(content, { network, crc }, size) {
  if (content?.format !== FORMAT) throw flaw("format");
  if (content.version !== VERSION) throw flaw("version");
  if (content.network !== network || content.crc !== crc) throw flaw("network");
  const { classes, labels, pictures = [] } = content;
  const named = Array.isArray(classes) && classes.every((name) => typeof name === "string" && name.trim());
  if (!named || !Array.isArray(labels) || !Array.isArray(pictures)) throw flaw("altered");
  if (!labels.every((label) => Number.isInteger(label) && label >= 0 && label < classes.length)) throw flaw("altered");
  const [least, most] = LIMITS;
  if (classes.length > most || new Set(labels).size < least) throw flaw("classes");
  const features = unpacked(content.features, labels.length * size);
  for (const [text, count] of [
    [content.weights, classes.length * size],
    [content.bias, classes.length],
  ])
    unpacked(text, count);
  const vectors = labels.map((_, i) => features.slice(i * size, (i + 1) * size));
  const given = content.stages === undefined ? null : unpacked(content.stages, labels.length * WIDE);
  const stages = labels.map((_, i) => (given ? stagesIn(given.subarray(i * WIDE, (i + 1) * WIDE)) : {}));
  return { classes, labels, pictures: labels.map((_, i) => pictures[i] ?? ""), vectors, stages };
}

/** The same from a file's text. */
export function contentOfFile(text, home, size) {
  let content;
  try {
    content = JSON.parse(text);
  } catch {
    throw flaw("notJson");
  }
  return contentFrom(content, home, size);
}
