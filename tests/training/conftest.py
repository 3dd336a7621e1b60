"""Small corpora for the tests of training: tones made here, a window of 1024, a network of 64 neurons."""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from training.corpora import Clip, Corpus, Skipped
from training.models import ModelConfig
from training.prepare import Hops, prepare
from training.spectra import Stft
from training.train import Trained, TrainingConfig, train

SMALL = Stft(sample_rate_hz=11025, window_samples=1024, hop_samples=256)
TINY = ModelConfig(n_bins=SMALL.n_bins, n_latents=2, widths=(64, 32))


def tone(pitch_midi: float, seconds: float = 0.4, brightness: float = 0.5, sample_rate_hz: int = 11025) -> np.ndarray:
    """Return six partials: (samples,) float32."""
    time = np.arange(round(seconds * sample_rate_hz)) / sample_rate_hz
    frequency_hz = 440 * 2 ** ((pitch_midi - 69) / 12)
    partials = [brightness**k * np.sin(2 * np.pi * frequency_hz * (k + 1) * time) for k in range(6)]
    return (0.3 * np.sum(partials, axis=0)).astype(np.float32)


def tones(pitches: Sequence[int] = range(60, 72), brightnesses: Sequence[float] = (0.2, 0.4, 0.6)) -> Corpus:
    """Return a corpus of tones, known in pitch; one series for each brightness."""

    sources = tuple(partial(_series, tuple(pitches), brightness) for brightness in brightnesses)
    return Corpus("Tones", "Tones.", "CC0-1.0", sources, 0.4 * len(pitches) * len(brightnesses), f"{pitches} {brightnesses}")


def _series(pitches: Sequence[int], brightness: float) -> Iterator[Clip]:
    for pitch in pitches:
        name = f"{brightness}-{pitch}"
        yield Clip(name, tone(pitch, brightness=brightness), name, str(brightness), f"b{brightness}", pitch)


def clips(corpus: Corpus) -> list[Clip | Skipped]:
    """Read everything in a corpus."""
    return [clip for source in corpus.sources for clip in source()]


@pytest.fixture(scope="session")
def hops() -> Hops:
    """One octave of tones."""
    return prepare(tones(), SMALL, seed=440)


@pytest.fixture(scope="session")
def quick() -> Callable[..., Trained]:
    """Train a tiny network, quietly."""

    def run(hops: Hops, *, registers: tuple[int, ...] = (), model: ModelConfig = TINY, folder: Path | None = None, **settings: object) -> Trained:
        config = TrainingConfig(**{"epochs": 2, "batch": 50, "learning_rate": 2e-3, "compiled": False, **settings})  # type: ignore[arg-type]
        return train(hops, model, config, registers, show=False, folder=folder)

    return run


@pytest.fixture(scope="session")
def trained(hops: Hops, quick: Callable[..., Trained]) -> Trained:
    """A tiny decoder trained well enough to be measured."""
    return quick(hops, epochs=50)
