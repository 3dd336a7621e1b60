"""A real JACK server without a sound card, and a client that hears what it plays."""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import shutil
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from oscsynth.real_time import keep_memory

try:
    import jack
except OSError:  # there is no library: what needs it is skipped
    jack = None

SAMPLE_RATE_HZ, PERIOD_SAMPLES = 44100, 512
MAX_SECONDS = 90
ANSWER_SECONDS = 20  # no server takes that long, whatever else the machine does
LISTENER_PRIORITY = 30  # under the sound and over everything ordinary


_servers: dict[str, subprocess.Popen[bytes]] = {}


@contextlib.contextmanager
def _answered(name: str) -> Iterator[None]:
    """Kill the server of that name if a request to it takes for ever: JACK's library waits without end, and no signal reaches it there."""
    timer = threading.Timer(ANSWER_SECONDS, lambda: _servers[name].kill())
    timer.daemon = True
    if name in _servers:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


def environment(name: str) -> dict[str, str]:
    """Return the variables that lead a process to the server of that name and to no other."""
    return {"JACK_DEFAULT_SERVER": name, "JACK_NO_AUDIO_RESERVATION": "1", "JACK_NO_START_SERVER": "1"}


@contextlib.contextmanager
def jack_server(name: str = "", log: Path | None = None, period_samples: int = PERIOD_SAMPLES) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run ``jackd`` with its dummy driver under a name of its own, or the one given; ``log`` is where it says which client was late."""
    name = name or f"oscsynth-{uuid.uuid4().hex[:8]}"
    _forget_killed_servers()
    command = ["jackd", "-n", name, "-R", "-P70", "-d", "dummy", "-r", str(SAMPLE_RATE_HZ), "-p", str(period_samples)]
    with open(log or os.devnull, "wb") as output:
        process = subprocess.Popen(command, env=os.environ | environment(name), stdout=output, stderr=subprocess.STDOUT)
    _servers[name] = process
    try:
        _wait_for(name)
        yield name, process
    finally:
        process.terminate()
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        _servers.pop(name, None)


@functools.cache  # once: what this process has opened of the register stays open
def _forget_killed_servers() -> None:
    """Clear JACK's register when no server runs: it has eight places, and one that was killed keeps its own for ever."""
    shared = Path("/dev/shm")
    if _is_running("jackd") or not shared.is_dir():
        return
    for path in (*shared.glob("jack-*"), *shared.glob("jack_*")):
        with contextlib.suppress(OSError):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _is_running(program: str) -> bool:
    for path in Path("/proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):  # it has just left
            if path.read_text().strip() == program:
                return True
    return False


def _wait_for(name: str) -> None:
    for _ in range(100):
        with contextlib.suppress(jack.JackOpenError), _silence(), _answered(name):
            jack.Client("wait", no_start_server=True, servername=name).close()
            return
        time.sleep(0.05)
    raise RuntimeError("jackd does not start: install jackd2")


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    from oscsynth.audio.quiet import quiet_stderr

    with quiet_stderr():
        yield


def listen_undisturbed() -> str:
    """Give this process what hears every period while others compute; return why not, or nothing.

    The client's callback needs the interpreter's lock: whoever holds it must not wait for another program. What this process starts gets none of it.
    """
    sys.setswitchinterval(1e-4)
    gc.collect()
    gc.freeze()
    gc.disable()
    keep_memory()
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(LISTENER_PRIORITY))
    except OSError as error:
        return f"the listener gets no real-time place ({error.strerror}): it may be late itself"
    return ""


class Capture:
    """Hears the first client of that name: both channels, with no sample left out, and every xrun of the server."""

    def __init__(self, name: str, of: str = "PortAudio") -> None:
        self._name, self._of = name, of
        self._blocks: list[tuple[int, int]] = []  # each block's first sample, here and in the server's own count, which xruns move
        jack.set_error_function(lambda message: None)
        jack.set_info_function(lambda message: None)
        with _answered(name):
            self.client = jack.Client("capture", no_start_server=True, servername=name)
        self.xruns = 0
        self.xrun_samples: list[int] = []  # where in the sound they came
        self._sound = np.full((MAX_SECONDS * SAMPLE_RATE_HZ, 2), 0, np.float32)  # written to: no page is fetched while it listens
        self.samples = 0
        self.periods: list[int] = []  # where each begins in the server's own count
        self.client.set_process_callback(self._process)
        self.client.set_xrun_callback(self._count)
        with _answered(name):
            self._ports = [self.client.inports.register(f"in_{channel}") for channel in (1, 2)]
            self.client.activate()

    def _process(self, n_samples: int) -> None:
        self._blocks.append((self.samples, self.client.last_frame_time))
        end = self.samples + n_samples
        self.periods.append(self.client.last_frame_time)
        if end <= len(self._sound):
            for channel, port in enumerate(self._ports):
                self._sound[self.samples : end, channel] = port.get_array()
            self.samples = end

    def _count(self, delayed_usecs: float) -> None:
        self.xruns += 1
        self.xrun_samples.append(self.samples)

    def connect(self, timeout_seconds: float = 5) -> None:
        """Wait for its ports and listen to them (again)."""
        until = time.monotonic() + timeout_seconds
        while not (outs := self.client.get_ports(self._of, is_output=True, is_audio=True)):
            if time.monotonic() > until:
                raise TimeoutError(f"no {self._of} client came to the JACK server")
            time.sleep(0.01)
        for out, port in zip(outs, self._ports, strict=False):
            with _answered(self._name), contextlib.suppress(jack.JackError):  # it is connected already
                self.client.connect(out, port)

    def now(self) -> int:
        """Return the sample of ``sound`` that this moment will have."""
        here, there = self._blocks[-1]
        return here + self.client.frame_time - there

    @property
    def sound(self) -> np.ndarray:
        """What was heard so far, float32 (samples, 2)."""
        return self._sound[: self.samples]

    def close(self) -> None:
        with _answered(self._name):
            self.client.deactivate()
            self.client.close()


class Performer:
    """Plays a sound into the inputs of the first client of that name, once, from `connect` on; ``begun`` is the server's own count then."""

    def __init__(self, name: str, sound: np.ndarray, to: str = "PortAudio") -> None:
        self._name, self._sound, self._to, self._at, self.begun = name, np.ascontiguousarray(sound, np.float32), to, -1, -1
        with _answered(name):
            self.client = jack.Client("performer", no_start_server=True, servername=name)
            self._ports = [self.client.outports.register(f"out_{channel}") for channel in (1, 2)]
            self.client.set_process_callback(self._process)
            self.client.activate()

    def _process(self, n_samples: int) -> None:
        if self._at == 0:
            self.begun = self.client.last_frame_time
        for channel, port in enumerate(self._ports):
            block = port.get_array()
            here = self._sound[max(self._at, 0) : self._at + n_samples, channel] if self._at >= 0 else ()
            block[: len(here)] = here
            block[len(here) :] = 0
        if self._at >= 0:
            self._at += n_samples

    def connect(self, timeout_seconds: float = 5) -> None:
        """Wait for the inputs, connect, and begin."""
        until = time.monotonic() + timeout_seconds
        while not (found := self.client.get_ports(self._to, is_input=True, is_audio=True)):
            if time.monotonic() > until:
                raise TimeoutError(f"no {self._to} client came to the JACK server to listen")
            time.sleep(0.01)
        with _answered(self._name):
            for port, there in zip(self._ports, found, strict=False):
                self.client.connect(port, there)
        self._at = 0

    def close(self) -> None:
        with _answered(self._name):
            self.client.deactivate()
            self.client.close()
