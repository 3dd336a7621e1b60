"""Notes that sound: pitch, envelope, expression, switches (design section 2)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from oscsynth.patch import Patch
from tests.sound.conftest import RATE_HZ, Player

from .test_engine import second_difference, strongest_classes


class Keys(Player):
    """A player of notes."""

    def __init__(self, *patches: Patch) -> None:
        super().__init__(*(dataclasses.replace(patch, mode="notes") for patch in patches))
        self.serial = 0
        for stage, value in (("attack", 5), ("decay", 0), ("release", 100)):
            self.set(f"envelope/{stage}", value)

    def on(self, voice: int, pitch: float, velocity: float = 1.0, part: int = 1) -> None:
        self.serial += 1
        for name, value in (("started", self.serial), ("part", part), ("pitch", pitch), ("velocity", velocity), ("bend", 0), ("pressure", 0)):
            self.state.set_voice(voice, name, value)

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
