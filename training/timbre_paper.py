"""The second paper's experiments again: each cell of its Table 1 is one training, kept as one JSON file; what is there is not run again.

The notes are the orchestra's; see `orchestra`. What is measured on a cell is everything that the paper measures on it: linear
classifiers on both codes, and for the fully labelled mixture also what the judges hear in synthesised notes and in transferred ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from . import checkpoint, note_corpus, orchestra, transposed
from .note_corpus import NoteCorpus
from .note_make import CHANNELS, DECODER_CHANNELS, EPOCHS, REHEARSAL
from .paper import read, write

__all__ = ["CELLS", "Cell", "corpus_of", "judges_of", "read", "run", "run_all"]

SEED = 440
SHARES = (1.0, 0.75, 0.5, 0.25, 0.0)
JUDGES = 128  # channels: more than enough, they miss none of the notes kept for checking
MODELS = ("gmvae", "baseline")
TRANSFERRED = ("french-horn", "piano", "cello", "bassoon")


@dataclass(frozen=True, slots=True)
class Cell:
    """One training."""

    model: str  # of `MODELS`
    share: float  # of the notes whose instrument is told
    channels: int = CHANNELS
    decoder_channels: int = DECODER_CHANNELS
    epochs: int = EPOCHS
    rehearsal: int = 0  # epochs of the second step
    seed: int = SEED

    @property
    def key(self) -> str:
        """The name of its files."""
        width = "" if (self.channels, self.decoder_channels) == (CHANNELS, DECODER_CHANNELS) else f"-{self.channels}-{self.decoder_channels}"
        return f"{self.model}-{100 * self.share:.0f}{width}"


SHIPPED = Cell("gmvae", 1.0, rehearsal=REHEARSAL)  # the one whose notes are heard
SHORT = 24  # epochs of the others
TABLE_1 = [
    SHIPPED if (model, share) == ("gmvae", 1.0) else Cell(model, share, epochs=EPOCHS if (model, share) == ("gmvae", 0.25) else SHORT)
    for share in SHARES
    for model in MODELS
]
FULL = [Cell("gmvae", 1.0, 512, 512, rehearsal=REHEARSAL), Cell("baseline", 1.0, 512, 512, epochs=SHORT)]
FIRST = ("gmvae-100", "gmvae-25", "baseline-100", "baseline-25")
CELLS = [*sorted(TABLE_1, key=lambda cell: (*(cell.key != key for key in FIRST), cell.model != "gmvae")), *FULL]  # the most telling first


def corpus_of(work: Path) -> NoteCorpus:
    """Render the orchestra and listen to it, or take it from where it was prepared before."""
    settings = checkpoint.key(orchestra.ORCHESTRA, orchestra.SECONDS, transposed.PER_PITCH, SEED)
    return note_corpus.kept(work / "orchestra.npz", lambda: note_corpus.prepare(orchestra.sources(), seed=SEED), settings)


def network_of(cell: Cell, corpus: NoteCorpus) -> Any:
    """Return the settings of a cell's network."""
    from .gmvae import GmvaeConfig

    sizes = {"n_instruments": len(corpus.instruments), "n_pitches": len(corpus.pitches), "n_hops": corpus.mel.n_hops, "n_bands": corpus.mel.n_bands}
    return GmvaeConfig(**sizes, channels=cell.channels, decoder_channels=cell.decoder_channels, mixture=cell.model == "gmvae")


def judges_of(corpus: NoteCorpus, work: Path) -> dict[str, Any]:
    """Teach the judges, or take them from where they are."""
    from . import note_classifiers
    from .gmvae import GmvaeConfig

    config = GmvaeConfig(len(corpus.instruments), len(corpus.pitches), corpus.mel.n_hops, corpus.mel.n_bands, channels=JUDGES)
    return {label: note_classifiers.classifier(corpus, label, config, seed=SEED, folder=work) for label in note_classifiers.LABELS}


def run_judges(corpus: NoteCorpus, results: Path, work: Path) -> dict[str, Any]:
    """Say how well the judges know real notes: the paper's CNN row."""
    from .note_classifiers import judged

    facts: dict[str, Any] = {label: judged(judge, corpus, label) for label, judge in judges_of(corpus, work).items()}
    write(facts, results / "judges.json")
    return facts


def run(cell: Cell, corpus: NoteCorpus, results: Path, work: Path, *, show: bool = False) -> dict[str, Any]:
    """Train one cell, measure it, and keep its weights in `work` and what there is to say in `results`."""
    from . import note_measures, note_training

    config = replace(note_training.CONFIG, epochs=cell.epochs, seed=cell.seed)
    steps = {"share": cell.share, "rehearsal": cell.rehearsal}
    trained = note_training.train(corpus, network_of(cell, corpus), config, **steps, show=show, folder=work / cell.key)
    np.savez(weights_path(cell, work), *trained.network.get_weights())  # type: ignore[arg-type]
    facts = asdict(cell) | {
        "notes": [len(corpus.rows(part)) for part in (note_corpus.TRAIN, note_corpus.CHECK)],
        "epochs_run": trained.epochs,
        "minutes": round(trained.seconds / 60, 1),
        "loss": trained.loss,
        "history": [float(f"{loss:.5g}") for loss in trained.history],
        "rehearsal_history": [float(f"{loss:.5g}") for loss in trained.rehearsal],
        "mean_squared_error": note_measures.reconstruction_error(trained.network, corpus),
        "separation": note_measures.separation(trained.network, corpus),
    }
    if cell.share == 1.0 and cell.model == "gmvae":
        facts |= heard(trained.network, corpus, judges_of(corpus, work), cell.seed)
    write(facts, results / f"{cell.key}.json")
    return facts


def weights_path(cell: Cell, work: Path) -> Path:
    """Return where the weights of a cell lie."""
    return work / f"{cell.key}.weights.npz"


def heard(network: Any, corpus: NoteCorpus, judges: dict[str, Any], seed: int) -> dict[str, Any]:
    """Return what the judges hear in synthesised and in transferred notes, and what the dimensions of the timbre do."""
    from . import note_measures

    rises, _ = note_measures.brightness(network, corpus)
    return {
        "played": note_measures.played(network, corpus, judges, seed=seed),
        "transferred": note_measures.transferred(network, corpus, judges, TRANSFERRED) if set(TRANSFERRED) <= set(corpus.instruments) else [],
        "centroid_octaves": [round(rise, 3) for rise in rises],
        "brightness": int(np.argmax(np.abs(rises))),
    }


def revived(cell: Cell, corpus: NoteCorpus, work: Path) -> Any:
    """Return the network of a cell that was run; None, where there are no weights."""
    from .gmvae import Gmvae

    if not (path := weights_path(cell, work)).exists():
        return None
    network = Gmvae(network_of(cell, corpus), cell.seed)
    with np.load(path, allow_pickle=False) as stored:
        network.set_weights([stored[name] for name in stored.files])
    return network


def run_all(results: Path, work: Path, todo: list[Cell] | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Train every cell that has no result yet, the judges first."""
    left = [cell for cell in todo or CELLS if not (results / f"{cell.key}.json").exists()]
    if not left and (results / "judges.json").exists():
        return
    corpus = corpus_of(work)
    if not (results / "judges.json").exists():
        yield "judges", run_judges(corpus, results, work)
    for cell in left:
        yield cell.key, run(cell, corpus, results, work)
