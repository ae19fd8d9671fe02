"""Exported models brought from the Hugging Face Hub: nothing but an export's files, and all whole.

What a repository lists is refused by its names before anything is brought. Each file is bounded as
it comes, compared with the export's own SHA256SUMS and then looked through as any model of others
is. A hash says that a file is the one that was exported, not that whoever exported it can be
trusted.
"""

import dataclasses
import hashlib
import pathlib
import re
import urllib.parse

import tqdm

from tfgan import client, startup, storage
from tfgan.errors import ModelError, TfganError, listed, quoted, reason
from tfgan.saved_model import layout

NAME = r'[A-Za-z0-9][A-Za-z0-9._-]{0,95}'
ADDRESS = re.compile(rf'hf:({NAME})/({NAME})(?:@([A-Za-z0-9][A-Za-z0-9._/-]{{0,254}}))?')
FORM = 'hf:OWNER/NAME or hf:OWNER/NAME@REVISION'
SUMS, SKIPPED = 'SHA256SUMS', '.gitattributes'  # the Hub makes the latter itself
MIB = 1 << 20
# The files of an export, by patterns of their paths, and how many bytes each may have.
FILES = {
    SUMS: MIB,
    layout.MAIN_FILE: 256 * MIB,
    'model.json': 16 * MIB,
    'variables/variables.index': 16 * MIB,
    r'variables/variables.data-\d{5}-of-\d{5}': 1024 * MIB,
    'README.md': 16 * MIB,
    'sheet.png': 64 * MIB,
    'sliders.json': 16 * MIB,
    'fingerprint.pb': MIB,
    'assets.extra/tf_serving_warmup_requests': 16 * MIB,
}
REQUIRED = tuple(FILES)[:5]
MOST_BYTES, MOST_FILES = 2048 * MIB, 64  # of all together
TIMEOUT_SECS = 30  # of silence
CHUNK_BYTES = 1 << 16
SUM = re.compile(r'([0-9a-f]{64}) [ *](.+)')


@dataclasses.dataclass(frozen=True)
class Repository:
    """A repository of the Hub, at a revision or at its newest."""

    owner: str
    name: str
    revision: str | None

    @property
    def id(self) -> str:
        """What the Hub calls it."""
        return f'{self.owner}/{self.name}'

    def __str__(self):
        return f'hf:{self.id}' + (f'@{self.revision}' if self.revision else '')


def repository(address: str) -> Repository:
    """The repository of an address as FORM; raises ModelError."""
    found = ADDRESS.fullmatch(address)
    if not found or '..' in address:
        raise ModelError(f'{quoted(address)}: expected {FORM}')
    return Repository(*found.groups())


def fetch(repo: Repository, directory) -> pathlib.Path:
    """Brings a repository's export as the next version below a directory; returns its folder.

    Raises ModelError where the Hub cannot be reached, where the repository is no export or not
    whole, or where the model could do more than compute; and StorageError.
    """
    revision, names = _listing(repo)
    startup.import_tensorflow()
    from tfgan.saved_model import writer

    def fill(draft):
        found = _brought(repo, revision, names, draft)
        _compare(repo, found, (draft / SUMS).read_text('utf-8', errors='replace'))
        _check_model(repo, draft)

    return writer.add(directory, fill)


def _listing(repo):
    """(commit, names of files) of a repository, refused where one is none of an export's."""
    api = _hub().HfApi()
    info = _asked(repo, lambda: api.model_info(
        repo.id, revision=repo.revision, files_metadata=True, timeout=TIMEOUT_SECS
    ))  # fmt: skip
    files = {each.rfilename: each.size or 0 for each in info.siblings or []}
    files.pop(SKIPPED, None)
    if others := sorted(name for name in files if most_bytes(name) is None):
        raise ModelError(
            f'{repo} is refused, for it has files that are none of an export: {listed(others)}'
        )
    if missing := [
        name for name in REQUIRED if not any(re.fullmatch(name, each) for each in files)
    ]:
        raise ModelError(f'{repo} is no export of tfgan: it lacks {listed(missing)}')
    for name, size in files.items():
        _check_size(repo, name, size)
    if len(files) > MOST_FILES or sum(files.values()) > MOST_BYTES:
        said = f'{len(files):,} files of {sum(files.values()):,} bytes in all'
        raise ModelError(f'{repo} has {said}; at most {MOST_FILES} of {MOST_BYTES:,} are brought')
    return info.sha, sorted(files)


def most_bytes(name: str) -> int | None:
    """How many bytes a file of an export may have; None for a path that no export has."""
    found = (most for pattern, most in FILES.items() if re.fullmatch(pattern, name, re.ASCII))
    return next(found, None)


def _check_size(repo, name, size):
    if size > most_bytes(name):
        raise ModelError(f'{repo}: {name} has more than {most_bytes(name):,} bytes')


def _brought(repo, revision, names, draft):
    """Writes files below a folder; returns the SHA-256 of each, in hexadecimal."""
    bar = tqdm.tqdm(desc='bringing the model', unit='B', unit_scale=True, disable=None, delay=1)
    with bar:
        return {name: _file(repo, revision, name, draft / name, bar) for name in names}


def _file(repo, revision, name, path, bar):
    hub, found, size = _hub(), hashlib.sha256(), 0

    def bring():
        nonlocal size
        url = hub.hf_hub_url(repo.id, name, revision=revision)
        how = {'headers': hub.utils.build_hf_headers(), 'timeout': TIMEOUT_SECS}
        with hub.get_session().stream('GET', url, **how) as answer:
            hub.utils.hf_raise_for_status(answer)
            for chunk in answer.iter_bytes(CHUNK_BYTES):
                size += len(chunk)
                _check_size(repo, name, size)
                _check_total(repo, bar.n + len(chunk))
                found.update(chunk)
                with storage.writing(path):
                    file.write(chunk)
                bar.update(len(chunk))

    with storage.writing(path):
        path.parent.mkdir(exist_ok=True)
        file = open(path, 'xb')  # noqa: SIM115  closed below
    with file:
        _asked(repo, bring)
    return found.hexdigest()


def _check_total(repo, size):
    if size > MOST_BYTES:
        raise ModelError(f'{repo} has more than {MOST_BYTES:,} bytes in all')


def _compare(repo, found, text):
    """Refuses files that are not those that SHA256SUMS tells, each and all."""
    lines = [SUM.fullmatch(line) for line in text.splitlines()]
    if not all(lines):
        raise ModelError(f'{repo}: {SUMS} is none of sha256sum')
    told = {line[2]: line[1] for line in lines}
    found = {name: each for name, each in found.items() if name != SUMS}
    if told.keys() != found.keys():
        raise ModelError(f'{repo}: {SUMS} and files differ in {listed(told.keys() ^ found.keys())}')
    if other := [name for name in sorted(told) if told[name] != found[name]]:
        raise ModelError(f'{repo} was changed since its export: {listed(other)} {_hashes(other)}')


def _hashes(names):
    return f'{"has" if len(names) == 1 else "have"} another SHA-256 than {SUMS} tells'


def _check_model(repo, draft):
    """Refuses what may do more than compute, and weights that are not those that the card tells."""
    from tfgan.saved_model import identity

    try:
        model = client.load(draft)
        same = model.card.sha256 == identity.of_export(model.card, model.weights())
    except Exception as error:  # whatever loading raises of a file made to harm it
        why = str(error) if isinstance(error, TfganError) else reason(error)
        why = why.replace(str(draft), repo.name)
        raise ModelError(f'{repo} is refused: {why}') from error
    if not same:
        raise ModelError(f'{repo} is refused: its weights have another SHA-256 than its card tells')


def _hub():
    try:
        import huggingface_hub
        import huggingface_hub.constants
        import huggingface_hub.errors
        import huggingface_hub.utils
    except ImportError as error:
        raise ModelError(
            "huggingface_hub is not installed, which the Hub takes; type pip install '.[hub]'"
        ) from error
    return huggingface_hub


def _asked(repo, ask):
    """What the Hub answers; raises ModelError of one line, whatever its client raises."""
    errors = _hub().errors
    try:
        return ask()
    except TfganError:
        raise
    except errors.RevisionNotFoundError as error:
        raise ModelError(f'{repo}: the Hub has no such revision of it') from error
    except errors.RepositoryNotFoundError as error:
        raise ModelError(
            f'{repo}: the Hub has no such repository that you may see; private ones take hf auth '
            'login first'
        ) from error
    except errors.HfHubHTTPError as error:
        raise ModelError(f'{repo}: the Hub refuses it: {reason(error)}') from error
    except Exception as error:
        place = urllib.parse.urlsplit(_hub().constants.ENDPOINT).netloc
        raise ModelError(
            f'{repo}: the Hub at {place} cannot be reached ({reason(error)}). Offline, --model= '
            'takes any version that is here, or that was copied from another machine'
        ) from error
