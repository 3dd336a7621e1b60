"""Figures 2 to 5 of the paper, on these corpora: how embeddings lie, and which class sounds where."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from . import figures, mesh, paper, train
from .chroma import CLASS_NAMES
from .paper import Cell
from .paper_measures import Network, revived
from .paper_page import BOTTLENECK
from .prepare import TRAIN, Hops
from .recipes import MAJOR

DOTS = 3000
PLANE_POINTS = 100  # on each side of a map


def draw_all(work: Path, folder: Path, seed: int = paper.SEED) -> list[Path]:
    """Draw what there are weights for."""
    if not any(paper.weights_path(cell, work).exists() for cell in (*paper.TABLE_2[2], *paper.TABLE_5)):
        return []  # the pictures stay as they are
    hops = paper.lower_half(paper.hops_of(paper.ONE, work))
    two = {cell.configuration: cell for cell in paper.TABLE_2[2]}
    drawn = []
    for number, names in ((2, ("leaky", "leaky-skip")), (3, ("sigmoid", "paper"))):
        found = [cell for name in names if paper.weights_path(cell := two[name], work).exists()]
        panels = [scatter(cell, hops, work, seed) for cell in found]
        drawn += [figures.scatters(panels, folder / f"figure-{number}.png")] if panels else []
    for number, cell in zip((4, 5), paper.TABLE_5, strict=False):
        if paper.weights_path(cell, work).exists():
            network = revived(cell, hops, paper.weights_path(cell, work))
            drawn.append(figures.mesh_maps([plane(network, note_class) for note_class in MAJOR], folder / f"figure-{number}.png"))
    return drawn


def scatter(cell: Cell, hops: Hops, work: Path, seed: int) -> figures.Scatter:
    """Return the embedding of some training hops, coloured by their class."""
    network = revived(cell, hops, paper.weights_path(cell, work))
    rows = np.random.default_rng(seed).choice(hops.rows(TRAIN), DOTS, replace=False)
    latent = train.embedding(network.trained, hops, rows)[:, :2]
    return figures.Scatter(f"{cell.n_latents} neurons, {BOTTLENECK[cell.configuration]}", latent, hops.note_class[rows], box=network.box[:, :2])


def plane(network: Network, note_class: int) -> figures.MeshMap:
    """Return which class sounds where when one is asked for, over the first two latents' faders."""
    heard = mesh.plane(network.decode, network.n_latents, 60 + note_class, network.stft, size=PLANE_POINTS)
    return figures.MeshMap(f"asked for: {CLASS_NAMES[note_class]}", heard, network.box[:, :2])
