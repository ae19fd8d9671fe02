"""The models that come with the project: whole, small, licensed, and drawn with at once."""

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from toy_pieces import toy_pieces

from tfgan import client
from tfgan.data.source import UNKNOWN_LICENCE
from tfgan.forms.music import measures
from tfgan.saved_model import identity
from tfgan.saved_model.card import FILE

ROOT = pathlib.Path(__file__).parents[1]
MOST_BYTES = {'drawing': 6_000_000, 'music': 4_000_000}  # of all of a form
FILES = {
    *('saved_model.pb', 'fingerprint.pb', 'model.json', 'README.md', 'sheet.png', 'sliders.json'),
    *('SHA256SUMS', 'variables/variables.index', 'variables/variables.data-00000-of-00001'),
    'assets.extra/tf_serving_warmup_requests',
}


def kept():
    """The versions that git has: a run of one's own may stand beside them."""
    listed = ['git', 'ls-files', 'saved_models/*/saved_model.pb']
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / pathlib.Path(name).parent for name in names.splitlines()]


@pytest.fixture(params=kept(), ids=lambda version: version.parent.name)
def version(request):
    return request.param


def of_form(form):
    return [each for each in kept() if json.loads((each / FILE).read_text())['form'] == form]


@pytest.mark.parametrize(('form', 'least'), [('drawing', 2), ('music', 1)])
def test_there_are_some_and_they_are_small(form, least):
    versions = of_form(form)
    assert len(versions) >= least
    sizes = [path.stat().st_size for each in versions for path in each.rglob('*') if path.is_file()]
    assert sum(sizes) <= MOST_BYTES[form]


def test_its_files_are_those_of_an_export_and_as_they_were_made(version):
    found = {path.relative_to(version).as_posix() for path in version.rglob('*') if path.is_file()}
    assert found == FILES
    check = ['sha256sum', '--check', '--strict', '--quiet', identity.SUMS]
    subprocess.run(check, cwd=version, check=True)
    listed = (version / identity.SUMS).read_text().splitlines()
    assert {line.split('  ', 1)[1] for line in listed} == FILES - {identity.SUMS}


def test_it_says_what_it_is(version):
    model = client.load(version)
    card = model.card
    assert identity.of_export(card, model.weights()) == card.sha256
    assert card.data['licence'] not in ('', UNKNOWN_LICENCE)
    assert card.name == version.parent.name
    with Image.open(version / 'sheet.png') as sheet:
        assert min(sheet.size) > 300


@pytest.mark.parametrize('version', of_form('drawing'), ids=str)
def test_it_draws_with_a_pen_and_reads_drawings(version):
    model = client.load(version)
    assert {'svg', 'encode', 'reconstruct'} <= set(model.signatures())
    drawings = model.draw(np.arange(32))
    assert len({drawing.tobytes() for drawing in drawings}) == 32
    dark = np.mean(drawings < 128)
    assert 0.02 < min(dark, 1 - dark) < 0.4


@pytest.mark.parametrize('version', of_form('music'), ids=str)
def test_its_pieces_are_in_chords_and_differ(version):
    model = client.load(version)
    assert {'midi', 'fill', 'recipe'} <= set(model.signatures())
    pieces = model.draw(np.arange(64))
    assert len({piece.tobytes() for piece in pieces}) == 64
    found = measures.measures(pieces, toy_pieces(20))
    figures = {name: np.mean(each) for name, each in found.items()}
    assert figures['beats_in_chord'] > 0.8 and figures['scale_consistency'] > 0.85
    assert figures['sixteenths'] < 0.1 and figures['small_steps'] > 0.5


def test_a_sheet_and_an_svg_are_drawn_without_training(tmp_path):
    script = (ROOT / 'scripts/draw').read_text().split("<<'END'\n")[1].split('\nEND\n')[0]
    done = subprocess.run(
        [sys.executable, '-c', script, ROOT / 'saved_models/doodles'],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / 'drawings/sheet.svg').read_text().count('<path') > 300
    with Image.open(tmp_path / 'drawings/sheet.png') as sheet:
        assert min(sheet.size) > 300
