"""What was handed to the engine and is not due yet: bundles as the changes that they will make.

Control process, one thread; imports ``parameters``. The state itself stays as it is in force; these changes lie beside it, in ``state.ahead``.
A change whose moment has come is taken over into the state, but the engine may be late and have that moment before it still: until it is known
to have got past it, the engine is shown the state as it was before, and what came since as changes with a time.
"""

from __future__ import annotations

import contextlib
import math
from array import array
from bisect import insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..parameters import MAX_CHANGES_AHEAD, N_SLOTS, N_VOICE_SLOTS, VOICE_SLOTS, VOICES_AT, State, voice_at
from .row import Reply


@dataclass(slots=True)
class Handed:
    """One bundle: when it is due, in which order it came, from whom, the changes by place in the state, and the replies that wait for it."""

    due_seconds: float
    order: int
    sender: Any
    changes: dict[int, float]
    replies: list[Reply]
    numbers: array[float] = field(default_factory=lambda: array("d"))  # the changes as the engine is told of them
    voices: tuple[tuple[int, float], ...] = ()  # where the voices begin that it changes, and which of their notes it is about

    def __post_init__(self) -> None:
        voices = dict.fromkeys(at - (at - VOICES_AT) % N_VOICE_SLOTS for at in self.changes if at >= VOICES_AT)
        self.voices = tuple((voice, _note(voice, self.changes)) for voice in voices)
        self.numbers = array("d", [number for at, value in self.changes.items() for number in (self.due_seconds, at, value)])

    def leave_out(self, leaves_out: Callable[[int], bool], values: array[float]) -> None:
        """Leave out the changes of some parts, with their notes; ``values`` says whose a voice is that is not new."""
        self.changes = {at: value for at, value in self.changes.items() if not leaves_out(self._part(at, values))}
        self.__post_init__()

    def _part(self, at: int, values: array[float]) -> int:
        if at < VOICES_AT:
            return at // N_SLOTS
        owner = voice_at((at - VOICES_AT) // N_VOICE_SLOTS, "part")
        return int(self.changes.get(owner, values[owner]))


_PIECE = 128
_STARTED = VOICE_SLOTS["started"].start
_COUNTS = tuple(VOICE_SLOTS[name].start for name in ("started", "lifted", "ended"))
PATIENCE_SECONDS = 0.5  # an engine that is later than that is not there
_AFTER_SECONDS = 0.0001  # a few samples: an instant of its own, since a journey must not take along what changed just before it


class Ahead:
    """All of them, in order of time; those of an earlier control at first."""

    def __init__(self, state: State) -> None:
        self._state = state
        changes: dict[float, dict[int, float]] = {}
        for due_seconds, at, value in zip(state.ahead[::3], state.ahead[1::3], state.ahead[2::3], strict=True):
            changes.setdefault(due_seconds, {})[int(at)] = value
        self._handed = [Handed(due_seconds, 0, None, each, []) for due_seconds, each in changes.items()]
        self._passing: list[tuple[Handed, array[float]]] = []  # taken over, with the state before that, while the engine may be behind

    def __len__(self) -> int:
        return len(self._handed)

    def __iter__(self) -> Iterator[Handed]:
        return iter(self._handed)

    @property
    def first_seconds(self) -> float:
        """When the first is due; infinity when there is none."""
        return self._handed[0].due_seconds if self._handed else float("inf")

    @property
    def last_seconds(self) -> float:
        """When the last is due; minus infinity when there is none."""
        return self._handed[-1].due_seconds if self._handed else float("-inf")

    def add(self, handed: Handed) -> None:
        """Put one in its place; those of the same time are in the order in which they came."""
        insort(self._handed, handed, key=lambda each: (each.due_seconds, each.order))

    def take_over(self) -> Handed:
        """Make the state hold the first, and take it out."""
        handed = self._handed.pop(0)
        self._passing.append((handed, array("d", self._state.values)))
        _apply(handed, self._state.values)
        self._state.voices_revision += 1
        return handed

    def clear(self) -> None:
        """Drop all."""
        self._handed.clear()

    @contextlib.contextmanager
    def foreseen(self, seconds: float = float("inf")) -> Iterator[None]:
        """Let the state be, for a moment, what it will be then."""
        values = self._state.values
        now = array("d", values)
        for handed in self._handed:
            if handed.due_seconds > seconds:
                break
            _apply(handed, values)
        try:
            yield
        finally:
            values[:] = now

    def show(self) -> bool:
        """Put all where the engine looks, no bundle without its end; return whether that is new."""
        ahead = array("d")
        for handed in self._handed:
            if len(ahead) + len(handed.numbers) > 3 * MAX_CHANGES_AHEAD:
                break
            ahead += handed.numbers
        if ahead == self._state.ahead:
            return False
        self._state.ahead = ahead
        return True

    def shown(self, now_seconds: float, reached_seconds: Callable[[], float]) -> State:
        """Return the state as the engine must see it, which has got as far as it says."""
        if self._passing:
            passed_seconds = max(reached_seconds(), now_seconds - PATIENCE_SECONDS)
            self._passing = [each for each in self._passing if each[0].due_seconds >= passed_seconds]
        if not self._passing:
            return self._state
        shown = State.of(array("d", self._passing[0][1]), array("d"))
        expected = array("d", shown.values)
        for handed, _ in self._passing:
            _apply(handed, expected)
            shown.ahead += handed.numbers
        first_seconds = min(self._passing[-1][0].due_seconds + _AFTER_SECONDS, self.first_seconds)
        for at in _differences(expected, self._state.values):
            shown.ahead.extend((first_seconds, at, self._state.values[at]))
        shown.ahead += self._state.ahead
        return shown if len(shown.ahead) <= 3 * MAX_CHANGES_AHEAD else self._state


def _differences(before: array[float], now: array[float]) -> Iterator[int]:
    """Yield where two arrays differ; as bytes, since NaN does not equal itself, and piece by piece, as most are the same."""
    old, new = memoryview(before).cast("B"), memoryview(now).cast("B")
    for start in range(0, len(before), _PIECE):
        if old[8 * start : 8 * (start + _PIECE)] != new[8 * start : 8 * (start + _PIECE)]:
            for at in range(start, min(start + _PIECE, len(before))):
                if old[8 * at : 8 * at + 8] != new[8 * at : 8 * at + 8]:
                    yield at


def _apply(handed: Handed, values: array[float]) -> None:
    # Not to a voice that has been given to a newer note.
    over = [first for first, note in handed.voices if values[first + _STARTED] > note]
    for at, value in handed.changes.items() if not over else _without(handed.changes, over):
        values[at] = value


def _without(changes: dict[int, float], voices: list[int]) -> list[tuple[int, float]]:
    return [(at, value) for at, value in changes.items() if not any(first <= at < first + N_VOICE_SLOTS for first in voices)]


def _note(voice: int, changes: dict[int, float]) -> float:
    """Return which note of a voice some changes are about, infinity if they do not say."""
    return max((changes[voice + slot] for slot in _COUNTS if voice + slot in changes), default=math.inf)
