"""The beta-VAE of the ancestor program: latents are means and variances, drawn at random while training.

The weight of the Kullback-Leibler divergence from a normal distribution, beta, starts at almost nothing and grows after each of the
first six epochs. A latent whose divergence is near zero says nothing about the sound: it has collapsed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

if TYPE_CHECKING:
    from .models import Autoencoder

BETA_START, BETA_STEP, N_STEPS = 3e-7, 2e-5, 6
ACTIVE = 0.01  # variance of a latent's mean over the corpus, above which it is in use (Burda, Grosse & Salakhutdinov 2016)


class Sampling(keras.layers.Layer):  # type: ignore[misc]
    """Draw latents around their means while training, and add beta times the divergence to the loss."""

    def __init__(self, seed: int = 440) -> None:
        super().__init__(name="sampling")
        self.noise = keras.random.SeedGenerator(seed)
        self.beta = self.add_weight(shape=(), initializer=keras.initializers.Constant(BETA_START), trainable=False, name="beta")

    def call(self, inputs: list[Any], training: bool | None = None) -> Any:
        """Return latents, (hops, n_latents), for their means and the logarithms of their variances."""
        mean, log_variance = inputs
        self.add_loss(self.beta * keras.ops.mean(keras.ops.sum(divergence(mean, log_variance), axis=1)))
        if not training:
            return mean
        return mean + keras.ops.exp(0.5 * log_variance) * keras.random.normal(keras.ops.shape(mean), seed=self.noise)


class Annealing(keras.callbacks.Callback):  # type: ignore[misc]
    """Let beta grow after each of the first six epochs."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Set beta for the next epoch."""
        for layer in self.model.layers:
            if isinstance(layer, Sampling):
                layer.beta.assign(beta(epoch + 1))


@dataclass(frozen=True, slots=True)
class Collapse:
    """What each latent of a beta-VAE still says."""

    divergence_nats: tuple[float, ...]  # of each latent, mean over the hops; near 0: collapsed
    activity: tuple[float, ...]  # variance of each latent's mean over the hops

    @property
    def n_active(self) -> int:
        """Count the latents in use."""
        return sum(value > ACTIVE for value in self.activity)


def beta(epoch: int) -> float:
    """Return the weight of the divergence in an epoch, counted from 0.

    >>> beta(0), round(beta(6), 7), beta(6) == beta(100)
    (3e-07, 0.0001203, True)
    """
    return BETA_START + BETA_STEP * min(epoch, N_STEPS)


def divergence(mean: Any, log_variance: Any) -> Any:
    """Return how far each latent is from a normal distribution, in nats: (hops, n_latents)."""
    return 0.5 * (keras.ops.square(mean) + keras.ops.exp(log_variance) - 1.0 - log_variance)


def annealing(autoencoder: Autoencoder) -> list[keras.callbacks.Callback]:
    """Return what training needs besides: nothing, unless the latents are variational."""
    return [Annealing()] if autoencoder.log_variance is not None else []


def collapse(autoencoder: Autoencoder, magnitude: np.ndarray, condition: np.ndarray) -> Collapse:
    """Measure posterior collapse on some hops.

    Raises
    ------
    ValueError
        When the latents are not variational.
    """
    if autoencoder.log_variance is None:
        raise ValueError("only a variational autoencoder can collapse; this one's latents have no variance")
    mean = np.asarray(autoencoder.encoder([magnitude, condition], training=False))
    nats = np.asarray(divergence(mean, autoencoder.log_variance([magnitude, condition], training=False)))
    return Collapse(tuple(nats.mean(axis=0).tolist()), tuple(mean.var(axis=0).tolist()))
