"""Decoders of kind note: read, refused, decoded."""

import numpy as np
import pytest

from oscsynth.errors import DecoderError
from oscsynth.sound.decoder import Decoder
from oscsynth.sound.decoders import load_decoder, probe
from oscsynth.sound.note_decoder import NoteDecoder
from tests.decoders import tiny_decoder
from tests.note_decoders import BROKEN_NOTES, N_BINS, tiny_note_decoder

SENTENCES = {
    "no_map": "a decoder of kind 'note' without a map of notes",
    "other_hops": r"note has the shape \['voices', 14, 1025\]; it must be \(voices, 12, 1025\) with any number of voices",
    "one_stage": "its graph takes timbre, pitch where its metadata ask for timbre, pitch, bands",
    "not_a_number": "it gives NaN at oboe, pitch 48: train it again",
    "negative_magnitudes": "it gives negative magnitudes at clarinet, pitch 48",
    "silent_notes": r"it gives silence \(every magnitude 0\) at clarinet, pitch 48",
}


@pytest.fixture(scope="module")
def decoder(tmp_path_factory):
    return NoteDecoder.load(tiny_note_decoder(tmp_path_factory.mktemp("notes") / "notes.onnx"))


@pytest.mark.parametrize("name", BROKEN_NOTES)
def test_a_bad_file_is_refused_with_a_sentence(name, tmp_path):
    path = BROKEN_NOTES[name](tmp_path / "bad.onnx")
    with pytest.raises(DecoderError, match=SENTENCES[name]) as refused:
        probe(load_decoder(path))
    assert str(refused.value).startswith(str(path))


def test_either_kind_is_loaded_by_what_it_says_it_is(decoder, tmp_path):
    assert isinstance(load_decoder(decoder.path), NoteDecoder)
    assert isinstance(load_decoder(tiny_decoder(tmp_path / "tiny.onnx")), Decoder)
    with pytest.raises(DecoderError, match="it is of kind 'note', and here one of kind 'frame' is needed"):
        Decoder.load(decoder.path)


def test_each_stage_runs_without_the_other(decoder):
    notes = decoder.decode(decoder.instruments, np.zeros(3, np.intp))
    assert notes.shape == (3, 12, N_BINS) and notes.dtype == np.float32
    magnitudes = decoder.magnitudes(notes[:, 0])
    assert magnitudes.shape == (3, N_BINS) and np.allclose(magnitudes**2, notes[:, 0], rtol=1e-5)


def test_the_nearest_pitch_is_the_one_that_was_taught(decoder):
    assert decoder.pitches[decoder.nearest(np.array([-3.0, 48.0, 48.6, 60.4, 84.0, 127.0]))].tolist() == [48, 48, 49, 60, 84, 84]
