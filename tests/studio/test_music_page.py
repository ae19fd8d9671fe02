"""The studio's page of a model of music: rolls that are looked at, heard, kept and saved."""

import io
import pathlib
import re
import time

import mido
import numpy as np
import pytest
from browser import file_page, studio_page
from PIL import Image
from toy_models import toy_music

from tfgan import client, provenance
from tfgan.forms.music import midi_file, pieces, playing, roll
from tfgan.forms.music.theory import Key
from tfgan.server import page as studio

NARROW = 320
RATE = 16_000  # samples a second
WAIT_SECS = 20
STUDIO = "const {studio} = await import('/studio/app.js'); const {store, model, player} = studio;"
NAME = re.compile(
    r'(major|minor), seed (\d+)(?:, (\d+) bars)?: (\d+) bars, (\d+) notes from \S+ to'
)
DOCS = pathlib.Path(__file__).parents[2] / 'docs'
COLOURS = 64


@pytest.fixture(scope='module')
def music_version(tmp_path_factory):
    return toy_music(tmp_path_factory.mktemp('music') / 'toy', 'beats')


@pytest.fixture(scope='module')
def music_bundle(music_version):
    from tfgan.saved_model import bundle

    return bundle.bundle(music_version)


@pytest.fixture(scope='module')
def opened(browser, music_bundle):
    """A page that all tests share, for it takes long to open one."""
    with studio_page(browser, music_bundle, reduced_motion='no-preference') as page:
        drawn(page)
        page.start = ask(page, 'return store.state')
        yield page


@pytest.fixture
def page(opened):
    """The same, as it is at first; sound that another test has asked for has ended."""
    yield opened
    ask(opened, "store.dispatch('openSession', given); studio.show('sheet')", opened.start)
    if ask(opened, 'return player.sound.step') is not None:
        opened.locator('#play-piece').click()
    opened.locator('#tempo').fill('80')
    opened.evaluate('localStorage.clear(); document.activeElement.blur(); window.scrollTo(0, 0)')
    assert not opened.faults


def ask(page, script, given=None):
    return page.evaluate(f'async (given) => {{ {STUDIO} {script} }}', given)


def drawn(page):
    page.wait_for_selector('#sheet .cell:nth-child(12) .roll')


def until(page, condition):
    """Waits for a condition; Playwright's own way to do so is forbidden by the page's policy."""
    end = time.monotonic() + WAIT_SECS
    while not ask(page, f'return {condition}'):
        assert time.monotonic() < end, condition
        page.wait_for_timeout(20)


def cells(page, panel='sheet'):
    return page.locator(f'#{panel} .cell')


def name_of(cell):
    return NAME.match(cell.locator('.drawing').get_attribute('aria-label')).groups()


def piece_of(page, **item):
    """What the page makes of an item: int32 [steps, voices]."""
    found = ask(page, 'return [...model.itemDrawing(given).pitch]', item)
    return np.reshape(found, [-1, 4]).astype(np.int32)


def item_of(cell):
    label, seed, bars, *_ = name_of(cell)
    more = {'bars': int(bars)} if bars else {}
    return {'seed': seed, 'label': ['major', 'minor'].index(label)} | more


def saved(page, button):
    """(name, bytes) of the file that a button saves."""
    with page.expect_download() as download:
        page.locator(button).click()
    return download.value.suggested_filename, download.value.path().read_bytes()


def play_and_stop(page, place):
    """Makes the piece at a place the one that is saved."""
    for _ in range(2):
        cells(page).nth(place).locator('.drawing').click()


def test_pieces_appear_and_panels_are_those_of_music(page):
    names = [name_of(cells(page).nth(place)) for place in range(12)]
    assert [name[1] for name in names] == [str(seed) for seed in range(12)]
    assert {name[0] for name in names} == {'major', 'minor'}
    for place in 0, 5:
        piece = piece_of(page, **item_of(cells(page).nth(place)))
        notes = pieces.notes_of(piece)
        assert names[place][3:] == ('4', str(len(notes)))
        assert cells(page).nth(place).locator('.roll g:has(title) rect').count() == 2 * len(notes)
    assert page.locator('[role=tab]').all_inner_texts() == ['Sheet', 'Favourites']
    assert page.locator('#variety, #canvas, #scene, #plotter, #gif').count() == 0
    page.locator('.chip', has_text='minor').click()
    drawn(page)
    assert {name_of(cells(page).nth(place))[0] for place in range(12)} == {'minor'}
    page.locator('#another').click()
    drawn(page)
    assert '7' not in {name_of(cells(page).nth(place))[1] for place in range(12)}


def test_a_piece_is_played_and_stopped_by_keyboard(page):
    first = cells(page).nth(0).locator('.drawing')
    first.focus()
    page.keyboard.press('Enter')
    until(page, "player.sound.state === 'running' && player.sound.step > 1")
    assert first.get_attribute('aria-pressed') == 'true'
    assert page.locator('#play-piece').inner_text() == 'Stop'
    line = cells(page).nth(0).locator('.playhead')
    before = line.get_attribute('transform')
    until(page, f"document.querySelector('.playhead').getAttribute('transform') !== '{before}'")
    page.keyboard.press('ArrowRight')
    page.keyboard.press('Enter')  # Another one ends the first.
    assert first.get_attribute('aria-pressed') == 'false'
    assert page.locator('.playhead').count() == 1
    page.locator('#tempo').focus()
    page.keyboard.press('ArrowRight')
    assert page.locator('.player output').inner_text() == '81'
    page.locator('#play-piece').focus()
    page.keyboard.press('Enter')
    assert ask(page, 'return player.sound.step') is None
    assert page.locator('.playhead, .drawing[aria-pressed=true]').count() == 0


def test_there_is_no_sound_before_a_person_asks(browser, music_bundle):
    with studio_page(browser, music_bundle) as page:
        drawn(page)
        assert ask(page, 'return player.sound') == {'state': 'none', 'step': None}
        page.locator('#play-piece').click(force=True)
        assert ask(page, 'return player.sound.state') == 'none'
        page.locator('#status', has_text='Choose a piece').wait_for()
        page.emulate_media(reduced_motion='reduce')
        cells(page).nth(0).locator('.drawing').click()
        until(page, 'player.sound.step > 1')
        assert page.locator('.playhead').first.get_attribute('transform') == 'translate(32 0)'


def test_what_is_heard_are_the_notes(page):
    """Two voices, of which the second one rests and the first one strikes a note again."""
    script = """
        const {play} = await import('/studio/sound.js');
        const pitch = Int32Array.from([[69, 57], [69, 57], [197, -1], [76, -1]].flat());
        const piece = {pitch, steps: 4, voices: 2};
        const context = new OfflineAudioContext(1, given.rate, given.rate);
        play(context.destination, piece, {from: given.from, time: 0, stepSecs: 0.25});
        return [...(await context.startRendering()).getChannelData(0)];
    """
    sound = np.array(ask(page, script, {'rate': RATE, 'from': 0}))
    step = RATE // 4

    def strongest(first, last, count):
        spectrum = np.abs(np.fft.rfft(sound[first:last] * np.hanning(last - first)))
        peaks = np.flatnonzero((spectrum[1:-1] > spectrum[:-2]) & (spectrum[1:-1] > spectrum[2:]))
        best = sorted(peaks + 1, key=lambda at: -spectrum[at])[:count]
        return sorted(at * RATE / (last - first) for at in best)

    np.testing.assert_allclose(strongest(800, 2 * step - 800, 2), [220, 440], rtol=0.02)
    assert strongest(2 * step + 400, 3 * step - 800, 1) == pytest.approx([440], rel=0.02)
    assert strongest(3 * step + 400, 4 * step - 800, 1) == pytest.approx([659.3], rel=0.02)
    loudness = np.abs(sound).reshape(-1, 20).max(axis=1)
    assert loudness[0] < 0.1 and loudness.max() < 1  # It begins softly, and is never cut off.
    again = loudness[2 * step // 20 - 2 : 2 * step // 20 + 2].min()
    assert again < 0.1 * loudness[2 * step // 20 + 30]
    later = np.array(ask(page, script, {'rate': RATE, 'from': 3}))
    assert np.abs(later[step:]).max() == 0 and np.abs(later[:step]).max() > 0.05


def test_favourites_are_kept_and_undone(page):
    page.locator('.cell .drawing').nth(2).focus()
    page.keyboard.press('f')
    cells(page).nth(4).hover()
    cells(page).nth(4).locator('.heart').click()
    page.keyboard.press('2')
    kept = cells(page, 'favourites')
    assert [name_of(kept.nth(place))[1] for place in range(2)] == ['2', '4']
    kept.nth(1).locator('.drawing').click()
    until(page, 'player.sound.step > 0')
    page.locator('#undo').click()  # To hear a piece is nothing that is undone.
    assert kept.count() == 1
    page.locator('#redo').click()
    assert kept.count() == 2
    name, data = saved(page, '#zip')
    assert name == 'toy-favourites.zip'
    assert data.count(b'MThd') == 2
    until(page, 'localStorage["tfgan.studio.session." + model.sha256].includes(\'"seed":"4"\')')


def test_a_midi_file_is_that_of_the_command(page):
    for place in range(12):
        label, seed, *_ = name_of(cells(page).nth(place))
        play_and_stop(page, place)
        name, data = saved(page, '#save-midi')
        assert name == f'{label}-{seed}.mid'
        recipe = provenance.read(data)
        assert recipe['drawings'] == [{'seed': int(seed), 'label': label, 'truncation': 1}]
        piece = piece_of(page, **item_of(cells(page).nth(place)))
        how = playing.Playing(key=Key(9, 'minor')) if label == 'minor' else playing.USUAL
        assert data == provenance.stamped(midi_file.as_bytes(piece, how), '.mid', recipe)
        if label == 'minor':
            break
    assert notes_of(data) == pieces.notes_of(piece)


def notes_of(data):
    """The notes of a MIDI file as mido reads it."""
    found = []
    for voice, track in enumerate(mido.MidiFile(file=io.BytesIO(data)).tracks[1:]):
        tick, start = 0, {}
        for message in track:
            tick += message.time
            if message.type == 'note_on':
                start[message.note] = tick // 120
            elif message.type == 'note_off':
                begun = start.pop(message.note)
                found.append(pieces.Note(voice, begun, tick // 120 - begun, message.note))
    return sorted(found, key=lambda note: (note.start, note.voice))


def test_a_roll_is_that_of_the_command(page):
    play_and_stop(page, 3)
    _, data = saved(page, '#save-roll')
    recipe = provenance.read(data)
    assert recipe['as'] == 'roll'
    piece = piece_of(page, **item_of(cells(page).nth(3)))
    assert provenance.bare(data.decode()) == roll.svg(piece)


def test_files_are_made_again_by_their_recipes(page, music_version):
    model = client.load(music_version)
    play_and_stop(page, 1)
    for button, ending in ('#save-midi', '.mid'), ('#save-roll', '.svg'):
        _, data = saved(page, button)
        recipe = provenance.read(data)
        assert provenance.stamped(model.again(recipe, ending), ending, recipe) == data


def test_longer_pieces_and_a_tempo(page):
    page.locator('#bars').select_option('8')
    drawn(page)
    assert name_of(cells(page).nth(1))[2:4] == ('8', '8')
    play_and_stop(page, 1)
    page.locator('#tempo').fill('120')
    name, data = saved(page, '#save-midi')
    assert name.endswith('-1-8-bars.mid')
    recipe = provenance.read(data)
    assert (recipe['beats'], recipe['tempo_bpm']) == (32, 120)
    piece = piece_of(page, **item_of(cells(page).nth(1)))
    assert piece.shape == (128, 4)
    assert notes_of(data) == pieces.notes_of(piece)
    page.locator('#undo').click()
    drawn(page)
    assert name_of(cells(page).nth(1))[2:4] == (None, '4')
    page.locator('#file').set_input_files(
        {'name': 'mine.mid', 'mimeType': 'audio/midi', 'buffer': data}
    )
    until(page, 'store.state.bars === 8')
    drawn(page)
    assert name_of(cells(page).nth(0))[1:4] == ('1', '8', '8')
    other = {'name': 'other.mid', 'mimeType': 'audio/midi', 'buffer': b'MThd and no more'}
    page.locator('#file').set_input_files(other)
    page.locator('#status', has_text='does not tell how it was made').wait_for()


@pytest.mark.parametrize('scheme', ['light', 'dark'])
def test_axe_finds_nothing_at_320_pixels(browser, music_bundle, scheme):
    axe = pytest.importorskip('axe_playwright_python.sync_playwright').Axe()
    tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
    size = dict(width=NARROW, height=640, has_touch=True, color_scheme=scheme)
    with studio_page(browser, music_bundle, **size) as page:
        drawn(page)
        cells(page).nth(0).locator('.drawing').tap()
        cells(page).nth(1).locator('.heart').tap()
        for panel in 'sheet', 'favourites':
            page.locator(f'#tab-{panel}').tap()
            page.wait_for_timeout(200)  # until colours have changed
            found = axe.run(page, options={'runOnly': tags, 'resultTypes': ['violations']})
            assert found.violations_count == 0, f'{panel}: {found.generate_report()}'
            wide = page.evaluate('document.documentElement.scrollWidth - window.innerWidth')
            assert wide <= 0, f'{panel} is wider than its window'
        assert page.context.cookies() == []


def test_one_file_plays_without_a_network(browser, music_bundle, tmp_path):
    path = tmp_path / 'toy.html'
    path.write_bytes(studio.html(music_bundle, with_words=False))
    with file_page(browser, path) as page:
        drawn(page)
        cells(page).nth(0).locator('.drawing').click()
        page.locator('.playhead').wait_for(state='attached')
        _, data = saved(page, '#save-midi')
        assert mido.MidiFile(file=io.BytesIO(data)).length > 0
        assert provenance.read(data)['model'] == 'toy'
    assert len(path.read_bytes()) < len(studio.html(music_bundle, with_words=True))


def test_a_page_with_models_of_both_kinds_lets_one_choose(browser, music_bundle, pen_bundle):
    with studio_page(browser, music_bundle) as page:
        both = {'models': [{'name': name, 'version': 1} for name in ('drawn', 'toy')]}
        page.route('**/models.json', lambda route: route.fulfill(json=both))
        page.route('**/drawn.bundle', lambda route: route.fulfill(body=pen_bundle))
        page.reload()
        page.wait_for_selector('.drawing .stroke')
        assert page.locator('[role=tab]').count() == 5
        assert page.locator('.player').count() == 0
        page.locator('#menu-button').click()
        page.locator('#models').select_option('toy')
        drawn(page)
        assert page.locator('[role=tab]').count() == 2


def test_pictures_of_the_page(browser, request):
    """Draws docs/studio-music-light.png: pytest THIS_FILE --pictures=MODEL -k pictures."""
    model = request.config.getoption('--pictures')
    if model is None:
        pytest.skip('it takes --pictures=MODEL')
    from tfgan.saved_model import bundle, layout

    data = bundle.bundle(layout.newest(model))
    with studio_page(browser, data, width=1120, height=760, color_scheme='light') as page:
        drawn(page)
        cells(page).nth(1).locator('.drawing').click()
        until(page, 'player.sound.step > 20')
        page.evaluate("document.querySelector('#status').textContent = ''")
        shot = Image.open(io.BytesIO(page.screenshot())).convert('RGB')
        small = shot.quantize(COLOURS, dither=Image.Dither.NONE)
        small.save(DOCS / 'studio-music-light.png', optimize=True)
