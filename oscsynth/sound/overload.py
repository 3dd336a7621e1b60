"""What is given up when the processor does not keep up: first how often moving sounds are made anew, then notes. Rendering thread.

It is told how long blocks took and knows no clock, so that nothing is ever given up where nobody measures: offline the same score gives the same
samples. Both steps come before a deadline is missed, as long as the load grows and does not leap.
"""

from __future__ import annotations

import math

BEGIN_LOAD = 0.8  # where relief begins; what is left is for everything else that can hold a block up
END_LOAD = 0.65  # where it ends, and where it aims
CALM_LOAD = 0.3  # changes made twice as often take twice as long at most
CALM_SECONDS = 1.0
WINDOW_SAMPLES = 512  # over which load is looked at: in shorter blocks one of several has all of the work
WINDOWS_BEFORE = 2  # one alone may have been held up by somebody else
FADE_SECONDS = 0.02  # of a note that is given up
SETTLE_SECONDS = 0.03  # until it is seen what came of it


class Overload:
    """Decides, from how long blocks took, what has to go.

    Attributes
    ----------
    is_coarse : bool
        Whether moving sounds are to be made anew half as often.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self.is_coarse = False
        self._busy_seconds = self._length_seconds = self._settle_seconds = self._calm_seconds = 0.0
        self._samples = self._windows = 0
        self._is_relieving = False

    def __call__(self, busy_seconds: float, length_seconds: float, n_samples: int, n_voices: int) -> int:
        """Return how many notes are to go now.

        Parameters
        ----------
        busy_seconds, length_seconds : float
            How long a block took, and how long it lasts.
        n_voices : int
            Notes that could go.
        """
        self._busy_seconds += busy_seconds
        self._length_seconds += length_seconds
        self._samples += n_samples
        if self._samples < WINDOW_SAMPLES:
            return 0
        load, seconds = self._busy_seconds / self._length_seconds, self._length_seconds
        self._busy_seconds = self._length_seconds = 0.0
        self._samples = 0
        self._rest(load, seconds)
        return self._relieve(load, n_voices) if self._is_needed(load, seconds) else 0

    def _is_needed(self, load: float, seconds: float) -> bool:
        self._settle_seconds -= seconds
        self._windows = self._windows + 1 if load > BEGIN_LOAD else 0
        self._is_relieving = load > END_LOAD and (self._is_relieving or self._windows >= WINDOWS_BEFORE)
        return self._is_relieving and self._settle_seconds <= 0.0

    def _relieve(self, load: float, n_voices: int) -> int:
        self._settle_seconds = SETTLE_SECONDS
        if not self.is_coarse:
            self.is_coarse = True
            return 0
        return math.ceil(n_voices * (1.0 - END_LOAD / load))

    def _rest(self, load: float, seconds: float) -> None:
        self._calm_seconds = self._calm_seconds + seconds if load < CALM_LOAD else 0.0
        if self._calm_seconds > CALM_SECONDS:
            self.is_coarse = False
