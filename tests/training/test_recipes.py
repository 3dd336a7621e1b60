import itertools
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training import chroma, corpora, prepare, render
from training.recipes import MAJOR, PAPER, RECIPES, melody

from .conftest import SMALL, tone
from .conftest import clips as read


@given(st.integers(0, 10_000), st.integers(36, 60), st.integers(24, 48))
def test_a_melody_stays_in_its_range_and_in_one_key(seed: int, midi_low: int, span: int) -> None:
    notes = melody(seed, midi_low, midi_low + span)
    assert notes == melody(seed, midi_low, midi_low + span)
    assert all(midi_low <= note.pitch_midi <= midi_low + span for note in notes)
    classes = {note.pitch_midi % 12 for note in notes}
    assert any(all((each - key) % 12 in MAJOR for each in classes) for key in range(12))
    assert all(1 <= note.velocity <= 127 and note.seconds > 0.1 for note in notes)


@pytest.mark.parametrize("name", ["scales-one-octave", "scales-five-octaves"])
def test_the_papers_scales_are_in_c_major_on_eighty_programs(name: str) -> None:
    row = PAPER[name]
    notes = [note for part in row.parts for _, of_series in part.series() for note in of_series]
    assert {note.pitch_midi % 12 for note in notes} == set(MAJOR)
    assert len({part.program for part in row.parts}) == 80
    assert len(notes) == 80 * 7 * (1 if name == "scales-one-octave" else 5)
    groups = [str(part.program) for part in row.parts]
    assert np.bincount(prepare.split(groups, seed=440)).tolist() == [70, 5, 5]


def test_the_papers_names_are_not_those_of_shipped_decoders() -> None:
    assert not set(PAPER) & set(RECIPES)


def test_groups_called_by_a_part_belong_to_it() -> None:
    assert prepare.split(["training", "test", "validation", "test"], seed=440).tolist() == [0, 2, 1, 2]


@pytest.fixture
def no_fluidsynth(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tones instead of a soundfont."""

    def notes(program: int, notes: list[render.Note], bank: int = 0) -> Iterator[np.ndarray]:
        return (tone(note.pitch_midi, 0.3) for note in notes)

    monkeypatch.setattr(render, "soundfont", lambda: None)
    monkeypatch.setattr(render, "render", notes)
    monkeypatch.setattr(render, "phrase", lambda program, notes, bank=0: np.concatenate([tone(note.pitch_midi, 0.3) for note in notes]))


@pytest.mark.usefixtures("no_fluidsynth")
def test_the_violin_learns_from_notes_and_is_tested_on_melodies() -> None:
    clips = [each for each in read(corpora.recipe("violin-melodies", SMALL)) if isinstance(each, corpora.Clip)]
    halves = {group: [clip for clip in clips if clip.group == group] for group in ("training", "validation", "test")}
    assert len(clips) == sum(len(each) for each in halves.values())
    assert all(clip.pitch_midi is not None for clip in halves["training"])
    assert all(clip.pitch_midi is None for clip in halves["validation"] + halves["test"])
    assert len(halves["validation"]) == len(halves["test"]) == 12
    assert np.unique(prepare.split([clip.group for clip in clips], seed=440)).tolist() == [0, 1, 2]


def test_a_melody_has_no_gaps() -> None:
    notes = [render.Note(60, seconds=0.5), render.Note(62, seconds=0.5)]
    apart, together = render.midi_file(40, notes), render.midi_file(40, notes, melody=True)
    silence = bytes([0xB0, 120, 0])
    assert (silence in apart, silence in together) == (True, False)
    assert together.index(b"\x90\x3e") - together.index(b"\x80\x3c") < 10  # the next begins as the one ends


def test_the_ancestors_columns_mark_the_strongest_class_and_one_hop_of_every_other() -> None:
    classes = [0, 2, 4, 5, 7, 9, 11]
    magnitude = np.concatenate([_magnitudes(60 + note_class) for note_class in classes])
    columns = chroma.ancestor_columns(magnitude, SMALL)
    assert set(np.unique(columns)) == {0.0, 1.0}
    assert (columns.sum(axis=0) >= 1).all()
    hops = np.arange(len(magnitude))
    strongest = (magnitude @ chroma.filters(SMALL).T).argmax(axis=1)
    assert (columns[hops, strongest] == 1).all()
    never = [note_class for note_class in range(12) if note_class not in strongest]
    assert columns[:, never].sum(axis=0).max() == 1


def _magnitudes(pitch_midi: int) -> np.ndarray:
    from training.spectra import magnitudes, scaled

    rng = np.random.default_rng(pitch_midi)
    audio = tone(pitch_midi) + 1e-3 * rng.standard_normal(len(tone(pitch_midi))).astype(np.float32)
    return scaled(magnitudes(audio, SMALL))


def test_every_pair_of_recipes_differs() -> None:
    rows = list((PAPER | RECIPES).values())
    assert all(one != other for one, other in itertools.combinations(rows, 2))
