"""How many OSC messages a second are handled, end to end on loopback: ``python -m benchmarks.osc_throughput [SECONDS]``.

One process sends as fast as it can, float messages to 256 addresses in turn; another receives them in one of these ways: a bare loop that
throws them away, oscsynth's server (socket, parser, address table, state in shared memory), python-osc's blocking and asyncio servers and
liblo's (where pyliblo3 is installed) with one handler an address. What is counted is what was handled while the sender was going.
"""

from __future__ import annotations

import asyncio
import importlib.util
import multiprocessing
import signal
import socket
import sys
import time
from multiprocessing.connection import Connection

from pythonosc.osc_message_builder import build_msg

CONTEXT = multiprocessing.get_context("spawn")
NAMES = [*(f"latent/{k}" for k in range(1, 9)), *(f"latent/{k}/normalized" for k in range(1, 9))]
NAMES += [f"{name}{beside}" for name in ("gain", "pan", "width", "transpose", "glide", "morph", "register", "gate") for beside in ("", "/normalized")]
NAMES[-1] = "envelope/attack"
ADDRESSES = [f"/oscsynth/part/{part}/{name}" for part in range(1, 9) for name in NAMES]


def bare(ready: Connection) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.2)
        count = 0
        ready.send(server.getsockname())
        while not ready.poll() if count % 4096 == 0 else True:
            try:
                server.recvfrom(65536)
            except TimeoutError:
                if ready.poll():
                    break
                continue
            count += 1
        ready.send(count)


def ours(ready: Connection) -> None:
    from oscsynth.control.instrument import Instrument
    from oscsynth.control.osc import Message
    from oscsynth.control.server import Server
    from oscsynth.link import SharedMemory
    from oscsynth.patch import Patch

    memory = SharedMemory()
    instrument = Instrument(lambda number, patch: None)
    patch = Patch("P", "p.onnx", points={"a": (0.0,) * 8, "b": (1.0,) * 8})
    instrument.repertoire.set_patches({"P": patch})
    instrument.repertoire.offer(patch, None)
    instrument.repertoire.loaded(1)
    for part in range(1, 9):
        instrument.perform(Message(f"/oscsynth/part/{part}/patch", ("P",)))

    async def serve() -> None:
        server = Server(instrument, memory.write_state, print)
        server.open("127.0.0.1", 0)
        server.start(asyncio.get_running_loop())
        ready.send(server.address)
        while not ready.poll():
            await asyncio.sleep(0.02)
        ready.send(server.received)
        assert not server.malformed and not server.errors
        server.close()

    asyncio.run(serve())
    memory.close()


def python_osc(ready: Connection) -> None:
    from pythonosc.dispatcher import Dispatcher
    from pythonosc.osc_server import BlockingOSCUDPServer

    counts = [0]
    dispatcher = Dispatcher()
    for address in ADDRESSES:
        dispatcher.map(address, lambda *_: counts.__setitem__(0, counts[0] + 1))
    server = BlockingOSCUDPServer(("127.0.0.1", 0), dispatcher)
    server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
    server.timeout = 0.02
    ready.send(server.server_address)
    while not ready.poll():
        for _ in range(100):
            server.handle_request()
    ready.send(counts[0])


def python_osc_asyncio(ready: Connection) -> None:
    from pythonosc.dispatcher import Dispatcher
    from pythonosc.osc_server import AsyncIOOSCUDPServer

    counts = [0]
    dispatcher = Dispatcher()
    for address in ADDRESSES:
        dispatcher.map(address, lambda *_: counts.__setitem__(0, counts[0] + 1))

    async def serve() -> None:
        server = AsyncIOOSCUDPServer(("127.0.0.1", 0), dispatcher, asyncio.get_running_loop())  # type: ignore[arg-type]
        transport, _ = await server.create_serve_endpoint()
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        ready.send(transport.get_extra_info("sockname"))
        while not ready.poll():
            await asyncio.sleep(0.02)
        ready.send(counts[0])
        transport.close()

    asyncio.run(serve())


def liblo(ready: Connection) -> None:
    import pyliblo3

    counts = [0]
    server = pyliblo3.Server()
    for address in ADDRESSES:
        server.add_method(address, None, lambda *_: counts.__setitem__(0, counts[0] + 1))
    ready.send(("127.0.0.1", server.port))
    while not ready.poll():
        for _ in range(100):
            server.recv(20)
    ready.send(counts[0])


def send(where: tuple[str, int], seconds: float) -> tuple[int, float]:
    """Send until the time is over; return how many and how long it took."""
    packets = [build_msg(address, value).dgram for value in (0.25, 0.75) for address in ADDRESSES]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(where)
        start, sent = time.perf_counter(), 0
        while time.perf_counter() - start < seconds:
            for packet in packets:
                client.send(packet)
            sent += len(packets)
        return sent, time.perf_counter() - start


def measure(name: str, seconds: float) -> float:
    mine, theirs = CONTEXT.Pipe()
    process = CONTEXT.Process(target=globals()[name], args=(theirs,))
    process.start()
    where = mine.recv()
    sent, took = send(where, seconds)
    mine.send("stop")
    handled = mine.recv()
    process.join()
    print(f"{name:18} {handled / took:9.0f} messages/s handled of {sent / took:9.0f} sent")
    return handled / took


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
    servers = ["bare", "ours", "python_osc", "python_osc_asyncio"]
    if importlib.util.find_spec("pyliblo3"):
        servers.append("liblo")
    else:
        print("liblo is left out: install liblo's development files, then `pip install pyliblo3`")
    rates = {name: measure(name, seconds) for name in servers}
    print(
        f"oscsynth handles {100 * rates['ours'] / rates['bare']:.0f} % of the bare loop, {rates['ours'] / rates['python_osc']:.1f} times python-osc"
    )


if __name__ == "__main__":
    main()
