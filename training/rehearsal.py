"""The second step of training: the decoder alone goes on, and the network's own encoders hear what it plays.

A reconstruction may be near to its note and still be heard as another: low notes differ by ripples that weigh little in an error of
squares, and an instrument at a place where another's notes were moved to was never played. So half of each batch are notes, as before,
and half are notes moved to another instrument, z + mean of the target - mean of its own; of all, the encoders are to find the instrument and
the pitch again. Encoders and mixtures stay as they are: the codes mean what they meant.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from . import checkpoint, loop
from .fast_adam import FastAdam
from .gmvae import LABELS, PITCH_DEVIATION, Gmvae, cross_entropy, told
from .note_corpus import CHECK, TRAIN, NoteCorpus
from .train import TrainingConfig, Watch

if TYPE_CHECKING:
    from .transposed import Transposed

LEARNING_RATE = 1e-3
NOISE = 0.2  # in what the encoders hear: what they find must not hang on a hair, since others are to find it too


class Rehearsal(keras.Model):  # type: ignore[misc]
    """A trained network's decoder, heard by its encoders: what is trained.

    A batch is a dictionary of ``spectrogram``, ``timbre_mean`` and ``timbre_log_variance``, ``pitch_mean`` and ``pitch_log_variance``,
    ``instrument`` and ``pitch``, and ``target``, the instrument that each note is moved to.
    """

    TERMS = ("reconstruction", "instrument_error", "pitch_error")

    def __init__(self, network: Gmvae, seed: int) -> None:
        super().__init__(name="rehearsal")
        self.decoder, self.noise = network.networks.decoder, keras.random.SeedGenerator(seed)
        self.trackers = {name: keras.metrics.Mean(name=name) for name in self.TERMS}
        timbres, pitches = np.asarray(network.timbres.means), np.asarray(network.pitches.means)
        # Functions, since what a model holds itself would be trained and kept with it.
        self.way = lambda source, target: ops.take(timbres, target, axis=0) - ops.take(timbres, source, axis=0)
        self.told = lambda label, code: told(pitches, label, code, self.noise)
        self.hear = lambda sound: heard(network, sound)
        self.built = True

    def call(self, batch: dict[str, Any], training: bool = False) -> Any:
        """Return the notes, and the same moved to their targets: (2 notes, n_hops, n_bands)."""
        drawn = {}
        for name in ("timbre", "pitch"):
            mean, log_variance = batch[f"{name}_mean"], batch[f"{name}_log_variance"]
            drawn[name] = mean + ops.exp(0.5 * log_variance) * keras.random.normal(ops.shape(mean), seed=self.noise)
        timbre = ops.concatenate([drawn["timbre"], drawn["timbre"] + self.way(batch["instrument"], batch["target"])], axis=0)
        pitch = ops.tile(self.told(batch["pitch"], drawn["pitch"]), (2, 1))
        return self.decoder(ops.concatenate([timbre, pitch], axis=-1), training=False)  # normalised as it is when it plays

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True) -> Any:
        """Return the error of the notes, and how far the encoders are from the instruments and pitches that are meant."""
        instrument, pitch = self.hear(y_pred + NOISE * keras.random.normal(ops.shape(y_pred), seed=self.noise))
        error = ops.square(x["spectrogram"] - y_pred[: ops.shape(x["spectrogram"])[0]])
        terms = {
            "reconstruction": 0.5 * ops.sum(error, axis=(1, 2)),
            "instrument_error": cross_entropy(instrument, ops.concatenate([x["instrument"], x["target"]], axis=0)),
            "pitch_error": cross_entropy(pitch, ops.tile(x["pitch"], (2,))),
        }
        for name, values in terms.items():
            self.trackers[name].update_state(values)
        return ops.mean(terms["reconstruction"]) + LABELS * ops.mean(terms["instrument_error"] + terms["pitch_error"])


def heard(network: Gmvae, sound: Any) -> tuple[Any, Any]:
    """Return what a network's encoders find in spectrograms: logits of the instruments and of the pitches."""
    timbre, _ = ops.split(network.networks.timbre_encoder(sound, training=False), 2, axis=-1)
    pitch, _ = ops.split(network.networks.pitch_encoder(sound, training=False), 2, axis=-1)
    return network.timbres.log_density(timbre), network.pitch_classifier(pitch / PITCH_DEVIATION)


class Loss(Watch):
    """Decide by the whole loss."""

    error = "loss"


class Batches:
    """Notes of one part and copies of them with their codes, and where each is moved to."""

    def __init__(self, network: Gmvae, corpus: NoteCorpus, config: TrainingConfig, *, teaches: bool) -> None:
        rows, self.size, self.seed, self.epoch, self.teaches = corpus.rows(TRAIN if teaches else CHECK), config.batch // 2, config.seed, 0, teaches
        parts: list[tuple[NoteCorpus | Transposed, np.ndarray]] = [(corpus, rows)]
        if teaches and len(corpus.transposed):
            parts.append((corpus.transposed, np.arange(len(corpus.transposed))))
        self.arrays = _joined([_with_codes(network, notes, some) for notes, some in parts])
        self.n_notes, self.n_instruments = len(rows), len(corpus.instruments)

    def __len__(self) -> int:
        """Count the batches: as many as in an epoch of the first step."""
        return max(1, self.n_notes // self.size)

    def __getitem__(self, index: int) -> tuple[dict[str, np.ndarray], None]:
        """Return one batch, half of it notes and half copies where there are any."""
        rng = np.random.default_rng((self.seed, self.epoch if self.teaches else 0, index))
        n_copies = len(self.arrays["pitch"]) - self.n_notes
        here = rng.choice(self.n_notes, self.size) if self.teaches else np.arange(index * self.size, min(self.n_notes, (index + 1) * self.size))
        if n_copies:
            here = np.concatenate([here[::2], self.n_notes + rng.choice(n_copies, self.size // 2)])
        batch = {name: array[here] for name, array in self.arrays.items()}
        return batch | {"target": rng.integers(0, self.n_instruments, len(here)).astype(np.int32)}, None


def _with_codes(network: Gmvae, notes: NoteCorpus | Transposed, rows: np.ndarray) -> dict[str, np.ndarray]:
    from .note_training import codes

    arrays = {name: getattr(notes, name)[rows] for name in ("spectrogram", "instrument", "pitch")}
    return arrays | codes(network, notes, rows)


def _joined(parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def rehearse(
    network: Gmvae, corpus: NoteCorpus, config: TrainingConfig, *, show: bool, settings: str, folder: Path | None = None
) -> checkpoint.Progress:
    """Teach the decoder of a trained network of mixtures to be heard rightly, and say how that went.

    What was killed goes on from ``rehearsal.npz`` in the folder, when `settings`, which say what was trained before, are the same. Ctrl-C, or a
    loss that is no number, leaves the best so far: at first the decoder as it was.
    """
    model = Rehearsal(network, config.seed)
    config = replace(config, learning_rate=LEARNING_RATE)
    model.compile(FastAdam(LEARNING_RATE), jit_compile=False)
    settings = checkpoint.key(settings, config.epochs, LEARNING_RATE, LABELS, NOISE)
    path = folder / "rehearsal.npz" if folder else None
    watch = Loss(config, show, lambda now: checkpoint.save(path, settings, now.progress, model, now.weights) if path else None)
    watch.weights = model.get_weights()
    if path and (found := checkpoint.restore(path, settings, model)):
        watch.progress, watch.weights = found
    if watch.progress.done:
        model.set_weights(watch.weights)
        return watch.progress
    teach, check = (Batches(network, corpus, config, teaches=teaches) for teaches in (True, False))
    follow = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: setattr(teach, "epoch", epoch))
    with contextlib.suppress(KeyboardInterrupt), contextlib.closing(watch):
        loop.fit(model, teach, check, watch.progress.epochs, config.epochs, [follow, watch])
    return watch.progress
