"""docs/timbre-paper.md: the second paper's Table 1 and Figures 2 and 3 from our runs, what transfers, and what must be true of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from . import timbre_paper
from .note_corpus import TRAIN
from .note_measures import ALPHAS, SPREADS
from .paper_page import MISSING, table
from .timbre_paper import FULL, TABLE_1, Cell

Results = dict[str, dict[str, Any]]
NAMES = {"gmvae": "mixture (GMVAE)", "baseline": "isotropic, with a classifier"}
COLUMNS = ("instrument from timbre", "pitch from timbre", "pitch from pitch", "instrument from pitch")


def sentence(facts: dict[str, Any]) -> str:
    """Say in one line what came out of a run."""
    if "separation" not in facts:
        return ", ".join(f"{label} {scores['f_score']:.3f}" for label, scores in facts.items())
    scores = ", ".join(f"{name} {facts['separation'][name]['f_score']:.3f}" for name in COLUMNS)
    return f"{scores}; {facts['epochs_run']} epochs in {facts['minutes']} minutes"


def scores_table(results: Results) -> str:
    """Return Table 1: F-scores of linear classifiers, by the share of instrument labels; and of the judges, which hear the notes themselves."""
    rows = []
    for cell in (*TABLE_1, *FULL):
        facts = results.get(cell.key)
        scores = [f"{facts['separation'][name]['f_score']:.3f}" if facts else MISSING for name in COLUMNS]
        error = f"{facts['mean_squared_error']:.4f}" if facts else MISSING
        rows.append((NAMES[cell.model] + f", {cell.channels} filters" * (cell in FULL), f"{cell.share:.0%}", *scores, error))
    if judges := results.get("judges"):
        rows.append(
            (
                "convolutional classifiers of the notes",
                "100%",
                f"{judges['instrument']['f_score']:.3f}",
                "",
                f"{judges['pitch']['f_score']:.3f}",
                "",
                "",
            )
        )
    return table(("timbre", "labels", *COLUMNS, "test MSE"), rows)


def played_table(results: Results) -> str:
    """Return Figure 3 as numbers: F-scores of the judges on synthesised notes, by the spread."""
    rows = []
    for cell in fully_labelled(results):
        for spread in SPREADS:
            scores = results[cell.key]["played"][f"{spread:g}"]
            rows.append((network(cell), f"{spread:g}", *(f"{scores[label]['f_score']:.3f}" for label in ("instrument", "pitch"))))
    return table(("network", "w", "instrument", "pitch"), rows)


def transfer_table(results: Results) -> str:
    """Return what the judges hear on the way from one instrument to another."""
    rows = []
    for cell in fully_labelled(results):
        for way in results[cell.key]["transferred"]:
            posterior = [f"{value:.3f}" for value in way["target"]]
            pitch, shared = (f"{way['pitch'][0]:.3f}", f"{way['pitch'][-1]:.3f}"), way["shared"]
            both = (str(shared["notes"]), f"{shared['target']:.3f}", f"{shared['pitch']:.3f}")
            rows.append((f"{way['from']} to {way['to']}", *posterior, *pitch, *both, network(cell)))
    head = [f"alpha {alpha:g}" for alpha in ALPHAS]
    return table(("", *head, "pitch, alpha 0", "pitch, alpha 1", "shared notes", "alpha 1", "pitch", "network"), rows)


def fully_labelled(results: Results) -> list[Cell]:
    """Return the cells in which synthesised notes were heard."""
    return [cell for cell in timbre_paper.CELLS if "played" in results.get(cell.key, {})]


def network(cell: Cell) -> str:
    """Say how wide a network is."""
    return f"{cell.channels} filters, decoder {cell.decoder_channels}"


def targets_table(results: Results) -> str:
    """Return what must be true, and whether it is."""
    rows = []
    for key, name, bound, at_least in (
        ("gmvae-100", "instrument from timbre", 0.99, True),
        ("gmvae-100", "pitch from pitch", 0.97, True),
        ("gmvae-100", "pitch from timbre", 0.05, False),
        ("gmvae-100", "instrument from pitch", 0.20, False),
        ("gmvae-25", "instrument from timbre", 0.97, True),
    ):
        value = results.get(key, {}).get("separation", {}).get(name, {}).get("f_score")
        rows.append(_target(f"{key.removeprefix('gmvae-')} % labels: {name}", value, bound, at_least))
    facts = results.get("gmvae-100", {})
    for label in ("instrument", "pitch"):
        rows.append(_target(f"synthesised at w = 0: {label}", facts.get("played", {}).get("0", {}).get(label, {}).get("f_score"), 0.98, True))
    ways = facts.get("transferred", [])
    rows.append(_target("transfer: least posterior of the target at alpha = 1", min((way["target"][-1] for way in ways), default=None), 0.9, True))
    rows.append(_target("transfer: least F-score of the pitch", min((way["pitch"][-1] for way in ways), default=None), 0.97, True))
    return table(("", "wanted", "measured", ""), rows)


def _target(name: str, value: float | None, bound: float, at_least: bool) -> tuple[str, ...]:
    wanted = f"{'at least' if at_least else 'at most'} {bound:g}"
    if value is None:
        return name, wanted, MISSING, ""
    return name, wanted, f"{value:.3f}", "reached" if (value >= bound if at_least else value <= bound) else "missed"


def brightness_table(results: Results) -> str:
    """Return by how many octaves the spectral centroid rises over the range of each dimension of the timbre."""
    rows = [(network(cell), *(f"{rise:+.2f}" for rise in results[cell.key]["centroid_octaves"])) for cell in fully_labelled(results)]
    n = max((len(row) - 1 for row in rows), default=0)
    return table(("dimension", *(str(k + 1) for k in range(n))), rows)


def runs_table(results: Results) -> str:
    """Return every run: seed, epochs, minutes, loss."""
    rows = []
    for cell in timbre_paper.CELLS:
        facts = results.get(cell.key)
        values = [str(facts["seed"]), str(facts["epochs_run"]), f"{facts['minutes']:.1f}", f"{facts['loss']:.1f}"] if facts else [MISSING] * 4
        rows.append((cell.key, network(cell), *values))
    return table(("cell", "network", "seed", "epochs", "minutes", "loss"), rows)


def write_page(results: Results, path: Path) -> Path:
    """Fill the tables into the page, each between its two marks."""
    tables = {
        "targets": targets_table(results),
        "table-1": scores_table(results),
        "figure-3": played_table(results),
        "transfer": transfer_table(results),
        "brightness": brightness_table(results),
        "runs": runs_table(results),
    }
    text = path.read_text("utf-8")
    for name, content in tables.items():
        before, mark, rest = text.partition(f"<!-- {name} -->\n")
        text = f"{before}{mark}\n{content}\n\n<!-- /{name} -->{rest.partition(f'<!-- /{name} -->')[2]}"
    path.write_text(text, "utf-8")
    return path


def draw(results: Path, work: Path, seed: int = timbre_paper.SEED) -> list[Path]:
    """Draw Figure 2 from the weights that there are: the timbre spaces flattened by t-SNE, with the mixtures' means."""
    cells = [cell for cell in TABLE_1 if cell.model == "gmvae"]
    if not any(timbre_paper.weights_path(cell, work).exists() for cell in cells):
        return []  # the picture stays as it is
    corpus = timbre_paper.corpus_of(work)
    panels = []
    for cell in cells:
        if (found := timbre_paper.revived(cell, corpus, work)) is not None:
            panels.append((f"{cell.share:.0%} of the labels", *flattened(found, corpus, seed)))
    return [draw_clouds(panels, corpus.instruments, results / "figure-2.png")]


def flattened(network: Any, corpus: Any, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return places of notes, whose instrument each is, and places of the means: (notes, 2), (notes,), (n_instruments, 2)."""
    from sklearn.manifold import TSNE

    from .note_measures import means_of
    from .note_training import codes

    rows = corpus.rows(TRAIN)
    timbre, means = codes(network, corpus, rows)["timbre_mean"], means_of(network, corpus).timbre
    flat = TSNE(random_state=seed, init="pca", perplexity=30).fit_transform(np.concatenate([timbre, means]))
    return flat[: len(rows)], corpus.instrument[rows], flat[len(rows) :]


def draw_clouds(panels: list[tuple[str, np.ndarray, np.ndarray, np.ndarray]], names: tuple[str, ...], path: Path) -> Path:
    """Draw places side by side, each instrument in a colour of its own, its mean a star."""
    from .drawing import LIGHT, class_colours
    from .drawing import panels as drawing_panels

    colours = class_colours(LIGHT)
    path.parent.mkdir(parents=True, exist_ok=True)
    with drawing_panels(len(panels) + 1, path, LIGHT, 3) as axes:
        for axis, (title, places, instrument, means) in zip(axes, panels, strict=False):
            axis.scatter(places[:, 0], places[:, 1], c=colours[instrument % 12], s=4, linewidths=0, rasterized=True)
            axis.scatter(means[:, 0], means[:, 1], c=colours[np.arange(len(means)) % 12], s=70, marker="*", edgecolors=LIGHT.ink, linewidths=0.8)
            axis.set_title(title)
            axis.set_xticks([])
            axis.set_yticks([])
        for row, name in enumerate(names):
            axes[-1].scatter(0.05, -row, color=colours[row % 12], s=24)
            axes[-1].text(0.15, -row, name, va="center", fontsize=8)
        axes[-1].set(xlim=(0, 1), ylim=(-len(names), 1))
        axes[-1].set_axis_off()
    return path
