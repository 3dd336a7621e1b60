"""SuperCollider's binary scores, as ``Score.writeOSCFile`` writes them: bundles, each after its size, with times that begin at 0.

For ``render`` alone; imports the OSC codec. Messages are what would be sent on stage, so they bear the prefix.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..control.osc import Bundle, parse
from ..errors import OscParseError, OscsynthError, shown
from .event import MAX_SECONDS, Event

_OF_SCSYNTH = {"/g_new", "/c_set"}  # what Score puts at the beginning, and what such scores end with
_UNITS = 2**32  # of a time tag in a second


def is_binary(data: bytes) -> bool:
    """Say whether a file begins as a binary score does."""
    return data[4:12] == b"#bundle\0"


def read_binary(path: Path, data: bytes) -> list[Event]:
    """Return the events of a score, in its order.

    Raises
    ------
    OscsynthError
        With the position, in bytes, of what is cut short or malformed.
    """
    events: list[Event] = []
    at = 0
    while at < len(data):
        try:
            packet = _cut(data, at)
            bundle = parse(packet)
            if not isinstance(bundle, Bundle):
                raise OscParseError(f"a message ({bundle.address}) stands where a bundle with its time must stand")
            events += [event for event in _events(bundle, 0, f"byte {at}") if event.address not in _OF_SCSYNTH]
        except OscParseError as error:
            raise OscsynthError(f"{shown(path)}: byte {at} of {len(data)}: {error}") from None
        at += 4 + len(packet)
    return events


def _cut(data: bytes, at: int) -> bytes:
    left = len(data) - at - 4
    if left < 0:
        raise OscParseError(f"it is cut short: a size takes 4 bytes, and {left + 4} are left")
    size = int.from_bytes(data[at : at + 4], "big", signed=True)
    if size <= 0:
        raise OscParseError(f"a bundle has a size of {size} bytes")
    if size > left:
        raise OscParseError(f"it is cut short: a bundle of {size} bytes begins here, and {left} are left")
    return data[at + 4 : at + 4 + size]


def _events(bundle: Bundle, not_before: int, place: str) -> Iterator[Event]:
    time_tag = max(bundle.time_tag if bundle.time_tag > 1 else 0, not_before)
    seconds = time_tag / _UNITS
    if seconds > MAX_SECONDS:
        raise OscParseError(f"its time is {seconds:.0f} s; scores begin at 0 and end at {MAX_SECONDS:g} s")
    for element in bundle.elements:
        if isinstance(element, Bundle):
            yield from _events(element, time_tag, place)
        else:
            yield Event(seconds, element.address, element.arguments, place)
