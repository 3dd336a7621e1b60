"""From a musician's own sounds to a patch: what `oscsynth train SOUNDS` does.

Everything on the way lies in a folder of its own, so that the same command goes on from where it was killed; when the patch is there
the folder is removed.
"""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from oscsynth.errors import CorpusError

from . import checkpoint, configurations, folders, prepare
from .make import Made, Say, file_stem, make, write_patch
from .plan import duration, plan
from .spectra import Stft

PREPARED_PER_SECOND = 25.0  # seconds of sound, on one core


def train_sounds(
    places: Sequence[Path],
    name: str,
    output: Path,
    *,
    n_latents: int | None = None,
    octaves: bool | None = None,
    configuration: str = "mixing",
    epochs: int | None = None,
    minutes: float | None = None,
    seed: int = 440,
    work: Path | None = None,
    keep: bool = False,
    workers: tuple[str, ...] = (),
    worker: int = 0,
    say: Say = print,
    show: bool = True,
) -> Made:
    """Train a decoder on folders of sounds; write ``decoders/FILE.onnx``, a patch ``FILE.yaml`` that plays it, and ``reports/FILE.html``.

    FILE is the name in letters that every system takes in a file's name. What is None is chosen by what there is to hear.

    Parameters
    ----------
    places : sequence of Path
        Folders or files; any rate, any number of channels.
    name : str
        Of the patch and the decoder, as it is called on stage.
    output : Path
        A folder of patches.
    n_latents : int, optional
        Neurons of the bottleneck.
    octaves : bool, optional
        Teach the octave too, as it is heard in the sounds.
    configuration : str
        Row of `configurations.CONFIGURATIONS`.
    epochs, minutes : optional
        Stop after so many, whichever is first; at the latest when nothing gets better.
    work : Path, optional
        Where prepared sounds and the checkpoint lie meanwhile; in the user's cache if left out.
    keep : bool
        Leave them there when it is done.
    workers, worker : optional
        HOST:PORT of each machine that trains along, and which of them this is; each writes the same decoder to its own `output`.

    Raises
    ------
    CorpusError
        When a folder does not exist, or holds no sounds, or none that can be used.
    DecoderError
        When training or export fails.
    """
    stem = file_stem(name)
    if workers and minutes:
        raise CorpusError("several workers end together: give them --epochs instead of --minutes")
    stft, choice = Stft(), configurations.configuration(configuration)
    corpus = replace(folders.folder(places, stft), title=name)
    here = (work or cache()) / f"{stem}-{checkpoint.key(corpus.key, stft)[:12]}{f'-{worker}' if worker else ''}"
    say(f"{name}: {duration(corpus.seconds)} of sound; preparing it takes about {duration(corpus.seconds / PREPARED_PER_SECOND)}, in {here}")
    with preparing(show) as progress:
        hops = prepare.prepare(corpus, stft, seed=seed, folder=here / "sounds", progress=progress)
    say_what_is_there(hops, say)
    chosen = plan(hops, corpus.seconds, choice, n_latents=n_latents, octaves=octaves, epochs=epochs, minutes=minutes, seed=seed)
    config = replace(chosen.training, workers=workers, worker=worker)
    say(f"training: {chosen.sentence()}. Ctrl-C keeps the best so far; what is killed goes on when the same command is given again")
    model = choice.model(chosen.n_latents, len(chosen.registers))
    shape = f" --name {shlex.quote(name)} --latents {chosen.n_latents}{' --octaves' if chosen.registers else ' --no-octaves'}"
    method = "" if configuration == "mixing" else f" --configuration {configuration}"
    command = f"oscsynth train {shlex.join(Path(each).name for each in places)}{shape}{method} --epochs {chosen.training.epochs} --seed {seed}"
    made = make(stem, corpus, hops, model, chosen.registers, config, command, output / "decoders", output / "reports", say, show, here)
    made = replace(made, patch=write_patch(name, made.decoder, chosen.n_latents, made.evaluation.points, output / f"{stem}.yaml"))
    if made.interrupted or keep:
        say(f"what was prepared stays in {here}: the same command goes on from there")
    else:
        shutil.rmtree(here, ignore_errors=True)
    return made


def cache() -> Path:
    """Return the folder in which work lies that is not done."""
    import platformdirs

    return platformdirs.user_cache_path("oscsynth", appauthor=False) / "training"


@contextmanager
def preparing(show: bool) -> Iterator[prepare.Progress]:
    """Show how far the sounds are prepared, and how long it will still take."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, disable=not show) as bar:
        task = bar.add_task("preparing")
        yield lambda done, expected: bar.update(task, completed=done, total=expected)


def say_what_is_there(hops: prepare.Hops, say: Say) -> None:
    """Say how many sounds are used, and name each that is not, with the reason."""
    say(f"{len(hops.names)} sounds, {len(hops.part):,} moments; {len(hops.skipped) or 'nothing'} skipped{':' if hops.skipped else ''}")
    for each in hops.skipped:
        say(f"  {each.name}: {each.reason}")
