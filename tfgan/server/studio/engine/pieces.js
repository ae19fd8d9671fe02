// Pieces of music, as tfgan/forms/music/pieces.py has them: {pitch, steps, voices}.
//
// `pitch` is an Int32Array [steps * voices] of MIDI pitches, `REST`, or `AGAIN` + a pitch that is
// the same as in the step before and struck again. A pitch that is the same is held else.

export const BEAT_STEPS = 4; // A step is a sixteenth, a beat a quarter.
export const BAR_STEPS = 16;
export const REST = -1;
export const AGAIN = 128;
export const MIDDLE = 60; // MIDI's middle C

const FOUR = ['Soprano', 'Alto', 'Tenor', 'Bass'];

// The names of so many voices from the highest.
export function voiceNames(voices) {
  return voices === 4 ? FOUR : Array.from({length: voices}, (_, i) => `Voice ${i + 1}`);
}

// The notes {voice, start, length, pitch} of a piece, by their start and then by voice.
export function notesOf({pitch, steps, voices}) {
  const found = [];
  const sounding = Array(voices).fill(null);
  for (let step = 0; step < steps; step++) {
    for (let voice = 0; voice < voices; voice++) {
      const now = pitch[step * voices + voice];
      if (now === REST) {
        sounding[voice] = null;
      } else if (sounding[voice]?.pitch === now) {
        sounding[voice].length++;
      } else {
        sounding[voice] = {voice, start: step, length: 1, pitch: now % AGAIN};
        found.push(sounding[voice]);
      }
    }
  }
  return found;
}

const NAMES = ['C', 'C♯', 'D', 'E♭', 'E', 'F', 'F♯', 'G', 'G♯', 'A', 'B♭', 'B'];

// The name of a pitch, such as C4.
const pitchName = (pitch) => `${NAMES[pitch % 12]}${Math.floor(pitch / 12) - 1}`;

// What is seen of a piece's roll, in words.
export function inWords(piece) {
  const notes = notesOf(piece);
  const bars = piece.steps / BAR_STEPS;
  const length = `${bars} ${bars === 1 ? 'bar' : 'bars'}`;
  if (!notes.length) return `${length} of rests`;
  const pitches = notes.map(({pitch}) => pitch);
  const [low, high] = [Math.min(...pitches), Math.max(...pitches)].map(pitchName);
  return `${length}, ${notes.length} notes from ${low} to ${high}`;
}
