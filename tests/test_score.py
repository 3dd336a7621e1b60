from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oscsynth.errors import OscsynthError
from oscsynth.score import Event, load_score, parse_line


def test_lines_become_events_in_order_of_time(tmp_path: Path) -> None:
    score = tmp_path / "a.score"
    score.write_text("# a tune\n2 chroma/name C#\n\n0.5 latent/1 0.8  # brighter\n2 /oscsynth/gate 0\n")
    assert [(e.seconds, e.address, e.arguments) for e in load_score(score)] == [
        (0.5, "/oscsynth/latent/1", (0.8,)),
        (2.0, "/oscsynth/chroma/name", ("C#",)),
        (2.0, "/oscsynth/gate", (0,)),
    ]


def test_text_with_spaces_stands_in_quotes() -> None:
    assert parse_line('0 patch "Glass Harp"') == Event(0.0, "/oscsynth/patch", ("Glass Harp",), 0)


def test_every_fault_is_named_with_its_line(tmp_path: Path) -> None:
    score = tmp_path / "bad.score"
    score.write_text("soon gate 1\n1\n-1 gate 1\nnan gate 1\n0 gate 1\n1 'open\n")
    with pytest.raises(OscsynthError) as error:
        load_score(score)
    lines = str(error.value).splitlines()
    assert [line.split(":")[1] for line in lines] == ["1", "2", "3", "4", "6"]
    assert "must begin with a time in seconds, not 'soon'" in lines[0] and "has a time but no address" in lines[1]


def test_a_score_that_is_no_text_is_named(tmp_path: Path) -> None:
    score = tmp_path / "tune.mid"
    score.write_bytes(b"MThd\xff\xfe")
    with pytest.raises(OscsynthError, match=r"tune\.mid cannot be read as text"):
        load_score(score)


@given(st.text(max_size=40))
def test_any_line_is_an_event_or_nothing_or_a_fault(line: str) -> None:
    try:
        event = parse_line(line)
    except ValueError:
        return
    assert event is None or (event.seconds >= 0 and event.address.startswith("/oscsynth"))
