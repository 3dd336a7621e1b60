"""What a scene is: which part plays which patch, and how its values stand.

Any thread, any process; imports nothing of the house. `setlist` reads and writes scenes as a file, `control` plays them; the session
holds its parts in the same form.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

Arguments: TypeAlias = tuple[float | int | str, ...]
MAX_FADE_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class PartScene:
    """What one part plays: a patch, and the messages that are sent to it then, by their address below the part."""

    patch: str
    values: dict[str, Arguments] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scene:
    """One scene: its parts by number, a note for the performer, and the time in which it is reached; 0 is a patch switch's 20 ms."""

    name: str
    parts: dict[int, PartScene]
    note: str = ""
    fade_seconds: float = 0.0
