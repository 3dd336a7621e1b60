"""Notes ahead of their time: allotted, ended, dropped and silenced as if they were due at once."""

from __future__ import annotations

import pytest

from oscsynth.control.instrument import Instrument
from oscsynth.control.osc import Message
from oscsynth.parameters import VOICES_AT

from .test_playing import KEYS, MORE, VIOLIN, Playing
from .test_timeline import P, Session


class Port:
    """A connection, or a MIDI port."""


class Timed(Session):
    """A timeline over an instrument that plays notes."""

    def __init__(self) -> None:
        self.play = Playing(KEYS, MORE, VIOLIN)
        self.play.instrument._seconds = lambda: self.now
        super().__init__(self.play.instrument)

    def at_once(self, *message: object) -> None:
        self.timeline.perform(Message(P + message[0], message[1:]))

    def send(self, seconds: float | None, sender: object, *message: object) -> None:
        bundle = Message(P + message[0], message[1:]) if seconds is None else self.bundle(seconds, message)
        self.timeline.perform(bundle, sender)


@pytest.fixture
def timed() -> Timed:
    return Timed()


def test_a_timed_release_finds_a_timed_note(timed):
    timed.at(1000.05, ("note/on", 60, 1))
    timed.at(1000.09, ("note/bend", 60, 2))
    timed.at(1000.07, ("note/off", 60))
    timed.at(1000.07, ("note/on", 62, 1))
    assert timed.play.held() == [] and any(at >= VOICES_AT for _, at, _ in timed.ahead)
    timed.until(1000.06)
    assert timed.play.held() == [60]
    timed.until(1000.1)
    assert timed.play.held() == [62] and timed.play.held("bend") == [0]


def test_a_note_that_comes_before_one_that_is_handed_over_gets_another_voice(timed):
    timed.at(1000.05, ("note/on", 60, 1))
    for pitch in (70, 71, 72):
        timed.at_once("note/on", pitch, 1)
    timed.until(1000.1)
    assert timed.play.held() == [60, 70, 71, 72]


def test_a_note_that_lost_its_voice_ends_nobody_elses(timed):
    timed.at_once("note/on", 60, 1)
    timed.at(1000.05, ("note/off", 60))
    for pitch in (70, 71, 72, 73):  # there are four voices: the first is taken from 60
        timed.at_once("note/on", pitch, 1)
    timed.at_once("note/off", 73)
    timed.until(1000.1)
    assert timed.play.held() == [70, 71, 72]


def test_panic_drops_the_notes_that_lie_ahead_of_its_part_and_no_others(timed):
    timed.at_once("part/2/patch", "Keys")
    timed.at_once("note/on", 50, 1)
    for part in ("", "part/2/"):
        timed.at(1000.05, (part + "note/on", 60, 1))
        timed.at(1000.5, (part + "note/on", 61, 1))
    timed.at_once("part/2/panic")
    timed.until(1000.6)
    assert timed.play.held() == [50, 60, 61] and timed.play.held(part=2) == []


def test_what_is_overdue_begins_no_note_and_ends_some(timed):
    timed.at_once("note/on", 60, 1)
    for seconds, message in ((1000.3, ("note/on", 62, 1)), (1000.31, ("note/off", 60)), (1000.32, ("hold", 1))):
        timed.at(seconds, message)
    timed.timers.clear()
    timed.now = 1001.0  # nobody was there
    timed.timeline.advance()
    assert timed.play.held() == [] and timed.play.instrument.state.get(1, "hold") == 1
    timed.at_once("note/on", 64, 1)
    assert timed.play.held() == [64]


def test_whoever_leaves_ends_its_notes_after_the_last_that_it_sent(timed):
    gone, stays = Port(), Port()
    timed.send(None, gone, "note/on", 60, 1)
    timed.send(None, stays, "note/on", 61, 1)
    timed.send(1000.3, gone, "note/on", 62, 1)
    timed.send(1000.6, gone, "note/off", 60)
    timed.timeline.leave(gone)
    timed.until(1000.55)
    assert timed.play.held() == [60, 61, 62]
    timed.until(1001)
    assert timed.play.held() == [61]
    timed.timeline.leave(stays)
    assert timed.play.held() == []


def test_a_control_that_takes_over_gives_no_note_a_number_that_lies_ahead(timed):
    timed.at(1000.05, ("note/on", 60, 1))
    again = Timed()
    again.play.instrument = Instrument(lambda number, patch: None, timed.instrument.state, seconds=lambda: 1000.0)
    voices = again.play.instrument.voices
    assert voices._count == 1 and 0 in voices._reserved
