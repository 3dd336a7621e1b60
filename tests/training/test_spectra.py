import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.spectra import Stft, is_silent, magnitudes, scaled, sounding, stretched

from .conftest import SMALL, tone


@pytest.mark.parametrize(("window", "hop"), [(4096, 1024), (2048, 512), (1024, 300)])
def test_each_hop_is_the_transform_of_its_own_samples(window: int, hop: int) -> None:
    stft = Stft(44100, window, hop)
    audio = np.random.default_rng(440).standard_normal(10000).astype(np.float32)
    magnitude = magnitudes(audio, stft)
    assert magnitude.shape == (stft.n_hops(len(audio)), stft.n_bins)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    for index in (0, len(magnitude) - 1):
        samples = audio[index * hop : index * hop + window]
        np.testing.assert_allclose(magnitude[index], np.abs(np.fft.rfft(samples * hann)), atol=1e-3)


def test_a_sound_shorter_than_a_window_has_no_hops() -> None:
    assert magnitudes(np.ones(1023, np.float32), SMALL).shape == (0, 513)


def test_every_hop_has_a_peak_of_one() -> None:
    fading = tone(69) * np.linspace(1, 0.01, 4410, dtype=np.float32)
    np.testing.assert_allclose(scaled(magnitudes(fading, SMALL)).max(axis=1), 1.0)


def test_silence_after_a_sound_is_dropped() -> None:
    audio = np.concatenate([tone(69), np.zeros(11025, np.float32)])
    sounds = sounding(magnitudes(audio, SMALL))
    assert sounds[:10].all()
    assert not sounds[-30:].any()


@given(st.floats(-24, 24))
def test_stretching_moves_the_pitch(semitones: float) -> None:
    magnitude = np.exp(-(((np.arange(2049) - 200) / 3) ** 2))[None].astype(np.float32)
    moved = stretched(magnitude, np.array([semitones]))[0]
    centre = float((moved**2 * np.arange(2049)).sum() / (moved**2).sum())
    assert centre == pytest.approx(200 * 2 ** (semitones / 12), rel=0.01)


@given(st.floats(-36, 20), st.integers(0, 2**32 - 1))
def test_stretching_conserves_power(semitones: float, seed: int) -> None:
    magnitude = np.zeros((1, 2049), np.float32)
    magnitude[0, 20:500] = np.random.default_rng(seed).random(480)
    moved = stretched(magnitude, np.array([semitones]))
    assert np.isfinite(moved).all()
    assert np.square(moved, dtype=float).sum() == pytest.approx(np.square(magnitude, dtype=float).sum(), rel=1e-4)


def test_stretching_by_nothing_changes_nothing() -> None:
    magnitude = np.random.default_rng(440).random((3, 513)).astype(np.float32)
    np.testing.assert_allclose(stretched(magnitude, np.zeros(3)), magnitude, atol=1e-5)


@pytest.mark.parametrize("audio", [np.zeros(5000), np.full(5000, 1e-6), np.full(5000, np.nan)])
def test_silent(audio: np.ndarray) -> None:
    assert is_silent(audio)
