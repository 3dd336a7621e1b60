"""Is an embedding bounded, and does it use its space evenly? Figures for the paper's claim about its bottleneck, and for any decoder."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

LOW_PERCENT, HIGH_PERCENT = 1.0, 99.0  # of the embedding: the travel of a fader
CELLS = 16  # of each axis in which density is counted


@dataclass(frozen=True, slots=True)
class Uniformity:
    """How an embedding lies in its space."""

    extent: np.ndarray  # (n_latents,) float64: from the lowest to the highest value, in travels of the fader; 1 is bounded
    outside: float  # share of hops with a latent outside its travel; independent latents: 2 % for each of them
    correlation: np.ndarray  # (n_latents, n_latents) float64, Pearson's
    entropy: float  # of the density over each pair of latents, mean, as a share of that of an even one; of the one latent if there is but one
    marginal_entropy: np.ndarray  # (n_latents,) float64: the same of each latent alone

    @property
    def largest_correlation(self) -> float:
        """Of two different latents, without its sign; 0 where there is but one."""
        apart = np.abs(self.correlation - np.diag(np.diag(self.correlation)))
        return float(apart.max(initial=0.0))

    @property
    def largest_extent(self) -> float:
        """Of the latent whose outliers lie furthest out."""
        return float(self.extent.max())


def uniformity(latent: np.ndarray) -> Uniformity:
    """Measure an embedding: (hops, n_latents) float, in any units.

    The travel of a fader is the 1st to the 99th percentile. Entropies are counted inside of it, in 16 cells along each axis, with
    the Miller-Madow correction for what a finite count leaves out: 1 is even, 0 is one single cell.

    >>> uniformity(np.random.default_rng(440).random((20000, 2))).entropy > 0.99
    True
    """
    latent = np.asarray(latent, np.float64)
    low, high = np.percentile(latent, [LOW_PERCENT, HIGH_PERCENT], axis=0)
    span = np.maximum(high - low, 1e-12)
    position = (latent - low) / span
    inside = ((position >= 0) & (position <= 1)).all(axis=1)
    alone = np.array([entropy(position[inside][:, [k]]) for k in range(latent.shape[1])])
    pairs = [entropy(position[inside][:, pair]) for pair in itertools.combinations(range(latent.shape[1]), 2)]
    return Uniformity(np.ptp(position, axis=0), float(1 - inside.mean()), correlations(latent), float(np.mean(pairs or alone)), alone)


def entropy(position: np.ndarray, cells: int = CELLS) -> float:
    """Return the entropy of a density over the unit box, as a share of the highest: (hops, axes) positions 0..1."""
    if len(position) == 0:
        return 0.0
    index = np.clip((position * cells).astype(np.int64), 0, cells - 1)
    counts = np.unique(np.ravel_multi_index(tuple(index.T), (cells,) * position.shape[1]), return_counts=True)[1]
    share = counts / counts.sum()
    nats = -float((share * np.log(share)).sum()) + (len(counts) - 1) / (2 * counts.sum())
    return float(min(1.0, nats / (position.shape[1] * float(np.log(cells)))))


def correlations(latent: np.ndarray) -> np.ndarray:
    """Return Pearson's correlation of each latent with each other: (n_latents, n_latents); 0 where a latent never moves."""
    centred = latent - latent.mean(axis=0)
    deviation = np.sqrt(np.square(centred).mean(axis=0))
    still = deviation < 1e-9
    scaled = centred / np.where(still, 1.0, deviation)
    matrix = scaled.T @ scaled / len(latent)
    matrix[still], matrix[:, still] = 0.0, 0.0
    np.fill_diagonal(matrix, 1.0)
    return np.asarray(matrix)
