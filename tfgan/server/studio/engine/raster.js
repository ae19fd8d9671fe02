// The ink that strokes leave on pixels, as tfgan/networks/strokes.py has it, sample by sample.

import {sigmoid} from './layers.js';

const SIGMA = 0.3; // of a spot, in widths of the pen
const LOG_EDGE = -1 / (8 * SIGMA ** 2); // the logarithm of the density at a line's edge
const CAP = 0.6; // what an end's spot has more than the half line that ends there
const LEAST_PEN = 0.3; // pixels, added in squares
const SHARPNESS = 1.5; // of a pixel's share of ink over the distance of an edge
const FAINT = 3e-4; // density that is added to all
const NOTHING = 1e-20;
const REACH = 6; // sigmas, beyond which a spot is far below what is faint

const matrices = new Map();

// The matrix [samples, points], row by row, from a stroke's points to samples of its curve.
export function curve(points, samples) {
  const key = `${points} ${samples}`;
  if (!matrices.has(key)) matrices.set(key, newCurve(points, samples));
  return matrices.get(key);
}

function newCurve(points, samples) {
  const bezier = through(points);
  const matrix = new Float64Array(samples * points);
  for (let sample = 0; sample < samples; sample++) {
    const place = (sample * (points - 1)) / (samples - 1);
    const piece = Math.min(Math.floor(place), points - 2);
    const u = place - piece;
    const bernstein = [(1 - u) ** 3, 3 * u * (1 - u) ** 2, 3 * u ** 2 * (1 - u), u ** 3];
    bernstein.forEach((share, control) => {
      for (let point = 0; point < points; point++) {
        matrix[sample * points + point] += share * bezier[3 * piece + control][point];
      }
    });
  }
  return matrix;
}

// The rows [3 * points - 2][points] from a stroke's points to those of its cubic Béziers.
export function through(points) {
  const row = (...pairs) => {
    const found = new Float64Array(points);
    for (const [point, share] of pairs) found[point] += share;
    return found;
  };
  const last = points - 1;
  const slope = (i) => {
    const next =
      i === last
        ? [
            [last, 2],
            [last - 1, -1],
          ]
        : [[i + 1, 1]];
    const previous =
      i === 0
        ? [
            [0, -2],
            [1, 1],
          ]
        : [[i - 1, -1]];
    return row(...next, ...previous).map((share) => share / 6);
  };
  const rows = [];
  for (let i = 0; i < last; i++) {
    const [out, into] = [slope(i), slope(i + 1)];
    rows.push(
      row([i, 1]),
      out.map((share, p) => share + (p === i)),
    );
    rows.push(into.map((share, p) => (p === i + 1) - share));
  }
  return [...rows, row([last, 1])];
}

// Samples [x, y, x, y, ...] of the curve through points [x, y, x, y, ...], which begin at `from`.
export function sampled(points, from, count, samples, found = new Float64Array(2 * samples)) {
  const matrix = curve(count, samples);
  for (let sample = 0; sample < samples; sample++) {
    let [x, y] = [0, 0];
    for (let point = 0; point < count; point++) {
      const share = matrix[sample * count + point];
      x += share * points[from + 2 * point];
      y += share * points[from + 2 * point + 1];
    }
    found[2 * sample] = x;
    found[2 * sample + 1] = y;
  }
  return found;
}

export const penPixels = (width, side) => Math.hypot(width * side, LEAST_PEN);

// Adds the spots of a stroke to a density of ink [height * width], and, times a colour's channels,
// to sums of colours [height * width * channels].
function addStroke(strokes, stroke, grid, samples, places) {
  const {height, width, side, total, colours, channels} = grid;
  sampled(strokes.points, 2 * strokes.pointCount * stroke, strokes.pointCount, samples, places);
  for (let i = 0; i < places.length; i += 2) {
    places[i] = (places[i] - 0.5) * side + (width - 1) / 2;
    places[i + 1] = (places[i + 1] - 0.5) * side + (height - 1) / 2;
  }
  const sigma = SIGMA * penPixels(strokes.width[stroke], side);
  const masses = massesOf(places, samples, sigma);
  const across = new Float64Array(width);
  for (let sample = 0; sample < samples; sample++) {
    const [x, y] = [places[2 * sample], places[2 * sample + 1]];
    const [left, right] = range(x, sigma, width);
    const [top, bottom] = range(y, sigma, height);
    for (let column = left; column <= right; column++) across[column] = spot(column - x, sigma);
    for (let row = top; row <= bottom; row++) {
      const mass = masses[sample] * spot(row - y, sigma);
      for (let column = left, pixel = row * width + left; column <= right; column++, pixel++) {
        const ink = mass * across[column];
        total[pixel] += ink;
        for (let i = 0; i < channels; i++) {
          colours[pixel * channels + i] += ink * strokes.colour[stroke * channels + i];
        }
      }
    }
  }
}

const spot = (distance, sigma) => Math.exp((-0.5 * distance * distance) / (sigma * sigma));

// The pixels of a side that a spot reaches, first and last.
function range(place, sigma, side) {
  const reach = REACH * sigma;
  return [Math.max(0, Math.ceil(place - reach)), Math.min(side - 1, Math.floor(place + reach))];
}

// What each sample's spot weighs: half the line on both of its sides, and more at the ends.
function massesOf(places, samples, sigma) {
  const masses = new Float64Array(samples);
  masses[0] = masses[samples - 1] = CAP;
  for (let i = 1; i < samples; i++) {
    const across = places[2 * i] - places[2 * i - 2];
    const down = places[2 * i + 1] - places[2 * i - 1];
    const half = (0.5 * Math.hypot(across, down)) / (Math.sqrt(2 * Math.PI) * sigma);
    masses[i - 1] += half;
    masses[i] += half;
  }
  return masses;
}

// Images [height * width * channels] of strokes on a ground [channels], all levels in [-1, 1].
//
// Strokes are {count, pointCount, points, width, present, colour, pens}: flat arrays on a page
// whose longer side is 1. Where there is one channel all have one colour, else each its own, one
// after the other. `pens` are the widths of all strokes, those that are not there too.
export function draw(strokes, ground, height, width, samples) {
  const [channels, side] = [ground.length, Math.max(height, width)];
  const total = new Float64Array(height * width);
  const colours = new Float64Array(channels > 1 ? height * width * channels : 0);
  const grid = {height, width, side, total, colours, channels: channels > 1 ? channels : 0};
  const places = new Float64Array(2 * samples);
  for (let stroke = 0; stroke < strokes.count; stroke++) {
    if (strokes.present[stroke]) addStroke(strokes, stroke, grid, samples, places);
  }
  const pen = strokes.pens.reduce((sum, each) => sum + penPixels(each, side), 0);
  const slope = (SHARPNESS * 8 * SIGMA ** 2 * pen) / strokes.pens.length;
  const none = covered(0, slope);
  const image = new Float64Array(height * width * channels);
  for (let pixel = 0; pixel < total.length; pixel++) {
    const share = covered(total[pixel], slope) - none;
    for (let i = 0; i < channels; i++) {
      const at = pixel * channels + i;
      const colour = channels > 1 ? colours[at] / (total[pixel] + NOTHING) : strokes.colour[0];
      image[at] = ground[i] + share * (colour - ground[i]);
    }
  }
  return image;
}

const covered = (density, slope) => sigmoid(slope * (Math.log(density + FAINT) - LOG_EDGE));

// What the slopes of a drawing need too.
export {CAP, FAINT, LEAST_PEN, LOG_EDGE, REACH, SHARPNESS, SIGMA};
