"""Journeys stay apart from what is changed around them."""

import dataclasses
import time

import pytest

from oscsynth.control.publisher import PATIENCE_SECONDS, Publisher
from oscsynth.link import SharedMemory, Telemetry
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

    def block(self):
        """Render a block: what the engine takes."""
        self.memory.write_telemetry(dataclasses.astuple(Telemetry(position_seconds=time.monotonic())))
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
