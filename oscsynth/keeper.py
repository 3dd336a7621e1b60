"""What stands between the session's file and the instrument: takes it up at the start, and keeps it while it changes.

Control process; looks on the event loop, writes on a thread of its own, so that a slow disk holds up nothing. Imports ``session`` and `control`.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from .control.arrange import kept_of
from .control.instrument import Instrument
from .control.resume import from_session, to_memories, to_session
from .session import SessionFile

KEEP_SECONDS = 0.5  # a change is on disk that much later, and what the disk takes
SAME_SECONDS = 2.0  # after so long without a change the one before is made the same: then a damaged file loses nothing
SETTLE_SECONDS = 2.0  # an engine that has lived that long with a session will go on living
CLOSE_SECONDS = 1.0  # what the disk gets at the end
NEVER = float("inf")


class Keeper:
    """Keeps the session of an instrument.

    Parameters
    ----------
    file : SessionFile
        Where.
    complain : callable
        Told a sentence for the user.
    """

    def __init__(self, instrument: Instrument, file: SessionFile, complain: Callable[[str], None]) -> None:
        self._instrument, self._file, self._complain = instrument, file, complain
        self._memories = self._kept = ""
        self._seen: tuple[bytes, str] = b"", ""
        self._due_seconds = self._same_seconds = self._settles_seconds = NEVER
        self._engines = 0  # that were started since the session was taken up
        self._newest: deque[str] = deque(maxlen=1)
        self._wanted, self._leaving = threading.Event(), False
        self._writer = threading.Thread(target=self._write, daemon=True)
        self._writer.start()

    # ---- taking up

    def resume(self, start: str | None) -> None:
        """Take up what there is; ``start`` is a patch that part 1 is to begin with instead."""
        text = self._file.begin()
        if not text:
            return
        try:
            faults = from_session(self._instrument, text, start)
        except ValueError as error:
            self._file.set_aside(f"the session cannot be taken up: {error}")
            return
        self._kept = text
        self._settles_seconds = self._same_seconds = time.monotonic() + SETTLE_SECONDS
        self._complain("; ".join([_said(self._instrument), *faults]))

    def engine_started(self) -> None:
        """Take notice of a new engine, as it may be the session that killed the last one."""
        self._engines += 1
        if self._settles_seconds < NEVER:
            self._settles_seconds = time.monotonic() + SETTLE_SECONDS

    # ---- keeping

    def look(self, noted: bool) -> None:
        """Have what is new written soon; ``noted`` says that something beside the values may have changed."""
        now = time.monotonic()
        if now >= self._settles_seconds:
            self._settles_seconds = NEVER
            self._file.settle()
        if noted or not self._memories:
            self._memories = to_memories(self._instrument)
        seen = self._instrument.state.values.tobytes(), self._memories
        if noted or seen != self._seen:
            self._seen = seen
            self._due_seconds = min(self._due_seconds, now + KEEP_SECONDS)
        if now >= self._due_seconds:
            self._due_seconds = NEVER
            self._keep(to_session(self._instrument, self._memories), now)
        elif now >= self._same_seconds:
            self._same_seconds = NEVER
            self._put(self._kept)

    def _keep(self, text: str, now: float) -> None:
        if text != self._kept:
            self._kept, self._same_seconds = text, now + SAME_SECONDS
            self._put(text)

    def _put(self, text: str) -> None:
        self._newest.append(text)
        self._wanted.set()

    def close(self) -> None:
        """Write the last of it and end; a start that came that far on one engine did no harm."""
        self._keep(to_session(self._instrument, to_memories(self._instrument)), time.monotonic())
        self._leaving = True
        self._wanted.set()
        self._writer.join(CLOSE_SECONDS)
        if self._settles_seconds == NEVER or self._engines <= 1:
            self._file.settle()

    def _write(self) -> None:
        while not self._leaving:
            self._wanted.wait()
            self._wanted.clear()
            while self._newest:
                self._file.write(self._newest.popleft())


def _said(instrument: Instrument) -> str:
    kept = {part.number: scene for part in instrument.parts.values() if (scene := kept_of(part)) is not None}
    parts = ", ".join(f"part {number} {scene.patch}" for number, scene in kept.items()) or "no part"
    is_closed = bool(kept) and not any(scene.values.get("gate", (1,))[0] for scene in kept.values())
    return f"going on where it ended: {parts}{', with every gate closed: /gate 1 opens one' if is_closed else ''} (--fresh starts anew)"
