"""One running patch: its numbers in the state, and what control alone remembers of it.

Control process, one thread; imports ``parameters`` and ``patch``. Part 0 is the whole: the master's row of the state.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..metadata import Metadata
from ..parameters import MASTER_SLOTS, N_CLASSES, N_FADERS, N_SLOTS, PART_PARAMETERS, PART_SLOTS
from ..patch import LatentControl, Patch
from ..units import unbend
from .brought import brought_by, weights_of
from .row import Refused
from .shelf import Version

if TYPE_CHECKING:
    from .arrange import Arrangement
    from .instrument import Instrument

N_SNAPSHOTS = 32
ENDS = "transfer/from", "transfer/to"  # of the state, and addresses
# A snapshot holds the values, not whether the gate is open, nor where the part goes out.
SNAPSHOT_NAMES = (*(row.name for row in PART_PARAMETERS if row.continuous and row.description), *ENDS)


@dataclass(slots=True)
class Memory:
    """What a part knows besides its numbers in the state; goes into control's notes as it is."""

    point: str = ""
    morph: float = 0.0
    morph_from: str = ""
    morph_to: str = ""
    point_seconds: float = 0.0
    snapshot_seconds: float = 0.0
    weights: list[float] = field(default_factory=lambda: [0.0] * N_CLASSES)  # of the note classes as they were given, not scaled
    timbre: list[float] = field(default_factory=list)  # of the instruments, likewise
    snapshots: dict[int, dict[str, list[float]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    """Who asked for a patch, and with which address."""

    address: str
    sender: Any


class Part:
    """A part, 1 to 8; or the whole, 0.

    Attributes
    ----------
    version : Version or None
        What it plays.
    wanted : str
        The patch that it switches to as soon as that is loaded.
    arrangement : Arrangement or None
        How it shall stand then, if not as the patch says.
    """

    def __init__(self, instrument: Instrument, number: int) -> None:
        self.instrument = instrument
        self.number = number
        self.version: Version | None = None
        self.wanted = ""
        self.request: Request | None = None
        self.arrangement: Arrangement | None = None
        self.memory = Memory()
        self.has_switched = False  # it has played another patch before
        self.travelling = False  # a journey began within this packet
        self._slots = PART_SLOTS if number else MASTER_SLOTS
        self._base = number * N_SLOTS
        self._values = instrument.state.values
        self._touched: set[int] = set()  # slots set while a patch was awaited: they are meant for it

    # ---- numbers

    def get(self, name: str, index: int = 0) -> float:
        """Return a number of the state."""
        value: float = self._values[self._base + self._slots[name].start + index]
        return value

    def set(self, name: str, value: float, index: int = 0) -> None:
        """Set a number of the state; the ordinary way, so whatever has no slew of its own is there at once."""
        at: int = self._base + self._slots[name].start + index
        if self.instrument.written is not None:
            self._note_written(at, value)
        if self._values[at] != value:
            self._values[at] = value
            self.instrument.changed = True
            if not self.travelling and self.number and self.get("travel"):
                self._values[self._base + PART_SLOTS["travel"].start] = 0.0
        if self.wanted:
            self._touched.add(at)

    def _note_written(self, at: int, value: float) -> None:
        written = self.instrument.written
        assert written is not None
        written[at] = value
        if self.number and not self.travelling:
            written[self._base + PART_SLOTS["travel"].start] = 0.0

    def travel(self, seconds: float) -> None:
        """Let what is set from here to the end of the packet arrive in that time."""
        self.travelling = True  # first: an ordinary change ends a journey
        self.set("travel", seconds)
        self.instrument.travellers.append(self)

    def register(self) -> float:
        """Return the octave that sounds: the one that was set, the patch's, or the decoder's home octave of the class."""
        asked = self.get("register")
        if math.isnan(asked) and self.patch is not None and self.patch.register is not None:
            return self.patch.register
        if math.isnan(asked):
            return float(self.metadata.home_octaves[self.strongest_class()]) if self.metadata else 4.0
        return asked

    def strongest_class(self) -> int:
        """Return the note class with the most weight, 0 (C) to 11."""
        weights = [self.get("chroma", index) for index in range(N_CLASSES)]
        return weights.index(max(weights))

    def set_weights(self, weights: Sequence[float]) -> None:
        """Set the weights of the note classes; all zero keeps those that sound.

        Raises
        ------
        Refused
            In mode notes.
        """
        if self.plays_notes:
            raise Refused("this patch plays notes, and its pitch is theirs: send note/on with a pitch")
        self.memory.weights = [max(0.0, weight) for weight in weights]
        self.instrument.noted = True
        total = math.fsum(self.memory.weights)
        for index, weight in enumerate(self.memory.weights if total > 0 else ()):
            self.set("chroma", weight / total, index)

    # ---- what the patch says

    @property
    def patch(self) -> Patch | None:
        """What it plays; while it has none, what it is going to play."""
        if self.version is not None:
            return self.version.patch
        return self.instrument.shelf.patch(self.wanted) if self.wanted in self.instrument.shelf.names else None

    @property
    def plays_notes(self) -> bool:
        """Whether it sounds while notes are held, and not as a drone."""
        return self.patch is not None and self.patch.mode == "notes"

    @property
    def metadata(self) -> Metadata | None:
        """What its decoder says of itself."""
        return self.version.metadata if self.version else None

    @property
    def n_latents(self) -> int:
        """How many neurons its decoder has, as far as is known."""
        if self.metadata:
            return len(self.metadata.latents)
        return max((latent.neuron for latent in self.patch.latents.values()), default=N_FADERS) if self.patch else N_FADERS

    def instruments(self) -> list[str]:
        """Return the instruments that its decoder knows, in order; none unless that is of kind ``note``."""
        return self.version.instruments() if self.version else []

    def latent_names(self) -> dict[str, int]:
        """Return the neurons (from 0) that have names: the patch's names, then the decoder's for the others."""
        names = {name: latent.neuron - 1 for name, latent in self.patch.latents.items()} if self.patch else {}
        for index, latent in enumerate(self.metadata.latents if self.metadata else ()):
            if latent.name and index not in names.values() and _is_address(latent.name):
                names.setdefault(latent.name, index)
        return names

    def points(self) -> dict[str, tuple[float, ...]]:
        """Return the named points, as fader positions: the patch's, then the decoder's."""
        own = self.patch.points if self.patch else {}
        controls = {control.neuron: control for control in self.patch.latents.values()} if self.patch else {}
        theirs = self.metadata.points if self.metadata else {}
        return own | {
            name: tuple(_fader(position, controls.get(neuron)) for neuron, position in enumerate(point, 1))
            for name, point in theirs.items()
            if name not in own
        }

    # ---- patches

    def expect(self, name: str, request: Request, arrangement: Arrangement | None = None) -> None:
        """Switch to a patch as soon as it is loaded; the newest request wins, and what is set until then is meant for it."""
        self.wanted, self.request, self.arrangement = name, request, arrangement
        self._touched.clear()

    def take(self, version: Version, dress: Callable[[], None] | None = None) -> None:
        """Switch to a patch that is ready; ``dress`` then brings values of its own, from the patch's and the defaults."""
        first, touched = self.version is None or dress is not None, self._touched
        meant = {at: self._values[at] for at in touched} if dress else {}
        self.wanted, self._touched, self.arrangement = "", set(), None
        self.has_switched |= self.version is not None
        self.version = version
        if dress:
            self.reset()
        for name, values in brought_by(version, first).items():
            for index, value in enumerate(values):
                if self._base + self._slots[name].start + index not in touched:
                    self.set(name, value, index)
        if self._base + self._slots["timbre"].start not in touched:
            self.memory.timbre = weights_of(version)
        if first and not any(self._base + self._slots["chroma"].start + index in touched for index in range(N_CLASSES)):
            self.memory.weights = list(version.patch.chroma)
        self.memory.point, self.memory.morph, self.memory.morph_from, self.memory.morph_to = "", 0.0, "", ""
        if dress:
            dress()
        for at, value in meant.items():
            self._values[at] = value
        self._play(version)

    def reload(self, version: Version) -> None:
        """Go on with a newer version of the patch: only the keys that were edited change."""
        before, weights = brought_by(self.version or version, True), weights_of(self.version or version)
        self.version = version
        for name, values in brought_by(version, True).items():
            for index, value in enumerate(values):
                if value != before[name][index] and not (math.isnan(value) and math.isnan(before[name][index])):
                    self.set(name, value, index)
        if weights != weights_of(version):
            self.memory.timbre = weights_of(version)
        if self._chroma_edited(before["chroma"], version):
            self.memory.weights = list(version.patch.chroma)
        self._play(version)

    def _chroma_edited(self, before: Sequence[float], version: Version) -> bool:
        if tuple(before) == tuple(version.patch.chroma):
            return False
        for index, weight in enumerate(version.patch.chroma):  # weights act together: an edit of one brings them all
            self.set("chroma", weight, index)
        return True

    def _play(self, version: Version) -> None:
        voices = self.instrument.voices
        voices.keep(self, version.patch.voices if version.patch.mode == "notes" else 0)
        if not self.get("hold"):
            voices.lift_pedal(self)
        self.set("open", 1.0)
        self.set("patch", version.number)
        self.instrument.part_changed(self)

    def reset(self) -> None:
        """Start from the defaults, as a part does that was closed and is created again."""
        for row in PART_PARAMETERS:
            if row.name not in ("panic", "patch"):
                for index in range(row.size):
                    self.set(row.name, row.default, index)

    def close(self) -> None:
        """End: what sounds fades out."""
        self.wanted, self.arrangement = "", None
        self.instrument.voices.end(self)
        self.set("gate", 0.0)
        self.set("open", 0.0)

    def panic(self) -> None:
        """Be silent now, bends and pedal let go; patch, values and gains stay, and gate 1 goes on."""
        self.set("gate", 0.0)
        self.set("hold", 0.0)
        self.instrument.voices.end(self)
        self.instrument.voices.unbend(self)
        self.set("panic", self.get("panic") + 1)


def _is_address(name: str) -> bool:
    return name.isprintable() and not name.isdigit() and not any(character in " #*,/?[]{}" for character in name)


def _fader(position: float, control: LatentControl | None) -> float:
    """Return where a fader has to stand for a neuron to stand at a position 0..1 of what the corpus used, or as near as its range goes."""
    if control is None:
        return position
    low, high = control.range
    if low == high:
        return control.default
    return unbend(min(max((position - low) / (high - low), 0.0), 1.0), control.curve)
