// Grids of drawings or pieces, as on a contact sheet: each can be opened, favoured, perhaps chosen.

import {button, el, picture, roving} from './dom.js';
import {inWords} from './engine/pieces.js';
import {lettersAreOn} from './help.js';
import {nameOf, withId} from './items.js';

const FRAME_MS = 12; // of drawing at a time, so that the page answers meanwhile

export const actions = {
  // Makes a favourite of an item, or no longer one.
  favour(state, item) {
    const isOne = state.favourites.some(({id}) => id === item.id);
    const favourites = isOne
      ? state.favourites.filter(({id}) => id !== item.id)
      : [...state.favourites, item];
    return withChosen({...state, favourites}, state.chosen);
  },

  choose(state, id) {
    const chosen = state.chosen.includes(id)
      ? state.chosen.filter((each) => each !== id)
      : [...state.chosen, id];
    return withChosen(state, chosen);
  },

  open(state, given) {
    const item = withId(given);
    return state.current?.id === item.id
      ? state
      : {...state, current: item, keep: [], variations: []};
  },
};

// A state in which of some names those are chosen that are there.
export function withChosen(state, names) {
  const there = new Set([...state.favourites, ...state.bred].map(({id}) => id));
  return {...state, chosen: names.filter((id) => there.has(id))};
}

// A grid of the context's drawings; `name` tells screen readers what they are.
export function grid(context, name, {canChoose = false} = {}) {
  const {store} = context;
  const list = el('ul', {class: 'grid', 'aria-label': name});
  const cells = new Map(); // by an item's id
  const waiting = []; // cells that have no picture yet
  let drawing = false;
  roving(list, '.drawing');
  list.addEventListener('keydown', (event) => letters(event, context, cells, canChoose));
  store.select(
    ({favourites}) => favourites,
    () => cells.forEach((cell) => cell.update()),
  );
  if (canChoose)
    store.select(
      ({chosen}) => chosen,
      () => cells.forEach((cell) => cell.update()),
    );

  function drawSome() {
    const end = performance.now() + FRAME_MS;
    while (waiting.length && performance.now() < end) waiting.shift().draw();
    drawing = waiting.length > 0;
    if (drawing) requestAnimationFrame(drawSome);
    else list.dispatchEvent(new Event('drawn'));
  }

  function add(items) {
    for (const item of items) {
      if (cells.has(item.id)) continue;
      const cell = newCell(context, item, canChoose);
      cells.set(item.id, cell);
      waiting.push(cell);
      list.append(cell.element);
    }
    if (!drawing) drawSome();
  }

  // Shows these items, and keeps the pictures that are there already.
  function set(items) {
    const wanted = new Map(items.map((item) => [item.id, item]));
    const focused = [...cells.values()].findIndex(({element}) =>
      element.contains(document.activeElement),
    );
    const lost = focused >= 0 && !wanted.has([...cells.keys()][focused]);
    for (const [id, cell] of [...cells]) {
      if (wanted.has(id)) continue;
      cell.element.remove();
      cells.delete(id);
      if (waiting.includes(cell)) waiting.splice(waiting.indexOf(cell), 1);
    }
    add(items);
    const ordered = items.map(({id}) => cells.get(id).element);
    if (ordered.some((element, i) => list.children[i] !== element))
      list.replaceChildren(...ordered);
    if (lost)
      (
        list.querySelectorAll('.drawing')[Math.min(focused, items.length - 1)] ??
        list.parentElement.querySelector('button')
      )?.focus();
  }

  return {element: list, add, set, focus: (at) => list.querySelectorAll('.drawing')[at]?.focus()};
}

function newCell(context, item, canChoose) {
  const {store, model} = context;
  const name = nameOf(model, item);
  const open = button('', () => context.open(item), {
    class: 'drawing',
    'aria-label': name,
    'aria-keyshortcuts': canChoose ? 'F C' : 'F',
    tabindex: '-1',
  });
  const heart = button('', () => favour(context, item), {class: 'mark heart', tabindex: '-1'});
  const tick = canChoose
    ? button('', () => choose(context, item), {class: 'mark tick', tabindex: '-1'})
    : null;
  heart.setAttribute('aria-label', `Favourite: ${name}`);
  tick?.setAttribute('aria-label', `Choose: ${name}`);
  const attributes = {class: 'cell', 'data-id': item.id, 'data-bars': item.bars};
  const element = el('li', attributes, open, heart, tick);

  function update() {
    const {favourites, chosen} = store.state;
    heart.setAttribute('aria-pressed', String(favourites.some(({id}) => id === item.id)));
    const isChosen = chosen.includes(item.id);
    tick?.setAttribute('aria-pressed', String(isChosen));
    element.classList.toggle('chosen', canChoose && isChosen);
  }
  update();
  return {
    element,
    item,
    update,
    draw() {
      const drawing = model.itemDrawing(item);
      open.replaceChildren(picture(drawing));
      if (drawing.pitch) open.setAttribute('aria-label', `${name}: ${inWords(drawing)}`);
    },
  };
}

function letters(event, context, cells, canChoose) {
  const item = cells.get(event.target.closest('.cell')?.dataset.id)?.item;
  if (!item || !lettersAreOn() || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === 'f') favour(context, item);
  else if (event.key === 'c' && canChoose) choose(context, item);
}

export function favour({store, model, announce}, item) {
  store.dispatch('favour', item);
  const isOne = store.state.favourites.some(({id}) => id === item.id);
  announce(`${nameOf(model, item)}: ${isOne ? 'a favourite now' : 'no favourite any more'}`);
}

function choose({store, model, announce}, item) {
  store.dispatch('choose', item.id);
  const isChosen = store.state.chosen.includes(item.id);
  announce(
    `${nameOf(model, item)}: ${isChosen ? 'chosen' : 'not chosen'}, ${store.state.chosen.length} in all`,
  );
}
