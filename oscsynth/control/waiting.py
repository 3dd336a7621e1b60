"""A bundle on its way to its time: which messages happen when, and how one that waits is kept for the control that comes after this one.

Control process; no state, no I/O.
"""

from __future__ import annotations

import io
import logging
import pickle
from collections.abc import Iterator
from typing import Any, NamedTuple, Self

from .osc import Bundle, Message

log = logging.getLogger(__name__)


class Waiting(NamedTuple):
    """What is to be done together, by whom, when, and in which order among those of the same time; ``packed`` is the same for `unpack`."""

    due_seconds: float
    order: int
    sender: Any
    messages: tuple[Message, ...]
    packed: bytes

    @classmethod
    def of(cls, due_seconds: float, order: int, sender: Any, messages: tuple[Message, ...]) -> Self:
        """Return what waits, packed."""
        # A connection does not outlive this process; an address does.
        address = sender if isinstance(sender, tuple) else None
        packed = pickle.dumps((due_seconds, order, address, [tuple(message) for message in messages]))
        return cls(due_seconds, order, sender, messages, packed)


def unpack(data: bytes) -> Iterator[tuple[float, int, Any, tuple[Message, ...]]]:
    """Give what was packed, one after the other: when, in which order, by whom and what; nothing more where it cannot be read."""
    stream = io.BytesIO(data)  # our own memory: nothing of it came over the network as a pickle
    try:
        while stream.tell() < len(data):
            due_seconds, order, sender, messages = pickle.load(stream)
            yield due_seconds, order, sender, tuple(Message(*message) for message in messages)
    except Exception as error:
        log.warning("what the last control had queued cannot be read: %s", error)


def moments(bundle: Bundle, not_before: int) -> dict[int, list[Message]]:
    """Return what happens when: an inner bundle never before the outer, and what has the same time in one instant."""
    time_tag = max(bundle.time_tag, not_before)
    found: dict[int, list[Message]] = {time_tag: []}
    for element in bundle.elements:
        if isinstance(element, Message):
            found[time_tag].append(element)
            continue
        for inner, messages in moments(element, time_tag).items():
            found.setdefault(inner, []).extend(messages)
    return found
