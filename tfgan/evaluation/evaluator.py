"""The quality of a model's drawings against a data set: its images once, then `evaluate(draw)`.

Every figure stands beside its floor, the same figure of other real images: features of few images
are never at distance 0. Drawings and images stand for whatever an art form makes and is given.
"""

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import tqdm

from tfgan.evaluation import cache, metrics
from tfgan.evaluation.extractor import check_count
from tfgan.evaluation.feature_learning import block_of, two_samples
from tfgan.forms.base import Figure, Form, form_named

FORMAT = 2  # of the cache of the real side
SEED = 1 << 40  # far from the seeds that people try
K = 5  # nearest neighbours that make a ball
TRAINING = 60_000  # training images among which copies are looked for
FEW_TRAINING = 10_000  # the same if not thorough
CHUNK = 8192  # of them at a time
DESCRIPTOR = 'descriptor/'  # begins the names of those in the cache
DESCRIBED = 1000  # drawings, or real images, whose descriptors are compared, at most

Draw = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray | None]]


FIGURES = {  # of any art form, in its own words; each has figures of its own besides
    'frechet_distance': Figure(
        'lower', 'Fréchet distance of the features to those of real {given}s'
    ),
    'kernel_distance': Figure('lower', 'kernel distance of the features (MMD), about 0 if alike'),
    'kernel_distance_low': Figure('lower', 'its 95% interval begins'),
    'kernel_distance_high': Figure('lower', 'its 95% interval ends'),
    'precision': Figure('higher', '{made}s that lie among real {given}s'),
    'recall': Figure('higher', 'real {given}s that lie among {made}s'),
    'density': Figure('higher', 'how deep {made}s lie among real {given}s'),
    'coverage': Figure('higher', 'real {given}s with a {made} near by'),
    'copies': Figure('near', 'as near to one of {training:,} training {given}s as 1% of {others}'),
    'diversity': Figure('near', 'mean distance of two, in the features'),
    'classes_covered': Figure('higher', 'classes that appear, to the classifier'),
    'class_kl': Figure('lower', "how far class frequencies are off the data's, in nats"),
    'labels_right': Figure('higher', '{made}s taken for the class that was asked for'),
}
COPIES_OF_OTHERS = 'those are to another'  # where the judge's images are those of training
COPIES_OF_UNSEEN = 'unseen {given}s'


class Row(NamedTuple):
    """A figure of the drawings beside that of real images."""

    name: str
    generated: float
    real: float
    better: str
    meaning: str
    n: int  # drawings, and real images


class Quality(NamedTuple):
    """All figures, what the extractor saw, and each drawing's nearest training image."""

    rows: list[Row]
    class_shares: dict[str, tuple[float, float]]  # by name: of drawings and of the data
    distances: np.ndarray  # float32 [n], drawing of seed SEED + i to the nearest training image
    nearest: np.ndarray  # int64 [n], its index in the source
    features: np.ndarray  # float32 [n, d] of the drawings

    def as_dict(self) -> dict[str, float]:
        """Each figure by its name, the real images' as <name>_of_real."""
        generated = {row.name: row.generated for row in self.rows}
        return generated | {f'{row.name}_of_real': row.real for row in self.rows}


class _Seen(NamedTuple):
    """What is kept of some images."""

    features: np.ndarray
    thumbnails: np.ndarray
    labels: np.ndarray | None  # that were asked for
    classes: np.ndarray | None  # to the extractor, if it is a classifier
    measures: dict[str, float]  # their means
    descriptors: dict[str, np.ndarray]  # [n, d] of no more than DESCRIBED


class Evaluator:
    """Judges drawings against a source's images, `count` of either.

    That is `num`, or half the source where that is less, for the floor takes a second sample.
    `thorough` looks for copies among up to 60,000 training images, else among 10,000: those of
    `training`, what the drawings' model learned from, if that is not the source itself. Raw ones
    are held a block at a time. Raises FeatureError if there are too few images.
    """

    def __init__(
        self, source, extractor, num=10_000, seed=0, cache_dir=None, thorough=True, training=None
    ):
        check_count(source)
        self.source, self.extractor = source, extractor
        self.form = form_named(source.form)
        self._views = self.form.views(source)
        self._nearest_to = getattr(self._views, 'nearest', _nearest_pixels)
        self._order, half = two_samples(source, seed, len(source) // 2)
        self.count = count = min(num, half, len(source) - half)
        origins = getattr(source, 'origins', None)
        self._origins = None if origins is None or np.ptp(origins) == 0 else origins
        if self._origins is not None:
            first, second = np.split(self._order, [half])
            samples = first[:count], second[:count], first[count:], second[count:]
            self._order = np.concatenate(samples)
        self._is_unseen = bool(training) and training.fingerprint != source.fingerprint
        self.trained_on = training if self._is_unseen else source
        # What else a form measures by is the training data's, if the judge's are more of them.
        alike = self.trained_on.dataset == source.dataset
        self._measured_by = self.trained_on if alike else source
        order = self._order
        if self._is_unseen:
            order = np.random.default_rng(seed).permutation(len(training))
        self.training = order[: TRAINING if thorough else FEW_TRAINING]
        blocks = self._blocks(self.training, self._told('training {given}s'))
        self._thumbnails = np.concatenate(
            [self._views.thumbnails(self.trained_on.images(block)) for block in blocks]
        )
        name = f'real-{source.fingerprint}-{extractor.key}-{self.count}-{seed}'
        if self._is_unseen:
            name += f'-{training.fingerprint}' + '-alike' * alike
        path = cache.cache_path(cache_dir, f'{name}-{len(self.training)}-{FORMAT}.npz')
        self._real = cache.remembered(path, self._look_at_real)
        self._floor = dict(zip(self._real['names'].tolist(), self._real['floor'].tolist()))

    def evaluate(self, draw: Draw) -> Quality:
        """Judges the drawings of `draw`: seeds int64 [n] to raw ones and labels [n] or None.

        Without labels nothing is said of whether a drawing is of the class that was asked for.
        """
        seeds = self._blocks(SEED + np.arange(self.count), self._told('{made}s'))
        seen = self._see(draw(block) for block in seeds)
        distances, places = self._nearest(seen.thumbnails)
        copies = metrics.copies(distances, self._real['among'])
        generated = self._figures(self._real, seen) | {'copies': copies.rate}
        real = self._floor | {'copies': copies.baseline}
        rows = [
            Row(name, generated[name], real[name], better, self._told(meaning), self.count)
            for name, (better, meaning) in (FIGURES | self.form.figures).items()
            if name in generated
        ]
        shares = self._class_shares(seen)
        return Quality(rows, shares, distances, self.training[places], seen.features)

    def class_diversity(self, quality: Quality) -> dict[str, tuple[float, float]]:
        """By name, the mean distance of two drawings of a class and that of two real images.

        An image is of the class that the extractor takes it for. Left out are classes that have
        less than two drawings or real images; all are if the extractor is no classifier.
        """
        if self.extractor.head is None:
            return {}
        samples = quality.features, self._real['features']
        classes = [self.extractor.classes(features) for features in samples]
        found = {}
        for label, name in enumerate(self.source.class_names):
            looks = [features[of == label] for features, of in zip(samples, classes)]
            if min(map(len, looks)) > 1:
                found[name] = tuple(metrics.diversity(each) for each in looks)
        return found

    def neighbours_sheet(self, draw: Draw, quality: Quality, rows: int = 8) -> np.ndarray:
        """Pairs of a drawing and its nearest training image, four a row: uint8 [h, w, c].

        The two on the left are the closest of all, the two on the right chosen at random.
        """
        chosen = _first_and_any(quality.distances, rows)
        drawings, _ = draw(SEED + chosen)
        return self._sheet_of_pairs(drawings, self.trained_on.images(quality.nearest[chosen]))

    def missed_sheet(self, draw: Draw, quality: Quality, rows: int = 8) -> np.ndarray:
        """Pairs of a real image and the drawing that is nearest to it in the features, as above.

        The real images on the left are the furthest of all from any drawing.
        """
        distances, places = metrics.nearest(self._real['features'], quality.features)
        chosen = _first_and_any(-distances, rows)
        drawings, _ = draw(SEED + places[chosen])
        return self._sheet_of_pairs(self.source.images(self._order[chosen]), drawings)

    def _sheet_of_pairs(self, first, second):
        pairs = np.stack([first, second], axis=1)
        return self.form.sheet(pairs.reshape(-1, *self.source.shape), 8)

    def _look_at_real(self) -> dict[str, np.ndarray]:
        """The reference sample, and the figures of another one against it."""
        first, second = self._order[: 2 * self.count].reshape(2, -1)
        looks, thumbnails, described = [], [], []
        for block in self._blocks(first, self._told('real {given}s')):
            raw = self.source.images(block)
            looks.append(self.extractor.features(raw))
            described.append(self.form.descriptors(raw))
            if self._is_unseen:
                thumbnails.append(self._views.thumbnails(raw))
        real = {'features': np.concatenate(looks)}
        real |= {f'{DESCRIPTOR}{name}': rows for name, rows in _joined(described).items()}
        real['radii'], _ = metrics.nearest(*2 * [real['features']], leave_out=True, k=K)
        if self._is_unseen:
            real['among'], _ = self._nearest(np.concatenate(thumbnails))
        elif self._origins is not None:
            real['among'] = self._nearest_of_other_pieces()
        else:  # The training images begin with the first sample.
            real['among'], _ = self._nearest(self._thumbnails[: self.count], themselves=True)
        blocks = self._blocks(second, self._told('more real {given}s'))
        others = self._see((self.source.images(i), self.source.labels[i]) for i in blocks)
        floor = self._figures(real, others)
        return real | {'names': np.array(list(floor)), 'floor': np.array(list(floor.values()))}

    def _blocks(self, rows: np.ndarray, doing: str) -> Iterable[np.ndarray]:
        size = block_of(self.source.shape)
        blocks = np.split(rows, range(size, len(rows), size))
        return tqdm.tqdm(blocks, desc=doing, disable=None, delay=1)

    def _see(self, blocks) -> _Seen:
        """Looks at raw examples and labels, block by block."""
        seen, described = [], []
        for raw, asked in blocks:
            measures = self.form.measures(raw, self._measured_by)
            look = self.extractor.features(raw), self._views.thumbnails(raw), asked
            seen.append((*look, *measures.values()))
            described.append(self.form.descriptors(raw))
        looks, thumbnails, asked, *measured = zip(*seen)
        looks = np.concatenate(looks)
        return _Seen(
            looks,
            np.concatenate(thumbnails),
            None if asked[0] is None else np.concatenate(asked),
            None if self.extractor.head is None else self.extractor.classes(looks),
            {name: _mean(np.concatenate(values)) for name, values in zip(measures, measured)},
            _joined(described),
        )

    def _figures(self, real, seen: _Seen) -> dict[str, float]:
        """All figures but the copies."""
        gaussians = (metrics.gaussian(x) for x in (real['features'], seen.features))
        kernel = metrics.kernel_distance(real['features'], seen.features)
        return {
            'frechet_distance': metrics.frechet(*gaussians),
            'kernel_distance': kernel.value,
            'kernel_distance_low': kernel.low,
            'kernel_distance_high': kernel.high,
            **metrics.precision_recall(real['features'], seen.features, K, real['radii']),
            'diversity': metrics.diversity(seen.features),
            **self._class_figures(seen),
            **seen.measures,
            **{
                name: metrics.overlapped_area(real[f'{DESCRIPTOR}{name}'], rows)
                for name, rows in seen.descriptors.items()
            },
        }

    def _class_figures(self, seen: _Seen) -> dict[str, float]:
        shares = self._class_shares(seen)
        if not shares:
            return {}
        found, of_data = zip(*shares.values())
        figures = {
            'classes_covered': float(np.count_nonzero(found)),
            'class_kl': metrics.kl_divergence(found, of_data),
        }
        if seen.labels is not None:
            figures['labels_right'] = float((seen.classes == seen.labels).mean())
        return figures

    def _class_shares(self, seen: _Seen) -> dict[str, tuple[float, float]]:
        """By name, the share of a class in what was seen and in the data set.

        The latter is by all its labels: a sample has few of each of a thousand classes.
        """
        if seen.classes is None:
            return {}
        names = self.source.class_names
        found = metrics.class_shares(seen.classes, len(names))
        return dict(zip(names, zip(found.tolist(), self.source.shares.tolist(), strict=True)))

    def _nearest(self, thumbnails, themselves: bool = False):
        """Distance [n] to the nearest training image and its place [n] among the chosen ones.

        `themselves`: the thumbnails are those of the first training images, and none is its own.
        """
        best, places = np.full(len(thumbnails), np.inf, np.float32), np.zeros(len(thumbnails), int)
        nearest, own = self._nearest_to, np.arange(len(thumbnails))
        chunks = np.array_split(np.arange(len(self.training)), -(-len(self.training) // CHUNK))
        for chunk in tqdm.tqdm(chunks, desc=self._told('nearest {given}s'), disable=None, delay=1):
            others = self._thumbnails[chunk]
            found, at = nearest(thumbnails, others, 1)
            if themselves:  # the nearest but one, as oneself is the nearest
                mine = (own >= chunk[0]) & (own <= chunk[-1])
                if mine.any():
                    found[mine], at[mine] = nearest(thumbnails[mine], others, 2)
            nearer = found < best
            best[nearer], places[nearer] = found[nearer], chunk[at[nearer]]
        return best, places

    def _nearest_of_other_pieces(self) -> np.ndarray:
        """Distance [count] of the first sample to the nearest window that is of another piece."""
        pieces = self._origins[self.training]
        found = np.empty(self.count, np.float32)
        for piece in np.unique(pieces[: self.count]):
            own = np.flatnonzero(pieces[: self.count] == piece)
            others = self._thumbnails[pieces != piece]
            found[own], _ = self._nearest_to(self._thumbnails[own], others, 1)
        return found

    def _told(self, meaning: str) -> str:
        others = COPIES_OF_UNSEEN if self._is_unseen else COPIES_OF_OTHERS
        told = worded(meaning.replace('{others}', others), self.form)
        return told.format(training=len(self.training))


def worded(text: str, form: Form) -> str:
    """A text with an art form's words for what is {made} and for what is {given}."""
    made, given = form.nouns
    return text.replace('{made}', made).replace('{given}', given)


def _joined(described: list[dict]) -> dict[str, np.ndarray]:
    """The descriptors of blocks as those of the first DESCRIBED of all."""
    return {
        name: np.concatenate([block[name] for block in described])[:DESCRIBED]
        for name in described[0]
    }


def _first_and_any(values, rows: int) -> np.ndarray:
    """Places [4 * rows] of, by turns, two of the lowest of all values and two chosen at random."""
    lowest = np.resize(np.argsort(values, kind='stable')[: 2 * rows], [rows, 2])
    any_two = np.random.default_rng(0).integers(len(values), size=[rows, 2])
    return np.concatenate([lowest, any_two], axis=1).ravel()


def _nearest_pixels(thumbnails, others, k):
    return metrics.nearest(_floats(thumbnails), _floats(others), k=k)


def _floats(thumbnails):
    return thumbnails.astype(np.float32) / 255


def _mean(values) -> float:
    """The mean of those that are numbers."""
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else math.nan
