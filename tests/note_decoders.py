"""A small decoder of kind `note` for tests, built by hand: harmonic series that die away, instruments by slope and even partials."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from oscsynth.metadata import N_CLASSES, PROPERTY, Brightness, Latent, Metadata, NoteMap

from .decoders import FLOOR, IR_VERSION, OPSET, partials

SAMPLE_RATE_HZ, WINDOW_SAMPLES, HOP_SAMPLES = 22050, 2048, 256
N_BINS = WINDOW_SAMPLES // 2 + 1
INSTRUMENTS = {"oboe": (1.0, 1.0, 0.0), "clarinet": (0.0, -2.0, 1.0), "french-horn": (-1.5, 1.0, -1.0)}
N_TIMBRE, N_PITCH = 3, 4
N_BANDS = N_BINS  # each bin a band: nothing is blurred


def tiny_note_decoder(
    path: Path, *, pitches: Sequence[int] = range(48, 85), n_hops: int = 12, loop: tuple[int, int] = (6, 10), decay_db: float = 1.5, seed: int = 440
) -> Path:
    """Write a note decoder whose spectra are the harmonic series of the pitch asked for, each hop quieter than the last.

    One stage gives the bands of a note's hops, the other the magnitudes of some moments; either runs with no rows of the other.
    The first dimension of the timbre brightens the sound, the second brings the even partials, the third does nothing. A pitch code
    sounds as the pitch of the mean that it is nearest to; half way between two, as both.
    """
    pitches = tuple(pitches)
    means = np.random.default_rng(seed).normal(0, 1, (len(pitches), N_PITCH)).astype(np.float32)
    model = helper.make_model(_graph(pitches, means, n_hops, decay_db), opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    helper.set_model_props(model, {PROPERTY: _metadata(pitches, means, n_hops, loop).to_json()})
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def _metadata(pitches: tuple[int, ...], means: np.ndarray, n_hops: int, loop: tuple[int, int]) -> Metadata:
    notes = NoteMap(
        n_hops=n_hops,
        n_bands=N_BANDS,
        instruments=INSTRUMENTS,
        ranges=dict.fromkeys(INSTRUMENTS, (pitches[0], pitches[-1])),
        timbre_deviation=1.0,
        pitches=pitches,
        pitch_means=tuple(tuple(map(float, mean)) for mean in means),
        pitch_deviation=0.02,
        loop_first_hop=loop[0],
        loop_last_hop=loop[1],
        brightness=Brightness(0, -2.0, 2.0),
    )
    return Metadata(
        title="Tiny notes",
        kind="note",
        sample_rate_hz=SAMPLE_RATE_HZ,
        window_samples=WINDOW_SAMPLES,
        hop_samples=HOP_SAMPLES,
        latents=(Latent(-2.0, 0.0, 2.0),) * N_TIMBRE,
        midi_low=pitches[0],
        midi_high=pitches[-1],
        home_octaves=(4,) * N_CLASSES,
        points={name: tuple((value + 2.0) / 4.0 for value in mean) for name, mean in INSTRUMENTS.items()},
        corpus="none: built by hand for tests",
        licence="CC0-1.0",
        note=notes,
    )


def _graph(pitches: tuple[int, ...], means: np.ndarray, n_hops: int, decay_db: float) -> onnx.GraphProto:
    rows = [partials(pitch, N_BINS, SAMPLE_RATE_HZ) for pitch in pitches]
    constants = {
        "towards": 200.0 * means.T,  # (n_pitch, pitches): with the next line, minus the squared distance but for a constant
        "offset": -100.0 * np.square(means).sum(1),
        "odd": np.stack([row[0::2].sum(0) for row in rows]),
        "even": np.stack([row[1::2].sum(0) for row in rows]),
        "slope": np.linspace(0, 1, N_BINS)[None] * 3.0,
        "fixed": np.linspace(0, 1, N_BINS)[None] * -9.0,
        "decay": 10 ** (-decay_db * np.arange(n_hops) / 20)[:, None],  # (hops, 1)
        "floor": np.array(FLOOR),
        "matrix": np.eye(N_BANDS, N_BINS),
    }
    integers = {"zero": [0], "one": [1], "two": [2]}
    node = helper.make_node
    nodes = [
        node("Gemm", ["pitch", "towards", "offset"], ["nearness"]),
        node("Softmax", ["nearness"], ["which"], axis=1),
        node("MatMul", ["which", "odd"], ["odd_part"]),
        node("MatMul", ["which", "even"], ["even_full"]),
        node("Slice", ["timbre", "zero", "one", "one"], ["bright"]),
        node("Slice", ["timbre", "one", "two", "one"], ["evenness"]),
        node("Sigmoid", ["evenness"], ["even_level"]),
        node("Mul", ["even_full", "even_level"], ["even_part"]),
        node("Add", ["odd_part", "even_part"], ["tone"]),
        node("Mul", ["bright", "slope"], ["tilt"]),
        node("Add", ["tilt", "fixed"], ["exponent"]),
        node("Exp", ["exponent"], ["colour"]),
        node("Mul", ["tone", "colour"], ["coloured"]),
        node("Add", ["coloured", "floor"], ["spectrum"]),
        node("Unsqueeze", ["spectrum", "one"], ["once"]),  # (voices, 1, bins)
        node("Mul", ["once", "decay"], ["level"]),  # (voices, hops, bands)
        node("Mul", ["level", "level"], ["note"]),
        node("MatMul", ["bands", "matrix"], ["power"]),  # (moments, bins)
        node("Sqrt", ["power"], ["magnitude"]),
    ]
    value = helper.make_tensor_value_info
    initializers = [numpy_helper.from_array(np.asarray(array, np.float32), name) for name, array in constants.items()]
    initializers += [numpy_helper.from_array(np.asarray(array, np.int64), name) for name, array in integers.items()]
    float32 = TensorProto.FLOAT
    inputs = [
        value("timbre", float32, ["voices", N_TIMBRE]),
        value("pitch", float32, ["voices", N_PITCH]),
        value("bands", float32, ["moments", N_BANDS]),
    ]
    outputs = [value("note", float32, ["voices", n_hops, N_BANDS]), value("magnitude", float32, ["moments", N_BINS])]
    return helper.make_graph(nodes, "tiny-notes", inputs, outputs, initializers)


def _changed(path: Path, change: Callable[[onnx.ModelProto], None]) -> Path:
    """Write a tiny decoder, then change its model."""
    model = onnx.load(tiny_note_decoder(path))
    change(model)
    onnx.save(model, path)
    return path


def _rename(model: onnx.ModelProto, output: str) -> None:
    """Have the node that gives an output give ``before`` instead."""
    next(node for node in model.graph.node if node.output[0] == output).output[0] = "before"


def no_map(path: Path) -> Path:
    """Leave the map of notes out of the metadata."""

    def change(model: onnx.ModelProto) -> None:
        metadata = json.loads(model.metadata_props[0].value)
        helper.set_model_props(model, {PROPERTY: json.dumps(metadata | {"note": None})})

    return _changed(path, change)


def other_hops(path: Path) -> Path:
    """Give as many hops as the metadata do not say."""
    model, other = onnx.load(tiny_note_decoder(path)), onnx.load(tiny_note_decoder(path, n_hops=14))
    model.graph.CopyFrom(other.graph)
    onnx.save(model, path)
    return path


def one_stage(path: Path) -> Path:
    """Give the notes, but no magnitudes."""

    def change(model: onnx.ModelProto) -> None:
        del model.graph.node[-2:], model.graph.output[1:], model.graph.input[2:]

    return _changed(path, change)


def not_a_number(path: Path) -> Path:
    """Give NaN where the timbre is bright."""

    def change(model: onnx.ModelProto) -> None:
        _rename(model, "coloured")
        nodes = [helper.make_node("Sub", ["one_half", "bright"], ["room"]), helper.make_node("Sqrt", ["room"], ["dim"])]
        at = [node.output[0] for node in model.graph.node].index("before") + 1
        for node in (helper.make_node("Mul", ["before", "dim"], ["coloured"]), *reversed(nodes)):
            model.graph.node.insert(at, node)
        model.graph.initializer.append(numpy_helper.from_array(np.array(0.5, np.float32), "one_half"))

    return _changed(path, change)


def negative_magnitudes(path: Path) -> Path:
    """Give magnitudes below zero."""

    def change(model: onnx.ModelProto) -> None:
        _rename(model, "magnitude")
        model.graph.node.append(helper.make_node("Neg", ["before"], ["magnitude"]))

    return _changed(path, change)


def silent_notes(path: Path) -> Path:
    """Give notes of nothing."""

    def change(model: onnx.ModelProto) -> None:
        _rename(model, "note")
        at = [node.output[0] for node in model.graph.node].index("before") + 1
        model.graph.node.insert(at, helper.make_node("Sub", ["before", "before"], ["note"]))

    return _changed(path, change)


BROKEN_NOTES: dict[str, Callable[[Path], Path]] = {
    function.__name__: function for function in (no_map, other_hops, one_stage, not_a_number, negative_magnitudes, silent_notes)
}
"""Every kind of note decoder that must be refused."""
