"""A drone on a decoder of kind ``note``: a note for each class, gone through to its loop, where it stays while the gate is open. Rendering thread."""

from __future__ import annotations

import math
import weakref

import numpy as np

from ..parameters import N_CLASSES, PART_SLOTS
from ..units import midi_to_hz
from .budget import Budget
from .controls import Controls, Row
from .drone import registers
from .gate import Gate
from .note_sound import NoteSound
from .standing import Values
from .tonal import Apart
from .voices import Magnitudes
from .walking import Walking

_TRANSPOSE, _CHROMA, _LATENTS = PART_SLOTS["transpose"].start, PART_SLOTS["chroma"], PART_SLOTS["latent"]
_LEAST_WEIGHT = 1e-4  # a note class 40 dB down is not decoded
_HOME_OCTAVE = 4.0


class WalkingDrone:
    """A gate, and a note for each note class that has weight; one that gets some begins then."""

    def __init__(self, sound: NoteSound, controls: Controls, budget: Budget | None = None) -> None:
        self._controls = controls
        self.gate = Gate(controls, sound.stft.sample_rate_hz)
        self.n_moving = 0
        self._sound = sound
        my = weakref.proxy(self)  # no circle: see `bank.Bank`
        self._spectra = Walking(sound, N_CLASSES, lambda values, row: my._faders_at(values, row), budget)
        self._pitches = np.full(N_CLASSES, np.nan)  # at which each class began; NaN: it does not sound
        self._gains, self._pitches_hz = np.zeros(N_CLASSES), np.zeros(N_CLASSES)

    @property
    def steered_until(self) -> float:
        """When nothing but time moves it any more."""
        return self.gate.arrives

    @property
    def faults(self) -> int:
        """Spectra that came out not finite and are silent."""
        return self._spectra.faults

    @property
    def is_behind(self) -> bool:
        """Whether some notes are still to be decoded."""
        return self._spectra.is_behind

    @property
    def arrives(self) -> float:
        """When it next stands still: never while the gate is open."""
        return np.inf if self.gate.is_open else self.gate.arrives

    def spectrum(self, moment: float, row: Row, step: int) -> Magnitudes | None:
        """Return the magnitudes at a moment, float32 (n_bins,), None for silence."""
        level, weights = self.gate.level(moment, row), row[_CHROMA]
        sounds = (weights > _LEAST_WEIGHT) & (level > 0.0)
        self._pitches[~sounds] = np.nan
        if not sounds.any():
            return None
        asked, there = registers(self._controls, row, self._sound.patch)
        semitones = self._begin(sounds, moment, asked) + row[_TRANSPOSE] + 12.0 * self._slide(asked, there)
        self._pitches_hz = midi_to_hz(self._spectra.sung + semitones)
        self.n_moving = self._spectra.move(moment, np.zeros((N_CLASSES, 0)), row, semitones, sounds, step)
        self._gains = level * np.sqrt(np.where(sounds, weights, 0.0) / weights[sounds].sum())
        total: Magnitudes = np.sqrt((self._gains[sounds] ** 2).astype(np.float32) @ self._spectra.powers[sounds])
        return total

    def _begin(self, sounds: np.typing.NDArray[np.bool_], moment: float, register: float) -> Row:
        """Have classes begin that are new or in another octave; return how far each is from where it is decoded, in semitones."""
        octave = _HOME_OCTAVE if math.isnan(register) else float(round(register))
        pitches = 12.0 * (octave + 1.0) + np.arange(N_CLASSES)
        for at in np.flatnonzero(sounds & (pitches != self._pitches)).tolist():
            self._spectra.begin(at, pitches[at], float(at), int(moment))
            self._pitches[at] = pitches[at]
        return pitches - self._spectra.sung

    @staticmethod
    def _slide(asked: float, there: float) -> float:
        """Return how many octaves a slide to another register still is away."""
        return 0.0 if math.isnan(asked) or math.isnan(there) else there - round(asked)

    def apart(self) -> Apart:
        """Return the note classes of the last `spectrum`, each by itself."""
        at = np.flatnonzero(self._gains)
        return Apart(self._spectra.magnitudes[at], self._gains[at], self._pitches_hz[at], tuple(at.tolist()), self._spectra.lobes(at.tolist()))

    def _faders_at(self, values: Values, row: Row) -> Row:
        return np.tile(row[_LATENTS][: self._sound.n_latents], (len(values), 1))
