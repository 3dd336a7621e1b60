"""The gate of a drone, or of what is heard through a decoder, with its envelope. Rendering thread."""

from __future__ import annotations

import numpy as np

from ..parameters import PART_SLOTS
from .controls import Controls, Envelope, Row

_GATE = PART_SLOTS["gate"].start


class Gate:
    """Follows the gate of a part's row of the state.

    Parameters
    ----------
    controls : Controls
        The deck's faders.
    """

    def __init__(self, controls: Controls, sample_rate_hz: int) -> None:
        self._controls = controls
        self._envelope = Envelope(sample_rate_hz)
        self.is_open = False

    def take_over(self) -> None:
        """Stand as open as the state says, as if it had long been so."""
        self.is_open = bool(self._controls.target[_GATE])
        if self.is_open:
            self._envelope.sustain()

    def follow(self, now: int, at_most_seconds: float = np.inf) -> None:
        """Open or close as the state says; with a time, close within that."""
        row = self._controls.target
        if at_most_seconds < np.inf:
            self.is_open = False
            self._envelope.close(now, row, at_most_seconds)
        if bool(row[_GATE]) == self.is_open:
            return
        self.is_open = not self.is_open
        if self.is_open:
            self._envelope.open(now, row)
        else:
            self._envelope.close(now, row)

    @property
    def arrives(self) -> float:
        """When the envelope next stands still."""
        return self._envelope.arrives

    def level(self, moment: float, row: Row) -> float:
        """Return the amplitude 0..1 at a moment."""
        return self._envelope.level(moment, row)
