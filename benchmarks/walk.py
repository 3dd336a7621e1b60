"""A stranger's walk: every block of the README, word for word, on a fresh clone in an empty home. Run: ``make walk``.

Prints after how many seconds each block was done, when the first sound came, and what could not be walked here, with the reason. Another page may
be walked: ``python -m benchmarks.walk docs/install.md``.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from oscsynth.client import Client
from oscsynth.errors import OscsynthError

ROOT = Path(__file__).parent.parent
PORT = 57140
PATIENCE_SECONDS = 900  # the installation downloads
KEPT = ("LANG", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "http_proxy", "https_proxy", "no_proxy", "PYENV_VERSION")

# What never ends by itself; the walk goes on once it sounds.
PLAYS = ("make play", "oscsynth serve")
# What begins by leaving what plays.
LEAVES = ("oscsynth demo",)
# What needs more than a machine, by a part of the block or of the page.
CANNOT = {
    "oscsynth train FOLDER": "the sounds are the reader's own; tests/training trains on some",
    "docker": "Docker is not running here",
    "uv tool": "uv is not installed here",
    "pipx": "pipx is not installed here",
}
NOT_BLOCKS = (
    ("a Max patch", "Max is not installed here; tests/examples/test_max.py reads its messages"),
    ("TouchOSC, a phone, a QR code", "needs a phone; tests/test_layouts.py and tests/page stand in for it"),
    ("keys in the terminal", "tests/test_daemon.py presses them"),
)


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """Give the language and the text of every fenced block."""
    parts = re.split(r"^```(.*)\n", text, flags=re.MULTILINE)
    yield from zip(parts[1::4], parts[2::4], strict=True)


class Walk:
    """A home with a clone in it, and one shell in that clone."""

    def __init__(self, home: Path) -> None:
        self.home, self.clone = home, home / "oscsynth"
        subprocess.run(["git", "clone", "-q", "--no-hardlinks", str(ROOT), str(self.clone)], check=True)
        environment = {name: value for name, value in os.environ.items() if name in KEPT or name.startswith(("PIP_", "UV_"))}
        self.environment = environment | {"HOME": str(home), "PATH": _path(), "TERM": "dumb"}
        self._activated = False
        self._playing: subprocess.Popen[bytes] | None = None
        self.sound_seconds = 0.0  # from the start of the walk

    def shell(self, text: str) -> None:
        """Run lines as they stand."""
        if any(word in text for word in LEAVES):
            self.leave()
        if any(text.startswith(word) for word in PLAYS):
            self._play(text)
        else:
            self.run(["bash", "-e", "-c", text])
        self._activated |= "bin/activate" in text

    def run(self, command: list[str], seconds: float = PATIENCE_SECONDS) -> str:
        """Run a command in the clone, and return what it prints."""
        environment = self.environment
        if self._activated:
            environment = environment | {"PATH": f"{self.clone}/.venv/bin:{environment['PATH']}"}
        done = subprocess.run(command, cwd=self.clone, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds)
        if done.returncode:
            raise RuntimeError(f"{shlex.join(command)[:200]}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout

    def _play(self, text: str) -> None:
        path = f"{self.clone}/.venv/bin:{self.environment['PATH']}" if self._activated else self.environment["PATH"]
        environment = self.environment | {"PATH": path}
        with open(self.home / "played.txt", "ab") as log:
            command = ["bash", "-e", "-c", text]
            self._playing = subprocess.Popen(
                command, cwd=self.clone, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        until = time.monotonic() + PATIENCE_SECONDS
        while not is_sounding():
            if time.monotonic() > until or self._playing.poll() is not None:
                raise RuntimeError((self.home / "played.txt").read_text()[-3000:])
            time.sleep(0.02)

    def leave(self) -> None:
        """End what plays, as q does: Ctrl-C does nothing where this script was started in the background."""
        if self._playing is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._playing.pid, signal.SIGTERM)
            self._playing.wait(60)
            self._playing = None

    def messages(self, text: str) -> None:
        """Send every line that is one."""
        for line in filter(None, text.splitlines()):
            self.run(["oscsynth", "send", *shlex.split(line)])

    def python(self, text: str) -> None:
        """Run a piece of Python."""
        self.run(["python", "-c", text])

    def supercollider(self, text: str) -> None:
        """Have sclang interpret a block, and wait for what it plays."""
        script = self.home / "block.scd"
        script.write_text(f"{text}\n{{ 4.wait; 0.exit }}.fork(AppClock);")
        headless = ["QT_QPA_PLATFORM=offscreen", "QTWEBENGINE_DISABLE_SANDBOX=1"]
        posted = self.run(["env", *headless, "sclang", "-i", "none", str(script)], 60)
        if "ERROR" in posted or "A" not in self.run(["oscsynth", "send", "chroma/name"]).split():
            raise RuntimeError(posted[-2000:])

    def patch(self, text: str) -> None:
        """Save a patch in the user's folder, and play it."""
        said = " ".join(self.run(["oscsynth", "patches"]).split())
        folder = Path(re.search(r"Your own folder is (.*)\.", said)[1])  # type: ignore[index]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "walk.yaml").write_text(text)
        self.run(["oscsynth", "check", str(folder / "walk.yaml")])
        name = re.search(r"^name: (.*)$", text, re.MULTILINE)[1]  # type: ignore[index]
        for _ in range(50):  # it is taken up as soon as it is saved
            with contextlib.suppress(RuntimeError):
                self.run(["oscsynth", "send", "patch", name])
                return
            time.sleep(0.1)
        raise RuntimeError(f"{name} does not come")


HOW: dict[str, Callable[[Walk, str], None]] = {
    "sh": Walk.shell,
    "": Walk.messages,
    "python": Walk.python,
    "supercollider": Walk.supercollider,
    "yaml": Walk.patch,
}


def is_sounding() -> bool:
    """Say whether an instrument at the usual port sounds."""
    try:
        with Client("127.0.0.1", PORT) as client:
            replies = client.ask("/oscsynth/status")
    except OscsynthError:
        return False
    figures = {str(name): value for reply in replies for name, value in zip(reply[1][::2], reply[1][1::2], strict=False)}
    return float(figures.get("peak", 0.0)) > 0.001  # type: ignore[arg-type]


def why_not(language: str, text: str) -> str:
    """Return why a block cannot be walked here; nothing if it can."""
    if language == "supercollider" and not shutil.which("sclang"):
        return "sclang is not installed here"
    for part, why in CANNOT.items():
        if part in text and not (part in ("uv tool", "pipx") and shutil.which(part.split()[0])):
            return why
    return ""


def _path() -> str:
    """Return the way to the system's programs, and to none of this project's."""
    return os.pathsep.join(place for place in os.environ["PATH"].split(os.pathsep) if ".venv" not in place)


def walk(page: str) -> int:
    """Walk one page; return how many blocks failed."""
    n_failed, left_out = 0, [] if page != "README.md" else list(NOT_BLOCKS)
    with tempfile.TemporaryDirectory(prefix="oscsynth-walk-", ignore_cleanup_errors=True) as name:
        stranger = Walk(Path(name))
        begun = time.monotonic()
        try:
            for language, text in blocks((ROOT / page).read_text("utf-8")):
                title = text.strip().splitlines()[0][:60]
                if why := why_not(language, text):
                    left_out.append((title, why))
                    continue
                started = time.monotonic()
                fault = _attempt(HOW[language], stranger, text)
                n_failed += bool(fault)
                print(f"{time.monotonic() - started:7.1f} s  {'FAILED ' if fault else ''}{title}", flush=True)
                if fault:
                    print(fault, file=sys.stderr)
                if text.startswith(PLAYS[0]) and not fault:
                    print(f"{time.monotonic() - begun:7.1f} s  from the clone to the first sound, the installation with it", flush=True)
        finally:
            stranger.leave()
    for title, why in left_out:
        print(f"not walked: {title}: {why}")
    return n_failed


def _attempt(do: Callable[[Walk, str], None], stranger: Walk, text: str) -> str:
    try:
        do(stranger, text)
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        return str(error)
    return ""


def main() -> None:
    """Walk, and leave with 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", nargs="?", default="README.md")
    page = parser.parse_args().page
    if is_sounding():
        raise SystemExit(f"an instrument plays on port {PORT}: end it first")
    raise SystemExit(1 if walk(page) else 0)


if __name__ == "__main__":
    main()
