// A walk through the favourites, or those of them that are chosen: played here, and saved as GIF.

import {button, el, picture} from './dom.js';
import {saveWalk} from './downloads.js';
import {STEPS, drawingAt, frameSecs} from './frames.js';
import {nameOf} from './items.js';

const STILL_MS = 1200; // of a favourite, where motion is to be reduced
const FEWEST = 2;

export const isStill = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

// The items of a walk: the chosen ones, or all favourites if fewer than two are.
function stops({chosen, favourites, bred}) {
  const found = [...favourites, ...bred].filter(({id}) => chosen.includes(id));
  return found.length < FEWEST ? favourites : found;
}

export function mount(root, context) {
  const {store, model, announce} = context;
  const stage = el('div', {class: 'stage', role: 'img', 'aria-label': 'The walk'});
  const place = el('input', {type: 'range', min: '0', step: '1', value: '0', id: 'walk-place'});
  const play = button('Play', () => (timer ? stop() : start()), {id: 'play'});
  let [timer, items, at] = [null, [], 0];

  function shown(frame) {
    at = frame;
    stage.replaceChildren(picture(drawingAt(model, items, at)));
    const item = items[Math.floor(at / STEPS)];
    stage.setAttribute(
      'aria-label',
      `The walk, ${at % STEPS ? 'from' : 'at'} ${nameOf(model, item)}`,
    );
    place.value = at;
  }

  function start() {
    play.textContent = 'Pause';
    announce('The walk is played');
    const step = isStill() ? STEPS : 1;
    const go = () => shown((at - (at % step) + step) % (items.length * STEPS));
    timer = setInterval(go, isStill() ? STILL_MS : 1000 * frameSecs);
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    play.textContent = 'Play';
  }

  place.addEventListener('input', () => {
    stop();
    shown(Number(place.value));
  });
  const few = el('p', {class: 'quiet'}, 'A walk takes two favourites or more.');
  const whole = el(
    'div',
    {class: 'walk-parts'},
    stage,
    el(
      'div',
      {class: 'stack'},
      el('label', {class: 'field'}, 'Place', place),
      el(
        'div',
        {class: 'bar'},
        play,
        button('Save as GIF', () => saveWalk(context, items), {id: 'gif'}),
      ),
    ),
  );
  root.append(el('h2', {}, 'A walk'), few, whole);
  document.addEventListener('visibilitychange', () => document.hidden && stop());
  new MutationObserver(() => root.closest('[role=tabpanel]').hidden && stop()).observe(
    root.closest('[role=tabpanel]'),
    {attributes: true, attributeFilter: ['hidden']},
  );
  let last = '';
  store.subscribe(update);
  update();

  function update() {
    const now = stops(store.state);
    const names = now.map(({id}) => id).join();
    if (names === last) return;
    [last, items] = [names, now];
    stop();
    few.hidden = items.length >= FEWEST;
    whole.hidden = !few.hidden;
    if (whole.hidden) return;
    place.max = items.length * STEPS - 1;
    shown(0);
  }
}
