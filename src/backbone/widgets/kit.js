// The kit: what all widgets share.

import { DATA_WORDS } from "./words.js";

/** A word of the data in the language of the page. */
export const told = (word) => DATA_WORDS.get(word) ?? word;

/** Make an element: h("p", { class: "x", onclick: f, "aria-label": "…" }, "text", child). */
export function h(tag, attributes = {}, ...children) {
  return furnish(document.createElement(tag), attributes, children);
}

/** Make an element of a drawing, as `h` does. */
export function svg(tag, attributes = {}, ...children) {
  return furnish(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function furnish(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null)
      node.setAttribute(name, /^(aria-|title|alt)/.test(name) ? told(value) : value);
  }
  node.append(...children.map(told));
  return node;
}

/** Set an element's text, touching the page only where it changed. */
export function write(node, text) {
  text = told(text);
  if (node.textContent !== text) node.textContent = text;
}

/** Fill the named places of a text: fill("Outputs of {runs}", { runs: "3 runs" }). */
export function fill(template, values) {
  return template.replace(/\{(\w+)\}/g, (place, name) => {
    if (!(name in values)) throw new Error(`no value for ${place} in "${template}"`);
    return told(values[name]);
  });
}

/** A number as the page prints it: a true minus sign, at most `digits` decimals, none that are zero. */
export function show(value, digits = 4) {
  if (Math.abs(value) >= 1e6) return compact(value);
  const text = String(Number(value.toFixed(digits)));
  return text.replace("-", "−");
}

/** A number with all its decimals and a true minus sign; no minus before a zero. */
export function fixed(value, digits) {
  const text = value.toFixed(digits);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
}

/** A number with as many digits as count, "0.235"; outside `from` to `to` two and a power of ten, "1.5×10⁻³¹". */
export function compact(value, { digits = 3, from = 0.001, to = 9999.5 } = {}) {
  const size = Math.abs(value);
  if (size === 0 || !Number.isFinite(value) || (size >= from && size < to)) {
    return String(Number(value.toPrecision(digits))).replace("-", "−");
  }
  const [figures, exponent] = value.toExponential(1).split("e");
  return `${figures.replace("-", "−")}×${powerOfTen(Number(exponent))}`;
}

/** "10⁻³¹". */
export function powerOfTen(exponent) {
  return `10${[...String(exponent)].map((sign) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[sign] ?? "⁻").join("")}`;
}

/** A share in percent, "12.3 %", with more decimals below one percent where `below` says so. */
export function percent(share, digits = 0, below = digits) {
  return `${(100 * share).toFixed(share > 0 && share < 0.01 ? below : digits)}${told(" %")}`;
}

/** A whole number with its thousands apart, "60,000"; a browser's own way takes its first call 25 ms. */
export function grouped(count) {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Read what a person typed: "-1.5", "−1,5" or "1/9"; null where it is no number, or two, as "1,000" is. */
export function parseNumber(text) {
  if (/[1-9]\d{0,2},\d{3}(?!\d)/.test(text)) return null;
  const parts = text
    .replace(/[−–]/g, "-")
    .replace(",", ".")
    .trim()
    .split("/");
  if (parts.length > 2 || parts.some((part) => !/^\s*[+-]?(\d+\.?\d*|\.\d+)\s*$/.test(part))) return null;
  const value = parts.length === 2 ? Number(parts[0]) / Number(parts[1]) : Number(parts[0]);
  return Number.isFinite(value) ? value : null;
}

/** Decode half-precision bits; Float16Array is too new to rely on. */
function fromHalf(bits) {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 25) * (1024 + fraction) : 2 ** -24 * fraction);
}

/** The same of many, in a loop: Float32Array.from with a function takes four times as long. */
function fromHalves(bits) {
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) values[i] = fromHalf(bits[i]);
  return values;
}

const TYPES = {
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
};

/** An `Array` trait: its numbers, row by row, and their shape. The bytes are copied: a live buffer may start anywhere. */
export function array(model, name) {
  const { dtype, shape, data } = model.get(name);
  const view = ArrayBuffer.isView(data) ? data : new DataView(data);
  const bytes = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
  return { shape, data: dtype === "float16" ? fromHalves(new Uint16Array(bytes)) : new TYPES[dtype](bytes) };
}

/** An array's entries along its first axis, each a part of its numbers. */
export function entries({ data, shape: [count] }) {
  const size = data.length / count;
  return Array.from({ length: count }, (_, i) => data.subarray(i * size, (i + 1) * size));
}

/** What a view holds on to: one AbortController, one repaint a frame, and a way to let go of all of it. */
export function scope(model) {
  const controller = new AbortController();
  const cleanups = [];
  let pending = 0;
  return {
    signal: controller.signal,
    endings: new Set(), // what brings to its end what moves
    listen: (target, type, handler, options = {}) =>
      target.addEventListener(type, handler, { signal: controller.signal, ...options }),
    onChange(names, handler) {
      const events = names.map((name) => `change:${name}`);
      for (const event of events) model.on(event, handler);
      cleanups.push(() => events.forEach((event) => model.off(event, handler)));
    },
    onResize(node, handler) {
      // In a frame of its own: what changes a size within the observer's turn is an error of the page.
      let frame = 0;
      const observer = new ResizeObserver(() => {
        frame ||= requestAnimationFrame(() => {
          frame = 0;
          handler();
        });
      });
      observer.observe(node);
      cleanups.push(() => (observer.disconnect(), cancelAnimationFrame(frame)));
    },
    /** Call `handler` when the page turns dark or light: of itself, by its button, in a notebook, or to be printed. */
    onTheme(handler) {
      const observer = new MutationObserver(handler);
      const attributeFilter = ["data-theme", "data-jp-theme-light"];
      for (const node of [document.documentElement, document.body]) observer.observe(node, { attributeFilter });
      const system = matchMedia("(prefers-color-scheme: dark)");
      system.addEventListener("change", handler, { signal: controller.signal });
      cleanups.push(() => observer.disconnect());
    },
    /** Run `paint` once, in the next frame, however often it is asked for. */
    soon(paint) {
      pending ||= requestAnimationFrame(() => {
        pending = 0;
        paint();
      });
    },
    dispose() {
      controller.abort();
      cancelAnimationFrame(pending);
      cleanups.forEach((cleanup) => cleanup());
    },
  };
}

/**
 * A widget. `build(view, model)` makes its elements once and returns { root, paint }. `paint` puts the model's values into
 * them: at first, and in the next frame after one of the `settings` has changed.
 */
export function widget(settings, build) {
  function render({ model, el }) {
    const view = scope(model);
    view.acted = false; // whether anything has changed since the reader opened the page
    view.set = (changes) => {
      for (const [name, value] of Object.entries(changes)) model.set(name, value);
      model.save_changes();
    };
    view.repaint = () => view.soon(paint);
    /** The reader has done something here: nothing invites to it any more. The page's host keeps that for a reload. */
    view.use = () => root.classList.add("bb-used");
    const { root, paint } = build(view, model);
    el.append(root);
    if (el.dataset.used) view.use();
    for (const type of ["click", "keydown", "input"]) view.listen(root, type, (event) => isAct(event) && view.use());
    view.onChange(settings, () => {
      view.acted = true;
      view.use();
      view.repaint();
    });
    view.onTheme(paint); // at once: paper does not wait for a frame
    view.listen(globalThis, "beforeprint", () => (view.endings.forEach((end) => end()), paint()));
    view.listen(document.fonts, "loadingdone", ({ fontfaces }) => fontfaces.some(isOurs) && view.repaint());
    paint();
    return () => {
      view.dispose();
      root.remove();
    };
  }
  return { render };
}

/** Whether letters that came are of the site's own faces, in which figures write; formulas have others. */
const isOurs = ({ family }) => family.includes("Backbone");

/** Whether an event does something, and is no key on the way to something else. */
const isAct = ({ type, key, ctrlKey, metaKey }) =>
  type !== "keydown" || !(ctrlKey || metaKey || ["Tab", "Shift", "Control", "Meta", "Alt"].includes(key));

/** A widget's outermost element, with the name that is read aloud. */
export function body(name, title, ...nodes) {
  return h("div", { class: `bb-widget ${name}`, role: "group", "aria-label": title }, ...nodes);
}

/**
 * The sentence under the picture, which says what is seen now. `say(text)` writes it at once, and has it read aloud once
 * it has stood for half a second, and never before the reader acts.
 */
export function speaker(view) {
  const node = h("p", { class: "bb-says", role: "status" });
  let timer = 0;
  view.signal.addEventListener("abort", () => clearTimeout(timer));
  const announce = (text) => {
    node.setAttribute("aria-live", "polite");
    node.replaceChildren(text); // a new node, or nothing would be heard
  };
  return {
    node,
    say(text) {
      clearTimeout(timer);
      if (node.textContent !== text) {
        node.setAttribute("aria-live", "off"); // words that change while a hand moves are not for the ear
        write(node, text);
      }
      if (view.acted && text) timer = setTimeout(() => announce(text), 500);
    },
  };
}

/** A row of controls. */
export function controls(...nodes) {
  return h("div", { class: "bb-controls" }, ...nodes);
}

/** A line that says what to do or how to read something. */
export function hint(text = "") {
  return h("p", { class: "bb-hint" }, text);
}

/** The picture, on which handles, answers and an invitation may lie. */
export function stage(...nodes) {
  return h("div", { class: "bb-stage" }, ...nodes);
}

/** What to do first, verb first, at the handle; gone once the figure is used. */
export function invitation(text) {
  return h("p", { class: "bb-invite" }, text);
}

/**
 * A question that the figure asks before it shows. `answers` are the values of the setting `name` with what stands on their
 * buttons, which may lie on the picture. `update(given, truth)` locks them and marks the reader's answer and the true one.
 * `fresh()` says whether an answer is the last thing that the reader did: so long the sentence speaks of it.
 */
export function question(view, name, text, answers) {
  let fresh = false;
  const answer = (value) => ((fresh = true), view.set({ [name]: value }));
  const make = ([value, face]) => [value, button(face, () => answer(value), { class: "bb-button bb-answers" })];
  const buttons = new Map(Object.entries(answers).map(make));
  const update = (given, truth) => {
    for (const [value, node] of buttons) {
      node.disabled = Boolean(given);
      node.classList.toggle("bb-given", value === given);
      node.classList.toggle("bb-true", Boolean(given) && value === truth);
    }
  };
  const node = h("p", { class: "bb-question" }, text);
  for (const type of ["pointerdown", "keydown", "click", "input"]) {
    const here = ({ target }) => node.closest(".bb-widget")?.contains(target) && !target.closest(".bb-answers");
    view.listen(document, type, (event) => here(event) && isAct(event) && (fresh = false), { capture: true });
  }
  return { node, buttons, update, fresh: () => fresh };
}

/** A table for a fold of numbers: `update(rows)` writes its cells. `columns` name them, unless all are "", `names` the rows. */
export function table(label, columns, names) {
  const cells = names.map(() => columns.map(() => h("td")));
  const headOf = (name) => (name ? h("th", { scope: "col" }, name) : h("td"));
  const head = h("tr", {}, h("td"), ...columns.map(headOf));
  const rows = names.map((name, i) => h("tr", {}, h("th", { scope: "row" }, name), ...cells[i]));
  const whole = h("table", {}, ...(columns.some(Boolean) ? [h("thead", {}, head)] : []), h("tbody", {}, ...rows));
  const update = (texts) => cells.forEach((row, i) => row.forEach((cell, j) => write(cell, texts[i][j])));
  // Where it is too wide it scrolls in itself, by keys too.
  return { node: h("div", { class: "bb-numbers", role: "group", "aria-label": label, tabindex: 0 }, whole), update };
}

/** What opens on a click. */
export function fold(title, ...nodes) {
  return h("details", { class: "bb-fold" }, h("summary", {}, title), ...nodes);
}

/** Radio buttons in a labelled group. `face(option)` gives what stands on each; the chosen value goes to `pick`. */
export function choice(label, options, face, pick, kind = "segmented") {
  // Random, since each widget on a page has a kit of its own: buttons of one name exclude each other.
  const name = `bb-${Math.random().toString(36).slice(2)}`;
  const inputs = new Map();
  const node = h("fieldset", { class: `bb-choice bb-${kind}` }, h("legend", {}, label));
  for (const option of options) {
    const input = h("input", { type: "radio", name, value: option, onchange: () => pick(option) });
    inputs.set(option, input);
    const shown = face(option);
    if (shown instanceof Element && shown.matches("[role=img]")) {
      input.setAttribute("aria-label", shown.getAttribute("aria-label"));
      shown.setAttribute("aria-hidden", "true"); // a picture that is a face would be named twice
    }
    node.append(h("label", { title: kind === "pictures" ? option : null }, input, shown));
  }
  return {
    node,
    set: (value) => inputs.forEach((input, option) => (input.checked = option === value)),
  };
}

/**
 * Radio buttons for one of the settings. `texts` are the values with what stands on each, { value: text } or [[value, text]],
 * or the values alone; `also` is set with each of them.
 */
export function setting(view, name, label, texts, also = {}) {
  const pairs = Array.isArray(texts)
    ? texts.map((one) => (Array.isArray(one) ? one : [one, one]))
    : Object.entries(texts);
  const faces = new Map(pairs);
  const pick = (value) => view.set({ [name]: value, ...also });
  return choice(label, [...faces.keys()], (value) => String(faces.get(value)), pick);
}

/** A button. */
export function button(label, press, attributes = {}) {
  return h("button", { type: "button", class: "bb-button", onclick: press, ...attributes }, label);
}

/**
 * A button that starts and stops `step(seconds)`, called in every frame with what has passed since the last, until it
 * answers false. It rests where it is not seen; where the reader asked for less motion it is called twice a second.
 * `work` is called in every frame all the same: what it does is seen in `step` alone. `rest` follows when the clock stops.
 */
export function clock(view, text, step, { work = () => {}, rest = () => {} } = {}) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let [running, last] = [false, 0];
  const play = button(text.play, () => run(!running), { class: "bb-button bb-primary" });
  function run(on) {
    if (on === running) return;
    running = on;
    write(play, on ? text.pause : text.play);
    last = performance.now();
    if (!on) return (seen.disconnect(), rest());
    seen.observe(play.closest(".bb-widget") ?? play);
    requestAnimationFrame(tick);
  }
  function tick(now) {
    if (!running) return;
    work();
    const passed = (now - last) / 1000;
    if (passed > 0 && (!calm.matches || passed >= 0.5)) {
      last = now;
      if (!step(Math.min(passed, 1))) return run(false);
    }
    requestAnimationFrame(tick);
  }
  const seen = new IntersectionObserver((entries) => entries.at(-1).isIntersecting || run(false));
  view.signal.addEventListener("abort", () => (seen.disconnect(), run(false)));
  return { play, run, running: () => running };
}

/** Wait until the browser has nothing else to do, or a second at most. */
export function idle() {
  const wait = globalThis.requestIdleCallback ?? ((done) => setTimeout(done, 100));
  return new Promise((done) => wait(done, { timeout: 1000 }));
}

/** Call `step(share)` with 0 to 1 while `seconds` pass; with 1 at once where the reader asked for less motion. */
export function glide(view, seconds, step) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return step(1);
  const start = performance.now();
  let share = 0;
  const go = (to) => {
    if (share < 1) step((share = to));
    if (share === 1) view.endings.delete(end);
  };
  const end = () => go(1);
  const tick = (now) => {
    if (view.signal.aborted) return;
    go(Math.min(1, Math.max(0, now - start) / (1000 * seconds)));
    if (share < 1) requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
  view.endings.add(end);
}

/** Play, step and speed. `advance(count)` moves on and answers whether there is more. */
export function player(view, text, advance) {
  const perSecond = { [text.slow]: 4, [text.medium]: 60, [text.fast]: 1500 };
  let [speed, owed] = [text.medium, 1];
  const { play, run } = clock(view, text, (passed) => {
    owed += passed * perSecond[speed];
    const due = Math.floor(owed);
    owed -= due;
    return !due || advance(due);
  });
  const step = button(text.step, () => (run(false), advance(1)));
  const speeds = choice(
    text.speed,
    Object.keys(perSecond),
    (name) => name,
    (name) => (speed = name),
  );
  speeds.set(speed);
  return { node: controls(play, step, speeds.node), stop: () => run(false) };
}

/**
 * A process that can be watched and scrubbed both ways: Play, and a slider of its steps, 0 to `last`. `now()` is the step,
 * `go(step)` sets it; while it plays, `go` gets steps between two whole ones, and the whole takes `seconds`.
 */
export function film(view, text, { last, seconds, now, go }) {
  const { play, run, running } = clock(view, text, (passed) => {
    const next = Math.min(last, now() + (passed * last) / seconds);
    go(next);
    return next < last;
  });
  play.addEventListener("click", () => now() >= last && go(0)); // at its end it begins again
  view.endings.add(() => running() && (run(false), go(last)));
  const bar = range(text.step, { min: 0, max: last, step: 1 }, (step) => (run(false), go(step)));
  return { node: controls(play, bar.node), play, set: bar.set, start: () => run(true), stop: () => run(false) };
}

/** A slider with its label and its value. `set(at, text, said)` moves it and writes the value; `said` is read aloud. */
export function range(label, limits, change) {
  const input = h("input", { type: "range", "aria-label": label, ...limits });
  input.addEventListener("input", () => change(Number(input.value)));
  const value = h("output", { "aria-hidden": "true" }); // the slider says it; of itself an output is read at each change
  const node = h(
    "label",
    { class: "bb-field bb-range" },
    h("span", {}, label),
    h("span", { class: "bb-track" }, input, value),
  );
  const set = (at, text = show(at), said = text) => {
    if (input.value !== String(at)) input.value = at;
    write(value, text);
    input.setAttribute("aria-valuetext", said);
  };
  return { node, input, set };
}

/** A drop-down list with its label. An option that is no longer offered shows nothing chosen. */
export function dropdown(label, options, pick) {
  const select = h("select", { onchange: () => pick(select.value) });
  for (const [value, text] of options) select.append(h("option", { value }, text));
  return {
    node: h("label", { class: "bb-field" }, h("span", {}, label), select),
    set: (value) => (select.value = value),
  };
}

/** A cell that holds a number: typed, or stepped by the arrow keys or the wheel (by 1; with Shift by 0.1). */
export function numberCell(label, limit, change) {
  const input = h("input", { class: "bb-cell", type: "text", autocomplete: "off", "aria-label": label });
  let shown = "";
  const accept = (value) => {
    const bad = value === null || Math.abs(value) > limit;
    if (bad) input.setAttribute("aria-invalid", "true");
    else {
      input.removeAttribute("aria-invalid");
      change(value);
    }
    return !bad;
  };
  const nudge = (event, up) => {
    event.preventDefault();
    const value = Number(((parseNumber(input.value) ?? 0) + (up ? 1 : -1) * (event.shiftKey ? 0.1 : 1)).toFixed(6));
    if (accept(value)) input.value = show(value);
  };
  input.addEventListener("input", () => accept(parseNumber(input.value)));
  input.addEventListener("focus", () => input.select());
  input.addEventListener("blur", () => {
    input.value = shown;
    input.removeAttribute("aria-invalid");
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowUp" || event.key === "ArrowDown") nudge(event, event.key === "ArrowUp");
  });
  // Only in the cell the reader is in: elsewhere the wheel scrolls the page.
  const wheel = (event) => document.activeElement === input && nudge(event, (event.deltaY || event.deltaX) < 0);
  input.addEventListener("wheel", wheel, { passive: false });
  return {
    node: input,
    set(text) {
      shown = text;
      if (document.activeElement !== input) input.value = text;
    },
    refresh: () => (input.value = shown),
  };
}

/** About `count` round numbers in a range. */
export function ticksOf(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough * 0.8);
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) =>
    Number(((first + i) * step).toFixed(9)),
  );
}

/** A value, held within limits. */
export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** A path through points, "M0,1L2,3". */
export function pathOf(points, digits = 2) {
  return points.length ? `M${points.map((point) => point.map((at) => at.toFixed(digits)).join()).join("L")}` : "";
}

/** Keep the last answer while the arguments that `key` names stay the same. */
export function remember(compute) {
  let last = {};
  return (key, ...rest) => (last.key === key ? last.value : (last = { key, value: compute(...rest) }).value);
}

/** How much larger than made a node is shown (page.js). */
export const enlarged = (node) => Number(getComputedStyle(node).getPropertyValue("--bb-larger")) || 1;

/**
 * Call `move(event)` where a node is pressed, and while the pointer is dragged from there. What a finger presses counts
 * once it moves aside or is lifted: till then it may be about to scroll the page.
 */
export function drag(view, node, move, start = move) {
  let finger = null;
  const begin = () => finger && (start(finger), (finger = null));
  const aside = ({ clientX, clientY }) =>
    Math.abs(clientX - finger.clientX) >= Math.abs(clientY - finger.clientY) ||
    getComputedStyle(node).touchAction === "none";
  view.listen(node, "pointerdown", (event) => {
    if (event.button) return;
    node.setPointerCapture(event.pointerId);
    if (event.pointerType === "touch") finger = event;
    else start(event);
  });
  view.listen(node, "pointermove", (event) => {
    if (!node.hasPointerCapture(event.pointerId) || (finger && !aside(event))) return;
    begin();
    move(event);
  });
  view.listen(node, "pointerup", begin);
  view.listen(node, "pointercancel", () => (finger = null));
}

/** How far an arrow key goes, down and to the right. */
export const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** Call `press(event)` for a key on a node, but not for the browser's own; it answers false where the key means nothing. */
export function keys(view, node, press) {
  view.listen(node, "keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (press(event) !== false) event.preventDefault();
  });
}

/** The keys of a slider on a node: arrows by a step, Page Up and Page Down and arrows with Shift by ten, Home and End. */
export function sliderKeys(view, node, { low, high, step }, now, moveTo) {
  const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageUp: 10, PageDown: -10 };
  keys(view, node, ({ key, shiftKey }) => {
    if (!steps[key] && key !== "Home" && key !== "End") return false;
    moveTo(steps[key] ? now() + steps[key] * step * (shiftKey ? 10 : 1) : key === "Home" ? low : high);
  });
}

/** Paint values on a canvas of one pixel each; `color(value, bytes, at)` writes red, green, blue and opacity. */
export function paintPixels(canvas, values, height, width, color) {
  canvas.width = width;
  canvas.height = height;
  const image = new ImageData(width, height);
  const { data } = image; // asked for once: each time costs as much as a pixel
  for (let i = 0; i < values.length; i++) color(values[i], data, 4 * i);
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** Paint a picture, black at 0: one plane of values in gray, or three as red, green and blue. */
export function paintPlanes(canvas, planes, height, width, top) {
  const [red, green, blue] = [0, 1, 2].map((c) => planes[planes.length === 3 ? c : 0]);
  paintPixels(canvas, red, height, width, (value, bytes, at) => {
    bytes[at] = (255 * value) / top;
    bytes[at + 1] = (255 * green[at / 4]) / top;
    bytes[at + 2] = (255 * blue[at / 4]) / top;
    bytes[at + 3] = 255;
  });
}

/** Gray from black at 0 to white at `top`. */
export function gray(top) {
  return (value, bytes, at) => {
    bytes[at] = bytes[at + 1] = bytes[at + 2] = (255 * value) / top;
    bytes[at + 3] = 255;
  };
}

/** The diverging scale: the sign chooses the color, the size its opacity; zero is the page's background. */
export function signed(limit, positive, negative) {
  const scale = limit ? 255 / limit : 0;
  return (value, bytes, at) => {
    const color = value < 0 ? negative : positive;
    bytes[at] = color[0];
    bytes[at + 1] = color[1];
    bytes[at + 2] = color[2];
    bytes[at + 3] = Math.abs(value) * scale;
  };
}

/** The diverging scale in the two colors of the page that a node is on. */
export function diverging(node, limit) {
  return signed(limit, paletteColor(node, "positive"), paletteColor(node, "negative"));
}

/** A color of the palette, "#rrggbb", as three numbers. */
export function paletteColor(node, name) {
  const hex = getComputedStyle(node).getPropertyValue(`--bb-${name}`).trim();
  return [1, 3, 5].map((start) => parseInt(hex.slice(start, start + 2), 16));
}
