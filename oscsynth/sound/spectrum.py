"""Magnitudes moved to another pitch or rate, and scaled to one loudness (design section 2). Pure functions of arrays; rendering thread."""

from __future__ import annotations

import functools
import itertools

import numpy as np
from numpy.typing import NDArray

from ..patch import Formants, Stretch
from .phase import Stft

Magnitudes = NDArray[np.float32]
Power = NDArray[np.float64]

LOUDNESS_LUFS = -20.0
MAX_GAIN_DB = 24.0
LOWEST_HZ = 20.0
HARMONICS_ABOVE_SEMITONES = 7.0  # where `stretch: auto` begins to move partials whole

# Mean square of noise-phase sound for magnitudes M is the sum over d of these times the sum of M[b] M[b + d], over the window squared: neighbouring
# bins of a stored noise are not independent. Fitted to 60 spectra from flat to single lines, largest error 0.02 dB (tests/sound/test_spectrum.py).
_NEIGHBOURS = (2.3607, 2.0438, 0.2269)
_PEAK_FLOOR = 1e-3  # partials more than 60 dB below the strongest move with their neighbours


def stretch(power: Power, ratio: float, n_bins: int) -> Power:
    """Return a power spectrum with every frequency multiplied by a ratio, its total kept.

    Each target bin takes what lies between its edges, as a difference of the cumulative sum: no partial falls between two readings.

    Parameters
    ----------
    power : float64 (bins,)
        The source.
    ratio : float
        In bins of the target for a bin of the source.
    n_bins : int
        Of the target.
    """
    total = np.zeros(len(power) + 1)
    np.cumsum(power, out=total[1:])
    edges = (np.arange(n_bins + 1) - 0.5) / ratio + 0.5
    moved: Power = np.diff(np.interp(edges, np.arange(len(total)), total))
    return moved


def move_partials(power: Power, ratio: float, n_bins: int) -> Power:
    """Return a power spectrum whose partials stand at ``ratio`` times their frequency with their lobes as wide as before.

    Arguments and result as for `stretch`. Between two partials that move apart the valley between them is held.
    """
    peaks = _peaks(power)
    if len(peaks) == 0:
        return stretch(power, ratio, n_bins)
    # The border between two partials is the lowest bin between them.
    borders = np.array([a + int(np.argmin(power[a:b])) for a, b in itertools.pairwise(peaks)], np.float64)
    # Below the first partial too: decoders put energy at 0 Hz, which is not to be held up to the moved partial.
    lowest = float(np.argmin(power[: peaks[0] + 1]))
    low, high = np.concatenate([[lowest], borders]), np.concatenate([borders, [len(power) - 1.0]])
    target = np.arange(n_bins, dtype=np.float64)
    partial = np.searchsorted(borders * ratio, target, "right")
    shift = (ratio - 1.0) * _refined(power, peaks)
    source = np.clip(target - shift[partial], low[partial], high[partial])
    # Read between bins in decibels: a Hann lobe is near a parabola there, and is not widened.
    moved: Power = np.exp(np.interp(source, np.arange(len(power)), np.log(power + 1e-30)))
    # Above the last partial nothing new is made up: what lies past the source's end is silent.
    moved[target > (len(power) - 1) * ratio] = 0.0
    return moved


def keep_formants(moved: Power, original: Power, width_bins: float) -> Power:
    """Return a moved power spectrum under the envelope that the original had.

    Parameters
    ----------
    moved, original : float64 (bins,)
        On the same bins.
    width_bins : float
        Over how many bins the envelope is averaged: more than the distance between two partials, of either.
    """
    floor = 1e-12 * max(float(original.max()), 1e-30)
    return moved * (_smoothed(original, width_bins) + floor) / (_smoothed(moved, width_bins) + floor)


def _smoothed(power: Power, width_bins: float) -> Power:
    total = np.concatenate([[0.0], np.cumsum(power)])
    centre = np.arange(len(power)) + 0.5
    low, high = np.maximum(centre - width_bins / 2, 0), np.minimum(centre + width_bins / 2, len(power))
    at = np.arange(len(total))
    smooth: Power = (np.interp(high, at, total) - np.interp(low, at, total)) / (high - low)
    return smooth


def _peaks(power: Power) -> NDArray[np.intp]:
    inner = power[2:-2]
    is_peak = (inner > power[1:-3]) & (inner >= power[3:-1]) & (inner > power[:-4]) & (inner >= power[4:])
    is_peak &= inner > power.max() * _PEAK_FLOOR**2
    return np.flatnonzero(is_peak) + 2


def _refined(power: Power, peaks: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return where each peak really stands, in bins, by a parabola through its logarithms."""
    left, centre, right = (np.log(power[peaks + d] + 1e-30) for d in (-1, 0, 1))
    curve = np.minimum(left - 2 * centre + right, -1e-9)
    refined: NDArray[np.float64] = peaks + np.clip(0.5 * (left - right) / curve, -0.5, 0.5)
    return refined


def shape(
    magnitude: Magnitudes,
    stft: Stft,
    source_bin_hz: float,
    semitones: float,
    pitch_hz: float,
    stretching: Stretch = "auto",
    formants: Formants = "move",
) -> Magnitudes:
    """Return a decoder's magnitudes on the engine's bins, moved by an interval.

    Parameters
    ----------
    magnitude : float32 (decoder's bins,)
        Finite, at least 0.
    stft : Stft
        The engine's.
    source_bin_hz : float
        Distance of the decoder's bins.
    semitones : float
        The interval, 0 for none.
    pitch_hz : float
        Of the sound before it is moved: the distance of its partials.
    """
    rate_ratio = source_bin_hz / stft.bin_hz
    interval = 2.0 ** (semitones / 12.0)
    if interval == 1.0 and rate_ratio == 1.0:
        return _fitted(magnitude, stft.n_bins)
    power = magnitude.astype(np.float64) ** 2
    # The rate is a matter of bins, not of pitch: a partial's lobe, as wide in hertz, may widen or narrow in bins.
    whole = stretching == "harmonics" or (stretching == "auto" and semitones > HARMONICS_ABOVE_SEMITONES)
    if whole:
        on_bins = power if rate_ratio == 1.0 else stretch(power, rate_ratio, stft.n_bins)
        moved = move_partials(on_bins, interval, stft.n_bins)
    else:
        moved = stretch(power, interval * rate_ratio, stft.n_bins)
    if formants == "keep" and interval != 1.0:
        original = stretch(power, rate_ratio, stft.n_bins)
        moved = keep_formants(moved, original, 1.5 * max(1.0, interval) * pitch_hz / stft.bin_hz)
    return np.sqrt(np.maximum(moved, 0.0)).astype(np.float32)


def _fitted(magnitude: Magnitudes, n_bins: int) -> Magnitudes:
    if len(magnitude) >= n_bins:
        return magnitude[:n_bins]
    return np.concatenate([magnitude, np.zeros(n_bins - len(magnitude), np.float32)])


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
