"""What feedback costs: ``python -m benchmarks.osc_subscribers [SECONDS] [SUBSCRIBERS]``.

One process is oscsynth's server; this one is a client that moves eight faders sixty times a second, and fifty others that are told. Printed are
how old the last value of each address is when it arrives, what never arrived, and how much of a processor core the server took.
"""

from __future__ import annotations

import asyncio
import math
import select
import socket
import sys
import time
from multiprocessing.connection import Connection

from pythonosc.osc_message_builder import build_msg

from benchmarks.osc_throughput import CONTEXT
from oscsynth.control.osc import messages, parse

FADERS = 8
EVERY_SECONDS = 1 / 60


def serve(ready: Connection) -> None:
    from oscsynth.control.instrument import Instrument
    from oscsynth.control.server import Server
    from oscsynth.link import SharedMemory
    from oscsynth.patch import Patch

    memory = SharedMemory()
    instrument = Instrument(lambda number, patch: None)
    patch = Patch("P", "p.onnx")
    instrument.repertoire.set_patches({"P": patch})
    instrument.repertoire.offer(patch, None)
    instrument.repertoire.loaded(1)
    instrument.repertoire.start("P")

    async def run() -> None:
        server = Server(instrument, memory.write_state, print)
        server.open("127.0.0.1", 0)
        server.start(asyncio.get_running_loop())
        ready.send(server.address)
        while not ready.poll():
            await asyncio.sleep(0.02)
        ready.recv()
        ready.send(time.process_time())
        while not ready.poll():
            await asyncio.sleep(0.02)
        ready.send(time.process_time())
        server.close()

    asyncio.run(run())
    memory.close()


class Listener:
    """One subscriber, and what it was told last."""

    def __init__(self, where: tuple[str, int]) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024 * 1024)
        self.socket.connect(where)
        self.socket.setblocking(False)
        self.socket.send(build_msg("/oscsynth/notify", 1).dgram)
        self.last: dict[str, float] = {}

    def read(self) -> None:
        """Take in all that has come."""
        while True:
            try:
                packet = self.socket.recv(65536)
            except BlockingIOError:
                return
            for message in messages(parse(packet)):
                if message.arguments and isinstance(message.arguments[0], float):
                    self.last[message.address] = message.arguments[0]


def measure(seconds: float = 5.0, n_subscribers: int = 50) -> tuple[float, float, int]:
    """Return the largest age of a last value in seconds, the server's share of a core, and how many values never came."""
    mine, theirs = CONTEXT.Pipe()
    process = CONTEXT.Process(target=serve, args=(theirs,))
    process.start()
    where = mine.recv()
    mover = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    mover.connect(where)
    listeners = [Listener(where) for _ in range(n_subscribers)]
    time.sleep(0.5)
    mine.send("begin")
    cpu, start, n = mine.recv(), time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        for fader in range(FADERS):
            value = 0.5 + 0.4 * math.sin(0.05 * n + fader)
            mover.send(build_msg(f"/oscsynth/latent/{fader + 1}", value).dgram)
        n += 1
        if n % 4 == 0:
            for listener in listeners:
                listener.read()
        time.sleep(max(0.0, start + n * EVERY_SECONDS - time.perf_counter()))
    for listener in listeners:
        listener.read()
    wanted = {f"/oscsynth/latent/{fader + 1}": 0.05 + 0.1 * fader for fader in range(FADERS)}
    for address, value in wanted.items():
        mover.send(build_msg(address, value).dgram)
    sent, worst = time.perf_counter(), 0.0
    waiting = set(listeners)
    while waiting and time.perf_counter() - sent < 0.25:
        select.select([listener.socket for listener in waiting], [], [], 0.05)
        for listener in list(waiting):
            listener.read()
            if all(abs(listener.last[address] - value) < 1e-6 for address, value in wanted.items()):
                waiting.discard(listener)
                worst = time.perf_counter() - sent
    took = time.perf_counter() - start
    mine.send("end")
    share = (mine.recv() - cpu) / took
    process.join()
    for each in (mover, *(listener.socket for listener in listeners)):
        each.close()
    return worst, share, len(waiting)


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    n_subscribers = int(sys.argv[2]) if len(sys.argv) > 2 else 50
    worst, share, n_missing = measure(seconds, n_subscribers)
    print(f"{n_subscribers} subscribers, {FADERS} faders at {1 / EVERY_SECONDS:.0f} Hz: the last values reached all within {1000 * worst:.0f} ms")
    print(f"{n_missing} subscribers lack some; the server took {100 * share:.0f} % of a core")


if __name__ == "__main__":
    main()
