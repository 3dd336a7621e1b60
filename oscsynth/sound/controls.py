"""What moves between two values: faders with their slew, the envelope, a crossfade. All in engine samples; rendering thread."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..parameters import MASTER_SLOTS, N_SLOTS, PART_SLOTS
from ..units import BEND

Row = NDArray[np.float64]
Indices = NDArray[np.intp]

STREAM_SECONDS = 0.05  # values closer than this are a movement, and each ramps over the last distance; others act at once
# What slews; chroma, notes and switches never do.
_AUTO = ("gain", "pan", "width", "transpose", "breath", "latent", "scale", "timbre", "transfer", "brightness", "spread")


def part_slews(latent_slews_seconds: Row) -> Row:
    """Return the slew of each slot of a part in seconds, float64 (N_SLOTS,): 0 none, NaN automatic; given those of its latents."""
    slews = np.zeros(N_SLOTS)
    for name in _AUTO:
        slews[PART_SLOTS[name]] = np.nan
    slews[PART_SLOTS["latent"]][: len(latent_slews_seconds)] = latent_slews_seconds
    return slews


def master_slews() -> Row:
    """Return the same for the master's row; its fade is for leaving, and takes 50 ms."""
    slews = np.zeros(N_SLOTS)
    slews[MASTER_SLOTS["gain"]] = np.nan
    slews[MASTER_SLOTS["fade"]] = 0.05
    return slews


def bent(positions: Row, curve: str) -> Row:
    """Return what `units.bend` does, of many positions at once."""
    if curve == "exponential":
        return np.asarray(np.expm1(BEND * positions) / np.expm1(BEND), np.float64)
    if curve == "logarithmic":
        return np.asarray(np.log1p(positions * np.expm1(BEND)) / BEND, np.float64)
    return positions * positions * (3.0 - 2.0 * positions) if curve == "s" else positions


class Slides:
    """Numbers, each on a straight way from where it was to where it is sent.

    Parameters
    ----------
    values : float64 (numbers,)
        Where they stand at first.
    """

    def __init__(self, values: Row) -> None:
        self.target = values.copy()
        self._origin = values.copy()
        self._start = np.zeros(len(values))
        self._length = np.zeros(len(values))
        self._last_set = np.full(len(values), -np.inf)
        self.arrives = 0.0  # when the last of them is there

    def send(self, at: Indices, values: Row, lengths: Row, now: float) -> None:
        """Send some to other values, each in so many samples."""
        self._origin[at] = self.values(now)[at]
        # Nothing can slide from or to "as the patch says".
        lengths = np.where(np.isnan(values) | np.isnan(self._origin[at]), 0.0, lengths)
        self.target[at] = values
        self._start[at], self._length[at], self._last_set[at] = now, lengths, now
        self.arrives = max(self.arrives, now + float(lengths.max(initial=0.0)))

    def place(self, at: Indices | slice, values: Row) -> None:
        """Have some stand at other values as if they had always been there."""
        self.target[at] = self._origin[at] = values
        self._length[at], self._last_set[at] = 0.0, -np.inf

    def move(self, at: slice, to: slice) -> None:
        """Put some into the place of others, on their way as they are."""
        for numbers in (self.target, self._origin, self._start, self._length, self._last_set):
            numbers[to] = numbers[at]

    def since_set(self, at: Indices, now: float) -> Row:
        """Return for how many samples each has been sent to where it goes; infinity for one that never was."""
        since: Row = now - self._last_set[at]
        return since

    def values(self, now: float) -> Row:
        """Return where each stands at a sample, float64 (numbers,)."""
        if now >= self.arrives:
            return self.target
        at = np.flatnonzero(self._start + self._length > now)
        row = self.target.copy()
        share = np.maximum((now - self._start[at]) / self._length[at], 0.0)
        row[at] = self._origin[at] + share * (self.target[at] - self._origin[at])
        return row


class Controls(Slides):
    """One row of the state, each slot on its way from where it was to where it is sent.

    Parameters
    ----------
    row : float64 (N_SLOTS,)
        Where everything stands at first.
    slews_seconds : float64 (N_SLOTS,)
        Of `part_slews` or `master_slews`.
    """

    def __init__(self, row: Row, slews_seconds: Row, sample_rate_hz: int) -> None:
        super().__init__(row)
        self._slews_seconds = slews_seconds
        self._rate = sample_rate_hz

    def set(self, row: Row, now: int, travel_seconds: float = 0.0, glide_seconds: float = 0.0) -> float | None:
        """Send every slot to its value in another row; return in how many samples the first is there, None if nothing changed."""
        # As bits, so that NaN ("as the patch says") equals itself.
        at = np.flatnonzero(row.view(np.int64) != self.target.view(np.int64))
        if len(at) == 0:
            return None
        distance = self.since_set(at, now)
        slews = self._slews_seconds[at] * self._rate
        lengths = np.where(np.isnan(slews), np.where(distance < STREAM_SECONDS * self._rate, distance, 0.0), slews)
        if travel_seconds > 0.0:
            lengths = np.where(self._slews_seconds[at] != 0.0, travel_seconds * self._rate, lengths)
        if glide_seconds > 0.0:
            lengths = np.where((at == PART_SLOTS["register"].start) | (at == PART_SLOTS["transpose"].start), glide_seconds * self._rate, lengths)
        self.send(at, row[at], lengths, now)
        return float(self._length[at].min())


class Envelope:
    """Attack, decay, sustain and release of a gate, as an amplitude 0..1: straight up, and down with the square of what is left."""

    def __init__(self, sample_rate_hz: int) -> None:
        self._rate = sample_rate_hz
        self._is_open = False
        self._since = 0.0
        self._from = 0.0  # amplitude at the last change
        self._times = (0.0, 0.0, 0.0)  # attack, decay, release in samples

    def open(self, now: float, row: Row) -> None:
        """Start the attack from wherever it stands."""
        self._turn(True, now, row)

    def close(self, now: float, row: Row, at_most_seconds: float = np.inf) -> None:
        """Start the release from wherever it stands."""
        self._turn(False, now, row, at_most_seconds)

    def _turn(self, is_open: bool, now: float, row: Row, at_most_seconds: float = np.inf) -> None:
        self._from = self.level(now, row)
        self._is_open, self._since = is_open, now
        attack, decay, release = (float(row[PART_SLOTS[f"envelope/{stage}"].start]) / 1000.0 for stage in ("attack", "decay", "release"))
        self._times = attack * self._rate, decay * self._rate, min(release, at_most_seconds) * self._rate

    def sustain(self) -> None:
        """Be open as if it had long been so."""
        self._is_open, self._since = True, -np.inf

    @property
    def arrives(self) -> float:
        """When it next stands still."""
        attack, decay, release = self._times
        return self._since + (attack + decay if self._is_open else release)

    def level(self, now: float, row: Row) -> float:
        """Return the amplitude 0..1 at a sample."""
        attack, decay, release = self._times
        elapsed = now - self._since
        if not self._is_open:
            return self._from * (1.0 - elapsed / release) ** 2 if elapsed < release else 0.0
        if elapsed < attack:
            return self._from + (1.0 - self._from) * elapsed / attack
        held = float(row[PART_SLOTS["envelope/sustain"].start])
        left = 1.0 - (elapsed - attack) / decay if elapsed < attack + decay else 0.0
        return held + (1.0 - held) * left * left


class Fade:
    """A straight line from one amplitude to another."""

    def __init__(self, level: float) -> None:
        self._from = self._to = level
        self._start = self.arrives = 0.0

    def to(self, level: float, now: float, samples: float) -> None:
        """Go to another level, from wherever it stands."""
        self._from, self._to = self.level(now), level
        self._start, self.arrives = now, now + samples

    def level(self, now: float) -> float:
        """Return the amplitude at a sample."""
        if now >= self.arrives:
            return self._to
        return self._from + (self._to - self._from) * (now - self._start) / (self.arrives - self._start)
