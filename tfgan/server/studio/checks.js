// What a canvas and a scene of a session file may be: as the studio writes them, and nothing else.

export const TOOLS = {pen: 'Pen', eraser: 'Eraser', hole: 'Hole'};
const MOST = 20_000; // lines or things, as files from strangers have them
const DRAWN = 'data:image/png;base64,';

// `isItem(item)` says whether a drawing is one of the model's.
export function isCanvas({lines, image, found, paper, ink}, isItem) {
  return (
    isListOf(lines, isLine) &&
    [paper, ink].every(isColourOrNone) &&
    (!image || isImage(image)) &&
    (!found || isFound(found, isItem))
  );
}

export function isScene({words, placed}, isItem) {
  return (
    typeof words === 'string' &&
    isListOf(placed, (thing) => {
      return (
        isObject(thing) &&
        typeof thing.id === 'string' &&
        isItem(thing.item) &&
        areNumbers([thing.x, thing.y, thing.scale, thing.turn]) &&
        isEdits(thing.item.edits ?? {}) &&
        (thing.own === undefined || isListOf(thing.own, isLine))
      );
    })
  );
}

function isFound({how, results, place, page, paper, ink}, isItem) {
  return (
    typeof how === 'string' &&
    areNumbers(page) &&
    isObject(place) &&
    areNumbers([place.x, place.y, place.scale, place.pen]) &&
    isListOf([paper, ink], isColour) &&
    isListOf(results, ({item, likeness, lines, image}) => {
      return (
        isItem(item) &&
        Number.isFinite(likeness) &&
        (!lines || isListOf(lines, isLine)) &&
        (!image || isImage(image))
      );
    })
  );
}

function isLine(line) {
  return (
    isObject(line) &&
    line.width > 0 &&
    line.width <= 1 &&
    isPoints(line.points) &&
    (line.tool === undefined || Object.hasOwn(TOOLS, line.tool)) &&
    isColourOrNone(line.colour)
  );
}

function isEdits(edits) {
  return (
    isObject(edits) &&
    Object.entries(edits).every(([index, {gone, points, width}]) => {
      return (
        /^\d+$/.test(index) &&
        (gone === undefined || typeof gone === 'boolean') &&
        (points === undefined || isPoints(points)) &&
        (width === undefined || (width > 0 && width <= 1))
      );
    })
  );
}

function isImage({url, width, height}) {
  return typeof url === 'string' && url.startsWith(DRAWN) && width > 0 && height > 0;
}

const isPoints = (points) =>
  isListOf(points, (point) => areNumbers(point) && point.length === 2) && points.length > 0;
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const isListOf = (values, isRight) =>
  Array.isArray(values) && values.length <= MOST && values.every(isRight);
const areNumbers = (values) => Array.isArray(values) && values.every(Number.isFinite);
const isColour = (value) => typeof value === 'string' && /^#[0-9a-f]{6}$/.test(value);
const isColourOrNone = (value) => value === undefined || isColour(value);
