// What the search page does besides Sphinx: it runs after Sphinx's scripts and before they look for anything.
(() => {
  "use strict";

  // Other ways to write a term, as the book does.
  const WRITTEN = {
    batchnorm: "batch normalization",
    finetune: "fine-tune",
    finetuning: "fine-tuning",
    gradcam: "grad-cam",
    layernorm: "layer normalization",
    lrn: "local response normalization",
    maxpool: "max pooling",
  };

  /** Write a query as the book writes; "1×1" stands as "1x1" in the index (backbone_book.py). */
  function asWritten(query) {
    const words = query.toLowerCase().replace(/(\d)\s*×\s*(?=\d)/g, "$1x");
    return words.replace(/[\p{L}\p{N}]+/gu, (word) => (Object.hasOwn(WRITTEN, word) ? WRITTEN[word] : word));
  }

  const parse = Search._parseQuery;
  Search._parseQuery = (query) => parse(asWritten(query));

  // Sphinx looks words up in plain objects, where "constructor" finds what no page says, and stops with an error.
  const bare = Object.assign(Object.create(null), { hasOwnProperty: Object.prototype.hasOwnProperty });
  for (const table of [Search._index.terms, Search._index.titleterms]) Object.setPrototypeOf(table, bare);

  // From a folder no page can be fetched for an excerpt; each try would be an error on the console.
  if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
})();
