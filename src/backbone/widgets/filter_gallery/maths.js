// What the filter gallery computes: pure functions, tested against Python.

/** A picture as the network sees it: three planes of numbers, from one or three planes of bytes. */
export function seen(planes, mean, std) {
  const known = Float64Array.from({ length: 256 }, (_, byte) => (byte / 255 - mean) / std);
  const numbers = planes.map((plane) => new Float64Array(plane).map((byte) => known[byte]));
  return numbers.length === 3 ? numbers : [numbers[0], numbers[0], numbers[0]];
}

/** Zeros before the first pixel along one axis, and outputs, with "same" padding. */
export function same(size, kernel, stride) {
  const count = Math.ceil(size / stride);
  return { before: Math.floor(Math.max((count - 1) * stride + kernel - size, 0) / 2), count };
}

/** One filter over three planes; `weights`: 3 * k * k numbers. */
export function response([red, green, blue], height, width, weights, stride) {
  const area = weights.length / 3;
  const kernel = Math.round(Math.sqrt(area));
  const [rows, columns] = [same(height, kernel, stride), same(width, kernel, stride)];
  const data = new Float64Array(rows.count * columns.count);
  for (let row = 0; row < rows.count; row++) {
    const top = row * stride - rows.before;
    const [high, low] = [Math.max(0, -top), Math.min(kernel, height - top)]; // what is not padding
    for (let column = 0; column < columns.count; column++) {
      const left = column * stride - columns.before;
      const [first, last] = [Math.max(0, -left), Math.min(kernel, width - left)];
      let sum = 0;
      for (let i = high; i < low; i++) {
        let [at, w] = [(top + i) * width + left + first, i * kernel + first];
        for (let j = first; j < last; j++, at++, w++) {
          sum += weights[w] * red[at] + weights[area + w] * green[at] + weights[2 * area + w] * blue[at];
        }
      }
      data[row * columns.count + column] = sum;
    }
  }
  return { data, height: rows.count, width: columns.count };
}

/** The highest place of a map whose window lies inside the picture; of equal ones the first. */
export function bestPlace(map, height, width, kernel, stride) {
  const [top, left] = [same(height, kernel, stride).before, same(width, kernel, stride).before];
  let best = null;
  for (let row = 0; row < map.height; row++) {
    const y = row * stride - top;
    if (y < 0 || y + kernel > height) continue;
    for (let column = 0; column < map.width; column++) {
      const x = column * stride - left;
      if (x < 0 || x + kernel > width) continue;
      const score = map.data[row * map.width + column];
      if (best === null || score > best.score) best = { score, row, column, y, x };
    }
  }
  return best;
}

/** Strength, and the shares of the squared weights that differ between channels, and between places. */
export function measures(weights) {
  const area = weights.length / 3;
  let [total, gray, flat] = [0, 0, 0];
  for (let c = 0; c < 3; c++) {
    let sum = 0;
    for (let i = c * area; i < (c + 1) * area; i++) {
      sum += weights[i];
      total += weights[i] ** 2;
    }
    flat += sum ** 2 / area;
  }
  for (let i = 0; i < area; i++) gray += (weights[i] + weights[area + i] + weights[2 * area + i]) ** 2 / 3;
  const share = (part) => (total ? Math.max(0, 1 - part / total) : 0);
  return { strength: Math.sqrt(total), color: share(gray), edges: share(flat) };
}

/** The filters' numbers in an order; equal ones stay as stored, and those that are off come last. */
export function sorted(all, order) {
  const numbers = all.map((_, number) => number);
  const key = (number) => (all[number].off && order !== "strength" ? -1 : all[number][order]);
  if (order !== "stored") numbers.sort((one, other) => key(other) - key(one) || one - other);
  return numbers;
}

/** Which kind of pattern a filter looks for, by its shares of color and of edges. */
export function kindOf({ off, color, edges }) {
  if (off) return "off";
  if (edges > 0.5) return color > 0.5 ? "both" : "edge";
  return color > 0.5 ? "color" : "even";
}

/** Weights as colors: 0 is the middle gray, `limit` full color. Red, green, blue, opacity, place by place. */
export function colors(weights, limit) {
  const area = weights.length / 3;
  const bytes = new Uint8ClampedArray(4 * area);
  for (let i = 0; i < area; i++) {
    for (let c = 0; c < 3; c++) bytes[4 * i + c] = 127.5 + (limit ? (127.5 * weights[c * area + i]) / limit : 0);
    bytes[4 * i + 3] = 255;
  }
  return bytes;
}

export function largest(values) {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most;
}
