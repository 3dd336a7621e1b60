"""The command line of training: ``oscsynth train FOLDER --name NAME``, ``oscsynth train recipe violin``."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Annotated

import typer

from oscsynth.errors import OscsynthError
from oscsynth.library import user_folder

app = typer.Typer(help="Train a decoder on sounds.", no_args_is_help=True, add_completion=False)

EXTRA = ("tensorflow", "keras", "librosa", "onnx", "matplotlib", "soxr")  # of pip's extra `train`

Epochs = Annotated[int | None, typer.Option(min=1, help="Stop after so many epochs.")]
Minutes = Annotated[float | None, typer.Option(min=0.01, help="Stop after the epoch that passes this.")]
Seed = Annotated[int, typer.Option(help="Of the split, the first weights and the order of the batches.")]
Configuration = Annotated[str, typer.Option(help="mixing: every note everywhere; paper: reconstruction alone; and the paper's other variants.")]


@app.command()
def recipe(
    name: Annotated[str, typer.Argument(help="One of those that `oscsynth train recipes` lists.")],
    decoders: Annotated[Path, typer.Option(help="Folder for the decoder.")] = Path("patches/decoders"),
    pages: Annotated[Path, typer.Option(help="Folder for its page.")] = Path("docs/decoders"),
    configuration: Configuration = "mixing",
    epochs: Epochs = None,
    minutes: Minutes = None,
    seed: Seed = 440,
) -> None:
    """Render real instruments and train a decoder on them."""
    with _plain_errors():
        from .make import train_recipe

        train_recipe(name, decoders, pages, configuration=configuration, epochs=epochs, minutes=minutes, seed=seed)


@app.command()
def recipes() -> None:
    """List the built-in corpora."""
    from .recipes import RECIPES

    for name, row in RECIPES.items():
        typer.echo(f"{name:14s} {row.description}")


@app.command()
def sounds(
    folders: Annotated[list[Path], typer.Argument(help="Folders of WAV, FLAC, AIFF or OGG files.")],
    name: Annotated[str | None, typer.Option(help="Of the patch; the first folder's name if left out.")] = None,
    output: Annotated[Path | None, typer.Option(help="Folder of patches to write to; your own if left out.")] = None,
    latents: Annotated[int, typer.Option(min=1, max=64, help="Faders.")] = 3,
    octaves: Annotated[bool, typer.Option(help="Teach the octave too.")] = False,
    configuration: Configuration = "mixing",
    epochs: Epochs = None,
    minutes: Minutes = 10.0,
    seed: Seed = 440,
) -> None:
    """Train a decoder on your own sounds, and write a patch that plays it."""
    with _plain_errors():
        from .make import train_sounds

        name = name or folders[0].resolve().name or "Sounds"
        train_sounds(
            folders,
            name,
            output or user_folder(),
            n_latents=latents,
            octaves=octaves,
            configuration=configuration,
            epochs=epochs,
            minutes=minutes,
            seed=seed,
        )
        typer.echo(f"Play it: {shlex.join(['oscsynth', 'serve', *(['--patches', str(output)] if output else []), '--patch', name])}")


@app.command()
def report(
    decoder: Annotated[Path, typer.Argument(help="A decoder: FILE.onnx.")],
    sounds: Annotated[list[Path] | None, typer.Argument(help="Folders of the sounds that it was taught, to compare with.")] = None,
    recipe: Annotated[str | None, typer.Option(help="Or the built-in corpus that it was taught.")] = None,
    output: Annotated[Path, typer.Option(help="Folder for the page, its pictures and its sounds.")] = Path("reports"),
    seed: Seed = 440,
) -> None:
    """Write a page about a decoder: what its faders do, which notes are weak, how it sounds."""
    with _plain_errors():
        from . import corpora, folders, prepare
        from .decoder_file import open_decoder
        from .report import write

        opened = open_decoder(decoder)
        corpus = corpora.recipe(recipe, opened.stft) if recipe else folders.folder(sounds, opened.stft) if sounds else None
        hops = prepare.prepare(corpus, opened.stft, seed=seed) if corpus else None
        typer.echo(write(opened, output, hops, corpus, seed=seed))


class _plain_errors:  # reads as a word in `with`
    """Turn what the user can do something about into one sentence, and keep TensorFlow's own lines away."""

    def __enter__(self) -> None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, OscsynthError):
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from error
        if isinstance(error, ModuleNotFoundError) and error.name in EXTRA:
            typer.echo(f"training needs more than playing does ({error.name} is missing): pip install 'oscsynth[train]'", err=True)
            raise typer.Exit(1) from error


if __name__ == "__main__":
    app()
