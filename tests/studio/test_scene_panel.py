"""The studio's scenes as a person makes and edits them."""

import pathlib
import re

import numpy as np
import pytest
from browser import studio_page

import tfgan
from tfgan import provenance
from tfgan.forms.drawing import vectors
from tfgan.words import layout

WORDS = (pathlib.Path(tfgan.__file__).parent / 'words' / 'words.gz').read_bytes()
CAPTION = 'two cats and a dog'
STATE = "async () => (await import('/studio/app.js')).studio.store.state.scene"


@pytest.fixture
def page(browser, pen_bundle):
    with studio_page(browser, pen_bundle, words=WORDS) as page:
        page.click('#tab-scene')
        yield page


def compose(page, caption=CAPTION):
    page.fill('#scene-words', caption)
    page.press('#scene-words', 'Enter')
    page.wait_for_selector('.things button')


def placed(page):
    return page.evaluate(STATE)['placed']


def press(page, *names):
    for name in names:
        page.locator('.controls').get_by_role('button', name=name, exact=True).click()


def saved(page, selector):
    with page.expect_download() as download:
        page.click(selector)
    return download.value.path().read_bytes()


def seeds_of(page):
    return [int(each['item']['seed']) for each in placed(page)]


def test_words_become_a_scene(page):
    compose(page)
    assert [thing['item']['label'] for thing in placed(page)] == [0, 0, 1]
    assert page.locator('.things button').all_inner_texts() == ['1 cat', '2 cat', '3 dog']
    assert page.locator('#scene-page [data-id]').count() == 3
    # The seeds of tfgan.scene with --seed=0, and with --seed=1.
    assert seeds_of(page) == layout.seeds(0, 3)
    page.click('#compose-others')
    page.wait_for_timeout(200)
    assert seeds_of(page) == layout.seeds(1, 3)
    for _ in range(2):
        page.click('#undo')
    assert page.evaluate(STATE) == {'words': '', 'placed': []}


def test_what_is_not_drawn_is_refused_with_what_it_is_and_how_near(page):
    compose(page, 'a dog beside a bicycle')
    said = page.inner_text('#scene-told')
    assert 'bicycle (' in said and re.search(r'nearest, \.\d\d', said)
    assert [thing['item']['label'] for thing in placed(page)] == [1]
    page.fill('#scene-words', 'hello')
    page.click('#compose')
    page.wait_for_selector('#scene-told >> text=hello')
    assert len(placed(page)) == 1  # It stays as it was.


def test_things_are_changed_by_buttons_and_all_of_it_is_undone(page):
    compose(page)
    start = placed(page)
    page.click('.things button >> nth=1')
    names = 'Left', 'Up', 'Down', 'Right', 'Larger', 'Smaller', 'Turn left', 'Turn right'
    states = [start]
    for name in (*names, 'Another one', 'To the front', 'To the back', 'Remove'):
        press(page, name)
        states.append(placed(page))
        assert states[-1] != states[-2], name
    assert states[1][1]['x'] == pytest.approx(start[1]['x'] - 0.01)
    assert states[5][1]['scale'] == pytest.approx(1.1 * start[1]['scale'])
    assert states[7][1]['turn'] == -10
    assert len(states[-1]) == 2
    for state in states[-2::-1]:
        page.click('#undo')
        assert placed(page) == state
    page.click('#redo')
    assert placed(page) == states[1]


def test_every_line_stays_editable(page):
    compose(page)
    page.click('.things button >> nth=0')
    page.select_option('#scene-line', index=1)
    index = int(page.input_value('#scene-line'))
    path = page.locator(f'#scene-page [data-id="thing-1"] .stroke[data-index="{index}"]')
    before = path.get_attribute('d')
    width = float(path.get_attribute('stroke-width'))
    press(page, 'Right')
    assert path.get_attribute('d') != before
    press(page, 'Wider')
    assert float(path.get_attribute('stroke-width')) == pytest.approx(1.21 * width)
    page.select_option('#scene-point', index=2)
    points = placed(page)[0]['item']['edits'][str(index)]['points']
    press(page, 'Down')
    moved = placed(page)[0]['item']['edits'][str(index)]['points']
    gaps = np.abs(np.subtract(moved, points)).sum(axis=1)
    assert gaps[1] > 0.01 and gaps.sum() == pytest.approx(gaps[1])
    press(page, 'Remove')
    assert path.count() == 0 and len(placed(page)) == 3
    for _ in range(4):
        page.click('#undo')
    assert path.get_attribute('d') == before and 'edits' not in placed(page)[0]['item']


def test_it_is_edited_by_the_pointer(page):
    compose(page)
    start = placed(page)
    spot = page.evaluate("""() => {
      const path = document.querySelector('#scene-page [data-id="thing-1"] .stroke');
      const middle = path.getPointAtLength(path.getTotalLength() / 2);
      const at = middle.matrixTransform(path.getScreenCTM());
      return [at.x, at.y];
    }""")
    page.mouse.click(*spot)
    assert page.get_attribute('.things button >> nth=0', 'aria-pressed') == 'true'
    page.mouse.move(*spot)
    page.mouse.down()
    page.mouse.move(spot[0] + 30, spot[1] - 20, steps=5)
    page.mouse.up()
    assert placed(page)[0]['x'] > start[0]['x'] and placed(page)[0]['y'] < start[0]['y']
    page.mouse.click(spot[0] + 30, spot[1] - 20)
    assert page.locator('#scene-page .is-line').count() == 1
    assert page.locator('#scene-page .handle').count() == 5
    page.locator('#scene-page .handle').last.click()
    assert page.locator('#scene-page .is-point').count() == 1
    page.click('#undo')
    assert placed(page) == start  # A drag is one step.


def test_it_is_made_by_the_keyboard_alone_in_320_pixels(browser, pen_bundle):
    with studio_page(browser, pen_bundle, width=320, words=WORDS) as page:
        page.focus('#tab-sheet')
        page.keyboard.press('End')
        page.keyboard.press('Enter')
        _tab_to(page, 'scene-words')
        page.keyboard.type(CAPTION)
        page.keyboard.press('Enter')
        page.wait_for_selector('.things button')
        _tab_to(page, 'scene-page')
        start = placed(page)
        for key in ('PageDown', 'ArrowRight', 'Shift+ArrowUp', '+'):
            page.keyboard.press(key)
        thing = placed(page)[0]
        assert thing['x'] == pytest.approx(start[0]['x'] + 0.01)
        assert thing['y'] == pytest.approx(start[0]['y'] - 0.05)
        assert thing['scale'] == pytest.approx(1.1 * start[0]['scale'])
        _tab_to(page, 'scene-line')
        page.keyboard.press('ArrowDown')
        page.keyboard.press('Shift+Tab')
        for _ in range(6):
            if page.evaluate('document.activeElement.id') == 'scene-page':
                break
            page.keyboard.press('Shift+Tab')
        page.keyboard.press('Delete')
        assert [edit['gone'] for edit in placed(page)[0]['item']['edits'].values()] == [True]
        assert page.evaluate('document.documentElement.scrollWidth') <= 320


def _tab_to(page, name):
    for _ in range(30):
        if page.evaluate('document.activeElement.id') == name:
            return
        page.keyboard.press('Tab')
    raise AssertionError(f'no Tab leads to {name}')


@pytest.mark.parametrize('name', ['svg', 'png', 'pdf', 'plotter'])
def test_it_is_saved_with_its_recipe_and_comes_back(page, name):
    compose(page)
    page.click('.things button >> nth=2')
    press(page, 'Turn left')
    page.select_option('#scene-line', index=1)
    press(page, 'Left')
    scene = page.evaluate(STATE)
    file = saved(page, f'#scene-{name}')
    recipe = provenance.read(file)
    assert recipe['source'] == provenance.TRAINED
    assert [each['label'] for each in recipe['drawings']] == ['cat', 'cat', 'dog']
    if name == 'svg':
        lines = vectors.read(file.decode()).lines
        assert len(lines) == page.locator('#scene-page .stroke').count()
    page.click('#clear-scene')
    ending = 'svg' if name == 'plotter' else name
    page.set_input_files('#file', {'name': f'a.{ending}', 'mimeType': '', 'buffer': file})
    page.wait_for_selector('.things button')
    assert page.evaluate(STATE) == scene


def test_my_own_drawing_in_a_scene_is_told_in_its_files(page):
    line = {'points': [[0.2, 0.2], [0.8, 0.8]], 'width': 0.03, 'colour': '#203060'}
    page.evaluate(
        """async (line) => {
          const {studio} = await import('/studio/app.js');
          const item = {id: 'a', seed: '1', label: 0, truncation: 1};
          studio.store.dispatch('placeThing', {item, own: [line]});
        }""",
        line,
    )
    assert page.locator('.things button').all_inner_texts() == ['1 cat, mine']
    file = saved(page, '#scene-svg')
    assert provenance.read(file)['source'] == provenance.COMPOSITE
    assert [each.colour for each in vectors.read(file.decode()).lines] == ['#203060']
    scene = page.evaluate(STATE)
    page.click('#clear-scene')
    page.set_input_files('#file', {'name': 'a.svg', 'mimeType': '', 'buffer': file})
    page.wait_for_selector('.things button')
    assert placed(page)[0]['own'] == scene['placed'][0]['own']


def test_axe_finds_nothing(browser, pen_bundle):
    from axe_playwright_python.sync_playwright import Axe

    for width, scheme in ((1280, 'light'), (320, 'dark')):
        with studio_page(
            browser, pen_bundle, width=width, words=WORDS, color_scheme=scheme
        ) as page:
            page.click('#tab-scene')
            compose(page, 'a cat and a bicycle')
            page.click('.things button >> nth=0')
            found = Axe().run(page)
            assert not found.response['violations'], found.generate_report()
