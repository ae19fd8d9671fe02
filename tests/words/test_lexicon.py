"""What a word is among a model's classes."""

import gzip
import json
import pathlib

import pytest
from words import sets

from tfgan.words import lexicon

FOLDER = pathlib.Path(lexicon.__file__).parent
MOST_BYTES = 250_000  # of the file, which is in one page of 3 MB beside a model


@pytest.fixture(scope='module')
def words():
    return lexicon.read()


def known(words, rows):
    return [words.meaning(row['word'], sets.CLASSES[row['classes']]).known or '' for row in rows]


@pytest.mark.parametrize(('name', 'synonyms', 'strangers'), [
    ('words', 0.95, 0.92),  # by which the rules were made
    ('held_out', 0.75, 0.9),  # which were written after them
])  # fmt: skip
def test_most_words_are_what_people_take_them_for(words, name, synonyms, strangers):
    rows = sets.words(name)
    assert len({(row['word'], row['classes']) for row in rows}) == len(rows) > 100
    shares = sets.shares(rows, known(words, rows))
    assert shares[0] >= synonyms
    assert shares[1] >= strangers


def test_a_kind_is_known_by_what_it_is_however_near_another_is(words):
    kitten = words.meaning('Kittens', sets.DOODLES)
    assert kitten.known == 'cat'
    dog = words.meaning('dog', sets.DOODLES)
    assert (dog.known, dog.nearest) == (None, 'cat')
    assert dog.likeness > 0.8
    parasol = words.meaning('parasol', sets.DOODLES)
    assert parasol.known == 'umbrella'


def test_what_it_is_and_how_near_are_told(words):
    told = lexicon.told(words.meaning('dogs', sets.DOODLES))
    assert told.startswith('dogs (dog, canine, ')
    assert 'it is no cat, which is nearest, .9' in told
    assert lexicon.told(words.meaning('poodle', ['dog'])) == 'poodle: dog'
    assert lexicon.told(words.meaning('xyzzy', ['dog'])) == 'xyzzy: it is no word that is known'


@pytest.mark.parametrize('word', ['animal', 'vehicle', 'plant'])
def test_what_is_more_than_a_kind_is_refused(words, word):
    assert words.meaning(word, ['cat', 'dog', 'car', 'tree']).known is None


def test_a_word_with_several_meanings_is_what_can_be_drawn(words):
    assert words.meaning('bass', ['fish']).known == 'fish'
    assert words.meaning('bank', ['mountain', 'house']).known is None
    assert words.meaning('celebrity', ['star']).known is None
    assert words.meaning('cherry', ['tree']).known is None  # The fruit is meant.
    assert words.meaning('oak', ['tree']).known == 'tree'  # The wood is not.


@pytest.mark.parametrize(('word', 'name'), [
    ('fire truck', 'firetruck'), ('Fire Trucks', 'fire truck'), ('fire_truck', 'fire truck'),
    ('t-shirt', 't_shirt'), ('zorbs', 'zorb'), ('ZORB', 'zorb'), ('mountain', 'mountains'),
    ('mice', 'mouse'), ('wolves', 'wolf'), ('foxes', 'fox'), ('ponies', 'pony'), ('bus', 'bus'),
    ('glass', 'glass'), ('Ärger', 'ärger'),
])  # fmt: skip
def test_a_class_is_known_by_its_name_whatever_it_is(words, word, name):
    assert words.meaning(word, ['cat', name]).known == name


def test_the_nearest_of_several_kinds_is_taken(words):
    assert words.meaning('poodle', ['animal', 'dog']).known == 'dog'
    assert words.meaning('taxi', ['vehicle', 'car', 'truck']).known == 'car'


@pytest.mark.parametrize('names', [[], ['xyzzy'], ['']])
def test_models_of_any_names_are_taken(words, names):
    assert words.meaning('cat', names).known is None
    assert lexicon.told(words.meaning('cat', names))


def test_the_file_is_small_and_has_its_licence():
    data = lexicon.FILE.read_bytes()
    assert len(data) < MOST_BYTES
    content = json.loads(gzip.decompress(data))
    assert content['licence'] == (FOLDER / 'LICENSE.txt').read_text()
    assert 'WordNet' in content['licence'] and 'Princeton University' in content['licence']


def test_numbers_in_it_are_those_of_its_lists(words):
    content = json.loads(gzip.decompress(lexicon.FILE.read_bytes()))
    count = len(content['words'].split(' '))
    assert len(content['senses'].split(' ')) == count > 10_000
    assert len(content['vectors']) % content['dimensions'] == 0
    meanings = len(content['parents'].split(' '))
    used = {sense for senses in words._senses for sense in senses}
    assert used == set(range(meanings))
    assert all(0 <= parent < meanings for parents in words._parents for parent in parents)
    assert all(words.path(sense, ()) is None for sense in used)  # It ends: none goes in a circle.
