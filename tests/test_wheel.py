"""The wheel, in an empty environment outside the checkout."""

import os
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.serving import free_port

ROOT = Path(__file__).parent.parent
BUILD_SECONDS = 110


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the interpreter of an environment that holds the wheel and what it depends on."""
    folder = tmp_path_factory.mktemp("wheel")
    run = lambda *command: subprocess.run([sys.executable, "-m", "uv", *map(str, command)], check=True, capture_output=True, timeout=BUILD_SECONDS)  # noqa: E731
    run("build", "--wheel", "-q", "-o", folder, ROOT)
    run("venv", "-q", "--python", sys.executable, folder / "env")
    interpreter = folder / "env" / "bin" / "python"
    run("pip", "install", "-q", "--python", interpreter, *folder.glob("*.whl"))
    return interpreter


def call(python: Path, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [python.parent / "oscsynth", *map(str, arguments)]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(command, cwd=python.parent, env=clean | environment, capture_output=True, text=True, timeout=100)


def test_it_puts_only_itself_beside_other_packages(python: Path) -> None:
    packages = next((python.parent.parent / "lib").glob("python*/site-packages"))
    assert not {"training", "patches", "tests", "benchmarks"} & {path.name for path in packages.iterdir()}
    assert (packages / "oscsynth" / "training").is_dir()


def test_it_brings_the_page(python: Path) -> None:
    packages = next((python.parent.parent / "lib").glob("python*/site-packages"))
    ours = {path.name for path in (ROOT / "oscsynth" / "control" / "web").iterdir()}
    assert "index.html" in ours
    assert {path.name for path in (packages / "oscsynth" / "control" / "web").iterdir()} == ours


def test_it_brings_the_factory_patches(python: Path) -> None:
    assert "Violin" in call(python, "patches").stdout
    checked = call(python, "check")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_it_serves_and_leaves(python: Path, tmp_path: Path) -> None:
    port = str(free_port())
    command = [str(python.parent / "oscsynth"), "serve", "--audio", str(tmp_path / "out.wav"), "--port", port, "--patch", "Violin"]
    serve = subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        for _ in range(40):
            if call(python, "send", "latent/1", "0.7", "--port", port).returncode == 0:
                break
        time.sleep(1)
        assert "0.7" in call(python, "send", "latent/1", "--port", port).stdout
    finally:
        serve.send_signal(signal.SIGTERM)
        output, _ = serve.communicate(timeout=20)
    assert serve.returncode == 0, output
    sound, _ = soundfile.read(tmp_path / "out.wav")
    assert np.abs(sound).max() > 0.02


def test_it_says_what_training_needs_and_trains_where_that_is(python: Path, tmp_path: Path) -> None:
    sounds = tmp_path / "sounds"
    sounds.mkdir()
    for number, pitch in enumerate((220.0, 330.0, 440.0, 550.0, 660.0)):
        tone = 0.3 * np.sin(2 * np.pi * pitch * np.arange(22050) / 44100) * np.exp(-np.arange(22050) / 20000)
        soundfile.write(sounds / f"{number}.wav", tone, 44100)
    without = call(python, "train", sounds, "--output", tmp_path)
    assert without.returncode == 1 and "oscsynth[train]" in without.stderr and "Traceback" not in without.stderr
    # The training packages of this environment, lent to the empty one: 2 GB need not be installed twice.
    with_them = call(python, "train", sounds, "--output", tmp_path, "--name", "Tones", "--epochs", "1", PYTHONPATH=sysconfig.get_path("purelib"))
    assert with_them.returncode == 0, with_them.stdout + with_them.stderr
    checked = call(python, "check", "--patches", tmp_path, next(tmp_path.glob("*.yaml")))
    assert checked.returncode == 0, checked.stdout + checked.stderr
