"""What captions say: things, how many, where, and what cannot be drawn."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from words import sets

from tfgan.errors import ConfigError
from tfgan.words import captions, layout, lexicon

WORDS = [
    *('a cat', 'two cats', 'the house', 'some trees', 'a sun', 'it', 'them', 'a dog', 'nine', '12'),
    *('under', 'left of', 'right of', 'above', 'between', 'in front of', 'behind', 'beside', 'and'),
    *(',', '.', 'with', 'there is', 'red', 'mountains', 'in', 'a', "'", '&', '\u2019', '\ud800'),
]


@pytest.fixture(scope='module')
def words():
    return lexicon.read()


def parsed(words, text):
    return captions.parse(text, words, sets.DOODLES)


def test_there_are_a_hundred_of_all_relations():
    assert len(sets.CASES) >= 100
    told = {relation[1] for case in sets.CASES for relation in case['relations']}
    assert told == set(captions.RELATIONS)
    assert len({case['caption'] for case in sets.CASES}) == len(sets.CASES)


@pytest.mark.parametrize('case', sets.CASES, ids=lambda case: case['caption'])
def test_a_caption_is_understood(words, case):
    caption = parsed(words, case['caption'])
    assert [[each.count, each.class_name] for each in caption.things] == case['things']
    found = sorted([each.of, each.name, *each.to] for each in caption.relations)
    assert found == sorted(case['relations'])
    assert len(caption.refused) == len(case['refused'])
    for line, word in zip(sorted(caption.refused), sorted(case['refused'])):
        assert line.startswith(word)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.lists(st.sampled_from(WORDS), max_size=14).map(' '.join) | st.text(max_size=60))
def test_any_text_is_a_caption_or_refused(text):
    caption = parsed(lexicon.read(), text)
    numbers = range(len(caption.things))
    for relation in caption.relations:
        assert relation.of in numbers and set(relation.to) <= set(numbers)
        assert relation.of not in relation.to
    assert all(1 <= thing.count <= 9 for thing in caption.things)
    try:
        places = layout.layout(caption)
    except ConfigError:  # The relations contradict each other.
        return
    assert len(places) == sum(thing.count for thing in caption.things)
    assert all(0 < place.scale <= 0.4 and 0 <= place.x <= 1 for place in places)


def test_a_long_text_is_read_as_far_as_captions_go(words):
    assert len(parsed(words, 'a cat, ' * 10_000).things) < 200
