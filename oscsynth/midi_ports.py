"""The system's MIDI inputs: found, opened, heard, lost and found again. Knows no OSC.

Control process, a thread of its own, which looks for ports once a second; python-rtmidi reaches ALSA, JACK, CoreMIDI and Windows. What JACK brings is
fetched from a queue, since its real-time thread must never wait for Python; the others' threads call us. `midi_systems` is how each is reached.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from .audio.quiet import hush_stderr
from .midi_systems import AGAIN_SECONDS, INSTALL, Input, Port, System, apis

LOOK_SECONDS = 1.0
_FETCH_SECONDS = 0.002
_FIRST_SECONDS = 0.04  # as long as nothing is plugged in: to look takes more of a processor than all else that nobody plays
_FETCH_MOST = 256  # from one port in one go
_OWN = re.compile(r"midi through", re.IGNORECASE)  # ALSA's: what is played into it is heard by everybody
_NO_SYSTEM = "No MIDI system was found, so that keyboards are not heard; everything else works."


class Ports:
    """All inputs that are wanted, as they come and go.

    Parameters
    ----------
    wanted : sequence of str
        A part of the name of each; none: all that the first system has.
    name : str
        Of the virtual port, where the system has those.
    hear : callable
        Given a port, the bytes of a message and when it came (``time.monotonic``), on any thread.
    change : callable
        Given a port and whether it is there from now on, on any thread.
    say : callable
        Given a sentence for the user, on any thread.
    """

    def __init__(
        self,
        wanted: Sequence[str],
        name: str,
        hear: Callable[[Port, bytes, float], None],
        change: Callable[[Port, bool], None],
        say: Callable[[str], None],
    ) -> None:
        self._wanted = tuple(wanted)
        self._name = name
        self._hear, self._change, self._say = hear, change, say
        self._systems: list[System] = []
        self._open: dict[Port, Input] = {}
        self._left: list[object] = []  # of servers that have died: to let go of such ends the process
        self._said: set[str] = set()
        self._is_suspect = self._has_heard = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="midi", daemon=True)

    def start(self) -> None:
        """Begin to look and to hear."""
        self._thread.start()

    def suspect(self) -> None:
        """Look whether the servers still live: something that depends on them has gone."""
        self._is_suspect = True

    def close(self) -> None:
        """Hear no more; what JACK has is left to the end of the process, since its server may have died."""
        self._stop.set()

    def _run(self) -> None:
        hush_stderr()  # ALSA and JACK talk as long as they live
        try:
            self._systems = [System(api, self._name) for api in apis()]
        except ImportError:
            self._say(INSTALL)
            return
        while not self._stop.is_set():
            self._look()
            until = time.monotonic() + LOOK_SECONDS
            polled = [(port, heard.midi.get_message) for port, heard in (*self._open.items(), *self._virtual()) if heard.is_polled]
            while polled and not self._stop.is_set() and time.monotonic() < until:
                for port, fetch in polled:
                    self._fetch(port, fetch)
                time.sleep(_FETCH_SECONDS if self._open or self._has_heard else _FIRST_SECONDS)
            self._stop.wait(max(0.0, until - time.monotonic()))
        while any(system.is_polled for system in self._systems) or self._left:
            time.sleep(AGAIN_SECONDS)  # as long as this thread holds them, nobody lets go of them

    def _virtual(self) -> Iterator[tuple[Port, Input]]:
        return ((system.port, system.virtual) for system in self._systems if system.virtual is not None)

    def _fetch(self, port: Port, fetch: Callable[[], tuple[list[int], float] | None]) -> None:
        for _ in range(_FETCH_MOST):
            event = fetch()
            if event is None:
                return
            self._has_heard = True
            self._hear(port, bytes(event[0]), time.monotonic())

    # ---- looking

    def _look(self) -> None:
        """Open what is wanted and there, and let go what is gone."""
        for system in self._systems:
            system.look(self._hear)
        if self._is_suspect or any(port not in system.ports for port in self._open for system in self._systems if system.api == port.api):
            self._is_suspect = False
            self._bury()
        there = {port: system for system in self._systems for port in system.ports}
        first = next((system.api for system in self._systems if system.is_there), "")
        if not first:
            self._say_once(_NO_SYSTEM)
        for port in [port for port in self._open if port not in there]:
            self._let_go(port)
        chosen, faults = choose(self._wanted, there, first, self._open)
        for fault in faults:
            self._say_once(fault)
        for port in chosen:
            if port not in self._open:
                self._take(port, there[port])

    def _bury(self) -> None:
        """Take leave of what belonged to servers that have died, and look for new ones."""
        for system in [system for system in self._systems if not system.lives()]:
            for port in [port for port in self._open if port.api == system.api]:
                self._left.append(self._open.pop(port))
                self._tell_gone(port)
            self._left.append(system.leave())
            system.look(self._hear)

    def _take(self, port: Port, system: System) -> None:
        try:
            self._open[port] = system.open(port, self._hear)
        except (OSError, RuntimeError, ValueError) as error:  # what rtmidi's errors are
            self._say_once(f"MIDI: {port.label} cannot be opened: {error}; another program may have it")
            return
        self._change(port, True)
        self._say(f"MIDI: {port.label} is heard")

    def _let_go(self, port: Port) -> None:
        self._open.pop(port).close()
        self._tell_gone(port)

    def _tell_gone(self, port: Port) -> None:
        self._change(port, False)
        self._say(f"MIDI: {port.label} is gone; its notes are released")

    def _say_once(self, sentence: str) -> None:
        if sentence not in self._said:
            self._said.add(sentence)
            self._say(sentence)


def choose(wanted: Sequence[str], there: Iterable[Port], first: str, already: Iterable[Port] = ()) -> tuple[list[Port], list[str]]:
    """Return the ports that are wanted, and a sentence for each name that could mean several.

    Parameters
    ----------
    wanted : sequence of str
        Parts of names, upper and lower case alike; none: every port of the first system.
    there : iterable of Port
        All that there are.
    first : str
        The API of the first system.
    already : iterable of Port
        What is open, and stays meant although another of its name has come.
    """
    there = list(there)
    if not wanted:
        return [port for port in there if port.api == first and not _OWN.match(port.name)], []
    chosen, faults = list[Port](), list[str]()
    for name in wanted:
        found = [port for port in there if name.casefold() in port.label.casefold()]
        exact = [port for port in found if name.casefold() in (port.name.casefold(), port.label.casefold())] or [p for p in already if p in found]
        if not found:
            faults.append(f"--midi {name}: no input has that in its name now, and one that comes is heard at once; there are: {_listed(there)}")
        elif len(exact or found) > 1:
            faults.append(f"--midi {name}: {len(found)} inputs have that in their names, write more of the one that is meant: {_listed(found)}")
        else:
            chosen += exact or found
    return list(dict.fromkeys(chosen)), faults


def _listed(ports: Iterable[Port]) -> str:
    return ", ".join(port.label for port in ports) or "none"
