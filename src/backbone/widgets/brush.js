// What a hand draws: on square pictures, a byte a pixel.

import { ARROWS, clamp, drag, keys } from "./kit.js";

/** Paint a soft dot, white or black; paint that is there stays. `y` and `x` are pixel centers at whole numbers. */
function dab(pixels, y, x, radius, ink) {
  const side = Math.sqrt(pixels.length);
  const reach = Math.ceil(radius + 1);
  const near = (at) => [Math.max(0, Math.floor(at) - reach), Math.min(side - 1, Math.ceil(at) + reach)];
  const [rows, columns] = [near(y), near(x)];
  for (let row = rows[0]; row <= rows[1]; row++)
    for (let column = columns[0]; column <= columns[1]; column++) {
      const strength = clamp(radius + 0.7 - Math.hypot(row - y, column - x), 0, 1) * 255;
      const at = row * side + column;
      pixels[at] = ink === "white" ? Math.max(pixels[at], strength) : Math.min(pixels[at], 255 - strength);
    }
}

/** Dots along a line, close enough to be one stroke. */
export function stroke(pixels, [y0, x0], [y1, x1], radius, ink) {
  const steps = Math.max(1, Math.ceil(2 * Math.hypot(y1 - y0, x1 - x0)));
  for (let i = 0; i <= steps; i++) dab(pixels, y0 + ((y1 - y0) * i) / steps, x0 + ((x1 - x0) * i) / steps, radius, ink);
}

/**
 * What draws on a canvas with a picture of `side` pixels along its sides: a hand, or a cursor that keys move, set down by
 * Enter. `paint(from, to)` draws a bit of a stroke, `settled()` follows at its end. While `other()` gives another tool, the
 * hand is told to its `point(place)`, and arrow keys to its `go(step)`. `cursor()` is a place while keys are at work.
 */
export function brushPart(view, canvas, side, { paint, settled, draw, other = () => null }) {
  const local = { last: null, cursor: [side / 2, side / 2], down: false, focused: false };
  const point = (event) => {
    const { left, top, width } = canvas.getBoundingClientRect();
    const placeOf = ({ clientX, clientY }) => [clientY - top, clientX - left].map((at) => (at / width) * side);
    if (other()) return other().point(placeOf(event));
    for (const one of event.getCoalescedEvents?.().length ? event.getCoalescedEvents() : [event]) {
      const place = placeOf(one).map((at) => at - 0.5); // centers of pixels lie at whole numbers
      paint(local.last ?? place, place);
      local.last = place;
    }
  };
  drag(view, canvas, point, (event) => ((local.last = null), point(event)));
  view.listen(canvas, "pointerup", () => ((local.last = null), settled()));
  view.listen(canvas, "focus", () => ((local.focused = canvas.matches(":focus-visible")), draw()));
  view.listen(canvas, "blur", () => ((local.focused = local.down = false), draw()));
  keys(view, canvas, ({ key, shiftKey }) => {
    const step = (ARROWS[key] ?? [0, 0]).map((at) => at * (shiftKey ? 4 : 1));
    if (other()) return ARROWS[key] ? other().go(step) : false;
    if (!ARROWS[key] && key !== " " && key !== "Enter") return false;
    const before = local.cursor;
    local.focused = true;
    local.cursor = before.map((at, axis) => clamp(at + step[axis], 0, side - 1));
    if (key === "Enter") local.down = !local.down;
    if (key === " " || local.down) {
      paint(before, local.cursor);
      settled();
    }
    draw();
  });
  return { cursor: () => (local.focused ? local.cursor : null) };
}
