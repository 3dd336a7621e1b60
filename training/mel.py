"""Notes as the networks see them, and back: log Mel spectrograms of half a second, scaled to -1..1, and magnitudes on the engine's bins."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from .spectra import Stft

RIDGE = 0.3
DYNAMIC_RANGE_DB = 80.0  # what lies further below the loudest band of the corpus is as silent as nothing


@dataclass(frozen=True, slots=True)
class Mel:
    """The analysis of Luo, Agres & Herremans 2019: 256 bands of 43 hops at 22,050 Hz."""

    sample_rate_hz: int = 22050
    window_samples: int = 2048
    hop_samples: int = 256
    n_hops: int = 43
    n_bands: int = 256

    @property
    def stft(self) -> Stft:
        """Window, hop and rate."""
        return Stft(self.sample_rate_hz, self.window_samples, self.hop_samples)

    @property
    def n_samples(self) -> int:
        """How many samples of a note its hops reach, from its first sample on."""
        return (self.n_hops - 1) * self.hop_samples + self.window_samples // 2


@dataclass(frozen=True, slots=True)
class Scale:
    """Which band power, in decibels, is -1 and which is 1: those of the corpus's training part."""

    low_db: float
    high_db: float

    def scaled(self, power: np.ndarray) -> np.ndarray:
        """Return band powers as -1..1: float32 of any shape; what is quieter or louder than the training part stays at the ends."""
        decibels = 10 * np.log10(np.maximum(power, 1e-20))
        return np.clip(2 * (decibels - self.low_db) / (self.high_db - self.low_db) - 1, -1, 1).astype(np.float32)

    def power(self, scaled: np.ndarray) -> np.ndarray:
        """Return band powers: float64 of any shape."""
        decibels = self.low_db + (np.asarray(scaled, np.float64) + 1) / 2 * (self.high_db - self.low_db)
        return np.asarray(10 ** (decibels / 10))


def scale_of(power: np.ndarray) -> Scale:
    """Return the scale of a corpus: its loudest band is 1, what lies 80 dB below it -1."""
    high_db = float(10 * np.log10(max(float(power.max(initial=0.0)), 1e-20)))
    return Scale(high_db - DYNAMIC_RANGE_DB, high_db)


@functools.cache
def bands(mel: Mel) -> np.ndarray:
    """Return the weights of the bands: (n_bands, n_bins) float32, triangles on Slaney's scale, each of the same area."""
    import librosa

    return np.asarray(librosa.filters.mel(sr=mel.sample_rate_hz, n_fft=mel.window_samples, n_mels=mel.n_bands), np.float32)


def band_power(audio: np.ndarray, sample_rate_hz: int, mel: Mel) -> np.ndarray:
    """Return the power of each band in the first half second of a note: (n_hops, n_bands) float32.

    Hop *k* is centred *k* hops after the first sample; before the note, and after a sound that ends sooner, is silence.
    """
    import librosa

    if sample_rate_hz != mel.sample_rate_hz:
        audio = librosa.resample(np.asarray(audio, np.float32), orig_sr=sample_rate_hz, target_sr=mel.sample_rate_hz)
    half = mel.window_samples // 2
    padded = np.zeros(half + mel.n_samples, np.float32)
    padded[half : half + min(len(audio), mel.n_samples)] = audio[: mel.n_samples]
    spectrum = librosa.stft(padded, n_fft=mel.window_samples, hop_length=mel.hop_samples, window="hann", center=False)
    return np.ascontiguousarray((bands(mel) @ np.square(np.abs(spectrum))).T, np.float32)  # librosa's (bands, hops) to (hops, bands)


@functools.cache
def inverse(mel: Mel) -> np.ndarray:
    """Return the matrix from band powers to bin powers: (n_bands, n_bins) float32, none below zero.

    Non-negative least squares of each band alone, ahead of time, so that a spectrum is inverted by one product instead of by a
    search. A ridge spreads a band's power over its bins: without it all of it comes back in one or two, and noise whistles.
    Measured on the orchestra: spectral convergence 0.42, as a search for each spectrum has, and flat noise stays flat within 2 dB.
    """
    from scipy.optimize import nnls

    weights = bands(mel).astype(np.float64)
    scaled = weights / weights.sum(axis=1, keepdims=True)
    rows = np.zeros_like(weights)  # (n_bands, n_bins)
    for band in range(mel.n_bands):
        here = np.flatnonzero(weights[band])  # a bin outside the band adds to others alone: least squares leaves it silent
        ridge = np.sqrt(RIDGE * np.square(scaled[band]).sum()) * np.eye(len(here))
        wanted = np.append(np.arange(mel.n_bands) == band, np.zeros(len(here)))
        rows[band, here] = nnls(np.vstack([scaled[:, here], ridge]), wanted)[0]
    return np.asarray(rows / np.einsum("bk,bk->b", rows, weights)[:, None], np.float32)  # a band alone comes back as loud as it was
