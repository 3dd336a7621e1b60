"""docs/paper.md: our figures beside the paper's, and for each of its claims whether it holds on these corpora."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import paper
from .chroma import CLASS_NAMES
from .paper import Cell
from .recipes import MAJOR, PAPER
from .variational import ACTIVE

Results = dict[str, dict[str, Any]]
MISSING = "not run"
TIE = 0.02  # a smaller difference of test error than this decides nothing
WORDS = {"plain": "none", "difference": "first-order difference", "leaky": "one-hot chroma"}
BOTTLENECK = {"sigmoid": "sigmoid", "paper": "sigmoid, skip", "leaky": "LeakyReLU", "leaky-skip": "LeakyReLU, skip"}


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def error(results: Results, cell: Cell) -> float:
    """Return the test error of a cell; not a number where it was not run."""
    return float(results.get(cell.key, {}).get("test_mse", np.nan))


def shown(value: float | None) -> str:
    """Write an error; a dash where it was not kept."""
    return "–" if value is None else f"{value:.2e}" if np.isfinite(value) else MISSING


def errors_table(results: Results, corner: str, columns: Sequence[str], rows: dict[str, Sequence[Cell]]) -> str:
    """Return a table of test errors, the best of each row in bold."""
    lines = []
    for name, cells in rows.items():
        values = np.array([error(results, cell) for cell in cells])
        best = np.nanargmin(values) if np.isfinite(values).any() else -1
        lines.append((name, *(f"**{shown(value)}**" if index == best else shown(value) for index, value in enumerate(values))))
    return table((corner, *columns), lines)


def wins(results: Results, pairs: Sequence[tuple[Cell, Cell]]) -> tuple[int, int, int]:
    """Count the pairs of which the first has the smaller test error, of which the second, and of which neither by more than 2 %."""
    ratios = np.array([error(results, one) / error(results, other) for one, other in pairs])
    ratios = ratios[np.isfinite(ratios)]
    return int((ratios < 1 - TIE).sum()), int((ratios > 1 / (1 - TIE)).sum()), int((np.abs(np.log(ratios)) <= -np.log(1 - TIE)).sum())


def verdict(counts: tuple[int, int, int]) -> str:
    """Say whether a claim holds: in every pair, in most, or not."""
    better, worse, even = counts
    if better + worse + even == 0:
        return "not run"
    word = "holds" if better and not worse else "does not hold" if worse >= better else "holds mostly"
    return f"{word}: better in {better} of {better + worse + even}, worse in {worse}, within {TIE:.0%} in {even}"


def claims(results: Results) -> list[tuple[str, str, str]]:
    """Return each claim, where the paper makes it, and whether it holds here."""
    grids = [*paper.TABLE_2.values(), *paper.TABLE_3.values(), *paper.TABLE_4.values()]
    augmented = [(row[2], row[other]) for row in paper.TABLE_1.values() for other in (0, 1)]
    skip = [pair for sigmoid, both, leaky, leaky_skip in grids for pair in ((both, sigmoid), (leaky_skip, leaky))]
    activation = [pair for sigmoid, both, leaky, leaky_skip in grids for pair in ((sigmoid, leaky), (both, leaky_skip))]
    entropy = [_entropies(results, one, other) for one, other in activation]
    entropy = [pair for pair in entropy if np.isfinite(pair).all()]
    even = (sum(a > b for a, b in entropy), sum(a < b for a, b in entropy), 0)
    bounded = [results[cell.key]["embedding"] for grid in grids for cell in grid[:2] if "embedding" in results.get(cell.key, {})]
    inside = bounded and all(0 <= each["lowest"] and each["highest"] <= 1 for each in bounded)
    return [
        ("one-hot chroma beats no augmentation and the first-order difference", "Table I", verdict(wins(results, augmented))),
        ("the chroma skip lowers the error", "Tables II to IV", verdict(wins(results, skip))),
        ("sigmoid against LeakyReLU: sigmoid has the lower error", "Tables II to IV", verdict(wins(results, activation))),
        ("a sigmoid's embedding is bounded", "Figures 2 to 5", "holds: all of it lies between 0 and 1" if inside else "not run"),
        ("a sigmoid's embedding is more uniform (entropy of its density)", "Figures 2 to 5", verdict(even)),
    ]


def _entropies(results: Results, *pair: Cell) -> list[float]:
    return [float(results.get(cell.key, {}).get("embedding", {}).get("entropy", np.nan)) for cell in pair]


def mesh_table(results: Results) -> str:
    """Return Table V: the share of the mesh that sounds the class asked for, over the whole cube and over the faders' box."""
    rows = []
    for cell in paper.TABLE_5:
        for kind, word in (("cube", "whole cube"), ("box", "faders' box")):
            found = results.get(cell.key, {}).get(kind)
            values = [f"{found['share'][str(each)]:.3f}" for each in MAJOR] + [f"{found['mean']:.3f}"] if found else [MISSING] * 8
            points = f"{found['points']:,}" if found else ""
            rows.append((f"{cell.n_latents} neurons, {word}", points, *values))
    rows.append(("the paper's, 8 neurons", "390,625", *("?" if each != 5 else ".526" for each in MAJOR), "?"))
    return table(("", "points", *(CLASS_NAMES[each] for each in MAJOR), "mean"), rows)


def methods_table(results: Results) -> str:
    """Return the paper's method, the ancestor's and ours side by side."""
    names = ("the paper's", "the ancestor's: its twelve columns", "ours: transposed mixing")
    rows = []
    for name, cell in zip(names, paper.METHODS, strict=True):
        found = results.get(cell.key, {})
        shares = [f"{found['random'][key]:.3f}" if "random" in found else MISSING for key in ("taught", "worst", "untaught")]
        rows.append((name, shown(error(results, cell)), *shares, f"{found['minutes']:.1f}" if found else MISSING))
    return table(("method", "test MSE", "mesh: the seven classes", "worst of them", "the five never recorded", "minutes"), rows)


def collapse_table(results: Results) -> str:
    """Return what each latent of the beta-VAE still says."""
    found = results.get(paper.BESIDE[0].key, {}).get("embedding", {})
    divergence, activity = found.get("divergence_nats", []), found.get("activity", [])
    rows = [
        ("divergence, nats", *(f"{value:.3f}" for value in divergence)),
        ("variance of the mean", *(f"{value:.3f}" for value in activity)),
        ("in use", *("yes" if value > ACTIVE else "no" for value in activity)),
    ]
    return table(("latent", *(str(index + 1) for index in range(len(divergence)))), rows)


def shipped_table(results: Results) -> str:
    """Return what must be true of shipped decoders, beside the paper's configuration on the same corpus."""
    rows = []
    for cell in paper.RIVALS:
        ours, rival = results.get(f"shipped-{cell.corpus}"), results.get(cell.key, {})
        theirs = rival.get("played")
        for name, facts, mse, epochs in (
            (f"{cell.corpus}, ours", ours, (ours or {}).get("test_mse"), (ours or {}).get("epochs")),
            (f"{cell.corpus}, the paper's", theirs, rival.get("test_mse"), rival.get("epochs_run")),
        ):
            if not facts:
                rows.append((name, shown(mse or np.nan), *["–" if mse else MISSING] * 6, str(epochs or MISSING), "–" if mse else MISSING))
                continue
            means = [f"{facts[kind][key]:.4f}" for kind in ("box", "cube") for key in ("mean", "worst")]
            rows.append(
                (
                    name,
                    f"{mse:.2e}",
                    *means,
                    f"{facts['peaks']:.1f}",
                    f"{facts['cosine']:.3f}",
                    str(epochs),
                    f"{facts['points']:,} of {facts['mesh']}",
                )
            )
    head = (
        "decoder",
        "test MSE",
        "mesh, box: mean",
        "worst class",
        "mesh, cube: mean",
        "worst class",
        "peaks",
        "cosine",
        "epochs",
        "points for each note",
    )
    return table(head, rows)


def same_epochs_table(results: Results) -> str:
    """Return the validation errors of both trainings after as many epochs as the shorter of them has."""
    rows = []
    for cell in paper.RIVALS:
        ours, theirs = (np.array(results.get(key, {}).get("history") or []) for key in (f"shipped-{cell.corpus}", cell.key))
        if n := min(len(ours), len(theirs)):
            best = [float(each[:n].min()) for each in (ours, theirs)]
            rows.append((cell.corpus, str(n), *map(shown, best), f"{best[0] / best[1]:.2f}"))
    return table(("corpus", "epochs", "ours", "the paper's", "ratio"), rows)


def lines_table(results: Results) -> str:
    """Return what happens along straight lines through the latent spaces of the shipped decoders."""
    rows = []
    for name in paper.SHIPPED:
        if found := results.get(f"shipped-{name}", {}).get("lines"):
            tune = f"{found['in_tune']:.4f}"
            figures = (f"{found[key]:.1f}" for key in ("drift_cents", "drift_cents_95", "step_db", "step_db_95"))
            rows.append((name, tune, *figures))
    head = ("decoder", "points on the class asked for", "widest drift, cents: median", "95 %", "widest step of loudness, dB: median", "95 %")
    return table(head, rows)


def runs_table(results: Results) -> str:
    """Return every run: corpus, seed, epochs, minutes, and how much the last third of the epochs still gained."""
    rows = []
    for cell in paper.cells():
        if not (found := results.get(cell.key)):
            rows.append((cell.key, *[MISSING] * 6))
            continue
        history = np.array(found["history"] or [np.nan])
        late = 1 - history.min() / history[: max(1, 2 * len(history) // 3)].min()
        hops = ", ".join(f"{each:,}" for each in found["hops"])
        facts = (str(found["seed"]), str(found["epochs_run"]), f"{found['minutes']:.1f}", shown(found["validation_mse"]), shown(found["test_mse"]))
        rows.append((cell.key, hops, *facts, f"{late:.1%}"))
    return table(
        ("cell", "hops: training, validation, test", "seed", "epochs", "minutes", "validation MSE", "test MSE", "gained in the last third"), rows
    )


FIGURES = {
    2: "Figure 2: the embedding of one octave with two neurons, LeakyReLU, without and with the skip; its colour is the note.",
    3: "Figure 3: the same with a sigmoid.",
    4: "Figure 4: the class that is heard when each class of C major is asked for, over the two faders of two neurons, sigmoid with skip.",
    5: "Figure 5: the same over the first two faders of three neurons, the third in the middle.",
}


def pictures(folder: Path) -> str:
    """Return the figures that were drawn, each with its sentence."""
    found = [number for number in FIGURES if (folder / f"figure-{number}.png").exists()]
    return "\n\n".join(f"{FIGURES[number]}\n\n![Figure {number}]({folder.name}/figure-{number}.png)" for number in found)


def corpora_words() -> str:
    """Say what each corpus is."""
    return "\n".join(f"- **{name}**: {row.description}" for name, row in PAPER.items())


def write_page(results: Results, path: Path) -> Path:
    """Fill the tables into the page, each between its two marks."""
    combos = tuple(BOTTLENECK[name] for name in paper.COMBINATIONS)
    tables = {
        "corpora": corpora_words(),
        "claims": table(("claim", "where", "on these corpora"), claims(results)),
        "table-1": errors_table(results, "corpus, 8 neurons", [WORDS[name] for name in paper.AUGMENTATIONS], paper.TABLE_1),
        "table-2": errors_table(results, "neurons", combos, {str(n): cells for n, cells in paper.TABLE_2.items()}),
        "table-3": errors_table(results, "neurons", combos, {str(n): cells for n, cells in paper.TABLE_3.items()}),
        "table-4": errors_table(results, "corpus, 3 neurons", combos, paper.TABLE_4),
        "table-5": mesh_table(results),
        "methods": methods_table(results),
        "collapse": collapse_table(results),
        "shipped": shipped_table(results),
        "same-epochs": same_epochs_table(results),
        "lines": lines_table(results),
        "runs": runs_table(results),
        "figures": pictures(path.parent / "paper"),
    }
    text = path.read_text("utf-8")
    for name, content in tables.items():
        before, mark, rest = text.partition(f"<!-- {name} -->\n")
        after = rest.partition(f"<!-- /{name} -->")[2]
        text = f"{before}{mark}\n{content}\n\n<!-- /{name} -->{after}"
    path.write_text(text, "utf-8")
    return path
