"""OSCQuery: the addresses and their values over HTTP, and as they change over WebSocket; and the page, which is its first client.

Control process, on its event loop; aiohttp is brought in on a thread once the instrument plays. A web page of somebody else cannot get in:
the Host header must be an address or a name of this machine, and so must the Origin.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import json
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .. import lan
from ..errors import OscsynthError
from . import listening, page
from .guard import Guard
from .instrument import Instrument
from .listener import Listener, Receive
from .namespace import ATTRIBUTES, EXTENSIONS, OTHER_ATTRIBUTES, Namespace
from .plane import Plane, legend, plane_of

if TYPE_CHECKING:
    from aiohttp import web

    from ..tap import Tap
    from .connection import Sender

_HEARTBEAT_SECONDS = 20.0
MAX_CLIENTS = 64
_MAX_COMMAND_BYTES = 65536

Draw = Callable[[Plane], Awaitable[Mapping[str, Any] | None]]


class OscQuery:
    """A small web server that tells what the instrument understands.

    Parameters
    ----------
    instrument : Instrument
        What it tells of.
    osc_address : tuple
        Host and port where OSC is listened to.
    guard : Guard, optional
        Says of an IP address whether it may ask; without it this machine alone may.
    receive : callable, optional
        Takes the OSC packets that come over WebSocket, with their sender; without it they are left aside.
    leave : callable, optional
        Called with each such sender that is gone.
    draw : callable, optional
        Draws the map of a plane; without it there are none.
    tap : Tap, optional
        Where what is heard is read, for those who listen.

    Attributes
    ----------
    port : int
        That it listens on, 0 until it does.
    """

    def __init__(
        self,
        instrument: Instrument,
        osc_address: tuple[Any, ...],
        guard: Guard | None = None,
        receive: Receive = lambda packet, sender: None,
        leave: Callable[[Sender], None] = lambda sender: None,
        draw: Draw | None = None,
        tap: Tap | None = None,
    ) -> None:
        self.port = 0
        self._instrument = instrument
        self._receive, self._leave, self._draw, self._tap = receive, leave, draw, tap
        self._namespace = Namespace(instrument)
        self._osc_address = osc_address
        self._guard = guard or Guard()
        self._runner: web.AppRunner | None = None
        self._names = {"localhost", *(name.lower() for name in (socket.gethostname(), f"{socket.gethostname().partition('.')[0]}.local"))}
        self._clients = self._ears = 0

    async def open(self, host: str, port: int) -> None:
        """Listen; port 0 takes any that is free.

        Raises
        ------
        OscsynthError
            With one sentence, when it cannot.
        """
        from aiohttp import web

        application = web.Application(client_max_size=_MAX_COMMAND_BYTES)
        application.router.add_get("/{path:.*}", self._get)
        self._runner = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=0.2)
        await self._runner.setup()
        try:
            # None is every network, IPv4 and IPv6 alike.
            await web.TCPSite(self._runner, None if lan.is_any(host) else host, port).start()
        except OSError as error:
            await self.close()
            why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be opened ({error.strerror or error})"
            raise OscsynthError(f"port {port} {why}, so there is no OSCQuery over HTTP; everything else works: --http-port takes another") from error
        self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        """Let the port and everybody who listens go."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner, self.port = None, 0

    # ---- HTTP

    async def _get(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import web

        if (refusal := self._refusal(request.headers, request.remote or "")) is not None:
            return web.Response(status=403, text=refusal)
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await (self._hear(request) if request.path == page.SOUND else self._listen(request))
        if (file := self._file(request)) is not None:
            return file
        if request.path == page.MAP:
            return await self._map(request.query.get("part", "1"))
        begun = time.monotonic()
        status, answer = self._answer(request.path, list(request.query))
        if request.query_string == "HOST_INFO":
            status, answer = 200, self._host_info(request)
        text = _dumps(answer) if status == 200 else answer
        self._guard.charge(request.remote or "", time.monotonic() - begun)
        headers = {"Cache-Control": "no-store", "Vary": "Accept", "X-Content-Type-Options": "nosniff"}
        if origin := request.headers.get("Origin"):
            headers["Access-Control-Allow-Origin"] = origin
        kind = "application/json" if status == 200 else "text/plain"
        return web.Response(status=status, text=text if status != 204 else None, headers=headers, content_type=kind)

    def _file(self, request: web.Request) -> web.Response | None:
        from aiohttp import web

        is_root = page.wants_page(request.path, request.query_string, request.headers.get("Accept", ""))
        file = page.files().get(f"{page.PLACE}index.html" if is_root else request.path)
        if file is None:
            return None
        headers = {**page.HEADERS, "ETag": file.tag, "Vary": "Accept"}
        if request.headers.get("If-None-Match") == file.tag:
            return web.Response(status=304, headers=headers)
        return web.Response(body=file.body, headers=headers, content_type=file.kind, charset="utf-8")

    async def _map(self, number: str) -> web.Response:
        """Return what lies under a part's pad; where nothing could be drawn, the names and points alone."""
        from aiohttp import web

        part = self._instrument.parts.get(int(number)) if number.isdecimal() and len(number) == 1 else None
        if part is None or part.version is None:
            return web.Response(status=503, text=f"part {number[:20]} plays nothing yet")
        plane, written = plane_of(part), legend(part)
        drawn = await self._draw(plane) if plane is not None and self._draw is not None else None
        return web.json_response({**written, **(drawn or {})}, headers=page.HEADERS, dumps=_dumps)

    def _answer(self, path: str, query: list[str]) -> tuple[int, Any]:
        if len(query) > 1 or (query and query[0] not in ATTRIBUTES | OTHER_ATTRIBUTES | {"HOST_INFO"}):
            known = ", ".join(sorted(ATTRIBUTES))
            return 400, f"{' and '.join(query)[:80]}: ask for HOST_INFO or for one of {known}"
        node = self._namespace.whole_node(path) if not query or query == ["CONTENTS"] else self._namespace.node(path)
        if node is None:
            return 404, f"there is no {path[:200]}"
        if not query:
            return 200, node
        return (200, {query[0]: node[query[0]]}) if query[0] in node else (204, "")

    def _host_info(self, request: web.Request) -> dict[str, Any]:
        osc_host, osc_port = self._osc_address[:2]
        here = request.transport.get_extra_info("sockname")[0] if request.transport else osc_host
        return {
            "NAME": f"oscsynth on {socket.gethostname()}",
            "OSC_IP": here if lan.is_any(osc_host) else osc_host,
            "OSC_PORT": osc_port,
            "OSC_TRANSPORT": "UDP",
            "WS_IP": here,
            "WS_PORT": self.port,
            "EXTENSIONS": EXTENSIONS,
        }

    def _refusal(self, headers: Mapping[str, str], peer: str) -> str | None:
        """Return why a request is not answered: a page of another site, whose name now leads here, must not play or watch the instrument."""
        if not self._guard.admits(peer):
            return f"{peer} may not ask here"
        host, origin = headers.get("Host", ""), headers.get("Origin")
        if not self._is_here(host):
            return f"the Host header says {host[:80]!r}: use an IP address or a name of this computer"
        if origin is not None and not self._is_own_page(urlsplit(origin).netloc, host):
            return f"pages of {origin[:80]!r} may not ask here"
        return None

    def _is_here(self, netloc: str) -> bool:
        """Say whether a Host header is an IP address, which nobody else can have led here, or a name of this computer."""
        name = _name_of(netloc)
        return _is_address(name) or name in self._names

    def _is_own_page(self, netloc: str, host: str) -> bool:
        """Say whether a page came from this computer: from the address at which it asks now, or from another one of it."""
        name = _name_of(netloc)
        return bool(name) and (name in self._names or name == _name_of(host) or (_is_address(name) and self._guard.is_own(name)))

    # ---- WebSocket

    async def _listen(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import web

        if self._clients >= MAX_CLIENTS:
            return web.Response(status=503, text=f"{MAX_CLIENTS} are listening already")
        stream = web.WebSocketResponse(heartbeat=_HEARTBEAT_SECONDS, max_msg_size=_MAX_COMMAND_BYTES)
        await stream.prepare(request)
        self._clients += 1
        listener = Listener(self._namespace, stream, request.remote or "")
        telling = asyncio.get_running_loop().create_task(listener.tell())
        try:
            async for message in stream:
                if message.type is web.WSMsgType.TEXT:
                    listener.command(message.data)
                elif message.type is web.WSMsgType.BINARY:
                    listener.packet(message.data, self._receive, self._guard)
        finally:
            self._clients -= 1
            telling.cancel()
            self._leave(listener)
        return stream

    async def _hear(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import web

        tap = self._tap
        if tap is None or self._ears >= listening.MAX_LISTENERS:
            return web.Response(status=503, text="there is nothing to listen to" if tap is None else f"{self._ears} are listening already")
        stream = web.WebSocketResponse(heartbeat=_HEARTBEAT_SECONDS, compress=False, max_msg_size=_MAX_COMMAND_BYTES)
        await stream.prepare(request)
        self._ears += 1
        telling = asyncio.get_running_loop().create_task(listening.tell(tap, stream))
        try:
            async for _ in stream:
                pass
        finally:
            self._ears -= 1
            telling.cancel()
        return stream


def _name_of(netloc: str) -> str:
    """Return the host of a Host header or an origin, empty for one that is not plain."""
    if not netloc.isprintable() or any(character in netloc for character in "@/\\?# "):
        return ""
    try:
        parts = urlsplit(f"//{netloc}")
        return (parts.hostname or "").rstrip(".") if (parts.port or 1) > 0 else ""
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _dumps(answer: object) -> str:
    return json.dumps(answer, ensure_ascii=False, allow_nan=False)
