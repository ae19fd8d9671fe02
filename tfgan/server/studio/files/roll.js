// Piano rolls as SVG, as tfgan/forms/music/roll.py draws them: time to the right, pitch upwards.

import {AGAIN, BAR_STEPS, BEAT_STEPS, MIDDLE, REST, notesOf, voiceNames} from '../engine/pieces.js';

// From the highest voice: they differ in grey and to those who see red and green alike.
export const COLOURS = ['#b2184b', '#ee9614', '#1e9696', '#19286e'];
const [BAND, OCTAVE, MIDDLE_LINE, BAR] = ['#f3f3f3', '#e0e0e0', '#bebebe', '#aaaaaa'];
const HELD = 0.72; // how much of its colour a note keeps after its beginning
const [LOWEST, HIGHEST] = [36, 83]; // that are always there
export const UNIT = 8; // the width of a step, and the height of a pitch
export const LEFT = 32; // units beside the roll
export const TOP = 16; // and above it
const TEXT = 11;

// The sides of a roll, with what is beside and above it.
export function rollSides(piece) {
  const [first, last] = pitchesOf(piece);
  return [LEFT + piece.steps * UNIT, TOP + (last - first) * UNIT];
}

// An SVG file of a piece's roll; `more` stands at its end.
export function rollText(piece, more = '') {
  const [width, height] = rollSides(piece);
  const range = pitchesOf(piece);
  const notes = notesOf(piece);
  const lanes = lanesOf(piece);
  const voices = voiceNames(piece.voices).map((name, voice) => {
    const own = notes.filter((note) => note.voice === voice);
    const bars = own.map((note) => bar(note, range[1], lanes)).join('');
    return `<g fill="${COLOURS[voice % COLOURS.length]}">\n<title>${name}</title>\n${bars}</g>\n`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"\
 viewBox="0 0 ${width} ${height}">\n<rect width="100%" height="100%" fill="#ffffff"/>\n\
${grid(piece.steps, range)}${numbers(piece.steps, range)}${voices.join('')}${more}</svg>\n`;
}

// Whole octaves from C, in which all pitches of a piece are: the first, and the one after the last.
function pitchesOf({pitch}) {
  const found = pitch.map((each) => (each === REST ? LOWEST : each % AGAIN));
  const lowest = found.reduce((least, each) => Math.min(least, each), LOWEST);
  const highest = found.reduce((most, each) => Math.max(most, each), HIGHEST);
  return [Math.floor(lowest / 12) * 12, Math.floor(highest / 12) * 12 + 12];
}

// {place, among} of a step and a voice: those in unison share the row of their pitch.
function lanesOf({pitch, voices}) {
  return (step, voice) => {
    const all = Array.from(pitch.subarray(step * voices, (step + 1) * voices), (each) => {
      return each === REST ? REST : each % AGAIN;
    });
    const isSame = (each) => each === all[voice];
    return {place: all.slice(0, voice).filter(isSame).length, among: all.filter(isSame).length};
  };
}

// A band for every other beat, and lines for bars and below each C.
function grid(steps, [first, last]) {
  const bottom = TOP + (last - first) * UNIT;
  const parts = [];
  for (let step = BEAT_STEPS; step < steps; step += 2 * BEAT_STEPS) {
    const width = Math.min(BEAT_STEPS, steps - step) * UNIT;
    parts.push(
      `<rect x="${LEFT + step * UNIT}" y="${TOP}" width="${width}" height="${bottom - TOP}"\
 fill="${BAND}"/>\n`,
    );
  }
  for (let pitch = first; pitch <= last; pitch += 12) {
    const colour = pitch === MIDDLE ? MIDDLE_LINE : OCTAVE;
    const y = bottom - (pitch - first) * UNIT;
    parts.push(`<path d="M${LEFT} ${y}h${steps * UNIT}" stroke="${colour}"/>\n`);
  }
  for (let step = 0; step <= steps; step += BAR_STEPS) {
    parts.push(`<path d="M${LEFT + step * UNIT} ${TOP}V${bottom}" stroke="${BAR}"/>\n`);
  }
  return parts.join('');
}

// The name of each C, and the number of each bar.
function numbers(steps, [first, last]) {
  const parts = [`<g font-family="sans-serif" font-size="${TEXT}" fill="#404040">\n`];
  for (let pitch = first; pitch < last; pitch += 12) {
    const y = TOP + (last - pitch) * UNIT - 1;
    parts.push(`<text x="${LEFT - 4}" y="${y}" text-anchor="end">C${pitch / 12 - 1}</text>\n`);
  }
  for (let step = 0; step < steps; step += BAR_STEPS) {
    const x = LEFT + step * UNIT + 2;
    parts.push(`<text x="${x}" y="${TOP - 4}">${step / BAR_STEPS + 1}</text>\n`);
  }
  return `${parts.join('')}</g>\n`;
}

// A note, weaker after its beginning; in unison it has its part of the row.
function bar({voice, start, length, pitch}, last, lanes) {
  const all = Array.from({length}, (_, i) => lanes(start + i, voice));
  const place = Math.max(...all.map((each) => each.place));
  const tall = (UNIT - 1) / Math.max(...all.map(({among}) => among));
  const [x, y] = [LEFT + start * UNIT, TOP + (last - 1 - pitch) * UNIT + 0.5 + place * tall];
  const box = `y="${short(y)}" height="${short(tall)}"`;
  return `<rect x="${x}" ${box} width="${length * UNIT - 1}" fill-opacity="${HELD}"/>\
<rect x="${x}" ${box} width="${UNIT / 2}"/>\n`;
}

const short = (number) => String(Number(number.toPrecision(6)));
