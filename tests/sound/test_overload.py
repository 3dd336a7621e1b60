"""What is given up under overload, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oscsynth.patch import Patch, Velocity
from oscsynth.sound.overload import COARSEST, END_LOAD, FADE_SECONDS, SETTLE_SECONDS, WINDOW_SAMPLES, Overload
from tests.sound.conftest import RATE_HZ, Player

from .test_bank import Keys
from .test_engine import second_difference

FADE_SAMPLES = round(FADE_SECONDS * RATE_HZ) + 256


def told(
    overload: Overload, *loads: float, n_samples: int = WINDOW_SAMPLES, waited_samples: int = -1, apart_samples: int = 0, finer_work: float = 2.0
) -> list[float]:
    """Return what share it gives up after each block of such a load."""
    length_seconds = n_samples / RATE_HZ
    return [overload(load * length_seconds, length_seconds, n_samples, waited_samples, apart_samples, finer_work) for load in loads]


@pytest.fixture
def keys(decoder_path: Path) -> Keys:
    return Keys(Patch("Test", str(decoder_path), voices=64))


def pitches(keys: Keys) -> set[float]:
    """Return which notes go on."""
    keys.render(FADE_SAMPLES)
    bank = keys.bank
    return set(bank._pitches[: bank.n_voices].tolist())


def test_one_block_that_was_held_up_costs_nothing() -> None:
    overload = Overload()
    assert not any(told(overload, *[0.3, 5.0] * 20)) and overload.coarseness == 1


def test_moving_sounds_become_coarse_step_by_step_before_a_note_goes() -> None:
    overload = Overload()
    assert not any(told(overload, *[0.55] * 20)) and overload.coarseness == 1
    assert told(overload, 0.7, 0.7) == [0, 0] and overload.coarseness == 2
    assert not any(told(overload, *[0.5] * 20)) and overload.coarseness == 2, "that it is coarse may be enough"
    assert not any(told(overload, *[0.7] * 20)) and overload.coarseness == COARSEST
    assert sum(told(overload, *[0.9] * 4)) > 0


def test_as_many_go_as_are_too_much_and_then_it_is_seen_what_came_of_it() -> None:
    overload = Overload()
    given_up = told(overload, *[1.3] * 12)
    at = np.flatnonzero(given_up)
    assert given_up[at[0]] == pytest.approx(1 - END_LOAD / 1.3) and (np.diff(at) * WINDOW_SAMPLES / RATE_HZ >= SETTLE_SECONDS).all()


def test_it_begins_above_one_load_and_ends_below_a_lower_one() -> None:
    overload = Overload()
    assert not any(told(overload, *[0.78] * 50))
    assert any(any(told(overload, 0.85)) for _ in range(10))
    assert any(told(overload, *[0.77] * 10)), "once begun it goes on until there is room"
    assert not any(told(overload, *[0.6] * 10))
    assert not any(told(overload, *[0.78] * 50))


def test_what_helps_nothing_is_not_gone_on_with_while_blocks_are_in_time() -> None:
    overload = Overload()
    assert sum(share > 0 for share in told(overload, *[0.88] * 100)) == 1, "it is as before: most is the same for one note as for ten"
    assert any(told(overload, *[0.95] * 10))
    assert not any(told(overload, *[0.88] * 100))
    told(overload, *[0.2] * 100)
    assert any(told(overload, *[0.88] * 100)), "a second of calm, and it may help again"


def test_it_is_fine_again_after_a_second_of_calm() -> None:
    overload = Overload()
    told(overload, 0.9, 0.9, *[0.5] * 200)
    assert overload.coarseness == 2, "twice the work would be too much"
    told(overload, *[0.2] * 100)
    assert overload.coarseness == 1
    told(overload, *[0.7] * 20, *[0.2] * 100)
    assert overload.coarseness == COARSEST // 2, "one step in a second"


def test_where_no_block_has_more_to_do_it_is_fine_again_whatever_one_change_takes() -> None:
    overload = Overload()
    told(overload, 0.9, 0.9, *[0.55] * 200, finer_work=1.0)
    assert overload.coarseness == 1
    told(overload, 0.9, 0.9, *[0.45] * 200, finer_work=1.5)
    assert overload.coarseness == 2, "half as much again would be too much"


@pytest.mark.parametrize(
    ("n_parts", "n_samples", "coarseness", "wanted"),
    [(1, 128, 2, 1.0), (1, 64, 1, 1.0), (1, 256, 2, 2.0), (1, 512, 4, 2.0), (2, 128, 2, 2.0), (2, 128, 4, 1.0)],
)
def test_changes_twice_as_close_are_twice_as_many_only_where_a_block_holds_several(
    player: Callable[..., Player], n_parts: int, n_samples: int, coarseness: int, wanted: float
) -> None:
    play = player()
    play.engine.coarseness = coarseness
    for part in range(1, n_parts + 1):
        play.open(part)
    for step in range(40):
        for part in range(1, n_parts + 1):
            play.latents(0.2 + 0.01 * step, part=part)
        play.render(128)
    assert play.engine.finer_work(n_samples) == wanted


@given(st.lists(st.floats(0, 20), max_size=60), st.sampled_from([32, 64, 256, 512, 2048]))
def test_no_more_go_than_there_are_and_none_while_there_is_room(loads: list[float], n_samples: int) -> None:
    assert all(0 <= share < 1 for share in told(Overload(), *loads, n_samples=n_samples))
    assert not any(told(Overload(), *[min(load, END_LOAD) for load in loads], n_samples=n_samples))


def test_in_short_blocks_the_one_that_has_all_of_the_work_counts() -> None:
    assert any(told(Overload(), *[1.2, 0.1, 0.1, 0.1] * 50, n_samples=128))
    assert not any(told(Overload(), *[0.5, 0.1, 0.1, 0.1] * 50, n_samples=128))


def test_changes_that_come_seldom_are_waited_for() -> None:
    loads = [1.2, *[0.1] * 7] * 20
    assert not any(told(Overload(), *loads, n_samples=256)), "each alone, for all that is known"
    assert any(told(Overload(), *loads, n_samples=256, apart_samples=2048))


def test_what_is_put_off_between_two_full_blocks_is_no_calm_and_no_reason_either() -> None:
    overload, given_up = Overload(), 0.0
    for _ in range(20):
        given_up += sum(told(overload, 1.2)) + sum(told(overload, 0.1, waited_samples=512))
    assert given_up > 0
    assert not any(told(overload, *[0.1] * 50, waited_samples=512))


def test_released_notes_go_first_the_quietest_before_the_rest(keys: Keys) -> None:
    keys.set("envelope/release", 60_000)
    for voice, velocity in enumerate((1.0, 0.2, 0.6)):
        keys.on(voice, 60 + voice, velocity)
    keys.on(3, 63)
    keys.render(4096)
    for voice in range(3):
        keys.off(voice)
    keys.render(4096)
    gone = []
    for _ in range(3):
        before = pitches(keys)
        assert keys.engine.shed(1) == 1
        gone += before - pitches(keys)
    assert gone == [61, 62, 60] and pitches(keys) == {63}


def test_then_the_oldest_goes_even_where_another_has_its_place(keys: Keys) -> None:
    for voice in range(4):
        keys.on(voice, 60 + voice)
    keys.render(4096)
    keys.on(0, 70)  # the oldest is played again
    keys.render(4096)
    assert keys.engine.shed(1) == 1 and pitches(keys) == {70, 62, 63}
    assert keys.engine.shed(1) == 1 and pitches(keys) == {70, 63}


def test_who_is_hardly_heard_goes_before_the_oldest_and_who_has_just_begun_does_not(decoder_path: Path) -> None:
    keys = Keys(Patch("Test", str(decoder_path), velocity=Velocity(loudness_db=60)))
    keys.on(0, 60)
    keys.render(4096)
    keys.on(1, 61, velocity=0.001)
    keys.render(4096)
    keys.set("envelope/attack", 10_000)
    keys.on(2, 62)
    keys.render(512)
    keys.engine.shed(1)
    assert pitches(keys) == {60, 62}
    keys.engine.shed(1)
    assert pitches(keys) == {62}


def test_of_all_parts_the_oldest_goes(decoder_path: Path) -> None:
    keys = Keys(Patch("Test", str(decoder_path)))
    keys.open(part=2)
    keys.on(0, 60, part=2)
    keys.on(1, 61)
    keys.render(4096)
    keys.engine.shed(1)
    assert pitches(keys) == {61} and keys.engine.sounding_voices == 1


def test_a_note_that_is_on_its_way_out_is_not_given_up_twice(keys: Keys) -> None:
    keys.on(0, 60)
    keys.render(4096)
    assert keys.engine.shed(5) == 1 and keys.engine.shed(5) == 0


def test_a_note_that_was_given_up_stays_so_until_it_is_played_again(keys: Keys) -> None:
    keys.on(0, 60)
    keys.render(4096)
    keys.engine.shed(1)
    keys.render(2 * FADE_SAMPLES)
    keys.latents(0.3)
    assert not keys.render(4096).any()
    keys.on(0, 60)
    assert keys.render(4096).any()


def test_giving_up_clicks_nowhere(keys: Keys) -> None:
    for voice in range(16):
        keys.on(voice, 48 + voice)
    keys.render(RATE_HZ // 2)
    steady = max(second_difference(keys.render(4096)) for _ in range(4))
    keys.engine.shed(12)
    assert second_difference(keys.render(4096)) < 1.05 * steady and keys.engine.sounding_voices == 4


@pytest.mark.parametrize(
    ("coarseness", "n_notes", "clocks"), [(1, 1, 1), (1, 20, 2), (2, 1, 2), (2, 20, 4), (4, 20, 8), (8, 1, 8), (8, 20, 16), (16, 20, 16)]
)
def test_coarse_sound_comes_at_fewer_instants(keys: Keys, coarseness: int, n_notes: int, clocks: int) -> None:
    keys.engine.coarseness = coarseness
    for voice in range(n_notes):
        keys.on(voice, 60 + voice)
    for step in range(32):
        keys.latents(0.2 + 0.02 * step)
        keys.render(256)
    assert keys.engine._clock == clocks * keys.engine.stft.clock_samples


@pytest.mark.parametrize("coarseness", [2, 4, 8, 16])
def test_coarse_sound_clicks_nowhere_on_the_way_there_and_back(player: Callable[..., Player], coarseness: int) -> None:
    roughest = []
    for other in (1, coarseness):
        play, most = player(), 0.0
        for step in range(100):
            play.latents(*(0.5 + 0.45 * np.sin(0.3 * step + k) for k in range(3)))
            play.engine.coarseness = (1, other)[step // 4 % 2]
            most = max(most, second_difference(play.render(735)))
        roughest.append(most)
    assert roughest[1] < 1.05 * roughest[0]
