"""Scores: what is sent when, as text, as SuperCollider's binary score, or as a standard MIDI file. For ``render`` alone."""

from __future__ import annotations

from pathlib import Path

from ..errors import OscsynthError, shown
from .binary import is_binary, read_binary
from .event import Event
from .midi_file import is_midi, read_midi
from .text import parse_line, read_text

__all__ = ["Event", "load_score", "parse_line"]


def load_score(path: Path) -> list[Event]:
    """Read a score of any kind, in order of time; what it holds says which kind it is, and the ending of its name where it holds nothing.

    Raises
    ------
    OscsynthError
        With every fault of a text in one message, a line each; with the position of the first fault in the others.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise OscsynthError(f"{shown(path)} cannot be read: {error.strerror}") from error
    if is_midi(data) or path.suffix.lower() in (".mid", ".midi"):
        events = read_midi(path, data)
    elif is_binary(data) or path.suffix.lower() == ".osc":
        events = read_binary(path, data)
    else:
        events = read_text(path, data)
    return sorted(events, key=lambda event: event.seconds)
