"""How much of its time a block takes, and how often too much: python -m benchmarks.deadlines [--seconds 10] [--output docs/benchmarks].

The engine's own renderer plays the shipped violin decoder through a real JACK server with its dummy driver, in a thread with the engine's
priority, while the latents of everything move sixty times a second: one drone, and sixteen notes. Each block's time, from when the device asks
until it has its samples, is set over the length of the block, alone and with a program that only computes on each core. A block at 1.0 is a click.
Writes JSON and a histogram.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import math
import multiprocessing
import os
import tempfile
import time
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from oscsynth.audio import AudioSettings, open_backend
from oscsynth.library import factory_folder
from oscsynth.link import SharedMemory
from oscsynth.parameters import State
from oscsynth.patch import Patch
from oscsynth.real_time import AUDIO_PRIORITY, ENGINE_PRIORITY, hurry, keep_memory
from oscsynth.renderer import Renderer
from oscsynth.sound.loading import load_sound
from tests.audio.jack_server import environment, jack_server

from .machine import machine
from .picture import pyplot
from .timetags import load

RATE_HZ = 44100
PERIODS_SAMPLES = (128, 256, 512)
PIECES = {"drone": 0, "16 notes": 16}
MOVES_PER_SECOND = 60
SETTLE_SECONDS = 2.0
EDGES = np.geomspace(0.01, 4.0, 81)

CONTEXT = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Result:
    """Shares of a block's length; ``counts`` are blocks between each two of `EDGES`."""

    piece: str
    period_samples: int
    load: int
    blocks: int
    p50: float
    p99: float
    p99_9: float
    worst: float
    late: int
    shed: int
    counts: list[int]

    def line(self) -> str:
        """Return it as one line."""
        shares = "  ".join(f"{name} {100 * value:5.1f} %" for name, value in zip(("p50", "p99", "p99.9", "worst"), self._shares(), strict=True))
        return f"{self.piece:9s} {self.period_samples:4d} {'busy' if self.load else 'alone':6s} {shares}   {self.late} of {self.blocks} blocks late"

    def _shares(self) -> tuple[float, float, float, float]:
        return self.p50, self.p99, self.p99_9, self.worst


def played(piece: str) -> State:
    """Return the state that has a piece sound."""
    state = State()
    for name, value in (("open", 1), ("patch", 1), ("gate", 1), ("envelope/sustain", 1)):
        state.set(1, name, value)
    state.set(1, "chroma", 1, 9)
    for voice in range(PIECES[piece]):
        for name, value in (("started", voice + 1), ("part", 1), ("pitch", 55 + voice), ("velocity", 1)):
            state.set_voice(voice, name, value)
    return state


def _play(piece: str, period_samples: int, seconds: float, answer: Connection) -> None:
    """Be the engine, and control too."""
    hurry(ENGINE_PRIORITY)
    keep_memory()
    memory, state = SharedMemory(), played(piece)
    renderer, took = Renderer(memory, RATE_HZ, 2), np.full(round(2 * seconds * RATE_HZ / period_samples) + 1000, np.nan)
    patch = Patch("Benchmark", str(factory_folder() / "decoders" / "violin.onnx"), mode="notes" if PIECES[piece] else "drone", voices=16)
    renderer.engine.install(1, load_sound(patch, RATE_HZ))
    n_blocks = 0

    def render(n_samples: int) -> np.ndarray:
        nonlocal n_blocks
        begun = time.perf_counter()
        block = renderer(n_samples)
        took[n_blocks % len(took)] = (time.perf_counter() - begun) * RATE_HZ / n_samples
        n_blocks += 1
        return block

    backend = open_backend("portaudio", render, AudioSettings(RATE_HZ, period_samples))
    renderer.backend = backend
    for _ in range(4):
        renderer.guard(period_samples)
    renderer.forget_start()
    gc.collect()
    gc.freeze()
    gc.disable()
    backend.start()
    first = 0
    begun = time.monotonic()
    while (now := time.monotonic() - begun) < SETTLE_SECONDS + seconds:
        hurry(AUDIO_PRIORITY, renderer.guard.thread_id)
        for latent in range(3):
            state.set(1, "latent", 0.5 + 0.4 * math.sin(now * (1 + latent)), latent)
        memory.write_state(state)
        first = n_blocks if now < SETTLE_SECONDS else first
        time.sleep(1 / MOVES_PER_SECOND)
    answer.send((took[first:n_blocks].tolist(), renderer.shed))
    os._exit(0)


def measure(piece: str, period_samples: int, n_load: int, seconds: float) -> Result:
    """Return what one piece shows at one period."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        server, _ = stack.enter_context(jack_server(log=Path(folder) / "jackd.log", period_samples=period_samples))
        os.environ.update(environment(server))
        stack.enter_context(load(n_load))
        answer, theirs = CONTEXT.Pipe(duplex=False)
        process = CONTEXT.Process(target=_play, args=(piece, period_samples, seconds, theirs))
        process.start()
        theirs.close()
        shares, shed = answer.recv()
        process.join()
    took = np.array(shares)
    p50, p99, p99_9 = (float(np.percentile(took, percent)) for percent in (50, 99, 99.9))
    counts = np.histogram(took, EDGES)[0].tolist()
    return Result(piece, period_samples, n_load, len(took), p50, p99, p99_9, float(took.max()), int((took > 1).sum()), shed, counts)


def draw(results: list[Result], path: Path) -> None:
    """Draw a histogram for each piece and period, alone and busy."""
    plt = pyplot()
    periods = sorted({result.period_samples for result in results})
    figure, grid = plt.subplots(len(PIECES), len(periods), figsize=(9, 5), sharex=True, sharey=True, layout="constrained", squeeze=False)
    for result in results:
        axes = grid[list(PIECES).index(result.piece)][periods.index(result.period_samples)]
        colour, label = ("#d55e00", "busy") if result.load else ("#0072b2", "alone")
        axes.stairs(
            np.array(result.counts) / result.blocks, EDGES, color=colour, label=label, fill=not result.load, alpha=0.6 if not result.load else 1
        )
        axes.axvline(1.0, color="#000000", lw=0.8)
        axes.set(xscale="log", yscale="log", title=f"{result.piece}, period {result.period_samples}")
    grid[0][0].legend(fontsize=8)
    figure.supxlabel("time of a block over its length; 1 is a click")
    figure.supylabel("share of the blocks")
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--periods", type=int, nargs="+", default=PERIODS_SAMPLES)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--load", type=int, default=os.cpu_count(), help="programs that only compute, in the busy runs")
    parser.add_argument("--output", type=Path, help="a folder for the JSON and the picture")
    arguments = parser.parse_args()
    results = []
    for piece in PIECES:
        for period in arguments.periods:
            for n_load in (0, arguments.load):
                results.append(measure(piece, period, n_load, arguments.seconds))
                print(results[-1].line(), flush=True)
    if arguments.output:
        arguments.output.mkdir(parents=True, exist_ok=True)
        found = {"machine": machine(), "edges": EDGES.round(5).tolist(), "results": [asdict(result) for result in results]}
        (arguments.output / "deadlines.json").write_text(json.dumps(found) + "\n")
        draw(results, arguments.output / "deadlines.png")


if __name__ == "__main__":
    main()
