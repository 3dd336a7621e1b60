"""How much of a core notes take: ``python -m benchmarks.voices [--seconds 0.5] [--repeats 21] [--output docs/benchmarks]``.

The engine plays 0 to 64 notes of one part with the shipped violin decoder, on the pitches that it was taught, block 256. Told is processor
time for a second of sound, with nothing moving; with every latent of every note moving all the time, so that all are decoded at each clock; with
every note bent all the time, so that all are stretched; and with both. While more than 16 notes move, the clock is 256 samples. Each figure is
the median, and the least, of many short turns, in turn with the others, since speed drifts on a shared machine.

Below that the same of notes of the shipped orchestra, which are gone through hop by hop: held, and with a timbre that moves in all of them all the
time, so that all are decoded again; with noise phase and tonal. Writes JSON and a picture.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402

from benchmarks.compute import BLOCK_SAMPLES, RATE_HZ  # noqa: E402
from benchmarks.machine import machine  # noqa: E402
from benchmarks.picture import pyplot  # noqa: E402
from oscsynth.library import factory_folder  # noqa: E402
from oscsynth.parameters import State  # noqa: E402
from oscsynth.patch import Patch, Stretch  # noqa: E402
from oscsynth.sound.engine import Engine  # noqa: E402
from oscsynth.sound.loading import load_sound  # noqa: E402

COUNTS = (0, 1, 8, 16, 32, 64)
ORCHESTRA_COUNTS = (1, 8, 16)
PHASES: tuple[Literal["noise", "tonal"], ...] = ("noise", "tonal")
N_LATENTS = 3
PITCHES = range(55, 101)  # that the decoder knows: what is deeper or higher is stretched as well


def notes(n_voices: int, latents_move: bool, pitches_move: bool, stretch: Stretch = "auto") -> Callable[[float], None]:
    """Return a run of an engine that holds so many notes."""
    engine, state = Engine(RATE_HZ), State()
    decoder = str(factory_folder() / "decoders" / "violin.onnx")
    engine.install(1, load_sound(Patch("Benchmark", decoder, mode="notes", voices=64, stretch=stretch), RATE_HZ))
    for name, value in (("open", 1), ("patch", 1)):
        state.set(1, name, value)
    for voice in range(n_voices):
        for name, value in (("started", voice + 1), ("part", 1), ("pitch", PITCHES[voice % len(PITCHES)])):
            state.set_voice(voice, name, value)
    values, rng = np.frombuffer(state.values), np.random.default_rng(1)

    def run(seconds: float) -> None:
        for _ in range(round(seconds * RATE_HZ / BLOCK_SAMPLES)):
            if latents_move:
                for latent, value in enumerate(rng.random(N_LATENTS)):
                    state.set(1, "latent", value, latent)
            if pitches_move:
                for voice, bend in enumerate(rng.uniform(-1, 1, n_voices)):
                    state.set_voice(voice, "bend", bend)
            engine.render(values, BLOCK_SAMPLES)

    return run


def orchestra(n_voices: int, timbre_moves: bool, phase: Literal["noise", "tonal"]) -> Callable[[float], None]:
    """Return a run of an engine that holds so many notes of a note decoder."""
    engine, state = Engine(RATE_HZ), State()
    decoder = str(factory_folder() / "decoders" / "orchestra.onnx")
    engine.install(1, load_sound(Patch("Benchmark", decoder, voices=64, phase=phase), RATE_HZ))
    for name, value in (("open", 1), ("patch", 1), ("timbre", 1), ("transfer/from", 0), ("transfer/to", 1)):
        state.set(1, name, value)
    for voice in range(n_voices):
        for name, value in (("started", voice + 1), ("part", 1), ("pitch", 48 + voice)):
            state.set_voice(voice, name, value)
    values, rng = np.frombuffer(state.values), np.random.default_rng(1)

    def run(seconds: float) -> None:
        for _ in range(round(seconds * RATE_HZ / BLOCK_SAMPLES)):
            if timbre_moves:
                state.set(1, "transfer", rng.random())
            engine.render(values, BLOCK_SAMPLES)

    return run


def measure(seconds: float, repeats: int) -> list[dict[str, Any]]:
    """Return a row for each kind of notes: how many, and the median and the least of what they took, percent of a core."""
    kinds = {"still": (False, False), "latents move": (True, False), "pitches move": (False, True), "both move": (True, True)}
    runs = {(kind, n): notes(n, *moves) for kind, moves in kinds.items() for n in COUNTS}
    counts_of = dict.fromkeys(kinds, COUNTS)
    for phase, moves in itertools.product(PHASES, (False, True)):
        kind = f"{phase}, {'moves' if moves else 'held'}"
        counts_of[kind] = ORCHESTRA_COUNTS
        runs |= {(kind, n): orchestra(n, moves, phase) for n in ORCHESTRA_COUNTS}
    times: dict[tuple[str, int], list[float]] = {key: [] for key in runs}
    for run in runs.values():
        run(1.0)  # past their attacks
    for _ in range(repeats):
        for key, run in runs.items():
            begun = time.process_time()
            run(seconds)
            times[key].append(100 * (time.process_time() - begun) / seconds)
    return [
        {
            "decoder": "violin" if counts == COUNTS else "orchestra",
            "kind": kind,
            "counts": list(counts),
            "median": [round(statistics.median(times[kind, n]), 2) for n in counts],
            "least": [round(min(times[kind, n]), 2) for n in counts],
        }
        for kind, counts in counts_of.items()
    ]


def draw(results: list[dict[str, Any]], path: Path) -> None:
    """Draw what each kind of notes takes over how many there are."""
    plt = pyplot()
    figure, pair = plt.subplots(1, 2, figsize=(9, 4), sharey=True, layout="constrained")
    for result in results:
        axes = pair[int(result["decoder"] == "orchestra")]
        axes.plot(result["counts"], result["median"], marker="o", ms=3, lw=1, label=result["kind"])
    for axes, title in zip(pair, ("violin", "orchestra"), strict=True):
        axes.axhline(100.0, color="#000000", lw=0.8)
        axes.set(xlabel="notes that sound", title=title)
        axes.legend(fontsize=8)
    pair[0].set(ylabel="percent of a core", ylim=(0, None))
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--repeats", type=int, default=21)
    parser.add_argument("--output", type=Path, help="a folder for the JSON and the picture")
    arguments = parser.parse_args()
    results = measure(arguments.seconds, arguments.repeats)
    print(f"{machine()}\n\nshare of a core, median (least) of {arguments.repeats}, block {BLOCK_SAMPLES}")
    print(f"{'notes':14}" + "".join(f"{n:>16}" for n in COUNTS))
    for result in results:
        cell = {n: f"{median:6.1f} % ({least:4.1f})" for n, median, least in zip(result["counts"], result["median"], result["least"], strict=True)}
        print(f"{result['kind']:14}" + "".join(f"{cell.get(n, ''):>16}" for n in COUNTS))
    if arguments.output:
        arguments.output.mkdir(parents=True, exist_ok=True)
        found = {"machine": machine(), "block_samples": BLOCK_SAMPLES, "repeats": arguments.repeats, "results": results}
        (arguments.output / "voices.json").write_text(json.dumps(found) + "\n")
        draw(results, arguments.output / "voices.png")


if __name__ == "__main__":
    main()
