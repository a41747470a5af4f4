// What every page does besides the theme.
//
// Paper is white and cannot be clicked: while a page is printed, it is light and all that was folded is open. The
// theme's own script does that for solutions.
(() => {
  "use strict";
  const { dataset } = document.documentElement;
  let restore = () => {};

  addEventListener("beforeprint", () => {
    restore(); // some browsers say so twice
    const { theme } = dataset;
    const folds = document.querySelectorAll("article details:not([open])");
    for (const fold of folds) fold.open = true;
    dataset.theme = "light";
    restore = () => {
      for (const fold of folds) fold.open = false;
      dataset.theme = theme;
      restore = () => {};
    };
  });
  addEventListener("afterprint", () => restore());

  // A page opened at one of its places goes there at once. Then its formulas are set and push the place away: go there
  // again, unless the reader has moved meanwhile, or came back to where he had been.
  const { style } = document.documentElement;
  style.scrollBehavior = "auto"; // the theme would travel there
  const moved = new AbortController();
  for (const act of ["wheel", "touchmove", "keydown", "pointerdown", "hashchange"])
    addEventListener(act, () => moved.abort(), { signal: moved.signal, passive: true });
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  addEventListener("load", async () => {
    await (globalThis.widgetHost?.formulas ?? globalThis.MathJax?.startup?.promise);
    await frame();
    await frame();
    const place = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const [{ type }] = performance.getEntriesByType("navigation");
    if (place && type === "navigate" && !moved.signal.aborted) place.scrollIntoView();
    moved.abort();
    style.scrollBehavior = "";
  });
})();
