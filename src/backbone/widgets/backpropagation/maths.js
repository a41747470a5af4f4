// What the graph computes, and what of it is seen after so many steps: pure functions, tested against PyTorch.
import { activationFunctions } from "../activations.js";

/** The way back, edge by edge: a node, and the one that its gradient comes from. */
export const WAY = [
  ["a", "loss"],
  ["z", "a"],
  ["b", "z"],
  ["p1", "z"],
  ["p2", "z"],
  ["w1", "p1"],
  ["x1", "p1"],
  ["w2", "p2"],
  ["x2", "p2"],
];
/** What is computed in each step forward. */
export const FORWARD = [["p1", "p2"], ["z"], ["a"], ["loss"]];
export const STEPS = FORWARD.length + WAY.length;
export const LIMIT = 3; // of what the reader sets

/** The values of all nodes, the derivative at the edge behind each, and the gradients of (activation(w x + b) - t)². */
export function run({ x1, w1, x2, w2, b, t }, activation) {
  const { value, derivative } = activationFunctions[activation];
  const [p1, p2] = [x1 * w1, x2 * w2];
  const z = Number((p1 + p2 + b).toFixed(12)); // 0.1 + 0.2 - 0.3 is where ReLU is closed
  const a = value(z);
  const values = { x1, w1, x2, w2, b, t, p1, p2, z, a, loss: (a - t) ** 2 };
  const locals = { a: 2 * (a - t), z: derivative(z), b: 1, p1: 1, p2: 1, w1: x1, x1: w1, w2: x2, x2: w2 };
  const gradients = { loss: 1 };
  for (const [node, from] of WAY) gradients[node] = gradients[from] * locals[node];
  return { values, locals, gradients };
}

/** The nodes from the loss to one, the loss left out. */
export function pathTo(node) {
  const found = WAY.find(([one]) => one === node);
  return found ? [...pathTo(found[1]), node] : [];
}

/** Which nodes have their value and which their gradient after some steps, and what is on its way: [from, to, share]. */
export function reached(step) {
  const whole = Math.floor(step);
  const share = step - whole;
  const forward = new Set(FORWARD.slice(0, whole).flat());
  const back = new Set(whole < FORWARD.length ? [] : ["loss"]);
  for (const [node] of WAY.slice(0, Math.max(0, whole - FORWARD.length))) back.add(node);
  const next = WAY[whole - FORWARD.length];
  const edges = next ? [[next[1], next[0]]] : WAY.filter(([, to]) => FORWARD[whole]?.includes(to));
  return { forward, back, moving: share ? edges.map(([from, to]) => [from, to, share]) : [] };
}

/** Where nodes stand: how deep in the graph, and how far across. */
const PLACES = {
  x1: [0, 0],
  w1: [0, 1],
  x2: [0, 2],
  w2: [0, 3],
  p1: [1, 0.5],
  b: [1, 1.5],
  p2: [1, 2.5],
  z: [2, 1.5],
  a: [3, 1.5],
  loss: [4, 1.5],
  t: [4, 2.8],
};
const [DEEP, ACROSS] = [5, 4];

/** The middle of each node, and a box's size: from left to right where there is room, else from top to bottom. */
export function layoutOf(width) {
  const wide = width >= 544;
  const [unit, row] = [width / (wide ? DEEP : ACROSS), wide ? 74 : 80];
  const middle = ([depth, across]) =>
    wide ? [(depth + 0.5) * unit, (across + 0.5) * row] : [(across + 0.5) * unit, (depth + 0.5) * row];
  const places = Object.fromEntries(Object.entries(PLACES).map(([name, place]) => [name, middle(place)]));
  return { places, wide, box: [Math.min(82, unit - 8), 56], height: row * (wide ? ACROSS : DEEP) };
}

/** The two ends of an edge, at the boxes' sides, and the middle of its label: beside it, or above boxes that are near. */
export function edgeOf([from, to], [width, height], wide, letters) {
  const way = [to[0] - from[0], to[1] - from[1]];
  const cut = Math.min(width / 2 / Math.abs(way[0]), height / 2 / Math.abs(way[1]));
  const at = (share) => [from[0] + share * way[0], from[1] + share * way[1]];
  const across = way[wide ? 1 : 0];
  const long = Math.hypot(...way);
  // Away from what lies between two edges that meet.
  const side = across > 0 === wide || !across ? 1 : -1;
  const normal = [(side * way[1]) / long, (-side * way[0]) / long];
  const over = wide && !way[1] && letters > 7 ? height / 2 : 0;
  const away = 10 + over + Math.abs(normal[0]) * 3.5 * letters;
  const middle = at(0.5);
  // From top to bottom a label stays at the height between the boxes.
  const level = [middle[0] + Math.sign(normal[0]) * (8 + 3.5 * letters), middle[1]];
  return { ends: [at(cut), at(1 - cut)], label: wide ? middle.map((one, i) => one + away * normal[i]) : level };
}
