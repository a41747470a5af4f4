// The widget host: draws the book's widgets on a page that has no kernel.
//
// A notebook renderer leaves two kinds of script tags: the state of all widgets, and a mark where each view stands.
// A model here is what anywidget gives a widget in Jupyter: get, set, on, off, save_changes, without anyone listening
// at the other end. Nothing is fetched: a widget's module and style come with its state.
(() => {
  "use strict";
  const STATE = 'script[type="application/vnd.jupyter.widget-state+json"]';
  const VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]';
  const FAILED = "This figure could not be drawn. The rest of the page works; reloading may help.";

  class Model {
    constructor(state) {
      this.state = state;
      this.listeners = new Map();
    }
    get(name) {
      return this.state[name];
    }
    set(name, value) {
      const changes = typeof name === "string" ? { [name]: value } : name;
      for (const [key, next] of Object.entries(changes)) {
        if (Object.is(this.state[key], next)) continue;
        this.state[key] = next;
        this.emit(`change:${key}`, next);
      }
      this.emit("change");
    }
    save_changes() {} // there is no kernel to tell
    send() {}
    on(event, handler) {
      this.listeners.set(event, (this.listeners.get(event) ?? new Set()).add(handler));
    }
    off(event, handler) {
      if (handler) this.listeners.get(event)?.delete(handler);
      else this.listeners.delete(event);
    }
    emit(event, value) {
      for (const handler of [...(this.listeners.get(event) ?? [])]) handler(this, value);
    }
  }

  /** Binary traits travel as base64 beside the state; put each where it belongs, as a DataView. */
  function withBuffers({ state, buffers = [] }) {
    for (const { path, data } of buffers) {
      const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
      const owner = path.slice(0, -1).reduce((part, key) => part[key], state);
      owner[path.at(-1)] = new DataView(bytes.buffer);
    }
    return state;
  }

  const once =
    (make, kept = new Map()) =>
    (key) =>
      (kept.has(key) ? kept : kept.set(key, make(key))).get(key);

  const loadModule = once(async (source) => {
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const module = await import(url);
    URL.revokeObjectURL(url);
    return typeof module.default === "function" ? module.default() : module.default;
  });

  const addStyle = once((css) =>
    document.head.append(Object.assign(document.createElement("style"), { textContent: css })),
  );

  async function draw(script, findModel) {
    const kept = script.nextElementSibling; // the room that the page keeps, until the widget has its own height
    const el = kept?.matches(".bb-view") ? kept : document.createElement("div");
    el.className = "bb-view";
    if (el !== kept) script.after(el);
    try {
      const { model_id: id } = JSON.parse(script.textContent);
      const model = findModel(id);
      if (!model) throw new Error(`no state for the widget ${id}`);
      addStyle(model.get("_css") ?? "");
      const widget = await loadModule(model.get("_esm"));
      model.ready ??= Promise.resolve(widget.initialize?.({ model }));
      await model.ready;
      await widget.render({ model, el });
    } catch (error) {
      console.error(error);
      el.replaceChildren(Object.assign(document.createElement("p"), { className: "bb-failed", textContent: FAILED }));
      el.setAttribute("role", "alert");
    }
    el.removeAttribute("style");
  }

  const states = {};
  for (const script of document.querySelectorAll(STATE)) Object.assign(states, JSON.parse(script.textContent).state);
  const findModel = once((id) => states[id] && new Model(withBuffers(states[id])));
  const drawn = [...document.querySelectorAll(VIEW)].map((script) => draw(script, findModel));

  // A page opened at one of its places stands there before its widgets are drawn, and they push the place away. Go there
  // again, unless the reader has moved meanwhile.
  const moved = new AbortController();
  for (const act of ["wheel", "touchmove", "keydown", "pointerdown", "hashchange"])
    addEventListener(act, () => moved.abort(), { signal: moved.signal, passive: true });
  const loaded = new Promise((done) => (document.readyState === "complete" ? done() : addEventListener("load", done)));
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  Promise.all([...drawn, loaded])
    .then(() => globalThis.MathJax?.startup?.promise) // formulas grow, too
    .then(frame)
    .then(frame) // a widget may draw itself once more when it knows its width
    .then(() => {
      const place = document.getElementById(decodeURIComponent(location.hash.slice(1)));
      if (place && !moved.signal.aborted) place.scrollIntoView({ behavior: "instant" });
      moved.abort();
    });
})();
