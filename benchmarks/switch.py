"""Ten patch switches a second for a minute, through a real JACK server: python -m benchmarks.switch [--patches DIR] [--seconds 60]."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.audio.jack_server import SAMPLE_RATE_HZ, Capture, environment, jack_server
from tests.engine_harness import wait_until
from tests.serving import Serve, megabytes, tiny_patches

SWITCHES_PER_SECOND = 10
STEADY_SECONDS = 3.0
MARGIN_SAMPLES = 8192  # of a steady stretch, left out at both ends: the JACK period, the crossfade


@dataclass(frozen=True, slots=True)
class Result:
    """Counts of the whole run; the largest second difference while switching over the largest in the steady patches; megabytes."""

    switches: int
    xruns: int
    underruns: int
    late_blocks: int
    roughness: float
    load_peak: float
    engine_growth: float
    control_growth: float


def roughness(sound: np.ndarray) -> float:
    """Return the largest second difference of float32 (samples, channels)."""
    return float(np.abs(np.diff(sound, 2, axis=0)).max())


def memory(serve: Serve) -> dict[str, float]:
    return {name: megabytes(pid) for name, pid in serve.children().items()}


def switch(serve: Serve, capture: Capture, seconds: float, n_patches: int) -> Result:
    """Listen to each patch, then switch between them."""
    wait_until(serve.is_sounding, 20)
    capture.connect()
    steady = 0.0
    for patch in range(1, n_patches + 1):
        serve.ask("patch/index", patch)
        begun = capture.samples
        time.sleep(STEADY_SECONDS)
        steady = max(steady, roughness(capture.sound[begun + MARGIN_SAMPLES : capture.samples - MARGIN_SAMPLES]))
    # The first switches bring every patch into use once: memory that then grows, grows for ever.
    before, xruns, first, telemetry = memory(serve), capture.xruns, capture.samples, serve.telemetry
    begun_seconds, done = time.monotonic(), 0
    while time.monotonic() - begun_seconds < seconds:
        serve.ask("patch/index", 1 + done % n_patches, seconds=0.001)
        done += 1
        time.sleep(max(0.0, begun_seconds + done / SWITCHES_PER_SECOND - time.monotonic()))
    after, now = memory(serve), serve.telemetry
    return Result(
        switches=done,
        xruns=capture.xruns - xruns,
        underruns=int(now.underruns - telemetry.underruns),
        late_blocks=int(now.late_blocks - telemetry.late_blocks),
        roughness=roughness(capture.sound[first : capture.samples]) / steady,
        load_peak=now.load_peak,
        engine_growth=after["engine"] - before["engine"],
        control_growth=after["control"] - before["control"],
    )


def run(patches: Path, n_patches: int, seconds: float) -> Result:
    """Return what a whole run shows."""
    with jack_server() as (name, _):
        # The capture client reads the server's name from the same place as everybody.
        serve = Serve("--audio", "portaudio", patches=patches, env=environment(name))
        capture = Capture(name)
        try:
            return switch(serve, capture, seconds, n_patches)
        finally:
            print(serve.text, file=sys.stderr)
            capture.close()
            serve.process.terminate()
            serve.process.wait(5)
            serve.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patches", type=Path, help="a folder of patches; small ones made for the purpose if left out")
    parser.add_argument("--n-patches", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=60.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        patches = arguments.patches or tiny_patches(Path(name), arguments.n_patches)
        result = run(patches, arguments.n_patches, arguments.seconds)
    print(f"{result.switches} switches in {arguments.seconds:g} s at {SAMPLE_RATE_HZ} Hz")
    print(f"xruns {result.xruns}, underruns {result.underruns}, late blocks {result.late_blocks}")
    print(f"worst block {100 * result.load_peak:.0f} % of its length")
    print(f"largest second difference: {result.roughness:.2f} times that of the steady patches")
    print(f"memory: engine {result.engine_growth:+.1f} MB, control {result.control_growth:+.1f} MB")


if __name__ == "__main__":
    main()
