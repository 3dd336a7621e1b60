from dataclasses import replace

import keras
import numpy as np
import pytest

from training import models

from .conftest import TINY

CONDITION = np.eye(12, dtype=np.float32)[:4]


def test_shapes_of_both_halves() -> None:
    config = replace(TINY, n_octaves=3)
    autoencoder = models.build(config, seed=440)
    assert autoencoder.encoder.output_shape == (None, 2)
    assert [each.shape for each in autoencoder.decoder.inputs] == [(None, 2), (None, 15)]
    assert autoencoder.decoder.output_shape == (None, TINY.n_bins)


@pytest.mark.parametrize("revive", [0.0, 0.1])
def test_the_output_is_a_relu(revive: float) -> None:
    autoencoder = models.build(replace(TINY, revive=revive), seed=440)
    output = np.asarray(autoencoder.decoder([np.full((4, 2), 0.5, np.float32), CONDITION]))
    assert output.min() == 0
    np.testing.assert_array_equal(output, np.asarray(models.build(TINY, 440).decoder([np.full((4, 2), 0.5), CONDITION])))


@pytest.mark.parametrize(("revive", "returns"), [(0.0, False), (0.1, True)])
def test_a_bin_that_was_pushed_below_zero_comes_back(revive: float, returns: bool) -> None:
    autoencoder = models.build(replace(TINY, revive=revive), seed=440)
    last = [each for each in autoencoder.decoder.layers if isinstance(each, keras.layers.Dense)][-1]
    last.bias.assign(np.full(TINY.n_bins, -10.0))
    network = models.reconstructing(autoencoder)
    network.compile(keras.optimizers.Adam(0.1), loss={"reconstruction": "mse"}, jit_compile=False)
    inputs = {"magnitude": np.ones((4, TINY.n_bins), np.float32), "condition": CONDITION}
    for _ in range(3):
        network.train_on_batch(inputs, {"reconstruction": inputs["magnitude"]})
    assert bool((np.asarray(last.bias) > -10).all()) is returns
    if not returns:
        np.testing.assert_array_equal(np.asarray(last.bias), -10.0)


def test_mixing_mixes_latents_with_those_of_the_hop_before() -> None:
    autoencoder = models.build(TINY, seed=440)
    network = models.transposed_mixing(autoencoder)
    rng = np.random.default_rng(440)
    magnitude, weight = rng.random((4, TINY.n_bins), np.float32), rng.random((4, 1), np.float32)
    target = np.roll(CONDITION, 3, axis=1)
    output = network({"magnitude": magnitude, "condition": CONDITION, "target_condition": target, "weight": weight})
    latent = np.asarray(autoencoder.encoder([magnitude, CONDITION]))
    mix = weight * latent + (1 - weight) * np.roll(latent, 1, axis=0)
    np.testing.assert_allclose(output["mixed"], autoencoder.decoder([mix, target]), atol=1e-6)
    np.testing.assert_allclose(output["reconstruction"], autoencoder.decoder([latent, CONDITION]), atol=1e-6)
