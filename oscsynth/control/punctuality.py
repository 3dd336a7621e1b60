"""Whose clock is off: looks at how far ahead each sender's time tags lie. Control process, one thread; imports nothing of the house."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

N_TAGS = 12  # so many in a row make it steady,
EVERY_SECONDS = 0.1  # each so long after the last: a piece that is sent at once says no more than its first bundle
BEHIND_SECONDS = 0.05  # nobody plays that late on purpose
AHEAD_SECONDS = 1.0  # few play that far ahead,
SPREAD_SECONDS = 0.1  # and then not always by the same
_MAX_SENDERS = 256


@dataclass(slots=True)
class _Sender:
    leads: deque[float] = field(default_factory=lambda: deque(maxlen=N_TAGS))
    heard_seconds: float = float("-inf")
    was_told: bool = False


class Punctuality:
    """Says it once to each sender whose time tags are steadily off."""

    def __init__(self) -> None:
        self._senders: dict[Any, _Sender] = {}

    def judge(self, sender: Any, lead_seconds: float, now_seconds: float) -> str:
        """Take note of how far ahead a time tag lies (below 0: how late it came); return the sentence for its sender, mostly empty."""
        known = self._senders.get(sender)
        if known is None:
            if len(self._senders) >= _MAX_SENDERS:
                del self._senders[next(iter(self._senders))]
            known = self._senders[sender] = _Sender()
        if known.was_told or now_seconds < known.heard_seconds + EVERY_SECONDS:
            return ""
        known.heard_seconds = now_seconds
        known.leads.append(lead_seconds)
        sentence = _sentence(sorted(known.leads)) if len(known.leads) == N_TAGS else ""
        known.was_told = bool(sentence)
        return sentence


def _sentence(leads: list[float]) -> str:
    """Return what is to be said of so many leads in order of size."""
    middle, steady = leads[len(leads) // 2], leads[-1] - leads[0] < SPREAD_SECONDS
    if leads[-1] < -BEHIND_SECONDS:
        off = f"{-middle:.3g} s behind this machine's clock: they come too late to be played at their time"
    elif leads[0] > AHEAD_SECONDS and steady:
        off = f"{middle:.3g} s ahead of this machine's clock: everything happens that much later than it is sent"
    else:
        return ""
    return f"the time tags are steadily {off}; let both machines set their clocks by the network, or send /oscsynth/timetags 0 to have them ignored"
