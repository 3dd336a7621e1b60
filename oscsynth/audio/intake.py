"""What a sound input hears, on its way to whoever renders: two threads, two clocks that are nearly the same, nobody waits.

One writer (the input's callback) and one reader (the thread that renders), each with its own counter. What does not come in time is silence; what
piles up is dropped, so that nothing is heard later and later. Imports NumPy alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

N_CHANNELS = 2
RING_SAMPLES = 65536
LOOK_EVERY = 200  # blocks: how long more must have lain there than is needed before it is dropped


class Intake:
    """A ring between an input and the renderer.

    Attributes
    ----------
    missed : int
        Samples that did not come in time, or were dropped; counted from the first that came.
    put_samples : int
        How many have come.
    """

    def __init__(self) -> None:
        self._ring = np.zeros((RING_SAMPLES, N_CHANNELS), np.float32)
        self.put_samples = self._taken = 0
        self.missed = 0
        self._largest = 0  # that came at once
        self._looks, self._spare = 0, RING_SAMPLES

    def put(self, samples: Samples) -> None:
        """Take in what was heard, float32 (n, channels): one channel for both sides, or the first two."""
        samples = samples[-RING_SAMPLES:, :N_CHANNELS]
        at = (self.put_samples + np.arange(len(samples))) % RING_SAMPLES
        self._ring[at] = samples
        self._largest = max(self._largest, len(samples))
        self.put_samples += len(samples)

    def take(self, n_samples: int) -> Samples:
        """Return the next samples, float32 (n_samples, 2); silence before those that are there, where too few are."""
        there = self.put_samples - self._taken
        if there > RING_SAMPLES // 2:  # nobody took any for a long time
            self._drop(there - n_samples)
            there = n_samples
        ready = min(there, n_samples)
        block = np.zeros((n_samples, N_CHANNELS), np.float32)
        if ready:
            block[n_samples - ready :] = self._ring[(self._taken + np.arange(ready)) % RING_SAMPLES]
            self._taken += ready
        if self._taken:
            self.missed += n_samples - ready
        self._look(there - ready)
        return block

    def _look(self, left: int) -> None:
        """Drop what has lain there longer than the input's own blocks explain."""
        self._looks, self._spare = self._looks + 1, min(self._spare, left)
        if self._looks >= LOOK_EVERY:
            if self._spare > self._largest:
                self._drop(self._spare)
            self._looks, self._spare = 0, RING_SAMPLES

    def _drop(self, n_samples: int) -> None:
        self._taken += n_samples
        self.missed += n_samples
