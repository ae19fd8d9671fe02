// The studio as it was left: in this browser from visit to visit, and as a file.

import {isCanvas, isScene} from './checks.js';
import {button, el} from './dom.js';
import {remember, remembered} from './help.js';
import {save} from './saving.js';

const KIND = 'tfgan studio session';
const WAIT_MS = 300; // from a change until it is kept
const MOST_BARS = 64; // of a piece, as files from strangers have it

export const actions = {
  // Goes on with the state of another session.
  openSession: (state, other) => ({...state, ...other}),
};

const keyOf = (model) => `session.${model.sha256}`;

// The state that this browser has of a model, or the start.
export function left(start, model) {
  const text = remembered(keyOf(model));
  if (!text) return start;
  try {
    return {...start, ...checked(JSON.parse(text), start, model)};
  } catch {
    return start; // What another version of the studio left is no reason not to open.
  }
}

export const leaveAt = (panel) => remember('panel', panel);
export const panelLeft = (panels) =>
  remembered('panel') in panels ? remembered('panel') : 'sheet';

export function mount(tools, context) {
  const {store, model, announce} = context;
  let waiting = null;
  let isTold = false;
  const keep = () => {
    waiting = null;
    if (remember(keyOf(model), JSON.stringify(store.state))) return;
    if (!isTold) announce('This browser keeps nothing: save the session as a file');
    isTold = true;
  };
  store.subscribe(() => (waiting ??= setTimeout(keep, WAIT_MS)));
  window.addEventListener('pagehide', keep);
  mountMenu(tools.querySelector('#menu'), context);
}

function mountMenu(menu, context) {
  const input = el('input', {
    type: 'file',
    accept: '.json,application/json',
    id: 'session-file',
    class: 'hidden',
    tabindex: '-1',
    'aria-label': 'Session file',
  });
  input.addEventListener('change', async () => {
    if (input.files[0]) openSession(await input.files[0].text(), context);
    input.value = '';
  });
  menu.prepend(
    button('Save session', () => saveSession(context), {id: 'save-session'}),
    button('Open session', () => input.click(), {id: 'open-session'}),
    input,
  );
}

function saveSession({store, model, announce}) {
  const {software, name, sha256} = model;
  const session = {kind: KIND, software, model: name, sha256, state: store.state};
  save(`${name}-session.json`, JSON.stringify(session, null, 1));
  announce('The session is saved as a file');
}

// Opens the text of a session file, or tells why it cannot be.
export function openSession(text, {store, model, announce}) {
  try {
    const session = JSON.parse(text);
    if (session?.kind !== KIND) throw new Error('it is no session of the studio');
    if (session.sha256 !== model.sha256) {
      throw new Error(
        `it is of model ${session.model} ${String(session.sha256).slice(0, 12)}, and this is ${model.name} ${String(model.sha256).slice(0, 12)}`,
      );
    }
    store.dispatch('openSession', checked(session.state, store.state, model));
    announce('The session is open');
  } catch (error) {
    announce(`This session cannot be opened: ${error.message}`);
  }
}

// A state of the same form as another one, and of a model's items; raises an Error for any other.
function checked(state, like, model) {
  if (typeof state !== 'object' || state === null) throw new Error('it has no state');
  const lists = ['favourites', 'parents', 'bred', 'variations'];
  const rules = {
    label: (value) => value === null || isLabel(value, model),
    from: (value) => typeof value === 'string' && /^-?\d{1,19}$/.test(value),
    truncation: (value) => typeof value === 'number' && value >= 0 && value <= 1,
    current: (value) => value === null || isItem(value, model),
    bars: (value) => value === null || isBars(value, model),
    chosen: (value) => Array.isArray(value) && value.every((id) => typeof id === 'string'),
    keep: isNumbers,
    canvas: (value) => isLike(value, like.canvas) && isCanvas(value, (item) => isItem(item, model)),
    scene: (value) => isLike(value, like.scene) && isScene(value, (item) => isItem(item, model)),
  };
  for (const name of lists) {
    rules[name] = (value) => Array.isArray(value) && value.every((item) => isItem(item, model));
  }
  const found = {};
  for (const [name, isRight] of Object.entries(rules)) {
    if (!Object.hasOwn(state, name)) continue;
    if (!isRight(state[name]))
      throw new Error(`its ${JSON.stringify(name)} is not as the studio writes it`);
    found[name] = state[name];
  }
  return found;
}

const isLabel = (value, model) =>
  Number.isInteger(value) && value >= 0 && value < model.classCounts.length;
const isBars = (value, model) =>
  model.hasAnyLength && Number.isInteger(value) && value >= 1 && value <= MOST_BARS;
const isNumbers = (values) => Array.isArray(values) && values.every(Number.isFinite);

export function isItem(item, model) {
  if (typeof item !== 'object' || item === null || typeof item.id !== 'string') return false;
  const isOfSeed = typeof item.seed === 'string' && /^-?\d{1,19}$/.test(item.seed);
  const isOfLatents = isNumbers(item.latents) && item.latents.length === model.latentSize;
  const sliders = item.sliders ?? {};
  const kept = item.kept ?? {strokes: []};
  return (
    isLabel(item.label, model) &&
    (isOfSeed || isOfLatents) &&
    typeof sliders === 'object' &&
    isNumbers(Object.values(sliders)) &&
    isNumbers(kept.strokes) &&
    (item.bars === undefined || isBars(item.bars, model)) &&
    (!kept.of || isItem(kept.of, model))
  );
}

function isLike(value, like) {
  if (Array.isArray(like)) return Array.isArray(value);
  if (typeof like !== 'object' || like === null) return true;
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.keys(like).every((key) => isLike(value[key], like[key]))
  );
}
