"""The sounds of a decoder's page: sweeps of its faders, and sounds before and after, played by the instrument's own synthesis."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from . import sounding, spectra
from .corpora import Clip, Corpus
from .decoder_file import DecoderFile
from .notes import note_name
from .prepare import TEST, TRAIN, Hops, measured_pitch

Heard = list[tuple[str, list[tuple[str, Path]]]]
"""Rows of players: a name, and what is heard in each."""

MOST_CLIPS = 5
MOST_SECONDS = 2.0
SWEEP_SECONDS, SWEEP_POINTS = 2.5, 96


def pitch(opened: DecoderFile) -> int:
    """Return the note that examples are played on: an A near the middle of what it plays."""
    notes = opened.notes()
    wanted = notes[notes % 12 == 9] if (notes % 12 == 9).any() else notes
    return int(wanted[np.abs(wanted - np.median(notes)).argmin()])


def middle(opened: DecoderFile) -> np.ndarray:
    """Return the fader positions of the embedding's median: (n_latents,) float32."""
    span = [(latent.median - latent.low) / max(latent.high - latent.low, 1e-9) for latent in opened.metadata.latents]
    return np.asarray(span, np.float32)


def way(opened: DecoderFile, number: int, points: int) -> np.ndarray:
    """Return the positions on the way of one fader, the others in the middle: (points, n_latents) float32."""
    positions = np.tile(middle(opened), (points, 1))
    positions[:, number] = np.linspace(0, 1, points)
    return positions


def sweeps(opened: DecoderFile, folder: Path, suffix: str) -> Heard:
    """Write what is heard on the way of each fader."""
    rows: Heard = []
    for number, latent in enumerate(opened.metadata.latents):
        magnitude = sounding.sweep(opened, way(opened, number, SWEEP_POINTS), pitch(opened))
        audio = sounding.sound(magnitude, opened.stft, SWEEP_SECONDS / SWEEP_POINTS)
        path = sounding.write(audio, folder / f"{opened.path.stem}-fader-{number + 1}{suffix}")
        rows.append((latent.name or f"fader {number + 1}", [("0 to 1", path)]))
    return rows


def before_and_after(opened: DecoderFile, hops: Hops, corpus: Corpus, folder: Path, suffix: str) -> Heard:
    """Write one sound of each family as it was recorded, and as it comes out of encoder and decoder; the test part's, where there is one."""
    rows: Heard = []
    for clip in _found(corpus, wanted(hops), opened):
        seconds = round(MOST_SECONDS * opened.stft.sample_rate_hz)
        audio = clip.audio[:seconds]
        magnitude = spectra.magnitudes(audio, opened.stft)
        scaled = spectra.scaled(magnitude)
        pitch_midi = np.full(len(magnitude), clip.pitch_midi) if clip.pitch_midi is not None else measured_pitch(scaled, opened.stft)
        after = sounding.sound(sounding.through(opened, magnitude, pitch_midi), opened.stft)
        stem = f"{opened.path.stem}-{len(rows) + 1}-{re.sub(r'[^a-z0-9]+', '-', clip.family.lower()).strip('-')}"
        players = [
            ("recorded", sounding.write(sounding.resampled(audio, opened.stft.sample_rate_hz), folder / f"{stem}-recorded{suffix}")),
            ("decoded", sounding.write(after, folder / f"{stem}-decoded{suffix}")),
        ]
        rows.append((f"{clip.family}, {note_name(int(np.median(pitch_midi)))}", players))
    return rows


def wanted(hops: Hops) -> set[str]:
    """Choose sounds by name: of each family the longest of the test part, the largest families first."""
    rows = hops.rows(TEST) if len(hops.rows(TEST)) else hops.rows(TRAIN)
    lengths = np.bincount(hops.clip[rows], minlength=len(hops.names))
    first = {clip: int(hops.family[rows[row]]) for clip, row in zip(*np.unique(hops.clip[rows], return_index=True), strict=True)}
    sizes = np.bincount(hops.family[rows], minlength=len(hops.families))
    names = set()
    for family in np.argsort(-sizes, kind="stable")[:MOST_CLIPS]:
        clips = [clip for clip, of in first.items() if of == family]
        if clips:
            names.add(hops.names[max(clips, key=lambda clip: lengths[clip])])
    return names


def _found(corpus: Corpus, names: set[str], opened: DecoderFile) -> Iterator[Clip]:
    """Give the clips of these names; stop when all were found."""
    missing = set(names)
    for source in corpus.sources:
        if not missing:
            return
        for clip in source():
            if isinstance(clip, Clip) and clip.name in missing and len(clip.audio) >= opened.stft.window_samples:
                missing.discard(clip.name)
                yield clip
