"""``oscsynth demo``: an instrument of its own that is played by the tour, over the UDP port that any client would use, or into a file.

Parent process: `Guide` stands where ``serve`` has its screen, and a thread of it sends. Imports ``tour``, and what plays it.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from . import tour
from .client import PREFIX, Argument, Client, is_fault, text
from .errors import OscsynthError, shown
from .options import Options

if TYPE_CHECKING:
    from rich.console import Console

    from .score import Event

SWITCH_SECONDS = 2.0  # what a patch gets to come; the tour waits for it


def play(options: Options, console: Console) -> int:
    """Play the tour on a sound device until it is over, or told to stop; return the exit code."""
    from . import daemon

    with tempfile.TemporaryDirectory(prefix="oscsynth-demo-") as folder:  # the factory's patches alone
        # Another port each time, so that it is in the way of no other instrument, and no session begins or ends with it.
        alone = replace(options, port=0, patch=tour.FIRST_PATCH, patches=Path(folder), announce=False, midi=("none",))
        return daemon.serve(alone, partial(Guide, console=console))


def render(path: Path, console: Console) -> None:
    """Play the tour into a sound file, faster than it sounds.

    Raises
    ------
    OscsynthError
        When the file cannot be written.
    """
    from .render import Performance, write

    with tempfile.TemporaryDirectory(prefix="oscsynth-demo-") as folder:
        performance = Performance(patches=Path(folder), patch=tour.FIRST_PATCH)
        for step in tour.TOUR:
            console.print(line(step), soft_wrap=True)
        rendered = write(performance, tour.events(), path, seconds=tour.SECONDS, bits=16)
    if rendered.faults:
        raise OscsynthError("\n".join(rendered.faults))
    console.print(f"wrote {shown(path)}: {rendered.seconds:.0f} s", soft_wrap=True)


def line(step: tour.Step) -> str:
    """Return what stands on the screen when a step is sent.

    >>> line(tour.Step(6.0, "chroma/name", ("D",), "another note"))
    ' 6.0  /oscsynth/chroma/name D                          another note'
    """
    return f"{step.seconds:4.1f}  {step.text:47}  {step.says}".rstrip()


class Guide:
    """Shows what is sent, and sends it; takes the events of control and engine as `screen.Screen` does.

    Parameters
    ----------
    options : Options
        Of the daemon.
    leave : callable
        Ends the daemon.
    open_network : callable
        Is not wanted here.
    console : Console
        Where it is shown.
    """

    def __init__(self, options: Options, leave: Callable[[], None], open_network: Callable[[], None], console: Console) -> None:
        self._leave, self._console = leave, console
        self._known: dict[str, dict[str, Any]] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def show(self, event: dict[str, Any]) -> None:
        """Take an event; once sound and patch are there, begin."""
        self._known[event["event"]] = event
        if event.get("sentence"):
            self.say(event["sentence"])
        if self._thread is None and {"audio", "listening", "patch"} <= self._known.keys():
            self._begin(self._known["listening"]["port"])

    def _begin(self, port: int) -> None:
        from .screen import sound_text

        silent = self._known["audio"]["api"] == "none"
        self.say(f"sound: {sound_text(self._known['audio'])}{'; `oscsynth demo --audio demo.wav` writes it into a file' if silent else ''}")
        self.say(f"OSC:   UDP port {port}; the page, which follows: http://127.0.0.1:{port + 1}/")
        self.say(f"{tour.SECONDS:.0f} seconds, Ctrl-C ends them; on the left when, then what is sent")
        self._thread = threading.Thread(target=self._run, args=(port,), name="tour", daemon=True)
        self._thread.start()

    def _run(self, port: int) -> None:
        try:
            with Client("127.0.0.1", port) as client:
                self._send_all(client)
        except OscsynthError as error:
            self.say(str(error))
        self._leave()

    def _send_all(self, client: Client) -> None:
        begun = time.monotonic()
        steps = list(tour.TOUR)
        for event in tour.events():
            if self._stop.wait(max(0.0, begun + event.seconds - time.monotonic())):
                return
            while steps and steps[0].seconds <= event.seconds:
                self.say(line(steps.pop(0)))
            begun += self._send(client, event)
        self._stop.wait(max(0.0, begun + tour.SECONDS - time.monotonic()))

    def _send(self, client: Client, event: Event) -> float:
        """Send one message; return for how many seconds the tour has to wait for it."""
        client.send(event.address, cast(tuple[Argument, ...], event.arguments))
        if event.address.rpartition("/")[2] != "patch":
            return 0.0
        begun = time.monotonic()
        for reply in client.receive(SWITCH_SECONDS):
            if is_fault(reply):
                self.say(text(reply))
            if is_fault(reply) or reply[0] == f"{PREFIX}/done":
                break
        return time.monotonic() - begun

    def tick(self) -> None:
        """Do nothing: the tour has a thread of its own."""

    def say(self, sentence: str, fault: bool = False) -> None:
        """Print one sentence; a fault in red."""
        self._console.print(sentence, style="red" if fault else None, soft_wrap=True, markup=False)

    def leave(self) -> None:
        """End the tour."""
        self._stop.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(SWITCH_SECONDS)
