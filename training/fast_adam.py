"""Adam in one pass over the weights.

Keras adds it up from a dozen passes, each over all weights and their two averages: with fourteen million weights on two cores that is a
third of the training. TensorFlow has the same rule as one operation.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("oscsynth")
class FastAdam(keras.optimizers.Adam):  # type: ignore[misc]
    """Keras' Adam, with the same result to rounding."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Move one variable, and its averages."""
        step, index = tf.cast(self.iterations.value + 1, tf.float32), self._get_variable_index(variable)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=self.beta_1**step,
            beta2_power=self.beta_2**step,
            lr=tf.cast(learning_rate, tf.float32),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )
