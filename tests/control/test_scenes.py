"""Scenes: all parts at once, in the order of the set list, stored from what plays."""

import dataclasses
import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oscsynth.control.arrange import kept_of
from oscsynth.control.clients import Clients
from oscsynth.control.osc import Bundle, Message
from oscsynth.parameters import PART_PARAMETERS
from oscsynth.scene import PartScene, Scene

from .catalogue import CHOIR, METADATA, VIOLIN, player, send
from .test_resume import values
from .test_timeline import Session

P = "/oscsynth/"
ONE = Scene("One", {1: PartScene("Violin", {"latent/bow": (0.9,), "gain": (-3.0,)}), 3: PartScene("Choir", {"gate": (1,)})}, note="slow")
TWO = Scene("Two", {1: PartScene("Choir", {"chroma/name": ("D",)}), 2: PartScene("Violin", {"transpose": (-12.0,)})}, fade_seconds=4)
THREE = Scene("Three", {2: PartScene("Violin")})


@pytest.fixture
def kept():
    return []


@pytest.fixture
def stage(kept):
    instrument, _ = player()
    instrument.scenes.set([ONE, TWO, THREE])
    instrument.scenes.keep = kept.append
    return instrument


def fail(address, sentence):
    return (P + "fail", (P + address, sentence))


def done(address, name):
    return (P + "done", (P + address, name))


def playing(instrument):
    return {number: part.version.patch.name for number, part in instrument.parts.items()}


def test_a_scene_is_all_parts_and_no_others(stage):
    send(stage, "part/2/patch", "Choir")
    assert send(stage, "scene", "One") == [done("scene", "One")]
    assert playing(stage) == {1: "Violin", 3: "Choir"} and stage.state.get(2, "open") == 0
    assert send(stage, "latent/bow") == [(P + "latent/bow", (0.9,))]
    assert [send(stage, question)[0][1][0] for question in ("gain", "part/3/gate", "scene", "scene/index", "scene/note")] == [-3, 1, "One", 1, "slow"]


def test_what_a_scene_does_not_name_is_as_the_patch_says_whatever_was_before(stage):
    for message in (("gain", -20.0), ("latent/air", 0.0), ("pan", 1.0), ("chroma/name", "C"), ("output", 3), ("envelope/release", 9000.0)):
        send(stage, *message)
    send(stage, "scene", "One")
    fresh, _ = player()
    fresh.scenes.set([ONE])
    send(fresh, "scene", "One")
    assert [values(stage, part) for part in (1, 3)] == [values(fresh, part) for part in (1, 3)]


def test_a_part_that_is_in_no_scene_is_silent_and_part_1_stays(stage):
    send(stage, "scene", "Three")
    assert playing(stage) == {1: "Violin", 2: "Violin"} and send(stage, "gate") == [(P + "gate", (0,))]


def test_the_time_of_a_scene_is_everybodys_and_a_cut_is_as_short_as_a_switch(stage):
    send(stage, "scene", "One")
    assert {stage.state.get(part, "travel") for part in (1, 3)} == {0.02}
    send(stage, "scene", "Two")
    assert {stage.state.get(part, "travel") for part in (1, 2, 3)} == {4}
    send(stage, "latent/1", 0.3)
    assert stage.state.get(1, "travel") == 0


def test_next_and_previous_end_at_the_ends(stage):
    names = [send(stage, "scene/next")[0][1][1] for _ in range(3)]
    assert names == ["One", "Two", "Three"]
    assert send(stage, "scene/next") == [fail("scene/next", "Three is the last scene")]
    assert send(stage, "scene") == [(P + "scene", ("Three",))]
    assert [send(stage, "scene/previous")[0][1][1] for _ in range(3)][:2] == ["Two", "One"]
    assert send(stage, "scene/index", 99) == [done("scene/index", "Three")]
    assert send(stage, "scene/select/2", 1.0) == [done("scene/select/2", "Two")] and send(stage, "scene/select/1", 0.0) == []


def test_misspelt_or_none(stage):
    [(_, (_, sentence))] = send(stage, "scene", "Onne")
    assert sentence == "there is no scene 'Onne', the nearest is 'One'; send /oscsynth/scenes for the list"
    bare, _ = player()
    assert send(bare, "scene/next")[0][1][1] == "there is no scene; there are none yet: /oscsynth/scene/store NAME keeps what plays now as the first"


def test_what_cannot_be_played_is_silent_and_said_and_the_rest_plays(stage):
    stage.scenes.set([Scene("Odd", {1: PartScene("Gone"), 2: PartScene("Violin", {"latent/bo": (0.5,), "gain": (-6.0,)}), 4: PartScene("Broken")})])
    replies = send(stage, "scene", "Odd")
    assert replies[0] == done("scene", "Odd") and len(replies) == 4
    assert [reply[1][1].partition(":")[0] for reply in replies[1:]] == ["scene Odd"] * 3
    assert playing(stage) == {1: "Violin", 2: "Violin"} and send(stage, "gate") == [(P + "gate", (0,))]
    assert send(stage, "part/2/gain") == [(P + "part/2/gain", (-6,))]


def test_a_scene_waits_for_what_is_not_loaded_yet():
    instrument, _ = player(at_once=False)
    instrument.scenes.set([ONE])
    assert send(instrument, "scene", "One") == []
    for patch in (CHOIR, VIOLIN):
        instrument.repertoire.offer(patch, METADATA[patch.name])
    assert instrument.repertoire.loaded(1) == [("sender", done("scene", "Choir"))]
    instrument.repertoire.loaded(2)
    assert playing(instrument) == {1: "Violin", 3: "Choir"} and send(instrument, "latent/1") == [(P + "latent/1", (0.9,))]


def test_the_newest_wish_wins_over_a_scene_that_waits():
    instrument, _ = player(at_once=False)
    instrument.scenes.set([ONE])
    send(instrument, "scene", "One")
    send(instrument, "patch", "Choir")
    for number, patch in enumerate((CHOIR, VIOLIN), 1):
        instrument.repertoire.offer(patch, METADATA[patch.name])
        instrument.repertoire.loaded(number)
    assert playing(instrument) == {1: "Choir", 3: "Choir"} and send(instrument, "gain") == [(P + "gain", (0,))]


def test_in_a_bundle_with_more(stage):
    messages = (Message(P + "scene", ("Two",)), Message(P + "latent/1", (0.25,)))
    stage.perform(Bundle(1, messages), "sender")
    assert stage.state.get(1, "travel") == 4 and send(stage, "latent/1") == [(P + "latent/1", (0.25,))]


# ---- storing


def test_stored_and_recalled_it_is_the_same(stage, kept):
    for message in (
        ("part/2/patch", "Choir"),
        ("part/2/gate", 1),
        ("part/2/chroma", *[0.0] * 4, 0.25, 0.0, 0.0, 0.75, *[0.0] * 4),
        ("latent/bow", 0.125),
        ("latent/3", 0.75),
        ("register", 5),
        ("gain", -9.5),
        ("chroma/name", "F#"),
        ("gate", 0),
        ("part/2/output", 3),
    ):
        send(stage, *message)
    before = [values(stage, part) for part in (1, 2)]
    assert send(stage, "scene/store", "Mine") == [done("scene/store", "Mine")]
    assert send(stage, "scenes") == [(P + "scenes", ("One", "Two", "Three", "Mine"))] and send(stage, "scene/index") == [(P + "scene/index", (4,))]
    assert kept == [stage.scenes.all[3]] and kept[0].parts[1] == PartScene(
        "Violin", {"gate": (0,), "gain": (-9.5,), "register": (5,), "chroma/name": ("F#",), "latent/bow": (0.125,), "latent/deep-2": (0.75,)}
    )
    send(stage, "scene", "Two")
    send(stage, "scene", "Mine")
    assert [values(stage, part) for part in (1, 2)] == before


def test_notes_and_the_pedal_belong_to_no_scene(stage, kept):
    bells = dataclasses.replace(VIOLIN, name="Bells", mode="notes")
    stage.repertoire.set_patches({"Bells": bells, "Choir": CHOIR, "Violin": VIOLIN})
    stage.repertoire.offer(bells, METADATA["Violin"])
    stage.repertoire.loaded(3)
    for message in (("part/2/patch", "Bells"), ("part/2/hold", 1), ("part/2/note/on", 60, 0.5), ("part/2/gain", -6.0)):
        send(stage, *message)
    send(stage, "scene/store", "Bells")
    assert kept[0].parts[2] == PartScene("Bells", {"gain": (-6.0,)})
    assert send(stage, "scene", "One") == [done("scene", "One")] and not stage.voices.held(2)
    assert send(stage, "scene", "Bells") == [done("scene", "Bells")] and not stage.voices.held(2)
    assert kept_of(stage.parts[2]).values.keys().isdisjoint({"hold", "chroma"})


def test_stored_again_it_keeps_note_time_and_place(stage, kept):
    send(stage, "scene", "Two")
    send(stage, "scene/note", "loud")
    send(stage, "gain", -1.0)
    assert send(stage, "scene/update", 1.0) == [done("scene/update", "Two")]
    assert [scene.name for scene in stage.scenes.all] == ["One", "Two", "Three"]
    assert (kept[-1].note, kept[-1].fade_seconds, kept[-1].parts[1].values["gain"]) == ("loud", 4, (-1.0,))
    send(stage, "scene/seconds", 2.5)
    assert kept[-1].fade_seconds == 2.5 and send(stage, "scenes/2/note") == [(P + "scenes/2/note", ("loud",))]


@pytest.mark.parametrize("name", ["", "  ", "two\nlines", "x" * 300])
def test_what_is_no_name(stage, kept, name):
    assert "a scene needs a name" in send(stage, "scene/store", name)[0][1][1] and not kept


def test_a_file_with_faults_is_not_written_over(stage, kept):
    stage.scenes.fault = "setlist.yaml:3: a tab"
    assert "has faults, and is not written over" in send(stage, "scene/store", "New")[0][1][1] and not kept
    stage.scenes.keep, stage.scenes.fault = None, ""
    assert "no folder of yours" in send(stage, "scene/store", "New")[0][1][1]


NUMBERS = {row.name: row for row in PART_PARAMETERS if row.description and row.size == 1 and row.continuous}


@given(st.dictionaries(st.sampled_from(sorted(NUMBERS)), st.floats(0, 1, width=32)), st.lists(st.floats(0, 1, width=32), min_size=1, max_size=10))
def test_any_values_come_back(positions, latents):
    instrument, _ = player()
    instrument.scenes.keep = lambda scene: None
    send(instrument, "part/5/patch", "Choir")
    for name, position in positions.items():
        send(instrument, f"part/5/{name}", NUMBERS[name].denormalize(position))
    send(instrument, "part/5/latents", *latents)
    before = values(instrument, 5)
    send(instrument, "scene/store", "S")
    send(instrument, "part/5/close")
    send(instrument, "scene", "S")
    assert values(instrument, 5) == before


def test_every_scene_after_every_other_is_the_same(stage):
    seen = {}
    for first, second in itertools.product(("One", "Two", "Three"), repeat=2):
        send(stage, "scene", first)
        send(stage, "scene", second)
        stands = {part: values(stage, part) for part in stage.parts if part > 1 or second != "Three"}
        assert seen.setdefault(second, stands) == stands


def test_listeners_are_told_everything_after_a_scene(stage):
    sent = []
    clients = Clients(stage, lambda packet, where: sent.append(packet), lambda where: False, lambda: 0.0)
    stage.clients = clients
    clients.subscribe(("127.0.0.1", 9000), None)
    clients.tick()
    sent.clear()
    send(stage, "scene", "One")
    send(stage, "scene", "One")
    clients.tick()
    assert b"/oscsynth/scene/note" in b"".join(sent) and b"/oscsynth/latent/8/name" in b"".join(sent)
    assert math.isclose(stage.state.get(1, "gain"), -3)


def test_scenes_ahead_of_their_time_are_the_same_as_scenes_now():
    ahead, now = Session(), Session()
    for session in (ahead, now):
        session.instrument.scenes.set([ONE, TWO, THREE])
        send(session.instrument, "gain", -20.0)
    for n, name in enumerate(("One", "Two", "Three", "One"), 1):
        ahead.at(1000 + 0.05 * n, ("scene", name))
        assert send(now.instrument, "scene", name) == [done("scene", name)]
        ahead.until(1000 + 0.05 * n + 0.001)
        assert [ahead.get("open", part) for part in range(1, 9)] == [now.get("open", part) for part in range(1, 9)]
        for part in now.instrument.parts:
            assert values(ahead.instrument, part) == values(now.instrument, part)
            assert ahead.get("travel", part) == now.get("travel", part) and ahead.get("patch", part) == now.get("patch", part)
    assert ahead.told == [("sender", done("scene", name)) for name in ("One", "Two", "Three", "One")]
