"""Mesh sampling, as in the paper: how often, over a grid of the latent space, the strongest class is the one asked for.

Points are made, decoded and counted in blocks, so that the largest mesh takes no more memory than the smallest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np

from . import chroma
from .spectra import Stft

SIZES = {2: 350, 3: 50, 8: 5}  # points on each axis, by the number of latents: the paper's meshes
MOST = 400_000  # points of any other mesh
BLOCK = 2048

Decode = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(points, n_latents) positions, 0 to 1 in the box of the faders, and (points,) MIDI notes to (points, n_bins) magnitudes."""


class Playable(Protocol):
    """Whatever can be asked for a note: `decoder_file.DecoderFile`, or a network that was just trained."""

    @property
    def n_latents(self) -> int:
        """How many faders it has."""
        ...

    @property
    def stft(self) -> Stft:
        """Window, hop and rate of its magnitudes."""
        ...

    @property
    def bin_hz(self) -> float:
        """Distance between two bins."""
        ...

    def notes(self) -> np.ndarray:
        """Return what it can be asked to play: (notes,) int64 MIDI."""
        ...

    def decode(self, positions: np.ndarray, pitch_midi: np.ndarray) -> np.ndarray:
        """Return magnitudes: see `Decode`."""
        ...


def per_axis(n_latents: int, most: int = MOST) -> int:
    """Return how many points there are on each axis: the paper's, or as many as `most` allows.

    >>> per_axis(2), per_axis(3), per_axis(8), per_axis(4, 10_000)
    (350, 50, 5, 10)
    """
    size = SIZES.get(n_latents, 0)
    return size if 0 < size**n_latents <= most else max(2, int(most ** (1 / n_latents) + 1e-9))


def points(n_latents: int, size: int, box: np.ndarray | None = None, block: int = BLOCK, most: int | None = None) -> Iterator[np.ndarray]:
    """Give the points of a mesh from corner to corner, in blocks: (points, n_latents) float32.

    Parameters
    ----------
    n_latents, size : int
        Axes, and points on each.
    box : ndarray, (2, n_latents), optional
        Lowest and highest corner; 0 to 1 if left out.
    block : int
        Points at once.
    most : int, optional
        Of a larger mesh so many points, picked at random, always the same.
    """
    total = size**n_latents
    picked = np.sort(np.random.default_rng(total).choice(total, most, replace=False)) if most and most < total else np.arange(total)
    low, high = (np.zeros(n_latents), np.ones(n_latents)) if box is None else np.asarray(box, np.float64)
    axis = np.linspace(0.0, 1.0, size)
    for start in range(0, len(picked), block):
        index = np.unravel_index(picked[start : start + block], (size,) * n_latents)
        yield (low + (high - low) * axis[np.stack(index, axis=1)]).astype(np.float32)


def shares(
    decode: Decode,
    n_latents: int,
    notes: Sequence[int],
    stft: Stft,
    *,
    size: int | None = None,
    box: np.ndarray | None = None,
    most: int | None = None,
) -> np.ndarray:
    """Return for each note the share of the mesh's points that sound its class: (notes,) float64; see `points`."""
    size, right, total = size or per_axis(n_latents), np.zeros(len(notes), np.int64), 0
    for positions in points(n_latents, size, box, most=most):
        total += len(positions)
        for index, note in enumerate(notes):
            heard = chroma.classes(decode(positions, np.full(len(positions), note)), stft)
            right[index] += int((heard == note % 12).sum())
    return np.asarray(right / total)


def by_class(notes: Sequence[int], share: np.ndarray) -> np.ndarray:
    """Return the mean share of each class over its octaves: (12,) float64; NaN where it was not asked for."""
    classes = np.asarray(notes) % 12
    return np.array([share[classes == note_class].mean() if (classes == note_class).any() else np.nan for note_class in range(12)])


def plane(decode: Decode, n_latents: int, note: int, stft: Stft, *, size: int = 100) -> np.ndarray:
    """Return the strongest class over the first two latents, the others in the middle: (size, size) int64, the first row the lowest."""
    axis = np.linspace(0.0, 1.0, size, dtype=np.float32)
    positions = np.full((size * size, n_latents), 0.5, np.float32)
    positions[:, 0] = np.tile(axis, size)
    if n_latents > 1:
        positions[:, 1] = np.repeat(axis, size)
    blocks = [positions[start : start + BLOCK] for start in range(0, len(positions), BLOCK)]
    return np.concatenate([chroma.classes(decode(some, np.full(len(some), note)), stft) for some in blocks]).reshape(size, size)
