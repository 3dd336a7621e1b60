"""What happens when there is more to play than there is time for: python -m benchmarks.overload [--notes 64] [--output docs/benchmarks].

The engine's own renderer plays, in step with the clock, one more note every tenth of a second, with every latent of all of them moving sixty
times a second, until there is several times as much to do as the processor can. Once as it is, and once with giving up switched off. Told for each
are the blocks that came late, and the notes that were given up; JSON and a picture of the load and of the notes that sound.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import multiprocessing
import os
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

from .machine import machine
from .picture import pyplot

RATE_HZ, BLOCK_SAMPLES = 44100, 256
NOTE_EVERY_SECONDS = 0.1
HELD_SECONDS = 4.0  # after the last note
MOVES_PER_SECOND = 60
CONTEXT = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Result:
    """``seconds``, ``loads`` and ``voices`` are a number for each twentieth of a second: the mean load there, and the notes that sound."""

    gives_up: bool
    blocks: int
    late: int
    shed: int
    worst: float
    seconds: list[float]
    loads: list[float]
    voices: list[int]

    def line(self) -> str:
        """Return it as one line."""
        how = "giving up" if self.gives_up else "as it comes"
        return f"{how:12s} {self.late} of {self.blocks} blocks late, the worst {100 * self.worst:.0f} % of its length; {self.shed} notes given up"


def _play(gives_up: bool, n_notes: int, answer: Connection) -> None:
    hurry(ENGINE_PRIORITY)
    keep_memory()
    memory, state = SharedMemory(), State()
    renderer = Renderer(memory, RATE_HZ, 2)
    if not gives_up:
        renderer._relieve = lambda n_samples, busy_seconds: None  # type: ignore[method-assign]
    patch = Patch("Benchmark", str(factory_folder() / "decoders" / "violin.onnx"), mode="notes", voices=64, phase="tonal", breath=0.3)
    renderer.engine.install(1, load_sound(patch, RATE_HZ))
    for name, value in (("open", 1), ("patch", 1), ("envelope/sustain", 1), ("breath", 0.3)):
        state.set(1, name, value)
    memory.write_state(state)
    rows: list[tuple[float, int]] = []

    def render(n_samples: int) -> np.ndarray:
        begun = time.perf_counter()
        block = renderer(n_samples)
        rows.append(((time.perf_counter() - begun) * RATE_HZ / n_samples, renderer.engine.sounding_voices))
        return block

    backend = open_backend("null", render, AudioSettings(RATE_HZ, BLOCK_SAMPLES))
    for _ in range(4):
        renderer.guard(BLOCK_SAMPLES)
    renderer.forget_start()
    gc.collect()
    gc.disable()
    backend.start()
    begun, held = time.monotonic(), 0
    while (now := time.monotonic() - begun) < n_notes * NOTE_EVERY_SECONDS + HELD_SECONDS:
        hurry(AUDIO_PRIORITY, renderer.guard.thread_id)
        while held < min(n_notes, now / NOTE_EVERY_SECONDS):
            for name, value in (("started", held + 1), ("part", 1), ("pitch", 36 + held), ("velocity", 0.2)):
                state.set_voice(held, name, value)
            held += 1
        for latent in range(3):
            state.set(1, "latent", 0.5 + 0.4 * math.sin(now * (1 + latent)), latent)
        state.voices_revision = held
        memory.write_state(state)
        time.sleep(1 / MOVES_PER_SECOND)
    answer.send((rows, renderer.shed))
    os._exit(0)


def measure(gives_up: bool, n_notes: int) -> Result:
    """Return what one run shows."""
    answer, theirs = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=_play, args=(gives_up, n_notes, theirs))
    process.start()
    theirs.close()
    rows, shed = answer.recv()
    process.join()
    loads, together = np.array([load for load, _ in rows]), round(0.05 * RATE_HZ / BLOCK_SAMPLES)
    starts = range(0, len(rows) - together, together)
    return Result(
        *(gives_up, len(rows), int((loads > 1).sum()), shed, float(loads.max())),
        seconds=[round(start * BLOCK_SAMPLES / RATE_HZ, 2) for start in starts],
        loads=[round(float(loads[start : start + together].mean()), 3) for start in starts],
        voices=[rows[start][1] for start in starts],
    )


def draw(results: list[Result], path: Path) -> None:
    """Draw load and notes over time."""
    plt = pyplot()
    figure, (load, notes) = plt.subplots(2, 1, figsize=(8, 5), sharex=True, layout="constrained")
    for result in results:
        colour, label = ("#0072b2", "giving up") if result.gives_up else ("#d55e00", "as it comes")
        load.plot(result.seconds, result.loads, color=colour, label=label, lw=1)
        notes.plot(result.seconds, result.voices, color=colour, label=label, lw=1)
    load.axhline(1.0, color="#000000", lw=0.8)
    load.set(ylabel="time of a block over its length", ylim=(0, None))
    notes.set(xlabel="seconds of sound", ylabel="notes that sound")
    load.legend(fontsize=8)
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--notes", type=int, default=64)
    parser.add_argument("--output", type=Path, help="a folder for the JSON and the picture")
    arguments = parser.parse_args()
    results = []
    for gives_up in (True, False):
        results.append(measure(gives_up, arguments.notes))
        print(results[-1].line(), flush=True)
    if arguments.output:
        arguments.output.mkdir(parents=True, exist_ok=True)
        found = {"machine": machine(), "results": [asdict(result) for result in results]}
        (arguments.output / "overload.json").write_text(json.dumps(found) + "\n")
        draw(results, arguments.output / "overload.png")


if __name__ == "__main__":
    main()
