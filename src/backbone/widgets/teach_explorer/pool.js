// Which pictures there are, and which class each is taught as. A picture of the figure's own has a `kind`, the number of
// the class that it is of; one that is not taught is asked about. Of a reader's, no one but the reader knows.

import { bySource, frameOf, STAGES, vectorsIn } from "./maths.js";

export const FULL = 20; // pictures of a class

/** The figure's own pictures; `sheets` hold what a head can be given of each, plain and in a frame of each color. */
export function ownPictures(names, photos, sheets) {
  const each = photos.length / names.length;
  return photos.map((photo, i) => ({
    photo,
    kind: Math.floor(i / each),
    number: i % each,
    at: null,
    pixels: null,
    thumb: null,
    small: null,
    ...bySource(sheets.map((one) => vectorsIn(one[i]))),
  }));
}

/** All as at first: of each kind the first ones are taught. */
export function fresh(names, own, first) {
  const classes = names.map((name, kind) => ({ name, kind }));
  for (const item of own) item.at = item.number < first ? classes[item.kind] : null;
  return { classes, items: [...own] };
}

/** Classes without pictures, for a reader's own. */
export function emptied(names, own) {
  for (const item of own) item.at = null;
  return { classes: names.map((name) => ({ name, kind: null })), items: [...own] };
}

/** The pool of what a file holds. Pictures that are the figure's own are known again by name, the others have vectors alone. */
export function adopted({ classes: names, labels, pictures, vectors, stages }, kinds, own) {
  const pool = emptied(names, own);
  const given = (i) => ({ features: vectors[i], ...stages[i] });
  labels.forEach((label, i) => {
    const at = pool.classes[label];
    const known = own.find(({ photo, at: taken }) => photo === pictures[i] && !taken);
    if (known) {
      known.at = at;
      at.kind ??= pool.classes.some(({ kind }) => kind === known.kind) ? null : known.kind;
    } else pool.items.push(readersItem(bySource(Array(3).fill(given(i))), at));
  });
  for (const one of pool.classes) {
    const kind = kinds.indexOf(one.name);
    if (one.kind === null && kind >= 0 && !pool.classes.some((other) => other.kind === kind)) one.kind = kind;
  }
  return pool;
}

/** A picture of the reader's. */
export const readersItem = (found, at = null) => ({
  photo: "",
  kind: null,
  at,
  pixels: null,
  thumb: null,
  features: null,
  small: null,
  ...found,
});

/** The pictures that a class is taught, and those of its kind that are asked. */
export const taughtOf = ({ items }, one) => items.filter(({ at }) => at === one);
export const askedOf = ({ items }, { kind }) => items.filter((item) => kind !== null && item.kind === kind && !item.at);

/** What is learned from and what is asked, each { item, label, teach, ask } with the vectors in their frames. */
export function examplesOf(pool, source, frames) {
  const made = (item, label) => {
    const [frame, other] = [false, true].map((asked) => frameOf(label, frames, asked));
    return { item, label, frame, teach: item[source]?.[frame], ask: item[source]?.[other] };
  };
  const all = (choose) =>
    pool.classes
      .flatMap((one, label) => choose(pool, one).map((item) => made(item, label)))
      .filter(({ teach }) => teach);
  return { taught: all(taughtOf), asked: all(askedOf) };
}

/** How many taught pictures of a reader's a head cannot be given this of: their file held something else. */
export const leftOut = ({ items }, source) => items.filter((item) => item.at && !item.photo && !item[source]).length;

/** Of pictures what a file holds of their stages, one row each; zeros where nothing is known. */
export const stageRows = (examples) =>
  examples.map(({ item, frame }) =>
    STAGES.flatMap(([source, , count]) => [...(item[source]?.[frame] ?? new Float32Array(count))]),
  );

/** Whether two classes or more have pictures to learn from. */
export const enough = (taught) => new Set(taught.map(({ label }) => label)).size > 1;

/** A name that no other class has, or "". */
export function freeName({ classes }, name, one = null) {
  const short = name.trim().slice(0, 24);
  return classes.some((other) => other !== one && other.name === short) ? "" : short;
}
