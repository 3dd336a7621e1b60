"""How soon it sounds, how much memory it takes, and how soon it is back after a kill: python -m benchmarks.start [--patches DIR].

The first sound is the first sample in the file of `--audio NAME.wav` that is not silent, from the moment at which the process is started. Writes JSON
and a picture.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.audio.jack_server import SAMPLE_RATE_HZ, Capture, environment, jack_server
from tests.engine_harness import wait_until
from tests.serving import Serve, child_pids, is_alive, megabytes, tiny_patches

from .machine import machine
from .picture import pyplot

GOALS = {  # seconds, megabytes
    "first sound": 1.2,
    "engine back": 1.0,
    "silence under JACK": 1.0,
    "OSC back": 2.0,
    "control memory": 120.0,
    "engine memory": 300.0,
}
SECONDS = ("first sound", "engine back", "OSC back", "silence under JACK", "SIGTERM to exit")
MEGABYTES = ("parent memory", "engine memory", "control memory")


def first_sound_seconds(serve: Serve, path: Path) -> float:
    """Return the time from the start of the process to the first sample in the file that is not silent."""
    wait_until(lambda: path.exists() and any(path.read_bytes()[44:]), 30)
    return time.monotonic() - serve.begun_seconds


def back_seconds(serve: Serve, child: str) -> float:
    """Kill a child and return the time until a new one does its work."""
    pid = serve.children()[child]
    begun = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: serve.children().get(child, pid) != pid, 10)
    wait_until(serve.is_sounding if child == "engine" else lambda: serve.ask("latent/1", seconds=0.05), 10)
    return time.monotonic() - begun


def measure(patches: Path, folder: Path) -> dict[str, float]:
    """Return seconds and megabytes of one run."""
    path = folder / f"{time.monotonic_ns()}.wav"
    serve = Serve("--audio", str(path), patches=patches)
    try:
        figures = {"first sound": first_sound_seconds(serve, path)}
        wait_until(lambda: serve.ask("latent/1", 0.3) or serve.ask("latent/1"))
        time.sleep(2)
        for name, pid in {"parent": serve.process.pid, **serve.children()}.items():
            figures[f"{name} memory"] = megabytes(pid)
            figures[f"{name} share"] = megabytes(pid, "Pss")
        figures["engine load %"] = 100 * serve.telemetry.load
        figures["engine back"] = back_seconds(serve, "engine")
        figures["latent afterwards"] = serve.ask("latent/1")[0]
        position = serve.telemetry.position_samples
        figures["OSC back"] = back_seconds(serve, "control")
        if serve.telemetry.position_samples <= position:
            raise RuntimeError("the sound stopped with control")
        pids = child_pids(serve.process.pid)
        begun = time.monotonic()
        serve.process.terminate()
        figures["exit code"] = serve.process.wait(10)
        figures["SIGTERM to exit"] = time.monotonic() - begun
        time.sleep(0.1)
        figures["processes left"] = sum(map(is_alive, pids))
    finally:
        print(serve.text, file=sys.stderr)
        serve.close()
    return figures


def jack_gap_seconds(patches: Path) -> float:
    """Kill the engine while a JACK server plays it, and return how long nothing was heard."""
    with jack_server() as (name, _):
        serve, capture = Serve("--audio", "portaudio", patches=patches, env=environment(name)), Capture(name)
        try:
            wait_until(serve.is_sounding, 20)
            capture.connect()
            time.sleep(1)
            pid, before = serve.children()["engine"], capture.samples
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: serve.children()["engine"] != pid, 10)
            capture.connect()
            wait_until(lambda: serve.is_sounding() and capture.sound[-4096:].any(), 10)
            time.sleep(0.5)
            silent = ~capture.sound[before:].any(axis=1)
            return float(np.flatnonzero(silent)[-1] - np.flatnonzero(silent)[0]) / SAMPLE_RATE_HZ
        finally:
            capture.close()
            serve.process.terminate()
            serve.process.wait(5)
            serve.close()


def draw(runs: list[dict[str, float]], path: Path) -> None:
    """Draw each run, and what was aimed at."""
    plt = pyplot()
    figure, pair = plt.subplots(1, 2, figsize=(9, 3), layout="constrained", width_ratios=(3, 2))
    for axes, names, unit in zip(pair, (SECONDS, MEGABYTES), ("seconds", "MB"), strict=True):
        for place, name in enumerate(reversed(names)):
            values = [run[name] for run in runs]
            axes.plot(values, [place] * len(values), "o", color="#0072b2", alpha=0.6)
            axes.plot([statistics.median(values)], [place], "|", color="#000000", ms=18)
            if name in GOALS:
                axes.plot([GOALS[name]], [place], ">", color="#d55e00")
        axes.set_yticks(range(len(names)), [name.removesuffix(" memory") for name in reversed(names)])
        axes.set(xlabel=unit, xlim=(0, None), ylim=(-0.5, len(names) - 0.5))
    figure.suptitle("each run, the median, and the most that is wanted (triangle)", fontsize=9)
    figure.savefig(path, dpi=110)


def main() -> None:
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # a musician's Python keeps what it has compiled
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patches", type=Path, help="a folder of patches beside those that ship; small ones made for the purpose if left out")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--output", type=Path, help="a folder for the JSON and the picture")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        patches = arguments.patches or tiny_patches(Path(name) / "patches", 6)
        measure(patches, Path(name))  # compiles
        runs = [measure(patches, Path(name)) for _ in range(arguments.runs)]
        for run in runs:
            run["silence under JACK"] = jack_gap_seconds(patches)
    print(f"{'':20}{'median':>10}{'worst':>10}{'goal':>10}")
    for figure in runs[0]:
        values = [run[figure] for run in runs]
        print(f"{figure:20}{statistics.median(values):10.2f}{max(values):10.2f}{GOALS.get(figure, ''):>10}")
    if arguments.output:
        arguments.output.mkdir(parents=True, exist_ok=True)
        (arguments.output / "start.json").write_text(json.dumps({"machine": machine(), "runs": runs}, indent=1) + "\n")
        draw(runs, arguments.output / "start.png")


if __name__ == "__main__":
    main()
