"""The models below a directory, loaded, watched and answering; a new version swaps in by itself."""

import asyncio
import dataclasses
import logging
import math
import pathlib
import time

import numpy as np

from tfgan.errors import RefusedError, reason
from tfgan.saved_model import layout, loading, warmup
from tfgan.server import rest_json
from tfgan.server.batching import Batcher

LOG = logging.getLogger('tfgan')


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a request may ask for, and how much is done and waits at once.

    Numbers are those of images, so that memory is bounded whatever their size is.
    """

    rows: int = 1024  # of a request
    numbers: int = 1 << 24  # of an answer: 64 MiB of JSON
    batch_numbers: int = 1 << 20  # 1,024 images of 32 x 32, or 16 of 256 x 256
    waiting: int = 4096  # rows
    secs: float = 30.0


@dataclasses.dataclass(frozen=True)
class Signature:
    specs: rest_json.Specs
    answer: Batcher


@dataclasses.dataclass(frozen=True)
class Version:
    """One version of a model, ready to answer."""

    model: str
    number: int
    signatures: dict[str, Signature]
    numbers: int  # of an image
    batch_rows: int
    definition: object  # a SignatureDefMap, which metadata are made from

    def signature(self, name: str) -> Signature:
        name = name or 'serving_default'
        if name not in self.signatures:
            raise RefusedError(
                'INVALID_ARGUMENT',
                f'Serving signature name: "{name}" not found in signature def; '
                f'there are {", ".join(sorted(self.signatures))}',
            )
        return self.signatures[name]


class Hosting:
    """Models by name, each with the newest of its versions that loads.

    `refresh` is called from any one thread, all else from that of the event loop. A request keeps
    the version that it began with, so none is dropped while another takes its place.
    """

    def __init__(self, root, executor, limits: Limits, metrics):
        self.root = pathlib.Path(root)
        self.states = {}  # {model: {version: (state, code, message)}}
        self._executor, self._limits, self._metrics = executor, limits, metrics
        self._versions = {}

    def refresh(self) -> None:
        """Loads what is new below the directory."""
        for model, folder in self._folders().items():
            for number, place in reversed(layout.versions(folder).items()):
                held = self._versions.get(model)
                if (held and number <= held.number) or self._load(model, place, number):
                    break

    def _folders(self):
        """{name: folder} of the models below the directory, or of the one that it is."""
        if layout.versions(self.root):
            return {self.root.resolve().name: self.root}
        return {path.name: path for path in sorted(self.root.glob('*')) if layout.versions(path)}

    def _load(self, model, folder, number):
        states = self.states.setdefault(model, {})
        known = states.get(number)
        began = time.monotonic()
        try:
            version = self._loaded(model, folder, number)
        except Exception as error:  # whatever a foreign or unfinished file brings about
            state = 'END', 'INTERNAL', reason(error)
            if state != known:
                LOG.error('%s version %d does not load: %s', model, number, state[2])
            states[number] = state
            return False
        held = self._versions.get(model)
        self._versions[model] = version
        states[number] = 'AVAILABLE', 'OK', ''
        if held:
            states[held.number] = 'END', 'OK', ''
        self._metrics.version.labels(model).set(number)
        LOG.info('%s version %d is served, after %.1f s', model, number, time.monotonic() - began)
        return True

    def _loaded(self, model, folder, number):
        loaded = loading.load(folder)
        calls = {name: self._call(model, function) for name, function in loaded.signatures.items()}
        for name, inputs in warmup.requests(folder):
            calls[name](inputs)
        numbers = max(map(_numbers, loaded.signatures.values()))
        limits = self._limits
        rows = max(1, min(limits.rows, limits.batch_numbers // numbers))
        signatures = {
            name: Signature(
                _specs(function), Batcher(calls[name], self._executor, rows, limits.waiting)
            )
            for name, function in loaded.signatures.items()
        }
        return Version(model, number, signatures, numbers, rows, _definition(folder))

    def _call(self, model, function):
        """A signature as a function of arrays that raises RefusedErrors."""
        import tensorflow as tf

        rows = self._metrics.batch_rows.labels(model)

        def call(inputs):
            rows.observe(len(next(iter(inputs.values()))))
            try:
                outputs = function(**{name: tf.constant(value) for name, value in inputs.items()})
            except tf.errors.OpError as error:
                raise RefusedError(_code(error), reason(error)) from error
            return {name: value.numpy() for name, value in outputs.items()}

        return call

    def find(self, model: str, number: int | None = None) -> Version:
        """The version asked for, or a model's only one."""
        version = self._versions.get(model)
        if version is None or number not in (None, version.number):
            wanted = f'Latest({model})' if number is None else f'Specific({model}, {number})'
            raise RefusedError('NOT_FOUND', f'Servable not found for request: {wanted}')
        return version

    def status(self, model: str, number: int | None = None) -> dict:
        """{version: (state, code, message)} of a model, or of one version."""
        states = dict(self.states.get(model, {}))  # `refresh` may be adding to it
        if number is None and not states:
            raise RefusedError('NOT_FOUND', f'Could not find any versions of model {model}')
        if number is not None and number not in states:
            raise RefusedError('NOT_FOUND', f'Could not find version {number} of model {model}')
        return states if number is None else {number: states[number]}

    def serving(self) -> dict[str, bool]:
        """Whether a version answers, by model: also of models of which none loads."""
        return {model: model in self._versions for model in list(self.states)}

    async def predict(self, version: Version, signature: str, inputs: dict) -> dict:
        """A signature's outputs of inputs that its specs were held against."""
        answer, rows = version.signature(signature).answer, rest_json.same_rows(inputs)
        most = self.most_rows(version)
        if rows > most:
            raise RefusedError('INVALID_ARGUMENT', f'{rows} rows: a request may have {most}')
        parts = _split(inputs, rows, version.batch_rows)
        try:
            async with asyncio.timeout(self._limits.secs):
                answers = await asyncio.gather(*(answer(part, count) for part, count in parts))
        except TimeoutError as error:
            raise RefusedError(
                'DEADLINE_EXCEEDED', f'no answer in {self._limits.secs:g} s'
            ) from error
        if len(answers) == 1:
            return answers[0]
        return {name: np.concatenate([each[name] for each in answers]) for name in answers[0]}

    def most_rows(self, version: Version) -> int:
        """How many rows a request may have."""
        return max(1, min(self._limits.rows, self._limits.numbers // version.numbers))


def unknown_label(label: str) -> RefusedError:
    """The refusal of a version's label, in TensorFlow Serving's words: nothing sets labels here."""
    return RefusedError(
        'INVALID_ARGUMENT',
        f'Unrecognized servable version label: {label}; this server knows versions by number alone',
    )


def _split(inputs, rows, most):
    """(inputs, rows) of parts of at most so many rows."""
    if rows <= most:
        return [(inputs, rows)]
    return [
        ({name: array[i : i + most] for name, array in inputs.items()}, min(most, rows - i))
        for i in range(0, rows, most)
    ]


def _numbers(function):
    """How many numbers the largest row of a signature's has, of its inputs and outputs."""
    specs = [*warmup.specs(function).values(), *function.structured_outputs.values()]
    return max(math.prod(spec.shape[1:]) for spec in specs)


def _specs(function):
    return {
        name: (np.dtype(spec.dtype.as_numpy_dtype), tuple(spec.shape))
        for name, spec in warmup.specs(function).items()
    }


def _definition(folder):
    from tensorflow.core.protobuf import saved_model_pb2
    from tensorflow_serving.apis import get_model_metadata_pb2

    model = saved_model_pb2.SavedModel.FromString((folder / 'saved_model.pb').read_bytes())
    definition = get_model_metadata_pb2.SignatureDefMap()
    for name, signature in model.meta_graphs[0].signature_def.items():
        if not name.startswith('__'):  # of TensorFlow's own
            definition.signature_def[name].CopyFrom(signature)
    return definition


def _code(error):
    """The name of a TensorFlow error's code, which is gRPC's too."""
    import tensorflow as tf

    return 'INVALID_ARGUMENT' if isinstance(error, tf.errors.InvalidArgumentError) else 'INTERNAL'
