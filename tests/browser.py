"""Chromium for tests of the studio's pages, of which any fault fails its test.

    def test_it_opens(browser, toy_bundle):
        with studio_page(browser, toy_bundle, width=320) as page:
            page.get_by_role('button', name='Undo').click()

The page's files come from tfgan/server/studio by way of Playwright, without a server and with a
server's headers. `page.faults` has what the browser has complained of so far.
"""

import contextlib
import json
import shutil
import urllib.parse

import pytest

from tfgan.server import page as studio

NAMES = 'chromium', 'chromium-browser', 'google-chrome'  # of the program, by system
ORIGIN = 'http://localhost'  # a page of it may do what one of https may
HOME = f'{ORIGIN}/studio/'
EMPTY = 'empty.html'  # a page of the same origin that runs nothing, for tests of modules
# The page has a model of this name, and no other one.
MODEL = 'toy'
ARGUMENTS = """
--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync
"""
MISSING = 'no Chromium here: install Debian\'s package "chromium", or python -m playwright install'


@pytest.fixture(scope='module')
def browser():
    """A headless Chromium; a module has its own, because Playwright's event loop is in the way."""
    # Other tests of the same process run event loops of their own, which may not be nested.
    api = pytest.importorskip('playwright.sync_api', reason='pip install -e .[dev] has Playwright')
    program = next(filter(None, map(shutil.which, NAMES)), None)
    with api.sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(
                executable_path=program, args=ARGUMENTS.split(), timeout=60_000
            )
        except api.Error:
            if program:
                raise
            pytest.skip(MISSING)
        yield chromium
        chromium.close()


@contextlib.contextmanager
def studio_page(
    browser, bundle: bytes, width=1280, height=800, words=None, path='index.html', **context
):
    """The studio with a bundle's model, in a window of that size, once it has loaded.

    `words` are the bytes of the file of words, those of the package if there are some; `path` may
    be `EMPTY`. More arguments are those of Playwright's `new_context`, such as `color_scheme`.
    """

    def answer(route):
        name = urllib.parse.unquote(urllib.parse.urlparse(route.request.url).path)
        if route.request.url.startswith(HOME) and (found := _file(name, bundle, words)):
            body, kind = found
            headers = {'Content-Security-Policy': studio.SERVED_POLICY}
            route.fulfill(body=body, content_type=kind, headers=headers)
        else:
            route.abort()

    with _page(browser, HOME, width=width, height=height, **context) as page:
        page.route('**/*', answer)
        page.goto(HOME + path)
        yield page


@contextlib.contextmanager
def file_page(browser, path, width=1280, height=800, **context):
    """The same of one HTML file on disk, without a network."""
    with _page(browser, path.as_uri(), width=width, height=height, **context) as page:
        page.context.set_offline(True)
        page.goto(path.as_uri())
        yield page


@contextlib.contextmanager
def _page(browser, home, width, height, **context):
    """An empty page, which may ask for what begins with `home` only."""
    window = browser.new_context(viewport={'width': width, 'height': height}, **context)
    window.set_default_timeout(10_000)
    page = window.new_page()
    faults = page.faults = []
    page.on('console', lambda message: faults.extend(_told(message)))
    page.on('pageerror', lambda error: faults.append(f'error: {error}'))
    page.on('crash', lambda _: faults.append('the page crashed'))
    window.on('request', lambda request: faults.extend(_elsewhere(request.url, home)))
    try:
        yield page
        assert not faults, '\n'.join(faults)
    finally:
        window.close()


def _told(message):
    if message.type in ('error', 'warning'):
        yield f'{message.type} on the console: {message.text} ({message.location})'


def _elsewhere(url, home):
    if not url.startswith((home, 'data:', 'blob:')):
        yield f'request elsewhere: {url}'


def _file(path, bundle, words):
    """(bytes, type) of what a server has at a path below /studio/, or None."""
    name = path.removeprefix('/studio/') or 'index.html'
    if name == EMPTY:
        return '<!doctype html><title>-</title><link rel="icon" href="data:,">', 'text/html'
    if name == 'models.json':
        models = {'models': [{'name': MODEL, 'version': 1}]}
        return json.dumps(models), 'application/json'
    if name == f'models/{MODEL}.bundle':
        return bundle, 'application/octet-stream'
    if name == 'words.gz':
        words = studio.WORDS.read_bytes() if words is None else words
        return words, 'application/octet-stream'
    file = studio.FOLDER / name
    if file.is_file() and file.suffix in studio.TYPES:
        return file.read_bytes(), studio.TYPES[file.suffix]
    return None
