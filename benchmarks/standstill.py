"""When the processors themselves stood still, told from outside: python -m benchmarks.standstill [--seconds 60] prints each time.

On each processor a process that comes before everything else (SCHED_FIFO 99) sleeps for 1 ms again and again, as cyclictest of the kernel's rt-tests
does: where it wakes up late, nobody could compute there, for that long at least: what fell into its sleep it cannot know. The computer that a
virtual machine shares with others stops its processors for milliseconds at a time, and says so in its count of stolen time only now and then. A
program that was computing just then has used up that time by its own clock.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter
from types import TracebackType
from typing import NamedTuple

NAP_SECONDS = 0.001
LEAST_SECONDS = 0.0003  # later than that is told
PRIORITY = 99
RECENT = 1000  # stops: those of a stretch that has just ended


class Stop(NamedTuple):
    """A processor stood still, from when to when in seconds of ``time.monotonic``."""

    processor: int
    since: float
    until: float

    @property
    def seconds(self) -> float:
        """For how long."""
        return self.until - self.since


class Standstill:
    """A process on each processor, as long as the ``with`` block lasts; ``is_there``: the system allows it."""

    def __init__(self) -> None:
        self.found: list[Stop] = []
        self._processes: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Standstill:
        for processor in sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else ():
            command = [sys.executable, "-m", __spec__.name, "--processor", str(processor)]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            self._processes.append(process)
            threading.Thread(target=self._hear, args=(processor, process.stdout), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for process in self._processes:
            process.kill()
            process.wait()

    def _hear(self, processor: int, lines: Iterable[str]) -> None:
        for line in lines:
            since, until = map(float, line.split())
            self.found.append(Stop(processor, since, until))

    @property
    def is_there(self) -> bool:
        """Whether every processor is watched."""
        return bool(self._processes) and all(process.poll() is None for process in self._processes)

    def lost_seconds(self, begun: float, ended: float, length_seconds: float) -> float:
        """Return the most that a processor stood still within such a length, of a stretch of ``time.monotonic``; 0.0 where none did."""
        return most_lost([stop for stop in self.found[-RECENT:] if stop.since < ended and stop.until > begun], length_seconds)


def most_lost(stops: Iterable[Stop], length_seconds: float) -> float:
    """Return the most of any stretch of a length for which one processor stood still.

    >>> most_lost([Stop(0, 1.0, 1.002), Stop(0, 1.004, 1.007), Stop(1, 1.0, 1.004), Stop(0, 1.1, 1.101)], 0.01)
    0.005
    """
    most = 0.0
    for _, group in groupby(sorted(stops), attrgetter("processor")):
        ours = list(group)
        for begin in (stop.since for stop in ours):
            end = begin + length_seconds
            most = max(most, sum(min(stop.until, end) - stop.since for stop in ours if begin <= stop.since < end))
    return round(most, 6)


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
            for stop in standstill.found[told:]:
                print(f"after {stop.since - begun:.3f} s, processor {stop.processor}: {1000 * stop.seconds:.1f} ms", flush=True)
            told = len(standstill.found)
        print(f"{told} times" if standstill.is_there else "the system does not allow that: it needs real-time priority")


if __name__ == "__main__":
    main()
