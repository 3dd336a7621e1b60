"""What is found out about one decoder file: by itself, and against the sounds it was taught."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import faders, notes
from .decoder_file import DecoderFile
from .faders import Fader
from .figures import Comparison
from .notes import Note, note_name
from .prepare import TEST, TRAIN, Hops
from .uniformity import Uniformity, uniformity

MOST_HOPS = 4000  # of the embedding that is looked at
MOST_SEARCHED = 600  # where each takes a search
BLOCK = 1024  # rows of the corpus in memory at once
N_COMPARISONS = 6


@dataclass(frozen=True, slots=True)
class Findings:
    """Of the decoder alone."""

    notes: list[Note]
    faders: list[Fader]

    @property
    def mesh_accuracy(self) -> float:
        """Share of places of the latent box where the class asked for is the strongest, mean over the notes."""
        return float(np.mean([note.share for note in self.notes]))

    @property
    def weakest(self) -> Note:
        """The note that is missed most often."""
        return min(self.notes, key=lambda note: note.share)

    @property
    def cents(self) -> float:
        """Median distance from the pitch, over the notes."""
        return float(np.nanmedian([note.cents for note in self.notes]))


@dataclass(frozen=True, slots=True)
class Judgement:
    """Of the decoder against a corpus."""

    test_mse: float
    n_test: int
    by_family: dict[str, tuple[float, int]]  # mean squared error and count of test hops
    position: np.ndarray  # (hops, n_latents) float32: fader positions of hops of the training part
    note_class: np.ndarray  # (hops,) int64
    uniformity: Uniformity
    comparisons: list[Comparison]


def look(opened: DecoderFile, rng: np.random.Generator, samples: int = 200) -> Findings:
    """Measure a decoder by itself."""
    return Findings(notes.measure(opened, rng, samples), faders.measure(opened, rng))


def judge(opened: DecoderFile, hops: Hops, rng: np.random.Generator) -> Judgement:
    """Measure a decoder against a corpus: the paper's test error, and how the corpus lies in the latent space.

    Hops that were never taught are those of the test part; a corpus without one is judged by what was taught.
    """
    test = hops.rows(TEST) if len(hops.rows(TEST)) else hops.rows(TRAIN)
    test = test if opened.encoder is not None else chosen(test, MOST_SEARCHED, rng)
    error = errors(opened, hops, test)
    taught = chosen(hops.rows(TRAIN), MOST_HOPS if opened.encoder is not None else MOST_SEARCHED, rng)
    position = np.concatenate([opened.embed(hops.magnitude[rows], hops.pitch_midi[rows]) for rows in blocks(taught)])
    family = hops.family[test]
    by_family = {name: (float(error[family == k].mean()), int((family == k).sum())) for k, name in enumerate(hops.families) if (family == k).any()}
    return Judgement(
        float(error.mean()), len(test), by_family, position, hops.note_class[taught], uniformity(position), compared(opened, hops, test, error)
    )


def chosen(rows: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """Return some rows, in order."""
    return np.sort(rng.choice(rows, min(most, len(rows)), replace=False))


def blocks(rows: np.ndarray) -> list[np.ndarray]:
    """Return rows in blocks that fit into memory."""
    return np.array_split(rows, range(BLOCK, len(rows), BLOCK))


def errors(opened: DecoderFile, hops: Hops, rows: np.ndarray) -> np.ndarray:
    """Return the mean squared error of each row, of magnitudes with a peak of 1: (rows,) float64."""
    found = []
    for some in blocks(rows):
        magnitude, pitch_midi = hops.magnitude[some], hops.pitch_midi[some]
        output = opened.decode(opened.embed(magnitude, pitch_midi), pitch_midi)
        found.append(np.square(output - magnitude).mean(axis=1, dtype=np.float64))
    return np.concatenate(found)


def compared(opened: DecoderFile, hops: Hops, test: np.ndarray, error: np.ndarray) -> list[Comparison]:
    """Return spectra before and after: of each family its typical hop, the one with the median error; most frequent families first."""
    family = hops.family[test]
    order = np.argsort(-np.bincount(family, minlength=len(hops.families)), kind="stable")
    rows = []
    for each in order[:N_COMPARISONS]:
        of_family = np.flatnonzero(family == each)
        if len(of_family):
            rows.append(test[of_family[np.argsort(error[of_family])[len(of_family) // 2]]])
    if len(rows) < 3:  # one family alone: what it does well, middling, and badly
        rows = list(test[np.argsort(error)[[len(error) // 10, len(error) // 2, -1 - len(error) // 10]]])
    picked = np.array(rows)
    magnitude, pitch_midi = hops.magnitude[picked], hops.pitch_midi[picked]
    after = opened.decode(opened.embed(magnitude, pitch_midi), pitch_midi)
    titles = [f"{hops.families[hops.family[row]]}, {note_name(int(hops.pitch_midi[row]))}" for row in rows]
    return [Comparison(title, before, decoded, opened.bin_hz) for title, before, decoded in zip(titles, magnitude, after, strict=True)]
