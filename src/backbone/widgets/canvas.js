import { enlarged, h } from "./kit.js";
// Drawing on a canvas in the page's own colors.

/** Where a pointer is on a canvas, and the canvas's size, in the pixels in which it is painted. */
export function spot(canvas, { clientX, clientY }) {
  const { left, top, width, height } = canvas.getBoundingClientRect();
  const larger = enlarged(canvas);
  return { x: (clientX - left) / larger, y: (clientY - top) / larger, width: width / larger, height: height / larger };
}

/** A canvas with a size in CSS pixels that paints in the page's colors. */
export function sheet(attributes, ratio, paint) {
  const canvas = h("canvas", attributes);
  canvas.style.aspectRatio = ratio;
  const draw = () => {
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!width) return;
    const scale = (devicePixelRatio || 1) * enlarged(canvas);
    const size = [Math.round(width * scale), Math.round(height * scale)];
    if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
    const context = canvas.getContext("2d");
    const style = getComputedStyle(canvas);
    const color = (name) => style.getPropertyValue(`--bb-${name}`).trim();
    context.save(); // what one painting sets must not color the next
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    context.font = `12px ${style.fontFamily}`;
    context.fillStyle = context.strokeStyle = style.color;
    paint(context, width, height, {
      ink: style.color,
      positive: color("positive"),
      negative: color("negative"),
      mark: color("mark"),
    });
    context.restore();
  };
  return { canvas, draw };
}
