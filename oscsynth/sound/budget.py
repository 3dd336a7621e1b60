"""What of a block's time is left, so that what can wait is put off rather than the block be late. Rendering thread.

Offline there is none: everything is done at its moment, and the same score gives the same samples.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

SHARE = 0.7  # of a block's length that may be planned; what is left is for whatever else holds it up
LONG_SECONDS, SHARE_OF_LONG = 0.01, 0.5  # in so long a block there is room enough for what moves: `benchmarks.crowd`
# A machine that others use as well is several times as slow for some milliseconds now and then, and soon again where it was once. Where what was done
# in a block took that share of its length longer than was thought, so little is planned of the long ones that follow, for so long.
AMISS, SHARE_OF_WARY, WARY_SECONDS = 0.2, 0.25, 10.0
EARLY, SPARE = 0.15, 0.25  # of its length: so much a block takes in which nothing moves, and so much with what is only needed later
DOUBT, SLIGHT_DOUBT = 0.95, 0.998
REMEMBERED = 24  # times that something was done


class Budget:
    """The time of one block after the other.

    Parameters
    ----------
    clock : callable
        Returns seconds, as ``time.monotonic`` does.

    Attributes
    ----------
    end_samples : int
        Where the block at hand ends.
    reserved_seconds : float
        What the rest of the block takes come what may.
    inside_seconds : float
        Of what is being timed, what was timed by itself.
    waited_samples : int
        How long the longest has waited of what was put off in the block at hand; -1: nothing was.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.end_samples, self.waited_samples = 0, -1
        self.reserved_seconds = self.inside_seconds = 0.0
        self._took_seconds: dict[str, deque[float]] = {}
        self._costs_seconds: dict[str, float] = {}
        self._until_seconds = self._early_seconds = self._spare_seconds = 0.0
        self._excess_seconds = 0.0  # what was done in the block at hand took so much longer than was thought
        self._wary_seconds = 0.0  # so long little is planned

    def begin(self, begun_seconds: float, length_seconds: float, end_samples: int) -> None:
        """Begin a block."""
        is_amiss, self._excess_seconds = self._excess_seconds > AMISS * length_seconds, 0.0
        self._wary_seconds = WARY_SECONDS if is_amiss else max(0.0, self._wary_seconds - length_seconds)
        self._until_seconds = begun_seconds + self._share(length_seconds) * length_seconds
        self._early_seconds, self._spare_seconds = begun_seconds + EARLY * length_seconds, begun_seconds + SPARE * length_seconds
        self.end_samples, self.waited_samples = end_samples, -1

    def _share(self, length_seconds: float) -> float:
        if length_seconds < LONG_SECONDS:
            return SHARE
        return SHARE_OF_WARY if self._wary_seconds else SHARE_OF_LONG

    def allows(self, seconds: float) -> bool:
        """Return whether so much more can be done in time."""
        return self._left_seconds() > seconds

    @property
    def is_early(self) -> bool:
        """Whether hardly anything was done in the block yet."""
        return self.clock() < self._early_seconds

    def spare_room(self, seconds: float) -> int:
        """Return how often something can be done that takes so long and is not needed yet; once while hardly anything was done."""
        return max(int(self.is_early), int((self._spare_seconds - self.clock()) / max(seconds, 1e-6)))

    def room(self, seconds: float) -> int:
        """Return how often something can be done that takes so long; once where it never fits, and hardly anything was done in the block yet."""
        return max(int(self.is_early), int(self._left_seconds() / max(seconds, 1e-6)))

    def _left_seconds(self) -> float:
        return self._until_seconds - self.clock() - self.reserved_seconds

    def cost_seconds(self, what: str) -> float:
        """Return what something is thought to take.

        What was never done: as long as whatever of the same name took longest, up to the first ``|``, or as whatever took longest at all.
        """
        if (known := self._costs_seconds.get(what)) is not None:
            return known
        return max(self._alike_seconds(what) or self._costs_seconds.values(), default=0.0)

    def _alike_seconds(self, what: str) -> list[float]:
        name = what.partition("|")[0]
        return [seconds for other, seconds in self._costs_seconds.items() if other.partition("|")[0] == name and other != what]

    def knows(self, what: str) -> bool:
        """Return whether something was ever done."""
        return what in self._costs_seconds

    def took(self, what: str, seconds: float) -> None:
        """Take note of what something took.

        It is thought to take as long as the second longest of its last times: one may be the system's, that had something else to do.
        """
        self._took_seconds.setdefault(what, deque(maxlen=REMEMBERED)).append(seconds)
        self._estimate(what)

    def timed(self, what: str, do: Callable[[], T], times: int = 1) -> T:
        """Do something, so many times at once, and return what came of it; take note of what each took, but for what is timed by itself inside."""
        begun_seconds, inside_seconds = self.clock(), self.inside_seconds
        self.inside_seconds = 0.0
        made = do()
        seconds = self.clock() - begun_seconds
        own_seconds = seconds - self.inside_seconds
        if self.knows(what):
            self._excess_seconds += own_seconds - times * self._costs_seconds[what]
        self.took(what, own_seconds / times)
        self.inside_seconds = inside_seconds + seconds
        return made

    def put_off(self, waited_samples: int) -> None:
        """Take note that something has waited so long, and goes on waiting."""
        self.waited_samples = max(self.waited_samples, waited_samples)

    def doubt(self, what: str, share: float = DOUBT) -> None:
        """Think a little less of what something takes: so nothing waits for ever for what it took once, when everything was still cold.

        What was done but once is thought to take no longer than whatever of the same name takes longest.
        """
        known = self._took_seconds.get(what) or (self.cost_seconds(what),)
        at_most = min(share * known[0], max(self._alike_seconds(what), default=math.inf)) if len(known) == 1 else math.inf
        self._took_seconds[what] = deque((min(share * seconds, at_most) for seconds in known), REMEMBERED)
        self._estimate(what)

    def _estimate(self, what: str) -> None:
        self._costs_seconds[what] = sorted(self._took_seconds[what])[-2:][0]

    def forget(self) -> None:
        """Begin anew: what the first blocks took says nothing."""
        self._took_seconds.clear()
        self._costs_seconds.clear()
        self._excess_seconds = self._wary_seconds = 0.0
