from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from training import rehearsal
from training.gmvae import Gmvae
from training.note_corpus import NoteCorpus
from training.note_training import CONFIG, train
from training.rehearsal import Batches, Rehearsal, rehearse

from .note_tones import corpus, ended_by, tiny

QUICK = replace(CONFIG, epochs=12, batch=16, learning_rate=1e-2)


@pytest.fixture(scope="module")
def found() -> NoteCorpus:
    return corpus()


@pytest.fixture(scope="module")
def weights(found: NoteCorpus) -> list[np.ndarray]:
    return train(found, tiny(found), QUICK, show=False).network.get_weights()


@pytest.fixture
def network(found: NoteCorpus, weights: list[np.ndarray]) -> Gmvae:
    """Return a network after the first step."""
    made = Gmvae(tiny(found), QUICK.seed)
    made.set_weights(weights)
    return made


def test_the_decoder_is_heard_better_and_the_codes_mean_what_they_meant(found: NoteCorpus, network: Gmvae) -> None:
    before, was = errors(network, found), {name: np.array(weights) for name, weights in encoders(network).items()}
    config = replace(QUICK, epochs=24)  # it learns through noise, which takes longer
    history = rehearse(network, found, config, show=False, settings="a").history
    assert len(history) == config.epochs and errors(network, found) < 0.8 * before
    for name, weights in encoders(network).items():
        np.testing.assert_array_equal(weights, was[name])


def encoders(network: Gmvae) -> dict[str, np.ndarray]:
    parts = (network.networks.timbre_encoder, network.networks.pitch_encoder, network.timbres, network.pitches, network.pitch_classifier)
    return {f"{part.name}-{row}": weights for part in parts for row, weights in enumerate(part.get_weights())}


def errors(network: Gmvae, found: NoteCorpus) -> float:
    """Return how far the encoders are from what is meant in notes that are moved to other instruments."""
    model, batches = Rehearsal(network, 1), Batches(network, found, QUICK, teaches=True)
    for number in range(len(batches)):
        batch, _ = batches[number]
        model.compute_loss(x=batch, y_pred=model(batch))
    return sum(float(model.trackers[name].result()) for name in ("instrument_error", "pitch_error"))


def test_every_note_is_moved_somewhere_and_checked_ones_are_not_taught(found: NoteCorpus, network: Gmvae) -> None:
    teach, check = (Batches(network, found, QUICK, teaches=teaches) for teaches in (True, False))
    batch, _ = teach[0]
    assert len(batch["pitch"]) == 8 and set(batch["target"]) <= {0, 1, 2}
    assert sum(len(check[number][0]["pitch"]) for number in range(len(check))) == int((found.part == 1).sum())
    kept = found.spectrogram[found.part == 1]
    assert not any((kept == note).all(axis=(1, 2)).any() for note in teach.arrays["spectrogram"])


def test_a_rehearsal_that_was_killed_goes_on_to_the_same_weights(
    found: NoteCorpus, network: Gmvae, weights: list[np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(QUICK, epochs=3)
    whole, ended = rehearse(network, found, config, show=False, settings="a"), network.get_weights()
    monkeypatch.setattr("training.train.SAVE_SECONDS", 0.0)
    network.set_weights(weights)
    with monkeypatch.context() as patch:
        patch.setattr(rehearsal, "Loss", ended_by(RuntimeError("killed"), rehearsal.Loss))
        with pytest.raises(RuntimeError, match="killed"):
            rehearse(network, found, config, show=False, settings="a", folder=tmp_path)
    network.set_weights(weights)
    assert rehearse(network, found, config, show=False, settings="a", folder=tmp_path).history == whole.history
    for one, other in zip(ended, network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_ctrl_c_keeps_the_best_so_far_and_no_number_the_decoder_as_it_was(
    found: NoteCorpus, network: Gmvae, weights: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    once = replace(QUICK, epochs=1)
    rehearse(network, found, replace(once, cooling=0.0), show=False, settings="a")
    wanted = network.get_weights()
    network.set_weights(weights)
    monkeypatch.setattr(rehearsal, "Loss", ended_by(KeyboardInterrupt(), rehearsal.Loss))
    assert not rehearse(network, found, replace(QUICK, cooling=0.0), show=False, settings="a").done
    for one, other in zip(wanted, network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    monkeypatch.setattr(rehearsal, "LABELS", np.nan)
    network.set_weights(weights)
    rehearse(network, found, QUICK, show=False, settings="a")
    for one, other in zip(weights, network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
