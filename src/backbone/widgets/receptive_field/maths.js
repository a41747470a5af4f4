// What the receptive field's figure computes: pure functions, tested against Python.

import { clamp } from "../kit.js";

/** The unit of a layer whose field has its middle nearest to a pixel, along one axis with `count` units. */
export function unitAt({ size, jump, start, count }, pixel) {
  return clamp(Math.round((pixel - start - size / 2) / jump), 0, count - 1);
}

/** The field of the unit nearest to a place: top, left, side, in pixels of the picture; it may reach over its border. */
export function fieldAt(field, place) {
  const [top, left] = place.map((pixel) => field.start + unitAt(field, pixel) * field.jump);
  return { top, left, side: field.size };
}

/** The same between two layers: at step 2.5 half way from the third to the fourth. */
export function boxAt(fields, step, place) {
  const [low, high] = [Math.floor(step), Math.ceil(step)].map((at) => fieldAt(fields[at], place));
  const share = step - Math.floor(step);
  const between = (name) => low[name] + share * (high[name] - low[name]);
  return { top: between("top"), left: between("left"), side: between("side") };
}

/** How strongly each pixel of a field is painted, row by row, 0 to 1: the root of the product of two places' shares. */
export function strengths(profile) {
  const most = Math.max(...profile);
  const roots = Array.from(profile, (share) => Math.sqrt(share / most));
  return Float64Array.from({ length: roots.length ** 2 }, (_, i) => {
    return roots[Math.floor(i / roots.length)] * roots[i % roots.length];
  });
}
