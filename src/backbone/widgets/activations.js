// The activations of `backbone.layers.ACTIVATIONS` with their derivatives, in double precision and under the same names.

const LEAK = 0.01;
const sigmoidOf = (z) => 1 / (1 + Math.exp(-z)); // exp overflows to Infinity, and 1 / Infinity is the right 0
// sigmoid(-z) rather than 1 - sigmoid(z), which is 0 from z = 37 on.
const sigmoidSlope = (z) => sigmoidOf(z) * sigmoidOf(-z);
const bell = (z) => Math.exp(-(z * z) / 2) / Math.sqrt(2 * Math.PI);

// The share of a normal distribution below z: known at every 16th from -38 to 38, and by a Taylor series in between.
const [NEAR, FAR] = [1 / 16, 38];
const shareBelow = Float64Array.from({ length: (2 * FAR) / NEAR + 1 }, (_, i) => {
  const z = Math.abs(i * NEAR - FAR);
  let tail; // what lies above |z|
  if (z > 3) {
    // Laplace's continued fraction: no difference of numbers near 1, so the smallest tails keep their digits.
    let fraction = z;
    for (let n = 150; n; n--) fraction = z + n / fraction;
    tail = bell(z) / fraction;
  } else {
    // Marsaglia's series, all of whose terms have one sign: 1/2 - bell(z) (z + z^3/3 + z^5/15 + ...).
    let [term, sum] = [z, z];
    for (let n = 3; term > sum * 1e-17; n += 2) sum += term *= (z * z) / n;
    tail = 0.5 - bell(z) * sum;
  }
  return i * NEAR < FAR ? tail : 1 - tail;
});

function normalShare(z) {
  if (!(Math.abs(z) < FAR)) return z > 0 ? 1 : z < 0 ? 0 : NaN;
  const at = Math.round((z + FAR) / NEAR);
  const near = at * NEAR - FAR;
  const step = near - z;
  // The derivatives of the bell are Hermite polynomials times the bell; ten terms are more than enough so near.
  let [before, now, power, sum] = [0, 1, 1, 1];
  for (let n = 1; n < 10; n++) {
    [before, now] = [now, near * now - (n - 1) * before];
    power *= step / (n + 1);
    sum += now * power;
  }
  return shareBelow[at] - bell(near) * step * sum;
}

export const activationFunctions = {
  sigmoid: { value: sigmoidOf, derivative: sigmoidSlope },
  tanh: { value: Math.tanh, derivative: (z) => 4 * sigmoidSlope(2 * z) },
  relu: { value: (z) => Math.max(z, 0), derivative: (z) => (z > 0 ? 1 : 0) },
  leaky_relu: { value: (z) => (z > 0 ? z : LEAK * z), derivative: (z) => (z > 0 ? 1 : LEAK) },
  elu: { value: (z) => (z > 0 ? z : Math.expm1(z)), derivative: (z) => Math.exp(Math.min(z, 0)) },
  gelu: { value: (z) => z * normalShare(z), derivative: (z) => normalShare(z) + z * bell(z) },
  silu: { value: (z) => z * sigmoidOf(z), derivative: (z) => sigmoidOf(z) + z * sigmoidSlope(z) },
};

/** The largest size of an activation's slope; for all of them it lies within ±3. */
export function steepest({ derivative }) {
  let largest = 0;
  for (let z = -3; z <= 3; z += 1 / 128) largest = Math.max(largest, Math.abs(derivative(z)));
  return largest;
}
