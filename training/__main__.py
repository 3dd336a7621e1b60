"""The command line of training: ``oscsynth train FOLDER --name NAME``, ``oscsynth train recipe violin``."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path
from typing import Annotated

import typer

from oscsynth.errors import CorpusError
from oscsynth.library import user_folder

from . import note_commands
from .console import plain_errors

app = typer.Typer(help="Train a decoder on sounds.", no_args_is_help=True, add_completion=False)

Epochs = Annotated[int | None, typer.Option(min=1, help="Stop after so many epochs.")]
Minutes = Annotated[float | None, typer.Option(min=0.01, help="Stop after the epoch that passes this.")]
Seed = Annotated[int, typer.Option(help="Of the split, the first weights and the order of the batches.")]
Configuration = Annotated[str, typer.Option(help="mixing: every note everywhere; paper: reconstruction alone; and the paper's other variants.")]
Work = Annotated[Path | None, typer.Option(help="Folder in which prepared sounds and the checkpoint lie until it is done.")]
Workers = Annotated[str | None, typer.Option(metavar="HOST:PORT,...", help="Train on several machines: all of them, the same on each.")]
Worker = Annotated[int, typer.Option(min=0, help="Which of the workers this is, from 0.")]


@app.command()
def recipe(
    name: Annotated[str, typer.Argument(help="One of those that `oscsynth train recipes` lists.")],
    decoders: Annotated[Path, typer.Option(help="Folder for the decoder.")] = Path("patches/decoders"),
    pages: Annotated[Path, typer.Option(help="Folder for its page.")] = Path("docs/decoders"),
    configuration: Configuration = "mixing",
    epochs: Epochs = None,
    minutes: Minutes = None,
    seed: Seed = 440,
    work: Work = None,
) -> None:
    """Render real instruments and train a decoder on them."""
    with plain_errors():
        from .checkpoint import key
        from .make import train_recipe
        from .own import cache
        from .recipes import PAPER, RECIPES

        here = work or cache() / f"recipe-{name}-{key((RECIPES | PAPER).get(name))[:12]}"
        made = train_recipe(name, decoders, pages, configuration=configuration, epochs=epochs, minutes=minutes, seed=seed, work=here)
        if not work and not made.interrupted:
            shutil.rmtree(here, ignore_errors=True)


@app.command()
def recipes() -> None:
    """List the built-in corpora."""
    from .recipes import RECIPES

    for name, row in RECIPES.items():
        typer.echo(f"{name:14s} {row.description}")


@app.command()
def sounds(
    places: Annotated[list[Path] | None, typer.Argument(metavar="SOUNDS...", help="Folders or files: WAV, FLAC, AIFF, OGG or MP3.")] = None,
    notes: Annotated[
        Path | None, typer.Option(help="Instead: a folder of notes, called as violin_A4_mf.wav, or a CSV that says what each is.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Of the patch; the first folder's name if left out.")] = None,
    output: Annotated[Path | None, typer.Option(help="Folder of patches to write to; your own if left out.")] = None,
    latents: Annotated[int | None, typer.Option(min=1, max=64, help="Faders; as many as the sounds fill if left out.")] = None,
    octaves: Annotated[bool | None, typer.Option(help="Teach the octave too; by the range of the sounds if left out.")] = None,
    configuration: Configuration = "mixing",
    epochs: Epochs = None,
    minutes: Minutes = None,
    seed: Seed = 440,
    work: Work = None,
    keep: Annotated[bool, typer.Option(help="Keep the prepared sounds and the checkpoint when it is done.")] = False,
    workers: Workers = None,
    worker: Worker = 0,
) -> None:
    """Train a decoder on your own sounds, and write a patch that plays it: `oscsynth train SOUNDS` is enough."""
    if bool(places) == bool(notes):
        raise typer.BadParameter("give it folders of sounds, or --notes with a folder of labelled notes")
    if notes:
        name = name or notes.resolve().stem or "Notes"
        note_commands.train(notes, name, output or user_folder(), epochs=epochs, minutes=minutes, seed=seed, work=work)
        _say_how_to_play(name, output)
        return
    assert places
    with plain_errors(workers, worker) as hosts:
        from .own import train_sounds

        name = name or places[0].resolve().stem or "Sounds"
        train_sounds(
            places,
            name,
            output or user_folder(),
            n_latents=latents,
            octaves=octaves,
            configuration=configuration,
            epochs=epochs,
            minutes=minutes,
            seed=seed,
            work=work,
            keep=keep,
            workers=hosts,
            worker=worker,
            say=typer.echo,
        )
        _say_how_to_play(name, output)


@app.command()
def report(
    decoder: Annotated[Path, typer.Argument(help="A decoder: FILE.onnx.")],
    sounds: Annotated[list[Path] | None, typer.Argument(help="Folders of the sounds that it was taught, to compare with.")] = None,
    recipe: Annotated[str | None, typer.Option(help="Or the built-in corpus that it was taught.")] = None,
    output: Annotated[Path, typer.Option(help="Folder for the page, its pictures and its sounds.")] = Path("reports"),
    sound_format: Annotated[str, typer.Option("--format", help="Of its sounds: flac, wav or ogg.")] = "flac",
    seed: Seed = 440,
) -> None:
    """Write a page about a decoder: what its faders do, which notes are weak, how it sounds."""
    with plain_errors():
        from . import corpora, folders, prepare
        from .decoder_file import open_decoder
        from .report import write

        opened = open_decoder(decoder)
        corpus = corpora.recipe(recipe, opened.stft) if recipe else folders.folder(sounds, opened.stft) if sounds else None
        hops = prepare.prepare(corpus, opened.stft, seed=seed) if corpus else None
        typer.echo(write(opened, output, hops, corpus, suffix=f".{sound_format}", seed=seed))


@app.command()
def encoder(
    decoder: Annotated[Path, typer.Argument(help="A decoder that has none: FILE.onnx.")],
    sounds: Annotated[list[Path] | None, typer.Argument(help="Folders of sounds such as it was taught.")] = None,
    recipe: Annotated[str | None, typer.Option(help="Or the built-in corpus that it was taught.")] = None,
    epochs: Epochs = None,
    minutes: Minutes = None,
    seed: Seed = 440,
    work: Work = None,
) -> None:
    """Train an encoder for a decoder, which stays as it is: then sounds can be played through it."""
    with plain_errors():
        from . import corpora, folders
        from .decoder_file import open_decoder
        from .encoder import train_encoder
        from .own import cache

        if not recipe and not sounds:
            raise CorpusError("an encoder learns from sounds: give folders of them, or --recipe NAME (`oscsynth train recipes` lists them)")
        stft = open_decoder(decoder).stft
        corpus = corpora.recipe(recipe, stft) if recipe else folders.folder(sounds, stft)
        here = work or cache() / f"encoder-{decoder.stem}"
        given = [*(["--recipe", recipe] if recipe else []), *(["--epochs", str(epochs)] if epochs else [])]
        command = shlex.join(["oscsynth", "train", "encoder", decoder.name, *given, "--seed", str(seed)])
        made = train_encoder(decoder, corpus, epochs=epochs, minutes=minutes, seed=seed, work=here, command=command, say=typer.echo)
        if not work and not made.interrupted:
            shutil.rmtree(here, ignore_errors=True)


@app.command("import")
def import_model(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A Keras decoder, .h5 or .keras: latents, or those and 12 chroma values, to 2049.")],
    name: Annotated[str | None, typer.Option(help="Of the patch; the file's name if left out.")] = None,
    output: Annotated[Path | None, typer.Option(help="Folder of patches to write to; your own if left out.")] = None,
    low: Annotated[float, typer.Option(help="Lowest value of a latent: 0 after a sigmoid.")] = 0.0,
    high: Annotated[float, typer.Option(help="Highest value of a latent: 1 after a sigmoid.")] = 1.0,
    chroma: Annotated[bool | None, typer.Option(help="The last 12 inputs are the note; by their number if left out.")] = None,
) -> None:
    """Make a decoder and a patch from a Keras decoder of the ancestor program; nothing in the file is executed."""
    with plain_errors():
        from .importer import import_decoder
        from .make import file_stem, write_patch

        name, folder = name or model.stem, output or user_folder()
        decoder = folder / "decoders" / f"{file_stem(name)}.onnx"
        made = import_decoder(model, name, decoder, low=low, high=high, takes_chroma=chroma)
        write_patch(name, decoder, len(made.latents), {}, folder / f"{file_stem(name)}.yaml")
        note = f"the note, which it plays in {made.training['mesh_accuracy']:.1%}" if made.chroma else "no note"
        typer.echo(f"{decoder}: {len(made.latents)} latents and {note}")
        _say_how_to_play(name, output)


def _say_how_to_play(name: str, output: Path | None) -> None:
    typer.echo(f"Play it: {shlex.join(['oscsynth', 'serve', *(['--patches', str(output)] if output else []), '--patch', name])}")


@app.command()
def paper(
    steps: Annotated[list[str] | None, typer.Argument(help="run, measure, page; all three if left out.")] = None,
    results: Annotated[Path, typer.Option(help="Folder of the results, one file a training.")] = Path("docs/paper"),
    work: Annotated[Path, typer.Option(help="Folder for prepared sounds and weights: about 1 GB.")] = Path("runs/paper"),
    page: Annotated[Path, typer.Option(help="The page to fill in.")] = Path("docs/paper.md"),
) -> None:
    """Repeat the paper's experiments: train what has no result yet (hours), measure, and write the page."""
    with plain_errors():
        from . import paper as grid
        from . import paper_figures, paper_measures, paper_page

        if "run" in (steps or ["run"]):
            for facts in grid.run_all(results, work):
                typer.echo(f"{facts['corpus']}, {facts['configuration']}, {facts['n_latents']}: test MSE {facts['test_mse']:.2e}")
        if "measure" in (steps or ["measure"]):
            for name in paper_measures.measure_all(results, work, Path("patches/decoders")):
                typer.echo(f"measured {name}")
        if "page" in (steps or ["page"]):
            paper_figures.draw_all(work, results)
            typer.echo(paper_page.write_page(grid.read(results), page))


app.command()(note_commands.orchestra)
app.command("paper-timbre")(note_commands.paper_timbre)

if __name__ == "__main__":
    app()
