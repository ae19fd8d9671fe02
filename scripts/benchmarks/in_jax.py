"""The same networks, games, batches and optimizer in JAX, as its users write them."""

import functools
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax
import restated
from jax.nn import softplus
from jax_networks import generate, judge, new_discriminator, new_generator

from tfgan import config


def losses(settings):
    """Both players' losses; the discriminator's with the penalty, if the game has one."""
    score = functools.partial(judge, settings=settings)
    weight = restated.penalty_weight(settings)
    relativistic = settings.objective == 'relativistic'

    def d_loss(discriminator, real, fake, labels):
        images, both = jnp.concatenate([real, fake]), jnp.concatenate([labels, labels])
        logits, back = jax.vjp(lambda x: score(discriminator, x, both), images)
        real_logits, fake_logits = jnp.split(logits, 2)
        if relativistic:
            loss = softplus(fake_logits - real_logits).mean()
        else:
            loss = (softplus(-real_logits) + softplus(fake_logits)).mean()
        if weight:
            [slopes] = back(jnp.ones_like(logits))
            loss += weight * 0.5 * (slopes**2).sum() / len(real)
        return loss

    def g_loss(fake, discriminator, real, labels):
        fake_logits = score(discriminator, fake, labels)
        if relativistic:
            return softplus(score(discriminator, real, labels) - fake_logits).mean()
        return softplus(-fake_logits).mean()

    return d_loss, g_loss


def training(settings, side, classes):
    """(the state that training begins with, a function of a step of it)."""
    d_loss, g_loss = losses(settings)
    d_adam, g_adam = (
        optax.adam(share * settings.learning_rate, settings.beta_1, settings.beta_2)
        for share in (1.0, settings.generator_rate)
    )

    def train(state, pixels, all_labels):
        """The next state, and the generator's loss."""
        key, choosing, drawing = jax.random.split(state['key'], 3)
        chosen = jax.random.randint(choosing, [settings.batch_size], 0, len(pixels))
        real, labels = pixels[chosen] / 127.5 - 1, all_labels[chosen]
        latents = jax.random.normal(drawing, [settings.batch_size, settings.latent_size])
        discriminator, generator = state['discriminator'], state['generator']

        draw = functools.partial(generate, settings=settings, side=side)
        fake, back = jax.vjp(lambda params: draw(params, latents, labels), generator)
        grads = jax.grad(d_loss)(discriminator, real, fake, labels)
        updates, d_moments = d_adam.update(grads, state['d_adam'])
        discriminator = optax.apply_updates(discriminator, updates)

        loss, slopes = jax.value_and_grad(g_loss)(fake, discriminator, real, labels)
        updates, g_moments = g_adam.update(*back(slopes), state['g_adam'])
        generator = optax.apply_updates(generator, updates)
        return {
            'generator': generator,
            'average': optax.incremental_update(generator, state['average'], 0.01),
            'discriminator': discriminator,
            'd_adam': d_moments,
            'g_adam': g_moments,
            'key': key,
        }, loss

    key, *keys = jax.random.split(jax.random.key(0), 3)
    generator = new_generator(keys[0], settings, side, classes)
    discriminator = new_discriminator(keys[1], settings, side, classes)
    return {
        'generator': generator,
        'average': jax.tree.map(jnp.copy, generator),
        'discriminator': discriminator,
        'd_adam': d_adam.init(discriminator),
        'g_adam': g_adam.init(generator),
        'key': key,
    }, train


def step(path, preset, looped=False):
    """turn(steps) of a preset: a call for each, or `looped` one call for all of them."""
    settings = config.make(preset)
    with np.load(path) as arrays:
        data = jnp.array(arrays['images'][..., 0]), jnp.array(arrays['labels'])
    side, classes = data[0].shape[1], int(data[1].max()) + 1
    state, train = training(settings, side, classes)

    @functools.partial(jax.jit, donate_argnums=0)
    def many(state, steps, data):
        return jax.lax.fori_loop(0, steps, lambda _, found: train(found[0], *data), (state, 0.0))

    one = jax.jit(train, donate_argnums=0)

    def turn(steps):
        nonlocal state
        began = time.perf_counter()
        if looped:
            state, loss = many(state, steps, data)
            loss.item()
        else:
            for _ in range(steps):
                state, loss = one(state, *data)
                loss.item()
        return (time.perf_counter() - began) / steps

    turn(3)
    return turn
