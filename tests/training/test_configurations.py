import itertools
from dataclasses import replace

import keras
import numpy as np
import pytest

from oscsynth.errors import CorpusError
from training import batches, models, train, variational
from training.configurations import CONFIGURATIONS, configuration
from training.prepare import Hops

from .conftest import SMALL, TINY

RNG = np.random.default_rng(440)
MAGNITUDE = RNG.random((4, TINY.n_bins), np.float32)
CONDITION = np.eye(12, dtype=np.float32)[:4]


def units(half: keras.Model) -> list[int]:
    return [layer.units for layer in half.layers if isinstance(layer, keras.layers.Dense)]


@pytest.mark.parametrize("name", CONFIGURATIONS)
@pytest.mark.parametrize("n_latents", [2, 3, 8, 5])
def test_every_variant_of_the_paper_can_be_built(name: str, n_latents: int) -> None:
    model = replace(CONFIGURATIONS[name].model(n_latents, n_bins=SMALL.n_bins), widths=(32, 16))
    autoencoder = models.build(model, seed=440)
    latent = np.asarray(autoencoder.encoder([MAGNITUDE, CONDITION]))
    assert latent.shape == (4, n_latents)
    assert np.asarray(autoencoder.decoder([latent, CONDITION])).shape == MAGNITUDE.shape


def test_the_papers_settings_are_those_of_the_paper() -> None:
    for name, choice in CONFIGURATIONS.items():
        config = choice.training()
        assert (config.batch, config.learning_rate, config.epochs) == (200, 5e-4, 300)
        assert choice.model(8).l2 == (0.0 if name == "beta-vae" else 1e-7)
        assert (config.mixing, config.cooling > 0, choice.model(8).revive > 0) == ((True,) * 3 if name == "mixing" else (False,) * 3)


@pytest.mark.parametrize(("name", "width"), [("plain", 2049), ("difference", 2049 + 2048), ("leaky", 2049 + 12), ("paper", 2049 + 12)])
def test_what_the_encoder_is_given(name: str, width: int) -> None:
    encoder = models.build(CONFIGURATIONS[name].model(8), seed=440).encoder
    first = next(layer for layer in encoder.layers if isinstance(layer, keras.layers.Dense))
    assert first.kernel.shape == (width, 1024)


def test_the_difference_is_that_of_neighbouring_bins() -> None:
    magnitude, condition = keras.Input((TINY.n_bins,)), keras.Input((12,))
    beside = models._augmented(replace(TINY, augmentation="difference"), magnitude, condition)
    output = np.asarray(keras.Model([magnitude, condition], beside)([MAGNITUDE, CONDITION]))
    np.testing.assert_allclose(output[:, TINY.n_bins :], np.diff(MAGNITUDE), atol=1e-6)


@pytest.mark.parametrize(("name", "heard"), [("sigmoid", False), ("leaky", False), ("paper", True), ("leaky-skip", True)])
def test_without_the_skip_the_decoder_is_deaf_to_the_note(name: str, heard: bool) -> None:
    decoder = models.build(replace(CONFIGURATIONS[name].model(2, n_bins=SMALL.n_bins), widths=(32,)), seed=440).decoder
    latent = np.full((4, 2), 0.5, np.float32)
    difference = np.abs(np.asarray(decoder([latent, CONDITION])) - np.asarray(decoder([latent, CONDITION[::-1]]))).max()
    assert bool(difference > 0) is heard


@pytest.mark.parametrize(("name", "bounded"), [("paper", True), ("leaky-skip", False)])
def test_the_sigmoid_bounds_the_latents(name: str, bounded: bool) -> None:
    encoder = models.build(replace(CONFIGURATIONS[name].model(8, n_bins=SMALL.n_bins), widths=(32,)), seed=440).encoder
    latent = np.asarray(encoder([1000 * MAGNITUDE, CONDITION]))
    assert bool((latent >= 0).all() and (latent <= 1).all()) is bounded


def test_widths_follow_from_the_input_and_the_bottleneck() -> None:
    assert units(models.build(CONFIGURATIONS["paper"].model(8), 440).encoder) == [1024, 512, 256, 128, 64, 32, 16, 8]
    assert units(models.build(CONFIGURATIONS["light"].model(3), 440).decoder) == [64, 128, 256, 512, 2049]
    for n_bins in (65, 513, 2049, 4097):
        for n_latents in (1, 2, 3, 8, 20):
            widths = models.geometric(n_bins, n_latents)
            assert all(wide == 2 * narrow for wide, narrow in itertools.pairwise(widths))
            assert widths[-1] >= max(16, 2 * n_latents)


def test_a_configuration_that_is_not_there() -> None:
    with pytest.raises(CorpusError, match=r"no training configuration 'papyrus'; there are plain, .*, mixing"):
        configuration("papyrus")


def test_an_augmentation_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="none, difference, chroma, not 'delta'"):
        models.build(replace(TINY, augmentation="delta"), seed=440)


def vae(n_latents: int = 3) -> models.ModelConfig:
    return replace(TINY, n_latents=n_latents, variational=True, l2=0.0)


def test_beta_grows_after_each_of_the_first_six_epochs() -> None:
    betas = [variational.beta(epoch) for epoch in range(10)]
    np.testing.assert_allclose(betas[:7], 3e-7 + 2e-5 * np.arange(7), rtol=1e-6)
    assert betas[7:] == [betas[6]] * 3


def test_beta_is_set_while_training(hops: Hops) -> None:
    autoencoder = models.build(vae(), seed=440)
    network = models.reconstructing(autoencoder)
    network.compile("adam", loss={"reconstruction": "mse"}, jit_compile=False)
    inputs, targets = batches.plain(hops, np.arange(20), ())
    network.fit(inputs, targets, epochs=3, verbose=0, callbacks=variational.annealing(autoencoder))
    layer = next(each for each in network.layers if isinstance(each, variational.Sampling))
    assert float(layer.beta) == pytest.approx(variational.beta(3))


def test_latents_are_drawn_while_training_alone() -> None:
    layer = variational.Sampling()
    mean, log_variance = np.zeros((1000, 2), np.float32), np.full((1000, 2), np.log(4.0), np.float32)
    drawn = np.asarray(layer([mean, log_variance], training=True))
    assert drawn.std() == pytest.approx(2.0, rel=0.1)
    np.testing.assert_array_equal(np.asarray(layer([mean, log_variance], training=False)), mean)


def test_the_divergence_of_a_normal_distribution_is_nothing() -> None:
    assert float(np.asarray(variational.divergence(np.float32(0.0), np.float32(0.0)))) == 0.0
    # against the integral of p log(p/q) for a mean of 1 and a deviation of 2
    expected = np.log(1 / 2) + (4 + 1) / 2 - 0.5
    assert float(np.asarray(variational.divergence(np.float32(1.0), np.float32(np.log(4.0))))) == pytest.approx(expected, rel=1e-5)


def test_a_beta_vae_is_trained_and_its_collapse_is_told(hops: Hops) -> None:
    config = train.TrainingConfig(mixing=False, epochs=3, batch=50, learning_rate=2e-3, compiled=False)
    trained = train.train(hops, vae(), config, show=False)
    rows = np.arange(50)
    found = variational.collapse(trained.autoencoder, hops.magnitude[rows], batches.conditions(hops, rows, ()))
    assert len(found.divergence_nats) == len(found.activity) == 3
    assert min(found.divergence_nats) >= 0
    assert variational.Collapse((0.0, 2.0), (0.001, 0.5)).n_active == 1
    with pytest.raises(ValueError, match="only a variational"):
        variational.collapse(models.build(TINY, 440), hops.magnitude[rows], batches.conditions(hops, rows, ()))
