"""Parts as a scene or a session has them: what is kept of each, and how all of them are played so again.

Control process, one thread; imports ``parameters`` and ``scene``. The values of a part are the messages that would bring them about, so
whatever has an address can be kept, and is checked by its row.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..parameters import N_CLASSES, PART_PARAMETERS, Parameter
from ..scene import Arguments, PartScene
from ..units import PITCH_CLASSES
from .brought import brought_by, weights_of
from .part import ENDS, Memory, Part
from .row import Refused

if TYPE_CHECKING:
    from .instrument import Instrument
    from .part import Request

_OF_LATENTS = {"latent": "latent/{}", "scale": "latent/{}/scale"}
_OF_INSTRUMENTS = ("timbre",)
SHORTEST_SECONDS = 0.02  # as a patch is switched
_IN_HAND = "hold"  # where a pedal stands is not what a set says: it would hold notes that no foot is there to let go


@dataclass(frozen=True, slots=True)
class Arrangement:
    """How a part shall stand once its patch is ready, and the time in which that is reached; a session also knows its memory."""

    scene: PartScene
    seconds: float
    memory: Memory | None = None


def kept_of(part: Part) -> PartScene | None:
    """Return what a part plays with every value; None while it has no patch."""
    if part.arrangement is not None:
        return part.arrangement.scene
    if part.version is None:
        return PartScene(part.wanted) if part.wanted else None
    return PartScene(part.version.patch.name, _values(part))


def scene_of(part: Part) -> PartScene | None:
    """Return what a part plays with those values that the patch alone would not bring, under the names that it has for them."""
    if part.version is None:
        return None
    values: dict[str, Arguments] = {}
    brought = brought_by(part.version, True)
    for parameter in _parameters(part):
        usual = brought.get(parameter.name, (parameter.default,) * parameter.size)
        stands = [part.get(parameter.name, index) for index in range(len(usual))]
        if parameter.name in _OF_LATENTS:
            names = {index: name for name, index in part.latent_names().items()}
            changed = [index for index in range(part.n_latents) if stands[index] != usual[index]]
            values |= {_OF_LATENTS[parameter.name].format(names.get(index, index + 1)): (stands[index],) for index in changed}
        elif parameter.name == "chroma":
            values |= _chroma(part) if stands != list(usual) else {}
        elif parameter.name == "timbre":
            given = zip(part.instruments(), part.memory.timbre, weights_of(part.version), strict=False)
            values |= {f"timbre/{name}": (weight,) for name, weight, as_patch in given if weight != as_patch}
        elif any(now != before and not (math.isnan(now) or now == before) for now, before in zip(stands, usual, strict=True)):
            values[parameter.name] = tuple(stands) if parameter.continuous else (int(stands[0]),)
    values |= {name: _end(part, name) for name in ENDS if part.instruments() and part.get(name) != brought[name][0]}
    return PartScene(part.version.patch.name, values)


def _end(part: Part, name: str) -> Arguments:
    """Return one of the two instruments that a transfer leads between."""
    return (part.instruments()[int(part.get(name))],)


def _chroma(part: Part) -> dict[str, Arguments]:
    sounding = [index for index, weight in enumerate(part.memory.weights) if weight]
    if len(sounding) == 1:
        return {"chroma/name": (PITCH_CLASSES[sounding[0]],)}
    return {"chroma": tuple(part.get("chroma", index) for index in range(N_CLASSES))}


def _parameters(part: Part) -> list[Parameter]:
    """Return what a part can be asked for; the pitch of notes is theirs, and instruments are a matter of the decoder."""
    strange = {_IN_HAND, *(("chroma",) if part.plays_notes else ()), *(() if part.instruments() else _OF_INSTRUMENTS)}
    return [row for row in PART_PARAMETERS if row.description and row.name not in strange]


def _values(part: Part) -> dict[str, Arguments]:
    values: dict[str, Arguments] = {}
    for parameter in _parameters(part):
        if parameter.name == "latent":
            values["latents"] = tuple(part.get("latent", index) for index in range(part.n_latents))
        elif parameter.name == "scale":
            values |= {_OF_LATENTS["scale"].format(index + 1): (part.get("scale", index),) for index in range(part.n_latents)}
        elif parameter.name == "timbre":
            values["timbre"] = tuple(part.memory.timbre[: len(part.instruments())])
            values |= {name: _end(part, name) for name in ENDS}
        elif not math.isnan(part.get(parameter.name)):
            numbers = (part.get(parameter.name, index) for index in range(parameter.size))
            values[parameter.name] = tuple(numbers if parameter.continuous else map(int, numbers))
    return values


def arrange(
    instrument: Instrument, parts: Mapping[int, PartScene], seconds: float, request: Request, memories: Mapping[int, Memory] | None = None
) -> list[str]:
    """Let the parts be these and no others, all in one instant; those whose patch is not loaded yet follow as it is.

    Parameters
    ----------
    seconds : float
        The time in which patches are crossfaded and values arrive.
    memories : mapping, optional
        What the parts shall remember, by number.

    Returns
    -------
    list of str
        What cannot be done, a sentence each; the part in question is silent.
    """
    faults = []
    for part in [part for number, part in instrument.parts.items() if number not in parts]:
        _leave(part, seconds)
    for number, scene in sorted(parts.items()):
        part = instrument.part(number)
        arrangement = Arrangement(scene, max(seconds, SHORTEST_SECONDS), (memories or {}).get(number))
        try:
            version = instrument.shelf.ready(scene.patch)
        except Refused as refused:
            faults.append(f"part {number}: {refused}")
            _leave(part, seconds)
            continue
        part.expect(scene.patch, request, arrangement)
        if version is not None:
            faults += instrument.repertoire.take(part, version)
        else:
            instrument.part_changed(part)
    return faults


def _leave(part: Part, seconds: float) -> None:
    part.travel(max(seconds, SHORTEST_SECONDS))
    part.wanted, part.arrangement = "", None
    if part.number > 1:
        part.instrument.close(part)
    else:
        part.set("gate", 0.0)
        part.instrument.voices.end(part)


def dress(part: Part, arrangement: Arrangement) -> list[str]:
    """Bring a part that has just taken its patch to the values of an arrangement; return what cannot be done, a sentence each."""
    faults = []
    for address, arguments in arrangement.scene.values.items():
        try:
            part.instrument.directory.put(part, address, arguments)
        except Refused as refused:
            faults.append(f"part {part.number}: {address}: {refused}")
    part.travel(arrangement.seconds)  # again, should one of them have had a time of its own
    if arrangement.memory is not None:
        part.memory = arrangement.memory
    return faults
