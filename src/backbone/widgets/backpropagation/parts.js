import { clamp, compact, drag, enlarged, fill, show, sliderKeys, svg, write } from "../kit.js";
import { edgeOf, FORWARD, layoutOf, LIMIT, pathTo, WAY } from "./maths.js";
import { TEXT } from "./text.js";

const STEP = 0.1;
const PIXELS = 5; // that the pointer moves for one step

/** Three decimals; two digits where that would be 0. */
export function number(value) {
  if (value && Math.abs(value) < 0.01) return compact(value, { digits: 2 });
  return show(value, Math.abs(value) < 10 ? 3 : 2);
}

const handles = ["x1", "w1", "x2", "w2", "b", "t"];

/** One number of the graph: its name, its value, and under it the gradient. A handle is dragged up and down. */
function nodePart(view, name, read, change) {
  const title = svg("text", { class: "bb-bp-name", y: -15 });
  const value = svg("text", { class: "bb-bp-value", y: 4 });
  const gradient = svg("text", { class: "bb-bp-gradient", y: 22 });
  const box = svg("rect", { rx: 6 });
  const kind = handles.includes(name) ? "bb-bp-handle" : "bb-bp-node";
  const node = svg("g", { class: kind, "data-part": name }, box, title, value, gradient);
  if (handles.includes(name)) {
    const limits = { low: -LIMIT, high: LIMIT, step: STEP };
    const put = (to) => change(name, Number(clamp(to, -LIMIT, LIMIT).toFixed(2)));
    let from = [0, 0];
    for (const [key, text] of Object.entries({
      role: "slider",
      tabindex: 0,
      "aria-valuemin": -LIMIT,
      "aria-valuemax": LIMIT,
    }))
      node.setAttribute(key, text);
    const start = (event) => ((from = [event.clientY, read(name)]), change(name, read(name)));
    const steps = (event) => Math.round((from[0] - event.clientY) / (PIXELS * enlarged(node)));
    drag(view, node, (event) => put(from[1] + steps(event) * STEP), start);
    sliderKeys(view, node, limits, () => read(name), put);
    view.listen(node, "focus", () => change(name, read(name)));
  }
  const update = ({ given, values, gradients, seen, activation, picked }) => {
    const known = name in given || seen.forward.has(name);
    write(title, fill(TEXT.names[name], { activation }));
    write(value, known ? number(values[name]) : "");
    write(gradient, seen.back.has(name) ? number(gradients[name]) : "");
    for (const one of [value, gradient]) one.classList.toggle("bb-bp-small", one.textContent.length > 7);
    node.classList.toggle("bb-bp-picked", name === picked);
    if (!(name in given)) return;
    node.setAttribute("aria-valuenow", values[name]);
    node.setAttribute("aria-valuetext", number(values[name]));
    const words = { name: TEXT.names[name], gradient: number(gradients[name] ?? 0) };
    node.setAttribute("aria-label", name === "t" ? TEXT.target : fill(TEXT.handle, words));
  };
  const place = ([x, y], [width, height]) => {
    node.setAttribute("transform", `translate(${x} ${y})`);
    for (const [key, size] of Object.entries({ x: -width / 2, y: -height / 2, width, height }))
      box.setAttribute(key, size);
  };
  return { node, update, place };
}

/** An edge with its local derivative beside it, and the dot that travels on it. */
function edgePart(from, to) {
  const line = svg("path", { class: "bb-bp-edge" });
  const label = svg("text", { class: "bb-bp-local", "data-part": "local" });
  const dot = svg("circle", { class: "bb-bp-dot", r: 6 });
  let layout;
  const update = ({ locals, gradients, seen, path }) => {
    if (!layout) return;
    const text = from === "t" ? "" : fill(TEXT.times, { local: number(locals[from]) });
    const edge = edgeOf([layout.places[from], layout.places[to]], layout.box, layout.wide, text.length);
    line.setAttribute("d", `M${edge.ends.map((end) => end.join(" ")).join("L")}`);
    line.classList.toggle("bb-bp-back", seen.back.has(from) && gradients[from] !== 0);
    line.classList.toggle("bb-bp-none", seen.back.has(from) && gradients[from] === 0);
    line.classList.toggle("bb-bp-way", path.includes(from));
    write(label, text);
    for (const [i, key] of ["x", "y"].entries()) label.setAttribute(key, edge.label[i]);
    const moving = seen.moving.find((one) => one.includes(from) && one.includes(to));
    dot.style.display = moving ? "" : "none";
    if (!moving) return;
    const [start, end] = moving[0] === from ? edge.ends : edge.ends.toReversed();
    dot.setAttribute("cx", start[0] + moving[2] * (end[0] - start[0]));
    dot.setAttribute("cy", start[1] + moving[2] * (end[1] - start[1]));
    dot.classList.toggle("bb-bp-returns", moving[0] === to);
  };
  return { nodes: [line, label], dot, update, place: (now) => (layout = now) };
}

/** The graph. */
export function graphPart(view, read, change) {
  const edges = [...WAY, ["t", "loss"]].map(([from, to]) => edgePart(from, to));
  const names = Object.keys(TEXT.names);
  const nodes = Object.fromEntries(names.map((name) => [name, nodePart(view, name, read, change)]));
  const drawing = svg("svg", { role: "group", "aria-label": TEXT.graph });
  drawing.append(
    ...edges.flatMap((one) => one.nodes),
    ...names.map((name) => nodes[name].node),
    ...edges.map(({ dot }) => dot),
  );
  let width = 0;
  const update = (now) => {
    if (drawing.clientWidth && drawing.clientWidth !== width) {
      width = drawing.clientWidth;
      const layout = layoutOf(width);
      drawing.setAttribute("height", layout.height);
      for (const name of names) nodes[name].place(layout.places[name], layout.box);
      for (const edge of edges) edge.place(layout);
    }
    for (const part of [...Object.values(nodes), ...edges]) part.update(now);
  };
  return { node: drawing, update };
}

/** What is seen now, as a sentence. */
export function sentenceOf({ step, activation, values, locals, gradients, picked }) {
  const whole = Math.floor(step);
  const words = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, number(value)]));
  const forward = ["given", "products", "sum", "activation", "loss"][whole];
  if (forward) return fill(TEXT.says[forward], { ...words, activation });
  const shut = locals.z === 0 && whole > FORWARD.length + 1;
  if (values.loss === 0) return TEXT.says.none;
  if (shut) return fill(TEXT.says.closed, { activation });
  const arrived = WAY[whole - FORWARD.length - 1];
  const last = whole === FORWARD.length + WAY.length;
  const node = last ? picked : arrived[0];
  const [gradient, local] = [gradients[node], locals[node]].map(number);
  const name = fill(TEXT.names[node], { activation });
  if (!last) {
    const why = fill(TEXT.why[node], { activation });
    return fill(TEXT.says.back, { name, incoming: number(gradients[arrived[1]]), local, why, gradient });
  }
  const factor = (value, i) => (i && value < 0 ? fill(TEXT.negative, { value: number(value) }) : number(value));
  const product = pathTo(node)
    .map((one) => locals[one])
    .map(factor)
    .join(TEXT.product);
  return fill(TEXT.says.path, { name, product, gradient, change: number(0.1 * gradients[node]) });
}
