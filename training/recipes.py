"""What each built-in corpus plays, as data: one row a recipe. Adding one is adding a row to `RECIPES`.

The programs of the chromatic recipes are those of FluidR3 GM whose strongest note class, by librosa, is the written note in at least
four of five hops of C4..B4: a clavinet or a clean electric guitar, whose fifth is louder than its root, would teach the opposite.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from . import analog
from .render import Note

LICENCE = "FluidR3 GM soundfont by Frank Wen and contributors, MIT licence"

FAMILIES = (
    *("piano", "bells", "organ", "guitar", "bass", "strings", "ensemble", "brass"),
    *("reeds", "pipes", "lead", "pad", "effects", "world", "percussive", "noises"),
)  # of General MIDI, eight programs each

PITCHED = (
    *(0, 1, 2, 3, 4, 5, 6, 8, 10, 11, 12, 13, 14, 15, 18, 19, 20, 22, 25, 28, 32, 33, 35, 36, 38, 39),
    *(40, 41, 42, 44, 45, 46, 48, 49, 50, 51, 53, 54, 57, 58, 59, 60, 62, 63, 64, 65, 66, 70),
    *(72, 73, 74, 75, 76, 77, 78, 79, 81, 82, 83, 84, 85, 87, 88, 89, 91, 92, 93, 94, 95, 96),
    *(98, 99, 100, 101, 102, 103, 105, 106, 108, 112),
)  # eighty programs


MAJOR = (0, 2, 4, 5, 7, 9, 11)  # C major: what the paper's corpora hold


@dataclass(frozen=True, slots=True)
class Part:
    """One way of playing one program over a range of pitches, every semitone of a scale, or in melodies."""

    program: int
    family: str
    velocities: tuple[int, ...] = (100,)
    modulations: tuple[int, ...] = (0,)  # controller 1, vibrato
    bank: int = 0
    midi_low: int = 60
    midi_high: int = 71
    seconds: float = 1.0
    scale: tuple[int, ...] = tuple(range(12))  # note classes
    melodies: int = 0  # so many instead of single notes, each cut in two: validation and test
    group: str = ""  # in the split; left out: as the recipe says

    def series(self) -> Iterator[tuple[str, list[Note]]]:
        """Give each velocity and modulation apart: a name, and its notes from low to high."""
        if self.melodies:
            yield from ((f"{self.family}-melody-{seed}", melody(seed, self.midi_low, self.midi_high)) for seed in range(self.melodies))
            return
        for velocity in self.velocities:
            for modulation in self.modulations:
                name = f"{self.family}-{self.bank}-{self.program}-{velocity}-{modulation}"
                pitches = [pitch for pitch in range(self.midi_low, self.midi_high + 1) if pitch % 12 in self.scale]
                yield name, [Note(pitch, velocity, self.seconds, modulation) for pitch in pitches]


@dataclass(frozen=True, slots=True)
class Recipe:
    """A corpus rendered from a soundfont, and the decoder that it is meant for."""

    title: str
    description: str
    parts: tuple[Part, ...]
    split_by: str  # "clip": one note; "program": an instrument, as in the paper's 70, 5 and 5
    n_latents: int = 3
    registers: tuple[int, ...] = ()
    keep_every: int = 1  # hops; neighbours overlap by three quarters and say nearly the same
    player: str = "soundfont"  # key of `corpora.PLAYERS`
    pitch_source: str = "known"  # or librosa, as in the paper


def melody(seed: int, midi_low: int, midi_high: int, n_notes: int = 40) -> list[Note]:
    """Make up a melody: mostly steps and thirds of a major scale in some key, sometimes a leap, notes of 0.15 to 0.8 s.

    >>> melody(1, 55, 100) == melody(1, 55, 100), melody(1, 55, 100) == melody(2, 55, 100)
    (True, False)
    """
    rng = np.random.default_rng([440, seed])
    key = int(rng.integers(12))
    scale = [pitch for pitch in range(midi_low, midi_high + 1) if (pitch - key) % 12 in MAJOR]
    place, notes = len(scale) // 3, []
    for _ in range(n_notes):
        place = int(np.clip(place + rng.choice([-4, -2, -1, 1, 2, 5], p=[0.08, 0.2, 0.27, 0.27, 0.12, 0.06]), 0, len(scale) - 1))
        length = float(rng.choice([0.15, 0.2, 0.4, 0.8], p=[0.2, 0.35, 0.3, 0.15]))
        notes.append(Note(scale[place], int(rng.integers(50, 121)), length, int(rng.choice([0, 60, 90]))))
    return notes


def _over(midi_low: int, midi_high: int, seconds: float, *parts: Part) -> tuple[Part, ...]:
    """Let all parts play the same range."""
    return tuple(replace(part, midi_low=midi_low, midi_high=midi_high, seconds=seconds) for part in parts)


VIOLIN = _over(
    55,
    100,
    1.2,
    Part(40, "bowed", (30, 60, 90, 120), (0, 90)),
    Part(40, "slow-bow", (60, 110), (0, 60), bank=8),
    Part(110, "fiddle", (70, 120)),
    Part(44, "tremolo", (40, 80, 120)),
    Part(45, "pizzicato", (40, 80, 120)),
)

CATHEDRAL = _over(
    36,
    95,
    1.6,
    Part(53, "choir", (70, 120), (0, 60)),
    Part(54, "voices", (60, 110)),
    Part(91, "boys"),
    Part(19, "organ", (60, 110)),
    Part(20, "reed-organ"),
    Part(14, "tubular-bells", (60, 110)),
    Part(112, "hand-bells"),
    Part(8, "celesta", (60, 110)),
    Part(94, "halo"),
)

ANALOG = tuple(Part(program, analog.timbre(program).wave) for program in range(40))

CHROMATIC = tuple(Part(program, FAMILIES[program // 8]) for program in PITCHED)

RECIPES: dict[str, Recipe] = {
    "violin": Recipe(
        "Violin",
        "A violin, every semitone from G3 to E7: bowed at four dynamics with and without vibrato, a slow bow, a fiddle, tremolo and pizzicato.",
        VIOLIN,
        "clip",
        registers=(3, 4, 5, 6, 7),
        keep_every=2,
    ),
    "one-octave": Recipe(
        "One octave",
        "The chromatic scale from C4 to B4 on 80 General MIDI instruments.",
        _over(60, 71, 1.0, *CHROMATIC),
        "program",
        keep_every=2,
    ),
    "five-octaves": Recipe(
        "Five octaves",
        "The chromatic scale from C2 to B6 on 80 General MIDI instruments.",
        _over(36, 95, 0.8, *CHROMATIC),
        "program",
        n_latents=8,
        registers=(2, 3, 4, 5, 6),
        keep_every=4,
    ),
    "cathedral": Recipe(
        "Cathedral",
        "Choirs, voices, church and reed organ, tubular bells, hand bells, celesta and a halo, every semitone from C2 to B6.",
        CATHEDRAL,
        "clip",
        n_latents=4,
        registers=(2, 3, 4, 5, 6),
        keep_every=3,
    ),
    "analog": Recipe(
        "Analog",
        "A synthesiser of two oscillators, filter, overdrive and echo: 40 timbres, every semitone from C3 to B5. Needs nothing installed.",
        _over(48, 83, 0.8, *ANALOG),
        "program",
        n_latents=4,
        registers=(3, 4, 5),
        keep_every=2,
        player="analog",
    ),
}

# The corpora of Colonel & Keene 2020, on real instruments: theirs were recordings of a synthesiser and of a violin.
PAPER: dict[str, Recipe] = {
    "scales-one-octave": Recipe(
        "C major, one octave",
        "The scale of C major from C4 to B4 on 80 General MIDI instruments.",
        tuple(replace(part, scale=MAJOR) for part in _over(60, 71, 1.0, *CHROMATIC)),
        "program",
        keep_every=2,
        pitch_source="librosa",
    ),
    "scales-five-octaves": Recipe(
        "C major, five octaves",
        "The scale of C major from C2 to B6 on 80 General MIDI instruments.",
        tuple(replace(part, scale=MAJOR) for part in _over(36, 95, 0.8, *CHROMATIC)),
        "program",
        keep_every=8,
        pitch_source="librosa",
    ),
    "violin-melodies": Recipe(
        "Violin notes and melodies",
        "Single notes of a violin from G3 to E7, and for validation and test solo melodies, each cut in two.",
        (
            *_over(55, 100, 1.2, Part(40, "bowed", (30, 60, 90, 120), (0, 90), group="training")),
            *_over(55, 93, 1.0, Part(40, "bowed", melodies=12)),
        ),
        "clip",
        keep_every=2,
        pitch_source="librosa",
    ),
}
