"""The straight line from a corpus to a decoder file, its page, its picture and a patch that plays it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from oscsynth.errors import CorpusError
from oscsynth.metadata import Metadata

from . import configurations, corpora, prepare
from .corpora import Corpus
from .evaluate import Evaluation, evaluate
from .models import ModelConfig
from .recipes import PAPER, RECIPES
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
    work: Path | None = None,
    say: Say = print,
    show: bool = True,
) -> Made:
    """Render a built-in corpus, train its decoder, and write it with its page.

    In the folder `work`, where it is given, lies what is needed to go on after a kill.

    Raises
    ------
    CorpusError
        When there is no such recipe, or FluidSynth or the soundfont is missing.
    DecoderError
        When training or export fails.
    """
    stft = Stft()
    corpus = corpora.recipe(name, stft)
    row, choice = (RECIPES | PAPER)[name], configurations.configuration(configuration)
    config = choice.training(epochs=epochs, minutes=minutes, seed=seed)
    command = f"python -m training recipe {name}{_options(configuration, epochs, minutes, seed)}"
    model = choice.model(row.n_latents, len(row.registers))
    hops = prepare.prepare(corpus, stft, seed=seed, pitch_source=row.pitch_source, folder=work / "sounds" if work else None)
    say(f"{corpus.title}: {len(hops.names)} sounds, {len(hops.part):,} moments; {corpora.list_skipped(hops.skipped)}")
    return make(name, corpus, hops, model, row.registers, config, command, decoders, pages, say, show, work, ".ogg")  # what is published is small


def _options(configuration: str, epochs: int | None, minutes: float | None, seed: int) -> str:
    """Return what follows on the command line."""
    method = "" if configuration == "mixing" else f" --configuration {configuration}"
    limits = "".join(f" --{key} {value:g}" for key, value in (("epochs", epochs), ("minutes", minutes)) if value is not None)
    return f"{method}{limits} --seed {seed}"


def make(
    name: str,
    corpus: Corpus,
    hops: prepare.Hops,
    model: ModelConfig,
    registers: tuple[int, ...],
    config: TrainingConfig,
    command: str,
    decoders: Path,
    pages: Path,
    say: Say,
    show: bool,
    work: Path | None = None,
    suffix: str = ".flac",
) -> Made:
    """Train on a prepared corpus, measure, and write the decoder with its page.

    Raises
    ------
    DecoderError
        When training or export fails.
    """
    from . import report
    from .decoder_file import open_decoder
    from .export import export, round_weights

    trained = train(hops, model, config, registers, show=show, folder=work)
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
    page = report.write(open_decoder(decoder), pages, hops, corpus, suffix=suffix, seed=config.seed)
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


def file_stem(name: str) -> str:
    """Return a name as a file's, in letters that every system takes.

    >>> file_stem("../My Kitchen")
    'my-kitchen'

    Raises
    ------
    CorpusError
        When nothing is left of it, or it is too long.
    """
    stem = re.sub(r"[^\w-]+", "-", name).strip("-_").lower()
    if not stem or len(name) > 64:
        raise CorpusError(f"the name {name[:64]!r} will be a file's: it needs a letter or a digit, and at most 64 of them")
    return stem


def write_patch(name: str, decoder: Path, n_latents: int, points: dict[str, tuple[float, ...]], path: Path) -> Path:
    """Write the patch that plays a new decoder: a drone at its most typical sound."""
    import yaml

    first = next(iter(points.values()), (0.5,) * n_latents)
    patch = {
        "name": name,
        "decoder": f"decoders/{decoder.name}",
        "mode": "drone",
        "gate": "open",
        "gain_db": -6,
        "chroma": "A",
        "latents": {f"fader-{k + 1}": {"neuron": k + 1, "default": first[k]} for k in range(n_latents)},
        "points": {re.sub(r"[^a-z0-9]+", "-", key.lower()).strip("-") or "sounds": list(value) for key, value in points.items()},
    }
    path.write_text(yaml.safe_dump(patch, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path
