"""Small corpora for the tests of training: tones made here, a window of 1024, a network of 64 neurons."""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile

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


@pytest.fixture(scope="session")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as people have them: sixteen sounds of every format, and those that are no good."""
    folder = tmp_path_factory.mktemp("kitchen")
    inner = folder / "deeper"
    inner.mkdir()
    for number in range(15):
        rate, suffix = (44100, 22050, 48000)[number % 3], ("wav", "flac", "aiff", "ogg", "mp3")[number % 5]
        sound = tone(60 + number, 0.3 + 0.02 * number, sample_rate_hz=rate)
        channels = np.stack([sound] * (1 + number % 2), axis=1)
        soundfile.write((inner if number > 10 else folder) / f"sound-{number}.{suffix}", channels, rate)
    soundfile.write(folder / "sound-15.wav", np.stack([tone(62, 0.1, sample_rate_hz=96000), -tone(62, 0.1, sample_rate_hz=96000)], axis=1), 96000)
    (folder / "corrupt.wav").write_bytes(b"RIFF, but not really")
    (folder / "empty.flac").write_bytes(b"")
    soundfile.write(folder / "silent.wav", np.zeros(44100), 44100)
    soundfile.write(folder / "short.wav", tone(60, 0.05, sample_rate_hz=44100), 44100)
    soundfile.write(folder / "broken.wav", np.full(44100, np.nan, np.float32), 44100, subtype="FLOAT")
    (folder / "._sound-1.wav").write_bytes(b"what macOS leaves on USB sticks")
    (folder / "phone.m4a").write_bytes(b"what phones leave")
    (folder / "notes.txt").write_text("not a sound")
    return folder
