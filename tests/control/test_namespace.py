"""What OSCQuery says of the addresses of a small instrument."""

import json

from oscsynth.control.namespace import ATTRIBUTES, Namespace, topmost

from .catalogue import INSTRUMENTS, play_notes, player, send

P = "/oscsynth/"


def namespace():
    return Namespace(player()[0])


def test_a_fader_says_all_that_a_controller_needs():
    node = namespace().node(P + "gain")
    assert node["FULL_PATH"] == "/oscsynth/gain"
    assert (node["TYPE"], node["ACCESS"], node["VALUE"]) == ("f", 3, (0.0,))
    assert (node["RANGE"], node["UNIT"], node["CLIPMODE"]) == ([{"MIN": -72, "MAX": 12}], ["dB"], ["both"])
    assert "loudness" in node["DESCRIPTION"]


def test_several_numbers_have_as_many_ranges():
    for below, count in (("chroma", 12), ("latents", 3), ("xy", 2)):
        node = namespace().node(P + below)
        assert node["TYPE"] == "f" * count
        assert len(node["VALUE"]) == len(node["RANGE"]) == len(node["CLIPMODE"]) == count


def test_an_action_is_an_impulse_that_has_no_value():
    node = namespace().node(P + "patch/next")
    assert (node["TYPE"], node["ACCESS"]) == ("I", 2)
    assert "VALUE" not in node


def test_what_can_only_be_asked_cannot_be_written():
    node = namespace().node(P + "version")
    assert (node["TYPE"], node["ACCESS"]) == ("s", 1)


def test_texts_say_what_there_is_to_choose():
    names = namespace()
    assert names.node(P + "patch")["RANGE"] == [{"VALS": ["Broken", "Choir", "Violin"]}]
    assert "soft" in names.node(P + "point")["RANGE"][0]["VALS"]


def test_a_note_decoder_says_between_which_instruments_a_transfer_leads_and_that_a_weight_alone_is_another_value():
    instrument, _ = player()
    names = Namespace(instrument)
    assert names.node(P + "transfer/to")["RANGE"] == [{"VALS": []}]
    play_notes(instrument)
    assert names.node(P + "transfer/to")["RANGE"] == [{"VALS": list(INSTRUMENTS)}]
    send(instrument, "timbre", 1.0)
    before, sounds = names.fingerprint(), instrument.state.values.tobytes()
    send(instrument, "timbre/cello", 0.5)
    assert instrument.state.values.tobytes() == sounds, "alone it is all there is, whatever its weight"
    assert names.fingerprint() != before


def test_a_place_in_the_list_ends_with_the_list():
    assert namespace().node(P + "patch/index")["RANGE"] == [{"MIN": 1, "MAX": 3}]


def test_every_address_is_in_the_tree_with_the_value_that_it_answers():
    instrument, _ = player()
    names, tree = Namespace(instrument), {}

    def walk(node):
        tree[node["FULL_PATH"]] = node
        for name, below in node.get("CONTENTS", {}).items():
            assert below["FULL_PATH"] == f"{node['FULL_PATH'].rstrip('/')}/{name}"
            walk(below)

    walk(names.whole_node("/"))
    for address, route in instrument.routes().items():
        if route.reply != address:
            continue
        node = tree[address]
        assert set(node) <= ATTRIBUTES
        if route.row.read:
            assert tuple(node["VALUE"]) == (route.row.read(route.part, route.key))
            assert len(node["TYPE"]) == len(node["VALUE"])
    json.dumps(tree, allow_nan=False)


def test_the_long_form_of_part_1_is_answered_and_not_listed():
    names = namespace()
    assert names.node(P + "part/1/gain")["VALUE"] == (0.0,)
    assert P + "part/1/gain" not in names.paths()


def test_a_new_part_is_one_new_branch():
    instrument, _ = player()
    names = Namespace(instrument)
    before = names.paths()
    send(instrument, "part/2/patch", "Choir")
    assert topmost(names.paths() - before) == ["/oscsynth/part"]
    send(instrument, "part/3/patch", "Choir")
    assert "/oscsynth/part/3" in topmost(names.paths() - before - {"/oscsynth/part"})


def test_any_change_that_a_message_makes_is_seen():
    instrument, _ = player()
    names = Namespace(instrument)
    for message in (("latent/1", 0.9), ("point/seconds", 2), ("chroma/weight/C", 0.5), ("morph/to", "tasto"), ("patch", "Choir")):
        before = names.fingerprint()
        assert names.fingerprint() == before
        send(instrument, *message)
        assert names.fingerprint() != before, message
