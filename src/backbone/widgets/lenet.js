// LeNet in the page.

const LENET_SIDE = 28;
/** The parameters by name, as `lenet.py` packs them: whole numbers with a scale for each unit, and biases as they are. */
export function lenetParameters(shapes, weights, vectors) {
  let [at, seen] = [0, 0];
  const found = {};
  for (const [name, [units, ...sides]] of shapes) {
    const vector = vectors.subarray(seen, (seen += units));
    const inputs = sides.reduce((product, side) => product * side, 1);
    found[name] = sides.length ? new Float32Array(units * inputs) : vector;
    for (let unit = 0, i = 0; sides.length && unit < units; unit++)
      for (const end = i + inputs; i < end; i++) found[name][i] = weights[at++] * vector[unit];
  }
  return found;
}

/** Every layer's output for one standardized picture (28 * 28 numbers), by the layer's name: channel after channel, row by row. */
export function lenetForward(parameters, picture) {
  const p = (name) => [parameters[`${name}.weight`], parameters[`${name}.bias`]];
  const conv1 = lenetConvolution(picture, LENET_SIDE, 1, ...p("conv1"), 2);
  const relu1 = lenetRelu(conv1);
  const pool1 = lenetPool(relu1, 28);
  const conv2 = lenetConvolution(pool1, 14, 6, ...p("conv2"), 0);
  const relu2 = lenetRelu(conv2);
  const pool2 = lenetPool(relu2, 10);
  const fc1 = lenetLinear(pool2, ...p("fc1"));
  const relu3 = lenetRelu(fc1);
  const fc2 = lenetLinear(relu3, ...p("fc2"));
  const relu4 = lenetRelu(fc2);
  const fc3 = lenetLinear(relu4, ...p("fc3"));
  return { conv1, relu1, pool1, conv2, relu2, pool2, fc1, relu3, fc2, relu4, fc3 };
}

function lenetRelu(values) {
  const result = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) if (values[i] > 0) result[i] = values[i];
  return result;
}

/** 5 x 5 windows over square maps. */
function lenetConvolution(maps, side, channels, weight, bias, padding) {
  const out = side + 2 * padding - 4;
  const padded = lenetPadded(maps, side, channels, padding);
  const wide = side + 2 * padding;
  const result = new Float64Array(bias.length * out * out);
  for (let o = 0; o < bias.length; o++) {
    const map = result.subarray(o * out * out, (o + 1) * out * out).fill(bias[o]);
    for (let c = 0; c < channels; c++) {
      for (let u = 0; u < 5; u++) {
        const at = ((o * channels + c) * 5 + u) * 5;
        const [a, b, d, e, f] = [weight[at], weight[at + 1], weight[at + 2], weight[at + 3], weight[at + 4]];
        for (let i = 0; i < out; i++) {
          const source = (c * wide + i + u) * wide;
          for (let j = 0, s = source; j < out; j++, s++) {
            map[i * out + j] +=
              a * padded[s] + b * padded[s + 1] + d * padded[s + 2] + e * padded[s + 3] + f * padded[s + 4];
          }
        }
      }
    }
  }
  return result;
}

/** Maps with zeros around them. */
export function lenetPadded(maps, side, channels, padding) {
  if (!padding) return maps;
  const wide = side + 2 * padding;
  const padded = new Float64Array(channels * wide * wide);
  for (let row = 0; row < channels * side; row++) {
    const [c, i] = [Math.floor(row / side), row % side];
    padded.set(maps.subarray(row * side, (row + 1) * side), (c * wide + i + padding) * wide + padding);
  }
  return padded;
}

/** The largest of each 2 x 2. */
function lenetPool(maps, side) {
  const half = side / 2;
  const pooled = new Float64Array(maps.length / 4);
  for (let at = 0; at < pooled.length; at++) {
    const row = Math.floor(at / half); // counted through all channels
    const first = 2 * row * side + 2 * (at % half);
    pooled[at] = Math.max(maps[first], maps[first + 1], maps[first + side], maps[first + side + 1]);
  }
  return pooled;
}

function lenetLinear(values, weight, bias) {
  return new Float64Array(bias).map((start, o) => {
    let sum = start;
    for (let i = 0; i < values.length; i++) sum += weight[o * values.length + i] * values[i];
    return sum;
  });
}

/** Where the largest number stands. */
export const largestAt = (values) => values.reduce((best, value, i) => (value > values[best] ? i : best), 0);
