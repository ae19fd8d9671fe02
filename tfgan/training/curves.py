"""A run's curves as one picture, read from its event files."""

import io

PANELS = {
    'loss': ('loss/discriminator', 'loss/generator', 'loss/penalty'),
    'accuracy of the discriminator': ('accuracy/real', 'accuracy/generated'),
    'Fréchet distance': ('score/frechet_distance', 'score/frechet_distance_of_real'),
    'what of drawings and data is alike': ('score/precision', 'score/recall', 'score/coverage'),
}


def picture(directory) -> bytes:
    """A PNG of the curves that TensorBoard shows of a directory of event files."""
    from matplotlib.figure import Figure

    curves = read(directory, [tag for tags in PANELS.values() for tag in tags])
    figure = Figure(figsize=(16, 3), layout='constrained')
    for axes, (title, tags) in zip(figure.subplots(1, len(PANELS)), PANELS.items(), strict=True):
        for tag in tags:
            axes.plot(*curves[tag], label=tag.split('/')[1], marker='.' if 'score' in tag else '')
        axes.set(title=title, xlabel='step')
        axes.legend()
    data = io.BytesIO()
    figure.savefig(data, format='png', dpi=80)
    return data.getvalue()


def read(directory, tags) -> dict[str, tuple[list, list]]:
    """Steps and values of each tag, in the order of steps; of a step written twice, the later."""
    import tensorflow as tf
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(directory), {'tensors': 0}).Reload()
    curves = {}
    for tag in tags:
        found = tag in events.Tags()['tensors']
        points = sorted(events.Tensors(tag), key=lambda e: (e.step, e.wall_time)) if found else []
        values = {point.step: float(tf.make_ndarray(point.tensor_proto)) for point in points}
        curves[tag] = list(values), list(values.values())
    return curves
