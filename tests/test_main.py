"""The command line: what each command prints, and with which code it leaves."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_server import ThreadingOSCUDPServer

import oscsynth
from oscsynth.__main__ import app, main
from oscsynth.client import full_address, parse_argument

from .decoders import BROKEN, tiny_decoder

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch, capsys, tmp_path) -> Run:
    """Run the command line in an empty folder with user folders of its own; return exit code, output and errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ".cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / ".data"))
    monkeypatch.setenv("HOME", str(tmp_path / ".home"))
    monkeypatch.setenv("TERMINAL_WIDTH", "200")

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["oscsynth", *map(str, arguments)])
        try:
            main()
            code = 0
        except SystemExit as leaving:
            code = int(leaving.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def patches(tmp_path) -> Path:
    (tmp_path / "mine" / "decoders").mkdir(parents=True)
    tiny_decoder(tmp_path / "mine" / "decoders" / "tiny.onnx")
    write(tmp_path / "mine" / "good.yaml", "name: Good\ndecoder: decoders/tiny.onnx\nlatents: {bow: {neuron: 1}}\n")
    return tmp_path / "mine"


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.fixture
def elsewhere() -> Iterator[tuple[int, list[tuple[str, tuple[object, ...]]]]]:
    """A server of python-osc on a port of its own, that answers as the daemon does; what it got is in the list."""
    got: list[tuple[str, tuple[object, ...]]] = []
    answers: dict[str, list[tuple[str, tuple[object, ...]]]] = {
        "/oscsynth/version": [("/oscsynth/version", ("9.9",))],
        "/oscsynth/latent/1": [("/oscsynth/latent/1", (0.5,))],
        "/oscsynth/latnt/1": [("/oscsynth/fail", ("/oscsynth/latnt/1", "there is no such address; did you mean /oscsynth/latent/1?"))],
        "/oscsynth/status": [("/oscsynth/status", ("parts", 1, "part/1", "Violin", "load", 0.25))],
        "/oscsynth/part/1/gain": [("/oscsynth/gain", (-6.0,))],
        "/oscsynth/part/1/chroma": [("/oscsynth/chroma", (0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0))],
        "/oscsynth/part/1/latents": [("/oscsynth/latents", (0.25, 1.0))],
    }
    dispatcher = Dispatcher()

    def answer(address: str, *arguments: object) -> list[tuple[str, tuple[object, ...]]]:
        got.append((address, arguments))
        return [] if arguments else answers.get(address, [])

    dispatcher.set_default_handler(lambda client, address, *arguments: send(client, answer(address, *arguments)), needs_reply_address=True)
    server = ThreadingOSCUDPServer(("127.0.0.1", 0), dispatcher)

    def send(client: tuple[str, int], replies: list[tuple[str, tuple[object, ...]]]) -> None:
        from pythonosc.osc_message_builder import OscMessageBuilder

        for address, arguments in replies:
            builder = OscMessageBuilder(address)
            for argument in arguments:
                builder.add_arg(argument)
            server.socket.sendto(builder.build().dgram, client)

    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.server_address[1], got
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_version_is_printed(run):
    assert run("--version") == (0, f"oscsynth {oscsynth.__version__}\n", "")


def test_no_command_lists_them_all(run):
    code, out, err = run()
    assert code == 2
    for command in ("serve", "render", "check", "patches", "devices", "addresses", "send", "monitor", "train"):
        assert f" {command} " in out + err


@pytest.mark.parametrize("command", [command.name or command.callback.__name__ for command in app.registered_commands])
def test_every_command_and_option_says_what_it_is_for(run, command):
    code, out, _ = run(command, "--help")
    assert code == 0
    assert f"Usage: oscsynth {command}" in out


def test_every_option_has_a_help_text():
    from typer.main import get_command

    group = get_command(app)
    texts = {(name, option.name): getattr(option, "help", "") for name, command in group.commands.items() for option in command.params}
    assert [where for where, text in texts.items() if not text] == []


@pytest.mark.parametrize(
    "arguments", [("serv",), ("serve", "--blocksize", "3"), ("serve", "--port", "70000"), ("serve", "--patches", "absent"), ("render",)]
)
def test_unknown_and_wrong_options_are_usage_errors(run, arguments):
    code, _, err = run(*arguments)
    assert code == 2
    assert "Error" in err and "Traceback" not in err


def test_check_finds_nothing_wrong_with_what_is_good(run, patches):
    code, out, err = run("check", patches)
    assert (code, err) == (0, "")
    assert "mine/decoders/tiny.onnx: good (Tiny: 3 latents, 44100 Hz)\nmine/good.yaml: good (Good, on tiny.onnx)\n" == out


def test_check_lists_every_fault_of_patches_and_decoders_and_leaves_with_1(run, patches):
    write(patches / "a.yaml", "name: A\ndecoder: decoders/tiny.onnx\ngain_db: 99\nlatents: {x: {neuron: 9}}\n")
    write(patches / "b.yaml", "name: B\ndecoder: decoders/tiny.onnx\nlatents: {x: {neuron: 9}}\n")
    write(patches / "c.yaml", "name: C\ndecoder: bad.onnx\n")
    BROKEN["nan_producing"](patches / "bad.onnx")
    code, out, err = run("check", patches)
    assert code == 1
    assert "mine/good.yaml: good" in out
    assert err.splitlines() == [
        "mine/a.yaml:3: gain_db: must be -72 to 12, not 99",
        "mine/bad.onnx: is not a decoder: it gives NaN at latent position [0. 0. 0.] of its range: train it again",
        "mine/b.yaml:3: latents.x.neuron: decoders/tiny.onnx has 3 latents, so it must be 1 to 3, not 9",
        "mine/c.yaml: decoder: bad.onnx cannot be played (see above)",
        "4 faults; 2 good",
    ]


def test_check_without_files_takes_the_folders(run, patches):
    code, out, err = run("check", "--patches", patches)
    assert (code, err) == (0, "")
    assert "mine/good.yaml: good" in out


def test_check_of_something_else_says_what_it_takes(run, tmp_path):
    write(tmp_path / "song.mp3", "")
    code, _, err = run("check", "song.mp3", "absent.yaml")
    assert code == 1
    assert "song.mp3: is neither a patch (.yaml, .yml) nor a decoder (.onnx)" in err
    assert "absent.yaml: there is no such file" in err


def test_patches_are_listed_with_what_is_broken(run, patches):
    write(patches / "broken.yaml", "name: Broken\ndecoder: absent.onnx\n")
    code, out, err = run("patches", "--patches", patches)
    assert code == 0
    assert "Good" in out and "tiny.onnx" in out and "bow" in out and "mine/good.yaml" in out and f"Your own folder is {patches}" in out
    assert "broken.yaml:2: decoder: there is no absent.onnx" in err


def test_addresses_are_listed(run):
    code, out, _ = run("addresses")
    assert code == 0
    assert "latent/K" in out and "chroma/name" in out and "/part/2" in out


def test_devices_are_listed_or_a_sentence_says_that_there_are_none(run):
    code, out, err = run("devices")
    assert (code == 0 and "latency" in out) or (code == 1 and "no sound device was found" in err)


def test_send_asks_and_prints_the_answer(run, elsewhere):
    port, _ = elsewhere
    assert run("send", "latent/1", "--port", port) == (0, "/oscsynth/latent/1 0.5\n", "")
    assert run("send", "/oscsynth/version", "--port", port) == (0, "/oscsynth/version 9.9\n", "")


def test_send_sends_what_each_word_means(run, elsewhere):
    port, got = elsewhere
    assert run("send", "/foo/bar", "-6", "0.5", "A", '"7"', "-.5", "5000000000", "--port", port) == (0, "", "")
    assert got[0] == ("/oscsynth/foo/bar", (-6, 0.5, "A", "7", -0.5, 5000000000))


def test_send_prints_a_fault_and_leaves_with_1(run, elsewhere):
    port, _ = elsewhere
    code, out, err = run("send", "latnt/1", "--port", port)
    assert (code, out) == (1, "")
    assert err == "/oscsynth/latnt/1: there is no such address; did you mean /oscsynth/latent/1?\n"


@pytest.mark.parametrize("command", [("send", "latent/1"), ("send", "latent/1", "0.5"), ("monitor", "--once"), ("monitor",)])
def test_where_nobody_listens_a_sentence_says_so(run, command):
    assert run(*command, "--port", 9) == (1, "", "nothing answers on 127.0.0.1:9: is `oscsynth serve` running?\n")


def test_a_host_that_there_is_not_is_named(run):
    code, _, err = run("send", "latent/1", "--host", "no.such.host.invalid")
    assert code == 1 and err.startswith("no.such.host.invalid:57140 cannot be reached: ")


def test_monitor_shows_what_plays(run, elsewhere):
    port, _ = elsewhere
    code, out, _ = run("monitor", "--once", "--port", port)
    assert code == 0
    for seen in ("part/1: Violin", "-6.0 dB", "C 0.5 G 0.5", "0.25 1", "load 0.25"):
        assert seen in out


def test_a_file_that_is_no_score_is_a_usage_error(run):
    assert run("render", "absent.txt", "-o", "x.wav")[0] == 2


def test_a_score_is_rendered_and_what_it_asks_in_vain_is_said(run, patches, tmp_path):
    write(tmp_path / "score.txt", "0 latent/bow 0.2\n0.1 latnt/bow 0.5\n0.2 gate 0\n")
    code, out, err = run("render", "score.txt", "-o", "out.wav", "--patches", patches, "--patch", "Good", "--seconds", "0.5")
    assert (code, out) == (1, "wrote out.wav: 0.5 s\n")
    assert err.startswith("score.txt:2: /oscsynth/latnt/bow: ") and "/oscsynth/latent/bow" in err
    assert (tmp_path / "out.wav").stat().st_size > 44


def test_words_and_addresses_of_the_command_line():
    assert [parse_argument(word) for word in ("1", "-1", "1.0", "1e-3", "A", "'1'", '"a b"', "")] == [1, -1, 1.0, 0.001, "A", "1", "a b", ""]
    assert [full_address(a) for a in ("gate", "/gate", "/oscsynth/gate", "/oscsynthesis")] == [
        "/oscsynth/gate",
        "/oscsynth/gate",
        "/oscsynth/gate",
        "/oscsynth/oscsynthesis",
    ]


@pytest.mark.filterwarnings("ignore")  # of the libraries that are there
def test_a_missing_extra_says_what_to_install(run, tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] in ("training", "keras", "librosa")]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("keras", "librosa", "tensorflow", "joblib"):
        monkeypatch.setitem(sys.modules, name, None)
    code, _, err = run("train", "sounds", tmp_path, "--name", "Mine")
    assert code == 1
    assert "is missing" in err and "oscsynth[train]" in err


def test_the_cache_of_checks_lies_in_the_users_folder(run, patches, tmp_path):
    run("check", patches)
    (cache,) = (tmp_path / ".cache").rglob("decoders.json")
    assert str(patches / "decoders" / "tiny.onnx") in json.loads(cache.read_text())
