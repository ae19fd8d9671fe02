"""What a typed word is: one of the kinds that a model draws, or none of them and why.

What a thing is decides: a word is known if it is a kind's name, a synonym of it or one of its
kind in WordNet. The nearness of word vectors only ranks the kinds for a refusal. The studio's
`lexicon.js` has the same rules.
"""

import functools
import gzip
import json
import math
import pathlib
import re
from typing import NamedTuple

FILE = pathlib.Path(__file__).with_name('words.gz')
ZERO = ord('?')  # the letter of zero in the file's vectors
TENTHS = 9  # The weights of a word's meanings are whole numbers up to it.
LEAST_MEANT = 0.25  # so much of a word's meanings has to be of a kind
MOST_CHAIN = 4  # words that tell what a thing is


class Meaning(NamedTuple):
    """What a word is among kinds: `known` is one of them, or None; then `nearest` is one.

    `chain` tells what the word is, from itself on: yacht, boat. `likeness` is the cosine of the
    vectors of the word and of the nearest kind, None where one has no vector.
    """

    word: str
    known: str | None
    nearest: str | None
    likeness: float | None
    chain: tuple[str, ...]


def plain(text: str) -> str:
    """A word or name in small letters with single spaces."""
    return ' '.join(re.sub(r'[_\-\s]+', ' ', text.lower().replace('\u2019', "'")).split())


class Lexicon:
    """English nouns: their meanings, what each is, and vectors of the most frequent."""

    def __init__(self, data: bytes):
        content = json.loads(gzip.decompress(data))
        words = [word.replace('_', ' ') for word in content['words'].split(' ')]
        self.words = {plain(word): number for number, word in reversed([*enumerate(words)])}
        self._together = {word.replace(' ', ''): number for word, number in self.words.items()}
        self._compounds = {plain(word) for word in content['compounds'].split(' ')}
        self.plurals = content['plurals']
        self._names = words
        self._senses = _senses(content['senses'])
        self._vectors = content['vectors']
        self._dimensions = content['dimensions']
        self._parents = [
            [number - int(step) for step in steps.split(',') if step]
            for number, steps in enumerate(content['parents'].split(' '))
        ]
        self._titles = {}
        for number, senses in enumerate(self._senses):
            for sense in senses:
                self._titles.setdefault(sense, number)

    def singulars(self, word: str) -> list[str]:
        """What a word may be the plural of, the likeliest first; itself where it is none."""
        start, _, last = word.rpartition(' ')
        start = f'{start} ' if start else ''
        if last in self.plurals:
            return [start + self.plurals[last]]
        found = []
        if last.endswith('ies') and len(last) > 4:
            found.append(last[:-3] + 'y')
        if re.search('(s|x|z|ch|sh|o)es$', last):
            found.append(last[:-2])
        if last.endswith('s') and not re.search('(ss|us|is)$', last) and len(last) > 3:
            found.append(last[:-1])
        return [start + each for each in found]

    def is_plural(self, word: str) -> bool:
        """Whether a word is the plural of a listed one, or of a name's last word."""
        last = word.rpartition(' ')[2]
        if last in self.plurals:
            return True
        return last not in self.words and any(each in self.words for each in self.singulars(last))

    def senses(self, word: str) -> dict[int, int]:
        """The meanings of a word that can be drawn, with their weights; {} if it is not known.

        A word that is not listed is what its last word is: a palm tree is a tree.
        """
        number = self._number(word)
        if number is None and ' ' in word:
            return self.senses(word.rpartition(' ')[2])
        return {} if number is None else self._senses[number]

    def is_thing(self, word: str) -> bool:
        """Whether most of what a word means can be drawn."""
        return sum(self.senses(word).values()) > TENTHS / 2

    def _number(self, word):
        """The number of a word, or of one that it is the plural of."""
        for each in (word, *self.singulars(word)):
            number = self.words.get(each, self._together.get(each.replace(' ', '')))
            if number is not None:
                return number
        return None

    def has(self, word: str) -> bool:
        """Whether a word, or that of which it is the plural, is listed."""
        word = plain(word)
        forms = (word, *self.singulars(word))
        return self._number(word) is not None or any(each in self._compounds for each in forms)

    def path(self, sense: int, kinds) -> list[int] | None:
        """The shortest way up from a meaning to one of some others, both included."""
        ways, seen = [[sense]], {sense}
        for way in ways:
            if way[-1] in kinds:
                return way
            for parent in self._parents[way[-1]]:
                if parent not in seen:
                    seen.add(parent)
                    ways.append([*way, parent])
        return None

    def vector(self, word: str) -> list[float] | None:
        """The vector of a word, or the sum of those of its parts; of length 1."""
        number = self._number(word)
        if number is None or number * self._dimensions >= len(self._vectors):
            parts = [self.vector(part) for part in word.split(' ')] if ' ' in word else [None]
            if None in parts:
                return None
            vector = [sum(each) for each in zip(*parts, strict=True)]
        else:
            start = number * self._dimensions
            letters = self._vectors[start : start + self._dimensions]
            vector = [ord(letter) - ZERO for letter in letters]
        length = math.sqrt(sum(each * each for each in vector)) or 1
        return [each / length for each in vector]

    def meaning(self, word: str, class_names: list[str]) -> Meaning:
        """What a word is among the classes of a model."""
        asked = plain(word)
        if (name := self.same_text(asked, class_names)) is not None:
            return Meaning(asked, name, None, None, (asked,))
        best = None
        for name in class_names:
            share, steps, way = self._share(asked, plain(name))
            if share >= LEAST_MEANT and (best is None or (share, -steps) > best[:2]):
                best = share, -steps, name, way
        if best:
            _, _, name, way = best
            titles = [self._names[self._titles[sense]] for sense in way[1:-1]]
            return Meaning(asked, name, None, None, (asked, *titles[:MOST_CHAIN], name))
        return self._refusal(asked, class_names)

    def same_text(self, asked, class_names):
        """The class whose name a word is, in the singular or plural, with spaces or without."""
        forms = _forms(self, asked)
        for name in class_names:
            if asked == plain(name):
                return name
        return next((name for name in class_names if forms & _forms(self, plain(name))), None)

    def _share(self, word, name):
        """How much of a word's meanings is of a kind; steps and way to it from the foremost."""
        kinds = self.senses(name)
        share, shortest = 0, []
        senses = self.senses(word)
        for sense, weight in senses.items():
            if way := self.path(sense, kinds):
                share += weight
                shortest = shortest or way
        return share / (sum(senses.values()) or 1), len(shortest), shortest

    def _refusal(self, asked, class_names):
        own = self.vector(asked)
        ranked = []
        for name in class_names:
            other = self.vector(plain(name))
            if own and other:
                likeness = sum(a * b for a, b in zip(own, other, strict=True))
                ranked.append((likeness, name))
        likeness, nearest = max(ranked, key=lambda each: each[0], default=(None, None))
        chain, sense = [asked], next(iter(self.senses(asked)), None)
        while sense is not None and len(chain) < MOST_CHAIN:
            title = self._names[self._titles[sense]]
            if title not in chain:
                chain.append(title)
            sense = next(iter(self._parents[sense]), None)
        return Meaning(asked, None, nearest, likeness, tuple(chain))


def _senses(text):
    """Each word's meanings with their weights, which the file tells by steps."""
    before, found = 0, []
    for word in text.split(' '):
        senses = {}
        number = before
        for each in word.split(',') if word else ():
            step, _, weight = each.partition(':')
            number += int(step)
            senses[number] = int(weight or TENTHS)
        before = next(iter(senses), before)
        found.append(senses)
    return found


def _forms(lexicon, word):
    return {each.replace(' ', '') for each in (word, *lexicon.singulars(word))}


def told(meaning: Meaning) -> str:
    """A meaning as a person reads it: dog: it is no cat, which is nearest, .88."""
    if meaning.known is not None:
        chain = ', '.join(meaning.chain[1:])
        return f'{meaning.word}: {chain}' if chain else meaning.word
    is_known = len(meaning.chain) > 1
    if meaning.nearest is None:
        return f'{meaning.word}: it is no word that is known'
    near = f'{meaning.likeness:.2f}'.replace('0.', '.', 1)
    what = f' ({", ".join(meaning.chain[1:])})' if is_known else ''
    return f'{meaning.word}{what}: it is no {meaning.nearest}, which is nearest, {near}'


@functools.cache
def read() -> Lexicon:
    """The lexicon that comes with the package."""
    return Lexicon(FILE.read_bytes())
