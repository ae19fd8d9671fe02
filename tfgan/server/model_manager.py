"""The models below a directory, loaded, watched and answering; a new version swaps in by itself."""

import asyncio
import concurrent.futures
import contextlib
import dataclasses
import functools
import logging
import math
import pathlib
import time
from collections.abc import Hashable
from typing import NamedTuple

import numpy as np

from tfgan.errors import RefusedError, quoted, reason
from tfgan.saved_model import layout, loading, warmup
from tfgan.server import rest_json
from tfgan.server.batching import Call, FairQueue
from tfgan.server.monitoring import Metrics

LOG = logging.getLogger('tfgan')
CLASS_NAMES = 'classes'  # The signature that has an empty name for each number after the last.
LABELS = 'label', 'to_label'
MOST_CLASSES = 100_000  # of those whose labels are checked before a batch
MOST_RETRY_SECS = 300.0  # A version that does not load is tried again after 1, 2, 4, ... seconds.


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a request may ask for, and how much is done and waits at once.

    Values are the numbers that images are made of: they bound memory whatever an image's size is.
    """

    max_rows: int = 1024  # A request has no more.
    max_answer_values: int = 1 << 24  # These are 64 MiB of JSON.
    max_batch_values: int = 1 << 20  # These are 1,024 images of 32 x 32, or 16 of 256 x 256.
    max_waiting_rows: int = 4096
    max_secs: float = 30.0


class Failure(NamedTuple):
    """When a version that did not load is tried again, and which files it had."""

    files: list
    wait_secs: float
    retry_at: float  # in seconds of time.monotonic


class State(NamedTuple):
    """What TensorFlow Serving tells of a version: its state, and a status code with its message."""

    name: str
    code: str = 'OK'
    message: str = ''


@dataclasses.dataclass(frozen=True)
class Signature:
    """What a signature takes, and what answers it."""

    specs: rest_json.Specs
    outputs: frozenset[str]
    call: Call
    class_count: int | None  # Labels are below it; it is None where the model does not say.

    def check(self, inputs: dict) -> None:
        """Refuses labels that are none, for which the whole batch would fail."""
        for name in inputs.keys() & LABELS:
            if self.class_count is not None and (inputs[name] >= self.class_count).any():
                raise RefusedError('INVALID_ARGUMENT', f'{name}: not below {self.class_count}')


@dataclasses.dataclass(frozen=True)
class Version:
    """One version of a model, ready to answer."""

    model: str
    number: int
    folder: pathlib.Path
    signatures: dict[str, Signature]
    row_values: int  # The largest of its inputs and outputs has so many numbers a row.
    batch_rows: int
    signature_defs: object  # It is a SignatureDefMap, from which metadata are made.

    @functools.cached_property
    def specs(self) -> dict[str, rest_json.Specs]:
        """What each signature takes."""
        return {name: signature.specs for name, signature in self.signatures.items()}

    def signature(self, name: str) -> Signature:
        """The signature of a name, or the default one; raises RefusedError."""
        rest_json.specs_of(self.specs, name)
        return self.signatures[name or rest_json.DEFAULT_SIGNATURE]


class ModelManager:
    """Models by name, each with the newest of its versions that loads.

    `refresh` is called from any one thread, all else from that of the event loop. A request keeps
    the version that it began with, so none is dropped while another takes its place.
    """

    def __init__(
        self,
        root,
        executor: concurrent.futures.Executor,
        limits: Limits,
        metrics: Metrics,
        trust_model: bool = False,
    ):
        self.root = pathlib.Path(root)
        self.states: dict[str, dict[int, State]] = {}
        self.trust_model = trust_model
        self._limits, self._metrics = limits, metrics
        self._queue = FairQueue(executor, limits.max_waiting_rows)
        self._versions: dict[str, Version] = {}
        self._failures: dict[pathlib.Path, Failure] = {}  # those of versions that do not load

    def refresh(self) -> None:
        """Loads what is new below the directory."""
        for model, folder in self._folders().items():
            for number, version_folder in reversed(layout.versions(folder).items()):
                current = self._versions.get(model)
                if current and number <= current.number:
                    break
                if self._may_load(version_folder) and self._load(model, version_folder, number):
                    break

    def _may_load(self, folder):
        """Whether a version did not fail yet, has changed since, or may be tried again by now."""
        failure = self._failures.get(folder)
        return (
            failure is None
            or time.monotonic() >= failure.retry_at
            or _files(folder) != failure.files
        )

    def _folders(self):
        """{name: folder} of the models below the directory, or of the one that it is."""
        if layout.versions(self.root):
            return {self.root.resolve().name: self.root}
        return {path.name: path for path in sorted(self.root.glob('*')) if layout.versions(path)}

    def _load(self, model, folder, number):
        states = self.states.setdefault(model, {})
        began, files = time.monotonic(), _files(folder)
        try:
            version = self._read(model, folder, number)
        except Exception as error:  # A foreign or unfinished file brings about anything.
            state = State('END', 'INTERNAL', reason(error))
            if state != states.get(number):
                LOG.error('%s version %d does not load: %s', model, number, state.message)
            states[number] = state
            self._failures[folder] = _next_failure(self._failures.get(folder), files)
            return False
        self._failures.pop(folder, None)
        previous = self._versions.get(model)
        self._versions[model] = version
        states[number] = State('AVAILABLE')
        if previous:
            states[previous.number] = State('END')
        self._metrics.version.labels(model).set(number)
        LOG.info('%s version %d is served, after %.1f s', model, number, time.monotonic() - began)
        return True

    def _read(self, model, folder, number):
        functions = loading.load(folder, self.trust_model).signatures
        calls = {name: self._of_arrays(model, each) for name, each in functions.items()}
        for name, inputs in warmup.requests(folder):
            calls[name](inputs)
        row_values = max(map(_row_values, functions.values()))
        limits = self._limits
        rows = max(1, min(limits.max_rows, limits.max_batch_values // row_values))
        class_count = _class_count(functions)
        signatures = {
            name: Signature(
                _specs(function),
                frozenset(function.structured_outputs),
                Call(calls[name], rows),
                None if name == CLASS_NAMES else class_count,
            )
            for name, function in functions.items()
        }
        return Version(model, number, folder, signatures, row_values, rows, _signature_defs(folder))

    def _of_arrays(self, model, function):
        """A signature as a function of arrays that raises RefusedErrors."""
        import tensorflow as tf

        rows = self._metrics.batch_rows.labels(model)

        def call(inputs):
            rows.observe(len(next(iter(inputs.values()))))
            try:
                outputs = function(**{name: tf.constant(value) for name, value in inputs.items()})
            except tf.errors.OpError as error:
                raise RefusedError(_status_code(error), reason(error)) from error
            return {name: value.numpy() for name, value in outputs.items()}

        return call

    def find(self, model: str, number: int | None = None) -> Version:
        """The version asked for, or a model's only one; raises RefusedError."""
        version = self._versions.get(model)
        if version is None or number not in (None, version.number):
            name = quoted(model)
            wanted = f'Latest({name})' if number is None else f'Specific({name}, {number})'
            raise RefusedError('NOT_FOUND', f'Servable not found for request: {wanted}')
        return version

    def status(self, model: str, number: int | None = None) -> dict[int, State]:
        """The states of a model's versions, or of the one asked for; raises RefusedError."""
        states = dict(self.states.get(model, {}))  # `refresh` may be adding to it meanwhile.
        if number is None and not states:
            raise RefusedError('NOT_FOUND', f'Could not find any versions of model {quoted(model)}')
        if number is not None and number not in states:
            raise RefusedError(
                'NOT_FOUND', f'Could not find version {number} of model {quoted(model)}'
            )
        return states if number is None else {number: states[number]}

    def serving(self) -> dict[str, bool]:
        """Whether a version answers, by model: also of models of which none loads."""
        return {model: model in self._versions for model in list(self.states)}

    async def predict(
        self, version: Version, name: str, inputs: dict, sender: Hashable = None
    ) -> dict:
        """A signature's outputs of inputs that its specs were held against; raises RefusedError.

        Requests of the same `sender` wait for one another, and not those of others for them.
        """
        signature, rows = version.signature(name), rest_json.row_count(inputs)
        max_rows = self.max_rows(version)
        if rows > max_rows:
            raise RefusedError('INVALID_ARGUMENT', f'{rows} rows: a request may have {max_rows}')
        signature.check(inputs)
        chunks = _chunks(inputs, rows, version.batch_rows)
        try:
            async with asyncio.timeout(self._limits.max_secs):
                return await self._answer(signature.call, chunks, sender)
        except TimeoutError as error:
            raise RefusedError(
                'DEADLINE_EXCEEDED', f'no answer in {self._limits.max_secs:g} s'
            ) from error

    async def _answer(self, call, chunks, sender):
        if len(chunks) == 1:
            return await self._queue(call, *chunks[0], sender)
        tasks = [asyncio.ensure_future(self._queue(call, *chunk, sender)) for chunk in chunks]
        try:
            answers = await asyncio.gather(*tasks)
        finally:  # Nobody waits for the others of one that failed.
            for task in tasks:
                task.cancel()
        return {name: np.concatenate([each[name] for each in answers]) for name in answers[0]}

    def max_rows(self, version: Version) -> int:
        """How many rows a request may have."""
        return max(
            1, min(self._limits.max_rows, self._limits.max_answer_values // version.row_values)
        )


def unknown_label(label: str) -> RefusedError:
    """The refusal of a version's label, in TensorFlow Serving's words: nothing sets labels here."""
    return RefusedError(
        'INVALID_ARGUMENT',
        f'Unrecognized servable version label: {quoted(label)}; this server knows versions by '
        'number alone',
    )


def _chunks(inputs, rows, max_rows):
    """(inputs, rows) of chunks of at most so many rows."""
    if rows <= max_rows:
        return [(inputs, rows)]
    return [
        ({name: array[i : i + max_rows] for name, array in inputs.items()}, min(max_rows, rows - i))
        for i in range(0, rows, max_rows)
    ]


def _files(folder):
    """What a version's files are known by, as long as nobody writes to them."""
    found = []
    for path in sorted(folder.rglob('*')):
        with contextlib.suppress(OSError):  # It may be gone again.
            stat = path.stat()
            found.append((str(path), stat.st_ino, stat.st_size, stat.st_mtime_ns))
    return found


def _next_failure(last, files):
    again = last is not None and last.files == files
    wait_secs = min(2 * last.wait_secs, MOST_RETRY_SECS) if again else 1.0
    return Failure(files, wait_secs, time.monotonic() + wait_secs)


def _class_count(functions):
    """How many classes a model has, by the names that it gives to numbers; None without names."""
    function = functions.get(CLASS_NAMES)
    if function is None or warmup.specs(function).keys() != {'label'}:
        return None
    [names] = function(label=np.arange(MOST_CLASSES, dtype=np.int32)).values()
    unnamed = names.numpy() == b''
    return int(np.argmax(unnamed)) if unnamed.any() else None


def _row_values(function):
    """How many numbers a row of the largest of a signature's inputs and outputs has."""
    specs = [*warmup.specs(function).values(), *function.structured_outputs.values()]
    return max(math.prod(spec.shape[1:]) for spec in specs)


def _specs(function):
    return {
        name: (np.dtype(spec.dtype.as_numpy_dtype), tuple(spec.shape))
        for name, spec in warmup.specs(function).items()
    }


def _signature_defs(folder):
    from tensorflow.core.protobuf import saved_model_pb2
    from tensorflow_serving.apis import get_model_metadata_pb2

    model = saved_model_pb2.SavedModel.FromString((folder / 'saved_model.pb').read_bytes())
    definition = get_model_metadata_pb2.SignatureDefMap()
    for name, signature in model.meta_graphs[0].signature_def.items():
        if not name.startswith('__'):  # TensorFlow's own begin so.
            definition.signature_def[name].CopyFrom(signature)
    return definition


def _status_code(error):
    """The name of a TensorFlow error's code, which is gRPC's too."""
    import tensorflow as tf

    return 'INVALID_ARGUMENT' if isinstance(error, tf.errors.InvalidArgumentError) else 'INTERNAL'
