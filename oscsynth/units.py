"""Conversions, pure functions of floats; any thread, imports nothing of the house.

>>> db_to_amplitude(amplitude_to_db(0.5))
0.5
>>> pitch_class_name(69), pitch_class_index("A"), pitch_class_index("Bb")
('A', 9, 10)
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PITCH_CLASSES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
# OSC reserves '#' in addresses, so an address says Cs where a name says C#.
PITCH_CLASS_ADDRESSES = tuple(name.replace("#", "s") for name in PITCH_CLASSES)
SILENCE_DB = -120.0
Pitch = TypeVar("Pitch", float, "NDArray[np.float64]")

BEND = 4.0  # of the exponential and logarithmic fader curves

_FLATS = {"DB": 1, "EB": 3, "FB": 4, "GB": 6, "AB": 8, "BB": 10, "CB": 11}
_CLASS_BY_NAME = {
    **{name.upper(): i for i, name in enumerate(PITCH_CLASSES)},
    **{name.upper(): i for i, name in enumerate(PITCH_CLASS_ADDRESSES)},
    **_FLATS,
    **{name.replace("B", "♭", 1) if name[0] != "B" else "B♭": i for name, i in _FLATS.items()},
    **{name.replace("#", "♯").upper(): i for i, name in enumerate(PITCH_CLASSES)},
    "E#": 5,
    "B#": 0,
}


def db_to_amplitude(db: float) -> float:
    """Return the amplitude factor of a level in dB."""
    return math.pow(10.0, db / 20.0)


def amplitude_to_db(amplitude: float) -> float:
    """Return the level in dB of an amplitude factor, at least -120."""
    return 20.0 * math.log10(amplitude) if amplitude > 1e-6 else SILENCE_DB


def midi_to_hz(pitch_midi: Pitch) -> Pitch:
    """Return the frequency of a MIDI pitch, or of each in an array; 69 is 440 Hz, fractions are cents."""
    hz: Pitch = 440.0 * 2.0 ** ((pitch_midi - 69.0) / 12.0)
    return hz


def bend(position: float, curve: str) -> float:
    """Return where a fader at 0..1 stands after its curve, 0..1: ``linear``, ``exponential``, ``logarithmic`` or ``s``."""
    if curve == "exponential":
        return math.expm1(BEND * position) / math.expm1(BEND)
    if curve == "logarithmic":
        return math.log1p(position * math.expm1(BEND)) / BEND
    return position * position * (3.0 - 2.0 * position) if curve == "s" else position


def unbend(bent: float, curve: str) -> float:
    """Return the fader position 0..1 that `bend` takes to a value 0..1."""
    if curve == "exponential":
        return bend(bent, "logarithmic")
    if curve == "logarithmic":
        return bend(bent, "exponential")
    return 0.5 - math.sin(math.asin(1.0 - 2.0 * bent) / 3.0) if curve == "s" else bent


def pitch_class_index(name: str) -> int:
    """Return 0 (C) to 11 (B) for a note name such as ``C``, ``C#``, ``Cs``, ``Db`` or ``f#``.

    Raises
    ------
    ValueError
        With the names that are allowed, when it is none of them.
    """
    try:
        return _CLASS_BY_NAME[name.strip().upper()]
    except KeyError:
        allowed = " ".join(PITCH_CLASSES)
        raise ValueError(f"{name!r} is no note name: use one of {allowed} (or Cs, Db ... for the black keys)") from None


def pitch_class_name(index: int) -> str:
    """Return the class name of a whole MIDI pitch, or of a pitch class 0 (C) to 11 (B)."""
    return PITCH_CLASSES[index % 12]
