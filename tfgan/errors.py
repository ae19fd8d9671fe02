"""All errors that a user can meet, as one tree, and how their messages quote what was received."""

import itertools
import re
import shlex
import unicodedata

UNSHOWN = {'Cc', 'Cs', 'Zl', 'Zp'}  # Unicode's controls, surrogates and separators of lines
TURNING = {'LRE', 'RLE', 'LRO', 'RLO', 'PDF', 'LRI', 'RLI', 'FSI', 'PDI'}  # the writing's direction
MOST_QUOTED = 200  # characters of a value in a message
LAYOUT = {'\n', '\r', '\t'}  # by which lines, bars of progress and tables are laid out
MOST_LINE = 4000  # characters of an error of what comes from outside
MOST_TOLD = 1000  # characters of another program's message, or of a list of names


class TfganError(Exception):
    """What this package refuses, or cannot do; the message says what would work."""


class ConfigError(TfganError, ValueError):
    """A configuration that cannot be trained; the message says what would be accepted."""


class StrategyError(ConfigError):
    """A strategy that this machine cannot offer."""


class ClusterError(ConfigError):
    """An environment that does not say which processes train together."""


class OutsideError(TfganError, ValueError):
    """An error of what comes from outside: one line of bounded length, whatever it has quoted."""

    def __init__(self, message):
        super().__init__(quoted(message, most=MOST_LINE))


class SourceError(TfganError, ValueError):
    """A data set that cannot be used; the message says why and what to type instead, in lines."""

    def __init__(self, message):
        super().__init__(printable(cut(str(message), MOST_LINE)))


class ModelError(OutsideError):
    """A model that is not there or cannot do what was asked, or its server."""


class FeatureError(OutsideError):
    """No feature extractor can be had, or it cannot look at these images."""


class RunError(TfganError, RuntimeError):
    """A run directory that cannot be used as asked; nothing in it was changed."""


class DivergedError(RunError):
    """Updates were not finite for too long; the weights are those of the last good one."""


class PeerError(RunError):
    """Another process of this run is gone, or is not at the same work."""


class StorageError(TfganError, RuntimeError):
    """A file that could not be written; what was whole before is as it was."""

    def __init__(self, place, why: str, advice: str):
        super().__init__(
            f'{shown(str(place))} cannot be written: {why}. What was whole is as it was: {advice}, '
            'and the same command goes on from there'
        )


class RefusedError(TfganError):
    """A request's end: a name of gRPC's status codes, and what to tell the client."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


def shown(text: str) -> str:
    """A text with escapes for what is not Unicode or garbles a terminal: files have any name."""
    if text.isascii() and text.isprintable():
        return text
    return ''.join(c.encode('unicode_escape').decode() if _garbles(c) else c for c in text)


def _garbles(c):
    return unicodedata.category(c) in UNSHOWN or unicodedata.bidirectional(c) in TURNING


def printable(text: str) -> str:
    """Lines with escapes for what a terminal would obey: all of `shown` but tabs and line ends."""
    if text.isascii() and text.isprintable():
        return text
    return ''.join(
        part if part in LAYOUT else shown(part) for part in re.split(r'([\n\r\t])', text)
    )


def typed(word) -> str:
    """A word of a command as it is typed in a shell, which takes it for one whatever is in it."""
    word = str(word)
    if shown(word) == word:
        return shlex.quote(word)
    escapes = {"'": "\\'", '\\': '\\\\'}
    letters = (f'\\u{ord(c):04x}' if shown(c) != c else escapes.get(c, c) for c in word)
    return f"$'{''.join(letters)}'"


def cut(text: str, most: int) -> str:
    """So many characters of a text, with dots for the rest."""
    return text if len(text) <= most else f'{text[:most]}...'


def quoted(value, as_text=str, most: int = MOST_QUOTED) -> str:
    """A value as messages tell it, of which some are very long."""
    try:
        text = as_text(value)
    except ValueError:  # Python writes no integers of thousands of digits
        text = hex(value)
    return shown(cut(text, most))


def listed(names) -> str:
    """Names between commas, as many as a message has room for, and how many more there are."""
    names = list(names)
    lengths = itertools.accumulate(min(len(name), MOST_QUOTED) + 2 for name in names)
    told = sum(length <= MOST_TOLD for length in lengths)
    more = f' and {len(names) - told:,} more' if told < len(names) else ''
    return ', '.join(map(quoted, names[:told])) + more


def reason(error: Exception) -> str:
    """The line of an error that says why, which TensorFlow has between a stack and a node."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    nodes = [number for number, line in enumerate(lines) if line.startswith('\t [[')]
    return quoted(lines[max(0, nodes[0] - 1) if nodes else 0], most=MOST_TOLD)
