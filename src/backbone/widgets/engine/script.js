// The two kernels of kernels.js in plain JavaScript, for browsers that refuse WebAssembly. Addresses are in bytes.

const clip6 = (value) => (value < 0 ? 0 : value > 6 ? 6 : value);

/** Both kernels over the numbers of one memory. */
export function scriptKernels(F) {
  return { pointwise: pointwiseIn(F), depthwise: depthwiseIn(F) };
}

/** Eight outputs of one place at a time, so that each input is read once for them. */
function pointwiseIn(F) {
  const sums = new Float64Array(8);
  return (x, w, b, y, more, places, inputs, outputs, clip) => {
    for (let o = 0; o < outputs; o += 8) {
      for (let p = 0; p < places; p++) {
        for (let j = 0; j < 8; j++) sums[j] = F[b / 4 + o + j];
        let at = w / 4 + o * inputs;
        for (let i = x / 4 + p * inputs, end = i + inputs; i < end; i++, at += 8) {
          const value = F[i];
          for (let j = 0; j < 8; j++) sums[j] += value * F[at + j];
        }
        const out = p * outputs + o;
        for (let j = 0; j < 8; j++) {
          const sum = sums[j] + (more ? F[more / 4 + out + j] : 0);
          F[y / 4 + out + j] = clip ? clip6(sum) : sum;
        }
      }
    }
  };
}

/** Each channel by itself. */
function depthwiseIn(F) {
  return (x, w, b, y, size, channels, kernel, stride, pad, out) => {
    const sums = new Float64Array(channels);
    const window = (oy, ox) => {
      for (let ky = 0; ky < kernel; ky++) {
        const iy = oy * stride - pad + ky;
        for (let kx = 0; kx < kernel && iy >= 0 && iy < size; kx++) {
          const ix = ox * stride - pad + kx;
          if (ix < 0 || ix >= size) continue;
          const [from, by] = [x / 4 + (iy * size + ix) * channels, w / 4 + (ky * kernel + kx) * channels];
          for (let c = 0; c < channels; c++) sums[c] += F[from + c] * F[by + c];
        }
      }
    };
    for (let place = 0; place < out * out; place++) {
      sums.set(F.subarray(b / 4, b / 4 + channels));
      window(Math.floor(place / out), place % out);
      for (let c = 0; c < channels; c++) F[y / 4 + place * channels + c] = clip6(sums[c]);
    }
  };
}
