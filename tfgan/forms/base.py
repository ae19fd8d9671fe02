"""Art forms by name, and data sets by the text of --dataset=, whose kind tells the form."""

import importlib
import os
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

import numpy as np

from tfgan.data.source import Kind, Source, Wanted
from tfgan.errors import ConfigError, SourceError, quoted
from tfgan.networks.architecture import Architecture

DRAWING = 'drawing'  # the form of runs and exports that name none
MUSIC = 'music'
MOST_BARS = 1000  # of a piece of music
STROKES = 'ndjson', 'strokes'  # the kinds of data set that a pen has to draw
FORMS = {DRAWING: 'tfgan.forms.drawing', MUSIC: 'tfgan.forms.music'}  # modules that have it as FORM


class Figure(NamedTuple):
    """How to read a figure of a report."""

    better: str  # 'lower', 'higher' or 'near' the real examples'
    meaning: str


class Given(NamedTuple):
    """What a piece is made from, as the model writes it, and how to write it as it was given.

    Before its first step there are `lead` more that only fill the first bar.
    """

    pitch: np.ndarray  # int32 [steps, voices]
    known: np.ndarray  # bool [steps, voices]
    bar_steps: int
    lead: int
    label: str  # 'major' or 'minor'
    how: dict  # what the form's files take: the tempo, the metre and the key of what was given
    told: str  # what it is, in words


class Augmentation(Protocol):
    """Changes of examples that keep a discriminator from learning few of them by heart."""

    def choose(self, seeds, probability):
        """What happens to each example, as nested tensors [b, ...]: seeds int64 [b]."""

    def apply(self, x, changes):
        """Examples float32 [b, *shape] with those changes; differentiable in x."""


class Views(Protocol):
    """What the judge of a data set sees of its examples, and what it learns from.

    One may have `nearest(thumbnails, others, k)` besides, which gives the distance [n] to the k-th
    nearest of others and its index [n]; without it, distances are those of pixels.
    """

    damages: int  # how many ways there are to damage an example

    def small(self, raw):
        """Examples as stored, made small for the judge's network: whole numbers of a byte."""

    def encode(self, small):
        """Small examples as the judge's network takes them: float32 [n, h, w, c] in [-1, 1]."""

    def thumbnails(self, raw) -> np.ndarray:
        """Rows that are near where examples are alike: uint8 [n, d]."""

    def move(self, x, seed):
        """Encoded small examples changed so that they stay what they are."""

    def damage(self, x, seed):
        """(encoded small examples, each damaged in one way; which way, int32 [n])."""


class Form(Protocol):
    """All that the trainer, the judge and the export must be told of an art form.

    Raw examples are NumPy arrays or tensors as stored, [n, *the source's shape]; x are those that
    networks take, float32 [n, *shape] in [-1, 1].
    """

    name: str
    example: str  # what an export's signatures call one
    output: tuple[str, int]  # and the type and number of axes of several
    nouns: tuple[str, str]  # what people call one that a model made, and one of a data set
    redraws: bool  # whether it is a RedrawingForm, whose models can have an encoder
    arranges: bool  # whether it is an ArrangingForm
    instead: str  # what its models do for a person, where something is asked of them that they lack
    sources: Mapping[str, Kind]
    architectures: Mapping[str, Architecture]
    figures: Mapping[str, Figure]  # of `measures` and `descriptors`

    def shape(self, data: dict) -> tuple[int, int, int]:
        """The shape of x, by what a source's summary says."""

    def encode(self, raw, shape):
        """x of raw examples."""

    def decode(self, x):
        """Raw examples of x; what lies outside [-1, 1] saturates."""

    def given(self, x, seeds) -> tuple:
        """What of examples a generator is told in training, by seeds int64 [n]; () for nothing.

        It is called with these after latents and labels.
        """

    def ground(self, source: Source):
        """What an example of a source is where nothing is drawn: float32 in [-1, 1], or None."""

    def augmentation(self, source: Source) -> Augmentation | None:
        """Changes that suit a source, None if the form has none."""

    def views(self, source: Source) -> Views:
        """What the judge of a source sees."""

    def measures(self, raw, source: Source) -> dict[str, np.ndarray]:
        """A number [n] of each example for some of `figures`, NaN where it has none."""

    def descriptors(self, raw) -> dict[str, np.ndarray]:
        """Numbers [n, d] of each example for the others, which tell how alike two sets vary."""

    def sheet(self, raw, columns: int | None = None, pixels: int = 640) -> np.ndarray:
        """A picture of examples in rows, about `pixels` wide: uint8 [h, w, 1 or 3]."""

    def write(self, out: str, raw, numbers, recipe: dict | None = None, **how) -> None:
        """Writes one file or, if `out` is a folder, a file for each example, named by `numbers`.

        Files say what made them by the recipe; `how` are the form's own options.
        """

    def sounds(self, raw) -> tuple[np.ndarray, int] | None:
        """What examples sound like, float32 [n, samples] in [-1, 1], and samples a second."""

    def again(self, ending: str, recipe: dict, model) -> bytes | None:
        """The file that a recipe tells, made again; None if more than the model is in it.

        Raises ValueError for a recipe of no file of ours, and ModelError.
        """

    def differ(self, ending: str, recipe: dict, first: bytes, second: bytes) -> str:
        """In what two files of a recipe look or sound different, in words; '' if in nothing."""

    def signatures(self, servable) -> dict[str, tuple[Callable, list]]:
        """An export's own signatures: name to (function, TensorSpecs of its inputs)."""

    def described(self, data: dict) -> str:
        """What a generator of such data makes, as a sentence without a verb."""

    def commands(self, reads: bool) -> list[str]:
        """What to do first with a model, after `python -m tfgan.`, with {model} in its place.

        One that `reads` has an encoder.
        """


class ArrangingForm(Form, Protocol):
    """What must be told besides of a form whose models go on with what a person wrote."""

    def given_by(self, what: str, path, data: dict, bars: int, opened: str) -> 'Given':
        """What a file gives, by a source's summary, as `tfgan.arranging` says.

        Raises ModelError.
        """

    def asked_key(self, text: str) -> tuple[str, dict]:
        """The mode of a key that is asked for, and what files in it take; raises ModelError."""


class RedrawingForm(Form, Protocol):
    """What must be told besides of a form whose models draw, and redraw what a person drew."""

    def traits(self, raw) -> dict[str, np.ndarray]:
        """What a slider may change of a model's examples: a number [n] each, NaN for none."""

    def outlines(self, raw) -> list[str]:
        """An SVG file for each example, for a model that answers none itself."""

    def write_svgs(
        self, out: str, ending: str, svgs: list[str], numbers, recipe: dict | None = None, **how
    ) -> None:
        """The same of SVG files, in the format of an ending; `how` are the form's own options."""

    def write_scene(
        self, out: str, ending: str, svgs: list[str], scene: dict, how: dict, recipe=None
    ) -> None:
        """Writes SVG files as one scene, whose `words`, `height`, `places` and `names` are told."""

    def svgs(self, strokes, ground, shape) -> list[str]:
        """SVG files of a generator's strokes on a ground, of examples of a shape."""

    def frame(self, svgs: list[str], size: int | None, frames: int) -> np.ndarray:
        """One of so many pictures of SVG files in rows, each of `size` pixels: uint8 [h, w, c]."""

    # What a model makes of examples of a person's; `own` is such a one as `framed` gives it.

    def hand(self, raw):
        """What is common to a model's examples."""

    def framed(self, picture, hand, mask=None):
        """A person's as the model is given it: `image` raw, `known`, and where it came from.

        Raises OSError and ValueError for what cannot be read.
        """

    def likeness(self, own: list, raw) -> np.ndarray:
        """How alike what was given and a model's examples are, in [0, 1], where it is known."""

    def as_svg(self, own, drawing: str) -> str:
        """A model's SVG file as a part of the person's."""

    def placed(self, own, drawing) -> np.ndarray:
        """The same as pixels, of an SVG file or of a raw example."""

    def write_placed(
        self, out: str, own: list, drawings: list, names, recipe: dict | None = None
    ) -> None:
        """Writes them as `write` does."""

    def page_of(self, own) -> dict:
        """What of a person's example a model's in its place depends on, as a recipe tells it."""

    def mended(self, own, drawing) -> np.ndarray:
        """The person's, with a model's in the place of what is not known."""

    def walk(self, first, last, drawings: list) -> list[np.ndarray]:
        """Frames from one person's example to another by way of a model's."""


def form_named(name: str) -> Form:
    """The art form called so; raises ConfigError for one that is not known."""
    if not isinstance(name, str) or name not in FORMS:
        raise ConfigError(f'no such art form: {quoted(name, repr)}; known: {", ".join(FORMS)}')
    return importlib.import_module(FORMS[name]).FORM


def source_kinds() -> dict[str, Kind]:
    """The kinds of data set of all forms, by the word before the colon of --dataset=."""
    return {kind: row for name in FORMS for kind, row in form_named(name).sources.items()}


def open_source(
    dataset: str,
    data_dir: str | os.PathLike | None = None,
    image_size: int | None = None,
    memory_bytes: int = 1 << 30,
    split: str | None = None,
    ink_width: float | None = None,
) -> Source:
    """The data set that `dataset` names, its images resized if `image_size` is given.

    Images are held in memory if they fit in `memory_bytes`, else read when asked for; only an npz
    file is always held. `data_dir` is where tensorflow-datasets keeps its prepared sets. `split` is
    NAME, NAME+NAME or all; without, that for training, or all where none is. `ink_width` is that of
    the pen for data that are strokes, in sides of the page. Raises SourceError.
    """
    kind, argument = check_source(dataset)
    argument = os.path.expanduser(argument)
    data_dir = os.path.expanduser(data_dir) if data_dir else None
    wanted = Wanted(dataset, argument, data_dir, image_size, memory_bytes, split, ink_width)
    if ink_width is not None and kind not in STROKES:
        raise SourceError(
            f'--ink_width={ink_width}: {quoted(dataset)} has its ink; leave it out, it is for'
            f' {" ".join(STROKES)}'
        )
    source = source_kinds()[kind].open(wanted)
    if split not in (None, 'all') and 'split' not in source.notes:
        raise SourceError(f'--split={quoted(split)}: {quoted(dataset)} has no splits; leave it out')
    return source


def check_architecture(architecture: str, dataset: str) -> None:
    """Refuses one that is not of the data set's form, or a text that names no data set, at once.

    Raises ConfigError and SourceError.
    """
    kind, _ = check_source(dataset)
    [form] = [form for form in map(form_named, FORMS) if kind in form.sources]
    if architecture not in form.architectures:
        raise ConfigError(
            f'--architecture={quoted(architecture)}: {quoted(dataset)} is {form.name}, which takes'
            f' {", ".join(form.architectures)}'
        )


def check_source(dataset: str) -> tuple[str, str]:
    """Kind and argument of a data set's text; raises SourceError if it cannot be one, at once."""
    kind, _, argument = dataset.partition(':')
    kinds = source_kinds()
    if kind not in kinds:
        examples = ', '.join(f'--dataset={row.example}' for row in kinds.values())
        raise SourceError(f'no such data set: {quoted(dataset, repr)}. Known are {examples}')
    takes, accepts, _, example = kinds[kind]
    if not accepts(os.path.expanduser(argument)):
        got = quoted(argument, repr)
        raise SourceError(f'{kind}: takes {takes}, as in --dataset={example}; got {got}')
    if dataset != dataset.encode(errors='replace').decode():  # logs and models hold Unicode alone
        raise SourceError(
            f'{dataset!r} is no text in UTF-8. Make a link that is, ln -s PATH a-link, and type'
            f' --dataset={kind}:a-link'
        )
    return kind, argument
