// Files of drawings, which all tell what made them.

import {button, el} from './dom.js';
import {utf8} from './files/bytes.js';
import {gifBytes} from './files/gif.js';
import {pixelsOf} from './files/paint.js';
import {pdfBytes} from './files/pdf.js';
import {plotterSvg} from './files/plotter.js';
import {pngBytes} from './files/png.js';
import {recipeOf} from './files/provenance.js';
import {PAPERS_MM, sheet, sheetForPaper, svgText} from './files/svg.js';
import {zipBytes} from './files/zip.js';
import {fileNameOf} from './items.js';
import {save} from './saving.js';
import {frameSecs, frames} from './frames.js';

const [LEAST, MOST] = [16, 8192]; // pixels of a picture's longer side
const PIXELS = 1024; // if nothing else is said
const WALK_PIXELS = 320;
const PAPER = 'a4';

// What is made of one drawing, by what its button says.
const WRITERS = {
  PNG: {ending: '.png', write: png},
  SVG: {ending: '.svg', write: ({picture, recipe}) => svgText(picture, recipe)},
  PDF: {ending: '.pdf', write: ({picture, paper, recipe}) => pdfBytes(picture, paper, recipe)},
  Plotter: {
    ending: '-plotter.svg',
    isPen: true,
    write: ({picture, paper, recipe}) => plotterSvg(picture, paper, recipe),
  },
};

function png({picture, size, recipe}) {
  return pngBytes(pixelsOf(picture, size), recipe);
}

function made(model, item) {
  return {picture: sheet([model.itemDrawing(item)]), recipe: recipeOf(model, [item])};
}

export function mount(side, context) {
  const {store, model, announce} = context;
  const size = el('input', {
    type: 'number',
    id: 'size',
    min: LEAST,
    max: MOST,
    value: PIXELS,
    step: '1',
    inputmode: 'numeric',
  });
  const paper = el(
    'select',
    {id: 'paper'},
    Object.keys(PAPERS_MM).map((name) => {
      return el('option', {value: name, selected: name === PAPER}, name.replace(/^a/, 'A'));
    }),
  );
  const writers = Object.entries(WRITERS).filter(([, {isPen}]) => model.isPen || !isPen);
  const buttons = writers.map(([title, {ending, write}]) =>
    button(
      title,
      async () => {
        if (!size.checkValidity()) {
          announce(
            `A picture's size is ${LEAST} to ${MOST} pixels, not ${size.value || 'nothing'}`,
          );
          size.focus();
          return;
        }
        const item = store.state.current;
        const name = `${fileNameOf(model, item)}${ending}`;
        save(
          name,
          await write({...made(model, item), size: Number(size.value), paper: paper.value}),
        );
        announce(`Saved as ${name}`);
      },
      {id: `save-${title.toLowerCase()}`},
    ),
  );
  side.append(
    el(
      'section',
      {class: 'saving'},
      el('h3', {}, 'Save as'),
      el('div', {class: 'bar'}, buttons),
      el(
        'div',
        {class: 'bar'},
        el('label', {class: 'field'}, 'PNG, pixels', size),
        el('label', {class: 'field'}, 'Paper', paper),
      ),
    ),
  );
}

// All favourites in one file: each as SVG and PNG, and a sheet of them to print.
export async function saveAll({store, model, announce}) {
  const items = store.state.favourites;
  const files = [];
  for (const item of items) {
    const [name, {picture, recipe}] = [fileNameOf(model, item), made(model, item)];
    files.push({name: `${name}.svg`, bytes: utf8(await svgText(picture, recipe))});
    files.push({name: `${name}.png`, bytes: await png({picture, size: PIXELS, recipe})});
  }
  const drawings = items.map((item) => model.itemDrawing(item));
  const all = pdfBytes(sheetForPaper(drawings, PAPER), PAPER, recipeOf(model, items));
  files.push({name: 'sheet.pdf', bytes: all});
  const name = `${model.name}-favourites.zip`;
  save(name, zipBytes(files));
  announce(`${items.length} favourites saved as ${name}`);
}

// A walk as GIF.
export function saveWalk({model, announce}, items) {
  const pictures = frames(model, items).map((drawing) => pixelsOf(sheet([drawing]), WALK_PIXELS));
  const name = `${model.name}-walk.gif`;
  save(name, gifBytes(pictures, recipeOf(model, items, {size: WALK_PIXELS}), frameSecs));
  announce(`The walk is saved as ${name}`);
}
