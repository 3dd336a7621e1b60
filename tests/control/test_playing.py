"""Notes: messages in, voices of the state out."""

from __future__ import annotations

import dataclasses
import math

import pytest

from oscsynth.control.instrument import Instrument
from oscsynth.parameters import MAX_VOICES
from oscsynth.patch import Patch, Velocity

from .catalogue import VIOLIN, metadata, send

KEYS = dataclasses.replace(VIOLIN, name="Keys", mode="notes", voices=4)
MORE = dataclasses.replace(KEYS, name="More", voices=2)


class Playing:
    """An instrument whose part 1 plays notes, and a clock that is moved by hand."""

    def __init__(self, *patches: Patch) -> None:
        self.seconds = 100.0
        loads: list[int] = []
        self.instrument = Instrument(lambda number, patch: loads.append(number), seconds=lambda: self.seconds)
        patches = patches or (KEYS, MORE, VIOLIN)
        self.instrument.repertoire.set_patches({patch.name: patch for patch in patches})
        for patch in patches:
            self.instrument.repertoire.offer(patch, metadata(3))
            self.instrument.repertoire.loaded(loads[-1])
        self.instrument.repertoire.start(patches[0].name)

    def __call__(self, address: str, *arguments: float | str) -> list[tuple[str, tuple[object, ...]]]:
        self.seconds += 0.01
        return send(self.instrument, address, *arguments)

    def voice(self, number: int, name: str, index: int = 0) -> float:
        return self.instrument.state.get_voice(number, name, index)

    def held(self, name: str = "pitch", part: int = 1) -> list[float]:
        """Return a number of every voice of a part that is held, in order of their beginnings."""
        voices = [n for n in range(MAX_VOICES) if self.voice(n, "part") == part and self.voice(n, "ended") != self.voice(n, "started")]
        return [self.voice(n, name) for n in sorted(voices, key=lambda n: self.voice(n, "started"))]


@pytest.fixture
def play() -> Playing:
    return Playing()


def test_a_note_is_held_until_its_pitch_or_its_id_is_released(play):
    assert play("note/on", 60.25, 0.5) == [] == play("note/on", 64, 1, 7)
    assert (play.held(), play.held("id"), play.held("velocity")) == ([60.25, 64], [60.25, 7], [0.5, 1])
    play("note/off", 60)
    play("note/off/id", 64)
    assert play.held() == [60.25, 64]
    play("note/off", 60.25, 0.25)
    assert play.held() == [64] and play.voice(0, "release") == 0.25
    play("note/off/id", 7)
    assert play.held() == []


@pytest.mark.parametrize(("address", "given", "velocity"), [("note/on", 1.0, 1), ("note/on", 127, 1), ("note/on", 0.5, 0.5), ("note", 127, 1)])
def test_velocity_is_0_to_1_or_to_127(play, address, given, velocity):
    play(address, 60, given)
    assert play.held("velocity") == [velocity]
    play(address, 60, 0)
    assert play.held() == []


def test_maxs_makenote_counts_a_velocity_of_1_as_1(play):
    play("note", 60, 1)
    assert play.held("velocity") == [1 / 127]


def test_bend_pressure_and_latents_of_one_note(play):
    play("note/on", 60, 1, 1)
    play("note/on", 64, 1, 2)
    play("note/bend", 1, 2.5)
    play("note/pressure", 1, 64)
    play("note/latent", 1, 0.25, 2.0)
    play("note/latent/bow", 2, 0.75)
    assert (play.held("bend"), play.held("pressure")) == ([2.5, 0], [pytest.approx(64 / 127), 0])
    assert [play.voice(0, "latent", index) for index in range(2)] == [0.25, 1.0] and math.isnan(play.voice(0, "latent", 2))
    assert play.voice(1, "latent", 0) == 0.75
    assert play("note/bend", 99, 1) == []  # it may be gone already


def test_a_note_of_the_same_id_takes_its_place(play):
    play("note/on", 60, 1)
    play("note/on", 60, 0.5)
    assert play.held("velocity") == [0.5]


def test_the_pedal_holds_until_it_comes_up(play):
    play("hold", 1)
    play("note/on", 60, 1)
    play("note/on", 64, 1)
    play("note/off", 60)
    assert play.held() == [60, 64] and play("hold") == [("/oscsynth/hold", (1,))]
    play("hold", 0)
    assert play.held() == [64]


@pytest.mark.parametrize("address", ["gate", "panic"])
def test_gate_0_and_panic_end_everything(play, address):
    play("hold", 1)
    play("note/on", 60, 1)
    play("note/bend", 60, 3)
    play(address, *([0] if address == "gate" else []))
    assert play.held() == []
    if address == "panic":
        assert play("hold") == [("/oscsynth/hold", (0,))] and play.voice(0, "bend") == 0


def test_chroma_is_refused_where_notes_play(play):
    for address, arguments in (("chroma/C", ()), ("chroma/name", ("C",)), ("chroma/weight/C", (1,)), ("chroma", (1,) * 12)):
        ((where, (_, sentence)),) = play(address, *arguments)
        assert where == "/oscsynth/fail" and "note/on" in sentence


def test_a_drone_takes_class_and_octave_and_never_the_gate(play):
    play("patch", "Violin")
    play("gate", 0)
    play("note/on", 49, 1)
    assert play("chroma/name") == [("/oscsynth/chroma/name", ("C#",))] and play("register") == [("/oscsynth/register", (3.0,))]
    play("note/off", 49)
    assert play.instrument.state.get(1, "gate") == 0 and play.held() == []


def test_more_notes_than_voices_take_the_longest_released_then_the_quietest(play):
    for pitch, velocity in ((60, 1), (61, 0.2), (62, 1), (63, 1)):
        play("note/on", pitch, velocity)
    play("note/on", 64, 1)
    assert play.held() == [60, 62, 63, 64]  # 61 was the softest
    play("note/off", 62)
    play("note/off", 60)
    play("note/on", 65, 1)
    play("note/on", 66, 1)
    assert play.held() == [63, 64, 65, 66]
    assert {play.voice(n, "part") for n in range(4)} == {1} and play.voice(4, "part") == 0


def test_the_quietest_is_known_by_its_envelope():
    play = Playing(dataclasses.replace(KEYS, velocity=Velocity(0)))
    play("envelope/decay", 1000)
    play("envelope/sustain", 0)
    for pitch in (60, 61, 62, 63):
        play.seconds += 0.1
        play("note/on", pitch, 1)
    play("note/on", 64, 1)
    assert play.held() == [61, 62, 63, 64]


def test_held_notes_go_on_in_another_patch_of_notes_and_end_at_a_drone(play):
    for pitch in (60, 62, 64):
        play("note/on", pitch, pitch / 100)
    play("note/bend", 64, 1)
    play("patch", "More")
    assert (play.held(), play.held("bend")) == ([62, 64], [0, 1])  # it has two voices
    play("patch", "Violin")
    assert play.held() == []


def test_closing_a_part_ends_its_notes_and_no_others(play):
    play("part/2/patch", "Keys")
    play("note/on", 60, 1)
    play("part/2/note/on", 60, 1)
    play("part/2/note/off", 61)
    assert play.held() == play.held(part=2) == [60]
    play("part/2/close")
    assert play.held() == [60] and play.held(part=2) == []


def test_strings_are_no_ids(play):
    ((_, (_, sentence)),) = play("note/on", 60, 1, "lead")
    assert "'lead'" in sentence


def test_all_parts_together_have_256_voices():
    big = dataclasses.replace(KEYS, voices=64)
    play = Playing(big)
    for part in range(2, 6):
        play(f"part/{part}/patch", "Keys")
    for part in range(1, 6):
        for n in range(64):
            play(f"part/{part}/note/on", 30 + n, 1, 1000 * part + n)
    held = [play.held(part=part) for part in range(1, 6)]
    assert sum(map(len, held)) == MAX_VOICES and len(held[4]) == 64


def test_who_vanishes_takes_its_notes_along(play):
    class Port:
        """A connection, or a MIDI port."""

    from oscsynth.control.osc import Message

    port, other = Port(), Port()
    for sender, pitch in ((port, 60), (other, 61), (("127.0.0.1", 9), 62), (port, 63)):
        play.instrument.perform(Message("/oscsynth/note/on", (pitch, 1)), sender)
    play.instrument.voices.leave(port)
    assert play.held() == [61, 62]
    again = Instrument(lambda number, patch: None, play.instrument.state)  # a control that was started again knows neither of them
    play.instrument = again
    assert play.held() == [62]
