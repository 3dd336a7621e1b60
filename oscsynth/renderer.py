"""What the device calls: at each block the newest state, rendered, and how that went. Engine process, rendering thread.

It opens no file, socket or log, and waits for nothing. Imports ``sound``, ``audio`` and what crosses between the processes.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .audio import Backend
from .audio.guard import Guard
from .link import SharedMemory
from .real_time import heap_reserve
from .tap import Tap
from .timed_state import TimedState

if TYPE_CHECKING:
    from .audio.inputs import Input

LOAD_SMOOTHING_SECONDS = 0.5
COUNT_EVERY_SAMPLES = 2048  # what takes a while to count, and is looked at less often


class Renderer:
    """At each block: takes the newest state and what lies ahead, has it rendered, says in the telemetry how it went.

    ``state.leaving`` fades everything out, whatever control says. ``clock`` returns seconds, as ``time.monotonic`` does, ``own_clock`` those that
    this thread has computed. What does not fit into a block waits for the next, and where blocks take nearly as long as they last, some of the sound
    is given up (`sound.overload`); where a late one ``has_time`` nothing waits, and what they take on the whole counts.
    """

    def __init__(
        self,
        memory: SharedMemory,
        sample_rate_hz: int,
        n_channels: int,
        tap: Tap | None = None,
        has_time: bool = False,
        clock: Callable[[], float] = time.monotonic,
        own_clock: Callable[[], float] = time.thread_time,
    ) -> None:
        from .sound.budget import Budget
        from .sound.engine import Engine  # here, so that it is imported while the device opens
        from .sound.overload import Overload

        self._budget, self._has_time = Budget(clock), has_time
        self.engine = Engine(sample_rate_hz, n_channels, None if has_time else self._budget)
        self.state = TimedState(memory, sample_rate_hz, self.engine.stft.clock_samples)
        self.loaded = 0
        self.is_hurried = False
        self.backend: Backend | None = None
        self.input: Input | None = None  # what is listened to
        self.guard = Guard(self._next, n_channels)
        self.shed = 0  # notes given up, and patches that were fading out
        self._counts, self._count_at = (0.0, 0.0, 0.0), 0  # faults, parts and voices, and when they are counted again
        self._overload = Overload()
        self._clock, self._own_clock = clock, own_clock
        self._tap = tap
        self._memory = memory
        self._reserve = heap_reserve()
        self._is_laid = False  # the block at hand, in the tap
        self._stood_samples, self._stood_seconds = 0, 0.0  # since a block was rendered, and the time that took
        self._rate_hz = float(sample_rate_hz)
        self._load = self._load_peak = self._peak = self._peak_before = 0.0
        self._peak_until, self._late, self._held_up, self._pid = sample_rate_hz, 0, 0, float(os.getpid())

    def __call__(self, n_samples: int) -> NDArray[np.float32]:
        """Return the next block as the device gets it, and as whoever listens or records does."""
        next(self._reserve, None)
        block = self.guard(n_samples)
        if self._tap is not None and not self._is_laid:
            self._tap.write(block.data)
            if len(ready := self.engine.ready):
                self._tap.lay(ready.data)
        return block

    def _next(self, n_samples: int) -> NDArray[np.float32]:
        """Return the next block: what was made ahead where nothing was said since.

        A processor that has slept since the last block takes ten times as long for the same code, and most of that goes by the amount of code.
        Hence all that can wait is done once for many such blocks, by the next that is rendered.
        """
        begun_seconds, first, engine = self._clock(), self.engine.position_samples, self.engine
        self._is_laid = False
        if not engine.is_ready(n_samples) or self.input or self.guard.is_silent or not self.state.stands(first, n_samples, begun_seconds):
            return self._render(n_samples, begun_seconds)
        block = engine.go_on(n_samples)
        self._is_laid = self._tap is not None and self._tap.go_on(n_samples)
        self._memory.write_position(engine.position_samples, begun_seconds)
        busy_seconds = self._clock() - begun_seconds
        self._stood_samples += n_samples
        self._stood_seconds += busy_seconds
        if busy_seconds > n_samples / self._rate_hz:
            self._late += 1
            self._held_up += 1
        return block

    def _render(self, n_samples: int, begun_seconds: float) -> NDArray[np.float32]:
        own_seconds = self._own_clock()
        if self._stood_samples:
            self._take_note_of_standing()
        self._budget.begin(begun_seconds, n_samples / self._rate_hz, self.engine.position_samples + n_samples)
        heard, first, pieces, is_told = self.input.take(n_samples) if self.input else None, self.engine.position_samples, [], False
        for state, n in self.state.pieces(first, n_samples, begun_seconds):
            at = self.engine.position_samples - first
            pieces.append(self.engine.render(state, n, None if heard is None else heard[at : at + n]))
            is_told |= state is not None
        block = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
        busy_seconds, length_seconds = self._clock() - begun_seconds, n_samples / self._rate_hz
        self._late += busy_seconds > length_seconds
        self._held_up += busy_seconds > length_seconds >= self._own_clock() - own_seconds
        self._measure(n_samples, busy_seconds)
        if is_told or self.engine.position_samples >= self._count_at:
            self._tell(n_samples, begun_seconds)
        else:
            self._memory.write_position(self.engine.position_samples, begun_seconds)
        self._relieve(n_samples, self._load * length_seconds if self._has_time else busy_seconds)
        return block

    def _take_note_of_standing(self) -> None:
        """Count the blocks that were not rendered, as if they were one."""
        self._measure(self._stood_samples, self._stood_seconds)
        self._relieve(self._stood_samples, self._stood_seconds)
        self._stood_samples, self._stood_seconds = 0, 0.0

    def _relieve(self, n_samples: int, busy_seconds: float) -> None:
        engine, overload = self.engine, self._overload
        waited_samples, finer_work = self._budget.waited_samples, engine.finer_work(n_samples)
        share = overload(busy_seconds, n_samples / self._rate_hz, n_samples, waited_samples, engine.apart_samples, finer_work)
        engine.coarseness = overload.coarseness
        if share:
            # One note goes on whatever it takes: a click is forgiven sooner than silence.
            self.shed += engine.shed_past() or engine.shed(max(0, min(math.ceil(share * engine.sounding_voices), engine.sounding_voices - 1)))

    def _measure(self, n_samples: int, busy_seconds: float) -> None:
        length_seconds = n_samples / self._rate_hz
        load = busy_seconds / length_seconds
        self._load += (load - self._load) * min(1.0, length_seconds / LOAD_SMOOTHING_SECONDS)
        self._load_peak = max(self._load_peak, load)
        self._peak, self.engine.peak = max(self._peak, self.engine.peak), 0.0

    def _tell(self, n_samples: int, begun_seconds: float) -> None:
        """Write the telemetry, and in it what takes a while to count, where that is due."""
        backend, engine = self.backend, self.engine
        if engine.position_samples >= self._count_at:
            self._count_at = engine.position_samples + COUNT_EVERY_SAMPLES
            self._counts = float(engine.faults), float(engine.sounding_parts), float(engine.sounding_voices)
            self._memory.write_tracks(engine.tracks_seconds())
        fields = (
            self._pid,
            self._rate_hz,
            float(n_samples),
            backend.latency_seconds if backend else 0.0,
            float(engine.position_samples),
            begun_seconds,
            self._load,
            self._load_peak,
            float(backend.underruns) if backend else 0.0,
            self._counts[0],
            max(self._peak, self._peak_before),
            self._counts[1],
            float(self._late),
            float(self.guard.errors),
            float(self.loaded),
            self.state.reached_seconds,
            float(self.is_hurried),
            self._counts[2],
            float(self.shed),
            float(self._held_up),
        )
        self._memory.write_telemetry(fields)
        if engine.position_samples >= self._peak_until:  # the peak of the last second, give or take one
            self._peak_until += int(self._rate_hz)
            self._peak_before, self._peak = self._peak, 0.0

    @property
    def waited_samples(self) -> int:
        """How long the longest has waited of what the last block put off; -1: nothing was."""
        return self._budget.waited_samples

    def forget_start(self) -> None:
        """Begin the worst load anew, and the clock: the first blocks fetch memory that later ones have, and come in no time."""
        self.state.clock.reset()
        self._load = self._load_peak = 0.0
        self._late = self._held_up = self.shed = 0
        self._overload.forget()
        self._budget.forget()
