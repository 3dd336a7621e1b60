"""What ``oscsynth serve`` prints: a small clear screen once it plays, then only what matters.

Parent process, main thread (and the thread of the keys). Plain lines where the output is no terminal. Imports ``keys``.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from . import __version__, keys, lan, qr

if TYPE_CHECKING:
    from .options import Options

PATCH_SECONDS = 3.0  # how long the screen waits for the first patch
PATCHES_EVERY_SECONDS = 1.0
_CLEAR_LINE = "\r\x1b[K"


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Go on: that nobody reads any more does not end the sound."""


class Screen:
    """Prints events as they come.

    Parameters
    ----------
    options : Options
        What was asked for.
    leave, open_network : callable
        What the keys q and n do.
    """

    def __init__(self, options: Options, leave: Callable[[], None], open_network: Callable[[], None]) -> None:
        self._options, self._leave, self._open_network = options, leave, open_network
        self._console = _Console(highlight=False)
        self._faults = _Console(stderr=True, highlight=False)
        self._lock = threading.Lock()  # the keys have a thread of their own
        self._known: dict[str, dict[str, Any]] = {}
        self._is_open = False
        self._patches: dict[int, str] = {}  # switched to, and not said yet
        self._patches_seconds = 0.0
        self._latest_seconds = time.monotonic() + PATCH_SECONDS
        self._keys: keys.Keys | None = None
        self._key_line = False

    def show(self, event: dict[str, Any]) -> None:
        """Take an event of control or engine: ``audio``, ``listening``, ``patch``, or any that has a sentence."""
        name = event["event"]
        before, self._known[name] = self._known.get(name), event
        if not self._is_open:
            self.tick()
        elif name == "patch" and before != event:
            self._patches[event.get("part", 1)] = event["name"]
            self.tick()
        elif name == "audio" and before and (before["device"], before["api"]) != (event["device"], event["api"]):
            self.say(f"sound: {sound_text(event)}")
        elif name == "listening" and before and before["hosts"] != event["hosts"]:
            self.say(f"OSC: UDP or TCP to {event['hosts']} port {event['port']}")
            self._show_code(event)
        if event.get("sentence"):
            self.say(event["sentence"])

    def tick(self) -> None:
        """Open the screen once all is known that stands on it, and say from time to time what plays now (the parent's round).

        A patch that does not come keeps nobody waiting; of ten switches a second only the last one matters.
        """
        wanted = {"audio", "listening", "patch"} if time.monotonic() < self._latest_seconds else {"audio", "listening"}
        if not self._is_open and wanted <= self._known.keys():
            self._is_open = True
            self._open()
        if self._patches and time.monotonic() >= self._patches_seconds:
            self._patches_seconds = time.monotonic() + PATCHES_EVERY_SECONDS
            for part, name in sorted(self._patches.items()):
                self.say(f"plays {name}" if part == 1 else f"part {part} plays {name}")
            self._patches.clear()

    def _open(self) -> None:
        listening = self._known["listening"]
        host, port = listening["host"], listening["port"]
        with_port = f" --port {port}" if port != 57140 else ""
        table = Table.grid(padding=(0, 2))
        table.add_row(Text("oscsynth", style="bold"), __version__)
        table.add_row("plays", Text(self._known.get("patch", {"name": "nothing yet"})["name"], style="bold"))
        table.add_row("sound", Text(sound_text(self._known["audio"])))
        table.add_row("OSC", f"UDP or TCP to {listening.get('hosts', host)} port {port}")
        if page := self._page(listening):
            table.add_row("page", Text(page, style="bold"))
        if here := lan.addresses(host):
            table.add_row("apps", f"type host {' or '.join(here)}, send port {port}, and where they listen: receive port 9000")
        table.add_row("try", Text("/oscsynth/latent/1 0.7", style="bold"))
        table.add_row("or", f"oscsynth send{with_port} latent/1 0.7")
        has_keys = self._console.is_terminal and sys.stdin is not None and sys.stdin.isatty()
        if has_keys:
            table.add_row("keys", keys.HELP)
            if not self._options.lan and not self._options.allow:
                table.add_row("phones", "and other computers are not let in: n lets those of this network in, for good")
        self._console.print(table)
        self._show_code(listening)
        if has_keys:
            self._keys = keys.Keys(host if host not in ("0.0.0.0", "::") else "127.0.0.1", port, self._show_key, self._leave, self._open_network)
        else:
            self._console.print("ready")

    def _page(self, listening: dict[str, Any]) -> str:
        """Return where the page is: where a phone finds it, if any does."""
        http_port = self._options.http_port
        port = (listening["port"] + 1) % 65536 if http_port is None else http_port
        host = next(iter(lan.addresses(listening["host"])), "127.0.0.1")
        return f"http://{f'[{host}]' if ':' in host else host}:{port}/" if port else ""

    def _show_code(self, listening: dict[str, Any]) -> None:
        """Print what a phone's camera reads, where there is a terminal and a phone may come in."""
        if self._console.is_terminal and lan.addresses(listening["host"]) and (page := self._page(listening)):
            with self._lock:
                self._console.print(Text("\n".join(qr.lines(page)), style="black on white"), f"the page on a phone: {page}", sep="\n")

    def _show_key(self, line: str) -> None:
        with self._lock:
            self._console.file.write(f"{_CLEAR_LINE}{line[: self._console.width - 1]}")
            self._console.file.flush()
            self._key_line = True

    def say(self, sentence: str, fault: bool = False) -> None:
        """Print one sentence; a fault in red, to standard error."""
        with self._lock, contextlib.suppress(OSError):  # a closed terminal or a broken pipe does not end the sound
            if self._key_line:
                self._console.file.write(_CLEAR_LINE)
                self._key_line = False
            console = self._faults if fault else self._console
            console.print(Text(sentence, style="red" if fault else ""), soft_wrap=True)

    def leave(self) -> None:
        """Give the terminal back."""
        if self._keys:
            self._keys.close()
        if self._key_line:
            self._console.print()


def sound_text(event: dict[str, Any]) -> str:
    """Return where the sound goes, as the engine's event ``audio`` says."""
    if event["api"] == "none":
        return "none: running silently"
    latency = "" if event["api"] == "WAV file" else f", {1000 * event['latency_seconds']:.1f} ms"
    return f"{event['device']} [{event['api']}], {event['sample_rate_hz']} Hz{latency}"
