"""What a patch in resynthesis listens to: the audio input, or a track that lies in memory. Rendering thread.

Either gives the window that is to be heard at a sample. The input is known up to that sample and no further. A track is read ahead by as much as
the synthesis is late, so that it is heard in time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..parameters import PART_SLOTS
from .controls import Row

Samples = NDArray[np.float32]

N_CHANNELS = 2
_PLAYING, _STARTS, _SEEKS, _TO, _LOOP = (PART_SLOTS[f"track/{name}"].start for name in ("playing", "starts", "seeks", "to", "loop"))


class Source(Protocol):
    """Where the sound comes from; ``length_samples`` is 0 for what has no end."""

    length_samples: int

    def window(self, now: int) -> Samples | None:
        """Return the window that is heard at a sample, float32 (window_samples, channels); None for silence."""

    def follow(self, row: Row, now: int) -> None:
        """Take over the part's row of the state."""

    def position(self, now: int) -> int:
        """Return where in it, in samples, somebody is who listens."""


class Inlet:
    """The audio input as far as it is known, for all parts.

    Parameters
    ----------
    window_samples : int
        How far back anybody looks.
    """

    def __init__(self, window_samples: int) -> None:
        self._kept = np.zeros((window_samples, N_CHANNELS), np.float32)
        self.length_samples = 0
        self.faults = 0  # samples that were no numbers; each was made silent

    def push(self, samples: Samples) -> None:
        """Take in the next samples, float32 (n, 1 or 2); one channel is heard on both sides."""
        n_kept = len(self._kept)
        if not np.isfinite(samples.sum()):
            bad = ~np.isfinite(samples)
            self.faults += int(bad.sum())
            samples = np.where(bad, np.float32(0.0), samples)
        if len(samples) >= n_kept:
            self._kept[:] = samples[-n_kept:]
            return
        self._kept[: n_kept - len(samples)] = self._kept[len(samples) :]
        self._kept[n_kept - len(samples) :] = samples

    def window(self, now: int) -> Samples | None:
        """Return the last window."""
        return self._kept

    def follow(self, row: Row, now: int) -> None:
        """Do nothing: the input has no transport."""

    def position(self, now: int) -> int:
        """Return 0: there is only now."""
        return 0


@dataclass(frozen=True, slots=True)
class Track:
    """A sound file at the engine's rate: float32 (samples, 1 or 2)."""

    samples: Samples
    sample_rate_hz: int


class TrackSource:
    """A track being played by one part.

    Parameters
    ----------
    lead_samples : int
        How far past its position a window ends.
    row : float64 (N_SLOTS,)
        The part's row of the state; it begins at the beginning.
    """

    def __init__(self, track: Track, window_samples: int, lead_samples: int, row: Row, now: int) -> None:
        self.track, self._window, self._lead = track, window_samples, lead_samples
        self.length_samples = len(track.samples)
        self._from, self._since = 0, now  # the position that it had at a sample
        self._playing, self._loop = bool(row[_PLAYING]), bool(row[_LOOP])
        self._starts, self._seeks = row[_STARTS], row[_SEEKS]

    def position(self, now: int) -> int:
        """Return where in the track it is at a sample; never past its end."""
        position = self._from + (now - self._since if self._playing else 0)
        return position % self.length_samples if self._loop else min(position, self.length_samples)

    def follow(self, row: Row, now: int) -> None:
        """Play, stop, jump and loop as the part's row of the state says."""
        position = self.position(now)
        if row[_SEEKS] != self._seeks:
            position = min(round(row[_TO] * self.track.sample_rate_hz), self.length_samples)
        elif row[_STARTS] != self._starts and position >= self.length_samples:
            position = 0
        self._from, self._since = position, now
        self._playing, self._loop = bool(row[_PLAYING]), bool(row[_LOOP])
        self._starts, self._seeks = row[_STARTS], row[_SEEKS]

    def window(self, now: int) -> Samples | None:
        """Return the window that is heard at a sample; None while it is stopped, or after the end."""
        if not self._playing:
            return None
        end = self.position(now) + self._lead
        first = end - self._window
        if self._loop:
            # What lies before the beginning is the end: nobody hears where it goes round.
            return self.track.samples[np.arange(first, end) % self.length_samples]
        if first >= self.length_samples:
            return None
        part = np.zeros((self._window, self.track.samples.shape[1]), np.float32)
        low, high = max(first, 0), min(end, self.length_samples)
        part[low - first : high - first] = self.track.samples[low:high]
        return part
