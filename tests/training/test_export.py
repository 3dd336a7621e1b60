from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from oscsynth.errors import DecoderError
from oscsynth.metadata import PROPERTY, Latent, Metadata, parse_metadata
from training import batches, export, models, train
from training.configurations import CONFIGURATIONS
from training.decoder_file import open_decoder
from training.evaluate import Evaluation, evaluate
from training.export import export as write
from training.prepare import Hops
from training.train import Trained

from .conftest import SMALL


@pytest.fixture(scope="module")
def evaluation(trained: Trained, hops: Hops) -> Evaluation:
    export.round_weights(trained)
    return evaluate(trained, hops, samples=20)


@pytest.fixture
def metadata(evaluation: Evaluation) -> Metadata:
    return Metadata(
        title="Tones",
        kind="frame",
        sample_rate_hz=SMALL.sample_rate_hz,
        window_samples=SMALL.window_samples,
        hop_samples=SMALL.hop_samples,
        latents=export.latents_of(evaluation, ("brightness",)),
        midi_low=60,
        midi_high=71,
        home_octaves=evaluation.home_octaves,
        points=evaluation.points,
    )


def test_the_file_decodes_as_the_network_does(trained: Trained, metadata: Metadata, tmp_path: Path) -> None:
    path = write(trained, metadata, tmp_path / "new" / "tones.onnx")
    rng = np.random.default_rng(440)
    latent, condition = rng.random((33, 2), np.float32), batches.condition(rng.integers(60, 72, 33), ())
    expected = train.decoded(trained, latent, condition)
    np.testing.assert_allclose(export.run(path, latent, condition), expected, atol=1e-5)
    assert expected.min() >= 0


def test_the_file_is_what_the_contract_says(trained: Trained, metadata: Metadata, tmp_path: Path) -> None:
    path = write(trained, metadata, tmp_path / "tones.onnx")
    session = onnxruntime.InferenceSession(str(path))
    ports = {each.name: (each.shape, each.type) for each in [*session.get_inputs(), *session.get_outputs()]}
    assert ports == {
        "latent": (["voices", 2], "tensor(float)"),
        "chroma": (["voices", 12], "tensor(float)"),
        "magnitude": (["voices", SMALL.n_bins], "tensor(float)"),
    }
    assert parse_metadata(session.get_modelmeta().custom_metadata_map[PROPERTY]) == replace(metadata, encoder="tones.encoder.onnx")


def test_the_encoder_lies_beside_it_and_embeds_as_the_network_does(trained: Trained, metadata: Metadata, hops: Hops, tmp_path: Path) -> None:
    path = write(trained, metadata, tmp_path / "tones.onnx")
    rows = hops.rows(2)
    condition = batches.condition(hops.pitch_midi[rows], ())
    output = export.run(path.with_name("tones.encoder.onnx"), hops.magnitude[rows], condition)
    np.testing.assert_allclose(output, train.embedding(trained, hops, rows), atol=1e-5)
    opened = open_decoder(path)
    positions = opened.embed(hops.magnitude[rows], hops.pitch_midi[rows])
    again = opened.decode(positions, hops.pitch_midi[rows])
    np.testing.assert_allclose(again, train.decoded(trained, output, condition), atol=1e-4)


def test_the_encoder_is_as_small_and_as_plain_as_the_decoder(trained: Trained, metadata: Metadata, tmp_path: Path) -> None:
    path = write(trained, metadata, tmp_path / "tones.onnx")
    model = onnx.load(path.with_name("tones.encoder.onnx"), load_external_data=False)
    assert {node.op_type for node in model.graph.node} == {"Concat", "Cast", "Gemm", "LeakyRelu", "Sigmoid"}
    assert {each.data_type for each in model.graph.initializer} == {onnx.TensorProto.FLOAT16}
    assert [each.name for each in model.graph.input] == ["magnitude", "chroma"]


def test_an_encoder_that_is_of_another_decoder_is_refused(trained: Trained, metadata: Metadata, tmp_path: Path) -> None:
    path = write(trained, metadata, tmp_path / "tones.onnx")
    path.with_name("tones.encoder.onnx").write_bytes(path.read_bytes())
    with pytest.raises(DecoderError, match="this encoder is not of"):
        open_decoder(path)
    path.with_name("tones.encoder.onnx").write_text("no encoder")
    with pytest.raises(DecoderError, match="the encoder cannot be loaded"):
        open_decoder(path)


def test_operators_are_standard_and_weights_are_inside_and_half_as_large(trained: Trained, metadata: Metadata, tmp_path: Path) -> None:
    model = onnx.load(write(trained, metadata, tmp_path / "tones.onnx"), load_external_data=False)
    assert {node.op_type for node in model.graph.node} == {"Concat", "Cast", "Gemm", "LeakyRelu", "Relu"}
    assert {node.domain for node in model.graph.node} == {""}
    assert {each.data_type for each in model.graph.initializer} == {onnx.TensorProto.FLOAT16}
    assert not any(each.external_data for each in model.graph.initializer)


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_every_variant_of_the_paper_is_exported(name: str, tmp_path: Path) -> None:
    model = replace(CONFIGURATIONS[name].model(3, 2, SMALL.n_bins), widths=(64, 32))
    takes = ("magnitude", "chroma", "register") if model.augmentation == "chroma" else ("magnitude",)
    trained = Trained(models.build(model, seed=440), (3, 4), 0, 0.0, 0.0, False)
    loud = [weights + 0.02 for weights in trained.autoencoder.decoder.get_weights()]  # untaught: so that it is nowhere silent
    trained.autoencoder.decoder.set_weights(loud)
    export.round_weights(trained)
    stft = {"sample_rate_hz": SMALL.sample_rate_hz, "window_samples": SMALL.window_samples, "hop_samples": SMALL.hop_samples}
    latents = (Latent(-1.0, 0.0, 1.0),) * 3
    metadata = Metadata("V", "frame", **stft, latents=latents, midi_low=48, midi_high=71, home_octaves=(4,) * 12, chroma=model.skip)
    path = write(trained, replace(metadata, registers=(3, 4) if model.skip else ()), tmp_path / f"{name}.onnx")  # compares to 1e-5, or raises
    opened = open_decoder(path)
    assert export.takes_note(trained.autoencoder.decoder) is model.skip
    assert tuple(each.name for each in opened.encoder.get_inputs()) == takes
    notes = np.array([50, 60, 65])
    magnitude = np.random.default_rng(440).random((3, SMALL.n_bins), np.float32)
    condition = batches.condition(notes, (3, 4))
    latent = np.asarray(trained.autoencoder.encoder([magnitude, condition], training=False))
    np.testing.assert_allclose(export.run(path.with_name(f"{name}.encoder.onnx"), magnitude, condition), latent, atol=1e-5)
    np.testing.assert_allclose(export.run(path, latent, condition), train.decoded(trained, latent, condition), atol=1e-5)
    assert opened.decode(opened.embed(magnitude, notes), notes).shape == magnitude.shape


def test_latents_carry_what_the_corpus_used(metadata: Metadata, trained: Trained, hops: Hops) -> None:
    latent = train.embedding(trained, hops, hops.rows(0))
    for k, each in enumerate(metadata.latents):
        assert each.low <= each.median <= each.high
        assert (latent[:, k] < each.low).mean() == pytest.approx(0.01, abs=0.01)
    assert [each.name for each in metadata.latents] == ["brightness", ""]


def test_points_are_faders(evaluation: Evaluation) -> None:
    assert list(evaluation.points) == ["b0.2", "b0.4", "b0.6"]
    assert all(0 <= value <= 1 for point in evaluation.points.values() for value in point)
    assert evaluation.points["b0.2"] != evaluation.points["b0.6"]


def test_a_difference_is_refused_and_the_old_file_stays(
    trained: Trained, metadata: Metadata, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tones.onnx"
    path.write_bytes(b"old")
    monkeypatch.setattr(export, "decoded", lambda *args: train.decoded(*args) + 1e-4)
    with pytest.raises(DecoderError, match=r"differs from the trained one by 1\.0e-04"):
        write(trained, metadata, path)
    assert path.read_bytes() == b"old"
