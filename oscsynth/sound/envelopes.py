"""The envelopes of many notes at once: the law of `controls.Envelope`, over arrays. In engine samples; rendering thread."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..parameters import PART_SLOTS
from .controls import Row

_ATTACK, _DECAY, _SUSTAIN, _RELEASE = (PART_SLOTS[f"envelope/{stage}"].start for stage in ("attack", "decay", "sustain", "release"))


class Envelopes:
    """Attack, decay, sustain and release of each of some notes: straight up, and down with the square of what is left.

    Attributes
    ----------
    ends : float64 (notes,)
        When each is silent; infinity while it is held.
    """

    def __init__(self, n_notes: int, sample_rate_hz: int) -> None:
        self._per_ms = sample_rate_hz / 1000.0
        self._opened, self._attack, self._decay, self._release, self._left = (np.zeros(n_notes) for _ in range(5))
        self._closed = np.full(n_notes, -np.inf)
        self._n_still, self._still = -1, 0.0
        self.ends = np.full(n_notes, -np.inf)

    def open(self, note: int, now: float, row: Row) -> None:
        """Start the attack from silence."""
        self._opened[note], self._closed[note], self.ends[note] = now, np.inf, np.inf
        self._n_still = -1
        self._attack[note], self._decay[note] = row[_ATTACK] * self._per_ms, row[_DECAY] * self._per_ms

    def sustain(self, note: int, now: float) -> None:
        """Be open as if it had long been so."""
        self._opened[note], self._closed[note], self.ends[note] = now, np.inf, np.inf
        self._attack[note] = self._decay[note] = 0.0
        self._n_still = -1

    def close(self, note: int, now: float, row: Row, share: float = 1.0) -> None:
        """Start the release, from wherever it stands; what ends as it begins comes up first. ``share``: of the patch's time."""
        moment = max(now, self._opened[note] + self._attack[note]) if self._opened[note] == now else now
        self._end(note, moment, row[_RELEASE] * self._per_ms * share, row)

    def cut(self, notes: NDArray[np.intp], now: float, samples: float, row: Row) -> None:
        """Have some be silent after so many samples."""
        for note in notes:
            if self.ends[note] > now + samples:
                self._end(int(note), now, samples, row)

    def _end(self, note: int, moment: float, samples: float, row: Row) -> None:
        self._left[note] = self.levels(moment, row, slice(note, note + 1))[0]
        self._closed[note], self._release[note], self.ends[note] = moment, samples, moment + samples
        self._n_still = -1

    def move(self, note: int, to: int) -> None:
        """Put one into the place of another."""
        self._n_still = -1
        for numbers in (self._opened, self._attack, self._decay, self._release, self._left, self._closed, self.ends):
            numbers[to] = numbers[note]

    def arrives(self, n_notes: int) -> float:
        """Return when the last of the first notes next stands still."""
        if self._n_still != n_notes:  # asked far more often than anything changes
            still = np.where(self._closed[:n_notes] < np.inf, self.ends[:n_notes], (self._opened + self._attack + self._decay)[:n_notes])
            self._n_still, self._still = n_notes, float(still.max(initial=-np.inf))
        return self._still

    def is_steady(self, now: float, n_notes: int) -> NDArray[np.bool_]:
        """Return which of the first notes are past attack and decay, bool (notes,)."""
        steady: NDArray[np.bool_] = (self._opened + self._attack + self._decay)[:n_notes] <= now
        return steady

    def levels(self, now: float, row: Row, notes: slice) -> Row:
        """Return the amplitudes 0..1 of some notes at a sample, float64 (notes,)."""
        attack, decay, release = self._attack[notes], self._decay[notes], self._release[notes]
        elapsed = now - self._opened[notes]
        held = float(row[_SUSTAIN])
        left = np.clip(1.0 - (elapsed - attack) / np.maximum(decay, 1e-9), 0.0, 1.0)
        level = np.where(elapsed < attack, np.maximum(elapsed, 0.0) / np.maximum(attack, 1e-9), held + (1.0 - held) * left * left)
        since = now - self._closed[notes]
        away = np.clip(1.0 - since / np.maximum(release, 1e-9), 0.0, 1.0)
        levels: Row = np.where(since >= 0.0, self._left[notes] * away * away, level)
        return levels
