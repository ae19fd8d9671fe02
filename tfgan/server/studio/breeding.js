// New drawings from others: children of several, and variations of one of which parts are kept.

import {fold, mixed, uniform, varied} from './engine/latents.js';
import {itemOfLatents} from './items.js';

const CHILDREN = 12;
const NEARNESS = 0.25; // of a child to the mean of its parents: 0 is the mean, 1 anywhere
const VARIED = 0.35; // of a variation to what is varied, if nothing is kept
const KEPT_VARIED = 0.6; // and if something is
const CANDIDATES = 96; // of which those are shown whose strokes are most like the kept ones

// Drawings near the mean of items on the sphere, each with the label of one of them.
export function children(model, parents, seed) {
  const latents = parents.map((item) => model.itemLatents(item));
  return Array.from({length: CHILDREN}, (_, i) => {
    const own = fold(BigInt(seed), i);
    const shares = parents.map((_, j) => 0.5 + uniform(fold(own, j)));
    const mean = mixed(
      latents,
      shares.map((share) => share / sum(shares)),
    );
    const label = parents[i % parents.length].label;
    return itemOfLatents(varied(mean, NEARNESS, own), label, slidersOf(parents));
  });
}

// What sliders of several items say on average.
function slidersOf(items) {
  const names = new Set(items.flatMap(({sliders}) => Object.keys(sliders ?? {})));
  if (!names.size) return {};
  const mean = (name) => sum(items.map(({sliders}) => sliders?.[name] ?? 0)) / items.length;
  return {sliders: Object.fromEntries([...names].map((name) => [name, mean(name)]))};
}

// Variations of an item that keep its strokes of these indices.
export function variations(model, item, wanted, seed) {
  const latents = model.itemLatents(item);
  const sliders = item.sliders ? {sliders: item.sliders} : {};
  const {id, sliders: _, ...of} = item;
  const own = model.isPen ? strokesByIndex(model.itemDrawing({id, ...of})) : new Map();
  const kept = wanted.filter((index) => own.has(index));
  if (!kept.length) {
    return Array.from({length: CHILDREN}, (_, i) => {
      return itemOfLatents(varied(latents, VARIED, fold(BigInt(seed), i)), item.label, sliders);
    });
  }
  const strokes = kept.map((index) => own.get(index));
  const candidates = Array.from({length: CANDIDATES}, (_, i) => {
    const others = varied(latents, KEPT_VARIED, fold(BigInt(seed), i));
    const drawn = strokesByIndex(model.draw(others, item.label));
    return {others, far: sum(strokes.map((stroke) => distance(stroke, drawn.get(stroke.index))))};
  });
  candidates.sort((a, b) => a.far - b.far);
  return candidates.slice(0, CHILDREN).map(({others}) => {
    return itemOfLatents(others, item.label, {...sliders, kept: {strokes: kept, of: {id, ...of}}});
  });
}

const strokesByIndex = ({strokes}) => new Map(strokes.map((stroke) => [stroke.index, stroke]));
const sum = (numbers) => numbers.reduce((total, each) => total + each, 0);

// How far a stroke is from another, in sides of the page; one that is not there is far.
function distance({points}, other) {
  if (!other) return 1;
  return (
    sum(points.map(([x, y], i) => Math.hypot(x - other.points[i][0], y - other.points[i][1]))) /
    points.length
  );
}
