"""Drawings of a model in this process, or of a server's by REST or gRPC, all asked for alike."""

import base64
import functools
import ipaddress
import json
import logging
import math
import os
import reprlib
import threading
import time
import urllib.parse
import urllib.request

import numpy as np
import tqdm

from tfgan.arranging import Arranging, check_bars
from tfgan.composing import Composing
from tfgan.errors import MOST_TOLD, ModelError, listed, quoted, reason
from tfgan.forms import pictures
from tfgan.forms.base import DRAWING, FORMS, form_named
from tfgan.forms.pictures import Picture
from tfgan.redrawing import Redrawing
from tfgan.remaking import Remaking
from tfgan.saved_model import card, layout, loading
from tfgan.saved_model.card import ModelCard

MAX_ATTEMPTS = 6  # A busy server is asked so often, in ten seconds or so.
FIRST_WAIT_SECS = 0.3  # It doubles with each attempt.
TIMEOUT_SECS = 60  # for a whole answer
MOST_BYTES = 128 << 20  # of an answer, in which a server has 16 Mi numbers as JSON at most
ROW_BYTES = 16 << 20  # of one drawing in it: 1024 x 1024 x 3 numbers as JSON
ABOUT_BYTES = 4 << 20  # of what a server tells of a model
CHUNK_BYTES = 1 << 16
WALK_FRAMES, WALK_PIXELS = 90, 480  # of a walk, and how wide one of a model without strokes is
MOST_CLASSES, MOST_LETTERS = 100_000, 1000  # of a model, and of the name of one
STATES = 'UNKNOWN', 'START', 'LOADING', 'AVAILABLE', 'UNLOADING', 'END'  # of a version
SIZES = {'uint8': 1, 'int32': 4, 'float32': 4, 'string': 8}  # bytes of what outputs are made of
# What a model's signatures answer: each output's type and number of axes, or one of its examples.
EXAMPLE, TEXT = 'example', {'text': ('U', 1)}
FOUND = {'latents': ('f4', 2), 'label': ('i4', 1)}
EXAMPLES = [form_named(name).output for name in FORMS]
OUTPUTS = {
    **dict.fromkeys(('serving_default', 'labelled', 'truncated', 'latents'), EXAMPLE),
    **dict.fromkeys(('interpolate', 'between', 'fill'), EXAMPLE),
    **dict.fromkeys(
        ('svg', 'latents_svg', 'interpolate_svg', 'between_svg', 'classes', 'recipe'), TEXT
    ),
    'encode': FOUND,
    'reconstruct': FOUND | {'image': form_named(DRAWING).output},
}


class Model(Redrawing, Arranging, Remaking, Composing):
    """What a model can be asked for; `answers` says how, `block` for how many rows at once.

    `answers(signature, {input: array [n, ...]})` gives {output: array [n, ...]}.
    """

    block = 256

    def draw(self, seeds, label=None, truncation=None) -> np.ndarray:
        """Examples as the form stores them of int seeds [n].

        They are drawings uint8 [n, h, w, c], or pieces int32 [n, steps, voices] of MIDI's pitches,
        -1 for a rest and 128 more where a note is struck again. `label` is a class, by number or
        name, or one for each; without, they are as frequent as in the data. `truncation` in [0, 1]
        trades variety for typicality; 1 is all the variety.
        """
        seeds = _integers('seeds', seeds, np.int64)
        inputs = {'seed': _one_each('seeds', seeds, seeds.size)}
        if label is not None or truncation is not None:
            inputs['label'] = self.labels(-1 if label is None else label, seeds.size)
        if truncation is not None:
            inputs['truncation'] = _one_each('truncation', _shares(truncation), seeds.size)
        signature = ['serving_default', 'labelled', 'truncated'][len(inputs) - 1]
        return self._in_blocks(signature, inputs)

    def draw_latents(self, latents, label=0) -> np.ndarray:
        """Examples of latents [n, latent_size] that the caller made, as `draw` gives them."""
        latents = np.asarray(latents, np.float32)
        if latents.ndim != 2 or not len(latents):
            raise ModelError(
                f'--latents: an array of shape {list(latents.shape)}; expected [n, latent_size], '
                'of one at least'
            )
        return self._in_blocks(
            'latents', {'latents': latents, 'label': self.labels(label, len(latents))}
        )

    def svg(self, seeds, label=None) -> list[str]:
        """SVG files of int seeds [n]; `label` as in `draw`.

        They have the strokes of a model that draws with a pen, and outlines of one of pixels.
        """
        self.check_redraws('an SVG file of strokes')
        seeds = _integers('seeds', seeds, np.int64)
        if 'svg' not in self.signatures():
            return self.form.outlines(self.draw(seeds, label))
        labels = self.labels(-1 if label is None else label, seeds.size)
        inputs = {'seed': _one_each('seeds', seeds, seeds.size), 'label': labels}
        return self._in_blocks('svg', inputs).tolist()

    def sheet(self, seeds, label=None, truncation=None, columns: int | None = None) -> Picture:
        """A picture of the drawings of int seeds [n] in rows; a notebook shows it."""
        images = self.draw(seeds, label, truncation)
        told = self.recipe(
            self.seeded(seeds, label, truncation), **{'as': 'sheet'}, columns=columns
        )
        return Picture(self.form.sheet(images, columns), told)

    def write(self, out, seeds, label=None, truncation=None, file_format=None, **how) -> None:
        """Writes what int seeds [n] make, as one file by the ending of `out`, or a folder.

        A folder's files are named by their seeds; `file_format` is their ending without its dot, by
        default png, or mid of music. Drawings are .png .jpg .webp, of strokes if `size` is given
        (pixels of a drawing's longer side) or they are a sheet of a model that draws with a pen;
        .svg, with `for_plotter=True` centre lines in millimetres; .pdf; .gif, which draws itself in
        so many `frames`. `paper` is a2, a3, a4, a5 or letter. Music is .mid .musicxml .wav .png
        .svg, which has so many `bars`, is in a `key` and plays so many quarters a minute, `bpm`;
        pictures are piano rolls, and .svg with `notation=True` a score. Raises ModelError,
        StorageError.
        """
        out = os.fspath(out)
        if self.form.arranges:
            self._write_pieces(out, seeds, label, truncation, file_format, **how)
            return
        ending = pictures.ending(out) or f'.{file_format or "png"}'
        told = self.recipe(self.seeded(seeds, label, truncation))
        if self._has_vectors(ending, pictures.ending(out), truncation, how):
            self.form.write_svgs(out, ending, self.svg(seeds, label), seeds, told, **how)
        else:
            self.form.write(out, self.draw(seeds, label, truncation), seeds, told)

    def _write_pieces(self, out, seeds, label, truncation, file_format, bars=None, key=None, **how):
        if key is not None:
            mode, own = self.form.asked_key(key)
            if label is None and mode in self.class_names():
                label = mode
            how |= own
        if bars is None:
            pieces = self.draw(seeds, label, truncation)
        elif truncation is not None:
            raise ModelError(
                f'--truncation={truncation}: pieces of --bars= have none; leave it out'
            )
        else:
            check_bars(bars)
            pieces = self.long(seeds, label, bars)
        told = self.recipe(self.seeded(seeds, label, truncation), bars=bars)
        self.form.write(out, pieces, seeds, told, file_format=file_format or 'mid', **how)

    def check_redraws(self, what: str) -> None:
        """Raises ModelError for a model that does not draw."""
        if not self.form.redraws:
            raise ModelError(f'{what}: the model has none, for {self.form.instead}')

    def _has_vectors(self, ending, is_sheet, truncation, how):
        """Whether a file is made from vectors, of which there are none with truncation."""
        if ending in pictures.SHEETS and 'size' not in how:
            return is_sheet and truncation is None and 'svg' in self.signatures()
        if truncation is not None:
            raise ModelError(
                f'--truncation={truncation}: {ending} of any size has none; leave it out'
            )
        return True

    def walk(self, seeds, label=None, frames: int = WALK_FRAMES, size=None) -> list[np.ndarray]:
        """Sheets of drawings that each walk by way of two other seeds and back.

        Their labels are by default the classes in turn. With strokes, the longer side of a drawing
        can have `size` pixels. Raises ModelError.
        """
        self.check_redraws('a walk')
        drawn = 'interpolate_svg' in self.signatures()
        if size and not drawn:
            raise ModelError(
                f'--size={size}: the model has no strokes to draw a walk from; leave it out'
            )
        seeds = _integers('seeds', seeds, np.int64)
        if label is None:
            label = seeds % len(self.class_names())
        labels = self.labels(label, len(seeds))
        pages = []
        for place in tqdm.tqdm(np.arange(frames) * 3 / frames, 'walking', delay=1, disable=None):
            leg, share = int(place), place % 1
            ends = [seeds + len(seeds) * corner for corner in (leg, (leg + 1) % 3)]
            shares = np.full(len(seeds), share, np.float32)
            way = {'seed': ends[0], 'to_seed': ends[1], 'share': shares, 'label': labels}
            if drawn:
                pages.append(self.form.frame(self.predict('interpolate_svg', way), size, frames))
            else:
                images = self.predict('interpolate', way)
                pages.append(self.form.sheet(images, pixels=WALK_PIXELS))
        return pages

    def class_names(self) -> list[str]:
        """The classes' names, by number."""
        names, block = [], ['more']
        while all(block):  # An empty name stands for each number after the last.
            labels = np.arange(len(names), len(names) + self.block, dtype=np.int32)
            block = self.predict('classes', {'label': labels})
            names += [str(name) for name in block if name]
            if len(names) > MOST_CLASSES or max(map(len, names), default=0) > MOST_LETTERS:
                raise self._none_of_ours(
                    f'more than {MOST_CLASSES:,} classes, or {MOST_LETTERS:,} letters in the name '
                    f'of one: {names[-1]}'
                )
        return names

    def predict(self, signature: str, inputs: dict) -> np.ndarray:
        """The one output of a signature that has no more, [n, ...]; raises ModelError."""
        [output] = self._checked(signature, inputs).values()
        return output

    def labels(self, label, count: int) -> np.ndarray:
        """The labels int32 [count] that `label` means, as `draw` takes it."""
        labels = np.asarray(label)
        if labels.dtype.kind == 'U':
            names = self.class_names()
            numbers = [label_number(str(each), names) for each in labels.flat]
            labels = np.reshape(numbers, labels.shape)
        return _one_each('label', _integers('label', labels, np.int32), count)

    def _in_blocks(self, signature, inputs):
        [output] = self._answers_in_blocks(signature, inputs).values()
        return output

    def _answers_in_blocks(self, signature, inputs):
        count = len(next(iter(inputs.values())))
        blocks = [
            self._checked(
                signature, {name: value[i : i + self.block] for name, value in inputs.items()}
            )
            for i in range(0, count, self.block)
        ]
        for name in blocks[0]:
            if len(shapes := {block[name].shape[1:] for block in blocks}) > 1:
                raise self._none_of_ours(f'{signature} answers {quoted(name)} of shapes {shapes}')
        return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}

    def _checked(self, signature, inputs):
        """Answers as a model of ours gives them: a row for each that was asked, of these types."""
        rows, outputs = len(next(iter(inputs.values()))), self.answers(signature, inputs)
        found = {name: (_type(each), each.ndim) for name, each in outputs.items()}
        expected = OUTPUTS.get(signature, found)
        if expected == EXAMPLE:
            [output] = found.values() if len(found) == 1 else [None]
            expected = found if output in EXAMPLES else EXAMPLE
        if len(expected) == 1:  # It may have any name.
            found, expected = list(found.values()), list(expected.values())
        whole = all(each.size and each.shape[:1] == (rows,) for each in outputs.values())
        if found != expected or not whole:
            told = {name: f'{each.dtype}{list(each.shape)}' for name, each in outputs.items()}
            raise self._none_of_ours(f'{told} for {rows} of {signature}')
        return outputs

    def _none_of_ours(self, answer):
        return ModelError(f'it is no model of tfgan, for it answers {quoted(answer)}')


def _type(array):
    return 'U' if array.dtype.kind == 'U' else array.dtype.str[1:]


def _integers(name, values, dtype):
    """Whole numbers as an array of a type that holds them all; nothing is cut or wraps around."""
    found, limits = np.asarray(values), np.iinfo(dtype)
    whole = found.size and found.dtype.kind in 'iu'
    if not whole or found.min() < limits.min or found.max() > limits.max:
        raise ModelError(
            f'--{name}={quoted(values)}: expected whole numbers, one at least, from {limits.min} '
            f'to {limits.max}'
        )
    return found.astype(dtype)


def _shares(values):
    shares = np.asarray(values, np.float32)
    if not np.all((shares >= 0) & (shares <= 1)):
        raise ModelError(f'--truncation={quoted(values)}: expected a number from 0 to 1')
    return shares


def _one_each(name, values, count):
    """One of the values for each of so many drawings, or the only one for all."""
    if values.shape not in ((), (count,)):
        raise ModelError(
            f'--{name}: an array of shape {list(values.shape)} for {count} drawing(s); '
            f'expected one value, or a list of {count}'
        )
    return np.broadcast_to(values, count)


def label_number(label: str, class_names: list[str]) -> int:
    """The number of a class given by name or number, as 7, cat, number:7 or name:7.

    Raises ModelError if there is no such class, or if it is one's name and another's number.
    """
    how, _, text = label.partition(':')
    if label in class_names or how not in ('name', 'number'):
        how, text = 'either', label
    by_name = class_names.index(text) if text in class_names and how != 'number' else None
    by_number = _below(text, len(class_names)) if how != 'name' else None
    found = {by_name, by_number} - {None}
    if len(found) > 1:
        raise ModelError(
            f'--label={label}: that is the name of class number {by_name}, and class number {label}'
            f' is {quoted(class_names[by_number])}; type --label=name:{label} or '
            f'--label=number:{label}'
        )
    if not found:
        raise ModelError(f'--label={quoted(label)}: the model draws {listed(class_names)}')
    return found.pop()


def _below(text: str, count: int) -> int | None:
    """The number that a text is, if it is one below `count`."""
    return int(text) if text.isdecimal() and int(text) < count else None


def form_of(path):
    """The art form of an exported model, by its card; one without a card draws."""
    version = layout.newest(path)
    try:
        return form_named(card.read(version).form)
    except ModelError:
        return form_named(DRAWING)


def load(path, trust: bool = False) -> Model:
    """The newest version below an exported model's directory, or the version that it is.

    Raises ModelError, also for a model that may do more than compute, such as read and write files:
    it runs with `trust` alone, which one has in whoever made it.
    """
    version = layout.newest(path)
    return _Loaded(loading.load_model(version, trust), version)


class _Loaded(Model):
    def __init__(self, loaded, version):
        self._loaded = loaded  # It keeps the variables.
        self.version = version  # its folder

    @functools.cached_property
    def form(self):
        """The art form of what it makes."""
        return form_of(self.version)

    @functools.cached_property
    def card(self) -> ModelCard:
        """What the export says of itself; raises ModelError where it does not."""
        return card.read(self.version)

    @functools.cached_property
    def sha256(self) -> str:
        """The hash of what draws: models that have the same one draw the same."""
        if self.card.sha256:
            return self.card.sha256
        from tfgan.saved_model import identity

        return identity.of_export(self.card, self.weights())

    def known_facts(self) -> dict:
        """What recipes have of a model that does not tell it itself, as it was exported before."""
        try:
            licence = self.card.data['licence']
            return {'model': self.card.name, 'sha256': self.sha256, 'licence': licence}
        except ModelError:  # It has no card.
            return {'model': self.version.resolve().parent.name}

    def strokes_of(self, drawings: list[dict]):
        """(strokes [n, ...], ground, shape) of drawings that a recipe tells, changed or not.

        Raises ModelError where it does not draw with a pen.
        """
        if 'strokes' not in self.signatures():
            raise ModelError(
                'it makes pixels, which sliders and kept parts of strokes do not change'
            )
        from tfgan.saved_model import identity, items, sliders

        generator, names = identity.generator_of(self.card), self.class_names()
        for variable, weights in zip(generator.variables, self.weights(), strict=False):
            variable.assign(weights)
        known = sliders.read(self.version)
        made = [items.strokes(generator, known, names, each) for each in drawings]
        return (
            type(made[0])(*map(np.concatenate, zip(*made, strict=True))),
            generator.ground,
            self.shape,
        )

    def evaluate(self, dataset: str | None = None, **options):
        """A report of its drawings beside a data set's images, by default of its own data.

        `options` are those of `tfgan.evaluation.report.evaluate`.
        """
        from tfgan.evaluation import report

        return report.evaluate(self, self.version, self.card, dataset, **options)

    def learn(self, images, word: str, out, **options):
        """Writes a version at `out` that draws a new word too, of pictures; returns its folder.

        `options` are those of `tfgan.word_learning.learn`.
        """
        from tfgan import word_learning

        self.check_redraws('words to learn')
        return word_learning.learn(self, images, word, out, **options)

    def weights(self) -> list[np.ndarray]:
        """Those of the averaged generator, the discriminator and the encoder, in that order.

        A compact export has no discriminator.
        """
        if not self.is_compact:
            return [variable.numpy() for variable in self._loaded.weights]
        from tfgan.saved_model import compact

        return compact.values(self._loaded.weights, self._loaded.scales)

    @property
    def is_compact(self) -> bool:
        """Whether it has small weights and no discriminator."""
        return hasattr(self._loaded, 'scales')

    def decision_threshold(self) -> float:
        """The logit half way between real and generated examples; 0 without a discriminator."""
        if self.is_compact:
            return 0.0
        return float(self._loaded.decision_threshold.numpy())

    def signatures(self):
        """The names of what it answers."""
        return self._loaded.signatures.keys()

    def answers(self, signature, inputs):
        import tensorflow as tf

        tensors = {name: tf.constant(value) for name, value in inputs.items()}
        try:
            outputs = self._loaded.signatures[signature](**tensors)
        except tf.errors.InvalidArgumentError as error:
            raise ModelError(quoted(reason(error))) from error
        return {name: _text(output.numpy()) for name, output in outputs.items()}


def connect(url: str, model: str = 'doodles', version: int | None = None) -> 'Served':
    """A model of the server at http://HOST:PORT (REST) or grpc://HOST:PORT.

    Raises ModelError, of this and all its methods, with the server's own words if it has any. A
    server that is busy is asked again for ten seconds or so. What a server sends is no more than
    text to quote until it has the form of a model's answer, and so much of it is read and no more.
    """
    if version is not None and not 0 <= version <= layout.LARGEST:
        raise ModelError(f'--version={quoted(version)}: expected one from 0 to {layout.LARGEST}')
    kinds = {'http': _Rest, 'https': _Rest, 'grpc': _Grpc}
    try:
        address = urllib.parse.urlsplit(url.rstrip('/'))
        is_right = address.scheme in kinds and address.hostname and address.port != 0
    except ValueError:  # It is raised for what is no port, and for a bracket alone.
        is_right = False
    if not is_right:
        raise ModelError(
            f'--server={quoted(url)}: give http://HOST:PORT or grpc://HOST:PORT; an IPv6 address '
            'stands in brackets, as in http://[::1]:8501'
        )
    return kinds[address.scheme](address, model, version)


class Served(Model):
    """A model of a server; `status` is {version: state}, `metadata` what its signatures take."""

    block = 64  # So many images of 256 x 256 x 3 are within a server's limits.

    def __init__(self, address, model, version):
        self._address, self._model, self._version = address, model, version
        self._is_here = _is_this_machine(address.hostname)
        self._proxy = None if self._is_here else self._proxy_on_the_way()

    def signatures(self):
        """The names of what it answers."""
        return self.metadata()['metadata']['signature_def']['signature_def'].keys()

    @functools.cached_property
    def form(self):
        """The art form of what it makes, by what its first signature calls an example."""
        told = self.metadata()['metadata']['signature_def']['signature_def']
        try:
            names = told['serving_default']['outputs'].keys()
        except (AttributeError, KeyError, TypeError):
            names = ()
        forms = map(form_named, FORMS)
        return next((form for form in forms if form.example in names), form_named(DRAWING))

    def known_facts(self) -> dict:
        """What recipes have of a model that does not tell it itself."""
        return {'model': self._model}

    def metadata(self) -> dict:
        answer = self._metadata()
        try:
            signatures = answer['metadata']['signature_def']['signature_def']
        except (KeyError, TypeError):
            signatures = None
        if not isinstance(signatures, dict):
            raise self._none_of_ours(answer)
        return answer

    def _error(self, why):
        by = f' by way of the proxy {self._proxy}' if self._proxy else ''
        return ModelError(f'--server={self._address.geturl()}{by}: {quoted(why, most=MOST_TOLD)}')

    def _none_of_ours(self, answer):
        said = "it is no server of tfgan's or TensorFlow Serving's models, for it answers"
        return self._error(f'{said} {quoted(answer, _in_short)}')

    def _unreached(self):
        if self._proxy:
            return self._error(
                'it cannot be reached; the environment names that proxy, and '
                f'no_proxy={self._address.hostname} goes without it'
            )
        return self._error('nobody listens there; python -m tfgan.serve starts a server')


def _in_short(answer):
    return answer if isinstance(answer, str) else reprlib.repr(answer)


def _is_this_machine(host):
    """Whether a host is this machine by its own word, which no proxy can know."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == 'localhost' or host.endswith('.localhost')
    return address.is_loopback or address.is_unspecified


def _first_set(*names):
    """The first of the environment's variables that has a value; an empty text if none has."""
    return next(filter(None, map(os.environ.get, names)), '')


def _without_password(proxy):
    """HOST:PORT of a proxy's URL, in which a name and password may stand."""
    return proxy.rpartition('@')[2].rpartition('//')[2].rstrip('/')


def _attempts():
    """Turns to ask a server, each after a longer wait."""
    for attempt in range(MAX_ATTEMPTS):
        if attempt:
            time.sleep(FIRST_WAIT_SECS * 2 ** (attempt - 1))
        yield


def _array(name, values):
    """An output of a REST answer as an array [n, ...]; raises ValueError or TypeError for none."""
    if not isinstance(values, list):
        raise TypeError('an output is a list')
    if values and isinstance(values[0], dict):
        values = [base64.b64decode(each['b64'], validate=True).decode() for each in values]
    array = np.array(values)
    if array.dtype.kind == 'f' or (name == 'latents' and array.dtype.kind == 'i'):
        return array.astype(np.float32)
    if array.dtype.kind == 'i':
        is_image = name != 'label' and array.ndim == 4
        dtype = np.dtype(np.uint8 if is_image else np.int32)  # Those of three axes are pieces.
        if array.min() < np.iinfo(dtype).min or array.max() > np.iinfo(dtype).max:
            raise ValueError(f'not all are of {dtype}')
        return array.astype(dtype)
    return array


class _Rest(Served):
    def __init__(self, *place):
        import requests

        super().__init__(*place)
        version = '' if self._version is None else f'/versions/{self._version}'
        model = urllib.parse.quote(self._model, safe='')
        self._path = f'{self._address.geturl()}/v1/models/{model}{version}'
        self._session = requests.Session()
        self._session.trust_env = not self._is_here  # The environment may name a proxy.

    def _proxy_on_the_way(self):
        from requests import utils

        url = self._address.geturl()
        proxy = utils.select_proxy(url, utils.get_environ_proxies(url))
        return proxy and _without_password(proxy)

    def answers(self, signature, inputs):
        plain = {name: value.tolist() for name, value in inputs.items()}
        body = json.dumps({'signature_name': signature, 'inputs': plain})
        most_bytes = min(MOST_BYTES, ROW_BYTES * len(next(iter(plain.values()))))
        content = self._answer('POST', ':predict', most_bytes, data=body)
        try:
            answer = content['outputs']
            # That of one output has no name.
            named = answer if isinstance(answer, dict) else {'output': answer}
            return {name: _array(name, values) for name, values in named.items()}
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise self._none_of_ours(content) from error

    def status(self) -> dict:
        content = self._answer('GET', '')
        try:
            found = content['model_version_status']
            states = {int(each['version']): each['state'] for each in found}
        except (KeyError, TypeError, ValueError, OverflowError):
            states = {}
        are_numbers = all(0 <= number <= layout.LARGEST for number in states)
        if not states or not are_numbers or not all(map(STATES.__contains__, states.values())):
            raise self._none_of_ours(content)
        return states

    def _metadata(self):
        return self._answer('GET', '/metadata')

    def _answer(self, method, suffix, most_bytes=ABOUT_BYTES, **keywords):
        for _ in _attempts():
            status, body = self._within_time(method, suffix, most_bytes, keywords)
            if status not in (429, 503):
                break
        try:
            content = json.loads(body)
        except (ValueError, RecursionError):
            content = None
        if isinstance(content, dict) and 'error' in content:
            raise self._error(f'{status}, {_in_short(content["error"])}')
        if status != 200 or not isinstance(content, dict):
            raise self._none_of_ours(f'{status}, {body[:MOST_TOLD].decode(errors="replace")}')
        return content

    def _within_time(self, *request):
        """Status and body of a request, whose headers alone a server may send for hours."""
        outcome = []  # It is an answer or an error.
        asking = threading.Thread(target=self._ask, args=(outcome, *request), daemon=True)
        asking.start()
        asking.join(TIMEOUT_SECS)
        if not outcome:
            raise self._error(f'no whole answer in {TIMEOUT_SECS:g} seconds')
        [answer] = outcome
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _ask(self, outcome, method, suffix, most_bytes, keywords):
        import requests
        import urllib3

        known = requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError
        try:
            outcome.append(self._received(method, suffix, most_bytes, keywords))
        except Exception as error:  # It is raised where the answer is waited for.
            if isinstance(error, known) and not isinstance(error, ModelError):
                is_nobody = 'NewConnectionError' in str(error)
                error = self._unreached() if is_nobody else self._error(error)
            outcome.append(error)

    def _received(self, method, suffix, most_bytes, keywords):
        began, body = time.monotonic(), bytearray()
        with self._session.request(
            method,
            self._path + suffix,
            timeout=TIMEOUT_SECS,
            stream=True,
            allow_redirects=False,  # They lead wherever a server likes.
            headers={'Accept-Encoding': 'identity'},  # A packed answer has no bound.
            **keywords,
        ) as response:
            if response.is_redirect:
                place = response.headers['Location']
                raise self._none_of_ours(f'{response.status_code}, go to {place}')
            for chunk in response.raw.stream(CHUNK_BYTES, decode_content=False):
                body += chunk
                if len(body) > most_bytes:
                    raise self._none_of_ours(f'more than {most_bytes:,} bytes: {bytes(body[:80])}')
                if time.monotonic() - began > TIMEOUT_SECS:
                    break  # Nobody waits for it any more.
            return response.status_code, bytes(body)


class _Grpc(Served):
    def __init__(self, *place):
        import grpc

        from tfgan import startup

        startup.import_tensorflow()  # The messages are made of its own.
        super().__init__(*place)
        # It tells of a message that is none with all of its stack, which is an error here anyway.
        logging.getLogger('grpc._common').setLevel(logging.CRITICAL)
        self._channel = grpc.insecure_channel(
            self._address.netloc,
            options=[
                ('grpc.max_receive_message_length', MOST_BYTES),  # Images are over its 4 MiB.
                ('grpc.enable_http_proxy', int(not self._is_here)),
            ],
        )

    def _proxy_on_the_way(self):
        """The proxy as gRPC's core chooses it."""
        proxy = _first_set('grpc_proxy', 'https_proxy', 'http_proxy')
        bypassed = urllib.request.proxy_bypass_environment(
            self._address.hostname, {'no': _first_set('no_grpc_proxy', 'no_proxy')}
        )
        return None if bypassed else _without_password(proxy)

    def answers(self, signature, inputs):
        import tensorflow as tf
        from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

        request = predict_pb2.PredictRequest()
        self._fill(request.model_spec)
        request.model_spec.signature_name = signature
        for name, value in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
        service = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        outputs = self._answer(service.Predict, request).outputs
        try:
            return {name: _unpacked(output) for name, output in outputs.items()}
        except (ValueError, TypeError) as error:
            raise self._none_of_ours(f'{error}') from error

    def status(self) -> dict:
        from tensorflow_serving.apis import get_model_status_pb2, model_service_pb2_grpc

        request = get_model_status_pb2.GetModelStatusRequest()
        self._fill(request.model_spec)
        service = model_service_pb2_grpc.ModelServiceStub(self._channel)
        states = get_model_status_pb2.ModelVersionStatus.State
        found = self._answer(service.GetModelStatus, request).model_version_status
        if strange := [each.state for each in found if each.state not in states.values()]:
            raise self._none_of_ours(f'a state {strange[0]}')
        return {each.version: states.Name(each.state) for each in found}

    def _metadata(self) -> dict:
        from google.protobuf import json_format
        from tensorflow_serving.apis import get_model_metadata_pb2, prediction_service_pb2_grpc

        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=['signature_def'])
        self._fill(request.model_spec)
        service = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        answer = self._answer(service.GetModelMetadata, request)
        try:
            return json_format.MessageToDict(answer, preserving_proto_field_name=True)
        except Exception as error:  # whatever its reader makes of a message within the message
            raise self._none_of_ours(f'{error}') from error

    def _fill(self, spec):
        spec.name = self._model
        if self._version is not None:
            spec.version.value = self._version

    def _answer(self, call, request):
        import grpc

        for _ in _attempts():
            try:
                return call(request, timeout=TIMEOUT_SECS)
            except grpc.RpcError as error:
                last, said = error, error.details() or ''
                is_busy = error.code() in (
                    grpc.StatusCode.UNAVAILABLE,
                    grpc.StatusCode.RESOURCE_EXHAUSTED,
                )
                if is_busy and 'Failed to connect to remote host' in said:
                    raise self._unreached() from error
                # gRPC's own words of an answer that it did not take; the next would be as large.
                if not is_busy or 'message larger than max' in said:
                    break
        raise self._error(f'{last.code().name}, {said or "without a word"}') from last


def _unpacked(proto):
    """An output of a gRPC answer as an array; raises ValueError or TypeError for none.

    One value may stand for any number of them, so the shape is looked at before.
    """
    import tensorflow as tf

    shape = [axis.size for axis in proto.tensor_shape.dim]
    dtype = next(
        (each for each in SIZES if tf.as_dtype(each).as_datatype_enum == proto.dtype), None
    )
    if not dtype or not shape or min(shape) < 0 or math.prod(shape) * SIZES[dtype] > MOST_BYTES:
        raise ValueError(f'an output of the type {proto.dtype} and the shape {shape}')
    return _text(tf.make_ndarray(proto))


def _text(array):
    """Strings as such, all else as it is."""
    if array.dtype != object:
        return array
    return np.reshape([each.decode() for each in array.flat], array.shape)
