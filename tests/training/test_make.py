import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import soundfile
from typer.testing import CliRunner

from oscsynth.check import check_files
from oscsynth.errors import CorpusError
from oscsynth.metadata import PROPERTY, parse_metadata
from oscsynth.patch_file import load_patch
from oscsynth.patch_fit import fit
from oscsynth.render import render_file
from training.__main__ import app
from training.own import train_sounds
from training.recipes import RECIPES

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(300)  # two trainings of a whole network, on a machine that may have other things to do


NAME = "../My Kitchen"


def command(strangers: Path, output: Path, *more: str) -> list[str]:
    return ["sounds", str(strangers), "--name", NAME, "--output", str(output), "--work", str(output / "work"), *more]


@pytest.fixture(scope="module")
def made(strangers: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Train on a stranger's folder, have it killed after an epoch, and give the same command again."""
    output = tmp_path_factory.mktemp("patches")
    words = command(strangers, output, "--epochs", "3")
    program = "from training import train; train.SAVE_SECONDS = 0.0; from training.__main__ import app; import sys; app(sys.argv[1:])"
    first = subprocess.Popen([sys.executable, "-c", program, *words], cwd=ROOT, stdout=subprocess.DEVNULL)
    while first.poll() is None and not list((output / "work").glob("*/checkpoint.npz")):
        time.sleep(0.01)
    first.kill()
    assert first.wait() == -signal.SIGKILL, "it should not have come to its end"
    second = subprocess.run([sys.executable, "-m", "training", *words], cwd=ROOT, capture_output=True, text=True)
    assert second.returncode == 0, second.stderr
    return output, second.stdout


def test_what_was_killed_goes_on_from_where_it_was(made: tuple[Path, str]) -> None:
    output, said = made
    assert re.search(r"going on from epoch [23],", said), said
    assert not list((output / "work").iterdir())  # nothing is left behind


def test_the_patch_of_a_strangers_folder_passes_its_check_and_plays(made: tuple[Path, str]) -> None:
    output, _ = made
    checked = list(check_files([output], (output,)))
    assert checked and not [one.faults for one in checked if one.faults]
    (output / "a.score").write_text("0.2 latent/1 0.9\n0.4 chroma/name C\n1 gate 0")
    render_file(output / "a.score", output / "out.wav", patches=output, patch=NAME)
    sound, _ = soundfile.read(output / "out.wav")
    assert np.isfinite(sound).all() and np.abs(sound).max() > 0.02


def test_a_folder_becomes_a_patch_and_its_decoder(made: tuple[Path, str]) -> None:
    folder, _ = made
    there = {str(path.relative_to(folder)) for path in folder.rglob("*.*")}
    assert there >= {"decoders/my-kitchen.encoder.onnx", "decoders/my-kitchen.onnx", "my-kitchen.yaml", "reports/my-kitchen.html"}
    patch = load_patch(folder / "my-kitchen.yaml")
    assert patch.name == "../My Kitchen"
    assert [latent.neuron for latent in patch.latents.values()] == [1, 2]
    session = onnxruntime.InferenceSession(str(folder / "decoders" / "my-kitchen.onnx"))
    metadata = parse_metadata(session.get_modelmeta().custom_metadata_map[PROPERTY])
    assert metadata.title == "../My Kitchen"
    assert fit(patch, metadata) == []
    assert (metadata.sample_rate_hz, metadata.window_samples, metadata.hop_samples) == (44100, 4096, 1024)
    assert [each.shape for each in session.get_inputs()] == [["voices", 2], ["voices", 12]]
    assert session.get_outputs()[0].shape == ["voices", 2049]


def test_what_happened_is_said(made: tuple[Path, str]) -> None:
    _, said = made
    assert "16 sounds" in said
    assert "6 skipped:" in said
    for line in ("silent.wav: silent", "short.wav: too short: 0.050 s", "corrupt.wav: cannot be read", "phone.m4a: m4a files are not read"):
        assert line in said
    assert "2 faders and the note class; at most 3 epochs of 2 batches, about 10 seconds" in said
    assert said.splitlines()[-1].startswith("Play it: oscsynth serve --patches ")


def test_a_full_disk_ends_in_one_sentence_and_leaves_what_was_done(strangers: Path, tmp_path: Path) -> None:
    words = command(strangers, tmp_path, "--epochs", "1")
    program = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000,) * 2); from training.__main__ import app; app(sys.argv[1:])"
    full = subprocess.run([sys.executable, "-c", program, *words], cwd=ROOT, capture_output=True, text=True)
    assert full.returncode == 1
    assert "the disk is full" in full.stderr and "give the same command again" in full.stderr
    assert "Traceback" not in full.stderr
    assert list((tmp_path / "work").glob("*/sounds/corpus.json"))
    assert not list((tmp_path / "work").rglob("*.partial"))


def test_a_folder_with_no_sounds_ends_in_one_sentence(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["sounds", str(tmp_path), "--name", "nothing", "--output", str(tmp_path)])
    assert result.exit_code == 1
    assert "no sounds in this folder" in result.output
    assert "Traceback" not in result.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "...", "- -", "a" * 65])
def test_a_name_that_cannot_be_a_file_s(strangers: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(CorpusError, match="needs a letter or a digit, and at most 64"):
        train_sounds([strangers], name, tmp_path)


def test_recipes_are_listed() -> None:
    output = CliRunner().invoke(app, ["recipes"]).output
    assert [line.split()[0] for line in output.splitlines()] == list(RECIPES)


def test_an_unknown_recipe_ends_in_one_sentence() -> None:
    result = CliRunner().invoke(app, ["recipe", "viola"])
    assert result.exit_code == 1
    assert "there is no recipe 'viola'" in result.output
