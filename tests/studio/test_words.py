"""The page's words, captions and layouts are those of the package."""

import json
import random

import pytest
from browser import EMPTY, studio_page
from words import sets

from tfgan.errors import ConfigError
from tfgan.words import captions, layout, lexicon

SEED, COUNT, STEP = 7, 600, 11
PARTS = [
    *('a cat', 'two cats', 'a house', 'the house', 'some trees', 'a sun', 'it', 'them', 'with'),
    *('under', 'left of', 'right of', 'above', 'between', 'in front of', 'behind', 'beside', ','),
    *('and', 'and', 'a dog', 'nine fish', '. There is', 'red', 'mountains', '12', 'a palm tree'),
]
START = """async () => {
  const [{openLexicon, told}, {parse}, {layout, seeds}] = await Promise.all(
    ['lexicon', 'captions', 'layout'].map((name) => import(`/studio/words/${name}.js`)),
  );
  const answer = await fetch('/studio/words.gz');
  const lexicon = await openLexicon(new Uint8Array(await answer.arrayBuffer()));
  const placed = (caption) => {
    try {
      return layout(caption).map(({thing, x, y, scale}) => [thing, x, y, scale]);
    } catch (error) {
      return error.message;
    }
  };
  const understood = (text, names) => {
    const caption = parse(text, lexicon, names);
    return {
      things: caption.things.map(({className, count, word, inSky}) => [
        className, count, word, inSky,
      ]),
      relations: caption.relations.map(({name, of, to}) => [of, name, ...to]),
      refused: caption.refused,
      places: placed(caption),
    };
  };
  window.words = {
    understood: ([texts, names]) => texts.map((text) => understood(text, names)),
    told: (asked) => asked.map(([word, names]) => told(lexicon.meaning(word, names))),
    seeds: () => seeds(-7n, 3).map(String),
  };
}"""


@pytest.fixture(scope='module')
def page(browser):
    with studio_page(browser, b'', path=EMPTY, words=lexicon.FILE.read_bytes()) as page:
        page.evaluate(START)
        yield page


@pytest.fixture(scope='module')
def words():
    return lexicon.read()


def understood(text, words):
    caption = captions.parse(text, words, sets.DOODLES)
    try:
        places = [list(place) for place in layout.layout(caption)]
    except ConfigError as error:
        places = str(error)
    return {
        'things': [[t.class_name, t.count, t.word, t.in_sky] for t in caption.things],
        'relations': [[each.of, each.name, *each.to] for each in caption.relations],
        'refused': caption.refused,
        'places': places,
    }


def test_the_hundred_captions_are_understood_and_hold(page):
    texts = [case['caption'] for case in sets.CASES]
    for case, found in zip(sets.CASES, page.evaluate('words.understood', [texts, sets.DOODLES])):
        assert [[count, name] for name, count, *_ in found['things']] == case['things']
        assert sorted(found['relations']) == sorted(case['relations'])
        assert len(found['refused']) == len(case['refused'])
        assert sets.broken(case['relations'], [tuple(each) for each in found['places']]) == []


def test_any_caption_is_understood_as_the_package_does(page, words):
    rng = random.Random(SEED)
    texts = [' '.join(rng.choices(PARTS, k=rng.randint(1, 12))) for _ in range(COUNT)]
    texts += [
        '\u00c4rger \u2019 \u0663 \ud7ff',
        '<b>cat</b>',
        'a constructor',
        '__proto__ , toString',
    ]
    found = page.evaluate('words.understood', [texts, sets.DOODLES])
    for text, theirs in zip(texts, found, strict=True):
        ours = understood(text, words)
        places, their_places = ours.pop('places'), theirs.pop('places')
        assert theirs == ours, text
        if isinstance(places, str):
            assert their_places == places
        else:
            assert len(their_places) == len(places)
            for a, b in zip(places, their_places):
                assert a == pytest.approx(b, abs=1e-9)


def test_any_word_is_what_it_is_in_the_package(page, words):
    rows = [(row['word'], sets.CLASSES[row['classes']]) for row in sets.words('words')]
    rows += [(word, sets.DOODLES) for word in list(words.words)[::STEP]]
    rows += [
        (word, ['zorb', 'fire_truck', 't-shirt']) for word in ('Zorbs', 'firetruck', 'T shirts')
    ]
    found = page.evaluate('words.told', json.loads(json.dumps(rows)))
    assert found == [lexicon.told(words.meaning(*row)) for row in rows]


def test_seeds_of_a_scene_are_those_of_the_package(page):
    assert page.evaluate('words.seeds()') == list(map(str, layout.seeds(-7, 3)))
