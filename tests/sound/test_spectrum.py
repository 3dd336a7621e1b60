import numpy as np
import pyloudnorm
import pytest

from oscsynth.sound import spectrum
from oscsynth.sound.phase import NoiseCarrier, Stft, synthesise
from tests.decoders import partials

STFT = Stft.at_rate(44100)


@pytest.mark.parametrize("rate_hz", [44100, 48000, 96000])
def test_k_weights_are_those_of_the_standard(rate_hz: int) -> None:
    stft = Stft.at_rate(rate_hz)
    impulse = np.zeros(2**16)
    impulse[0] = 1.0
    for filter_stage in pyloudnorm.Meter(rate_hz)._filters.values():
        impulse = filter_stage.apply_filter(impulse)
    wanted = np.abs(np.fft.rfft(impulse))[:: 2**16 // stft.window_samples]
    heard = (stft.frequencies_hz() > 20) & (stft.frequencies_hz() < 16000)
    difference_db = 20 * np.log10(spectrum.k_weights(stft)[heard] / wanted[heard])
    assert np.abs(difference_db).max() < 0.35


@pytest.mark.parametrize("shape", ["flat", "lines", "harmonics", "low"])
def test_loudness_is_that_of_a_meter(shape: str) -> None:
    carrier = NoiseCarrier(STFT)
    magnitude = {
        "flat": np.ones(2049),
        "lines": (np.arange(2049) % 50 == 30) * 1.0,
        "harmonics": partials(60.0).sum(0),
        "low": np.exp(-np.arange(2049) / 20.0),
    }[shape].astype(np.float32) * spectrum.audible(STFT)
    scaled = magnitude * spectrum.loudness_gains(magnitude[None], STFT).astype(np.float32)
    mono = np.concatenate([synthesise(scaled, carrier.kernels(hop))[0] for hop in range(430)])
    loudness = pyloudnorm.Meter(44100).integrated_loudness(np.stack([mono, mono], 1))
    assert loudness == pytest.approx(spectrum.LOUDNESS_LUFS, abs=0.3)


def test_silence_stays_silence() -> None:
    assert spectrum.loudness_gains(np.zeros((1, 2049), np.float32), STFT) == [0.0]


def test_nothing_sounds_below_20_hz_nor_at_nyquist() -> None:
    heard = spectrum.audible(STFT)
    assert not heard[:2].any() and heard[2] == 1.0 and heard[-1] == 0.0
