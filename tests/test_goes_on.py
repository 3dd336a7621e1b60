"""A show goes on: ``serve`` is killed with two parts sounding, its session cut short, and the same is heard again."""

from __future__ import annotations

import itertools
import os
import socket
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from oscsynth.doctor import Where, examine

from .audio.jack_server import environment
from .engine_harness import wait_until
from .serving import Serve, free_port, tiny_patches

BANDS = np.geomspace(60, 12000, 7)


@pytest.fixture
def patches(tmp_path):
    return tiny_patches(tmp_path / "patches")


@pytest.fixture
def start(patches, tmp_path):
    begun, port = [], free_port()

    def start(*arguments: str) -> Serve:
        begun.append(Serve(*arguments, patches=patches, env=environment("nobody"), port=port))
        return begun[-1]

    yield start
    for serve in begun:
        serve.close()


def told(serve, *questions):
    return [wait_until(lambda question=question: serve.ask(question)) for question in questions]


def bands_db(path: Path, end: int | None = None) -> np.ndarray:
    """Return how loud it is in each band, averaged over the last second before a sample."""
    sound = soundfile.read(path)[0][:end, 0][-44100:]
    power = np.abs(np.fft.rfft(sound)) ** 2
    edges = np.round(BANDS).astype(int)
    return 10 * np.log10([power[low:high].mean() for low, high in itertools.pairwise(edges)])


def session_files(port):
    folder = Path(os.environ["XDG_STATE_HOME"]) / "oscsynth"
    return folder / f"session-{port}.json", folder / f"session-{port}.previous.json"


def text(path):
    """Return what a file holds; it is away for a moment while it is written."""
    return path.read_text() if path.exists() else ""


QUESTIONS = ("patch", "part/3/patch", "latent/1", "part/3/latent/2", "part/3/gain", "gate", "part/3/gate", "part/3/chroma/name", "master/gain")


def test_after_a_kill_and_with_its_file_cut_short_it_sounds_as_before(start, tmp_path):
    serve = start("--audio", str(tmp_path / "before.wav"))
    wait_until(serve.is_sounding, 20)
    for message in (("part/3/patch", "A tiny 2"), ("latent/1", 0.25), ("part/3/latent/2", 0.875), ("part/3/gain", -3.0), ("part/3/chroma/name", "D")):
        serve.ask(*message, seconds=0.05)
    serve.ask("master/gain", -2.0, seconds=0.05)
    before = told(serve, *QUESTIONS)
    file, previous = session_files(serve.port)
    wait_until(lambda: "0.875" in (kept := text(file)) and text(previous) == kept, 10)
    serve.process.kill()
    serve.process.wait()
    killed_seconds = time.monotonic()
    assert serve.memory
    left = Path(serve.memory.path)
    file.write_bytes(file.read_bytes()[:-40])

    again = start("--audio", str(tmp_path / "after.wav"))
    wait_until(lambda: again.telemetry.sounding_parts == 2, 20)
    assert time.monotonic() - killed_seconds < 10  # 2 s, on a machine that does nothing else
    assert told(again, *QUESTIONS) == before
    wait_until(lambda: not list(left.parent.glob(f"*{left.name}")))
    wait_until(lambda: again.telemetry.position_samples > 90000, 10)
    assert again.text.count("is damaged: going on from the one before") == 1 and "part 1 A tiny 1, part 3 A tiny 2" in again.text
    again.process.terminate()
    again.process.wait(5)
    sound = np.abs(soundfile.read(tmp_path / "after.wav")[0][:, 0])
    begins = np.flatnonzero(sound > 1e-5)[0]
    assert sound[begins : begins + 4410].max() < 0.5 * sound[begins + 30000 : begins + 60000].max(), "it fades in over half a second"
    assert np.abs(bands_db(tmp_path / "after.wav", begins + 75000) - bands_db(tmp_path / "before.wav", -10000)).max() < 3


def test_fresh_starts_clean_and_a_full_disk_is_a_sentence(start, tmp_path):
    folder = Path(os.environ["XDG_STATE_HOME"])
    folder.write_text("no folder")
    serve = start("--audio", "null")
    wait_until(serve.is_sounding, 20)
    serve.ask("latent/1", 0.25, seconds=0.05)
    wait_until(lambda: "the session cannot be kept (Not a directory" in serve.text)
    folder.unlink()
    serve.ask("gain", -9.0, seconds=0.05)
    wait_until(lambda: session_files(serve.port)[0].exists())
    serve.process.terminate()
    serve.process.wait(5)
    again = start("--audio", "null", "--fresh", "--patch", "A tiny 2")
    wait_until(again.is_sounding, 20)
    assert told(again, "patch", "gain", "latent/1") == [("A tiny 2",), (0.0,), (0.5,)]
    assert any(f"runs on port {again.port}: 1 parts sound" in finding.text for finding in examine(Where(again.port)))


def test_a_port_that_a_killed_instrument_still_holds_is_waited_for(start):
    serve = start("--audio", "null")
    wait_until(serve.is_sounding, 20)
    serve.process.terminate()
    serve.process.wait(5)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as left:
        left.bind(("127.0.0.1", serve.port))
        again = start("--audio", "null")
        wait_until(lambda: len(again.children()) == 2, 10)
        time.sleep(0.5)
        assert again.process.poll() is None
    wait_until(again.is_sounding, 20)
    assert told(again, "patch") == [("A tiny 1",)]
