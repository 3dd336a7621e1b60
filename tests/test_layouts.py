"""The layout for the phone: every address in it exists, whatever the patch, and fingers find everything."""

import contextlib
import re
import socket
import time
from pathlib import Path

import py2tosc
import pytest
from pythonosc.osc_message_builder import build_msg
from typer.testing import CliRunner

from oscsynth.__main__ import app
from oscsynth.control.instrument import Instrument
from oscsynth.control.osc import Message, parse
from oscsynth.control.osc import messages as osc_messages
from oscsynth.errors import OscsynthError
from oscsynth.layouts import N_INSTRUMENTS, N_PATCHES, RECEIVE_PORT, touchosc, write_touchosc
from oscsynth.units import PITCH_CLASS_ADDRESSES

from .control.catalogue import INSTRUMENTS, play_notes, player
from .examples.listening import ask, wait_until_it_plays
from .serving import Serve, tiny_patches

FINGER = 38  # points
MIXED = {f"/oscsynth/timbre/{key}{below}" for key in range(1, N_INSTRUMENTS + 1) for below in ("", "/name")}


def address(message):
    return "".join(partial.value for partial in message.path)


def messages(document):
    return [(control, message) for control in document.find_all() for message in control.messages]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("layout") / "phone.tosc"
    write_touchosc(path)
    return py2tosc.load(path)


@pytest.mark.parametrize("instrument", [Instrument(lambda *_: None), player()[0]], ids=["no patch yet", "three latents"])
def test_every_address_is_one_whatever_the_patch(written, instrument):
    known = instrument.routes()
    unknown = {address(message) for _, message in messages(written)} - set(known)
    listed = len(instrument.shelf.names)
    beyond = {f"/oscsynth/{form}" for key in range(listed + 1, N_PATCHES + 1) for form in (f"patch/select/{key}", f"patches/{key}/name")}
    assert unknown <= beyond | MIXED, "only buttons beyond the last patch lead nowhere, and instruments where there are none"


def test_the_faders_of_a_note_decoder_weigh_its_instruments(written):
    instrument, _ = player()
    play_notes(instrument)
    beyond = {each for each in MIXED if int(each.split("/")[3]) > len(INSTRUMENTS)}
    assert {address(message) for _, message in messages(written)} & MIXED == MIXED
    assert MIXED - set(instrument.routes()) == beyond


def test_what_is_moved_is_a_value_and_what_is_pressed_an_action(written):
    routes = player()[0].routes()
    for control, message in messages(written):
        route = routes.get(address(message))
        if route is not None and message.send:
            assert route.row.write or route.row.act
            assert len(message.arguments) == max(1, len(route.row.types)), control.name
        elif route is not None:
            assert route.row.read or "lamp" in control.name


def test_it_has_what_a_phone_needs(written):
    names = {getattr(control, "name", "") for control in written.find_all()}
    latents = [f"{kind} {key}" for key in range(1, 9) for kind in ("latent", "scale")]
    others = ("transfer", "brightness", "spread", "timbre 12", "track", "playing", "loop", "follow", "hold", "release", "master")
    for expected in (*latents, *others, "xy", "gain", "gate", "panic", "note C", "note A#", "lamp A#", "patch 12 name", "key C3", "key B5"):
        assert expected in names
    assert len([name for name in names if name.startswith("note ")]) == 12


def test_labels_take_texts_and_never_send(written):
    labels = [message for control, message in messages(written) if control.control_type == "LABEL"]
    assert len(labels) >= 8 + N_PATCHES
    assert all(not message.send and message.receive and message.arguments[0].value == "text" for message in labels)


def test_fingers_find_every_control_and_none_lies_outside(written):
    assert not written.validate()
    for control in written.find_all():
        x, y, width, height = control.frame
        assert x >= 0 and y >= 0
        if control.control_type in ("BUTTON", "FADER", "XY"):
            assert min(width, height) >= FINGER, (control.name, control.frame)


def test_it_asks_for_feedback_at_the_port_where_it_listens(written):
    assert f"value = {RECEIVE_PORT}" in written.root.script
    assert "'/oscsynth/notify', {{tag = 'i', value = 1}" in written.root.script
    assert "value = 9123" in touchosc(receive_port=9123).root.script


def test_another_part_has_its_own_addresses():
    own = {address(message) for _, message in messages(touchosc(part=2))}
    assert "/oscsynth/part/2/latent/1" in own
    assert not [each for each in own if re.match(r"/oscsynth/(latent|chroma|gain|xy)", each)]


def test_the_command_says_what_to_type_into_the_app(tmp_path):
    path = tmp_path / "x.tosc"
    result = CliRunner().invoke(app, ["layout", "touchosc", "-o", str(path)])
    assert result.exit_code == 0, result.output
    assert "57140" in result.output and "9000" in result.output
    assert path.read_bytes()[0] == 0x78, "zlib"


def test_another_ending_is_refused_by_name(tmp_path):
    with pytest.raises(OscsynthError, match=r"x\.txt: the name of a TouchOSC layout ends with \.tosc"):
        write_touchosc(tmp_path / "x.txt")


def test_a_phone_that_asks_is_told_everything_that_it_shows(written, tmp_path):
    """Do what the layout's script does, and hear what its labels, lamps and faders wait for."""
    serve = Serve("--audio", "null", "--no-announce", "--http-port", "0", patches=tiny_patches(tmp_path))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind(("127.0.0.1", 0))
        phone.settimeout(0.5)
        try:
            wait_until_it_plays(serve)
            listed = len(ask(serve, "patches"))
            serve.socket.send(build_msg("/oscsynth/notify", [1, phone.getsockname()[1]]).dgram)
            told, until = {}, time.monotonic() + 2
            with contextlib.suppress(TimeoutError):
                while time.monotonic() < until:
                    packet = parse(phone.recv(65536))
                    told |= {each.address: each.arguments for each in ((packet,) if isinstance(packet, Message) else osc_messages(packet))}
        finally:
            serve.close()
    shown = {address(message) for _, message in messages(written) if message.receive}
    beyond = {f"/oscsynth/patches/{key}/name" for key in range(listed + 1, N_PATCHES + 1)}
    assert shown - beyond - MIXED <= set(told)
    assert sum(told[f"/oscsynth/chroma/{name}"][0] for name in PITCH_CLASS_ADDRESSES) == 1


def test_the_layout_that_ships_is_the_one_that_is_written(written):
    shipped = py2tosc.load(Path(__file__).parents[1] / "examples" / "touchosc" / "oscsynth.tosc")

    def contents(document):
        return [(control.control_type, tuple(control.frame), [address(message) for message in control.messages]) for control in document.find_all()]

    assert contents(shipped) == contents(written)
    assert shipped.root.script == written.root.script
