"""Notes that sound: pitch, envelope, expression, switches (design section 2)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest

from oscsynth.patch import LatentControl, Patch, Pressure, Velocity
from oscsynth.sound.bank import Bank
from oscsynth.sound.budget import Budget
from oscsynth.sound.decoder import Decoder
from oscsynth.sound.output import KNEE
from tests.sound.conftest import RATE_HZ, Player

from .test_engine import second_difference, strongest_classes


class Keys(Player):
    """A player of notes."""

    def __init__(self, *patches: Patch, budget: Budget | None = None) -> None:
        super().__init__(*(dataclasses.replace(patch, mode="notes") for patch in patches), budget=budget)
        self.serial = 0
        for stage, value in (("attack", 5), ("decay", 0), ("release", 100)):
            self.set(f"envelope/{stage}", value)

    def on(self, voice: int, pitch: float, velocity: float = 1.0, part: int = 1) -> None:
        self.serial += 1
        for name, value in (("started", self.serial), ("part", part), ("pitch", pitch), ("velocity", velocity), ("bend", 0), ("pressure", 0)):
            self.state.set_voice(voice, name, value)

    @property
    def bank(self) -> Bank:
        bank = self.engine._parts[0].decks[-1]._bank
        assert bank is not None
        return bank

    def off(self, voice: int) -> None:
        self.state.set_voice(voice, "ended", self.state.get_voice(voice, "started"))


Make = Callable[..., Keys]


@pytest.fixture
def keys(decoder_path: Path) -> Make:
    return lambda **fields: Keys(Patch("Test", str(decoder_path), **fields))


def test_silent_until_a_note_and_from_its_very_sample_on(keys: Make) -> None:
    play = keys()
    assert not play.render(1000).any()
    play.on(0, 69)
    sound = play.render(4096)
    assert np.flatnonzero(sound[:, 0])[0] <= 2


def test_a_released_note_is_silent_to_the_last_bit_in_time(keys: Make) -> None:
    play = keys()
    play.on(0, 69)
    play.render(RATE_HZ // 2)
    play.off(0)
    play.render(int(0.1 * RATE_HZ) + 512)
    assert play.engine.sounding_voices == 0 and not play.render(4096).any()
    assert play.render(10)[0, 0] == 0 and play.engine._parts[0].decks[0].is_settled()


def test_a_note_that_begins_and_ends_within_a_block_is_heard(keys: Make) -> None:
    play = keys()
    play.render(100)
    play.on(0, 69)
    play.off(0)
    assert np.abs(play.render(8192)).max() > 0.01
    assert play.engine.sounding_voices == 0


@pytest.mark.parametrize("pitch", [45, 60, 69, 70, 81])
def test_the_note_asked_for_is_heard(keys: Make, pitch: int) -> None:
    play = keys()
    play.on(3, pitch)
    assert strongest_classes(play.render(RATE_HZ)) == {pitch % 12}


def test_two_notes_are_both_heard_and_one_voice_is_as_loud_whatever_the_others_do(keys: Make) -> None:
    play = keys()
    play.on(0, 60)
    play.on(1, 66)
    assert strongest_classes(play.render(RATE_HZ), 2) == {0, 6}


def test_held_notes_take_the_new_patch_without_a_gap_and_released_ones_end_in_the_old(decoder_path: Path) -> None:
    play = Keys(Patch("One", str(decoder_path)), Patch("Two", str(decoder_path), seed=5))
    play.set("envelope/release", 1000)
    play.on(0, 60)
    play.on(1, 66)
    before = play.render(RATE_HZ)
    play.off(1)
    play.render(128)
    play.set("patch", 2)
    switch = play.render(4096)
    assert [deck.n_voices for deck in play.engine._parts[0].decks] == [1, 1]
    assert second_difference(switch) < 1.2 * second_difference(before)
    levels = [float(np.sqrt(np.mean(switch[k : k + 441] ** 2))) for k in range(0, 4096 - 441, 147)]
    assert min(levels) > 0.2 * float(np.sqrt(np.mean(before[4096:] ** 2)))
    play.render(RATE_HZ)
    assert [deck.n_voices for deck in play.engine._parts[0].decks] == [1]


def test_velocity_and_pressure_are_loudness_and_latents_as_the_patch_says(keys: Make) -> None:
    latents = {"bow": LatentControl(1, slew_ms=0)}
    play = keys(latents=latents, velocity=Velocity(20.0, latents={"bow": 0.5}), pressure=Pressure(6.0, latents={"bow": -0.25}))
    play.latents(0.25)
    play.on(0, 60, 1.0)
    play.on(1, 60, 0.5)
    play.render(4096)
    bank = play.bank
    assert bank.gains[0] / bank.gains[1] == pytest.approx(10 ** (10 / 20))
    assert bank._spectra._faders[:2, 0] == pytest.approx([0.75, 0.5])
    play.state.set_voice(0, "pressure", 1.0)
    play.render(RATE_HZ // 4)
    assert bank.gains[0] / bank.gains[1] == pytest.approx(10 ** (16 / 20)) and bank._spectra._faders[0, 0] == pytest.approx(0.5)


def test_a_note_may_have_latents_of_its_own(keys: Make) -> None:
    play = keys()
    play.on(0, 60)
    play.on(1, 60)
    play.state.set_voice(1, "latent", 0.9, 2)
    play.latents(0.1, 0.2, 0.3)
    play.render(RATE_HZ // 4)
    assert play.bank._spectra._faders[:2] == pytest.approx(np.array([[0.1, 0.2, 0.3], [0.1, 0.2, 0.9]]))


def test_a_fast_release_is_short_where_the_patch_says_so(keys: Make) -> None:
    play = keys(velocity=Velocity(release=1.0))
    play.set("envelope/release", 1000)
    for voice, release in ((0, 0.0), (1, 0.9)):
        play.on(voice, 60 + voice)
        play.state.set_voice(voice, "release", release)
    play.render(4096)
    play.off(0)
    play.off(1)
    play.render(int(0.15 * RATE_HZ))
    assert play.engine.sounding_voices == 1


def test_eight_notes_are_as_loud_as_a_drone_and_far_from_the_limiter(keys: Make) -> None:
    play = keys(voices=16)
    for voice, pitch in enumerate((48, 55, 60, 64, 67, 70, 74, 79)):
        play.on(voice, pitch)
    play.set("width", 1.0)
    play.render(RATE_HZ)
    sound = play.render(8 * RATE_HZ)
    assert pyloudnorm.Meter(RATE_HZ).integrated_loudness(sound) == pytest.approx(-20, abs=1.5)
    assert np.abs(sound).max() < KNEE


def test_only_what_moves_is_decoded(keys: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[int] = []
    decode = Decoder.decode
    monkeypatch.setattr(Decoder, "decode", lambda decoder, positions, *more: rows.append(len(positions)) or decode(decoder, positions, *more))
    play = keys(voices=64, latents={"l1": LatentControl(1, slew_ms=0)})
    rows.clear()
    for voice in range(40):
        play.on(voice, 40 + voice)
    play.render(256)
    assert rows == [40]
    play.state.set_voice(7, "bend", 1.0)  # the pitch moves the stretch, not the decoder
    play.render(8192)
    assert rows == [40]
    play.state.set_voice(7, "latent", 0.1, 0)
    play.on(40, 90)
    play.render(8192)
    assert sum(rows) == 42
    play.latents(0.9)
    play.render(8192)
    assert rows[-1] == 40  # all but the one whose own it is


def semitones(play: Keys, n_samples: int) -> np.ndarray:
    """Return where the first voice stands after each millisecond, in semitones, float64 (milliseconds,)."""
    steps = []
    for _ in range(n_samples * 1000 // RATE_HZ):
        play.render(RATE_HZ // 1000)
        steps.append(12 * np.log2(play.bank.pitches_hz[0] / 440) + 69)
    return np.array(steps)


@pytest.mark.parametrize("rate_hz", [30, 60, 250])
def test_a_bend_over_an_octave_in_a_second_has_no_step(keys: Make, rate_hz: int) -> None:
    play = keys()
    play.on(0, 60)
    play.render(4096)
    heard = []
    for step in range(rate_hz):
        play.state.set_voice(0, "bend", 12 * (step + 1) / rate_hz)
        heard.append(semitones(play, RATE_HZ // rate_hz))
    heard.append(semitones(play, RATE_HZ // 10))
    slide = np.concatenate(heard)
    assert slide[0] == pytest.approx(60, abs=0.5) and slide[-1] == pytest.approx(72)
    assert_slow(slide)


def test_a_glide_over_an_octave_in_a_second_has_no_step(keys: Make) -> None:
    play = keys(voices=1)
    play.set("glide", 1000)
    play.on(0, 60)
    play.render(4096)
    play.on(0, 72)
    slide = semitones(play, RATE_HZ * 11 // 10)
    assert slide[0] == pytest.approx(60, abs=0.1) and slide[500] == pytest.approx(66, abs=0.1) and slide[-1] == pytest.approx(72)
    assert_slow(slide)


def assert_slow(slide: np.ndarray) -> None:
    """No more than 2 cents a millisecond, where a change that the clock makes is heard over a clock's length and more."""
    clock_ms = 128 / RATE_HZ * 1000
    at = np.flatnonzero(np.diff(slide))
    waited = np.maximum(np.diff(at, prepend=at[0] - clock_ms), clock_ms)
    assert (np.abs(np.diff(slide)[at]) * 100 / waited).max() < 2.0


def test_a_chord_after_a_note_glides_from_that_note(keys: Make) -> None:
    play = keys()
    play.set("glide", 500)
    play.on(0, 60)
    play.render(1000)
    play.on(1, 64)
    play.on(2, 67)
    play.render(128)
    assert 12 * np.log2(play.bank.pitches_hz[:3] / 440) + 69 == pytest.approx([60, 60, 60], abs=0.1)


def test_a_stolen_voice_begins_anew_without_a_click(keys: Make) -> None:
    play = keys()
    play.on(0, 40)
    play.render(8192)
    steady = second_difference(play.render(20480))
    changing = []
    for step in range(60):
        play.on(0, 40 + step % 3)
        changing.append(second_difference(play.render(1000)))
    assert max(changing) < 1.2 * steady


def test_the_clock_is_twice_as_long_while_many_move(keys: Make) -> None:
    play = keys(voices=64)
    for voice in range(40):
        play.on(voice, 40 + voice)
    play.render(8192)
    spreads: set[int] = set()
    for count, expected in ((16, 128), (17, 256), (16, 128)):
        for _ in range(40):
            for voice in range(count):
                play.state.set_voice(voice, "bend", float(np.random.default_rng().random()))
            play.render(256)
        spreads = {layer.spread for layer in play.engine._parts[0].decks[0]._sound._layers}
        assert spreads == {expected}
        play.render(8192)


@pytest.mark.parametrize("block", [64, 100, 1024])
def test_the_same_notes_render_the_same_for_every_block_size(keys: Make, block: int) -> None:
    def played(block: int) -> np.ndarray:
        play, rng, pieces = keys(voices=64), np.random.default_rng(5), []
        play.set("glide", 40)
        for step in range(60):
            voice = int(rng.integers(24))
            if rng.random() < 0.6:
                play.on(voice, float(rng.uniform(40, 80)), float(rng.random()))
            else:
                play.off(voice)
            play.state.set_voice(int(rng.integers(24)), "bend", float(rng.normal()))
            if step % 5 == 0:
                play.latents(*rng.random(3))
            pieces.append(play.render(int(rng.integers(1, 1500)), block))
        return np.concatenate(pieces)

    np.testing.assert_allclose(played(block), played(0), atol=1e-6)


def test_panic_silences_also_what_goes_on_under_an_earlier_patch(decoder_path: Path) -> None:
    play = Keys(Patch("One", str(decoder_path)), Patch("Two", str(decoder_path)))
    play.set("envelope/release", 20000)
    play.on(0, 60)
    play.render(4096)
    play.off(0)
    play.set("patch", 2)
    play.render(4096)
    assert play.engine.sounding_voices == 1
    play.set("panic", 1)
    play.render(1024)
    assert not play.render(1024).any() and play.engine.sounding_voices == 0


def test_a_new_engine_begins_with_the_notes_that_are_held(decoder_path: Path) -> None:
    play = Keys(Patch("One", str(decoder_path)))
    play.on(0, 60)
    play.on(1, 64)
    play.off(1)
    play.render(4096)
    assert play.engine.sounding_voices == 1
