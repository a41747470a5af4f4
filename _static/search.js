// What the search does: it finds sections by the glossary's names for what they explain, by heading, by text, and by the
// words in their figures. The search page shows all that is found, and the dialog on every page the first of it.
//
// MiniSearch and the index (_ext/site_search.py) are there when this runs.
(() => {
  "use strict";
  const TEXT = {
    none: "Nothing was found for “{query}”. Try another word for it.",
    one: "One section for “{query}”. Enter opens it.",
    many: "{count} sections for “{query}”. Enter opens the first.",
    first: "The first {count} sections for “{query}”. Enter opens the first.",
    typed: "Found: {count}. Arrow keys lead through the first {shown}; Enter shows all.",
    all: "All that was found",
    // Words of a question that say nothing of what it is about.
    small:
      "a about am an and any are as at be been better between but by can did difference do does each for from get give had " +
      "has have how i if in into is it its like make me mean means much must my need not of on one or our should so " +
      "some than that the their them then there these they this to two up us use using versus vs want was way we what " +
      "when where whether which who why will with without work works would you your",
  };
  const MOST = 40; // sections shown
  const AT_ONCE = 8; // in the dialog
  const PAUSE = 150; // ms after a key, before the dialog shows what is found
  const AROUND = 90; // characters before the word in an excerpt, and twice as many behind
  const PART = 60; // what a name says that is only a part of the query
  const REPEATS = /^(exercises|further-exercises|quick-questions|summary)/; // sections about what stands in others

  const { MiniSearch, backboneIndex } = globalThis;
  const { pages, sections, endings } = backboneIndex;
  const fuzzy = (word) => (word.length > 4 ? 0.2 : false);

  /** Write as people type: "1 × 1" is one word. */
  const typed = (text) => text.replace(/(\d)\s*×\s*(?=\d)/g, "$1x");

  /** A word without the particles and endings that Korean hangs on it; two syllables stay, or what is Latin. */
  function stem(word) {
    const rest = /\p{Script=Hangul}{2}$|[a-z0-9]$/u;
    const ending = endings.find((end) => word.endsWith(end) && rest.test(word.slice(0, -end.length)));
    return ending ? stem(word.slice(0, -ending.length)) : word;
  }

  /** A name without what is written in several ways: "Grad-CAM" is "gradcam", and "skip connections" loses its s. */
  const bare = (text) =>
    typed(text.toLowerCase().split(/\s+/).map(stem).join(" "))
      .replace(/[^\p{L}\p{N}]+/gu, "")
      .replace(/(\p{L}{3})s$/u, "$1");

  const named = sections.map(({ names }) => names.map(([name]) => bare(name)));
  const engine = new MiniSearch({
    fields: ["names", "heading", "title", "text", "figures"],
    tokenize: (text) => MiniSearch.getDefault("tokenize")(typed(text)),
    processTerm: (term) => stem(term.toLowerCase()),
    searchOptions: {
      boost: { names: 8, heading: 4, title: 2, figures: 4 },
      combineWith: "AND",
      prefix: (word) => word.length > (/\p{Script=Hangul}/u.test(word) ? 1 : 2),
      fuzzy,
    },
  });
  engine.addAll(
    sections.map(({ page, heading, text, names, figures }, id) => ({
      ...{ id, heading, text, figures, title: pages[page][1] },
      names: names.map(([name]) => name).join(", "),
    })),
  );

  /** What a name says for a section: a great deal if it is what was asked for, something if it begins so. */
  function worth(name, asked) {
    if (name === asked) return 1000;
    return asked.length > 2 && name.startsWith(asked) ? 100 + asked.length / name.length : 0;
  }

  /** Return what a section's names and its heading say for it. */
  function known(id, asked) {
    return Math.max(worth(bare(sections[id].heading), asked) / 2, ...named[id].map((name) => worth(name, asked)));
  }

  const SMALL = new Set(TEXT.small.split(" "));

  /** Return the words of a query that say what it is about: those that are not small, or all where all are. */
  function telling(query) {
    const all = MiniSearch.getDefault("tokenize")(typed(query.toLowerCase())).filter(Boolean);
    const told = all.filter((word) => !SMALL.has(word));
    return told.length ? told : all;
  }

  /** Return the parts of a query that may be names, up to three words, each with its share of the query. */
  function partsOf(words) {
    const parts = [];
    for (let from = 0; from < words.length; from++)
      for (let to = from + 1; to <= Math.min(from + 3, words.length); to++)
        parts.push([bare(words.slice(from, to).join(" ")), (to - from) / words.length]);
    return parts;
  }

  /** Return a query as it was probably meant. */
  function meant(query) {
    const asked = bare(query);
    if (sections.some((_, id) => known(id, asked))) return asked;
    const near = engine.autoSuggest(query, { fuzzy, prefix: false });
    return bare(near.find(({ terms }) => terms.length === query.split(/\s+/).length)?.suggestion ?? query);
  }

  /** List the numbers of sections, best first, each with the words that were found in it. */
  function find(query, asked) {
    const words = telling(query);
    const parts = partsOf(words);
    const results = engine.search(words.join(" "), { combineWith: "OR" });
    const most = Math.max(...results.map(({ queryTerms }) => queryTerms.length)); // a word that is nowhere excludes nothing
    const weight = (id, found) => found / most / (REPEATS.test(sections[id].anchor) ? 2 : 1);
    const scores = new Map(
      results.map(({ id, score, terms, queryTerms }) => [id, { score: score * weight(id, queryTerms.length), terms }]),
    );
    for (const id of sections.keys()) {
      const named = parts.map(([part, share]) => (known(id, part) < 500 ? 0 : PART * share));
      const best = asked && Math.max(known(id, asked), ...named);
      const { score = 0, terms = [] } = scores.get(id) ?? {};
      if (best) scores.set(id, { score: score + best, terms });
    }
    return [...scores].sort(([, a], [, b]) => b.score - a.score).map(([id, { terms }]) => [sections[id], terms]);
  }

  /** Cut out of a section's text what stands around the first of the words. */
  function excerpt(text, words) {
    const start = Math.max(0, text.toLowerCase().search(either(words)));
    const from = start > AROUND ? text.indexOf(" ", start - AROUND) + 1 : 0;
    const to = text.lastIndexOf(" ", from + 3 * AROUND);
    return (from ? "… " : "") + (text.length > from + 3 * AROUND ? `${text.slice(from, to)} …` : text.slice(from));
  }

  /** Match what stands before one of the words, and the word. */
  function either(words) {
    const safe = words.map((word) => {
      const own = word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/(\d)x(?=\d)/g, "$1\\s*[x×]\\s*");
      return /[a-z0-9]$/i.test(word) ? `${own}(?![a-z0-9])` : own; // "2" is not in "21"; a particle may follow Hangul
    });
    return new RegExp(`(^|[^\\p{L}\\p{N}])(${safe.join("|") || "(?!)"})`, "giu");
  }

  /** Return a text in which the words are marked. */
  function marked(text, words) {
    return text.split(either(words)).map((part, i) => (i % 3 === 2 ? element("mark", {}, part) : part));
  }

  function element(tag, properties, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  }

  /** Return one result: its heading and its page. */
  function entry({ page, anchor, heading }, root = "") {
    const [address, title] = pages[page];
    const link = element("a", { href: `${root}${anchor ? `${address}#${anchor}` : address}` }, heading);
    return element("li", {}, link, ...(anchor ? [element("span", { className: "bb-note" }, ` · ${title}`)] : []));
  }

  /** Return what a result explains or says. */
  function saysOf({ text, names }, terms, asked) {
    const meaning = names.find(([name]) => worth(bare(name), asked))?.[1];
    const words = [...terms].sort((a, b) => b.length - a.length);
    return element("p", {}, ...(meaning ? [meaning] : marked(excerpt(text, words), words)));
  }

  /** Show on the search page what is found for what stands in its field. */
  function searchPage(field) {
    const [summary, list] = document.querySelectorAll(".search-summary, #search-results");
    const show = () => {
      const query = field.value.trim();
      const asked = query && meant(query);
      const found = query ? find(query, asked) : [];
      const said = found.length > MOST ? "first" : (["none", "one"][found.length] ?? "many");
      const count = Math.min(found.length, MOST);
      summary.textContent = query && TEXT[said].replace("{count}", count).replace("{query}", () => query);
      list.replaceChildren(...found.slice(0, MOST).map(([one]) => entry(one)));
      for (const [i, item] of [...list.children].entries()) item.append(saysOf(...found[i], asked));
    };
    field.value = new URLSearchParams(location.search).get("q") ?? "";
    field.addEventListener("input", show);
    field.addEventListener("keydown", (event) => {
      const first = list.querySelector("a");
      if (event.key !== "Enter" || event.isComposing || !first) return;
      event.preventDefault();
      first.click();
    });
    field.focus();
    show();
  }

  /** Show in the dialog (page.js) what is found while one types; arrow keys lead from the field through it. */
  function searchDialog(form) {
    const [field, said, list] = form.querySelectorAll("input, #bb-enter, #bb-found");
    const [hint, root] = [said.textContent, new URL(".", form.action)];
    const show = () => {
      const query = field.value.trim();
      const found = query ? find(query, meant(query)) : [];
      const text = !query ? hint : found.length ? TEXT.typed : TEXT.none;
      const counts = text.replace("{count}", found.length).replace("{shown}", Math.min(found.length, AT_ONCE));
      said.textContent = counts.replace("{query}", () => query);
      const all = element("a", { href: `${root}search.html?q=${encodeURIComponent(query)}` }, TEXT.all);
      const shown = found.slice(0, AT_ONCE).map(([one]) => entry(one, root));
      list.replaceChildren(...shown, ...(found.length > AT_ONCE ? [element("li", {}, all)] : []));
    };
    let waiting;
    field.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(show, PAUSE);
    });
    const close = () => {
      field.focus(); // the theme closes what has the focus
      document.querySelector(".search-button__overlay").click();
    };
    list.addEventListener("click", ({ target }) => target.closest("a") && close());
    form.addEventListener("keydown", (event) => {
      const stops = [field, ...list.querySelectorAll("a")];
      const at = stops.indexOf(document.activeElement);
      const next = stops[at + { ArrowDown: 1, ArrowUp: -1 }[event.key]];
      if (event.key === "Escape" && at > 0) close();
      if (!next || event.isComposing) return;
      event.preventDefault();
      next.focus();
    });
    show();
  }

  const field = document.querySelector("#search-field");
  if (field) searchPage(field);
  globalThis.backboneSearch = searchDialog;
})();
