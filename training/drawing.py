"""How pictures are drawn: themes for light and dark pages, the colours of the notes, panels with a keyboard as their legend.

Colours are even steps for the eye: notes lie on a closed ring in Oklab (Ottosson 2020), where B is as near to C as C to C#, and
which rises from red to green in lightness, so that it is read without seeing red from green too.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .chroma import CLASS_NAMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DOTS_PER_INCH = 110
PANEL_INCHES = 2.6


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of the paper and the ink, and how light the notes are on it."""

    name: str
    paper: str
    ink: str
    faint: str
    accent: str
    lightness: float  # Oklab, of the ring's middle


LIGHT = Theme("light", "#ffffff", "#24262b", "#c9ccd3", "#b3261e", 0.66)
DARK = Theme("dark", "#17191e", "#e6e7ea", "#4a4e57", "#ff8a70", 0.72)
THEMES = (LIGHT, DARK)


@functools.cache
def class_colours(theme: Theme = LIGHT) -> np.ndarray:
    """Return the colour of each note class: (12, 3) float64 sRGB, C first, neighbours equally far apart, closed to a ring."""
    angle = np.linspace(0, 2 * np.pi, 3601)
    ring = _ring(angle, theme.lightness)
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(ring, axis=0), axis=1))])
    even = np.interp(np.arange(12) / 12 * length[-1], length, angle)
    return _srgb(_ring(even, theme.lightness))


def _ring(angle: np.ndarray, lightness: float) -> np.ndarray:
    """Return a tilted circle in Oklab, (n, 3): reds are darker, greens lighter; as wide as fits into sRGB."""
    hue = angle + 0.5  # C is red
    return np.stack([lightness - 0.1 * np.cos(hue), 0.117 * np.cos(hue), 0.117 * np.sin(hue)], axis=1)


def _srgb(oklab: np.ndarray) -> np.ndarray:
    """Convert (n, 3) Oklab to sRGB 0..1; the matrices are Ottosson's."""
    to_cones = np.array([[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728], [1, -0.0894841775, -1.2914855480]])
    to_linear = np.array(
        [[4.0767416621, -3.3077115913, 0.2309699292], [-1.2684380046, 2.6097574011, -0.3413193965], [-0.0041960863, -0.7034186147, 1.7076147010]]
    )
    linear = np.clip((oklab @ to_cones.T) ** 3 @ to_linear.T, 0, 1)
    return np.asarray(np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055))


@contextmanager
def panels(
    n: int, path: Path, theme: Theme, columns: int, *, inches: float = PANEL_INCHES, height: float = 1.0, keyboard: bool = False
) -> Iterator[list[Axes]]:
    """Give axes in rows and columns, and write them as a PNG afterwards."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    columns = min(columns, n)
    rows = -(-n // columns)
    size = (inches * max(columns, 2), inches * height * rows + (0.7 if keyboard else 0.2))
    with pyplot.rc_context(_style(theme)):
        figure = pyplot.figure(figsize=size, layout="constrained")
        parts: Any = figure.subfigures(2, 1, height_ratios=(size[1] - 0.62, 0.62)) if keyboard else [figure]
        grid = parts[0].subplots(rows, columns, squeeze=False).ravel()
        for spare in grid[n:]:
            spare.set_axis_off()
        yield list(grid[:n])
        if keyboard:
            _keyboard(parts[1], theme, size[0])
        figure.savefig(path, dpi=DOTS_PER_INCH)
        pyplot.close(figure)
    _shrink(path)


def _keyboard(part: Any, theme: Theme, width_inches: float) -> None:
    """Draw the legend: one octave of a keyboard, each key in its colour."""
    from matplotlib.patches import Rectangle

    share = min(0.9, 3.2 / width_inches)
    axis = part.add_axes((0.5 - share / 2, 0.08, share, 0.88))
    axis.set_axis_off()
    axis.set(xlim=(0, 7), ylim=(0, 1))
    whites = [0, 2, 4, 5, 7, 9, 11]
    for note_class in sorted(range(12), key=lambda each: each not in whites):
        is_white = note_class in whites
        left = float(whites.index(note_class)) if is_white else whites.index(note_class - 1) + 0.68
        width, bottom = (1.0, 0.0) if is_white else (0.64, 0.42)
        key = Rectangle((left, bottom), width, 1 - bottom, facecolor=class_colours(theme)[note_class], edgecolor=theme.paper, linewidth=1.5)
        axis.add_patch(key)
        where = 0.2 if is_white else 0.72
        name = CLASS_NAMES[note_class].replace("#", "♯")
        axis.text(left + width / 2, where, name, ha="center", va="center", fontsize=8, color="#101114", fontweight="bold")


def _style(theme: Theme) -> dict[str, Any]:
    ink = dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), theme.ink)
    paper = dict.fromkeys(("figure.facecolor", "axes.facecolor", "savefig.facecolor"), theme.paper)
    spines = {"axes.edgecolor": theme.faint, "axes.spines.top": False, "axes.spines.right": False}
    sizes = {"font.size": 9, "axes.titlesize": 10, "axes.labelsize": 8, "xtick.labelsize": 8, "ytick.labelsize": 8}
    return {**ink, **paper, **spines, **sizes, "axes.titleweight": "bold", "axes.titlelocation": "left"}


def _shrink(path: Path) -> None:
    """Write a PNG again with 256 colours: a third of the bytes, and nobody sees it."""
    from PIL import Image

    Image.open(path).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
