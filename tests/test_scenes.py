"""The set list in a running control process: stored over OSC, watched, and harmless when it is broken."""

import time

from .engine_harness import wait_until
from .test_control_process import P, begin, folder, session  # fixtures

__all__ = ["folder", "session"]

SET = """\
# tonight
scenes:
  - name: One
    parts: {1: {patch: Aa, gain: -3}}   # soft
"""


def stands(session):
    """Return the numbers that the engine is shown, a moment after the answer."""
    state = session.memory.restore_state()
    return state.get(1, "patch"), state.get(1, "gain"), state.get(2, "open")


def test_stored_over_osc_watched_and_harmless_when_broken(session, folder):
    set_list = folder / "setlist.yaml"
    set_list.write_text(SET)
    numbers = begin(session)
    assert session.ask("scenes") == (P + "scenes", "One")
    session.ask("part/2/patch", "Bb")
    assert session.ask("scene/store", "Two words") == (P + "done", P + "scene/store", "Two words")
    wait_until(lambda: "Two words" in set_list.read_text())
    assert set_list.read_text() == SET + "  - name: Two words\n    parts:\n      1: {patch: Aa}\n      2: {patch: Bb}\n"

    assert session.ask("scene", "One") == (P + "done", P + "scene", "One")
    wait_until(lambda: stands(session) == (numbers["Aa"], -3, 0))

    set_list.write_text(set_list.read_text().replace("gain: -3", "gain: -9").replace("name: One", "name: Won"))
    wait_until(lambda: session.ask("scenes") == (P + "scenes", "Won", "Two words"))
    set_list.write_text(set_list.read_text().replace("gain: -9", "gain: loud"))
    fault = session.hear("fault")["sentence"]
    assert "setlist.yaml:4: scenes.1.parts.1.gain: must be" in fault and "not loud" in fault
    assert session.ask("scene", "Won")[0] == P + "done" and session.sounding()[0] == numbers["Aa"]
    broken = set_list.read_text()
    assert "has faults, and is not written over" in session.ask("scene/store", "Three")[2] and set_list.read_text() == broken


def test_a_set_list_that_cannot_be_written_is_one_sentence(session, folder):
    begin(session)
    (folder / "setlist.yaml").mkdir()
    assert session.ask("scene/store", "One")[0] == P + "done"
    assert "cannot be kept in" in session.hear("fault")["sentence"]
    assert session.ask("scene", "One")[0] == P + "done"


def test_after_a_kill_of_control_the_scene_is_known(session, folder):
    (folder / "setlist.yaml").write_text(SET)
    begin(session)
    session.ask("scene", "One")
    time.sleep(0.3)
    port = session.client.getpeername()[1]
    session.process.kill()
    session.process.join()
    session.events.close()
    session.start(port=port).hear("listening")
    assert session.ask("scene/index") == (P + "scene/index", 1)
