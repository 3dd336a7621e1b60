"""Twenty scenes at random, ten switches a second for a minute, through a real JACK server: python -m benchmarks.scenes [--seconds 60].

After each switch every number of the state is compared with what it was when that scene was heard by itself; at the end the last one is listened to.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from array import array
from pathlib import Path

import numpy as np

from oscsynth.parameters import N_SLOTS, PART_SLOTS
from oscsynth.scene import PartScene, Scene
from oscsynth.setlist import store_scene
from tests.audio.jack_server import Capture
from tests.engine_harness import wait_until
from tests.serving import Serve, tiny_patches

from .switch import MARGIN_SAMPLES, Result, report, run, steady_roughness, switching

N_SCENES = 20
SHOWN_SECONDS = 0.05
MAX_PARTS_OF_A_SCENE = 3
NOTES = ("C", "D", "E", "G", "A")
_NO_MATTER = [part * N_SLOTS + PART_SLOTS[name].start for part in range(9) for name in ("travel", "panic")]


def scene(n: int, names: list[str], chance: random.Random) -> Scene:
    """Return a scene of one to three parts, part 1 among them, with values of its own."""
    parts = {}
    for part in [1, *chance.sample(range(2, 5), chance.randrange(MAX_PARTS_OF_A_SCENE))]:
        values = {f"latent/{latent}": (round(chance.random(), 3),) for latent in (1, 2, 3)}
        parts[part] = PartScene(chance.choice(names), values | {"chroma/name": (chance.choice(NOTES),), "gain": (-10.0,), "gate": (1,)})
    return Scene(f"scene {n}", parts)


class Right:
    """What stands in each scene, and how often it stood otherwise."""

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        self.expected: dict[int, bytes] = {}
        self.level_db: dict[int, float] = {}
        self.wrong = self.unanswered = 0
        self.last = 0
        self.slowest_seconds = 0.0

    def state(self) -> bytes:
        """Return the numbers of the parts that there are, but for those that do not belong to a scene."""
        assert self._serve.memory is not None
        state = self._serve.memory.restore_state()
        values = array("d", state.values[: 9 * N_SLOTS])
        for at in _NO_MATTER:
            values[at] = 0.0
        parts = [part for part in range(1, 9) if state.get(part, "open")]
        return bytes(parts) + b"".join(values[part * N_SLOTS : (part + 1) * N_SLOTS].tobytes() for part in parts)

    def choose(self, number: int) -> None:
        """Switch and look: at first at what there is, then whether it is so again."""
        begun_seconds = time.monotonic()
        answer = self._serve.ask("scene/index", number, seconds=0.09)
        self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - begun_seconds)
        self.last = number
        if answer is None or answer[-1] != f"scene {number}":
            self.unanswered += 1
        else:
            self.wrong += not self.is_right(number)

    def is_right(self, number: int) -> bool:
        """Say whether what the engine is shown becomes what belongs to a scene; a moment after the answer, so that journeys stay apart."""
        until = time.monotonic() + SHOWN_SECONDS
        if number not in self.expected:
            time.sleep(SHOWN_SECONDS)
            self.expected[number] = self.state()
        while self.state() != self.expected[number]:
            if time.monotonic() > until:
                return False
            time.sleep(0.002)
        return True


def level_db(sound: np.ndarray) -> float:
    return 10 * float(np.log10(np.mean(sound**2)))


def listen(serve: Serve, capture: Capture, log: Path, seconds: float, steady_seconds: float, chance: random.Random) -> tuple[Result, Right]:
    """Hear each scene by itself, then all at random."""
    wait_until(lambda: len(serve.ask("scenes") or ()) == N_SCENES, 10)
    right = Right(serve)

    def heard(number: int) -> None:
        if right.last:
            right.level_db[right.last] = level_db(capture.sound[-int(0.5 * steady_seconds * 44100) :])
        right.choose(number)

    steady = steady_roughness(serve, capture, [lambda number=number: heard(number) for number in range(1, N_SCENES + 1)], steady_seconds)
    heard(1)
    result = switching(serve, capture, log, seconds, lambda _: right.choose(chance.randrange(1, N_SCENES + 1)), steady)
    time.sleep(steady_seconds)
    last = level_db(capture.sound[-int(0.5 * steady_seconds * 44100) - MARGIN_SAMPLES :])
    print(f"the last scene is as loud as before within {abs(last - right.level_db[right.last]):.1f} dB")
    return result, right


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--steady-seconds", type=float, default=1.0)
    parser.add_argument("--output", type=Path, help="a folder for the JSON and the picture")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    found: list[Right] = []

    def listening(serve: Serve, capture: Capture, log: Path) -> Result:
        result, right = listen(serve, capture, log, arguments.seconds, arguments.steady_seconds, chance)
        found.append(right)
        return result

    with tempfile.TemporaryDirectory() as name:
        patches = tiny_patches(Path(name), 4)
        for n in range(1, N_SCENES + 1):
            store_scene(patches / "setlist.yaml", scene(n, [f"A tiny {patch}" for patch in range(1, 5)], chance))
        result = run(patches, listening)
    report(result, arguments.seconds, arguments.output, "scenes")
    [right] = found
    print(f"after the switch something else stood than belongs to the scene: {right.wrong} times; no answer in 90 ms: {right.unanswered} times")
    print(f"slowest answer: {1000 * right.slowest_seconds:.1f} ms")


if __name__ == "__main__":
    main()
