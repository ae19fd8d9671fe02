import json

import numpy as np

from tfgan.data.source import Wanted
from tfgan.forms.music.sources import SOURCES


def opened(path, split=None):
    return SOURCES['jsb'].open(Wanted(f'jsb:{path}', str(path), None, None, 1 << 30, split))


def cadence(tonic, bars=5):
    """A bar of I, IV and V in four voices, again and again: int [16 * bars, 4]."""
    chords = [(12, 7, 4, -12), (12, 7, 4, -12), (12, 9, 5, -7), (11, 7, 2, -5)]
    return np.repeat(tonic + np.array(chords * bars), 4, axis=0)


def test_windows_begin_at_every_bar_in_c_major(tmp_path):
    (tmp_path / 'a.json').write_text(json.dumps({'train': [cadence(62).tolist()], 'test': []}))
    found = opened(tmp_path / 'a.json')
    assert (len(found), found.shape, found.class_names) == (2, (64, 4), ('major',))
    assert found.notes['rows'] == 49
    np.testing.assert_array_equal(found.images([0, 1]), [cadence(60, 4)] * 2)
