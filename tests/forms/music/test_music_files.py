"""Files have all pieces, in the way of their kind, and say what made them."""

import io
import shutil
import subprocess
from xml.etree import ElementTree

import numpy as np
import pytest
from music_readers import by_mido, by_music21
from PIL import Image

from tfgan import provenance
from tfgan.errors import ModelError
from tfgan.forms import pictures
from tfgan.forms.music import files, midi_file, musicxml, pieces, roll, sound
from tfgan.forms.music.playing import Playing
from tfgan.forms.music.theory import Key

REST = pieces.REST
FACTS = {'model': 'chorales & <co>', 'sha256': 'ab' * 32, 'licence': 'CC BY 4.0, "Zoë"'}
NUMBERS = [7, 8, 9]
LABELS = ['minor', 'major', 'minor']
DRAWINGS = [{'seed': seed, 'label': label} for seed, label in zip(NUMBERS, LABELS)]
RECIPE = provenance.recipe(FACTS, DRAWINGS)
MUSIC = '.mid', '.musicxml', '.wav'
TERM = provenance.SOURCES + provenance.TRAINED


def three():
    raw = np.tile(np.array([[72, 67, 64, 48]], np.int32), [3, 32, 1])
    raw[1] += 1
    raw[2, 16:] = REST
    return raw


@pytest.fixture(scope='module')
def made():
    return {end: files.as_bytes(end, three(), NUMBERS, RECIPE) for end in files.ENDINGS}


def test_what_is_played_has_one_after_the_other_with_a_bar_between(made):
    notes = by_mido(made['.mid'])
    assert sorted({note[1] for note in notes}) == [0, 48, 96]
    assert {note[3] for note in notes if note[1] == 48} == {73, 68, 65, 49}
    assert {note[2] for note in notes if note[1] == 96} == {16}
    score = by_music21(made['.musicxml'], 'musicxml')
    assert [note[1:] for note in sorted(notes)] == [
        note[1:] for note in sorted(score, key=lambda note: ('SATB'.index(note[0][0]), *note[1:]))
    ]
    root = ElementTree.fromstring(made['.musicxml'])
    assert [mark.text for mark in root.iter('rehearsal')] == ['7', '8', '9']
    assert root.findtext('work/work-title') == 'Pieces 7 to 9'
    assert b'marker' not in made['.mid'] and b'\xff\x06\x019' in made['.mid']
    count = int.from_bytes(made['.wav'][40:44], 'little') // 4
    assert count == len(sound.stereo(np.zeros([128, 4], np.int32) + 60))


def test_pieces_begin_with_a_bar():
    joined, marks = files.joined(three(), NUMBERS, 12)
    assert marks == [(0, '7'), (48, '8'), (96, '9')] and len(joined) == 96 + 32
    assert (joined[32:48] == REST).all() and (joined[48] != REST).all()


def test_pictures_have_them_side_by_side(made):
    with Image.open(io.BytesIO(made['.png'])) as image:
        assert np.array_equal(np.asarray(image), roll.sheet(three()))
    root = ElementTree.fromstring(made['.svg'])
    inner = root.findall('{http://www.w3.org/2000/svg}svg')
    assert [each.get('x') for each in inner] == ['0', '304', '0']
    assert [each.get('y') for each in inner] == ['0', '0', '416']


def test_a_piece_of_a_recipe_that_calls_it_minor_is_written_so(made):
    def mode(drawings):
        told = drawings and RECIPE | {'drawings': drawings}
        data = files.as_bytes('.musicxml', three()[:1], [7], told)
        return ElementTree.fromstring(data).findtext('.//mode')

    found = [mode(drawings) for drawings in (DRAWINGS[:1], DRAWINGS[1:2], None)]
    assert found == ['minor', 'major', 'major']


@pytest.mark.parametrize('ending', files.ENDINGS)
def test_files_say_what_made_them_and_are_otherwise_the_same(ending, made):
    with provenance.switched_off():
        plain = files.as_bytes(ending, three(), NUMBERS, RECIPE)
    as_made = 'midi' if ending == '.mid' else {'.wav': 'sound', '.musicxml': 'musicxml'}.get(ending)
    assert provenance.read(plain) is None
    assert provenance.read(made[ending]) == RECIPE | {'as': as_made or 'roll'}
    kind = '.jpg' if ending == '.jpeg' else ending
    assert provenance.kind_of(plain) == provenance.kind_of(made[ending]) == kind
    if ending == '.mid':
        assert by_mido(plain) == by_mido(made[ending])
    if ending == '.wav':
        assert made[ending][8 : len(plain)] == plain[8:]
        assert int.from_bytes(made[ending][4:8], 'little') == len(made[ending]) - 8


def test_midi_tells_a_person_by_texts(made):
    import mido

    first = mido.MidiFile(file=io.BytesIO(made['.mid'])).tracks[0]
    assert first[0].text == 'CC BY 4.0, "Zo?"'
    texts = [each.text for each in first if each.type == 'text']
    assert texts[0].startswith('Made by tfgan') and texts[0].endswith(TERM)
    assert texts[1].startswith('tfgan:recipe {')
    assert {each.time for each in first[:3]} == {0}


def test_musicxml_is_still_valid_and_read(made):
    root = ElementTree.fromstring(made['.musicxml'])
    assert [child.tag for child in root][:3] == ['work', 'identification', 'part-list']
    assert [child.tag for child in root[1]] == ['rights', 'encoding', 'miscellaneous']
    assert root.findtext('identification/rights') == FACTS['licence']
    fields = {each.get('name'): each.text for each in root.iter('miscellaneous-field')}
    assert fields['digital-source-type'] == TERM


@pytest.mark.skipif(not shutil.which('exiftool'), reason='it takes libimage-exiftool-perl')
def test_exiftool_reads_what_sound_says(made, tmp_path):
    (tmp_path / 'a.wav').write_bytes(made['.wav'])
    command = ['exiftool', '-s3', '-Software', '-DigitalSourceType', '-Comment', '-Warning']
    told = subprocess.run([*command, tmp_path / 'a.wav'], capture_output=True, text=True).stdout
    lines = told.splitlines()
    assert lines[:2] == [provenance.SOFTWARE, TERM] and lines[2].endswith(TERM) and len(lines) == 3


def test_files_written_anew_by_other_programs_still_say_it(made):
    import mido

    again = io.BytesIO()
    file = mido.MidiFile(file=io.BytesIO(made['.mid']))
    file.tracks.insert(0, mido.MidiTrack([mido.MetaMessage('text', text='mine', time=9)]))
    file.save(file=again)
    assert provenance.read(again.getvalue())['drawings'] == DRAWINGS
    root = ElementTree.fromstring(made['.musicxml'])
    doctype = (
        b'<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" "p.dtd">'
    )
    other = b'<?xml version="1.0"?>' + doctype + ElementTree.tostring(root)
    assert provenance.read(other)['drawings'] == DRAWINGS


FIELD = '<miscellaneous-field name="tfgan:recipe">'


@pytest.mark.parametrize(
    'data',
    [
        b'MThd',
        b'MThd\xff\x01\xff\xff\xff\x7ftfgan:recipe {',
        b'MThd\xff\x01\x0ctfgan:recipe ',
        b'RIFF\0\0\0\0WAVE_PMX<tfgan:recipe>{}</tfgan:recipe>',
        f'<score-partwise>{FIELD}{{}}</miscellaneous-field>'.encode(),
        f'<score-partwise>{FIELD}'.encode(),
        b'<score-partwise>' + b'<a>' * 1000 + FIELD.encode(),
        (
            f'<!DOCTYPE score-partwise [<!ENTITY a "{{&quot;software&quot;:&quot;x&quot;,'
            f'&quot;drawings&quot;:[]}}">]><score-partwise>{FIELD}&a;</miscellaneous-field>'
            '</score-partwise>'
        ).encode(),
        (
            '<!DOCTYPE x [<!ENTITY e0 "ha">'
            + ''.join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 30))
            + f']><score-partwise>{FIELD}&e29;</miscellaneous-field></score-partwise>'
        ).encode(),
    ],
)
def test_what_is_no_recipe_is_none(data):
    assert provenance.read(data) is None


@pytest.mark.parametrize('ending', MUSIC)
def test_files_cut_or_changed_anywhere_make_no_fault(ending):
    data = files.as_bytes(ending, three()[:1, :2], [7], RECIPE | {'drawings': DRAWINGS[:1]})
    rng = np.random.default_rng(1)
    for place in rng.integers(0, len(data), 100).tolist():
        changed = bytearray(data)
        changed[place] ^= int(rng.integers(1, 256))
        for each in (data[:place], bytes(changed)):
            found = provenance.read(each)
            assert found is None or set(found) >= {'software', 'drawings'}


def test_an_ending_is_one_file_and_a_folder_has_one_each(tmp_path, capsys):
    files.write(str(tmp_path / 'all.mid'), three(), NUMBERS, RECIPE)
    assert (tmp_path / 'all.mid').read_bytes() == files.as_bytes('.mid', three(), NUMBERS, RECIPE)
    how = files.How(file_format='musicxml', semitones=2)
    files.write(str(tmp_path / 'each'), three(), NUMBERS, RECIPE, how)
    assert sorted(path.name for path in (tmp_path / 'each').iterdir()) == [
        '7.musicxml', '8.musicxml', '9.musicxml'
    ]  # fmt: skip
    told = provenance.read((tmp_path / 'each' / '8.musicxml').read_bytes())
    assert told['drawings'] == DRAWINGS[1:2]
    assert files.how_of(told) == files.How(semitones=2)
    one = by_music21((tmp_path / 'each' / '8.musicxml').read_bytes(), 'musicxml')
    assert sorted(note[3] for note in one) == [51, 67, 70, 75]
    assert f'3 pieces, 7 to 9: {tmp_path}/each' in capsys.readouterr().out


def test_what_cannot_be_written_is_refused_before_anything_is(tmp_path):
    with pytest.raises(ModelError, match=r'a\.mp3: music is written as \.mid \.musicxml \.wav'):
        files.write(str(tmp_path / 'a.mp3'), three(), NUMBERS)
    with pytest.raises(ModelError, match=r"format 'mp3': music has mid, musicxml, wav"):
        files.How(file_format='mp3')
    with pytest.raises(ModelError, match=r'a score is written as \.svg, not as \.png'):
        files.write(str(tmp_path / 'a.png'), three(), NUMBERS, None, files.How(notation=True))
    for ending in files.ENDINGS:
        raw = three()
        raw[2, 0, 0] = 120
        how = files.How(file_format=ending[1:], semitones=8)
        with pytest.raises(ModelError, match='8 semitones higher, a pitch is 128'):
            files.write(str(tmp_path / 'folder'), raw, NUMBERS, None, how)
    assert list(tmp_path.iterdir()) == []


def test_a_recipe_makes_the_same_file_again(made):
    how = files.How(tempo_bpm=90.5, program=0, key=Key(9, 'minor'), semitones=-1, columns=1)
    short = three()[:, :4]
    for ending in files.ENDINGS:
        first = files.as_bytes(ending, short, NUMBERS, RECIPE, how)
        told = provenance.read(first)
        assert files.how_of(told) == how
        assert files.as_bytes(ending, short, NUMBERS, told, files.how_of(told)) == first
        assert files.how_of(provenance.read(made[ending])) == files.USUAL


@pytest.mark.parametrize(
    'told',
    [
        *[{'tempo_bpm': 'x'}, {'tempo_bpm': -1}, {'key': 5}, {'key': [1]}, {'key': [1, 'x']}],
        *[{'program': 3.5}, {'semitones': None}, {'columns': 10**9}, {'size': '7'}],
        {'bar_steps': []},
    ],
)
def test_recipes_that_make_no_file_are_refused(told):
    with pytest.raises(ValueError, match=r'it takes|made by|columns|format'):
        files.how_of(told)


def test_a_score_of_several_has_each_once(tmp_path):
    pytest.importorskip('verovio')
    found = files.as_bytes('.svg', three(), NUMBERS, RECIPE, files.How(notation=True))
    assert provenance.read(found)['as'] == 'score'
    root = ElementTree.fromstring(found)
    names = [each.get('id') for each in root.iter() if each.get('id')]
    assert len(names) == len(set(names))
    assert sum(each.get('class') == 'note' for each in root.iter()) == 4 * (2 + 2 + 1)


def test_single_pieces_have_no_marks_and_the_same_notes(made):
    one = files.as_bytes('.mid', three()[:1], [7])
    assert one == midi_file.as_bytes(three()[0])
    assert files.as_bytes('.musicxml', three()[:1], [7]) == musicxml.as_bytes(
        three()[0], Playing(), 'Piece 7'
    )
    assert pictures.ending('a.MID') == '.mid'
