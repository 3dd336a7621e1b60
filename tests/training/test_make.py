from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import soundfile
from typer.testing import CliRunner

from oscsynth.errors import CorpusError
from oscsynth.metadata import PROPERTY, parse_metadata
from oscsynth.patch_file import fit, load_patch
from training.__main__ import app
from training.make import train_sounds
from training.recipes import RECIPES

from .conftest import tone


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kitchen")
    for number in range(12):
        audio = tone(60 + number, 0.3, 0.2 + 0.05 * number, 44100)
        soundfile.write(folder / f"glass-{number}.wav", audio, 44100)
    soundfile.write(folder / "silent.wav", np.zeros(44100), 44100)
    return folder


@pytest.fixture(scope="module")
def made(sounds: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    output = tmp_path_factory.mktemp("patches")
    result = CliRunner().invoke(app, ["sounds", str(sounds), "--name", "../My Kitchen", "--output", str(output), "--epochs", "1"])
    assert result.exit_code == 0, result.output
    return output, result.output


def test_a_folder_becomes_a_patch_and_its_decoder(made: tuple[Path, str]) -> None:
    folder, _ = made
    there = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.*") if path.suffix not in (".png", ".flac"))
    assert there == [
        *("decoders/my-kitchen.encoder.onnx", "decoders/my-kitchen.onnx"),
        *("my-kitchen.yaml", "reports/my-kitchen.html", "reports/my-kitchen.md"),
    ]
    patch = load_patch(folder / "my-kitchen.yaml")
    assert patch.name == "../My Kitchen"
    assert [latent.neuron for latent in patch.latents.values()] == [1, 2, 3]
    session = onnxruntime.InferenceSession(str(folder / "decoders" / "my-kitchen.onnx"))
    metadata = parse_metadata(session.get_modelmeta().custom_metadata_map[PROPERTY])
    assert metadata.title == "../My Kitchen"
    assert fit(patch, metadata) == []
    assert (metadata.sample_rate_hz, metadata.window_samples, metadata.hop_samples) == (44100, 4096, 1024)
    assert [each.shape for each in session.get_inputs()] == [["voices", 3], ["voices", 12]]
    assert session.get_outputs()[0].shape == ["voices", 2049]


def test_what_happened_is_said(made: tuple[Path, str]) -> None:
    _, output = made
    assert "12 sounds" in output
    assert "1 skipped" in output
    assert "silent.wav (silent)" in output
    assert "oscsynth serve" in output


def test_a_folder_with_no_sounds_ends_in_one_sentence(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["sounds", str(tmp_path), "--name", "nothing", "--output", str(tmp_path)])
    assert result.exit_code == 1
    assert "no sounds in this folder" in result.output
    assert "Traceback" not in result.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "...", "- -", "a" * 65])
def test_a_name_that_cannot_be_a_file_s(sounds: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(CorpusError, match="needs a letter or a digit, and at most 64"):
        train_sounds([sounds], name, tmp_path)


def test_recipes_are_listed() -> None:
    output = CliRunner().invoke(app, ["recipes"]).output
    assert [line.split()[0] for line in output.splitlines()] == list(RECIPES)


def test_an_unknown_recipe_ends_in_one_sentence() -> None:
    result = CliRunner().invoke(app, ["recipe", "viola"])
    assert result.exit_code == 1
    assert "there is no recipe 'viola'" in result.output
