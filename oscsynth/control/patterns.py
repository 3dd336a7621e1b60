"""OSC's wildcards: which addresses a pattern means, in time linear in the pattern for each name it is held against.

Any thread; imports nothing of the house but ``row``'s `Refused`. A name's positions are the bits of one integer, and each element of the
pattern moves all of them at once: nothing is ever tried twice, as a backtracking matcher would.

>>> [name for name in ("bow", "air", "breath") if match(compile_segment("b{ow,rea}*"), name)]
['bow', 'breath']
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from .row import Refused

WILD = frozenset("*?[]{}")
MAX_PATTERN = 256  # characters
MAX_LEVELS = 12
_PRINTABLE = frozenset(map(chr, range(32, 127)))

# A set of characters ("" with True: any), a star, or alternatives.
Element: TypeAlias = tuple[str, frozenset[str] | tuple[str, ...] | None]


def is_pattern(address: str) -> bool:
    """Say whether an address is one for several."""
    return not WILD.isdisjoint(address) or "//" in address


def compile_segment(segment: str) -> list[Element]:
    """Return the elements of what stands between two slashes.

    Raises
    ------
    Refused
        When a bracket is not closed, is empty, or holds a range that runs backwards.
    """
    elements: list[Element] = []
    at = 0
    while at < len(segment):
        character = segment[at]
        if character == "*":
            if elements[-1:] != [("*", None)]:
                elements.append(("*", None))
        elif character == "?":
            elements.append(("?", None))
        elif character in "[{":
            end = segment.find("]" if character == "[" else "}", at)
            if end <= at + 1:
                raise Refused(f"the pattern has a {character} that is empty or is not closed")
            inside = segment[at + 1 : end]
            elements.append(_character_set(inside) if character == "[" else ("{", tuple(inside.split(","))))
            at = end
        elif character in "]}":
            raise Refused(f"the pattern has a {character} that closes nothing")
        else:
            elements.append(("[", frozenset(character)))
        at += 1
    return elements


def _character_set(inside: str) -> Element:
    negated, inside = inside[0] == "!", inside.removeprefix("!")
    characters, at = set[str](), 0
    while at < len(inside):
        if inside[at + 1 : at + 2] == "-" and at + 2 < len(inside):
            first, last = ord(inside[at]), ord(inside[at + 2])
            if not first <= last < 128:
                raise Refused(f"the pattern has a range {inside[at : at + 3]} that runs backwards")
            characters |= set(map(chr, range(first, last + 1)))
            at += 3
        else:
            characters.add(inside[at])
            at += 1
    return "!" if negated else "[", frozenset(characters)


def match(elements: Iterable[Element], name: str) -> bool:
    """Say whether a name fits the whole pattern."""
    whole = (2 << len(name)) - 1
    reached = 1  # bit i: the elements so far fit the first i characters
    for kind, what in elements:
        if kind == "*":
            reached = whole & -(reached & -reached)  # from the first position on, every one
        elif kind == "?":
            reached = reached << 1 & whole
        elif kind == "{":
            reached = _alternatives(what or (), name, reached)
        else:
            reached = (reached & _positions(what or (), name, kind == "!")) << 1
        if not reached:
            return False
    return bool(reached >> len(name))


def _positions(characters: Iterable[str], name: str, negated: bool) -> int:
    return sum(1 << at for at, character in enumerate(name) if (character in characters) != negated)


def _alternatives(texts: Iterable[str], name: str, reached: int) -> int:
    after = 0
    for text in texts:
        at = name.find(text)
        while at >= 0:
            if reached >> at & 1:
                after |= 1 << at + len(text)
            at = name.find(text, at + 1) if at < len(name) else -1
    return after


class Tree:
    """Addresses by their levels.

    Parameters
    ----------
    addresses : iterable of str
        Each with its leading slash.
    """

    def __init__(self, addresses: Iterable[str]) -> None:
        self._root = _Node()
        for address in addresses:
            node = self._root
            for name in address.split("/")[1:]:
                node = node.below.setdefault(name, _Node())
            node.address = address

    def find(self, pattern: str) -> list[str]:
        """Return every address that a pattern means, in order; ``//`` stands for any number of levels.

        Raises
        ------
        Refused
            When the pattern is malformed or too long.
        """
        segments = pattern.split("/")[1:]
        if len(pattern) > MAX_PATTERN or len(segments) > MAX_LEVELS:
            raise Refused(f"the pattern is too long: at most {MAX_PATTERN} characters and {MAX_LEVELS} levels")
        nodes = [self._root]
        for segment in segments:
            if not segment:
                nodes = list(dict.fromkeys(inner for node in nodes for inner in node.everything()))
                continue
            elements = compile_segment(segment)
            nodes = [below for node in nodes for name, below in node.below.items() if match(elements, name)]
        return [node.address for node in nodes if node.address and segments[-1]]


class _Node:
    __slots__ = ("address", "below")

    def __init__(self) -> None:
        self.address = ""
        self.below: dict[str, _Node] = {}

    def everything(self) -> Iterator[_Node]:
        yield self
        for node in self.below.values():
            yield from node.everything()
