// What the book remembers for a reader, in this browser alone: answers to quick questions, and where he stopped.
(() => {
  "use strict";
  const KEY = "backbone reading";
  const TOP = 150; // px, with the bar of the site
  const BAR = 80; // px, what a place that one goes to stands below
  const TEXT = {
    count: "Question {number} of {all}",
    right: "{right} of {all} right",
    before: "Previous question",
    next: "Next question",
    forget: "Forget my answers",
    forgotten: "What you read and answered is forgotten.",
    on: "Go on: {title}",
    onIn: "Go on in {title}: {section}",
    forgetAll: "Forget what I read and answered",
    undo: "Undo",
  };
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

  // --- What is kept -------------------------------------------------------------------------------------------

  const isTable = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

  function recall() {
    let kept = {};
    try {
      kept = JSON.parse(localStorage.getItem(KEY));
    } catch {
      // A browser may refuse, and anyone can write there.
    }
    const { answers, place } = isTable(kept) ? kept : {};
    return { answers: isTable(answers) ? answers : {}, place: isTable(place) ? place : null };
  }

  function keep(change) {
    try {
      localStorage.setItem(KEY, JSON.stringify({ ...recall(), ...change }));
    } catch {
      // Refused or full: it is forgotten when the page is left.
    }
  }

  // --- Quick questions ----------------------------------------------------------------------------------------

  const element = (tag, properties, ...children) => {
    const node = Object.assign(document.createElement(tag), { ...properties });
    node.append(...children);
    return node;
  };
  const press = (text, act, className = "") => {
    const node = element("button", { type: "button", className: `bb-quiet ${className}`, textContent: text });
    node.addEventListener("click", act);
    return node;
  };

  /** One question: a press on an answer says why it is right or wrong. */
  function questionOf(box, changed) {
    const answers = [...box.querySelectorAll("li")];
    const said = element("p", { className: "bb-said" });
    said.setAttribute("role", "status");
    box.append(said);
    let chosen = null;
    const show = (number) => {
      chosen = Number.isInteger(number) && answers[number] ? number : null;
      answers.forEach((answer, i) => {
        answer.classList.toggle("bb-chosen", i === chosen);
        answer.querySelector("button").setAttribute("aria-pressed", i === chosen);
      });
      const why = answers[chosen]?.querySelector(".bb-why");
      said.replaceChildren(...(why ? [...why.childNodes].map((node) => node.cloneNode(true)) : []));
    };
    answers.forEach((answer, i) =>
      answer.querySelector("button").addEventListener("click", () => {
        show(i);
        keep({ answers: { ...recall().answers, [box.id]: i } });
        changed();
      }),
    );
    const isRight = () => chosen !== null && answers[chosen].matches(".bb-right");
    return { box, show, isRight, isAnswered: () => chosen !== null };
  }

  /** The questions of a section, one at a time, with what leads from one to the next. */
  function quizOf(section) {
    const questions = [...section.querySelectorAll(".bb-question")].map((box) => questionOf(box, () => update()));
    const all = questions.length;
    const [count, score] = [element("span", {}), element("span", { className: "bb-score" })];
    let now = 0;
    const go = (number) => {
      now = number;
      questions.forEach(({ box }, i) => (box.hidden = i !== now));
      update();
    };
    const before = press("←", () => go(now - 1));
    const next = press("→", () => go(now + 1));
    before.setAttribute("aria-label", TEXT.before);
    next.setAttribute("aria-label", TEXT.next);
    const forget = press(TEXT.forget, () => {
      const ids = questions.map(({ box }) => box.id);
      keep({ answers: Object.fromEntries(Object.entries(recall().answers).filter(([id]) => !ids.includes(id))) });
      for (const { show } of questions) show(null);
      go(0);
    });
    function update() {
      count.textContent = fill(TEXT.count, { number: now + 1, all });
      const right = questions.filter((one) => one.isRight()).length;
      score.textContent = questions.some((one) => one.isAnswered()) ? fill(TEXT.right, { right, all }) : "";
      before.disabled = now === 0;
      next.disabled = now === all - 1;
      forget.classList.toggle("bb-unseen", !score.textContent); // its place stays, so that nothing moves
    }
    const { answers } = recall();
    for (const { box, show } of questions) show(answers[box.id]);
    questions[0].box.before(element("div", { className: "bb-quiz" }, before, count, next, score, forget));
    const open = questions.findIndex((one) => !one.isAnswered());
    go(Math.max(open, 0));
    const arrive = () => {
      const number = questions.findIndex(({ box }) => `#${box.id}` === location.hash);
      if (number >= 0) go(number);
    };
    addEventListener("hashchange", arrive);
    arrive();
  }

  // --- Where the reader stopped -------------------------------------------------------------------------------

  const { lang } = document.documentElement;
  const start = document.querySelector(".bb-start");
  const home = new URL(document.documentElement.dataset.content_root ?? "./", location.href);

  const above = (px) => (node) => node.getClientRects().length > 0 && node.getBoundingClientRect().top < px;

  /** The section whose heading was last to reach the top of the window; none before a reader has gone down the page. */
  function headingNow() {
    if (scrollY < innerHeight) return null;
    return [...document.querySelectorAll("article section[id]")].filter(above(TOP)).at(-1) ?? null;
  }

  function notePlace() {
    const section = headingNow();
    const title = document.querySelector("article h1")?.firstChild?.textContent;
    if (!section || !title || start) return;
    const page = location.pathname.slice(home.pathname.length);
    const heading = section.querySelector("h1, h2, h3").firstChild?.textContent ?? title;
    const blocks = [...section.children];
    const block = blocks.indexOf(blocks.filter(above(BAR)).at(-1)); // what is read in it
    if (page.startsWith("chapters/"))
      keep({ place: { page, anchor: section.id, block, title, section: heading, lang } });
  }

  /** What the menu calls a page: a place that was kept in the other edition has that one's words. */
  const titleOf = (page) =>
    [...document.querySelectorAll(".bd-sidebar a")]
      .find((link) => link.href.endsWith(`/${page}`))
      ?.textContent.trim() ?? "";

  /** Before "Start" stands where the reader was last, now the first choice. It leads to a page of this book, whatever was stored. */
  function offerPlace() {
    const { place, answers } = recall();
    if (!place && !Object.keys(answers).length) return;
    const { page, anchor, block, ...said } = place ?? {};
    const { title, section = title } = (said.lang ?? "en") === lang ? said : { title: titleOf(page) };
    const says = section === title ? TEXT.on : TEXT.onIn;
    const on = element("a", { className: start.className, textContent: fill(says, { title, section }) });
    const row = element("p", { className: "bb-go-on" });
    if (/^chapters\/[\w-]+\.html$/.test(page)) {
      const finer = Number.isInteger(block) && block > 0 ? `--${block}` : "";
      on.href = new URL(`${page}#${String(anchor).replace(/[^\w-]/g, "")}${finer}`, home).href;
      start.before(on, " ");
      start.classList.replace("sd-btn-primary", "bb-second");
    }
    row.append(press(TEXT.forgetAll, forget, "bb-as-words"));
    (start.closest("p") ?? start).after(row);

    function forget() {
      const kept = localStorage.getItem(KEY);
      const undo = () => {
        localStorage.setItem(KEY, kept);
        row.remove();
        offerPlace();
      };
      localStorage.removeItem(KEY);
      on.remove();
      start.classList.replace("bb-second", "sd-btn-primary");
      row.replaceChildren(TEXT.forgotten, " ", press(TEXT.undo, undo, "bb-as-words"));
      row.setAttribute("role", "status");
    }
  }

  const questions = document.querySelectorAll("article section > .bb-question");
  for (const section of new Set([...questions].map((one) => one.parentElement))) quizOf(section);
  if (start) offerPlace();
  addEventListener("pagehide", notePlace);
  addEventListener("visibilitychange", () => document.hidden && notePlace()); // telephones drop tabs without a word
})();
