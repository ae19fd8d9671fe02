"""Files say what made them, in ways that other programs read, and whatever a stranger's file says
is a recipe or nothing."""

import io
import json
import struct
import zlib
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image, ImageSequence
from strangers import NO_RECIPES, RIGHT, with_json
from toy_models import toy_pen

from tfgan import client, provenance
from tfgan.forms import pictures

FACTS = {'model': 'doodles & <co>', 'sha256': 'ab' * 32, 'licence': 'CC BY 4.0, "Zoë" </svg>]]>'}
DRAWINGS = [{'seed': -(2**63), 'label': 'naïve "cat"\x01'}, {'latents': [0.1, -2e-7], 'label': 'b'}]
RECIPE = provenance.recipe(FACTS, DRAWINGS, size=300)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg">\n<g/>\n</svg>\n'
TERM = provenance.SOURCES + provenance.TRAINED
XMP = '{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType'
EXTREMES = np.array([7, 0, -1, 2**63 - 1, -(2**63), 10**9], np.int64)


@pytest.fixture(scope='module')
def pen(tmp_path_factory):
    return toy_pen(tmp_path_factory.mktemp('models') / 'a<b>&"c', reads=True)


def frames(count, channels):
    rng = np.random.default_rng(channels)
    return [rng.integers(0, 256, (31, 20, channels), np.uint8) for _ in range(count)]


FILES = {
    f'{kind}{ending} of {channels}': (ending, made(frames(3, channels), ending))
    for channels in (1, 3)
    for kind, endings, made in (
        ('still', pictures.SHEETS, lambda some, ending: pictures.still(some[0], ending)),
        ('moving', pictures.ANIMATIONS, pictures.moving),
    )
    for ending in endings
}


@pytest.mark.parametrize('name', FILES)
def test_pictures_look_the_same_and_say_what_made_them(name):
    ending, plain = FILES[name]
    stamped = provenance.stamped(plain, ending, RECIPE)
    assert provenance.read(plain) is None
    assert provenance.read(stamped) == RECIPE
    with Image.open(io.BytesIO(plain)) as first, Image.open(io.BytesIO(stamped)) as second:
        assert first.format == second.format
        pairs = zip(ImageSequence.Iterator(first), ImageSequence.Iterator(second), strict=True)
        for number, (a, b) in enumerate(pairs):
            assert np.array_equal(np.asarray(a.convert('RGB')), np.asarray(b.convert('RGB')))
            assert a.info.get('duration') == b.info.get('duration'), number
            assert a.info.get('loop') == b.info.get('loop')
        packet = second.info.get('xmp')
    if ending != '.gif':  # of which Pillow tells no more than where it stands
        assert term_of(packet) == TERM


def term_of(packet):
    text = packet.decode().partition('?>')[2].rpartition('<?xpacket')[0]
    return ElementTree.fromstring(text).find(f'.//{XMP}').text


def test_png_has_the_recipe_as_a_text_of_its_own():
    stamped = provenance.stamped(pictures.png(frames(1, 1)[0]), '.png', RECIPE)
    with Image.open(io.BytesIO(stamped)) as image:
        assert json.loads(image.text['tfgan']) == RECIPE


def test_a_gifs_blocks_lead_past_its_xmp():
    """A reader who knows no XMP takes its letters for lengths of blocks, and comes to the end."""
    stamped = provenance.stamped(pictures.moving(frames(2, 1), '.gif'), '.gif', RECIPE)
    at = stamped.index(b'XMP DataXMP') + 11
    while stamped[at]:
        at += stamped[at] + 1
    assert stamped[at + 1 : at + 2] in (b'\x21', b'\x2c')


def test_svg_has_it_as_metadata_and_without_is_what_it_was():
    stamped = provenance.stamped(SVG, '.svg', RECIPE)
    root = ElementTree.fromstring(stamped)
    [metadata] = root.findall('{http://www.w3.org/2000/svg}metadata')
    assert metadata.find(f'.//{XMP}').text == TERM
    rights = metadata.find('.//{http://purl.org/dc/elements/1.1/}rights')
    assert ''.join(rights.itertext()) == FACTS['licence']
    assert provenance.read(stamped) == RECIPE
    assert provenance.bare(stamped.decode()) == SVG.decode()


def test_svg_written_anew_by_another_program_still_says_it():
    root = ElementTree.fromstring(provenance.stamped(SVG, '.svg', RECIPE))
    assert provenance.read(ElementTree.tostring(root, 'utf-8', xml_declaration=True)) == RECIPE


def test_pdf_says_it_by_a_stream_that_its_catalog_names(pen, tmp_path):
    pen.write(tmp_path / 'a.pdf', [7, 8])
    data = (tmp_path / 'a.pdf').read_bytes()
    assert provenance.read(data)['drawings'][0]['seed'] == 7
    assert b'/Creator (tfgan' in data
    # From the end: the newest table of places, and before it the one that Matplotlib wrote.
    newest = int(data[data.rindex(b'startxref') :].split()[1])
    lines = data[newest:].splitlines()
    assert lines[0] == b'xref'
    places = [int(line.split()[0]) for line in lines if line.endswith(b'00000 n ')]
    catalog, metadata = (data[place:].partition(b'endobj')[0] for place in places)
    assert b'/Type /Catalog' in catalog and b'/Pages' in catalog
    number = int(metadata.split()[0])
    assert b'/Metadata %d 0 R' % number in catalog
    length = int(metadata.partition(b'/Length ')[2].split()[0])
    packet = metadata.partition(b'stream\n')[2].partition(b'\nendstream')[0]
    assert len(packet) == length and term_of(packet) == TERM
    earlier = int(data[newest:].partition(b'/Prev ')[2].split()[0])
    assert data[earlier:].startswith(b'xref')


def test_numbers_that_are_none_do_not_make_json_that_is_none():
    told = provenance.recipe(FACTS, [{'latents': [1.0], 'label': 'a', 'share': float('nan')}])
    stamped = provenance.stamped(SVG, '.svg', told)
    assert provenance.read(stamped)['drawings'][0]['share'] is None


def test_switched_off_no_file_says_anything():
    with provenance.switched_off():
        assert provenance.stamped(SVG, '.svg', RECIPE) == SVG
    assert provenance.stamped(SVG, '.svg', RECIPE) != SVG
    assert provenance.stamped(SVG, '.svg', None) == SVG


@pytest.mark.parametrize('number', range(len(NO_RECIPES)))
def test_what_is_no_recipe_is_none(number):
    assert provenance.read(NO_RECIPES[number]) is None


def test_what_is_one_is_read():
    """So that what the files above lack is what they are refused for."""
    assert provenance.read(with_json(RIGHT)) == json.loads(RIGHT)
    svg = f'<svg xmlns:t="urn:tfgan:"><t:recipe>{RIGHT}</t:recipe></svg>'
    assert provenance.read(svg.encode()) == json.loads(RIGHT)
    twice = svg.replace('</svg>', '<t:recipe>{}</t:recipe></svg>')
    assert provenance.read(twice.encode()) == json.loads(RIGHT)


def test_entities_do_not_grow():
    entities = ''.join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 30))
    bomb = f'<!DOCTYPE x [<!ENTITY e0 "ha">{entities}]><svg xmlns:t="urn:tfgan:">&e29;</svg>'
    assert provenance.read(bomb.encode()) is None


@pytest.mark.parametrize('name', FILES)
def test_files_cut_or_changed_anywhere_make_no_fault(name):
    ending, plain = FILES[name]
    stamped = provenance.stamped(plain, ending, RECIPE)
    rng = np.random.default_rng(1)
    for place in rng.integers(0, len(stamped), 40).tolist():
        changed = bytearray(stamped)
        changed[place] ^= int(rng.integers(1, 256))
        for data in (stamped[:place], bytes(changed)):
            found = provenance.read(data)
            assert found is None or set(found) >= {'software', 'drawings'}


# What a server answers


def chunks_of(png):
    at = len(provenance.PNG)
    while at < len(png):
        length, name = struct.unpack('>I4s', png[at : at + 8])
        [crc] = struct.unpack('>I', png[at + 8 + length : at + 12 + length])
        yield name, png[at + 8 : at + 8 + length], crc == zlib.crc32(png[at + 4 : at + 8 + length])
        at += length + 12


def answers(model, signature, **inputs):
    import tensorflow as tf

    tensors = {name: tf.constant(value) for name, value in inputs.items()}
    [output] = model._loaded.signatures[signature](**tensors).values()
    return output.numpy()


def test_the_graphs_pngs_have_right_chunks(pen):
    labels = np.array([each['label'] for each in pen.seeded(EXTREMES)])
    for seed, label, png in zip(EXTREMES, labels, answers(pen, 'png', seed=EXTREMES), strict=True):
        names, _, right = zip(*chunks_of(png), strict=True)
        assert all(right) and names[:3] == (b'IHDR', b'iTXt', b'tEXt')
        told = provenance.read(png)
        assert told['drawings'] == [{'seed': seed, 'label': label}]
        assert (told['model'], told['sha256']) == ('a<b>&"c', pen.sha256)
        with Image.open(io.BytesIO(png)) as image:
            assert np.array_equal(np.asarray(image), pen.draw([seed])[0, ..., 0])
            assert term_of(image.info['xmp']) == TERM


def test_the_graphs_svgs_say_what_they_are_drawn_from(pen):
    rng = np.random.default_rng(0)
    normal = rng.normal(size=(2, 6)).astype(np.float32)
    labels = np.array([1, 2], np.int32)
    [first, _] = answers(pen, 'latents_svg', latents=normal, label=labels)
    told = provenance.read(first)['drawings'][0]
    assert np.array_equal(np.array(told['latents'], np.float32), normal[0])
    assert told['label'] == 'dog'
    way = {'seed': EXTREMES[:2], 'to_seed': EXTREMES[2:4], 'share': normal[:, 0], 'label': labels}
    told = provenance.read(answers(pen, 'interpolate_svg', **way)[1])['drawings'][0]
    assert (told['seed'], told['to_seed'], told['label']) == (0, 2**63 - 1, 'fish')
    assert np.float32(told['share']) == normal[1, 0]
    way = {'latents': normal, 'to_latents': -normal, 'share': normal[:, 0]}
    way |= {'label': labels, 'to_label': labels[::-1].copy()}
    told = provenance.read(answers(pen, 'between_svg', **way)[0])['drawings'][0]
    assert (told['label'], told['to_label']) == ('dog', 'fish')
    assert np.array_equal(np.array(told['to_latents'], np.float32), -normal[0])


def test_latents_that_are_no_numbers_are_told_of_nobody(pen):
    [svg] = answers(pen, 'latents_svg', latents=np.full([1, 6], np.nan, 'f4'), label=[1])
    assert provenance.read(svg) is None


def test_names_of_any_letters_have_right_chunks():
    import tensorflow as tf

    from tfgan.forms.drawing.recipes import Recipes

    names = ['', 'a', '"\\\n\x00', 'ü' * 300, '</svg>&', '\U0001f408']
    recipes = Recipes(FACTS, names)
    seeds = np.arange(len(names)) * -(10**17)
    plain = tf.io.encode_png(tf.zeros([len(names), 9, 8, 1], tf.uint8))
    labels = tf.range(len(names))
    for png, name in zip(recipes.in_pngs(plain, seeds, labels).numpy(), names, strict=True):
        assert all(right for *_, right in chunks_of(png))
        told = provenance.read(png)
        assert told['drawings'][0]['label'] == name
        assert {key: told[key] for key in FACTS} == FACTS
    for svg, name in zip(recipes.metadata(recipes.seeded(seeds, labels)).numpy(), names):
        told = provenance.read(b'<svg>' + svg + b'</svg>')
        assert told['drawings'][0]['label'] == name


def test_an_export_that_is_switched_off_says_nothing(tmp_path):
    with provenance.switched_off():
        model = toy_pen(tmp_path / 'quiet')
    assert provenance.read(answers(model, 'png', seed=EXTREMES[:1])[0]) is None
    assert provenance.read(answers(model, 'svg', seed=EXTREMES[:1], label=[0])[0]) is None
    assert provenance.read((model.version / 'sheet.png').read_bytes()) is None
    # Its files of today are told by the card.
    model.write(tmp_path / 'a.svg', EXTREMES, 'cat')
    told = provenance.read((tmp_path / 'a.svg').read_bytes())
    assert told['sha256'] == model.sha256
    assert told['drawings'][0] == {'seed': 7, 'label': 'cat'}


def test_a_server_tells_the_clients_files(served, exported, tmp_path):
    model, own = client.connect(served.rest, 'toy'), client.load(exported)
    for number, each in enumerate((model, own)):
        each.write(tmp_path / f'{number}.png', EXTREMES)
    first, second = ((tmp_path / f'{number}.png').read_bytes() for number in (0, 1))
    assert first == second
    card = json.loads((own.version / 'model.json').read_bytes())
    assert provenance.read(first)['sha256'] == card['sha256']
