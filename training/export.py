"""Last step: weights to one ONNX file, with standard operators alone and everything that there is to know about it inside.

The graph is written from the weights directly: dense layers, LeakyReLU, ReLU. Weights are kept as float16, which halves the file,
and become float32 when it is loaded.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from oscsynth.errors import DecoderError
from oscsynth.metadata import PROPERTY, Latent, Metadata

from . import batches
from .evaluate import Evaluation, points_in
from .train import Trained, decoded

OPSET, IR_VERSION = 17, 8  # old enough for every ONNX Runtime that the project allows
PARITY = 1e-5


def latents_of(evaluation: Evaluation, names: tuple[str, ...] = ()) -> tuple[Latent, ...]:
    """Return the metadata of the bottleneck."""
    low, median, high = evaluation.percentiles
    return tuple(Latent(float(low[k]), float(median[k]), float(high[k]), names[k] if k < len(names) else "") for k in range(len(low)))


def round_weights(trained: Trained) -> None:
    """Round the decoder's weights to float16, in place: what is measured after this is what the file will do."""
    decoder = trained.autoencoder.decoder
    decoder.set_weights([np.asarray(weights).astype(np.float16).astype(np.float32) for weights in decoder.get_weights()])


def export(trained: Trained, metadata: Metadata, path: Path) -> Path:
    """Write a decoder file whose weights were rounded, and check it against the network.

    Raises
    ------
    DecoderError
        When ONNX Runtime's output differs from the network's by more than 1e-5, or is silent in the middle of the latent box.
    """
    model = helper.make_model(graph(trained), opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="oscsynth")
    helper.set_model_props(model, {PROPERTY: metadata.to_json()})
    onnx.checker.check_model(model)
    content = model.SerializeToString(deterministic=True)
    _check_parity(trained, metadata, content)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_bytes(content)
    os.replace(partial, path)  # a running daemon watches this folder: never half a file
    return path


def graph(trained: Trained) -> onnx.GraphProto:
    """Build the graph of the contract: ``latent``, ``chroma`` and ``register`` to ``magnitude``."""
    config, registers = trained.autoencoder.config, trained.registers
    weights = [np.asarray(array) for array in trained.autoencoder.decoder.get_weights()]  # kernel, bias, kernel, bias...
    names = ["latent", "chroma", *(["register"] if registers else [])]
    widths = [config.n_latents, 12, *([len(registers)] if registers else [])]
    nodes = [helper.make_node("Concat", names, ["hidden_0"], axis=1)]
    constants = []
    n_layers = len(weights) // 2
    for layer in range(n_layers):
        for kind, array in (("kernel", weights[2 * layer]), ("bias", weights[2 * layer + 1])):
            constants.append(numpy_helper.from_array(array.astype(np.float16), f"{kind}_{layer}_half"))
            nodes.append(helper.make_node("Cast", [f"{kind}_{layer}_half"], [f"{kind}_{layer}"], to=TensorProto.FLOAT))
        dense = f"dense_{layer}"
        nodes.append(helper.make_node("Gemm", [f"hidden_{layer}", f"kernel_{layer}", f"bias_{layer}"], [dense]))
        if layer < n_layers - 1:
            nodes.append(helper.make_node("LeakyRelu", [dense], [f"hidden_{layer + 1}"], alpha=config.negative_slope))
        else:
            nodes.append(helper.make_node("Relu", [dense], ["magnitude"]))
    value = helper.make_tensor_value_info
    inputs = [value(name, TensorProto.FLOAT, ["voices", width]) for name, width in zip(names, widths, strict=True)]
    outputs = [value("magnitude", TensorProto.FLOAT, ["voices", config.n_bins])]
    return helper.make_graph(nodes, "decoder", inputs, outputs, constants)


def run(content: bytes | Path, latent: np.ndarray, condition: np.ndarray) -> np.ndarray:
    """Decode with ONNX Runtime, on one thread: (hops, n_bins) float32."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(content if isinstance(content, bytes) else str(content), options, providers=["CPUExecutionProvider"])
    inputs = {"latent": latent, "chroma": condition[:, :12], "register": condition[:, 12:]}
    wanted = [each.name for each in session.get_inputs()]
    return np.asarray(session.run(None, {name: np.ascontiguousarray(inputs[name], np.float32) for name in wanted})[0])


def _check_parity(trained: Trained, metadata: Metadata, content: bytes, samples: int = 256) -> None:
    rng = np.random.default_rng(samples)
    box = np.array([[each.low for each in metadata.latents], [each.high for each in metadata.latents]], np.float32)
    latent = points_in(box, samples, rng)
    octaves = trained.registers or (4,)
    notes = 12 * (rng.choice(np.asarray(octaves), samples) + 1) + rng.integers(0, 12, samples)
    condition = batches.condition(notes, trained.registers)
    expected, output = decoded(trained, latent, condition), run(content, latent, condition)
    difference = float(np.abs(output - expected).max())
    if not difference <= PARITY:
        raise DecoderError(f"the exported decoder differs from the trained one by {difference:.1e}; at most {PARITY:g} is allowed")
    if not (output.max(axis=1) > 0).all():
        raise DecoderError("the trained decoder is silent in parts of its latent space; train it longer, or on more sounds")
