"""A model of music beside two rivals that learn here from the same data, one after the other.

scripts/music --model=saved_models/chorales --dataset=jsb:jsb16.json prints a table: each figure,
its goal, that of the pieces of the test split, the model's and the rivals'. All are computed by the
same functions, of the same number of pieces. Learned from is the train split; features to judge by
are learned from it too. Copies are looked for in it, in all twelve transpositions, and stand beside
those among the test split. Sopranos are the first four bars of each piece of the test split.
"""

import argparse
import importlib
import pathlib
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

import machine  # of the benchmarks
import music_readers  # of the tests
import numpy as np

import tfgan
from tfgan.errors import SourceError
from tfgan.evaluation.evaluator import SEED, Evaluator
from tfgan.evaluation.extractor import extractor_of
from tfgan.forms import pictures
from tfgan.forms.base import form_named
from tfgan.forms.music import measures, midi_file
from tfgan.forms.music.pieces import REST, notes_of
from tfgan.forms.music.playing import voice_names
from tfgan.saved_model import card, layout
from tfgan.startup import import_tensorflow

RIVALS = 'musegan', 'likelihood'
SAVED, SHOWN = 200, 24  # pieces of each that are kept, and of these that are on its sheet
GOALS = {
    'beats_in_chord': '.85',
    'parallels': '.2 at most',
    'sixteenths': '.05 at most',
    'scale_consistency': '.92',
    'small_steps': '.70',
    'precision': '.75',
    'recall': '.55',
    'copies': 'as of test',
}
JUDGED = 'precision', 'recall', 'density', 'coverage', 'frechet_distance', 'copies'
HARMONISED, UNTOUCHED = 'harmonised: beats within a chord', 'harmonised: sopranos untouched'
FILES = 'files that all read alike'
LEARNED, STEPS = 'seconds of training', 'steps'
ROWS = LEARNED, STEPS, *measures.OF_PIECES, *JUDGED, HARMONISED, UNTOUCHED, FILES, *measures.OF_SETS


class Maker(NamedTuple):
    """What makes pieces; `harmonise` takes sopranos int32 [n, steps], their modes and a seed."""

    sample: Callable[[int, int], np.ndarray]
    harmonise: Callable | None
    secs: float
    steps: int


def main():
    parser = argparse.ArgumentParser('scripts/music', description=__doc__)
    parser.add_argument('--model', default='saved_models/chorales', help='an exported model')
    parser.add_argument('--dataset', help="default: the model's own")
    parser.add_argument('--only', default=','.join(('model', *RIVALS)), help='%(default)s')
    parser.add_argument('--minutes', type=float, default=10, help='that each rival learns')
    parser.add_argument('--num', type=int, default=1000, help='pieces of each')
    parser.add_argument('--files', type=int, default=1000, help='pieces that are read as files')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--save', type=pathlib.Path, help='a folder for pieces and their sheets')
    parser.add_argument('--cache_dir', help='for what is known of the data')
    flags = parser.parse_args()
    import_tensorflow()
    names = flags.only.split(',')
    if unknown := set(names) - {'model', *RIVALS}:
        parser.error(f'--only={",".join(unknown)}: known are model, {", ".join(RIVALS)}')
    dataset = flags.dataset or card.read(layout.newest(flags.model)).data['dataset']
    training, test = (tfgan.open_source(dataset, split=split) for split in ('train', 'test'))
    judge = Judge(training, test, flags)
    print(f'{machine.describe()}; {flags.num:,} pieces of each, seed {flags.seed}', flush=True)
    columns = {}
    for name in names:
        maker = model(flags.model) if name == 'model' else trained(name, training, dataset, flags)
        columns[name] = judge.of(name, maker)
    print('\n'.join(table({'real, test': judge.of_real()} | columns)))


def model(path) -> Maker:
    """An exported model."""
    found = tfgan.load(path)

    def sample(count, seed):
        return found.draw(seed * 2**32 + np.arange(count))

    def harmonise(sopranos, modes, seed):
        shape = *sopranos.shape, found.shape[1]
        pitch, known = np.full(shape, REST, np.int32), np.zeros(shape, bool)
        pitch[:, :, 0], known[:, :, 0] = sopranos, True
        labels = modes if set(modes) <= set(found.class_names()) else None
        return found.fill(pitch, known, seed * 2**32 + np.arange(len(pitch)), labels)

    return Maker(sample, harmonise, found.card.secs, found.card.step)


def trained(name, training, dataset, flags) -> Maker:
    """One that learns here, now."""
    try:
        valid = tfgan.open_source(dataset, split='valid')
    except SourceError:  # Then none tells when to stop.
        valid = None
    learn = importlib.import_module(name).train
    began = time.monotonic()
    learned = learn(training, valid, flags.minutes, flags.seed)
    secs = time.monotonic() - began
    print(f'{name}: {learned.told}', file=sys.stderr, flush=True)
    return Maker(learned.sample, learned.harmonise, secs, learned.steps)


class Judge:
    """Figures of pieces by name, the same ones of all."""

    def __init__(self, training, test, flags):
        self.training, self.test, self.flags = training, test, flags
        extractor = extractor_of(training, flags.cache_dir)
        self.evaluator = Evaluator(
            test, extractor, flags.num, cache_dir=flags.cache_dir, training=training
        )
        self.form = form_named(test.form)
        self.floor = {}  # of the test split's features, since anything was judged by them
        _, first = np.unique(test.origins, return_index=True)
        self.begun = test.images(first)
        self.modes = [test.class_names[label] for label in test.labels[first]]

    def of_real(self) -> dict[str, str]:
        """Those of the test split; what is of features is of a half of it to the other."""
        real = self.test.images(np.arange(len(self.test)))
        spread = real[np.random.default_rng(0).permutation(len(real))]
        self.save('real', spread)
        chords = self._means(self.begun)['beats_in_chord']
        harmony = {HARMONISED: f'{chords:.3f}'}
        return _told(self.floor | self._means(real)) | harmony | self._files(spread)

    def of(self, name: str, maker: Maker) -> dict[str, str]:
        pieces = maker.sample(max(self.flags.num, self.evaluator.count), self.flags.seed)
        self.save(name, pieces)
        quality = self.evaluator.evaluate(lambda seeds: (pieces[seeds - SEED], None))
        self.floor = {row.name: row.real for row in quality.rows}
        judged = {row.name: row.generated for row in quality.rows}
        found = _told(judged | self._means(pieces[: self.flags.num]))
        learned = {LEARNED: f'{maker.secs:,.0f}', STEPS: f'{maker.steps:,}'}
        return learned | found | self._harmonised(name, maker) | self._files(pieces)

    def _means(self, pieces):
        found = measures.measures(pieces, self.training)
        return {name: np.nanmean(values) for name, values in found.items()}

    def _harmonised(self, name, maker):
        if not maker.harmonise:
            return {}
        sopranos = self.begun[:, :, 0]
        pieces = maker.harmonise(sopranos, self.modes, self.flags.seed)
        self.save(f'{name}-harmonised', pieces)
        same = (pieces[:, :, 0] == sopranos).all(axis=1).sum()
        chords = self._means(pieces)['beats_in_chord']
        return {HARMONISED: f'{chords:.3f}', UNTOUCHED: f'{same} of {len(pieces)}'}

    def _files(self, pieces):
        chosen = pieces[: self.flags.files]
        alike = sum(map(is_read_alike, chosen))
        return {FILES: f'{alike:,} of {len(chosen):,}'} if len(chosen) else {}

    def save(self, name, pieces):
        folder = self.flags.save
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
            np.save(folder / f'{name}.npy', pieces[:SAVED])
            pictures.write_png(folder / f'{name}.png', self.form.sheet(pieces[:SHOWN], 4, 1600))


def _told(figures):
    return {name: f'{value:.3f}' for name, value in figures.items()}


def is_read_alike(piece) -> bool:
    """Whether mido, pretty_midi and music21 read all notes of a piece's file, and no others."""
    data, notes = midi_file.as_bytes(piece), notes_of(piece)
    names = voice_names(piece.shape[1])
    named = sorted((names[voice], *rest) for voice, *rest in notes)
    try:
        return (
            music_readers.by_mido(data) == music_readers.plain(notes)
            and music_readers.by_pretty_midi(data) == named
            and music_readers.by_music21(data, 'midi') == named
        )
    except (AssertionError, KeyError, StopIteration):  # of notes that do not begin or end
        return False


def table(columns: dict[str, dict[str, str]]):
    """The rows of Markdown of columns by name, of figures by name."""
    yield f'\n| what | goal | {" | ".join(columns)} |'
    yield f'|---|---|{"---|" * len(columns)}'
    for name in ROWS:
        cells = (column.get(name, '-') for column in columns.values())
        yield f'| {name} | {GOALS.get(name, "")} | {" | ".join(cells)} |'


if __name__ == '__main__':
    main()
