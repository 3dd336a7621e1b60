"""The WAV backend: what it writes can be opened at any moment, and goes on after a kill."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile

from oscsynth.audio import AudioSettings, free_name, open_backend
from oscsynth.audio.wavefile import WaveWriter
from oscsynth.errors import AudioError
from tests.full_disk import full_disk


def tone(n_samples: int) -> np.ndarray:
    return np.repeat(np.sin(np.arange(n_samples) * 0.1).astype(np.float32)[:, None], 2, axis=1) / 2


@pytest.mark.parametrize(("subtype", "tolerance"), [("PCM_24", 2**-23), ("FLOAT", 0)])
def test_what_is_written_is_read_again(tmp_path, subtype, tolerance):
    with WaveWriter(tmp_path / "a.wav", 48000, subtype=subtype) as writer:
        writer.write(tone(1000))
    sound, rate = soundfile.read(tmp_path / "a.wav", dtype="float32")
    assert rate == 48000
    assert np.abs(sound - tone(1000)).max() <= tolerance


@pytest.mark.parametrize("subtype", ["PCM_24", "FLOAT"])
def test_header_is_right_while_it_is_written(tmp_path, monkeypatch, subtype):
    monkeypatch.setattr("oscsynth.audio.wavefile.HEADER_EVERY_SECONDS", 0)
    writer = WaveWriter(tmp_path / "a.wav", 44100, subtype=subtype)
    for expected in (1000, 2000):
        writer.write(tone(1000))
        assert sizes(tmp_path / "a.wav") == expected
    writer.close()
    assert sizes(tmp_path / "a.wav") == 2000


def sizes(path: Path) -> int:
    """Return the samples that the header itself claims, by another reader than the one that wrote."""
    data = path.read_bytes()
    at = data.index(b"data")
    channels, sample_bytes = int.from_bytes(data[22:24], "little"), int.from_bytes(data[34:36], "little") // 8
    assert int.from_bytes(data[4:8], "little") == len(data) - 8
    return int.from_bytes(data[at + 4 : at + 8], "little") // (channels * sample_bytes)


KILLED = """
import sys, time, numpy as np
from oscsynth.audio import AudioSettings, free_name, open_backend
backend = open_backend(sys.argv[1], lambda n: np.full((n, 2), 0.5, np.float32), AudioSettings())
backend.start()
print("begun", flush=True)
time.sleep(20)
"""


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A WAV file whose process was killed while it wrote."""
    path = tmp_path / "cut.wav"
    with subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"begun\n"
        time.sleep(1.3)
        process.send_signal(signal.SIGKILL)
    return path


def test_file_cut_short_by_kill_opens(killed):
    with wave.open(str(killed)) as file:  # believes the header, unlike libsndfile
        n_samples = file.getnframes()
    assert 1.0 < n_samples / 44100 < 1.4  # killed after 1.3 s
    assert (soundfile.read(killed)[0] == 0.5).all()


def test_recording_goes_on_in_the_same_file_with_silence_between(killed):
    before = (killed.stat().st_size - 44) // 6  # more than its header says
    backend = open_backend(str(killed), lambda n: tone(n), AudioSettings(append=True))
    assert backend.sentence == f"The recording goes on in {killed}."
    backend.start()
    time.sleep(0.3)
    backend.close()
    sound = soundfile.read(killed)[0]
    gap = np.flatnonzero(sound[before:, 0])[0]
    assert 0.2 * 44100 < len(sound) - before - gap < 0.5 * 44100
    assert gap > 10
    assert (sound[:before] == 0.5).all()


def test_half_a_sample_is_cut_off(tmp_path):
    with WaveWriter(tmp_path / "a.wav", 44100) as writer:
        writer.write(tone(1000))
    with open(tmp_path / "a.wav", "ab") as file:
        file.write(b"\x01\x02")
    with WaveWriter(tmp_path / "a.wav", 44100, append=True) as writer:
        writer.write(tone(1000))
    sound = soundfile.read(tmp_path / "a.wav")[0]
    assert np.abs(sound[:1000] - sound[-1000:]).max() == 0


def test_other_rate_goes_on_in_another_file(tmp_path):
    WaveWriter(tmp_path / "a.wav", 44100).close()
    writer = WaveWriter(tmp_path / "a.wav", 48000, append=True)
    writer.close()
    assert writer.path == tmp_path / "a-2.wav"


def test_full_file_goes_on_in_another(tmp_path, monkeypatch):
    monkeypatch.setattr("oscsynth.audio.wavefile.MAX_BYTES", 10000)
    with WaveWriter(tmp_path / "a.wav", 44100) as writer:
        for _ in range(3):
            writer.write(tone(1000))
    assert [soundfile.info(tmp_path / name).frames for name in ("a.wav", "a-2.wav", "a-3.wav")] == [1000] * 3


def test_free_name_overwrites_no_take(tmp_path):
    assert free_name(tmp_path / "a.wav").name == "a.wav"
    (tmp_path / "a.wav").touch()
    (tmp_path / "a-2.wav").touch()
    assert free_name(tmp_path / "a.wav").name == "a-3.wav"


def test_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(AudioError, match=r"nowhere/a\.wav cannot be written: there is no such folder"):
        open_backend(str(tmp_path / "nowhere" / "a.wav"), tone, AudioSettings())


def test_full_disk_ends_the_file_not_the_clock(tmp_path):
    with full_disk():
        backend = open_backend(str(tmp_path / "a.wav"), tone, AudioSettings())
        backend.start()
        time.sleep(0.3)
        assert "a.wav cannot be written any further: the disk may be full" in backend.fault
        assert backend.is_running()
        backend.close()
    assert soundfile.info(tmp_path / "a.wav").frames > 3000
