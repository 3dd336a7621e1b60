from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training import figures
from training.figures import Comparison, MeshMap, Scatter, Sweep, Theme

RNG = np.random.default_rng(440)
BOX = np.array([[0.0, 0.0], [1.0, 1.0]])
BIN_HZ = 44100 / 4096


def spectrum(pitch_hz: float) -> np.ndarray:
    """Return twenty partials: (2049,) float32."""
    bins_hz = np.arange(2049) * BIN_HZ
    return np.sum([0.7**k * np.exp(-(((bins_hz - pitch_hz * (k + 1)) / 12) ** 2)) for k in range(20)], axis=0).astype(np.float32)


def oklab(srgb: np.ndarray) -> np.ndarray:
    """Convert sRGB 0..1 to Oklab, by the forward matrices (Ottosson 2020): the code under test has the inverse ones."""
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    cones = np.cbrt(
        linear
        @ np.array(
            [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566], [0.0883024619, 0.2817188376, 0.6299787005]]
        ).T
    )
    return (
        cones
        @ np.array(
            [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099], [0.0259040371, 0.7827717662, -0.8086757660]]
        ).T
    )


@pytest.mark.parametrize("theme", figures.THEMES, ids=lambda theme: theme.name)
def test_notes_lie_on_a_ring_of_even_steps(theme: Theme) -> None:
    colours = oklab(figures.class_colours(theme))
    steps = np.linalg.norm(colours - np.roll(colours, 1, axis=0), axis=1)  # B to C first
    np.testing.assert_allclose(steps, steps.mean(), rtol=0.02)
    assert steps.mean() > 0.06  # three times what the eye can just tell apart


@pytest.mark.parametrize("theme", figures.THEMES, ids=lambda theme: theme.name)
def test_notes_differ_without_red_and_green(theme: Theme) -> None:
    colours = oklab(figures.class_colours(theme))[:, [0, 2]]  # lightness, and blue to yellow
    apart = np.linalg.norm(colours[:, None] - colours[None], axis=2)[~np.eye(12, dtype=bool)]
    assert apart.min() > 0.02


def draw(kind: str, path: Path, theme: Theme) -> Path:
    notes = RNG.integers(0, 12, 500)
    if kind == "scatters":
        panel = Scatter("one", RNG.random((500, 2)), notes, places={"bowed": (0.2, 0.4)}, box=BOX)
        return figures.scatters([panel] * 3, path, theme)
    if kind == "mesh_maps":
        return figures.mesh_maps([MeshMap(f"{k}", np.full((50, 50), k), BOX) for k in range(5)], path, theme)
    if kind == "sweeps":
        return figures.sweeps([Sweep("fader 1", np.stack([spectrum(220)] * 20), BIN_HZ)], path, theme)
    return figures.comparisons([Comparison("A4", spectrum(440), spectrum(441), BIN_HZ)], path, theme)


@pytest.mark.parametrize("kind", ["scatters", "mesh_maps", "sweeps", "comparisons"])
def test_a_picture_has_its_theme_s_paper_and_is_small(kind: str, tmp_path: Path) -> None:
    for theme in figures.THEMES:
        path = draw(kind, tmp_path / f"{theme.name}.png", theme)
        with Image.open(path) as image:
            corner = np.array(image.convert("RGB").getpixel((1, image.height - 2)))
        paper = np.array([int(theme.paper[k : k + 2], 16) for k in (1, 3, 5)])
        assert np.abs(corner - paper).max() <= 2
        assert path.stat().st_size < 100_000


def test_a_map_shows_each_point_in_the_colour_of_its_note(tmp_path: Path) -> None:
    path = figures.mesh_maps([MeshMap("halves", np.repeat([[0], [6]], 10, axis=0), BOX)], tmp_path / "map.png")
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"), float) / 255
    above, below = pixels[len(pixels) // 4, pixels.shape[1] // 2], pixels[len(pixels) * 6 // 10, pixels.shape[1] // 2]
    np.testing.assert_allclose(below, figures.class_colours()[0], atol=0.02)  # the first row is the lowest
    np.testing.assert_allclose(above, figures.class_colours()[6], atol=0.02)


@pytest.mark.parametrize("pitch_hz", [110.0, 440.0, 1318.5])
def test_bands_lose_no_partial(pitch_hz: float) -> None:
    magnitude = spectrum(pitch_hz)
    edges_hz, levels = figures.in_bands(magnitude[None], BIN_HZ, 220)
    band = np.searchsorted(edges_hz, pitch_hz) - 1
    assert levels[0, band - 1 : band + 2].max() == pytest.approx(20 * np.log10(magnitude.max()), abs=0.5)
    assert levels[0, np.searchsorted(edges_hz, pitch_hz * 0.75)] < -30
