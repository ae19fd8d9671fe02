"""Plain words come when they are due, and not before."""

import pytest

from tfgan.evaluation.advice import advice

WELL = {
    'frechet_distance': 1.0,
    'diversity': 10.0,
    'diversity_of_real': 11.0,
    'coverage': 0.9,
    'coverage_of_real': 0.97,
    'copies': 0.012,
    'copies_of_real': 0.01,
    'accuracy/real': 0.7,
    'accuracy/generated': 0.7,
}
TROUBLES = [
    ({'diversity': 5.0}, 'collapse', ['--penalty_weight', '--learning_rate']),
    ({'coverage': 0.4}, 'collapse', ['40%', '97%']),
    ({'copies': 0.2}, 'copying', ['20%', '1%', '--augment=on']),
    ({'accuracy/real': 0.99, 'accuracy/generated': 0.98}, 'discriminator', ['98%', 'ten times']),
]


def run(*changes):
    """Scores of a run that gets better all the time, with changes to the last of them."""
    scores = [WELL | {'frechet_distance': 9.0 - i, 'progress': (i + 1) / 8} for i in range(8)]
    for at, change in enumerate(changes):
        scores[at - len(changes)] |= change
    return scores


def test_nothing_is_said_of_a_run_that_is_well():
    assert advice(run()) == {}
    assert advice([]) == {}


@pytest.mark.parametrize(('change', 'about', 'words'), TROUBLES)
def test_trouble_is_named_when_three_scores_agree(change, about, words):
    found = advice(run(change, change, change))
    assert list(found) == [about]
    assert all(word in found[about] for word in words)
    assert advice(run(change, {}, change)) == {}
    assert advice(run(change, change, change)[-2:]) == {}


@pytest.mark.parametrize(
    'change',
    [
        {'diversity': 6.0},
        {'coverage': 0.5},
        {'copies': 0.045},
        {'copies': 0.2, 'copies_of_real': 0.1},  # the data repeats itself
        {'accuracy/real': 0.99},
    ],
)
def test_what_is_within_bounds_is_passed_over(change):
    assert advice(run(change, change, change)) == {}


def plateaued(best, last):
    """Scores of which none after `best` eighths of the run was better, up to `last` eighths."""
    scores = run()
    for score in scores[best:]:
        score['frechet_distance'] = 10.5 - best
    return scores[:last]


def test_a_plateau_is_told_late_in_the_run():
    found = advice(plateaued(4, 7))
    assert list(found) == ['plateau']
    assert all(word in found['plateau'] for word in ('50%', '6', '6.5', 'best/'))
    assert advice(plateaued(1, 6)) == {}  # the learning rate has yet to fall
    assert advice(plateaued(5, 7)) == {}
    assert list(advice(plateaued(5, 8))) == ['plateau']
