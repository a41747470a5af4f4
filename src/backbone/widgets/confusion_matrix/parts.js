import { array, button, controls, entries, fill, fixed, fold, gray, grouped, h, hint, paintPixels } from "../kit.js";
import { percent, setting, table, told, write } from "../kit.js";
import { cellValues, countMatrix, exactP, pairing, PAIRS, precisionOf, recallOf, strengths } from "./maths.js";
import { unpacked } from "./maths.js";
import { TEXT } from "./text.js";

const SLOTS = 6;
const FALL = [{ transform: "translateX(-8rem) scale(4)", opacity: 0.2 }, {}]; // of a picture into its cell
const DIMMED = 0.35; // how strong the matrix's colors are while pictures are asked for

/** Everything the model sends once. */
export function readData(model) {
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
  const levels = unpacked(array(model, "pixels").data);
  return { labels, classes, networks, pair, places, height, width, levels, asked: model.get("asked") };
}

/** The pictures of the open cell: all of them, and those carried, the surest first; and whose words stand below. */
export function opened(data, { network, cell, pair }) {
  const chosen = data.networks.find(({ name }) => name === network);
  const speaker = pair ? data.networks[pair === "first" ? 1 : 0] : chosen;
  const inCell = (i) => (pair ? data.pair[i] === pair : data.labels[i] === cell[0] && chosen.called[i] === cell[1]);
  const all = [];
  data.labels.forEach((_, i) => inCell(i) && all.push(i));
  const here = all.filter((i) => data.places.has(i)).sort((i, j) => speaker.probability[j] - speaker.probability[i]);
  return { count: all.length, here, speaker, chosen };
}

function paintPicture(canvas, data, picture) {
  const size = data.height * data.width;
  const at = data.places.get(picture) * size;
  paintPixels(canvas, data.levels.subarray(at, at + size), data.height, data.width, gray(15));
}

/** A name that may break after its slash. */
const breaking = (text) => told(text).replace("/", "/\u200b");

// ---- The pictures to be named -----------------------------------------------------------------------------------

/** The picture that is asked for, large, with a button for each class. `give(k)` answers, `skip()` goes on. */
export function quizPart(data, give, skip) {
  const canvas = h("canvas", { class: "bb-cm-large", role: "img" });
  const buttons = data.classes.map((name, k) =>
    button(breaking(name), () => give(k), { class: "bb-button bb-part bb-cm-answer" }),
  );
  const group = h("div", { class: "bb-cm-answers", role: "group", "aria-label": TEXT.answers }, ...buttons);
  const side = h("div", { class: "bb-cm-side" }, group, button(TEXT.skip, skip, { class: "bb-button bb-cm-skip" }));
  const node = h("div", { class: "bb-cm-quiz", "data-part": "question" }, canvas, side);
  const update = (number) => {
    const count = data.asked.length;
    const at = Math.min(number, count - 1);
    paintPicture(canvas, data, data.asked[at]);
    canvas.setAttribute("aria-label", fill(TEXT.picture, { number: at + 1, count }));
  };
  return { node, update };
}

// ---- The matrix -------------------------------------------------------------------------------------------------

/** A picture of each class beside its name. */
function headOf(data, role, k) {
  const icon = h("canvas", { class: "bb-cm-icon", "aria-hidden": "true" });
  const plain = (i) => data.labels[i] === k && data.networks.every(({ called }) => called[i] === k);
  const example = [...data.places.keys()].find(plain);
  if (example !== undefined) paintPicture(icon, data, example);
  const name = h("span", { class: "bb-cm-name" }, breaking(data.classes[k]));
  return h("div", { role, class: "bb-cm-head", title: data.classes[k] }, icon, name);
}

/** The matrix in colors, as a grid that keys move in; the pictures that the reader named lie in their cells. */
export function gridPart(data, open) {
  const { classes } = data;
  const cells = classes.map((_, i) =>
    classes.map((_, j) => h("div", { role: "gridcell", class: "bb-cm-cell", onclick: () => open(i, j) })),
  );
  const row = (...children) => h("div", { role: "row", class: "bb-cm-row" }, ...children);
  const corner = h("div", { role: "gridcell", class: "bb-cm-head" }); // of no column, so it is no header
  const heads = row(corner, ...classes.map((_, k) => headOf(data, "columnheader", k)));
  const rows = classes.map((_, i) => row(headOf(data, "rowheader", i), ...cells[i]));
  const grid = h(
    "div",
    { role: "grid", class: "bb-cm-grid", "aria-label": TEXT.grid, "data-part": "matrix" },
    heads,
    ...rows,
  );
  grid.style.setProperty("--bb-k", classes.length);
  const axes = h("p", { class: "bb-cm-axes", "aria-hidden": "true" });
  const update = ({ chosen }, { guesses, over, cell, pair }) => {
    write(axes, guesses.length ? TEXT.axesYou : TEXT.axes);
    grid.classList.toggle("bb-cm-asking", !over);
    strengths(chosen.matrix).forEach((line, i) =>
      line.forEach((strength, j) => {
        const node = cells[i][j];
        const [color, most] = i === j ? ["mark", 60] : ["positive", 80];
        const shade = most * strength * (over ? 1 : DIMMED);
        node.style.background = `color-mix(in srgb, var(--bb-${color}) ${shade}%, transparent)`;
        node.tabIndex = over && cell[0] === i && cell[1] === j ? 0 : -1;
        node.setAttribute("aria-selected", over && !pair && cell[0] === i && cell[1] === j);
        const words = { truth: classes[i], called: classes[j], value: chosen.matrix[i][j] };
        node.setAttribute("aria-label", fill(TEXT.cellLabel, words));
      }),
    );
  };
  return {
    node: h("div", { class: "bb-cm-matrix" }, axes, grid),
    grid,
    cells,
    update,
    focus: ([i, j]) => cells[i][j].focus(),
  };
}

/** What the reader named, each picture in the cell of its class and of the reader's word. */
export function guessesPart(data, cells) {
  const named = [];
  return (guesses) => {
    while (named.length > guesses.length) named.pop().remove();
    guesses.slice(named.length).forEach((guess) => {
      const picture = data.asked[named.length];
      const right = guess === data.labels[picture];
      const canvas = h("canvas", { class: `bb-cm-you ${right ? "bb-cm-yes" : "bb-cm-no"}`, "aria-hidden": "true" });
      paintPicture(canvas, data, picture);
      cells[data.labels[picture]][guess].append(canvas);
      if (!matchMedia("(prefers-reduced-motion: reduce)").matches) canvas.animate(FALL, 500);
      named.push(canvas);
    });
  };
}

// ---- The pictures of a cell -------------------------------------------------------------------------------------

/** The pictures of the open cell, six at a time; under each how sure the network is of its word. */
export function galleryPart(data, turn) {
  const slots = Array.from({ length: SLOTS }, () => {
    const [canvas, bar, word] = [h("canvas", { role: "img" }), h("span"), h("span", { class: "bb-cm-word" })];
    const node = h("div", { class: "bb-cm-slot" }, canvas, h("span", { class: "bb-cm-sure" }, bar), word);
    return { canvas, bar, word, node };
  });
  const [back, more] = [button(TEXT.back, () => turn(-1)), button(TEXT.more, () => turn(1))];
  const shelf = h(
    "div",
    { class: "bb-cm-slots", role: "group", "aria-label": TEXT.gallery },
    ...slots.map(({ node }) => node),
  );
  const update = ({ here, speaker }, { pair }, page) => {
    const start = page * SLOTS;
    slots.forEach(({ canvas, bar, word, node }, at) => {
      const picture = here[start + at];
      node.style.visibility = picture === undefined ? "hidden" : "";
      if (picture === undefined) return;
      const [truth, called] = [data.labels, speaker.called].map((all) => data.classes[all[picture]]);
      const value = percent(speaker.probability[picture]);
      if (node.dataset.picture !== String(picture)) paintPicture(canvas, data, picture);
      node.dataset.picture = picture;
      canvas.setAttribute("aria-label", fill(TEXT.cellLabel, { truth, called, value }));
      bar.style.width = `${100 * speaker.probability[picture]}%`;
      write(word, pair ? fill(TEXT.called, { called: breaking(called) }) : "");
    });
    back.disabled = page === 0;
    more.disabled = start + SLOTS >= here.length;
  };
  return { node: h("div", { class: "bb-cm-gallery" }, shelf, controls(back, more)), update };
}

// ---- The folds --------------------------------------------------------------------------------------------------

/** The matrix in numbers, with recall and precision at its margins. */
export function numbersPart(view, { classes, labels }) {
  const kinds = setting(view, "numbers", TEXT.view, TEXT.views);
  const [advice, summary] = [hint(), hint()];
  const cells = table(TEXT.numbers, [...classes, TEXT.recall], [...classes, TEXT.precision]);
  const rounded = (value) => (value === null ? TEXT.missing : String(Math.round(value)));
  const update = ({ chosen: { name, matrix } }, numbers) => {
    kinds.set(numbers);
    write(advice, TEXT.hints[numbers]);
    const share = (value) => rounded(value === null ? null : 100 * value);
    const recalls = recallOf(matrix).map(share);
    const rows = cellValues(matrix, numbers).map((line, i) => [...line.map(rounded), recalls[i]]);
    cells.update([...rows, [...precisionOf(matrix).map(share), ""]]);
    const right = matrix.reduce((all, row, i) => all + row[i], 0);
    const count = grouped(labels.length);
    write(summary, fill(TEXT.accuracy, { name, right, count, share: percent(right / labels.length, 1) }));
  };
  return { node: fold(TEXT.numbers, controls(kinds.node), advice, cells.node, summary), update };
}

/** Two networks on the same pictures: four numbers that open their pictures, and McNemar's test of two of them. */
export function comparisonPart(data, pick) {
  const [first, second] = data.networks;
  const counts = Object.fromEntries(PAIRS.map((pair) => [pair, data.pair.filter((one) => one === pair).length]));
  const buttons = Object.fromEntries(
    PAIRS.map((pair) => [
      pair,
      button(String(counts[pair]), () => pick(pair), { class: "bb-button bb-part bb-cm-pair" }),
    ]),
  );
  const cell = (pair) => h("td", {}, buttons[pair]);
  const head = (text, { name }, scope = "col") => h("th", { scope }, fill(text, { name }));
  const rows = [
    h("tr", {}, h("td"), head(TEXT.right, second), head(TEXT.wrong, second)),
    h("tr", {}, head(TEXT.right, first, "row"), cell("both"), cell("first")),
    h("tr", {}, head(TEXT.wrong, first, "row"), cell("second"), cell("neither")),
  ];
  const pairs = h("table", { "aria-label": TEXT.compare }, h("tbody", {}, ...rows));
  const p = exactP(counts.first, counts.second);
  const values = {
    first: first.name,
    second: second.name,
    firstOnly: counts.first,
    secondOnly: counts.second,
    p: p < 0.0001 ? "< 0.0001" : `= ${fixed(p, 4)}`,
  };
  const node = h("div", { class: "bb-numbers bb-cm-pairs" }, pairs, hint(fill(TEXT.test, values)));
  const update = ({ pair }) => PAIRS.forEach((name) => buttons[name].setAttribute("aria-pressed", pair === name));
  return { node, update };
}
