"""A small encoder for tests, built by hand: what it makes of a sound is known."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from oscsynth.metadata import ENCODER_SUFFIX, N_CLASSES, PROPERTY, parse_metadata

from .decoders import IR_VERSION, OPSET


def tiny_encoder(decoder: Path, *, latents: Sequence[float] = (), slope: float = 0.0, registers: Sequence[int] = ()) -> Path:
    """Write an encoder beside a decoder, and its name into the decoder.

    Each latent is the one given, 0.5 if left out, and ``slope`` times the mean of the upper half of the spectrum more. With ``registers`` it asks
    for note and octave, and makes nothing of them.
    """
    model = onnx.load(decoder)
    metadata = parse_metadata(next(each.value for each in model.metadata_props if each.key == PROPERTY))
    n_bins, n_latents = metadata.window_samples // 2 + 1, len(metadata.latents)
    weights = np.zeros((n_bins, n_latents), np.float32)
    weights[n_bins // 2 :] = slope / (n_bins // 2)
    constants = {"weights": weights, "base": np.resize(np.asarray(latents or (0.5,), np.float32), n_latents)}
    value, node = helper.make_tensor_value_info, helper.make_node
    inputs = [value("magnitude", TensorProto.FLOAT, ["voices", n_bins])]
    nodes = [node("Gemm", ["magnitude", "weights", "base"], ["latent"])]
    if registers:
        inputs += [value("chroma", TensorProto.FLOAT, ["voices", N_CLASSES]), value("register", TensorProto.FLOAT, ["voices", len(registers)])]
    output = [value("latent", TensorProto.FLOAT, ["voices", n_latents])]
    graph = helper.make_graph(nodes, "encoder", inputs, output, [numpy_helper.from_array(array, name) for name, array in constants.items()])
    encoder = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    helper.set_model_props(encoder, {"registers": json.dumps(list(registers))})
    path = decoder.with_name(decoder.stem + ENCODER_SUFFIX)
    onnx.save(encoder, path)
    del model.metadata_props[:]
    helper.set_model_props(model, {PROPERTY: dataclasses.replace(metadata, encoder=path.name).to_json()})
    onnx.save(model, decoder)
    return path
