"""The models that come with the project: whole, small, licensed, and drawn with at once."""

import pathlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tfgan import client
from tfgan.data.source import UNKNOWN_LICENCE
from tfgan.saved_model import identity

ROOT = pathlib.Path(__file__).parents[1]
MOST_BYTES = 6_000_000  # of all of them
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


def test_there_are_two_and_they_are_small():
    assert len(kept()) >= 2
    sizes = [path.stat().st_size for each in kept() for path in each.rglob('*') if path.is_file()]
    assert sum(sizes) <= MOST_BYTES


def test_its_files_are_those_of_an_export_and_as_they_were_made(version):
    found = {path.relative_to(version).as_posix() for path in version.rglob('*') if path.is_file()}
    assert found == FILES
    check = ['sha256sum', '--check', '--strict', '--quiet', identity.SUMS]
    subprocess.run(check, cwd=version, check=True)
    listed = (version / identity.SUMS).read_text().splitlines()
    assert {line.split('  ', 1)[1] for line in listed} == FILES - {identity.SUMS}


def test_it_draws_with_a_pen_reads_drawings_and_says_what_it_is(version):
    model = client.load(version)
    card = model.card
    assert identity.of_export(card, model.weights()) == card.sha256
    assert card.data['licence'] not in ('', UNKNOWN_LICENCE)
    assert card.name == version.parent.name
    assert {'svg', 'encode', 'reconstruct'} <= set(model.signatures())
    drawings = model.draw(np.arange(32))
    assert len({drawing.tobytes() for drawing in drawings}) == 32
    dark = np.mean(drawings < 128)
    assert 0.02 < min(dark, 1 - dark) < 0.4
    with Image.open(version / 'sheet.png') as sheet:
        assert min(sheet.size) > 300


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
