"""What the values of note decoders read and write, instruments and the way between two: pairs of functions of a part and a key, as in `values`.

Control process, one thread. The state holds weights with a sum of 1; the part remembers them as they were given.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from ..parameters import MAX_INSTRUMENTS, PART
from .part import Part
from .row import Answer, Refused
from .shelf import nearest
from .values import latents as all_latents

TIMBRE = PART["timbre"]


def instruments(part: Part) -> dict[str, int]:
    """Return the keys of the instruments that the decoder knows, by number and by name."""
    names = part.instruments()
    return {**{str(index + 1): index for index in range(len(names))}, **{name: index for index, name in enumerate(names)}}


def latents(part: Part) -> dict[str, int]:
    """Return the keys of the dimensions of a timbre."""
    return all_latents(part) if part.instruments() else {}


def read_weights(part: Part, key: int) -> Answer:
    """Return the weights that sound, with a sum of 1."""
    return tuple(part.get("timbre", index) for index in range(len(part.instruments())))


def write_weights(part: Part, key: int, values: Sequence[Any]) -> None:
    """Weigh the instruments in order; those that are left out have no weight."""
    set_weights(part, [TIMBRE.clamp(value) for value in values])


def read_weight(part: Part, key: int) -> Answer:
    """Return the weight of one instrument, as it was given."""
    return (part.memory.timbre[key] if key < len(part.memory.timbre) else 0.0,)


def write_weight(part: Part, key: int, values: Sequence[Any]) -> None:
    """Weigh one instrument against the others."""
    weights = _padded(part.memory.timbre)
    weights[key] = TIMBRE.clamp(values[0])
    set_weights(part, weights)


def read_name(part: Part, key: int) -> Answer:
    """Return the name of one instrument."""
    return (part.instruments()[key],)


def set_weights(part: Part, weights: Sequence[float]) -> None:
    """Weigh the instruments; all zero keeps those that sound.

    Raises
    ------
    Refused
        When the decoder knows none.
    """
    _refuse_without(part)
    part.memory.timbre = _padded(weights)
    part.instrument.noted = True
    total = math.fsum(part.memory.timbre)
    for index, weight in enumerate(part.memory.timbre if total > 0 else ()):
        part.set("timbre", weight / total, index)


def end(name: str) -> tuple[Callable[[Part, int], Answer], Callable[[Part, int, Sequence[Any]], None]]:
    """Return how to read and write one of the two instruments that a transfer leads between."""

    def read(part: Part, key: int) -> Answer:
        names, at = part.instruments(), int(part.get(name))
        return (names[at] if 0 <= at < len(names) else "",)

    def write(part: Part, key: int, values: Sequence[Any]) -> None:
        _refuse_without(part)
        names = part.instruments()
        if values[0] not in names:
            raise Refused(f"there is no instrument {values[0]!r}{nearest(values[0], names)}; there are {', '.join(names)}")
        part.set(name, float(names.index(values[0])))

    return read, write


def _padded(weights: Sequence[float]) -> list[float]:
    return [*weights, *(0.0 for _ in range(MAX_INSTRUMENTS - len(weights)))]


def _refuse_without(part: Part) -> None:
    if not part.instruments():
        raise Refused("this patch's decoder knows no instruments: that takes one of kind note")
