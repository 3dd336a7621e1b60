"""Spectra moved to another pitch or rate, those of all voices at once (design section 2). Pure functions of arrays; rendering thread."""

from __future__ import annotations

import functools
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..patch import Formants, Stretch
from .phase import Stft
from .spectrum import Magnitudes, Power

Floats = NDArray[np.float64]
Number = TypeVar("Number", np.float32, np.float64)

HARMONICS_ABOVE_SEMITONES = 7.0  # where `stretch: auto` begins to move partials whole; one semitone above it does nothing else
_PEAK_FLOOR = 1e-6  # partials more than 60 dB below the strongest move with their neighbours
_NOTHING = np.float32(1e-30)


def stretch(powers: Power, ratios: Floats, n_bins: int) -> Power:
    """Return power spectra with every frequency multiplied by a ratio, their totals kept.

    Each target bin takes what lies between its edges, as a difference of the cumulative sum: no partial falls between two readings.

    Parameters
    ----------
    powers : float64 (voices, bins)
        The sources.
    ratios : float64 (voices,)
        In bins of the target for a bin of the source.
    n_bins : int
        Of the target.

    Returns
    -------
    float64 (voices, n_bins)
    """
    left, share = _edges(np.asarray(ratios, np.float64).tobytes(), powers.shape[1], n_bins)
    below = np.zeros(powers.shape)
    np.cumsum(powers[:, :-1], axis=1, out=below[:, 1:])
    reached = np.take(powers, left)
    reached *= share
    reached += np.take(below, left)
    return np.diff(reached, axis=1)


@functools.lru_cache(maxsize=4)
def _edges(ratios: bytes, n_source_bins: int, n_bins: int) -> tuple[NDArray[np.intp], Floats]:
    """Return in which bin of which source, in one row, the edges of target bins lie, and how far in it: (voices, n_bins + 1).

    Kept, since notes of which only the faders move stay where they are.
    """
    each = np.frombuffer(ratios)[:, None]
    edges = np.clip((np.arange(n_bins + 1) - 0.5) / each + 0.5, 0.0, n_source_bins)
    left = np.minimum(edges.astype(np.intp), n_source_bins - 1)
    edges -= left
    left += np.arange(len(each))[:, None] * n_source_bins
    return left, edges


def _cumulated(powers: Power) -> Power:
    total = np.zeros((powers.shape[0], powers.shape[1] + 1))
    np.cumsum(powers, axis=1, out=total[:, 1:])
    return total


def _read(rows: Power, at: Floats) -> Power:
    """Return what rows hold between their columns, by straight lines; beyond the ends, the ends."""
    last = rows.shape[1] - 1
    at = np.clip(at, 0.0, last)
    left = np.minimum(at.astype(np.intp), last - 1)
    share = at - left
    left += np.arange(len(rows))[:, None] * rows.shape[1]
    flat = rows.ravel()
    read: Power = flat[left]
    read += share * (flat[left + 1] - read)
    return read


def move_partials(powers: Power, ratios: Floats, n_bins: int) -> Power:
    """Return power spectra whose partials stand at ``ratios`` times their frequency with their lobes as wide as before.

    Arguments and result as for `stretch`. Between two partials that move apart the valley between them is held.
    """
    moved = np.empty((len(powers), n_bins))
    is_peak = _peaks(powers)
    bare = ~is_peak.any(1)
    if bare.any():
        moved[bare] = stretch(powers[bare], ratios[bare], n_bins)
    if not bare.all():
        moved[~bare] = _move_partials(powers[~bare], is_peak[~bare], ratios[~bare], n_bins)
    return moved


def _move_partials(powers: Power, is_peak: NDArray[np.bool_], ratios: Floats, n_bins: int) -> Power:
    logs = np.log(powers.astype(np.float32) + _NOTHING)
    voices, peaks = np.nonzero(is_peak)
    lasts = np.cumsum(is_peak.sum(1)) - 1  # the last partial of each voice
    places, ratio = _refined(logs, voices, peaks), ratios[voices]
    # Half way to the next; below the first too, since decoders put energy at 0 Hz, which is not to be held up to the moved partial.
    high = np.append(0.5 * (places[:-1] + places[1:]), 0.0)
    high[lasts] = powers.shape[1] - 1.0
    low = np.concatenate([[0.0], high[:-1]])
    firsts = np.append(0, lasts[:-1] + 1)
    low[firsts] = 0.5 * places[firsts]
    ends = np.clip(np.ceil(high * ratio), 0, n_bins).astype(np.intp)
    ends[lasts] = n_bins
    owners = np.repeat(np.arange(len(places)), np.diff(ends + voices * n_bins, prepend=0)).reshape(len(powers), n_bins)
    target = np.arange(n_bins, dtype=np.float64)
    source = np.clip(target - ((ratio - 1.0) * places)[owners], low[owners], high[owners])
    # Read between bins in decibels: a Hann lobe is near a parabola there, and is not widened.
    moved: Power = np.exp(_read(logs, source)).astype(np.float64)
    # Above the last partial nothing new is made up: what lies past the source's end is silent.
    moved[target > (powers.shape[1] - 1) * ratios[:, None]] = 0.0
    return moved


def _peaks(powers: Power) -> NDArray[np.bool_]:
    inner = powers[:, 2:-2]
    is_peak = np.zeros(powers.shape, bool)
    is_peak[:, 2:-2] = (inner > powers[:, 1:-3]) & (inner >= powers[:, 3:-1]) & (inner > powers[:, :-4]) & (inner >= powers[:, 4:])
    is_peak[:, 2:-2] &= inner > powers.max(1, keepdims=True) * _PEAK_FLOOR
    return is_peak


def _refined(logs: Magnitudes, voices: NDArray[np.intp], peaks: NDArray[np.intp]) -> Floats:
    """Return where each peak really stands, in bins, by a parabola through its logarithms."""
    left, centre, right = (logs[voices, peaks + d].astype(np.float64) for d in (-1, 0, 1))
    curve = np.minimum(left - 2 * centre + right, -1e-9)
    shift: Floats = np.clip(0.5 * (left - right) / curve, -0.5, 0.5)
    return shift + peaks


def keep_formants(moved: Power, originals: Power, widths_bins: Floats) -> Power:
    """Return moved power spectra under the envelopes that the originals had.

    Parameters
    ----------
    moved, originals : float64 (voices, bins)
        On the same bins.
    widths_bins : float64 (voices,)
        Over how many bins the envelope is averaged: more than the distance between two partials, of either.
    """
    floors = 1e-12 * np.maximum(originals.max(1, keepdims=True), 1e-30)
    kept: Power = moved * (_smoothed(originals, widths_bins) + floors) / (_smoothed(moved, widths_bins) + floors)
    return kept


def _smoothed(powers: Power, widths_bins: Floats) -> Power:
    n_bins, total = powers.shape[1], _cumulated(powers)
    centre, half = np.arange(n_bins) + 0.5, 0.5 * np.reshape(widths_bins, (-1, 1))
    low, high = np.maximum(centre - half, 0), np.minimum(centre + half, n_bins)
    smooth: Power = (_read(total, high) - _read(total, low)) / (high - low)
    return smooth


def shape(
    magnitudes: Magnitudes,
    stft: Stft,
    source_bin_hz: float,
    semitones: Floats,
    pitches_hz: Floats,
    stretching: Stretch = "auto",
    formants: Formants = "move",
    out: Magnitudes | None = None,
) -> Magnitudes:
    """Return a decoder's magnitudes on the engine's bins, each moved by an interval.

    Parameters
    ----------
    magnitudes : float32 (voices, decoder's bins)
        Finite, at least 0.
    stft : Stft
        The engine's.
    source_bin_hz : float
        Distance of the decoder's bins.
    semitones : float64 (voices,)
        The intervals, 0 for none.
    pitches_hz : float64 (voices,)
        Of the sounds before they are moved: the distances of their partials.
    out : float32 (voices, n_bins), optional
        Where the result is written.

    Returns
    -------
    float32 (voices, n_bins)
    """
    rate_ratio = source_bin_hz / stft.bin_hz
    shaped = _fitted(magnitudes, stft.n_bins, out)
    at = np.flatnonzero((semitones != 0.0) | (rate_ratio != 1.0))
    if len(at) == 0:
        return shaped
    sources, wholeness = magnitudes[at].astype(np.float64) ** 2, _wholeness(semitones[at], stretching)
    # The rate is a matter of bins, not of pitch: a partial's lobe, as wide in hertz, may widen or narrow in bins.
    is_needed = rate_ratio != 1.0 and (formants == "keep" or bool(wholeness.any()))
    originals = stretch(sources, np.full(len(at), rate_ratio), stft.n_bins) if is_needed else sources
    intervals = 2.0 ** (semitones[at] / 12.0)
    moved = np.zeros((len(at), stft.n_bins))
    for share, powers, ratios, move in (
        (1.0 - wholeness, sources, intervals * rate_ratio, stretch),
        (wholeness, originals, intervals, move_partials),
    ):
        those = np.flatnonzero(share)
        if len(those):
            moved[those] += share[those, None] * move(powers[those], ratios[those], stft.n_bins)
    if formants == "keep":
        widths = 1.5 * np.maximum(1.0, intervals) * pitches_hz[at] / stft.bin_hz
        moved = keep_formants(moved, _fitted(originals, stft.n_bins), widths)
    shaped[at] = np.sqrt(np.maximum(moved, 0.0))
    return shaped


def _wholeness(semitones: Floats, stretching: Stretch) -> Floats:
    """Return how far each is moved partial by partial, 0..1, and not stretched as a whole."""
    if stretching != "auto":
        return np.full(len(semitones), float(stretching == "harmonics"))
    wholeness: Floats = np.clip(semitones - HARMONICS_ABOVE_SEMITONES, 0.0, 1.0)  # no step while a note is bent
    return wholeness


def _fitted(rows: NDArray[Number], n_bins: int, out: NDArray[Number] | None = None) -> NDArray[Number]:
    """Return a copy with so many bins."""
    fitted = np.empty((len(rows), n_bins), rows.dtype) if out is None else out
    fitted[:, : rows.shape[1]] = rows[:, :n_bins]
    fitted[:, rows.shape[1] :] = 0.0
    return fitted
