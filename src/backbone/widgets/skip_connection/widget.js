import { array, body, choice, compact, controls, fill, fold, h, powerOfTen, question, range, show } from "../kit.js";
import { speaker, stage, svg, table, widget } from "../kit.js";
import { barOf, profileAt, REACH } from "./maths.js";
import { TEXT } from "./text.js";

const TALL = 205;
const CUT = 0.04; // of the height: how far from the end the gap in a bar lies that is cut
const ARCS = 34; // the height over the bars in which the shortcuts are drawn

/** A value that is far too large or small for a number with digits. */
const times = (log) => compact(10 ** log, { digits: 2, from: 0.01, to: 1e4 });

/** A gap in each bar that is longer than the picture is high, and a word beside it. */
function cutsPart(count) {
  const gaps = Array.from({ length: count }, (_, i) =>
    svg("rect", { class: "bb-skip-gap", x: i, width: 1, height: 0.02 }),
  );
  const labels = [CUT, 1 - CUT].map((share) => {
    const label = h("span", { class: "bb-skip-tick", "aria-hidden": "true" }, TEXT.cut);
    label.style.top = `${ARCS + TALL * share}px`;
    return label;
  });
  const update = (logs) => {
    labels[0].hidden = !logs.some((log) => log > REACH);
    labels[1].hidden = !logs.some((log) => log < -REACH);
    gaps.forEach((gap, i) => {
      gap.style.display = Math.abs(logs[i]) > REACH ? "" : "none";
      gap.setAttribute("y", (logs[i] > 0 ? CUT : 1 - CUT) - 0.01);
    });
  };
  return { gaps, labels, update };
}

/** One bar a block, from the line of 1 up or down, and over each the arc of its shortcut, as wide as its weight. */
function chartPart(count) {
  const bars = Array.from({ length: count }, () => svg("rect", { width: 0.8 }));
  const cuts = cutsPart(count);
  const arcs = Array.from({ length: count }, (_, i) => {
    const curve = `M${i + 0.1} 1Q${i + 0.5} -0.6 ${i + 0.9} 1`;
    return svg("path", { class: "bb-skip-arc", d: curve, "vector-effect": "non-scaling-stroke" });
  });
  const line = svg("path", { class: "bb-skip-one", d: `M0 0.5H${count}`, "vector-effect": "non-scaling-stroke" });
  const plain = { preserveAspectRatio: "none", "aria-hidden": "true" };
  const over = svg("svg", { class: "bb-skip-arcs", viewBox: `0 0 ${count} 1`, height: ARCS, ...plain }, ...arcs);
  const look = {
    class: "bb-skip-bars",
    viewBox: `0 0 ${count} 1`,
    height: TALL,
    preserveAspectRatio: "none",
    role: "img",
  };
  const node = svg("svg", look, ...bars, ...cuts.gaps, line);
  const tick = (power) => {
    const label = h(
      "span",
      { class: "bb-skip-tick", "aria-hidden": "true" },
      power ? `×${powerOfTen(power)}` : TEXT.same,
    );
    label.style.top = `${ARCS + TALL * (0.5 - power / (2 * REACH))}px`;
    return label;
  };
  const ends = h("p", { class: "bb-skip-ends" }, h("span", {}, TEXT.first), h("span", {}, fill(TEXT.last, { count })));
  const update = (logs, weight) => {
    cuts.update(logs);
    bars.forEach((bar, i) => {
      const { top, height } = barOf(logs[i]);
      bar.setAttribute("x", i + 0.1);
      bar.setAttribute("y", top);
      bar.setAttribute("height", height);
      bar.setAttribute("class", logs[i] > 0 ? "bb-skip-more" : "bb-skip-less");
    });
    for (const arc of arcs) arc.style.strokeWidth = 3 * weight;
    node.setAttribute("aria-label", fill(TEXT.chart, { first: times(logs[0]) }));
  };
  return {
    node: h("div", { class: "bb-skip-chart" }, over, node, ...[10, 5, 0, -5, -10].map(tick), ...cuts.labels, ends),
    update,
  };
}

export default widget(["weight", "kind", "answer"], (view, model) => {
  const [weights, kinds, sizes] = [model.get("weights"), model.get("kinds"), array(model, "sizes")];
  const count = sizes.shape[2];
  const asked = question(view, "answer", TEXT.question, TEXT.answers);
  const chart = chartPart(count);
  const slider = range(TEXT.slider, { min: 0, max: weights.length - 1, step: 1 }, (step) =>
    view.set({ weight: weights[step] }),
  );
  const kind = choice(
    TEXT.kind,
    kinds,
    (name) => name,
    (name) => view.set({ kind: name }),
  );
  const says = speaker(view);
  const shown = [0, 1, 2, 3, 4].map((i) => Math.round((i * (count - 1)) / 4));
  const columns = shown.map((i) => fill(TEXT.columns, { number: i + 1 }));
  const numbers = table(TEXT.numbers, columns, kinds);
  // The answer is shown by a movement: half the weight.
  const half = weights.reduce((best, one) => (Math.abs(one - 0.5) < Math.abs(best - 0.5) ? one : best));
  view.onChange(["answer"], () => model.get("answer") && view.set({ weight: half }));

  const paint = () => {
    const [weight, name, answer] = ["weight", "kind", "answer"].map((trait) => model.get(trait));
    const step = weights.indexOf(weight);
    const logs = profileAt(sizes, kinds.indexOf(name), step);
    asked.update(answer, "wild");
    chart.update(logs, weight);
    slider.set(step, show(weight, 2));
    kind.set(name);
    numbers.update(kinds.map((_, i) => shown.map((block) => times(profileAt(sizes, i, step)[block]))));
    const verdict = answer && asked.fresh() && weight === half ? (answer === "wild" ? TEXT.yes : TEXT.no) : "";
    const line = fill(TEXT.says, { weight: show(weight, 2), first: times(logs[0]), count });
    says.say(verdict || line);
  };
  const rows = [controls(...asked.buttons.values()), stage(chart.node), controls(slider.node, kind.node)];
  return { root: body("bb-skip", TEXT.title, asked.node, ...rows, says.node, fold(TEXT.numbers, numbers.node)), paint };
});
