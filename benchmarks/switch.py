"""Ten patch switches a second for a minute, through a real JACK server: python -m benchmarks.switch [--patches DIR] [--seconds 60].

Writes JSON, and a picture of how rough the sound is over time: a click would stand out.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from tests.audio.jack_server import PERIOD_SAMPLES, SAMPLE_RATE_HZ, Capture, environment, jack_server, listen_undisturbed
from tests.engine_harness import wait_until
from tests.serving import Serve, megabytes, tiny_patches

from .machine import machine, stolen_seconds
from .picture import pyplot

SWITCHES_PER_SECOND = 10
STEADY_SECONDS = 3.0
PART_SECONDS = 0.1  # of what was heard, for the picture
MARGIN_SAMPLES = 8192  # of a steady stretch, left out at both ends: the JACK period, the crossfade


@dataclass(frozen=True, slots=True)
class Result:
    """What happened while switching. ``late_clients``: of whom the server said that it was not finished in time, and how often.

    ``roughness`` is the largest second difference over the largest in the steady patches, ``rough_parts`` the same for each `PART_SECONDS`;
    ``growth`` the megabytes of each process in each half of the run. Of the ``late_blocks`` the engine was ``held_up`` in some by
    other programs or the system; ``stolen_seconds`` is how long other guests of this computer had the processors.
    """

    switches: int
    xruns: int
    late_clients: dict[str, int]
    steady_xruns_per_minute: float
    underruns: int
    late_blocks: int
    held_up: int
    stolen_seconds: float
    roughness: float
    load_peak: float
    growth: dict[str, tuple[float, float]]
    rough_parts: list[float]


def roughness(sound: np.ndarray) -> float:
    """Return the largest second difference of float32 (samples, channels)."""
    return float(np.abs(np.diff(sound, 2, axis=0)).max())


def memory(serve: Serve) -> dict[str, float]:
    return {name: megabytes(pid) for name, pid in serve.children().items()}


def late_clients(log: Path) -> Counter[str]:
    """Return how often JACK's server named each client as not finished in time."""
    return Counter(re.findall(r"XRun: client = (\S+) was not finished", log.read_text(errors="replace")))


def steady_roughness(serve: Serve, capture: Capture, choices: Iterable[Callable[[], None]], seconds: float) -> tuple[float, float]:
    """Listen to each choice for so long; return the largest roughness, and the server's xruns a minute."""
    steady, n_choices, xruns = 0.0, 0, capture.xruns
    for choose in choices:
        choose()
        begun, n_choices = capture.samples, n_choices + 1
        time.sleep(seconds)
        steady = max(steady, roughness(capture.sound[begun + MARGIN_SAMPLES : capture.samples - MARGIN_SAMPLES]))
    return steady, (capture.xruns - xruns) * 60 / (n_choices * seconds)


def switching(serve: Serve, capture: Capture, log: Path, seconds: float, step: Callable[[int], None], steady: tuple[float, float]) -> Result:
    """Call ``step`` ten times a second with 0, 1, 2 ..., and listen; ``steady`` is what `steady_roughness` found."""
    xruns, first, telemetry, late = capture.xruns, capture.samples, serve.telemetry, late_clients(log)
    memories, stolen = [memory(serve)], stolen_seconds()
    done = 0
    for _half in range(2):
        begun_seconds, until = time.monotonic(), time.monotonic() + seconds / 2
        for n in itertools.count(1):
            step(done)
            done += 1
            if (pause := begun_seconds + n / SWITCHES_PER_SECOND - time.monotonic()) > 0:
                time.sleep(pause)
            if time.monotonic() >= until:
                break
        memories.append(memory(serve))
    now, sound = serve.telemetry, capture.sound[first : capture.samples]
    return Result(
        switches=done,
        xruns=capture.xruns - xruns,
        late_clients=dict(late_clients(log) - late),
        steady_xruns_per_minute=steady[1],
        underruns=int(now.underruns - telemetry.underruns),
        late_blocks=int(now.late_blocks - telemetry.late_blocks),
        held_up=int(now.held_up - telemetry.held_up),
        stolen_seconds=round(stolen_seconds() - stolen, 2),
        roughness=roughness(sound) / steady[0],
        load_peak=now.load_peak,
        growth={name: (memories[1][name] - memories[0][name], memories[2][name] - memories[1][name]) for name in memories[0]},
        rough_parts=[round(roughness(part) / steady[0], 3) for part in _parts(sound)],
    )


def _parts(sound: np.ndarray) -> Iterator[np.ndarray]:
    n = int(PART_SECONDS * SAMPLE_RATE_HZ)
    for start in range(0, len(sound) - n, n):
        yield sound[start : start + n + 2]  # two more, so that no second difference is left out


def switch(serve: Serve, capture: Capture, log: Path, seconds: float, n_patches: int) -> Result:
    """Listen to each patch, then switch between them."""
    choices = [lambda patch=patch: serve.ask("patch/index", patch) for patch in range(1, n_patches + 1)]
    steady = steady_roughness(serve, capture, choices, STEADY_SECONDS)
    return switching(serve, capture, log, seconds, lambda n: serve.ask("patch/index", 1 + n % n_patches, seconds=0.001), steady)


def run(patches: Path, listen: Callable[[Serve, Capture, Path], Result]) -> Result:
    """Return what a whole run shows: a server, the program, and somebody who listens to it."""
    # This process hears every period too, and must not keep the server waiting while it sends.
    if refused := listen_undisturbed():
        print(refused, file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder, jack_server(log=(log := Path(folder) / "jackd.log")) as (name, _):
        # The capture client reads the server's name from the same place as everybody.
        serve = Serve("--audio", "portaudio", patches=patches, env=environment(name))
        capture = Capture(name)
        try:
            wait_until(serve.is_sounding, 20)
            capture.connect()
            return listen(serve, capture, log)
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
    parser.add_argument("--output", type=Path, help="a folder for the JSON and the picture")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        patches = arguments.patches or tiny_patches(Path(name), arguments.n_patches)
        result = run(patches, lambda serve, capture, log: switch(serve, capture, log, arguments.seconds, arguments.n_patches))
    report(result, arguments.seconds, arguments.output)


def draw(result: Result, path: Path) -> None:
    """Draw how rough each part of what was heard is."""
    plt = pyplot()
    figure, axes = plt.subplots(figsize=(8, 2.6), layout="constrained")
    axes.plot(PART_SECONDS * np.arange(len(result.rough_parts)), result.rough_parts, color="#0072b2", lw=0.8)
    axes.axhline(1.0, color="#000000", lw=0.8)
    axes.set(xlabel="seconds, ten switches in each", ylabel="largest second difference\n(1: patches that stand)", ylim=(0, None))
    figure.savefig(path, dpi=110)


def report(result: Result, seconds: float, output: Path | None = None, name: str = "switch") -> None:
    """Print what was found, write it as JSON, and draw it."""
    if output:
        output.mkdir(parents=True, exist_ok=True)
        (output / f"{name}.json").write_text(json.dumps({"machine": machine(), "seconds": seconds} | asdict(result)) + "\n")
        draw(result, output / f"{name}.png")
    print(f"{result.switches} switches in {seconds:g} s at {SAMPLE_RATE_HZ} Hz, {PERIOD_SAMPLES} samples a period")
    print(f"xruns {result.xruns} (the machine's own: {result.steady_xruns_per_minute:.0f} a minute with nothing switched)")
    late = ", ".join(f"{client} {count} times" for client, count in result.late_clients.items()) or "nobody"
    print(f"of whom JACK says that it was late: {late}")
    print(f"underruns that PortAudio saw {result.underruns}, blocks rendered too late {result.late_blocks}, held up in {result.held_up} of them")
    print(f"other guests of this computer had its processors for {result.stolen_seconds:.2f} s")
    print(f"worst block {100 * result.load_peak:.0f} % of its length")
    print(f"largest second difference: {result.roughness:.2f} times that of the steady patches")
    for name, (first, second) in result.growth.items():
        print(f"memory of {name}: {first:+.1f} MB in the first half, {second:+.1f} MB in the second")


if __name__ == "__main__":
    main()
