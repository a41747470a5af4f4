// The worker: it holds one network and answers one question after the other.

import { checksum, decode, network } from "./network.js";

let ready = null;

/** Copies of what is asked for, because the next run writes over it. */
function answer({ pixels, without, taps = [], row = null }) {
  ready.forward(pixels, without);
  const copied = (name) => {
    const { data, side, channels } = ready.tap(name);
    return [name, { data: data.slice(), side, channels }];
  };
  return {
    logits: ready.logits().slice(),
    features: ready.features().slice(),
    taps: Object.fromEntries(taps.map(copied)),
    row: row === null ? null : ready.row(row),
  };
}

const TASKS = {
  async load({ layers, weights, crc, plain }) {
    const bytes = typeof weights === "string" ? decode(weights) : weights;
    if (checksum(bytes) !== crc) throw new Error("damaged");
    ready = await network(layers, bytes, plain);
    return { fast: ready.fast, size: ready.size };
  },
  run: answer,
};

globalThis.onmessage = async ({ data: { id, task, ...given } }) => {
  try {
    postMessage({ id, value: await TASKS[task](given) });
  } catch (error) {
    const kind = error instanceof RangeError ? "memory" : error.message === "damaged" ? "damaged" : "failed";
    postMessage({ id, error: kind, message: String(error) });
  }
};
