"""Labelled notes for tests: tones of three made-up instruments, and a corpus and a network small enough for a moment's training."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from training import note_corpus
from training.gmvae import GmvaeConfig
from training.mel import Mel
from training.note_corpus import NoteCorpus
from training.orchestra import LabelledNote
from training.train import Watch

from .conftest import tone

RATE_HZ = 22050
INSTRUMENTS = {"dark-horn": 0.1, "oboe": 0.6, "reed": 0.9}
SMALL = Mel(sample_rate_hz=11025, window_samples=512, hop_samples=256, n_hops=6, n_bands=32)


def ended_by(error: BaseException, loss: type[Watch]) -> type[Watch]:
    """Return what watches a training that ends so after its first epoch."""

    class Ended(loss):  # type: ignore[misc, valid-type]
        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            super().on_epoch_end(epoch, logs)
            if epoch == 0:
                raise error

    return Ended


def notes(pitches: range = range(60, 68), gains: tuple[float, ...] = (0.3, 0.6, 1.0)) -> Iterator[LabelledNote]:
    """Give each instrument's notes at some levels."""
    for name, brightness in INSTRUMENTS.items():
        for pitch in pitches:
            for gain in gains:
                audio = gain * tone(pitch, 0.4, brightness, RATE_HZ)
                yield LabelledNote(f"{name}-{pitch}-{gain}", name, pitch, audio, RATE_HZ)


def corpus(seed: int = 440) -> NoteCorpus:
    """Return the tones, prepared."""
    return note_corpus.prepare([notes], seed=seed, analysis=SMALL)


def tiny(found: NoteCorpus, *, mixture: bool = True) -> GmvaeConfig:
    """Return settings of a network for these tones."""
    sizes = (len(found.instruments), len(found.pitches), found.mel.n_hops, found.mel.n_bands)
    return GmvaeConfig(*sizes, channels=8, decoder_channels=6, width=16, n_timbre=4, n_pitch=3, mixture=mixture)


def folder_of_notes(place: Path, pitches: range = range(60, 68)) -> Path:
    """Write the tones as files called by instrument and note."""
    place.mkdir(parents=True, exist_ok=True)
    names = ("C", "Cs", "D", "Ds", "E", "F", "Fs", "G", "Gs", "A", "As", "B")
    for each in notes(pitches):
        name = f"{each.instrument}_{names[each.pitch_midi % 12]}{each.pitch_midi // 12 - 1}_{each.name.rpartition('-')[2]}.wav"
        soundfile.write(place / name, each.audio, each.sample_rate_hz)
    return place


def silence(place: Path) -> None:
    """Write a file in which nobody plays."""
    soundfile.write(place, np.zeros(RATE_HZ // 2), RATE_HZ)
