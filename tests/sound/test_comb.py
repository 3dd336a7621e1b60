"""Spectra gathered onto their partials."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oscsynth.sound.comb import comb_of, combed
from oscsynth.sound.phase import Stft

STFT = Stft.at_rate(44100)


@given(st.floats(60, 2000), st.integers(0, 100))
def test_power_is_kept_and_lies_on_the_partials(pitch_hz: float, seed: int) -> None:
    powers = np.random.default_rng(seed).random((1, STFT.n_bins), np.float32)
    powers[:, STFT.n_bins // 4 :] = 0.0
    magnitudes, (lobes,) = combed(powers, [comb_of(pitch_hz, STFT, 11025.0)])
    first = round(0.5 * pitch_hz / STFT.bin_hz) + 1
    assert (magnitudes**2).sum() == pytest.approx(powers[:, first:].sum(), rel=0.05)
    away = np.abs(np.flatnonzero(magnitudes[0] > 1e-3) * STFT.bin_hz / pitch_hz)
    assert (np.abs(away - np.round(away)) * pitch_hz < 2.01 * STFT.bin_hz).all()
    multiples = lobes.frequencies * STFT.bin_hz / pitch_hz
    assert np.abs(multiples - np.round(multiples)).max() < 0.01


def test_above_the_highest_there_is_nothing() -> None:
    magnitudes, _ = combed(np.ones((2, STFT.n_bins), np.float32), [comb_of(100.0, STFT, 5000.0), comb_of(440.0, STFT, 5000.0)])
    assert not magnitudes[:, int(5030 / STFT.bin_hz) :].any() and magnitudes[:, : int(4900 / STFT.bin_hz)].any(1).all()
