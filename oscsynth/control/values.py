"""What each value reads and writes: pairs of functions of a part and a key, for the rows of `addresses`.

Control process, one thread; imports ``parameters`` and ``units``. Arguments come in the types that the row takes; each function clamps to its
range, and raises `Refused` with a sentence where clamping cannot help.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..parameters import N_CLASSES, PART, Parameter
from ..units import PITCH_CLASSES, pitch_class_index
from .part import N_FADERS, Part
from .row import Answer, Read, Refused, Row, Write
from .shelf import nearest

LATENT, WEIGHT = PART["latent"], PART["chroma"]
MORPH = Parameter("morph", 0, 1, 0)
POINT_SECONDS = Parameter("point/seconds", 0, 600, 0, "s", curve="cubic")
SNAPSHOT_SECONDS = Parameter("snapshot/seconds", 0, 600, 0, "s", curve="cubic")


# ---- rows of parameters


def parameter_row(parameter: Parameter) -> Row:
    """Return the row of one parameter of a part."""
    return Row(parameter.name, "f" if parameter.continuous else "i", parameter.description, *_parameter(parameter), parameter=parameter)


def master_row(parameter: Parameter) -> Row:
    """Return the row of one parameter of the whole."""
    return Row(f"master/{parameter.name}", "f", parameter.description, *_parameter(parameter), parameter=parameter)


def _parameter(parameter: Parameter) -> tuple[Read, Write]:
    name, clamp = parameter.name, parameter.clamp

    def read(part: Part, key: int) -> Answer:
        value = part.register() if name == "register" else part.get(name)
        return (value if parameter.continuous else int(value),)

    def write(part: Part, key: int, values: Sequence[Any]) -> None:
        part.set(name, clamp(values[0]))

    return read, write


def read_gate(part: Part, key: int) -> Answer:
    """Return 1 while the gate is open."""
    return (int(part.get("gate")),)


def write_gate(part: Part, key: int, values: Sequence[Any]) -> None:
    """Open or close the gate."""
    part.set("gate", float(values[0] >= 0.5))


def beside(row: Row) -> tuple[Row, Row]:
    """Return the rows ``/normalized`` and ``/text`` of a continuous value."""
    parameter, read, write = row.parameter, row.read, row.write
    assert parameter is not None and read is not None and write is not None

    def read_normalized(part: Part, key: int) -> Answer:
        return (parameter.normalize(float(read(part, key)[0])),)

    def write_normalized(part: Part, key: int, values: Sequence[Any]) -> None:
        write(part, key, (parameter.denormalize(values[0]),))

    def read_text(part: Part, key: int) -> Answer:
        return (parameter.text(float(read(part, key)[0])),)

    unit = Parameter("normalized", 0, 1, parameter.normalize(parameter.default) if math.isfinite(parameter.default) else 0.5)
    said = f"{row.description}, 0 to 1 for a fader", f"{row.description}, as a label says it"
    keys, placeholder = row.keys, row.placeholder
    normalized = Row(f"{row.path}/normalized", "f", said[0], read_normalized, write_normalized, parameter=unit, keys=keys, placeholder=placeholder)
    text = Row(f"{row.path}/text", "s", said[1], read_text, keys=keys, placeholder=placeholder)
    return normalized, text


# ---- latents


def numbered_latents(part: Part) -> dict[str, int]:
    """Return the keys of the neurons: 1 to 8, more where the decoder has more."""
    return {str(index + 1): index for index in range(max(N_FADERS, part.n_latents))}


def latents(part: Part) -> dict[str, int]:
    """Return the keys of the neurons by number and by name."""
    return {**numbered_latents(part), **part.latent_names()}


def read_latent(part: Part, key: int) -> Answer:
    """Return one fader position."""
    return (part.get("latent", key),)


def write_latent(part: Part, key: int, values: Sequence[Any]) -> None:
    """Move one latent."""
    value = values[0]
    part.set("latent", 0.0 if value < 0.0 else min(value, 1.0), key)


def read_latent_name(part: Part, key: int) -> Answer:
    """Return what the patch calls the neuron, an empty text if nothing."""
    return (next((name for name, index in part.latent_names().items() if index == key), ""),)


def read_latents(part: Part, key: int) -> Answer:
    """Return every fader position that the decoder has."""
    return tuple(part.get("latent", index) for index in range(part.n_latents))


def write_latents(part: Part, key: int, values: Sequence[Any]) -> None:
    """Move several latents; fewer values set the first ones."""
    for index, value in enumerate(values):
        part.set("latent", LATENT.clamp(value), index)


def _axes(part: Part) -> Sequence[int]:
    names = part.latent_names()
    axes = [names[name] for name in (part.patch.xy if part.patch else ()) if name in names]
    return axes if len(axes) == 2 else (0, 1)


def read_xy(part: Part, key: int) -> Answer:
    """Return where the two axes stand."""
    return tuple(part.get("latent", index) for index in _axes(part))


def write_xy(part: Part, key: int, values: Sequence[Any]) -> None:
    """Move the two axes."""
    for index, value in zip(_axes(part), values, strict=True):
        part.set("latent", LATENT.clamp(value), index)


# ---- chroma


def read_chroma(part: Part, key: int) -> Answer:
    """Return the weights that sound, with a sum of 1."""
    return tuple(part.get("chroma", index) for index in range(N_CLASSES))


def write_chroma(part: Part, key: int, values: Sequence[Any]) -> None:
    """Weigh all twelve classes."""
    positive = [max(0.0, value) for value in values]
    largest = max(positive)
    if largest > 0:  # scaled by the largest first, so that no sum overflows
        total = math.fsum(value / largest for value in positive)
        part.set_weights([value / largest / total for value in positive])


def read_class_name(part: Part, key: int) -> Answer:
    """Return the name of the strongest class."""
    return (PITCH_CLASSES[part.strongest_class()],)


def write_class_name(part: Part, key: int, values: Sequence[Any]) -> None:
    """Choose one class by its name."""
    try:
        choose_class(part, pitch_class_index(values[0]))
    except ValueError as error:
        raise Refused(str(error)) from None


def read_class_index(part: Part, key: int) -> Answer:
    """Return the strongest class, 0 (C) to 11."""
    return (part.strongest_class(),)


def write_class_index(part: Part, key: int, values: Sequence[Any]) -> None:
    """Choose one class by its index."""
    choose_class(part, min(max(values[0], 0), N_CLASSES - 1))


def choose_class(part: Part, key: int) -> None:
    """Let one class sound alone."""
    part.set_weights([float(index == key) for index in range(N_CLASSES)])


def read_weight(part: Part, key: int) -> Answer:
    """Return the weight of one class, as it was given."""
    return (part.memory.weights[key],)


def write_weight(part: Part, key: int, values: Sequence[Any]) -> None:
    """Weigh one class against the others."""
    weights = list(part.memory.weights)
    weights[key] = WEIGHT.clamp(values[0])
    part.set_weights(weights)


# ---- patches


def read_patch(part: Part, key: int) -> Answer:
    """Return the name of the patch."""
    return (part.patch.name if part.patch else "",)


def write_patch(part: Part, key: int, values: Sequence[Any]) -> None:
    """Switch to a patch by its name."""
    part.instrument.switch(part, values[0])


def read_patch_index(part: Part, key: int) -> Answer:
    """Return the patch's place in the list, from 1; 0 while there is none."""
    names = part.instrument.shelf.names
    return (names.index(part.patch.name) + 1 if part.patch and part.patch.name in names else 0,)


def write_patch_index(part: Part, key: int, values: Sequence[Any]) -> None:
    """Switch to a patch by its place in the list."""
    names = part.instrument.shelf.names
    if not names:
        raise Refused("there are no patches")
    part.instrument.switch(part, names[min(max(values[0], 1), len(names)) - 1])


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
    return tuple(item for pair in part.instrument.status().items() for item in pair)
