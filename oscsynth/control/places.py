"""What the values that control alone knows read and write: patches, points, journeys between them, and answers about the whole.

Control process, one thread; pairs of functions of a part and a key, for the rows of `addresses`, as in `values`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..parameters import Parameter
from .part import N_SNAPSHOTS, Part
from .row import Answer, Refused
from .shelf import nearest
from .values import write_latents

MORPH = Parameter("morph", 0, 1, 0)
POINT_SECONDS = Parameter("point/seconds", 0, 600, 0, "s", curve="cubic")
SNAPSHOT_SECONDS = Parameter("snapshot/seconds", 0, 600, 0, "s", curve="cubic")


# ---- patches


def read_patch(part: Part, key: int) -> Answer:
    """Return the name of the patch."""
    return (part.patch.name if part.patch else "",)


def read_mode(part: Part, key: int) -> Answer:
    """Return how the patch is played."""
    return (part.patch.mode if part.patch else "",)


def write_patch(part: Part, key: int, values: Sequence[Any]) -> None:
    """Switch to a patch by its name."""
    part.instrument.repertoire.switch(part, values[0])


def read_patch_index(part: Part, key: int) -> Answer:
    """Return the patch's place in the list, from 1; 0 while there is none."""
    names = part.instrument.shelf.names
    return (names.index(part.patch.name) + 1 if part.patch and part.patch.name in names else 0,)


def read_selected(part: Part, key: int) -> Answer:
    """Return 1 if the patch at that place is the one that plays."""
    return (int(read_patch_index(part, 0) == (key + 1,)),)


def write_patch_index(part: Part, key: int, values: Sequence[Any]) -> None:
    """Switch to a patch by its place in the list."""
    names = part.instrument.shelf.names
    if not names:
        raise Refused("there are no patches")
    part.instrument.repertoire.switch(part, names[min(max(values[0], 1), len(names)) - 1])


# ---- points and journeys


def _find_point(part: Part, name: str) -> tuple[float, ...]:
    points = part.points()
    if name in points:
        return points[name]
    there = f"{nearest(name, points)}; there are {', '.join(points)}" if points else ", as this patch has no points"
    raise Refused(f"there is no point {name!r}{there}")


def go_to_point(part: Part, name: str) -> None:
    """Send the latents to a named point, in the time of ``point/seconds``."""
    point = _find_point(part, name)
    part.travel(part.memory.point_seconds)
    write_latents(part, 0, point)
    part.memory.point = name
    part.instrument.noted = True


def read_point(part: Part, key: int) -> Answer:
    """Return the point that was gone to last."""
    return (part.memory.point,)


def write_point(part: Part, key: int, values: Sequence[Any]) -> None:
    """Go to a named point."""
    go_to_point(part, values[0])


def _ends(part: Part) -> tuple[str, str]:
    names: Iterable[str] = part.points()
    first, second = ([*names, "", ""])[:2]
    return part.memory.morph_from or first, part.memory.morph_to or second


def read_morph(part: Part, key: int) -> Answer:
    """Return how far between the two points."""
    return (part.memory.morph,)


def write_morph(part: Part, key: int, values: Sequence[Any]) -> None:
    """Move the latents to a place between two points."""
    start, end = _ends(part)
    if not end:
        raise Refused("this patch has no two points to move between")
    along = MORPH.clamp(values[0])
    both = zip(_find_point(part, start), _find_point(part, end), strict=False)
    write_latents(part, 0, [(1 - along) * low + along * high for low, high in both])
    part.memory.morph = along
    part.instrument.noted = True


def read_morph_from(part: Part, key: int) -> Answer:
    """Return the point at 0."""
    return (_ends(part)[0],)


def write_morph_from(part: Part, key: int, values: Sequence[Any]) -> None:
    """Choose the point at 0; nothing moves before the next ``morph``."""
    _find_point(part, values[0])
    part.memory.morph_from = values[0]
    part.instrument.noted = True


def read_morph_to(part: Part, key: int) -> Answer:
    """Return the point at 1."""
    return (_ends(part)[1],)


def write_morph_to(part: Part, key: int, values: Sequence[Any]) -> None:
    """Choose the point at 1; nothing moves before the next ``morph``."""
    _find_point(part, values[0])
    part.memory.morph_to = values[0]
    part.instrument.noted = True


def read_stored(part: Part, key: int) -> Answer:
    """Return which snapshots are stored."""
    return tuple(int(number in part.memory.snapshots) for number in range(1, N_SNAPSHOTS + 1))


def remembered(name: str, parameter: Parameter) -> tuple[Callable[[Part, int], Answer], Callable[[Part, int, Sequence[Any]], None]]:
    """Return how to read and write a number that control alone remembers."""

    def read(part: Part, key: int) -> Answer:
        return (float(getattr(part.memory, name)),)

    def write(part: Part, key: int, values: Sequence[Any]) -> None:
        setattr(part.memory, name, parameter.clamp(values[0]))
        part.instrument.noted = True

    return read, write


# ---- of the whole


def read_patches(part: Part, key: int) -> Answer:
    """Return the names of all patches, in order."""
    return tuple(part.instrument.shelf.names)


def read_patches_name(part: Part, key: int) -> Answer:
    """Return the name of one patch."""
    return (part.instrument.shelf.names[key],)


def read_version(part: Part, key: int) -> Answer:
    """Return the program's version."""
    from .. import __version__

    return (__version__,)


def read_addresses(part: Part, key: int) -> Answer:
    """Return every address that there is now, those of part 1 in their short form."""
    return tuple(dict.fromkeys(route.reply for route in part.instrument.routes().values()))


def read_status(part: Part, key: int) -> Answer:
    """Return names and figures in turn."""
    parts = part.instrument.parts
    playing = {f"part/{number}": each.version.patch.name if each.version else "" for number, each in sorted(parts.items())}
    figures = {"parts": len(parts), **playing, **part.instrument.figures()}
    return tuple(item for pair in figures.items() for item in pair)


def read_levels(part: Part, key: int) -> Answer:
    """Return the levels of left and right."""
    return tuple(part.instrument.heard()[:2])


def read_spectrum(part: Part, key: int) -> Answer:
    """Return the power of each band."""
    return tuple(part.instrument.heard()[2:])
