"""A decoder file as a Keras model that is not trained: its graph computed node by node, so that slopes go through it to what is.

Any decoder of the standard operators that `graphs` and `importer` write: those that ship, your own, and those of the ancestor program.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from oscsynth.errors import DecoderError

if TYPE_CHECKING:
    import keras

N_CLASSES = 12


def frozen(content: bytes, n_latents: int, n_octaves: int, what: str) -> keras.Model:
    """Return a decoder's graph as a model without weights to train: latent and condition to magnitude.

    Raises
    ------
    DecoderError
        When there is an operator in it that has no counterpart here; ``what`` names the file.
    """
    import keras

    graph = onnx.load_model_from_string(content).graph
    unknown = sorted({node.op_type for node in graph.node} - OPERATORS.keys())
    if unknown:
        raise DecoderError(f"{what}: no encoder can be trained for it: there is no counterpart here of {', '.join(unknown)} in its graph")
    latent = keras.Input((n_latents,), name="latent")
    condition = keras.Input((N_CLASSES + n_octaves,), name="condition")
    return keras.Model([latent, condition], _layer(graph)([latent, condition]), name="decoder")


def _layer(graph: onnx.GraphProto) -> keras.layers.Layer:
    import keras

    constants = {each.name: _array(each) for each in graph.initializer}

    class Frozen(keras.layers.Layer):  # type: ignore[misc]
        """The graph; what it computes from constants alone, such as float32 of float16, is computed once."""

        def call(self, inputs: list[Any]) -> Any:
            latent, condition = inputs
            values = constants | {"latent": latent, "chroma": condition[:, :N_CLASSES], "register": condition[:, N_CLASSES:]}
            for node in graph.node:
                given = [values[name] for name in node.input]
                values[node.output[0]] = OPERATORS[node.op_type](given, {each.name: helper.get_attribute_value(each) for each in node.attribute})
            return values[graph.output[0].name]

        def compute_output_shape(self, input_shape: list[tuple[int | None, ...]]) -> tuple[int | None, ...]:
            return input_shape[0][0], graph.output[0].type.tensor_type.shape.dim[-1].dim_value

    return Frozen(trainable=False, name="frozen")


def _array(constant: onnx.TensorProto) -> np.ndarray:
    array = numpy_helper.to_array(constant)
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def _gemm(given: list[Any], attributes: dict[str, Any]) -> Any:
    from keras import ops

    first, second = (ops.transpose(each) if attributes.get(key) else each for each, key in zip(given[:2], ("transA", "transB"), strict=True))
    product = attributes.get("alpha", 1.0) * ops.matmul(first, second)
    return product + attributes.get("beta", 1.0) * given[2] if len(given) > 2 else product


def _activation(name: str, **defaults: float) -> Callable[[list[Any], dict[str, Any]], Any]:
    """Return a row for an activation of ``keras.ops``; of ONNX's attributes alone alpha matters."""

    def run(given: list[Any], attributes: dict[str, Any]) -> Any:
        import keras

        return getattr(keras.ops, name)(given[0], *(attributes.get(key, value) for key, value in defaults.items()))

    return run


def _concatenate(given: list[Any], attributes: dict[str, Any]) -> Any:
    from keras import ops

    return ops.concatenate(given, axis=attributes["axis"])


OPERATORS: dict[str, Callable[[list[Any], dict[str, Any]], Any]] = {
    "Identity": lambda given, attributes: given[0],
    "Cast": lambda given, attributes: given[0],  # all is float32 here
    "Concat": _concatenate,
    "Gemm": _gemm,
    "Relu": _activation("relu"),
    "LeakyRelu": _activation("leaky_relu", alpha=0.01),
    "Sigmoid": _activation("sigmoid"),
    "Tanh": _activation("tanh"),
    "Softplus": _activation("softplus"),
    "Elu": _activation("elu", alpha=1.0),
}
"""What each operator is computed by. A new operator is one row."""
