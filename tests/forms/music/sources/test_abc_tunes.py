import subprocess
import sys
import time

import numpy as np
import pytest

from tfgan.errors import SourceError
from tfgan.forms.base import open_source
from tfgan.forms.music.pieces import AGAIN, REST, notes_of
from tfgan.forms.music.sources import abc_tunes, read_piece
from tfgan.forms.music.sources.readings import Reading
from tfgan.forms.music.theory import Key

music21 = pytest.importorskip('music21')
HEAD = 'X:1\nT:Of the fields\nM:4/4\nL:1/8\nK:D\n'


def readings(text):
    return list(abc_tunes.readings(text.encode()))


def tune(music, head=HEAD):
    [found] = readings(head + music)
    assert isinstance(found, Reading), found
    return found


def notes(music, head=HEAD):
    return [(note.start, note.length, note.pitch) for note in notes_of(tune(music, head).piece)]


@pytest.mark.parametrize(
    ('music', 'expected'),
    [
        ('D2 F A4|', [(0, 4, 62), (4, 2, 66), (6, 8, 69)]),
        ('D2 z2 D2|', [(0, 4, 62), (8, 4, 62)]),
        ('"Am"D2 "G"{gfg}~F2 [DA]2 !trill!.G2|', [(0, 4, 62), (4, 4, 66), (8, 4, 69), (12, 4, 67)]),
        ('D4-|D2 F2|', [(0, 12, 62), (12, 4, 66)]),
        ('D>F G<A|', [(0, 3, 62), (3, 1, 66), (4, 1, 67), (5, 3, 69)]),
        ("D/F/ =c ^g' _B, d'|",
         [(0, 1, 62), (1, 1, 66), (2, 2, 72), (4, 2, 92), (6, 2, 58), (8, 2, 86)]),
        ('D2 D2|\nw: la la\n% no music: ABC\nE2|', [(0, 4, 62), (4, 4, 62), (8, 4, 64)]),
    ],
)  # fmt: skip
def test_notes_are_those_of_the_melody(music, expected):
    assert notes(music) == expected


def test_triplets_are_as_near_as_sixteenths_are():
    found = tune('(3DFA D2 F2 A2|D8|D8|')
    assert [note.start for note in notes_of(found.piece)][:4] == [0, 1, 3, 4]
    assert found.off == pytest.approx(2 / 3 / 8, abs=0.01)
    with pytest.raises(SourceError, match='off the beat'):
        abc_tunes._reading(f'{HEAD}(3DFA (3DFA (3DFA (3DFA|')


@pytest.mark.parametrize(
    ('told', 'expected'),
    [
        ('D', (2, 'major')),
        ('Bm', (11, 'minor')),
        ('Ddor', (2, 'minor')),
        ('Amix', (9, 'major')),
        ('Ephr', (4, 'minor')),
        ('F lydian', (5, 'major')),
    ],
)
def test_the_key_is_the_one_that_is_told(told, expected):
    assert tune('D2F2A2d2|', f'X:1\nM:4/4\nL:1/8\nK:{told}\n').key == Key(*expected)


@pytest.mark.parametrize(
    ('metre', 'music', 'bar', 'bars'),
    [
        ('4/4', 'A2|d8|d8|', 16, [4, 20]),
        ('C', 'd8|d8|', 16, [0, 16]),
        ('6/8', 'A|d6|d5:|A|d6|d5|', 12, [2, 26]),
        ('3/4', '|:d6|1 d6:|2 d6|]', 12, [0, 12, 24]),
        ('2/4', 'd4|\nM:3/4\nd6|\nM:2/4\nd4|d4|', 8, [0, 20, 28]),
    ],
)
def test_bars_are_those_of_the_bar_lines(metre, music, bar, bars):
    found = tune(music, f'X:1\nM:{metre}\nL:1/8\nK:D\n')
    assert (found.bar_steps, found.bars.tolist()) == (bar, bars)


def test_bars_are_found_where_there_are_no_lines():
    found = tune('D2' + 'A4 F2 G2' * 8, 'X:1\nM:none\nL:1/8\nK:D\n')
    assert (found.bar_steps, found.bars[0]) == (16, 4)


BOOK = (
    HEAD
    + 'A2|d2f2a2f2|e2c2A2c2|d2f2a2f2|d6A2|d2f2a2f2|\n\n'
    + 'X:2\nT:Two voices\nM:4/4\nL:1/8\nK:G\nV:1\nd8|\nV:2\nG8|\n\n'
    + 'X:3\nT:No tune\nK:G\nA999/z//\n\n'
    + 'X:4\nT:In E minor\nM:4/4\nL:1/8\nQ:1/4=90\nK:Em\n'
    + 'E2G2B2G2|F2D2F2D2|E2G2B2G2|E4E4|\n'
)


def test_a_book_of_tunes_is_a_source(tmp_path, capsys):
    (tmp_path / 'book.abc').write_bytes(BOOK.replace('\n', '\r\n').encode())
    found = open_source(f'abc:{tmp_path}')
    assert (found.shape, found.class_names, found.labels.tolist()) == (
        (64, 1),
        ('major', 'minor'),
        [0, 0, 1],
    )
    windows = found.images([0, 1, 2])
    first = '72 76 79 76 74 71 67 71 72 76 79 76 72 72 72 67'
    assert windows[0, ::4, 0].tolist() == [*map(int, first.split())]
    assert (windows[2, [0, 56], 0] == [69, 69 + AGAIN]).all()
    assert found.notes['rows'] == 50
    told = capsys.readouterr().err
    assert 'book.abc, tune 2, Two voices: 2 voices; one melody is read' in told
    assert 'tune 3, No tune' in told
    with pytest.raises(
        SourceError, match='has 4 pieces; give a file of one: tune 1, Of the fields'
    ):
        read_piece(f'{tmp_path}/book.abc')
    (tmp_path / 'own.abc').write_text(f'X:{BOOK.rpartition("X:")[2]}')
    own = read_piece(f'{tmp_path}/own.abc')
    assert (own.key, own.bar_steps, own.upbeat_steps) == (Key(4, 'minor'), 16, 0)
    assert (own.tempo, own.semitones) == (90, 5)


def test_tunes_are_read_as_music21_reads_them():
    text = music21.corpus.getWork('airdsAirs/book1.abc').read_text(errors='replace')
    for tune_text in text.split('X:')[1:7]:
        [found] = readings(f'X:{tune_text}')
        score = music21.converter.parseData(f'X:{tune_text}', format='abc').stripTies()
        theirs = [
            (round(4 * float(note.offset)), note.pitch.midi)
            for note in score.flatten().notes
            if note.isNote and note.quarterLength
        ]
        assert len(theirs) > 20
        assert [(note.start, note.pitch) for note in notes_of(found.piece)] == theirs


HOSTILE = {
    'no bar lines': HEAD + 'A' * 5000,
    'overfull bars': HEAD + ('A' * 1000 + '|') * 5,
    'long notes': HEAD + 'A999999999|' * 99,
    'long units': 'X:1\nM:4/4\nL:999999/1\nK:C\nA999999|',
    'long metre': 'X:1\nM:999999/1\nL:1/1\nK:C\nA99|',
    'slurs': HEAD + '(' * 5000 + 'A',
    'chords': HEAD + '[' * 5000 + 'A',
    'ties': HEAD + 'A-' * 5000,
    'too long': HEAD + 'A' * 30_000,
    'tuplets': HEAD + '(9' * 5000 + 'A',
    'no key': 'X:1\nABC|',
    'nothing': 'X:1\n',
    'bytes': 'X:1\n\0\udc80\x1b[31m',
}


@pytest.mark.parametrize('name', HOSTILE)
def test_hostile_tunes_take_little_time(tmp_path, name):
    (tmp_path / 'a.abc').write_bytes(HOSTILE[name].encode(errors='surrogateescape'))
    begun = time.process_time()
    try:
        piece = read_piece(f'{tmp_path}/a.abc').piece
    except SourceError as error:
        piece = np.array([[REST]])
        told = str(error)
    else:
        told = ''
    assert len(piece) <= 28_800 and len(told) < 1500
    assert time.process_time() - begun < 10


def test_what_is_no_tune_is_refused(tmp_path):
    (tmp_path / 'a.abc').write_text('ABC')
    with pytest.raises(SourceError, match='no piece of four bars there; 1 are left out'):
        open_source(f'abc:{tmp_path}/a.abc')
    with pytest.raises(SourceError, match='no tunes in it: none begins with X:'):
        read_piece(f'{tmp_path}/a.abc')


def test_without_music21_it_says_how_to_have_it(tmp_path):
    (tmp_path / 'a.abc').write_text(BOOK)
    program = (
        'import sys; sys.modules["music21"] = None\n'
        'from tfgan.forms.base import open_source\n'
        f'try: open_source("abc:{tmp_path}/a.abc")\n'
        'except ValueError as error: print(type(error).__name__, error)'
    )
    done = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True)
    assert done.stdout == (
        "SourceError ABC is read by music21, which is not installed: pip install 'tfgan[music]'\n"
    )
