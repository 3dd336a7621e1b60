"""Journeys stay apart from what is changed around them."""

import time
from array import array

import pytest

from oscsynth.control.publisher import LONG_PATIENCE_SECONDS, PATIENCE_SECONDS, Publisher
from oscsynth.link import SharedMemory
from oscsynth.parameters import State


class Session:
    """A publisher whose time the test moves, and the engine that looks."""

    def __init__(self):
        self.memory = SharedMemory()
        self.state = State()
        self.calls = []
        self.publisher = Publisher(self.memory, lambda seconds, call: self.calls.append(call))

    def change(self, **values):
        for name, value in values.items():
            self.state.set(1, name, value)
        self.publisher.write(self.state)

    def block(self, reached=0.0):
        """Render a block: what the engine takes, after which it says how far it got."""
        self.memory.write_telemetry((1.0,) + (0.0,) * 4 + (time.monotonic(),) + (0.0,) * 9 + (reached,))
        taken = self.memory.restore_state()
        calls, self.calls = self.calls, []
        for call in calls:
            call()
        return taken.get(1, "pan"), taken.get(1, "travel")


@pytest.fixture
def session():
    session = Session()
    yield session
    session.memory.close()


def test_ordinary_changes_are_written_at_once(session):
    for pan in (0.1, 0.2, 0.3):
        session.change(pan=pan)
        assert session.memory.restore_state().get(1, "pan") == pan


def test_a_journey_between_two_faders_keeps_its_time_to_itself(session):
    session.change(pan=0.1)
    session.change(pan=0.2, travel=5)
    session.change(pan=0.3, travel=0)
    session.change(pan=0.4)
    assert [session.block() for _ in range(4)] == [(0.1, 0), (0.2, 5), (0.4, 0), (0.4, 0)]


def test_an_engine_that_is_not_there_is_not_waited_for(session):
    session.change(pan=0.1)
    session.change(pan=0.2, travel=5)
    time.sleep(PATIENCE_SECONDS + 0.01)
    session.calls.pop()()
    assert session.memory.restore_state().get(1, "travel") == 5


def test_flushing_shows_the_last(session):
    session.change(pan=0.1)
    session.change(pan=0.2, travel=5)
    session.publisher.flush()
    assert session.memory.restore_state().get(1, "pan") == 0.2


def test_what_was_due_is_taken_over_when_the_engine_has_got_past_it(session):
    session.block(reached=5.0)
    session.change(pan=0.1)
    session.publisher.settle(10.0)
    session.change(pan=0.2)
    session.change(pan=0.3)
    assert [session.block(reached)[0] for reached in (9.0, 10.1, 10.2)] == [0.1, 0.1, 0.3]
    session.change(pan=0.4)
    assert session.memory.restore_state().get(1, "pan") == 0.4


def test_what_lies_ahead_is_written_with_the_state_it_belongs_to(session):
    session.block(reached=5.0)
    session.state.ahead = array("d", (10.0, 3, 0.5))
    session.change(pan=0.1)
    session.publisher.settle(10.0)
    session.state.ahead = array("d")
    session.change(pan=0.2)
    assert list(session.memory.restore_state().ahead) == [10.0, 3, 0.5]
    session.block(reached=11.0)
    assert list(session.memory.restore_state().ahead) == [] and session.memory.restore_state().get(1, "pan") == 0.2


def test_an_engine_that_stands_still_is_waited_for_a_while(session):
    session.block(reached=5.0)
    session.publisher.settle(10.0)
    session.change(pan=0.2)
    session.calls.pop()()
    assert session.memory.restore_state().get(1, "pan") == 0.0
    time.sleep(LONG_PATIENCE_SECONDS + 0.01)
    session.calls.pop()()
    assert session.memory.restore_state().get(1, "pan") == 0.2
