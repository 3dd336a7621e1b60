"""Training on several machines at once, through TensorFlow's own ``tf.distribute.MultiWorkerMirroredStrategy``.

Every worker has the same network and takes its share of each batch; the strategy averages their gradients, and each applies the same
average. So all of them hold the same weights at any time, and end with the same decoder.
"""

from __future__ import annotations

import functools
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from oscsynth.errors import CorpusError

from . import loop

if TYPE_CHECKING:
    import keras

    from .dataset import Batches


@dataclass(frozen=True, slots=True)
class Team:
    """All workers, and which of them this is."""

    strategy: Any  # tf.distribute.MultiWorkerMirroredStrategy
    size: int
    index: int


@functools.cache
def join(hosts: tuple[str, ...], index: int) -> Team:
    """Wait for the other workers; must come before anything is computed.

    Raises
    ------
    CorpusError
        When the hosts are not each HOST:PORT, or the number is none of theirs, or Keras runs on another backend.
    """
    import keras

    if not 0 <= index < len(hosts) or not all(host.rpartition(":")[0] and host.rpartition(":")[2].isdigit() for host in hosts):
        raise CorpusError(f"the workers are HOST:PORT,HOST:PORT... and this one's number is 0 to {len(hosts) - 1}, not {index} of {','.join(hosts)}")
    if keras.backend.backend() != "tensorflow":
        raise CorpusError(f"several workers train through TensorFlow, and KERAS_BACKEND is {keras.backend.backend()}")
    import tensorflow

    os.environ["TF_CONFIG"] = json.dumps({"cluster": {"worker": list(hosts)}, "task": {"type": "worker", "index": index}})
    return Team(tensorflow.distribute.MultiWorkerMirroredStrategy(), len(hosts), index)


def fit(network: keras.Model, teach: Batches, check: Batches, first: int, epochs: int, callbacks: list[Any], team: Team) -> None:
    """Train a compiled network as `loop.fit` does, on this worker's share of each batch."""
    step = _step(network, team)

    def learn(number: int, inputs: Any, targets: Any) -> float:
        share = len(inputs["magnitude"]) * team.size / teach.size_of(number)  # the last batch may not divide evenly
        return float(step(inputs, targets, np.float32(share)))

    loop.fit(network, teach, check, first, epochs, callbacks, learn)


def _step(network: keras.Model, team: Team) -> Any:
    """Return what learns from one batch: inputs, targets and the weight of this share to the loss over all shares."""
    import tensorflow as tf

    variables = network.trainable_variables
    network.optimizer.build(variables)

    def average(inputs: Any, targets: Any, share: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = share * network.compute_loss(x=inputs, y=targets, y_pred=network(inputs, training=True), training=True)
        found = [loss, *tape.gradient(loss, [variable.value for variable in variables])]
        # Keras divides losses by the number of replicas itself: their sum is the mean over the whole batch.
        return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, found)

    @tf.function(reduce_retracing=True)
    def step(inputs: Any, targets: Any, share: Any) -> Any:
        loss, *gradients = team.strategy.run(average, args=(inputs, targets, share))
        network.optimizer.apply(gradients, variables)
        return loss

    return step
