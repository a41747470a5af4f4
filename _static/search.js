// What the search page does: it finds sections by the glossary's names for what they explain, by heading, and by text.
//
// MiniSearch and the index (_ext/site_search.py) are there when this runs.
(() => {
  "use strict";
  const TEXT = {
    none: "Nothing was found for “{query}”. Try another word for it.",
    one: "One section for “{query}”.",
    many: "{count} sections for “{query}”.",
    first: "The first {count} sections for “{query}”.",
  };
  const MOST = 40; // sections shown
  const AROUND = 90; // characters before the word in an excerpt, and twice as many behind

  const { MiniSearch, backboneIndex } = globalThis;
  const { pages, sections } = backboneIndex;
  const fuzzy = (word) => (word.length > 4 ? 0.2 : false);

  /** Write as people type: "1 × 1" is one word. */
  const typed = (text) => text.replace(/(?<=\d)\s*×\s*(?=\d)/g, "x");
  /** A name without what is written in several ways: "Grad-CAM" is "gradcam", and "skip connections" loses its s. */
  const bare = (text) =>
    typed(text.toLowerCase())
      .replace(/[^\p{L}\p{N}]+/gu, "")
      .replace(/(?<=\p{L}{3})s$/u, "");

  const named = sections.map(({ names }) => names.map(([name]) => bare(name)));
  const engine = new MiniSearch({
    fields: ["names", "heading", "title", "text"],
    tokenize: (text) => MiniSearch.getDefault("tokenize")(typed(text)),
    searchOptions: {
      boost: { names: 8, heading: 4, title: 2 },
      combineWith: "AND",
      prefix: (word) => word.length > 2,
      fuzzy,
    },
  });
  engine.addAll(
    sections.map(({ page, heading, text, names }, id) => ({
      ...{ id, heading, text, title: pages[page][1] },
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

  /** Return a query as it was probably meant. */
  function meant(query) {
    const asked = bare(query);
    if (sections.some((_, id) => known(id, asked))) return asked;
    const near = engine.autoSuggest(query, { fuzzy, prefix: false });
    return bare(near.find(({ terms }) => terms.length === query.split(/\s+/).length)?.suggestion ?? query);
  }

  /** List the numbers of sections, best first, each with the words that were found in it. */
  function find(query, asked) {
    const all = engine.search(query);
    const results = all.length ? all : engine.search(query, { combineWith: "OR" });
    const scores = new Map(results.map(({ id, score, terms }) => [id, { score, terms }]));
    for (const id of sections.keys()) {
      const best = asked && known(id, asked);
      const { score = 0, terms = [] } = scores.get(id) ?? {};
      if (best) scores.set(id, { score: score + best, terms });
    }
    return [...scores].toSorted(([, a], [, b]) => b.score - a.score).map(([id, { terms }]) => [sections[id], terms]);
  }

  /** Cut out of a section's text what stands around the first of the words. */
  function excerpt(text, words) {
    const start = Math.max(0, text.toLowerCase().search(either(words)));
    const from = start > AROUND ? text.indexOf(" ", start - AROUND) + 1 : 0;
    const to = text.lastIndexOf(" ", from + 3 * AROUND);
    return (from ? "… " : "") + (text.length > from + 3 * AROUND ? `${text.slice(from, to)} …` : text.slice(from));
  }

  function either(words) {
    const safe = words.map((word) =>
      word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/(?<=\d)x(?=\d)/g, "\\s*[x×]\\s*"),
    );
    return new RegExp(`(?<![\\p{L}\\p{N}])(${safe.join("|") || "(?!)"})`, "giu");
  }

  /** Return a text in which the words are marked. */
  function marked(text, words) {
    return text.split(either(words)).map((part, i) => (i % 2 ? element("mark", {}, part) : part));
  }

  function element(tag, properties, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  }

  /** Return one result: its heading, its page, and what it explains or says. */
  function entry([{ page, anchor, heading, text, names }, terms], asked) {
    const [address, title] = pages[page];
    const meaning = names.find(([name]) => worth(bare(name), asked))?.[1];
    const words = terms.toSorted((a, b) => b.length - a.length);
    const link = element("a", { href: anchor ? `${address}#${anchor}` : address }, heading);
    const says = element("p", {}, ...(meaning ? [meaning] : marked(excerpt(text, words), words)));
    return element("li", {}, link, ...(anchor ? [element("span", { className: "bb-note" }, ` · ${title}`)] : []), says);
  }

  const field = document.querySelector("#search-field");
  const [summary, list] = document.querySelectorAll(".search-summary, #search-results");

  /** Show what is found for what stands in the field. */
  function show() {
    const query = field.value.trim();
    const asked = query && meant(query);
    const found = query ? find(query, asked) : [];
    const said = found.length > MOST ? "first" : (["none", "one"][found.length] ?? "many");
    const count = Math.min(found.length, MOST);
    summary.textContent = query && TEXT[said].replace("{count}", count).replace("{query}", () => query);
    list.replaceChildren(...found.slice(0, MOST).map((one) => entry(one, asked)));
  }

  field.value = new URLSearchParams(location.search).get("q") ?? "";
  field.addEventListener("input", show);
  field.focus();
  show();
})();
