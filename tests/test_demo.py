"""The tour: nothing of it is asked in vain, it begins quietly and ends in silence, and Ctrl-C ends it at any time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from oscsynth import tour
from oscsynth.demo import line

from .engine_harness import wait_until
from .serving import child_pids, is_alive


def demo(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "oscsynth", "demo", *arguments]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def levels_db(sound: np.ndarray, seconds: float, begins: float) -> float:
    part = sound[round(begins * 44100) : round((begins + seconds) * 44100)]
    return 10 * np.log10((part**2).mean() + 1e-12)


def test_it_is_rendered_as_it_says(tmp_path):
    process = demo("--audio", str(tmp_path / "tour.wav"))
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said  # so no message was refused
    assert [line(step) for step in tour.TOUR] == said.splitlines()[: len(tour.TOUR)]
    sound, rate = soundfile.read(tmp_path / "tour.wav")
    assert len(sound) == tour.SECONDS * rate
    assert levels_db(sound, 0.5, 0.2) < levels_db(sound, 2.0, 4.0) - 10, "it begins quietly"
    assert levels_db(sound, 0.1, tour.SECONDS - 0.1) < -60
    assert 0.1 < np.abs(sound).max() < 0.7


def test_it_plays_over_osc_until_ctrl_c_and_leaves_nothing(tmp_path):
    process = demo("--audio", "null")
    lines: list[str] = []
    try:
        for text in process.stdout:
            lines.append(text)
            if "point/seconds" in text:
                break
        children = child_pids(process.pid)
        assert len(children) >= 2
        process.send_signal(signal.SIGINT)
        assert process.wait(5) == 0
        assert "".join(lines).count("/oscsynth/patch Aurora") == 1
        assert not any("fail" in text or "cannot" in text for text in (*lines, *process.stdout))
        wait_until(lambda: not any(map(is_alive, children)))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize("name", ["tour.mp3", "no/folder/tour.wav"])
def test_a_file_that_cannot_be_is_a_sentence(tmp_path, name):
    process = demo("--audio", str(tmp_path / name))
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in said and os.path.basename(name) in said


def test_a_fader_on_its_way_is_many_messages():
    step = tour.Step(1.0, "gain", (-6.0,), to=0.0, within=0.5)
    sent = list(step.events())
    assert (sent[0].arguments, sent[-1].arguments) == ((-6.0,), (0.0,))
    assert (sent[0].seconds, sent[-1].seconds) == (1.0, 1.5)
    assert len(sent) == 31 and step.text == "/oscsynth/gain -6 ... 0 in 0.5 s"
