"""A Keras model file read as data: what layers there are, how they hang together, and their weights.

Nothing of Keras reads the file, and nothing in it is executed: what is not one of a few plain layers is refused by name. Both formats are
read, HDF5 (.h5, of Keras 2 and 3) and the zip of Keras 3 (.keras).
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from oscsynth.errors import DecoderError

LARGEST_BYTES = 2**29
LAYERS = ("InputLayer", "Dense", "LeakyReLU", "ReLU", "Activation", "Concatenate", "Dropout", "GaussianNoise", "Identity")


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of a model."""

    name: str
    kind: str
    before: tuple[str, ...]  # the layers that it hears
    config: dict[str, Any]
    weights: list[np.ndarray] = field(default_factory=list)  # of a dense layer: kernel (from, to) and bias (to,)


def read_layers(path: Path) -> list[Layer]:
    """Return the layers of a model, from its inputs to its output.

    Raises
    ------
    DecoderError
        When the file is none of Keras, or holds anything but plain layers.
    """
    import h5py

    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                model = json.loads(_member(archive, "config.json"))
                with h5py.File(io.BytesIO(_member(archive, "model.weights.h5")), "r") as stored:
                    return _layers(model, lambda number, name: _by_number(stored, number), path)
        with h5py.File(path, "r") as stored:
            model = json.loads(stored.attrs["model_config"])
            return _layers(model, lambda number, name: _by_name(stored["model_weights"], name), path)
    except FileNotFoundError as error:
        raise DecoderError(f"{path}: there is no such file") from error
    except (OSError, KeyError, ValueError, TypeError, AttributeError, IndexError, RecursionError, zipfile.BadZipFile) as error:
        raise DecoderError(f"{path}: this is no Keras model (.h5 or .keras) with layers and weights") from error


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).file_size > LARGEST_BYTES:
        raise ValueError(f"{name} is larger than any decoder")
    return archive.read(name)


def _layers(model: dict[str, Any], weights_of: Any, path: Path) -> list[Layer]:
    config = model["config"]
    rows = config["layers"] if isinstance(config, dict) else config  # Keras 2.2 wrote a sequential model as a bare list
    found, n_dense = list[Layer](), 0
    for row in rows:
        kind, settings = row["class_name"], dict(row["config"])
        name = str(row.get("name") or settings.get("name"))
        _refuse(kind, name, path)
        before = tuple(_before(row["inbound_nodes"])) if "inbound_nodes" in row else tuple(layer.name for layer in found[-1:])
        width = (settings.get("batch_input_shape") or [None])[-1]
        if not found and kind != "InputLayer":  # a sequential model of Keras 2 begins at its first layer
            found.append(Layer("input", "InputLayer", (), {"batch_shape": [None, width]}))
            before = ("input",)
        weights: list[np.ndarray] = []
        if kind == "Dense":
            weights, n_dense = weights_of(n_dense, name), n_dense + 1
        found.append(Layer(name, kind, before, settings, weights))
    return found


def _refuse(kind: str, name: str, path: Path) -> None:
    if kind == "Lambda":
        raise DecoderError(f"{path}: its layer {name!r} is a Lambda, which holds code; nothing in a model file is executed")
    if kind not in LAYERS:
        raise DecoderError(f"{path}: its layer {name!r} ({str(kind)[:40]}) has no place in a decoder; it may have {', '.join(LAYERS)}")


def _before(nodes: Any) -> list[str]:
    """Return the layers that a layer hears, in whichever way they are written down."""
    if isinstance(nodes, dict):
        history = nodes.get("keras_history") or (nodes.get("config") or {}).get("keras_history")
        return [str(history[0])] if history else [name for value in nodes.values() for name in _before(value)]
    if isinstance(nodes, list):
        if len(nodes) >= 3 and isinstance(nodes[0], str) and isinstance(nodes[1], int):
            return [nodes[0]]
        return [name for value in nodes for name in _before(value)]
    return []


def _by_number(stored: Any, number: int) -> list[np.ndarray]:
    """Return the weights of a dense layer of a .keras file, where layers are counted by their kind."""
    group = stored["layers"][f"dense_{number}" if number else "dense"]["vars"]
    return [np.asarray(group[key], np.float32) for key in sorted(group, key=int)]


def _by_name(stored: Any, name: str) -> list[np.ndarray]:
    group = stored[name]
    names = [each.decode() if isinstance(each, bytes) else str(each) for each in group.attrs["weight_names"]]
    return [np.asarray(group[each], np.float32) for each in names]
