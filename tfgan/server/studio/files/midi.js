// MIDI files of pieces, byte for byte as tfgan/forms/music/midi_file.py writes them.

import {AGAIN, BEAT_STEPS, notesOf, voiceNames} from '../engine/pieces.js';
import {big32, joined, utf8} from './bytes.js';
import {RECIPE_FIELD, recipeText, sentence} from './provenance.js';

const TICKS = 480; // a beat
const STEP_TICKS = TICKS / BEAT_STEPS;
const VELOCITY = 80;
const ORGAN = 19; // of General MIDI, from 0
const DRUMS = 9; // the channel that General MIDI has them at
const MICROSECONDS = 60_000_000; // a minute
const META = {text: 1, rights: 2, name: 3, end: 0x2f, tempo: 0x51, metre: 0x58, key: 0x59};

// The file of a piece at a tempo, in C major or A minor, with the recipe that made it.
export function midiBytes(piece, tempo, isMinor, recipe) {
  const notes = notesOf(piece);
  const end = piece.steps * STEP_TICKS;
  const conductor = [
    ...told(recipe),
    meta(META.tempo, big32(Math.round(MICROSECONDS / tempo)).slice(1)),
    meta(META.metre, [4, 2, 24, 8]), // 4/4
    meta(META.key, [0, isMinor ? 1 : 0]), // of no sharps
  ].map((bytes) => ({tick: 0, bytes}));
  const voices = voiceNames(piece.voices).map((name, voice) => {
    const own = notes.filter((note) => note.voice === voice);
    return track(voiceEvents(own, name, voice < DRUMS ? voice : voice + 1), end);
  });
  const header = chunk('MThd', [0, 1, 0, 1 + piece.voices, TICKS >> 8, TICKS & 255]);
  return joined(header, track(conductor, end), ...voices);
}

// What a recipe tells, as texts of a byte a letter; the licence first.
function told(recipe) {
  const text = (kind, letters) => meta(kind, utf8(letters.replace(/[^\0-\x7f]/gu, '?')));
  const rights = recipe.licence ? [text(META.rights, recipe.licence)] : [];
  const made = [sentence(recipe), `${RECIPE_FIELD} ${recipeText(recipe)}`];
  return [...rights, ...made.map((letters) => text(META.text, letters))];
}

function voiceEvents(notes, name, channel) {
  const events = [
    {tick: 0, bytes: meta(META.name, utf8(name))},
    {tick: 0, bytes: [0xc0 | channel, ORGAN]},
  ];
  for (const {start, length, pitch} of notes) {
    const number = pitch % AGAIN;
    events.push({tick: start * STEP_TICKS, bytes: [0x90 | channel, number, VELOCITY]});
    events.push({tick: (start + length) * STEP_TICKS, bytes: [0x80 | channel, number, 0]});
  }
  return events;
}

// A track of events {tick, bytes} in order, that ends at a tick.
function track(events, end) {
  let before = 0;
  const timed = [...events, {tick: end, bytes: meta(META.end, [])}].map(({tick, bytes}) => {
    const wait = tick - before;
    before = tick;
    return joined(varying(wait), bytes);
  });
  return chunk('MTrk', joined(...timed));
}

const meta = (kind, body) => joined([0xff, kind], varying(body.length), body);
const chunk = (name, body) => joined(name, big32(body.length), body);

// A number as MIDI tells lengths: seven bits a byte, the highest first.
function varying(number) {
  const found = [number & 0x7f];
  for (let rest = number >>> 7; rest; rest >>>= 7) found.unshift(0x80 | (rest & 0x7f));
  return found;
}
