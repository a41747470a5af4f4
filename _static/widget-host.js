// The widget host: draws the book's widgets on a page that has no kernel.
//
// It stands behind the first view, a script tag with the state of the page's models (tools/figures.py) and the script of
// the first widget, so that a browser draws this one before it reads on; what only the others need stands at the page's
// end, and their scripts are fetched when one of their views comes near. A model here is what anywidget gives a widget in Jupyter: get, set, on, off, save_changes, without
// anyone listening at the other end.
(() => {
  "use strict";
  const STATE = 'script[type="application/vnd.jupyter.widget-state+json"]';
  const LATER = "#bb-buffers"; // what only figures further down need, at the page's end
  const VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]';
  const FAILED = "This figure could not be drawn. The rest of the page works; reloading may help.";
  const OF_THE_PAGE = ["network", "crc", "license"]; // of a figure with a network, whatever the browser kept
  const PATIENCE = 1000; // ms for which formulas wait for figures

  class Model {
    /** `kept` holds what the reader set earlier in this visit. */
    constructor(state, kept = {}) {
      this.state = { ...state, ...kept };
      this.listeners = new Map();
      this.changed = new Set();
      this.saved = new Set(Object.keys(kept));
    }
    get(name) {
      return this.state[name];
    }
    set(name, value) {
      const changes = typeof name === "string" ? { [name]: value } : name;
      for (const [key, next] of Object.entries(changes)) {
        if (Object.is(this.state[key], next)) continue;
        this.state[key] = next;
        this.changed.add(key);
        this.emit(`change:${key}`, next);
      }
      this.emit("change");
    }
    /** There is no kernel to tell; the names are those of what a reader's acts have changed. */
    save_changes() {
      for (const name of this.changed) this.saved.add(name);
      this.changed.clear();
    }
    /** There is no kernel to ask either; a network, which is all that a figure asks for, lies in files of the site. */
    send({ ask } = {}) {
      if (ask === "network") sendNetwork(this);
    }
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
    /** What JSON can hold of what the reader set. */
    settings() {
      return Object.fromEntries(
        [...this.saved].filter((name) => isPlain(this.state[name])).map((name) => [name, this.state[name]]),
      );
    }
  }

  function isPlain(value) {
    if (typeof value === "number") return Number.isFinite(value);
    if (value === null || typeof value !== "object") return ["object", "string", "boolean"].includes(typeof value);
    return (
      [Object.prototype, Array.prototype].includes(Object.getPrototypeOf(value)) && Object.values(value).every(isPlain)
    );
  }

  const once =
    (make, made = new Map()) =>
    (key) =>
      (made.has(key) ? made : made.set(key, make(key))).get(key);

  const page = { models: {}, ...JSON.parse(document.querySelector(STATE)?.textContent ?? "{}") };
  const views = [];
  /** Know the views that the browser has read so far. */
  function findViews() {
    for (const script of [...document.querySelectorAll(VIEW)].slice(views.length)) {
      const room = script.nextElementSibling; // what the page keeps until the widget has its own height
      const place = room?.matches(".bb-view") ? room : document.createElement("div");
      place.className = "bb-view";
      if (place !== room) script.after(place);
      const { width, height } = kept.views[views.length] ?? {};
      if (width === innerWidth && height)
        // the room that the figure took, with what was open in it
        for (const name of ["--wide", "--narrow"]) place.style.setProperty(name, `${height}px`);
      views.push({ script, place, folds: () => [...place.querySelectorAll("details.bb-fold")] });
    }
  }

  // --- Models and their widgets -------------------------------------------------------------------------------

  const later = once(() => JSON.parse(document.querySelector(LATER).textContent));

  /** The bytes of a buffer; models share them, and none may write to them. */
  const bytesOf = once((name) => {
    const data = page.buffers[name] ?? later()[name];
    return Uint8Array.fromBase64?.(data) ?? Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  });

  const models = new Map();
  function findModel(id) {
    if (!page.models[id]) throw new Error(`no state for the widget ${id}`);
    if (!models.has(id)) {
      const { state, buffers } = page.models[id];
      for (const { path, buffer } of buffers) {
        const owner = path.slice(0, -1).reduce((part, key) => part[key], state);
        owner[path.at(-1)] = new DataView(bytesOf(buffer).buffer);
      }
      const set = { ...kept.models[id] };
      if ("crc" in state) for (const name of OF_THE_PAGE) delete set[name];
      models.set(id, new Model(state, set));
    }
    return models.get(id);
  }

  const findWidget = once(async (name) => {
    const came = (globalThis.backboneWidgets ??= {});
    if (!came[name]) await fetchScript(page.scripts[name]);
    if (!came[name]) throw new Error(`${name} did not come with its script`);
    const { css, make } = came[name];
    document.head.append(Object.assign(document.createElement("style"), { textContent: css }));
    const widget = make();
    return typeof widget === "function" ? widget() : widget;
  });

  let hurried = false; // paper waits for no timer
  const rest = () => hurried || new Promise((done) => setTimeout(done));

  const fetchScript = (src) =>
    new Promise((onload, fail) => {
      const onerror = () => fail(new Error(`${src} did not come`));
      document.head.append(Object.assign(document.createElement("script"), { src, onload, onerror }));
    });

  let tries = 0; // a second one must not get from the browser's own store what was wrong the first time

  /** Answer as Python would: with the network, or with what went wrong. */
  async function sendNetwork(model) {
    const name = model.get("network");
    const answer = (content) => {
      for (const handler of [...(model.listeners.get("msg:custom") ?? [])])
        handler({ answer: "network", ...content }, []);
    };
    try {
      const { weights, engine } = page.networks[name];
      const again = tries++ ? `${weights.includes("?") ? "&" : "?"}again=${tries}` : "";
      await Promise.all([weights + again, engine].map(fetchScript));
      const { [name]: parts, engine: code } = globalThis.backboneNetworks ?? {};
      if (!parts || !code) return answer({ error: "damaged" }); // what came was cut off, and is no script
      delete globalThis.backboneNetworks[name];
      answer({ ...parts, engine: code, address: new URL(engine, location.href).href });
    } catch {
      answer({ error: "missing" });
    }
  }

  const draw = once(async (view) => {
    const { script, place, folds } = view;
    if (view !== views[0]) await read.then(rest); // several that come near together leave time between them
    try {
      const { model_id: id } = JSON.parse(script.textContent);
      const model = findModel(id);
      const widget = await findWidget(page.models[id].widget);
      model.ready ??= Promise.resolve(widget.initialize?.({ model }));
      await model.ready;
      if (view !== views[0]) await rest(); // a figure's own code and numbers took time, too
      const { open = [], used } = kept.views[views.indexOf(view)] ?? {};
      if (used) place.dataset.used = true;
      await widget.render({ model, el: place });
      folds().forEach((fold, i) => (fold.open = open[i] ?? fold.open));
      view.drawn = true;
    } catch (error) {
      console.error(error);
      place.replaceChildren(
        Object.assign(document.createElement("p"), { className: "bb-failed", textContent: FAILED }),
      );
      place.setAttribute("role", "alert");
    }
    place.removeAttribute("style");
  });

  // --- What the reader set and opened, kept for Back and reload while the tab is open, and for this build alone ---

  const STORE = `backbone ${location.pathname}`;
  const kept = { models: {}, views: {}, ...recall() };

  function recall() {
    try {
      const stored = JSON.parse(sessionStorage.getItem(STORE));
      return stored?.key === page.key ? stored : {};
    } catch {
      return {}; // a browser may refuse
    }
  }

  function remember() {
    for (const [id, model] of models) kept.models[id] = model.settings();
    for (const [i, { drawn, place, folds }] of views.entries()) {
      if (!drawn) continue;
      const [open, used] = [folds().map((fold) => fold.open), Boolean(place.querySelector(".bb-used"))];
      kept.views[i] = { open, used, width: innerWidth, height: place.offsetHeight };
    }
    try {
      sessionStorage.setItem(STORE, JSON.stringify({ ...kept, key: page.key }));
    } catch {
      // Refused or full: the page starts afresh next time.
    }
  }

  addEventListener("pagehide", remember);

  // --- When each view is drawn --------------------------------------------------------------------------------

  // The first at once, the others, when the page is read, where they come within a screen of the window. Those that never
  // do are drawn when the browser is idle: a search in the page finds their words, and a reader who flies through it sees
  // no empty place.
  findViews();
  const first = views[0] && draw(views[0]);
  const read = new Promise((done) => addEventListener("DOMContentLoaded", done)).then(findViews);
  const look = (looked) => {
    const observer = new IntersectionObserver(
      (entries) => {
        const near = entries.filter((entry) => entry.isIntersecting).map((entry) => entry.target);
        looked(Promise.all(views.filter(({ place }) => near.includes(place)).map(draw)));
      },
      { rootMargin: "100% 0px" },
    );
    for (const { place } of views) observer.observe(place);
  };
  const inSight = read.then(() => new Promise(look));

  // Formulas come after the figures in sight, but wait only so long.
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const patience = read.then(() => new Promise((done) => setTimeout(done, PATIENCE)));
  const seen = Promise.all([first, inSight]).then(frame).then(frame);
  const formulas = Promise.race([seen, patience])
    .then(() => page.formulas && fetchScript(page.formulas))
    .then(() => globalThis.MathJax?.startup?.promise)
    .catch(console.error);

  const loaded = new Promise((done) => addEventListener("load", done));
  const idle = () => new Promise((done) => (globalThis.requestIdleCallback ?? setTimeout)(done));
  async function drawTheRest() {
    await Promise.all([formulas, loaded]);
    for (const view of views) await idle().then(() => draw(view));
  }
  drawTheRest();

  const drawAll = () => {
    hurried = true;
    return Promise.all(views.map(draw));
  };
  addEventListener("beforeprint", drawAll);
  globalThis.widgetHost = { drawAll, formulas };
})();
