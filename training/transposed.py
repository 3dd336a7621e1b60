"""Notes that nobody played: every instrument at every pitch, from its nearest notes, played faster or slower as a sampler does.

A corpus has a few notes of each pitch, and at the ends of its range those of one instrument alone: what is low is a piano. Training is
given these beside the notes themselves, so that no pitch belongs to an instrument. Only notes of the training part are transposed.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from . import mel
from .mel import Mel, Scale
from .orchestra import LabelledNote

PER_PITCH = 4  # copies for each instrument and pitch
Plan = dict[int, list[int]]  # by the note's row: the pitches (indices) that copies of it are to have


@dataclass(frozen=True, slots=True)
class Transposed:
    """Copies at other pitches, one row a copy."""

    spectrogram: np.ndarray  # (copies, n_hops, n_bands) float32, -1..1
    instrument: np.ndarray  # (copies,) int32
    pitch: np.ndarray  # (copies,) int32: what is heard
    origin: np.ndarray  # (copies,) int32: row of the note that it is a copy of

    def __len__(self) -> int:
        """Count the copies."""
        return len(self.pitch)


def plan(instrument: np.ndarray, pitch: np.ndarray, taught: np.ndarray, midi: np.ndarray, seed: int) -> Plan:
    """Choose for each instrument and each pitch the nearest notes of other pitches.

    Parameters
    ----------
    instrument, pitch : ndarray, (notes,) int32
        Indices; `midi` gives each pitch its number.
    taught : ndarray, (notes,) bool
        Which notes may be copied.

    >>> plan(np.array([0, 0]), np.array([0, 1]), np.array([True, True]), np.array([60, 61]), 1)
    {1: [0], 0: [1]}
    """
    rng, chosen = np.random.default_rng(seed + 2), Plan()
    for which in np.unique(instrument):
        rows = np.flatnonzero((instrument == which) & taught)
        for target in range(len(midi)):
            others = rng.permutation(rows[pitch[rows] != target])
            distance = np.abs(midi[pitch[others]] - midi[target])
            for row in others[np.argsort(distance, kind="stable")[:PER_PITCH]]:
                chosen.setdefault(int(row), []).append(target)
    return chosen


class Listener:
    """Hear the copies of a plan, note by note."""

    def __init__(self, chosen: Plan, midi: np.ndarray, analysis: Mel) -> None:
        self.chosen, self.midi, self.analysis = chosen, midi, analysis
        self.powers: list[np.ndarray] = []
        self.labels: list[tuple[int, int]] = []  # of each copy, its origin and its pitch

    def hear(self, row: int, note: LabelledNote) -> None:
        """Hear all copies of one note, but for those that would be over before the last hop."""
        for target in self.chosen.get(row, []):
            rate_hz = round(note.sample_rate_hz * 2 ** ((int(self.midi[target]) - note.pitch_midi) / 12))
            needed = int(np.ceil(self.analysis.n_samples / self.analysis.sample_rate_hz * rate_hz))
            if rate_hz <= note.sample_rate_hz or len(note.audio) >= needed:
                self.powers.append(mel.band_power(note.audio[:needed], rate_hz, self.analysis))
                self.labels.append((row, target))

    def joined(self, scale: Scale, instrument: np.ndarray) -> Transposed:
        """Return what was heard, on the scale of the corpus; `instrument` is that of each note."""
        origin, pitch = np.array(self.labels, np.int32).reshape(-1, 2).T
        shape = (len(pitch), self.analysis.n_hops, self.analysis.n_bands)
        power = np.stack(self.powers) if self.powers else np.zeros(shape, np.float32)
        return Transposed(scale.scaled(power), instrument[origin], pitch, origin)


def stored(copies: Transposed) -> dict[str, np.ndarray]:
    """Return the arrays by the names that a file has them under."""
    return {f"transposed_{each.name}": getattr(copies, each.name) for each in fields(Transposed)}


def restored(file: dict[str, np.ndarray] | np.lib.npyio.NpzFile) -> Transposed:
    """Return what `stored` gave."""
    return Transposed(*(file[f"transposed_{each.name}"] for each in fields(Transposed)))
