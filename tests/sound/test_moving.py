import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oscsynth.sound import moving
from oscsynth.sound.phase import Stft
from tests.decoders import partials

STFT = Stft.at_rate(44100)


def stretch(power: np.ndarray, ratio: float) -> np.ndarray:
    return moving.stretch(power[None], np.array([ratio]), len(power))[0]


def move_partials(power: np.ndarray, ratio: float) -> np.ndarray:
    return moving.move_partials(power[None], np.array([ratio]), len(power))[0]


def shape(magnitude: np.ndarray, stft: Stft, bin_hz: float, semitones: float, pitch_hz: float, *more: str) -> np.ndarray:
    return moving.shape(magnitude[None], stft, bin_hz, np.array([semitones]), np.array([pitch_hz]), *more)[0]  # type: ignore[arg-type]


def harmonics(pitch_midi: float = 69.0) -> np.ndarray:
    return partials(pitch_midi).sum(0) ** 2.0


@given(semitones=st.floats(-24, 12), pitch=st.floats(50, 62))
@settings(max_examples=50, deadline=None)
def test_stretching_keeps_the_power(semitones: float, pitch: float) -> None:
    power = harmonics(pitch).astype(np.float64)
    moved = stretch(power, 2 ** (semitones / 12))
    assert moved.sum() == pytest.approx(power.sum(), rel=1e-3)
    assert (moved >= -1e-9).all()


def test_stretching_by_one_changes_nothing() -> None:
    power = harmonics().astype(np.float64)
    np.testing.assert_allclose(stretch(power, 1.0), power, atol=1e-12)


@pytest.mark.parametrize("semitones", [-24, -12, -7, -0.5, 3, 12, 24])
@pytest.mark.parametrize("stretching", ["spectrum", "harmonics", "auto"])
def test_a_partial_lands_on_its_pitch(semitones: float, stretching: str) -> None:
    lobe = partials(69.0)[0]
    moved = shape(lobe, STFT, STFT.bin_hz, semitones, 440.0, stretching).astype(np.float64) ** 2
    centre_hz = (moved * STFT.frequencies_hz()).sum() / moved.sum()
    cents = 1200 * np.log2(centre_hz / (440 * 2 ** (semitones / 12)))
    assert abs(cents) < (30 if semitones <= -12 else 10)


@pytest.mark.parametrize("octaves", [-2, -1, 1, 2])
def test_no_partial_is_lost_on_the_way(octaves: int) -> None:
    """Reading by interpolation loses up to 32 dB of a partial between two readings; differences of a cumulative sum lose none."""
    lobes = partials(60.0)[:4].astype(np.float64) ** 2
    moved = [stretch(lobe, 2.0**octaves).sum() for lobe in lobes]
    assert 10 * np.log10(np.max(moved / lobes.sum(1)) / np.min(moved / lobes.sum(1))) < 0.1


def width_hz(power: np.ndarray) -> float:
    frequencies = STFT.frequencies_hz()
    centre = (power * frequencies).sum() / power.sum()
    return float(np.sqrt((power * (frequencies - centre) ** 2).sum() / power.sum()))


def test_whole_partials_keep_their_width_and_stretched_ones_widen() -> None:
    power = partials(69.0)[0].astype(np.float64) ** 2
    assert width_hz(move_partials(power, 4.0)) < 1.2 * width_hz(power)
    assert width_hz(stretch(power, 4.0)) > 3 * width_hz(power)


def test_energy_at_0_hz_is_not_spread_below_the_moved_partials() -> None:
    power = partials(69.0).sum(0).astype(np.float64) ** 2
    power[:2] += 0.3 * power.max()  # as decoders do
    moved = move_partials(power, 4.0)
    assert moved[:120].sum() < 1e-3 * moved.sum()


def test_formants_that_are_kept_stay_where_they_were() -> None:
    envelope = np.exp(-(((STFT.frequencies_hz() - 2000) / 600) ** 2))
    vowel = (partials(57.0).sum(0) > 0.1) * envelope
    centre = lambda m: float((m.astype(np.float64) ** 2 * STFT.frequencies_hz()).sum() / (m.astype(np.float64) ** 2).sum())  # noqa: E731
    moved, kept = (shape(vowel.astype(np.float32), STFT, STFT.bin_hz, 7.0, 220.0, "auto", f) for f in ("move", "keep"))
    assert abs(centre(kept) - centre(vowel)) < 0.3 * abs(centre(moved) - centre(vowel))


@pytest.mark.parametrize("rate_hz", [48000, 96000, 22050])
def test_another_rate_plays_the_same_pitch(rate_hz: int) -> None:
    stft = Stft.at_rate(rate_hz)
    moved = shape(partials(69.0)[0], stft, STFT.bin_hz, 0.0, 440.0).astype(np.float64) ** 2
    assert (moved * stft.frequencies_hz()).sum() / moved.sum() == pytest.approx(440, rel=0.005)


def test_silence_stays_silence_however_it_is_moved() -> None:
    assert not shape(np.zeros(2049, np.float32), STFT, STFT.bin_hz, 12.0, 440.0, "harmonics", "keep").any()


@given(
    semitones=st.lists(st.one_of(st.just(0.0), st.floats(-30, 30)), min_size=1, max_size=6),
    stretching=st.sampled_from(("auto", "spectrum", "harmonics")),
    formants=st.sampled_from(("move", "keep")),
    rate_hz=st.sampled_from((44100, 48000, 96000)),
    seed=st.integers(0, 99),
)
@settings(max_examples=40, deadline=None)
def test_voices_moved_together_are_those_moved_alone(semitones: list[float], stretching: str, formants: str, rate_hz: int, seed: int) -> None:
    rng, stft = np.random.default_rng(seed), Stft.at_rate(rate_hz)
    magnitudes = (rng.random((len(semitones), 2049)) ** 4).astype(np.float32)
    magnitudes[rng.random(len(semitones)) < 0.2] = 0.0
    pitches = rng.uniform(60, 900, len(semitones))
    together = moving.shape(magnitudes, stft, STFT.bin_hz, np.array(semitones), pitches, stretching, formants)  # type: ignore[arg-type]
    alone = [shape(m, stft, STFT.bin_hz, s, p, stretching, formants) for m, s, p in zip(magnitudes, semitones, pitches, strict=True)]
    assert together.dtype == np.float32 and np.isfinite(together).all() and (together >= 0).all()
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-5)


def test_auto_goes_over_from_one_way_to_the_other_without_a_step() -> None:
    magnitude = partials(60.0).sum(0)
    moved = [shape(magnitude, STFT, STFT.bin_hz, 7 + step / 20, 261.6, "auto") for step in range(-5, 26)]
    steps = [float(np.abs(after - before).sum()) for before, after in itertools.pairwise(moved)]
    assert max(steps) < 2.5 * np.median(steps)
