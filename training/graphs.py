"""A Keras network as an ONNX graph of standard operators: layer by layer, back from what is asked for.

Weights are kept as float16, which halves the file, and become float32 when it is loaded. What the network takes as ``condition`` the
graph takes as ``chroma`` and ``register``, and only what it uses: a decoder without a skip connection takes ``latent`` alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from oscsynth.errors import DecoderError

if TYPE_CHECKING:
    import keras

N_CLASSES = 12
ROWS = "voices"  # the name of the first axis, of any length


@dataclass(slots=True)
class Builder:
    """A graph on its way; tensors of the network have the names of the graph's values by their `id`."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)
    inputs: list[onnx.ValueInfoProto] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)

    def node(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Add a node and return the name of its output."""
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def half(self, array: np.ndarray, name: str) -> str:
        """Add weights as float16 and return the name of their float32."""
        self.constants.append(numpy_helper.from_array(np.asarray(array, np.float16), f"{name}_half"))
        return self.node("Cast", [f"{name}_half"], name, to=TensorProto.FLOAT)

    def integers(self, values: list[int], name: str) -> str:
        """Add whole numbers and return their name."""
        self.constants.append(numpy_helper.from_array(np.asarray(values, np.int64), name))
        return name

    def input(self, name: str, width: int) -> str:
        """Add an input of the graph."""
        self.inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [ROWS, width]))
        return name


def graph(network: keras.Model, output: keras.KerasTensor, name: str) -> onnx.GraphProto:
    """Return the graph that computes one tensor of a functional network; the output is called `name`.

    Raises
    ------
    DecoderError
        When there is a layer in it that has no counterpart here.
    """
    builder = Builder()
    producers = {id(operation.output): operation for operation in network.operations}
    last = _value(builder, output, producers)
    builder.node("Identity", [last], name)
    result = helper.make_tensor_value_info(name, TensorProto.FLOAT, [ROWS, int(output.shape[-1])])
    return helper.make_graph(_joined(builder.nodes), network.name, builder.inputs, [result], builder.constants)


def _joined(nodes: list[onnx.NodeProto]) -> list[onnx.NodeProto]:
    """Let the last node that computes write the output itself."""
    *others, identity = nodes
    if not others or others[-1].output[0] != identity.input[0]:
        return nodes
    others[-1].output[0] = identity.output[0]
    return others


def _value(builder: Builder, tensor: keras.KerasTensor, producers: dict[int, Any]) -> str:
    """Return the name of a tensor's value, with all that it needs before it in the graph."""
    if id(tensor) not in builder.names:
        operation = producers[id(tensor)]
        kind = type(operation).__name__
        if kind not in CONVERSIONS:
            raise DecoderError(f"the network cannot be exported: there is no ONNX counterpart here of its layer {operation.name!r} ({kind})")
        inputs = operation.input if isinstance(operation.input, list | tuple) else [operation.input]
        before = [] if kind == "InputLayer" else [_value(builder, each, producers) for each in inputs]
        builder.names[id(tensor)] = CONVERSIONS[kind](builder, operation, before)
    return builder.names[id(tensor)]


def _name(operation: Any) -> str:
    """Name what a layer gives: never as the graph's output, whatever the layer is called."""
    return f"{operation.name}_value"


def _input(builder: Builder, layer: Any, before: list[str]) -> str:
    width = int(layer.output.shape[-1])
    if layer.name != "condition":
        return builder.input(layer.name, width)
    chroma = builder.input("chroma", N_CLASSES)
    if width == N_CLASSES:
        return chroma
    return builder.node("Concat", [chroma, builder.input("register", width - N_CLASSES)], "condition", axis=1)


def _dense(builder: Builder, layer: Any, before: list[str]) -> str:
    weights = [builder.half(weights, f"{layer.name}_{kind}") for kind, weights in zip(("kernel", "bias"), layer.get_weights(), strict=True)]
    return builder.node("Gemm", [*before, *weights], _name(layer))


def _activation(builder: Builder, layer: Any, before: list[str]) -> str:
    operators = {"sigmoid": "Sigmoid", "relu": "Relu", "tanh": "Tanh", "linear": "Identity"}
    if layer.activation.__name__ not in operators:
        raise DecoderError(f"the network cannot be exported: there is no ONNX counterpart here of the activation {layer.activation.__name__!r}")
    return builder.node(operators[layer.activation.__name__], before, _name(layer))


def _slice(builder: Builder, operation: Any, before: list[str]) -> str:
    """Convert ``tensor[:, first:last]``."""
    bins, width = operation._inbound_nodes[0].arguments.args[1][1], int(operation.input.shape[-1])
    first, last, _ = bins.indices(width)
    ends = [builder.integers([value], f"{operation.name}_{what}") for what, value in (("first", first), ("last", last), ("axis", 1))]
    return builder.node("Slice", [*before, *ends], _name(operation))


CONVERSIONS: dict[str, Callable[[Builder, Any, list[str]], str]] = {
    "InputLayer": _input,
    "Concatenate": lambda builder, layer, before: builder.node("Concat", before, _name(layer), axis=1),
    "Dense": _dense,
    "LeakyReLU": lambda builder, layer, before: builder.node("LeakyRelu", before, _name(layer), alpha=float(layer.negative_slope)),
    "ReLU": lambda builder, layer, before: builder.node("Relu", before, _name(layer)),
    "Activation": _activation,
    "Identity": lambda builder, layer, before: before[0],
    "GetItem": _slice,
    "Subtract": lambda builder, layer, before: builder.node("Sub", before, _name(layer)),
}
"""What each kind of layer becomes. A new kind is one row."""
