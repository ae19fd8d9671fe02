"""The quality report of a toy export, as a person would ask for it."""

import json
import math
import os
import pathlib
import shutil
import subprocess
import sys

import forks
import numpy as np
import pytest
from PIL import Image

from tfgan import errors, evaluate
from tfgan.data.doodles import render
from tfgan.evaluation import report as reports
from tfgan.evaluation.evaluator import FIGURES, Row
from tfgan.forms.drawing import FORM
from tfgan.saved_model import card
from tfgan.training import curves

SIZE, COUNT, NUM = 16, 200, 80
NOBODY = dict.fromkeys(('HTTPS_PROXY', 'https_proxy'), 'http://127.0.0.1:9')


def run(cwd, module, *flags, code=0, **environment):
    process = subprocess.run(
        [*forks.python(), '-m', f'tfgan.{module}', *flags],
        cwd=cwd,
        env=os.environ
        | {'PYTHONPATH': str(pathlib.Path(__file__).parents[1]), 'XDG_CACHE_HOME': str(cwd / 'c')}
        | environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert process.returncode == code, process.stdout + process.stderr
    return process.stdout, process.stderr


def save(path, size=SIZE, classes=10, channels=1):
    pixels = render.draw(np.arange(COUNT), size=size)[..., None].repeat(channels, axis=-1)
    np.savez(path, images=pixels, labels=render.labels(COUNT) % classes)


@pytest.fixture(scope='module')
def home(tmp_path_factory):
    """A folder with a toy model, the data it was trained on, and other data."""
    cwd = tmp_path_factory.mktemp('home')
    save(cwd / 'toy.npz')
    save(cwd / 'other.npz', size=20, classes=3)
    save(cwd / 'colour.npz', channels=3)
    toy = ['--steps=3', '--width=8', '--depth=1', '--batch_size=8', '--latent_size=8']
    flags = '--dataset=npz:toy.npz', '--run_dir=r', '--export_dir=m', '--architecture=mlp'
    run(cwd, 'train', *toy, *flags, **{forks.UNJUDGED: '1'})
    return cwd


@pytest.fixture(scope='module')
def report(home):
    """A finished report and what the command said."""
    out, err = run(home, 'evaluate', '--model=m', f'--num={NUM}')
    return home / 'reports/m/1', out, err


def test_it_says_what_it_compares_and_what_came_of_it(report):
    _, out, err = report
    assert err == ''
    for words in (
        'model           m/1, step 3\n',
        'npz:toy.npz, 200 images of [16, 16, 1]\n',
        'Fréchet distance in the features of a classifier trained on this data set; not FID, not'
        ' comparable with other data sets.',
        '80 drawings and as many real images',
        '% right on images it had not seen',
        'those that vary least beside real ones first',
        'metrics.json',
    ):
        assert words in out
    lines = out[out.index('figure ') :].splitlines()
    assert [line.split()[0] for line in lines[1:19]] == [*FIGURES, *FORM.figures]
    assert len({line.index(word) for line, word in zip(lines[1:19], map(better, lines[1:]))}) == 1
    assert max(map(len, lines)) <= 130


def better(line):
    return next(word for word in ('lower', 'higher', 'near ') if f'  {word}' in line)


def test_it_leaves_numbers_pictures_and_curves(report):
    directory = report[0]
    assert {path.name for path in directory.iterdir()} == {
        'metrics.json', 'missed.png', 'neighbours.png', 'tensorboard'
    }  # fmt: skip
    found = json.loads((directory / 'metrics.json').read_text())
    assert (found['step'], found['model']['version'], found['seed']) == (3, '1', 0)
    assert found['model']['name'] == 'm' and found['data']['count'] == COUNT
    assert found['extractor'] in found['about'] and 0 < found['accuracy'] <= 1
    assert found['secs'] > 0 and found['training_images'] == COUNT
    assert list(found['figures']) == [*FIGURES, *FORM.figures]
    distance = found['figures']['frechet_distance']
    assert distance['generated'] > 3 * distance['real'] > 0 and distance['n'] == NUM
    assert found['figures']['labels_right']['generated'] < 0.5
    assert len(found['class_shares']) == 10
    assert set(found['class_diversity']) <= set(found['class_shares'])
    width, height = Image.open(directory / 'neighbours.png').size
    assert (width, height) == (146 * round(640 / 146), 146 * round(640 / 146))
    tags = ['report/frechet_distance', 'report/frechet_distance_of_real']
    points = curves.read(directory / 'tensorboard', tags)
    assert [points[tag][0] for tag in tags] == [[3], [3]]
    assert [points[tag][1][0] for tag in tags] == pytest.approx(
        [distance['generated'], distance['real']]
    )


def test_the_same_again_is_the_same_and_trains_nothing(home, report):
    kept = {path: path.stat().st_mtime_ns for path in (home / 'c/tfgan').iterdir()}
    assert len(kept) >= 2  # training remembers some too
    run(home, 'evaluate', '--model=m/1', '--dataset=npz:toy.npz', f'--num={NUM}', '--out=again')
    assert {path: path.stat().st_mtime_ns for path in (home / 'c/tfgan').iterdir()} == kept
    first, again = (
        json.loads((path / 'metrics.json').read_text())['figures']
        for path in (report[0], home / 'again')
    )
    for name in first:
        assert again[name]['real'] == first[name]['real']
        assert again[name]['generated'] == pytest.approx(first[name]['generated'], rel=1e-6)


@pytest.mark.long
def test_other_data_is_fitted_and_other_classes_are_left_out(home):
    out, _ = run(
        home, 'evaluate', '--model=m', '--dataset=npz:other.npz', '--num=50', '--out=o',
        '--cache_dir=d',
    )  # fmt: skip
    assert 'images of [16, 16, 1]' in out
    assert 'draws the classes 0, 1, 2, 3, 4, 5, 6, 7, 8, 9; the data has 0, 1, 2.' in out
    found = json.loads((home / 'o/metrics.json').read_text())
    assert set(found['figures']) == {*FIGURES, *FORM.figures} - {'labels_right'}
    assert len(list((home / 'd').iterdir())) == 2


@pytest.mark.parametrize(
    ('flags', 'words'),
    [
        (['--model=nowhere'], ['nowhere', 'tfgan.train']),
        (['--model=m', '--dataset=mnst'], ['mnst', 'doodles']),
        (['--model=m', '--inception_weights=w.h5'], ['w.h5', '--features=inception']),
        (['--model=m', '--num=19'], ['19', 'num']),
        (
            ['--model=m', '--dataset=npz:colour.npz'],
            ['[16, 16, 1]', '[16, 16, 3]', 'npz:colour.npz', '--model=m'],
        ),
        (
            ['--model=m', '--features=inception'],
            ['downloaded', '--inception_weights=FILE', '--features=own'],
        ),
        (
            ['--model=m', '--features=inception', '--inception_weights=toy.npz'],
            ['toy.npz', 'no weights for InceptionV3'],
        ),
    ],
)
def test_refusals_come_before_the_first_file(home, flags, words):
    before = {path for path in home.rglob('*') if 'keras' not in str(path)}
    _, err = run(
        home, 'evaluate', *flags, '--out=no', '--cache_dir=no', code=1, **NOBODY,
        KERAS_HOME=str(home / 'keras'),
    )  # fmt: skip
    assert all(word in err for word in words), err
    assert 'Traceback' not in err
    assert {path for path in home.rglob('*') if 'keras' not in str(path)} == before


def test_help_is_there_without_tensorflow():
    script = (
        'import runpy, sys; sys.argv = ["evaluate", "--help"];'
        'runpy.run_module("tfgan.evaluate", run_name="__main__");'
        'assert "tensorflow" not in sys.modules and "keras" not in sys.modules'
    )
    out = subprocess.check_output([sys.executable, '-c', script], text=True)
    assert all(f'--{name} ' in out for name in evaluate.OWN)
    assert max(map(len, out.splitlines())) <= 120


def test_numbers_are_short():
    values = [0, 0.012345, 1.5, 9876.54, 123456.7, -0.00001, math.nan, math.inf]
    told = ['0', '0.01235', '1.5', '9877', '123457', '-1e-05', 'nan', 'inf']
    assert [reports.number(value) for value in values] == told


def test_the_table_is_aligned():
    rows = [
        Row('copies', 0.5, 0.01, 'near', 'as near', 200),
        Row('kernel_distance_high', -123.456, 1e6, 'lower', 'ends', 10_000),
    ]
    head, first, second = reports.table(rows)
    assert first.index('as near') == second.index('ends') == head.index('what')
    ends = [
        line.index(word) + len(word)
        for line, word in zip((head, first, second), ('generated', ' 0.5', '-123.5'))
    ]
    assert len(set(ends)) == 1  # numbers end where others end
    assert first.index('200') + 3 == second.index('10,000') + 6 == head.index(' n ') + 2
    assert '1000000' in second and '-123.5' in second


def test_strange_names_of_classes_are_told_in_a_line():
    drawn = ['a\x1b[2J\nb', 'c' * 10**6] * 1000
    told = reports.class_note(drawn, ('d\u202e',))
    assert r'a\x1b[2J\nb, ccc' in told and r'has d\u202e.' in told
    assert errors.shown(told) == told and len(told) < 2000
    [line] = reports.class_table({drawn[0]: (1, 1)}, {drawn[0]: (1, 1)})[3:]
    assert line.startswith(r'a\x1b[2J\nb')


def test_json_has_no_word_for_nan():
    found = reports.finite({'a': {'b': math.nan, 'c': 1.5}, 'd': -math.inf, 'e': 'nan'})
    assert found == {'a': {'b': None, 'c': 1.5}, 'd': None, 'e': 'nan'}


def of_data(**changes):
    return lambda facts: json.dumps(facts | {'data': facts['data'] | changes})


@pytest.mark.parametrize(
    ('change', 'why'),
    [
        (None, 'No such file'),
        (lambda facts: '{', 'Expecting'),
        (lambda facts: '[]', 'not a mapping'),
        (lambda facts: json.dumps(facts | {'data': 3}), 'not a mapping'),
        (lambda facts: json.dumps({k: v for k, v in facts.items() if k != 'step'}), "'step' is"),
        (lambda facts: '[' * 100_000, 'recursion'),
        (lambda facts: json.dumps(facts) + ' ' * (17 << 20), 'more than 16,777,216 bytes'),
        (lambda facts: json.dumps(facts | {'step': 'a\x1b[2J\nb'}), r'step: a\x1b[2J\nb'),
        (lambda facts: json.dumps(facts | {'scores': {'a': 'b' * 9999}}), 'scores: {'),
        (lambda facts: json.dumps(facts | {'config': 3}), 'config: 3'),
        (of_data(dataset='a', licence=[]), 'licence: []'),
        (of_data(class_names=['a', 3]), 'not those of examples'),
        (of_data(class_names=['a']), 'not those of examples'),
        (of_data(shape=[8, 8]), 'not those of examples'),
        (of_data(class_counts=None), 'iterable'),
    ],
)
def test_a_model_that_does_not_say_what_it_learned_from(home, tmp_path, change, why):
    shutil.copytree(home / 'm', tmp_path / 'm')
    path = tmp_path / 'm/1/model.json'
    facts = json.loads(path.read_text())
    path.unlink()
    if change:
        path.write_text(change(facts))
    with pytest.raises(errors.ModelError) as refusal:
        card.read(path.parent)
    assert str(path) in str(refusal.value) and why in str(refusal.value)
    assert 'export the run once more' in str(refusal.value)
    assert errors.shown(str(refusal.value)) == str(refusal.value) and len(str(refusal.value)) < 600


def test_a_split_is_compared_with(home, tmp_path):
    version = home / 'm/1'
    drawings = render.draw(np.arange(20), size=SIZE)
    for number, pixels in enumerate(drawings):
        place = tmp_path / ('test' if number < 6 else 'train') / 'abc'[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(place / f'{number}.png')
    known = card.read(version)
    counts = [
        len(reports.open_data(f'folder:{tmp_path}', known, version, split=split))
        for split in (None, 'test', 'all')
    ]
    assert counts == [14, 6, 20]
