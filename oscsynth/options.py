"""What ``oscsynth serve`` was asked for: the parent, its screen and control read it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """What ``oscsynth serve`` was asked for; ``None`` leaves it to the device, the folder, or the first patch by name."""

    audio: str = "auto"
    device: str | None = None
    block_size: int | None = None
    sample_rate_hz: int | None = None
    render_ahead: int = 0
    input: str | None = None  # what is listened to: a part of a name, "default", or a sound file
    port: int = 57140
    host: str = "127.0.0.1"
    patch: str | None = None
    patches: Path | None = None
    http_port: int | None = None  # the one after OSC's; 0 for none
    announce: bool = True
    lan: bool = False
    allow: tuple[str, ...] = ()
    feedback: tuple[str, ...] = ()
    midi: tuple[str, ...] = ()
    fresh: bool = False
    recordings: Path | None = None  # the user's music folder
