"""Spectra that keep their phases come out as the sound that they were, so much later, whatever the steps and the blocks."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oscsynth.sound.ear import hann
from oscsynth.sound.own_phase import Gains, OwnPhase
from oscsynth.sound.phase import Stft

STFT = Stft.at_rate(44100)
WINDOW, LATE = STFT.window_samples, 4096 // 2 + 512
SOUND = np.random.default_rng(440).normal(0, 0.1, (20480, 2)).astype(np.float32)
FULL = Gains.of(1.0, 0.0, 1.0)


def heard_from(at: int) -> np.ndarray:
    """Return the spectra of the window that ends at a sample: (2, n_bins)."""
    return np.fft.rfft(SOUND[at - WINDOW : at].T * hann(WINDOW)).astype(np.complex64)


def played(steps: list[int], gains: Gains = FULL, first: int = WINDOW, splits: tuple[int, ...] = ()) -> np.ndarray:
    """Return what is heard from sample `first` on: (samples, 2)."""
    own, out, now = OwnPhase(STFT), [], first
    own.change(now, 1, gains)
    for step in steps:
        own.add(now, step, heard_from(now))
        cuts = sorted({now, now + step, *(cut for cut in splits if now < cut < now + step), *range(-(-now // 1024) * 1024, now + step, 1024)})
        for start, end in itertools.pairwise(cuts):
            block = np.zeros((end - start, 2), np.float32)
            own.add_to(block, start)
            out.append(block)
        now += step
    return np.concatenate(out)


@pytest.mark.parametrize("step", [256, 512])
def test_what_is_not_changed_comes_out_as_it_went_in(step: int) -> None:
    out = played([step] * (8192 // step))
    expected = SOUND[WINDOW - LATE : WINDOW - LATE + len(out)]
    np.testing.assert_allclose(out[1024:], expected[1024:], atol=2e-6)


def test_width_0_is_mono_and_pan_keeps_the_power() -> None:
    mono = played([256] * 16, Gains.of(1.0, 0.0, 0.0))
    np.testing.assert_allclose(mono[:, 0], mono[:, 1], atol=1e-7)
    left = Gains.of(1.0, -1.0, 1.0)
    assert left.right == pytest.approx(0.0) and left.left == pytest.approx(2**0.5)


@settings(deadline=None, max_examples=20)
@given(splits=st.lists(st.integers(WINDOW, WINDOW + 4096), max_size=6))
def test_blocks_do_not_matter(splits: list[int]) -> None:
    np.testing.assert_array_equal(played([256] * 16, splits=tuple(splits)), played([256] * 16))


def test_a_gain_moves_without_a_corner_and_silence_is_exact() -> None:
    own = OwnPhase(STFT)
    assert own.is_silent
    own.change(1024, 128, FULL)
    shares = own._gains(1024, 512)[:, 0, 0].astype(np.float64)
    assert shares[0] == 0 and shares[128] == pytest.approx(0.5) and (shares[256:] == 1).all()
    assert np.abs(np.diff(shares, 2)).max() < 1.01 / 128**2 + 1e-6
    own.add_to(np.zeros((512, 2), np.float32), 1024)
    own.change(1536, 128, Gains.of(0.0, 0.0, 1.0))
    assert not own.is_silent
    own.add_to(np.zeros((512, 2), np.float32), 1536)
    assert own.is_silent


def test_after_a_pause_nothing_old_is_heard() -> None:
    own = OwnPhase(STFT)
    own.change(WINDOW, 1, FULL)
    own.add(WINDOW, 256, heard_from(WINDOW))
    own.add(WINDOW + 8192, 256, heard_from(WINDOW) * 0)
    block = np.zeros((1024, 2), np.float32)
    own.add_to(block, WINDOW + 8192)
    assert not block.any()
