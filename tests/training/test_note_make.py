from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from training import note_make, note_page
from training.__main__ import app
from training.note_export import open_session

from .note_tones import SMALL, folder_of_notes, silence, tiny


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small analysis and a small network instead of those that sound."""
    monkeypatch.setattr("training.note_corpus.ANALYSIS", SMALL)
    monkeypatch.setattr(note_make, "network_for", tiny)


def test_labelled_notes_become_a_patch_and_what_is_left_out_is_named(quick: None, tmp_path: Path) -> None:
    place = folder_of_notes(tmp_path / "Quartet")
    silence(place / "reed_C4_nobody.wav")
    output = tmp_path / "patches"
    run = CliRunner().invoke(app, ["sounds", "--notes", str(place), "--output", str(output), "--epochs", "2", "--work", str(tmp_path / "work")])
    assert run.exit_code == 0, run.output
    assert "72 notes of 8 pitches: dark-horn (24), oboe (24), reed (24); 1 skipped" in run.output and "reed_C4_nobody.wav: silent" in run.output
    assert yaml.safe_load((output / "quartet.yaml").read_text())["decoder"] == "decoders/quartet.onnx"
    session = open_session((output / "decoders" / "quartet.onnx").read_bytes())
    metadata = note_page.metadata_of(session)
    assert metadata.title == "Quartet" and metadata.note is not None and list(metadata.note.instruments) == ["dark-horn", "oboe", "reed"]
    assert note_page.note(session, metadata, "oboe", 60, 1.0).shape == (43, 257)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sounds"], "folders of sounds, or --notes"),
        (["sounds", "here", "--notes", "there"], "folders of sounds, or --notes"),
        (["sounds", "--notes", "nowhere"], "nowhere: there is no such folder"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(arguments: list[str], said: str) -> None:
    run = CliRunner().invoke(app, arguments)
    assert run.exit_code and said in " ".join(run.output.replace("│", " ").split())


def test_a_held_note_goes_to_and_fro() -> None:
    from tests.test_metadata import NOTES

    hops = note_page.walk(NOTES, 100)
    assert hops[:41].tolist() == list(range(41)) and hops[41:61].tolist() == list(range(39, 19, -1)) and hops[61] == 21
    assert len(hops) == 100 and set(np.abs(np.diff(hops))) == {1}
    assert note_page.walk(NOTES, 10).tolist() == list(range(10))
