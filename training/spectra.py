"""Sounds to magnitudes: one object owns window, hop and rate, so that training and playing cannot disagree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SILENCE_DB = -60.0  # a hop this far under the loudest of its clip says nothing about timbre
SILENT_CLIP = 1e-4  # -80 dB of full scale: nobody played


@dataclass(frozen=True, slots=True)
class Stft:
    """Window, hop and rate of the magnitudes; a Hann window, periodic, without padding at the ends."""

    sample_rate_hz: int = 44100
    window_samples: int = 4096
    hop_samples: int = 1024

    @property
    def n_bins(self) -> int:
        """Half the window and one, from DC to Nyquist."""
        return self.window_samples // 2 + 1

    def n_hops(self, n_samples: int) -> int:
        """Count the whole windows in a sound.

        >>> Stft().n_hops(44100)
        40
        """
        return max(0, 1 + (n_samples - self.window_samples) // self.hop_samples)


def magnitudes(audio: np.ndarray, stft: Stft) -> np.ndarray:
    """Return the magnitude spectrum of each hop.

    Parameters
    ----------
    audio : ndarray, (samples,) float32
        Mono, at the rate of `stft`.
    stft : Stft
        Window and hop.

    Returns
    -------
    ndarray, (hops, n_bins) float32
        Empty when the sound is shorter than a window.
    """
    import librosa  # slow to import: only where sounds are read

    if stft.n_hops(len(audio)) == 0:
        return np.zeros((0, stft.n_bins), np.float32)
    spectrum = librosa.stft(np.asarray(audio, np.float32), n_fft=stft.window_samples, hop_length=stft.hop_samples, window="hann", center=False)
    return np.ascontiguousarray(np.abs(spectrum).T, np.float32)  # librosa's (bins, hops) to (hops, bins), here alone


def sounding(magnitude: np.ndarray) -> np.ndarray:
    """Say which hops are not silent: (hops,) bool, for (hops, n_bins) magnitudes of one clip before scaling."""
    peak = magnitude.max(axis=1, initial=0.0)  # (hops,)
    return np.asarray(peak > 10 ** (SILENCE_DB / 20) * max(float(peak.max(initial=0.0)), 1e-9))


def scaled(magnitude: np.ndarray) -> np.ndarray:
    """Scale each hop to a peak of 1, as in Colonel & Keene 2020: (hops, n_bins) to the same; what is silent stays silent."""
    return np.asarray(magnitude / np.maximum(magnitude.max(axis=1, keepdims=True), 1e-9), np.float32)


def is_silent(audio: np.ndarray) -> bool:
    """Say whether nobody played: no sample above -80 dB of full scale, or not a number anywhere."""
    return not bool(np.max(np.abs(audio), initial=0.0) > SILENT_CLIP)


def stretched(magnitude: np.ndarray, semitones: np.ndarray) -> np.ndarray:
    """Move spectra up or down in pitch, with their power conserved.

    The power that a bin receives is a difference of the cumulative power, so that no partial falls between two bins on its way
    down. What would pass Nyquist is lost.

    Parameters
    ----------
    magnitude : ndarray, (hops, n_bins) float32
        What to move.
    semitones : ndarray, (hops,)
        How far; above zero is up.

    Returns
    -------
    ndarray, (hops, n_bins) float32
        The same power at other bins.
    """
    n_hops, n_bins = magnitude.shape
    cumulative = np.zeros((n_hops, n_bins + 1), np.float64)
    np.cumsum(np.square(magnitude, dtype=np.float64), axis=1, out=cumulative[:, 1:])
    edges = np.clip(np.arange(n_bins + 1) - 0.5, 0, None)  # in bins; the first bin is half as wide
    sources = np.clip(edges[None] * 2.0 ** (-np.asarray(semitones, np.float64)[:, None] / 12), 0, n_bins - 0.5)
    position = np.where(sources < 0.5, 2 * sources, sources + 0.5)  # index into `cumulative`: (hops, n_bins + 1)
    below = np.minimum(position.astype(np.int64), n_bins - 1)
    low = np.take_along_axis(cumulative, below, 1)
    high = np.take_along_axis(cumulative, below + 1, 1)
    power = np.diff(low + (position - below) * (high - low), axis=1)  # (hops, n_bins)
    return np.asarray(np.sqrt(np.maximum(power, 0.0)), np.float32)
