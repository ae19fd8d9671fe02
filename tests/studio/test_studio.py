"""The studio as a person uses it: with a mouse, with the keyboard alone, by touch at 320 pixels.

A `Person` presses and types and never drags, so whatever is done here needs no drag.
"""

import io
import json
import pathlib
import re
import time
import zipfile
from xml.etree import ElementTree

import numpy as np
import pytest
from browser import studio_page
from PIL import Image

NARROW = 320
SVG = '{http://www.w3.org/2000/svg}'
PANELS = 'sheet', 'favourites', 'drawing', 'canvas', 'scene'
WAYS = 'mouse', 'keyboard', 'touch'
# What a store and a model of the page are asked for.
STUDIO = "const {studio} = await import('/studio/app.js'); const {store, model} = studio;"
# How the keyboard comes nearer to an element: 'there', or the key to press.
WAY_TO = """(target) => {
    const active = document.activeElement;
    if (active === target) return 'there';
    const group = active.closest('.grid, .tabs, .strokes, fieldset');
    if (!group || !group.contains(target)) return 'Tab';
    const after = active.compareDocumentPosition(target) & Node.DOCUMENT_POSITION_FOLLOWING;
    return after ? 'ArrowRight' : 'ArrowLeft';
}"""
MOST_KEYS = 400
WAIT_SECS = 20


class Person:
    """Someone before a page, who does all in one way."""

    def __init__(self, page, way):
        self.page, self.way = page, way

    def go(self, target):
        """Brings the keyboard's focus to an element."""
        element = target.element_handle()
        for _ in range(MOST_KEYS):
            key = self.page.evaluate(WAY_TO, element)
            if key == 'there':
                return
            self.page.keyboard.press(key)
        raise AssertionError(f'the keyboard does not come to {target}')

    def press(self, target, key='Enter'):
        if self.way != 'keyboard':
            # What tells that it does nothing now can be pressed, and then says why.
            force = target.get_attribute('aria-disabled') == 'true'
            (target.click if self.way == 'mouse' else target.tap)(force=force)
        else:
            self.go(target)
            self.page.keyboard.press(key)

    def pick(self, label):
        """Picks a radio button or a box that stands in a label."""
        if self.way == 'keyboard':
            box = label.locator('input')
            self.go(box)
            if not box.is_checked() or box.get_attribute('type') == 'checkbox':
                self.page.keyboard.press('Space')
        else:
            self.press(label)

    def favour(self, cell):
        self._mark(cell, '.heart', 'f')

    def choose(self, cell):
        self._mark(cell, '.tick', 'c')

    def _mark(self, cell, mark, letter):
        if self.way == 'keyboard':
            self.go(cell.locator('.drawing'))
            self.page.keyboard.press(letter)
        else:
            cell.hover()
            self.press(cell.locator(mark))

    def show(self, panel):
        self.press(self.page.locator(f'#tab-{panel}'))

    def cells(self, panel, grid=0):
        return self.page.locator(f'#{panel} .grid').nth(grid).locator('.cell')

    def saved(self, act):
        """(name, bytes) of the file that an act saves."""
        with self.page.expect_download() as download:
            act()
        return download.value.suggested_filename, download.value.path().read_bytes()

    def told(self, text):
        self.page.locator('#status', has_text=text).wait_for()

    def state(self):
        return ask(self.page, 'return store.state')


def ask(page, script, given=None):
    return page.evaluate(f'async (given) => {{ {STUDIO} {script} }}', given)


@pytest.fixture(scope='module')
def bundle_bytes(pen_version, tmp_path_factory):
    """A pen's model with sliders."""
    from tfgan.saved_model import bundle, sliders

    names = {'width': 'stroke_width', 'size': 'size', 'tilt': 'tilt'}
    found = [
        dict(name=name, measure=measure, kind='edit', low=-0.3, high=0.5, default=0)
        | {'change': {each: float(each == name) for each in names}}
        for name, measure in names.items()
    ]
    path = pen_version / sliders.FILE
    path.write_text(json.dumps({'format': 1, 'sliders': found}))
    yield bundle.bundle(pen_version)
    path.unlink()


def window(browser, bundle_bytes, way='mouse', **more):
    size = dict(width=NARROW, height=640, has_touch=True) if way == 'touch' else {}
    return studio_page(browser, bundle_bytes, **size | more)


@pytest.fixture(scope='module', params=WAYS)
def everyone(browser, bundle_bytes, request):
    """Someone before a page that all tests of one way share, for it takes long to open one."""
    with window(browser, bundle_bytes, request.param) as page:
        page.wait_for_selector('.drawing svg')
        person = Person(page, request.param)
        person.start = person.state()
        yield person


@pytest.fixture
def person(everyone):
    """The same, before the studio as it is at first."""
    page = everyone.page
    yield everyone
    wide = page.evaluate('document.documentElement.scrollWidth - window.innerWidth')
    assert wide <= 0, 'the page is wider than its window'
    assert page.context.cookies() == []
    page.keyboard.press('Escape')
    ask(page, "store.dispatch('openSession', given); studio.show('sheet')", everyone.start)
    page.evaluate('localStorage.clear(); document.activeElement.blur(); window.scrollTo(0, 0)')
    assert not page.faults


def until(page, condition):
    """Waits for a condition; Playwright's own way to do so is forbidden by the page's policy."""
    end = time.monotonic() + WAIT_SECS
    while not page.evaluate(condition):
        assert time.monotonic() < end, condition
        page.wait_for_timeout(20)


def names(cells):
    return cells.locator('.drawing').evaluate_all('all => all.map((each) => each.ariaLabel)')


def favoured(person, *places):
    for place in places:
        person.favour(person.cells('sheet').nth(place))


def opened(person, place=0):
    person.press(person.cells('sheet').nth(place).locator('.drawing'))


def test_a_sheet_of_a_kind_or_of_all_has_no_end(person):
    cells, page = person.cells('sheet'), person.page
    assert len({each.split(',')[0] for each in names(cells)}) > 1
    person.pick(page.locator('.chip', has_text='fish'))
    assert {each.split(',')[0] for each in names(cells)} == {'fish'}
    before = cells.count()
    person.press(page.locator('#more'))
    assert cells.count() >= before + 24
    first = cells.locator('.drawing').evaluate_all('a => a.indexOf(document.activeElement)')
    assert first >= before and first % 24 == 0  # The focus is on the first of the new ones.
    assert len(set(names(cells))) == cells.count()
    before = names(cells)
    page.keyboard.press('End')
    if person.way != 'keyboard':
        page.evaluate('window.scrollTo(0, document.documentElement.scrollHeight)')
    until(page, f'document.querySelectorAll("#sheet .cell").length > {len(before)}')
    assert names(cells)[: len(before)] == before
    person.press(page.locator('#another'))
    assert not set(names(cells)) & set(before)


def test_less_variety_is_nearer_to_the_middle(person):
    slider = person.page.locator('#variety')
    if person.way == 'keyboard':
        person.go(slider)
        person.page.keyboard.press('Home')
    else:
        person.press(slider)  # in its middle
    item = person.state()['truncation']
    assert item == 0.1 if person.way == 'keyboard' else 0.4 < item < 0.7
    assert ask(person.page, 'return Math.max(...model.latentsOf(3n, store.state.truncation))') < 2


def test_favourites_stay_from_visit_to_visit(person):
    favoured(person, 0, 2)
    mine = [names(person.cells('sheet'))[i] for i in (0, 2)]
    person.told('favourite')
    person.show('favourites')
    assert names(person.cells('favourites')) == mine
    person.page.wait_for_timeout(400)  # until they are kept
    person.page.reload()
    person.page.wait_for_selector('#favourites .drawing svg')
    assert person.page.locator('#favourites').is_visible()  # The studio opens where it was left.
    assert names(person.cells('favourites')) == mine
    person.favour(person.cells('favourites').first)
    assert names(person.cells('favourites')) == mine[1:]
    assert person.page.evaluate('sessionStorage.length') == 0


def test_favourites_are_mixed_and_bred_again(person):
    favoured(person, 0, 1, 2, 3, 4)
    person.show('favourites')
    person.choose(person.cells('favourites').nth(0))
    person.press(person.page.locator('#mix'))
    person.told('two to four')
    labels = [each['label'] for each in person.state()['favourites']]
    other = next(i for i, label in enumerate(labels) if label != labels[0])
    person.choose(person.cells('favourites').nth(other))
    person.press(person.page.locator('#mix'))
    state = person.state()
    parents, bred = state['parents'], state['bred']
    assert parents == [state['favourites'][i] for i in (0, other)]
    assert {each['label'] for each in bred} == {each['label'] for each in parents}
    near = ask(person.page, """
        const unit = (latents) => { const all = Array.from(latents), size = Math.hypot(...all);
          return all.map((each) => each / size); };
        const [a, b] = store.state.parents.map((item) => unit(model.itemLatents(item)));
        const mean = unit(a.map((each, i) => each + b[i]));
        return store.state.bred.map(({latents}) => {
          return unit(latents).reduce((sum, each, i) => sum + each * mean[i], 0);
        });""")  # fmt: skip
    assert min(near) > 0.5 and np.mean(near) > 0.8
    assert len({json.dumps(each['latents']) for each in bred}) == len(bred) == 12
    person.press(person.page.locator('#again'))
    again = person.state()
    assert again['parents'] == parents and again['bred'] != bred
    person.press(person.page.locator('#choose-none'))
    for place in 1, 2:
        person.choose(person.cells('favourites', 1).nth(place))
    person.press(person.page.locator('#mix'))
    assert person.state()['parents'] == again['bred'][1:3]
    for place in range(5):
        person.choose(person.cells('favourites').nth(place))
    person.press(person.page.locator('#mix'))
    person.told('two to four')


def paths(page, within):
    return page.locator(f'{within} .stroke').evaluate_all(
        "all => all.map((path) => path.getAttribute('d'))"
    )


def test_sliders_change_the_drawing_at_once(person):
    opened(person)
    page = person.page
    widths = "all => all.map((path) => Number(path.getAttribute('stroke-width')))"
    strokes = page.locator('#drawing .paper-sheet .stroke')
    before = strokes.evaluate_all(widths)
    slider = page.locator('#slider-width')
    if person.way == 'keyboard':
        person.go(slider)
        page.keyboard.press('End')
    else:
        box = slider.bounding_box()
        place = dict(x=box['width'] - 3, y=box['height'] / 2)
        (slider.click if person.way == 'mouse' else slider.tap)(position=place)
    assert np.allclose(np.divide(strokes.evaluate_all(widths), before), np.exp(0.5), rtol=0.05)
    ends = page.locator('.slider .end')
    page.locator('.slider .end svg').nth(5).wait_for()
    assert ends.count() == 2 * len(person.state()['current']['sliders']) * 3
    person.press(ends.nth(0))
    assert person.state()['current']['sliders']['width'] == pytest.approx(0.4, abs=0.02)
    person.press(page.locator('#slide-back'))
    assert strokes.evaluate_all(widths) == before and 'sliders' not in person.state()['current']


def test_a_part_is_kept_and_the_rest_varied(person):
    opened(person)
    page = person.page
    own = paths(page, '#drawing .paper-sheet')
    strokes = page.locator('#drawing .paper-sheet .stroke')
    second = strokes.nth(1).get_attribute('data-index')
    page.locator('.stroke-choice').nth(1).wait_for()
    person.pick(page.locator('.stroke-choice').nth(0))
    if person.way == 'keyboard':
        person.pick(page.locator('.stroke-choice').nth(1))
    else:
        # It is pressed even where another one lies on it.
        page.locator(f'#drawing .paper-sheet [data-index="{second}"]').dispatch_event('click')
    assert page.locator('#drawing .paper-sheet .stroke.kept').count() == 2
    person.press(page.locator('#vary'))
    varied = person.cells('drawing')
    until(page, "document.querySelectorAll('#drawing .cell svg').length === 12")
    seen = [
        varied.nth(i).locator('.stroke').evaluate_all("a => a.map((p) => p.getAttribute('d'))")
        for i in range(varied.count())
    ]
    assert all(set(own[:2]) <= set(each) for each in seen)
    assert all(set(own) != set(each) for each in seen) and len({tuple(each) for each in seen}) > 6
    person.press(varied.nth(3).locator('.drawing'))
    assert sorted(paths(page, '#drawing .paper-sheet')) == sorted(seen[3])


def test_a_walk_is_played_and_saved(person):
    favoured(person, 0, 1, 2)
    person.show('favourites')
    page, stage = person.page, '.stage'
    still = paths(page, stage)
    person.press(page.locator('#play'))
    until(page, "document.querySelector('#walk-place').value > 2")
    person.press(page.locator('#play'))
    assert paths(page, stage) != still
    name, data = person.saved(lambda: person.press(page.locator('#gif')))
    with Image.open(io.BytesIO(data)) as gif:
        assert gif.n_frames == 3 * 16 and name.endswith('-walk.gif')
    assert b'trainedAlgorithmicMedia' in data


def test_files_of_a_drawing_tell_what_made_them(person):
    opened(person)
    page = person.page
    size = page.locator('#size')
    if person.way == 'keyboard':
        person.go(size)
        page.keyboard.press('Control+A')
        page.keyboard.type('333')
    else:
        size.fill('333')
    found = {}
    for kind in 'png', 'svg', 'pdf', 'plotter':
        name, data = person.saved(lambda kind=kind: person.press(page.locator(f'#save-{kind}')))
        found[name] = data
        assert b'trainedAlgorithmicMedia' in data, name
    item = person.state()['current']
    kind = ask(page, 'return model.classNames[store.state.current.label]')
    stem = f'{kind}-{item["seed"]}'
    assert list(found) == [f'{stem}{end}' for end in ('.png', '.svg', '.pdf', '-plotter.svg')]
    with Image.open(io.BytesIO(found[f'{stem}.png'])) as png:
        assert max(png.size) == 333
    strokes = ElementTree.fromstring(found[f'{stem}.svg']).iter(f'{SVG}path')
    assert [each.get('d') for each in strokes] == paths(page, '#drawing .paper-sheet')
    size.fill('9')
    person.press(page.locator('#save-png'))
    person.told('16 to 8192')


def test_all_favourites_are_one_zip(person):
    favoured(person, 0, 3)
    person.show('favourites')
    _, data = person.saved(lambda: person.press(person.page.locator('#zip')))
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert file.testzip() is None
        ends = sorted(re.sub('.*[.]', '', name) for name in file.namelist())
    assert ends == ['pdf', 'png', 'png', 'svg', 'svg']


def test_all_is_undone_and_done_again(person):
    start = person.state()
    favoured(person, 0)
    opened(person)
    end = person.state()
    if person.way == 'keyboard':
        for key in 'u', 'Control+z':
            person.page.keyboard.press(key)
    else:
        for _ in range(2):
            person.press(person.page.locator('#undo'))
    person.told('Undone: favour')
    assert person.state() == start
    if person.way == 'keyboard':
        for key in 'r', 'Control+Shift+z':
            person.page.keyboard.press(key)
    else:
        for _ in range(2):
            person.press(person.page.locator('#redo'))
    assert person.state() == end


def in_menu(person, name):
    person.press(person.page.locator('#menu-button'))
    person.press(person.page.locator(name))


def test_a_session_is_saved_and_opened(person, tmp_path):
    favoured(person, 0, 1)
    opened(person, 2)
    kept = person.state()
    _, data = person.saved(lambda: in_menu(person, '#save-session'))
    file = tmp_path / 'session.json'
    file.write_bytes(data)
    person.page.keyboard.press('Escape')
    person.show('sheet')
    favoured(person, 5)

    def opening(path):
        with person.page.expect_file_chooser() as chooser:
            in_menu(person, '#open-session')
        chooser.value.set_files(path)

    opening(file)
    person.told('The session is open')
    assert person.state() == kept
    session = json.loads(data)
    for changes, complaint in [
        ({'sha256': 'f' * 64, 'model': 'others'}, 'it is of model others'),
        ({'state': kept | {'favourites': [{'id': 'x', 'label': 99, 'seed': '1'}]}}, 'favourites'),
        ({'state': kept | {'label': 'fish'}}, 'label'),
        ({'kind': 'other'}, 'no session'),
    ]:
        file.write_text(json.dumps(session | changes))
        person.page.keyboard.press('Escape')
        opening(file)
        person.told(complaint)
        assert person.state() == kept


def test_keys_are_told_and_letters_can_be_switched_off(person):
    page = person.page
    if person.way == 'keyboard':
        page.keyboard.press('?')
    else:
        in_menu(person, '#keys')
    assert page.locator('dialog').is_visible()
    person.pick(page.locator('dialog label'))
    person.press(page.locator('dialog button'))
    assert not page.locator('dialog').is_visible()
    before = person.state()
    person.page.locator('#sheet .drawing').first.focus()
    page.keyboard.press('f')
    assert person.state() == before


def test_light_and_dark_by_system_and_by_switch(person):
    page = person.page
    ground = lambda: page.evaluate('getComputedStyle(document.body).backgroundColor')  # noqa: E731
    light = ground()
    page.emulate_media(color_scheme='dark')
    dark = ground()
    assert light != dark
    person.press(page.locator('#menu-button'))
    person.pick(page.locator('.themes label', has_text='Light'))
    assert ground() == light
    page.reload()
    page.wait_for_selector('.drawing svg')
    assert ground() == light


def test_reduced_motion_is_heeded(browser, bundle_bytes):
    with window(browser, bundle_bytes, reduced_motion='reduce') as page:
        page.wait_for_selector('.drawing svg')
        person = Person(page, 'mouse')
        favoured(person, 0, 1)
        person.show('favourites')
        person.press(page.locator('#play'))
        until(page, "document.querySelector('#walk-place').value > 0")
        assert page.locator('#walk-place').input_value() == '16'  # It goes from still to still.
        moving = '[...document.querySelectorAll("*")].flatMap((e) => e.getAnimations()).length'
        assert page.evaluate(moving) == 0


@pytest.mark.parametrize('scheme', ['light', 'dark'])
@pytest.mark.parametrize('way', ['mouse', 'touch'])
def test_axe_finds_nothing(browser, bundle_bytes, way, scheme):
    axe = pytest.importorskip('axe_playwright_python.sync_playwright').Axe()
    tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
    with window(browser, bundle_bytes, way, color_scheme=scheme) as page:
        page.wait_for_selector('.drawing svg')
        person = Person(page, way)
        favoured(person, 0, 1, 2)
        person.show('favourites')
        for place in 0, 1:
            person.choose(person.cells('favourites').nth(place))
        person.press(page.locator('#mix'))
        person.press(person.cells('favourites').first.locator('.drawing'))
        page.locator('.stroke-choice').first.wait_for()
        person.pick(page.locator('.stroke-choice').first)
        person.press(page.locator('#vary'))

        def check(place):
            found = axe.run(page, options={'runOnly': tags, 'resultTypes': ['violations']})
            assert found.violations_count == 0, f'{place}: {found.generate_report()}'

        for panel in PANELS:
            person.show(panel)
            page.wait_for_timeout(200)  # until colours have changed
            check(panel)
            wide = page.evaluate('document.documentElement.scrollWidth - window.innerWidth')
            assert wide <= 0, f'{panel} is wider than its window'
        person.press(page.locator('#menu-button'))
        check('menu')
        person.press(page.locator('#keys'))
        check('keys')


ACTIONS = 1000
MONKEY = """
const random = ((seed) => () => (seed = Math.imul(seed, 48271) >>> 0) / 2 ** 32)(given.seed);
const pick = (all) => all[Math.floor(random() * all.length)];
const frozen = (value) => {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(frozen);
  }
};
// What is done is counted, and no state may be changed once it was there.
let done = 0;
frozen(store.state);
const start = JSON.stringify(store.state);
store.subscribe((state, {way}) => {
  if (way === 'do') done += 1;
  frozen(state);
});
const things = 'button:not(#undo, #redo, #menu button, [id^=save], #zip, #gif, #play, dialog *)';
const inputs = 'input:not([type=number], [type=file], [type=color])';
const ALL = `.tab, main ${things}, main ${inputs}, main .stroke`;
for (let tries = 0; done < given.count && tries < 50 * given.count; tries++) {
  const isSeen = (element) => element.checkVisibility();
  const element = pick([...document.querySelectorAll(ALL)].filter(isSeen));
  if (element.type === 'range') {
    const [min, max] = [Number(element.min), Number(element.max)];
    element.value = min + random() * (max - min);
    element.dispatchEvent(new Event('input', {bubbles: true}));
    element.dispatchEvent(new Event('change', {bubbles: true}));
  } else {
    element.dispatchEvent(new MouseEvent('click', {bubbles: true}));
  }
  if (tries % 20 === 0) await new Promise(requestAnimationFrame);
}
const end = JSON.stringify(store.state);
let [back, forth] = [0, 0];
while (store.undo() !== null) back += 1;
const undone = JSON.stringify(store.state);
while (store.redo() !== null) forth += 1;
return {done, back, forth, start, end, undone, redone: JSON.stringify(store.state)};
"""


def test_all_of_1000_random_actions_can_be_undone(browser, bundle_bytes):
    with window(browser, bundle_bytes) as page:
        page.wait_for_selector('.drawing svg')
        found = ask(page, MONKEY, dict(seed=7, count=ACTIONS))
    assert found['done'] >= ACTIONS and found['back'] == found['forth'] > ACTIONS / 2
    assert found['end'] != found['start']
    assert found['undone'] == found['start'] and found['redone'] == found['end']


DOCS = pathlib.Path(__file__).parents[2] / 'docs'
COLOURS = 32  # of a picture, which then is small
KINDS = 'cat', 'fish', 'umbrella', 'flower', 'boat', 'tree'


SCENE = 'two cats and a house under a sun, a dog'


@pytest.mark.parametrize('scheme', ['light', 'dark'])
def test_pictures_of_the_studio(browser, request, scheme):
    """Draws docs/studio-*.png: pytest tests/studio/test_studio.py --pictures=MODEL -k pictures."""
    model = request.config.getoption('--pictures')
    if model is None:
        pytest.skip('it takes --pictures=MODEL')
    from tfgan.saved_model import bundle, layout

    data = bundle.bundle(layout.newest(model))
    with studio_page(browser, data, width=1120, height=760, color_scheme=scheme) as page:
        page.wait_for_selector('.drawing > *')
        person = Person(page, 'mouse')

        def take(name):
            page.mouse.move(0, 0)
            page.wait_for_timeout(1500)
            shot = Image.open(io.BytesIO(page.screenshot())).convert('RGB')
            small = shot.quantize(COLOURS, dither=Image.Dither.NONE)
            small.save(DOCS / f'studio-{name}-{scheme}.png', optimize=True)

        take('sheet')
        for kind in KINDS:
            person.press(page.locator('.chip').get_by_text(kind, exact=True))
            person.favour(person.cells('sheet').nth(0))
        person.show('favourites')
        for place in 0, 1:
            person.choose(person.cells('favourites').nth(place))
        person.press(page.locator('#mix'))
        page.evaluate("document.querySelector('#status').textContent = ''")
        take('favourites')
        person.press(person.cells('favourites').nth(0).locator('.drawing'))
        page.locator('.stroke-choice, .slider').first.wait_for()
        for place in 0, 1, 2:
            if page.locator('.stroke-choice').count():
                person.pick(page.locator('.stroke-choice').nth(place))
        take('drawing')
        person.show('scene')
        page.fill('#scene-words', SCENE)
        page.press('#scene-words', 'Enter')
        take('scene')
