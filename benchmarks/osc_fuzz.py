"""Millions of broken packets into a whole server: ``python -m benchmarks.osc_fuzz [PACKETS] [SEED]``, two million unless told.

Random bytes, and packets that Pd, sclang and we ourselves send, with bytes changed, cut, doubled, joined and nested. Printed are the longest handling
of one packet in processor time, what the server counted, and by how much memory grew after the first tenth. Leaves with 1 if anything is wrong.
"""

from __future__ import annotations

import gc
import json
import random
import resource
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from pythonosc.osc_message_builder import build_msg

from oscsynth.control.framing import Unframer
from oscsynth.control.server import Server
from oscsynth.errors import OscParseError
from tests.control.catalogue import player

DATA = Path(__file__).parent.parent / "tests" / "control" / "data"
MAX_SECONDS = 0.005
MAX_GROWTH_MIB = 8
BYTES = (0, 0, 0, 1, 0x23, 0x2A, 0x2C, 0x2F, 0x3F, 0x5B, 0x7B, 0x7F, 0xFF)


def seeds() -> list[bytes]:
    recorded = [bytes.fromhex(each["hex"]) for path in sorted(DATA.glob("*.json")) for each in json.loads(path.read_text())["packets"]]
    ours = (("latent/1", 0.5), ("latent/*", 0.5), ("patch", "Choir"), ("chroma/name", "A"), ("gain",), ("//*",), ("{gain,pan}/[a-z]*",), ("sync", 7))
    own = [build_msg(f"/oscsynth/{address}", list(arguments)).dgram for address, *arguments in ours]
    assert recorded
    return [packet for packet in recorded if len(packet) < 2000] + own * 6


def packets(count: int, rng: random.Random) -> Iterator[bytes]:
    known = seeds()
    for _ in range(count):
        kind = rng.random()
        if kind < 0.1:
            yield rng.choice((b"", b"/", b"/a\0\0,", b"#bundle\0")) + rng.randbytes(rng.randrange(0, 64))
            continue
        packet = bytearray(rng.choice(known))
        for _ in range(rng.randint(0, 4)):
            packet[rng.randrange(len(packet))] = rng.choice(BYTES) if rng.random() < 0.7 else rng.randrange(256)
        if kind < 0.2:
            del packet[rng.randrange(len(packet)) :]
        elif kind < 0.25:
            at = rng.randrange(len(packet))
            packet[at:at] = packet[: rng.randrange(len(packet))]
        elif kind < 0.35:
            for _ in range(rng.randint(1, 3)):
                packet[:] = b"#bundle\0" + rng.randbytes(8) + struct.pack(">i", len(packet)) + packet
        yield bytes(packet)


def new_server() -> Server:
    return Server(player()[0], lambda state: None, lambda sentence: None)


def handle(server: Server, packet: bytes, n: int) -> float:
    before = time.thread_time()
    server.handle(packet, ("127.0.0.1", 5000 + n % 9))
    return time.thread_time() - before


def mebibytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000
    rng = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 440)
    server = new_server()
    unframer, worst, worst_packet, at_tenth = Unframer(), 0.0, b"", 0.0
    gc.collect()
    gc.freeze()  # as the control process does
    start = time.perf_counter()
    for n, packet in enumerate(packets(count, rng)):
        if n == count // 10:
            at_tenth = mebibytes()
        took = handle(server, packet, n)
        if took > MAX_SECONDS:  # the packet's doing, or the machine's? A server that has never seen it says
            took = min(took, *(handle(new_server(), packet, n) for _ in range(3)))
        if took > worst:
            worst, worst_packet = took, packet
        try:
            for _ in unframer.feed(packet):
                pass
        except OscParseError:
            unframer = Unframer()
    growth = mebibytes() - at_tenth
    seconds = time.perf_counter() - start
    print(f"{count} packets in {seconds:.0f} s: {server.malformed} malformed, {server.errors} not handled")
    print(f"longest handling of one: {1000 * worst:.2f} ms ({worst_packet[:64]!r}); memory grew by {growth:.1f} MiB")
    sys.exit(bool(server.errors or worst > MAX_SECONDS or growth > MAX_GROWTH_MIB))


if __name__ == "__main__":
    main()
