import json

import numpy as np
import pytest

from tfgan.errors import SourceError
from tfgan.forms.base import open_source
from tfgan.forms.music.pieces import REST
from tfgan.forms.music.sources import windows


def cadence(tonic, bars=5, third=4):
    """A bar of I, IV and V in four voices, again and again: int [16 * bars, 4]."""
    one, four = (12, 7, third, -12), (12, 5 + third, 5, -7)
    return np.repeat(tonic + np.array([one, one, four, (11, 7, 2, -5)] * bars), 4, axis=0)


def saved(path, **splits):
    """A file of pieces in splits; returns its data set's text."""
    pieces = {name: [np.array(piece).tolist() for piece in each] for name, each in splits.items()}
    path.write_text(json.dumps(pieces))
    return f'jsb:{path}'


def every(source):
    return source.images(np.arange(len(source)))


def test_windows_begin_at_every_bar_in_c_major_and_a_minor(tmp_path):
    upbeat = np.repeat([[62 + 11, 62 + 7, 62 + 2, 62 - 5]], 4, axis=0)
    text = saved(
        tmp_path / 'a.json',
        train=[np.concatenate([upbeat, cadence(62)]), cadence(57, 4, third=3)],
        test=[cadence(66, 6)],
    )
    found = open_source(text)
    assert (found.form, found.shape, found.dtype) == ('music', (64, 4), np.int32)
    assert (found.class_names, found.labels.tolist()) == (('major', 'minor'), [0, 0, 1])
    assert (found.notes['rows'], found.notes['left_out'], found.notes['split']) == (49, {}, 'train')
    np.testing.assert_array_equal(every(found), [cadence(60, 4)] * 2 + [cadence(57, 4, third=3)])
    assert every(found).dtype == np.int32
    assert 'public domain' in found.licence and 'struck again' in found.notes['remarks']
    np.testing.assert_array_equal(every(open_source(text, split='test')), [cadence(60, 4)] * 3)
    assert len(open_source(text, split='all')) == 6


def test_a_roll_is_as_small_as_nearly_all_pieces_of_all_splits_allow(tmp_path):
    small = np.repeat(48 + np.array([[0], [0], [5], [7]] * 4), 4, axis=0)
    assert open_source(saved(tmp_path / '1.json', train=[small])).notes['rows'] == 25
    # A melody stays in its octave as far as that can be.
    assert open_source(saved(tmp_path / '1.json', train=[small + 36])).notes['rows'] == 49
    large = cadence(60, 4)
    wide = np.where(np.arange(4) == 3, large - 24, large + 12)
    assert open_source(saved(tmp_path / '2.json', train=[large])).notes['rows'] == 49
    assert open_source(saved(tmp_path / '3.json', train=[wide])).notes['rows'] == 73
    both = saved(tmp_path / '4.json', train=[large], test=[wide])
    assert open_source(both).notes['rows'] == 73
    few = open_source(saved(tmp_path / '5.json', train=[large] * 20 + [wide]))
    assert (len(few), few.notes['rows']) == (20, 49)
    assert few.notes['left_out'] == {'its voices span more than 48 semitones': 1}


def test_a_piece_that_is_high_is_moved_by_octaves_once_there_is_no_more_room(tmp_path):
    high = cadence(86, 4)
    text = saved(tmp_path / 'a.json', train=[cadence(60, 4)] * 20 + [high])
    np.testing.assert_array_equal(every(open_source(text))[-1], cadence(60, 4))


def test_what_is_left_out_is_named_with_its_reason(tmp_path, capsys):
    silent = np.full([80, 4], REST)
    silent[:16] = cadence(60, 1)
    text = saved(
        tmp_path / 'a.json', train=[cadence(60, 4), cadence(60, 3), silent, cadence(60, 4)[:, :3]]
    )
    found = open_source(text)
    assert len(found) == 1
    assert found.notes['left_out'] == {
        'shorter than four bars': 1,
        'mostly rests': 1,
        '3 voices where most have 4': 1,
    }
    assert 'train/1: shorter than four bars' in capsys.readouterr().err
    with pytest.raises(SourceError, match='no piece of four bars there; 1 are left out'):
        open_source(saved(tmp_path / 'b.json', train=[cadence(60, 3)]))


@pytest.mark.parametrize(('name', 'steps'), [('quarter', 4), ('8th', 2), ('16th', 1)])
def test_how_long_a_step_is_may_be_in_the_name(tmp_path, name, steps):
    pieces = [cadence(60, 5)[::steps]]
    if steps == 4:
        with pytest.raises(SourceError, match=r'cp \S+a.json jsb-quarter.json'):
            open_source(saved(tmp_path / 'a.json', train=pieces))
    found = open_source(saved(tmp_path / f'jsb-{name}.json', train=pieces))
    np.testing.assert_array_equal(every(found), [cadence(60, 4)] * 2)


def test_rests_may_be_no_numbers(tmp_path):
    piece = cadence(60, 4).astype(float)
    piece[:4, 0] = np.nan
    [window] = every(open_source(saved(tmp_path / 'a.json', train=[piece])))
    assert (window[:4, 0] == REST).all() and (window >= REST).all()


@pytest.mark.parametrize(
    'text',
    [
        '',
        '[]',
        '{"train": 5}',
        '{"train": [5]}',
        '{"train": [[]]}',
        '{"train": [[[60, 55, 52, 48, 40]]]}',
        '{"train": [[[60], [60, 55]]]}',
        '{"train": [[[60.5]]]}',
        '{"train": [[[128]]]}',
        '{"train": [[[-2]]]}',
        '{"train": [[[1e400]]]}',
        '{"train": [[["c"]]]}',
        '[' * 100_000,
        '\udcff',
    ],
)
def test_what_is_no_file_of_chorales_is_refused_with_what_is_needed(tmp_path, text):
    (tmp_path / 'a.json').write_bytes(text.encode(errors='surrogateescape'))
    with pytest.raises(SourceError, match=r'no file of chorales: .*needed is \{"train": \[\[\['):
        open_source(f'jsb:{tmp_path}/a.json')


def test_music_has_no_pixels_and_no_ink(tmp_path):
    text = saved(tmp_path / 'a.json', train=[cadence(60, 4)])
    with pytest.raises(SourceError, match=r'--image_size=32: .* music, .* leave it out'):
        open_source(text, image_size=32)
    with pytest.raises(SourceError, match=r'--ink_width=0.1: .* leave it out'):
        open_source(text, ink_width=0.1)
    with pytest.raises(SourceError, match=r'--split=valid: .* has the splits train'):
        open_source(text, split='valid')


def test_of_very_many_windows_some_of_all_pieces_are_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(windows, 'MOST_WINDOWS', 2)
    found = open_source(saved(tmp_path / 'a.json', train=[cadence(60, 5), cadence(57, 5, third=3)]))
    assert (len(found), found.labels.tolist()) == (2, [0, 1])
    assert '2 of 4 windows are left out' in found.notes['remarks']
