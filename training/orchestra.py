"""The paper's twelve instruments, note by note: what is played, as data, and the notes as FluidR3 GM sounds them.

A note is a sound with two labels. Where it comes from (this orchestra, or a folder of files; see `labelled`) makes no difference to
what follows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from . import render
from .corpora import Skipped
from .recipes import LICENCE
from .render import Note

SECONDS = 3.3  # the first half second is analysed; a copy two and a half octaves higher needs more than three


@dataclass(frozen=True, slots=True)
class LabelledNote:
    """One note that was played."""

    name: str
    instrument: str
    pitch_midi: int
    audio: np.ndarray  # (samples,) float32, mono
    sample_rate_hz: int


@dataclass(frozen=True, slots=True)
class Player:
    """One instrument of the orchestra: a General MIDI program, its real range, and how loud it plays each note (velocities 1..127)."""

    instrument: str
    program: int
    midi_low: int
    midi_high: int
    velocities: tuple[int, ...] = (45, 70, 95, 120)

    def notes(self) -> list[Note]:
        """Return what it plays, from low to high."""
        return [Note(pitch, velocity, SECONDS) for pitch in range(self.midi_low, self.midi_high + 1) for velocity in self.velocities]


ORCHESTRA = (
    Player("piano", 0, 24, 105, (45, 95)),  # C1 to A7
    Player("violin", 40, 55, 100),  # G3 to E7
    Player("cello", 42, 36, 81),  # C2 to A5
    Player("english-horn", 69, 52, 81),  # E3 to A5
    Player("french-horn", 60, 34, 77),  # B flat 1 to F5
    Player("tenor-trombone", 57, 40, 77),  # E2 to F5
    Player("trumpet", 56, 54, 86),  # F sharp 3 to D6
    Player("saxophone", 65, 49, 81),  # alto, D flat 3 to A5
    Player("bassoon", 70, 34, 75),  # B flat 1 to E flat 5
    Player("clarinet", 71, 50, 94),  # D3 to B flat 6
    Player("flute", 73, 60, 96),  # C4 to C7
    Player("oboe", 68, 58, 91),  # B flat 3 to G6
)
DESCRIPTION = (
    "Piano, violin, cello, English horn, French horn, tenor trombone, trumpet, saxophone, bassoon, clarinet, flute and oboe: "
    "every semitone of their ranges, soft to loud."
)

Source = Callable[[], Iterator[LabelledNote | Skipped]]


def sources(players: Sequence[Player] = ORCHESTRA) -> tuple[Source, ...]:
    """Return one source of notes for each player.

    Raises
    ------
    CorpusError
        When FluidSynth or the soundfont is missing.
    """
    render.soundfont()  # before anything else: it may be missing
    return tuple(partial(_played, player) for player in players)


def _played(player: Player) -> Iterator[LabelledNote]:
    notes = player.notes()
    for note, audio in zip(notes, render.render(player.program, notes), strict=True):
        name = f"{player.instrument}-{note.pitch_midi}-{note.velocity}"
        yield LabelledNote(name, player.instrument, note.pitch_midi, audio, render.SAMPLE_RATE_HZ)


__all__ = ["DESCRIPTION", "LICENCE", "ORCHESTRA", "LabelledNote", "Player", "Source", "sources"]
