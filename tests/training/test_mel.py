import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from training import mel
from training.mel import Mel, Scale

from .conftest import tone

ANALYSIS = Mel()


def test_half_a_second_is_43_hops_of_256_bands() -> None:
    assert mel.band_power(tone(69, 0.6, sample_rate_hz=44100), 44100, ANALYSIS).shape == (43, 256)


def test_a_click_is_heard_in_the_hops_that_it_is_near() -> None:
    click = np.zeros(22050, np.float32)
    click[20 * ANALYSIS.hop_samples] = 1.0
    power = mel.band_power(click, 22050, ANALYSIS).sum(axis=1)
    assert power.argmax() == 20 and power[10] < 1e-9 < power[18]


def test_a_short_note_is_followed_by_silence() -> None:
    power = mel.band_power(tone(69, 0.2, sample_rate_hz=22050), 22050, ANALYSIS).sum(axis=1)
    assert power[5] > 0 and not power[25:].any()


@given(st.floats(-60, 20), st.floats(-1, 1))
def test_scaling_comes_back(low_db: float, value: float) -> None:
    scale = Scale(low_db, low_db + 80)
    assert abs(float(scale.scaled(scale.power(np.array([value])))[0]) - value) < 1e-5


def test_the_inverse_is_never_negative_and_gives_each_band_back() -> None:
    inverse, bands = mel.inverse(ANALYSIS), mel.bands(ANALYSIS)
    assert inverse.shape == (256, 1025) and (inverse >= 0).all()
    np.testing.assert_allclose(np.einsum("bk,bk->b", inverse, bands), 1, rtol=1e-4)


def test_noise_stays_flat_through_the_bands() -> None:
    flat = np.ones(1025) @ mel.bands(ANALYSIS).T @ mel.inverse(ANALYSIS)
    decibels = 10 * np.log10(flat[5:1000])
    assert np.abs(decibels - np.median(decibels)).max() < 2.0


def test_a_tones_partials_come_back_where_they_were() -> None:
    power = mel.band_power(tone(69, 0.6, sample_rate_hz=22050), 22050, ANALYSIS)[20]
    bins = np.sqrt(power @ mel.inverse(ANALYSIS))
    bin_hz = 22050 / 2048
    for partial in (1, 2, 3):
        place = 440 * partial / bin_hz
        assert abs(np.argmax(bins[round(place) - 8 : round(place) + 9]) + round(place) - 8 - place) < 1.5
