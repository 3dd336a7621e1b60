"""One row of the address table, and how the arguments of a message become what it takes.

Any thread; imports ``parameters`` and ``osc`` alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from ..errors import OscsynthError
from ..parameters import Parameter
from .osc import IMPULSE, Argument, Midi

if TYPE_CHECKING:
    from .part import Part

Answer: TypeAlias = tuple[float | int | str, ...]
Read: TypeAlias = Callable[["Part", int], Answer]
Write: TypeAlias = Callable[["Part", int, Sequence[Any]], None]
Act: TypeAlias = Callable[["Part", int], None]
Keys: TypeAlias = Callable[["Part"], Mapping[str, int]]


class Refused(OscsynthError):
    """What a message asks for cannot be done; the text is the sentence of ``/fail``."""


class Reply(NamedTuple):
    """A message to whoever sent the one that it answers."""

    address: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One address, or one for each key.

    ``path`` is below the part (or below the prefix); ``{}`` in it stands for each label that ``keys`` gives, written as ``placeholder`` in
    docs. A value has ``read``, and ``write`` unless it can only be asked; an action has ``act``. ``types`` are OSC's; a value takes
    exactly as many arguments, or any number from ``least`` on. ``parameter`` holds range and unit.
    """

    path: str
    types: str
    description: str
    read: Read | None = None
    write: Write | None = None
    act: Act | None = None
    named: Callable[[Part, str], None] | None = None  # what an action does that is given a text
    parameter: Parameter | None = None
    keys: Keys | None = None
    placeholder: str = ""
    least: int = 0
    creates: bool = False  # a part that does not exist yet comes to be
    shows: Read | None = None  # of an action: 1 while it is what was chosen, for the light in a button
    follows_voices: bool = False  # it changes when notes begin and end, whoever ends them
    is_live: bool = False  # it changes all the time, without a message
    of_sender: bool = False  # it is about whoever sends it: no pattern means it, and nobody is told

    @property
    def kind(self) -> Literal["value", "action", "question"]:
        """What it is: a question can only be asked."""
        return "action" if self.act else "value" if self.write else "question"

    @property
    def takes(self) -> str:
        """What it takes, in words."""
        if self.types in _WORDS:
            return _WORDS[self.types]
        if len(self.types) == 1:
            return f"{'a whole number' if self.types == 'i' else 'a number'} {self.range}".strip()
        return f"{f'{self.least} to ' if self.least else ''}{len(self.types)} numbers {self.range}".strip()

    @property
    def range(self) -> str:
        """Its range with the unit, such as ``-72 to 12 dB``; empty where it has none."""
        if self.parameter is None:
            return ""
        top = f"{self.parameter.maximum:g}" if math.isfinite(self.parameter.maximum) else "..."
        return f"{self.parameter.minimum:g} to {top} {self.parameter.unit}".strip()

    @property
    def takes_types(self) -> str:
        """Its types as a table shows them: ``f``, ``12 f``, ``1 to 64 f``, ``action``, ``asked: s``."""
        if self.kind == "action":
            return "action or s" if self.named else "action"
        types = self.types if len(set(self.types)) > 1 or len(self.types) < 3 else f"{len(self.types)} {self.types[0]}"
        types = f"{self.least} to {types}" if self.least else types
        return types if self.write else f"asked: {types}"

    def coerce(self, arguments: Sequence[Argument]) -> list[Any]:
        """Return the arguments as the types of this row.

        Raises
        ------
        Refused
            When their number or a type is wrong, or one is not finite.
        """
        if any(isinstance(argument, list) for argument in arguments):
            arguments = _flatten(arguments)
        count = len(arguments)
        if count != len(self.types) and not (self.least and self.least <= count < len(self.types)):
            what = f" argument{'s' * (count != 1)}" if len(self.types) > 1 else ""
            raise Refused(f"takes {self.takes}, not {count}{what}")
        return [_COERCE[kind](self, argument) for kind, argument in zip(self.types, arguments, strict=False)]


def fires(arguments: Sequence[Argument]) -> bool:
    """Say whether the arguments of an action mean that it happens: a button sends 1 when pressed and 0 when released."""
    if not arguments or arguments[0] is IMPULSE or arguments[0] == "bang":
        return True
    first = arguments[0]
    if not isinstance(first, int | float) or not math.isfinite(first):
        raise Refused(f"happens on no argument, true, an impulse or a number of 0.5 and more, not on {describe(first)}")
    return first >= 0.5


def describe(argument: Argument) -> str:
    """Return an argument as a sentence names it."""
    if isinstance(argument, str):
        return f"the text {argument[:40]!r}"
    if isinstance(argument, float) and not math.isfinite(argument):
        return "NaN" if math.isnan(argument) else "infinity"
    if isinstance(argument, int | float):
        return f"{argument:g}" if abs(argument) < 2**64 else "a number beyond all bounds"
    return "nil" if argument is None else "a " + type(argument).__name__.lower().replace("bytes", "blob")


def _flatten(arguments: Sequence[Argument]) -> list[Argument]:
    return [inner for argument in arguments for inner in (_flatten(argument) if isinstance(argument, list) else (argument,))]


def _number(row: Row, argument: Argument) -> float:
    if isinstance(argument, float | int):  # True and False are 1 and 0
        try:
            value = float(argument)
        except OverflowError:  # pragma: no cover - OSC's integers end at 2**63
            value = math.inf
        if math.isfinite(value):
            return value
    raise Refused(f"takes {row.takes}, not {describe(argument)}")


def _whole(row: Row, argument: Argument) -> int:
    return math.floor(_number(row, argument) + 0.5)


def _text(row: Row, argument: Argument) -> str:
    if isinstance(argument, str):
        return argument
    raise Refused(f"takes {row.takes}, not {describe(argument)}")


def _midi(row: Row, argument: Argument) -> Midi:
    if isinstance(argument, Midi):
        return argument
    raise Refused(f"takes {row.takes}, not {describe(argument)}")


_WORDS = {"s": "one text", "m": "a MIDI message, of OSC's type m"}
_COERCE: dict[str, Callable[[Row, Argument], float | int | str | Midi]] = {"f": _number, "i": _whole, "s": _text, "m": _midi}
