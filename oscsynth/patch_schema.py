"""The annotations of `patch` in words: what each key takes, for the sentences of `patch_file` and the table in docs/patches.md.

Pure functions of types; any thread, imports ``patch`` alone.

>>> takes(keys(Patch)["gain_db"])
'-72 to 12'
"""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from typing import Annotated, Any, Literal

import annotated_types

from .patch import Doc, Envelope, LatentControl, MidiSettings, Mpe, Patch, Pressure, Velocity


@functools.cache
def keys(cls: Any) -> dict[str, Any]:
    """Return the keys that a file may hold, in order, with their annotations."""
    hints = typing.get_type_hints(cls, include_extras=True)
    return {field.name: hints[field.name] for field in fields(cls) if doc(hints[field.name]) is not None}


def doc(annotation: Any) -> Doc | None:
    """Return what an annotation says about its key."""
    return next((item for item in _extras(annotation) if isinstance(item, Doc)), None)


def bare(annotation: Any) -> Any:
    """Return the type without its annotations."""
    return typing.get_args(annotation)[0] if typing.get_origin(annotation) is Annotated else annotation


def takes(annotation: Any) -> str:
    """Return what may stand at a key, so that "must be" can come before it."""
    said = doc(annotation)
    if said is not None and said.takes:
        return said.takes
    kind, extras = bare(annotation), _extras(annotation)
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin is Literal:
        return " or ".join(parts) if len(parts) < 3 else f"one of {', '.join(parts)}"
    if origin in (typing.Union, types.UnionType):
        return " or ".join(takes(part) for part in parts if part is not type(None))
    if origin is tuple:
        return f"a list, each {takes(parts[0])}"
    if origin is dict or is_dataclass(kind):
        return "keys with values"
    if kind is str:
        length = next((item for item in extras if isinstance(item, annotated_types.Len)), None)
        return f"text of {length.min_length} to {length.max_length} characters" if length else "text"
    return f"{'a whole number ' if kind is int else ''}{_bounds(extras)}"


def markdown() -> str:
    """Return the tables of docs/patches.md."""
    parts = [
        _table("| key | takes | left out | what it does |", _rows(Patch)),
        "Inside `envelope`:\n",
        _table("| key | takes | left out | what it does |", _rows(Envelope)),
        "Inside `velocity`, of notes:\n",
        _table("| key | takes | left out | what it does |", _rows(Velocity)),
        "Inside `pressure`, of notes:\n",
        _table("| key | takes | left out | what it does |", _rows(Pressure)),
        "Inside each of `latents`:\n",
        _table("| key | takes | left out | what it does |", _rows(LatentControl)),
        "Inside `midi`:\n",
        _table("| key | takes | left out | what it does |", _rows(MidiSettings)),
        "Inside `mpe`, which is inside `midi`:\n",
        _table("| key | takes | left out | what it does |", _rows(Mpe)),
    ]
    return "\n".join(parts)


def _table(head: str, rows: Iterator[str]) -> str:
    return "\n".join((head, "| --- " * (head.count("|") - 1) + "|", *rows, ""))


def _rows(cls: Any) -> Iterator[str]:
    given = {field.name: field for field in fields(cls)}
    for key, annotation in keys(cls).items():
        said = doc(annotation)
        assert said is not None
        missing = given[key].default is MISSING and given[key].default_factory is MISSING
        default = "must be there" if missing else _default(key, given[key].default)
        yield f"| `{key}` | {takes(annotation)} | {default} | {said.text} |"


def _default(key: str, value: Any) -> str:
    if key == "chroma":
        return "A"
    if isinstance(value, tuple):
        return f"[{', '.join(f'{item:g}' for item in value)}]" if value else ""
    return "" if value is MISSING or value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _extras(annotation: Any) -> tuple[Any, ...]:
    return typing.get_args(annotation)[1:] if typing.get_origin(annotation) is Annotated else ()


def _bounds(extras: tuple[Any, ...]) -> str:
    low = next((item.ge for item in extras if isinstance(item, annotated_types.Ge)), None)
    high = next((item.le for item in extras if isinstance(item, annotated_types.Le)), None)
    return f"{low} to {high}" if low is not None and high is not None else "a number"
