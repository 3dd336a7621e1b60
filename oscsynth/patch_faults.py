"""What is wrong in a file that a musician wrote, as it is said: the file, the line, the key, and what is allowed.

Any thread but audio's, any process but the engine's.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .errors import shown
from .yaml_file import Location


@dataclass(frozen=True, slots=True)
class Fault:
    """A sentence about a place in the file."""

    location: Location
    sentence: str


def fault_line(path: Path, line: int, sentence: str) -> str:
    """Return what is wrong in a line of a file; line 0 stands for the file as a whole."""
    text = f"{shown(path)}:{line}: {sentence}" if line else f"{shown(path)}: {sentence}"
    # What a file says may hold what moves a terminal's cursor.
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


def fault_at(location: Location, sentence: str) -> str:
    """Return what is wrong at a place in a file."""
    # Positions in a list are counted from 1, as neurons are.
    return ": ".join(filter(None, (".".join(str(step + 1) if isinstance(step, int) else step for step in location), sentence)))


def nearest(word: str, words: Iterable[str]) -> str:
    """Return the end of a sentence that asks whether another word was meant; nothing where none is near."""
    words = list(words)
    match = difflib.get_close_matches(word, words, 1, 0.6) or difflib.get_close_matches(word.lower(), words, 1, 0.5)
    return f"; did you mean {match[0]}?" if match else ""
