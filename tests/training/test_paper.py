import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from training import chroma, paper, paper_figures, paper_measures, paper_page, train
from training.configurations import CONFIGURATIONS
from training.decoder_file import open_decoder
from training.paper import Cell
from training.prepare import TRAIN, Hops
from training.recipes import PAPER, RECIPES

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tiny(hops: Hops, monkeypatch: pytest.MonkeyPatch) -> Hops:
    """The tones of the other tests instead of any corpus."""
    monkeypatch.setattr(paper, "hops_of", lambda name, work: hops)
    return hops


def cells_of_tables() -> list[Cell]:
    tables = (paper.TABLE_1, paper.TABLE_2, paper.TABLE_3, paper.TABLE_4)
    return [cell for each in tables for row in each.values() for cell in row] + [*paper.TABLE_5, *paper.METHODS, *paper.RIVALS]


def test_every_cell_of_every_table_is_trained_once() -> None:
    keys = [cell.key for cell in paper.cells()]
    assert len(keys) == len(set(keys))
    assert set(cells_of_tables()) <= set(paper.cells())
    assert all(cell.corpus in PAPER | RECIPES and cell.configuration in CONFIGURATIONS for cell in paper.cells())


def test_a_shipped_decoders_rival_has_its_latents_and_epochs() -> None:
    paths = {path.stem: path for path in (ROOT / "patches" / "decoders").glob("*.onnx") if not path.stem.endswith(".encoder")}
    paths.pop("orchestra", None)  # of another paper
    assert {cell.corpus for cell in paper.RIVALS} == set(paths)
    for cell in paper.RIVALS:
        opened = open_decoder(paths[cell.corpus])
        assert (cell.n_latents, cell.epochs) == (opened.n_latents, opened.metadata.training["epochs"])


def test_the_lower_half_is_the_same_bins(hops: Hops) -> None:
    half = paper.lower_half(hops)
    assert half.stft.n_bins == 257
    assert half.stft.sample_rate_hz / half.stft.window_samples == pytest.approx(hops.stft.sample_rate_hz / hops.stft.window_samples, rel=1e-3)
    np.testing.assert_allclose(half.magnitude, np.asarray(hops.magnitude)[:, :257], atol=1e-6)  # all six partials lie there
    assert (chroma.classes(half.magnitude, half.stft) == hops.note_class).mean() > 0.95


def test_a_network_comes_back_from_its_weights(tiny: Hops, tmp_path: Path) -> None:
    cell = Cell(paper.ONE, "beta-vae", 2, epochs=1)
    facts = paper.run(cell, tiny, tmp_path, tmp_path)
    network = paper_measures.revived(cell, paper.lower_half(tiny), paper.weights_path(cell, tmp_path))
    from training import evaluate

    half = paper.lower_half(tiny)
    assert evaluate.test_mse(network.trained, half, half.rows(2)) == pytest.approx(facts["test_mse"], rel=1e-5)
    inside = train.embedding(network.trained, half, half.rows(TRAIN))
    np.testing.assert_allclose(network.box, np.percentile(inside, [1, 99], axis=0), rtol=1e-5)
    found = paper_measures.embedding_facts(network, half)["embedding"]
    assert len(found["divergence_nats"]) == 2
    assert network.notes().tolist() == [60, 62, 64, 65, 67, 69, 71]


def test_what_has_a_result_is_not_run_again(tiny: Hops, tmp_path: Path) -> None:
    todo = [Cell(paper.ONE, name, 2, epochs=1) for name in ("plain", "paper")]
    assert [facts["configuration"] for facts in paper.run_all(tmp_path, tmp_path, todo[:1])] == ["plain"]
    assert [facts["configuration"] for facts in paper.run_all(tmp_path, tmp_path, todo)] == ["paper"]
    assert set(paper.read(tmp_path)) == {cell.key for cell in todo}


def test_the_ancestor_is_given_its_own_columns(hops: Hops) -> None:
    cell = next(each for each in paper.METHODS if each.columns)
    seen = paper.seen_by(cell, hops)
    assert seen.columns is not None
    np.testing.assert_array_equal(seen.columns, chroma.ancestor_columns(np.asarray(seen.magnitude), seen.stft))
    assert paper.seen_by(replace(cell, columns=False), hops).columns is None


def test_everything_is_measured_and_drawn(tiny: Hops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = [Cell(paper.ONE, name, 2, epochs=1) for name in ("leaky", "paper")]
    for name, value in (
        ("cells", lambda: cells),
        ("SHIPPED", {}),
        ("TABLE_2", {2: [Cell(paper.ONE, name, 2) for name in paper.COMBINATIONS]}),
        ("TABLE_5", cells[1:2]),
        ("METHODS", cells[1:]),
    ):
        monkeypatch.setattr(paper, name, value)
    monkeypatch.setattr("training.mesh.SIZES", {2: 6})
    monkeypatch.setattr(paper_figures, "DOTS", 50)
    monkeypatch.setattr(paper_figures, "PLANE_POINTS", 5)
    list(paper.run_all(tmp_path, tmp_path))
    assert list(paper_measures.measure_all(tmp_path, tmp_path, tmp_path)) == [cell.key for cell in cells]
    assert list(paper_measures.measure_all(tmp_path, tmp_path, tmp_path)) == []
    facts = paper.read(tmp_path)[cells[1].key]
    assert facts["box"]["points"] == facts["cube"]["points"] == 36
    assert all(0 <= each <= 1 for each in facts["random"].values())
    assert facts["embedding"]["lowest"] >= 0
    drawn = paper_figures.draw_all(tmp_path, tmp_path)
    assert [path.name for path in drawn] == ["figure-2.png", "figure-3.png", "figure-4.png"]


def test_nothing_is_drawn_without_weights(tmp_path: Path) -> None:
    assert paper_figures.draw_all(tmp_path, tmp_path) == []


def test_a_decoder_is_measured_as_it_is_heard(hops: Hops, quick: object) -> None:
    trained = quick(hops, epochs=30)  # type: ignore[operator]
    box = np.percentile(train.embedding(trained, hops, hops.rows(TRAIN)), [1, 99], axis=0)
    network = paper_measures.Network(trained, box, hops.stft, np.arange(60, 72))
    facts = paper_measures.played(network, hops, np.array([[-1.0, -1.0], [2.0, 2.0]]), points=16)
    assert (facts["points"], facts["notes"]) == (16, 12)
    assert facts["box"]["mean"] > 0.9
    assert facts["box"]["worst"] <= facts["box"]["mean"] <= 1
    assert facts["lines"]["in_tune"] > 0.9
    assert facts["cosine"] > 0.8


def result(mse: float, **more: object) -> dict[str, object]:
    return {
        "test_mse": mse,
        "history": [2 * mse, mse],
        "validation_mse": mse,
        "hops": [3, 2, 1],
        "seed": 440,
        "epochs_run": 2,
        "minutes": 1.0,
        **more,
    }


def test_a_claim_is_held_against_every_pair() -> None:
    plain, difference, chroma_ = paper.TABLE_1[paper.ONE]
    results = {plain.key: result(2e-4), difference.key: result(3e-4), chroma_.key: result(1e-4)}
    assert paper_page.claims(results)[0][2].startswith("holds: better in 2 of 2")
    results[chroma_.key] = result(2.5e-4)
    assert paper_page.claims(results)[0][2].startswith("does not hold: better in 1 of 2, worse in 1")
    results[chroma_.key] = result(2.01e-4)
    assert "within 2% in 1" in paper_page.claims(results)[0][2]
    assert {each[2] for each in paper_page.claims({})} == {"not run"}


def test_errors_are_compared_after_the_same_epochs() -> None:
    rival = paper.RIVALS[0]
    results = {rival.key: {"history": [4e-4, 2e-4]}, f"shipped-{rival.corpus}": {"history": [4e-4, 1e-4, 5e-5]}}
    assert paper_page.same_epochs_table(results).splitlines()[-1] == f"| {rival.corpus} | 2 | 1.00e-04 | 2.00e-04 | 0.50 |"
    assert len(paper_page.same_epochs_table({}).splitlines()) == 2


def test_the_best_of_a_row_stands_out() -> None:
    plain, difference, chroma_ = paper.TABLE_1[paper.ONE]
    results = {plain.key: result(2e-4), chroma_.key: result(1e-4)}
    text = paper_page.errors_table(results, "corpus", ["a", "b", "c"], {"one": [plain, difference, chroma_]})
    assert text.splitlines()[-1] == "| one | 2.00e-04 | not run | **1.00e-04** |"


def test_the_page_is_what_the_results_say(tmp_path: Path) -> None:
    committed = ROOT / "docs" / "paper.md"
    page = Path(shutil.copy(committed, tmp_path))
    shutil.copytree(ROOT / "docs" / "paper", tmp_path / "paper")
    paper_page.write_page(paper.read(tmp_path / "paper"), page)
    assert page.read_text("utf-8") == committed.read_text("utf-8"), "run `python -m training paper page`"
    paper_page.write_page({}, page)
    assert page.read_text("utf-8").count("not run") > 100


def test_every_picture_of_the_page_is_there_and_small(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "paper.md").read_text("utf-8")
    for path in (ROOT / "docs" / "paper").glob("*.png"):
        assert f"(paper/{path.name})" in text
        assert path.stat().st_size < 150_000
    assert paper_page.pictures(tmp_path) == ""


def test_results_are_those_of_cells() -> None:
    known = {cell.key for cell in paper.cells()} | {f"shipped-{name}" for name in paper.SHIPPED}
    assert set(paper.read(ROOT / "docs" / "paper")) <= known
