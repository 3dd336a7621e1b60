"""The control process: what it loads, what survives it, and what is saved while it runs."""

from __future__ import annotations

import multiprocessing
import socket
import time
from pathlib import Path

import pytest
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import build_msg

from oscsynth.control.osc import messages, parse
from oscsynth.link import EXIT_HOPELESS, Load, Loaded, SharedMemory

from . import without_factory
from .decoders import tiny_decoder

CONTEXT = multiprocessing.get_context("spawn")
P = "/oscsynth/"


class Session:
    """A control process; the test is its parent and its engine."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.memory = SharedMemory()
        self.loads, self.loads_in = CONTEXT.Pipe(duplex=False)
        self.loaded_out, self.loaded = CONTEXT.Pipe(duplex=False)
        self.client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.client.settimeout(3)

    def start(self, **options):
        self.events, theirs = CONTEXT.Pipe(duplex=False)
        arguments = (self.memory.path, self.loads_in, self.loaded_out, theirs, without_factory.Options(self.folder, **options))
        self.process = CONTEXT.Process(target=without_factory.main, args=arguments)
        self.process.start()
        theirs.close()
        return self

    def hear(self, event_name, seconds=5.0, **contents):
        """Wait for an event that has these contents, and return it."""
        until = time.monotonic() + seconds
        while self.events.poll(max(0.0, until - time.monotonic())):
            event = self.events.recv()
            if event["event"] == event_name and contents.items() <= event.items():
                if event_name == "listening":
                    self.client.connect((event["host"], event["port"]))
                return event
        raise AssertionError(f"no event {event_name} {contents}")

    def load(self, seconds=5.0) -> Load:
        assert self.loads.poll(seconds), "nothing to load"
        return self.loads.recv()

    def answer(self, seconds=5.0, error=""):
        """Load whatever is asked for next."""
        load = self.load(seconds)
        self.loaded.send(Loaded(load.number, error))
        return load

    def ask(self, address, *arguments):
        self.client.send(build_msg(P + address, list(arguments)).dgram)
        message = OscMessage(self.client.recv(65536))
        return message.address, *message.params

    def sounding(self, part=1):
        state = self.memory.restore_state()
        return state.get(part, "patch"), state.get(part, "open"), state.get(part, "gate")

    def close(self):
        if self.process.is_alive():
            self.process.terminate()
            self.process.join(3)
        for each in (self.events, self.loads, self.loads_in, self.loaded, self.loaded_out, self.client, self.memory, self.process):
            each.close()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "patches"
    folder.mkdir()
    tiny_decoder(folder / "tiny.onnx")
    write(folder, "Aa")
    write(folder, "Bb", gain_db=-3)
    return folder


@pytest.fixture
def session(folder):
    session = Session(folder)
    yield session
    session.close()


def write(folder, name, **keys):
    keys = {"name": name, "decoder": "tiny.onnx", "latents": "{bow: {neuron: 1, default: 0.25}}"} | keys
    (folder / f"{name}.yaml").write_text("".join(f"{key}: {value}\n" for key, value in keys.items()))


def begin(session, **options):
    """Start it, have both patches loaded, and wait until the first one plays."""
    session.loaded.send(Loaded(-1))
    session.start(**options).hear("listening")
    loads = [session.answer(20), session.answer()]
    session.hear("patch", name="Aa")
    return {load.patch.name: load.number for load in loads}


def test_the_first_patch_is_loaded_first_and_played(session):
    session.loaded.send(Loaded(-1))
    session.start().hear("listening")
    load = session.answer(20)
    assert load.patch.name == "Aa"
    session.hear("patch", name="Aa", part=1)
    assert session.sounding() == (load.number, 1, 1)
    assert session.ask("latent/bow") == (P + "latent/bow", 0.25)
    assert "load" in session.ask("status")


def test_a_killed_control_is_replaced_and_loads_nothing_again(session):
    numbers = begin(session)
    session.ask("patch", "Bb")
    session.client.send(build_msg(P + "latent/bow", 0.75).dgram)
    session.client.send(build_msg(P + "snapshot/1/store", []).dgram)
    time.sleep(0.3)
    port = session.client.getpeername()[1]
    session.process.kill()
    session.process.join()
    killed = time.monotonic()
    session.events.close()
    assert session.sounding() == (numbers["Bb"], 1, 1)
    session.start(port=port)
    session.hear("listening")
    assert session.ask("patch") == (P + "patch", "Bb")
    assert time.monotonic() - killed < 4  # 2 s, on a machine that does nothing else
    assert session.ask("latent/bow") == (P + "latent/bow", 0.75)
    assert session.ask("patch", "Aa") == (P + "done", P + "patch", "Aa")
    assert session.sounding() == (numbers["Aa"], 1, 1) and not session.loads.poll(0.3)


def test_a_new_engine_is_sent_everything_again(session):
    numbers = begin(session)
    session.loaded.send(Loaded(-1))
    assert (session.load().number, session.load().number) == (numbers["Aa"], numbers["Bb"])


def test_a_saved_patch_is_loaded_beside_and_taken(session, folder):
    numbers = begin(session)
    time.sleep(0.5)  # until it watches
    write(folder, "Aa", transpose=7)
    load = session.answer(10)
    assert load.patch.transpose == 7 and load.number not in numbers.values()
    until = time.monotonic() + 3
    while session.sounding()[0] != load.number and time.monotonic() < until:
        time.sleep(0.01)
    assert session.sounding() == (load.number, 1, 1) and session.ask("transpose") == (P + "transpose", 7.0)
    forgotten = session.load()
    assert (forgotten.number, forgotten.patch) == (numbers["Aa"], None)


def test_a_broken_save_is_said_once_and_the_sound_goes_on(session, folder):
    numbers = begin(session)
    time.sleep(0.5)
    write(folder, "Aa", pan="left", width=9)
    sentence = session.hear("fault")["sentence"]
    assert "Aa.yaml:4: pan" in sentence and "Aa.yaml:5: width" in sentence
    assert session.sounding() == (numbers["Aa"], 1, 1) and session.ask("patch") == (P + "patch", "Aa")
    write(folder, "Cc")
    assert session.answer(10).patch.name == "Cc"
    assert not any(session.events.recv()["event"] == "fault" for _ in range(20) if session.events.poll())


def test_a_first_patch_that_cannot_be_loaded_makes_way_for_the_next(session):
    session.loaded.send(Loaded(-1))
    session.start().hear("listening")
    session.answer(20, error="tiny.onnx: it does not load")
    assert session.hear("fault", sentence="tiny.onnx: it does not load")
    assert session.answer().patch.name == "Bb"
    session.hear("patch", name="Bb")
    assert session.ask("patch", "Aa")[0] == P + "fail"


def test_sigterm_ends_it_quietly(session):
    begin(session)
    session.process.terminate()
    session.process.join(3)
    assert session.process.exitcode == 0


def test_a_port_in_use_is_hopeless_and_said(session):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        session.start(port=port)
        assert f"port {port} is in use" in session.hear("fatal")["sentence"]
        session.process.join(5)
    assert session.process.exitcode == EXIT_HOPELESS


def test_an_unknown_first_patch_is_hopeless_and_said(session):
    session.start(patch="Aaa")
    assert session.hear("fatal")["sentence"] == "there is no patch 'Aaa', the nearest is 'Aa'; there are Aa, Bb"
    session.process.join(5)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's /proc")
def test_memory_and_no_numpy(session):
    begin(session)
    time.sleep(1)  # until it watches
    status = Path(f"/proc/{session.process.pid}/status").read_text()
    assert int(status.split("VmRSS:")[1].split()[0]) < 120 * 1024
    assert "numpy" not in Path(f"/proc/{session.process.pid}/maps").read_text()


def listen(client, seconds=1.0):
    """Return what a client is told, the latest value of each address."""
    told, until = {}, time.monotonic() + seconds
    client.settimeout(0.6)
    while time.monotonic() < until:
        try:
            told |= {message.address.removeprefix(P): message.arguments for message in messages(parse(client.recv(65536)))}
        except TimeoutError:
            break
    return told


def test_subscribers_are_told_of_everything_and_outlive_the_control(session):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as panel:
        for each in (phone, panel):
            each.bind(("127.0.0.1", 0))
        begin(session, feedback=(f"127.0.0.1:{panel.getsockname()[1]}",))
        session.client.send(build_msg(P + "notify", [1, phone.getsockname()[1]]).dgram)
        assert all(listen(each)["patch"] == ("Aa",) for each in (phone, panel))
        session.client.send(build_msg(P + "patch", "Bb").dgram)
        session.client.send(build_msg(P + "latent/1", 0.875).dgram)
        told = listen(phone)
        assert (told["patch"], told["latent/1"], told["done"][1]) == (("Bb",), (0.875,), "Bb")
        time.sleep(0.3)
        port = session.client.getpeername()[1]
        session.process.kill()
        session.process.join()
        session.events.close()
        session.start(port=port)
        session.hear("listening")
        assert listen(phone)["latent/1"] == (0.875,)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"feedback": ("phone",)}, "--feedback phone: must be an address and a port, such as 192.168.1.20:9000 or [::1]:9000"),
        ({"allow": ("studio",)}, "--allow studio: must be a network such as 192.168.1.0/24 or one address"),
        ({"host": "192.0.2.1"}, "--host 192.0.2.1 lets nobody in by itself: add --lan, or --allow with the network that shall be let in"),
    ],
)
def test_wrong_options_are_hopeless_and_said(session, options, sentence):
    session.start(**options)
    assert session.hear("fatal")["sentence"] == sentence
    session.process.join(5)
    assert session.process.exitcode == EXIT_HOPELESS
