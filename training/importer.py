"""From a Keras decoder of the ancestor program to a decoder file: `oscsynth import MODEL`.

The ancestor's decoders take latents, or latents and after them twelve chroma values, and give 2049 magnitudes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from oscsynth.errors import DecoderError
from oscsynth.metadata import MAX_LATENTS, PROPERTY, Latent, Metadata

from . import chroma, evaluate, export, prepare
from .keras_file import Layer, read_layers
from .spectra import Stft

N_CLASSES = 12
PROBED = 200  # random points for each note class
ACTIVATIONS: dict[str, tuple[str, dict[str, float]]] = {
    "linear": ("Identity", {}),
    "relu": ("Relu", {}),
    "leaky_relu": ("LeakyRelu", {"alpha": 0.2}),
    "sigmoid": ("Sigmoid", {}),
    "tanh": ("Tanh", {}),
    "softplus": ("Softplus", {}),
    "elu": ("Elu", {"alpha": 1.0}),
}
"""What an activation of Keras is called in ONNX, with its attributes."""


def import_decoder(path: Path, title: str, output: Path, *, low: float = 0.0, high: float = 1.0, takes_chroma: bool | None = None) -> Metadata:
    """Write a decoder file from a Keras decoder; return what is known of it.

    Parameters
    ----------
    path : Path
        The model, .h5 or .keras.
    output : Path
        The decoder to write, .onnx.
    low, high : float
        The range that the latents have: 0 and 1 after a sigmoid.
    takes_chroma : bool, optional
        Whether the last twelve inputs are the note; if left out, whether there are more than twelve.

    Raises
    ------
    DecoderError
        When the file is no decoder.
    """
    layers = read_layers(path)
    width, bins = _widths(layers, path)
    takes_chroma = width > N_CLASSES if takes_chroma is None else takes_chroma
    n_latents, stft = width - N_CLASSES * takes_chroma, Stft()
    if bins != stft.n_bins or not 1 <= n_latents <= MAX_LATENTS:
        raise DecoderError(
            f"{path}: this is no decoder: it takes {width} values and gives {bins}; "
            f"a decoder takes 1 to {MAX_LATENTS} latents, or those and 12 chroma values, and gives {stft.n_bins}"
        )
    if not low < high:
        raise DecoderError(f"the latents' range is from a lower to a higher value, not from {low:g} to {high:g}")
    graph = _graph(layers, n_latents, takes_chroma, path)
    metadata = _measured(_content(graph, {}), title, n_latents, takes_chroma, low, high, path)
    output.parent.mkdir(parents=True, exist_ok=True)
    export._write(output, _content(graph, {PROPERTY: metadata.to_json()}))
    return metadata


def _widths(layers: list[Layer], path: Path) -> tuple[int, int]:
    """Return how many values go in and come out."""
    inputs = [layer for layer in layers if layer.kind == "InputLayer"]
    shapes = [layer.config.get("batch_shape") or layer.config.get("batch_input_shape") or [None] for layer in inputs]
    dense = [layer for layer in layers if layer.kind == "Dense"]
    if not dense or not inputs or not all(isinstance(shape[-1], int) and len(shape) == 2 for shape in shapes):
        raise DecoderError(f"{path}: this is no decoder: it needs an input of latents and dense layers")
    return sum(shape[-1] for shape in shapes), int(dense[-1].weights[0].shape[-1])


def _graph(layers: list[Layer], n_latents: int, takes_chroma: bool, path: Path) -> onnx.GraphProto:
    nodes, constants, names = list[onnx.NodeProto](), list[onnx.TensorProto](), dict[str, str]()
    inputs = {"latent": n_latents, **({"chroma": N_CLASSES} if takes_chroma else {})}
    whole = "latent"
    if takes_chroma:
        nodes.append(helper.make_node("Concat", ["latent", "chroma"], ["input"], axis=1))
        whole = "input"
    feeds = [layer for layer in layers if layer.kind == "InputLayer"]
    if (len(feeds) == 2 and [_width(each) for each in feeds] != [n_latents, N_CLASSES]) or len(feeds) > 2:
        raise DecoderError(f"{path}: this is no decoder: of its {len(feeds)} inputs the first must be latents and the second 12 chroma values")
    for feed, name in zip(feeds, ["latent", "chroma"] if len(feeds) == 2 else [whole], strict=True):
        names[feed.name] = name
    for layer in layers:
        if layer.kind != "InputLayer":
            if not set(layer.before) <= names.keys():
                raise DecoderError(f"{path}: its layer {layer.name!r} hears what does not come before it")
            names[layer.name] = _add(layer, [names[each] for each in layer.before], nodes, constants, path)
    nodes.append(helper.make_node("Relu", [names[layers[-1].name]], ["magnitude"]))  # never below zero, whatever the last activation is
    value = helper.make_tensor_value_info
    given = [value(name, TensorProto.FLOAT, ["voices", width]) for name, width in inputs.items()]
    return helper.make_graph(nodes, "decoder", given, [value("magnitude", TensorProto.FLOAT, ["voices", Stft().n_bins])], constants)


def _width(layer: Layer) -> int:
    return int((layer.config.get("batch_shape") or layer.config["batch_input_shape"])[-1])


def _add(layer: Layer, before: list[str], nodes: list[onnx.NodeProto], constants: list[onnx.TensorProto], path: Path) -> str:
    """Add a layer to the graph and return the name of what it gives."""
    output, last = f"{layer.name}_value", before[-1]
    if layer.kind == "Concatenate":
        nodes.append(helper.make_node("Concat", before, [output], axis=1))
        return output
    if layer.kind == "Dense":
        weights = [*layer.weights, np.zeros(layer.weights[0].shape[1], np.float32)][:2]
        kernel = [numpy_helper.from_array(array, f"{layer.name}_{number}") for number, array in enumerate(weights)]
        constants.extend(kernel)
        nodes.append(helper.make_node("Gemm", [last, *(each.name for each in kernel)], [f"{layer.name}_sum"]))
        last = f"{layer.name}_sum"
    operator, attributes = _activation(layer, path)
    nodes.append(helper.make_node(operator, [last], [output], **attributes))
    return output


def _activation(layer: Layer, path: Path) -> tuple[str, dict[str, float]]:
    if layer.kind == "LeakyReLU":
        return "LeakyRelu", {"alpha": float(layer.config.get("negative_slope", layer.config.get("alpha", 0.3)))}
    bent = [key for key in ("max_value", "negative_slope", "threshold") if layer.kind == "ReLU" and layer.config.get(key)]
    name: Any = (f"relu with {bent[0]}" if bent else "relu") if layer.kind == "ReLU" else layer.config.get("activation", "linear")
    if not isinstance(name, str) or name not in ACTIVATIONS:
        raise DecoderError(f"{path}: its layer {layer.name!r} has the activation {str(name)[:40]!r}; known are {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name]


def _content(graph: onnx.GraphProto, properties: dict[str, str]) -> bytes:
    return export._content(graph, properties)


def _measured(content: bytes, title: str, n_latents: int, takes_chroma: bool, low: float, high: float, path: Path) -> Metadata:
    """Find out by listening what the file does not say: in which octave it plays, and whether the note that is asked for."""
    stft, rng, box = Stft(), np.random.default_rng(440), np.array([[low], [high]], np.float32).repeat(n_latents, axis=1)

    def decode(latent: np.ndarray, condition: np.ndarray) -> np.ndarray:
        return export.run(content, latent, condition)

    sound = decode(evaluate.points_in(box, PROBED, rng), chroma.one_hot(np.arange(PROBED) % N_CLASSES))
    if not np.isfinite(sound).all() or not (sound.max(axis=1) > 0).all():
        raise DecoderError(f"{path}: it is silent, or gives no numbers, for latents between {low:g} and {high:g}: try another --low and --high")
    pitch = prepare.measured_pitch(sound, stft)
    homes = (int(np.median(pitch)) // 12 - 1,) * N_CLASSES
    facts: dict[str, object] = {"imported": path.name}
    if takes_chroma:
        homes = evaluate.home_octaves(decode, box, (), stft, rng)
        facts["mesh_accuracy"] = round(float(evaluate.mesh(decode, box, (), stft, rng, PROBED).mean()), 4)
    notes = [12 * (octave + 1) + note_class for note_class, octave in enumerate(homes)] if takes_chroma else pitch.tolist()
    latent = Latent(low, (low + high) / 2, high)
    return Metadata(
        title=title,
        kind="frame",
        sample_rate_hz=stft.sample_rate_hz,
        window_samples=stft.window_samples,
        hop_samples=stft.hop_samples,
        latents=(latent,) * n_latents,
        midi_low=min(notes),
        midi_high=max(notes),
        home_octaves=homes,
        chroma=takes_chroma,
        corpus="as the model file's own",
        training=facts,
    )
