// The training before the reader's eyes: a few steps a frame.

import { enough, examplesOf, stageRows } from "./pool.js";
import { firstOf, headOf, sharesOf, STEPS, trainerOf } from "./maths.js";

const A_FRAME = 4; // steps
const SLICE = 6; // ms that the training may take of a frame

/** `start(examples, classes, animated)` trains anew; `paint()` is called after each frame of it, `done()` at its end. */
export function trainingPart(view, paint, done) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let [trainer, head, wish, loo] = [null, null, 0, null];

  /** Steps for one frame; whether there are more. */
  function advance(most) {
    const begin = performance.now();
    for (let i = 0; i < most && trainer.steps() < STEPS && performance.now() - begin < SLICE; i++) trainer.step();
    head = trainer.head();
    return trainer.steps() < STEPS;
  }
  function start(examples, classes, animated) {
    const mine = ++wish;
    [trainer, head, loo] = [null, null, null];
    const { taught, asked } = examples;
    if (!enough(taught)) return done();
    trainer = trainerOf(
      taught.map(({ teach }) => teach),
      taught.map(({ label }) => label),
      classes,
    );
    const finish = () => (asked.length ? done() : leaveOut(taught, classes, mine));
    if (!animated) {
      while (advance(Infinity));
      return finish();
    }
    const tick = () => {
      if (mine !== wish || view.signal.aborted) return;
      const more = advance(calm.matches ? Infinity : A_FRAME);
      if (!calm.matches) paint();
      if (more) requestAnimationFrame(tick);
      else finish();
    };
    advance(1); // so that there is a head from now on
    requestAnimationFrame(tick);
  }
  /** With nothing to ask about, each taught picture is left out once and asked. */
  async function leaveOut(taught, classes, mine) {
    let right = 0;
    for (const one of taught) {
      await new Promise((next) => setTimeout(next));
      if (mine !== wish || view.signal.aborted) return;
      const rest = taught.filter((other) => other !== one);
      const [vectors, labels] = ["teach", "label"].map((name) => rest.map((other) => other[name]));
      right += firstOf(sharesOf(headOf(vectors, labels, classes), one.teach)) === one.label;
    }
    loo = { right, asked: taught.length };
    done();
  }
  const running = () => trainer !== null && trainer.steps() < STEPS;
  return { start, head: () => head, running, loo: () => loo, steps: () => trainer.steps(), loss: () => trainer.loss() };
}

/** The head over the network's features, whatever is looked at now, for a file. */
export function savedHead(pool, frames) {
  const { taught } = examplesOf(pool, "features", frames);
  if (!enough(taught)) return null;
  const [vectors, labels] = ["teach", "label"].map((name) => taught.map((one) => one[name]));
  const pictures = taught.map(({ item }) => item.photo);
  const classes = pool.classes.map(({ name }) => name);
  return {
    given: { classes, labels, pictures, vectors, stages: stageRows(taught) },
    head: headOf(vectors, labels, classes.length),
  };
}
