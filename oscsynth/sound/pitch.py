"""Which note a spectrum is: librosa's chroma and the most salient octave, as training finds them, without librosa. Rendering thread.

Pure functions of arrays but for tables that are made once; `training.chroma` is the twin that teaches, and tests hold the two together.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from ..units import midi_to_hz

Magnitudes = NDArray[np.float32]

N_CLASSES = 12
OCTAVES = (1, 2, 3, 4, 5, 6, 7)  # that are searched
PARTIAL_DECAY = 0.84  # weight of each partial against the one before
N_SEARCHED_PARTIALS = 8
_CENTRE_OCTAVE, _WIDTH_OCTAVES = 5.0, 2.0  # librosa's: what lies far from there counts less


@functools.cache
def chroma_filters(sample_rate_hz: int, window_samples: int) -> Magnitudes:
    """Return what ``librosa.filters.chroma(tuning=0)`` does: float32 (12, n_bins), C first (Ellis 2007, chroma features)."""
    frequencies_hz = np.arange(1, window_samples) * (sample_rate_hz / window_samples)
    bins = N_CLASSES * np.log2(frequencies_hz / (440.0 / 16.0))  # in semitones above A0
    bins = np.concatenate([[bins[0] - 1.5 * N_CLASSES], bins])
    widths = np.concatenate([np.maximum(np.diff(bins), 1.0), [1.0]])
    distance = np.remainder(bins - np.arange(N_CLASSES)[:, None] + 10.5 * N_CLASSES, N_CLASSES) - 0.5 * N_CLASSES
    weights = np.exp(-0.5 * (2.0 * distance / widths) ** 2)
    weights /= np.maximum(np.sqrt(np.square(weights).sum(0)), np.finfo(np.float32).tiny)
    weights *= np.exp(-0.5 * ((bins / N_CLASSES - _CENTRE_OCTAVE) / _WIDTH_OCTAVES) ** 2)
    filters: Magnitudes = np.roll(weights, -3, axis=0)[:, : window_samples // 2 + 1].astype(np.float32)
    return filters


def note_class(magnitude: Magnitudes, sample_rate_hz: int) -> int:
    """Return the strongest note class of magnitudes (n_bins,): 0 is C."""
    filters = chroma_filters(sample_rate_hz, 2 * (len(magnitude) - 1))
    return int((filters @ np.square(magnitude)).argmax())


@functools.cache
def _partials(sample_rate_hz: int, window_samples: int, note: int) -> Magnitudes:
    """Weigh the bins around the partials of a note class in each octave: float32 (octaves, n_bins)."""
    bins = np.arange(window_samples // 2 + 1)
    weights = np.zeros((len(OCTAVES), len(bins)), np.float32)
    for row, octave in zip(weights, OCTAVES, strict=True):
        fundamental_hz = midi_to_hz(12.0 * (octave + 1) + note)
        for partial in range(1, N_SEARCHED_PARTIALS + 1):
            centre = fundamental_hz * partial * window_samples / sample_rate_hz
            near = np.abs(bins - centre) <= max(1.0, 0.02 * centre)  # a third of a semitone, and never less than a bin
            row[near] = np.maximum(row[near], PARTIAL_DECAY ** (partial - 1))
    return weights


def octave(magnitude: Magnitudes, note: int, sample_rate_hz: int) -> int:
    """Return the octave in which magnitudes (n_bins,) sound a note class, C4 = 60: where most lies around its first eight partials.

    An octave too low meets only every second partial, one too high misses half of them.
    """
    weights = _partials(sample_rate_hz, 2 * (len(magnitude) - 1), note)
    return OCTAVES[int((weights @ magnitude).argmax())]
