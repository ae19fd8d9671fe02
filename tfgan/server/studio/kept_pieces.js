// The favourites of a model of music, which this browser keeps: to hear, and to save.

import {button, el} from './dom.js';
import {grid} from './grid.js';

export const actions = {};

export function mount(root, context) {
  const {store} = context;
  const own = grid(context, 'Favourites');
  const zip = button('Save all as zip', () => context.player.saveAll(store.state.favourites), {
    id: 'zip',
  });
  const empty = el(
    'div',
    {class: 'empty'},
    el(
      'p',
      {},
      'Nothing here yet. Give a piece of the sheet a heart, or press F on it, and it stays here from visit to visit, in this browser only.',
    ),
    button('To the sheet', () => context.show('sheet', true)),
  );
  const full = el('div', {class: 'shelf'}, el('div', {class: 'bar'}, zip), own.element);
  root.append(el('h2', {class: 'hidden'}, 'Favourites'), empty, full);
  store.select(
    ({favourites}) => favourites,
    (items) => {
      own.set(items);
      empty.hidden = items.length > 0;
      full.hidden = items.length === 0;
    },
  );
}
