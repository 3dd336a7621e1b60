import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.uniformity import entropy, uniformity

RNG = np.random.default_rng(440)


def test_an_even_embedding_is_bounded_and_even() -> None:
    measured = uniformity(RNG.random((20000, 3)))
    assert measured.extent == pytest.approx(np.full(3, 1 / 0.98), abs=0.01)
    assert measured.entropy > 0.99
    assert measured.largest_correlation < 0.03
    assert measured.outside == pytest.approx(0.06, abs=0.01)


def test_a_crowded_embedding_with_outliers_is_neither() -> None:
    even, crowded = RNG.random((5000, 2)), RNG.standard_normal((5000, 2)) ** 3
    assert uniformity(crowded).entropy < 0.85 < uniformity(even).entropy
    assert uniformity(crowded).largest_extent > 2


def test_latents_that_say_the_same_are_found_out() -> None:
    first = RNG.random(5000)
    twice = uniformity(np.stack([first, 1 - first, RNG.random(5000)], axis=1))
    assert twice.correlation[0, 1] == pytest.approx(-1)
    assert twice.largest_correlation == pytest.approx(1)
    assert twice.entropy < 0.9
    assert twice.marginal_entropy.min() > 0.99


def test_a_latent_that_never_moves_and_a_single_one() -> None:
    still = uniformity(np.stack([np.zeros(500), RNG.random(500)], axis=1))
    assert still.largest_correlation == 0
    assert still.marginal_entropy[0] == 0
    assert uniformity(RNG.random((5000, 1))).largest_correlation == 0


@given(st.floats(0.01, 100), st.floats(-100, 100))
def test_units_do_not_matter(scale: float, shift: float) -> None:
    latent = np.random.default_rng(1).random((300, 2))
    one, other = uniformity(latent), uniformity(latent * scale + shift)
    assert one.entropy == pytest.approx(other.entropy, abs=0.02)
    np.testing.assert_allclose(one.correlation, other.correlation, atol=1e-6)


def test_a_finite_count_is_not_taken_for_unevenness() -> None:
    few, many = entropy(RNG.random((2000, 2))), entropy(RNG.random((50000, 2)))
    assert few == pytest.approx(many, abs=0.01)
