"""Which of many voices that have moved are made anew at a change. Rendering thread."""

from __future__ import annotations

import numpy as np

from .controls import Indices

MOST_AT_ONCE = 8  # with many more at one change no block is in time


class Turns:
    """All of them, or where they take turns `MOST_AT_ONCE`, those first that have waited longest; those that never were come what may.

    Parameters
    ----------
    n : int
        The most voices there can be.
    takes_turns : bool
        As where blocks have a budget; offline everything is done at its moment.

    Attributes
    ----------
    is_anyone_left : bool
        Whether some that have moved are still to be made anew.
    """

    def __init__(self, n: int, takes_turns: bool) -> None:
        self.is_anyone_left = False
        self._takes_turns = takes_turns
        self._made_at = np.full(n, -1.0)  # when each was last, -1 for never

    def begin(self, at: int) -> None:
        """Have a new voice at a place."""
        self._made_at[at] = -1.0

    def put(self, at: int, to: int) -> None:
        """Put one into the place of another."""
        self._made_at[to] = self._made_at[at]

    def some(self, moved: Indices, moment: float, are_all: bool = True) -> Indices:
        """Return those of the voices that have moved whose turn it is at a moment, in order; ``are_all``: no others have moved."""
        are_many = self._takes_turns and len(moved) > MOST_AT_ONCE
        self.is_anyone_left = are_many or (self.is_anyone_left and not are_all)
        if are_many:
            waited = moved[np.argsort(self._made_at[moved], kind="stable")]
            moved = np.sort(waited[: max(MOST_AT_ONCE, int((self._made_at[moved] < 0.0).sum()))])
        self._made_at[moved] = moment
        return moved
