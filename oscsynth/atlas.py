"""Maps of what decoders give: how bright, and how clear a note, each place of a plane of the latent space is.

Control process; each map is drawn in a process of its own that steps back for everything else, one at a time, and is kept: in memory and in the
user's cache folder. The process runs ``main``: a plane in, a map out, one line of JSON each; NumPy and ``sound`` are imported there and nowhere else.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
import json
import logging
import os
import queue
import subprocess
import sys
import threading
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import __version__
from .control.plane import SIZE, Plane
from .real_time import take_it_easy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

log = logging.getLogger(__name__)
DRAW_SECONDS = 60.0  # how long one map may take
# Not -m: runpy would warn where the package is imported already.
COMMAND = "from oscsynth.atlas import main; main()"
MAX_KEPT = 200
_LOWEST_HZ, _HIGHEST_HZ = 60.0, 5000.0  # where notes are told from noise
_LEAST_SPAN_OCTAVES = 0.5  # a plane on which nothing changes is flat
_AT_ONCE = 64  # spectra

Map = dict[str, Any]


class Atlas:
    """All maps.

    Parameters
    ----------
    folder : Path, optional
        Where they are kept instead of the user's cache folder.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._maps: dict[str, Map | None] = {}
        self._coming: dict[str, asyncio.Future[Map | None]] = {}
        self._wanted: queue.LifoQueue[tuple[str, Plane]] = queue.LifoQueue()  # whoever asked last is still there
        self._loop: asyncio.AbstractEventLoop | None = None

    async def draw(self, plane: Plane) -> Map | None:
        """Return the map of a plane, None if there can be none."""
        key = _key(plane)
        if key in self._maps:
            return self._maps[key]
        if key not in self._coming:
            self._start()
            self._coming[key] = asyncio.get_running_loop().create_future()
            self._wanted.put((key, plane))
        return await asyncio.shield(self._coming[key])

    def _start(self) -> None:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            threading.Thread(target=self._run, name="atlas", daemon=True).start()

    def _run(self) -> None:
        import platformdirs

        folder = self._folder or platformdirs.user_cache_path("oscsynth", appauthor=False) / "maps"
        assert self._loop is not None
        with contextlib.suppress(RuntimeError):  # the loop has ended
            while True:
                key, plane = self._wanted.get()
                found = _read(folder / f"{key}.json")
                if found is None and (found := _draw_outside(plane)) is not None:
                    _write(folder, key, found)
                self._loop.call_soon_threadsafe(self._take, key, found)

    def _take(self, key: str, found: Map | None) -> None:
        self._maps[key] = found
        while len(self._maps) > MAX_KEPT:
            del self._maps[next(iter(self._maps))]
        self._coming.pop(key).set_result(found)


def _key(plane: Plane) -> str:
    """Return what tells one map from another: the plane, the decoder's file as it is, and how maps are drawn."""
    try:
        status = os.stat(plane.decoder)
        stamp = status.st_mtime_ns, status.st_size
    except OSError:
        stamp = 0, 0
    return hashlib.sha256(repr((dataclasses.astuple(plane), stamp, __version__)).encode()).hexdigest()[:32]


def _read(path: Path) -> Map | None:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and found.get("size") == SIZE else None


def _write(folder: Path, key: str, found: Map) -> None:
    """Keep a map, and the newest of the others; a folder that cannot be written only means drawing again next time."""
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        beside = folder / f"{key}.{os.getpid()}"
        beside.write_text(json.dumps(found), encoding="utf-8")
        beside.replace(folder / f"{key}.json")
        kept = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime)
        for path in kept[:-MAX_KEPT]:
            path.unlink()


def _draw_outside(plane: Plane) -> Map | None:
    text = json.dumps(dataclasses.asdict(plane))
    try:
        run = subprocess.run([sys.executable, "-c", COMMAND], input=text, capture_output=True, text=True, timeout=DRAW_SECONDS, check=True)
        found: Map = json.loads(run.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        log.debug("no map of %s: %s", plane.decoder, error)
        return None
    return found


# ---- in the process of its own


def main() -> None:
    """Draw the plane on standard input."""
    take_it_easy()
    fields = json.loads(sys.stdin.read())
    print(json.dumps(chart(Plane(**fields))))


def chart(plane: Plane) -> Map:
    """Return the map of a plane: brightness in octaves between its darkest and its brightest place, and how clear the note is.

    Both run from the lower left, row by row: brightness as 16 bits, clarity as 8, in base64.

    Raises
    ------
    DecoderError
        When the decoder cannot be loaded.
    """
    import numpy as np

    from .sound.decoder import Decoder, one_hot

    decoder = Decoder.load(plane.decoder)
    metadata = decoder.metadata
    points = np.tile(np.array(plane.rest, np.float32), (SIZE * SIZE, 1))
    first, second = (np.array(way, np.float32) for way in plane.along)
    points[:, plane.neurons[0]] = np.tile(first, SIZE)
    points[:, plane.neurons[1]] = np.repeat(second, SIZE)
    octave = metadata.home_octaves[plane.pitch_class] if plane.octave is None else plane.octave
    register = int(np.abs(np.array(metadata.registers or (0,)) - octave).argmin())
    chroma = one_hot(np.full(_AT_ONCE, plane.pitch_class), 12)
    registers = one_hot(np.full(_AT_ONCE, register), max(1, len(metadata.registers)))
    hertz = np.arange(decoder.n_bins) * metadata.sample_rate_hz / metadata.window_samples
    both = [features(decoder.decode(points[at : at + _AT_ONCE], chroma, registers), hertz) for at in range(0, len(points), _AT_ONCE)]
    brightness, clarity = (np.concatenate(each) for each in zip(*both, strict=True))
    low, high = float(brightness.min()), float(brightness.max())
    height = (brightness - low) / max(high - low, _LEAST_SPAN_OCTAVES)
    return {
        "size": SIZE,
        "low_hz": 2.0**low,
        "high_hz": 2.0**high,
        "brightness": b64encode((65535 * height).round().astype("<u2").tobytes()).decode(),
        "clarity": b64encode((255 * clarity).round().astype("u1").tobytes()).decode(),
    }


def features(magnitude: NDArray[np.float32], hertz: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return of some spectra, (voices, n_bins), how bright each is and how clear its note: both float64 (voices,).

    Brightness is the centre of the power, as the logarithm to base 2 of hertz. Clarity is 1 when all power between 60 and 5000 Hz lies in one note
    class, and 0 when all twelve have the same.
    """
    import numpy as np

    heard = np.nan_to_num(magnitude.astype(np.float64))[:, 1:] ** 2
    octaves = np.log2(hertz[1:])
    brightness = (heard @ octaves) / np.maximum(heard.sum(1), 1e-30)
    inside = (hertz[1:] >= _LOWEST_HZ) & (hertz[1:] <= _HIGHEST_HZ)
    classes = np.round(12 * octaves[inside]).astype(int) % 12
    folded = heard[:, inside] @ (classes[:, None] == np.arange(12)).astype(float)
    share = folded / np.maximum(folded.sum(1, keepdims=True), 1e-30)
    entropy = -(share * np.log(np.maximum(share, 1e-12))).sum(1) / np.log(12)
    return brightness, np.clip(1 - entropy, 0, 1)


if __name__ == "__main__":
    main()
