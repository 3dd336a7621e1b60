"""First step: a corpus to shards, split into training, validation and test.

The split keeps the clips of a group together (a note, an instrument, a recording): neighbouring hops overlap by three quarters, so
a split by hop would test on what was taught. Sources are prepared on all cores, each to a shard of its own; a shard that is there is
not made again, so that what was killed goes on.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from oscsynth.errors import CorpusError

from . import chroma, shards, spectra
from .corpora import Clip, Corpus, Skipped, Source, list_skipped
from .shards import Shards
from .spectra import Stft

TRAIN, VALIDATION, TEST = 0, 1, 2
PARTS = {"training": TRAIN, "validation": VALIDATION, "test": TEST}
SHARES = (0.875, 0.0625, 0.0625)  # 70, 5 and 5 of 80, as in the paper
PITCH_SOURCES = ("known", "librosa")
FORMAT_VERSION = 1
MEMORY_BYTES = 2**30  # a corpus larger than this streams from disk
ALONE_SECONDS = 120.0  # less sound than this is not worth the start of other processes

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Hops:
    """A corpus as training sees it, one row a hop."""

    magnitude: np.ndarray | Shards  # (hops, n_bins) float32, peak 1; indexed by an array of rows either way
    pitch_midi: np.ndarray  # (hops,) int64: the class that it is conditioned on, in its octave
    clip: np.ndarray  # (hops,) int32
    series: np.ndarray  # (hops,) int32: the same gesture at other pitches has the same number
    time: np.ndarray  # (hops,) int32: which hop of its clip
    family: np.ndarray  # (hops,) int32: index into `families`
    part: np.ndarray  # (hops,) int8: TRAIN, VALIDATION or TEST
    families: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    stft: Stft
    n_unclear: int = 0  # hops left out because their strongest class was not the note played
    names: tuple[str, ...] = ()  # of the clips
    columns: np.ndarray | None = None  # (hops, 12) float32: what is appended instead of the note; see `chroma.ancestor_columns`

    def rows(self, part: int) -> np.ndarray:
        """Return the indices of one part of the split: (rows,) int64."""
        return np.flatnonzero(self.part == part)

    @property
    def note_class(self) -> np.ndarray:
        """The note class of each hop: (hops,) int64, 0 is C."""
        return np.asarray(self.pitch_midi % 12)


@dataclass(frozen=True, slots=True)
class Analysis:
    """How clips become rows."""

    stft: Stft
    keep_every: int
    pitch_source: str


def prepare(
    corpus: Corpus,
    stft: Stft,
    *,
    seed: int,
    pitch_source: str = "known",
    folder: Path | None = None,
    memory_bytes: int = MEMORY_BYTES,
    progress: Progress = lambda done, expected: None,
) -> Hops:
    """Turn the clips of a corpus into magnitudes, with the pitch, the series and the part of the split of each hop.

    Where the note that was played is known it is used (``known``), and hops whose strongest class by librosa is another (now and
    then a fifth is louder than its root) are left out: they would teach what nobody asked for. ``librosa`` measures the class
    always, as the paper does. The octave of a measured class is the most salient one.

    Parameters
    ----------
    folder : Path, optional
        Where the shards are kept, and found again; without it they are gone when they are in memory.
    memory_bytes : int
        A corpus larger than this, as float32, stays on disk: `Hops.magnitude` is then `Shards`.
    progress : callable
        Told how many sources are prepared, and of how many.

    Raises
    ------
    CorpusError
        When nothing in the corpus can be used, or the folder holds what was prepared otherwise.
    """
    if pitch_source not in PITCH_SOURCES:
        raise ValueError(f"the pitch is {' or '.join(PITCH_SOURCES)}, not {pitch_source!r}")
    how = Analysis(stft, corpus.keep_every, pitch_source)
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="oscsynth-") as passing:
            write_shards(corpus, how, Path(passing), progress)
            return load(corpus, how, Path(passing), seed=seed, memory_bytes=2**62)
    write_shards(corpus, how, folder, progress)
    return load(corpus, how, folder, seed=seed, memory_bytes=memory_bytes)


def write_shards(corpus: Corpus, how: Analysis, folder: Path, progress: Progress) -> None:
    """Prepare every source that has no shard yet, on all cores."""
    import joblib
    from joblib.externals.loky import get_reusable_executor

    _claim(corpus, how, folder)
    todo = [number for number in range(len(corpus.sources)) if not shards.index_path(folder, number).exists()]
    done = len(corpus.sources) - len(todo)
    progress(done, len(corpus.sources))
    alone = corpus.seconds * len(todo) <= ALONE_SECONDS * len(corpus.sources)
    work = joblib.Parallel(n_jobs=1 if alone else -1, return_as="generator_unordered", pre_dispatch="n_jobs")
    for _ in work(joblib.delayed(write_shard)(folder, number, corpus.sources[number], how) for number in todo):
        done += 1
        progress(done, len(corpus.sources))
    if not alone:
        get_reusable_executor().shutdown(wait=True)  # workers would keep their memory while training goes on


def _claim(corpus: Corpus, how: Analysis, folder: Path) -> None:
    """Make the folder this corpus's, or say whose it is; see that the disk is large enough."""
    folder.mkdir(parents=True, exist_ok=True)
    card = folder / "corpus.json"
    wanted = json.loads(json.dumps({"version": FORMAT_VERSION, "analysis": asdict(how), "key": hashlib.sha256(corpus.key.encode()).hexdigest()}))
    if card.exists():
        _compare(json.loads(card.read_text("utf-8")), wanted, folder)
    else:
        needed, free = _bytes_on_disk(corpus, how), shutil.disk_usage(folder).free
        if needed > free:
            raise CorpusError(f"{folder}: preparing {corpus.seconds / 3600:.1f} hours takes {needed / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free")
        partial = card.with_suffix(".partial")
        partial.write_text(json.dumps(wanted), "utf-8")
        os.replace(partial, card)
    for left in folder.glob("*.partial"):
        left.unlink(missing_ok=True)


def _compare(found: dict[str, object], wanted: dict[str, object], folder: Path) -> None:
    then, now = found.get("analysis"), wanted["analysis"]
    if isinstance(then, dict) and isinstance(now, dict) and then.get("stft") != now["stft"]:
        old, new = ("{sample_rate_hz} Hz with a window of {window_samples} and a hop of {hop_samples}".format(**each["stft"]) for each in (then, now))
        raise CorpusError(f"{folder}: its sounds were prepared at {old}; wanted is {new}: use another folder, or remove this one")
    if found != wanted:
        raise CorpusError(f"{folder}: other sounds were prepared there, or these have changed: use another folder, or remove this one")


def _bytes_on_disk(corpus: Corpus, how: Analysis) -> int:
    hops = corpus.seconds * how.stft.sample_rate_hz / how.stft.hop_samples / how.keep_every
    return int(2 * how.stft.n_bins * hops)


def write_shard(folder: Path, number: int, source: Source, how: Analysis) -> None:
    """Prepare one source; runs in a process of its own."""
    with shards.Writer(folder, number) as shard:
        for clip in source():
            if isinstance(clip, Skipped):
                shard.skip(clip.name, clip.reason)
            else:
                shard.add({"name": clip.name, "group": clip.group, "series": clip.series, "family": clip.family}, *rows_of(clip, how))


def rows_of(clip: Clip, how: Analysis) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Return the magnitudes of a clip, the pitch and the time of each hop, and how many hops were unclear."""
    magnitude = spectra.magnitudes(clip.audio, how.stft)
    time = np.flatnonzero(spectra.sounding(magnitude))[:: how.keep_every]
    magnitude = spectra.scaled(magnitude[time])
    if clip.pitch_midi is None or how.pitch_source == "librosa":
        return magnitude, measured_pitch(magnitude, how.stft), time, 0
    clear = chroma.classes(magnitude, how.stft) == clip.pitch_midi % 12
    return magnitude[clear], np.full(int(clear.sum()), clip.pitch_midi), time[clear], int((~clear).sum())


def load(corpus: Corpus, how: Analysis, folder: Path, *, seed: int, memory_bytes: int) -> Hops:
    """Join the shards of a corpus; numbers of clips, series and families do not depend on who prepared what when."""
    indices = [shards.read_index(folder, number) for number in range(len(corpus.sources))]
    clips = [clip for index in indices for clip in index.clips]
    skipped = (*corpus.skipped, *(Skipped(*each) for index in indices for each in index.skipped))
    counts = [len(index.columns["pitch"]) for index in indices]
    if not sum(counts):
        raise CorpusError(f"{corpus.title}: none of its sounds can be used; {list_skipped(skipped)}")
    offsets = np.cumsum([0, *(len(index.clips) for index in indices)])
    clip = np.concatenate([index.columns["clip"] + offset for index, offset in zip(indices, offsets, strict=False)]).astype(np.int32)
    families = tuple(dict.fromkeys(each["family"] for each in clips))
    magnitude = Shards([shards.data_path(folder, number) for number in range(len(indices))], counts, how.stft.n_bins)
    return Hops(
        magnitude[:] if 4 * sum(counts) * how.stft.n_bins <= memory_bytes else magnitude,
        np.concatenate([index.columns["pitch"] for index in indices]).astype(np.int64),
        clip,
        _numbered([each["series"] for each in clips])[clip],
        np.concatenate([index.columns["time"] for index in indices]),
        _numbered([each["family"] for each in clips])[clip],
        split([each["group"] for each in clips], seed)[clip],
        families,
        skipped,
        how.stft,
        sum(index.n_unclear for index in indices),
        tuple(each["name"] for each in clips),
    )


def _numbered(names: list[str]) -> np.ndarray:
    """Give names numbers by their first appearance: (names,) int32."""
    number = {name: index for index, name in enumerate(dict.fromkeys(names))}
    return np.array([number[name] for name in names], np.int32)


def measured_pitch(magnitude: np.ndarray, stft: Stft) -> np.ndarray:
    """Return the note of each hop by its strongest class and the most salient octave: (hops,) int64 MIDI."""
    note_class = chroma.classes(magnitude, stft)
    return np.asarray(12 * (chroma.octaves(magnitude, note_class, stft) + 1) + note_class)


def split(groups: list[str], seed: int) -> np.ndarray:
    """Deal the groups to training, validation and test: (clips,) int8; a group is never divided.

    With three groups or more each part gets one at least. With fewer, training, validation and test share what there is. A group
    called by the name of a part belongs to it, and then nothing is dealt: the others are for training.

    >>> split(["a", "a", "b", "c"], seed=440).tolist()
    [2, 2, 1, 0]
    """
    names = sorted(set(groups))
    if set(names) & set(PARTS):
        return np.asarray([PARTS.get(group, TRAIN) for group in groups], np.int8)
    order = np.random.default_rng(seed).permutation(len(names))
    n_other = [max(1, round(share * len(names))) for share in SHARES[1:]] if len(names) >= 3 else [0, 0]
    of_group = np.zeros(len(names), np.int8)
    of_group[order[: n_other[0]]] = VALIDATION
    of_group[order[n_other[0] : sum(n_other)]] = TEST
    where = {name: index for index, name in enumerate(names)}
    return of_group[[where[group] for group in groups]]
