import functools

import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oscsynth.sound.phase import HOPS_AHEAD, WINDOW_SQUARES, NoiseCarrier, Stft, synthesise


@pytest.fixture(scope="module")
def carrier() -> NoiseCarrier:
    return NoiseCarrier(Stft.at_rate(44100), seconds=2.0)


def steady(carrier: NoiseCarrier, magnitude: np.ndarray, hops: range) -> np.ndarray:
    return np.concatenate([synthesise(magnitude, carrier.kernels(hop))[0] for hop in hops])


def all_phasors(carrier: NoiseCarrier) -> np.ndarray:
    return np.stack([carrier.phasors(hop) for hop in range(carrier.n_hops)])


def some_magnitudes(n_bins: int = 2049) -> np.ndarray:
    magnitude = np.random.default_rng(0).random(n_bins).astype(np.float32) ** 4
    magnitude[[0, 1, -1]] = 0.0
    return magnitude


@pytest.mark.parametrize("rate_hz", [22050, 44100, 48000, 96000, 192000])
def test_steady_sound_is_the_papers_overlap_add(rate_hz: int) -> None:
    stft = Stft.at_rate(rate_hz)
    carrier = NoiseCarrier(stft, seconds=0.5)
    magnitude = some_magnitudes(stft.n_bins)
    reference = librosa.istft(
        (magnitude * all_phasors(carrier)).T, n_fft=stft.window_samples, hop_length=stft.hop_samples, window="hann", center=False
    )
    hops = range(3, carrier.n_hops)  # four windows overlap from the third hop on
    got = steady(carrier, magnitude, hops)
    wanted = reference[3 * stft.hop_samples :][: len(got)]
    assert np.abs(got - wanted).max() < 1e-5 * np.abs(wanted).max()


def test_the_noise_loop_has_no_seam(carrier: NoiseCarrier) -> None:
    magnitude, n = some_magnitudes(), carrier.n_hops
    turned = NoiseCarrier(carrier.stft, seconds=2.0)
    hop, window = carrier.stft.hop_samples, carrier.stft.window_samples
    noise = np.roll(carrier._circular[: n * hop], n // 2 * hop)
    turned._circular = np.concatenate([noise, noise[: window - hop]])
    across_the_end = steady(carrier, magnitude, range(n - 4, n + 4))
    in_the_middle = steady(turned, magnitude, range(n - 4 + n // 2, n + 4 + n // 2))
    np.testing.assert_array_equal(across_the_end, in_the_middle)


def test_phasors_have_unit_modulus(carrier: NoiseCarrier) -> None:
    np.testing.assert_allclose(np.abs(all_phasors(carrier)), 1.0, atol=1e-5)


def test_what_is_made_ahead_is_what_is_made_when_asked_for(carrier: NoiseCarrier) -> None:
    ahead = NoiseCarrier(carrier.stft, seconds=2.0)
    for _ in range(ahead.n_hops + 3):
        ahead.make_ahead()
    assert ahead._is_made.all()
    for hop in (50, 3, 0, ahead.n_hops - 1):
        np.testing.assert_array_equal(ahead._kernels[hop], carrier.kernels(hop)[0])


@given(st.integers(0, 200), st.integers(0, 200))
def test_two_hops_are_heard_as_each_by_itself(mid: int, side: int) -> None:
    carrier, magnitude = small_carrier(), some_magnitudes(513)
    if mid % carrier.n_hops != side % carrier.n_hops:
        both = synthesise(magnitude, carrier.kernels(mid, side))
        np.testing.assert_array_equal(both, [synthesise(magnitude, carrier.kernels(hop))[0] for hop in (mid, side)])


@given(st.integers(0, 200), st.integers(1, HOPS_AHEAD))
def test_hops_in_a_row_are_each_by_itself_over_the_seam_too(first: int, n_hops: int) -> None:
    carrier, hops = small_carrier(), range(first, first + n_hops)
    np.testing.assert_array_equal(carrier.kernels(*hops), [carrier.kernels(hop)[0] for hop in hops])


@functools.cache
def small_carrier() -> NoiseCarrier:
    return NoiseCarrier(Stft(44100, 1024), seconds=0.5)


def test_a_seed_always_chooses_the_same_place(carrier: NoiseCarrier) -> None:
    assert carrier.offset(1) == carrier.offset(1)
    assert len({carrier.offset(seed) for seed in range(20)}) > 15


def test_hann_windows_squared_overlap_to_the_constant() -> None:
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(4096) / 4096)
    np.testing.assert_allclose((hann.reshape(4, 1024) ** 2).sum(0), WINDOW_SQUARES)
