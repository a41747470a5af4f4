import { ARROWS, button, choice, clamp, controls, drag, dropdown, fill, fold, gray, h, hint, keys } from "../kit.js";
import { paintPixels, percent, range, show, sliderKeys, told, write } from "../kit.js";
import { sheet } from "../canvas.js";
import { best, brushed, changed, CHANGES, drawn, MOST_PUSH, MOST_TURN, SIDE, TURN_STEP, TURNS } from "./maths.js";
import { wrapped } from "./maths.js";
import { TEXT } from "./text.js";

const DRAWS = 6;

function paintGray(canvas, x) {
  paintPixels(canvas, x, SIDE, SIDE, gray(1));
}

// ---- The picture ------------------------------------------------------------------------------------------------

/** The picture, which is pushed or erased by dragging. `now()` gives the settings, `tool()` what dragging does. */
export function picturePart(view, now, tool) {
  const canvas = h("canvas", { class: "bb-aug-picture", role: "application", tabindex: 0, "data-part": "picture" });
  const cursor = h("span", { class: "bb-aug-cursor", "aria-hidden": "true" });
  let [from, at] = [null, [14, 14]];
  const place = ({ clientX, clientY }) => {
    const box = canvas.getBoundingClientRect();
    return [(clientY - box.top) / box.height, (clientX - box.left) / box.width].map((share) => share * SIDE);
  };
  const push = (to) => view.set({ push: to.map((one) => clamp(Math.round(one), -MOST_PUSH, MOST_PUSH)) });
  const erase = (to) => {
    at = to.map((one) => clamp(Math.floor(one), 0, SIDE - 1));
    view.set({ erased: [...new Set([...now().erased, ...brushed(...at)])].sort((a, b) => a - b) });
  };
  const begin = (event) => {
    from = { place: place(event), push: now().push };
    if (tool() === "erase") erase(from.place);
  };
  const move = (event) => {
    const to = place(event);
    if (tool() === "erase") erase(to);
    else push(from.push.map((one, axis) => one + to[axis] - from.place[axis]));
  };
  drag(view, canvas, move, begin);
  keys(view, canvas, ({ key }) => {
    const erasing = tool() === "erase";
    if (erasing && (key === "Enter" || key === " ")) return erase(at);
    if (!ARROWS[key]) return false;
    const next = (erasing ? at : now().push).map((one, axis) => one + ARROWS[key][axis]);
    if (!erasing) return push(next);
    at = next.map((one) => clamp(one, 0, SIDE - 1));
    view.repaint();
  });
  const update = (x, label) => {
    const erasing = tool() === "erase";
    paintGray(canvas, x);
    canvas.setAttribute("aria-label", fill(erasing ? TEXT.canvasErase : TEXT.canvas, { label }));
    cursor.hidden = !erasing;
    [cursor.style.top, cursor.style.left] = at.map((one) => `${(100 * (one + 0.5)) / SIDE}%`);
  };
  return { node: h("div", { class: "bb-aug-frame" }, canvas, cursor), update };
}

/** The dot at the picture's corner that turns it; it goes around on a circle. */
export function dotPart(view, frame, now) {
  const dot = h("span", {
    class: "bb-aug-dot",
    role: "slider",
    tabindex: 0,
    "aria-label": TEXT.turn,
    "aria-valuemin": -MOST_TURN,
    "aria-valuemax": MOST_TURN,
    "data-part": "dot",
  });
  const turnTo = (turn) => view.set({ turn: clamp(Math.round(turn), -MOST_TURN, MOST_TURN) });
  drag(view, dot, ({ clientX, clientY }) => {
    const box = frame.getBoundingClientRect();
    const [right, down] = [clientX - box.left - box.width / 2, clientY - box.top - box.height / 2];
    turnTo(wrapped((Math.atan2(down, right) * 180) / Math.PI + 45)); // upright it is at the upper right corner
  });
  sliderKeys(view, dot, { low: -MOST_TURN, high: MOST_TURN, step: 1 }, now, turnTo);
  const update = (turn) => {
    const angle = ((turn - 45) * Math.PI) / 180;
    dot.style.left = `${50 + 53 * Math.cos(angle)}%`;
    dot.style.top = `${50 + 53 * Math.sin(angle)}%`;
    dot.setAttribute("aria-valuenow", turn);
    dot.setAttribute("aria-valuetext", fill(TEXT.degrees, { degrees: show(turn) }));
  };
  return { node: dot, update };
}

/** One bar for each class: the label's is green, the net's choice orange where it is another. */
export function scoresPart(classes) {
  const rows = classes.map((name) => {
    const bar = h("span", { class: "bb-aug-bar" });
    const node = h("li", {}, h("span", { class: "bb-aug-name" }, name), h("span", { class: "bb-aug-track" }, bar));
    return { node, bar, name };
  });
  const node = h("ol", { class: "bb-aug-scores", "aria-label": TEXT.scores }, ...rows.map((row) => row.node));
  const update = (shares, label) => {
    const chosen = best(shares);
    rows.forEach(({ node: row, bar, name }, k) => {
      bar.style.width = `${100 * shares[k]}%`;
      row.setAttribute("aria-label", `${told(name)}: ${percent(shares[k])}`);
      row.classList.toggle("bb-aug-label", k === label);
      row.classList.toggle("bb-aug-wrong", k === chosen && k !== label);
    });
  };
  return { node, update };
}

// ---- The strip ----------------------------------------------------------------------------------------------------

/** How sure the net is of the label at every turn. `shown()` gives the points so far, the label's name, and the turn. */
export function stripPart(view, shown) {
  const { canvas, draw } = sheet({ class: "bb-aug-strip", role: "img" }, "", (context, width, height, colors) => {
    const { points, turn, label } = shown();
    const x = (degrees) => 8 + ((degrees + MOST_TURN) / (2 * MOST_TURN)) * (width - 16);
    const y = (share) => 4 + (1 - share) * (height - 8);
    const half = ((width - 16) * TURN_STEP) / (4 * MOST_TURN);
    context.globalAlpha = 0.16;
    context.fillStyle = colors.positive;
    points.forEach(({ right }, i) => right || context.fillRect(x(TURNS[i]) - half, 0, 2 * half, height));
    context.globalAlpha = 0.35;
    context.fillStyle = colors.ink;
    for (const share of [0, 1]) context.fillRect(0, y(share), width, 1);
    context.globalAlpha = 1;
    context.lineWidth = 2;
    context.strokeStyle = colors.mark;
    context.beginPath();
    points.forEach(({ share }, i) => context.lineTo(x(TURNS[i]), y(share)));
    context.stroke();
    context.fillRect(x(turn) - 1, 0, 2, height);
    canvas.setAttribute("aria-label", fill(TEXT.strip, { label }));
  });
  view.onResize(canvas, draw);
  const middle = h("span");
  const ends = h(
    "div",
    { class: "bb-aug-ends" },
    h("span", {}, TEXT.stripLeft),
    middle,
    h("span", {}, TEXT.stripRight),
  );
  const update = (label) => {
    write(middle, fill(TEXT.upright, { label }));
    draw();
  };
  return { node: h("div", { class: "bb-aug-curve" }, canvas, ends), canvas, update };
}

// ---- The fold -----------------------------------------------------------------------------------------------------

/** A strength in words. */
function amountOf(also, strength) {
  const { largest, step } = CHANGES[also];
  if (!strength && largest === step) return TEXT.none;
  const value = { zoom: 2 ** strength, brightness: 100 * strength, contrast: 100 * strength }[also] ?? strength;
  return fill(TEXT.amounts[also], { amount: show(value, also === "blur" ? 1 : 2) });
}

/** Other changes with their strength, and random draws, which are made only while the fold is open. */
export function morePart(view, now, say, x) {
  const also = dropdown(TEXT.also, Object.entries(TEXT.changes), (name) => {
    view.set({
      also: name,
      strength: Number((CHANGES[name].largest * (CHANGES[name].step === 1 ? 1 : 0.25)).toFixed(2)),
    });
  });
  const strength = range(TEXT.strength, { min: 0 }, (value) => view.set({ strength: value }));
  const slots = Array.from({ length: DRAWS }, () => {
    const [canvas, word] = [h("canvas", { role: "img" }), h("span", {})];
    return { canvas, word, node: h("div", { class: "bb-panel" }, canvas, word) };
  });
  const kept = hint();
  const again = button(TEXT.again, () => view.set({ seed: (now().seed + 1) % 10000 }));
  const draws = h("div", { class: "bb-aug-draws" }, ...slots.map(({ node }) => node));
  const node = fold(TEXT.more, controls(also.node, strength.node), kept, draws, again);
  const update = ({ label, classes }) => {
    const settings = now();
    const { largest, step } = CHANGES[settings.also];
    also.set(settings.also);
    Object.assign(strength.input, { max: largest, step });
    strength.input.disabled = settings.also === "nothing";
    strength.set(settings.strength, amountOf(settings.also, settings.strength));
    if (!node.open) return;
    let right = 0;
    slots.forEach(({ canvas, word }, number) => {
      const one = changed(x(), { ...settings, ...drawn(settings, number), erased: [] });
      const called = best(say(one));
      right += called === label;
      paintGray(canvas, one);
      write(word, fill(called === label ? TEXT.drawRight : TEXT.drawWrong, { name: classes[called] }));
      canvas.setAttribute("aria-label", word.textContent);
    });
    write(kept, fill(TEXT.draws, { right, total: DRAWS }));
  };
  view.listen(node, "toggle", view.repaint);
  return { node, update };
}

/** The pictures to choose from. */
export function thumbnailsPart(pictures, labels, classes, pick) {
  const thumbnail = (k) => {
    const canvas = h("canvas", { role: "img", "aria-label": classes[labels[k]] });
    paintGray(canvas, pictures[k]);
    return canvas;
  };
  return choice(TEXT.pictures, [...labels.keys()], thumbnail, pick, "pictures");
}

/** What dragging the picture does. */
export function toolsPart(pick) {
  return choice(TEXT.tool, Object.keys(TEXT.tools), (name) => TEXT.tools[name], pick);
}
