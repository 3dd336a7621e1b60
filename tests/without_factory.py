"""The control process with no other patches than a test's; a module of its own, so that the child imports no more than it has to."""

from dataclasses import dataclass
from pathlib import Path

from oscsynth import control_process


@dataclass(frozen=True)
class Options:
    patches: Path
    host: str = "127.0.0.1"
    port: int = 0
    patch: str | None = "Aa"
    http_port: int | None = 0
    announce: bool = False
    lan: bool = False
    allow: tuple[str, ...] = ()
    feedback: tuple[str, ...] = ()
    fresh: bool = False
    recordings: Path | None = None
    midi: tuple[str, ...] = ("none",)


def main(*arguments):
    """Be the control process."""
    control_process.factory_folder = lambda: arguments[-1].patches / "factory"
    control_process.main(*arguments)
