"""Bundles happen at their time: those far off wait here, those near are handed to the engine with the moment they are due.

Control process, on its event loop; no I/O. A bundle that comes within `HANDOVER_SECONDS` is performed as if it were due, on the state as it will be
then, and what that would change is put into ``state.ahead``; the state itself stays as it is in force, so questions, feedback and whatever
arrives meanwhile see nothing of it. The engine makes those changes at their samples. When the moment has come they are taken over into the state.
So nothing sleeps, each bundle is written once by time and once by value, and either process may be started again in between.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, Protocol

from ..link import MAX_QUEUE_BYTES
from ..parameters import MAX_PARTS, N_SLOTS, PART_SLOTS
from ..schedule import Queue, WallClock
from .ahead import Ahead, Handed
from .instrument import Instrument
from .osc import IMMEDIATE, Bundle, Message
from .punctuality import Punctuality
from .row import Reply
from .waiting import Waiting, moments, unpack

log = logging.getLogger(__name__)
HANDOVER_SECONDS = 0.1
FARTHEST_SECONDS = 60.0
OVERDUE_SECONDS = 0.05  # a note that should have begun longer ago is left out
LATE_SECONDS = 0.001  # less is the way through the network
MAX_BUNDLES = 4096
SAVE_SECONDS = 0.01
_MAX_HANDED = 256  # in between; each new one looks at all of them
_AFTER_SECONDS = 0.01
_AT_ONCE = 16  # bundles taken up in one go; then whatever else waits on the loop has its turn
MAX_MOMENTS = 16  # in one packet
_PANICS = tuple(part * N_SLOTS + PART_SLOTS["panic"].start for part in range(1, MAX_PARTS + 1))


class Timer(Protocol):
    """What is going to be called."""

    def cancel(self) -> object: ...  # noqa: D102


class Timeline:
    """What lies ahead of an instrument.

    Parameters
    ----------
    instrument : Instrument
        What the bundles are for.
    later : callable
        Calls a function after so many seconds, as an event loop's ``call_later`` does.
    deliver : callable
        Called when something has happened by itself, with the replies to it, each with its sender.
    keep : callable
        Given what waits, as bytes, whenever that has changed.
    complain : callable
        Told a sentence for the user.
    clock, seconds : WallClock, callable
        The clock of the time tags, and the one that nobody sets.

    Attributes
    ----------
    ahead : Ahead
        What was handed over, at first what an earlier control left in the state.
    late, dropped : int
        Bundles that came after their time; that were refused.
    """

    def __init__(
        self,
        instrument: Instrument,
        later: Callable[[float, Callable[[], None]], Timer],
        deliver: Callable[[list[tuple[Any, Reply]]], None],
        keep: Callable[[bytes], None] = lambda data: None,
        complain: Callable[[str], None] = lambda sentence: None,
        clock: WallClock | None = None,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._instrument = instrument
        self._later, self._deliver, self._keep, self._complain = later, deliver, keep, complain
        self._clock = clock or WallClock()
        self._seconds = seconds
        self._queue: Queue[Waiting] = Queue(MAX_BUNDLES, MAX_QUEUE_BYTES)
        self.ahead = Ahead(instrument.state)
        self._punctuality = Punctuality()
        self._order = 0
        self._panics = [0.0] * MAX_PARTS
        self._silenced: dict[int, int] = {}  # by row of the state: what came up to that one is dropped
        self._timer: Timer | None = None
        self._wakes_seconds = float("inf")
        self._saves = False
        self.late = self.dropped = 0

    def __len__(self) -> int:
        return len(self._queue) + len(self.ahead)

    def statistics(self) -> dict[str, int]:
        """Return what ``/status`` says of it."""
        return {"late": self.late, "ahead": len(self), "bundles_refused": self.dropped}

    # ---- what arrives

    def perform(self, packet: Message | Bundle, sender: Any = None, terse: bool = False) -> list[Reply]:
        """Do what a packet says, at its time; return the replies to what happens at once."""
        if isinstance(packet, Message) or (self._instrument.untimed and self._instrument.client_of(sender) in self._instrument.untimed):
            return self._perform_now(packet, sender, terse)
        replies: list[Reply] = []
        times = moments(packet, IMMEDIATE)
        if len(times) > MAX_MOMENTS:
            self.dropped += 1
            return [self._instrument.fail("", f"one packet may hold bundles for {MAX_MOMENTS} moments, not {len(times)}: send several")]
        for time_tag, messages in times.items():
            if time_tag > IMMEDIATE:
                replies += self._perform_at(self._clock.seconds(time_tag), tuple(messages), sender, terse)
            else:
                replies += self._perform_now(Bundle(IMMEDIATE, tuple(messages)), sender, terse)
        return replies

    def _perform_now(self, packet: Message | Bundle, sender: Any, terse: bool = False) -> list[Reply]:
        replies = self._instrument.perform(packet, sender, terse)
        if len(self):
            self._look_for_panic()
        return replies

    def _perform_at(self, due_seconds: float, messages: tuple[Message, ...], sender: Any, terse: bool) -> list[Reply]:
        lead_seconds = due_seconds - self._seconds()
        told = self._tell(sender, lead_seconds)
        if lead_seconds <= 0.0:
            replies = self._perform_now(Bundle(IMMEDIATE, messages), sender, terse)
            if lead_seconds < -LATE_SECONDS:
                self.late += 1
                replies.append(Reply(f"{self._instrument.prefix}/late", (-lead_seconds,)))
            return replies + told
        if lead_seconds > FARTHEST_SECONDS:
            why = f"its time tag lies {_said(lead_seconds)} ahead: at most {FARTHEST_SECONDS:g} s; /oscsynth/timetags 0 has them ignored"
        elif not self._enqueue(due_seconds, sender, messages):
            why = f"too much lies ahead already: at most {MAX_BUNDLES} bundles, or {MAX_QUEUE_BYTES // 1024} KiB"
        else:
            if lead_seconds <= HANDOVER_SECONDS:
                self.advance()
            else:
                self._save_soon()
                self._arm()
            return told
        self.dropped += 1
        return [self._instrument.fail(messages[0].address if messages else "", why), *told]

    def _enqueue(self, due_seconds: float, sender: Any, messages: tuple[Message, ...]) -> bool:
        if not len(self):
            self._panics = self._count_panics()
        self._order += 1
        waiting = Waiting.of(due_seconds, self._order, sender, messages)
        return self._queue.push(due_seconds, waiting, len(waiting.packed))

    def _tell(self, sender: Any, lead_seconds: float) -> list[Reply]:
        sentence = self._punctuality.judge(self._instrument.client_of(sender), lead_seconds, self._seconds())
        if not sentence:
            return []
        self._complain(f"from {sender[0] if isinstance(sender, tuple) else getattr(sender, 'host', sender)}: {sentence}")
        return [self._instrument.fail(f"{self._instrument.prefix}/timetags", sentence)]

    def leave(self, sender: Any) -> None:
        """End the notes of one who is gone, once the last that it sent has happened."""
        last_seconds = max((each.due_seconds for each in (*self._queue.items(), *self.ahead) if each.sender is sender), default=0.0)
        if last_seconds:
            self._later(max(0.0, last_seconds - self._seconds()) + _AFTER_SECONDS, lambda: self._end_notes(sender))
        else:
            self._instrument.voices.leave(sender)

    def _end_notes(self, sender: Any) -> None:
        self.advance()
        self._instrument.voices.leave(sender)
        self._deliver([])

    # ---- what comes near, and what has come

    def advance(self) -> None:
        """Hand over what is near, and take over what is due."""
        now, replies = self._seconds(), self._take_over()
        for _ in range(_AT_ONCE):
            if self._queue.first_seconds > now + HANDOVER_SECONDS or not self._has_room():
                break
            self._save_soon()
            waiting = self._queue.pop()
            if waiting.due_seconds <= now:  # nobody was there to hand it over
                self._instrument.drops_notes = now - waiting.due_seconds > OVERDUE_SECONDS
                replies += [(waiting.sender, reply) for reply in self._try(waiting)]
                self._instrument.drops_notes = False
                self._look_for_panic()
            else:
                self._hand_over(waiting)
        self._show()
        self._deliver(replies)
        self._arm()

    def _take_over(self) -> list[tuple[Any, Reply]]:
        """Make the state hold what is due; return the replies that waited for that."""
        now, replies = self._seconds(), []
        while self.ahead.first_seconds <= now:
            handed = self.ahead.take_over()
            replies += [(handed.sender, reply) for reply in handed.replies]
            self._look_for_panic()
        return replies

    def _hand_over(self, waiting: Waiting) -> None:
        """Find out what a bundle will change."""
        written: dict[int, float] = {}
        with self.ahead.foreseen(waiting.due_seconds):
            self._instrument.written, self._instrument.moment_seconds = written, waiting.due_seconds
            try:
                replies = self._try(waiting)
            finally:
                self._instrument.written = self._instrument.moment_seconds = None
        handed = Handed(waiting.due_seconds, waiting.order, waiting.sender, written, replies)
        if self._silenced:
            handed.leave_out(lambda part: waiting.order <= self._silenced.get(part, 0), self._instrument.state.values)
        self.ahead.add(handed)

    def _has_room(self) -> bool:
        """Say whether the first that waits may be handed over: always when it comes before one that was."""
        return len(self.ahead) < _MAX_HANDED or self._queue.first_seconds < self.ahead.last_seconds

    def _try(self, waiting: Waiting) -> list[Reply]:
        try:
            return self._instrument.perform(Bundle(IMMEDIATE, waiting.messages), waiting.sender)
        except Exception as error:  # as at the socket: whatever a bug may leave, the next bundle is performed
            log.exception("a bundle could not be performed")
            self._complain(f"a bundle could not be performed: {type(error).__name__}: {error}")
            return []

    def _show(self) -> None:
        if self.ahead.show():
            self._instrument.changed = True

    def _arm(self) -> None:
        first = self._queue.first_seconds - HANDOVER_SECONDS if self._has_room() else float("inf")
        wakes_seconds = min(first, self.ahead.first_seconds)
        if wakes_seconds == self._wakes_seconds:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._wakes_seconds = None, wakes_seconds
        if len(self):
            self._timer = self._later(max(0.0, wakes_seconds - self._seconds()), self._wake)

    def _wake(self) -> None:
        self._timer, self._wakes_seconds = None, float("inf")
        self.advance()

    # ---- panic

    def _count_panics(self) -> list[float]:
        return [self._instrument.state.values[at] for at in _PANICS]

    def _look_for_panic(self) -> None:
        """Drop what lies ahead of every part that has been silenced; everything, when none is left."""
        panics = self._count_panics()
        if panics == self._panics:
            return
        rows = {row for row, (before, after) in enumerate(zip(self._panics, panics, strict=True), 1) if before != after}
        self._panics = panics
        if rows >= set(self._instrument.parts):
            self._queue.clear()
            self.ahead.clear()
        self._silenced |= dict.fromkeys(rows, self._order)
        for handed in self.ahead:
            handed.leave_out(rows.__contains__, self._instrument.state.values)
        self._save_soon()
        self._show()

    # ---- what survives

    def _save_soon(self) -> None:
        if not self._saves:
            self._saves = True
            self._later(SAVE_SECONDS, self.save)

    def save(self) -> None:
        """Keep what waits."""
        self._saves = False
        self._keep(b"".join(waiting.packed for waiting in self._queue.items()))

    def restore(self, data: bytes) -> None:
        """Go on from what an earlier control kept; `advance` then does what is overdue."""
        handed = {each.due_seconds for each in self.ahead}
        self._panics = self._count_panics()
        for due_seconds, _, sender, messages in sorted(unpack(data), key=lambda kept: kept[:2]):
            if due_seconds not in handed:
                self._enqueue(due_seconds, sender, messages)


def _said(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 3600 else f"{seconds / 3600:.0f} hours"
