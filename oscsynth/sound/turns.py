"""Which of many voices that have moved are made anew at a change. Rendering thread."""

from __future__ import annotations

import numpy as np

from .controls import Indices

MOST_AT_ONCE = 8  # with many more at one change no block is in time
MOST_TONAL_AT_ONCE = 4  # each has its partials found, which takes as long as all else
MOST_NEW_AT_ONCE = 8  # a chord is played by two hands; more begin together where a patch takes over what another holds


def most_at_once(n: int, has_budget: bool, is_tonal: bool) -> int:
    """Return how many of ``n`` voices may be made anew at one change: all of them offline, where everything is done at its moment."""
    return n if not has_budget else MOST_TONAL_AT_ONCE if is_tonal else MOST_AT_ONCE


class Turns:
    """All of them, or so many as may at once, those first that never were, then those that have waited longest.

    Parameters
    ----------
    n : int
        The most voices there can be.
    most : int
        That may be made anew at once: `most_at_once`.
    most_new : int, optional
        As many may be that never were; all of them if left out.

    Attributes
    ----------
    is_anyone_left : bool
        Whether some that have moved are still to be made anew.
    """

    def __init__(self, n: int, most: int, most_new: int | None = None) -> None:
        self.is_anyone_left = False
        self._most, self._most_new = most, n if most_new is None else most_new
        self._made_at = np.full(n, -1.0)  # when each was last, -1 for never

    def begin(self, at: int) -> None:
        """Have a new voice at a place."""
        self._made_at[at] = -1.0

    def put(self, at: int, to: int) -> None:
        """Put one into the place of another."""
        self._made_at[to] = self._made_at[at]

    def some(self, moved: Indices, moment: float, are_all: bool = True, only_one: bool = False) -> Indices:
        """Return those of the voices that have moved whose turn it is at a moment, in order.

        ``are_all``: no others have moved; ``only_one``: there is no time for more than one.
        """
        most, most_new = (1, 1) if only_one else (self._most, self._most_new)
        are_many = len(moved) > most
        self.is_anyone_left = are_many or (self.is_anyone_left and not are_all)
        if are_many:
            waited = moved[np.argsort(self._made_at[moved], kind="stable")]
            n_new = int((self._made_at[moved] < 0.0).sum())
            moved = np.sort(waited[: max(most, min(most_new, n_new))])
        self._made_at[moved] = moment
        return moved
