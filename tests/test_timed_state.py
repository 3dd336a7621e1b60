"""What is in force at each sample, whatever the blocks."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oscsynth.link import SharedMemory
from oscsynth.parameters import MASTER_SLOTS, N_SLOTS, PART_SLOTS, State, voice_at
from oscsynth.timed_state import MAX_INSTANTS, TimedState

RATE_HZ, CLOCK = 44100, 128
BEGUN = 1000.0  # when sample 0 is rendered
PAN, GATE = (N_SLOTS + PART_SLOTS[name].start for name in ("pan", "gate"))


class Session:
    """Control's side and the engine's, with a device that is never late."""

    def __init__(self):
        self.memory, self.state = SharedMemory(), State()
        self.timed = TimedState(self.memory, RATE_HZ, CLOCK)
        self.position = 0
        self.stood = np.zeros(0)  # the last state in force

    def states(self, n_samples, seconds, timed=None):
        """Return the state, and for how many samples, of each piece of a block."""
        found = []
        for state, n in (timed or self.timed).pieces(self.position, n_samples, seconds):
            self.stood = self.stood if state is None else state.copy()
            found.append((self.stood, n))
        self.position += n_samples
        return found

    def ahead(self, *changes):
        """Write changes: a sample, a place and a value each."""
        self.state.ahead = array("d", [number for sample, at, value in changes for number in (BEGUN + sample / RATE_HZ, at, value)])
        self.memory.write_state(self.state)

    def block(self, n_samples=256, late=0.0, timed=None):
        """Return the pan, and the gate, at each sample of the next block."""
        states = self.states(n_samples, BEGUN + self.position / RATE_HZ + late, timed)
        pieces = [np.repeat(state.ravel()[[PAN, GATE]][None], n, 0) for state, n in states]
        assert all(len(piece) for piece in pieces)
        return np.concatenate(pieces).T


@pytest.fixture
def session() -> Iterator[Session]:
    session = Session()
    yield session
    session.memory.close()


def onsets(values):
    """Return where something changes, with what it becomes."""
    at = np.flatnonzero(np.diff(values)) + 1
    return [(int(n), float(values[n])) for n in at]


def test_a_change_acts_at_its_sample_and_all_of_an_instant_together(session):
    session.ahead((100, PAN, 0.5), (100, GATE, 1), (300, PAN, -0.5))
    pan, gate = np.concatenate([session.block(), session.block()], 1)
    assert onsets(pan) == [(100, 0.5), (300, -0.5)] and onsets(gate) == [(100, 1)]


def test_taking_it_over_changes_nothing(session):
    session.ahead((100, PAN, 0.5))
    session.block()
    session.state.set(1, "pan", 0.5)
    session.ahead()
    assert set(session.block()[0]) == {0.5}


def test_overdue_ones_act_at_once_in_order(session):
    session.position = 1000
    session.ahead((100, PAN, 0.5), (200, PAN, 0.7), (900, GATE, 1))
    pan, gate = session.block()
    assert set(pan) == {0.7} and set(gate) == {1}


def test_a_new_engine_has_them_too(session):
    session.ahead((400, PAN, 0.5), (100, GATE, 1))
    session.block()
    pan, _ = session.block(timed=TimedState(session.memory, RATE_HZ, CLOCK))
    assert onsets(pan) == [(400 - 256, 0.5)]


def test_late_blocks_do_not_move_it(session):
    for _ in range(200):
        session.block()
    session.ahead((200 * 256 + 300, PAN, 0.5))
    pan = np.concatenate([session.block(late=0.004)[0], session.block(late=0.003)[0]])
    assert onsets(pan) == [(300, 0.5)]


def test_what_has_happened_stays_when_the_clock_is_put_right(session):
    for _ in range(20):
        session.block()
    session.ahead((20 * 256 + 250, PAN, 0.5))
    session.block()
    for _ in range(200):  # 20 ms were lost
        assert set(session.block(late=0.02)[0]) == {0.5}
    assert session.timed.clock.seconds(0) == pytest.approx(BEGUN + 0.02, abs=1e-4)
    assert session.timed.reached_seconds > BEGUN + 0.02 + 221 * 256 / RATE_HZ - 1e-4


def test_where_too_much_happens_it_waits_for_the_next_clock(session):
    session.ahead(*((10 + n, PAN, n / 100) for n in range(1, 31)))
    pan, _ = session.block()
    at = [n for n, _ in onsets(pan)]
    assert len([n for n in at if n < CLOCK]) <= MAX_INSTANTS and at[-1] == CLOCK and pan[-1] == 0.3


def test_a_note_is_left_out_that_should_have_begun_while_nothing_was_rendered(session):
    note = {"started": 1.0, "part": 1.0, "velocity": 0.5}

    def begin(voice, seconds):
        for name, value in {**note, "since": seconds}.items():
            session.state.set_voice(voice, name, value)

    def velocities(late=0.0):
        ((state, _),) = session.states(256, BEGUN + session.position / RATE_HZ + late)
        return [float(state[voice_at(voice, "velocity")]) for voice in range(4)]

    begin(0, BEGUN - 60.0)  # as an engine finds it that has just been started
    session.memory.write_state(session.state)
    assert velocities() == [0.5, 1, 1, 1]
    begin(1, BEGUN + 0.1)
    begin(2, BEGUN + 0.49)
    due = BEGUN + 256 / RATE_HZ
    ahead = {**note, "since": due}
    session.state.ahead = array("d", [number for name, value in ahead.items() for number in (due, voice_at(3, name), value)])
    session.memory.write_state(session.state)
    assert velocities(late=0.5) == [0.5, 0, 0.5, 0]


def test_leaving_fades_whatever_is_due(session):
    session.ahead((100, MASTER_SLOTS["fade"].start, 1.0))
    session.timed.leaving = True
    fades = [state[MASTER_SLOTS["fade"].start] for state, _ in session.states(256, BEGUN)]
    assert fades == [0.0, 0.0]


def test_a_state_is_given_once_until_something_is_another(session):
    def given():
        session.position += 256
        return [state is not None for state, _ in session.timed.pieces(session.position, 256, BEGUN + session.position / RATE_HZ)]

    session.memory.write_state(session.state)
    assert [given() for _ in range(3)] == [[True], [False], [False]]
    session.timed.leaving = True
    assert [given() for _ in range(2)] == [[True], [False]]
    session.timed.leaving = False
    session.ahead((session.position + 700, PAN, 0.5))  # in the second block
    assert [len(given()) for _ in range(4)] == [1, 2, 1, 1]
    assert given() == [True]  # what lies ahead stands there until control takes it away
    session.ahead()
    assert [given() for _ in range(2)] == [[True], [False]]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2000), st.sampled_from([PAN, GATE]), st.integers(1, 9)), max_size=6),
    st.lists(st.integers(1, 700), min_size=1, max_size=12),
)
def test_blocks_make_no_difference(changes, blocks):
    session = Session()
    changes = sorted(changes, key=lambda change: change[0])
    session.ahead(*changes)
    heard = np.concatenate([session.block(n) for n in [*blocks, 2100]], 1)[:, :2100]
    expected = np.zeros_like(heard)
    for sample, at, value in changes:
        expected[[PAN, GATE].index(at), sample:] = value
    np.testing.assert_array_equal(heard, expected)
    session.memory.close()
