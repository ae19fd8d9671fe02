"""What a run's scores say of it in plain words, and what to try."""

COPIES = 3  # times as frequent as among real images, and
COPIES_LEAST = 0.05  # of all drawings
VARIETY = 0.5  # of what real images have
COVERAGE = 0.5
SURE = 0.97  # the discriminator's accuracy on both kinds of image
RECENT = 3  # scores that must agree, for one alone may be chance
LATE = 0.8  # of the run: before, the learning rate's fall has yet to lower the score
PLATEAU = 0.3  # of the run without a better score


def advice(scores: list[dict], nouns: tuple[str, str] = ('drawing', 'image')) -> dict[str, str]:
    """Sentences about a run by what they are about; none if all is well.

    `nouns` are a form's for what a model makes and what it is given.

    `scores` are those so far, the oldest first. Each has the figures of `Quality.as_dict`,
    `accuracy/real` and `accuracy/generated`, and `progress`, the share of the run behind it.
    """
    if len(scores) < RECENT:
        return {}
    found = {
        name: sentence(scores[-1], *nouns)
        for name, (holds, sentence) in RULES.items()
        if all(holds(score) for score in scores[-RECENT:])
    }
    return found | _plateau(scores, *nouns)


def _has_collapsed(score):
    return (
        score['diversity'] < VARIETY * score['diversity_of_real']
        or score['coverage'] < COVERAGE * score['coverage_of_real']
    )


def _collapse(score, made, given):
    return (
        f'The {made}s lack variety: they come near {score["coverage"]:.0%} of the real {given}s, '
        f'where real ones come near {score["coverage_of_real"]:.0%}. Early in a run that is usual; '
        'if it stays, try a higher --penalty_weight or a lower --learning_rate.'
    )


def _copies(score):
    return score['copies'] > max(COPIES_LEAST, COPIES * score['copies_of_real'])


def _copying(score, made, given):
    return (
        f'{score["copies"]:.0%} of the {made}s are as near to a training {given} as only '
        f'{score["copies_of_real"]:.0%} of real {given}s are to another: it repeats what it was '
        f'shown. Try more {made}s, --augment=on or fewer --minutes.'
    )


def _has_won(score):
    return min(score['accuracy/real'], score['accuracy/generated']) > SURE


def _won(score, made, given):
    return (
        f'The discriminator tells {score["accuracy/generated"]:.0%} of the {made}s from real '
        f'{given}s, and the generator learns little from one so sure. Try ten times the '
        '--penalty_weight, or --objective=relativistic.'
    )


RULES = {
    'collapse': (_has_collapsed, _collapse),
    'copying': (_copies, _copying),
    'discriminator': (_has_won, _won),
}


def _plateau(scores, made, _):
    best, last = min(scores, key=lambda score: score['frechet_distance']), scores[-1]
    if last['progress'] < LATE or last['progress'] - best['progress'] <= PLATEAU:
        return {}
    return {
        'plateau': f'No better score since {best["progress"]:.0%} of the run (Fréchet distance '
        f'{best["frechet_distance"]:.3g}, now {last["frechet_distance"]:.3g}); that state is kept '
        f'in best/. More time will hardly help: try a larger --width, or more {made}s.'
    }
