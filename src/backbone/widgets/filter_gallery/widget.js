import {
  array,
  body,
  button,
  choice,
  controls,
  diverging,
  entries,
  fill,
  h,
  paintPixels,
  percent,
  setting,
  show,
  speaker,
  widget,
  write,
} from "../kit.js";

const TEXT = {
  title: "Filter gallery",
  order: "Order",
  orders: { stored: "as stored", strength: "strength", color: "color", edges: "edges" },
  orderHints: {
    stored: "In the network's own order.",
    strength: "The strongest first: the root of the sum of its squared weights.",
    color: "The most color first: the share of a filter's squared weights that differs between red, green and blue.",
    edges: "The most contrast first: the share of a filter's squared weights that differs from place to place.",
  },
  scale: "Color scale",
  scales: { false: "one for all", true: "each its own" },
  stage: "Maps and scores",
  stages: { convolution: "convolution", batchnorm: "with BatchNorm" },
  pictures: "Photograph for the maps",
  filter: "filter {number}",
  choose: "Filters, {network}",
  legendAll: "gray is 0, full color ±{limit}",
  legendOwn: "gray is 0, full color its own peak",
  large: "The weights of {network} filter {number} as colors.",
  channels: ["red", "green", "blue"],
  weights: "Weights for {channel}, row by row: {rows}",
  strength: "strength {value}",
  color: "color {value}",
  edges: "edges {value}",
  unknown: "–",
  norm: "BatchNorm",
  normBy: "× {scale} {shift}",
  off: "filter {number}: off",
  mapOver: "map over {image}, {height} × {width}",
  mapLabel: "Map of {network} filter {number} over {image}: from {from} to {to}.",
  best: "its {count} best patches",
  patch: "Score {score}: {image}, pixel row {row}, column {column}. Show its map.",
  spoken: "{network}, {chosen}. {strength}, {color}, {edges}. Best patch: {image}, score {score}.",
};
const SETTINGS = ["image", "chosen", "order", "stretched", "stage"];
const AROUND = 4; // pixels shown around a patch
const ZOOM = 8; // canvas pixels a pixel there
const OFF = 1e-3; // of the strongest filter: what is weaker holds rounding errors, and no color or form to speak of

// ---- Maths: pure functions, tested against Python -------------------------------------------------------------

/** A picture as the network sees it: three planes of numbers, from one or three planes of bytes. */
export function seen(planes, mean, std) {
  const numbers = planes.map((plane) => Float64Array.from(plane, (byte) => (byte / 255 - mean) / std));
  return numbers.length === 3 ? numbers : [numbers[0], numbers[0], numbers[0]];
}

/** Zeros before the first pixel along one axis, and outputs, with "same" padding. */
export function same(size, kernel, stride) {
  const count = Math.ceil(size / stride);
  return { before: Math.floor(Math.max((count - 1) * stride + kernel - size, 0) / 2), count };
}

/** One filter over three planes; `weights`: 3 * k * k numbers. */
export function response(planes, height, width, weights, stride) {
  const kernel = Math.round(Math.sqrt(weights.length / 3));
  const [rows, columns] = [same(height, kernel, stride), same(width, kernel, stride)];
  const data = new Float64Array(rows.count * columns.count);
  for (let row = 0; row < rows.count; row++) {
    for (let column = 0; column < columns.count; column++) {
      let sum = 0;
      for (let i = 0; i < kernel; i++) {
        const y = row * stride + i - rows.before;
        if (y < 0 || y >= height) continue;
        for (let j = 0; j < kernel; j++) {
          const x = column * stride + j - columns.before;
          if (x < 0 || x >= width) continue;
          const at = y * width + x;
          const weight = i * kernel + j;
          for (let c = 0; c < 3; c++) sum += weights[c * kernel * kernel + weight] * planes[c][at];
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
  const squares = (values) => values.reduce((sum, value) => sum + value * value, 0);
  const total = squares(weights);
  let [gray, flat] = [0, 0];
  for (let i = 0; i < area; i++) gray += (weights[i] + weights[area + i] + weights[2 * area + i]) ** 2 / 3;
  for (let c = 0; c < 3; c++)
    flat += weights.slice(c * area, (c + 1) * area).reduce((sum, value) => sum + value, 0) ** 2 / area;
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

const largest = (values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

// ---- What the model holds -------------------------------------------------------------------------------------

function readData(model) {
  const [pixels, weights, scales, shifts] = ["pixels", "weights", "scales", "shifts"].map((name) => array(model, name));
  const [, height, width] = pixels.shape;
  const [, count, , kernel] = weights.shape;
  const [stride, mean, std] = ["stride", "mean", "std"].map((name) => model.get(name));
  const channels = entries(pixels);
  const pictures = new Map();
  model.get("names").forEach((name, number) => {
    const planes = channels.splice(0, model.get("channels")[number]);
    pictures.set(name, { planes, canvas: picture(planes, height, width), numbers: seen(planes, mean, std) });
  });
  const networks = model.get("networks").map((name, number) => {
    const filters = Array.from({ length: count }, (_, index) => {
      const at = number * count + index;
      const size = 3 * kernel * kernel;
      const own = Array.from(weights.data.subarray(at * size, (at + 1) * size));
      return { weights: own, scale: scales.data[at], shift: shifts.data[at], ...measures(own) };
    });
    const limit = Math.max(...filters.map((one) => largest(one.weights)));
    const strongest = Math.max(...filters.map((one) => one.strength));
    for (const one of filters) {
      one.off = one.strength < OFF * strongest;
      one.peak = one.off ? limit : largest(one.weights);
    }
    return { name, filters, limit };
  });
  const normed = networks.some(({ filters }) => filters.some(({ scale, shift }) => scale !== 1 || shift !== 0));
  return { height, width, kernel, stride, pictures, networks, normed, patches: model.get("patches") };
}

/** What a filter gives for one picture, at a stage. */
function mapOf(data, filter, image, stage) {
  const map = response(data.pictures.get(image).numbers, data.height, data.width, filter.weights, data.stride);
  return stage === "batchnorm" ? { ...map, data: map.data.map((value) => value * filter.scale + filter.shift) } : map;
}

/** A filter's best place in each picture, best picture first. */
function bestPatches(data, filter, stage) {
  const places = [...data.pictures.keys()].map((image) => {
    const map = mapOf(data, filter, image, stage);
    return { image, ...bestPlace(map, data.height, data.width, data.kernel, data.stride) };
  });
  return places.sort((one, other) => other.score - one.score).slice(0, data.patches);
}

// ---- Drawing --------------------------------------------------------------------------------------------------

function picture(planes, height, width) {
  const canvas = h("canvas", { width, height });
  const image = new ImageData(width, height);
  const [red, green, blue] = planes.length === 3 ? planes : [planes[0], planes[0], planes[0]];
  for (let i = 0; i < red.length; i++) image.data.set([red[i], green[i], blue[i], 255], 4 * i);
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

function drawColors(canvas, weights, limit, kernel) {
  canvas.width = canvas.height = kernel;
  canvas.getContext("2d").putImageData(new ImageData(colors(weights, limit), kernel, kernel), 0, 0);
}

/** A piece of a picture with the window in a frame. Where the picture ends there is nothing. */
function drawPatch(canvas, source, { x, y }, kernel) {
  const side = kernel + 2 * AROUND;
  canvas.width = canvas.height = side * ZOOM;
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(source, (AROUND - x) * ZOOM, (AROUND - y) * ZOOM, source.width * ZOOM, source.height * ZOOM);
  const frame = (color, line) => {
    context.strokeStyle = color;
    context.lineWidth = line;
    context.strokeRect(AROUND * ZOOM - 3, AROUND * ZOOM - 3, kernel * ZOOM + 6, kernel * ZOOM + 6);
  };
  frame("#000", 6);
  frame("#fff", 2.5); // light in dark: it is seen on any picture
}

/** A map, each value a square, and a ring around the marked place. */
function drawMap(canvas, map, limit, place) {
  const scale = Math.max(1, Math.round((canvas.clientWidth * devicePixelRatio) / map.width));
  const small = h("canvas");
  paintPixels(small, map.data, map.height, map.width, diverging(canvas, limit));
  canvas.width = map.width * scale;
  canvas.height = map.height * scale;
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
  if (!place) return;
  context.strokeStyle = getComputedStyle(canvas).getPropertyValue("--bb-mark");
  context.lineWidth = Math.max(2, scale);
  context.beginPath();
  context.arc((place.column + 0.5) * scale, (place.row + 0.5) * scale, 4 * scale, 0, 2 * Math.PI);
  context.stroke();
}

/** Three decimals where they count, whole numbers where not. */
const short = (value) => show(value, Math.abs(value) < 0.1 ? 3 : Math.abs(value) < 10 ? 2 : 1);
const plus = (value) => `${value < 0 ? "−" : "+"} ${short(Math.abs(value))}`;

/** The signed scale with its ends. */
function legendOf() {
  const ends = [h("span"), h("span"), h("span")];
  const node = h("div", { class: "bb-legend" }, h("span", { class: "bb-ramp" }), ...ends);
  return { node, set: (limit) => [-limit, 0, limit].forEach((value, at) => write(ends[at], short(value))) };
}

// ---- One network ----------------------------------------------------------------------------------------------

/** The filters of one network to choose from, and all about the chosen one. */
function column(data, network, pick, pickPatch) {
  const { name, filters } = network;
  const options = filters.map((_, number) => fill(TEXT.filter, { number }));
  const faces = options.map((label) => h("canvas", { role: "img", "aria-label": label }));
  const grid = choice(
    fill(TEXT.choose, { network: name }),
    options,
    (option) => faces[options.indexOf(option)],
    (option) => pick(options.indexOf(option)),
    "pictures",
  );
  grid.node.classList.add("bb-tiles");
  grid.node.querySelector("legend").classList.add("bb-hidden");
  const labels = [...grid.node.querySelectorAll("label")];
  const scale = h("p", { class: "bb-caption bb-scale" });
  const chosen = h("p", { class: "bb-caption bb-chosen" });
  const large = h("canvas", { role: "img", class: "bb-large" });
  const planes = TEXT.channels.map((channel) => ({ channel, canvas: h("canvas", { role: "img" }) }));
  const weightLegend = legendOf();
  const facts = { strength: h("span"), color: h("span"), edges: h("span") };
  const norm = h("span");
  const patches = Array.from({ length: data.patches }, (_, rank) => {
    const [canvas, score] = [h("canvas"), h("span")];
    return { canvas, score, node: button("", () => pickPatch(current.best[rank]), { class: "bb-patch" }) };
  });
  for (const { node, canvas, score } of patches) node.append(canvas, score);
  const mapCaption = h("p", { class: "bb-caption" });
  const map = h("canvas", { role: "img", class: "bb-map" });
  const mapLegend = legendOf();
  const panels = planes.map(({ channel, canvas }) =>
    h("div", { class: "bb-panel" }, canvas, h("span", { class: "bb-caption" }, channel)),
  );
  const node = h(
    "section",
    { class: "bb-column", "aria-label": name },
    h("p", { class: "bb-network" }, name),
    grid.node,
    scale,
    chosen,
    h("div", { class: "bb-weights" }, large, h("div", { class: "bb-planes" }, ...panels)),
    weightLegend.node,
    h("p", { class: "bb-facts" }, ...Object.values(facts)),
    // Without BatchNorm there is nothing to say of it, and below nothing to choose.
    data.normed ? h("p", { class: "bb-facts" }, h("span", {}, TEXT.norm), norm) : "",
    h("p", { class: "bb-caption bb-chosen" }, fill(TEXT.best, { count: data.patches })),
    h("div", { class: "bb-patches" }, ...patches.map((patch) => patch.node)),
  );
  const below = h("div", { class: "bb-column" }, mapCaption, map, mapLegend.node);
  let current = { best: [] };
  const done = {}; // what each part last showed, so that only what changed is drawn again
  const once = (part, key, draw) => {
    if (done[part] === key) return;
    done[part] = key;
    draw();
  };
  const paintWeights = (filter, number, limit) => {
    drawColors(large, filter.weights, limit, data.kernel);
    large.setAttribute("aria-label", fill(TEXT.large, { network: name, number }));
    planes.forEach(({ channel, canvas }, c) => {
      const area = data.kernel ** 2;
      const own = filter.weights.slice(c * area, (c + 1) * area);
      paintPixels(canvas, own, data.kernel, data.kernel, diverging(node, limit));
      canvas.setAttribute("aria-label", fill(TEXT.weights, { channel, rows: own.map(short).join(", ") }));
    });
    weightLegend.set(limit);
    write(chosen, fill(filter.off ? TEXT.off : TEXT.filter, { number }));
    const share = (value) => (filter.off ? TEXT.unknown : percent(value));
    const values = { strength: short(filter.strength), color: share(filter.color), edges: share(filter.edges) };
    for (const [name, value] of Object.entries(values)) write(facts[name], fill(TEXT[name], { value }));
    write(norm, fill(TEXT.normBy, { scale: short(filter.scale), shift: plus(filter.shift) }));
  };
  const paintPatches = () => {
    current.best.forEach((place, rank) => {
      const { canvas, score, node: press } = patches[rank];
      drawPatch(canvas, data.pictures.get(place.image).canvas, place, data.kernel);
      write(score, short(place.score));
      const words = { image: place.image, row: place.y, column: place.x, score: short(place.score) };
      press.setAttribute("aria-label", fill(TEXT.patch, words));
      press.title = place.image;
    });
  };
  const update = (shown, number, marked) => {
    const filter = filters[number];
    const limitOf = (one) => (shown.stretched ? one.peak : network.limit);
    once("order", shown.order, () => grid.node.append(...sorted(filters, shown.order).map((at) => labels[at])));
    once("tiles", shown.stretched, () => {
      faces.forEach((canvas, at) => drawColors(canvas, filters[at].weights, limitOf(filters[at]), data.kernel));
      write(scale, shown.stretched ? TEXT.legendOwn : fill(TEXT.legendAll, { limit: short(network.limit) }));
    });
    grid.set(options[number]);
    const limit = limitOf(filter);
    once("weights", `${number} ${limit}`, () => paintWeights(filter, number, limit));
    once("patches", `${number} ${shown.stage}`, () => {
      current = { best: bestPatches(data, filter, shown.stage) };
      paintPatches();
    });
    const found = mapOf(data, filter, shown.image, shown.stage);
    const top = largest(found.data);
    drawMap(map, found, top, marked);
    if (marked) map.dataset.marked = `${marked.row} ${marked.column}`;
    else delete map.dataset.marked;
    const { image } = shown;
    write(mapCaption, fill(TEXT.mapOver, { image, height: found.height, width: found.width }));
    let [from, to] = [Infinity, -Infinity];
    for (const value of found.data) [from, to] = [Math.min(from, value), Math.max(to, value)];
    const ends = { from: short(from), to: short(to) };
    map.setAttribute("aria-label", fill(TEXT.mapLabel, { network: name, number, image, ...ends }));
    mapLegend.set(top);
  };
  const spoken = () => {
    const [{ image, score }] = current.best;
    const said = Object.fromEntries(Object.entries(facts).map(([fact, { textContent }]) => [fact, textContent]));
    return fill(TEXT.spoken, { network: name, chosen: chosen.textContent, ...said, image, score: short(score) });
  };
  return { node, below, update, spoken };
}

// ---- The view -------------------------------------------------------------------------------------------------

export default widget(SETTINGS, (view, model) => {
  const data = readData(model);
  let [acted, marked] = [null, {}]; // the network last touched; the place a patch came from
  const choose = (at, number) => {
    acted = at;
    marked = {};
    view.set({ chosen: model.get("chosen").map((old, other) => (other === at ? number : old)) });
  };
  const choosePatch = (at, place) => {
    marked = { [at]: place };
    view.set({ image: place.image });
    view.repaint();
  };
  const columns = data.networks.map((network, at) =>
    column(
      data,
      network,
      (number) => choose(at, number),
      (place) => choosePatch(at, place),
    ),
  );
  const order = setting(view, "order", TEXT.order, TEXT.orders);
  const scales = Object.entries(TEXT.scales).map(([on, text]) => [on === "true", text]);
  const stretched = setting(view, "stretched", TEXT.scale, scales);
  const stage = choice(
    TEXT.stage,
    Object.keys(TEXT.stages),
    (name) => TEXT.stages[name],
    (name) => ((marked = {}), view.set({ stage: name })),
  );
  const image = choice(
    TEXT.pictures,
    [...data.pictures.keys()],
    (name) => {
      const canvas = h("canvas", { role: "img", "aria-label": name, width: data.width, height: data.height });
      canvas.getContext("2d").drawImage(data.pictures.get(name).canvas, 0, 0);
      return canvas;
    },
    (name) => ((marked = {}), view.set({ image: name })),
    "pictures",
  );
  const longest = Object.values(TEXT.orderHints).reduce((one, other) => (other.length > one.length ? other : one));
  const advice = h("span");
  const live = speaker(view);
  const paint = () => {
    const shown = Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)]));
    order.set(shown.order);
    stretched.set(shown.stretched);
    stage.set(shown.stage);
    image.set(shown.image);
    write(advice, TEXT.orderHints[shown.order]);
    columns.forEach((one, at) =>
      one.update(shown, shown.chosen[at], marked[at]?.image === shown.image ? marked[at] : null),
    );
    live.say(acted === null ? "" : columns[acted].spoken());
    acted = null;
  };
  const root = body(
    "bb-filters",
    TEXT.title,
    controls(order.node, stretched.node, data.normed ? stage.node : ""),
    h("p", { class: "bb-hint bb-reserve", "data-longest": longest }, advice),
    h("div", { class: "bb-columns" }, ...columns.map((one) => one.node)),
    h("div", { class: "bb-controls bb-between" }, image.node),
    h("div", { class: "bb-columns" }, ...columns.map((one) => one.below)),
    live.node,
  );
  view.onResize(root, view.repaint);
  return { root, paint };
});
