"""The sound input through the engine: heard in time, and a sentence where there is none; everything else goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from oscsynth.audio import AudioSettings
from oscsynth.patch import Patch

from .audio.jack_server import SAMPLE_RATE_HZ, Capture, Performer, environment, jack_server
from .decoders import tiny_decoder
from .encoders import tiny_encoder
from .engine_harness import EngineProcess, wait_until
from .needs import needs

LATE_SECONDS = 2560 / SAMPLE_RATE_HZ  # half the window, and half of the piece that it gives


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EngineProcess]:
    for name, value in environment("nobody").items():
        monkeypatch.setenv(name, value)
    engine = EngineProcess(tmp_path)
    decoder = tiny_decoder(tmp_path / "ear.onnx", registers=(3, 4, 5))
    tiny_encoder(decoder)
    engine.patches.append(Patch("ear", "ear.onnx", decoder_path=str(decoder), mode="resynthesis", phase="input", input="live"))
    yield engine
    engine.close()


def burst(seconds: float = 2.0, onset_seconds: float = 1.0) -> np.ndarray:
    """Return silence and then a tone: (samples, 2)."""
    time = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    sound = 0.2 * sum(np.sin(2 * np.pi * 440 * k * time) / k for k in (1, 2, 3)) * (time >= onset_seconds)
    return np.stack([sound, sound], 1).astype(np.float32)


def onset(sound: np.ndarray) -> float:
    """Return when a sound is half as loud as it gets, in seconds."""
    level = np.sqrt(np.convolve(np.square(sound[:, 0]), np.ones(441) / 441, "same"))
    return float(np.flatnonzero(level > 0.5 * np.percentile(level, 95))[0]) / SAMPLE_RATE_HZ


def listen(engine: EngineProcess) -> None:
    engine.answer()
    engine.load(1, engine.patches[2])
    assert engine.answer().error == ""
    engine.play(follow=1.0)


def test_a_file_stands_for_the_input(engine, tmp_path):
    soundfile.write(tmp_path / "in.wav", burst(), 48000)
    out = tmp_path / "out.wav"
    engine.start(str(out), AudioSettings(input=str(tmp_path / "in.wav")))
    listen(engine)
    sentence = engine.hear("input")["sentence"]
    assert sentence.startswith(f"Listening to {tmp_path / 'in.wav'}: what it hears sounds") and "58 ms of it by the analysis" in sentence
    wait_until(engine.is_sounding)
    time.sleep(0.5)
    engine.events.send("stop")
    wait_until(lambda: not engine.process.is_alive())
    sound, rate = soundfile.read(out)
    spectrum = np.abs(np.fft.rfft(sound[-rate // 2 :, 0] * np.hanning(rate // 2)))
    assert abs(spectrum.argmax() * 2 - 440 * 48000 / 44100) <= 4


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ("default", "No sound input found: plug one in"),
        ("gone.wav", "--input: gone.wav: this track cannot be read"),
        ("bad.flac", "--input: bad.flac: this track cannot be read"),
        (None, "A patch listens to the sound input, and none is open: start with `oscsynth serve --input default`"),
    ],
)
def test_without_an_input_a_sentence_says_so_and_the_rest_sounds(engine, tmp_path, monkeypatch, wanted, sentence):
    monkeypatch.chdir(tmp_path)
    Path("bad.flac").write_bytes(b"fLaC, but not really")
    engine.start(settings=AudioSettings(input=wanted))
    listen(engine)
    assert sentence in engine.hear("input")["sentence"]
    engine.load(2, engine.patches[0])
    assert engine.answer().error == ""
    engine.play(2)
    wait_until(engine.is_sounding)
    assert engine.telemetry.errors == 0


@needs("JACK")
def test_what_another_program_plays_is_heard_as_late_as_is_said(engine, monkeypatch):
    with jack_server() as (name, _):
        for variable, value in environment(name).items():
            monkeypatch.setenv(variable, value)
        engine.start("portaudio", AudioSettings(input="default"))
        listen(engine)
        sentence = engine.hear("input")["sentence"]
        assert "Listening to system [JACK Audio Connection Kit]" in sentence
        capture, performer = Capture(name), Performer(name, burst())
        capture.connect()
        performer.connect()
        wait_until(lambda: performer.begun >= 0)
        time.sleep(1.8)
        here, there = capture._blocks[0]
        heard = onset(capture.sound) + (there - here - performer.begun) / SAMPLE_RATE_HZ - onset(burst())
        capture.close()
        performer.close()
        # Beside the analysis: the periods of the input, the output and the two programs of the test.
        assert LATE_SECONDS - 0.02 < heard < LATE_SECONDS + 0.08
        assert engine.telemetry.errors == 0
