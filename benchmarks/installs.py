"""The installs of docs/install.md, each in an empty home: ``make walk-installs``.

Every block that installs is run word for word, with uv and pipx as they come from PyPI; then once more with the wheel instead of the folder. After
each the command that came out of it checks itself, lists its patches, says what training needs, and plays into a file.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.serving import free_port

from .machine import machine
from .walk import ROOT, Walk, blocks

PAGE = ROOT / "docs" / "install.md"
FOLDER = '".[midi]"'  # what the page installs
WAYS = {"uv": "uv tool", "pipx": "pipx", "pip": "python3 -m venv"}  # by how their blocks begin
COMMANDS = ("--version", "check", "patches", "train --help")
SOUND_SECONDS = 30


def ways() -> Iterator[tuple[str, str]]:
    """Give the name and the block of every way, with the folder and with a wheel."""
    found = [text for language, text in blocks(PAGE.read_text("utf-8")) if language == "sh"]
    for name, begins in WAYS.items():
        (text,) = [text for text in found if text.startswith(begins)]
        text = without_fetching(text) if "--python 3.12" in text else text
        if FOLDER not in text:
            raise SystemExit(f"{PAGE}: the block of {name} does not install {FOLDER}")
        yield f"{name}, the folder", text
        yield f"{name}, the wheel", text.replace(FOLDER, '"$(ls $PWD/dist/*.whl)[midi]"')


def without_fetching(text: str) -> str:
    """Return a block with this Python in the place of one that uv would fetch, where it cannot be fetched."""
    if subprocess.run(["uv", "python", "install", "-q", "3.12"], capture_output=True).returncode == 0:
        return text
    print(f"Python 3.12 cannot be fetched from here: {sys.version.split()[0]} instead")
    return text.replace("--python 3.12", f"--python {sys.version_info.major}.{sys.version_info.minor}")


def tools(folder: Path) -> Path:
    """Install uv and pipx, and return the folder of their commands."""
    subprocess.run(["uv", "venv", "-q", folder], check=True)
    subprocess.run(["uv", "pip", "install", "-q", "--python", folder, "uv", "pipx"], check=True)
    return folder / "bin"


def first_sound_seconds(walk: Walk, oscsynth: Path) -> float:
    """Serve into a file until it sounds, leave, and return how long that took.

    Raises
    ------
    RuntimeError
        When nothing is heard, or it does not leave as it should.
    """
    sound, log = walk.home / f"{time.monotonic_ns()}.wav", walk.home / "serve.txt"
    ports = ["--port", str(free_port()), "--http-port", str(free_port()), "--no-announce"]
    begun = time.monotonic()
    with open(log, "wb") as out:
        command = [str(oscsynth), "serve", "--audio", str(sound), *ports]
        serve = subprocess.Popen(command, cwd=walk.home, env=walk.environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        while not (sound.exists() and any(sound.read_bytes()[44:])):
            if serve.poll() is not None or time.monotonic() - begun > SOUND_SECONDS:
                raise RuntimeError(log.read_text())
            time.sleep(0.02)
        seconds = time.monotonic() - begun
    finally:
        serve.send_signal(signal.SIGTERM)
        code = serve.wait(20)
    if code:
        raise RuntimeError(f"serve ended with {code}: {log.read_text()}")
    return seconds


def installed(walk: Walk) -> Path:
    """Return the command that an installation left."""
    there = [path for path in (walk.home / ".local/bin/oscsynth", walk.home / "oscsynth-venv/bin/oscsynth") if path.exists()]
    if len(there) != 1:
        raise RuntimeError(f"{len(there)} commands named oscsynth: {there}")
    return there[0]


def walk_one(text: str, path: Path, home: Path) -> tuple[float, float, float]:
    """Install in an empty home, and return the seconds of the installation, and to the first and second first sound."""
    walk = Walk(home)
    walk.environment["PATH"] = os.pathsep.join((str(path), str(home / ".local/bin"), walk.environment["PATH"]))
    if "dist" in text:
        walk.run(["uv", "build", "-q", "--wheel"])
    begun = time.monotonic()
    walk.run(["bash", "-e", "-c", text.replace("oscsynth demo", "oscsynth demo --audio tour.wav")])
    seconds, oscsynth = time.monotonic() - begun, installed(walk)
    for command in COMMANDS:
        walk.run([str(oscsynth), *command.split()])
    return seconds, first_sound_seconds(walk, oscsynth), first_sound_seconds(walk, oscsynth)


def main() -> None:
    """Walk all of them."""
    print(machine())
    with tempfile.TemporaryDirectory(prefix="oscsynth-installs-", ignore_cleanup_errors=True) as name:
        path = tools(Path(name) / "tools")
        for number, (way, text) in enumerate(ways()):
            home = Path(name) / str(number)
            home.mkdir()
            installing, first, second = walk_one(text, path, home)
            print(f"{way:18} installed in {installing:5.1f} s, first sound after {first:4.1f} s, then {second:4.1f} s", flush=True)


if __name__ == "__main__":
    main()
