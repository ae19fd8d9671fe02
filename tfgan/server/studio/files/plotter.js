// Centre lines for a pen plotter, as tfgan/forms/drawing/plotter.py has them: each once, in an order
// that travels little, in millimetres.

import {attribute, madeBy} from './provenance.js';
import {lines, metadata, onPaper, short} from './svg.js';

const FINE = 64; // places along a Bézier: closer together than any pen is wide
const PEN_MM = 0.3; // of the lines as a screen shows them
const MOST_ROUNDS = 50; // of making a way shorter
const TOO_LIGHT = 230; // a level that paper does not show: a black pen is taken
const LUMA = [0.299, 0.587, 0.114];
const NEAR = 1e-6; // millimetres: a way that is shorter by less is not
const NAMESPACES =
  'xmlns="http://www.w3.org/2000/svg" xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape"';

// An SVG file of a picture on paper, with a layer for each colour of pen.
export function plotterSvg(picture, paper, recipe) {
  if (picture.parts.some(({drawing}) => drawing.image))
    throw new TypeError('pixels have no strokes to plot');
  const page = onPaper(picture, paper);
  const placed = picture.parts
    .flatMap((part) => once(lines(part)))
    .map((line) => ({
      places: line.places.map(([x, y]) => [page.x + page.scale * x, page.y + page.scale * y]),
      colour: pen(line.colour),
    }));
  const colours = [...new Set(placed.map(({colour}) => colour))].sort();
  const layers = colours.map((colour, i) => {
    const paths = ordered(placed.filter((line) => line.colour === colour)).map(({places}) => {
      const [first, ...others] = places.map(([x, y]) => `${x.toFixed(2)} ${y.toFixed(2)}`);
      return `<path d="M${first}C${others.join(' ')}"/>\n`;
    });
    return `<g inkscape:groupmode="layer" id="layer${i + 1}" inkscape:label="${attribute(colour)}" stroke="${attribute(
      colour,
    )}">\n${paths.join('')}</g>\n`;
  });
  const [width, height] = [short(page.width), short(page.height)];
  return `<svg ${NAMESPACES} width="${width}mm" height="${height}mm" viewBox="0 0 ${width} ${height}" fill="none"\
 stroke-width="${PEN_MM}" stroke-linecap="round">\n${layers.join('')}${metadata(
   madeBy(recipe, picture, {plotter: true, paper}),
 )}</svg>\n`;
}

function pen(colour) {
  const level = LUMA.reduce(
    (sum, share, i) => sum + share * parseInt(colour.slice(1 + 2 * i, 3 + 2 * i), 16),
    0,
  );
  return level > TOO_LIGHT ? '#000000' : colour;
}

// Strokes without those that longer ones of their colour cover: all within half a width.
export function once(strokes) {
  const places = strokes.map(({places}) => polyline(places));
  const lengths = places.map(length);
  const order = strokes.map((_, i) => i).sort((a, b) => lengths[b] - lengths[a] || a - b);
  const kept = [];
  for (const i of order) {
    const alike = kept
      .filter((k) => strokes[k].colour === strokes[i].colour)
      .flatMap((k) => places[k]);
    if (!alike.length || !isCovered(places[i], alike, strokes[i].width / 2)) kept.push(i);
  }
  return kept.sort((a, b) => a - b).map((i) => strokes[i]);
}

function isCovered(places, others, distance) {
  return places.every((place) => others.some((other) => apart(place, other) <= distance));
}

const apart = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);

function length(places) {
  return places.slice(1).reduce((sum, place, i) => sum + apart(place, places[i]), 0);
}

// Places along cubic Béziers end to end.
function polyline(ends) {
  const found = [];
  for (let i = 0; i + 3 < ends.length; i += 3) {
    for (let step = 0; step < FINE; step++) {
      const t = step / FINE;
      const weights = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t ** 2 * (1 - t), t ** 3];
      found.push(
        [0, 1].map((axis) => weights.reduce((sum, each, k) => sum + each * ends[i + k][axis], 0)),
      );
    }
  }
  return [...found, ends.at(-1)];
}

// Strokes in an order, and each the way round, in which a pen travels little in the air. It comes
// from the first corner and goes to the nearest end each time; then parts of its way are turned
// round while that makes it shorter (2-opt).
export function ordered(strokes) {
  const way = nearest(strokes);
  shorten(way);
  return way.map(({line, isTurned}) =>
    isTurned ? {...line, places: [...line.places].reverse()} : line,
  );
}

const CORNER = [0, 0];
const start = ({line, isTurned}) => (isTurned ? line.places.at(-1) : line.places[0]);
const stop = ({line, isTurned}) => (isTurned ? line.places[0] : line.places.at(-1));

function nearest(strokes) {
  const [left, way] = [new Set(strokes), []];
  let at = CORNER;
  while (left.size) {
    let best = null;
    for (const line of left) {
      for (const isTurned of [false, true]) {
        const far = apart(at, start({line, isTurned}));
        if (!best || far < best.far) best = {line, isTurned, far};
      }
    }
    left.delete(best.line);
    way.push({line: best.line, isTurned: best.isTurned});
    at = stop(best);
  }
  return way;
}

function shorten(way) {
  for (let round = 0, found = true; found && round < MOST_ROUNDS; round++) {
    found = false;
    for (let first = 0; first < way.length; first++) {
      const [last, gain] = bestTurn(way, first);
      if (gain <= NEAR) continue;
      const turned = way
        .slice(first, last + 1)
        .reverse()
        .map(({line, isTurned}) => ({line, isTurned: !isTurned}));
      way.splice(first, turned.length, ...turned);
      found = true;
    }
  }
}

// To which stroke a part of the way from `first` is best turned round, and how much shorter that is.
function bestTurn(way, first) {
  const before = first ? stop(way[first - 1]) : CORNER;
  const from = apart(before, start(way[first]));
  let [best, most] = [first, -Infinity];
  for (let last = first; last < way.length; last++) {
    const next = way[last + 1];
    const after = next
      ? apart(stop(way[last]), start(next)) - apart(start(way[first]), start(next))
      : 0;
    const gain = from - apart(before, stop(way[last])) + after;
    if (gain > most) [best, most] = [last, gain];
  }
  return [best, most];
}

// How far a pen goes in the air from stroke to stroke.
export function travel(strokes) {
  return strokes
    .slice(1)
    .reduce((sum, line, i) => sum + apart(strokes[i].places.at(-1), line.places[0]), 0);
}
