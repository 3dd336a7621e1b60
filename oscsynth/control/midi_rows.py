"""What the messages about MIDI do: functions of a part and a key, for the rows of `addresses`, as in `values`. Control process, one thread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .midi_device import from_bytes, is_system
from .osc import Midi
from .part import Part
from .row import Answer, Refused


def write_midi(part: Part, key: int, values: Sequence[Any]) -> None:
    """Play one MIDI message."""
    midi: Midi = values[0]
    data = bytes(midi[1:])
    played = from_bytes(midi.port, data) or from_bytes(midi.port, data[:2])
    if played is not None:
        part.instrument.play_midi(played)
    elif not is_system(data):
        raise Refused(f"the bytes {data.hex(' ')} are no MIDI message: a status from 80 to ef, then data up to 7f")


def read_learn(part: Part, key: int) -> Answer:
    """Return the address that waits for a control, or nothing."""
    lesson = part.instrument.midi.controls.lesson
    return (lesson.address if lesson is not None and lesson.part == part.number else "",)


def write_learn(part: Part, key: int, values: Sequence[Any]) -> None:
    """Let an address wait for a control; an empty one ends the waiting."""
    controls = part.instrument.midi.controls
    if not values[0]:
        controls.lesson = None
    else:
        controls.learn(*_meant(part, values[0]), part.instrument.sender)


def write_forget(part: Part, key: int, values: Sequence[Any]) -> None:
    """Let no control move an address."""
    part.instrument.midi.controls.unlearn(*_meant(part, values[0]))


def read_learned(part: Part, key: int) -> Answer:
    """Return each control and its address, in turn."""
    return tuple(item for pair in sorted(part.instrument.midi.controls.table(part).items()) for item in pair)


def _meant(part: Part, address: str) -> tuple[Part, str]:
    """Return the part and the address below it that a text means; a leading slash is left to what belongs to no part."""
    instrument = part.instrument
    prefix, below = instrument.prefix, address.removesuffix("/normalized")
    if not below.startswith(prefix + "/"):
        in_part, of_all = f"{prefix}/part/{part.number}/{below.lstrip('/')}", f"{prefix}/{below.lstrip('/')}"
        below = of_all if in_part not in instrument.routes() and of_all in instrument.routes() else in_part
    route = instrument.routes().get(below)
    if route is None:
        raise Refused(instrument.directory.unknown(below))
    if not route.part.number:
        return part, below.removeprefix(prefix)
    return route.part, below.removeprefix(f"{prefix}/part/{route.part.number}/").removeprefix(prefix + "/")
