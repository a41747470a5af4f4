// What the residual explorer reads off its record: pure functions, tested against Python.

export const BLOCKS = 9;
export const ASKED = [6]; // the cut that the question is about
const SETS = 2 ** BLOCKS;

/** The number of a set of cuts: bit k - 1 is block k. */
export const setOf = (cuts) => cuts.reduce((sum, block) => sum + 2 ** (block - 1), 0);

/** The cuts with one block more, or one less. */
export function toggled(cuts, block) {
  return cuts.includes(block) ? cuts.filter((one) => one !== block) : [...cuts, block].sort((a, b) => a - b);
}

/** What network 0 (residual) or 1 (plain) answers: for each picture the class, the percentage, and whether it is right. */
export function answersOf({ called, percents, labels }, network, cuts) {
  const set = setOf(cuts);
  return Array.from(labels, (label, i) => {
    const at = (network * labels.length + i) * SETS + set;
    return { called: called[at], percent: percents[at], right: called[at] === label };
  });
}

/** How many answers are right. */
export const rightOf = (answers) => answers.filter(({ right }) => right).length;

/** Which prediction is true: as many right as with skips, or one less; at most a quarter of that; or in between. */
export function truthOf(withSkips, without) {
  if (without >= withSkips - 1) return "many";
  return without <= withSkips / 4 ? "few" : "half";
}

/** One row of the numbers: all blocks, without each one, as cut now; null for what was not counted for this seed. */
export function numbersOf(right, cuts) {
  const whole = right.length === SETS;
  const singles = Array.from({ length: BLOCKS }, (_, k) => right[whole ? 2 ** k : k + 1]);
  return [right[0], ...singles, whole ? right[setOf(cuts)] : null];
}
