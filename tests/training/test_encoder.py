"""An encoder for a decoder that there is: only the encoder learns, and the decoder's file keeps its network."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from oscsynth.errors import DecoderError
from oscsynth.metadata import PROPERTY, Latent, Metadata
from oscsynth.sound.decoder import Decoder
from oscsynth.sound.encoder import Encoder
from tests.decoders import tiny_decoder
from training import batches, encoder, export, train
from training import evaluate as measures
from training.chroma import one_hot
from training.decoder_file import open_decoder
from training.frozen import frozen
from training.importer import import_decoder
from training.prepare import Hops
from training.train import Trained, TrainingConfig

from .conftest import SMALL, tones
from .test_importer import ancestor, written

pytestmark = [pytest.mark.filterwarnings("ignore:__array__ implementation"), pytest.mark.filterwarnings("ignore:You are saving your model")]


QUICK = TrainingConfig(mixing=False, epochs=60, patience=60, batch=50, learning_rate=2e-3, compiled=False)


@pytest.fixture(scope="module")
def alone(trained: Trained, hops: Hops, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a decoder whose encoder was lost."""
    export.round_weights(trained)
    evaluation = measures.evaluate(trained, hops, samples=20)
    stft = {"sample_rate_hz": SMALL.sample_rate_hz, "window_samples": SMALL.window_samples, "hop_samples": SMALL.hop_samples}
    facts = {"widths": [64, 32], "bottleneck": "sigmoid"}
    metadata = Metadata(
        "Tones", "frame", **stft, latents=export.latents_of(evaluation), midi_low=60, midi_high=71, home_octaves=(4,) * 12, training=facts
    )
    path = export.export(trained, metadata, tmp_path_factory.mktemp("alone") / "tones.onnx")
    path.with_name("tones.encoder.onnx").unlink()
    return _renamed(path, metadata)


def _renamed(path: Path, metadata: Metadata) -> Path:
    model = onnx.load(path)
    del model.metadata_props[:]
    helper.set_model_props(model, {PROPERTY: dataclasses.replace(metadata, encoder="").to_json()})
    onnx.save(model, path)
    return path


def test_a_new_encoder_is_nearly_as_good_as_the_one_that_was_lost(alone: Path, trained: Trained, hops: Hops) -> None:
    before = onnx.load(alone).graph
    said: list[str] = []
    made = encoder.train_encoder(alone, tones(), config=QUICK, command="again", say=said.append, show=False)
    assert onnx.load(alone).graph == before and made.path.name == "tones.encoder.onnx"
    assert made.test_mse < 1.5 * measures.test_mse(trained, hops, hops.rows(2))
    untaught = dataclasses.replace(trained, autoencoder=encoder.beside(open_decoder(alone), seed=440))
    assert made.test_mse < 0.8 * measures.test_mse(untaught, hops, hops.rows(2))
    assert said == [f"{made.path}: test MSE {made.test_mse:.2e}, of the encoder that the decoder was trained with nan"]
    opened = open_decoder(alone)
    assert opened.metadata.encoder == made.path.name and opened.metadata.training == {"widths": [64, 32], "bottleneck": "sigmoid"}
    facts = json.loads({each.key: each.value for each in onnx.load(made.path).metadata_props}["training"])
    assert (facts["command"], facts["test_mse"]) == ("again", made.test_mse)
    # What the stage hears is what training meant.
    rows = hops.rows(2)[:5]
    positions = opened.embed(hops.magnitude[rows], hops.pitch_midi[rows])
    stage = Encoder.beside(Decoder.load(alone))
    for row, expected in zip(rows, positions, strict=True):
        found = stage.encode(hops.magnitude[np.array([row])][0], int(hops.pitch_midi[row]) % 12, 4)
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_what_is_not_taught_is_the_decoder(alone: Path) -> None:
    autoencoder = encoder.beside(open_decoder(alone), seed=440)
    assert not autoencoder.decoder.weights and autoencoder.encoder.trainable_weights


@pytest.mark.parametrize("n_inputs", [3, 16])
def test_the_frozen_decoder_of_the_ancestor_program_is_the_file(n_inputs: int, tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    made = import_decoder(written(ancestor(n_inputs), tmp_path / "a.keras"), "A", path)
    opened, rng = open_decoder(path), np.random.default_rng(440)
    latent, notes = rng.random((20, len(made.latents)), np.float32), rng.integers(0, 12, 20)
    network = frozen(path.read_bytes(), len(made.latents), 0, str(path))
    out = np.asarray(network([latent, one_hot(notes)]))
    np.testing.assert_allclose(out, export.run(path, latent, one_hot(notes)), atol=1e-5)
    assert encoder.model_of(opened).widths == (1024, 512, 256, 128, 64, 32, 16) and encoder.model_of(opened).bottleneck == "sigmoid"


def test_the_frozen_decoder_is_the_file_and_lets_slopes_through(alone: Path, trained: Trained) -> None:
    rng = np.random.default_rng(440)
    latent, condition = rng.random((20, 2), np.float32), batches.condition(rng.integers(60, 72, 20), ())
    network = frozen(alone.read_bytes(), 2, 0, "tones")
    np.testing.assert_allclose(np.asarray(network([latent, condition])), train.decoded(trained, latent, condition), atol=1e-5)


def test_latents_beyond_0_and_1_have_no_sigmoid(alone: Path) -> None:
    opened = open_decoder(alone)
    wide = dataclasses.replace(opened.metadata, training={}, latents=(Latent(-2.0, 0.0, 3.0),) * 2)
    decoder = Decoder(opened.decoder._session, wide, str(alone))
    assert encoder.model_of(dataclasses.replace(opened, decoder=decoder)).bottleneck == "leaky_relu"


def test_a_graph_of_other_operators_is_refused_by_their_names(tmp_path: Path) -> None:
    path = tiny_decoder(tmp_path / "t.onnx")
    with pytest.raises(DecoderError, match=r"t\.onnx: no encoder can be trained for it: there is no counterpart here of .*Exp"):
        frozen(path.read_bytes(), 3, 0, str(path))


def test_sounds_or_a_recipe_must_be_named(alone: Path) -> None:
    from typer.testing import CliRunner

    from training.__main__ import app

    result = CliRunner().invoke(app, ["encoder", str(alone)])
    assert result.exit_code == 1 and "an encoder learns from sounds" in result.output
