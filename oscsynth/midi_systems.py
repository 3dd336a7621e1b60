"""What python-rtmidi reaches: each of the system's MIDI APIs, its ports, and an input that is open. Knows no OSC.

Control process, the thread of `midi_ports`; or the command line, which lists what there is.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .audio.quiet import quiet_stderr
from .errors import OscsynthError

if TYPE_CHECKING:
    import rtmidi

AGAIN_SECONDS = 10.0  # a system that is not there is looked for as rarely as that
INSTALL = 'Keyboards are not heard, as python-rtmidi is not installed: pip install "oscsynth[midi]"; everything else works.'
_QUEUE = 4096
_FIRST_NUMBER, _N_NUMBERS = 256, 2**18  # ports of OSC's own messages are 0 to 255


@dataclass(frozen=True, slots=True)
class Port:
    """One input. ``number`` is the same whenever a port of that name comes."""

    name: str
    api: str

    @property
    def label(self) -> str:
        """What ``--midi`` looks for a part of: the name and the API."""
        return f"{self.name} [{self.api}]"

    @property
    def number(self) -> int:
        """What tells its notes from those of others."""
        return _FIRST_NUMBER + zlib.crc32(self.label.encode()) % _N_NUMBERS


class Input:
    """An open input of rtmidi's; ``is_polled`` says that its messages are to be fetched."""

    def __init__(self, midi: rtmidi.MidiIn, port: Port, hear: Callable[[Port, bytes, float], None]) -> None:
        self.midi = midi
        self.is_polled = port.api == "JACK"
        if not self.is_polled:
            midi.set_callback(lambda event, _: hear(port, bytes(event[0]), time.monotonic()))

    def close(self) -> None:
        """Let it go; what JACK has must be of a server that lives."""
        if not self.is_polled:
            self.midi.cancel_callback()
        self.midi.delete()


class System:
    """One API: its ports, and our own virtual one, by which it is known whether its server still lives."""

    def __init__(self, api: int, name: str) -> None:
        import rtmidi

        self._rtmidi, self._number, self._name = rtmidi, api, name
        self.api = rtmidi.get_api_display_name(api).replace("Jack", "JACK")
        self.port = Port(name, self.api)
        self.ports: list[Port] = []
        self.virtual: Input | None = None
        self._midi: rtmidi.MidiIn | None = None
        self._again_seconds = 0.0

    @property
    def is_there(self) -> bool:
        """Whether it was reached."""
        return self._midi is not None

    def look(self, hear: Callable[[Port, bytes, float], None]) -> None:
        """See which ports there are, after having reached the system again where it was not there."""
        now = time.monotonic()
        if self._midi is None and now >= self._again_seconds:
            self._again_seconds = now + AGAIN_SECONDS
            self._reach(hear)
        names = self._midi.get_ports() if self._midi is not None else []
        self.ports = [Port(name, self.api) for name in names]

    def _reach(self, hear: Callable[[Port, bytes, float], None]) -> None:
        try:
            self._midi = self._new()
        except OSError:  # rtmidi's SystemError
            return
        try:
            self.virtual = Input(self._midi.open_virtual_port("in"), self.port, hear)
        except (OSError, RuntimeError, NotImplementedError):  # Windows has none
            self.virtual = None

    @property
    def is_polled(self) -> bool:
        """Whether its messages are to be fetched."""
        return self.virtual is not None and self.virtual.is_polled

    def lives(self) -> bool:
        """Say whether the server still knows our port: one that has died shows its last ports for ever, and comes back as another."""
        if not self.is_polled:
            return True
        try:
            out = self._rtmidi.MidiOut(self._number, name=f"{self._name} look")
        except OSError:
            return False
        names = out.get_ports()
        out.delete()
        return any(name.startswith(self._name) for name in names)

    def leave(self) -> object:
        """Return what belonged to a server that has died, and be as at first."""
        left, self.virtual, self._midi, self._again_seconds, self.ports = (self.virtual, self._midi), None, None, 0.0, []
        return left

    def _new(self) -> rtmidi.MidiIn:
        return self._rtmidi.MidiIn(self._number, name=self._name, queue_size_limit=_QUEUE)

    def open(self, port: Port, hear: Callable[[Port, bytes, float], None]) -> Input:
        """Open one of its ports."""
        midi = self._new()
        midi.open_port(midi.get_ports().index(port.name), port.name)
        return Input(midi, port, hear)

    def close(self) -> None:
        """Let it go; its server must live."""
        if self.virtual is not None:
            self.virtual.close()
        elif self._midi is not None:
            self._midi.delete()
        self.virtual = self._midi = None


def apis() -> list[int]:
    """Return the APIs that python-rtmidi was built with, as it numbers them.

    Raises
    ------
    ImportError
        When python-rtmidi is not installed.
    """
    import rtmidi

    return [api for api in rtmidi.get_compiled_api() if api != rtmidi.API_RTMIDI_DUMMY]


def inputs() -> list[Port]:
    """Return the inputs that there are now, of every system.

    Raises
    ------
    OscsynthError
        When python-rtmidi is not installed.
    """
    try:
        with quiet_stderr():
            systems = [System(api, "oscsynth list") for api in apis()]
            for system in systems:
                system.look(lambda *_: None)
                system.close()
    except ImportError as error:
        raise OscsynthError(INSTALL) from error
    return [port for system in systems for port in system.ports]
