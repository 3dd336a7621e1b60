"""Everybody at once: a player, someone who switches patches and scenes, broken packets, and clients that come and go.

`Score` is what is played, by `benchmarks.crowd` as well; `Crowd` is all of it over the network, for `benchmarks.soak`.
"""

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
from dataclasses import dataclass
from typing import Any

import aiohttp
from pythonosc.osc_message_builder import build_msg

from oscsynth.library import Library, factory_folder

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


def shipped_patches() -> list[str]:
    """Return the names of the patches that come with the instrument."""
    library = Library(None, factory_folder())
    library.scan()
    return list(library.patches)


@dataclass(frozen=True, slots=True)
class Step:
    """What is sent at once, addresses below the prefix with their values; what it counts as, and how long it is until the next step."""

    what: str
    events: list[tuple[str, tuple[Any, ...]]]
    wait_seconds: float


class Score:
    """What is played, by turns of chance: each method goes on for ever. ``held`` are the keys that are down: part and pitch."""

    def __init__(self, patches: list[str], n_scenes: int, chance: random.Random) -> None:
        self._patches, self._n_scenes, self._chance = patches, n_scenes, chance
        self.held: list[tuple[str, float]] = []

    def part(self) -> str:
        """Return one of the parts."""
        return f"part/{self._chance.randint(1, N_PARTS)}"

    def notes(self) -> Iterator[Step]:
        """Press keys and let them go."""
        while True:
            events: list[tuple[str, tuple[Any, ...]]] = []
            if len(self.held) < MAX_HELD and self._chance.random() < 0.55:
                part, pitch = self.part(), float(self._chance.randint(36, 90))
                events = [(f"{part}/note/on", (pitch, self._chance.random() * 0.9 + 0.1))]
                self.held.append((part, pitch))
            elif self.held:
                part, pitch = self.held.pop(self._chance.randrange(len(self.held)))
                events = [(f"{part}/note/off", (pitch,))]
            yield Step("notes", events, self._chance.expovariate(1 / 0.12))

    def faders(self) -> Iterator[Step]:
        """Move a fader for a while, then another."""
        while True:
            name = f"{self.part()}/{self._chance.choice(FADERS)}"
            value, target = self._chance.random(), self._chance.random()
            for left in reversed(range(self._chance.randint(5, 80))):
                value += 0.1 * (target - value)
                yield Step("fader steps", [(name, (value,))], 1 / FADER_STEPS_PER_SECOND + (0.0 if left else self._chance.random()))

    def switches(self) -> Iterator[Step]:
        """Switch patches, scenes, note classes, gates and the pedal."""
        weights = {"patch": 8, "scene": bool(self._n_scenes), "chroma": 4, "gate": 2, "hold": 1, "snapshot": 2, "note": 2}
        while True:
            kind = self._chance.choices(list(weights), list(weights.values()))[0]
            yield Step(f"{kind} switches", self._switch(kind, self.part()), self._chance.expovariate(1 / 0.7))

    def _switch(self, kind: str, part: str) -> list[tuple[str, tuple[Any, ...]]]:
        match kind:
            case "patch":
                return [(f"{part}/patch", (self._chance.choice(self._patches),))]
            case "scene":
                return [("scene/index", (self._chance.randint(1, self._n_scenes),))]
            case "chroma":
                return [(f"{part}/chroma/name", (self._chance.choice(NOTES),))]
            case "snapshot":
                return [(f"{part}/snapshot/{self._chance.randint(1, 4)}/{self._chance.choice(('store', 'recall'))}", ())]
            case "note":  # one that is as short as can be
                return [(f"{part}/note/on", (60.0, 0.5)), (f"{part}/note/off", (60.0,))]
        return [(f"{part}/{kind}", (self._chance.randint(0, 1),))]


class Crowd:
    """Plays until told to stop; ``count`` says how often each of them did something."""

    def __init__(self, port: int, http_port: int, patches: list[str], n_scenes: int, seed: int) -> None:
        self._port, self._http_port = port, http_port
        self._chance = random.Random(seed)
        self._score = Score(patches, n_scenes, self._chance)
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

    # ---- who plays

    async def _play(self, steps: Iterator[Step], send: Callable[..., None]) -> None:
        for step in steps:
            for below, values in step.events:
                send(below, *values)
            self.count[step.what] += 1
            await asyncio.sleep(step.wait_seconds)
            if self._stop.is_set():
                return

    async def play_notes(self) -> None:
        """Press keys and let them go; at the end let all go."""
        with self._udp() as send:
            await self._play(self._score.notes(), send)
            for part, pitch in self._score.held:
                send(f"{part}/note/off", pitch)

    async def move_faders(self) -> None:
        """Move a fader for a while, then another."""
        with self._udp() as send:
            await self._play(self._score.faders(), send)

    async def switch(self) -> None:
        """Switch patches, scenes, note classes, gates and the pedal."""
        with self._udp() as send:
            await self._play(self._score.switches(), send)

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
                wanted = [message("notify", 1), message(f"{self._score.part()}/latent/1", 0.5), message(f"{self._score.part()}/note/on", 72.0, 0.4)]
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
                            await stream.send_bytes(message(f"{self._score.part()}/latent/2", self._chance.random()))
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
