import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training import chroma, mesh

from .conftest import SMALL


def pure(positions: np.ndarray, pitch_midi: np.ndarray) -> np.ndarray:
    """Decode to one partial of the note asked for; in the upper half of the first latent to its fifth."""
    note = pitch_midi + 7 * (positions[:, 0] > 0.5)
    bins = 440 * 2 ** ((note - 69) / 12) * SMALL.window_samples / SMALL.sample_rate_hz
    return np.exp(-np.square(np.arange(SMALL.n_bins) - bins[:, None])).astype(np.float32)


@given(st.integers(1, 4), st.integers(2, 6), st.integers(1, 50))
def test_a_mesh_is_the_same_in_blocks_of_any_size(n_latents: int, size: int, block: int) -> None:
    whole = np.concatenate(list(mesh.points(n_latents, size)))
    np.testing.assert_array_equal(np.concatenate(list(mesh.points(n_latents, size, block=block))), whole)
    assert len(np.unique(whole, axis=0)) == len(whole) == size**n_latents
    assert {whole.min(), whole.max()} == {0.0, 1.0}


def test_a_part_of_a_mesh_is_of_the_mesh() -> None:
    whole, part = (np.concatenate(list(mesh.points(3, 6, most=most, block=7))) for most in (None, 50))
    assert len(np.unique(part, axis=0)) == 50
    assert {tuple(each) for each in part} <= {tuple(each) for each in whole}
    assert abs(part.mean() - 0.5) < 0.1
    np.testing.assert_array_equal(np.concatenate(list(mesh.points(3, 6, most=1000))), whole)


def test_a_mesh_reaches_both_corners_of_its_box() -> None:
    box = np.array([[-1.0, 2.0], [0.0, 5.0]])
    found = np.concatenate(list(mesh.points(2, 4, box)))
    np.testing.assert_allclose([found.min(axis=0), found.max(axis=0)], box)


def test_the_papers_meshes() -> None:
    assert [mesh.per_axis(n) ** n for n in (2, 3, 8)] == [350**2, 50**3, 5**8]
    assert all(2**n <= mesh.per_axis(n) ** n <= max(mesh.MOST, 2**n) for n in range(1, 16))


def test_half_of_the_mesh_plays_the_fifth() -> None:
    notes = [72, 74, 77]
    share = mesh.shares(pure, 2, notes, SMALL, size=10)
    np.testing.assert_allclose(share, 0.5)
    np.testing.assert_allclose(mesh.shares(pure, 2, notes, SMALL, size=10, box=np.array([[0.0, 0.0], [0.5, 1.0]])), 1.0)


def test_shares_of_octaves_are_joined_by_class() -> None:
    found = mesh.by_class([60, 72, 62], np.array([1.0, 0.5, 0.25]))
    assert (found[0], found[2]) == (0.75, 0.25)
    assert np.isnan(found[[1, 3, 4, 5, 6, 7, 8, 9, 10, 11]]).all()


@pytest.mark.parametrize("n_latents", [1, 2, 3])
def test_a_plane_shows_the_first_latent_across(n_latents: int) -> None:
    plane = mesh.plane(pure, n_latents, 72, SMALL, size=8)
    assert plane.shape == (8, 8)
    assert (plane[:, :4] == 0).all()
    assert (plane[:, 4:] == 7).all()
    assert chroma.CLASS_NAMES[7] == "G"
