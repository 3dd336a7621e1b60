"""500 notes at time tags sent 200 ms ahead on a loaded machine: python -m benchmarks.timetags [--notes 500] [--load PROCESSES].

Once into a file, where each note must begin on its very sample, and once through a real JACK server with its dummy driver, where what is heard
is set against where it belongs.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from tests.audio.jack_server import Capture, environment, jack_server
from tests.engine_harness import wait_until
from tests.onsets import NAME, RATE_HZ, gated_patch, is_exact, onsets, places, send_notes
from tests.serving import Serve

SPACING_SAMPLES = 1324  # 30 ms
AHEAD_SECONDS = 0.2
SIMPLE = ("--http-port", "0", "--no-announce")


def _burn() -> None:
    while True:
        sum(range(10_000))


@contextlib.contextmanager
def load(n_processes: int) -> Iterator[None]:
    """Keep so many cores busy."""
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_burn, daemon=True) for _ in range(n_processes)]
    for process in processes:
        process.start()
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.join()


def _play(serve: Serve, n_notes: int, n_load: int) -> float:
    wait_until(lambda: serve.plays(NAME), 30)
    with load(n_load):
        time.sleep(3.0)  # until all that a start takes is over
        worst_seconds = send_notes(serve.socket, n_notes, SPACING_SAMPLES, AHEAD_SECONDS)
        time.sleep(AHEAD_SECONDS + 0.3)
    return worst_seconds


def into_file(folder: Path, n_notes: int, n_load: int) -> str:
    """Return what the recording shows."""
    patches, file = gated_patch(folder / "patches"), folder / "notes.wav"
    serve = Serve("--audio", str(file), *SIMPLE, patches=patches)
    try:
        worst_seconds = _play(serve, n_notes, n_load)
        serve.process.terminate()
        serve.process.wait(5)
    finally:
        serve.close()
    sound = soundfile.read(file, dtype="float32")[0][:, 0]
    found = onsets(sound)
    exact = len(found) == n_notes and is_exact(sound, patches, n_notes, SPACING_SAMPLES)
    said = "each note begins on its sample, bit for bit what the engine renders without a clock" if exact else _spread(places(found, SPACING_SAMPLES))
    return f"{len(found)} heard; {said} (the sender was up to {1000 * worst_seconds:.0f} ms late)"


def through_jack(folder: Path, n_notes: int, n_load: int) -> str:
    """Return what was heard."""
    with jack_server() as (name, _):
        serve = Serve("--audio", "portaudio", *SIMPLE, patches=gated_patch(folder / "patches"), env=environment(name))
        capture = Capture(name)
        try:
            wait_until(lambda: serve.telemetry.loaded, 20)
            capture.connect()
            worst_seconds = _play(serve, n_notes, n_load)
            sound, xruns = capture.sound[:, 0].copy(), capture.xruns
        finally:
            capture.close()
            serve.process.terminate()
            serve.process.wait(5)
            serve.close()
    found = onsets(sound)
    lost = "" if len(found) == n_notes else f" from {found[0] / RATE_HZ:.2f} to {found[-1] / RATE_HZ:.2f} s of {len(sound) / RATE_HZ:.2f} s"
    how = f"the sender was up to {1000 * worst_seconds:.0f} ms late; {xruns} xruns of the server, each of which moves what follows"
    return f"{len(found)} heard{lost}; {_spread(places(found, SPACING_SAMPLES))} ({how})"


def _spread(off: np.ndarray) -> str:
    low, high = np.percentile(off, [1, 99]) * 1000 / RATE_HZ
    worst = 1000 * np.abs(off).max() / RATE_HZ
    return f"p99 - p1 {high - low:.3f} ms, {np.mean(off == 0):.1%} on their sample, the worst {worst:.3f} ms off"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--notes", type=int, default=500)
    parser.add_argument("--load", type=int, default=os.cpu_count(), help="processes that only compute meanwhile")
    arguments = parser.parse_args()
    seconds = arguments.notes * SPACING_SAMPLES / RATE_HZ
    print(f"{arguments.notes} notes in {seconds:.0f} s, each sent {AHEAD_SECONDS:g} s ahead, {arguments.load} processes computing meanwhile")
    for title, measure in (("file", into_file), ("JACK", through_jack)):
        with tempfile.TemporaryDirectory() as name:
            print(f"{title}: {measure(Path(name), arguments.notes, arguments.load)}")


if __name__ == "__main__":
    main()
