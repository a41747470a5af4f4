// What every page does besides the theme.
//
// Paper is white and cannot be clicked: while a page is printed, it is light and all that was folded is open, but for
// the checks of its numbers. The theme's own script opens solutions.
(() => {
  "use strict";
  const TEXT = {
    back: "Back to the text",
    full: "Full screen",
    solutions: "Solutions",
    solved: "The solution stands at the end of this chapter.",
    answered: "The answers stand at the end of this chapter.",
    search: "What is found appears while you type; Enter, or the search key of a phone, shows all of it.",
  };
  const { dataset } = document.documentElement;
  let restore = () => {};

  // On paper neither a solution nor a reason stands under what asks for it, where an eye falls on it, but at the page's
  // end, and a line says so. What is returned puts all back.
  const make = (tag, properties, ...children) => {
    const node = Object.assign(document.createElement(tag), properties);
    node.append(...children);
    return node;
  };
  const gathered = (solutions, questions) => {
    const end = make("section", { id: "bb-solutions" }, make("h2", { textContent: TEXT.solutions }));
    const note = (textContent) => make("p", { className: "bb-note" }, make("a", { href: `#${end.id}`, textContent }));
    const notes = solutions.map((solution) => {
      const node = note(TEXT.solved);
      solution.replaceWith(node);
      return [node, solution];
    });
    const answered = note(TEXT.answered);
    end.append(...solutions);
    const reasons = questions.map((box) => [...box.querySelectorAll(".bb-why")].map((why) => [why, why.parentElement]));
    if (questions.length) {
      const textContent = questions[0].closest("section").querySelector("h1, h2, h3")?.firstChild?.textContent ?? "";
      const list = (nodes) => make("ol", {}, ...nodes.map((node) => make("li", {}, node)));
      const all = list(reasons.map((of) => list(of.map(([why]) => why))));
      end.append(make("h3", { textContent }), all);
      questions.at(-1).after(answered);
    }
    if (solutions.length || questions.length) document.querySelector("article > section").append(end);
    return () => {
      for (const [node, solution] of notes) node.replaceWith(solution);
      for (const [why, answer] of reasons.flat()) answer.append(why);
      answered.remove();
      end.remove();
    };
  };

  // A figure is drawn for the width that it has, and paper leaves it no time to be drawn anew: it keeps the width, and is
  // scaled to the paper as a whole (site.css).
  const keepWidths = () => {
    for (const view of document.querySelectorAll(".bb-view"))
      if (view.offsetWidth) view.style.setProperty("--bb-drawn", `${view.offsetWidth}px`);
  };

  // A face that is not there when the system's is shown in its place waits for the next page: it would break lines anew
  // under the eyes of who reads them.
  const PATIENCE = 100; // milliseconds, as long as a browser waits for a face
  const asked = new Map(); // when each was
  const late = () => {
    const now = performance.now();
    for (const face of document.fonts) {
      if (face.display !== "fallback" || face.status !== "loading") continue;
      if (!asked.has(face)) asked.set(face, now);
      if (now - asked.get(face) >= PATIENCE) face.display = "optional";
    }
    if (document.fonts.status === "loading") setTimeout(late, PATIENCE / 10); // one may be asked for after another
  };
  document.fonts.addEventListener("loading", late);

  // The theme's own script comes after the first figures, which paint in the page's ink.
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  if (dataset.mode !== "light" && dataset.mode !== "dark") dataset.theme = dark ? "dark" : "light";

  addEventListener("beforeprint", () => {
    restore(); // some browsers say so twice
    const { theme } = dataset;
    const folds = document.querySelectorAll("article details:not([open], .bb-checks > *)");
    for (const fold of folds) fold.open = true;
    keepWidths();
    const scatter = gathered(
      [...document.querySelectorAll("article .solution")],
      [...document.querySelectorAll("article div.bb-question")],
    );
    globalThis.MathJax?.typeset?.([...formulas()]);
    dataset.theme = "light";
    restore = () => {
      scatter();
      for (const fold of folds) fold.open = false;
      dataset.theme = theme;
      restore = () => {};
    };
  });
  addEventListener("afterprint", () => restore());

  // A page opened at one of its places goes there at once. Then the formulas around it are set and push it away, and so
  // do those on the way where a link leads far: go there again, unless the reader has moved meanwhile, or came back to
  // where he had been.
  const { style } = document.documentElement;
  style.scrollBehavior = "auto"; // the theme would travel there
  const ACTS = ["wheel", "touchmove", "keydown", "pointerdown", "hashchange"];
  let moved = new AbortController();
  const frames = async (count) => {
    for (; count; count--) await new Promise((done) => requestAnimationFrame(done));
  };
  // A place is an element with an address, or behind two dashes the number of one in it (reading.js).
  const placeOf = ({ hash }) => {
    try {
      const name = decodeURIComponent(hash.slice(1));
      const [anchor, number] = name.split("--").map((part, i) => (i ? part : document.getElementById(part)));
      const block = anchor?.children.item(number);
      return document.getElementById(name) ?? (block?.getClientRects().length ? block : anchor);
    } catch {
      return null; // an address that is no text
    }
  };
  const goToPlace = () => placeOf(location)?.scrollIntoView();
  async function goAgainAfter(come, go = goToPlace) {
    moved.abort();
    const own = (moved = new AbortController());
    for (const act of ACTS) addEventListener(act, () => own.abort(), { signal: own.signal, passive: true });
    await come();
    if (!own.signal.aborted) go();
    own.abort();
  }
  const isVisit = () => performance.getEntriesByType("navigation")[0].type === "navigate";
  const first = async () => {
    await new Promise((done) => addEventListener("load", done));
    await (globalThis.widgetHost?.formulas ?? globalThis.MathJax?.startup?.promise);
    await frames(2);
  };
  goAgainAfter(first, () => (isVisit() ? goToPlace : goToLine)()).then(() => (style.scrollBehavior = ""));

  // After Back and reload a browser scrolls as far as before, but what is above may have another height until its
  // formulas are set. So what stood highest in the window goes back to where it stood, if it is about there.
  const LINE = `backbone line ${location.pathname}${location.search}`;
  const blocks = () => [...document.querySelectorAll("article section > :not(section)")];
  const noteLine = () => {
    const tops = blocks().map((one) => (one.getClientRects().length ? one.getBoundingClientRect().top : -1));
    const number = tops.findIndex((top) => top >= 0);
    try {
      sessionStorage.setItem(LINE, JSON.stringify([number, tops[number]]));
    } catch {
      // A browser may refuse.
    }
  };
  const goToLine = () => {
    try {
      const [number, top] = JSON.parse(sessionStorage.getItem(LINE));
      const block = blocks()[number];
      const by = block.getBoundingClientRect().top - top;
      if (block.getClientRects().length && Math.abs(by) < innerHeight) scrollBy(0, by);
    } catch {
      // Nothing was kept, or something else.
    }
  };
  addEventListener("pagehide", noteLine);
  addEventListener("visibilitychange", () => document.hidden && noteLine()); // telephones drop tabs without a word

  const onTheWay = async () => {
    for (let at; at !== scrollY; await frames(5)) at = scrollY;
    await setting;
  };

  // The button of the theme says which of its three states it is in.
  const MODES = { auto: "Theme: that of the device", light: "Theme: light", dark: "Theme: dark" };
  const sayTheme = () => {
    for (const button of document.querySelectorAll(".theme-switch-button"))
      for (const name of ["aria-label", "data-bs-original-title", "title"])
        if (button.hasAttribute(name)) button.setAttribute(name, MODES[dataset.mode] ?? MODES.auto);
  };
  new MutationObserver(sayTheme).observe(document.documentElement, { attributeFilter: ["data-mode"] });
  // Behind the theme's own scripts, which are put off (_ext/finished.py).
  const behindTheme = (act) => addEventListener("load", () => setTimeout(act));
  behindTheme(sayTheme);

  // The theme calls the button of each fold by one name, which would be read instead of the fold's own. Who listens
  // hears the title as the button's name, and so not as text before it.
  addEventListener("DOMContentLoaded", () => {
    for (const button of document.querySelectorAll(".admonition-title > .toggle-button")) {
      const words = [...button.parentElement.childNodes].filter((node) => node !== button);
      const title = make("span", { className: "bb-fold-title", id: `${button.id}-title` }, ...words);
      title.setAttribute("aria-hidden", "true");
      button.before(title);
      button.removeAttribute("aria-label");
      button.setAttribute("aria-labelledby", `${title.id} ${button.id}`);
      button.querySelector("svg")?.setAttribute("aria-hidden", "true");
    }
  });

  // Whoever is led to a place inside a fold wants to see it: the folds around it open.
  const closedAround = (node) => {
    const around = [];
    for (let one = node; one; one = one.parentElement)
      if (one.matches("details:not([open]), .toggle-hidden")) around.push(one);
    return around;
  };
  const open = (fold) => {
    if (fold.matches("details")) fold.open = true;
    else fold.querySelector(".toggle-button").click();
  };
  const arrive = (goes = true) => {
    const place = placeOf(location);
    const named = location.hash === `#${place?.id ?? ""}`;
    const closed = closedAround(named ? place : place?.parentElement); // a paragraph's number opens no answer
    closed.forEach(open);
    if (goes && (closed.length || !named)) goToPlace();
  };
  addEventListener("DOMContentLoaded", () => arrive(isVisit())); // after the theme's folds were made
  addEventListener("hashchange", () => {
    arrive();
    goAgainAfter(onTheWay);
  });
  addEventListener("click", ({ target }) => {
    const link = target.closest?.("a[href]");
    if (link?.href === location.href) setTimeout(arrive); // no change of the address tells of it
  });

  // A figure alone is as large as the screen allows, its caption below it or, where that leaves it larger, beside it. It
  // keeps the width that it has beside the text and is scaled as a whole, so it is the same figure.
  const [EDGE, ASIDE] = [16, 256]; // px around it, and for what stands beside it
  const LEAST = 0.675; // in a low window, as of a phone on its side: letters of 8 px can still be read there
  const fitted = ({ figure, cell, above, caption }) => {
    let larger;
    const size = ({ width, height }) => {
      const { clientWidth, clientHeight } = document.documentElement;
      const { top } = cell.parentElement.getBoundingClientRect();
      const [wide, high] = [clientWidth - 2 * EDGE, clientHeight - 2 * (top + scrollY)];
      cell.parentElement.classList.remove("bb-beside");
      const words = above.offsetHeight + (caption?.offsetHeight ?? 0) + 3 * EDGE; // with what is between them
      const room = (wide - ASIDE) / width;
      const below = Math.min(wide / width, (high - words) / height);
      const beside = Math.min(room, high / height);
      const whole = Math.min(1, (high - above.offsetHeight - EDGE) / height); // the caption under the window's edge
      const most = Math.max(LEAST, below, beside, whole);
      cell.parentElement.classList.toggle("bb-beside", beside > below && most <= room);
      return most;
    };
    return () => {
      const { offsetWidth: width, offsetHeight: height } = figure;
      const before = larger;
      // With a fold open it may be higher than the screen; it must not shrink under the reader's hand.
      if (!larger || !figure.querySelector("details[open]")) larger = size({ width, height });
      figure.style.setProperty("--bb-larger", larger);
      cell.parentElement.style.setProperty("--bb-wide", `${larger * width}px`);
      cell.parentElement.style.setProperty("--bb-high", `${larger * height}px`);
      if (larger !== before) dataset.theme = `${dataset.theme}`; // figures paint anew, as finely as they are shown now
    };
  };

  // For a projector: a page that is asked for one figure, `?alone=figure-...`, shows it and its caption and nothing else.
  const alone = new URLSearchParams(location.search).get("alone");
  const showAlone = () => {
    const figure = /^figure-[\w-]+$/.test(alone) && document.getElementById(alone);
    const cell = figure && figure.querySelector(".bb-view") && figure.closest(".cell");
    if (!cell) return;
    dataset.alone = "";
    const caption = cell.nextElementSibling?.matches(".bb-note") ? cell.nextElementSibling : null;
    for (let node = figure; node !== document.body; node = node.parentElement)
      for (const other of node.parentElement.children) if (other !== node && other !== caption) other.hidden = true;
    const back = make("a", { href: `${location.pathname}#${alone}`, textContent: TEXT.back });
    const full = make("button", { type: "button", className: "bb-quiet btn-fullscreen-button" });
    full.append(make("i", { className: "fas fa-expand", ariaHidden: "true" }), ` ${TEXT.full}`);
    full.hidden = !document.fullscreenEnabled;
    const above = make("div", { className: "bb-above" }, back, full);
    cell.before(above);
    cell.parentElement.classList.add("bb-alone");
    const fit = fitted({ figure, cell, above, caption });
    new ResizeObserver(fit).observe(figure); // it is drawn later, and grows with its folds
    addEventListener("resize", fit);
    addEventListener(
      "keydown",
      ({ key }) => key === "Escape" && !document.querySelector("dialog[open]") && back.click(),
    );
  };
  addEventListener("DOMContentLoaded", showAlone);

  // The side menu shows where the reader is; the page itself stays where it is.
  behindTheme(() => {
    const menu = document.querySelector(".bd-sidebar-primary");
    const here = menu?.querySelector("li.active > a");
    if (!here) return;
    const [around, own] = [menu.getBoundingClientRect(), here.getBoundingClientRect()];
    if (own.top < around.top || own.bottom > around.bottom)
      menu.scrollTop += own.top - around.top - menu.clientHeight / 2;
  });

  // On a narrow page the two menus lie over the text: a link in one leads to what it covers.
  addEventListener("click", ({ target }) => {
    if (!target.closest?.(":is(.bd-sidebar-primary, .bd-sidebar-secondary) a[href]")) return;
    for (const toggle of document.querySelectorAll("input.sidebar-toggle")) toggle.checked = false;
  });

  // The dialog of the search says what leads on, and a phone's key says so, too. What finds while one types comes when
  // the dialog is first opened; a search page has it.
  const findWhileTyping = async (form) => {
    const run = (source) =>
      new Promise((onload, onerror) =>
        document.head.append(make("script", { src: new URL(source, form.action), onload, onerror })),
      );
    if (!globalThis.backboneIndex) {
      await run("searchindex.js");
      for (const source of globalThis.backboneIndex.scripts) await run(source);
    }
    globalThis.backboneSearch(form);
  };
  addEventListener("DOMContentLoaded", () => {
    const form = document.querySelector(".search-button__search-container > form");
    if (!form) return;
    const said = make("p", { id: "bb-enter", textContent: TEXT.search });
    said.setAttribute("role", "status");
    form.append(make("div", { className: "bb-below" }, said, make("ol", { id: "bb-found" })));
    const field = form.querySelector("input");
    field.setAttribute("aria-describedby", said.id);
    field.setAttribute("enterkeyhint", "search");
    const listen = () => field.addEventListener("focus", () => findWhileTyping(form).catch(listen), { once: true });
    listen();
  });

  // A word of the text lights the part that it names, of the next figure that has it, or else of the last before. A press
  // brings the part into sight, and the light stays while the word has the focus.
  const partOf = (word) => {
    const parts = [...document.querySelectorAll(`.bb-widget [data-part="${CSS.escape(word.dataset.part)}"]`)];
    const after = (part) => word.compareDocumentPosition(part) & Node.DOCUMENT_POSITION_FOLLOWING;
    return parts.find(after) ?? parts.at(-1);
  };
  for (const [type, lit] of Object.entries({ pointerover: true, focusin: true, pointerout: false, focusout: false }))
    addEventListener(type, ({ target }) => {
      const word = target.closest?.(".bb-point");
      if (word)
        partOf(word)?.classList.toggle("bb-lit", lit || (type === "pointerout" && word === document.activeElement));
    });
  addEventListener("click", ({ target }) => {
    const word = target.closest?.(".bb-point");
    if (!word) return;
    word.focus(); // by touch it has none yet
    partOf(word)?.scrollIntoView({ block: "nearest" });
  });
  addEventListener("keydown", (event) => {
    if (![" ", "Enter"].includes(event.key) || !event.target.matches?.(".bb-point")) return;
    event.preventDefault(); // a blank would scroll the page
    event.target.click();
  });
  addEventListener("DOMContentLoaded", () => {
    for (const word of document.querySelectorAll(".bb-point")) {
      word.tabIndex = 0;
      word.setAttribute("role", "button");
    }
  });

  // What a term means, or what a source is, stands in the link's title. It is shown in a box, at once and for keys too;
  // the pointer may go into the box, and Escape closes it.
  const tip = Object.assign(document.createElement("div"), { id: "bb-tip", role: "tooltip", hidden: true });
  const TOLD = `article a.internal:is([title], [aria-describedby="${tip.id}"])`;
  let told, closing;
  const hush = () => {
    if (!told) return;
    told.title = tip.textContent;
    told.removeAttribute("aria-describedby");
    tip.hidden = true;
    told = undefined;
  };
  const tell = (link) => {
    clearTimeout(closing);
    if (link === told) return;
    hush();
    told = link;
    tip.textContent = link.title;
    link.removeAttribute("title"); // the browser would show it as well
    link.setAttribute("aria-describedby", tip.id);
    link.closest("article").append(tip);
    tip.hidden = false;
    place();
  };
  const place = () => {
    if (!told) return;
    const { left, top, bottom } = told.getClientRects()[0];
    const { width, height } = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(8, Math.min(left, document.documentElement.clientWidth - width - 8))}px`;
    tip.style.top = `${bottom + height + 8 < innerHeight ? bottom + 4 : top - height - 4}px`;
  };
  addEventListener("pointerover", ({ target, pointerType }) => {
    const link = target.closest?.(TOLD);
    if (link && pointerType !== "touch") tell(link);
    else if (tip.contains(target)) clearTimeout(closing);
    else if (told && told !== document.activeElement) {
      clearTimeout(closing); // of an element on the way
      closing = setTimeout(hush, 200);
    }
  });
  addEventListener("focusin", ({ target }) => (target.matches?.(TOLD) ? tell(target) : hush()));
  addEventListener("focusout", hush);
  addEventListener("keydown", ({ key }) => key === "Escape" && hush());
  addEventListener("scroll", place, { passive: true });

  // The other edition: the link leads to the section that is read now, and the choice is kept. On a page in the other
  // language than was chosen the link stands out; nobody is sent anywhere.
  const CHOICE = "backbone language";
  const store = (act) => {
    try {
      return act(localStorage);
    } catch {
      return null; // a browser may refuse
    }
  };
  const sectionNow = () => {
    const above = (section) => section.getBoundingClientRect().top < 150;
    const headings = document.querySelectorAll("article section[id] > :is(h1, h2, h3)");
    return [...headings].filter(above).pop()?.parentElement.id ?? "";
  };
  addEventListener("DOMContentLoaded", () => {
    const other = document.querySelector(".bb-language");
    if (!other) return;
    other.classList.toggle("bb-chosen", store((kept) => kept.getItem(CHOICE)) === other.lang);
    other.addEventListener("click", () => {
      other.hash = scrollY > innerHeight ? sectionNow() : location.hash;
      store((kept) => kept.setItem(CHOICE, other.lang));
    });
  });

  // Two buttons of the theme, whose code in their tags the page's policy refuses.
  addEventListener("click", ({ target }) => {
    if (target.closest?.(".btn-download-pdf-button")) print();
    if (target.closest?.(".btn-fullscreen-button")) globalThis.toggleFullScreen();
  });

  // What scrolls sideways can have the focus, so that keys scroll it, and a table then has its columns as its name. It is
  // asked when it is first shown, and when its size changes; all is read before anything is written.
  const TABLE = ".bb-table > div";
  const shown = new ResizeObserver((entries) => {
    const wide = entries.map(({ target }) => target.scrollWidth > target.clientWidth);
    for (const [i, { target }] of entries.entries()) {
      target.tabIndex = wide[i] ? 0 : -1;
      if (!target.matches(TABLE)) continue;
      const columns = [...target.querySelectorAll("thead th")].map((one) => one.textContent).join(", ");
      for (const [name, value] of Object.entries({ role: "group", "aria-label": columns }))
        if (wide[i]) target.setAttribute(name, value);
        else target.removeAttribute(name);
    }
  });
  addEventListener("DOMContentLoaded", () => {
    for (const node of document.querySelectorAll(`pre, .cell_output > .output, ${TABLE}`)) shown.observe(node);
  });

  // Formulas are set where they come near, a few at a time: the reader can act between them. Those in a fold or in
  // questions, which stand one at a time, are set when the whole comes near; paper has all. The others follow when the
  // browser is idle: who listens to the page reads on without scrolling it, and would hear TeX.
  const FEW = 4;
  const formulas = () => document.querySelectorAll(".math");
  const near = new Set();
  let setting, warm;
  async function setNear() {
    while (near.size) {
      await new Promise((done) => setTimeout(done));
      if (!warm) {
        warm = MathJax.tex2chtml("x^2"); // a first one takes as long as ten others: it has a moment of its own
        continue;
      }
      const few = [...near].slice(0, FEW);
      for (const formula of few) near.delete(formula);
      await MathJax.typesetPromise(few);
    }
  }
  const pageReady = () =>
    new Promise((looked) => {
      const observer = new IntersectionObserver(
        (entries) => {
          for (const { isIntersecting, target } of entries) {
            if (!isIntersecting) continue;
            observer.unobserve(target);
            for (const formula of target.matches(".math") ? [target] : target.querySelectorAll(".math"))
              near.add(formula);
          }
          setting = Promise.resolve(setting).then(setNear);
          looked(setting);
        },
        { rootMargin: "100% 0px" },
      );
      for (const formula of formulas())
        observer.observe(closedAround(formula).at(-1) ?? formula.closest(".bb-question")?.parentElement ?? formula);
    });
  const idle = () => new Promise((done) => (globalThis.requestIdleCallback ?? setTimeout)(done));
  async function setTheRest() {
    for (const rest = [...formulas()]; rest.length; await setting) {
      await idle();
      for (const formula of rest.splice(0, FEW)) near.add(formula);
      setting = Promise.resolve(setting).then(setNear);
    }
  }
  const start = () => {
    const come = pageReady();
    come.then(setTheRest);
    return come;
  };
  // The faces of formulas stand in site.css: a face that comes later has a browser lay out the whole page again.
  const ready = () => {
    MathJax._.output.chtml.fonts.tex_ts.TeXFont.defaultFonts = {};
    setTimeout(() => MathJax.startup.defaultReady()); // reading its script was a long task already
  };
  if (globalThis.MathJax) MathJax.startup = { pageReady: start, ready };
})();
