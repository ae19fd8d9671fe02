"""The networks of a pair as pure functions of pytrees, for square grey images [n, side, side]."""

import itertools

import jax
import jax.numpy as jnp
import jax_pen
import restated
from jax import nn

_normal = nn.initializers.normal(1.0)
_glorot = nn.initializers.glorot_uniform()
_varied = nn.initializers.lecun_normal()  # what the pen begins with
# Convolutions are products of windows: on a CPU XLA's own take several times as long to
# differentiate, and far longer in a loop.
_CORNERS = (0, 0), (0, 1), (1, 0), (1, 1)


def new_generator(key, settings, side, classes):
    """Its parameters."""
    keys = iter(jax.random.split(key, settings.depth + 5))
    width, latent_size, fine = settings.width, settings.latent_size, settings.channels
    made = {
        'embedding': _normal(next(keys), (classes, latent_size)),
        'hidden': _hidden(keys, 2 * latent_size, settings),
    }
    if settings.architecture == 'mlp':
        return made | {'head': _layer(next(keys), (width, side**2))}
    if settings.architecture == 'hybrid':
        return made | {
            'head': _layer(next(keys), (width, side // 4 * (side // 4) * 2 * fine)),
            'shortcut': _glorot(next(keys), (2 * fine, fine)),
            'up': _layer(next(keys), (4, 4, 2 * fine, fine)),
            'last': _layer(next(keys), (4, 4, fine, 1)),
        }
    numbers = restated.STROKES * sum(restated.NUMBERS) + restated.POSE
    styles = min(restated.STYLES, latent_size)
    style = restated.STYLE_SCALE * _normal(next(keys), (classes * styles, latent_size))
    return made | {'style': style, 'head': _layer(next(keys), (width, numbers), _varied)}


def new_discriminator(key, settings, side, classes):
    """Its parameters."""
    keys = iter(jax.random.split(key, settings.depth + 3))
    features, made = side**2, {}
    if settings.architecture != 'mlp':
        features += side // 4 * (side // 4) * settings.channels
        made['patches'] = _layer(next(keys), (8, 8, 1, settings.channels))
    made['hidden'] = _hidden(keys, features, settings)
    made['logit'] = _layer(next(keys), (settings.width, 1))
    if settings.objective == 'relativistic':
        del made['logit']['bias']  # A game that compares logits cannot move it.
    return made | {'fits': _glorot(next(keys), (settings.width, classes))}


def _layer(key, shape, initializer=_glorot):
    return {'kernel': initializer(key, shape), 'bias': jnp.zeros(shape[-1])}


def _hidden(keys, inputs, settings):
    sizes = [inputs] + [settings.width] * settings.depth
    return [_layer(next(keys), pair) for pair in itertools.pairwise(sizes)]


def generate(params, latents, labels, settings, side):
    """Images of latents [n, latent_size] and labels [n]."""
    if settings.architecture == 'pen':
        styles = min(restated.STYLES, settings.latent_size)
        chosen = labels * styles + latents[:, :styles].argmax(1)
        latents += params['style'][chosen]
    hidden = jnp.concatenate([latents, params['embedding'][labels]], 1)
    for layer in params['hidden']:
        hidden = _leaky(_dense(layer, hidden))
    out = _dense(params['head'], hidden)
    if settings.architecture == 'pen':
        return jax_pen.images(out, side)
    if settings.architecture == 'hybrid':
        coarse = out.reshape(len(out), side // 4, side // 4, -1)
        copy = (coarse @ params['shortcut']).repeat(2, 1).repeat(2, 2)
        out = _transposed(params['last'], _leaky(copy + _transposed(params['up'], _leaky(coarse))))
    out = out.reshape(len(out), side, side)
    return jnp.tanh(out) if settings.output == 'tanh' else out


def judge(params, images, labels, settings):
    """Logits [n] of images and labels [n]."""
    hidden = images.reshape(len(images), -1)
    if settings.architecture != 'mlp':
        patches = _leaky(_patches(params['patches'], images))
        hidden = jnp.concatenate([patches.reshape(len(images), -1), hidden], 1)
    for layer in params['hidden']:
        hidden = _leaky(_dense(layer, hidden))
    fits = hidden @ params['fits']
    return _dense(params['logit'], hidden)[:, 0] + (fits * nn.one_hot(labels, fits.shape[1])).sum(1)


def _dense(layer, hidden):
    hidden = hidden @ layer['kernel']
    return hidden + layer['bias'] if 'bias' in layer else hidden


def _patches(layer, images):
    """Its convolution of stride 4, of blocks of 4 x 4."""
    side = images.shape[1] // 4
    blocks = jnp.pad(images, [(0, 0), (2, 2), (2, 2)])
    blocks = blocks.reshape(-1, side + 1, 4, side + 1, 4).swapaxes(2, 3)
    windows = jnp.stack([blocks[:, y : y + side, x : x + side] for y, x in _CORNERS], 3)
    kernel = layer['kernel'].reshape(2, 4, 2, 4, -1).swapaxes(1, 2).reshape(64, -1)
    return windows.reshape(-1, side, side, 64) @ kernel + layer['bias']


def _transposed(layer, maps):
    """Its transposed convolution of stride 2, as one product for each parity of the pixels."""
    count, side, _, inputs = maps.shape
    maps = jnp.pad(maps, [(0, 0), (1, 1), (1, 1), (0, 0)])
    parts = []
    for odd_y, odd_x in _CORNERS:
        shifts = [(odd_y + y, odd_x + x) for y, x in _CORNERS]
        windows = [maps[:, y : y + side, x : x + side] for y, x in shifts]
        kernel = layer['kernel'][odd_y::2, odd_x::2].reshape(4 * inputs, -1)
        parts.append(jnp.concatenate(windows, 3) @ kernel)
    parts = jnp.stack(parts, 3).reshape(count, side, side, 2, 2, -1).swapaxes(2, 3)
    return parts.reshape(count, 2 * side, 2 * side, -1) + layer['bias']


def _leaky(hidden):
    return nn.leaky_relu(hidden, 0.2)
