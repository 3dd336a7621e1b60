"""Batches for training: hops and their notes, and for transposed mixing the same sounds at another pitch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import chroma, spectra
from .prepare import TRAIN, Hops

Arrays = dict[str, np.ndarray]


def condition(pitch_midi: np.ndarray, registers: tuple[int, ...]) -> np.ndarray:
    """Return what is appended to magnitudes and latents: (hops, 12 + octaves) float32, one-hot class and one-hot octave.

    A pitch outside the octaves that there are takes the nearest.
    """
    note_class = chroma.one_hot(pitch_midi % 12)
    if not registers:
        return note_class
    octave = np.clip(pitch_midi // 12 - 1 - registers[0], 0, len(registers) - 1)
    return np.concatenate([note_class, chroma.one_hot(octave, len(registers))], axis=1)


def conditions(hops: Hops, rows: np.ndarray, registers: tuple[int, ...]) -> np.ndarray:
    """Return what is appended for rows of a corpus: the corpus's own columns where it has some, otherwise its notes."""
    return condition(hops.pitch_midi[rows], registers) if hops.columns is None else np.asarray(hops.columns[rows])


@dataclass(frozen=True, slots=True)
class Transposer:
    """Gives any hop of a corpus at another pitch.

    Where the corpus holds the same gesture at another pitch (a recipe does: the same program, dynamics and moment of another note),
    that is taken: the instrument itself says how it sounds there. The rest of the way, and all of it where sounds are just sounds,
    the magnitudes are stretched.
    """

    hops: Hops
    nearest: np.ndarray  # (keys, 128) int32: the row whose pitch is nearest to each MIDI number
    key: np.ndarray  # (hops,) int32: the gesture and moment of each row; -1 where no other row has the same
    midi_low: int
    midi_high: int

    def transposed(self, rows: np.ndarray, pitch_midi: np.ndarray) -> np.ndarray:
        """Return rows of the corpus at other pitches: (rows, n_bins) float32."""
        key = self.key[rows]
        source = np.where(key < 0, rows, self.nearest[key, np.clip(pitch_midi, 0, 127)]) if len(self.nearest) else np.asarray(rows)
        magnitude = self.hops.magnitude[source]
        semitones = pitch_midi - self.hops.pitch_midi[source]
        moved = np.flatnonzero(semitones)
        if len(moved):
            magnitude[moved] = spectra.scaled(spectra.stretched(magnitude[moved], semitones[moved]))
        return np.asarray(magnitude)

    def targets(self, rows: np.ndarray, registers: tuple[int, ...], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Choose a random note for each row, and say which pitch that is for the row and for the row before it.

        With `registers` it is any class in any octave. Without, it is a class: each sound moves by six semitones at most.

        Returns
        -------
        own, before : ndarray, (rows,) int64
            The pitch for each row and for the row before it, MIDI: of one class, and with `registers` of one octave.
        """
        note_class = rng.integers(0, 12, len(rows))
        if registers:
            asked = 12 * (rng.choice(np.asarray(registers), len(rows)) + 1) + note_class
            return asked, asked
        pitch = self.hops.pitch_midi[rows]
        return self._nearby(pitch, note_class), self._nearby(np.roll(pitch, 1), note_class)

    def _nearby(self, pitch_midi: np.ndarray, note_class: np.ndarray) -> np.ndarray:
        """Return the nearest pitch of a class; in a corpus of one octave, the only one there is."""
        if self.midi_high - self.midi_low == 11:
            return self.midi_low + (note_class - self.midi_low) % 12
        return np.asarray(pitch_midi + (note_class - pitch_midi + 6) % 12 - 6)


def transposer(hops: Hops) -> Transposer:
    """Find, among the training rows, the nearest pitch of each gesture and moment."""
    rows = hops.rows(TRAIN)
    gesture = hops.series[rows].astype(np.int64) * (int(hops.time.max(initial=0)) + 1) + hops.time[rows]
    _, inverse, counts = np.unique(gesture, return_inverse=True, return_counts=True)
    shared = np.cumsum(counts > 1) - 1  # numbers those that several rows have
    key = np.full(len(hops.part), -1, np.int32)
    key[rows] = np.where(counts > 1, shared, -1)[inverse]
    pitch = hops.pitch_midi[rows]
    return Transposer(hops, _nearest(hops.pitch_midi, rows, key, int(shared[-1]) + 1), key, int(pitch.min()), int(pitch.max()))


def _nearest(pitch_midi: np.ndarray, rows: np.ndarray, key: np.ndarray, n_keys: int) -> np.ndarray:
    """Return, for each key and MIDI number, the row whose pitch is nearest: (keys, 128) int32; of two as near, the lower."""
    nearest, distance = np.zeros((n_keys, 128), np.int32), np.full((n_keys, 128), 127 + 1, np.int16)
    rows = rows[key[rows] >= 0]
    for pitch in np.unique(pitch_midi[rows]):
        here = rows[pitch_midi[rows] == pitch]
        keys, first = np.unique(key[here], return_index=True)
        away = np.abs(np.arange(128, dtype=np.int16) - np.int16(pitch))
        closer = away < distance[keys]  # (keys, 128)
        nearest[keys] = np.where(closer, here[first][:, None], nearest[keys])
        distance[keys] = np.where(closer, away, distance[keys])
    return nearest


def plain(hops: Hops, rows: np.ndarray, registers: tuple[int, ...]) -> tuple[Arrays, Arrays]:
    """Return inputs and targets of a batch for the paper's training: what goes in comes out."""
    magnitude = hops.magnitude[rows]
    inputs = {"magnitude": magnitude, "condition": conditions(hops, rows, registers)}
    return inputs, {"reconstruction": magnitude}


def mixing(source: Transposer, rows: np.ndarray, registers: tuple[int, ...], rng: np.random.Generator) -> tuple[Arrays, Arrays]:
    """Return inputs and targets of a batch for transposed mixing; see `models.transposed_mixing`."""
    inputs, targets = plain(source.hops, rows, registers)
    own, before = source.targets(rows, registers, rng)
    weight = rng.random((len(rows), 1), dtype=np.float32)
    mixed = weight * source.transposed(rows, own) + (1 - weight) * source.transposed(np.roll(rows, 1), before)
    inputs |= {"target_condition": condition(own, registers), "weight": weight}
    return inputs, targets | {"mixed": mixed}


def unmixed(hops: Hops, rows: np.ndarray, registers: tuple[int, ...]) -> tuple[Arrays, Arrays]:
    """Return a batch for the mixing model in which nothing is mixed: what it is validated on."""
    inputs, targets = plain(hops, rows, registers)
    inputs |= {"target_condition": inputs["condition"], "weight": np.ones((len(rows), 1), np.float32)}
    return inputs, targets | {"mixed": targets["reconstruction"]}
