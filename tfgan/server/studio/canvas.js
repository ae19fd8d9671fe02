// A canvas to draw on with a pen, an eraser and what marks holes, and what the model makes of that:
// redrawn, varied, mended.

import {TOOLS} from './checks.js';
import {button, el, picture, roving, svgEl} from './dom.js';
import {chooseFile} from './drop.js';
import {varied} from './engine/latents.js';
import {framed, handOf, likeness, onPicture} from './framing.js';
import {favour} from './grid.js';
import {itemOfLatents, kindOf} from './items.js';
import {asCurves, distance, handDrawn, pathOf, simplified} from './lines.js';
import {
  ERASER,
  HOLE,
  INK,
  PAPER,
  PEN,
  hasHole,
  isBlank,
  mendedLines,
  mendedPicture,
  pageOf,
  placed,
  rasterised,
  visibleLines,
} from './own_drawing.js';
import {LEAST_LIKENESS, nearest} from './redrawing.js';

const UNITS = 1000; // of the page's longer side
const WIDTHS = {fine: 0.012, medium: 0.025, broad: 0.05, widest: 0.1};
const WIDTH_OF = {[PEN]: 'medium', [ERASER]: 'broad', [HOLE]: 'widest'}; // at first
const STEP = 1 / 50; // of the page: a cursor's, by an arrow key
const LARGE_STEP = 5; // times that, with Shift
const DOT = 0.001; // the length of a line that is a dot
const SAME = 0.02; // of the page: a click that is so near to the last one ends a line of points
const COUNT = 16; // of variations
const DISTANCE = 0.3; // of theirs: 0 is the drawing, 1 any other
const ARROWS = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
  Home: [-1, -1],
  End: [-1, 1],
  PageUp: [1, -1],
  PageDown: [1, 1],
};
const NO_ENCODER =
  'This model has no encoder, by which it would read a drawing of yours. ' +
  'python -m tfgan.export --run_dir=RUN makes a version that has one.';

const withCanvas = (state, changes) => ({...state, canvas: {...state.canvas, ...changes}});

export const actions = {
  drawLine: (state, line) => withCanvas(state, {lines: [...state.canvas.lines, line]}),

  // Goes on with the last line to one more point.
  drawPoint(state, point) {
    const {lines} = state.canvas;
    const last = lines.at(-1);
    const before = isDot(last) ? last.points.slice(0, 1) : last.points;
    return withCanvas(state, {
      lines: [...lines.slice(0, -1), {...last, points: [...before, point]}],
    });
  },

  clearCanvas(state) {
    const {lines, image, found} = state.canvas;
    return lines.length || image || found
      ? withCanvas(state, {lines: [], image: null, found: null})
      : state;
  },

  colourCanvas: (state, colours) => withCanvas(state, colours),

  // Another drawing in place of that on the canvas.
  takeDrawing: (state, drawing) =>
    withCanvas(state, {lines: [], image: null, found: null, ...drawing}),

  // What the model made of the drawing.
  findDrawings: (state, found) => withCanvas(state, {found}),
};

export function mount(root, context) {
  const surface = newSurface(context);
  root.append(
    el('h2', {class: 'hidden'}, 'Canvas'),
    el(
      'div',
      {class: 'drawing-table'},
      el('div', {class: 'stack'}, surface.tools, surface.element, surface.foot),
      asking(context),
    ),
  );
}

// ---- The surface ----

function newSurface(context) {
  const {store, model, announce} = context;
  const settings = {tool: PEN, widths: {...WIDTH_OF}, byPoints: false};
  const page = svgEl('svg', {
    class: 'canvas-page on-light',
    tabindex: '0',
    role: 'application',
    'data-first': true,
    'aria-label': 'Canvas',
    'aria-describedby': 'canvas-keys',
    id: 'canvas-page',
  });
  const layers = svgEl('g', {class: 'lines'});
  const live = svgEl('path', {class: 'stroke live'});
  const cursor = svgEl('circle', {class: 'cursor', r: 12});
  page.append(layers, live, cursor);
  const tools = toolbar(context, settings, ended);
  const keys = el(
    'p',
    {class: 'quiet', id: 'canvas-keys'},
    'By keys: arrows move the cursor, with Shift further; Space puts the pen down and up. ' +
      'By points: each click, or Space, is a point; Enter ends the line.',
  );
  let sides = [1, 1];
  let place = [0.5, 0.5]; // of the cursor
  let drawn = null; // the points of a line that is being drawn
  let isByKeys = false;
  let continued = null; // the line that the next point goes on with

  function paint() {
    const [height, width] = sides.map((side) => side * UNITS);
    page.setAttribute(
      'viewBox',
      `${UNITS / 2 - width / 2} ${UNITS / 2 - height / 2} ${width} ${height}`,
    );
    layers.replaceChildren(...painted(store.state.canvas, sides));
    showCursor();
  }

  function showCursor() {
    cursor.setAttribute('cx', place[0] * UNITS);
    cursor.setAttribute('cy', place[1] * UNITS);
    cursor.classList.toggle('down', drawn !== null);
    const {ink = INK, paper = PAPER} = store.state.canvas;
    const points = drawn ?? (continued ? [continued.points.at(-1), place] : [place]);
    live.setAttribute(
      'd',
      drawn || continued ? pathOf({points, straight: settings.byPoints}, UNITS) : '',
    );
    live.setAttribute('stroke-width', width() * UNITS);
    live.setAttribute(
      'stroke',
      settings.tool === PEN ? ink : settings.tool === ERASER ? paper : '#b4481f',
    );
    live.classList.toggle('hole', settings.tool === HOLE);
  }

  const width = () => WIDTHS[settings.widths[settings.tool]];

  // A line of points; one of a single point is a dot.
  function draw(points, straight) {
    const line = points.length > 1 ? points : [points[0], [points[0][0] + DOT, points[0][1]]];
    store.dispatch('drawLine', {
      points: line.map(rounded),
      width: width(),
      tool: settings.tool,
      straight,
    });
  }

  // One more point of a line of points, or its first.
  function addPoint() {
    if (!continued) {
      draw([place], true);
    } else if (distance(continued.points.at(-1), place) < SAME) {
      ended();
      return;
    } else {
      store.dispatch('drawPoint', rounded(place));
    }
    continued = store.state.canvas.lines.at(-1);
    tools.classList.add('is-open');
    announce(`Point ${isDot(continued) ? 1 : continued.points.length}`);
    showCursor();
  }

  // The line of points is done.
  function ended() {
    if (drawn) lift();
    if (continued) announce('The line is done');
    continued = null;
    tools.classList.remove('is-open');
    showCursor();
  }

  function lift() {
    const points = isByKeys ? simplified(drawn) : handDrawn(drawn);
    drawn = null;
    draw(points, isByKeys);
    showCursor();
  }

  const placeOf = (event) => {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(
      page.getScreenCTM().inverse(),
    );
    return [at.x / UNITS, at.y / UNITS];
  };

  page.addEventListener('pointerdown', (event) => {
    if (event.button !== 0 || drawn) return;
    place = placeOf(event);
    if (settings.byPoints) {
      addPoint();
      return;
    }
    page.setPointerCapture(event.pointerId);
    isByKeys = false;
    drawn = [place];
    showCursor();
  });
  page.addEventListener('pointermove', (event) => {
    if (!drawn || isByKeys) {
      if (continued) place = placeOf(event);
      if (continued) showCursor();
      return;
    }
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) drawn.push(placeOf(each));
    place = drawn.at(-1);
    showCursor();
  });
  page.addEventListener('pointerup', () => {
    if (drawn && !isByKeys) lift();
  });
  page.addEventListener('pointercancel', () => {
    if (!isByKeys) drawn = null;
    showCursor();
  });

  page.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = ARROWS[event.key];
    if (arrow) move(arrow, event.shiftKey ? LARGE_STEP : 1);
    else if (event.key === ' ' || event.key === 'Enter') press(event.key);
    else if (event.key === 'Escape' && (drawn || continued)) ended();
    else return;
    event.preventDefault();
  });

  function move(arrow, times) {
    const [height, wide] = sides;
    const limits = [wide, height];
    place = place.map((each, axis) => {
      const [least, most] = [0.5 - limits[axis] / 2, 0.5 + limits[axis] / 2];
      return Math.min(most, Math.max(least, each + times * STEP * arrow[axis]));
    });
    if (drawn) drawn.push(place);
    showCursor();
  }

  function press(key) {
    if (settings.byPoints) {
      if (key === 'Enter' && continued) ended();
      else addPoint();
    } else if (drawn) {
      lift();
      announce('Pen up');
    } else {
      isByKeys = true;
      drawn = [place];
      announce('Pen down');
      showCursor();
    }
  }

  store.select(
    ({canvas}) => canvas,
    (canvas) => {
      sides = pageOf(canvas, model.shape);
      if (continued !== canvas.lines.at(-1)) continued = null;
      paint();
    },
  );

  const foot = el('div', {class: 'stack'}, keys);
  return {element: el('div', {class: 'paper-sheet canvas-sheet'}, page), tools, foot};
}

const isDot = ({points}) => points.length === 2 && distance(...points) <= 2 * DOT;
const rounded = (point) => point.map((each) => Number(each.toFixed(4)));

// What is drawn on a page, as SVG.
export function painted(canvas, [height, width]) {
  const {lines, image, ink = INK, paper = PAPER} = canvas;
  const box = {
    x: UNITS * (0.5 - width / 2),
    y: UNITS * (0.5 - height / 2),
    width: UNITS * width,
    height: UNITS * height,
  };
  const path = (line, stroke, name = 'stroke') =>
    svgEl('path', {
      d: pathOf(line, UNITS),
      stroke,
      'stroke-width': UNITS * line.width,
      class: name,
    });
  return [
    svgEl('rect', {...box, fill: paper, class: 'paper'}),
    image && svgEl('image', {...box, href: image.url, preserveAspectRatio: 'none'}),
    ...(image ? lines.filter(({tool}) => tool !== PEN).map((line) => path(line, paper)) : []),
    ...visibleLines(lines).map((line) => path(line, line.colour ?? ink)),
    ...lines.filter(({tool}) => tool === HOLE).map((line) => path(line, '#b4481f', 'stroke hole')),
  ].filter(Boolean);
}

function toolbar({store}, settings, ended) {
  const widths = el(
    'select',
    {id: 'pen-width'},
    Object.keys(WIDTHS).map((name) => el('option', {value: name}, name)),
  );
  widths.value = settings.widths[settings.tool];
  widths.addEventListener('change', () => (settings.widths[settings.tool] = widths.value));
  const choices = Object.entries(TOOLS).map(([tool, title]) => {
    const input = el('input', {
      type: 'radio',
      name: 'tool',
      value: tool,
      class: 'hidden',
      id: `tool-${tool}`,
    });
    input.checked = tool === settings.tool;
    input.addEventListener('change', () => {
      ended();
      settings.tool = tool;
      widths.value = settings.widths[tool];
    });
    return el('label', {class: 'chip'}, input, el('span', {}, title));
  });
  const points = el('input', {type: 'checkbox', id: 'by-points'});
  points.addEventListener('change', () => {
    ended();
    settings.byPoints = points.checked;
  });
  const colours = ['ink', 'paper'].map((name) => {
    const input = el('input', {type: 'color', id: `canvas-${name}`});
    input.addEventListener('change', () => store.dispatch('colourCanvas', {[name]: input.value}));
    store.select(
      ({canvas}) => canvas[name] ?? {ink: INK, paper: PAPER}[name],
      (colour) => (input.value = colour),
    );
    return el('label', {class: 'field'}, {ink: 'Ink', paper: 'Paper'}[name], input);
  });
  return el(
    'div',
    {class: 'bar canvas-tools'},
    el(
      'fieldset',
      {class: 'chips tools-of-canvas'},
      el('legend', {class: 'hidden'}, 'Tool'),
      choices,
    ),
    el('label', {class: 'field'}, 'Width', widths),
    colours,
    el('label', {class: 'field'}, points, 'By points'),
    button('End the line', () => ended(), {id: 'end-line', class: 'end-line'}),
    button('Open a picture', chooseFile, {id: 'open-picture'}),
    button('Clear', () => store.dispatch('clearCanvas'), {id: 'clear'}),
  );
}

// ---- What the model makes of it ----

function asking(context) {
  const {store, model, announce} = context;
  const told = el('p', {class: 'told', id: 'canvas-told'});
  const results = el('div', {class: 'stack results'});
  if (!model.hasEncoder) {
    return el(
      'div',
      {class: 'stack'},
      el('h3', {}, 'The model’s turn'),
      el('p', {class: 'quiet'}, NO_ENCODER),
    );
  }
  const kind = el(
    'select',
    {id: 'what'},
    el('option', {value: ''}, 'as it looks'),
    model.classNames.map((name, i) => el('option', {value: i}, name)),
  );
  const far = el('input', {
    type: 'range',
    id: 'distance',
    min: 0,
    max: 1,
    step: 0.05,
    value: DISTANCE,
  });
  const progress = el('progress', {
    max: 1,
    value: 0,
    'aria-label': 'Looking for the nearest drawing',
    hidden: true,
  });
  let isBusy = false;
  const asked = () => ({
    label: kind.value === '' ? null : Number(kind.value),
    distance: Number(far.value),
  });
  const makers = Object.entries(MAKERS).map(([how, {title, make}]) => {
    return button(title, () => run(how, make), {
      id: `canvas-${how}`,
      class: how === 'redraw' ? 'primary' : null,
    });
  });

  async function run(how, make) {
    if (isBusy) return;
    isBusy = true;
    makers.forEach((each) => each.setAttribute('aria-disabled', 'true'));
    progress.hidden = false;
    told.textContent = '';
    try {
      const found = await make(context, asked(), (share) => (progress.value = share));
      store.dispatch('findDrawings', {how, ...found});
      announce(toldOf(context, store.state.canvas.found));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      told.textContent = error.message;
      announce(error.message);
    } finally {
      isBusy = false;
      progress.hidden = true;
      makers.forEach((each) => each.removeAttribute('aria-disabled'));
    }
  }

  store.select(
    ({canvas}) => canvas,
    () => (told.textContent = ''),
  );
  store.select(
    ({canvas}) => canvas.found,
    (found) => showResults(results, found, context),
  );
  return el(
    'div',
    {class: 'stack asking'},
    el('h3', {}, 'The model’s turn'),
    el('div', {class: 'bar'}, el('label', {class: 'field'}, 'What is it?', kind)),
    el('div', {class: 'bar'}, makers, el('label', {class: 'field'}, 'Distance', far)),
    progress,
    told,
    results,
  );
}

// What a person is told that cannot be done, and why.
class Refusal extends Error {}

const MAKERS = {
  redraw: {title: 'Redraw', make: redrawn},
  vary: {title: 'Vary', make: variedOnes},
  mend: {title: 'Mend', make: mended},
};

const hands = new WeakMap();
let last = null; // what was found of which drawing, so that it is not looked for twice

// The model's nearest drawing to that on the canvas, and where it lies: {found, own, raster}.
async function lookedFor({store, model}, {label}, told, isMended = false) {
  const {canvas} = store.state;
  if (isBlank(canvas))
    throw new Refusal('The canvas is empty: draw something, or drop a picture on the page.');
  const isSame =
    last &&
    last.canvas.lines === canvas.lines &&
    last.canvas.image === canvas.image &&
    last.canvas.ink === canvas.ink &&
    last.canvas.paper === canvas.paper &&
    last.label === label &&
    last.isMended === isMended;
  if (!isSame) {
    if (!hands.has(model)) hands.set(model, handOf(model));
    const hand = hands.get(model);
    const raster = await rasterised(canvas, model.shape);
    let own;
    try {
      own = framed(raster.picture, hand, isMended ? raster.mask : null);
    } catch (error) {
      throw new Refusal(`This cannot be read: ${error.message}.`);
    }
    const found = await nearest(model, own, hand, {label, told});
    last = {canvas, label, isMended, found, own, raster, hand};
  }
  const {found} = last;
  if (label === null && found.likeness < LEAST_LIKENESS) {
    throw new Refusal(
      `It is nothing that the model draws. Nearest is ${kindOf(model, found.label)}, ink IoU ${found.likeness.toFixed(
        2,
      )}. Say what it is to have that drawn.`,
    );
  }
  return last;
}

function whereOf({own, canvas}, model) {
  const {paper = PAPER, ink = INK} = canvas;
  const colours = canvas.image ? {paper: own.paper, ink: own.colour} : {paper, ink};
  return {place: onPicture(own, model.shape), page: pageOf(canvas, model.shape), ...colours};
}

async function redrawn(context, asked, told) {
  const all = await lookedFor(context, asked, told);
  const {latents, label, likeness: near} = all.found;
  return {
    results: [{item: itemOfLatents(latents, label), likeness: near}],
    ...whereOf(all, context.model),
  };
}

async function variedOnes(context, asked, told) {
  const all = await lookedFor(context, asked, told);
  const {model} = context;
  const {latents, label} = all.found;
  const results = Array.from({length: COUNT}, (_, seed) => {
    const near = varied(latents, asked.distance, BigInt(seed));
    const alike = likeness(all.own, model.pixels(model.draw(near, label)), all.hand);
    return {item: itemOfLatents(near, label), likeness: alike};
  });
  return {results, ...whereOf(all, model)};
}

async function mended(context, asked, told) {
  if (!hasHole(context.store.state.canvas)) {
    throw new Refusal('There is no hole to mend: erase a part, or mark one with the hole tool.');
  }
  const all = await lookedFor(context, asked, told, true);
  const {model} = context;
  const {latents, label, likeness: near} = all.found;
  const where = whereOf(all, model);
  const drawing = placed(model.draw(latents, label), where.place, where, where.page);
  const own = drawing.inked
    ? {lines: [], image: await mendedPicture(all.raster, drawing, where)}
    : {
        lines: mendedLines(all.canvas.lines, drawing.strokes, all.raster, where.page),
        image: all.canvas.image,
      };
  return {results: [{item: itemOfLatents(latents, label), likeness: near, ...own}], ...where};
}

function toldOf({model}, {how, results}) {
  const [{item, likeness: near}] = results;
  const kind = kindOf(model, item.label);
  if (how === 'vary') return `${results.length} drawings near it: ${kind}`;
  return `${how === 'mend' ? 'Mended as' : 'Redrawn as'} ${kind}, ink IoU ${near.toFixed(2)}`;
}

// The picture of a result on the canvas's page.
function resultPicture(result, found, model) {
  const [height, width] = found.page;
  if (result.lines) {
    const canvas = {...result, paper: found.paper, ink: found.ink};
    const box = `${UNITS * (0.5 - width / 2)} ${UNITS * (0.5 - height / 2)} ${UNITS * width} ${UNITS * height}`;
    return svgEl(
      'svg',
      {viewBox: box, 'aria-hidden': 'true', class: 'on-light'},
      painted(canvas, found.page),
    );
  }
  const drawing = placed(model.itemDrawing(result.item), found.place, found, found.page);
  if (!drawing.inked) return picture(drawing);
  const {url, ...box} = drawing.inked;
  const shown = picture({...drawing, strokes: []});
  const [left, top] = [(1 - width) / 2, (1 - height) / 2];
  shown.append(
    svgEl('image', {
      href: url,
      x: UNITS * (box.x - left),
      y: UNITS * (box.y - top),
      width: UNITS * box.width,
      height: UNITS * box.height,
      preserveAspectRatio: 'none',
      class: 'pixels',
    }),
  );
  return shown;
}

function showResults(root, found, context) {
  const {store, model} = context;
  if (!found) {
    root.replaceChildren();
    return;
  }
  let chosen = 0;
  const name = ({item, likeness: near}) =>
    `${kindOf(model, item.label)}, ink IoU ${near.toFixed(2)}`;
  const sheets = found.results.map((result, i) => {
    const sheet = button('', () => choose(i), {
      class: 'result paper-sheet',
      'aria-label': `${i + 1}: ${name(result)}`,
      'aria-pressed': String(i === 0),
    });
    sheet.append(resultPicture(result, found, model));
    return sheet;
  });
  const caption = el('p', {class: 'quiet', id: 'result-name'}, name(found.results[0]));
  const grid = el(
    'div',
    {
      class: ['results-grid', found.results.length > 1 ? 'many' : 'one'],
      role: 'group',
      'aria-label': 'What the model made of it',
    },
    sheets,
  );
  roving(grid, '.result');

  function choose(i) {
    chosen = i;
    sheets.forEach((sheet, j) => sheet.setAttribute('aria-pressed', String(i === j)));
    caption.textContent = name(found.results[i]);
  }

  const result = () => found.results[chosen];
  root.replaceChildren(
    grid,
    caption,
    el(
      'div',
      {class: 'bar'},
      button('Draw on with it', drawOn, {id: 'draw-on'}),
      button('Open', () => context.open(result().item), {id: 'open-result'}),
      button('Favourite', () => favour(context, result().item), {id: 'favour-result'}),
      button('Into the scene', () => intoScene(result()), {id: 'into-scene'}),
    ),
  );

  async function drawOn() {
    store.dispatch('takeDrawing', await drawingOf(result(), found, model));
    context.announce('It is on the canvas');
  }

  function intoScene(each) {
    const own = each.lines && !each.image ? {own: ownStrokes(each.lines, found.ink)} : {};
    store.dispatch('placeThing', {item: each.item, ...own});
    context.announce(`${kindOf(model, each.item.label)} is in the scene`);
  }
}

function ownStrokes(lines, ink) {
  return visibleLines(lines)
    .flatMap(asCurves)
    .map(({points, width}) => ({points, width, colour: ink}));
}

// A result as a drawing of the canvas.
async function drawingOf(result, found, model) {
  const {paper, ink} = found;
  if (result.lines) return {lines: result.lines, image: result.image, paper, ink};
  const drawing = placed(model.itemDrawing(result.item), found.place, found, found.page);
  if (drawing.inked) return {image: await mendedPicture(null, drawing, found), paper, ink};
  return {
    lines: drawing.strokes.map(({points, width}) => ({points, width, tool: PEN, straight: false})),
    paper,
    ink,
  };
}
