from pathlib import Path

import numpy as np
import pytest

from tests.decoders import tiny_decoder
from training import faders
from training.decoder_file import open_decoder
from training.faders import Fader

BIN_HZ = 44100 / 4096


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> list[Fader]:
    path = tiny_decoder(tmp_path_factory.mktemp("tiny") / "tiny.onnx")
    return faders.measure(open_decoder(path), np.random.default_rng(440), 24)


def test_a_fader_that_brightens_is_said_to(tmp_path: Path) -> None:
    pure = faders.measure(open_decoder(tiny_decoder(tmp_path / "tiny.onnx", n_latents=2)), np.random.default_rng(440), 24)
    assert (pure[0].number, pure[0].name) == (1, "brightness")
    assert "brighter" in pure[0].sentence()
    assert "darker" not in pure[0].sentence()


def test_a_fader_that_brings_even_partials_is_said_to_fill(measured: list[Fader]) -> None:
    assert "fuller" in measured[1].sentence()


def test_a_fader_that_brings_noise_is_said_to(measured: list[Fader]) -> None:
    assert "noisier" in measured[2].sentence()


def test_a_fader_that_does_nothing_is_found_out() -> None:
    assert Fader(1, "idle", 0.3, ()).sentence() == "hardly heard"


def test_what_is_most_in_the_middle_is_said_so() -> None:
    quality = faders.QUALITIES[1]
    effect = faders.Effect(quality, np.array([0, 3, 6, 9, 12, 9, 6, 3, 0.5]), 0.5)
    assert effect.sentence() == "noisier towards 0.5, by 12 dB"
    assert faders.Effect(quality, -effect.curve, 0.5).sentence().startswith("purer towards 0.5")


@pytest.mark.parametrize(("agreement", "said"), [(1.0, "noisier"), (0.8, "mostly noisier"), (0.5, "on the whole noisier")])
def test_how_often_it_is_so_is_said(agreement: float, said: str) -> None:
    assert faders.Effect(faders.QUALITIES[1], np.linspace(0, 9, 9), agreement).sentence() == f"{said}, by 9 dB"


def spectrum(pitch_hz: float, decay: float, noise: float = 0.0) -> np.ndarray:
    bins_hz = np.arange(2049) * BIN_HZ
    tone = np.sum([decay**k * np.exp(-(((bins_hz - pitch_hz * (k + 1)) / 12) ** 2)) for k in range(30)], axis=0)
    return (tone + noise).astype(np.float32)


@pytest.mark.parametrize("pitch_hz", [110.0, 440.0, 1760.0])
def test_qualities_go_the_way_of_their_words(pitch_hz: float) -> None:
    dark, bright, noisy = spectrum(pitch_hz, 0.5), spectrum(pitch_hz, 0.85), spectrum(pitch_hz, 0.5, 0.05)
    pitches = np.full(3, pitch_hz)
    stack = np.stack([dark, bright, noisy])
    for quality in ("brightness", "noise"):
        values = next(each for each in faders.QUALITIES if each.name == quality).measure(stack, pitches, BIN_HZ)
        assert values[1 if quality == "brightness" else 2] > values[0]
    assert faders.roundness(stack, pitches, BIN_HZ)[0] > faders.roundness(stack, pitches, BIN_HZ)[1]
