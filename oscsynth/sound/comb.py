"""Spectra of notes gathered onto their partials. Pure functions of arrays; rendering thread.

The bands in which a note decoder learned are wider than a partial, so that what lies between two partials is mostly a blur of both. Where the
pitch is known, each multiple of it can be given the power of all that is nearer to it than to another, with the lobe that a pure tone has. What
that needs of `lobes` is the same for all spectra of a pitch, up to one amplitude for each partial.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .lobes import Lobes, parted, pure_lobes
from .phase import Stft

Magnitudes = NDArray[np.float32]
Floats = NDArray[np.float64]

_KEPT = 64  # as many as notes can be held
_TOGETHER = 4  # made at once: their arrays then still fit into the processor's nearest memory
_LEAST_BINS = 3.0  # partials that are nearer to each other are not told apart


@dataclass(frozen=True, slots=True)
class Comb:
    """The partials of a pitch: the bins that are nearest to each, the shape of its lobe, and the lobes of a sound in which each has a power of 1.

    Attributes
    ----------
    starts, counts : intp (partials + 1,)
        Where the bins of each begin, and how many there are; what is below half the pitch comes first.
    shape : float32 (n_bins,)
        The magnitude of each bin.
    lobes : Lobes
        Of one voice.
    """

    starts: NDArray[np.intp]
    counts: NDArray[np.intp]
    shape: Magnitudes
    lobes: Lobes


class Combs:
    """The combs of the pitches that were asked for last, with partials up to a frequency.

    Parameters
    ----------
    stft : Stft
        Of the device.
    highest_hz : float
        The highest partial.
    """

    def __init__(self, stft: Stft, highest_hz: float) -> None:
        self._stft, self._highest_hz = stft, highest_hz
        self._kept: dict[float, Comb] = {}  # by pitch, what was asked for last at the end

    def __call__(self, pitches_hz: Sequence[float]) -> list[Comb]:
        """Return the comb of each pitch."""
        new = [pitch_hz for pitch_hz in dict.fromkeys(pitches_hz) if pitch_hz not in self._kept]
        for start in range(0, len(new), _TOGETHER):
            some = new[start : start + _TOGETHER]
            self._kept.update(zip(some, _made(np.array(some)[:, None], self._stft, self._highest_hz), strict=True))
        for pitch_hz in pitches_hz:
            self._kept[pitch_hz] = self._kept.pop(pitch_hz)
        combs = [self._kept[pitch_hz] for pitch_hz in pitches_hz]
        while len(self._kept) > _KEPT:
            del self._kept[next(iter(self._kept))]
        return combs


def _made(pitches_hz: Floats, stft: Stft, highest_hz: float) -> list[Comb]:
    """Return the combs of some pitches, float64 (pitches, 1); what each is does not depend on the others."""
    pitches, bins = np.maximum(pitches_hz / stft.bin_hz, _LEAST_BINS), np.arange(stft.n_bins)
    multiples = np.rint(bins / pitches).astype(np.intp)
    highest = np.minimum(highest_hz / pitches_hz, (stft.n_bins - 3) / pitches).astype(np.intp)
    away = bins - multiples * pitches
    with np.errstate(divide="ignore", invalid="ignore"):
        powers = (np.sinc(away) / (1.0 - away * away)) ** 2  # of a Hann window
    powers = np.where(np.abs(np.abs(away) - 1.0) < 1e-6, 0.25, powers) * (np.abs(away) < 2.0)
    powers[(multiples < 1) | (multiples > highest)] = 0.0
    begins = np.ones(multiples.shape, bool)
    begins[:, 1:] = multiples[:, 1:] != multiples[:, :-1]
    starts = begins.ravel().nonzero()[0]
    counts = np.diff(starts, append=multiples.size)
    total = np.repeat(np.add.reduceat(powers.ravel(), starts), counts).reshape(powers.shape)
    shapes = np.sqrt(powers / np.maximum(total, 1e-12)).astype(np.float32)

    n_partials = np.maximum(highest, 1)
    partials = np.concatenate([np.arange(1, n + 1) for n in n_partials.ravel()])
    frequencies = np.clip(partials * np.repeat(pitches, n_partials.ravel()), 1.0, stft.n_bins - 2.0)
    owners = np.clip(multiples, 1, n_partials) - 1 + np.cumsum(n_partials, dtype=np.intp)[:, None] - n_partials
    lobes = parted(pure_lobes(shapes, frequencies, n_partials.ravel(), owners, stft))
    ends = np.searchsorted(starts, stft.n_bins * np.arange(1, len(pitches)))
    rows = zip(np.split(starts % stft.n_bins, ends), np.split(counts, ends), shapes, lobes, strict=True)
    return [Comb(*row) for row in rows]


def combed(powers: Magnitudes, combs: Sequence[Comb]) -> tuple[Magnitudes, list[Lobes]]:
    """Return some spectra with their power on the partials of their pitches.

    Parameters
    ----------
    powers : float32 (voices, n_bins)

    Returns
    -------
    magnitudes : float32 (voices, n_bins)
    lobes : list of Lobes
        Of each voice.
    """
    amplitudes = [np.repeat(np.sqrt(np.add.reduceat(row, comb.starts)), comb.counts) for row, comb in zip(powers, combs, strict=True)]
    magnitudes = np.stack([amplitude * comb.shape for amplitude, comb in zip(amplitudes, combs, strict=True)])
    return magnitudes, [_scaled(comb.lobes, amplitude) for amplitude, comb in zip(amplitudes, combs, strict=True)]


def _scaled(lobes: Lobes, amplitude: Magnitudes) -> Lobes:
    return Lobes(lobes.frequencies, lobes.counts, lobes.owners, lobes.steady * amplitude, lobes.swaying * amplitude)
