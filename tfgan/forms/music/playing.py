"""How pieces of music are played and written down, which nothing in a piece itself tells."""

import dataclasses

from tfgan.errors import ModelError, quoted
from tfgan.forms.music import pieces
from tfgan.forms.music.theory import Key

FOUR = 'Soprano', 'Alto', 'Tenor', 'Bass'
MODES = 'major', 'minor'
STEPS_PER_WHOLE = 16
# How far a tonic is from C in fifths, which is how many sharps its major scale has; with flats it
# is less than zero.
FIFTHS_OF = {tonic: (7 * tonic + 5) % 12 - 5 for tonic in range(12)}
MINOR = 3  # A minor scale has three sharps fewer than the major scale of its tonic.
LETTERS = 'FCGDAEB'  # in fifths


def fifths(key: Key) -> int:
    """How many sharps a key's signature has; flats are less than zero."""
    found = FIFTHS_OF[key.tonic] - MINOR * (key.mode == 'minor')
    return found + 12 * (found < -6)


C_MAJOR = Key(0, 'major')


def _check(name, value, is_good, accepted):
    if not is_good:
        raise ModelError(f'{name} {quoted(value, repr)}: it takes {accepted}')


@dataclasses.dataclass(frozen=True)
class Playing:
    """How pieces are played and written.

    `key` is that of the pieces as they are stored; files have all in a key that is so many
    `semitones` higher. `program` is General MIDI's, from 0; 19 is a church organ.
    Raises ModelError for what cannot be written.
    """

    tempo_bpm: float = 80
    program: int = 19
    bar_steps: int = 16
    key: Key = C_MAJOR
    semitones: int = 0

    def __post_init__(self):
        _check('tempo', self.tempo_bpm, 4 <= self.tempo_bpm <= 1000, '4 to 1000 quarters a minute')
        _check('program', self.program, self.program in range(128), 'a whole number from 0 to 127')
        _check('bar', self.bar_steps, self.bar_steps in range(1, 129), '1 to 128 sixteenths')
        _check('mode', self.key[1], self.key[1] in MODES, ' or '.join(MODES))
        _check('tonic', self.key[0], self.key[0] in range(12), 'a whole number from 0 to 11')
        _check('transposition', self.semitones, self.semitones in range(-127, 128), '-127 to 127')

    @property
    def written_key(self) -> Key:
        """The key that files are in."""
        return Key((self.key[0] + self.semitones) % 12, self.key[1])

    @property
    def metre(self) -> tuple[int, int]:
        """The time signature: how many of which part of a whole note a bar has."""
        unit = next(steps for steps in (4, 2, 1) if self.bar_steps % steps == 0)
        return self.bar_steps // unit, STEPS_PER_WHOLE // unit

    @property
    def step_secs(self) -> float:
        """How long a step lasts."""
        return 60 / self.tempo_bpm / pieces.STEPS_PER_BEAT


USUAL = Playing()


def voice_names(voices: int) -> list[str]:
    """The names of so many voices from the highest."""
    return list(FOUR) if voices == 4 else [f'Voice {number + 1}' for number in range(voices)]


def spelled(pitch: int, key: Key) -> tuple[str, int, int]:
    """How a key writes a pitch: its letter, how much it is raised, and its octave.

    On the line of fifths a major key takes what is at most three to the left of its tonic, as E
    flat is in C major, and a minor key what is at most two to the left of its parallel's, so that
    A minor has G sharp and D sharp.
    """
    first = fifths(key) - (3 if key.mode == 'major' else 2)
    place = first + (7 * pitch - first) % 12  # 7 fifths are 49 semitones, which is one.
    raised, letter = divmod(place + 1, 7)
    return LETTERS[letter], raised, (pitch - raised) // 12 - 1
