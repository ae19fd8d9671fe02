// The favourites, which this browser keeps: to look at, to mix, to walk through, to save.

import {children} from './breeding.js';
import {button, el, picture} from './dom.js';
import {saveAll} from './downloads.js';
import {grid, withChosen} from './grid.js';
import {nameOf} from './items.js';
import * as walk from './walk.js';

const [FEWEST, MOST] = [2, 4]; // parents of a child

export const actions = {
  mix: (state, {parents, bred}) => withChosen({...state, parents, bred}, state.chosen),
  chooseNone: (state) => (state.chosen.length ? {...state, chosen: []} : state),
};

export function mount(root, context) {
  const {store} = context;
  const [own, bred] = [
    grid(context, 'Favourites', {canChoose: true}),
    grid(context, 'Children', {canChoose: true}),
  ];
  const parents = el('div', {class: 'parents'});
  const told = el('p', {class: 'quiet', id: 'chosen'});
  const mix = button('Mix', () => mixChosen(context), {id: 'mix', class: 'primary'});
  const none = button('Choose none', () => store.dispatch('chooseNone'), {id: 'choose-none'});
  const again = button('Mix these again', () => breed(context, store.state.parents), {id: 'again'});
  const zip = button('Save all as zip', () => saveAll(context), {id: 'zip'});
  const empty = el(
    'div',
    {class: 'empty'},
    el(
      'p',
      {},
      'Nothing here yet. Give a drawing of the sheet a heart, or press F on it, and it stays here from visit to visit, in this browser only.',
    ),
    button('To the sheet', () => context.show('sheet', true)),
  );
  const family = el(
    'section',
    {class: 'family'},
    el('div', {class: 'bar'}, el('h2', {}, 'Children'), parents, again),
    bred.element,
  );
  const strip = el('section', {class: 'walk'});
  const full = el(
    'div',
    {class: 'shelf'},
    el('div', {class: 'bar'}, told, mix, none, zip),
    own.element,
  );

  root.append(el('h2', {class: 'hidden'}, 'Favourites'), empty, full, family, strip);
  walk.mount(strip, context);
  store.select(
    ({favourites}) => favourites,
    (items) => {
      own.set(items);
      empty.hidden = items.length > 0;
      full.hidden = strip.hidden = items.length === 0;
    },
  );
  store.select(
    (state) => state.bred,
    (items) => {
      bred.set(items);
      family.hidden = items.length === 0;
    },
  );
  store.select(
    (state) => state.parents,
    (items) => {
      parents.replaceChildren(...items.map((item) => smallPicture(context, item)));
    },
  );
  store.select(
    ({chosen}) => chosen,
    ({length}) => {
      told.textContent = length
        ? `${length} chosen${length > MOST ? ': at most four can be mixed' : ''}`
        : 'Choose two to four to mix';
      mix.setAttribute('aria-disabled', String(length < FEWEST || length > MOST));
      none.hidden = length === 0;
    },
  );
}

function smallPicture({model}, item) {
  return el(
    'span',
    {role: 'img', 'aria-label': nameOf(model, item), class: 'small'},
    picture(model.itemDrawing(item)),
  );
}

// The items of a state that are chosen, in the order in which they were.
export function chosenOf({chosen, favourites, bred}) {
  const all = [...favourites, ...bred];
  return chosen.map((id) => all.find((item) => item.id === id));
}

function mixChosen(context) {
  const parents = chosenOf(context.store.state);
  if (parents.length < FEWEST || parents.length > MOST) {
    context.announce(`Choose two to four to mix: ${parents.length} chosen`);
    return;
  }
  breed(context, parents);
}

function breed({store, model, announce}, parents) {
  const seed = crypto.getRandomValues(new Uint32Array(1))[0];
  const bred = children(model, parents, seed);
  store.dispatch('mix', {parents, bred});
  announce(`${bred.length} children of ${parents.length}`);
}
