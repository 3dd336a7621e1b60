"""The page of a decoder: what it was trained on, how good it is, and how to make it again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from oscsynth.metadata import Metadata

from . import train
from .chroma import CLASS_NAMES
from .corpora import list_skipped
from .evaluate import Evaluation
from .prepare import TRAIN, Hops
from .train import Trained

MOST_POINTS = 4000  # in the picture


def picture(trained: Trained, hops: Hops, evaluation: Evaluation, path: Path, *, seed: int = 440) -> Path:
    """Draw the embedding of the training hops, coloured by note class: a PNG of two views, latents 1 and 2, and 1 and 3."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import patheffects, pyplot
    from PIL import Image

    outline = [patheffects.withStroke(linewidth=2.5, foreground="white")]

    rng = np.random.default_rng(seed)
    rows = hops.rows(TRAIN)
    rows = rng.choice(rows, min(MOST_POINTS, len(rows)), replace=False)
    latent = train.embedding(trained, hops, rows)  # (rows, n_latents)
    views = [(0, 1), (0, 2)][: max(1, latent.shape[1] - 1)]
    figure, axes = pyplot.subplots(1, len(views), figsize=(4.4 * len(views) + 0.8, 4), squeeze=False, layout="constrained")
    for axis, (x, y) in zip(axes[0], views, strict=True):
        up = latent[:, y] if y < latent.shape[1] else np.zeros(len(latent))
        dots = axis.scatter(latent[:, x], up, c=hops.note_class[rows], cmap="twilight", vmin=0, vmax=12, s=3, linewidths=0)
        axis.set(xlabel=f"latent {x + 1}", ylabel=f"latent {y + 1}")
        for name, point in evaluation.points.items():
            low, high = evaluation.percentiles[0], evaluation.percentiles[2]
            place = low + np.asarray(point) * (high - low)
            if y < len(place):
                axis.annotate(name, (place[x], place[y]), fontsize=8, ha="center", va="center", path_effects=outline)
    bar = figure.colorbar(dots, ax=axes[0], ticks=np.arange(12) + 0.5, label="note class")
    bar.ax.set_yticklabels(CLASS_NAMES)
    figure.savefig(path, dpi=80)
    pyplot.close(figure)
    Image.open(path).convert("RGB").quantize(128).save(path, optimize=True)  # half the bytes, and nobody sees it
    return path


def page(metadata: Metadata, evaluation: Evaluation, hops: Hops, image: Path, size_bytes: int, path: Path) -> Path:
    """Write the page of a decoder in Markdown."""
    facts, low, high = metadata.training, metadata.midi_low, metadata.midi_high
    conditions = "note class and octave" if metadata.registers else "note class"
    counts = [int((hops.part == part).sum()) for part in range(3)]
    lines = [
        f"# {metadata.title}",
        "",
        metadata.corpus,
        "",
        _table(
            ("", ""),
            [
                ("sounds", metadata.licence or "your own: their licence is yours to know"),
                ("notes", f"{note_name(low)} to {note_name(high)} (MIDI {low} to {high})"),
                ("hops for training, validation, test", ", ".join(f"{count:,}" for count in counts)),
                ("hops left out, as another class was the strongest", f"{hops.n_unclear:,}"),
                ("latents", str(len(metadata.latents))),
                ("conditioned on", conditions),
                ("trained with", _method(facts)),
                ("test MSE", f"{evaluation.test_mse:.2e}"),
                ("plays the class asked for", f"{evaluation.mesh_accuracy:.1%} of random points of its latent box"),
                ("file", f"{size_bytes / 1e6:.1f} MB"),
            ],
        ),
        "",
        "## The note asked for",
        "",
        "Random points between the 1st and the 99th percentile of the embedding, and in each octave where the decoder has octaves;",
        "how often the strongest pitch class of the decoded magnitudes is the one asked for.",
        "",
        _table(CLASS_NAMES, [tuple(f"{100 * share:.1f} %" for share in evaluation.mesh_share)]),
        "",
        "## The latent space",
        "",
        f"![The embedding of the corpus, coloured by note class]({image.name})",
        "",
        "Named places (fader positions 0 to 1), each the most typical moment of its sounds:",
        "",
        _table(
            ("point", *(f"latent {k + 1}" for k in range(len(metadata.latents)))),
            [(name, *(f"{value:.2f}" for value in point)) for name, point in metadata.points.items()],
        ),
        "",
        "## Make it again",
        "",
        "```sh",
        str(facts.get("command", "")),
        "```",
        "",
        f"Seed {facts.get('seed')}; {facts.get('epochs')} epochs in {facts.get('minutes')} minutes on two cores.",
        "",
    ]
    if hops.skipped:
        lines += ["## Skipped", "", f"{list_skipped(hops.skipped)}.", ""]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def note_name(pitch_midi: int) -> str:
    """Return the name of a note; C4 is 60.

    >>> note_name(55)
    'G3'
    """
    return f"{CLASS_NAMES[pitch_midi % 12]}{pitch_midi // 12 - 1}"


def _method(facts: dict[str, Any]) -> str:
    return "transposed mixing" if facts.get("mixing") else "the paper's method: reconstruction alone"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])
