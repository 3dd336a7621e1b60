"""Second step: arrays to weights.

The paper's training: mean squared error, Adam at 5e-4, batches of 200, until the validation error has settled, the best weights
kept. Transposed mixing is one flag more. Ctrl-C ends training and keeps the best so far.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from oscsynth.errors import DecoderError

from . import batches, checkpoint, loop, models, variational, workers
from .checkpoint import Progress
from .dataset import Batches
from .prepare import TRAIN, VALIDATION, Hops

ERROR = "mean_squared_error"  # of the reconstruction, as Keras logs it
SAVE_SECONDS = 20.0  # between two checkpoints: 90 MB each


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Everything that shapes the training."""

    mixing: bool = True  # transposed mixing
    epochs: int = 300
    minutes: float | None = None  # stop after the epoch that passes this
    patience: int = 20  # epochs without a better validation error
    batch: int = 200
    longest_epoch: int = 1000  # batches: a large corpus is validated and kept more often than once it is through
    learning_rate: float = 5e-4
    cooling: float = 0.3  # share of the epochs, at the end, over which the learning rate falls to a tenth
    seed: int = 440
    workers: tuple[str, ...] = ()  # HOST:PORT of each machine that trains along
    worker: int = 0  # which of them this is
    compiled: bool = True  # by XLA, which joins the many small steps of Adam: 55 ms a batch instead of 90 on two cores


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained network and how it came about."""

    autoencoder: models.Autoencoder
    registers: tuple[int, ...]
    epochs: int
    seconds: float
    validation_mse: float
    interrupted: bool
    history: tuple[float, ...] = ()  # validation MSE of each epoch
    failed_at: tuple[int, int] | None = None  # epoch and batch, from 0, in which the loss stopped being a number


class Watch(keras.callbacks.Callback):  # type: ignore[misc]
    """Keep the best weights, stop when nothing gets better, when the time is up, or when the loss is no number; show progress."""

    error = ERROR  # what is made small, as Keras logs it

    def __init__(self, config: TrainingConfig, show: bool, keep: Callable[[Watch], None] = lambda watch: None) -> None:
        super().__init__()
        self.config, self.show, self.keep = config, show, keep
        self.progress = Progress()
        self.weights: list[np.ndarray] = []  # the best
        self.failed_at: tuple[int, int] | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        """Start the clock and the progress bar."""
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        self.saved = time.monotonic()
        self.started = self.saved - self.progress.seconds
        text = TextColumn("{task.description}")
        self.bar = Bar(text, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(), disable=not self.show)
        n_done = self.progress.epochs * self.params["steps"]
        self.task = self.bar.add_task("training", total=self.config.epochs * self.params["steps"], completed=n_done)
        self.bar.start()
        if n_done and self.show:
            self.bar.console.print(f"going on from epoch {self.progress.epochs + 1}, best validation error {self.progress.best:.3e}")

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Cool down towards the end: the last errors are those of a step too large."""
        self.model.optimizer.learning_rate = learning_rate(epoch, self.config)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Stop when the loss is not a number; the weights are then put back to the best."""
        self.bar.advance(self.task)
        if not np.isfinite((logs or {}).get("loss", 0.0)):
            self.failed_at = (self.progress.epochs, batch)
            self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Keep the best weights and decide whether to go on."""
        logs = logs or {}
        error = next((float(value) for key, value in logs.items() if key.startswith("val_") and key.endswith(self.error)), np.nan)
        now = self.progress
        now.epochs, now.seconds = epoch + 1, time.monotonic() - self.started
        now.history.append(error)
        if error < now.best:
            now.best, now.best_epoch, self.weights = error, epoch, self.model.get_weights()
        late = self.config.minutes is not None and now.seconds >= 60 * self.config.minutes
        now.done = late or epoch - now.best_epoch >= self.config.patience or now.epochs >= self.config.epochs
        self.model.stop_training = self.model.stop_training or now.done
        self.bar.update(self.task, description=f"epoch {epoch + 1}, loss {logs.get('loss', np.nan):.3e}, validation {error:.3e}, best {now.best:.3e}")
        if self.failed_at is None and (now.done or time.monotonic() - self.saved > SAVE_SECONDS):
            self.keep(self)
            self.saved = time.monotonic()

    def close(self) -> None:
        """End the progress bar and put the best weights back."""
        self.bar.stop()
        if self.weights:
            self.model.set_weights(self.weights)


def learning_rate(epoch: int, config: TrainingConfig) -> float:
    """Return the learning rate of an epoch: constant, then falling evenly to a tenth.

    >>> learning_rate(0, TrainingConfig(epochs=10)), round(learning_rate(9, TrainingConfig(epochs=10)), 6)
    (0.0005, 0.0002)
    """
    n_cooling = config.cooling * config.epochs
    left = (config.epochs - epoch) / n_cooling if n_cooling else 1.0
    return config.learning_rate * float(np.clip(left, 0.1, 1.0))


def train(
    hops: Hops,
    model: models.ModelConfig,
    config: TrainingConfig,
    registers: tuple[int, ...] = (),
    *,
    show: bool = True,
    folder: Path | None = None,
    autoencoder: models.Autoencoder | None = None,
) -> Trained:
    """Train a decoder on a prepared corpus.

    Parameters
    ----------
    autoencoder : Autoencoder, optional
        What is trained instead of a new network of `model`; in `encoder` its decoder is a file's.
    folder : Path, optional
        Where the checkpoint is kept; training that was killed goes on from there when it is called with the same.

    Raises
    ------
    DecoderError
        When the loss is not a number before there is anything to keep, or the network has another width than the corpus.
    """
    if model.n_bins != hops.stft.n_bins:
        window, rate = hops.stft.window_samples, hops.stft.sample_rate_hz
        raise DecoderError(
            f"the network takes {model.n_bins} bins, and the corpus has {hops.stft.n_bins} (a window of {window} at {rate} Hz): prepare it otherwise"
        )
    autoencoder = autoencoder or models.build(model, config.seed)
    network = _compiled(autoencoder, config)
    settings = checkpoint.key(model, replace(config, minutes=None, worker=0), registers, hops.stft, hops.pitch_midi, hops.part, hops.clip)
    path = folder / "checkpoint.npz" if folder else None
    watch = Watch(config, show, lambda now: checkpoint.save(path, settings, now.progress, network, now.weights) if path else None)
    if path and (found := checkpoint.restore(path, settings, network)):
        watch.progress, watch.weights = found
    interrupted = _fit(network, hops, registers, config, [*variational.annealing(autoencoder), watch])
    progress = watch.progress
    if watch.failed_at and not watch.weights:
        epoch, batch = watch.failed_at
        raise DecoderError(
            f"the loss stopped being a number in batch {batch + 1} of epoch {epoch + 1}, before anything was learnt; "
            f"a smaller learning rate than {config.learning_rate:g} may help"
        )
    cut_short = interrupted or watch.failed_at is not None
    return Trained(autoencoder, registers, progress.epochs, progress.seconds, progress.best, cut_short, tuple(progress.history), watch.failed_at)


def _compiled(autoencoder: models.Autoencoder, config: TrainingConfig) -> keras.Model:
    network = models.transposed_mixing(autoencoder) if config.mixing else models.reconstructing(autoencoder)
    outputs = ["reconstruction", *(["mixed"] if config.mixing else [])]
    # The loss holds the weights' L2 term too: what is reported and decided by is the error alone.
    metrics = {"reconstruction": [keras.metrics.MeanSquaredError(name=ERROR)]}
    network.compile(keras.optimizers.Adam(config.learning_rate), loss=dict.fromkeys(outputs, "mse"), metrics=metrics, jit_compile=config.compiled)
    return network


def _fit(network: keras.Model, hops: Hops, registers: tuple[int, ...], config: TrainingConfig, callbacks: list[Any]) -> bool:
    """Train from where the last of the callbacks, a `Watch`, is to the end; say whether Ctrl-C ended it before."""
    watch = callbacks[-1]
    first = watch.progress.epochs
    if watch.progress.done or first >= config.epochs:
        network.set_weights(watch.weights)
        return False
    teach = Batches(hops, TRAIN, registers, config, teaches=True)
    # A corpus of one or two sounds has nothing to validate on but itself.
    check = Batches(hops, VALIDATION if len(hops.rows(VALIDATION)) else TRAIN, registers, config, teaches=False)
    callbacks = [keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: setattr(teach, "epoch", epoch)), *callbacks]
    try:
        if config.workers:
            workers.fit(network, teach, check, first, config.epochs, callbacks, workers.join(config.workers, config.worker))
            return False
        loop.fit(network, teach, check, first, config.epochs, callbacks)
    except KeyboardInterrupt:
        if not watch.weights:
            raise
        return True
    finally:
        watch.close()
    return False


def embedding(trained: Trained, hops: Hops, rows: np.ndarray, batch: int = 1024) -> np.ndarray:
    """Return the latents of rows of the corpus: (rows, n_latents) float32."""
    parts = [
        np.asarray(trained.autoencoder.encoder([hops.magnitude[some], batches.conditions(hops, some, trained.registers)], training=False))
        for some in _slices(rows, batch)
    ]
    return np.concatenate(parts)


def decoded(trained: Trained, latent: np.ndarray, condition: np.ndarray, batch: int = 1024) -> np.ndarray:
    """Return magnitudes: (hops, n_bins) float32 for (hops, n_latents) latents and (hops, n_conditions) notes."""
    indices = np.arange(len(latent))
    decoder = trained.autoencoder.decoder
    return np.concatenate([np.asarray(decoder([latent[some], condition[some]], training=False)) for some in _slices(indices, batch)])


def _slices(rows: np.ndarray, batch: int) -> Iterator[np.ndarray]:
    for start in range(0, len(rows), batch):
        yield rows[start : start + batch]
