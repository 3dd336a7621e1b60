"""An encoder for a decoder that there is: encoder, the decoder as it is, and the error of what comes out.

Decoders from before encoders shipped have none, nor have those of the ancestor program. The network is the encoder of Colonel & Keene
2020; only it is trained, so that its latents are those that the decoder knows and every patch sounds as it did.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import onnx
from onnx import helper

from oscsynth.errors import CorpusError
from oscsynth.metadata import ENCODER_SUFFIX, PROPERTY, Metadata, parse_metadata

from . import export, models, prepare
from .corpora import Corpus
from .decoder_file import REGISTERS, DecoderFile, open_decoder
from .evaluate import test_mse
from .frozen import frozen
from .prepare import TEST, TRAIN
from .train import Trained, TrainingConfig, train

Say = Callable[[str], None]

TRAINING = "training"  # property of an encoder: how it came about, a JSON object
MOST_EPOCHS = 60


@dataclass(frozen=True, slots=True)
class Made:
    """What came out: the file, and the mean squared error of encoder and decoder together over the test part."""

    path: Path
    test_mse: float
    interrupted: bool


def train_encoder(
    path: Path,
    corpus: Corpus,
    *,
    epochs: int | None = None,
    minutes: float | None = None,
    seed: int = 440,
    work: Path | None = None,
    command: str = "",
    pitch_source: str = "known",
    config: TrainingConfig | None = None,
    say: Say = print,
    show: bool = True,
) -> Made:
    """Train an encoder for a decoder on a corpus; write it beside the decoder (NAME.encoder.onnx), and its name into the decoder's metadata.

    Parameters
    ----------
    config : TrainingConfig, optional
        How to train, instead of what epochs, minutes and seed say.

    Raises
    ------
    CorpusError
        When nothing in the corpus can be used, or the decoder is of another kind.
    DecoderError
        When the decoder cannot be used, or training fails.
    """
    opened = open_decoder(path)
    if opened.metadata.kind != "frame":
        raise CorpusError(f"{path}: it is a decoder of whole notes: sounds cannot be played through it")
    hops = prepare.prepare(corpus, opened.stft, seed=seed, pitch_source=pitch_source, folder=work / "prepared" if work else None)
    config = config or TrainingConfig(mixing=False, epochs=epochs or MOST_EPOCHS, minutes=minutes, seed=seed)
    trained = train(hops, model_of(opened), config, opened.metadata.registers, show=show, folder=work, autoencoder=beside(opened, seed))
    export.round_weights(trained)
    error = test_mse(trained, hops, hops.rows(TEST) if len(hops.rows(TEST)) else hops.rows(TRAIN))
    facts = {"command": command, "corpus": corpus.description, "epochs": trained.epochs, "minutes": round(trained.seconds / 60, 1), "test_mse": error}
    written = write(trained, path, facts)
    say(f"{written}: test MSE {error:.2e}, of the encoder that the decoder was trained with {opened.metadata.test_mse or float('nan'):.2e}")
    return Made(written, error, trained.interrupted)


def model_of(opened: DecoderFile) -> models.ModelConfig:
    """Return the network whose encoder fits a decoder: as wide as the decoder's own was, where that is known."""
    facts, low, high = opened.metadata.training, opened.decoder.low, opened.decoder.high
    is_unit = bool(low.min() >= 0.0 and high.max() <= 1.0)
    return models.ModelConfig(
        n_bins=opened.decoder.n_bins,
        n_latents=opened.n_latents,
        n_octaves=len(opened.metadata.registers),
        widths=tuple(facts.get("widths") or models.geometric(opened.decoder.n_bins, opened.n_latents)),
        bottleneck=str(facts.get("bottleneck") or ("sigmoid" if is_unit else "leaky_relu")),
    )


def beside(opened: DecoderFile, seed: int) -> models.Autoencoder:
    """Return an autoencoder whose decoder is the file's, and is not trained."""
    config = model_of(opened)
    new = models.build(config, seed)
    return replace(new, decoder=frozen(opened.path.read_bytes(), config.n_latents, config.n_octaves, str(opened.path)))


def write(trained: Trained, decoder: Path, facts: dict[str, object]) -> Path:
    """Write the encoder beside its decoder, and have the decoder name it.

    Raises
    ------
    DecoderError
        When ONNX Runtime's output differs from the network's.
    """
    name = decoder.stem + ENCODER_SUFFIX
    content = export._content(export.encoder_graph(trained), {REGISTERS: json.dumps(trained.registers), TRAINING: json.dumps(facts, sort_keys=True)})
    export._check_encoder(trained, content)
    path = decoder.with_name(name)
    export._write(path, content)  # first: a decoder never names a file that is not there yet
    model = onnx.load_model_from_string(decoder.read_bytes())
    metadata: Metadata = parse_metadata(next(each.value for each in model.metadata_props if each.key == PROPERTY))
    if metadata.encoder != name:
        del model.metadata_props[:]
        helper.set_model_props(model, {PROPERTY: replace(metadata, encoder=name).to_json()})
        export._write(decoder, bytes(model.SerializeToString(deterministic=True)))
    return path
