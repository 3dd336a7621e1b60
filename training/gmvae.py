"""Two encoders, one decoder, two mixtures of Gaussians: the network of Luo, Agres & Herremans 2019, in Keras 3.

A note's spectrogram gives a code of its timbre and a code of its pitch; each lives in a mixture of Gaussians, one component an
instrument or a pitch; the decoder turns both codes back into the note. The baseline has one isotropic Gaussian for the timbre, and a
classifier that is told the instruments.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers, ops

MOMENTUM = 0.9  # of the batch normalisation: an epoch has a dozen batches
PITCH_DEVIATION, TIMBRE_DEVIATION = float(np.exp(-2)), 1.0  # of each component
GAIN = 10.0  # of the means over the weights that hold them
UNLEARNT = 1.0  # weight of what a spy finds of the pitch in the timbre's code
TIMBRE = 3.0  # weight of the timbre's divergence
LABELS = 20.0  # weight of the labels' errors beside the bound
TOLD = 0.9  # share of the notes that are decoded from a code around their pitch's mean
LOG_2_PI = float(np.log(2 * np.pi))


@dataclass(frozen=True, slots=True)
class GmvaeConfig:
    """Everything that shapes the network."""

    n_instruments: int
    n_pitches: int
    n_hops: int = 43
    n_bands: int = 256
    channels: int = 512  # filters of the encoders' convolutions
    decoder_channels: int = 512  # of the decoder's: what is played may be narrower
    width: int = 512  # of the dense layers
    n_timbre: int = 16
    n_pitch: int = 16
    mixture: bool = True  # of the timbre; otherwise the baseline


@keras.saving.register_keras_serializable("oscsynth")
class Mixture(layers.Layer):
    """Learnable means and a fixed deviation: log densities of the components, and how far a Gaussian is from each."""

    def __init__(self, n_components: int, n_dimensions: int, deviation: float, seed: int, **others: Any) -> None:
        super().__init__(**others)
        self.shape, self.deviation, self.seed = (n_components, n_dimensions), deviation, seed

    def build(self, input_shape: Any = None) -> None:
        """Make the means, by Glorot's (Xavier's) rule.

        Adam moves a weight by its rate at most in a step, and means that begin within one deviation have several to go: what is
        learnt is a tenth of them.
        """
        start = np.asarray(keras.initializers.GlorotUniform(self.seed)(self.shape)) / GAIN
        self.weight = self.add_weight(shape=self.shape, initializer=lambda shape, dtype=None: ops.convert_to_tensor(start, dtype), name="means")

    @property
    def means(self) -> Any:
        """The means: (components, dimensions)."""
        return GAIN * self.weight

    def log_density(self, code: Any) -> Any:
        """Return the log density of each component: (notes, components) for (notes, dimensions) codes."""
        squares = ops.square((code[:, None] - self.means[None]) / self.deviation)  # (notes, components, dimensions)
        return -0.5 * ops.sum(squares + LOG_2_PI, axis=-1) - self.shape[1] * np.log(self.deviation)

    def divergence(self, mean: Any, log_variance: Any) -> Any:
        """Return the Kullback-Leibler divergence of Gaussians from each component: (notes, components)."""
        variance = self.deviation**2
        squares = ops.square(mean[:, None] - self.means[None]) + ops.exp(log_variance)[:, None]
        return 0.5 * ops.sum(squares / variance - 1 + float(np.log(variance)) - log_variance[:, None], axis=-1)

    def call(self, code: Any) -> Any:
        """Return the posterior of the components, all as likely before: (notes, components)."""
        return ops.softmax(self.log_density(code))


@dataclass(frozen=True, slots=True)
class Networks:
    """The three networks, apart."""

    timbre_encoder: keras.Model  # spectrogram to mean and log variance, (notes, 2 n_timbre)
    pitch_encoder: keras.Model
    decoder: keras.Model  # codes side by side, (notes, n_timbre + n_pitch), to spectrogram


def networks(config: GmvaeConfig, seed: int) -> Networks:
    """Build the networks with weights by Glorot's rule."""
    seeds = iter(np.random.default_rng(seed).integers(0, 2**31, 32).tolist())
    return Networks(_encoder(config, config.n_timbre, "timbre", seeds), _encoder(config, config.n_pitch, "pitch", seeds), _decoder(config, seeds))


def _dense(units: int, seeds: Any, name: str) -> Any:
    start = keras.initializers.GlorotUniform(next(seeds))
    return layers.Dense(units, use_bias=False, kernel_initializer=start, name=name)


def _convolution(channels: int, seeds: Any, name: str, *, bias: bool = False) -> Any:
    start = keras.initializers.GlorotUniform(next(seeds))
    return layers.Conv1D(channels, 3, padding="same", use_bias=bias, kernel_initializer=start, name=name)


def _normalised(tensor: Any, name: str) -> Any:
    tensor = layers.BatchNormalization(momentum=MOMENTUM, epsilon=1e-5, name=f"{name}_norm")(tensor)
    return layers.ReLU(name=f"{name}_relu")(tensor)


def features(config: GmvaeConfig, name: str, seeds: Any, tensor: Any) -> Any:
    """Return the last hidden layer of what listens to a spectrogram: two convolutions over time, bands as channels, and a dense layer."""
    for number in (1, 2):
        tensor = _normalised(_convolution(config.channels, seeds, f"{name}_conv_{number}")(tensor), f"{name}_conv_{number}")
    tensor = layers.Flatten(name=f"{name}_flat")(tensor)
    return _normalised(_dense(config.width, seeds, f"{name}_dense")(tensor), f"{name}_dense")


def _encoder(config: GmvaeConfig, n_dimensions: int, name: str, seeds: Any) -> keras.Model:
    spectrogram = keras.Input((config.n_hops, config.n_bands), name="spectrogram")
    tensor = features(config, name, seeds, spectrogram)
    start, deviation = keras.initializers.GlorotUniform(next(seeds)), {"timbre": TIMBRE_DEVIATION, "pitch": PITCH_DEVIATION}[name]
    gaussian = layers.Dense(2 * n_dimensions, kernel_initializer=start, name=f"{name}_gaussian")
    tensor = gaussian(tensor)
    # As wide as the prior at first, whatever comes in: a far wider one costs thousands of nats, and the first steps lead nowhere.
    kernel = np.asarray(gaussian.kernel) * np.repeat([1.0, 0.0], n_dimensions)
    gaussian.set_weights([kernel, np.repeat([0.0, 2 * np.log(deviation)], n_dimensions)])
    return keras.Model(spectrogram, tensor, name=f"{name}_encoder")


def _decoder(config: GmvaeConfig, seeds: Any) -> keras.Model:
    codes = keras.Input((config.n_timbre + config.n_pitch,), name="codes")
    channels = config.decoder_channels
    tensor = _normalised(_dense(config.width, seeds, "decoder_dense_1")(codes), "decoder_dense_1")
    tensor = _normalised(_dense(config.n_hops * channels, seeds, "decoder_dense_2")(tensor), "decoder_dense_2")
    tensor = layers.Reshape((config.n_hops, channels), name="decoder_hops")(tensor)
    tensor = _normalised(_convolution(channels, seeds, "decoder_conv_1")(tensor), "decoder_conv_1")
    tensor = _convolution(config.n_bands, seeds, "decoder_conv_2", bias=True)(tensor)
    return keras.Model(codes, layers.Activation("tanh", name="spectrogram")(tensor), name="decoder")


class Gmvae(keras.Model):  # type: ignore[misc]
    """The networks with their priors and the evidence lower bound: what is trained.

    A batch is a dictionary of ``spectrogram`` (notes, n_hops, n_bands), ``instrument`` and ``pitch`` (notes,) int32, and ``guided``
    (notes,) float32: how much the instrument counts, 0 where it may not be looked at.
    """

    TERMS = ("reconstruction", "pitch_divergence", "timbre_divergence", "instrument_error", "pitch_error", "leak", "mean_squared_error", "bound")

    def __init__(self, config: GmvaeConfig, seed: int) -> None:
        super().__init__(name="gmvae")
        self.config, self.networks = config, networks(config, seed)
        self.parts = [self.networks.timbre_encoder, self.networks.pitch_encoder, self.networks.decoder]  # Keras finds weights in lists
        self.noise = keras.random.SeedGenerator(seed)
        self.pitches = Mixture(config.n_pitches, config.n_pitch, PITCH_DEVIATION, seed + 1, name="pitches")
        self.pitch_classifier = layers.Dense(config.n_pitches, name="pitch_classifier")
        self.pitch_classifier.kernel_initializer = keras.initializers.GlorotUniform(seed + 2)
        self.timbres, self.instrument_classifier = None, None
        if config.mixture:
            self.timbres = Mixture(config.n_instruments, config.n_timbre, TIMBRE_DEVIATION, seed + 3, name="timbres")
            self.timbres.build()
        else:
            self.instrument_classifier = self._two_layers(config.n_instruments, seed + 4, "instrument_classifier")
        self.spy = self._two_layers(config.n_pitches, seed + 6, "spy")
        self.pitches.build()
        self.pitch_classifier.build((None, config.n_pitch))
        self.trackers = {name: keras.metrics.Mean(name=name) for name in self.TERMS}
        self.built = True

    def _two_layers(self, n_classes: int, seed: int, name: str) -> keras.Model:
        """Return a classifier of timbre codes."""
        starts = [keras.initializers.GlorotUniform(each) for each in (seed, seed + 100)]
        hidden = layers.Dense(self.config.width, "relu", kernel_initializer=starts[0])
        last = layers.Dense(n_classes, kernel_initializer=starts[1])
        return keras.Sequential([keras.Input((self.config.n_timbre,)), hidden, last], name=name)

    def call(self, batch: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Return the codes' means and log variances, codes drawn from them, and what the decoder makes of those."""
        out = {}
        for name, encoder in (("timbre", self.networks.timbre_encoder), ("pitch", self.networks.pitch_encoder)):
            out[f"{name}_mean"], out[f"{name}_log_variance"] = ops.split(encoder(batch["spectrogram"], training=training), 2, axis=-1)
            noise = keras.random.normal(ops.shape(out[f"{name}_mean"]), seed=self.noise)
            out[name] = out[f"{name}_mean"] + ops.exp(0.5 * out[f"{name}_log_variance"]) * noise
        pitch = told(self.pitches.means, batch["pitch"], out["pitch"], self.noise) if training else out["pitch"]
        codes = ops.concatenate([out["timbre"], pitch], axis=-1)
        out["spectrogram"] = self.networks.decoder(codes, training=training)
        return out

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True) -> Any:
        """Return what is made small: minus the evidence lower bound (the paper's equation 2), and the errors of the labels."""
        error = ops.square(x["spectrogram"] - y_pred["spectrogram"])
        terms = {"reconstruction": 0.5 * ops.sum(error, axis=(1, 2)), "mean_squared_error": ops.mean(error, axis=(1, 2))}
        component = ops.take(self.pitches.means, x["pitch"], axis=0)  # (notes, dimensions): the pitch is known
        terms["pitch_divergence"] = _divergence(y_pred["pitch_mean"], y_pred["pitch_log_variance"], component, PITCH_DEVIATION)
        terms["pitch_error"] = cross_entropy(self.pitch_classifier(y_pred["pitch"] / PITCH_DEVIATION), x["pitch"])
        terms["timbre_divergence"], logits = self._timbre(y_pred)
        terms["instrument_error"] = x["guided"] * cross_entropy(logits, x["instrument"])
        terms["leak"] = cross_entropy(self.spy(_reversed(y_pred["timbre"])), x["pitch"])
        terms["bound"] = terms["reconstruction"] + terms["pitch_divergence"] + terms["timbre_divergence"]
        for name, values in terms.items():
            self.trackers[name].update_state(values)
        return ops.mean(
            terms["bound"] + (TIMBRE - 1) * terms["timbre_divergence"] + LABELS * (terms["instrument_error"] + terms["pitch_error"]) + terms["leak"]
        )

    def _timbre(self, drawn: dict[str, Any]) -> tuple[Any, Any]:
        """Return the divergence of the timbre's code from its prior, and logits of the instruments."""
        mean, log_variance = drawn["timbre_mean"], drawn["timbre_log_variance"]
        if self.timbres is None:
            return _divergence(mean, log_variance, ops.zeros_like(mean), 1.0), self.instrument_classifier(drawn["timbre"])
        logits = self.timbres.log_density(drawn["timbre"])  # q(y|X) is the expectation of p(y|z), here over one z
        log_posterior = ops.log_softmax(logits)
        posterior = ops.exp(log_posterior)
        category = ops.sum(posterior * (log_posterior + float(np.log(self.config.n_instruments))), axis=-1)
        return category + ops.sum(posterior * self.timbres.divergence(mean, log_variance), axis=-1), logits


def told(means: Any, label: Any, code: Any, noise: Any) -> Any:
    """Return the codes of some notes, and for the others codes drawn from their pitch's component.

    The pitch is known, so the decoder may have it from the first batch on. Otherwise it learns the pitch from whichever encoder
    is first, and the timbre's code keeps what it once had to say.
    """
    draw = ops.take(means, label, axis=0) + PITCH_DEVIATION * keras.random.normal(ops.shape(code), seed=noise)
    return ops.where(keras.random.uniform((ops.shape(code)[0], 1), seed=noise) < TOLD, draw, code)


@ops.custom_gradient
def _reversed(code: Any) -> Any:
    """Return a code whose gradient comes back with the other sign: what helps whoever reads it is unlearnt."""
    return code, lambda *gradients, upstream=None: -UNLEARNT * (upstream if upstream is not None else gradients[0])


def _divergence(mean: Any, log_variance: Any, centre: Any, deviation: float) -> Any:
    """Return the Kullback-Leibler divergence of Gaussians from others: (notes,)."""
    squares = (ops.square(mean - centre) + ops.exp(log_variance)) / deviation**2
    return 0.5 * ops.sum(squares - 1 + 2 * float(np.log(deviation)) - log_variance, axis=-1)


def cross_entropy(logits: Any, label: Any) -> Any:
    """Return the cross entropy of labels: (notes,)."""
    return keras.losses.sparse_categorical_crossentropy(label, logits, from_logits=True)
