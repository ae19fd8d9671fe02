"""The files that the studio's page writes, read by Python and by other programs, and those that it
reads."""

import base64
import io
import json
import math
import zipfile

import numpy as np
import pytest
from browser import EMPTY, studio_page
from PIL import Image, ImageSequence
from strangers import NO_RECIPES, RIGHT, with_json
from toy_models import toy_pen

from tfgan import provenance
from tfgan.errors import ModelError
from tfgan.forms import pictures
from tfgan.forms.drawing import plotter, vectors
from tfgan.saved_model import bundle, sliders

FACTS = {
    'software': provenance.SOFTWARE,
    'name': 'doodles & <co>',
    'sha256': 'ab' * 32,
    'licence': 'CC BY 4.0, "Zoë" </svg>]]>',
    'classNames': ['cat', 'naïve "dog"'],
    'latentSize': 3,
}
ITEMS = [
    {'id': 'a', 'seed': str(2**63 - 1), 'label': 1, 'truncation': 1, 'sliders': {'size': 0.25}},
    {'id': 'b', 'latents': [0.1, -2e-7, 3.0], 'label': 0},
    {'id': 'c', 'seed': '7', 'label': 0, 'kept': {
        'strokes': [0, 2], 'of': {'seed': str(-(2**63)), 'label': 1}}},
]  # fmt: skip
MODULES = {
    'bytes': 'base64, joined, utf8',
    'svg': 'svgText, sheet, sheetForPaper',
    'paint': 'pixelsOf',
    'png': 'pngBytes, imagePng',
    'gif': 'gifBytes',
    'pdf': 'pdfBytes',
    'plotter': 'plotterSvg, once, ordered, travel',
    'zip': 'zipBytes',
    'provenance': 'recipeOf, itemsOf, read, recipeText, rdf',
}
SIZE = 100  # pixels of a drawing


def drawing(seed, shape=(28, 28, 1)):
    """Strokes as the engine has them."""
    rng = np.random.default_rng(seed)
    points = 0.5 + 0.4 * (rng.random((6, 5, 2)) - 0.5).cumsum(axis=1)
    strokes = [
        {'index': i, 'points': points[i].tolist(), 'width': 0.03 + 0.01 * i, 'colour': '#102030'}
        for i in range(6)
    ]
    return {'strokes': strokes, 'absent': [], 'paper': '#fff8f0', 'shape': shape}


def pixels(seed, shape=(9, 12, 3)):
    image = np.random.default_rng(seed).integers(0, 256, shape).tolist()
    return {'image': np.ravel(image).tolist(), 'paper': '#ffffff', 'shape': shape}


DRAWINGS = [drawing(0), drawing(1), drawing(2)]


@pytest.fixture(scope='module')
def page(browser):
    with studio_page(browser, b'', path=EMPTY) as page:
        yield page


def answer(page, script, **given):
    """What a script with all writers at hand returns; bytes as base64."""
    imports = ''.join(
        f"const {{{names}}} = await import('/studio/files/{name}.js');\n"
        for name, names in MODULES.items()
    )
    given = {'model': FACTS, 'items': ITEMS, 'drawings': DRAWINGS} | given
    start = """
        const {model, items, drawings} = given;
        for (const each of drawings) if (each.image) each.image = Uint8Array.from(each.image);
        const recipe = recipeOf(model, items);
        const coded = (data) => base64(typeof data === 'string' ? utf8(data) : data);
    """
    return page.evaluate(f'async (given) => {{ {imports} {start} {script} }}', given)


WRITERS = {
    'sheet.svg': 'svgText(sheet(drawings), recipe)',
    'one.svg': 'svgText(sheet(drawings.slice(0, 1)), recipe)',
    'sheet.png': f'pngBytes(pixelsOf(sheet(drawings), {SIZE}), recipe)',
    'walk.gif': f'gifBytes(drawings.map((each) => pixelsOf(sheet([each]), {SIZE})), recipe)',
    'page.pdf': "pdfBytes(sheetForPaper(drawings, 'a5'), 'a5', recipe)",
    'plotted.svg': "plotterSvg(sheetForPaper(drawings, 'a5'), 'a5', recipe)",
}


@pytest.fixture(scope='module')
def files(page):
    """Each of the page's files, after it was seen that it is written twice alike."""
    found = {}
    for name, writer in WRITERS.items():
        twice = answer(page, f'return [coded(await {writer}), coded(await {writer})]')
        assert twice[0] == twice[1]
        found[name] = base64.b64decode(twice[0])
    return found


def expected_recipe():
    drawings = [
        {'seed': 2**63 - 1, 'label': 'naïve "dog"', 'truncation': 1, 'sliders': {'size': 0.25}},
        {'latents': [0.1, -2e-7, 3.0], 'label': 'cat'},
        {'seed': 7, 'label': 'cat', 'kept': {
            'strokes': [0, 2], 'of': {'seed': -(2**63), 'label': 'naïve "dog"'}}},
    ]  # fmt: skip
    facts = {'model': FACTS['name'], 'sha256': 'ab' * 32, 'licence': FACTS['licence']}
    return facts | {'software': provenance.SOFTWARE, 'source': provenance.TRAINED,
                    'by': 'studio', 'drawings': drawings}  # fmt: skip


HOW = {
    'sheet.svg': {'as': 'strokes', 'columns': 2},
    'one.svg': {'as': 'strokes'},
    'sheet.png': {'as': 'strokes', 'columns': 2, 'size': SIZE},
    'walk.gif': {'as': 'walk of favourites', 'frames': 3, 'frame_secs': 0.05, 'size': SIZE},
    'page.pdf': {'as': 'strokes', 'paper': 'a5'},
    'plotted.svg': {'as': 'strokes', 'paper': 'a5', 'plotter': True},
}


@pytest.mark.parametrize('name', WRITERS)
def test_python_reads_what_made_the_pages_files(files, name):
    recipe = provenance.read(files[name])
    assert rounded(recipe) == rounded(expected_recipe() | HOW[name])


def rounded(recipe):
    """A recipe whose latents are those that 32 bits hold."""
    drawings = [
        each | ({'latents': np.float32(each['latents']).tolist()} if 'latents' in each else {})
        for each in recipe['drawings']
    ]
    return recipe | {'drawings': drawings}


@pytest.mark.parametrize('name', WRITERS)
def test_the_page_reads_its_own_files_back_to_their_items(page, files, name):
    script = """
        const found = read(Uint8Array.from(given.bytes));
        return itemsOf(found, model).map(({id, ...item}) => item);
    """
    found = answer(page, script, bytes=list(files[name]))
    wanted = [{name: value for name, value in item.items() if name != 'id'} for item in ITEMS]
    for each, item in zip(found, wanted, strict=True):
        if 'latents' in item:
            assert np.array_equal(np.float32(each.pop('latents')), np.float32(item.pop('latents')))
        assert each == item


STAMPED = {
    '.svg': b'<svg xmlns="http://www.w3.org/2000/svg">\n</svg>\n',
    **{ending: pictures.still(np.zeros([9, 9, 1], np.uint8), ending) for ending in pictures.SHEETS},
    '.gif': pictures.moving([np.zeros([9, 9, 1], np.uint8)], '.gif'),
}


def test_the_page_reads_pythons_files(page):
    recipe = expected_recipe()
    for ending, plain in STAMPED.items():
        data = provenance.stamped(plain, ending, recipe)
        script = 'return [recipeText(read(Uint8Array.from(given.bytes))), recipeText(recipe)]'
        told, own = answer(page, script, bytes=list(data))
        assert provenance.parsed(told) == recipe, ending
        assert rounded(json.loads(own)) == rounded(recipe)
        assert answer(page, 'return read(Uint8Array.from(given.bytes))', bytes=list(plain)) is None


def test_both_write_one_text(page):
    script = 'return [rdf(recipe), recipeText(recipe)]'
    found, told = answer(page, script)
    assert found == provenance.rdf(json.loads(told), provenance.xml(told))


def test_strangers_files_are_none_of_ours_and_run_nothing(page):
    script = """
        return given.files.map((data) => read(Uint8Array.from(atob(data), (c) => c.charCodeAt(0))));
    """
    run = b'<script>window.ran = 1</script><image href="x" onerror="window.ran = 1"/>'
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" onload="window.ran = 1" xmlns:t="urn:tfgan:">'
    attack = svg + run + b'<t:recipe>{}</t:recipe></svg>'
    coded = [base64.b64encode(each).decode() for each in [*NO_RECIPES, attack]]
    found = answer(page, script, files=coded)
    assert [i for i, each in enumerate(found) if each is not None] == []
    right = base64.b64encode(with_json(RIGHT)).decode()
    [found] = answer(page, script, files=[right])
    assert found == {'software': 'tfgan', 'drawings': [{'seed': '1'}]}
    told = RIGHT.replace('"', '&#34;').encode()
    anew = b"<svg style='x: y' xmlns:n0='urn:tfgan:'><n0:recipe\n>" + told + b'</n0:recipe></svg>'
    assert answer(page, script, files=[base64.b64encode(anew).decode()]) == [found]
    assert page.evaluate('window.ran') is None


def of_pillow(data):
    with Image.open(io.BytesIO(data)) as image:
        return [np.asarray(frame.convert('RGB')) for frame in ImageSequence.Iterator(image)]


def test_the_pages_picture_is_its_svg(files):
    """By resvg, which is no browser."""
    resvg = pytest.importorskip('resvg_py', reason='pip install -e .[dev] has resvg')
    [found] = of_pillow(files['sheet.png'])
    assert found.shape == (212, 212, 3)
    svg = resvg.svg_to_bytes(svg_string=files['sheet.svg'].decode(), width=212)
    [wanted] = of_pillow(bytes(svg))
    difference = np.abs(found.astype(int) - wanted).mean()
    assert difference < 3
    assert np.abs(255 - found.astype(int) - wanted).mean() > 60


def test_a_gif_has_the_frames_of_the_pictures(page, files):
    frames = of_pillow(files['walk.gif'])
    script = f"""
        const one = async (each) => coded(await pngBytes(pixelsOf(sheet([each]), {SIZE}), null));
        return Promise.all(drawings.map(one));
    """
    wanted = [of_pillow(base64.b64decode(each))[0] for each in answer(page, script)]
    assert len(frames) == 3
    for found, frame in zip(frames, wanted, strict=True):
        assert np.abs(found.astype(int) - frame).max() <= 26  # of 252 colours


@pytest.mark.parametrize('spread', [1, 40, 256])
def test_grey_gifs_are_exact(page, spread):
    rng = np.random.default_rng(spread)
    levels = rng.integers(0, spread, (3, 70, 90))
    script = """
        const frames = given.levels.map((level) => {
          const rgba = Uint8ClampedArray.from(level.flatMap((each) => [each, each, each, 255]));
          return {width: 90, height: 70, rgba};
        });
        return coded(gifBytes(frames, null, 0.12));
    """
    data = base64.b64decode(answer(page, script, levels=levels.reshape(3, -1).tolist()))
    found = [frame[..., 0] for frame in of_pillow(data)]
    # Frames that are alike are one to Pillow's reader too, so all are there.
    assert np.array_equal(np.stack(found), levels)


def test_pixels_are_kept_in_every_file(page):
    shown = [pixels(1), pixels(2)]
    script = """
        const one = sheet(drawings.slice(0, 1));
        return [
          coded(await imagePng(drawings[0], recipe)),
          coded(await pngBytes(pixelsOf(one, 24), recipe)),
          coded(await svgText(sheet(drawings), recipe)),
          coded(pdfBytes(one, 'a4', recipe)),
        ];
    """
    own, larger, svg, pdf = map(base64.b64decode, answer(page, script, drawings=shown))
    image = np.reshape(shown[0]['image'], (9, 12, 3))
    assert np.array_equal(of_pillow(own)[0], image)
    assert np.array_equal(of_pillow(larger)[0], image.repeat(2, axis=0).repeat(2, axis=1))
    assert svg.count(b'data:image/png;base64,') == 2
    assert image.astype(np.uint8).tobytes() in pdf
    with pytest.raises(Exception, match='no strokes'):
        answer(page, "plotterSvg(sheet(drawings), 'a4', recipe)", drawings=shown)


def test_a_plotter_draws_each_line_once_and_travels_as_little_as_pythons(page, files):
    script = """
        const lines = drawings[0].strokes.map(({points, colour}) => {
          return {places: points.slice(0, 4).map(([x, y]) => [100 * x, 100 * y]), colour, width: 1};
        });
        const beside = lines[0].places.map(([x, y]) => [x + 0.2, y]);
        const twice = [...lines, {...lines[0], places: beside}];
        const away = ordered(lines).map(({places}) => places);
        return [once(twice).length, away, travel(ordered(lines))];
    """
    kept, way, far = answer(page, script)
    points = [100 * np.array(each['points'])[:4] for each in DRAWINGS[0]['strokes']]
    paths = [vectors.Path(each, [1, 4, 4, 4]) for each in points]
    own = plotter.ordered([vectors.Line(path, '#102030', 1.0) for path in paths])
    assert kept == 6
    assert np.allclose(way, [line.path.vertices for line in own])
    assert math.isclose(far, plotter.travel(own), rel_tol=1e-6)
    plotted = files['plotted.svg'].decode()
    assert 'width="148mm" height="210mm"' in plotted or 'width="210mm" height="148mm"' in plotted
    assert plotted.count('<path') <= 18 and 'inkscape:groupmode="layer"' in plotted


def test_a_pdf_is_one_page_whose_places_are_right(files):
    data = files['page.pdf']
    table = data[int(data[data.rindex(b'startxref') :].split()[1]) :]
    assert table.startswith(b'xref\n0 7\n')
    places = [int(line.split()[0]) for line in table.splitlines() if line.endswith(b'00000 n ')]
    for number, place in enumerate(places, start=1):
        assert data[place:].startswith(b'%d 0 obj' % number)
    assert b'/Metadata 5 0 R' in data and data.count(b'/Type /Page ') == 1
    assert data.count(b' S\n') + data.count(b' S') >= 18
    for body in data.split(b'/Length ')[1:]:
        length = int(body.split()[0])
        assert body[body.index(b'stream\n') + 7 :][length:].startswith(b'\nendstream')


def test_a_zip_is_opened_by_python(page):
    script = """
        const file = (name, text) => ({name, bytes: utf8(text)});
        return coded(zipBytes([file('ä/1.svg', '<svg/>'), file('2.txt', 'two')]));
    """
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(answer(page, script)))) as found:
        assert found.testzip() is None
        assert {name: found.read(name) for name in found.namelist()} == {
            'ä/1.svg': b'<svg/>',
            '2.txt': b'two',
        }


@pytest.fixture(scope='module')
def pen(tmp_path_factory):
    return toy_pen(tmp_path_factory.mktemp('models') / 'toy', reads=True)


def test_python_draws_the_pages_files_again(browser, pen):
    script = """
        const {openModel} = await import('/studio/engine/model.js');
        const answered = await fetch('/studio/models/toy.bundle');
        const own = await openModel(new Uint8Array(await answered.arrayBuffer()));
        const seeds = ['7', '-3', '9223372036854775807'];
        const chosen = seeds.map((seed) => ({id: seed, seed, label: own.labelOf(BigInt(seed))}));
        chosen[1] = {id: 'l', latents: [...own.latentsOf(-3n)], label: 2};
        const made = chosen.map((item) => own.itemDrawing(item));
        const told = [recipeOf(own, chosen), recipeOf(own, chosen.slice(0, 1))];
        return [
          await svgText(sheet(made), told[0]), await svgText(sheet(made.slice(0, 1)), told[1]),
          await pngBytes(pixelsOf(sheet(made.slice(0, 1)), 200), told[1]),
          plotterSvg(sheetForPaper(made, 'a5'), 'a5', told[0]),
        ].map(coded);
    """
    with studio_page(browser, bundle.bundle(pen.version), path=EMPTY) as page:
        files = [base64.b64decode(each) for each in answer(page, script)]
    for number, data in enumerate(files):
        recipe, ending = provenance.read(data), provenance.kind_of(data)
        assert recipe['sha256'] == pen.sha256
        assert set(recipe['drawings'][0]) == {'seed', 'label'}
        again = pen.again(recipe | {'source': provenance.TRAINED}, ending)
        if ending == '.svg':
            assert pen.form.differ(ending, recipe, data, again) == '', number
        else:
            [found], [wanted] = of_pillow(data), of_pillow(again)
            assert np.abs(found.astype(int) - wanted).mean() < 2


def test_python_draws_again_what_was_changed_on_the_page(browser, pen):
    found = [sliders.edit(name) for name in ('width', 'size', 'tilt')]
    (pen.version / sliders.FILE).write_text(sliders.as_json(found))
    script = """
        const {openModel} = await import('/studio/engine/model.js');
        const answered = await fetch('/studio/models/toy.bundle');
        const own = await openModel(new Uint8Array(await answered.arrayBuffer()));
        const other = {id: 'o', seed: '5', label: 0, truncation: 0.5, sliders: {width: 0.4}};
        const chosen = [
          {id: 'a', seed: '7', label: 1, sliders: {width: 0.3, tilt: -0.2}},
          {id: 'b', latents: [...own.latentsOf(-3n)], label: 2, kept: {strokes: [1, 3], of: other}},
          {id: 'c', seed: '9', label: 0, truncation: 0.3, sliders: {size: 0.05}},
        ];
        const made = chosen.map((item) => own.itemDrawing(item));
        return coded(await svgText(sheet(made), recipeOf(own, chosen)));
    """
    with studio_page(browser, bundle.bundle(pen.version), path=EMPTY) as page:
        data = base64.b64decode(answer(page, script))
    recipe = provenance.read(data)
    again = pen.again(recipe | {'source': provenance.TRAINED}, '.svg')
    assert pen.form.differ('.svg', recipe, data, again) == ''
    for drawing in recipe['drawings']:
        drawing.pop('sliders', None)
    plain = pen.again(recipe | {'source': provenance.TRAINED}, '.svg')
    assert pen.form.differ('.svg', recipe, data, plain) != ''
    drawing = recipe['drawings'][1]
    for strokes in ({'a': 1}, 'x', None):
        drawing['kept'] = {'strokes': strokes, 'of': drawing | {'kept': None}}
        with pytest.raises(ModelError, match='its recipe is of no file'):
            pen.again(recipe, '.svg')


def test_what_a_session_calls_a_colour_stays_one(page):
    bad = drawing(0)
    bad['strokes'][0]['colour'] = '"/><script>window.ran = 1</script><path d="'
    bad['paper'] = '"/><script>1</script>'
    svg = answer(page, 'return svgText(sheet(drawings), recipe)', drawings=[bad])
    assert '<script' not in svg
