"""What a score holds: messages, each at its time. Imports nothing of the house but OSC's argument types."""

from __future__ import annotations

from dataclasses import dataclass

from ..control.osc import Argument

MAX_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Event:
    """One message at its time; ``place`` is where the score has it, as a sentence names it."""

    seconds: float
    address: str
    arguments: tuple[Argument, ...]
    place: str = ""
