"""A prepared corpus of notes to a trained network: Adam, batches of 64, the weights with the least loss on the notes kept for checking.

What was killed goes on from its checkpoint and ends with the same weights: batches follow from the seed and the number of the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from oscsynth.errors import DecoderError

from . import checkpoint, loop, note_corpus
from .fast_adam import FastAdam
from .gmvae import Gmvae, GmvaeConfig
from .note_corpus import CHECK, TRAIN, NoteCorpus
from .train import TrainingConfig, Watch
from .transposed import Transposed

CLIP = 200.0  # of the gradient's norm: the first batches would throw the weights far away
# The paper's rate is 1e-4, its batch 128. Ten times as fast with half the batch, falling at the end, arrives in an evening of two cores.
CONFIG = TrainingConfig(mixing=False, epochs=150, patience=150, batch=64, learning_rate=1e-3, cooling=0.5, compiled=False)


@dataclass(frozen=True, slots=True)
class TrainedNotes:
    """A trained network and how it came about."""

    network: Gmvae
    epochs: int
    seconds: float
    loss: float  # of the notes kept for checking, the best epoch
    history: tuple[float, ...]
    interrupted: bool
    rehearsal: tuple[float, ...] = ()  # loss after each epoch of the second step


class Loss(Watch):
    """Decide by the whole loss: minus the evidence lower bound, and the errors of the labels."""

    error = "loss"


class Batches:
    """The notes of one part; for training in an order of each epoch's own, each batch half of notes and half of transposed copies."""

    def __init__(self, corpus: NoteCorpus, rows: np.ndarray, guided: np.ndarray, config: TrainingConfig, *, teaches: bool) -> None:
        self.corpus, self.rows, self.guided, self.config, self.teaches, self.epoch = corpus, rows, guided, config, teaches, 0
        self.size = max(1, config.batch // 2) if teaches and len(corpus.transposed) else config.batch  # of notes

    def __len__(self) -> int:
        """Count the batches; while teaching a short last one is left out, since its normalisation would be of a few notes."""
        whole = len(self.rows) // self.size
        return max(1, whole if self.teaches else -(-len(self.rows) // self.size))

    def __getitem__(self, index: int) -> tuple[dict[str, np.ndarray], None]:
        """Return one batch, and that nothing is asked of it but what is in it."""
        here = slice(index * self.size, (index + 1) * self.size)
        if not self.teaches:
            return batch_of(self.corpus, self.rows[here], self.guided), None
        rng, copies = np.random.default_rng((self.config.seed, self.epoch)), self.corpus.transposed
        notes = batch_of(self.corpus, rng.permutation(self.rows)[here], self.guided)
        if not len(copies):
            return notes, None
        extra = batch_of(copies, rng.choice(len(copies), len(self.rows), replace=len(copies) < len(self.rows))[here], self.guided[copies.origin])
        return {name: np.concatenate([notes[name], extra[name]]) for name in notes}, None


def batch_of(notes: NoteCorpus | Transposed, rows: np.ndarray, guided: np.ndarray) -> dict[str, np.ndarray]:
    """Return rows of a corpus, or of its copies, as the network takes them; `guided` weighs each one's instrument, 0 where it is not told."""
    labels = {"instrument": notes.instrument[rows], "pitch": notes.pitch[rows], "guided": guided[rows].astype(np.float32)}
    return {"spectrogram": notes.spectrogram[rows], **labels}


def train(
    corpus: NoteCorpus,
    model: GmvaeConfig,
    config: TrainingConfig = CONFIG,
    *,
    share: float = 1.0,
    rehearsal: int = 0,
    show: bool = True,
    folder: Path | None = None,
) -> TrainedNotes:
    """Train a network on a prepared corpus.

    Parameters
    ----------
    share : float
        Of the notes whose instrument is told, 0 to 1.
    rehearsal : int
        Epochs of the second step, in which a decoder of mixtures learns to be heard rightly.
    folder : Path, optional
        Where the checkpoint is kept; training that was killed goes on from there when it is called with the same.

    Raises
    ------
    DecoderError
        When the loss is not a number before there is anything to keep.
    CorpusError
        When the share is not 0 to 1.
    """
    guided = note_corpus.guided(corpus, share, config.seed)
    network = Gmvae(model, config.seed)
    network.compile(FastAdam(config.learning_rate, global_clipnorm=CLIP), jit_compile=config.compiled)
    settings = checkpoint.key(model, replace(config, minutes=None), note_corpus.key_of(corpus), guided, CLIP)
    path = folder / "checkpoint.npz" if folder else None
    watch = Loss(config, show, lambda now: checkpoint.save(path, settings, now.progress, network, now.weights) if path else None)
    if path and (found := checkpoint.restore(path, settings, network)):
        watch.progress, watch.weights = found
    interrupted = _fit(network, corpus, guided, config, watch)
    now = watch.progress
    if watch.failed_at and not watch.weights:
        raise DecoderError(
            f"the loss stopped being a number before anything was learnt; a smaller learning rate than {config.learning_rate:g} may help"
        )
    cut_short = interrupted or watch.failed_at is not None
    trained = TrainedNotes(network, now.epochs, now.seconds, now.best, tuple(now.history), cut_short)
    if not rehearsal or cut_short:
        return trained
    left = None if config.minutes is None else max(0.0, config.minutes - now.seconds / 60)
    return _rehearsed(trained, corpus, replace(config, epochs=rehearsal, minutes=left), settings, show, folder)


def _rehearsed(trained: TrainedNotes, corpus: NoteCorpus, config: TrainingConfig, settings: str, show: bool, folder: Path | None) -> TrainedNotes:
    from .rehearsal import rehearse

    then = rehearse(trained.network, corpus, config, show=show, settings=settings, folder=folder)
    total = {"epochs": trained.epochs + then.epochs, "seconds": trained.seconds + then.seconds}
    return replace(trained, **total, rehearsal=tuple(then.history), interrupted=not then.done)


def _fit(network: Gmvae, corpus: NoteCorpus, guided: np.ndarray, config: TrainingConfig, watch: Watch) -> bool:
    """Train from where the watch is to the end; say whether Ctrl-C ended it before."""
    first = watch.progress.epochs
    if watch.progress.done or first >= config.epochs:
        network.set_weights(watch.weights)
        return False
    weights = guided / max(guided[corpus.rows(TRAIN)].mean(), 1e-9)  # few labels say as much together as all do
    teach = Batches(corpus, corpus.rows(TRAIN), weights, config, teaches=True)
    told = np.full(len(corpus.part), float(guided.any()))  # without labels the instruments' order is anybody's
    check = Batches(corpus, corpus.rows(CHECK), told, config, teaches=False)
    callbacks: list[Any] = [keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: setattr(teach, "epoch", epoch)), watch]
    try:
        loop.fit(network, teach, check, first, config.epochs, callbacks)
    except KeyboardInterrupt:
        if not watch.weights:
            raise
        return True
    finally:
        watch.close()
    return False


def codes(network: Gmvae, corpus: NoteCorpus, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Return ``timbre_mean``, ``timbre_log_variance``, ``pitch_mean`` and ``pitch_log_variance`` of notes: (rows, dimensions) float32 each."""
    found = {}
    for name, encoder in (("timbre", network.networks.timbre_encoder), ("pitch", network.networks.pitch_encoder)):
        parts = [np.asarray(encoder(corpus.spectrogram[some], training=False)) for some in np.array_split(rows, max(1, len(rows) // 128))]
        found[f"{name}_mean"], found[f"{name}_log_variance"] = np.split(np.concatenate(parts), 2, axis=1)
    return found


def synthesised(network: Gmvae, timbre: np.ndarray, pitch: np.ndarray) -> np.ndarray:
    """Return spectrograms: (notes, n_hops, n_bands) float32, -1..1, of (notes, n_timbre) and (notes, n_pitch) codes."""
    both = np.concatenate([timbre, pitch], axis=1).astype(np.float32)
    return np.concatenate([np.asarray(network.networks.decoder(some, training=False)) for some in np.array_split(both, max(1, len(both) // 128))])
