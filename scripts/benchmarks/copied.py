"""Two small PyTorch GANs of the shapes that beginners copy: dense layers, and a DCGAN.

Made after the sizes, losses and optimizer settings of `gan.py` and `dcgan.py` of
eriklindernoren/PyTorch-GAN, whose scripts feed images from files; these have them in memory.
"""

import time

import numpy as np
import torch
from torch import nn
from torch.nn.functional import interpolate

LATENTS, BATCH = 100, 64


def _dense_pair(side):
    def block(inputs, units, normal=True):
        extra = [nn.BatchNorm1d(units, eps=0.8)] if normal else []
        return nn.Linear(inputs, units), *extra, nn.LeakyReLU(0.2)

    generator = nn.Sequential(
        *block(LATENTS, 128, normal=False),
        *block(128, 256),
        *block(256, 512),
        *block(512, 1024),
        nn.Linear(1024, side * side),
        nn.Tanh(),
        nn.Unflatten(1, (1, side, side)),
    )
    discriminator = nn.Sequential(
        nn.Flatten(), *block(side * side, 512, False), *block(512, 256, False), nn.Linear(256, 1)
    )
    return generator, discriminator


def _convolutional_pair(side):
    start = side // 4

    def grow(inputs, maps):
        layers = nn.Upsample(scale_factor=2), nn.Conv2d(inputs, maps, 3, padding=1)
        return *layers, nn.BatchNorm2d(maps, 0.8), nn.LeakyReLU(0.2)

    def shrink(inputs, maps, normal=True):
        extra = [nn.BatchNorm2d(maps, 0.8)] if normal else []
        layers = nn.Conv2d(inputs, maps, 3, 2, 1), nn.LeakyReLU(0.2), nn.Dropout2d(0.25)
        return *layers, *extra

    generator = nn.Sequential(
        nn.Linear(LATENTS, 128 * start * start),
        nn.Unflatten(1, (128, start, start)),
        nn.BatchNorm2d(128),
        *grow(128, 128),
        *grow(128, 64),
        nn.Conv2d(64, 1, 3, padding=1),
        nn.Tanh(),
    )
    discriminator = nn.Sequential(
        *shrink(1, 16, normal=False),
        *shrink(16, 32),
        *shrink(32, 64),
        *shrink(64, 128),
        nn.Flatten(),
        nn.Linear(128 * (side // 16) ** 2, 1),
    )
    for network in (generator, discriminator):
        network.apply(_start)
    return generator, discriminator


def _start(layer):
    if isinstance(layer, nn.Conv2d):
        nn.init.normal_(layer.weight, 0, 0.02)
    elif isinstance(layer, nn.BatchNorm2d):
        nn.init.normal_(layer.weight, 1, 0.02)
        nn.init.zeros_(layer.bias)


KINDS = {'dense': (_dense_pair, None), 'convolutional': (_convolutional_pair, 32)}


def train(kind, path, seed, count):
    """turn(minutes): trains on the grey images of an npz file; {'steps', 'drawings'}: a new npz."""
    torch.manual_seed(seed)
    with np.load(path) as arrays:
        images = torch.from_numpy(arrays['images']).permute(0, 3, 1, 2)
    make, side = KINDS[kind]
    generator, discriminator = make(side or images.shape[-1])
    adams = [
        torch.optim.Adam(network.parameters(), 2e-4, (0.5, 0.999))
        for network in (generator, discriminator)
    ]
    loss = nn.BCEWithLogitsLoss()
    ones, zeros = torch.ones(BATCH, 1), torch.zeros(BATCH, 1)

    def resized(pixels, to):
        return interpolate(pixels, size=(to, to), mode='bilinear', antialias=True)

    def step():
        real = images[torch.randint(len(images), [BATCH])].float() / 127.5 - 1
        if side:
            real = resized(real, side)
        fake = generator(torch.randn(BATCH, LATENTS))
        adams[0].zero_grad()
        loss(discriminator(fake), ones).backward()
        adams[0].step()
        adams[1].zero_grad()
        told = loss(discriminator(real), ones) + loss(discriminator(fake.detach()), zeros)
        (told / 2).backward()
        adams[1].step()

    @torch.no_grad()
    def drawings():
        drawn = torch.cat([generator(torch.randn(100, LATENTS)) for _ in range(count // 100)])
        drawn = resized(drawn, images.shape[-1])
        return (drawn * 127.5 + 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()

    def turn(minutes):
        began, steps = time.monotonic(), 0
        while time.monotonic() - began < 60 * minutes:
            step()
            steps += 1
        np.savez(f'{path}-{kind}-{seed}.npz', images=drawings())
        return {'steps': steps, 'drawings': f'{path}-{kind}-{seed}.npz'}

    return turn
