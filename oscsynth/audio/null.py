"""A backend without a device: a thread that asks for samples in step with the clock, and drops them.

The thread keeps absolute time: a block that comes late makes no later one late. Imports nothing of the house but the shapes of ``audio``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from . import FALLBACK_BLOCK_SAMPLES, FALLBACK_RATE_HZ, AudioSettings

MAX_BEHIND_SECONDS = 1.0  # a machine that slept longer does not render its night at once


class NullBackend:
    """Calls ``render`` in step with the clock and gives the samples to ``deliver``.

    Parameters
    ----------
    render : callable
        Takes a number of samples, returns float32 (samples, channels).
    settings : AudioSettings
        Rate and block size.
    deliver : callable
        Takes each block, in the same thread; an ``OSError`` ends the delivery, not the clock.
    """

    has_time = True

    def __init__(
        self,
        render: Callable[[int], NDArray[np.float32]],
        settings: AudioSettings,
        deliver: Callable[[NDArray[np.float32]], None] = lambda block: None,
    ) -> None:
        self.device, self.api = "null", "none"
        self.sample_rate_hz = settings.sample_rate_hz or FALLBACK_RATE_HZ
        self.block_samples = settings.block_samples or FALLBACK_BLOCK_SAMPLES
        self.n_channels = 2
        self.latency_seconds = self.block_samples / self.sample_rate_hz
        self.underruns = 0
        self.sentence = self.fault = ""
        self._render, self._deliver = render, deliver
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="null-audio", daemon=True)

    def start(self) -> None:
        """Begin to call ``render``."""
        self._thread.start()

    def is_running(self) -> bool:
        """Return whether the clock goes on."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Stop after the block that is being rendered."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        start_seconds, done_samples = time.monotonic(), 0
        while not self._stop.is_set():
            wait_seconds = start_seconds + done_samples / self.sample_rate_hz - time.monotonic()
            if wait_seconds > 0:
                self._stop.wait(wait_seconds)
            elif wait_seconds < -MAX_BEHIND_SECONDS:
                start_seconds -= wait_seconds
                self.underruns += 1
            self._pass_on(self._render(self.block_samples))
            done_samples += self.block_samples

    def _pass_on(self, block: NDArray[np.float32]) -> None:
        if self.fault:
            return
        try:
            self._deliver(block)
        except OSError as error:
            self.fault = str(error)
