"""Second step: arrays to weights.

The paper's training: mean squared error, Adam at 5e-4, batches of 200, until the validation error has settled, the best weights
kept. Transposed mixing is one flag more. Ctrl-C ends training and keeps the best so far.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from oscsynth.errors import DecoderError

from . import batches, models, variational
from .prepare import TRAIN, VALIDATION, Hops

ERROR = "mean_squared_error"  # of the reconstruction, as Keras logs it


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Everything that shapes the training."""

    mixing: bool = True  # transposed mixing
    epochs: int = 300
    minutes: float | None = None  # stop after the epoch that passes this
    patience: int = 20  # epochs without a better validation error
    batch: int = 200
    learning_rate: float = 5e-4
    cooling: float = 0.3  # share of the epochs, at the end, over which the learning rate falls to a tenth
    seed: int = 440
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


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """One part of the corpus in batches; the training part in another order each epoch, as the seed decides."""

    def __init__(self, hops: Hops, part: int, registers: tuple[int, ...], config: TrainingConfig) -> None:
        super().__init__()
        self.hops, self.registers, self.config, self.part = hops, registers, config, part
        self.source = batches.transposer(hops) if part == TRAIN and config.mixing else None
        self.rows = hops.rows(part)
        self.rng = np.random.default_rng(config.seed)
        self.on_epoch_end()

    def __len__(self) -> int:
        return -(-len(self.rows) // self.config.batch)

    def __getitem__(self, index: int) -> tuple[batches.Arrays, batches.Arrays]:
        rows = self.rows[index * self.config.batch : (index + 1) * self.config.batch]
        if self.source is not None:
            return batches.mixing(self.source, rows, self.registers, self.rng)
        return (batches.unmixed if self.config.mixing else batches.plain)(self.hops, rows, self.registers)

    def on_epoch_end(self) -> None:
        """Shuffle the training part."""
        if self.part == TRAIN:
            self.rng.shuffle(self.rows)


class Watch(keras.callbacks.Callback):  # type: ignore[misc]
    """Keep the best weights, stop when nothing gets better, when the time is up, or when the loss is no number; show progress."""

    def __init__(self, config: TrainingConfig, show: bool) -> None:
        super().__init__()
        self.config, self.show = config, show
        self.best, self.best_epoch, self.epochs = np.inf, -1, 0
        self.weights: list[np.ndarray] = []
        self.history: list[float] = []
        self.failed_at: tuple[int, int] | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        """Start the clock and the progress bar."""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        self.started = time.monotonic()
        text = TextColumn("{task.description}")
        self.progress = Progress(text, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(), disable=not self.show)
        self.task = self.progress.add_task("training", total=self.config.epochs * self.params["steps"])
        self.progress.start()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Cool down towards the end: the last errors are those of a step too large."""
        self.model.optimizer.learning_rate = learning_rate(epoch, self.config)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Stop when the loss is not a number; the weights are then put back to the best."""
        self.progress.advance(self.task)
        if not np.isfinite((logs or {}).get("loss", 0.0)):
            self.failed_at = (self.epochs, batch)
            self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Keep the best weights and decide whether to go on."""
        self.epochs = epoch + 1
        error = next((float(value) for key, value in (logs or {}).items() if key.startswith("val_") and key.endswith(ERROR)), np.nan)
        self.history.append(error)
        if error < self.best:
            self.best, self.best_epoch, self.weights = error, epoch, self.model.get_weights()
        minutes = (time.monotonic() - self.started) / 60
        late = self.config.minutes is not None and minutes >= self.config.minutes
        if late or epoch - self.best_epoch >= self.config.patience:
            self.model.stop_training = True
        self.progress.update(self.task, description=f"epoch {epoch + 1}, validation MSE {error:.3e}, best {self.best:.3e}")

    def close(self) -> None:
        """End the progress bar and put the best weights back."""
        self.progress.stop()
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


def train(hops: Hops, model: models.ModelConfig, config: TrainingConfig, registers: tuple[int, ...] = (), *, show: bool = True) -> Trained:
    """Train a decoder on a prepared corpus.

    Raises
    ------
    DecoderError
        When the loss is not a number before there is anything to keep.
    """
    autoencoder = models.build(model, config.seed)
    network = models.transposed_mixing(autoencoder) if config.mixing else models.reconstructing(autoencoder)
    outputs = ["reconstruction", *(["mixed"] if config.mixing else [])]
    optimizer = keras.optimizers.Adam(config.learning_rate)
    # The loss holds the weights' L2 term too: what is reported and decided by is the error alone.
    metrics = {"reconstruction": [keras.metrics.MeanSquaredError(name=ERROR)]}
    network.compile(optimizer, loss=dict.fromkeys(outputs, "mse"), metrics=metrics, jit_compile=config.compiled)
    watch = Watch(config, show)
    teach = Batches(hops, TRAIN, registers, config)
    # A corpus of one or two sounds has nothing to validate on but itself.
    check = Batches(hops, VALIDATION if len(hops.rows(VALIDATION)) else TRAIN, registers, config)
    check.source, interrupted = None, False
    try:
        network.fit(
            teach, validation_data=check, epochs=config.epochs, callbacks=[watch, *variational.annealing(autoencoder)], verbose=0, shuffle=False
        )
    except KeyboardInterrupt:
        if not watch.weights:
            raise
        interrupted = True
    finally:
        watch.close()
    if watch.failed_at and not watch.weights:
        epoch, batch = watch.failed_at
        raise DecoderError(
            f"the loss stopped being a number in batch {batch + 1} of epoch {epoch + 1}, before anything was learnt; "
            f"a smaller learning rate than {config.learning_rate:g} may help"
        )
    seconds = time.monotonic() - watch.started
    cut_short = interrupted or watch.failed_at is not None
    return Trained(autoencoder, registers, watch.epochs, seconds, watch.best, cut_short, tuple(watch.history))


def embedding(trained: Trained, hops: Hops, rows: np.ndarray, batch: int = 4096) -> np.ndarray:
    """Return the latents of rows of the corpus: (rows, n_latents) float32."""
    parts = [
        np.asarray(trained.autoencoder.encoder([hops.magnitude[some], batches.conditions(hops, some, trained.registers)], training=False))
        for some in _slices(rows, batch)
    ]
    return np.concatenate(parts)


def decoded(trained: Trained, latent: np.ndarray, condition: np.ndarray, batch: int = 4096) -> np.ndarray:
    """Return magnitudes: (hops, n_bins) float32 for (hops, n_latents) latents and (hops, n_conditions) notes."""
    indices = np.arange(len(latent))
    decoder = trained.autoencoder.decoder
    return np.concatenate([np.asarray(decoder([latent[some], condition[some]], training=False)) for some in _slices(indices, batch)])


def _slices(rows: np.ndarray, batch: int) -> Iterator[np.ndarray]:
    for start in range(0, len(rows), batch):
        yield rows[start : start + batch]
