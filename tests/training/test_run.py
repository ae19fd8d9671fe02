"""What a run decides of a data set before anything is built."""

import numpy as np
import pytest

from tfgan import config
from tfgan.forms.drawing.drawings import Drawings
from tfgan.training import run


def source(count=50, classes=3):
    labels = np.arange(count, dtype=np.int32) % classes
    return Drawings('numbers', (8, 8, 1), labels, tuple(map(str, range(classes))), read=None)


@pytest.mark.parametrize(
    ('labels', 'classes', 'used'),
    [
        ('auto', 100, True),
        ('auto', 101, False),
        ('use', 1000, True),
        ('ignore', 2, False),
    ],
)
def test_classes_are_told_unless_there_are_many(labels, classes, used, capsys):
    assert run.uses_labels(config.make(labels=labels), source(2000, classes)) == used
    assert ('--labels=use' in capsys.readouterr().out) == (classes == 101)


@pytest.mark.parametrize(
    ('augment', 'count', 'augmented'),
    [
        ('auto', 19_999, True),
        ('auto', 20_000, False),
        ('on', 20_000, True),
        ('off', 50, False),
    ],
)
def test_few_images_are_augmented(augment, count, augmented):
    assert run.augments(config.make(augment=augment), source(count)) == augmented
