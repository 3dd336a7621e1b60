"""The state as it is in force at each sample: control's latest values, and over them the changes whose time has come.

Engine process, rendering thread; imports ``link``, ``parameters`` and ``schedule``. Never waits.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .link import AHEAD_AT, STATE_DOUBLES, SharedMemory
from .parameters import MASTER_SLOTS, MAX_VOICES, N_VOICE_SLOTS, VOICE_SLOTS, VOICES_AT
from .schedule import SampleClock

MAX_INSTANTS = 8  # in each clock of the engine, which takes no more; what comes later waits for the next
OVERDUE_SECONDS = 0.05  # a note that should have begun longer ago is left out
_FADE = MASTER_SLOTS["fade"].start
_STARTED, _SINCE, _VELOCITY = (VOICE_SLOTS[name].start for name in ("started", "since", "velocity"))

State = NDArray[np.float64]


class TimedState:
    """Reads what control writes, and cuts each block where something is due.

    Parameters
    ----------
    memory : SharedMemory
        Where control writes.
    clock_samples : int
        The engine's clock.

    Attributes
    ----------
    clock : SampleClock
        What ties samples to moments.
    reached_seconds : float
        What was due before has happened.
    leaving : bool
        Fades everything out, whatever control says.
    """

    def __init__(self, memory: SharedMemory, sample_rate_hz: int, clock_samples: int) -> None:
        self.clock = SampleClock(sample_rate_hz)
        self.reached_seconds = 0.0
        self.leaving = False
        self._memory = memory
        self._clock_samples = clock_samples
        shared = np.zeros(STATE_DOUBLES)
        self._bytes = shared.data.cast("B")
        self._sequence = -1
        self._stands: tuple[int, bool] | None = None  # of which state, and whether leaving, nothing is left to happen
        self._values = shared[:AHEAD_AT]
        self._n_ahead = shared[AHEAD_AT : AHEAD_AT + 1]
        self._ahead = shared[AHEAD_AT + 1 :].reshape(-1, 3)
        self._in_force = np.zeros(AHEAD_AT)
        self._voices = self._in_force[VOICES_AT:].reshape(MAX_VOICES, N_VOICE_SLOTS)
        self._known = np.zeros(MAX_VOICES)
        self._rate_hz = sample_rate_hz
        self._awaited_seconds = np.inf  # when the next block should be asked for
        self._calls: list[tuple[int, float]] = []  # that the clock has not been told yet

    def stands(self, position: int, n_samples: int, begun_seconds: float) -> bool:
        """Return whether nothing happens in a block, which then needs no `pieces`; the parameters are the same.

        It looks whether anything was said at all, and leaves everything else to the next call of `pieces`: `Renderer` says why.
        """
        if self._stands != (self._memory.state_sequence, self.leaving) or begun_seconds > self._awaited_seconds + OVERDUE_SECONDS:
            return False
        self._awaited_seconds = begun_seconds + n_samples / self._rate_hz
        self._calls.append((position, begun_seconds))
        return True

    def pieces(self, position: int, n_samples: int, begun_seconds: float) -> Iterator[tuple[State | None, int]]:
        """Yield the pieces of a block: the state in force, float64 (N_VALUES,), None if it is what it was before, and for how many samples.

        Parameters
        ----------
        position : int
            The engine sample at which the block begins.
        begun_seconds : float
            When the device asked for it.
        """
        self._sequence = self._memory.read_state(self._bytes, self._sequence)
        for call in self._calls:
            self.clock.observe(*call)
        if self._calls:
            self._calls.clear()
            self.reached_seconds = max(self.reached_seconds, self.clock.seconds(position))
        self.clock.observe(position, begun_seconds)
        end = position + n_samples
        has_stood = begun_seconds > self._awaited_seconds + OVERDUE_SECONDS
        self._awaited_seconds = begun_seconds + n_samples / self._rate_hz
        if self._stands == (self._sequence, self.leaving) and not has_stood:
            self.reached_seconds = max(self.reached_seconds, self.clock.seconds(end))
            yield None, n_samples
            return
        self._in_force[:] = self._values
        if has_stood:
            self._leave_out(begun_seconds - OVERDUE_SECONDS)
        for start, changes in self._due(position, end):
            if start > position:
                yield self._state(), start - position
                position = start
            # In order of time: where one number is changed twice, the later change stays.
            self._in_force[changes[:, 1].astype(np.intp)] = changes[:, 2]
            if has_stood:
                self._leave_out(begun_seconds - OVERDUE_SECONDS)
        self.reached_seconds = max(self.reached_seconds, self.clock.seconds(end))
        self._known[:] = self._voices[:, _STARTED]
        self._stands = (self._sequence, self.leaving) if not self._n_ahead[0] else None
        yield self._state(), end - position

    def _leave_out(self, seconds: float) -> None:
        """Have the notes make no sound that should have begun before a moment, while nothing was rendered."""
        late = (self._voices[:, _STARTED] > self._known) & (self._voices[:, _SINCE] < seconds)
        self._voices[late, _VELOCITY] = 0.0

    def _state(self) -> State:
        if self.leaving:
            self._in_force[_FADE] = 0.0
        return self._in_force

    def _due(self, position: int, end: int) -> Iterator[tuple[int, State]]:
        """Yield the changes up to the end of a block, float64 (changes, 3), with the sample at which they happen."""
        ahead = self._ahead[: int(self._n_ahead[0])]
        if not len(ahead):
            return
        # What has happened stays so, even if the clock was put right since.
        first = int(np.searchsorted(ahead[:, 0], self.reached_seconds))
        if first:
            yield position, ahead[:first]
        samples, at, start, instants = np.rint(self.clock.sample(ahead[first:, 0])), first, position, 0
        while at < len(ahead) and samples[at - first] < end:
            before, start = start, max(start, int(samples[at - first]))
            instants = instants + 1 if before // self._clock_samples == start // self._clock_samples else 0
            if instants >= MAX_INSTANTS:
                start, instants = start - start % self._clock_samples + self._clock_samples, 0
                if start >= end:
                    return
            upto = first + int(np.searchsorted(samples, start, "right"))
            yield start, ahead[at:upto]
            at = upto
