"""The files below a folder or in a zip archive, by their names in it."""

import heapq
import io
import os
import typing
import zipfile

from tfgan.errors import SourceError, reason

MOST_ZIPPED_BYTES = 1 << 28  # of a file in a zip archive, which is held while it is decoded


class Files(typing.Protocol):
    """Files that can be found and read; `open` may be called from any thread."""

    root: str

    def find(self) -> tuple[list[str], list[str]]:
        """Names of the files, sorted, and which others cannot be read and why."""

    def open(self, name: str) -> typing.BinaryIO: ...


def files_of(path: str) -> Files:
    """The files of a folder or of a zip archive; raises SourceError."""
    return Folder(path) if os.path.isdir(path) else Zip(path)


class Zip:
    """A zip archive, held open, so one that is deleted or replaced stays as it was."""

    def __init__(self, root: str):
        self.root = root
        try:
            self._archive = zipfile.ZipFile(root)
        except Exception as error:  # zipfile's reader raises nearly anything at a damaged file
            raise SourceError(f'{root} is not a whole zip archive: {reason(error)}') from error

    def find(self) -> tuple[list[str], list[str]]:
        names = [entry.filename for entry in self._archive.infolist() if not entry.is_dir()]
        seen = {name for name in names if not any(p.startswith('.') for p in name.split('/'))}
        return sorted(seen), []

    def open(self, name: str) -> typing.BinaryIO:
        if self._archive.getinfo(name).file_size > MOST_ZIPPED_BYTES:
            raise ValueError(f'more than {MOST_ZIPPED_BYTES:,} bytes')
        return io.BytesIO(self._archive.read(name))


class Folder:
    """A folder. Links are followed, to files and to folders."""

    def __init__(self, root: str):
        self.root = root

    def open(self, name: str) -> typing.BinaryIO:
        path = os.path.join(self.root, name)
        if os.path.exists(path) and not os.path.isfile(path):  # a pipe would be waited for
            raise ValueError('no file any more')
        return open(path, 'rb')

    def find(self) -> tuple[list[str], list[str]]:
        """Names of the files below it, sorted, and which others cannot be read and why.

        Linked files and folders are read like others, but no folder twice, so links that go round
        end: it goes by its name without links, or else by the first in the alphabet.
        """
        names, problems, seen = [], [], set()
        waiting = [(False, '')]  # a heap: real folders come before links
        while waiting:
            _, inside = heapq.heappop(waiting)
            folder = os.path.join(self.root, inside)
            try:
                status = os.stat(folder)
                entries = [name for name in os.listdir(folder) if not name.startswith('.')]
            except OSError as error:
                problems.append(f'{inside or "."}: {error.strerror}')
                continue
            if (status.st_dev, status.st_ino) in seen:
                problems.append(f'{inside}: a link to a folder that is read already')
                continue
            seen.add((status.st_dev, status.st_ino))
            for entry in entries:
                name, path = f'{inside}/{entry}' if inside else entry, os.path.join(folder, entry)
                if os.path.isdir(path):
                    heapq.heappush(waiting, (os.path.islink(path), name))
                elif os.path.isfile(path):  # opening a pipe would wait for ever
                    names.append(name)
                else:
                    kind = (
                        'a link to nothing' if os.path.islink(path) else 'neither file nor folder'
                    )
                    problems.append(f'{name}: {kind}')
        return sorted(names), problems
