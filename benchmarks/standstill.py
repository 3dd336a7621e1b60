"""When the processors themselves stood still, told from outside: python -m benchmarks.standstill [--seconds 60] prints each time.

On each processor a process that comes before everything else (SCHED_FIFO 99) sleeps for 2 ms again and again, as cyclictest of the kernel's rt-tests
does: where it wakes up late, nobody could compute there. The computer that a virtual machine shares with others stops its processors for
milliseconds at a time, and says so in its count of stolen time only now and then. A program that was computing just then has used up that time
by its own clock.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from types import TracebackType

NAP_SECONDS = 0.002
LEAST_SECONDS = 0.001  # later than that is told
PRIORITY = 99


class Standstill:
    """A process on each processor, as long as the ``with`` block lasts; ``is_there``: the system allows it."""

    def __init__(self) -> None:
        self.found: list[tuple[float, float]] = []  # from when to when, in seconds of ``time.monotonic``
        self._processes: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Standstill:
        for processor in sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else ():
            command = [sys.executable, "-m", __spec__.name, "--processor", str(processor)]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            self._processes.append(process)
            threading.Thread(target=self._hear, args=(process.stdout,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for process in self._processes:
            process.kill()
            process.wait()

    def _hear(self, lines: Iterable[str]) -> None:
        for line in lines:
            begun, ended = map(float, line.split())
            self.found.append((begun, ended))

    @property
    def is_there(self) -> bool:
        """Whether every processor is watched."""
        return bool(self._processes) and all(process.poll() is None for process in self._processes)

    def longest_seconds(self, begun: float, ended: float) -> float:
        """Return the longest time for which a processor stood still that has anything of a stretch of ``time.monotonic`` in it."""
        return max((until - since for since, until in self.found if since < ended and until > begun), default=0.0)


def watch(processor: int, seconds: float) -> None:
    """Print from when to when a processor stood still, each time.

    Raises
    ------
    OSError
        Where the system does not let it come before everything else.
    """
    os.sched_setaffinity(0, {processor})
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    end = time.monotonic() + seconds
    while (begun := time.monotonic()) < end:
        time.sleep(NAP_SECONDS)
        if (now := time.monotonic()) - begun > NAP_SECONDS + LEAST_SECONDS:
            print(f"{begun + NAP_SECONDS:.6f} {now:.6f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--processor", type=int, help="watch this one alone, for ever")
    arguments = parser.parse_args()
    if arguments.processor is not None:
        watch(arguments.processor, float("inf"))
        return
    with Standstill() as standstill:
        begun, told = time.monotonic(), 0
        while time.monotonic() < begun + arguments.seconds:
            time.sleep(0.5)
            for since, until in standstill.found[told:]:
                print(f"after {since - begun:.3f} s: {1000 * (until - since):.1f} ms", flush=True)
            told = len(standstill.found)
        print(f"{told} times" if standstill.is_there else "the system does not allow that: it needs real-time priority")


if __name__ == "__main__":
    main()
