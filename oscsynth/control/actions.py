"""What each action does: functions of a part and a key, for the rows of `addresses`. Control process, one thread."""

from __future__ import annotations

from ..parameters import PART
from ..units import PITCH_CLASS_ADDRESSES
from .part import N_SNAPSHOTS, SNAPSHOT_NAMES, Part
from .places import go_to_point
from .row import Refused
from .values import choose_class

CLASSES = {name: index for index, name in enumerate(PITCH_CLASS_ADDRESSES)}
SNAPSHOTS = {str(key): key for key in range(1, N_SNAPSHOTS + 1)}


def note_classes(part: Part) -> dict[str, int]:
    """Return the keys of the note classes."""
    return CLASSES


def snapshots(part: Part) -> dict[str, int]:
    """Return the keys of the snapshots."""
    return SNAPSHOTS


def patches(part: Part) -> dict[str, int]:
    """Return the keys of the patches: their places from 1."""
    return {str(index + 1): index for index in range(len(part.instrument.shelf.names))}


def points(part: Part) -> dict[str, int]:
    """Return the keys of the points: their names."""
    return {name: index for index, name in enumerate(part.points())}


def choose(part: Part, key: int) -> None:
    """Let one note class sound alone."""
    choose_class(part, key)


def select_patch(part: Part, key: int) -> None:
    """Switch to a patch by its place."""
    part.instrument.repertoire.switch(part, part.instrument.shelf.names[key])


def next_patch(part: Part, key: int) -> None:
    """Switch to the patch after this one."""
    _step(part, 1)


def previous_patch(part: Part, key: int) -> None:
    """Switch to the patch before this one."""
    _step(part, -1)


def _step(part: Part, step: int) -> None:
    names = part.instrument.shelf.playable
    if not names:
        raise Refused("there are no patches")
    here = part.wanted or (part.version.patch.name if part.version else "")
    at = names.index(here) + step if here in names else 0
    part.instrument.repertoire.switch(part, names[at % len(names)])


def point(part: Part, key: int) -> None:
    """Go to a named point."""
    go_to_point(part, list(part.points())[key])


def store_snapshot(part: Part, key: int) -> None:
    """Remember every value of the part."""
    part.memory.snapshots[key] = {name: [part.get(name, index) for index in range(_size(part, name))] for name in SNAPSHOT_NAMES}
    part.instrument.noted = True


def recall_snapshot(part: Part, key: int) -> None:
    """Send every value of the part to where it was, in the time of ``snapshot/seconds``."""
    if key not in part.memory.snapshots:
        stored = ", ".join(map(str, sorted(part.memory.snapshots))) or "none"
        raise Refused(f"nothing was stored in snapshot {key}; stored are: {stored}")
    part.travel(part.memory.snapshot_seconds)
    snapshot = part.memory.snapshots[key]
    for name, values in snapshot.items():
        for index, value in enumerate(values):
            part.set(name, value, index)
    part.memory.weights = list(snapshot["chroma"])
    part.memory.timbre = list(snapshot.get("timbre", part.memory.timbre))


def panic(part: Part, key: int) -> None:
    """Silence one part now."""
    part.panic()


def panic_all(part: Part, key: int) -> None:
    """Silence every part now."""
    for each in part.instrument.parts.values():
        each.panic()


def close(part: Part, key: int) -> None:
    """End a part."""
    if part.number == 1:
        raise Refused("part 1 always exists; /gate 0 lets it end softly, /panic at once")
    part.instrument.close(part)


def _size(part: Part, name: str) -> int:
    return part.n_latents if name in ("latent", "scale") else PART[name].size
