"""The session as a file: written whole or not at all, with the one before kept beside it, and set aside when it only does harm.

Any process but the engine's; imports ``errors`` alone. What stands in the text is nobody's business here. Three files in the folder of the
program's state, for each port one set: ``session-57140.json``, ``.previous.json``, and ``.loading`` while it is not yet known to do no harm.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

from .errors import shown

MAX_FAILED_STARTS = 2


def state_folder() -> Path:
    """Return where programs keep what they go on from, which need not exist yet."""
    import platformdirs

    return platformdirs.user_state_path("oscsynth", appauthor=False)


class SessionFile:
    """One session on disk.

    Parameters
    ----------
    folder : Path
        Where it lies.
    port : int
        Of which instrument: several may run on one computer, each on a port of its own.
    complain : callable
        Told a sentence for the user.
    """

    def __init__(self, folder: Path, port: int, complain: Callable[[str], None]) -> None:
        self.path = folder / f"session-{port}.json"
        self.previous = folder / f"session-{port}.previous.json"
        self._loading = folder / f"session-{port}.loading"
        self._complain = complain
        self._has_failed = False

    # ---- reading

    def begin(self) -> str:
        """Return the newest text that is whole, empty if there is none; from here to `settle` the start counts as one that failed."""
        if self._failed_starts() >= MAX_FAILED_STARTS:
            self.set_aside(f"the session failed to load {MAX_FAILED_STARTS} times")
        text, is_damaged = _read(self.path)
        if not text:
            text, is_previous_damaged = _read(self.previous)
            if is_damaged and text:
                self._complain(f"the session {shown(self.path)} is damaged: going on from the one before")
                self._drop(self.path)  # or it would take the place of the good one
            elif is_damaged or is_previous_damaged:
                self.set_aside("the session is damaged, and so is the one before")
        if text:
            with contextlib.suppress(OSError):
                self._loading.write_text(str(self._failed_starts() + 1))
        return text

    def settle(self) -> None:
        """Take down that the session does no harm."""
        self._drop(self._loading)

    def set_aside(self, why: str) -> None:
        """Put the session where it does no harm, and say so."""
        aside = self.path.with_suffix(time.strftime(".aside-%Y%m%d-%H%M%S.json"))
        for path in (self.previous, self.path):
            with contextlib.suppress(OSError):
                os.replace(path, aside)
        self._drop(self._loading)
        self._complain(f"{why}: it was set aside as {shown(aside)}, and this is a fresh start")

    def _failed_starts(self) -> int:
        try:
            return int(self._loading.read_text())
        except (OSError, ValueError):
            return 0

    # ---- writing

    def write(self, text: str) -> None:
        """Keep a text in place of the last one; what cannot be written is said once, until it can be again. Takes as long as the disk does."""
        new = self.path.with_suffix(".new")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with new.open("wb") as file:
                file.write(_sealed(text))
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileNotFoundError):
                os.replace(self.path, self.previous)
            os.replace(new, self.path)
            _sync_folder(self.path.parent)
            self._has_failed = False
        except OSError as error:
            self._drop(new)
            if not self._has_failed:
                self._has_failed = True
                why = f"{error.strerror or error}: {shown(self.path)}"
                self._complain(f"the session cannot be kept ({why}); all goes on, but the next start will not know what is changed from here on")

    def _drop(self, path: Path) -> None:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def _sealed(text: str) -> bytes:
    data = text.encode()
    return data + b"\n" + _digest(data) + b"\n"


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).hexdigest().encode()


def _read(path: Path) -> tuple[str, bool]:
    """Return the text of a file, and whether there is something else than a whole one."""
    try:
        data, _, digest = path.read_bytes().removesuffix(b"\n").rpartition(b"\n")
        return (data.decode(), False) if digest == _digest(data) else ("", True)
    except OSError:  # not there, or not to be read: writing will say why
        return "", False
    except UnicodeDecodeError:
        return "", True


def _sync_folder(folder: Path) -> None:
    """Have the disk know the new names; systems that cannot open a folder do that by themselves."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
