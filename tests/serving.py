"""A real ``oscsynth serve``, seen from outside: its output, its processes, its telemetry and its OSC port."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from oscsynth.link import SharedMemory, Telemetry

from .decoders import tiny_decoder

SHARED = Path("/dev/shm")


def tiny_patches(folder: Path, n_patches: int = 2) -> Path:
    """Write a folder of patches, each with a small decoder of its own and a name before those that ship, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for n in range(1, n_patches + 1):
        tiny_decoder(folder / f"tiny{n}.onnx", seed=n)
        (folder / f"tiny{n}.yaml").write_text(f"name: A tiny {n}\ndecoder: tiny{n}.onnx\nchroma: A\nenvelope: {{attack_ms: 5}}\n")
    return folder


def free_port() -> int:
    """Return a port that nobody uses just now, neither by UDP nor by TCP."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as by_udp, socket.socket(socket.AF_INET, socket.SOCK_STREAM) as by_tcp:
            by_udp.bind(("127.0.0.1", 0))
            port: int = by_udp.getsockname()[1]
            with contextlib.suppress(OSError):  # else another program listens there by TCP
                by_tcp.bind(("127.0.0.1", port))
                return port


class Serve:
    """``oscsynth serve`` with these arguments, in a process of its own."""

    def __init__(self, *arguments: str, patches: Path | None = None, env: dict[str, str] | None = None, port: int | None = None) -> None:
        self.port = free_port() if port is None else port
        folder = [] if patches is None else ["--patches", str(patches)]
        command = [sys.executable, "-m", "oscsynth", "serve", "--port", str(self.port), *folder, *arguments]
        # A session of its own, where nobody has said which.
        self._state = tempfile.TemporaryDirectory(prefix="oscsynth-state-", ignore_cleanup_errors=True)
        env = {"XDG_STATE_HOME": os.environ.get("XDG_STATE_HOME", self._state.name)} | (env or {})
        before = set(SHARED.glob("oscsynth-*"))
        self.begun_seconds = time.monotonic()
        self.process = subprocess.Popen(
            command,
            env=os.environ | env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._before = before
        self._memory: SharedMemory | None = None
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", self.port))

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    @property
    def text(self) -> str:
        """What it has printed so far."""
        return "\n".join(self.lines)

    @property
    def memory(self) -> SharedMemory | None:
        """Its shared memory, as soon as there is one."""
        if self._memory is None:
            for path in set(SHARED.glob("oscsynth-*")) - self._before:
                if str(path) in _maps(self.process.pid):
                    self._memory = SharedMemory(str(path))
        return self._memory

    @property
    def telemetry(self) -> Telemetry:
        return self.memory.read_telemetry() if self.memory else Telemetry()

    def plays(self, name: str) -> bool:
        """Return whether it has said that part 1 plays a patch: one whose decoder nobody has checked yet is loaded after all others."""
        return re.search(rf"^plays +{re.escape(name)}$", self.text, re.M) is not None

    def children(self) -> dict[str, int]:
        """Return the process ids of engine and control."""
        engine = int(self.telemetry.engine_pid)
        others = [pid for pid in child_pids(self.process.pid) if pid != engine and b"spawn_main" in _command(pid)]
        return {"engine": engine} | ({"control": others[0]} if others else {})

    def is_sounding(self) -> bool:
        telemetry = self.telemetry
        alive = int(telemetry.engine_pid) in child_pids(self.process.pid)
        return bool(alive and telemetry.sounding_parts and telemetry.peak > 0.001)

    def ask(self, below: str, *arguments: Any, seconds: float = 0.25) -> tuple[Any, ...] | None:
        """Send a message and return what comes back, or None: what others were answered, however late, is none of it."""
        builder = OscMessageBuilder(f"/oscsynth/{below}")
        for argument in arguments:
            builder.add_arg(argument)
        own = {f"/oscsynth/{below}", f"/oscsynth/{below.removeprefix('part/1/')}"}
        try:
            self._forget_answers()
            self.socket.settimeout(seconds)
            self.socket.send(builder.build().dgram)
            while True:
                answer = OscMessage(self.socket.recv(65536))
                of = answer.params[:1] if answer.address in ("/oscsynth/fail", "/oscsynth/done") else [answer.address]
                if of and of[0] in own:
                    return tuple(answer.params)
        except (TimeoutError, ConnectionRefusedError):
            time.sleep(0.02)
            return None

    def _forget_answers(self) -> None:
        self.socket.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            while True:
                self.socket.recv(65536)

    def close(self) -> None:
        """Kill what is left: its whole session, so that nobody holds on to its output, which would be waited for without end."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if self._memory:
            self._memory.close()
            Path(self._memory.path).unlink(missing_ok=True)
        self._reader.join(2)
        self.process.stdout.close()  # type: ignore[union-attr]
        self.socket.close()
        self._state.cleanup()


def child_pids(pid: int) -> list[int]:
    """Return the children of a process."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def is_alive(pid: int) -> bool:
    """Return whether a process runs (one that is dead but not yet buried does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def megabytes(pid: int, kind: str = "Rss") -> float:
    """Return the resident memory of a process, or with ``Pss`` its share of it."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(rf"^{kind}:\s+(\d+)", text, re.M)[1]) / 1024  # type: ignore[index]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _maps(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/maps").read_text()
    except OSError:
        return ""
