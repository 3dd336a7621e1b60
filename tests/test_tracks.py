"""Tracks: any rate and number of channels, and a sentence for what cannot be played."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from oscsynth.errors import DecoderError
from oscsynth.patch import Patch
from oscsynth.tracks import read_track, resampled, track_of

RATE_HZ = 44100


def sine(frequency_hz: float, rate_hz: int, seconds: float = 0.5) -> np.ndarray:
    return np.sin(2 * np.pi * frequency_hz * np.arange(round(seconds * rate_hz)) / rate_hz).astype(np.float32)[:, None]


@pytest.mark.parametrize(("from_hz", "to_hz"), [(48000, 44100), (44100, 48000), (22050, 44100), (96000, 44100), (8000, 44100)])
def test_another_rate_is_the_same_sound(from_hz: int, to_hz: int) -> None:
    out = resampled(sine(1000, from_hz), from_hz, to_hz)
    assert abs(len(out) - to_hz // 2) <= 1
    middle = slice(to_hz // 10, -to_hz // 10)
    np.testing.assert_allclose(out[middle, 0], sine(1000, to_hz)[: len(out)][middle, 0], atol=1e-4)


def test_what_the_lower_rate_cannot_hold_is_left_out() -> None:
    assert np.abs(resampled(sine(30000, 96000), 96000, RATE_HZ)[2000:-2000]).max() < 1e-3


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_one_channel_or_the_first_two_are_played(tmp_path: Path, channels: int) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, np.hstack([sine(440 * (k + 1), 48000) * 0.5 for k in range(channels)]), 48000)
    track = read_track(path, RATE_HZ)
    assert track.samples.shape[1] == min(channels, 2) and track.samples.dtype == np.float32 and track.sample_rate_hz == RATE_HZ
    assert abs(len(track.samples) - RATE_HZ // 2) <= 1


def test_what_is_no_number_is_silence(tmp_path: Path) -> None:
    sound = sine(440, RATE_HZ)
    sound[100:200] = np.nan
    soundfile.write(tmp_path / "a.wav", sound, RATE_HZ, subtype="FLOAT")
    samples = read_track(tmp_path / "a.wav", RATE_HZ).samples
    assert not samples[100:200].any() and samples[200:].any()


def test_what_cannot_be_played_is_named(tmp_path: Path) -> None:
    for name, content, why in (
        ("no.wav", None, "cannot be read"),
        ("bad.wav", b"RIFF, but not really", "cannot be read"),
        ("e.flac", b"", "cannot be"),
    ):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(DecoderError, match=f"{name}: this track {why}"):
            read_track(tmp_path / name, RATE_HZ)
    soundfile.write(tmp_path / "short.wav", sine(440, RATE_HZ, 0.01), RATE_HZ)
    soundfile.write(tmp_path / "long.wav", np.zeros((601 * 100, 1)), 100)
    for name, seconds in (("short.wav", r"0\.0"), ("long.wav", r"601\.0")):
        with pytest.raises(DecoderError, match=rf"{name}: it lasts {seconds} s; a track lasts 0\.1 to 600 s"):
            read_track(tmp_path / name, RATE_HZ)


def test_only_a_patch_that_plays_one_has_a_track(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", sine(440, RATE_HZ), RATE_HZ)
    assert track_of(Patch("A", "a.onnx", mode="resynthesis", input="live"), RATE_HZ) is None
    assert track_of(Patch("A", "a.onnx", track_path=str(tmp_path / "a.wav")), RATE_HZ) is None
    assert track_of(Patch("A", "a.onnx", mode="resynthesis", input="a.wav", track_path=str(tmp_path / "a.wav")), RATE_HZ) is not None
