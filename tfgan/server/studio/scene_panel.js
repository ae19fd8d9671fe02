// Scenes: words become several drawings on one sheet, of which every thing and every line can be
// moved and changed: by buttons, by arrow keys, or by the pointer.

import {button, el, roving, svgEl} from './dom.js';
import {pixelsOf} from './files/paint.js';
import {pdfBytes} from './files/pdf.js';
import {plotterSvg} from './files/plotter.js';
import {pngBytes} from './files/png.js';
import {COMPOSITE, TRAINED, recipeOf} from './files/provenance.js';
import {svgText} from './files/svg.js';
import {kindOf, withId} from './items.js';
import {boundsOf, pathOf} from './lines.js';
import {placed as onPage} from './own_drawing.js';
import {save} from './saving.js';
import {parse} from './words/captions.js';
import {HEIGHT, layout, seeds} from './words/layout.js';
import {openLexicon} from './words/lexicon.js';

const UNITS = 1000; // of the page's width
const PIXELS = 1600; // of a PNG's longer side
const PAPER = 'a4';
const WHITE = '#ffffff';
const STEP = 1 / 100; // of the page, by which a button or a key moves
const GROWTH = 1.1; // by which a thing or a line is larger or wider
const TURN = 10; // degrees
const [SMALLEST, LARGEST] = [0.04, 1.2]; // sides of a thing
const [THINNEST, WIDEST] = [0.004, 0.3]; // lines
const FREE = 0.35; // side of a thing that is put into a scene
const DRAG = 4; // pixels, from which a press is a drag
const HIT = 30; // units: so wide is a line for the pointer, at least

const change = (state, changes) => ({...state, scene: {...state.scene, ...changes}});

function changeThing(state, id, changed) {
  const placed = state.scene.placed.map((thing) => (thing.id === id ? changed(thing) : thing));
  return change(state, {placed});
}

const within = (value, least, most) => Math.min(most, Math.max(least, value));

export const actions = {
  composeScene: (state, scene) => ({...state, scene}),

  placeThing(state, {item, own}) {
    const {placed} = state.scene;
    const thing = {id: newId(placed), item, x: 0.5, y: HEIGHT / 2, scale: FREE, turn: 0};
    return change(state, {placed: [...placed, own ? {...thing, own} : thing]});
  },

  moveThing: (state, {id, by: [across, down]}) =>
    changeThing(state, id, (thing) => ({
      ...thing,
      x: within(thing.x + across, 0, 1),
      y: within(thing.y + down, 0, HEIGHT),
    })),

  sizeThing: (state, {id, times}) =>
    changeThing(state, id, (thing) => ({
      ...thing,
      scale: within(thing.scale * times, SMALLEST, LARGEST),
    })),

  turnThing: (state, {id, by}) =>
    changeThing(state, id, (thing) => ({
      ...thing,
      turn: ((thing.turn + by + 540) % 360) - 180,
    })),

  seedThing: (state, {id, seed}) =>
    changeThing(state, id, ({own, ...thing}) => {
      const {label, truncation = 1} = thing.item;
      return {...thing, item: withId({seed, label, truncation})};
    }),

  removeThing: (state, id) =>
    change(state, {placed: state.scene.placed.filter((thing) => thing.id !== id)}),

  // Brings a thing so many places to the front.
  layerThing(state, {id, by}) {
    const placed = [...state.scene.placed];
    const at = placed.findIndex((thing) => thing.id === id);
    const to = within(at + by, 0, placed.length - 1);
    if (to === at) return state;
    placed.splice(to, 0, ...placed.splice(at, 1));
    return change(state, {placed});
  },

  // Changes a line of a thing: {gone}, {points} or {width}.
  editLine: (state, {id, index, ...edit}) =>
    changeThing(state, id, (thing) => {
      if (thing.own) {
        const own = thing.own.map((line, i) => (i === index ? {...line, ...edit} : line));
        return {...thing, own: own.filter(({gone}) => !gone)};
      }
      const edits = {...thing.item.edits, [index]: {...thing.item.edits?.[index], ...edit}};
      return {...thing, item: withId({...thing.item, edits})};
    }),

  clearScene: (state) => (state.scene.placed.length ? change(state, {placed: []}) : state),
};

function newId(placed) {
  const numbers = placed.map(({id}) => Number(id.replace(/\D/g, '')) || 0);
  return `thing-${Math.max(0, ...numbers) + 1}`;
}

// The strokes of a thing on its own page, whose middle is (0.5, 0.5).
function strokesOf(thing, model) {
  if (thing.own) return thing.own.map((line, index) => ({...line, index}));
  return model.itemDrawing(thing.item).strokes ?? [];
}

// From a thing's own page to the sheet's.
function placer({x, y, scale, turn}) {
  const [cosine, sine] = [Math.cos((turn * Math.PI) / 180), Math.sin((turn * Math.PI) / 180)];
  return ([u, v]) => [
    x + scale * (cosine * (u - 0.5) - sine * (v - 0.5)),
    y + scale * (sine * (u - 0.5) + cosine * (v - 0.5)),
  ];
}

// A step on the sheet as one on a thing's own page.
function onOwnPage({scale, turn}, [across, down]) {
  const [cosine, sine] = [Math.cos((turn * Math.PI) / 180), Math.sin((turn * Math.PI) / 180)];
  return [(cosine * across + sine * down) / scale, (cosine * down - sine * across) / scale];
}

export function mount(root, context) {
  const {store, model} = context;
  const selection = newSelection(context);
  const sheet = newSheet(context, selection);
  const things = el('div', {
    class: 'chips things',
    role: 'group',
    'aria-label': 'Things of the scene',
  });
  roving(things, 'button');
  const empty = el(
    'p',
    {class: 'quiet'},
    `Type what is to be drawn. This model draws ${listed(model.classNames)}.`,
  );
  const side = el('div', {class: 'side'}, things, controls(context, selection), saving(context));
  root.append(
    el('h2', {class: 'hidden'}, 'Scene'),
    composer(context),
    empty,
    el('div', {class: 'drawing-table'}, sheet, side),
  );
  const update = () => {
    const {placed} = store.state.scene;
    side.hidden = placed.length === 0;
    empty.hidden = placed.length > 0;
    const focused = things.contains(document.activeElement)
      ? document.activeElement.dataset.id
      : null;
    things.replaceChildren(
      ...placed.map((thing, i) =>
        button(nameOf(model, thing, i), () => selection.set({id: thing.id}), {
          'data-id': thing.id,
          'aria-pressed': String(selection.at.id === thing.id),
        }),
      ),
    );
    if (focused) [...things.children].find(({dataset}) => dataset.id === focused)?.focus();
  };
  selection.changed(update);
  store.select(
    ({scene}) => scene,
    () => selection.checked(),
  );
}

const listed = (names) =>
  names.length > 1 ? `${names.slice(0, -1).join(', ')} and ${names.at(-1)}` : names.join('');
const nameOf = (model, thing, i) =>
  `${i + 1} ${kindOf(model, thing.item.label)}${thing.own ? ', mine' : ''}`;

// What is selected: a thing, perhaps a line of it, perhaps a point of that.
function newSelection({store, model}) {
  const listeners = [];
  const selection = {
    at: {id: null, index: null, point: null},
    changed: (listener) => listeners.push(listener),
    set({id, index = null, point = null}) {
      selection.at = {id, index, point};
      listeners.forEach((listener) => listener());
    },
    get thing() {
      return store.state.scene.placed.find(({id}) => id === selection.at.id) ?? null;
    },
    get line() {
      const {thing, at} = selection;
      return thing && at.index !== null
        ? (strokesOf(thing, model).find(({index}) => index === at.index) ?? null)
        : null;
    },
    // The same, as far as it is still there.
    checked() {
      const {at, thing, line} = selection;
      const isThere = at.point === null || (line && at.point < line.points.length);
      selection.set({
        id: thing ? at.id : null,
        index: line ? at.index : null,
        point: isThere && line ? at.point : null,
      });
    },
  };
  return selection;
}

function composer(context) {
  const {store, model, announce} = context;
  const words = el('input', {
    type: 'text',
    id: 'scene-words',
    'data-first': true,
    autocomplete: 'off',
    maxlength: '1000',
    placeholder: 'two cats and a house under a sun',
    'aria-describedby': 'scene-told',
  });
  const told = el('div', {id: 'scene-told', class: 'told', 'aria-live': 'polite'});
  let opened = null;
  let round = 0;

  async function compose(seed) {
    opened ??= context.words().then(openLexicon);
    let caption;
    let places;
    try {
      caption = parse(words.value, await opened, model.classNames);
      places = layout(caption);
    } catch (error) {
      tell([error.message]);
      return;
    }
    tell(caption.refused);
    if (!places.length) {
      if (!caption.refused.length)
        tell([`Nothing is named that can be drawn. This model draws ${listed(model.classNames)}.`]);
      return;
    }
    const numbers = seeds(BigInt(seed), places.length); // as tfgan.scene has them
    const placed = places.map(({thing, x, y, scale}, i) => {
      const label = model.classNames.indexOf(caption.things[thing].className);
      return {
        id: `thing-${i + 1}`,
        item: withId({seed: String(numbers[i]), label, truncation: 1}),
        x,
        y,
        scale,
        turn: 0,
      };
    });
    store.dispatch('composeScene', {words: words.value, placed});
    announce(`${placed.length} ${placed.length === 1 ? 'drawing' : 'drawings'} on the sheet`);
  }

  function tell(lines) {
    told.replaceChildren(...lines.map((line) => el('p', {}, line)));
  }

  const form = el(
    'form',
    {class: 'bar composer', novalidate: true},
    el('label', {class: 'field words'}, 'Words', words),
    el('button', {type: 'submit', id: 'compose', class: 'primary'}, 'Draw it'),
    button('Draw others', () => compose((round += 1)), {id: 'compose-others'}),
    button('Clear', () => store.dispatch('clearScene'), {id: 'clear-scene'}),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    round = 0;
    compose(0);
  });
  store.select(
    ({scene}) => scene.words,
    (text) => (words.value = text),
  );
  return el('div', {class: 'stack'}, form, told);
}

// ---- The sheet ----

function newSheet(context, selection) {
  const {store, model} = context;
  const page = svgEl('svg', {
    class: 'scene-page on-light',
    viewBox: `0 0 ${UNITS} ${UNITS * HEIGHT}`,
    tabindex: '0',
    role: 'application',
    'aria-label': 'Sheet: arrows move what is selected',
    id: 'scene-page',
  });
  const drawn = new WeakMap(); // things' elements
  const layer = svgEl('g');
  const marks = svgEl('g', {class: 'marks'});
  page.append(
    svgEl('rect', {class: 'paper', width: UNITS, height: UNITS * HEIGHT, fill: WHITE}),
    layer,
    marks,
  );

  function elementOf(thing) {
    if (!drawn.has(thing)) drawn.set(thing, thingElement(thing, model));
    return drawn.get(thing);
  }

  function update() {
    const {at, thing, line} = selection;
    layer.replaceChildren(...store.state.scene.placed.map(elementOf));
    for (const path of layer.querySelectorAll('.is-line')) path.classList.remove('is-line');
    marks.replaceChildren(...(thing ? marksOf(thing, line, at.point, model) : []));
    if (line)
      layer
        .querySelector(`[data-id="${at.id}"] .stroke[data-index="${at.index}"]`)
        ?.classList.add('is-line');
  }
  selection.changed(update);
  moving(page, context, selection);
  return el('div', {class: 'paper-sheet scene-sheet'}, page);
}

function thingElement(thing, model) {
  const {x, y, scale, turn, id} = thing;
  const transform = `translate(${UNITS * x} ${UNITS * y}) rotate(${turn}) scale(${scale}) translate(${-UNITS / 2} ${-UNITS / 2})`;
  const drawing = thing.own ? null : model.itemDrawing(thing.item);
  if (drawing?.image) return svgEl('g', {transform, 'data-id': id}, pixelElement(drawing));
  const paths = strokesOf(thing, model).flatMap((stroke) => {
    const shared = {d: pathOf(stroke, UNITS), 'data-index': stroke.index};
    const width = UNITS * stroke.width;
    return [
      svgEl('path', {...shared, class: 'hit', 'stroke-width': Math.max(width, HIT / scale)}),
      svgEl('path', {...shared, class: 'stroke', stroke: stroke.colour, 'stroke-width': width}),
    ];
  });
  return svgEl('g', {transform, 'data-id': id}, paths);
}

function pixelElement(drawing) {
  const whole = {x: 0, y: 0, scale: 1, pen: 1};
  const {url, x, y, width, height} = onPage(
    drawing,
    whole,
    {paper: WHITE, ink: '#000000'},
    [1, 1],
  ).inked;
  const box = {x: UNITS * x, y: UNITS * y, width: UNITS * width, height: UNITS * height};
  return svgEl('image', {...box, href: url, class: 'pixels'});
}

// A frame around the thing that is selected, and handles at the points of its line.
function marksOf(thing, line, point, model) {
  const place = placer(thing);
  const toUnits = (at) => place(at).map((each) => UNITS * each);
  const [left, top, right, bottom] = boundsOf(strokesOf(thing, model)) ?? [0, 0, 1, 1];
  const corners = [
    [left, top],
    [right, top],
    [right, bottom],
    [left, bottom],
  ].map(toUnits);
  const frame = svgEl('polygon', {
    points: corners.map((corner) => corner.join(',')).join(' '),
    class: 'frame',
  });
  const handles = (line?.points ?? []).map((each, i) => {
    const [cx, cy] = toUnits(each);
    return svgEl('circle', {
      cx,
      cy,
      r: 10,
      class: ['handle', i === point ? 'is-point' : ''],
      'data-point': i,
    });
  });
  return [frame, ...handles];
}

function moving(page, context, selection) {
  let press = null; // where the pointer went down, and what it moves
  let gestures = 0;
  const placeOf = (event) => {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(
      page.getScreenCTM().inverse(),
    );
    return [at.x / UNITS, at.y / UNITS];
  };
  page.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    const {at} = selection;
    const id = event.target.closest('[data-id]')?.dataset.id ?? null;
    if (event.target.dataset.point) {
      selection.set({...at, point: Number(event.target.dataset.point)});
    } else if (id !== null && id === at.id && event.target.dataset.index) {
      press = {lines: Number(event.target.dataset.index)};
    } else {
      selection.set({id});
    }
    if (selection.at.id === null) return;
    press = {...press, from: placeOf(event), at: [event.clientX, event.clientY], isDrag: false};
    page.setPointerCapture(event.pointerId);
  });
  page.addEventListener('pointermove', (event) => {
    if (!press) return;
    const far = Math.hypot(event.clientX - press.at[0], event.clientY - press.at[1]);
    if (!press.isDrag && far < DRAG) return;
    if (!press.isDrag) gestures += 1;
    press.isDrag = true;
    const place = placeOf(event);
    nudge(
      context,
      selection,
      place.map((each, axis) => each - press.from[axis]),
      `drag ${gestures}`,
    );
    press.from = place;
  });
  const end = () => {
    // A press on a line of what is selected already selects the line.
    if (press && !press.isDrag && press.lines !== undefined)
      selection.set({id: selection.at.id, index: press.lines});
    press = null;
  };
  page.addEventListener('pointerup', end);
  page.addEventListener('pointercancel', () => (press = null));
  page.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = event.shiftKey ? 5 : 1;
    const does = KEYS[event.key];
    if (!does) return;
    event.preventDefault();
    does(context, selection, steps);
  });
}

// Moves what is selected by a step on the sheet.
function nudge({store}, {thing, line, at}, by, gesture = null) {
  if (!thing) return;
  if (!line) {
    store.dispatch('moveThing', {id: thing.id, by}, gesture);
    return;
  }
  const [across, down] = onOwnPage(thing, by);
  const points = line.points.map(([x, y], i) => {
    return at.point === null || at.point === i ? [x + across, y + down] : [x, y];
  });
  store.dispatch('editLine', {id: thing.id, index: at.index, points}, gesture);
}

const mover =
  (across, down) =>
  (context, selection, steps = 1) => {
    nudge(context, selection, [across * steps * STEP, down * steps * STEP]);
  };
const ofThing =
  (name, more) =>
  ({store}, {thing}) => {
    if (thing) store.dispatch(name, {id: thing.id, ...more});
  };
const widen =
  (times) =>
  ({store, announce}, {thing, line, at}) => {
    if (!line) announce('Choose a line first');
    else
      store.dispatch('editLine', {
        id: thing.id,
        index: at.index,
        width: within(line.width * times, THINNEST, WIDEST),
      });
  };

function remove({store, announce}, {thing, line, at}) {
  if (!thing) return;
  if (line) store.dispatch('editLine', {id: thing.id, index: at.index, gone: true});
  else store.dispatch('removeThing', thing.id);
  announce(line ? 'The line is gone' : 'The thing is gone');
}

function another({store}, {thing}) {
  if (thing)
    store.dispatch('seedThing', {id: thing.id, seed: String(BigInt(thing.item.seed ?? 0) + 101n)});
}

// Selects the thing after the selected one, or before it.
const next =
  (by) =>
  ({store, model, announce}, selection) => {
    const {placed} = store.state.scene;
    if (!placed.length) return;
    const at = placed.findIndex(({id}) => id === selection.at.id);
    const to = (at + by + placed.length + (at < 0 && by < 0 ? 1 : 0)) % placed.length;
    selection.set({id: placed[to].id});
    announce(nameOf(model, placed[to], to));
  };

const larger = ofThing('sizeThing', {times: GROWTH});
const smaller = ofThing('sizeThing', {times: 1 / GROWTH});
const KEYS = {
  ArrowLeft: mover(-1, 0),
  ArrowRight: mover(1, 0),
  ArrowUp: mover(0, -1),
  ArrowDown: mover(0, 1),
  '+': larger,
  '-': smaller,
  Delete: remove,
  Backspace: remove,
  PageDown: next(1),
  PageUp: next(-1),
};
const BUTTONS = [
  ['Move', {Left: KEYS.ArrowLeft, Up: KEYS.ArrowUp, Down: KEYS.ArrowDown, Right: KEYS.ArrowRight}],
  [
    'Size and turn',
    {
      Larger: larger,
      Smaller: smaller,
      'Turn left': ofThing('turnThing', {by: -TURN}),
      'Turn right': ofThing('turnThing', {by: TURN}),
    },
  ],
  ['Line', {Wider: widen(GROWTH ** 2), Thinner: widen(GROWTH ** -2)}],
  [
    'Thing',
    {
      'Another one': another,
      'To the front': ofThing('layerThing', {by: 1}),
      'To the back': ofThing('layerThing', {by: -1}),
      Remove: remove,
    },
  ],
];

function controls(context, selection) {
  const lines = el('select', {id: 'scene-line'});
  const points = el('select', {id: 'scene-point'});
  lines.addEventListener('change', () => {
    selection.set({id: selection.at.id, index: lines.value === '' ? null : Number(lines.value)});
  });
  points.addEventListener('change', () => {
    selection.set({...selection.at, point: points.value === '' ? null : Number(points.value)});
  });
  const groups = BUTTONS.map(([name, all]) => {
    const buttons = Object.entries(all).map(([title, does]) =>
      button(title, () => does(context, selection)),
    );
    return el('div', {class: 'bar', role: 'group', 'aria-label': name}, buttons);
  });
  const root = el(
    'section',
    {class: 'controls'},
    el(
      'div',
      {class: 'bar'},
      el('label', {class: 'field'}, 'Line', lines),
      el('label', {class: 'field'}, 'Point', points),
    ),
    groups,
  );
  selection.changed(() => {
    const {thing, line, at} = selection;
    root.hidden = !thing;
    if (!thing) return;
    const strokes = strokesOf(thing, context.model);
    fill(
      lines,
      [['', 'the whole thing'], ...strokes.map(({index}, i) => [index, `line ${i + 1}`])],
      at.index,
    );
    fill(
      points,
      [['', 'all of it'], ...(line?.points ?? []).map((_, i) => [i, `point ${i + 1}`])],
      at.point,
    );
    points.disabled = !line;
  });
  return root;
}

function fill(select, options, value) {
  const told = JSON.stringify(options);
  if (select.dataset.told !== told) {
    select.replaceChildren(...options.map(([each, text]) => el('option', {value: each}, text)));
    select.dataset.told = told;
  }
  select.value = value ?? '';
}

// ---- Files ----

// A scene as a picture of the writers of files.
export function sceneSheet({placed}, model) {
  const parts = placed.map((thing) => {
    const drawing = thing.own ? null : model.itemDrawing(thing.item);
    if (drawing?.image) {
      const half = thing.scale / 2;
      const at = {x: UNITS * (thing.x - half), y: UNITS * (thing.y - half), scale: thing.scale};
      return {drawing, ...at, isBare: true};
    }
    const place = placer(thing);
    const strokes = strokesOf(thing, model).map(({points, width, colour}) => {
      const moved = points.map((point) => {
        const [x, y] = place(point);
        return [x, y + (1 - HEIGHT) / 2]; // A drawing's page has its middle at (0.5, 0.5).
      });
      return {points: moved, width: thing.scale * width, colour};
    });
    return {
      drawing: {strokes, paper: WHITE, shape: [HEIGHT, 1]},
      x: 0,
      y: 0,
      scale: 1,
      isBare: true,
    };
  });
  return {width: UNITS, height: UNITS * HEIGHT, ground: WHITE, parts};
}

// What made a scene: its drawings, where they are, and lines of a person's own.
export function sceneRecipe({words, placed}, model) {
  const source = placed.some(({own}) => own) ? COMPOSITE : TRAINED;
  const scene = {
    words,
    height: HEIGHT,
    places: placed.map(({x, y, scale}) => [x, y, scale]),
    placed: placed.map(({x, y, scale, turn, own}) => ({x, y, scale, turn, ...(own ? {own} : {})})),
  };
  return recipeOf(
    model,
    placed.map(({item}) => item),
    {source, scene},
  );
}

const WRITERS = {
  SVG: ['.svg', ({sheet, recipe}) => svgText(sheet, recipe)],
  PNG: ['.png', ({sheet, recipe}) => pngBytes(pixelsOf(sheet, PIXELS), recipe)],
  PDF: ['.pdf', ({sheet, recipe}) => pdfBytes(sheet, PAPER, recipe)],
  Plotter: ['-plotter.svg', ({sheet, recipe}) => plotterSvg(sheet, PAPER, recipe)],
};

function saving({store, model, announce}) {
  const writers = Object.entries(WRITERS).filter(([title]) => model.isPen || title !== 'Plotter');
  const buttons = writers.map(([title, [ending, write]]) =>
    button(
      title,
      async () => {
        const {scene} = store.state;
        const name = `${
          scene.words
            .replace(/[^a-z0-9]+/gi, '-')
            .replace(/^-|-$/g, '')
            .slice(0, 60) || 'scene'
        }${ending}`;
        save(
          name,
          await write({sheet: sceneSheet(scene, model), recipe: sceneRecipe(scene, model)}),
        );
        announce(`Saved as ${name}`);
      },
      {id: `scene-${title.toLowerCase()}`},
    ),
  );
  return el(
    'section',
    {class: 'saving'},
    el('h3', {}, 'Save as'),
    el('div', {class: 'bar'}, buttons),
  );
}
