"""``oscsynth doctor``: a line for each finding, with what to do, and no check ends the others."""

import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from oscsynth import doctor
from oscsynth.__main__ import app
from oscsynth.audio import Device
from oscsynth.doctor import CHECKS, Finding, Where, examine, ping_times_ms

from .decoders import tiny_decoder
from .serving import free_port

LINUX = """\
PING 10.0.0.2 (10.0.0.2) 56(84) bytes of data.
64 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=3.52 ms
64 bytes from 10.0.0.2: icmp_seq=2 ttl=64 time=12 ms

--- 10.0.0.2 ping statistics ---
3 packets transmitted, 2 received, 33% packet loss, time 2003ms
rtt min/avg/max/mdev = 3.520/7.760/12.000/4.240 ms
"""
WINDOWS = """\
Antwort von 10.0.0.2: Bytes=32 Zeit=12ms TTL=64
Reply from 10.0.0.2: bytes=32 time<1ms TTL=64
Request timed out.
    Minimum = 1ms, Maximum = 12ms, Average = 6ms
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tiny_decoder(tmp_path / "tiny.onnx")
    (tmp_path / "a.yaml").write_text("name: A\ndecoder: tiny.onnx\n")
    return tmp_path


def findings(area: str, where: Where) -> list[Finding]:
    return [finding for finding in examine(where) if finding.area == area]


def test_every_check_says_something_and_what_to_do_is_a_sentence(folder: Path) -> None:
    found = list(examine(Where(free_port(), folder)))
    assert {finding.area for finding in found} >= {"instrument", "sound", "patches", "session", "midi", "network", "phone"}
    assert all(finding.text and "\n" not in finding.text + finding.todo for finding in found)


def test_a_port_that_somebody_else_has(folder: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        [finding] = findings("instrument", Where(port, folder))
        assert f"port {port} cannot be had" in finding.text and f"--port {port + 10}" in finding.todo
    [finding] = findings("instrument", Where(port, folder))
    assert f"port {port} is free" in finding.text and not finding.todo


def test_a_broken_patch_is_counted(folder: Path) -> None:
    assert "1 files" not in findings("patches", Where(patches=folder))[0].text
    (folder / "b.yaml").write_text("[")
    [finding] = findings("patches", Where(patches=folder))
    assert "1 files cannot" in finding.text and "oscsynth check" in finding.todo


def test_a_session_that_cannot_be_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not findings("session", Where(patches=folder))[0].todo
    monkeypatch.setattr(doctor, "_may_write", lambda folder: False)
    assert findings("session", Where(patches=folder))[0].todo == "let your user write there"


@pytest.mark.parametrize(("name", "latency_ms", "todo"), [("USB", 8, ""), ("HDMI", 40, "--block-size 256"), ("Bluetooth headset", 30, "wired")])
def test_a_late_sound_card(name: str, latency_ms: float, todo: str) -> None:
    finding = doctor._latency(Device(0, name, "ALSA", 2, 48000, latency_ms / 1000, True))
    assert f"{latency_ms:.1f} ms" in finding.text and todo in finding.todo and bool(todo) == bool(finding.todo)


@pytest.mark.parametrize(("said", "times_ms"), [(LINUX, [3.52, 12.0]), (WINDOWS, [12.0, 1.0]), ("", [])])
def test_what_ping_says_on_any_system(said: str, times_ms: list[float]) -> None:
    assert ping_times_ms(said) == times_ms


@pytest.mark.parametrize("phone", ["-c 1", "a b", "$(ls)"])
def test_what_is_no_address_is_not_given_to_a_program(phone: str) -> None:
    with pytest.raises(doctor.OscsynthError, match="type its address"):
        doctor._ping("ping", phone)


def test_one_check_that_fails_leaves_the_others(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(where: Where) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(doctor, "CHECKS", (("sound", broken), *CHECKS[3:4]))
    assert [finding.area for finding in examine(Where(patches=folder))] == ["sound", "patches", "session"]


def test_on_the_command_line(folder: Path) -> None:
    run = CliRunner().invoke(app, ["doctor", "--port", str(free_port()), "--patches", str(folder)])
    assert run.exit_code == 0 and "+ instrument" in run.output and run.output.splitlines()[-1].endswith(("to look at", "all is well"))
