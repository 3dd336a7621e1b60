"""MIDI in the page: what a control moves is learned by touching it, shown and forgotten."""

import pytest
from pythonosc.osc_message_builder import OscMessageBuilder

from .browser import answers


def turn(serve, control, value):
    """Move a control of a keyboard."""
    builder = OscMessageBuilder("/oscsynth/midi")
    builder.add_arg((0, 0xB0, control, value), builder.ARG_TYPE_MIDI)
    serve.socket.send(builder.build().dgram)


@pytest.fixture(autouse=True)
def forget(serve):
    yield
    serve.ask("midi/learn", "", seconds=0.02)
    for address in (serve.ask("midi/learned") or ())[1::2]:
        serve.ask("midi/forget", address, seconds=0.02)


@pytest.mark.parametrize("way", ["touch", "key"])
def test_press_learn_touch_a_fader_move_a_control(page, serve, way):
    fader = page.locator('.track[data-path="/oscsynth/latent/2"]')
    stands = serve.ask("latent/2")
    page.get_by_role("button", name="Learn").click()
    page.get_by_text("Now touch what a control shall move.").wait_for()
    if way == "touch":
        fader.click(position={"x": 5, "y": 5})
    else:
        fader.press("Enter")
    page.get_by_text("Now move the control for latent/2.").wait_for()
    assert answers(serve, "latent/2", stands), "it was pointed at, not moved"
    turn(serve, 21, 127)
    page.wait_for_selector('.learned [data-control="21"]')
    assert "latent/2" in page.locator('.learned [data-control="21"]').inner_text()
    turn(serve, 21, 127)
    page.wait_for_selector('.track[data-path="/oscsynth/latent/2"][aria-valuenow="100"]')
    fader.press("Home")
    assert answers(serve, "latent/2", 0.0), "afterwards it is a fader again"


def test_a_button_that_learns_is_not_pressed(page, serve):
    page.get_by_role("button", name="Learn").click()
    page.get_by_role("button", name="Gate open").click()
    page.get_by_text("Now move the control for gate.").wait_for()
    assert serve.ask("gate") == (1,)
    page.get_by_role("button", name="Learn").click()
    page.get_by_text("Now move the control").wait_for(state="detached")
    assert answers(serve, "midi/learn", "")
    page.get_by_role("button", name="Gate open").click()
    assert answers(serve, "gate", 0)


def test_what_was_learned_is_forgotten(page, serve):
    serve.ask("midi/learn", "gain", seconds=0.02)
    page.get_by_text("Now move the control for gain.").wait_for()
    turn(serve, 22, 100)
    page.get_by_role("button", name="forget control 22").click()
    page.locator('.learned [data-control="22"]').wait_for(state="detached")
    assert "gain" not in (serve.ask("midi/learned") or ())


def test_what_no_control_can_move_is_said(page):
    page.get_by_role("button", name="Learn").click()
    page.locator(".surface").click()
    page.wait_for_selector(".said.shown")
    assert "no control can move that" in page.locator(".said").text_content()
