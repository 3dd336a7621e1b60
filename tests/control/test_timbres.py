"""Instruments of note decoders over OSC: weights, transfers, brightness, spread; kept in snapshots, scenes and sessions."""

import dataclasses

import pytest

from oscsynth.control.arrange import scene_of
from oscsynth.control.instrument import Instrument
from oscsynth.control.notes import from_notes, to_notes
from oscsynth.control.resume import from_session, to_memories, to_session

from .catalogue import INSTRUMENTS, METADATA, ORCHESTRA, ORCHESTRA_METADATA, VIOLIN, send

P = "/oscsynth/"
PATCHES = {"Orchestra": ORCHESTRA, "Violin": VIOLIN}


def offer(instrument: Instrument, loads: list) -> None:
    instrument.repertoire.set_patches(PATCHES)
    for patch, metadata in ((ORCHESTRA, ORCHESTRA_METADATA), (VIOLIN, METADATA["Violin"])):
        instrument.repertoire.offer(patch, metadata)
        if loads and loads[-1][1] is not None:
            instrument.repertoire.loaded(loads[-1][0])


def stage() -> Instrument:
    loads: list = []
    instrument = Instrument(lambda number, patch: loads.append((number, patch)))
    offer(instrument, loads)
    instrument.repertoire.start("Orchestra")
    return instrument


def answer(instrument: Instrument, address: str):
    [(where, arguments)] = send(instrument, address)
    assert where == P + address, (where, arguments)
    return arguments[0] if len(arguments) == 1 else arguments


def test_a_patch_brings_its_instruments_and_notes_are_its_mode():
    instrument = stage()
    assert answer(instrument, "patch/mode") == "notes"
    assert answer(instrument, "timbre") == pytest.approx((2 / 3, 0.0, 1 / 3))
    assert [answer(instrument, f"timbre/{name}") for name in INSTRUMENTS] == [1.0, 0.0, 0.5]
    assert (answer(instrument, "transfer/from"), answer(instrument, "transfer/to")) == ("cello", "flute")
    assert (answer(instrument, "brightness"), answer(instrument, "spread"), answer(instrument, "transfer")) == (0.75, 0.5, 0.0)


def test_weights_have_a_sum_of_one_and_all_zero_keeps_the_last():
    instrument = stage()
    send(instrument, "timbre/english-horn", 1.0)
    assert answer(instrument, "timbre") == pytest.approx((0.4, 0.4, 0.2))
    for name in INSTRUMENTS:
        send(instrument, f"timbre/{name}", 0.0)
    assert answer(instrument, "timbre") == (0.0, 0.0, 1.0)  # flute came last
    assert answer(instrument, "timbre/flute") == 0.0
    send(instrument, "timbre/2", 0.25)
    assert answer(instrument, "timbre") == (0.0, 1.0, 0.0) and answer(instrument, "timbre/2/name") == "english-horn"
    send(instrument, "timbre", 0.5, 0.5)
    assert answer(instrument, "timbre") == (0.5, 0.5, 0.0)
    assert answer(instrument, "timbre/cello/text") == "0.50"


def test_a_dimension_of_the_timbre_is_a_latent():
    instrument = stage()
    send(instrument, "timbre/latent/2", 0.75)
    assert answer(instrument, "latent/2") == answer(instrument, "timbre/latent/air") == 0.75
    send(instrument, "timbre/latent/bow/normalized", 0.25)
    assert answer(instrument, "latent/bow") == 0.25


@pytest.mark.parametrize(
    ("address", "argument", "sentence"),
    [
        ("transfer/to", "flut", "there is no instrument 'flut', the nearest is 'flute'; there are cello, english-horn, flute"),
        ("timbre/oboe", 1.0, "there is no such address"),
    ],
)
def test_what_is_not_there_is_said(address, argument, sentence):
    [(_, (_, said))] = send(stage(), address, argument)
    assert said.startswith(sentence)


def test_another_kind_of_decoder_has_no_instruments():
    instrument = stage()
    send(instrument, "patch", "Violin")
    assert answer(instrument, "transfer/from") == ""
    for message in (("transfer/from", "cello"), ("timbre", 1.0)):
        [(_, (_, said))] = send(instrument, *message)
        assert said == "this patch's decoder knows no instruments: that takes one of kind note"
    assert send(instrument, "timbre/cello")[0][0] == P + "fail" and send(instrument, "timbre/latent/1")[0][0] == P + "fail"


def moved() -> Instrument:
    instrument = stage()
    for message in (("timbre/english-horn", 0.25), ("timbre/cello", 0.0), ("transfer", 0.3), ("transfer/from", "flute"), ("spread", 1.5)):
        assert send(instrument, *message) == []
    return instrument


def stand(instrument: Instrument) -> list:
    return [answer(instrument, address) for address in ("timbre", "timbre/2", "timbre/cello", "transfer", "transfer/from", "transfer/to", "spread")]


def test_a_snapshot_brings_everything_back():
    instrument = moved()
    before = stand(instrument)
    before[1] = before[0][1]  # weights come back scaled, as they sound
    send(instrument, "snapshot/1/store")
    for message in (("timbre/cello", 1.0), ("transfer", 0.9), ("transfer/from", "cello"), ("spread", 0.0)):
        send(instrument, *message)
    send(instrument, "snapshot/1/recall")
    assert stand(instrument) == before


def test_a_session_brings_everything_back():
    before = moved()
    loads: list = []
    after = Instrument(lambda number, patch: loads.append((number, patch)))
    offer(after, loads)
    assert from_session(after, to_session(before, to_memories(before))) == []
    assert stand(after) == stand(before)


def test_a_scene_says_what_differs_by_name():
    scene = scene_of(moved().parts[1])
    assert scene is not None
    assert scene.values == {"timbre/cello": (0.0,), "timbre/english-horn": (0.25,), "transfer": (0.3,), "spread": (1.5,), "transfer/from": ("flute",)}


def test_the_next_control_knows_everything():
    before = moved()
    after = Instrument(lambda *_: None, before.state)
    assert from_notes(after, to_notes(before))
    offer(after, [])
    assert stand(after) == stand(before)


def test_an_edit_of_the_file_is_taken_up_and_the_rest_stays():
    loads: list = []
    instrument = Instrument(lambda number, patch: loads.append((number, patch)))
    offer(instrument, loads)
    instrument.repertoire.start("Orchestra")
    send(instrument, "spread", 1.0)
    instrument.repertoire.offer(dataclasses.replace(ORCHESTRA, timbre={"flute": 1.0}), ORCHESTRA_METADATA)
    instrument.repertoire.loaded(loads[-1][0])
    assert answer(instrument, "timbre") == (0.0, 0.0, 1.0) and answer(instrument, "timbre/cello") == 0.0 and answer(instrument, "spread") == 1.0
