"""Every address as it is now: which route each leads to, what a pattern means, and what somebody meant who mistyped one.

Control process, one thread.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..parameters import MAX_PARTS
from .addresses import Route, find, routes
from .osc import Argument
from .patterns import Tree
from .row import Refused

if TYPE_CHECKING:
    from .instrument import Instrument
    from .part import Part

PART_ADDRESS = re.compile(r"part/(\d{1,9})(?:/(.+))?")
_MAX_PATTERNS = 256
_BESIDE = ("/normalized", "/text", "/name")


class Directory:
    """The addresses of an instrument.

    Attributes
    ----------
    known : dict
        The routes by address; empty until they are asked for by `routes` after a part has changed.
    """

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self.known: dict[str, Route] = {}
        self._of_part: dict[int, dict[str, Route]] = {}
        self._tree: Tree | None = None
        self._patterns: dict[str, list[Route]] = {}

    def routes(self) -> dict[str, Route]:
        """Return every address as it is now."""
        if not self.known:
            instrument = self._instrument
            for part in (*instrument.parts.values(), instrument.whole):
                if part.number not in self._of_part:
                    self._of_part[part.number] = routes(part, instrument.prefix)
                self.known.update(self._of_part[part.number])
        return self.known

    def part_changed(self, part: Part) -> None:
        """Have the addresses of a part made anew."""
        self._of_part.pop(part.number, None)
        self.known, self._tree, self._patterns = {}, None, {}

    def found(self, pattern: str) -> list[Route] | None:
        """Return what a pattern means, None if it was not looked for yet."""
        return self._patterns.get(pattern)

    def find(self, pattern: str) -> list[Route]:
        """Look for what a pattern means."""
        table = self.routes()
        if self._tree is None:
            self._tree = Tree(table)
        # An address has several forms, and each place is meant once.
        meant = {(route.part.number, id(route.row), route.key): route for route in reversed([table[address] for address in self._tree.find(pattern)])}
        found = [route for route in reversed(meant.values()) if not route.row.of_sender]
        # Who asks for everything does not want to press every button as well.
        if any(route.row.act is None for route in found):
            found = [route for route in found if route.row.act is None]
        if len(self._patterns) >= _MAX_PATTERNS:
            self._patterns.clear()
        self._patterns[pattern] = found
        return found

    def put(self, part: Part, address: str, arguments: Sequence[Argument]) -> None:
        """Set a value of a part by its address below the part.

        Raises
        ------
        Refused
            When there is no such value or it takes something else.
        """
        row, key = find(part, address)
        if row is None or row.write is None:
            raise Refused("there is no such value")
        row.write(part, key, row.coerce(arguments))

    def unknown(self, address: str) -> str:
        """Return the sentence about an address that is not there, with the nearest that is."""
        prefix, parts = self._instrument.prefix, self._instrument.parts
        below = address[len(prefix) + 1 :] if address.startswith(prefix + "/") else ""
        if (found := PART_ADDRESS.fullmatch(below)) is not None and int(found[1]) not in parts:
            number = int(found[1])
            if not 1 <= number <= MAX_PARTS:
                return f"there is no part {number}: parts are 1 to {MAX_PARTS}"
            return f"part {number} does not exist: {prefix}/part/{number}/patch NAME creates it"
        # Held against what comes below the prefix: a long beginning that all share makes everything look near.
        names = [known[len(prefix) + 1 :] for known in self.routes()]
        in_part = f"part/{found[1] if found else ''}"
        is_beside = bool(difflib.get_close_matches(address.rpartition("/")[2][:80], ("normalized", "text", "name"), 1, 0.7))
        known = [name for name in names if name.startswith(in_part) == bool(found) and name.endswith(_BESIDE) == is_beside]
        close = difflib.get_close_matches((below or address[1:])[:80], known, 1, 0.6)
        if close:
            return f"there is no such address, the nearest is {prefix}/{close[0]}"
        return f"there is no such address; {f'{prefix}/addresses lists them all' if below else f'all begin with {prefix}/'}"
