"""The studio as one HTML file, and on a server."""

import json
import pathlib
import shutil
import subprocess

import pytest
import requests
from browser import file_page, studio_page
from commands import run
from servers import Server
from toy_models import export_busy, toy_music

from tfgan.saved_model import bundle
from tfgan.server import page as studio

DRAWN = 'main svg path'  # a stroke of a drawing
MOST_BYTES = 3_000_000
MOST_OF_MUSIC = 4_000_000


@pytest.fixture(scope='module')
def file(pen_bundle, tmp_path_factory):
    path = tmp_path_factory.mktemp('page') / 'toy.html'
    path.write_bytes(studio.html(pen_bundle))
    return path


def test_one_file_draws_without_a_network(browser, file):
    with file_page(browser, file, width=320) as page:
        page.wait_for_selector(DRAWN)
        assert page.locator('main').inner_text()
        asked = page.evaluate("performance.getEntriesByType('resource').map(({name}) => name)")
        assert [each for each in asked if not each.startswith(('data:', 'blob:'))] == []
        assert page.context.cookies() == []


def test_the_file_forbids_requests_and_other_code(browser, file):
    with file_page(browser, file) as page:
        page.wait_for_selector(DRAWN)
        script = """async () => {
            const element = document.createElement('script');
            element.textContent = 'window.ran = true';
            document.body.append(element);
            const image = new Image();
            const seen = new Promise((resolve) => (image.onerror = image.onload = resolve));
            image.src = 'https://example.org/x.png';
            await seen;
            const asked = fetch('https://example.org/').then(() => 'answered', () => 'refused');
            return [window.ran ?? 'not run', await asked];
        }"""
        assert page.evaluate(script) == ['not run', 'refused']
        told = '\n'.join(page.faults)
        assert all(rule in told for rule in ('script-src', 'img-src', 'connect-src'))
        page.faults.clear()


def test_the_file_draws_what_the_served_page_does(browser, file, pen_bundle):
    pages = studio_page(browser, pen_bundle), file_page(browser, file)
    strokes = []
    for opened in pages:
        with opened as page:
            page.wait_for_selector(DRAWN)
            script = (
                f"[...document.querySelectorAll('{DRAWN}')].map((path) => path.getAttribute('d'))"
            )
            strokes.append(page.evaluate(script)[:50])
    assert strokes[0] == strokes[1]
    assert len(strokes[0]) == 50


def test_a_command_writes_the_file(pen_version, pen_bundle, tmp_path):
    model = f'--model={pen_version.parent}'
    said, _ = run(tmp_path, 'export', '--format=html', model, '--out=pages/toy.html')
    data = (tmp_path / 'pages' / 'toy.html').read_bytes()
    assert data == studio.html(pen_bundle)
    assert said == f'a page of {len(data) / 1e6:.1f} MB, which a browser opens: pages/toy.html\n'


SHIPPED = sorted(pathlib.Path(__file__).parents[2].glob('saved_models/*/*/saved_model.pb'))


@pytest.mark.parametrize('path', SHIPPED, ids=lambda path: path.parts[-3])
def test_the_files_of_the_models_that_ship_are_small(path):
    most = MOST_OF_MUSIC if path.parts[-3] == 'chorales' else MOST_BYTES
    assert len(studio.html(bundle.bundle(path.parent))) <= most


@pytest.mark.parametrize(
    ('flags', 'words'),
    [
        (['--model=m'], '--format=html too'),
        (['--model=m', '--run_dir=r', '--format=html'], 'give one of the two'),
        (['--model=m', '--format=html', '--out=x.svg'], 'it can be written as .html'),
        (['--model=m', '--format=html'], 'no exported model there'),
    ],
)
def test_a_command_that_cannot_write_the_file_says_why(tmp_path, flags, words):
    _, said = run(tmp_path, 'export', *flags, code=1)
    assert words in said


# What joins modules


def write(folder, **modules):
    for name, source in modules.items():
        path = folder / f'{name.replace("__", "/")}.js'
        path.parent.mkdir(exist_ok=True)
        path.write_text(source)


def test_modules_keep_their_own_names(browser, tmp_path):
    write(
        tmp_path,
        app=(
            "import {one as first, Kind} from './one.js';\n"
            "import * as deep from './deep/two.js';\n"
            "import {\n  later,\n  sum,\n} from './deep/two.js';\n"
            'const hidden = 3;\n'
            'export const found = await later();\n'
            'globalThis.found = [first, new Kind().name, deep.sum(hidden, found), sum(1, 1)];\n'
        ),
        one=(
            'const hidden = 1;\nexport const one = hidden;\n'
            "// export const two = 2;\nclass Kind { name = 'kind'; }\nexport {Kind};\n"
        ),
        deep__two=(
            "import {one} from '../one.js';\nlet hidden = 2;\n"
            'export function sum(a, b) { return a + b; }\n'
            'export async function later() { hidden += one; return hidden; }\n'
        ),
    )
    with browser.new_context() as context, context.new_page() as page:
        script = studio.joined(tmp_path, 'app.js')
        page.add_script_tag(content=script, type='module')
        page.wait_for_function('globalThis.found')
        assert page.evaluate('globalThis.found') == [1, 'kind', 6, 2]


@pytest.mark.parametrize(
    'source',
    [
        'export default 3;\n',
        'export let a = 1;\n',
        "import a from './one.js';\n",
        "export {a} from './one.js';\n",
        "import './one.js';\n",
        'const a = 1;\nexport {a as b};\n',
        "const a = await import('./one.js');\n",
    ],
)
def test_what_cannot_be_joined_is_refused(tmp_path, source):
    write(tmp_path, one='export const a = 1;\n', app=source)
    with pytest.raises(ValueError, match='joined'):
        studio.joined(tmp_path, 'app.js')


def test_circles_of_modules_are_refused(tmp_path):
    write(tmp_path, app="import {a} from './one.js';\n", one="import {b} from './app.js';\n")
    with pytest.raises(ValueError, match='imports itself'):
        studio.joined(tmp_path, 'app.js')


# On a server


@pytest.fixture(scope='module')
def studio_server(pen_version, tmp_path_factory):
    models = tmp_path_factory.mktemp('both')
    shutil.copytree(pen_version.parent, models / 'toy')
    export_busy(models / 'busy')
    toy_music(models / 'music', steps=16)
    with Server(models) as server:
        yield server


def get(server, path, **headers):
    host, port = server.place
    return requests.get(f'http://{host}:{port}{path}', headers=headers, allow_redirects=False)


def test_a_server_has_the_page_and_its_models(studio_server, pen_bundle):
    assert get(studio_server, '/studio').headers['Location'] == '/studio/'
    page = get(studio_server, '/studio/')
    assert page.text == (studio.FOLDER / 'index.html').read_text()
    assert page.headers['Content-Type'] == 'text/html; charset=utf-8'
    script = get(studio_server, '/studio/engine/model.js')
    assert script.headers['Content-Type'] == 'text/javascript; charset=utf-8'
    for answer in (page, script):
        assert answer.headers['Content-Security-Policy'] == studio.SERVED_POLICY
        assert answer.headers['X-Content-Type-Options'] == 'nosniff'
        assert 'Set-Cookie' not in answer.headers
    # The third model is none of tfgan's.
    models = {'models': [{'name': name, 'version': 1} for name in ('music', 'toy')]}
    assert get(studio_server, '/studio/models.json').json() == models
    for _ in range(2):
        assert get(studio_server, '/studio/models/toy.bundle').content == pen_bundle


@pytest.mark.parametrize(
    'name',
    [
        'models/busy.bundle',
        'models/none.bundle',
        'none.js',
        '../page.py',
        '%2e%2e/page.py',
        'engine',
    ],
)
def test_what_is_not_the_studios_is_not_found(studio_server, name):
    # `requests` would resolve the dots itself.
    host, port = studio_server.place
    command = ['curl', '--silent', '--path-as-is', f'http://{host}:{port}/studio/{name}']
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert 'error' in json.loads(answer)


@pytest.mark.parametrize('path', ['/studio/', '/studio/models.json', '/studio/models/toy.bundle'])
@pytest.mark.parametrize('headers', [{'Host': 'example.org'}, {'Origin': 'http://example.org'}])
def test_pages_of_others_may_not_read_the_studio(studio_server, path, headers):
    assert get(studio_server, path, **headers).status_code == 403


def test_the_served_page_opens(browser, studio_server):
    host, port = studio_server.place
    with browser.new_context() as context, context.new_page() as page:
        faults = []
        page.on('console', lambda message: faults.append(message.text))
        page.on('pageerror', lambda error: faults.append(str(error)))
        page.goto(f'http://{host}:{port}/studio')
        page.wait_for_selector('main :is(svg, img, canvas)')
        assert faults == []
