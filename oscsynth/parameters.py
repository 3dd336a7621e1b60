"""What can change while it sounds: one table, and the flat array of numbers that both processes share.

Any thread, any process; plain Python (no NumPy), imports ``units`` alone. A row of the table is an OSC value; its slots are its place
in the array. ``control`` writes the array, ``sound`` reads it; what a number means is said here and nowhere else.
"""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from typing import Literal

from .units import amplitude_to_db, db_to_amplitude

MAX_PARTS = 8
MAX_LATENTS = 64
N_CLASSES = 12
NO_PATCH = -1.0
MAX_CHANGES_AHEAD = 1024  # that the engine is told of

Curve = Literal["linear", "db", "cubic"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing that can change, or ``size`` of a kind.

    ``name`` is its OSC address below the part (or below ``/master``); ``stays`` says that it stays with the part when the patch is
    switched, otherwise the new patch brings its own. ``continuous`` ones have ``/normalized`` and ``/text`` beside them. NaN as default means
    "as the patch or decoder says". Hidden rows (no description) are not OSC values: the engine's alone.
    """

    name: str
    minimum: float
    maximum: float
    default: float
    unit: str = ""
    description: str = ""
    curve: Curve = "linear"
    size: int = 1
    stays: bool = False
    continuous: bool = True

    def clamp(self, value: float) -> float:
        """Return the value, moved into the range."""
        return min(max(value, self.minimum), self.maximum)

    def normalize(self, value: float) -> float:
        """Return the fader position 0..1 of a value in its own unit."""
        value = self.clamp(value)
        if self.curve == "db":
            # A fader that is linear in the cube root of amplitude: fine near the top, silence at the very bottom.
            return (db_to_amplitude(value) / db_to_amplitude(self.maximum)) ** (1 / 3) if value > self.minimum else 0.0
        position = (value - self.minimum) / (self.maximum - self.minimum)
        return position ** (1 / 3) if self.curve == "cubic" else position

    def denormalize(self, position: float) -> float:
        """Return the value in its own unit at a fader position 0..1."""
        position = min(max(position, 0.0), 1.0)
        if self.curve == "db":
            return self.clamp(amplitude_to_db(position**3 * db_to_amplitude(self.maximum))) if position > 0 else self.minimum
        return self.minimum + (position**3 if self.curve == "cubic" else position) * (self.maximum - self.minimum)

    def text(self, value: float) -> str:
        """Return the value as a label says it, such as ``-6.0 dB``."""
        if math.isnan(value):
            return "auto"
        if self.curve == "db" and value <= self.minimum:
            return "silent"
        if not self.continuous:
            return f"{value:g} {self.unit}".strip()
        decimals = 0 if self.unit == "ms" and value >= 100 else 1 if self.unit else 2
        return f"{value:.{decimals}f} {self.unit}".strip()


# fmt: off
PART_PARAMETERS: tuple[Parameter, ...] = (
    Parameter("open", 0, 1, 0, continuous=False, stays=True),  # 1 while the part exists
    Parameter("patch", -1, math.inf, NO_PATCH, continuous=False, stays=True),  # the number under which the engine holds the loaded patch
    Parameter("panic", 0, math.inf, 0, continuous=False, stays=True),  # counts up at each panic: the gate then closes within 5 ms
    Parameter("travel", 0, 600, 0, "s"),  # seconds in which continuous values changed in the same instant arrive; 0: by their own slew
    Parameter("gate", 0, 1, 0, "", "opens (1) or closes (0) a drone", stays=True, continuous=False),
    Parameter("gain", -72, 12, 0, "dB", "loudness, over the patch's own gain", "db", stays=True),
    Parameter("pan", -1, 1, 0, "", "place between left (-1) and right (1)", stays=True),
    Parameter("width", 0, 2, 0.5, "", "stereo width: 0 mono, 1 wide", stays=True),
    Parameter("transpose", -36, 36, 0, "semitones", "moves every pitch, fractions are cents", stays=True),
    Parameter("register", 0, 9, math.nan, "octave", "the octave of the note class, 4 holds middle C; as the patch says until set"),
    Parameter("glide", 0, 10000, 0, "ms", "time in which pitch slides to a new register or transposition", "cubic"),
    Parameter("envelope/attack", 0, 10000, 5, "ms", "time from silence to full", "cubic"),
    Parameter("envelope/decay", 0, 10000, 200, "ms", "time from full to the sustain level", "cubic"),
    Parameter("envelope/sustain", 0, 1, 0.8, "", "level held while the gate is open"),
    Parameter("envelope/release", 0, 30000, 400, "ms", "time to silence after the gate has closed", "cubic"),
    Parameter("output", 1, 63, 1, "", "first output channel of the part", stays=True, continuous=False),
    Parameter("chroma", 0, 1, 0, "", "weights of the twelve note classes", size=N_CLASSES, stays=True),
    Parameter("latent", 0, 1, 0.5, "", "one neuron of the decoder, over the range its sounds used", size=MAX_LATENTS),
)
MASTER_PARAMETERS: tuple[Parameter, ...] = (
    Parameter("gain", -72, 12, 0, "dB", "loudness of everything", "db", stays=True),
    Parameter("fade", 0, 1, 1, continuous=False, stays=True),  # 0: fade out within 50 ms, before the program leaves
)
# fmt: on


def _slots(table: tuple[Parameter, ...]) -> dict[str, slice]:
    slots, start = {}, 0
    for row in table:
        slots[row.name] = slice(start, start + row.size)
        start += row.size
    return slots


PART = {row.name: row for row in PART_PARAMETERS}
MASTER = {row.name: row for row in MASTER_PARAMETERS}
PART_SLOTS = _slots(PART_PARAMETERS)
MASTER_SLOTS = _slots(MASTER_PARAMETERS)
N_SLOTS = sum(row.size for row in PART_PARAMETERS)
N_ROWS = 1 + MAX_PARTS  # row 0 is the master's, row N part N's


class State:
    """The numbers of the master (row 0) and of parts 1 to 8, as control knows them.

    ``values`` is one flat ``array('d')`` of ``N_ROWS * N_SLOTS``; the engine reads the same layout as a float64 array (rows, slots).
    ``ahead`` are changes that come into force later, at most `MAX_CHANGES_AHEAD` in order of time, three numbers each: when, in seconds of
    ``time.monotonic``; where in ``values``; and the value. Whoever has another list puts it there as a new array.
    """

    def __init__(self) -> None:
        self.values = array("d", bytes(8 * N_ROWS * N_SLOTS))
        self.ahead = array("d")
        for row in MASTER_PARAMETERS:
            self.set(0, row.name, row.default)
        for part in range(1, N_ROWS):
            for row in PART_PARAMETERS:
                for index in range(row.size):
                    self.set(part, row.name, row.default, index)

    def _at(self, part: int, name: str, index: int) -> int:
        first: int = (PART_SLOTS if part else MASTER_SLOTS)[name].start
        return part * N_SLOTS + first + index

    def get(self, part: int, name: str, index: int = 0) -> float:
        """Return one number; part 0 is the master."""
        return self.values[self._at(part, name, index)]

    def set(self, part: int, name: str, value: float, index: int = 0) -> None:
        """Set one number; part 0 is the master."""
        self.values[self._at(part, name, index)] = value
