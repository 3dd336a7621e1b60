"""What the values of the sound read and write, parameters, latents and chroma: pairs of functions of a part and a key, for `addresses`.

Control process, one thread; imports ``parameters`` and ``units``. Arguments come in the types that the row takes; each function clamps to its
range, and raises `Refused` with a sentence where clamping cannot help.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..parameters import N_CLASSES, N_FADERS, PART, Parameter
from ..units import PITCH_CLASSES, pitch_class_index
from .part import Part
from .row import Answer, Read, Refused, Row, Write

LATENT, WEIGHT, SCALE = PART["latent"], PART["chroma"], PART["scale"]


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
    """Open or close the gate; closing it ends every note."""
    part.set("gate", float(values[0] >= 0.5))
    if not part.get("gate"):
        part.instrument.voices.end(part)


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


def read_scale(part: Part, key: int) -> Answer:
    """Return how far what is heard moves one latent."""
    return (part.get("scale", key),)


def write_scale(part: Part, key: int, values: Sequence[Any]) -> None:
    """Have what is heard move one latent further, or less."""
    part.set("scale", SCALE.clamp(values[0]), key)


def axes(part: Part) -> Sequence[int]:
    """Return the neurons (from 0) that the two axes move."""
    names = part.latent_names()
    axes = [names[name] for name in (part.patch.xy if part.patch else ()) if name in names]
    return axes if len(axes) == 2 else (0, 1)


def read_xy(part: Part, key: int) -> Answer:
    """Return where the two axes stand."""
    return tuple(part.get("latent", index) for index in axes(part))


def write_xy(part: Part, key: int, values: Sequence[Any]) -> None:
    """Move the two axes."""
    for index, value in zip(axes(part), values, strict=True):
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


def read_chosen(part: Part, key: int) -> Answer:
    """Return 1 if one class sounds alone."""
    return (int(part.get("chroma", key) == 1.0),)


def read_weight(part: Part, key: int) -> Answer:
    """Return the weight of one class, as it was given."""
    return (part.memory.weights[key],)


def write_weight(part: Part, key: int, values: Sequence[Any]) -> None:
    """Weigh one class against the others."""
    weights = list(part.memory.weights)
    weights[key] = WEIGHT.clamp(values[0])
    part.set_weights(weights)
