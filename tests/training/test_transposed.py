import numpy as np
import pytest

from training import mel, note_corpus, transposed
from training.mel import Scale
from training.note_corpus import CHECK, TRAIN
from training.orchestra import LabelledNote

from .conftest import tone
from .note_tones import RATE_HZ, SMALL, corpus

MIDI = np.arange(60, 72)
SCALE = Scale(-80.0, 0.0)


def heard(pitch_midi: int, target: int, seconds: float) -> transposed.Transposed:
    listener = transposed.Listener({0: [target - 60]}, MIDI, SMALL)
    listener.hear(0, LabelledNote("reed", "reed", pitch_midi, tone(pitch_midi, seconds, 0.9, RATE_HZ), RATE_HZ))
    return listener.joined(SCALE, np.array([3], np.int32))


@pytest.mark.parametrize("target", [60, 66, 71])
def test_a_copy_sounds_as_a_note_of_that_pitch_does(target: int) -> None:
    copy = heard(65, target, 0.6)
    played = SCALE.scaled(mel.band_power(tone(target, 0.6, 0.9, RATE_HZ), RATE_HZ, SMALL))
    others = [SCALE.scaled(mel.band_power(tone(target + step, 0.6, 0.9, RATE_HZ), RATE_HZ, SMALL)) for step in (-1, 1)]
    distances = [np.abs(copy.spectrogram[0] - each).mean() for each in (played, *others)]
    assert distances[0] < 0.5 * min(distances[1:])
    assert (copy.instrument.tolist(), copy.pitch.tolist(), copy.origin.tolist()) == ([3], [target - 60], [0])


def test_what_would_be_over_before_the_last_hop_is_left_out() -> None:
    seconds = SMALL.n_samples / SMALL.sample_rate_hz * 1.05
    assert len(heard(65, 67, seconds)) == 0 and len(heard(65, 64, seconds)) == 1


def test_every_instrument_gets_every_pitch_from_its_nearest_notes() -> None:
    instrument, pitch = np.array([0] * 12 + [1] * 6, np.int32), np.array([*range(12), *range(3, 9)], np.int32)
    taught = pitch != 8
    chosen = transposed.plan(instrument, pitch, taught, MIDI, 1)
    found = {(instrument[row], target) for row, targets in chosen.items() for target in targets}
    assert found == {(k, target) for k in (0, 1) for target in range(12)}
    assert taught[list(chosen)].all() and not any(pitch[row] in targets for row, targets in chosen.items())
    assert 11 in chosen[16] and 11 not in chosen.get(12, [])  # the sixth instrument's highest taught note, not its lowest


def test_a_corpus_has_copies_of_its_training_part_alone() -> None:
    found = corpus()
    copies = found.transposed
    assert len(copies) > 50 and not (found.part[copies.origin] == CHECK).any()
    assert (found.pitch[copies.origin] != copies.pitch).all() and (found.instrument[copies.origin] == copies.instrument).all()
    assert np.abs(copies.spectrogram).max() <= 1 and (found.part == TRAIN).sum() == 66


def test_copies_are_told_what_their_notes_are_told() -> None:
    from dataclasses import replace

    from training.note_training import CONFIG, Batches

    found = corpus()
    guided = note_corpus.guided(found, 0.5, 1)
    batches = Batches(found, found.rows(TRAIN), guided, replace(CONFIG, batch=16), teaches=True)
    batch, _ = batches[1]
    assert len(batches) == 66 // 8 and batch["spectrogram"].shape[0] == 16
    assert 0 < batch["guided"][8:].sum() < 8
    copies = found.transposed
    for row in range(8, 16):
        (same,) = np.flatnonzero((copies.spectrogram == batch["spectrogram"][row]).all(axis=(1, 2)))
        assert batch["guided"][row] == guided[copies.origin[same]]
