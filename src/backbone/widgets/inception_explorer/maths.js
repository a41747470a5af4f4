// What the Inception explorer computes: pure functions, tested against PyTorch.

const KERNELS = [1, 9, 25]; // places of a 1x1, a 3x3 and a 5x5
export const STEP = 8;
const [MOST_OUT, MOST_INTO] = [256, 192];
export const LIMITS = [
  [0, MOST_OUT],
  [STEP, MOST_INTO],
  [0, MOST_OUT],
  [STEP, MOST_INTO],
  [0, MOST_OUT],
  [STEP, MOST_OUT],
];

/** Maps and weights of each branch (1x1, 3x3, 5x5, pool) of a module. A branch that gives no maps has no weights. */
function branchesOf(channels, widths, reduced) {
  const conv = (kernel, maps, into) =>
    maps === 0 ? 0 : into === null ? kernel * channels * maps : channels * into + kernel * into * maps;
  const [one, intoThree, three, intoFive, five, pooled] = widths;
  return [
    { maps: one, weights: conv(KERNELS[0], one, null) },
    { maps: three, weights: conv(KERNELS[1], three, reduced[0] ? intoThree : null) },
    { maps: five, weights: conv(KERNELS[2], five, reduced[1] ? intoFive : null) },
    reduced[2] ? { maps: pooled, weights: channels * pooled } : { maps: channels, weights: 0 },
  ];
}

/** The same with multiply-adds and totals; a module keeps height and width, so each weight is used at each place. */
export function count([channels, side], widths, reduced) {
  const branches = branchesOf(channels, widths, reduced).map((one, index) => ({
    ...one,
    index,
    cost: one.weights * side * side,
  }));
  const sum = (name) => branches.reduce((total, one) => total + one[name], 0);
  return { branches, out: sum("maps"), weights: sum("weights"), cost: sum("cost") };
}

/** Which goals of a puzzle hold, one true or false for each. */
export function reached(shape, { start, goals }, widths, reduced) {
  const now = count(shape, widths, reduced);
  const before = count(shape, start.widths, start.reduced);
  const steps = widths.map((width, i) => start.widths[i] - width).filter((step) => step !== 0);
  const holds = {
    out: ({ maps }) => now.out === maps,
    cost: ({ most }) => now.cost <= most,
    least: ({ maps }) => maps.every((least, i) => now.branches[i].maps >= least),
    share: ({ branch, least }) => now.out > 0 && now.branches[branch].maps >= least * now.out,
    plain: () => !reduced[0] && !reduced[1],
    step: () => steps.length === 1 && steps[0] === STEP && reduced.every((one, i) => one === start.reduced[i]),
    saved: ({ least }) => before.cost - now.cost >= least,
  };
  return goals.map((goal) => holds[goal.kind](goal));
}

/** What it would save to make each of the six widths smaller by one step; 0 where that cannot be, or is not used. */
export function savings(shape, widths, reduced) {
  const { cost } = count(shape, widths, reduced);
  return widths.map((width, slot) => {
    if (width - STEP < LIMITS[slot][0]) return 0;
    const fewer = widths.map((one, i) => (i === slot ? one - STEP : one));
    return cost - count(shape, fewer, reduced).cost;
  });
}

/** The blocks of the four branches, in columns 1 and 2: which width each is (null for the pooling), and its maps. */
function blocksOf(channels, widths, reduced) {
  const [one, three, five] = [
    [[2, 0]],
    reduced[0]
      ? [
          [1, 1],
          [2, 2],
        ]
      : [[2, 2]],
    reduced[1]
      ? [
          [1, 3],
          [2, 4],
        ]
      : [[2, 4]],
  ];
  const pool = reduced[2]
    ? [
        [1, null],
        [2, 5],
      ]
    : [[1, null]];
  return [one, three, five, pool].map((blocks) =>
    blocks.map(([column, slot]) => ({ column, slot, maps: slot === null ? channels : widths[slot] })),
  );
}

const LEAST = 26; // pixels, for a finger
const GAP = 8;
const TALL = 252; // for the four branches, without the gaps

/** Pixels a map: the largest of a few, so that it seldom changes under a hand. */
export function unitOf(channels, widths, reduced) {
  const rows = blocksOf(channels, widths, reduced);
  const tall = (unit) => rows.reduce((sum, blocks) => sum + laneOf(blocks, unit), 0);
  return [0.55, 0.45, 0.35, 0.27, 0.2].find((unit) => tall(unit) <= TALL) ?? 0.2;
}

const laneOf = (blocks, unit) => Math.max(LEAST, ...blocks.map(({ maps }) => maps * unit));

/** Where all stands in a picture `width` pixels wide: blocks, what goes in and out, and the ribbons between them. */
export function layout(channels, widths, reduced, width, unit) {
  const block = Math.max(58, Math.min(96, width * 0.14));
  const narrow = width < 360; // then all room goes between the blocks, where answers stand
  const [left, right] = narrow ? [8, width - 22] : [width * 0.075, width - width * 0.09];
  const gap = (right - left - 2 * block) / 3;
  const columns = { 1: left + gap, 2: left + 2 * gap + block };
  const branches = blocksOf(channels, widths, reduced);
  let top = 20;
  const lanes = branches.map((blocks) => {
    const tall = laneOf(blocks, unit);
    const placed = blocks.map((one) => {
      const height = one.maps * unit;
      return { ...one, x: columns[one.column], y: top + (tall - height) / 2, width: block, height };
    });
    top += tall + GAP;
    return placed;
  });
  const middle = 20 + (TALL + 3 * GAP) / 2;
  const pile = (maps) => ({ y: middle - (maps * unit) / 2, height: maps * unit });
  const input = { x: 0, width: left, ...pile(channels) };
  const outs = lanes.map((blocks) => blocks.at(-1).maps);
  const output = { x: right, width: width - right, ...pile(outs.reduce((sum, maps) => sum + maps)) };
  let at = output.y;
  const parts = outs.map((maps) => {
    const part = { x: right, width: width - right, y: at, height: maps * unit };
    at += part.height;
    return part;
  });
  const ribbons = lanes.map((blocks, branch) => [input, ...blocks, parts[branch]]);
  return { input, output, parts, lanes, ribbons, height: 20 + TALL + 3 * GAP };
}

/** The outline of a ribbon from the right end of one box to the left end of another. */
export function ribbonPath(from, to) {
  const [x0, x1] = [from.x + from.width, to.x];
  const bend = (x0 + x1) / 2;
  const [a, b, c, d] = [from.y, to.y, to.y + to.height, from.y + from.height].map((y) => y.toFixed(1));
  return `M${x0} ${a}C${bend} ${a} ${bend} ${b} ${x1} ${b}V${c}C${bend} ${c} ${bend} ${d} ${x0} ${d}Z`;
}
