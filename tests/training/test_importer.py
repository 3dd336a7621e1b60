import json
import os
import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import onnxruntime
import pytest
from typer.testing import CliRunner

from oscsynth.check import check_files
from oscsynth.errors import DecoderError
from oscsynth.metadata import PROPERTY, parse_metadata
from training import export
from training.__main__ import app
from training.chroma import one_hot
from training.importer import import_decoder

# Keras' own savers on this NumPy.
pytestmark = [pytest.mark.filterwarnings("ignore:__array__ implementation"), pytest.mark.filterwarnings("ignore:You are saving your model")]


def ancestor(n_inputs: int, *, seed: int = 440) -> keras.Model:
    """Return a decoder as the ancestor program builds it, two layers of its eight."""
    keras.utils.set_random_seed(seed)
    given = hidden = keras.Input((n_inputs,))
    for width in (16, 64):
        hidden = keras.layers.Dense(width, kernel_regularizer=keras.regularizers.L2(1e-7))(hidden)
        hidden = keras.layers.Dropout(0.0)(keras.layers.LeakyReLU(negative_slope=0.1)(hidden))
    return keras.Model(given, keras.layers.Dense(2049, activation="relu")(hidden))


def written(model: keras.Model, path: Path) -> Path:
    model.save(path)
    return path


def keras_2(model: keras.Model, path: Path) -> Path:
    """Write a model as Keras 2.2 wrote it."""
    dense = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    rows: list[dict[str, Any]] = [
        {
            "name": "input_2",
            "class_name": "InputLayer",
            "inbound_nodes": [],
            "config": {"batch_input_shape": [None, model.input_shape[-1]], "name": "input_2"},
        }
    ]
    for number, layer in enumerate(dense):
        l2 = {"class_name": "L1L2", "config": {"l1": 0.0, "l2": 1e-7}}
        config = {"name": f"dense_{number + 9}", "units": layer.units, "activation": layer.activation.__name__, "kernel_regularizer": l2}
        rows.append({"name": config["name"], "class_name": "Dense", "config": config, "inbound_nodes": [[[rows[-1]["name"], 0, 0, {}]]]})
        if number < len(dense) - 1:
            name = f"leaky_re_lu_{number + 8}"
            leaky = {"name": name, "class_name": "LeakyReLU", "config": {"name": name, "alpha": 0.1}}
            rows.append(leaky | {"inbound_nodes": [[[rows[-1]["name"], 0, 0, {}]]]})
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = b"2.2.4"
        file.attrs["model_config"] = json.dumps({"class_name": "Model", "config": {"name": "model_2", "layers": rows}}).encode()
        for number, layer in enumerate(dense):
            group = file.create_group(f"model_weights/dense_{number + 9}")
            names = [f"dense_{number + 9}/{what}:0" for what in ("kernel", "bias")]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, weights in zip(names, layer.get_weights(), strict=True):
                group[name] = weights
    return path


def two_inputs() -> keras.Model:
    latent, note = keras.Input((3,)), keras.Input((12,))
    return keras.Model([latent, note], keras.layers.Dense(2049)(keras.layers.Concatenate()([latent, note])))


def sequential() -> keras.Model:
    return keras.Sequential(
        [keras.Input((8,)), keras.layers.Dense(32, activation="tanh", name="first"), keras.layers.Dense(2049, activation="sigmoid")]
    )


BUILT = {"ancestor": (lambda: ancestor(20), 8, True), "without chroma": (lambda: ancestor(8), 8, False), "sequential": (sequential, 8, False)}
WRITTEN = [(what, how) for what in BUILT for how in ("h5", "keras", "keras 2") if (what, how) != ("sequential", "keras 2")]


@pytest.mark.parametrize(("what", "write"), WRITTEN)
def test_a_decoder_gives_what_keras_gives(what: str, write: str, tmp_path: Path) -> None:
    build, n_latents, chroma = BUILT[what]
    model = build()
    path = keras_2(model, tmp_path / "a.h5") if write == "keras 2" else written(model, tmp_path / f"a.{write}")
    metadata = import_decoder(path, "Old", tmp_path / "old.onnx")
    assert (len(metadata.latents), metadata.chroma) == (n_latents, chroma)
    rng = np.random.default_rng(440)
    latent, note = rng.random((24, n_latents), np.float32), one_hot(np.arange(24) % 12)
    expected = np.maximum(np.asarray(model(np.concatenate([latent, note], axis=1) if chroma else latent)), 0)
    np.testing.assert_allclose(export.run(tmp_path / "old.onnx", latent, note), expected, atol=1e-5)


def test_two_inputs_are_latents_and_note(tmp_path: Path) -> None:
    model = two_inputs()
    import_decoder(written(model, tmp_path / "a.keras"), "Old", tmp_path / "old.onnx")
    rng = np.random.default_rng(440)
    latent, note = rng.random((24, 3), np.float32), one_hot(np.arange(24) % 12)
    np.testing.assert_allclose(export.run(tmp_path / "old.onnx", latent, note), np.maximum(np.asarray(model([latent, note])), 0), atol=1e-5)


def test_the_command_makes_a_patch_that_passes_its_check(tmp_path: Path) -> None:
    path = written(ancestor(20), tmp_path / "vae trained decoder.keras")
    result = CliRunner().invoke(app, ["import", str(path), "--output", str(tmp_path), "--low", "-0.1", "--high", "0.4"])
    assert result.exit_code == 0, result.output
    assert "8 latents and the note, which it plays in" in result.output
    assert "oscsynth serve --patches" in result.output
    checked = list(check_files([tmp_path], (tmp_path,)))
    assert len(checked) == 2 and not [one.faults for one in checked if one.faults]
    session = onnxruntime.InferenceSession(str(next((tmp_path / "decoders").glob("*.onnx"))))
    metadata = parse_metadata(session.get_modelmeta().custom_metadata_map[PROPERTY])
    assert (metadata.latents[7].low, metadata.latents[7].high, metadata.title) == (-0.1, 0.4, "vae trained decoder")


def test_fifteen_latents_may_be_fifteen_latents(tmp_path: Path) -> None:
    path = written(ancestor(15), tmp_path / "a.keras")
    assert len(import_decoder(path, "Old", tmp_path / "old.onnx").latents) == 3
    assert len(import_decoder(path, "Old", tmp_path / "old.onnx", takes_chroma=False).latents) == 15


def boobytrap(path: Path, mark: Path, layer: dict[str, Any]) -> Path:
    """Write a .keras file that would leave a mark if anything in it were executed."""
    written(ancestor(8), path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    config["config"]["layers"][2] |= layer
    members["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_nothing_in_a_file_is_executed(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    module = {"module": "os", "class_name": "system", "config": {"name": "x", "command": f"touch {mark}"}}
    with pytest.raises(DecoderError, match=r"its layer .* \(system\) has no place in a decoder"):
        import_decoder(boobytrap(tmp_path / "a.keras", mark, module), "Old", tmp_path / "old.onnx")
    code = {"class_name": "Lambda", "config": {"name": "x", "function": ["4wEAAAA=", None, None]}}
    with pytest.raises(DecoderError, match=r"is a Lambda, which holds code; nothing in a model file is executed"):
        import_decoder(boobytrap(tmp_path / "a.keras", mark, code), "Old", tmp_path / "old.onnx")
    function = {"module": "builtins", "class_name": "function", "config": "exec", "registered_name": "function"}
    activation = {"class_name": "Activation", "config": {"name": "x", "activation": function}}
    with pytest.raises(DecoderError, match=r"has the activation"):
        import_decoder(boobytrap(tmp_path / "a.keras", mark, activation), "Old", tmp_path / "old.onnx")
    assert not mark.exists()
    assert not (tmp_path / "old.onnx").exists()


def encoder() -> keras.Model:
    return keras.Sequential([keras.Input((2061,)), keras.layers.Dense(8)])


def silent() -> keras.Model:
    return keras.Sequential([keras.Input((8,)), keras.layers.Dense(2049, kernel_initializer="zeros")])


def convolution() -> keras.Model:
    return keras.Sequential([keras.Input((8, 1)), keras.layers.Conv1D(4, 2), keras.layers.Flatten(), keras.layers.Dense(2049)])


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (encoder, r"this is no decoder: it takes 2061 values and gives 8; a decoder takes 1 to 64 latents"),
        (silent, r"it is silent, or gives no numbers, for latents between 0 and 1"),
        (convolution, r"\(Conv1D\) has no place in a decoder"),
    ],
)
def test_a_model_that_is_no_decoder(build: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(DecoderError, match=said):
        import_decoder(written(build(), tmp_path / "a.keras"), "Old", tmp_path / "old.onnx")


@pytest.mark.parametrize("content", [b"", b"not a model", b"PK\x03\x04 nor this", os.urandom(4096), "weights alone", "zip of others"])
def test_a_file_that_is_no_model_ends_in_one_sentence(content: bytes | str, tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    if content == "weights alone":
        with h5py.File(path, "w") as file:
            file["x"] = 1
    elif content == "zip of others":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("config.json", "[]")
    else:
        assert isinstance(content, bytes)
        path.write_bytes(content)
    result = CliRunner().invoke(app, ["import", str(path), "--output", str(tmp_path)])
    assert result.exit_code == 1
    assert "this is no Keras model (.h5 or .keras)" in result.output
    assert "Traceback" not in result.output
    assert not list(tmp_path.glob("**/*.yaml"))


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DecoderError, match="there is no such file"):
        import_decoder(tmp_path / "none.h5", "Old", tmp_path / "old.onnx")
