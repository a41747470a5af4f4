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
})();
