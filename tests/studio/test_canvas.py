"""The studio's canvas as a person uses it, and files that are dropped on the page."""

import base64
import io
import json

import numpy as np
import pytest
from browser import studio_page
from PIL import Image, ImageDraw

from tfgan import client, provenance
from tfgan.forms.drawing import framing

HOUSE = (0.3, 0.8), (0.3, 0.45), (0.5, 0.25), (0.7, 0.45), (0.7, 0.8), (0.3, 0.8)
ATTACK = """<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
  viewBox="0 0 90 90" onload="document.title='run'">
<script>document.title = 'run'; fetch('https://example.org/script')</script>
<style>@import url(https://example.org/style.css);</style>
<image href="https://example.org/image.png" width="9" height="9" onerror="document.title='run'"/>
<use xlink:href="https://example.org/use.svg#a"/>
{more}
<path d="M20 20L70 70M20 70L70 20" stroke="#203040" stroke-width="6" fill="none"/>
<animate attributeName="x" onbegin="document.title='run'" dur="1s"/>
<a href="javascript:document.title='run'"><circle r="5"/></a></svg>"""
FOREIGN = """<foreignObject width="50" height="50"><body xmlns="http://www.w3.org/1999/xhtml">
<script>document.title = 'run'</script><iframe src="https://example.org/frame"></iframe>
<img src="https://example.org/x.png" onerror="document.title='run'"/></body></foreignObject>"""


@pytest.fixture(scope='module')
def model(pen_version):
    """A model that reads drawings, and has learned neither to read nor to draw."""
    return client.load(pen_version)


@pytest.fixture
def page(browser, pen_bundle):
    with studio_page(browser, pen_bundle) as page:
        page.click('#tab-canvas')
        yield page


def state(page, key='canvas'):
    return page.evaluate(
        "async (key) => (await import('/studio/app.js')).studio.store.state[key]", key
    )


def draw(page, *points):
    """Draws a line with the mouse, through places in shares of the canvas's sides."""
    box = page.locator('#canvas-page').bounding_box()
    places = [(box['x'] + x * box['width'], box['y'] + y * box['height']) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=4)
    page.mouse.up()


def curve(page, selector):
    """Places along a path of the canvas, [200, 2]."""
    script = """(path) => Array.from({length: 200}, (_, i) => {
      const {x, y} = path.getPointAtLength((path.getTotalLength() * i) / 199);
      return [x / 1000, y / 1000];
    })"""
    return np.array(page.locator(selector).first.evaluate(script))


def from_line(place, corners):
    """How far a place is from the straight pieces between corners."""
    ways = np.diff(corners, axis=0)
    shares = ((place - corners[:-1]) * ways).sum(1) / (ways**2).sum(1)
    nearest = corners[:-1] + np.clip(shares, 0, 1)[:, None] * ways
    return np.hypot(*(nearest - place).T).min()


def asked(page, how, kind='cat'):
    """What the model makes of it, once it has."""
    page.select_option('#what', label=kind)
    page.click(f'#canvas-{how}')
    page.wait_for_selector('.asking progress', state='hidden', timeout=60_000)
    return state(page)['found']


def drop(page, name, data: bytes):
    """Drops a file on the page."""
    script = """([name, data]) => {
      const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], name));
      return transfer;
    }"""
    transfer = page.evaluate_handle(script, [name, base64.b64encode(data).decode()])
    page.dispatch_event('main', 'dragover', {'dataTransfer': transfer})
    page.dispatch_event('main', 'drop', {'dataTransfer': transfer})


def told(page, text):
    page.locator('#status', has_text=text).wait_for()


def png(picture):
    file = io.BytesIO()
    picture.save(file, 'PNG')
    return file.getvalue()


def drawn_house():
    picture = Image.new('RGB', (300, 300), (250, 245, 230))
    ImageDraw.Draw(picture).line([(300 * x, 300 * y) for x, y in HOUSE], (30, 30, 120), 8)
    return picture


def test_a_line_is_drawn_erased_and_undone_by_mouse(page):
    start = state(page)
    draw(page, *HOUSE)
    assert len(state(page)['lines']) == 1
    corners = np.array(HOUSE)
    for place in curve(page, '#canvas-page .lines .stroke'):
        assert from_line(place, corners) < 0.01  # A curve through few points keeps its corners.
    for corner in corners:
        assert np.hypot(*(curve(page, '#canvas-page .lines .stroke') - corner).T).min() < 0.01
    page.check('#tool-eraser', force=True)
    draw(page, (0.5, 0.7), (0.5, 0.9))
    paths = page.locator('#canvas-page .lines .stroke')
    assert paths.count() == 2  # The eraser cut the house in two.
    page.keyboard.press('Control+z')
    assert paths.count() == 1
    page.click('#clear')
    assert paths.count() == 0
    for _ in range(2):
        page.click('#undo')
    assert state(page) == start


def test_a_click_is_a_dot_and_clicks_are_points(page):
    draw(page, (0.2, 0.2))
    assert len(state(page)['lines']) == 1
    page.check('#by-points')
    for place in HOUSE[:3]:
        draw(page, place)
    page.click('#end-line')
    draw(page, (0.9, 0.9))
    lines = state(page)['lines']
    assert [len(line['points']) for line in lines] == [2, 3, 2]
    np.testing.assert_allclose(lines[1]['points'], HOUSE[:3], atol=0.01)
    for left in ([2, 3], [2, 2], [2, 2], [2]):
        page.click('#undo')
        assert [len(line['points']) for line in state(page)['lines']] == left


def test_it_is_drawn_by_the_keyboard_alone(browser, pen_bundle):
    with studio_page(browser, pen_bundle, width=320) as page:
        page.focus('#tab-sheet')
        for _ in range(3):
            page.keyboard.press('ArrowRight')
        page.keyboard.press('Enter')
        for _ in range(20):
            page.keyboard.press('Tab')
            if page.evaluate('document.activeElement.id') == 'canvas-page':
                break
        for key in ('Shift+ArrowLeft', ' ', *['ArrowDown'] * 4, *['PageDown'] * 3, ' '):
            page.keyboard.press(key)
        [line] = state(page)['lines']
        np.testing.assert_allclose(
            line['points'], [[0.4, 0.5], [0.4, 0.58], [0.46, 0.64]], atol=1e-6
        )
        assert page.evaluate('document.documentElement.scrollWidth') <= 320


def test_touch_draws_too(browser, pen_bundle):
    with studio_page(browser, pen_bundle, width=320, has_touch=True) as page:
        page.tap('#tab-canvas')
        page.tap('#canvas-page')
        assert len(state(page)['lines']) == 1


def test_what_is_nothing_that_the_model_draws_is_refused(page):
    page.click('#canvas-redraw')
    assert 'The canvas is empty' in page.inner_text('#canvas-told')
    draw(page, *HOUSE)
    assert asked(page, 'redraw', 'as it looks') is None
    said = page.inner_text('#canvas-told')
    assert 'It is nothing that the model draws. Nearest is ' in said and 'ink IoU 0.' in said
    page.click('#canvas-mend')
    page.wait_for_selector('text=There is no hole to mend')


def test_it_is_redrawn_where_mine_lies_in_my_paper_and_ink(page, model):
    page.fill('#canvas-ink', '#203060')
    page.fill('#canvas-paper', '#faf5e6')
    draw(page, *HOUSE)
    found = asked(page, 'redraw')
    [result] = found['results']
    assert (found['paper'], found['ink']) == ('#faf5e6', '#203060')
    assert model.class_names()[result['item']['label']] == 'cat'
    picture = page.locator('.result .stroke')
    assert {path.get_attribute('stroke') for path in picture.all()} == {'#203060'}
    # The frame of the model's page lies where Python puts it on the same picture.
    hand = framing.hand(model.draw(np.arange(64)))
    image = Image.new('RGB', (512, 512), 'white')
    ImageDraw.Draw(image).line([(512 * x, 512 * y) for x, y in HOUSE], (0, 0, 0), 13)
    own = framing.framed(image, hand)
    assert found['place']['scale'] == pytest.approx(own.place.scale * 28 / 512, rel=0.05)
    assert found['place']['x'] == pytest.approx(own.place.left / 512, abs=0.03)
    assert result['likeness'] > 0.1
    page.click('#open-result')
    assert state(page, 'current')['latents'] == result['item']['latents']
    page.click('#tab-canvas')
    page.click('#favour-result')
    assert len(state(page, 'favourites')) == 1
    page.click('#into-scene')
    assert len(state(page, 'scene')['placed']) == 1
    page.click('#draw-on')
    page.locator('#status', has_text='It is on the canvas').wait_for()
    assert len(state(page)['lines']) > 3 and state(page)['found'] is None


def test_sixteen_are_near_it_or_further(page):
    draw(page, *HOUSE)
    nearest = asked(page, 'redraw')['results'][0]['item']['latents']
    gaps = []
    for distance in ('0.1', '0.8'):
        page.fill('#distance', distance)
        results = asked(page, 'vary')['results']
        assert len(results) == page.locator('.result').count() == 16
        latents = [each['item']['latents'] for each in results]
        assert len({tuple(each) for each in latents}) == 16
        gaps.append(np.linalg.norm(np.subtract(latents, nearest), axis=1).mean())
    assert 0 < gaps[0] < 0.5 * gaps[1]
    page.focus('.result >> nth=0')
    page.keyboard.press('ArrowRight')
    page.keyboard.press('Enter')
    assert page.get_attribute('.result >> nth=1', 'aria-pressed') == 'true'


def test_a_hole_is_drawn_in_and_the_rest_stays_mine(page):
    draw(page, *HOUSE)
    page.check('#tool-hole', force=True)
    draw(page, (0.7, 0.45), (0.7, 0.7))
    before = state(page)['lines']
    [result] = asked(page, 'mend')['results']
    own, drawn = result['lines'][:2], result['lines'][2:]
    assert own[0] == before[0] and own[1] == before[1] | {'tool': 'eraser'}
    half = before[1]['width'] / 2 + 0.01
    hole = np.linspace(*np.array([(0.7, 0.45), (0.7, 0.7)]), 50)
    for x, y in (point for line in drawn for point in line['points']):
        assert np.hypot(*(hole - (x, y)).T).min() < half
    page.click('#draw-on')
    page.locator('#status', has_text='It is on the canvas').wait_for()
    assert state(page)['lines'] == result['lines']


def test_a_dropped_picture_is_read_as_python_reads_it(page, model):
    picture = drawn_house()
    drop(page, 'mine.png', png(picture))
    told(page, 'on the canvas')
    canvas = state(page)
    assert (canvas['paper'], canvas['ink']) == ('#faf5e6', '#1e1e78')
    found = asked(page, 'redraw')
    own = framing.framed(picture, framing.hand(model.draw(np.arange(64))))
    assert found['place']['scale'] == pytest.approx(own.place.scale * 28 / 300, rel=0.02)
    assert found['place']['x'] == pytest.approx(own.place.left / 300, abs=0.01)
    assert (found['paper'], found['ink']) == ('#faf5e6', '#1e1e78')


@pytest.mark.parametrize('ending', ['jpeg', 'webp', 'svg'])
def test_pictures_of_other_kinds_are_taken(page, ending):
    file = io.BytesIO()
    if ending == 'svg':
        file.write(ATTACK.replace('{more}', '').encode())
    else:
        drawn_house().save(file, ending.upper())
    page.set_input_files(
        '#file', {'name': f'a.{ending}', 'mimeType': '', 'buffer': file.getvalue()}
    )
    told(page, 'on the canvas')
    assert state(page)['image']['url'].startswith('data:image/png;base64,')
    page.click('#undo')
    assert state(page)['image'] is None


@pytest.mark.parametrize('more', ['', FOREIGN], ids=['plain', 'foreign'])
def test_an_svg_file_runs_nothing_and_asks_for_nothing(page, more):
    drop(page, 'evil.svg', ATTACK.replace('{more}', more).encode())
    page.locator('#status').filter(has_text='evil').or_(
        page.locator('#status').filter(has_text='on the canvas')
    ).wait_for()
    page.wait_for_timeout(500)
    assert page.title() != 'run'
    assert page.locator('script').count() == 1  # And `page.faults` has what it had asked for.


def test_what_is_no_picture_is_refused(page):
    drop(page, 'notes.txt', b'hello')
    told(page, 'notes.txt cannot be opened: it is no PNG, JPEG, WEBP or SVG picture')
    drop(page, 'blank.png', png(Image.new('L', (50, 50), 255)))
    told(page, 'blank.png cannot be opened: it has no ink')
    drop(page, 'bad.png', b'\x89PNG\r\n\x1a\nbad')
    told(page, 'bad.png cannot be opened: it cannot be read as a picture')


def saved(page, selector):
    with page.expect_download() as download:
        page.click(selector)
    return download.value.path().read_bytes()


def test_a_file_that_it_made_brings_the_drawing_back(page):
    page.click('#tab-sheet')
    page.click('#sheet .drawing >> nth=2')
    page.wait_for_selector('#save-png')
    item = state(page, 'current')
    for name in ('png', 'svg', 'pdf'):
        file = saved(page, f'#save-{name}')
        page.click('#tab-sheet')
        page.click('#sheet .drawing >> nth=0')
        assert state(page, 'current') != item
        drop(page, f'a.{name}', file)
        told(page, 'The drawing is back')
        assert state(page, 'current') == item


def test_a_command_s_sheet_comes_back_as_its_settings(page, model, tmp_path):
    model.write(tmp_path / 'sheet.svg', np.arange(20, 24), 'dog')
    drop(page, 'sheet.svg', (tmp_path / 'sheet.svg').read_bytes())
    told(page, 'The sheet is back, from seed 20')
    assert (state(page, 'from'), state(page, 'label')) == ('20', 1)


def test_a_file_of_another_model_names_its_hash(page):
    facts = {'model': 'other', 'sha256': 'ab' * 32, 'licence': 'none'}
    recipe = provenance.recipe(facts, [{'seed': 7, 'label': 'dog'}])
    drop(page, 'a.png', provenance.stamped(png(drawn_house()), '.png', recipe))
    told(page, f'It was drawn by other, SHA-256 {"ab" * 32}, which is not the model here')
    assert state(page)['image']


def test_a_session_file_opens(page, pen_bundle):
    draw(page, *HOUSE)
    page.click('#menu-button')
    session = saved(page, '#save-session')
    page.keyboard.press('Escape')
    lines = state(page)['lines']
    page.click('#clear')
    drop(page, 'session.json', session)
    told(page, 'The session is open')
    assert state(page)['lines'] == lines
    bad = json.loads(session)
    bad['state']['canvas']['image'] = {'url': 'https://example.org/a.png', 'width': 1, 'height': 1}
    drop(page, 'bad.json', json.dumps(bad).encode())
    told(page, 'This session cannot be opened')


def test_axe_finds_nothing(browser, pen_bundle):
    from axe_playwright_python.sync_playwright import Axe

    for width, scheme in ((1280, 'light'), (320, 'dark')):
        with studio_page(browser, pen_bundle, width=width, color_scheme=scheme) as page:
            page.click('#tab-canvas')
            draw(page, *HOUSE)
            asked(page, 'vary')
            found = Axe().run(page)
            assert not found.response['violations'], found.generate_report()
