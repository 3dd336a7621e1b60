"""OSCQuery: the addresses and their values over HTTP, and as they change over WebSocket.

Control process, on its event loop; aiohttp is brought in on a thread once the instrument plays. A web page of somebody else cannot get in:
the Host header must be an address or a name of this machine, and so must the Origin.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import json
import socket
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .. import lan
from ..errors import OscsynthError
from .encoding import encode
from .guard import Guard
from .instrument import Instrument, Reply
from .namespace import ATTRIBUTES, EXTENSIONS, OTHER_ATTRIBUTES, Namespace, topmost

if TYPE_CHECKING:
    from aiohttp import web

POLL_SECONDS = 1 / 30
_UNASKED_ROUNDS = 15  # what no message changes, such as /status, is looked at that much more seldom
_HEARTBEAT_SECONDS = 20.0
MAX_CLIENTS = 64
MAX_LISTENED = 4096  # by one client
_MAX_COMMAND_BYTES = 65536


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

    Attributes
    ----------
    port : int
        That it listens on, 0 until it does.
    """

    def __init__(self, instrument: Instrument, osc_address: tuple[Any, ...], guard: Guard | None = None) -> None:
        self.port = 0
        self._namespace = Namespace(instrument)
        self._osc_address = osc_address
        self._guard = guard or Guard()
        self._runner: web.AppRunner | None = None
        self._names = {"localhost", *(name.lower() for name in (socket.gethostname(), f"{socket.gethostname().partition('.')[0]}.local"))}
        self._clients = 0

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
            return await self._listen(request)
        begun = time.monotonic()
        status, answer = self._answer(request.path, list(request.query))
        if request.query_string == "HOST_INFO":
            status, answer = 200, self._host_info(request)
        text = _dumps(answer) if status == 200 else answer
        self._guard.charge(request.remote or "", time.monotonic() - begun)
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        if origin := request.headers.get("Origin"):
            headers["Access-Control-Allow-Origin"] = origin
        kind = "application/json" if status == 200 else "text/plain"
        return web.Response(status=status, text=text if status != 204 else None, headers=headers, content_type=kind)

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
        if origin is not None and not self._is_here(urlsplit(origin).netloc):
            return f"pages of {origin[:80]!r} may not ask here"
        return None

    def _is_here(self, netloc: str) -> bool:
        name = urlsplit(f"//{netloc}").hostname or "" if _is_plain(netloc) else ""
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name.rstrip(".") in self._names
        return True

    # ---- WebSocket

    async def _listen(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import web

        if self._clients >= MAX_CLIENTS:
            return web.Response(status=503, text=f"{MAX_CLIENTS} are listening already")
        stream = web.WebSocketResponse(heartbeat=_HEARTBEAT_SECONDS, max_msg_size=_MAX_COMMAND_BYTES)
        await stream.prepare(request)
        self._clients += 1
        listener = Listener(self._namespace, stream)
        telling = asyncio.get_running_loop().create_task(listener.tell())
        try:
            async for message in stream:
                if message.type is web.WSMsgType.TEXT:
                    listener.command(message.data)
        finally:
            self._clients -= 1
            telling.cancel()
        return stream


class Listener:
    """One WebSocket client: what it listens to, and what it was told last. Who reads slowly gets the newest values, later."""

    def __init__(self, namespace: Namespace, stream: web.WebSocketResponse) -> None:
        self._namespace, self._stream = namespace, stream
        self._told: dict[str, tuple[Any, ...] | None] = {}  # by address; None: nothing yet
        self._paths, self._playing = namespace.paths(), namespace.playing()
        self._seen: tuple[object, ...] | None = None

    def command(self, text: str) -> None:
        """Take a JSON command; what is none is ignored, as the proposal has no answer for it."""
        try:
            command = json.loads(text)
            name, path = command["COMMAND"], command["DATA"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return
        if not isinstance(path, str):
            return
        if name == "IGNORE":
            self._told.pop(path, None)
        elif name == "LISTEN" and len(self._told) < MAX_LISTENED and self._namespace.value(path) is not None:
            self._told[path] = None
            self._seen = None

    async def tell(self) -> None:
        """Send what changes, until nobody is there."""
        rounds = 0
        with contextlib.suppress(ConnectionError):
            while not self._stream.closed:
                rounds += 1
                for told in self._news(rounds % _UNASKED_ROUNDS == 0):
                    await (self._stream.send_str(told) if isinstance(told, str) else self._stream.send_bytes(told))
                await asyncio.sleep(POLL_SECONDS)

    def _news(self, is_thorough: bool) -> list[str | bytes]:
        seen = self._namespace.fingerprint()
        if seen == self._seen and not is_thorough:
            return []
        self._seen = seen
        return [*self._new_paths(), *self._new_values()]

    def _new_paths(self) -> list[str]:
        paths, playing = self._namespace.paths(), self._namespace.playing()
        if paths is self._paths and playing == self._playing:
            return []
        gone, come = topmost(self._paths - paths), topmost(paths - self._paths)
        changed = ["/"] if playing != self._playing else []
        self._paths, self._playing = paths, playing
        commands = (("PATH_REMOVED", gone), ("PATH_ADDED", come), ("PATH_CHANGED", changed))
        return [json.dumps({"COMMAND": name, "DATA": path}) for name, found in commands for path in found]

    def _new_values(self) -> list[bytes]:
        packets = []
        for path, told in self._told.items():
            value = self._namespace.value(path)
            if value is not None and value != told:
                self._told[path] = value
                packets.append(encode(Reply(path, value)))
        return packets


def _is_plain(netloc: str) -> bool:
    return bool(netloc) and "@" not in netloc and netloc.isprintable() and not any(character in netloc for character in "/\\?# ") and _splits(netloc)


def _splits(netloc: str) -> bool:
    try:
        return bool(urlsplit(f"//{netloc}").hostname) and (urlsplit(f"//{netloc}").port or 1) > 0
    except ValueError:
        return False


def _dumps(answer: object) -> str:
    return json.dumps(answer, ensure_ascii=False, allow_nan=False)
