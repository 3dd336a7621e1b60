import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oscsynth.parameters import MASTER_PARAMETERS, N_ROWS, N_SLOTS, PART_PARAMETERS, Parameter, State

CONTINUOUS = [row for row in (*PART_PARAMETERS, *MASTER_PARAMETERS) if row.continuous]


@pytest.mark.parametrize("row", CONTINUOUS, ids=lambda row: row.name)
@given(position=st.floats(0, 1))
def test_fader_positions_and_values_are_inverse(row: Parameter, position: float) -> None:
    value = row.denormalize(position)
    assert row.minimum <= value <= row.maximum
    assert row.denormalize(row.normalize(value)) == pytest.approx(value, abs=1e-6 * (row.maximum - row.minimum))


@pytest.mark.parametrize("row", CONTINUOUS, ids=lambda row: row.name)
def test_the_ends_of_a_fader_are_the_ends_of_the_range(row: Parameter) -> None:
    assert (row.denormalize(0.0), row.denormalize(1.0)) == pytest.approx((row.minimum, row.maximum))
    assert row.text(row.maximum) and row.text(math.nan) == "auto"


def test_every_slot_is_one_of_its_own_and_starts_with_its_default() -> None:
    state, seen = State(), set()
    for part in range(N_ROWS):
        for row in PART_PARAMETERS if part else MASTER_PARAMETERS:
            for index in range(row.size):
                place = state._at(part, row.name, index)
                assert place not in seen and place // N_SLOTS == part
                seen.add(place)
                value = state.get(part, row.name, index)
                assert value == row.default or (math.isnan(value) and math.isnan(row.default))
