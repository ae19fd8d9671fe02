// The drawing of a model that is nearest to a person's: the encoder's guess, improved.
//
// Python improves it by slopes (tfgan/networks/inversion.py). Here it is Gauss and Newton's method on
// blurred ink, by differences: it takes drawings alone, so it serves every architecture alike.

import {inkOf, likeness} from './framing.js';

export const LEAST_LIKENESS = 0.5; // of ink: of less, a picture is nothing that the model draws
const CANDIDATES = 16; // in other styles than the guess
const IMPROVED = 2; // of them, the nearest
const ROUNDS = 4; // of improvement, at most
const STEP = 0.15; // by which each latent is moved, to see what it changes
const DAMPING = [0.003, 0.01, 0.03, 0.1, 0.3, 1]; // of which the best is taken in each round
const LEAST_GAIN = 0.002; // of an error: a round that gains less is the last
const SIDE = 28; // pixels, of images whose blurs these are
const BLURS = [1, 3, 7]; // sides of squares that are averaged
const LEAST_DIFFERENCE = 0.05; // of ink, added: differences count, not their squares
const LEAST_SUM = 1e-3;
const PRIOR = 1e-3; // weight of the mean square of latents, which keeps them usual
const STYLES = 32; // of the first latents the largest picks one of so many, at most
const STYLE_LEAD = 1e-3; // by which it is the largest, at least
const SPREAD = 0.5; // of candidates around a guess where there are no styles
const BUSY = 30; // milliseconds, after which the page may do something else

// {latents: Float32Array, label, likeness, image} nearest to a framed picture.
//
// Without a `label` it is guessed. `told(share)` is called with how much is done, if given.
export async function nearest(model, own, hand, {label = null, told = () => {}} = {}) {
  const guess = model.encode(own.image, own.known);
  const search = new Search(model, own, hand, label ?? guess.label, told);
  const starts = [];
  for (const latents of candidates(model, guess.latents)) {
    starts.push(search.at(latents));
    await search.pause();
  }
  starts.sort((a, b) => a.error - b.error);
  const ends = [];
  for (const start of starts.slice(0, IMPROVED)) ends.push(await search.improved(start));
  const {latents, image} = ends.reduce((best, each) => (each.error < best.error ? each : best));
  const found = Float32Array.from(latents);
  return {latents: found, label: search.label, likeness: likeness(own, image, hand), image};
}

class Search {
  constructor(model, own, hand, label, told) {
    Object.assign(this, {model, own, hand, label, told, drawn: 0, since: performance.now()});
    const [height, width] = model.shape;
    const larger = Math.max(1, Math.round(Math.max(height, width) / SIDE));
    this.sides = BLURS.map((side) => (side === 1 ? 1 : larger * side));
    this.wanted = this.blurred(own.image);
    this.most = CANDIDATES + IMPROVED * ROUNDS * (model.latentSize + DAMPING.length);
  }

  // Lets the page do something else, if it is time.
  async pause() {
    this.told(Math.min(1, this.drawn / this.most));
    if (performance.now() - this.since < BUSY) return;
    await new Promise((resolve) => setTimeout(resolve));
    this.since = performance.now();
  }

  // What is drawn of latents, its blurred ink, and how unlike what is wanted that is.
  at(latents) {
    this.drawn += 1;
    const image = this.model.pixels(this.model.draw(Float32Array.from(latents), this.label));
    const ink = this.blurred(image);
    return {latents, image, ink, error: this.unlikeness(ink) + PRIOR * meanSquare(latents)};
  }

  // The known ink of an image in as many blurs as there are, one after the other.
  blurred(image) {
    const [height, width] = this.model.shape;
    const ink = inkOf(image, this.hand.paper).map((level, i) => level * this.own.known[i]);
    const found = new Float32Array(this.sides.length * ink.length);
    this.sides.forEach((side, i) => {
      found.set(side === 1 ? ink : averaged(ink, width, height, side), i * ink.length);
    });
    return found;
  }

  unlikeness(ink) {
    const size = ink.length / this.sides.length;
    let sum = 0;
    for (let start = 0; start < ink.length; start += size) {
      let [apart, either] = [0, LEAST_SUM];
      for (let i = start; i < start + size; i++) {
        apart += Math.abs(ink[i] - this.wanted[i]);
        either += Math.max(ink[i], this.wanted[i]);
      }
      sum += apart / either;
    }
    return sum / this.sides.length;
  }

  async improved(start) {
    let best = start;
    for (let round = 0; round < ROUNDS; round++) {
      const {slopes, matrix} = await this.slopesAt(best);
      const tries = DAMPING.map((damping) => {
        const step = solved(matrix, slopes, damping);
        const latents = Float64Array.from(best.latents, (each, i) => each + step[i]);
        return this.at(inStyleOf(this.model, latents, start.latents));
      });
      await this.pause();
      const found = tries.reduce((one, each) => (each.error < one.error ? each : one));
      if (found.error > best.error - LEAST_GAIN) return found.error < best.error ? found : best;
      best = found;
    }
    return best;
  }

  // What the error's slopes and curvature are, from what each latent changes.
  async slopesAt({latents, ink}) {
    const weights = this.weights(ink);
    const changes = [];
    for (let i = 0; i < latents.length; i++) {
      const other = Float64Array.from(latents);
      other[i] += STEP;
      const moved = this.at(inStyleOf(this.model, other, latents)).ink;
      changes.push(moved.map((each, j) => ((each - ink[j]) / STEP) * weights[j]));
      await this.pause();
    }
    const differences = ink.map((each, j) => (each - this.wanted[j]) * weights[j]);
    const pull = PRIOR / latents.length;
    const slopes = changes.map((change, i) => -dot(change, differences) - pull * latents[i]);
    const matrix = changes.map((change, i) => {
      return Float64Array.from({length: i + 1}, (_, j) => dot(change, changes[j]));
    });
    matrix.forEach((row, i) => (row[i] += pull));
    return {slopes, matrix};
  }

  // Weights by which squares of differences are about the unlikeness.
  weights(ink) {
    const size = ink.length / this.sides.length;
    const found = new Float32Array(ink.length);
    for (let start = 0; start < ink.length; start += size) {
      let either = LEAST_SUM;
      for (let i = start; i < start + size; i++) either += Math.max(ink[i], this.wanted[i]);
      for (let i = start; i < start + size; i++) {
        const apart = Math.abs(ink[i] - this.wanted[i]) + LEAST_DIFFERENCE;
        found[i] = 1 / Math.sqrt(this.sides.length * either * apart);
      }
    }
    return found;
  }
}

// Latents near a guess: in the nearest styles, if the model has styles, the first its own.
function candidates(model, guess) {
  if (!model.isPen) {
    return Array.from({length: CANDIDATES}, (_, seed) => {
      const others = model.latentsOf(BigInt(seed));
      return guess.map((each, i) => each + (seed && SPREAD * others[i]));
    });
  }
  const order = Array.from(guess.subarray(0, STYLES).keys()).sort((a, b) => guess[b] - guess[a]);
  return order.slice(0, CANDIDATES).map((place) => {
    const latents = guess.slice();
    [latents[place], latents[order[0]]] = [latents[order[0]], latents[place]];
    return latents;
  });
}

// Latents changed so far that they pick the style that others do.
function inStyleOf(model, latents, others) {
  if (!model.isPen) return latents;
  const count = Math.min(STYLES, latents.length);
  let picked = 0;
  for (let i = 1; i < count; i++) if (others[i] > others[picked]) picked = i;
  for (let i = 0; i < count; i++) {
    if (i !== picked) latents[picked] = Math.max(latents[picked], latents[i] + STYLE_LEAD);
  }
  return latents;
}

// Ink averaged over squares, of fewer places at the ends.
function averaged(ink, width, height, side) {
  const across = alongLines(ink, width, height, 1, width, side);
  return alongLines(across, height, width, width, 1, side);
}

// Means along `lines` lines of `count` places, which are `step` apart, by running sums.
function alongLines(values, count, lines, step, apart, side) {
  const half = side >> 1;
  const found = new Float32Array(values.length);
  const sums = new Float64Array(count + 1);
  for (let line = 0; line < lines; line++) {
    const start = line * apart;
    for (let i = 0; i < count; i++) sums[i + 1] = sums[i] + values[start + i * step];
    for (let i = 0; i < count; i++) {
      const [first, end] = [Math.max(0, i - half), Math.min(count, i + half + 1)];
      found[start + i * step] = (sums[end] - sums[first]) / (end - first);
    }
  }
  return found;
}

// The solution of a symmetric matrix, of which the lower half is given, with its mean diagonal times
// `damping` added to its diagonal (Cholesky).
function solved(matrix, values, damping) {
  const size = matrix.length;
  const added = (damping * matrix.reduce((sum, row, i) => sum + row[i], 0)) / size;
  const lower = matrix.map((row) => row.slice());
  for (let i = 0; i < size; i++) {
    lower[i][i] += added;
    for (let j = 0; j <= i; j++) {
      let sum = lower[i][j];
      for (let k = 0; k < j; k++) sum -= lower[i][k] * lower[j][k];
      lower[i][j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / lower[j][j];
    }
  }
  const found = Float64Array.from(values);
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) found[i] -= lower[i][k] * found[k];
    found[i] /= lower[i][i];
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) found[i] -= lower[k][i] * found[k];
    found[i] /= lower[i][i];
  }
  return found;
}

function dot(first, second) {
  let sum = 0;
  for (let i = 0; i < first.length; i++) sum += first[i] * second[i];
  return sum;
}

function meanSquare(values) {
  return dot(values, values) / values.length;
}
