"""What ``serve`` prints, where the output is no terminal."""

from __future__ import annotations

import pytest
import segno

from oscsynth import qr
from oscsynth.options import Options
from oscsynth.screen import Screen

AUDIO = {"event": "audio", "device": "Scarlett", "api": "ALSA", "sample_rate_hz": 48000, "latency_seconds": 0.0058, "sentence": ""}
LISTENING = {"event": "listening", "host": "127.0.0.1", "hosts": "127.0.0.1", "port": 57140, "sentence": ""}


def patch(name: str, part: int = 1) -> dict[str, object]:
    return {"event": "patch", "part": part, "name": name}


@pytest.fixture
def screen() -> Screen:
    screen = Screen(Options(), lambda: None, lambda: None)
    for event in (AUDIO, LISTENING, patch("Violin")):
        screen.show(event)
    return screen


def test_opens_when_everything_is_known(capsys, screen):
    out = capsys.readouterr().out
    for words in ("plays     Violin", "Scarlett [ALSA], 48000 Hz", "UDP or TCP to 127.0.0.1 port 57140", "oscsynth send latent/1 0.7", "ready"):
        assert words in out
    assert out.count("ready") == 1


@pytest.mark.parametrize(
    ("options", "host", "page"),
    [
        (Options(), "127.0.0.1", "http://127.0.0.1:57141/"),
        (Options(http_port=8080), "192.0.2.7", "http://192.0.2.7:8080/"),
        (Options(), "2001:db8::7", "http://[2001:db8::7]:57141/"),
        (Options(http_port=0), "127.0.0.1", None),
    ],
)
def test_it_says_where_the_page_is(capsys, options, host, page):
    screen = Screen(options, lambda: None, lambda: None)
    for event in (AUDIO, LISTENING | {"host": host}, patch("Violin")):
        screen.show(event)
    out = capsys.readouterr().out
    assert (page in out) if page else ("page" not in out)
    assert "█" not in out, "no pictures into a file"


def test_on_a_terminal_a_camera_reads_the_page_where_phones_are_let_in(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    screen = Screen(Options(), lambda: None, lambda: None)
    for event in (AUDIO, LISTENING, patch("Violin")):
        screen.show(event)
    assert "█" not in capsys.readouterr().out
    screen.show(LISTENING | {"host": "192.0.2.7", "hosts": "192.0.2.7"})
    out = capsys.readouterr().out
    assert all(line in out for line in qr.lines("http://192.0.2.7:57141/"))


def test_a_code_is_what_segno_draws():
    lines = qr.lines("http://192.0.2.7:57141/")
    upper = [[character in "▀█" for character in line] for line in lines]
    lower = [[character in "▄█" for character in line] for line in lines]
    modules = [row for pair in zip(upper, lower, strict=True) for row in pair]
    drawn = [list(map(bool, row)) for row in segno.make("http://192.0.2.7:57141/", error="l", micro=False).matrix_iter(border=qr.BORDER)]
    assert modules[: len(drawn)] == drawn and not any(modules[-1])


def test_opens_without_a_patch_after_a_while(capsys, monkeypatch):
    monkeypatch.setattr("oscsynth.screen.PATCH_SECONDS", 0)
    screen = Screen(Options(), lambda: None, lambda: None)
    screen.show(AUDIO)
    assert not capsys.readouterr().out
    screen.show(LISTENING)
    assert "nothing yet" in capsys.readouterr().out


def test_of_many_switches_only_the_last_is_said(capsys, screen, monkeypatch):
    screen._patches_seconds = float("inf")
    for number in range(10):
        screen.show(patch(f"Patch {number}"))
    screen.show(patch("Low", part=2))
    screen._patches_seconds = 0.0
    capsys.readouterr()
    screen.tick()
    assert capsys.readouterr().out == "plays Patch 9\npart 2 plays Low\n"


def test_sentences_are_said_and_other_events_are_not(capsys, screen):
    capsys.readouterr()
    screen.show({"event": "gate", "part": 1, "open": True})
    screen.show({"event": "fault", "sentence": "patches/a.yaml:3: [bold] is no key"})
    assert capsys.readouterr().out == "patches/a.yaml:3: [bold] is no key\n"


def test_another_device_is_said(capsys, screen):
    capsys.readouterr()
    screen.show(AUDIO)
    screen.show(AUDIO | {"device": "null", "api": "none"})
    assert capsys.readouterr().out == "sound: none: running silently\n"


def test_on_a_network_it_says_what_to_type_into_an_app(capsys):
    screen = Screen(Options(), lambda: None, lambda: None)
    for event in (AUDIO, LISTENING | {"host": "192.0.2.7"}, patch("Violin")):
        screen.show(event)
    assert "type host 192.0.2.7, send port 57140" in capsys.readouterr().out
