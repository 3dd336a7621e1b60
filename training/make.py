"""The straight line from a corpus to a decoder file, its page, its picture and a patch that plays it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from oscsynth.errors import CorpusError
from oscsynth.metadata import Metadata

from . import configurations, corpora, folders, prepare
from .corpora import Corpus
from .evaluate import Evaluation, evaluate
from .models import ModelConfig
from .recipes import RECIPES
from .spectra import Stft
from .train import Trained, TrainingConfig, train

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Made:
    """What came out."""

    decoder: Path
    evaluation: Evaluation
    skipped: tuple[corpora.Skipped, ...]
    interrupted: bool
    page: Path
    patch: Path | None = None


def train_recipe(
    name: str,
    decoders: Path,
    pages: Path,
    *,
    configuration: str = "mixing",
    epochs: int | None = None,
    minutes: float | None = None,
    seed: int = 440,
    say: Say = print,
    show: bool = True,
) -> Made:
    """Render a built-in corpus, train its decoder, and write it with its page.

    Raises
    ------
    CorpusError
        When there is no such recipe, or FluidSynth or the soundfont is missing.
    DecoderError
        When training or export fails.
    """
    stft = Stft()
    corpus = corpora.recipe(name, stft)
    row, choice = RECIPES[name], configurations.configuration(configuration)
    config = choice.training(epochs=epochs, minutes=minutes, seed=seed)
    command = f"python -m training recipe {name}{_options(configuration, epochs, minutes, seed)}"
    model = choice.model(row.n_latents, len(row.registers))
    return _make(name, corpus, stft, model, row.registers, config, command, decoders, pages, say, show)


def train_sounds(
    places: Sequence[Path],
    name: str,
    output: Path,
    *,
    n_latents: int = 3,
    octaves: bool = False,
    configuration: str = "mixing",
    epochs: int | None = None,
    minutes: float | None = None,
    seed: int = 440,
    say: Say = print,
    show: bool = True,
) -> Made:
    """Train a decoder on folders of sounds; write ``decoders/FILE.onnx``, a patch ``FILE.yaml`` that plays it, and ``reports/FILE.html``.

    FILE is the name in letters that every system takes in a file's name.

    Parameters
    ----------
    places : sequence of Path
        Where the sounds are; WAV, FLAC, AIFF or OGG, any rate, any number of channels.
    name : str
        Of the patch and the decoder, as it is called on stage.
    output : Path
        A folder of patches.
    n_latents : int
        Neurons of the bottleneck.
    octaves : bool
        Teach the octave too, as it is heard in the sounds.
    configuration : str
        Row of `configurations.CONFIGURATIONS`.
    epochs, minutes : optional
        Stop after so many, whichever is first; at the latest when nothing gets better.

    Raises
    ------
    CorpusError
        When a folder does not exist, holds no sounds, or none that can be used.
    DecoderError
        When training or export fails.
    """
    stem = re.sub(r"[^\w-]+", "-", name).strip("-_").lower()
    if not stem or len(name) > 64:
        raise CorpusError(f"the name {name[:64]!r} will be a file's: it needs a letter or a digit, and at most 64 of them")
    stft = Stft()
    corpus = replace(folders.folder(places, stft), title=name)
    choice = configurations.configuration(configuration)
    config = choice.training(epochs=epochs, minutes=minutes, seed=seed)
    shape = f" --name {shlex.quote(name)} --latents {n_latents}{' --octaves' if octaves else ''}"
    options = _options(configuration, epochs, minutes, seed)
    command = f"oscsynth train {shlex.join(Path(each).name for each in places)}{shape}{options}"
    registers = (1, 2, 3, 4, 5, 6, 7) if octaves else ()
    model = choice.model(n_latents, len(registers))
    made = _make(stem, corpus, stft, model, registers, config, command, output / "decoders", output / "reports", say, show)
    return replace(made, patch=_write_patch(name, made, output / f"{stem}.yaml"))


def _options(configuration: str, epochs: int | None, minutes: float | None, seed: int) -> str:
    """Return what follows on the command line."""
    method = "" if configuration == "mixing" else f" --configuration {configuration}"
    limits = "".join(f" --{key} {value:g}" for key, value in (("epochs", epochs), ("minutes", minutes)) if value is not None)
    return f"{method}{limits} --seed {seed}"


def _make(
    name: str,
    corpus: Corpus,
    stft: Stft,
    model: ModelConfig,
    registers: tuple[int, ...],
    config: TrainingConfig,
    command: str,
    decoders: Path,
    pages: Path,
    say: Say,
    show: bool,
) -> Made:
    from . import report
    from .decoder_file import open_decoder
    from .export import export, round_weights

    hops = prepare.prepare(corpus, stft, seed=config.seed)
    seconds = len(hops.magnitude) * stft.hop_samples * corpus.keep_every / stft.sample_rate_hz
    say(f"{corpus.title}: {hops.clip.max() + 1} sounds, {seconds:.0f} s; {corpora.list_skipped(hops.skipped)}")
    trained = train(hops, model, config, registers, show=show)
    if trained.failed_at:
        epoch, batch = trained.failed_at
        say(f"the loss stopped being a number in batch {batch + 1} of epoch {epoch + 1}; the best weights before that are kept")
    elif trained.interrupted:
        say(f"stopped in epoch {trained.epochs + 1}; the best so far is kept")
    round_weights(trained)
    evaluation = evaluate(trained, hops, seed=config.seed)
    metadata = _metadata(corpus, hops, trained, evaluation, config, command)
    decoder = export(trained, metadata, decoders / f"{name}.onnx")
    say(f"{decoder}: test MSE {evaluation.test_mse:.2e}, plays the class asked for in {evaluation.mesh_accuracy:.1%}")
    page = report.write(open_decoder(decoder), pages, hops, corpus, seed=config.seed)
    say(f"{page}: what it does, how well, and how it sounds")
    return Made(decoder, evaluation, hops.skipped, trained.interrupted, page)


def _metadata(corpus: Corpus, hops: prepare.Hops, trained: Trained, evaluation: Evaluation, config: TrainingConfig, command: str) -> Metadata:
    from .export import latents_of, takes_note

    takes = takes_note(trained.autoencoder.decoder)
    facts = {
        "command": command,
        "seed": config.seed,
        "epochs": trained.epochs,
        "minutes": round(trained.seconds / 60, 1),
        "mixing": config.mixing,
        "batch": config.batch,
        "learning_rate": config.learning_rate,
        "validation_mse": trained.validation_mse,
        "mesh_accuracy": round(evaluation.mesh_accuracy, 4),
        "widths": list(trained.autoencoder.config.widths),
        "bottleneck": trained.autoencoder.config.bottleneck,
    }
    return Metadata(
        title=corpus.title,
        kind="frame",
        sample_rate_hz=hops.stft.sample_rate_hz,
        window_samples=hops.stft.window_samples,
        hop_samples=hops.stft.hop_samples,
        latents=latents_of(evaluation),
        midi_low=int(np.percentile(hops.pitch_midi, 0.5)),
        midi_high=int(np.percentile(hops.pitch_midi, 99.5)),
        home_octaves=evaluation.home_octaves,
        chroma=takes,
        registers=trained.registers if takes else (),
        points=evaluation.points,
        corpus=corpus.description,
        licence=corpus.licence,
        training=facts,
        test_mse=evaluation.test_mse,
    )


def _write_patch(name: str, made: Made, path: Path) -> Path:
    """Write the patch that plays a new decoder: a drone at its most typical sound."""
    import yaml

    n_latents = made.evaluation.percentiles.shape[1]
    first = next(iter(made.evaluation.points.values()), (0.5,) * n_latents)
    patch = {
        "name": name,
        "decoder": f"decoders/{made.decoder.name}",
        "mode": "drone",
        "gate": "open",
        "gain_db": -6,
        "chroma": "A",
        "latents": {f"fader-{k + 1}": {"neuron": k + 1, "default": first[k]} for k in range(n_latents)},
        "points": {re.sub(r"[^a-z0-9]+", "-", key.lower()).strip("-") or "sounds": list(value) for key, value in made.evaluation.points.items()},
    }
    path.write_text(yaml.safe_dump(patch, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path
