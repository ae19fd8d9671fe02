// PDF files to print: a picture's lines on one page of paper.

import {joined, utf8} from './bytes.js';
import {madeBy, xmp} from './provenance.js';
import {lines, onPaper, short, sides} from './svg.js';

const POINTS_A_MM = 72 / 25.4;

// A PDF file of a picture on paper, as large as it fits.
export function pdfBytes(picture, paper, given) {
  const recipe = madeBy(given, picture, {paper});
  const page = onPaper(picture, paper);
  const [width, height] = [page.width, page.height].map((side) => short(side * POINTS_A_MM));
  const images = picture.parts.filter(({drawing}) => drawing.image);
  const resources = images.map((_, i) => `/I${i} ${5 + i} 0 R`).join(' ');
  const after = 5 + images.length;
  const told = recipe ? ` /Metadata ${after} 0 R` : '';
  const bodies = [
    `<< /Type /Catalog /Pages 2 0 R${told} >>`,
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${width} ${height}] /Contents 4 0 R /Resources << /XObject << ${
      resources
    } >> >> >>`,
    stream('', utf8(content(picture, page))),
    ...images.map(({drawing}) => stream(imageFacts(drawing), drawing.image)),
  ];
  if (recipe) {
    bodies.push(stream('/Type /Metadata /Subtype /XML ', utf8(xmp(recipe))));
    bodies.push(
      `<< /Creator ${pdfText(recipe.software)} /Keywords ${pdfText(recipe.source ?? '')} >>`,
    );
  }
  return file(bodies, recipe ? after + 1 : null);
}

function stream(facts, bytes) {
  return joined(`<< ${facts}/Length ${bytes.length} >>\nstream\n`, bytes, '\nendstream');
}

const pdfText = (text) => `(${text.replace(/[^ -~]/g, '?').replace(/[\\()]/g, '\\$&')})`;

function imageFacts({shape: [height, width, channels]}) {
  return `/Type /XObject /Subtype /Image /Width ${width} /Height ${height} /BitsPerComponent 8 /ColorSpace ${
    channels > 1 ? '/DeviceRGB' : '/DeviceGray'
  } `;
}

// What is drawn on a page, y being upwards there.
function content(picture, page) {
  const unit = page.scale * POINTS_A_MM;
  const place = [unit, 0, 0, -unit, page.x * POINTS_A_MM, (page.height - page.y) * POINTS_A_MM];
  const found = ['q', `${place.map((each) => each.toFixed(5)).join(' ')} cm`, '1 J 1 j'];
  if (picture.ground)
    found.push(
      `${colour(picture.ground)} rg 0 0 ${short(picture.width)} ${short(picture.height)} re f`,
    );
  let image = 0;
  for (const part of picture.parts) {
    const [width, height] = sides(part.drawing).map((side) => part.scale * side);
    const rect = [part.x, part.y, width, height].map(short).join(' ');
    found.push('q');
    if (!part.isBare)
      found.push(`${rect} re W n`, `${colour(part.drawing.paper ?? '#ffffff')} rg ${rect} re f`);
    if (part.drawing.image) {
      found.push(
        `${short(width)} 0 0 ${short(-height)} ${short(part.x)} ${short(part.y + height)} cm /I${image++} Do`,
      );
    } else {
      found.push(...lines(part).map(line));
    }
    found.push('Q');
  }
  return [...found, 'Q'].join('\n');
}

function line({places, colour: pen, width}) {
  const [first, ...others] = places.map((place) => place.map(short).join(' '));
  const curves = [];
  for (let i = 0; i < others.length; i += 3) curves.push(`${others.slice(i, i + 3).join(' ')} c`);
  return `${short(width)} w ${colour(pen)} RG ${first} m ${curves.join(' ')} S`;
}

const colour = (text) =>
  [1, 3, 5].map((i) => short(parseInt(text.slice(i, i + 2), 16) / 255)).join(' ');

// A whole file of objects, the first of which is its catalog.
function file(bodies, info) {
  const parts = [utf8('%PDF-1.4\n%\u00e2\u00e3\n')];
  const starts = [];
  let at = parts[0].length;
  bodies.forEach((body, i) => {
    const part = joined(`${i + 1} 0 obj\n`, body, '\nendobj\n');
    starts.push(at);
    parts.push(part);
    at += part.length;
  });
  const rows = starts.map((start) => `${String(start).padStart(10, '0')} 00000 n \n`).join('');
  const count = bodies.length + 1;
  const told = info ? ` /Info ${info} 0 R` : '';
  parts.push(
    utf8(
      `xref\n0 ${count}\n0000000000 65535 f \n${rows}trailer\n<< /Size ${count} /Root 1 0 R${
        told
      } >>\nstartxref\n${at}\n%%EOF\n`,
    ),
  );
  return joined(...parts);
}
