"""The session: everything that a start of the program takes up again, as JSON. `session` at the top of the house keeps it as a file.

Control process, one thread. Unlike `notes`, which the next control finds beside a state that is still in force, this names patches and values, so
that it means the same to another engine, another day.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..parameters import MASTER, MASTER_PARAMETERS, MAX_PARTS
from ..scene import PartScene
from .arrange import arrange, kept_of
from .notes import memory_from_notes, whole_from_notes, whole_to_notes
from .part import Memory, Request

if TYPE_CHECKING:
    from .instrument import Instrument

_SCHEMA_VERSION = 1
FADE_SECONDS = 0.5


def to_session(instrument: Instrument, memories: str) -> str:
    """Return all that shall be taken up again; ``memories`` is what `to_memories` gave since the last thing was noted."""
    parts = {number: kept_of(part) for number, part in sorted(instrument.parts.items())}
    session = {
        "version": _SCHEMA_VERSION,
        "master": {row.name: instrument.whole.get(row.name) for row in MASTER_PARAMETERS if row.description},
        "parts": {number: {"patch": kept.patch, "values": kept.values} for number, kept in parts.items() if kept},
        **whole_to_notes(instrument),
    }
    return f'{json.dumps(session, ensure_ascii=False)[:-1]}, "memories": {memories}}}'


def to_memories(instrument: Instrument) -> str:
    """Return what the parts know beside their values; long, and seldom another."""
    awaited = {number: part.arrangement.memory for number, part in instrument.parts.items() if part.arrangement}
    memories = {number: awaited.get(number) or part.memory for number, part in instrument.parts.items()}
    return json.dumps({number: dataclasses.asdict(memory) for number, memory in memories.items()}, ensure_ascii=False)


def from_session(instrument: Instrument, text: str, start: str | None = None) -> list[str]:
    """Take up a session, with a fade from silence; patches that are not loaded yet follow as they are.

    Parameters
    ----------
    start : str, optional
        A patch that part 1 is to begin with instead: then that part is left as it is.

    Returns
    -------
    list of str
        What cannot be taken up, a sentence each.

    Raises
    ------
    ValueError
        When the text makes no sense; nothing has changed then.
    """
    try:
        session = json.loads(text)
        if session["version"] != _SCHEMA_VERSION:
            raise ValueError(f"it is of version {session['version']}")
        parts = {int(number): _part(kept) for number, kept in session["parts"].items() if 1 <= int(number) <= MAX_PARTS}
        memories = {int(number): memory_from_notes(kept) for number, kept in session["memories"].items()}
        master = {name: float(value) for name, value in session["master"].items() if name in MASTER}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"it makes no sense ({error})") from error
    for name, value in master.items():
        instrument.whole.set(name, MASTER[name].clamp(value))
    whole_from_notes(instrument, session)
    return _take_up(instrument, parts if start is None else {number: kept for number, kept in parts.items() if number > 1}, memories)


def _take_up(instrument: Instrument, parts: Mapping[int, PartScene], memories: Mapping[int, Memory]) -> list[str]:
    gone = {number: kept.patch for number, kept in parts.items() if kept.patch not in instrument.shelf.names}
    there = {number: kept for number, kept in parts.items() if number not in gone}
    faults = arrange(instrument, there, FADE_SECONDS, Request("", None), memories)
    return [*(f"part {number} is left out, since its patch {patch} is gone" for number, patch in gone.items()), *faults]


def _part(kept: dict[str, Any]) -> PartScene:
    return PartScene(str(kept["patch"]), {str(address): tuple(arguments) for address, arguments in kept["values"].items()})
