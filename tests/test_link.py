"""What crosses between the processes: all of a change or none, and nothing lost when either side is killed."""

from __future__ import annotations

import dataclasses
import multiprocessing
import signal
import time
from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oscsynth.link import _TELEMETRY, _TELEMETRY_AT, AHEAD_AT, MAX_QUEUE_BYTES, STATE_DOUBLES, Load, SharedMemory, Telemetry
from oscsynth.parameters import MAX_CHANGES_AHEAD, N_VALUES, State
from oscsynth.patch import Patch

N_FIELDS = len(dataclasses.fields(Telemetry))
CONTEXT = multiprocessing.get_context("spawn")


@pytest.fixture
def memory() -> Iterator[SharedMemory]:
    memory = SharedMemory()
    yield memory
    memory.close()


def buffer() -> bytearray:
    return bytearray(8 * N_VALUES)


def test_state_arrives_in_another_mapping(memory):
    state, into = State(), buffer()
    state.set(3, "pan", 0.25)
    memory.write_state(state)
    other = SharedMemory(memory.path)
    other.read_state(into)
    other.close()
    assert bytes(into) == state.values.tobytes()


def test_unchanged_state_is_not_copied(memory):
    known = memory.read_state(buffer())
    into = buffer()
    assert memory.read_state(into, known) == known
    assert not any(into)


def test_state_that_is_being_written_is_not_read(memory):
    known = memory.read_state(buffer())
    memory._begin(0)  # a writer that was killed half way
    assert memory.read_state(buffer(), known) == known
    memory.write_state(State())  # the next one goes on
    assert memory.read_state(buffer(), known) != known


def test_restored_state_is_the_written_one(memory):
    state = State()
    state.set(1, "latent", 0.7, 5)
    memory.write_state(state)
    assert memory.restore_state().values.tobytes() == state.values.tobytes()


def test_what_lies_ahead_arrives_with_the_state(memory):
    state, into = State(), bytearray(8 * STATE_DOUBLES)
    state.set(1, "pan", 0.5)
    state.ahead = array("d", (10.0, 7, 0.25, 10.0, 8, 0.5, 11.0, 7, 0.75))
    memory.write_state(state)
    memory.read_state(into)
    doubles = memoryview(into).cast("d")
    assert doubles[AHEAD_AT] == 3 and list(doubles[AHEAD_AT + 1 : AHEAD_AT + 10]) == list(state.ahead)
    assert memory.restore_state().ahead == state.ahead and memory.restore_state().values.tobytes() == state.values.tobytes()
    memory.write_state(State())
    assert len(memory.restore_state().ahead) == 0


def test_as_much_as_may_lie_ahead_fits(memory):
    state = State()
    state.ahead = array("d", range(3 * MAX_CHANGES_AHEAD))
    memory.write_telemetry((7.0,) * N_FIELDS)
    memory.write_state(state)
    assert memory.restore_state().ahead == state.ahead and memory.read_telemetry().load == 7.0


@given(kept=st.lists(st.binary(max_size=100), min_size=1, max_size=4))
def test_the_queue_is_the_last_one_kept_and_the_notes_are_apart(kept):
    memory = SharedMemory()
    memory.write_notes("notes")
    for data in kept:
        memory.write_queue(data)
    assert memory.read_queue() == kept[-1] and memory.read_notes() == "notes"
    memory.close()


def test_a_full_queue_fits(memory):
    memory.write_queue(b"a" * MAX_QUEUE_BYTES)
    memory.write_queue(b"b" * MAX_QUEUE_BYTES)
    assert memory.read_queue() == b"b" * MAX_QUEUE_BYTES


def test_where_tracks_are_arrives_and_touches_nothing_else(memory):
    memory.write_notes("kept")
    memory.write_tracks([(part + 0.25, 10.0 * part) for part in range(1, 9)])
    assert [memory.read_track(part) for part in range(1, 9)] == [(part + 0.25, 10.0 * part) for part in range(1, 9)]
    assert memory.read_notes() == "kept"


def test_telemetry_that_is_half_written_is_not_read(memory):
    """As where the processor stands still in the middle of it: what is read then may be zeros."""
    memory.write_telemetry((7.0,) * N_FIELDS)
    before = memory.read_telemetry()
    memory._begin(1)
    _TELEMETRY.pack_into(memory._map, _TELEMETRY_AT, *(0.0,) * N_FIELDS)
    assert memory.read_telemetry() == before
    memory.write_telemetry((8.0,) * N_FIELDS)
    assert memory.read_telemetry().load == 8.0


def test_telemetry_arrives(memory):
    telemetry = Telemetry(*range(N_FIELDS))
    memory.write_telemetry(tuple(float(n) for n in range(N_FIELDS)))
    assert memory.read_telemetry() == telemetry
    memory.write_position(123.0, 4.5)
    assert memory.read_telemetry() == dataclasses.replace(telemetry, position_samples=123.0, position_seconds=4.5)


@given(texts=st.lists(st.text(max_size=100), min_size=1, max_size=4))
def test_notes_are_the_last_ones_written(texts):
    memory = SharedMemory()
    for text in texts:
        memory.write_notes(text)
    assert memory.read_notes() == texts[-1]
    memory.close()


def test_notes_that_are_too_long_leave_the_old_ones(memory):
    memory.write_notes("old")
    with pytest.raises(ValueError, match="at most 524288 fit"):
        memory.write_notes("x" * 600_000)
    assert memory.read_notes() == "old"


def test_only_the_creator_deletes_the_file():
    memory = SharedMemory()
    SharedMemory(memory.path).close()
    assert Path(memory.path).exists()
    memory.close()
    assert not Path(memory.path).exists()


def test_load_survives_a_pipe():
    out, into = CONTEXT.Pipe(duplex=False)
    load = Load(3, Patch("Violin", "violin.onnx"))
    into.send(load)
    assert out.recv() == load


def write_forever(path: str) -> None:
    """Write two states in turn, one all ones and one all twos, with pauses about as long as a write."""
    memory, states = SharedMemory(path), (State(), State())
    for number, state in enumerate(states, 1):
        for i in range(len(state.values)):
            state.values[i] = number
        state.voices_revision = number
    while True:
        for state in states:
            memory.write_state(state)
            for _ in range(300):
                pass


def test_no_reader_ever_sees_half_a_change(memory):
    writer = CONTEXT.Process(target=write_forever, args=(memory.path,), daemon=True)
    writer.start()
    into, known, n_read = buffer(), memory.read_state(buffer()), 0
    values = memoryview(into).cast("d")
    until = time.monotonic() + 60  # for a machine with much else to do
    while n_read < 300 and time.monotonic() < until:
        now = memory.read_state(into, known)
        if now != known:
            assert set(values) in ({1.0}, {2.0})
            n_read += 1
        known = now
    writer.kill()
    writer.join()
    assert writer.exitcode == -signal.SIGKILL and n_read == 300
