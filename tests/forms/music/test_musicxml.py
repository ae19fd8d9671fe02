"""MusicXML is valid by the published schema, is read alike, and is written as musicians read it."""

import importlib.util
import pathlib
from xml.etree import ElementTree

import numpy as np
import pytest
from music_readers import by_music21, plain, random_piece

from tfgan.errors import ModelError
from tfgan.forms.music import musicxml, pieces, playing
from tfgan.forms.music.playing import Playing, voice_names
from tfgan.forms.music.theory import Key

AGAIN, REST = pieces.AGAIN, pieces.REST
LOWEST = 13  # of the format in any spelling
C_MAJOR, A_MINOR = Key(0, 'major'), Key(9, 'minor')


@pytest.fixture(scope='module')
def schema():
    """The W3C's schema of MusicXML 4.0, which the package musicxml from PyPI has within it."""
    xmlschema = pytest.importorskip('xmlschema')
    found = importlib.util.find_spec('musicxml')
    if not found:
        pytest.skip('the package musicxml, which has the schema, is not installed')
    folder = pathlib.Path(found.submodule_search_locations[0]) / 'generate_classes'
    text = (folder / 'musicxml_4_0.xsd').read_text(encoding='utf-8')
    assert 'published by the W3C Music Notation Community Group' in text
    own = pathlib.Path(xmlschema.__file__).parent / 'schemas'
    places = {
        'http://www.w3.org/1999/xlink': str(own / 'XLINK' / 'xlink.xsd'),
        'http://www.w3.org/XML/1998/namespace': str(folder / 'xml.xsd'),
    }
    return xmlschema.XMLSchema10(text, locations=places, allow='local')


def one_voice(*notes, steps=16):
    """A piece of one voice of notes (start, length, pitch)."""
    return pieces.piece_of([pieces.Note(0, *note) for note in notes], steps, 1)


def written(piece, how=playing.USUAL):
    """Lines of what the first part has: 'C#4 quarter. tie-start', by bars."""
    root = ElementTree.fromstring(musicxml.as_bytes(piece, how))
    return [
        [line(note) for note in measure.iter('note')]
        for measure in root.find('part').iter('measure')
    ]


def line(note):
    kind = (note.findtext('type') or 'bar') + '.' * len(note.findall('dot'))
    ties = ' '.join(['', *(f'tie-{tie.get("type")}' for tie in note.iter('tied'))])
    if note.find('rest') is not None:
        return f'rest {kind}'
    alter = {'1': '#', '-1': 'b', None: '', '2': 'x'}[note.findtext('pitch/alter')]
    return f'{note.findtext("pitch/step")}{alter}{note.findtext("pitch/octave")} {kind}{ties}'


def test_values_within_bars_and_over_bar_lines():
    piece = one_voice((0, 5, 60), (5, 3, 62), (8, 20, 64), (30, 2, 65), steps=32)
    assert written(piece) == [
        [
            *('C4 quarter tie-start', 'C4 16th tie-stop', 'D4 eighth.'),
            *('E4 half tie-start',),
        ],
        ['E4 half. tie-stop', 'rest eighth', 'F4 eighth'],
    ]


def test_syncopes_show_the_beat_and_rests_fill_bars():
    assert written(one_voice((2, 4, 60), (6, 2, 60), steps=20)) == [
        ['rest eighth', 'C4 eighth tie-start', 'C4 eighth tie-stop', 'C4 eighth', 'rest half'],
        ['rest bar'],
    ]


def test_notes_struck_again_are_not_tied():
    piece = np.array([[60], [60 + AGAIN], [60], [60]], np.int32)
    assert written(piece)[0][:2] == ['C4 16th', 'C4 eighth.']


@pytest.mark.parametrize(
    ('key', 'spelled'),
    [
        (C_MAJOR, 'C C# D Eb E F F# G G# A Bb B'),
        (A_MINOR, 'C C# D D# E F F# G G# A Bb B'),
        (Key(3, 'major'), 'C Db D Eb E F Gb G Ab A Bb B'),
        (Key(4, 'minor'), 'C C# D D# E F F# G G# A A# B'),
    ],
)
def test_spelling_by_the_key(key, spelled):
    found = [playing.spelled(pitch, key) for pitch in range(60, 72)]
    assert [letter + {-1: 'b', 0: '', 1: '#'}[raised] for letter, raised, _ in found] == (
        spelled.split()
    )


def test_spelled_pitches_are_the_pitches():
    for tonic in range(12):
        for mode in playing.MODES:
            for pitch in range(128):
                letter, raised, octave = playing.spelled(pitch, Key(tonic, mode))
                natural = dict(zip('CDEFGAB', (0, 2, 4, 5, 7, 9, 11)))[letter]
                assert 12 * (octave + 1) + natural + raised == pitch


def signs(piece, how=playing.USUAL):
    root = ElementTree.fromstring(musicxml.as_bytes(piece, how))
    return [note.findtext('accidental') for note in root.iter('note')]


def test_accidentals_hold_for_a_bar_and_ties_need_none():
    piece = one_voice((0, 4, 66), (4, 4, 66), (8, 4, 65), (12, 8, 66), (20, 4, 66), steps=24)
    assert signs(piece)[:6] == ['sharp', None, 'natural', 'sharp', None, 'sharp']


def test_the_signature_has_what_needs_no_sign():
    g = Playing(semitones=7)  # of a piece in C
    assert signs(one_voice((0, 4, 59), (4, 4, 58), (8, 8, 60)), g) == [None, 'natural', None]
    root = ElementTree.fromstring(musicxml.as_bytes(one_voice((0, 16, 60)), g))
    assert root.findtext('.//key/fifths') == '1' and root.findtext('.//key/mode') == 'major'


def test_beams_join_what_is_in_a_beat():
    piece = one_voice((0, 2, 60), (2, 2, 62), (4, 3, 64), (7, 1, 65), (8, 2, 67), steps=16)
    root = ElementTree.fromstring(musicxml.as_bytes(piece))
    found = [[beam.text for beam in note.iter('beam')] for note in root.iter('note')]
    assert found[:5] == [['begin'], ['end'], ['begin'], ['end', 'backward hook'], []]


def test_clefs_metre_names_and_tempo():
    piece = np.tile(np.array([[72, 65, 57, 45]], np.int32), [12, 1])
    root = ElementTree.fromstring(
        musicxml.as_bytes(piece, Playing(bar_steps=12, tempo_bpm=66.5), 'A & <b>\x01', [(0, '7')])
    )
    clefs = [
        (clef.findtext('sign'), clef.findtext('clef-octave-change')) for clef in root.iter('clef')
    ]
    assert clefs == [('G', None), ('G', None), ('G', '-1'), ('F', None)]
    assert [each.text for each in root.iter('part-name')] == ['Soprano', 'Alto', 'Tenor', 'Bass']
    assert (root.findtext('.//beats'), root.findtext('.//beat-type')) == ('3', '4')
    assert root.find('.//sound').get('tempo') == '66.5' == root.findtext('.//per-minute')
    assert root.findtext('work/work-title') == 'A & <b>\ufffd'
    assert root.findtext('.//rehearsal') == '7'
    low = ElementTree.fromstring(musicxml.as_bytes(one_voice((0, 4, 40))))
    assert low.findtext('.//clef/sign') == 'F'


def test_pitches_that_the_format_lacks_are_refused():
    with pytest.raises(ModelError, match=r'pitch 11: MusicXML has none below 12'):
        musicxml.as_bytes(one_voice((0, 4, 11)))


def random_playing(rng):
    key = Key(int(rng.integers(12)), str(rng.choice(playing.MODES)))
    bar_steps, tempo = int(rng.choice([16, 12, 8, 24, 6, 7])), float(rng.integers(40, 160))
    return Playing(tempo_bpm=tempo, bar_steps=bar_steps, key=key)


def raised(piece):
    """A piece whose lowest pitches are an octave higher."""
    low = (piece != REST) & (piece % AGAIN < LOWEST)
    return piece + 24 * low


def test_files_are_valid_by_the_published_schema(schema, full):
    rng = np.random.default_rng(4)
    for number in range(200 if full else 12):
        how = random_playing(rng)
        data = musicxml.as_bytes(raised(random_piece(rng)), how, f'Piece {number}', [(0, '1')])
        assert [str(error) for error in schema.iter_errors(data.decode())] == []
    wrong = data.replace(b'<divisions>', b'<voice>1</voice><divisions>')
    assert not schema.is_valid(wrong.decode())


def check(piece, how):
    names = voice_names(piece.shape[1])
    notes = plain(pieces.notes_of(piece))
    named = sorted((names[voice], *rest) for voice, *rest in notes)
    assert by_music21(musicxml.as_bytes(piece, how), 'musicxml') == named


def test_music21_reads_the_same_notes(full):
    rng = np.random.default_rng(22)
    for _ in range(1000 if full else 30):
        check(raised(random_piece(rng)), random_playing(rng))
