"""Recording where nothing can be recorded."""

from __future__ import annotations

from oscsynth.control.instrument import Instrument
from oscsynth.control.osc import Message


def test_offline_there_is_nothing_to_record():
    instrument = Instrument(lambda number, patch: None)
    (reply,) = instrument.perform(Message("/oscsynth/record/start", ("take.wav",)))
    assert reply.address == "/oscsynth/fail" and "what is rendered is a file already" in reply.arguments[1]
    assert not instrument.perform(Message("/oscsynth/record/stop", ()))
    assert instrument.perform(Message("/oscsynth/record", ()))[0].arguments == (0,)
