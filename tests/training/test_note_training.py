import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from oscsynth.errors import DecoderError
from oscsynth.metadata import parse_metadata
from training import note_export, note_make, note_measures, note_training
from training.gmvae import Gmvae
from training.note_corpus import CHECK, TRAIN, NoteCorpus
from training.note_make import MadeNotes
from training.note_training import CONFIG, TrainedNotes, train

from .note_tones import INSTRUMENTS, corpus, ended_by, tiny

QUICK = replace(CONFIG, epochs=40, batch=16, learning_rate=1e-2)


@pytest.fixture(scope="module")
def found() -> NoteCorpus:
    return corpus()


@pytest.fixture(scope="module")
def trained(found: NoteCorpus) -> TrainedNotes:
    return train(found, tiny(found), QUICK, show=False)


def test_training_tells_instruments_and_pitches_apart(found: NoteCorpus, trained: TrainedNotes) -> None:
    rows = found.rows(TRAIN)
    here = note_training.codes(trained.network, found, rows)
    for code, label in (("timbre", found.instrument), ("pitch", found.pitch)):
        guesses = note_measures.linear_guesses(here[f"{code}_mean"], label[rows], here[f"{code}_mean"])
        assert note_measures.accuracy(label[rows], guesses) > 0.9
    assert note_measures.reconstruction_error(trained.network, found) < np.var(found.spectrogram[found.rows(CHECK)]) / 2


def test_what_was_killed_goes_on_to_the_same_weights(found: NoteCorpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = replace(QUICK, epochs=3, batch=64)
    whole = train(found, tiny(found), config, show=False)
    monkeypatch.setattr("training.train.SAVE_SECONDS", 0.0)
    with monkeypatch.context() as patch:
        patch.setattr(note_training, "Loss", ended_by(RuntimeError("killed"), note_training.Loss))
        with pytest.raises(RuntimeError, match="killed"):
            train(found, tiny(found), config, show=False, folder=tmp_path)
    assert (tmp_path / "checkpoint.npz").exists()
    resumed = train(found, tiny(found), config, show=False, folder=tmp_path)
    assert resumed.history == whole.history
    for one, other in zip(whole.network.get_weights(), resumed.network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_another_seed_is_another_network(found: NoteCorpus) -> None:
    one, same, other = (Gmvae(tiny(found), seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_a_loss_that_is_no_number_is_a_sentence(found: NoteCorpus) -> None:
    broken = replace(found, spectrogram=np.full_like(found.spectrogram, np.nan))
    with pytest.raises(DecoderError, match="stopped being a number before anything was learnt; a smaller learning rate than"):
        train(broken, tiny(found), QUICK, show=False)


def metadata_of(found: NoteCorpus, trained: TrainedNotes) -> object:
    measured = {"separation": {}, "mean_squared_error": 0.1}
    return note_make.metadata(found, trained, measured, dict.fromkeys(("title", "corpus", "licence", "command"), "Tones"), 1)


def test_folding_the_normalisation_changes_nothing(found: NoteCorpus, trained: TrainedNotes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(note_export, "rounded", lambda weights: np.asarray(weights, np.float32))
    decoder, codes = trained.network.networks.decoder, np.random.default_rng(0).normal(size=(5, 7)).astype(np.float32)
    np.testing.assert_allclose(note_export.reference(decoder, codes), decoder(codes, training=False), atol=1e-4)


def test_a_decoder_file_says_and_plays_what_was_learnt(found: NoteCorpus, trained: TrainedNotes, tmp_path: Path) -> None:
    metadata = metadata_of(found, trained)
    path = note_export.export(trained.network.networks.decoder, found, metadata, tmp_path / "tones.onnx")
    session = note_export.open_session(path.read_bytes())
    assert parse_metadata(session.get_modelmeta().custom_metadata_map["oscsynth"]) == metadata
    note = metadata.note
    assert note.pitches == tuple(range(60, 68)) and tuple(note.instruments) == tuple(INSTRUMENTS)
    assert note.ranges == dict.fromkeys(INSTRUMENTS, (60, 67)) and note.n_hops == 6
    played = note_export.run_note(session, np.array([note.instruments["oboe"]] * 2), np.array(note.pitch_means[:2]))
    assert played.shape == (2, 6, 32) and (played > 0).all() and note_export.run_magnitude(session, played[0]).shape == (6, 257)
    assert note_export.run_note(session, np.zeros((0, 4)), np.zeros((0, 3))).shape == (0, 6, 32)


def test_a_graph_that_differs_from_the_network_is_not_written(
    found: NoteCorpus, trained: TrainedNotes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = note_export.reference
    monkeypatch.setattr(note_export, "reference", lambda decoder, codes: right(decoder, codes) * 0.9)
    with pytest.raises(DecoderError, match=r"differs from the trained one by [\d.]+ dB"):
        note_export.export(trained.network.networks.decoder, found, metadata_of(found, trained), tmp_path / "tones.onnx")
    assert not list(tmp_path.iterdir())


def test_brightness_is_the_dimension_that_moves_the_centroid_most(found: NoteCorpus, trained: TrainedNotes) -> None:
    rises, box = note_measures.brightness(trained.network, found)
    note = metadata_of(found, trained).note
    assert len(rises) == box.shape[1] == 4 and abs(rises[note.brightness.latent]) == max(map(abs, rises))
    assert np.sign(note.brightness.brightest) == np.sign(rises[note.brightness.latent]) and note.brightness.darkest == -note.brightness.brightest


def test_the_loop_lies_after_the_attack(found: NoteCorpus, trained: TrainedNotes) -> None:
    first, last = note_measures.loop_region(trained.network, found)
    assert 1 <= first < last < found.mel.n_hops


def test_a_centroid_is_where_the_power_is(found: NoteCorpus) -> None:
    power = np.zeros((2, 6, 32))
    power[0, :, 4], power[1, :, 30] = 1.0, 1.0
    low, high = note_measures.centroid_hz(power, found.mel)
    assert low < 1000 < 4000 < high


def test_a_patch_plays_what_was_made(found: NoteCorpus, trained: TrainedNotes, tmp_path: Path) -> None:
    path = note_make.write_patch("My Tones", MadeNotes(Path("decoders/my-tones.onnx"), found, trained, {}), tmp_path / "my-tones.yaml")
    assert re.search(r"mode: notes\n", path.read_text()) and "decoders/my-tones.onnx" in path.read_text()
