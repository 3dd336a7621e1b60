"""What was just heard, for whoever wants it: the last seconds of sound in shared memory, and how a recording of it fares.

The engine writes each block as it gives it to the device; a recorder, or a page that listens, reads at its own pace from wherever it likes within
the last seconds. Nobody waits for anybody: a reader that is too slow is told so. Plain Python (no NumPy), imports nothing of the house; the
parent creates the file, every process maps it.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import struct
import time
from dataclasses import asdict, dataclass
from pathlib import Path

RING_BYTES = 8 * 1024 * 1024  # 24 s of stereo at 44.1 kHz, 3 s of sixteen channels
_SAMPLE_BYTES = 4  # float32
_MARGIN_SAMPLES = 16384  # the most that may be on its way into the ring while somebody reads: what is laid there and a block
_MOST_LAID_SAMPLES = 8192
_STREAM = struct.Struct("=QQQd")  # generation (odd while it changes), sample rate, channels; when it began
_WRITTEN_AT, _RECORDING_AT, _RECORDING_BYTES, _RING_AT = 64, 128, 4096 - 128, 4096


class TooLate(Exception):
    """What was to be read has been written over."""


@dataclass(frozen=True, slots=True)
class Stream:
    """The sound of one engine; another one has another generation, and counts its samples from 0."""

    generation: int
    sample_rate_hz: int
    n_channels: int
    begun_seconds: float  # of ``time.monotonic``
    written_samples: int

    @property
    def capacity_samples(self) -> int:
        """How far back it can be read."""
        return RING_BYTES // (_SAMPLE_BYTES * max(1, self.n_channels)) - _MARGIN_SAMPLES


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be recorded: from which sample of which stream, into which file. ``number`` tells this recording from others."""

    number: int
    path: str
    generation: int
    first_sample: int


@dataclass(frozen=True, slots=True)
class Recording:
    """How a recording fares: ``state`` is off, on, done or failed; ``number`` tells one from the next."""

    number: int = 0
    state: str = "off"
    path: str = ""
    seconds: float = 0.0
    sentence: str = ""


class Tap:
    """The file that engine, recorder and listeners map.

    Parameters
    ----------
    path : Path
        Where.
    create : bool
        Make it, and delete it on ``close``.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = path
        self._created = create
        if create:
            with open(path, "wb") as file:
                file.truncate(_RING_AT + RING_BYTES)
        with open(path, "r+b") as file:
            self._map = mmap.mmap(file.fileno(), _RING_AT + RING_BYTES)
        # Not struct: its pack_into writes zeros first, and a zero would be taken for a count.
        self._words = memoryview(self._map)[:_RING_AT].cast("Q")
        self._ring_bytes = 0
        self._written = self._laid = 0
        self._sample_bytes = 0

    def close(self) -> None:
        """Unmap, and delete the file if this side created it."""
        self._words.release()
        with contextlib.suppress(BufferError):
            self._map.close()
        if self._created:
            self.path.unlink(missing_ok=True)

    # ---- the engine

    def begin(self, sample_rate_hz: int, n_channels: int) -> None:
        """Start another stream (engine only)."""
        generation = self._words[0] | 1
        self._words[0] = generation
        self._words[_WRITTEN_AT // 8] = 0
        _STREAM.pack_into(self._map, 0, generation, sample_rate_hz, n_channels, time.monotonic())
        self._written, self._laid, self._sample_bytes = 0, 0, _SAMPLE_BYTES * n_channels
        self._ring_bytes = RING_BYTES // self._sample_bytes * self._sample_bytes
        self._words[0] = generation + 1

    def write(self, block: memoryview) -> None:
        """Add a block: contiguous float32 (samples, channels) (engine only; in the callback)."""
        self._laid = self._put(block)
        self.go_on(self._laid)

    def lay(self, block: memoryview) -> None:
        """Have what will most likely be heard next lie there, as `write` takes it, for `go_on`: nobody sees it yet (engine only; in the callback)."""
        self._laid = self._put(block[:_MOST_LAID_SAMPLES])

    def go_on(self, n_samples: int) -> bool:
        """Add as much of what was laid there; return False, and add nothing, where that is less (engine only; in the callback)."""
        if self._laid < n_samples:
            return False
        self._laid -= n_samples
        self._written += n_samples
        self._words[_WRITTEN_AT // 8] = self._written
        return True

    def _put(self, block: memoryview) -> int:
        view = block.cast("B")
        start = self._written * self._sample_bytes % self._ring_bytes
        first = min(len(view), self._ring_bytes - start)
        self._map[_RING_AT + start : _RING_AT + start + first] = view[:first]
        if first < len(view):
            self._map[_RING_AT : _RING_AT + len(view) - first] = view[first:]
        return len(view) // self._sample_bytes

    # ---- whoever reads

    def stream(self) -> Stream:
        """Return what is there; generation 0 until an engine has begun."""
        for _ in range(10):
            generation, rate, channels, begun = _STREAM.unpack_from(self._map)
            written = self._words[_WRITTEN_AT // 8]
            if not generation & 1 and self._words[0] == generation:
                return Stream(generation, rate, channels, begun, written)
            time.sleep(0.0001)
        return Stream(0, 0, 0, 0.0, 0)  # an engine that was killed half way through `begin`

    def read(self, stream: Stream, start: int, at_most: int) -> bytes:
        """Return samples of a stream from ``start`` on, as they were written; nothing when there are none yet.

        Raises
        ------
        TooLate
            When they, or their whole stream, are gone.
        """
        sample_bytes = _SAMPLE_BYTES * stream.n_channels
        ring_bytes = RING_BYTES // sample_bytes * sample_bytes
        count = max(0, min(at_most, self._words[_WRITTEN_AT // 8] - start))
        at = start * sample_bytes % ring_bytes
        first = min(count * sample_bytes, ring_bytes - at)
        data = self._map[_RING_AT + at : _RING_AT + at + first] + self._map[_RING_AT : _RING_AT + count * sample_bytes - first]
        if self._words[0] != stream.generation or self._words[_WRITTEN_AT // 8] - start > stream.capacity_samples:
            raise TooLate
        return data

    # ---- the recording

    def tell(self, recording: Recording) -> None:
        """Say how the recording fares (recorder, or the parent in its place)."""
        sequence = self._words[_RECORDING_AT // 8] | 1
        self._words[_RECORDING_AT // 8] = sequence
        text = json.dumps(asdict(recording)).encode()[: _RECORDING_BYTES - 16]
        self._words[_RECORDING_AT // 8 + 1] = len(text)
        self._map[_RECORDING_AT + 16 : _RECORDING_AT + 16 + len(text)] = text
        self._words[_RECORDING_AT // 8] = sequence + 1

    def recording(self) -> Recording:
        """Return how the last recording fares, or fared."""
        for _ in range(10):
            sequence, length = self._words[_RECORDING_AT // 8], self._words[_RECORDING_AT // 8 + 1]
            text = self._map[_RECORDING_AT + 16 : _RECORDING_AT + 16 + length]
            if not sequence & 1 and self._words[_RECORDING_AT // 8] == sequence:
                break
            time.sleep(0.0001)
        try:
            return Recording(**json.loads(text)) if text else Recording()
        except (ValueError, TypeError):  # whoever wrote it was killed half way
            return Recording()


def tap_path(memory_path: str) -> Path:
    """Return where the tap beside a shared memory lies."""
    memory = Path(memory_path)
    return memory.with_name(f"tap-{memory.name}")


def open_tap(memory_path: str) -> Tap | None:
    """Return the tap beside a shared memory; None where the parent has made none."""
    try:
        return Tap(tap_path(memory_path))
    except OSError:
        return None
