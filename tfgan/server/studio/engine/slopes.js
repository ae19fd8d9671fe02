// How the ink of a pen's drawing changes with its latents: the chain rule, backwards through
// engine/raster.js and engine/pen.js. Colours and the order of classes are left as they are.

import {LEAK, dense, leaky, sigmoid} from './layers.js';
import {
  ALWAYS,
  GROWTH,
  NUMBERS,
  OFFSETS_AT,
  POINTS,
  PRESENT,
  PRESENT_AT,
  PRESSURE,
  SAMPLES,
  SHIFT,
  SIZE,
  SIZE_AT,
  SIZE_RANGE,
  TURN,
  WIDTH,
  WIDTH_AT,
  WIDTH_RANGE,
} from './pen.js';
import {CAP, FAINT, LEAST_PEN, LOG_EDGE, REACH, SHARPNESS, SIGMA, curve} from './raster.js';

// {error, latents, slopes} of a pen's drawing of latents and a label: how unlike it is what is
// wanted, a `Wanted`, and how that changes with each latent.
export function penSlopes(pen, latents, label, wanted) {
  const drawing = forwards(pen, latents, label);
  const {ink, spots} = inked(drawing, pen.shape);
  const {error, slopes} = wanted.slopes(ink);
  const ofStrokes = strokeSlopes(drawing, spots, slopes);
  return {error, latents, slopes: latentSlopes(pen, drawing, ofStrokes)};
}

// All that `Pen.strokes` finds on its way.
function forwards(pen, latents, label) {
  const style = pen.styleOf(latents, label);
  const inputs = new Float64Array(latents.length + pen.trunk.embedding.shape[1]);
  latents.forEach((each, i) => (inputs[i] = each + style[i]));
  inputs.set(pen.trunk.embedded(label), latents.length);
  const hidden = [inputs];
  for (const layer of pen.trunk.hidden) hidden.push(leaky(dense(layer, hidden.at(-1))));
  const numbers = dense(pen.stroke, hidden.at(-1));
  const turns = dense(pen.pose, hidden.at(-1)).map(Math.tanh);
  const strokes = Array.from({length: pen.count}, (_, i) => {
    return numbers.subarray(i * NUMBERS, (i + 1) * NUMBERS);
  });
  return {
    hidden,
    turns,
    ...widthsOf(strokes),
    strokes: strokes.map((own, i) => strokeOf(own, i, turns)),
  };
}

function widthsOf(strokes) {
  const mean = strokes.reduce((sum, own) => sum + own[WIDTH_AT], 0) / strokes.length;
  const common = Math.tanh(2 * mean);
  const pressures = strokes.map((own) => Math.tanh(own[WIDTH_AT] - mean));
  const widths = pressures.map((own) => WIDTH * Math.exp(WIDTH_RANGE * common + PRESSURE * own));
  return {common, pressures, widths};
}

// A stroke's points before and after its drawing is turned, grown and shifted.
function strokeOf(own, index, turns) {
  const middle = [0, 1].map((axis) => Math.tanh(own[axis]));
  const sized = Math.tanh(own[SIZE_AT]);
  const size = SIZE * Math.exp(SIZE_RANGE * sized);
  const means = [0, 1].map((axis) => {
    let sum = 0;
    for (let i = axis; i < 2 * POINTS; i += 2) sum += own[OFFSETS_AT + i];
    return sum / POINTS;
  });
  const offsets = Float64Array.from(
    {length: 2 * POINTS},
    (_, i) => own[OFFSETS_AT + i] - means[i % 2],
  );
  const square = offsets.reduce((sum, each) => sum + each * each, 0) / POINTS + 1e-6;
  const rms = Math.sqrt(square);
  const points = offsets.map((each, i) => 0.5 * middle[i % 2] + (size * each) / rms);
  const [across, down] = turned(turns);
  const posed = points.map((_, i) => {
    const [x, y] = [points[i - (i % 2)], points[i - (i % 2) + 1]];
    return (
      0.5 + SHIFT * turns[2 + (i % 2)] + (i % 2 ? down * x + across * y : across * x - down * y)
    );
  });
  const odds = sigmoid(2 * (own[PRESENT_AT] + PRESENT));
  const present = index < ALWAYS || odds >= 0.5 ? 1 : 0;
  return {middle, sized, size, offsets, rms, points, posed, odds, present};
}

function turned([turn, grown]) {
  const growth = Math.exp(GROWTH * grown);
  return [growth * Math.cos(TURN * turn), growth * Math.sin(TURN * turn)];
}

// The ink of a drawing, and what each stroke's spots are; a stroke that is not there has some too.
function inked(drawing, [height, width]) {
  const side = Math.max(height, width);
  const spots = drawing.strokes.map((stroke, i) =>
    spotsOf(stroke, drawing.widths[i], height, width),
  );
  const total = new Float64Array(height * width).fill(FAINT);
  spots.forEach((own, i) => {
    if (drawing.strokes[i].present) eachPixel(own, (spot, pixel) => (total[pixel] += spot));
  });
  const pen = spots.reduce((sum, own) => sum + own.pen, 0) / spots.length;
  const slope = SHARPNESS * 8 * SIGMA ** 2 * pen;
  const none = sigmoid(slope * (Math.log(FAINT) - LOG_EDGE));
  const logs = total.map((density) => Math.log(density) - LOG_EDGE);
  const covered = logs.map((log) => sigmoid(slope * log));
  const ink = covered.map((share) => share - none);
  return {ink, spots: {all: spots, total, logs, covered, slope, none, side}};
}

function spotsOf({posed}, width, height, wide) {
  const side = Math.max(height, wide);
  const matrix = curve(POINTS, SAMPLES);
  const held = posed.map((place) => Math.min(1, Math.max(0, place)));
  const middle = [0, 1].map((axis) => {
    let sum = 0;
    for (let i = axis; i < held.length; i += 2) sum += held[i];
    return sum / POINTS;
  });
  const raw = sampledPlaces(matrix, held);
  let apart = 0;
  for (let i = 2; i < raw.length; i += 2) {
    apart = Math.max(
      apart,
      Math.sqrt((raw[i] - raw[i - 2]) ** 2 + (raw[i + 1] - raw[i - 1]) ** 2 + 1e-10),
    );
  }
  const less = Math.min(1, width / apart);
  const edges = [(wide - 1) / 2, (height - 1) / 2];
  const places = raw.map((place, i) => {
    const shortened = middle[i % 2] + less * (place - middle[i % 2]);
    return (shortened - 0.5) * side + edges[i % 2];
  });
  const pen = Math.hypot(width * side, LEAST_PEN);
  const sigma = SIGMA * pen;
  const around = new Float64Array(SAMPLES);
  const lengths = new Float64Array(SAMPLES - 1);
  for (let i = 0; i + 1 < SAMPLES; i++) {
    const [dx, dy] = [places[2 * i + 2] - places[2 * i], places[2 * i + 3] - places[2 * i + 1]];
    lengths[i] = Math.sqrt(dx * dx + dy * dy + 1e-10);
    around[i] += lengths[i] / 2;
    around[i + 1] += lengths[i] / 2;
  }
  const masses = around.map((each) => each / (Math.sqrt(2 * Math.PI) * sigma));
  masses[0] += CAP;
  masses[SAMPLES - 1] += CAP;
  return {
    places,
    lengths,
    masses,
    around,
    sigma,
    pen,
    width,
    less,
    held,
    middle,
    wide,
    height,
    side,
  };
}

function sampledPlaces(matrix, points) {
  const found = new Float64Array(2 * SAMPLES);
  for (let sample = 0; sample < SAMPLES; sample++) {
    for (let i = 0; i < 2 * POINTS; i++) {
      found[2 * sample + (i % 2)] += matrix[sample * POINTS + (i >> 1)] * points[i];
    }
  }
  return found;
}

// Calls a function with the ink of each spot at each pixel that it reaches, the pixel, the sample and
// how far the pixel is from the spot's middle, to the right and down.
function eachPixel({places, masses, sigma, wide, height}, visit) {
  const [reach, sharp] = [REACH * sigma, -0.5 / sigma ** 2];
  const across = new Float64Array(wide);
  for (let sample = 0; sample < SAMPLES; sample++) {
    const [x, y] = [places[2 * sample], places[2 * sample + 1]];
    const [left, right] = [
      Math.max(0, Math.ceil(x - reach)),
      Math.min(wide - 1, Math.floor(x + reach)),
    ];
    const [top, bottom] = [
      Math.max(0, Math.ceil(y - reach)),
      Math.min(height - 1, Math.floor(y + reach)),
    ];
    for (let column = left; column <= right; column++)
      across[column] = Math.exp(sharp * (column - x) ** 2);
    for (let row = top; row <= bottom; row++) {
      const down = masses[sample] * Math.exp(sharp * (row - y) ** 2);
      for (let column = left; column <= right; column++) {
        visit(down * across[column], row * wide + column, sample, column - x, row - y);
      }
    }
  }
}

// Slopes of the numbers that each stroke is made of, and those of the whole drawing's turn.
function strokeSlopes(drawing, {all, total, logs, covered, slope, none}, ofInk) {
  const ofDensity = new Float64Array(total.length);
  let ofSlope = 0;
  for (let i = 0; i < total.length; i++) {
    const steep = covered[i] * (1 - covered[i]);
    ofDensity[i] = (ofInk[i] * steep * slope) / total[i];
    ofSlope += ofInk[i] * (steep * logs[i] - none * (1 - none) * (Math.log(FAINT) - LOG_EDGE));
  }
  const ofPen = (ofSlope * SHARPNESS * 8 * SIGMA ** 2) / all.length;
  const found = all.map((spots, i) => ofSpots(spots, drawing.strokes[i].present, ofDensity, ofPen));
  return found;
}

// {points, width, present}: the slopes of a stroke's points, width and presence.
function ofSpots(spots, present, ofDensity, ofPen) {
  const {masses, places, lengths, around, sigma, pen, width, less, held, middle, side} = spots;
  const ofMass = new Float64Array(SAMPLES);
  const ofPlace = new Float64Array(2 * SAMPLES);
  let ofSigma = 0;
  eachPixel(spots, (spot, pixel, sample, dx, dy) => {
    const part = ofDensity[pixel] * spot;
    ofMass[sample] += part;
    ofPlace[2 * sample] += part * dx;
    ofPlace[2 * sample + 1] += part * dy;
    ofSigma += part * (dx * dx + dy * dy);
  });
  const ofPresent = ofMass.reduce((sum, part) => sum + part, 0);
  if (!present) {
    return {
      points: new Float64Array(2 * POINTS),
      width: (ofPen * width * side * side) / pen,
      present: ofPresent,
    };
  }
  ofSigma /= sigma ** 3;
  for (let i = 0; i < ofPlace.length; i++) ofPlace[i] /= sigma ** 2;
  const root = Math.sqrt(2 * Math.PI) * sigma;
  for (let i = 0; i < SAMPLES; i++) {
    ofMass[i] /= masses[i];
    ofSigma -= (ofMass[i] * around[i]) / (root * sigma);
  }
  for (let i = 0; i + 1 < SAMPLES; i++) {
    const ofLength = (0.5 * (ofMass[i] + ofMass[i + 1])) / root;
    for (let axis = 0; axis < 2; axis++) {
      const unit = (places[2 * i + 2 + axis] - places[2 * i + axis]) / lengths[i];
      ofPlace[2 * i + 2 + axis] += ofLength * unit;
      ofPlace[2 * i + axis] -= ofLength * unit;
    }
  }
  const matrix = curve(POINTS, SAMPLES);
  const points = new Float64Array(2 * POINTS);
  for (let sample = 0; sample < SAMPLES; sample++) {
    for (let i = 0; i < 2 * POINTS; i++) {
      points[i] += side * ofPlace[2 * sample + (i % 2)] * matrix[sample * POINTS + (i >> 1)];
    }
  }
  let ofWidth = ((ofPen + ofSigma * SIGMA) * width * side * side) / pen;
  if (less < 1) ofWidth += shortenedSlopes(points, held, middle, less, width);
  return {points, width: ofWidth, present: ofPresent};
}

// Changes slopes of shortened points to those of points before; returns those of the width.
function shortenedSlopes(points, held, middle, less, width) {
  let ofLess = 0;
  const sums = [0, 0];
  points.forEach((each, i) => {
    ofLess += each * (held[i] - middle[i % 2]);
    sums[i % 2] += each;
  });
  points.forEach((each, i) => (points[i] = less * each + ((1 - less) * sums[i % 2]) / POINTS));
  return (ofLess * less) / width;
}

function latentSlopes(pen, drawing, ofStrokes) {
  const {hidden, turns, strokes, widths, common, pressures} = drawing;
  const ofNumbers = new Float64Array(strokes.length * NUMBERS);
  const ofTurns = new Float64Array(4);
  let ofMean = 0;
  strokes.forEach((stroke, i) => {
    const own = ofNumbers.subarray(i * NUMBERS, (i + 1) * NUMBERS);
    ofStroke(stroke, ofStrokes[i], turns, own, ofTurns);
    const ofLog = ofStrokes[i].width * widths[i];
    const ofPressure = ofLog * PRESSURE * (1 - pressures[i] ** 2);
    own[WIDTH_AT] = ofPressure;
    ofMean += 2 * ofLog * WIDTH_RANGE * (1 - common ** 2) - ofPressure;
  });
  for (let i = 0; i < strokes.length; i++)
    ofNumbers[i * NUMBERS + WIDTH_AT] += ofMean / strokes.length;
  const ofPose = ofTurns.map((each, i) => each * (1 - turns[i] ** 2));
  let slopes = backwards(pen.stroke, ofNumbers);
  backwards(pen.pose, ofPose).forEach((each, i) => (slopes[i] += each));
  for (let i = pen.trunk.hidden.length; i > 0; i--) {
    hidden[i].forEach((each, j) => (slopes[j] *= each < 0 ? LEAK : 1));
    slopes = backwards(pen.trunk.hidden[i - 1], slopes);
  }
  return slopes.subarray(0, pen.latentSize);
}

// From the slopes of a stroke's points to those of its numbers, and of the drawing's turn.
function ofStroke(stroke, {points: ofPosed, present: ofPresent}, turns, own, ofTurns) {
  const {middle, sized, size, offsets, rms, points, posed, odds} = stroke;
  const [across, down] = turned(turns);
  const ofPoints = new Float64Array(2 * POINTS);
  for (let i = 0; i < 2 * POINTS; i += 2) {
    const [gx, gy] = [i, i + 1].map((j) => (posed[j] > 0 && posed[j] < 1 ? ofPosed[j] : 0));
    const [x, y] = [points[i], points[i + 1]];
    const [u, v] = [across * x - down * y, down * x + across * y];
    ofPoints[i] = across * gx + down * gy;
    ofPoints[i + 1] = across * gy - down * gx;
    ofTurns[0] += TURN * (gy * u - gx * v);
    ofTurns[1] += GROWTH * (gx * u + gy * v);
    ofTurns[2] += SHIFT * gx;
    ofTurns[3] += SHIFT * gy;
  }
  const sums = [0, 0];
  let ofSize = 0;
  ofPoints.forEach((each, i) => {
    sums[i % 2] += each;
    ofSize += (each * offsets[i]) / rms;
  });
  own[0] = 0.5 * sums[0] * (1 - middle[0] ** 2);
  own[1] = 0.5 * sums[1] * (1 - middle[1] ** 2);
  own[SIZE_AT] = ofSize * size * SIZE_RANGE * (1 - sized ** 2);
  const ofOffsets = ofPoints.map((each, i) => {
    return (size / rms) * (each - (offsets[i] * ofSize) / (POINTS * rms));
  });
  const means = [0, 0];
  ofOffsets.forEach((each, i) => (means[i % 2] += each / POINTS));
  ofOffsets.forEach((each, i) => (own[OFFSETS_AT + i] = each - means[i % 2]));
  own[PRESENT_AT] = ofPresent * 2 * odds * (1 - odds);
}

// Slopes of a dense layer's inputs of those of its outputs.
function backwards({kernel}, ofOutputs) {
  const [size, count] = kernel.shape;
  const weights = kernel.values;
  const found = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    let sum = 0;
    for (let j = 0, at = i * count; j < count; j++, at++) sum += weights[at] * ofOutputs[j];
    found[i] = sum;
  }
  return found;
}
