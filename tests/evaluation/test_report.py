"""What a report takes for what its model learned from."""

import json
import pathlib
import types

import numpy as np
import pytest
from toy_pieces import toy_pieces

from tfgan import errors
from tfgan.evaluation import report
from tfgan.forms.base import open_source


@pytest.fixture(scope='module')
def chorales(tmp_path_factory):
    """The text of a data set that has two splits."""
    path = tmp_path_factory.mktemp('chorales') / 'toy.json'
    pieces = toy_pieces(12, windows=2).images(np.arange(24)).tolist()
    path.write_text(json.dumps({'train': pieces[:16], 'test': pieces[16:]}))
    return f'jsb:{path}'


def card(dataset, **more):
    data = open_source(dataset).summary() if 'toy' in dataset else {'split': 'train'}
    facts = {'shape': [64, 4], 'dataset': dataset}
    return types.SimpleNamespace(data=data | facts, config={'split': None}, form='music', **more)


def test_what_it_learned_from_is_not_what_it_is_judged_by(chorales):
    version, known = pathlib.Path('m/1'), card(chorales)
    own = report.open_data(None, known, version)
    assert report.open_training(known, own, version) == (own, '')
    other = report.open_data(None, known, version, split='test')
    training, why_not = report.open_training(known, other, version)
    assert not why_not and training.fingerprint == own.fingerprint != other.fingerprint
    card_lines = types.SimpleNamespace(step=7)
    told = '\n'.join(report._compared(version, card_lines, other, training, {'num': 9}))
    assert 'split test, ' in told and 'pieces of [64, 4]' in told and 'split train, ' in told
    assert 'split' not in '\n'.join(report._compared(version, card_lines, own, own, {}))


def test_what_cannot_be_read_any_more_is_told(chorales, tmp_path):
    version = pathlib.Path('m/1')
    source = open_source(chorales, split='test')
    moved = card(f'jsb:{tmp_path / "moved.json"}')
    found, why_not = report.open_training(moved, source, version)
    assert found is source
    assert 'moved.json' in why_not and 'copies are looked for among those of' in why_not


def test_pieces_of_another_shape_cannot_be_compared(chorales):
    known = card(chorales)
    known.data['shape'] = [64, 2]
    with pytest.raises(errors.ModelError, match=r'makes pieces of \[64, 2\], .* has \[64, 4\]'):
        report.open_data(None, known, pathlib.Path('m/1'))
    known = card(chorales)
    known.form = 'drawing'
    with pytest.raises(errors.ModelError, match='cannot be compared'):
        report.open_data(chorales, known, pathlib.Path('m/1'))


def test_inception_does_not_hear(chorales):
    with pytest.raises(errors.ModelError, match="judge this model by its 'own'"):
        report.evaluate(None, pathlib.Path('m/1'), card(chorales), features='inception')
