"""What goes wrong on stage, with the real parts going wrong: docs/reliability.md says what happens then, and names the test."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import build_msg

from .engine_harness import wait_until
from .serving import Serve, tiny_patches

ROOT = Path(__file__).parent.parent
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of another process can only be set on Linux")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_patches(tmp_path / "patches")


@pytest.fixture
def serve(folder: Path) -> Iterator[Serve]:
    serve = Serve("--audio", "null", "--http-port", "0", "--no-announce", "--fresh", patches=folder)
    try:
        wait_until(serve.is_sounding, 20)
        wait_until(lambda: serve.ask("latent/1"))
        yield serve
    finally:
        serve.close()


def test_every_fault_of_the_page_is_a_test():
    page = (ROOT / "docs" / "reliability.md").read_text()
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page)
    assert len(named) >= 15
    for file, test in named:
        assert re.search(rf"^def {test}\(", (ROOT / file).read_text(), re.M), f"{file} has no {test}"


def test_an_engine_that_stands_still_goes_on_with_what_was_changed_meanwhile(serve):
    engine = serve.children()["engine"]
    os.kill(engine, signal.SIGSTOP)
    time.sleep(2.0)
    serve.ask("latent/1", 0.25, seconds=0.05)
    stood = serve.telemetry.position_samples
    os.kill(engine, signal.SIGCONT)
    wait_until(lambda: serve.telemetry.position_samples > stood + 4410, 1.0)
    assert serve.is_sounding() and serve.children()["engine"] == engine
    assert serve.ask("latent/1") == (0.25,)


def test_a_decoder_that_is_deleted_while_it_sounds_sounds_on(serve, folder):
    (folder / "tiny1.onnx").unlink()
    time.sleep(0.5)
    assert serve.is_sounding() and serve.ask("patch") == ("A tiny 1",)
    wait_until(lambda: "tiny1.onnx" in serve.text, 5)
    before = serve.telemetry.errors
    serve.ask("latent/1", 0.9, seconds=0.05)
    time.sleep(0.2)
    assert serve.is_sounding() and serve.telemetry.errors == before


def test_a_patch_file_replaced_by_garbage_sounds_on_and_is_said_once(serve, folder):
    (folder / "tiny1.yaml").write_bytes(bytes(range(256)) * 8)
    wait_until(lambda: "tiny1.yaml" in serve.text, 5)
    assert serve.is_sounding() and serve.ask("patch") == ("A tiny 1",)
    time.sleep(0.3)
    assert sum("tiny1.yaml" in line for line in serve.lines) == 1


def test_a_folder_of_patches_that_is_taken_away_and_put_back_is_taken_up(serve, folder):
    for n in range(2):
        shutil.rmtree(folder)
        wait_until(lambda n=n: serve.text.count("the folder is gone") == n + 1, 5)
        assert serve.is_sounding() and serve.ask("patch") == ("A tiny 1",)
        wait_until(lambda: "A tiny 2" not in (serve.ask("patches") or ("A tiny 2",)), 5)
        tiny_patches(folder)
        wait_until(lambda: "A tiny 2" in (serve.ask("patches") or ()), 5)
    (folder / "tiny2.yaml").write_text("name: A tiny third\ndecoder: tiny2.onnx\n")
    wait_until(lambda: "A tiny third" in (serve.ask("patches") or ()), 5)


def test_a_folder_of_patches_that_another_takes_the_place_of_is_watched(serve, folder):
    other = tiny_patches(folder.with_name("other"), 3)
    folder.rename(folder.with_name("old"))
    other.rename(folder)
    wait_until(lambda: "A tiny 3" in (serve.ask("patches") or ()), 5)
    (folder / "tiny3.yaml").write_text("name: A tiny fourth\ndecoder: tiny3.onnx\n")
    wait_until(lambda: "A tiny fourth" in (serve.ask("patches") or ()), 5)


def test_a_flood_disturbs_neither_the_sound_nor_another_connection(serve):
    other = socket.create_connection(("127.0.0.1", serve.port))
    packet, question = build_msg("/oscsynth/latent/1", 0.5).dgram, build_msg("/oscsynth/sync", 7).dgram
    late, errors = serve.telemetry.late_blocks, serve.telemetry.errors
    for _ in range(20_000):
        with contextlib.suppress(OSError):
            serve.socket.send(packet)
    other.settimeout(2)
    other.sendall(len(question).to_bytes(4, "big") + question)
    answer = other.recv(1024)
    assert OscMessage(answer[4:]).params == [7]
    assert serve.is_sounding() and serve.telemetry.errors == errors and serve.telemetry.late_blocks <= late + 2
    other.close()


@linux
def test_no_more_files_to_open_keeps_what_is_open_and_recovers(serve):
    import resource

    control = serve.children()["control"]
    in_use = len(os.listdir(f"/proc/{control}/fd"))
    _, hard = resource.prlimit(control, resource.RLIMIT_NOFILE)
    resource.prlimit(control, resource.RLIMIT_NOFILE, (in_use + 8, hard))
    connections = [socket.create_connection(("127.0.0.1", serve.port)) for _ in range(40)]
    try:
        wait_until(lambda: serve.ask("latent/1", 0.75, seconds=0.05) is None and serve.ask("latent/1") == (0.75,), 3)
        busy = _processor_seconds(control)
        time.sleep(0.5)
        assert _processor_seconds(control) - busy < 0.25, "it spins"
        assert serve.is_sounding()
    finally:
        for connection in connections:
            connection.close()
    resource.prlimit(control, resource.RLIMIT_NOFILE, (hard, hard))
    question = build_msg("/oscsynth/sync", 3).dgram

    def answers() -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", serve.port), 1) as connection:
            connection.settimeout(0.5)
            connection.sendall(len(question).to_bytes(4, "big") + question)
            return bool(connection.recv(1024))
        return False

    wait_until(answers, 5)


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_two_hundred_subscribers_are_all_told_the_last_value(serve):
    subscribers = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(200)]
    for each in subscribers:
        each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        each.bind(("127.0.0.1", 0))
        each.sendto(build_msg("/oscsynth/notify", 1).dgram, ("127.0.0.1", serve.port))
    try:
        for n in range(60):
            serve.ask("latent/1", n / 60, seconds=0.001)
        serve.ask("latent/1", 0.125, seconds=0.01)
        wanted = build_msg("/oscsynth/latent/1", 0.125).dgram
        for each in subscribers:
            each.settimeout(5)
            _read_until(each.recv, wanted)
        assert serve.is_sounding()
    finally:
        for each in subscribers:
            each.close()


def _read_until(receive: Callable[[int], bytes], wanted: bytes) -> None:
    until = time.monotonic() + 5
    while wanted not in receive(65536):
        assert time.monotonic() < until


def test_hanging_up_reads_the_patches_again(serve, folder):
    text = (folder / "tiny1.yaml").read_text().replace("A tiny 1", "A third")
    (folder / "third.yaml").write_text(text)
    serve.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "A third" in (serve.ask("patches") or ()), 5)
    assert serve.is_sounding() and "Reading the patches again." in serve.text
