"""Spectra that keep the phases of what was heard, overlapped and added (design section 2). Rendering thread.

What noise and tone are to magnitudes, the input itself is here: its spectra go in with other magnitudes, and come out in time. Of each window only
the middle eighth or so is used, where it knows most; so it is heard half a window and half of that piece late, not a whole window.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .ear import hann
from .overlap_add import spline
from .phase import Spectrum, Stft

Sound = NDArray[np.float32]

PIECE = 4  # of a window, that one spectrum gives to the sound: a quarter


class Gains(NamedTuple):
    """From left and right to left and right: middle and side of each."""

    left: float
    right: float
    width: float

    @classmethod
    def of(cls, gain: float, pan: float, width: float) -> Gains:
        """Return those for a loudness, a place -1..1, and a width 0..2, 1 as it is."""
        angle = (pan + 1.0) * np.pi / 4.0
        return cls(gain * 2.0**0.5 * float(np.cos(angle)), gain * 2.0**0.5 * float(np.sin(angle)), width)

    def array(self) -> Sound:
        """Return how much of the middle and of the side is heard left and right: float32 (2, 2)."""
        return np.array([[self.left, self.left * self.width], [self.right, -self.right * self.width]], np.float32)


NOTHING = Gains(0.0, 0.0, 0.0)


class _Layer(NamedTuple):
    start: int
    spread: int
    gains: Sound


class OwnPhase:
    """The sound of spectra that come one after the other, a gain over it that may change at any sample.

    Parameters
    ----------
    stft : Stft
        The engine's.

    Attributes
    ----------
    longest_step_samples : int
        How far apart two windows may be.
    """

    def __init__(self, stft: Stft) -> None:
        self._stft = stft
        self._piece = piece_samples(stft)
        self.longest_step_samples = self._piece // 2  # at which Hann windows add up to one
        self._base = 0  # the sample at which what is added up begins
        self._sum = np.zeros((2, self._piece + stft.hop_samples), np.float32)  # middle and side
        self._layers = [_Layer(0, 1, NOTHING.array())]

    @property
    def is_silent(self) -> bool:
        """Whether nothing is heard and nothing is on its way."""
        return len(self._layers) == 1 and not self._layers[0].gains.any()

    def change(self, start: int, spread: int, gains: Gains) -> None:
        """Have another gain from sample ``start`` on: half of it is heard ``spread`` samples later."""
        array = gains.array()
        last = self._layers[-1]
        if np.array_equal(last.gains, array):
            return
        if last.start == start and len(self._layers) > 1:
            self._layers.pop()
            last = self._layers[-1]
        if len(self._layers) > 1:
            spread = max(spread, -((start - last.start - 2 * last.spread) // 2))  # as in `OverlapAdd.change`
        self._layers.append(_Layer(start, spread, array))

    def add(self, start: int, apart: int, spectra: Spectrum) -> None:
        """Add the middle of a window, heard from sample ``start`` on.

        Parameters
        ----------
        apart : int
            How far the next one will be away.
        spectra : complex64 (1 or 2, n_bins)
            Of left and right.
        """
        self._move(start)
        window = self._stft.window_samples
        first = (window - self._piece) // 2
        sound = np.fft.irfft(spectra, window)[:, first : first + self._piece] * _middle(window, self._piece)
        sound *= 2.0 * apart / self._piece
        left, right = sound[0], sound[-1]
        self._sum[0, : self._piece] += 0.5 * (left + right)
        self._sum[1, : self._piece] += 0.5 * (left - right)

    def _move(self, start: int) -> None:
        """Let what is added up begin at another sample, later than now."""
        passed, length = start - self._base, self._sum.shape[1]
        self._base = start
        if passed >= length:
            self._sum[:] = 0.0
        elif passed > 0:
            self._sum[:, : length - passed] = self._sum[:, passed:].copy()
            self._sum[:, length - passed :] = 0.0

    def add_to(self, out: Sound, start: int) -> None:
        """Add the samples from ``start`` on, all in one hop, to ``out``: float32 (samples, 2)."""
        first = start - self._base
        here = self._sum[:, first : first + len(out)]  # shorter, or empty, where nothing is added up any more
        weights = self._gains(start, here.shape[1])  # (samples, 2, 2)
        out[: here.shape[1]] += np.einsum("nij,jn->ni", weights, here)
        self._forget(start + len(out))

    def _gains(self, start: int, n_samples: int) -> Sound:
        gains = np.zeros((n_samples, 2, 2), np.float32)
        replaced: Sound | None = None
        for layer in reversed(self._layers):
            since = start - layer.start
            if layer is self._layers[0] or since >= 2 * layer.spread:
                since = 2 * layer.spread
            heard = spline(layer.spread, self._stft.hop_samples)[since : since + n_samples]
            share = heard if replaced is None else heard - replaced
            gains += share[:, None, None] * layer.gains
            replaced = heard
        return gains

    def _forget(self, now: int) -> None:
        for i in range(len(self._layers) - 1, 0, -1):
            if self._layers[i].start + 2 * self._layers[i].spread <= now:
                del self._layers[:i]
                break


def piece_samples(stft: Stft) -> int:
    """Return how long a piece one window gives to the sound."""
    return stft.window_samples // PIECE


def late_samples(stft: Stft, has_own_phase: bool) -> int:
    """Return how late what is heard sounds: half the window, and half of what it is then faded in with."""
    return stft.window_samples // 2 + (piece_samples(stft) // 2 if has_own_phase else 2 * stft.clock_samples)


@functools.cache
def _middle(window: int, piece: int) -> Sound:
    """Return the piece's Hann window over what the window of the analysis has made of the middle: float32 (piece,)."""
    first = (window - piece) // 2
    return hann(piece) / hann(window)[first : first + piece]
