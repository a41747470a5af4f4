// Runs a packed network (backbone.pretrained.pack): one memory, two kernels, channels last.

import { KERNELS } from "./kernels.js";
import { scriptKernels } from "./script.js";

const SIDE = 224; // of a picture, in pixels
const SPARE = 8; // places behind a map that a kernel may touch
const PAGE = 65536; // bytes in which memory is counted

/** Bytes from base64. */
export function decode(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

/** CRC-32, as zlib has it. */
export function checksum(bytes) {
  const table = Uint32Array.from({ length: 256 }, (_, n) => {
    for (let bit = 0; bit < 8; bit++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
    return n;
  });
  let rest = ~0;
  for (let i = 0; i < bytes.length; i++) rest = table[(rest ^ bytes[i]) & 255] ^ (rest >>> 8);
  return ~rest >>> 0;
}

/** All 65,536 half-precision numbers. */
function halves() {
  return Float32Array.from({ length: 65536 }, (_, bits) => {
    const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
    const size = exponent ? 2 ** (exponent - 25) * (1024 + fraction) : 2 ** -24 * fraction;
    return bits & 0x8000 ? -size : size;
  });
}

/** How many numbers each output of a layer looks at. */
const reachOf = ({ kind, kernel, inputs }) => (kind === "depthwise" ? 1 : inputs) * kernel * kernel;

/** Where everything lies in memory, in bytes, and how large it must be. */
function plan(layers) {
  let top = 1024;
  const take = (numbers) => {
    const at = top;
    top += Math.ceil((4 * numbers) / 64) * 64;
    return at;
  };
  let [side, largest] = [SIDE, 0];
  const steps = layers.map((layer) => {
    const before = side;
    side = layer.kind === "linear" ? 1 : Math.ceil(side / layer.stride);
    const room = (side * side + SPARE) * layer.outputs;
    largest = Math.max(largest, room);
    const pad = Math.max((side - 1) * layer.stride + layer.kernel - before, 0) >> 1;
    const [w, b] = [take(reachOf(layer) * layer.outputs), take(layer.outputs)];
    return { ...layer, before, side, pad, w, b, kept: layer.tap ? take(room) : 0 };
  });
  const [first, last] = [steps[0], steps.at(-1)];
  const columns = take((first.side ** 2 + SPARE) * reachOf(first));
  const [here, there] = [take(largest), take(largest)];
  return { steps, columns, here, there, features: take(last.inputs * (SPARE + 1)), bytes: top + PAGE };
}

/** Put a layer's weights into memory: eight outputs side by side for the pointwise kernel, channels last for the other. */
function unpack(F, step, bytes, half) {
  const reach = reachOf(step);
  const count = reach * step.outputs;
  const floats = (at, length) => new Float32Array(bytes.slice(at, at + 4 * length).buffer);
  F.set(floats(step.bias, step.outputs), step.b / 4);
  const exact = step.scales < 0;
  const packed = bytes.slice(step.weights, step.weights + (exact ? 2 : 1) * count).buffer;
  const values = exact ? new Uint16Array(packed) : new Int8Array(packed);
  const scales = exact ? null : floats(step.scales, step.outputs);
  const across = step.kind === "depthwise";
  for (let o = 0; o < step.outputs; o++) {
    let to = step.w / 4 + (across ? o : (o >> 3) * reach * 8 + (o & 7));
    for (let i = o * reach, end = i + reach; i < end; i++, to += across ? step.outputs : 8)
      F[to] = exact ? half[values[i]] : values[i] * scales[o];
  }
}

/** The memory, and kernels over it: WebAssembly where the browser allows it. */
async function prepare(bytes, plain) {
  const pages = Math.ceil(bytes / PAGE);
  if (!plain && globalThis.WebAssembly) {
    try {
      const code = await WebAssembly.compile(decode(KERNELS));
      const memory = new WebAssembly.Memory({ initial: pages });
      const { exports } = await WebAssembly.instantiate(code, { engine: { memory } });
      return { F: new Float32Array(memory.buffer), kernels: exports, fast: true };
    } catch (error) {
      if (error instanceof RangeError) throw error; // too little memory; a second try would need as much
    }
  }
  const F = new Float32Array((pages * PAGE) / 4);
  return { F, kernels: scriptKernels(F), fast: false };
}

/** The windows of the first layer, one a row, as its weights stand. */
function spread(F, at, pixels, { side, stride, kernel, pad }) {
  const colors = pixels.length / (SIDE * SIDE); // 3, or 4 where opacity stands behind them
  let to = at / 4;
  for (let place = 0; place < side * side; place++) {
    const [top, left] = [Math.floor(place / side) * stride - pad, (place % side) * stride - pad];
    for (let tap = 0; tap < kernel * kernel; tap++, to += 3) {
      const [y, x] = [top + Math.floor(tap / kernel), left + (tap % kernel)];
      const inside = y >= 0 && y < SIDE && x >= 0 && x < SIDE;
      const from = (y * SIDE + x) * colors;
      for (let c = 0; c < 3; c++) F[to + c] = inside ? (pixels[from + c] - 127) / 128 : 0;
    }
  }
}

/** The mean of each channel over all places. */
function average(F, at, from, places, channels) {
  const [to, x] = [at / 4, from / 4];
  F.fill(0, to, to + channels);
  for (let p = 0; p < places; p++) for (let c = 0; c < channels; c++) F[to + c] += F[x + p * channels + c];
  for (let c = 0; c < channels; c++) F[to + c] /= places;
}

/**
 * The network, ready to run. `layers` are the records of `pack`, `bytes` its data, `plain` asks for the slow kernels.
 *
 * `forward(pixels, without)` takes 224 x 224 pixels, 0 to 255, red, green, blue and perhaps opacity, and leaves what
 * `tap(name)` reads: { data, side, channels }, channels last, valid until the next run. `without` cuts blocks:
 * { "_blocks.4": "branch" } passes the input on alone, "skip" leaves it out.
 */
export async function network(layers, bytes, plain = false) {
  const { steps, columns, here, there, features, bytes: size } = plan(layers);
  const { F, kernels, fast } = await prepare(size, plain);
  const half = halves();
  for (const step of steps) unpack(F, step, bytes, half);

  function forward(pixels, without = {}) {
    spread(F, columns, pixels, steps[0]);
    let [x, saved] = [columns, 0];
    for (const step of steps) {
      const places = step.side ** 2;
      const y = step.kept || (x === here ? there : here);
      if (step.kind === "depthwise") {
        const { before, outputs, kernel, stride, pad, side } = step;
        kernels.depthwise(x, step.w, step.b, y, before, outputs, kernel, stride, pad, side);
      } else {
        const cut = step.adds && without[step.tap];
        if (step.kind === "linear") average(F, features, x, step.before ** 2, step.inputs);
        const more = step.adds && cut !== "skip" ? saved : 0;
        const from = step.kind === "linear" ? features : x;
        kernels.pointwise(from, step.w, step.b, y, more, places, reachOf(step), step.outputs, Number(step.relu6));
        if (cut === "branch") F.copyWithin(y / 4, saved / 4, saved / 4 + places * step.outputs);
      }
      x = y;
      if (step.tap) saved = x;
    }
  }

  const last = steps.at(-1);
  const view = (at, length) => F.subarray(at / 4, at / 4 + length);
  return {
    fast,
    size: F.byteLength,
    forward,
    tap(name) {
      const step = steps.find(({ tap }) => tap === name);
      return { data: view(step.kept, step.side ** 2 * step.outputs), side: step.side, channels: step.outputs };
    },
    logits: () => view(last.kept, last.outputs),
    features: () => view(features, last.inputs),
    /** The weights of one class, one for each feature, and its bias. */
    row: (c) => ({
      weights: Float32Array.from(
        { length: last.inputs },
        (_, i) => F[last.w / 4 + (c & ~7) * last.inputs + 8 * i + (c & 7)],
      ),
      bias: F[last.b / 4 + c],
    }),
  };
}
