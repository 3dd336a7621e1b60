"""What is measured of the paper's cells and of the shipped decoders without training anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import batches, chroma, mesh, models, paper, timbre, train, variational
from .configurations import CONFIGURATIONS
from .decoder_file import open_decoder
from .mesh import Playable
from .paper import Cell
from .prepare import TRAIN, Hops
from .recipes import MAJOR, PAPER, RECIPES
from .spectra import Stft
from .uniformity import HIGH_PERCENT, LOW_PERCENT, uniformity

POINTS = 7000  # of the paper's mesh, picked at random, for each note of a shipped decoder
RANDOM_POINTS = 1000  # for each class


@dataclass(frozen=True, slots=True)
class Network:
    """A network of the grid, as evaluation plays it: positions 0 to 1 in the box of the embedding."""

    trained: train.Trained
    box: np.ndarray  # (2, n_latents): 1st and 99th percentile of the training hops
    stft: Stft
    pitches: np.ndarray  # (notes,) MIDI

    @property
    def n_latents(self) -> int:
        """Neurons of the bottleneck."""
        return self.trained.autoencoder.config.n_latents

    @property
    def bin_hz(self) -> float:
        """Distance between two bins."""
        return self.stft.sample_rate_hz / self.stft.window_samples

    def notes(self) -> np.ndarray:
        """Return what it was taught: (notes,) MIDI."""
        return self.pitches

    def decode(self, positions: np.ndarray, pitch_midi: np.ndarray) -> np.ndarray:
        """Return magnitudes: (points, n_bins) float32."""
        latent = (self.box[0] + positions * (self.box[1] - self.box[0])).astype(np.float32)
        return train.decoded(self.trained, latent, batches.condition(np.asarray(pitch_midi), self.trained.registers))


def revived(cell: Cell, hops: Hops, weights: Path) -> Network:
    """Build a network again from its weights."""
    row = (PAPER | RECIPES)[cell.corpus]
    model = CONFIGURATIONS[cell.configuration].model(cell.n_latents, len(row.registers), hops.stft.n_bins)
    autoencoder = models.build(model, seed=0)
    with np.load(weights) as kept:
        for name in ("encoder", "decoder", "log_variance"):
            if half := getattr(autoencoder, name):
                half.set_weights([kept[key] for key in sorted(kept.files) if key.rpartition("_")[0] == name])
    trained = train.Trained(autoencoder, row.registers, 0, 0.0, np.nan, False)
    latent = train.embedding(trained, hops, hops.rows(TRAIN))
    pitches = _octaves(row.registers) if row.registers else 60 + np.arange(12)
    taught = pitches[np.isin(pitches % 12, np.unique(row.parts[0].scale))]
    return Network(trained, np.percentile(latent, [LOW_PERCENT, HIGH_PERCENT], axis=0), hops.stft, taught)


def _octaves(registers: tuple[int, ...]) -> np.ndarray:
    return np.arange(12 * (registers[0] + 1), 12 * (registers[-1] + 2))


def embedding_facts(network: Network, hops: Hops) -> dict[str, Any]:
    """Say how the training hops lie in the latent space, and which latents of a beta-VAE say nothing."""
    rows = hops.rows(TRAIN)
    latent = train.embedding(network.trained, hops, rows)
    found = uniformity(latent)
    facts: dict[str, Any] = {
        "lowest": float(latent.min()),
        "highest": float(latent.max()),
        "extent": found.largest_extent,
        "correlation": found.largest_correlation,
        "entropy": found.entropy,
    }
    if network.trained.autoencoder.log_variance is not None:
        collapse = variational.collapse(network.trained.autoencoder, np.asarray(hops.magnitude)[rows], batches.conditions(hops, rows, ()))
        facts |= {"divergence_nats": collapse.divergence_nats, "activity": collapse.activity, "n_active": collapse.n_active}
    return {"embedding": facts}


def mesh_facts(network: Network, kind: str, whole: np.ndarray, size: int | None = None) -> dict[str, Any]:
    """Measure the paper's mesh over the faders' box or the whole cube, on the seven classes of C major.

    Parameters
    ----------
    network : Network
        What is asked.
    kind : str
        ``box`` or ``cube``.
    whole : ndarray, (2, n_latents)
        Corners of the cube: 0 and 1 for a sigmoid, otherwise the embedding's lowest and highest values.
    size : int, optional
        Points on each axis; the paper's if left out.
    """
    span = network.box[1] - network.box[0]
    corners = (whole - network.box[0]) / span if kind == "cube" else None
    notes, size = [60 + note_class for note_class in MAJOR], size or mesh.per_axis(network.n_latents)
    share = mesh.shares(network.decode, network.n_latents, notes, network.stft, size=size, box=corners)
    return {"points": size**network.n_latents, "share": dict(zip(map(str, MAJOR), share.tolist(), strict=True)), "mean": float(share.mean())}


def random_shares(network: Network, *, seed: int = 440) -> dict[str, float]:
    """Return how often random places of the box play the class asked for: of those that the corpus holds, and of the others."""
    rng = np.random.default_rng(seed)
    shares = np.array([_random_share(network, 60 + note_class, rng) for note_class in range(12)])
    taught = np.isin(np.arange(12), MAJOR)
    return {"taught": float(shares[taught].mean()), "worst": float(shares[taught].min()), "untaught": float(shares[~taught].mean())}


def _random_share(playable: Playable, note: int, rng: np.random.Generator) -> float:
    magnitude = playable.decode(rng.random((RANDOM_POINTS, playable.n_latents), np.float32), np.full(RANDOM_POINTS, note))
    return float((chroma.classes(magnitude, playable.stft) == note % 12).mean())


def played(playable: Playable, hops: Hops, cube: np.ndarray, points: int = POINTS) -> dict[str, Any]:
    """Measure a decoder as the stage hears it: meshes on every note it has, peaks, nearest hops, straight lines.

    Parameters
    ----------
    playable : Playable
        A decoder file or a network.
    hops : Hops
        Its corpus.
    cube : ndarray, (2, n_latents)
        Corners of the whole space, in positions of the faders.
    points : int
        Of the mesh, for each note.
    """
    notes, size = playable.notes().tolist(), mesh.per_axis(playable.n_latents)
    facts: dict[str, Any] = {"mesh": f"{size}^{playable.n_latents}", "points": min(points, size**playable.n_latents), "notes": len(notes)}
    for kind, corners in (("box", None), ("cube", cube)):
        of_notes = mesh.shares(playable.decode, playable.n_latents, notes, playable.stft, size=size, box=corners, most=points)
        share = mesh.by_class(notes, of_notes)
        facts[kind] = {"share": share.tolist(), "mean": float(share.mean()), "worst": float(share.min())}
    n_peaks, cosine = timbre.richness(playable, hops)
    return facts | {"peaks": n_peaks, "cosine": cosine, "lines": asdict(timbre.straight_lines(playable))}


def shipped(path: Path, hops: Hops) -> dict[str, Any]:
    """Measure a decoder file, with the peaks of its corpus beside."""
    opened = open_decoder(path)
    low, high = opened.decoder.low, opened.decoder.high
    facts = played(opened, hops, np.stack([-low / (high - low), (1 - low) / (high - low)]))
    training = opened.metadata.training
    return facts | {
        "test_mse": opened.metadata.test_mse,
        "epochs": training.get("epochs"),
        "minutes": training.get("minutes"),
        "corpus_peaks": float(np.median(timbre.n_peaks(np.asarray(hops.magnitude[::10])))),
    }


def rival(network: Network, hops: Hops) -> dict[str, Any]:
    """Measure the paper's configuration on a shipped decoder's corpus, likewise; its sigmoid's cube is 0 to 1."""
    span = network.box[1] - network.box[0]
    return played(network, hops, np.stack([-network.box[0] / span, (1 - network.box[0]) / span]))


def measure_all(results: Path, work: Path, decoders: Path) -> Iterator[str]:
    """Measure every cell that was trained and every shipped decoder, unless that was done before; give the name of each."""
    for cell in sorted(paper.cells(), key=lambda each: each.corpus):
        facts, weights = paper.read(results).get(cell.key), paper.weights_path(cell, work)
        if facts is not None and not _measured(cell) <= set(facts) and weights.exists():
            hops = paper.seen_by(cell, paper.hops_of(cell.corpus, work))
            paper.write(facts | _facts(cell, hops, weights), results / f"{cell.key}.json")
            yield cell.key
    for name in paper.SHIPPED:
        path = results / f"shipped-{name}.json"
        if not path.exists():
            paper.write(shipped(decoders / f"{name}.onnx", paper.hops_of(name, work)), path)
            yield path.stem


def _measured(cell: Cell) -> set[str]:
    """Say what there is to measure of a cell."""
    if cell.full:
        return {"played"}
    return {"embedding", *(("box", "cube") if cell in paper.TABLE_5 else ()), *(("random",) if cell in paper.METHODS else ())}


def _facts(cell: Cell, hops: Hops, weights: Path) -> dict[str, Any]:
    network = revived(cell, hops, weights)
    if cell.full:
        return {"played": rival(network, hops)}
    facts = embedding_facts(network, hops)
    if "box" in _measured(cell):
        whole = np.stack([np.zeros(cell.n_latents), np.ones(cell.n_latents)])
        facts |= {kind: mesh_facts(network, kind, whole) for kind in ("box", "cube")}
    return facts | ({"random": random_shares(network)} if cell in paper.METHODS else {})
