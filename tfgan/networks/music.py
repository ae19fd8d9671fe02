"""Generators and discriminators of music: pieces of a few voices as one-hot rows, step by step."""

import functools
import itertools
import math

import keras
import numpy as np
import tensorflow as tf

from tfgan.config import Config
from tfgan.networks import windows
from tfgan.networks.backward import LEAK, Forward
from tfgan.networks.layers import BuiltOnCall, Score, Trunk, dense, flat, leaky
from tfgan.networks.recurrent import Gru

BEAT = 4  # steps
OCTAVE = 12  # rows of pitches
FURTHEST = 7  # semitones by which a voice moves as it likes; further it goes by pitch alone
MOVES = 2 * FURTHEST + 1
HOLD = 3.0  # how much more probable a held note is, as a logit, before anything is learned
MOVED = 120.0  # the weight of an interval that another voice has left, to learn of it sooner
# What a discriminator sees is weighed: how high a voice is, and how often there are intervals.
SEMITONE, COUNTED, COUNTED_MOVING = 0.05, 0.3, 4.0
MARGIN = 0.02  # by which a sum of two is more than 1, whatever is rounded
GOLDEN = (math.sqrt(5) - 1) / 2


def one_hot(logits):
    """The likeliest row of logits [..., rows] as one-hot, with the slopes of the softmax."""
    soft = tf.nn.softmax(logits)
    hard = tf.one_hot(tf.argmax(logits, axis=-1), logits.shape[-1])
    return soft + tf.stop_gradient(hard - soft)


def turned(latents, beat):
    """Latents [n, latent_size] of a beat: those of the piece, each pair of them turned by an angle.

    They stay normal, and those of two beats are hardly alike; so a piece of any length has its own
    of every beat.
    """
    half = latents.shape[1] // 2
    angles = 2 * np.pi * np.modf(GOLDEN * np.arange(1, half + 1))[0]
    angles = tf.constant(angles, tf.float32) * tf.cast(beat, tf.float32)
    cosine, sine = tf.cos(angles), tf.sin(angles)
    first, second, rest = latents[:, :half], latents[:, half : 2 * half], latents[:, 2 * half :]
    turned = cosine * first - sine * second, sine * first + cosine * second
    return tf.concat([*turned, rest], axis=1)


class MusicGenerator(BuiltOnCall, keras.Model):
    """What generators of music share: how chords become pieces, and what is given is kept.

    Latents [n, latent_size] and labels [n] become pieces [n, steps, rows, voices]. What is `given`,
    shaped as they are, is kept where `known` [n, steps, voices] is 1; a piece is as long as it. A
    subclass says what the chords of the beats are.
    """

    ORDER = 0, 3, 1, 2  # the outer voices come first

    def __init__(self, config: Config, shape, num_classes: int):
        super().__init__(name='generator')
        self.steps, self.rows, self.voices = shape
        self.notes = self.rows // (2 * OCTAVE) * 2 * OCTAVE + 1  # rows of pitches and of the rest
        self.order = [voice for voice in self.ORDER if voice < self.voices]
        self.trunk = Trunk(config, num_classes)
        self.reading = [dense(config, config.width // 2) for _ in range(2)]
        self.harmony = dense(config, self.voices * config.width)
        self.heard = [dense(config, config.width, use_bias=False) for _ in self.order[1:]]
        self.choices = [dense(config, self.notes) for _ in self.order]
        self.intervals = [dense(config, place * OCTAVE) for place in range(1, self.voices)]
        self.filling = [dense(config, config.width) for _ in range(2)]
        self.passing = dense(config, (BEAT - 1) * self.voices * self.notes)
        zeros = {'kernel_initializer': 'zeros'}  # At first a note is held.
        self.stepping = dense(config, (BEAT - 1) * self.voices * MOVES, **zeros)
        pairs = self.voices * (self.voices - 1)
        self.sounding = dense(config, pairs * OCTAVE, **zeros) if pairs else None
        self.leading = [parallels(config, self.voices - 1) for _ in self.order if pairs]
        hold = keras.initializers.Constant(HOLD)
        self.hold = self.add_weight(shape=[BEAT - 1, self.voices, 1], initializer=hold, name='hold')
        if self.rows > self.notes:
            self.struck = dense(config, BEAT * self.voices)

    def call(self, latents, labels, given=None, known=None):
        if given is None:
            given, known = self.nothing(tf.shape(latents)[0])
        beats = given.shape[1] // BEAT if given.shape[1] else tf.shape(given)[1] // BEAT
        # As [n, beats, BEAT, voices, rows], in which all that is chosen is chosen.
        given = tf.reshape(given, [-1, beats, BEAT, self.rows, self.voices])
        given = tf.transpose(given, [0, 1, 2, 4, 3])
        known = tf.reshape(known, [-1, beats, BEAT, self.voices, 1])
        read = self.read(given, known)
        notes = given[..., : self.notes]
        told = read, notes[:, :, 0], known[:, :, 0]
        states, chords = self.chords(self.trunk(latents, labels), latents, beats, *told)
        found = self.filled(states, chords, read, notes, known, given[..., self.notes :])
        found = tf.transpose(found, [0, 1, 2, 4, 3])
        return tf.reshape(found, [-1, BEAT * beats, self.rows, self.voices])

    def of_what_is_given(self):
        """The weights that make no difference where nothing is given."""
        return [self.reading[0].kernel]

    def nothing(self, count):
        """`given` and `known` of so many pieces of which nothing is known."""
        shape = count, self.steps
        return tf.zeros([*shape, self.rows, self.voices]), tf.zeros([*shape, self.voices])

    def chords(self, trunk, latents, beats, read, given, known):
        """Features [n, beats, width] and rows [n, beats, voices, notes] of the beats' first steps.

        What is given of those is kept.
        """
        raise NotImplementedError

    def read(self, given, known):
        """What is given, seen at each beat with the beats about it: [n, beats, features]."""
        hidden = tf.concat([given * known, known], axis=4)
        hidden = tf.reshape(hidden, [-1, tf.shape(given)[1], BEAT * (self.rows + 1) * self.voices])
        hidden = leaky(self.reading[0](hidden))
        return leaky(self.reading[1](around(hidden, 1, 4)))

    def chord(self, features, given, known, before=None):
        """The rows [n, voices, notes] of a beat's first step.

        A note is likely by its pitch and by the intervals that it makes with those that were
        chosen; after a chord that is known to have been before, also by how far its voice moves.
        """
        hidden, found = tf.split(self.harmony(features), self.voices, axis=1), {}
        for place, voice in enumerate(self.order):
            heard, others = hidden[place], self.order[:place]
            if place:
                chosen = tf.concat([found[other] for other in others], axis=1)
                heard += self.heard[place - 1](chosen)
            heard = leaky(heard)
            logits = tf.cast(self.choices[place](heard), tf.float32)
            if before is not None:
                moves = tf.cast(self.moves[place](heard), tf.float32)
                logits += tf.einsum('nm,nmr->nr', moves, reachable(before[:, voice]))
            if place:
                logits += self.consonance(place, heard, {o: found[o] for o in others}, before)
            row = one_hot(logits)
            found[voice] = kept(row, given[:, voice], known[:, voice])
        return tf.stack([found[voice] for voice in range(self.voices)], axis=1)

    def consonance(self, place, heard, chosen, before):
        """What the intervals with those chosen say of a voice's rows: logits [n, notes].

        They depend on the intervals before and on whether the others have moved from them.
        """
        rows = tf.stack([*chosen.values()], axis=1)
        wide = [heard]
        if before is not None:
            others = tf.gather(before, [*chosen], axis=1)
            left, moved = intervals_left(before[:, self.order[place]], others, rows)
            wide.append(flat(left))
        wanted = tf.cast(self.intervals[place - 1](beside(*wide)), tf.float32)
        if before is not None:
            wanted += tf.cast(self.parallels[place - 1](flat(moved)), tf.float32)
        return of_intervals(wanted, rows)

    def filled(self, states, chords, read, given, known, again):
        """The rows [n, beats, BEAT, voices, rows] of all steps, of those of each beat's first.

        What lies between two beats is likely by its pitch, by how far it is from the first, and by
        the intervals that it makes.
        """
        following = tf.pad(chords, [[0, 0], [0, 1], [0, 0], [0, 0]])[:, 1:]
        told = beside(states, read), chords, following, given, known
        # From here on each beat of each piece is one of n.
        features, chord, then, notes, is_known = (tf.reshape(x, [-1, *x.shape[2:]]) for x in told)
        reached = reachable(tf.reshape(chord, [-1, self.notes]))
        reached = tf.reshape(reached, [-1, self.voices, MOVES, self.notes])
        ways = tf.einsum('nvmr,nvr->nvm', reached, then)
        between = self.between_voices(chord), self.between_voices(then)
        hidden = beside(features, flat(chord), flat(then), flat(ways), *between)
        for layer in self.filling:
            hidden = leaky(layer(hidden))
        by_step = [-1, BEAT - 1, self.voices]
        logits = tf.reshape(tf.cast(self.passing(hidden), tf.float32), [*by_step, self.notes])
        moves = tf.reshape(tf.cast(self.stepping(hidden), tf.float32), [*by_step, MOVES])
        logits += tf.einsum('nsvm,nvmr->nsvr', moves, reached)
        wanted = []
        if self.voices > 1:
            wanted = tf.split(tf.cast(self.sounding(hidden), tf.float32), self.voices, axis=1)
        steps, then = [chord], tf.unstack(then, axis=1)
        for step in range(1, BEAT):
            likely = logits[:, step - 1] + self.hold[step - 1] * steps[-1]
            told = notes[:, step], is_known[:, step]
            steps.append(self.passed(likely, wanted, steps[-1], then, *told))
        found = tf.reshape(tf.stack(steps, axis=1), tf.shape(given))
        if self.rows == self.notes:
            return found
        logits = tf.reshape(tf.cast(self.struck(hidden), tf.float32), tf.shape(known))
        struck = self.again(found, logits)
        return tf.concat([found, kept(struck, again, known)], axis=4)

    def passed(self, logits, wanted, before, following, given, known):
        """The rows [n, voices, notes] of a step, by logits of their pitches, shaped as they are.

        Voice after voice is chosen, and hears the others as far as they are. Of each voice,
        `wanted` has the logits [n, 12 * (voices - 1)] of intervals, and `following` the rows
        [n, notes] of the next beat; `before` are the rows of the step before.
        """
        logits, before, given, known = (
            tf.unstack(x, axis=1) for x in (logits, before, given, known)
        )
        now = [*before]
        for voice in self.order:
            own = logits[voice]
            if self.voices > 1:
                own += self.among(voice, wanted[voice], before, now, following)
            now[voice] = kept(one_hot(own), given[voice], known[voice])
        return tf.stack(now, axis=1)

    def among(self, voice, wanted, before, now, following):
        """What intervals with the other voices say of a voice's rows: logits [n, notes].

        They are those `wanted`, but for intervals of the step before and the next beat where the
        other voice moves, which would be parallels. Of each voice there are rows [n, notes].
        """
        rows, *near = (
            tf.stack(voices[:voice] + voices[voice + 1 :], axis=1)
            for voices in (now, before, following)
        )
        own = before[voice], following[voice]
        moved = [intervals_left(*each, rows)[1] for each in zip(own, near)]
        wanted += tf.cast(self.leading[voice](flat(tf.concat(moved, axis=1))), tf.float32)
        return of_intervals(wanted, rows)

    def between_voices(self, chords):
        """The intervals in chords [n, voices, notes]: [n, 12 * pairs]."""
        if self.voices == 1:
            return chords[:, 0, :0]
        pairs = [*itertools.combinations(range(self.voices), 2)]
        return flat(of_pairs(classes_of(chords), [(second, first) for first, second in pairs]))

    def again(self, found, logits):
        """Where a note is struck again that sounded the step before: 0 or 1, shaped as logits."""
        soft = tf.sigmoid(logits)
        hard = soft + tf.stop_gradient(tf.cast(logits > 0, tf.float32) - soft)
        steps = tf.reshape(found, [-1, BEAT * tf.shape(found)[1], self.voices, self.notes])
        before = tf.pad(steps, [[0, 0], [1, 0], [0, 0], [0, 0]])[:, :-1]
        same = tf.reduce_sum((steps * before)[..., :-1], axis=3)  # without rests
        return hard * tf.reshape(same, tf.shape(logits))


class RecurrentGenerator(MusicGenerator):
    """A GRU goes from beat to beat; dense layers choose voice by voice and fill what is between.

    It makes pieces of any length, of the latents turned by an angle that grows with the beat.
    """

    def __init__(self, config: Config, shape, num_classes: int):
        super().__init__(config, shape, num_classes)
        self.start = dense(config, config.width)
        self.gru = Gru(config)
        self.moves = [dense(config, MOVES) for _ in self.order]
        self.parallels = [parallels(config, place) for place in range(1, self.voices)]

    def chords(self, trunk, latents, beats, read, given, known):
        state = tf.tanh(tf.cast(self.start(trunk), tf.float32))
        chord = tf.zeros([tf.shape(latents)[0], self.voices, self.notes])

        def after(beat, state, chord):
            seen = beside(turned(latents, beat), read[:, beat], flat(chord))
            state = self.gru(seen, state)
            return state, self.chord(beside(state, seen), given[:, beat], known[:, beat], chord)

        in_training = latents.shape[0] is not None  # An export takes batches of any size.
        if isinstance(beats, int) and in_training and not windows.is_for_xla():
            # Of a loop within that of the steps, TensorFlow optimises the gradients' sums wrongly.
            found = []
            for beat in range(beats):
                state, chord = after(beat, state, chord)
                found.append((state, chord))
            return tuple(tf.stack(each, axis=1) for each in zip(*found))

        def body(beat, state, chord, states, chords):
            state, chord = after(beat, state, chord)
            return beat + 1, state, chord, states.write(beat, state), chords.write(beat, chord)

        arrays = [tf.TensorArray(tf.float32, beats) for _ in range(2)]
        begun = 0, state, chord, *arrays
        most = beats if isinstance(beats, int) else None  # XLA has to know how many there are.
        *_, states, chords = tf.while_loop(
            lambda beat, *_: beat < beats, body, begun, maximum_iterations=most
        )
        return tf.transpose(states.stack(), [1, 0, 2]), tf.transpose(chords.stack(), [1, 0, 2, 3])


class DenseGenerator(MusicGenerator):
    """Dense layers and windows of beats choose all chords at once, of pieces of one length."""

    def __init__(self, config: Config, shape, num_classes: int):
        super().__init__(config, shape, num_classes)
        self.start = dense(config, self.steps // BEAT * config.width)
        self.near = [dense(config, config.width) for _ in range(2)]

    def chords(self, trunk, latents, beats, read, given, known):
        hidden = tf.reshape(
            leaky(self.start(trunk)), [-1, beats, self.start.units * BEAT // self.steps]
        )
        for layer in self.near:
            hidden = leaky(layer(around(beside(hidden, read), 1, 1)))
        features = beside(hidden, read)
        rows = [-1, self.voices, self.notes]
        chords = self.chord(
            tf.reshape(features, [-1, features.shape[2]]),
            tf.reshape(given, rows),
            tf.reshape(known, [-1, self.voices, 1]),
        )
        return hidden, tf.reshape(chords, [-1, beats, self.voices, self.notes])


def parallels(config, pairs: int):
    """A layer of intervals of voices that move, to what they say of other intervals."""
    return dense(config, pairs * OCTAVE, use_bias=False, kernel_initializer='zeros')


def kept(row, given, known):
    """Rows, or what is given where it is known."""
    return known * given + (1 - known) * row


def reachable(row):
    """Where each of so many semitones leads from a row [n, notes]: [n, moves, notes]."""
    pitches = row.shape[1] - 1
    places = tf.range(pitches)[:, None] + tf.range(-FURTHEST, FURTHEST + 1)
    found = looked_up(row[:, :pitches], places, pitches)
    return tf.pad(found, [[0, 0], [0, 0], [0, 1]])  # No move leads to a rest.


def classes_of(row):
    """The pitch class [..., 12] of a row [..., notes], none of a rest."""
    octaves = row.shape[-1] // OCTAVE
    return tf.add_n(tf.split(row[..., : octaves * OCTAVE], octaves, axis=-1))


def above(classes):
    """Which class lies each number of semitones above classes [n, 12]: [n, semitones, 12]."""
    one = tf.range(OCTAVE)
    return looked_up(classes, (one[:, None] + one) % OCTAVE, OCTAVE)


def up_to(classes):
    """How many semitones up from each class classes [n, 12] lie: [n, 12, semitones]."""
    one = tf.range(OCTAVE)
    return looked_up(classes, (one[:, None] - one) % OCTAVE, OCTAVE)


def of_pairs(classes, pairs):
    """The intervals [n, pairs, 12] of pairs (own, other) of classes [n, voices, 12].

    They are counted up from the other to its own.
    """
    own, other = (tf.gather(classes, voices, axis=1) for voices in zip(*pairs))
    ups = up_to(tf.reshape(own, [-1, OCTAVE]))
    found = tf.einsum('nk,nki->ni', tf.reshape(other, [-1, OCTAVE]), ups)
    return tf.reshape(found, [-1, len(pairs), OCTAVE])


def held_once(function):
    """A function that an export, whose batches are of any size, holds once for all its calls.

    In training it is part of what calls it, for XLA has no gradients of functions within a loop.
    """
    alone = tf.function(function, autograph=False)

    @functools.wraps(function)
    def called(*rows):
        return function(*rows) if rows[0].shape[0] is not None else alone(*rows)

    return called


@held_once
def intervals_left(own, others, now):
    """The intervals [n, voices, 12] of rows [n, notes] with `others`, and those that these leave.

    The others' rows [n, voices, notes] become those of `now`. What is left is weighed.
    """
    found = tf.einsum('nvk,nki->nvi', classes_of(others), up_to(classes_of(own)))
    held = tf.reduce_sum(others * now, axis=2, keepdims=True)
    return found, MOVED * found * (1 - held)


@held_once
def of_intervals(wanted, others):
    """Logits [n, voices * 12] of intervals up from rows [n, voices, notes] as those [n, notes]."""
    voices, notes = others.shape[1:]
    places = above(tf.reshape(classes_of(others), [-1, OCTAVE]))
    places = tf.reshape(places, [-1, voices, OCTAVE, OCTAVE])
    found = tf.einsum('nvi,nvik->nk', tf.reshape(wanted, [-1, voices, OCTAVE]), places)
    octaves = notes // OCTAVE
    found = tf.concat([found] * octaves, axis=1)
    return tf.pad(found, [[0, 0], [0, notes - octaves * OCTAVE]])


def looked_up(hot, places, count: int):
    """One-hot rows of a table of places [d, a] below `count`, at one-hot [n, d]: [n, a, count].

    By a matrix product, whose gradient is one too; a place that is not below is nowhere. Tables
    are made as they are needed, for a graph that holds them is large.
    """
    depth, width = places.shape
    table = tf.reshape(tf.one_hot(places, count), [depth, width * count])
    return tf.reshape(tf.matmul(hot, table), [-1, width, count])


def beside(*features):
    """Features [..., d] of any precision as one, float32."""
    return tf.concat([tf.cast(each, tf.float32) for each in features], axis=-1)


def around(hidden, before: int, after: int):
    """Each beat's features [n, beats, d] beside those of so many beats before and after it."""
    beats = hidden.shape[1] or tf.shape(hidden)[1]
    padded = tf.pad(hidden, [[0, 0], [before, after], [0, 0]])
    return tf.concat([padded[:, i : i + beats] for i in range(before + after + 1)], axis=2)


class MusicDiscriminator(BuiltOnCall, keras.Model):
    """Pieces [n, steps, rows, voices] and labels [n] to logits [n] through windows of beats.

    Beside the rows it sees what a musician hears in any key: how high the voices are, and how often
    in a piece each interval lies between two of them, moves one, or moves with both.
    """

    def __init__(self, config: Config, shape, num_classes: int):
        super().__init__(name='discriminator')
        self.steps, self.rows, self.voices = shape
        units = config.channels * 16
        self.near = [dense(config, units) for _ in range(2)]
        self.far = [dense(config, units) for _ in range(2)]
        self.score = Score(config, num_classes)
        # Of random weights the slopes would be so steep that only the penalty would teach them.
        self.tally = dense(config, 1, use_bias=False, kernel_initializer='zeros')

    def call(self, pieces, labels, via=None):
        via = via or Forward()
        classes = pitch_classes(pieces)
        hidden = self.beats(pieces, classes)
        for layer in self.near:
            hidden = via.leaky(via.affine(layer, hidden))
        seen = [hidden]
        for layer in self.far:
            hidden = via.leaky(via.affine(layer, around(hidden, 1, 2)[:, ::2]))
            seen.append(hidden)
        tallied = via.affine(self.tally, self.counts(classes, via))[:, 0]
        score = self.score(beside(*map(flat, seen)), labels, via=via)
        return score + tf.cast(tallied, tf.float32)

    def beats(self, pieces, classes):
        """The steps of each beat, the one before and the one after it: [n, beats, features]."""
        of_all = tf.reduce_sum(classes, axis=3, keepdims=True)
        views = pieces, classes, of_all, self.heights(pieces)[:, :, None]
        wide = [tf.reshape(each, [-1, self.steps, math.prod(each.shape[2:])]) for each in views]
        views = tf.concat(wide, axis=2)
        own = tf.reshape(views, [-1, self.steps // BEAT, BEAT * views.shape[2]])
        padded = tf.pad(views, [[0, 0], [1, BEAT], [0, 0]])
        before, after = padded[:, : self.steps : BEAT], padded[:, BEAT + 1 :: BEAT]
        return tf.concat([own, before, after], axis=2)

    def heights(self, pieces):
        """How high each voice is, and above where it was: [n, steps, 2 * voices]."""
        pitches = self.rows // OCTAVE * OCTAVE
        levels = (tf.range(pitches, dtype=tf.float32) - (pitches - 1) / 2) * SEMITONE
        high = tf.einsum('nsrv,r->nsv', pieces[:, :, :pitches], levels)
        before = tf.pad(high, [[0, 0], [1, 0], [0, 0]])[:, :-1]
        return tf.concat([high, high - before], axis=2)

    def counts(self, classes, via):
        """How often notes are held, and intervals are moved by, sound and move.

        Notes are held from step to step of a beat; the others are from half a beat to the next one.
        Those that move are also counted of all pairs of voices together.
        """
        stays = tf.reduce_sum(both(classes[:, :-1], classes[:, 1:], via), axis=2)
        stays = tf.pad(stays, [[0, 0], [0, 1], [0, 0]])
        stays = tf.reshape(stays, [-1, self.steps // BEAT, BEAT, self.voices])
        halves = classes[:, :: BEAT // 2]
        moves = intervals(halves[:, :-1], halves[:, 1:], via)
        found = [stays * COUNTED, moves * COUNTED]
        if self.voices > 1:
            pairs = [*zip(*itertools.combinations(range(self.voices), 2))]
            first, second = (tf.gather(halves, voices, axis=3) for voices in pairs)
            sounding = intervals(first, second, via)
            # It moves where it sounds twice and the first of its voices has not been held.
            held = tf.gather(moves[:, :, :1], pairs[0], axis=3)
            moving = both(sounding[:, 1:] - held, sounding[:, :-1], via) * COUNTED_MOVING
            found += [sounding * COUNTED, moving, tf.reduce_sum(moving, axis=3, keepdims=True)]
        return tf.concat([flat(tf.reduce_sum(each, axis=1)) for each in found], axis=1)


def pitch_classes(pieces):
    """Rows [n, steps, rows, voices] as the classes of their pitches [n, steps, 12, voices]."""
    steps, rows, voices = pieces.shape[1:]
    octaves = rows // OCTAVE
    rows = tf.reshape(pieces[:, :, : octaves * OCTAVE], [-1, steps, octaves, OCTAVE, voices])
    return tf.reduce_sum(rows, axis=2)


def both(first, second, via):
    """Where there are both, which are 0 or about 1: about 1 there, else 0 and without a slope.

    It is a product of the two that is piecewise linear, as flat as one can be: a penalty on slopes
    asks the price of their squares. Only what is there has any, so it does not see what might be.
    """
    hidden = via.shifted(first + second, -1 - MARGIN)
    # A ReLU, made of a leaky one, which is what backward passes know.
    return (via.leaky(hidden) - LEAK * hidden) / (1 - LEAK)


def intervals(first, second, via):
    """How many semitones it is up from one to another of one-hot classes [n, t, 12, pairs].

    Returns one-hot intervals, shaped as the classes, a little less than 1 where they sound.
    """
    places = [
        [(place + interval) % OCTAVE for place in range(OCTAVE)] for interval in range(OCTAVE)
    ]
    turned = tf.gather(second, places, axis=2)  # [n, t, interval, place, pairs]
    return tf.reduce_sum(both(first[:, :, None], turned, via), axis=3)
