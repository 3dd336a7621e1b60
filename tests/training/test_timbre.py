from pathlib import Path

import numpy as np
import pytest

from oscsynth.metadata import Latent, Metadata
from training import decoder_file, export, timbre
from training.prepare import Hops
from training.train import Trained

from .conftest import SMALL


@pytest.fixture(scope="module")
def opened(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> decoder_file.DecoderFile:
    metadata = Metadata(
        title="Tones",
        kind="frame",
        sample_rate_hz=SMALL.sample_rate_hz,
        window_samples=SMALL.window_samples,
        hop_samples=SMALL.hop_samples,
        latents=(Latent(0.2, 0.5, 0.8, ""),) * 2,
        midi_low=60,
        midi_high=71,
        home_octaves=(4,) * 12,
    )
    export.round_weights(trained)
    path: Path = tmp_path_factory.mktemp("decoders") / "tones.onnx"
    return decoder_file.open_decoder(export.export(trained, metadata, path))


def test_peaks_are_counted_above_their_floor() -> None:
    spectrum = np.zeros((1, 100), np.float32)
    spectrum[0, [10, 20, 30, 40]] = [1.0, 0.1, 0.011, 0.009]
    assert timbre.n_peaks(spectrum).tolist() == [3]
    assert timbre.n_peaks(spectrum, floor_db=-30).tolist() == [2]
    assert timbre.n_peaks(np.zeros((2, 100), np.float32)).tolist() == [0, 0]


def test_a_flat_top_is_one_peak() -> None:
    assert timbre.n_peaks(np.array([[0, 1, 1, 0, 0]], np.float32)).tolist() == [1]


def test_a_hop_of_the_corpus_is_its_own_neighbour() -> None:
    corpus = np.random.default_rng(440).random((3000, 20), np.float32)
    np.testing.assert_allclose(timbre.nearest_cosine(7 * corpus[[0, 2500]], corpus), 1.0, atol=1e-6)
    assert timbre.nearest_cosine(np.eye(20, dtype=np.float32)[:1], np.eye(20, dtype=np.float32)[1:])[0] == pytest.approx(0.0)


def test_a_decoder_of_six_partials_is_rich_and_near(opened: decoder_file.DecoderFile, hops: Hops) -> None:
    n_peaks, cosine = timbre.richness(opened, hops, samples=50)
    assert n_peaks >= 2
    assert 0.8 < cosine <= 1.0
    assert timbre.richness(opened, hops, samples=50) == (n_peaks, cosine)


def test_straight_lines_are_in_tune(opened: decoder_file.DecoderFile) -> None:
    found = timbre.straight_lines(opened, lines=10, steps=5)
    assert found.in_tune > 0.9
    assert 0 <= found.drift_cents <= found.drift_cents_95 < 100
    assert 0 <= found.step_db <= found.step_db_95 < 20


def test_a_line_that_gets_louder_evenly_has_no_step(opened: decoder_file.DecoderFile) -> None:
    magnitude = opened.decode(np.full((3, 2), 0.5, np.float32), np.full(3, 60)) * np.array([[1.0], [10.0], [100.0]], np.float32)
    level = timbre.loudness_db(magnitude, opened)
    np.testing.assert_allclose(np.diff(level), 20.0, atol=1e-3)
