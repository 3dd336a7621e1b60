"""What is listened to: the input as far as it is known, and a track that is played, stopped, moved and looped."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from oscsynth.parameters import PART_SLOTS, State
from oscsynth.sound.source import Inlet, Track, TrackSource

WINDOW, LEAD, RATE_HZ, LENGTH = 64, 24, 1000, 500
TRACK = Track(np.arange(1, LENGTH + 1, dtype=np.float32)[:, None], RATE_HZ)


def row(**values: float) -> np.ndarray:
    """Return a part's row of the state with these numbers of its track."""
    made = np.frombuffer(State().values)[: PART_SLOTS["latent"].stop + 200].copy()
    for name, value in {"playing": 1.0, "loop": 0.0, "starts": 0.0, "seeks": 0.0, "to": 0.0, **values}.items():
        made[PART_SLOTS[f"track/{name}"].start] = value
    return made


def source(now: int = 0, **values: float) -> TrackSource:
    return TrackSource(TRACK, WINDOW, LEAD, row(**values), now)


def test_the_input_is_known_up_to_now() -> None:
    inlet = Inlet(8)
    for start, size in ((0, 3), (3, 0), (3, 20), (23, 1)):
        inlet.push(np.arange(start, start + size, dtype=np.float32)[:, None])
    window = inlet.window(24)
    assert window is not None and window[:, 0].tolist() == list(range(16, 24)) == window[:, 1].tolist()


def test_what_is_no_number_is_silent_and_counted() -> None:
    inlet = Inlet(4)
    inlet.push(np.array([[1.0, np.nan], [np.inf, 2.0]], np.float32))
    window = inlet.window(2)
    assert inlet.faults == 2 and window is not None and window[2:].tolist() == [[1.0, 0.0], [0.0, 2.0]]


def test_a_track_is_read_ahead_and_is_silent_around_its_ends() -> None:
    window = source().window(0)
    assert window is not None and window[:, 0].tolist() == [0.0] * (WINDOW - LEAD) + list(range(1, LEAD + 1))
    last = source().window(LENGTH)
    assert last is not None and last[: WINDOW - LEAD, 0].tolist() == list(range(LENGTH - WINDOW + LEAD + 1, LENGTH + 1)) and not last[-LEAD:].any()
    assert source(playing=0.0).window(0) is None


def test_a_loop_has_no_seam() -> None:
    looped = source(loop=1.0)
    window = looped.window(LENGTH)
    assert window is not None and window[:, 0].tolist() == [float((at - WINDOW + LEAD) % LENGTH + 1) for at in range(WINDOW)]
    assert looped.position(3 * LENGTH + 7) == 7


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 300), st.sampled_from(["play", "stop", "seek", "loop", "once"]), st.floats(0, 0.7)),
        max_size=12,
    )
)
def test_the_transport_does_what_a_list_of_positions_does(events: list[tuple[int, str, float]]) -> None:
    values = {"playing": 1.0, "loop": 0.0, "starts": 0.0, "seeks": 0.0, "to": 0.0}
    played, now, expected = source(), 0, 0
    for passed, what, to in events:
        for _ in range(passed):  # sample by sample
            expected += bool(values["playing"])
            expected = expected % LENGTH if values["loop"] else min(expected, LENGTH)
        now += passed
        assert played.position(now) == expected
        if what == "play":
            values["playing"], values["starts"] = 1.0, values["starts"] + 1
            expected = 0 if expected >= LENGTH else expected
        elif what == "stop":
            values["playing"] = 0.0
        elif what == "seek":
            values["seeks"], values["to"] = values["seeks"] + 1, to
            expected = min(round(to * RATE_HZ), LENGTH)
        else:
            values["loop"] = float(what == "loop")
        played.follow(row(**values), now)
        expected = expected % LENGTH if values["loop"] else expected
        assert played.position(now) == expected
