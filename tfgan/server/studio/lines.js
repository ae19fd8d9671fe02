// Lines on a page whose longer side is 1: curves through points, simplified, cut, moved.
// A line is {points: [[x, y]...], width, straight}: a curve through its points, or straight between.

const SAMPLES = 8; // of a curve between two of its points, where it is cut
const SHARP = 0.6; // radians: a line that turns so much at a point has a corner there
const CORNER = 0.004; // of the page: how far from a corner a curve is straight again
const UNEVEN = 3; // times as far apart as the points beside them two points may be
const NEAR = 0.0015; // of the page: a point that is no further from a simpler line is left out

// The path through a line's points as SVG data, in `units` to the page's longer side.
export function pathOf({points, straight}, units = 1) {
  const place = ([x, y]) => `${rounded(units * x)} ${rounded(units * y)}`;
  if (points.length === 1) return `M${place(points[0])}l0 0`;
  if (straight) return `M${points.map(place).join('L')}`;
  const pieces = beziers(points).map((piece) => piece.slice(1).map(place).join(' '));
  return `M${place(points[0])}C${pieces.join(' ')}`;
}

// The cubic Béziers of the Catmull-Rom curve through points; straight beyond its ends.
function beziers(points) {
  const last = points.length - 1;
  const beyond = (end, next) => [2 * end[0] - next[0], 2 * end[1] - next[1]];
  const around = [beyond(points[0], points[1]), ...points, beyond(points[last], points[last - 1])];
  const slope = (i, axis) => (around[i + 2][axis] - around[i][axis]) / 6;
  return points.slice(1).map((to, i) => {
    const from = points[i];
    const first = [from[0] + slope(i, 0), from[1] + slope(i, 1)];
    return [from, first, [to[0] - slope(i + 1, 0), to[1] - slope(i + 1, 1)], to];
  });
}

// Places along a line, close enough together to cut it between them.
export function sampled({points, straight}, apart = NEAR) {
  if (points.length === 1) return points;
  const places = [points[0]];
  const pieces = straight ? points.slice(1).map((to, i) => [points[i], to]) : beziers(points);
  for (const piece of pieces) {
    const count = Math.max(SAMPLES, Math.ceil(distance(piece[0], piece.at(-1)) / apart));
    for (let i = 1; i <= count; i++) places.push(along(piece, i / count));
  }
  return places;
}

function along(piece, share) {
  const rest = 1 - share;
  const weights =
    piece.length === 2
      ? [rest, share]
      : [rest ** 3, 3 * rest ** 2 * share, 3 * rest * share ** 2, share ** 3];
  return [0, 1].map((axis) => piece.reduce((sum, each, i) => sum + weights[i] * each[axis], 0));
}

// Fewer points that say the same (Douglas and Peucker 1973).
export function simplified(points, near = NEAR) {
  if (points.length < 3) return points;
  const last = points.length - 1;
  let [furthest, most] = [0, -1];
  for (let i = 1; i < last; i++) {
    const far = fromPiece(points[i], points[0], points[last]);
    if (far > most) [furthest, most] = [i, far];
  }
  if (most <= near) return [points[0], points[last]];
  const first = simplified(points.slice(0, furthest + 1), near);
  return [...first.slice(0, -1), ...simplified(points.slice(furthest), near)];
}

// A line as a hand drew it, in few points of a curve: corners stay sharp.
export function handDrawn(points) {
  const few = simplified(points);
  return evened(
    few.flatMap((point, i) => {
      const [before, after] = [few[i - 1], few[i + 1]];
      if (!before || !after || turnAt(before, point, after) < SHARP) return [point];
      return [towards(point, before, CORNER), point, towards(point, after, CORNER)];
    }),
  );
}

// Points of which no two are many times as far apart as those beside them: else their curve would
// go beyond them.
function evened(points) {
  const found = [points[0]];
  points.slice(1).forEach((to, i) => {
    const from = points[i];
    const [before, after] = [points[i - 1], points[i + 2]];
    const middle = distance(from, to) / 2;
    const ends = [];
    const first = (apart) => Math.max(CORNER, UNEVEN * apart); // Two points may be in one place.
    for (
      let far = before ? first(distance(before, from)) : middle;
      far < middle;
      far *= 1 + UNEVEN
    ) {
      found.push(towards(from, to, far));
    }
    for (let far = after ? first(distance(to, after)) : middle; far < middle; far *= 1 + UNEVEN) {
      ends.unshift(towards(to, from, far));
    }
    found.push(...ends, to);
  });
  return found;
}

function turnAt(before, [x, y], after) {
  const angle = Math.atan2(after[1] - y, after[0] - x) - Math.atan2(y - before[1], x - before[0]);
  return Math.abs(Math.atan2(Math.sin(angle), Math.cos(angle)));
}

// A point a little way from one to another.
function towards(point, other, far) {
  const share = Math.min(1 / 2, far / Math.max(distance(point, other), far));
  return point.map((each, axis) => each + share * (other[axis] - each));
}

// Whether a place is under a line: no further from it than half its width.
export function isUnder(place, line) {
  return line.places.some((each, i) => {
    return fromPiece(place, line.places[Math.max(i - 1, 0)], each) <= line.width / 2;
  });
}

// A line with the places along it, by which others are cut.
export function asCutter(line) {
  return {width: line.width, places: sampled(line, line.width / 8)};
}

// The parts of a line whose places `stays` says; the line itself if all do.
export function cut(line, stays) {
  const places = sampled(line);
  const stay = places.map(stays);
  if (stay.every(Boolean)) return [line];
  const parts = [];
  places.forEach((place, i) => {
    if (stay[i] && stay[i - 1]) parts.at(-1).push(place);
    else if (stay[i]) parts.push([place]);
  });
  const fewer = line.straight ? simplified : handDrawn;
  return parts.map((points) => ({...line, points: fewer(points)}));
}

// A line whose places (x, y) come to where `move` says, and which is so many times as wide.
export function moved(line, move, wider = 1) {
  return {...line, points: line.points.map(move), width: wider * line.width};
}

// Straight lines in pieces of two points, for what knows curves alone.
export function asCurves(line) {
  if (!line.straight || line.points.length < 3) return [line];
  return line.points.slice(1).map((to, i) => ({...line, points: [line.points[i], to]}));
}

// Left, top, right and bottom of lines, with their width; null without any.
export function boundsOf(lines) {
  if (!lines.length) return null;
  const found = [Infinity, Infinity, -Infinity, -Infinity];
  for (const line of lines) {
    for (const [x, y] of sampled(line, 0.01)) {
      const half = line.width / 2;
      found[0] = Math.min(found[0], x - half);
      found[1] = Math.min(found[1], y - half);
      found[2] = Math.max(found[2], x + half);
      found[3] = Math.max(found[3], y + half);
    }
  }
  return found;
}

// How far a place is from the straight piece between two others.
export function fromPiece([x, y], [fromX, fromY], [toX, toY]) {
  const [across, down] = [toX - fromX, toY - fromY];
  const square = across ** 2 + down ** 2;
  const share = square ? ((x - fromX) * across + (y - fromY) * down) / square : 0;
  const within = Math.min(Math.max(share, 0), 1);
  return Math.hypot(x - fromX - within * across, y - fromY - within * down);
}

export function distance([x, y], [u, v]) {
  return Math.hypot(x - u, y - v);
}

function rounded(value) {
  return Math.round(value * 100) / 100;
}
