"""``oscsynth serve`` from outside: it starts, plays, survives, and leaves nothing behind."""

from __future__ import annotations

import os
import pty
import signal
import socket
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from oscsynth import daemon
from oscsynth.client import Client
from oscsynth.options import Options

from .audio.jack_server import Capture, environment, jack_server
from .engine_harness import wait_until
from .needs import needs
from .serving import Serve, child_pids, is_alive, tiny_patches

Start = Callable[..., Serve]


@pytest.fixture(scope="module")
def patches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_patches(tmp_path_factory.mktemp("patches"))


@pytest.fixture
def start(patches: Path) -> Iterator[Start]:
    """Start ``serve`` where no sound device is seen."""
    begun: list[Serve] = []

    def start(*arguments: str) -> Serve:
        begun.append(Serve(*arguments, patches=patches, env=environment("nobody")))
        return begun[-1]

    yield start
    for serve in begun:
        serve.close()


def sounding(serve: Serve) -> Serve:
    wait_until(serve.is_sounding, 20)
    wait_until(lambda: serve.ask("latent/1"))
    return serve


def test_says_what_plays_and_what_to_send(start):
    serve = sounding(start("--audio", "null"))
    wait_until(lambda: "ready" in serve.text)
    for word in ("A tiny 1", f"127.0.0.1 port {serve.port}", "/oscsynth/latent/1 0.7", f"oscsynth send --port {serve.port} latent/1 0.7"):
        assert word in serve.text


def test_no_sound_device_is_one_sentence_and_it_plays_on(start):
    serve = sounding(start())
    wait_until(lambda: "ready" in serve.text)
    assert serve.text.count("No sound device found: plug one in") == 1
    assert "ALSA" not in serve.text and "jack" not in serve.text.lower()


def test_killed_engine_is_back_with_its_values(start):
    serve = sounding(start("--audio", "null"))
    serve.ask("latent/1", 0.25, seconds=0.05)
    wait_until(lambda: serve.ask("latent/1") == (0.25,))
    os.kill(serve.children()["engine"], signal.SIGKILL)
    wait_until(lambda: not serve.is_sounding())
    sounding(serve)
    assert serve.ask("latent/1") == (0.25,)
    assert serve.text.count("The sound engine stopped (killed by signal 9); starting it again.") == 1


def test_killed_control_answers_again_and_the_sound_goes_on(start):
    serve = sounding(start("--audio", "null"))
    serve.ask("latent/1", 0.25, seconds=0.05)
    wait_until(lambda: serve.ask("latent/1") == (0.25,))
    pids, position = serve.children(), serve.telemetry.position_samples
    os.kill(pids["control"], signal.SIGKILL)
    wait_until(lambda: serve.children().get("control", pids["control"]) != pids["control"])
    assert wait_until(lambda: serve.ask("latent/1")) == (0.25,)
    assert serve.children()["engine"] == pids["engine"] and serve.telemetry.position_samples > position and serve.is_sounding()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_fades_out_and_leaves_nothing(start, tmp_path, number):
    serve = sounding(start("--audio", str(tmp_path / "a.wav")))
    time.sleep(0.3)
    pids, path = child_pids(serve.process.pid), Path(serve.memory.path)
    serve.process.send_signal(number)
    assert serve.process.wait(5) == 0
    wait_until(lambda: not any(map(is_alive, pids)))
    assert not path.exists()
    sound = np.abs(soundfile.read(tmp_path / "a.wav")[0][:, 0])
    assert sound[-20000:-6000].max() > 0.001 and sound[-100:].max() < 1e-4


def test_signal_to_the_whole_group_leaves_quietly(start):
    serve = sounding(start("--audio", "null"))
    engine, control = serve.children()["engine"], serve.children()["control"]
    for pid in (engine, control):
        os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not is_alive(engine))
    serve.process.terminate()
    assert serve.process.wait(5) == 0
    assert "starting it again" not in serve.text


class Face:
    """What is told, and nothing shown."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def show(self, event: dict[str, Any]) -> None:
        self.events.append(event["event"])

    def say(self, sentence: str, fault: bool = False) -> None:
        self.events.append(sentence)

    def tick(self) -> None:
        pass

    def leave(self) -> None:
        pass


def test_it_is_told_to_stop_and_to_read_again_whatever_it_waits_for(patches, monkeypatch):
    monkeypatch.setattr(daemon, "LOOK_EVERY_SECONDS", 1000.0)
    face, options = Face(), Options(audio="null", port=0, http_port=0, announce=False, midi=("none",), patches=patches)
    begun = daemon.Daemon(options, lambda *_: face)
    running = threading.Thread(target=begun.run, daemon=True)
    running.start()
    wait_until(lambda: {"audio", "listening", "patch"} <= set(face.events), 20)
    begun.hang_up()
    wait_until(lambda: "Reading the patches again." in face.events)
    begun.stop()
    running.join(10)
    assert not running.is_alive()


def test_killed_parent_takes_its_children_along_and_the_file_opens(start, tmp_path):
    serve = sounding(start("--audio", str(tmp_path / "a.wav")))
    pids = child_pids(serve.process.pid)
    wait_until(lambda: serve.telemetry.position_samples > 22050)  # the header is put right four times a second
    serve.process.kill()
    wait_until(lambda: not any(map(is_alive, pids)))
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert file.getnframes() > 10000


def test_recording_goes_on_after_a_kill_and_no_take_is_overwritten(start, tmp_path):
    (tmp_path / "a.wav").write_bytes(b"an old take")
    serve = sounding(start("--audio", str(tmp_path / "a.wav")))
    time.sleep(0.3)
    os.kill(serve.children()["engine"], signal.SIGKILL)
    wait_until(lambda: not serve.is_sounding())
    sounding(serve)
    time.sleep(0.3)
    serve.process.terminate()
    serve.process.wait(5)
    assert (tmp_path / "a.wav").read_bytes() == b"an old take"
    assert f"recording into {tmp_path / 'a-2.wav'}" in serve.text.replace("\n", "")
    assert f"The recording goes on in {tmp_path / 'a-2.wav'}." in serve.text
    assert not (tmp_path / "a-3.wav").exists()
    assert soundfile.info(tmp_path / "a-2.wav").frames > 0.6 * 44100


def test_unknown_device_says_which_there_are(start):
    serve = start("--device", "moog")
    assert serve.process.wait(10) == 1
    wait_until(lambda: "--device moog: no sound device has that in its name; there are:\n  (none)" in serve.text)
    assert "Traceback" not in serve.text


def test_port_in_use_is_a_sentence(start):
    first = sounding(start("--audio", "null"))
    second = start("--audio", "null", "--port", str(first.port))
    assert second.process.wait(10) == 1
    wait_until(lambda: str(first.port) in second.text)
    assert "Traceback" not in second.text
    assert first.ask("latent/1")


def test_unknown_backend_is_a_sentence(start):
    serve = start("--audio", "alsa")
    assert serve.process.wait(10) == 1
    wait_until(lambda: "use auto, portaudio, null, or a file whose name ends in .wav" in serve.text)


def test_engine_that_dies_again_and_again_is_given_up_for_silence(start, tmp_path):
    serve = sounding(start("--audio", str(tmp_path / "a.wav")))
    for _ in range(5):
        pid = wait_until(lambda: next((p for p in [int(serve.telemetry.engine_pid)] if is_alive(p)), None), 10)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda pid=pid: int(serve.telemetry.engine_pid) != pid, 10)
    wait_until(lambda: "Going on silently" in serve.text)
    sounding(serve)


@needs("JACK")
def test_sound_comes_back_with_the_engine_and_with_the_device(patches):
    with jack_server() as (name, server):
        serve = Serve(patches=patches, env=environment(name))
        try:
            sounding(serve)
            os.kill(serve.children()["engine"], signal.SIGKILL)
            wait_until(lambda: not serve.is_sounding())
            sounding(serve)  # the same server took it back
            # JACK's library aborts when its server dies in a client's first moments; then the parent starts the engine again, but says so otherwise.
            before = serve.telemetry.position_samples
            wait_until(lambda: serve.telemetry.position_samples > before + 44100)
            server.kill()
            server.wait()  # a dead server that nobody has buried counts as one that runs
            wait_until(lambda: "The sound device system is gone" in serve.text, 10)
            wait_until(lambda: "none: running silently" in serve.text, 10)
            assert serve.ask("latent/1")
            with jack_server(name):
                wait_until(lambda: serve.text.count("system [JACK") >= 2, 15)
                capture = Capture(name)
                capture.connect()
                wait_until(lambda: capture.sound.any())
                capture.close()
                serve.process.terminate()
                assert serve.process.wait(5) == 0
        finally:
            serve.close()


class Terminal:
    """``serve`` on a terminal of its own."""

    def __init__(self, *arguments: str, config: Path) -> None:
        self.ours, theirs = pty.openpty()
        self.before = self.attributes()
        command = [sys.executable, "-m", "oscsynth", "serve", *arguments]
        env = os.environ | environment("nobody") | {"TERM": "xterm", "COLUMNS": "120", "XDG_CONFIG_HOME": str(config)}
        self.process = subprocess.Popen(command, env=env, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        self.text = ""
        self.port = 0

    def attributes(self) -> list[Any]:
        import termios

        return termios.tcgetattr(self.ours)

    def expect(self, word: str) -> None:
        import select

        until = time.monotonic() + 10
        while word not in self.text:
            assert time.monotonic() < until, f"{word!r} not in {self.text!r}"
            if select.select([self.ours], [], [], 0.1)[0]:
                self.text += os.read(self.ours, 65536).decode()
        self.text = self.text.partition(word)[2]

    def press(self, keys: str) -> None:
        os.write(self.ours, keys.encode())

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.ours)


@pytest.fixture
def terminal(patches: Path, tmp_path: Path) -> Iterator[Terminal]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    terminal = Terminal("--audio", "null", "--port", str(port), "--patches", str(patches), config=tmp_path)
    terminal.port = port
    yield terminal
    terminal.close()


def test_keys_play_and_q_gives_the_terminal_back(terminal):
    terminal.expect("quit")
    for keys, shown in {
        "\x1b[A": "/oscsynth/latent/1 0.55",
        "\x1b[C": "latent 2",
        "\x1b[B": "/oscsynth/latent/2 0.45",
        "c": "/oscsynth/chroma/name C",
        "F": "/oscsynth/chroma/name F#",
        "2": "/oscsynth/patch/index 2",
        " ": "/oscsynth/gate 0",
        "m": "/oscsynth/panic",
        "9": "9",  # the sentence of a /fail
    }.items():
        terminal.press(keys)
        terminal.expect(shown)
    terminal.press("q")
    assert terminal.process.wait(5) == 0
    assert terminal.attributes() == terminal.before


def test_keys_play_notes_where_the_patch_does(terminal):
    terminal.expect("quit")
    with Client("127.0.0.1", terminal.port) as client:
        client.send("/oscsynth/patch", ("Lagoon",))
        wait_until(lambda: any(list(said) == ["notes"] for _, said in client.ask("/oscsynth/patch/mode")), 20)
    for keys, shown in (("c", "/oscsynth/note/on 60 0.8"), ("E", "/oscsynth/note/on 65 0.8"), ("E", "/oscsynth/note/off 65")):
        terminal.press(keys)
        terminal.expect(shown)


def test_n_lets_the_network_in_while_it_sounds_and_at_the_next_start(terminal, tmp_path):
    terminal.expect("n lets those of this network in")
    terminal.press("\x1b[A")
    terminal.expect("/oscsynth/latent/1 0.55")
    terminal.press("n")
    terminal.expect("are let in from now on")
    terminal.expect("OSC: UDP or TCP to ")
    time.sleep(0.2)
    terminal.press("\x1b[A")
    terminal.expect("/oscsynth/latent/1 0.6")  # what was played stands
    assert "again" not in terminal.text
    assert (tmp_path / "oscsynth" / "lan").exists()
