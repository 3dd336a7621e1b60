"""A trained network of notes to a decoder file of kind `note`: one ONNX graph with two stages.

``note`` gives the power of each band in each hop, from the codes of timbre and pitch; ``magnitude`` gives the engine's bins of some
moments, from bands. The instrument decodes a note once and inverts only what is heard. Batch normalisation is folded into the
weights; weights are kept as float16.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from oscsynth.errors import DecoderError
from oscsynth.metadata import PROPERTY, Metadata

from . import mel
from .export import IR_VERSION, OPSET, _write
from .graphs import Builder
from .note_corpus import NoteCorpus

if TYPE_CHECKING:
    import keras

PARITY_DB = 0.05  # of the bands' levels, between the graph and the network in float32 with the same rounded weights
CODES, SAMPLES = ("timbre", "pitch"), 64


def export(decoder: keras.Model, corpus: NoteCorpus, metadata: Metadata, path: Path) -> Path:
    """Write the decoder of a corpus and check it against the network.

    Raises
    ------
    DecoderError
        When ONNX Runtime's output differs from the network's, or a stage does not run without rows of the other.
    """
    assert metadata.note is not None
    model = helper.make_model(graph(decoder, corpus, len(metadata.latents)), opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    model.producer_name = "oscsynth"
    helper.set_model_props(model, {PROPERTY: metadata.to_json()})
    onnx.checker.check_model(model)
    content = bytes(model.SerializeToString(deterministic=True))
    check(content, decoder, corpus, metadata)
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, content)
    return path


def rounded(weights: np.ndarray) -> np.ndarray:
    """Return weights as they will be in the file."""
    return np.asarray(weights, np.float16).astype(np.float32)


def folded(decoder: keras.Model) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return kernel and bias of each layer with the normalisation after it folded in, rounded: by the layer's name."""
    found = {}
    for name in ("decoder_dense_1", "decoder_dense_2", "decoder_conv_1", "decoder_conv_2"):
        kernel, *bias = (np.asarray(each, np.float64) for each in decoder.get_layer(name).get_weights())
        offset = bias[0] if bias else np.zeros(kernel.shape[-1])
        if any(layer.name == f"{name}_norm" for layer in decoder.layers):
            norm = decoder.get_layer(f"{name}_norm")
            gamma, beta, mean, variance = (np.asarray(each, np.float64) for each in norm.get_weights())
            factor = gamma / np.sqrt(variance + norm.epsilon)
            kernel, offset = kernel * factor, beta + (offset - mean) * factor
        found[name] = rounded(kernel), rounded(offset)
    return found


def graph(decoder: keras.Model, corpus: NoteCorpus, n_timbre: int) -> onnx.GraphProto:
    """Build both stages."""
    weights, builder, analysis = folded(decoder), Builder(), corpus.mel
    n_codes = weights["decoder_dense_1"][0].shape[0]
    builder.input("timbre", n_timbre)
    builder.input("pitch", n_codes - n_timbre)
    last = builder.node("Concat", ["timbre", "pitch"], "codes", axis=1)
    for name in ("decoder_dense_1", "decoder_dense_2"):
        kernel, offset = (builder.half(each, f"{name}_{what}") for each, what in zip(weights[name], ("kernel", "bias"), strict=True))
        last = builder.node("Relu", [builder.node("Gemm", [last, kernel, offset], f"{name}_sum")], f"{name}_value")
    channels = weights["decoder_conv_1"][0].shape[1]
    shape = builder.integers([0, analysis.n_hops, channels], "shape")  # 0: as many notes as there are
    last = builder.node("Transpose", [builder.node("Reshape", [last, shape], "hops")], "channels", perm=[0, 2, 1])  # (voices, channels, n_hops)
    for name, after in (("decoder_conv_1", "Relu"), ("decoder_conv_2", "Tanh")):
        kernel, offset = weights[name]
        names = [builder.half(kernel.transpose(2, 1, 0), f"{name}_kernel"), builder.half(offset, f"{name}_bias")]
        last = builder.node(after, [builder.node("Conv", [last, *names], f"{name}_sum", pads=[1, 1], kernel_shape=[3])], f"{name}_value")
    _power(builder, builder.node("Transpose", [last], "scaled", perm=[0, 2, 1]), corpus)
    builder.inputs.append(helper.make_tensor_value_info("bands", TensorProto.FLOAT, ["moments", analysis.n_bands]))
    builder.node("Sqrt", [builder.node("MatMul", ["bands", builder.half(mel.inverse(analysis), "inverse")], "bin_power")], "magnitude")
    outputs = [
        helper.make_tensor_value_info("note", TensorProto.FLOAT, ["voices", analysis.n_hops, analysis.n_bands]),
        helper.make_tensor_value_info("magnitude", TensorProto.FLOAT, ["moments", analysis.stft.n_bins]),
    ]
    return helper.make_graph(builder.nodes, "notes", builder.inputs, outputs, builder.constants)


def _power(builder: Builder, scaled: str, corpus: NoteCorpus) -> None:
    """Turn -1..1 into powers: a straight line in decibels, and its exponential."""
    slope = (corpus.scale.high_db - corpus.scale.low_db) / 20 * np.log(10)  # -1..1 spans twice `slope` nepers of amplitude, as power
    centre = (corpus.scale.high_db + corpus.scale.low_db) / 20 * np.log(10)
    for name, value in (("slope", slope), ("centre", centre)):
        builder.constants.append(numpy_helper.from_array(np.float32(value), name))
    line = builder.node("Add", [builder.node("Mul", [scaled, "slope"], "sloped"), "centre"], "log_power")
    builder.node("Exp", [line], "note")


def open_session(content: bytes) -> Any:
    """Open a graph on one thread, so that a stage alone can be asked for."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def run_note(session: Any, timbre: np.ndarray, pitch: np.ndarray) -> np.ndarray:
    """Return band powers: (notes, n_hops, n_bands) float32 of codes."""
    bands = next(each for each in session.get_inputs() if each.name == "bands").shape[1]
    inputs = {"timbre": timbre, "pitch": pitch, "bands": np.zeros((0, bands))}
    return np.asarray(session.run(["note"], {name: np.ascontiguousarray(array, np.float32) for name, array in inputs.items()})[0])


def run_magnitude(session: Any, bands: np.ndarray) -> np.ndarray:
    """Return magnitudes: (moments, n_bins) float32 of (moments, n_bands) powers."""
    nothing = {each.name: np.zeros((0, each.shape[1]), np.float32) for each in session.get_inputs() if each.name in CODES}
    return np.asarray(session.run(["magnitude"], nothing | {"bands": np.ascontiguousarray(bands, np.float32)})[0])


def check(content: bytes, decoder: keras.Model, corpus: NoteCorpus, metadata: Metadata) -> None:
    """Compare the graph with the network, in float32 and with weights as the file has them, around all means."""
    assert metadata.note is not None
    session, rng = open_session(content), np.random.default_rng(SAMPLES)
    timbre = rng.permutation(np.array(list(metadata.note.instruments.values())).repeat(SAMPLES, axis=0))[:SAMPLES]
    pitch = rng.permutation(np.array(metadata.note.pitch_means).repeat(SAMPLES, axis=0))[:SAMPLES]
    timbre = timbre + 0.5 * metadata.note.timbre_deviation * rng.normal(size=timbre.shape)
    note = run_note(session, timbre, pitch)
    expected = reference(decoder, np.concatenate([timbre, pitch], axis=1).astype(np.float32))
    difference = float(np.abs(10 * np.log10(note) - 10 * np.log10(corpus.scale.power(expected))).max())
    if not difference <= PARITY_DB:
        raise DecoderError(f"the exported decoder differs from the trained one by {difference:.2g} dB; at most {PARITY_DB:g} is allowed")
    magnitude = run_magnitude(session, note[:, 0])
    wanted = np.sqrt(note[:, 0].astype(np.float64) @ rounded(mel.inverse(corpus.mel)))
    if magnitude.shape != wanted.shape or not np.allclose(magnitude, wanted, rtol=1e-4, atol=1e-6):
        raise DecoderError("the exported decoder inverts its bands otherwise than the matrix that it was given")


def reference(decoder: keras.Model, codes: np.ndarray) -> np.ndarray:
    """Return what the network gives with the file's weights, computed with NumPy: (notes, n_hops, n_bands) float64, -1..1."""
    weights, value = folded(decoder), codes.astype(np.float64)
    for name in ("decoder_dense_1", "decoder_dense_2"):
        value = np.maximum(value @ weights[name][0] + weights[name][1], 0)
    value = value.reshape(len(codes), -1, weights["decoder_conv_1"][0].shape[1])
    for name, after in (("decoder_conv_1", lambda sums: np.maximum(sums, 0)), ("decoder_conv_2", np.tanh)):
        kernel, offset = weights[name]
        padded = np.pad(value, ((0, 0), (1, 1), (0, 0)))
        value = after(sum(padded[:, tap : tap + value.shape[1]] @ kernel[tap] for tap in range(3)) + offset)
    return np.asarray(value)
