from pathlib import Path

import numpy as np
import pytest

from oscsynth.errors import DecoderError
from tests.decoders import tiny_decoder
from training.decoder_file import open_decoder
from training.spectra import Stft

RNG = np.random.default_rng(440)


@pytest.mark.parametrize(("registers", "first", "last", "n"), [((), 60, 71, 12), ((3, 4), 48, 71, 24)])
def test_the_notes_it_can_be_asked_for(tmp_path: Path, registers: tuple[int, ...], first: int, last: int, n: int) -> None:
    notes = open_decoder(tiny_decoder(tmp_path / "tiny.onnx", registers=registers)).notes()
    assert (notes[0], notes[-1], len(notes)) == (first, last, n)


def test_a_decoder_without_notes_plays_one(tmp_path: Path) -> None:
    opened = open_decoder(tiny_decoder(tmp_path / "tiny.onnx", chroma=False))
    assert len(opened.notes()) == 1
    assert opened.decode(np.full((3, 3), 0.5), np.full(3, 60)).shape == (3, 2049)


def test_it_knows_its_window(tmp_path: Path) -> None:
    assert open_decoder(tiny_decoder(tmp_path / "tiny.onnx")).stft == Stft()


@pytest.mark.parametrize("registers", [(), (3, 4)])
def test_without_an_encoder_positions_are_searched_for(tmp_path: Path, registers: tuple[int, ...]) -> None:
    opened = open_decoder(tiny_decoder(tmp_path / "tiny.onnx", registers=registers))
    positions, notes = RNG.uniform(0.1, 0.9, (20, 3)), RNG.choice(opened.notes(), 20)
    found = opened.embed(opened.decode(positions, notes), notes)
    np.testing.assert_allclose(found, positions, atol=2e-3)
    assert opened.embed(np.zeros((0, 2049), np.float32), np.zeros(0, int)).shape == (0, 3)


def test_many_rows_are_as_few(tmp_path: Path) -> None:
    opened = open_decoder(tiny_decoder(tmp_path / "tiny.onnx"))
    positions, notes = RNG.random((1200, 3)), RNG.choice(opened.notes(), 1200)
    np.testing.assert_allclose(opened.decode(positions, notes)[1100:], opened.decode(positions[1100:], notes[1100:]), atol=1e-6)


def test_what_is_no_decoder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("text")
    with pytest.raises(DecoderError, match=r"text\.onnx"):
        open_decoder(tmp_path / "text.onnx")


def test_a_step_that_leads_away_is_not_taken(tmp_path: Path) -> None:
    opened = open_decoder(tiny_decoder(tmp_path / "tiny.onnx"))
    target, notes = RNG.random((30, 2049), np.float32), np.full(30, 69)
    start = RNG.random((30, 3), np.float32)
    found, error = opened._downhill(target, notes, start)
    np.testing.assert_allclose(np.square(opened.decode(found, notes) - target).mean(axis=1), error, rtol=1e-5)
    assert (error <= np.square(opened.decode(start, notes) - target).mean(axis=1) * (1 + 1e-6)).all()
