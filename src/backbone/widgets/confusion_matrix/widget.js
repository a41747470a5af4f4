import {
  array,
  body,
  button,
  controls,
  entries,
  fill,
  fixed,
  gray,
  grouped,
  h,
  hint,
  keys,
  paintPixels,
  percent,
  setting,
  widget,
  write,
} from "../kit.js";

const TEXT = {
  title: "Confusion matrix",
  network: "Network",
  numbers: "Numbers",
  views: { counts: "counts", rows: "% of row", columns: "% of column" },
  hints: {
    counts: "Each row is a true class, each column what the network called it. Choose a cell to see its pictures.",
    rows: "Each row sums to 100: where do the pictures of one class go? The diagonal is the recall.",
    columns: "Each column sums to 100: what is behind the word? The diagonal is the precision.",
  },
  corner: "true ↓ called →",
  recall: "recall",
  precision: "precision",
  grid: "Confusion matrix. Arrow keys move from cell to cell.",
  cellLabel: "{truth}, called {called}: {value}",
  none: "no picture",
  accuracy:
    "{name}: {right} of {count} right, {share}. At the margins, in percent: recall to the right, precision below.",
  picture: "1 picture",
  pictures: "{count} pictures",
  hit: "{truth}, and {name} says so: {pictures}",
  miss: "{truth}, called {called} by {name}: {pictures}",
  pairOpened: {
    both: "Both networks are right: {pictures}",
    first: "Only {first} is right: {pictures}. Below each: what {second} says.",
    second: "Only {second} is right: {pictures}. Below each: what {first} says.",
    neither: "Neither is right: {pictures}. Below each: what {first} says.",
  },
  carried: "{from}–{to} of {here}, the surest first",
  someCarried: "{from}–{to} of {here} (of {count}, {here} are carried on this page), the surest first",
  back: "Back",
  more: "More",
  compare: "The same pictures, two networks",
  right: "{name} right",
  wrong: "{name} wrong",
  test: "Only {first}: {firstOnly}, only {second}: {secondOnly}. If both were equally good, a split at least this uneven would come up with p {p} (McNemar, exact).",
  called: "→ {called}",
};
const SLOTS = 8;
const PAIRS = ["both", "first", "second", "neither"];

// ---- Maths: pure functions, tested against Python -------------------------------------------------------------

/** Counts: a row for each true class, a column for each called one. */
export function countMatrix(labels, called, size) {
  const matrix = Array.from({ length: size }, () => new Array(size).fill(0));
  labels.forEach((truth, i) => matrix[truth][called[i]]++);
  return matrix;
}

const rowSums = (matrix) => matrix.map((row) => row.reduce((all, count) => all + count, 0));
const columnSums = (matrix) => matrix.map((_, j) => matrix.reduce((all, row) => all + row[j], 0));

/** Hits over totals, class by class; null where it is 0 / 0. */
export const recallOf = (matrix) => rowSums(matrix).map((sum, i) => (sum ? matrix[i][i] / sum : null));
export const precisionOf = (matrix) => columnSums(matrix).map((sum, i) => (sum ? matrix[i][i] / sum : null));

/** What stands in the cells: counts, or percent of the row or of the column; null where that is 0 / 0. */
export function cellValues(matrix, numbers) {
  if (numbers === "counts") return matrix;
  const [rows, columns] = [rowSums(matrix), columnSums(matrix)];
  return matrix.map((row, i) =>
    row.map((count, j) => {
      const total = numbers === "rows" ? rows[i] : columns[j];
      return total ? (100 * count) / total : null;
    }),
  );
}

/** For each picture: both, first, second or neither is right. */
export function pairing(labels, first, second) {
  return Array.from(labels, (truth, i) => PAIRS[(first[i] === truth ? 0 : 2) + (second[i] === truth ? 0 : 1)]);
}

/** McNemar's exact two-sided p-value: the binomial distribution with one half. Logarithms, for 2^n overflows. */
export function exactP(b, c) {
  const n = b + c;
  let [term, tail] = [-n * Math.LN2, 0];
  for (let i = 0; i <= Math.min(b, c); i++) {
    if (i) term += Math.log((n - i + 1) / i);
    tail += Math.exp(term);
  }
  return Math.min(1, 2 * tail);
}

/** Gray levels from bytes that hold two each, the first in the high half. */
export function unpacked(bytes) {
  const levels = new Uint8Array(2 * bytes.length);
  bytes.forEach((byte, i) => {
    levels[2 * i] = byte >> 4;
    levels[2 * i + 1] = byte & 15;
  });
  return levels;
}

// ---- What is shown ------------------------------------------------------------------------------------------

const SETTINGS = ["network", "numbers", "cell", "pair"];

/** Everything the model sends once. */
function readData(model) {
  const labels = array(model, "labels").data;
  const [predicted, probability] = ["predicted", "probability"].map((name) => entries(array(model, name)));
  const classes = model.get("classes");
  const networks = model.get("networks").map((name, i) => {
    const matrix = countMatrix(labels, predicted[i], classes.length);
    return { name, called: predicted[i], probability: probability[i], matrix };
  });
  const pair = networks.length === 2 ? pairing(labels, networks[0].called, networks[1].called) : [];
  const places = new Map(model.get("kept").map((picture, at) => [picture, at]));
  const [height, width] = model.get("shape");
  return { labels, classes, networks, pair, places, height, width, levels: unpacked(array(model, "pixels").data) };
}

/** The pictures of the open cell: all of them, and those carried, the surest first; and whose words stand below. */
function opened(data, { network, cell, pair }) {
  const chosen = data.networks.find(({ name }) => name === network);
  const speaker = pair ? data.networks[pair === "first" ? 1 : 0] : chosen;
  const inCell = (i) => (pair ? data.pair[i] === pair : data.labels[i] === cell[0] && chosen.called[i] === cell[1]);
  const all = [];
  data.labels.forEach((_, i) => inCell(i) && all.push(i));
  const here = all.filter((i) => data.places.has(i)).sort((i, j) => speaker.probability[j] - speaker.probability[i]);
  return { count: all.length, here, speaker, chosen };
}

function paintPictureOf(canvas, data, picture) {
  const size = data.height * data.width;
  const at = data.places.get(picture) * size;
  paintPixels(canvas, data.levels.subarray(at, at + size), data.height, data.width, gray(15));
}

// ---- The parts ----------------------------------------------------------------------------------------------

/** The matrix as a grid that keys move in. */
function matrixGrid(data, open) {
  const { classes } = data;
  const icon = (truth) => {
    const canvas = h("canvas", { class: "bb-cm-icon", "aria-hidden": "true" });
    const example = [...data.places.keys()].find(
      (i) => data.labels[i] === truth && data.networks.every(({ called }) => called[i] === truth),
    );
    if (example !== undefined) paintPictureOf(canvas, data, example);
    return canvas;
  };
  // A break is allowed after a slash.
  const name = (text) => h("span", { class: "bb-cm-name" }, text.replace("/", "/\u200b"));
  const header = (role, truth) =>
    h("div", { role, class: "bb-cm-head", title: classes[truth] }, icon(truth), name(classes[truth]));
  const cells = classes.map((_, i) =>
    classes.map((_, j) => h("div", { role: "gridcell", class: "bb-cm-cell", onclick: () => open(i, j) })),
  );
  const margin = () => h("div", { role: "gridcell", class: "bb-cm-margin" });
  const [recalls, precisions] = [classes.map(margin), classes.map(margin)];
  const word = (text) => h("div", { role: "columnheader", class: "bb-cm-head bb-cm-word" }, name(text));
  const row = (...children) => h("div", { role: "row", class: "bb-cm-row" }, ...children);
  const node = h(
    "div",
    { role: "grid", class: "bb-cm-grid", "aria-label": TEXT.grid },
    row(word(TEXT.corner), ...classes.map((_, j) => header("columnheader", j)), word(TEXT.recall)),
    ...classes.map((_, i) => row(header("rowheader", i), ...cells[i], recalls[i])),
    row(h("div", { role: "rowheader", class: "bb-cm-head bb-cm-word" }, name(TEXT.precision)), ...precisions, margin()),
  );
  node.style.setProperty("--bb-k", classes.length);
  const update = ({ chosen }, { numbers, cell, pair }) => {
    const { matrix } = chosen;
    const values = cellValues(matrix, numbers);
    const errors = values.flatMap((line, i) => line.filter((value, j) => i !== j && value));
    const largest = Math.max(...errors, 1e-9);
    values.forEach((line, i) =>
      line.forEach((value, j) => {
        const node = cells[i][j];
        const active = !pair && cell[0] === i && cell[1] === j;
        write(node, matrix[i][j] ? String(Math.round(value)) : value === null ? "" : "·");
        const strength =
          i === j ? 45 * (matrix[i][j] / Math.max(rowSums(matrix)[i], 1)) : (60 * (value ?? 0)) / largest;
        node.style.background = `color-mix(in srgb, var(--bb-${i === j ? "mark" : "positive"}) ${strength}%, transparent)`;
        node.tabIndex = cell[0] === i && cell[1] === j ? 0 : -1;
        node.setAttribute("aria-selected", active);
        const said = numbers === "counts" ? value : value === null ? TEXT.none : `${Math.round(value)} %`;
        node.setAttribute("aria-label", fill(TEXT.cellLabel, { truth: classes[i], called: classes[j], value: said }));
      }),
    );
    const rounded = (share) => (share === null ? "–" : String(Math.round(100 * share)));
    recallOf(matrix).forEach((share, i) => write(recalls[i], rounded(share)));
    precisionOf(matrix).forEach((share, i) => write(precisions[i], rounded(share)));
  };
  return { node, update, focus: ([i, j]) => cells[i][j].focus() };
}

/** The pictures of the open cell, eight at a time, with room kept for eight. */
function gallery(data, turn) {
  const title = h("p", { role: "status", class: "bb-cm-title" });
  const carried = h("span", {});
  const slots = Array.from({ length: SLOTS }, () => {
    const canvas = h("canvas", { role: "img" });
    const lines = [0, 1, 2].map(() => h("span", {}));
    return { canvas, lines, node: h("div", { class: "bb-cm-slot" }, canvas, ...lines) };
  });
  const back = button(TEXT.back, () => turn(-1));
  const more = button(TEXT.more, () => turn(1));
  const node = h(
    "div",
    { class: "bb-cm-gallery" },
    title,
    h("div", { class: "bb-cm-slots" }, ...slots.map((slot) => slot.node)),
    h("div", { class: "bb-controls bb-cm-pager" }, back, more, carried),
  );
  const update = ({ count, here, speaker, chosen }, { cell, pair }, page) => {
    const { classes, labels, networks } = data;
    const [first, second] = networks.map(({ name }) => name);
    const pictures = count === 1 ? TEXT.picture : fill(TEXT.pictures, { count });
    const [truth, called] = cell.map((at) => classes[at]);
    const template = pair ? TEXT.pairOpened[pair] : truth === called ? TEXT.hit : TEXT.miss;
    write(title, fill(template, { pictures, first, second, truth, called, name: chosen.name }));
    const start = page * SLOTS;
    slots.forEach(({ canvas, lines, node: slot }, at) => {
      const picture = here[start + at];
      slot.style.visibility = picture === undefined ? "hidden" : "";
      if (picture === undefined) return;
      const [truth, called] = [labels, speaker.called].map((all) => classes[all[picture]]);
      const probability = percent(speaker.probability[picture]);
      if (slot.dataset.picture !== String(picture)) paintPictureOf(canvas, data, picture);
      slot.dataset.picture = picture;
      canvas.setAttribute("aria-label", fill(TEXT.cellLabel, { truth, called, value: probability }));
      [truth, fill(TEXT.called, { called }), probability].forEach((text, i) => write(lines[i], text));
    });
    const range = { from: start + 1, to: Math.min(start + SLOTS, here.length), here: here.length, count };
    const place = fill(here.length < count ? TEXT.someCarried : TEXT.carried, range);
    write(carried, here.length ? place : "");
    back.disabled = page === 0;
    more.disabled = start + SLOTS >= here.length;
  };
  return { node, update };
}

/** Two networks on the same pictures: four numbers that open their pictures, and McNemar's test of two of them. */
function comparison(data, pick) {
  const [first, second] = data.networks;
  const counts = Object.fromEntries(PAIRS.map((pair) => [pair, data.pair.filter((one) => one === pair).length]));
  const buttons = Object.fromEntries(PAIRS.map((pair) => [pair, button(String(counts[pair]), () => pick(pair))]));
  const cell = (pair) =>
    h("td", { class: pair === "first" || pair === "second" ? "bb-cm-telling" : null }, buttons[pair]);
  const head = (text, { name }, scope = "col") => h("th", { scope }, fill(text, { name }));
  const table = h(
    "table",
    { class: "bb-cm-pairs", "aria-label": TEXT.compare },
    h("thead", {}, h("tr", {}, h("td"), head(TEXT.right, second), head(TEXT.wrong, second))),
    h(
      "tbody",
      {},
      h("tr", {}, head(TEXT.right, first, "row"), cell("both"), cell("first")),
      h("tr", {}, head(TEXT.wrong, first, "row"), cell("second"), cell("neither")),
    ),
  );
  const p = exactP(counts.first, counts.second);
  const values = {
    first: first.name,
    second: second.name,
    firstOnly: counts.first,
    secondOnly: counts.second,
    p: p < 0.0001 ? "< 0.0001" : `= ${fixed(p, 4)}`,
  };
  return {
    node: h(
      "div",
      { class: "bb-cm-compare" },
      h("p", { class: "bb-cm-heading" }, TEXT.compare),
      table,
      hint(fill(TEXT.test, values)),
    ),
    update: ({ pair }) => PAIRS.forEach((name) => buttons[name].setAttribute("aria-pressed", pair === name)),
  };
}

// ---- The view -----------------------------------------------------------------------------------------------

export default widget(SETTINGS, (view, model) => {
  const data = readData(model);
  const last = data.classes.length - 1;
  let page = 0;
  let asked = ""; // the open cell; another one begins at its first page
  const open = (i, j) => {
    view.set({ cell: [i, j], pair: "" });
    paint();
    grid.focus([i, j]);
  };
  const names = data.networks.map(({ name }) => name);
  const network = setting(view, "network", TEXT.network, names, { pair: "" });
  const numbers = setting(view, "numbers", TEXT.numbers, TEXT.views);
  const [advice, summary] = [hint(), hint()];
  const grid = matrixGrid(data, open);
  const shelf = gallery(data, (by) => ((page += by), view.repaint()));
  const pairs =
    names.length === 2 ? comparison(data, (pair) => view.set({ pair: model.get("pair") === pair ? "" : pair })) : null;

  const paint = () => {
    const settings = Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)]));
    const shown = opened(data, settings);
    const key = JSON.stringify([settings.network, settings.cell, settings.pair]);
    if (key !== asked) page = 0;
    asked = key;
    network.set(settings.network);
    numbers.set(settings.numbers);
    write(advice, TEXT.hints[settings.numbers]);
    const right = shown.chosen.matrix.reduce((all, row, i) => all + row[i], 0);
    const values = {
      name: settings.network,
      right,
      count: grouped(data.labels.length),
      share: percent(right / data.labels.length, 1),
    };
    write(summary, fill(TEXT.accuracy, values));
    grid.update(shown, settings);
    shelf.update(shown, settings, page);
    pairs?.update(settings);
  };

  keys(view, grid.node, ({ key }) => {
    const [i, j] = model.get("cell");
    const targets = {
      ArrowUp: [i - 1, j],
      ArrowDown: [i + 1, j],
      ArrowLeft: [i, j - 1],
      ArrowRight: [i, j + 1],
      Home: [i, 0],
      End: [i, last],
      PageUp: [0, j],
      PageDown: [last, j],
      Enter: [i, j],
      " ": [i, j],
    };
    if (!targets[key]) return false;
    open(...targets[key].map((at) => Math.min(Math.max(at, 0), last)));
  });
  network.node.hidden = names.length < 2;
  const root = body(
    "bb-cm",
    TEXT.title,
    controls(network.node, numbers.node),
    advice,
    grid.node,
    summary,
    shelf.node,
    ...(pairs ? [pairs.node] : []),
  );
  return { root, paint };
});
