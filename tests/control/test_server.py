"""A real socket, a real client, and whatever the client may send."""

import asyncio
import gc
import random
import socket
import sys
import time

import pytest
from pythonosc.osc_bundle_builder import OscBundleBuilder
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import build_msg

from oscsynth.control.osc import messages, parse
from oscsynth.control.row import Reply
from oscsynth.control.server import MAX_FAILS_A_SECOND, RECEIVE_BUFFER_BYTES, Server, encode
from oscsynth.errors import OscsynthError

from .catalogue import player
from .test_osc import GOLDEN, MALFORMED

P = "/oscsynth/"


class Session:
    """A server, and a client that is connected to it; run by the test, a moment at a time."""

    def __init__(self):
        self.writes, self.complaints = [], []
        self.instrument, _ = player()
        self.server = Server(self.instrument, lambda state: self.writes.append(state.get(1, "latent", 0)), self.complaints.append)
        self.server.open("127.0.0.1", 0)
        self.client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.client.connect(self.server.address)
        self.client.settimeout(0.5)

    async def __aenter__(self):
        self.server.start(asyncio.get_running_loop())
        return self

    async def __aexit__(self, *_):
        self.server.close()
        self.client.close()

    async def send(self, *packets):
        for packet in packets:
            self.client.send(packet)
        before = -1
        while self.server.received > before:
            before = self.server.received
            await asyncio.sleep(0.01)

    def replies(self):
        self.client.setblocking(False)
        found = []
        try:
            while True:
                found += [(each.address, *each.arguments) for each in messages(parse(self.client.recv(65536)))]
        except BlockingIOError:
            return found


def message(address, *arguments):
    return build_msg(P + address, list(arguments)).dgram


def run(test):
    """Run a test with a session of its own."""

    def inside():
        async def main():
            async with Session() as session:
                await test(session)

        asyncio.run(main())

    inside.__name__ = test.__name__
    return inside


@run
async def test_values_are_set_and_questions_answered_from_the_same_socket(session):
    await session.send(message("latent/1", 0.5), message("latent/1"))
    assert session.writes[-1] == 0.5
    assert session.replies() == [(P + "latent/1", 0.5)]


@run
async def test_a_bundle_is_written_once_and_nothing_is_written_in_vain(session):
    bundle = OscBundleBuilder(0)
    for value in (0.1, 0.2, 0.3):
        bundle.add_content(build_msg(P + "latent/1", value))
    await session.send(bundle.build().dgram, message("latent/1", 0.3), message("latent/1"))
    assert [round(value, 6) for value in session.writes] == [0.3]


@run
async def test_after_each_malformed_packet_a_sound_one_works(session):
    for packet in MALFORMED.values():
        await session.send(packet, message("version"))
        assert [reply[0] for reply in session.replies()] == [P + "version"]
    assert session.server.malformed == len(MALFORMED)
    assert len(session.complaints) <= 3 and "1 malformed packets; the last from 127.0.0.1: " in session.complaints[0]


@run
async def test_recorded_packets_are_harmless(session):
    for first in range(0, len(GOLDEN), 20):
        await session.send(*GOLDEN[first : first + 20])
    await session.send(message("version"))
    assert session.replies()[-1][0] == P + "version"
    assert session.server.errors == session.server.malformed == 0


@run
async def test_no_more_than_ten_fails_a_second(session):
    start = time.monotonic()
    await session.send(*[message(f"lattent/{i}") for i in range(100)], message("version"))
    replies = session.replies()
    fails = [reply for reply in replies if reply[0] == P + "fail"]
    assert replies[-1][0] == P + "version"
    assert 10 <= len(fails) <= MAX_FAILS_A_SECOND * (1 + time.monotonic() - start) + 1


@run
async def test_an_exception_inside_is_answered_and_the_next_packet_handled(session):
    session.instrument.parts[1].memory = None  # whatever a bug may leave
    await session.send(message("morph", 0.5), message("version"))
    assert [reply[0] for reply in session.replies()] == [P + "fail", P + "version"]
    assert session.server.errors == 1 and session.complaints


@run
async def test_its_own_replies_are_not_answered(session):
    session.server.send([Reply(P + "nonsense", ())], session.server.address)
    await asyncio.sleep(0.02)
    assert (session.server.received, session.server.sockets.unsent) == (1, 0)


@run
async def test_status_and_statistics(session):
    await session.send(b"/abc", message("status"))
    (status,) = session.replies()
    assert status[:5] == (P + "status", "parts", 1, "part/1", "Violin")
    assert session.server.statistics().items() >= {"received": 2, "malformed": 1, "errors": 0, "unsent": 0, "dropped": 0, "clients": 0}.items()


@run
async def test_fuzz(session):
    rng = random.Random(440)
    ours = [message(address, *arguments) for address, *arguments in (("latent/*", 0.5), ("patch", "Choir"), ("chroma/name", "A"), ("gain",))]
    worst = 0.0
    gc.freeze()  # as control does: what all tests together hold is not to be looked through for garbage here
    for _ in range(30_000):
        packet = bytearray(rng.choice(ours if rng.random() < 0.7 else GOLDEN[:60]))
        for _ in range(rng.randint(0, 3)):
            packet[rng.randrange(len(packet))] = rng.choice((0, 1, 42, 44, 47, 123, 127, 255, rng.randrange(256)))
        start = time.thread_time()
        session.server.handle(bytes(packet), ("192.0.2.1", rng.randrange(1, 9)))
        worst = max(worst, time.thread_time() - start)
    gc.unfreeze()
    assert session.server.errors == 0 and session.server.malformed > 1000
    assert worst < 0.1


def test_a_port_in_use_is_a_sentence():
    first, second = (Server(player()[0], lambda state: None, lambda sentence: None) for _ in range(2))
    first.open("127.0.0.1", 0)
    port = first.address[1]
    with pytest.raises(OscsynthError, match=f"port {port} is in use: is another oscsynth running.*--port {port + 1}"):
        second.open("127.0.0.1", port)
    first.close()
    with pytest.raises(OscsynthError, match="is it an address of this machine"):
        second.open("192.0.2.1", 0)


def test_a_small_receive_buffer_is_a_sentence():
    server = Server(player()[0], lambda state: None, lambda sentence: None)
    server.open("127.0.0.1", 0)
    assert server.sockets.receive_buffer_bytes > 0
    assert (server.sockets.receive_buffer_bytes >= RECEIVE_BUFFER_BYTES) == (server.shortage == "")
    server.close()
    server.sockets.receive_buffer_bytes = 212992
    assert "grants a receive buffer of 208 KiB, not 4096" in server.shortage


def test_every_kind_of_answer_is_encoded():
    read = OscMessage(encode(Reply(P + "x", (1, 0.5, "é", True, 2**40))))
    assert read.params == [1, 0.5, "é", True, 2**40]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands packets to the socket that is connected to their sender")
@run
async def test_a_subscriber_is_heard_through_a_flood_from_somebody_else(session):
    await session.send(message("notify", 1))
    await asyncio.sleep(0.1)
    session.replies()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flood:
        flood.connect(session.server.address)
        for _ in range(40_000):  # more than any receive buffer holds; nothing is read meanwhile
            flood.send(message("gain", -3.0))
        session.client.send(message("version"))
        await asyncio.sleep(0.02)
    assert P + "version" in [reply[0] for reply in session.replies()]


@run
async def test_a_port_with_subscribers_is_still_in_use(session):
    await session.send(message("notify", 1))
    with pytest.raises(OscsynthError, match="is in use"):
        Server(player()[0], lambda state: None, lambda sentence: None).open(*session.server.address)
    await session.send(message("notify", 0), message("latent/1", 0.5), message("latent/1"))
    assert session.writes[-1] == 0.5
