// A person's own drawing: lines of a pen, an eraser and of what marks holes, over a picture or none.
//
// It is {lines: [{points, width, tool, straight}], image: null or {url, width, height}, paper, ink}
// on a page whose longer side is 1 and whose middle is (0.5, 0.5).

import {asCutter, boundsOf, cut, isUnder, moved, pathOf} from './lines.js';

export const PEN = 'pen';
export const ERASER = 'eraser';
export const HOLE = 'hole';
export const PAPER = '#ffffff';
export const INK = '#000000';
const SIDE = 512; // pixels of the longer side of a drawing that is looked at by the model
const DRAWN = 128; // levels: more of a mask is a hole

// [height, width] of the page, the longer of them 1: that of the picture, or of the model's drawings.
export function pageOf({image}, shape) {
  const [height, width] = image ? [image.height, image.width] : shape;
  const longer = Math.max(height, width);
  return [height / longer, width / longer];
}

const seen = new WeakMap();

// The lines of the pen that are to be seen: cut where a later eraser went, or a hole is.
//
// What was found for the lines up to each is kept, since most often one more comes to them.
export function visibleLines(lines) {
  let known = lines.findLastIndex((line) => seen.has(line));
  let found = known < 0 ? [] : seen.get(lines[known]);
  for (const line of lines.slice(known + 1)) {
    found = line.tool === PEN ? [...found, line] : erased(found, line);
    seen.set(line, found);
  }
  return found;
}

function erased(lines, eraser) {
  const cutter = asCutter(eraser);
  const [left, top, right, bottom] = boundsOf([eraser]);
  return lines.flatMap((line) => {
    const own = boundsOf([line]);
    const apart = own[0] > right || own[2] < left || own[1] > bottom || own[3] < top;
    return apart ? [line] : cut(line, (place) => !isUnder(place, cutter));
  });
}

export function hasHole({lines, image}) {
  return image?.isTorn || lines.some(({tool}) => tool !== PEN);
}

export function isBlank({lines, image}) {
  return !image && !visibleLines(lines).length;
}

// A drawing as the model is shown it: {picture: ImageData, mask: Uint8Array, 1 where a hole is}.
export async function rasterised(drawing, shape) {
  const {lines, image, paper = PAPER, ink = INK} = drawing;
  const page = pageOf(drawing, shape);
  const times = image && !lines.length ? Math.max(image.width, image.height) : SIDE;
  const [height, width] = page.map((side) => Math.max(1, Math.round(side * times)));
  const pen = context(width, height);
  pen.fillStyle = paper;
  if (image) pen.drawImage(await loaded(image.url), 0, 0, width, height);
  else pen.fillRect(0, 0, width, height);
  const draw = (where, line, colour) => drawLine(where, line, colour, page);
  for (const line of image ? lines : []) if (line.tool !== PEN) draw(pen, line, paper);
  for (const line of visibleLines(lines)) draw(pen, line, ink);
  const hole = context(width, height);
  for (const line of lines) {
    hole.globalCompositeOperation = line.tool === PEN ? 'destination-out' : 'source-over';
    draw(hole, line, '#000000');
  }
  const picture = pen.getImageData(0, 0, width, height);
  const {data} = hole.getImageData(0, 0, width, height);
  const mask = Uint8Array.from({length: width * height}, (_, i) => {
    const isGone = image?.isTorn && picture.data[4 * i + 3] < DRAWN;
    return data[4 * i + 3] > DRAWN || isGone ? 1 : 0;
  });
  return {picture, mask};
}

function context(width, height) {
  const canvas = document.createElement('canvas');
  Object.assign(canvas, {width, height});
  const found = canvas.getContext('2d', {willReadFrequently: true});
  Object.assign(found, {lineCap: 'round', lineJoin: 'round'});
  return found;
}

function drawLine(pen, line, colour, [height, width]) {
  const side = Math.max(pen.canvas.width, pen.canvas.height);
  const place = ([x, y]) => [x - 0.5 + width / 2, y - 0.5 + height / 2];
  pen.strokeStyle = colour;
  pen.lineWidth = line.width * side;
  pen.stroke(new Path2D(pathOf(moved(line, place), side)));
}

export function loaded(url) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => reject(new Error('it cannot be read as a picture'));
    image.src = url;
  });
}

// A model's drawing where a person's own lies on its page, in their paper and ink. `place` is what
// `onPicture` gives. One of pixels is given as its ink, a picture {url, x, y, width, height}.
export function placed(drawing, place, {paper, ink}, page) {
  const more = {paper, shape: page};
  if (!drawing.strokes) return {inked: placedPixels(drawing, place, ink), strokes: [], ...more};
  const strokes = drawing.strokes.map((stroke) => ({
    ...moved(stroke, mover(place), place.scale * place.pen),
    colour: ink,
  }));
  return {strokes, ...more};
}

function mover({x, y, scale}) {
  return ([u, v]) => [x + scale * u, y + scale * v];
}

function placedPixels({image, shape}, {x, y, scale}, ink) {
  const [height, width, channels] = shape;
  const pen = context(width, height);
  const data = pen.createImageData(width, height);
  const paper = image.slice(0, channels);
  const colour = [1, 3, 5].map((at) => parseInt(ink.slice(at, at + 2), 16));
  for (let i = 0; i < width * height; i++) {
    let apart = 0;
    for (let c = 0; c < channels; c++) {
      apart = Math.max(apart, Math.abs(image[i * channels + c] - paper[c]));
    }
    data.data.set([...colour, apart], 4 * i);
  }
  pen.putImageData(data, 0, 0);
  const longer = Math.max(width, height);
  const [wide, high] = [(scale * width) / longer, (scale * height) / longer];
  const left = x + (scale * (1 - width / longer)) / 2;
  const top = y + (scale * (1 - height / longer)) / 2;
  return {url: pen.canvas.toDataURL(), x: left, y: top, width: wide, height: high};
}

// The lines of a drawing with what is hidden drawn in: my own, then those parts of the model's that
// lie in holes.
export function mendedLines(lines, strokes, raster, page) {
  const {width, height} = raster.picture;
  const side = Math.max(width, height);
  const isHidden = ([x, y]) => {
    const [u, v] = [x - 0.5 + page[1] / 2, y - 0.5 + page[0] / 2].map((each) =>
      Math.floor(each * side),
    );
    return u >= 0 && v >= 0 && u < width && v < height && raster.mask[v * width + u] === 1;
  };
  const drawn = strokes.flatMap((stroke) => cut(stroke, isHidden));
  const own = lines.map((line) => (line.tool === HOLE ? {...line, tool: ERASER} : line));
  return [...own, ...drawn.map(({points, width: wide}) => ({points, width: wide, tool: PEN}))];
}

// The picture of a page with a model's pixels: where holes are, or all over if there is no raster.
export async function mendedPicture(raster, {inked}, {paper, page}) {
  const [high, wide] = page.map((side) => Math.round(side * SIDE));
  const {width, height} = raster?.picture ?? {width: wide, height: high};
  const side = Math.max(width, height);
  const pen = context(width, height);
  pen.fillStyle = paper;
  pen.fillRect(0, 0, width, height);
  const at = (place, along) => side * (place - 0.5 + along / 2);
  const box = [at(inked.x, page[1]), at(inked.y, page[0]), side * inked.width, side * inked.height];
  pen.drawImage(await loaded(inked.url), ...box);
  if (raster) {
    const data = pen.getImageData(0, 0, width, height);
    raster.mask.forEach((isHole, i) => {
      if (!isHole) data.data.set(raster.picture.data.subarray(4 * i, 4 * i + 4), 4 * i);
    });
    pen.putImageData(data, 0, 0);
  }
  return {url: pen.canvas.toDataURL(), width, height};
}
