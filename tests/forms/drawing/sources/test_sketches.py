"""Pen strokes as data: Quick, Draw!'s ndjson, npz of points, and what is refused."""

import gzip
import json
import pathlib
import re
import types

import numpy as np
import pytest

from tfgan.errors import SourceError
from tfgan.evaluation import report
from tfgan.forms.base import open_source

HOUSE = [[[0, 255, 255, 0, 0], [100, 100, 255, 255, 100]], [[0, 128, 255], [100, 0, 100]]]
LINE = [[[0, 255], [0, 0]]]


def written(path, *records):
    path.parent.mkdir(exist_ok=True)
    text = ''.join(json.dumps(record) + '\n' for record in records)
    opener = gzip.open if path.suffix == '.gz' else open
    with opener(path, 'wt') as file:
        file.write(text)
    return f'ndjson:{path}'


def ink(source, index=0):
    return 1 - source.images([index])[0, ..., 0] / 255


def test_a_sketch_lies_in_the_middle_of_its_page(tmp_path):
    path = written(tmp_path / 'a.ndjson', {'word': 'house', 'drawing': HOUSE}, {'drawing': LINE})
    source = open_source(path, image_size=100, ink_width=0.06)
    assert source.shape == (100, 100, 1) and source.paper == (255,)
    assert source.class_names == ('a', 'house') and source.labels.tolist() == [1, 0]
    house, line = ink(source), ink(source, 1)
    # From 4 % of the page on there is ink, and the pen's middle 3 % further in.
    rows, columns = np.nonzero(house.max(1) > 0.5)[0], np.nonzero(house.max(0) > 0.5)[0]
    assert (rows[0], rows[-1], columns[0], columns[-1]) == (4, 95, 4, 95)
    assert house[70, 50] == 0 and house[95 - 3, 50] > 0.9
    assert line.sum() == pytest.approx(6 * (92 - 6) + np.pi * 3**2, rel=0.02)
    assert line.sum(axis=1)[47:53].min() > 80


def test_raw_and_simplified_sketches_are_drawn_alike(tmp_path):
    raw = [[[3.5 * x + 700 for x in xs], [3.5 * y + 90 for y in ys], [0] * len(xs)]
           for xs, ys in HOUSE]  # fmt: skip
    path = written(tmp_path / 'a.ndjson.gz', {'drawing': HOUSE}, {'drawing': raw})
    first, second = open_source(path, image_size=64).images([0, 1]).astype(int)
    assert np.abs(first - second).max() <= 1


def test_size_and_pen_are_free(tmp_path):
    path = written(tmp_path / 'a.ndjson', {'drawing': HOUSE})
    sums = {
        (side, wide): ink(open_source(path, image_size=side, ink_width=wide)).sum() / side**2
        for side in (28, 128)
        for wide in (0.03, 0.06)
    }
    for wide in (0.03, 0.06):
        assert sums[28, wide] == pytest.approx(sums[128, wide], rel=0.05)
    assert sums[128, 0.06] / sums[128, 0.03] == pytest.approx(2, rel=0.1)
    assert open_source(path).shape == (28, 28, 1)


def test_a_point_is_a_dot(tmp_path):
    path = written(tmp_path / 'a.ndjson', {'drawing': [*LINE, [[128], [128]]]})
    found = ink(open_source(path, image_size=100, ink_width=0.1))
    dot = found[40:]  # below the line
    assert dot.sum() == pytest.approx(np.pi * 5**2, rel=0.1)
    alone = open_source(written(tmp_path / 'b.ndjson', {'drawing': [[[9], [9]]]}), image_size=100)
    assert ink(alone).sum() < 40 and ink(alone)[50, 50] > 0.9
    npz = saved(tmp_path / 'a.npz', points=[[0, 0, 0], [255, 0, 1], [-127, 128, 1]], lengths=[3])
    assert np.abs(ink(open_source(npz, image_size=100, ink_width=0.1)) - found).max() < 0.1


def test_what_was_not_recognized_is_left_out_on_request(tmp_path):
    records = [{'word': 'cat', 'drawing': HOUSE, 'recognized': i % 3 > 0} for i in range(9)]
    path = written(tmp_path / 'a.ndjson', *records)
    assert len(open_source(path)) == 9
    found = open_source(path, split='recognized')
    assert len(found) == 6 and found.notes['split'] == 'recognized'
    with pytest.raises(SourceError, match=r'has the splits recognized, unrecognized; give one'):
        open_source(path, split='train')
    plain = written(tmp_path / 'b.ndjson', {'drawing': HOUSE})
    with pytest.raises(SourceError, match=r'no line of .* says whether it was recognized'):
        open_source(plain, split='recognized')


def test_a_folder_has_a_file_for_each_class(tmp_path):
    written(tmp_path / 'f/cat.ndjson', {'drawing': HOUSE}, {'drawing': []})
    written(tmp_path / 'f/yo-yo.ndjson', {'word': 'yo-yo', 'drawing': LINE})
    source = open_source(f'ndjson:{tmp_path}/f')
    assert source.class_names == ('cat', 'yo-yo') and source.labels.tolist() == [0, 1]
    assert '1 without a stroke are left out' in source.notes['remarks']
    with pytest.raises(SourceError, match=r'no .npz files there'):
        open_source(f'strokes:{tmp_path}/f')


@pytest.mark.parametrize(
    'line',
    [
        '{"word": "cat", "drawing": [[[1, 2], [3]]]}',
        '{"word": "cat"}',
        '[1, 2]',
        '{"drawing": [[["a"], ["b"]]]}',
        '{"drawing": [[[NaN, 1], [0, 1]]]}',
        '{"drawing": 7}',
        '{"word": "cat", "drawing": [[[1, 2], [3, 4]]]',
    ],
)
def test_a_line_that_is_no_sketch_is_named(tmp_path, line):
    (tmp_path / 'a.ndjson').write_text(json.dumps({'drawing': HOUSE}) + '\n\n' + line + '\n')
    with pytest.raises(SourceError, match=r'a.ndjson, line 3, is no sketch: .* \{"word": "cat"'):
        open_source(f'ndjson:{tmp_path}/a.ndjson')


def test_no_sketches_are_refused(tmp_path):
    with pytest.raises(SourceError, match='no sketches there'):
        open_source(written(tmp_path / 'a.ndjson'))
    with pytest.raises(SourceError, match='no sketches there'):
        open_source(written(tmp_path / 'b.ndjson', {'drawing': []}))
    np.save(tmp_path / 'c.npy', np.zeros(3))
    with pytest.raises(SourceError, match=r'--dataset=npy:.*c.npy reads it'):
        open_source(f'ndjson:{tmp_path}/c.npy')


def test_other_kinds_name_this_one(tmp_path):
    path = written(tmp_path / 'a.ndjson', {'word': 'cat', 'drawing': HOUSE}).partition(':')[2]
    for kind in ('folder', 'npy', 'npz', 'csv'):
        with pytest.raises(SourceError, match=r'--dataset=ndjson:.*a.ndjson reads'):
            open_source(f'{kind}:{path}')


def test_ink_has_a_width_only_where_a_pen_draws():
    with pytest.raises(SourceError, match=r'--ink_width=0.1: doodles has its ink; leave it out'):
        open_source('doodles', ink_width=0.1)


def test_a_model_is_judged_on_sketches_of_the_pen_that_it_learned_from(tmp_path):
    path = written(tmp_path / 'a.ndjson', {'drawing': HOUSE})
    data = {'shape': [40, 40, 1], 'dataset': path}
    card = types.SimpleNamespace(data=data, config={'ink_width': 0.2}, form='drawing')
    source = report.open_data(None, card, pathlib.Path('model'))
    expected = open_source(path, image_size=40, ink_width=0.2)
    assert np.array_equal(source.images([0]), expected.images([0]))


def saved(path, **arrays):
    np.savez(path, **{name: np.array(array) for name, array in arrays.items()})
    return f'strokes:{path}'


STEPS = [[9, 9, 0], [100, 0, 0], [0, 100, 1], [-100, 0, 0], [0, -100, 1]]  # a square of two strokes


def test_points_are_drawn_stroke_by_stroke(tmp_path):
    path = saved(tmp_path / 'a.npz', points=[*STEPS, [5, 5, 0], [50, 0, 1]], lengths=[5, 2])
    source = open_source(path, image_size=100, ink_width=0.04)
    square, line = ink(source), ink(source, 1)
    assert len(source) == 2 and source.class_names == ('drawing',)
    assert square[6, 50] > 0.9 and square[50, 93] > 0.9 and square[50, 6] > 0.9
    assert line.sum() == pytest.approx(4 * 88 + np.pi * 2**2, rel=0.03)


def test_the_pen_is_up_between_strokes(tmp_path):
    steps = [[0, 0, 0], [100, 0, 1], [0, 100, 0], [-100, 0, 1]]  # two lines, one below the other
    found = ink(open_source(saved(tmp_path / 'a.npz', points=steps, lengths=[4]), image_size=100))
    assert found[7, 50] > 0.9 and found[93, 50] > 0.9
    assert found[50].max() == 0


def test_splits_of_points(tmp_path):
    arrays = {}
    for count, name in ((3, 'train'), (2, 'valid')):
        arrays |= {f'{name}_points': STEPS * count, f'{name}_lengths': [5] * count}
    path = saved(tmp_path / 'a.npz', **arrays)
    assert [len(open_source(path, split=s)) for s in (None, 'valid', 'all')] == [3, 2, 5]


@pytest.mark.parametrize(
    'arrays',
    [
        dict(points=STEPS),
        dict(points=STEPS, lengths=[4]),
        dict(points=STEPS, lengths=[5, 0]),
        dict(points=STEPS, lengths=[5.0]),
        dict(points=np.zeros((5, 2)), lengths=[5]),
        dict(points=np.full((5, 3), np.nan), lengths=[5]),
    ],
)
def test_points_and_lengths_that_do_not_fit_are_refused(tmp_path, arrays):
    with pytest.raises(SourceError, match=r'needed are finite points \[n, 3\]'):
        open_source(saved(tmp_path / 'a.npz', **arrays))
    with pytest.raises(SourceError, match=r"holds \['x'\]; looked for are points"):
        open_source(saved(tmp_path / 'b.npz', x=[1]))


@pytest.mark.parametrize('kind', ['strokes', 'npz'])
def test_sketch_rnns_files_are_refused_with_the_lines_that_convert_them(
    tmp_path, kind, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    sketches = np.empty(3, object)
    sketches[:] = [np.array(STEPS[:n], np.int16) for n in (2, 3, 5)]
    np.savez('cat.npz', train=sketches, valid=sketches[:1], test=sketches[:2])
    with pytest.raises(SourceError, match=r'a pickle.*never loaded') as refused:
        open_source(f'{kind}:cat.npz')
    lines = re.findall(r'^  (.*)$', str(refused.value), re.MULTILINE)
    assert len(lines) == 3
    exec('\n'.join(lines), {})
    found = open_source('strokes:new.npz')
    assert len(found) == 3
    assert len(open_source('strokes:new.npz', split='all')) == 6
    assert ink(found, 2).sum() > 2 * ink(found, 0).sum() > 10
