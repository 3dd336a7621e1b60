"""A child process of ``oscsynth serve``: how it starts, what it is asked, how it ends.

Parent, main thread; `_run` is what the child does first. Imports ``tap``.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .tap import tap_path

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

QUICK_SECONDS = 5.0  # a process that lives no longer died quickly
MAX_QUICK_DEATHS = 5
MAX_BACKOFF_SECONDS = 1.0
LEAVE_SECONDS = 2.0  # what a child gets to fade out and leave

_CONTEXT = multiprocessing.get_context("spawn")


@dataclass
class Child:
    """One of the processes, and how it fares. ``arguments`` are what its ``main`` takes, asked for at each start."""

    name: str
    module: str
    arguments: Callable[[Connection], tuple[Any, ...]]
    process: BaseProcess | None = None
    events: Connection | None = None
    started_seconds: float = 0.0
    start_at_seconds: float = 0.0
    quick_deaths: int = 0
    sentences: list[str] = field(default_factory=list)  # of its fatal events

    def start(self) -> None:
        """Start it, with new pipes for its events."""
        self.events, theirs = _CONTEXT.Pipe()
        self.process = _CONTEXT.Process(target=_run, args=(self.module, *self.arguments(theirs)), name=f"oscsynth-{self.name}", daemon=True)
        with _without_main():
            self.process.start()
        theirs.close()
        self.started_seconds = time.monotonic()

    def bury(self) -> int:
        """Forget the dead process, set when it is to be started again, and return its exit code."""
        assert self.process is not None and self.events is not None
        self.process.join()
        code = self.process.exitcode or 0
        self.process.close()
        self.events.close()
        self.process = self.events = None
        now = time.monotonic()
        self.quick_deaths = self.quick_deaths + 1 if now - self.started_seconds < QUICK_SECONDS else 1
        backoff = 0.0 if self.quick_deaths < 2 else 0.05 * 2**self.quick_deaths
        self.start_at_seconds = now + min(backoff, MAX_BACKOFF_SECONDS)
        return code


def _run(module: str, *arguments: object) -> None:
    """Be a child: run the ``main`` of a module of this package."""
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking through all that is installed for some takes long, and none is ours
    for name in ("SIGINT", "SIGHUP"):  # they reach every process of the terminal; the parent decides
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, args=(arguments[0],), daemon=True).start()
    importlib.import_module(f"{__package__}.{module}").main(*arguments)


def _die_with_parent(shared_memory_path: Any) -> None:
    """Leave a moment after the parent was killed, whatever else this process is waiting for, and nothing behind."""
    if parent := multiprocessing.parent_process():
        parent.join()
        for path in (Path(shared_memory_path), tap_path(shared_memory_path)):  # memory that nobody would give back
            with contextlib.suppress(OSError):
                path.unlink()
        time.sleep(LEAVE_SECONDS / 2)  # the engine fades out by itself
        os._exit(0)


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    """Hide the program's main module, which a spawned child would import again: the command line is no part of it."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def how(code: int) -> str:
    """Return in words how a process ended."""
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"


def pipe() -> tuple[Connection, Connection]:
    """Return the end to write to and the end to read from."""
    out, into = _CONTEXT.Pipe(duplex=False)
    return into, out


def drain(connection: Connection) -> None:
    """Throw away what a dead engine did not read: a new one is sent everything again, and half a message would lead it astray."""
    if sys.platform != "win32":
        while select.select([connection.fileno()], [], [], 0)[0] and os.read(connection.fileno(), 65536):
            pass
