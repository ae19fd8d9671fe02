"""Where scenes have their things."""

import itertools

import pytest
from words import sets

from tfgan.errors import ConfigError
from tfgan.words import captions, layout, lexicon


def caption_of(text):
    return captions.parse(text, lexicon.read(), sets.DOODLES)


@pytest.mark.parametrize('case', sets.CASES, ids=lambda case: case['caption'])
def test_all_relations_hold_and_nothing_else_overlaps(case):
    caption = caption_of(case['caption'])
    places = layout.layout(caption)
    counts = [
        sum(place.thing == number for place in places) for number in range(len(counts_of(case)))
    ]
    assert counts == counts_of(case)
    assert sets.broken(case['relations'], places) == []
    for _, x, y, scale in places:
        assert x - scale / 2 >= 0 and x + scale / 2 <= layout.WIDTH
        assert y - scale / 2 >= 0 and y + scale / 2 <= layout.HEIGHT
    stacked = {
        frozenset(pair)
        for of, name, *to in case['relations']
        if name in ('front', 'behind')
        for pair in itertools.permutations([of, *to], 2)
    }
    for a, b in itertools.combinations(places, 2):
        assert frozenset((a.thing, b.thing)) in stacked or not sets.overlap(a, b), (a, b)


def counts_of(case):
    return [count for count, _ in case['things']]


def test_a_wrong_layout_is_seen():
    left, right = (0, 0.2, 0.5, 0.2), (1, 0.8, 0.5, 0.2)
    assert sets.broken([[0, 'left', 1]], [left, right]) == []
    assert sets.broken([[0, 'right', 1], [0, 'above', 1], [0, 'front', 1]], [left, right]) == [
        [0, 'right', 1], [0, 'above', 1], [0, 'front', 1]
    ]  # fmt: skip
    middle = (2, 0.5, 0.5, 0.2)
    assert sets.broken([[2, 'between', 0, 1]], [left, right, middle]) == []
    assert sets.broken([[0, 'between', 1, 2]], [left, right, middle])


@pytest.mark.parametrize('text', [
    'a cat left of a house and right of the house',
    'a cat above a house and under the house',
    'a cat in front of a house and behind the house',
    'a cat left of a house, and the cat in front of the house',
])  # fmt: skip
def test_relations_that_contradict_each_other_are_refused(text):
    with pytest.raises(ConfigError, match='cannot all hold'):
        layout.layout(caption_of(text))


def test_things_of_the_sky_are_above_those_of_the_ground():
    caption = caption_of('a cat, three stars, a house, a sun')
    places = layout.layout(caption)
    sky = [place.y for place in places if place.thing in (1, 3)]
    ground = [place.y for place in places if place.thing in (0, 2)]
    assert max(sky) < min(ground)
    assert len({place.y for place in places if place.thing in (0, 2)}) == 1  # one ground


def test_sizes_are_even_and_layouts_always_the_same():
    caption = caption_of('five fish, a boat and two trees under a sun')
    first, again = layout.layout(caption), layout.layout(caption)
    assert first == again
    assert len({place.scale for place in first}) == 1


def test_what_is_in_front_is_smaller_and_later():
    house, cat = layout.layout(caption_of('a cat in front of a house'))
    assert (house.thing, cat.thing) == (1, 0)
    assert cat.scale < house.scale


def test_scenes_of_near_seeds_have_other_drawings():
    assert len({each for seed in range(100) for each in layout.seeds(seed, 40)}) == 4000
    assert layout.seeds(7, 2)[0] == 7


def test_an_empty_caption_has_no_places():
    assert layout.layout(caption_of('')) == []
