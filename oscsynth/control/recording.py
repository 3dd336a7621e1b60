"""Recording: what `/record`, `/record/start` and `/record/stop` do, and who is told how it ended.

Control process, one thread; the file itself is written by a process of its own, which `Studio` stands for here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from .row import Answer, Refused

if TYPE_CHECKING:
    from .part import Part


class Studio(Protocol):
    """Where recordings are made."""

    @property
    def path(self) -> str:
        """The file that is being written, or nothing."""
        ...

    def start(self, name: str) -> str:
        """Begin a recording with this sample, in a file of that name (one is made up if it is empty); return its path.

        Raises
        ------
        Refused
            With a sentence, when it cannot be.
        """
        ...

    def stop(self) -> None:
        """End it with this sample."""
        ...


def _studio(part: Part) -> Studio:
    if part.instrument.studio is None:
        raise Refused("nothing can be recorded here: what is rendered is a file already")
    return part.instrument.studio


def read_record(part: Part, key: int) -> Answer:
    """Return 1 while it records."""
    return (int(part.instrument.studio is not None and bool(part.instrument.studio.path)),)


def write_record(part: Part, key: int, values: Sequence[Any]) -> None:
    """Begin or end a recording."""
    (start if values[0] else stop)(part, key)


def start(part: Part, key: int) -> None:
    """Begin a recording in a file that is named after the time of day."""
    start_named(part, "")


def start_named(part: Part, name: str) -> None:
    """Begin a recording in a file of that name."""
    studio = _studio(part)
    if studio.path:
        if name:
            raise Refused(f"{studio.path} is being recorded: /record/stop ends that")
        return
    studio.start(name)
    part.instrument.noted = True


def stop(part: Part, key: int) -> None:
    """End the recording; when there is none, nothing happens."""
    studio = part.instrument.studio
    if studio is not None and studio.path:
        studio.stop()


def read_file(part: Part, key: int) -> Answer:
    """Return the file that is being written, or nothing."""
    return (part.instrument.studio.path if part.instrument.studio is not None else "",)
