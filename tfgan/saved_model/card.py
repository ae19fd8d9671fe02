"""The model card: what an export says of itself, as JSON and as Markdown."""

import dataclasses
import json
import math
import pathlib
import string
import urllib.parse

from tfgan.config import Config, table
from tfgan.errors import ModelError, quoted, typed
from tfgan.forms.base import DRAWING, FORMS, form_named

FILE = 'model.json'
# What must be known of the data to draw from a model and to judge it.
DATA_FIELDS = ('dataset', 'count', 'shape', 'class_names', 'class_counts', 'licence')

TEMPLATE = string.Template(
    """# $name

![$made](sheet.png)

A generator of $described, trained by tfgan.

- Data set: `$dataset`, $count ${real}, $classes class(es): $class_names
- Licence of the data: $licence
- Trained for $steps steps, $images_seen ${real} seen, $minutes minutes
- SHA-256 of what makes them: `$sha256`; `sha256sum --check SHA256SUMS` checks the files

Scores of the $made, `_of_real` those of other real $real:

$scores

## Use

$commands

or, with TensorFlow alone:

    model = tf.saved_model.load('.')
    found = model.signatures['serving_default'](seed=tf.constant([7, 8, 9], tf.int64))['$example']

One seed is one $one. `saved_model_cli show --all --dir .` lists the other signatures.

## Serve

    python -m tfgan.serve --models=DIRECTORY_ABOVE

or, on a fleet,

    tensorflow_model_server --model_name=$typed --model_base_path=DIRECTORY_ABOVE \
--rest_api_port=8501

and then

    curl -d '{"instances": [7]}' $url

## Configuration

$configuration

## Know before use

It makes what its data shows and nothing else, can repeat single examples of a small data set, and
says nothing of who made them: see the licence.
"""
)


@dataclasses.dataclass(frozen=True)
class ModelCard:
    """What an export says of itself; `data` is a source's summary, `config` the fields' values."""

    name: str
    data: dict
    step: int
    images_seen: int
    secs: float
    scores: dict[str, float]
    config: dict
    form: str = DRAWING
    sha256: str = ''  # of what draws, as `identity.sha256` has it

    def as_json(self) -> str:
        """The card as `read` takes it, without scores that are not finite, which JSON lacks."""
        finite = {name: score for name, score in self.scores.items() if math.isfinite(score)}
        facts = dataclasses.replace(self, scores=finite)
        latent_size = {'latent_size': self.config['latent_size']}  # for readers of before
        return json.dumps(dataclasses.asdict(facts) | latent_size, indent=2)

    def as_markdown(self) -> str:
        """The card for people."""
        form = form_named(self.form)
        commands = [each.format(model='.') for each in form.commands(reads=False)]
        scores = (f'    {key}: {value:.4g}' for key, value in self.scores.items())
        return TEMPLATE.substitute(
            name=self.name,
            typed=typed(self.name),
            url=typed(f'localhost:8501/v1/models/{urllib.parse.quote(self.name, safe="")}:predict'),
            one=form.nouns[0],
            made=f'{form.nouns[0]}s',
            real=f'{form.nouns[1]}s',
            example=form.example,
            described=form.described(self.data),
            commands='\n'.join(f'    python -m tfgan.{command}' for command in commands),
            dataset=self.data['dataset'],
            count=f'{self.data["count"]:,}',
            classes=len(self.data['class_names']),
            class_names=', '.join(map(quoted, self.data['class_names'])),
            licence=self.data['licence'],
            sha256=self.sha256,
            steps=f'{self.step:,}',
            images_seen=f'{self.images_seen:,}',
            minutes=f'{self.secs / 60:.1f}',
            scores='\n'.join(scores),
            configuration=table(Config(**self.config)),
        )


MOST_BYTES = 16 << 20  # of a card's file, in which the names of classes are the most
KINDS = {  # of the values that are not text
    **dict.fromkeys(('data', 'scores', 'config'), dict),
    **dict.fromkeys(('step', 'images_seen', 'secs'), int | float),
}
FIELDS = [field.name for field in dataclasses.fields(ModelCard)]
REQUIRED = set(FIELDS) - {'form', 'sha256'}  # which older exports do not name


def read(version: pathlib.Path) -> ModelCard:
    """The card of a version; raises ModelError where it does not say what was learned from."""
    path = version / FILE
    try:
        with open(path, 'rb') as file:
            text = file.read(MOST_BYTES + 1)
        if len(text) > MOST_BYTES:
            raise ValueError(f'it has more than {MOST_BYTES:,} bytes')
        facts = json.loads(text)
        known = {**facts, **facts['data']}
        if missing := sorted({*REQUIRED, *DATA_FIELDS} - known.keys()):
            raise KeyError(*missing)
        card = ModelCard(**{name: facts[name] for name in FIELDS if name in facts})
        _check(card)
    except (OSError, AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        why = f'{error} is missing' if isinstance(error, KeyError) else error
        said = 'does not say what the model learned from'
        raise ModelError(
            f'{quoted(path)} {said} ({quoted(why)}); export the run once more'
        ) from error
    return card


def _check(card):
    """Raises TypeError where a card's values are not of the types that one of ours has."""
    for field in dataclasses.fields(ModelCard):
        value, kinds = getattr(card, field.name), KINDS.get(field.name, str)
        if not isinstance(value, kinds):
            raise TypeError(f'{field.name}: {quoted(value)}')
    if card.form not in FORMS:
        raise TypeError(f'form: {quoted(card.form)}')
    data = card.data
    if not all(isinstance(each, int | float) for each in card.scores.values()):
        raise TypeError(f'scores: {quoted(card.scores)}')
    form = form_named(card.form)
    if not is_of_examples(form, data['shape'], data['class_names'], data['class_counts']):
        raise TypeError('shape, class_names and class_counts are not those of examples')
    form.shape(data)  # It has all that this takes.
    for name in ('dataset', 'licence'):
        if not isinstance(data[name], str):
            raise TypeError(f'{name}: {quoted(data[name])}')


def is_of_examples(form, shape, names, counts) -> bool:
    """Whether this is a shape of a form's and each class's name and count; may raise TypeError.

    A shape is [h, w, c] of images, [steps, voices] of pieces.
    """
    _, axes = form.output
    sizes = [*shape, *counts]
    whole = all(isinstance(size, int) and size >= 0 for size in sizes)
    named = all(isinstance(name, str) for name in names) and len(names) == len(counts)
    return whole and len(shape) == axes - 1 and all(shape) and named and any(counts)
