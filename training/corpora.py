"""Where sounds come from: any folder of recordings, or a recipe that renders real instruments.

A corpus is a stream of clips, so that it need not fit into memory as audio. What cannot be used is named in `Corpus.skipped`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from oscsynth.errors import CorpusError

from . import render
from .recipes import LICENCE, PAPER, RECIPES, Part, Recipe
from .spectra import Stft, is_silent

SUFFIXES = (".wav", ".flac", ".aif", ".aiff", ".ogg", ".oga")
FORMATS = "WAV, FLAC, AIFF or OGG"
FEW_SOUNDS = 10  # with fewer, each is cut into parts: validation and test need sounds of their own
SHORTEST_PART_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Clip:
    """One sound. Clips of one `series` differ in pitch alone; clips of one `group` stay together in the split."""

    name: str
    audio: np.ndarray  # (samples,) float32, mono
    group: str
    series: str
    family: str
    pitch_midi: int | None = None  # where it is known


@dataclass(frozen=True, slots=True)
class Skipped:
    """A sound that cannot be used, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Corpus:
    """A stream of clips and what there is to say about them; `skipped` grows while the clips are read."""

    title: str
    description: str
    licence: str
    clips: Iterator[Clip]
    n_expected: int  # how many clips will come, at most: for the progress bar
    keep_every: int = 1
    skipped: list[Skipped] = field(default_factory=list)


def recipe(name: str, stft: Stft) -> Corpus:
    """Render the built-in corpus of that name.

    Raises
    ------
    CorpusError
        When there is no such recipe, or FluidSynth or the soundfont is missing.
    """
    rows = RECIPES | PAPER
    if name not in rows:
        raise CorpusError(f"there is no recipe {name!r}; there are {', '.join(rows)}")
    render.soundfont()  # before anything else: it may be missing
    row, skipped = rows[name], list[Skipped]()
    n_notes = sum(len(notes) for part in row.parts for _, notes in part.series())
    return Corpus(row.title, row.description, LICENCE, _rendered(row, stft, skipped), n_notes, row.keep_every, skipped)


def _rendered(row: Recipe, stft: Stft, skipped: list[Skipped]) -> Iterator[Clip]:
    for part in row.parts:
        if part.melodies:
            yield from _melodies(part)
            continue
        series = list(part.series())
        notes = [(name, note) for name, of_series in series for note in of_series]
        for (name, note), audio in zip(notes, render.render(part.program, [n for _, n in notes], part.bank), strict=True):
            clip = f"{name}-{note.pitch_midi}"
            group = part.group or clip if row.split_by == "clip" else str(part.program)
            if reason := unusable(audio, stft):
                skipped.append(Skipped(clip, reason))
            else:
                yield Clip(clip, audio, group, name, part.family, note.pitch_midi)


def _melodies(part: Part) -> Iterator[Clip]:
    for name, notes in part.series():
        halves = np.array_split(render.phrase(part.program, notes, part.bank), 2)
        for group, audio in zip(("validation", "test"), halves, strict=True):
            yield Clip(f"{name}-{group}", audio, group, f"{name}-{group}", part.family)


def folder(folders: Sequence[Path], stft: Stft) -> Corpus:
    """Read every sound in one or more folders, with what lies in folders inside them.

    Any sample rate and any number of channels becomes mono at the rate of `stft`. What cannot be read, is shorter than a
    window, or is silent, is skipped and named.

    Raises
    ------
    CorpusError
        When a folder does not exist, or holds no sounds at all.
    """
    paths = [path for each in folders for path in _sounds_in(Path(each))]
    skipped: list[Skipped] = []
    longest = _longest_part_seconds(paths)
    names = ", ".join(Path(each).name or str(each) for each in folders)
    description = f"{len(paths)} sounds from {names}."
    expected = len(paths) if np.isinf(longest) else 2 * FEW_SOUNDS
    return Corpus(names, description, "", _read_all(paths, longest, stft, skipped), expected, skipped=skipped)


def _sounds_in(place: Path) -> list[Path]:
    if place.is_file() and place.suffix.lower() in SUFFIXES:
        return [place]
    if not place.is_dir():
        raise CorpusError(f"{place}: there is no such folder")
    inside = [Path(root, name) for root, _, names in os.walk(place) for name in names if not name.startswith(".")]
    sounds = sorted(path for path in inside if path.suffix.lower() in SUFFIXES)
    if not sounds:
        other = sorted({path.suffix.lower() for path in inside if path.suffix})
        also = f" (it holds {', '.join(other[:5])} files)" if other else ""
        raise CorpusError(f"{place}: no sounds in this folder{also}; put {FORMATS} files there")
    return sounds


def _longest_part_seconds(paths: Sequence[Path]) -> float:
    """Say how long the parts are into which each sound is cut: infinite where there are enough sounds."""
    import soundfile

    if len(paths) >= FEW_SOUNDS:
        return np.inf
    total_seconds = 0.0
    for path in paths:
        try:
            total_seconds += soundfile.info(path).duration
        except (soundfile.SoundFileError, OSError):
            continue  # named and skipped when it is read
    return max(SHORTEST_PART_SECONDS, total_seconds / (2 * FEW_SOUNDS))


def _read_all(paths: Sequence[Path], longest_seconds: float, stft: Stft, skipped: list[Skipped]) -> Iterator[Clip]:
    import soundfile

    for path in paths:
        try:
            audio = read(path, stft.sample_rate_hz)
        except (soundfile.SoundFileError, OSError, ValueError) as error:
            skipped.append(Skipped(str(path), f"cannot be read: {str(error).split(': ')[-1].strip()}"))
            continue
        if reason := unusable(audio, stft):
            skipped.append(Skipped(str(path), reason))
            continue
        for number, part in enumerate(cut(audio, longest_seconds, stft)):
            if not is_silent(part):
                yield Clip(f"{path}#{number}", part, f"{path}#{number}", f"{path}#{number}", path.parent.name or "sounds")


def read(path: Path, sample_rate_hz: int) -> np.ndarray:
    """Return a sound file as mono: (samples,) float32 at the rate asked for."""
    import librosa
    import soundfile

    audio, rate = soundfile.read(path, dtype="float32", always_2d=True)  # (samples, channels)
    mono = audio.mean(axis=1)
    if not np.isfinite(mono).all():
        raise ValueError("it holds values that are not numbers")
    return mono if rate == sample_rate_hz else librosa.resample(mono, orig_sr=rate, target_sr=sample_rate_hz)


def cut(audio: np.ndarray, longest_seconds: float, stft: Stft) -> list[np.ndarray]:
    """Cut a sound into parts of about equal length that share no sample; each holds at least one window."""
    length = max(1, len(audio))
    n_parts = max(1, round(length / (longest_seconds * stft.sample_rate_hz)), 1)
    return [part for part in np.array_split(audio, n_parts) if len(part) >= stft.window_samples] or [audio]


def unusable(audio: np.ndarray, stft: Stft) -> str:
    """Say why a sound cannot be used; nothing, when it can."""
    if len(audio) < stft.window_samples:
        seconds, needed = len(audio) / stft.sample_rate_hz, stft.window_samples / stft.sample_rate_hz
        return f"too short: {seconds:.3f} s, and one window is {needed:.3f} s"
    return "silent" if is_silent(audio) else ""
