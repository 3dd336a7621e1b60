"""Every variant of the paper's network, as small ones: the graph computes what the network does."""

import os
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import onnx
import pytest
from onnx import helper

from oscsynth.errors import DecoderError
from training import export, graphs

N_BINS, N_LATENTS = 65, 3
RNG = np.random.default_rng(440)

Network = tuple[keras.Model, keras.KerasTensor]


def halves(network: keras.Model) -> keras.Model:
    """Give a network weights that float16 can hold, biases too."""
    network.set_weights([RNG.normal(0, 0.2, weights.shape).astype(np.float16).astype(np.float32) for weights in network.get_weights()])
    return network


def encoder(bottleneck: str = "sigmoid", augmentation: str = "chroma", n_octaves: int = 0, variational: bool = False) -> Network:
    magnitude, condition = keras.Input((N_BINS,), name="magnitude"), keras.Input((12 + n_octaves,), name="condition")
    beside = {"none": [], "difference": [magnitude[:, 1:] - magnitude[:, :-1]], "chroma": [condition]}[augmentation]
    hidden = keras.layers.Concatenate()([magnitude, *beside]) if beside else magnitude
    for width in (32, 16):
        hidden = keras.layers.LeakyReLU(0.1)(keras.layers.Dense(width)(hidden))
    latent = keras.layers.Dense(N_LATENTS)(hidden)
    latent = keras.layers.Activation("sigmoid")(latent) if bottleneck == "sigmoid" else keras.layers.LeakyReLU(0.1)(latent)
    if variational:
        latent = keras.layers.Dense(N_LATENTS)(latent)
    network = halves(keras.Model([magnitude, condition], latent))
    return network, network.outputs[0]


def decoder(skip: bool = True, n_octaves: int = 0, revive: bool = False) -> Network:
    latent, condition = keras.Input((N_LATENTS,), name="latent"), keras.Input((12 + n_octaves,), name="condition")
    hidden = keras.layers.Concatenate()([latent, condition]) if skip else latent
    for width in (16, 32):
        hidden = keras.layers.LeakyReLU(0.1)(keras.layers.Dense(width)(hidden))
    before = keras.layers.Dense(N_BINS)(hidden)
    output = keras.layers.ReLU(name="magnitude")(before)
    if revive:
        below = 0.1 * keras.ops.minimum(before, 0.0)
        output = output + (below - keras.ops.stop_gradient(below))
    network = halves(keras.Model([latent, condition], output))
    return network, network.get_layer("magnitude").output


VARIANTS: dict[str, tuple[Callable[[], Network], list[str]]] = {
    "sigmoid": (encoder, ["magnitude", "chroma"]),
    "leaky": (lambda: encoder("leaky_relu"), ["magnitude", "chroma"]),
    "none": (lambda: encoder(augmentation="none"), ["magnitude"]),
    "difference": (lambda: encoder(augmentation="difference"), ["magnitude"]),
    "register": (lambda: encoder(n_octaves=5), ["magnitude", "chroma", "register"]),
    "mean of a beta-VAE": (lambda: encoder(variational=True), ["magnitude", "chroma"]),
    "decoder": (decoder, ["latent", "chroma"]),
    "decoder without skip": (lambda: decoder(skip=False), ["latent"]),
    "decoder with register": (lambda: decoder(n_octaves=5), ["latent", "chroma", "register"]),
    "decoder whose bins come back": (lambda: decoder(revive=True), ["latent", "chroma"]),
}


def content(graph: onnx.GraphProto) -> bytes:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", export.OPSET)], ir_version=export.IR_VERSION)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


@pytest.mark.parametrize("name", VARIANTS)
def test_a_graph_computes_what_the_network_does(name: str) -> None:
    build, inputs = VARIANTS[name]
    network, output = build()
    graph = graphs.graph(network, output, "result")
    assert [each.name for each in graph.input] == inputs
    assert [each.name for each in graph.output] == ["result"]
    first = RNG.random((7, network.inputs[0].shape[1]), np.float32)
    condition = RNG.random((7, network.inputs[1].shape[1]), np.float32)
    expected = np.asarray(network([first, condition], training=False))
    assert np.ptp(expected) > 0.01
    np.testing.assert_allclose(export.run(content(graph), first, condition), expected, atol=1e-5)


def test_what_there_is_no_counterpart_for_is_named() -> None:
    latent = keras.Input((N_LATENTS,), name="latent")
    network = keras.Model(latent, keras.layers.LayerNormalization(name="odd")(latent))
    with pytest.raises(DecoderError, match=r"no ONNX counterpart here of its layer 'odd' \(LayerNormalization\)"):
        graphs.graph(network, network.outputs[0], "result")


def test_whether_a_decoder_takes_a_note() -> None:
    assert export.takes_note(decoder()[0])
    assert not export.takes_note(decoder(skip=False)[0])


def test_weights_are_half_as_large(tmp_path: Path) -> None:
    network, output = encoder()
    n_weights = sum(weights.size for weights in network.get_weights())
    assert len(content(graphs.graph(network, output, "latent"))) < 2 * n_weights + 3000
