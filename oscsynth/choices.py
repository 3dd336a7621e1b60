"""What the user chose once and need not choose again: whether the local network is let in."""

from __future__ import annotations

import contextlib
from pathlib import Path


def remembers_lan() -> bool:
    """Return whether the network is let in without being asked for."""
    return _file().exists()


def remember_lan(wanted: bool) -> None:
    """Keep that for the next start; where that cannot be, it holds for now alone."""
    with contextlib.suppress(OSError):
        if wanted:
            _file().parent.mkdir(parents=True, exist_ok=True)
            _file().touch()
        else:
            _file().unlink(missing_ok=True)


def _file() -> Path:
    import platformdirs

    return platformdirs.user_config_path("oscsynth", appauthor=False) / "lan"
