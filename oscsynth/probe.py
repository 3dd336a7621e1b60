"""Checks decoder files outside the audio process, and remembers what it found.

Used by control and by the command line, on a thread that may wait. A file that takes the checking process down with it, or never ends, is that
file's fault alone. The process runs ``main``: a path in, a line of JSON out; ``sound`` is imported there and nowhere else.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import __version__
from .errors import DecoderError, shown
from .library import factory_folder
from .metadata import ENCODER_SUFFIX, MAX_DECODER_BYTES, Metadata, parse_metadata
from .real_time import take_it_easy

START_SECONDS = 60.0  # a cold disk may need long to bring in ONNX Runtime
CHECK_SECONDS = 20.0
# Not -m: runpy would warn where the package is imported already.
COMMAND = "from oscsynth.probe import main; main()"
_MEMORY_BYTES = 8 * 1024**3
VOUCHERS = "checked.json"  # beside the decoders that ship


@dataclass(frozen=True, slots=True)
class Report:
    """What is known of one file: its metadata, or a sentence that names it and says why it cannot be played."""

    path: Path
    metadata: Metadata | None
    error: str = ""


def probe_decoders(paths: Iterable[Path], *, cache: Path | None = None, check_seconds: float = CHECK_SECONDS) -> Iterator[Report]:
    """Check some decoders; those that have not changed since they were last checked come first, at once.

    Parameters
    ----------
    paths : iterable of Path
        Each is reported once.
    cache : Path, optional
        Where results are kept instead of the user's cache folder.
    check_seconds : float
        How long one file may take.
    """
    cache = cache or _cache_path()
    known = _read_cache(cache)
    unknown: list[Path] = []
    for path in dict.fromkeys(paths):
        why = _refuse_unread(path)
        report = Report(path, None, f"{shown(path)}: {why}") if why else _remembered(path, known) or _vouched_for(path)
        if report is None:
            unknown.append(path)
        else:
            yield report
    with contextlib.ExitStack() as stack:
        child = _Child()
        stack.callback(child.close)
        for path in unknown:
            version = _version(path)
            result, lasting = child.check(path, check_seconds)
            if lasting:
                known[str(path.absolute())] = {"version": version, **result}
                _write_cache(cache, known)
            yield _report(path, result)


def _refuse_unread(path: Path) -> str:
    """Say what is wrong that can be seen without reading."""
    try:
        size = path.stat().st_size
    except OSError as error:
        return "there is no such file" if isinstance(error, FileNotFoundError) else f"it cannot be read: {error.strerror}"
    if not path.is_file():
        return "it is no file"
    if size > MAX_DECODER_BYTES:
        return f"is not a decoder: it is {size} bytes large; at most {MAX_DECODER_BYTES} (128 MiB) are allowed"
    return ""


def _remembered(path: Path, known: dict[str, Any]) -> Report | None:
    """Return the report of a file that has not changed since; None when it must be checked, or when the cache makes no sense."""
    result = known.get(str(path.absolute()))
    if not isinstance(result, dict) or result.get("version") != _version(path):
        return None
    if isinstance(result.get("error"), str):
        return _report(path, result)
    report = _report(path, result) if isinstance(result.get("metadata"), str) else None
    return report if report and report.metadata else None


def _vouched_for(path: Path) -> Report | None:
    """Return the report of a decoder that ships, if it is the very file that was checked before it shipped; so the first start is a fast one."""
    if path.parent.absolute() != (factory_folder() / "decoders").absolute():
        return None
    result = _read_cache(path.parent / VOUCHERS).get(path.name)
    if not isinstance(result, dict) or not isinstance(result.get("metadata"), str) or result.get("sha256") != _digest(path):
        return None
    report = _report(path, result)
    return report if report.metadata else None


def vouch(folder: Path) -> None:
    """Check all decoders of a folder and write the file that says so (``make vouchers``).

    Raises
    ------
    DecoderError
        When one of them cannot be used.
    """
    vouchers = {}
    for path in sorted(path for path in folder.glob("*.onnx") if not path.name.endswith(ENCODER_SUFFIX)):
        result = _check(path)
        if "error" in result:
            raise DecoderError(f"{shown(path)}: {result['error']}")
        vouchers[path.name] = {"sha256": _digest(path), **result}
    (folder / VOUCHERS).write_text(json.dumps(vouchers, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _report(path: Path, result: dict[str, Any]) -> Report:
    try:
        if "metadata" in result:
            return Report(path, parse_metadata(result["metadata"]))
        return Report(path, None, f"{shown(path)}: is not a decoder: {result['error']}")
    except DecoderError as error:
        return Report(path, None, f"{shown(path)}: is not a decoder: {error}")


class _Child:
    """The checking process, started when it is first needed and again after each death."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.Queue[str | None] = queue.Queue()

    def check(self, path: Path, seconds: float) -> tuple[dict[str, Any], bool]:
        """Return the result of one file, and whether it will be the same next time."""
        if self._process is None and not self._start():
            return {"error": "it could not be checked, because the checking process does not start"}, False
        assert self._process is not None and self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(str(path.absolute())) + "\n")
            self._process.stdin.flush()
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            self.close()
            return {"error": f"checking it did not end within {seconds:g} s"}, False
        except OSError:
            line = None
        if line is None or not line.endswith("\n"):
            code = self._process.wait()
            self.close()
            return {"error": f"checking it ended the checking process (exit code {code})"}, False
        result: dict[str, Any] = json.loads(line)
        return result, True

    def close(self) -> None:
        """End the process, at once."""
        if self._process is not None:
            self._process.kill()
            with contextlib.suppress(OSError):
                self._process.communicate()
            self._process = None

    def _start(self) -> bool:
        lines: queue.Queue[str | None] = queue.Queue()
        self._lines = lines
        command = [sys.executable, "-c", COMMAND]
        try:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8")
        except OSError:
            return False
        threading.Thread(target=_pump, args=(process.stdout, lines), daemon=True).start()
        self._process = process
        with contextlib.suppress(queue.Empty):
            if lines.get(timeout=START_SECONDS) is not None:
                return True
        self.close()
        return False


def _pump(stream: Any, lines: queue.Queue[str | None]) -> None:
    with contextlib.suppress(ValueError, OSError):
        for line in stream:
            lines.put(line)
    lines.put(None)


def _cache_path() -> Path:
    import platformdirs

    return platformdirs.user_cache_path("oscsynth", appauthor=False) / "decoders.json"


def _version(path: Path) -> list[Any]:
    """Return what tells one version of a file from another, and one version of the checks from another; empty without a file."""
    try:
        found = path.stat()
        checks = [(Path(__file__).parent / "sound" / f"{name}.py").stat().st_mtime_ns for name in ("decoder_file", "decoder", "note_decoder")]
    except OSError:
        return []
    return [found.st_size, found.st_mtime_ns, __version__, *checks]


def _read_cache(cache: Path) -> dict[str, Any]:
    try:
        known = json.loads(cache.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return known if isinstance(known, dict) else {}


def _write_cache(cache: Path, known: dict[str, Any]) -> None:
    """Replace the cache in one step; a folder that cannot be written only means checking again next time."""
    text = json.dumps({path: result for path, result in known.items() if os.path.exists(path)})
    with contextlib.suppress(OSError):
        cache.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=cache.parent, prefix=cache.name, delete=False, encoding="utf-8") as file:
            file.write(text)
        os.replace(file.name, cache)


def _check(path: Path) -> dict[str, Any]:
    from .sound.decoders import load_decoder, probe

    try:
        decoder = load_decoder(path)
        probe(decoder)
    except DecoderError as error:
        return {"error": str(error).removeprefix(f"{path}: ")}
    return {"metadata": decoder.metadata.to_json()}


def main() -> None:
    """Check the files named on standard input, one line of JSON each, until it ends."""
    take_it_easy()
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # not on Windows

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    from .sound import decoders  # noqa: F401 (counts as starting, not as checking the first file)

    # Libraries may print what they like: it does not get between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(_check(Path(json.loads(line)))), file=answers, flush=True)


if __name__ == "__main__":
    main()
