"""The models below a directory, loaded, watched and answering; a new version swaps in by itself."""

import asyncio
import dataclasses
import logging
import pathlib
import time

import numpy as np

from tfgan import bodies, warmup
from tfgan.batching import Batcher
from tfgan.refusal import RefusedError, reason

LOG = logging.getLogger('tfgan')


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a request may ask for, in rows and seconds, and how many rows may wait in all."""

    rows: int = 1024
    waiting: int = 4096
    secs: float = 30.0


@dataclasses.dataclass(frozen=True)
class Signature:
    specs: bodies.Specs
    answer: Batcher


@dataclasses.dataclass(frozen=True)
class Version:
    """One version of a model, ready to answer."""

    model: str
    number: int
    signatures: dict[str, Signature]
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
            for number in sorted(_complete(folder), reverse=True):
                held = self._versions.get(model)
                if (held and number <= held.number) or self._load(model, folder, number):
                    break

    def _folders(self):
        """{name: folder} of the models below the directory, or of the one that it is."""
        if _complete(self.root):
            return {self.root.resolve().name: self.root}
        return {path.name: path for path in sorted(self.root.glob('*')) if _complete(path)}

    def _load(self, model, folder, number):
        states = self.states.setdefault(model, {})
        known = states.get(number)
        began = time.monotonic()
        try:
            version = self._loaded(model, folder / str(number), number)
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
        import tensorflow as tf

        loaded = tf.saved_model.load(str(folder))
        calls = {name: self._call(model, function) for name, function in loaded.signatures.items()}
        for name, inputs in warmup.requests(folder):
            calls[name](inputs)
        signatures = {
            name: Signature(_specs(function), self._batcher(calls[name]))
            for name, function in loaded.signatures.items()
        }
        return Version(model, number, signatures, _definition(folder))

    def _batcher(self, call):
        return Batcher(call, self._executor, self._limits.rows, self._limits.waiting)

    def _call(self, model, function):
        """A signature as a function of arrays that raises Refusals."""
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

    async def predict(self, version: Version, signature: str, inputs: dict) -> dict:
        """A signature's outputs of inputs that its specs were held against."""
        answer = version.signature(signature).answer
        try:
            async with asyncio.timeout(self._limits.secs):
                return await answer(inputs, bodies.same_rows(inputs))
        except TimeoutError as error:
            raise RefusedError(
                'DEADLINE_EXCEEDED', f'no answer in {self._limits.secs:g} s'
            ) from error

    def most_rows(self) -> int:
        """How many rows a request may have."""
        return self._limits.rows


def _complete(folder):
    """The numbers of versions that a folder has the main file of."""
    found = (path.parent.name for path in folder.glob('*/saved_model.pb'))
    return [int(name) for name in found if name.isdecimal()]


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
