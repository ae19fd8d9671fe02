"""What a person sees of a run."""

import numpy as np
import pytest

from tfgan import config
from tfgan.forms.base import open_source
from tfgan.forms.drawing.drawings import Drawings
from tfgan.gan.gan import Gan
from tfgan.training import reporter


def source(labels, names):
    read = lambda indices: indices.astype(np.uint8)[:, None, None, None]  # noqa: E731
    return Drawings('numbers', (1, 1, 1), np.array(labels, np.int32), names, read)


def test_the_sheet_of_real_images_has_a_column_for_each_class():
    labels = np.arange(90) % 3
    chosen = reporter._showcase(source(labels, ('a', 'b', 'c')), rows=8, columns=5)
    assert (labels[chosen].reshape(8, 5) == [0, 1, 2, 0, 1]).all()
    assert len(set(chosen)) > 20


@pytest.mark.usefixtures('unjudged')
def test_the_judge_is_told_the_labels_that_the_networks_are_not(tmp_path):
    settings = config.make('dense', width=8, depth=1)
    plain = open_source('doodles', image_size=8).unlabelled()
    gan = Gan(settings, plain.shape, plain.shares)
    seen = reporter.Report(gan, plain, tmp_path)
    seen.look()
    scores = seen.score({'accuracy/real': 0.5, 'accuracy/generated': 0.5}, 0.5)
    seen.close()
    assert scores['classes_covered_of_real'] == 10 and 'labels_right' not in scores


def test_a_class_without_images_is_no_obstacle():
    chosen = reporter._showcase(source([0, 2, 2], ('a', 'b', 'c')), rows=2, columns=3)
    assert chosen.reshape(2, 3)[:, 0].tolist() == [0, 0]
    assert set(chosen) <= {0, 1, 2}
