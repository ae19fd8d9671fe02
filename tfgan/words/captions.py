"""Captions in English: which things, how many of each, and where they are to each other.

"two cats and a house under a sun" has three things, and the first two are under the third. Where
English leaves open what a relation is about, as above, the reading is that which makes the others
true as well. The studio's `captions.js` has the same rules.
"""

import re
from typing import NamedTuple

from tfgan.words.lexicon import Lexicon, plain, told

NUMBERS = 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'
COUNTS = {word: number for number, word in enumerate(NUMBERS, start=1)}
COUNTS |= {str(count): count for count in COUNTS.values()}
COUNTS |= {'a': 1, 'an': 1, 'another': 1, 'a pair of': 2, 'a couple of': 2, 'both': 2}
COUNTS |= {'a few': 3, 'several': 3, 'a single': 1}
SOME = 3  # of things in the plural that nobody counted
TOO_MANY = {'zero', 'no', 'ten', 'eleven', 'twelve', 'a dozen', 'many', 'countless', 'a hundred'}
RELATIONS = {
    'left': 'left of|to the left of|on the left of|at the left of|on the left side of',
    'right': 'right of|to the right of|on the right of|at the right of|on the right side of',
    'above': 'above|over|on top of|atop|on',
    'under': 'under|below|beneath|underneath',
    'between': 'between|in between',
    'front': 'in front of',
    'behind': 'behind|in back of|at the back of',
    'beside': 'beside|next to|near|near to|close to|by|alongside|at the side of|by the side of',
}
PHRASES = {phrase: name for name, phrases in RELATIONS.items() for phrase in phrases.split('|')}
# A relation of these to several things may as well be one to each of them.
SHARED = 'left', 'right', 'above', 'under'
JOINED = {'and', '&', 'plus'}
WITH = {'with', 'while', 'but'}
JOINERS = 'comma', 'and', 'with'  # the strongest last
SAID = {name: phrases.split('|')[0] for name, phrases in RELATIONS.items()}
PRONOUNS = {'it', 'them', 'him', 'her'}
# What says that a thing is there, and no more.
SILENT = {
    *('there', 'is', 'are', 'was', 'were', 'be', 'being', 'that', 'which', 'who', 'all', 'of'),
    *('stands', 'stand', 'standing', 'sits', 'sit', 'sitting', 'lies', 'lie', 'lying', 'rests'),
    *('resting', 'located', 'placed', 'shown', 'directly', 'just'),
}
UNSAID = {'in', 'inside', 'into', 'at', 'through', 'against', 'around', 'from', 'to', 'onto', 'off'}
LONGEST = 5  # words of a phrase
MOST_LETTERS = 1000  # of a caption
ALIKE = {'fish', 'sheep', 'deer', 'moose', 'shrimp', 'salmon', 'trout'}  # in singular and plural
# Things that an artist puts in the sky.
SKY = ['sun', 'moon', 'star', 'planet', 'comet', 'cloud', 'aircraft', 'rainbow', 'balloon', 'kite']
SKY += ['bird', 'lightning']
GROUNDED = ['penguin', 'chicken', 'duck', 'swan', 'flamingo', 'ostrich', 'turkey', 'peacock', 'owl']


class Thing(NamedTuple):
    """So many of a class, in the words of the caption."""

    class_name: str
    count: int
    word: str
    in_sky: bool


class Relation(NamedTuple):
    """One thing's place to another's, or to two for 'between'; things by number."""

    name: str  # of RELATIONS
    of: int
    to: tuple[int, ...]


class Caption(NamedTuple):
    """What a caption says; `refused` tells of what cannot be drawn, a line each."""

    things: list[Thing]
    relations: list[Relation]
    refused: list[str]


class _Part(NamedTuple):
    """A part of a sentence: a thing, a relation, or what joins them (and, comma, with)."""

    kind: str
    value: int | str | None = None  # a thing's number, a pronoun or None; a relation's name


class _Item(NamedTuple):
    """A thing of a list, and what joins it to those before."""

    value: int | str | None  # as a part's
    joiner: str


def parse(text: str, lexicon: Lexicon, class_names: list[str]) -> Caption:
    """What a caption says, to be drawn by a model of those classes."""
    reader = _Reader(lexicon, class_names)
    relations = _Relations(reader)
    for sentence in re.split('[.;:!?]', text[:MOST_LETTERS]):
        relations.read(reader.parts(sentence))
    return Caption(reader.things, relations.found, reader.refused)


class _Reader:
    """Finds the things and the words between them."""

    def __init__(self, lexicon, class_names):
        self.lexicon, self.class_names = lexicon, class_names
        self.things, self.refused = [], []

    def parts(self, text):
        words = re.findall(r"[\w'&]+|,", plain(text))
        found, at = [], 0
        while at < len(words):
            part, at = self._next(words, at)
            if part:
                found.append(part)
        return found

    def _next(self, words, at):
        phrase, length = self._phrase(words, at, PHRASES)
        if phrase and not self._is_class(words[at]):
            return _Part('relation', PHRASES[phrase]), at + length
        word = words[at]
        if word == ',':
            return _Part('comma'), at + 1
        if word in JOINED:
            return _Part('and'), at + 1
        if word in WITH:
            return _Part('with'), at + 1
        if word in PRONOUNS:
            return _Part('thing', word), at + 1
        if word in SILENT:
            return None, at + 1
        if word in UNSAID:
            self.refuse(f'{word}: it is none of left of, right of, above, under, between, in front'
                         ' of, behind, beside')  # fmt: skip
            return None, at + 1
        return self._thing(words, at)

    def _phrase(self, words, at, phrases):
        """The longest of some phrases that begins there, and its length in words."""
        for length in range(min(LONGEST, len(words) - at), 0, -1):
            phrase = ' '.join(words[at : at + length])
            if phrase in phrases:
                return phrase, length
        return None, 0

    def _is_class(self, word):
        return any(word == plain(name) for name in self.class_names)

    def _ends(self, words, at):
        """Whether no thing's name goes on there."""
        if at >= len(words):
            return True
        word = words[at]
        if self._is_class(word):
            return False
        fixed = word in JOINED | WITH | PRONOUNS | SILENT | UNSAID or word in (',', 'the', 'some')
        return fixed or bool(self._phrase(words, at, PHRASES)[0] or self._counted(words, at)[1])

    def _counted(self, words, at):
        """How many are told there, and by how many words."""
        phrase, length = self._phrase(words, at, COUNTS.keys() | TOO_MANY)
        if phrase in COUNTS:
            return COUNTS[phrase], length
        is_number = at < len(words) and words[at].isdecimal()
        return 0, length or int(is_number)

    def _thing(self, words, at):
        start, count, determiner = at, None, ''
        while at < len(words):
            number, length = self._counted(words, at)
            if length and not (count and number == 1):
                count, counted = number, ' '.join(words[at : at + length])
                at += length
            elif words[at] in ('the', 'some', 'these', 'those', 'this'):
                determiner, at = words[at], at + 1
            else:
                break
        first = at
        while not self._ends(words, at):
            at += 1
        if first == at:
            self.refuse(f'{" ".join(words[start:at])}: of what?')
            return None, max(at, start + 1)
        name = self._name(words[first:at])
        if count == 0:
            self.refuse(f'{counted}: from one to nine of a thing are drawn')
        meaning = self.lexicon.meaning(name, self.class_names)
        if meaning.known is None:
            self.refuse(told(meaning))
        if meaning.known is None or count == 0:
            return _Part('thing', None), at
        return _Part('thing', self._known(meaning, count, determiner)), at

    def _name(self, words):
        """The words that name a thing; what else is said of it is refused."""
        for first in range(len(words)):
            name = ' '.join(words[first:])
            rest = ' '.join(words[first:-1])
            is_listed = self.lexicon.has(name) or self._is_class(name)
            is_known = is_listed or self.lexicon.same_text(name, self.class_names) is not None
            is_made_of_things = rest and all(map(self.lexicon.is_thing, words[first:-1]))
            if is_known or is_made_of_things or first == len(words) - 1:
                for word in words[:first]:
                    self.refuse(f'{word}: only things, how many and where are drawn; leave it out')
                return name
        return ''

    def _known(self, meaning, count, determiner):
        """The number of a thing, of an earlier one if the caption means that."""
        name, word = meaning.known, meaning.word
        if determiner == 'the' and count is None:
            for number in reversed(range(len(self.things))):
                if self.things[number].class_name == name:
                    return number
        if count is None:
            count = SOME if self._is_plural(word, name, determiner) else 1
        in_sky = self.lexicon.meaning(word, SKY).known is not None
        in_sky = in_sky and self.lexicon.meaning(word, GROUNDED).known is None
        self.things.append(Thing(name, count, word, in_sky))
        return len(self.things) - 1

    def _is_plural(self, word, name, determiner):
        """Whether a word means several drawings: one drawing of `mountains` has them all."""
        if self.lexicon.is_plural(plain(name)):
            return False
        return self.lexicon.is_plural(word) or (determiner == 'some' and word in ALIKE)

    def refuse(self, line):
        if line not in self.refused:
            self.refused.append(line)


class _Relations:
    """Finds what the relations of sentences are about."""

    def __init__(self, reader):
        self.reader = reader
        self.found = []
        self.before = []  # the things that were told of before the subjects of now

    def read(self, parts):
        """A sentence: lists of things with a relation between each and the next."""
        lists, names, joiner = [[]], [], ''
        for kind, value in parts:
            if kind == 'thing':
                lists[-1].append(_Item(value, joiner))
            if kind == 'relation':
                names.append((value, joiner))
                lists.append([])
            joiner = _joined(joiner, kind) if kind in JOINERS else ''
        for number in range(len(names) - 1, 0, -1):
            if names[number][1] == 'and' and not lists[number]:  # above and left of a house
                lists[number] = lists[number + 1][:1]
        first, *others = lists
        if not first and names:
            first, others, names = self._turned(others, names)
        subjects = self._subjects(first)
        related = subjects
        for number, ((name, joiner), items) in enumerate(zip(names, others, strict=True)):
            ends = number + 1 == len(names) or bool(names[number + 1][1])
            direct, rest = self._split(items, name, ends)
            of, objects = self._objects(name, direct, subjects, related)
            if name in SHARED and not joiner and of is subjects:
                of = related
            self._relate(name, of, objects)
            related = [*related, *(each for each in objects if each not in related)]
            if rest:
                self._pass(related)
                subjects = related = self._subjects(rest)
        self._pass(related)

    def _turned(self, others, names):
        """A sentence that begins with a relation: under a sun, two cats are left of a house."""
        (name, _), *names = names
        items, *others = others
        size = next((i for i, item in enumerate(items) if i and item.joiner != 'and'), len(items))
        if size == len(items):
            size = 1
        direct, subjects = items[:size], items[size:]
        _, objects = self._objects(name, direct, [], [])
        self._relate(name, _numbers(subjects) or self.before, objects)
        self._pass(objects)
        return subjects, others, names

    def _subjects(self, items):
        """The things of a list that a relation after it is about; the others are told before.

        They are the last, those joined to it by and, and all of a list such as: one, two and three.
        """
        start = len(items) - 1
        while start > 0 and items[start].joiner == 'and':
            start -= 1
        if start < len(items) - 1 and not any(
            item.joiner == 'and' for item in items[1 : start + 1]
        ):
            while start > 0 and items[start].joiner == 'comma':
                start -= 1
        self._pass(_numbers(items[: max(start, 0)]))
        return _numbers(items[max(start, 0) :])

    def _pass(self, numbers):
        """These things were told of, and an it may mean the last of them."""
        self.before = [each for each in self.before if each not in numbers] + numbers

    def _split(self, items, name, ends):
        """The things that a relation leads to, and those of a new clause.

        The relation may lead to several if the sentence `ends` with them.
        """
        if not items or items[0].joiner:
            return [], items
        size = 1
        if name == 'between' and self._is_one(items[0].value):
            size = 2 if items[1:] and items[1].joiner == 'and' else 1
        while name in SHARED and ends and items[size:] and items[size].joiner == 'and':
            size += 1
        return items[:size], items[size:]

    def _is_one(self, value):
        return not isinstance(value, int) or self.reader.things[value].count == 1

    def _objects(self, name, items, subjects, related):
        """What a relation is about and leads to, by number; a pronoun may divide the subjects."""
        told = [each for each in (*self.before, *related) if each not in subjects]
        pronoun = next((item.value for item in items if isinstance(item.value, str)), None)
        if items and not pronoun:
            objects = _numbers(items)
            known = objects if len(objects) == len(items) else []
            mentioned = [at for at, each in enumerate(subjects) if each in known]
            return subjects[max(mentioned) + 1 :] if mentioned else subjects, known
        if not told and len(subjects) > 1:
            subjects, told = subjects[-1:], subjects[:-1]
        if not told:
            self.reader.refuse(f'{pronoun or SAID[name]}: of what?')
        is_all = pronoun == 'them' or (not pronoun and name in SHARED)
        return subjects, told if is_all else told[-1:]

    def _relate(self, name, subjects, objects):
        if name == 'between' and len(objects) == 1 and self._is_one(objects[0]):
            self.reader.refuse('between: of which two things?')
            return
        for of in subjects if objects else ():
            to = [objects] if name == 'between' else [[each] for each in objects]
            for each in to:
                relation = Relation(name, of, tuple(each))
                if of not in each and relation not in self.found:
                    self.found.append(relation)


def _numbers(items):
    return [*dict.fromkeys(item.value for item in items if isinstance(item.value, int))]


def _joined(joiner, kind):
    """Two words that join as one: a comma before an and says no more."""
    return max(joiner, kind, key=JOINERS.index) if joiner else kind
