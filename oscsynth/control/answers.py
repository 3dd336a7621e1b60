"""What goes back to the sender of one packet, and how much that packet may ask for.

Control process, one thread.
"""

from __future__ import annotations

from .addresses import Route
from .row import Refused, Reply

_MAX_TEXTS = 90  # in one reply, so that it fits into a packet that any system sends
# What one packet may ask for: each text or number of an answer and each address that a pattern means counts as one.
MAX_EFFORT = 8192


class Answers:
    """The replies to one packet, in order."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self._effort = 0

    def add(self, reply: Reply) -> None:
        """Reply with what is made already."""
        self.replies.append(reply)

    def answer(self, route: Route, address: str) -> None:
        """Reply to a question."""
        assert route.row.read is not None
        answer = route.row.read(route.part, route.key)
        self.exert(len(answer))
        if len(answer) <= _MAX_TEXTS or not isinstance(answer[0], str):
            self.add(Reply(address, answer))
            return
        self.replies += [Reply(address, answer[at : at + _MAX_TEXTS]) for at in range(0, len(answer), _MAX_TEXTS)]

    def exert(self, effort: int) -> None:
        """Count what is asked for.

        Raises
        ------
        Refused
            When it is too much.
        """
        self._effort += effort
        if self._effort > MAX_EFFORT:
            raise Refused(f"one packet may ask for {MAX_EFFORT} values, and this one has: send the rest in another")
