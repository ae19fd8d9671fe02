"""The studio's page: its files as a server gives them, and all of it as one HTML file."""

import pathlib

FOLDER = pathlib.Path(__file__).with_name('studio')
TYPES = {'.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css'}


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
