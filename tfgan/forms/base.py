"""Art forms by name, and data sets by the text of --dataset=, whose kind tells the form.

doodles | tfds:NAME[:SPLIT] | {folder,npy,npz,idx,csv}:PATH | stacked:one of these
"""

import importlib
import os

from tfgan.data.source import Kind, Source, Wanted
from tfgan.errors import SourceError, quoted

FORMS = {'drawing': 'tfgan.forms.drawing'}  # the module that has it as FORM


def form_named(name: str):
    """The art form called so."""
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
) -> Source:
    """The data set that `dataset` names, its images resized if `image_size` is given.

    Images are held in memory if they fit in `memory_bytes`, else read when asked for; only an npz
    file is always held. `data_dir` is where tensorflow-datasets keeps its prepared sets. `split` is
    NAME, NAME+NAME or all; without, that for training, or all where none is. Raises SourceError.
    """
    kind, argument = check_source(dataset)
    argument = os.path.expanduser(argument)
    data_dir = os.path.expanduser(data_dir) if data_dir else None
    wanted = Wanted(dataset, argument, data_dir, image_size, memory_bytes, split)
    source = source_kinds()[kind].open(wanted)
    if split not in (None, 'all') and 'split' not in source.notes:
        raise SourceError(f'--split={quoted(split)}: {quoted(dataset)} has no splits; leave it out')
    return source


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
