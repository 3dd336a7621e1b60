"""The judges: two convolutional networks that are taught real notes, to say which instrument and which pitch a synthesised one is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from . import checkpoint, note_corpus
from .fast_adam import FastAdam
from .gmvae import GmvaeConfig, features
from .note_corpus import CHECK, TRAIN, NoteCorpus
from .note_measures import accuracy, f_score

EPOCHS, BATCH, LEARNING_RATE = 20, 64, 1e-3
LABELS = ("instrument", "pitch")


@dataclass(frozen=True, slots=True)
class Classifier:
    """A network from spectrograms to logits."""

    network: keras.Model

    def __call__(self, spectrogram: np.ndarray) -> np.ndarray:
        """Return posteriors: (notes, classes) float32 of (notes, n_hops, n_bands)."""
        parts = np.array_split(spectrogram, max(1, len(spectrogram) // 128))
        logits = np.concatenate([np.asarray(self.network(some, training=False)) for some in parts])
        likelihood = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(likelihood / likelihood.sum(axis=1, keepdims=True))


def classifier(corpus: NoteCorpus, label: str, config: GmvaeConfig, *, seed: int, folder: Path | None = None, epochs: int = EPOCHS) -> Classifier:
    """Teach a judge, or take it from where it was kept."""
    n_classes = {"instrument": len(corpus.instruments), "pitch": len(corpus.pitches)}[label]
    network = _network(config, label, n_classes, seed)
    path = folder / f"judge-{label}-{checkpoint.key(config, note_corpus.key_of(corpus), seed, epochs)[:12]}.npz" if folder else None
    if path and path.exists():
        with np.load(path, allow_pickle=False) as stored:
            network.set_weights([stored[name] for name in stored.files])
        return Classifier(network)
    rows, copies = corpus.rows(TRAIN), corpus.transposed
    notes = np.concatenate([corpus.spectrogram[rows], copies.spectrogram])
    labels = np.concatenate([getattr(corpus, label)[rows], getattr(copies, label)])
    keras.utils.set_random_seed(seed)  # of the order and of what is dropped
    steps = epochs * -(-len(notes) // BATCH)
    rate = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(FastAdam(rate), loss=loss, jit_compile=False)
    network.fit(notes, labels, batch_size=BATCH, epochs=epochs, verbose=0)
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, *network.get_weights())  # type: ignore[arg-type]
    return Classifier(network)


def _network(config: GmvaeConfig, label: str, n_classes: int, seed: int) -> keras.Model:
    seeds: Any = iter(np.random.default_rng(seed).integers(0, 2**31, 8).tolist())
    spectrogram = keras.Input((config.n_hops, config.n_bands))
    tensor = features(config, f"judge_{label}", seeds, spectrogram)
    tensor = layers.Dropout(0.5, seed=next(seeds))(tensor)
    start = keras.initializers.GlorotUniform(next(seeds))
    return keras.Model(spectrogram, layers.Dense(n_classes, kernel_initializer=start, dtype="float32")(tensor), name=f"judge_{label}")


def judged(judge: Classifier, corpus: NoteCorpus, label: str) -> dict[str, float]:
    """Return how well a judge knows the notes kept for checking."""
    rows = corpus.rows(CHECK)
    truth, guesses = getattr(corpus, label)[rows], judge(corpus.spectrogram[rows]).argmax(axis=1)
    return {"f_score": f_score(truth, guesses), "accuracy": accuracy(truth, guesses)}
