// Generators that draw with a pen: latents to strokes, as tfgan/networks/pen.py has them.

import {slerp} from './latents.js';
import {Trunk, dense, gru, leaky, sigmoid} from './layers.js';
import {sampled} from './raster.js';

const POINTS = 5; // of each stroke
export const SAMPLES = 32; // of each stroke that the image is made from
const WIDTH = 0.06; // of the pen as training began, in sides of the page
const WIDTH_RANGE = 0.9; // by which its natural logarithm may differ from that in a drawing
const PRESSURE = 0.25; // and by which a stroke's may differ from its drawing's
const SIZE = 0.104; // of a stroke as training began
const SIZE_RANGE = 1.24; // by which its natural logarithm may differ from that
const ALWAYS = 4; // strokes of each drawing are there
const PRESENT = 0.5; // added to the logit of a stroke's presence
const [TURN, GROWTH, SHIFT] = [0.5, 0.4, 0.2]; // of a whole drawing, at most
const STYLES = 32; // of each class, at most
const STYLE_LEAD = 1e-3; // by which the latent that picks is the largest, at least
// Where a stroke's numbers begin: its middle is first.
const [SIZE_AT, OFFSETS_AT] = [2, 3];
const [WIDTH_AT, PRESENT_AT] = [OFFSETS_AT + 2 * POINTS, OFFSETS_AT + 2 * POINTS + 1];
const NUMBERS = PRESENT_AT + 1;

export class Pen {
  constructor(tensors, {architecture, depth, latent_size: latentSize}, shape) {
    this.shape = shape;
    this.ground = tensors.take().values;
    this.trunk = new Trunk(tensors, depth);
    this.style = tensors.take().values;
    this.stroke = tensors.affine();
    this.pose = tensors.affine();
    this.colour = shape[2] > 1 ? tensors.affine() : null;
    this.isRecurrent = architecture === 'pen_gru';
    if (this.isRecurrent) {
      this.given = tensors.affine();
      this.gru = {gates: tensors.affine(), candidate: tensors.affine()};
    }
    this.latentSize = latentSize;
    this.styles = Math.min(STYLES, latentSize);
    this.count = strokesOf(shape);
  }

  // The latents that pick a style, first the largest one.
  ranked(latents) {
    const places = Array.from({length: this.styles}, (_, i) => i);
    return places.sort((a, b) => latents[b] - latents[a] || a - b);
  }

  styleOf(latents, label) {
    const row = (label * this.styles + this.ranked(latents)[0]) * this.latentSize;
    return this.style.subarray(row, row + this.latentSize);
  }

  // Latents that pick the nearest styles, the first their own.
  otherStyles(latents, count) {
    const places = this.ranked(latents).slice(0, count);
    return places.map((place) => {
      const other = Float32Array.from(latents);
      [other[place], other[places[0]]] = [latents[places[0]], latents[place]];
      return other;
    });
  }

  // Changes latents, in place, so far that they pick the style that others do.
  inStyleOf(latents, others) {
    const picked = this.ranked(others)[0];
    const rivals = latents.slice(0, this.styles).filter((_, i) => i !== picked);
    latents[picked] = Math.max(latents[picked], Math.max(...rivals) + STYLE_LEAD);
    return latents;
  }

  // The strokes of latents and a label, or shares of the classes, in their own style or another.
  strokes(latents, label, style = this.styleOf(latents, label)) {
    const whole = this.trunk.call(
      latents.map((each, i) => each + style[i]),
      label,
    );
    const rows = this.rows(whole);
    const numbers = this.each(this.stroke, rows, NUMBERS);
    const width = widths(numbers);
    const points = pointsOf(numbers, this.count);
    pose(points, dense(this.pose, whole).map(Math.tanh));
    for (let stroke = 0; stroke < this.count; stroke++) shorten(points, stroke, width[stroke]);
    const colour = this.colours(rows);
    return {
      count: this.count,
      pointCount: POINTS,
      points,
      width,
      pens: width,
      colour,
      present: presence(numbers, this.count),
    };
  }

  // The strokes at a share of the way from latents and a label to others; the style moves too.
  strokesBetween(first, second, share, label, toLabel = label) {
    const [from, to] = [this.styleOf(first, label), this.styleOf(second, toLabel)];
    const style = from.map((each, i) => each + share * (to[i] - each));
    return this.strokes(slerp(first, second, share), onTheWay(label, toLabel, share), style);
  }

  // What strokes are made from of the trunk's output: one row for all of them, or one for each.
  rows(whole) {
    if (!this.isRecurrent) return [whole];
    const given = leaky(dense(this.given, whole));
    let state = given.map(Math.tanh);
    return Array.from({length: this.count}, () => (state = gru(this.gru, given, state)));
  }

  each(layer, rows, size) {
    const found = new Float64Array(this.count * size);
    rows.forEach((row, i) => found.set(dense(layer, row), i * size));
    return found;
  }

  // One colour for all strokes, dark on light or light on dark, or one for each.
  colours(rows) {
    if (!this.colour) return [this.ground[0] > 0 ? -1 : 1];
    return this.each(this.colour, rows, this.shape[2]).map(Math.tanh);
  }
}

const [FEW_STROKES, MORE_STROKES, SMALL] = [16, 24, 32]; // more above so many pixels of a side

function strokesOf([height, width]) {
  return Math.max(height, width) <= SMALL ? FEW_STROKES : MORE_STROKES;
}

// What a trunk takes between two labels.
export function onTheWay(label, toLabel, share) {
  if (label === toLabel) return label;
  const shares = new Array(Math.max(label, toLabel) + 1).fill(0);
  shares[label] = 1 - share;
  shares[toLabel] = share;
  return shares;
}

function widths(numbers) {
  const count = numbers.length / NUMBERS;
  const wide = Array.from({length: count}, (_, i) => numbers[i * NUMBERS + WIDTH_AT]);
  const pen = wide.reduce((sum, each) => sum + each, 0) / count;
  const all = WIDTH_RANGE * Math.tanh(2 * pen);
  return Float64Array.from(wide, (each) => {
    return WIDTH * Math.exp(all + PRESSURE * Math.tanh(each - pen));
  });
}

// Points [x, y, ...] of strokes of all sizes, each about a middle of its own.
function pointsOf(numbers, count) {
  const points = new Float64Array(2 * POINTS * count);
  for (let stroke = 0; stroke < count; stroke++) {
    const [from, to] = [stroke * NUMBERS, 2 * POINTS * stroke];
    const offsets = numbers.slice(from + OFFSETS_AT, from + WIDTH_AT);
    const means = [mean(offsets, 0), mean(offsets, 1)];
    let squared = 0;
    for (let i = 0; i < offsets.length; i++) squared += (offsets[i] -= means[i % 2]) ** 2;
    const size = SIZE * Math.exp(SIZE_RANGE * Math.tanh(numbers[from + SIZE_AT]));
    const scale = size / Math.sqrt(squared / POINTS + 1e-6);
    offsets.forEach((offset, i) => {
      points[to + i] = 0.5 + 0.5 * Math.tanh(numbers[from + (i % 2)]) + scale * offset;
    });
  }
  return points;
}

// The mean of a coordinate of points [x, y, ...].
function mean(points, coordinate) {
  let sum = 0;
  for (let i = coordinate; i < points.length; i += 2) sum += points[i];
  return sum / (points.length / 2);
}

// Turns, grows and shifts a whole drawing by four numbers in [-1, 1], and keeps it on the page.
function pose(points, [turned, grown, right, down]) {
  const growth = Math.exp(GROWTH * grown);
  const [cosine, sine] = [growth * Math.cos(TURN * turned), growth * Math.sin(TURN * turned)];
  for (let i = 0; i < points.length; i += 2) {
    const [x, y] = [points[i] - 0.5, points[i + 1] - 0.5];
    points[i] = onPage(0.5 + SHIFT * right + cosine * x - sine * y);
    points[i + 1] = onPage(0.5 + SHIFT * down + sine * x + cosine * y);
  }
}

const onPage = (place) => Math.min(1, Math.max(0, place));

// Shrinks a stroke whose samples would be further apart than the pen is wide.
function shorten(points, stroke, width) {
  const from = 2 * POINTS * stroke;
  const places = sampled(points, from, POINTS, SAMPLES);
  let apart = 0;
  for (let i = 2; i < places.length; i += 2) {
    const [across, down] = [places[i] - places[i - 2], places[i + 1] - places[i - 1]];
    apart = Math.max(apart, Math.sqrt(across * across + down * down + 1e-10));
  }
  const less = Math.min(1, width / apart);
  const own = points.subarray(from, from + 2 * POINTS);
  const middle = [mean(own, 0), mean(own, 1)];
  for (let i = 0; i < own.length; i++) own[i] = middle[i % 2] + less * (own[i] - middle[i % 2]);
}

function presence(numbers, count) {
  return Uint8Array.from({length: count}, (_, stroke) => {
    const logit = numbers[stroke * NUMBERS + PRESENT_AT];
    return stroke < ALWAYS || Math.round(sigmoid(2 * (logit + PRESENT)));
  });
}

// What the slopes of a drawing need too.
export {
  ALWAYS,
  GROWTH,
  NUMBERS,
  OFFSETS_AT,
  POINTS,
  PRESENT,
  PRESENT_AT,
  PRESSURE,
  SHIFT,
  SIZE,
  SIZE_AT,
  SIZE_RANGE,
  TURN,
  WIDTH,
  WIDTH_AT,
  WIDTH_RANGE,
};
