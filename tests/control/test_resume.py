"""A session means the same to an instrument that starts anew: patches, values, gates, what parts remember, and who is told."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oscsynth.control.instrument import Instrument
from oscsynth.control.resume import FADE_SECONDS, from_session, to_memories, to_session
from oscsynth.parameters import PART_PARAMETERS

from .catalogue import CHOIR, METADATA, VIOLIN, player, send

P = "/oscsynth/"


def session_of(instrument):
    return to_session(instrument, to_memories(instrument))


def start(text, patches=(CHOIR, VIOLIN), first=None):
    """Return a new instrument that has taken a session up, with its patches loaded, and what it said."""
    loads = []
    after = Instrument(lambda number, patch: loads.append((number, patch)))
    after.repertoire.set_patches({patch.name: patch for patch in patches})
    said = from_session(after, text, first)
    for patch in patches:
        after.repertoire.offer(patch, METADATA[patch.name])
    for number, _ in loads:
        after.repertoire.loaded(number)
    return after, said


def values(instrument, part):
    """Return every number of a part that is a value, NaN as None."""
    names = [row for row in PART_PARAMETERS if row.description]
    numbers = [[instrument.state.get(part, row.name, index) for index in range(row.size)] for row in names]
    return [[None if math.isnan(number) else number for number in each] for each in numbers]


def test_everything_is_taken_up():
    before, _ = player()
    for message in (
        ("part/3/patch", "Choir"),
        ("part/3/gate", 1),
        ("part/3/latent/2", 0.125),
        ("snapshot/2/store",),
        ("point/tasto",),
        ("point/seconds", 7.5),
        ("chroma/weight/C", 0.5),
        ("morph/to", "soft"),
        ("gain", -11.5),
        ("master/gain", -3.0),
        ("register", 5),
    ):
        send(before, *message)
    after, said = start(session_of(before))
    assert said == [] and sorted(after.parts) == [1, 3]
    assert [values(after, part) for part in (1, 3)] == [values(before, part) for part in (1, 3)]
    for question in ("patch", "part/3/patch", "part/3/gate", "point", "point/seconds", "chroma/weight/C", "morph/to", "master/gain", "register"):
        assert send(after, question) == send(before, question)
    send(after, "latent/1", 0)
    send(after, "snapshot/2/recall")
    assert send(after, "latent/1") == [(P + "latent/1", (0.4,))]
    assert session_of(after) != session_of(before)  # the latents were moved
    again, _ = start(session_of(before))
    assert session_of(again) == session_of(before)


def test_it_fades_in_and_what_is_done_next_is_at_once_again():
    before, _ = player()
    after, _ = start(session_of(before))
    assert after.state.get(1, "travel") == FADE_SECONDS and not after.parts[1].travelling
    send(after, "latent/1", 0.9)
    assert after.state.get(1, "travel") == 0


def test_what_is_played_while_it_loads_is_meant():
    before, _ = player()
    send(before, "latent/1", 0.9)
    after = Instrument(lambda number, patch: None)
    after.repertoire.set_patches({"Violin": VIOLIN})
    from_session(after, session_of(before))
    text = session_of(after)
    send(after, "latent/1", 0.1)
    after.repertoire.offer(VIOLIN, METADATA["Violin"])
    assert text == session_of(before), "what waits is kept as it is"
    after.repertoire.loaded(1)
    assert send(after, "latent/1") == [(P + "latent/1", (0.1,))]


def test_a_patch_that_is_gone_is_one_sentence_and_the_rest_is_there():
    before, _ = player()
    send(before, "part/2/patch", "Choir")
    after, said = start(session_of(before), (VIOLIN,))
    assert said == ["part 2 is left out, since its patch Choir is gone"] and sorted(after.parts) == [1]
    assert send(after, "patch") == [(P + "patch", ("Violin",))]


def test_with_a_first_patch_asked_for_part_1_is_left_alone():
    before, _ = player()
    send(before, "part/2/patch", "Choir")
    after, said = start(session_of(before), first="Choir")
    assert said == [] and after.parts[1].version is None and after.parts[2].version.patch is CHOIR


def test_a_patch_that_cannot_be_played_any_more_leaves_the_others():
    before, _ = player()
    send(before, "part/2/patch", "Choir")
    after = Instrument(lambda number, patch: None)
    after.repertoire.set_patches({"Choir": CHOIR, "Violin": VIOLIN})
    from_session(after, session_of(before))
    after.repertoire.offer(VIOLIN, METADATA["Violin"])
    after.repertoire.refuse("Choir", "broken")
    after.repertoire.loaded(1)
    assert sorted(after.parts) == [1] and after.parts[1].version.patch is VIOLIN


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"version": 99}', '{"version": 1, "parts": {"x": 1}}', '{"version": 1, "parts": 7}'])
def test_what_makes_no_sense_changes_nothing(text):
    after, _ = player()
    before = after.state.values.tobytes()
    with pytest.raises(ValueError, match="makes no sense"):
        from_session(after, text)
    assert after.state.values.tobytes() == before


@given(st.data())
def test_any_spoilt_value_costs_at_most_itself(data):
    before, _ = player()
    session = json.loads(session_of(before))
    name = data.draw(st.sampled_from(sorted(session["parts"]["1"]["values"])))
    session["parts"]["1"]["values"][name] = data.draw(st.lists(st.one_of(st.floats(), st.text(max_size=3), st.none(), st.integers()), max_size=14))
    after, _ = start(json.dumps(session))
    assert after.parts[1].version.patch is VIOLIN
    for row in PART_PARAMETERS:
        for index in range(row.size):
            value = after.state.get(1, row.name, index)
            assert math.isnan(value) or row.minimum <= value <= row.maximum
