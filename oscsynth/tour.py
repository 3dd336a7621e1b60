"""The tour of ``oscsynth demo``: what is sent when. One table; whoever plays it sends what it says, as any client could.

Knows no sockets and no sound. Imports ``score``'s events and the command line's words for addresses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .client import Argument, full_address
from .score import Event

FIRST_PATCH = "Pebble"  # silent until a note comes, so that nothing sounds before the volume is down
SECONDS = 20.0
STEPS_A_SECOND = 60  # as the faders of a phone send


@dataclass(frozen=True, slots=True)
class Step:
    """One message, or with ``to`` a fader on its way from the argument to there, in ``within`` seconds; ``says`` stands beside it."""

    seconds: float
    address: str
    arguments: tuple[Argument, ...]
    says: str = ""
    to: float | None = None
    within: float = 0.0

    @property
    def text(self) -> str:
        """What is sent, as a line."""
        said = " ".join([full_address(self.address), *map(_short, self.arguments)])
        return said if self.to is None else f"{said} ... {_short(self.to)} in {self.within:g} s"

    def events(self) -> Iterator[Event]:
        """Give the messages of this step, each at its time."""
        address, n_steps = full_address(self.address), round(self.within * STEPS_A_SECOND)
        if self.to is None:
            yield Event(self.seconds, address, self.arguments, self.address)
            return
        first = float(self.arguments[0])
        for step in range(n_steps + 1):
            yield Event(self.seconds + step / STEPS_A_SECOND, address, (first + (self.to - first) * step / n_steps,), self.address)


def _short(argument: Argument) -> str:
    return f"{argument:g}" if isinstance(argument, float) else str(argument)


def _notes(seconds: float, between: float, pitches: str, velocity: float) -> tuple[Step, ...]:
    """Return notes of the second part, one after the other."""
    return tuple(Step(seconds + between * at, "part/2/note/on", (int(pitch), velocity)) for at, pitch in enumerate(pitches.split()))


_STEPS = (
    Step(0.0, "master/gain", (-18.0,), "quiet at first"),
    Step(0.0, "patch", ("Aurora",), "choirs, organs and bells, in four neurons"),
    Step(0.0, "chroma", (0, 0, 0, 0, 0.4, 0, 0, 0, 0, 0.6, 0, 0), "twelve note classes from C to B: A, and some E"),
    Step(0.1, "master/gain", (-18.0,), "a fader, sixty times a second", to=0.0, within=3.5),
    Step(0.0, "point", ("dusk",)),
    Step(1.2, "point/seconds", (2.8,)),
    Step(1.2, "point", ("noon",), "a journey of all four neurons to a named place"),
    Step(4.2, "chroma", (0.3, 0, 0, 0, 0, 0.7, 0, 0, 0, 0, 0, 0), "F and C"),
    Step(4.4, "latent/metal", (0.3,), "one neuron, by its name", to=0.95, within=1.4),
    Step(6.0, "chroma/name", ("D",), "another note"),
    Step(7.5, "patch", ("Kaleidoscope",), "another patch, without a gap: eighty instruments on a map"),
    Step(7.5, "chroma", (0.6, 0, 0, 0, 0, 0, 0, 0.4, 0, 0, 0, 0), "C and G"),
    Step(7.6, "morph/from", ("jade",)),
    Step(7.6, "morph/to", ("prism",)),
    Step(7.6, "morph", (0.0,), "on the way from a flute to a harp there is what has no name", to=1.0, within=3.2),
    Step(10.9, "part/2/patch", ("Pebble",), "a second part, which plays notes"),
    Step(10.9, "chroma", (0, 0, 0, 0, 0.3, 0, 0, 0, 0, 0.7, 0, 0)),
    Step(10.9, "point/seconds", (3.0,)),
    Step(10.9, "point", ("amber",)),
    *_notes(11.2, 0.2, "57 64 69 72 76 81 76 72", 0.55),
    Step(12.8, "part/2/gate", (0,), "lets its notes go"),
    Step(12.8, "chroma", (0.3, 0, 0, 0, 0, 0.7, 0, 0, 0, 0, 0, 0)),
    *_notes(12.8, 0.2, "53 60 65 69 72 77 72 69", 0.75),
    Step(14.4, "patch", ("Violin",), "a violin, from G3 to E7, in three neurons"),
    Step(14.4, "chroma/name", ("G",)),
    Step(14.4, "register", (4,), "its octave"),
    Step(14.6, "latent/bow", (0.1,), "one fader is its bow", to=0.9, within=1.6),
    Step(14.4, "part/2/gate", (0,)),
    *_notes(14.4, 0.4, "55 62 67 71", 0.8),
    Step(16.4, "patch", ("Nave",), "and a cathedral"),
    Step(16.4, "chroma/name", ("C",)),
    Step(16.4, "point/seconds", (2.5,)),
    Step(16.4, "point", ("choir",)),
    Step(16.4, "part/2/gate", (0,)),
    *_notes(16.4, 0.1, "48 55 60 64 67 72", 0.8),
    Step(18.0, "master/gain", (0.0,), "and out", to=-60.0, within=1.9),
)
TOUR: tuple[Step, ...] = tuple(sorted(_STEPS, key=lambda step: step.seconds))


def events() -> list[Event]:
    """Return every message of the tour, in order of time."""
    return sorted((event for step in TOUR for event in step.events()), key=lambda event: event.seconds)
