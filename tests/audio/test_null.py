"""The backend without a device, its clock, and rendering ahead."""

from __future__ import annotations

import threading
import time

import numpy as np

from oscsynth.audio import AudioSettings, open_backend
from oscsynth.audio.ahead import MAX_REQUEST_SAMPLES, RenderAhead


class Ramp:
    """Renders its own sample numbers."""

    def __init__(self, delay_seconds: float = 0) -> None:
        self.position, self.sizes, self._delay_seconds = 0, [], delay_seconds

    def __call__(self, n_samples: int) -> np.ndarray:
        time.sleep(self._delay_seconds if len(self.sizes) == 3 else 0)
        first = self.position
        self.position += n_samples
        self.sizes.append(n_samples)
        return np.repeat(np.arange(first, self.position, dtype=np.float32)[:, None], 2, axis=1)


def play(ramp: Ramp, seconds: float, **settings: int) -> int:
    """Return the underruns of that many seconds."""
    backend = open_backend("null", ramp, AudioSettings(**settings))
    backend.start()
    time.sleep(seconds)
    backend.close()
    return backend.underruns


def test_null_keeps_time():
    ramp = Ramp()
    play(ramp, 0.5, sample_rate_hz=48000, block_samples=100)
    assert set(ramp.sizes) == {100}
    assert abs(ramp.position - 24000) < 2400


def test_null_catches_up_after_a_late_block():
    ramp = Ramp(delay_seconds=0.2)
    assert play(ramp, 0.5, sample_rate_hz=48000) == 0
    assert abs(ramp.position - 24000) < 2400


def test_null_does_not_catch_up_on_a_night(monkeypatch):
    monkeypatch.setattr("oscsynth.audio.null.MAX_BEHIND_SECONDS", 0.1)
    ramp = Ramp(delay_seconds=0.3)
    assert play(ramp, 0.5, sample_rate_hz=48000) == 1
    assert ramp.position < 24000 - 0.2 * 48000


def test_render_ahead_plays_the_same_samples():
    ahead = RenderAhead(Ramp(), 4, 64)
    ahead.attach(open_backend("null", ahead.take, AudioSettings()))
    heard = []
    for n_samples in (64, 100, 1, 300, 17) * 200:
        ahead._fill()
        heard.append(ahead.take(n_samples))
    assert (np.concatenate(heard)[:, 0] == np.arange(482 * 200)).all()
    assert ahead.underruns == 0


def test_render_ahead_covers_a_late_block():
    ramp = Ramp(delay_seconds=0.05)
    assert play(ramp, 0.3, block_samples=256, render_ahead=20) == 0


def test_render_ahead_counts_what_came_too_late():
    ramp = Ramp(delay_seconds=0.1)
    assert play(ramp, 0.3, block_samples=64, render_ahead=1) > 0


def test_render_ahead_renders_as_soon_as_something_was_taken():
    """The block that takes the place of what was taken has all the time that the blocks kept ready last."""
    rendered = threading.Event()

    def render(n_samples: int) -> np.ndarray:
        rendered.set()
        return np.zeros((n_samples, 2), np.float32)

    ahead = RenderAhead(render, 1, MAX_REQUEST_SAMPLES)  # 186 ms
    ahead.attach(open_backend("null", ahead.take, AudioSettings()))
    ahead._fill()
    ahead._worker.start()
    waited = []
    for _ in range(5):
        time.sleep(0.03)  # the worker has gone back to wait
        rendered.clear()
        begun = time.monotonic()
        ahead.take(MAX_REQUEST_SAMPLES)
        rendered.wait(1.0)
        waited.append(time.monotonic() - begun)
    ahead.close()
    assert np.median(waited) < 0.01


def test_render_ahead_keeps_blocks_of_the_size_that_the_device_chose():
    ramp = Ramp()
    ahead = RenderAhead(ramp, 2, 64)
    ahead.attach(backend := open_backend("null", ahead.take, AudioSettings()))
    ahead._fill()
    assert ramp.position == 3 * 64
    ahead.take(100)
    ahead._fill()
    assert ramp.position - 100 >= 3 * 100 and ramp.sizes[-1] == ahead.block_samples == 100
    assert ahead.latency_seconds == backend.latency_seconds + 200 / 44100


def test_render_ahead_says_its_latency():
    backend = open_backend("null", Ramp(), AudioSettings(block_samples=441, render_ahead=2))
    assert round(backend.latency_seconds, 6) == 0.03
    backend.close()
