import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from training import batches, spectra
from training.prepare import TRAIN, Hops, prepare

from .conftest import SMALL, tones


@given(st.lists(st.integers(0, 127), min_size=1, max_size=20))
def test_a_condition_is_one_class_and_one_octave(pitches: list[int]) -> None:
    pitch = np.array(pitches)
    both = batches.condition(pitch, (3, 4, 5))
    assert both.shape == (len(pitch), 15)
    assert (both[:, :12].argmax(axis=1) == pitch % 12).all()
    assert (both[:, 12:].argmax(axis=1) == np.clip(pitch // 12 - 1, 3, 5) - 3).all()
    assert (both.sum(axis=1) == 2).all()
    np.testing.assert_array_equal(batches.condition(pitch, ()), both[:, :12])


def test_a_hop_at_its_own_pitch_is_itself(hops: Hops) -> None:
    rows = hops.rows(TRAIN)[:50]
    np.testing.assert_array_equal(batches.transposer(hops).transposed(rows, hops.pitch_midi[rows]), hops.magnitude[rows])


def test_the_same_gesture_at_another_pitch_is_taken_where_it_was_recorded(hops: Hops) -> None:
    source, rows = batches.transposer(hops), hops.rows(TRAIN)
    row = rows[hops.pitch_midi[rows] == 60][0]
    for other in rows[(hops.series[rows] == hops.series[row]) & (hops.time[rows] == hops.time[row])]:
        moved = source.transposed(np.array([row]), hops.pitch_midi[[other]])
        np.testing.assert_array_equal(moved, hops.magnitude[[other]])


def test_what_was_never_recorded_is_stretched() -> None:
    hops = prepare(tones(pitches=[60]), SMALL, seed=440)
    rows = hops.rows(TRAIN)[:4]
    moved = batches.transposer(hops).transposed(rows, np.full(4, 65))
    np.testing.assert_allclose(moved, spectra.scaled(spectra.stretched(hops.magnitude[rows], np.full(4, 5))))


def test_validation_and_test_are_never_taught(hops: Hops) -> None:
    source = batches.transposer(hops)
    assert (source.key[hops.rows(TRAIN)] >= 0).any()
    assert (hops.part[source.nearest] == TRAIN).all()
    assert (source.key[hops.part != TRAIN] == -1).all()


def test_a_note_and_the_one_before_are_of_one_class_and_near(hops: Hops) -> None:
    wide = prepare(tones(pitches=range(50, 80)), SMALL, seed=440)
    rows, rng = wide.rows(TRAIN)[:100], np.random.default_rng(440)
    own, before = batches.transposer(wide).targets(rows, (), rng)
    assert (own % 12 == before % 12).all()
    assert np.abs(own - wide.pitch_midi[rows]).max() <= 6
    assert np.abs(before - np.roll(wide.pitch_midi[rows], 1)).max() <= 6
    assert len(set((own % 12).tolist())) == 12


def test_a_corpus_of_one_octave_stays_in_it(hops: Hops) -> None:
    own, before = batches.transposer(hops).targets(hops.rows(TRAIN), (), np.random.default_rng(440))
    assert min(own.min(), before.min()) >= 60
    assert max(own.max(), before.max()) <= 71


def test_registers_ask_for_any_class_in_any_octave(hops: Hops) -> None:
    own, before = batches.transposer(hops).targets(np.arange(1000) % 100, (3, 4), np.random.default_rng(440))
    np.testing.assert_array_equal(own, before)
    assert set(own.tolist()) == set(range(48, 72))


def test_a_mixed_target_is_the_mix_of_both_sounds_at_that_note(hops: Hops) -> None:
    source, rows = batches.transposer(hops), hops.rows(TRAIN)[:30]
    inputs, targets = batches.mixing(source, rows, (), np.random.default_rng(440))
    pitch = 60 + inputs["target_condition"].argmax(axis=1)
    weight = inputs["weight"]
    mix = weight * source.transposed(rows, pitch) + (1 - weight) * source.transposed(np.roll(rows, 1), pitch)
    np.testing.assert_allclose(targets["mixed"], mix, atol=1e-6)
    np.testing.assert_array_equal(targets["reconstruction"], inputs["magnitude"])
