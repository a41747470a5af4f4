// What a reader gives: files that fall on a figure or are pasted, and the sentence where one cannot be used.

import { h, write } from "../kit.js";

const TYPING = "input, textarea, select, [contenteditable]";

/** A sentence about what went wrong. It lies over what stands below the row, so that nothing moves, until the next act. */
export function complaint(view) {
  const node = h("p", { class: "bb-photo-wrong", role: "alert", hidden: true });
  const hide = () => (node.hidden = true);
  for (const type of ["pointerdown", "keydown"]) view.listen(document, type, hide, { capture: true });
  const say = (text) => {
    node.hidden = false;
    write(node, text);
  };
  return { node, say, hide };
}

/**
 * Take the files that a reader drops on the figure, or pastes while it has the pointer or the focus: `take(files, node)`,
 * where `node` is the element on which they fell, or that has the focus.
 */
export function dropAndPaste(view, inside, take) {
  const root = () => inside.closest(".bb-widget");
  const brings = (event) => root()?.contains(event.target) && event.dataTransfer?.types.includes("Files");
  const mark = (on) => root()?.classList.toggle("bb-photo-over", on);
  const first = { capture: true }; // before a notebook that would keep the file
  view.listen(
    document,
    "dragover",
    (event) => {
      const here = brings(event);
      mark(here);
      if (here) event.preventDefault();
    },
    first,
  );
  view.listen(document, "dragleave", (event) => event.relatedTarget || mark(false), first);
  view.listen(
    document,
    "drop",
    (event) => {
      mark(false);
      if (!brings(event)) return;
      event.preventDefault();
      event.stopPropagation();
      if (event.dataTransfer.files.length) take([...event.dataTransfer.files], event.target);
    },
    first,
  );
  view.listen(
    document,
    "paste",
    (event) => {
      const [focus, files] = [document.activeElement, [...(event.clipboardData?.files ?? [])]];
      const here = root()?.contains(focus) || (root()?.matches(":hover") && !focus?.matches(TYPING));
      const file = files.find(({ type }) => type.startsWith("image/"));
      if (!here || !file) return;
      event.preventDefault();
      event.stopPropagation();
      take([file], focus);
    },
    first,
  );
}
