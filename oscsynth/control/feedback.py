"""What there is to show to those who listen: every value as it was shown last, and what differs from it now.

Control process, on its event loop; imports ``encoding``. It compares instead of being told, so that no way in which a value can change is forgotten:
a message, a point, a patch, a file that was saved. A part is read again only when its row of the state is another or a message was for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from ..parameters import N_SLOTS
from .addresses import Route
from .encoding import encode
from .part import Part
from .row import Answer, Read, Reply

if TYPE_CHECKING:
    from .instrument import Instrument

_NEVER_SHOWN = {"patches", "scenes", "addresses", "status", "version", "midi/learned", "levels", "spectrum"}  # lists and figures, for those who ask
Group: TypeAlias = tuple[int, str, int]  # what moves together under one finger: a value and its position as a fader


class Entry:
    """One address of which clients are told: in the short form of part 1 and by its number; ``names`` are what else it is called."""

    __slots__ = ("_packets", "_read", "address", "answer", "follows_voices", "group", "is_gone", "is_live", "names")

    def __init__(self, route: Route, read: Read) -> None:
        self.address = route.reply
        self.names: dict[str, None] = {}
        self.is_gone = False
        self.follows_voices, self.is_live = route.row.follows_voices, route.row.is_live
        self.group = group_of(route)
        self.answer: Answer | None = None
        self._packets: dict[str, bytes] = {}
        self._read: Callable[[], Answer] = lambda: read(route.part, route.key)

    def look(self) -> bool:
        """Read the value; return whether it is another."""
        answer = self._read()
        if answer == self.answer:
            return False
        self.answer = answer
        self._packets.clear()
        return True

    def packet(self, address: str = "") -> bytes:
        """Return the message that says it, under its own address or one of its names."""
        address = address or self.address
        packet = self._packets.get(address)
        if packet is None:
            assert self.answer is not None
            packet = self._packets[address] = encode(Reply(address, self.answer))
        return packet


def group_of(route: Route) -> Group:
    """Return what a route's value moves together with."""
    return route.part.number, route.row.path.removesuffix("/normalized"), route.key


class Picture:
    """Every value as it was when it was last looked at."""

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self._entries: dict[tuple[Part, str, int], Entry] = {}
        self._routes: dict[str, Route] = {}
        self._of_part: dict[int, list[Entry]] = {}
        self._states: dict[int, bytes] = {}
        self._playing: tuple[dict[int, int], str] = {}, ""
        self._told: set[int] = set()
        self._of_voices: list[Entry] = []
        self._live: list[Entry] = []
        self._voices_revision = -1

    @property
    def entries(self) -> list[Entry]:
        """All of them, in the order of the tables."""
        return list(self._entries.values())

    def told(self, number: int) -> None:
        """Have a part looked at next time, as a message was for it; the whole may mean every part."""
        self._told.add(number)

    def look(self) -> tuple[list[Entry], bool]:
        """Return the entries that are new or have changed, and whether a part plays another patch or all another scene than before."""
        instrument = self._instrument
        routes = instrument.routes()
        is_rebuilt = routes is not self._routes
        if is_rebuilt:
            self._rebuild(routes)
        everywhere = is_rebuilt or 0 in self._told
        changed = [
            entry
            for number, entries in self._of_part.items()
            if self._is_another(number) or everywhere or number in self._told
            for entry in entries
            if entry.look()
        ]
        self._told.clear()
        if instrument.state.voices_revision != self._voices_revision:
            self._voices_revision = instrument.state.voices_revision
            changed += [entry for entry in self._of_voices if entry.look()]
        changed += [entry for entry in self._live if entry.look()]
        playing = {part.number: part.version.number for part in instrument.parts.values() if part.version}, instrument.scenes.current
        is_switched = playing != self._playing
        self._playing = playing
        return changed, is_switched

    def _is_another(self, number: int) -> bool:
        state = self._instrument.state.values[number * N_SLOTS : (number + 1) * N_SLOTS].tobytes()  # NaN is no other value than NaN
        if self._states.get(number) == state:
            return False
        self._states[number] = state
        return True

    def _rebuild(self, routes: dict[str, Route]) -> None:
        before, self._entries = self._entries, {}
        for route, read in _shown(routes):
            key = route.part, route.row.path, route.key
            entry = self._entries.get(key)
            if entry is None:
                # What was shown stands, so that only what differs is said.
                entry = self._entries[key] = before.pop(key) if key in before else Entry(route, read)
                entry.names.clear()
            elif route.reply != entry.address:
                entry.names[route.reply] = None
        for entry in before.values():
            entry.is_gone = True
        self._routes, self._of_part = routes, {}
        for entry in self._entries.values():
            self._of_part.setdefault(entry.group[0], []).append(entry)
        self._of_voices = [entry for entry in self._entries.values() if entry.follows_voices]
        self._live = [entry for entry in self._entries.values() if entry.is_live]


def _shown(routes: dict[str, Route]) -> Iterator[tuple[Route, Read]]:
    for route in routes.values():
        row = route.row
        read = row.read or row.shows
        if read is not None and not row.of_sender and row.path not in _NEVER_SHOWN:
            yield route, read
