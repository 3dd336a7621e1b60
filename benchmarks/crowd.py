"""How long blocks take while everything moves: python -m benchmarks.crowd [--seconds 90] [--seeds 5 7 8 10] [--block 512] [--slowed 4].

What `soak` plays through JACK for hours, in two parts, is played here to the instrument and the engine's own renderer in one thread, one block after
the other, as fast as it goes: a minute of sound takes a quarter of one. The processor time of each block is told as a share of its length, and how
often something had to wait longer than 512 and 2048 samples. Machines that others use as well are slower at one moment than at the next: to compare
two states of the program, run both at once, each bound to a core of its own, and then with the cores changed.

With ``--slowed 4`` the machine is that much slower for some milliseconds at a time, several times a second, by a clock that goes faster meanwhile:
what a computer that others use as well does now and then, so often that it can be counted how many blocks that makes late.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from oscsynth.library import factory_folder
from oscsynth.link import SharedMemory
from oscsynth.real_time import AUDIO_PRIORITY, hurry, keep_memory
from oscsynth.render import Performance
from oscsynth.renderer import Renderer

from .machine import machine
from .soak_crowd import N_PARTS, Score, Step, shipped_patches

RATE_HZ = 44100
START_SECONDS = 2.0  # not counted
COLLECT_SECONDS = 10.0
PAGE_SECONDS = 0.04  # between two steps of whoever plays on the page
SHARES = (0.7, 0.8, 0.9, 1.0)
WAITED_SAMPLES = (512, 2048)
SLOW_EVERY_SECONDS, SLOW_SECONDS = 0.1, (0.005, 0.012)  # of what is computed, by the machine's own clock and by the faster one


@dataclass(frozen=True, slots=True)
class Result:
    """Shares of a block's length; ``above`` and ``waited`` are counts of blocks."""

    seed: int
    blocks: int
    mean: float
    median: float
    p99: float
    worst: float
    above: dict[str, int]
    waited: dict[str, int]
    shed: int

    def line(self) -> str:
        """Return it as one line."""
        above = ", ".join(f"{count} above {share}" for share, count in self.above.items())
        waited = ", ".join(f"{count} over {samples}" for samples, count in self.waited.items())
        figures = f"mean {self.mean:.2f}, median {self.median:.2f}, p99 {self.p99:.2f}, worst {self.worst:.2f}"
        return f"seed {self.seed}: {figures}; {above} of {self.blocks}; waited {waited}; {self.shed} notes given up"


class Slowed:
    """The processor time of this thread, as on a machine that is slower for a while now and then."""

    def __init__(self, times: float, chance: random.Random) -> None:
        self._times, self._chance = times, chance
        self._known_seconds = time.thread_time()
        self._seconds, self._is_slow, self._left_seconds = self._known_seconds, True, 0.0

    def __call__(self) -> float:
        """Return seconds."""
        now = time.thread_time()
        passed, self._known_seconds = now - self._known_seconds, now
        while passed > self._left_seconds:
            self._pass(self._left_seconds)
            passed -= self._left_seconds
            self._is_slow = not self._is_slow and self._times > 1.0
            self._left_seconds = (
                self._chance.uniform(*SLOW_SECONDS) / self._times if self._is_slow else self._chance.expovariate(1 / SLOW_EVERY_SECONDS)
            )
        self._pass(passed)
        self._left_seconds -= passed
        return self._seconds

    def _pass(self, seconds: float) -> None:
        self._seconds += seconds * (self._times if self._is_slow else 1.0)


def due(rows: dict[Iterator[Step], float], seconds: float) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Yield what is to be sent up to a moment; ``rows`` are those who play, with when each goes on."""
    for steps, next_seconds in rows.items():
        if seconds >= next_seconds:
            step = next(steps)
            yield from step.events
            rows[steps] = seconds + step.wait_seconds


def page(score: Score, chance: random.Random) -> Iterator[Step]:
    """Go to and fro with one fader, as whoever plays on the page."""
    while True:
        yield Step("page", [(f"{score.part()}/latent/2", (chance.random(),))], PAGE_SECONDS)


def play(seed: int, seconds: float, block: int, slowed: float = 1.0) -> Result:
    """Return what the blocks of some seconds took, on a machine that is ``slowed`` times as slow now and then."""
    memory = SharedMemory()
    clock = Slowed(slowed, random.Random(seed))
    renderer = Renderer(memory, RATE_HZ, 2, clock=clock, own_clock=clock)
    engine = renderer.engine
    performance = Performance(RATE_HZ, patches=factory_folder(), engine=engine)
    prefix, patches, chance = performance.instrument.prefix, shipped_patches(), random.Random(seed)
    score = Score(patches, 0, chance)
    rows = dict.fromkeys((score.notes(), score.faders(), score.switches(), page(score, chance)), 0.0)
    for part in range(1, N_PARTS + 1):
        performance.send(f"{prefix}/part/{part}/patch", chance.choice(patches))
    loads, waited = [], []
    gc.collect()
    gc.freeze()
    gc.disable()  # as in the engine process
    collect_seconds = COLLECT_SECONDS
    while (now := engine.position_samples / RATE_HZ) < seconds:
        for below, values in due(rows, now):
            performance.send(f"{prefix}/{below}", *values)
        memory.write_state(performance.instrument.state)
        begun_seconds = clock()
        renderer(block)
        if error := renderer.guard.take_error():
            raise error
        if now > START_SECONDS:
            loads.append((clock() - begun_seconds) * RATE_HZ / block)
            waited.append(renderer.waited_samples)
        if now > collect_seconds:
            collect_seconds += COLLECT_SECONDS
            gc.collect(0)
    gc.enable()
    gc.unfreeze()
    memory.close()
    all_loads, all_waited = np.array(loads), np.array(waited)
    return Result(
        seed,
        len(loads),
        float(all_loads.mean()),
        float(np.median(all_loads)),
        float(np.percentile(all_loads, 99)),
        float(all_loads.max()),
        {str(share): int((all_loads > share).sum()) for share in SHARES},
        {str(samples): int((all_waited > samples).sum()) for samples in WAITED_SAMPLES},
        renderer.shed,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=90.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[5, 7, 8, 10])
    parser.add_argument("--block", type=int, default=512, help="samples")
    parser.add_argument(
        "--slowed", type=float, default=1.0, metavar="TIMES", help="how much slower the machine is for a few milliseconds now and then"
    )
    parser.add_argument("--json", action="store_true", help="print all of it")
    arguments = parser.parse_args()
    keep_memory()
    hurry(AUDIO_PRIORITY)
    results = []
    for seed in arguments.seeds:
        results.append(play(seed, arguments.seconds, arguments.block, arguments.slowed))
        print(results[-1].line(), flush=True)
    if arguments.json:
        print(json.dumps({"machine": machine(), "block": arguments.block, "results": [asdict(result) for result in results]}, indent=1))


if __name__ == "__main__":
    main()
