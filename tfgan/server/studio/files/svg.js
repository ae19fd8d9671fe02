// Pictures of drawings: where each of them lies, and the SVG file of all.
//
// A picture is {width, height, ground, parts: [{drawing, x, y, scale, isBare}]} in thousandths of a
// drawing's longer side. A part's page has its upper left corner at (x, y); a part that is bare has
// no paper of its own, as in a scene, and its lines may reach beyond its page.

import {base64} from './bytes.js';
import {attribute, madeBy, rdf} from './provenance.js';
import {imagePng} from './png.js';

export const UNITS = 1000; // of a drawing's longer side, in tenths of which places are told
const GAP = 40; // between the drawings of a sheet
const GREY = '#808080';
export const MARGIN_MM = 15; // of paper
export const PAPERS_MM = {
  a2: [420, 594],
  a3: [297, 420],
  a4: [210, 297],
  a5: [148, 210],
  letter: [215.9, 279.4],
};

// The sides of a drawing's page.
export function sides({shape: [height, width]}) {
  return [width, height].map((side) => (UNITS * side) / Math.max(height, width));
}

// One drawing, or several side by side in rows on grey.
export function sheet(drawings, columns = Math.ceil(Math.sqrt(drawings.length))) {
  if (drawings.length === 1) return rows(drawings, 1, 0, GREY);
  return {...rows(drawings, columns, GAP, GREY), columns};
}

function rows(drawings, columns, edge, ground) {
  const [width, height] = sides(drawings[0]);
  const parts = drawings.map((drawing, i) => ({
    drawing,
    scale: 1,
    x: edge + (i % columns) * (width + GAP),
    y: edge + Math.floor(i / columns) * (height + GAP),
  }));
  const side = (count, each) => count * (each + GAP) - GAP + 2 * edge;
  return {
    width: side(columns, width),
    height: side(Math.ceil(drawings.length / columns), height),
    ground,
    parts,
  };
}

// Several side by side so that they are as large as they can be on paper.
export function sheetForPaper(drawings, paper = 'a4') {
  const each = drawings.map((_, i) => rows(drawings, i + 1, 0, null));
  return each.reduce((best, next) =>
    onPaper(next, paper).scale > onPaper(best, paper).scale ? next : best,
  );
}

// Where a picture lies on paper, upright or across, in millimetres: {width, height, scale, x, y}.
export function onPaper(picture, paper) {
  const [short, long] = PAPERS_MM[paper];
  const [upright, across] = [
    [short, long],
    [long, short],
  ].map(([width, height]) => {
    const scale = Math.min(
      (width - 2 * MARGIN_MM) / picture.width,
      (height - 2 * MARGIN_MM) / picture.height,
    );
    return {
      width,
      height,
      scale,
      x: (width - scale * picture.width) / 2,
      y: (height - scale * picture.height) / 2,
    };
  });
  return across.scale > upright.scale ? across : upright;
}

// The points of the cubic Béziers of the Catmull-Rom curve through a stroke's points.
export function beziers(points) {
  const last = points.length - 1;
  const beyond = (end, next) => [2 * end[0] - next[0], 2 * end[1] - next[1]];
  if (!last) return [points[0], points[0], points[0], points[0]];
  const around = [beyond(points[0], points[1]), ...points, beyond(points[last], points[last - 1])];
  const found = [points[0]];
  for (let i = 0; i < last; i++) {
    const slope = (at, axis) => (around[at + 2][axis] - around[at][axis]) / 6;
    found.push([0, 1].map((axis) => points[i][axis] + slope(i, axis)));
    found.push([0, 1].map((axis) => points[i + 1][axis] - slope(i + 1, axis)));
    found.push(points[i + 1]);
  }
  return found;
}

// The lines of a part in a picture's units: [{places: Bézier points, colour, width}].
export function lines({drawing, x, y, scale}) {
  const [width, height] = sides(drawing);
  return drawing.strokes.map((stroke) => ({
    colour: stroke.colour,
    width: UNITS * scale * stroke.width,
    places: beziers(stroke.points).map(([across, down]) => [
      x + scale * (UNITS * (across - 0.5) + width / 2),
      y + scale * (UNITS * (down - 0.5) + height / 2),
    ]),
  }));
}

const tenth = (number) => number.toFixed(1).replace(/^-0\.0$/, '0.0');
export const short = (number) => String(Number(number.toFixed(3)));

export function pathData(places, told = tenth) {
  const [first, ...others] = places.map(([x, y]) => `${told(x)} ${told(y)}`);
  return `M${first}C${others.join(' ')}`;
}

// An SVG file of a picture; a page without a recipe tells nothing of what made it.
export async function svgText(picture, recipe) {
  const size = picture.columns ? '' : sizeOf(picture); // A sheet fills the window.
  const parts = await Promise.all(
    picture.parts.map((part) => partText(part, picture.parts.length === 1)),
  );
  const isOnlyPaper = picture.parts.length === 1 && !picture.parts[0].isBare;
  const ground = isOnlyPaper ? picture.parts[0].drawing.paper : picture.ground;
  return `<svg xmlns="http://www.w3.org/2000/svg"${size} viewBox="0 0 ${short(picture.width)} ${short(
    picture.height,
  )}">\n${ground ? rect(ground) : ''}${parts.join('')}${metadata(madeBy(recipe, picture))}</svg>\n`;
}

const sizeOf = ({width, height}) => ` width="${short(width)}" height="${short(height)}"`;

export function metadata(recipe) {
  return recipe
    ? `<metadata>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">\n${rdf(recipe)}\n</x:xmpmeta>\n</metadata>\n`
    : '';
}

const rect = (colour) => `<rect width="100%" height="100%" fill="${attribute(colour)}"/>\n`;
const GROUP = '<g fill="none" stroke-linecap="round" stroke-linejoin="round">\n';

async function partText(part, isOnly) {
  const {drawing, x, y, scale, isBare} = part;
  if (isBare) return contents(part);
  const [width, height] = sides(drawing);
  const inner = await contents({drawing, x: 0, y: 0, scale: 1});
  if (isOnly) return inner;
  return `<svg x="${short(x)}" y="${short(y)}" width="${short(scale * width)}" height="${short(
    scale * height,
  )}" viewBox="0 0 ${short(width)} ${short(height)}">\n${rect(
    drawing.paper ?? GREY,
  )}${inner}</svg>\n`;
}

async function contents(part) {
  if (part.drawing.image) {
    const [width, height] = sides(part.drawing).map((side) => short(part.scale * side));
    const png = base64(await imagePng(part.drawing));
    return `<image x="${short(part.x)}" y="${short(part.y)}" width="${width}" height="${height}"\
 image-rendering="pixelated" href="data:image/png;base64,${png}"/>\n`;
  }
  const paths = lines(part).map(({places, colour, width}) => {
    return `<path stroke="${attribute(colour)}" stroke-width="${tenth(width)}" d="${pathData(places)}"/>\n`;
  });
  return `${GROUP}${paths.join('')}</g>\n`;
}
