"""Which of the changes that are due are made in a block, and how much of each, so that it is in time. Rendering thread.

What does not fit waits for the next clock. Who has waited for a hop is made one note at a time, or gets a block for itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from .budget import SLIGHT_DOUBT, Budget
from .deck import Deck, Way
from .phase import Stft

# What a budget knows the sound itself as, once what is to be heard is made.
BEGINNING, GOING_ON = "the first clock of a hop", "another clock"
CHANGING = 0.3  # of what the beginning of a hop takes, that a change takes in the middle of one


class Planner:
    """Makes a deck's change, or has it wait.

    Parameters
    ----------
    budget : Budget
        Of the blocks.
    decks : callable
        Returns all that there are.
    """

    def __init__(self, stft: Stft, budget: Budget, decks: Callable[[], list[Deck]]) -> None:
        self._stft, self._budget, self._decks = stft, budget, decks

    def change(self, deck: Deck, now: int, at_clock: bool, make: Callable[[Way], None]) -> None:
        """Have a deck's change made in the way that there is time for, or have it wait; ``make`` makes it."""
        waited_samples, whole = now - int(min(now, deck.waits_since)), deck.whole(at_clock)
        way = self._affordable(deck, whole, now, at_clock, waited_samples)
        if way is None:
            self._put_off(deck, whole, now, at_clock, waited_samples)
            if not deck.may_wait:
                in_haste = deck.in_haste(at_clock)
                self._budget.timed(in_haste.work, lambda: make(in_haste))
        else:
            self._make(deck, whole, way, now, make)

    def _affordable(self, deck: Deck, whole: Way, now: int, at_clock: bool, waited_samples: int) -> Way | None:
        """Return how a deck can be made anew in what is left of the block, with all that has to be done besides; None where it has to wait."""
        budget, hop_samples, clock_samples = self._budget, self._stft.hop_samples, self._stft.clock_samples
        begins_hop = -now % hop_samples < budget.end_samples - now
        budget.reserved_seconds = (1.0 if begins_hop else CHANGING) * budget.cost_seconds(BEGINNING)
        budget.reserved_seconds += (budget.end_samples - now) // clock_samples * budget.cost_seconds(GOING_ON)
        for other in self._decks():
            if other is not deck and not other.may_wait and other.next_turn(now + at_clock) < budget.end_samples:
                budget.reserved_seconds += budget.cost_seconds(other.in_haste(True).work)
        cost_seconds = budget.cost_seconds(whole.work) + (budget.cost_seconds(deck.lacks) if deck.lacks else 0.0)
        if budget.allows(cost_seconds):
            return None if not deck.may_wait and self._gives_way(deck, now, cost_seconds) else whole
        has_waited, ways = waited_samples >= hop_samples, deck.in_part(at_clock)
        for way in ways:
            if (has_waited or not way.only_one) and budget.knows(way.work) and budget.allows(budget.cost_seconds(way.work)):
                return way
        # What never fits gets a block for itself.
        return [whole, *ways][-1] if has_waited and budget.is_early and not begins_hop else None

    def _gives_way(self, deck: Deck, now: int, cost_seconds: float) -> bool:
        """Whether a deck that can be made in haste is to be, so that another has room that has waited for a hop."""
        budget = self._budget
        waiting = [other for other in self._decks() if other.may_wait and now - other.waits_since >= self._stft.hop_samples]
        if not waiting:
            return False
        longest = min(waiting, key=lambda other: other.waits_since)
        needed_seconds, in_haste = budget.cost_seconds(longest.whole(True).work), deck.in_haste(True).work
        if budget.allows(needed_seconds + cost_seconds):
            return False
        return not budget.knows(in_haste) or budget.allows(needed_seconds + budget.cost_seconds(in_haste))

    def _make(self, deck: Deck, whole: Way, way: Way, now: int, make: Callable[[Way], None]) -> None:
        budget, is_rest = self._budget, deck.is_half_made
        budget.reserved_seconds += budget.cost_seconds(way.work)
        begun_seconds = budget.clock()
        budget.timed(way.work, lambda: make(way))
        seconds = budget.clock() - begun_seconds
        if is_rest and deck.first_half is not None:
            work, first_seconds = deck.first_half
            budget.took(work, first_seconds + seconds)  # so that it is made as a whole again as soon as there is room for that
        deck.first_half = (whole.work, seconds) if way.in_two and not way.only_one else None
        if way.only_one:
            budget.doubt(whole.work, SLIGHT_DOUBT)  # so that all of it is tried again some time
        if way.only_one or way.in_two or is_rest:
            deck.waits_since = now if deck.waits_on else math.inf
        else:
            deck.waits_since = min(deck.waits_since, now) if deck.lacks else math.inf

    def _put_off(self, deck: Deck, whole: Way, now: int, at_clock: bool, waited_samples: int) -> None:
        budget = self._budget
        deck.waits_since = min(deck.waits_since, now)
        budget.put_off(waited_samples)
        if waited_samples >= self._stft.hop_samples:
            half = next((way for way in deck.in_part(at_clock) if way.in_two and not way.only_one and budget.knows(way.work)), whole)
            for what in filter(None, (half.work, deck.lacks)):
                budget.doubt(what)
        elif not at_clock and budget.cost_seconds(whole.work) > budget.cost_seconds(deck.whole(True).work):
            # The next clock will do it instead, so that this is not done, and would be thought to take for ever what it took once.
            budget.doubt(whole.work)
