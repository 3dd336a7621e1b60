"""What is kept when, and what a start takes up: the keeper between an instrument and its file, with a clock moved by hand."""

import pytest

from oscsynth import keeper
from oscsynth.control.instrument import Instrument
from oscsynth.keeper import KEEP_SECONDS, SAME_SECONDS, SETTLE_SECONDS, Keeper
from oscsynth.session import SessionFile

from .control.catalogue import CHOIR, VIOLIN, player, send
from .engine_harness import wait_until


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(keeper.time, "monotonic", clock)
    yield clock
    monkeypatch.undo()


@pytest.fixture
def said():
    return []


@pytest.fixture
def file(tmp_path, said):
    return SessionFile(tmp_path, 7, said.append)


def start(file, said, first=None):
    instrument = Instrument(lambda number, patch: None)
    instrument.repertoire.set_patches({"Choir": CHOIR, "Violin": VIOLIN})
    keeper = Keeper(instrument, file, said.append)
    keeper.resume(first)
    return instrument, keeper


def written(file, what, clock):
    """Wait, with a clock that stands, for the thread that writes."""
    for _ in range(500):
        if what in (file.path.read_text() if file.path.exists() else ""):
            return True
        keeper.threading.Event().wait(0.01)
    return False


def test_a_change_is_kept_within_a_second_and_a_quiet_while_later_twice(file, said, clock):
    instrument, _ = player()
    kept = Keeper(instrument, file, said.append)
    kept.look(True)
    clock.now += KEEP_SECONDS
    send(instrument, "gain", -7.0)
    kept.look(False)
    assert written(file, "-7.0", clock) and not file.previous.exists()
    clock.now += SAME_SECONDS
    kept.look(False)
    assert written(file, "-7.0", clock)
    assert kept_twice(file)
    kept.close()


def kept_twice(file):
    for _ in range(500):
        if file.previous.exists() and file.path.exists() and file.previous.read_bytes() == file.path.read_bytes():
            return True
        keeper.threading.Event().wait(0.01)
    return False


def test_moving_all_the_time_is_written_no_more_often_than_it_must(file, said, clock, monkeypatch):
    instrument, _ = player()
    texts = []
    monkeypatch.setattr(file, "write", texts.append)
    kept = Keeper(instrument, file, said.append)
    for n in range(100):  # ten seconds of a fader
        send(instrument, "latent/1", n / 100)
        kept.look(False)
        clock.now += 0.1
        keeper.threading.Event().wait(0.001)
    kept.close()
    assert 10 <= len(texts) <= 21 and "0.99" in texts[-1]


def test_the_end_keeps_what_is_newest(file, said):
    instrument, _ = player()
    kept = Keeper(instrument, file, said.append)
    send(instrument, "gain", -7.0)
    kept.close()
    after, kept = start(file, said)
    assert after.parts[1].arrangement.scene.values["gain"] == (-7.0,) and said == ["going on where it ended: part 1 Violin (--fresh starts anew)"]
    kept.close()


def test_with_every_gate_closed_that_is_said(file, said):
    instrument, _ = player()
    send(instrument, "panic")
    Keeper(instrument, file, said.append).close()
    start(file, said)[1].close()
    assert "with every gate closed: /gate 1 opens one" in said[0]


def test_a_session_that_kills_each_engine_is_set_aside_at_the_third_start(file, said, clock):
    Keeper(player()[0], file, said.append).close()
    for _ in range(2):
        after, kept = start(file, said)
        assert after.parts[1].wanted == "Violin"
        for _ in range(5):
            kept.engine_started()
            clock.now += SETTLE_SECONDS / 2
            kept.look(False)
        kept.close()
    after, kept = start(file, said)
    assert after.parts[1].wanted == "" and "failed to load 2 times" in said[-1]
    kept.close()


def test_one_that_has_sounded_for_a_while_is_trusted(file, said, clock):
    Keeper(player()[0], file, said.append).close()
    for _ in range(4):
        after, kept = start(file, said)
        kept.engine_started()
        clock.now += SETTLE_SECONDS
        kept.look(False)  # and then the power goes
        assert after.parts[1].wanted == "Violin"
        wait_until(lambda: not list(file.path.parent.glob("*.loading")))


def test_what_makes_no_sense_is_set_aside_and_named(file, said):
    file.write('{"version": 1}')
    after, kept = start(file, said)
    assert after.parts[1].wanted == "" and ".aside-" in said[0] and "makes no sense" in said[0]
    kept.close()
