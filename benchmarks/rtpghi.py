"""RTPGHI without look-ahead (Prusa & Sondergaard 2016), to measure the stage's own phases against: `benchmarks.tonal` does.

Phases by integrating their gradient, which the magnitudes give, along the loudest way from hop to hop: a heap. With numba,
where that is installed, the integration is compiled.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

import numpy as np

HANN_GAMMA = 0.25645  # times the square of the window
TOLERANCE = 1e-6  # below it phases are random


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    try:
        import numba
    except ImportError:
        return function
    compiled: Callable[..., Any] = numba.njit(cache=False)(function)
    return compiled


def _integrate(
    before: np.ndarray,
    now: np.ndarray,
    time_before: np.ndarray,
    time_now: np.ndarray,
    frequency_now: np.ndarray,
    phase_before: np.ndarray,
    phase: np.ndarray,
    threshold: float,
) -> None:
    """Fill the phases of one hop, radians, from those of the hop before; what is under the threshold keeps what stands there."""
    n_bins = len(now)
    todo = now > threshold
    left = todo.sum()
    heap = [(-before[m], m, 0) for m in range(n_bins) if todo[m]]
    heapq.heapify(heap)
    while left > 0 and len(heap) > 0:
        _, m, is_now = heapq.heappop(heap)
        if is_now == 0:
            if todo[m]:
                phase[m] = phase_before[m] + 0.5 * (time_before[m] + time_now[m])
                todo[m] = False
                left -= 1
                heapq.heappush(heap, (-now[m], m, 1))
            continue
        for step in (-1, 1):
            k = m + step
            if 0 <= k < n_bins and todo[k]:
                phase[k] = phase[m] + step * 0.5 * (frequency_now[m] + frequency_now[k])
                todo[k] = False
                left -= 1
                heapq.heappush(heap, (-now[k], k, 1))


class Rtpghi:
    """Phases hop by hop.

    Parameters
    ----------
    window_samples, hop_samples : int
        Of a Hann window.
    compiled : bool
        With numba, if it is there.
    """

    def __init__(self, window_samples: int, hop_samples: int, compiled: bool = True) -> None:
        self._scale = hop_samples * window_samples / (HANN_GAMMA * window_samples**2)
        self._n_bins = window_samples // 2 + 1
        self._advance = 2.0 * np.pi * hop_samples * np.arange(self._n_bins) / window_samples
        self._rng = np.random.default_rng(1)
        self._logs = np.full((3, self._n_bins), -30.0)
        self._time = np.zeros(self._n_bins)
        self._phase = np.zeros(self._n_bins)
        self._integrate = _compiled(_integrate) if compiled else _integrate

    def phasors(self, magnitude: np.ndarray) -> np.ndarray:
        """Return the phasors of the next hop, complex128 (n_bins,), for its magnitudes."""
        logs = np.log(np.maximum(magnitude, 1e-13)).astype(np.float64)
        if (self._logs[-1] == -30.0).all():
            self._logs[:] = logs  # as if it had always sounded
        self._logs = np.stack([self._logs[1], self._logs[2], logs])
        time_now = self._scale * np.gradient(logs) + self._advance
        frequency_now = -0.5 * (3 * self._logs[2] - 4 * self._logs[1] + self._logs[0]) / self._scale - np.pi
        phase = self._rng.uniform(0, 2 * np.pi, self._n_bins)
        threshold = np.log(TOLERANCE) + max(self._logs[1].max(), logs.max())
        self._integrate(self._logs[1], logs, self._time, time_now, frequency_now, self._phase, phase, threshold)
        self._time, self._phase = time_now, phase % (2 * np.pi)
        return np.exp(1j * self._phase)
