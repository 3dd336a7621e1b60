"""Thousands of random events leave no note behind and no click; ``make benchmark-notes`` plays a hundred thousand."""

from pathlib import Path

import numpy as np
import pytest

from oscsynth.sound.output import KNEE

from .note_driver import RATE_HZ, Bound, Player, Stage, crests


@pytest.fixture(scope="module")
def steady_crest(tmp_path_factory: pytest.TempPathFactory) -> float:
    """Return how far the second differences of held notes go beyond their root mean square."""
    stage = Stage(tmp_path_factory.mktemp("steady"))
    with Bound() as bound:
        for pitch in range(36, 76, 5):
            stage.send("note/on", pitch, 1.0)
        sound = stage.render(4 * RATE_HZ)
    return float(crests(sound, bound.of(len(sound)))[RATE_HZ:].max())


@pytest.mark.parametrize("seed", [1, 2])
def test_random_notes_leave_nothing_behind_and_never_click(tmp_path: Path, steady_crest: float, seed: int) -> None:
    stage = Stage(tmp_path)
    player = Player(stage, seed)
    with Bound() as bound:
        sound = np.concatenate([player.play(800), player.lift_all()])
    assert stage.refused == [] and stage.engine.faults == 0
    assert stage.held == 0 and stage.engine.sounding_voices == 0
    assert np.isfinite(sound).all() and 0.01 < np.abs(sound).max() < KNEE
    assert crests(sound, bound.of(len(sound))).max() < 1.2 * steady_crest
