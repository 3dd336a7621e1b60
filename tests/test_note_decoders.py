"""The note decoder of the tests is what it says, so that what is tested with it is tested."""

from pathlib import Path

import numpy as np
import onnxruntime

from oscsynth.metadata import PROPERTY, parse_metadata

from .note_decoders import HOP_SAMPLES, N_BANDS, N_BINS, SAMPLE_RATE_HZ, WINDOW_SAMPLES, tiny_note_decoder


def test_it_plays_the_pitch_of_each_mean_and_dies_away(tmp_path: Path) -> None:
    session = onnxruntime.InferenceSession(tiny_note_decoder(tmp_path / "notes.onnx").read_bytes(), providers=["CPUExecutionProvider"])
    metadata = parse_metadata(session.get_modelmeta().custom_metadata_map[PROPERTY])
    assert metadata.note is not None and (metadata.window_samples, metadata.hop_samples) == (WINDOW_SAMPLES, HOP_SAMPLES)
    pitch = np.array(metadata.note.pitch_means, np.float32)
    timbre = np.tile(np.float32(metadata.note.instruments["clarinet"]), (len(pitch), 1))
    note = session.run(["note"], {"timbre": timbre, "pitch": pitch, "bands": np.zeros((0, N_BANDS), np.float32)})[0]
    assert note.shape == (len(pitch), metadata.note.n_hops, N_BANDS) and note.dtype == np.float32
    nothing = {"timbre": timbre[:0], "pitch": pitch[:0]}
    magnitude = session.run(["magnitude"], nothing | {"bands": note[:, 0]})[0]
    assert magnitude.shape == (len(pitch), N_BINS) and magnitude.dtype == np.float32
    strongest_hz = magnitude.argmax(1) * SAMPLE_RATE_HZ / WINDOW_SAMPLES
    asked_hz = 440.0 * 2 ** ((np.array(metadata.note.pitches) - 69) / 12)
    assert np.abs(strongest_hz - asked_hz).max() < SAMPLE_RATE_HZ / WINDOW_SAMPLES
    assert (np.diff(note.sum(2), axis=1) < 0).all()
