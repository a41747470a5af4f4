import { clamp } from "../kit.js";
import { softmax } from "../engine/maths.js";
import { lenetForward } from "../lenet.js";
// What the augmentation explorer computes: pure functions, tested against PyTorch.

export const SIDE = 28;
const PIXELS = SIDE * SIDE;
export const MOST_TURN = 180;
export const MOST_PUSH = 20;
const BRUSH = 5; // pixels across that one touch erases
export const TURN_STEP = 6; // between two turns of the strip
export const ANSWERS = { few: 20, some: 45, many: 90 }; // degrees

/** Uniform numbers in [0, 1) from a seed (mulberry32). */
export function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Standard normal numbers (Box and Muller). */
export function normals(random, count) {
  return Float64Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  );
}

/** A picture built by fetching: the value at (row, column) is `fetch(row, column)`. */
function built(fetch) {
  return Float64Array.from({ length: PIXELS }, (_, at) => fetch(Math.floor(at / SIDE), at % SIDE));
}

/** The pixel at a place; black outside. */
function pixel(x, row, column) {
  return row < 0 || column < 0 || row >= SIDE || column >= SIDE ? 0 : x[row * SIDE + column];
}

/** Fetch each pixel from where a 2 x 2 matrix sends it, seen from the center, mixing the four neighbors. */
function sampled(x, [a, b, c, d]) {
  const center = (SIDE - 1) / 2;
  return built((i, j) => {
    const [v, u] = [i - center, j - center];
    const [column, row] = [center + a * u + b * v, center + c * u + d * v];
    const [left, top] = [Math.floor(column), Math.floor(row)];
    const [fx, fy] = [column - left, row - top];
    return (
      (1 - fy) * ((1 - fx) * pixel(x, top, left) + fx * pixel(x, top, left + 1)) +
      fy * ((1 - fx) * pixel(x, top + 1, left) + fx * pixel(x, top + 1, left + 1))
    );
  });
}

const clamped = (value) => clamp(value, 0, 1);
const mean = (x) => x.reduce((sum, value) => sum + value, 0) / x.length;

/** A Gaussian blur, first along the rows, then along the columns; black outside. */
function blurred(x, deviation) {
  if (!deviation) return x;
  const reach = Math.floor(3 * deviation + 0.5);
  const bell = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-0.5 * ((i - reach) / deviation) ** 2));
  const total = bell.reduce((sum, weight) => sum + weight, 0);
  const along = (from, down, right) =>
    built((i, j) =>
      bell.reduce(
        (sum, weight, k) => sum + (weight / total) * pixel(from, i + down * (k - reach), j + right * (k - reach)),
        0,
      ),
    );
  return along(along(x, 0, 1), 1, 0);
}

/** The other changes: the largest strength and the step of each; `shape` ones come before the turn, the rest after it. */
export const CHANGES = {
  nothing: { largest: 1, step: 1, shape: true, apply: (x) => x },
  mirror: {
    largest: 1,
    step: 1,
    shape: true,
    apply: (x, on) => (on ? built((i, j) => pixel(x, i, SIDE - 1 - j)) : x),
  },
  upside_down: {
    largest: 1,
    step: 1,
    shape: true,
    apply: (x, on) => (on ? built((i, j) => pixel(x, SIDE - 1 - i, j)) : x),
  },
  zoom: { largest: 2, step: 0.05, shape: true, apply: (x, power) => sampled(x, [2 ** -power, 0, 0, 2 ** -power]) },
  brightness: { largest: 1, step: 0.02, apply: (x, less) => x.map((value) => clamped(value * (1 - less))) },
  contrast: {
    largest: 1,
    step: 0.02,
    apply: (x, less) => {
      const middle = mean(x);
      return x.map((value) => clamped(middle + (1 - less) * (value - middle)));
    },
  },
  noise: {
    largest: 1,
    step: 0.02,
    apply: (x, deviation, seed) => {
      const noise = normals(generator(seed), PIXELS);
      return x.map((value, at) => clamped(value + deviation * noise[at]));
    },
  },
  blur: { largest: 6, step: 0.1, apply: (x, deviation) => blurred(x, deviation) },
};

/** The picture turned clockwise by an angle in degrees. */
export function turned(x, degrees) {
  const angle = (-degrees * Math.PI) / 180;
  return sampled(x, [Math.cos(angle), -Math.sin(angle), Math.sin(angle), Math.cos(angle)]);
}

/** The picture pushed by whole pixels; what comes in is black. */
export function pushed(x, [down, right]) {
  return built((i, j) => pixel(x, i - down, j - right));
}

/** The picture after all that was done to it: another change, a turn, a push, and at last black where it was erased. */
export function changed(x, { also, strength, turn, push, erased, seed }) {
  const { shape, apply } = CHANGES[also];
  const shaped = shape ? apply(x, strength) : x;
  const moved = pushed(turn ? turned(shaped, turn) : shaped, push);
  const result = Float64Array.from(shape ? moved : apply(moved, strength, seed));
  for (const at of erased) result[at] = 0;
  return result;
}

/** The pixels that one touch of the brush erases, by their numbers. */
export function brushed(row, column) {
  const half = Math.floor(BRUSH / 2);
  const found = [];
  for (let i = Math.max(0, row - half); i <= Math.min(SIDE - 1, row + half); i++) {
    for (let j = Math.max(0, column - half); j <= Math.min(SIDE - 1, column + half); j++) found.push(i * SIDE + j);
  }
  return found;
}

/** A random draw: a turn and a push of at most those given, either way. It depends on the seed and the draw's number. */
export function drawn({ turn, push, seed }, number) {
  // Neighboring seeds give neighboring first numbers; the factor sends them far apart.
  const random = generator(Math.imul(seed * 64 + number + 1, 0x9e3779b1));
  const most = Math.max(...push.map(Math.abs));
  const whole = (share) => Math.min(Math.floor(share * (2 * most + 1)), 2 * most) - most;
  return { turn: Math.abs(turn) * (2 * random() - 1), push: [whole(random()), whole(random())] };
}

/** The net's probabilities for a picture with values in [0, 1]. */
export function classify(parameters, [average, deviation], x) {
  return softmax(
    lenetForward(
      parameters,
      x.map((value) => (value - average) / deviation),
    ).fc3,
  );
}

export const best = (shares) => shares.indexOf(Math.max(...shares));

/** The turns of the strip, from the largest to the left to the largest to the right. */
export const TURNS = Array.from({ length: (2 * MOST_TURN) / TURN_STEP + 1 }, (_, i) => i * TURN_STEP - MOST_TURN);

/** The smallest clockwise turn at which a net that says `say(turn)` leaves the label; the largest if it never does. */
export function firstWrong(say, label) {
  let turn = 0;
  while (turn < MOST_TURN && say(turn) === label) turn += 3;
  return turn;
}

/** The answer that is nearest to a turn. */
export function nearest(turn) {
  const far = (name) => Math.abs(Math.log((turn + 1) / ANSWERS[name]));
  return Object.keys(ANSWERS).reduce((one, other) => (far(other) < far(one) ? other : one));
}

/** An angle between -180 and 180. */
export function wrapped(degrees) {
  return ((((degrees + MOST_TURN) % 360) + 360) % 360) - MOST_TURN;
}
