"""A real engine process, with the test in the place of control and parent."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from oscsynth import engine_process
from oscsynth.audio import AudioSettings
from oscsynth.link import Load, Loaded, SharedMemory
from oscsynth.parameters import State
from oscsynth.patch import Patch

from .decoders import tiny_decoder

CONTEXT = multiprocessing.get_context("spawn")


def wait_until(condition: Callable[[], Any], seconds: float = 5.0) -> Any:
    """Return what the condition returns as soon as that is true."""
    until = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > until:
            raise TimeoutError(f"{condition} did not come true in {seconds} s")
        time.sleep(0.005)
    return result


class EngineProcess:
    """Starts `engine_process.main`; ``memory``, ``state`` and the pipes are the test's own ends."""

    def __init__(self, folder: Path) -> None:
        self.memory, self.state = SharedMemory(), State()
        self._loads_in, self.loads = CONTEXT.Pipe(duplex=False)
        self.loaded, self._loaded_out = CONTEXT.Pipe(duplex=False)
        self.patches = [Patch(f"tiny {n}", "tiny.onnx", decoder_path=str(tiny_decoder(folder / f"tiny{n}.onnx", seed=n))) for n in (1, 2)]
        self.process: Any = None

    def start(self, audio: str = "null", settings: AudioSettings | None = None, patient: bool = False) -> None:
        self.events, theirs = CONTEXT.Pipe()
        arguments = (self.memory.path, self._loads_in, self._loaded_out, theirs, audio, settings or AudioSettings(), patient)
        self.process = CONTEXT.Process(target=engine_process.main, args=arguments)
        self.process.start()
        theirs.close()

    def hear(self, event: str, seconds: float = 5.0) -> dict[str, Any]:
        """Return the next event of that name."""
        until = time.monotonic() + seconds
        while self.events.poll(max(0, until - time.monotonic())):
            heard: dict[str, Any] = self.events.recv()
            if heard["event"] == event:
                return heard
        raise TimeoutError(f"no event {event}")

    def answer(self) -> Loaded:
        assert self.loaded.poll(5)
        answer: Loaded = self.loaded.recv()
        return answer

    def load(self, number: int, patch: Patch | None) -> None:
        self.loads.send(Load(number, patch))

    def play(self, number: int = 1, **values: float) -> None:
        """Let part 1 sound a patch that is loaded."""
        for name, value in {"open": 1, "patch": number, "gate": 1, **values}.items():
            self.state.set(1, name, value)
        self.state.set(1, "chroma", 1, 9)
        self.memory.write_state(self.state)

    def load_and_play(self) -> None:
        """Take a new engine through what control does for it."""
        answer = self.answer()
        while answer.number != -1:
            answer = self.answer()
        for number, patch in enumerate(self.patches, 1):
            self.load(number, patch)
        assert [self.answer().number for _ in self.patches] == [1, 2]
        self.play()

    @property
    def telemetry(self) -> Any:
        return self.memory.read_telemetry()

    def is_sounding(self) -> bool:
        """Return whether this very process sounds."""
        telemetry = self.telemetry
        return bool(telemetry.engine_pid == self.process.pid and telemetry.sounding_parts and telemetry.peak > 0.01)

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.join()
        for end in (self.loads, self.loaded, self._loads_in, self._loaded_out, self.events):
            end.close()
        self.memory.close()
