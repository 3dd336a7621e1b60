"""The paper's experiments again: every cell of Tables I to V is one training, kept as one JSON file; what is there is not run again.

The corpora are the paper's on real instruments; see `recipes.PAPER`. Unless a cell is `full`, it is trained on the lower half of the
spectrum: the same 10.77 Hz bins up to 11 kHz, 1025 of them, and a network half as wide, which takes a quarter of the time.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from . import chroma, corpora, prepare
from .configurations import CONFIGURATIONS
from .prepare import Hops
from .recipes import PAPER, RECIPES
from .spectra import Stft, scaled

if TYPE_CHECKING:
    from .models import Autoencoder

ONE, FIVE, VIOLIN = PAPER  # the names of the three corpora
SEED = 440


@dataclass(frozen=True, slots=True)
class Cell:
    """One training."""

    corpus: str  # row of `recipes.PAPER` or `recipes.RECIPES`
    configuration: str  # row of `configurations.CONFIGURATIONS`
    n_latents: int
    epochs: int = 40
    full: bool = False  # 2049 bins up to 22 kHz
    columns: bool = False  # the note by the ancestor program's twelve columns
    seed: int = SEED

    @property
    def key(self) -> str:
        """The name of its files."""
        return f"{self.corpus}-{'ancestor' if self.columns else self.configuration}-{self.n_latents}{'-full' if self.full else ''}"


AUGMENTATIONS = ("plain", "difference", "leaky")
COMBINATIONS = ("sigmoid", "paper", "leaky", "leaky-skip")  # sigmoid or LeakyReLU, without and with the skip

ALL_BINS = [Cell(ONE, name, 8, full=True) for name in AUGMENTATIONS]
TABLE_1 = {corpus: [Cell(corpus, name, 8) for name in AUGMENTATIONS] for corpus in PAPER} | {f"{ONE}, all bins, 40 epochs": ALL_BINS}
TABLE_2 = {n: [Cell(ONE, name, n) for name in COMBINATIONS] for n in (8, 2)}
TABLE_3 = {n: [Cell(FIVE, name, n) for name in COMBINATIONS] for n in (8, 2)}
TABLE_4 = {corpus: [Cell(corpus, name, 3) for name in COMBINATIONS] for corpus in (VIOLIN,)}
TABLE_5 = [Cell(ONE, "paper", n) for n in (2, 3, 8)]
METHODS = [Cell(ONE, "paper", 8), Cell(ONE, "paper", 8, columns=True), Cell(ONE, "mixing", 8)]
BESIDE = [Cell(ONE, "beta-vae", 8), Cell(ONE, "light", 8)]
SHIPPED = {"one-octave": 40, "five-octaves": 36, "violin": 70, "cathedral": 70}  # epochs, as the decoders' pages say
RIVALS = [Cell(name, "paper", RECIPES[name].n_latents, epochs, full=True) for name, epochs in SHIPPED.items()]


def cells() -> list[Cell]:
    """Return every training there is, the most telling first, none twice."""
    first = [*TABLE_1[ONE], *TABLE_2[8], *METHODS, *TABLE_5, *TABLE_2[2]]
    then = [*TABLE_1[FIVE], *TABLE_3[8], *TABLE_4[VIOLIN], *TABLE_1[VIOLIN], *BESIDE, *TABLE_3[2], *RIVALS, *ALL_BINS]
    return list({cell.key: cell for cell in [*first, *then]}.values())


def lower_half(hops: Hops) -> Hops:
    """Keep the bins up to a quarter of the sample rate, as if the sounds had been recorded at half of it."""
    stft = Stft(*(value // 2 for value in (hops.stft.sample_rate_hz, hops.stft.window_samples, hops.stft.hop_samples)))
    return replace(hops, magnitude=scaled(np.asarray(hops.magnitude)[:, : stft.n_bins]), stft=stft)


def hops_of(name: str, work: Path) -> Hops:
    """Prepare a corpus, or take it from where it was prepared before."""
    row, stft = (PAPER | RECIPES)[name], Stft()
    hops = prepare.prepare(corpora.recipe(name, stft), stft, seed=SEED, pitch_source=row.pitch_source, folder=work / name)
    return replace(hops, magnitude=np.asarray(hops.magnitude[:]))


def seen_by(cell: Cell, hops: Hops) -> Hops:
    """Return a corpus as a cell sees it."""
    hops = hops if cell.full else lower_half(hops)
    return replace(hops, columns=chroma.ancestor_columns(np.asarray(hops.magnitude), hops.stft)) if cell.columns else hops


def run(cell: Cell, hops: Hops, results: Path, work: Path) -> dict[str, Any]:
    """Train one cell; keep its weights in `work` and what there is to say in `results`."""
    from . import evaluate
    from .train import train

    hops = seen_by(cell, hops)
    choice, registers = CONFIGURATIONS[cell.configuration], (PAPER | RECIPES)[cell.corpus].registers
    config = choice.training(epochs=cell.epochs, seed=cell.seed)
    model = choice.model(cell.n_latents, len(registers), hops.stft.n_bins)
    checkpoint = work / f"{cell.key}.training"
    trained = train(hops, model, config, registers, show=False, folder=checkpoint)
    parts = [hops.rows(part) for part in range(3)]
    facts = asdict(cell) | {
        "hops": [len(rows) for rows in parts],
        "epochs_run": trained.epochs,
        "minutes": round(trained.seconds / 60, 2),
        "validation_mse": trained.validation_mse,
        "test_mse": evaluate.test_mse(trained, hops, parts[2]),
        "history": [float(f"{error:.4g}") for error in trained.history],
    }
    keep_weights(trained.autoencoder, weights_path(cell, work))
    write(facts, results / f"{cell.key}.json")
    shutil.rmtree(checkpoint)
    return facts


def weights_path(cell: Cell, work: Path) -> Path:
    """Return where the weights of a cell lie."""
    return work / f"{cell.key}.weights.npz"


def keep_weights(autoencoder: Autoencoder, path: Path) -> None:
    """Write the weights of both halves, and of the variances where there are some."""
    halves = {"encoder": autoencoder.encoder, "decoder": autoencoder.decoder, "log_variance": autoencoder.log_variance}
    arrays = {f"{name}_{index:02d}": array for name, half in halves.items() if half for index, array in enumerate(half.get_weights())}
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **arrays)


def write(facts: dict[str, Any], path: Path) -> None:
    """Write a result: whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(facts, indent=1) + "\n", "utf-8")
    os.replace(partial, path)


def run_all(results: Path, work: Path, todo: list[Cell] | None = None) -> Iterator[dict[str, Any]]:
    """Train every cell that has no result yet."""
    name, hops = "", None
    for cell in todo or cells():
        if (results / f"{cell.key}.json").exists():
            continue
        if hops is None or name != cell.corpus:
            name, hops = cell.corpus, hops_of(cell.corpus, work)
        yield run(cell, hops, results, work)


def read(results: Path) -> dict[str, dict[str, Any]]:
    """Return every result that there is, by the name of its cell."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(results.glob("*.json"))}
