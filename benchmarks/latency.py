"""From the OSC packet to the sound, through a real JACK server, with scsynth beside: python -m benchmarks.latency [--periods 128 256].

What is measured: a gate opens (for scsynth: a control of a synth goes from 0 to 1) 200 times, at moments that have nothing to do with the
server's periods. Each packet's moment is read off JACK's own count of samples just before it is sent; the capture client hears the output in the
same period that made it. *First* is the first sample that differs from silence, *2 %* the first beyond 2 % of the steady level, *half* where the mean
level of all events, laid over each other at their first sample, passes the half. With a dummy driver there is no sound card behind:
add its own latency, which is the same for both. *Timetagged* events are sent 100 ms ahead; their spread is what counts.

--load N keeps N cores busy with other work, --flood N has another process send N messages a second meanwhile. Writes JSON and a picture: latency, or
latency-flood where anything was against it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import random
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from pythonosc.osc_message_builder import build_msg

from tests.audio.jack_server import SAMPLE_RATE_HZ, Capture, environment, jack_server, listen_undisturbed
from tests.engine_harness import wait_until
from tests.onsets import bundle, tag_now
from tests.serving import Serve, free_port

from .machine import machine
from .picture import pyplot
from .switch import late_clients
from .timetags import load

PERIODS_SAMPLES = (128, 256)
KINDS = {"immediate": False, "timetagged": True}
ON_SECONDS, OFF_SECONDS = 0.06, 0.14
AHEAD_SECONDS = 0.1
NEAR_SECONDS = 0.2  # after an event: an xrun then has moved what is heard of it
SETTLE_SECONDS = 6.0  # after an xrun or its start, in which the server's own idea of when a sample is heard swings by milliseconds
BEFORE_SAMPLES = 1024  # a time tag may be early
SEED = 440
PATCH = "name: A violin gate\ndecoder: decoders/violin.onnx\nchroma: A\ngate: closed\n{envelope}\n"
ENVELOPE = "envelope: {attack_ms: 0, decay_ms: 0, sustain: 1, release_ms: 0}"

Send = Callable[[socket.socket, bool, int], None]  # on or off, at a time tag (1: at once)


@dataclass(frozen=True, slots=True)
class Result:
    """Milliseconds; ``first`` and ``two_percent`` are (p50, p99) over the events; ``spread`` is p99 - p1."""

    player: str
    period_samples: int
    timetagged: bool
    load: int
    flood: int
    events: int
    heard: int
    first: tuple[float, float]
    two_percent: tuple[float, float]
    half_after_first: float
    spread: float
    xruns: int
    late_clients: dict[str, int]  # whom the server named as late
    latencies: list[float] = field(default_factory=list)
    undisturbed: list[bool] = field(default_factory=list)  # whether the server had no xrun near it
    machine: str = ""

    def spread_undisturbed(self) -> tuple[int, float]:
        """Return how many events had no xrun near, and their p99 - p1: each moves the server's count of samples, which swings for a while."""
        kept = [latency for latency, is_kept in zip(self.latencies, self.undisturbed, strict=False) if is_kept]
        return len(kept), float(np.diff(np.percentile(kept, [1, 99]))[0]) if kept else 0.0

    def line(self) -> str:
        """Return it as one line."""
        how = "timetagged" if self.timetagged else "at once"
        lost = "" if self.heard == self.events else f", {self.events - self.heard} not heard"
        late = f" (late: {', '.join(f'{name} {count}' for name, count in self.late_clients.items()) or 'nobody'})" if self.xruns else ""
        return (
            f"{self.player:9s} {self.period_samples:4d} {how:10s}  first p50 {self.first[0]:6.2f} p99 {self.first[1]:6.2f}   "
            f"2 % p50 {self.two_percent[0]:6.2f} p99 {self.two_percent[1]:6.2f}   half +{self.half_after_first:5.2f}   "
            f"p99 - p1 {self.spread:6.3f} ms ({self.spread_undisturbed()[1]:.3f} of {self.spread_undisturbed()[0]} without an xrun)   "
            f"xruns {self.xruns}{late}{lost}"
        )


# ---- who plays


def send_to_oscsynth(client: socket.socket, on: bool, time_tag: int) -> None:
    client.send(bundle(time_tag, build_msg("/oscsynth/gate", int(on)).dgram))


def send_to_scsynth(client: socket.socket, on: bool, time_tag: int) -> None:
    client.send(bundle(time_tag, build_msg("/n_set", [1000, "level", float(on)]).dgram))


@contextlib.contextmanager
def oscsynth(server: str, folder: Path) -> Iterator[tuple[int, str]]:
    (folder / "patches").mkdir()
    (folder / "patches" / "gate.yaml").write_text(PATCH.format(envelope=ENVELOPE))
    serve = Serve("--audio", "portaudio", "--http-port", "0", "--no-announce", patches=folder / "patches", env=environment(server))
    try:
        wait_until(lambda: serve.plays("A violin gate"), 30)
        time.sleep(3.0)  # until all that a start takes is over
        yield serve.port, "PortAudio"
    finally:
        print(serve.text, file=sys.stderr)
        serve.process.terminate()
        serve.process.wait(5)
        serve.close()


@contextlib.contextmanager
def scsynth(server: str, folder: Path) -> Iterator[tuple[int, str]]:
    (folder / "level.scsyndef").write_bytes(level_synth())
    port = free_port()
    command = ["scsynth", "-u", str(port), "-i", "0", "-o", "2"]
    process = subprocess.Popen(command, env=os.environ | environment(server), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.connect(("127.0.0.1", port))
    try:
        wait_until(lambda: _answers(client), 20)
        client.send(build_msg("/d_load", str(folder / "level.scsyndef")).dgram)
        client.recv(1024)
        client.send(build_msg("/s_new", ["level", 1000, 0, 0]).dgram)
        time.sleep(1.0)
        yield port, "SuperCollider"
    finally:
        client.close()
        process.terminate()
        process.wait(5)


def _answers(client: socket.socket) -> bool:
    client.settimeout(0.2)
    try:
        client.send(build_msg("/status").dgram)
        return bool(client.recv(1024))
    except (TimeoutError, ConnectionRefusedError):
        time.sleep(0.1)
        return False


def level_synth() -> bytes:
    """Return a synth definition (SuperCollider's file format, version 2): DC times the control ``level``, on output 0."""

    def name(text: str) -> bytes:
        return bytes([len(text)]) + text.encode()

    def ugen(kind: str, rate: int, inputs: tuple[tuple[int, int], ...], outputs: int, special: int = 0) -> bytes:
        wires = b"".join(struct.pack(">ii", *wire) for wire in inputs)
        return name(kind) + struct.pack(">biih", rate, len(inputs), outputs, special) + wires + bytes([rate]) * outputs

    control, constant, audio = 1, -1, 2
    ugens = (
        ugen("Control", control, (), 1),
        ugen("DC", audio, ((constant, 1),), 1),
        ugen("BinaryOpUGen", audio, ((1, 0), (0, 0)), 1, special=2),
        ugen("Out", audio, ((constant, 0), (2, 0)), 0),
    )
    constants = struct.pack(">iff", 2, 0.0, 1.0)
    parameters = struct.pack(">if", 1, 0.0) + struct.pack(">i", 1) + name("level") + struct.pack(">i", 0)
    body = name("level") + constants + parameters + struct.pack(">i", len(ugens)) + b"".join(ugens) + struct.pack(">h", 0)
    return b"SCgf" + struct.pack(">ih", 2, 1) + body


PLAYERS = {"oscsynth": (oscsynth, send_to_oscsynth), "scsynth": (scsynth, send_to_scsynth)}


# ---- what comes meanwhile


def _flood(port: int, messages_per_second: int, player: str) -> None:
    address, arguments = ("/oscsynth/latent/2", 0.5) if player == "oscsynth" else ("/n_set", [1000, "nothing", 0.5])
    packet = build_msg(address, arguments).dgram
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", port))
        begun, sent = time.monotonic(), 0
        while True:
            due = int((time.monotonic() - begun) * messages_per_second)
            for _ in range(due - sent):
                with contextlib.suppress(OSError):
                    client.send(packet)
            sent = due
            time.sleep(0.0005)


@contextlib.contextmanager
def flood(port: int, messages_per_second: int, player: str) -> Iterator[None]:
    """Have another process send so many messages a second."""
    if not messages_per_second:
        yield
        return
    process = multiprocessing.get_context("spawn").Process(target=_flood, args=(port, messages_per_second, player), daemon=True)
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


# ---- measuring


def play(capture: Capture, port: int, send: Send, events: int, timetagged: bool) -> list[int]:
    """Send the events; return for each where in the captured sound its moment lies, in samples."""
    rng, moments = random.Random(SEED), []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", port))
        for _ in range(events):
            time.sleep(OFF_SECONDS + rng.random() * 0.02)
            ahead = AHEAD_SECONDS if timetagged else 0.0
            moment = capture.now() + round(ahead * SAMPLE_RATE_HZ)
            send(client, True, tag_now() + int(ahead * 2**32) if timetagged else 1)
            time.sleep(ahead + ON_SECONDS)
            send(client, False, 1)
            moments.append(moment)
    time.sleep(0.3)
    return moments


def judge(sound: np.ndarray, moments: list[int]) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the latencies to the first and the 2 % sample, in samples, and the distance from first to half."""
    on = round(ON_SECONDS * SAMPLE_RATE_HZ)
    stretches = [sound[moment - BEFORE_SAMPLES : moment + 4 * on] for moment in moments]
    firsts = [int(np.flatnonzero(np.abs(stretch) > 1e-7)[0]) if np.any(np.abs(stretch) > 1e-7) else -1 for stretch in stretches]
    heard = [(stretch, first) for stretch, first in zip(stretches, firsts, strict=True) if first >= 0]
    steady = np.sqrt(np.mean([np.mean(stretch[first + on // 2 : first + on - 512] ** 2) for stretch, first in heard]))
    beyond = [int(np.argmax(np.abs(stretch) > 0.02 * steady)) for stretch, _ in heard]
    levels = np.sqrt(np.mean([stretch[first : first + on // 2] ** 2 for stretch, first in heard], axis=0))
    half = float(np.argmax(np.convolve(levels, np.ones(9) / 9, "same") > 0.5 * steady))
    return np.array([first for _, first in heard]) - BEFORE_SAMPLES, np.array(beyond) - BEFORE_SAMPLES, half


def measure(player: str, period_samples: int, timetagged: bool, events: int, n_load: int, messages_per_second: int) -> Result:
    """Return what one player shows at one period."""
    start, send = PLAYERS[player]
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server, _ = stack.enter_context(jack_server(log=(log := folder / "jackd.log"), period_samples=period_samples))
        port, client = stack.enter_context(start(server, folder))
        capture = Capture(server, client)
        stack.callback(capture.close)
        capture.connect()
        stack.enter_context(load(n_load))
        stack.enter_context(flood(port, messages_per_second, player))
        time.sleep(SETTLE_SECONDS)
        xruns, late = capture.xruns, late_clients(log)
        moments = play(capture, port, send, events, timetagged)
        xrun_samples = list(capture.xrun_samples)
        xruns, late = capture.xruns - xruns, late_clients(log) - late
        first, beyond, half = judge(capture.sound[:, 0].copy(), moments)
    ms = 1000 / SAMPLE_RATE_HZ

    def percentiles(samples: np.ndarray) -> tuple[float, float]:
        return float(np.percentile(samples, 50)) * ms, float(np.percentile(samples, 99)) * ms

    low, high = np.percentile(first, [1, 99]) * ms
    return Result(
        *(player, period_samples, timetagged, n_load, messages_per_second, events, len(first)),
        *(percentiles(first), percentiles(beyond), half * ms, float(high - low), xruns, dict(late)),
        latencies=[round(float(each) * ms, 4) for each in first],
        machine=machine(),
        undisturbed=[not any(-SETTLE_SECONDS < (xrun - moment) / SAMPLE_RATE_HZ < NEAR_SECONDS for xrun in xrun_samples) for moment in moments],
    )


def kept(path: Path, results: list[Result]) -> list[Result]:
    """Return what an earlier run found under the same conditions that this one did not look at."""
    earlier = [Result(**each) for each in json.loads(path.read_text())] if path.exists() else []
    new, against = {(each.player, each.period_samples, each.timetagged) for each in results}, (results[0].load, results[0].flood)
    alike = (each for each in earlier if (each.load, each.flood) == against)
    return [each for each in alike if (each.player, each.period_samples, each.timetagged) not in new]


def draw(results: list[Result], path: Path) -> None:
    """Draw the distribution of the first changed sample for each run."""
    plt = pyplot()
    at_once = [result for result in results if not result.timetagged] or results
    figure, axes = plt.subplots(figsize=(8, 0.6 + 0.6 * len(at_once)), layout="constrained")
    axes.boxplot([result.latencies for result in at_once], orientation="horizontal", whis=(1, 99), widths=0.6)
    axes.set_yticks(range(1, len(at_once) + 1), [f"{result.player}, period {result.period_samples}" for result in at_once])
    axes.set(xlabel="from the packet to the first changed sample, ms (box: quartiles, whiskers: 1 to 99 %)", xlim=(0, None))
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--periods", type=int, nargs="+", default=PERIODS_SAMPLES)
    parser.add_argument("--events", type=int, default=200)
    parser.add_argument("--players", nargs="+", default=list(PLAYERS), choices=list(PLAYERS))
    parser.add_argument("--load", type=int, default=0, help="processes that only compute meanwhile")
    parser.add_argument("--flood", type=int, default=0, help="messages a second from another process meanwhile")
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=list(KINDS), help="at once, or ahead of time")
    parser.add_argument("--output", type=Path, help="a folder for the JSON and the picture")
    arguments = parser.parse_args()
    if refused := listen_undisturbed():
        print(refused, file=sys.stderr)
    results = []
    for period in arguments.periods:
        for timetagged in map(KINDS.get, arguments.kinds):
            for player in arguments.players:
                results.append(measure(player, period, timetagged, arguments.events, arguments.load, arguments.flood))
                print(results[-1].line(), flush=True)
    if arguments.output:
        arguments.output.mkdir(parents=True, exist_ok=True)
        name = "latency-flood" if arguments.load or arguments.flood else "latency"
        results = kept(arguments.output / f"{name}.json", results) + results
        results.sort(key=lambda result: (result.period_samples, result.timetagged, result.player))
        (arguments.output / f"{name}.json").write_text(json.dumps([asdict(result) for result in results]) + "\n")
        draw(results, arguments.output / f"{name}.png")


if __name__ == "__main__":
    main()
