"""Scores as text; imports the command line's words for addresses and arguments.

A line is an event: ``1.5 latent/1 0.8`` sends 0.8 to ``/oscsynth/latent/1`` at 1.5 seconds. Empty lines and what follows a ``#``
at the beginning of a word are left out. Lines with the same time happen in the same instant, in their order.
"""

from __future__ import annotations

import math
import shlex
from pathlib import Path

from ..client import full_address, parse_argument
from ..errors import OscsynthError, shown
from .event import MAX_SECONDS, Event


def read_text(path: Path, data: bytes) -> list[Event]:
    """Return the events of a text, in its order.

    Raises
    ------
    OscsynthError
        With every fault in one message, a line each.
    """
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise OscsynthError(f"{shown(path)} is no score: neither text (UTF-8), nor SuperCollider's binary score, nor a MIDI file") from None
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
    return events


def parse_line(line: str, number: int = 0) -> Event | None:
    """Return the event of one line, None for one that holds none.

    >>> parse_line("1.5 latent/1 0.8")
    Event(seconds=1.5, address='/oscsynth/latent/1', arguments=(0.8,), place='')

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
    return Event(seconds, full_address(words[1]), tuple(parse_argument(word) for word in words[2:]), str(number) if number else "")


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
