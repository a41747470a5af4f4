// From logits to answers.

/** Shares that add up to 1. */
export function softmax(logits) {
  const most = logits.reduce((one, other) => Math.max(one, other), -Infinity);
  const powers = Array.from(logits, (logit) => Math.exp(logit - most));
  const sum = powers.reduce((one, other) => one + other, 0);
  return powers.map((power) => power / sum);
}

/** The `count` likeliest classes with their shares, the first one first. */
export function topOf(logits, classes, count = 5) {
  const shares = softmax(logits);
  const order = [...shares.keys()].sort((one, other) => shares[other] - shares[one]);
  return order.slice(0, count).map((at) => ({ at, name: classes[at], share: shares[at] }));
}
