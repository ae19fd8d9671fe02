"""The studio's page: what a server answers for it, and all of it as one HTML file."""

import asyncio
import base64
import collections
import concurrent.futures
import functools
import hashlib
import json
import pathlib
import re
import urllib.parse

from aiohttp import web

from tfgan.errors import ModelError, RefusedError, quoted
from tfgan.saved_model import card

FOLDER = pathlib.Path(__file__).with_name('studio')
WORDS = pathlib.Path(__file__).parents[1] / 'words' / 'words.gz'
PLACE = '/studio'
MODELS, BUNDLE = 'models/', '.bundle'
TYPES = {'.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css'}
BINARY = 'application/octet-stream'
MOST_BUNDLES = 16  # that are kept for the next one who asks

# What joins modules understands: imports by name or of all, and exports of what is not assigned to.
IMPORT = re.compile(r"^import (?:\{([^}]*)\}|\* as (\w+)) from '(\.[^']*)';\n", re.MULTILINE)
EXPORT = re.compile(r'^export (?:const|class|(?:async )?function\*?) (\w+)', re.MULTILINE)
LISTED = re.compile(r'^export \{(\s*\w+(?:\s*,\s*\w+)*\s*,?\s*)\};\n', re.MULTILINE)
UNKNOWN = re.compile(
    r'^(?:import\b|export (?!(?:const|class|async|function)\b)).*|\bimport\(.*', re.MULTILINE
)
COMMENT = re.compile(r'^ *// .*\n', re.MULTILINE)
START = 'app.js'
SCRIPT = re.compile(r'<script type="module" src="app\.js"></script>\n?')
STYLE = re.compile(r'<link rel="stylesheet" href="([^"]*)">\n?')
HEAD = '<meta charset="utf-8">\n'


def policy(scripts: str, styles: str, connections: str) -> str:
    """A Content-Security-Policy by which a page asks no other site and runs no other code."""
    rules = {
        'default-src': "'none'",
        'script-src': scripts,
        'style-src': styles,
        'img-src': 'data: blob:',
        'connect-src': connections,
        'base-uri': "'none'",
        'form-action': "'none'",
    }
    return '; '.join(f'{name} {value}' for name, value in rules.items())


# A page may not forbid in its own markup that others frame it, so only a server's header does.
SERVED_POLICY = policy("'self'", "'self'", "'self'") + "; frame-ancestors 'none'"
HEADERS = {
    'Content-Security-Policy': SERVED_POLICY,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Cache-Control': 'no-cache',  # A version may be replaced by a newer one at any time.
}


# One HTML file


def html(bundle: bytes, with_words: bool = True) -> bytes:
    """The whole page with a model in it, as one HTML file that needs neither server nor network.

    Scenes, which only models that draw have, are told `with_words`.
    """
    script = joined(FOLDER, START)
    page = (FOLDER / 'index.html').read_text()
    styles = '\n'.join((FOLDER / name).read_text() for name in STYLE.findall(page))
    _check_inline(script, styles)
    rules = policy(_hash(script), _hash(styles), "'none'")
    data = [('bundle', bundle)]
    if with_words and WORDS.exists():
        data.append(('words', WORDS.read_bytes()))
    page = STYLE.sub('', SCRIPT.sub('', page))
    meta = f'<meta http-equiv="Content-Security-Policy" content="{rules}">\n'
    head = f'{HEAD}{meta}<style>{styles}</style>\n'
    parts = [f'<script type="{BINARY}" id="{name}">{_text(each)}</script>\n' for name, each in data]
    parts.append(f'<script type="module">{script}</script>\n')
    return page.replace(HEAD, head).replace('</body>', f'{"".join(parts)}</body>').encode()


def joined(folder: pathlib.Path, start: str) -> str:
    """A module and all that it imports as one, each in a scope of its own; raises ValueError."""
    order, scopes = [], {}
    _visit(folder, folder / start, order, ())
    for number, path in enumerate(order):
        scopes[path] = f'module{number}'
    return ''.join(_scoped(path, scopes) for path in order)


def _visit(folder, path, order, above):
    """Puts a module into the order, after those that it imports."""
    if path in order:
        return
    if path in above:
        raise ValueError(f'{path.relative_to(folder)} imports itself by way of others')
    for _, _, place in IMPORT.findall(path.read_text()):
        _visit(folder, _target(path, place), order, (*above, path))
    order.append(path)


def _target(path, place):
    return (path.parent / place).resolve()


def _scoped(path, scopes):
    """A module, without its comments, as a block whose exports are the fields of one object."""
    source = COMMENT.sub('', path.read_text())
    listed = re.findall(r'\w+', ' '.join(LISTED.findall(source)))
    names = [*EXPORT.findall(source), *listed]

    def imported(match):
        by_name, whole, place = match.groups()
        scope = scopes[_target(path, place)]
        taken = whole or '{' + by_name.replace(' as ', ': ') + '}'
        return f'const {taken} = {scope};\n'

    body = LISTED.sub('', IMPORT.sub(imported, source))
    body = EXPORT.sub(lambda match: match[0].removeprefix('export '), body)
    if found := UNKNOWN.search(body):
        raise ValueError(f'{path.name}: {found[0]}: it has to be written otherwise to be joined')
    if path.name == START:  # It waits at its top, which a function could not.
        return f'{{\n{body}}}\n'
    return f'const {scopes[path]} = (() => {{\n{body}return {{{", ".join(names)}}};\n}})();\n'


def _check_inline(script, styles):
    """Raises ValueError where text would end the element that it is put into."""
    for text, end in ((script, '</script'), (script, '<!--'), (styles, '</style')):
        if end in text.lower():
            raise ValueError(f'the studio has {end} in its code')


def _hash(text):
    return f"'sha256-{_text(hashlib.sha256(text.encode()).digest())}'"


def _text(data):
    return base64.b64encode(data).decode()


# Answers of a server


class Studio:
    """The page over the models of a `ModelManager`: its files, and the bundles of its models."""

    def __init__(self, manager):
        self._manager = manager
        self._bundles = collections.OrderedDict()  # of versions' folders, each a future
        self._executor = concurrent.futures.ThreadPoolExecutor(1)  # They are made one at a time.

    def has(self, path: str) -> bool:
        """Whether a path is one of the page's."""
        return path == PLACE or path.startswith(f'{PLACE}/')

    def close(self) -> None:
        """Lets go of its thread."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def answer(self, path: str) -> web.Response:
        """What is at a path, as it stands in a request; raises RefusedError."""
        if path == PLACE:
            return web.Response(status=308, headers=HEADERS | {'Location': f'{PLACE}/'})
        body, kind = await self._body(path.removeprefix(f'{PLACE}/') or 'index.html')
        return web.Response(body=body, content_type=kind, charset=_charset(kind), headers=HEADERS)

    async def _body(self, name):
        if name == 'models.json':
            return await asyncio.to_thread(self._models), 'application/json'
        if name.startswith(MODELS) and name.endswith(BUNDLE):
            model = urllib.parse.unquote(name[len(MODELS) : -len(BUNDLE)])
            return await self._bundle(self._manager.find(model)), BINARY
        path = WORDS if name == WORDS.name else _files().get(name)
        if path is None or not path.exists():
            raise RefusedError('NOT_FOUND', f'the studio has no {quoted(name)}')
        return await asyncio.to_thread(path.read_bytes), TYPES.get(path.suffix, BINARY)

    def _models(self):
        """The models that the page can open, as JSON."""
        versions = [self._manager.find(name) for name, is_there in self._serving() if is_there]
        models = [
            {'name': version.model, 'version': version.number}
            for version in versions
            if _is_for_page(version.folder)
        ]
        return json.dumps({'models': models}).encode()

    def _serving(self):
        return sorted(self._manager.serving().items())

    async def _bundle(self, version):
        """A version's bundle, which is made once for all who ask."""
        folder = version.folder
        if folder not in self._bundles:
            make = functools.partial(_made, folder, self._manager.trust_model)
            loop = asyncio.get_running_loop()
            self._bundles[folder] = loop.run_in_executor(self._executor, make)
            while len(self._bundles) > MOST_BUNDLES:
                self._bundles.popitem(last=False)
        self._bundles.move_to_end(folder)
        try:
            return await asyncio.shield(self._bundles[folder])
        except ModelError as error:
            raise RefusedError('NOT_FOUND', str(error)) from error
        except Exception:
            self._bundles.pop(folder, None)  # The next one who asks may have more luck.
            raise


def _made(folder, trust_model):
    from tfgan.saved_model import bundle

    return bundle.bundle(folder, trust_model)


def _is_for_page(folder):
    try:
        card.read(folder)
    except ModelError:
        return False
    return True


@functools.cache
def _files():
    """{name: path} of the files that the page has."""
    paths = (path for path in FOLDER.rglob('*') if path.suffix in TYPES)
    return {path.relative_to(FOLDER).as_posix(): path for path in paths}


def _charset(kind):
    return 'utf-8' if kind.startswith('text/') else None
