"""The track of a patch in resynthesis: what `/track/play`, `/track/stop` and `/track/position` do. Control process, one thread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..parameters import Parameter
from ..patch import LIVE
from .part import Part
from .row import Answer, Refused

POSITION = Parameter("track/position", 0, 600, 0, "s", continuous=False)


def play(part: Part, key: int) -> None:
    """Play on from where it stands; after the end, from the beginning."""
    _check(part)
    part.set("track/playing", 1.0)
    part.set("track/starts", part.get("track/starts") + 1)


def stop(part: Part, key: int) -> None:
    """Stop where it is."""
    _check(part)
    part.set("track/playing", 0.0)


def read_position(part: Part, key: int) -> Answer:
    """Return where it is, as the engine says."""
    return (part.instrument.track_seconds(part.number),)


def write_position(part: Part, key: int, values: Sequence[Any]) -> None:
    """Jump to a place; past the end is the end."""
    _check(part)
    part.set("track/to", POSITION.clamp(values[0]))
    part.set("track/seeks", part.get("track/seeks") + 1)


def _check(part: Part) -> None:
    if part.patch is None or part.patch.mode != "resynthesis" or part.patch.input == LIVE:
        name = part.patch.name if part.patch else "nothing"
        raise Refused(f"{name} plays no track: a patch with `mode: resynthesis` and a sound file as `input` does")
