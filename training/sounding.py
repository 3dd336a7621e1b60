"""Hearing magnitudes: the instrument's own synthesis, with the phase of its noise, so that a page plays what the stage will."""

from __future__ import annotations

import functools
import itertools
from pathlib import Path

import numpy as np

from oscsynth.sound import phase
from oscsynth.sound.moving import shape
from oscsynth.sound.overlap_add import Mix, OverlapAdd
from oscsynth.sound.spectrum import audible, loudness_gains

from .decoder_file import DecoderFile
from .spectra import Stft

RATE_HZ = 44100
LOUDNESS = 0.1  # root mean square of what is written, -20 dB of full scale
CEILING = 0.9
SUFFIXES = (".flac", ".wav", ".ogg")
FADE_SECONDS = 0.02


@functools.cache
def carrier() -> phase.NoiseCarrier:
    """Return the engine's noise."""
    return phase.NoiseCarrier(phase.Stft.at_rate(RATE_HZ))


def sound(magnitude: np.ndarray, stft: Stft, hop_seconds: float | None = None) -> np.ndarray:
    """Return the sound that magnitudes have one after the other.

    Parameters
    ----------
    magnitude : ndarray, (hops, n_bins) float32
        With their levels.
    stft : Stft
        Of the magnitudes.
    hop_seconds : float, optional
        How long each lasts; that of `stft` if left out.

    Returns
    -------
    ndarray, (samples,) float32
        Mono, 44.1 kHz.
    """
    engine, bin_hz = carrier().stft, stft.sample_rate_hz / stft.window_samples
    spacing = round((hop_seconds or stft.hop_samples / stft.sample_rate_hz) * RATE_HZ)
    # A hop is what sounded in the middle of its window, and a change is half heard after `spacing`.
    delay = max(0, engine.window_samples // 2 - spacing)
    changes = {max(0, delay * (hop > 0) + hop * spacing): hop for hop in range(len(magnitude))}
    out = np.zeros((len(magnitude) * spacing + engine.window_samples - engine.hop_samples, 2), np.float32)
    overlap_add = OverlapAdd(carrier(), 0, 0)
    for start, end in itertools.pairwise(sorted({*changes, *range(0, len(out), engine.hop_samples), len(out)})):
        if start in changes:
            shaped = shape(magnitude[changes[start]][None], engine, bin_hz, np.zeros(1), np.full(1, 440.0))[0] * audible(engine)
            overlap_add.change(start, spacing, shaped, Mix.of(0.0, 0.0))
        overlap_add.add_to(out[start:end], start)
    return np.asarray(out.sum(axis=1) / np.float32(np.sqrt(2)))


def through(opened: DecoderFile, magnitude: np.ndarray, pitch_midi: np.ndarray) -> np.ndarray:
    """Return what the decoder makes of a sound: (hops, n_bins) float32 with the levels of (hops, n_bins) magnitudes."""
    peak = np.maximum(magnitude.max(axis=1, keepdims=True), 1e-9)
    position = opened.embed(magnitude / peak, pitch_midi)
    return np.asarray(opened.decode(position, pitch_midi) * peak)


def sweep(opened: DecoderFile, positions: np.ndarray, pitch_midi: int) -> np.ndarray:
    """Return magnitudes of equal loudness along a way through the latent space: (points, n_bins) for (points, n_latents)."""
    magnitude = opened.decode(positions, np.full(len(positions), pitch_midi))
    gains = loudness_gains(magnitude, phase.Stft(opened.stft.sample_rate_hz, opened.stft.window_samples))
    return np.asarray(magnitude * gains[:, None], np.float32)


def resampled(audio: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """Return a sound at 44.1 kHz."""
    if sample_rate_hz == RATE_HZ:
        return audio
    import librosa

    return np.asarray(librosa.resample(audio, orig_sr=sample_rate_hz, target_sr=RATE_HZ), np.float32)


def write(audio: np.ndarray, path: Path) -> Path:
    """Write a sound at -20 dB of full scale, faded at both ends; the ending of its name chooses FLAC, WAV or OGG."""
    import soundfile

    level = np.sqrt(np.square(audio, dtype=np.float64).mean())
    gain = min(LOUDNESS / max(level, 1e-9), CEILING / max(float(np.abs(audio).max(initial=0.0)), 1e-9))
    ramp = np.minimum(1.0, np.arange(1, len(audio) + 1) / (FADE_SECONDS * RATE_HZ))
    soundfile.write(path, (gain * audio * ramp * ramp[::-1]).astype(np.float32), RATE_HZ, subtype=None if path.suffix == ".ogg" else "PCM_16")
    return path
