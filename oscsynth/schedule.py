"""When things happen: a queue in order of time, and what two clocks have to do with each other. Pure; any thread, one at a time.

Times are seconds of ``time.monotonic``, which all processes share and nobody sets. Imports nothing of the house.
"""

from __future__ import annotations

import heapq
import math
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Queue(Generic[T]):
    """Things in order of their time, those of the same time in the order they came; no more than a number and a weight.

    Parameters
    ----------
    max_items, max_weight : int
        What it holds at most; the weight of each thing is said by who puts it there.
    """

    def __init__(self, max_items: int, max_weight: int) -> None:
        self._max_items, self._max_weight = max_items, max_weight
        self._heap: list[tuple[float, int, int, T]] = []
        self._count = 0
        self.weight = 0

    def __len__(self) -> int:
        return len(self._heap)

    def push(self, due_seconds: float, item: T, weight: int = 0) -> bool:
        """Take a thing in; return False when there is no room."""
        if len(self._heap) >= self._max_items or self.weight + weight > self._max_weight:
            return False
        self._count += 1
        self.weight += weight
        heapq.heappush(self._heap, (due_seconds, self._count, weight, item))
        return True

    @property
    def first_seconds(self) -> float:
        """When the first is due; infinity when there is none."""
        return self._heap[0][0] if self._heap else float("inf")

    def pop(self) -> T:
        """Take the first out."""
        _, _, weight, item = heapq.heappop(self._heap)
        self.weight -= weight
        return item

    def items(self) -> list[T]:
        """Return all, in no order."""
        return [entry[3] for entry in self._heap]

    def clear(self) -> None:
        """Drop all."""
        self._heap.clear()
        self.weight = 0


# ---- the wall's clock, which time tags are in

NTP_TO_UNIX_SECONDS = 2_208_988_800
STEADY_NS = 10_000  # two readings of the same two clocks differ by less
_READINGS = 5


class WallClock:
    """What ``time.monotonic`` shows when the clock on the wall shows a time tag's moment.

    The difference of the two is read anew with every time tag, so that a clock that is set (NTP, by hand) counts from the next one on; what is
    converted already stays where it is. As long as it is the same within `STEADY_NS` it is not touched, so that a steady clock gives steady times.

    Parameters
    ----------
    wall_ns, monotonic_ns : callable
        The clocks, in nanoseconds.
    """

    def __init__(self, wall_ns: Callable[[], int] = time.time_ns, monotonic_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._wall_ns, self._monotonic_ns = wall_ns, monotonic_ns
        self._ahead_ns = self._read()

    def seconds(self, time_tag: int) -> float:
        """Return when a time tag is due; ``time_tag`` is NTP time in units of 2**-32 seconds."""
        if abs(self._wall_ns() - self._monotonic_ns() - self._ahead_ns) > STEADY_NS:
            ahead_ns = self._read()
            if abs(ahead_ns - self._ahead_ns) > STEADY_NS:
                self._ahead_ns = ahead_ns
        unix_ns = (time_tag * 1_000_000_000 >> 32) - NTP_TO_UNIX_SECONDS * 1_000_000_000
        return (unix_ns - self._ahead_ns) / 1e9

    def _read(self) -> int:
        """Return by how much the wall is ahead: the reading of several during which least time went by."""
        best_ns, ahead_ns = 1 << 62, 0
        for _ in range(_READINGS):
            before_ns = self._monotonic_ns()
            wall_ns = self._wall_ns()
            after_ns = self._monotonic_ns()
            if after_ns - before_ns < best_ns:
                best_ns, ahead_ns = after_ns - before_ns, wall_ns - (before_ns + after_ns) // 2
        return ahead_ns


# ---- the clock of the samples

LEARN_SECONDS = 1.0  # every call that is earlier moves the line so long
WINDOW_SECONDS = 0.1
TOLERANCE_SECONDS = 0.0003  # nearer than this the line stays: the same sample for the same moment
JUMP_SECONDS = 0.003  # farther off than this, samples were lost; in short blocks ...
JUMP_BLOCKS, LEAST_JUMP_SECONDS = 0.75, 0.001  # ... than most of one: a device that goes on without one loses just that
_JUMP_WINDOWS, _DRIFT_WINDOWS = 3, 20  # of the same opinion before it counts
STEP = 0.5  # of what it is off by, that it was off by just before
_SLEW = 0.0005  # seconds a second, while it is being put right
_MAX_DRIFT = 0.0005


class SampleClock:
    """At which sample a moment falls: a straight line through the earliest calls of a device that is often late and never early.

    A line that fits stays untouched, so that the distances of events are exact to the sample. One that is off for two seconds is put right
    little by little; where it came there little by little as well, and for the second time in the same direction, its slope with it (the two clocks
    drift). One that is off by milliseconds, or in short blocks by one, is put right at once (samples were lost).
    """

    def __init__(self, sample_rate_hz: float) -> None:
        self._nominal = 1.0 / sample_rate_hz
        self._errors: deque[float] = deque(maxlen=_DRIFT_WINDOWS + 1)
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self._is_set = False
        self._slope = self._nominal  # seconds a sample
        self._at_samples, self._at_seconds = 0.0, 0.0  # a point of the line
        self._last_sample, self._jump_seconds = 0, JUMP_SECONDS
        self._window_ends, self._earliest = 0.0, float("inf")
        self._settled_since = 0.0  # when the line was put right last
        self._last_off = self._owed = 0.0  # by how much; and what is still missing of that
        self._learns_until = self._seen_seconds = 0.0
        self._errors.clear()

    def seconds(self, sample: float) -> float:
        """Return when a sample is rendered, if nothing is late."""
        return self._at_seconds + (sample - self._at_samples) * self._slope

    def sample(self, seconds: Any) -> Any:
        """Return the sample, a fraction still, that falls on a moment; for an array of moments, an array."""
        return self._at_samples + (seconds - self._at_seconds) / self._slope

    def observe(self, sample: int, seconds: float) -> None:
        """Take note that the device asked, at this moment, for what begins at this sample."""
        if not self._is_set:
            self._is_set = True
            self._at_samples, self._at_seconds = float(sample), seconds
            self._window_ends, self._settled_since = seconds + WINDOW_SECONDS, seconds
            self._learns_until = seconds + LEARN_SECONDS
        elif seconds < min(self._learns_until, self.seconds(sample)):
            self._at_seconds += seconds - self.seconds(sample)
        block_seconds, self._last_sample = (sample - self._last_sample) * self._nominal, sample
        self._jump_seconds = min(JUMP_SECONDS, max(LEAST_JUMP_SECONDS, JUMP_BLOCKS * block_seconds))
        self._pay(seconds)
        self._seen_seconds = seconds
        self._earliest = min(self._earliest, seconds - self.seconds(sample))
        if seconds >= self._window_ends:
            self._errors.append(self._earliest)
            self._window_ends, self._earliest = seconds + WINDOW_SECONDS, float("inf")
            self._judge(sample, seconds)

    def _pay(self, seconds: float) -> None:
        if self._owed:
            most = _SLEW * max(0.0, seconds - self._seen_seconds)
            step = min(max(self._owed, -most), most)
            self._at_seconds += step
            self._owed -= step

    def _judge(self, sample: int, seconds: float) -> None:
        off = _agreed(list(self._errors)[-_JUMP_WINDOWS:], _JUMP_WINDOWS)
        if abs(off) > self._jump_seconds:
            self._at_seconds += off
            self._put_right(0.0, 0.0, seconds)
            return
        before, *errors = self._errors if len(self._errors) > _DRIFT_WINDOWS else (math.nan, *self._errors)
        off = _agreed(errors, _DRIFT_WINDOWS)
        if abs(off) > TOLERANCE_SECONDS and not self._owed:
            self._at_samples, self._at_seconds = float(sample), self.seconds(sample)
            is_step = abs(before) < STEP * abs(off)  # what came at once is no drift
            if not is_step and off * self._last_off > 0.0:
                drift = self._slope / self._nominal - 1.0 + off / (seconds - self._settled_since)
                self._slope = self._nominal * (1.0 + min(max(drift, -_MAX_DRIFT), _MAX_DRIFT))
            self._put_right(0.0 if is_step else off, off, seconds)

    def _put_right(self, off: float, owed: float, seconds: float) -> None:
        self._last_off, self._owed, self._settled_since = off, owed, seconds
        self._errors.clear()


def _agreed(errors: list[float], n: int) -> float:
    """Return the smallest of the last errors where all have the same sign, else 0."""
    if len(errors) < n or (min(errors) < 0.0 < max(errors)):
        return 0.0
    return min(errors, key=abs)
