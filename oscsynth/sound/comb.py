"""Spectra of notes gathered onto their partials. Pure functions of arrays; rendering thread.

The bands in which a note decoder learned are wider than a partial, so that what lies between two partials is mostly a blur of both. Where the
pitch is known, each multiple of it can be given the power of all that is nearer to it than to another, with the lobe that a pure tone has. What
that needs of `lobes` is the same for all spectra of a pitch, up to one amplitude for each partial.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .lobes import Lobes, lobes_of
from .phase import Stft

Magnitudes = NDArray[np.float32]

_KEPT = 256  # combs; of notes that are held
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


@functools.lru_cache(maxsize=_KEPT)
def comb_of(pitch_hz: float, stft: Stft, highest_hz: float) -> Comb:
    """Return the comb of a pitch, with partials up to a frequency."""
    pitch, bins = max(pitch_hz / stft.bin_hz, _LEAST_BINS), np.arange(stft.n_bins)
    multiples = np.round(bins / pitch)
    starts = np.flatnonzero(np.diff(multiples, prepend=-1.0))
    counts = np.diff(starts, append=stft.n_bins)
    away = bins - multiples * pitch
    with np.errstate(divide="ignore", invalid="ignore"):
        powers = (np.sinc(away) / (1.0 - away * away)) ** 2  # of a Hann window
    powers = np.where(np.abs(np.abs(away) - 1.0) < 1e-6, 0.25, powers) * (np.abs(away) < 2.0)
    powers[(multiples < 1) | (multiples * pitch_hz > highest_hz)] = powers[-1] = 0.0
    total = np.repeat(np.add.reduceat(powers, starts), counts)
    shape = np.sqrt(powers / np.maximum(total, 1e-12)).astype(np.float32)
    return Comb(starts, counts, shape, lobes_of(shape[None], np.array([pitch]), stft))


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
