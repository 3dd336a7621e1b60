"""The session's file: whole or not at all, whatever happens to the disk, and out of the way when it does harm."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oscsynth.session import SessionFile, state_folder


@pytest.fixture
def said():
    return []


@pytest.fixture
def file(tmp_path, said):
    return SessionFile(tmp_path, 57140, said.append)


def test_what_was_written_last_is_read(file, said):
    assert file.begin() == ""
    file.write("one")
    file.write("zwei ü")
    assert SessionFile(file.path.parent, 57140, said.append).begin() == "zwei ü" and not said


def test_each_port_has_its_own(file, said):
    file.write("mine")
    assert SessionFile(file.path.parent, 57150, said.append).begin() == ""


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_cut_short_anywhere_or_spoilt_the_one_before_is_taken_and_that_is_said_once(tmp_path, data):
    said = []
    file = SessionFile(tmp_path, 1, said.append)
    before, last = data.draw(st.text(min_size=1)), data.draw(st.text(min_size=1))
    file.write(before)
    file.write(last)
    whole = bytearray(file.path.read_bytes())
    at = data.draw(st.integers(0, len(whole) - 2))
    if data.draw(st.booleans()):
        del whole[at:]
    else:
        whole[at] ^= 1
    file.path.write_bytes(whole)
    assert file.begin() == before
    assert len(said) == 1 and "damaged" in said[0] and str(file.path) in said[0]
    file.settle()
    assert file.begin() == before and len(said) == 1
    file.settle()
    file.write(last)
    assert file.begin() == last
    file.settle()


def test_when_both_are_spoilt_they_are_set_aside_and_named(file, said):
    file.write("one")
    file.write("two")
    file.path.write_text("x")
    file.previous.write_text("y")
    assert file.begin() == "" and len(said) == 1 and not file.path.exists()
    [aside] = file.path.parent.glob("*.aside-*")
    assert str(aside) in said[0] and aside.read_text() == "x"


def test_a_kill_between_the_two_names_loses_nothing(file, said):
    file.write("one")
    os.replace(file.path, file.previous)
    assert file.begin() == "one" and not said


def test_a_session_that_failed_to_load_twice_is_set_aside_and_named(file, said):
    file.write("deadly")
    assert [file.begin() for _ in range(3)] == ["deadly", "deadly", ""]
    assert len(said) == 1 and "failed to load 2 times" in said[0] and ".aside-" in said[0]
    file.write("new")
    assert file.begin() == "new" and len(said) == 1


def test_one_that_was_settled_may_be_killed_as_often_as_one_likes(file, said):
    file.write("good")
    for _ in range(5):
        assert file.begin() == "good"
        file.settle()
    assert not said


def test_a_full_disk_is_said_once_and_again_only_after_it_went(file, said, monkeypatch):
    file.write("one")
    room = os.fsync

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    file.write("two")
    file.write("three")
    assert len(said) == 1 and "No space left on device" in said[0] and file.begin() == "one"
    assert not list(file.path.parent.glob("*.new"))
    monkeypatch.setattr(os, "fsync", room)
    file.write("four")
    monkeypatch.setattr(os, "fsync", full)
    file.write("five")
    assert len(said) == 2 and file.begin() == "four"


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path, said):
    (tmp_path / "file").touch()
    file = SessionFile(tmp_path / "file" / "folder", 1, said.append)
    file.write("one")
    assert file.begin() == "" and len(said) == 1 and "cannot be kept" in said[0]


def test_no_test_sees_the_users_own_folders():
    from oscsynth.library import user_folder

    home = Path(os.path.expanduser("~"))
    for folder in (state_folder(), user_folder()):
        assert "oscsynth-tests-" in str(folder) and not folder.is_relative_to(home)
