// The drawing of a model that is nearest to a person's: the encoder's guess, improved.
//
// By a pen it is improved as tfgan/networks/inversion.py does: by slopes, in several styles, of which
// here the worse ones are given up on the way. Other architectures are improved by random steps.

import {Wanted} from './engine/likeness.js';
import {fold, normal} from './engine/latents.js';
import {penSlopes} from './engine/slopes.js';
import {inkOf, likeness} from './framing.js';

export const LEAST_LIKENESS = 0.5; // of ink: of less, a picture is nothing that the model draws
const STEPS = 30; // of improvement
const CANDIDATES = 16; // in other styles than the guess
const LEFT = {5: 8, 10: 4, 18: 2}; // candidates after so many steps
const RATE = 0.5;
const FINAL_RATE_SHARE = 0.05;
const [BETA_1, BETA_2, EPSILON] = [0.6, 0.95, 1e-8]; // of Adam
const PRIOR = 1e-3; // weight of the mean square of latents, which keeps them usual
const TRIES = 150; // random steps where there are no slopes
const [FIRST_STEP, LAST_STEP] = [0.4, 0.05];
const BUSY = 80; // milliseconds, after which the page may do something else

// {latents: Float32Array, label, likeness, image} nearest to a framed picture.
//
// Without a `label` it is guessed. `told(share)` is called with how much is done, if given.
export async function nearest(model, own, hand, {label = null, told = () => {}} = {}) {
  const guess = model.encode(own.image, own.known);
  const wanted = new Wanted(inkOf(own.image, hand.paper), own.known, model.shape);
  const search = {model, hand, wanted, label: label ?? guess.label, pause: pauses(told)};
  const hasSlopes = model.isPen && !model.generator.isRecurrent;
  const found = await (hasSlopes ? bySlopes : byChance)(search, guess.latents);
  const latents = Float32Array.from(found);
  const image = drawn(search, latents);
  return {latents, label: search.label, likeness: likeness(own, image, hand), image};
}

function pauses(told) {
  let since = performance.now();
  return async (share) => {
    if (performance.now() - since < BUSY) return;
    told(share);
    await new Promise((resolve) => setTimeout(resolve));
    since = performance.now();
  };
}

function drawn({model, label}, latents) {
  return model.pixels(model.draw(latents, label));
}

async function bySlopes(search, guess) {
  const {generator} = search.model;
  let tries = generator.otherStyles(guess, CANDIDATES).map((start) => ({
    start,
    latents: Float64Array.from(start),
    mean: new Float64Array(start.length),
    square: new Float64Array(start.length),
    best: start,
    least: Infinity,
  }));
  for (let step = 0; step <= STEPS; step++) {
    for (const each of tries) {
      improve(each, step, search);
      await search.pause(step / STEPS);
    }
    if (step in LEFT) tries = tries.sort((a, b) => a.least - b.least).slice(0, LEFT[step]);
  }
  return tries.reduce((one, each) => (each.least < one.least ? each : one)).best;
}

// Looks at latents, and takes a step of Adam from there; the rate falls over the steps.
function improve(each, step, {model: {generator}, label, wanted}) {
  const {latents, mean, square} = each;
  const {error, slopes} = penSlopes(generator, latents, label, wanted);
  const size = latents.length;
  const whole = error + PRIOR * meanSquare(latents);
  if (whole < each.least) [each.least, each.best] = [whole, latents.slice()];
  const fall = 0.5 * (1 + Math.cos((Math.PI * step) / STEPS));
  const rate = RATE * (FINAL_RATE_SHARE + (1 - FINAL_RATE_SHARE) * fall);
  for (let i = 0; i < size; i++) {
    const slope = slopes[i] + (2 * PRIOR * latents[i]) / size;
    mean[i] = BETA_1 * mean[i] + (1 - BETA_1) * slope;
    square[i] = BETA_2 * square[i] + (1 - BETA_2) * slope ** 2;
    const moment = Math.sqrt(square[i] / (1 - BETA_2 ** (step + 1))) + EPSILON;
    latents[i] -= (rate * mean[i]) / (1 - BETA_1 ** (step + 1)) / moment;
  }
  generator.inStyleOf(latents, each.start);
}

// Steps into random directions, each kept if it is one towards what is wanted.
async function byChance(search, guess) {
  const at = (latents) => {
    const ink = inkOf(drawn(search, latents), search.hand.paper);
    return search.wanted.unlikeness(ink) + PRIOR * meanSquare(latents);
  };
  let [best, least] = [guess, at(guess)];
  for (let number = 0; number < TRIES; number++) {
    const share = number / TRIES;
    const length = FIRST_STEP * (LAST_STEP / FIRST_STEP) ** share;
    const step = normal(fold(0n, number), guess.length).map((each) => length * each);
    for (const sign of [1, -1]) {
      const latents = best.map((each, i) => each + sign * step[i]);
      const error = at(latents);
      if (error >= least) continue;
      [best, least] = [latents, error];
      break;
    }
    await search.pause(share);
  }
  return best;
}

function meanSquare(values) {
  return values.reduce((sum, each) => sum + each * each, 0) / values.length;
}
