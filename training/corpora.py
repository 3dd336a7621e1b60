"""Where sounds come from: any folder of recordings, or a recipe that is played by real instruments or by the synthesiser.

A corpus is a row of sources, each of which gives a few minutes of clips in any process, so that preparation can use every core and
audio need not fit into memory. What cannot be used is given as `Skipped`, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from oscsynth.errors import CorpusError

from . import analog, render
from .recipes import LICENCE, PAPER, RECIPES, Part, Recipe
from .spectra import Stft, is_silent


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


Source = Callable[[], Iterator[Clip | Skipped]]
"""Gives some clips; can be pickled, so that another process can call it."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Sources of clips and what there is to say about them."""

    title: str
    description: str
    licence: str
    sources: tuple[Source, ...]
    seconds: float  # of sound, about: for estimates of time and disk
    key: str  # the same for the same sounds: what was prepared under another key is not theirs
    keep_every: int = 1
    skipped: tuple[Skipped, ...] = ()  # what was found to be of no use before anything was read


PLAYERS = {"soundfont": render, "analog": analog}
"""Who plays a recipe: their `render` turns program, notes and bank into the samples of each note, at 44.1 kHz."""


def recipe(name: str, stft: Stft) -> Corpus:
    """Play the built-in corpus of that name.

    Raises
    ------
    CorpusError
        When there is no such recipe, or FluidSynth or the soundfont is missing.
    """
    rows = RECIPES | PAPER
    if name not in rows:
        raise CorpusError(f"there is no recipe {name!r}; there are {', '.join(rows)}")
    row = rows[name]
    if row.player == "soundfont":
        render.soundfont()  # before anything else: it may be missing
    seconds = sum(note.seconds for part in row.parts for _, notes in part.series() for note in notes)
    sources = tuple(partial(_played, row, part, stft) for part in row.parts)
    licence = LICENCE if row.player == "soundfont" else analog.LICENCE
    return Corpus(row.title, row.description, licence, sources, seconds, repr(row), row.keep_every)


def _played(row: Recipe, part: Part, stft: Stft) -> Iterator[Clip | Skipped]:
    if part.melodies:
        yield from _melodies(part)
        return
    series = list(part.series())
    notes = [(name, note) for name, of_series in series for note in of_series]
    sounds = PLAYERS[row.player].render(part.program, [note for _, note in notes], part.bank)
    for (name, note), audio in zip(notes, sounds, strict=True):
        clip = f"{name}-{note.pitch_midi}"
        group = part.group or clip if row.split_by == "clip" else str(part.program)
        reason = unusable(audio, stft)
        yield Skipped(clip, reason) if reason else Clip(clip, audio, group, name, part.family, note.pitch_midi)


def _melodies(part: Part) -> Iterator[Clip]:
    for name, notes in part.series():
        halves = np.array_split(render.phrase(part.program, notes, part.bank), 2)
        for group, audio in zip(("validation", "test"), halves, strict=True):
            yield Clip(f"{name}-{group}", audio, group, f"{name}-{group}", part.family)


def unusable(audio: np.ndarray, stft: Stft) -> str:
    """Say why a sound cannot be used; nothing, when it can."""
    if len(audio) < stft.window_samples:
        seconds, needed = len(audio) / stft.sample_rate_hz, stft.window_samples / stft.sample_rate_hz
        return f"too short: {seconds:.3f} s, and one window is {needed:.3f} s"
    return "silent" if is_silent(audio) else ""


def list_skipped(skipped: Sequence[Skipped], limit: int = 20) -> str:
    """Say in one sentence what was skipped, and why."""
    if not skipped:
        return "nothing was skipped"
    shown = [f"{each.name} ({each.reason})" for each in skipped[:limit]]
    more = f" and {len(skipped) - limit} more" if len(skipped) > limit else ""
    return f"{len(skipped)} skipped: {'; '.join(shown)}{more}"
