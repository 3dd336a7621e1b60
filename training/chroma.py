"""The note class of a spectrum, and its octave.

The class of each hop is the strongest of ITS twelve chroma values. (The ancestor program took the maximum over time, so that a
class was marked in the hops where it was loudest, whatever else sounded.) Tuning is fixed at 0: A is 440 Hz.
"""

from __future__ import annotations

import functools

import numpy as np

from oscsynth.units import midi_to_hz

from .spectra import Stft

N_CLASSES = 12
CLASS_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
PARTIAL_DECAY = 0.84  # weight of each partial against the one before, in the search for the octave
N_SEARCHED_PARTIALS = 8


@functools.cache
def filters(stft: Stft) -> np.ndarray:
    """Return librosa's chroma filters for a window and rate: (12, n_bins) float32, C first."""
    import librosa

    return np.asarray(librosa.filters.chroma(sr=stft.sample_rate_hz, n_fft=stft.window_samples, tuning=0.0), np.float32)


def chroma(magnitude: np.ndarray, stft: Stft) -> np.ndarray:
    """Return the power in each note class: (hops, 12) float32 for (hops, n_bins) magnitudes.

    The same as ``librosa.feature.chroma_stft(S=power, tuning=0, norm=None)``, transposed.
    """
    return np.asarray(np.square(magnitude, dtype=np.float32) @ filters(stft).T)


def classes(magnitude: np.ndarray, stft: Stft) -> np.ndarray:
    """Return the strongest note class of each hop: (hops,) int64, 0 is C."""
    return np.asarray(chroma(magnitude, stft).argmax(axis=1))  # over the classes, never over time


def ancestor_columns(magnitude: np.ndarray, stft: Stft) -> np.ndarray:
    """Return the twelve columns of the ancestor program: (hops, 12) float32 of zeros and ones.

    Magnitudes, not powers, in each class, each hop scaled to its strongest; a class is marked where it is as strong as it gets in the
    whole corpus. That is the strongest class of each hop, and for a class that is never the strongest one hop in which it is not.
    """
    strength = magnitude @ filters(stft).T  # (hops, 12)
    strength /= np.maximum(strength.max(axis=1, keepdims=True), 1e-12)
    return np.asarray(strength == strength.max(axis=0), np.float32)


def one_hot(indices: np.ndarray, n: int = N_CLASSES) -> np.ndarray:
    """Return rows of zeros with a one: (hops, n) float32 for (hops,) indices.

    >>> one_hot(np.array([9]))[0].nonzero()[0].tolist()
    [9]
    """
    return np.asarray(np.eye(n, dtype=np.float32)[np.asarray(indices)])


@functools.cache
def _partial_weights(stft: Stft, octaves: tuple[int, ...]) -> np.ndarray:
    """Weigh the bins around the partials of each pitch: (octaves, 12, n_bins) float32."""
    bins = np.arange(stft.n_bins)
    weights = np.zeros((len(octaves), N_CLASSES, stft.n_bins), np.float32)
    for row, octave in enumerate(octaves):
        for note_class in range(N_CLASSES):
            fundamental_hz = midi_to_hz(12.0 * (octave + 1) + note_class)
            for partial in range(1, N_SEARCHED_PARTIALS + 1):
                centre = fundamental_hz * partial * stft.window_samples / stft.sample_rate_hz
                width = max(1.0, 0.02 * centre)  # a third of a semitone, and never less than a bin
                near = np.abs(bins - centre) <= width
                weights[row, note_class, near] = np.maximum(weights[row, note_class, near], PARTIAL_DECAY ** (partial - 1))
    return weights


def octaves(magnitude: np.ndarray, note_classes: np.ndarray, stft: Stft, choices: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)) -> np.ndarray:
    """Return the octave in which each hop sounds its class: (hops,) int64, C4 = 60.

    For each octave the magnitudes around the first eight partials are added with falling weights. An octave too low meets only
    every second partial of the sound, an octave too high misses half of them, so the right one has the largest sum.
    """
    weights = _partial_weights(stft, choices)
    result = np.zeros(len(magnitude), np.int64)
    for note_class in np.unique(note_classes):
        rows = note_classes == note_class
        result[rows] = np.asarray(choices)[(magnitude[rows] @ weights[:, note_class].T).argmax(axis=1)]
    return result
