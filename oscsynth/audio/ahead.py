"""Render blocks before they are needed: latency traded for safety, with any backend.

A worker thread renders into a ring, the backend's callback only copies out of it and rings for the next. One writer, one reader and two counters:
no lock that the callback could wait for. Imports NumPy and the shapes of ``audio``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from . import Backend

MAX_REQUEST_SAMPLES = 8192  # the largest device block that the ring still feeds
LOOK_EVERY_SECONDS = 0.25  # whether it is to end, where no device asks for anything and none can be closed


class RenderAhead:
    """A backend around a backend: give it ``take`` for its ``render``, then `attach` it.

    Parameters
    ----------
    render : callable
        Takes a number of samples, returns float32 (samples, channels); called from the worker alone.
    blocks : int
        How many blocks are kept ready beyond what the device asks for.
    block_samples : int
        Their size, until a device that chooses its own asks for more at once.
    """

    has_time = False

    def __init__(self, render: Callable[[int], NDArray[np.float32]], blocks: int, block_samples: int) -> None:
        self._render = render
        self.block_samples = block_samples
        self._blocks = blocks
        self._written = self._read = 0  # samples since the start; only the worker moves the first, only the reader the second
        self._missed = 0
        self._stop = threading.Event()
        self._bell = threading.Lock()  # held: nothing was taken since the worker looked last
        self._worker = threading.Thread(target=self._run, name="render-ahead", daemon=True)

    def attach(self, backend: Backend) -> None:
        """Take over an open backend that was given ``take``."""
        self._backend = backend
        self.device, self.api, self.sentence = backend.device, backend.api, backend.sentence
        self.sample_rate_hz, self.n_channels = backend.sample_rate_hz, backend.n_channels
        self._ring = np.zeros(((self._blocks + 2) * MAX_REQUEST_SAMPLES, self.n_channels), np.float32)

    @property
    def latency_seconds(self) -> float:
        """The device's own and that of the blocks kept ready."""
        return self._backend.latency_seconds + self._blocks * self.block_samples / self.sample_rate_hz

    @property
    def underruns(self) -> int:
        """The device's own and the times that the ring was empty."""
        return self._backend.underruns + self._missed

    @property
    def fault(self) -> str:
        """Why samples no longer arrive."""
        return self._backend.fault

    def start(self) -> None:
        """Fill the ring, then begin to empty it."""
        self._fill()
        self._worker.start()
        self._backend.start()

    def is_running(self) -> bool:
        """Return whether the device takes samples."""
        return self._backend.is_running()

    def close(self) -> None:
        """Stop both threads."""
        self._stop.set()
        self._backend.close()
        self._ring_bell()
        if self._worker.ident is not None:
            self._worker.join()

    def take(self, n_samples: int) -> NDArray[np.float32]:
        """Return the next samples out of the ring, float32 (samples, channels); silence for those that are not there yet."""
        self.block_samples = max(self.block_samples, min(n_samples, MAX_REQUEST_SAMPLES))
        block = np.zeros((n_samples, self.n_channels), np.float32)
        ready = min(n_samples, self._written - self._read)
        for piece, at in self._pieces(self._read, ready):
            block[at : at + piece.stop - piece.start] = self._ring[piece]
        self._read += ready
        self._missed += ready < n_samples
        self._ring_bell()
        return block

    def _ring_bell(self) -> None:
        if self._bell.locked():  # the worker alone takes it, and one thread at a time lets it go
            self._bell.release()

    def _run(self) -> None:
        while not self._stop.is_set():
            if self._bell.acquire(timeout=LOOK_EVERY_SECONDS):
                self._fill()

    def _fill(self) -> None:
        while self._written - self._read < (self._blocks + 1) * (n_samples := self.block_samples):
            block = self._render(n_samples)
            for piece, at in self._pieces(self._written, len(block)):
                self._ring[piece] = block[at : at + piece.stop - piece.start]
            self._written += len(block)

    def _pieces(self, position: int, n_samples: int) -> list[tuple[slice, int]]:
        """Return the one or two stretches of the ring that hold ``n_samples`` from ``position``, and where in the block each begins."""
        start = position % len(self._ring)
        first = min(n_samples, len(self._ring) - start)
        return [(slice(start, start + first), 0), (slice(0, n_samples - first), first)]
