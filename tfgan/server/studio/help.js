// What stands at the top of the page for all panels: undo and redo, keys, light and dark.

import {button, el} from './dom.js';

const KEYS = [
  ['Arrows, Home, End', 'move among drawings, tabs, strokes'],
  ['Enter', 'open the drawing, press the button'],
  ['F', 'make the drawing a favourite, or no longer one'],
  ['C', 'choose a favourite, to mix or to walk through'],
  ['U or Ctrl+Z', 'undo'],
  ['R or Ctrl+Shift+Z', 'redo'],
  ['1 to 5', 'show a view'],
  ['?', 'this list'],
];
const MUSIC_KEYS = [
  ['Arrows, Home, End', 'move among pieces and tabs'],
  ['Enter', 'play the piece or stop it, press the button'],
  ['F', 'make the piece a favourite, or no longer one'],
  ...KEYS.filter(([, text]) => ['undo', 'redo'].includes(text)),
  ['1, 2', 'show a view'],
  ['?', 'this list'],
];
const THEMES = {system: 'As the system', light: 'Light', dark: 'Dark'};

// What a browser remembers of a visit, or nothing where it is told not to.
export function remembered(key) {
  try {
    return localStorage.getItem(`tfgan.studio.${key}`);
  } catch {
    return null;
  }
}

// Whether it could be remembered.
export function remember(key, text) {
  try {
    localStorage.setItem(`tfgan.studio.${key}`, text);
    return true;
  } catch {
    return false;
  }
}

export const lettersAreOn = () => remembered('letters') !== 'off';

// The dialogs and buttons; `tools` is where the latter stand.
export function mountTools(tools, context) {
  const keys = keysDialog(context.model.isMusic ? MUSIC_KEYS : KEYS);
  const undo = button('Undo', () => travel(context, 'undo'), {id: 'undo'});
  const redo = button('Redo', () => travel(context, 'redo'), {id: 'redo'});
  const menu = el(
    'div',
    {id: 'menu', popover: 'auto', class: 'menu'},
    models(context),
    themes(),
    button('Keys', () => keys.showModal(), {id: 'keys'}),
  );
  tools.append(undo, redo, button('Menu', null, {id: 'menu-button', popovertarget: 'menu'}), menu);
  document.body.append(keys);
  const update = () => {
    // A button that is disabled would lose the focus, so it only tells that it does nothing.
    undo.setAttribute('aria-disabled', String(!context.store.canUndo));
    redo.setAttribute('aria-disabled', String(!context.store.canRedo));
  };
  context.store.subscribe(update);
  update();
  document.addEventListener('keydown', (event) => shortcut(event, context, keys));
}

const DONE = {
  undo: 'Undone',
  redo: 'Done again',
  none: {undo: 'Nothing to undo', redo: 'Nothing to redo'},
};

function travel({store, announce}, way) {
  const name = store[way]();
  announce(name ? `${DONE[way]}: ${inWords(name)}` : DONE.none[way]);
}

// The name of an action as words: pickKind is "pick kind".
function inWords(name) {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function shortcut(event, context, keys) {
  const key = event.key.toLowerCase();
  const isText = event.target.matches?.(
    'input:not([type=radio], [type=range], [type=checkbox]), textarea, select',
  );
  if (isText || event.altKey || document.querySelector('dialog[open]')) return;
  if (event.ctrlKey || event.metaKey) {
    const way = key === 'z' ? (event.shiftKey ? 'redo' : 'undo') : key === 'y' ? 'redo' : null;
    if (!way) return;
    event.preventDefault();
    travel(context, way);
  } else if (lettersAreOn()) {
    const tabs = document.querySelectorAll('#tabs .tab');
    if (key === 'u') travel(context, 'undo');
    else if (key === 'r') travel(context, 'redo');
    else if (key === '?') keys.showModal();
    else if (tabs[Number(key) - 1]) {
      tabs[Number(key) - 1].click();
      tabs[Number(key) - 1].focus();
    }
  }
}

function keysDialog(all) {
  const rows = all.map(([key, text]) => [el('dt', {}, key), el('dd', {}, text)]);
  const letters = el('input', {type: 'checkbox', id: 'letters'});
  letters.checked = lettersAreOn();
  letters.addEventListener('change', () => remember('letters', letters.checked ? 'on' : 'off'));
  const dialog = el(
    'dialog',
    {class: 'keys', 'aria-labelledby': 'keys-title'},
    el('h2', {id: 'keys-title', tabindex: '-1', autofocus: true}, 'Keys'),
    el('dl', {}, rows.flat()),
    el('label', {class: 'field'}, letters, 'Letters and digits do something'),
    button('Close', () => dialog.close(), {class: 'primary'}),
  );
  return dialog;
}

function themes() {
  const now = THEMES[remembered('theme')] ? remembered('theme') : 'system';
  const set = (name) => {
    if (name === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = name;
  };
  set(now);
  const choices = Object.entries(THEMES).map(([name, title]) => {
    const input = el('input', {type: 'radio', name: 'theme', value: name});
    input.checked = name === now;
    input.addEventListener('change', () => {
      remember('theme', name);
      set(name);
    });
    return el('label', {class: 'field'}, input, title);
  });
  return el('fieldset', {class: 'themes'}, el('legend', {}, 'Light or dark'), choices);
}

// A list of the server's models, if it has more than one.
function models({names, model}) {
  if (names.length < 2) return null;
  const list = el(
    'select',
    {id: 'models'},
    names.map((name) => {
      return el('option', {value: name, selected: name === model.name}, name);
    }),
  );
  list.addEventListener('change', () => {
    location.search = new URLSearchParams({model: list.value});
  });
  return el('label', {class: 'field'}, 'Model', list);
}
