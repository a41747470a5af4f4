// The page's side of the engine: asks for a network once, starts its worker, and passes questions to it.

const PATIENCE = 60_000; // ms until a notebook's kernel counts as silent

/** Networks that are loaded or on their way, for all figures of the page: name -> promise. */
const shared = () => (globalThis.backboneLoaded ??= new Map());

/** The network if it has been asked for on this page, else undefined. */
export const asked = (model) => shared().get(nameOf(model));

const nameOf = (model) => `${model.get("network")} ${model.get("crc")}`;

/**
 * Load the model's network, or join those who have: `run({ pixels, without, taps, row })` answers as worker.js says.
 * It fails with an error whose `kind` is "missing", "damaged", "memory", "silent", "worker" or "failed"; then the next call tries
 * again.
 */
export function load(model) {
  const name = nameOf(model);
  if (!shared().has(name)) {
    const coming = fetchParts(model).then((parts) => start(parts, model.get("crc")));
    shared().set(name, coming);
    coming.catch(() => shared().delete(name));
  }
  return shared().get(name);
}

function failure(kind, message = kind) {
  return Object.assign(new Error(message), { kind });
}

/** Ask Python for the network; on a page of the book the host answers in its place. */
function fetchParts(model) {
  return new Promise((done, fail) => {
    const timer = setTimeout(() => finish(() => fail(failure("silent"))), PATIENCE);
    const finish = (then) => {
      clearTimeout(timer);
      model.off("msg:custom", hear);
      then();
    };
    const hear = (content, buffers = []) => {
      if (content?.answer !== "network") return;
      if (content.error) finish(() => fail(failure(content.error)));
      else finish(() => done({ ...content, weights: content.weights ?? bytesOf(buffers[0]) }));
    };
    model.on("msg:custom", hear);
    model.send({ ask: "network" });
  });
}

/** A copy, which a worker can take over. */
function bytesOf(view) {
  return new Uint8Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

/** From a file of the page's own origin where there is one, for a policy may forbid "blob:"; a folder and a notebook have none. */
function makeWorker({ engine, address }) {
  if (address && location.protocol.startsWith("http")) return new Worker(address);
  const url = URL.createObjectURL(new Blob([engine], { type: "text/javascript" }));
  const worker = new Worker(url);
  setTimeout(() => URL.revokeObjectURL(url), PATIENCE);
  return worker;
}

/** Start the worker and give it the network. */
async function start(parts, crc) {
  const waiting = new Map();
  let count = 0;
  const worker = makeWorker(parts);
  worker.onmessage = ({ data: { id, value, error, message } }) => {
    const { done, fail } = waiting.get(id);
    waiting.delete(id);
    error ? fail(failure(error, message)) : done(value);
  };
  worker.onerror = (event) => {
    event.preventDefault?.();
    for (const { fail } of waiting.values()) fail(failure("worker", event.message));
    waiting.clear();
  };
  const ask = (task, given, owned = []) =>
    new Promise((done, fail) => {
      waiting.set(++count, { done, fail });
      worker.postMessage({ id: count, task, ...given }, owned);
    });
  const { layers, weights } = parts;
  const owned = weights instanceof Uint8Array ? [weights.buffer] : [];
  try {
    const { fast } = await ask("load", { layers, weights, crc, plain: globalThis.backbonePlain }, owned);
    return { fast, run: (question) => ask("run", question) };
  } catch (error) {
    worker.terminate();
    throw error;
  }
}
