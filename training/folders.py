"""A corpus from any folder of recordings: which files there are, and how they are read.

Files are planned by their headers alone and read in parts of a minute at most, so that a recording of a night needs no more memory
than a single note.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from oscsynth.errors import CorpusError

from .corpora import Clip, Corpus, Skipped, Source, unusable
from .spectra import SILENT_CLIP, Stft, is_silent

SUFFIXES = (".wav", ".flac", ".aif", ".aiff", ".ogg", ".oga", ".opus", ".mp3")
FORMATS = "WAV, FLAC, AIFF, OGG or MP3"
OTHER_SOUNDS = (".m4a", ".aac", ".wma", ".mp4", ".mov", ".mid", ".midi", ".caf", ".ape", ".wv")  # named, not just passed over
FEW_SOUNDS = 10  # with fewer, each is cut into parts: validation and test need sounds of their own
SHORTEST_PART_SECONDS = 1.0
LONGEST_PART_SECONDS = 60.0  # what is read at once
SOURCE_SECONDS = 300.0  # what one process prepares before it takes more


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A part of a sound file."""

    path: Path
    start: int  # in samples at the file's own rate
    stop: int
    rate_hz: int
    group: str
    number: int

    @property
    def name(self) -> str:
        """The file, and where in it."""
        return str(self.path) if self.number == 0 else f"{self.path} from {self.start / self.rate_hz:.1f} s"

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.stop - self.start) / self.rate_hz


def folder(places: Sequence[Path], stft: Stft) -> Corpus:
    """Read every sound in one or more folders, with what lies in folders inside them; files may be named too.

    Any sample rate and any number of channels becomes mono at the rate of `stft`. What cannot be read, is shorter than a
    window, or is silent, is skipped and named.

    Raises
    ------
    CorpusError
        When a folder does not exist, or holds no sounds at all.
    """
    paths = sorted({path.resolve(): path for place in places for path in _sounds_in(Path(place))}.values())
    skipped = [
        Skipped(str(path), f"{path.suffix[1:]} files are not read: convert it to WAV") for path in paths if path.suffix.lower() in OTHER_SOUNDS
    ]
    lengths = _lengths([path for path in paths if path.suffix.lower() in SUFFIXES], skipped)
    excerpts = list(_excerpts(lengths, stft))
    sources = tuple(_sources(excerpts, stft))
    names = ", ".join(Path(place).resolve().name or str(place) for place in places)
    seconds = sum(excerpt.seconds for excerpt in excerpts)
    key = json.dumps([[str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns] for path in lengths])
    return Corpus(names, f"{len(paths)} sounds from {names}.", "", sources, seconds, key, skipped=tuple(skipped))


def _sounds_in(place: Path) -> list[Path]:
    if place.is_file():
        if place.suffix.lower() in SUFFIXES:
            return [place]
        raise CorpusError(f"{place}: this is no {FORMATS} file")
    if not place.is_dir():
        raise CorpusError(f"{place}: there is no such folder")
    inside = [Path(root, name) for root, _, names in os.walk(place) for name in names if not name.startswith(".")]
    if not any(path.suffix.lower() in SUFFIXES for path in inside):
        other = sorted({path.suffix.lower() for path in inside if path.suffix})
        also = f" (it holds {', '.join(other[:5])} files)" if other else ""
        raise CorpusError(f"{place}: no sounds in this folder{also}; put {FORMATS} files there")
    return [path for path in inside if path.suffix.lower() in SUFFIXES + OTHER_SOUNDS]


def _lengths(paths: Sequence[Path], skipped: list[Skipped]) -> dict[Path, tuple[int, int]]:
    """Return the samples and the rate of each file that can be opened; name the others."""
    import soundfile

    found = {}
    for path in paths:
        try:
            info = soundfile.info(path)
            found[path] = (info.frames, info.samplerate)
        except (soundfile.SoundFileError, OSError, ValueError) as error:
            skipped.append(Skipped(str(path), cannot_be_read(error)))
    return found


def _excerpts(lengths: dict[Path, tuple[int, int]], stft: Stft) -> Iterator[Excerpt]:
    """Cut files into parts of about equal length that share no sample; each holds a window, where the file does."""
    total = sum(samples / rate for samples, rate in lengths.values())
    few = len(lengths) < FEW_SOUNDS
    longest = max(SHORTEST_PART_SECONDS, min(LONGEST_PART_SECONDS, total / (2 * FEW_SOUNDS))) if few else LONGEST_PART_SECONDS
    for path, (samples, rate) in lengths.items():
        seconds = samples / rate
        n_parts = max(1, round(seconds / longest), int(np.ceil(seconds / LONGEST_PART_SECONDS)))
        n_parts = min(n_parts, max(1, int(seconds * stft.sample_rate_hz / stft.window_samples)))
        edges = np.linspace(0, samples, n_parts + 1).astype(int).tolist()
        for number in range(n_parts):
            yield Excerpt(path, edges[number], edges[number + 1], rate, f"{path}#{number}" if few else str(path), number)


def _sources(excerpts: Sequence[Excerpt], stft: Stft) -> Iterator[Source]:
    some: list[Excerpt] = []
    for excerpt in excerpts:
        if some and sum(each.seconds for each in some) + excerpt.seconds > SOURCE_SECONDS:
            yield partial(_clips, tuple(some), stft)
            some = []
        some.append(excerpt)
    if some:
        yield partial(_clips, tuple(some), stft)


def _clips(excerpts: tuple[Excerpt, ...], stft: Stft) -> Iterator[Clip | Skipped]:
    import soundfile

    for excerpt in excerpts:
        try:
            audio = read(excerpt.path, stft.sample_rate_hz, excerpt.start, excerpt.stop)
        except (soundfile.SoundFileError, OSError, ValueError) as error:
            yield Skipped(excerpt.name, cannot_be_read(error))
            continue
        reason = unusable(audio, stft)
        unique = f"{excerpt.path}#{excerpt.number}"
        yield Skipped(excerpt.name, reason) if reason else Clip(unique, audio, excerpt.group, unique, excerpt.path.parent.name or "sounds")


def read(path: Path, sample_rate_hz: int, start: int = 0, stop: int | None = None) -> np.ndarray:
    """Return a sound file, or a part of it, as mono: (samples,) float32 at the rate asked for.

    Raises
    ------
    ValueError
        When it holds values that are not numbers.
    """
    import librosa
    import soundfile

    audio, rate = soundfile.read(path, start=start, stop=stop, dtype="float32", always_2d=True)  # (samples, channels)
    if not np.isfinite(audio).all():
        raise ValueError("it holds values that are not numbers")
    mono = audio.mean(axis=1)
    if is_silent(mono) and np.abs(audio).max(initial=0.0) > SILENT_CLIP:
        mono = audio[:, np.abs(audio).max(axis=0).argmax()]  # two channels in opposite phase
    return mono if rate == sample_rate_hz else librosa.resample(mono, orig_sr=rate, target_sr=sample_rate_hz)


def cannot_be_read(error: Exception) -> str:
    """Return the reason for which a file is skipped, without the path that libraries put before it."""
    return f"cannot be read: {str(error).split(': ')[-1].strip()}"
