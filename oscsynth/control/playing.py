"""What the messages for notes do: functions of a part and a key, for the rows of `addresses`, as in `values`.

Control process, one thread. In mode ``notes`` a note sounds until it is released; a drone takes its class and octave from it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..parameters import N_CLASSES, N_VOICE_LATENTS, PART, Parameter
from .part import Part
from .row import Answer, Refused
from .values import choose_class

MIDI = Parameter("note", 0, 127, 60)
MAX_MIDI = 127.0


def write_note(part: Part, key: int, values: Sequence[Any]) -> None:
    """Play or release a note as MIDI counts it: velocity 0 to 127."""
    pitch, velocity = values
    _play(part, pitch, MIDI.clamp(velocity) / MAX_MIDI, pitch)


def write_note_on(part: Part, key: int, values: Sequence[Any]) -> None:
    """Play a note: pitch, velocity and perhaps an id."""
    pitch, velocity = values[:2]
    _play(part, pitch, _unit(velocity), values[2] if len(values) > 2 else pitch)


def write_note_off(part: Part, key: int, values: Sequence[Any]) -> None:
    """Release the notes of a pitch."""
    _lift(part, "pitch", values)


def write_note_off_id(part: Part, key: int, values: Sequence[Any]) -> None:
    """Release the note of an id."""
    _lift(part, "id", values)


def write_bend(part: Part, key: int, values: Sequence[Any]) -> None:
    """Bend one note."""
    _express(part, values[0], "bend", values[1])


def write_pressure(part: Part, key: int, values: Sequence[Any]) -> None:
    """Press one note's key; above 1 it is counted as MIDI does."""
    _express(part, values[0], "pressure", _unit(values[1]))


def write_note_latents(part: Part, key: int, values: Sequence[Any]) -> None:
    """Move the first latents of one note."""
    for index, value in enumerate(values[1:]):
        _express(part, values[0], "latent", value, index)


def write_note_latent(part: Part, key: int, values: Sequence[Any]) -> None:
    """Move one latent of one note."""
    if key >= N_VOICE_LATENTS:
        raise Refused(f"a note has latents 1 to {N_VOICE_LATENTS} of its own, not {key + 1}")
    _express(part, values[0], "latent", values[1], key)


def read_held(part: Part, key: int) -> Answer:
    """Return the pitches of the notes that are held."""
    return tuple(part.instrument.voices.pitches(part))


def read_hold(part: Part, key: int) -> Answer:
    """Return 1 while the pedal is down."""
    return (int(part.get("hold")),)


def write_hold(part: Part, key: int, values: Sequence[Any]) -> None:
    """Press the pedal, or let it come up."""
    part.set("hold", float(values[0] >= 0.5))
    if not part.get("hold"):
        part.instrument.voices.lift_pedal(part)


def _play(part: Part, pitch: float, velocity: float, name: float) -> None:
    if velocity <= 0.0:
        _lift(part, "id", (name,))
    elif part.plays_notes:
        if not part.instrument.drops_notes:
            part.instrument.voices.start(part, pitch, velocity, name)
    else:
        semitone = math.floor(pitch + 0.5)
        choose_class(part, semitone % N_CLASSES)
        part.set("register", PART["register"].clamp(semitone // N_CLASSES - 1))


def _lift(part: Part, by: str, values: Sequence[Any]) -> None:
    voices = part.instrument.voices
    voices.lift(part, voices.find(part.number, by, values[0], is_down=True), _unit(values[1]) if len(values) > 1 else 0.0)


def _express(part: Part, name: float, what: str, value: float, index: int = 0) -> None:
    voices = part.instrument.voices
    voices.express(voices.find(part.number, "id", name), what, value, index)


def _unit(velocity: float) -> float:
    """Return a velocity 0..1; one above 1 is counted to 127, as MIDI does."""
    return min(max(velocity if velocity <= 1.0 else velocity / MAX_MIDI, 0.0), 1.0)
