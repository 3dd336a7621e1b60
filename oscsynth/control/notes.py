"""What control must know again after a restart, as JSON: patches, numbers, points, snapshots. The values themselves lie in the state.

Control process, one thread; imports ``patch`` and ``metadata``, and pydantic only where notes are read.
"""

from __future__ import annotations

import dataclasses
import json
import logging
from typing import TYPE_CHECKING, Any

from ..metadata import Metadata
from ..parameters import MAX_INSTRUMENTS, MAX_PARTS, N_CLASSES
from ..patch import Patch
from .part import Memory, Part
from .shelf import Version

if TYPE_CHECKING:
    from .instrument import Instrument

log = logging.getLogger(__name__)
_SCHEMA_VERSION = 1


def to_notes(instrument: Instrument) -> str:
    """Return everything that the state does not hold."""
    versions = {version.number: version for version in (*instrument.shelf.versions(), *instrument.repertoire.sounding())}
    notes = {
        "version": _SCHEMA_VERSION,
        "next_number": instrument.shelf.next_number,
        **whole_to_notes(instrument),
        "versions": [dataclasses.asdict(version) for version in versions.values()],
        "parts": {
            number: {
                "plays": part.version.number if part.version else None,
                "wanted": part.wanted,
                "memory": dataclasses.asdict(part.memory),
            }
            for number, part in instrument.parts.items()
        },
    }
    return json.dumps(notes, ensure_ascii=False, separators=(",", ":"))


def whole_to_notes(instrument: Instrument) -> dict[str, Any]:
    """Return what belongs to no part: the scene, who is told of changes, whose time tags are ignored."""
    return {
        "scene": instrument.scenes.current,
        "untimed": [client for client in instrument.untimed if isinstance(client, tuple)],  # a connection ends with the program
        "clients": instrument.clients.kept() if instrument.clients else [],
    }


def whole_from_notes(instrument: Instrument, notes: dict[str, Any]) -> None:
    """Take that over."""
    instrument.scenes.current = str(notes.get("scene", ""))
    instrument.untimed = dict.fromkeys(map(tuple, notes.get("untimed", ())))
    instrument.kept_clients = notes.get("clients", [])


def from_notes(instrument: Instrument, text: str) -> bool:
    """Take over from an earlier control; return False, with nothing changed, when the notes are empty or make no sense."""
    if not text:
        return False
    try:
        notes = json.loads(text)
        if notes["version"] != _SCHEMA_VERSION:
            return False
        versions = {version.number: version for version in map(_version, notes["versions"])}
        parts = {int(number): _part(instrument, int(number), kept, versions) for number, kept in notes["parts"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("the notes of the last control cannot be read: %s", error)
        return False
    whole_from_notes(instrument, notes)
    instrument.shelf.know(versions.values())
    instrument.shelf.next_number = max(instrument.shelf.next_number, int(notes["next_number"]))
    for number in range(1, MAX_PARTS + 1):
        _restore(instrument, parts.get(number) or Part(instrument, number), versions)
    return True


def _restore(instrument: Instrument, part: Part, versions: dict[int, Version]) -> None:
    """Take a part over. The state is the newer witness: it was written with each packet, the notes a moment later."""
    if part.get("open"):
        part.version = versions.get(int(part.get("patch")), part.version)
        if part.version is None:
            part.close()
        elif not any(part.memory.weights):
            part.memory.weights = [part.get("chroma", index) for index in range(N_CLASSES)]
        if part.version is not None and not any(part.memory.timbre):
            part.memory.timbre = [part.get("timbre", index) for index in range(MAX_INSTRUMENTS)]
    elif part.version is not None:
        part.version = None
    if part.version is not None or part.wanted or part.number == 1:
        instrument.parts[part.number] = part
        instrument.part_changed(part)


def _version(kept: dict[str, Any]) -> Version:
    from pydantic import TypeAdapter

    patch = TypeAdapter(Patch).validate_python(kept["patch"])
    metadata = TypeAdapter(Metadata).validate_python(kept["metadata"]) if kept["metadata"] else None
    return Version(kept["number"], patch, metadata, kept["digest"], kept["ready"])


def _part(instrument: Instrument, number: int, kept: dict[str, Any], versions: dict[int, Version]) -> Part:
    part = Part(instrument, number)
    part.version = versions.get(kept["plays"])
    part.wanted = kept["wanted"]
    part.memory = memory_from_notes(kept["memory"])
    return part


def memory_from_notes(kept: dict[str, Any]) -> Memory:
    """Return what a part remembers; JSON knows no keys but texts.

    Raises
    ------
    KeyError, TypeError, ValueError
        When it makes no sense.
    """
    return Memory(**kept | {"snapshots": {int(key): values for key, values in kept["snapshots"].items()}})
