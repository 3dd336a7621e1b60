"""What a flood of OSC does to the sound and to everybody else: python -m benchmarks.osc_flood [--seconds 10] [--output docs/benchmarks].

A whole ``serve`` plays a drone through a JACK server (period 512) while one process sends it faders as fast as it can. Another client, which
has subscribed, asks `/sync` all the while: told is how long its answers take, there and back, before and during the flood, how many messages a
second were sent, and what the engine's telemetry says of its deadlines. Writes JSON and a picture.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import socket
import tempfile
import time
from dataclasses import asdict, dataclass
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np
from pythonosc.osc_message_builder import build_msg

from tests.audio.jack_server import environment, jack_server
from tests.engine_harness import wait_until
from tests.serving import Serve, tiny_patches

from .machine import machine
from .picture import pyplot

CONTEXT = multiprocessing.get_context("spawn")
SETTLE_SECONDS = 3.0  # until the doors for apps are open
PAUSE_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Result:
    """``before_ms`` and ``during_ms`` are how long each answer took, ``lost`` how many never came; ``sent`` are messages a second."""

    machine: str
    seconds: float
    sent: int
    before_ms: list[float]
    during_ms: list[float]
    lost: int
    late_blocks: int
    held_up: int
    underruns: int


def flood(port: int, stop: Event, sent: Synchronized[int]) -> None:
    """Send faders until told to stop."""
    packets = [build_msg(f"/oscsynth/latent/{latent}", [step / 10]).dgram for latent in range(1, 9) for step in range(10)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", port))
        while not stop.is_set():
            for packet in packets:
                client.send(packet)
            sent.value += len(packets)


def answers_ms(client: socket.socket, seconds: float) -> tuple[list[float], int]:
    """Return how long each answer took, and how many never came."""
    times, lost, until = [], 0, time.monotonic() + seconds
    while time.monotonic() < until:
        number = len(times) + lost
        begun = time.perf_counter()
        client.send(build_msg("/oscsynth/sync", [number]).dgram)
        wanted = build_msg("/oscsynth/synced", [number]).dgram
        try:
            while client.recv(65536) != wanted:  # feedback lies between
                pass
            times.append(round(1000 * (time.perf_counter() - begun), 3))
        except TimeoutError:
            lost += 1
        time.sleep(PAUSE_SECONDS)
    return times, lost


def measure(seconds: float) -> Result:
    """Return what a flood of so many seconds does, after half as long without one."""
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
        jack_server() as (name, _),
    ):
        arguments = "--audio", "portaudio", "--no-announce", "--http-port", "0"
        serve = Serve(*arguments, patches=tiny_patches(Path(folder)), env=environment(name))
        stop, sent = CONTEXT.Event(), CONTEXT.Value("q", 0)
        flooder = CONTEXT.Process(target=flood, args=(serve.port, stop, sent))
        try:
            wait_until(serve.is_sounding, 20)
            time.sleep(SETTLE_SECONDS)
            client.connect(("127.0.0.1", serve.port))
            client.settimeout(0.5)
            client.send(build_msg("/oscsynth/notify", [1]).dgram)
            before_ms, lost_before = answers_ms(client, seconds / 2)
            before = serve.telemetry
            flooder.start()
            time.sleep(1.0)
            sent_before, begun_seconds = sent.value, time.monotonic()
            during_ms, lost = answers_ms(client, seconds)
            per_second = (sent.value - sent_before) / (time.monotonic() - begun_seconds)
            now = serve.telemetry
        finally:
            stop.set()
            if flooder.pid:
                flooder.join()
            serve.process.terminate()
            serve.process.wait(5)
            serve.close()
    counts = (int(getattr(now, what) - getattr(before, what)) for what in ("late_blocks", "held_up", "underruns"))
    return Result(machine(), seconds, round(per_second), before_ms, during_ms, lost_before + lost, *counts)


def draw(result: Result, path: Path) -> None:
    """Draw which share of the answers was there after how long."""
    plt = pyplot()
    figure, axes = plt.subplots(figsize=(8, 3), layout="constrained")
    axes.ecdf(result.before_ms, color="#0072b2", label="before the flood")
    axes.ecdf(result.during_ms, color="#d55e00", label=f"while {result.sent:,} messages a second come")
    axes.set(xscale="log", xlabel="from the question to its answer, ms", ylabel="share of the answers")
    axes.legend(fontsize=8, loc="lower right")
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--output", type=Path, help="a folder for the JSON and the picture")
    arguments = parser.parse_args()
    result = measure(arguments.seconds)
    for when, times in (("before the flood", result.before_ms), (f"during {result.sent:,} messages a second", result.during_ms)):
        p50, p99 = np.percentile(times, [50, 99])
        print(f"{when}: {len(times)} answers, p50 {p50:.2f} ms, p99 {p99:.2f} ms, longest {max(times):.2f} ms")
    blocks = f"{result.late_blocks} blocks late, {result.held_up} of them held up"
    print(f"{result.lost} lost; the engine meanwhile: {blocks}, {result.underruns} underruns")
    if arguments.output:
        arguments.output.mkdir(parents=True, exist_ok=True)
        (arguments.output / "flood.json").write_text(json.dumps(asdict(result)) + "\n")
        draw(result, arguments.output / "flood.png")


if __name__ == "__main__":
    main()
