"""The track of a patch in resynthesis: what the addresses below `/track` do. Control process, one thread."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from ..parameters import Parameter
from ..patch import LIVE
from .part import Part
from .row import Answer, Refused

POSITION = Parameter("track/position", 0, 600, 0, "s", continuous=False)
SHARE = Parameter("normalized", 0, 1, 0, continuous=False)


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
    return (part.instrument.track(part.number)[0],)


def write_position(part: Part, key: int, values: Sequence[Any]) -> None:
    """Jump to a place; past the end is the end."""
    _check(part)
    part.set("track/to", POSITION.clamp(values[0]))
    part.set("track/seeks", part.get("track/seeks") + 1)


def read_length(part: Part, key: int) -> Answer:
    """Return how long it is, 0 where there is none."""
    return (part.instrument.track(part.number)[1],)


def read_share(part: Part, key: int) -> Answer:
    """Return where it is as a share of its length."""
    position, length = part.instrument.track(part.number)
    return (position / length if length > 0 else 0.0,)


def write_share(part: Part, key: int, values: Sequence[Any]) -> None:
    """Jump to a share of its length."""
    write_position(part, key, (SHARE.clamp(values[0]) * part.instrument.track(part.number)[1],))


def read_text(part: Part, key: int) -> Answer:
    """Return where it is, and how long it is, as a label says it."""
    position, length = part.instrument.track(part.number)
    return (f"{_clock(position)} / {_clock(length)}" if length > 0 else "",)


def read_name(part: Part, key: int) -> Answer:
    """Return what a patch in resynthesis hears: the name of its file, or ``live``."""
    if part.patch is None or part.patch.mode != "resynthesis":
        return ("",)
    return (part.patch.input if part.patch.input == LIVE else PurePath(part.patch.input).name,)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def _check(part: Part) -> None:
    if part.patch is None or part.patch.mode != "resynthesis" or part.patch.input == LIVE:
        name = part.patch.name if part.patch else "nothing"
        raise Refused(f"{name} plays no track: a patch with `mode: resynthesis` and a sound file as `input` does")
