// What the figure works out from the layers: pure functions, tested against PyTorch.

/** Three digits with a unit: 138 M, 15.5 G. */
export function amount(value) {
  const [unit, name] = [
    [1e9, " G"],
    [1e6, " M"],
    [1e3, " K"],
  ].find(([size]) => value >= 0.9995 * size) ?? [1, ""];
  const scaled = value / unit;
  return `${unit === 1 ? scaled : scaled.toFixed(scaled >= 99.95 ? 0 : scaled >= 9.995 ? 1 : 2)}${name}`;
}

/** How many places a window has along a side, as PyTorch counts. */
export function placesOf(side, { kernel, stride, padding, ceil }) {
  const steps = (side + 2 * padding - kernel) / stride;
  let places = (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
  // A window that is taken although it does not fit has to begin inside the map or its padding on the left.
  if (ceil && (places - 1) * stride >= side + padding) places -= 1;
  return places;
}

/** The side of each map for a picture of another size: side as it was counted -> side now. */
function sidesAt({ side, windows }, size) {
  const sides = new Map([[side, size]]);
  for (const window of windows) sides.set(window.after, placesOf(sides.get(window.before), window));
  return sides;
}

/** The stages of a network at a size, each with its side (0 without maps), parameters and multiply-adds; and the sums. */
export function counted(network, size) {
  const sides = sidesAt(network, size);
  const stages = network.stages.map(({ layers, ...stage }) => {
    const found = layers.map(([name, kernel, before, after, side, parameters, each]) => {
      const now = side ? sides.get(side) : 0;
      return { name, kernel, before, after, side: now, parameters, cost: each * (now || 1) ** 2 };
    });
    const [parameters, cost] = ["parameters", "cost"].map((key) => total(found, key));
    return { ...stage, layers: found, side: found.at(-1).side, parameters, cost };
  });
  return { stages, parameters: total(stages, "parameters"), cost: total(stages, "cost") };
}

function total(parts, key) {
  return parts.reduce((sum, part) => sum + part[key], 0);
}

/** Of each network its maps, cut from the numbers of all, in the order of `names`. */
export function mapsOf(pixels, names, networks) {
  let at = 0;
  const cut = ([height, width]) => ({ height, width, pixels: pixels.subarray(at, (at += height * width)) });
  return Object.fromEntries(names.map((name) => [name, networks[name].maps.map(cut)]));
}

/** Side of a box and how deep it is, from 0 to 1 each: of maps with a side, `most` at the largest size. */
export function boxOf(side, maps, most) {
  return { side: Math.sqrt(side / most), depth: Math.log2(maps) / 12 };
}
