// How pieces sound: an oscillator for each voice, which is told in advance of all that it plays.

import {notesOf} from './engine/pieces.js';

const HARMONICS = [0, 1, 0.5, 0.3, 0.15, 0.1, 0.05]; // of a soft organ, from the fundamental on
const LEVEL = 0.2; // of a voice, so that four at once stay below 1
const [ATTACK_SECS, RELEASE_SECS] = [0.015, 0.03];
const [CONCERT, CONCERT_PITCH] = [440, 69];

export const frequencyOf = (pitch) => CONCERT * 2 ** ((pitch - CONCERT_PITCH) / 12);

// Plays a piece into an audio node: the step `from` at `time`, and each step for `stepSecs`. The
// answer is the oscillators of the voices, which end with the piece.
export function play(output, piece, {from = 0, time, stepSecs}) {
  const {context} = output;
  const wave = context.createPeriodicWave(
    new Float32Array(HARMONICS.length),
    Float32Array.from(HARMONICS),
  );
  const at = (step) => time + Math.max(0, step - from) * stepSecs;
  const notes = notesOf(piece).filter(({start, length}) => start + length > from);
  return Array.from({length: piece.voices}, (_, voice) => {
    const oscillator = new OscillatorNode(context, {periodicWave: wave});
    const loudness = new GainNode(context, {gain: 0});
    for (const note of notes.filter((each) => each.voice === voice)) {
      const [start, end] = [at(note.start), at(note.start + note.length)];
      // What is left of a note may be shorter than its attack.
      const risen = Math.min(start + ATTACK_SECS, (start + end) / 2);
      oscillator.frequency.setValueAtTime(frequencyOf(note.pitch), start);
      loudness.gain.setValueAtTime(0, start);
      loudness.gain.linearRampToValueAtTime(LEVEL, risen);
      loudness.gain.setValueAtTime(LEVEL, Math.max(risen, end - RELEASE_SECS));
      loudness.gain.linearRampToValueAtTime(0, end);
    }
    oscillator.connect(loudness).connect(output);
    oscillator.start(time);
    oscillator.stop(at(piece.steps));
    return oscillator;
  });
}
