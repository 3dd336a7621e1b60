from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oscsynth.errors import CorpusError
from training import labelled, note_corpus
from training.corpora import Skipped
from training.labelled import Label

from .note_tones import SMALL, folder_of_notes, notes, silence

CLASSES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


@given(st.integers(12, 119))
def test_a_notes_name_is_its_number(pitch: int) -> None:
    assert labelled.pitch_midi(f"{CLASSES[pitch % 12]}{pitch // 12 - 1}") == labelled.pitch_midi(str(pitch)) == pitch


@pytest.mark.parametrize(
    ("name", "instrument", "pitch"),
    [
        ("violin_A4_mf.wav", "violin", 69),
        ("Tenor Trombone - Bb2 - ff.flac", "tenor-trombone", 46),
        ("french-horn_Fs3.wav", "french-horn", 54),
        ("oboe.d5.2.aif", "oboe", 74),
    ],
)
def test_a_file_is_called_by_its_instrument_and_note(name: str, instrument: str, pitch: int) -> None:
    assert labelled.labelled(Path(name)) == Label(Path(name), instrument, pitch)


@pytest.mark.parametrize(
    ("name", "said"), [("violin.wav", "says no note"), ("A4_mf.wav", "says no instrument"), ("violin_C0_C9.wav", None), ("violin_G9.wav", "G9")]
)
def test_a_name_that_does_not_fit_is_said(name: str, said: str | None) -> None:
    found = labelled.labelled(Path(name))
    assert isinstance(found, Label) if said is None else isinstance(found, Skipped) and said in found.reason


def test_a_folder_gives_its_notes_and_names_what_it_leaves_out(tmp_path: Path) -> None:
    place = folder_of_notes(tmp_path / "notes")
    silence(place / "oboe_C4_silent.wav")
    (place / "oboe_D4_text.wav").write_text("no sound at all")
    (place / "hum.wav").write_bytes(b"")
    found = labelled.folder(place)
    corpus = note_corpus.prepare(found.sources, seed=1, analysis=SMALL, skipped=found.skipped)
    assert corpus.instruments == ("dark-horn", "oboe", "reed") and corpus.pitches == tuple(range(60, 68))
    assert len(corpus.names) == len(list(notes()))
    said = {Path(each.name).name: each.reason for each in corpus.skipped}
    assert set(said) == {"oboe_C4_silent.wav", "oboe_D4_text.wav", "hum.wav"}
    assert said["oboe_C4_silent.wav"] == "silent" and "cannot be read" in said["oboe_D4_text.wav"] and "says no note" in said["hum.wav"]


def test_a_table_says_what_each_file_is(tmp_path: Path) -> None:
    place = folder_of_notes(tmp_path / "notes", range(60, 61))
    files = sorted(path.name for path in place.glob("*.wav"))
    rows = [f"{files[0]},Viola d'amore,C4", f"{files[1]},,C4", f"{files[2]},viola,H4", "none.wav,viola,60", f"{files[3]},viola,61"]
    (place / "labels.csv").write_text("\n".join(["file,instrument,pitch", *rows]))
    found = labelled.folder(place)
    assert [(each.instrument, each.pitch_midi) for each in found.labels] == [("viola-d-amore", 60), ("viola", 61)]
    said = {Path(each.name).name: each.reason for each in found.skipped}
    assert said["labels.csv:3"].endswith("has no instrument") and "its pitch is 'H4'" in said["labels.csv:4"]
    assert said["labels.csv:5"] == "there is no file none.wav"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "no notes in this folder; put files called as violin_A4_mf.wav"),
        ({"a.csv": "file,pitch\n"}, "the column instrument is missing; there must be file, instrument, pitch"),
        ({"a.csv": "", "b.csv": ""}, "there are several CSV files, a.csv, b.csv"),
    ],
)
def test_a_folder_of_no_use_is_a_sentence(files: dict[str, str], said: str, tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(CorpusError, match=said):
        labelled.folder(tmp_path)


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="there is no such folder"):
        labelled.folder(tmp_path / "nowhere")


def test_a_recording_begins_just_before_its_first_sound() -> None:
    audio = np.concatenate([np.full(5000, 1e-4), np.sin(np.arange(3000))]).astype(np.float32)
    assert 3000 < len(labelled.from_onset(audio, 22050)) < 3200
