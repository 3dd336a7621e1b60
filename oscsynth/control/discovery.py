"""Telling the network that the instrument is there: ``_osc._udp`` and ``_oscjson._tcp`` over mDNS.

Control process, on a thread of its own, which zeroconf's own thread stands beside: neither keeps a message waiting. What listens on loopback
alone is told on loopback alone.
"""

from __future__ import annotations

import contextlib
import logging
import re
import socket
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from .. import __version__, lan

if TYPE_CHECKING:
    from zeroconf import ServiceInfo

LOOK_EVERY_SECONDS = 10.0  # for a network that came or went
LEAVE_SECONDS = 1.0
DEFAULT_PORT = 57140


class Announcement(threading.Thread):
    """Announces two ports from `start` to `close`, and again when the computer changes its network.

    Parameters
    ----------
    host : str
        Where the instrument listens.
    osc_port, http_port : int
        Its ports; 0 stands for one that is not open.
    complain : callable
        Called once with a sentence if it cannot be announced.
    """

    def __init__(self, host: str, osc_port: int, http_port: int, complain: Callable[[str], None]) -> None:
        super().__init__(daemon=True)
        self._host = host
        self._ports = {"_osc._udp.local.": osc_port, "_oscjson._tcp.local.": http_port}
        self._complain = complain
        self._leaving = threading.Event()

    def run(self) -> None:
        """Announce, until told to leave."""
        logging.getLogger("zeroconf").setLevel(logging.CRITICAL)  # a network that goes away is nothing to print
        known: list[str] | None = None
        with contextlib.ExitStack() as announced:
            while not self._leaving.is_set():
                if (here := self._addresses()) != known:
                    announced.close()
                    known = here
                    self._announce(here, announced)
                self._leaving.wait(LOOK_EVERY_SECONDS)

    def close(self) -> None:
        """Say goodbye, in a second at most."""
        self._leaving.set()
        if self.is_alive():
            self.join(LEAVE_SECONDS)

    def _addresses(self) -> list[str]:
        # Without any network this computer is still there.
        return lan.addresses(self._host) or ["127.0.0.1" if self._host != "::1" else "::1"]

    def _announce(self, here: list[str], announced: contextlib.ExitStack) -> None:
        from zeroconf import Error, Zeroconf

        try:
            zeroconf = Zeroconf(interfaces=here)
            announced.callback(zeroconf.close)  # says goodbye as well
            for service in self._services(here):
                zeroconf.register_service(service, allow_name_change=True)
        except (OSError, Error) as error:
            self._complain(f"The instrument cannot be announced on the network ({error}): type its address into your app instead.")

    def _services(self, here: list[str]) -> Iterator[ServiceInfo]:
        from zeroconf import ServiceInfo

        host = re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname().partition(".")[0])[:30] or "computer"
        port = self._ports["_osc._udp.local."]
        name = f"oscsynth on {host}" + (f" port {port}" if port != DEFAULT_PORT else "")
        properties: dict[str | bytes, Any] = {"txtvers": "1", "version": __version__}
        for kind, at in self._ports.items():
            if at:
                # A host name of its own: the computer's belongs to the system's own responder.
                server = f"oscsynth-{host}-{port}.local."
                yield ServiceInfo(kind, f"{name}.{kind}", port=at, parsed_addresses=here, properties=properties, server=server)
