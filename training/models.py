"""The autoencoder of Colonel & Keene 2020, whole.

Magnitudes with the note appended go in at one end, a few latent values with the note appended come out of the middle, magnitudes at
the other end. Written with Keras's functional interface and ``keras.ops`` alone: any Keras backend runs it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

N_CLASSES = 12
AUGMENTATIONS = ("none", "difference", "chroma")  # nothing; the 2048 steps between neighbouring bins; the note
LIGHT = (512, 256, 128, 64)


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Everything that shapes the network."""

    n_bins: int = 2049
    n_latents: int = 3
    n_octaves: int = 0  # width of the register input; 0: conditioned on the note class alone
    widths: tuple[int, ...] = (1024, 512, 256, 128, 64, 32, 16)  # of the encoder; the decoder's are the same backwards
    augmentation: str = "chroma"  # what the encoder is given beside the magnitudes: a row of AUGMENTATIONS
    skip: bool = True  # the note is appended to the latents too
    bottleneck: str = "sigmoid"  # or "leaky_relu"
    variational: bool = False  # latents are means and variances; see `variational`
    negative_slope: float = 0.1  # of every hidden LeakyReLU
    l2: float = 1e-7  # on kernels, not on biases
    revive: float = 0.1  # slope of the gradient, not of the output, where an output bin is silent; the paper's is 0

    @property
    def n_conditions(self) -> int:
        """Width of what is appended: twelve classes, then the octaves."""
        return N_CLASSES + self.n_octaves


@dataclass(frozen=True, slots=True)
class Autoencoder:
    """The two halves, which share nothing but the latents."""

    config: ModelConfig
    encoder: keras.Model  # magnitude (hops, n_bins), condition (hops, n_conditions) -> latent (hops, n_latents)
    decoder: keras.Model  # latent (hops, n_latents), condition (hops, n_conditions) -> magnitude (hops, n_bins)
    log_variance: keras.Model | None = None  # of the latents, where they are variational: the encoder's inputs -> (hops, n_latents)


def geometric(n_inputs: int, n_latents: int) -> tuple[int, ...]:
    """Return the widths of an encoder each of whose layers is half as wide as the one before, from the input to the bottleneck.

    The last is never narrower than 16: in the decoder the twelve classes have to pass it.

    >>> geometric(2049, 8)
    (1024, 512, 256, 128, 64, 32, 16)
    >>> geometric(1025, 64)
    (512, 256, 128)
    """
    first, last = (n_inputs - 1).bit_length() - 2, max(4, (2 * n_latents - 1).bit_length())
    return tuple(2**power for power in range(first, last - 1, -1)) or (2**last,)


def build(config: ModelConfig, seed: int) -> Autoencoder:
    """Build the network with weights that the seed decides.

    Raises
    ------
    ValueError
        When the bottleneck has no neuron or an unknown activation, or the input's augmentation is unknown.
    """
    import keras

    if config.n_latents < 1:
        raise ValueError(f"the bottleneck needs at least one neuron, not {config.n_latents}")
    if config.bottleneck not in ("sigmoid", "leaky_relu"):
        raise ValueError(f"the bottleneck's activation is sigmoid or leaky_relu, not {config.bottleneck!r}")
    if config.augmentation not in AUGMENTATIONS:
        raise ValueError(f"the input's augmentation is {', '.join(AUGMENTATIONS)}, not {config.augmentation!r}")
    keras.utils.set_random_seed(seed)
    encoder, log_variance = _encoder(config)
    return Autoencoder(config, encoder, _decoder(config), log_variance)


def transposed_mixing(autoencoder: Autoencoder) -> keras.Model:
    """Return the model that is trained with transposed mixing.

    Each hop's latents are mixed with those of the hop before it in the batch and decoded at another pitch. What comes out should be
    the same mix of the two sounds at that pitch. So every pitch is taught everywhere in the latent space, and the latents cannot
    hold the pitch.

    Inputs: ``magnitude``, ``condition``, ``target_condition``, ``weight`` (hops, 1). Outputs: ``reconstruction``, ``mixed``.
    """
    import keras

    config = autoencoder.config
    magnitude = keras.Input((config.n_bins,), name="magnitude")
    condition = keras.Input((config.n_conditions,), name="condition")
    target = keras.Input((config.n_conditions,), name="target_condition")
    weight = keras.Input((1,), name="weight")
    latent = autoencoder.encoder([magnitude, condition])  # (hops, n_latents)
    mix = weight * latent + (1.0 - weight) * keras.ops.roll(latent, 1, axis=0)
    reconstruction = keras.layers.Identity(name="reconstruction")(autoencoder.decoder([latent, condition]))
    mixed = keras.layers.Identity(name="mixed")(autoencoder.decoder([mix, target]))
    return keras.Model([magnitude, condition, target, weight], {"reconstruction": reconstruction, "mixed": mixed})


def reconstructing(autoencoder: Autoencoder) -> keras.Model:
    """Return the paper's model: ``magnitude`` and ``condition`` to ``reconstruction``."""
    import keras

    config = autoencoder.config
    magnitude = keras.Input((config.n_bins,), name="magnitude")
    condition = keras.Input((config.n_conditions,), name="condition")
    latent = autoencoder.encoder([magnitude, condition])  # (hops, n_latents)
    if autoencoder.log_variance is not None:
        from .variational import Sampling

        latent = Sampling()([latent, autoencoder.log_variance([magnitude, condition])])
    decoded = autoencoder.decoder([latent, condition])
    output = keras.layers.Identity(name="reconstruction")(decoded)
    return keras.Model([magnitude, condition], {"reconstruction": output})


def _encoder(config: ModelConfig) -> tuple[keras.Model, keras.Model | None]:
    import keras

    magnitude = keras.Input((config.n_bins,), name="magnitude")
    condition = keras.Input((config.n_conditions,), name="condition")
    hidden = _augmented(config, magnitude, condition)
    for width in config.widths:
        hidden = _dense(config, width)(hidden)
        hidden = keras.layers.LeakyReLU(config.negative_slope)(hidden)
    latent = _dense(config, config.n_latents)(hidden)
    if config.bottleneck == "sigmoid":
        latent = keras.layers.Activation("sigmoid", name="latent")(latent)
    else:
        latent = keras.layers.LeakyReLU(config.negative_slope, name="latent")(latent)
    if not config.variational:
        return keras.Model([magnitude, condition], latent, name="encoder"), None
    mean, log_variance = _dense(config, config.n_latents)(latent), _dense(config, config.n_latents)(latent)
    return keras.Model([magnitude, condition], mean, name="encoder"), keras.Model([magnitude, condition], log_variance, name="log_variance")


def _augmented(config: ModelConfig, magnitude: keras.KerasTensor, condition: keras.KerasTensor) -> keras.KerasTensor:
    """Append to the magnitudes what the encoder is given beside them."""
    import keras

    beside = {"none": [], "difference": [magnitude[:, 1:] - magnitude[:, :-1]], "chroma": [condition]}[config.augmentation]
    return keras.layers.Concatenate()([magnitude, *beside]) if beside else magnitude


def _decoder(config: ModelConfig) -> keras.Model:
    import keras

    latent = keras.Input((config.n_latents,), name="latent")
    condition = keras.Input((config.n_conditions,), name="condition")
    hidden = keras.layers.Concatenate()([latent, condition]) if config.skip else latent
    for width in reversed(config.widths):
        hidden = _dense(config, width)(hidden)
        hidden = keras.layers.LeakyReLU(config.negative_slope)(hidden)
    before = _dense(config, config.n_bins)(hidden)
    output = keras.layers.ReLU(name="magnitude")(before)
    if config.revive:
        # Most bins are silent most of the time, and early in training many are pushed below zero for ever: a ReLU there passes no
        # gradient. These two terms add exactly nothing to the output, and a slope to the gradient: a bin that should sound comes back.
        below = config.revive * keras.ops.minimum(before, 0.0)
        output = output + (below - keras.ops.stop_gradient(below))
    return keras.Model([latent, condition], output, name="decoder")


def _dense(config: ModelConfig, width: int) -> keras.layers.Dense:
    import keras

    return keras.layers.Dense(width, kernel_regularizer=keras.regularizers.L2(config.l2))
