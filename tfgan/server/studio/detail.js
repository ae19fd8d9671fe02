// One drawing, large: to slide, to keep a part of while the rest is varied, and to save.

import {variations} from './breeding.js';
import {button, el, picture, roving} from './dom.js';
import * as downloads from './downloads.js';
import {favour, grid} from './grid.js';
import {lettersAreOn} from './help.js';
import {kindOf, nameOf, withId} from './items.js';

const NOTCHES = 8; // from one end of a slider to the other, by the pictures of its ends
const STEPS = 100; // and by its keys and pointer
const CALM_MS = 150; // without a move, until the pictures of the ends are drawn again

export const actions = {
  slide(state, {name, value}) {
    if (!state.current || state.current.sliders?.[name] === value) return state;
    const sliders = {...state.current.sliders, [name]: value};
    return {...state, current: withId({...state.current, sliders})};
  },

  slideBack(state) {
    if (!state.current?.sliders) return state;
    const {sliders, ...current} = state.current;
    return {...state, current: withId(current)};
  },

  keep(state, index) {
    const keep = state.keep.includes(index)
      ? state.keep.filter((each) => each !== index)
      : [...state.keep, index].sort((a, b) => a - b);
    return {...state, keep};
  },

  vary: (state, items) => ({...state, variations: items}),
};

export function mount(root, context) {
  const {store} = context;
  const empty = el(
    'div',
    {class: 'empty'},
    el('p', {}, 'No drawing is open. Open one from the sheet.'),
    button('To the sheet', () => context.show('sheet', true)),
  );
  const whole = el('div', {class: 'detail'});
  root.append(el('h2', {class: 'hidden'}, 'Drawing'), empty, whole);
  mountWhole(whole, context);
  store.select(
    ({current}) => current === null,
    (isNone) => {
      empty.hidden = !isNone;
      whole.hidden = isNone;
    },
  );
}

function mountWhole(root, context) {
  const {store, model} = context;
  const sheet = el('div', {class: 'paper-sheet'});
  const title = el('h3', {class: 'title', tabindex: '-1', 'data-first': true});
  const heart = button('Favourite', () => favour(context, store.state.current), {
    id: 'favour',
    'aria-keyshortcuts': 'F',
  });
  const side = el('div', {class: 'side'});
  const varied = grid(context, 'Variations');
  const family = el('section', {class: 'family'}, el('h3', {}, 'Variations'), varied.element);
  root.append(
    el('figure', {class: 'large'}, sheet, el('figcaption', {class: 'bar'}, title, heart)),
    side,
    family,
  );
  sliders(side, context);
  keeping(side, sheet, context);
  downloads.mount(side, context);
  const draw = ({current, keep}) => {
    const shown = picture(model.itemDrawing(current));
    shown.querySelectorAll('.stroke').forEach((path) => {
      if (!keep.includes(Number(path.dataset.index))) return;
      path.classList.add('kept');
      shown.append(path); // so that none lies on it
    });
    sheet.replaceChildren(shown);
  };
  store.select(
    ({current}) => current,
    (item) => {
      if (!item) return;
      title.replaceChildren(
        kindOf(model, item.label),
        el('span', {class: 'quiet'}, nameOf(model, item).replace(kindOf(model, item.label), '')),
      );
    },
  );
  root.addEventListener('keydown', (event) => {
    const isOurs =
      event.key === 'f' && lettersAreOn() && !event.ctrlKey && !event.metaKey && !event.altKey;
    if (isOurs && !event.target.closest('.grid, .field')) favour(context, store.state.current);
  });
  store.subscribe(drawn);
  let last = [];
  drawn(store.state);
  store.select(
    (state) => state.variations,
    (items) => {
      varied.set(items);
      family.hidden = items.length === 0;
    },
  );

  function drawn(state) {
    if (!state.current) return;
    heart.setAttribute(
      'aria-pressed',
      String(state.favourites.some(({id}) => id === state.current.id)),
    );
    if (last[0] === state.current && last[1] === state.keep) return;
    last = [state.current, state.keep];
    draw(state);
  }
}

function sliders(side, context) {
  const {store, model} = context;
  const all = model.sliders?.sliders ?? [];
  if (!all.length) return;
  const rows = all.map((slider) => row(context, slider));
  const back = button('All back', () => store.dispatch('slideBack'), {id: 'slide-back'});
  side.append(
    el(
      'section',
      {class: 'sliders'},
      el('div', {class: 'bar'}, el('h3', {}, 'Change'), back),
      rows,
    ),
  );
  store.select(
    ({current}) => Boolean(current?.sliders),
    (isMoved) => (back.hidden = !isMoved),
  );
}

function row({store, model}, {name, low, high, default: rest}) {
  const id = `slider-${name}`;
  const input = el('input', {type: 'range', id, min: low, max: high, step: (high - low) / STEPS});
  let moves = 0;
  const valueOf = (item) => item?.sliders?.[name] ?? rest;
  const slideTo = (value) => store.dispatch('slide', {name, value}, `${name} ${moves}`);
  input.addEventListener('input', () => slideTo(Number(input.value)));
  input.addEventListener('change', () => (moves += 1));
  const ends = [
    [low, -1, 'less'],
    [high, 1, 'more'],
  ].map(([value, sign, word]) => {
    const move = () => {
      const moved = valueOf(store.state.current) + (sign * (high - low)) / NOTCHES;
      moves += 1;
      slideTo(Math.min(high, Math.max(low, moved)));
    };
    return {value, button: button('', move, {class: 'end', 'aria-label': `${name}: ${word}`})};
  });
  const drawEnds = () => {
    const item = store.state.current;
    if (!item) return;
    for (const end of ends) {
      const sliders = {...item.sliders, [name]: end.value};
      end.button.replaceChildren(picture(model.itemDrawing({...item, sliders})));
    }
  };
  let waiting = null;
  store.select(
    ({current}) => current,
    (item) => {
      if (!item) return;
      input.value = valueOf(item);
      clearTimeout(waiting);
      waiting = setTimeout(drawEnds, CALM_MS);
    },
  );
  return el(
    'div',
    {class: 'slider'},
    el('label', {for: id}, name),
    ends[0].button,
    input,
    ends[1].button,
  );
}

// What is kept is chosen in a list, or by a click on a stroke of the drawing.
function keeping(side, sheet, context) {
  const {store, model, announce} = context;
  const list = el('div', {class: 'strokes', role: 'group', 'aria-label': 'Strokes to keep'});
  const vary = button(
    'Vary',
    () => {
      const {current, keep} = store.state;
      const seed = crypto.getRandomValues(new Uint32Array(1))[0];
      const items = variations(model, current, keep, seed);
      store.dispatch('vary', items);
      announce(`${items.length} variations${keep.length ? `, ${keep.length} strokes kept` : ''}`);
    },
    {id: 'vary', class: 'primary'},
  );
  side.append(
    el(
      'section',
      {class: 'keeping'},
      el('div', {class: 'bar'}, el('h3', {}, model.isPen ? 'Keep a part' : 'Vary'), vary),
      model.isPen
        ? el('p', {class: 'quiet'}, 'Pick strokes here or in the drawing; the rest is varied.')
        : null,
      model.isPen ? list : null,
    ),
  );
  if (!model.isPen) return;
  roving(list, 'input');
  sheet.addEventListener('click', (event) => {
    const path = event.target.closest('.stroke');
    if (path) store.dispatch('keep', Number(path.dataset.index));
  });
  let waiting = null;
  let last = null;
  store.select(
    ({current}) => current,
    (item) => {
      clearTimeout(waiting);
      if (!item) last = null;
      if (!item) return;
      // While a slider moves, the strokes stay the same ones, and their pictures can wait.
      const {id, sliders: _, ...of} = item;
      const isSlid = JSON.stringify(of) === last;
      last = JSON.stringify(of);
      const fill = () => fillStrokes(list, context, model.itemDrawing(item));
      if (isSlid) waiting = setTimeout(fill, CALM_MS);
      else fill();
    },
  );
  store.select(
    ({keep}) => keep,
    (keep) => {
      vary.textContent = keep.length ? 'Vary the rest' : 'Vary';
      for (const input of list.querySelectorAll('input'))
        input.checked = keep.includes(Number(input.value));
    },
  );
}

function fillStrokes(list, {store}, drawing) {
  const focused = list.contains(document.activeElement) ? document.activeElement.value : null;
  const labels = drawing.strokes.map(({index}, i) => {
    const input = el('input', {type: 'checkbox', value: index, class: 'hidden'});
    input.checked = store.state.keep.includes(index);
    input.addEventListener('change', () => store.dispatch('keep', index));
    const shown = picture(drawing);
    shown.querySelectorAll('.stroke')[i].classList.add('own');
    return el(
      'label',
      {class: 'stroke-choice'},
      input,
      shown,
      el('span', {class: 'hidden'}, `Stroke ${i + 1}`),
    );
  });
  list.replaceChildren(...labels);
  if (focused !== null) list.querySelector(`input[value="${focused}"]`)?.focus();
}
