"""The track of a patch in resynthesis, and how far what is heard moves its latents: messages in, replies and numbers out."""

import dataclasses

import pytest

from oscsynth.control.feedback import Picture
from oscsynth.control.instrument import Instrument
from oscsynth.patch import LatentControl

from .catalogue import VIOLIN, play_track, player, send

P = "/oscsynth/"
TRACK = dataclasses.replace(VIOLIN, mode="resynthesis", input="night.wav", play="off", loop="off", follow="off")


@pytest.fixture
def instrument() -> Instrument:
    instrument, _ = player()
    play_track(instrument)
    return instrument


def test_a_track_is_played_stopped_and_played_again(instrument):
    for address, playing, starts in (("track/play", 1, 1), ("track/stop", 0, 1), ("track/play", 1, 2)):
        assert send(instrument, address) == []
        assert (instrument.state.get(1, "track/playing"), instrument.state.get(1, "track/starts")) == (playing, starts)
        assert send(instrument, "track/playing") == [(P + "track/playing", (playing,))]


def test_a_jump_is_counted_so_that_the_same_place_twice_is_two_jumps(instrument):
    send(instrument, "track/position", 2.5)
    send(instrument, "track/position", 2.5)
    assert (instrument.state.get(1, "track/to"), instrument.state.get(1, "track/seeks")) == (2.5, 2)
    send(instrument, "track/position", -4.0)
    assert instrument.state.get(1, "track/to") == 0


def test_where_it_is_the_engine_says(instrument):
    instrument.track = {1: (12.25, 60.0)}.__getitem__
    assert send(instrument, "track/position") == [(P + "track/position", (12.25,))]


@pytest.mark.parametrize(("address", "arguments"), [("track/play", ()), ("track/stop", ()), ("track/position", (1.0,))])
def test_without_a_track_a_sentence_says_what_has_one(address, arguments):
    instrument, _ = player()
    ((reply, (where, sentence)),) = send(instrument, address, *arguments)
    assert (reply, where) == (P + "fail", P + address)
    assert sentence.startswith("Violin plays no track: a patch with `mode: resynthesis`")


def test_scale_is_1_in_the_middle_of_its_fader(instrument):
    assert send(instrument, "latent/bow/scale") == [(P + "latent/bow/scale", (1.0,))]
    send(instrument, "latent/2/scale/normalized", 0.25)
    assert instrument.state.get(1, "scale", 1) == 0.5
    send(instrument, "latent/1/scale", 9.0)
    assert instrument.state.get(1, "scale", 0) == 2.0


def test_a_patch_brings_its_scales_and_its_transport():
    instrument, loads = player()
    other = dataclasses.replace(TRACK, name="Night", latents={"bow": LatentControl(1, 0.4, scale=1.5)})
    instrument.repertoire.set_patches({"Night": other, "Violin": VIOLIN})
    instrument.repertoire.offer(other, instrument.parts[1].metadata)
    send(instrument, "patch", "Night")
    instrument.repertoire.loaded(loads[-1][0])
    part = instrument.parts[1]
    assert part.patch is not None and part.patch.name == "Night"
    assert [part.get("scale", index) for index in range(2)] == [1.5, 1.0]
    assert (part.get("track/playing"), part.get("track/loop")) == (0, 0)


def test_a_snapshot_holds_the_scales(instrument):
    send(instrument, "latent/1/scale", 0.25)
    send(instrument, "snapshot/1/store")
    send(instrument, "latent/1/scale", 2.0)
    send(instrument, "snapshot/1/recall")
    assert instrument.state.get(1, "scale", 0) == 0.25


def test_a_fader_and_a_label_say_where_in_the_track_it_is(instrument):
    instrument.track = {1: (72.4, 96.0)}.__getitem__
    assert send(instrument, "track/position/normalized") == [(P + "track/position/normalized", (pytest.approx(72.4 / 96),))]
    assert send(instrument, "track/position/text") == [(P + "track/position/text", ("1:12 / 1:36",))]
    assert send(instrument, "track/length") == [(P + "track/length", (96.0,))]
    send(instrument, "track/position/normalized", 0.25)
    assert (instrument.state.get(1, "track/to"), instrument.state.get(1, "track/seeks")) == (24.0, 1)


def test_while_no_track_is_loaded_a_fader_stays_at_the_beginning(instrument):
    assert send(instrument, "track/position/normalized") == [(P + "track/position/normalized", (0.0,))]
    assert send(instrument, "track/position/text") == [(P + "track/position/text", ("",))]


def test_a_patch_says_what_it_hears(instrument):
    assert send(instrument, "track/name") == [(P + "track/name", ("night.wav",))]
    part = instrument.parts[1]
    for heard in ("live", "tracks/far/night.flac"):
        part.version.patch = dataclasses.replace(part.version.patch, input=heard)
        assert send(instrument, "track/name") == [(P + "track/name", (heard.rpartition("/")[2],))]
    drone, _ = player()
    assert send(drone, "track/name") == [(P + "track/name", ("",))]


def test_who_listens_is_told_where_a_track_is_while_nobody_touches_it(instrument):
    picture, seconds = Picture(instrument), [0.0]
    instrument.track = lambda part: (seconds[0], 60.0)
    picture.look()
    assert picture.look()[0] == []
    seconds[0] = 1.5
    assert [(entry.address, entry.answer) for entry in picture.look()[0]] == [
        (P + "track/position", (1.5,)),
        (P + "track/position/normalized", (0.025,)),
        (P + "track/position/text", ("0:01 / 1:00",)),
    ]
