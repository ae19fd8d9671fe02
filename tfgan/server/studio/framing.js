// A person's own picture as a drawing like a model's, and where on the picture that lies: what
// tfgan/forms/drawing/framing.py does, by the same numbers.

const FINER = 8; // times a drawing's pixels at least: at fewer, lines are stairs
const FAINTEST = 26; // levels, a tenth of all: what differs less from its paper may be none
const NOISE = 4; // times the median faint difference from paper is no ink yet
const FULL = 0.8; // of the median ink counts as full
const FULL_INK = 0.7; // where a drawing's ink counts as full
const STROKE = 0.5; // more ink is part of a stroke
const PAPER_PIXELS = 48; // of the longer side of the picture in which paper is looked for
const SHADOW = 96; // levels, that light may make of a difference between places of a sheet
const REACH = 8; // pixels around a place, of which most are paper
const SPECK = 1 / 10000; // of a picture's area: smaller ink does not tell where a drawing lies
const OPAQUE = 128; // a pixel of less is transparent
const LIKE = [0.8, 1.4]; // times a model's pen: lines of other widths are drawn anew by that
const SEEN = 64; // drawings by which a model's hand is known
const LEAST_INK = 1e-6; // of a drawing, that an empty one has a share too
const LEVELS = 256;

// What is common to a model's drawings: shape, paper and colour [c], pen and box in pixels.
export function handOf(model) {
  const drawings = [];
  for (let seed = 0n; seed < SEEN; seed++) {
    drawings.push(model.pixels(model.draw(model.latentsOf(seed), model.labelOf(seed))));
  }
  return measuredHand(drawings, model.shape);
}

// The same of drawings, each a Uint8Array [h * w * c].
export function measuredHand(drawings, shape) {
  const [height, width, channels] = shape;
  const paper = paperOf(drawings, shape);
  const colours = [];
  const boxes = [];
  const widths = [];
  for (const drawing of drawings) {
    const ink = inkOf(drawing, paper);
    const strokes = above(ink, STROKE);
    const box = boxOf(strokes, width, height);
    if (!box) continue;
    boxes.push(box);
    widths.push(strokeWidth(strokes, width, height));
    ink.forEach((level, i) => {
      if (level > FULL_INK) colours.push(drawing.subarray(i * channels, (i + 1) * channels));
    });
  }
  return {
    shape,
    paper,
    colour: colours.length ? commonest(colours) : paper.map((level) => 255 - level),
    pen: widths.length ? median(widths) : 1,
    box: boxes.length
      ? [0, 1, 2, 3].map((i) => median(boxes.map((box) => box[i])))
      : [0, 0, width, height],
  };
}

// A picture as a drawing like a model's: cropped to its ink, as large as the model draws, in its
// paper, ink and width of pen.
//
// `picture` is {data: RGBA, width, height}; `mask` says with 1 where it is to be drawn, as does what
// of a sheet of paper is transparent. Returns {image: Uint8Array, known: Float32Array, paper,
// colour: '#rrggbb' of the picture, place: {left, top, scale}, pen, width, height}: a pixel of the
// model lies `scale` of the picture's from (left, top), and the person's lines are `pen` times as
// wide as the model's there. Throws an Error that says so for a picture without ink.
export function framed(picture, hand, mask = null) {
  const {width, height} = picture;
  const {pixels, hidden} = opaque(picture);
  if (mask) mask.forEach((each, i) => (hidden[i] |= each));
  const found = foundInk(pixels, hidden, width, height);
  const more = {paper: hexadecimal(found.paper), colour: hexadecimal(found.colour), width, height};
  const [high, wide] = hand.shape;
  if (width === wide && height === high && !differ(found.paper, hand.paper)) {
    const known = Float32Array.from(hidden, (each) => 1 - each);
    const image = inChannels(pixels, hand.shape[2]); // It is one of the model's own already.
    return {image, known, place: {left: 0, top: 0, scale: 1}, pen: 1, ...more};
  }
  const place = placeOf(found.ink, width, height, hand);
  const canvas = onCanvas(found.ink, width, height, place, hand);
  const pen = widened(canvas, hand);
  const page = onPage(canvas, hand);
  const channels = hand.shape[2];
  const image = new Uint8Array(page.length * channels);
  page.forEach((share, i) => {
    for (let c = 0; c < channels; c++) {
      image[i * channels + c] = Math.round(
        hand.paper[c] + share * (hand.colour[c] - hand.paper[c]),
      );
    }
  });
  const gone = onPage(onCanvas(Float32Array.from(hidden), width, height, place, hand), hand);
  const known = gone.map((share) => (share < 0.5 ? 1 : 0));
  return {image, known, place, pen, ...more};
}

// The colours of a picture's paper and ink, and whether parts of it are transparent as holes are.
export function coloursOf(picture) {
  const {pixels, hidden} = opaque(picture);
  const {paper, colour} = foundInk(pixels, hidden, picture.width, picture.height);
  return {paper: hexadecimal(paper), colour: hexadecimal(colour), isTorn: hidden.some(Boolean)};
}

// The intersection over union of ink, where it is known, of what was given and another image.
export function likeness(own, image, hand) {
  const first = inkOf(own.image, hand.paper);
  const second = inkOf(image, hand.paper);
  let both = 0;
  let either = 0;
  own.known.forEach((known, i) => {
    both += known * Math.min(first[i], second[i]);
    either += known * Math.max(first[i], second[i]);
  });
  return both / Math.max(either, LEAST_INK);
}

// From a place on the model's page to the same on the picture's; both have 1 as longer side.
export function onPicture(own, shape) {
  const [height, width] = shape;
  const side = Math.max(height, width);
  const page = Math.max(own.width, own.height);
  const {left, top, scale} = own.place;
  return {
    x: (left + (scale * (width - side)) / 2 - own.width / 2) / page + 0.5,
    y: (top + (scale * (height - side)) / 2 - own.height / 2) / page + 0.5,
    scale: (scale * side) / page,
    pen: own.pen,
  };
}

// Ink float32 in 0..1 of an image: how far each pixel is from the paper [c].
export function inkOf(image, paper) {
  const channels = paper.length;
  const furthest = Math.max(...paper.map((level) => Math.max(level, 255 - level)));
  const ink = new Float32Array(image.length / channels);
  for (let i = 0; i < ink.length; i++) {
    let most = 0;
    for (let c = 0; c < channels; c++) {
      most = Math.max(most, Math.abs(image[i * channels + c] - paper[c]));
    }
    ink[i] = most / furthest;
  }
  return ink;
}

// The commonest border colour of drawings.
function paperOf(drawings, [height, width, channels]) {
  const border = [];
  for (const drawing of drawings) {
    for (const i of borderOf(width, height)) {
      border.push(drawing.subarray(i * channels, (i + 1) * channels));
    }
  }
  return commonest(border);
}

function borderOf(width, height) {
  const places = [];
  for (let x = 0; x < width; x++) places.push(x, (height - 1) * width + x);
  for (let y = 1; y < height - 1; y++) places.push(y * width, y * width + width - 1);
  return places;
}

// The commonest of colours, each a list of levels.
function commonest(colours) {
  const counts = new Map();
  for (const colour of colours) {
    const key = colour.reduce((sum, level) => sum * LEVELS + level, 0);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  let [best, most] = [0, -1];
  for (const [key, count] of counts) if (count > most) [best, most] = [key, count];
  return Array.from(colours[0], (_, c) => {
    return Math.floor(best / LEVELS ** (colours[0].length - 1 - c)) % LEVELS;
  });
}

function colourAt(pixels, i) {
  return [pixels[3 * i], pixels[3 * i + 1], pixels[3 * i + 2]];
}

// A picture without transparency, RGB, and holes in its paper. Where what is not transparent is of
// one colour, it is ink and paper is all the rest.
function opaque({data, width, height}) {
  const count = width * height;
  const there = [];
  for (let i = 0; i < count; i++) if (data[4 * i + 3] >= OPAQUE) there.push(i);
  const at = (i) => [data[4 * i], data[4 * i + 1], data[4 * i + 2]];
  const all = there.length === count;
  const ofInk =
    !all &&
    [0, 1, 2].every((c) => {
      let [least, most] = [255, 0];
      for (const i of there) {
        least = Math.min(least, data[4 * i + c]);
        most = Math.max(most, data[4 * i + c]);
      }
      return most - least < 2 * FAINTEST;
    });
  let paper = [255, 255, 255];
  if (ofInk) {
    const sum = there.reduce((total, i) => total + at(i).reduce((a, b) => a + b), 0);
    if (there.length && sum / (3 * there.length) > OPAQUE) paper = [0, 0, 0];
  } else if (!all) {
    paper = commonest(there.map(at));
  }
  const pixels = new Uint8Array(3 * count);
  const hidden = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const share = data[4 * i + 3] / 255;
    hidden[i] = !ofInk && data[4 * i + 3] < OPAQUE ? 1 : 0;
    for (let c = 0; c < 3; c++) {
      const level = paper[c] + share * (data[4 * i + c] - paper[c]);
      pixels[3 * i + c] = hidden[i] ? paper[c] : Math.round(level);
    }
  }
  return {pixels, hidden};
}

// The ink of a picture, float32 in 0..1, its colour and its paper's.
function foundInk(pixels, hidden, width, height) {
  const paper = paperEverywhere(pixels, hidden, width, height);
  const apart = new Float32Array(width * height);
  for (let i = 0; i < apart.length; i++) {
    if (hidden[i]) continue;
    for (let c = 0; c < 3; c++) {
      apart[i] = Math.max(apart[i], Math.abs(pixels[3 * i + c] - paper[3 * i + c]));
    }
  }
  const known = apart.filter((_, i) => !hidden[i]);
  const most = known.reduce((a, b) => Math.max(a, b), 0);
  if (most < FAINTEST) throw new Error('it has no ink');
  const faint = known.filter((each) => each < most / 2);
  const least = Math.max(FAINTEST / 4, NOISE * (faint.length ? median(faint) : 0));
  const full = FULL * median(known.filter((each) => each > most / 2));
  if (full <= least) throw new Error('its ink cannot be told from its paper');
  const ink = apart.map((each) => Math.min(Math.max((each - least) / (full - least), 0), 1));
  const sheets = [];
  const colours = [];
  for (let i = 0; i < ink.length; i++) {
    if (!hidden[i]) sheets.push(colourAt(paper, i).map(Math.round));
    if (ink[i] > FULL_INK) colours.push(colourAt(pixels, i));
  }
  return {ink, colour: commonest(colours), paper: commonest(sheets)};
}

// A picture as it would be without ink: photographs are lit unevenly.
function paperEverywhere(pixels, hidden, width, height) {
  if (hidden.every(Boolean)) throw new Error('all of it is hidden');
  const times = Math.max(1, Math.ceil(Math.max(width, height) / PAPER_PIXELS));
  const small = reduced(pixels, hidden, width, height, times);
  const even = new Uint8Array(small.pixels.length);
  for (let c = 0; c < 3; c++) medians(small, c, even);
  const border = borderOf(small.width, small.height).map((i) => colourAt(small.pixels, i));
  const sheet = commonest(border);
  for (let i = 0; i < small.width * small.height; i++) {
    const apart = Math.max(...sheet.map((level, c) => Math.abs(even[3 * i + c] - level)));
    // There is an area of ink, where most is.
    if (apart > SHADOW) sheet.forEach((level, c) => (even[3 * i + c] = level));
  }
  return enlarged({...small, pixels: even}, width, height);
}

// A picture whose sides are divided by a whole number; what is hidden is as what is near it.
function reduced(pixels, hidden, width, height, times) {
  const [wide, high] = [Math.ceil(width / times), Math.ceil(height / times)];
  const sums = new Float64Array(4 * wide * high);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      if (hidden[i]) continue;
      const j = 4 * (Math.floor(y / times) * wide + Math.floor(x / times));
      for (let c = 0; c < 3; c++) sums[j + c] += pixels[3 * i + c];
      sums[j + 3] += 1;
    }
  }
  filledIn(sums, wide, high);
  const found = new Uint8Array(3 * wide * high);
  for (let i = 0; i < wide * high; i++) {
    for (let c = 0; c < 3; c++) found[3 * i + c] = Math.round(sums[4 * i + c] / sums[4 * i + 3]);
  }
  return {pixels: found, width: wide, height: high};
}

// Gives places that have no sum that of a neighbour, until all have one.
function filledIn(sums, width, height) {
  let left = true;
  while (left) {
    left = false;
    const before = sums.slice();
    for (let i = 0; i < width * height; i++) {
      if (before[4 * i + 3]) continue;
      const [x, y] = [i % width, Math.floor(i / width)];
      const near = [
        [x - 1, y],
        [x + 1, y],
        [x, y - 1],
        [x, y + 1],
      ].find(([u, v]) => {
        return u >= 0 && v >= 0 && u < width && v < height && before[4 * (v * width + u) + 3];
      });
      if (!near) left = true;
      else
        for (let c = 0; c < 4; c++) sums[4 * i + c] = before[4 * (near[1] * width + near[0]) + c];
    }
  }
}

// The medians of one channel around each place.
function medians({pixels, width, height}, c, found) {
  const half = ((2 * REACH + 1) ** 2 - 1) / 2;
  const counts = new Uint16Array(LEVELS);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      counts.fill(0);
      for (let dy = -REACH; dy <= REACH; dy++) {
        const row = Math.min(Math.max(y + dy, 0), height - 1) * width;
        for (let dx = -REACH; dx <= REACH; dx++) {
          const column = Math.min(Math.max(x + dx, 0), width - 1);
          counts[pixels[3 * (row + column) + c]] += 1;
        }
      }
      let level = 0;
      for (let seen = counts[0]; seen <= half; seen += counts[level]) level += 1;
      found[3 * (y * width + x) + c] = level;
    }
  }
}

function enlarged({pixels, width, height}, wide, high) {
  const found = new Float32Array(3 * wide * high);
  for (let y = 0; y < high; y++) {
    const [y0, y1, down] = around(((y + 0.5) * height) / high - 0.5, height);
    for (let x = 0; x < wide; x++) {
      const [x0, x1, across] = around(((x + 0.5) * width) / wide - 0.5, width);
      for (let c = 0; c < 3; c++) {
        const at = (u, v) => pixels[3 * (v * width + u) + c];
        const top = at(x0, y0) + across * (at(x1, y0) - at(x0, y0));
        const bottom = at(x0, y1) + across * (at(x1, y1) - at(x0, y1));
        found[3 * (y * wide + x) + c] = top + down * (bottom - top);
      }
    }
  }
  return found;
}

function around(place, side) {
  const within = Math.min(Math.max(place, 0), side - 1);
  const first = Math.floor(within);
  return [first, Math.min(first + 1, side - 1), within - first];
}

// Where the page lies if what is drawn is as large, and where, as the model's drawings are. Lines
// are compared by their middles, for they may be wider or not as wide.
function placeOf(ink, width, height, hand) {
  const strokes = above(ink, STROKE);
  const large = largeParts(strokes, width, height, SPECK * ink.length);
  const box = boxOf(large, width, height) ?? boxOf(above(ink, 0), width, height);
  const own = middleAndSides(box, strokeWidth(strokes, width, height) || 1);
  const models = middleAndSides(hand.box, hand.pen);
  const scale = Math.max(own.sides[0] / models.sides[0], own.sides[1] / models.sides[1]);
  return {left: own.x - scale * models.x, top: own.y - scale * models.y, scale};
}

function middleAndSides([left, top, right, bottom], width) {
  const sides = [right - left, bottom - top].map((side) => Math.max(side - width, side / 2));
  return {x: (left + right) / 2, y: (top + bottom) / 2, sides};
}

function above(levels, least) {
  return Uint8Array.from(levels, (level) => (level > least ? 1 : 0));
}

// Left, top, right and bottom of what is 1, null if nothing is.
function boxOf(strokes, width, height) {
  let [left, top, right, bottom] = [width, height, 0, 0];
  strokes.forEach((each, i) => {
    if (!each) return;
    const [x, y] = [i % width, Math.floor(i / width)];
    [left, top] = [Math.min(left, x), Math.min(top, y)];
    [right, bottom] = [Math.max(right, x + 1), Math.max(bottom, y + 1)];
  });
  return right ? [left, top, right, bottom] : null;
}

// What is 1 and touches, at edge or corner, more than so many pixels that are 1.
function largeParts(strokes, width, height, least) {
  const found = new Uint8Array(strokes.length);
  const seen = new Uint8Array(strokes.length);
  for (let start = 0; start < strokes.length; start++) {
    if (!strokes[start] || seen[start]) continue;
    const part = [start];
    seen[start] = 1;
    for (let next = 0; next < part.length; next++) {
      const [x, y] = [part[next] % width, Math.floor(part[next] / width)];
      for (let v = Math.max(y - 1, 0); v <= Math.min(y + 1, height - 1); v++) {
        for (let u = Math.max(x - 1, 0); u <= Math.min(x + 1, width - 1); u++) {
          const i = v * width + u;
          if (!strokes[i] || seen[i]) continue;
          seen[i] = 1;
          part.push(i);
        }
      }
    }
    if (part.length > least) for (const i of part) found[i] = 1;
  }
  return found;
}

// The width of the bar that has a drawing's area and perimeter, NaN without strokes. Outlines cut
// every corner (marching squares); tfgan/forms/drawing/ink.py has the reasons.
function strokeWidth(strokes, width, height) {
  const at = (x, y) => (x < 0 || y < 0 || x >= width || y >= height ? 0 : strokes[y * width + x]);
  let [corners, straight, area] = [0, 0, 0];
  for (let y = -1; y < height; y++) {
    for (let x = -1; x < width; x++) {
      const [a, b, c, d] = [at(x, y), at(x + 1, y), at(x, y + 1), at(x + 1, y + 1)];
      area += a;
      const inked = a + b + c + d;
      if (inked & 1) corners += 1;
      else if (inked === 2 && a === d) corners += 2;
      else if (inked === 2) straight += 1;
    }
  }
  if (!area) return NaN;
  const quarter = (corners * Math.SQRT1_2 + straight) / 4;
  return quarter - Math.sqrt(Math.max(quarter ** 2 - area, 0));
}

// Levels of a picture on a page of many times the model's pixels, as finely: {levels, ...}.
function onCanvas(levels, width, height, place, hand) {
  const finer = Math.max(FINER, Math.ceil(place.scale));
  const [high, wide] = [finer * hand.shape[0], finer * hand.shape[1]];
  const step = place.scale / finer;
  const found = new Float32Array(wide * high);
  const at = (x, y) => (x < 0 || y < 0 || x >= width || y >= height ? 0 : levels[y * width + x]);
  for (let y = 0; y < high; y++) {
    const v = place.top + step * (y + 0.5) - 0.5;
    for (let x = 0; x < wide; x++) {
      const u = place.left + step * (x + 0.5) - 0.5;
      const [u0, v0] = [Math.floor(u), Math.floor(v)];
      const [across, down] = [u - u0, v - v0];
      const top = at(u0, v0) * (1 - across) + at(u0 + 1, v0) * across;
      const bottom = at(u0, v0 + 1) * (1 - across) + at(u0 + 1, v0 + 1) * across;
      found[y * wide + x] = top * (1 - down) + bottom * down;
    }
  }
  return {levels: found, width: wide, height: high, finer};
}

// Draws a canvas's lines as wide as the model's pen; returns how many times as wide they were.
function widened(canvas, hand) {
  const {width, height, finer} = canvas;
  const strokes = above(canvas.levels, STROKE);
  const wanted = finer * hand.pen;
  const found = strokeWidth(strokes, width, height);
  if (!(found < LIKE[0] * wanted || found > LIKE[1] * wanted)) return 1;
  if (found < wanted) {
    const outside = distances(strokes, width, height);
    canvas.levels = outside.map((each) => (each <= (wanted - found) / 2 ? 1 : 0));
    return found / wanted;
  }
  const inside = distances(
    strokes.map((each) => 1 - each),
    width,
    height,
  );
  const ridge = ridgeOf(inside, strokes, width, height);
  canvas.levels = distances(ridge, width, height).map((each) => (each <= wanted / 2 ? 1 : 0));
  return found / wanted;
}

// Where strokes are further from their edge than all around is.
function ridgeOf(inside, strokes, width, height) {
  return strokes.map((each, i) => {
    if (!each) return 0;
    const [x, y] = [i % width, Math.floor(i / width)];
    for (let v = Math.max(y - 1, 0); v <= Math.min(y + 1, height - 1); v++) {
      for (let u = Math.max(x - 1, 0); u <= Math.min(x + 1, width - 1); u++) {
        if (inside[v * width + u] > inside[i]) return 0;
      }
    }
    return 1;
  });
}

// How far each pixel is from the nearest that is 1 (Felzenszwalb and Huttenlocher 2012).
function distances(marks, width, height) {
  const squares = Float64Array.from(marks, (mark) => (mark ? 0 : Infinity));
  for (let x = 0; x < width; x++) lowerEnvelope(squares, x, width, height);
  for (let y = 0; y < height; y++) lowerEnvelope(squares, y * width, 1, width);
  return Float32Array.from(squares, Math.sqrt);
}

// Of so many values the least of each plus its squared distance, at each place.
function lowerEnvelope(values, start, step, count) {
  const own = Float64Array.from({length: count}, (_, i) => values[start + i * step]);
  const places = [];
  const bounds = [];
  for (let q = 0; q < count; q++) {
    if (own[q] === Infinity) continue;
    let bound = -Infinity;
    while (places.length) {
      const p = places[places.length - 1];
      bound = (own[q] + q * q - own[p] - p * p) / (2 * (q - p));
      if (bound > bounds[bounds.length - 1]) break;
      places.pop();
      bounds.pop();
      bound = -Infinity;
    }
    places.push(q);
    bounds.push(bound);
  }
  for (let q = 0, k = 0; q < count && places.length; q++) {
    while (k + 1 < places.length && bounds[k + 1] < q) k += 1;
    values[start + q * step] = (q - places[k]) ** 2 + own[places[k]];
  }
}

// A canvas averaged to the model's pixels.
function onPage({levels, width, height, finer}, hand) {
  const wide = hand.shape[1];
  const page = new Float32Array(hand.shape[0] * wide);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      page[Math.floor(y / finer) * wide + Math.floor(x / finer)] += levels[y * width + x];
    }
  }
  return page.map((sum) => sum / finer ** 2);
}

function inChannels(pixels, channels) {
  if (channels === 3) return pixels;
  const grey = new Uint8Array(pixels.length / 3);
  return grey.map((_, i) => {
    const [red, green, blue] = colourAt(pixels, i);
    return Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
  });
}

function differ(paper, other) {
  const mean = (colour) => colour.reduce((a, b) => a + b) / colour.length;
  return Math.abs(mean(paper) - mean(other)) > FAINTEST;
}

function hexadecimal(colour) {
  return `#${colour.map((level) => level.toString(16).padStart(2, '0')).join('')}`;
}

function median(values) {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
