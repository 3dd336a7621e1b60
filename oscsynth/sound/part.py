"""One part as it sounds: which patch it plays, and which are fading out after a switch. Rendering thread."""

from __future__ import annotations

from ..parameters import PART_SLOTS
from .bank import Voices
from .budget import Budget
from .controls import Row
from .deck import PANIC_SECONDS, Deck
from .note_sound import NoteSound
from .phase import NoiseCarrier
from .source import Inlet
from .voices import Sound

SWITCH_SECONDS = 0.02
MAX_DECKS = 4  # fading ones included

_OPEN, _PATCH, _PANIC, _OUTPUT, _TRAVEL = (PART_SLOTS[name].start for name in ("open", "patch", "panic", "output", "travel"))


class Part:
    """One part: the deck that is played, and those that are fading out.

    Parameters
    ----------
    number : int
        1 to 8.
    sounds : dict of int to Sound or NoteSound
        What is loaded, by the numbers under which the state names it; others put into it and take out of it.
    budget : Budget, optional
        Of the blocks.
    """

    def __init__(self, number: int, sounds: dict[int, Sound | NoteSound], carrier: NoiseCarrier, inlet: Inlet, budget: Budget | None = None) -> None:
        self._number = number
        self._sounds = sounds
        self._carrier = carrier
        self._inlet = inlet
        self._budget = budget
        self._current: Deck | None = None
        self._past_faults = 0
        self._panics = 0.0
        self.decks: list[Deck] = []

    @property
    def faults(self) -> int:
        """Spectra that came out NaN or infinite; each was made silent."""
        return self._past_faults + sum(deck.faults for deck in self.decks)

    @property
    def is_listening(self) -> bool:
        """Whether it plays what the input hears."""
        return self._current is not None and self._current.is_listening

    def track(self, now: int) -> tuple[int, int]:
        """Return where in its track it is, and how long that is, in samples; 0 and 0 where it has none."""
        return self._current.track(now) if self._current is not None else (0, 0)

    def update(self, row: Row, voices: Voices, now: int) -> tuple[bool, bool]:
        """Take over its row of the state, and the voices; return whether something acts at once, and whether something has to wait."""
        if row[_PANIC] != self._panics:
            self._panics = row[_PANIC]
            self.cut_past(now, PANIC_SECONDS * self._carrier.stft.sample_rate_hz)
        number = int(row[_PATCH]) if row[_OPEN] else -1
        current = self._current
        if current is not None and (number != current.number or int(row[_OUTPUT]) != current.output or current.is_recast_by(row)):
            return self._switch(number, row, voices, now)
        if current is None:
            return self._switch(number, row, voices, now) if number >= 0 else (False, False)
        return current.update(row, voices, now), False

    def _switch(self, number: int, row: Row, voices: Voices, now: int) -> tuple[bool, bool]:
        current, sound = self._current, self._sounds.get(number)
        if number >= 0 and sound is None:
            # Not loaded yet: go on with what there is, and look again.
            return (current.update(row, voices, now) if current is not None else False), True
        shortest_samples = SWITCH_SECONDS * self._carrier.stft.sample_rate_hz
        if number >= 0 and len(self.decks) >= MAX_DECKS:
            # Switched faster than anything can fade: the new patch waits for a place, and what is meant for it does not reach the old one.
            self.cut_past(now, shortest_samples)
            return False, True
        fade_samples = max(shortest_samples, row[_TRAVEL] * self._carrier.stft.sample_rate_hz)
        self._current = None
        if sound is not None:
            self._current = Deck(number, self._number, sound, self._carrier, row, self._inlet, now, self._budget)
            if current is None:
                self._current.start(voices, now, fade_samples)
            else:
                self._current.take_over(current, voices, now, fade_samples)
            self.decks.append(self._current)
        if current is not None:
            current.end(now, fade_samples)
        return True, False

    def cut_past(self, now: int, samples: float) -> int:
        """Have what goes on from earlier patches end within some samples; return of how many patches it would have gone on for longer."""
        return sum([deck.cut(now, samples) for deck in self.decks if deck is not self._current])

    def clean_up(self) -> None:
        """Forget what has ended."""
        over = [deck for deck in self.decks if deck.is_over and deck is not self._current]
        for deck in over:
            self._past_faults += deck.faults
            self.decks.remove(deck)
