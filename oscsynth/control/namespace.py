"""What OSCQuery says of each address: the tree of nodes, made from the table of addresses and the values that stand.

Control process, one thread; no I/O, imports the address table alone. The proposal is at https://github.com/Vidvox/OSCQueryProposal.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..units import PITCH_CLASSES
from .addresses import Route
from .instrument import Instrument
from .part import Part

ATTRIBUTES = frozenset({"FULL_PATH", "CONTENTS", "TYPE", "ACCESS", "VALUE", "RANGE", "DESCRIPTION", "UNIT", "CLIPMODE"})
# What the proposal names beside these; they are asked for in good faith, and no node has them.
OTHER_ATTRIBUTES = frozenset({"TAGS", "EXTENDED_TYPE", "CRITICAL", "OVERLOADS", "HTML"})
EXTENSIONS = {
    **dict.fromkeys(("ACCESS", "VALUE", "RANGE", "DESCRIPTION", "UNIT", "CLIPMODE"), True),
    **dict.fromkeys(("LISTEN", "IGNORE", "PATH_CHANGED", "PATH_ADDED", "PATH_REMOVED"), True),
    **dict.fromkeys(("TAGS", "EXTENDED_TYPE", "CRITICAL", "OVERLOADS", "HTML", "PATH_RENAMED", "OSC_STREAMING"), False),
}
_READ, _WRITE = 1, 2

_CHOICES: dict[str, Callable[[Part], Iterable[str]]] = {
    "patch": lambda part: part.instrument.shelf.names,
    "chroma/name": lambda part: PITCH_CLASSES,
    "point": Part.points,
    "morph/from": Part.points,
    "morph/to": Part.points,
    "transfer/from": Part.instruments,
    "transfer/to": Part.instruments,
    "scene": lambda part: part.instrument.scenes.names,
}


class Namespace:
    """The tree as it is now, and what stands in it.

    Parameters
    ----------
    instrument : Instrument
        Whose addresses they are; those of part 1 stand in the tree in their short form.
    """

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self._table: Mapping[str, Route] = {}
        self._nodes: dict[str, dict[str, Any]] = {}
        self._paths: frozenset[str] = frozenset()

    def node(self, path: str) -> dict[str, Any] | None:
        """Return all that is known of an address or of one that others begin with, without what lies below; None if there is no such one."""
        path = _clean(path)
        node = self._tree().get(path)
        route = self._table.get(path)
        if node is None and route is not None:  # a long form of part 1
            return _with_value(_describe(path, route), route)
        return node if node is None or route is None else _with_value(node, route)

    def whole_node(self, path: str) -> dict[str, Any] | None:
        """Return a node with all nodes below it under ``CONTENTS``."""
        node = self.node(path)
        if node is None or "CONTENTS" not in node:
            return node
        below = {name: self.whole_node(f"{_clean(path).rstrip('/')}/{name}") for name in node["CONTENTS"]}
        return {**node, "CONTENTS": below}

    def value(self, path: str) -> tuple[Any, ...] | None:
        """Return what an address answers now, None if it answers nothing."""
        route = self._instrument.routes().get(path)
        return route.row.read(route.part, route.key) if route is not None and route.row.read is not None else None

    def is_live(self, path: str) -> bool:
        """Say whether an address answers something else all the time, without a message."""
        route = self._instrument.routes().get(path)
        return route is not None and route.row.is_live

    def paths(self) -> frozenset[str]:
        """Return every path that has a node."""
        self._tree()
        return self._paths

    def fingerprint(self) -> tuple[object, ...]:
        """Return something that is another whenever a value has been changed by a message."""
        remembered = [
            (m.point, m.morph, m.morph_from, m.morph_to, m.point_seconds, m.snapshot_seconds, *m.snapshots, *m.weights, *m.timbre)
            for m in (part.memory for part in self._instrument.parts.values())
        ]
        return self._instrument.state.values.tobytes(), remembered, self.playing()

    def playing(self) -> tuple[object, ...]:
        """Return something that is another whenever names, choices or ranges may have changed: patches of the parts, and the list of patches."""
        parts = ((part.number, part.version and part.version.number) for part in self._instrument.parts.values())
        return (*parts, *self._instrument.shelf.names, self._instrument.scenes.current, *self._instrument.scenes.all)

    def _tree(self) -> dict[str, dict[str, Any]]:
        table = self._instrument.routes()
        if table is not self._table:
            self._table, self._nodes = table, _grow(table)
            self._paths = self._paths if self._paths == self._nodes.keys() else frozenset(self._nodes)
        return self._nodes


def topmost(paths: Iterable[str]) -> list[str]:
    """Return the paths of a set that lie below no other of the set, sorted."""
    everything = set(paths)
    return sorted(path for path in everything if _parent(path) not in everything)


def _grow(table: Mapping[str, Route]) -> dict[str, dict[str, Any]]:
    nodes: dict[str, dict[str, Any]] = {"/": {"FULL_PATH": "/", "ACCESS": 0, "CONTENTS": {}, "DESCRIPTION": "oscsynth"}}
    for address, route in table.items():
        if route.reply != address:
            continue
        nodes[address] = {**nodes.get(address, {}), **_describe(address, route)}
        path = address
        while path != "/":
            above = _parent(path)
            contents = nodes.setdefault(above, {"FULL_PATH": above, "ACCESS": 0}).setdefault("CONTENTS", {})
            if (name := path.rpartition("/")[2]) in contents:
                break
            contents[name], path = None, above
    return nodes


def _describe(address: str, route: Route) -> dict[str, Any]:
    part, row = route.part, route.row
    node: dict[str, Any] = {"FULL_PATH": address, "DESCRIPTION": row.description}
    node["ACCESS"] = _READ * (row.read is not None) + _WRITE * (row.write is not None or row.act is not None)
    if row.act is not None:
        return {**node, "TYPE": "I"}
    count = len(row.read(part, route.key)) if row.read and row.least else len(row.types)
    node["TYPE"] = row.types[:count]
    if row.path in _CHOICES:
        node["RANGE"] = [{"VALS": list(_CHOICES[row.path](part))}]
    if row.parameter is not None:
        limits = {"MIN": row.parameter.minimum, "MAX": row.parameter.maximum}
        if row.types[0] == "i":
            limits = {name: int(limit) if math.isfinite(limit) else limit for name, limit in limits.items()}
        if not math.isfinite(row.parameter.maximum):
            # A place in the list of scenes or of patches.
            limits["MAX"] = len(part.instrument.scenes.all if row.path.startswith("scene") else part.instrument.shelf.names)
        node |= {"RANGE": [limits] * count, "CLIPMODE": ["both"] * count}
        if row.parameter.unit:
            node["UNIT"] = [row.parameter.unit] * count
    return node


def _with_value(node: dict[str, Any], route: Route) -> dict[str, Any]:
    row = route.row
    if row.read is None:
        return node
    answer = row.read(route.part, route.key)
    # What can only be asked says something as long as it likes.
    return {**node, "VALUE": answer} if row.write else {**node, "VALUE": answer, "TYPE": _types(answer)}


def _types(answer: Sequence[object]) -> str:
    return "".join("s" if isinstance(item, str) else "i" if isinstance(item, int) else "f" for item in answer)


def _clean(path: str) -> str:
    return "/" + path.strip("/")


def _parent(path: str) -> str:
    return path.rpartition("/")[0] or "/" if path != "/" else ""
