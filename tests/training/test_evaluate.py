from pathlib import Path

import numpy as np
import pytest

from tests.decoders import tiny_decoder
from training import batches, export
from training import evaluate as evaluation
from training.evaluate import Decode, evaluate, home_octaves, mesh
from training.evaluate import test_mse as error_over
from training.prepare import TEST, TRAIN, Hops
from training.spectra import Stft
from training.train import Trained, decoded, embedding

STFT = Stft()
BOX = np.array([[0, 0, 0], [1, 1, 0.5]], np.float32)


@pytest.fixture
def decode(tmp_path: Path) -> Decode:
    path = tiny_decoder(tmp_path / "tiny.onnx")
    return lambda latent, condition: export.run(path, latent, condition)


def test_a_decoder_that_always_obeys(decode: Decode) -> None:
    share = mesh(decode, BOX, (), STFT, np.random.default_rng(440), 30)
    np.testing.assert_array_equal(share, np.ones(12))


def test_a_decoder_that_never_obeys(decode: Decode) -> None:
    def wrong(latent: np.ndarray, condition: np.ndarray) -> np.ndarray:
        return decode(latent, np.roll(condition, 1, axis=1))

    assert mesh(wrong, BOX, (), STFT, np.random.default_rng(440), 30).max() == 0


def test_a_decoder_that_knows_only_one_class(decode: Decode) -> None:
    def stubborn(latent: np.ndarray, condition: np.ndarray) -> np.ndarray:
        return decode(latent, batches.condition(np.full(len(latent), 69), ()))

    share = mesh(stubborn, BOX, (), STFT, np.random.default_rng(440), 30)
    assert share.nonzero()[0].tolist() == [9]


def test_home_octaves(decode: Decode) -> None:
    dark = np.array([[0, 0.3, 0], [0.3, 1, 0.1]], np.float32)
    assert home_octaves(decode, dark, (), STFT, np.random.default_rng(440)) == (4,) * 12
    assert home_octaves(decode, dark, (2, 3, 5), STFT, np.random.default_rng(440)) == (3,) * 12


def test_mesh_asks_for_every_octave(tmp_path: Path) -> None:
    path = tiny_decoder(tmp_path / "tiny.onnx", registers=(4, 5))
    asked: set[int] = set()

    def listening(latent: np.ndarray, condition: np.ndarray) -> np.ndarray:
        asked.add(int(condition[0, 12:].argmax()))
        return export.run(path, latent, condition)

    share = mesh(listening, BOX, (4, 5), STFT, np.random.default_rng(440), 10)
    assert share.min() == 1
    assert asked == {0, 1}


def test_the_test_error_is_of_the_test_part_alone(trained: Trained, hops: Hops) -> None:
    rows = hops.rows(TEST)
    output = decoded(trained, embedding(trained, hops, rows), batches.condition(hops.pitch_midi[rows], ()))
    expected = float(np.square(output - hops.magnitude[rows]).mean())
    assert error_over(trained, hops, rows) == pytest.approx(expected, rel=1e-4)
    assert evaluate(trained, hops, samples=5).test_mse == pytest.approx(expected, rel=1e-4)


def test_of_a_large_corpus_some_hops_from_its_beginning_to_its_end_are_embedded(hops: Hops, monkeypatch: pytest.MonkeyPatch) -> None:
    every = evaluation.taught(hops)
    np.testing.assert_array_equal(every, hops.rows(TRAIN))
    monkeypatch.setattr(evaluation, "MOST_EMBEDDED", 100)
    some = evaluation.taught(hops)
    assert 50 < len(some) <= 100 and some[0] == every[0] and some[-1] >= every[-len(every) // 50]
