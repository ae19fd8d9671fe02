// The studio: opens a model, and puts its panels around one store.

import * as canvas from './canvas.js';
import * as detail from './detail.js';
import {button, el, roving} from './dom.js';
import * as drop from './drop.js';
import {fromBase64} from './engine/bundle.js';
import {openModel} from './engine/model.js';
import * as favourites from './favourites.js';
import * as grids from './grid.js';
import * as help from './help.js';
import * as keptPieces from './kept_pieces.js';
import * as player from './player.js';
import * as scene from './scene_panel.js';
import * as session from './session.js';
import * as sheet from './sheet.js';
import {combined, createStore} from './store.js';

const OF_DRAWINGS = {sheet, favourites, drawing: detail, canvas, scene};
const OF_MUSIC = {sheet, favourites: keptPieces};
const TITLES = {
  sheet: 'Sheet',
  favourites: 'Favourites',
  drawing: 'Drawing',
  canvas: 'Canvas',
  scene: 'Scene',
};

const START = {
  label: null,
  bars: null, // of pieces, where it is not the model's own length
  from: '0',
  truncation: 1,
  favourites: [],
  chosen: [],
  parents: [],
  bred: [],
  current: null,
  keep: [],
  variations: [],
  canvas: {lines: [], image: null, found: null},
  scene: {words: '', placed: []},
};

let panels = OF_DRAWINGS; // or those of music, by the model

// The bytes of a part of the page: in the page itself where it is one file, else from its server.
async function bytesOf(id, url) {
  const own = document.getElementById(id);
  if (own) return fromBase64(own.textContent.trim());
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

async function modelNames() {
  if (document.getElementById('bundle')) return [];
  const response = await fetch('models.json');
  return (await response.json()).models.map(({name}) => name);
}

async function start() {
  const names = await modelNames();
  const asked = new URLSearchParams(location.search).get('model');
  const name = names.includes(asked) ? asked : names[0];
  const model = await openModel(await bytesOf('bundle', `models/${name}.bundle`));
  panels = model.isMusic ? OF_MUSIC : OF_DRAWINGS;
  document.documentElement.classList.toggle('is-music', model.isMusic);
  const tables = [...Object.values(panels), grids, drop, session].map(({actions}) => actions);
  const store = createStore(session.left(START, model), combined(...tables));
  const context = {
    store,
    model,
    names,
    words: () => bytesOf('words', 'words.gz'),
    announce,
    show,
    open,
  };
  if (model.isMusic) context.player = player.mount(document.getElementById('main'), context);
  mountPanels(context);
  help.mountTools(document.getElementById('tools'), context);
  session.mount(document.getElementById('tools'), context);
  drop.mount(document.body, context);
  document.getElementById('model-name').textContent = model.name;
  document.getElementById('loading').remove();
  show(location.hash.slice(1) in panels ? location.hash.slice(1) : session.panelLeft(panels));
  return context;

  // To hear a piece changes nothing, so that it is nothing to undo.
  function open(item) {
    if (model.isMusic) return context.player.toggle(item);
    store.dispatch('open', item);
    return show('drawing', true);
  }
}

// Tells what happened to eyes and to screen readers.
let fading = null;
function announce(text) {
  const status = document.getElementById('status');
  status.textContent = '';
  // What is the same text again is told again only if there was another one meanwhile.
  requestAnimationFrame(() => (status.textContent = text));
  clearTimeout(fading);
  fading = setTimeout(() => (status.textContent = ''), 6000);
}

function mountPanels(context) {
  const tabs = document.getElementById('tabs');
  const main = document.getElementById('main');
  for (const [name, panel] of Object.entries(panels)) {
    const attributes = {
      role: 'tab',
      id: `tab-${name}`,
      class: 'tab',
      'aria-controls': name,
      'aria-selected': 'false',
    };
    tabs.append(button(TITLES[name], () => show(name), attributes));
    const root = el('section', {
      role: 'tabpanel',
      id: name,
      class: ['panel', `${name}-panel`],
      'aria-labelledby': `tab-${name}`,
      hidden: true,
    });
    main.append(root);
    panel.mount(root, context);
  }
  roving(tabs, '.tab');
}

// Shows a panel; `moves` the focus to it where its tab was not what was pressed.
function show(name, moves = false) {
  for (const each of Object.keys(panels)) {
    const [tab, root] = [document.getElementById(`tab-${each}`), document.getElementById(each)];
    tab.setAttribute('aria-selected', String(each === name));
    tab.tabIndex = each === name ? 0 : -1;
    root.hidden = each !== name;
    if (each === name) root.dispatchEvent(new Event('shown'));
  }
  session.leaveAt(name);
  if (moves)
    (
      document.querySelector(`#${name} [data-first]`) ?? document.getElementById(`tab-${name}`)
    ).focus();
}

export const studio = await start();
