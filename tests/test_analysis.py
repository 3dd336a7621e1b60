"""Levels and spectrum: what they say of known sounds, and that they are worked out only while somebody looks."""

import time

import numpy as np
import pytest

from oscsynth.analysis import FLOOR_DB, N_BANDS, SILENCE, WINDOW_SAMPLES, Analyst, Look, bands, edges_hz
from oscsynth.tap import Tap

RATE_HZ = 44100


@pytest.fixture
def tap(tmp_path):
    tap = Tap(tmp_path / "tap", create=True)
    tap.begin(RATE_HZ, 2)
    yield tap
    tap.close()


def write(tap, block):
    tap.write(np.ascontiguousarray(block, np.float32).data)


@pytest.mark.parametrize("hertz", [60.0, 440.0, 9000.0])
def test_a_sine_at_full_scale_has_0_db_around_its_band_and_little_elsewhere(hertz):
    sine = np.sin(2 * np.pi * hertz * np.arange(WINDOW_SAMPLES) / RATE_HZ)
    found = bands(np.stack([sine, sine], 1), RATE_HZ)
    near = np.searchsorted(edges_hz(), hertz) - 1
    assert 10 * np.log10((10 ** (found / 10)).sum()) == pytest.approx(0.0, abs=0.1)
    assert abs(int(found.argmax()) - near) <= 1
    assert found[(np.arange(N_BANDS) < near - 20) | (np.arange(N_BANDS) > near + 20)].max() < -60


def test_the_levels_are_of_what_came_since_the_last_look(tap):
    look = Look(tap)
    assert look.take() == SILENCE
    for amplitude, level in ((0.5, -6.0), (0.05, -26.0)):
        block = np.zeros((512, 2))
        block[100] = amplitude, -amplitude / 2
        write(tap, block)
        assert look.take()[:2] == [pytest.approx(level, abs=0.05), pytest.approx(level - 6.0, abs=0.05)]
    assert look.take() == SILENCE, "nothing new: the engine is gone"


@pytest.mark.parametrize(("n_channels", "right"), [(1, -6.0), (2, -12.0), (3, -12.0)])
def test_one_channel_is_heard_on_both_sides_and_a_third_on_none(tap, n_channels, right):
    tap.begin(RATE_HZ, n_channels)
    write(tap, np.tile([0.5, 0.25, 0.9], (64, 1))[:, :n_channels])
    assert Look(tap).take()[:2] == [pytest.approx(-6.0, abs=0.05), pytest.approx(right, abs=0.05)]


def test_the_process_runs_while_somebody_looks_and_ends(tap, monkeypatch):
    monkeypatch.setattr("oscsynth.analysis.IDLE_SECONDS", 0.8)
    analyst = Analyst(tap.path)
    assert set(analyst.figures()) == {FLOOR_DB}
    until = time.monotonic() + 20
    while analyst.figures()[0] < -7 and time.monotonic() < until:
        write(tap, np.full((512, 2), 0.5))
        time.sleep(0.02)
    assert analyst.figures()[0] == pytest.approx(-6.0, abs=0.05)
    while analyst._thread is not None and time.monotonic() < until:
        time.sleep(0.05)
    assert analyst._thread is None
