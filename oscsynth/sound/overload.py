"""What is given up when the processor does not keep up: first how often moving sounds are made anew, then notes. Rendering thread.

It is told how long blocks took and knows no clock, so that nothing is ever given up where nobody measures: offline the same score gives the same
samples. All of it comes before a deadline is missed, as long as the load grows and does not leap.
"""

from __future__ import annotations

import math

COARSE_LOAD = 0.6  # where moving sounds become coarse; nearly nobody hears it, so it begins early
COARSEST = 16  # times as far apart: two hops; half of a change is then heard after 46 ms
CALM_SECONDS = 1.0  # until they become fine again, where as many more changes as a block then has would leave it below that
BEGIN_LOAD = 0.8  # where notes begin to go; what is left is for everything else that can hold a block up
END_LOAD = 0.75  # where they no longer do, and where it aims
VAIN_LOAD = 0.9  # where they go, and no longer do, while it was in vain: most of a block is then the same for one note as for ten
HELPS = 0.5  # of the load that it was to take away: less than that is in vain
PUT_OFF_LOAD, LONG_LOAD = 0.62, 0.9  # as what a block counts in which something was put off: for a while, for too long
LONG_SAMPLES = 4096  # too long: what comes so late is heard
WINDOW_SAMPLES = 512  # of which the worst block counts: in short blocks one of several has all of the work
WINDOWS_BEFORE = 2  # one alone may have been held up by somebody else
FADE_SECONDS = 0.02  # of a note that is given up
SETTLE_SECONDS = 0.03  # until it is seen what came of it


class Overload:
    """Decides, from how long blocks took, what has to go.

    Attributes
    ----------
    coarseness : int
        How many times as far apart as usual moving sounds are to be made anew: 1, 2, 4, 8 or `COARSEST`.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self.coarseness = 1
        self._worst = self._length_seconds = self._settle_seconds = self._calm_seconds = 0.0
        self._samples = self._busy_windows = self._full_windows = 0
        self._is_relieving = self._waits = self._is_in_vain = False
        self._hoped_load = math.inf  # above which the last giving up was in vain

    def __call__(
        self, busy_seconds: float, length_seconds: float, n_samples: int, waited_samples: int = -1, apart_samples: int = 0, finer_work: float = 2.0
    ) -> float:
        """Return what share of the notes is to go now, 0 to 1, for a block that took so long and lasts so long.

        ``waited_samples`` is `budget.Budget`'s; ``apart_samples`` says how far apart changes are, of which each window has one at least;
        ``finer_work`` is `Engine.finer_work`'s.
        """
        put_off = 0.0 if waited_samples < 0 else PUT_OFF_LOAD if waited_samples < LONG_SAMPLES else LONG_LOAD
        self._worst = max(self._worst, busy_seconds / length_seconds, put_off)
        self._waits |= waited_samples >= 0
        self._length_seconds += length_seconds
        self._samples += n_samples
        if self._samples < max(WINDOW_SAMPLES, apart_samples):
            return 0.0
        load, seconds, waits = self._worst, self._length_seconds, self._waits
        self._worst = self._length_seconds = 0.0
        self._samples, self._waits = 0, False
        self._coarsen(load, seconds, finer_work)
        if not self._is_needed(load, seconds, waits):
            return 0.0
        self._settle_seconds = SETTLE_SECONDS
        if self._is_in_vain:
            return 1.0 - VAIN_LOAD / load
        self._hoped_load = load - HELPS * (load - END_LOAD)
        return 1.0 - END_LOAD / load

    def _is_needed(self, load: float, seconds: float, waits: bool) -> bool:
        self._settle_seconds -= seconds
        has_settled = self._settle_seconds <= 0.0
        if has_settled and load > END_LOAD:
            self._is_in_vain |= load > self._hoped_load
            self._hoped_load = math.inf
        begin, end = (VAIN_LOAD, VAIN_LOAD) if self._is_in_vain else (BEGIN_LOAD, END_LOAD)
        # What is put off fits into a later block or fills it: only a window in which nothing waits is one of calm.
        self._full_windows = self._full_windows + 1 if load > begin else self._full_windows if waits else 0
        self._is_relieving = load > end and (self._is_relieving or self._full_windows >= WINDOWS_BEFORE)
        return self._is_relieving and has_settled

    def _coarsen(self, load: float, seconds: float, finer_work: float) -> None:
        """Go one step further where that may be enough, one step back after a while of calm."""
        self._calm_seconds = self._calm_seconds + seconds if load * finer_work < COARSE_LOAD else 0.0
        self._is_in_vain &= self._calm_seconds <= CALM_SECONDS
        self._busy_windows = self._busy_windows + 1 if load > COARSE_LOAD else 0
        if self._busy_windows >= WINDOWS_BEFORE and self.coarseness < COARSEST:
            self.coarseness *= 2
            self._busy_windows = 0  # what comes of it is seen first
            self._settle_seconds = SETTLE_SECONDS
        elif self._calm_seconds > CALM_SECONDS and self.coarseness > 1:
            self.coarseness //= 2
            self._calm_seconds = 0.0
