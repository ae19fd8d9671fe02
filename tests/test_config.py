"""Settings merge, are checked at their limits, and travel through flags without TensorFlow."""

import dataclasses
import json
import math
import os
import pathlib
import re
import subprocess
import sys

import pytest

from tfgan import config
from tfgan.config import Config, make
from tfgan.errors import ConfigError
from tfgan.forms.base import FORMS, form_named

ROOT = pathlib.Path(__file__).parents[1]
FIELDS = {field.name: field for field in dataclasses.fields(Config)}

# One setting of each field that is not the default; steps stands for minutes too.
OTHERS = dict(
    preset='quick',
    dataset='tfds:mnist',
    encoder='off',
    split='test',
    labels='ignore',
    augment='on',
    image_size=32,
    ink_width=0.04,
    seed=2**31 - 1,
    steps=7,
    batch_size=3,
    architecture='conv',
    width=5,
    depth=2,
    channels=3,
    latent_size=9,
    output='linear',
    precision='bfloat16',
    xla='off',
    objective='hinge',
    penalty_weight=0.25,
    penalty_decay=0.5,
    learning_rate=1e-5,
    generator_rate=0.25,
    beta_1=0.5,
    beta_2=0.9,
    decay_from=0.125,
    ema_images=11,
    ema_share=0.75,
)


def train(*arguments, directory):
    """Runs the train command; the result, and the packages it imported."""
    result = subprocess.run(
        [sys.executable, '-X', 'importtime', '-m', 'tfgan.train', *arguments],
        capture_output=True,
        text=True,
        cwd=directory,
        env=os.environ | {'PYTHONPATH': str(ROOT)},
    )
    imported = set(re.findall(r'^import time:.*\|\s*(\w+)', result.stderr, re.MULTILINE))
    assert 'absl' in imported
    return result, imported


def neighbours(field):
    """For each limit of a field: the last value inside it, and the first one outside."""
    whole = config.field_type(field)[0] is int
    for limit, value in field.metadata['limits'].items():
        outwards = -math.inf if limit in ('least', 'above') else math.inf
        beyond, before = (
            value + math.copysign(1, way) if whole else math.nextafter(value, way)
            for way in (outwards, -outwards)
        )
        inside, outside = (value, beyond) if limit in ('least', 'most') else (before, value)
        yield (int(inside), int(outside), value) if whole else (inside, outside, value)


LIMITS = [(name, *values) for name, field in FIELDS.items() for values in neighbours(field)]


def test_explicit_over_preset_over_default():
    assert make() == Config()
    quick = make('quick')
    assert quick.preset == 'quick'
    assert quick.minutes == config.PRESETS['quick']['minutes'] != Config().minutes
    assert quick.width == Config().width
    assert make('quick', minutes=9.0, width=7).minutes == 9.0
    assert make('quick', minutes=9.0, width=7).learning_rate == quick.learning_rate
    assert make('quick', width=7).width == 7


@pytest.mark.parametrize('preset', config.PRESETS)
def test_every_preset_takes_either_budget(preset):
    for settings in make(preset), make(preset, steps=3), make(preset, minutes=3.0):
        assert (settings.steps is None) != (settings.minutes is None)
    assert make(preset, steps=3).steps == 3
    assert make(preset, minutes=3.0).minutes == 3.0


def test_the_later_budget_replaces_the_earlier():
    assert (make('article').steps, make('article').minutes) == (10_000, None)
    for nothing in ({}, {'steps': None}):
        there_and_back = make('article', minutes=2.0, **nothing)
        assert (there_and_back.steps, there_and_back.minutes) == (None, 2.0)


@pytest.mark.parametrize('budget', [dict(steps=3, minutes=2.0), dict(steps=None, minutes=None)])
def test_one_budget_and_no_more(budget):
    with pytest.raises(ConfigError, match='exactly one') as refusal:
        make(**budget)
    for name, value in budget.items():
        assert f'--{name}={value}' in str(refusal.value)


@pytest.mark.parametrize(('name', 'inside', 'outside', 'limit'), LIMITS)
def test_limits(name, inside, outside, limit):
    assert getattr(make(**{name: inside}), name) == inside
    with pytest.raises(ConfigError) as refusal:
        make(**{name: outside})
    assert f'--{name}={outside}:' in str(refusal.value)
    assert str(refusal.value).endswith(f' {limit}')


def test_no_number_is_negative():
    numbers = {name for name, field in FIELDS.items() if config.field_type(field)[0] is not str}
    assert {name for name, *_ in LIMITS} == numbers
    may_be_zero = {'seed', 'penalty_weight', 'beta_1', 'beta_2', 'decay_from'}
    for name in numbers:
        for value in [-1] if name in may_be_zero else [-1, 0]:
            with pytest.raises(ConfigError, match=f'--{name}={value}:'):
                make(**{name: value})


@pytest.mark.parametrize('name', [n for n, f in FIELDS.items() if f.metadata['accepts']])
def test_choices(name):
    accepts = FIELDS[name].metadata['accepts']
    for choice in accepts:
        assert getattr(make(**{name: choice}), name) == choice
    with pytest.raises(ConfigError) as refusal:
        make(**{name: 'nonsense'})
    assert f'--{name}=nonsense:' in str(refusal.value)
    assert ', '.join(accepts) in str(refusal.value)


@pytest.mark.parametrize(
    ('name', 'value', 'wanted'),
    [
        ('width', 1.5, 'a whole number'),
        ('width', '512', 'a whole number'),
        ('width', None, 'a whole number'),
        ('seed', True, 'a whole number'),
        ('beta_2', math.nan, 'a finite number'),
        ('minutes', math.inf, 'a finite number'),
        ('penalty_weight', -math.inf, 'a finite number'),
        ('learning_rate', '1e-3', 'a finite number'),
        ('ema_share', True, 'a finite number'),
        ('dataset', 3, 'a text'),
    ],
)
def test_wrong_types_are_quoted(name, value, wanted):
    with pytest.raises(ConfigError) as refusal:
        make(**{name: value})
    assert str(refusal.value) == f'--{name}={value!r}: expected {wanted}'


def test_a_whole_number_is_a_number():
    assert make(minutes=2) == make(minutes=2.0)


def test_unknown_names_are_answered_with_the_known():
    with pytest.raises(ConfigError) as refusal:
        make('fast')
    assert '--preset=fast' in str(refusal.value)
    assert ', '.join(config.PRESETS) in str(refusal.value)
    with pytest.raises(ConfigError) as refusal:
        make(stepz=3, width=2)
    assert 'stepz' in str(refusal.value).partition(';')[0]
    assert 'width' not in str(refusal.value).partition(';')[0]
    assert set(FIELDS) <= set(re.findall(r'\w+', str(refusal.value).partition(';')[2]))


def test_differences():
    old, new = vars(make(steps=3)), vars(make(steps=4, width=7))
    assert config.differences(old, dict(old)) == []
    assert config.differences(old, new) == ['steps: 3 there, 4 now', 'width: 400 there, 7 now']
    assert config.differences({'a': None, 'gone': 1}, {'a': None, 'added': None}) == [
        'added: absent there, None now',
        'gone: 1 there, absent now',
    ]


def test_the_configuration_survives_json():
    settings = make('article', minutes=0.1, learning_rate=1 / 3)
    assert Config(**json.loads(json.dumps(vars(settings)))) == settings


def test_description_marks_what_departs():
    lines = config.describe(make('quick', seed=3)).splitlines()
    marked = {line.split()[1] for line in lines if line.startswith('*')}
    assert marked == {'preset', 'minutes', 'seed', 'generator_rate'}
    assert len(lines) == len(FIELDS)


def test_help_has_a_line_for_each_field():
    lines = config.help_text().splitlines()
    assert [line.split()[0] for line in lines] == [f'--{name}' for name in FIELDS]
    for line, field in zip(lines, FIELDS.values(), strict=True):
        assert line.split()[1] == ('none' if field.default is None else str(field.default))
        assert field.metadata['text'] in line
        assert all(choice in line for choice in field.metadata['accepts'] or ())
    assert all(preset in lines[0] for preset in config.PRESETS)


def test_names_are_those_of_the_tables():
    from tfgan import objectives
    from tfgan.networks import layers, mlp

    of_forms = {name: form_named(name) for name in FORMS}
    assert (
        tuple(name for form in of_forms.values() for name in form.architectures)
        == config.ARCHITECTURES
    )
    usual = dict.fromkeys(of_forms['music'].sources, 'music')
    assert usual == config.USUAL_PRESETS
    assert tuple(objectives.OBJECTIVES) == config.OBJECTIVES
    assert tuple(layers.POLICIES) == config.PRECISIONS
    for output in config.OUTPUTS:
        mlp.MlpGenerator(make(output=output, width=2, depth=1), (2, 2, 1), 1)


def test_flags_reach_the_configuration(tmp_path):
    assert set(OTHERS) == set(FIELDS) - {'minutes'}
    arguments = [f'--{name}={value}' for name, value in OTHERS.items()]
    result, imported = train('--dry_run', *arguments, directory=tmp_path)
    assert result.returncode == 0, result.stderr
    expected = make(**OTHERS)
    assert result.stdout.startswith(config.describe(expected) + '\n')
    assert not imported & {'tensorflow', 'keras'}
    assert not list(tmp_path.iterdir())


def test_a_flag_not_given_leaves_the_presets_value(tmp_path):
    arguments = '--dry_run', '--preset=article', '--width=3', '--beta_1=0'
    result, _ = train(*arguments, directory=tmp_path)
    expected = make('article', width=3, beta_1=0.0)
    assert result.stdout.startswith(config.describe(expected) + '\n')


def test_help_and_refusals_are_quick_and_plain(tmp_path):
    result, imported = train('--help', directory=tmp_path)
    assert result.returncode == 0
    assert config.help_text() in result.stdout
    assert not imported & {'tensorflow', 'keras'}
    result, imported = train('--minutes=nan', directory=tmp_path)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == 'error: --minutes=nan: expected a finite number'
    assert 'Traceback' not in result.stderr
    assert not imported & {'tensorflow', 'keras'}
    assert not list(tmp_path.iterdir())


def test_a_presets_penalty_belongs_to_its_objective():
    assert make('dense').penalty_weight == make('dense', width=9).penalty_weight == 0.3
    assert make('dense', objective='hinge').penalty_weight is None
    assert make('dense', objective='wasserstein', penalty_weight=3.0).penalty_weight == 3
