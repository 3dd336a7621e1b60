"""Last step: weights to ONNX files, with standard operators alone and everything that there is to know about them inside.

A decoder is one file. Its encoder, where it is wanted (to play sounds through it, and to judge it), is a second one beside it.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import helper

from oscsynth.errors import DecoderError
from oscsynth.metadata import ENCODER_SUFFIX, PROPERTY, Latent, Metadata

from . import batches, graphs
from .decoder_file import REGISTERS
from .evaluate import Evaluation, points_in
from .train import Trained, decoded

if TYPE_CHECKING:
    import keras

OPSET, IR_VERSION = 17, 8  # old enough for every ONNX Runtime that the project allows
PARITY = 1e-5


def latents_of(evaluation: Evaluation, names: tuple[str, ...] = ()) -> tuple[Latent, ...]:
    """Return the metadata of the bottleneck."""
    low, median, high = evaluation.percentiles
    return tuple(Latent(float(low[k]), float(median[k]), float(high[k]), names[k] if k < len(names) else "") for k in range(len(low)))


def round_weights(trained: Trained) -> None:
    """Round all weights to float16, in place: what is measured after this is what the files will do."""
    for network in (trained.autoencoder.decoder, trained.autoencoder.encoder):
        network.set_weights([np.asarray(weights).astype(np.float16).astype(np.float32) for weights in network.get_weights()])


def export(trained: Trained, metadata: Metadata, path: Path) -> Path:
    """Write a decoder whose weights were rounded, with its encoder beside it (NAME.encoder.onnx), and check both against the network.

    Raises
    ------
    DecoderError
        When ONNX Runtime's output differs from the network's by more than 1e-5, or is silent in the middle of the latent box.
    """
    metadata = replace(metadata, encoder=path.stem + ENCODER_SUFFIX)
    decoder = _content(decoder_graph(trained), {PROPERTY: metadata.to_json()})
    # The encoder may be given the octave where the decoder is not: it says itself which octaves it knows.
    encoder = _content(encoder_graph(trained), {REGISTERS: json.dumps(trained.registers)})
    _check_decoder(trained, metadata, decoder)
    _check_encoder(trained, encoder)
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path.with_name(metadata.encoder), encoder)  # first: a decoder never names a file that is not there yet
    _write(path, decoder)
    return path


def decoder_graph(trained: Trained) -> onnx.GraphProto:
    """Build the graph of the contract: ``latent``, ``chroma`` and ``register`` to ``magnitude``; what the network does not use is not asked for."""
    decoder = trained.autoencoder.decoder
    # The layer of this name, and not the last: after it stands what gives silent bins a gradient, and adds nothing.
    return graphs.graph(decoder, decoder.get_layer("magnitude").output, "magnitude")


def encoder_graph(trained: Trained) -> onnx.GraphProto:
    """Build ``magnitude``, ``chroma`` and ``register`` to ``latent``; of a beta-VAE the mean."""
    return graphs.graph(trained.autoencoder.encoder, trained.autoencoder.encoder.outputs[0], "latent")


def takes_note(decoder: keras.Model) -> bool:
    """Say whether a decoder uses the note at all: without a skip connection it does not."""
    return "chroma" in {each.name for each in graphs.graph(decoder, decoder.get_layer("magnitude").output, "magnitude").input}


def _content(graph: onnx.GraphProto, properties: dict[str, str]) -> bytes:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="oscsynth")
    helper.set_model_props(model, properties)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def _write(path: Path, content: bytes) -> None:
    partial = path.with_suffix(".partial")
    partial.write_bytes(content)
    os.replace(partial, path)  # a running daemon watches this folder: never half a file


def run(content: bytes | Path, first: np.ndarray, condition: np.ndarray) -> np.ndarray:
    """Run a decoder or an encoder with ONNX Runtime, on one thread: (hops, ...) float32 of latents or magnitudes, and notes."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(content if isinstance(content, bytes) else str(content), options, providers=["CPUExecutionProvider"])
    inputs = {"latent": first, "magnitude": first, "chroma": condition[:, :12], "register": condition[:, 12:]}
    wanted = [each.name for each in session.get_inputs()]
    return np.asarray(session.run(None, {name: np.ascontiguousarray(inputs[name], np.float32) for name in wanted})[0])


def _notes(trained: Trained, samples: int, rng: np.random.Generator) -> np.ndarray:
    pitch_midi = 12 * (rng.choice(np.asarray(trained.registers or (4,)), samples) + 1) + rng.integers(0, 12, samples)
    return batches.condition(pitch_midi, trained.registers)


def _check_decoder(trained: Trained, metadata: Metadata, content: bytes, samples: int = 256) -> None:
    rng = np.random.default_rng(samples)
    box = np.array([[each.low for each in metadata.latents], [each.high for each in metadata.latents]], np.float32)
    latent, condition = points_in(box, samples, rng), _notes(trained, samples, rng)
    output = run(content, latent, condition)
    _compare("decoder", output, decoded(trained, latent, condition))
    if not (output.max(axis=1) > 0).all():
        raise DecoderError("the trained decoder is silent in parts of its latent space; train it longer, or on more sounds")


def _check_encoder(trained: Trained, content: bytes, samples: int = 64) -> None:
    rng = np.random.default_rng(samples)
    magnitude = rng.random((samples, trained.autoencoder.config.n_bins), np.float32) ** 8  # a few strong bins, as in sounds
    condition = _notes(trained, samples, rng)
    _compare("encoder", run(content, magnitude, condition), np.asarray(trained.autoencoder.encoder([magnitude, condition], training=False)))


def _compare(what: str, output: np.ndarray, expected: np.ndarray) -> None:
    difference = float(np.abs(output - expected).max())
    if not difference <= PARITY:
        raise DecoderError(f"the exported {what} differs from the trained one by {difference:.1e}; at most {PARITY:g} is allowed")
