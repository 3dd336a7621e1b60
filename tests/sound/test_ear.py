"""What an input sounds like: the magnitudes of training, the phases of the input, its note."""

import numpy as np
import pytest

from oscsynth.sound.ear import Ear
from oscsynth.sound.phase import Stft
from training import spectra

RNG = np.random.default_rng(440)


def tone(frequency_hz: float, rate_hz: int = 44100, n_samples: int = 4096) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * frequency_hz * np.arange(n_samples) / rate_hz)).astype(np.float32)[:, None]


def test_magnitudes_are_those_of_training() -> None:
    samples = RNG.normal(0, 0.1, (4096, 1)).astype(np.float32)
    heard = Ear(Stft.at_rate(44100), 44100, 4096).hear(samples)
    assert heard is not None
    expected = spectra.magnitudes(samples[:, 0], spectra.Stft())
    np.testing.assert_allclose(heard.magnitude, expected[0], atol=1e-3)
    np.testing.assert_allclose(heard.shape, spectra.scaled(expected)[0], atol=1e-5)
    np.testing.assert_allclose(np.abs(heard.spectra[0]), heard.magnitude, rtol=1e-5)


@pytest.mark.parametrize("rate_hz", [22050, 48000, 88200, 96000])
def test_at_another_rate_a_tone_stands_where_the_decoder_has_it(rate_hz: int) -> None:
    stft = Stft.at_rate(rate_hz)
    heard = Ear(stft, 44100, 4096).hear(tone(880.0, rate_hz, stft.window_samples))
    assert heard is not None and heard.shape.shape == (2049,)
    assert abs(heard.shape.argmax() - 880.0 * 4096 / 44100) < 1 and heard.shape.max() == 1
    assert (heard.note_class, heard.octave) == (9, 5)


def test_what_is_opposite_in_both_channels_is_heard_too() -> None:
    mono, ear = tone(440.0), Ear(Stft.at_rate(44100), 44100, 4096)
    opposite, alone = ear.hear(np.hstack([mono, -mono])), ear.hear(mono)
    assert opposite is not None and alone is not None
    np.testing.assert_allclose(opposite.magnitude, alone.magnitude, rtol=1e-5)


def test_silence_is_nothing() -> None:
    assert Ear(Stft.at_rate(44100), 44100, 4096).hear(np.zeros((4096, 2), np.float32)) is None
    assert Ear(Stft.at_rate(44100), 44100, 4096).hear(tone(440.0) * np.float32(1e-8)) is None
