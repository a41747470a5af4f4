import { array, body, clamp, entries, fill, invitation, remember, speaker, stage, widget } from "../kit.js";
import { stroke } from "../brush.js";
import { softmax } from "../engine/maths.js";
import { largestAt } from "../lenet.js";
import { coveredBy, forward, LAYERS, networksOf, SIDE, standardized } from "./maths.js";
import { trace } from "./maths.js";
import { COVER, drawButtons, morePart, networkPart, numbersPart, picturePart, shareText } from "./parts.js";
import { TEXT } from "./text.js";

const SETTINGS = ["picture", "drawing", "network", "layer", "unit", "position", "tool", "cover", "cover_fill"];
const GRAYS = { gray: 128, black: 0 };

/** What does not change: pictures, networks, and the ends of their color scales. */
function given(model) {
  const [labels, classes, statistics] = ["labels", "classes", "statistics"].map((name) => model.get(name));
  const [weights, vectors, pictures] = ["weights", "vectors", "pixels"].map((name) => entries(array(model, name)));
  const networks = networksOf(model.get("shapes"), weights, vectors);
  const names = labels.map((label, i) => {
    const before = labels.slice(0, i).filter((other) => other === label).length;
    return classes[label] + (before ? ` ${before + 1}` : "");
  });
  return { labels, classes, statistics, pictures, names, networks, limits: model.get("limits") };
}

/** A function that computes all that is on the screen from the settings; maps only when they change. */
function reader(model, data, local) {
  const run = remember((network, image) => forward(network, standardized(image, data.statistics)));
  return () => {
    const now = Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)]));
    const parameters = data.networks[model.get("networks").indexOf(now.network)];
    const plain = now.picture < 0 ? array(model, "drawing").data : data.pictures[now.picture];
    const covers = now.tool === "cover";
    const coverAt = insideCover(now.cover);
    const image = covers ? coveredBy(plain, coverAt, COVER, GRAYS[now.cover_fill]) : plain;
    const maps = run(`${now.network} ${image.join()}`, parameters, image);
    const probabilities = softmax(maps.fc3);
    const top = largestAt(probabilities);
    const { units, side } = LAYERS[now.layer];
    const unit = now.unit < 0 ? (now.layer === "fc3" ? top : 0) : Math.min(now.unit, units - 1);
    const chosen = { layer: now.layer, unit, place: now.position.map((at) => Math.min(at, side - 1)) };
    const lit = local.hovered ?? chosen;
    const way = trace(parameters, maps, lit.layer, lit.unit, lit.place);
    const network = { name: now.network, parameters };
    return {
      ...now,
      plain,
      covers,
      coverAt,
      image,
      maps,
      probabilities,
      top,
      chosen,
      lit,
      way,
      network,
      limits: data.limits,
    };
  };
}

const insideCover = (place) => place.map((at) => clamp(at, 0, SIDE - COVER));

/** What the network says, and what is lit. */
function sentence({ classes, labels }, { picture, probabilities, top, lit, way }) {
  const second = largestAt(probabilities.map((share, i) => (i === top ? -1 : share)));
  const share = probabilities[top];
  const ahead = share > 0.5 || share > 2 * probabilities[second];
  const verdict = share > 0.9 ? TEXT.sure : ahead ? TEXT.leans : TEXT.open;
  const says = fill(verdict, { name: classes[top], share: shareText(share), other: classes[second] });
  const truth = picture >= 0 && labels[picture] !== top ? fill(TEXT.label, { name: classes[labels[picture]] }) : "";
  const { height, width } = way.at(-1).boxes[0];
  const text = { fc3: TEXT.litAnswer, fc2: TEXT.litUnit, fc1: TEXT.litUnit }[lit.layer] ?? TEXT.litMap;
  return (
    says + truth + fill(text, { name: classes[lit.unit], layer: TEXT.layers[lit.layer], unit: lit.unit, height, width })
  );
}

/** What the reader's hand does. */
function actionsOf(view, model, now, local) {
  const setDrawing = (pixels) => {
    const bytes = new DataView(Uint8Array.from(pixels).buffer);
    model.set("drawing", { dtype: "uint8", shape: [SIDE, SIDE], data: bytes });
    model.set("picture", -1);
  };
  const put = (pixels) => (setDrawing(pixels), model.save_changes());
  return {
    paint(from, to, { radius, ink }) {
      const pixels = Uint8Array.from(now().plain);
      stroke(pixels, from, to, radius, ink);
      setDrawing(pixels);
    },
    settled: () => model.save_changes(),
    cover: (place) => view.set({ cover: insideCover(place) }),
    clear: () => put(new Uint8Array(SIDE * SIDE)),
    again: () => put(array(model, "sketch").data),
    pick({ layer, unit, place }) {
      local.hovered = null;
      view.set({ layer, unit, position: place });
    },
    point(unit) {
      if (JSON.stringify(unit) === JSON.stringify(local.hovered)) return;
      local.hovered = unit;
      view.repaint();
    },
  };
}

export default widget(SETTINGS, (view, model) => {
  const [data, local] = [given(model), { hovered: null }];
  const read = reader(model, data, local);
  const actions = actionsOf(view, model, read, local);
  let shown = null;
  const now = () => (shown ??= read());
  view.onChange(SETTINGS, () => (shown = null)); // a second key may come before the next frame
  const more = morePart(view, model, { ...data, drawing: () => array(model, "drawing").data });
  const picture = picturePart(view, now, more.pen, actions);
  const network = networkPart(view, data.classes, now, actions);
  const numbers = numbersPart(data.classes);
  const says = speaker(view);
  const tools = drawButtons(actions.clear, actions.again);
  const invite = invitation(TEXT.invitation);
  const whole = stage(network.node, picture.node, tools, invite);
  const paint = () => {
    shown = read();
    network.resize(place); // and the picture, which has its place in it from the first
    for (const part of [more, numbers]) part.update(shown);
    says.say(sentence(data, shown));
  };
  const place = (plan) => {
    const { x, y, size } = plan.picture;
    const put = (node, left, top) => ((node.style.left = `${left}px`), (node.style.top = `${top}px`));
    put(picture.node, x, y);
    picture.node.style.width = `${size}px`;
    put(invite, ...(plan.upright ? [size + 12, 60] : [0, 0]));
    put(tools, ...(plan.upright ? [size + 12, 12] : [0, y + size + 10]));
    picture.update();
  };
  view.onResize(network.node, () => network.resize(place));
  view.listen(numbers.node, "toggle", view.repaint);
  return { root: body("bb-maps", TEXT.title, whole, says.node, more.node, numbers.node), paint };
});
