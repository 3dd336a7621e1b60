"""What a patch is: frozen dataclasses, and nothing about files.

Any thread, any process; imports nothing of the house. ``patch_file`` reads and checks YAML into these, ``control`` takes faders and names
from them, ``sound`` takes the decoder and how its neurons are mapped. Every field's bounds stand in its annotation: the checks and
docs/patches.md are made from them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Ge, Le, Len

Unit = Annotated[float, Ge(0), Le(1)]
Milliseconds = Annotated[float, Ge(0), Le(10000)]
LatentCurve = Literal["linear", "exponential", "logarithmic", "s"]
Stretch = Literal["auto", "spectrum", "harmonics"]
Formants = Literal["move", "keep"]


@dataclass(frozen=True, slots=True)
class Envelope:
    """How a sound starts and ends."""

    attack_ms: Milliseconds = 5.0
    decay_ms: Milliseconds = 200.0
    sustain: Unit = 0.8
    release_ms: Annotated[float, Ge(0), Le(30000)] = 400.0


@dataclass(frozen=True, slots=True)
class LatentControl:
    """A named fader over one neuron: its position 0..1 goes through ``curve`` into ``range``, itself positions of the corpus's range."""

    neuron: Annotated[int, Ge(1), Le(64)]
    default: Unit = 0.5
    range: tuple[Unit, Unit] = (0.0, 1.0)
    curve: LatentCurve = "linear"
    slew_ms: Milliseconds | Literal["auto"] = "auto"


@dataclass(frozen=True, slots=True)
class Patch:
    """One sound: a decoder, where its faders stand, and how it is played.

    ``decoder`` is the path as the file gives it, relative to the patch's folder; ``decoder_path`` the file it was found to be. ``chroma``
    are 12 weights with a sum of 1. Points are fader positions of neurons 1, 2, ... in order.
    """

    name: str
    decoder: str
    mode: Literal["drone"] = "drone"
    gate: Literal["open", "closed"] = "open"
    phase: Literal["noise"] = "noise"
    gain_db: Annotated[float, Ge(-72), Le(12)] = 0.0
    pan: Annotated[float, Ge(-1), Le(1)] = 0.0
    width: Annotated[float, Ge(0), Le(2)] = 0.5
    transpose: Annotated[float, Ge(-36), Le(36)] = 0.0
    register: Annotated[float, Ge(0), Le(9)] | None = None
    glide_ms: Milliseconds = 0.0
    stretch: Stretch = "auto"
    formants: Formants = "move"
    seed: Annotated[int, Ge(0), Le(2**31 - 1)] = 1
    envelope: Envelope = field(default_factory=Envelope)
    chroma: Annotated[tuple[Unit, ...], Len(12, 12)] = (0.0,) * 9 + (1.0, 0.0, 0.0)
    latents: dict[str, LatentControl] = field(default_factory=dict)
    xy: tuple[str, ...] = ()
    points: dict[str, tuple[Unit, ...]] = field(default_factory=dict)
    comment: str = ""
    decoder_path: str = ""
    path: str = ""
