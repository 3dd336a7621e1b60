"""The tone against what it stands for: windows added one by one, estimators that are not ours, and Griffin-Lim."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oscsynth.sound.lobes import _width_rows, lobes_of
from oscsynth.sound.overlap_add import Mix, OverlapAdd
from oscsynth.sound.phase import NoiseCarrier, Stft, sound_of
from oscsynth.sound.sway import STEPS, hann_lobe, sway_table, swaying_lobes
from oscsynth.sound.tonal import Apart, Partials, Tone

STFT = Stft.at_rate(44100)
N, HOP, N_BINS = STFT.window_samples, STFT.hop_samples, STFT.n_bins
HANN = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N) / N)
MONO = Mix.of(0.0, 0.0)
ONE = np.ones(1)


@pytest.fixture(scope="module")
def carrier() -> NoiseCarrier:
    return NoiseCarrier(STFT, seconds=0.5)


def spectrum_of(partials: dict[float, float], deviation: float = 0.0) -> np.ndarray:
    """Return magnitudes of some partials, hertz to amplitude, each swaying by some bins: float32 (1, n_bins)."""
    magnitude = np.zeros(N_BINS)
    for hz, amplitude in partials.items():
        x = np.arange(N_BINS) - hz / STFT.bin_hz
        near = np.abs(x) < 7
        magnitude[near] += amplitude * np.abs(swaying_lobes(np.array([deviation]), x[near])[0])
    magnitude[[0, 1, -1]] = 0.0
    return magnitude.astype(np.float32)[None]


def tone_of(magnitudes: np.ndarray, *pitches_hz: float) -> Tone:
    n = len(magnitudes)
    return Partials(STFT).change(0.0, Apart(magnitudes, np.ones(n), np.array(pitches_hz), tuple(range(n))))


def sounding(tone: Tone, hops: int) -> np.ndarray:
    return np.concatenate([sound_of(tone.spectrum(hop, 1))[0] for hop in range(hops)])


def analysed(sound: np.ndarray, hops: int) -> np.ndarray:
    return np.abs(np.fft.rfft(np.stack([sound[h * HOP : h * HOP + N] for h in range(hops)]) * HANN))


def convergence_db(sound: np.ndarray, magnitude: np.ndarray, hops: int) -> float:
    got = analysed(sound, hops)
    got *= (got * magnitude).sum() / (got * got).sum()
    return float(20 * np.log10(np.linalg.norm(got - magnitude) / (np.linalg.norm(magnitude) * hops**0.5)))


def test_the_closed_sum_is_that_of_four_windows() -> None:
    """Lobes with silence between them: each window apart has the magnitudes asked for, unit phasors, and alternate bends."""
    magnitudes = spectrum_of({500.3: 1.0, 1503.0: 0.5}, 1.0)
    tone = tone_of(magnitudes, np.nan)
    table, bins, lobes = sway_table(), np.arange(N_BINS), tone.lobes
    peaks = np.round(lobes.frequencies).astype(int)
    rows = _width_rows(magnitudes, np.zeros(2, int), peaks, lobes.frequencies)
    assert (rows > 4).all()
    columns = np.minimum(np.abs(bins - lobes.frequencies[lobes.owners[0]]) * STEPS + 0.5, 8 * STEPS).astype(int)
    at = rows[lobes.owners[0]] * (8 * STEPS + 1) + columns
    sound = np.zeros(12 * HOP + N)
    for window in range(12):
        turn = tone.phases_at(window * HOP + N / 2, N)[lobes.owners[0]]
        swing = tone.swings[lobes.owners[0]] * (1 if window % 2 == 0 else -1)
        phasors = np.exp(2j * np.pi * turn) * (-1.0) ** bins * (table.cosines[at] + 1j * swing * table.sines[at])
        np.testing.assert_allclose(np.abs(phasors), 1.0, atol=1e-5)
        sound[window * HOP : window * HOP + N] += np.fft.irfft(magnitudes[0] * phasors, N) * HANN / 1.5
    got = sounding(tone, 12)[3 * HOP :]
    wanted = sound[3 * HOP : 12 * HOP]
    got *= np.linalg.norm(wanted) / np.linalg.norm(got)  # its loudness is that of noise
    assert np.abs(got - wanted).max() < 2e-3 * np.abs(wanted).max()


def test_a_sine_stays_a_sine() -> None:
    sound = sounding(tone_of(spectrum_of({1000.0: 1.0}), 1000.0), 12)
    spectrum = np.abs(np.fft.rfft(sound * np.blackman(len(sound)))) ** 2
    peak = int(spectrum.argmax())
    assert peak * 44100 / len(sound) == pytest.approx(1000.0, abs=3.6)
    assert 10 * np.log10(1 - spectrum[peak - 3 : peak + 4].sum() / spectrum.sum()) < -50


def test_the_table_begins_with_a_hann_window_and_holds_phasors() -> None:
    table = sway_table()
    np.testing.assert_allclose(table.cosines**2 + table.sines**2, 1.0, atol=1e-5)
    assert (np.diff(table.widths) >= 0).all() and table.widths[0] == pytest.approx(2.08, abs=0.05)
    np.testing.assert_allclose(table.sines[: 8 * STEPS + 1], 0.0, atol=1e-6)
    x = np.arange(N) / N
    for bins in (0.0, 0.5, 1.5, 2.5):
        wanted = np.mean((0.5 - 0.5 * np.cos(2 * np.pi * x)) * np.exp(2j * np.pi * bins * (x - 0.5))) * 2
        assert hann_lobe(np.array([bins]))[0] == pytest.approx(wanted.real, abs=1e-6)


@pytest.mark.parametrize("midi", range(36, 97, 4))
def test_partials_that_are_off_are_brought_to_the_pitch(midi: int) -> None:
    """Every partial 20 to 30 cents off, as decoders have them; measured by librosa's yin."""
    hz, rng = 440.0 * 2 ** ((midi - 69) / 12), np.random.default_rng(midi)
    off = {hz * n * 2 ** (rng.uniform(-30, 30) / 1200): 1.0 / n for n in range(1, 9) if hz * n < 20000}
    sound = sounding(tone_of(spectrum_of(off), hz), 20)
    found = librosa.yin(sound.astype(float), fmin=50, fmax=2300, sr=44100, frame_length=4096, hop_length=1500)
    assert abs(1200 * np.log2(np.median(found) / hz)) < 10


def test_a_bell_keeps_its_partials() -> None:
    """What is no multiple of the pitch stays where it was."""
    tone = tone_of(spectrum_of({440.0: 1.0, 440 * 2.76: 0.5, 440 * 5.4: 0.3}), 440.0)
    np.testing.assert_allclose(tone.lobes.frequencies * STFT.bin_hz, [440.0, 440 * 2.76, 440 * 5.4], rtol=1e-3)


@pytest.mark.parametrize("deviation", [0.0, 0.5, 1.0, 2.0])
def test_lobes_of_any_width_converge_as_with_griffin_lim(deviation: float) -> None:
    magnitudes = spectrum_of({660.0 * n: 1.0 / n for n in range(1, 12)}, deviation)
    reference = librosa.griffinlim(np.repeat(magnitudes, 24, 0).T, n_iter=32, hop_length=HOP, n_fft=N, center=False, random_state=1)
    theirs = convergence_db(reference[4 * HOP :], magnitudes[0], 14)
    ours = convergence_db(sounding(tone_of(magnitudes, 660.0), 24)[4 * HOP :], magnitudes[0], 14)
    assert ours < theirs + 2.5


def some_magnitudes() -> st.SearchStrategy[np.ndarray]:
    """Anything: silence, single bins, the smallest and the largest, noise."""
    values = st.floats(0, 1e6, width=32) | st.just(0.0) | st.just(1e-30)
    return st.tuples(
        st.integers(0, 2**32 - 1), st.sampled_from((0.0, 0.001, 0.1, 1.0)), st.dictionaries(st.integers(2, N_BINS - 2), values, max_size=6)
    ).map(_drawn)


def _drawn(drawn: tuple[int, float, dict[int, float]]) -> np.ndarray:
    seed, density, bins = drawn
    rng = np.random.default_rng(seed)
    magnitude = (rng.random(N_BINS) * (rng.random(N_BINS) < density)).astype(np.float32)
    magnitude[list(bins)] = list(bins.values())
    magnitude[[0, 1, -1]] = 0.0
    return magnitude


@given(
    st.lists(some_magnitudes(), min_size=1, max_size=3), st.lists(st.floats(5, 20000) | st.just(np.nan), min_size=3, max_size=3), st.integers(0, 99)
)
@settings(max_examples=60, deadline=None)
def test_any_magnitudes_give_finite_sound_and_real_ends(rows: list[np.ndarray], pitches: list[float], hop: int) -> None:
    magnitudes = np.stack(rows)
    tone = tone_of(magnitudes, *pitches[: len(rows)])
    spectrum = tone.spectrum(hop, 2)
    assert spectrum.dtype == np.complex64 and np.isfinite(spectrum).all()
    assert (spectrum[:, [0, -1]].imag == 0).all()
    assert np.isfinite(sound_of(spectrum)).all()
    if not magnitudes.any():
        assert not spectrum.any()
    assert len(tone.lobes.counts) == len(rows) and (tone.lobes.counts >= 1).all()
    for owners, first, count in zip(tone.lobes.owners, np.cumsum(tone.lobes.counts) - tone.lobes.counts, tone.lobes.counts, strict=True):
        assert first <= owners.min() and owners.max() < first + count


def test_voices_together_are_the_voices_apart() -> None:
    magnitudes = np.concatenate([spectrum_of({hz * n * 1.004: 1 / n for n in range(1, most)}) for hz, most in ((220.0, 2), (331.0, 2), (497.0, 6))])
    together = tone_of(magnitudes, 220.0, 331.0, 497.0).spectrum(5, 2)
    apart = sum(tone_of(magnitudes[i : i + 1], hz).spectrum(5, 2) for i, hz in enumerate((220.0, 331.0, 497.0)))
    np.testing.assert_allclose(together, apart, atol=1e-4 * np.abs(together).max())


def test_a_voice_that_stands_still_is_not_taken_apart_again(monkeypatch: pytest.MonkeyPatch) -> None:
    magnitudes = np.concatenate([spectrum_of({hz: 1.0}) for hz in (220.0, 331.0)])
    partials, asked = Partials(STFT), []
    monkeypatch.setattr("oscsynth.sound.tonal.lobes_of", lambda rows, *rest: asked.append(len(rows)) or lobes_of(rows, *rest))
    for pitch in (331.0, 331.0, 332.0):
        partials.change(0.0, Apart(magnitudes, np.ones(2), np.array([220.0, pitch]), (0, 1)))
    assert asked == [2, 1]


@given(st.lists(st.tuples(st.integers(1, 400), st.floats(0.3, 3.0), st.floats(0, 1)), min_size=1, max_size=8))
@settings(max_examples=25, deadline=None)
def test_changes_at_any_sample_do_not_click(carrier: NoiseCarrier, changes: list[tuple[int, float, float]]) -> None:
    """A glide to any pitch, with any gain up to 1: the second difference stays near that of the highest steady sound."""
    adder, partials, at, blocks, bound = OverlapAdd(carrier, 0, 5), Partials(STFT), 0, [], 0.0
    for wait, ratio, gain in [(1500, 1.0, 1.0), *changes, (1500, 1.0, 1.0)]:
        hz = 330.0 * ratio
        magnitudes = spectrum_of({hz * n: 100.0 / n**2 for n in range(1, 5)})
        tone = partials.change(at + 128, Apart(magnitudes, np.full(1, gain), np.array([hz]), (0,)))
        adder.change(at, 128, None, MONO, tone)
        bound = max(bound, np.abs(np.diff(sounding(tone, 4), 2)).max() / max(gain, 1e-3))
        stop = at + wait
        while at < stop:
            size = min(stop - at, HOP - at % HOP)
            blocks.append(np.zeros((size, 2), np.float32))
            adder.add_to(blocks[-1], at)
            at += size
    sound = np.concatenate(blocks)[256:, 0]
    assert np.abs(np.diff(sound, 2)).max() < 1.5 * bound


def test_a_slide_has_no_steps(carrier: NoiseCarrier) -> None:
    """An octave in a second, 1.2 cents a millisecond, through changes at the clock: no step of 2 cents, as a filter of 12 ms sees it."""
    adder, partials, out = OverlapAdd(carrier, 0, 5), Partials(STFT), np.zeros((44032, 2), np.float32)
    for start in range(0, len(out), 128):
        hz = 700.0 * 2.0 ** ((start + 64) / 44100)
        tone = partials.change(start + 128, Apart(spectrum_of({hz: 1.0}), ONE, np.array([hz]), (0,)))
        adder.change(start, 128, None, MONO, tone)
        adder.add_to(out[start : start + 128], start)
    way = 700.0 * 2.0 ** (np.arange(len(out)) / 44100)
    window = np.blackman(513)
    slow = np.convolve(out[:, 0] * np.exp(-2j * np.pi * np.cumsum(way) / 44100), window, "same")
    cents = 1200 * np.log2(way + np.gradient(np.unwrap(np.angle(slow))) * 44100 / (2 * np.pi))
    assert np.abs(np.diff(cents[1000:-1000:44])).max() < 2.0


def test_partials_go_on_where_they_stand() -> None:
    """Half a semitone up in the middle: no jump of the phase, for the fundamental by itself."""
    partials = Partials(STFT)
    before = partials.change(0.0, Apart(spectrum_of({440.0: 1.0}), ONE, np.array([440.0]), (0,)))
    after = partials.change(5000.0, Apart(spectrum_of({453.0: 1.0}), ONE, np.array([453.0]), (0,)))
    assert after.phases_at(5000.0, N)[0] % 1.0 == pytest.approx(before.phases_at(5000.0, N)[0] % 1.0, abs=1e-9)
    other = partials.change(5000.0, Apart(spectrum_of({453.0: 1.0}), ONE, np.array([453.0]), (1,)))
    assert other.phases[0] == 0.0  # another voice begins by itself


def test_both_sides_hear_the_same_and_mono_has_no_dip() -> None:
    tone = tone_of(spectrum_of({hz: 1.0 for hz in (300.0, 700.0, 1300.0)}), np.nan)
    mid, side = tone.spectrum(3, 2)
    np.testing.assert_allclose(np.abs(mid + 0.7 * side), np.abs(mid - 0.7 * side), atol=1e-3 * np.abs(mid).max())
    np.testing.assert_allclose(np.abs(side), np.abs(mid), atol=1e-3 * np.abs(mid).max())


@pytest.mark.parametrize("deviation", [0.0, 1.0, 2.5])
def test_a_tone_is_as_loud_as_the_noise_of_its_magnitudes(carrier: NoiseCarrier, deviation: float) -> None:
    magnitudes = spectrum_of({1100.0 * n: 1.0 / n for n in range(1, 10)}, deviation)
    long = NoiseCarrier(STFT, seconds=10.0)
    adder = OverlapAdd(long, 0, 5)
    adder.change(0, 1, magnitudes[0], MONO)
    noise = np.zeros((8 * 44100 // HOP * HOP, 2), np.float32)
    for start in range(0, len(noise), HOP):
        adder.add_to(noise[start : start + HOP], start)
    tone = sounding(tone_of(magnitudes, 1100.0), 32)
    assert 20 * np.log10(tone.std() / noise[4096:, 0].std()) == pytest.approx(0.0, abs=0.5)


def test_the_wave_is_flat() -> None:
    """A hundred partials of one strength, all beginning together: what begins as a pulse has a crest of 23 dB."""
    sound = sounding(tone_of(spectrum_of({150.0 * n: 1.0 for n in range(1, 101)}), 150.0), 8)
    assert 20 * np.log10(np.abs(sound).max() / sound.std()) < 10
