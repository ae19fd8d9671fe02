"""A model's directory: its numbered versions, written whole or not at all, each with its card."""

import json
import math
import pathlib
import tempfile

import tensorflow as tf

from tfgan import disk, images, warmup
from tfgan.config import Config, table
from tfgan.serving import Servable


def write(gan, directory, facts: dict) -> pathlib.Path:
    """Exports a Gan as the next version below a model's directory, and returns the version's.

    `facts` are those of the model card: name, data, step, images_seen, scores.
    """
    directory = pathlib.Path(directory)
    with disk.writing(directory):
        directory.mkdir(parents=True, exist_ok=True)
        with disk.turn(directory) as alone:
            if alone:
                disk.sweep(directory)
            return _write(gan, directory, facts)


def _write(gan, directory, facts):
    # A server takes up directories with a number for a name, so this one is not seen until renamed.
    draft = pathlib.Path(tempfile.mkdtemp(dir=directory, prefix=disk.DRAFT))
    try:
        _fill(draft, gan, facts)
        disk.sync_all(draft)
        version = _publish(draft, directory)
    except BaseException:
        disk.discard(draft)  # on a full disk above all
        raise
    disk.sync(directory)
    return version


def _fill(draft, gan, facts):
    servable = Servable(gan, facts['data']['class_names'])
    signatures = servable.signatures()
    tf.saved_model.save(servable, str(draft), signatures=signatures)
    warmup.write(draft, signatures)
    known = {name: score for name, score in facts['scores'].items() if math.isfinite(score)}
    facts = facts | {'config': vars(gan.config), 'latent_size': gan.config.latent_size}
    facts['scores'] = known  # JSON has no words for the others
    disk.write_bytes(draft / 'model.json', json.dumps(facts, indent=2).encode())
    disk.write_bytes(draft / 'README.md', card(gan.config, facts).encode())
    images.write_png(draft / 'sheet.png', images.enlarge(gan.specimens()))
    draft.chmod(0o755)  # a temporary directory is its owner's alone


def _publish(draft, directory):
    number = max(numbers(directory), default=0) + 1
    while True:
        try:
            return draft.rename(directory / str(number))
        except OSError:  # another process took the number
            if not (directory / str(number)).exists():
                raise
            number += 1


def numbers(directory) -> list[int]:
    """The versions below a model's directory, oldest first."""
    names = (path.name for path in pathlib.Path(directory).glob('*') if path.is_dir())
    return sorted(int(name) for name in names if name.isdecimal())


def card(config: Config, facts: dict) -> str:
    """The model card as Markdown."""
    data = facts['data']
    scores = '\n'.join(f'    {name}: {value:.4g}' for name, value in facts['scores'].items())
    return f"""# {facts['name']}

![drawings](sheet.png)

A generator of drawings {data['shape'][0]} pixels high and {data['shape'][1]} wide with \
{data['shape'][2]} channel(s), and the discriminator it learned from, trained by tfgan.

- Data set: `{data['dataset']}`, {data['count']:,} images, {len(data['class_names'])} class(es): \
{', '.join(data['class_names'])}
- Licence of the data: {data['licence']}
- Trained for {facts['step']:,} steps, {facts['images_seen']:,} images seen, \
{facts['secs'] / 60:.1f} minutes

Scores of the drawings, `_of_real` those of other real images:

{scores}

## Draw

    python -m tfgan.sample --model=. --num=64 --seed=7 --out=sheet.png

or, with TensorFlow alone:

    model = tf.saved_model.load('.')
    images = model.signatures['serving_default'](seed=tf.constant([7, 8, 9], tf.int64))['image']

One seed is one drawing. `saved_model_cli show --all --dir .` lists the other signatures.

## Serve

    python -m tfgan.serve --models=DIRECTORY_ABOVE

or, on a fleet,

    tensorflow_model_server --model_name={facts['name']} --model_base_path=DIRECTORY_ABOVE \
--rest_api_port=8501

and then

    curl -d '{{"instances": [7]}}' localhost:8501/v1/models/{facts['name']}:predict

## Configuration

{table(config)}

## Know before use

It draws what its data shows and nothing else, can repeat single examples of a small data set, and
says nothing of who made them: see the licence.
"""
