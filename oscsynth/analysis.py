"""Levels and spectrum of what is heard, worked out in a process of its own, and only while somebody looks.

Control process starts and ends it; the engine knows nothing of it. The process runs ``main``: it maps the tap whose path it is given, and says the
figures on standard output thirty times a second until nobody reads them.
"""

from __future__ import annotations

import struct
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

from .real_time import take_it_easy
from .tap import Stream, Tap, TooLate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

N_BANDS = 96
LOWEST_HZ, HIGHEST_HZ = 30.0, 18000.0  # where the first band begins and the last one ends
FLOOR_DB = -120.0
SILENCE = (FLOOR_DB,) * (2 + N_BANDS)  # left and right, then the bands
WINDOW_SAMPLES = 4096
EVERY_SECONDS = 1 / 30
IDLE_SECONDS = 10.0  # nobody has looked for so long: it ends
RETRY_SECONDS = 5.0
COMMAND = "import sys; from oscsynth.analysis import main; main(sys.argv[1])"  # not -m: runpy would warn
_FIGURES = struct.Struct(f"={len(SILENCE)}f")


class Analyst:
    """The figures, for control: asking for them starts the process, not asking any more ends it.

    Parameters
    ----------
    tap_path : Path
        Of the tap that the engine writes.
    """

    def __init__(self, tap_path: Path) -> None:
        self._path = tap_path
        self._figures: Sequence[float] = SILENCE
        self._asked_seconds = 0.0
        self._leaving = threading.Event()
        self._thread: threading.Thread | None = None

    def figures(self) -> Sequence[float]:
        """Return left and right level, then the bands, in dB; the first answer after a while is silence."""
        self._asked_seconds = time.monotonic()
        if self._thread is None and not self._leaving.is_set():
            self._thread = threading.Thread(target=self._run, name="analyst", daemon=True)
            self._thread.start()
        return self._figures

    def close(self) -> None:
        """End the process, if there is one."""
        self._leaving.set()

    def _run(self) -> None:
        try:
            with subprocess.Popen([sys.executable, "-c", COMMAND, str(self._path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
                assert process.stdout is not None
                self._read(process.stdout)
                process.kill()
        except OSError:
            self._leaving.wait(RETRY_SECONDS)
        self._figures = SILENCE
        if self._is_wanted():  # it died
            self._leaving.wait(RETRY_SECONDS)
        self._thread = None

    def _read(self, output: IO[bytes]) -> None:
        while self._is_wanted() and len(data := output.read(_FIGURES.size)) == _FIGURES.size:
            self._figures = tuple(round(figure, 1) for figure in _FIGURES.unpack(data))

    def _is_wanted(self) -> bool:
        return time.monotonic() < self._asked_seconds + IDLE_SECONDS and not self._leaving.is_set()


# ---- in the process of its own


def main(tap_path: str) -> None:
    """Say the figures of what a tap holds, until nobody reads them."""
    take_it_easy()
    look = Look(Tap(Path(tap_path)))
    try:
        while True:
            sys.stdout.buffer.write(_FIGURES.pack(*look.take()))
            sys.stdout.buffer.flush()
            time.sleep(EVERY_SECONDS)
    except OSError:  # control is gone
        sys.stderr.close()


class Look:
    """Looks at the newest samples, again and again."""

    def __init__(self, tap: Tap) -> None:
        self._tap = tap
        self._seen = (0, 0)  # generation, and how many samples of it

    def take(self) -> Sequence[float]:
        """Return the figures of what has come since the last time; silence when nothing has."""
        import numpy as np

        stream, seen = self._tap.stream(), self._seen
        self._seen = stream.generation, stream.written_samples
        if self._seen == seen or not stream.written_samples:
            return SILENCE
        samples = self._newest(stream)
        n_fresh = stream.written_samples - seen[1] if stream.generation == seen[0] else len(samples)
        if not len(samples):
            return SILENCE
        fresh = samples[-max(1, min(n_fresh, len(samples))) :]
        return [*decibels(np.abs(fresh).max(0) ** 2), *bands(samples, stream.sample_rate_hz)]

    def _newest(self, stream: Stream) -> NDArray[np.float64]:
        """Return the last window of samples, float64 (samples, 2): the first two channels, or one on both."""
        import numpy as np

        try:
            data = self._tap.read(stream, max(0, stream.written_samples - WINDOW_SAMPLES), WINDOW_SAMPLES)
        except TooLate:
            data = b""
        samples = np.frombuffer(data, np.float32).reshape(-1, stream.n_channels)[:, :2].astype(np.float64)
        return samples if stream.n_channels > 1 else np.repeat(samples, 2, axis=1)


def decibels(power: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return powers in dB, at least `FLOOR_DB`."""
    import numpy as np

    found: NDArray[np.float64] = 10.0 * np.log10(np.maximum(power, 10.0 ** (FLOOR_DB / 10.0)))
    return found


def edges_hz() -> NDArray[np.float64]:
    """Return where the bands begin and end, float64 (N_BANDS + 1,): each is as much wider than the one before."""
    import numpy as np

    return np.geomspace(LOWEST_HZ, HIGHEST_HZ, N_BANDS + 1)


def bands(samples: NDArray[np.float64], sample_rate_hz: float) -> NDArray[np.float64]:
    """Return the power of each band in dB, float64 (N_BANDS,); a sine at full scale on both channels has 0 dB.

    Parameters
    ----------
    samples : float64 (samples, 2)
        The newest ones; fewer than `WINDOW_SAMPLES` stand for silence before.
    """
    import numpy as np

    window = np.hanning(WINDOW_SAMPLES + 1)[:-1]
    whole = np.zeros((WINDOW_SAMPLES, samples.shape[1]))
    whole[WINDOW_SAMPLES - len(samples) :] = samples
    power = (np.abs(np.fft.rfft(whole * window[:, None], axis=0)) ** 2).mean(1) * 4.0 / (WINDOW_SAMPLES * (window**2).sum())
    # Read between bins too, from the running sum: narrow bands at the bottom share their bins.
    total = np.concatenate([[0.0], np.cumsum(power)])
    below = np.interp(edges_hz() * WINDOW_SAMPLES / sample_rate_hz + 0.5, np.arange(len(total)), total)
    return decibels(np.diff(below))
