"""What a decoder must not lose while it learns every note: rich spectra, near to real ones, in tune and even along straight lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from oscsynth.sound import phase
from oscsynth.sound.spectrum import loudness_gains

from . import chroma
from .mesh import Playable
from .notes import cents
from .prepare import Hops
from .spectra import scaled

PEAK_DB = -40.0  # a peak lower than this under the strongest does not count
LINES, STEPS = 200, 17


@dataclass(frozen=True, slots=True)
class Lines:
    """What happens on the way from one random place to another, on one note."""

    in_tune: float  # share of points whose strongest class is the one asked for
    drift_cents: float  # median over the lines of the widest distance from the pitch
    drift_cents_95: float  # and its 95th percentile
    step_db: float  # median over the lines of the largest change of loudness from the straight way between its ends, before the engine evens it out
    step_db_95: float


def n_peaks(magnitude: np.ndarray, floor_db: float = PEAK_DB) -> np.ndarray:
    """Count the peaks of each hop above a floor under its strongest: (hops,) int64.

    >>> n_peaks(np.array([[0.0, 1.0, 0.0, 0.5, 0.4, 0.001, 0.002, 0.0]], np.float32)).tolist()
    [2]
    """
    inner = magnitude[:, 1:-1]
    high = inner > magnitude.max(axis=1, keepdims=True) * 10 ** (floor_db / 20)
    return np.asarray((high & (inner > magnitude[:, :-2]) & (inner >= magnitude[:, 2:])).sum(axis=1))


def nearest_cosine(magnitude: np.ndarray, corpus: np.ndarray) -> np.ndarray:
    """Return the cosine between each hop and the corpus's hop that is most like it: (hops,) float64."""
    one = magnitude / np.maximum(np.linalg.norm(magnitude, axis=1, keepdims=True), 1e-9)
    best = np.full(len(one), -1.0)
    for start in range(0, len(corpus), 2048):
        some = np.asarray(corpus[start : start + 2048], np.float32)
        some = some / np.maximum(np.linalg.norm(some, axis=1, keepdims=True), 1e-9)
        best = np.maximum(best, (one @ some.T).max(axis=1))
    return best


def randomly(opened: Playable, samples: int, rng: np.random.Generator) -> np.ndarray:
    """Decode random notes at random places of the box: (samples, n_bins) float32, peak 1."""
    positions = rng.random((samples, opened.n_latents), np.float32)
    return scaled(opened.decode(positions, rng.choice(opened.notes(), samples)))


def richness(opened: Playable, hops: Hops, *, samples: int = 500, seed: int = 440) -> tuple[float, float]:
    """Return the median number of peaks of random sounds, and their median cosine to the nearest hop of the corpus."""
    magnitude = randomly(opened, samples, np.random.default_rng(seed))
    return float(np.median(n_peaks(magnitude))), float(np.median(nearest_cosine(magnitude, np.asarray(hops.magnitude[:]))))


def straight_lines(opened: Playable, *, lines: int = LINES, steps: int = STEPS, seed: int = 440) -> Lines:
    """Go straight from random places to random places, each line on one random note."""
    rng, right, drift, step = np.random.default_rng(seed), 0, [], []
    along = np.linspace(0, 1, steps, dtype=np.float32)[:, None]
    for note in rng.choice(opened.notes(), lines):
        start, end = rng.random((2, opened.n_latents), np.float32)
        magnitude = opened.decode(start + along * (end - start), np.full(steps, note))
        tuned = chroma.classes(magnitude, opened.stft) == note % 12
        right += int(tuned.sum())
        drift.append(np.abs(cents(magnitude[tuned], int(note), opened.bin_hz)).max(initial=0.0))
        level = loudness_db(magnitude, opened)
        step.append(np.abs(level - (level[0] + along[:, 0] * (level[-1] - level[0]))).max())
    return Lines(
        right / (lines * steps), *(float(each(values)) for values in (drift, step) for each in (np.median, lambda all_: np.percentile(all_, 95)))
    )


def loudness_db(magnitude: np.ndarray, opened: Playable) -> np.ndarray:
    """Return the K-weighted loudness of each hop: (hops,) float64 dB, from no fixed point."""
    stft = opened.stft
    return np.asarray(-20 * np.log10(loudness_gains(magnitude, phase.Stft(stft.sample_rate_hz, stft.window_samples))))
