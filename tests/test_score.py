import contextlib
import json
import os
import struct
import subprocess
from pathlib import Path
from typing import Any

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oscsynth.control.osc import Argument, Midi
from oscsynth.errors import OscsynthError
from oscsynth.score import Event, load_score, parse_line

from .needs import needs


def test_lines_become_events_in_order_of_time(tmp_path: Path) -> None:
    score = tmp_path / "a.score"
    score.write_text("# a tune\n2 chroma/name C#\n\n0.5 latent/1 0.8  # brighter\n2 /oscsynth/gate 0\n")
    assert [(e.seconds, e.address, e.arguments) for e in load_score(score)] == [
        (0.5, "/oscsynth/latent/1", (0.8,)),
        (2.0, "/oscsynth/chroma/name", ("C#",)),
        (2.0, "/oscsynth/gate", (0,)),
    ]


def test_text_with_spaces_stands_in_quotes() -> None:
    assert parse_line('0 patch "Glass Harp"') == Event(0.0, "/oscsynth/patch", ("Glass Harp",))


def test_every_fault_is_named_with_its_line(tmp_path: Path) -> None:
    score = tmp_path / "bad.score"
    score.write_text("soon gate 1\n1\n-1 gate 1\nnan gate 1\n0 gate 1\n1 'open\n")
    with pytest.raises(OscsynthError) as error:
        load_score(score)
    lines = str(error.value).splitlines()
    assert [line.split(":")[1] for line in lines] == ["1", "2", "3", "4", "6"]
    assert "must begin with a time in seconds, not 'soon'" in lines[0] and "has a time but no address" in lines[1]


def test_a_score_that_is_none_is_named(tmp_path: Path) -> None:
    score = tmp_path / "tune.score"
    score.write_bytes(b"\xff\xfeMThd")
    with pytest.raises(OscsynthError, match=r"tune\.score is no score: neither text"):
        load_score(score)


@given(st.text(max_size=40))
def test_any_line_is_an_event_or_nothing_or_a_fault(line: str) -> None:
    try:
        event = parse_line(line)
    except ValueError:
        return
    assert event is None or (event.seconds >= 0 and event.address.startswith("/oscsynth"))


# ---- SuperCollider's binary scores

SCLANG = Path(__file__).parent / "data" / "sclang.osc"  # written by sclang 3.13: Score.write
SCLANG_EVENTS = [
    (0.0, "/oscsynth/latent/1", (0.25,)),
    (0.0, "/oscsynth/hold", (0,)),
    (0.25, "/oscsynth/note/on", (69, 0.75, 1000)),
    (0.5, "/oscsynth/note/off/id", (1000,)),
    (0.5, "/oscsynth/note/off", (1,)),
    (0.625, "/oscsynth/note/on", (60, 0.5, 120)),
    (0.75, "/oscsynth/note/off", (60,)),
    (0.875, "/oscsynth/note", (76, 100)),
    (1.0, "/oscsynth/note", (76, 0)),
]


def heard(score: Path) -> list[tuple[float, str, tuple[Argument, ...]]]:
    return [(event.seconds, event.address, event.arguments) for event in load_score(score)]


def test_what_sclang_wrote_is_read() -> None:
    assert heard(SCLANG) == SCLANG_EVENTS


@needs("sclang")
def test_what_sclang_writes_is_read(tmp_path: Path) -> None:
    score, script, conf = tmp_path / "new.osc", tmp_path / "write.scd", tmp_path / "conf.yaml"
    conf.write_text("includePaths:\n    []\nexcludePaths:\n    []\n")
    moments = {seconds: [] for seconds, _, _ in SCLANG_EVENTS}
    for seconds, address, arguments in SCLANG_EVENTS:
        moments[seconds].append(json.dumps([address, *arguments]))
    lines = ", ".join(f"[{seconds}, {', '.join(messages)}]" for seconds, messages in moments.items())
    script.write_text(f'Score([{lines}, [2.0, [\\c_set, 0, 0]]]).writeOSCFile("{score}", clock: TempoClock(1)); {{ 0.exit }}.fork(AppClock);')
    headless = {"QT_QPA_PLATFORM": "offscreen", "QTWEBENGINE_DISABLE_SANDBOX": "1", "HOME": str(tmp_path)}
    command = ["sclang", "-i", "none", "-l", str(conf), str(script)]
    said = subprocess.run(command, env=os.environ | headless, stdin=subprocess.DEVNULL, capture_output=True, timeout=40)
    assert score.exists(), said.stdout.decode()[-2000:]
    assert heard(score) == SCLANG_EVENTS


@pytest.mark.parametrize("length", [*range(1, 540, 11), 539])
def test_a_binary_score_that_is_cut_short_is_named_with_the_position(tmp_path: Path, length: int) -> None:
    whole, score = SCLANG.read_bytes(), tmp_path / "cut.osc"
    starts, at = [0], 0
    while at < len(whole):
        at += 4 + int.from_bytes(whole[at : at + 4], "big")
        starts.append(at)
    score.write_bytes(whole[:length])
    if length in starts:
        assert heard(score) == SCLANG_EVENTS[: len(heard(score))]
        return
    begins = max(start for start in starts if start < length)
    with pytest.raises(OscsynthError, match=rf"cut\.osc: byte {begins} of {length}: it is cut short"):
        load_score(score)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"\0\0\0\x08/gate\0\0\0", "byte 0 of 12: a message .* stands where a bundle"),
        (b"\xff\xff\xff\xff#bundle\0" + bytes(8), "byte 0 of 20: a bundle has a size of -1"),
        (b"\0\0\0\x10#bundle\0\xe0" + bytes(7), "byte 0 of 20: its time is .* scores begin at 0"),
        (b"\0\0\0\x18#bundle\0" + bytes(8) + b"\0\0\0\x04/\xff\0\0", "byte 0 of 28: its address is not UTF-8"),
    ],
)
def test_a_malformed_binary_score_is_named_with_the_position(tmp_path: Path, data: bytes, sentence: str) -> None:
    (tmp_path / "bad.osc").write_bytes(data)
    with pytest.raises(OscsynthError, match=sentence):
        load_score(tmp_path / "bad.osc")


# ---- MIDI files


def midi_file(path: Path, *tracks: list[Any], kind: int = 1, ticks: int = 100) -> Path:
    """Write a MIDI file of messages with the ticks between them."""
    mido.MidiFile(type=kind, ticks_per_beat=ticks, tracks=[mido.MidiTrack(track) for track in tracks]).save(path)
    return path


def note(kind: str, pitch: int, ticks: int, channel: int = 0) -> mido.Message:
    return mido.Message(kind, note=pitch, velocity=64, channel=channel, time=ticks)


def test_tracks_of_a_midi_file_share_one_map_of_tempos(tmp_path: Path) -> None:
    tempos = [mido.MetaMessage("set_tempo", tempo=1_000_000, time=0), mido.MetaMessage("set_tempo", tempo=250_000, time=200)]
    one = [note("note_on", 60, 100), note("note_off", 60, 100), note("note_on", 62, 100)]
    two = [mido.MetaMessage("track_name", name="two"), note("note_on", 70, 300, channel=3)]
    events = load_score(midi_file(tmp_path / "a.mid", tempos, one, two))
    assert [(event.seconds, event.arguments[0], event.place) for event in events] == [
        (1.0, Midi(0, 0x90, 60, 64), "track 2, tick 100"),
        (2.0, Midi(0, 0x80, 60, 64), "track 2, tick 200"),
        (2.25, Midi(0, 0x90, 62, 64), "track 2, tick 300"),
        (2.25, Midi(0, 0x93, 70, 64), "track 3, tick 300"),
    ]
    assert {event.address for event in events} == {"/oscsynth/midi"}


def test_running_status_sysex_and_ticks_of_a_second_are_read(tmp_path: Path) -> None:
    track = bytes.fromhex("00 903c40 0a 3e40 00 f0030102f7 0a c005 00 ff2f00")
    header = b"MThd" + struct.pack(">lhhh", 6, 0, 1, -(25 << 8) + 40)  # 25 pictures a second of 40 ticks
    (tmp_path / "a.mid").write_bytes(header + b"MTrk" + struct.pack(">l", len(track)) + track)
    events = load_score(tmp_path / "a.mid")
    assert [(event.seconds, tuple(event.arguments[0])) for event in events] == [
        (0.0, (0, 0x90, 60, 64)),
        (0.01, (0, 0x90, 62, 64)),
        (0.02, (0, 0xC0, 5, 0)),
    ]


def test_a_midi_file_that_is_cut_short_or_malformed_is_named_with_the_position(tmp_path: Path) -> None:
    whole = midi_file(tmp_path / "a.mid", [note("note_on", 60, 0), note("note_off", 60, 90)]).read_bytes()
    for length in range(4, len(whole) - 4):
        (tmp_path / "cut.mid").write_bytes(whole[:length])
        with pytest.raises(OscsynthError, match=rf"cut\.mid: it is cut short: .* byte \d+ of {length}"):
            load_score(tmp_path / "cut.mid")
    (tmp_path / "cut.mid").write_bytes(whole.replace(b"MTrk", b"MTrx"))
    with pytest.raises(OscsynthError, match=rf"malformed before byte 22 of {len(whole)}: no MTrk"):
        load_score(tmp_path / "cut.mid")
    (tmp_path / "cut.mid").write_bytes(whole.replace(b"\x90\x3c", b"\x90\xbc"))
    with pytest.raises(OscsynthError, match="data byte must be in range"):
        load_score(tmp_path / "cut.mid")
    with pytest.raises(OscsynthError, match="type 2"):
        load_score(midi_file(tmp_path / "two.mid", [note("note_on", 60, 0)], kind=2))


@given(st.binary(max_size=80))
def test_any_bytes_are_a_score_or_a_sentence(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.mid"
    for beginning in (b"MThd\0\0\0\6\0\1\0\1\0\x60MTrk\0\0\0\x40", b"\0\0\0\x20#bundle\0", b""):
        path.write_bytes(beginning + data)
        with contextlib.suppress(OscsynthError):
            load_score(path)
