"""Scores: what is sent when. For ``render`` alone; imports the command line's words for addresses and arguments.

A score is text, a line an event: ``1.5 latent/1 0.8`` sends 0.8 to ``/oscsynth/latent/1`` at 1.5 seconds. Empty lines and what follows a ``#``
at the beginning of a word are left out. Lines with the same time happen in the same instant, in their order.
"""

from __future__ import annotations

import math
import shlex
from dataclasses import dataclass
from pathlib import Path

from .client import Argument, full_address, parse_argument
from .errors import OscsynthError, shown

MAX_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Event:
    """One message at its time; ``line`` is where the score has it."""

    seconds: float
    address: str
    arguments: tuple[Argument, ...]
    line: int


def load_score(path: Path) -> list[Event]:
    """Read a score, in order of time.

    Raises
    ------
    OscsynthError
        With every fault in one message, a line each.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise OscsynthError(f"{shown(path)} cannot be read as text: {getattr(error, 'strerror', None) or 'it is not UTF-8'}") from error
    events, faults = [], []
    for number, line in enumerate(lines, 1):
        try:
            event = parse_line(line, number)
        except ValueError as error:
            faults.append(f"{shown(path)}:{number}: {error}")
        else:
            events += [event] if event else []
    if faults:
        raise OscsynthError("\n".join(faults))
    return sorted(events, key=lambda event: event.seconds)


def parse_line(line: str, number: int = 0) -> Event | None:
    """Return the event of one line, None for one that holds none.

    >>> parse_line("1.5 latent/1 0.8")
    Event(seconds=1.5, address='/oscsynth/latent/1', arguments=(0.8,), line=0)

    Raises
    ------
    ValueError
        With a sentence saying what a line must be.
    """
    words = shlex.split(_without_comment(line))
    if not words:
        return None
    try:
        seconds = float(words[0])
    except ValueError:
        raise ValueError(f"must begin with a time in seconds, not {words[0]!r}") from None
    if not 0.0 <= seconds <= MAX_SECONDS or math.isnan(seconds):
        raise ValueError(f"the time must be 0 to {MAX_SECONDS:g} seconds, not {words[0]}")
    if len(words) == 1:
        raise ValueError("has a time but no address: write for example `1.5 latent/1 0.8`")
    return Event(seconds, full_address(words[1]), tuple(parse_argument(word) for word in words[2:]), number)


def _without_comment(line: str) -> str:
    """Return a line up to the first ``#`` that begins a word outside of quotes; a note name such as C# is none."""
    quote = ""
    for at, character in enumerate(line):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character == "#" and (at == 0 or line[at - 1].isspace()):
            return line[:at]
    return line
