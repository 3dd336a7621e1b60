"""How much work something is, where the test is that it is not endless: wide limits, and what the machine does besides is left out."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable


def least_seconds(do: Callable[[], object], times: int = 3) -> float:
    """Return the processor time that something takes at best, without the collector, which would look through what all tests together hold."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return min(_seconds(do) for _ in range(times))
    finally:
        if was_enabled:
            gc.enable()


def _seconds(do: Callable[[], object]) -> float:
    begun_seconds = time.thread_time()
    do()
    return time.thread_time() - begun_seconds
