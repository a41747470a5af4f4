// What a hand draws: on square pictures, a byte a pixel.

/** Paint a soft dot, white or black; paint that is there stays. `y` and `x` are pixel centers at whole numbers. */
function dab(pixels, y, x, radius, ink) {
  const side = Math.sqrt(pixels.length);
  const reach = Math.ceil(radius + 1);
  const near = (at) => [Math.max(0, Math.floor(at) - reach), Math.min(side - 1, Math.ceil(at) + reach)];
  const [rows, columns] = [near(y), near(x)];
  for (let row = rows[0]; row <= rows[1]; row++)
    for (let column = columns[0]; column <= columns[1]; column++) {
      const strength = Math.min(Math.max(radius + 0.7 - Math.hypot(row - y, column - x), 0), 1) * 255;
      const at = row * side + column;
      pixels[at] = ink === "white" ? Math.max(pixels[at], strength) : Math.min(pixels[at], 255 - strength);
    }
}

/** Dots along a line, close enough to be one stroke. */
export function stroke(pixels, [y0, x0], [y1, x1], radius, ink) {
  const steps = Math.max(1, Math.ceil(2 * Math.hypot(y1 - y0, x1 - x0)));
  for (let i = 0; i <= steps; i++) dab(pixels, y0 + ((y1 - y0) * i) / steps, x0 + ((x1 - x0) * i) / steps, radius, ink);
}
