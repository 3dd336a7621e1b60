"""How long blocks take while everything moves: python -m benchmarks.crowd [--seconds 90] [--seeds 5 7 8 10] [--block 512].

What `soak` plays through JACK for hours, in two parts, is played here to the instrument and its engine in one thread, with the budgets of blocks and
what is given up under overload, one block after the other, as fast as it goes: a minute of sound takes a quarter of one. The processor time of each
block is told as a share of its length, and how often something had to wait longer than 512 and 2048 samples. Machines that others use as well are
slower at one moment than at the next: to compare two states of the program, run both at once, each bound to a core of its own, and then with the
cores changed.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import os
import random
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from oscsynth.library import Library, factory_folder
from oscsynth.real_time import AUDIO_PRIORITY, hurry, keep_memory
from oscsynth.render import Performance
from oscsynth.sound.budget import Budget
from oscsynth.sound.engine import Engine
from oscsynth.sound.overload import Overload

from .machine import machine
from .soak_crowd import FADER_STEPS_PER_SECOND, FADERS, MAX_HELD, N_PARTS, NOTES

RATE_HZ = 44100
START_SECONDS = 2.0  # not counted
COLLECT_SECONDS = 10.0
SHARES = (0.7, 0.8, 0.9, 1.0)
WAITED_SAMPLES = (512, 2048)

Event = tuple[str, tuple[float | str, ...]]


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


class Crowd:
    """Who plays: `events` gives what is sent up to a moment, as `soak_crowd.Crowd` sends it."""

    def __init__(self, patches: list[str], seed: int) -> None:
        self._patches, self._chance = patches, random.Random(seed)
        self._held: list[tuple[str, float]] = []
        self._rows = {self._note: 0.0, self._fader: 0.0, self._page: 0.0, self._switch: 0.0}
        self._moving: list[tuple[str, float]] = []

    def events(self, seconds: float) -> Iterator[Event]:
        """Yield what is due."""
        for row, due_seconds in self._rows.items():
            if seconds >= due_seconds:
                events, wait_seconds = row()
                yield from events
                self._rows[row] = seconds + wait_seconds

    def _part(self) -> str:
        return f"part/{self._chance.randint(1, N_PARTS)}"

    def _note(self) -> tuple[list[Event], float]:
        wait_seconds = self._chance.expovariate(1 / 0.12)
        if len(self._held) < MAX_HELD and self._chance.random() < 0.55:
            part, pitch = self._part(), float(self._chance.randint(36, 90))
            self._held.append((part, pitch))
            return [(f"{part}/note/on", (pitch, self._chance.random() * 0.9 + 0.1))], wait_seconds
        if self._held:
            part, pitch = self._held.pop(self._chance.randrange(len(self._held)))
            return [(f"{part}/note/off", (pitch,))], wait_seconds
        return [], wait_seconds

    def _fader(self) -> tuple[list[Event], float]:
        if not self._moving:
            name = f"{self._part()}/{self._chance.choice(FADERS)}"
            value, target = self._chance.random(), self._chance.random()
            steps = range(self._chance.randint(5, 80))
            self._moving = [(name, target + (value - target) * 0.9**step) for step in steps]
        name, value = self._moving.pop(0)
        return [(name, (value,))], 1 / FADER_STEPS_PER_SECOND if self._moving else self._chance.random()

    def _page(self) -> tuple[list[Event], float]:
        return [(f"{self._part()}/latent/2", (self._chance.random(),))], 0.04

    def _switch(self) -> tuple[list[Event], float]:
        part, wait_seconds = self._part(), self._chance.expovariate(1 / 0.7)
        kind = self._chance.choices(("patch", "chroma", "gate", "hold", "snapshot", "note"), (8, 4, 2, 1, 2, 2))[0]
        rows: dict[str, list[Event]] = {
            "patch": [(f"{part}/patch", (self._chance.choice(self._patches),))],
            "chroma": [(f"{part}/chroma/name", (self._chance.choice(NOTES),))],
            "gate": [(f"{part}/gate", (float(self._chance.randint(0, 1)),))],
            "hold": [(f"{part}/hold", (float(self._chance.randint(0, 1)),))],
            "snapshot": [(f"{part}/snapshot/{self._chance.randint(1, 4)}/{self._chance.choice(('store', 'recall'))}", ())],
            "note": [(f"{part}/note/on", (60.0, 0.5)), (f"{part}/note/off", (60.0,))],
        }
        return rows[kind], wait_seconds


def play(seed: int, seconds: float, block: int) -> Result:
    """Return what the blocks of some seconds took."""
    budget, overload = Budget(time.monotonic), Overload()
    performance = Performance(RATE_HZ, patches=factory_folder(), engine=Engine(RATE_HZ, budget=budget))
    engine, prefix, length_seconds = performance.engine, performance.instrument.prefix, block / RATE_HZ
    library = Library(None, factory_folder())
    library.scan()
    patches = list(library.patches)
    crowd = Crowd(patches, seed)
    for part in range(1, N_PARTS + 1):
        performance.send(f"{prefix}/part/{part}/patch", patches[(seed + part) % len(patches)])
    loads, waited, shed = [], [], 0
    gc.collect()
    gc.freeze()
    gc.disable()  # as in the engine process
    collect_seconds = COLLECT_SECONDS
    while (now := engine.position_samples / RATE_HZ) < seconds:
        for below, arguments in crowd.events(now):
            performance.send(f"{prefix}/{below}", *arguments)
        own_seconds, begun_seconds = time.thread_time(), time.monotonic()
        budget.begin(begun_seconds, length_seconds, engine.position_samples + block)
        performance.render(block)
        busy_seconds, own_seconds = time.monotonic() - begun_seconds, time.thread_time() - own_seconds
        if now > START_SECONDS:
            loads.append(own_seconds / length_seconds)
            waited.append(budget.waited_samples)
        share = overload(busy_seconds, length_seconds, block, budget.waited_samples, engine.apart_samples)
        engine.coarseness = overload.coarseness
        if share:
            shed += engine.shed_past() or engine.shed(math.ceil(share * engine.sounding_voices))
        if now > collect_seconds:
            collect_seconds += COLLECT_SECONDS
            gc.collect(0)
    gc.enable()
    gc.unfreeze()
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
        shed,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=90.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[5, 7, 8, 10])
    parser.add_argument("--block", type=int, default=512, help="samples")
    parser.add_argument("--json", action="store_true", help="print all of it")
    arguments = parser.parse_args()
    keep_memory()
    hurry(AUDIO_PRIORITY)
    results = []
    for seed in arguments.seeds:
        results.append(play(seed, arguments.seconds, arguments.block))
        print(results[-1].line(), flush=True)
    if arguments.json:
        print(json.dumps({"machine": machine(), "block": arguments.block, "results": [asdict(result) for result in results]}, indent=1))


if __name__ == "__main__":
    main()
