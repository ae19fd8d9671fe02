"""Distances between two sets of images."""

import numpy as np


def sliced_wasserstein(real: np.ndarray, fake: np.ndarray, directions: int = 256) -> float:
    """How far generated pixels lie from real ones, per direction of pixel space.

    Both uint8 [n, h, w, c] of the same n. The mean over random directions of the 1-Wasserstein
    distance between the two projections (Rabin et al. 2012), where one pixel from black to white is
    1. It sees tone, placement and variety; it is no judge of a single drawing.
    """
    real, fake = (
        images.reshape(len(images), -1).astype(np.float32) / 255 for images in (real, fake)
    )
    if real.shape != fake.shape:
        raise ValueError(f'the sets must be of one shape, not {real.shape} and {fake.shape}')
    slopes = np.random.default_rng(0).normal(size=(real.shape[1], directions)).astype(np.float32)
    slopes /= np.linalg.norm(slopes, axis=0)
    return float(np.abs(np.sort(real @ slopes, axis=0) - np.sort(fake @ slopes, axis=0)).mean())
