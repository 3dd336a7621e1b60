"""What a drone sounds: its note classes mixed, behind a gate (design section 2). Rendering thread."""

from __future__ import annotations

import math

import numpy as np

from ..parameters import PART_SLOTS
from ..patch import Patch
from ..units import midi_to_hz
from .controls import Controls, Row
from .gate import Gate
from .tonal import Apart
from .voices import Magnitudes, Pitches, Sound, mixed

ROWS_AHEAD = 8  # spectra decoded together where a movement is known ahead

_TRANSPOSE, _REGISTER = (PART_SLOTS[name].start for name in ("transpose", "register"))
_CHROMA, _LATENTS = PART_SLOTS["chroma"], PART_SLOTS["latent"]
_PITCH_SLOTS = np.array([_TRANSPOSE, _REGISTER, *range(_CHROMA.start, _CHROMA.stop)])


class Drone:
    """A gate, and the spectrum that the faders of a deck stand for.

    Parameters
    ----------
    controls : Controls
        The deck's faders.
    """

    is_behind = False  # all that sounds is decoded together

    def __init__(self, sound: Sound, controls: Controls) -> None:
        self.faults = self.n_moving = 0
        self._sound, self._controls = sound, controls
        self.gate = Gate(controls, sound.stft.sample_rate_hz)
        self._pitches: Pitches
        self._pitch_key = b""
        self._pitch_bytes = 8 * (len(_PITCH_SLOTS) + 1)
        self._spectra: dict[bytes, tuple[Magnitudes, Magnitudes]] = {}  # of its classes together (n_bins,), and apart
        self._key_now, self._level = b"", 0.0

    @property
    def steered_until(self) -> float:
        """When nothing but time moves it any more."""
        return self.arrives

    @property
    def arrives(self) -> float:
        """When the envelope next stands still."""
        return self.gate.arrives

    def spectrum(self, moment: float, row: Row, step: int) -> Magnitudes | None:
        """Return the magnitudes at a moment, float32 (n_bins,), None for silence."""
        self._level = self.gate.level(moment, row)
        if self._level <= 0.0:
            if moment >= self._controls.arrives:
                self._spectrum_at(moment, row, 0)  # decoded before the gate opens, which then has less to do at once
            return None
        return self._spectrum_at(moment, row, step) * np.float32(self._level)

    def apart(self) -> Apart:
        """Return the note classes of the last `spectrum`, each by itself."""
        each, pitches = self._spectra[self._key_now][1], self._pitches
        pitches_hz = midi_to_hz(pitches.pitches_midi + pitches.semitones)
        return Apart(each, np.full(len(each), self._level), pitches_hz, tuple(pitches.chroma.argmax(1).tolist()))

    def _spectrum_at(self, moment: float, row: Row, step: int) -> Magnitudes:
        """Return the magnitudes that a row of the state stands for, at a moment after which the clock goes on."""
        key = self._key_now = self._key(row)
        if key not in self._spectra:
            if key[-self._pitch_bytes :] != self._pitch_key:
                self._pitch_key = key[-self._pitch_bytes :]
                self._pitches = self._sound.pitches(*self._pitch(row))
            rows = self._rows_ahead(moment, row, step, max(1, ROWS_AHEAD // max(1, len(self._pitches.weights))))
            positions = self._sound.positions(np.stack([ahead[_LATENTS] for ahead in rows]))[:, None]
            each, faults = self._sound.render_apart(positions, self._pitches)
            self.faults += faults
            self._spectra = {self._key(ahead): spectra for ahead, spectra in zip(rows, zip(mixed(each), each, strict=True), strict=True)}
        return self._spectra[key][0]

    def _rows_ahead(self, moment: float, row: Row, step: int, at_most: int) -> list[Row]:
        """Return this row and those of the next clocks, as far as latents alone are on a way that is known."""
        rows, pitch = [row], row[_PITCH_SLOTS].tobytes()
        while step and len(rows) < at_most and moment < self._controls.arrives:
            moment += step
            ahead = self._controls.values(moment)
            if ahead[_PITCH_SLOTS].tobytes() != pitch:
                break
            rows.append(ahead)
        return rows

    def _pitch(self, row: Row) -> tuple[Row, float, float, float]:
        return row[_CHROMA], *registers(self._controls, row, self._sound.patch), row[_TRANSPOSE]

    def _key(self, row: Row) -> bytes:
        # As bytes, since NaN does not equal itself.
        register: bytes = self._controls.target[_REGISTER : _REGISTER + 1].tobytes()
        faders: bytes = row[_LATENTS][: self._sound.n_latents].tobytes()
        pitch: bytes = row[_PITCH_SLOTS].tobytes()
        return faders + pitch + register


def registers(controls: Controls, row: Row, patch: Patch) -> tuple[float, float]:
    """Return the octave asked for, and where a slide towards it stands; NaN: as the decoder has it."""
    register, glided = float(controls.target[_REGISTER]), float(row[_REGISTER])
    if math.isnan(register) and patch.register is not None:
        return patch.register, patch.register
    return register, glided
