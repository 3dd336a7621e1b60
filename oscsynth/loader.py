"""The thread that loads patches for the renderer: it may be slow, and read files. Engine process; imports ``sound`` as it starts."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from multiprocessing.connection import Connection
from typing import Any

from .errors import OscsynthError, told
from .link import Load, Loaded
from .renderer import Renderer

log = logging.getLogger(__name__)


class Loader:
    """Loads what control sends, one after the other, and answers; may begin before there is an engine."""

    def __init__(self, loads: Connection, loaded: Connection, sample_rate_hz: int) -> None:
        self._loads, self._loaded, self._rate_hz = loads, loaded, sample_rate_hz
        self._has_engine = threading.Event()
        self._renderer: Renderer | None = None
        self._numbers: set[int] = set()
        threading.Thread(target=self._run, name="loader", daemon=True).start()

    def serve(self, renderer: Renderer) -> None:
        """Install what is loaded there from now on."""
        self._renderer = renderer
        self._has_engine.set()

    def _run(self) -> None:
        from .sound.loading import SoundLoader
        from .tracks import track_of

        loader = SoundLoader(self._rate_hz)  # control is not ready with the first load yet
        with contextlib.suppress(EOFError, OSError):  # the parent is gone; the main thread sees that too
            while True:
                load: Load = self._loads.recv()
                error = ""
                try:
                    sound = loader.load(load.patch, track_of(load.patch, self._rate_hz)) if load.patch else None
                except OscsynthError as reason:
                    error = str(reason)
                except Exception as reason:  # whatever a decoder file can make a library raise: no patch is worth the sound
                    log.debug("patch %s does not load", load.number, exc_info=True)
                    error = f"{load.patch.decoder_path if load.patch else ''}: it does not load: {told(reason)}"
                self._install(load.number, sound if not error else None)
                if load.patch:
                    self._loaded.send(Loaded(load.number, error, os.getpid()))

    def _install(self, number: int, sound: Any) -> None:
        self._has_engine.wait()
        assert self._renderer is not None
        if sound is None:
            self._renderer.engine.forget(number)
            self._numbers.discard(number)
        else:
            self._renderer.engine.install(number, sound)
            self._numbers.add(number)
        self._renderer.loaded = len(self._numbers)
