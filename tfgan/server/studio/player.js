// Plays pieces, one at a time, and saves the one that was played last.

import {button, el, svgEl} from './dom.js';
import {BAR_STEPS, BEAT_STEPS, voiceNames} from './engine/pieces.js';
import {midiBytes} from './files/midi.js';
import {recipeOf} from './files/provenance.js';
import {COLOURS, LEFT, TOP, UNIT, rollSides, rollText} from './files/roll.js';
import {metadata} from './files/svg.js';
import {zipBytes} from './files/zip.js';
import {remember, remembered} from './help.js';
import {fileNameOf, nameOf} from './items.js';
import {save} from './saving.js';
import {play} from './sound.js';
import {isStill} from './walk.js';

const TEMPO = {least: 40, most: 200, usual: 80}; // quarters a minute
const VOLUME = 0.7;
const SOON_SECS = 0.05; // from what a person presses until the first note
const FADING_SECS = 0.02;

// The player of a context's model, whose bar stands below the page's panels.
export function mount(main, context) {
  const {model, announce} = context;
  let audio = null; // An AudioContext has to wait until a person asks for sound.
  let item = null; // the piece that is played, or was
  let playing = null; // {piece, oscillators, fader, from, time, stepSecs}, or null
  const name = el('span', {class: 'player-name', id: 'player-name'}, 'Choose a piece to hear it');
  const toggleButton = button('Play', () => (item ? toggle(item) : tellNone()), {
    id: 'play-piece',
    class: 'primary',
    'aria-disabled': 'true',
  });
  const tempo = slider('tempo', TEMPO.least, TEMPO.most, 1, TEMPO.usual);
  const volume = slider('volume', 0, 1, 0.05, VOLUME);
  const told = el('output', {for: 'tempo'}, tempo.value);
  const saving = [
    button('MIDI', () => saveOne('.mid'), {id: 'save-midi', 'aria-disabled': 'true'}),
    button('SVG', () => saveOne('.svg'), {id: 'save-roll', 'aria-disabled': 'true'}),
  ];
  main.after(
    el(
      'section',
      {class: 'player', 'aria-label': 'Player'},
      el('div', {class: 'bar'}, toggleButton, name),
      el(
        'div',
        {class: 'bar'},
        el('label', {class: 'field'}, 'Tempo', tempo, told),
        el('label', {class: 'field'}, 'Volume', volume),
        el('div', {class: 'bar', role: 'group', 'aria-label': 'Save as'}, saving),
      ),
    ),
  );
  tempo.addEventListener('input', () => (told.value = tempo.value));
  tempo.addEventListener('change', () => {
    if (playing) start(item, stepNow());
  });
  volume.addEventListener('input', () => {
    if (audio) audio.volume.gain.value = Number(volume.value);
  });

  // Plays an item's piece, or stops it where it is the one that is played.
  function toggle(other) {
    if (playing && item.id === other.id) {
      stop();
      announce('Stopped');
    } else {
      start(other);
      announce(`Plays ${nameOf(model, other)}`);
    }
  }

  function start(other, from = 0) {
    stop();
    item = other;
    audio ??= openAudio(Number(volume.value));
    audio.context.resume();
    const piece = model.itemDrawing(item);
    const fader = new GainNode(audio.context);
    fader.connect(audio.volume);
    const stepSecs = 60 / Number(tempo.value) / BEAT_STEPS;
    const time = audio.context.currentTime + SOON_SECS;
    const oscillators = play(fader, piece, {from, time, stepSecs});
    playing = {piece, oscillators, fader, from, time, stepSecs};
    oscillators[0].onended = stop;
    show();
    requestAnimationFrame(move);
  }

  function stop() {
    if (!playing) return;
    const {oscillators, fader} = playing;
    playing = null;
    const now = audio.context.currentTime;
    fader.gain.setTargetAtTime(0, now, FADING_SECS / 4); // An end at once would be a click.
    oscillators[0].onended = null;
    for (const oscillator of oscillators) oscillator.stop(now + FADING_SECS);
    show();
  }

  function stepNow() {
    const {from, time, stepSecs, piece} = playing;
    const step = from + (audio.context.currentTime - time) / stepSecs;
    return Math.min(Math.max(step, from), piece.steps);
  }

  // Shows which piece it is, in the bar and in all cells.
  function show() {
    name.textContent = nameOf(model, item);
    toggleButton.textContent = playing ? 'Stop' : 'Play';
    for (const each of [toggleButton, ...saving]) each.removeAttribute('aria-disabled');
    document.querySelectorAll('.playhead').forEach((line) => line.remove());
    for (const cell of document.querySelectorAll('.cell')) {
      const isPlayed = playing !== null && cell.dataset.id === item.id;
      cell.querySelector('.drawing').setAttribute('aria-pressed', String(isPlayed));
      if (isPlayed) cell.querySelector('svg')?.append(playhead(playing.piece));
    }
  }

  // Moves the line to what sounds; where motion is to be reduced, from bar to bar.
  function move() {
    if (!playing) return;
    const now = stepNow();
    const step = isStill() ? now - (now % BAR_STEPS) : now;
    for (const line of document.querySelectorAll('.playhead'))
      line.setAttribute('transform', `translate(${LEFT + UNIT * step} 0)`);
    requestAnimationFrame(move);
  }

  const tellNone = () => announce('Choose a piece of the sheet first');

  function saveOne(ending) {
    if (!item) return tellNone();
    const file = `${fileNameOf(model, item)}${ending}`;
    save(file, WRITERS[ending](model, item, Number(tempo.value)));
    return announce(`Saved as ${file}`);
  }

  // All favourites in one file.
  function saveAll(items) {
    const files = items.flatMap((each) =>
      Object.entries(WRITERS).map(([ending, write]) => {
        const bytes = write(model, each, Number(tempo.value));
        return {name: `${fileNameOf(model, each)}${ending}`, bytes};
      }),
    );
    const file = `${model.name}-favourites.zip`;
    save(file, zipBytes(files));
    announce(`${items.length} favourites saved as ${file}`);
  }

  return {
    toggle,
    saveAll,
    // Whether sound is on, as a browser has it.
    get sound() {
      return {state: audio?.context.state ?? 'none', step: playing && stepNow()};
    },
  };
}

function openAudio(loudness) {
  const context = new AudioContext();
  const volume = new GainNode(context, {gain: loudness});
  volume.connect(context.destination);
  return {context, volume};
}

// A slider whose value this browser remembers.
function slider(id, min, max, step, usual) {
  const value = Number(remembered(id) ?? usual);
  const input = el('input', {type: 'range', id, min, max, step});
  input.value = Number.isFinite(value) ? value : usual;
  input.addEventListener('change', () => remember(id, input.value));
  return input;
}

function playhead(piece) {
  const [, height] = rollSides(piece);
  return svgEl('path', {class: 'playhead', d: `M0 ${TOP}V${height}`});
}

const WRITERS = {
  '.mid'(model, item, tempo) {
    const isMinor = model.classNames[item.label] === 'minor';
    const recipe = recipeOfPiece(model, item, 'midi', tempo === TEMPO.usual ? {} : {tempo});
    return midiBytes(model.itemDrawing(item), tempo, isMinor, recipe);
  },
  '.svg': (model, item) =>
    new TextEncoder().encode(
      rollText(model.itemDrawing(item), metadata(recipeOfPiece(model, item, 'roll'))),
    ),
};

// The recipe of a piece's file. One of another length says how many beats were made at once, and not
// `bars`: commands make long pieces of parts, each of which is given some of the one before it.
function recipeOfPiece(model, {bars, ...item}, as, {tempo} = {}) {
  const how = {
    ...(bars ? {beats: (bars * BAR_STEPS) / BEAT_STEPS} : {}),
    as,
    ...(tempo ? {tempo_bpm: tempo} : {}),
  };
  return recipeOf(model, [item], how);
}

// Which voice has which colour.
export function legend(model) {
  const voices = voiceNames(model.shape[2]).map((voice, i) => {
    const square = svgEl('rect', {width: 12, height: 12, fill: COLOURS[i % COLOURS.length]});
    const picture = svgEl(
      'svg',
      {viewBox: '0 0 12 12', 'aria-hidden': 'true', class: 'on-light'},
      square,
    );
    return el('li', {}, picture, voice);
  });
  return el('ul', {class: 'legend', 'aria-label': 'Voices'}, voices);
}
