"""How what changes crosses from control to engine: shared memory for the latest values, pipes for loading.

Used by both processes and by the parent that creates it; plain Python, imports ``parameters`` and ``patch`` alone.

The shared memory is a file (in memory where the system has such a folder) that all three map. Control writes the state there as often as it
likes: nothing can overflow, the engine takes the latest at each block, and whoever is started again finds it. With it, in the same write, go
the changes that have a time: the engine makes each at its own sample, and control takes it over into the state once that has passed, so
that a restart of either loses none. A sequence number that is odd while control writes lets the engine take all changes of a bundle or none.
The engine writes its telemetry there in the same way.
Decoders to load go through a pipe, since a thread that may wait reads it. The parent holds every end: either side can die.
"""

from __future__ import annotations

import contextlib
import mmap
import struct
import tempfile
from array import array
from dataclasses import dataclass
from pathlib import Path

from .parameters import MAX_CHANGES_AHEAD, MAX_PARTS, N_VALUES, VOICES_AT, State
from .patch import Patch

# How a child leaves: 0 when told to; these; anything else is a crash.
EXIT_HOPELESS = 3  # it said why in a "fatal" event, and starting it again the same way would not help (a port in use, no such device)
EXIT_AGAIN = 4  # a new one is wanted at once (a device that went or came back)

_VOICES_BYTES = 8 * VOICES_AT
AHEAD_AT = N_VALUES  # in doubles: how many changes lie ahead, then three numbers for each
STATE_DOUBLES = AHEAD_AT + 1 + 3 * MAX_CHANGES_AHEAD
_BLOB_BYTES = 512 * 1024
MAX_QUEUE_BYTES = 1024 * 1024
# Header, in words of 8 bytes: state sequence, telemetry sequence; then of the notes, and of the queue: the length of either blob, and which of
# the two is the newest.
_STATE_SEQUENCE, _TELEMETRY_SEQUENCE, _NOTES, _QUEUE = 0, 1, 2, 5
_STATE_AT = 64
_TELEMETRY_AT = _STATE_AT + 8 * STATE_DOUBLES
_TELEMETRY = struct.Struct("=20d")
_POSITION, _POSITION_AT = struct.Struct("=2d"), _TELEMETRY_AT + 4 * 8  # of its fields the fifth and the sixth
_TRACKS_AT = _TELEMETRY_AT + 256
_BLOBS_AT = _TRACKS_AT + 16 * MAX_PARTS
_QUEUES_AT = _BLOBS_AT + 2 * _BLOB_BYTES
_SIZE = _QUEUES_AT + 2 * MAX_QUEUE_BYTES


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What the engine says of itself: where it is after each block, the rest after those in which control has said something, and each 2048 samples.

    While all stands that is with each piece that is made ahead (`renderer.Renderer`). Times are of ``time.monotonic``.
    """

    engine_pid: float = 0.0
    sample_rate_hz: float = 0.0
    block_samples: float = 0.0
    latency_seconds: float = 0.0
    position_samples: float = 0.0  # engine samples rendered so far
    position_seconds: float = 0.0  # when the block that ended there was begun
    load: float = 0.0  # time to render a block over its length, smoothed
    load_peak: float = 0.0  # the worst since the start
    underruns: float = 0.0
    faults: float = 0.0  # NaN or infinity made silent
    peak: float = 0.0  # of the last second, 1.0 is full scale
    sounding_parts: float = 0.0
    late_blocks: float = 0.0  # blocks that took longer than they last
    errors: float = 0.0  # exceptions in the render, each faded to silence
    loaded: float = 0.0  # patches ready
    reached_seconds: float = 0.0  # what was due before this moment has happened
    real_time: float = 0.0  # 1: the thread that renders has a real-time place
    sounding_voices: float = 0.0  # notes that are heard
    shed: float = 0.0  # notes given up because the processor did not keep up
    held_up: float = 0.0  # late blocks in which the engine computed no longer than it may: another program or the system kept it waiting

    def figures(self) -> dict[str, float]:
        """Return what ``/status`` says of it."""
        return {
            "sounding": int(self.sounding_parts),
            "voices": int(self.sounding_voices),
            "shed": int(self.shed),
            "peak": self.peak,
            "load": self.load,
            "load_peak": self.load_peak,
            "latency_ms": 1000 * self.latency_seconds,
            "sample_rate_hz": int(self.sample_rate_hz),
            "underruns": int(self.underruns),
            "late_blocks": int(self.late_blocks),
            "held_up": int(self.held_up),
            "real_time": int(self.real_time),
            "faults": int(self.faults + self.errors),
        }


@dataclass(frozen=True, slots=True)
class Load:
    """Control to engine: have this patch ready under this number; ``None`` forgets it."""

    number: int
    patch: Patch | None


@dataclass(frozen=True, slots=True)
class Loaded:
    """Engine to control: this number is ready, or why it is not. ``number`` -1: a new engine has started, send everything again."""

    number: int
    error: str = ""
    engine_pid: int = 0


class SharedMemory:
    """The file that control, engine and parent map.

    Parameters
    ----------
    path
        An existing one; a new one is created, and deleted by its creator's ``close``, when left out.
    """

    def __init__(self, path: str | None = None) -> None:
        self._created = path is None
        if path is None:
            folder = "/dev/shm" if Path("/dev/shm").is_dir() else None
            with tempfile.NamedTemporaryFile(prefix="oscsynth-", dir=folder, delete=False) as new:
                new.truncate(_SIZE)
            path = new.name
        self.path = path
        with open(path, "r+b") as file:
            self._map = mmap.mmap(file.fileno(), _SIZE)
        # Not struct: its pack_into writes zeros first, and a zero in a sequence number would be taken for a finished write.
        self._header = memoryview(self._map)[:_STATE_AT].cast("Q")
        self._n_ahead = memoryview(self._map)[_STATE_AT + 8 * AHEAD_AT : _STATE_AT + 8 * AHEAD_AT + 8].cast("d")
        self._tracks = memoryview(self._map)[_TRACKS_AT:_BLOBS_AT].cast("d")
        self._voices_revision = -1
        self._telemetry: Telemetry | None = None  # what was read last
        if self._created:
            self.write_state(State())

    def close(self) -> None:
        """Unmap, and delete the file if this side created it."""
        self._header.release()
        self._n_ahead.release()
        self._tracks.release()
        with contextlib.suppress(BufferError):
            self._map.close()
        if self._created:
            Path(self.path).unlink(missing_ok=True)

    def _begin(self, at: int) -> int:
        # A writer that was killed half way left an odd number: go on from it.
        sequence: int = self._header[at] | 1
        self._header[at] = sequence
        return sequence

    def write_state(self, state: State) -> None:
        """Make every change since the last call visible at once, with what lies ahead (control only)."""
        ahead = array("d", (len(state.ahead) // 3,)) + state.ahead
        values = memoryview(state.values).cast("B")
        sequence = self._begin(_STATE_SEQUENCE)
        self._map[_STATE_AT : _STATE_AT + _VOICES_BYTES] = values[:_VOICES_BYTES]
        start = _STATE_AT + 8 * AHEAD_AT
        # Faders move far more often than notes come, and the voices are most of it.
        if state.voices_revision < 0 or state.voices_revision != self._voices_revision:
            self._map[_STATE_AT + _VOICES_BYTES : start] = values[_VOICES_BYTES:]
            self._voices_revision = state.voices_revision
        self._map[start : start + 8 * len(ahead)] = memoryview(ahead).cast("B")
        self._header[_STATE_SEQUENCE] = sequence + 1

    @property
    def state_sequence(self) -> int:
        """The number that `read_state` returns, and another one while control writes."""
        sequence: int = self._header[_STATE_SEQUENCE]
        return sequence

    def read_state(self, into: memoryview | bytearray, known: int = -1) -> int:
        """Copy the state, as far as it goes, into a writable buffer of `STATE_DOUBLES`, or of fewer, and return its sequence number.

        The values come first; at `AHEAD_AT` the number of changes that lie ahead, and three doubles for each, as `State` has them. Returns
        ``known`` and copies nothing when nothing has changed since that number, or while control is writing: never waits.
        """
        before: int = self._header[_STATE_SEQUENCE]
        if before == known or before & 1:
            return known
        n_ahead = self._n_ahead[0]
        length = AHEAD_AT + 1 + 3 * int(n_ahead) if 0 <= n_ahead <= MAX_CHANGES_AHEAD else STATE_DOUBLES
        length = min(8 * length, len(into))
        copy = self._map[_STATE_AT : _STATE_AT + length]
        if self._header[_STATE_SEQUENCE] != before:
            return known
        into[:length] = copy
        return before

    def restore_state(self) -> State:
        """Return the state as the last control left it (for a control that takes over)."""
        state = State()
        doubles = array("d", self._map[_STATE_AT : _STATE_AT + 8 * STATE_DOUBLES])
        state.values[:] = doubles[:AHEAD_AT]
        state.ahead = doubles[AHEAD_AT + 1 : AHEAD_AT + 1 + 3 * int(doubles[AHEAD_AT])]
        return state

    def write_telemetry(self, telemetry: tuple[float, ...]) -> None:
        """Write the fields of `Telemetry` in order (engine only)."""
        sequence = self._begin(_TELEMETRY_SEQUENCE)
        _TELEMETRY.pack_into(self._map, _TELEMETRY_AT, *telemetry)
        self._header[_TELEMETRY_SEQUENCE] = sequence + 1

    def write_position(self, samples: float, seconds: float) -> None:
        """Write ``position_samples`` and ``position_seconds`` of `Telemetry`, and leave the rest as it is (engine only)."""
        sequence = self._begin(_TELEMETRY_SEQUENCE)
        _POSITION.pack_into(self._map, _POSITION_AT, samples, seconds)
        self._header[_TELEMETRY_SEQUENCE] = sequence + 1

    def read_telemetry(self) -> Telemetry:
        """Return the engine's latest telemetry; what was read before, if anything was, while the engine stands still in the middle of writing it."""
        for _ in range(10):
            before = self._header[_TELEMETRY_SEQUENCE]
            values = _TELEMETRY.unpack_from(self._map, _TELEMETRY_AT)
            if not before & 1 and self._header[_TELEMETRY_SEQUENCE] == before:
                self._telemetry = Telemetry(*values)
                break
        return self._telemetry or Telemetry(*values)

    def write_tracks(self, seconds: list[tuple[float, float]]) -> None:
        """Say where in its track each part is, and how long that is (engine only)."""
        for at, (position, length) in enumerate(seconds):
            self._tracks[2 * at], self._tracks[2 * at + 1] = position, length

    def read_track(self, part: int) -> tuple[float, float]:
        """Return where in its track a part is, 1 to 8, and how long that is, in seconds."""
        return self._tracks[2 * part - 2], self._tracks[2 * part - 1]

    def write_notes(self, text: str) -> None:
        """Keep what control must know again after a restart (JSON: patch names, snapshots); the older of two places is overwritten.

        Raises
        ------
        ValueError
            When it is longer than 512 KiB.
        """
        data = text.encode()
        if len(data) > _BLOB_BYTES:
            raise ValueError(f"control's notes are {len(data)} bytes long; at most {_BLOB_BYTES} fit")
        self._write_blob(_NOTES, _BLOBS_AT, _BLOB_BYTES, data)

    def read_notes(self) -> str:
        """Return what the last control kept, or an empty text."""
        return self._read_blob(_NOTES, _BLOBS_AT, _BLOB_BYTES).decode()

    def write_queue(self, data: bytes) -> None:
        """Keep the bundles that are not due yet, as control packs them; at most `MAX_QUEUE_BYTES`."""
        self._write_blob(_QUEUE, _QUEUES_AT, MAX_QUEUE_BYTES, data)

    def read_queue(self) -> bytes:
        """Return what the last control kept of its queue, or nothing."""
        return self._read_blob(_QUEUE, _QUEUES_AT, MAX_QUEUE_BYTES)

    def _write_blob(self, header: int, at: int, size: int, data: bytes) -> None:
        place = 1 - self._header[header + 2]
        start = at + place * size
        self._map[start : start + len(data)] = data
        self._header[header + place] = len(data)
        self._header[header + 2] = place

    def _read_blob(self, header: int, at: int, size: int) -> bytes:
        place = self._header[header + 2]
        start = at + place * size
        return self._map[start : start + self._header[header + place]]
