"""The plane under the pad: which neurons a patch's two axes move, and along which positions; what a map of it is drawn from.

Control process, one thread; knows no NumPy, and draws nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..patch import LatentControl
from ..units import bend
from .part import Part
from .ring import ring
from .values import axes

SIZE = 64  # places along each axis
REST_STEPS = 16  # of the other faders: nearer than that no new map is drawn


@dataclass(frozen=True, slots=True)
class Plane:
    """A plane through a decoder's latent space.

    ``neurons`` (from 0) are the two that move, each through the positions 0..1 of ``along``; ``rest`` is where every neuron stands otherwise. The
    note is ``pitch_class`` in ``octave``, None for the decoder's own.
    """

    decoder: str
    neurons: tuple[int, int]
    along: tuple[tuple[float, ...], tuple[float, ...]]
    rest: tuple[float, ...]
    pitch_class: int
    octave: float | None


def plane_of(part: Part) -> Plane | None:
    """Return the plane under a part's two axes: the note is that of the patch, and the other faders stand, roughly, where they stand now.

    None while the part plays nothing, has no two faders, or plays a note decoder, which gives no one spectrum for a place.
    """
    version = part.version
    if version is None or version.metadata is None or len(version.metadata.latents) < 2 or part.instruments():
        return None
    patch, n_latents = version.patch, len(version.metadata.latents)
    controls = {control.neuron - 1: control for control in patch.latents.values()}
    each = [controls.get(neuron, LatentControl(neuron + 1)) for neuron in range(n_latents)]
    first, second = axes(part)
    stands = [control.default if index in (first, second) else _rough(part.get("latent", index)) for index, control in enumerate(each)]
    return Plane(
        decoder=patch.decoder_path or patch.decoder,
        neurons=(first, second),
        along=(_way(each[first]), _way(each[second])),
        rest=tuple(_position(control, fader) for control, fader in zip(each, stands, strict=True)),
        pitch_class=patch.chroma.index(max(patch.chroma)),
        octave=patch.register,
    )


def legend(part: Part) -> dict[str, Any]:
    """Return what is written on the map: the axes and their names, the points with their places, and how finely the other faders count.

    ``ring`` are the numbers (from 1) of a note decoder's instruments, those that sound alike beside each other.
    """
    first, second = axes(part)
    names = {index: name for name, index in part.latent_names().items()}
    points = {name: (place[first], place[second]) for name, place in part.points().items() if len(place) > max(first, second)}
    written = [names.get(neuron, f"latent {neuron + 1}") for neuron in (first, second)]
    return {"neurons": [first, second], "steps": REST_STEPS, "axes": written, "points": points, "ring": _ring(part)}


def _ring(part: Part) -> list[int]:
    instruments = part.instruments()
    note = part.metadata.note if part.metadata else None
    return [instruments.index(name) + 1 for name in ring(note.instruments)] if note else []


def _rough(fader: float) -> float:
    return round(fader * REST_STEPS) / REST_STEPS


def _way(control: LatentControl) -> tuple[float, ...]:
    return tuple(round(_position(control, step / (SIZE - 1)), 6) for step in range(SIZE))


def _position(control: LatentControl, fader: float) -> float:
    low, high = control.range
    return low + (high - low) * bend(fader, control.curve)
