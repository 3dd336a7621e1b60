"""Spectra gathered onto their partials."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oscsynth.sound.comb import Combs, combed
from oscsynth.sound.phase import Stft

STFT = Stft.at_rate(44100)


@given(st.floats(60, 2000), st.integers(0, 100))
def test_power_is_kept_and_lies_on_the_partials(pitch_hz: float, seed: int) -> None:
    powers = np.random.default_rng(seed).random((1, STFT.n_bins), np.float32)
    powers[:, STFT.n_bins // 4 :] = 0.0
    magnitudes, (lobes,) = combed(powers, Combs(STFT, 11025.0)([pitch_hz]))
    first = round(0.5 * pitch_hz / STFT.bin_hz) + 1
    assert (magnitudes**2).sum() == pytest.approx(powers[:, first:].sum(), rel=0.05)
    away = np.abs(np.flatnonzero(magnitudes[0] > 1e-3) * STFT.bin_hz / pitch_hz)
    assert (np.abs(away - np.round(away)) * pitch_hz < 2.01 * STFT.bin_hz).all()
    multiples = lobes.frequencies * STFT.bin_hz / pitch_hz
    assert np.abs(multiples - np.round(multiples)).max() < 0.01


def test_above_the_highest_there_is_nothing() -> None:
    magnitudes, _ = combed(np.ones((2, STFT.n_bins), np.float32), Combs(STFT, 5000.0)([100.0, 440.0]))
    assert not magnitudes[:, int(5030 / STFT.bin_hz) :].any() and magnitudes[:, : int(4900 / STFT.bin_hz)].any(1).all()


@given(st.lists(st.floats(20, 12000), min_size=1, max_size=100))
def test_a_comb_is_the_same_whatever_else_was_asked_for(pitches_hz: list[float]) -> None:
    combs = Combs(STFT, 11025.0)
    for comb, pitch_hz in zip(combs(pitches_hz), pitches_hz, strict=True):
        (alone,) = Combs(STFT, 11025.0)([pitch_hz])
        assert np.array_equal(comb.shape, alone.shape) and np.array_equal(comb.starts, alone.starts) and np.array_equal(comb.counts, alone.counts)
        assert all(np.array_equal(getattr(comb.lobes, name), getattr(alone.lobes, name)) for name in ("frequencies", "owners", "steady", "swaying"))
    assert len(combs._kept) <= 64


def test_what_is_held_is_not_made_again() -> None:
    combs = Combs(STFT, 11025.0)
    (held,) = combs([220.0])
    for n in range(100):
        assert combs([220.0, 300.0 + n])[0] is held
    assert combs([300.0])[0] is not None and len(combs._kept) == 64
