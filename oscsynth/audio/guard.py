"""What stands between a backend and the engine: an exception becomes silence, and someone else writes it down.

Runs in the callback: it counts, and keeps the exception for a thread that may log. Imports NumPy alone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

FADE_SAMPLES = 128


class Guard:
    """A ``render``, of float32 (samples, channels), C-contiguous, that never raises and always returns the size that was asked for.

    ``errors`` counts exceptions, ``error`` is the first that nobody has fetched yet, ``last_call_seconds`` is when the device last asked
    (``time.monotonic``; infinite before the first time), ``thread_id`` on which thread of the system (0: not yet); ``is_silent``: the last block was
    faded to silence by a fault.
    """

    def __init__(self, render: Callable[[int], NDArray[np.float32]], n_channels: int) -> None:
        self._render = render
        self._last = np.zeros((1, n_channels), np.float32)  # the last block: a fade starts from its end
        self.is_silent = False
        self.errors = 0
        self.error: Exception | None = None
        self.last_call_seconds = float("inf")
        self.thread_id = 0

    def __call__(self, n_samples: int) -> NDArray[np.float32]:
        """Return the next samples, float32 (samples, channels)."""
        self.last_call_seconds = time.monotonic()
        self.thread_id = threading.get_native_id()
        try:
            block = self._render(n_samples)
            if self.is_silent:  # back from a fault: no step from silence into the middle of a sound
                block = block * _ramp(n_samples)[::-1]  # (samples, channels) * (samples, 1)
                self.is_silent = False
            self._last = block
            return block
        except Exception as error:  # the border between any fault of the engine and the device
            self.errors += 1
            self.error = self.error or error
            return self._fade(n_samples)

    def _fade(self, n_samples: int) -> NDArray[np.float32]:
        block: NDArray[np.float32] = self._last[-1] * _ramp(n_samples)  # (channels,) * (samples, 1) = (samples, channels)
        self._last = np.zeros_like(self._last[:1])
        self.is_silent = True
        return block

    def take_error(self) -> Exception | None:
        """Return the kept exception once."""
        error, self.error = self.error, None
        return error


def _ramp(n_samples: int) -> NDArray[np.float32]:
    """Return 1 falling to 0 over ``FADE_SAMPLES``, then 0: float32 (samples, 1); reversed it ends with 1."""
    return np.maximum(1 - np.arange(1, n_samples + 1, dtype=np.float32) / min(n_samples, FADE_SAMPLES), 0)[:, None]
