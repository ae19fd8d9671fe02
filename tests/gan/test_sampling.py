"""What a person sees of a game while it is trained."""

import numpy as np
import pytest
from toys import noise, settings

from tfgan.forms.drawing import FORM
from tfgan.gan.gan import Gan
from tfgan.gan.sampling import COLUMNS, MOST_ENLARGED, ROWS, Sampler


def drawings(sheet, side):
    """The drawings [n, side, side] of a sheet, however far it was enlarged."""
    factor = (sheet.shape[0] - 1) // (ROWS * (side + 2) + 2) + 1
    small = sheet[::factor, ::factor, 0]
    return np.stack([
        small[2 + r * (side + 2) :, 2 + c * (side + 2) :][:side, :side]
        for r in range(ROWS) for c in range(COLUMNS)
    ])  # fmt: skip


def test_a_pens_sheet_has_its_strokes_at_four_times_the_size():
    source = noise((28, 28, 1))
    pen = Gan(settings(architecture='pen'), source.shape, source.shares, ground=[1.0])
    large = drawings(pen.sheet(), 112).astype(float)
    seeds = np.arange(ROWS * COLUMNS)
    small = pen.draw(seeds, (seeds % COLUMNS % 3).astype(np.int32))[..., 0]
    reduced = large.reshape(-1, 28, 4, 28, 4).mean(axis=(2, 4))
    here, there = reduced < 128, small < 128
    assert (here & there).sum() > 0.85 * (here | there).sum()
    # A drawing that was scaled up would have blocks of four by four alike.
    blocks = large.reshape(-1, 28, 4, 28, 4)
    assert (np.ptp(blocks, axis=(2, 4)) > 100).mean() > 0.02


def test_a_sheet_of_pixels_is_as_they_are():
    source = noise((28, 28, 1))
    hybrid = Gan(settings(), source.shape, source.shares)
    seeds = np.arange(ROWS * COLUMNS)
    drawn = hybrid.draw(seeds, (seeds % COLUMNS % 3).astype(np.int32))
    assert np.array_equal(hybrid.sheet(), FORM.sheet(drawn, COLUMNS))


@pytest.mark.parametrize(
    ('side', 'enlarged', 'walking'), [(28, 112, 112), (128, 512, 128), (200, 400, 200)]
)
def test_large_drawings_are_enlarged_less(side, enlarged, walking):
    source = noise((side, side, 1))
    pen = Gan(settings(architecture='pen'), source.shape, source.shares, ground=[1.0])
    latents, labels = np.zeros((1, 6), np.float32), np.zeros(1, np.int32)
    found = pen.sampler._enlarged(latents, labels)
    assert found.shape == (1, enlarged, enlarged, 1) and enlarged <= MOST_ENLARGED
    assert pen.walk(2, 1).shape == (1, 2, walking, walking, 1)


def test_tensorflow_warns_of_no_run_after_the_fifth_in_one_process(caplog):
    source = noise((8, 8, 1))
    gan = Gan(settings(architecture='mlp'), source.shape, source.shares)
    for _ in range(6):
        Sampler(gan.sampler._state).sheet()  # as that of another run would
    assert caplog.messages == []
