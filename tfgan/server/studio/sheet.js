// The contact sheet: drawings or pieces of one kind or of all, one after the other.

import {button, el} from './dom.js';
import {grid} from './grid.js';
import {itemOfSeed, kindOf} from './items.js';
import {legend} from './player.js';

const PAGE = {drawings: 24, pieces: 12}; // that come at a time
const LENGTHS = [4, 8, 16]; // bars of pieces that are offered
const MOST_CHIPS = 24; // Of more kinds one picks from a list.

export const actions = {
  pickKind: (state, label) => (label === state.label ? state : {...state, label}),
  setTruncation: (state, truncation) =>
    truncation === state.truncation ? state : {...state, truncation},
  pickBars: (state, bars) => (bars === state.bars ? state : {...state, bars}),
  startFrom: (state, from) => (from === state.from ? state : {...state, from}),
};

export function mount(root, context) {
  const {store, model, announce} = context;
  const noun = model.isMusic ? 'pieces' : 'drawings';
  const drawings = grid(context, model.isMusic ? 'Pieces' : 'Drawings');
  const told = el('span', {class: 'quiet', id: 'sheet-range'});
  let shown = 0;

  function more() {
    const {label, from, truncation, bars} = store.state;
    const first = BigInt(from) + BigInt(shown);
    drawings.add(
      Array.from({length: PAGE[noun]}, (_, i) => {
        const seed = BigInt.asIntN(64, first + BigInt(i));
        return itemOfSeed(model, seed, label, truncation, bars ? {bars} : {});
      }),
    );
    shown += PAGE[noun];
    told.textContent = `${shown} ${noun} from seed ${from}`;
  }

  function again() {
    shown = 0;
    drawings.set([]);
    if (root.hidden) return;
    more();
    window.scrollTo({top: 0});
    fill();
  }

  // Draws on while the end is near what is seen. Pieces take their time to be looked at and heard.
  function fill() {
    if (root.hidden || !shown || model.isMusic) return;
    const left = document.documentElement.scrollHeight - window.scrollY - window.innerHeight;
    if (left < window.innerHeight / 2) more();
  }

  function moreByButton() {
    const before = shown;
    more();
    drawings.focus(before);
    announce(`${PAGE[noun]} more ${noun}`);
  }

  root.append(
    el('h2', {class: 'hidden'}, 'Contact sheet'),
    el('div', {class: 'bar'}, kinds(context), model.isMusic ? lengths(context) : variety(context)),
    model.isMusic ? legend(model) : '',
    drawings.element,
    el(
      'div',
      {class: 'foot'},
      told,
      button('More', moreByButton, {id: 'more'}),
      button('Another sheet', () => store.dispatch('startFrom', randomSeed()), {id: 'another'}),
    ),
  );
  window.addEventListener('scroll', fill, {passive: true});
  root.addEventListener('shown', () => (shown ? fill() : again()));
  const asked = ({label, from, truncation, bars}) => `${label} ${from} ${truncation} ${bars}`;
  store.select(asked, again);
}

// A start of a sheet that nobody has seen: a whole number a person can type again.
function randomSeed() {
  return String(crypto.getRandomValues(new Uint32Array(1))[0]);
}

function kinds({store, model}) {
  const labels = [null, ...(model.classNames ?? []).keys()];
  const name = (label) => (label === null ? 'all' : kindOf(model, label));
  if (labels.length > MOST_CHIPS) return kindList(store, labels, name);
  const chips = labels.map((label) => {
    const input = el('input', {
      type: 'radio',
      name: 'kind',
      value: label ?? 'all',
      class: 'hidden',
    });
    input.addEventListener('change', () => store.dispatch('pickKind', label));
    store.select(
      (state) => state.label,
      (now) => (input.checked = now === label),
    );
    return el('label', {class: 'chip'}, input, el('span', {}, name(label)));
  });
  return el('fieldset', {class: 'chips'}, el('legend', {class: 'hidden'}, 'Kind'), chips);
}

function kindList(store, labels, name) {
  const options = labels.map((label) => el('option', {value: label ?? 'all'}, name(label)));
  const list = el('select', {id: 'kind'}, options);
  list.addEventListener('change', () => {
    store.dispatch('pickKind', list.value === 'all' ? null : Number(list.value));
  });
  store.select(
    (state) => state.label,
    (now) => (list.value = now ?? 'all'),
  );
  return el('label', {class: 'field'}, 'Kind', list);
}

function variety({store}) {
  const input = el('input', {type: 'range', min: '0.1', max: '1', step: '0.05', id: 'variety'});
  let moves = 0;
  input.addEventListener('input', () => {
    store.dispatch('setTruncation', Number(input.value), `variety ${moves}`);
  });
  input.addEventListener('change', () => (moves += 1));
  store.select(
    ({truncation}) => truncation,
    (now) => (input.value = now),
  );
  return el('label', {class: 'field'}, 'Variety', input);
}

// How long pieces are, where a model makes any length of them.
function lengths({store, model}) {
  if (!model.hasAnyLength) return null;
  const all = [...new Set([...LENGTHS, model.bars])].sort((a, b) => a - b);
  const options = all.map((bars) => el('option', {value: bars}, `${bars} bars`));
  const list = el('select', {id: 'bars'}, options);
  list.addEventListener('change', () => {
    const bars = Number(list.value);
    store.dispatch('pickBars', bars === model.bars ? null : bars);
  });
  store.select(
    ({bars}) => bars,
    (now) => (list.value = now ?? model.bars),
  );
  return el('label', {class: 'field'}, 'Length', list);
}
