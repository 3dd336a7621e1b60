"""A control that takes over knows what the last one knew, and has nothing loaded twice."""

import pytest

from oscsynth.control.instrument import Instrument
from oscsynth.control.notes import from_notes, to_notes

from .catalogue import CHOIR, METADATA, VIOLIN, player, send

P = "/oscsynth/"


def take_over(before):
    loads = []
    after = Instrument(lambda number, patch: loads.append((number, patch)), before.state)
    assert from_notes(after, to_notes(before))
    after.repertoire.set_patches({"Choir": CHOIR, "Violin": VIOLIN})
    return after, loads


def test_everything_is_known_again_and_nothing_loaded_again():
    before, _ = player()
    for message in (("point/tasto",), ("snapshot/2/store",), ("chroma/weight/C", 0.5), ("morph/to", "soft"), ("part/2/patch", "Choir")):
        send(before, *message)
    after, loads = take_over(before)
    for patch in (VIOLIN, CHOIR):
        after.repertoire.offer(patch, METADATA[patch.name])
    assert loads == [] and to_notes(after) == to_notes(before)
    for question in ("patch", "latent/bow", "point", "morph/to", "chroma/weight/C", "part/2/patch"):
        assert send(after, question) == send(before, question)
    send(after, "latent/1", 0)
    send(after, "snapshot/2/recall")
    assert send(after, "latent/1") == [(P + "latent/1", (0.25,))]


def test_a_patch_that_was_edited_meanwhile_is_loaded_under_a_new_number():
    before, _ = player()
    after, loads = take_over(before)
    after.repertoire.offer(VIOLIN, METADATA["Violin"], stamp="edited")
    assert loads == [(3, VIOLIN)] and after.state.get(1, "patch") == 1
    after.repertoire.loaded(3)
    assert after.state.get(1, "patch") == 3


def test_what_was_awaited_is_still_awaited():
    before, _ = player(at_once=False)
    before.repertoire.start("Violin")
    after, loads = take_over(before)
    after.repertoire.offer(VIOLIN, METADATA["Violin"])
    assert loads == [(1, VIOLIN)]
    after.repertoire.loaded(1)
    assert send(after, "patch") == [(P + "patch", ("Violin",))]


def test_where_state_and_notes_differ_the_state_is_newer():
    before, _ = player()
    send(before, "part/3/patch", "Choir")
    text = to_notes(before)
    for message in (("part/2/patch", "Choir"), ("patch", "Choir"), ("part/3/close",)):
        send(before, *message)
    after = Instrument(lambda number, patch: None, before.state)
    assert from_notes(after, text) and sorted(after.parts) == [1, 2]
    assert [part.version.patch for part in after.parts.values()] == [CHOIR, CHOIR]
    assert send(after, "part/2/chroma/weight/C") == [(P + "part/2/chroma/weight/C", (0.5,))]


def test_a_part_of_which_nobody_knows_what_it_plays_ends():
    before, _ = player()
    text = to_notes(before)
    send(before, "part/2/patch", "Choir")
    before.state.set(2, "patch", 99)
    after = Instrument(lambda number, patch: None, before.state)
    assert from_notes(after, text) and after.state.get(2, "open") == 0 and 2 not in after.parts


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"version": 99}', '{"version": 1, "versions": [{}], "parts": {}}'])
def test_bad_notes_change_nothing(text):
    instrument, _ = player()
    assert not from_notes(instrument, text) and send(instrument, "patch") == [(P + "patch", ("Violin",))]


def test_the_fullest_notes_fit_into_their_place():
    instrument, _ = player()
    for part in range(1, 9):
        send(instrument, f"part/{part}/patch", "Choir")
        for snapshot in range(1, 33):
            send(instrument, f"part/{part}/latents", *[0.123456789012345] * 10)
            send(instrument, f"part/{part}/snapshot/{snapshot}/store")
    assert len(to_notes(instrument)) < 512 * 1024
