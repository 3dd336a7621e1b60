"""The tracks that ship with patches in resynthesis, played by the soundfont: ``make tracks``. A new track is one row."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import render
from .render import SAMPLE_RATE_HZ, Note

FADE_SECONDS = 0.02
PEAK = 0.5  # -6 dBFS


@dataclass(frozen=True, slots=True)
class Track:
    """A melody of one program of General MIDI: pitches, each with its length in seconds, and its strength."""

    program: int
    notes: tuple[tuple[int, float, int], ...]
    modulation: int = 0


TRACKS: dict[str, Track] = {
    # A flute, once around A minor, each phrase ending lower than it began; the last note leads back to the first.
    "palimpsest": Track(
        73,
        (
            *((69, 0.9, 70), (67, 0.3, 60), (64, 0.6, 64), (65, 0.3, 60), (67, 0.3, 66), (64, 1.2, 58)),
            *((62, 0.3, 56), (64, 0.3, 60), (65, 0.6, 68), (71, 0.6, 84), (69, 0.3, 72), (67, 0.9, 62)),
        ),
        modulation=40,
    ),
    # A voice by itself, a chant in C: up to the tone on which it recites, and down again by another way.
    "responsory": Track(
        53,
        (
            *((48, 0.8, 76), (51, 0.4, 70), (53, 0.4, 74), (55, 1.2, 84), (55, 0.4, 72), (58, 0.4, 88), (55, 0.8, 76)),
            *((53, 0.4, 70), (55, 0.4, 74), (51, 0.8, 72), (50, 0.4, 64), (51, 0.4, 66), (48, 1.2, 70), (43, 0.8, 60)),
        ),
    ),
}


def played(track: Track) -> np.ndarray:
    """Return a track: (samples,) float32 at 44.1 kHz, its ends so that it can go round."""
    notes = [Note(pitch, velocity, seconds, track.modulation) for pitch, seconds, velocity in track.notes]
    length = round(sum(seconds for _, seconds, _ in track.notes) * SAMPLE_RATE_HZ)
    sound = render.phrase(track.program, notes)[:length].astype(np.float64)
    n_fade = round(FADE_SECONDS * SAMPLE_RATE_HZ)
    sound[-n_fade:] *= np.linspace(1.0, 0.0, n_fade)
    return np.asarray(sound * PEAK / max(float(np.abs(sound).max()), 1e-9), np.float32)


def write(folder: Path) -> list[Path]:
    """Write every track as FLAC of 16 bits.

    Raises
    ------
    CorpusError
        When FluidSynth or the soundfont is missing.
    """
    import soundfile

    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, track in TRACKS.items():
        paths.append(folder / f"{name}.flac")
        soundfile.write(paths[-1], played(track), SAMPLE_RATE_HZ, subtype="PCM_16")
    return paths
