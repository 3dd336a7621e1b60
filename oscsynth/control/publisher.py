"""Shows the state to the engine so that journeys stay apart from what is changed around them.

Control process, on its event loop; imports ``link`` and ``parameters``. The engine takes the latest state once a block, and ``travel`` there
holds for everything that differs from the block before. Two packets within one block would share it: a point would jump because a fader was moved
just after it. So a state whose ``travel`` is another than the last one's waits until the engine has taken that one: two blocks at most.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable

from ..link import SharedMemory
from ..parameters import N_SLOTS, PART_SLOTS, VOICES_AT, State

PATIENCE_SECONDS = 0.05  # an engine that takes longer is not there
LOOK_EVERY_SECONDS = 0.001
_FIRST_TRAVEL = N_SLOTS + PART_SLOTS["travel"].start

Later = Callable[[float, Callable[[], None]], object]


class Publisher:
    """Writes states into shared memory, in order.

    Parameters
    ----------
    memory : SharedMemory
        Where to.
    later : callable
        Calls a function after so many seconds, as an event loop's ``call_later`` does.
    """

    def __init__(self, memory: SharedMemory, later: Later) -> None:
        self._memory = memory
        self._later = later
        self._travel: array[float] = array("d")
        self._written_seconds = 0.0
        self._waiting: list[State] = []

    def write(self, state: State) -> None:
        """Show a state as soon as may be; one that follows it with the same ``travel`` takes its place meanwhile."""
        travel = _travel(state)
        if not self._waiting and (travel == self._travel or self._is_seen()):
            self._write(state, travel)
            return
        if self._waiting and _travel(self._waiting[-1]) == travel:
            self._waiting.pop()
        self._waiting.append(_copy(state))
        if len(self._waiting) == 1:
            self._later(LOOK_EVERY_SECONDS, self._look)

    def flush(self) -> None:
        """Show the last state at once."""
        if self._waiting:
            self._write(self._waiting[-1], _travel(self._waiting[-1]))
            self._waiting.clear()

    def _look(self) -> None:
        if self._waiting and self._is_seen():
            state = self._waiting.pop(0)
            self._write(state, _travel(state))
        if self._waiting:
            self._later(LOOK_EVERY_SECONDS, self._look)

    def _write(self, state: State, travel: array[float]) -> None:
        self._memory.write_state(state)
        self._travel = travel
        self._written_seconds = time.monotonic()

    def _is_seen(self) -> bool:
        """Say whether the engine has begun, and ended, a block since the last state was written."""
        if time.monotonic() - self._written_seconds > PATIENCE_SECONDS:
            return True
        return self._memory.read_telemetry().position_seconds > self._written_seconds


def _travel(state: State) -> array[float]:
    return state.values[_FIRST_TRAVEL:VOICES_AT:N_SLOTS]


def _copy(state: State) -> State:
    return State.of(array("d", state.values), state.ahead)  # what lies ahead is never written to: another list is another array
