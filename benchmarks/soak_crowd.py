"""Everybody at once, for `benchmarks.soak`: a player, someone who switches patches and scenes, broken packets, and clients that come and go."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import socket
import struct
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import aiohttp
from pythonosc.osc_message_builder import build_msg

from .osc_fuzz import packets

N_PARTS = 2
NOTES = ("C", "D", "E", "G", "A", "Bb")
FADERS = ("latent/1", "latent/2", "latent/3", "gain/normalized", "pan", "width", "breath", "transpose")
FADER_STEPS_PER_SECOND = 40
BROKEN_PER_SECOND = 30
MAX_HELD = 8


def message(below: str, *values: Any) -> bytes:
    """Return a packet of one message."""
    packet: bytes = build_msg(f"/oscsynth/{below}", list(values)).dgram
    return packet


class Crowd:
    """Plays until told to stop; ``count`` says how often each of them did something."""

    def __init__(self, port: int, http_port: int, patches: list[str], n_scenes: int, seed: int) -> None:
        self._port, self._http_port, self._patches, self._n_scenes = port, http_port, patches, n_scenes
        self._chance = random.Random(seed)
        self._held: list[tuple[str, float]] = []
        self._stop = asyncio.Event()
        self.count: Counter[str] = Counter()
        self.answers_seconds: list[float] = []
        self.unanswered = 0

    @property
    def rows(self) -> tuple[Callable[[], Awaitable[None]], ...]:
        """Who there is."""
        return (
            self.play_notes,
            self.move_faders,
            self.switch,
            self.send_broken,
            self.come_and_go_by_tcp,
            self.come_and_go_by_udp,
            self.browse,
            self.ask,
        )

    async def run(self, seconds: float) -> None:
        """Have all of them do what they do for so long."""
        async with asyncio.TaskGroup() as group:
            for each in self.rows:
                group.create_task(each())
            await asyncio.sleep(seconds)
            self._stop.set()

    def _turns(self, mean_seconds: float) -> Iterator[Awaitable[None]]:
        """Yield waits of a random length until all is over."""
        while not self._stop.is_set():
            yield asyncio.sleep(self._chance.expovariate(1 / mean_seconds))

    @contextlib.contextmanager
    def _udp(self) -> Iterator[Callable[..., None]]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.setblocking(False)
            client.connect(("127.0.0.1", self._port))

            def send(below: str, *values: Any) -> None:
                with contextlib.suppress(OSError):
                    client.send(message(below, *values))

            yield send

    def _part(self) -> str:
        return f"part/{self._chance.randint(1, N_PARTS)}"

    # ---- who plays

    async def play_notes(self) -> None:
        """Press keys and let them go; at the end let all go."""
        with self._udp() as send:
            for turn in self._turns(0.12):
                await turn
                self.count["notes"] += 1
                if len(self._held) < MAX_HELD and self._chance.random() < 0.55:
                    part, pitch = self._part(), float(self._chance.randint(36, 90))
                    send(f"{part}/note/on", pitch, self._chance.random() * 0.9 + 0.1)
                    self._held.append((part, pitch))
                elif self._held:
                    part, pitch = self._held.pop(self._chance.randrange(len(self._held)))
                    send(f"{part}/note/off", pitch)
            for part, pitch in self._held:
                send(f"{part}/note/off", pitch)

    async def move_faders(self) -> None:
        """Move a fader for a while, then another."""
        with self._udp() as send:
            while not self._stop.is_set():
                name = f"{self._part()}/{self._chance.choice(FADERS)}"
                value, target = self._chance.random(), self._chance.random()
                for _ in range(self._chance.randint(5, 80)):
                    value += 0.1 * (target - value)
                    send(name, value)
                    self.count["fader steps"] += 1
                    await asyncio.sleep(1 / FADER_STEPS_PER_SECOND)
                await asyncio.sleep(self._chance.random())

    async def switch(self) -> None:
        """Switch patches, scenes, note classes, gates and the pedal."""
        with self._udp() as send:
            for turn in self._turns(0.7):
                await turn
                kind = self._chance.choices(("patch", "scene", "chroma", "gate", "hold", "snapshot", "note"), (8, 1, 4, 2, 1, 2, 2))[0]
                self.count[f"{kind} switches"] += 1
                part = self._part()
                match kind:
                    case "patch":
                        send(f"{part}/patch", self._chance.choice(self._patches))
                    case "scene":
                        send("scene/index", self._chance.randint(1, self._n_scenes))
                    case "chroma":
                        send(f"{part}/chroma/name", self._chance.choice(NOTES))
                    case "gate" | "hold":
                        send(f"{part}/{kind}", self._chance.randint(0, 1))
                    case "snapshot":
                        send(f"{part}/snapshot/{self._chance.randint(1, 4)}/{self._chance.choice(('store', 'recall'))}")
                    case "note":  # one that is as short as can be
                        send(f"{part}/note/on", 60.0, 0.5)
                        send(f"{part}/note/off", 60.0)

    async def send_broken(self) -> None:
        """Send packets that are no OSC, or hardly."""
        source = packets(1 << 40, self._chance)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.setblocking(False)
            client.connect(("127.0.0.1", self._port))
            for turn in self._turns(1 / BROKEN_PER_SECOND):
                await turn
                with contextlib.suppress(OSError):
                    client.send(next(source))
                self.count["broken packets"] += 1

    # ---- who comes and goes

    async def come_and_go_by_tcp(self) -> None:
        """Connect, subscribe, play, read a little or not at all, and leave, now and then in the middle of a packet and with a key down."""
        for turn in self._turns(1.0):
            await turn
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                wanted = [message("notify", 1), message(f"{self._part()}/latent/1", 0.5), message(f"{self._part()}/note/on", 72.0, 0.4)]
                writer.write(b"".join(struct.pack(">i", len(packet)) + packet for packet in wanted))
                if self._chance.random() < 0.5:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(reader.read(65536), 0.5)
                await asyncio.sleep(self._chance.random())
                if self._chance.random() < 0.3:
                    writer.write(struct.pack(">i", 1000) + b"/oscsynth")
                if self._chance.random() < 0.3:
                    writer.transport.abort()
                writer.close()
                self.count["TCP clients"] += 1

    async def come_and_go_by_udp(self) -> None:
        """Subscribe, and leave without a word."""
        for turn in self._turns(2.0):
            await turn
            with self._udp() as send:
                send("notify", 1)
                await asyncio.sleep(self._chance.random())
                if self._chance.random() < 0.5:
                    send("notify", 0)
            self.count["UDP subscribers"] += 1

    async def browse(self) -> None:
        """Open the page's stream, play on it, and leave."""
        async with aiohttp.ClientSession() as client:
            for turn in self._turns(2.0):
                await turn
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    async with client.ws_connect(f"http://127.0.0.1:{self._http_port}/", timeout=aiohttp.ClientWSTimeout(ws_close=1.0)) as stream:
                        await stream.send_str('{"COMMAND": "LISTEN", "DATA": "/oscsynth/latent/1"}')
                        for _ in range(20):
                            await stream.send_bytes(message(f"{self._part()}/latent/2", self._chance.random()))
                            await asyncio.sleep(0.02)
                        if self._chance.random() < 0.3:
                            await stream.send_bytes(b"/no\0osc")
                    async with client.get(f"http://127.0.0.1:{self._http_port}/") as response:
                        await response.read()
                    self.count["WebSocket clients"] += 1

    async def ask(self) -> None:
        """Ask, and look how long the answer takes."""
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.setblocking(False)
            client.connect(("127.0.0.1", self._port))
            for number in itertools.count():
                if self._stop.is_set():
                    return
                begun_seconds, wanted = time.perf_counter(), message("synced", number)
                with contextlib.suppress(OSError):
                    client.send(message("sync", number))
                try:
                    async with asyncio.timeout(2.0):
                        while await loop.sock_recv(client, 65536) != wanted:
                            pass
                    self.answers_seconds.append(time.perf_counter() - begun_seconds)
                except (TimeoutError, OSError):
                    self.unanswered += 1
                await asyncio.sleep(1.0)
