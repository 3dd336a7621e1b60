"""Third step: how good is a decoder? Test error, and how often it plays the note it was asked for, anywhere in its latent space."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from . import batches, chroma, train
from .prepare import TEST, TRAIN, Hops
from .spectra import Stft
from .train import Trained

LOW_PERCENT, HIGH_PERCENT = 1.0, 99.0  # of the embedding: the travel of a fader

MOST_EMBEDDED = 200_000  # hops: of a corpus that streams from disk, one in so many says as much

Decode = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(hops, n_latents) latents and (hops, n_conditions) notes to (hops, n_bins) magnitudes."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was measured of one decoder."""

    test_mse: float
    mesh_share: np.ndarray  # (12,) float64: of samples whose strongest class is the one asked for
    home_octaves: tuple[int, ...]  # of each class
    percentiles: np.ndarray  # (3, n_latents) float64: 1st, 50th and 99th of the embedding
    points: dict[str, tuple[float, ...]]  # fader positions

    @property
    def mesh_accuracy(self) -> float:
        """Mean over the twelve classes."""
        return float(self.mesh_share.mean())


def evaluate(trained: Trained, hops: Hops, *, seed: int = 440, samples: int = 1000) -> Evaluation:
    """Measure a decoder on its test part and over its latent box; `samples` points for each class (and octave)."""
    rng = np.random.default_rng(seed)
    rows = hops.rows(TEST) if len(hops.rows(TEST)) else hops.rows(TRAIN)
    percentiles = np.percentile(train.embedding(trained, hops, taught(hops)), [LOW_PERCENT, 50.0, HIGH_PERCENT], axis=0)  # (3, n_latents)

    def decode(latent: np.ndarray, condition: np.ndarray) -> np.ndarray:
        return train.decoded(trained, latent, condition)

    box = percentiles[[0, 2]].astype(np.float32)
    return Evaluation(
        test_mse(trained, hops, rows),
        mesh(decode, box, trained.registers, hops.stft, rng, samples),
        home_octaves(decode, box, trained.registers, hops.stft, rng),
        percentiles,
        medoids(trained, hops, percentiles),
    )


def taught(hops: Hops) -> np.ndarray:
    """Return training rows to embed: all of them, or of a large corpus one in so many, from its beginning to its end: (rows,) int64."""
    rows = hops.rows(TRAIN)
    return rows[:: -(-len(rows) // MOST_EMBEDDED)]


def test_mse(trained: Trained, hops: Hops, rows: np.ndarray) -> float:
    """Return the mean squared error over rows of the corpus, of magnitudes with a peak of 1."""
    total = 0.0
    for start in range(0, len(rows), 1024):
        some = rows[start : start + 1024]
        condition = batches.conditions(hops, some, trained.registers)
        output = train.decoded(trained, train.embedding(trained, hops, some), condition)
        total += float(np.square(output - hops.magnitude[some]).mean(axis=1).sum())
    return total / max(1, len(rows))


def mesh(decode: Decode, box: np.ndarray, registers: tuple[int, ...], stft: Stft, rng: np.random.Generator, samples: int) -> np.ndarray:
    """Return, for each class, the share of points in the box that sound it.

    Random points rather than a grid: in eight dimensions a grid has no inside.

    Parameters
    ----------
    decode : callable
        The decoder.
    box : ndarray, (2, n_latents) float32
        Lowest and highest corner.
    registers : tuple of int
        Octaves, each of which gets as many samples.

    Returns
    -------
    ndarray, (12,) float64
        The strongest class is measured as the corpus's was.
    """
    shares = np.zeros((12, max(1, len(registers))))
    for note_class in range(12):
        for column, octave in enumerate(registers or (4,)):
            latent = points_in(box, samples, rng)
            notes = np.full(samples, 12 * (octave + 1) + note_class)
            output = decode(latent, batches.condition(notes, registers))
            shares[note_class, column] = (chroma.classes(output, stft) == note_class).mean()
    return np.asarray(shares.mean(axis=1))


def points_in(box: np.ndarray, samples: int, rng: np.random.Generator) -> np.ndarray:
    """Return random points of a box: (samples, n_latents) float32."""
    return np.asarray(box[0] + (box[1] - box[0]) * rng.random((samples, box.shape[1]), dtype=np.float32), np.float32)


def home_octaves(
    decode: Decode, box: np.ndarray, registers: tuple[int, ...], stft: Stft, rng: np.random.Generator, samples: int = 200
) -> tuple[int, ...]:
    """Return the octave in which each class sounds most often; with registers, the middle one of them."""
    if registers:
        return (registers[len(registers) // 2],) * 12
    found = []
    for note_class in range(12):
        latent = points_in(box, samples, rng)
        output = decode(latent, batches.condition(np.full(samples, 60 + note_class), ()))
        found.append(int(np.bincount(chroma.octaves(output, np.full(samples, note_class), stft)).argmax()))
    return tuple(found)


def medoids(trained: Trained, hops: Hops, percentiles: np.ndarray) -> dict[str, tuple[float, ...]]:
    """Return for each family of sounds the fader positions of its most typical hop, the one nearest to its median."""
    rows = taught(hops)
    span = np.maximum(percentiles[2] - percentiles[0], 1e-9)
    position = np.clip((train.embedding(trained, hops, rows) - percentiles[0]) / span, 0, 1)  # (rows, n_latents)
    points = {}
    for index, family in enumerate(hops.families):
        inside = position[hops.family[rows] == index]
        if len(inside):
            nearest = np.abs(inside - np.median(inside, axis=0)).sum(axis=1).argmin()
            points[family] = tuple(round(float(value), 3) for value in inside[nearest])
    return points
