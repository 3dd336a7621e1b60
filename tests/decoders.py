"""Small decoders for tests, built by hand: sound ones that are musical by construction, and one broken file of each kind.

Each function writes one ONNX file and returns its path. Nothing here is trained, random state is a seed, and no file is kept in git.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from oscsynth.metadata import MAX_DECODER_BYTES, N_CLASSES, PROPERTY, Latent, Metadata

SAMPLE_RATE_HZ = 44100
HOME_OCTAVE = 4
N_PARTIALS = 12
FLOOR = 1e-4  # -80 dB: no bin is exactly silent
OPSET, IR_VERSION = 17, 8  # old enough for every ONNX Runtime that the project allows
LATENT_NAMES = ("brightness", "even", "noise")

Change = Callable[[onnx.ModelProto], None]


def tiny_decoder(
    path: Path,
    *,
    n_latents: int = 3,
    registers: Sequence[int] = (),
    seed: int = 440,
    n_bins: int = 2049,
    chroma: bool = True,
    sample_rate_hz: int = SAMPLE_RATE_HZ,
    points: dict[str, tuple[float, ...]] | None = None,
    title: str = "Tiny",
) -> Path:
    """Write a decoder whose spectrum is the harmonic series of the class (and octave) asked for.

    The first latent brightens the sound, the second brings the even partials, the third brings noise; each further one lifts a
    band of its own. All travel from 0 to 1. Without `registers` it sounds in octave 4; without `chroma` always on A.

    Parameters
    ----------
    path : Path
        Where to write.
    n_latents : int
        One or more.
    registers : sequence of int
        Octaves of the one-hot input ``register``; none: there is no such input.
    seed : int
        Of the noise in the spectrum: another seed is another timbre.
    n_bins : int
        Half the window and one.
    """
    model = helper.make_model(
        _graph(n_latents, tuple(registers), seed, n_bins, chroma, sample_rate_hz),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    octaves = tuple(registers) or (HOME_OCTAVE,)
    names = [*LATENT_NAMES, *(f"band-{k}" for k in range(4, n_latents + 1))][:n_latents]
    metadata = Metadata(
        title=title,
        kind="frame",
        sample_rate_hz=sample_rate_hz,
        window_samples=2 * (n_bins - 1),
        hop_samples=(n_bins - 1) // 2,
        latents=tuple(Latent(0.0, 0.5, 1.0, name) for name in names),
        midi_low=12 * (min(octaves) + 1),
        midi_high=12 * (max(octaves) + 1) + 11,
        home_octaves=(min(octaves, key=lambda octave: abs(octave - HOME_OCTAVE)),) * N_CLASSES,
        chroma=chroma,
        registers=tuple(registers),
        points={"dark": (0.0,) * n_latents, "bright": (1.0,) * n_latents} if points is None else points,
        corpus="none: built by hand for tests",
        licence="CC0-1.0",
        training={"seed": seed},
        test_mse=0.0,
    )
    helper.set_model_props(model, {PROPERTY: metadata.to_json()})
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def partials(pitch_midi: float, n_bins: int = 2049, sample_rate_hz: int = SAMPLE_RATE_HZ) -> np.ndarray:
    """Return the lobes of a Hann window at each partial of a pitch: (N_PARTIALS, n_bins) float32, falling by 3 dB an octave."""
    frequency_hz = 440.0 * 2 ** ((pitch_midi - 69) / 12) * np.arange(1, N_PARTIALS + 1)
    distance = np.arange(n_bins) - frequency_hz[:, None] * 2 * (n_bins - 1) / sample_rate_hz  # bins
    with np.errstate(divide="ignore", invalid="ignore"):
        lobe = np.abs(np.sinc(distance) / (1 - distance**2))
    lobe = np.where(np.abs(np.abs(distance) - 1) < 1e-6, 0.5, lobe)
    inside = frequency_hz[:, None] < sample_rate_hz / 2
    level = inside / np.sqrt(np.arange(1, N_PARTIALS + 1))[:, None]
    return (np.where(np.abs(distance) < 2, lobe, 0.0) * level).astype(np.float32)


def _graph(n_latents: int, registers: tuple[int, ...], seed: int, n_bins: int, chroma: bool, sample_rate_hz: int) -> onnx.GraphProto:
    octaves = registers or (HOME_OCTAVE,)
    classes = range(N_CLASSES) if chroma else [9]
    rows = [partials(12 * (octave + 1) + c, n_bins, sample_rate_hz) for octave in octaves for c in classes]
    odd = np.stack([row[0::2].sum(0) for row in rows])  # (octaves * classes, bins)
    even = np.stack([row[1::2].sum(0) for row in rows])
    position = np.linspace(0, 1, n_bins, dtype=np.float32)
    noise = np.random.default_rng(seed).rayleigh(0.01, n_bins).astype(np.float32)
    bands = [0.1 * np.exp(-(((position - (k + 1) / (n_latents - 2)) / 0.05) ** 2)) for k in range(n_latents - 3)]
    mix = np.stack([noise, *bands]).astype(np.float32)  # what each latent from the third on adds
    constants: dict[str, Any] = {
        "odd": odd,
        "even": even,
        "tilt": (-30.0 * position[None]).astype(np.float32),
        "mix": mix,
        "one": np.float32(1.0),
        "floor": np.float32(FLOOR),
        "latent_0": np.array([0]),
        "latent_1": np.array([1]),
        "latent_2": np.array([2]),
        "latents": np.array([n_latents]),
        "axis": np.array([1]),
        "axis_1": np.array([1]),
        "axis_2": np.array([2]),
        "flat": np.array([-1, len(rows)]),
    }
    node = helper.make_node
    nodes = [
        node("Slice", ["latent", "latent_0", "latent_1", "axis"], ["brightness"]),
        node("Sub", ["one", "brightness"], ["darkness"]),
        node("Mul", ["darkness", "tilt"], ["slope"]),
        node("Exp", ["slope"], ["colour"]),
    ]
    if chroma and registers:
        nodes += [
            node("Unsqueeze", ["chroma", "axis_1"], ["classes"]),
            node("Unsqueeze", ["register", "axis_2"], ["octaves"]),
            node("Mul", ["classes", "octaves"], ["pitches"]),  # (voices, octaves, classes)
            node("Reshape", ["pitches", "flat"], ["which"]),
        ]
    elif chroma or registers:
        nodes += [node("Identity", ["chroma" if chroma else "register"], ["which"])]
    else:
        nodes += [node("Sub", ["brightness", "brightness"], ["zero"]), node("Add", ["zero", "one"], ["which"])]
    nodes += [node("MatMul", ["which", "odd"], ["odd_part"])]
    if n_latents > 1:
        nodes += [
            node("Slice", ["latent", "latent_1", "latent_2", "axis"], ["evenness"]),
            node("MatMul", ["which", "even"], ["even_full"]),
            node("Mul", ["even_full", "evenness"], ["even_part"]),
            node("Add", ["odd_part", "even_part"], ["tone"]),
        ]
    else:
        nodes += [node("Identity", ["odd_part"], ["tone"])]
    nodes += [node("Mul", ["tone", "colour"], ["coloured"])]
    if n_latents > 2:
        nodes += [
            node("Slice", ["latent", "latent_2", "latents", "axis"], ["rest"]),
            node("MatMul", ["rest", "mix"], ["added"]),
            node("Add", ["coloured", "added"], ["sum"]),
        ]
    else:
        nodes += [node("Identity", ["coloured"], ["sum"])]
    nodes += [node("Add", ["sum", "floor"], ["floored"]), node("Relu", ["floored"], ["magnitude"])]
    value = helper.make_tensor_value_info
    inputs = [value("latent", TensorProto.FLOAT, ["voices", n_latents])]
    inputs += [value("chroma", TensorProto.FLOAT, ["voices", N_CLASSES])] if chroma else []
    inputs += [value("register", TensorProto.FLOAT, ["voices", len(registers)])] if registers else []
    used = {name for item in nodes for name in item.input}
    return helper.make_graph(
        nodes,
        "tiny",
        inputs,
        [value("magnitude", TensorProto.FLOAT, ["voices", n_bins])],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items() if name in used],
    )


def _changed(path: Path, change: Change) -> Path:
    """Write a tiny decoder, then change its model."""
    model = onnx.load(tiny_decoder(path))
    change(model)
    onnx.save(model, path)
    return path


def _last(model: onnx.ModelProto, *operations: tuple[str, list[str]], **constants: np.ndarray) -> None:
    """Put operations after the last node: ``before`` is the old output, the last of them gives ``magnitude``."""
    model.graph.node[-1].output[0] = "before"
    for number, (operator, inputs) in enumerate(operations):
        output = "magnitude" if number == len(operations) - 1 else f"after_{number}"
        model.graph.node.append(helper.make_node(operator, inputs, [output]))
    for name, array in constants.items():
        model.graph.initializer.append(numpy_helper.from_array(np.asarray(array, np.float32), name))


def missing(path: Path) -> Path:
    """Write nothing."""
    return path


def not_onnx(path: Path) -> Path:
    """Write text."""
    path.write_text("this is no decoder\n" * 100)
    return path


def empty(path: Path) -> Path:
    """Write an empty file."""
    path.write_bytes(b"")
    return path


def truncated(path: Path) -> Path:
    """Cut a decoder in half."""
    whole = tiny_decoder(path).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path


def too_large(path: Path) -> Path:
    """Write one byte more than is allowed (a sparse file: it takes no room)."""
    with path.open("wb") as file:
        file.truncate(MAX_DECODER_BYTES + 1)
    return path


def external_data(path: Path) -> Path:
    """Keep the weights in a second file."""
    model = onnx.load(tiny_decoder(path))
    onnx.save(model, path, save_as_external_data=True, location=path.name + ".data", size_threshold=1024)
    return path


def custom_operator(path: Path) -> Path:
    """Use an operator of a domain that no one knows."""

    def change(model: onnx.ModelProto) -> None:
        model.graph.node[-1].domain = "com.example"
        model.graph.node[-1].op_type = "Shiny"
        model.opset_import.append(helper.make_opsetid("com.example", 1))

    return _changed(path, change)


def wrong_shape(path: Path) -> Path:
    """Give fewer bins than the metadata's window asks for."""
    model = onnx.load(tiny_decoder(path))
    other = onnx.load(tiny_decoder(path, n_bins=1025))
    model.graph.CopyFrom(other.graph)
    onnx.save(model, path)
    return path


def wrong_latents(path: Path) -> Path:
    """Take two latents where the metadata name three."""
    model = onnx.load(tiny_decoder(path))
    other = onnx.load(tiny_decoder(path, n_latents=2))
    model.graph.CopyFrom(other.graph)
    onnx.save(model, path)
    return path


def wrong_type(path: Path) -> Path:
    """Give float64."""

    def change(model: onnx.ModelProto) -> None:
        model.graph.node[-1].output[0] = "before"
        model.graph.node.append(helper.make_node("Cast", ["before"], ["magnitude"], to=TensorProto.DOUBLE))
        model.graph.output[0].type.tensor_type.elem_type = TensorProto.DOUBLE

    return _changed(path, change)


def wrong_names(path: Path) -> Path:
    """Call the output something else."""

    def change(model: onnx.ModelProto) -> None:
        model.graph.node[-1].output[0] = "sound"
        model.graph.output[0].name = "sound"

    return _changed(path, change)


def nan_producing(path: Path) -> Path:
    """Give NaN wherever the first latent is low."""
    return _changed(
        path,
        lambda model: _last(
            model,
            ("Sub", ["brightness", "bound"]),
            ("Sqrt", ["after_0"]),
            ("Mul", ["before", "after_1"]),
            bound=np.array(0.4),
        ),
    )


def nan_between(path: Path) -> Path:
    """Give NaN only where the first latent is 0.15 to 0.35: a probe of corners and middle cannot see it."""
    return _changed(
        path,
        lambda model: _last(
            model,
            ("Sub", ["brightness", "centre"]),
            ("Abs", ["after_0"]),
            ("Sub", ["after_1", "radius"]),
            ("Sqrt", ["after_2"]),
            ("Mul", ["before", "after_3"]),
            centre=np.array(0.25),
            radius=np.array(0.1),
        ),
    )


def infinite(path: Path) -> Path:
    """Give infinity."""
    return _changed(path, lambda model: _last(model, ("Div", ["before", "nothing"]), nothing=np.array(0.0)))


def negative(path: Path) -> Path:
    """Give magnitudes below zero."""
    return _changed(path, lambda model: _last(model, ("Sub", ["before", "offset"]), offset=np.array(0.5)))


def all_zero(path: Path) -> Path:
    """Give nothing but zeros."""
    return _changed(path, lambda model: _last(model, ("Mul", ["before", "nothing"]), nothing=np.array(0.0)))


def no_metadata(path: Path) -> Path:
    """Leave out the property ``oscsynth``."""
    return _changed(path, lambda model: model.ClearField("metadata_props"))


def bad_metadata(path: Path) -> Path:
    """Write metadata that are no JSON."""
    return _changed(path, lambda model: helper.set_model_props(model, {PROPERTY: "{title: "}))


def unfit_metadata(path: Path) -> Path:
    """Write metadata with two faults: a sample rate of 1 Hz and eleven home octaves."""

    def change(model: onnx.ModelProto) -> None:
        metadata = Metadata("Unfit", "frame", 1, 4096, 1024, (Latent(0, 0.5, 1),) * 3, 60, 71, (4,) * 11)
        helper.set_model_props(model, {PROPERTY: dataclasses.replace(metadata).to_json()})

    return _changed(path, change)


BROKEN: dict[str, Callable[[Path], Path]] = {
    function.__name__: function
    for function in (
        missing,
        not_onnx,
        empty,
        truncated,
        too_large,
        external_data,
        custom_operator,
        wrong_shape,
        wrong_latents,
        wrong_type,
        wrong_names,
        nan_producing,
        infinite,
        negative,
        all_zero,
        no_metadata,
        bad_metadata,
        unfit_metadata,
    )
}
"""Every kind of file that must be refused; `nan_between` is not here, because only playing it shows its fault."""
