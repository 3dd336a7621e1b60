"""MIDI to messages: keyboards, pedals, controls, MPE, and what no keyboard should send."""

import dataclasses

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oscsynth.control.midi_device import from_bytes, is_system
from oscsynth.control.osc import Message, Midi
from oscsynth.control.row import Refused
from oscsynth.patch import MidiSettings, Mpe
from oscsynth.scene import PartScene, Scene

from .catalogue import CHOIR, METADATA, VIOLIN, player, send

KNOBS = 256  # the port of a device


def midi_player(choir=None, mode="drone", **settings):
    """Return an instrument whose part 1 plays Violin with these MIDI settings; ``choir`` are those of Choir."""
    instrument, loads = player()
    for patch, midi in ((VIOLIN, MidiSettings(**settings)), (CHOIR, MidiSettings(**choir or {}))):
        instrument.repertoire.offer(dataclasses.replace(patch, midi=midi, mode=mode), METADATA[patch.name])
        instrument.repertoire.loaded(loads[-1][0])
    return instrument


def play(instrument, *messages, port=0):
    """Return what messages (mido's words for them) mean, without the prefix; what belongs to part 1 without the part."""
    said = []
    for message in messages:
        data = mido.Message.from_str(message).bytes()
        for each in instrument.midi.translate(from_bytes(port, bytes(data))):
            instrument.perform(each)
            said.append((each.address.removeprefix("/oscsynth/").removeprefix("part/1/"), *(pytest.approx(a, abs=1e-6) for a in each.arguments)))
    return said


def note_id(port, channel, key):
    return (1 << 30) + port * 2048 + channel * 128 + key


def test_a_note_has_velocity_and_an_id_of_its_own_and_ends_with_its_release_velocity():
    a4 = note_id(3, 0, 69)
    assert play(midi_player(), "note_on note=69 velocity=127", "note_off note=69 velocity=0", port=3) == [
        ("note/on", 69, 1.0, a4),
        ("note/off/id", a4, 0.0),
    ]


def test_a_stroke_without_velocity_is_a_release_and_a_second_one_releases_the_first():
    first = note_id(0, 0, 60)
    said = play(midi_player(), "note_on note=60 velocity=1", "note_on note=60 velocity=2", "note_on note=60 velocity=0")
    assert said == [
        ("note/on", 60, 1 / 127, first),
        ("note/off/id", first, 0),
        ("note/on", 60, 2 / 127, first),
        ("note/off/id", first, 64 / 127),
    ]


def test_a_release_without_a_stroke_is_nothing():
    assert play(midi_player(), "note_off note=60", "note_on note=61 velocity=0", "polytouch note=60 value=5") == []


def test_ids_are_apart_and_exact_as_numbers():
    ids = {note_id(port, channel, key) for port in (0, 255, 256 + 2**18 - 1) for channel in range(16) for key in range(128)}
    assert len(ids) == 3 * 16 * 128 and max(ids) < 2**31 and all(float(each) == each for each in ids)


@pytest.mark.parametrize(("channel", "heard"), [("omni", [0, 4, 15]), (5, [4])])
def test_a_patch_hears_its_channel(channel, heard):
    instrument = midi_player(channel=channel)
    assert [c for c in (0, 4, 15) if play(instrument, f"note_on channel={c} note=60")] == heard


def test_a_note_ends_where_it_began_though_the_patch_hears_another_channel_by_now():
    instrument = midi_player(channel=2)
    assert play(instrument, "note_on channel=1 note=60")
    send(instrument, "patch", "Choir")
    assert play(instrument, "note_off channel=1 note=60") == [("note/off/id", note_id(0, 1, 60), 64 / 127)]


def test_channels_given_to_parts_are_heard_by_those_alone():
    instrument = midi_player(channel=3)
    send(instrument, "part/2/patch", "Choir")
    instrument.midi.channels = {0: 2, 9: 0}
    assert play(instrument, "note_on channel=0 note=60") == [("part/2/note/on", 60, 64 / 127, note_id(0, 0, 60))]
    assert play(instrument, "note_on channel=9 note=60", "note_on channel=1 note=60") == []
    assert [each[0] for each in play(instrument, "note_on channel=2 note=60")] == ["note/on"]


def test_the_wheel_bends_what_is_held_and_what_comes_by_the_range_of_the_patch():
    instrument = midi_player(pitch_bend_semitones=12)
    c4, e4 = note_id(0, 0, 60), note_id(0, 0, 64)
    play(instrument, "note_on note=60")
    assert play(instrument, "pitchwheel pitch=8191") == [("note/bend", c4, 12)]
    assert play(instrument, "pitchwheel pitch=-4096") == [("note/bend", c4, -6)]
    assert play(instrument, "note_on note=64 velocity=127") == [("note/on", 64, 1, e4), ("note/bend", e4, -6)]
    assert play(instrument, "pitchwheel pitch=0 channel=1") == []


def test_a_keyboard_says_its_bend_range_with_cents():
    instrument = midi_player()
    play(instrument, "note_on note=60", "pitchwheel pitch=8191")
    said = play(instrument, *[f"control_change control={c} value={v}" for c, v in ((101, 0), (100, 0), (6, 7), (38, 50), (100, 127), (6, 3))])
    assert said == [("note/bend", note_id(0, 0, 60), 7), ("note/bend", note_id(0, 0, 60), 7.5)]


def test_what_is_for_a_parameter_of_the_maker_or_none_is_an_ordinary_control():
    instrument = midi_player(control_changes={6: "gain"})
    assert play(instrument, "control_change control=99 value=1", "control_change control=6 value=127") == [("gain/normalized", 1)]
    play(instrument, "control_change control=101 value=0", "control_change control=100 value=0")
    assert play(instrument, "control_change control=6 value=12") == []
    play(instrument, "control_change control=98 value=3")
    assert play(instrument, "control_change control=6 value=127") == [("gain/normalized", 1)]


def test_pressure_of_a_channel_and_of_a_key():
    instrument = midi_player()
    play(instrument, "note_on note=60", "note_on note=64")
    assert play(instrument, "aftertouch value=127") == [("note/pressure", note_id(0, 0, 60), 1), ("note/pressure", note_id(0, 0, 64), 1)]
    assert play(instrument, "polytouch note=64 value=0") == [("note/pressure", note_id(0, 0, 64), 0)]
    assert play(instrument, "note_on note=67 velocity=127")[1:] == [("note/pressure", note_id(0, 0, 67), 1)]


def test_the_pedal_holds_while_any_is_down_and_the_wheel_bends_what_it_holds():
    instrument = midi_player()
    pedal = "control_change control=64 value={} channel={}"
    assert play(instrument, pedal.format(64, 0), pedal.format(127, 1), pedal.format(63, 0)) == [("hold", 1)] * 3
    play(instrument, "note_on note=60 channel=1", "note_off note=60 channel=1")
    assert play(instrument, "pitchwheel pitch=8191 channel=1") == [("note/bend", note_id(0, 1, 60), 2)]
    assert play(instrument, pedal.format(0, 1)) == [("hold", 0)]
    assert play(instrument, "pitchwheel pitch=0 channel=1") == []


@pytest.mark.parametrize(("control", "panics"), [(120, True), (123, False), (124, False), (127, False)])
def test_notes_off_releases_and_sound_off_silences_at_once(control, panics):
    instrument = midi_player(mode="notes")
    play(instrument, "note_on note=60", "note_on note=61 channel=1")
    said = play(instrument, f"control_change control={control}")
    assert said == [("note/off/id", note_id(0, 0, 60), 0)] + [("panic",)] * panics


def test_sound_off_leaves_a_drone_alone():
    assert play(midi_player(), "control_change control=120") == []


def test_reset_lets_wheel_pressure_and_pedal_go_back():
    instrument = midi_player()
    play(instrument, "control_change control=64 value=127", "note_on note=60", "pitchwheel pitch=8191", "aftertouch value=9")
    a = note_id(0, 0, 60)
    assert play(instrument, "control_change control=121") == [("hold", 0), ("note/bend", a, 0), ("note/pressure", a, 0)]


def test_a_program_is_a_patch_by_its_place_and_one_that_is_not_there_is_nothing():
    instrument = midi_player()
    assert play(instrument, "program_change program=1") == [("patch/index", 2)]
    assert send(instrument, "patch") == [("/oscsynth/patch", ("Choir",))]
    assert play(instrument, "program_change program=3", "program_change program=127") == []


def test_a_program_is_a_scene_once_for_all_parts_where_there_is_a_set_list():
    instrument = midi_player()
    instrument.scenes.set([Scene(name, {1: PartScene("Choir"), 2: PartScene("Choir")}) for name in ("One", "Two")])
    for _ in range(2):
        assert play(instrument, "program_change program=1", "program_change program=2") == [("scene/index", 2)]
    assert send(instrument, "scene") == [("/oscsynth/scene", ("Two",))] and sorted(instrument.parts) == [1, 2]


# ---- controls


def test_a_control_moves_what_the_table_says_over_its_whole_range():
    instrument = midi_player(control_changes={1: "latent/bow", 7: "gain", 20: "/master/gain"})
    assert play(instrument, "control_change control=1 value=127") == [("latent/bow/normalized", 1)]
    assert play(instrument, "control_change control=7 value=0") == [("gain/normalized", 0)]
    assert play(instrument, "control_change control=20 value=127") == [("master/gain/normalized", 1)]
    assert (instrument.state.get(1, "latent"), instrument.state.get(1, "gain"), instrument.state.get(0, "gain")) == (1, -72, 12)
    assert play(instrument, "control_change control=2 value=1") == []


def test_buttons_and_steps():
    instrument = midi_player(control_changes={80: "gate", 81: "point/tasto", 82: "patch/index", 83: "output"})
    assert play(instrument, "control_change control=80 value=63", "control_change control=80 value=64") == [("gate", 0), ("gate", 1)]
    assert play(instrument, "control_change control=81 value=127", "control_change control=81 value=0") == [("point/tasto", 1), ("point/tasto", 0)]
    assert play(instrument, "control_change control=83 value=127") == [("output", 63)]
    assert play(instrument, "control_change control=82 value=2") == [("patch/index", 3)]


def test_a_pair_of_controls_is_one_of_fourteen_bits_and_goes_straight():
    instrument = midi_player(control_changes={1: "latent/bow"})
    values = [10, 10 * 128 + 127, 11 * 128, 11 * 128 + 64, 10 * 128 + 127, 10 * 128 + 3]
    messages = ["control_change control=1 value=10"]
    messages += [f"control_change control={c} value={v}" for c, v in ((33, 127), (1, 11), (33, 64), (1, 10), (33, 3))]
    said = play(instrument, *messages)
    assert said[0] == ("latent/bow/normalized", 10 / 127)
    assert said[1:] == [("latent/bow/normalized", value / 16383) for value in values[1:]]


def test_the_finer_half_may_have_a_meaning_of_its_own():
    instrument = midi_player(control_changes={1: "latent/bow", 33: "latent/air"})
    said = play(instrument, "control_change control=33 value=127", "control_change control=1 value=127")
    assert said == [("latent/air/normalized", 1), ("latent/bow/normalized", 1)]


def test_a_control_whose_address_is_wrong_says_so_and_leaves_other_parts_alone():
    instrument = midi_player(choir={"control_changes": {1: "gain"}}, control_changes={1: "latent/baw", 2: "patch", 3: "xy"})
    send(instrument, "part/2/patch", "Choir")
    with pytest.raises(Refused, match=r"latent/baw is no address that a control can move: .* nearest is /oscsynth/part/1/latent/bow"):
        play(instrument, "control_change control=1 value=127")
    assert instrument.state.get(2, "gain") == 12
    for control in (2, 3):
        with pytest.raises(Refused, match="no control can move that"):
            play(instrument, f"control_change control={control} value=1")


# ---- pick-up


def turn(instrument, *values, control=1, port=KNOBS):
    return [bool(play(instrument, f"control_change control={control} value={value}", port=port)) for value in values]


def test_a_knob_acts_at_once_at_first_and_after_a_switch_when_it_has_passed_the_value():
    instrument = midi_player(control_changes={1: "latent/bow"})
    assert turn(instrument, 127, 126) == [True, True]
    send(instrument, "patch", "Choir")
    send(instrument, "patch", "Violin")  # bow is at 0.4 again
    assert turn(instrument, 125, 100, 60, 52, 49, 127) == [False, False, False, False, True, True]
    assert turn(instrument, 3, control=1, port=KNOBS + 1) == [False]


def test_a_knob_waits_when_somebody_else_has_moved_its_value():
    instrument = midi_player(control_changes={1: "latent/bow"})
    assert turn(instrument, 10, 11) == [True, True]
    send(instrument, "latent/bow", 0.5)
    assert turn(instrument, 12, 60, 70, 71) == [False, False, True, True]


def test_a_knob_keeps_what_stays_with_the_part_and_the_silent_end_of_a_fader():
    instrument = midi_player(choir={"control_changes": {1: "gain"}}, control_changes={1: "gain"})
    assert turn(instrument, 2, 1, 2, 3, 30) == [True] * 5
    send(instrument, "patch", "Choir")
    assert turn(instrument, 31) == [True]


def test_what_comes_from_a_file_or_over_osc_acts_at_once():
    instrument = midi_player(control_changes={1: "latent/bow"})
    send(instrument, "patch", "Choir")
    send(instrument, "patch", "Violin")
    assert turn(instrument, 127, 0, port=255) == [True, True]


# ---- learning


def test_learning_binds_the_next_control_and_forgetting_frees_it():
    instrument = midi_player(control_changes={20: "latent/bow"})
    kept = []
    instrument.midi.controls.learned = lambda part, changes, lesson: kept.append((part.number, changes, lesson and lesson.sender))
    assert send(instrument, "midi/learn", "latent/bow") == []
    assert send(instrument, "midi/learn") == [("/oscsynth/midi/learn", ("latent/bow",))]
    assert play(instrument, "note_on note=60") and not kept
    assert play(instrument, "control_change control=74 value=127") == [("latent/bow/normalized", 1)]
    assert kept == [(1, {20: "", 74: "latent/bow"}, "sender")]
    assert send(instrument, "midi/learn") == [("/oscsynth/midi/learn", ("",))]
    assert send(instrument, "midi/learned") == [("/oscsynth/midi/learned", (74, "latent/bow"))]
    assert play(instrument, "control_change control=20 value=1") == []
    assert send(instrument, "midi/forget", "latent/bow") == []
    assert kept[-1] == (1, {74: ""}, None) and play(instrument, "control_change control=74 value=1") == []


@pytest.mark.parametrize(
    ("asked", "address"),
    [
        ("/oscsynth/latent/bow", "latent/bow"),
        ("/oscsynth/part/1/gain", "gain"),
        ("/pan", "pan"),
        ("gain/normalized", "gain"),
        ("master/gain", "/master/gain"),
    ],
)
def test_an_address_is_learned_in_every_form(asked, address):
    instrument = midi_player()
    assert send(instrument, "midi/learn", asked) == []
    play(instrument, "control_change control=5 value=9")
    assert send(instrument, "midi/learned") == [("/oscsynth/midi/learned", (5, address))]


def test_another_part_learns_for_itself():
    instrument = midi_player()
    send(instrument, "part/2/patch", "Choir")
    assert send(instrument, "midi/learn", "/oscsynth/part/2/gain") == []
    assert play(instrument, "control_change control=5 value=127") == [("part/2/gain/normalized", 1)]
    assert send(instrument, "part/2/midi/learned") == [("/oscsynth/part/2/midi/learned", (5, "gain"))]


@pytest.mark.parametrize(
    ("below", "address", "sentence"),
    [
        ("midi/learn", "latent/baw", "nearest is /oscsynth/part/1/latent/bow"),
        ("midi/learn", "patch", "takes one text, and no control can move that"),
        ("midi/learn", "status", "no control can move that"),
        ("midi/forget", "gain", "no control moves gain; controls move nothing"),
    ],
)
def test_what_cannot_be_learned_is_said(below, address, sentence):
    ((where, (_, said)),) = send(midi_player(), below, address)
    assert where == "/oscsynth/fail" and sentence in said


def test_a_saved_patch_is_believed_before_what_was_learned():
    instrument = midi_player()
    send(instrument, "midi/learn", "gain")
    play(instrument, "control_change control=5 value=9")
    loads = []
    instrument.shelf._request_load = lambda number, patch: loads.append(number)
    instrument.repertoire.offer(dataclasses.replace(VIOLIN, midi=MidiSettings(control_changes={6: "gain"})), METADATA["Violin"])
    instrument.repertoire.loaded(loads[-1])
    assert send(instrument, "midi/learned") == [("/oscsynth/midi/learned", (6, "gain"))]


# ---- MPE


def rpn(number, value, channel):
    return [f"control_change channel={channel} control={c} value={v}" for c, v in ((101, 0), (100, number), (6, value))]


def test_a_zone_of_the_controller_bends_each_note_by_itself_and_all_together():
    instrument = midi_player(channel=1)
    assert play(instrument, "note_on channel=3 note=60") == []
    play(instrument, *rpn(6, 15, 0))
    play(instrument, "note_on channel=3 note=60", "note_on channel=4 note=64")
    c4, e4 = note_id(0, 3, 60), note_id(0, 4, 64)
    assert play(instrument, "pitchwheel channel=3 pitch=8191") == [("note/bend", c4, 48)]
    assert play(instrument, "pitchwheel channel=0 pitch=-8192") == [("note/bend", c4, 46), ("note/bend", e4, -2)]
    assert play(instrument, "aftertouch channel=4 value=127") == [("note/pressure", e4, 1)]
    assert play(instrument, *rpn(0, 24, 7)) == [("note/bend", c4, 22), ("note/bend", e4, -2)]
    assert play(instrument, "pitchwheel channel=3 pitch=8191") == []


def test_a_zone_of_the_patch_needs_no_word_of_the_controller():
    instrument = midi_player(channel=16, mpe=Mpe(zone="upper", members=5, pitch_bend_semitones=12, timbre="air"))
    assert play(instrument, "note_on channel=9 note=60") == []
    e4 = note_id(0, 10, 64)
    assert play(instrument, "control_change channel=10 control=74 value=127", "pitchwheel channel=10 pitch=8191") == []
    assert play(instrument, "note_on channel=10 note=64 velocity=127") == [("note/on", 64, 1, e4), ("note/bend", e4, 12), ("note/latent/air", e4, 1)]
    assert play(instrument, "control_change channel=10 control=74 value=0") == [("note/latent/air", e4, 0)]
    assert play(instrument, "control_change channel=15 control=64 value=127") == [("hold", 1)]


def test_after_its_release_a_note_of_a_zone_is_left_alone_though_the_pedal_holds_it():
    instrument = midi_player(mpe=Mpe(zone="lower"))
    play(instrument, "control_change channel=0 control=64 value=127", "note_on channel=2 note=60", "note_off channel=2 note=60")
    assert play(instrument, "pitchwheel channel=2 pitch=99") == []
    assert play(instrument, "pitchwheel channel=0 pitch=8191") == [("note/bend", note_id(0, 2, 60), pytest.approx(2 + 48 * 99 / 8191))]


def test_a_new_zone_releases_what_sounds_and_makes_the_other_one_smaller():
    instrument = midi_player(channel=16)
    play(instrument, *rpn(6, 12, 15), "note_on channel=4 note=60")
    assert play(instrument, *rpn(6, 5, 0)) == [("note/off/id", note_id(0, 4, 60), 0)]
    assert play(instrument, "note_on channel=5 note=60") == [] and play(instrument, "note_on channel=6 note=60")
    play(instrument, *rpn(6, 0, 0), *rpn(6, 0, 15))
    assert play(instrument, "note_on channel=7 note=60") == []


# ---- ports and packets


def test_a_port_that_is_gone_takes_its_notes_and_pedal_with_it():
    instrument = midi_player()
    play(instrument, "control_change control=64 value=127", "note_on note=60", "note_on note=62 channel=3", port=KNOBS)
    play(instrument, "note_on note=60", port=KNOBS + 1)
    gone = [tuple(message) for message in instrument.midi.forget(KNOBS)]
    assert gone == [
        ("/oscsynth/part/1/note/off/id", (note_id(KNOBS, 0, 60), 0.0)),
        ("/oscsynth/part/1/note/off/id", (note_id(KNOBS, 3, 62), 0.0)),
        ("/oscsynth/part/1/hold", (0,)),
    ]
    assert instrument.midi.forget(KNOBS) == [] and play(instrument, "note_off note=60", port=KNOBS + 1)


def test_a_closed_part_is_told_nothing():
    instrument = midi_player()
    send(instrument, "part/2/patch", "Choir")
    play(instrument, "note_on note=60")
    send(instrument, "part/2/close")
    assert [each[0] for each in play(instrument, "note_off note=60")] == ["note/off/id"]


def test_a_message_over_osc_goes_the_same_way():
    instrument = midi_player(control_changes={1: "pan"})
    assert send(instrument, "midi", Midi(0, 0xB0, 1, 127)) == []
    assert instrument.state.get(1, "pan") == 1
    assert send(instrument, "midi", Midi(0, 0xC0, 1, 0)) and send(instrument, "patch") == [("/oscsynth/patch", ("Choir",))]
    assert send(instrument, "midi", Midi(0, 0xF8, 0, 0)) == []
    ((_, (_, sentence)),) = send(instrument, "midi", Midi(0, 0x90, 60, 200))
    assert sentence == "the bytes 90 3c c8 are no MIDI message: a status from 80 to ef, then data up to 7f"
    assert send(instrument, "midi", 3)[0][1][1] == "takes a MIDI message, of OSC's type m, not 3"


@pytest.mark.parametrize("data", ["", "90", "903c", "90 3c 80", "3c 40", "c0", "c0 80", "90 3c 40 00", "f8", "f0 01 02", "f0 01 f7", "fe", "ff"])
def test_what_is_cut_short_or_of_the_system_is_nothing(data):
    data = bytes.fromhex(data)
    assert from_bytes(0, data) is None
    assert is_system(data) == (data[:1] >= b"\xf0")


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0x80, 0xEF), st.integers(0, 127), st.integers(0, 127)), max_size=60), st.data())
def test_nothing_that_a_device_sends_hurts_and_a_port_that_is_gone_leaves_no_note(messages, data):
    mpe = Mpe(zone=data.draw(st.sampled_from(("auto", "lower", "upper"))), timbre="air")
    table = {1: "latent/bow", 33: "gain", 64: "nothing"}
    instrument = midi_player(channel=data.draw(st.sampled_from(("omni", 1, 16))), mpe=mpe, control_changes=table)
    for number, midi in enumerate([Midi(*each) for each in messages]):
        if number == 20:
            send(instrument, "patch", "Choir")
        for reply in instrument.perform(Message("/oscsynth/midi", (midi,)), "port"):
            said = str(reply.arguments)
            assert "no such address" in said or "cannot be played" in said or reply.address == "/oscsynth/done"
    translated = [message for port in {each[0] for each in messages} for message in instrument.midi.forget(port)]
    assert all(message.address.endswith(("note/off/id", "hold")) for message in translated)
    assert not instrument.midi._held and not any(instrument.midi._pedals.values())


@given(st.binary(max_size=200))
def test_random_bytes_through_a_parser_are_played_or_nothing(data):
    instrument = midi_player()
    parser = mido.Parser()
    parser.feed(data)
    for message in parser:
        if (midi := from_bytes(0, message.bin())) is not None:
            instrument.perform(Message("/oscsynth/midi", (midi,)), "port")
    from_bytes(0, data)
