"""Which control moves what: the patch's table, what was learned since, and the pick-up of knobs that stand elsewhere. No I/O.

Control process, one thread; imports ``midi_device`` and ``row``. A knob moves a value only while the two agree: after a patch switch, or when
somebody else has moved the value, it takes hold again as it passes it. Files and OSC have no knobs, and what they send acts at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .addresses import Route
from .midi_device import FINE, MAX_7_BITS, Device
from .osc import Message
from .part import Part
from .row import Refused

if TYPE_CHECKING:
    from .instrument import Instrument

FIRST_KNOBS = 256  # ports from there on are devices; those below come over OSC or from a file
_NEAR = 1.01 / MAX_7_BITS  # so far from its value a knob takes hold
_SAME = 1e-6
Source = tuple[int, int, int]  # port, channel, control


@dataclass(frozen=True, slots=True)
class Lesson:
    """An address that waits for a control, and who asked."""

    part: int
    address: str
    sender: Any


@dataclass(slots=True)
class _Knob:
    """Where a knob stood last, and what it has set; None while it waits to pass the value."""

    position: float
    value: float | None


class Controls:
    """The controls of all parts.

    Attributes
    ----------
    lesson : Lesson or None
        What is being learned.
    learned : callable
        Told each table that is to be kept: the part, and the controls with their addresses, "" for one that moves nothing any more.
    """

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self.lesson: Lesson | None = None
        self.learned: Callable[[Part, dict[int, str], Lesson | None], None] = lambda part, changes, lesson: None
        self._changes: dict[int, dict[int, str]] = {}  # by the number of the version that was playing
        self._knobs: dict[tuple[Source, int, str], _Knob] = {}

    def table(self, part: Part) -> dict[int, str]:
        """Return the controls of a part, each with its address."""
        if part.patch is None:
            return {}
        changes = self._changes.get(part.version.number, {}) if part.version else {}
        return {number: address for number, address in (part.patch.midi.control_changes | changes).items() if address}

    # ---- moving

    def moved(self, device: Device, channel: int, part: Part, number: int, value: int) -> tuple[int, float] | None:
        """Return which control has been moved, and to where (0 to 1); None for one that moves nothing."""
        table = self.table(part)
        is_fine = number not in table and number - FINE in range(FINE) and number - FINE in table
        if self.lesson is not None and self.lesson.part == part.number and not is_fine:
            self._learn(part, number)
            table = self.table(part)
        if is_fine:
            number -= FINE
        return (number, device.position(channel, number, value, is_fine)) if number in table else None

    def move(self, source: Source, part: Part, position: float) -> Iterator[Message]:
        """Yield what moving a control does, unless its knob has to be picked up first."""
        address = self.table(part)[source[2]]
        route = self._route(part, address)
        if route.row.act is not None or not (route.row.parameter and route.row.parameter.name == "normalized"):
            yield Message(self._full(part, address), (_stepped(route, position),))
        elif source[0] < FIRST_KNOBS or self._takes_hold((source, part.number, address), part, route, position):
            yield Message(f"{self._full(part, address)}/normalized", (position,))

    def _takes_hold(self, key: tuple[Source, int, str], part: Part, route: Route, position: float) -> bool:
        assert route.row.read is not None
        value, knob = float(route.row.read(route.part, route.key)[0]), self._knobs.get(key)
        if knob is None:
            is_held = not part.has_switched or abs(position - value) <= _NEAR
        else:
            is_kept = knob.value is not None and abs(knob.value - value) <= _SAME
            is_held = is_kept or (knob.position - value) * (position - value) <= 0 or abs(position - value) <= _NEAR
        self._knobs[key] = _Knob(position, self._settled(part, key[2], position) if is_held else None)
        return is_held

    def _settled(self, part: Part, address: str, position: float) -> float:
        """Return where a fader stands after having been put somewhere: its end may come before."""
        parameter = self._instrument.routes()[self._full(part, address)].row.parameter
        return parameter.normalize(parameter.denormalize(position)) if parameter else position

    def forget(self, port: int) -> None:
        """Forget where the knobs of a port stood."""
        self._knobs = {key: knob for key, knob in self._knobs.items() if key[0][0] != port}

    def _full(self, part: Part, address: str) -> str:
        prefix = self._instrument.prefix
        return f"{prefix}{address}" if address.startswith("/") else f"{prefix}/part/{part.number}/{address}"

    def _route(self, part: Part, address: str) -> Route:
        """Return where an address leads, as a fader's if it has one.

        Raises
        ------
        Refused
            When it leads nowhere, or to nothing that a control can move.
        """
        routes, full = self._instrument.routes(), self._full(part, address)
        route = routes.get(f"{full}/normalized") or routes.get(full)
        if route is None:
            raise Refused(f"{address} is no address that a control can move: {self._instrument.directory.unknown(full)}")
        if route.row.act is None and (route.row.write is None or route.row.types not in ("f", "i")):
            raise Refused(f"{address} takes {route.row.takes}, and no control can move that")
        return route

    def check(self, part: Part, address: str) -> None:
        """Raise `Refused` unless a control can move an address."""
        self._route(part, address)

    # ---- learning

    def learn(self, part: Part, address: str, sender: Any) -> None:
        """Let the next control that moves move an address from then on.

        Raises
        ------
        Refused
            When no control can move it.
        """
        if part.version is None:
            raise Refused("plays no patch yet, and what is learned belongs to a patch")
        self.check(part, address)
        self.lesson = Lesson(part.number, address, sender)

    def _learn(self, part: Part, number: int) -> None:
        lesson, self.lesson = self.lesson, None
        assert lesson is not None
        freed = {other: "" for other, address in self.table(part).items() if address == lesson.address and other != number}
        self._change(part, {**freed, number: lesson.address}, lesson)

    def unlearn(self, part: Part, address: str) -> None:
        """Let no control move an address any more.

        Raises
        ------
        Refused
            When none does.
        """
        numbers = [number for number, known in self.table(part).items() if known == address]
        if not numbers:
            known = ", ".join(self.table(part).values()) or "nothing"
            raise Refused(f"no control moves {address}; controls move {known}")
        self._change(part, dict.fromkeys(numbers, ""), None)

    def _change(self, part: Part, changes: dict[int, str], lesson: Lesson | None) -> None:
        assert part.version is not None
        number = part.version.number
        self._changes = {number: self._changes.get(number, {}) | changes} | {n: c for n, c in self._changes.items() if n != number}
        self.learned(part, changes, lesson)


def _stepped(route: Route, position: float) -> float:
    """Return what a button or a value of whole steps takes from a control: pressed or not, or a step of its range."""
    parameter = route.row.parameter
    if route.row.act is not None or parameter is None:
        return float(position >= 0.5)
    if parameter.maximum == float("inf"):  # a place in a list: the control's own number
        return parameter.minimum + round(position * MAX_7_BITS)
    return parameter.minimum + round(position * (parameter.maximum - parameter.minimum))
