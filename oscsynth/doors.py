"""The doors that open once the instrument plays: OSCQuery over HTTP, and the announcement on the network.

Control process, on its event loop. Nothing of it stands in the way of the first sound: what is slow to import is imported on a thread, later.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import sys
import time
from collections.abc import Callable

from .atlas import Atlas
from .control.discovery import Announcement
from .control.oscquery import OscQuery
from .control.server import Server
from .errors import OscsynthError
from .tap import Tap

LATEST_SECONDS = 3.0  # they open even if nothing sounds
_LOOK_SECONDS = 0.1
_SWITCH_SECONDS = 2e-4  # a thread that imports lets a message through after that, not after 5 ms


class Doors:
    """OSCQuery and the announcement.

    Parameters
    ----------
    server : Server
        What they lead to; HTTP listens on the same host, and lets the same people in.
    http_port : int or None
        None for the port after OSC's, 0 for no HTTP.
    announce : bool
        Whether others are told.
    complain : callable
        Called with a sentence if one of them stays shut.
    tap : Tap, optional
        What is heard, for pages that listen.
    """

    def __init__(self, server: Server, http_port: int | None, announce: bool, complain: Callable[[str], None], tap: Tap | None = None) -> None:
        self._oscquery = OscQuery(server.instrument, server.address, server.guard, server.handle, server.sockets.leave, Atlas().draw, tap)
        self._host, self._port = server.address[:2]
        self._http_port = (self._port + 1) % 65536 if http_port is None else http_port
        self._announce = announce
        self._complain = complain
        self._announcement: Announcement | None = None

    async def run(self, is_sounding: Callable[[], bool]) -> None:
        """Open them as soon as the instrument sounds, and shut them when cancelled."""
        latest = time.monotonic() + LATEST_SECONDS
        while not is_sounding() and time.monotonic() < latest:
            await asyncio.sleep(_LOOK_SECONDS)
        try:
            await self._open()
            await asyncio.Event().wait()
        finally:
            await self._close()

    async def _open(self) -> None:
        sys.setswitchinterval(_SWITCH_SECONDS)
        if self._http_port:
            logging.getLogger("aiohttp").setLevel(logging.CRITICAL)  # a browser's nonsense is nothing to print
            await asyncio.to_thread(importlib.import_module, "aiohttp.web")
            try:
                await self._oscquery.open(self._host, self._http_port)
            except OscsynthError as error:
                self._complain(str(error))
        if self._announce:
            self._announcement = Announcement(self._host, self._port, self._oscquery.port, self._complain)
            self._announcement.start()

    async def _close(self) -> None:
        if self._announcement is not None:
            await asyncio.to_thread(self._announcement.close)
        await self._oscquery.close()
