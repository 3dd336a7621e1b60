import numpy as np
import pyloudnorm
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oscsynth.sound import spectrum
from oscsynth.sound.phase import NoiseCarrier, Stft, synthesise
from tests.decoders import partials

STFT = Stft.at_rate(44100)


def harmonics(pitch_midi: float = 69.0) -> np.ndarray:
    return partials(pitch_midi).sum(0) ** 2.0


@given(semitones=st.floats(-24, 12), pitch=st.floats(50, 62))
@settings(max_examples=50, deadline=None)
def test_stretching_keeps_the_power(semitones: float, pitch: float) -> None:
    power = harmonics(pitch).astype(np.float64)
    moved = spectrum.stretch(power, 2 ** (semitones / 12), len(power))
    assert moved.sum() == pytest.approx(power.sum(), rel=1e-3)
    assert (moved >= -1e-9).all()


def test_stretching_by_one_changes_nothing() -> None:
    power = harmonics().astype(np.float64)
    np.testing.assert_allclose(spectrum.stretch(power, 1.0, len(power)), power, atol=1e-12)


@pytest.mark.parametrize("semitones", [-24, -12, -7, -0.5, 3, 12, 24])
@pytest.mark.parametrize("stretching", ["spectrum", "harmonics", "auto"])
def test_a_partial_lands_on_its_pitch(semitones: float, stretching: str) -> None:
    lobe = partials(69.0)[0]
    moved = spectrum.shape(lobe, STFT, STFT.bin_hz, semitones, 440.0, stretching).astype(np.float64) ** 2  # type: ignore[arg-type]
    centre_hz = (moved * STFT.frequencies_hz()).sum() / moved.sum()
    cents = 1200 * np.log2(centre_hz / (440 * 2 ** (semitones / 12)))
    assert abs(cents) < (30 if semitones <= -12 else 10)


@pytest.mark.parametrize("octaves", [-2, -1, 1, 2])
def test_no_partial_is_lost_on_the_way(octaves: int) -> None:
    """Reading by interpolation loses up to 32 dB of a partial between two readings; differences of a cumulative sum lose none."""
    lobes = partials(60.0)[:4].astype(np.float64) ** 2
    moved = [spectrum.stretch(lobe, 2.0**octaves, len(lobe)).sum() for lobe in lobes]
    assert 10 * np.log10(np.max(moved / lobes.sum(1)) / np.min(moved / lobes.sum(1))) < 0.1


def width_hz(power: np.ndarray) -> float:
    frequencies = STFT.frequencies_hz()
    centre = (power * frequencies).sum() / power.sum()
    return float(np.sqrt((power * (frequencies - centre) ** 2).sum() / power.sum()))


def test_whole_partials_keep_their_width_and_stretched_ones_widen() -> None:
    power = partials(69.0)[0].astype(np.float64) ** 2
    assert width_hz(spectrum.move_partials(power, 4.0, len(power))) < 1.2 * width_hz(power)
    assert width_hz(spectrum.stretch(power, 4.0, len(power))) > 3 * width_hz(power)


def test_energy_at_0_hz_is_not_spread_below_the_moved_partials() -> None:
    power = partials(69.0).sum(0).astype(np.float64) ** 2
    power[:2] += 0.3 * power.max()  # as decoders do
    moved = spectrum.move_partials(power, 4.0, len(power))
    assert moved[:120].sum() < 1e-3 * moved.sum()


def test_formants_that_are_kept_stay_where_they_were() -> None:
    envelope = np.exp(-(((STFT.frequencies_hz() - 2000) / 600) ** 2))
    vowel = (partials(57.0).sum(0) > 0.1) * envelope
    centre = lambda m: float((m.astype(np.float64) ** 2 * STFT.frequencies_hz()).sum() / (m.astype(np.float64) ** 2).sum())  # noqa: E731
    moved, kept = (spectrum.shape(vowel.astype(np.float32), STFT, STFT.bin_hz, 7.0, 220.0, "auto", f) for f in ("move", "keep"))  # type: ignore[arg-type]
    assert abs(centre(kept) - centre(vowel)) < 0.3 * abs(centre(moved) - centre(vowel))


@pytest.mark.parametrize("rate_hz", [48000, 96000, 22050])
def test_another_rate_plays_the_same_pitch(rate_hz: int) -> None:
    stft = Stft.at_rate(rate_hz)
    moved = spectrum.shape(partials(69.0)[0], stft, STFT.bin_hz, 0.0, 440.0).astype(np.float64) ** 2
    assert (moved * stft.frequencies_hz()).sum() / moved.sum() == pytest.approx(440, rel=0.005)


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
    mono = np.concatenate([synthesise(scaled, carrier.kernels(hop)[:, None])[0] for hop in range(430)])
    loudness = pyloudnorm.Meter(44100).integrated_loudness(np.stack([mono, mono], 1))
    assert loudness == pytest.approx(spectrum.LOUDNESS_LUFS, abs=0.3)


def test_silence_stays_silence() -> None:
    assert spectrum.loudness_gains(np.zeros((1, 2049), np.float32), STFT) == [0.0]
    assert not spectrum.shape(np.zeros(2049, np.float32), STFT, STFT.bin_hz, 12.0, 440.0, "harmonics", "keep").any()


def test_nothing_sounds_below_20_hz_nor_at_nyquist() -> None:
    heard = spectrum.audible(STFT)
    assert not heard[:2].any() and heard[2] == 1.0 and heard[-1] == 0.0
