import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from oscsynth.sound.output import CEILING, KNEE, limit


@given(st.floats(-1e6, 1e6, width=32))
def test_nothing_passes_the_ceiling_and_quiet_sound_passes_untouched(sample: float) -> None:
    limited = float(limit(np.array([[sample]], np.float32))[0, 0])
    assert abs(limited) <= CEILING
    if abs(sample) <= KNEE:
        assert limited == np.float32(sample)


def test_the_knee_has_no_corner() -> None:
    ramp = np.linspace(0, 3, 30001, dtype=np.float32)[:, None]
    slope = np.diff(limit(ramp.copy())[:, 0].astype(np.float64)) / 1e-4
    assert (slope > -0.01).all() and np.abs(np.diff(slope)).max() < 0.02
