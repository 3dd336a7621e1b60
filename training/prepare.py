"""First step: a corpus to arrays, split into training, validation and test.

The split keeps the clips of a group together (a note, an instrument, a recording): neighbouring hops overlap by three quarters, so
a split by hop would test on what was taught.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from oscsynth.errors import CorpusError

from . import chroma, spectra
from .corpora import Corpus, Skipped
from .spectra import Stft

TRAIN, VALIDATION, TEST = 0, 1, 2
PARTS = {"training": TRAIN, "validation": VALIDATION, "test": TEST}
SHARES = (0.875, 0.0625, 0.0625)  # 70, 5 and 5 of 80, as in the paper
PITCH_SOURCES = ("known", "librosa")

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Hops:
    """A corpus as training sees it, one row a hop."""

    magnitude: np.ndarray  # (hops, n_bins) float32, peak 1
    pitch_midi: np.ndarray  # (hops,) int64: the class that it is conditioned on, in its octave
    clip: np.ndarray  # (hops,) int64
    series: np.ndarray  # (hops,) int64: the same gesture at other pitches has the same number
    time: np.ndarray  # (hops,) int64: which hop of its clip
    family: np.ndarray  # (hops,) int64: index into `families`
    part: np.ndarray  # (hops,) int8: TRAIN, VALIDATION or TEST
    families: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    stft: Stft
    n_unclear: int = 0  # hops left out because their strongest class was not the note played
    columns: np.ndarray | None = None  # (hops, 12) float32: what is appended instead of the note; see `chroma.ancestor_columns`

    def rows(self, part: int) -> np.ndarray:
        """Return the indices of one part of the split: (rows,) int64."""
        return np.flatnonzero(self.part == part)

    @property
    def note_class(self) -> np.ndarray:
        """The note class of each hop: (hops,) int64, 0 is C."""
        return np.asarray(self.pitch_midi % 12)


def prepare(corpus: Corpus, stft: Stft, *, seed: int, pitch_source: str = "known", progress: Progress = lambda done, expected: None) -> Hops:
    """Turn the clips of a corpus into magnitudes, with the pitch, the series and the part of the split of each hop.

    Where the note that was played is known it is used (``known``), and hops whose strongest class by librosa is another (now and
    then a fifth is louder than its root) are left out: they would teach what nobody asked for. ``librosa`` measures the class
    always, as the paper does. The octave of a measured class is the most salient one.

    Raises
    ------
    CorpusError
        When nothing in the corpus can be used.
    """
    if pitch_source not in PITCH_SOURCES:
        raise ValueError(f"the pitch is {' or '.join(PITCH_SOURCES)}, not {pitch_source!r}")
    columns: dict[str, list[np.ndarray]] = {name: [] for name in ("magnitude", "pitch", "clip", "series", "time", "family")}
    n_unclear, groups, series, families = 0, list[str](), dict[str, int](), dict[str, int]()
    for clip in corpus.clips:
        magnitude = spectra.magnitudes(clip.audio, stft)
        time = np.flatnonzero(spectra.sounding(magnitude))[:: corpus.keep_every]
        magnitude = spectra.scaled(magnitude[time])
        if clip.pitch_midi is None or pitch_source == "librosa":
            pitch = measured_pitch(magnitude, stft)
        else:
            clear = chroma.classes(magnitude, stft) == clip.pitch_midi % 12
            n_unclear += int((~clear).sum())
            magnitude, time = magnitude[clear], time[clear]
            pitch = np.full(len(time), clip.pitch_midi)
        columns["magnitude"].append(magnitude)
        columns["pitch"].append(pitch)
        columns["time"].append(time)
        for name, value in (
            ("clip", len(groups)),
            ("series", series.setdefault(clip.series, len(series))),
            ("family", families.setdefault(clip.family, len(families))),
        ):
            columns[name].append(np.full(len(time), value))
        groups.append(clip.group)
        progress(len(groups), corpus.n_expected)
    if not groups:
        raise CorpusError(f"{corpus.title}: none of its sounds can be used; {list_skipped(corpus.skipped)}")
    joined = {name: np.concatenate(parts) for name, parts in columns.items()}
    part = split(groups, seed)[joined["clip"]]
    magnitude, pitch = joined.pop("magnitude"), joined.pop("pitch")
    names = tuple(families)
    return Hops(magnitude, pitch, **joined, part=part, families=names, skipped=tuple(corpus.skipped), stft=stft, n_unclear=n_unclear)


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


def list_skipped(skipped: list[Skipped] | tuple[Skipped, ...], limit: int = 20) -> str:
    """Say in one sentence what was skipped, and why."""
    if not skipped:
        return "nothing was skipped"
    shown = [f"{each.name} ({each.reason})" for each in skipped[:limit]]
    more = f" and {len(skipped) - limit} more" if len(skipped) > limit else ""
    return f"{len(skipped)} skipped: {'; '.join(shown)}{more}"
