"""A deck: one patch sounding (design section 2). Rendering thread."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..parameters import PART, PART_SLOTS
from ..units import db_to_amplitude
from .controls import Controls, Envelope, Fade, Row
from .overlap_add import Mix, OverlapAdd
from .phase import NoiseCarrier
from .voices import Magnitudes, Pitches, Sound

PANIC_SECONDS = 0.005
START_SECONDS = 0.05  # a drone that starts with its patch fades in at least this long
ROWS_AHEAD = 8  # spectra decoded together where a movement is known ahead

_GATE, _PANIC, _TRAVEL, _GLIDE, _GAIN, _PAN, _WIDTH, _TRANSPOSE, _REGISTER, _OUTPUT = (
    PART_SLOTS[name].start for name in ("gate", "panic", "travel", "glide", "gain", "pan", "width", "transpose", "register", "output")
)
_CHROMA, _LATENTS = PART_SLOTS["chroma"], PART_SLOTS["latent"]
_PITCH_SLOTS = np.array([_TRANSPOSE, _REGISTER, *range(_CHROMA.start, _CHROMA.stop)])


class Deck:
    """One patch sounding: its faders on their way, its gate, its crossfade, and the sound that comes of them.

    Parameters
    ----------
    number : int
        Under which control knows the patch.
    row : float64 (N_SLOTS,)
        The part's row of the state.
    now : int
        The engine sample at which it begins; it is silent until `start` or `take_over`.
    """

    def __init__(self, number: int, sound: Sound, carrier: NoiseCarrier, row: Row, now: int) -> None:
        self.number = number
        self.sound = sound
        self.output = int(row[_OUTPUT])
        self.faults = 0
        self._rate = sound.stft.sample_rate_hz
        self.controls = Controls(row, sound.slews_seconds, self._rate)
        self.envelope = Envelope(self._rate)
        self.fade = Fade(0.0)
        mid = carrier.offset(sound.patch.seed)
        self._sound = OverlapAdd(carrier, mid, mid + carrier.n_hops // 2)
        self._gate = False
        self._patch_gain = db_to_amplitude(sound.patch.gain_db)
        self._pitches: Pitches
        self._pitch_key = b""
        self._pitch_bytes = 8 * (len(_PITCH_SLOTS) + 1)
        self._spectra: dict[bytes, Magnitudes] = {}
        self._mix = Mix.of(0.0, 0.0)
        self._mix_key = (0.0, 0.0)
        self._heard_at = -1.0  # the moment that the last change was evaluated for

    def start(self, now: int, fade_samples: float = 0.0) -> None:
        """Begin from silence: open the gate if the state says so; a fade longer than the shortest takes the attack's place."""
        if fade_samples > START_SECONDS * self._rate:
            self.take_over(now, fade_samples)
            return
        self.fade.to(1.0, now, START_SECONDS * self._rate)
        self._follow_gate(now)

    def take_over(self, now: int, fade_samples: float) -> None:
        """Begin as the next patch of a part that is sounding: crossfade, with the gate as open as it stood."""
        self.fade.to(1.0, now, fade_samples)
        self._gate = bool(self.controls.target[_GATE])
        if self._gate:
            self.envelope.sustain()

    def end(self, now: int, fade_samples: float) -> None:
        """Fade out for good."""
        self.fade.to(0.0, now, fade_samples)

    def update(self, row: Row, now: int) -> bool:
        """Take over the part's row of the state; return whether something acts at once, at this very sample."""
        panicked = row[_PANIC] != self.controls.target[_PANIC]
        first_arrives = self.controls.set(row, now, row[_TRAVEL], row[_GLIDE] / 1000.0)
        if first_arrives is None:
            return False
        self._heard_at = -1.0
        self._follow_gate(now, PANIC_SECONDS if panicked else np.inf)
        return first_arrives == 0.0

    def _follow_gate(self, now: int, at_most_seconds: float = np.inf) -> None:
        row = self.controls.target
        if at_most_seconds < np.inf:
            self._gate = False
            self.envelope.close(now, row, at_most_seconds)
        if bool(row[_GATE]) == self._gate:
            return
        self._gate = not self._gate
        if self._gate:
            self.envelope.open(now, row)
        else:
            self.envelope.close(now, row)

    @property
    def is_over(self) -> bool:
        """Whether it has faded out and nothing of it is left to hear."""
        return self._sound.is_silent and self.fade.level(self.fade.arrives) == 0.0

    @property
    def is_silent(self) -> bool:
        """Whether nothing of it is heard now."""
        return self._sound.is_silent

    def is_settled(self) -> bool:
        """Whether it would sound the same for ever if nothing were changed."""
        return self._heard_at >= max(self.controls.arrives, self.envelope.arrives, self.fade.arrives)

    def change(self, now: int, until: int, spread: int, master_gain: float) -> None:
        """Be heard, from sample ``now`` on, as everything stands in the middle between now and the next change."""
        # In the middle, since a straight movement then comes out straight and in time.
        self._heard_at = middle = 0.5 * (now + until)
        row = self.controls.values(middle)
        gain = db_to_amplitude(row[_GAIN]) if row[_GAIN] > PART["gain"].minimum else 0.0
        gain *= self._patch_gain * self.envelope.level(middle, row) * self.fade.level(middle) * master_gain
        if gain <= 0.0:
            if not self._sound.is_silent:
                self._sound.change(now, spread, None, self._mix)
            return
        spectrum = self._spectrum_at(middle, row)
        if (row[_PAN], row[_WIDTH]) != self._mix_key:
            self._mix_key = row[_PAN], row[_WIDTH]
            self._mix = Mix.of(*self._mix_key)
        self._sound.change(now, spread, spectrum * np.float32(gain), self._mix)

    def _spectrum_at(self, moment: float, row: Row) -> Magnitudes:
        """Return the magnitudes that a row of the state stands for, at a moment after which the clock goes on."""
        key = self._key(row)
        if key not in self._spectra:
            if key[-self._pitch_bytes :] != self._pitch_key:
                self._pitch_key = key[-self._pitch_bytes :]
                self._pitches = self.sound.pitches(*self._pitch(row))
            rows = self._rows_ahead(moment, row, max(1, ROWS_AHEAD // max(1, len(self._pitches.weights))))
            positions = np.stack([self.sound.positions(ahead[_LATENTS]) for ahead in rows])[:, None]
            magnitudes, faults = self.sound.render(positions, self._pitches)
            self.faults += faults
            self._spectra = {self._key(ahead): magnitude for ahead, magnitude in zip(rows, magnitudes, strict=True)}
        return self._spectra[key]

    def _rows_ahead(self, moment: float, row: Row, at_most: int) -> list[Row]:
        """Return this row and those of the next clocks, as far as latents alone are on a way that is known."""
        rows, pitch = [row], row[_PITCH_SLOTS].tobytes()
        clock = self.sound.stft.clock_samples
        while len(rows) < at_most and moment < self.controls.arrives:
            moment += clock
            ahead = self.controls.values(moment)
            if ahead[_PITCH_SLOTS].tobytes() != pitch:
                break
            rows.append(ahead)
        return rows

    def _pitch(self, row: Row) -> tuple[Row, float, float, float]:
        register, glided = self.controls.target[_REGISTER], row[_REGISTER]
        if math.isnan(register) and self.sound.patch.register is not None:
            register = glided = self.sound.patch.register
        return row[_CHROMA], register, glided, row[_TRANSPOSE]

    def _key(self, row: Row) -> bytes:
        # As bytes, since NaN does not equal itself.
        register: bytes = self.controls.target[_REGISTER : _REGISTER + 1].tobytes()
        faders: bytes = row[_LATENTS][: self.sound.n_latents].tobytes()
        pitch: bytes = row[_PITCH_SLOTS].tobytes()
        return faders + pitch + register

    def add_to(self, out: NDArray[np.float32], start: int) -> None:
        """Add its samples from ``start`` on, all in one hop, to ``out``: float32 (samples, 2)."""
        if not self._sound.is_silent:
            self._sound.add_to(out, start)
