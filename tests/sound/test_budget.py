"""What waits when a block has no time for it, and for how long. The clock is moved by hand."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oscsynth.patch import Patch
from oscsynth.sound.budget import AMISS, DOUBT, REMEMBERED, SHARE, SHARE_OF_LONG, SHARE_OF_WARY, WARY_SECONDS, Budget
from oscsynth.sound.deck import WHOLE, Deck, Way
from oscsynth.sound.loading import load_sound
from oscsynth.sound.note_sound import NoteSound
from oscsynth.sound.phase import HOPS_AHEAD
from oscsynth.sound.resynthesis import Resynthesis
from oscsynth.sound.turns import MOST_AT_ONCE, MOST_NEW_AT_ONCE, MOST_TONAL_AT_ONCE
from oscsynth.sound.voices import Sound
from oscsynth.sound.walking import Walking
from tests.note_decoders import tiny_note_decoder
from tests.sound.conftest import RATE_HZ, Player

from .test_bank import Keys
from .test_resynthesis import Stage, note, rms

BLOCK = 512
BLOCK_SECONDS = BLOCK / RATE_HZ


class Slow:
    """A machine on which each change of a deck takes a share of a block; ``changes`` are (block, deck, in haste).

    ``beside_share`` of each block is gone before anything is made; ``one_share`` is what a change of one note takes, ``half_share`` one half of one.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, share: float = 0.0, haste_share: float = 0.0) -> None:
        self.seconds, self.share, self.haste_share = 0.0, share, haste_share
        self.budget = Budget(lambda: self.seconds)
        self.changes: list[tuple[int, int, bool]] = []
        self.block, self.longest, self.beside_share, self.one_share, self.half_share = 0, 0.0, 0.0, 0.0, 0.0
        self.halves: list[int] = []  # blocks in which a half was made
        change = Deck.change

        def slow(deck: Deck, now: int, master_gain: Callable[[float], float], at_clock: bool = True, way: Way = WHOLE) -> None:
            is_half = way.in_two or deck.is_half_made
            change(deck, now, master_gain, at_clock, way)
            share = self.haste_share if way.in_haste else self.half_share if is_half else self.one_share if way.only_one else self.share
            self.seconds += BLOCK_SECONDS * share
            self.changes.append((self.block, id(deck), way.in_haste))
            self.halves += [self.block] * is_half

        monkeypatch.setattr(Deck, "change", slow)
        self._monkeypatch = monkeypatch

    def decoding(self, share: float) -> list[tuple[int, list[int]]]:
        """Have each note take so much of a block to be decoded; return where (block, places) will be put down."""
        decode, decoded = NoteSound.decode, []

        def slow(sound: NoteSound, timbres: np.ndarray, places: np.ndarray) -> object:
            self.seconds += share * BLOCK_SECONDS * len(timbres)
            decoded.append((self.block, places.tolist()))
            return decode(sound, timbres, places)

        self._monkeypatch.setattr(NoteSound, "decode", slow)
        return decoded

    def play(self, play: Player | Stage, n_blocks: int = 1, heard: Iterator[np.ndarray] | None = None) -> np.ndarray:
        """Return the next blocks, and see how long the longest takes, in blocks."""
        blocks, values = [], np.frombuffer(play.state.values)
        for _ in range(n_blocks):
            begun = self.seconds
            self.budget.begin(begun, BLOCK_SECONDS, play.engine.position_samples + BLOCK)
            self.seconds += BLOCK_SECONDS * self.beside_share
            blocks.append(play.engine.render(values, BLOCK, next(heard) if heard is not None else None))
            self.block += 1
            self.longest = max(self.longest, (self.seconds - begun) / BLOCK_SECONDS)
        return np.concatenate(blocks)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    return Slow(monkeypatch)


@pytest.mark.parametrize(("length_seconds", "share"), [(0.003, SHARE), (0.02, SHARE_OF_LONG)])
def test_only_what_fits_is_allowed(length_seconds: float, share: float) -> None:
    budget, planned = Budget(lambda: 10.0), share * length_seconds
    budget.begin(10.0, length_seconds, 512)
    assert budget.allows(0.9 * planned) and not budget.allows(1.1 * planned)
    budget.reserved_seconds = 0.5 * planned
    assert budget.allows(0.4 * planned) and not budget.allows(0.6 * planned)
    assert budget.room(0.1 * planned) in (4, 5) and budget.room(5.0) == 1, "hardly anything was done yet"


class Blocks:
    """One block after the other, with a clock that is moved by hand."""

    def __init__(self, length_seconds: float) -> None:
        self.seconds, self.length_seconds, self._end = 0.0, length_seconds, 0
        self.budget = Budget(lambda: self.seconds)

    def next(self, work_share: float = 0.0) -> None:
        """End the block at hand, begin the next, and do some work in it."""
        self._end += 1
        self.seconds = self._end * self.length_seconds
        self.budget.begin(self.seconds, self.length_seconds, self._end)
        if work_share:
            self.budget.timed("work", lambda: self._pass(work_share))

    def _pass(self, share: float) -> None:
        self.seconds += share * self.length_seconds

    def planned_share(self) -> float:
        """Return the largest share of a block's length, in hundredths, that is thought to fit into the next."""
        self.next()
        return max(share for share in np.arange(0.01, 1.0, 0.01) if self.budget.allows(share * self.length_seconds))


def test_a_machine_that_was_several_times_as_slow_is_trusted_less_for_some_seconds():
    blocks = Blocks(BLOCK_SECONDS)
    for _ in range(REMEMBERED):
        blocks.next(0.1)
    assert blocks.planned_share() == pytest.approx(SHARE_OF_LONG, abs=0.011)
    blocks.next(0.1 + 0.9 * AMISS)
    assert blocks.planned_share() == pytest.approx(SHARE_OF_LONG, abs=0.011)
    blocks.next(0.1 + 1.1 * AMISS)
    for _ in range(int(WARY_SECONDS / BLOCK_SECONDS) - 2):
        assert blocks.planned_share() == pytest.approx(SHARE_OF_WARY, abs=0.011)
    for _ in range(4):
        blocks.next()
    assert blocks.planned_share() == pytest.approx(SHARE_OF_LONG, abs=0.011)


def test_short_blocks_are_planned_as_ever_after_something_was_slow():
    """A share of them that is smaller would hold hardly any change at all."""
    blocks = Blocks(128 / RATE_HZ)
    for work_share in (0.1, 0.1, 0.9):
        blocks.next(work_share)
    assert blocks.planned_share() == pytest.approx(SHARE, abs=0.011)


def test_what_was_never_done_shows_no_slowness():
    blocks = Blocks(BLOCK_SECONDS)
    blocks.next(0.9)
    assert blocks.planned_share() == pytest.approx(SHARE_OF_LONG, abs=0.011)


def test_an_estimate_is_the_second_longest_of_the_last_times() -> None:
    budget = Budget(lambda: 0.0)
    assert budget.cost_seconds("flute") == 0.0
    budget.took("flute", 1.0)
    budget.took("cello|moving", 0.5)
    assert budget.cost_seconds("cello|at rest") == 0.5, "as long as the longest of the same"
    assert budget.cost_seconds("flute") == 1.0 and budget.cost_seconds("never done") == 1.0, "as long as the longest"
    budget.took("flute", 30.0)
    assert budget.cost_seconds("flute") == 1.0, "once may be the system's doing"
    budget.took("flute", 3.0)
    assert budget.cost_seconds("flute") == 3.0
    for _ in range(REMEMBERED):
        budget.took("flute", 1.0)
    assert budget.cost_seconds("flute") == 1.0


def test_what_was_done_once_is_soon_thought_to_take_no_longer_than_what_is_like_it() -> None:
    budget = Budget(lambda: 0.0)
    budget.took("flute|at once", 1.0)
    budget.doubt("flute|at once")
    assert budget.cost_seconds("flute|at once") == DOUBT, "nothing is like it"
    budget.took("flute", 0.1)
    budget.doubt("flute|at once")
    assert budget.cost_seconds("flute|at once") == 0.1
    for _ in range(2):
        budget.took("flute|at once", 1.0)
    budget.doubt("flute|at once")
    assert budget.cost_seconds("flute|at once") == DOUBT, "more than once it is no longer the cold"


def test_kernels_are_made_ahead_while_hardly_anything_is_done(decoder_path: Path, slow: Slow) -> None:
    play = Player(Patch("Test", str(decoder_path)), budget=slow.budget)
    slow.beside_share = 0.3
    slow.play(play, 4)
    assert play.engine._carrier._ahead == 0
    slow.beside_share = 0.0
    slow.play(play, 4)
    assert play.engine._carrier._ahead > 0


def test_where_there_is_time_nothing_is_another(decoder_path: Path, slow: Slow) -> None:
    sounds = []
    for budget in (None, slow.budget):
        play = Player(Patch("Test", str(decoder_path)), budget=budget)
        play.open(part=2)
        blocks = []
        for step in range(20):
            play.latents(0.5 + 0.4 * np.sin(step), part=1 + step % 2)
            blocks.append(slow.play(play))
        sounds.append(np.concatenate(blocks))
    assert np.array_equal(*sounds)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["latents", "gate", "pan", "width"]), st.floats(0.0, 1.0), st.integers(1, 40)), max_size=6))
@pytest.mark.parametrize("phase", ["noise", "tonal"])
def test_what_is_made_ahead_is_what_would_be_made_and_given_up_at_a_change(
    decoder_path: Path, phase: Literal["noise", "tonal"], changes: list[tuple[str, float, int]]
) -> None:
    sounds = []
    for budget in (None, Budget(lambda: 0.0)):
        play, blocks = Player(Patch("Test", str(decoder_path), phase=phase), budget=budget), []
        for name, value, n_blocks in [("gate", 1.0, 20), *changes]:
            if name == "latents":
                play.latents(value)
            else:
                play.state.set(1, name, round(value) if name == "gate" else value)
            for _ in range(n_blocks):
                if budget is not None:
                    budget.begin(0.0, BLOCK_SECONDS, play.engine.position_samples + 100)
                blocks.append(play.engine.render(np.frombuffer(play.state.values), 100))
        sounds.append(np.concatenate(blocks))
    assert np.array_equal(*sounds)


def test_what_stands_still_is_made_ahead_where_there_is_room(decoder_path: Path, slow: Slow) -> None:
    play, kept = Player(Patch("Test", str(decoder_path)), budget=slow.budget), []
    for slow.beside_share in (0.0, 0.2, 0.3):
        slow.play(play, 40)
        kept.append(max(len(play.engine._kept) for _ in range(20) if slow.play(play).any()))
    hop = play.engine.stft.hop_samples
    assert kept == [(1 + HOPS_AHEAD) * hop - BLOCK, (1 + HOPS_AHEAD) * hop - BLOCK, hop - BLOCK]


def tonal(decoder_path: Path, budget: Budget | None = None) -> Player:
    return Player(Patch("Test", str(decoder_path), phase="tonal", breath=0.5), budget=budget)


def test_a_tonal_change_that_never_fits_is_made_in_two_halves(decoder_path: Path, slow: Slow) -> None:
    play = tonal(decoder_path, slow.budget)
    slow.share, slow.half_share = 1.2, 0.3
    moving(play, slow, 1, 20)  # what each takes is found out
    slow.longest, slow.halves = 0.0, []
    moving(play, slow, 1, 40)
    assert slow.longest < SHARE_OF_LONG and len(slow.halves) > 30
    slow.share, slow.half_share = 0.2, 0.1
    moving(play, slow, 1, 60)
    slow.halves.clear()
    moving(play, slow, 1, 20)
    assert not slow.halves, "as soon as there is room for both they are one again"


def test_both_halves_are_the_whole(decoder_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sounds, change = [], Deck.change

    def twice(deck: Deck, now: int, master_gain: Callable[[float], float], at_clock: bool = True) -> None:
        change(deck, now, master_gain, at_clock, Way(in_two=True))
        if deck.is_half_made:
            change(deck, now, master_gain, at_clock)

    for make in (change, twice):
        monkeypatch.setattr(Deck, "change", make)
        play = tonal(decoder_path)
        sounds.append(np.concatenate([play.render(700) for step in range(12) if play.latents(0.5 + 0.4 * np.sin(step)) is None]))
    assert np.array_equal(*sounds) and sounds[0].any()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(1, 4), st.floats(0.0, 1.0), st.none() | st.integers(0, 11)), min_size=1, max_size=12))
def test_what_comes_between_two_halves_is_heard_in_the_end(decoder_path: Path, slow: Slow, events: list[tuple[int, float, int | None]]) -> None:
    slow.budget.forget()
    play, whole = tonal(decoder_path, slow.budget), tonal(decoder_path)
    slow.share, slow.half_share = 0.8, 0.3
    play.engine.coarseness = 16  # a change then stands for moments that are far ahead
    for n_blocks, value, note_class in events:
        for each in (play, whole):  # a note acts at once, a fader in a stream does not
            each.latents(value) if note_class is None else each.classes({note_class: 1.0})
        slow.play(play, n_blocks)
    slow.play(play, 60)
    whole.render(60 * BLOCK)
    (ours,), (theirs,) = play.engine._decks(), whole.engine._decks()
    assert not ours.is_half_made and play.engine._is_still()
    np.testing.assert_array_equal(ours._sound._layers[-1].pairs, theirs._sound._layers[-1].pairs)


def moving(play: Player, slow: Slow, n_parts: int, n_blocks: int) -> None:
    for step in range(n_blocks):
        for part in range(1, n_parts + 1):
            play.latents(0.5 + 0.4 * np.sin(0.7 * step + part), part=part)
        slow.play(play)


def test_no_block_is_late_and_nobody_waits_for_ever(decoder_path: Path, slow: Slow) -> None:
    play = Player(Patch("Test", str(decoder_path)), budget=slow.budget)
    for part in range(2, 5):
        play.open(part=part)
    slow.play(play, 8)
    slow.share, slow.longest = 0.5 * SHARE_OF_LONG, 0.0  # two fit into a block, and four are wanted at each clock: 4.8 blocks in one
    slow.budget.forget()  # that it was quicker: such a machine is trusted less for a while
    moving(play, slow, 4, 4)
    slow.changes.clear()
    slow.longest = 0.0
    moving(play, slow, 4, 60)
    assert slow.longest <= 1.0
    for deck in {deck for _, deck, _ in slow.changes}:
        blocks = [block for block, each, _ in slow.changes if each == deck]
        assert len(blocks) > 20 and max(np.diff(blocks)) <= 4
    assert len({deck for _, deck, _ in slow.changes}) == 4


def test_what_never_fits_gets_a_block_for_itself(decoder_path: Path, slow: Slow) -> None:
    play = Player(Patch("Test", str(decoder_path)), budget=slow.budget)
    slow.play(play, 8)
    slow.share = 0.95
    moving(play, slow, 1, 8)
    slow.changes.clear()
    slow.longest = 0.0
    moving(play, slow, 1, 40)
    assert slow.longest <= 1.0 and len(slow.changes) > 8


def test_what_took_long_once_does_not_wait_for_ever(decoder_path: Path, slow: Slow) -> None:
    play = Player(Patch("Test", str(decoder_path)), budget=slow.budget)
    slow.share = 5.0  # cold
    slow.play(play)
    slow.share, slow.beside_share = 0.2, 0.3  # no block is ever early
    slow.changes.clear()
    for step in range(30):
        play.latents(0.5 + 0.4 * np.sin(step))
        slow.play(play)
    assert len(slow.changes) > 3


def test_one_change_that_took_long_holds_up_no_other(decoder_path: Path, slow: Slow) -> None:
    play = Player(Patch("Test", str(decoder_path)), budget=slow.budget)
    slow.play(play, 8)
    slow.share = 0.1
    moving(play, slow, 1, 8)
    slow.share = 5.0  # the system had something else to do
    moving(play, slow, 1, 1)
    slow.share = 0.1
    slow.changes.clear()
    moving(play, slow, 1, 10)
    assert {block for block, _, _ in slow.changes} == set(range(slow.block - 10, slow.block))


def test_what_took_long_at_once_is_done_at_once_again(decoder_path: Path, slow: Slow) -> None:
    play = Player(Patch("Test", str(decoder_path)), budget=slow.budget)
    play.set("envelope/attack", 0.0)
    play.render(60)  # blocks begin between two clocks, so that a gate acts at once or waits for the next clock
    slow.play(play, 8)
    waited = []
    for toggle in range(30):
        play.set("gate", float(toggle % 2))
        slow.share = 1.5 * SHARE_OF_LONG if not toggle else 0.02  # cold
        slow.play(play)
        slow.share = 0.02
        waited.append(slow.budget.waited_samples)
        slow.play(play, 4)
    assert any(each >= 0 for each in waited[1:]) and all(each == -1 for each in waited[-20:])


def test_what_waits_is_told_and_forgotten(decoder_path: Path, slow: Slow) -> None:
    play = Player(Patch("Test", str(decoder_path)), budget=slow.budget)
    slow.play(play, 8)
    assert slow.budget.waited_samples == -1
    slow.share = 0.9
    moving(play, slow, 1, 8)
    told = []
    for step in range(8):
        play.latents(0.1 * step)
        slow.play(play)
        told.append(slow.budget.waited_samples)
    assert max(told) >= 128
    slow.share = 0.0
    slow.play(play, 100)
    assert slow.budget.waited_samples == -1


def test_a_change_that_waited_is_heard_whole(decoder_path: Path, slow: Slow) -> None:
    ends = []
    for share in (0.0, 0.95):
        slow.share = share
        play = Player(Patch("Test", str(decoder_path)), budget=slow.budget)
        slow.play(play, 8)
        play.latents(0.9, 0.1)
        slow.play(play, 100)
        ends.append(slow.play(play, 4))
    assert np.array_equal(*ends)


@pytest.mark.parametrize(("share", "most", "n_blocks"), [(0.2, 3, 6), (0.95, 1, 40)])
def test_notes_that_do_not_fit_are_decoded_soon_after(tmp_path: Path, slow: Slow, share: float, most: int, n_blocks: int) -> None:
    path = tiny_note_decoder(tmp_path / "notes.onnx")
    decoded, heard = slow.decoding(share), []
    for budget in (None, slow.budget):
        play = Keys(Patch("Test", str(path)), budget=budget)
        slow.budget.took(str(path), share * BLOCK_SECONDS)
        play.engine.coarseness = 16  # its turns are four blocks apart
        for voice in range(8):
            play.on(voice, 60 + voice)
        decoded.clear()
        slow.longest = 0.0
        slow.play(play, 60)
        heard.append(slow.play(play, 4))
    counts = [(block, len(places)) for block, places in decoded]
    assert max(sum(n for block, n in counts if block == each) for each, _ in counts) <= most and sum(n for _, n in counts) == 8
    assert counts[-1][0] - counts[0][0] < n_blocks and slow.longest <= 1.0
    assert rms(heard[0] - heard[1]) < 1e-6 * rms(heard[0])


def test_while_all_notes_move_each_is_decoded_in_its_turn(tmp_path: Path, slow: Slow) -> None:
    path = tiny_note_decoder(tmp_path / "notes.onnx")
    decoded = slow.decoding(0.25)
    play = Keys(Patch("Test", str(path)), budget=slow.budget)
    for voice in range(6):
        play.on(voice, 60 + voice)
    moving(play, slow, 1, 20)
    decoded.clear()
    moving(play, slow, 1, 24)
    times = np.bincount(np.concatenate([places for _, places in decoded]).astype(int))
    times = times[times > 0]
    assert len(times) == 6 and times.max() - times.min() <= 2
    assert slow.budget.waited_samples < 4096, "what goes on in turns does not wait"


def test_what_never_fits_beside_the_others_is_decoded_in_turn_with_them(tmp_path: Path, slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tiny_note_decoder(tmp_path / "notes.onnx")
    decoded, hear, heard = slow.decoding(0.4), Walking._hear, []

    def slow_hear(walking: Walking, at: np.ndarray, moment: float) -> None:
        slow.seconds += 0.1 * BLOCK_SECONDS * len(at)
        heard.append(at.tolist())
        hear(walking, at, moment)

    monkeypatch.setattr(Walking, "_hear", slow_hear)
    play = Keys(Patch("Test", str(path)), budget=slow.budget)
    for voice in range(6):
        play.on(voice, 60 + voice)
    moving(play, slow, 1, 30)
    decoded.clear()
    heard.clear()
    slow.longest = 0.0
    moving(play, slow, 1, 60)
    assert slow.longest <= 0.75
    assert len({place for _, places in decoded for place in places}) == 6 and len(decoded) > 12
    assert sum(len(at) == 6 for at in heard) > 12


def test_of_many_notes_that_move_at_once_some_do_and_all_arrive(decoder_path: Path, slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    decode, counts = Sound.decode, []

    def counted(sound: Sound, positions: np.ndarray, *asked: np.ndarray) -> object:
        counts.append(len(positions))
        return decode(sound, positions, *asked)

    monkeypatch.setattr(Sound, "decode", counted)
    ends = []
    for budget in (None, slow.budget):
        play = Keys(Patch("Test", str(decoder_path)), budget=budget)
        for voice in range(20):
            play.on(voice, 50 + voice)
        slow.play(play, 40)
        counts.clear()
        for step in range(12):
            play.latents(0.5 + 0.4 * np.sin(step), 0.3)
            slow.play(play)
        assert max(counts) == (20 if budget is None else MOST_AT_ONCE)
        play.latents(0.9, 0.1)
        slow.play(play, 100)
        assert play.engine._parts[0].decks[0].is_settled()
        ends.append(slow.play(play, 4))
    assert np.array_equal(*ends)


@pytest.mark.parametrize("phase", ["noise", "tonal"])
def test_of_many_notes_that_begin_at_once_some_do_and_none_is_forgotten(decoder_path: Path, slow: Slow, phase: Literal["noise", "tonal"]) -> None:
    ends = []
    slow.budget.begin(slow.seconds, BLOCK_SECONDS, BLOCK)  # a block without an end: no time passes
    for budget, most in ((None, 20), (slow.budget, MOST_NEW_AT_ONCE)):
        play = Keys(Patch("Test", str(decoder_path), phase=phase), budget=budget)
        for voice in range(20):
            play.on(voice, 50 + voice)
        counts = []
        for _ in range(30):
            counts.append(int(play.bank._spectra.powers[:20].any(1).sum()) if play.engine._parts[0].decks else 0)
            play.render(128)
        assert np.diff(counts).max() == most and counts[-1] == 20 and np.diff(counts).min() == 0
        play.render(8192)
        ends.append(play.bank.spectrum(play.engine.position_samples, play.engine._parts[0].decks[0]._controls.target, 0))
    assert np.array_equal(*ends)


def test_notes_that_never_fit_together_are_made_anew_one_at_a_time(decoder_path: Path, slow: Slow) -> None:
    ends, slow.one_share = [], 0.6 * SHARE_OF_LONG
    for budget in (None, slow.budget):
        slow.share = 0.0
        play, counts = Keys(Patch("Test", str(decoder_path), phase="tonal"), budget=budget), []
        for voice in range(6):
            play.on(voice, 50 + voice)
        slow.play(play, 40)
        slow.share = 1.1
        for step in range(60):
            if not step % 10:
                play.latents(0.5 + 0.4 * np.sin(step), 0.3)
                slow.longest = 0.0 if step == 20 else slow.longest  # that it never fits shows when it was tried twice
            before = play.bank._spectra._faders[:6].copy()
            slow.play(play)
            counts.append(int((play.bank._spectra._faders[:6] != before).any(1).sum()))
        if budget is not None:
            assert max(counts[20:]) == 1 and slow.longest < SHARE_OF_LONG
            assert sum(counts) >= 20, "one each other block"
        slow.play(play, 60)
        assert play.engine._parts[0].decks[0].is_settled() and not play.bank.is_anyone_left
        ends.append(play.bank.spectrum(play.engine.position_samples, play.engine._parts[0].decks[0]._controls.target, 0))
    assert np.array_equal(*ends)


def test_of_many_notes_that_are_tuned_at_once_some_are_and_all_arrive(tmp_path: Path, slow: Slow) -> None:
    path = tiny_note_decoder(tmp_path / "notes.onnx")
    for budget, most in ((None, 20), (slow.budget, MOST_TONAL_AT_ONCE)):
        play = Keys(Patch("Test", str(path), phase="tonal"), budget=budget)
        for voice in range(20):
            play.on(voice, 50 + voice)
        slow.play(play, 40)
        tuned = play.bank._spectra._semitones[:20]
        counts = []
        play.set("transpose", 3.0)
        for _ in range(40):
            before = tuned.copy()
            play.render(128)
            counts.append(int((tuned != before).sum()))
        assert max(counts) == most
        slow.play(play, 20)
        assert play.bank.pitches_hz[:20] == pytest.approx(440.0 * 2.0 ** ((play.bank._spectra.sung[:20] + tuned - 69.0) / 12.0))


def test_what_can_be_done_in_haste_gives_way_to_what_has_waited(pair: Path, decoder_path: Path, slow: Slow) -> None:
    stage = Stage(pair, phase="input", budget=slow.budget)
    stage.engine.install(2, load_sound(Patch("Other", str(decoder_path)), RATE_HZ))
    for name, value in (("open", 1), ("patch", 2), ("gate", 1), ("envelope/sustain", 1)):
        stage.state.set(2, name, value)
    stage.state.set(2, "chroma", 1.0, 9)
    heard = itertools.cycle(np.split(note(60, 2.0)[: 160 * BLOCK], 160))

    def play(n_blocks: int) -> None:
        for step in range(n_blocks):
            for index in range(3):
                stage.state.set(2, "latent", 0.5 + 0.4 * np.sin(0.7 * step + index), index)
            slow.play(stage, 1, heard)

    stage.engine.coarseness = 8  # each has its turn every other block
    play(8)
    slow.share, slow.haste_share = 0.75 * SHARE_OF_LONG, 0.05
    play(20)
    slow.changes.clear()
    slow.longest = 0.0
    play(100)
    assert slow.longest <= SHARE_OF_LONG
    theirs, others = ({id(deck) for deck in part.decks} for part in stage.engine._parts[:2])
    whole = [block for block, deck, in_haste in slow.changes if deck in theirs and not in_haste]
    blocks = [block for block, deck, _ in slow.changes if deck in others]
    assert len(whole) > 20 and len(blocks) > 20 and max(np.diff(blocks)) <= 4


def test_what_must_not_wait_is_done_in_haste(pair: Path, slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    """The windows of a patch with the input's own phases come on their beat, and are as loud."""
    sound = note(60, 2.0)
    levels, decoded = [], []
    decode = Resynthesis._decoded
    monkeypatch.setattr(Resynthesis, "_decoded", lambda *arguments: decoded.append(slow.block) or decode(*arguments))
    for share in (0.0, SHARE_OF_LONG):
        slow.share, slow.haste_share = share, 0.1
        slow.budget.forget()
        stage = Stage(pair, phase="input", budget=slow.budget)
        slow.changes.clear()
        decoded.clear()
        slow.longest = 0.0
        heard = slow.play(stage, 120, itertools.cycle(np.split(sound[: 160 * BLOCK], 160)))[40 * BLOCK :]
        levels.append([rms(piece) for piece in np.split(heard, 80)])
    blocks = [block for block, _, in_haste in slow.changes if in_haste]
    assert len(blocks) > 20 and slow.longest <= 1.0
    assert len(decoded) == len(slow.changes) - len(blocks)
    assert np.array(levels[1]) == pytest.approx(np.array(levels[0]), rel=0.1)


@pytest.mark.parametrize("phase", ["input", "noise", "tonal"])
@pytest.mark.parametrize("coarseness", [4, 16])
def test_coarse_it_is_as_even(pair: Path, phase: str, coarseness: int) -> None:
    sound = note(60, 2.0)
    evenness = []
    for coarse in (1, coarseness):
        stage = Stage(pair, phase=phase)
        stage.engine.coarseness = coarse
        heard = stage.hear(sound)[RATE_HZ // 2 :]
        pieces = np.array([rms(piece) for piece in np.split(heard[: 64 * 441], 64)])
        evenness.append(pieces.std() / pieces.mean())
    assert evenness[1] < 1.2 * evenness[0] + 0.02


def test_where_it_is_coarse_decks_take_turns(decoder_path: Path) -> None:
    play = Player(Patch("Test", str(decoder_path)))
    play.open(part=2)
    play.engine.coarseness = 8
    turns = set()
    for step in range(40):
        for part in (1, 2):
            play.latents(0.5 + 0.4 * np.sin(0.3 * step + part), part=part)
        play.render(256)
        turns.add(frozenset(deck._turn_samples for part in play.engine._parts for deck in part.decks))
    assert turns >= {frozenset({0, 512})}


def test_what_was_switched_away_from_goes_first(decoder_path: Path) -> None:
    patch = Patch("Test", str(decoder_path))
    play = Player(patch, patch)
    play.set("travel", 5.0)
    play.render(4096)
    play.set("patch", 2)
    play.render(4096)
    assert play.engine.sounding_parts == 1 and len(play.engine._parts[0].decks) == 2
    assert play.engine.shed_past() == 1 and play.engine.shed_past() == 0
    play.render(4096)
    assert len(play.engine._parts[0].decks) == 1
