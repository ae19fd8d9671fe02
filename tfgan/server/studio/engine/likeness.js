// How unlike two drawings are, and its slopes: tfgan/networks/likeness.py in the page.

const SIDE = 28; // pixels, of images whose blurs these are
const BLURS = [1, 3, 7]; // sides of squares that are averaged: a line has no slope to one out of reach
const LEAST_INK = 1e-3; // of an image, that an empty one has a share too

// What is wanted of drawings: ink [height * width] where `known` is 1.
export class Wanted {
  constructor(ink, known, [height, width]) {
    const larger = Math.max(1, Math.round(Math.max(height, width) / SIDE));
    Object.assign(this, {known, height, width});
    this.sides = BLURS.map((side) => (side === 1 ? 1 : larger * side));
    this.blurs = this.blurred(ink);
  }

  // The known ink in each of the blurs.
  blurred(ink) {
    const seen = Float64Array.from(ink, (level, i) => level * this.known[i]);
    return this.sides.map((side) => averaged(seen, this.width, this.height, side));
  }

  // The mean over the blurs of the share of ink in which another drawing differs.
  unlikeness(ink) {
    const parts = this.blurred(ink).map((blur, i) => {
      const {apart, either} = difference(blur, this.blurs[i]);
      return apart / either;
    });
    return parts.reduce((sum, part) => sum + part) / parts.length;
  }

  // {error, slopes}: the same, and how it changes with the ink of each pixel.
  slopes(ink) {
    const slopes = new Float64Array(ink.length);
    let error = 0;
    this.blurred(ink).forEach((blur, i) => {
      const wanted = this.blurs[i];
      const {apart, either} = difference(blur, wanted);
      error += apart / either / this.sides.length;
      const own = blur.map((level, j) => {
        const more = level > wanted[j] ? 1 : level < wanted[j] ? -1 : 0;
        const larger = level > wanted[j] ? apart / either : 0;
        return (more - larger) / either / this.sides.length;
      });
      const back = averaged(own, this.width, this.height, this.sides[i], true);
      for (let j = 0; j < slopes.length; j++) slopes[j] += back[j] * this.known[j];
    });
    return {error, slopes};
  }
}

function difference(first, second) {
  let [apart, either] = [0, LEAST_INK];
  for (let i = 0; i < first.length; i++) {
    apart += Math.abs(first[i] - second[i]);
    either += Math.max(first[i], second[i]);
  }
  return {apart, either};
}

// Ink averaged over squares, of fewer places at the ends; or `back` from slopes of that to its own.
function averaged(ink, width, height, side, back = false) {
  if (side === 1) return ink;
  const across = alongLines(ink, width, height, 1, width, side, back);
  return alongLines(across, height, width, width, 1, side, back);
}

// Means along `lines` lines of `count` places that are `step` apart, by running sums.
function alongLines(values, count, lines, step, apart, side, back) {
  const half = side >> 1;
  const found = new Float64Array(values.length);
  const sums = new Float64Array(count + 1);
  const first = (i) => Math.max(0, i - half);
  const end = (i) => Math.min(count, i + half + 1);
  for (let line = 0; line < lines; line++) {
    const start = line * apart;
    for (let i = 0; i < count; i++) {
      const value = values[start + i * step];
      sums[i + 1] = sums[i] + (back ? value / (end(i) - first(i)) : value);
    }
    for (let i = 0; i < count; i++) {
      const sum = sums[end(i)] - sums[first(i)];
      found[start + i * step] = back ? sum : sum / (end(i) - first(i));
    }
  }
  return found;
}
