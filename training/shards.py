"""Magnitudes on disk, float16, so that a corpus need not fit into memory.

One shard is one source of a corpus: ``NUMBER.f16``, rows of magnitudes one after the other, and ``NUMBER.npz``, everything else there
is to know of each row. The second is written last, so a shard that has it is whole.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from oscsynth.errors import CorpusError

COLUMNS = ("pitch", "clip", "time")
BLOCK_ROWS = 256  # neighbours on disk that are read together: 1 MB
WINDOW_BLOCKS = 64  # blocks from all over the corpus, in memory at once, whose rows are shuffled with each other: 67 MB


@dataclass(frozen=True, slots=True)
class Index:
    """What a shard holds beside magnitudes."""

    columns: dict[str, np.ndarray]  # of COLUMNS: (rows,) int32; `clip` counts within the shard
    clips: list[dict[str, str]]  # name, group, series, family
    skipped: list[tuple[str, str]]
    n_unclear: int


def data_path(folder: Path, number: int) -> Path:
    """Return where the magnitudes of a shard lie."""
    return folder / f"{number:05d}.f16"


def index_path(folder: Path, number: int) -> Path:
    """Return where the rest lies; there is such a file when the shard is whole."""
    return folder / f"{number:05d}.npz"


class Writer:
    """Writes one shard, clip by clip; only when the block ends well is there a shard."""

    def __init__(self, folder: Path, number: int) -> None:
        self.folder, self.number = folder, number
        self._clips: list[dict[str, str]] = []
        self._skipped: list[tuple[str, str]] = []
        self._columns: dict[str, list[np.ndarray]] = {name: [np.zeros(0, np.int32)] for name in COLUMNS}
        self._n_unclear = 0
        self._partial = folder / f"{number:05d}-{os.getpid()}.partial"

    def __enter__(self) -> Writer:
        self._file = self._partial.open("wb")
        return self

    def skip(self, name: str, reason: str) -> None:
        """Note a sound that cannot be used."""
        self._skipped.append((name, reason))

    def add(self, clip: dict[str, str], magnitude: np.ndarray, pitch: np.ndarray, time: np.ndarray, n_unclear: int) -> None:
        """Add the hops of a clip: (hops, n_bins) magnitudes, (hops,) pitches and times."""
        self._file.write(np.ascontiguousarray(magnitude, "<f2").data)
        for name, values in (("pitch", pitch), ("time", time), ("clip", np.full(len(time), len(self._clips)))):
            self._columns[name].append(values.astype(np.int32))
        self._clips.append(clip)
        self._n_unclear += n_unclear

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        try:
            self._file.close()
            if kind is None:
                os.replace(self._partial, data_path(self.folder, self.number))
                self._write_index()
        finally:
            self._partial.unlink(missing_ok=True)

    def _write_index(self) -> None:
        notes = json.dumps({"clips": self._clips, "skipped": self._skipped, "n_unclear": self._n_unclear}).encode()
        columns = {name: np.concatenate(parts) for name, parts in self._columns.items()}
        with self._partial.open("wb") as file:
            np.savez(file, notes=np.frombuffer(notes, np.uint8), **columns)
        os.replace(self._partial, index_path(self.folder, self.number))


def read_index(folder: Path, number: int) -> Index:
    """Return what a shard holds beside magnitudes.

    Raises
    ------
    CorpusError
        When a column is missing, or the file is none.
    """
    path = index_path(folder, number)
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            missing = [name for name in COLUMNS if name not in stored]
            if missing:
                raise CorpusError(f"{path}: its column {missing[0]} is missing, without which no note is known: remove {folder} to prepare it again")
            notes = json.loads(stored["notes"].tobytes())
            columns = {name: stored[name] for name in COLUMNS}
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise CorpusError(f"{path}: this is no prepared sound ({error}): remove {folder} to prepare it again") from error
    return Index(columns, notes["clips"], [(name, reason) for name, reason in notes["skipped"]], notes["n_unclear"])


class Shards:
    """Rows of magnitudes on disk that are indexed like an array: ``shards[rows]`` is (rows, n_bins) float32.

    What `hold` was given is in memory; everything else is read when it is asked for, neighbours in one piece.
    """

    dtype = np.dtype(np.float32)

    def __init__(self, paths: list[Path], counts: list[int], n_bins: int) -> None:
        self.paths, self.n_bins = paths, n_bins
        self.starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)  # first row of each shard, and the end
        self._held_rows = np.zeros(0, np.int64)  # sorted
        self._held = np.zeros((0, n_bins), np.float16)
        for path, count in zip(paths, counts, strict=True):
            if path.stat().st_size != 2 * n_bins * count:
                raise CorpusError(f"{path}: it holds {path.stat().st_size} bytes, not {count} spectra of {n_bins} bins: remove {path.parent}")

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and bins."""
        return int(self.starts[-1]), self.n_bins

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: np.ndarray | slice) -> np.ndarray:
        rows = np.arange(len(self))[rows]
        if not len(self._held_rows):
            return self._read(rows).astype(np.float32)
        place = np.minimum(np.searchsorted(self._held_rows, rows), len(self._held_rows) - 1)
        held = self._held_rows[place] == rows
        result = np.empty((len(rows), self.n_bins), np.float32)
        result[held] = self._held[place[held]]
        result[~held] = self._read(rows[~held])
        return result

    def hold(self, rows: np.ndarray) -> None:
        """Read rows into memory, in place of those that are held."""
        self._held_rows, self._held = np.zeros(0, np.int64), np.zeros((0, self.n_bins), np.float16)  # let go before there is more
        rows = np.unique(rows)
        self._held = self._read(rows)
        self._held_rows = rows

    def _read(self, rows: np.ndarray) -> np.ndarray:
        """Return rows from disk: (rows, n_bins) float16, each run of neighbours in one read."""
        if not len(rows):
            return np.zeros((0, self.n_bins), np.float16)
        wanted, where = np.unique(rows, return_inverse=True)
        shard = np.searchsorted(self.starts, wanted, side="right") - 1
        breaks = np.flatnonzero((np.diff(wanted) != 1) | (np.diff(shard) != 0)) + 1
        result = np.empty((len(wanted), self.n_bins), "<f2")
        for first, last in zip([0, *breaks], [*breaks, len(wanted)], strict=True):
            number = shard[first]
            with self.paths[number].open("rb", buffering=0) as file:
                file.seek(2 * self.n_bins * int(wanted[first] - self.starts[number]))
                read_whole(file, result[first:last])
        return result if len(wanted) == len(rows) and (where[:-1] < where[1:]).all() else result[where]


def read_whole(file: object, into: np.ndarray) -> None:
    """Fill an array from a file that may give less than is asked for at once."""
    view = memoryview(into).cast("B")
    while len(view):
        count = file.readinto(view)  # type: ignore[attr-defined]
        if not count:
            raise CorpusError("a file of prepared sounds ended too early: remove its folder to prepare it again")
        view = view[count:]


def windows(rows: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """Shuffle rows by blocks, so that a stream from disk comes in large pieces: each window is read at once.

    Blocks of neighbours are put in random order, then the rows of every `WINDOW_BLOCKS` blocks are shuffled with each other.

    >>> sorted(np.concatenate(windows(np.arange(1000), np.random.default_rng(440))).tolist()) == list(range(1000))
    True
    """
    blocks = np.array_split(rows, range(BLOCK_ROWS, len(rows), BLOCK_ROWS))
    shuffled = [blocks[number] for number in rng.permutation(len(blocks))]
    return [rng.permutation(np.concatenate(shuffled[start : start + WINDOW_BLOCKS])) for start in range(0, len(shuffled), WINDOW_BLOCKS)]
