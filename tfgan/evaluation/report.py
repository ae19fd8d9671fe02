"""A report of an exported model: its drawings judged against a data set."""

import dataclasses
import math
import pathlib

import numpy as np

from tfgan import latents
from tfgan.errors import ModelError, SourceError, quoted
from tfgan.evaluation.evaluator import Evaluator, Row, worded
from tfgan.evaluation.extractor import extractor_of
from tfgan.evaluation.inception import inception
from tfgan.forms.base import DRAWING, STROKES, form_named, open_source
from tfgan.saved_model.card import ModelCard

OWN, INCEPTION = FEATURES = 'own', 'inception'
MOST_NAMED = 10  # classes in a note


@dataclasses.dataclass(frozen=True)
class Report:
    """Figures of a model's drawings beside those of real images; it prints as their table."""

    about: str  # what the Fréchet distance of it is, and what it is not
    notes: tuple[str, ...]
    rows: list[Row]
    class_shares: dict[str, tuple[float, float]]  # by name: of drawings and of the data
    class_diversity: dict[str, tuple[float, float]]  # by name: of drawings and of real images
    neighbours: np.ndarray  # a picture of drawings beside the nearest training images
    missed: np.ndarray  # a picture of real images, the least like any drawing, beside the nearest
    facts: dict  # what was compared to what, as JSON can hold it
    made: str = 'drawing'  # what the model's art form calls what it makes

    @property
    def figures(self) -> dict[str, float]:
        """Each figure of the drawings by its name, the real images' as NAME_of_real."""
        generated = {row.name: row.generated for row in self.rows}
        return generated | {f'{row.name}_of_real': row.real for row in self.rows}

    def as_json(self) -> dict:
        """All of it but the pictures; None stands for what is not finite."""
        figures = {row.name: row._asdict() for row in self.rows}
        of_classes = {'class_shares': self.class_shares, 'class_diversity': self.class_diversity}
        return finite(self.facts | {'about': self.about, 'figures': figures} | of_classes)

    def __str__(self) -> str:
        of_classes = class_table(self.class_shares, self.class_diversity, self.made)
        return '\n'.join([self.about, '', *table(self.rows), *of_classes])

    __repr__ = __str__  # which a notebook shows


def evaluate(
    model,
    version: pathlib.Path,
    card: ModelCard,
    dataset: str | None = None,
    *,
    num: int = 10_000,
    features: str = OWN,
    inception_weights: str | None = None,
    seed: int = 0,
    truncation: float | None = None,
    split: str | None = None,
    data_dir: str | None = None,
    cache_dir: str | None = None,
    say=print,
) -> Report:
    """Judges `num` drawings of a model against a data set, by default its own.

    `features` are the data set's 'own', learned once and kept in `cache_dir`, or those of
    'inception'; `seed` chooses the real images, of a `split` of the data set if it is given. Copies
    are looked for among what the model learned from, and of another split of the same data set the
    own features are those of that, too, as what learns features from few images knows these by
    heart. `say` is told what is compared before the work begins. Raises ModelError, SourceError,
    FeatureError.
    """
    if inception_weights and features != INCEPTION:
        raise ModelError(
            f'inception_weights={quoted(inception_weights)}: of use with Inception only'
        )
    if features == INCEPTION and card.form != DRAWING:
        raise ModelError("features='inception' are of images; judge this model by its 'own'")
    source = open_data(dataset, card, version, data_dir, split)
    same_classes = tuple(card.data['class_names']) == source.class_names
    notes = () if same_classes else (class_note(card.data['class_names'], source.class_names),)
    training, why_not = open_training(card, source, version, data_dir)
    notes += (why_not,) * bool(why_not)
    chosen = {'num': num, 'features': features, 'seed': seed, 'truncation': truncation}
    say('\n'.join([*_compared(version, card, source, training, chosen), *notes]))
    learned_from = training if training.dataset == source.dataset else source
    extractor = (
        extractor_of(learned_from, cache_dir) if features == OWN else inception(inception_weights)
    )
    judge = Evaluator(source, extractor, num, seed, cache_dir, training=training)
    draw = drawer(model, card, same_classes, truncation)
    quality = judge.evaluate(draw)
    facts = {
        'model': {'directory': str(version), 'name': card.name, 'version': version.name},
        'step': card.step,
        'data': source.summary(),
        'learned_from': training.summary(),
        'extractor': extractor.name,
        'accuracy': extractor.accuracy,
        'seed': seed,
        'truncation': truncation,
        'training_images': len(judge.training),
    }
    sheets = judge.neighbours_sheet(draw, quality), judge.missed_sheet(draw, quality)
    about = headline(judge, features)
    of_classes = quality.class_shares, judge.class_diversity(quality)
    return Report(about, notes, quality.rows, *of_classes, *sheets, facts, judge.form.nouns[0])


def open_data(
    dataset: str | None,
    card: ModelCard,
    version: pathlib.Path,
    data_dir: str | None = None,
    split: str | None = None,
):
    """A data set, or the model's own, at the size that it draws; raises ModelError without one."""
    shape = list(card.data['shape'])
    split = split or (None if dataset else card.config.get('split'))
    dataset = dataset or card.data['dataset']
    is_drawn = dataset.partition(':')[0] in STROKES
    ink_width = card.config.get('ink_width') if is_drawn else None
    source = open_source(dataset, data_dir, split=split, ink_width=ink_width)
    if card.form == DRAWING and list(source.shape[:2]) != shape[:2]:
        source = open_source(dataset, data_dir, shape[0], split=split, ink_width=ink_width)
    if source.form != card.form or list(source.shape) != shape:
        raise ModelError(
            f'--model={quoted(version)} {_makes(card.form, shape)}, {quoted(dataset)} has'
            f' {list(source.shape)}: these cannot be compared'
        )
    return source


def open_training(card: ModelCard, source, version: pathlib.Path, data_dir: str | None = None):
    """What the model learned from, and ''; or the source, and why that could not be opened."""
    if (source.dataset, source.notes.get('split')) == (
        card.data['dataset'],
        card.data.get('split'),
    ):
        return source, ''
    try:
        return open_data(None, card, version, data_dir), ''
    except SourceError as error:
        return source, (
            f'What the model learned from cannot be read ({error}); so copies are looked for among'
            f' those of {quoted(source.dataset)}.'
        )


def _makes(form: str, shape) -> str:
    if form == DRAWING:
        return f'draws images of {shape} (height, width, channels)'
    return f'makes {form_named(form).nouns[0]}s of {shape}'


def _compared(version, card, source, training, chosen) -> list[str]:
    """What is compared to what, in lines."""

    def images(of):
        split = of.notes.get('split') if training is not source else None
        named = quoted(of.dataset) + (f', split {split}' if split else '')
        return f'{named}, {len(of):,} {form_named(of.form).nouns[1]}s of {list(of.shape)}'

    told = {
        'model': f'{quoted(version)}, step {card.step:,}',
        'dataset': images(source),
        **({} if training is source else {'learned from': images(training)}),
        **chosen,
    }
    return [f'  {name:15} {"none" if value is None else value}' for name, value in told.items()]


def class_note(drawn, there) -> str:
    """That the classes of a model and of a data set differ, and what follows."""
    drawn, there = (
        ', '.join(map(quoted, names[:MOST_NAMED])) + ', ...' * (len(names) > MOST_NAMED)
        for names in (drawn, there)
    )
    return (
        f'The model draws the classes {drawn}; the data has {there}. As these differ, no class is'
        ' asked for, and the figures of classes are about those of the data.'
    )


def drawer(model, card: ModelCard, by_class: bool, truncation: float | None):
    """Seeds to (drawings, labels), the labels as frequent as in the data if `by_class`."""
    counts = np.array(card.data['class_counts'])

    def draw(seeds):
        if not by_class:
            return model.draw(seeds, truncation=truncation), None
        labels = latents.classes(seeds, counts / counts.sum()).numpy()
        return model.draw(seeds, labels, truncation), labels

    return draw


def headline(judge: Evaluator, features: str) -> str:
    """What the Fréchet distance of a report is, and what it is not."""
    name = quoted(judge.extractor.name)
    count = worded(f'{judge.count:,} {{made}}s and as many real {{given}}s', judge.form)
    if features == INCEPTION:
        return (
            f'Fréchet distance in the features of {name}, of {count}: like FID, but comparable only'
            ' at the same number and with the same weights and resizing'
        )
    accuracy = judge.extractor.accuracy
    seen = worded('{given}s it had not seen', judge.form)
    right = '' if accuracy is None else f' ({accuracy:.1%} right on {seen})'
    return (
        f'Fréchet distance in the features of {name}; not FID, not comparable with other data sets.'
        f'\nOf {count}{right}.'
    )


def table(rows: list[Row]) -> list[str]:
    """The figures in aligned lines."""
    heads = [('figure', 'generated', 'real', 'n', 'better', 'what it means')]
    cells = [
        (row.name, number(row.generated), number(row.real), f'{row.n:,}', row.better, row.meaning)
        for row in rows
    ]
    return [
        f'{name:22}{generated:>10}{real:>10}{n:>8}  {better:7} {meaning}'
        for name, generated, real, n, better, meaning in heads + cells
    ]


def class_table(shares, diversity, made: str = 'drawing') -> list[str]:
    """The classes that vary least beside real images, in aligned lines; none without classes."""
    if not diversity:
        return []

    def beside_real(name):
        drawn, real = diversity[name]
        return drawn / real if real else math.inf

    least = sorted(diversity, key=beside_real)[:MOST_NAMED]
    cells = [(quoted(name), *map(number, (*shares[name], *diversity[name]))) for name in least]
    heads = [('class', 'share', 'in data', 'diversity', 'real')]
    return [
        '',
        f'Of the {made}s that are taken for a class, those that vary least beside real ones first:',
        *(
            f'{name:22}{share:>10}{of_data:>10}{drawn:>11}{real:>10}'
            for name, share, of_data, drawn, real in heads + cells
        ),
    ]


def number(value: float) -> str:
    """Four figures, and no exponent where it can be helped."""
    return f'{value:.4g}' if abs(value) < 1e4 else f'{value:.0f}'


def finite(value):
    """The same without NaN and infinity, which JSON has no words for."""
    if isinstance(value, dict):
        return {key: finite(each) for key, each in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
