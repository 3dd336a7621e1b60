"""Of many voices that have moved some are made anew, and each comes in its turn."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from oscsynth.sound.turns import MOST_AT_ONCE, Turns, most_at_once


@given(st.integers(1, 40), st.integers(1, 60))
def test_nobody_waits_longer_than_all_others_take(n: int, n_changes: int) -> None:
    turns = Turns(n, MOST_AT_ONCE)
    everyone = np.arange(n)
    assert turns.some(everyone, 0.0).tolist() == everyone.tolist(), "those that never were come what may"
    last = np.zeros(n)
    for moment in range(1, n_changes + 1):
        some = turns.some(everyone, float(moment))
        assert len(some) == min(n, MOST_AT_ONCE) and turns.is_anyone_left == (n > MOST_AT_ONCE)
        assert (np.diff(some) > 0).all()
        last[some] = moment
    assert n_changes - last.min() < -(-n // MOST_AT_ONCE) + 1


def test_where_there_is_time_for_one_each_has_its_turn_the_new_ones_first() -> None:
    turns, order = Turns(8, MOST_AT_ONCE), []
    turns.some(np.arange(6), 0.0)
    for moment in range(1, 9):
        (one,) = turns.some(np.arange(8), float(moment), only_one=True).tolist()
        assert turns.is_anyone_left
        order.append(one)
    assert set(order[:2]) == {6, 7} and sorted(order[2:]) == list(range(6))


def test_offline_everyone_is_made_anew() -> None:
    turns = Turns(40, most_at_once(40, has_budget=False, is_tonal=True))
    for moment in (0.0, 1.0):
        assert len(turns.some(np.arange(40), moment)) == 40 and not turns.is_anyone_left


def test_who_is_left_is_not_forgotten_over_a_change_of_a_few() -> None:
    turns = Turns(40, MOST_AT_ONCE)
    turns.some(np.arange(20), 0.0)
    turns.some(np.arange(20), 1.0)
    assert turns.is_anyone_left
    turns.some(np.arange(20, 22), 2.0, are_all=False)
    assert turns.is_anyone_left
    turns.some(np.arange(8, 16), 3.0)
    assert not turns.is_anyone_left


def test_a_new_voice_and_one_that_moves_into_anothers_place_keep_their_turns() -> None:
    turns = Turns(40, MOST_AT_ONCE)
    turns.some(np.arange(20), 0.0)
    turns.begin(19)
    assert 19 in turns.some(np.arange(20), 1.0)
    turns.put(19, 0)
    assert 0 not in turns.some(np.arange(19), 2.0)


def test_of_many_that_begin_together_those_come_first_that_have_not_begun() -> None:
    turns = Turns(40, MOST_AT_ONCE, most_new=10)
    everyone, begun = np.arange(23), set()
    for moment, count in enumerate((10, 10, MOST_AT_ONCE)):
        some = turns.some(everyone, float(moment)).tolist()
        assert len(some) == count and turns.is_anyone_left
        assert len(set(some) - begun) == min(count, 23 - len(begun))
        begun |= set(some)
    assert len(begun) == 23
