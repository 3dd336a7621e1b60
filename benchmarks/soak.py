"""Hours of everything at once, through a real JACK server: python -m benchmarks.soak [--minutes 30] [--render-ahead 0] [--output docs/benchmarks].

``serve`` plays the shipped patches in two parts and more under JACK's dummy driver, 512 samples a period, while `soak_crowd` plays notes and faders,
switches patches and scenes, sends broken packets, and connects and leaves by UDP, TCP and WebSocket. scsynth, which does nothing, is a client
of the same server: where it is late too, the machine was. At the end every key is let go and every gate closed, and all must fall silent.

Judged are: blocks for which the engine itself computed longer than they last, what sounds at the end, how the memory of each process grew after the
first minutes, and what the daemon printed. Told besides: every xrun with the client that JACK's log names (*Running*: its thread had begun;
*Triggered*: the system had not let it begin), and for each quarter of a second in which the daemon was named, whether a block of it computed too
long, was kept waiting by the system or by other programs, or was rendered in time. `standstill` watches the processors meanwhile: where one of them
stood still within a block for longer than a block leaves free, no program could have been in time, and a late block or such a quarter of a second is
told as that. With blocks rendered ahead, a late one is judged where it was heard: where nothing was left for the device just then, or that was late.
Writes JSON every minute, so that an end by force leaves what there is, then a picture and a page.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from oscsynth.setlist import store_scene
from tests.audio.jack_server import PERIOD_SAMPLES, SAMPLE_RATE_HZ, environment, jack_server
from tests.engine_harness import wait_until
from tests.serving import Serve, free_port, megabytes

from . import soak_page
from .machine import machine, stolen_seconds
from .scenes import scene
from .soak_crowd import N_PARTS, Crowd, message, shipped_patches
from .standstill import Standstill

N_SCENES = 6
# Of a block the engine plans 0.7 at most: what stands still for longer than the rest makes it late, whatever it does.
BLOCK_SECONDS = PERIOD_SAMPLES / SAMPLE_RATE_HZ
FREE_SECONDS = 0.3 * BLOCK_SECONDS
CATCH_SECONDS = 0.02  # how soon it is seen that a block was late; telemetry tells it every 2048 samples
TOLD_SECONDS = (2048 + 2 * PERIOD_SAMPLES) / SAMPLE_RATE_HZ
MOMENT_SECONDS = 0.25
LOOK_EVERY = 20  # moments
WRITE_EVERY_SECONDS = 60.0
FIRST_MINUTES = 5.0  # or a fifth of all: what a start takes
MAX_GROWTH_MB = 5.0
SILENT_SECONDS = 40.0  # the longest release, and more
_XRUN = re.compile(r"XRun: client = (\S+) was not finished, state = (\w+)")
OURS, HELD_UP, OUTSIDE = "a block computed too long", "a block was kept waiting", "each block was rendered in time"
_FAULTS = re.compile(r"\bfaults?\b|stopped|starting it again|is gone|\berrors?\b", re.IGNORECASE)


@dataclass
class Report:
    """What is found; ``samples`` are rows of `Look`."""

    machine: str
    minutes: float
    render_ahead: int = 0
    finished: bool = False
    crowd: dict[str, int] = field(default_factory=dict)
    answers_ms: dict[str, float] = field(default_factory=dict)
    unanswered: int = 0
    xruns: dict[str, int] = field(default_factory=dict)  # client and state: how often
    moments: dict[str, int] = field(default_factory=dict)  # quarter seconds with xruns in which the daemon was named, by what else was so
    late_blocks: int = 0
    held_up: int = 0
    stood_still: int = 0  # of the late blocks that were not held up, those in whose time a processor stood still
    unheard: int = 0  # of the others, those that what was rendered ahead made up for
    standstills: dict[str, int] = field(default_factory=dict)  # how often one did, for longer than that
    underruns: int = 0
    errors: int = 0
    faults: int = 0
    shed: int = 0
    restarts: int = 0
    load_peak: float = 0.0
    priority: str = ""
    memory_first_mb: dict[str, float] = field(default_factory=dict)
    memory_last_mb: dict[str, float] = field(default_factory=dict)
    stuck_notes: int = -1
    sounding_parts_at_the_end: int = -1
    printed: dict[str, int] = field(default_factory=dict)  # sentences, with N for each number, and how often
    status: dict[str, Any] = field(default_factory=dict)
    samples: list[dict[str, float]] = field(default_factory=list)

    @property
    def growth_mb(self) -> dict[str, float]:
        """By how much the memory of each process grew after the first minutes."""
        return {name: self.memory_last_mb[name] - self.memory_first_mb[name] for name in self.memory_first_mb if name in self.memory_last_mb}

    def wrong(self) -> list[str]:
        """Return what should not be."""
        ours = soak_page.ours(vars(self))
        checks = (
            (ours == 0, f"{ours} blocks computed for longer than they last{' and heard' if self.render_ahead else ''}"),
            (self.stuck_notes <= 0 and self.sounding_parts_at_the_end <= 0, f"{self.stuck_notes} notes sound at the end"),
            (all(mb < MAX_GROWTH_MB for mb in self.growth_mb.values()), f"memory grew: {self.growth_mb}"),
            (self.errors + self.restarts == 0, f"{self.errors} faults in the render, {self.restarts} new processes"),
            (not any(_FAULTS.search(line) for line in self.printed), "the daemon printed a fault"),
        )
        return [sentence for is_right, sentence in checks if not is_right]


class Observer:
    """Looks at the daemon every few seconds, and writes down what it sees."""

    def __init__(self, serve: Serve, log: Path, report: Report, output: Path | None, standstill: Standstill) -> None:
        self._serve, self._log, self.report, self._output, self._standstill = serve, log, report, output, standstill
        self.begun_seconds = time.monotonic()
        self._first, self._n_lines = serve.telemetry, len(serve.lines)
        self._pids = {"parent": serve.process.pid, **serve.children()}
        self._xruns_before = self._last_xruns = self._all_xruns()
        self._last, self._looked_seconds = serve.telemetry, time.monotonic()

    def _all_xruns(self) -> Counter[str]:
        return Counter(" ".join(found) for found in _XRUN.findall(self._log.read_text(errors="replace")))

    def look_at_xruns(self) -> None:
        """Say of the xruns since the last time, in which the daemon was named, what else was so."""
        found, now, last = self._all_xruns(), self._serve.telemetry, self._last
        new = found - self._last_xruns
        if any(who.startswith("PortAudio") for who in new):
            late, held_up = now.late_blocks - last.late_blocks, now.held_up - last.held_up
            kind = OURS if late > held_up else HELD_UP if late else OUTSIDE
            if self._has_stood_still(self._looked_seconds):
                kind += ", while a processor stood still"
            if any(who.startswith("SuperCollider") for who in new):
                kind += ", and scsynth was late as well"
            self.report.moments[kind] = self.report.moments.get(kind, 0) + 1
        self._last_xruns, self._last, self._looked_seconds = found, now, time.monotonic()

    async def catch(self) -> None:
        """Say of each late block that was not held up whether a processor stood still just then; until cancelled."""
        before, since = self._serve.telemetry, time.monotonic()
        while True:
            await asyncio.sleep(CATCH_SECONDS)
            now, until = self._serve.telemetry, time.monotonic()
            late = int(now.late_blocks - now.held_up - before.late_blocks + before.held_up)
            if late > 0:
                await asyncio.sleep(CATCH_SECONDS)  # until that was told, too
                if self._has_stood_still(since):
                    self.report.stood_still += late
                elif self.report.render_ahead and self._serve.telemetry.underruns == before.underruns:
                    self.report.unheard += late
            before, since = now, until

    def _has_stood_still(self, since: float) -> bool:
        """Whether since then, for which telemetry came a little later, a processor stood still for longer than a block leaves free."""
        return self._standstill.lost_seconds(since - TOLD_SECONDS, time.monotonic(), BLOCK_SECONDS) > FREE_SECONDS

    def look(self) -> None:
        """Add a row."""
        now, report = self._serve.telemetry, self.report
        pids = {"parent": self._serve.process.pid, **self._serve.children()}
        report.restarts += pids != self._pids
        self._pids = pids
        report.xruns = dict(self._all_xruns() - self._xruns_before)
        for name in ("late_blocks", "held_up", "underruns", "errors", "faults", "shed"):
            setattr(report, name, int(getattr(now, name) - getattr(self._first, name)))
        report.load_peak = now.load_peak
        row = {"seconds": round(time.monotonic() - self.begun_seconds, 1), "load": round(now.load, 3), "voices": now.sounding_voices}
        row |= {"parts": now.sounding_parts, "machine load": os.getloadavg()[0], "steal": stolen_seconds()}
        row |= {"xruns": sum(report.xruns.values()), "late_blocks": report.late_blocks, "held_up": report.held_up, "shed": report.shed}
        row |= {"stood_still": report.stood_still, "unheard": report.unheard}
        if self._standstill.is_there:
            lengths = [stop.seconds for stop in self._standstill.found if stop.since > self.begun_seconds]
            report.standstills = {f"{1000 * least:.1f} ms": sum(each > least for each in lengths) for least in (0.001, FREE_SECONDS)}
        with contextlib.suppress(OSError, TypeError):  # it has just ended
            row |= {f"{name} MB": round(megabytes(pid), 2) for name, pid in pids.items()}
        report.samples.append(row)
        report.minutes = row["seconds"] / 60
        self._weigh()

    def _weigh(self) -> None:
        rows, report = self.report.samples, self.report
        begin = min(60 * FIRST_MINUTES, rows[-1]["seconds"] / 5)
        first = [row for row in rows if begin <= row["seconds"] <= begin + 60]
        last = [row for row in rows if row["seconds"] >= rows[-1]["seconds"] - 60]
        for name in ("parent", "engine", "control"):
            for found, into in ((first, report.memory_first_mb), (last, report.memory_last_mb)):
                if values := [row[f"{name} MB"] for row in found if f"{name} MB" in row]:
                    into[name] = round(statistics.median(values), 2)

    def take(self, crowd: Crowd) -> None:
        """Write down what the crowd did."""
        report, answers = self.report, sorted(crowd.answers_seconds)
        report.crowd, report.unanswered = dict(crowd.count), crowd.unanswered
        if answers:
            places = {"p50": len(answers) // 2, "p99": int(len(answers) * 0.99), "longest": len(answers) - 1}
            report.answers_ms = {name: round(1000 * answers[at], 2) for name, at in places.items()}
        report.printed = dict(Counter(map(_sentence, self._serve.lines[self._n_lines :])).most_common())

    async def keep_looking(self, crowd: Crowd) -> None:
        """Look until cancelled."""
        write_at = time.monotonic() + WRITE_EVERY_SECONDS
        for turn in itertools.count():
            self.look_at_xruns()
            if turn % LOOK_EVERY == 0:
                self.look()
            if time.monotonic() > write_at:
                write_at += WRITE_EVERY_SECONDS
                self.take(crowd)
                self.write()
            await asyncio.sleep(MOMENT_SECONDS)

    def write(self) -> None:
        """Write JSON; the picture and the page come once at the end."""
        if self._output is not None:
            self._output.mkdir(parents=True, exist_ok=True)
            (self._output / f"{soak_page.name(vars(self.report))}.json").write_text(json.dumps(asdict(self.report)) + "\n")


def _sentence(line: str) -> str:
    """Return a line with N for its numbers, and without the one packet that it names of many."""
    return re.sub(r"-?\d[\d.e+-]*", "N", line.partition("; the last from")[0])


async def soak(serve: Serve, http_port: int, patches: list[str], observer: Observer, seconds: float, seed: int) -> None:
    """Let the crowd in for so long, then have everything fall silent."""
    crowd = Crowd(serve.port, http_port, patches, N_SCENES, seed)
    looking = [asyncio.create_task(each) for each in (observer.keep_looking(crowd), observer.catch())]
    await crowd.run(seconds)
    for each in looking:
        each.cancel()
    observer.look()
    observer.report.minutes = seconds / 60
    for below in ("hold", "gate"):
        serve.socket.send(message(f"part/*/{below}", 0))
    until = time.monotonic() + SILENT_SECONDS
    while (serve.telemetry.sounding_voices or serve.telemetry.sounding_parts) and time.monotonic() < until:
        await asyncio.sleep(0.2)
    report = observer.report
    report.stuck_notes, report.sounding_parts_at_the_end = int(serve.telemetry.sounding_voices), int(serve.telemetry.sounding_parts)
    report.status = status(serve)
    observer.take(crowd)
    report.finished = True


def status(serve: Serve) -> dict[str, Any]:
    """Return what the daemon counts itself."""
    words: tuple[Any, ...] = ()
    while not words or words[0] != "parts":  # answers to what was asked before
        words = serve.ask("status", seconds=2.0) or ()
    return dict(zip(words[::2], words[1::2], strict=False))


@contextlib.contextmanager
def idle_scsynth(server: str) -> Iterator[subprocess.Popen[bytes] | None]:
    """Run scsynth, where it is installed, as a client that has nothing to do."""
    if not shutil.which("scsynth"):
        yield None
        return
    command = ["scsynth", "-u", str(free_port()), "-i", "0", "-o", "2"]
    process = subprocess.Popen(command, env=os.environ | environment(server), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(5)


def run(minutes: float, render_ahead: int, seed: int, output: Path | None) -> Report:
    """Return what is found."""
    report = Report(machine(), minutes, render_ahead)
    names = shipped_patches()
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder, jack_server(log=(log := Path(folder) / "jackd.log")) as (name, _), idle_scsynth(name):
        patches, http_port = Path(folder) / "patches", free_port()
        patches.mkdir()
        for n in range(1, N_SCENES + 1):
            store_scene(patches / "setlist.yaml", scene(n, names, chance))
        arguments = "--audio", "portaudio", "--render-ahead", str(render_ahead), "--no-announce", "--http-port", str(http_port)
        serve = Serve(*arguments, "--recordings", folder, patches=patches, env=environment(name))
        try:
            wait_until(serve.is_sounding, 30)
            time.sleep(5.0)  # until all that a start takes is over
            for part in range(2, N_PARTS + 1):
                serve.ask(f"part/{part}/patch", chance.choice(names))
            report.priority = "SCHED_FIFO" if serve.telemetry.real_time else "ordinary"
            with Standstill() as standstill:
                observer = Observer(serve, log, report, output, standstill)
                asyncio.run(soak(serve, http_port, names, observer, 60 * minutes, seed))
                observer.write()
        finally:
            print(serve.text, file=sys.stderr)
            serve.process.terminate()
            serve.process.wait(10)
            serve.close()
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--render-ahead", type=int, default=0, help="blocks")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, help="a folder for the JSON, the picture and the page")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was begun is ended, too
    report = run(arguments.minutes, arguments.render_ahead, arguments.seed, arguments.output)
    if arguments.output:
        soak_page.write(asdict(report), report.wrong(), arguments.output)
    print(json.dumps({name: value for name, value in asdict(report).items() if name != "samples"}, indent=1))
    for sentence in report.wrong() or ["nothing is wrong"]:
        print(sentence)
    sys.exit(bool(report.wrong()))


if __name__ == "__main__":
    main()
