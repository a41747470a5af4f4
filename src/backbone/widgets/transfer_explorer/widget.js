import {
  body,
  button,
  controls,
  dropdown,
  fill,
  h,
  hint,
  keys,
  pathOf,
  range,
  setting,
  show,
  speaker,
  svg,
  ticksOf,
  widget,
  write,
} from "../kit.js";

const TEXT = {
  title: "Transfer explorer: how many carried layers to freeze, for how many labels, as recorded",
  scratch: "from scratch",
  frozen: "{count} frozen",
  long: {
    scratch: "from scratch, nothing carried",
    none: "0 frozen, every layer learns",
    some: "{count} frozen, the rest learns",
    all: "{count} frozen, only the head learns",
  },
  short: "scratch",
  label: "1 label a class",
  labels: "{count} labels a class",
  quiz: "Predict the crossing",
  asked: "{first} against {second}",
  ask: "From how many labels a class on is “{first}” ahead of “{second}”?",
  guess: "Your guess: from so many labels a class on",
  never: "never",
  reveal: "Reveal",
  again: "Ask again",
  wait: "The row in question is hidden in the map until you have guessed.",
  right: "You said {guess}. That agrees with the record.",
  wrong: "You said {guess}. The record says otherwise.",
  crossed: {
    never: "At {most} labels “{first}” is still not ahead: {mean} points on average.",
    from: "On average, “{first}” is ahead from {count} on.",
    clear: "From {count} on the 95 % interval of the difference lies above 0.",
    unclear: "But even at {most} the interval of {draws} draws holds 0.",
  },
  view: "The map shows",
  views: { accuracy: "accuracy", gain: "gain over scratch", spread: "spread" },
  captions: {
    accuracy: "Accuracy in %, mean over the draws. Down: layers frozen. Across: labels a class.",
    gain: "Points more than from scratch, mean of the pairs. Dashed: the 95 % interval holds 0.",
    spread: "Standard deviation over the draws, in points. Down: layers frozen. Across: labels a class.",
  },
  all: "Show every row",
  hide: "Hide what is asked",
  corner: "frozen",
  hint: "Click a cell, or move with the arrow keys, to see its draws.",
  cell: "{way}, {labels}: {value}",
  hidden: "hidden until you have guessed",
  values: { accuracy: "{text} %", gain: "{text} points", spread: "± {text} points" },
  detail: "{way}, {labels}: {mean} % ± {spread}, the standard deviation of {draws} draws; from {low} to {high} %.",
  against: "Against scratch: {mean} points, 95 % interval {low} to {high}.",
  detailHidden: "{way}, {labels}: hidden until you have guessed.",
  a: "A",
  b: "B",
  curves: "Accuracy in %, by labels a class",
  differences: "A minus B in points, by labels a class",
  keys: "Small dots: single draws. Bars: 95 % intervals; an open ring’s holds 0. Dotted: your guess.",
  curveLabel: "Accuracy against labels a class. {parts}",
  curvePart: "{side}, {way}: from {from} % to {to} %.",
  differenceLabel: "A minus B against labels a class. {parts}.",
  differencePart: "{count}: {mean}, interval {low} to {high}",
  closed: "A row of this comparison is hidden. Guess first, or show every row.",
  same: "A and B are the same row.",
  verdict: "By labels a class, the interval {parts}.",
  above: "lies above 0 at {counts}",
  below: "lies below 0 at {counts}",
  open: "holds 0 at {counts}",
  and: "; it ",
};
const POINTS = 1; // decimals
const TALL = 180;
const RING = 4;
const SETTINGS = ["question", "guess", "answers", "shown", "view", "a", "b", "way", "labels"];
const PAD = { left: 36, right: 12, top: 10, bottom: 22 };

// ---- What is read off the records: pure functions, tested against Python --------------------------------------

const meanOf = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Mean and standard deviation (n - 1) of numbers. */
export function moments(values) {
  const mean = meanOf(values);
  return { mean, spread: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1)) };
}

/** The paired difference of two rows at each count: its draws, mean, and the ends of its interval. */
export function differences(first, second, factor) {
  return first.map((values, i) => {
    const draws = values.map((value, j) => value - second[i][j]);
    const { mean, spread } = moments(draws);
    const half = (factor * spread) / Math.sqrt(draws.length);
    return { draws, mean, low: mean - half, high: mean + half };
  });
}

/** From which place on the mean, and the whole interval, lie above 0 to the end; the number of places where never. */
export function crossing(found) {
  const after = (key) => found.findLastIndex((one) => !(one[key] > 0)) + 1;
  return { from: after("mean"), clear: after("low") };
}

/** Whether a guess agrees with the record: it lies where the mean has crossed and the interval does not object. */
export function agrees(guess, { from, clear }) {
  return from <= guess && guess <= clear;
}

/** The ways whose rows are open: scratch, those of answered questions, and all when every question is answered. */
export function openWays(ways, questions, answers, shown) {
  const names = Object.keys(questions);
  if (shown || names.every((name) => name in answers)) return [...ways];
  const known = names.filter((name) => name in answers).flatMap((name) => questions[name]);
  return ways.filter((way) => way === "scratch" || known.includes(way));
}

// ---- Drawing --------------------------------------------------------------------------------------------------

const plain = (value) => value.toFixed(POINTS);
const signedText = (value, digits = POINTS) => {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? (0).toFixed(digits) : `${value > 0 ? "+" : "−"}${text.replace("-", "")}`;
};

/** A chart over the label counts, one place each; its units are the page's pixels. */
function chart(title) {
  const picture = svg("svg", { class: "bb-tr-chart", role: "img", height: TALL });
  const node = h("div", { class: "bb-panel" }, h("p", { class: "bb-tr-title" }, title), picture);
  const update = (counts, [low, high], label, parts) => {
    const width = picture.clientWidth;
    picture.setAttribute("aria-label", label);
    if (!width) return;
    const foot = TALL - PAD.bottom;
    const x = (i) => PAD.left + 10 + (i / (counts.length - 1)) * (width - PAD.left - PAD.right - 20);
    const y = (value) => foot - ((value - low) / (high - low)) * (foot - PAD.top);
    picture.setAttribute("viewBox", `0 0 ${width} ${TALL}`);
    picture.replaceChildren(
      ...ticksOf(low, high, 4).flatMap((value) => [
        svg("line", { class: "bb-tr-rule", x1: PAD.left, x2: width - PAD.right, y1: y(value), y2: y(value) }),
        svg("text", { class: "bb-tr-tick bb-tr-end", x: PAD.left - 5, y: y(value) + 4 }, show(value)),
      ]),
      ...counts.map((count, i) => svg("text", { class: "bb-tr-tick", x: x(i), y: TALL - 5 }, String(count))),
      ...parts(x, y, { left: PAD.left, right: width - PAD.right, top: PAD.top, foot }),
    );
  };
  return { node, picture, update };
}

/** One row's curve: each draw as a dot, the mean as a line. */
function curveParts(x, y, row, side) {
  const shift = side === "a" ? -3 : 3;
  return [
    ...row.flatMap((draws, i) =>
      draws.map((value) =>
        svg("circle", { class: `bb-tr-dot bb-tr-dot-${side}`, cx: x(i) + shift, cy: y(value), r: 2 }),
      ),
    ),
    svg("path", {
      class: `bb-tr-line bb-tr-line-${side}`,
      d: pathOf(
        row.map((draws, i) => [x(i), y(meanOf(draws))]),
        1,
      ),
      "data-values": row.map(meanOf).join(),
    }),
  ];
}

function differenceParts(x, y, found, guess, { left, right, top, foot }) {
  const step = found.length > 1 ? x(1) - x(0) : 0;
  return [
    svg("line", { class: "bb-tr-zero", x1: left, x2: right, y1: y(0), y2: y(0) }),
    // A guess says "from here on", so it stands in front of the count.
    ...(guess === null
      ? []
      : [
          svg("line", {
            class: "bb-tr-guess",
            x1: x(0) + (guess - 0.5) * step,
            x2: x(0) + (guess - 0.5) * step,
            y1: top,
            y2: foot,
            "data-guess": guess,
          }),
        ]),
    ...found.flatMap(({ draws, mean, low, high }, i) => [
      ...draws.map((value) => svg("circle", { class: "bb-tr-dot", cx: x(i) + 5, cy: y(value), r: 2 })),
      // In two parts, so that an open ring stays empty on any background.
      ...[
        [low, RING],
        [high, -RING],
      ]
        .filter(([end]) => Math.abs(y(end) - y(mean)) > RING)
        .map(([end, gap]) =>
          svg("line", { class: "bb-tr-interval", x1: x(i), x2: x(i), y1: y(end), y2: y(mean) + gap }),
        ),
      svg("circle", {
        class: `bb-tr-mean${low > 0 || high < 0 ? "" : " bb-tr-open"}`,
        cx: x(i),
        cy: y(mean),
        r: RING,
        "data-values": [mean, low, high].join(),
      }),
    ]),
  ];
}

// ---- The view -------------------------------------------------------------------------------------------------

export default widget(SETTINGS, (view, model) => {
  const [ways, counts, accuracy, factor] = ["ways", "counts", "accuracy", "factor"].map((name) => model.get(name));
  const questions = Object.fromEntries(model.get("questions"));
  const rows = Object.fromEntries(ways.map((way, i) => [way, accuracy[i]]));
  const last = ways.at(-1);
  const draws = accuracy[0][0].length;
  const cellsOf = Object.fromEntries(ways.map((way) => [way, rows[way].map(moments)]));
  const gains = Object.fromEntries(ways.map((way) => [way, differences(rows[way], rows.scratch, factor)]));
  const means = ways.flatMap((way) => cellsOf[way].map(({ mean }) => mean));
  const everyDraw = accuracy.flat(2);
  // One scale for each view, whatever is hidden: colors do not move while rows open.
  const scales = {
    accuracy: [Math.min(...means), Math.max(...means)],
    gain: [0, Math.max(...ways.flatMap((way) => gains[way].map(({ mean }) => Math.abs(mean))))],
    spread: [0, Math.max(...ways.flatMap((way) => cellsOf[way].map(({ spread }) => spread)))],
  };
  const open = () => openWays(ways, questions, model.get("answers"), model.get("shown"));
  const place = (guess) => (guess === counts.length ? TEXT.never : String(counts[guess]));
  const short = (way) => (way === "scratch" ? TEXT.scratch : fill(TEXT.frozen, { count: way }));
  const name = (way) => {
    const { scratch, none, some, all } = TEXT.long;
    return fill(way === "scratch" ? scratch : way === last ? all : way === "0" ? none : some, { count: way });
  };
  const labelsText = (count) => (count === 1 ? TEXT.label : fill(TEXT.labels, { count }));

  // ---- Controls

  const asks = Object.entries(questions).map(([key, [first, second]]) => [
    key,
    button(
      fill(TEXT.asked, { first: short(first), second: short(second) }),
      () =>
        view.set({
          question: key,
          a: first,
          b: second,
          ...(key in model.get("answers") ? {} : { guess: counts.length >> 1 }),
        }),
      { "aria-pressed": "false" },
    ),
  ]);
  const question = h("p", { class: "bb-tr-question" });
  const guess = range(TEXT.guess, { min: 0, max: counts.length, step: 1 }, (value) => view.set({ guess: value }));
  const reveal = button(TEXT.reveal, () => {
    const key = model.get("question");
    const [a, b] = questions[key];
    const { [key]: given, ...others } = model.get("answers");
    if (given === undefined) view.set({ answers: { ...others, [key]: model.get("guess") }, a, b });
    else view.set({ answers: others });
  });
  const outcome = h("p", { class: "bb-tr-outcome" });
  const quiz = h(
    "div",
    { class: "bb-tr-quiz" },
    h(
      "div",
      { class: "bb-controls", role: "group", "aria-label": TEXT.quiz },
      h("span", { class: "bb-tr-lead", "aria-hidden": "true" }, TEXT.quiz),
      ...asks.map(([, node]) => node),
    ),
    question,
    controls(guess.node, reveal),
    outcome,
  );

  const shows = setting(view, "view", TEXT.view, TEXT.views);
  const all = button(TEXT.all, () => view.set({ shown: !model.get("shown") }), { "aria-pressed": "false" });
  const sides = { a: null, b: null };
  for (const side of ["a", "b"])
    sides[side] = dropdown(
      TEXT[side],
      ways.map((way) => [way, short(way)]),
      (way) => view.set({ [side]: way }),
    );

  const buttons = {};
  const heads = counts.map((count) => h("th", { scope: "col" }, String(count)));
  const lines = ways.map((way) => {
    buttons[way] = counts.map((count) =>
      button("", () => view.set({ way, labels: count }), { class: "bb-tr-cell", tabindex: -1 }),
    );
    const head = h(
      "th",
      { scope: "row" },
      h("span", { class: "bb-tr-wide" }, name(way)),
      h("span", { class: "bb-tr-narrow", "aria-hidden": "true" }, way === "scratch" ? TEXT.short : way),
    );
    return h("tr", {}, head, ...buttons[way].map((node) => h("td", {}, node)));
  });
  const map = h(
    "table",
    { class: "bb-tr-map" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, TEXT.corner), ...heads)),
    h("tbody", {}, ...lines),
  );
  const caption = h("p", { class: "bb-hint bb-tr-caption" });
  const detail = h("p", { class: "bb-tr-detail" });
  const key = [h("span"), h("span"), h("span")];
  const ramp = h("span", { class: "bb-tr-ramp" });
  const legend = h("div", { class: "bb-tr-legend", "aria-hidden": "true" }, key[0], ramp, key[2]);
  keys(view, map, (event) => {
    const [down, right] = {
      ArrowUp: [-1, 0],
      ArrowDown: [1, 0],
      ArrowLeft: [0, -1],
      ArrowRight: [0, 1],
      Home: [0, -99],
      End: [0, 99],
    }[event.key] ?? [0, 0];
    if (!down && !right) return false;
    const within = (at, list) => list[Math.min(Math.max(at, 0), list.length - 1)];
    const way = within(ways.indexOf(model.get("way")) + down, ways);
    const labels = within(counts.indexOf(model.get("labels")) + right, counts);
    view.set({ way, labels });
    buttons[way][counts.indexOf(labels)].focus();
  });

  const charts = { curves: chart(TEXT.curves), differences: chart(TEXT.differences) };
  const verdict = h("p", { class: "bb-tr-verdict" });
  const sideKeys = h(
    "p",
    { class: "bb-tr-keys" },
    ...["a", "b"].map((side) => h("span", { class: `bb-tr-key bb-tr-key-${side}` }, TEXT[side])),
  );
  const live = speaker(view);

  // ---- Painting

  const paint = () => {
    const opened = open();
    paintQuiz();
    paintMap(opened);
    paintComparison(opened);
    live.say([outcome.textContent, detail.textContent, verdict.textContent].join(" "));
  };
  const answered = () => model.get("answers")[model.get("question")];
  const paintQuiz = () => {
    const current = model.get("question");
    const [first, second] = questions[current];
    for (const [one, node] of asks) node.setAttribute("aria-pressed", one === current);
    const given = answered();
    write(question, fill(TEXT.ask, { first: name(first), second: name(second) }));
    const at = given ?? Math.min(model.get("guess"), counts.length);
    guess.set(at, place(at));
    guess.input.disabled = given !== undefined;
    write(reveal, given === undefined ? TEXT.reveal : TEXT.again);
    write(outcome, given === undefined ? TEXT.wait : outcomeOf(first, second, given));
  };
  const outcomeOf = (first, second, given) => {
    const found = differences(rows[first], rows[second], factor);
    const { from, clear } = crossing(found);
    const words = TEXT.crossed;
    const most = counts.at(-1);
    const said = fill(agrees(given, { from, clear }) ? TEXT.right : TEXT.wrong, { guess: place(given) });
    const ahead = { first: short(first), most, count: counts[from], mean: signedText(found.at(-1).mean) };
    if (from === counts.length) return `${said} ${fill(words.never, ahead)}`;
    const sure =
      clear < counts.length ? fill(words.clear, { count: counts[clear] }) : fill(words.unclear, { draws, most });
    return `${said} ${fill(words.from, ahead)} ${sure}`;
  };
  const valueOf = (way, i) =>
    model.get("view") === "gain"
      ? gains[way][i].mean
      : cellsOf[way][i][model.get("view") === "spread" ? "spread" : "mean"];
  const paintMap = (opened) => {
    const shown = model.get("view");
    const [low, high] = scales[shown];
    const chosen = [model.get("way"), counts.indexOf(model.get("labels"))];
    for (const way of ways) {
      const here = opened.includes(way) && !(shown === "gain" && way === "scratch");
      buttons[way].forEach((node, i) => {
        const value = valueOf(way, i);
        const text = !opened.includes(way)
          ? "?"
          : shown === "gain"
            ? signedText(value, 0)
            : value.toFixed(shown === "spread" ? 1 : 0);
        const share = here ? Math.round(60 * Math.abs((value - low) / (high - low || 1))) : 0;
        const color = shown === "gain" ? (value < 0 ? "negative" : "positive") : "mark";
        write(node, text);
        node.style.background = here ? `color-mix(in srgb, var(--bb-${color}) ${share}%, transparent)` : "";
        node.classList.toggle(
          "bb-tr-unsure",
          here && shown === "gain" && gains[way][i].low <= 0 && gains[way][i].high >= 0,
        );
        const on = way === chosen[0] && i === chosen[1];
        node.setAttribute("aria-pressed", on);
        node.tabIndex = on ? 0 : -1;
        const said = opened.includes(way) ? fill(TEXT.values[shown], { text }) : TEXT.hidden;
        node.setAttribute(
          "aria-label",
          fill(TEXT.cell, { way: name(way), labels: labelsText(counts[i]), value: said }),
        );
      });
    }
    shows.set(shown);
    all.setAttribute("aria-pressed", model.get("shown"));
    write(caption, TEXT.captions[shown]);
    ramp.classList.toggle("bb-tr-both", shown === "gain");
    write(key[0], shown === "gain" ? signedText(-high, 0) : plain(low));
    write(key[2], shown === "gain" ? signedText(high, 0) : plain(high));
    write(detail, detailOf(opened, ...chosen));
  };
  const signedTexts = ({ mean, low, high }) => ({
    mean: signedText(mean),
    low: signedText(low),
    high: signedText(high),
  });
  const detailOf = (opened, way, i) => {
    const where = { way: name(way), labels: labelsText(counts[i]) };
    if (!opened.includes(way)) return fill(TEXT.detailHidden, where);
    const [{ mean, spread }, values, gain] = [cellsOf[way][i], rows[way][i], gains[way][i]];
    const [low, high] = [plain(Math.min(...values)), plain(Math.max(...values))];
    const words = fill(TEXT.detail, { ...where, mean: plain(mean), spread: plain(spread), low, high, draws });
    return way === "scratch" ? words : `${words} ${fill(TEXT.against, signedTexts(gain))}`;
  };
  const paintComparison = (opened) => {
    const now = { a: model.get("a"), b: model.get("b") };
    const seen = ["a", "b"].filter((side) => opened.includes(now[side]));
    for (const side of ["a", "b"]) sides[side].set(now[side]);
    const ends = [Math.floor(Math.min(...everyDraw) / 5) * 5, Math.ceil(Math.max(...everyDraw) / 5) * 5];
    const parts = seen.map((side) =>
      fill(TEXT.curvePart, {
        side: TEXT[side],
        way: name(now[side]),
        from: plain(cellsOf[now[side]][0].mean),
        to: plain(cellsOf[now[side]].at(-1).mean),
      }),
    );
    charts.curves.update(counts, ends, fill(TEXT.curveLabel, { parts: parts.join(" ") }), (x, y) =>
      seen.toReversed().flatMap((side) => curveParts(x, y, rows[now[side]], side)),
    );
    const both = seen.length === 2;
    const found = differences(rows[now.a], rows[now.b], factor);
    const most = both
      ? Math.max(5, ...found.flatMap((one) => [...one.draws, one.low, one.high]).map(Math.abs)) * 1.05
      : 10;
    const spoken = found.map((one, i) => fill(TEXT.differencePart, { count: counts[i], ...signedTexts(one) }));
    const asked = Object.keys(questions).find((one) => questions[one][0] === now.a && questions[one][1] === now.b);
    const guessed = model.get("answers")[asked] ?? null;
    const label = both ? fill(TEXT.differenceLabel, { parts: spoken.join("; ") }) : TEXT.closed;
    charts.differences.update(counts, [-most, most], label, (x, y, box) =>
      both ? differenceParts(x, y, found, guessed, box) : [],
    );
    write(verdict, !both ? TEXT.closed : now.a === now.b ? TEXT.same : verdictOf(found));
  };
  const verdictOf = (found) => {
    const where = (words, test) => {
      const there = found.flatMap((one, i) => (test(one) ? [counts[i]] : []));
      return there.length ? [fill(words, { counts: there.join(", ") })] : [];
    };
    const parts = [
      ...where(TEXT.above, ({ low }) => low > 0),
      ...where(TEXT.below, ({ high }) => high < 0),
      ...where(TEXT.open, ({ low, high }) => low <= 0 && high >= 0),
    ];
    return fill(TEXT.verdict, { parts: parts.join(TEXT.and) });
  };

  const root = body(
    "bb-tr",
    TEXT.title,
    quiz,
    controls(shows.node, all),
    map,
    h("div", { class: "bb-tr-foot" }, caption, legend),
    detail,
    hint(TEXT.hint),
    controls(sides.a.node, sides.b.node, sideKeys),
    h("div", { class: "bb-pair bb-tr-charts" }, charts.curves.node, charts.differences.node),
    hint(TEXT.keys),
    verdict,
    live.node,
  );
  view.onResize(charts.curves.picture, view.repaint);
  return { root, paint };
});
