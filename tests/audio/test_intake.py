"""Between an input and the renderer: in order, in time, and never later and later."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from oscsynth.audio.intake import LOOK_EVERY, RING_SAMPLES, Intake


class Ramp:
    """Puts 1, 2, 3 ... so that a sample left out shows."""

    def __init__(self) -> None:
        self.intake, self.next = Intake(), 1

    def put(self, n_samples: int, channels: int = 1) -> None:
        ramp = np.arange(self.next, self.next + n_samples, dtype=np.float32)
        self.intake.put(np.repeat(ramp[:, None], channels, axis=1))
        self.next += n_samples

    def take(self, n_samples: int) -> list[float]:
        block = self.intake.take(n_samples)
        assert block.shape == (n_samples, 2) and (block[:, 0] == block[:, 1]).all()
        return block[:, 0].tolist()


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 700)), max_size=60))
def test_every_sample_comes_once_in_order_with_silence_where_there_is_none(steps):
    ramp, heard = Ramp(), []
    for is_put, n_samples in steps:
        if is_put:
            ramp.put(n_samples)
        else:
            heard += ramp.take(n_samples)
    sounding = [value for value in heard if value]
    assert sounding == list(range(1, len(sounding) + 1))


def test_in_step_nothing_is_missed_and_one_channel_is_heard_on_both_sides():
    ramp = Ramp()
    for _ in range(3 * LOOK_EVERY):
        ramp.put(256, channels=1)
        assert ramp.take(256)[-1] == ramp.next - 1
    assert ramp.intake.missed == 0


def test_what_lay_there_before_anybody_listened_is_dropped():
    ramp = Ramp()
    for _ in range(8):
        ramp.put(250)
    late = []
    for _ in range(3 * LOOK_EVERY):
        ramp.put(256)
        late.append(ramp.next - 1 - ramp.take(256)[-1])
    assert late[0] == 2000 and late[-1] <= 256 and ramp.intake.missed >= 1700


def test_a_pause_of_the_listener_is_skipped():
    ramp = Ramp()
    for _ in range(2 * RING_SAMPLES // 512):
        ramp.put(512)
    assert ramp.take(64) == [float(value) for value in range(ramp.next - 64, ramp.next)]


def test_an_input_that_is_a_little_slower_leaves_gaps_and_nothing_else():
    ramp, heard = Ramp(), []
    for turn in range(2000):
        ramp.put(255 if turn % 4 == 0 else 256)
        heard += ramp.take(256)
    gaps = np.flatnonzero(np.array(heard) == 0)
    assert 400 <= len(gaps) <= 600 and ramp.intake.missed == len(gaps)
