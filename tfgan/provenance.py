"""What made a file: its recipe, told in the metadata that each kind of file has.

A recipe is plain JSON: {software, model, sha256, licence, source, as, drawings: [{seed or latents,
label, truncation}], ...}. `source` is a term of the IPTC's list of digital source types, and what
files are made `as` tells which of this package's ways to draw it was. PNG has the recipe in a chunk
of its own, JPEG in comments, MIDI in a text of its first track and MusicXML in a field; all others
have it within XMP, by which pictures and sound tell any program the rest. For pictures,
tfgan/server/studio/files/provenance.js writes and reads the same.
"""

import contextlib
import json
import math
import re
import struct
import zlib
from xml.parsers import expat
from xml.sax.saxutils import escape

import tfgan

SOFTWARE = f'tfgan {tfgan.__version__}'
TRAINED = 'trainedAlgorithmicMedia'
COMPOSITE = 'compositeWithTrainedAlgorithmicMedia'  # a person's drawing or photograph is in it
SOURCES = 'http://cv.iptc.org/newscodes/digitalsourcetype/'
NAMESPACE = 'urn:tfgan:'
CHUNK, XMP_CHUNK = b'tfgan', b'XML:com.adobe.xmp'  # the keywords of PNG's chunks
# Files come from strangers, so what is looked at has bounds.
MOST_BYTES = 64 << 20  # of a file
MOST_LETTERS = 16 << 20  # of a recipe
MOST_DEPTH = 100  # of elements within others
MOST_DRAWINGS, MOST_LATENTS = 100_000, 1 << 16
MOST_NAME = 1000  # letters of a name in it
PNG, JPEG, GIF, PDF, RIFF = b'\x89PNG\r\n\x1a\n', b'\xff\xd8\xff', b'GIF8', b'%PDF-', b'RIFF'
MIDI = b'MThd'
STARTS = {PNG: '.png', JPEG: '.jpg', GIF: '.gif', PDF: '.pdf', RIFF: '.webp', MIDI: '.mid'}
WAVE = b'WAVE'  # of those in RIFF, which are .webp else
SCORE = b'<score-partwise', b'<score-timewise'  # what MusicXML has within its first bytes
FIRST_BYTES = 4096
FIELD = 'tfgan:recipe'  # the name of MusicXML's field and the start of MIDI's text
# Around what an SVG file says: programs that know XMP look for the inner element.
METADATA = (
    '<metadata>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">\n',
    '\n</x:xmpmeta>\n</metadata>\n',
)
FORBIDDEN = re.compile('[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]')  # in XML
IN_XML = re.compile(rb'<tfgan:recipe>([^<]*)</tfgan:recipe>')
IN_MIDI = re.compile(rb'\xff\x01([\x80-\xff]{0,3}[\x00-\x7f])(tfgan:recipe )')
_IS_ON = [True]


@contextlib.contextmanager
def switched_off():
    """Within it no file says what made it."""
    before, _IS_ON[0] = _IS_ON[0], False
    try:
        yield
    finally:
        _IS_ON[0] = before


def is_on() -> bool:
    """Whether files say what made them, as they do unless they are told not to."""
    return _IS_ON[0]


def recipe(facts: dict, drawings: list[dict], **more) -> dict:
    """The recipe of drawings; `facts` are those of their model, `more` has `source` if not TRAINED.

    What is None is left out.
    """
    found = {'software': SOFTWARE} | facts | {'source': TRAINED} | more | {'drawings': drawings}
    return {name: value for name, value in found.items() if value is not None}


def of_one(recipe: dict | None, number: int, made_as: str) -> dict | None:
    """The recipe of a file of one of several drawings."""
    return recipe and recipe | {'as': made_as, 'drawings': [recipe['drawings'][number]]}


def latents_as_json(latents) -> list[float]:
    """Numbers of 32 bits with as many digits as tell them apart."""
    return [float(f'{each:.9g}') for each in latents]


def as_json(recipe: dict) -> str:
    """A recipe in ASCII; numbers that JSON lacks are null."""
    return json.dumps(_finite(recipe), separators=(',', ':'))


def _finite(value):
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def xml(text: str) -> str:
    """A text as XML has it between elements."""
    return escape(FORBIDDEN.sub('\ufffd', text))


def rdf(recipe: dict, told: str | None = None) -> str:
    """The RDF of an XMP packet, in which `told` is the recipe, if there is one."""

    def element(name, text):
        return f'<{name}>{text}</{name}>\n' if text else ''

    licence, source = xml(recipe.get('licence') or ''), recipe.get('source')
    rights = f'<rdf:Alt><rdf:li xml:lang="x-default">{licence}</rdf:li></rdf:Alt>'
    return (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n<rdf:Description'
        ' rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
        ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
        f' xmlns:tfgan="{NAMESPACE}">\n'
        f'{element("xmp:CreatorTool", xml(recipe["software"]))}'
        f'{element("dc:rights", licence and rights)}'
        f'{element("Iptc4xmpExt:DigitalSourceType", source and xml(SOURCES + source))}'
        f'{element("tfgan:recipe", told)}</rdf:Description>\n</rdf:RDF>'
    )


def xmp(recipe: dict, told: str | None = None) -> bytes:
    """An XMP packet, as `rdf`."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/">\n{rdf(recipe, told)}\n</x:xmpmeta>\n'
        '<?xpacket end="w"?>'
    ).encode()


def _whole_xmp(recipe):
    return xmp(recipe, xml(as_json(recipe)))


def stamped(data: bytes, ending: str, recipe: dict | None) -> bytes:
    """A file of that ending with its recipe; as it is without one, or where that is switched off.

    Files are as Pillow, Matplotlib and this package write them.
    """
    if recipe is None or not is_on():
        return data
    return STAMPS[ending](data, recipe)


def chunk(name: bytes, body: bytes) -> bytes:
    """A chunk of a PNG file."""
    return struct.pack('>I', len(body)) + name + body + struct.pack('>I', zlib.crc32(name + body))


HEADER_BYTES = 33  # of a PNG file: its first bytes and the chunk that tells its size


def xmp_chunk(recipe: dict) -> bytes:
    """The chunk of a PNG file that tells any program what made it."""
    return chunk(b'iTXt', XMP_CHUNK + bytes(5) + xmp(recipe))


def _png(data, recipe):
    own = chunk(b'tEXt', CHUNK + b'\0' + as_json(recipe).encode())
    return data[:HEADER_BYTES] + xmp_chunk(recipe) + own + data[HEADER_BYTES:]


SEGMENT_BYTES = 65_000  # of a JPEG file's segments, which have two bytes for their lengths


def _jpeg(data, recipe):
    def segment(kind, body):
        return struct.pack('>BBH', 0xFF, kind, len(body) + 2) + body

    told = as_json(recipe).encode()
    parts = [told[i : i + SEGMENT_BYTES] for i in range(0, len(told), SEGMENT_BYTES)]
    known = segment(0xE1, b'http://ns.adobe.com/xap/1.0/\0' + xmp(recipe))
    after = 4 + int.from_bytes(data[4:6], 'big')  # the segment that makes it a JFIF file is first
    own = known + b''.join(segment(0xFE, part) for part in parts)
    return data[:after] + own + data[after:]


def _webp(data, recipe):
    """In RIFF, after a chunk that says that there is XMP; Pillow writes it of animations only."""
    body = data[12:]
    if body[:4] != b'VP8X':
        bits = int.from_bytes(body[9:13], 'little')  # of a lossless picture: 14 for each side
        sides = (bits & 0x3FFF) | ((bits >> 14) & 0x3FFF) << 24
        alpha = 0x10 * (bits >> 28 & 1)
        body = struct.pack('<4sIB3x', b'VP8X', 10, alpha) + sides.to_bytes(6, 'little') + body
    packet = _whole_xmp(recipe)
    body = body[:8] + bytes([body[8] | 0x04]) + body[9:]
    body += b'XMP ' + struct.pack('<I', len(packet)) + packet + bytes(len(packet) % 2)
    return RIFF + struct.pack('<I', len(body) + 4) + b'WEBP' + body


def _gif(data, recipe):
    """As an application's extension, in which XMP stands as it is.

    For readers who take its letters for lengths of blocks there is a row of bytes after it, from
    each of which they come to the end.
    """
    colours = 3 * 2 ** (1 + (data[10] & 7)) if data[10] & 0x80 else 0
    trailer = bytes([1, *range(255, -1, -1), 0])
    own = b'\x21\xff\x0bXMP DataXMP' + _whole_xmp(recipe) + trailer
    return b'GIF89a' + data[6 : 13 + colours] + own + data[13 + colours :]


def metadata(recipe: dict, told: str) -> str:
    """What an SVG file says, which comes last in it; `told` is the recipe."""
    return rdf(recipe, told).join(METADATA)


def _svg(data, recipe):
    drawn, end, _ = data.rpartition(b'</svg>')
    return drawn + metadata(recipe, xml(as_json(recipe))).encode() + end + b'\n'


def bare(svg: str) -> str:
    """An SVG file of this package without what it says."""
    return re.sub('<metadata>.*?</metadata>\n', '', svg, flags=re.DOTALL)


def sentence(recipe: dict) -> str:
    """What made a file, in words for a person."""
    model = f' with the model {recipe["model"]}' if recipe.get('model') else ''
    kind = f': {SOURCES}{recipe["source"]}' if recipe.get('source') else ''
    return f'Made by {recipe["software"]}{model}{kind}'


def _mid(data, recipe):
    """As texts at the start of its first track, which have a byte a letter; the licence first."""

    def event(kind, text):
        body = text.encode('ascii', 'replace')
        return bytes([0, 0xFF, kind]) + _varying(len(body)) + body

    own = event(2, recipe['licence']) if recipe.get('licence') else b''
    own += event(1, sentence(recipe)) + event(1, f'{FIELD} {as_json(recipe)}')
    head, length = data[:18], int.from_bytes(data[18:22], 'big')
    return head + (length + len(own)).to_bytes(4, 'big') + own + data[22:]


def _varying(number):
    """A number as MIDI tells lengths: seven bits a byte, the highest first."""
    found = [number & 0x7F]
    while number := number >> 7:
        found.insert(0, 0x80 | number & 0x7F)
    return bytes(found)


def _musicxml(data, recipe):
    """As its identification, which comes before the list of parts."""
    rights = f'<rights>{xml(recipe["licence"])}</rights>' if recipe.get('licence') else ''
    fields = {'digital-source-type': SOURCES + recipe['source']} if recipe.get('source') else {}
    fields[FIELD] = as_json(recipe)
    told = ''.join(
        f'\n   <miscellaneous-field name="{name}">{xml(text)}</miscellaneous-field>'
        for name, text in fields.items()
    )
    own = (
        f'<identification>{rights}\n'
        f'  <encoding><software>{xml(recipe["software"])}</software></encoding>\n'
        f'  <miscellaneous>{told}\n  </miscellaneous>\n </identification>\n '
    )
    before, start, after = data.partition(b'<part-list>')
    return before + own.encode() + start + after


def _wav(data, recipe):
    """As RIFF's list of facts, whose texts end with a zero, and as XMP."""
    facts = {b'ISFT': recipe['software'], b'ICOP': recipe.get('licence')}
    facts[b'ICMT'] = sentence(recipe)
    told = b''.join(
        _riff(name, text.encode('ascii', 'replace') + b'\0') for name, text in facts.items() if text
    )
    body = data[8:] + _riff(b'LIST', b'INFO' + told) + _riff(b'_PMX', _whole_xmp(recipe))
    return RIFF + struct.pack('<I', len(body)) + body


def _riff(name, body):
    """A chunk of a RIFF file, which takes an even number of bytes."""
    return name + struct.pack('<I', len(body)) + body + bytes(len(body) % 2)


def _pdf(data, recipe):
    """As an update at the end of a file of Matplotlib's: its catalog once more, and XMP."""
    trailer = data[data.rindex(b'trailer') :]
    size, root = (int(re.search(rb'/%s (\d+)' % name, trailer)[1]) for name in (b'Size', b'Root'))
    catalog = re.search(rb'\n%d 0 obj\n<< (.*?) >>\nendobj' % root, data, re.DOTALL)[1]
    packet = _whole_xmp(recipe)
    stream = b'<< /Type /Metadata /Subtype /XML /Length %d >>\nstream\n%b\nendstream'
    told = b'<< %b /Metadata %d 0 R >>' % (catalog, size)
    objects = {root: told, size: stream % (len(packet), packet)}
    before = int(re.search(rb'startxref\s+(\d+)', trailer)[1])
    table, body = b'xref\n', data
    for number, each in objects.items():
        table += b'%d 1\n%010d 00000 n \n' % (number, len(body))
        body += b'%d 0 obj\n%b\nendobj\n' % (number, each)
    info = re.search(rb'/Info \d+ 0 R', trailer)[0]
    facts = b'/Size %d /Root %d 0 R %b /Prev %d' % (size + 1, root, info, before)
    return body + table + b'trailer\n<< %b >>\nstartxref\n%d\n%%%%EOF\n' % (facts, len(body))


STAMPS = {
    **dict.fromkeys(('.png', '.apng'), _png),
    **dict.fromkeys(('.jpg', '.jpeg'), _jpeg),
    **{'.webp': _webp, '.gif': _gif, '.svg': _svg, '.pdf': _pdf},
    **{'.mid': _mid, '.musicxml': _musicxml, '.wav': _wav},
}


def kind_of(data: bytes) -> str:
    """The ending of files that begin so; .svg for all that is none of the others."""
    if data.startswith(RIFF) and data[8:12] == WAVE:
        return '.wav'
    if any(start in data[:FIRST_BYTES] for start in SCORE):
        return '.musicxml'
    return next((ending for start, ending in STARTS.items() if data.startswith(start)), '.svg')


def read(data: bytes) -> dict | None:
    """The recipe that a file has; None if it has none, or one that cannot be.

    A file comes from anybody: what is read of it has bounds, and nothing of it is run.
    """
    if len(data) > MOST_BYTES:
        return None
    readers = {'.png': _of_png, '.jpg': _of_jpeg, '.svg': _of_svg}
    readers |= {'.mid': _of_mid, '.musicxml': _of_musicxml}
    text = readers.get(kind_of(data), _of_xmp)(data)
    return None if text is None else parsed(text)


def parsed(text: str | bytes) -> dict | None:
    """The recipe that a text of JSON is; None if it is none."""
    if len(text) > MOST_LETTERS:
        return None
    try:
        found = json.loads(text)
        return found if _is_recipe(found) else None
    except (ValueError, RecursionError):
        return None


def _of_png(data):
    at = len(PNG)
    while at + 12 <= len(data):
        length, name = struct.unpack('>I4s', data[at : at + 8])
        body = data[at + 8 : at + 8 + length]
        if name == b'tEXt' and body.startswith(CHUNK + b'\0'):
            return body[len(CHUNK) + 1 :]
        at += length + 12
    return None


def _of_jpeg(data):
    at, comments = 2, []
    while data[at : at + 1] == b'\xff' and at + 4 <= len(data) and data[at + 1] != 0xDA:
        length = int.from_bytes(data[at + 2 : at + 4], 'big')
        if data[at + 1] == 0xFE:
            comments.append(data[at + 4 : at + 2 + length])
        at += max(2, length) + 2
    return b''.join(comments) or None


def _of_xmp(data):
    """Other programs may write XMP anew, as other XML; what is left as it was is found."""
    found = IN_XML.search(data)
    if not found:
        return None
    return found[1].replace(b'&lt;', b'<').replace(b'&gt;', b'>').replace(b'&amp;', b'&')


def _of_mid(data):
    """The text that begins as ours does, in whichever track another program has put it."""
    found = IN_MIDI.search(data)
    if not found:
        return None
    length = 0
    for byte in found[1]:
        length = length << 7 | byte & 0x7F
    start = found.start(2)
    return data[start : start + length][len(FIELD) + 1 :]


def _of_svg(data):
    """The first recipe in an SVG file, however it is written."""
    if NAMESPACE.encode() not in data:
        return None
    return _text_of(data, lambda name, _: name == f'{NAMESPACE} recipe')


def _of_musicxml(data):
    """The first recipe in a MusicXML file."""
    if FIELD.encode() not in data:
        return None
    return _text_of(
        data, lambda name, told: name == 'miscellaneous-field' and told.get('name') == FIELD
    )


def _text_of(data, is_wanted):
    """The text of the first element of a name and attributes; constant memory is used for it."""
    parser = expat.ParserCreate('utf-8', namespace_separator=' ')
    opened, texts = [], []

    def start(name, attributes):
        opened.append(is_wanted(name, attributes))
        if len(opened) > MOST_DEPTH:
            raise ValueError('elements within elements without end')

    def end(_):
        if opened.pop():
            parser.CharacterDataHandler = None  # The first one is whole.

    def text(words):
        if opened[-1]:
            texts.append(words)

    def refuse(*_):
        raise ValueError('entities can be texts that grow without end')

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler, parser.EntityDeclHandler = text, refuse
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError):
        return None
    return ''.join(texts) or None


def _is_recipe(found):
    """Whether JSON is a recipe; texts and numbers of it are of the kinds that they should be."""
    if not isinstance(found, dict) or not isinstance(found.get('software'), str):
        return False
    names = ('software', 'model', 'sha256', 'licence', 'source', 'as')
    if not all(_is_name(found.get(name)) for name in names):
        return False
    drawings = found.get('drawings')
    few = isinstance(drawings, list) and len(drawings) <= MOST_DRAWINGS
    return few and all(map(_is_drawing, drawings))


def _is_name(value):
    return value is None or (isinstance(value, str) and len(value) <= MOST_NAME)


def _is_drawing(found):
    if not isinstance(found, dict) or not _is_name(found.get('label')):
        return False
    seed, latents, truncation = (found.get(name) for name in ('seed', 'latents', 'truncation'))
    seeded = type(seed) is int and -(2**63) <= seed < 2**63
    given = isinstance(latents, list) and 0 < len(latents) <= MOST_LATENTS
    given = given and all(map(_is_number, latents))
    typical = truncation is None or (_is_number(truncation) and 0 <= truncation <= 1)
    return (seeded or given) and typical


def _is_number(value):
    return type(value) in (int, float) and math.isfinite(value) and abs(value) < 1e30
