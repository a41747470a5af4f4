import { body, button, controls, film, fill, glide, h, invitation, percent, question, speaker } from "../kit.js";
import { stage, widget } from "../kit.js";
import { edited, swept } from "./maths.js";
import { channelStrip, filterButtons, filterPart, folded, geometry, layerPart, numbersPart } from "./parts.js";
import { photographs, sizePart } from "./parts.js";
import { arrowButtons, picturesPart } from "./pictures.js";
import { reader, readPictures, SETTINGS, shiftSentence, sizeSentence, sumSentence } from "./shown.js";
import { TEXT } from "./text.js";

const SECONDS = 5; // of a sweep

/**
 * The sweep: in its first moment in sight it plays by itself, and later when the reader wants. The slider says how much of
 * the map is made.
 */
function sweepPart(view, current, look, target) {
  let share = 1;
  const count = () => current().map.data.length;
  const go = (step) => {
    const plays = player.play.textContent === TEXT.film.pause; // or the slider is moved
    const next = plays ? step / 100 : Math.cbrt(step / 100);
    const before = look.sweep && next > share ? look.sweep[1] : null;
    share = next;
    const now = swept(share, count());
    look.sweep = share < 1 ? [before ?? now, now] : null;
    look.hover = null;
    player.set(Math.round(100 * share ** 3), "", percent(share ** 3));
    view.repaint();
  };
  const player = film(view, TEXT.film, { last: 100, seconds: SECONDS, now: () => 100 * share, go });
  player.set(100, "", percent(1));
  const stop = () => share < 1 && (player.stop(), go(100));
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) {
    let started = false;
    const watch = (entries) => {
      const { intersectionRatio: part } = entries.at(-1);
      if (started && part === 0) {
        seen.disconnect();
        stop(); // whoever comes back finds the whole map
      } else if (!started && view.acted) seen.disconnect();
      else if (!started && part >= 0.6) {
        started = true;
        go(0);
        player.start();
      }
    };
    const seen = new IntersectionObserver(watch, { threshold: [0, 0.6] });
    seen.observe(target);
    view.signal.addEventListener("abort", () => seen.disconnect());
  }
  return { node: player.node, stop };
}

/** The question of the figure "filter"; the answer is shown by a movement of the middle weight. */
function questionPart(view, model, current) {
  const asked = question(view, "answer", TEXT.question, TEXT.answers);
  view.onChange(["answer"], () => {
    if (!model.get("answer")) return;
    const { kernel, size } = current();
    const middle = size >> 1;
    const weight = (share) => Number((kernel[0][middle][middle] + share).toFixed(2));
    glide(view, 0.8, (share) => view.set({ kernel: edited(kernel, 0, middle, middle, weight(share)) }));
  });
  const verdict = (answer) =>
    answer && asked.fresh() ? `${fill(TEXT.why, { verdict: answer === "all" ? TEXT.yes : TEXT.no })} ` : "";
  const update = ({ answer }) => asked.update(answer, "all");
  return { nodes: [asked.node, controls(...asked.buttons.values())], update, verdict };
}

/** The parts of each figure: what stands over, under and beside the pictures, and in its folds. */
function partsOf(name, { view, model, current, look, pictures, change }) {
  const { height, width } = current();
  const photos = photographs(view, pictures, height, width);
  const numbers = numbersPart(view, look);
  const filter = filterPart(current, look, Object.fromEntries(model.get("kernels")), change);
  const opening = Object.fromEntries(SETTINGS.map((one) => [one, model.get(one)]));
  const reset = { node: button(TEXT.reset, () => (view.set(opening), filter.refresh())) };
  const shift = (to) => view.set({ shift: to });
  return {
    window: () => ({ folds: [numbers] }),
    filter: () => ({
      over: questionPart(view, model, current),
      beside: filter,
      folds: [numbers, folded(view, [[photos], [filterButtons(current, change), reset]])],
    }),
    size: () => ({ under: geometry(view, current), folds: [numbers, folded(view, [[sizePart(view, current)]])] }),
    shift: () => {
      const arrows = { nodes: arrowButtons(button, current, shift) };
      return { under: geometry(view, current).slice(0, 2), folds: [folded(view, [[photos], [arrows]])] };
    },
    lab: () => {
      const rows = [[photos], [sizePart(view, current), filterButtons(current, change)]];
      rows.push([...geometry(view, current), layerPart(view), reset]);
      return {
        beside: filter,
        strip: channelStrip(look, view.repaint),
        folds: [numbers, folded(view, rows)],
      };
    },
  }[name]();
}

export default widget(SETTINGS, (view, model) => {
  const look = { hover: null, sweep: null, channel: 0 };
  const name = model.get("show");
  const pictures = readPictures(model);
  const current = reader(model, pictures, look);
  const change = (kernel) => view.set({ kernel });
  const parts = partsOf(name, { view, model, current, look, pictures, change });
  const acts = {
    hover: (place) => {
      if (place) sweep?.stop();
      if (place) view.use();
      look.hover = place;
      view.repaint();
    },
    press: (point) => (sweep?.stop(), (look.hover = null), view.set({ point })),
    shift: (to) => view.set({ shift: to }),
  };
  const drawn = picturesPart(view, current, acts);
  const [input, ...maps] = drawn.nodes;
  const pair = h("div", { class: `bb-conv-pair bb-conv-${parts.beside ? "three" : "two"}` });
  pair.append(...[input, parts.beside?.node, ...maps].filter(Boolean));
  const sweep = name === "window" ? sweepPart(view, current, look, pair) : null;
  const says = speaker(view);
  (parts.beside?.node ?? pair).append(invitation(TEXT.invitations[name]));

  const all = [drawn, parts.over, parts.beside, parts.strip, ...(parts.under ?? []), ...parts.folds].filter(Boolean);
  const paint = () => {
    const shown = current();
    if (shown.planes.length <= look.channel) look.channel = 0;
    for (const part of all) part.update(shown);
    if (name === "size") says.say(sizeSentence(shown));
    else if (name === "shift") says.say(shiftSentence(shown));
    else if (shown.made) says.say(TEXT.sweeping);
    else says.say((parts.over?.verdict(shown.answer) ?? "") + sumSentence(shown));
  };
  const under = [sweep?.node, parts.strip?.node, parts.under && controls(...parts.under.map((part) => part.node))];
  const rows = [...(parts.over?.nodes ?? []), stage(pair), ...under.filter(Boolean), says.node];
  const root = body("bb-conv", TEXT.titles[name], ...rows, ...parts.folds.map((part) => part.node));
  root.classList.add(`bb-conv-as-${name}`);
  return { root, paint };
});
