// Models of music in the page: seeds to pieces, equal to those of their SavedModels.
//
// The generators are those of tfgan/networks/music.py where nothing is given. A row is the number
// of a pitch from the lowest one, or the last one for a rest; the networks see it as one-hot.
//
// An item is {seed or latents, label, bars}: `bars` is there where a piece has another length than
// those that the model learned from.

import {Facts} from './facts.js';
import {Trunk, concat, dense, leaky, reader, sigmoid} from './layers.js';
import {AGAIN, BAR_STEPS, BEAT_STEPS, MIDDLE, REST} from './pieces.js';

const OCTAVE = 12;
const TWO_OCTAVES = 24;
const FURTHEST = 7; // semitones by which a voice moves as it likes
const MOVES = 2 * FURTHEST + 1;
const MOVED = 120; // the weight of an interval that another voice has left
const ORDER = [0, 3, 1, 2]; // The outer voices come first.
const GOLDEN = (Math.sqrt(5) - 1) / 2;

// Latents of a beat: each pair of a piece's turned by an angle, in float32 as TensorFlow has it.
function turned(latents, beat) {
  const half = latents.length >> 1;
  const found = Float64Array.from(latents);
  for (let i = 0; i < half; i++) {
    const angle = Math.fround(2 * Math.PI * ((GOLDEN * (i + 1)) % 1));
    const whole = Math.fround(angle * beat);
    const [cosine, sine] = [Math.cos(whole), Math.sin(whole)];
    found[i] = cosine * latents[i] - sine * latents[half + i];
    found[half + i] = sine * latents[i] + cosine * latents[half + i];
  }
  return found;
}

// Each beat's features beside those of so many beats before and after it.
function around(features, before, after) {
  const none = new Float64Array(features[0].length);
  return features.map((_, beat) => {
    const near = Array.from({length: before + 1 + after}, (_, i) => features[beat - before + i]);
    return concat(...near.map((each) => each ?? none));
  });
}

function largest(logits) {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[best]) best = i;
  return best;
}

class MusicGenerator {
  constructor(tensors, config, [steps, rows, voices]) {
    Object.assign(this, {steps, voices});
    this.notes = Math.floor(rows / TWO_OCTAVES) * TWO_OCTAVES + 1; // pitches and the rest
    this.order = ORDER.filter((voice) => voice < voices);
    this.hold = tensors.take().values;
    this.trunk = new Trunk(tensors, config.depth);
    this.reading = tensors.many(2);
    this.harmony = tensors.affine();
    this.heard = this.order.slice(1).map(() => tensors.take());
    this.choices = tensors.many(voices);
    this.moves = this.parallels = null; // of what goes from beat to beat
    this.intervals = tensors.many(voices - 1);
    this.filling = tensors.many(2);
    this.passing = tensors.affine();
    this.stepping = tensors.affine();
    this.sounding = voices > 1 ? tensors.affine() : null;
    this.leading = voices > 1 ? this.order.map(() => tensors.take().values) : [];
    this.struck = rows > this.notes ? tensors.affine() : null;
  }

  // The piece {pitch, steps, voices} of latents and a label, so many beats long.
  piece(latents, label, beats) {
    const read = this.read(beats);
    const {states, chords} = this.chords(this.trunk.call(latents, label), latents, read);
    const steps = beats * BEAT_STEPS;
    const pitch = new Int32Array(steps * this.voices);
    let before = null;
    chords.forEach((chord, beat) => {
      const next = chords[beat + 1] ?? [];
      const told = [this.oneHot(chord), this.oneHot(next), this.ways(chord, next)];
      told.push(this.betweenVoices(chord), this.betweenVoices(next));
      const features = concat(states[beat], read[beat], ...told);
      const {rows, struck} = this.filled(features, chord, next);
      rows.forEach((row, i) => {
        const at = (beat * BEAT_STEPS + i) * this.voices;
        pitch.set(this.pitches(row, before, struck?.subarray(i * this.voices)), at);
        before = row;
      });
    });
    return {pitch, steps, voices: this.voices};
  }

  // What the networks read of what is given, of which there is nothing: only where a piece ends.
  read(beats) {
    const nothing = leaky(Float64Array.from(this.reading[0].bias.values));
    const wide = around(Array(beats).fill(nothing), 1, 4);
    return wide.map((features) => leaky(dense(this.reading[1], features)));
  }

  // The rows of a beat's first step, voice after voice; `before` are those of the beat before.
  chord(features, before) {
    const hidden = dense(this.harmony, features);
    const width = hidden.length / this.voices;
    const rows = new Int32Array(this.voices);
    this.order.forEach((voice, place) => {
      const heard = hidden.subarray(place * width, (place + 1) * width);
      for (let i = 0; i < place; i++) {
        const from = (i * this.notes + rows[this.order[i]]) * width;
        const weights = this.heard[place - 1].values;
        for (let j = 0; j < width; j++) heard[j] += weights[from + j];
      }
      leaky(heard);
      const logits = dense(this.choices[place], heard);
      if (this.moves) this.addMoves(logits, dense(this.moves[place], heard), before?.[voice]);
      if (place) this.addIntervals(logits, heard, place, rows, before);
      rows[voice] = largest(logits);
    });
    return rows;
  }

  isRest(row) {
    return row === undefined || row === this.notes - 1;
  }

  // Adds to a voice's logits how likely it moves so far from its row before.
  addMoves(logits, moves, row) {
    if (this.isRest(row)) return;
    const [first, last] = [Math.max(0, row - FURTHEST), Math.min(this.notes - 2, row + FURTHEST)];
    for (let to = first; to <= last; to++) logits[to] += moves[to - row + FURTHEST];
  }

  // Adds to a voice's logits how likely it makes intervals with those that were chosen, by those
  // before and by whether the others have moved from them.
  addIntervals(logits, heard, place, rows, before) {
    const voice = this.order[place];
    const others = this.order.slice(0, place);
    const left = new Float64Array(place * OCTAVE);
    const moved = []; // places of intervals that others have left
    others.forEach((other, i) => {
      const [from, own] = [before?.[other], before?.[voice]];
      if (this.isRest(from) || this.isRest(own)) return;
      const interval = i * OCTAVE + ((own - from + this.notes - 1) % OCTAVE);
      left[interval] = 1;
      if (from !== rows[other]) moved.push(interval);
    });
    const features = this.moves ? concat(heard, left) : heard;
    const wanted = dense(this.intervals[place - 1], features);
    for (const interval of this.parallels ? moved : []) {
      const weights = this.parallels[place - 1].values.subarray(interval * wanted.length);
      wanted.forEach((_, j) => (wanted[j] += MOVED * weights[j]));
    }
    others.forEach((other, i) => {
      this.addClasses(logits, wanted.subarray(i * OCTAVE), rows[other]);
    });
  }

  // {rows, struck}: those of a beat's steps, and logits of what is struck again in them.
  filled(features, chord, next) {
    const hidden = this.filling.reduce((inputs, layer) => leaky(dense(layer, inputs)), features);
    const logits = dense(this.passing, hidden);
    const moves = dense(this.stepping, hidden);
    const wanted = this.sounding && dense(this.sounding, hidden);
    const rows = [chord];
    for (let step = 0; step < BEAT_STEPS - 1; step++) {
      const before = rows[step];
      const now = before.slice();
      for (const voice of this.order) {
        const place = step * this.voices + voice;
        const own = logits.subarray(place * this.notes, (place + 1) * this.notes);
        this.addMoves(own, moves.subarray(place * MOVES), chord[voice]);
        if (wanted) this.addPassed(own, voice, wanted, [before, next], now);
        own[before[voice]] += this.hold[place];
        now[voice] = largest(own);
      }
      rows.push(now);
    }
    return {rows, struck: this.struck && dense(this.struck, hidden)};
  }

  // Rows of a step as pitches, by those of the step before.
  pitches(rows, before, struck) {
    const lowest = MIDDLE - (this.notes - 1) / 2;
    return rows.map((row, voice) => {
      if (row === this.notes - 1) return REST;
      const isAgain = struck?.[voice] > 0 && before?.[voice] === row;
      return lowest + row + (isAgain ? AGAIN : 0);
    });
  }

  // Adds to a voice's logits how likely it makes intervals with the others, by those of the step
  // before and of the beat that follows, where the others have moved or move.
  addPassed(logits, voice, wanted, near, now) {
    const others = [...now.keys()].filter((other) => other !== voice);
    const size = others.length * OCTAVE;
    const own = wanted.slice(voice * size, (voice + 1) * size);
    near.forEach((rows, place) => {
      others.forEach((other, i) => {
        const [from, was] = [rows[other], rows[voice]];
        if (this.isRest(from) || this.isRest(was) || from === now[other]) return;
        const interval = (was - from + this.notes - 1) % OCTAVE;
        const weights = this.leading[voice].subarray((place * size + i * OCTAVE + interval) * size);
        own.forEach((_, j) => (own[j] += MOVED * weights[j]));
      });
    });
    others.forEach((other, i) => this.addClasses(logits, own.subarray(i * OCTAVE), now[other]));
  }

  // Adds to the logits of rows those of the intervals that they make with another row.
  addClasses(logits, wanted, other) {
    if (this.isRest(other)) return;
    for (let row = 0; row < this.notes - 1; row++) {
      logits[row] += wanted[(row - other + this.notes - 1) % OCTAVE];
    }
  }

  // How far each voice goes from a chord to the next one, as one-hot, none where it is far.
  ways(chord, next) {
    const found = new Float64Array(this.voices * MOVES);
    chord.forEach((row, voice) => {
      const move = next[voice] - row + FURTHEST;
      const isNone = this.isRest(row) || this.isRest(next[voice]);
      if (!isNone && move >= 0 && move < MOVES) found[voice * MOVES + move] = 1;
    });
    return found;
  }

  // The intervals between the voices of a chord, as one-hot.
  betweenVoices(chord) {
    const found = new Float64Array((this.voices * (this.voices - 1) * OCTAVE) / 2);
    let pair = 0;
    for (let first = 0; first < this.voices; first++) {
      for (let second = first + 1; second < this.voices; second++, pair++) {
        const [from, to] = [chord[first], chord[second]];
        if (this.isRest(from) || this.isRest(to)) continue;
        found[pair * OCTAVE + ((to - from + this.notes - 1) % OCTAVE)] = 1;
      }
    }
    return found;
  }

  oneHot(rows) {
    const found = new Float64Array(this.voices * this.notes);
    rows.forEach((row, voice) => (found[voice * this.notes + row] = 1));
    return found;
  }
}

class RecurrentGenerator extends MusicGenerator {
  constructor(tensors, config, shape) {
    super(tensors, config, shape);
    this.start = tensors.affine();
    this.gates = tensors.affine();
    this.candidate = tensors.affine();
    this.moves = tensors.many(this.voices);
    this.parallels = this.intervals.map(() => tensors.take());
  }

  chords(trunk, latents, read) {
    let state = dense(this.start, trunk).map(Math.tanh);
    let chord = null;
    const [states, chords] = [[], []];
    read.forEach((features, beat) => {
      const seen = concat(turned(latents, beat), features, this.oneHot(chord ?? []));
      state = this.next(seen, state);
      chord = this.chord(concat(state, seen), chord);
      states.push(state);
      chords.push(chord);
    });
    return {states, chords};
  }

  // A step of the gated recurrent unit, as tfgan/networks/recurrent.py has it.
  next(inputs, state) {
    const gates = dense(this.gates, concat(inputs, state)).map(sigmoid);
    const [update, reset] = [gates.subarray(0, state.length), gates.subarray(state.length)];
    const kept = state.map((each, i) => reset[i] * each);
    const candidate = dense(this.candidate, concat(inputs, kept)).map(Math.tanh);
    return state.map((each, i) => update[i] * each + (1 - update[i]) * candidate[i]);
  }
}

class DenseGenerator extends MusicGenerator {
  constructor(tensors, config, shape) {
    super(tensors, config, shape);
    this.start = tensors.affine();
    this.near = tensors.many(2);
  }

  chords(trunk, _, read) {
    const start = leaky(dense(this.start, trunk));
    const width = start.length / read.length;
    let states = read.map((_, beat) => start.subarray(beat * width, (beat + 1) * width));
    const beside = () => states.map((hidden, beat) => concat(hidden, read[beat]));
    for (const layer of this.near) {
      states = around(beside(), 1, 1).map((features) => leaky(dense(layer, features)));
    }
    return {states, chords: beside().map((features) => this.chord(features, null))};
  }
}

const GENERATORS = {beats: RecurrentGenerator, bars: DenseGenerator};

export class MusicModel extends Facts {
  constructor({header, generator}) {
    super(header);
    this.isMusic = true;
    const tensors = reader(generator());
    const {config, shape} = header;
    this.generator = new GENERATORS[header.architecture](tensors, config, shape);
    tensors.done();
    this.bars = this.generator.steps / BAR_STEPS; // of pieces as it learned them
    this.hasAnyLength = this.generator instanceof RecurrentGenerator;
  }

  // The piece of latents and a label; only a recurrent generator makes some of other lengths.
  drawPiece(latents, label, beats = this.generator.steps / BEAT_STEPS) {
    return this.generator.piece(latents, label, beats);
  }

  // The piece of an item, as `drawPiece`.
  itemDrawing(item) {
    const beats = ((item.bars ?? this.bars) * BAR_STEPS) / BEAT_STEPS;
    return this.drawPiece(this.itemLatents(item), item.label, beats);
  }
}
