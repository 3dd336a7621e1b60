"""Recordings, with the real daemon: sample for sample what was heard, whoever is killed, and never at the cost of the sound."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from pythonosc.osc_message import OscMessage

from .engine_harness import wait_until
from .serving import Serve, child_pids, tiny_patches


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tiny_patches(tmp_path / "patches", 1)
    return tmp_path


@pytest.fixture
def serve(folder: Path) -> Iterator[Serve]:
    serve = Serve(
        *("--audio", str(folder / "heard.wav"), "--http-port", "0", "--no-announce", "--fresh", "--recordings", str(folder / "takes")),
        patches=folder / "patches",
    )
    try:
        wait_until(serve.is_sounding, 20)
        yield serve
    finally:
        serve.close()


def record(serve: Serve, seconds: float, name: str) -> str:
    """Record for a while, and return what the daemon says it recorded."""
    serve.socket.settimeout(5)
    serve.ask("record/start", name, seconds=0.01)
    wait_until(lambda: any(serve.ask("record/file") or ()), 30)  # on a busy machine it begins late
    time.sleep(seconds)
    said = serve.ask("record/stop", seconds=10)
    assert said is not None
    return str(said[1])


def place(take: np.ndarray, heard: np.ndarray) -> int:
    """Return where a take lies in what was heard, -1: nowhere."""
    starts = np.flatnonzero((heard[: len(heard) - len(take) + 1] == take[0]).all(1))
    return next((int(start) for start in starts if np.array_equal(heard[start : start + len(take)], take)), -1)


@pytest.mark.parametrize("name", ["take.wav", "take.flac"])
def test_a_recording_is_what_was_heard_sample_for_sample(serve, folder, name):
    path = record(serve, 1.5, name)
    assert path == str(folder / "takes" / name)
    serve.process.terminate()
    serve.process.wait(5)
    take, rate = soundfile.read(path, dtype="int32")
    heard, _ = soundfile.read(folder / "heard.wav", dtype="int32")
    assert rate == 44100 and soundfile.info(path).subtype == "PCM_24" and 1.2 * rate < len(take) < 2.5 * rate
    assert take.any() and place(take, heard) >= 0
    assert os.listdir(folder / "takes") == [name]


def test_no_take_is_written_over_and_names_stay_in_the_folder(serve, folder):
    assert Path(record(serve, 0.1, "take")).name == "take.wav"
    assert Path(record(serve, 0.1, "take")).name == "take-2.wav"
    address, sentence = serve.ask("record/start", "../elsewhere.wav")
    assert address == "/oscsynth/record/start" and "without a folder" in sentence and "elsewhere" in sentence
    assert "not 'take.mp3'" in serve.ask("record/start", "take.mp3")[1]
    assert serve.ask("record") == (0,)


def test_a_recorder_that_is_killed_leaves_a_file_and_goes_on_in_it(serve, folder):
    serve.ask("record/start", "take.wav", seconds=0.01)
    file = folder / "takes" / "take.wav"
    wait_until(lambda: file.exists() and file.stat().st_size > 40_000, 30)
    known = {*serve.children().values()}
    recorder = next(pid for pid in child_pids(serve.process.pid) if pid not in known and b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes())
    os.kill(recorder, 9)
    before = len(soundfile.read(file)[0])
    assert before > 4000
    wait_until(lambda: len(soundfile.read(file)[0]) > before + 22050, 30)
    assert serve.ask("record/stop", seconds=10)[1] == str(file)
    assert serve.is_sounding()


def test_control_that_is_killed_takes_the_recording_over(serve, folder):
    serve.ask("record/start", "take.wav", seconds=0.01)
    wait_until(lambda: serve.ask("record/file") == (str(folder / "takes" / "take.wav"),), 30)
    os.kill(serve.children()["control"], 9)
    wait_until(lambda: serve.ask("record") == (1,), 30)
    assert serve.ask("record/stop", seconds=10)[1] == str(folder / "takes" / "take.wav")


def test_a_full_disk_ends_the_recording_with_a_sentence_and_the_sound_goes_on(folder):
    takes = folder / "takes"
    takes.mkdir()
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(takes)], capture_output=True).returncode:
        pytest.skip("needs the right to mount a small disk")
    serve = Serve("--audio", "null", "--http-port", "0", "--no-announce", "--fresh", "--recordings", str(takes), patches=folder / "patches")
    try:
        wait_until(serve.is_sounding, 20)
        serve.ask("record/start", "take.wav", seconds=0.01)
        serve.socket.settimeout(15)
        sentence = _failure(serve)
        assert "the disk may be full" in sentence or "No space left" in sentence
        assert "what was written stays" in sentence
        assert len(soundfile.read(takes / "take.wav")[0]) > 44100
        assert serve.is_sounding() and serve.ask("record") == (0,)
    finally:
        serve.close()
        subprocess.run(["umount", str(takes)], check=False)


def _failure(serve: Serve) -> str:
    """Return the sentence of the next `/fail`."""
    while (message := OscMessage(serve.socket.recv(65536))).address != "/oscsynth/fail":
        pass
    assert message.params[0] == "/oscsynth/record/start"
    return str(message.params[1])
