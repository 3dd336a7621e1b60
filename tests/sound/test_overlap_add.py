import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oscsynth.sound.overlap_add import Mix, OverlapAdd, spline
from oscsynth.sound.phase import NoiseCarrier, Stft

MONO = Mix.of(0.0, 0.0)


@pytest.fixture(scope="module")
def carrier() -> NoiseCarrier:
    return NoiseCarrier(Stft.at_rate(44100), seconds=0.5)


def magnitudes(seed: int) -> np.ndarray:
    magnitude = np.random.default_rng(seed).random(2049).astype(np.float32)
    magnitude[[0, 1, -1]] = 0.0
    return magnitude


def rendered(adder: OverlapAdd, n_samples: int, step: int = 128) -> np.ndarray:
    out = np.zeros((n_samples, 2), np.float32)
    for start in range(0, n_samples, step):
        adder.add_to(out[start : start + step], start)
    return out


def test_half_of_a_change_is_heard_after_the_spread_and_all_after_two() -> None:
    share = spline(128, 10)
    assert share[0] == 0.0 and share[128] == pytest.approx(0.5) and (share[256:] == 1.0).all()


def test_a_change_has_no_corner() -> None:
    """A straight fade has a second difference of 1 / 128 at both its ends, and clicks in the bass."""
    assert np.abs(np.diff(spline(128, 10).astype(np.float64), 2)).max() < 1.01 / 128**2 + 1e-6


def test_chained_changes_add_up_to_a_straight_line() -> None:
    share = np.concatenate([np.zeros(2048), spline(128, 4096)]).astype(np.float64)
    movement = sum(share[2048 - 128 * k :][:2048] for k in range(16)) / 16.0
    assert np.abs(np.diff(movement[300:1900], 2)).max() < 1e-6


def test_a_change_is_the_spline_between_both_steady_sounds(carrier: NoiseCarrier) -> None:
    one, other, both = (OverlapAdd(carrier, 3, 9) for _ in range(3))
    for adder, magnitude in ((one, magnitudes(1)), (other, magnitudes(2)), (both, magnitudes(1))):
        adder.change(0, 128, magnitude, MONO)
    old, new = rendered(one, 4096), rendered(other, 4096)
    got = np.zeros((4096, 2), np.float32)
    for start in range(0, 4096, 4):
        if start == 700:
            both.change(start, 128, magnitudes(2), MONO)
        both.add_to(got[start : start + 4], start)
    share = np.concatenate([np.zeros(700), spline(128, 4096)])[:4096, None]
    np.testing.assert_allclose(got, old * (1 - share) + new * share, atol=1e-6)


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 5)), max_size=12))
@settings(max_examples=25, deadline=None)
def test_any_chain_of_changes_is_bounded_and_ends_with_the_last(carrier: NoiseCarrier, changes: list[tuple[int, int]]) -> None:
    adder = OverlapAdd(carrier, 0, 5)
    adder.change(0, 128, magnitudes(9), MONO)
    at, out = 0, []
    for wait, seed in changes:
        stop = at + wait
        while at < stop:
            size = min(stop - at, 1024 - at % 1024)
            out.append(np.zeros((size, 2), np.float32))
            adder.add_to(out[-1], at)
            at += size
        adder.change(at, 128, None if seed == 0 else magnitudes(seed), MONO)
    for _ in range(8):
        size = 1024 - at % 1024
        adder.add_to(last := np.zeros((size, 2), np.float32), at)
        at += size
    assert len(adder._layers) == 1
    assert not changes or adder.is_silent == (changes[-1][1] == 0)
    assert np.isfinite(last).all() and all(np.isfinite(block).all() for block in out)


@given(pan=st.floats(-1, 1), width=st.floats(0, 2))
def test_pan_and_width_keep_the_power(pan: float, width: float) -> None:
    mix = Mix.of(pan, width)
    power = mix.left_mid**2 + mix.right_mid**2 + mix.left_side**2 + mix.right_side**2
    assert power == pytest.approx(2.0)


def test_silence_costs_nothing_and_is_zero(carrier: NoiseCarrier) -> None:
    adder = OverlapAdd(carrier, 0, 5)
    assert adder.is_silent and not rendered(adder, 1024).any()
