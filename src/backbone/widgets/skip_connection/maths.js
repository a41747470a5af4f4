// What the skip connection's figure computes: pure functions, tested against Python.

export const REACH = 14; // powers of ten that are drawn to each side of 1

/** The logarithms of one kind of branch at one step of the slider, block by block. */
export function profileAt({ data, shape: [, steps, blocks] }, kind, step) {
  const start = (kind * steps + step) * blocks;
  return data.subarray(start, start + blocks);
}

/** A bar from the line of 1: from the top of a box of height 1, and its height. */
export function barOf(log) {
  const share = Math.min(Math.abs(log), REACH) / (2 * REACH);
  return { top: log > 0 ? 0.5 - share : 0.5, height: share };
}
