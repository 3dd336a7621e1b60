"""Pictures that a musician can read: embeddings and mesh maps coloured by note, sweeps of a fader, spectra before and after.

Every picture is drawn from arrays, so that any decoder, corpus or table can be shown, and once for light and once for dark pages
(`drawing` has the colours).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .drawing import DARK, LIGHT, PANEL_INCHES, THEMES, Theme, class_colours
from .drawing import panels as drawing_panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "DARK",
    "LIGHT",
    "THEMES",
    "Comparison",
    "MeshMap",
    "Scatter",
    "Sweep",
    "Theme",
    "class_colours",
    "comparisons",
    "mesh_maps",
    "scatters",
    "sweeps",
]

FLOOR_DB = -60.0  # of spectra, under their peak
LOWEST_HZ, HIGHEST_HZ = 40.0, 16000.0


@dataclass(frozen=True, slots=True)
class Scatter:
    """One view of an embedding."""

    title: str
    xy: np.ndarray  # (hops, 2) float
    note_class: np.ndarray  # (hops,) int, 0 is C
    axis_names: tuple[str, str] = ("latent 1", "latent 2")
    places: dict[str, tuple[float, float]] = field(default_factory=dict)  # named, in the units of `xy`
    box: np.ndarray | None = None  # (2, 2): lowest and highest corner of the faders' travel


@dataclass(frozen=True, slots=True)
class MeshMap:
    """One plane of a latent space: the strongest note class of what is decoded at each point of a mesh."""

    title: str
    note_class: np.ndarray  # (up, across) int, 0 is C; the first row is the lowest
    box: np.ndarray  # (2, 2) float: lowest and highest corner
    axis_names: tuple[str, str] = ("latent 1", "latent 2")


@dataclass(frozen=True, slots=True)
class Sweep:
    """The spectra that a fader passes on its way up."""

    title: str
    magnitude: np.ndarray  # (positions, n_bins) float32
    bin_hz: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """One spectrum before and after."""

    title: str
    before: np.ndarray  # (n_bins,) float32
    after: np.ndarray  # (n_bins,) float32
    bin_hz: float


def scatters(panels: Sequence[Scatter], path: Path, theme: Theme = LIGHT, *, columns: int = 3) -> Path:
    """Draw embeddings side by side, each hop a dot in the colour of its note."""
    with drawing_panels(len(panels), path, theme, columns, keyboard=True) as axes:
        for axis, panel in zip(axes, panels, strict=True):
            colours = class_colours(theme)[panel.note_class]
            axis.scatter(panel.xy[:, 0], panel.xy[:, 1], c=colours, s=5, linewidths=0, alpha=0.85, rasterized=True)
            axis.set_title(panel.title)
            axis.set(xlabel=panel.axis_names[0], ylabel=panel.axis_names[1])
            axis.margins(0.04)
            _box_and_places(axis, panel, theme)
    return path


def _box_and_places(axis: Axes, panel: Scatter, theme: Theme) -> None:
    from matplotlib import patheffects
    from matplotlib.patches import Rectangle

    outline = [patheffects.withStroke(linewidth=3, foreground=theme.paper)]
    if panel.box is not None:
        width, height = panel.box[1] - panel.box[0]
        axis.add_patch(Rectangle(tuple(panel.box[0]), width, height, fill=False, color=theme.ink, linewidth=0.8, linestyle=(0, (4, 3))))
    for name, (x, y), rank in _apart(panel.places):
        axis.plot(x, y, "o", color=theme.ink, markersize=4, path_effects=outline)
        axis.annotate(name, (x, y), (0, 6 + 10 * rank), textcoords="offset points", fontsize=8, ha="center", path_effects=outline)


def _apart(places: dict[str, tuple[float, float]]) -> Iterator[tuple[str, tuple[float, float], int]]:
    """Give places from low to high with how many lines their names go up, so that none covers another."""
    taken: list[tuple[float, float]] = []
    spans = [max(1e-9, max(each) - min(each)) for each in zip(*places.values(), strict=True)]
    for name, (x, y) in sorted(places.items(), key=lambda each: each[1][1]):
        rank = 0
        while any(abs(x - other_x) < 0.3 * spans[0] and abs(y + 0.06 * rank * spans[1] - other_y) < 0.06 * spans[1] for other_x, other_y in taken):
            rank += 1
        taken.append((x, y + 0.06 * rank * spans[1]))
        yield name, (x, y), rank


def mesh_maps(panels: Sequence[MeshMap], path: Path, theme: Theme = LIGHT, *, columns: int = 4, inches: float = PANEL_INCHES) -> Path:
    """Draw planes of a latent space, each point in the colour of the note that is heard there."""
    with drawing_panels(len(panels), path, theme, columns, inches=inches, keyboard=True) as axes:
        for axis, panel in zip(axes, panels, strict=True):
            pixels = class_colours(theme)[panel.note_class]
            (left, low), (right, high) = panel.box
            axis.imshow(pixels, origin="lower", extent=(left, right, low, high), aspect="auto", interpolation="nearest")
            axis.set_title(panel.title)
            axis.locator_params(nbins=3)
            axis.set(xlabel=panel.axis_names[0], ylabel=panel.axis_names[1])
            axis.label_outer()
    return path


def sweeps(panels: Sequence[Sweep], path: Path, theme: Theme = LIGHT, *, columns: int = 4) -> Path:
    """Draw what each fader does on its way from 0 to 1: frequency upwards, level as colour."""
    with drawing_panels(len(panels), path, theme, columns, height=1.15) as axes:
        for axis, panel in zip(axes, panels, strict=True):
            edges_hz, levels = in_bands(panel.magnitude, panel.bin_hz, 220)
            across = np.linspace(0, 1, len(panel.magnitude) + 1)
            peak = levels.max()
            image = axis.pcolormesh(across, edges_hz, levels.T - peak, cmap="magma", vmin=FLOOR_DB, vmax=0, rasterized=True)
            axis.set_title(panel.title)
            axis.set(xlabel="fader", xticks=(0, 0.5, 1), xticklabels=("0", "½", "1"))
            _hertz(axis.yaxis)
            axis.label_outer()
        bar = axes[0].figure.colorbar(image, ax=axes, shrink=0.7, pad=0.02)
        bar.set_label("level, dB")
        bar.outline.set_visible(False)
    return path


def comparisons(panels: Sequence[Comparison], path: Path, theme: Theme = LIGHT, *, columns: int = 3) -> Path:
    """Draw spectra before (filled) and after (line)."""
    with drawing_panels(len(panels), path, theme, columns, height=0.8) as axes:
        for axis, panel in zip(axes, panels, strict=True):
            edges_hz, levels = in_bands(np.stack([panel.before, panel.after]), panel.bin_hz, 260)
            levels = levels - levels[0].max()
            centres_hz = np.sqrt(edges_hz[1:] * edges_hz[:-1])
            axis.fill_between(centres_hz, np.maximum(levels[0], FLOOR_DB), FLOOR_DB, color=theme.faint, linewidth=0, label="before")
            axis.plot(centres_hz, np.maximum(levels[1], FLOOR_DB), color=theme.accent, linewidth=1, label="after")
            axis.set_title(panel.title)
            axis.set(ylim=(FLOOR_DB, 5), xlim=(edges_hz[0], edges_hz[-1]), ylabel="level, dB")
            _hertz(axis.xaxis)
            axis.label_outer()
        axes[0].legend(fontsize=8, frameon=False, loc="upper right")
    return path


def in_bands(magnitude: np.ndarray, bin_hz: float, n_bands: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the highest level in even steps of pitch, so that no partial is lost.

    Returns
    -------
    edges_hz : ndarray, (n_bands + 1,) float64
        From 40 Hz to 16 kHz, or as far as there are bins.
    levels : ndarray, (rows, n_bands) float64
        Decibels; where a band is narrower than a bin, what stands at its place between two bins.
    """
    n_bins = magnitude.shape[1]
    edges_hz = np.geomspace(LOWEST_HZ, min(HIGHEST_HZ, (n_bins - 1) * bin_hz), n_bands + 1)
    decibels = 20 * np.log10(np.maximum(magnitude, 1e-6)).astype(np.float64)
    edges = edges_hz / bin_hz
    inside = np.stack([np.interp(edges, np.arange(n_bins), row) for row in decibels])
    levels = np.maximum(inside[:, :-1], inside[:, 1:])
    first, last = np.ceil(edges[:-1]).astype(int), np.floor(edges[1:]).astype(int)
    for band in np.flatnonzero(last >= first):
        levels[:, band] = np.maximum(levels[:, band], decibels[:, first[band] : last[band] + 1].max(axis=1))
    return edges_hz, levels


def _hertz(axis: Any) -> None:
    """Label an axis of frequencies as musicians read them, in octaves."""
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    axis.set_major_locator(FixedLocator([100, 1000, 10000]))
    axis.set_major_formatter(FixedFormatter(["100 Hz", "1 kHz", "10 kHz"]))
    axis.set_minor_locator(NullLocator())
