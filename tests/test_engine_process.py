"""The engine process: what it plays, how it leaves, and what it does when the device goes."""

from __future__ import annotations

import dataclasses
import gc
import os
import signal
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from oscsynth.audio import AudioSettings, open_backend
from oscsynth.engine_watch import Watch
from oscsynth.link import EXIT_AGAIN, EXIT_HOPELESS
from oscsynth.patch import Patch
from oscsynth.renderer import Renderer

from .audio.jack_server import Capture, environment, jack_server
from .engine_harness import CONTEXT, EngineProcess, wait_until
from .needs import needs


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EngineProcess]:
    for name, value in environment("nobody").items():
        monkeypatch.setenv(name, value)
    engine = EngineProcess(tmp_path)
    yield engine
    engine.close()


def test_announces_itself_loads_and_sounds(engine):
    engine.start()
    first = engine.answer()
    assert (first.number, first.engine_pid) == (-1, engine.process.pid)
    engine.load(7, engine.patches[0])
    assert (engine.answer().number, engine.hear("audio")["device"]) == (7, "null")
    engine.play(7)
    wait_until(engine.is_sounding)
    assert engine.telemetry.loaded == 1 and engine.telemetry.sample_rate_hz == 44100 and engine.telemetry.errors == 0


def test_patch_that_does_not_load_is_an_answer(engine, tmp_path):
    engine.start()
    engine.answer()
    engine.load(1, Patch("gone", "gone.onnx", decoder_path=str(tmp_path / "gone.onnx")))
    answer = engine.answer()
    assert answer.number == 1 and "gone.onnx" in answer.error


def test_keeps_the_clock(engine):
    engine.start(settings=AudioSettings(sample_rate_hz=48000, block_samples=128))
    engine.hear("audio")
    first = engine.telemetry.position_samples
    time.sleep(1)
    assert abs(engine.telemetry.position_samples - first - 48000) < 4800


def test_fault_in_the_render_is_told_once_and_the_sound_goes_on(engine):
    engine.events, theirs = CONTEXT.Pipe()
    renderer = Renderer(engine.memory, 44100, 2)
    renderer.backend = backend = open_backend("null", renderer.guard, AudioSettings())
    watch = Watch(renderer, backend, theirs, None)
    for _ in range(3):
        renderer.state._in_force = np.zeros(3)  # what no engine can play
        assert renderer.guard(64).shape == (64, 2)
        watch._look_for_faults()
    assert "A fault in the engine made the sound stop for a moment: " in engine.hear("fault", 1)["sentence"]
    assert not engine.events.poll()
    assert renderer.guard.errors == 3


class Circle:
    """What only the collector finds."""

    def __init__(self) -> None:
        self.me = self


def test_what_a_start_leaves_is_not_looked_through_and_what_comes_later_is(engine):
    engine.events, theirs = CONTEXT.Pipe()
    renderer = Renderer(engine.memory, 44100, 2)
    watch = Watch(renderer, open_backend("null", renderer.guard, AudioSettings()), theirs, None)
    gc.collect()
    gc.disable()  # as in the engine process
    try:
        of_the_start = weakref.ref(Circle())
        watch._collect()
        later = weakref.ref(Circle())
        watch._collect()
        assert of_the_start() is not None and later() is None
    finally:
        gc.unfreeze()
        gc.enable()
    gc.collect()
    assert of_the_start() is None


def test_a_note_is_heard_within_a_block_of_the_file(engine, tmp_path):
    engine.start(str(tmp_path / "a.wav"), AudioSettings(block_samples=256))
    engine.answer()
    engine.load(1, dataclasses.replace(engine.patches[0], mode="notes"))
    engine.answer()
    for name, value in (("open", 1), ("patch", 1)):
        engine.state.set(1, name, value)
    engine.memory.write_state(engine.state)
    written = []
    for number in range(1, 6):
        time.sleep(0.3)
        for name, value in (("started", number), ("ended", number - 1), ("part", 1), ("pitch", 69), ("velocity", 1), ("since", time.monotonic())):
            engine.state.set_voice(0, name, value)
        engine.memory.write_state(engine.state)
        written.append(engine.telemetry.position_samples)
        time.sleep(0.1)
        engine.state.set_voice(0, "ended", number)
        engine.state.set(1, "envelope/release", 50)
        engine.memory.write_state(engine.state)
    time.sleep(0.3)
    os.kill(engine.process.pid, signal.SIGTERM)
    engine.process.join()
    sound = soundfile.read(tmp_path / "a.wav")[0][:, 0]
    at_start = 4 * 256  # rendered before the file begins
    for position in written:
        begun = int(position) - at_start
        assert not sound[begun - 256 : begun].any()
        assert sound[begun : begun + 2 * 256].any()  # the block that was being rendered may not have seen it


def test_sigterm_fades_out_and_closes_the_file(engine, tmp_path):
    engine.start(str(tmp_path / "a.wav"))
    engine.load_and_play()
    wait_until(engine.is_sounding)
    time.sleep(0.5)
    begun = time.monotonic()
    os.kill(engine.process.pid, signal.SIGTERM)
    engine.process.join(3)
    assert engine.process.exitcode == 0 and time.monotonic() - begun < 1
    sound = np.abs(soundfile.read(tmp_path / "a.wav")[0][:, 0])
    assert sound[-20000:-6000].max() > 0.01  # it sounded until just before
    assert sound[-200:].max() < 1e-4


def test_stop_from_the_parent_leaves_with_0(engine):
    engine.start()
    engine.hear("audio")
    engine.events.send("stop")
    engine.process.join(3)
    assert engine.process.exitcode == 0


def test_end_of_the_parent_ends_it(engine):
    engine.start()
    engine.hear("audio")
    engine.events.close()
    engine.process.join(3)
    assert engine.process.exitcode == 0


def test_killed_engine_is_back_within_a_second_as_it_was(engine, tmp_path):
    engine.start(str(tmp_path / "a.wav"))
    engine.load_and_play()
    wait_until(engine.is_sounding)
    engine.process.kill()
    engine.process.join()
    begun = time.monotonic()
    engine.start(str(tmp_path / "a.wav"), AudioSettings(append=True), patient=True)
    engine.load_and_play()
    wait_until(engine.is_sounding)
    assert time.monotonic() - begun < 3  # within 1 s on a quiet machine: see benchmarks/start.py
    assert "goes on in" in engine.hear("audio")["sentence"]


def test_no_device_is_one_sentence_and_the_clock(engine, capfd):
    engine.start("auto")
    assert engine.hear("audio")["sentence"].startswith("No sound device found: plug one in")
    wait_until(lambda: engine.telemetry.position_samples > 10000)
    assert capfd.readouterr().err == ""


def test_chosen_device_that_is_missing_is_hopeless(engine):
    engine.start("auto", AudioSettings(device="moog"))
    assert "no sound device has that in its name" in engine.hear("fatal")["sentence"]
    engine.process.join(3)
    assert engine.process.exitcode == EXIT_HOPELESS


def test_patient_engine_waits_for_its_device(engine):
    engine.start("auto", AudioSettings(device="moog"), patient=True)
    event = engine.hear("audio")
    assert (event["api"], event["sentence"]) == ("none", "")


@needs("JACK")
def test_device_that_goes_and_comes_back(engine, monkeypatch, capfd):
    with jack_server() as (name, server):
        for variable, value in environment(name).items():
            monkeypatch.setenv(variable, value)
        engine.start("auto")
        assert engine.hear("audio")["api"] == "JACK Audio Connection Kit"
        engine.load_and_play()
        wait_until(engine.is_sounding)
        server.kill()
        assert "is gone" in engine.hear("lost")["sentence"]
        engine.process.join(3)
        assert engine.process.exitcode == EXIT_AGAIN
    engine.start("auto", patient=True)
    assert engine.hear("audio")["api"] == "none"
    with jack_server(name):
        assert engine.hear("back")["sentence"]
        engine.process.join(3)
        assert engine.process.exitcode == EXIT_AGAIN
    assert capfd.readouterr().err == ""  # JACK's threads talk when their server dies


def roughness(sound: np.ndarray) -> float:
    """Return the largest second difference of a sound (samples, channels)."""
    return float(np.abs(np.diff(sound, 2, axis=0)).max())


@needs("JACK")
def test_switching_under_jack_clicks_nowhere_and_loses_nothing(engine, monkeypatch):
    with jack_server() as (name, _):
        for variable, value in environment(name).items():
            monkeypatch.setenv(variable, value)
        capture = Capture(name)
        engine.start("portaudio")
        engine.load_and_play()
        wait_until(engine.is_sounding)
        capture.connect()
        steady = 0.0
        for patch in (1, 2):
            engine.play(patch)
            begun = capture.samples
            time.sleep(0.7)
            steady = max(steady, roughness(capture.sound[begun + 8192 : capture.samples]))
        # A busy machine loses periods by itself, whatever plays: one run of 20 switches out of 6 must be whole.
        for _attempt in range(6):
            begun, lost = capture.samples, (capture.xruns, engine.telemetry.underruns)
            for switch in range(20):
                engine.play(1 + switch % 2)
                time.sleep(0.1)
            assert roughness(capture.sound[begun : capture.samples]) < 1.3 * steady
            if whole := (capture.xruns, engine.telemetry.underruns) == lost:
                break
        capture.close()
    assert whole
