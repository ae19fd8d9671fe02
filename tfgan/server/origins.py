"""Who may ask by way of a browser: the names a server goes by, and the sites whose pages may ask.

A page of any site can send requests to this machine. Two headers, which no page can change, tell
them: Host is the name by which the page asked, Origin the page's own site. The answers for other
sites are those of the Fetch standard, https://fetch.spec.whatwg.org/#http-cors-protocol.
"""

import functools
import ipaddress
import re

from aiohttp import web

from tfgan.errors import RefusedError, quoted

HOST = re.compile(r'(\[[0-9A-Fa-f:.]+\]|[^\[\]:/@\s]+)(?::[0-9]{1,5})?')  # and its port
MAX_AGE_SECS = 600  # For so long a browser need not ask again whether it may.


@functools.lru_cache
def is_loopback(host: str) -> bool:
    """Whether a name or address, without a port, is that of the loopback."""
    try:
        return ipaddress.ip_address(host.strip('[]')).is_loopback
    except ValueError:
        name = host.lower().rstrip('.')
        return name == 'localhost' or name.endswith('.localhost')


class Origins:
    """The rules of a server that listens at `host`, where pages of `allowed` origins may ask."""

    def __init__(self, host: str, allowed: list[str]):
        self._is_loopback = is_loopback(host)
        self._allowed = frozenset(allowed)

    def headers(self, request: web.BaseRequest) -> dict[str, str]:
        """The headers that tell a browser whose page may read the answer.

        Raises RefusedError PERMISSION_DENIED for a name or a page that may not ask.
        """
        host, origin = request.headers.get('Host', ''), request.headers.get('Origin')
        if not request.raw_path.startswith('/'):  # It would name a host of its own.
            raise RefusedError('PERMISSION_DENIED', 'ask for a path; this server is no proxy')
        match = HOST.fullmatch(host)
        if self._is_loopback and not (match and is_loopback(match[1])):
            raise RefusedError(
                'PERMISSION_DENIED',
                f'Host: {quoted(host)}: this server answers to localhost and 127.0.0.1 alone',
            )
        if origin is None:
            return {}
        is_own = self._is_loopback and origin == f'{request.url.scheme}://{host}'
        if not is_own and origin not in self._allowed:
            raise RefusedError(
                'PERMISSION_DENIED',
                f'Origin: {quoted(origin)}: its pages may not ask; tfgan.serve '
                f'--allow_origin={quoted(origin)} lets them',
            )
        return {'Access-Control-Allow-Origin': origin, 'Vary': 'Origin'}


def preflight(request: web.BaseRequest) -> dict[str, str] | None:
    """What a browser's question before a request is answered with; None for other requests."""
    if request.method != 'OPTIONS' or 'Access-Control-Request-Method' not in request.headers:
        return None
    return {
        'Access-Control-Allow-Methods': 'GET, POST',
        'Access-Control-Allow-Headers': 'Content-Type, Content-Encoding',
        'Access-Control-Max-Age': str(MAX_AGE_SECS),
    }
