"""What ships keeps its promises."""

import re
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from oscsynth.metadata import ENCODER_SUFFIX, PROPERTY, Metadata, parse_metadata
from training import batches, chroma, export
from training.decoder_file import open_decoder
from training.evaluate import mesh, points_in
from training.recipes import RECIPES
from training.spectra import Stft, magnitudes

ROOT = Path(__file__).parents[2]
NOTES = "orchestra"  # of kind note: from `python -m training orchestra`
FILES = sorted(path for path in (ROOT / "patches" / "decoders").glob("*.onnx") if not path.name.endswith(ENCODER_SUFFIX))
DECODERS = [path for path in FILES if path.stem != NOTES]
STFT = Stft()


def metadata_of(path: Path) -> Metadata:
    session = onnxruntime.InferenceSession(str(path))
    return parse_metadata(session.get_modelmeta().custom_metadata_map[PROPERTY])


def box_of(metadata: Metadata) -> np.ndarray:
    return np.array([[each.low for each in metadata.latents], [each.high for each in metadata.latents]], np.float32)


def test_every_decoder_has_its_recipe() -> None:
    assert {path.stem for path in DECODERS} <= set(RECIPES)
    assert len(DECODERS) >= 4


@pytest.mark.parametrize("path", DECODERS, ids=lambda path: path.stem)
def test_a_decoder_is_small_and_says_where_it_comes_from(path: Path) -> None:
    metadata, row = metadata_of(path), RECIPES[path.stem]
    assert path.stat().st_size <= 6_000_000
    assert metadata.licence
    assert metadata.test_mse is not None
    assert metadata.training["command"].startswith(f"python -m training recipe {path.stem} ")
    assert (len(metadata.latents), metadata.registers) == (row.n_latents, row.registers)


@pytest.mark.parametrize("path", DECODERS, ids=lambda path: path.stem)
def test_a_decoder_has_its_page(path: Path) -> None:
    page = (ROOT / "docs" / "decoders" / f"{path.stem}.md").read_text(encoding="utf-8")
    metadata = metadata_of(path)
    assert f"{metadata.test_mse:.2e}" in page
    assert metadata.training["command"] in page
    assert sum(each.stat().st_size for each in (ROOT / "docs" / "decoders").glob(f"{path.stem}[.-]*")) < 3_000_000
    named = re.findall(r"\]\(([^)]+)\)", page)
    assert all((ROOT / "docs" / "decoders" / each).is_file() for each in named)
    for what in ("What the faders do", "The notes", "The latent space", "Before and after"):
        assert f"## {what}" in page


def test_encoders_are_small_and_of_their_decoders() -> None:
    for path in (ROOT / "patches" / "decoders").glob(f"*{ENCODER_SUFFIX}"):
        assert path.stat().st_size <= 6_000_000
        assert open_decoder(path.with_name(path.name.replace(ENCODER_SUFFIX, ".onnx"))).encoder is not None


@pytest.mark.parametrize("path", DECODERS, ids=lambda path: path.stem)
def test_every_class_is_played_everywhere(path: Path) -> None:
    metadata = metadata_of(path)

    def decode(latent: np.ndarray, condition: np.ndarray) -> np.ndarray:
        return export.run(path, latent, condition)

    share = mesh(decode, box_of(metadata), metadata.registers, STFT, np.random.default_rng(440), 100)
    assert share.mean() >= 0.98
    assert share.min() >= 0.94


@pytest.mark.parametrize("note_class", range(12))
def test_the_violin_is_heard_on_the_class_asked_for(note_class: int) -> None:
    """The paper's synthesis: magnitudes with the phase of noise, four windows overlapping."""
    path = ROOT / "patches" / "decoders" / "violin.onnx"
    rng = np.random.default_rng(440)
    latent = np.repeat(points_in(box_of(metadata_of(path)), 1, rng), 60, axis=0)
    registers = metadata_of(path).registers
    magnitude = export.run(path, latent, batches.condition(np.full(60, 60 + note_class), registers))
    phase = np.angle(np.fft.rfft(rng.standard_normal((60, 4096)) * np.hanning(4096)))
    windows = np.fft.irfft(magnitude * np.exp(1j * phase)) * np.hanning(4096)  # (hops, window)
    audio = np.zeros(59 * 1024 + 4096)
    for index, samples in enumerate(windows):
        audio[index * 1024 : index * 1024 + 4096] += samples
    heard = chroma.chroma(magnitudes(audio.astype(np.float32), STFT), STFT).sum(axis=0)
    assert heard.argmax() == note_class
