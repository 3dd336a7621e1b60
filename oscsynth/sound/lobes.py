"""Spectra taken apart into lobes, each of which will be a partial (see `tonal`). Pure functions of arrays; rendering thread.

The four windows of a hop need not be added one by one. A peak at w bins turns from window to window by pi/2 (w - k) against bin k, so that their
sum is closed: a phase at the middle of the hop, times a real amplitude for each bin. All voices lie in one row, since small arrays cost more
than they hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .phase import WINDOW_SQUARES, Stft
from .spectrum import k_weights, mean_squares
from .sway import COLUMNS, STEPS, sway_table

Magnitudes = NDArray[np.float32]
Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

_FLOOR = 1e-4  # what is 80 dB under the strongest is no peak
_REACH = 4  # bins to each side of a peak that tell how wide its lobe is
_DOUBT = 0.08  # of a width; so much wider than a Hann window's a lobe has to be before it sways
_SNAP_CENTS = 50.0  # further from a multiple of the pitch a peak is left where it is
_MOST_CORRECTION = 2.0

_BESIDE, _NEAR = np.arange(-1, 2)[:, None], np.arange(-_REACH, _REACH + 1)[:, None]


@dataclass(frozen=True, slots=True)
class Lobes:
    """What some voices sound of: partials, and how much of each bin follows its partial.

    Attributes
    ----------
    frequencies : float64 (partials,)
        In bins.
    counts : intp (voices,)
        Partials of each voice, one voice after the other.
    owners : intp (voices, n_bins)
        Which partial each bin follows.
    steady, swaying : float32 (voices, n_bins)
        Amplitudes: the sum of both in even hops for a partial that sways up, their difference otherwise.
    """

    frequencies: Floats
    counts: Indices
    owners: Indices
    steady: Magnitudes
    swaying: Magnitudes


def joined(each: Sequence[Lobes]) -> Lobes:
    """Return the lobes of some voices as one."""
    if len(each) == 1:
        return each[0]
    counts = np.concatenate([lobes.counts for lobes in each])
    firsts = np.cumsum([0, *(len(lobes.frequencies) for lobes in each[:-1])])
    owners = np.concatenate([lobes.owners + first for lobes, first in zip(each, firsts, strict=True)])
    frequencies, steady, swaying = (np.concatenate([getattr(lobes, name) for lobes in each]) for name in ("frequencies", "steady", "swaying"))
    return Lobes(frequencies, counts, owners, steady, swaying)


def parted(lobes: Lobes) -> list[Lobes]:
    """Return the lobes of each voice alone."""
    if len(lobes.counts) == 1:
        return [lobes]
    ends = np.cumsum(lobes.counts)
    rows = zip(lobes.counts, ends, lobes.owners, lobes.steady, lobes.swaying, strict=True)
    return [
        Lobes(lobes.frequencies[end - count : end], np.array([count]), owners[None] - (end - count), steady[None], swaying[None])
        for count, end, owners, steady, swaying in rows
    ]


def lobes_of(magnitudes: Magnitudes, pitches: Floats, stft: Stft) -> Lobes:
    """Find the partials of some voices.

    Parameters
    ----------
    magnitudes : float32 (voices, n_bins)
        Finite, at least 0; zero at 0 Hz and at the Nyquist frequency.
    pitches : float64 (voices,)
        In bins; NaN where there is none.
    """
    n_bins = magnitudes.shape[1]
    voices, peaks = _peaks(magnitudes)
    counts = np.bincount(voices, minlength=len(magnitudes))
    refined = _refined(magnitudes, voices, peaks)
    widths = _width_rows(magnitudes, voices, peaks, refined)
    strongest, shifts = _snapped(magnitudes[voices, peaks], voices, refined, pitches[voices], n_bins - 3)
    places = voices * n_bins + refined
    frequencies = np.clip(refined + np.interp(places, places[strongest], shifts), 1.0, n_bins - 2.0)
    owners = _owners(voices * n_bins + frequencies, counts, magnitudes.shape)
    if shifts.any():
        magnitudes = _moved(magnitudes, owners, frequencies - refined)
    return _loud(magnitudes, frequencies, counts, widths, owners, stft)


def pure_lobes(magnitudes: Magnitudes, frequencies: Floats, counts: Indices, owners: Indices, stft: Stft) -> Lobes:
    """Return the partials of some voices that consist of tones which neither sway nor have to be found: arguments as the attributes of `Lobes`."""
    return _loud(magnitudes, frequencies, counts, np.zeros(len(frequencies), np.intp), owners, stft)


def _loud(magnitudes: Magnitudes, frequencies: Floats, counts: Indices, widths: Indices, owners: Indices, stft: Stft) -> Lobes:
    steady, swaying, quarters = _amplitudes(magnitudes, frequencies, widths, owners)
    factors = _loudness_factors(magnitudes, steady, swaying, quarters, owners, stft)
    return Lobes(frequencies, counts, owners, steady * factors, swaying * factors)


def _peaks(magnitudes: Magnitudes) -> tuple[Indices, Indices]:
    """Return voice and bin of each peak, at least one a voice, in order."""
    inner = magnitudes[:, 2:-2]
    is_peak = np.zeros(magnitudes.shape, bool)
    floors = magnitudes.max(1, keepdims=True) * np.float32(_FLOOR)
    rises = magnitudes[:, 2:-1] > magnitudes[:, 1:-2]
    is_peak[:, 2:-2] = (rises[:, :-1] > rises[:, 1:]) & (inner > magnitudes[:, :-4]) & (inner >= magnitudes[:, 4:]) & (inner > floors)
    bare = ~is_peak.any(1)
    if bare.any():
        is_peak[bare, np.clip(magnitudes[bare].argmax(1), 2, magnitudes.shape[1] - 3)] = True
    places = is_peak.ravel().nonzero()[0]  # in one row, which takes a fifth of the time
    voices = places // magnitudes.shape[1]
    return voices, places - voices * magnitudes.shape[1]


def _refined(magnitudes: Magnitudes, voices: Indices, peaks: Indices) -> Floats:
    """Return where each peak really stands, in bins, by a parabola through its logarithms."""
    places = voices * magnitudes.shape[1] + peaks
    left, centre, right = np.log(magnitudes.ravel()[places + _BESIDE] + 1e-20).astype(np.float64)
    curve = np.minimum(left - 2 * centre + right, -1e-9)
    refined: Floats = peaks + np.minimum(np.maximum(0.5 * (left - right) / curve, -0.5), 0.5)
    return refined


def _width_rows(magnitudes: Magnitudes, voices: Indices, peaks: Indices, refined: Floats) -> Indices:
    """Return the row of the table that has lobes as wide as each peak's."""
    n_bins = magnitudes.shape[1]
    near = np.minimum(np.maximum(peaks + _NEAR, 0), n_bins - 1) + voices * n_bins
    lobes = magnitudes.ravel()[near]  # (bins, partials)
    power = (lobes / np.maximum(lobes.max(0), 1e-30)) ** 2
    widths = (power.sum(0) ** 2 / np.maximum((power * power).sum(0), 1e-30)).astype(np.float64)
    # A Hann window's own lobe seems wider between two bins than on one; without this a pure tone would begin to sway as it glides.
    widths -= 2.25 / (1.0824 + 0.0426 * np.cos(2.0 * np.pi * (refined - peaks))) - 2.079 + _DOUBT
    table = sway_table()
    rows: Indices = np.maximum(table.widths.searchsorted(widths) - 1, 0)
    return rows


def _snapped(heights: Magnitudes, voices: Indices, refined: Floats, pitches: Floats, highest: int) -> tuple[Indices, Floats]:
    """Return the strongest peaks at each multiple of the pitch, and how far each is moved to be exactly there."""
    with np.errstate(invalid="ignore"):
        multiples = np.maximum(np.rint(refined / pitches), 1.0)
        away = multiples * pitches - refined
        may = np.abs(away) < np.minimum(refined * (2.0 ** (_SNAP_CENTS / 1200.0) - 1.0), 0.25 * pitches)
    away[~may | (refined + away > highest)] = 0.0
    # Peaks come in order, so those of one multiple stand together; where there is no pitch each stands alone.
    begins = np.ones(len(refined), bool)
    begins[1:] = (multiples[1:] != multiples[:-1]) | (voices[1:] != voices[:-1])
    group = begins.cumsum() - 1
    strongest = (heights == np.maximum.reduceat(heights, begins.nonzero()[0])[group]).nonzero()[0]
    of = group[strongest]
    is_first = np.ones(len(of), bool)
    is_first[1:] = of[1:] != of[:-1]
    strongest = strongest[is_first]
    return strongest, away[strongest]


def _moved(magnitudes: Magnitudes, owners: Indices, shifts: Floats) -> Magnitudes:
    """Return magnitudes with the bins that follow each partial moved by its shift, in bins."""
    flat, bins = magnitudes.ravel(), np.arange(magnitudes.size).reshape(magnitudes.shape)
    whole = np.floor(-shifts)
    x = (-shifts - whole).astype(np.float32)[owners]
    first = bins + (whole.astype(np.intp) - 1)[owners]
    # Catmull-Rom: a Hann lobe keeps its height to 0.6 dB.
    a, b, c, d = (flat.take(first + i, mode="clip") for i in range(4))
    moved: Magnitudes = b + 0.5 * x * (c - a + x * (2 * a - 5 * b + 4 * c - d + x * (3 * (b - c) + d - a)))
    np.maximum(moved, 0.0, out=moved)
    moved[:, [0, 1, -1]] = 0.0  # as asked for: no voice reaches into another
    return moved


def _owners(places: Floats, counts: Indices, shape: tuple[int, int]) -> Indices:
    """Return which partial each bin follows: the nearest, of its own voice."""
    borders = np.zeros(len(places) + 1, np.intp)
    borders[1:-1] = np.ceil(0.5 * (places[:-1] + places[1:]))
    borders[counts.cumsum()] = shape[1] * np.arange(1, shape[0] + 1)
    owners: Indices = np.arange(len(places)).repeat(borders[1:] - borders[:-1]).reshape(shape)
    return owners


def _amplitudes(
    magnitudes: Magnitudes, frequencies: Floats, widths: Indices, owners: Indices
) -> tuple[Magnitudes, Magnitudes, tuple[Magnitudes, Magnitudes]]:
    """Return the real amplitudes of each bin in the sum of the four windows of a hop: what is steady, and what sways (see `Lobes`).

    A Hann window in frequency is three taps, and the sum of four windows of a partial, u bins above a bin, is 4 cos(pi u / 2) cos(pi u / 4).
    Where every other window has its bins turned by +psi and those between by -psi, it is 4 cos(pi u / 2) cos(pi u / 4 +- psi).
    Cosine and sine of pi u / 4 come with them: so far a bin turns from the middle of a hop to its end.
    """
    table = sway_table()
    u = (frequencies[owners] - np.arange(magnitudes.shape[1])).astype(np.float32)
    column = np.minimum(np.abs(u) * STEPS + np.float32(0.5), np.float32(COLUMNS - 1)).astype(np.intp)
    column += (widths * COLUMNS)[owners]
    quarter = u * np.float32(np.pi / 4)
    cosine, sine = np.cos(quarter), np.sin(quarter)
    turning = (cosine * cosine - sine * sine) * np.float32(4.0 / WINDOW_SQUARES)
    steady = turning * cosine * _smoothed(magnitudes * table.cosines[column])
    swaying = turning * sine * _smoothed(magnitudes * table.sines[column])
    return steady, swaying, (cosine, sine)


def _smoothed(rows: Magnitudes) -> Magnitudes:
    smooth = np.float32(0.5) * rows
    smooth[:, 1:] += np.float32(0.25) * rows[:, :-1]
    smooth[:, :-1] += np.float32(0.25) * rows[:, 1:]
    return smooth


def _loudness_factors(
    magnitudes: Magnitudes, steady: Magnitudes, swaying: Magnitudes, quarters: tuple[Magnitudes, Magnitudes], owners: Indices, stft: Stft
) -> Magnitudes:
    """Return what brings each voice to the loudness that it has with the phase of noise: float32 (voices, 1)."""
    weights = k_weights(stft)
    noise = mean_squares(magnitudes * weights, stft.window_samples)
    steady, swaying = steady * weights, swaying * weights
    cosine, sine = quarters
    flat = owners.ravel()
    firsts = np.concatenate([[0], (flat[1:] != flat[:-1]).nonzero()[0] + 1])
    power = np.zeros(len(firsts))
    # Of each partial in the middle of a hop, where its bins are in phase, and at the ends.
    for part in (steady, steady * cosine, swaying * sine):
        power += np.add.reduceat(part.ravel(), firsts).astype(np.float64) ** 2
    tone = np.add.reduceat(power, firsts.searchsorted(owners.shape[1] * np.arange(len(owners)))) / stft.window_samples**2
    with np.errstate(divide="ignore", invalid="ignore"):
        factors = np.sqrt(noise / tone)
    factors = np.where(tone > 0.0, np.minimum(factors, _MOST_CORRECTION), 0.0)
    return factors.astype(np.float32)[:, None]
