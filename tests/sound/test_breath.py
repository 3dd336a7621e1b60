"""Tonal patches in the engine: loudness over the breath, onsets, slides, and what noise patches know of all that: nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oscsynth.patch import Patch
from oscsynth.sound.output import KNEE
from tests.sound.conftest import RATE_HZ, Player

from .test_bank import Keys
from .test_engine import second_difference, strongest_classes

Make = Callable[..., Player]
KINDS = ("breath", "transpose", "latent", "width", "note", "off")


@pytest.fixture
def keys(decoder_path: Path) -> Callable[..., Keys]:
    return lambda **fields: Keys(Patch("Test", str(decoder_path), **fields))


def heard_hz(sound: np.ndarray, expected_hz: np.ndarray) -> np.ndarray:
    """Return the frequency of the partial near a frequency, float64 (samples,): by its phase, through 46 ms."""
    turns = np.cumsum(expected_hz) / RATE_HZ
    window = np.blackman(2049)
    slow = np.convolve(sound[:, 0] * np.exp(-2j * np.pi * turns), window / window.sum(), "same")
    return np.asarray(expected_hz + np.gradient(np.unwrap(np.angle(slow))) * RATE_HZ / (2 * np.pi))


def test_equally_loud_from_tone_to_noise(player: Make) -> None:
    meter, loudness = pyloudnorm.Meter(RATE_HZ), []
    for breath in (0.0, 0.25, 0.5, 0.75, 1.0):
        play = player(phase="tonal")
        play.set("breath", breath)
        loudness.append(meter.integrated_loudness(play.render(6 * RATE_HZ)[RATE_HZ // 2 :]))
    assert max(loudness) - min(loudness) < 0.5 and loudness[0] == pytest.approx(-20.0, abs=0.5)


def test_breath_1_is_the_noise_of_a_noise_patch_and_a_noise_patch_has_no_breath(player: Make) -> None:
    tonal, noise, breathing = player(phase="tonal"), player(), player()
    tonal.set("breath", 1.0)
    breathing.set("breath", 0.0)
    wanted = noise.render(8192)
    np.testing.assert_array_equal(tonal.render(8192), wanted)
    np.testing.assert_array_equal(breathing.render(8192), wanted)


def test_breath_moves_without_a_click(player: Make) -> None:
    play = player(phase="tonal")
    bound = max(second_difference(play.render(16384)), second_difference(player().render(16384)))
    for breath in (0.3, 0.0, 1.0, 0.9, 0.0):
        play.set("breath", breath)
        assert second_difference(play.render(1500)) < 1.6 * bound


@pytest.mark.parametrize("chroma", [0, 5, 9])
def test_the_class_asked_for_is_heard(player: Make, chroma: int) -> None:
    play = player(phase="tonal")
    play.classes({chroma: 1.0})
    assert strongest_classes(play.render(RATE_HZ)) == {chroma}


def test_two_classes_are_two_tones(player: Make) -> None:
    play = player(phase="tonal")
    play.classes({0: 0.5, 6: 0.5})
    assert strongest_classes(play.render(RATE_HZ), 2) == {0, 6}


def test_a_note_sounds_from_its_very_sample_on_and_stands_where_it_should(keys: Callable[..., Keys]) -> None:
    play = keys(phase="tonal")
    play.render(1000)
    play.on(0, 69)
    sound = play.render(RATE_HZ)
    assert np.flatnonzero(sound[:, 0])[0] <= 2
    assert np.abs(sound[220:441]).max() > 0.5 * np.abs(sound).max()  # attack of 5 ms: full within 10
    np.testing.assert_allclose(heard_hz(sound, np.full(RATE_HZ, 440.0))[RATE_HZ // 2 : -2049], 440.0, atol=0.5)


def test_a_released_note_is_silent_to_the_last_bit(keys: Callable[..., Keys]) -> None:
    play = keys(phase="tonal")
    play.on(0, 60)
    play.on(1, 67.3)
    play.render(8192)
    play.off(0)
    play.off(1)
    play.render(int(0.1 * RATE_HZ) + 512)
    assert not play.render(4096).any()


def test_a_slide_of_an_octave_is_continuous(keys: Callable[..., Keys]) -> None:
    """In a second, 1.2 cents a millisecond: no step larger than 2."""
    play = keys(phase="tonal")
    play.set("glide", 1000.0)
    play.set("envelope/release", 5.0)
    play.on(0, 60)
    play.render(RATE_HZ // 2)
    play.off(0)
    play.on(1, 72)
    partials, heard = play.engine._parts[0].decks[0]._partials, [261.6256]
    for _ in range(RATE_HZ // 128 + 1):
        play.render(128)
        frequencies = partials._known[1][2].frequencies * RATE_HZ / 4096
        heard.append(float(frequencies[np.abs(frequencies - heard[-1]).argmin()]))
    cents = 1200 * np.log2(heard[1:])
    assert np.abs(np.diff(cents)).max() * 44.1 / 128 < 1.3
    assert cents[-1] - cents[0] == pytest.approx(1200, abs=6)


def test_a_loud_chord_passes_the_limiter_untouched(keys: Callable[..., Keys]) -> None:
    play = keys(phase="tonal")
    for voice, pitch in enumerate((48, 55, 60, 64)):
        play.on(voice, pitch)
    assert np.abs(play.render(RATE_HZ)).max() < KNEE


@given(
    st.lists(st.tuples(st.sampled_from(("breath", "transpose", "latent", "width", "note", "off")), st.floats(0, 1), st.integers(1, 700)), max_size=8)
)
@settings(max_examples=15, deadline=None)
def test_the_same_samples_for_every_split(decoder_path: Path, events: list[tuple[str, float, int]]) -> None:
    sounds = []
    for block in (0, 64, 37):
        play = Keys(Patch("Test", str(decoder_path), phase="tonal", breath=0.3))
        play.on(0, 57)
        out = [play.render(500, block)]
        for name, value, samples in events:
            if name == "note":
                play.on(1 + play.serial % 5, 40 + 50 * value)
            elif name == "off":
                play.off(1 + play.serial % 5)
            else:
                play.set(name, 12 * value if name == "transpose" else value)
            out.append(play.render(samples, block))
        sounds.append(np.concatenate(out))
    np.testing.assert_array_equal(sounds[0], sounds[1])
    np.testing.assert_array_equal(sounds[0], sounds[2])
