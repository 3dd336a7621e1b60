"""The loop over epochs and batches.

Keras's own `fit` is not used: in Keras 3 it does not take batches of named arrays from a strategy over several machines, and on
TensorFlow each of its epochs ends only when the tuner of ``tf.data`` next looks up, after 10, 20, 40 ... ms: up to twice as late.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

    from .dataset import Batches

Learn = Callable[[int, Any, Any], float]  # the batch's number, inputs, targets -> loss


def fit(network: keras.Model, teach: Batches, check: Batches, first: int, epochs: int, callbacks: list[Any], learn: Learn | None = None) -> None:
    """Train a compiled network from one epoch up to another, as `keras.Model.fit` does.

    Parameters
    ----------
    learn : callable, optional
        What learns from one batch and returns the loss; `keras.Model.train_on_batch` if left out.
    """
    import keras

    learn = learn or _learning(network)
    listeners = keras.callbacks.CallbackList(callbacks, model=network, epochs=epochs, steps=len(teach))
    network.stop_training = False
    listeners.on_train_begin()
    for epoch in range(first, epochs):
        listeners.on_epoch_begin(epoch)
        total = 0.0
        for number, (inputs, targets) in enumerate(ahead(teach)):
            loss = learn(number, inputs, targets)
            total += loss
            listeners.on_train_batch_end(number, {"loss": loss})
            if network.stop_training:
                break
        measured = {f"val_{name}": value for name, value in evaluate(network, check).items()}
        listeners.on_epoch_end(epoch, {"loss": total / (number + 1), **measured})
        if network.stop_training:
            break
    listeners.on_train_end()


def evaluate(network: keras.Model, check: Batches) -> dict[str, float]:
    """Return the loss and the metrics, means over all rows."""
    totals: dict[str, float] = {}
    n_rows = 0
    for inputs, targets in ahead(check):
        network.reset_metrics()
        n = len(next(iter(inputs.values())))
        n_rows += n
        for name, value in network.test_on_batch(inputs, targets, return_dict=True).items():
            totals[name] = totals.get(name, 0.0) + n * float(value)
    return {name: total / n_rows for name, total in totals.items()}


def ahead(source: Batches) -> Iterator[Any]:
    """Yield every batch; the next one is put together while this one is worked on."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(source.__getitem__, 0)
        for number in range(len(source)):
            batch = coming.result()
            if number + 1 < len(source):
                coming = pool.submit(source.__getitem__, number + 1)
            yield batch


def _learning(network: keras.Model) -> Learn:
    def learn(number: int, inputs: Any, targets: Any) -> float:
        # Metrics may be means since they were last reset: this one is to be of this batch alone.
        network.reset_metrics()
        return float(network.train_on_batch(inputs, targets, return_dict=True)["loss"])

    return learn
