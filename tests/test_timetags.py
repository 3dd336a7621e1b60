"""Time tags from the socket to the sound: a whole ``oscsynth serve`` that records."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import build_msg

from .engine_harness import wait_until
from .onsets import NAME, RATE_HZ, bundle, gate, gated_patch, is_exact, note, onsets, packed, send_notes, tag_now
from .serving import Serve

SPACING = 1764  # 40 ms
SIMPLE = ("--http-port", "0", "--no-announce")  # what control imports for these, it does on the notes' time


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Serve]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    mode = getattr(request, "param", "drone")
    serve = Serve("--audio", str(tmp_path / "a.wav"), *SIMPLE, patches=gated_patch(tmp_path / "patches", mode))
    serve.file = tmp_path / "a.wav"
    wait_until(lambda: serve.plays(NAME), 30)
    yield serve
    serve.close()


def recorded(serve: Serve):
    """End it, and return what it played, float32 (samples,)."""
    serve.process.terminate()
    serve.process.wait(5)
    return soundfile.read(serve.file, dtype="float32")[0][:, 0]


@pytest.mark.parametrize(("serve", "say"), [("drone", gate), ("notes", note)], indirect=["serve"])
def test_each_note_begins_on_its_sample(serve, say):
    time.sleep(1.2)  # until the clock of the samples has settled
    send_notes(serve.socket, 50, SPACING, 0.6, say)
    time.sleep(0.8)
    assert is_exact(recorded(serve), serve.file.parent / "patches", 50, SPACING, say)


def test_what_waits_outlives_the_engine_and_control(serve):
    time.sleep(0.5)
    now = tag_now()
    for n in range(7):  # at 1.5 s, 2.0 s ...
        for half in (0, 1):
            due = now + (int(1.5 * RATE_HZ) + n * RATE_HZ // 2 + half * RATE_HZ // 8 << 32) // RATE_HZ
            serve.socket.send(bundle(due, packed(gate(not half))))
    wait_until(lambda: serve.ask("status") is not None)
    time.sleep(0.05)
    for pid in serve.children().values():
        os.kill(pid, signal.SIGKILL)
    time.sleep(5.3)
    found = onsets(recorded(serve))
    assert len(found) >= 2, serve.text  # a new one takes a second or two; those it came too late for happened at once
    assert found[-1] - found[-2] == pytest.approx(RATE_HZ // 2, abs=20), found  # its clock is young still


def test_late_ones_are_answered_and_the_figures_shown(serve):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(2)
        client.sendto(bundle(tag_now() - (1 << 31), build_msg("/oscsynth/pan", 0.5).dgram), ("127.0.0.1", serve.port))
        late = OscMessage(client.recv(65536))
    assert late.address == "/oscsynth/late" and late.params[0] == pytest.approx(0.5, abs=0.1)
    serve.socket.send(bundle(tag_now() + (30 << 32), packed(gate(True))))
    status = wait_until(lambda: (answer := serve.ask("status")) and len(answer) > 2 and answer)
    figures = dict(zip(status[::2], status[1::2], strict=True))
    assert (figures["late"], figures["ahead"]) == (1, 1)
