"""The commands for decoders of kind `note`: ``oscsynth train --notes FOLDER``, ``oscsynth train orchestra``, ``oscsynth train paper-timbre``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .console import plain_errors

Epochs = Annotated[int | None, typer.Option(min=1, help="Stop after so many epochs.")]
Minutes = Annotated[float | None, typer.Option(min=0.01, help="Stop after the epoch that passes this.")]
Seed = Annotated[int, typer.Option(help="Of the split, the first weights and the order of the batches.")]
Work = Annotated[Path, typer.Option(help="Folder for prepared notes, weights and checkpoints.")]


def train(place: Path, name: str, output: Path, *, epochs: int | None, minutes: float | None, seed: int, work: Path | None) -> None:
    """Train a note decoder on labelled notes, and write a patch that plays it."""
    with plain_errors():
        from .note_make import train_notes

        train_notes(place, name, output, epochs=epochs, minutes=minutes, seed=seed, work=work, say=typer.echo)


def orchestra(
    decoders: Annotated[Path, typer.Option(help="Folder for the decoder.")] = Path("patches/decoders"),
    pages: Annotated[Path, typer.Option(help="Folder for its page.")] = Path("docs/decoders"),
    epochs: Epochs = None,
    minutes: Minutes = None,
    seed: Seed = 440,
    work: Work = Path("runs/timbre"),
) -> None:
    """Render twelve instruments note by note and train the note decoder that ships."""
    with plain_errors():
        from .note_make import train_orchestra
        from .note_page import write

        typer.echo(write(train_orchestra(decoders, epochs=epochs, minutes=minutes, seed=seed, work=work, say=typer.echo), pages))


def paper_timbre(
    steps: Annotated[list[str] | None, typer.Argument(help="run, page; both if left out.")] = None,
    results: Annotated[Path, typer.Option(help="Folder of the results, one file a training.")] = Path("docs/timbre-paper"),
    work: Work = Path("runs/timbre"),
    page: Annotated[Path, typer.Option(help="The page to fill in.")] = Path("docs/timbre-paper.md"),
) -> None:
    """Repeat the second paper's experiments, timbre and pitch apart: train what has no result yet (hours), and write the page."""
    with plain_errors():
        from . import timbre_page, timbre_paper

        if "run" in (steps or ["run"]):
            for name, facts in timbre_paper.run_all(results, work):
                typer.echo(f"{name}: {timbre_page.sentence(facts)}")
        if "page" in (steps or ["page"]):
            timbre_page.draw(results, work)
            typer.echo(timbre_page.write_page(timbre_paper.read(results), page))
