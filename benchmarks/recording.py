"""Ten minutes of a recording against what was heard: python -m benchmarks.recording [--minutes 10] [--output docs/benchmarks].

``serve --audio heard.wav`` writes what it plays into a WAV file in step with the clock, while `/record/start` has the recorder write the same to
FLAC (or WAV) in a process of its own; faders, notes and patches move all the while. Afterwards the two files are compared sample for sample. This
is not about time: other programs change nothing in it, as long as the recorder does not fall 24 s behind.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from tests.engine_harness import wait_until
from tests.serving import Serve

from .machine import machine

PATCHES = ("Violin", "Pebble", "Aurora", "Vesper", "Lagoon")
CHANGE_SECONDS = 0.1
PIECE_SAMPLES = 1 << 20


def play(serve: Serve, seconds: float, chance: random.Random) -> None:
    """Move faders, play notes and switch patches for so long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        kind = chance.random()
        if kind < 0.05:
            serve.ask("patch", chance.choice(PATCHES), seconds=0.001)
        elif kind < 0.3:
            pitch = float(chance.randint(48, 72))
            serve.ask("note/on", pitch, chance.random(), seconds=0.001)
            serve.ask("note/off", pitch, seconds=0.001)
        else:
            serve.ask(f"latent/{chance.randint(1, 3)}", chance.random(), seconds=0.001)
        time.sleep(CHANGE_SECONDS)


def compare(take: Path, heard: Path) -> tuple[int, int, int]:
    """Return where the take begins in what was heard (-1: nowhere), how many samples it has, and how many of them differ."""
    with soundfile.SoundFile(take) as first, soundfile.SoundFile(heard) as second:
        head = first.read(4096, dtype="int32")
        start = _place(head, second)
        if start < 0:
            return -1, first.frames, first.frames
        first.seek(0)
        second.seek(start)
        different = 0
        while len(piece := first.read(PIECE_SAMPLES, dtype="int32")):
            other = second.read(len(piece), dtype="int32")
            different += len(piece) - len(other) + int((piece[: len(other)] != other).any(1).sum())
        return start, first.frames, different


def _place(head: np.ndarray, file: soundfile.SoundFile) -> int:
    first = int(np.flatnonzero(head.any(1))[0]) if head.any() else 0
    place = 0
    while len(piece := file.read(PIECE_SAMPLES, dtype="int32")):
        for at in np.flatnonzero((piece == head[first]).all(1)).tolist():
            start = place + at - first
            here = file.tell()
            file.seek(max(0, start))
            same = np.array_equal(file.read(len(head), dtype="int32"), head)
            file.seek(here)
            if same:
                return start
        place += len(piece)
    return -1


def measure(minutes: float, name: str, folder: Path) -> dict[str, object]:
    """Return what a whole recording shows."""
    heard = folder / "heard.wav"
    serve = Serve("--audio", str(heard), "--http-port", "0", "--no-announce", "--fresh", "--recordings", str(folder / "takes"))
    try:
        wait_until(serve.is_sounding, 30)
        serve.ask("record/start", name, seconds=0.01)
        play(serve, 60 * minutes, random.Random(1))
        until = time.monotonic() + 30
        serve.ask("record/stop", seconds=0.01)
        while serve.ask("record") != (0,) and time.monotonic() < until:
            time.sleep(0.2)
        late = int(serve.telemetry.late_blocks)
    finally:
        serve.process.terminate()
        serve.process.wait(10)
        serve.close()
    start, samples, different = compare(folder / "takes" / name, heard)
    return {"name": name, "samples": samples, "minutes": samples / 44100 / 60, "begins_at": start, "different": different, "late_blocks": late}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--name", default="take.flac")
    parser.add_argument("--output", type=Path, help="a folder for the JSON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(arguments.minutes, arguments.name, Path(folder))
    print(f"{found['samples']:,} samples ({found['minutes']:.2f} minutes) in {found['name']}: {found['different']} differ from what was heard")
    if arguments.output:
        arguments.output.mkdir(parents=True, exist_ok=True)
        (arguments.output / "recording.json").write_text(json.dumps({"machine": machine()} | found, indent=1) + "\n")
    raise SystemExit(bool(found["different"]))


if __name__ == "__main__":
    main()
