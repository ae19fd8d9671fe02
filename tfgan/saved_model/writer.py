"""A model's directory: its numbered versions, written whole or not at all, each with its card."""

import dataclasses
import pathlib

import tensorflow as tf

import tfgan
from tfgan import provenance, storage
from tfgan.forms import pictures
from tfgan.saved_model import identity, layout, warmup
from tfgan.saved_model import sliders as sliders_of
from tfgan.saved_model.card import FILE, ModelCard
from tfgan.saved_model.compact import shorten
from tfgan.saved_model.signatures import Servable

SMALL = 100  # pixels of a drawing on the sheet of a compact model, at most


def write(
    gan,
    directory,
    card: ModelCard,
    encoder=None,
    compact: bool = False,
    sliders: list[dict] | None = None,
) -> pathlib.Path:
    """Exports a Gan, and an encoder if there is one, as the next version below a model's directory.

    A `compact` one takes a quarter of the bytes and has no discriminator. `sliders` are those of
    `tfgan.saved_model.sliders`. Returns the version's folder.
    """

    def fill(draft):
        _fill(draft, gan, card, encoder, compact)
        storage.write_bytes(draft / sliders_of.FILE, sliders_of.as_json(sliders or []).encode())
        storage.write_bytes(draft / identity.SUMS, identity.sums(draft).encode())

    return add(directory, fill)


def add(directory, fill) -> pathlib.Path:
    """The folder of the next version below a model's directory, of what `fill(draft)` puts there.

    It is there whole or not at all.
    """
    directory = pathlib.Path(directory)
    with storage.writing(directory):
        directory.mkdir(parents=True, exist_ok=True)
        with storage.turn(directory) as alone:
            if alone:
                storage.sweep(directory)
            return _add(directory, fill)


def _add(directory, fill):
    # A server takes up directories with a number for a name, so this one is not seen until renamed.
    draft = storage.new_draft(directory)
    draft.mkdir()
    try:
        fill(draft)
        storage.sync_all(draft)
        version = _publish(draft, directory)
    except BaseException:
        storage.discard(draft)  # on a full disk above all
        raise
    storage.sync(directory)
    return version


def _fill(draft, gan, card, encoder, compact):
    weights = [variable.numpy() for variable in gan.average.variables]
    found = identity.sha256(card.form, card.config['architecture'], gan.shape, weights)
    card = dataclasses.replace(card, sha256=found)
    servable = Servable(gan, card.data['class_names'], encoder, compact, _provenance(card))
    signatures = servable.signatures()
    tf.saved_model.save(servable, str(draft), signatures=signatures)
    if compact:
        shorten(draft / layout.MAIN_FILE)
    warmup.write(draft, signatures)
    storage.write_bytes(draft / FILE, card.as_json().encode())
    storage.write_bytes(draft / 'README.md', card.as_markdown().encode())
    smaller = {'most': SMALL} if compact else {}
    drawings, how = gan.shown(card.data['class_names'], **smaller)
    told = provenance.recipe(_provenance(card), drawings, **how)
    sheet = provenance.stamped(pictures.small_png(gan.sheet(**smaller)), '.png', told)
    storage.write_bytes(draft / 'sheet.png', sheet)


def _provenance(card):
    """What every file of the model says of it."""
    return {
        'software': f'tfgan {tfgan.__version__}',
        'model': card.name,
        'sha256': card.sha256,
        'licence': card.data['licence'],
    }


def _publish(draft, directory):
    number = layout.next_number(directory)
    while True:
        try:
            return draft.rename(directory / str(number))
        except OSError:  # another process took the number
            if not (directory / str(number)).exists():
                raise
            number += 1
