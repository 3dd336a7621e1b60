"""Magnitudes scaled to one loudness (design section 2). Pure functions of arrays; rendering thread."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from .phase import Stft

Magnitudes = NDArray[np.float32]
Power = NDArray[np.float64]

LOUDNESS_LUFS = -20.0
MAX_GAIN_DB = 24.0
LOWEST_HZ = 20.0

# Mean square of noise-phase sound for magnitudes M is the sum over d of these times the sum of M[b] M[b + d], over the window squared: neighbouring
# bins of a stored noise are not independent. Fitted to 60 spectra from flat to single lines, largest error 0.02 dB (tests/sound/test_spectrum.py).
_NEIGHBOURS = (2.3607, 2.0438, 0.2269)


@functools.cache
def audible(stft: Stft) -> Magnitudes:
    """Return 1 for the bins that may sound and 0 below 20 Hz and at the Nyquist frequency: float32 (n_bins,)."""
    heard = (stft.frequencies_hz() >= LOWEST_HZ).astype(np.float32)
    heard[-1] = 0.0
    return heard


@functools.cache
def k_weights(stft: Stft) -> Magnitudes:
    """Return the gain of ITU-R BS.1770's K weighting at each bin: float32 (n_bins,).

    Its two filters (a high shelf of 4 dB at 1682 Hz, a high-pass at 38 Hz) in their analogue form, so that they hold at any rate.
    """
    s = 1j * stft.frequencies_hz()
    shelf_hz, shelf_q, shelf_gain = 1681.974, 0.7071752, 10 ** (3.999844 / 20)
    band_gain = shelf_gain**0.4996668
    shelf = (shelf_gain * s**2 + band_gain * s * shelf_hz / shelf_q + shelf_hz**2) / (s**2 + s * shelf_hz / shelf_q + shelf_hz**2)
    pass_hz, pass_q = 38.13547, 0.5003270
    high_pass = s**2 / (s**2 + s * pass_hz / pass_q + pass_hz**2)
    weights: Magnitudes = np.abs(shelf * high_pass).astype(np.float32)
    return weights


def mean_squares(magnitudes: Magnitudes, window_samples: int) -> Power:
    """Return the mean square that noise-phase sound of each of some magnitudes has: (voices, n_bins) to float64 (voices,)."""
    n_bins = magnitudes.shape[1]
    total = np.zeros(len(magnitudes))
    for distance, weight in enumerate(_NEIGHBOURS):
        total += weight * np.einsum("vb,vb->v", magnitudes[:, : n_bins - distance], magnitudes[:, distance:])
    return total / window_samples**2


def noise_gain(magnitude: Magnitudes, stft: Stft) -> float:
    """Return the factor that makes magnitudes (n_bins,), as the analysis of a sound has them, as loud with noise for a phase as that sound is.

    The analysis' Hann window lets 3/8 of the power through; noise has more, since neighbouring bins of it are not independent.
    """
    weighted = (magnitude * k_weights(stft))[None]
    sounding = 16.0 / 3.0 * float(np.square(weighted).sum()) / stft.window_samples**2
    return float((sounding / max(mean_squares(weighted, stft.window_samples)[0], 1e-30)) ** 0.5)


def loudness_gains(magnitudes: Magnitudes, stft: Stft, ceiling: float = np.inf) -> Power:
    """Return the factors, at most ``ceiling``, that give each of some magnitudes a loudness of -20 LUFS in stereo; 0 for silence.

    Parameters
    ----------
    magnitudes : float32 (voices, n_bins)

    Returns
    -------
    float64 (voices,)
    """
    weighted = mean_squares(magnitudes * k_weights(stft), stft.window_samples)
    # BS.1770 adds the channels' powers, and a voice sounds on two.
    target = 10.0 ** ((LOUDNESS_LUFS + 0.691) / 10.0) / 2.0
    gains: Power = np.sqrt(target / np.maximum(weighted, 1e-30))
    return np.where(weighted > 0.0, np.minimum(gains, ceiling), 0.0)
