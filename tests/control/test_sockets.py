"""Real sockets: both families, both kinds, both framings, many clients, and clients that do not read."""

import asyncio
import dataclasses
import gc
import socket
import struct
import weakref

import pytest
from pythonosc.osc_message_builder import build_msg

from oscsynth.control.connection import MAX_CONNECTIONS
from oscsynth.control.framing import Unframer
from oscsynth.control.osc import parse
from oscsynth.control.server import Server
from oscsynth.control.sockets import address_of
from oscsynth.errors import OscsynthError

from .catalogue import player

P = "/oscsynth/"
VERSION = build_msg(P + "version", []).dgram


class Tcp:
    """A client over TCP."""

    def __init__(self, server, is_slip=False, host="127.0.0.1"):
        self.unframer = Unframer()
        self.unframer.is_slip = is_slip
        self.socket = socket.create_connection((host, server.address[1]), 2)

    async def send(self, *packets):
        await asyncio.get_running_loop().run_in_executor(None, self.socket.sendall, b"".join(map(self.unframer.frame, packets)))

    async def receive(self, count=1):
        found = []
        while len(found) < count:
            self.socket.settimeout(2)
            data = await asyncio.get_running_loop().run_in_executor(None, self.socket.recv, 65536)
            assert data, "the connection was closed"
            found += self.unframer.feed(data)
        return [parse(packet) for packet in found]


def run(test):
    """Run a test with a server of its own."""

    async def main(*arguments):
        server = Server(player()[0], lambda state: None, lambda sentence: None)
        server.open("127.0.0.1", 0)
        server.start(asyncio.get_running_loop())
        clients = []

        def connect(*arguments, **keys):
            clients.append(Tcp(server, *arguments, **keys))
            return clients[-1]

        try:
            await test(server, connect, *arguments)
        finally:
            server.close()
            for client in clients:
                client.socket.close()
            await asyncio.sleep(0)

    return main


def each_framing(test):
    @pytest.mark.parametrize("is_slip", [False, True])
    def inside(is_slip):
        asyncio.run(run(test)(is_slip))

    return inside


def alone(test):
    return lambda: asyncio.run(run(test)())


@each_framing
async def test_questions_are_answered_in_the_same_framing(server, connect, is_slip):
    client = connect(is_slip)
    await client.send(build_msg(P + "latent/1", 0.5).dgram, build_msg(P + "latent/1", []).dgram)
    assert await client.receive() == [(P + "latent/1", (0.5,))]


@alone
async def test_of_a_connection_that_is_gone_nothing_is_held(server, connect):
    client = connect()
    await client.send(build_msg(P + "notify", 1).dgram, build_msg(P + "note/on", [60.0, 0.5]).dgram, build_msg(P + "nothing", 1).dgram)
    while not any(getattr(each, "address", "") == P + "fail" for each in await client.receive()):
        pass
    gone = weakref.ref(next(iter(server.sockets.connections)))
    client.socket.close()
    while server.sockets.connections:
        await asyncio.sleep(0.001)
    other = connect()  # the last one who asked is known until the next does
    await other.send(VERSION)
    await other.receive()
    gc.collect()
    assert gone() is None


@each_framing
async def test_frames_are_split_and_merged_anyhow(server, connect, is_slip):
    client = connect(is_slip)
    stream = client.unframer.frame(VERSION) * 3
    for at in range(0, len(stream), 7):
        client.socket.sendall(stream[at : at + 7])
        await asyncio.sleep(0.001)
    assert [message.address for message in await client.receive(3)] == [P + "version"] * 3


@alone
async def test_over_ipv6(server, connect):
    client = connect(host="::1")
    await client.send(VERSION)
    assert (await client.receive())[0].address == P + "version"
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as datagrams:
        datagrams.connect(("::1", server.address[1]))
        datagrams.settimeout(1)
        datagrams.send(VERSION)
        await asyncio.sleep(0.05)
        assert parse(datagrams.recv(1000)).address == P + "version"


BROKEN = {
    "SLIP bad escape": b"\xc0/a\xdb\0\xc0",
    "single END": b"\xc0",
    "size 0": b"\0\0\0\0",
    "size 2^32-1": b"\xff\xff\xff\xff",
    "size of a gigabyte": struct.pack(">I", 2**30) + VERSION,
    "half a frame": b"\0\0\1\0/abc",
    "HTTP": b"GET / HTTP/1.1\r\n\r\n",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_stream_harms_nobody_else(name):
    @run
    async def main(server, connect):
        bad, good = connect(), connect()
        await good.send(VERSION)
        await good.receive()
        bad.socket.sendall(BROKEN[name])
        await asyncio.sleep(0.01)
        start = asyncio.get_running_loop().time()
        await good.send(VERSION)
        assert (await good.receive())[0].address == P + "version"
        assert asyncio.get_running_loop().time() - start < 0.25
        again = connect(is_slip=True)
        await again.send(VERSION)
        assert await again.receive()
        assert server.malformed == (name not in ("single END", "half a frame"))

    asyncio.run(main())


@alone
async def test_after_a_broken_slip_frame_the_next_is_read(server, connect):
    client = connect(is_slip=True)
    client.socket.sendall(b"\xc0/a\xdb\0\xc0")
    await client.send(VERSION)
    assert (await client.receive())[0].address == P + "version"


@alone
async def test_many_connections(server, connect):
    clients = [connect(bool(n % 2)) for n in range(MAX_CONNECTIONS)]
    for client in clients:
        await client.send(VERSION)
    for client in clients:
        assert await client.receive()
    one_more = connect()
    one_more.socket.settimeout(1)
    assert await asyncio.get_running_loop().run_in_executor(None, lambda: _is_closed(one_more.socket))
    clients[0].socket.close()
    await asyncio.sleep(0.05)
    assert len(server.sockets.connections) == MAX_CONNECTIONS - 1


def _is_closed(client):
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True


@alone
async def test_a_client_that_does_not_read_is_let_go_and_the_others_are_answered(server, connect):
    slow, good = connect(), connect()
    slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)  # so that the system does not keep megabytes for it
    slow.socket.setblocking(False)
    question = slow.unframer.frame(build_msg(P + "addresses", []).dgram)
    asked = b""
    for _ in range(400):
        asked = asked or question * 20
        try:
            asked = asked[slow.socket.send(asked) :]
        except BlockingIOError:  # the server has more to do first
            pass
        except OSError:
            break
        await good.send(VERSION)
        await good.receive()
        if server.sockets.slow_readers:
            break
    assert server.sockets.slow_readers == 1 and len(server.sockets.connections) == 1


@alone
async def test_a_subscriber_that_hangs_up_is_forgotten(server, connect):
    client = connect()
    await client.send(build_msg(P + "notify", 1).dgram)
    assert await client.receive(5)
    assert len(server.clients) == 1
    client.socket.close()
    await asyncio.sleep(0.1)
    assert len(server.clients) == 0 and server.instrument.state.get(1, "gate") == 1


def test_addresses_that_a_person_writes():
    assert address_of("127.0.0.1:9000") == ("127.0.0.1", 9000)
    assert address_of("[::1]:9000")[:2] == ("::1", 9000)
    for wrong in ("9000", "127.0.0.1", "127.0.0.1:0", "no.such.host.invalid:9000"):
        with pytest.raises(OscsynthError, match=f"--feedback {wrong}: must be an address and a port"):
            address_of(wrong)


@each_framing
async def test_the_notes_of_a_connection_end_with_it(server, connect, is_slip):
    instrument = server.instrument
    version = instrument.parts[1].version
    version.patch = dataclasses.replace(version.patch, mode="notes")
    client, other = connect(is_slip), connect(is_slip)
    await other.send(build_msg(P + "note/on", [62, 1.0]).dgram, VERSION)
    await client.send(build_msg(P + "note/on", [60, 1.0]).dgram, VERSION)
    await client.receive()
    await other.receive()
    assert len(instrument.voices.held(1)) == 2
    client.socket.close()
    for _ in range(200):
        if len(instrument.voices.held(1)) < 2:
            break
        await asyncio.sleep(0.01)
    assert [instrument.state.get_voice(voice, "pitch") for voice in instrument.voices.held(1)] == [62]


def test_a_tcp_port_that_another_program_has_is_said():
    with socket.create_server(("127.0.0.1", 0)) as other:
        server = Server(player()[0], lambda state: None, lambda sentence: None)
        server.open("127.0.0.1", other.getsockname()[1])
        assert "OSC comes over UDP alone" in server.shortage
        server.close()
