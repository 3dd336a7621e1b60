"""What an input sounds like now: the spectrum of its last window, with its phases, its note and its octave. Rendering thread."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import pitch
from .moving import stretch
from .phase import Spectrum, Stft

Samples = NDArray[np.float32]
Magnitudes = NDArray[np.float32]

_SILENT = 1e-4  # the highest peak of a spectrum that counts as silence: 140 dB under a full-scale tone


class Heard(NamedTuple):
    """One window of the input.

    ``spectra`` are complex64 (channels, n_bins), ``magnitude`` float32 (n_bins,), of both channels together, so that what is opposite in them is
    heard too; ``shape`` is float32 (decoder's bins,), the same as the encoder takes it, with a peak of 1.
    """

    spectra: Spectrum
    magnitude: Magnitudes
    shape: Magnitudes
    note_class: int
    octave: int


class Ear:
    """Hears for one decoder.

    Parameters
    ----------
    stft : Stft
        The engine's.
    sample_rate_hz, window_samples : int
        The decoder's.
    """

    def __init__(self, stft: Stft, sample_rate_hz: int, window_samples: int) -> None:
        self.stft = stft
        self._rate_hz, self._n_bins = sample_rate_hz, window_samples // 2 + 1
        self._ratio = stft.bin_hz * window_samples / sample_rate_hz  # decoder's bins to one of the engine's
        pitch.chroma_filters(sample_rate_hz, window_samples)  # made here, on the thread that loads

    def hear(self, samples: Samples) -> Heard | None:
        """Return what a window sounds like, float32 (window_samples, channels); None for silence."""
        spectra: Spectrum = np.fft.rfft(samples.T * hann(self.stft.window_samples)).astype(np.complex64)
        magnitude = np.sqrt(np.square(np.abs(spectra)).mean(0))
        shape = self._on_decoder(magnitude)
        peak = shape.max()
        if not peak > _SILENT:
            return None
        shape /= peak
        note_class = pitch.note_class(shape, self._rate_hz)
        return Heard(spectra, magnitude, shape, note_class, pitch.octave(shape, note_class, self._rate_hz))

    def _on_decoder(self, magnitude: Magnitudes) -> Magnitudes:
        if self._ratio == 1.0 and len(magnitude) == self._n_bins:
            return magnitude.copy()
        powers = np.square(magnitude, dtype=np.float64)[None]
        moved: Magnitudes = np.sqrt(np.maximum(stretch(powers, np.array([self._ratio]), self._n_bins)[0], 0.0)).astype(np.float32)
        return moved


@functools.cache
def hann(n_samples: int) -> Samples:
    """Return the periodic Hann window, float32 (n_samples,)."""
    return (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(n_samples) / n_samples)).astype(np.float32)
