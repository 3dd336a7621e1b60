from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oscsynth.errors import CorpusError
from training import note_corpus
from training.note_corpus import CHECK, TRAIN
from training.orchestra import ORCHESTRA, LabelledNote

from .note_tones import SMALL, corpus, notes


def test_the_orchestra_has_about_the_papers_notes_and_pitches() -> None:
    played = [(player.instrument, note.pitch_midi) for player in ORCHESTRA for note in player.notes()]
    assert len(ORCHESTRA) == 12 and 1850 <= len(played) <= 1920
    assert len({pitch for _, pitch in played}) == 82


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), min_size=60, max_size=120), st.integers(0, 9))
def test_each_instrument_keeps_a_tenth_and_no_pitch_is_unknown(labels: list[tuple[int, int]], seed: int) -> None:
    instrument, pitch = np.array(labels).T
    part = note_corpus.split(instrument, pitch, seed)
    for which in np.unique(instrument):
        n, kept = int((instrument == which).sum()), int(part[instrument == which].sum())
        assert kept <= max(1, round(0.1 * n))
    assert set(pitch) == set(pitch[part == TRAIN])


def test_spectrograms_lie_between_minus_one_and_one_by_the_training_part() -> None:
    found = corpus()
    taught = found.spectrogram[found.rows(TRAIN)]
    assert taught.min() == -1 and taught.max() == pytest.approx(1.0, abs=1e-6)
    assert np.abs(found.spectrogram).max() <= 1 and len(found.rows(CHECK)) == 6


@pytest.mark.parametrize("share", [0, 0.25, 0.5, 0.75, 1])
def test_a_share_of_each_instruments_labels_is_told_and_none_of_those_kept_for_checking(share: float) -> None:
    found = corpus()
    told = note_corpus.guided(found, share, 1)
    for which in range(3):
        rows = (found.instrument == which) & (found.part == TRAIN)
        assert told[rows].sum() == round(share * rows.sum())
    assert not told[found.rows(CHECK)].any()
    assert not (note_corpus.guided(found, share / 2, 1) & ~told).any()


def test_a_share_over_one_is_a_sentence() -> None:
    with pytest.raises(CorpusError, match=r"0 to 1, not 1\.5"):
        note_corpus.guided(corpus(), 1.5, 1)


def test_what_was_prepared_is_found_again(tmp_path: Path) -> None:
    path, made = tmp_path / "notes.npz", []
    first = note_corpus.kept(path, lambda: made.append(1) or corpus(), "a")
    again = note_corpus.kept(path, lambda: made.append(1) or corpus(), "a")
    assert len(made) == 1 and note_corpus.key_of(first) == note_corpus.key_of(again)
    assert (again.names, again.instruments, again.pitches, again.mel, again.scale) == (
        first.names,
        first.instruments,
        first.pitches,
        first.mel,
        first.scale,
    )
    note_corpus.kept(path, lambda: made.append(1) or corpus(), "b")
    assert len(made) == 2


ONE = next(notes())
ALONE = {("oboe", 60), ("oboe", 61), ("reed", 62), ("reed", 63)}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([LabelledNote("a", "oboe", 60, np.zeros(9000, np.float32), 22050)], r"no note can be used; 1 skipped: a \(silent\)"),
        ([LabelledNote("a", "oboe", 60, ONE.audio[:500], 22050)], "too short: 0.023 s, and a note needs 0.1 s"),
        ([each for each in notes() if each.instrument == "oboe"], "all notes are of one instrument, oboe"),
        ([each for each in notes() if each.pitch_midi == 60], "all notes have one pitch, MIDI 60"),
        ([*notes(), LabelledNote("a", "lute", 60, ONE.audio, 22050)], "lute has a single note, which cannot be both taught and checked"),
        ([each for each in notes(gains=(1.0,)) if (each.instrument, each.pitch_midi) in ALONE], "every pitch is there only once"),
    ],
)
def test_too_little_to_learn_from_is_a_sentence(found: list[LabelledNote], said: str) -> None:
    with pytest.raises(CorpusError, match=said):
        note_corpus.prepare([lambda: iter(found)], seed=1, analysis=SMALL)
