"""The same networks, games, batches and optimizer in PyTorch, as its users write them."""

import itertools
import math

import floor
import numpy as np
import restated
import torch
import torch_pen
from torch import nn
from torch.nn.functional import interpolate, leaky_relu, softplus
from workers import secs_each

from tfgan import config


class Generator(nn.Module):
    def __init__(self, settings, pixels, classes):
        super().__init__()
        self.embedding = nn.Embedding(classes, settings.latent_size)
        self.hidden = _hidden(2 * settings.latent_size, settings)
        self.head = nn.Linear(settings.width, pixels)
        self.squash = torch.tanh if settings.output == 'tanh' else nn.Identity()

    def trunk(self, points, labels):
        hidden = torch.cat([points, self.embedding(labels)], 1)
        for layer in self.hidden:
            hidden = leaky_relu(layer(hidden), 0.2)
        return hidden

    def forward(self, points, labels):
        return self.squash(self.head(self.trunk(points, labels)))


class ConvGenerator(Generator):
    """For square grey images whose side is four times a whole number."""

    def __init__(self, settings, pixels, classes):
        side, fine = math.isqrt(pixels) // 4, settings.channels
        super().__init__(settings, 2 * fine * side * side, classes)
        self.coarsest = 2 * fine, side, side
        self.shortcut = nn.Conv2d(2 * fine, fine, 1, bias=False)
        self.up = nn.ConvTranspose2d(2 * fine, fine, 4, 2, 1)
        self.last = nn.ConvTranspose2d(fine, 1, 4, 2, 1)

    def forward(self, points, labels):
        coarse = self.head(self.trunk(points, labels)).unflatten(1, self.coarsest)
        copy = interpolate(self.shortcut(coarse), scale_factor=2)
        fine = copy + self.up(leaky_relu(coarse, 0.2))
        return self.squash(self.last(leaky_relu(fine, 0.2))).flatten(1)


class PenGenerator(Generator):
    """For square grey images on white, of a side of 32 at most."""

    def __init__(self, settings, pixels, classes):
        numbers = restated.STROKES * sum(restated.NUMBERS) + restated.POSE
        super().__init__(settings, numbers, classes)
        self.side, self.styles = math.isqrt(pixels), min(restated.STYLES, settings.latent_size)
        self.style = nn.Embedding(classes * self.styles, settings.latent_size)
        nn.init.normal_(self.style.weight, std=restated.STYLE_SCALE)

    def forward(self, points, labels):
        chosen = labels * self.styles + points[:, : self.styles].argmax(1)
        numbers = self.head(self.trunk(points + self.style(chosen), labels))
        return torch_pen.images(numbers, self.side)


class Discriminator(nn.Module):
    def __init__(self, settings, pixels, classes):
        super().__init__()
        self.hidden = _hidden(pixels, settings)
        # A game that compares logits cannot move what is common to all of them.
        self.logit = nn.Linear(settings.width, 1, bias=settings.objective != 'relativistic')
        self.embedding = nn.Embedding(classes, settings.width)

    def forward(self, images, labels):
        hidden = images
        for layer in self.hidden:
            hidden = leaky_relu(layer(hidden), 0.2)
        return self.logit(hidden)[:, 0] + (self.embedding(labels) * hidden).sum(1)


class HybridDiscriminator(Discriminator):
    """For the same images as ConvGenerator's."""

    def __init__(self, settings, pixels, classes):
        super().__init__(settings, pixels + pixels // 16 * settings.channels, classes)
        self.patches = nn.Conv2d(1, settings.channels, 8, 4, 2)

    def forward(self, images, labels):
        side = math.isqrt(images.shape[1])
        maps = leaky_relu(self.patches(images.unflatten(1, (1, side, side))), 0.2)
        return super().forward(torch.cat([maps.flatten(1), images], 1), labels)


PAIRS = {
    'mlp': (Generator, Discriminator),
    'hybrid': (ConvGenerator, HybridDiscriminator),
    'pen': (PenGenerator, HybridDiscriminator),
}


def _hidden(inputs, settings):
    sizes = [inputs] + [settings.width] * settings.depth
    return nn.ModuleList(nn.Linear(*pair) for pair in itertools.pairwise(sizes))


def d_loss(settings, discriminator, real, fake, labels):
    """With the penalty, if the game has one, on the slopes of the same pass."""
    weight = restated.penalty_weight(settings)
    images = torch.cat([real, fake]).requires_grad_(weight > 0)
    logits = discriminator(images, labels.repeat(2))
    real_logits, fake_logits = logits.chunk(2)
    if settings.objective == 'relativistic':
        loss = softplus(fake_logits - real_logits).mean()
    else:
        loss = softplus(-real_logits).mean() + softplus(fake_logits).mean()
    if weight:
        [slopes] = torch.autograd.grad(logits.sum(), images, create_graph=True)
        loss = loss + weight * 0.5 * slopes.square().sum() / len(real)
    return loss


def g_loss(settings, discriminator, real, fake, labels):
    fake_logits = discriminator(fake, labels)
    if settings.objective == 'relativistic':
        return softplus(discriminator(real, labels) - fake_logits).mean()
    return softplus(-fake_logits).mean()


def step(path, preset, fused=False, compiled=False):
    """turn(steps) of a preset: first the discriminator's step, then the generator's.

    The generator's own step leaves the discriminator's gradients out, and one pass of it serves
    both: what careful PyTorch code does. Adam's default there is one `foreach` update.
    What `torch.compile` made cannot be differentiated twice, as a penalty asks for.
    """
    torch.set_flush_denormal(True)  # as TensorFlow and JAX do by themselves
    settings = config.make(preset)
    with np.load(path) as arrays:
        pixels = torch.from_numpy(arrays['images']).flatten(1)
        all_labels = torch.from_numpy(arrays['labels']).long()
    size, classes = pixels.shape[1], int(all_labels.max()) + 1
    make_generator, make_discriminator = PAIRS[settings.architecture]
    generator, average = (make_generator(settings, size, classes) for _ in '12')
    average.requires_grad_(False)
    discriminator = make_discriminator(settings, size, classes)
    betas = settings.beta_1, settings.beta_2
    d_adam, g_adam = (
        torch.optim.Adam(
            network.parameters(), share * settings.learning_rate, betas, fused=fused or None
        )
        for network, share in ((discriminator, 1.0), (generator, settings.generator_rate))
    )
    draw, judge, guide = generator, discriminator, discriminator
    if compiled:
        draw, guide = torch.compile(generator), torch.compile(discriminator)
        judge = discriminator if restated.penalty_weight(settings) else guide
    batch = settings.batch_size

    def train():
        chosen = torch.randint(len(pixels), [batch])
        real, labels = pixels[chosen].float() / 127.5 - 1, all_labels[chosen]
        fake = draw(torch.randn(batch, settings.latent_size), labels)

        d_adam.zero_grad()
        loss = d_loss(settings, judge, real, fake.detach(), labels)
        loss.backward(inputs=list(discriminator.parameters()))
        d_adam.step()

        discriminator.requires_grad_(False)
        g_adam.zero_grad()
        loss = g_loss(settings, guide, real, fake, labels)
        loss.backward()
        g_adam.step()
        discriminator.requires_grad_(True)
        with torch.no_grad():
            torch._foreach_lerp_(list(average.parameters()), list(generator.parameters()), 0.01)
        return loss.item()

    secs_each(train, 3)
    return lambda steps: secs_each(train, steps)


def drawing(classes):
    """turn([signature, batch, count]): seconds of each of `count` calls of the dense preset."""
    import io

    from PIL import Image

    generator = Generator(config.make('dense'), 784, classes)
    chance = torch.Generator()

    def draw(batch):
        chance.manual_seed(7)
        points = torch.randn(batch, config.make('dense').latent_size, generator=chance)
        pixels = generator(points, torch.randint(classes, [batch], generator=chance))
        return (pixels * 127.5 + 127.5).round().clamp(0, 255).to(torch.uint8).numpy()

    def encode(drawn):
        for pixels in drawn:
            Image.fromarray(pixels.reshape(28, 28)).save(io.BytesIO(), 'png')

    @torch.inference_mode()
    def turn(order):
        signature, batch, count = order

        def call():
            return encode(draw(batch)) if signature == 'png' else draw(batch)

        call()
        return [secs_each(call, 1) for _ in range(count)]

    return turn


class Library(floor.NumPy):
    """PyTorch's arrays, as floor.py asks for them."""

    def array(self, shape):
        return torch.randn(shape)

    def exp(self, x):
        x.exp()

    def add(self, x, y):
        x.add_(y)


def rates(preset):
    """turn(repeats) of the parts of one step's floor."""
    torch.set_grad_enabled(False)
    return floor.Rates(config.make(preset), Library()).turn
