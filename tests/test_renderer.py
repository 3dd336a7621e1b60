"""What the device calls: what it gives up when blocks take longer than they last. The clock is moved by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oscsynth.link import SharedMemory
from oscsynth.parameters import State
from oscsynth.patch import Patch
from oscsynth.renderer import COUNT_EVERY_SAMPLES, Renderer
from oscsynth.sound.deck import Deck
from oscsynth.sound.loading import load_sound
from oscsynth.sound.overload import BEGIN_LOAD
from oscsynth.tap import Tap

from .decoders import tiny_decoder

RATE_HZ, BLOCK_SAMPLES, N_NOTES = 44100, 256, 64


class Stage:
    """A renderer for which each sounding note takes its time, and what control would hold."""

    def __init__(self, folder: Path, has_time: bool = False) -> None:
        self.memory, self.state = SharedMemory(), State()
        self.seconds, self.load_of_a_note = 0.0, 0.0
        self.own_share = 1.0
        self.renderer = Renderer(self.memory, RATE_HZ, 2, clock=lambda: self.seconds, own_clock=self.own_clock, has_time=has_time)
        self.engine_render = self.renderer.engine.render
        self.renderer.engine.render = self.render  # type: ignore[method-assign]
        decoder = str(tiny_decoder(folder / "tiny.onnx"))
        self.renderer.engine.install(1, load_sound(Patch("Test", decoder, mode="notes", voices=N_NOTES), RATE_HZ))
        for name, value in (("open", 1), ("patch", 1), ("envelope/sustain", 1)):
            self.state.set(1, name, value)
        for voice in range(N_NOTES):
            for name, value in (("started", voice + 1), ("part", 1), ("pitch", 30 + voice), ("velocity", 1)):
                self.state.set_voice(voice, name, value)
        self.memory.write_state(self.state)

    def render(self, state: np.ndarray | None, n_samples: int, heard: np.ndarray | None = None) -> np.ndarray:
        """Let the time pass that so many notes take."""
        block = self.engine_render(state, n_samples, heard)
        self.seconds += self.load_of_a_note * self.voices * n_samples / RATE_HZ
        return block

    def own_clock(self) -> float:
        """Return how long it has computed: all the time, or a tenth of it."""
        return self.seconds * self.own_share

    @property
    def voices(self) -> int:
        return self.renderer.engine.sounding_voices

    def play(self, seconds: float) -> None:
        for _ in range(int(seconds * RATE_HZ / BLOCK_SAMPLES)):
            self.renderer(BLOCK_SAMPLES)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    stage.play(0.05)
    yield stage
    stage.memory.close()


def test_notes_are_given_up_until_there_is_room_and_no_longer(stage: Stage) -> None:
    stage.load_of_a_note = 0.02  # 128 % for all of them
    stage.play(1.0)
    telemetry = stage.memory.read_telemetry()
    assert telemetry.shed == N_NOTES - stage.voices and 0.4 < 0.02 * stage.voices < BEGIN_LOAD
    assert telemetry.sounding_voices == stage.voices and telemetry.load_peak > 1.2
    stage.play(1.0)
    assert stage.memory.read_telemetry().shed == telemetry.shed


def test_one_note_goes_on_whatever_it_takes(stage: Stage) -> None:
    stage.load_of_a_note = 1.5
    stage.play(2.0)
    assert stage.voices == 1 and stage.memory.read_telemetry().shed == N_NOTES - 1


def test_the_load_grows_and_no_deadline_is_missed(stage: Stage) -> None:
    for step in range(1, 40):
        stage.load_of_a_note = step * 0.0005
        stage.play(0.1)
    telemetry = stage.memory.read_telemetry()
    assert telemetry.shed > 0 and telemetry.late_blocks == 0 and telemetry.load_peak < 1.0


def test_where_there_is_room_nothing_is_given_up(stage: Stage) -> None:
    stage.load_of_a_note = 0.75 / N_NOTES
    stage.play(1.0)
    assert stage.voices == N_NOTES and stage.memory.read_telemetry().shed == 0


@pytest.mark.parametrize(("own_share", "is_held_up"), [(1.0, False), (0.1, True)])
def test_a_late_block_says_whether_the_engine_was_kept_waiting(stage: Stage, own_share: float, is_held_up: bool) -> None:
    stage.load_of_a_note, stage.own_share = 0.05, own_share
    stage.renderer(BLOCK_SAMPLES)
    telemetry = stage.memory.read_telemetry()
    assert telemetry.late_blocks == 1 and telemetry.held_up == is_held_up


def test_position_is_told_at_each_block_and_all_else_where_control_has_said_something_and_now_and_then(stage: Stage) -> None:
    told = []
    for number in range(16):
        stage.load_of_a_note = 1e-4 * number
        stage.renderer(BLOCK_SAMPLES)
        told.append(stage.memory.read_telemetry())
    assert [int(each.position_samples) for each in told] == [int(told[0].position_samples) + n * BLOCK_SAMPLES for n in range(16)]
    assert len({each.load for each in told}) == 16 * BLOCK_SAMPLES // COUNT_EVERY_SAMPLES
    stage.memory.write_state(stage.state)
    stage.renderer(BLOCK_SAMPLES)
    assert stage.memory.read_telemetry().load != told[-1].load


def test_the_start_does_not_count(stage: Stage) -> None:
    stage.load_of_a_note = 0.1
    stage.play(0.1)
    stage.renderer.forget_start()
    assert stage.renderer.shed == 0 and stage.renderer._overload.coarseness == 1


@pytest.mark.parametrize("has_time", [False, True])
def test_what_does_not_fit_waits_only_where_a_late_block_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_time: bool) -> None:
    stage, change, waited_samples = Stage(tmp_path, has_time), Deck.change, []

    def slow(*arguments: object, **more: object) -> None:
        change(*arguments, **more)  # type: ignore[arg-type]
        stage.seconds += 0.9 * BLOCK_SAMPLES / RATE_HZ

    monkeypatch.setattr(Deck, "change", slow)
    for step in range(40):
        stage.state.set_voice(0, "bend", step / 40)
        stage.memory.write_state(stage.state)
        stage.renderer(BLOCK_SAMPLES)
        waited_samples.append(stage.renderer._budget.waited_samples)
    stage.memory.close()
    assert (max(waited_samples) == -1) is has_time


@pytest.mark.parametrize("has_time", [False, True])
def test_a_few_late_blocks_cost_nothing_where_they_are_not_lost(tmp_path: Path, has_time: bool) -> None:
    stage = Stage(tmp_path, has_time)
    for load, is_fine in ((0.0, True), (1.2, has_time), (0.0, has_time)):
        stage.load_of_a_note = load / N_NOTES
        stage.play(0.04)
        assert (stage.renderer.engine.coarseness == 1) is is_fine
    stage.load_of_a_note = 1.2 / N_NOTES
    stage.play(2.0)
    stage.memory.close()
    assert stage.renderer.engine.coarseness > 1 and stage.voices < N_NOTES


class Drone:
    """A renderer with a drone and a tap, and what control would hold; all of it takes no time."""

    def __init__(self, folder: Path) -> None:
        self.memory, self.state, self.tap, self.seconds = SharedMemory(), State(), Tap(folder / "tap", create=True), 0.0
        self.tap.begin(RATE_HZ, 2)
        self.renderer = Renderer(self.memory, RATE_HZ, 2, self.tap, clock=lambda: self.seconds, own_clock=lambda: 0.0)
        self.engine = self.renderer.engine
        while not self.engine._carrier.is_complete:
            self.engine._carrier.make_ahead()
        self.engine.install(1, load_sound(Patch("Test", str(tiny_decoder(folder / "tiny.onnx"))), RATE_HZ))
        for name, value in (("open", 1), ("patch", 1), ("gate", 1), ("envelope/sustain", 1)):
            self.state.set(1, name, value)
        self.state.set(1, "chroma", 1, 9)
        self.memory.write_state(self.state)

    def change(self, name: str, value: float) -> None:
        self.state.set(1, name, value)
        self.memory.write_state(self.state)

    def block(self, n_samples: int = BLOCK_SAMPLES) -> np.ndarray:
        block = self.renderer(n_samples).copy()
        self.seconds += n_samples / RATE_HZ
        return block

    def is_going_on(self) -> bool:
        """Play a block, and return whether it was made ahead and nothing else was done."""
        rendered = []
        render, self.engine.render = self.engine.render, lambda *given: rendered.append(given) or render(*given)  # type: ignore[method-assign]
        self.block()
        self.engine.render = render  # type: ignore[method-assign]
        return not rendered

    def close(self) -> None:
        self.tap.close()
        self.memory.close()


@pytest.fixture
def drone(tmp_path: Path) -> Iterator[Drone]:
    drone = Drone(tmp_path)
    for _ in range(500):
        drone.block()
    yield drone
    drone.close()


def test_what_stands_goes_on_until_anything_is_said(drone: Drone) -> None:
    went_on = [drone.is_going_on() for _ in range(64)]
    assert went_on.count(False) == 2  # of 32 blocks that are made at once
    while not drone.is_going_on():
        pass
    drone.memory.write_state(drone.state)  # the same as before
    assert not drone.is_going_on() and drone.is_going_on()
    drone.change("gain", -20.0)
    assert not drone.is_going_on()


@pytest.mark.parametrize("what", ["leaving", "late", "installed", "heard", "fault"])
def test_what_stands_is_rendered_when_something_else_happens(drone: Drone, what: str) -> None:
    while not drone.is_going_on():
        pass
    if what == "leaving":
        drone.renderer.state.leaving = True
    elif what == "late":
        drone.seconds += 0.2
    elif what == "installed":
        drone.engine.install(2, drone.engine._sounds[1])
    elif what == "heard":
        drone.renderer.input = type("Input", (), {"take": lambda self, n_samples: np.zeros((n_samples, 1), np.float32)})()
    else:
        drone.renderer.guard.is_silent = True
    assert not drone.is_going_on()


def test_what_stands_counts_as_blocks_that_took_no_time(drone: Drone) -> None:
    drone.renderer._load = 0.5
    told = []
    for _ in range(64):
        block = drone.block()
        told.append(drone.memory.read_telemetry())
    assert told[-1].load < 0.25 and told[-1].late_blocks == 0
    assert [each.position_samples for each in told] == [told[0].position_samples + n * BLOCK_SAMPLES for n in range(64)]
    assert [each.position_seconds for each in told] == sorted({each.position_seconds for each in told})
    assert told[-1].peak >= float(abs(block).max()) > 0.0


STEPS = st.lists(
    st.tuples(st.sampled_from(["gain", "said", "", "", "shed"]), st.integers(1, 40), st.sampled_from([64, 256, 300, 512, 1024])), max_size=8
)


@settings(max_examples=30, deadline=None)
@given(steps=STEPS)
def test_what_was_made_ahead_is_what_would_have_been_rendered_and_what_the_tap_has(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int]]
) -> None:
    drones, heard = [Drone(tmp_path_factory.mktemp("drone")) for _ in range(2)], [[], []]  # type: ignore[var-annotated]
    drones[1].engine.is_ready = lambda n_samples: False  # type: ignore[method-assign]
    for drone, blocks in zip(drones, heard, strict=True):
        for what, n_blocks, n_samples in [("", 400, 256), *steps, ("", 40, 256)]:
            if what == "gain":
                drone.change("gain", -float(n_blocks))
            elif what == "said":
                drone.memory.write_state(drone.state)
            elif what == "shed":
                drone.engine.shed(1)
            blocks.extend(drone.block(n_samples) for _ in range(n_blocks))
        stream = drone.tap.stream()
        tapped = np.frombuffer(drone.tap.read(stream, 0, stream.written_samples), np.float32).reshape(-1, 2)
        assert np.array_equal(tapped, np.concatenate(blocks))
        drone.close()
    assert np.array_equal(np.concatenate(heard[0]), np.concatenate(heard[1]))
