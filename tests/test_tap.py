"""The last seconds of sound in shared memory: what comes out is what went in, or it is said that it is gone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oscsynth.tap import RING_BYTES, Recording, Tap, TooLate


@pytest.fixture
def tap(tmp_path):
    tap = Tap(tmp_path / "tap", create=True)
    yield tap
    tap.close()


def sound(first, n_samples, n_channels):
    return (np.arange(first, first + n_samples, dtype=np.float32)[:, None] + np.zeros((1, n_channels), np.float32)).copy()


def test_nothing_is_there_before_an_engine_is(tap):
    assert tap.stream().generation == 0 and tap.recording() == Recording()


@settings(max_examples=30, deadline=None)
@given(sizes=st.lists(st.integers(1, 9000), min_size=1, max_size=12), n_channels=st.sampled_from([1, 2, 3, 16]))
def test_what_goes_in_comes_out_across_the_seam(tmp_path_factory, sizes, n_channels):
    tap = Tap(tmp_path_factory.mktemp("tap") / "tap", create=True)
    tap.begin(44100, n_channels)
    ring_samples = RING_BYTES // (4 * n_channels)
    tap._written = written = ring_samples - sum(sizes) // 2  # near the end of the ring
    for size in sizes:
        tap.write(sound(written, size, n_channels).data)
        written += size
    start = written - sum(sizes)
    data = np.frombuffer(tap.read(tap.stream(), start, 10**9), np.float32).reshape(-1, n_channels)
    assert np.array_equal(data, sound(start, sum(sizes), n_channels))
    tap.close()


@settings(max_examples=30, deadline=None)
@given(sizes=st.lists(st.integers(1, 3000), min_size=1, max_size=12), laid=st.integers(1, 12000), n_channels=st.sampled_from([1, 2, 16]))
def test_what_was_laid_is_seen_piece_by_piece_and_written_over_by_what_came_instead(tmp_path_factory, sizes, laid, n_channels):
    tap = Tap(tmp_path_factory.mktemp("tap") / "tap", create=True)
    tap.begin(44100, n_channels)
    tap._written = start = written = RING_BYTES // (4 * n_channels) - sum(sizes) // 2
    tap.lay(sound(written, laid, n_channels).data)
    left = min(laid, 8192)
    for size in sizes:
        if tap.go_on(size):
            left -= size
            assert left >= 0
        else:
            assert size > left
            tap.write(sound(written, size, n_channels).data)
            left = 0
        written += size
        data = np.frombuffer(tap.read(tap.stream(), start, 10**9), np.float32).reshape(-1, n_channels)
        assert np.array_equal(data, sound(start, written - start, n_channels))
    tap.close()


def test_what_is_not_there_yet_is_nothing(tap):
    tap.begin(44100, 2)
    tap.write(sound(0, 100, 2).data)
    assert tap.read(tap.stream(), 100, 50) == b""
    assert len(tap.read(tap.stream(), 60, 1000)) == 40 * 8


def test_what_was_written_over_is_too_late(tap):
    tap.begin(44100, 2)
    stream = tap.stream()
    for first in range(0, stream.capacity_samples + 8192, 8192):
        tap.write(sound(first, 8192, 2).data)
    with pytest.raises(TooLate):
        tap.read(stream, 0, 100)


def test_another_engine_is_another_stream(tap):
    tap.begin(44100, 2)
    tap.write(sound(0, 100, 2).data)
    before = tap.stream()
    tap.begin(48000, 2)
    assert tap.stream().generation != before.generation and tap.stream().sample_rate_hz == 48000
    with pytest.raises(TooLate):
        tap.read(before, 0, 100)


def test_how_a_recording_fares_is_read_elsewhere(tap):
    tap.tell(Recording(3, "failed", "/music/take.wav", 1.5, "the disk may be full"))
    other = Tap(tap.path)
    assert other.recording() == Recording(3, "failed", "/music/take.wav", 1.5, "the disk may be full")
    other.close()
