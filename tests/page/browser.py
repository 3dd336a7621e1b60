"""A real Chromium before a real ``oscsynth serve``, with a wire between them that can be cut."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page, sync_playwright

from ..serving import Serve

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}
LAPTOP = {"viewport": {"width": 1440, "height": 900}}
PATIENCE_MS = 20_000  # of a busy machine; how fast the page is, benchmarks say
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextlib.contextmanager
def chromium(path: str) -> Iterator[Browser]:
    """Start the browser at a path."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@contextlib.contextmanager
def opened(browser: Browser, port: int, **options: Any) -> Iterator[Page]:
    """Open the page in a window of its own, and wait until it is connected; what goes wrong in it fails the test."""
    context = browser.new_context(**(options or LAPTOP))
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"http://127.0.0.1:{port}/")
    page.wait_for_selector("body:not(.lost)")
    page.wait_for_selector(".track[data-path]")
    yield page
    context.close()
    assert not faults


def wait_for_http(serve: Serve, seconds: float = 60.0) -> None:
    """Wait until a daemon has opened its doors, however busy the machine is; one that has ended opens none."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and serve.process.poll() is None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            urllib.request.urlopen(f"http://127.0.0.1:{serve.port + 1}/?HOST_INFO", timeout=1).close()
            return
        time.sleep(0.05)
    raise AssertionError(serve.text)


def tree(serve: Serve, path: str = "/") -> dict[str, Any]:
    """Return what OSCQuery says below a path."""
    with urllib.request.urlopen(f"http://127.0.0.1:{serve.port + 1}{path}", timeout=2) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def answers(serve: Serve, below: str, wanted: Any, seconds: float = 10.0, tolerance: float = 0.011) -> bool:
    """Wait until the daemon answers something: a text, or numbers within a tolerance."""
    values = wanted if isinstance(wanted, tuple) else (wanted,)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = serve.ask(below) or ()
        if len(found) == len(values) and all(
            one == other if isinstance(one, str) else abs(one - other) <= tolerance for one, other in zip(found, values, strict=True)
        ):
            return True
        time.sleep(0.02)
    return False


def track(page: Page, path: str) -> Locator:
    """Return the fader of an address."""
    return page.locator(f'.track[data-path="/oscsynth/{path}"]')


class Wire:
    """A way from the browser to a port that can be cut: what is on it stays on it, and nothing new gets through."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._whole = threading.Event()
        self._whole.set()
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def cut(self) -> None:
        self._whole.clear()

    def mend(self) -> None:
        """Let new connections through; those that were cut are dead, as after a change of network."""
        self._hang_up()
        self._whole.set()

    def close(self) -> None:
        self.cut()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listening.close()
        self._hang_up()
        for thread in self._threads:
            thread.join()
        for each in self._sockets:
            each.close()

    def _hang_up(self) -> None:
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                self._sockets.append(near)
                if self._whole.is_set():
                    far = socket.create_connection(("127.0.0.1", self._to))
                    self._sockets.append(far)
                    for one, other in ((near, far), (far, near)):
                        self._threads.append(threading.Thread(target=self._carry, args=(one, other)))
                        self._threads[-1].start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                if self._whole.is_set():  # otherwise it is lost, and nobody is told
                    other.sendall(data)
            if self._whole.is_set():
                other.shutdown(socket.SHUT_RDWR)


def axe_script() -> str:
    """Return axe-core, as the package that bundles it has it."""
    import axe_playwright_python

    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
