// Files that a person gives the page: dropped on it, pasted or chosen.
//
// What the studio or a command of tfgan made comes back as what it was; a session opens; any other
// picture goes on the canvas. An SVG file is only ever shown as an image, where it can run nothing
// and ask for nothing.

import {isScene} from './checks.js';
import {button, el} from './dom.js';
import {BAR_STEPS, BEAT_STEPS} from './engine/pieces.js';
import {COMPOSITE, itemsOf, read} from './files/provenance.js';
import {coloursOf} from './framing.js';
import {withId} from './items.js';
import {loaded} from './own_drawing.js';
import {isItem, openSession} from './session.js';

const MOST_PIXELS = 1024; // of the longer side of a picture on the canvas
const MOST_BYTES = 64 << 20;
const KINDS = {
  'image/png': [0x89, 0x50, 0x4e, 0x47],
  'image/jpeg': [0xff, 0xd8, 0xff],
  'image/webp': [0x52, 0x49, 0x46, 0x46],
};
const ACCEPTED = '.png,.jpg,.jpeg,.webp,.svg,.gif,.pdf,.json';
const ACCEPTED_OF_MUSIC = '.mid,.svg,.json';

export const actions = {
  // The settings of the sheet that a file has.
  takeSheet: (state, settings) => ({...state, ...settings}),

  // Drawings of a file, as favourites.
  takeAll(state, items) {
    const there = new Set(state.favourites.map(({id}) => id));
    const more = items.filter(({id}) => !there.has(id));
    return more.length ? {...state, favourites: [...state.favourites, ...more]} : state;
  },

  takeScene: (state, scene) => ({...state, scene}),
};

let input = null;

// Lets a person choose a file.
export const chooseFile = () => input.click();

export function mount(body, context) {
  input = el('input', {
    type: 'file',
    id: 'file',
    accept: context.model.isMusic ? ACCEPTED_OF_MUSIC : ACCEPTED,
    class: 'hidden',
    tabindex: '-1',
    'aria-label': 'File to open',
  });
  input.addEventListener('change', () => {
    if (input.files[0]) take(input.files[0], context);
    input.value = '';
  });
  body.querySelector('main').append(input);
  body.querySelector('#menu').prepend(button('Open a file', chooseFile, {id: 'open-file'}));
  const isFile = (event) => event.dataTransfer?.types.includes('Files');
  const mark = (isOver) => body.classList.toggle('dropping', isOver);
  body.addEventListener('dragover', (event) => {
    if (!isFile(event)) return;
    event.preventDefault();
    mark(true);
  });
  body.addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) mark(false);
  });
  body.addEventListener('drop', (event) => {
    mark(false);
    if (!isFile(event)) return;
    event.preventDefault();
    if (event.dataTransfer.files[0]) take(event.dataTransfer.files[0], context);
  });
  document.addEventListener('paste', (event) => {
    const [file] = event.clipboardData?.files ?? [];
    if (file) take(file, context);
  });
}

// Takes a file, or tells why it cannot be taken.
async function take(file, context) {
  try {
    if (file.size > MOST_BYTES) throw new Error(`it is larger than ${MOST_BYTES >> 20} MB`);
    const bytes = new Uint8Array(await file.arrayBuffer());
    const text = startOf(bytes);
    if (text.startsWith('{')) {
      openSession(new TextDecoder().decode(bytes), context);
      return;
    }
    const recipe = read(bytes);
    const lacked = recipe && takeRecipe(recipe, context);
    if (recipe && !lacked) return;
    if (context.model.isMusic) throw new Error(lacked ?? 'it does not tell how it was made here');
    await takePicture(bytes, text, context);
    context.announce(
      lacked ? `${lacked}; it is on the canvas as a picture` : 'The picture is on the canvas',
    );
  } catch (error) {
    context.announce(`${file.name || 'What was pasted'} cannot be opened: ${error.message}`);
  }
}

const startOf = (bytes) =>
  new TextDecoder()
    .decode(bytes.subarray(0, 4096))
    .replace(/^\ufeff/, '')
    .trimStart();

// Brings back what a recipe tells; or gives a text of what it lacks.
function takeRecipe(recipe, context) {
  const {model, store, announce, show} = context;
  if (recipe.sha256 !== model.sha256) {
    return `It was drawn by ${recipe.model ?? 'a model'}, SHA-256 ${recipe.sha256 ?? 'unknown'}, which is not the model here`;
  }
  if (model.isMusic && recipe.bars && recipe.bars !== model.bars) {
    return 'It was made of parts by a command, which this page does not do';
  }
  const length = recipe.beats ? {bars: (recipe.beats * BEAT_STEPS) / BAR_STEPS} : {};
  const items = itemsOf(recipe, model).map((item) => item && inOrder({...item, ...length}));
  const isRight = (item) => item !== null && isItem(item, model);
  if (!items.length || !items.every(isRight)) return 'Its drawings are not of this model';
  const scene = sceneOf(recipe, items);
  if (scene && isScene(scene, isRight)) {
    store.dispatch('takeScene', scene);
    show('scene', true);
    announce('The scene is back, with all its lines');
  } else if (recipe.source === COMPOSITE) {
    return 'A drawing of a person is in it, so it is no drawing of the model alone';
  } else if (items.length === 1 && !model.isMusic) {
    context.open(items[0]);
    announce('The drawing is back');
  } else {
    takeMany(items, context);
  }
  return null;
}

// An item as the studio makes it: its name depends on the order of what it says.
function inOrder({id, seed, latents, label, truncation, ...more}) {
  return withId({...(latents ? {latents} : {seed}), label, truncation: truncation ?? 1, ...more});
}

// A contact sheet's settings, or favourites.
function takeMany(items, {store, model, announce, show}) {
  const [{seed, truncation, bars = null}] = items;
  const isInRow = items.every((item, i) => {
    const isPlain =
      item.seed !== undefined && !item.sliders && !item.kept && item.truncation === truncation;
    return isPlain && BigInt(item.seed) === BigInt(seed) + BigInt(i);
  });
  const labels = new Set(items.map(({label}) => label));
  const isOfSeeds =
    isInRow && items.every(({seed: own, label}) => label === model.labelOf(BigInt(own)));
  if (isInRow && (labels.size === 1 || isOfSeeds)) {
    const label = isOfSeeds && !model.isMusic ? null : items[0].label;
    store.dispatch('takeSheet', {from: seed, label, truncation, bars});
    show('sheet', true);
    announce(`The sheet is back, from seed ${seed}`);
  } else {
    store.dispatch('takeAll', items);
    show('favourites', true);
    announce(`${items.length} drawings are back, as favourites`);
  }
}

function sceneOf({scene}, items) {
  // A scene of a command has its places alone.
  const places = scene?.placed ?? scene?.places?.map?.(([x, y, scale]) => ({x, y, scale, turn: 0}));
  if (!Array.isArray(places) || places.length !== items.length) return null;
  const placed = places.map((each, i) => ({...each, id: `thing-${i + 1}`, item: items[i]}));
  return {words: scene.words, placed};
}

// Puts a picture on the canvas.
async function takePicture(bytes, text, {store, show}) {
  const [type] = Object.entries(KINDS).find(([, start]) =>
    start.every((byte, i) => bytes[i] === byte),
  ) ?? [null];
  const isSvg = !type && /<svg[\s>]/i.test(text);
  if (!type && !isSvg) throw new Error('it is no PNG, JPEG, WEBP or SVG picture and no session');
  const url = URL.createObjectURL(new Blob([bytes], {type: type ?? 'image/svg+xml'}));
  try {
    const image = await loaded(url);
    const [wide, high] = [image.naturalWidth || MOST_PIXELS, image.naturalHeight || MOST_PIXELS];
    const scale = MOST_PIXELS / Math.max(wide, high);
    const times = isSvg ? scale : Math.min(1, scale);
    const [width, height] = [wide, high].map((side) => Math.max(1, Math.round(side * times)));
    const canvas = el('canvas', {width, height});
    const pen = canvas.getContext('2d', {willReadFrequently: true});
    pen.drawImage(image, 0, 0, width, height);
    const {paper, colour, isTorn} = coloursOf(pen.getImageData(0, 0, width, height));
    const picture = {url: canvas.toDataURL(), width, height, isTorn};
    store.dispatch('takeDrawing', {image: picture, paper, ink: colour});
    show('canvas', true);
  } finally {
    URL.revokeObjectURL(url);
  }
}
