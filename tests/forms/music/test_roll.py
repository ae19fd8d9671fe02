"""A piano roll shows each note in its place, and voices that everybody can tell apart."""

from xml.etree import ElementTree

import numpy as np
import pytest
from music_readers import random_piece

from tfgan.forms.music import pieces, roll
from tfgan.forms.music.playing import Playing

AGAIN, REST = pieces.AGAIN, pieces.REST
# Machado, Oliveira and Fernandes (2009): how those see who lack one kind of cones, in linear light.
BLIND = {
    'protanopia': [
        [0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    'deuteranopia': [
        [0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    'tritanopia': [
        [1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}  # fmt: skip


def linear(colours):
    share = np.asarray(colours) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def lab(light):
    """CIELAB of linear sRGB."""
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(np.clip(light, 0, 1) @ np.transpose(to_xyz) / [0.9505, 1, 1.089]).T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


def least(points):
    apart = np.linalg.norm(points[:, None] - points[None], axis=-1)
    return apart[np.triu_indices(len(points), 1)].min()


def weak(voice):
    return np.uint8(roll.HELD * roll.COLOURS[voice] + (1 - roll.HELD) * roll.PAPER)


@pytest.mark.parametrize('seen_by', [None, *BLIND])
def test_voices_differ_for_the_colour_blind(seen_by):
    matrix = np.transpose(BLIND[seen_by]) if seen_by else np.eye(3)
    for colours in (roll.COLOURS, np.array([weak(voice) for voice in range(4)])):
        assert least(lab(linear(colours) @ matrix)) > 15


def test_voices_differ_in_grey_and_from_paper():
    for colours in (roll.COLOURS, np.array([weak(voice) for voice in range(4)])):
        lightness = lab(linear(np.concatenate([colours, [[roll.BAND] * 3]])))[:, :1]
        assert least(lightness) > 7


def colour_at(page, step, row, at, pitch):
    """The pixel in the middle of a step and pitch of a tile from 36 to 83."""
    return tuple(page[row * (83 - pitch) + row // 2 - 1, at * step + step - 2].tolist())


def test_small_piece_by_hand():
    piece = np.full([16, 2], REST, np.int32)
    piece[:2, 0] = 72
    piece[3:6, 0] = 71
    piece[:, 1] = 48
    page = roll.tile(piece, 8, range(36, 84), 16)
    assert page.shape == (48 * 8, 16 * 8, 3)
    seen = [colour_at(page, 8, 8, at, 72) for at in range(4)]
    first = tuple(weak(0).tolist())
    assert seen == [first, first, (255,) * 3, (255,) * 3]
    assert [colour_at(page, 8, 8, at, 71) == first for at in (2, 3, 5, 6)] == [0, 1, 1, 0]
    second = tuple(weak(1).tolist())
    assert [colour_at(page, 8, 8, at, 48) for at in (0, 9, 15)] == [second] * 3
    # Notes begin in their full colour.
    assert np.array_equal(page[8 * 11 + 3, 0], roll.COLOURS[0])
    assert np.array_equal(page[8 * 12 + 3, 8 * 3], roll.COLOURS[0])


@pytest.mark.parametrize('step', [1, 2, 5])
def test_notes_struck_again_are_seen(step):
    held = np.full([8, 1], 60, np.int32)
    struck = held.copy()
    struck[5, 0] += AGAIN
    first, second = (roll.tile(each, step, range(36, 84), 16) for each in (held, struck))
    different = np.flatnonzero((first != second).any(axis=(0, 2)))
    assert 5 * step in different and set(different // step) <= {4, 5}


def test_voices_in_unison_share_a_row():
    page = roll.tile(np.array([[60, 60]] * 4, np.int32), 4, range(36, 84), 16)
    top = 4 * (83 - 60)
    assert np.array_equal(page[top, 2], weak(0)) and np.array_equal(page[top + 2, 2], weak(1))


def test_sheet_is_as_wide_as_asked_and_keeps_its_size():
    rng = np.random.default_rng(0)
    raw = np.where(rng.random([40, 64, 4]) < 0.1, REST, rng.integers(36, 84, [40, 64, 4]))
    page = roll.sheet(raw, 8, 640)
    assert page.dtype == np.uint8 and page.shape == (5 * 104 + 8, 8 * 72 + 8, 3)
    assert roll.sheet(np.full_like(raw, REST), 8, 640).shape == page.shape
    assert abs(roll.sheet(raw[:4]).shape[1] - 640) < 50
    assert roll.sheet(raw[:1], 8).shape[1] == 656  # no more columns than there are pieces


def test_rests_are_paper():
    page = roll.tile(np.full([64, 4], REST, np.int32), 2, range(36, 84), 16)
    assert (page.min(-1) == page.max(-1)).all() and page.min() == roll.BAR
    bars = (page[1] == roll.BAR).all(-1)
    assert np.flatnonzero(bars).tolist() == [0, 32, 64, 96]


def test_all_pitches_of_midi_have_a_place():
    rng = np.random.default_rng(5)
    assert roll.pitches(np.array([[[0], [127]]])) == range(0, 132)
    for _ in range(20):
        assert roll.sheet(random_piece(rng)[None]).ndim == 3


def test_vectors_have_a_group_a_voice_and_each_note_in_its_place():
    piece = np.full([32, 2], REST, np.int32)
    piece[3:6, 0], piece[:, 1] = 71, 48
    root = ElementTree.fromstring(roll.svg(piece, Playing(semitones=1), [(0, '7')]))
    space = '{http://www.w3.org/2000/svg}'
    voices = [each for each in root.iter(f'{space}g') if each.find(f'{space}title') is not None]
    assert [each.findtext(f'{space}title') for each in voices] == ['Voice 1', 'Voice 2']
    first, begun = voices[0].findall(f'{space}rect')
    assert (first.get('x'), first.get('y')) == (str(32 + 3 * 8), f'{16 + (83 - 72) * 8 + 0.5:g}')
    assert (first.get('width'), begun.get('width')) == ('23', '4')
    texts = [each.text for each in root.iter(f'{space}text')]
    assert texts == ['C2', 'C3', 'C4', 'C5', '7']
