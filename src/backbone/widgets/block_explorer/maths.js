// What is cut, in words and as a key: "2 branch, 4 skip".

/** The cuts as one text, in the order of the blocks; "" where there is none. */
export function keyOf(cuts) {
  const numbers = Object.keys(cuts).sort((one, other) => one - other);
  return numbers.map((block) => `${block} ${cuts[block]}`).join(", ");
}

/** The cuts after a press on one part of a block: it is cut, or put back. A block loses one part at most. */
export function pressed(cuts, block, part) {
  const { [block]: before, ...rest } = cuts;
  return before === part ? rest : { ...rest, [block]: part };
}

/** The same part of all blocks. */
export const allOf = (blocks, part) => Object.fromEntries(blocks.map((block) => [block, part]));

/** The cuts as the engine takes them. */
export const withoutOf = (cuts) =>
  Object.fromEntries(Object.entries(cuts).map(([block, part]) => [`_blocks.${block}`, part]));

/** The blocks of each part. */
export function partsOf(cuts) {
  const numbers = Object.keys(cuts).map(Number);
  const of = (part) => numbers.filter((block) => cuts[block] === part).sort((one, other) => one - other);
  return { branch: of("branch"), skip: of("skip") };
}

/** Of how many pictures the first answer of a case is that of the whole network. `first` is (cases, pictures). */
export function keptOf(first, at) {
  return first[at].filter((name, i) => name === first[0][i]).length;
}
