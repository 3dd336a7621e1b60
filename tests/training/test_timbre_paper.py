import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from training import note_commands, note_measures, timbre_page, timbre_paper
from training.timbre_paper import CELLS, FULL, SHARES, TABLE_1, Cell

from .note_tones import corpus, tiny

ROOT = Path(__file__).parents[2]


def facts_of(cell: Cell, score: float) -> dict[str, object]:
    separation = {name: {"f_score": score, "accuracy": score} for name in timbre_page.COLUMNS}
    return {"separation": separation, "mean_squared_error": 0.01, "seed": 1, "epochs_run": 2, "minutes": 3.0, "loss": 4.0}


def test_every_cell_of_the_table_is_trained_once() -> None:
    keys = [cell.key for cell in CELLS]
    assert len(keys) == len(set(keys)) and {(cell.model, cell.share) for cell in TABLE_1} == {
        (model, share) for model in timbre_paper.MODELS for share in SHARES
    }
    assert all(cell.channels == 512 == cell.decoder_channels for cell in FULL)


def test_a_cell_is_run_once_and_comes_back_from_its_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, made = corpus(), []
    monkeypatch.setattr(timbre_paper, "corpus_of", lambda work: found)
    monkeypatch.setattr(timbre_paper, "network_of", lambda cell, corpus: tiny(corpus, mixture=cell.model == "gmvae"))
    (tmp_path / "judges.json").write_text("{}")
    monkeypatch.setattr(timbre_paper, "judges_of", lambda corpus, work: {label: made.append for label in ("instrument", "pitch")})
    cell = Cell("baseline", 0.5, epochs=2)
    ((name, facts),) = timbre_paper.run_all(tmp_path, tmp_path, [cell])
    assert name == "baseline-50" == cell.key and json.loads((tmp_path / "baseline-50.json").read_text())["epochs_run"] == 2
    assert not list(timbre_paper.run_all(tmp_path, tmp_path, [cell]))
    revived = timbre_paper.revived(cell, found, tmp_path)
    assert note_measures.reconstruction_error(revived, found) == pytest.approx(facts["mean_squared_error"], rel=1e-4)
    assert timbre_paper.revived(replace(cell, share=0.25), found, tmp_path) is None


def test_the_page_says_what_was_reached_and_what_was_missed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text((ROOT / "docs" / "timbre-paper.md").read_text())
    good = {cell.key: facts_of(cell, 0.992) for cell in (*TABLE_1, FULL[0])}
    ways = [{"from": "a", "to": "b", "target": [0, 0.2, 0.5, 0.8, 0.95], "pitch": [1.0] * 5, "shared": {"notes": 7, "target": 0.96, "pitch": 0.99}}]
    played = {f"{w:g}": {label: {"f_score": 0.97} for label in ("instrument", "pitch")} for w in note_measures.SPREADS}
    good["gmvae-100"] |= {"played": played, "transferred": ways, "centroid_octaves": [0.5, -1.5]}
    text = timbre_page.write_page(good, page).read_text()
    assert "| 100 % labels: instrument from timbre | at least 0.99 | 0.992 | reached |" in text
    assert "| mixture (GMVAE), 512 filters | 100% | 0.992 |" in text and "| isotropic, with a classifier, 512 filters | 100% | not run |" in text
    assert "| synthesised at w = 0: instrument | at least 0.98 | 0.970 | missed |" in text
    assert "| a to b | 0.000 | 0.200 | 0.500 | 0.800 | 0.950 | 1.000 | 1.000 | 7 | 0.960 | 0.990 |" in text
    assert timbre_page.write_page(good, page).read_text() == text


def test_the_page_in_the_docs_is_that_of_the_runs(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text((ROOT / "docs" / "timbre-paper.md").read_text())
    note_commands.paper_timbre(["page"], ROOT / "docs" / "timbre-paper", tmp_path, page)
    assert page.read_text() == (ROOT / "docs" / "timbre-paper.md").read_text()


def test_clouds_are_drawn(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    panel = ("100%", rng.normal(size=(50, 2)), rng.integers(0, 12, 50), rng.normal(size=(12, 2)))
    names = tuple(f"instrument {k}" for k in range(12))
    assert timbre_page.draw_clouds([panel], names, tmp_path / "clouds.png").stat().st_size > 1000
