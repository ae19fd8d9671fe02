"""Piano rolls: time to the right, pitch upwards, and a colour for each voice."""

import numpy as np

from tfgan.forms.music import pieces
from tfgan.forms.music.playing import USUAL, Playing, voice_names

# From the highest voice: they differ in grey and to those who see red and green alike. The paper is
# light, so that the highest voice, on which all look, is darkest but one.
COLOURS = np.array([(178, 24, 75), (238, 150, 20), (30, 150, 150), (25, 40, 110)], np.uint8)
PAPER, BAND, OCTAVE, MIDDLE, BAR, AROUND = 255, 243, 224, 190, 170, 208  # greys
HELD = 0.72  # how much of its colour a note keeps after its beginning
LOWEST, HIGHEST = 36, 83  # that are always there, so that sheets of a run have one size
GAP = 8  # pixels between pieces
LEAST_ROW, MOST_ROW = 2, 12  # pixels of a pitch
UNIT = 8  # of SVG: the width of a step, and the height of a pitch
LEFT, TOP, TEXT = 32, 16, 11  # units beside and above the roll of an SVG file, and of its letters


def sheet(raw, columns: int | None = None, pixels: int = 640, bar_steps: int = 16) -> np.ndarray:
    """Rolls of pieces [n, steps, voices] in rows, about `pixels` wide: uint8 [h, w, 3].

    A step is at least a pixel, so that many long pieces take more.
    """
    raw = np.asarray(raw)
    count, steps, _ = raw.shape
    columns = min(columns or int(np.ceil(np.sqrt(count))), count)
    step = max(1, round((pixels / columns - GAP) / steps))
    tiles = [tile(piece, step, pitches(raw), bar_steps) for piece in raw]
    height, width, _ = tiles[0].shape
    rows = -(-count // columns)
    size = GAP + rows * (height + GAP), GAP + columns * (width + GAP), 3
    page = np.full(size, AROUND, np.uint8)
    for number, each in enumerate(tiles):
        top = GAP + (height + GAP) * (number // columns)
        left = GAP + (width + GAP) * (number % columns)
        page[top : top + height, left : left + width] = each
    return page


def pitches(raw) -> range:
    """Whole octaves from C, in which all pitches of pieces are."""
    found = np.where(raw == pieces.REST, LOWEST, raw % pieces.AGAIN)
    lowest, highest = min(found.min(initial=LOWEST), LOWEST), max(found.max(initial=0), HIGHEST)
    return range(int(lowest) // 12 * 12, int(highest) // 12 * 12 + 12)


def tile(piece, step: int, rows: range, bar_steps: int) -> np.ndarray:
    """The roll of one piece, a step so many pixels wide: uint8 [h, w, 3]."""
    steps, _ = piece.shape
    row = min(max(LEAST_ROW, step), MOST_ROW)
    page = np.repeat(_paper(steps, step, row, rows, bar_steps)[..., None], 3, axis=-1)
    begun = max(1, step // 2)
    space = int(step >= 3)  # between a note and the next
    place, among = _lanes(piece)
    for note in pieces.notes_of(piece):
        strong = COLOURS[note.voice % len(COLOURS)]
        weak = np.uint8(HELD * strong + (1 - HELD) * PAPER)
        top, last = row * (rows.stop - 1 - note.pitch), note.start + note.length - 1
        for at in range(note.start, last + 1):
            lane, lanes = place[at, note.voice], among[at, note.voice]
            first, end = top + row * lane // lanes, top + row * (lane + 1) // lanes
            page[first:end, at * step : (at + 1) * step - space * (at == last)] = weak
            if at == note.start:
                page[first:end, at * step : at * step + begun] = strong
    return page


def _lanes(piece):
    """Which part of a pitch's row each voice has, and of how many: those in unison share it."""
    pitch = np.where(piece == pieces.REST, pieces.REST, piece % pieces.AGAIN)
    same = pitch[:, :, None] == pitch[:, None, :]
    return np.tril(same, -1).sum(2), same.sum(2)


def _paper(steps, step, row, rows, bar_steps):
    """Paper with every other beat in a band, and lines for bars and below each C."""
    beat = np.arange(steps) % bar_steps // pieces.STEPS_PER_BEAT
    across = np.repeat(np.where(beat % 2, BAND, PAPER), step)
    page = np.tile(across, [row * len(rows), 1])
    page[row * 12 - 1 :: row * 12] = OCTAVE
    page[row * (rows.stop - pieces.MIDDLE) - 1] = MIDDLE
    page[:, :: step * bar_steps] = BAR
    return page.astype(np.uint8)


def svg(piece, how: Playing = USUAL, marks=()) -> str:
    """An SVG file of the roll of a piece [steps, voices], with octaves and bars numbered.

    Marks (step, text) stand in the place of the numbers of bars.
    """
    piece = pieces.transposed(piece, how.semitones)
    steps, voices = piece.shape
    rows = pitches(piece)
    width, height = LEFT + steps * UNIT, TOP + len(rows) * UNIT
    place, among = _lanes(piece)
    parts = [*_grid(steps, rows, how.bar_steps), *_numbers(steps, rows, how.bar_steps, marks)]
    notes = pieces.notes_of(piece)
    for voice, name in enumerate(voice_names(voices)):
        own = [
            _bar(note, rows, *(each[_steps(note), voice].max() for each in (place, among)))
            for note in notes
            if note.voice == voice
        ]
        colour = _hexadecimal(COLOURS[voice % len(COLOURS)])
        parts.append(f'<g fill="{colour}">\n<title>{name}</title>\n{"".join(own)}</g>\n')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}">\n<rect width="100%" height="100%" fill="#ffffff"/>\n'
        f'{"".join(parts)}</svg>\n'
    )


def _grid(steps, rows, bar_steps):
    """Bands, and lines, as `_paper`."""
    bottom = TOP + len(rows) * UNIT
    for first in range(0, steps, pieces.STEPS_PER_BEAT):
        if first % bar_steps // pieces.STEPS_PER_BEAT % 2:
            wide = min(pieces.STEPS_PER_BEAT, steps - first) * UNIT
            yield (
                f'<rect x="{LEFT + first * UNIT}" y="{TOP}" width="{wide}"'
                f' height="{bottom - TOP}" fill="{_grey(BAND)}"/>\n'
            )
    for pitch in range(rows.start, rows.stop + 1, 12):
        colour = _grey(MIDDLE if pitch == pieces.MIDDLE else OCTAVE)
        y = bottom - (pitch - rows.start) * UNIT
        yield f'<path d="M{LEFT} {y}h{steps * UNIT}" stroke="{colour}"/>\n'
    for first in range(0, steps + 1, bar_steps):
        x = LEFT + first * UNIT
        yield f'<path d="M{x} {TOP}V{bottom}" stroke="{_grey(BAR)}"/>\n'


def _numbers(steps, rows, bar_steps, marks):
    """The name of each C, and the number of each bar or the marks."""
    marks = marks or [(bar * bar_steps, bar + 1) for bar in range(-(-steps // bar_steps))]
    yield f'<g font-family="sans-serif" font-size="{TEXT}" fill="#404040">\n'
    for pitch in range(rows.start, rows.stop, 12):
        y = TOP + (rows.stop - pitch) * UNIT - 1
        yield f'<text x="{LEFT - 4}" y="{y}" text-anchor="end">C{pitch // 12 - 1}</text>\n'
    for step, text in marks:
        yield f'<text x="{LEFT + step * UNIT + 2}" y="{TOP - 4}">{text}</text>\n'
    yield '</g>\n'


def _bar(note, rows, lane, lanes):
    """A note, weaker after its beginning; in unison it has its part of the row."""
    tall = (UNIT - 1) / lanes
    y = TOP + (rows.stop - 1 - note.pitch) * UNIT + 0.5 + lane * tall
    x, wide = LEFT + note.start * UNIT, note.length * UNIT - 1
    box = f'y="{y:g}" height="{tall:g}"'
    return (
        f'<rect x="{x}" {box} width="{wide}" fill-opacity="{HELD}"/>'
        f'<rect x="{x}" {box} width="{UNIT // 2}"/>\n'
    )


def _steps(note):
    return slice(note.start, note.start + note.length)


def _grey(level):
    return _hexadecimal([level] * 3)


def _hexadecimal(colour):
    return '#' + ''.join(f'{level:02x}' for level in colour)
