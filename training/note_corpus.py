"""Labelled notes to arrays: what is heard in the first half second of each, which instrument, which pitch, and which tenth is kept for checking."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from oscsynth.errors import CorpusError

from . import checkpoint, mel, transposed
from .corpora import Skipped, list_skipped
from .mel import Mel, Scale
from .orchestra import LabelledNote, Source
from .prepare import Progress
from .spectra import is_silent
from .transposed import Transposed

TRAIN, CHECK = 0, 1
CHECK_SHARE = 0.1
SHORTEST_SECONDS = 0.1
ANALYSIS = Mel()


@dataclass(frozen=True, slots=True)
class NoteCorpus:
    """Notes as training sees them, one row a note."""

    spectrogram: np.ndarray  # (notes, n_hops, n_bands) float32, -1..1
    instrument: np.ndarray  # (notes,) int32, index into `instruments`
    pitch: np.ndarray  # (notes,) int32, index into `pitches`
    part: np.ndarray  # (notes,) int8: TRAIN or CHECK
    instruments: tuple[str, ...]
    pitches: tuple[int, ...]  # MIDI, rising
    names: tuple[str, ...]
    scale: Scale
    mel: Mel
    transposed: Transposed  # copies of the training part at other pitches
    skipped: tuple[Skipped, ...] = ()

    def rows(self, part: int) -> np.ndarray:
        """Return the indices of one part of the split: (rows,) int64."""
        return np.flatnonzero(self.part == part)

    def ranges(self) -> dict[str, tuple[int, int]]:
        """Return the lowest and the highest pitch of each instrument, MIDI."""
        midi = np.asarray(self.pitches)[self.pitch]
        return {name: (int(midi[self.instrument == k].min()), int(midi[self.instrument == k].max())) for k, name in enumerate(self.instruments)}


def prepare(
    sources: Sequence[Source],
    *,
    seed: int,
    analysis: Mel | None = None,
    progress: Progress = lambda done, expected: None,
    skipped: Sequence[Skipped] = (),
) -> NoteCorpus:
    """Listen to all notes and split them; `skipped` are those that were left out before.

    Raises
    ------
    CorpusError
        When there are too few notes to learn from, or to check on.
    """
    analysis = analysis or ANALYSIS
    kept: list[LabelledNote] = []
    powers: list[np.ndarray] = []
    left_out = list(skipped)
    for done, source in enumerate(sources):
        progress(done, 2 * len(sources))
        for note in source():
            if isinstance(note, Skipped) or (reason := unusable(note)):
                left_out.append(note if isinstance(note, Skipped) else Skipped(note.name, reason))
                continue
            kept.append(replace(note, audio=note.audio[:0]))
            powers.append(mel.band_power(note.audio, note.sample_rate_hz, analysis))
    corpus = _joined(kept, powers, tuple(left_out), seed, analysis)
    return replace(corpus, transposed=_transposed(corpus, sources, seed, progress))


def _transposed(corpus: NoteCorpus, sources: Sequence[Source], seed: int, progress: Progress) -> Transposed:
    """Go through all notes once more, now that it is known which are taught, and hear them at other pitches."""
    midi = np.asarray(corpus.pitches)
    chosen = transposed.plan(corpus.instrument, corpus.pitch, corpus.part == TRAIN, midi, seed)
    listener, row = transposed.Listener(chosen, midi, corpus.mel), 0
    for done, source in enumerate(sources):
        progress(len(sources) + done, 2 * len(sources))
        for note in source():
            if not isinstance(note, Skipped) and not unusable(note):
                listener.hear(row, note)
                row += 1
    progress(2 * len(sources), 2 * len(sources))
    return listener.joined(corpus.scale, corpus.instrument)


def unusable(note: LabelledNote) -> str:
    """Say why a note cannot be used; nothing, when it can."""
    seconds = len(note.audio) / note.sample_rate_hz
    if seconds < SHORTEST_SECONDS:
        return f"too short: {seconds:.3f} s, and a note needs {SHORTEST_SECONDS:g} s"
    return "silent" if is_silent(note.audio) else ""


def _joined(kept: list[LabelledNote], powers: list[np.ndarray], skipped: tuple[Skipped, ...], seed: int, analysis: Mel) -> NoteCorpus:
    instruments = tuple(dict.fromkeys(note.instrument for note in kept))
    pitches = tuple(sorted({note.pitch_midi for note in kept}))
    instrument = np.array([instruments.index(note.instrument) for note in kept], np.int32)
    _check_enough(instrument, instruments, pitches, skipped)
    pitch = np.array([pitches.index(note.pitch_midi) for note in kept], np.int32)
    part = split(instrument, pitch, seed)
    power = np.stack(powers)  # (notes, n_hops, n_bands)
    scale = mel.scale_of(power[part == TRAIN])
    names, none = tuple(note.name for note in kept), transposed.Listener({}, np.asarray(pitches), analysis).joined(scale, instrument)
    return NoteCorpus(scale.scaled(power), instrument, pitch, part, instruments, pitches, names, scale, analysis, none, skipped)


def _check_enough(instrument: np.ndarray, instruments: tuple[str, ...], pitches: tuple[int, ...], skipped: tuple[Skipped, ...]) -> None:
    if not len(instrument):
        raise CorpusError(f"no note can be used; {list_skipped(skipped)}")
    if len(instruments) < 2:
        raise CorpusError(f"all notes are of one instrument, {instruments[0]}; timbre needs two or more to move between")
    if len(pitches) < 2:
        raise CorpusError(f"all notes have one pitch, MIDI {pitches[0]}; two or more are needed")
    counts = np.bincount(instrument, minlength=len(instruments))
    if alone := [name for name, count in zip(instruments, counts, strict=True) if count < 2]:
        verb, them = ("has", "it") if len(alone) == 1 else ("have", "them")
        raise CorpusError(f"{', '.join(alone)} {verb} a single note, which cannot be both taught and checked: add notes, or leave {them} out")


def split(instrument: np.ndarray, pitch: np.ndarray, seed: int, share: float = CHECK_SHARE) -> np.ndarray:
    """Keep a tenth of each instrument's notes for checking: (notes,) int8; a pitch that is there once stays in training.

    >>> split(np.zeros(20, int), np.arange(20) // 2, 0).sum()
    np.int64(2)
    """
    rng, part = np.random.default_rng(seed), np.zeros(len(instrument), np.int8)
    left = np.bincount(pitch)  # of each pitch, in training
    for which in np.unique(instrument):
        rows = rng.permutation(np.flatnonzero(instrument == which))
        wanted = max(1, round(share * len(rows)))
        for row in rows:
            if wanted and left[pitch[row]] > 1:
                part[row], wanted = CHECK, wanted - 1
                left[pitch[row]] -= 1
    if not part.any():
        raise CorpusError(
            "every pitch is there only once: nothing is left to check with; add notes of the same pitch by another instrument or as loud"
        )
    return part


def guided(corpus: NoteCorpus, share: float, seed: int) -> np.ndarray:
    """Choose the notes whose instrument training is told: (notes,) bool, the same share of each instrument; a larger share holds a smaller one.

    Raises
    ------
    CorpusError
        When the share is not 0 to 1.
    """
    if not 0 <= share <= 1:
        raise CorpusError(f"the share of labels must be 0 to 1, not {share:g}")
    rng, told = np.random.default_rng(seed + 1), np.zeros(len(corpus.part), bool)
    for which in range(len(corpus.instruments)):
        rows = rng.permutation(np.flatnonzero((corpus.instrument == which) & (corpus.part == TRAIN)))
        told[rows[: round(share * len(rows))]] = True
    return told


def kept(path: Path, make: Callable[[], NoteCorpus], settings: str) -> NoteCorpus:
    """Return what was prepared before with the same settings, or prepare it and keep it."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            if str(stored["key"]) == settings:
                return _restored(stored)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        pass  # not there, or half written: made again
    corpus = make()
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        np.savez(file, **_stored(corpus), key=settings)  # type: ignore[arg-type]
    os.replace(partial, path)
    return corpus


def _stored(corpus: NoteCorpus) -> dict[str, np.ndarray]:
    fields = {name: np.asarray(getattr(corpus, name)) for name in ("spectrogram", "instrument", "pitch", "part", "instruments", "pitches", "names")}
    skipped = np.array([(each.name, each.reason) for each in corpus.skipped] or np.zeros((0, 2), "<U1"))
    sizes = np.array([getattr(corpus.mel, name) for name in Mel.__dataclass_fields__])
    fields |= {"scale": np.array([corpus.scale.low_db, corpus.scale.high_db]), "skipped": skipped, "mel": sizes}
    return fields | transposed.stored(corpus.transposed)


def _restored(stored: np.lib.npyio.NpzFile) -> NoteCorpus:
    arrays = (stored[name] for name in ("spectrogram", "instrument", "pitch", "part"))
    skipped = tuple(Skipped(str(name), str(reason)) for name, reason in stored["skipped"])
    names, instruments = (tuple(map(str, stored[name])) for name in ("names", "instruments"))
    pitches = tuple(map(int, stored["pitches"]))
    scale, analysis = Scale(*map(float, stored["scale"])), Mel(*map(int, stored["mel"]))
    return NoteCorpus(*arrays, instruments, pitches, names, scale, analysis, transposed.restored(stored), skipped)


def key_of(corpus: NoteCorpus) -> str:
    """Return what a corpus is known by: all that training sees of it."""
    labels = (corpus.instrument, corpus.pitch, corpus.part, corpus.instruments, corpus.pitches, corpus.scale, corpus.mel)
    return checkpoint.key(corpus.spectrogram, *labels, *transposed.stored(corpus.transposed).values())
