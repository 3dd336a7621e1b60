"""Queues and clocks: order, bounds, and lines through what devices really do."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oscsynth.schedule import NTP_TO_UNIX_SECONDS, Queue, SampleClock, WallClock

RATE_HZ = 44100
SECOND = 1 << 32


@given(st.lists(st.floats(0, 5, width=16), max_size=40))
def test_what_is_pushed_comes_out_in_order_of_time_and_of_coming(times):
    queue = Queue(100, 0)
    for number, due in enumerate(times):
        assert queue.push(due, (due, number))
    assert sorted(queue.items()) == sorted((due, number) for number, due in enumerate(times))
    popped = []
    while queue:
        assert queue.first_seconds == min(queue.items())[0]
        popped.append(queue.pop())
    assert popped == sorted(popped) and len(popped) == len(times) and queue.first_seconds == float("inf")


@given(st.lists(st.integers(0, 9), max_size=40), st.integers(0, 10), st.integers(0, 50))
def test_it_never_holds_more_than_it_may(weights, max_items, max_weight):
    queue, held = Queue(max_items, max_weight), []
    for weight in weights:
        fits = len(held) < max_items and sum(held) + weight <= max_weight
        assert queue.push(0.0, weight, weight) == fits
        held += [weight] * fits
        assert (len(queue), queue.weight) == (len(held), sum(held))
    for weight in held:
        assert queue.pop() == weight
    assert queue.weight == 0


# ---- the wall


class Wall:
    """A clock on the wall and one that nobody sets, moved by hand; each reading takes a moment, and some are interrupted."""

    def __init__(self):
        self.monotonic, self.ahead, self.pauses = 5_000_000_000, 1_000_000_000_000, []
        self.clock = WallClock(self.wall_ns, self.monotonic_ns)

    def monotonic_ns(self):
        self.monotonic += 300
        return self.monotonic

    def wall_ns(self):
        read = self.monotonic + self.ahead + 150
        if self.pauses and self.pauses.pop(0):
            self.monotonic += 2_000_000
        return read

    def tag(self, monotonic_seconds):
        """Return the time tag of a moment."""
        return round((monotonic_seconds + self.ahead / 1e9 + NTP_TO_UNIX_SECONDS) * SECOND)


def test_a_steady_clock_gives_times_that_are_steady_to_the_nanosecond():
    wall = Wall()
    tag, seen = wall.tag(10), set()
    for _ in range(100):
        wall.monotonic += 12_345_678
        seen.add(wall.clock.seconds(tag))
    assert len(seen) == 1 and seen.pop() == pytest.approx(10, abs=1e-5)


def test_an_interrupted_reading_does_not_move_it():
    wall = Wall()
    before = wall.clock.seconds(wall.tag(10))
    wall.pauses = [True, True, False, True, True, True]
    assert wall.clock.seconds(wall.tag(10)) == before


@pytest.mark.parametrize("step_seconds", [3600, -3600, 0.25, -0.001])
def test_a_clock_that_is_set_counts_from_the_next_time_tag_on(step_seconds):
    wall = Wall()
    wall.clock.seconds(wall.tag(10))
    wall.ahead += round(step_seconds * 1e9)
    assert wall.clock.seconds(wall.tag(10)) == pytest.approx(10, abs=1e-5)


def test_a_clock_that_drifts_is_followed():
    wall = Wall()
    for second in range(1000):
        wall.monotonic += 1_000_000_000
        wall.ahead += 50_000  # 50 ppm
        assert wall.clock.seconds(wall.tag(second)) == pytest.approx(second, abs=2e-5)


def test_fractions_of_a_second_are_kept():
    wall = Wall()
    first = wall.clock.seconds(wall.tag(10))
    assert wall.clock.seconds(wall.tag(10) + SECOND // 8) - first == pytest.approx(0.125, abs=1e-9)


# ---- the samples


def play(clock, seconds, *, start=100.0, first=0, drift=0.0, late=lambda rng: rng.expovariate(1 / 0.0004), block=256, seed=440):
    """Let a device call for its blocks, late as they come; return the sample that is next."""
    rng, sample = random.Random(seed), first
    while (ideal := (sample - first) / RATE_HZ * (1 + drift)) < seconds:
        clock.observe(sample, start + ideal + late(rng))
        sample += block
    return sample


def test_distances_are_exact_to_the_sample_whatever_the_jitter():
    clock = SampleClock(RATE_HZ)
    sample = play(clock, 2)
    moments = [150 + n / 100 for n in range(500)]
    placed = []
    for n, moment in enumerate(moments):
        sample = play(clock, 0.02, start=100 + sample / RATE_HZ, first=sample, seed=n)
        placed.append(round(clock.sample(moment)))
    assert {after - before for before, after in pairwise(placed)} == {441}
    assert placed[0] == pytest.approx(50 * RATE_HZ, abs=5)


def test_a_machine_that_is_often_busy_moves_nothing():
    def late(rng):
        return rng.uniform(0, 0.0002) if rng.random() < 0.2 else rng.uniform(0.001, 0.02)

    clock = SampleClock(RATE_HZ)
    play(clock, 2, late=late)
    before = clock.sample(101)
    play(clock, 20, late=late, start=100 + 345 * 256 / RATE_HZ, first=345 * 256, seed=1)
    assert clock.sample(101) == before == pytest.approx(RATE_HZ, abs=20)


@pytest.mark.parametrize("drift", [5e-5, -5e-5, 3e-4])
def test_drift_is_followed_and_learnt(drift):
    clock = SampleClock(RATE_HZ)
    sample = play(clock, 60, drift=drift, late=lambda rng: rng.uniform(0, 0.002))
    ideal = 100 + sample / RATE_HZ * (1 + drift)
    assert clock.seconds(sample) == pytest.approx(ideal, abs=0.0008)
    assert clock.seconds(sample + RATE_HZ) - clock.seconds(sample) == pytest.approx(1 + drift, abs=6e-5)


def test_it_never_leaps_while_it_follows():
    clock, worst, sample, before = SampleClock(RATE_HZ), 0.0, 0, 100.0
    for n in range(8000):
        sample = play(clock, 0.001, start=100 + sample / RATE_HZ * (1 + 5e-5), first=sample, seed=n)
        after = clock.seconds(sample)
        worst = max(worst, abs(after - before - 256 / RATE_HZ)) if n > 200 else 0.0
        before = after
    assert worst < 0.00001


@pytest.mark.parametrize(("block", "lost_samples"), [(256, 512), (256, 2 * RATE_HZ), (256, 256), (128, 128), (64, 64)])
def test_lost_samples_are_noticed_within_half_a_second(block, lost_samples):
    clock = SampleClock(RATE_HZ)
    first = play(clock, 3, block=block)
    start = 100 + (first + lost_samples) / RATE_HZ
    sample = play(clock, 0.45, start=start, first=first, block=block)
    assert clock.seconds(sample) == pytest.approx(start + (sample - first) / RATE_HZ, abs=0.0004)
    assert clock.sample(clock.seconds(sample)) == pytest.approx(sample)


def test_samples_that_are_lost_in_small_steps_are_not_taken_for_drift():
    """A sound server that comes late goes on from there: by less than a block, again and again."""
    clock, sample, start = SampleClock(RATE_HZ), 0, 100.0
    for n, lost_seconds in enumerate([0.0, 0.0009, 0.0006, 0.0012, 0.0008, 0.0015]):
        start += lost_seconds
        first = sample
        sample = play(clock, 6, start=start + first / RATE_HZ, first=first, block=128, seed=n, late=lambda rng: rng.uniform(0, 0.0005))
        assert clock.seconds(sample) == pytest.approx(start + sample / RATE_HZ, abs=0.0004)
        assert clock.seconds(sample + RATE_HZ) - clock.seconds(sample) == pytest.approx(1.0, abs=1e-9)


def test_a_stall_that_is_caught_up_moves_nothing():
    clock = SampleClock(RATE_HZ)
    sample = play(clock, 3)
    before = clock.seconds(10**6)
    behind = 100 + sample / RATE_HZ
    for n in range(40):  # 0.2 s late, then all at once
        clock.observe(sample + 256 * n, max(behind + 0.2 + n * 0.0005, behind + n * 256 / RATE_HZ))
    play(clock, 1, start=behind + 40 * 256 / RATE_HZ, first=sample + 40 * 256)
    assert clock.seconds(10**6) == before


def test_reset_forgets():
    clock = SampleClock(RATE_HZ)
    play(clock, 1)
    clock.reset()
    clock.observe(0, 500.0)
    assert clock.sample(501.0) == pytest.approx(RATE_HZ)
