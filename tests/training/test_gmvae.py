import keras
import numpy as np
import pytest
from scipy import stats

from training import gmvae
from training.fast_adam import FastAdam
from training.gmvae import Gmvae, Mixture

from .note_tones import corpus, tiny


@pytest.fixture(scope="module")
def batch() -> dict[str, np.ndarray]:
    from training.note_training import batch_of

    found = corpus()
    return batch_of(found, np.arange(12), np.arange(len(found.part)) % 2 == 0)


def mixture(n: int = 3, dimensions: int = 2, deviation: float = 0.5) -> Mixture:
    made = Mixture(n, dimensions, deviation, 1)
    made.build()
    return made


def test_a_mixtures_densities_are_gaussians() -> None:
    made, code = mixture(), np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
    expected = [[stats.multivariate_normal(mean, 0.25).logpdf(each) for mean in np.asarray(made.means)] for each in code]
    np.testing.assert_allclose(made.log_density(code), expected, rtol=1e-4)
    np.testing.assert_allclose(np.asarray(made(code)).sum(axis=1), 1, rtol=1e-5)


def test_the_divergence_is_that_of_many_samples() -> None:
    made, rng = mixture(1), np.random.default_rng(0)
    mean, log_variance = np.array([[0.3, -0.2]], np.float32), np.array([[-2.0, 0.5]], np.float32)
    samples = mean + np.exp(0.5 * log_variance) * rng.normal(size=(200_000, 2))
    here = stats.norm(mean, np.exp(0.5 * log_variance)).logpdf(samples).sum(axis=1)
    there = np.asarray(made.log_density(samples.astype(np.float32)))[:, 0]
    assert float(made.divergence(mean, log_variance)[0, 0]) == pytest.approx((here - there).mean(), rel=0.02)
    assert float(gmvae._divergence(mean, log_variance, made.means, 0.5)[0]) == pytest.approx((here - there).mean(), rel=0.02)


def test_the_bound_of_a_sure_posterior_is_that_of_its_component(batch: dict[str, np.ndarray]) -> None:
    found = corpus()
    network = Gmvae(tiny(found), 1)
    network.timbres.weight.assign(np.eye(3, 4) * 5)  # fifty deviations apart
    drawn = network(batch)
    drawn["timbre"] = drawn["timbre_mean"] = np.asarray(network.timbres.means)[batch["instrument"]]
    divergence, logits = network._timbre(drawn)
    own = gmvae._divergence(drawn["timbre_mean"], drawn["timbre_log_variance"], drawn["timbre_mean"], 1.0)
    np.testing.assert_allclose(divergence, np.asarray(own) + np.log(3), rtol=1e-4)
    assert (np.asarray(logits).argmax(axis=1) == batch["instrument"]).all()


def test_an_instrument_that_is_not_told_costs_nothing(batch: dict[str, np.ndarray]) -> None:
    network = Gmvae(tiny(corpus()), 1)
    untold = batch | {"guided": np.zeros(12, np.float32)}
    network.compute_loss(x=untold, y_pred=network(untold))
    assert float(network.trackers["instrument_error"].result()) == 0
    network.trackers["instrument_error"].reset_state()
    network.compute_loss(x=batch, y_pred=network(batch))
    assert float(network.trackers["instrument_error"].result()) > 0


@pytest.mark.parametrize("mixed", [True, False])
def test_both_models_learn(mixed: bool, batch: dict[str, np.ndarray]) -> None:
    network = Gmvae(tiny(corpus(), mixture=mixed), 1)
    network.compile(FastAdam(0.01), jit_compile=False)
    losses = network.fit(batch, epochs=10, batch_size=12, verbose=0).history["loss"]
    assert np.isfinite(losses).all() and losses[-1] < 0.8 * losses[0]
    assert network(batch)["spectrogram"].dtype == network(batch)["timbre_mean"].dtype == "float32"


def test_adam_in_one_pass_is_adam() -> None:
    weights = []
    for rule in (keras.optimizers.Adam, FastAdam):
        keras.utils.set_random_seed(1)
        network = keras.Sequential([keras.Input((5,)), keras.layers.Dense(7, "relu"), keras.layers.Dense(3)])
        network.compile(rule(0.01, global_clipnorm=1.0), "mse", jit_compile=False)
        rng = np.random.default_rng(0)
        network.fit(rng.normal(size=(64, 5)), rng.normal(size=(64, 3)), epochs=3, verbose=0, shuffle=False)
        weights.append(network.get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
