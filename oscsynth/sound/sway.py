"""A tone whose frequency sways twice a window: how wide its lobe is, and which phases its bins have. One small table, made when it is first needed.

Windows a quarter apart then see it alternately rise and fall through its middle, so that their magnitudes are all the same and symmetrical: a
steady spectrum with a lobe as wide as one likes, of a tone whose amplitude never changes.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Phases = NDArray[np.float32]

STEPS = 16  # of the table, for each bin
TABLE_BINS = 8
COLUMNS = STEPS * TABLE_BINS + 1


@dataclass(frozen=True, slots=True)
class SwayTable:
    """For lobes from a Hann window's own to one that a deviation of 4 bins has: how wide, and how the phase bends away from the middle."""

    widths: Floats  # (rows,), rising
    cosines: Phases  # (rows * COLUMNS,)
    sines: Phases


@functools.cache
def sway_table() -> SwayTable:
    """Return it for a tone whose frequency sways by up to 4 bins, seen by windows centred where it passes the middle."""
    deviations = np.arange(0.0, 4.01, 0.125)
    x = np.arange(-STEPS * TABLE_BINS, COLUMNS + STEPS) / STEPS
    lobes = swaying_lobes(deviations, x)
    powers = np.stack([np.abs(lobes[:, first : first + 2 * COLUMNS - 1 : STEPS]) ** 2 for first in range(0, STEPS, STEPS // 4)])
    widths = (powers.sum(2) ** 2 / (powers**2).sum(2)).mean(0)
    right = lobes[:, STEPS * TABLE_BINS :][:, :COLUMNS]
    phasors = np.where(np.abs(right) > 1e-9, right, 1.0)
    phasors /= np.abs(phasors)
    phasors[:, -1] = 1.0  # far away: in the middle of the window
    return SwayTable(np.maximum.accumulate(widths), phasors.real.astype(np.float32).ravel(), phasors.imag.astype(np.float32).ravel())


def swaying_lobes(deviations: Floats, x: Floats) -> NDArray[np.complex128]:
    """Return the spectra of tones that sway by some deviations in bins, x bins from their middles: complex128 (deviations, len(x)).

    Each is a sum of lobes two bins apart with Bessel functions as amplitudes (Chowning 1973), each a quarter turn after the one before.
    """
    # Bessel functions as the Fourier coefficients of what they describe: NumPy has no others.
    turn = 2.0 * np.pi * np.arange(64) / 64
    bessel = np.fft.fft(np.exp(0.5j * deviations[:, None] * np.sin(turn))) / 64
    orders = np.arange(-8, 9)
    sides: NDArray[np.complex128] = (bessel[:, orders] * 1j**orders) @ hann_lobe(x - 2.0 * orders[:, None]).astype(np.complex128)
    return sides


def hann_lobe(x: Floats) -> Floats:
    """Return the Fourier transform of a Hann window, 1 in the middle."""
    return np.asarray(np.sinc(x) + 0.5 * np.sinc(x - 1.0) + 0.5 * np.sinc(x + 1.0))
