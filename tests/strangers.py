"""Files of strangers, none of which says what made it, and one recipe that is right."""

import json

from tfgan import provenance


def with_json(text):
    own = provenance.chunk(b'tEXt', b'tfgan\0' + text.encode())
    return provenance.PNG + own


RIGHT = json.dumps({'software': 'tfgan', 'drawings': [{'seed': 1}]})
NO_RECIPES = [
    b'',
    b'\x89PNG\r\n\x1a\n',
    provenance.PNG + b'\xff\xff\xff\xfftEXttfgan\0{',
    b'\xff\xd8\xff',
    b'\xff\xd8\xff\xfe\0\0' * 5,
    b'GIF89a',
    b'%PDF-1.4\n<tfgan:recipe>{}</tfgan:recipe>',
    b'RIFF<tfgan:recipe>[[</tfgan:recipe>',
    with_json('[' * 100_000),
    with_json('{"software": ' + '9' * 100_000 + '}'),
    *map(
        with_json,
        (
            '{}', '[]', '7', 'null', '{"software": "x"}', '{"software": 1, "drawings": []}',
            '{"software": "x", "drawings": 5}', '{"software": "x", "drawings": [5]}',
            '{"software": "x", "drawings": [{}]}', '{"software": "x", "drawings": [{"seed": 1.5}]}',
            '{"software": "x", "drawings": [{"seed": true}]}',
            '{"software": "x", "drawings": [{"seed": 9223372036854775808}]}',
            '{"software": "x", "drawings": [{"latents": []}]}',
            '{"software": "x", "drawings": [{"latents": [1e999]}]}',
            '{"software": "x", "drawings": [{"latents": [NaN]}]}',
            '{"software": "x", "drawings": [{"latents": ["1"]}]}',
            '{"software": "x", "drawings": [{"seed": 1, "truncation": 2}]}',
            '{"software": "x", "drawings": [{"seed": 1, "label": 7}]}',
            '{"software": "x", "sha256": 7, "drawings": []}',
            json.dumps({'software': 'x' * 5000, 'drawings': []}),
        ),
    ),
    b'<svg xmlns:t="urn:tfgan:"><t:recipe>' + RIGHT.encode(),
    b'<svg xmlns:t="urn:tfgan:"><t:recipe/></svg>',
    b'<!DOCTYPE svg [<!ENTITY r "x">]>\n<svg xmlns:t="urn:tfgan:"><t:recipe>&r;</t:recipe></svg>',
    b'<svg xmlns:t="urn:tfgan:"><t:recipe>\xff\xfe</t:recipe></svg>',
    b'<svg xmlns:t="urn:tfgan:">' + b'<a>' * 1000,
]  # fmt: skip
