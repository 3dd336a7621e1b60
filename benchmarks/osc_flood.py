"""What a flood of OSC does to the sound and to everybody else: ``python -m benchmarks.osc_flood [SECONDS]``.

A whole ``serve`` plays a drone through a JACK server (period 512) while one process sends it faders as fast as it can. Another client, which
has subscribed, asks `/sync` all the while: what is printed is how long its answers take, there and back, before and during the flood, and what
the engine's telemetry says of its deadlines.
"""

from __future__ import annotations

import multiprocessing
import socket
import sys
import tempfile
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np
from pythonosc.osc_message_builder import build_msg

from tests.audio.jack_server import environment, jack_server
from tests.engine_harness import wait_until
from tests.serving import Serve, tiny_patches

CONTEXT = multiprocessing.get_context("spawn")
SETTLE_SECONDS = 3.0  # until the doors for apps are open
PAUSE_SECONDS = 0.02


def flood(port: int, stop: Event) -> None:
    """Send faders until told to stop."""
    packets = [build_msg(f"/oscsynth/latent/{latent}", [step / 10]).dgram for latent in range(1, 9) for step in range(10)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", port))
        while not stop.is_set():
            for packet in packets:
                client.send(packet)


def answer_seconds(client: socket.socket, seconds: float) -> tuple[list[float], int]:
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
            times.append(time.perf_counter() - begun)
        except TimeoutError:
            lost += 1
        time.sleep(PAUSE_SECONDS)
    return times, lost


def show(when: str, times: list[float], lost: int) -> None:
    milliseconds = 1000 * np.array(times)
    p50, p99 = np.percentile(milliseconds, [50, 99])
    print(f"{when}: {len(times)} answers, p50 {p50:.2f} ms, p99 {p99:.2f} ms, longest {milliseconds.max():.2f} ms, {lost} lost")


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
        jack_server() as (name, _),
    ):
        arguments = "--audio", "portaudio", "--no-announce", "--http-port", "0"
        serve = Serve(*arguments, patches=tiny_patches(Path(folder)), env=environment(name))
        stop = CONTEXT.Event()
        flooder = CONTEXT.Process(target=flood, args=(serve.port, stop))
        try:
            wait_until(serve.is_sounding, 20)
            time.sleep(SETTLE_SECONDS)
            client.connect(("127.0.0.1", serve.port))
            client.settimeout(0.5)
            client.send(build_msg("/oscsynth/notify", [1]).dgram)
            show("before the flood", *answer_seconds(client, seconds / 2))
            before = serve.telemetry
            flooder.start()
            time.sleep(1.0)
            show("during the flood", *answer_seconds(client, seconds))
            now = serve.telemetry
            print(f"the engine meanwhile: {now.late_blocks - before.late_blocks:.0f} blocks late, {now.underruns - before.underruns:.0f} underruns")
        finally:
            stop.set()
            if flooder.pid:
                flooder.join()
            serve.process.terminate()
            serve.process.wait(5)
            serve.close()


if __name__ == "__main__":
    main()
