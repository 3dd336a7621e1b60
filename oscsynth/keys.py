"""The keys of ``oscsynth serve``: each sends the plain OSC message that anything else could send, and says which.

A thread of the parent; knows the instrument only through its own UDP socket. Imports ``client`` and ``units``.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from .client import PREFIX, Argument, Client, is_fault, text
from .errors import OscsynthError
from .units import pitch_class_index

STEP = 0.05  # of a fader, for each press of an arrow
ANSWER_SECONDS = 0.3
LOOK_SECONDS = 0.2  # how often a waiting thread sees that it is to end
HELP = "left/right choose a latent, up/down move it · a-g note (shift: sharp) · 1-9 patch · space gate · m silence · q quit"

_ARROWS = {"A": "up", "B": "down", "C": "right", "D": "left"}  # ESC [ A and so on
_WINDOWS_ARROWS = {"H": "up", "P": "down", "M": "right", "K": "left"}  # after NUL or 0xE0


class Player:
    """What each key does: it asks where things stand, and sends."""

    def __init__(self, host: str, port: int) -> None:
        self._client = Client(host, port)
        self._latent = 1
        self._note = -1  # the pitch that a key holds: a terminal does not say when a key comes up

    def press(self, key: str) -> str:
        """Do what a key says; return the message that was sent, or the sentence that came back."""
        if action := _ACTIONS.get(key):
            return action(self)
        if key.lower() in tuple("abcdefg"):
            return self.play(key.upper() + "#" * key.isupper())
        if key.isdecimal() and key != "0":
            return self._send("patch/index", int(key))
        return ""

    def choose(self, step: int) -> str:
        """Choose the latent before or after this one, as long as there is one."""
        latent = self._latent + step
        if latent >= 1 and self._ask(f"latent/{latent}/name"):
            self._latent = latent
        names = self._ask(f"latent/{self._latent}/name")
        position = self._ask(f"latent/{self._latent}")
        return " ".join([f"latent {self._latent}", *filter(None, map(str, names)), *(f"{value:.2f}" for value in position)])

    def move(self, step: float) -> str:
        """Move the chosen latent."""
        position = self._ask(f"latent/{self._latent}") or [0.5]
        return self._send(f"latent/{self._latent}", round(min(max(position[0] + step, 0.0), 1.0), 3))

    def play(self, name: str) -> str:
        """Choose the note class of a drone; otherwise play a note of the middle octave until the next one, or the same again, ends it."""
        if self._ask("patch/mode") != ["notes"]:
            return self._send("chroma/name", name)
        pitch, before = 60 + pitch_class_index(name), self._note
        said = self._send("note/off", before) if before >= 0 else ""
        self._note = -1 if pitch == before else pitch
        return said if pitch == before else self._send("note/on", pitch, 0.8)

    def toggle_gate(self) -> str:
        """Open the gate, or close it."""
        gate = self._ask("gate") or [1.0]
        return self._send("gate", 0 if gate[0] else 1)

    def panic(self) -> str:
        """Silence everything."""
        return self._send("panic")

    def _ask(self, below: str) -> list[Any]:
        address = f"{PREFIX}/{below}"
        self._client.send(address)
        for reply in self._client.receive(ANSWER_SECONDS):
            if reply[0] == address:
                return list(reply[1])
            if is_fault(reply):
                break
        return []

    def _send(self, below: str, *arguments: Argument) -> str:
        address = f"{PREFIX}/{below}"
        faults = [reply for reply in self._client.ask(address, arguments, ANSWER_SECONDS) if is_fault(reply)]
        return text(faults[0]) if faults else " ".join([address, *map(str, arguments)])

    def close(self) -> None:
        """Let the socket go."""
        self._client.close()


_ACTIONS: dict[str, Callable[[Player], str]] = {
    "left": lambda player: player.choose(-1),
    "right": lambda player: player.choose(1),
    "up": lambda player: player.move(STEP),
    "down": lambda player: player.move(-STEP),
    " ": lambda player: player.toggle_gate(),
    "m": lambda player: player.panic(),
    "?": lambda player: HELP,
}


def parse_keys(typed: str) -> list[str]:
    r"""Return the keys in what a terminal sent at once; arrows by name, other sequences left out.

    >>> parse_keys("a C\x1b[A\x1bOD\x1b[5~m")
    ['a', ' ', 'C', 'up', 'left', 'm']
    """
    keys, at = [], 0
    while at < len(typed):
        if typed[at] != "\x1b":
            keys.append(typed[at])
            at += 1
            continue
        end = at + 2  # ESC [ or ESC O, then digits, then one letter or ~
        while end < len(typed) and not typed[end].isalpha() and typed[end] != "~":
            end += 1
        if arrow := _ARROWS.get(typed[end : end + 1]):
            keys.append(arrow)
        at = end + 1
    return keys


@contextlib.contextmanager
def _posix_keys() -> Iterator[Callable[[], list[str]]]:
    import termios
    import tty

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal, termios.TCSANOW)  # Ctrl-C stays a signal

    def read() -> list[str]:
        if not select.select([terminal], [], [], LOOK_SECONDS)[0]:
            return []
        return parse_keys(os.read(terminal, 1024).decode(errors="ignore"))

    try:
        yield read
    finally:
        termios.tcsetattr(terminal, termios.TCSANOW, before)


@contextlib.contextmanager
def _windows_keys() -> Iterator[Callable[[], list[str]]]:
    import importlib
    import time

    msvcrt = importlib.import_module("msvcrt")

    def read() -> list[str]:
        if not msvcrt.kbhit():
            time.sleep(LOOK_SECONDS / 4)
            return []
        typed = msvcrt.getwch()
        return [_WINDOWS_ARROWS.get(msvcrt.getwch(), "")] if typed in "\x00\xe0" else [typed]

    yield read


class Keys:
    """The thread that reads the keyboard, as long as standard input is a terminal."""

    def __init__(self, host: str, port: int, show: Callable[[str], None], leave: Callable[[], None], open_network: Callable[[], None]) -> None:
        self._player = Player(host, port)
        self._show, self._leave, self._open_network = show, leave, open_network
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keys", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with (_windows_keys if sys.platform == "win32" else _posix_keys)() as read, contextlib.suppress(OSError):  # the terminal was closed
            while not self._stop.is_set():
                for key in read():
                    if key in ("q", "Q"):
                        self._leave()
                        return
                    if key in ("n", "N"):
                        self._open_network()
                    else:
                        self._press(key)

    def _press(self, key: str) -> None:
        try:
            line = self._player.press(key)
        except OscsynthError as error:  # control is being started again
            line = str(error)
        if line:
            self._show(line)

    def close(self) -> None:
        """Give the terminal back as it was."""
        self._stop.set()
        self._thread.join(2 * LOOK_SECONDS + ANSWER_SECONDS)
        self._player.close()
