"""What a drone that stands costs: python -m benchmarks.idle [--periods 512 1024] [--seconds 20] [--output DIR].

The whole program as it is started from the command line, through a JACK server with the dummy driver; on the same server, at the same time, what
PyAudio takes for a callback that returns zeros and does nothing else, and scsynth without a synth, if it is installed. Read off what the kernel
counts of each thread, to the nanosecond: percent of one core. One row is one process; the engine's busiest thread, which renders, is told by itself.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.audio.jack_server import environment, jack_server
from tests.engine_harness import wait_until
from tests.serving import Serve

from .machine import machine
from .soak import idle_scsynth

SETTLE_SECONDS = 35.0  # until all that a start takes is over, and the ring of what was heard was written once
ZEROS = """
import pyaudio, time
audio = pyaudio.PyAudio()
apis = [audio.get_host_api_info_by_index(index) for index in range(audio.get_host_api_count())]
device = next(api for api in apis if "JACK" in api["name"])["defaultOutputDevice"]
zeros = bytes({period_samples} * 8)
stream = audio.open(44100, 2, pyaudio.paFloat32, output=True, output_device_index=device, frames_per_buffer={period_samples},
    stream_callback=lambda heard, n_samples, times, status: (zeros, pyaudio.paContinue))
time.sleep(1e6)
"""


@contextlib.contextmanager
def zeros(server: str, period_samples: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run a callback that does nothing."""
    command = [sys.executable, "-c", ZEROS.format(period_samples=period_samples)]
    process = subprocess.Popen(command, env=os.environ | environment(server), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def threads_seconds(pid: int) -> dict[str, float]:
    """Return what each thread of a process has computed so far."""
    seconds = {}
    for path in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with contextlib.suppress(OSError):  # it has just ended
            seconds[path.parent.name] = int(path.read_text().split()[0]) / 1e9
    return seconds


def measure(period_samples: int, seconds: float) -> dict[str, float]:
    """Return percent of a core, by who takes it."""
    with jack_server(period_samples=period_samples) as (name, _), idle_scsynth(name) as scsynth, zeros(name, period_samples) as nothing:
        serve = Serve("--audio", "portaudio", env=environment(name))
        try:
            wait_until(serve.is_sounding, 20)
            time.sleep(SETTLE_SECONDS)
            pids = {"parent": serve.process.pid, **serve.children(), "a callback that returns zeros": nothing.pid}
            if scsynth is not None:
                pids["scsynth"] = scsynth.pid
            before, begun = {who: threads_seconds(pid) for who, pid in pids.items()}, time.monotonic()
            time.sleep(seconds)
            took = time.monotonic() - begun
            after = {who: threads_seconds(pid) for who, pid in pids.items()}
            shares = {
                who: sorted(100 * (total - before[who].get(thread, 0.0)) / took for thread, total in threads.items())
                for who, threads in after.items()
            }
        finally:
            serve.process.terminate()
            serve.process.wait(5)
            serve.close()
    whole = sum(sum(shares[who]) for who in ("parent", "control", "engine"))
    return {"oscsynth": whole, "of it the thread that renders": shares["engine"][-1], **{f"{who}": sum(each) for who, each in shares.items()}}


def main() -> None:
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # a musician's Python keeps what it has compiled
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--periods", type=int, nargs="+", default=[256, 512, 1024], help="samples")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--output", type=Path, help="a folder for the JSON")
    arguments = parser.parse_args()
    results = []
    for period_samples in arguments.periods:
        results.append({"period_samples": period_samples, "percent": measure(period_samples, arguments.seconds)})
        print(f"{period_samples} samples: " + ", ".join(f"{who} {percent:.2f} %" for who, percent in results[-1]["percent"].items()), flush=True)
    if arguments.output:
        arguments.output.mkdir(parents=True, exist_ok=True)
        (arguments.output / "idle.json").write_text(json.dumps({"machine": machine(), "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
