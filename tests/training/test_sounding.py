from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.decoders import tiny_decoder
from training import chroma, sounding
from training.decoder_file import open_decoder
from training.spectra import Stft, magnitudes

from .conftest import SMALL, tone

STFT = Stft()


@pytest.mark.parametrize(("stft", "rate_hz"), [(STFT, 44100), (SMALL, 11025)])
def test_magnitudes_sound_on_their_note_for_as_long_as_they_did(stft: Stft, rate_hz: int) -> None:
    audio = tone(69, 1.0, sample_rate_hz=rate_hz)
    again = sounding.sound(magnitudes(audio, stft), stft)
    assert len(again) / 44100 == pytest.approx(1.0, abs=0.12)
    heard = chroma.chroma(magnitudes(again, STFT), STFT)[4:-4].sum(axis=0)
    assert heard.argmax() == 9


def test_a_sound_keeps_its_level_and_its_shape_in_time() -> None:
    audio = np.concatenate([tone(60, 0.8, sample_rate_hz=44100), 0.1 * tone(60, 0.8, sample_rate_hz=44100)])
    again = sounding.sound(magnitudes(audio, STFT), STFT)
    loud, soft = (float(np.sqrt(np.square(part).mean())) for part in (again[8000:30000], again[42000:62000]))
    assert soft / loud == pytest.approx(0.1, rel=0.3)
    assert loud == pytest.approx(float(np.sqrt(np.square(audio[8000:30000]).mean())), rel=0.2)


def test_a_decoder_gives_a_sound_back(tmp_path: Path) -> None:
    opened = open_decoder(tiny_decoder(tmp_path / "tiny.onnx"))
    positions = np.linspace([0.2, 0.3, 0.1], [0.8, 0.9, 0.2], 12)
    loud = opened.decode(positions, np.full(12, 62)) * np.linspace(1, 0.1, 12)[:, None].astype(np.float32)
    after = sounding.through(opened, loud, np.full(12, 62))  # its spectra have not quite a peak of 1, so nearly
    cosine = (after * loud).sum(axis=1) / np.linalg.norm(after, axis=1) / np.linalg.norm(loud, axis=1)
    assert cosine.min() > 0.95
    np.testing.assert_allclose(after.max(axis=1), loud.max(axis=1), rtol=0.3)


def test_a_way_has_one_loudness(tmp_path: Path) -> None:
    opened = open_decoder(tiny_decoder(tmp_path / "tiny.onnx"))
    audio = sounding.sound(sounding.sweep(opened, np.linspace([0, 0.5, 0], [1, 0.5, 0.3], 64), 69), STFT, 1 / 32)
    thirds = [float(np.square(part).mean()) for part in np.array_split(audio[4000:-4000], 3)]
    assert max(thirds) < 3 * min(thirds)


@pytest.mark.parametrize("suffix", [".flac", ".wav", ".ogg"])
def test_what_is_written_is_loud_enough_and_never_clips(tmp_path: Path, suffix: str) -> None:
    for number, audio in enumerate(
        (1e-3 * tone(60), np.r_[np.zeros(20000), np.ones(3), np.zeros(20000)].astype(np.float32), np.zeros(5000, np.float32))
    ):
        path = sounding.write(audio, tmp_path / f"{number}{suffix}")
        written, rate_hz = soundfile.read(path)
        assert rate_hz == 44100 and np.abs(written).max() < 1  # Vorbis may overshoot
    assert np.sqrt(np.square(soundfile.read(tmp_path / f"0{suffix}")[0]).mean()) == pytest.approx(0.1, rel=0.2)
