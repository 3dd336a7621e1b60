from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from oscsynth.errors import DecoderError
from training import checkpoint, models, train
from training.configurations import CONFIGURATIONS
from training.dataset import Batches
from training.evaluate import evaluate
from training.evaluate import test_mse as error_over
from training.prepare import TRAIN, VALIDATION, Hops, prepare
from training.shards import Shards
from training.train import Trained, TrainingConfig, learning_rate

from .conftest import SMALL, TINY, tones

Quick = Callable[..., Trained]
beginning = train.Watch.on_epoch_begin


def weights(trained: Trained) -> list[np.ndarray]:
    return [*trained.autoencoder.encoder.get_weights(), *trained.autoencoder.decoder.get_weights()]


@pytest.mark.parametrize("mixing", [True, False])
def test_the_same_seed_gives_the_same_weights(hops: Hops, quick: Quick, mixing: bool) -> None:
    first, second = weights(quick(hops, mixing=mixing)), weights(quick(hops, mixing=mixing))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert any(np.abs(a - b).max() > 1e-3 for a, b in zip(first, weights(quick(hops, mixing=mixing, seed=1)), strict=True))


@pytest.mark.parametrize("mixing", [True, False])
def test_the_error_that_is_reported_is_of_the_magnitudes_alone(hops: Hops, quick: Quick, mixing: bool) -> None:
    trained = quick(hops, mixing=mixing, epochs=1, model=replace(TINY, l2=1.0))  # the weights' penalty is larger by far
    rows = hops.rows(VALIDATION)
    assert trained.validation_mse == pytest.approx(error_over(trained, hops, rows), rel=1e-3)


def test_what_was_killed_goes_on_to_the_same_weights(hops: Hops, quick: Quick, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "SAVE_SECONDS", 0.0)
    original = train.Watch.on_epoch_end

    def die(self: train.Watch, epoch: int, logs: dict[str, float] | None = None) -> None:
        original(self, epoch, logs)
        if epoch == 1:
            raise SystemError("the power went")

    monkeypatch.setattr(train.Watch, "on_epoch_end", die)
    with pytest.raises(SystemError):
        quick(hops, epochs=4, folder=tmp_path)
    monkeypatch.undo()
    begun: list[int] = []
    monkeypatch.setattr(train.Watch, "on_epoch_begin", lambda self, epoch, logs=None: begun.append(epoch) or beginning(self, epoch, logs))
    resumed, whole = quick(hops, epochs=4, folder=tmp_path), quick(hops, epochs=4)
    assert begun == [2, 3, 0, 1, 2, 3]
    assert (resumed.epochs, resumed.validation_mse) == (4, pytest.approx(whole.validation_mse, abs=1e-7))
    for one, other in zip(weights(resumed), weights(whole), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_an_epoch_teaches_its_own_batches(hops: Hops, quick: Quick, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    original = Batches.__getitem__
    monkeypatch.setattr(Batches, "__getitem__", lambda self, index: (self.teaches and asked.append((self.epoch, index))) or original(self, index))
    quick(hops, epochs=2, mixing=False)
    n_batches = -(-len(hops.rows(TRAIN)) // 50)
    assert set(asked) == {(epoch, index) for epoch in range(2) for index in range(n_batches)}


def test_what_is_done_is_not_trained_again(hops: Hops, quick: Quick, tmp_path: Path) -> None:
    first, again = quick(hops, folder=tmp_path), quick(hops, folder=tmp_path)
    assert (again.epochs, again.seconds) == (2, first.seconds)
    for one, other in zip(weights(first), weights(again), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_checkpoint_of_other_settings_or_half_a_file_is_not_gone_on_from(tmp_path: Path) -> None:
    network = train._compiled(models.build(TINY, 440), TrainingConfig())
    path, weight = tmp_path / "checkpoint.npz", network.get_weights()[0]
    checkpoint.save(path, "these", checkpoint.Progress(epochs=3), network, [weight])
    network.set_weights([0 * each for each in network.get_weights()])
    assert checkpoint.restore(path, "others", network) is None
    assert not network.get_weights()[0].any()
    progress, best = checkpoint.restore(path, "these", network) or pytest.fail("there is one")
    assert progress.epochs == 3
    np.testing.assert_array_equal(network.get_weights()[0], weight)
    np.testing.assert_array_equal(best, [weight])
    path.write_bytes(path.read_bytes()[:-100])
    assert checkpoint.restore(path, "these", network) is None


def test_a_corpus_on_disk_teaches_as_one_in_memory(quick: Quick, tmp_path: Path) -> None:
    memory, disk = (prepare(tones(), SMALL, seed=440, folder=tmp_path, memory_bytes=size) for size in (2**30, 0))
    assert isinstance(disk.magnitude, Shards)
    for streamed in Batches(disk, TRAIN, (), TrainingConfig(batch=50), teaches=True), Batches(disk, VALIDATION, (), TrainingConfig(), teaches=False):
        rows = np.concatenate([streamed[number][0]["magnitude"] for number in range(len(streamed))])
        part = TRAIN if streamed.teaches else VALIDATION
        np.testing.assert_array_equal(np.unique(rows, axis=0), np.unique(memory.magnitude[memory.rows(part)], axis=0))
    errors = [quick(hops, epochs=5).validation_mse for hops in (memory, disk)]
    assert errors[1] == pytest.approx(errors[0], rel=0.3)


def test_a_long_corpus_is_gone_through_over_several_epochs(hops: Hops) -> None:
    config = TrainingConfig(batch=50, longest_epoch=2, mixing=False)
    batches = Batches(hops, TRAIN, (), config, teaches=True)
    assert len(batches) == 2
    seen = []
    for _ in range(-(-len(batches.rows) // 100)):
        seen += [row for number in range(2) for row in batches[number][0]["magnitude"]]
        batches.epoch += 1
    n_rows = len(batches.rows)
    np.testing.assert_array_equal(np.unique(seen[:n_rows], axis=0), np.unique(hops.magnitude[batches.rows], axis=0))


def test_a_corpus_of_another_window_is_refused(hops: Hops, quick: Quick) -> None:
    with pytest.raises(DecoderError, match=r"the network takes 2049 bins, and the corpus has 513 \(a window of 1024 at 11025 Hz\)"):
        quick(hops, model=replace(TINY, n_bins=2049))


def test_the_paper_is_one_configuration() -> None:
    paper = CONFIGURATIONS["paper"].training()
    assert (paper.mixing, paper.batch, paper.learning_rate, paper.cooling) == (False, 200, 5e-4, 0.0)
    autoencoder = models.build(models.ModelConfig(), seed=440)
    dense = [layer for layer in autoencoder.encoder.layers + autoencoder.decoder.layers if hasattr(layer, "kernel")]
    assert [layer.units for layer in dense] == [1024, 512, 256, 128, 64, 32, 16, 3, 16, 32, 64, 128, 256, 512, 1024, 2049]
    assert dense[0].kernel.shape == (2049 + 12, 1024)
    assert dense[8].kernel.shape == (3 + 12, 16)
    assert {float(layer.kernel_regularizer.l2) for layer in dense} == {1e-7}


def test_the_sigmoid_keeps_latents_between_0_and_1(hops: Hops, trained: Trained) -> None:
    latent = train.embedding(trained, hops, np.arange(100))
    assert latent.shape == (100, 2)
    assert latent.min() >= 0
    assert latent.max() <= 1


def test_a_leaky_bottleneck_is_not_bounded(hops: Hops, quick: Quick) -> None:
    trained = quick(hops, model=replace(TINY, bottleneck="leaky_relu"))
    assert trained.autoencoder.encoder.layers[-1].name == "latent"
    assert train.embedding(trained, hops, np.arange(10)).shape == (10, 2)


def test_every_class_is_played_everywhere(hops: Hops, trained: Trained) -> None:
    evaluation = evaluate(trained, hops, samples=50)
    assert evaluation.mesh_accuracy > 0.95
    assert evaluation.home_octaves == (4,) * 12


def test_a_class_that_was_never_recorded_is_played(quick: Quick) -> None:
    hops = prepare(tones(pitches=[60, 62, 64, 65, 67, 69, 71]), SMALL, seed=440)
    assert evaluate(quick(hops, epochs=50), hops, samples=50).mesh_share.min() > 0.8


def test_registers_are_taught(quick: Quick) -> None:
    hops = prepare(tones(pitches=range(48, 72)), SMALL, seed=440)
    trained = quick(hops, registers=(3, 4), model=replace(TINY, n_octaves=2), epochs=25)
    assert trained.autoencoder.decoder.inputs[1].shape == (None, 14)
    assert evaluate(trained, hops, samples=50).mesh_accuracy > 0.8


def test_a_loss_that_is_no_number_stops_with_a_sentence(hops: Hops, quick: Quick) -> None:
    bad = replace(hops, magnitude=np.full_like(hops.magnitude, np.nan))
    with pytest.raises(DecoderError, match=r"stopped being a number in batch 1 of epoch 1.*smaller learning rate than 0\.002"):
        quick(bad)


def test_a_loss_that_is_no_number_later_keeps_the_last_good_weights(hops: Hops, quick: Quick, monkeypatch: pytest.MonkeyPatch) -> None:
    original = train.Watch.on_epoch_end

    def spoil(self: train.Watch, epoch: int, logs: dict[str, float] | None = None) -> None:
        original(self, epoch, logs)
        if epoch == 1:
            self.model.set_weights([np.full_like(array, np.nan) for array in self.model.get_weights()])

    monkeypatch.setattr(train.Watch, "on_epoch_end", spoil)
    trained = quick(hops, epochs=5)
    assert trained.failed_at == (2, 0)
    assert trained.epochs <= 3
    assert all(np.isfinite(array).all() for array in weights(trained))


def test_ctrl_c_keeps_the_best_so_far(hops: Hops, quick: Quick, monkeypatch: pytest.MonkeyPatch) -> None:
    original = train.Watch.on_epoch_end

    def interrupt(self: train.Watch, epoch: int, logs: dict[str, float] | None = None) -> None:
        original(self, epoch, logs)
        if epoch == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(train.Watch, "on_epoch_end", interrupt)
    trained = quick(hops, epochs=50)
    assert trained.interrupted
    assert trained.epochs == 2
    assert np.isfinite(trained.validation_mse)


def test_ctrl_c_before_anything_was_learnt_is_passed_on(hops: Hops, quick: Quick, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(self: train.Watch, batch: int, logs: dict[str, float] | None = None) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(train.Watch, "on_train_batch_end", interrupt)
    with pytest.raises(KeyboardInterrupt):
        quick(hops)


def test_training_stops_when_nothing_gets_better_and_keeps_the_best(hops: Hops, quick: Quick) -> None:
    trained = quick(hops, epochs=50, learning_rate=1e-12, patience=2)
    assert trained.epochs < 50


def test_training_stops_when_the_time_is_up(hops: Hops, quick: Quick) -> None:
    assert quick(hops, epochs=500, minutes=0.001).epochs == 1


def test_a_single_sound_can_be_trained_on(quick: Quick) -> None:
    hops = prepare(tones(pitches=[69], brightnesses=[0.5]), SMALL, seed=440)
    assert np.isfinite(evaluate(quick(hops), hops, samples=10).test_mse)


@pytest.mark.parametrize("fault", [{"n_latents": 0}, {"bottleneck": "tanh"}])
def test_a_network_that_cannot_be(fault: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="bottleneck"):
        models.build(replace(TINY, **fault), seed=440)  # type: ignore[arg-type]


def test_the_learning_rate_falls_at_the_end_alone() -> None:
    config = TrainingConfig(epochs=100, cooling=0.3)
    rates = [learning_rate(epoch, config) for epoch in range(100)]
    assert set(rates[:70]) == {5e-4}
    assert rates[70:] == sorted(rates[70:], reverse=True)
    assert rates[-1] == pytest.approx(5e-5)
    assert learning_rate(99, replace(config, cooling=0.0)) == 5e-4
