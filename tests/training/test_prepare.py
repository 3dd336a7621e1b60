from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oscsynth.errors import CorpusError
from training.corpora import Clip, Skipped, list_skipped
from training.prepare import TEST, TRAIN, VALIDATION, Hops, prepare, split

from .conftest import SMALL, tone, tones


@given(st.lists(st.sampled_from("abcdefghijklmnop"), min_size=1, max_size=60), st.integers(0, 1000))
def test_a_group_is_never_divided(groups: list[str], seed: int) -> None:
    parts = split(groups, seed)
    for group in set(groups):
        assert len({int(part) for part, name in zip(parts, groups, strict=True) if name == group}) == 1
    assert (parts == TRAIN).any()
    if len(set(groups)) >= 3:
        assert set(parts.tolist()) == {TRAIN, VALIDATION, TEST}


def test_eighty_programs_are_split_as_in_the_paper() -> None:
    parts = split([str(program) for program in range(80)], seed=440)
    assert np.bincount(parts).tolist() == [70, 5, 5]


def test_no_clip_is_in_two_parts(hops: Hops) -> None:
    for clip in np.unique(hops.clip):
        assert len(np.unique(hops.part[hops.clip == clip])) == 1


def test_hops_know_their_note_series_and_time(hops: Hops) -> None:
    assert hops.magnitude.shape == (len(hops.pitch_midi), SMALL.n_bins)
    assert hops.magnitude.dtype == np.float32
    np.testing.assert_allclose(hops.magnitude.max(axis=1), 1.0)
    assert set(hops.pitch_midi.tolist()) == set(range(60, 72))
    assert hops.families == ("b0.2", "b0.4", "b0.6")
    first = hops.clip == 0
    assert hops.time[first].tolist() == list(range(int(first.sum())))


def test_hops_that_sound_another_class_are_left_out() -> None:
    wrong = Clip("wrong", tone(67), "wrong", "s", "f", 60)
    right = Clip("right", tone(60), "right", "s", "f", 60)
    result = prepare(replace(tones(), sources=(lambda: iter([wrong, right]),)), SMALL, seed=440)
    assert set(result.clip.tolist()) == {1}
    assert result.n_unclear == 14


def test_the_paper_s_way_measures_the_class() -> None:
    wrong = Clip("wrong", tone(67), "wrong", "s", "f", 60)
    result = prepare(replace(tones(), sources=(lambda: iter([wrong]),)), SMALL, seed=440, pitch_source="librosa")
    assert set(result.pitch_midi.tolist()) == {67}


def test_a_corpus_of_nothing_says_what_was_wrong_with_it() -> None:
    corpus = replace(tones(), sources=(), skipped=(Skipped("a.wav", "silent"),))
    with pytest.raises(CorpusError, match=r"none of its sounds can be used; 1 skipped: a.wav \(silent\)"):
        prepare(corpus, SMALL, seed=440)


def test_a_long_list_of_skipped_sounds_is_cut() -> None:
    assert list_skipped([Skipped(f"{n}.wav", "silent") for n in range(23)]).endswith("19.wav (silent) and 3 more")
