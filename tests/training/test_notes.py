from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from tests.decoders import tiny_decoder
from training import notes
from training.decoder_file import DecoderFile, open_decoder
from training.notes import Note
from training.spectra import Stft, magnitudes

BIN_HZ = 44100 / 4096


def deaf_to(path: Path, note_class: int) -> DecoderFile:
    """Build a decoder that plays a fifth above one class."""
    model = onnx.load(tiny_decoder(path))
    for constant in model.graph.initializer:
        if constant.name in ("odd", "even"):
            rows = numpy_helper.to_array(constant).copy()
            rows[note_class] = rows[(note_class + 7) % 12]
            constant.CopyFrom(numpy_helper.from_array(rows, constant.name))
    onnx.save(model, path)
    return open_decoder(path)


@pytest.mark.parametrize("registers", [(), (3, 4)])
def test_a_decoder_that_obeys_has_no_weak_note(tmp_path: Path, registers: tuple[int, ...]) -> None:
    found = notes.measure(open_decoder(tiny_decoder(tmp_path / "tiny.onnx", registers=registers)), np.random.default_rng(440), 30)
    assert len(found) == 12 * max(1, len(registers))
    assert min(note.share for note in found) > 0.9  # in octave 3 its noise is now and then as strong
    assert max(note.cents for note in found) < 25
    assert notes.weak_sentence(found[-12:]).startswith("No note is weak")


def test_a_note_that_is_missed_is_named_with_what_is_heard(tmp_path: Path) -> None:
    found = notes.measure(deaf_to(tmp_path / "deaf.onnx", 2), np.random.default_rng(440), 30)
    assert [note.pitch_midi % 12 for note in found if note.is_weak] == [2]
    assert found[2].instead == 9
    assert "D4 (in 100% of the latent space another class is stronger, mostly A)" in notes.weak_sentence(found)
    np.testing.assert_array_equal(notes.by_class(found).round(1), [1, 1, 0, *[1] * 9])


@pytest.mark.parametrize("pitch_midi", [45, 60, 69, 88])
@pytest.mark.parametrize("cents", [-40.0, 0.0, 7.0, 30.0])
def test_tuning_is_measured_to_three_cents(pitch_midi: int, cents: float) -> None:
    time, pitch_hz = np.arange(8192) / 44100, 440 * 2 ** ((pitch_midi - 69 + cents / 100) / 12)
    audio = np.sum([0.7**k * np.sin(2 * np.pi * pitch_hz * (k + 1) * time + k) for k in range(8)], axis=0)
    measured = notes.cents(magnitudes(audio.astype(np.float32), Stft()), pitch_midi, BIN_HZ)
    np.testing.assert_allclose(measured, cents, atol=3)


def test_only_what_a_player_notices_is_weak() -> None:
    assert not Note(60, 0.99, 7, 10.0).is_weak
    assert Note(60, 0.97, 7, 10.0).is_weak
    assert Note(60, 1.0, None, 30.0).is_weak
    assert not Note(60, 1.0, None, np.nan).is_weak
    assert "its strongest partial is 30 cents off" in notes.weak_sentence([Note(60, 1.0, None, 30.0)])
